//! `private_key_jwt`: every kind of key proves its client, once for each assertion; whatever is a little off proves nothing.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tidegate::domain::person::Role;
use tidegate::store::Clock;

use super::signer::{JWT_BEARER, Signer, changed, claims, unique};
use super::{FORM, form, refused};
use crate::broker::{Broker, MASTER_KEY};
use crate::database::{Database, run};
use crate::harness::{Answer, House, Vendor, usual};
use crate::on_both;
use crate::sources::web::{Paged, Server};

on_both!(every_kind_of_key_proves_its_client_once, a_client_proves_itself_in_one_way_only);

async fn begun(database: Database, settings: &[(&str, &str)]) -> (House, Vendor) {
    let start = tidegate::domain::Instant::from_seconds(1_800_000_000);
    // What is tried here fails often, and all from one address.
    let settings = [settings, &[("TIDEGATE_OAUTH_FAILURES_PER_MINUTE", "0")]].concat();
    let house = House::start_with(database, Clock::manual(start), &settings).await;
    house.catalogue_people(5).await;
    let vendor = house.vendor("Acme", &[("acme-people", usual("people"))]).await;
    (house, vendor)
}

/// A client with keys; its id.
pub async fn client(house: &House, vendor: &Vendor, authentication: Value) -> String {
    let body = json!({"name": "signer", "authentication": authentication});
    let issued = house.post(Role::VendorManager, &format!("/api/v1/vendors/{}/clients", vendor.id), body).await.good();
    assert!(issued["client_secret"].is_null() && issued["activation_link"].is_null(), "one with keys has no secret: {issued}");
    issued["client_id"].as_str().unwrap().to_owned()
}

/// A form that proves who asks by an assertion.
pub fn with(assertion: &str, rest: &str) -> String {
    let pairs = [("client_assertion_type", JWT_BEARER), ("client_assertion", assertion)];
    format!("{rest}&{}", serde_urlencoded::to_string(pairs).unwrap())
}

async fn ask(house: &House, assertion: &str) -> Answer {
    form(house, "/oauth/token", None, &with(assertion, "grant_type=client_credentials")).await
}

async fn every_kind_of_key_proves_its_client_once(database: Database) {
    let (house, vendor) = begun(database, &[]).await;
    let now = house.clock.now().seconds();
    for alg in ["ES256", "ES384", "EdDSA", "Ed25519", "RS256", "PS256"] {
        let signer = Signer::new(alg);
        let mut named = signer.jwk();
        // A PEM says nothing of an RSA key's padding: it is PKCS #1 then.
        let mut ways = vec![json!({"kind": "keys", "keys": [signer.jwk()]})];
        if alg != "PS256" {
            ways.push(json!({"kind": "keys", "pem": signer.pem()}));
        }
        named["kid"] = json!("first");
        ways.push(json!({"kind": "keys", "keys": [named, Signer::new("ES256").jwk()]}));
        for way in ways {
            let id = client(&house, &vendor, way.clone()).await;
            let assertion = signer.assertion(&id, &house.url, now);
            let token = ask(&house, &assertion).await.good();
            assert_eq!((&token["scope"], &token["token_type"]), (&json!("acme-people"), &json!("Bearer")), "{alg}");
            house.pull(token["access_token"].as_str().unwrap(), super::RECORDS, super::JSON).await.good();
            let again = ask(&house, &assertion).await;
            refused(&again, 401, "invalid_client", alg);
            assert!(again.text.contains("used before"), "{}", again.text);
        }
    }
    let signer = Signer::new("ES256");
    let id = client(&house, &vendor, json!({"kind": "keys", "keys": [signer.jwk()]})).await;

    // It is used up by whatever it is used for, granted or not.
    let token = ask(&house, &signer.assertion(&id, &house.url, now)).await.good()["access_token"].as_str().unwrap().to_owned();
    for (path, rest) in [
        ("/oauth/introspect", format!("token={token}")),
        ("/oauth/token", "grant_type=client_credentials&scope=nothing".to_owned()),
        ("/oauth/revoke", format!("token={token}")),
    ] {
        let assertion = signer.assertion(&id, &house.url, now);
        let first = form(&house, path, None, &with(&assertion, &rest)).await;
        assert_ne!(first.status, 401, "{path}: {}", first.text);
        refused(&form(&house, path, None, &with(&assertion, &rest)).await, 401, "invalid_client", path);
        refused(&ask(&house, &assertion).await, 401, "invalid_client", path);
    }
    assert_eq!(house.pull(&token, super::RECORDS, super::JSON).await.status, 401, "the token was revoked");

    // Of many at once one is taken.
    for _ in 0..5 {
        let assertion = signer.assertion(&id, &house.url, now);
        let asked = futures::future::join_all((0..8).map(|_| ask(&house, &assertion))).await;
        let granted = asked.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(granted, 1, "{:?}", asked.iter().map(|answer| answer.status).collect::<Vec<_>>());
    }
}

