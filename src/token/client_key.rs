//! Public keys that others send, as JWK (RFC 7517) or PEM (RFC 7468): read strictly, kept in one spelling, never a private one.

use aws_lc_rs::digest;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey, VerificationAlgorithm};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use spki::der::asn1::UintRef;
use spki::der::{Decode, Reader, SliceReader};
use spki::{ObjectIdentifier, SubjectPublicKeyInfoRef};

use crate::domain::Invalid;
use crate::domain::client_key::{ClientKey, KeyAlgorithm};
use crate::domain::text::{KeyName, Thumbprint};

/// Members that only a private or shared key has (RFC 7518 §6.2.2, §6.3.2, §6.4.1; RFC 8037 §2).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
/// Lengths of an RSA modulus in bits; longer ones cost more than they give.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=4_096;
/// The longest text of keys in bytes: ten of the largest with room to spare.
const MOST_BYTES: usize = 64 * 1024;

const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const ED: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

fn wrong(reason: &str) -> Invalid {
    Invalid::new("keys", reason)
}

fn private() -> Invalid {
    wrong("must be the public half: this is a private key. Nothing of it was kept; replace it if others may have seen it")
}

fn unknown() -> Invalid {
    wrong("must be public keys of EC P-256, EC P-384, Ed25519 or RSA with 2,048 to 4,096 bits, as JWK, JWK set or PEM")
}

/// Reads what a manager pastes: one or more PEM blocks `PUBLIC KEY`, one JWK, or a JWK set.
///
/// # Errors
/// A sentence on what is wrong, without what was sent.
pub fn read(text: &str) -> Result<Vec<ClientKey>, Invalid> {
    if text.len() > MOST_BYTES {
        return Err(wrong("must be shorter than 64 KiB"));
    }
    let text = text.trim();
    if text.starts_with('{') {
        return from_json(&serde_json::from_str(text).map_err(|_| wrong("must be JSON where it begins with a brace"))?);
    }
    from_pem(text)
}

/// Reads one JWK or a JWK set.
///
/// # Errors
/// As [`read`].
pub fn from_json(value: &Value) -> Result<Vec<ClientKey>, Invalid> {
    match value.get("keys") {
        Some(Value::Array(keys)) => keys.iter().map(from_jwk).collect(),
        Some(_) => Err(unknown()),
        None => Ok(vec![from_jwk(value)?]),
    }
}

/// The keys of a published set that we can verify with; the others of it are for other uses (RFC 7517 §5). `None` for what is
/// no set.
pub fn usable(set: &Value, most: usize) -> Option<Vec<ClientKey>> {
    let keys = set.get("keys")?.as_array()?;
    Some(keys.iter().filter_map(|key| from_jwk(key).ok()).take(most).collect())
}

/// Reads one JWK.
///
/// # Errors
/// As [`read`].
pub fn from_jwk(value: &Value) -> Result<ClientKey, Invalid> {
    let members = value.as_object().ok_or_else(unknown)?;
    if PRIVATE.iter().any(|name| members.contains_key(*name)) {
        return Err(private());
    }
    if members.get("use").is_some_and(|usage| usage != "sig") {
        return Err(wrong("must be keys for signatures: the use of one is another"));
    }
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let bytes = |name: &str| text(name).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()).ok_or_else(unknown);
    let key = match (text("kty"), text("crv")) {
        (Some("EC"), Some("P-256")) => elliptic(Curve::P256, &bytes("x")?, &bytes("y")?),
        (Some("EC"), Some("P-384")) => elliptic(Curve::P384, &bytes("x")?, &bytes("y")?),
        (Some("OKP"), Some("Ed25519")) => edwards(&bytes("x")?),
        (Some("RSA"), _) => rsa(&bytes("n")?, &bytes("e")?, text("alg") == Some("PS256")),
        _ => Err(unknown()),
    }?;
    let key = check_algorithm(members, key)?;
    match text("kid") {
        Some(name) => {
            Ok(ClientKey { kid: name.parse().map_err(|error: Invalid| wrong(&format!("each have a kid that {}", error.reason)))?, ..key })
        }
        None => Ok(key),
    }
}

fn check_algorithm(members: &Map<String, Value>, key: ClientKey) -> Result<ClientKey, Invalid> {
    match members.get("alg") {
        Some(Value::String(alg)) if KeyAlgorithm::from_key(alg) == Some(key.alg) => Ok(key),
        None => Ok(key),
        Some(_) => Err(wrong("must be for ES256, ES384, EdDSA, RS256 or PS256: the alg of one is another, or does not fit its kind")),
    }
}

