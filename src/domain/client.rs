//! A vendor's machine identity and the tokens issued to it.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::address::{self, AddressRange};
use super::client_key::ClientKey;
use super::id::{ClientId, TokenId, VendorId};
use super::text::{Name, Slug, Thumbprint};
use super::time::Instant;

/// How a client proves who it is: in one way only, so that a stolen secret is of no use where keys are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Authentication {
    /// `client_secret_basic` and `client_secret_post` (RFC 6749 §2.3.1).
    Secret,
    /// `private_key_jwt` (RFC 7523) by keys that are kept here.
    Keys { keys: Vec<ClientKey> },
    /// `private_key_jwt` by keys that the vendor publishes at an address.
    KeysAt { uri: String },
}

impl Authentication {
    /// The wire name of its kind.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Keys { .. } => "keys",
            Self::KeysAt { .. } => "keys_at",
        }
    }
}

/// Whether a client's tokens must be bound to a key that it proves to hold with each request (DPoP, RFC 9449).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Binding {
    /// As the client likes: it sends proofs or it does not.
    #[default]
    Optional,
    /// No token without, and none is taken without.
    Required,
}

impl Binding {
    /// The wire name.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Optional => "optional",
            Self::Required => "required",
        }
    }

    /// Reads the wire name.
    pub fn from_key(key: &str) -> Option<Self> {
        [Self::Optional, Self::Required].into_iter().find(|binding| binding.key() == key)
    }
}

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
    pub authentication: Authentication,
    /// Whether its tokens are bound to a key.
    pub dpop: Binding,
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

    /// Whether a token of this client may be used as it is bound, or not bound, to a key.
    pub fn takes(&self, token: &Token) -> bool {
        match self.dpop {
            Binding::Optional => true,
            Binding::Required => token.bound_to.is_some(),
        }
    }

    /// Whether the client may ask from an address.
    pub fn may_ask_from(&self, address: IpAddr) -> bool {
        address::admits(&self.addresses, address)
    }
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// An access token that the client asked for, signed, for minutes.
    Access,
    /// A plain bearer token for a vendor without OAuth, issued by the staff, for as long as they chose.
    Plain,
}

impl TokenKind {
    /// The wire name.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Plain => "plain",
        }
    }

    /// Reads the wire name.
    pub fn from_key(key: &str) -> Option<Self> {
        [Self::Access, Self::Plain].into_iter().find(|kind| kind.key() == key)
    }
}

/// A token as it is kept: never the token itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Token {
    /// Of an access token its `jti`.
    pub id: TokenId,
    pub kind: TokenKind,
    pub client: ClientId,
    pub vendor: VendorId,
    /// The permits it names.
    pub scope: Vec<Slug>,
    /// The key that its bearer must prove to hold (`cnf.jkt`).
    #[schema(value_type = Option<String>)]
    pub bound_to: Option<Thumbprint>,
    pub issued_at: Instant,
    pub expires_at: Instant,
    pub revoked_at: Option<Instant>,
}
