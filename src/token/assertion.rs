//! What a client signs to prove who it is (`private_key_jwt`, RFC 7523 §3): for us alone, for a minute at most, taken once.

use crate::domain::client_key::{ClientKey, Once};
use crate::domain::id::ClientId;
use crate::domain::text::Digest;
use crate::domain::time::Instant;

use super::jws::{Jws, hashed};
use super::members::Members;
use super::strangers::stranger;
use super::{LEEWAY_SECONDS, Reason, TokenError};

/// The longest life of an assertion in seconds.
pub const MOST_SECONDS: i64 = 60;
/// The longest `jti` in bytes.
pub(super) const MOST_NAME: usize = 256;

/// An assertion as it came. Until it is verified it only says whose keys to verify it with.
pub struct Assertion<'a> {
    jws: Jws<'a>,
    payload: Members,
    client: ClientId,
}

impl<'a> Assertion<'a> {
    /// Reads an assertion's form.
    ///
    /// # Errors
    /// One opaque error for all; its reason is for tests and counters.
    pub fn read(text: &'a str) -> Result<Self, TokenError> {
        let jws = Jws::read(text)?;
        jws.check_header(None)?;
        jws.algorithm()?;
        let payload = jws.payload()?;
        let client = payload.text("sub")?.parse().map_err(|_| Reason::Form("sub"))?;
        Ok(Self { jws, payload, client })
    }

    /// The client that it says it is from.
    pub fn client(&self) -> &ClientId {
        &self.client
    }

    /// Whether one of the keys signed it: the one that it names, or any where it names none. Where there is none to ask, a key of
    /// nobody is, so that it takes as long.
    pub fn is_signed_by_one_of(&self, keys: &[ClientKey]) -> bool {
        let Ok(algorithm) = self.jws.algorithm() else { return false };
        let kid = self.jws.header.text("kid").ok();
        let mut asked = keys.iter().filter(|key| key.alg == algorithm && kid.is_none_or(|kid| kid == key.kid.as_str())).peekable();
        if asked.peek().is_none() {
            let _ = stranger(algorithm).map(|key| self.jws.is_signed_by(key));
            return false;
        }
        asked.any(|key| self.jws.is_signed_by(key) == Ok(true))
    }

    /// Checks the claims of one whose signature holds; answers what must not be taken again.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn check(&self, issuer: &str, now: Instant) -> Result<Once, TokenError> {
        let expires = self.check_claims(issuer, now.seconds())?;
        let jti = name(&self.payload)?;
        let name = Digest::try_from(hashed(&["assertion", self.client.as_str(), jti])).map_err(|_| Reason::Malformed)?;
        Ok(Once { name, until: Instant::from_seconds(expires.saturating_add(LEEWAY_SECONDS).saturating_add(1)) })
    }

    /// Checks whom it is for and its times; answers `exp`.
    fn check_claims(&self, issuer: &str, now: i64) -> Result<i64, Reason> {
        let claims = &self.payload;
        if claims.text("iss")? != self.client.as_str() {
            return Err(Reason::Issuer);
        }
        // A text, and the issuer's own: what is also for others could be brought here by them (CVE-2025-27371).
        if claims.text("aud")? != issuer {
            return Err(Reason::Audience);
        }
        let expires = claims.moment("exp")?;
        if expires.saturating_add(LEEWAY_SECONDS) <= now {
            return Err(Reason::Lifetime);
        }
        let latest = now.saturating_add(LEEWAY_SECONDS);
        let issued = claims.has("iat").then(|| claims.moment("iat")).transpose()?;
        let begins = claims.has("nbf").then(|| claims.moment("nbf")).transpose()?;
        if issued.is_some_and(|at| at > latest) || begins.is_some_and(|at| at > latest) {
            return Err(Reason::NotYet);
        }
        // Without an issue date it is as old as we first see it.
        let lifetime = expires.saturating_sub(issued.unwrap_or(latest));
        if lifetime > MOST_SECONDS { Err(Reason::Lifetime) } else { Ok(expires) }
    }
}

/// The `jti`, by which a text is taken once.
pub(super) fn name(claims: &Members) -> Result<&str, Reason> {
    let jti = claims.text("jti")?;
    if jti.len() <= MOST_NAME { Ok(jti) } else { Err(Reason::Form("jti")) }
}
