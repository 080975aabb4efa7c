//! What each question did to the score, worst first; and what changed since the round before.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use askama::Template;

use crate::app::assessments::{self, Compared, Dossier};
use crate::domain::evidence::Evidence;
use crate::domain::questionnaire::{Answer as Reply, Contribution, Score};
use crate::domain::text::Slug;
use crate::http::api::Tidegate;
use crate::http::guard::Read;
use crate::http::web::answer::render;
use crate::http::web::guard::Visitor;
use crate::http::web::page::{Frame, Section};
use crate::http::web::words;
use crate::policy::comparison::QuestionChange;
use crate::policy::words::answer as in_words;

use super::{Answer, Head, View, found, head, title};

/// The length of the longest bar.
pub const BAR: usize = 120;

/// What one question did.
pub struct Line {
    pub question: String,
    pub domain: String,
    /// The answer in words; empty where there is none.
    pub said: String,
    pub weight: u32,
    pub risk: u8,
    pub lost: String,
    pub width: usize,
}

#[derive(Template)]
#[template(path = "assessments/score.html")]
struct ScorePage {
    frame: Frame,
    head: Head,
    points: String,
    width: usize,
    provisional: bool,
    costly: Vec<Line>,
    /// What cost nothing.
    good: Vec<Line>,
    /// How many have no answer, do not apply, and cost nothing, each in words; empty where none.
    unanswered: String,
    left_out: String,
    cost_nothing: String,
}

/// The score of a round.
pub async fn page(request: HttpRequest, app: Tidegate, by: Visitor<Read>) -> Answer {
    let dossier = found(&request, &app, &by).await?;
    let frame = by.frame(&request, title(&dossier), Section::Assessments);
    let score = dossier.score.clone().unwrap_or(Score { points: None, contributions: Vec::new() });
    let (costly, good) = lines(&dossier, &score);
    let asked =
        |id: &Slug| dossier.questionnaire.question(id).is_some_and(|one| dossier.questionnaire.is_asked(one, &dossier.round.answers));
    let unanswered = score.contributions.iter().filter(|part| !part.answered).count();
    let left_out = dossier.round.answers.iter().filter(|(id, reply)| matches!(reply, Reply::NotApplicable(_)) && asked(id)).count();
    let page = ScorePage {
        head: head(&dossier, &by, View::Score, &frame),
        frame,
        points: score.points.map(words::points).unwrap_or_default(),
        width: score.points.map_or(0, |points| share(points / 100.0)),
        provisional: dossier.provisional,
        unanswered: some(unanswered, "question has no answer and counts as worst", "questions have no answer and count as worst"),
        left_out: some(left_out, "question does not apply and is left out", "questions do not apply and are left out"),
        cost_nothing: some(good.len(), "question that cost nothing", "questions that cost nothing"),
        costly,
        good,
    };
    Ok(render(&request, StatusCode::OK, &page))
}

/// A count in words; empty for none.
fn some(count: usize, one: &str, more: &str) -> String {
    if count == 0 { String::new() } else { words::count(count as u64, one, more) }
}

/// The length of a bar for a share of the longest.
fn share(of: f64) -> usize {
    // A share lies between 0 and 1, so the length fits.
    (1..=BAR).filter(|length| *length as f64 <= of * BAR as f64 + 0.5).count()
}

/// What cost points, worst first, and what cost none.
fn lines(dossier: &Dossier, score: &Score) -> (Vec<Line>, Vec<Line>) {
    let mut parts: Vec<&Contribution> = score.contributions.iter().collect();
    parts.sort_by(|one, other| other.lost.total_cmp(&one.lost).then(other.weight.cmp(&one.weight)));
    let worst = parts.first().map_or(0.0, |part| part.lost).max(f64::MIN_POSITIVE);
    let (costly, good): (Vec<_>, Vec<_>) = parts.into_iter().partition(|part| part.lost > 0.0);
    let line = |part: &Contribution| line(dossier, part, worst);
    (costly.into_iter().map(line).collect(), good.into_iter().map(line).collect())
}

