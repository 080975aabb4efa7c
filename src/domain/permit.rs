//! A permit: dataset, purpose, legal basis, a treatment per field, row condition, quota, dates.
//! Its key is the OAuth scope and survives its revisions.

mod hours;

use std::collections::{BTreeMap, BTreeSet};

pub use hours::{OpenHours, TimeOfDay, Weekday};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Invalid;
use super::condition::Condition;
use super::dataset::{Dataset, Field, FieldClass, LogicalType};
use super::hierarchy::KnownHierarchies;
use super::id::{AgreementId, PersonId, VendorId};
use super::text::{Digest, FieldName, Prose, Slug};
use super::time::{Date, Instant};
use super::treatment::Treatment;
use super::vocabulary::Vocabulary;

/// Why the processing is lawful (GDPR Art. 6(1)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LegalBasis {
    Consent,
    Contract,
    LegalObligation,
    VitalInterests,
    PublicTask,
    LegitimateInterests,
}

impl LegalBasis {
    /// The wire name.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Consent => "consent",
            Self::Contract => "contract",
            Self::LegalObligation => "legal_obligation",
            Self::VitalInterests => "vital_interests",
            Self::PublicTask => "public_task",
            Self::LegitimateInterests => "legitimate_interests",
        }
    }
}

/// What one revision of a permit says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PermitTerms {
    /// Name of the dataset.
    pub dataset: Slug,
    /// Key of the vocabulary; one of the agreement's purposes.
    pub purpose: Slug,
    pub legal_basis: LegalBasis,
    /// The documented instruction of the agreement that this permit carries out (Art. 28(3)(a)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instruction: Option<Prose>,
    /// A field that is not here is withheld.
    #[schema(value_type = std::collections::HashMap<String, Treatment>)]
    pub fields: BTreeMap<FieldName, Treatment>,
    #[serde(default)]
    pub condition: Condition,
    /// Rows that may leave in one UTC day.
    pub daily_rows: u64,
    /// Distinct subjects that may leave in one UTC day; none means as many as the rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily_subjects: Option<u64>,
    /// Pages and streams in one minute of the clock; none means as many as are asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u64>,
    /// When rows may leave; none means at any time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_hours: Option<OpenHours>,
    /// First day; none means from the agreement's first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_on: Option<Date>,
    /// Last day, itself included; none means to the agreement's last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_on: Option<Date>,
}

/// The most rows a day that a quota may name: what a canonical JSON number still holds exactly.
pub const MOST_DAILY_ROWS: u64 = 9_007_199_254_740_991;

/// The most subjects a day that a limit may name: each is kept until the day is over.
pub const MOST_DAILY_SUBJECTS: u64 = 10_000_000;
/// The most requests a minute that a limit may name.
pub const MOST_REQUESTS_PER_MINUTE: u64 = 1_000_000;

impl PermitTerms {
    /// Checks the terms against the dataset they are about. Treatments that do not fit a field's type are
    /// refused here, when the permit is written, not when data flows.
    pub fn check(&self, dataset: &Dataset, vocabulary: &Vocabulary) -> Result<(), Invalid> {
        vocabulary.known_purpose(&self.purpose)?;
        if self.daily_rows == 0 || self.daily_rows > MOST_DAILY_ROWS {
            return Err(Invalid::new("daily_rows", "must be at least 1; pause the permit to release nothing"));
        }
        for (name, limit, most) in [
            ("daily_subjects", self.daily_subjects, MOST_DAILY_SUBJECTS),
            ("requests_per_minute", self.requests_per_minute, MOST_REQUESTS_PER_MINUTE),
        ] {
            if limit.is_some_and(|limit| limit == 0 || limit > most) {
                return Err(Invalid::new(name, format!("must be 1 to {most}; leave it out where there is no such limit")));
            }
        }
        self.open_hours.as_ref().map_or(Ok(()), OpenHours::check)?;
        if let (Some(start), Some(end)) = (self.starts_on, self.ends_on)
            && end < start
        {
            return Err(Invalid::new("ends_on", "must not be before starts_on"));
        }
        let mut released = 0_usize;
        for (name, treatment) in &self.fields {
            let at = format!("fields.{name}");
            let field = dataset.field(name.as_str()).ok_or_else(|| Invalid::new(&at, "is not a field of the dataset"))?;
            if treatment.released_type(field.logical).map_err(|error| error.within(&at))?.is_some() {
                released = released.saturating_add(1);
            }
        }
        if released == 0 {
            return Err(Invalid::new("fields", "must release at least one field"));
        }
        self.condition.typed(|name| dataset.field(name.as_str()).map(|field| field.logical))?;
        Ok(())
    }

    /// Checks that the hierarchies, versions and levels that treatments name are among those that there are.
    pub fn check_hierarchies(&self, known: &KnownHierarchies) -> Result<(), Invalid> {
        for (name, treatment) in &self.fields {
            known.check(treatment).map_err(|error| error.within(&format!("fields.{name}")))?;
        }
        known.check_size()
    }

    /// The released fields with their treatments, in name order.
    pub fn released(&self) -> impl Iterator<Item = (&FieldName, &Treatment)> {
        self.fields.iter().filter(|(_, treatment)| !matches!(treatment, Treatment::Withhold))
    }

