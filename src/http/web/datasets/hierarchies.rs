//! Hierarchies: which there are, what a version says, and the form that takes the next one.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::app::AppError;
use crate::app::hierarchies::{self, HierarchyView};
use crate::app::lists::Page;
use crate::domain::Invalid;
use crate::domain::hierarchy::HierarchyVersion;
use crate::domain::text::Slug;
use crate::http::api::Tidegate;
use crate::http::guard::{ManageCatalogue, Read};
use crate::policy::Denied;

use super::super::answer::render;
use super::super::error::Wire;
use super::super::form::Typed;
use super::super::guard::{Visitor, wanted};
use super::super::lead::see_other_saying;
use super::super::page::{Frame, Section};
use super::super::parts::{Crumb, Fact};
use super::super::upload::SentFile;
use super::super::words;
use super::{Answer, asked, crumb, next_part};

/// What the fields of the form are called.
pub const LABELS: &[(&str, &str)] = &[("name", "Name"), ("file", "File")];

/// Versions on a page.
const ROWS: usize = 50;

/// Where the list is.
const LIST: &str = "/datasets/hierarchies";

#[derive(Template)]
#[template(path = "datasets/hierarchies.html")]
struct ListPage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    rows: Vec<HierarchyVersion>,
    next: String,
}

#[derive(Template)]
#[template(path = "datasets/hierarchy.html")]
struct ShowPage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    view: HierarchyView,
    facts: Vec<Fact>,
}

#[derive(Template)]
#[template(path = "datasets/new_hierarchy.html")]
struct UploadPage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    typed: Typed,
}

impl ShowPage {
    /// How many rows of the file are not shown.
    fn further(&self) -> u64 {
        self.view.version.values.saturating_sub(u64::try_from(self.view.beginning.len()).unwrap_or(u64::MAX))
    }
}

fn up() -> Vec<Crumb> {
    vec![crumb(), Crumb { href: LIST.to_owned(), label: "Hierarchies".to_owned() }]
}

/// Every version, by name.
pub async fn list(request: HttpRequest, app: Tidegate, by: Visitor<Read>) -> Answer {
    let asked = asked(&request);
    let after = Some(asked.value("after").to_owned()).filter(|after| !after.is_empty());
    let (rows, next) = by.want(&request, hierarchies::list(&app, Page { after, limit: ROWS }).await)?;
    let frame = by.frame(&request, "Hierarchies", Section::Datasets);
    Ok(render(&request, StatusCode::OK, &ListPage { frame, crumbs: vec![crumb()], rows, next: next_part(LIST, &asked, &[], next) }))
}

/// One version, with the first rows of its file.
pub async fn show(request: HttpRequest, app: Tidegate, by: Visitor<Read>) -> Answer {
    let named = |part: &str| request.match_info().query(part).to_owned();
    let (name, version) = (named("name").parse::<Slug>(), named("version").parse::<i32>());
    let (Ok(name), Ok(version)) = (name, version) else { return Err(by.wire(&request, Wire::NotFound)) };
    let view = by.want(&request, hierarchies::find(&app, (name, version)).await)?;
    let frame = by.frame(&request, format!("{}, version {}", view.version.name, view.version.version), Section::Datasets);
    let facts = facts(&view.version);
    Ok(render(&request, StatusCode::OK, &ShowPage { frame, crumbs: up(), view, facts }))
}

fn facts(version: &HierarchyVersion) -> Vec<Fact> {
    let level = |(at, texts): (usize, &u64)| {
        let label = format!("Texts at level {}", words::number(at.saturating_add(1)));
        Fact::new(label, words::number(*texts))
    };
    let about = [
        Fact::new("Values", words::number(version.values)),
        Fact::new("Uploaded", words::instant(&version.created_at)),
        Fact::new("Size", words::bytes(version.bytes)),
        Fact::new("SHA-256", version.digest.to_string()),
    ];
    about.into_iter().chain(version.texts.iter().enumerate().map(level)).collect()
}

/// The form that takes a file; of another version where a name is given.
pub async fn new(request: HttpRequest, by: Visitor<ManageCatalogue>) -> Answer {
    let typed = Typed::default().with("name", asked(&request).value("name"));
    Ok(upload_page(&request, &by, StatusCode::OK, typed))
}

fn upload_page(request: &HttpRequest, by: &Visitor<ManageCatalogue>, status: StatusCode, typed: Typed) -> HttpResponse {
    let frame = by.frame(request, "Upload a hierarchy", Section::Datasets);
    render(request, status, &UploadPage { frame, crumbs: up(), typed })
}

/// Takes a file as the next version of a name; nothing of a wrong one stays.
pub async fn take(request: HttpRequest, app: Tidegate, sent: SentFile<ManageCatalogue>) -> Answer {
    let SentFile { by, typed, file } = sent;
    let mut errors = Vec::new();
    let status = file.status();
    let file = file.wanted("file", &mut errors);
    let name = wanted::<Slug>(&typed, "name", &mut errors);
    let (Some(file), Some(name)) = (file, name) else {
        return Ok(upload_page(&request, &by, status, typed.refused(errors)));
    };
    match hierarchies::upload(&app, &by.actor(), name, file.bytes).await {
        Ok(kept) => {
            let said = format!("Version {} of {} is kept.", kept.version, kept.name);
            Ok(see_other_saying(&request, format!("{LIST}/{}/{}", kept.name, kept.version), &said))
        }
        Err(AppError::Invalid(error) | AppError::Denied(Denied::Invalid(error))) => {
            let field = if error.field == "name" { "name" } else { "file" };
            let typed = typed.refused([Invalid::new(field, error.reason)]);
            Ok(upload_page(&request, &by, StatusCode::UNPROCESSABLE_ENTITY, typed))
        }
        Err(error) => Err(by.refuse(&request, error)),
    }
}
