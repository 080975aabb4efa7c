//! One permit: what it says now, what waits, what came before in words, and every gate that a release on it passes.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use askama::Template;

use crate::app::gates;
use crate::app::history;
use crate::app::lists::{HistoryFilter, HistoryPage};
use crate::app::permits::{self, PermitSheet};
use crate::domain::agreement::VersionStatus;
use crate::domain::dataset::FieldClass;
use crate::domain::permit::{PermitTerms, Revision, RevisionStatus};
use crate::domain::treatment::Treatment;
use crate::http::api::Tidegate;
use crate::http::guard::Read;
use crate::http::web::agreements::Answer;
use crate::http::web::agreements::clauses::capital;
use crate::http::web::answer::render;
use crate::http::web::guard::Visitor;
use crate::http::web::page::{Frame, Section};
use crate::http::web::parts::{Crumb, DiffRow, Fact, GateLine, HistoryLineView};
use crate::http::web::words::{self, Badge};
use crate::http::web::{shown, timeline};
use crate::policy::access::Permission;
use crate::policy::{diff, matrix, words as said};

use super::{badges, key_of, waiting};

/// A field and what happens to it.
pub struct FieldRow {
    pub name: String,
    pub class: Option<FieldClass>,
    pub treatment: String,
    pub withheld: bool,
    pub warning: String,
}

/// A revision in the list of revisions.
pub struct RevisionRow {
    pub number: i32,
    pub badge: Badge,
    pub authors: String,
    pub approver: String,
    pub created_at: crate::domain::Instant,
    pub version: i32,
    pub summary: String,
    pub rows: Vec<DiffRow>,
}

#[derive(Template)]
#[template(path = "permits/show.html")]
struct ShowPage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    key: String,
    badges: Vec<Badge>,
    vendor_name: String,
    vendor_href: String,
    facts: Vec<Fact>,
    fields: Vec<FieldRow>,
    withheld: usize,
    /// What waits: its number, and what is said of it.
    waits: Option<(i32, String)>,
    revisions: Vec<RevisionRow>,
    gates: Vec<GateLine>,
    notices: Vec<&'static str>,
    lines: Vec<HistoryLineView>,
    /// The number of the revision that is shown as a table.
    shown: i32,
    ended: bool,
    paused: bool,
    /// Whether it can be revised or edited now.
    editable: bool,
    sees: bool,
    /// Whether its tokens can be turned back by who looks.
    reveals: bool,
}

impl ShowPage {
    fn caption_of(&self, row: &RevisionRow) -> String {
        format!("What revision {} changed", row.number)
    }
}

/// The fields of a dataset with what terms do with them; those that go out come first.
pub fn fields(sheet: &PermitSheet, terms: &PermitTerms) -> Vec<FieldRow> {
    let row = |name: &str, class: Option<FieldClass>, treatment: &Treatment, warning: String| FieldRow {
        name: name.to_owned(),
        class,
        treatment: said::treatment(treatment),
        withheld: matches!(treatment, Treatment::Withhold),
        warning,
    };
    let mut rows: Vec<FieldRow> = match &sheet.dataset {
        Some(dataset) => {
            let of = |field: &crate::domain::dataset::Field| {
                let treatment = terms.fields.get(&field.name).unwrap_or(&Treatment::Withhold);
                row(field.name.as_str(), Some(field.class), treatment, matrix::warnings(field, treatment).join(" "))
            };
            dataset.fields.iter().map(of).collect()
        }
        None => terms.fields.iter().map(|(name, treatment)| row(name.as_str(), None, treatment, String::new())).collect(),
    };
    rows.sort_by_key(|row| row.withheld);
    rows
}

/// The names of those who wrote a revision.
pub fn authors(sheet: &PermitSheet, revision: &Revision) -> String {
    let name = |id: &crate::domain::id::PersonId| sheet.people.get(id.as_str()).cloned().unwrap_or_else(|| id.to_string());
    revision.authors.iter().map(name).collect::<Vec<_>>().join(", ")
}

fn revision_row(sheet: &PermitSheet, revision: &Revision, frame: &Frame) -> RevisionRow {
    let before = base(sheet, revision);
    let changes = before.map_or_else(
        || diff::added(&revision.terms, &sheet.vocabulary),
        |before| diff::permits(&before.terms, &revision.terms, &sheet.vocabulary),
    );
    let approver = revision.approver.as_ref().map(|id| sheet.people.get(id.as_str()).cloned().unwrap_or_else(|| id.to_string()));
    let later = revision.status == RevisionStatus::InForce && !revision.begun_at(frame.now);
    RevisionRow {
        number: revision.number,
        badge: if later { waiting(revision) } else { Badge::from(revision.status) },
        authors: authors(sheet, revision),
        approver: approver.unwrap_or_default(),
        created_at: revision.created_at,
        version: revision.agreement_version,
        summary: capital(&changes.summary),
        rows: shown::diff(&changes),
    }
}

/// The revision that another one follows: the newest before it that came into force.
pub fn base<'a>(sheet: &'a PermitSheet, revision: &Revision) -> Option<&'a Revision> {
    let before = sheet.view.revisions.iter().rev().filter(|one| one.number < revision.number);
    before.into_iter().find(|one| one.in_force_at.is_some())
}

