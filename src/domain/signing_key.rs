//! The life of a key that signs tokens: published, then signing, then verifying until its last token is over.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::text::{Kid, Reason};
use super::time::Instant;

/// How long others may keep the published set before they ask for it again, in seconds: `max-age` of the key set.
pub const CACHE_SECONDS: i64 = 300;

/// How long a new key is published before it signs, in seconds. Twice the cache's age: whoever read the set just before
/// the key was in it has read it again by then, and once more should that have failed.
pub const HEAD_START_SECONDS: i64 = 2 * CACHE_SECONDS;

/// A signing key without its private half.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKey {
    pub kid: Kid,
    /// The public half as a JSON Web Key, one line of JSON.
    pub public: String,
    /// Since when it is published.
    pub made_at: Instant,
    /// From when on it signs.
    pub signs_from: Instant,
    /// From when on it signs no more; none while no other key follows it.
    pub retired_at: Option<Instant>,
    /// When its last token is over: it leaves the published set and verifies no more.
    pub leaves_at: Option<Instant>,
    pub revoked: Option<RevokedKey>,
}

/// When a key was revoked, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevokedKey {
    pub at: Instant,
    pub reason: Reason,
}

/// Where a key stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// Published, and not signing yet.
    Waiting,
    Signing,
    /// Signs no more; its tokens are good until they expire.
    Verifying,
    /// Its last token is over.
    Over,
    /// None of its tokens is good.
    Revoked,
}

impl SigningKey {
    /// Where it stands at an instant.
    pub fn state(&self, now: Instant) -> KeyState {
        if self.revoked.is_some() {
            KeyState::Revoked
        } else if self.leaves_at.is_some_and(|at| at <= now) {
            KeyState::Over
        } else if self.retired_at.is_some_and(|at| at <= now) {
            KeyState::Verifying
        } else if now < self.signs_from {
            KeyState::Waiting
        } else {
            KeyState::Signing
        }
    }

    /// Whether the key set holds it: all that may sign, or whose tokens may still be good.
    pub fn is_published(&self, now: Instant) -> bool {
        matches!(self.state(now), KeyState::Waiting | KeyState::Signing | KeyState::Verifying)
    }
}

/// The key that signs at an instant: of those that do, the one that began last.
pub fn signing(keys: &[SigningKey], now: Instant) -> Option<&SigningKey> {
    keys.iter().filter(|key| key.state(now) == KeyState::Signing).max_by_key(|key| key.signs_from)
}

/// The key that is published and does not sign yet.
pub fn waiting(keys: &[SigningKey], now: Instant) -> Option<&SigningKey> {
    keys.iter().find(|key| key.state(now) == KeyState::Waiting)
}
