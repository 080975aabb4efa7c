//! A caller's mistake gets a clear problem: never a 5xx, never half a change, never the value sent back.

mod data;
mod odd;
mod staff;

use serde_json::{Value, json};
use tidegate::domain::person::Role;

use crate::harness::{Answer, House};

/// A value that no text of ours holds, so that one that comes back is seen.
const MARK: &str = "zqx7value";

/// Checks the form of a problem document and answers it.
#[track_caller]
fn problem(answer: &Answer, status: u16, at: &str) -> Value {
    assert_eq!(answer.status, status, "{at}: {}", answer.text);
    assert_eq!(answer.header("content-type"), "application/problem+json", "{at}");
    let body = answer.json();
    // Whatever is said is a sentence, also where no field is to blame.
    let detail = body["detail"].as_str().unwrap_or("");
    assert!(!detail.starts_with(' ') && !detail.contains("  "), "{at}: {detail}");
    assert_eq!(body["status"], status, "{at}");
    assert!(body["type"].as_str().unwrap().starts_with("urn:tidegate:problem:"), "{at}");
    assert!(!body["title"].as_str().unwrap().is_empty() && !body["detail"].as_str().unwrap().is_empty(), "{at}: {body}");
    assert_eq!(body["request_id"], answer.header("x-request-id"), "{at}");
    assert_eq!(answer.header("x-request-id").len(), 36, "{at}");
    assert!(!answer.text.contains(MARK), "{at}: a value came back: {}", answer.text);
    assert!(answer.text.len() < 8_192, "{at}: {} bytes", answer.text.len());
    body
}

/// How many entries the history has.
async fn history_size(house: &House) -> i64 {
    house.settle().await;
    let page = house.get(Role::ComplianceReviewer, "/api/v1/history?limit=1").await.good();
    page["items"][0]["position"].as_i64().unwrap_or(-1)
}

fn because() -> Value {
    json!({"reason": "for the test"})
}
