//! The house's own purposes and categories go the whole way: they are agreed, permitted, released by, and never loosened.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tidegate::domain::person::Role;

use crate::database::Database;
use crate::harness::{Answer, House, Vendor, permit, processor_terms};
use crate::on_both;

on_both!(
    an_own_purpose_goes_from_agreement_to_release,
    an_own_purpose_is_asked_for_what_its_flags_say,
    a_term_that_nobody_knows_or_that_collides_is_refused,
    a_retired_term_is_offered_no_more_and_stays_where_it_is,
    every_act_on_the_vocabulary_is_on_record
);

const OFFICER: Role = Role::PrivacyOfficer;
const PURPOSES: &str = "/api/v1/vocabulary/purposes";
const CATEGORIES: &str = "/api/v1/vocabulary/categories";

async fn add(house: &House, key: &str, direct_marketing: bool, sale: bool) -> Answer {
    let body = json!({"key": key, "title": format!("About {key}"), "direct_marketing": direct_marketing, "sale": sale});
    house.post(OFFICER, PURPOSES, body).await
}

async fn add_category(house: &House, key: &str) -> Answer {
    house.post(OFFICER, CATEGORIES, json!({"key": key, "title": format!("About {key}"), "description": "Ours.", "special": true})).await
}

async fn turn(house: &House, path: &str, act: &str) -> Answer {
    house.post(OFFICER, &format!("{path}/{act}"), json!({})).await
}

fn terms(basis: &str, purpose: &str) -> Value {
    let mut terms = permit("people", json!({"score": {"kind": "clear"}}));
    (terms["legal_basis"], terms["purpose"]) = (json!(basis), json!(purpose));
    terms
}

/// The dataset of people, whose score is of a category of the house's own.
async fn recategorise(house: &House, category: &str) -> Answer {
    let mut dataset = house.get(Role::DataSteward, "/api/v1/datasets/people").await.good();
    let fields = dataset["fields"].as_array_mut().unwrap();
    fields.iter_mut().find(|field| field["name"] == "score").unwrap()["category"] = json!(category);
    let body = json!({"version": dataset["version"], "fields": dataset["fields"], "subject": dataset["subject"]});
    house.put(Role::DataSteward, "/api/v1/datasets/people", body).await
}

/// A vendor whose signed agreement names these beside the usual ones.
async fn agreed(house: &House, purposes: &[&str], categories: &[&str], permits: &[(&str, Value)]) -> Vendor {
    let vendor = house.register("Acme").await;
    let paper = house.assess(&vendor).await;
    house.act(&vendor, "activate").await;
    let agreement = house.draft(&vendor, "Acme", &paper, &[]).await;
    written(house, &agreement, purposes, categories, &paper).await.good();
    for (key, terms) in permits {
        let body = json!({"key": key, "terms": terms});
        house.post(Role::VendorManager, &format!("/api/v1/agreements/{agreement}/permits"), body).await.good();
    }
    house.post(Role::VendorManager, &format!("/api/v1/agreements/{agreement}/versions/1/submit"), json!({})).await.good();
    let approved = house.approve(&agreement, 1, house.key(OFFICER), json!([])).await.good();
    house.sign(&agreement, 1, approved["versions"][0]["document"].as_str().unwrap()).await;
    let client = house
        .post(Role::VendorManager, &format!("/api/v1/vendors/{vendor}/clients"), json!({"name": "machine", "hand_over": "answer"}))
        .await
        .good();
    let text = |name: &str| client[name].as_str().unwrap().to_owned();
    Vendor { id: vendor, agreement, client_id: text("client_id"), client_secret: text("client_secret") }
}

/// Writes the terms of an agreement's draft.
async fn written(house: &House, agreement: &str, purposes: &[&str], categories: &[&str], paper: &str) -> Answer {
    let mut terms = processor_terms(&house.clock, paper);
    terms["purposes"].as_array_mut().unwrap().extend(purposes.iter().map(|key| json!(key)));
    terms["data_categories"].as_array_mut().unwrap().extend(categories.iter().map(|key| json!(key)));
    let body = json!({"version": house.counter(agreement, 1).await, "terms": terms});
    house.put(Role::VendorManager, &format!("/api/v1/agreements/{agreement}/versions/1/terms"), body).await
}

/// The rows of a pull on a permit, by their score.
async fn rows(house: &House, token: &str, key: &str) -> BTreeSet<u64> {
    let page = house.pull(token, &format!("/data/v1/datasets/people/records?permit={key}"), "application/json").await.good();
    page["rows"].as_array().unwrap().iter().map(|row| row["score"].as_u64().unwrap()).collect()
}

async fn tell(house: &House, row: usize, signal: &str, purpose: Option<&str>) {
    let mut event = json!({
        "record": format!("{signal}-{row}-{purpose:?}"), "subject": format!("P{row:07}"), "signal": signal, "stands": true,
        "event_time": "2026-06-01T08:00:00Z"
    });
    if let Some(purpose) = purpose {
        event["purpose"] = json!(purpose);
    }
    house.post(OFFICER, "/api/v1/consents", json!({"domain": "person", "event": event})).await.good();
}

