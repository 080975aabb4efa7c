//! Tokens that are bound to a key (RFC 9449): of use with a fresh proof for this very request only, and with each proof once.

use reqwest::header::HeaderValue;
use serde_json::{Value, json};
use tidegate::domain::person::Role;
use tidegate::store::Clock;

use super::signer::{Signer, changed, proof_claims, smooth_rsa};
use super::{FORM, JSON, RECORDS, because, refused};
use crate::broker::{Broker, MASTER_KEY};
use crate::database::{Database, run};
use crate::harness::{Answer, House, Vendor, usual};
use crate::on_both;

const GRANT: &str = "grant_type=client_credentials";

on_both!(
    a_bound_token_needs_its_key,
    one_proof_releases_once,
    a_refused_pull_leaves_its_proof_good,
    a_stranger_s_proof_is_not_looked_at,
    binding_may_be_required
);

async fn begun(database: Database) -> (House, Vendor) {
    let start = tidegate::domain::Instant::from_seconds(1_800_000_000);
    let house = House::start_with(database, Clock::manual(start), &[]).await;
    house.catalogue_people(9_000).await;
    let vendor = house.vendor("Acme", &[("acme-people", usual("people"))]).await;
    (house, vendor)
}

async fn ask(house: &House, vendor: &Vendor, proofs: &[&str]) -> Answer {
    let mut request = house.http.post(format!("{}/oauth/token", house.url)).header("content-type", FORM).body(GRANT);
    for proof in proofs {
        request = request.header("dpop", *proof);
    }
    Answer::of(request.basic_auth(&vendor.client_id, Some(&vendor.client_secret)).send().await.unwrap()).await
}

/// A token that is bound to a key.
async fn bound(house: &House, vendor: &Vendor, signer: &Signer) -> String {
    let proof = signer.proof("POST", &format!("{}/oauth/token", house.url), None, house.clock.now().seconds());
    let answer = ask(house, vendor, &[&proof]).await.good();
    assert_eq!(answer["token_type"], "DPoP", "{answer}");
    answer["access_token"].as_str().unwrap().to_owned()
}

/// A pull with a token and the proofs that come with it.
pub async fn get(house: &House, path: &str, scheme: &str, token: &str, proofs: &[&str], accept: &str) -> Answer {
    let request = house.http.get(format!("{}{path}", house.url)).header("authorization", format!("{scheme} {token}"));
    let request = proofs.iter().fold(request, |request, proof| request.header("dpop", *proof));
    Answer::of(request.header("accept", accept).send().await.unwrap()).await
}

#[track_caller]
fn unproven(answer: &Answer, error: &str, what: &str) {
    assert_eq!((answer.status, answer.gate().as_str()), (401, "token"), "{what}: {}", answer.text);
    let challenge = answer.header("www-authenticate");
    let expected = format!("DPoP realm=\"tidegate\", error=\"{error}\", algs=\"ES256 ES384 EdDSA Ed25519 RS256 PS256\"");
    assert_eq!(challenge, expected, "{what}");
}