    /// The data categories of what is released, and of what rows are chosen by: a choice tells the value.
    pub fn categories(&self, dataset: &Dataset) -> BTreeSet<Slug> {
        let chosen = self.condition.clauses().map(|clause| &clause.field);
        let names = self.released().map(|(name, _)| name).chain(chosen);
        names.filter_map(|name| dataset.field(name.as_str())).map(|field| field.category.clone()).collect()
    }

    /// Direct identifiers that go out as they are, or so that most values would: each needs the privacy officer's tick.
    /// A shortened or rounded identifier can be the whole of it, so only what certainly hides it goes without.
    pub fn clear_identifiers(&self, dataset: &Dataset) -> BTreeSet<FieldName> {
        self.released()
            .filter(|(name, treatment)| dataset.field(name.as_str()).is_some_and(|field| shows_identity(field, treatment)))
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// The released type of a field, `None` when it is withheld or unknown.
    pub fn released_type(&self, name: &FieldName, dataset: &Dataset) -> Option<LogicalType> {
        let treatment = self.fields.get(name)?;
        treatment.released_type(dataset.field(name.as_str())?.logical).ok().flatten()
    }
}

/// Whether a treatment lets a direct identifier go out as it is, or so that most values would.
pub fn shows_identity(field: &Field, treatment: &Treatment) -> bool {
    field.class == FieldClass::DirectIdentifier && !treatment.hides_identity()
}

/// How a revision compares with the one it follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Nothing more leaves than before: acts at once, by one manager.
    Narrowing,
    /// Something more leaves: needs a privacy officer.
    Widening,
}

/// Compares new terms with the ones in force. Dataset, purpose and basis are what the key stands for and can't change.
pub fn compare(old: &PermitTerms, new: &PermitTerms) -> Result<Change, Invalid> {
    let fixed = [
        ("dataset", old.dataset == new.dataset),
        ("purpose", old.purpose == new.purpose),
        ("legal_basis", old.legal_basis == new.legal_basis),
    ];
    if let Some((field, _)) = fixed.iter().find(|(_, same)| !same) {
        return Err(Invalid::new(*field, "can not change in a revision: write another permit"));
    }
    let strict = new.released().all(|(name, treatment)| old.fields.get(name).is_some_and(|before| treatment.at_least_as_strict_as(before)));
    let starts = match (old.starts_on, new.starts_on) {
        (None, _) => true,
        (Some(old), Some(new)) => new >= old,
        (Some(_), None) => false,
    };
    let ends = match (old.ends_on, new.ends_on) {
        (None, _) => true,
        (Some(old), Some(new)) => new <= old,
        (Some(_), None) => false,
    };
    let at_most = |old: Option<u64>, new: Option<u64>| old.is_none_or(|old| new.is_some_and(|new| new <= old));
    let hours = old.open_hours.as_ref().is_none_or(|old| new.open_hours.as_ref().is_some_and(|new| new.within(old)));
    let narrows = strict
        && at_most(old.daily_subjects, new.daily_subjects)
        && at_most(old.requests_per_minute, new.requests_per_minute)
        && hours
        && starts
        && ends
        && new.daily_rows <= old.daily_rows
        && new.condition.narrows(&old.condition, |name| matches!(old.fields.get(name), Some(Treatment::Clear)));
    Ok(if narrows { Change::Narrowing } else { Change::Widening })
}

/// Where a revision stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RevisionStatus {
    /// Written with a draft agreement version, or waiting for a privacy officer.
    Proposed,
    /// What the permit says from `in_force_at` on; until then it waits for its agreement version to begin.
    InForce,
    Superseded,
    Rejected,
}

impl RevisionStatus {
    /// The wire name.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::InForce => "in_force",
            Self::Superseded => "superseded",
            Self::Rejected => "rejected",
        }
    }

    /// Reads the wire name.
    pub fn from_key(key: &str) -> Option<Self> {
        [Self::Proposed, Self::InForce, Self::Superseded, Self::Rejected].into_iter().find(|status| status.key() == key)
    }
}

/// One revision. Terms never change once it is in force.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Revision {
    pub permit: Slug,
    /// From 1.
    pub number: i32,
    /// The agreement version it was written under.
    pub agreement_version: i32,
    pub terms: PermitTerms,
    pub status: RevisionStatus,
    /// SHA-256 of the canonical policy put in force; see the history.
    pub policy: Option<Digest>,
    /// Who wrote it last.
    pub author: PersonId,
    /// Everyone who wrote in it; none of them approves it.
    #[schema(value_type = Vec<PersonId>)]
    pub authors: BTreeSet<PersonId>,
    pub approver: Option<PersonId>,
    pub created_at: Instant,
    pub in_force_at: Option<Instant>,
    /// Raised at each save.
    pub version: i64,
}

impl Revision {
    /// Whether it was put in force and its time has come; a later one can have taken over since.
    pub fn begun_at(&self, now: Instant) -> bool {
        self.status == RevisionStatus::InForce && self.in_force_at.is_some_and(|at| at <= now)
    }
}

/// The revision in force: of those put in force, the one whose time came last.
pub fn in_force(revisions: &[Revision], now: Instant) -> Option<&Revision> {
    revisions.iter().filter(|revision| revision.begun_at(now)).max_by_key(|revision| (revision.in_force_at, revision.number))
}

/// A permit across its revisions.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Permit {
    /// The OAuth scope.
    pub key: Slug,
    pub agreement: AgreementId,
    pub vendor: VendorId,
    pub paused_at: Option<Instant>,
    pub ended_at: Option<Instant>,
    pub version: i64,
}

#[cfg(test)]
mod tests;
