//! The canonical policy: a permit's revision as it was put in force, named by its SHA-256.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::agreement::AgreementVersion;
use crate::domain::condition::Condition;
use crate::domain::id::{AgreementId, PersonId, VendorId};
use crate::domain::permit::{LegalBasis, OpenHours, Permit, Revision};
use crate::domain::text::{Digest, FieldName, Slug};
use crate::domain::time::{Date, Instant};
use crate::domain::treatment::Treatment;

use super::leaf::{NotRecordable, sha256_hex};

/// What may be released under one revision of a permit. Its canonical JSON is what is hashed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    pub vendor: VendorId,
    pub agreement: AgreementId,
    pub agreement_version: i32,
    /// When the agreement version begins and ends.
    pub agreement_from: Option<Instant>,
    pub agreement_until: Option<Instant>,
    pub permit: Slug,
    pub revision: i32,
    pub dataset: Slug,
    pub purpose: Slug,
    pub legal_basis: LegalBasis,
    /// Released fields with their treatments; what is not here is withheld.
    pub fields: BTreeMap<FieldName, Treatment>,
    pub condition: Condition,
    pub daily_rows: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily_subjects: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_hours: Option<OpenHours>,
    pub starts_on: Option<Date>,
    pub ends_on: Option<Date>,
    pub author: PersonId,
    pub approver: Option<PersonId>,
}

impl Policy {
    /// The policy of a revision under its agreement version.
    pub fn of(permit: &Permit, revision: &Revision, version: &AgreementVersion) -> Self {
        let (agreement_from, agreement_until) = match &version.status {
            crate::domain::agreement::VersionStatus::Signed { from, until } => (Some(*from), *until),
            crate::domain::agreement::VersionStatus::Draft
            | crate::domain::agreement::VersionStatus::InReview { .. }
            | crate::domain::agreement::VersionStatus::Approved { .. }
            | crate::domain::agreement::VersionStatus::Superseded { .. }
            | crate::domain::agreement::VersionStatus::Terminated { .. } => (None, None),
        };
        let terms = &revision.terms;
        Self {
            vendor: permit.vendor.clone(),
            agreement: permit.agreement.clone(),
            agreement_version: version.number,
            agreement_from,
            agreement_until,
            permit: permit.key.clone(),
            revision: revision.number,
            dataset: terms.dataset.clone(),
            purpose: terms.purpose.clone(),
            legal_basis: terms.legal_basis,
            fields: terms.released().map(|(name, treatment)| (name.clone(), treatment.clone())).collect(),
            condition: terms.condition.clone(),
            daily_rows: terms.daily_rows,
            daily_subjects: terms.daily_subjects,
            requests_per_minute: terms.requests_per_minute,
            open_hours: terms.open_hours.clone(),
            starts_on: terms.starts_on,
            ends_on: terms.ends_on,
            author: revision.author.clone(),
            approver: revision.approver.clone(),
        }
    }

    /// The canonical bytes and their SHA-256.
    pub fn canonical(&self) -> Result<(Vec<u8>, Digest), NotRecordable> {
        let bytes = serde_json_canonicalizer::to_vec(self).map_err(|_| NotRecordable::NotCanonical)?;
        let digest = Digest::try_from(sha256_hex(&bytes)).map_err(|_| NotRecordable::NotCanonical)?;
        Ok((bytes, digest))
    }
}

/// The `policy` entry: the policy itself, or where that would not fit a leaf its name and what it is about; the body
/// is then told by the permit's revision and checked by the digest.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InForce {
    /// SHA-256 of the canonical policy.
    pub sha256: Digest,
    #[serde(flatten)]
    pub said: Said,
    pub actor: String,
}

/// How much of a policy its entry says.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    Policy(Box<Policy>),
    LargePolicy(Named),
}

/// What a policy is about.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Named {
    pub vendor: VendorId,
    pub permit: Slug,
    pub revision: i32,
    pub dataset: Slug,
    pub purpose: Slug,
}

/// The most bytes of canonical JSON that are said in the entry itself; a leaf holds 65,535 with all else in it.
const MOST_SAID: usize = 60_000;

impl InForce {
    /// The entry of a policy that comes into force.
    pub fn of(policy: Policy, actor: String) -> Result<Self, NotRecordable> {
        let (bytes, sha256) = policy.canonical()?;
        let said = if bytes.len() <= MOST_SAID { Said::Policy(Box::new(policy)) } else { Said::LargePolicy(Named::of(&policy)) };
        Ok(Self { sha256, said, actor })
    }

    /// What the policy is about.
    pub fn named(&self) -> Named {
        match &self.said {
            Said::Policy(policy) => Named::of(policy),
            Said::LargePolicy(named) => named.clone(),
        }
    }
}

impl Named {
    fn of(policy: &Policy) -> Self {
        Self {
            vendor: policy.vendor.clone(),
            permit: policy.permit.clone(),
            revision: policy.revision,
            dataset: policy.dataset.clone(),
            purpose: policy.purpose.clone(),
        }
    }
}
