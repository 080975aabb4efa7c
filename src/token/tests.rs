//! Each defence of the verifier with a token that only this defence refuses: all else about the token is good.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::keys::signing::SigningKey;

const NOW: i64 = 1_800_000_000;
const ISSUER: &str = "https://gate.example";

struct Bench {
    key: ActiveKey,
    public: String,
    verifier: Verifier,
}

fn issuer() -> Issuer {
    Issuer { issuer: ISSUER.to_owned(), audience: ISSUER.to_owned() }
}

fn bench() -> Bench {
    let made = SigningKey::generate().unwrap();
    let public = made.public().to_json();
    let key = ActiveKey::new(made.kid().to_owned(), made.private_der()).unwrap();
    Bench { key, verifier: Verifier::new(issuer(), std::slice::from_ref(&public)).unwrap(), public }
}

fn claims() -> Claims {
    Claims {
        iss: ISSUER.to_owned(),
        aud: ISSUER.to_owned(),
        sub: "0190a000-0000-7000-8000-000000000001".to_owned(),
        client_id: "0190a000-0000-7000-8000-000000000002".to_owned(),
        jti: "0190a000-0000-7000-8000-000000000003".to_owned(),
        iat: NOW,
        nbf: NOW,
        exp: NOW + 300,
        scope: "newsletter shipping".to_owned(),
        cnf: None,
    }
}

impl Bench {
    fn header(&self) -> Value {
        json!({"typ": "at+jwt", "alg": "ES256", "kid": self.key.kid})
    }

    /// A token of any two texts, rightly signed with the right key.
    fn signed(&self, header: &str, payload: &[u8]) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &self.key.private, Algorithm::ES256).unwrap();
        format!("{message}.{signature}")
    }

    fn with_header(&self, name: &str, value: Value) -> String {
        let mut header = self.header();
        header[name] = value;
        self.signed(&header.to_string(), json!(claims()).to_string().as_bytes())
    }

    fn with_claim(&self, name: &str, value: Value) -> String {
        let mut payload = json!(claims());
        payload[name] = value;
        self.signed(&self.header().to_string(), payload.to_string().as_bytes())
    }

    fn without_claim(&self, name: &str) -> String {
        let mut payload = json!(claims());
        payload.as_object_mut().unwrap().remove(name).unwrap();
        self.signed(&self.header().to_string(), payload.to_string().as_bytes())
    }

    fn refused(&self, jwt: &str, expected: Reason) {
        let error = self.verifier.verify(jwt, NOW).unwrap_err();
        assert_eq!(error.reason(), expected);
        assert_eq!(error.to_string(), "the access token is not valid");
        assert_eq!(self.verifier.remembered(), usize::from(expected == Reason::NotYet));
    }
}

#[test]
fn what_is_signed_verifies() {
    let bench = bench();
    let token = sign(&bench.key, &claims()).unwrap();
    let verified = bench.verifier.verify(token.reveal(), NOW).unwrap();
    assert_eq!(verified, Verified { claims: claims(), expired: false });

    let parts: Vec<&str> = token.reveal().split('.').collect();
    let part = |at: usize| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(parts[at]).unwrap()).unwrap();
    assert_eq!(part(0), bench.header());
    assert_eq!(part(1)["scope"], "newsletter shipping");
}

#[test]
fn the_forge_of_these_tests_makes_good_tokens_when_asked_to() {
    // Otherwise the refusals below could all come from the forge.
    let bench = bench();
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/at+JWT"] {
        assert!(bench.verifier.verify(&bench.with_header("typ", json!(typ)), NOW).is_ok(), "{typ}");
    }
    assert!(bench.verifier.verify(&bench.with_claim("exp", json!(NOW + 900)), NOW).is_ok());
}

#[test]
fn headers_that_the_library_would_let_pass_are_refused() {
    let check = |name: &str, value: Value, expected: Reason| bench_refuses(|bench| bench.with_header(name, value.clone()), expected);
    check("typ", json!("JWT"), Reason::Type);
    check("typ", json!("dpop+jwt"), Reason::Type);
    check("typ", json!(7), Reason::Type);
    check("typ", Value::Null, Reason::Type);
    check("alg", json!("none"), Reason::Algorithm);
    check("alg", json!("ES384"), Reason::Algorithm);
    check("alg", json!("es256"), Reason::Algorithm);
    check("alg", json!(["ES256"]), Reason::Algorithm);
    check("crit", json!(["exp"]), Reason::Critical);
    check("crit", json!([]), Reason::Critical);
    check("jwk", json!({"kty": "EC"}), Reason::EmbeddedKey);
    check("jku", json!("https://evil.example/keys"), Reason::EmbeddedKey);
    check("x5u", json!("https://evil.example/cert"), Reason::EmbeddedKey);
    check("x5c", json!(["MII"]), Reason::EmbeddedKey);
    check("b64", json!(false), Reason::Unknown);
    check("zip", json!("DEF"), Reason::Unknown);
    check("kid", json!("another"), Reason::UnknownKey);
    check("kid", json!(""), Reason::Form("kid"));
}

