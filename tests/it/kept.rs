//! A page from rows that were kept is a release like any other: decided anew, on record first, counted, and of today.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tidegate::domain::person::Role;
use tidegate::engine::sample::{SampleValues, write_parquet};

use crate::database::Database;
use crate::harness::{Answer, House, Vendor, people_columns, permit, usual};
use crate::on_both;

on_both!(a_kept_page_passes_every_gate, a_kept_page_is_of_today, two_agreements_share_nothing_that_is_kept);

const PEOPLE: &str = "/data/v1/datasets/people/records?limit=5";
const JSON: &str = "application/json";

fn fields() -> Value {
    json!({"id": {"kind": "pseudonym", "format": "base32"}, "score": {"kind": "clear"}, "city": {"kind": "clear"}})
}

/// A vendor with a permit, and a token.
async fn vendor(house: &House, name: &str, terms: Value) -> (Vendor, String) {
    let vendor = house.vendor(name, &[(&format!("{name}-people"), terms)]).await;
    let token = house.token(&vendor).await;
    (vendor, token)
}

/// Asks for the page until the engine holds more than it did: a source must stand for a while first.
async fn until_kept(house: &House, token: &str) -> Answer {
    let before = house.app.engine.kept_bytes();
    loop {
        let page = house.pull(token, PEOPLE, JSON).await;
        page.good();
        if house.app.engine.kept_bytes() > before {
            return house.pull(token, PEOPLE, JSON).await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn rows(answer: &Answer) -> Vec<Value> {
    answer.good()["rows"].as_array().unwrap().clone()
}

async fn releases(house: &House) -> Vec<Value> {
    house.history("kind=release").await
}

async fn a_kept_page_passes_every_gate(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(40).await;
    let mut terms = permit("people", fields());
    terms["daily_rows"] = json!(100_000);
    let (vendor, token) = vendor(&house, "acme", terms.clone()).await;
    let first = until_kept(&house, &token).await;

    // Each is on record with its rows and people, and the cursor reads on.
    let before = releases(&house).await.len();
    let pages = [house.pull(&token, PEOPLE, JSON).await, house.pull(&token, PEOPLE, JSON).await];
    assert!(pages.iter().all(|page| rows(page) == rows(&first)));
    let cursor = pages[0].json()["next"].as_str().unwrap().to_owned();
    let next = house.pull(&token, &format!("{PEOPLE}&cursor={cursor}"), JSON).await;
    assert_eq!(rows(&next).iter().map(|row| row["score"].as_u64().unwrap()).collect::<Vec<_>>(), [5, 6, 7, 8, 9]);
    let entries = releases(&house).await;
    assert_eq!(entries.len(), before + 3);
    let last = &entries[entries.len() - 2]["leaf"];
    assert_eq!((&last["rows"], &last["subjects"], &last["release"]), (&json!(5), &json!(5), &pages[1].json()["release"]));

    // A narrowing holds at once.
    terms["fields"]["city"] = json!({"kind": "withhold"});
    house.revise("acme-people", house.key(Role::VendorManager), &terms).await.good();
    let narrowed = rows(&house.pull(&token, PEOPLE, JSON).await);
    assert!(narrowed.len() == 5 && narrowed.iter().all(|row| row.get("city").is_none()), "a field that was taken back");

    // So does a quota, and a suspension.
    terms["daily_rows"] = json!(1);
    house.revise("acme-people", house.key(Role::VendorManager), &terms).await.good();
    assert_eq!(house.pull(&token, PEOPLE, JSON).await.gate(), "quota");
    house.act(&vendor.id, "suspend").await;
    let count = releases(&house).await.len();
    assert_eq!(house.pull(&token, PEOPLE, JSON).await.gate(), "vendor");
    assert_eq!(releases(&house).await.len(), count);
}

async fn a_kept_page_is_of_today(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(40).await;
    let mut terms = permit("people", fields());
    terms["legal_basis"] = json!("legitimate_interests");
    let (_, token) = vendor(&house, "acme", terms).await;
    let scores = |answer: &Answer| rows(answer).iter().map(|row| row["score"].as_u64().unwrap()).collect::<Vec<_>>();
    assert_eq!(scores(&until_kept(&house, &token).await), [0, 1, 2, 3, 4]);

    let event = json!({
        "record": "one", "subject": "P0000002", "signal": "objection", "purpose": "service-usage-analytics", "stands": true,
        "event_time": "2026-06-01T08:00:00Z", "channel": "web form", "notice": "privacy-2026-05"
    });
    house.post(Role::PrivacyOfficer, "/api/v1/consents", json!({"domain": "person", "event": event})).await.good();
    assert_eq!(scores(&house.pull(&token, PEOPLE, JSON).await), [0, 1, 3, 4, 5], "who objected is in no page");

    let mut columns = people_columns(40);
    columns[5].values = SampleValues::Integer((100..140).map(Some).collect());
    write_parquet(&house.sources().join("people.parquet"), &columns).unwrap();
    assert_eq!(scores(&house.pull(&token, PEOPLE, JSON).await), [100, 101, 103, 104, 105], "a file's rows of yesterday");
}

async fn two_agreements_share_nothing_that_is_kept(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(40).await;
    let mut seen = Vec::new();
    for name in ["one", "two"] {
        let (_, token) = vendor(&house, name, usual("people")).await;
        let kept = rows(&until_kept(&house, &token).await);
        seen.push(kept.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>());
    }
    assert!(seen[0].len() == 5 && seen[0].is_disjoint(&seen[1]), "a pseudonym of another agreement");
}
