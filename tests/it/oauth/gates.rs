//! With several gates closed, a refusal names the first by precedence.

use serde_json::{Value, json};
use tidegate::domain::person::Role;
use tidegate::engine::sample::write_parquet;

use super::{JSON, RECORDS, because, form, refused};
use crate::database::Database;
use crate::harness::{House, Vendor, people_columns, usual};
use crate::on_both;

/// Another round of due diligence that ends in a rejection.
async fn reject(house: &House, vendor: &str) {
    let body = json!({"kind": "security", "template": "security"});
    let round = house.post(Role::VendorManager, &format!("/api/v1/vendors/{vendor}/assessments"), body).await.good();
    let path = format!("/api/v1/assessments/{}", round["id"].as_str().unwrap());
    for (role, act) in [(Role::VendorManager, "send"), (Role::VendorManager, "submit"), (Role::PrivacyOfficer, "review")] {
        house.post(role, &format!("{path}/{act}"), json!({})).await.good();
    }
    house.post(Role::PrivacyOfficer, &format!("{path}/decide"), json!({"verdict": "rejected", "rationale": "x"})).await.good();
}

async fn the_first_closed_gate_is_named(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(20).await;
    let mut terms = usual("people");
    terms["daily_rows"] = json!(20);
    let vendor = house.vendor("Acme", &[("acme-people", terms)]).await;
    let token = house.token(&vendor).await;
    house.pull(&token, RECORDS, JSON).await.good();

    let id = &vendor.id;
    let tokens = house.get(Role::VendorManager, &format!("/api/v1/clients/{}/tokens", vendor.client_id)).await.good();
    let token_id = tokens["items"][0]["id"].as_str().unwrap().to_owned();
    let stop = async |path: String| {
        house.post(Role::VendorManager, &path, because()).await.good();
    };

    // Each step closes one gate more, from the last by precedence to the first; none is opened again.
    let gates = ["quota", "dataset_drift", "purpose", "permit", "agreement", "due_diligence", "vendor", "client", "token"];
    let mut query = String::new();
    for gate in gates {
        match gate {
            "quota" => {}
            "dataset_drift" => {
                let columns: Vec<_> = people_columns(20).into_iter().filter(|column| column.name != "city").collect();
                write_parquet(&house.sources().join("people.parquet"), &columns).unwrap();
            }
            "purpose" => "?purpose=email-marketing".clone_into(&mut query),
            "permit" => stop("/api/v1/permits/acme-people/pause".to_owned()).await,
            "agreement" => stop(format!("/api/v1/agreements/{}/end", vendor.agreement)).await,
            "due_diligence" => reject(&house, id).await,
            "vendor" => stop(format!("/api/v1/vendors/{id}/suspend")).await,
            "client" => stop(format!("/api/v1/clients/{}/revoke", vendor.client_id)).await,
            _ => stop(format!("/api/v1/tokens/{token_id}/revoke")).await,
        }
        let status = match gate {
            "quota" => 429,
            "client" | "token" => 401,
            _ => 403,
        };
        for accept in [JSON, "application/x-ndjson", "text/csv"] {
            let answer = house.pull(&token, &format!("{RECORDS}{query}"), accept).await;
            assert_eq!((answer.status, answer.gate().as_str()), (status, gate), "{accept}: {}", answer.text);
            assert_eq!(answer.header("www-authenticate").starts_with("Bearer"), status == 401, "{gate}");
            assert_eq!(answer.header("retry-after").parse::<u32>().is_ok(), gate == "quota", "{gate}");
            let clause = match gate {
                "quota" => json!("daily_rows"),
                "purpose" => json!("purpose"),
                _ => Value::Null,
            };
            assert_eq!(answer.json()["clause"], clause, "{gate}");
            assert!(answer.header("tidegate-release").is_empty(), "{gate}: a refusal is no release");
        }
        // What closes before the permit closes for every dataset alike; else an uncovered one is the permit's matter.
        let elsewhere = house.pull(&token, &format!("/data/v1/datasets/no-such/records{query}"), JSON).await;
        let beneath = matches!(gate, "quota" | "dataset_drift" | "purpose");
        assert_eq!(elsewhere.gate(), if beneath { "permit" } else { gate });
    }
    let named: Vec<Value> =
        house.history(&format!("kind=refusal&vendor={id}")).await.iter().map(|entry| entry["leaf"]["gate"].clone()).collect();
    for gate in gates {
        assert!(named.contains(&json!(gate)), "{gate} is not in the history: {named:?}");
    }
    let (gates, names) =
        (house.get(Role::VendorManager, &format!("/api/v1/vendors/{id}/gates")).await.good(), ["vendor", "due_diligence", "agreement"]);
    for name in names {
        assert!(gates["items"].as_array().unwrap().iter().any(|state| state["gate"] == name && state["open"] == false), "{name}: {gates}");
    }
}