fn bench_refuses(token: impl Fn(&Bench) -> String, expected: Reason) {
    let bench = bench();
    bench.refused(&token(&bench), expected);
}

#[test]
fn headers_must_be_there() {
    for (name, expected) in [("typ", Reason::Type), ("alg", Reason::Algorithm), ("kid", Reason::Missing("kid"))] {
        let bench = bench();
        let mut header = bench.header();
        header.as_object_mut().unwrap().remove(name);
        bench.refused(&bench.signed(&header.to_string(), json!(claims()).to_string().as_bytes()), expected);
    }
}

#[test]
fn claims_must_all_be_there() {
    for name in ["iss", "aud", "sub", "client_id", "jti", "iat", "nbf", "exp", "scope"] {
        bench_refuses(|bench| bench.without_claim(name), Reason::Missing(name));
        bench_refuses(|bench| bench.with_claim(name, Value::Null), Reason::Form(name));
        bench_refuses(|bench| bench.with_claim(name, json!(true)), Reason::Form(name));
        bench_refuses(|bench| bench.with_claim(name, json!("")), Reason::Form(name));
    }
}

#[test]
fn claims_that_the_library_would_let_pass_are_refused() {
    let check = |name: &str, value: Value, expected: Reason| bench_refuses(|bench| bench.with_claim(name, value.clone()), expected);
    check("aud", json!([ISSUER]), Reason::Form("aud"));
    check("aud", json!([ISSUER, "https://other.example"]), Reason::Form("aud"));
    check("aud", json!("https://other.example"), Reason::Audience);
    check("iss", json!("https://other.example"), Reason::Issuer);
    check("iss", json!([ISSUER]), Reason::Form("iss"));
    check("sub", json!("not an id"), Reason::Form("sub"));
    check("jti", json!("../../etc"), Reason::Form("jti"));
    check("scope", json!("a  b"), Reason::Form("scope"));
    check("scope", json!(["newsletter"]), Reason::Form("scope"));
    check("exp", json!((NOW + 300).to_string()), Reason::Form("exp"));
    check("exp", json!(300.5 + NOW as f64), Reason::Form("exp"));
    check("exp", json!(u64::MAX), Reason::Form("exp"));
    check("iat", json!(-1), Reason::Form("iat"));
    // A hundred years, and one second too many.
    check("exp", json!(NOW + 3_155_760_000), Reason::Lifetime);
    check("exp", json!(i64::MAX), Reason::Lifetime);
    check("exp", json!(NOW + 901), Reason::Lifetime);
    check("exp", json!(NOW), Reason::Lifetime);
    // A token whose binding is not understood whole must not pass as one that is bound, nor as one that is not.
    let thumbprint = "b".repeat(43);
    for cnf in [json!({"jkt": "x"}), json!({}), json!({"jkt": thumbprint, "x5t#S256": "y"}), json!({"jwk": {}}), json!("x"), Value::Null] {
        check("cnf", cnf, Reason::Form("cnf"));
    }
}

#[test]
fn a_bound_token_says_to_which_key() {
    let bench = bench();
    let cnf = Some(Confirmation { jkt: "b".repeat(43).parse().unwrap() });
    let token = sign(&bench.key, &Claims { cnf: cnf.clone(), ..claims() }).unwrap();
    assert_eq!(bench.verifier.verify(token.reveal(), NOW).unwrap().claims.cnf, cnf);
}

#[test]
fn times_have_ten_seconds_of_leeway_and_no_more() {
    let check = |name: &str, at: i64, good: bool| {
        let bench = bench();
        let outcome = bench.verifier.verify(&bench.with_claim(name, json!(at)), NOW);
        assert_eq!(outcome.is_ok(), good, "{name} {}", at - NOW);
        assert!(good || outcome.unwrap_err().reason() == Reason::NotYet);
    };
    check("nbf", NOW + 10, true);
    check("nbf", NOW + 11, false);
    check("nbf", i64::MAX, false);
    check("iat", NOW + 10, true);
    check("iat", NOW + 11, false);
}