/// A curve of RFC 7518 §6.2.1.1.
#[derive(Clone, Copy)]
enum Curve {
    P256,
    P384,
}

impl Curve {
    fn of(self) -> (&'static str, usize, KeyAlgorithm, &'static dyn VerificationAlgorithm) {
        match self {
            Self::P256 => ("P-256", 32, KeyAlgorithm::ES256, &ECDSA_P256_SHA256_FIXED),
            Self::P384 => ("P-384", 48, KeyAlgorithm::ES384, &ECDSA_P384_SHA384_FIXED),
        }
    }
}

fn elliptic(curve: Curve, x: &[u8], y: &[u8]) -> Result<ClientKey, Invalid> {
    let (name, length, alg, verifying) = curve.of();
    if x.len() != length || y.len() != length {
        return Err(unknown());
    }
    let point = [&[4], x, y].concat();
    // A point that is not on the curve is refused here rather than at the first signature.
    on_curve(verifying, &point)?;
    named("EC", alg, Some(name), Some(encoded(x)), Some(encoded(y)), None)
}

fn edwards(x: &[u8]) -> Result<ClientKey, Invalid> {
    if x.len() != 32 {
        return Err(unknown());
    }
    on_curve(&ED25519, x)?;
    named("OKP", KeyAlgorithm::EdDSA, Some("Ed25519"), Some(encoded(x)), None, None)
}

fn on_curve(verifying: &'static dyn VerificationAlgorithm, key: &[u8]) -> Result<(), Invalid> {
    ParsedPublicKey::new(verifying, key).map(drop).map_err(|_| unknown())
}