async fn a_bound_token_needs_its_key(database: Database) {
    let (house, vendor) = begun(database).await;
    let now = house.clock.now().seconds();
    let url = |path: &str| format!("{}{path}", house.url);
    for alg in ["ES256", "ES384", "EdDSA", "Ed25519", "RS256", "PS256"] {
        let signer = Signer::new(alg);
        let token = bound(&house, &vendor, &signer).await;
        let claims: Value =
            serde_json::from_slice(&data_encoding::BASE64URL_NOPAD.decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap()).unwrap();
        assert_eq!(claims["cnf"], json!({"jkt": signer.thumbprint()}), "{alg}");
        for (path, accept) in [
            (format!("{RECORDS}?limit=2"), JSON),
            (RECORDS.to_owned(), "text/csv"),
            ("/data/v1/datasets".to_owned(), JSON),
            ("/data/v1/datasets/people/schema".to_owned(), JSON),
        ] {
            let plain = path.split('?').next().unwrap();
            let proof = signer.proof("GET", &url(plain), Some(&token), now);
            let good = get(&house, &path, "DPoP", &token, &[&proof], accept).await;
            assert_eq!(good.status, 200, "{alg} {path}: {}", good.text);
            let again = get(&house, &path, "DPoP", &token, &[&proof], accept).await;
            unproven(&again, "invalid_dpop_proof", &path);
            assert!(again.text.contains("used before"), "{}", again.text);
        }
    }

    let (signer, stranger) = (Signer::new("ES256"), Signer::new("ES256"));
    let (token, other) = (bound(&house, &vendor, &signer).await, bound(&house, &vendor, &signer).await);
    let address = url(RECORDS);
    let good = || proof_claims("GET", &address, Some(&token), now);
    let as_is = |by: Value| signer.sign(&signer.proof_header(), &changed(&good(), &by));
    let headed = |by: Value| signer.sign(&changed(&signer.proof_header(), &by), &good());
    let upper = address.replace("http://", "HTTP://");
    for fine in [
        as_is(json!({})),
        as_is(json!({"htu": format!("{address}?limit=3#part")})),
        as_is(json!({"htu": upper})),
        as_is(json!({"iat": now - 70})),
        as_is(json!({"iat": now + 10})),
        as_is(json!({"iat": now as f64 - 0.5})),
        as_is(json!({"nonce": "theirs", "exp": 1})),
        headed(json!({"typ": "DPoP+JWT"})),
        headed(json!({"kid": "theirs"})),
    ] {
        let answer = get(&house, &format!("{RECORDS}?limit=1"), "dpop", &token, &[&fine], JSON).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let mut private = signer.jwk();
    private["d"] = json!("AAAA");
    let unsigned = format!("{}.", headed(json!({"alg": "none"})).rsplit_once('.').unwrap().0);
    let tampered = {
        let (signed, wanted) = (as_is(json!({"htm": "POST"})), as_is(json!({})));
        let (head, signature) = (signed.split_once('.').unwrap().0, signed.rsplit_once('.').unwrap().1);
        format!("{head}.{}.{signature}", wanted.split('.').nth(1).unwrap())
    };
    let (header, claims) = (signer.proof_header().to_string(), good().to_string());
    let no_text = |object: &str| [&object.as_bytes()[..object.len() - 1], b",\"more\":\"\xff\"}"].concat();
    let not_for = [
        ("another method", as_is(json!({"htm": "POST"}))),
        ("the method in lower case", as_is(json!({"htm": "get"}))),
        ("no method", as_is(json!({"htm": null}))),
        ("another address", as_is(json!({"htu": url("/data/v1/datasets")}))),
        ("another host", as_is(json!({"htu": format!("https://gate.example{RECORDS}")}))),
        ("a path alone", as_is(json!({"htu": RECORDS}))),
        ("no address", as_is(json!({"htu": null}))),
        ("another token's hash", as_is(json!({"ath": proof_claims("GET", "", Some(&other), now)["ath"]}))),
        ("no hash", as_is(json!({"ath": null}))),
        ("too old", as_is(json!({"iat": now - 71}))),
        ("from the future", as_is(json!({"iat": now + 11}))),
        ("undated", as_is(json!({"iat": null}))),
        ("a text as date", as_is(json!({"iat": now.to_string()}))),
        ("no jti", as_is(json!({"jti": null}))),
        ("a long jti", as_is(json!({"jti": "j".repeat(257)}))),
        ("another key", stranger.sign(&stranger.proof_header(), &good())),
        ("another key's signature", stranger.sign(&signer.proof_header(), &good())),
        ("a private key", headed(json!({"jwk": private}))),
        ("no key", headed(json!({"jwk": null}))),
        ("a key elsewhere", headed(json!({"jku": "https://evil.example/keys"}))),
        ("an access token's type", headed(json!({"typ": "at+jwt"}))),
        ("no type", headed(json!({"typ": null}))),
        ("a certificate", headed(json!({"x5c": ["MII"]}))),
        ("a certificate elsewhere", headed(json!({"x5u": "https://evil.example/keys"}))),
        ("crit", headed(json!({"crit": ["nonce"]}))),
        ("another alg", headed(json!({"alg": "RS256"}))),
        ("a shared key's alg", headed(json!({"alg": "HS256"}))),
        ("unsigned", unsigned),
        ("another's signature under these claims", tampered),
        ("a claim twice", signer.raw(header.as_bytes(), format!("{{\"htm\":\"POST\",{}", &claims[1..]).as_bytes())),
        ("a header twice", signer.raw(format!("{{\"alg\":\"none\",{}", &header[1..]).as_bytes(), claims.as_bytes())),
        ("a claim that is no UTF-8", signer.raw(header.as_bytes(), &no_text(&claims))),
        ("a header that is no UTF-8", signer.raw(&no_text(&header), claims.as_bytes())),
        ("the token itself", token.clone()),
        ("no JWT", "nonsense".to_owned()),
        ("nothing", String::new()),
        ("9 KB", as_is(json!({"more": "m".repeat(9_000)}))),
    ];
    for (what, proof) in &not_for {
        unproven(&get(&house, RECORDS, "DPoP", &token, &[proof], JSON).await, "invalid_dpop_proof", what);
    }
    let odd = HeaderValue::from_bytes(&[as_is(json!({})).as_bytes(), b"\xff"].concat()).unwrap();
    let request = house.http.get(&address).header("authorization", format!("DPoP {token}")).header("dpop", odd);
    unproven(&Answer::of(request.send().await.unwrap()).await, "invalid_dpop_proof", "no text");
    unproven(&get(&house, RECORDS, "DPoP", &token, &[], JSON).await, "invalid_dpop_proof", "no proof");
    let (one, two) = (as_is(json!({})), as_is(json!({})));
    unproven(&get(&house, RECORDS, "DPoP", &token, &[&one, &two], JSON).await, "invalid_dpop_proof", "two proofs");
    unproven(&get(&house, RECORDS, "Bearer", &token, &[&one], JSON).await, "invalid_token", "as a plain one");
    unproven(&get(&house, RECORDS, "DPoP", "nonsense", &[&one], JSON).await, "invalid_token", "no token");
    let plain = house.token(&vendor).await;
    let proof = signer.proof("GET", &address, Some(&plain), now);
    unproven(&get(&house, RECORDS, "DPoP", &plain, &[&proof], JSON).await, "invalid_token", "a token that is not bound");
    // What a request says of its host is nobody's address.
    let spoofed = signer.sign(&signer.proof_header(), &changed(&good(), &json!({"htu": format!("http://evil.example{RECORDS}")})));
    let request = house.http.get(&address).header("host", "evil.example").header("x-forwarded-host", "evil.example");
    let request = request.header("authorization", format!("DPoP {token}")).header("dpop", spoofed);
    unproven(&Answer::of(request.send().await.unwrap()).await, "invalid_dpop_proof", "another host by header");
    // None of that used up the good one.
    assert_eq!(get(&house, RECORDS, "DPoP", &token, &[&one], JSON).await.status, 200);

    for proofs in [vec!["nonsense"], vec![""], vec!["a", "b"], vec![one.as_str()]] {
        refused_proof(&ask(&house, &vendor, &proofs).await);
    }
    let endpoint = signer.proof("POST", &url("/oauth/token"), None, now);
    assert_eq!(ask(&house, &vendor, &[&endpoint]).await.status, 200);
    refused_proof(&ask(&house, &vendor, &[&endpoint]).await);

    let none = Answer::of(house.http.get(&address).send().await.unwrap()).await;
    assert!(none.header("www-authenticate").contains("DPoP realm=") && none.header("www-authenticate").starts_with("Bearer realm="));
    let basic = Some((vendor.client_id.as_str(), vendor.client_secret.as_str()));
    let told = super::form(&house, "/oauth/introspect", basic, &format!("token={token}")).await.good();
    assert_eq!((&told["token_type"], &told["cnf"]["jkt"]), (&json!("DPoP"), &json!(signer.thumbprint())));
}

#[track_caller]
fn refused_proof(answer: &Answer) {
    refused(answer, 400, "invalid_dpop_proof", &answer.text);
}

/// What the header brings is checked where a token is bound to it; afterwards the token names it.
#[test]
fn a_token_is_bound_to_a_good_key_only() {
    run(async {
        let (house, vendor) = begun(Database::sqlite()).await;
        let endpoint = format!("{}/oauth/token", house.url);
        let (signer, rsa) = (Signer::new("ES256"), Signer::new("RS256"));
        let claims = || proof_claims("POST", &endpoint, None, house.clock.now().seconds());
        let headed = |by: Value| signer.sign(&changed(&signer.proof_header(), &by), &claims());
        for (what, fine) in [("as it is", headed(json!({}))), ("an RSA key of the same make as below", smooth_rsa(2_048, &claims()))] {
            let answer = ask(&house, &vendor, &[&fine]).await;
            assert_eq!(answer.status, 200, "{what}: {}", answer.text);
        }
        let shared = {
            let header = json!({"alg": "HS256", "typ": "dpop+jwt", "jwk": {"kty": "oct", "k": "AAAA"}}).to_string();
            let message =
                [header.as_bytes(), claims().to_string().as_bytes()].map(|part| data_encoding::BASE64URL_NOPAD.encode(part)).join(".");
            let tag = aws_lc_rs::hmac::sign(&aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &[0; 3]), message.as_bytes());
            format!("{message}.{}", data_encoding::BASE64URL_NOPAD.encode(tag.as_ref()))
        };
        let mut off_curve = signer.jwk();
        off_curve["y"] = off_curve["x"].clone();
        let whole = headed(json!({}));
        for (what, proof) in [
            ("a short RSA key", smooth_rsa(1_024, &claims())),
            ("a long RSA key", smooth_rsa(4_097, &claims())),
            ("a shared key", shared),
            ("a shared key for another's alg", headed(json!({"jwk": {"kty": "oct", "k": "AAAA"}}))),
            ("a point off the curve", headed(json!({"jwk": off_curve}))),
            ("a key of another kind", headed(json!({"jwk": rsa.jwk()}))),
            ("a key for encryption", headed(json!({"jwk": changed(&signer.jwk(), &json!({"use": "enc"}))}))),
            ("a private key", headed(json!({"jwk": changed(&signer.jwk(), &json!({"d": "AAAA"}))}))),
            ("a list of keys", headed(json!({"jwk": [signer.jwk()]}))),
            ("a key in a text", headed(json!({"jwk": signer.jwk().to_string()}))),
            ("a name instead of a key", headed(json!({"jwk": null, "kid": signer.thumbprint()}))),
            ("a certificate beside it", headed(json!({"x5c": ["MII"]}))),
            ("another signature", format!("{}.{}", whole.rsplit_once('.').unwrap().0, headed(json!({})).rsplit_once('.').unwrap().1)),
        ] {
            let answer = ask(&house, &vendor, &[&proof]).await;
            refused(&answer, 400, "invalid_dpop_proof", what);
        }
        assert_eq!(ask(&house, &vendor, &[&whole]).await.status, 200, "none of that used it up");
    });
}

