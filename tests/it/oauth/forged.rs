//! Tokens that look like ours: whatever a lax verifier would let pass is refused at the door.

use std::io::ErrorKind;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use tidegate::app::AppError;
use tidegate::domain::person::Role;
use tidegate::store::{sealed_keys, signing_keys};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{JSON, RECORDS, because, form, house, refused};
use crate::harness::{Answer, House, usual};

/// The installation's own signing key in a forger's hands: what it signs is refused for what it says, not for who
/// signed it.
struct Forge {
    pair: EcdsaKeyPair,
    public: String,
    header: Value,
    claims: Value,
}

impl Forge {
    async fn of(house: &House, token: &str) -> Self {
        let rows = house.app.store.read(|tx| Ok::<_, AppError>(sealed_keys::list(tx, "signing/")?)).await.unwrap();
        let der = house.app.keyring.open(&format!("sealed_keys|{}|sealed", rows[0].name), &rows[0].sealed).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der).unwrap();
        let part =
            |at: usize| serde_json::from_slice(&BASE64URL_NOPAD.decode(token.split('.').nth(at).unwrap().as_bytes()).unwrap()).unwrap();
        let keys = house.app.store.read(|tx| Ok::<_, AppError>(signing_keys::list(tx)?)).await.unwrap();
        Self { pair, public: keys[0].public.clone(), header: part(0), claims: part(1) }
    }

    fn message(header: &[u8], claims: &[u8]) -> String {
        format!("{}.{}", BASE64URL_NOPAD.encode(header), BASE64URL_NOPAD.encode(claims))
    }

    /// Any bytes, signed.
    fn raw(&self, header: &[u8], claims: &[u8]) -> String {
        let message = Self::message(header, claims);
        let signature = self.pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", BASE64URL_NOPAD.encode(signature.as_ref()))
    }

    /// The token with some members of its header and claims changed; `null` takes one out.
    fn with(&self, header: Value, claims: Value) -> String {
        self.raw(changed(&self.header, header).as_bytes(), changed(&self.claims, claims).as_bytes())
    }

    fn header(&self, header: Value) -> String {
        self.with(header, json!({}))
    }

    fn claims(&self, claims: Value) -> String {
        self.with(json!({}), claims)
    }
}

fn changed(good: &Value, by: Value) -> String {
    let mut members = good.as_object().unwrap().clone();
    for (name, value) in by.as_object().unwrap() {
        if value.is_null() {
            members.remove(name)
        } else {
            members.insert(name.clone(), value.clone())
        };
    }
    Value::Object(members).to_string()
}

