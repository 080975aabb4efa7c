//! A demo of the real binary as a child process, with as many customers as a measurement wants.

// Each bench uses a part of it.
#![allow(dead_code)]

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tidegate::cli::demo::write::many_customers;

/// A running demo; it is stopped and removed with the value.
pub struct Demo {
    pub url: String,
    child: Child,
    directory: tempfile::TempDir,
    said: Value,
}

impl Demo {
    /// Starts it; the program fills its data directory first.
    pub fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_tidegate"))
            .args(["demo", "--json", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(directory.path())
            .env("TIDEGATE_LOG_LEVEL", "error")
            .env("TIDEGATE_OUTBOUND_HOSTS", "127.0.0.1")
            .env("TIDEGATE_OAUTH_REQUESTS_PER_SECOND", "0")
            .env("TIDEGATE_OAUTH_FAILURES_PER_MINUTE", "0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        Self { url: said["url"].as_str().unwrap().to_owned(), child, directory, said }
    }

    /// Puts that many customers in place of the demo's.
    pub fn customers(&self, count: usize) {
        let path = self.sources().join("customers.parquet");
        many_customers(&path, count).unwrap();
    }

    /// Where its sources lie.
    pub fn sources(&self) -> PathBuf {
        self.directory.path().join("sources")
    }

    /// The API key of the one person of a role.
    pub fn key(&self, role: &str) -> String {
        let staff = self.said["staff"].as_array().unwrap();
        let person = staff.iter().find(|person| person["role"] == role).unwrap();
        person["api_key"].as_str().unwrap().to_owned()
    }

    /// The id and secret of the analytics firm's client.
    pub fn machine(&self) -> (String, String) {
        let vendor = self.northlight();
        let text = |name: &str| vendor[name].as_str().unwrap().to_owned();
        (text("client_id"), text("client_secret"))
    }

    /// A permit of the analytics firm.
    pub fn permit(&self) -> String {
        self.northlight()["permits"][0].as_str().unwrap().to_owned()
    }

    fn northlight(&self) -> &Value {
        let vendors = self.said["vendors"].as_array().unwrap();
        vendors.iter().find(|vendor| vendor["name"].as_str().unwrap().starts_with("Northlight")).unwrap()
    }

    /// A token of the analytics firm, and the address of its customers.
    pub async fn access(&self, http: &reqwest::Client) -> (String, String) {
        let vendor = self.northlight();
        let answer = http
            .post(format!("{}/oauth/token", self.url))
            .basic_auth(vendor["client_id"].as_str().unwrap(), vendor["client_secret"].as_str())
            .header("content-type", "application/x-www-form-urlencoded")
            .body("grant_type=client_credentials")
            .send()
            .await
            .unwrap();
        let answer: Value = answer.json().await.unwrap();
        (answer["access_token"].as_str().unwrap().to_owned(), format!("{}/data/v1/datasets/customers/records", self.url))
    }

    /// Its database.
    pub fn database(&self) -> PathBuf {
        self.directory.path().join("tidegate.db")
    }

    /// Forgets the most memory held so far (proc(5), `clear_refs`).
    pub fn forget_peak(&self) {
        std::fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5").unwrap();
    }

    /// The most memory the program has held so far, in MiB (`VmHWM` of proc(5)).
    pub fn peak_memory_mib(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_ascii_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to stop.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// A client that speaks to this machine only.
pub fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// Reads a whole answer and counts its bytes; the rows are not kept.
pub async fn drain(mut response: reqwest::Response) -> u64 {
    assert_eq!(response.status(), 200);
    let mut bytes = 0_u64;
    while let Some(chunk) = response.chunk().await.unwrap() {
        bytes += chunk.len() as u64;
    }
    bytes
}