#[test]
fn a_genuine_token_past_its_time_is_marked() {
    let bench = bench();
    let token = sign(&bench.key, &claims()).unwrap();
    let check = |after_end: i64, expired: bool| {
        let now = NOW + 300 + after_end;
        assert_eq!(bench.verifier.verify(token.reveal(), now).unwrap(), Verified { claims: claims(), expired }, "{after_end}");
    };
    check(-1, false);
    check(9, false);
    check(10, true);
    check(59, true);
    check(3_155_760_000, true);
    // A fresh verifier, which has nothing remembered, says the same and does not remember what is over.
    let fresh = Verifier::new(issuer(), std::slice::from_ref(&bench.public)).unwrap();
    assert!(fresh.verify(token.reveal(), NOW + 310).unwrap().expired);
    assert_eq!(fresh.remembered(), 0);
}

#[test]
fn expiry_excuses_nothing_else() {
    let bench = bench();
    let jwt = bench.with_claim("aud", json!("https://other.example"));
    assert_eq!(bench.verifier.verify(&jwt, NOW + 10_000).unwrap_err().reason(), Reason::Audience);
}

#[test]
fn no_algorithm_but_ours() {
    let bench = bench();
    let payload = URL_SAFE_NO_PAD.encode(json!(claims()).to_string());
    let header = |alg: &str| URL_SAFE_NO_PAD.encode(json!({"typ": "at+jwt", "alg": alg, "kid": bench.key.kid}).to_string());

    bench.refused(&format!("{}.{payload}.", header("none")), Reason::Algorithm);
    // The public key as the secret of an HMAC: whoever has the key set could make it.
    let decoding: DecodingKey = public::PublicKey::from_json(&bench.public).unwrap().decoding().unwrap();
    let message = format!("{}.{payload}", header("HS256"));
    let secret = EncodingKey::from_secret(decoding.try_get_as_bytes().unwrap());
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &secret, Algorithm::HS256).unwrap();
    bench.refused(&format!("{message}.{signature}"), Reason::Algorithm);
    bench.refused(&format!("{}.{payload}.{signature}", header("ES256")), Reason::Signature);
    bench.refused(&format!("{}.{payload}.", header("ES256")), Reason::Signature);
}

#[test]
fn another_key_under_our_name_is_refused() {
    let (bench, other) = (bench(), bench());
    let forged = sign(&ActiveKey { kid: bench.key.kid.clone(), ..other.key.clone() }, &claims()).unwrap();
    bench.refused(forged.reveal(), Reason::Signature);
    bench.refused(sign(&other.key, &claims()).unwrap().reveal(), Reason::UnknownKey);
}

#[test]
fn a_tampered_payload_is_refused_even_when_the_original_is_remembered() {
    let bench = bench();
    let token = sign(&bench.key, &claims()).unwrap();
    assert!(bench.verifier.verify(token.reveal(), NOW).is_ok());
    let parts: Vec<&str> = token.reveal().split('.').collect();
    let more = json!(Claims { scope: "everything".to_owned(), ..claims() }).to_string();
    let tampered = format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(more), parts[2]);
    assert_eq!(bench.verifier.verify(&tampered, NOW).unwrap_err().reason(), Reason::Signature);
}

