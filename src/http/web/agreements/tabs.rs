//! The tabs of an agreement besides its terms: permits, versions side by side, and what happened to it.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use askama::Template;

use crate::app::agreements::{self, AgreementSheet, PermitView};
use crate::app::history::{self, Part};
use crate::app::lists::{HistoryFilter, HistoryPage};
use crate::app::permits;
use crate::domain::Instant;
use crate::domain::agreement::{AgreementVersion, VersionStatus};
use crate::http::api::Tidegate;
use crate::http::guard::{Read, ReadHistory};
use crate::http::web::answer::render;
use crate::http::web::form::Typed;
use crate::http::web::guard::Visitor;
use crate::http::web::page::{Frame, Section};
use crate::http::web::parts::{Choice, DiffRow, HistoryLineView};
use crate::http::web::permits::badges;
use crate::http::web::words::{self, Badge};
use crate::http::web::{shown, timeline};
use crate::policy::diff;

use super::clauses::capital;
use super::head::{Head, Open, head};
use super::show::{papers, version_of};
use super::{Answer, asked, id_of};

/// A permit of the agreement.
pub struct PermitRow {
    pub key: String,
    pub dataset: String,
    pub purpose: String,
    pub released: usize,
    pub badges: Vec<Badge>,
    /// The version under which its newest revision was written.
    pub version: i32,
    pub left_behind: bool,
}

#[derive(Template)]
#[template(path = "agreements/permits.html")]
struct PermitsPage {
    frame: Frame,
    head: Head,
    rows: Vec<PermitRow>,
    /// Whether a permit can be written under it now.
    open: bool,
}

impl PermitsPage {
    fn new_href(&self) -> String {
        format!("{}/permits/new", self.head.base)
    }
}

/// One version in the list of versions.
pub struct VersionRow {
    pub number: i32,
    pub badge: Badge,
    pub authors: String,
    pub approver: String,
    pub created_at: Instant,
}

#[derive(Template)]
#[template(path = "agreements/versions.html")]
struct VersionsPage {
    frame: Frame,
    head: Head,
    rows: Vec<VersionRow>,
    numbers: Vec<Choice>,
    chosen: Typed,
    /// The comparison, where there are two versions to compare.
    compared: Option<Compared>,
}

/// Two versions side by side.
pub struct Compared {
    pub title: String,
    pub summary: String,
    pub rows: Vec<DiffRow>,
}

#[derive(Template)]
#[template(path = "agreements/history.html")]
struct HistoryTab {
    frame: Frame,
    head: Head,
    lines: Vec<HistoryLineView>,
    vendor: String,
}

fn permit_row(view: &PermitView, sheet: &AgreementSheet, now: Instant) -> Option<PermitRow> {
    let (in_force, waits) = permits::counting(view.revisions.clone(), now);
    let revision = in_force.as_ref().or(waits.as_ref()).or(view.revisions.last())?;
    Some(PermitRow {
        key: view.permit.key.to_string(),
        dataset: revision.terms.dataset.to_string(),
        purpose: crate::policy::words::purpose(&sheet.vocabulary, &revision.terms.purpose),
        released: revision.terms.released().count(),
        badges: badges(&view.permit, sheet.view.agreement.ended_at.is_some(), in_force.as_ref(), waits.as_ref()),
        version: revision.agreement_version,
        left_behind: sheet.view.left_behind.contains(&view.permit.key),
    })
}

/// The permits.
pub async fn under(request: HttpRequest, app: Tidegate, by: Visitor<Read>) -> Answer {
    let sheet = by.want(&request, agreements::sheet(&app, id_of(&request, &by)?).await)?;
    let version = version_of(&request, &by, &sheet, None)?;
    let frame = by.frame(&request, sheet.view.agreement.reference.to_string(), Section::Agreements);
    let head = head(&frame, &by.actor(), &sheet, version, Open::Permits);
    let rows = sheet.view.permits.iter().filter_map(|view| permit_row(view, &sheet, frame.now)).collect();
    let writable = matches!(version.status, VersionStatus::Draft | VersionStatus::Signed { .. });
    let open = writable && sheet.view.agreement.ended_at.is_none();
    Ok(render(&request, StatusCode::OK, &PermitsPage { frame, head, rows, open }))
}