#[test]
fn an_assertion_that_is_a_little_off_proves_nothing() {
    run(async {
        let (house, vendor) = begun(Database::sqlite(), &[]).await;
        let now = house.clock.now().seconds();
        let (signer, stranger, ed) = (Signer::new("ES256"), Signer::new("ES256"), Signer::new("EdDSA"));
        let mut named = ed.jwk();
        named["kid"] = json!("ed");
        let id = client(&house, &vendor, json!({"kind": "keys", "keys": [signer.jwk(), named]})).await;
        let other = client(&house, &vendor, json!({"kind": "keys", "keys": [stranger.jwk()]})).await;
        let header = json!({"alg": "ES256", "typ": "JWT"});
        let good = || claims(&id, &house.url, now);
        let as_is = |by: Value| signer.sign(&header, &changed(&good(), &by));
        let headed = |by: Value| signer.sign(&changed(&header, &by), &good());

        // What others do within the rules.
        for fine in [
            as_is(json!({"iat": null})),
            as_is(json!({"iat": now + 10, "exp": now + 70})),
            as_is(json!({"exp": now - 9, "iat": now - 60})),
            // A NumericDate may have a fraction (RFC 7519 §2).
            as_is(json!({"exp": now as f64 + 30.5})),
            as_is(json!({"exp": now as f64 + 30.5, "iat": now as f64 - 0.5, "nbf": now as f64 - 0.25})),
            as_is(json!({"nbf": now + 10})),
            as_is(json!({"more": {"of": "theirs"}})),
            headed(json!({"typ": null})),
            headed(json!({"kid": signer.thumbprint()})),
            headed(json!({"x5t": "abc"})),
            ed.sign(&json!({"alg": "EdDSA", "kid": "ed"}), &good()),
            ed.sign(&json!({"alg": "Ed25519", "kid": "ed"}), &good()),
        ] {
            let answer = ask(&house, &fine).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
        }

        let tampered = {
            let whole = as_is(json!({}));
            let parts: Vec<&str> = whole.split('.').collect();
            let claims = data_encoding::BASE64URL_NOPAD.encode(changed(&good(), &json!({"more": 1})).to_string().as_bytes());
            format!("{}.{claims}.{}", parts[0], parts[2])
        };
        let twice = format!(r#"{{"iss":"{id}","sub":"{id}","aud":"{}","exp":{},"jti":"{}","jti":"b"}}"#, house.url, now + 60, unique());
        let unsigned = signer.sign(&json!({"alg": "none"}), &good());
        let hmac = {
            let message = {
                let header = data_encoding::BASE64URL_NOPAD.encode(json!({"alg": "HS256"}).to_string().as_bytes());
                format!("{header}.{}", data_encoding::BASE64URL_NOPAD.encode(good().to_string().as_bytes()))
            };
            let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, signer.pem().as_bytes());
            let tag = aws_lc_rs::hmac::sign(&key, message.as_bytes());
            format!("{message}.{}", data_encoding::BASE64URL_NOPAD.encode(tag.as_ref()))
        };
        let refusals = [
            ("another issuer", as_is(json!({"iss": other}))),
            ("another client", as_is(json!({"iss": other, "sub": other}))),
            ("no client", as_is(json!({"iss": unique(), "sub": unique()}))),
            ("a list as aud", as_is(json!({"aud": [house.url]}))),
            ("a list with others as aud", as_is(json!({"aud": [house.url, "https://other.example"]}))),
            ("the endpoint as aud", as_is(json!({"aud": format!("{}/oauth/token", house.url)}))),
            ("aud with a slash", as_is(json!({"aud": format!("{}/", house.url)}))),
            ("another aud", as_is(json!({"aud": "https://other.example"}))),
            ("no aud", as_is(json!({"aud": null}))),
            ("no iss", as_is(json!({"iss": null}))),
            ("no sub", as_is(json!({"sub": null}))),
            ("no exp", as_is(json!({"exp": null}))),
            ("no jti", as_is(json!({"jti": null}))),
            ("an empty jti", as_is(json!({"jti": ""}))),
            ("a long jti", as_is(json!({"jti": "j".repeat(257)}))),
            ("a number as jti", as_is(json!({"jti": 7}))),
            ("61 seconds", as_is(json!({"exp": now + 61}))),
            ("61 seconds and a half", as_is(json!({"exp": now as f64 + 61.5}))),
            ("61 seconds from now, undated", as_is(json!({"exp": now + 71, "iat": null}))),
            ("a year", as_is(json!({"exp": now + 31_536_000}))),
            ("over", as_is(json!({"exp": now - 10, "iat": now - 60}))),
            ("issued in the future", as_is(json!({"iat": now + 11, "exp": now + 60}))),
            ("not begun", as_is(json!({"nbf": now + 11}))),
            ("a text as exp", as_is(json!({"exp": (now + 60).to_string()}))),
            ("a key of another", stranger.sign(&header, &good())),
            ("another's kid", headed(json!({"kid": "ed"}))),
            ("an unknown kid", headed(json!({"kid": "none"}))),
            ("another alg", headed(json!({"alg": "ES384"}))),
            ("another key's alg", headed(json!({"alg": "Ed25519"}))),
            ("another curve's alg", ed.sign(&json!({"alg": "Ed448", "kid": "ed"}), &good())),
            ("no alg", headed(json!({"alg": null}))),
            ("a key of its own", headed(json!({"jwk": stranger.jwk()}))),
            ("a key elsewhere", headed(json!({"jku": "https://evil.example/keys"}))),
            ("a certificate elsewhere", headed(json!({"x5u": "https://evil.example/keys"}))),
            ("a certificate", headed(json!({"x5c": ["MII"]}))),
            ("crit", headed(json!({"crit": ["exp"]}))),
            ("unsigned", unsigned.clone()),
            ("without a signature", format!("{}.", unsigned.rsplit_once('.').unwrap().0)),
            ("signed with the public key", hmac),
            ("tampered", tampered),
            ("a claim twice", signer.raw(header.to_string().as_bytes(), twice.as_bytes())),
            ("no UTF-8", signer.raw(header.to_string().as_bytes(), b"{\"iss\":\"\xff\"}")),
            ("no object", signer.raw(header.to_string().as_bytes(), b"[]")),
            ("four parts", format!("{}.x", as_is(json!({})))),
            ("no JWT", "nonsense".to_owned()),
            ("nothing", String::new()),
            ("9 KB", as_is(json!({"more": "m".repeat(9_000)}))),
        ];
        for (what, assertion) in &refusals {
            let answer = ask(&house, assertion).await;
            refused(&answer, 401, "invalid_client", what);
            assert_eq!(answer.json()["gate"], "client", "{what}");
        }
        let body = with(&as_is(json!({"more": "m".repeat(1_000_000)})), "grant_type=client_credentials");
        refused(&form(&house, "/oauth/token", None, &body).await, 400, "invalid_request", "1 MB");
        // A key that was good is not, once it is taken out.
        let version = house.get(Role::VendorManager, &format!("/api/v1/clients/{id}")).await.good()["version"].clone();
        let body = json!({"version": version, "authentication": {"kind": "keys", "keys": [stranger.jwk()]}, "dpop": "optional"});
        house.put(Role::VendorManager, &format!("/api/v1/clients/{id}/authentication"), body).await.good();
        refused(&ask(&house, &as_is(json!({}))).await, 401, "invalid_client", "a key that was taken out");
        assert_eq!(ask(&house, &stranger.sign(&header, &good())).await.status, 200);
        // How it is sent.
        let (whole, grant) = (stranger.assertion(&id, &house.url, now), "grant_type=client_credentials");
        let sent = [
            (format!("{grant}&client_assertion={whole}"), 400, "invalid_request"),
            (format!("{grant}&client_assertion={whole}&client_assertion_type=jwt"), 400, "invalid_request"),
            (with(&whole, &format!("{grant}&client_secret=x")), 400, "invalid_request"),
            (with(&whole, &format!("{grant}&client_assertion=x")), 400, "invalid_request"),
            (with(&whole, &format!("{grant}&client_id={other}")), 401, "invalid_client"),
        ];
        for (body, status, error) in sent {
            refused(&form(&house, "/oauth/token", None, &body).await, status, error, &body[..60]);
        }
        let both = form(&house, "/oauth/token", Some((&vendor.client_id, &vendor.client_secret)), &with(&whole, grant)).await;
        refused(&both, 400, "invalid_request", "Basic and an assertion");
        assert_eq!(form(&house, "/oauth/token", None, &with(&whole, &format!("{grant}&client_id={id}"))).await.status, 200);
    });
}

