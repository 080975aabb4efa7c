//! The acts that move a round on: open, send, submit, take into review, cancel. What ends something asks first.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::app::AppError;
use crate::app::assessments;
use crate::domain::Invalid;
use crate::domain::assessment::AssessmentKind;
use crate::domain::id::VendorId;
use crate::domain::text::{Reason, Slug};
use crate::http::api::Tidegate;
use crate::http::guard::{Assess, Decide, Grant};
use crate::http::web::answer::render;
use crate::http::web::error::Wire;
use crate::http::web::form::Typed;
use crate::http::web::guard::{Sent, Visitor, wanted};
use crate::http::web::lead::see_other_saying;
use crate::http::web::page::{Frame, Section};
use crate::http::web::parts::Crumb;
use crate::http::web::words;
use crate::policy::assessment as policy;

use super::questions::DomainView;
use super::{Answer, Dossier, found, id_of, questions, title};

/// What the fields are called.
pub const LABELS: &[(&str, &str)] = &[("reason", "Reason"), ("kind", "What it looks into"), ("template", "Questionnaire")];

/// Opens a round of a vendor and leads to it.
pub async fn open(request: HttpRequest, app: Tidegate, sent: Sent<Assess>) -> Answer {
    let Sent { by, typed } = sent;
    let vendor: VendorId = request.match_info().query("id").parse().map_err(|_| by.wire(&request, Wire::NotFound))?;
    let kind = AssessmentKind::from_key(typed.value("kind")).ok_or_else(|| Invalid::new("kind", "must be security, privacy or legal"));
    let kind = by.want(&request, kind.map_err(AppError::from))?;
    let template = typed.value("template").parse::<Slug>().map_err(|_| Invalid::new("template", "must be one of the questionnaires"));
    let template = by.want(&request, template.map_err(AppError::from))?;
    let round = by.want(&request, assessments::open(&app, &by.actor(), vendor, kind, template).await)?;
    let said = "The assessment is open. Read the questions, then send them.";
    Ok(see_other_saying(&request, format!("/assessments/{}", round.id), said))
}

/// Sends the questions.
pub async fn send(request: HttpRequest, app: Tidegate, sent: Sent<Assess>) -> Answer {
    let id = id_of(&request, &sent.by)?;
    let round = sent.by.want(&request, assessments::send(&app, &sent.by.actor(), id).await)?;
    Ok(see_other_saying(&request, format!("/assessments/{}", round.id), "The questions are sent and fixed. The answers can be filled in."))
}

/// Takes submitted answers into review.
pub async fn review(request: HttpRequest, app: Tidegate, sent: Sent<Decide>) -> Answer {
    let id = id_of(&request, &sent.by)?;
    let round = sent.by.want(&request, assessments::review(&app, &sent.by.actor(), id).await)?;
    Ok(see_other_saying(&request, format!("/assessments/{}/score", round.id), "The round is in review."))
}

#[derive(Template)]
#[template(path = "assessments/submit.html")]
struct SubmitPage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    back: String,
    /// Domains with questions that have no answer, and how many.
    open: Vec<(usize, String, String)>,
    /// How many there are, and how many are answered, in words.
    unanswered: String,
    answered: String,
    points: String,
}

/// Asks before the answers are locked.
pub async fn ask_submit(request: HttpRequest, app: Tidegate, by: Visitor<Assess>) -> Answer {
    let dossier = found(&request, &app, &by).await?;
    let can = policy::submit(dossier.round.clone(), &by.actor(), app.clock.now());
    by.want(&request, can.map_err(AppError::from))?;
    let domains = questions::domains(&dossier, None, &std::collections::BTreeSet::new());
    let missing = |domain: &DomainView| domain.questions.iter().filter(|question| question.asked && question.was.is_empty()).count();
    let unanswered: usize = domains.iter().map(missing).sum();
    let open = domains.iter().filter(|domain| missing(domain) > 0);
    let open = open.map(|domain| (domain.number, domain.name.clone(), words::count(missing(domain) as u64, "question", "questions")));
    let open: Vec<(usize, String, String)> = open.collect();
    let answered: usize = domains.iter().map(|domain| domain.answered).sum();
    let page = SubmitPage {
        frame: by.frame(&request, "Submit the answers for review?", Section::Assessments),
        crumbs: crumbs(&dossier),
        back: format!("/assessments/{}", dossier.round.id),
        unanswered: words::count(unanswered as u64, "question has", "questions have"),
        open,
        answered: words::count(answered as u64, "question is answered", "questions are answered"),
        points: dossier.score.as_ref().and_then(|score| score.points).map(words::points).unwrap_or_default(),
    };
    Ok(render(&request, StatusCode::OK, &page))
}

