//! What a client is besides its secret: a new one with grace, addresses it may ask from, and a look at its own tokens.

use serde_json::{Value, json};
use tidegate::domain::person::Role;
use tidegate::store::Clock;

use super::{JSON, RECORDS, because, form, refused};
use crate::database::Database;
use crate::harness::{Answer, House, Vendor, beginning, usual};
use crate::on_both;

const GRANT: &str = "grant_type=client_credentials";
const OFFICE: &str = "203.0.113.0/24";

on_both!(
    an_old_secret_is_taken_for_its_grace_and_no_longer,
    a_client_asks_from_its_addresses_only,
    a_token_says_what_it_opens_to_its_own_client,
);

async fn begun(database: Database) -> (House, Vendor) {
    begun_with(database, &[]).await
}

async fn begun_with(database: Database, settings: &[(&str, &str)]) -> (House, Vendor) {
    let house = House::start_with(database, Clock::manual(beginning()), settings).await;
    house.catalogue_people(5).await;
    let vendor = house.vendor("Acme", &[("acme-people", usual("people")), ("acme-two", usual("people"))]).await;
    (house, vendor)
}

async fn rotate(house: &House, vendor: &Vendor, body: Value) -> Answer {
    let mut body = body;
    body["hand_over"] = json!("answer");
    house.post(Role::VendorManager, &format!("/api/v1/clients/{}/rotate", vendor.client_id), body).await
}

async fn an_old_secret_is_taken_for_its_grace_and_no_longer(database: Database) {
    let (house, vendor) = begun(database).await;
    let ask = async |secret: &str| form(&house, "/oauth/token", Some((&vendor.client_id, secret)), GRANT).await.status;
    let new = async |body: Value| rotate(&house, &vendor, body).await.good()["client_secret"].as_str().unwrap().to_owned();
    let first = vendor.client_secret.clone();
    let second = new(json!({"grace_seconds": 3600})).await;
    assert_eq!((ask(&first).await, ask(&second).await), (200, 200));
    // Of two rotations the secret before the last is kept, and the first is nobody's.
    let third = new(json!({"grace_seconds": 3600})).await;
    assert_eq!((ask(&first).await, ask(&second).await, ask(&third).await), (401, 200, 200));
    house.settle().await;
    house.clock.advance_seconds(3_599);
    assert_eq!((ask(&second).await, ask(&third).await), (200, 200));
    house.clock.advance_seconds(1);
    assert_eq!((ask(&second).await, ask(&third).await), (401, 200), "the grace is over");
    let fourth = new(json!({"grace_seconds": 3600})).await;
    let fifth = new(json!({})).await;
    assert_eq!((ask(&third).await, ask(&fourth).await, ask(&fifth).await), (401, 401, 200), "without grace the old one goes at once");
    for bad in [json!({"grace_seconds": -1}), json!({"grace_seconds": 2_592_001}), json!({"grace": 1}), json!({"grace_seconds": "1"})] {
        assert_eq!(rotate(&house, &vendor, bad.clone()).await.status, 422, "{bad}");
    }
    assert_eq!(ask(&fifth).await, 200, "what was refused changed nothing");
    // A revoked client's old secret is no way in either.
    let sixth = new(json!({"grace_seconds": 3600})).await;
    house.post(Role::VendorManager, &format!("/api/v1/clients/{}/revoke", vendor.client_id), because()).await.good();
    assert_eq!((ask(&fifth).await, ask(&sixth).await), (401, 401));
    let acts = house.history("outcome=rotate").await;
    assert!(acts.iter().any(|act| act["leaf"]["facts"]["grace_seconds"] == "3600"), "{acts:?}");
}

async fn set(house: &House, vendor: &Vendor, addresses: Value) -> Answer {
    let path = format!("/api/v1/clients/{}", vendor.client_id);
    let version = house.get(Role::VendorManager, &path).await.good()["version"].clone();
    house.put(Role::VendorManager, &format!("{path}/addresses"), json!({"version": version, "addresses": addresses})).await
}