async fn one_proof_releases_once(database: Database) {
    let (house, vendor) = begun(database).await;
    let signer = Signer::new("ES256");
    let token = bound(&house, &vendor, &signer).await;
    let before = house.history("kind=release").await.len() + house.history("kind=opened").await.len();
    for at in 0..10 {
        let proof = signer.proof("GET", &format!("{}{RECORDS}", house.url), Some(&token), house.clock.now().seconds());
        let accept = if at % 2 == 0 { JSON } else { "application/x-ndjson" };
        let proofs = [proof.as_str()];
        let pulls = futures::future::join_all((0..6).map(|_| get(&house, RECORDS, "DPoP", &token, &proofs, accept))).await;
        let released = pulls.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(released, 1, "{:?}", pulls.iter().map(|answer| answer.status).collect::<Vec<_>>());
    }
    house.settle().await;
    let after = house.history("kind=release").await.len() + house.history("kind=opened").await.len();
    assert_eq!(after - before, 10, "the history holds one release for each proof");
}

/// Who did not say who they are is not told what their proof is like, and costs no signature.
async fn a_stranger_s_proof_is_not_looked_at(database: Database) {
    let (house, vendor) = begun(database).await;
    let stranger = Vendor { client_secret: super::mistyped(&vendor.client_secret), ..vendor.clone() };
    for (who, status, error) in [(&stranger, 401, "invalid_client"), (&vendor, 400, "invalid_dpop_proof")] {
        for proofs in [&["no proof"][..], &["one", "two"]] {
            let answer = ask(&house, who, proofs).await;
            assert_eq!((answer.status, &answer.json()["error"]), (status, &json!(error)), "{}", answer.text);
        }
    }
}

