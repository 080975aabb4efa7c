//! Permits: written within an agreement, narrowed at once, widened only by a second person.

use std::collections::BTreeSet;

use crate::domain::Invalid;
use crate::domain::agreement::{Agreement, AgreementKind, AgreementVersion};
use crate::domain::dataset::Dataset;
use crate::domain::permit::{Change, Permit, PermitTerms, Revision, RevisionStatus, compare};
use crate::domain::person::Actor;
use crate::domain::text::{Digest, FieldName, Slug};
use crate::domain::time::Instant;
use crate::domain::vocabulary::Vocabulary;

use super::{Denied, agreement as agreements};

/// Whether terms lie within what an agreement version signs for.
pub fn check_within(
    kind: AgreementKind,
    version: &AgreementVersion,
    terms: &PermitTerms,
    dataset: &Dataset,
    vocabulary: &Vocabulary,
) -> Result<(), Denied> {
    terms.check(dataset, vocabulary)?;
    if !version.terms.purposes.contains(&terms.purpose) {
        return Err(Invalid::new("purpose", "must be one of the agreement's purposes").into());
    }
    let beyond: Vec<Slug> = terms.categories(dataset).difference(&version.terms.data_categories).cloned().collect();
    if !beyond.is_empty() {
        let names = beyond.iter().map(Slug::as_str).collect::<Vec<_>>().join(", ");
        return Err(Invalid::new("fields", format!("must lie within the agreement's data categories; it does not name: {names}")).into());
    }
    let instructed = terms.instruction.as_ref().is_some_and(|cited| version.terms.instructions.contains(cited));
    if kind == AgreementKind::Processor && !instructed {
        return Err(Invalid::new("instruction", "must cite one of the agreement's documented instructions").into());
    }
    Ok(())
}

/// The first revision of a new permit, or the next of an old one; not in force yet.
pub fn propose(
    permit: &Permit,
    number: i32,
    version: &AgreementVersion,
    terms: PermitTerms,
    by: &Actor,
    now: Instant,
) -> Result<Revision, Denied> {
    check_not_ended(permit)?;
    let author = by.person().ok_or(Denied::Person("A permit is written by a person."))?.clone();
    Ok(Revision {
        permit: permit.key.clone(),
        number,
        agreement_version: version.number,
        terms,
        status: RevisionStatus::Proposed,
        policy: None,
        authors: BTreeSet::from([author.clone()]),
        author,
        approver: None,
        created_at: now,
        in_force_at: None,
        version: 1,
    })
}

/// Whether new terms act at once or wait for a privacy officer.
pub fn judge(in_force: &Revision, terms: &PermitTerms) -> Result<Change, Denied> {
    Ok(compare(&in_force.terms, terms)?)
}

/// Whether new terms, written under an agreement version, act at once. A permit that an amendment left behind comes back
/// only with a privacy officer's word.
pub fn judge_under(in_force: &Revision, terms: &PermitTerms, agreement_version: i32) -> Result<Change, Denied> {
    let change = judge(in_force, terms)?;
    Ok(if in_force.agreement_version == agreement_version { change } else { Change::Widening })
}

/// Approves a proposed revision: by a privacy officer who did not write it.
pub fn approve(revision: Revision, by: &Actor, clear: &BTreeSet<FieldName>, confirmed: &BTreeSet<FieldName>) -> Result<Revision, Denied> {
    check_proposed(&revision)?;
    let approver = agreements::check_second_person(by, revision.authors.iter())?;
    agreements::check_confirmed(clear, confirmed)?;
    Ok(Revision { approver: Some(approver), ..revision })
}

/// Turns a proposed revision down.
pub fn reject(revision: Revision) -> Result<Revision, Denied> {
    check_proposed(&revision)?;
    Ok(Revision { status: RevisionStatus::Rejected, ..revision })
}

/// Only a proposed revision can change or be decided.
pub fn check_proposed(revision: &Revision) -> Result<(), Denied> {
    if revision.status == RevisionStatus::Proposed {
        Ok(())
    } else {
        Err(Denied::state(format!("Revision {} is '{}' and can not change.", revision.number, revision.status.key())))
    }
}

/// Puts a revision in force under the digest of its policy.
pub fn in_force(revision: Revision, policy: Digest, from: Instant) -> Revision {
    Revision { status: RevisionStatus::InForce, policy: Some(policy), in_force_at: Some(from), ..revision }
}

/// Pauses a permit: narrowing, so one person may.
pub fn pause(permit: Permit, now: Instant) -> Result<Permit, Denied> {
    check_not_ended(&permit)?;
    if permit.paused_at.is_some() {
        Err(Denied::state("This permit is paused already."))
    } else {
        Ok(Permit { paused_at: Some(now), ..permit })
    }
}

/// Lets a paused permit go on: widening, so a privacy officer must.
pub fn resume(permit: Permit, by: &Actor) -> Result<Permit, Denied> {
    check_not_ended(&permit)?;
    agreements::check_second_person(by, std::iter::empty())?;
    if permit.paused_at.is_none() { Err(Denied::state("This permit is not paused.")) } else { Ok(Permit { paused_at: None, ..permit }) }
}

/// Ends a permit for good.
pub fn end(permit: Permit, now: Instant) -> Result<Permit, Denied> {
    check_not_ended(&permit)?;
    Ok(Permit { ended_at: Some(now), ..permit })
}

/// An ended permit never opens again.
pub fn check_not_ended(permit: &Permit) -> Result<(), Denied> {
    if permit.ended_at.is_some() { Err(Denied::state("This permit has ended; write another one.")) } else { Ok(()) }
}

/// An ended agreement takes no permits.
pub fn check_agreement(agreement: &Agreement) -> Result<(), Denied> {
    if agreement.ended_at.is_some() { Err(Denied::state("This agreement has ended; draft a new one.")) } else { Ok(()) }
}

/// The revisions as they stand at an instant. Nobody acts at the moment when one takes over from another, so this is told
/// from their times: of those whose time has come the last counts, and the others are superseded.
pub fn standing(revisions: Vec<Revision>, now: Instant) -> Vec<Revision> {
    let begun = revisions.iter().filter(|revision| revision.begun_at(now));
    let counts = begun.max_by_key(|revision| (revision.in_force_at, revision.number)).map(|revision| revision.number);
    let stands = |revision: Revision| {
        if revision.begun_at(now) && Some(revision.number) != counts {
            Revision { status: RevisionStatus::Superseded, ..revision }
        } else {
            revision
        }
    };
    revisions.into_iter().map(stands).collect()
}

#[cfg(test)]
mod tests;