async fn a_client_asks_from_its_addresses_only(database: Database) {
    // The tests' own machine stands for the operator's proxy.
    let (house, vendor) = begun_with(database, &[("TIDEGATE_TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8")]).await;
    let from = async |method: &str, path: &str, told: Option<&str>, token: Option<&str>| {
        let mut request = house.http.request(method.parse().unwrap(), format!("{}{path}", house.url));
        request = match token {
            Some(token) => request.bearer_auth(token),
            None => request.basic_auth(&vendor.client_id, Some(&vendor.client_secret)).header("content-type", super::FORM).body(GRANT),
        };
        if let Some(told) = told {
            request = request.header("x-forwarded-for", told);
        }
        Answer::of(request.send().await.unwrap()).await
    };
    let token = house.token(&vendor).await;
    set(&house, &vendor, json!([OFFICE, "2001:db8::/32"])).await.good();
    for (told, admitted) in [
        (Some("203.0.113.9"), true),
        (Some("2001:db8::7"), true),
        (Some("::ffff:203.0.113.9"), true),
        (Some("198.51.100.1, 203.0.113.9, 10.1.1.1"), true),
        (Some("203.0.113.9, 198.51.100.1"), false),
        (Some("203.0.114.1"), false),
        (Some("nonsense"), false),
        (None, false),
    ] {
        let asked = from("POST", "/oauth/token", told, None).await;
        let records = from("GET", &format!("{RECORDS}?limit=1&permit=acme-people"), told, Some(&token)).await;
        let listed = from("GET", "/data/v1/datasets", told, Some(&token)).await;
        let schema = from("GET", "/data/v1/datasets/people/schema?permit=acme-people", told, Some(&token)).await;
        if admitted {
            assert_eq!((asked.status, records.status, listed.status, schema.status), (200, 200, 200, 200), "{told:?}");
            continue;
        }
        refused(&asked, 401, "invalid_client", &format!("{told:?}"));
        for answer in [&asked, &records, &listed, &schema] {
            assert_eq!((answer.status, &answer.json()["gate"]), (401, &json!("client")), "{told:?}: {}", answer.text);
            assert!(answer.text.contains("may not ask from this address") && !answer.text.contains("203.0.113"), "{}", answer.text);
        }
    }
    // A line that is no text still ends in what the trusted proxy wrote.
    let told = reqwest::header::HeaderValue::from_bytes(b"203.0.113.9\xff, 198.51.100.1").unwrap();
    let request = house.http.post(format!("{}/oauth/token", house.url)).header("content-type", super::FORM).body(GRANT);
    let request = request.basic_auth(&vendor.client_id, Some(&vendor.client_secret)).header("x-forwarded-for", "203.0.113.9");
    refused(&Answer::of(request.header("x-forwarded-for", told).send().await.unwrap()).await, 401, "invalid_client", "no text");
    // A wrong secret tells nothing of addresses.
    let wrong = Vendor { client_secret: super::mistyped(&vendor.client_secret), ..vendor.clone() };
    let answer = house.ask_token(&wrong, None).await;
    assert!(answer.status == 401 && !answer.text.contains("this address."), "{}", answer.text);
    let told = house.history(&format!("kind=refusal&vendor={}", vendor.id)).await;
    assert!(told.iter().any(|entry| entry["leaf"]["gate"] == "client"), "a refusal of a known client is on record");

    for bad in [json!(["203.0.113.9/24"]), json!(["localhost"]), json!([OFFICE, OFFICE]), json!("x"), json!(vec!["1.1.1.1"; 101])] {
        assert_eq!(set(&house, &vendor, bad.clone()).await.status, 422, "{bad}");
    }
    let stale = json!({"version": 1, "addresses": []});
    assert_eq!(house.put(Role::VendorManager, &format!("/api/v1/clients/{}/addresses", vendor.client_id), stale).await.status, 409);
    set(&house, &vendor, json!([])).await.good();
    assert_eq!(from("POST", "/oauth/token", None, None).await.status, 200, "an empty list is everywhere");
    let body = json!({"name": "at the office", "addresses": [OFFICE]});
    let client = house.post(Role::VendorManager, &format!("/api/v1/vendors/{}/clients", vendor.id), body).await.good();
    assert_eq!(client["addresses"], json!([OFFICE]));
}

async fn a_token_says_what_it_opens_to_its_own_client(database: Database) {
    let (house, vendor) = begun(database).await;
    let other = house.vendor("Other", &[("other-people", usual("people"))]).await;
    let basic = Some((vendor.client_id.as_str(), vendor.client_secret.as_str()));
    let look = async |basic: Option<(&str, &str)>, token: &str| form(&house, "/oauth/introspect", basic, &format!("token={token}")).await;
    let token = house.token(&vendor).await;
    let answer = look(basic, &token).await;
    assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));
    let told = answer.good();
    let claims: Value =
        serde_json::from_slice(&data_encoding::BASE64URL_NOPAD.decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap()).unwrap();
    assert_eq!((&told["active"], &told["token_type"]), (&json!(true), &json!("Bearer")));
    for claim in ["scope", "client_id", "exp", "iat", "nbf", "sub", "aud", "iss", "jti"] {
        assert_eq!(told[claim], claims[claim], "{claim}");
    }
    // Of a permit that does not hold now nothing is said.
    house.post(Role::VendorManager, "/api/v1/permits/acme-two/pause", because()).await.good();
    assert_eq!(look(basic, &token).await.good()["scope"], "acme-people");
    let inactive = json!({"active": false});
    let theirs = Some((other.client_id.as_str(), other.client_secret.as_str()));
    assert_eq!(look(theirs, &token).await.good(), inactive, "another's token");
    for odd in ["x", "a.b.c", "%00", &token[..token.len() - 3]] {
        assert_eq!(look(basic, odd).await.good(), inactive, "{odd}");
    }
    for nothing in ["", "token=", "token=&token_type_hint=access_token"] {
        refused(&form(&house, "/oauth/introspect", basic, nothing).await, 400, "invalid_request", nothing);
    }
    refused(&form(&house, "/oauth/introspect", basic, "token=a&token=b").await, 400, "invalid_request", "two tokens");
    refused(&look(None, &token).await, 401, "invalid_client", "nobody");
    let end = |act: &str| format!("/api/v1/vendors/{}/{act}", vendor.id);
    house.post(Role::VendorManager, &end("suspend"), because()).await.good();
    assert_eq!(look(basic, &token).await.good(), inactive, "nothing of it holds");
    house.post(Role::VendorManager, &end("reinstate"), because()).await.good();
    assert_eq!(look(basic, &token).await.good()["active"], true);
    let second = house.token(&vendor).await;
    form(&house, "/oauth/revoke", basic, &format!("token={token}")).await;
    assert_eq!(look(basic, &token).await.good(), inactive, "revoked");
    house.settle().await;
    house.clock.advance_seconds(299);
    assert_eq!(look(basic, &second).await.good()["active"], true);
    house.clock.advance_seconds(1);
    assert_eq!(look(basic, &second).await.good(), inactive, "past its time");
    assert_eq!(house.pull(&second, &format!("{RECORDS}?limit=1&permit=acme-people"), JSON).await.status, 401);
}
