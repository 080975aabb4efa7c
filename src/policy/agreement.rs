//! An agreement version from draft to signed to over. A signed version is never edited; its author never approves it.

use std::collections::BTreeSet;

use crate::domain::Invalid;
use crate::domain::agreement::{Agreement, AgreementTerms, AgreementVersion, Party, Signature, Surroundings, VersionStatus as S};
use crate::domain::person::Actor;
use crate::domain::text::{Digest, FieldName, Name, Prose};
use crate::domain::time::Instant;
use crate::domain::vendor::Vendor;
use crate::domain::vocabulary::Vocabulary;

use super::{Denied, is_privacy_officer, is_same_person};

fn wrong_state(version: &AgreementVersion, act: &str) -> Denied {
    Denied::state(format!("Version {} is '{}' and can not be {act}.", version.number, version.status.key()))
}

/// Whether any of the vendor's countries needs a transfer mechanism (GDPR Chapter V).
pub fn transfers(vendor: &Vendor) -> bool {
    std::iter::once(&vendor.profile.country)
        .chain(&vendor.profile.data_locations)
        .any(|country| !country.in_eea() && !country.is_adequate())
}

/// Changes a draft's terms. The last person to write them is their author.
pub fn edit(version: AgreementVersion, by: &Actor, terms: AgreementTerms, vocabulary: &Vocabulary) -> Result<AgreementVersion, Denied> {
    check_draft(&version)?;
    terms.check(vocabulary, &version.terms)?;
    let version = written_by(version, by)?;
    Ok(AgreementVersion { terms, ..version })
}

/// Whoever writes in a version is one of its authors for good, so that nobody approves what they wrote a part of.
fn written_by(mut version: AgreementVersion, by: &Actor) -> Result<AgreementVersion, Denied> {
    let author = by.person().ok_or(Denied::Person("Terms are written by a person."))?.clone();
    version.authors.insert(author.clone());
    Ok(AgreementVersion { author, ..version })
}

/// Attaches the document to a draft.
pub fn attach(version: AgreementVersion, by: &Actor, document: Digest) -> Result<AgreementVersion, Denied> {
    check_draft(&version)?;
    let version = written_by(version, by)?;
    Ok(AgreementVersion { document: Some(document), ..version })
}

/// Gives a draft up; the versions before it stay as they are.
pub fn discard(version: AgreementVersion, now: Instant) -> Result<AgreementVersion, Denied> {
    check_draft(&version)?;
    Ok(AgreementVersion { status: S::Terminated { at: now }, ..version })
}

/// Only a draft's terms, document and permits can change.
pub fn check_draft(version: &AgreementVersion) -> Result<(), Denied> {
    if version.status == S::Draft { Ok(()) } else { Err(wrong_state(version, "edited; amend the agreement instead")) }
}

/// Hands a draft in for approval; what is missing by the rules of its kind is named.
pub fn submit(
    agreement: &Agreement,
    version: AgreementVersion,
    permits: usize,
    around: &Surroundings<'_>,
    now: Instant,
) -> Result<AgreementVersion, Denied> {
    check_draft(&version)?;
    check_complete(agreement, &version, permits, around)?;
    Ok(AgreementVersion { status: S::InReview { at: now }, ..version })
}

/// What must hold when a version is submitted must still hold when it is approved and signed.
pub fn check_complete(agreement: &Agreement, version: &AgreementVersion, permits: usize, around: &Surroundings<'_>) -> Result<(), Denied> {
    let missing = missing(agreement, version, permits, around);
    if missing.is_empty() { Ok(()) } else { Err(Denied::Missing(missing)) }
}

/// What still stands between a version and being in force; `permits` is how many it can carry.
pub fn missing(agreement: &Agreement, version: &AgreementVersion, permits: usize, around: &Surroundings<'_>) -> Vec<Invalid> {
    let mut missing = version.terms.missing(agreement.kind, around);
    if permits == 0 {
        missing.push(Invalid::new("permits", "must be at least one: without a permit nothing is ever released"));
    }
    missing
}

/// Approves a version under review. `confirmed` names the direct identifiers the officer saw go out in clear;
/// `clear` is what does.
pub fn approve(
    version: AgreementVersion,
    by: &Actor,
    authors: &[crate::domain::id::PersonId],
    comment: Option<Prose>,
    clear: &BTreeSet<FieldName>,
    confirmed: &BTreeSet<FieldName>,
    now: Instant,
) -> Result<AgreementVersion, Denied> {
    if !matches!(version.status, S::InReview { .. }) {
        return Err(wrong_state(&version, "approved"));
    }
    let approver = check_second_person(by, authors.iter().chain(&version.authors))?;
    check_confirmed(clear, confirmed)?;
    Ok(AgreementVersion { status: S::Approved { at: now }, approver: Some(approver), comment, ..version })
}

/// A privacy officer who is none of the authors.
pub fn check_second_person<'a>(
    by: &Actor,
    mut authors: impl Iterator<Item = &'a crate::domain::id::PersonId>,
) -> Result<crate::domain::id::PersonId, Denied> {
    let person = by.person().ok_or(Denied::Person("An approval is given by a person."))?.clone();
    if !is_privacy_officer(by) {
        return Err(Denied::Person("A privacy officer approves this."));
    }
    if authors.any(|author| is_same_person(by, author)) {
        return Err(Denied::Person("Whoever wrote this can not approve it; ask another privacy officer."));
    }
    Ok(person)
}

