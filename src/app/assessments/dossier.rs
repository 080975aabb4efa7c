//! A round with all that its pages show, read at one instant in a fixed number of statements.

use std::collections::BTreeSet;

use crate::app::{App, AppError, questionnaires};
use crate::domain::assessment::{Assessment, AssessmentStatus};
use crate::domain::evidence::Evidence;
use crate::domain::id::{AssessmentId, EvidenceId};
use crate::domain::questionnaire::{Answer, Answers, Score, Template};
use crate::domain::vendor::Vendor;
use crate::store::{Tx, assessments, evidence, names, vendors};

pub use crate::store::names::Names;

/// The newest papers that a question may be answered with; an answer's own paper is there besides.
const PAPERS: i64 = 200;

/// A round with what is around it.
#[derive(Debug, Clone, PartialEq)]
pub struct Dossier {
    pub round: Assessment,
    pub vendor: Vendor,
    /// The questions that were sent or, before that, that would be.
    pub questionnaire: Template,
    /// As it was kept when the answers were submitted or, before that, as it would be now.
    pub score: Option<Score>,
    /// Whether the score is that of answers that are not submitted yet.
    pub provisional: bool,
    /// The vendor's papers, newest first.
    pub papers: Vec<Evidence>,
    /// Names of the people in it, by id.
    pub names: Names,
    /// Whether a round of this kind was decided before.
    pub has_previous: bool,
}

/// One round with what is around it.
pub async fn dossier(app: &App, id: AssessmentId) -> Result<Dossier, AppError> {
    app.store
        .read(move |tx| {
            let round = assessments::find(tx, &id)?;
            let vendor = vendors::find(tx, &round.vendor)?;
            let questionnaire = match &round.questionnaire {
                Some(sent) => sent.clone(),
                None => questionnaires::find(&round.template)?.ok_or(AppError::NotFound("questionnaire"))?.clone(),
            };
            let papers = papers(tx, &round)?;
            let names = names::people(tx, &people_of(&round, &vendor))?;
            let has_previous = assessments::decided_before(tx, &round)?.is_some();
            let provisional = round.score.is_none();
            let now_scored = || round.questionnaire.as_ref().map(|sent| sent.score(&round.answers, tx.now().date()));
            let score = round.score.clone().or_else(now_scored);
            Ok(Dossier { questionnaire, score, provisional, papers, names, has_previous, vendor, round })
        })
        .await
}

fn papers(tx: &mut Tx, round: &Assessment) -> Result<Vec<Evidence>, AppError> {
    let mut papers = evidence::page(tx, &round.vendor, None, PAPERS)?;
    let named = evidence::list_by_ids(tx, &round.vendor, &files_of(&round.answers))?;
    papers.extend(named.into_iter().filter(|paper| !papers.iter().any(|known| known.id == paper.id)).collect::<Vec<_>>());
    Ok(papers)
}

fn files_of(answers: &Answers) -> Vec<EvidenceId> {
    answers
        .values()
        .filter_map(|answer| match answer {
            Answer::File(id) => Some(id.clone()),
            Answer::YesNo(_) | Answer::Choice(_) | Answer::Text(_) | Answer::Date(_) | Answer::NotApplicable(_) => None,
        })
        .collect()
}

fn people_of(round: &Assessment, vendor: &Vendor) -> BTreeSet<String> {
    let acted = match &round.status {
        AssessmentStatus::Submitted { by, .. } | AssessmentStatus::InReview { by, .. } => Some(by),
        AssessmentStatus::Decided(decision) => Some(&decision.by),
        AssessmentStatus::Draft | AssessmentStatus::Sent | AssessmentStatus::InProgress | AssessmentStatus::Cancelled { .. } => None,
    };
    [&vendor.profile.owner, &round.opened_by].into_iter().chain(acted).map(ToString::to_string).collect()
}
