//! Gates: what a release rests on. A refusal names the one that closed.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A gate, in the order in which a refusal names the first closed one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    Token,
    Client,
    Vendor,
    DueDiligence,
    Subprocessor,
    Agreement,
    Permit,
    Purpose,
    Consent,
    DatasetDrift,
    Quota,
}

impl Gate {
    /// Every gate, by precedence.
    pub const ALL: [Self; 11] = [
        Self::Token,
        Self::Client,
        Self::Vendor,
        Self::DueDiligence,
        Self::Subprocessor,
        Self::Agreement,
        Self::Permit,
        Self::Purpose,
        Self::Consent,
        Self::DatasetDrift,
        Self::Quota,
    ];

    /// The wire name.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Client => "client",
            Self::Vendor => "vendor",
            Self::DueDiligence => "due_diligence",
            Self::Subprocessor => "subprocessor",
            Self::Agreement => "agreement",
            Self::Permit => "permit",
            Self::Purpose => "purpose",
            Self::Consent => "consent",
            Self::DatasetDrift => "dataset_drift",
            Self::Quota => "quota",
        }
    }

    /// Reads the wire name.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|gate| gate.key() == key)
    }
}

/// Why no data left: the gate, and a sentence that a vendor may read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Refusal {
    pub gate: Gate,
    /// What is closed and who can reopen it; a fixed text, never a value.
    pub detail: &'static str,
    /// The clause of the permit that decided it, where one did.
    pub clause: Option<&'static str>,
    /// Seconds after which asking again can help, where that is known.
    pub retry_after: Option<u32>,
}

impl Refusal {
    /// A refusal that time alone does not lift.
    pub const fn new(gate: Gate, detail: &'static str) -> Self {
        Self { gate, detail, clause: None, retry_after: None }
    }
}