fn line(dossier: &Dossier, part: &Contribution, worst: f64) -> Line {
    let question = dossier.questionnaire.question(&part.question);
    let reply = dossier.round.answers.get(&part.question);
    let paper = |reply: &Reply| match reply {
        Reply::File(id) => dossier.papers.iter().find(|paper| paper.id == *id).map(|paper| paper.facts.name.as_str()),
        Reply::YesNo(_) | Reply::Choice(_) | Reply::Text(_) | Reply::Date(_) | Reply::NotApplicable(_) => None,
    };
    Line {
        question: question.map_or_else(|| part.question.to_string(), |question| question.text.clone()),
        domain: question.map(|question| question.domain.clone()).unwrap_or_default(),
        said: reply.map(|reply| in_words(reply, question, paper(reply))).unwrap_or_default(),
        weight: part.weight,
        risk: part.risk,
        lost: words::points(part.lost),
        width: share(part.lost / worst),
    }
}

/// A question that changed, in words.
struct Changed {
    domain: String,
    question: String,
    before: Option<String>,
    after: Option<String>,
    points: String,
    worse: bool,
    better: bool,
}

#[derive(Template)]
#[template(path = "assessments/comparison.html")]
struct ComparisonPage {
    frame: Frame,
    head: Head,
    before: String,
    after: String,
    change: String,
    previous: String,
    decided: String,
    provisional: bool,
    /// The questions that were answered otherwise, or counted otherwise, the greatest change first.
    changed: Vec<Changed>,
    same: String,
    added: Vec<String>,
    ran_out: Vec<String>,
}

/// Less than this is not shown.
const LEAST: f64 = 0.05;

/// A round beside the one that was decided before it.
pub async fn comparison(request: HttpRequest, app: Tidegate, by: Visitor<Read>) -> Answer {
    let dossier = found(&request, &app, &by).await?;
    let compared = by.want(&request, assessments::compare(&app, dossier.round.id.clone()).await)?;
    let frame = by.frame(&request, title(&dossier), Section::Assessments);
    let scored = |points: Option<f64>| points.map_or_else(|| "not scored".to_owned(), words::points);
    let names = |papers: &[Evidence]| papers.iter().map(|paper| paper.facts.name.to_string()).collect();
    let Compared { comparison, previous, previous_decided_at, .. } = &compared;
    let changed = changes(&comparison.questions);
    let same = comparison.questions.len().saturating_sub(changed.len());
    let page = ComparisonPage {
        head: head(&dossier, &by, View::Comparison, &frame),
        frame,
        before: scored(comparison.points_before),
        after: scored(comparison.points_after),
        change: comparison.change.map(words::change).unwrap_or_default(),
        previous: previous.as_ref().map(|id| format!("/assessments/{id}")).unwrap_or_default(),
        decided: previous_decided_at.map(|at| words::date(&at.date())).unwrap_or_default(),
        provisional: comparison.provisional,
        changed,
        same: some(same, "question is as it was", "questions are as they were"),
        added: names(&compared.evidence_added),
        ran_out: names(&compared.evidence_expired),
    };
    Ok(render(&request, StatusCode::OK, &page))
}

fn changes(questions: &[QuestionChange]) -> Vec<Changed> {
    let mut changed: Vec<&QuestionChange> = questions.iter().filter(|one| one.changed || one.change.abs() >= LEAST).collect();
    changed.sort_by(|one, other| other.change.abs().total_cmp(&one.change.abs()));
    changed
        .into_iter()
        .map(|one| Changed {
            domain: one.domain.clone(),
            question: one.text.clone(),
            before: one.before.clone(),
            after: one.after.clone(),
            points: words::change(one.change),
            worse: one.change <= -LEAST,
            better: one.change >= LEAST,
        })
        .collect()
}
