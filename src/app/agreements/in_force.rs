//! What comes into force with a version: its own permits, and of the others those that still lie within it.

use std::collections::BTreeSet;

use crate::domain::agreement::{Agreement, AgreementVersion, VersionStatus};
use crate::domain::permit::{Permit, Revision, RevisionStatus};
use crate::domain::person::Actor;
use crate::domain::time::Instant;
use crate::domain::vocabulary::Vocabulary;
use crate::policy;
use crate::store::{Tx, permits, vocabulary};

use crate::app::{AppError, permits as permit_acts};

/// Puts what was approved with a version in force, and takes the agreement's other permits along under it.
/// A permit that no longer lies within the version is not taken along, so its gate closes with the version's start.
pub(super) fn put_in_force(tx: &mut Tx, agreement: &Agreement, version: &AgreementVersion, by: &Actor) -> Result<(), AppError> {
    let VersionStatus::Signed { from, .. } = &version.status else { return Ok(()) };
    let mut fresh = BTreeSet::new();
    for revision in permits::proposed(tx, &agreement.id, version.number)? {
        // What was proposed after the approval has no approver and waits for its own.
        if revision.approver.is_some() {
            fresh.insert(revision.permit.clone());
            permit_acts::put_in_force(tx, version, revision, *from, by)?;
        }
    }
    let vocabulary = vocabulary::load(tx)?;
    for permit in permits::list_by_agreement(tx, &agreement.id)? {
        if permit.ended_at.is_some() || fresh.contains(&permit.key) {
            continue;
        }
        take_along(tx, agreement, version, &permit, &vocabulary, *from, by)?;
    }
    Ok(())
}

fn take_along(
    tx: &mut Tx,
    agreement: &Agreement,
    version: &AgreementVersion,
    permit: &Permit,
    vocabulary: &Vocabulary,
    from: Instant,
    by: &Actor,
) -> Result<(), AppError> {
    let revisions = permits::revisions(tx, &permit.key)?;
    let Some(standing) = revisions.iter().rev().find(|revision| revision.status == RevisionStatus::InForce) else { return Ok(()) };
    if standing.agreement_version == version.number {
        return Ok(());
    }
    let dataset = permit_acts::dataset(tx, &standing.terms.dataset)?;
    if policy::permit::check_within(agreement.kind, version, &standing.terms, &dataset, vocabulary).is_err() {
        return Ok(());
    }
    let number = revisions.last().map_or(1, |last| last.number.saturating_add(1));
    let next = Revision {
        permit: permit.key.clone(),
        number,
        agreement_version: version.number,
        terms: standing.terms.clone(),
        status: RevisionStatus::Proposed,
        policy: None,
        author: version.author.clone(),
        authors: version.authors.clone(),
        approver: version.approver.clone(),
        created_at: tx.now(),
        in_force_at: None,
        version: 1,
    };
    permits::insert_revision(tx, &next)?;
    permit_acts::put_in_force(tx, version, next, from, by)
}
