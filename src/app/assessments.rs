//! Due diligence: open, send, answer, submit, review, decide.

mod comparing;
mod dossier;
mod rounds;
mod saving;

pub use comparing::{Compared, compare, progress};
pub use dossier::{Dossier, Names, dossier};
pub use rounds::{RoundLine, RoundList, RoundQuery, RoundRow, rounds};
pub use saving::{Change, Changes, Saved, save};

use crate::domain::Invalid;
use crate::domain::assessment::{Assessment, AssessmentKind, AssessmentStatus};
use crate::domain::id::{AssessmentId, EvidenceId, VendorId};
use crate::domain::person::Actor;
use crate::domain::questionnaire::{Answer, Answers};
use crate::domain::text::{Reason, Slug};
use crate::history::{Act, Body};
use crate::policy;
pub use crate::policy::assessment::Deciding;
use crate::store::{Scope, Tx, assessments, evidence, vendors};

use super::{App, AppError, append, check_version, new_id, questionnaires};

/// Opens a round of a kind with a questionnaire; one open round per kind.
pub async fn open(app: &App, by: &Actor, vendor: VendorId, kind: AssessmentKind, template: Slug) -> Result<Assessment, AppError> {
    if questionnaires::find(&template)?.is_none() {
        return Err(Invalid::new("template", "must be a questionnaire; GET /api/v1/questionnaires lists them").into());
    }
    let opened_by = by.person().ok_or(AppError::Unauthenticated)?.clone();
    let (by, id) = (by.clone(), new_id::<AssessmentId>()?);
    app.store
        .record(move |tx| {
            let vendor = vendors::find(tx, &vendor)?;
            policy::vendor::check_not_retired(&vendor)?;
            if assessments::open_of_kind(tx, &vendor.id, kind)?.is_some() {
                return Err(AppError::Taken("An open assessment of this kind"));
            }
            let round = Assessment {
                id,
                vendor: vendor.id,
                kind,
                template,
                status: AssessmentStatus::Draft,
                questionnaire: None,
                answers: Answers::new(),
                score: None,
                opened_by,
                opened_at: tx.now(),
                version: 1,
            };
            assessments::insert(tx, &round)?;
            append(tx, &Body::Act(entry(&round, "open", &by).moved("none", round.status.key())), None)?;
            Ok(round)
        })
        .await
}

fn entry(round: &Assessment, act: &'static str, by: &Actor) -> Act {
    Act::new("assessment", &round.id, act, by).of(&round.vendor).fact("kind", round.kind.key())
}

/// The rounds of a vendor, newest first.
pub async fn list(app: &App, vendor: VendorId) -> Result<Vec<Assessment>, AppError> {
    app.store
        .read(move |tx| {
            let vendor = vendors::find(tx, &vendor)?;
            Ok(assessments::list_by_vendor(tx, &vendor.id)?)
        })
        .await
}

/// One round.
pub async fn find(app: &App, id: AssessmentId) -> Result<Assessment, AppError> {
    app.store.read(move |tx| Ok(assessments::find(tx, &id)?)).await
}

/// Loads, changes and saves a round that opens no gate by it; the act goes into the history.
async fn step(
    app: &App,
    by: &Actor,
    id: AssessmentId,
    act: &'static str,
    beside: Option<String>,
    change: impl FnOnce(&mut Tx, Assessment) -> Result<Assessment, AppError> + Send + 'static,
) -> Result<Assessment, AppError> {
    let by = by.clone();
    app.store
        .record(move |tx| {
            let before = assessments::find(tx, &id)?;
            let from = before.status.key();
            let mut round = change(tx, before)?;
            round.version = assessments::save(tx, &round)?;
            append(tx, &Body::Act(entry(&round, act, &by).moved(from, round.status.key())), beside)?;
            Ok(round)
        })
        .await
}

/// Sends a draft: from here on its questions are fixed.
pub async fn send(app: &App, by: &Actor, id: AssessmentId) -> Result<Assessment, AppError> {
    step(app, by, id, "send", None, |_, round| {
        let template = questionnaires::find(&round.template)?.ok_or(AppError::NotFound("questionnaire"))?;
        Ok(policy::assessment::send(round, template)?)
    })
    .await
}

