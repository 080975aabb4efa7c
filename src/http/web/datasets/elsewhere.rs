//! Sources that are no file of this machine: a database, folders and buckets, an address that answers with JSON. Each is
//! read once before it is kept, and what it asks for is never shown again.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::app::AppError;
use crate::app::catalogue;
use crate::domain::Invalid;
use crate::domain::dataset::SourceLocation;
use crate::domain::secret::PlainSecret;
use crate::domain::source::{HttpJsonAt, ObjectStoreAt, Paging, PostgresAt, Sends, Tls};
use crate::domain::text::{FieldName, Line, Name, Prose};
use crate::http::api::Tidegate;
use crate::http::guard::ManageCatalogue;
use crate::policy::Denied;

use super::super::answer::render;
use super::super::form::Typed;
use super::super::guard::{Sent, Visitor, given, wanted};
use super::super::lead::see_other;
use super::super::page::{Frame, Section};
use super::super::parts::{Choice, Crumb, Step};
use super::Answer;
use super::cataloguing::{delimiter, delimiters, steps, up};

type By = Visitor<ManageCatalogue>;

/// Which form it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Database,
    Files,
    Web,
}

impl Form {
    const fn title(self) -> &'static str {
        match self {
            Self::Database => "A PostgreSQL database",
            Self::Files => "A folder or an object store",
            Self::Web => "JSON over HTTP",
        }
    }

    const fn address(self) -> &'static str {
        match self {
            Self::Database => "/datasets/new/database",
            Self::Files => "/datasets/new/files",
            Self::Web => "/datasets/new/web",
        }
    }

    /// What the fields are called.
    const fn labels(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Database => &[
                ("name", "Name of the source"),
                ("host", "Host"),
                ("port", "Port"),
                ("database", "Database"),
                ("schema", "Schema"),
                ("user", "User"),
                ("secret", "Password"),
                ("tls", "Connection"),
                ("certificate", "Certificate authority"),
                ("timeout_seconds", "Time limit"),
            ],
            Self::Files => &[
                ("name", "Name of the source"),
                ("path", "Folder or prefix"),
                ("kind", "Kind of file"),
                ("delimiter", "Separator"),
                ("endpoint", "Endpoint"),
                ("region", "Region"),
                ("access_key", "Access key"),
                ("secret", "Secret access key"),
            ],
            Self::Web => &[
                ("name", "Name of the source"),
                ("url", "Address"),
                ("rows", "Where the rows are"),
                ("paging", "Pages"),
                ("at", "Where the next page stands"),
                ("parameter", "Parameter"),
                ("sends", "Secret"),
                ("header", "Header"),
                ("secret", "The secret"),
            ],
        }
    }

    /// The field beside which it stands what a source as a whole lacks.
    const fn first(self) -> &'static str {
        match self {
            Self::Database => "host",
            Self::Files => "path",
            Self::Web => "url",
        }
    }
}

#[derive(Template)]
#[template(path = "datasets/elsewhere.html")]
struct ElsewherePage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    steps: Vec<Step>,
    form: Form,
    typed: Typed,
    delimiters: Vec<Choice>,
}

impl ElsewherePage {
    fn kinds() -> Vec<Choice> {
        vec![Choice::new("csv", "CSV"), Choice::new("parquet", "Parquet"), Choice::new("ndjson", "NDJSON, one object a line")]
    }

    fn connections() -> Vec<Choice> {
        vec![Choice::new("verified", "Encrypted, the server's certificate is checked"), Choice::new("none", "In the clear")]
    }

    fn pages() -> Vec<Choice> {
        vec![
            Choice::new("none", "There is one page"),
            Choice::new("link_header", "The answer's Link header names the next one"),
            Choice::new("next_url", "The document holds the next one's address"),
            Choice::new("cursor", "The document holds a cursor"),
        ]
    }

    fn ways() -> Vec<Choice> {
        vec![
            Choice::new("nothing", "None is asked for"),
            Choice::new("bearer", "As a bearer token (Authorization)"),
            Choice::new("header", "In a header of its own"),
        ]
    }
}

fn page(request: &HttpRequest, by: &By, form: Form, status: StatusCode, typed: Typed) -> HttpResponse {
    let frame = by.frame(request, form.title(), Section::Datasets);
    render(request, status, &ElsewherePage { frame, crumbs: up(), steps: steps(0), form, typed, delimiters: delimiters() })
}

/// The form for a database.
pub async fn database(request: HttpRequest, by: By) -> Answer {
    let usual = Typed::default().with("port", 5432).with("tls", "verified").with("timeout_seconds", 900);
    Ok(page(&request, &by, Form::Database, StatusCode::OK, usual))
}

/// The form for folders and buckets.
pub async fn files(request: HttpRequest, by: By) -> Answer {
    Ok(page(&request, &by, Form::Files, StatusCode::OK, Typed::default()))
}

/// The form for an address.
pub async fn web(request: HttpRequest, by: By) -> Answer {
    Ok(page(&request, &by, Form::Web, StatusCode::OK, Typed::default().with("paging", "none").with("sends", "nothing")))
}

/// Registers a database.
pub async fn take_database(request: HttpRequest, app: Tidegate, sent: Sent<ManageCatalogue>) -> Answer {
    take(request, app, sent, Form::Database).await
}

