//! Access tokens (RFC 9068): what Tidegate signs is all that it accepts, and nothing is left to a library's defaults.

use std::fmt;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::{Deserialize, Serialize};

use crate::domain::secret::PlainSecret;
use crate::domain::text::Thumbprint;

pub mod assertion;
pub mod client_key;
mod jws;
mod members;
pub mod proof;
mod public;
mod remembered;
mod strangers;
mod verify;

#[cfg(test)]
mod tests;

pub use public::jwks;
pub use remembered::Remembered;
pub use verify::{Verified, Verifier, key_named};

/// The longest life of a token in seconds, from `iat` to `exp`.
pub const MOST_LIFETIME_SECONDS: i64 = 900;
/// How far clocks of brokers may differ, in seconds.
pub const LEEWAY_SECONDS: i64 = 10;
/// The longest token in bytes; servers in front of us cut longer headers off.
pub const MOST_BYTES: usize = 8 * 1024;

/// Who issues the tokens and whom they are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// `iss`: the public URL.
    pub issuer: String,
    /// `aud`: always this one text.
    pub audience: String,
}

/// All claims of a token; it has no others. In a [`Verified`] token each has the form of its domain type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    /// The vendor's id.
    pub sub: String,
    pub client_id: String,
    pub jti: String,
    /// Seconds since 1970, as the next two.
    pub iat: i64,
    pub nbf: i64,
    pub exp: i64,
    /// Keys of the permits with a space between, at least one.
    pub scope: String,
    /// The key that the token is bound to, where it is to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
}

/// What a bearer must prove (RFC 7800, RFC 9449 §6.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirmation {
    pub jkt: Thumbprint,
}

/// The key that signs now. Its `Debug` shows the name only.
#[derive(Clone)]
pub struct ActiveKey {
    kid: String,
    private: EncodingKey,
}

impl ActiveKey {
    /// Takes a P-256 private key as PKCS#8, DER, and the name under which its public half is published.
    ///
    /// # Errors
    /// [`Reason::OurKey`] where the key can't sign.
    pub fn new(kid: String, private_der: &[u8]) -> Result<Self, TokenError> {
        let private = EncodingKey::from_ec_der(private_der);
        // The library reads the key at each use; better to learn at the start that it can't.
        jsonwebtoken::crypto::sign(b"", &private, Algorithm::ES256).map_err(|_| Reason::OurKey)?;
        Ok(Self { kid, private })
    }
}

impl fmt::Debug for ActiveKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("ActiveKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// A token that is not good, or could not be made. The message is the same for every reason, so that it can go on
/// the wire and teach a forger nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the access token is not valid")]
pub struct TokenError(Reason);

impl TokenError {
    /// The reason, for tests and counters; not for the wire.
    pub const fn reason(self) -> Reason {
        self.0
    }
}

impl From<Reason> for TokenError {
    fn from(reason: Reason) -> Self {
        Self(reason)
    }
}

/// Why a token is refused. Holds names of members, never their values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Above [`MOST_BYTES`].
    TooLarge,
    /// Not three base64url parts, or a part is no JSON object in UTF-8.
    Malformed,
    /// A member occurs twice, so that two readers could read two tokens.
    Duplicate,
    /// `typ` is absent or another than `at+jwt`.
    Type,
    /// `alg` is not the one algorithm of the keys.
    Algorithm,
    /// `crit` is there; no extension is understood.
    Critical,
    /// The header brings or points to a key of its own.
    EmbeddedKey,
    /// No key of ours has that name.
    UnknownKey,
    /// A header or claim that our tokens do not have.
    Unknown,
    Signature,
    /// A claim is absent.
    Missing(&'static str),
    /// A claim is of another type or form.
    Form(&'static str),
    Issuer,
    Audience,
    /// `nbf` or `iat` lies in the future.
    NotYet,
    /// From `iat` to `exp` is nothing, or longer than [`MOST_LIFETIME_SECONDS`].
    Lifetime,
    /// A private or public key of our own can't be used.
    OurKey,
    /// A public key that somebody else brought can't be used.
    TheirKey,
}

/// Signs a token: ES256, `typ: at+jwt`, the key's name, no other header.
///
/// # Errors
/// [`Reason::Lifetime`] and [`Reason::Form`] for claims that no verifier would accept, [`Reason::TooLarge`] for
/// too many permits, [`Reason::OurKey`] for a key that can't sign.
pub fn sign(key: &ActiveKey, claims: &Claims) -> Result<PlainSecret, TokenError> {
    claims.check_lifetime()?;
    verify::check_scope(&claims.scope)?;
    let mut header = Header::new(Algorithm::ES256);
    header.typ = Some("at+jwt".to_owned());
    header.kid = Some(key.kid.clone());
    let jwt = jsonwebtoken::encode(&header, claims, &key.private).map_err(|_| Reason::OurKey)?;
    if jwt.len() > MOST_BYTES { Err(Reason::TooLarge.into()) } else { Ok(PlainSecret::new(jwt)) }
}

impl Claims {
    fn check_lifetime(&self) -> Result<(), Reason> {
        let lifetime = self.exp.saturating_sub(self.iat);
        if (1..=MOST_LIFETIME_SECONDS).contains(&lifetime) { Ok(()) } else { Err(Reason::Lifetime) }
    }
}
