//! Everything stops: every release and token of every vendor, until it is lifted; older tokens are refused for good.

use serde_json::{Value, json};
use tidegate::domain::person::Role;

use super::{RECORDS, good, id_of, later, pull, pulling};
use crate::database::Database;
use crate::harness::{Answer, House, Vendor, usual};
use crate::on_both;
use crate::store::migrations::{disturb, rows_of};

on_both!(everything_stops_until_it_is_lifted, plain_tokens_end_with_a_stop, a_stop_is_meant_and_so_is_its_end);

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
        assert_eq!(refused.header("retry-after"), "5");
        let refusals = house.history(&format!("kind=refusal&vendor={}", vendor.id)).await;
        assert!(refusals.iter().any(|entry| entry["leaf"]["gate"] == "token"), "{refusals:?}");
    }
    let introspected = form(&house, &vendor, "/oauth/introspect", format!("token={}", tokens[0])).await.good();
    assert_eq!(introspected, json!({"active": false}));
    // A vendor still takes a token back: one that is not marked yet, as the marks may come later.
    let (url, id) = (&house.database().url, id_of(&tokens[1]));
    disturb(url, "UPDATE tokens SET revoked_at = NULL");
    assert_eq!(form(&house, &other, "/oauth/revoke", format!("token={}", tokens[1])).await.status, 200);
    assert_eq!(rows_of(url, &format!("tokens WHERE id = '{id}' AND revoked_at IS NOT NULL")), 1);
    let revoked = house.history("outcome=revoke").await;
    assert!(revoked.iter().any(|act| act["leaf"]["id"] == id), "{revoked:?}");
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

async fn plain_tokens_end_with_a_stop(database: Database) {
    let (house, vendor) = pulling(database).await;
    let path = format!("/api/v1/clients/{}/tokens", vendor.client_id);
    let issue = async |hand_over: &str| {
        let ends = house.clock.now().plus_days(30);
        let body = json!({"permits": ["acme-people"], "expires_at": ends, "hand_over": hand_over});
        house.post(Role::VendorManager, &path, body).await
    };
    let secret = |issued: Answer| issued.good()["access_token"].as_str().unwrap().to_owned();
    let listed = async || house.get(Role::VendorManager, &path).await.good()["items"].as_array().unwrap().len();
    let token = secret(issue("answer").await);
    let link = issue("link").await.good()["activation_link"].as_str().unwrap().to_owned();
    let looked = async || Answer::of(house.http.get(&link).send().await.unwrap()).await.status;
    let collected = async || Answer::of(house.http.post(&link).send().await.unwrap()).await.status;
    assert_eq!((pull(&house, &token).await, looked().await), (good(), 200));

    house.post(Role::VendorManager, SWITCH, stop_words()).await.good();
    // They are told by their age, also where they are not marked yet.
    disturb(&house.database().url, "UPDATE tokens SET revoked_at = NULL");
    assert_eq!(pull(&house, &token).await, super::refused());
    assert_eq!((looked().await, collected().await), (404, 404));
    let before = listed().await;
    for hand_over in ["answer", "link"] {
        let refused = issue(hand_over).await;
        assert_eq!(refused.status, 409, "{}", refused.text);
        assert!(refused.text.contains("Everything is stopped"), "{}", refused.text);
    }
    assert_eq!(listed().await, before, "nothing was issued");

    later(&house, 10).await;
    house.post(Role::PrivacyOfficer, &format!("{SWITCH}/lift"), lift_words()).await.good();
    assert_eq!(pull(&house, &token).await, super::refused(), "what was handed out before stays refused");
    assert_eq!((looked().await, collected().await), (404, 404));
    assert_eq!(pull(&house, &secret(issue("answer").await)).await, good(), "a new one is good");
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
