//! One due-diligence round of a vendor; once decided it is never edited.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::id::{AssessmentId, PersonId, VendorId};
use super::questionnaire::{Answers, Score, Template};
use super::text::{Prose, Slug};
use super::time::Instant;

/// What a round looks into. One open round per kind and vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AssessmentKind {
    /// The round that the release gate rests on.
    Security,
    Privacy,
    Legal,
}

impl AssessmentKind {
    /// The wire name.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Security => "security",
            Self::Privacy => "privacy",
            Self::Legal => "legal",
        }
    }

    /// Reads the wire name.
    pub fn from_key(key: &str) -> Option<Self> {
        [Self::Security, Self::Privacy, Self::Legal].into_iter().find(|kind| kind.key() == key)
    }
}

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Approved,
    ApprovedWithConditions,
    Rejected,
}

impl Verdict {
    /// The wire name.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::ApprovedWithConditions => "approved_with_conditions",
            Self::Rejected => "rejected",
        }
    }
}

/// A decision by a person who does not own the vendor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Decision {
    pub verdict: Verdict,
    pub rationale: Prose,
    /// Required with `approved_with_conditions`.
    pub conditions: Vec<Prose>,
    pub by: PersonId,
    pub at: Instant,
    /// The end of the approval; from the tier. A rejection has none.
    pub valid_until: Option<Instant>,
}

/// Where a round stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum AssessmentStatus {
    Draft,
    Sent,
    InProgress,
    Submitted { by: PersonId, at: Instant },
    InReview { by: PersonId, at: Instant },
    Decided(Decision),
    Cancelled { at: Instant },
}

impl AssessmentStatus {
    /// The wire name of the state.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Sent => "sent",
            Self::InProgress => "in_progress",
            Self::Submitted { .. } => "submitted",
            Self::InReview { .. } => "in_review",
            Self::Decided(_) => "decided",
            Self::Cancelled { .. } => "cancelled",
        }
    }

    /// What was decided, once it was.
    pub const fn decision(&self) -> Option<&Decision> {
        match self {
            Self::Decided(decision) => Some(decision),
            Self::Draft | Self::Sent | Self::InProgress | Self::Submitted { .. } | Self::InReview { .. } | Self::Cancelled { .. } => None,
        }
    }

    /// Whether the round still runs.
    pub const fn is_open(&self) -> bool {
        !matches!(self, Self::Decided(_) | Self::Cancelled { .. })
    }
}

/// A due-diligence round.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Assessment {
    pub id: AssessmentId,
    pub vendor: VendorId,
    pub kind: AssessmentKind,
    /// Key of the questionnaire.
    pub template: Slug,
    #[serde(flatten)]
    pub status: AssessmentStatus,
    /// The questions as they stood when the round was sent.
    pub questionnaire: Option<Template>,
    pub answers: Answers,
    /// Computed when the answers are submitted, and kept.
    pub score: Option<Score>,
    pub opened_by: PersonId,
    pub opened_at: Instant,
    pub version: i64,
}
