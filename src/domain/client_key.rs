//! Public keys of clients, by which a client proves who it is or what a token is bound to: never a private one.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Invalid;
use super::text::{Digest, KeyName};
use super::time::Instant;

/// The most keys that a client may have at once.
pub const MOST_KEYS: usize = 10;

/// How a key signs: one algorithm for each key (RFC 7518 §3.1, RFC 8037 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub enum KeyAlgorithm {
    ES256,
    ES384,
    EdDSA,
    RS256,
    PS256,
}

impl KeyAlgorithm {
    /// Every algorithm that is taken.
    pub const ALL: [Self; 5] = [Self::ES256, Self::ES384, Self::EdDSA, Self::RS256, Self::PS256];

    /// The wire name.
    pub const fn key(self) -> &'static str {
        match self {
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::EdDSA => "EdDSA",
            Self::RS256 => "RS256",
            Self::PS256 => "PS256",
        }
    }

    /// Every name that an algorithm goes by.
    pub const NAMES: [&str; 6] = ["ES256", "ES384", "EdDSA", "Ed25519", "RS256", "PS256"];

    /// Reads the wire name. RFC 9864 gives `EdDSA` with an Ed25519 key the name `Ed25519`.
    pub fn from_key(key: &str) -> Option<Self> {
        let key = if key == "Ed25519" { Self::EdDSA.key() } else { key };
        Self::ALL.into_iter().find(|algorithm| algorithm.key() == key)
    }
}

/// A public key as a JSON Web Key (RFC 7517), with what its kind has and nothing else. What others send is read by
/// `token::client_key` only, which checks it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientKey {
    #[schema(value_type = String)]
    pub kid: KeyName,
    /// `EC`, `OKP` or `RSA`.
    pub kty: String,
    pub alg: KeyAlgorithm,
    /// `P-256`, `P-384` or `Ed25519`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crv: Option<String>,
    /// Base64url, as the next three.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
}

/// Checks a list of keys: some, not too many, and each name once.
pub fn check(keys: &[ClientKey]) -> Result<(), Invalid> {
    let mut names: Vec<&KeyName> = keys.iter().map(|key| &key.kid).collect();
    names.sort_unstable();
    names.dedup();
    if keys.is_empty() || keys.len() > MOST_KEYS {
        return Err(Invalid::new("keys", format!("must be 1 to {MOST_KEYS} public keys")));
    }
    if names.len() == keys.len() { Ok(()) } else { Err(Invalid::new("keys", "must have names (kid) of their own: two have the same")) }
}

/// Something that is taken once: what another party named it, hashed with who named it, and until when it has to be
/// remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    pub name: Digest,
    /// After it the thing is refused for its age.
    pub until: Instant,
}