async fn a_refused_pull_leaves_its_proof_good(database: Database) {
    let (house, vendor) = begun(database).await;
    let signer = Signer::new("ES256");
    let token = bound(&house, &vendor, &signer).await;
    for accept in [JSON, "application/x-ndjson"] {
        let proof = signer.proof("GET", &format!("{}{RECORDS}", house.url), Some(&token), house.clock.now().seconds());
        let pull = async || get(&house, RECORDS, "DPoP", &token, &[&proof], accept).await;
        house.post(Role::VendorManager, "/api/v1/permits/acme-people/pause", because()).await.good();
        let refused = pull().await;
        assert_eq!((refused.status, refused.gate().as_str()), (403, "permit"), "{accept}: {}", refused.text);
        house.post(Role::PrivacyOfficer, "/api/v1/permits/acme-people/resume", because()).await.good();
        let released = pull().await;
        assert_eq!(released.status, 200, "{accept}: nothing left with it before: {}", released.text);
        unproven(&pull().await, "invalid_dpop_proof", accept);
    }
}

#[test]
fn brokers_take_a_proof_once_between_them() {
    let Some(database) = Database::postgres() else { return };
    run(async {
        let house = House::start_with(database, Clock::system(), &[("TIDEGATE_MASTER_KEY", MASTER_KEY)]).await;
        house.catalogue_people(3).await;
        let vendor = house.vendor("Acme", &[("acme-people", usual("people"))]).await;
        let signer = Signer::new("ES256");
        let token = bound(&house, &vendor, &signer).await;
        let data = tempfile::tempdir().unwrap();
        let brokers = Broker::several(&house, data.path(), &["one", "two"], &[("TIDEGATE_MASTER_KEY", MASTER_KEY)]).await;
        let mut before = house.history("kind=release").await.len();
        for _ in 0..10 {
            let proof = signer.proof("GET", &format!("{}{RECORDS}", house.url), Some(&token), house.clock.now().seconds());
            let sent = (0..8).map(|at| {
                let request = house.http.get(format!("{}{RECORDS}", brokers[at % 2].url)).header("accept", JSON);
                let request = request.header("authorization", format!("DPoP {token}")).header("dpop", proof.as_str());
                async move { request.send().await.unwrap().status().as_u16() }
            });
            let statuses = futures::future::join_all(sent).await;
            assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
            let after = house.history("kind=release").await.len();
            assert_eq!(after - before, 1, "what one proof released is on record once");
            before = after;
        }
    });
}