fn rsa(n: &[u8], e: &[u8], pss: bool) -> Result<ClientKey, Invalid> {
    let trimmed = |bytes: &[u8]| bytes.iter().copied().skip_while(|byte| *byte == 0).collect::<Vec<u8>>();
    let (n, e) = (trimmed(n), trimmed(e));
    let bits = n.len().saturating_mul(8).saturating_sub(n.first().map_or(0, |first| usize::try_from(first.leading_zeros()).unwrap_or(0)));
    // An even modulus has 2 for a factor; an exponent is 65537 nearly always, and a long one makes verifying slow.
    let odd = |bytes: &[u8]| bytes.last().is_some_and(|last| last % 2 == 1);
    let exponent = (1..=4).contains(&e.len()) && odd(&e) && e != [1];
    if !RSA_BITS.contains(&bits) || !odd(&n) || !exponent {
        return Err(unknown());
    }
    let alg = if pss { KeyAlgorithm::PS256 } else { KeyAlgorithm::RS256 };
    named("RSA", alg, None, None, None, Some((encoded(&n), encoded(&e))))
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A key under its thumbprint, as one that brings no name of its own has it.
fn named(
    kty: &str,
    alg: KeyAlgorithm,
    crv: Option<&str>,
    x: Option<String>,
    y: Option<String>,
    ne: Option<(String, String)>,
) -> Result<ClientKey, Invalid> {
    let (n, e) = ne.unzip();
    let canonical = canonical(kty, crv, [&x, &y, &n, &e]);
    let kid = KeyName::from(thumbprint_of(&canonical)?);
    Ok(ClientKey { kid, kty: kty.to_owned(), alg, crv: crv.map(str::to_owned), x, y, n, e })
}

/// RFC 7638 §3.2: the required members in lexical order, without spaces. None of the values needs escaping.
fn canonical(kty: &str, crv: Option<&str>, [x, y, n, e]: [&Option<String>; 4]) -> String {
    let crv = crv.map(str::to_owned);
    let kty = Some(kty.to_owned());
    let members = [("crv", &crv), ("e", e), ("kty", &kty), ("n", n), ("x", x), ("y", y)];
    let written: Vec<String> =
        members.into_iter().filter_map(|(name, value)| value.as_ref().map(|value| format!(r#""{name}":"{value}""#))).collect();
    format!("{{{}}}", written.join(","))
}

fn thumbprint_of(canonical: &str) -> Result<Thumbprint, Invalid> {
    encoded(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref()).parse()
}

/// The RFC 7638 thumbprint of a key, whatever name it bears.
///
/// # Errors
/// None that can occur: a SHA-256 always is one.
pub fn thumbprint(key: &ClientKey) -> Result<Thumbprint, Invalid> {
    thumbprint_of(&canonical(&key.kty, key.crv.as_deref(), [&key.x, &key.y, &key.n, &key.e]))
}

fn from_pem(text: &str) -> Result<Vec<ClientKey>, Invalid> {
    let mut keys = Vec::new();
    let mut rest = text;
    while let Some((_, begun)) = rest.split_once("-----BEGIN ") {
        let (label, after) = begun.split_once("-----").ok_or_else(unknown)?;
        if label.contains("PRIVATE") {
            return Err(private());
        }
        if label != "PUBLIC KEY" {
            return Err(wrong("must be PEM blocks PUBLIC KEY (openssl pkey -pubout makes one): another block was sent"));
        }
        let (body, after) = after.split_once("-----END PUBLIC KEY-----").ok_or_else(unknown)?;
        let body: String = body.split_ascii_whitespace().collect();
        keys.push(from_der(&STANDARD.decode(body).map_err(|_| unknown())?)?);
        rest = after;
    }
    if keys.is_empty() { Err(unknown()) } else { Ok(keys) }
}

/// A `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7).
fn from_der(der: &[u8]) -> Result<ClientKey, Invalid> {
    let info = SubjectPublicKeyInfoRef::from_der(der).map_err(|_| unknown())?;
    let key = info.subject_public_key.as_bytes().ok_or_else(unknown)?;
    let curve = || info.algorithm.parameters_oid().ok();
    match info.algorithm.oid {
        EC if curve() == Some(P256) => point(Curve::P256, key),
        EC if curve() == Some(P384) => point(Curve::P384, key),
        ED => edwards(key),
        RSA => {
            let (n, e) = rsa_parts(key).map_err(|_| unknown())?;
            rsa(n, e, false)
        }
        _ => Err(unknown()),
    }
}

/// An uncompressed point (SEC 1 §2.3.3).
fn point(curve: Curve, key: &[u8]) -> Result<ClientKey, Invalid> {
    let length = curve.of().1;
    let both = key.strip_prefix(&[4]).filter(|both| both.len() == length.saturating_mul(2)).ok_or_else(unknown)?;
    let (x, y) = both.split_at(length);
    elliptic(curve, x, y)
}

/// An `RSAPublicKey` (RFC 8017 A.1.1): modulus and exponent.
fn rsa_parts(der: &[u8]) -> spki::der::Result<(&[u8], &[u8])> {
    let mut reader = SliceReader::new(der)?;
    let parts = reader.sequence(|inner| {
        let n: UintRef<'_> = inner.decode()?;
        let e: UintRef<'_> = inner.decode()?;
        Ok((n.as_bytes(), e.as_bytes()))
    })?;
    reader.finish(parts)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

    #[test]
    fn thumbprints_are_those_of_the_rfcs() {
        for (jwk, expected) in [
            // RFC 7638 §3.1; RFC 8037 A.2 and A.3; RFC 9449 §4.1 and §6.1.
            (
                json!({"kty": "RSA", "n": N, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"}),
                "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
            ),
            (
                json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}),
                "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
            ),
            (
                json!({"kty": "EC", "crv": "P-256", "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs", "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"}),
                "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
            ),
        ] {
            let key = from_jwk(&jwk).unwrap();
            assert_eq!(thumbprint(&key).unwrap().as_str(), expected);
            assert_eq!(key.kid.as_str(), jwk["kid"].as_str().unwrap_or(expected));
        }
    }

    #[test]
    fn a_key_has_one_spelling_and_one_algorithm() {
        // Zeros in front: another text, the same key.
        let bytes = [&[0][..], &URL_SAFE_NO_PAD.decode(N).unwrap()].concat();
        let zero = from_jwk(&json!({"kty": "RSA", "n": URL_SAFE_NO_PAD.encode(bytes), "e": "AAEAAQ"})).unwrap();
        let plain = from_jwk(&json!({"kty": "RSA", "n": N, "e": "AQAB"})).unwrap();
        assert_eq!((zero.clone(), zero.alg), (plain, KeyAlgorithm::RS256));
        assert_eq!(from_jwk(&json!({"kty": "RSA", "n": N, "e": "AQAB", "alg": "PS256"})).unwrap().alg, KeyAlgorithm::PS256);
        for bad in [
            json!({"kty": "RSA", "n": N, "e": "AQ"}),
            json!({"kty": "RSA", "n": N, "e": "AAAA"}),
            json!({"kty": "RSA", "n": N, "e": "AQAAAAAAAQ"}),
            json!({"kty": "RSA", "n": N, "e": "AQAB", "alg": "RS512"}),
            json!({"kty": "RSA", "n": N, "e": "AQAB", "alg": "ES256"}),
            json!({"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"}),
            json!({"kty": "OKP", "crv": "X25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}),
            json!({"kty": "oct", "k": "AAAA"}),
            json!([]),
        ] {
            assert!(from_jwk(&bad).is_err(), "{bad}");
        }
    }
}