fn table(forge: &Forge, token: &str, now: i64) -> Vec<(String, String)> {
    let mut table: Vec<(&str, String)> = Vec::new();
    let (header, claims) = (forge.header.to_string(), forge.claims.to_string());
    let none = Forge::message(changed(&forge.header, json!({"alg": "none"})).as_bytes(), claims.as_bytes());
    table.push(("alg none", format!("{none}.")));
    table.push(("alg none, two parts", none));
    for (what, secret) in [
        ("the public key", forge.public.as_bytes()),
        ("nothing", b"".as_slice()),
        ("the key's name", forge.header["kid"].as_str().unwrap().as_bytes()),
    ] {
        let message = Forge::message(changed(&forge.header, json!({"alg": "HS256"})).as_bytes(), claims.as_bytes());
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
        table.push((what, format!("{message}.{}", BASE64URL_NOPAD.encode(signature.as_ref()))));
    }
    for header in [
        json!({"alg": "HS256"}),
        json!({"alg": "ES384"}),
        json!({"alg": "RS256"}),
        json!({"alg": "es256"}),
        json!({"alg": "none"}),
        json!({"alg": null}),
        json!({"typ": "JWT"}),
        json!({"typ": null}),
        json!({"typ": "at+jwtx"}),
        json!({"typ": 1}),
        json!({"crit": ["exp"]}),
        json!({"crit": []}),
        json!({"kid": null}),
        json!({"kid": "other"}),
        json!({"kid": ["x"]}),
        json!({"jwk": {"kty": "EC"}}),
        json!({"jku": "https://attacker.example/keys"}),
        json!({"x5c": ["x"]}),
        json!({"b64": false}),
        json!({"cty": "JWT"}),
        json!({"zip": "DEF"}),
    ] {
        table.push(("a header", forge.header(header)));
    }
    for name in ["iss", "aud", "sub", "client_id", "jti", "iat", "nbf", "exp", "scope"] {
        table.push(("a claim is missing", forge.claims(json!({name: null}))));
        for odd in [json!([forge.claims[name]]), json!({"x": forge.claims[name]}), json!(""), json!(true), json!(-1), json!(1.5)] {
            table.push(("a claim of another kind", forge.claims(json!({name: odd}))));
        }
    }
    for claims in [
        json!({"aud": [forge.claims["aud"], "https://other.example"]}),
        json!({"aud": "https://other.example"}),
        json!({"iss": "https://other.example"}),
        json!({"iss": format!("{}/", forge.claims["iss"].as_str().unwrap())}),
        json!({"nbf": now + 11}),
        json!({"nbf": now + 3_600}),
        json!({"iat": now + 11, "exp": now + 200}),
        json!({"exp": now + 3_155_760_000_i64}),
        json!({"exp": now + 901}),
        json!({"exp": i64::MAX}),
        json!({"exp": 1e300}),
        json!({"exp": now.to_string()}),
        json!({"iat": now - 901}),
        // Only their end is at fault, by more than clocks may differ.
        json!({"iat": now - 300, "nbf": now - 300, "exp": now - 59}),
        json!({"iat": now - 300, "nbf": now - 300, "exp": now - 10}),
        json!({"iat": now + 5, "exp": now + 4}),
        json!({"iat": now, "exp": now}),
        json!({"scope": "acme-people other"}),
        json!({"scope": "acme-people  acme-people"}),
        json!({"scope": " acme-people"}),
        json!({"scope": "*"}),
        json!({"sub": "admin"}),
        json!({"client_id": "0190a0b0-0000-7000-8000-000000000000"}),
        json!({"sub": "0190a0b0-0000-7000-8000-000000000000"}),
        json!({"jti": "0190a0b0-0000-7000-8000-000000000000"}),
        json!({"jti": "x"}),
        json!({"role": "administrator"}),
        json!({"cnf": {"jkt": "x"}}),
    ] {
        // A scope that names more than was granted is judged by the kept token; every other claim must match it.
        if claims != json!({"scope": "acme-people other"}) {
            table.push(("a claim", forge.claims(claims.clone())));
        }
    }
    let parts: Vec<&str> = token.split('.').collect();
    let other = BASE64URL_NOPAD.encode(changed(&forge.claims, json!({"scope": "everything"})).as_bytes());
    let mut flipped = BASE64URL_NOPAD.decode(parts[2].as_bytes()).unwrap();
    flipped[10] ^= 1;
    let twice = format!("{{\"exp\":{},{}", now + 100, &claims[1..]);
    table.extend([
        ("a tampered payload", format!("{}.{other}.{}", parts[0], parts[2])),
        ("a tampered signature", format!("{}.{}.{}", parts[0], parts[1], BASE64URL_NOPAD.encode(&flipped))),
        ("a signature of zeros", format!("{}.{}.{}", parts[0], parts[1], BASE64URL_NOPAD.encode(&[0; 64]))),
        ("no signature", format!("{}.{}.", parts[0], parts[1])),
        ("two parts", format!("{}.{}", parts[0], parts[1])),
        ("four parts", format!("{token}.x")),
        ("encrypted", format!("{token}.{}.x", parts[0])),
        ("padding", format!("{token}=")),
        ("a claim twice", forge.raw(header.as_bytes(), twice.as_bytes())),
        ("a header twice", forge.raw(format!("{{\"alg\":\"none\",{}", &header[1..]).as_bytes(), claims.as_bytes())),
        ("not UTF-8", forge.raw(header.as_bytes(), b"{\"iss\":\"\xff\xfe\"}")),
        ("not an object", forge.raw(header.as_bytes(), b"[]")),
        ("empty", String::new()),
        ("dots", "..".to_owned()),
        ("a long token", format!("{}.{}.{}", parts[0], "A".repeat(60_000), parts[2])),
        ("deep", forge.raw(header.as_bytes(), format!("{{\"iss\":{}1{}}}", "[".repeat(1_000), "]".repeat(1_000)).as_bytes())),
    ]);
    table.into_iter().map(|(what, token)| (format!("{what}: {}", &token[..token.len().min(120)]), token)).collect()
}

#[track_caller]
fn turned_away(answer: &Answer, at: &str) {
    assert_eq!((answer.status, answer.gate().as_str()), (401, "token"), "{at}: {}", answer.text);
    assert!(answer.header("www-authenticate").starts_with("Bearer"), "{at}");
    assert_eq!(answer.header("content-type"), "application/problem+json", "{at}");
}

#[test]
fn what_a_lax_verifier_would_take_is_turned_away() {
    crate::database::run(async {
        let house = house().await;
        let vendor = house.vendor("Acme", &[("acme-people", usual("people"))]).await;
        let token = house.token(&vendor).await;
        let forge = Forge::of(&house, &token).await;
        let now = house.clock.now().seconds();
        // The forge itself is sound: what it signs unchanged is taken.
        house.pull(&forge.claims(json!({})), RECORDS, JSON).await.good();
        house.pull(&forge.claims(json!({"nbf": now + 10})), RECORDS, JSON).await.good();
        house.pull(&forge.header(json!({"typ": "application/at+jwt"})), RECORDS, JSON).await.good();
        for (at, forged) in table(&forge, &token, now) {
            turned_away(&house.pull(&forged, RECORDS, JSON).await, &at);
        }
        // Rights are asked of the kept token: a wider scope under a good signature opens nothing more.
        let wider = forge.claims(json!({"scope": "acme-people acme-other"}));
        let listed = house.pull(&wider, "/data/v1/datasets", JSON).await.good();
        assert_eq!(listed["datasets"].as_array().unwrap().len(), 1);

        for authorization in
            [b"Bearer \xff\xfe.a.b".to_vec(), format!("Bearer  {token}x").into_bytes(), format!("Token {token}").into_bytes()]
        {
            let value = reqwest::header::HeaderValue::from_bytes(&authorization).unwrap();
            let answer =
                Answer::of(house.http.get(format!("{}{RECORDS}", house.url)).header("authorization", value).send().await.unwrap()).await;
            turned_away(&answer, "odd bytes");
        }
        // In the address or a form a token is no token (RFC 6750 §2.2 and §2.3 are not offered).
        let answer = Answer::of(house.http.get(format!("{}{RECORDS}?access_token={token}", house.url)).send().await.unwrap()).await;
        turned_away(&answer, "in the address");
    });
}