/// What a permit's terms say besides its fields.
pub fn facts(sheet: &PermitSheet, terms: &PermitTerms) -> Vec<Fact> {
    let day = |day: Option<crate::domain::Date>| day.map_or_else(|| "with the agreement".to_owned(), |day| words::date(&day));
    let further = said::further_limits(terms.daily_subjects, terms.requests_per_minute, terms.open_hours.as_ref());
    vec![
        Fact::new("Agreement", sheet.agreement.reference.as_str()).at(format!("/agreements/{}", sheet.agreement.id)),
        Fact::new("Dataset", terms.dataset.as_str()).at(format!("/datasets/{}", terms.dataset)),
        Fact::new("Purpose", said::purpose(&sheet.vocabulary, &terms.purpose)),
        Fact::new("Legal basis", capital(said::legal_basis(terms.legal_basis))),
        Fact::new("Instruction", terms.instruction.as_ref().map(ToString::to_string).unwrap_or_default()),
        Fact::new("Rows", capital(&said::condition(&terms.condition))),
        Fact::new("Quota", capital(&said::quota(terms.daily_rows))),
        Fact::new("Further limits", if further.is_empty() { "None".to_owned() } else { capital(&further.join("; ")) }),
        Fact::new("First day", capital(&day(terms.starts_on))),
        Fact::new("Last day", capital(&day(terms.ends_on))),
    ]
}

/// What waits, and for whom.
fn waits(sheet: &PermitSheet, revision: &Revision, by: &crate::domain::person::Actor) -> String {
    let version = sheet.versions.iter().find(|version| version.number == revision.agreement_version);
    if revision.status == RevisionStatus::InForce {
        return format!("Revision {} begins with version {} of the agreement.", revision.number, revision.agreement_version);
    }
    match version.map(|version| &version.status) {
        Some(VersionStatus::Signed { .. }) => match permits::why_not_approve(by, revision) {
            None => format!("Revision {} waits for your decision.", revision.number),
            Some(_) => format!("Revision {} waits for a privacy officer who did not write it.", revision.number),
        },
        Some(_) | None => {
            format!(
                "Revision {} is a part of version {} of the agreement, and is approved and signed with it.",
                revision.number, revision.agreement_version
            )
        }
    }
}

/// Whether a revision put in force released a field as reversible tokens.
fn has_released_tokens(revision: &Revision) -> bool {
    let tokens = || revision.terms.fields.values().any(|treatment| matches!(treatment, Treatment::ReversibleToken { .. }));
    revision.in_force_at.is_some() && tokens()
}

/// One permit.
pub async fn show(request: HttpRequest, app: Tidegate, by: Visitor<Read>) -> Answer {
    let key = key_of(&request, &by)?;
    let sheet = by.want(&request, permits::sheet(&app, key.clone()).await)?;
    let gates = by.want(&request, gates::of_permit(&app, key.clone()).await)?;
    let lines = if by.may(Permission::ReadHistory) {
        let filter = HistoryFilter { permit: Some(key.to_string()), ..HistoryFilter::default() };
        by.want(&request, history::lines(&app, filter, HistoryPage { before: None, limit: 8 }).await)?
    } else {
        Vec::new()
    };
    let frame = by.frame(&request, key.to_string(), Section::Permits);
    let (in_force, waiting) = sheet.counting(frame.now);
    let subject = in_force.as_ref().or(waiting.as_ref()).or(sheet.view.revisions.last());
    let mut facts = subject.map(|revision| facts(&sheet, &revision.terms)).unwrap_or_default();
    facts.push(Fact::new("Last pull", sheet.last_pull.map_or_else(|| "never".to_owned(), |at| words::ago(&at, &frame.now))));
    let fields = subject.map(|revision| fields(&sheet, &revision.terms)).unwrap_or_default();
    let ended = sheet.view.permit.ended_at.is_some() || sheet.agreement.ended_at.is_some();
    let page = ShowPage {
        crumbs: vec![Crumb { href: "/permits".to_owned(), label: "Permits".to_owned() }],
        key: key.to_string(),
        badges: badges(&sheet.view.permit, sheet.agreement.ended_at.is_some(), in_force.as_ref(), waiting.as_ref()),
        vendor_name: sheet.vendor_name.to_string(),
        vendor_href: format!("/vendors/{}", sheet.view.permit.vendor),
        withheld: fields.iter().filter(|row| row.withheld).count(),
        fields,
        facts,
        waits: waiting.as_ref().filter(|_| !ended).map(|revision| (revision.number, waits(&sheet, revision, &by.actor()))),
        revisions: sheet.view.revisions.iter().rev().map(|revision| revision_row(&sheet, revision, &frame)).collect(),
        gates: shown::gates(&gates),
        notices: sheet.view.notices.clone(),
        lines: lines.into_iter().map(timeline::line).collect(),
        shown: subject.map_or(0, |revision| revision.number),
        ended,
        paused: sheet.view.permit.paused_at.is_some(),
        editable: !ended && frame.may(Permission::ManageAgreements),
        sees: frame.may(Permission::SeeSamples),
        reveals: frame.may(Permission::RevealTokens) && sheet.view.revisions.iter().any(has_released_tokens),
        frame,
    };
    Ok(render(&request, StatusCode::OK, &page))
}
