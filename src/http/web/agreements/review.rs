//! What a version would change, for the officer who decides it: each direct identifier that goes out clear has its own tick.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use askama::Template;

use crate::app::agreements::{self, AgreementSheet, Approval, Impact, PermitFate};
use crate::app::{App, AppError};
use crate::domain::Invalid;
use crate::domain::agreement::VersionStatus;
use crate::domain::text::{FieldName, Prose};
use crate::http::api::Tidegate;
use crate::http::guard::{Approve, Read};
use crate::http::web::answer::render;
use crate::http::web::form::Typed;
use crate::http::web::guard::{Sent, Visitor, given, wanted};
use crate::http::web::lead::see_other_saying;
use crate::http::web::page::{Frame, Section};
use crate::http::web::parts::{DiffRow, complaint};
use crate::http::web::shown;
use crate::http::web::words::{Badge, Tone};

use super::clauses;
use super::head::{Head, Open, head};
use super::show::version_of;
use super::{Answer, complaints, id_of, number_of};

/// What the fields of a decision are called.
pub const LABELS: &[(&str, &str)] = &[("comment", "Comment"), ("because", "What must change"), ("confirm_clear", "Direct identifiers")];

/// A permit under the version.
struct Under {
    key: String,
    revision: i32,
    badge: Badge,
    summary: String,
    rows: Vec<DiffRow>,
    outside: String,
}

/// A direct identifier that would go out as it is, and in which permits.
pub struct Tick {
    pub field: String,
    pub permits: String,
}

#[derive(Template)]
#[template(path = "agreements/review.html")]
struct ReviewPage {
    frame: Frame,
    head: Head,
    typed: Typed,
    read: i64,
    compared: String,
    summary: String,
    terms: Vec<DiffRow>,
    permits: Vec<Under>,
    ticks: Vec<Tick>,
    missing: Vec<String>,
    warnings: Vec<String>,
    authors: String,
    approvers: String,
    /// Whether the viewer may approve it now.
    decides: bool,
    /// Whether the viewer may send it back now.
    hands_back: bool,
    /// Why the viewer may not approve.
    why_not: String,
    document: bool,
    stale: bool,
}

impl ReviewPage {
    fn caption_of(&self, permit: &Under) -> String {
        format!("What changes in the permit {}", permit.key)
    }
}

fn fate(fate: PermitFate) -> Badge {
    match fate {
        PermitFate::New => Badge::new(Tone::SecondPerson, "New"),
        PermitFate::Changed => Badge::new(Tone::SecondPerson, "Changed"),
        PermitFate::TakenAlong => Badge::new(Tone::InForce, "Goes on as it is"),
        PermitFate::LeftBehind => Badge::new(Tone::Stopped, "Left behind"),
    }
}

/// The ticks that an approval needs, each with the permits that it is about.
fn ticks(impact: &Impact) -> Vec<Tick> {
    let mut permits: BTreeMap<&FieldName, Vec<&str>> = BTreeMap::new();
    let decided = |permit: &&agreements::PermitImpact| matches!(permit.fate, PermitFate::New | PermitFate::Changed);
    for permit in impact.permits.iter().filter(decided) {
        for field in permit.clear_identifiers.intersection(&impact.confirm_clear) {
            permits.entry(field).or_default().push(permit.permit.as_str());
        }
    }
    permits.into_iter().map(|(field, permits)| Tick { field: field.to_string(), permits: permits.join(", ") }).collect()
}

fn under(impact: &Impact) -> Vec<Under> {
    let under = |permit: &agreements::PermitImpact| Under {
        key: permit.permit.to_string(),
        revision: permit.revision,
        badge: fate(permit.fate),
        summary: clauses::capital(&permit.changes.summary),
        rows: shown::diff(&permit.changes),
        outside: permit.outside.clone().unwrap_or_default(),
    };
    impact.permits.iter().map(under).collect()
}

