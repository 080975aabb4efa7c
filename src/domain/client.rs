//! A vendor's machine identity and the tokens issued to it.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::address::{self, AddressRange};
use super::id::{ClientId, TokenId, VendorId};
use super::text::{Name, Slug};
use super::time::Instant;

/// A client. Its secret is shown once; only the digest is kept, and only in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Client {
    /// The OAuth `client_id`.
    pub id: ClientId,
    pub vendor: VendorId,
    pub name: Name,
    /// The permits it may ask for; none given means every permit of its vendor.
    #[schema(value_type = Option<Vec<Slug>>)]
    pub permits: Option<BTreeSet<Slug>>,
    /// From where it may ask; none given means from everywhere.
    pub addresses: Vec<AddressRange>,
    pub created_at: Instant,
    pub revoked_at: Option<Instant>,
    /// Until when the secret before its present one is taken too.
    pub old_secret_until: Option<Instant>,
    pub version: i64,
}

impl Client {
    /// Whether the client may ask for a permit of its vendor.
    pub fn may_ask(&self, permit: &Slug) -> bool {
        self.permits.as_ref().is_none_or(|permits| permits.contains(permit))
    }

    /// Whether the client may ask from an address.
    pub fn may_ask_from(&self, address: IpAddr) -> bool {
        address::admits(&self.addresses, address)
    }
}

/// A token as it is kept: never the token itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Token {
    /// The JWT's `jti`.
    pub id: TokenId,
    pub client: ClientId,
    pub vendor: VendorId,
    /// The permits it names.
    pub scope: Vec<Slug>,
    pub issued_at: Instant,
    pub expires_at: Instant,
    pub revoked_at: Option<Instant>,
}