async fn a_client_proves_itself_in_one_way_only(database: Database) {
    let (house, vendor) = begun(database, &[]).await;
    let now = house.clock.now().seconds();
    let signer = Signer::new("ES256");
    let (path, token) = (format!("/api/v1/clients/{}", vendor.client_id), house.token(&vendor).await);
    let set = async |authentication: Value, dpop: &str| {
        let version = house.get(Role::VendorManager, &path).await.good()["version"].clone();
        let body = json!({"version": version, "authentication": authentication, "dpop": dpop});
        house.put(Role::VendorManager, &format!("{path}/authentication"), body).await
    };
    refused(&ask(&house, &signer.assertion(&vendor.client_id, &house.url, now)).await, 401, "invalid_client", "it has a secret");
    let keys = json!({"kind": "keys", "keys": [signer.jwk()]});
    let answer = set(keys.clone(), "optional").await.good();
    assert!(answer["client_secret"].is_null() && answer["activation_link"].is_null(), "{answer}");
    assert_eq!(answer["authentication"]["keys"][0]["kid"], json!(signer.thumbprint()));
    refused(&house.ask_token(&vendor, None).await, 401, "invalid_client", "the secret is gone");
    house.pull(&token, super::RECORDS, super::JSON).await.good();
    ask(&house, &signer.assertion(&vendor.client_id, &house.url, now)).await.good();
    assert_eq!(house.post(Role::VendorManager, &format!("{path}/rotate"), json!({})).await.status, 409, "there is no secret to renew");

    // Back to a secret, which is a new one that the vendor collects.
    let answer = set(json!({"kind": "secret"}), "optional").await.good();
    let link = answer["activation_link"].as_str().unwrap().strip_prefix(&house.url).unwrap().to_owned();
    refused(&house.ask_token(&vendor, None).await, 401, "invalid_client", "the old secret is not back");
    refused(&ask(&house, &signer.assertion(&vendor.client_id, &house.url, now)).await, 401, "invalid_client", "the keys are gone");
    let page = Answer::of(house.http.post(format!("{}{link}", house.url)).send().await.unwrap()).await;
    let secret = page.text.split_once("<code id=\"secret\">").unwrap().1.split('<').next().unwrap().to_owned();
    let renewed = Vendor { client_secret: secret, ..vendor.clone() };
    assert_eq!(house.ask_token(&renewed, None).await.status, 200);
    // A link that waits is taken back where the client gets keys.
    house.post(Role::VendorManager, &format!("{path}/rotate"), json!({"grace_seconds": 60})).await.good();
    set(keys, "optional").await.good();
    assert_eq!(house.history("outcome=set_authentication").await.len(), 3);

    let private = format!("-----BEGIN {} KEY-----\nMIGHAgEA\n-----END {} KEY-----\n", "PRIVATE", "PRIVATE");
    let mut secret_half = signer.jwk();
    secret_half["d"] = json!("AAAA");
    let mut off_curve = signer.jwk();
    off_curve["y"] = off_curve["x"].clone();
    let weak = json!({"kty": "RSA", "n": data_encoding::BASE64URL_NOPAD.encode(&[0xff; 128]), "e": "AQAB"});
    let mut for_encryption = signer.jwk();
    for_encryption["use"] = json!("enc");
    for (what, bad) in [
        ("a private key", json!({"kind": "keys", "pem": private})),
        ("a private JWK", json!({"kind": "keys", "keys": [secret_half]})),
        ("a point off the curve", json!({"kind": "keys", "keys": [off_curve]})),
        ("a short RSA key", json!({"kind": "keys", "keys": [weak]})),
        ("a key to encrypt", json!({"kind": "keys", "keys": [for_encryption]})),
        ("a shared key", json!({"kind": "keys", "keys": [{"kty": "oct", "k": "AAAA"}]})),
        ("another alg", json!({"kind": "keys", "keys": [changed(&signer.jwk(), &json!({"alg": "HS256"}))]})),
        ("the same twice", json!({"kind": "keys", "keys": [signer.jwk(), signer.jwk()]})),
        ("eleven", json!({"kind": "keys", "keys": (0..11).map(|_| Signer::new("EdDSA").jwk()).collect::<Vec<_>>()})),
        ("none", json!({"kind": "keys", "keys": []})),
        ("neither", json!({"kind": "keys"})),
        ("no PEM", json!({"kind": "keys", "pem": "hello"})),
        ("a certificate", json!({"kind": "keys", "pem": "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----"})),
        ("another kind", json!({"kind": "password"})),
        ("no address", json!({"kind": "keys_at", "uri": "vendor.example"})),
        ("in the clear", json!({"kind": "keys_at", "uri": "http://vendor.example/keys"})),
        ("our own network", json!({"kind": "keys_at", "uri": "https://169.254.169.254/keys"})),
        ("a long address", json!({"kind": "keys_at", "uri": format!("https://vendor.example/{}", "k".repeat(500))})),
    ] {
        let answer = set(bad.clone(), "optional").await;
        assert_eq!(answer.status, 422, "{what}: {}", answer.text);
        assert!(!answer.text.contains("AAAA"), "{what}: {}", answer.text);
    }
    assert_eq!(set(json!({"kind": "secret"}), "sometimes").await.status, 422);
    let stale = json!({"version": 1, "authentication": {"kind": "secret"}, "dpop": "optional"});
    assert_eq!(house.put(Role::VendorManager, &format!("{path}/authentication"), stale).await.status, 409);
    ask(&house, &signer.assertion(&vendor.client_id, &house.url, now)).await.good();
}

