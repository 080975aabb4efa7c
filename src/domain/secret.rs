//! Secrets have two types: one is shown once, the other is kept.

use std::fmt;

use super::Invalid;
use super::text::Digest;

/// A secret in plain text, to be shown once. Its `Debug` prints `PlainSecret(..)`; it has no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct PlainSecret(String);

impl PlainSecret {
    /// Wraps a text that must not reach a log.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, at the one place that shows or checks it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PlainSecret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("PlainSecret(..)")
    }
}

/// SHA-256 of a generated secret: all that the store accepts. The secrets have 178 bits of entropy,
/// so a plain hash can't be reversed by guessing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretDigest(Digest);

impl SecretDigest {
    /// Takes the digest of a secret.
    pub const fn new(digest: Digest) -> Self {
        Self(digest)
    }

    /// The hexadecimal text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl TryFrom<String> for SecretDigest {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        Digest::try_from(text).map(Self)
    }
}
