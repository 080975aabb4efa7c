//! An agreement as it is shown: every state is the one that is true at that instant.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::agreement::{Agreement, AgreementVersion, Surroundings, VersionStatus};
use crate::domain::id::EvidenceId;
use crate::domain::permit::{Permit, Revision, RevisionStatus};
use crate::domain::text::Slug;
use crate::domain::{Date, Instant, Invalid};
use crate::policy;
use crate::store::{Tx, agreements, evidence, permits, vendors};

use crate::app::AppError;

/// An agreement with all that hangs on it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AgreementView {
    #[serde(flatten)]
    pub agreement: Agreement,
    pub versions: Vec<AgreementVersion>,
    pub permits: Vec<PermitView>,
    /// What is missing before the newest version, if it is a draft, can be submitted.
    pub missing: Vec<Invalid>,
    /// What is allowed but deserves a second look.
    pub warnings: Vec<Invalid>,
    /// Permits that the newest signed version did not take along: their gate is closed, or closes when it begins.
    pub left_behind: Vec<Slug>,
}

/// A permit with its revisions, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PermitView {
    #[serde(flatten)]
    pub permit: Permit,
    pub revisions: Vec<Revision>,
    /// What an approver should know of it.
    pub notices: Vec<&'static str>,
}

impl PermitView {
    /// A permit as it is shown at an instant. Rows leave in the order of their source until releases come from snapshots.
    pub fn new(permit: Permit, revisions: Vec<Revision>, now: Instant) -> Self {
        let notices = vec![policy::matrix::LINKABLE];
        Self { permit, revisions: policy::permit::standing(revisions, now), notices }
    }
}

pub(super) fn view(tx: &mut Tx, agreement: Agreement) -> Result<AgreementView, AppError> {
    let now = tx.now();
    let versions = agreements::versions(tx, &agreement.id)?;
    let permits = with_revisions(tx, &agreement)?;
    let missing = match versions.last() {
        Some(version) if version.status == VersionStatus::Draft => {
            let around = surroundings(tx, &agreement)?;
            policy::agreement::missing(&agreement, version, living(&permits), &around.of(version, now.date()))
        }
        _ => Vec::new(),
    };
    let permits: Vec<PermitView> = permits.into_iter().map(|(permit, revisions)| PermitView::new(permit, revisions, now)).collect();
    let warnings = versions.last().map(|version| version.terms.warnings()).unwrap_or_default();
    let left_behind = left_behind(&versions, &permits);
    Ok(AgreementView { agreement, versions: policy::agreement::standing(versions, now), permits, missing, warnings, left_behind })
}

/// The agreement's permits by key, each with its revisions.
fn with_revisions(tx: &mut Tx, agreement: &Agreement) -> Result<Vec<(Permit, Vec<Revision>)>, AppError> {
    let mut revisions: BTreeMap<Slug, Vec<Revision>> = BTreeMap::new();
    for revision in permits::revisions_by_agreement(tx, &agreement.id)? {
        revisions.entry(revision.permit.clone()).or_default().push(revision);
    }
    let mut own = |permit: &Permit| revisions.remove(&permit.key).unwrap_or_default();
    Ok(permits::list_by_agreement(tx, &agreement.id)?
        .into_iter()
        .map(|permit| {
            let own = own(&permit);
            (permit, own)
        })
        .collect())
}

/// Permits that a version can carry: not ended, and with a revision that is in force or proposed.
fn living(permits: &[(Permit, Vec<Revision>)]) -> usize {
    let lives = |revision: &Revision| matches!(revision.status, RevisionStatus::Proposed | RevisionStatus::InForce);
    permits.iter().filter(|(permit, revisions)| permit.ended_at.is_none() && revisions.iter().any(lives)).count()
}

/// How many permits a version of the agreement can carry.
pub(super) fn living_permits(tx: &mut Tx, agreement: &Agreement) -> Result<usize, AppError> {
    Ok(living(&with_revisions(tx, agreement)?))
}

fn left_behind(versions: &[AgreementVersion], permits: &[PermitView]) -> Vec<Slug> {
    let Some(newest) = versions.iter().rev().find(|version| matches!(version.status, VersionStatus::Signed { .. })) else {
        return Vec::new();
    };
    let carried = |revision: &Revision| revision.agreement_version == newest.number && revision.in_force_at.is_some();
    let lost = |view: &&PermitView| {
        let was_in_force = view.revisions.iter().any(|revision| revision.in_force_at.is_some());
        view.permit.ended_at.is_none() && was_in_force && !view.revisions.iter().any(carried)
    };
    permits.iter().filter(lost).map(|view| view.permit.key.clone()).collect()
}

/// What the rules of an agreement look at, loaded.
pub(super) struct Around {
    pub(super) transfers: bool,
    pub(super) holding: BTreeSet<EvidenceId>,
}

impl Around {
    pub(super) fn of(&self, version: &AgreementVersion, today: Date) -> Surroundings<'_> {
        Surroundings { transfers: self.transfers, holding_evidence: &self.holding, has_document: version.document.is_some(), today }
    }
}

pub(super) fn surroundings(tx: &mut Tx, agreement: &Agreement) -> Result<Around, AppError> {
    let vendor = vendors::find(tx, &agreement.vendor)?;
    let today = tx.now().date();
    let papers = evidence::list_by_vendor(tx, &agreement.vendor)?;
    let holding = papers.into_iter().filter(|paper| paper.holds_on(today)).map(|paper| paper.id).collect();
    Ok(Around { transfers: policy::agreement::transfers(&vendor), holding })
}