/// Saves answers; they replace the ones before. `version` is the one read.
pub async fn answer(app: &App, by: &Actor, id: AssessmentId, version: i64, answers: Answers) -> Result<Assessment, AppError> {
    step(app, by, id, "answer", None, move |tx, round| {
        check_version(version, round.version)?;
        check_files(tx, &round.vendor, &answers)?;
        Ok(policy::assessment::answer(round, answers)?)
    })
    .await
}

/// A file answer names evidence of this vendor.
fn check_files(tx: &mut Tx, vendor: &VendorId, answers: &Answers) -> Result<(), AppError> {
    let named = answers.iter().filter_map(|(question, answer)| match answer {
        Answer::File(id) => Some((question, id)),
        Answer::YesNo(_) | Answer::Choice(_) | Answer::Text(_) | Answer::Date(_) | Answer::NotApplicable(_) => None,
    });
    let named: Vec<(&Slug, &EvidenceId)> = named.collect();
    if named.is_empty() {
        return Ok(());
    }
    let ids: Vec<EvidenceId> = named.iter().map(|(_, id)| (*id).clone()).collect();
    let ours = evidence::list_by_ids(tx, vendor, &ids)?;
    match named.into_iter().find(|(_, id)| !ours.iter().any(|paper| paper.id == **id)) {
        Some((question, _)) => Err(Invalid::new(format!("answers.{question}"), "must be the id of evidence of this vendor").into()),
        None => Ok(()),
    }
}

/// Locks the answers and computes the score.
pub async fn submit(app: &App, by: &Actor, id: AssessmentId) -> Result<Assessment, AppError> {
    let actor = by.clone();
    step(app, by, id, "submit", None, move |tx, round| Ok(policy::assessment::submit(round, &actor, tx.now())?)).await
}

/// Takes a submitted round into review.
pub async fn review(app: &App, by: &Actor, id: AssessmentId) -> Result<Assessment, AppError> {
    let actor = by.clone();
    step(app, by, id, "review", None, move |tx, round| Ok(policy::assessment::review(round, &actor, tx.now())?)).await
}

/// Ends a round without a decision.
pub async fn cancel(app: &App, by: &Actor, id: AssessmentId, reason: Reason) -> Result<Assessment, AppError> {
    let actor = by.clone();
    step(app, by, id, "cancel", Some(reason.to_string()), move |tx, round| Ok(policy::assessment::cancel(round, &actor, tx.now())?)).await
}

/// Decides a round in review; the vendor moves with it when it is in due diligence.
pub async fn decide(app: &App, by: &Actor, id: AssessmentId, what: Deciding) -> Result<Assessment, AppError> {
    let vendor = find(app, id.clone()).await?.vendor;
    let by = by.clone();
    app.store
        .govern(Scope::Vendor(vendor.clone()), move |tx| {
            let now = tx.now();
            let before = assessments::find(tx, &id)?;
            let vendor = vendors::find(tx, &vendor)?;
            let (from, rationale) = (before.status.key(), what.rationale.to_string());
            let mut round = policy::assessment::decide(before, &vendor, &by, what, now)?;
            round.version = assessments::save(tx, &round)?;
            let AssessmentStatus::Decided(decision) = &round.status else {
                return Err(AppError::Internal("a decision did not decide".to_owned()));
            };
            let mut act = entry(&round, "decide", &by).moved(from, decision.verdict.key());
            if let Some(until) = decision.valid_until {
                act = act.date("valid_until", until);
            }
            append(tx, &Body::Act(act), Some(rationale))?;
            // The vendor's way rests on its security; other rounds inform.
            let moved = if round.kind == AssessmentKind::Security {
                policy::vendor::decided(&vendor, decision.verdict, now)
            } else {
                vendor.clone()
            };
            // The papers that were there were read with the answers.
            evidence::accept_all(tx, &vendor.id, &decision.by)?;
            if moved.lifecycle != vendor.lifecycle {
                vendors::save(tx, &moved)?;
                let act = Act::new("vendor", &vendor.id, "decide", &by).of(&vendor.id).moved(vendor.lifecycle.key(), moved.lifecycle.key());
                append(tx, &Body::Act(act), None)?;
            }
            Ok(round)
        })
        .await
}
