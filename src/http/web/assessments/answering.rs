//! Saving answers while they are typed: a domain at a time, as often as the page likes, never over another's answer.

use actix_web::http::StatusCode;
use actix_web::http::header::HeaderValue;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::app::AppError;
use crate::app::assessments::{self, Change, Changes, Dossier};
use crate::domain::Invalid;
use crate::domain::questionnaire::{Answer as Reply, Question, QuestionKind, YesNo};
use crate::http::api::Tidegate;
use crate::http::guard::Assess;
use crate::http::web::answer::{fragment, wants_part};
use crate::http::web::error::Wire;
use crate::http::web::form::Typed;
use crate::http::web::guard::{Saved, Visitor};
use crate::http::web::lead::see_other_saying;
use crate::http::web::upload::AGAIN;
use crate::policy::Denied;

use super::questions::{DomainView, domains, is_sent};
use super::{Answer, found, id_of, show_page};

#[derive(Template)]
#[template(path = "assessments/saved.html")]
struct SavedPart {
    /// The domain that was sent; the others only say how far they are.
    number: usize,
    said: String,
    domains: Vec<DomainView>,
    answered: usize,
    asked: usize,
    /// Questions that were on the page.
    shown: Vec<String>,
}

/// Saves the answers of a domain.
pub async fn save(request: HttpRequest, app: Tidegate, sent: Saved<Assess>) -> Answer {
    let Saved { by, typed } = sent;
    let id = id_of(&request, &by)?;
    let before = found(&request, &app, &by).await?;
    let (changes, errors) = read(&before, &typed);
    if changes.is_empty() && errors.is_empty() {
        return Err(by.wire(&request, Wire::Unreadable));
    }
    // What can be saved is saved, also where a field beside it can't be.
    let saved = match assessments::save(&app, &by.actor(), id, changes).await {
        Ok(saved) => saved,
        Err(AppError::Invalid(error) | AppError::Denied(Denied::Invalid(error))) => {
            let error = Invalid::new(error.field.replacen("answers.", "a.", 1), error.reason);
            let typed = typed.refused(errors).refused([error]);
            return Ok(refused(&request, &by, &before, typed));
        }
        Err(error) => return Err(by.refuse(&request, error)),
    };
    let now = Dossier { round: saved.round, ..before };
    if !errors.is_empty() {
        return Ok(refused(&request, &by, &now, typed.refused(errors)));
    }
    if !saved.overtaken.is_empty() {
        let views = domains(&now, Some(&typed), &saved.overtaken);
        return Ok(shown(&request, &by, &now, StatusCode::CONFLICT, typed, views));
    }
    if wants_part(request.headers()) {
        let views = domains(&now, Some(&typed), &saved.overtaken);
        return Ok(shown(&request, &by, &now, StatusCode::OK, typed, views));
    }
    let place = typed.value("domain").parse::<usize>().unwrap_or(1);
    Ok(see_other_saying(&request, format!("/assessments/{}#domain-{place}", now.round.id), "Your answers are saved."))
}

fn refused(request: &HttpRequest, by: &Visitor<Assess>, now: &Dossier, typed: Typed) -> HttpResponse {
    let views = domains(now, Some(&typed), &std::collections::BTreeSet::new());
    shown(request, by, now, StatusCode::UNPROCESSABLE_ENTITY, typed, views)
}

/// The whole page, or for a script the parts of it that changed.
fn shown(
    request: &HttpRequest,
    by: &Visitor<Assess>,
    now: &Dossier,
    status: StatusCode,
    typed: Typed,
    views: Vec<DomainView>,
) -> HttpResponse {
    if !wants_part(request.headers()) {
        return show_page(request, by, now, status, (typed, views));
    }
    let at = by.frame(request, "", super::Section::Assessments).now;
    let clock = crate::http::web::words::instant(&at);
    let clock = clock.rsplit(' ').next().unwrap_or_default();
    let part = SavedPart {
        number: typed.value("domain").parse().unwrap_or(0),
        said: match status {
            StatusCode::OK => format!("Saved {clock}"),
            StatusCode::CONFLICT => "Not all saved: somebody else answered too".to_owned(),
            _ => "Not all saved: see below".to_owned(),
        },
        answered: views.iter().map(|domain| domain.answered).sum(),
        asked: views.iter().map(|domain| domain.asked).sum(),
        shown: now.questionnaire.questions.iter().filter(|one| is_sent(&typed, &one.id)).map(|one| one.id.to_string()).collect(),
        domains: views,
    };
    let mut response = fragment(request, status, &part);
    if !status.is_success() {
        response.headers_mut().insert(AGAIN, HeaderValue::from_static("again"));
    }
    response
}

/// The changes that a form holds, and what of it can't be an answer.
fn read(dossier: &Dossier, typed: &Typed) -> (Changes, Vec<Invalid>) {
    let (mut changes, mut errors) = (Changes::new(), Vec::new());
    for question in dossier.questionnaire.questions.iter().filter(|question| is_sent(typed, &question.id)) {
        let was = serde_json::from_str(typed.value(&format!("was.{}", question.id))).ok();
        match reply(question, typed) {
            Ok(now) => drop(changes.insert(question.id.clone(), Change { was, now })),
            Err(error) => errors.push(Invalid::new(format!("a.{}", question.id), error.reason)),
        }
    }
    (changes, errors)
}

/// What was typed as an answer; none where nothing was. A reason why the question does not apply goes before an answer.
fn reply(question: &Question, typed: &Typed) -> Result<Option<Reply>, Invalid> {
    // Browsers send line breaks as two characters, whatever was stored.
    let reason = typed.value(&format!("na.{}", question.id)).replace("\r\n", "\n");
    if !reason.is_empty() {
        return Ok(Some(Reply::NotApplicable(reason.parse()?)));
    }
    let value = typed.value(&format!("a.{}", question.id)).replace("\r\n", "\n");
    if value.is_empty() {
        return Ok(None);
    }
    let reply = match &question.kind {
        QuestionKind::YesNo { .. } if value == "yes" => Reply::YesNo(YesNo::Yes),
        QuestionKind::YesNo { .. } if value == "no" => Reply::YesNo(YesNo::No),
        QuestionKind::YesNo { .. } => return Err(Invalid::new("", "must be answered with yes or no")),
        QuestionKind::Choice { .. } => {
            Reply::Choice(value.parse().map_err(|_| Invalid::new("", "must be answered with one of the options"))?)
        }
        QuestionKind::Text => Reply::Text(value.parse()?),
        QuestionKind::Date { .. } => Reply::Date(value.parse()?),
        QuestionKind::File => Reply::File(value.parse().map_err(|_| Invalid::new("", "must be answered with a paper of this vendor"))?),
    };
    Ok(Some(reply))
}
