//! Due diligence, agreements and permits as people act on them, with the second pair of eyes at each.

pub mod agreements;
mod diligence;
mod hierarchies;
mod permits;
mod treatments;
mod versions;

use serde_json::{Value, json};
use tidegate::domain::person::Role;

use crate::harness::{Answer, House};

const RECORDS: &str = "/data/v1/datasets/people/records";

fn because() -> Value {
    json!({"reason": "for the test"})
}

/// The kind of problem, for a refusal that has one.
#[track_caller]
fn refused(answer: &Answer, status: u16, kind: &str) {
    let name = format!("urn:tidegate:problem:{kind}");
    assert_eq!((answer.status, answer.json()["type"].as_str().unwrap_or("")), (status, name.as_str()), "{}", answer.text);
}

/// What a rule missed: the fields that the errors name.
fn named(answer: &Answer) -> Vec<String> {
    answer.json()["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect()
}

/// The rows of a first page, or the gate that is closed.
async fn rows(house: &House, token: &str) -> Result<Vec<Value>, String> {
    let answer = house.pull(token, &format!("{RECORDS}?limit=5"), "application/json").await;
    if answer.status == 200 { Ok(answer.json()["rows"].as_array().unwrap().clone()) } else { Err(answer.gate()) }
}

fn closed_by(gate: &str) -> Result<Vec<Value>, String> {
    Err(gate.to_owned())
}

async fn officer(house: &House, path: &str, body: Value) -> Answer {
    house.post(Role::PrivacyOfficer, path, body).await
}

async fn other_officer(house: &House, path: &str, body: Value) -> Answer {
    house.send("POST", path, &house.other_officer, Some(&body)).await
}

async fn manager(house: &House, path: &str, body: Value) -> Answer {
    house.post(Role::VendorManager, path, body).await
}
