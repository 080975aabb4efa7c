//! An assessment from draft to decision. Decided ones are never edited; the vendor's owner never decides.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::Invalid;
use crate::domain::assessment::{Assessment, AssessmentStatus as S, Decision, Verdict};
use crate::domain::person::{Actor, Role};
use crate::domain::questionnaire::{Answer, Answers, Template};
use crate::domain::text::{Prose, Slug};
use crate::domain::time::Instant;
use crate::domain::vendor::Vendor;

use super::{Denied, is_privacy_officer, is_same_person};

fn wrong_state(round: &Assessment, act: &str) -> Denied {
    Denied::state(format!("An assessment that is '{}' can not be {act}.", round.status.key()))
}

/// Sends a draft: the questions are fixed from here on.
pub fn send(round: Assessment, template: &Template) -> Result<Assessment, Denied> {
    match round.status {
        S::Draft => Ok(Assessment { status: S::Sent, questionnaire: Some(template.clone()), ..round }),
        S::Sent | S::InProgress | S::Submitted { .. } | S::InReview { .. } | S::Decided(_) | S::Cancelled { .. } => {
            Err(wrong_state(&round, "sent"))
        }
    }
}

/// Saves answers as a draft; what is given replaces what was there.
pub fn answer(round: Assessment, answers: Answers) -> Result<Assessment, Denied> {
    match round.status {
        S::Sent | S::InProgress => {
            let questionnaire = round.questionnaire.as_ref().ok_or_else(|| wrong_state(&round, "answered"))?;
            questionnaire.check(&answers)?;
            Ok(Assessment { status: S::InProgress, answers, ..round })
        }
        S::Draft | S::Submitted { .. } | S::InReview { .. } | S::Decided(_) | S::Cancelled { .. } => Err(wrong_state(&round, "answered")),
    }
}

/// An answer as one person changes it: what they read, and what they want it to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub was: Option<Answer>,
    pub now: Option<Answer>,
}

/// Changes to answers, by question.
pub type Changes = BTreeMap<Slug, Change>;

/// Puts changes onto the answers as they stand. What somebody else changed since it was read stays theirs, and is told:
/// nobody overwrites what they did not read.
pub fn merge(stored: &Answers, changes: &Changes) -> (Answers, BTreeSet<Slug>) {
    let (mut merged, mut overtaken) = (stored.clone(), BTreeSet::new());
    for (question, Change { was, now }) in changes {
        let stands = stored.get(question);
        if stands == now.as_ref() || was == now {
            continue;
        }
        if stands != was.as_ref() {
            overtaken.insert(question.clone());
            continue;
        }
        match now {
            Some(answer) => merged.insert(question.clone(), answer.clone()),
            None => merged.remove(question),
        };
    }
    (merged, overtaken)
}

/// Whether answers may be changed just now.
pub const fn is_answerable(round: &Assessment) -> bool {
    matches!(round.status, S::Sent | S::InProgress)
}

/// Locks the answers and computes the score.
pub fn submit(round: Assessment, by: &Actor, now: Instant) -> Result<Assessment, Denied> {
    let person = by.person().ok_or(Denied::Person("Answers are submitted by a person."))?.clone();
    match (&round.status, &round.questionnaire) {
        (S::Sent | S::InProgress, Some(questionnaire)) => {
            let score = questionnaire.score(&round.answers, now.date());
            Ok(Assessment { status: S::Submitted { by: person, at: now }, score: Some(score), ..round })
        }
        _ => Err(wrong_state(&round, "submitted")),
    }
}

/// Takes submitted answers into review.
pub fn review(round: Assessment, by: &Actor, now: Instant) -> Result<Assessment, Denied> {
    let person = by.person().ok_or(Denied::Person("A review is done by a person."))?.clone();
    match round.status {
        S::Submitted { .. } => Ok(Assessment { status: S::InReview { by: person, at: now }, ..round }),
        S::Draft | S::Sent | S::InProgress | S::InReview { .. } | S::Decided(_) | S::Cancelled { .. } => {
            Err(wrong_state(&round, "taken into review"))
        }
    }
}

/// What is decided, by whom it comes.
#[derive(Debug, Clone, PartialEq)]
pub struct Deciding {
    pub verdict: Verdict,
    pub rationale: Prose,
    pub conditions: Vec<Prose>,
}

/// Decides a round in review; an approval holds as long as the vendor's tier says.
pub fn decide(round: Assessment, vendor: &Vendor, by: &Actor, what: Deciding, now: Instant) -> Result<Assessment, Denied> {
    if !matches!(round.status, S::InReview { .. }) {
        return Err(wrong_state(&round, "decided"));
    }
    let person = by.person().ok_or(Denied::Person("A decision is made by a person."))?.clone();
    check_decider(&round, vendor, by)?;
    if what.verdict == Verdict::ApprovedWithConditions && what.conditions.is_empty() {
        return Err(Invalid::new("conditions", "must name at least one condition").into());
    }
    let valid_until = match what.verdict {
        Verdict::Approved | Verdict::ApprovedWithConditions => Some(valid_until(vendor, now)),
        Verdict::Rejected => None,
    };
    let decision =
        Decision { verdict: what.verdict, rationale: what.rationale, conditions: what.conditions, by: person, at: now, valid_until };
    Ok(Assessment { status: S::Decided(decision), ..round })
}

/// Whether a person may decide a round: a privacy officer who neither owns the vendor nor opened the round.
pub fn check_decider(round: &Assessment, vendor: &Vendor, by: &Actor) -> Result<(), Denied> {
    if !is_privacy_officer(by) {
        return Err(Denied::Person("A privacy officer decides assessments."));
    }
    if is_same_person(by, &vendor.profile.owner) || is_same_person(by, &round.opened_by) {
        return Err(Denied::Person("The vendor's owner and whoever opened the assessment can not decide it; ask another privacy officer."));
    }
    Ok(())
}

/// The end of an approval that is given now.
pub fn valid_until(vendor: &Vendor, now: Instant) -> Instant {
    now.plus_days(vendor.profile.tier.assessment_days())
}

/// The states of rounds that wait for a role.
pub const fn awaited(role: Role) -> &'static [&'static str] {
    match role {
        Role::VendorManager => &["draft", "sent", "in_progress"],
        Role::PrivacyOfficer => &["submitted", "in_review"],
        Role::Administrator | Role::DataSteward | Role::ComplianceReviewer => &[],
    }
}

/// Ends a round without a decision. One in review is cancelled by those who decide, so that a rejection can't be dodged.
pub fn cancel(round: Assessment, by: &Actor, now: Instant) -> Result<Assessment, Denied> {
    if matches!(round.status, S::InReview { .. }) && !is_privacy_officer(by) {
        return Err(Denied::Person("An assessment in review is cancelled by a privacy officer."));
    }
    if round.status.is_open() {
        Ok(Assessment { status: S::Cancelled { at: now }, ..round })
    } else {
        Err(wrong_state(&round, "cancelled"))
    }
}

#[cfg(test)]
mod tests;
