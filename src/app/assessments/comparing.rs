//! A round beside the one that was decided before it, and how far it has come.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::app::{App, AppError};
use crate::domain::assessment::Assessment;
use crate::domain::evidence::Evidence;
use crate::domain::id::AssessmentId;
use crate::domain::time::Instant;
use crate::policy::comparison::{self, Comparison, DomainProgress};
use crate::store::{assessments, evidence};

/// A round compared with the vendor's decided one before it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Compared {
    pub assessment: AssessmentId,
    /// The round before; none when this is the first of its kind.
    pub previous: Option<AssessmentId>,
    pub previous_decided_at: Option<Instant>,
    #[serde(flatten)]
    pub comparison: Comparison,
    /// Papers handed in since the round before was decided.
    pub evidence_added: Vec<Evidence>,
    /// Papers that ran out since then.
    pub evidence_expired: Vec<Evidence>,
}

fn decided_at(round: &Assessment) -> Option<Instant> {
    round.status.decision().map(|decision| decision.at)
}

/// Compares a round with the one of its kind that was decided before it.
pub async fn compare(app: &App, id: AssessmentId) -> Result<Compared, AppError> {
    app.store
        .read(move |tx| {
            let round = assessments::find(tx, &id)?;
            let previous = assessments::decided_before(tx, &round)?;
            let papers = evidence::list_by_vendor(tx, &round.vendor)?;
            let names: BTreeMap<_, _> = papers.iter().map(|paper| (paper.id.clone(), paper.facts.name.to_string())).collect();
            let (since, until) = (previous.as_ref().and_then(decided_at), decided_at(&round).unwrap_or(tx.now()));
            let (evidence_added, evidence_expired) = changed(papers, since, until);
            Ok(Compared {
                comparison: comparison::compare(previous.as_ref(), &round, &names, until.date()),
                assessment: round.id,
                previous: previous.map(|round| round.id),
                previous_decided_at: since,
                evidence_added,
                evidence_expired,
            })
        })
        .await
}

/// The papers handed in, and those that ran out, between two instants; without a beginning there is nothing to compare.
fn changed(papers: Vec<Evidence>, since: Option<Instant>, until: Instant) -> (Vec<Evidence>, Vec<Evidence>) {
    let Some(since) = since else { return (Vec::new(), Vec::new()) };
    let ran_out = |paper: &&Evidence| paper.holds_on(since.date()) && !paper.holds_on(until.date()) && paper.uploaded_at <= until;
    let expired = papers.iter().filter(ran_out).cloned().collect();
    let added = papers.into_iter().filter(|paper| paper.uploaded_at > since && paper.uploaded_at <= until).collect();
    (added, expired)
}

/// How far a round has come, by domain; nothing while its questions are not fixed.
pub fn progress(round: &Assessment) -> Vec<DomainProgress> {
    round.questionnaire.as_ref().map(|template| comparison::progress(template, &round.answers)).unwrap_or_default()
}
