//! What a person said, or what holds for them: consent, objection, restriction, opt-out. Subjects are keyed hashes here;
//! the key of a person is nowhere kept.
//!
//! The fields follow ISO/IEC TS 27560 (consent record information structure) as far as a release can rest on them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::text::{Line, Slug};
use super::time::Instant;

/// What a record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// Consent to one purpose (GDPR Art. 6(1)(a)).
    Consent,
    /// Objection to one purpose (GDPR Art. 21).
    Objection,
    /// Restriction of all processing (GDPR Art. 18).
    Restriction,
    /// Opt-out of sale and sharing, such as by Global Privacy Control (CCPA § 1798.135).
    OptOut,
}

impl Signal {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Consent, Self::Objection, Self::Restriction, Self::OptOut];

    /// The wire name.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Consent => "consent",
            Self::Objection => "objection",
            Self::Restriction => "restriction",
            Self::OptOut => "opt_out",
        }
    }

    /// Reads the wire name.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|signal| signal.key() == key)
    }

    /// Whether it is about one purpose; the others are about every purpose that they apply to.
    pub const fn has_purpose(self) -> bool {
        matches!(self, Self::Consent | Self::Objection)
    }

    /// Whether its standing keeps a person in rather than out.
    pub const fn admits(self) -> bool {
        matches!(self, Self::Consent)
    }
}

/// The keyed hash of a person's key within a subject domain, the same as the subject ledger's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject(pub u64);

/// What is said about whom: of two records on one matter the later event counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Matter {
    pub domain: Slug,
    pub signal: Signal,
    /// None for a signal that has none.
    pub purpose: Option<Slug>,
    pub subject: Subject,
}

/// One event, as a consent platform or a person of the staff reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentRecord {
    /// The reporter's id of this record: sent twice it is kept once.
    pub record: Line,
    pub matter: Matter,
    /// Whether it stands from this event on (given, objected, restricted) or no longer does (withdrawn, lifted).
    pub stands: bool,
    pub event_at: Instant,
    /// When a consent ends by itself.
    pub ends_at: Option<Instant>,
    /// The notice that the person was shown: a version or an address.
    pub notice: Option<Line>,
    /// How it reached the house: a web form, a letter, a browser's signal.
    pub channel: Option<Line>,
    pub jurisdiction: Option<Line>,
}

/// What counts on one matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub stands: bool,
    pub event_at: Instant,
    pub ends_at: Option<Instant>,
}

impl Standing {
    /// Whether it holds at an instant.
    pub fn holds(&self, now: Instant) -> bool {
        self.stands && self.ends_at.is_none_or(|end| now < end)
    }
}
