//! The staff: who a person is and which role they hold.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::id::{ApiKeyId, ClientId, PersonId};
use super::text::{Email, Name};
use super::time::Instant;

/// What a person is there to do. One role a person: duties stay separate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Runs the installation: people and keys. Decides nothing about data.
    Administrator,
    /// Registers vendors, assesses them, drafts agreements, issues access.
    VendorManager,
    /// The second pair of eyes: decides assessments, approves agreements and widenings.
    PrivacyOfficer,
    /// Keeps the catalogue: sources, datasets, field classes.
    DataSteward,
    /// Reads everything, changes nothing.
    ComplianceReviewer,
}

impl Role {
    /// Every role, in the order pages list them.
    pub const ALL: [Self; 5] =
        [Self::Administrator, Self::VendorManager, Self::PrivacyOfficer, Self::DataSteward, Self::ComplianceReviewer];

    /// The wire name.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::VendorManager => "vendor_manager",
            Self::PrivacyOfficer => "privacy_officer",
            Self::DataSteward => "data_steward",
            Self::ComplianceReviewer => "compliance_reviewer",
        }
    }

    /// Reads the wire name.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.key() == key)
    }
}

/// A member of the staff. The password's hash lives in the store only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Person {
    pub id: PersonId,
    pub email: Email,
    pub name: Name,
    pub role: Role,
    pub created_at: Instant,
    pub disabled_at: Option<Instant>,
    pub version: i64,
}

/// A staff API key as lists show it: never the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ApiKey {
    pub id: ApiKeyId,
    pub person: PersonId,
    pub label: Name,
    pub created_at: Instant,
    pub expires_at: Option<Instant>,
    pub revoked_at: Option<Instant>,
}

/// Who does an act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A signed-in member of the staff.
    Person { id: PersonId, role: Role },
    /// The operator at the command line of the machine itself.
    Operator,
    /// A vendor's machine, on what is its own.
    Client(ClientId),
    /// A timer of the program.
    System,
}

impl Actor {
    /// The opaque name that the history bears.
    pub fn history_name(&self) -> &str {
        match self {
            Self::Person { id, .. } => id.as_str(),
            Self::Client(id) => id.as_str(),
            Self::Operator => "operator",
            Self::System => "system",
        }
    }

    /// The person, when it is one.
    pub fn person(&self) -> Option<&PersonId> {
        match self {
            Self::Person { id, .. } => Some(id),
            Self::Operator | Self::Client(_) | Self::System => None,
        }
    }
}