async fn binding_may_be_required(database: Database) {
    let (house, vendor) = begun(database).await;
    let signer = Signer::new("ES256");
    let free = house.token(&vendor).await;
    let path = format!("/api/v1/clients/{}", vendor.client_id);
    let version = house.get(Role::VendorManager, &path).await.good()["version"].clone();
    let body = json!({"version": version, "authentication": {"kind": "secret"}, "dpop": "required"});
    house.put(Role::VendorManager, &format!("{path}/authentication"), body).await.good();
    // Neither a new token nor an old one goes without a key.
    refused_proof(&ask(&house, &vendor, &[]).await);
    let answer = house.pull(&free, RECORDS, JSON).await;
    assert_eq!((answer.status, answer.gate().as_str()), (401, "token"));
    assert!(answer.text.contains("bound to a key"), "{}", answer.text);
    let basic = Some((vendor.client_id.as_str(), vendor.client_secret.as_str()));
    assert_eq!(super::form(&house, "/oauth/introspect", basic, &format!("token={free}")).await.good(), json!({"active": false}));
    let token = bound(&house, &vendor, &signer).await;
    let proof = signer.proof("GET", &format!("{}{RECORDS}", house.url), Some(&token), house.clock.now().seconds());
    assert_eq!(get(&house, RECORDS, "DPoP", &token, &[&proof], JSON).await.status, 200);
    let body = json!({"permits": ["acme-people"], "expires_at": house.clock.now().plus_days(1)});
    assert_eq!(house.post(Role::VendorManager, &format!("{path}/tokens"), body).await.status, 409, "a plain token can't be bound");
}
