//! OAuth as vendors' machines speak it: metadata, grants, forged tokens, revocation, and which gate a refusal names.

mod assertions;
mod clients;
mod crash;
mod dpop;
mod forged;
mod gates;
mod housekeeping;
pub mod others;
mod plain;
pub mod signer;
mod throttle;

use serde_json::{Value, json};
use tidegate::domain::person::Role;

use crate::database::Database;
use crate::harness::{Answer, House, Vendor, permit, processor_terms, usual};
use crate::on_both;

const RECORDS: &str = "/data/v1/datasets/people/records";
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

fn because() -> Value {
    json!({"reason": "for the test"})
}

async fn house() -> House {
    let house = House::start(Database::sqlite()).await;
    house.catalogue_people(20).await;
    house
}

/// A form to an endpoint with the client's secret as Basic, or as it is.
async fn form(house: &House, path: &str, basic: Option<(&str, &str)>, body: &str) -> Answer {
    let mut request = house.http.post(format!("{}{path}", house.url)).header("content-type", FORM).body(body.to_owned());
    if let Some((id, secret)) = basic {
        request = request.basic_auth(id, Some(secret));
    }
    Answer::of(request.send().await.unwrap()).await
}

/// A secret with another last character.
fn mistyped(secret: &str) -> String {
    let (rest, last) = secret.split_at(secret.len() - 1);
    format!("{rest}{}", if last == "x" { "y" } else { "x" })
}

/// An error as RFC 6749 §5.2 has it.
#[track_caller]
fn refused(answer: &Answer, status: u16, error: &str, at: &str) {
    assert_eq!((answer.status, answer.json()["error"].as_str().unwrap_or("")), (status, error), "{at}: {}", answer.text);
    assert_eq!(answer.header("cache-control"), "no-store", "{at}");
    assert!(answer.header("content-type").starts_with(JSON), "{at}");
    assert!(!answer.json()["error_description"].as_str().unwrap().is_empty(), "{at}");
    assert_eq!(answer.header("www-authenticate").starts_with("Basic"), status == 401, "{at}");
}

#[test]
fn the_metadata_say_what_is_there() {
    crate::database::run(async {
        let house = house().await;
        let vendor = house.vendor("Acme", &[("acme-people", usual("people"))]).await;
        let read = async |path: &str| {
            let answer = Answer::of(house.http.get(format!("{}{path}", house.url)).send().await.unwrap()).await;
            assert!(answer.header("cache-control").contains("max-age="), "{path}");
            answer.good()
        };
        let url = |path: &str| format!("{}{path}", house.url);
        let methods = json!(["private_key_jwt", "client_secret_basic", "client_secret_post"]);
        let algorithms = json!(["ES256", "ES384", "EdDSA", "Ed25519", "RS256", "PS256"]);
        let server = read("/.well-known/oauth-authorization-server").await;
        let expected = json!({
            "issuer": house.url,
            "token_endpoint": url("/oauth/token"),
            "revocation_endpoint": url("/oauth/revoke"),
            "introspection_endpoint": url("/oauth/introspect"),
            "jwks_uri": url("/.well-known/jwks.json"),
            "response_types_supported": [],
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": methods,
            "token_endpoint_auth_signing_alg_values_supported": algorithms,
            "revocation_endpoint_auth_methods_supported": methods,
            "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
            "introspection_endpoint_auth_methods_supported": methods,
            "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
            "dpop_signing_alg_values_supported": algorithms,
        });
        assert_eq!(server, expected);
        let resource = read("/.well-known/oauth-protected-resource").await;
        let expected = json!({
            "resource": house.url,
            "authorization_servers": [house.url],
            "bearer_methods_supported": ["header"],
            "dpop_signing_alg_values_supported": algorithms,
            "dpop_bound_access_tokens_required": false,
            "resource_name": "Tidegate data API",
        });
        assert_eq!(resource, expected);
        // The addresses lead where they say.
        let below = |name: &str| server[name].as_str().unwrap().strip_prefix(&house.url).unwrap().to_owned();
        let basic = Some((vendor.client_id.as_str(), vendor.client_secret.as_str()));
        let token = form(&house, &below("token_endpoint"), basic, "grant_type=client_credentials").await.good();
        let issued = token["access_token"].as_str().unwrap();
        let told =
            async || form(&house, &below("introspection_endpoint"), basic, &format!("token={issued}")).await.good()["active"].clone();
        assert_eq!(told().await, true);
        form(&house, &below("revocation_endpoint"), basic, &format!("token={issued}")).await.good();
        assert_eq!(told().await, false);
        let keys = read(&below("jwks_uri")).await;
        let header = issued.split('.').next().unwrap().to_owned();
        let header: Value = serde_json::from_slice(&data_encoding::BASE64URL_NOPAD.decode(header.as_bytes()).unwrap()).unwrap();
        let key = &keys["keys"][0];
        assert_eq!((&key["kid"], &key["alg"], &key["crv"], &key["use"]), (&header["kid"], &json!("ES256"), &json!("P-256"), &json!("sig")));
        assert!(key["d"].is_null(), "a private key is never published");
        assert_eq!((&header["typ"], &header["alg"]), (&json!("at+jwt"), &json!("ES256")));
    });
}