fn keys(list: &Value) -> BTreeSet<String> {
    list.as_array().unwrap().iter().map(|term| term["key"].as_str().unwrap().to_owned()).collect()
}

async fn an_own_purpose_goes_from_agreement_to_release(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(6).await;
    add(&house, "warranty-cards", false, false).await.good();
    add_category(&house, "loyalty-badges").await.good();
    recategorise(&house, "loyalty-badges").await.good();
    let permits = [("cards", terms("contract", "warranty-cards")), ("opted", terms("consent", "warranty-cards"))];
    let vendor = agreed(&house, &["warranty-cards"], &["loyalty-badges"], &permits).await;
    let refused = house.ask_token(&vendor, Some("opted")).await;
    assert_eq!((refused.status, refused.json()["gate"].as_str()), (400, Some("consent")), "{}", refused.text);

    tell(&house, 2, "consent", Some("warranty-cards")).await;
    tell(&house, 3, "consent", Some("service-usage-analytics")).await;
    // Neither an objection nor an opt-out counts against a contract for what is neither marketing nor sale.
    tell(&house, 4, "objection", Some("warranty-cards")).await;
    tell(&house, 5, "opt_out", None).await;
    let token = house.token(&vendor).await;
    assert_eq!(rows(&house, &token, "cards").await, (0..6).collect(), "a contract asks for nothing");
    assert_eq!(rows(&house, &token, "opted").await, BTreeSet::from([2]), "consent to this purpose, not to another one");
    let entry = house.history("kind=release").await.remove(0);
    assert_eq!(entry["leaf"]["purpose"], "warranty-cards", "{entry}");

    let matrix = house.get(OFFICER, &format!("/api/v1/agreements/{}/matrix/people", vendor.agreement)).await.good();
    let score = matrix["fields"].as_array().unwrap().iter().find(|field| field["name"] == "score").unwrap();
    assert_eq!((score["category_title"].as_str(), score["signed"].as_bool()), (Some("About loyalty-badges"), Some(true)));
    let impact = house.get(OFFICER, &format!("/api/v1/agreements/{}/versions/1/impact", vendor.agreement)).await.good();
    assert!(impact["terms"].to_string().contains("About warranty-cards"), "{}", impact["terms"]);
}

async fn an_own_purpose_is_asked_for_what_its_flags_say(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(6).await;
    let cases = [("plain", (false, false)), ("raffle", (true, false)), ("barter", (false, true)), ("both", (true, true))];
    for (key, (direct_marketing, sale)) in cases {
        add(&house, key, direct_marketing, sale).await.good();
    }
    let permits = cases.map(|(key, _)| (key, terms("contract", key)));
    let vendor = agreed(&house, &cases.map(|(key, _)| key), &[], &permits).await;
    for (key, _) in cases {
        tell(&house, 1, "objection", Some(key)).await;
    }
    tell(&house, 2, "opt_out", None).await;
    tell(&house, 3, "restriction", None).await;
    let token = house.token(&vendor).await;
    let left_out = |rows: BTreeSet<u64>| (0..6).filter(|row| !rows.contains(row)).collect::<Vec<u64>>();
    for (key, expected) in [("plain", vec![3]), ("raffle", vec![1, 3]), ("barter", vec![2, 3]), ("both", vec![1, 2, 3])] {
        assert_eq!(left_out(rows(&house, &token, key).await), expected, "{key}");
    }
    // Retired, a purpose still protects those who objected and lets everyone take back what they said.
    turn(&house, &format!("{PURPOSES}/both"), "retire").await.good();
    assert_eq!(left_out(rows(&house, &token, "both").await), [1, 2, 3]);
    tell(&house, 4, "objection", Some("both")).await;
    assert_eq!(left_out(rows(&house, &token, "both").await), [1, 2, 3, 4]);
}

async fn a_term_that_nobody_knows_or_that_collides_is_refused(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(3).await;
    let refused = |answer: Answer, field: &str| {
        assert_eq!(answer.status, 422, "{}", answer.text);
        assert!(answer.text.contains(field), "{field}: {}", answer.text);
    };
    add(&house, "raffle", true, false).await.good();
    for key in ["raffle", "email-marketing", "No Slug", "", "a.b"] {
        refused(add(&house, key, false, false).await, "key");
    }
    refused(add_category(&house, "health").await, "key");
    add_category(&house, "raffle").await.good();
    let shipped = turn(&house, &format!("{PURPOSES}/email-marketing"), "retire").await;
    assert_eq!(shipped.status, 404, "what comes with the house is nobody's to retire: {}", shipped.text);
    assert_eq!(turn(&house, &format!("{CATEGORIES}/unheard-of"), "restore").await.status, 404);

    refused(recategorise(&house, "unheard-of").await, "category");
    let vendor = house.register("Acme").await;
    let paper = house.assess(&vendor).await;
    let agreement = house.draft(&vendor, "Acme", &paper, &[]).await;
    refused(written(&house, &agreement, &["unheard-of"], &[], &paper).await, "purposes");
    refused(written(&house, &agreement, &[], &["unheard-of"], &paper).await, "data_categories");
    let event = json!({
        "record": "1", "subject": "P0000001", "signal": "objection", "purpose": "unheard-of", "stands": true,
        "event_time": "2026-06-01T08:00:00Z"
    });
    refused(house.post(OFFICER, "/api/v1/consents", json!({"domain": "person", "event": event})).await, "purpose");
}