#[test]
fn published_keys_are_asked_for_seldom_and_change_without_us() {
    run(async {
        let held = Arc::new(Mutex::new(String::new()));
        let server = Server::start(Paged::Held(Arc::clone(&held)));
        let (house, vendor) = begun(Database::sqlite(), &[("TIDEGATE_OUTBOUND_HOSTS", "127.0.0.1")]).await;
        let publish = |keys: &[(&Signer, &str)]| {
            let keys: Vec<Value> = keys.iter().map(|(signer, kid)| changed(&signer.jwk(), &json!({"kid": kid}))).collect();
            let others = [json!({"kty": "RSA", "use": "enc"}), json!({"kty": "oct", "k": "AAAA"})];
            let all = [&others[..], &keys[..]].concat();
            *held.lock().unwrap() = json!({"keys": all}).to_string();
        };
        let asked = || server.asked.load(std::sync::atomic::Ordering::SeqCst);
        let (old, new) = (Signer::new("ES256"), Signer::new("EdDSA"));
        let id = client(&house, &vendor, json!({"kind": "keys_at", "uri": server.url("/keys")})).await;
        let try_with = async |signer: &Signer, kid: &str| {
            let now = house.clock.now().seconds();
            let assertion = signer.sign(&json!({"alg": signer.alg, "kid": kid}), &claims(&id, &house.url, now));
            ask(&house, &assertion).await.status
        };
        // Nothing published yet: said as it is, and asked again ten seconds later at the earliest.
        assert_eq!((try_with(&old, "old").await, try_with(&old, "old").await, asked()), (503, 503, 1));
        publish(&[(&old, "old")]);
        house.clock.advance_seconds(10);
        assert_eq!((try_with(&old, "old").await, try_with(&old, "old").await, asked()), (200, 200, 2));
        // The vendor adds a key: its first use asks again, but once a minute at most, whoever guesses names.
        publish(&[(&old, "old"), (&new, "new")]);
        assert_eq!((try_with(&new, "new").await, asked()), (401, 2));
        house.clock.advance_seconds(60);
        assert_eq!((try_with(&new, "new").await, try_with(&old, "old").await, asked()), (200, 200, 3));
        // Another key under the name of an old one is a new key, too.
        let renewed = Signer::new("ES256");
        publish(&[(&renewed, "old"), (&new, "new")]);
        house.clock.advance_seconds(60);
        assert_eq!((try_with(&renewed, "old").await, try_with(&old, "old").await, asked()), (200, 401, 4));
        publish(&[(&old, "old"), (&new, "new")]);
        house.clock.advance_seconds(60);
        assert_eq!((try_with(&old, "old").await, asked()), (200, 5));
        let guesses = (0..20).map(|at| format!("guess-{at}")).collect::<Vec<_>>();
        for guess in &guesses {
            assert_eq!(try_with(&old, guess).await, 401);
        }
        assert_eq!(asked(), 5);
        // A key that the vendor took out is refused ten minutes later at the latest.
        publish(&[(&new, "new")]);
        house.clock.advance_seconds(600);
        house.settle().await;
        assert_eq!((try_with(&old, "old").await, try_with(&new, "new").await, asked()), (401, 200, 6));
        // What the server says meanwhile changes nothing for six hours.
        for broken in ["", "[]", "{\"keys\": {}}", "<html>"] {
            *held.lock().unwrap() = broken.to_owned();
            house.clock.advance_seconds(600);
            assert_eq!(try_with(&new, "new").await, 200, "{broken}");
        }
        *held.lock().unwrap() = format!("{{\"keys\": [{}]}}", " ".repeat(70_000));
        house.clock.advance_seconds(600);
        assert_eq!(try_with(&new, "new").await, 200, "a set that is too large is none");
        house.clock.advance_seconds(6 * 3_600);
        assert_eq!(try_with(&new, "new").await, 503);
        // Who takes out the only key, or the whole set, is heard like any other: it may have leaked.
        for gone in ["{\"keys\": []}", "404", "410"] {
            publish(&[(&new, "new")]);
            house.clock.advance_seconds(600);
            assert_eq!(try_with(&new, "new").await, 200, "{gone}");
            *held.lock().unwrap() = gone.to_owned();
            house.clock.advance_seconds(600);
            assert_eq!(try_with(&new, "new").await, 401, "{gone}");
        }
    });
}

#[test]
fn brokers_take_an_assertion_once_between_them() {
    let Some(database) = Database::postgres() else { return };
    run(async {
        let house = House::start_with(database, Clock::system(), &[("TIDEGATE_MASTER_KEY", MASTER_KEY)]).await;
        house.catalogue_people(3).await;
        let vendor = house.vendor("Acme", &[("acme-people", usual("people"))]).await;
        let signer = Signer::new("ES256");
        let id = client(&house, &vendor, json!({"kind": "keys", "keys": [signer.jwk()]})).await;
        let data = tempfile::tempdir().unwrap();
        let brokers = Broker::several(&house, data.path(), &["one", "two"], &[("TIDEGATE_MASTER_KEY", MASTER_KEY)]).await;
        for _ in 0..20 {
            let assertion = signer.assertion(&id, &house.url, house.clock.now().seconds());
            let body = with(&assertion, "grant_type=client_credentials");
            let sent = (0..8).map(|at| {
                let request =
                    house.http.post(format!("{}/oauth/token", brokers[at % 2].url)).header("content-type", FORM).body(body.clone());
                async move { request.send().await.unwrap().status().as_u16() }
            });
            let statuses = futures::future::join_all(sent).await;
            assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        }
    });
}
