//! What can be done to a source that is there: give it another secret, let a dataset's rows come from another one.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use askama::Template;

use crate::app::catalogue;
use crate::app::{App, AppError};
use crate::domain::Invalid;
use crate::domain::dataset::{Dataset, Source};
use crate::domain::id::SourceId;
use crate::domain::secret::PlainSecret;
use crate::domain::text::FieldName;
use crate::http::api::Tidegate;
use crate::http::guard::ManageCatalogue;
use crate::policy::Denied;

use super::super::answer::render;
use super::super::error::Wire;
use super::super::form::Typed;
use super::super::guard::{Sent, Visitor, wanted};
use super::super::lead::see_other_saying;
use super::super::page::{Frame, Section};
use super::super::parts::{Choice, Crumb};
use super::{Answer, crumbs, name_of};

type By = Visitor<ManageCatalogue>;

const SECRET_LABELS: &[(&str, &str)] = &[("secret", "The new secret")];
const MOVE_LABELS: &[(&str, &str)] = &[("source", "Source"), ("table", "Table")];

/// The most sources that are offered.
const MOST_OFFERED: usize = 500;

#[derive(Template)]
#[template(path = "datasets/secret.html")]
struct SecretPage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    source: Source,
    typed: Typed,
}

async fn found(request: &HttpRequest, app: &App, by: &By) -> Result<Source, actix_web::Error> {
    let id = request.match_info().get("id").and_then(|id| id.parse::<SourceId>().ok()).ok_or_else(|| by.wire(request, Wire::NotFound))?;
    let source = by.want(request, catalogue::find_source(app, id).await)?;
    if source.location.takes_secret() { Ok(source) } else { Err(by.wire(request, Wire::NotFound)) }
}

fn secret_page(request: &HttpRequest, by: &By, status: StatusCode, source: Source, typed: Typed) -> actix_web::HttpResponse {
    let frame = by.frame(request, "Another secret", Section::Datasets);
    let crumbs = super::cataloguing::up();
    render(request, status, &SecretPage { frame, crumbs, source, typed })
}

/// The form for another secret.
pub async fn secret(request: HttpRequest, app: Tidegate, by: By) -> Answer {
    let source = found(&request, &app, &by).await?;
    Ok(secret_page(&request, &by, StatusCode::OK, source, Typed::default()))
}

/// Puts the secret in place once the source could be read with it.
pub async fn set_secret(request: HttpRequest, app: Tidegate, sent: Sent<ManageCatalogue>) -> Answer {
    let Sent { by, typed } = sent;
    let source = found(&request, &app, &by).await?;
    let secret = PlainSecret::new(typed.value("secret"));
    match catalogue::set_secret(&app, &by.actor(), source.id.clone(), secret).await {
        Ok(_) => {
            let said = format!("{} is read with the new secret from the next release on.", source.name);
            Ok(see_other_saying(&request, "/datasets/new", &said))
        }
        Err(AppError::Invalid(error) | AppError::Denied(Denied::Invalid(error))) => {
            let typed = typed.refused([Invalid::new("secret", error.reason)]);
            Ok(secret_page(&request, &by, StatusCode::UNPROCESSABLE_ENTITY, source, typed))
        }
        Err(error) => Err(by.refuse(&request, error)),
    }
}

#[derive(Template)]
#[template(path = "datasets/move.html")]
struct MovePage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    dataset: Dataset,
    sources: Vec<Choice>,
    typed: Typed,
}

impl MovePage {
    fn back(&self) -> String {
        format!("/datasets/{}", self.dataset.name)
    }
}

async fn move_page(request: &HttpRequest, app: &App, by: &By, status: StatusCode, typed: Typed) -> Answer {
    let name = name_of(request, by)?;
    let dataset = by.want(request, catalogue::find(app, name).await)?;
    let (rows, _) = by.want(request, catalogue::source_page(app, None, MOST_OFFERED).await)?;
    let choice =
        |row: &catalogue::SourceLine| Choice::new(row.source.id.as_str(), row.source.name.as_str()).hinted(super::place(&row.source));
    let sources = rows.iter().map(choice).collect();
    let typed = if typed.has_any("version") { typed } else { typed.with("version", dataset.version).with("table", &dataset.table) };
    let frame = by.frame(request, "Take the rows from another source", Section::Datasets);
    Ok(render(request, status, &MovePage { frame, crumbs: crumbs(&dataset.name), dataset, sources, typed }))
}

/// The form that moves a dataset.
pub async fn ask_move(request: HttpRequest, app: Tidegate, by: By) -> Answer {
    move_page(&request, &app, &by, StatusCode::OK, Typed::default()).await
}

/// Lets the rows come from another source.
pub async fn move_dataset(request: HttpRequest, app: Tidegate, sent: Sent<ManageCatalogue>) -> Answer {
    let Sent { by, typed } = sent;
    let name = name_of(&request, &by)?;
    let mut errors = Vec::new();
    let source = typed.value("source").parse::<SourceId>().ok();
    if source.is_none() {
        errors.push(Invalid::new("source", "must be chosen"));
    }
    let table = wanted::<FieldName>(&typed, "table", &mut errors);
    let (Some(source), Some(table)) = (source, table) else {
        return move_page(&request, &app, &by, StatusCode::UNPROCESSABLE_ENTITY, typed.refused(errors)).await;
    };
    let version = typed.value("version").parse::<i64>().unwrap_or(0);
    match catalogue::move_dataset(&app, &by.actor(), name.clone(), version, source, table).await {
        Ok(_) => {
            let said = "The rows come from there from the next release on. Permits and pseudonyms stay as they are.";
            Ok(see_other_saying(&request, format!("/datasets/{name}"), said))
        }
        Err(AppError::Invalid(error) | AppError::Denied(Denied::Invalid(error))) => {
            // What a field of the dataset lacks in the new table is said of the table.
            let field = if error.field == "source" || error.field == "location" { "source" } else { "table" };
            let known = MOVE_LABELS.iter().any(|(label, _)| *label == error.field) || error.field == "location";
            let reason = if known { error.reason } else { format!("does not fit: {} {}", error.field, error.reason) };
            move_page(&request, &app, &by, StatusCode::UNPROCESSABLE_ENTITY, typed.refused([Invalid::new(field, reason)])).await
        }
        Err(error) => Err(by.refuse(&request, error)),
    }
}