/// Sends a request's head by hand; answers the first line that comes. It may be nothing only where the server closed the
/// connection while the head was being written.
async fn first_line(house: &House, head: &str) -> String {
    let mut connection = TcpStream::connect(house.bound()).await.unwrap();
    let written = connection.write_all(head.as_bytes()).await;
    let mut told = Vec::new();
    let read = connection.read_to_end(&mut told).await;
    let first = String::from_utf8_lossy(&told).lines().next().unwrap_or_default().to_owned();
    if first.is_empty() {
        let kind = written.and(read.map(drop)).expect_err("it was all taken, and nothing was said").kind();
        assert!(matches!(kind, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{kind}");
    }
    first
}

#[test]
fn a_megabyte_where_a_token_should_be_is_turned_away() {
    crate::database::run(async {
        let house = house().await;
        let vendor = house.vendor("Acme", &[("acme-people", usual("people"))]).await;
        let (token, huge) = (house.token(&vendor).await, "x".repeat(1024 * 1024));
        let host = format!("HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", house.bound());
        // What the server takes as a head is bounded, so none of it gets as far as a handler.
        let basic = data_encoding::BASE64.encode(format!("{}:{}", vendor.client_id, vendor.client_secret).as_bytes());
        for (what, head) in [
            ("a token", format!("GET {RECORDS} {host}authorization: Bearer {huge}\r\n\r\n")),
            ("a proof beside a token", format!("GET {RECORDS} {host}authorization: DPoP {token}\r\ndpop: {huge}\r\n\r\n")),
            (
                "a proof for a token",
                format!("POST /oauth/token {host}authorization: Basic {basic}\r\ndpop: {huge}\r\ncontent-length: 0\r\n\r\n"),
            ),
        ] {
            let first = first_line(&house, &head).await;
            assert!(["", "HTTP/1.1 431 Request Header Fields Too Large"].contains(&first.as_str()), "{what}: {first}");
        }
        // A form is bounded by us.
        let basic = Some((vendor.client_id.as_str(), vendor.client_secret.as_str()));
        for path in ["/oauth/revoke", "/oauth/introspect"] {
            refused(&form(&house, path, basic, &format!("token={huge}")).await, 400, "invalid_request", path);
        }
        // The server goes on, and what is small enough is judged.
        house.pull(&token, RECORDS, JSON).await.good();
        assert_eq!(first_line(&house, &format!("GET {RECORDS} {host}authorization: Bearer x\r\n\r\n")).await, "HTTP/1.1 401 Unauthorized");
    });
}

#[test]
fn an_expired_token_tells_which_gate_is_closed_beneath_it() {
    crate::database::run(async {
        let house = house().await;
        let vendor = house.vendor("Acme", &[("acme-people", usual("people"))]).await;
        let token = house.token(&vendor).await;
        let last = house.clock.now().plus_seconds(299);
        house.at(last).await;
        house.pull(&token, RECORDS, JSON).await.good();
        // The verifier's leeway is for clocks that differ; the kept token ends when it ends.
        for seconds in [1, 5, 60, 86_400] {
            house.at(last.plus_seconds(seconds)).await;
            for path in [RECORDS, "/data/v1/datasets"] {
                turned_away(&house.pull(&token, path, JSON).await, "expired");
            }
            turned_away(&house.pull(&token, RECORDS, "text/csv").await, "expired, a stream");
        }
        house.post(Role::VendorManager, &format!("/api/v1/vendors/{}/suspend", vendor.id), because()).await.good();
        for accept in [JSON, "application/x-ndjson"] {
            let answer = house.pull(&token, RECORDS, accept).await;
            assert_eq!((answer.status, answer.gate().as_str()), (403, "vendor"));
        }
        // Also when it has left the table of tokens.
        tidegate::app::access::forget_expired(&house.app).await.unwrap();
        let answer = house.pull(&token, RECORDS, JSON).await;
        assert_eq!((answer.status, answer.gate().as_str()), (403, "vendor"));
        house.act(&vendor.id, "reinstate").await;
        turned_away(&house.pull(&token, RECORDS, JSON).await, "expired and forgotten");
    });
}
