//! The papers that a vendor's assurance rests on: hand in, fetch, accept.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_DISPOSITION, HeaderValue};
use actix_web::{Error, HttpRequest, HttpResponse};
use askama::Template;

use crate::app::evidence::{self, Shelf};
use crate::app::{App, AppError};
use crate::domain::Invalid;
use crate::domain::evidence::{EvidenceFacts, EvidenceType};
use crate::domain::id::{EvidenceId, VendorId};
use crate::domain::paper;
use crate::domain::text::Name;
use crate::domain::time::Date;
use crate::domain::vendor::Lifecycle;
use crate::http::api::Tidegate;
use crate::http::api::evidence::download;
use crate::http::guard::{Assess, Decide, Read};
use crate::policy::Denied;
use crate::policy::access::Permission;

use super::answer::render;
use super::error::Wire;
use super::form::Typed;
use super::guard::{Sent, Visitor, given, wanted};
use super::lead::see_other_saying;
use super::page::{Frame, Section};
use super::parts::{Choice, Crumb};
use super::upload::{AGAIN, SentFile};
use super::words::{self, Badge};

type Answer = Result<HttpResponse, Error>;

/// What the fields are called.
pub const LABELS: &[(&str, &str)] = &[
    ("file", "File"),
    ("name", "Name"),
    ("type", "Kind of paper"),
    ("issued", "Day of issue"),
    ("expires", "Last day it holds"),
    ("mandatory", "Releases rest on it"),
];
/// Papers on one page.
const PAPERS: usize = 50;

/// A paper in one line.
pub struct Line {
    pub id: EvidenceId,
    pub name: String,
    pub kind: &'static str,
    pub issued: String,
    pub expires: String,
    pub mandatory: bool,
    pub badge: Badge,
    pub size: String,
    pub handed_in_by: String,
    pub handed_in_at: crate::domain::time::Instant,
    pub accepted_by: String,
    /// Whether whoever looks may accept it.
    pub may_accept: bool,
}

#[derive(Template)]
#[template(path = "evidence/list.html")]
struct ListPage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    vendor: VendorId,
    typed: Typed,
    types: Vec<Choice>,
    lines: Vec<Line>,
    next: String,
    count: String,
    may_hand_in: bool,
    retired: bool,
    accept: String,
    hint: String,
    most: usize,
}

fn vendor_of<P>(request: &HttpRequest, by: &Visitor<P>) -> Result<VendorId, Error> {
    request.match_info().query("id").parse().map_err(|_| by.wire(request, Wire::NotFound))
}

/// The papers of a vendor, and the form for one more.
pub async fn list(request: HttpRequest, app: Tidegate, by: Visitor<Read>) -> Answer {
    page(&request, &app, &by, StatusCode::OK, Typed::default()).await
}

async fn page<P>(request: &HttpRequest, app: &App, by: &Visitor<P>, status: StatusCode, typed: Typed) -> Answer {
    let vendor = vendor_of(request, by)?;
    let query: Vec<(String, String)> = serde_urlencoded::from_str(request.query_string()).unwrap_or_default();
    let after = query.into_iter().find(|(name, _)| name == "after").and_then(|(_, id)| id.parse().ok());
    let shelf = by.want(request, evidence::shelf(app, vendor, after, PAPERS).await)?;
    let frame = by.frame(request, format!("Evidence of {}", shelf.vendor.profile.legal_name), Section::Vendors);
    let most = app.settings.most_upload_bytes;
    let retired = shelf.vendor.lifecycle == Lifecycle::Retired;
    let page = ListPage {
        crumbs: vec![
            Crumb { href: "/vendors".to_owned(), label: "Vendors".to_owned() },
            Crumb { href: format!("/vendors/{}", shelf.vendor.id), label: shelf.vendor.profile.legal_name.to_string() },
        ],
        lines: lines(&shelf, by, &frame),
        next: shelf.next.as_ref().map(|after| format!("/vendors/{}/evidence?after={after}", shelf.vendor.id)).unwrap_or_default(),
        count: words::count(u64::try_from(shelf.total).unwrap_or(0), "paper", "papers"),
        vendor: shelf.vendor.id,
        types: EvidenceType::ALL.into_iter().map(|kind| Choice::new(kind.key(), words::evidence_type(kind))).collect(),
        may_hand_in: by.may(Permission::Assess) && !retired,
        retired,
        accept: paper::accepted(),
        hint: format!("{}; at most {}. Kept encrypted.", paper::KINDS, words::bytes(u64::try_from(most).unwrap_or(u64::MAX))),
        most,
        typed,
        frame,
    };
    Ok(render(request, status, &page))
}