#[test]
fn duplicates_are_refused_in_both_parts() {
    let payload = json!(claims()).to_string();
    let twice = |text: &str, member: &str| text.replacen('{', &format!("{{{member},"), 1);
    for member in [r#""scope":"everything""#, r#""\u0073cope":"everything""#, r#""exp":1"#] {
        bench_refuses(|bench| bench.signed(&bench.header().to_string(), twice(&payload, member).as_bytes()), Reason::Duplicate);
    }
    bench_refuses(|bench| bench.signed(&twice(&bench.header().to_string(), r#""alg":"none""#), payload.as_bytes()), Reason::Duplicate);
}

#[test]
fn shapes_that_are_no_token_are_refused() {
    let bench = bench();
    let good = sign(&bench.key, &claims()).unwrap().reveal().to_owned();
    for jwt in
        ["", ".", "..", "...", "a.b.c", "no token", &format!("{good}.x"), &format!("x.{good}"), &format!("{good}="), &format!(" {good}")]
    {
        assert!(bench.verifier.verify(jwt, NOW).is_err(), "{jwt}");
    }
    let header = bench.header().to_string();
    for payload in [b"\xff\xfe{}".as_slice(), b"[]", b"7", b"null", b"{", b"{} {}", br#"{"iss":"\xc3\x28"}"#, b"{\"iss\":\"\xff\"}"] {
        bench.refused(&bench.signed(&header, payload), Reason::Malformed);
    }
    bench.refused(&bench.signed(&header, "[".repeat(5_000).as_bytes()), Reason::Malformed);
}

#[test]
fn a_huge_token_is_refused_unread() {
    let bench = bench();
    bench.refused(&"a".repeat(MOST_BYTES + 1), Reason::TooLarge);
    bench.refused(&bench.with_claim("scope", json!("a ".repeat(5_000) + "a")), Reason::TooLarge);
    let scope = (0..200).map(|number| format!("a-permit-with-quite-a-long-key-{number}")).collect::<Vec<_>>().join(" ");
    assert_eq!(sign(&bench.key, &Claims { scope, ..claims() }).unwrap_err().reason(), Reason::TooLarge);
}

#[test]
fn what_no_verifier_accepts_is_not_signed() {
    let bench = bench();
    let check = |claims: Claims, expected: Reason| assert_eq!(sign(&bench.key, &claims).unwrap_err().reason(), expected);
    check(Claims { exp: NOW + 901, ..claims() }, Reason::Lifetime);
    check(Claims { exp: NOW, ..claims() }, Reason::Lifetime);
    check(Claims { scope: String::new(), ..claims() }, Reason::Form("scope"));
    check(Claims { scope: "a  b".to_owned(), ..claims() }, Reason::Form("scope"));
}

#[test]
fn keys_of_another_kind_are_not_taken() {
    let bench = bench();
    let good: Value = serde_json::from_str(&bench.public).unwrap();
    let wrong = [
        ("kty", json!("oct")),
        ("alg", json!("HS256")),
        ("crv", json!("P-384")),
        ("use", json!("enc")),
        ("x", json!("AA")),
        ("d", json!("private")),
    ];
    for (name, value) in wrong {
        let mut key = good.clone();
        key[name] = value;
        let keys = [key.to_string()];
        assert_eq!(jwks(&keys).unwrap_err().reason(), Reason::OurKey, "{name}");
        assert_eq!(Verifier::new(issuer(), &keys).unwrap_err().reason(), Reason::OurKey, "{name}");
    }
    assert_eq!(jwks(std::slice::from_ref(&bench.public)).unwrap(), json!({"keys": [good]}));
    assert_eq!(ActiveKey::new("kid".to_owned(), b"no key").unwrap_err().reason(), Reason::OurKey);
    assert!(!format!("{:?}", bench.key).contains("private"));
}

#[test]
fn memory_is_bounded_and_forgets_the_oldest_first() {
    let memory = Remembered::new(3);
    for number in 0..10 {
        memory.insert([number; 32], &Claims { exp: NOW + i64::from(number), ..claims() }, NOW - 100);
        assert!(memory.len() <= 3);
    }
    assert!(memory.find(&[6; 32]).is_none() && memory.find(&[9; 32]).is_some());
    let memory = Remembered::new(3);
    for number in 0..3 {
        memory.insert([number; 32], &Claims { exp: NOW + i64::from(number), ..claims() }, NOW - 100);
    }
    assert_eq!(memory.len(), 3);
    memory.insert([11; 32], &Claims { exp: NOW + 900, ..claims() }, NOW + 100);
    assert_eq!(memory.len(), 1, "those past their time leave together");
    memory.insert([12; 32], &claims(), NOW + 310);
    assert!(memory.find(&[12; 32]).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_character_can_be_changed(at in any::<prop::sample::Index>(), to in "[A-Za-z0-9_.=-]") {
        let bench = bench();
        let good = sign(&bench.key, &claims()).unwrap().reveal().to_owned();
        let at = at.index(good.len());
        let mut changed = good.clone();
        changed.replace_range(at..=at, &to);
        prop_assert_eq!(bench.verifier.verify(&changed, NOW).is_ok(), changed == good);
    }

    #[test]
    fn any_text_is_judged_without_panic(text in ".{0,200}") {
        prop_assert!(bench().verifier.verify(&text, NOW).is_err());
    }
}
