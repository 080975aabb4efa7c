//! Links by which a vendor's people collect what is shown once: a client's secret or a plain token.

use serde::Serialize;
use utoipa::ToSchema;

use super::id::{ClientId, TokenId};
use super::time::Instant;

/// How long a link is good, in seconds: 7 days.
pub const LINK_SECONDS: i64 = 7 * 24 * 3_600;

/// A link. What it shows is made at the moment it is used, so nobody holds it before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ActivationLink {
    pub client: ClientId,
    /// The plain token that it shows; without one it shows a new secret of the client.
    pub token: Option<TokenId>,
    /// How long the secret before is taken once the new one was collected.
    pub grace_seconds: i64,
    pub created_at: Instant,
    pub ends_at: Instant,
    pub used_at: Option<Instant>,
}

impl ActivationLink {
    /// Whether it can still be used.
    pub fn holds(&self, now: Instant) -> bool {
        self.used_at.is_none() && now < self.ends_at
    }
}