async fn page<P>(request: &HttpRequest, app: &App, by: &Visitor<P>, status: StatusCode, typed: Typed) -> Answer {
    let (id, number) = (id_of(request, by)?, number_of(request, by)?);
    let sheet = by.want(request, agreements::sheet(app, id.clone()).await)?;
    let impact = by.want(request, agreements::impact(app, id, number).await)?;
    let version = version_of(request, by, &sheet, Some(number))?;
    let frame = by.frame(request, format!("What version {number} changes"), Section::Agreements);
    let why_not = agreements::why_not_approve(&by.actor(), &sheet.view, number);
    let reviewed = matches!(version.status, VersionStatus::InReview { .. });
    let approves = frame.may(crate::policy::access::Permission::Approve);
    let sentence = |invalid: &Invalid| complaint(clauses::LABELS, &Invalid::new(clauses::field_of(&invalid.field), invalid.reason.clone()));
    let page = ReviewPage {
        read: version.version,
        compared: match impact.compared_with {
            Some(before) => format!("Compared with version {before}, which was in force."),
            None => "This is the first version: everything in it is new.".to_owned(),
        },
        summary: clauses::capital(&impact.terms.summary),
        terms: shown::diff(&impact.terms),
        permits: under(&impact),
        ticks: ticks(&impact),
        missing: impact.missing.iter().map(sentence).collect(),
        warnings: impact.warnings.iter().map(sentence).collect(),
        authors: names(&sheet, impact.authors.iter().map(ToString::to_string)),
        approvers: impact.approvers.iter().map(|officer| officer.name.to_string()).collect::<Vec<_>>().join(", "),
        decides: reviewed && approves && why_not.is_none(),
        hands_back: approves && (reviewed || matches!(version.status, VersionStatus::Approved { .. })),
        why_not: why_not.filter(|_| reviewed).unwrap_or_default(),
        document: version.document.is_some(),
        stale: status == StatusCode::CONFLICT,
        head: head(&frame, &by.actor(), &sheet, version, Open::None),
        frame,
        typed,
    };
    Ok(render(request, status, &page))
}

fn names(sheet: &AgreementSheet, ids: impl Iterator<Item = String>) -> String {
    ids.map(|id| sheet.people.get(&id).cloned().unwrap_or(id)).collect::<Vec<_>>().join(", ")
}

/// What the version changes, for everyone who reads agreements.
pub async fn show(request: HttpRequest, app: Tidegate, by: Visitor<Read>) -> Answer {
    page(&request, &app, &by, StatusCode::OK, Typed::default()).await
}

/// The fields that are ticked, read as names.
pub fn ticked(typed: &Typed, errors: &mut Vec<Invalid>) -> BTreeSet<FieldName> {
    // A column's name can begin or end with a space, so it is taken as it came.
    let given = typed.pairs().iter().filter(|(name, _)| name == "confirm_clear").map(|(_, value)| value.parse::<FieldName>());
    let mut fields = BTreeSet::new();
    for field in given {
        match field {
            Ok(field) => {
                fields.insert(field);
            }
            Err(error) => errors.push(Invalid::new("confirm_clear", error.reason)),
        }
    }
    fields
}

/// Approves it.
pub async fn approve(request: HttpRequest, app: Tidegate, sent: Sent<Approve>) -> Answer {
    let Sent { by, typed } = sent;
    let (id, number) = (id_of(&request, &by)?, number_of(&request, &by)?);
    let mut errors = Vec::new();
    let comment = given::<Prose>(&typed, "comment", &mut errors);
    let confirmed = ticked(&typed, &mut errors);
    if !errors.is_empty() {
        return page(&request, &app, &by, StatusCode::UNPROCESSABLE_ENTITY, typed.refused(errors)).await;
    }
    let read = typed.value("read").parse::<i64>().unwrap_or(0);
    let approval = Approval { read, comment, confirmed };
    match agreements::approve(&app, &by.actor(), id.clone(), number, approval).await {
        Ok(_) => {
            Ok(see_other_saying(&request, format!("/agreements/{id}?version={number}"), "The version is approved: now both parties sign."))
        }
        Err(AppError::Stale) => page(&request, &app, &by, StatusCode::CONFLICT, unticked(&typed)).await,
        Err(error) => match complaints(error) {
            Ok(errors) => {
                let errors = errors.into_iter().map(|error| Invalid { field: clauses::field_of(&error.field).to_owned(), ..error });
                page(&request, &app, &by, StatusCode::UNPROCESSABLE_ENTITY, typed.refused(errors)).await
            }
            Err(error) => Err(by.refuse(&request, error)),
        },
    }
}

/// What was typed, without the ticks: they were given for what was read, and that has changed.
pub fn unticked(typed: &Typed) -> Typed {
    Typed::new(typed.pairs().iter().filter(|(name, _)| name != "confirm_clear").cloned().collect())
}

/// Sends it back to its author.
pub async fn hand_back(request: HttpRequest, app: Tidegate, sent: Sent<Approve>) -> Answer {
    let Sent { by, typed } = sent;
    let (id, number) = (id_of(&request, &by)?, number_of(&request, &by)?);
    let mut errors = Vec::new();
    let Some(because) = wanted::<Prose>(&typed, "because", &mut errors) else {
        return page(&request, &app, &by, StatusCode::UNPROCESSABLE_ENTITY, typed.refused(errors)).await;
    };
    by.want(&request, agreements::hand_back(&app, &by.actor(), id.clone(), number, because).await)?;
    Ok(see_other_saying(
        &request,
        format!("/agreements/{id}?version={number}"),
        "The version is a draft again; its author reads your comment.",
    ))
}
