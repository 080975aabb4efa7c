//! Keys that sign tokens, and the switch that stops everything: who follows whom, what is refused from when on.

mod brokers;
mod kill_switch;
mod leaked;
mod previews;
mod rotation;

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use tidegate::domain::person::Role;

use crate::database::Database;
use crate::harness::{Answer, House, Vendor, usual};

const RECORDS: &str = "/data/v1/datasets/people/records?limit=2";
const JSON: &str = "application/json";

/// A house with a vendor that pulls `people`.
async fn pulling(database: Database) -> (House, Vendor) {
    let house = House::start(database).await;
    house.catalogue_people(20).await;
    let vendor = house.vendor("Acme", &[("acme-people", usual("people"))]).await;
    (house, vendor)
}

/// The names of the published keys, sorted, and for how many seconds the set may be kept.
async fn published(house: &House) -> (Vec<String>, i64) {
    let answer = Answer::of(house.http.get(format!("{}/.well-known/jwks.json", house.url)).send().await.unwrap()).await;
    let age = answer.header("cache-control").rsplit_once("max-age=").unwrap().1.parse().unwrap();
    let mut kids: Vec<String> =
        answer.good()["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect();
    kids.sort();
    (kids, age)
}

/// The key that a token names.
fn kid_of(token: &str) -> String {
    part_of(token, 0)["kid"].as_str().unwrap().to_owned()
}

/// The id that a token bears.
pub fn id_of(token: &str) -> String {
    part_of(token, 1)["jti"].as_str().unwrap().to_owned()
}

fn part_of(token: &str, at: usize) -> Value {
    let part = BASE64URL_NOPAD.decode(token.split('.').nth(at).unwrap().as_bytes()).unwrap();
    serde_json::from_slice(&part).unwrap()
}

/// The keys as the staff sees them, by state.
async fn listed(house: &House) -> Vec<(String, String)> {
    let list = house.get(Role::ComplianceReviewer, "/api/v1/signing-keys").await.good();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    list["items"].as_array().unwrap().iter().map(|key| (text(&key["kid"]), text(&key["state"]))).collect()
}

async fn rotate(house: &House) -> Answer {
    house.post(Role::Administrator, "/api/v1/signing-keys/rotate", json!({})).await
}

async fn revoke(house: &House, kid: &str) -> Answer {
    house.post(Role::PrivacyOfficer, &format!("/api/v1/signing-keys/{kid}/revoke"), json!({"reason": "it was in a log"})).await
}

/// A pull's status and gate.
async fn pull(house: &House, token: &str) -> (u16, String) {
    let answer = house.pull(token, RECORDS, JSON).await;
    if answer.status == 200 { (200, String::new()) } else { (answer.status, answer.gate()) }
}

fn refused() -> (u16, String) {
    (401, "token".to_owned())
}

fn good() -> (u16, String) {
    (200, String::new())
}

/// Moves the clock; what is pending gets its place before.
async fn later(house: &House, seconds: i64) {
    let now = house.clock.now();
    house.at(now.plus_seconds(seconds)).await;
}
