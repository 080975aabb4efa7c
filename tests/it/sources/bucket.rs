//! An object store that others wrote (s3rver, which knows keys but checks no signature of version 4): prefixes,
//! partitions, and keys that are wrong.

#![allow(clippy::explicit_write, reason = "the test harness captures what `eprintln!` says in a test that passes")]
#![allow(clippy::disallowed_methods, reason = "where the server is, and whether it must be, is read from the environment of the tests")]

use std::io::Write;
use std::process::{Child, Command, Stdio};

use object_store::ObjectStoreExt;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use serde_json::{Value, json};
use tempfile::TempDir;
use tidegate::domain::person::Role;

use super::{add, csv, house, moved, pulled};
use crate::database::run;
use crate::harness::{people_columns, usual};

/// The keys that s3rver knows.
const KEY: &str = "S3RVER";
pub const SECRET: &str = "S3RVER";

/// A running server with the bucket `exports`.
pub struct Store {
    child: Child,
    port: u16,
    client: AmazonS3,
    _directory: TempDir,
}

impl Store {
    /// Starts one; `None` where `TIDEGATE_TEST_S3RVER` names no program.
    pub async fn start() -> Option<Self> {
        let Some(program) = std::env::var_os("TIDEGATE_TEST_S3RVER") else {
            let required = std::env::var("TIDEGATE_TEST_REQUIRE").is_ok_and(|list| list.split(',').any(|item| item.trim() == "s3"));
            assert!(!required, "TIDEGATE_TEST_S3RVER does not say where s3rver is, and TIDEGATE_TEST_REQUIRE asks for it");
            writeln!(std::io::stderr(), "skipped: TIDEGATE_TEST_S3RVER does not say where s3rver is").unwrap();
            return None;
        };
        let directory = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(program)
            .args(["--address", "127.0.0.1", "--silent", "--configure-bucket", "exports", "--port", &port.to_string(), "--directory"])
            .arg(directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        for _ in 0..600 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let client = AmazonS3Builder::new()
            .with_endpoint(format!("http://127.0.0.1:{port}"))
            .with_allow_http(true)
            .with_bucket_name("exports")
            .with_region("us-east-1")
            .with_access_key_id(KEY)
            .with_secret_access_key(SECRET)
            .build()
            .unwrap();
        Some(Self { child, port, client, _directory: directory })
    }

    pub async fn put(&self, path: &str, bytes: Vec<u8>) {
        self.client.put(&object_store::path::Path::parse(path).unwrap(), bytes.into()).await.unwrap();
    }

    pub fn at(&self, kind: &str, path: &str) -> Value {
        let store = json!({"endpoint": format!("http://127.0.0.1:{}", self.port), "access_key": KEY});
        json!({"kind": kind, "path": path, "store": store})
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn prefixes_with_partitions_and_keys_that_are_wrong() {
    run(async {
        let Some(store) = Store::start().await else { return };
        let house = house().await;
        house.catalogue_people(40).await;
        let vendor = house.vendor("Acme", &[("acme-people", usual("people"))]).await;
        let expected = pulled(&house, &vendor, "people").await;
        // One file, named as a whole.
        store.put("one/people.csv", csv(&people_columns(40)).into_bytes()).await;
        let whole = store.at("csv", "s3://exports/one/people.csv");
        let source = moved(&house, "people", "people", &whole, Some(SECRET)).await;
        assert_eq!(pulled(&house, &vendor, "people").await, expected);

        // The city is in the folders' names only.
        let columns = people_columns(40);
        for town in ["Bern", "Graz", "Lyon", "Ulm"] {
            let text = csv(&columns);
            let (header, lines) = text.split_once('\n').unwrap();
            let without = |line: &str| {
                let cells: Vec<&str> = line.split(',').collect();
                [&cells[..4], &cells[5..]].concat().join(",") + "\n"
            };
            let lines = lines.lines().filter(|line| line.split(',').nth(4) == Some(town));
            let file: String = std::iter::once(header).chain(lines).map(without).collect();
            store.put(&format!("parts/people/city={town}/part-0.csv"), file.into_bytes()).await;
        }
        moved(&house, "people", "people", &store.at("csv", "s3://exports/parts/people/"), Some(SECRET)).await;
        let mut rows: Vec<String> = pulled(&house, &vendor, "people").await[0].lines().map(str::to_owned).collect();
        let mut all: Vec<String> = expected[0].lines().map(str::to_owned).collect();
        assert!(rows[0].contains("Bern"), "they come in the order of the files: {}", rows[0]);
        rows.sort();
        all.sort();
        assert_eq!(rows, all);

        // A wrong secret, a wrong bucket, nothing below the prefix: each is said, and nothing of the secret.
        let mut stranger = whole.clone();
        stranger["store"]["access_key"] = json!("STRANGER");
        for (location, secret, expected) in [
            (stranger, Some("n0t-the-secret"), "refuses the access key or the secret"),
            (store.at("csv", "s3://no-such-bucket/x/"), Some(SECRET), "no such bucket"),
            (store.at("csv", "s3://exports/empty/"), Some(SECRET), "no file of this kind"),
            (whole.clone(), None, "was not given"),
        ] {
            let refused = add(&house, &location, secret).await;
            assert_eq!(refused.status, 422, "{}", refused.text);
            assert!(refused.text.contains(expected), "{expected}: {}", refused.text);
            assert!(secret.is_none_or(|secret| secret == SECRET || !refused.text.contains(secret)));
        }
        for secret in ["", "two\nlines"] {
            let other = house.put(Role::DataSteward, &format!("/api/v1/sources/{source}/secret"), json!({"secret": secret})).await;
            assert_eq!(other.status, 422, "{}", other.text);
        }
    });
}