async fn a_consent_based_permit_refuses_with_consent(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(20).await;
    let mut consent = usual("people");
    consent["legal_basis"] = json!("consent");
    let vendor = house.vendor("Acme", &[("acme-consent", consent), ("acme-people", usual("people"))]).await;
    let basic = Some((vendor.client_id.as_str(), vendor.client_secret.as_str()));
    let ask = async |scope: &str| form(&house, "/oauth/token", basic, &format!("grant_type=client_credentials&scope={scope}")).await;

    let answer = ask("acme-consent").await;
    refused(&answer, 400, "invalid_scope", "consent");
    assert_eq!(answer.json()["gate"], "consent");
    assert_eq!(ask("acme-consent+acme-people").await.good()["scope"], "acme-people");
    // A gate before it is named instead.
    for (path, gate) in [
        ("/api/v1/permits/acme-consent/pause".to_owned(), "permit"),
        (format!("/api/v1/agreements/{}/end", vendor.agreement), "agreement"),
        (format!("/api/v1/vendors/{}/suspend", vendor.id), "vendor"),
    ] {
        house.post(Role::VendorManager, &path, because()).await.good();
        let answer = ask("acme-consent").await;
        refused(&answer, 400, "invalid_scope", gate);
        assert_eq!(answer.json()["gate"], gate);
    }
    // Of several permits asked for, the first closed gate of any is told.
    assert_eq!(ask("acme-consent+acme-people").await.json()["gate"], "vendor");
}

/// What permits share is read once: a token of many asks no more than one of few.
async fn many_permits_ask_no_more_than_few(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(3).await;
    let vendor_of = async |name: &str, many: usize| {
        let permits: Vec<(String, Value)> = (0..many).map(|at| (format!("{name}-{at}"), usual("people"))).collect();
        let permits: Vec<(&str, Value)> = permits.iter().map(|(key, terms)| (key.as_str(), terms.clone())).collect();
        house.vendor(name, &permits).await
    };
    let (few, many) = (vendor_of("few", 2).await, vendor_of("many", 12).await);
    let statements = async |vendor: &Vendor, name: &str| {
        // The least of several, as the sequencer asks, too, when it likes.
        let mut least = u64::MAX;
        for _ in 0..6 {
            // Rights move, so nothing is answered from memory.
            house.act(&vendor.id, "suspend").await;
            house.act(&vendor.id, "reinstate").await;
            house.settle().await;
            let before = house.app.store.statements();
            let token = house.token(vendor).await;
            house.pull(&token, &format!("{RECORDS}?limit=1&permit={name}-1"), JSON).await.good();
            least = least.min(house.app.store.statements() - before);
        }
        least
    };
    // A client's first token rests on nothing remembered, which would be looked at first.
    house.token(&few).await;
    house.token(&many).await;
    let (few, many) = (statements(&few, "few").await, statements(&many, "many").await);
    println!("a token and a page: {few} statements with 2 permits, {many} with 12");
    assert_eq!(few, many);
}

on_both!(the_first_closed_gate_is_named, a_consent_based_permit_refuses_with_consent, many_permits_ask_no_more_than_few);
