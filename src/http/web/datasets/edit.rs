//! Changing the classes of a dataset's fields, beside the columns that its source has now; what somebody else changed
//! meanwhile is shown, never overwritten unread.

use actix_web::http::StatusCode;
use actix_web::{Error, HttpRequest};
use askama::Template;

use crate::app::catalogue::{self, SourceNow};
use crate::app::{App, AppError, vocabulary};
use crate::domain::dataset::{ColumnState, Dataset, DiscoveredColumn};
use crate::http::api::Tidegate;
use crate::http::guard::ManageCatalogue;
use crate::policy::Denied;

use super::super::answer::render;
use super::super::fields::{self, FieldRow, RowNote};
use super::super::form::Typed;
use super::super::guard::{Saved, Sent, Visitor};
use super::super::lead::see_other_saying;
use super::super::page::{Frame, Section};
use super::super::parts::Crumb;
use super::cataloguing::FieldsForm;
use super::{Answer, asked, crumbs, name_of};

type By = Visitor<ManageCatalogue>;

#[derive(Template)]
#[template(path = "datasets/edit.html")]
struct EditPage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    form: FieldsForm,
    dataset: Dataset,
    typed: Typed,
    /// Why the source can't be read, where it can't.
    unreadable: String,
    /// Whether somebody else changed it meanwhile.
    stale: bool,
}

fn filled(dataset: &Dataset) -> Typed {
    Typed::default().with("version", dataset.version).with("subject", &dataset.subject.field).with("domain", &dataset.subject.domain)
}

/// The form with the fields as they are.
pub async fn form(request: HttpRequest, app: Tidegate, by: By) -> Answer {
    let name = name_of(&request, &by)?;
    let drift = by.want(&request, catalogue::drift(&app, name).await)?;
    let (columns, unreadable) = match drift.now {
        SourceNow::Columns(columns) => (Some(discovered(columns)), String::new()),
        SourceNow::Unreadable(why) => (None, why),
    };
    let mut rows = fields::rows_of(&drift.dataset, columns.as_deref(), &drift.new);
    // The way here from a new column: it is ticked, and saving is the act that takes it.
    let wanted = asked(&request).value("add").to_owned();
    rows.iter_mut().filter(|row| row.name == wanted && row.note == Some(RowNote::New)).for_each(|row| row.taken = true);
    let typed = filled(&drift.dataset);
    page(&request, &app, &by, drift.dataset, Shown { status: StatusCode::OK, typed, rows, unreadable, stale: false }).await
}

/// The columns that are there now; the type is the catalogued one where that still fits.
fn discovered(columns: Vec<crate::domain::dataset::ColumnNow>) -> Vec<DiscoveredColumn> {
    let there = columns.into_iter().filter(|column| column.state != ColumnState::Gone);
    there.filter_map(|column| Some(DiscoveredColumn { logical: column.now?, name: column.name })).collect()
}

struct Shown {
    status: StatusCode,
    typed: Typed,
    rows: Vec<FieldRow>,
    unreadable: String,
    stale: bool,
}

async fn page(request: &HttpRequest, app: &App, by: &By, dataset: Dataset, shown: Shown) -> Answer {
    let Shown { status, typed, rows, unreadable, stale } = shown;
    let form = by.want(request, FieldsForm::new(app, rows, format!("/datasets/{}/edit", dataset.name)).await)?;
    let frame = by.frame(request, "Edit the fields", Section::Datasets);
    Ok(render(request, status, &EditPage { frame, crumbs: crumbs(&dataset.name), form, dataset, typed, unreadable, stale }))
}

async fn again(request: &HttpRequest, app: &App, by: &By, shown: (StatusCode, Typed, Vec<FieldRow>)) -> Answer {
    let dataset = stored(request, app, by).await?;
    let (status, typed, rows) = shown;
    page(request, app, by, dataset, Shown { status, typed, rows, unreadable: String::new(), stale: false }).await
}

async fn stored(request: &HttpRequest, app: &App, by: &By) -> Result<Dataset, Error> {
    let name = name_of(request, by)?;
    by.want(request, catalogue::find(app, name).await)
}

/// Sets class and category of all rows that have none yet, and shows the form again; nothing is kept.
pub async fn fill(request: HttpRequest, app: Tidegate, sent: Saved<ManageCatalogue>) -> Answer {
    let Saved { by, typed } = sent;
    let mut rows = fields::typed_rows(&typed);
    fields::fill_open(&mut rows, typed.value("open_class"), typed.value("open_category"));
    again(&request, &app, &by, (StatusCode::OK, typed, rows)).await
}

/// Saves fields and subject over the version that was read.
pub async fn save(request: HttpRequest, app: Tidegate, sent: Sent<ManageCatalogue>) -> Answer {
    let Sent { by, typed } = sent;
    let name = name_of(&request, &by)?;
    let rows = fields::typed_rows(&typed);
    let mut errors = Vec::new();
    let vocabulary = by.want(&request, vocabulary::load(&app).await)?;
    let Some((read, subject)) = fields::read(&rows, &typed, &vocabulary, &mut errors) else {
        return again(&request, &app, &by, (StatusCode::UNPROCESSABLE_ENTITY, typed.refused(errors), rows)).await;
    };
    let version = typed.value("version").parse::<i64>().unwrap_or(0);
    match catalogue::edit(&app, &by.actor(), name.clone(), version, read, subject).await {
        Ok(_) => Ok(see_other_saying(&request, format!("/datasets/{name}"), "The change is saved and holds from the next release on.")),
        Err(AppError::Stale) => stale(&request, &app, &by, typed, rows).await,
        Err(AppError::Invalid(error) | AppError::Denied(Denied::Invalid(error))) => {
            let error = fields::placed(error, &rows);
            again(&request, &app, &by, (StatusCode::UNPROCESSABLE_ENTITY, typed.refused([error]), rows)).await
        }
        Err(error) => Err(by.refuse(&request, error)),
    }
}

/// What was typed stays, now based on the version that is shown beside it.
async fn stale(request: &HttpRequest, app: &App, by: &By, typed: Typed, mut rows: Vec<FieldRow>) -> Answer {
    let dataset = stored(request, app, by).await?;
    fields::mark_other(&mut rows, &dataset, &by.want(request, vocabulary::load(app).await)?);
    let kept = Typed::default().with("version", dataset.version);
    let kept = ["subject", "domain", "new_domain"].into_iter().fold(kept, |kept, name| kept.with(name, typed.value(name)));
    let shown = Shown { status: StatusCode::CONFLICT, typed: kept, rows, unreadable: String::new(), stale: true };
    page(request, app, by, dataset, shown).await
}
