//! Recording what people said: one by hand, such as a letter, or a file of many.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::app::consents::{self, Imported, LineFormat, Report, Taken};
use crate::app::{App, AppError, request_id, vocabulary};
use crate::domain::Invalid;
use crate::domain::consent::Signal;
use crate::domain::text::{Line, Slug};
use crate::domain::time::{Date, Instant};
use crate::http::api::Tidegate;
use crate::http::guard::ManageConsent;
use crate::http::web::answer::render;
use crate::http::web::form::Typed;
use crate::http::web::guard::{Sent, Visitor, given, wanted};
use crate::http::web::lead::see_other_saying;
use crate::http::web::page::{Frame, Section};
use crate::http::web::parts::{Choice, Crumb};
use crate::http::web::upload::SentFile;
use crate::http::web::words;
use crate::policy::Denied;

use super::{Answer, LABELS, crumb, domains};

type By = Visitor<ManageConsent>;

#[derive(Template)]
#[template(path = "consent/new.html")]
struct NewPage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    typed: Typed,
    domains: Vec<Choice>,
    signals: Vec<Choice>,
    purposes: Vec<Choice>,
    standings: Vec<Choice>,
}

#[derive(Template)]
#[template(path = "consent/import.html")]
struct ImportPage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    typed: Typed,
    domains: Vec<Choice>,
    most: String,
}

impl ImportPage {
    /// What is taken.
    fn taken(&self) -> String {
        format!("CSV with a header, or one JSON object a line. At most {}; larger files go to /api/v1/consents/import.", self.most)
    }
}

#[derive(Template)]
#[template(path = "consent/imported.html")]
struct ImportedPage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    done: Imported,
}

async fn new_page(request: &HttpRequest, app: &App, by: &By, status: StatusCode, typed: Typed) -> Answer {
    let signal = |signal: Signal| Choice::new(signal.key(), words::signal(&signal)).hinted(words::signal_hint(&signal));
    let page = NewPage {
        frame: by.frame(request, "Record what a person said", Section::Consent),
        crumbs: vec![crumb()],
        typed,
        domains: by.want(request, domains(app).await)?,
        signals: Signal::ALL.into_iter().map(signal).collect(),
        // Of a retired purpose too: people take back what they said.
        purposes: words::purposes(by.want(request, vocabulary::load(app).await)?.purposes()),
        standings: vec![
            Choice::new("yes", "Yes: it was given, made or asked for"),
            Choice::new("no", "No: it was withdrawn, taken back or lifted"),
        ],
    };
    Ok(render(request, status, &page))
}

/// The form for one record.
pub async fn new(request: HttpRequest, app: Tidegate, by: By) -> Answer {
    let typed = Typed::default().with("day", app.clock.now().date()).with("stands", "yes");
    new_page(&request, &app, &by, StatusCode::OK, typed).await
}

/// Records what one person said.
pub async fn record(request: HttpRequest, app: Tidegate, sent: Sent<ManageConsent>) -> Answer {
    let Sent { by, typed } = sent;
    let mut errors = Vec::new();
    let domain = wanted::<Slug>(&typed, "domain", &mut errors);
    let report = report(&typed, app.clock.now(), &mut errors);
    let (Some(domain), Some(report), true) = (domain, report, errors.is_empty()) else {
        return new_page(&request, &app, &by, StatusCode::UNPROCESSABLE_ENTITY, typed.refused(errors)).await;
    };
    let recorded = consents::record(&app, &by.actor(), domain, vec![report]).await;
    let taken = recorded.and_then(|recorded| match recorded.taken.into_iter().next() {
        Some(Ok(taken)) => Ok(taken),
        Some(Err(error)) => Err(error.into()),
        None => Err(AppError::Internal("a record was lost".to_owned())),
    });
    match taken {
        Ok(taken) => {
            let said = match taken {
                Taken::Counts => "It is recorded, and counts from the next release on.",
                Taken::Overtaken | Taken::Repeated => "It is recorded. A later word of the same person counts.",
            };
            Ok(see_other_saying(&request, "/consent", said))
        }
        Err(AppError::Invalid(error) | AppError::Denied(Denied::Invalid(error))) => {
            new_page(&request, &app, &by, StatusCode::UNPROCESSABLE_ENTITY, typed.refused([beside(error)])).await
        }
        Err(error) => Err(by.refuse(&request, error)),
    }
}