/// Direct identifiers in clear need the officer's explicit tick, each one.
pub fn check_confirmed(clear: &BTreeSet<FieldName>, confirmed: &BTreeSet<FieldName>) -> Result<(), Denied> {
    let missing: Vec<Invalid> = clear
        .difference(confirmed)
        .map(|field| Invalid::new("confirm_clear", format!("must name '{field}': a direct identifier would go out as it is")))
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(Denied::Missing(missing)) }
}

/// Sends a version under review, or approved but not signed by both, back to its author.
pub fn hand_back(version: AgreementVersion, comment: Prose) -> Result<AgreementVersion, Denied> {
    // An approved version that the other party will not sign must have a way back too.
    if !matches!(version.status, S::InReview { .. } | S::Approved { .. }) {
        return Err(wrong_state(&version, "sent back"));
    }
    Ok(AgreementVersion { status: S::Draft, approver: None, signatures: Vec::new(), comment: Some(comment), ..version })
}

/// Records one party's signature on the document; with both, the version is signed and in force from its date.
pub fn sign(
    version: AgreementVersion,
    by: &Actor,
    party: Party,
    name: Name,
    document: &Digest,
    now: Instant,
) -> Result<AgreementVersion, Denied> {
    if !matches!(version.status, S::Approved { .. }) {
        return Err(wrong_state(&version, "signed"));
    }
    if version.document.as_ref() != Some(document) {
        return Err(Invalid::new("document", "must be the SHA-256 of the approved document").into());
    }
    if version.signatures.iter().any(|signature| signature.party == party) {
        return Err(Denied::state("This party has signed already."));
    }
    let recorded_by = by.person().ok_or(Denied::Person("A signature is recorded by a person."))?.clone();
    let mut signatures = version.signatures.clone();
    signatures.push(Signature { party, name, at: now, document: document.clone(), recorded_by });
    let both = [Party::House, Party::Vendor].iter().all(|side| signatures.iter().any(|signature| signature.party == *side));
    let status = if both { signed(&version.terms, now)? } else { version.status.clone() };
    Ok(AgreementVersion { signatures, status, ..version })
}

fn signed(terms: &AgreementTerms, now: Instant) -> Result<S, Denied> {
    let starts = terms.starts_on.ok_or_else(|| Invalid::new("terms.starts_on", "must be given"))?.start();
    let until = terms.ends_on.map(|day| day.end());
    if until.is_some_and(|end| end <= now) {
        return Err(Invalid::new("terms.ends_on", "must not lie in the past").into());
    }
    // Signing late does not reach back: nothing was in force before both had signed.
    Ok(S::Signed { from: starts.max(now), until })
}

/// Ends an agreement: no release stands on any of its versions from here on.
pub fn end(agreement: Agreement, now: Instant) -> Result<Agreement, Denied> {
    if agreement.ended_at.is_some() {
        return Err(Denied::state("This agreement has ended already."));
    }
    Ok(Agreement { ended_at: Some(now), ..agreement })
}

/// What ending an agreement does to each of its versions.
pub fn terminated(version: AgreementVersion, now: Instant) -> AgreementVersion {
    match version.status {
        S::Superseded { .. } | S::Terminated { .. } => version,
        S::Draft | S::InReview { .. } | S::Approved { .. } | S::Signed { .. } => {
            AgreementVersion { status: S::Terminated { at: now }, ..version }
        }
    }
}

/// The next version of an agreement, as a draft that repeats the terms of the last.
pub fn amend(agreement: &Agreement, last: &AgreementVersion, by: &Actor, now: Instant) -> Result<AgreementVersion, Denied> {
    if agreement.ended_at.is_some() {
        return Err(Denied::state("This agreement has ended; draft a new one."));
    }
    if !matches!(last.status, S::Signed { .. }) {
        return Err(Denied::state(format!("Version {} is not signed yet: finish it before the next.", last.number)));
    }
    let author = by.person().ok_or(Denied::Person("An amendment is written by a person."))?.clone();
    Ok(AgreementVersion::begin(&agreement.id, last.number.saturating_add(1), last.terms.clone(), author, now))
}

/// The versions as they stand at an instant. Nobody acts at the moment when one takes over from another, so this is told
/// from their dates: a signed version is superseded from when a later one begins, also where that one is over by now.
pub fn standing(versions: Vec<AgreementVersion>, now: Instant) -> Vec<AgreementVersion> {
    let begins = |version: &AgreementVersion| match &version.status {
        S::Signed { from, .. } if *from <= now => Some((version.number, *from)),
        S::Draft | S::InReview { .. } | S::Approved { .. } | S::Signed { .. } | S::Superseded { .. } | S::Terminated { .. } => None,
    };
    let begun: Vec<(i32, Instant)> = versions.iter().filter_map(begins).collect();
    let stands = |version: AgreementVersion| {
        let taken_over = begun.iter().filter(|(number, _)| *number > version.number).map(|(_, from)| *from).min();
        match (&version.status, taken_over) {
            (S::Signed { .. }, Some(at)) => AgreementVersion { status: S::Superseded { at }, ..version },
            _ => version,
        }
    };
    versions.into_iter().map(stands).collect()
}

#[cfg(test)]
mod tests;
