//! Evidence: a file that a vendor's assurance rests on, with its dates.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Invalid;
use super::id::{EvidenceId, PersonId, VendorId};
use super::text::{Digest, Name};
use super::time::{Date, Instant};

/// What kind of paper it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceType {
    Soc2,
    Iso27001,
    PenetrationTest,
    Insurance,
    Policy,
    Other,
}

impl EvidenceType {
    /// Every type.
    pub const ALL: [Self; 6] = [Self::Soc2, Self::Iso27001, Self::PenetrationTest, Self::Insurance, Self::Policy, Self::Other];

    /// The wire name.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Soc2 => "soc2",
            Self::Iso27001 => "iso27001",
            Self::PenetrationTest => "penetration_test",
            Self::Insurance => "insurance",
            Self::Policy => "policy",
            Self::Other => "other",
        }
    }

    /// Reads the wire name.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.key() == key)
    }
}

/// What is said of a file when it is handed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EvidenceFacts {
    /// The file's name as people know it.
    pub name: Name,
    #[serde(rename = "type")]
    pub kind: EvidenceType,
    pub issued: Date,
    /// The last day it holds; none for papers that do not end.
    #[serde(default)]
    pub expires: Option<Date>,
    /// Whether releases rest on it: when it expires and no newer one of its type stands, the gate
    /// `due_diligence` closes.
    #[serde(default)]
    pub mandatory: bool,
}

impl EvidenceFacts {
    /// Dates in order, and nothing issued in the future.
    pub fn check(&self, today: Date) -> Result<(), Invalid> {
        if self.issued > today {
            return Err(Invalid::new("issued", "must not lie in the future"));
        }
        if self.expires.is_some_and(|end| end < self.issued) {
            return Err(Invalid::new("expires", "must not be before the day of issue"));
        }
        Ok(())
    }
}

/// A kept piece of evidence; the bytes are encrypted at rest under their digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Evidence {
    pub id: EvidenceId,
    pub vendor: VendorId,
    #[serde(flatten)]
    pub facts: EvidenceFacts,
    /// SHA-256 of the file as it was handed in.
    pub sha256: Digest,
    pub bytes: i64,
    pub uploaded_by: PersonId,
    pub uploaded_at: Instant,
    /// The privacy officer who read it: with the decision of a round, or by an act of its own. Releases rest on
    /// accepted papers only.
    pub accepted_by: Option<PersonId>,
}

impl Evidence {
    /// Whether it has not run out on that day; the last day counts.
    pub fn holds_on(&self, day: Date) -> bool {
        self.facts.expires.is_none_or(|end| day <= end)
    }
}