async fn a_retired_term_is_offered_no_more_and_stays_where_it_is(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(3).await;
    add(&house, "raffle", false, false).await.good();
    add_category(&house, "badges").await.good();
    recategorise(&house, "badges").await.good();
    let vendor = agreed(&house, &["raffle"], &["badges"], &[("raffle", terms("contract", "raffle"))]).await;
    let token = house.token(&vendor).await;
    for path in [format!("{PURPOSES}/raffle"), format!("{CATEGORIES}/badges")] {
        turn(&house, &path, "retire").await.good();
        turn(&house, &path, "retire").await.good();
    }
    let offered = house.get(OFFICER, "/api/v1/vocabulary").await.good();
    assert!(!keys(&offered["purposes"]).contains("raffle") && !keys(&offered["categories"]).contains("badges"), "{offered}");
    let all = house.get(Role::ComplianceReviewer, PURPOSES).await.good();
    let kept = all["items"].as_array().unwrap().iter().find(|term| term["key"] == "raffle").unwrap();
    assert!(kept["own"] == json!(true) && kept["retired_at"].is_string(), "{kept}");
    assert_eq!(add(&house, "raffle", false, false).await.status, 422, "a retired key is not free");

    // What rests on it goes on: releases, a permit's next revision, the dataset's and the agreement's next version.
    assert_eq!(rows(&house, &token, "raffle").await, BTreeSet::from([0, 1, 2]));
    let mut narrower = terms("contract", "raffle");
    narrower["daily_rows"] = json!(100);
    house.revise("raffle", house.key(Role::VendorManager), &narrower).await.good();
    recategorise(&house, "badges").await.good();
    house.post(Role::VendorManager, &format!("/api/v1/agreements/{}/amend", vendor.agreement), json!({})).await.good();
    let view = house.get(Role::VendorManager, &format!("/api/v1/agreements/{}", vendor.agreement)).await.good();
    let next = &view["versions"][1];
    let path = format!("/api/v1/agreements/{}/versions/2/terms", vendor.agreement);
    house.put(Role::VendorManager, &path, json!({"version": next["version"], "terms": next["terms"]})).await.good();

    // Nobody begins with it anew.
    let other = house.register("Beta").await;
    let paper = house.assess(&other).await;
    let agreement = house.draft(&other, "Beta", &paper, &[]).await;
    let refused = written(&house, &agreement, &["raffle"], &[], &paper).await;
    assert!(refused.status == 422 && refused.text.contains("is retired"), "{}", refused.text);
    turn(&house, &format!("{PURPOSES}/raffle"), "restore").await.good();
    written(&house, &agreement, &["raffle"], &[], &paper).await.good();
}

async fn every_act_on_the_vocabulary_is_on_record(database: Database) {
    let house = House::start(database).await;
    let odd = json!({"key": "raffle", "title": "Kim Roe's raffle", "direct_marketing": true, "sale": false});
    house.post(OFFICER, PURPOSES, odd).await.good();
    add_category(&house, "badges").await.good();
    for path in [format!("{PURPOSES}/raffle"), format!("{CATEGORIES}/badges")] {
        for act in ["retire", "retire", "restore", "restore"] {
            turn(&house, &path, act).await.good();
        }
    }
    for verb in ["add", "retire", "restore"] {
        let acts = house.history(&format!("kind=act&outcome={verb}")).await;
        let told: Vec<&Value> =
            acts.iter().filter(|entry| ["purpose", "category"].contains(&entry["leaf"]["noun"].as_str().unwrap())).collect();
        assert_eq!(told.len(), 2, "{verb}, once each: {acts:?}");
        assert!(told.iter().all(|entry| !entry.to_string().contains("Kim Roe")), "a title may name somebody, so it stays out");
    }
    let added = house.history("kind=act&outcome=add").await;
    let purpose = added.iter().find(|entry| entry["leaf"]["noun"] == "purpose").unwrap();
    assert_eq!(purpose["leaf"]["facts"], json!({"direct_marketing": "true", "sale": "false"}));
    for role in [Role::VendorManager, Role::DataSteward, Role::Administrator, Role::ComplianceReviewer] {
        let refused = house.post(role, PURPOSES, json!({"key": "mine", "title": "Mine", "direct_marketing": false, "sale": false})).await;
        assert_eq!(refused.status, 403, "{role:?}");
    }
}
