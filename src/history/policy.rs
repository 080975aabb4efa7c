//! The canonical policy: a permit's revision as it was put in force, named by its SHA-256.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::agreement::AgreementVersion;
use crate::domain::condition::Condition;
use crate::domain::id::{AgreementId, PersonId, VendorId};
use crate::domain::permit::{LegalBasis, Permit, Revision};
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

/// The `policy` entry.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InForce {
    /// SHA-256 of the canonical policy.
    pub sha256: Digest,
    pub policy: Policy,
    pub actor: String,
}
