//! Clients that others wrote: authlib with a secret and with keys, oauth4webapi with tokens bound to a key.

#![allow(clippy::explicit_write, reason = "the test harness captures what `eprintln!` says in a test that passes")]
#![allow(clippy::disallowed_methods, reason = "where the clients are, and whether they must be, is read from the environment of the tests")]

use std::ffi::OsString;
use std::io::Write;
use std::process::Command;

use serde_json::{Value, json};
use tidegate::domain::person::Role;
use tidegate::store::Clock;

use super::RECORDS;
use super::signer::Signer;
use crate::database::Database;
use crate::harness::{House, usual};
use crate::on_both;

on_both!(authlib_goes_the_whole_way, a_client_with_dpop_goes_the_whole_way);

/// Where a client is; without one the test is skipped, and says so, unless it is asked for.
pub fn place(variable: &str, what: &str) -> Option<OsString> {
    let found = std::env::var_os(variable);
    if found.is_none() {
        missing(&format!("{variable} does not say where {what} is"));
    }
    found
}

/// Whether a program is on this machine; where it is not, what it would run is skipped, and says so, unless it is asked for.
pub fn is_there(program: &str) -> bool {
    let there = Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    if !there {
        missing(&format!("{program} is not on this machine"));
    }
    there
}

fn missing(what: &str) {
    let required = std::env::var("TIDEGATE_TEST_REQUIRE").is_ok_and(|list| list.split(',').any(|item| item.trim() == "clients"));
    assert!(!required, "{what}, and it is asked for");
    writeln!(std::io::stderr(), "skipped: {what}").unwrap();
}

/// A house by the real clock, a client with a secret and one with a key of each of two kinds.
async fn begun(database: Database) -> (House, Value) {
    let house = House::start_with(database, Clock::system(), &[]).await;
    house.catalogue_people(3).await;
    let vendor = house.vendor("Acme", &[("acme-people", usual("people"))]).await;
    let mut given = json!({"id": vendor.client_id, "secret": vendor.client_secret, "signers": {}});
    for alg in ["ES256", "Ed25519"] {
        let signer = Signer::new(alg);
        let body = json!({"name": alg, "authentication": {"kind": "keys", "pem": signer.pem()}});
        let issued = house.post(Role::VendorManager, &format!("/api/v1/vendors/{}/clients", vendor.id), body).await.good();
        given["signers"][alg] = json!({"id": issued["client_id"], "key": signer.private_pem()});
    }
    (house, given)
}

async fn ran(mut command: Command) -> String {
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let (said, wrong) = (String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned());
    assert!(output.status.success(), "{said}{wrong}");
    println!("{said}");
    said
}

async fn authlib_goes_the_whole_way(database: Database) {
    let Some(python) = place("TIDEGATE_TEST_AUTHLIB", "a Python with authlib") else { return };
    let (house, given) = begun(database).await;
    let mut command = Command::new(python);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/oauth/others/authlib_client.py"));
    command.arg(&house.url).arg(RECORDS).arg(given.to_string());
    assert_eq!(ran(command).await.lines().count(), 4);
}

async fn a_client_with_dpop_goes_the_whole_way(database: Database) {
    let Some(modules) = place("TIDEGATE_TEST_OAUTH4WEBAPI", "the folder node_modules with oauth4webapi") else { return };
    let (house, given) = begun(database).await;
    let mut command = Command::new("node");
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/oauth/others/dpop_client.mjs"));
    command.arg(modules).arg(&house.url).arg(RECORDS).arg(given.to_string());
    assert_eq!(ran(command).await.lines().count(), 3);
}
