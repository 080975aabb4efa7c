//! Everything stops: every release and token of every vendor, until it is lifted; older tokens are refused for good.

use serde_json::{Value, json};
use tidegate::domain::person::Role;

use super::{RECORDS, good, later, pull, pulling};
use crate::database::Database;
use crate::harness::{Answer, House, Vendor, usual};
use crate::on_both;
use crate::store::migrations::disturb;

on_both!(everything_stops_until_it_is_lifted, a_stop_is_meant_and_so_is_its_end);

const SWITCH: &str = "/api/v1/kill-switch";

fn stop_words() -> Value {
    json!({"reason": "Rows were seen where they do not belong.", "confirm": "stop everything"})
}

fn lift_words() -> Value {
    json!({"reason": "It was a false alarm.", "confirm": "let releases go on"})
}

async fn form(house: &House, vendor: &Vendor, path: &str, body: String) -> Answer {
    let request = house.http.post(format!("{}{path}", house.url)).basic_auth(&vendor.client_id, Some(&vendor.client_secret));
    Answer::of(request.header("content-type", "application/x-www-form-urlencoded").body(body).send().await.unwrap()).await
}

async fn everything_stops_until_it_is_lifted(database: Database) {
    let (house, vendor) = pulling(database).await;
    let other = house.vendor("Beta", &[("beta-people", usual("people"))]).await;
    let tokens = [house.token(&vendor).await, house.token(&other).await];
    for token in &tokens {
        assert_eq!(pull(&house, token).await, good());
    }
    assert_eq!(house.get(Role::DataSteward, SWITCH).await.good()["stopped"], false);
    let told = house.post(Role::VendorManager, SWITCH, stop_words()).await.good();
    assert_eq!((&told["stopped"], &told["stopped_by"]), (&json!(true), &json!(house.person_id(Role::VendorManager))));

    for token in &tokens {
        for path in [RECORDS, "/data/v1/datasets", "/data/v1/datasets/people/schema"] {
            let answer = house.pull(token, path, "application/json").await;
            assert_eq!((answer.status, answer.gate().as_str()), (401, "token"), "{path}: {}", answer.text);
            assert!(answer.text.contains("Releases are stopped for all vendors just now."), "{path}: {}", answer.text);
        }
        let stream = house.pull(token, "/data/v1/datasets/people/records", "text/csv").await;
        assert_eq!(stream.status, 401);
    }
    for vendor in [&vendor, &other] {
        let refused = house.ask_token(vendor, None).await;
        assert_eq!((refused.status, &refused.json()["error"]), (503, &json!("temporarily_unavailable")), "{}", refused.text);
        assert!(refused.text.contains("Releases are stopped for all vendors"), "{}", refused.text);
        let refusals = house.history(&format!("kind=refusal&vendor={}", vendor.id)).await;
        assert!(refusals.iter().any(|entry| entry["leaf"]["gate"] == "token"), "{refusals:?}");
    }
    let introspected = form(&house, &vendor, "/oauth/introspect", format!("token={}", tokens[0])).await.good();
    assert_eq!(introspected, json!({"active": false}));
    // A second stop changes nothing of the first.
    let again = house.post(Role::PrivacyOfficer, SWITCH, stop_words()).await.good();
    assert_eq!(again, told);

    later(&house, 10).await;
    let lifted = house.post(Role::PrivacyOfficer, &format!("{SWITCH}/lift"), lift_words()).await.good();
    assert_eq!((&lifted["stopped"], lifted["lifted_at"].is_string()), (&json!(false), true));
    for token in &tokens {
        let answer = house.pull(token, RECORDS, "application/json").await;
        assert_eq!((answer.status, answer.gate().as_str()), (401, "token"), "what was issued before stays refused");
        assert!(!answer.text.contains("all vendors just now"), "{}", answer.text);
    }
    for vendor in [&vendor, &other] {
        assert_eq!(pull(&house, &house.token(vendor).await).await, good(), "a new token is good");
    }
    // One that was issued at the very moment of the stop is told by its age, also where it was not marked.
    disturb(&house.database().url, "UPDATE tokens SET revoked_at = NULL");
    house.act(&vendor.id, "suspend").await;
    house.act(&vendor.id, "reinstate").await;
    assert_eq!(pull(&house, &tokens[0]).await, super::refused());

    let acts = house.history("kind=act").await;
    let of_switch: Vec<&Value> = acts.iter().filter(|act| act["leaf"]["noun"] == "kill_switch").collect();
    assert_eq!(of_switch.iter().map(|act| act["leaf"]["act"].as_str().unwrap()).collect::<Vec<_>>(), ["stop", "lift"]);
    assert_eq!(of_switch[0]["beside"], "Rows were seen where they do not belong.");
    // It outlives the program.
    house.post(Role::VendorManager, SWITCH, stop_words()).await.good();
    let house = house.restart().await;
    assert_eq!(house.ask_token(&vendor, None).await.status, 503);
    assert_eq!(house.get(Role::DataSteward, SWITCH).await.good()["stopped"], true);
}

async fn a_stop_is_meant_and_so_is_its_end(database: Database) {
    let (house, vendor) = pulling(database).await;
    let token = house.token(&vendor).await;
    for role in [Role::Administrator, Role::DataSteward, Role::ComplianceReviewer] {
        assert_eq!(house.post(role, SWITCH, stop_words()).await.status, 403, "{role:?}");
    }
    let lift = format!("{SWITCH}/lift");
    assert_eq!(house.post(Role::Administrator, &lift, lift_words()).await.status, 409, "nothing is stopped");
    let bad = [
        json!({}),
        json!({"reason": "a good one"}),
        json!({"confirm": "stop everything"}),
        json!({"reason": "x", "confirm": "stop everything"}),
        json!({"reason": "a good one", "confirm": ""}),
        json!({"reason": "a good one", "confirm": "stop"}),
        json!({"reason": "a good one", "confirm": true}),
        json!({"reason": "a good one", "confirm": "stop everything", "vendor": vendor.id}),
    ];
    for body in &bad {
        assert_eq!(house.post(Role::VendorManager, SWITCH, body.clone()).await.status, 422, "{body}");
    }
    let wrong = house.post(Role::VendorManager, SWITCH, json!({"reason": "a good one", "confirm": "let releases go on"})).await;
    assert_eq!((wrong.status, &wrong.json()["errors"][0]["field"]), (422, &json!("confirm")), "{}", wrong.text);
    assert_eq!(pull(&house, &token).await, good(), "what was refused stopped nothing");

    let typed = json!({"reason": "a good one", "confirm": " Stop  Everything "});
    house.post(Role::PrivacyOfficer, SWITCH, typed).await.good();
    for role in [Role::VendorManager, Role::DataSteward, Role::ComplianceReviewer] {
        assert_eq!(house.post(role, &lift, lift_words()).await.status, 403, "{role:?}");
    }
    for body in bad.iter().chain([&stop_words()]) {
        assert_eq!(house.post(Role::Administrator, &lift, body.clone()).await.status, 422, "{body}");
    }
    assert_eq!(house.ask_token(&vendor, None).await.status, 503, "what was refused lifted nothing");
    house.post(Role::Administrator, &lift, lift_words()).await.good();
    assert_eq!(house.post(Role::Administrator, &lift, lift_words()).await.status, 409);
}
