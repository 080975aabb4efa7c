//! The whole path over HTTP: from a registered vendor to released rows, the stops, and the history of it all.

use serde_json::json;
use tidegate::domain::person::Role;

use crate::database::Database;
use crate::harness::{House, usual};
use crate::on_both;

const RECORDS: &str = "/data/v1/datasets/people/records";

async fn a_vendor_pulls_what_its_permit_says(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(2_000).await;
    let vendor = house.vendor("Acme", &[("acme-people", usual("people"))]).await;
    let token = house.token(&vendor).await;

    let page = house.pull(&token, &format!("{RECORDS}?limit=3"), "application/json").await;
    let body = page.good();
    assert_eq!(body["rows"].as_array().unwrap().len(), 3);
    assert_eq!(body["rows"][1]["city"], "Bern");
    assert_eq!(body["rows"][1]["born"], 1960);
    assert_eq!(body["rows"][1]["id"].as_str().unwrap().len(), 26);
    assert_eq!(page.header("tidegate-release"), body["release"].as_str().unwrap());

    let mut ids = Vec::new();
    let mut cursor = String::new();
    loop {
        let body = house.pull(&token, &format!("{RECORDS}?limit=700&select=id{cursor}"), "application/json").await.good();
        ids.extend(body["rows"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        match body["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let stream = house.pull(&token, &format!("{RECORDS}?select=id"), "application/x-ndjson").await;
    let streamed: Vec<String> = stream
        .text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 2_000);
    assert_eq!(ids, streamed, "pages laid side by side are the stream");

    let csv = house.pull(&token, RECORDS, "text/csv").await;
    assert_eq!(csv.text.lines().count(), 2_001);
    for answer in [&stream.text, &csv.text, &page.text] {
        for withheld in ["hidden-", "mail.example", "Person Number", "P0000"] {
            assert!(!answer.contains(withheld), "{withheld} left");
        }
    }

    let closed = house.history("kind=closed").await;
    assert_eq!(closed.len(), 2);
    assert_eq!(closed[1]["leaf"]["rows"], 2_000);
    assert_eq!(closed[1]["leaf"]["subjects"], 2_000);
    assert_eq!(closed[1]["leaf"]["bytes"], csv.text.len());
    let all = house.history("").await;
    let positions: Vec<i64> = all.iter().map(|entry| entry["position"].as_i64().unwrap()).collect();
    assert_eq!(positions, (0..i64::try_from(all.len()).unwrap()).collect::<Vec<_>>(), "positions have no gaps");
}

async fn each_stop_refuses_the_next_request_with_its_gate(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(50).await;
    let because = json!({"reason": "for the test"});
    let stops =
        [("vendor", "suspend"), ("client", "revoke"), ("token", "revoke"), ("permit", "pause"), ("permit", "end"), ("agreement", "end")];
    for (at, (noun, act)) in stops.into_iter().enumerate() {
        let key = format!("stop-{at}");
        let vendor = house.vendor(&format!("Stop {at}"), &[(&key, usual("people"))]).await;
        let token = house.token(&vendor).await;
        house.pull(&token, RECORDS, "application/json").await.good();
        let id = match noun {
            "vendor" => vendor.id.clone(),
            "client" => vendor.client_id.clone(),
            "permit" => key,
            "agreement" => vendor.agreement.clone(),
            _ => {
                let tokens = house.get(Role::VendorManager, &format!("/api/v1/clients/{}/tokens", vendor.client_id)).await.good();
                tokens["items"][0]["id"].as_str().unwrap().to_owned()
            }
        };
        house.post(Role::VendorManager, &format!("/api/v1/{noun}s/{id}/{act}"), because.clone()).await.good();
        for accept in ["application/json", "text/csv"] {
            let refused = house.pull(&token, RECORDS, accept).await;
            let status = if noun == "token" || noun == "client" { 401 } else { 403 };
            assert_eq!((refused.status, refused.gate().as_str()), (status, noun), "{noun} {act}: {}", refused.text);
        }
        let refusals = house.history(&format!("kind=refusal&vendor={}", vendor.id)).await;
        assert_eq!(refusals[0]["leaf"]["gate"], noun);
    }
}

on_both!(a_vendor_pulls_what_its_permit_says, each_stop_refuses_the_next_request_with_its_gate);