fn crumbs(dossier: &Dossier) -> Vec<Crumb> {
    vec![
        Crumb { href: "/assessments".to_owned(), label: "Assessments".to_owned() },
        Crumb { href: format!("/assessments/{}", dossier.round.id), label: title(dossier) },
    ]
}

/// Locks the answers and computes the score.
pub async fn submit(request: HttpRequest, app: Tidegate, sent: Sent<Assess>) -> Answer {
    let id = id_of(&request, &sent.by)?;
    let round = sent.by.want(&request, assessments::submit(&app, &sent.by.actor(), id).await)?;
    Ok(see_other_saying(&request, format!("/assessments/{}/score", round.id), "The answers are locked and wait for a privacy officer."))
}

#[derive(Template)]
#[template(path = "assessments/cancel.html")]
struct CancelPage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    typed: Typed,
    action: String,
    back: String,
    stops: Vec<String>,
}

fn cancel_page<P>(request: &HttpRequest, by: &Visitor<P>, dossier: &Dossier, status: StatusCode, typed: Typed) -> HttpResponse {
    let answers = dossier.round.answers.len() as u64;
    let page = CancelPage {
        frame: by.frame(request, "Cancel this assessment?", Section::Assessments),
        crumbs: crumbs(dossier),
        typed,
        action: request.path().to_owned(),
        back: format!("/assessments/{}", dossier.round.id),
        stops: vec![
            "The round ends without a decision, and can't be opened again.".to_owned(),
            format!(
                "{} on record, and can't be changed.",
                if answers == 1 { "1 answer stays".to_owned() } else { format!("{answers} answers stay") }
            ),
            "Another round of this kind can be opened afterwards.".to_owned(),
        ],
    };
    render(request, status, &page)
}

/// Asks before a round is cancelled.
pub async fn ask_cancel(request: HttpRequest, app: Tidegate, by: Visitor<Assess>) -> Answer {
    ask_end(&request, &app, &by).await
}

/// Asks before a round in review is cancelled, which is for those who decide.
pub async fn ask_cancel_review(request: HttpRequest, app: Tidegate, by: Visitor<Decide>) -> Answer {
    ask_end(&request, &app, &by).await
}

async fn ask_end<P>(request: &HttpRequest, app: &Tidegate, by: &Visitor<P>) -> Answer {
    let dossier = found(request, app, by).await?;
    let can = policy::cancel(dossier.round.clone(), &by.actor(), app.clock.now());
    by.want(request, can.map_err(AppError::from))?;
    Ok(cancel_page(request, by, &dossier, StatusCode::OK, Typed::default()))
}

/// Cancels a round.
pub async fn cancel(request: HttpRequest, app: Tidegate, sent: Sent<Assess>) -> Answer {
    end(&request, &app, sent).await
}

/// Cancels a round in review.
pub async fn cancel_review(request: HttpRequest, app: Tidegate, sent: Sent<Decide>) -> Answer {
    end(&request, &app, sent).await
}

async fn end<P: Grant>(request: &HttpRequest, app: &Tidegate, sent: Sent<P>) -> Answer {
    let Sent { by, typed } = sent;
    let id = id_of(request, &by)?;
    let mut errors = Vec::new();
    let Some(reason) = wanted::<Reason>(&typed, "reason", &mut errors) else {
        let dossier = found(request, app, &by).await?;
        return Ok(cancel_page(request, &by, &dossier, StatusCode::UNPROCESSABLE_ENTITY, typed.refused(errors)));
    };
    let round = by.want(request, assessments::cancel(app, &by.actor(), id, reason).await)?;
    Ok(see_other_saying(request, format!("/assessments/{}", round.id), "The assessment is cancelled."))
}