fn lines<P>(shelf: &Shelf, by: &Visitor<P>, frame: &Frame) -> Vec<Line> {
    let named = |id: &str| shelf.names.get(id).cloned().unwrap_or_else(|| "somebody who is gone".to_owned());
    let officer = by.may(Permission::Decide).then(|| by.current().person.id.clone());
    let line = |paper: &crate::domain::evidence::Evidence| Line {
        id: paper.id.clone(),
        name: paper.facts.name.to_string(),
        kind: words::evidence_type(paper.facts.kind),
        issued: words::date(&paper.facts.issued),
        expires: paper.facts.expires.map(|day| words::date(&day)).unwrap_or_default(),
        mandatory: paper.facts.mandatory,
        badge: words::paper(paper, frame.now.date()),
        size: words::bytes(u64::try_from(paper.bytes).unwrap_or(0)),
        handed_in_by: named(paper.uploaded_by.as_str()),
        handed_in_at: paper.uploaded_at,
        accepted_by: paper.accepted_by.as_ref().map(|id| named(id.as_str())).unwrap_or_default(),
        may_accept: paper.accepted_by.is_none() && officer.as_ref().is_some_and(|id| evidence::check_acceptor(paper, id).is_ok()),
    };
    shelf.papers.iter().map(line).collect()
}

/// Hands in a paper.
pub async fn add(request: HttpRequest, app: Tidegate, sent: SentFile<Assess>) -> Answer {
    let SentFile { by, typed, file } = sent;
    let vendor = vendor_of(&request, &by)?;
    let (status, mut errors) = (file.status(), Vec::new());
    let file = file.wanted("file", &mut errors);
    if let Some(Err(error)) = file.as_ref().map(|file| paper::check(&file.name, &file.bytes)) {
        errors.push(error);
    }
    let facts = facts(&typed, &mut errors);
    let (Some(file), Some(facts), true) = (file, facts, errors.is_empty()) else {
        return again(&request, &app, &by, status, typed.refused(errors)).await;
    };
    match evidence::add(&app, &by.actor(), vendor.clone(), facts, file.bytes).await {
        Ok(_) => {
            let said = "The paper is kept. Releases rest on it once a privacy officer has accepted it.";
            Ok(see_other_saying(&request, format!("/vendors/{vendor}/evidence"), said))
        }
        Err(AppError::Invalid(error) | AppError::Denied(Denied::Invalid(error))) => {
            again(&request, &app, &by, status, typed.refused([error])).await
        }
        Err(error) => Err(by.refuse(&request, error)),
    }
}

/// The form once more; a script that sent it puts the page in place of the one before.
async fn again(request: &HttpRequest, app: &App, by: &Visitor<Assess>, status: StatusCode, typed: Typed) -> Answer {
    let mut response = page(request, app, by, status, typed).await?;
    response.headers_mut().insert(AGAIN, HeaderValue::from_static("again"));
    Ok(response)
}

fn facts(typed: &Typed, errors: &mut Vec<Invalid>) -> Option<EvidenceFacts> {
    let name = wanted::<Name>(typed, "name", errors);
    let kind = EvidenceType::from_key(typed.value("type"));
    if kind.is_none() {
        errors.push(Invalid::new("type", "must be chosen"));
    }
    let issued = wanted::<Date>(typed, "issued", errors);
    let expires = given::<Date>(typed, "expires", errors);
    let mandatory = typed.has("mandatory", "yes");
    Some(EvidenceFacts { name: name?, kind: kind?, issued: issued?, expires, mandatory })
}

fn paper_of<P>(request: &HttpRequest, by: &Visitor<P>) -> Result<EvidenceId, Error> {
    request.match_info().query("id").parse().map_err(|_| by.wire(request, Wire::NotFound))
}

/// The file of a paper, to be kept and not shown: it is a stranger's.
pub async fn file(request: HttpRequest, app: Tidegate, by: Visitor<Read>) -> Answer {
    let id = paper_of(&request, &by)?;
    let (paper, bytes) = by.want(&request, evidence::file(&app, id).await)?;
    let name = format!("{}.{}", plain(paper.facts.name.as_str()), paper::ending_of(&bytes));
    let mut response = download(bytes);
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        response.headers_mut().insert(CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

/// A name that every system can keep a file under.
fn plain(name: &str) -> String {
    let letters = name.chars().map(|letter| if letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | ' ') { letter } else { '-' });
    let plain: String = letters.collect();
    let plain = plain.trim_matches(['-', ' ']);
    if plain.is_empty() { "evidence".to_owned() } else { plain.to_owned() }
}

/// Accepts a paper, as a privacy officer who did not hand it in.
pub async fn accept(request: HttpRequest, app: Tidegate, sent: Sent<Decide>) -> Answer {
    let id = paper_of(&request, &sent.by)?;
    let paper = sent.by.want(&request, evidence::accept(&app, &sent.by.actor(), id).await)?;
    Ok(see_other_saying(&request, format!("/vendors/{}/evidence", paper.vendor), "The paper is accepted."))
}