/// The field of the form that an error is about.
fn beside(error: Invalid) -> Invalid {
    let field = match error.field.as_str() {
        "event_time" => "day",
        "ends_at" => "ends",
        known if LABELS.iter().any(|(name, _)| *name == known) => known,
        _ => "subject",
    };
    Invalid::new(field, error.reason)
}

fn report(typed: &Typed, now: Instant, errors: &mut Vec<Invalid>) -> Option<Report> {
    let signal = Signal::from_key(typed.value("signal"));
    if signal.is_none() {
        errors.push(Invalid::new("signal", "must be chosen"));
    }
    let stands = match typed.value("stands") {
        "yes" => Some(true),
        "no" => Some(false),
        _ => {
            errors.push(Invalid::new("stands", "must be chosen"));
            None
        }
    };
    let day = wanted::<Date>(typed, "day", errors);
    let purpose = given::<Slug>(typed, "purpose", errors);
    let channel = given::<Line>(typed, "channel", errors);
    let ends = given::<Date>(typed, "ends", errors);
    let (signal, stands, day) = (signal?, stands?, day?);
    // Of a day nobody knows the hour: what protects counts from its end, what opens from its beginning.
    let protects = stands != signal.admits();
    let event_time = if protects { day.end().plus_seconds(-1).min(now.max(day.start())) } else { day.start() };
    Some(Report {
        record: format!("by-hand-{}", request_id()).parse().ok()?,
        subject: typed.value("subject").to_owned(),
        signal,
        purpose: purpose.filter(|_| signal.has_purpose()),
        stands,
        event_time,
        ends_at: ends.map(|day| day.end()),
        notice: None,
        channel,
        jurisdiction: None,
    })
}

/// The form that takes a file.
pub async fn file(request: HttpRequest, app: Tidegate, by: By) -> Answer {
    file_page(&request, &app, &by, StatusCode::OK, Typed::default()).await
}

async fn file_page(request: &HttpRequest, app: &App, by: &By, status: StatusCode, typed: Typed) -> Answer {
    let most = words::bytes(u64::try_from(app.settings.most_upload_bytes).unwrap_or(u64::MAX));
    let domains = by.want(request, domains(app).await)?;
    let frame = by.frame(request, "Import a file", Section::Consent);
    Ok(render(request, status, &ImportPage { frame, crumbs: vec![crumb()], typed, domains, most }))
}

/// Takes a file of records and says line by line what could not be taken.
pub async fn import(request: HttpRequest, app: Tidegate, sent: SentFile<ManageConsent>) -> Answer {
    let SentFile { by, typed, file } = sent;
    let mut errors = Vec::new();
    let status = file.status();
    let file = file.wanted("file", &mut errors);
    let domain = wanted::<Slug>(&typed, "domain", &mut errors);
    let format = file.as_ref().map(|file| format_of(&file.name));
    if let Some(None) = format {
        errors.push(Invalid::new("file", "must be a .csv, .ndjson or .jsonl file"));
    }
    let (Some(file), Some(domain), Some(Some(format)), true) = (file, domain, format, errors.is_empty()) else {
        return file_page(&request, &app, &by, status, typed.refused(errors)).await;
    };
    match consents::import(&app, &by.actor(), domain, format, file.pieces()).await {
        Ok(done) => Ok(imported_page(&request, &by, done)),
        Err(AppError::Invalid(error) | AppError::Denied(Denied::Invalid(error))) => {
            let field = if error.field == "domain" { "domain" } else { "file" };
            let typed = typed.refused([Invalid::new(field, error.reason)]);
            file_page(&request, &app, &by, StatusCode::UNPROCESSABLE_ENTITY, typed).await
        }
        Err(error) => Err(by.refuse(&request, error)),
    }
}

fn imported_page(request: &HttpRequest, by: &By, done: Imported) -> HttpResponse {
    let frame = by.frame(request, "What became of the file", Section::Consent);
    render(request, StatusCode::OK, &ImportedPage { frame, crumbs: vec![crumb()], done })
}

fn format_of(name: &str) -> Option<LineFormat> {
    match name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).as_deref() {
        Some("csv") => Some(LineFormat::Csv),
        Some("ndjson" | "jsonl") => Some(LineFormat::Ndjson),
        _ => None,
    }
}