#[test]
fn a_token_is_asked_for_as_the_rfc_says() {
    crate::database::run(async {
        let house = house().await;
        let vendor = house.vendor("Acme", &[("acme-one", usual("people")), ("acme-two", usual("people"))]).await;
        let other = house.vendor("Other", &[("other-people", usual("people"))]).await;
        let (id, secret) = (vendor.client_id.as_str(), vendor.client_secret.as_str());
        let basic = Some((id, secret));
        let grant = "grant_type=client_credentials";
        let in_form = format!("{grant}&client_id={id}&client_secret={secret}");

        let granted = [
            (basic, grant.to_owned(), "acme-one acme-two"),
            (None, in_form.clone(), "acme-one acme-two"),
            (basic, format!("{grant}&client_id={id}"), "acme-one acme-two"),
            // A parameter without a value is one that was not sent (RFC 6749 §3.2).
            (basic, format!("{grant}&scope="), "acme-one acme-two"),
            (basic, format!("{grant}&client_id="), "acme-one acme-two"),
            (basic, format!("{grant}&client_secret="), "acme-one acme-two"),
            (basic, format!("{grant}&client_assertion=&client_assertion_type="), "acme-one acme-two"),
            (basic, format!("{grant}&scope=acme-two"), "acme-two"),
            (basic, format!("{grant}&scope=acme-two+nothing+other-people"), "acme-two"),
            (basic, format!("{grant}&scope=acme-two%20acme-two&resource=x"), "acme-two"),
        ];
        for (basic, body, scope) in granted {
            let answer = form(&house, "/oauth/token", basic, &body).await;
            let token = answer.good();
            assert_eq!(
                (&token["scope"], &token["token_type"], &token["expires_in"]),
                (&json!(scope), &json!("Bearer"), &json!(300)),
                "{body}"
            );
            assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));
        }

        let wrong = mistyped(secret);
        let refusals = [
            (basic, String::new(), 400, "invalid_request"),
            (basic, "scope=acme-one".to_owned(), 400, "invalid_request"),
            (basic, "grant_type=password&username=a&password=b".to_owned(), 400, "unsupported_grant_type"),
            (basic, "grant_type=".to_owned(), 400, "invalid_request"),
            (basic, format!("{grant}&{grant}"), 400, "invalid_request"),
            (basic, format!("{grant}&scope=acme-one&scope=acme-two"), 400, "invalid_request"),
            (basic, in_form.clone(), 400, "invalid_request"),
            (basic, format!("{grant}&x={}", "y".repeat(70_000)), 400, "invalid_request"),
            (basic, format!("{grant}&scope=nothing"), 400, "invalid_scope"),
            (basic, format!("{grant}&scope=other-people"), 400, "invalid_scope"),
            (basic, format!("{grant}&scope=ACME-ONE"), 400, "invalid_scope"),
            (None, grant.to_owned(), 401, "invalid_client"),
            (None, format!("{grant}&client_id={id}&client_secret="), 401, "invalid_client"),
            (Some((id, "")), grant.to_owned(), 401, "invalid_client"),
            (Some((id, &wrong)), grant.to_owned(), 401, "invalid_client"),
            (Some((id, &other.client_secret)), grant.to_owned(), 401, "invalid_client"),
            (Some((&other.client_id, secret)), grant.to_owned(), 401, "invalid_client"),
            (Some(("", secret)), grant.to_owned(), 401, "invalid_client"),
            (Some(("' or 1=1", secret)), grant.to_owned(), 401, "invalid_client"),
            (Some(("%00", secret)), grant.to_owned(), 401, "invalid_client"),
            (basic, format!("{grant}&client_id={}", other.client_id), 401, "invalid_client"),
            (None, format!("{grant}&client_id={id}"), 401, "invalid_client"),
        ];
        for (basic, body, status, error) in &refusals {
            let answer = form(&house, "/oauth/token", *basic, body).await;
            let at = &body[..body.len().min(90)];
            refused(&answer, *status, error, at);
            let gate = match *error {
                "invalid_scope" => json!("permit"),
                "invalid_client" => json!("client"),
                _ => Value::Null,
            };
            assert_eq!(answer.json()["gate"], gate, "{at}");
            assert!(!answer.text.contains(secret) && !answer.text.contains(wrong.as_str()), "{at}");
        }
        for kind in ["application/json", "text/plain", "multipart/form-data"] {
            let request =
                house.http.post(format!("{}/oauth/token", house.url)).basic_auth(id, Some(secret)).header("content-type", kind).body(grant);
            refused(&Answer::of(request.send().await.unwrap()).await, 400, "invalid_request", kind);
        }
        for authorization in ["Basic", "Basic !!!", "Basic YQ==", "Digest x", "Bearer x", "Basic /////w=="] {
            let request = house
                .http
                .post(format!("{}/oauth/token", house.url))
                .header("authorization", authorization)
                .header("content-type", FORM)
                .body(grant);
            refused(&Answer::of(request.send().await.unwrap()).await, 401, "invalid_client", authorization);
        }
    });
}