fn version_row(version: &AgreementVersion, sheet: &AgreementSheet, frame: &Frame) -> VersionRow {
    let name = |id: &str| sheet.people.get(id).cloned().unwrap_or_else(|| id.to_owned());
    VersionRow {
        number: version.number,
        badge: words::version(&version.status, frame.now),
        authors: version.authors.iter().map(|id| name(id.as_str())).collect::<Vec<_>>().join(", "),
        approver: version.approver.as_ref().map(|id| name(id.as_str())).unwrap_or_default(),
        created_at: version.created_at,
    }
}

/// Two versions: those that are asked for, else the last two.
fn compared(sheet: &AgreementSheet, asked: &Typed) -> (Typed, Option<Compared>) {
    let versions = &sheet.view.versions;
    let find = |name: &str| versions.iter().find(|version| version.number.to_string() == asked.value(name));
    let last = |back: usize| versions.len().checked_sub(back).and_then(|at| versions.get(at));
    let (Some(from), Some(to)) = (find("from").or_else(|| last(2)), find("to").or_else(|| last(1))) else {
        return (Typed::default(), None);
    };
    let chosen = Typed::default().with("from", from.number).with("to", to.number);
    let changes = diff::terms(&from.terms, &to.terms, &papers(&sheet.papers), &sheet.vocabulary);
    let mut rows = shown::diff(&changes);
    if from.document != to.document {
        let said = |version: &AgreementVersion| {
            version.document.as_ref().map(|digest| format!("SHA-256 {}…", digest.as_str().get(..12).unwrap_or_default()))
        };
        rows.push(DiffRow {
            label: "Document".to_owned(),
            before: said(from),
            after: said(to),
            direction: crate::policy::diff::Direction::Unclear,
        });
    }
    let title = format!("From version {} to version {}", from.number, to.number);
    (chosen, Some(Compared { title, summary: capital(&changes.summary), rows }))
}

/// The versions, and what changed from one to another.
pub async fn versions(request: HttpRequest, app: Tidegate, by: Visitor<Read>) -> Answer {
    let sheet = by.want(&request, agreements::sheet(&app, id_of(&request, &by)?).await)?;
    let version = version_of(&request, &by, &sheet, None)?;
    let frame = by.frame(&request, sheet.view.agreement.reference.to_string(), Section::Agreements);
    let head = head(&frame, &by.actor(), &sheet, version, Open::Versions);
    let rows = sheet.view.versions.iter().rev().map(|version| version_row(version, &sheet, &frame)).collect();
    let numbers = sheet.view.versions.iter().map(|one| Choice::new(one.number.to_string(), format!("Version {}", one.number))).collect();
    let (chosen, compared) = if sheet.view.versions.len() > 1 { compared(&sheet, &asked(&request)) } else { (Typed::default(), None) };
    Ok(render(&request, StatusCode::OK, &VersionsPage { frame, head, rows, numbers, chosen, compared }))
}

/// How many acts on its vendor are looked through.
const LOOKED_THROUGH: usize = 200;

/// What happened to it: of the latest acts on its vendor those that are about it.
pub async fn history(request: HttpRequest, app: Tidegate, by: Visitor<ReadHistory>) -> Answer {
    let id = id_of(&request, &by)?;
    let sheet = by.want(&request, agreements::sheet(&app, id.clone()).await)?;
    let version = version_of(&request, &by, &sheet, None)?;
    let vendor = sheet.view.agreement.vendor.to_string();
    let filter = HistoryFilter { vendor: Some(vendor.clone()), kind: Some("act".to_owned()), ..HistoryFilter::default() };
    let page = HistoryPage { before: None, limit: LOOKED_THROUGH };
    let lines = by.want(&request, history::lines(&app, filter, page).await)?;
    let own = |part: &Part| match part {
        Part::Agreement { id: about, .. } => about == id.as_str(),
        Part::Permit { key } => sheet.view.permits.iter().any(|permit| permit.permit.key.as_str() == key),
        Part::Text { .. } | Part::Person { .. } | Part::Vendor { .. } | Part::Dataset { .. } | Part::Client { .. } => false,
    };
    let lines = lines.into_iter().filter(|line| line.sentence.iter().any(own)).map(timeline::line).collect();
    let frame = by.frame(&request, sheet.view.agreement.reference.to_string(), Section::Agreements);
    let head = head(&frame, &by.actor(), &sheet, version, Open::History);
    Ok(render(&request, StatusCode::OK, &HistoryTab { frame, head, lines, vendor }))
}
