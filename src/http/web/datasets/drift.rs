//! A dataset's source as it is now beside the catalogue: what changed, whom that stops, and the one act that confirms
//! exactly what is shown.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use askama::Template;

use crate::app::AppError;
use crate::app::catalogue::{self, Drift, Seen, SourceNow, SuggestedColumn};
use crate::domain::dataset::{ColumnNow, ColumnState};
use crate::domain::text::Slug;
use crate::http::api::Tidegate;
use crate::http::guard::{ManageCatalogue, SeeSamples};
use crate::policy::Denied;

use super::super::answer::render;
use super::super::guard::{Sent, Visitor};
use super::super::lead::see_other_saying;
use super::super::page::{Frame, Section};
use super::super::parts::Crumb;
use super::super::words::{self, Badge, Tone};
use super::{Answer, crumbs, name_of};

#[derive(Template)]
#[template(path = "datasets/source.html")]
struct SourcePage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    drift: Drift,
    summary: Badge,
    /// Why what was confirmed was not taken over; empty where nothing was.
    refused: String,
}

impl SourcePage {
    /// Whether there is something to confirm.
    fn has_changed(&self) -> bool {
        matches!(&self.drift.now, SourceNow::Columns(columns) if columns.iter().any(closes))
    }

    /// The columns in the order of what needs looking at: what closes releases, what is new, the rest.
    fn columns(&self) -> Vec<&ColumnNow> {
        let SourceNow::Columns(columns) = &self.drift.now else { return Vec::new() };
        let mut columns: Vec<&ColumnNow> = columns.iter().collect();
        columns.sort_by_key(|column| match column.state {
            ColumnState::Gone => 0,
            ColumnState::OtherType => 1,
            ColumnState::New => 2,
            ColumnState::AsCatalogued => 3,
        });
        columns
    }

    /// What a new column suggests.
    fn suggested(&self, column: &ColumnNow) -> Option<&SuggestedColumn> {
        self.drift.new.iter().find(|found| found.name == column.name)
    }

    /// What a suggestion says, in a few words.
    fn said(found: &SuggestedColumn) -> String {
        let class = found.suggestion.class.map_or("nothing suggested", |class| words::class(&class));
        format!("{class}. {}", found.suggestion.evidence.join(" "))
    }

    /// Where a new column is taken into the catalogue.
    fn adding(&self, column: &ColumnNow) -> String {
        let query = serde_urlencoded::to_string([("add", column.name.as_str())]).unwrap_or_default();
        format!("/datasets/{}/edit?{query}", self.drift.dataset.name)
    }

    /// What confirming does, to the columns that are there.
    fn does(&self) -> String {
        let SourceNow::Columns(columns) = &self.drift.now else { return String::new() };
        let many = |state: ColumnState| columns.iter().filter(|column| column.state == state).count();
        let gone = (many(ColumnState::Gone) > 0)
            .then(|| words::count(many(ColumnState::Gone), "field leaves the dataset", "fields leave the dataset"));
        let retyped = (many(ColumnState::OtherType) > 0)
            .then(|| words::count(many(ColumnState::OtherType), "field takes its new type", "fields take their new types"));
        let parts: Vec<String> = [gone, retyped].into_iter().flatten().collect();
        format!("{}. New columns stay withheld.", parts.join(", "))
    }
}

fn closes(column: &ColumnNow) -> bool {
    matches!(column.state, ColumnState::Gone | ColumnState::OtherType)
}

/// The catalogued columns beside the source as it is now.
pub async fn source(request: HttpRequest, app: Tidegate, by: Visitor<SeeSamples>) -> Answer {
    let name = name_of(&request, &by)?;
    let drift = by.want(&request, catalogue::drift(&app, name.clone()).await)?;
    page(&request, &by, &name, drift, StatusCode::OK, "")
}

fn page<P>(request: &HttpRequest, by: &Visitor<P>, name: &Slug, drift: Drift, status: StatusCode, refused: &str) -> Answer {
    let frame = by.frame(request, "The source as it is now", Section::Datasets);
    let summary = summary(&drift.now);
    Ok(render(request, status, &SourcePage { frame, crumbs: crumbs(name), drift, summary, refused: refused.to_owned() }))
}

fn summary(now: &SourceNow) -> Badge {
    match now {
        SourceNow::Unreadable(_) => Badge::new(Tone::Stopped, "Can't be read"),
        SourceNow::Columns(columns) if columns.iter().any(closes) => Badge::new(Tone::Stopped, "Has changed"),
        SourceNow::Columns(columns) if columns.iter().any(|column| column.state == ColumnState::New) => {
            Badge::new(Tone::Due, "Has new columns")
        }
        SourceNow::Columns(_) => Badge::new(Tone::InForce, "As catalogued"),
    }
}

/// Confirms the difference that was shown; one that is another by now is shown instead, and nothing is changed.
pub async fn confirm(request: HttpRequest, app: Tidegate, sent: Sent<ManageCatalogue>) -> Answer {
    let Sent { by, typed } = sent;
    let name = name_of(&request, &by)?;
    let version = typed.value("version").parse::<i64>().unwrap_or(0);
    let seen = Seen { version, columns: typed.value("seen").to_owned() };
    let (status, said) = match catalogue::confirm(&app, &by.actor(), name.clone(), seen).await {
        Ok(_) => {
            let said = "Confirmed. Permits that do not rest on what is gone work again from the next release on.";
            return Ok(see_other_saying(&request, format!("/datasets/{name}/source"), said));
        }
        Err(AppError::Stale) => {
            let said =
                "The source or the dataset changed again meanwhile, so nothing was confirmed. This is how it stands now: look again.";
            (StatusCode::CONFLICT, said.to_owned())
        }
        Err(AppError::Denied(Denied::State(said))) => (StatusCode::CONFLICT, said),
        Err(AppError::Invalid(error) | AppError::Denied(Denied::Invalid(error))) => {
            (StatusCode::UNPROCESSABLE_ENTITY, format!("This can't be confirmed: {error}."))
        }
        Err(error) => return Err(by.refuse(&request, error)),
    };
    let drift = by.want(&request, catalogue::drift(&app, name.clone()).await)?;
    page(&request, &by, &name, drift, status, &said)
}