/// Registers a folder or a bucket.
pub async fn take_files(request: HttpRequest, app: Tidegate, sent: Sent<ManageCatalogue>) -> Answer {
    take(request, app, sent, Form::Files).await
}

/// Registers an address.
pub async fn take_web(request: HttpRequest, app: Tidegate, sent: Sent<ManageCatalogue>) -> Answer {
    take(request, app, sent, Form::Web).await
}

async fn take(request: HttpRequest, app: Tidegate, sent: Sent<ManageCatalogue>, form: Form) -> Answer {
    let Sent { by, typed } = sent;
    let mut errors = Vec::new();
    let name = wanted::<Name>(&typed, "name", &mut errors);
    let location = match form {
        Form::Database => database_of(&typed, &mut errors),
        Form::Files => files_of(&typed, &mut errors),
        Form::Web => web_of(&typed, &mut errors),
    };
    let (Some(name), Some(location), true) = (name, location, errors.is_empty()) else {
        return Ok(page(&request, &by, form, StatusCode::UNPROCESSABLE_ENTITY, typed.refused(errors)));
    };
    let secret = Some(typed.value("secret")).filter(|secret| !secret.is_empty()).map(PlainSecret::new);
    match catalogue::add_source(&app, &by.actor(), name, location, secret).await {
        Ok(source) => Ok(see_other(format!("/datasets/new/table?source={}", source.id))),
        Err(AppError::Invalid(error) | AppError::Denied(Denied::Invalid(error))) => {
            let typed = typed.refused([placed(error, form)]);
            Ok(page(&request, &by, form, StatusCode::UNPROCESSABLE_ENTITY, typed))
        }
        Err(error) => Err(by.refuse(&request, error)),
    }
}

/// A complaint about a part of the location, beside the field that it was typed into.
fn placed(error: Invalid, form: Form) -> Invalid {
    let field = match error.field.as_str() {
        "sends.name" => "header",
        "store.endpoint" => "endpoint",
        "paging.at" => "at",
        "paging.parameter" => "parameter",
        known if form.labels().iter().any(|(name, _)| *name == known) => known,
        _ => form.first(),
    };
    Invalid::new(field, error.reason)
}

fn number<T: std::str::FromStr>(typed: &Typed, name: &str, usual: T, errors: &mut Vec<Invalid>) -> T {
    match typed.value(name) {
        "" => usual,
        text => text.parse().unwrap_or_else(|_| {
            errors.push(Invalid::new(name, "must be a whole number"));
            usual
        }),
    }
}

fn database_of(typed: &Typed, errors: &mut Vec<Invalid>) -> Option<SourceLocation> {
    let host = wanted::<Line>(typed, "host", errors);
    let database = wanted::<Line>(typed, "database", errors);
    let user = wanted::<Line>(typed, "user", errors);
    let schema = given::<FieldName>(typed, "schema", errors);
    let certificate = given::<Prose>(typed, "certificate", errors);
    let port = number(typed, "port", 5432, errors);
    let timeout_seconds = number(typed, "timeout_seconds", 900, errors);
    let tls = if typed.value("tls") == "none" { Tls::None } else { Tls::Verified };
    let (host, database, user) = (host?, database?, user?);
    Some(SourceLocation::Postgres(PostgresAt { host, port, database, user, schema, tls, certificate, timeout_seconds }))
}

fn files_of(typed: &Typed, errors: &mut Vec<Invalid>) -> Option<SourceLocation> {
    let path = wanted::<Line>(typed, "path", errors);
    let endpoint = given::<Line>(typed, "endpoint", errors);
    let region = given::<Line>(typed, "region", errors);
    let access_key = given::<Line>(typed, "access_key", errors);
    let at = ObjectStoreAt { endpoint, region, access_key };
    let store = Some(at).filter(|at| at.endpoint.is_some() || at.region.is_some() || at.access_key.is_some());
    match typed.value("kind") {
        "csv" => Some(SourceLocation::Csv { path: path?, delimiter: delimiter(typed).unwrap_or(','), store }),
        "parquet" => Some(SourceLocation::Parquet { path: path?, store }),
        "ndjson" => Some(SourceLocation::Ndjson { path: path?, store }),
        _ => {
            errors.push(Invalid::new("kind", "must be chosen"));
            None
        }
    }
}

fn web_of(typed: &Typed, errors: &mut Vec<Invalid>) -> Option<SourceLocation> {
    let url = wanted::<Line>(typed, "url", errors);
    let rows = given::<Line>(typed, "rows", errors);
    let paging = match typed.value("paging") {
        "link_header" => Some(Paging::LinkHeader),
        "next_url" => wanted::<Line>(typed, "at", errors).map(|at| Paging::NextUrl { at }),
        "cursor" => {
            let (at, parameter) = (wanted::<Line>(typed, "at", errors), wanted::<Line>(typed, "parameter", errors));
            at.zip(parameter).map(|(at, parameter)| Paging::Cursor { at, parameter })
        }
        _ => Some(Paging::None),
    };
    let sends = match typed.value("sends") {
        "bearer" => Some(Sends::Bearer),
        "header" => wanted::<Line>(typed, "header", errors).map(|name| Sends::Header { name }),
        _ => Some(Sends::Nothing),
    };
    Some(SourceLocation::HttpJson(HttpJsonAt { url: url?, sends: sends?, rows, paging: paging? }))
}
