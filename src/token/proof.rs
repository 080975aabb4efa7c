//! Proofs that a request's sender holds a key (DPoP, RFC 9449 §4): for one method and address, fresh, taken once.

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use url::Url;

use crate::domain::client_key::{ClientKey, Once};
use crate::domain::text::{Digest, Thumbprint};
use crate::domain::time::Instant;

use super::client_key::{from_jwk, thumbprint};
use super::jws::{Jws, hashed};
use super::members::Members;
use super::{LEEWAY_SECONDS, Reason, TokenError, assertion};

/// How old a proof may be in seconds.
pub const MOST_SECONDS: i64 = 60;

/// The request that a proof must be for.
#[derive(Debug, Clone, Copy)]
pub struct Proving<'a> {
    pub method: &'a str,
    /// The address as the world knows it, built from the public URL; query and fragment do not count (§4.3).
    pub url: &'a str,
    /// The access token that comes with the request, where one does.
    pub token: Option<&'a str>,
}

/// A good proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The key that was proven.
    pub key: Thumbprint,
    /// What must not be taken again.
    pub once: Once,
}

/// Verifies a proof for a request.
///
/// # Errors
/// One opaque error for all; its reason is for tests and counters.
pub fn verify(text: &str, request: Proving<'_>, now: Instant) -> Result<Proof, TokenError> {
    let jws = Jws::read(text)?;
    let key = key_of(&jws)?;
    if !jws.is_signed_by(&key)? {
        return Err(Reason::Signature.into());
    }
    let claims = jws.payload()?;
    let issued = check_claims(&claims, request, now.seconds())?;
    let key = thumbprint(&key).map_err(|_| Reason::TheirKey)?;
    let name = hashed(&["dpop", key.as_str(), assertion::name(&claims)?]);
    let name = Digest::try_from(name).map_err(|_| Reason::Malformed)?;
    let until = issued.saturating_add(MOST_SECONDS).saturating_add(LEEWAY_SECONDS).saturating_add(1);
    Ok(Proof { key, once: Once { name, until: Instant::from_seconds(until) } })
}

/// The key that the header brings; here it may, since the proof is worth no more than the token that names this key.
fn key_of(jws: &Jws<'_>) -> Result<ClientKey, Reason> {
    jws.check_header(Some("jwk"))?;
    if jws.header.text("typ").map(|typ| typ.eq_ignore_ascii_case("dpop+jwt")) != Ok(true) {
        return Err(Reason::Type);
    }
    let algorithm = jws.algorithm()?;
    let key = from_jwk(jws.header.value("jwk").ok_or(Reason::Missing("jwk"))?).map_err(|_| Reason::TheirKey)?;
    // An RSA key says nothing of its padding unless it names its algorithm: the header's then is its one.
    let rsa = key.kty == "RSA" && matches!(algorithm.key(), "RS256" | "PS256");
    Ok(if rsa { ClientKey { alg: algorithm, ..key } } else { key })
}

/// Answers `iat`.
fn check_claims(claims: &Members, request: Proving<'_>, now: i64) -> Result<i64, Reason> {
    if claims.text("htm")? != request.method {
        return Err(Reason::Form("htm"));
    }
    let same = plain(claims.text("htu")?).zip(plain(request.url)).is_some_and(|(theirs, ours)| theirs == ours);
    if !same {
        return Err(Reason::Form("htu"));
    }
    if let Some(token) = request.token {
        let hash = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, token.as_bytes()));
        if claims.text("ath")? != hash {
            return Err(Reason::Form("ath"));
        }
    }
    let issued = claims.moment("iat")?;
    if issued > now.saturating_add(LEEWAY_SECONDS) {
        return Err(Reason::NotYet);
    }
    let oldest = now.saturating_sub(MOST_SECONDS).saturating_sub(LEEWAY_SECONDS);
    if issued < oldest { Err(Reason::Lifetime) } else { Ok(issued) }
}

/// An address in one spelling (RFC 3986 §6.2.2, §6.2.3), without query and fragment.
fn plain(text: &str) -> Option<String> {
    let mut url = Url::parse(text).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    Some(url.into())
}