async fn a_client_may_ask_only_for_its_own_permits(house: &House, vendor: &Vendor) {
    let body = json!({"name": "narrow", "permits": ["acme-one"], "hand_over": "answer"});
    let client = house.post(Role::VendorManager, &format!("/api/v1/vendors/{}/clients", vendor.id), body).await.good();
    let basic = Some((client["client_id"].as_str().unwrap(), client["client_secret"].as_str().unwrap()));
    assert_eq!(form(house, "/oauth/token", basic, "grant_type=client_credentials").await.good()["scope"], "acme-one");
    refused(&form(house, "/oauth/token", basic, "grant_type=client_credentials&scope=acme-two").await, 400, "invalid_scope", "another's");
    for permits in [json!([]), json!(["no-such"]), json!(["acme-one", "no-such"])] {
        let body = json!({"name": "narrow", "permits": permits});
        assert_eq!(house.post(Role::VendorManager, &format!("/api/v1/vendors/{}/clients", vendor.id), body).await.status, 422);
    }
}

async fn secrets_and_tokens_stop_at_once(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(20).await;
    let vendor =
        house.vendor("Acme", &[("acme-one", usual("people")), ("acme-two", permit("people", json!({"city": {"kind": "clear"}})))]).await;
    let other = house.vendor("Other", &[("other-people", usual("people"))]).await;
    a_client_may_ask_only_for_its_own_permits(&house, &vendor).await;
    let pull = async |token: &str| house.pull(token, &format!("{RECORDS}?limit=1&permit=acme-one"), JSON).await;

    // The secret is shown once, and a new one puts the old one out.
    let shown = house.get(Role::VendorManager, &format!("/api/v1/clients/{}", vendor.client_id)).await;
    assert!(!shown.text.contains("client_secret") && !shown.text.contains(&vendor.client_secret));
    let token = house.token(&vendor).await;
    let rotated = house
        .post(Role::VendorManager, &format!("/api/v1/clients/{}/rotate", vendor.client_id), json!({"hand_over": "answer"}))
        .await
        .good();
    refused(&house.ask_token(&vendor, None).await, 401, "invalid_client", "the old secret");
    let vendor = Vendor { client_secret: rotated["client_secret"].as_str().unwrap().to_owned(), ..vendor };
    pull(&token).await.good();
    let (mine, second) = (house.token(&vendor).await, house.token(&vendor).await);

    // Revocation: one's own token goes, a stranger's and an unknown one are passed over alike.
    let basic = Some((vendor.client_id.as_str(), vendor.client_secret.as_str()));
    let others = house.ask_token(&other, None).await.good()["access_token"].as_str().unwrap().to_owned();
    for unknown in [others.as_str(), "x", "a.b.c", &mine[..mine.len() - 3], "%00"] {
        assert_eq!(form(&house, "/oauth/revoke", basic, &format!("token={unknown}&token_type_hint=refresh_token")).await.status, 200);
    }
    house.pull(&others, &format!("{RECORDS}?limit=1"), JSON).await.good();
    pull(&mine).await.good();
    assert_eq!(form(&house, "/oauth/revoke", basic, &format!("token={mine}")).await.status, 200);
    for _ in 0..2 {
        let answer = pull(&mine).await;
        assert_eq!((answer.status, answer.gate().as_str()), (401, "token"));
        assert_eq!(form(&house, "/oauth/revoke", basic, &format!("token={mine}")).await.status, 200, "again");
    }
    pull(&second).await.good();
    for nothing in ["", "token=", "token=&token_type_hint=access_token"] {
        refused(&form(&house, "/oauth/revoke", basic, nothing).await, 400, "invalid_request", nothing);
    }
    refused(
        &form(&house, "/oauth/revoke", Some((&vendor.client_id, "tg_cs_x")), &format!("token={second}")).await,
        401,
        "invalid_client",
        "a wrong secret",
    );
    pull(&second).await.good();

    // A revoked client gets nothing and its tokens are worth nothing.
    house.post(Role::VendorManager, &format!("/api/v1/clients/{}/revoke", vendor.client_id), because()).await.good();
    refused(&house.ask_token(&vendor, None).await, 401, "invalid_client", "a revoked client");
    let answer = pull(&second).await;
    assert_eq!((answer.status, answer.gate().as_str()), (401, "client"));
    assert_eq!(house.post(Role::VendorManager, &format!("/api/v1/clients/{}/rotate", vendor.client_id), json!({})).await.status, 409);
    let refusals = house.history(&format!("kind=refusal&vendor={}", vendor.id)).await;
    assert!(refusals.iter().any(|entry| entry["leaf"]["gate"] == "client"), "{refusals:?}");
}

