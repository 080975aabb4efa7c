//! What people said of the use of their data: counted for all, looked up for one, recorded by hand or by the file.

pub mod recording;

use actix_web::http::StatusCode;
use actix_web::{Error, HttpRequest, HttpResponse};
use askama::Template;

use crate::app::consents::{self, Counted, Known};
use crate::app::{App, AppError, catalogue, vocabulary};
use crate::domain::Invalid;
use crate::domain::text::Slug;
use crate::domain::vocabulary::Vocabulary;
use crate::http::api::Tidegate;
use crate::http::guard::{ManageConsent, Read};
use crate::policy::Denied;
use crate::policy::access::Permission;

use super::answer::render;
use super::form::Typed;
use super::guard::{Saved, Visitor, wanted};
use super::page::{Frame, Section};
use super::parts::{Choice, Crumb};

type Answer = Result<HttpResponse, Error>;

/// What the fields are called.
pub const LABELS: &[(&str, &str)] = &[
    ("domain", "Subject domain"),
    ("subject", "Key of the person"),
    ("signal", "What they said"),
    ("purpose", "Purpose"),
    ("stands", "Does it stand?"),
    ("day", "On which day"),
    ("ends", "Last day"),
    ("channel", "How it came"),
    ("file", "File"),
];

#[derive(Template)]
#[template(path = "consent/list.html")]
struct ListPage {
    frame: Frame,
    typed: Typed,
    rows: Vec<Counted>,
    vocabulary: Vocabulary,
    /// The domains to look a person up in; empty for those who may not.
    domains: Vec<Choice>,
}

#[derive(Template)]
#[template(path = "consent/person.html")]
struct PersonPage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    key: String,
    known: Known,
    vocabulary: Vocabulary,
}

fn crumb() -> Crumb {
    Crumb { href: "/consent".to_owned(), label: "Consent".to_owned() }
}

async fn domains(app: &App) -> Result<Vec<Choice>, AppError> {
    let domains = catalogue::subject_domains(app).await?;
    Ok(domains
        .into_iter()
        .map(|(name, logical)| Choice::new(name.as_str(), format!("{name} (keys are of type {})", logical.key())))
        .collect())
}

/// How many persons said what, and the way to one of them.
pub async fn list(request: HttpRequest, app: Tidegate, by: Visitor<Read>) -> Answer {
    list_page(&request, &app, &by, StatusCode::OK, Typed::default()).await
}

async fn list_page<P>(request: &HttpRequest, app: &App, by: &Visitor<P>, status: StatusCode, typed: Typed) -> Answer {
    let rows = by.want(request, consents::counts(app).await)?;
    let vocabulary = by.want(request, vocabulary::load(app).await)?;
    let domains = if by.may(Permission::ManageConsent) { by.want(request, domains(app).await)? } else { Vec::new() };
    let frame = by.frame(request, "Consent", Section::Consent);
    Ok(render(request, status, &ListPage { frame, typed, rows, vocabulary, domains }))
}

/// What one person said. Their key comes in the form and goes with the page: an address would be kept in logs.
pub async fn look_up(request: HttpRequest, app: Tidegate, sent: Saved<ManageConsent>) -> Answer {
    let Saved { by, typed } = sent;
    let mut errors = Vec::new();
    let domain = wanted::<Slug>(&typed, "domain", &mut errors);
    let key = typed.value("subject").to_owned();
    if key.is_empty() {
        errors.push(Invalid::new("subject", "must be given"));
    }
    let (Some(domain), true) = (domain, errors.is_empty()) else {
        return list_page(&request, &app, &by, StatusCode::UNPROCESSABLE_ENTITY, typed.refused(errors)).await;
    };
    match consents::look_up(&app, &by.actor(), domain, key.clone()).await {
        Ok(known) => {
            let vocabulary = by.want(&request, vocabulary::load(&app).await)?;
            let frame = by.frame(&request, "What one person said", Section::Consent);
            Ok(render(&request, StatusCode::OK, &PersonPage { frame, crumbs: vec![crumb()], key, known, vocabulary }))
        }
        Err(AppError::Invalid(error) | AppError::Denied(Denied::Invalid(error))) => {
            list_page(&request, &app, &by, StatusCode::UNPROCESSABLE_ENTITY, typed.refused([error])).await
        }
        Err(error) => Err(by.refuse(&request, error)),
    }
}
