//! Datasets: what is catalogued, which permits release what of it, and how its source stands; nothing is read from a
//! source but where somebody asks for it.

pub mod cataloguing;
pub mod drift;
pub mod edit;
pub mod elsewhere;
pub mod hierarchies;
pub mod source;

use actix_web::http::StatusCode;
use actix_web::{Error, HttpRequest, HttpResponse};
use askama::Template;

use crate::app::catalogue::{self, DatasetLine, DatasetView, PermitUse};
use crate::app::lists::Page;
use crate::app::preview::{self, PreviewAsk, SideBySide};
use crate::app::vocabulary;
use crate::domain::condition::Condition;
use crate::domain::dataset::{FieldClass, Source};
use crate::domain::permit::RevisionStatus;
use crate::domain::text::Slug;
use crate::domain::vocabulary::Vocabulary;
use crate::http::api::Tidegate;
use crate::http::guard::{Read, SeeSamples};

use super::answer::render;
use super::error::Wire;
use super::form::Typed;
use super::guard::Visitor;
use super::page::{Frame, Section};
use super::parts::{Crumb, Fact};
use super::words::{self, Badge, Tone};

type Answer = Result<HttpResponse, Error>;

/// Datasets on a page of the list.
const ROWS: usize = 50;

#[derive(Template)]
#[template(path = "datasets/list.html")]
struct ListPage {
    frame: Frame,
    search: String,
    rows: Vec<DatasetLine>,
    next: String,
    count: String,
}

#[derive(Template)]
#[template(path = "datasets/dataset.html")]
struct DatasetPage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    view: DatasetView,
    vocabulary: Vocabulary,
    facts: Vec<Fact>,
}

#[derive(Template)]
#[template(path = "datasets/samples.html")]
struct SamplesPage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    name: Slug,
    shown: SideBySide,
}

impl ListPage {
    /// What deserves care, counted: `2 direct identifiers`.
    fn classed(line: &DatasetLine) -> Vec<(FieldClass, String)> {
        let told = |class: FieldClass, one: &str, more: &str| {
            let many = line.dataset.fields.iter().filter(|field| field.class == class).count();
            (many > 0).then(|| (class, words::count(many, one, more)))
        };
        let direct = told(FieldClass::DirectIdentifier, "direct identifier", "direct identifiers");
        let quasi = told(FieldClass::QuasiIdentifier, "quasi-identifier", "quasi-identifiers");
        [direct, quasi, told(FieldClass::Sensitive, "sensitive", "sensitive")].into_iter().flatten().collect()
    }
}

impl DatasetPage {
    fn state(&self, permit: &PermitUse) -> Badge {
        if permit.status == RevisionStatus::InForce && permit.paused {
            Badge::new(Tone::Due, "Paused")
        } else if permit.begins.is_some() {
            Badge::new(Tone::Progress, "Approved, not begun")
        } else {
            Badge::from(permit.status)
        }
    }
}

/// The pairs of a query, as a form is read.
pub fn asked(request: &HttpRequest) -> Typed {
    Typed::new(serde_urlencoded::from_str(request.query_string()).unwrap_or_default())
}

/// The address of a list's next part, with what it is narrowed to.
pub fn next_part(path: &str, asked: &Typed, kept: &[&str], after: Option<String>) -> String {
    let Some(after) = after else { return String::new() };
    let kept = kept.iter().map(|name| (*name, asked.value(name))).filter(|(_, value)| !value.is_empty());
    let pairs: Vec<(&str, &str)> = kept.chain([("after", after.as_str())]).collect();
    format!("{path}?{}", serde_urlencoded::to_string(pairs).unwrap_or_default())
}

/// The datasets.
pub async fn list(request: HttpRequest, app: Tidegate, by: Visitor<Read>) -> Answer {
    let asked = asked(&request);
    let search = asked.value("q").to_owned();
    let after = Some(asked.value("after").to_owned()).filter(|after| !after.is_empty());
    let found = by.want(&request, catalogue::page(&app, search.clone(), Page { after, limit: ROWS }).await)?;
    let frame = by.frame(&request, "Datasets", Section::Datasets);
    let next = next_part("/datasets", &asked, &["q"], found.next);
    let count = words::count(found.total, "dataset", "datasets");
    Ok(render(&request, StatusCode::OK, &ListPage { frame, search, rows: found.rows, next, count }))
}

fn name_of<P>(request: &HttpRequest, by: &Visitor<P>) -> Result<Slug, Error> {
    request.match_info().query("name").parse().map_err(|_| by.wire(request, Wire::NotFound))
}

fn crumb() -> Crumb {
    Crumb { href: "/datasets".to_owned(), label: "Datasets".to_owned() }
}

fn crumbs(name: &Slug) -> Vec<Crumb> {
    vec![crumb(), Crumb { href: format!("/datasets/{name}"), label: name.to_string() }]
}

/// A source's kind and place in words.
fn place(source: &Source) -> String {
    let kind = match source.location.kind() {
        "sqlite" => "SQLite database",
        "parquet" => "Parquet",
        "csv" => "CSV",
        "ndjson" => "NDJSON",
        "postgres" => "PostgreSQL",
        _ => "JSON over HTTP",
    };
    format!("{kind} {}", source.location.place())
}

/// One dataset: its fields, and which permits release what of it.
pub async fn show(request: HttpRequest, app: Tidegate, by: Visitor<Read>) -> Answer {
    let name = name_of(&request, &by)?;
    let view = by.want(&request, catalogue::view(&app, name).await)?;
    let vocabulary = by.want(&request, vocabulary::load(&app).await)?;
    let facts = facts(&view);
    let frame = by.frame(&request, view.dataset.name.to_string(), Section::Datasets);
    Ok(render(&request, StatusCode::OK, &DatasetPage { frame, crumbs: vec![crumb()], view, vocabulary, facts }))
}

fn facts(view: &DatasetView) -> Vec<Fact> {
    let dataset = &view.dataset;
    vec![
        Fact::new("Source", view.source.name.to_string()),
        Fact::new("Where it lies", place(&view.source)),
        Fact::new("Table", dataset.table.to_string()),
        Fact::new("Whose row it is", dataset.subject.field.to_string()),
        Fact::new("Subject domain", dataset.subject.domain.to_string()),
        Fact::new("Fields", words::number(dataset.fields.len())),
        Fact::new("Catalogued", words::instant(&dataset.created_at)),
        Fact::new("Changes since", words::number(dataset.version.saturating_sub(1))),
    ]
}

/// The first rows as they stand; that somebody looked is kept in the history.
pub async fn samples(request: HttpRequest, app: Tidegate, by: Visitor<SeeSamples>) -> Answer {
    let name = name_of(&request, &by)?;
    let ask = PreviewAsk { dataset: name.clone(), fields: Default::default(), condition: Condition::default(), rows: Some(10) };
    let shown = by.want(&request, preview::see_as_vendor(&app, &by.actor(), ask).await)?;
    let frame = by.frame(&request, "Sample rows", Section::Datasets);
    Ok(render(&request, StatusCode::OK, &SamplesPage { frame, crumbs: crumbs(&name), name, shown }))
}