#[test]
fn a_token_never_outlives_what_it_rests_on() {
    crate::database::run(async {
        let house = house().await;
        let today = house.clock.now().date();
        let vendor = house.register("Acme").await;
        let paper = house.assess(&vendor).await;
        house.act(&vendor, "activate").await;
        let draft = house.draft(&vendor, "acme", &paper, &[("acme-people", usual("people"))]).await;
        let mut terms = processor_terms(&house.clock, &paper);
        terms["ends_on"] = json!(today.plus_days(20));
        let base = format!("/api/v1/agreements/{draft}/versions/1");
        let view = house.get(Role::VendorManager, &format!("/api/v1/agreements/{draft}")).await.good();
        house
            .put(Role::VendorManager, &format!("{base}/terms"), json!({"version": view["versions"][0]["version"], "terms": terms}))
            .await
            .good();
        house.post(Role::VendorManager, &format!("{base}/submit"), json!({})).await.good();
        let approved = house.approve(&draft, 1, house.key(Role::PrivacyOfficer), json!([])).await.good();
        house.sign(&draft, 1, approved["versions"][0]["document"].as_str().unwrap()).await;
        let client = house
            .post(Role::VendorManager, &format!("/api/v1/vendors/{vendor}/clients"), json!({"name": "m", "hand_over": "answer"}))
            .await
            .good();
        let text = |name: &str| client[name].as_str().unwrap().to_owned();
        let acme = Vendor { id: vendor, agreement: draft, client_id: text("client_id"), client_secret: text("client_secret") };

        let ends = today.plus_days(20).end();
        for left in [100_000, 301, 300, 299, 60, 1] {
            house.at(ends.plus_seconds(-left)).await;
            let token = house.ask_token(&acme, None).await.good();
            assert_eq!(token["expires_in"], left.min(300), "{left} s before the end");
            house.pull(token["access_token"].as_str().unwrap(), RECORDS, JSON).await.good();
        }
        // Less than a second: there is no token for that, and nothing breaks.
        house.at(tidegate::domain::Instant::from_micros(ends.micros() - 1)).await;
        let last = house.ask_token(&acme, None).await.good();
        assert_eq!(last["expires_in"], 1);
        house.at(ends).await;
        let answer = house.ask_token(&acme, None).await;
        refused(&answer, 400, "invalid_scope", "at the end");
        assert_eq!(answer.json()["gate"], "agreement");

        // The assessment of a critical vendor lasts 180 days, to the second it was decided at.
        let other = house.vendor("Other", &[("other-people", usual("people"))]).await;
        let lapses = house.clock.now().plus_days(180);
        for (left, expected) in [(301, 300), (299, 299), (7, 7)] {
            house.at(lapses.plus_seconds(-left)).await;
            assert_eq!(house.ask_token(&other, None).await.good()["expires_in"], expected, "{left} s before the assessment lapses");
        }
        house.at(lapses).await;
        assert_eq!(house.ask_token(&other, None).await.json()["gate"], "due_diligence");
    });
}

on_both!(secrets_and_tokens_stop_at_once);
