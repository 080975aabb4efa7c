//! One revision: what it changes, and its approval by somebody who did not write it, each identifier in clear ticked.

use actix_web::http::StatusCode;
use actix_web::{Error, HttpRequest};
use askama::Template;

use crate::app::permits::{self, PermitSheet};
use crate::app::{App, AppError, catalogue};
use crate::domain::agreement::VersionStatus;
use crate::domain::permit::{Revision, RevisionStatus};
use crate::domain::text::Reason;
use crate::http::api::Tidegate;
use crate::http::guard::{Approve, Read, SeeSamples};
use crate::http::web::agreements::clauses::capital;
use crate::http::web::agreements::review::{Tick, ticked, unticked};
use crate::http::web::agreements::{Answer, complaints};
use crate::http::web::answer::render;
use crate::http::web::error::Wire;
use crate::http::web::form::Typed;
use crate::http::web::guard::{Sent, Visitor, wanted};
use crate::http::web::lead::see_other_saying;
use crate::http::web::page::{Frame, Section};
use crate::http::web::parts::{Crumb, DiffRow, Fact};
use crate::http::web::shown;
use crate::http::web::words::Badge;
use crate::policy::access::Permission;
use crate::policy::diff;

use super::draft::placed;
use super::matrix::AsVendorPage;
use super::show::{FieldRow, authors, base, facts, fields};
use super::{key_of, number_of, samples, waiting};

#[derive(Template)]
#[template(path = "permits/revision.html")]
struct RevisionPage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    key: String,
    number: i32,
    badge: Badge,
    typed: Typed,
    read: i64,
    compared: String,
    summary: String,
    rows: Vec<DiffRow>,
    ticks: Vec<Tick>,
    facts: Vec<Fact>,
    fields: Vec<FieldRow>,
    authors: String,
    /// Whether the viewer may approve it now.
    decides: bool,
    /// Whether the viewer may turn it down now.
    rejects: bool,
    /// Whether it can be edited now.
    editable: bool,
    /// Why the viewer may not approve it, or with what it is approved.
    why_not: String,
    stale: bool,
    sees: bool,
}

fn find<'a, P>(request: &HttpRequest, by: &Visitor<P>, sheet: &'a PermitSheet) -> Result<&'a Revision, Error> {
    let number = number_of(request, by)?;
    sheet.view.revisions.iter().find(|revision| revision.number == number).ok_or_else(|| by.wire(request, Wire::NotFound))
}

async fn page<P>(request: &HttpRequest, app: &App, by: &Visitor<P>, status: StatusCode, typed: Typed) -> Answer {
    let key = key_of(request, by)?;
    let sheet = by.want(request, permits::sheet(app, key.clone()).await)?;
    let revision = find(request, by, &sheet)?;
    let frame = by.frame(request, format!("Revision {} of {key}", revision.number), Section::Permits);
    let before = base(&sheet, revision);
    let changes = before.map_or_else(
        || diff::added(&revision.terms, &sheet.vocabulary),
        |before| diff::permits(&before.terms, &revision.terms, &sheet.vocabulary),
    );
    let open = revision.status == RevisionStatus::Proposed && sheet.view.permit.ended_at.is_none() && sheet.agreement.ended_at.is_none();
    let version = sheet.versions.iter().find(|version| version.number == revision.agreement_version).map(|version| &version.status);
    let by_itself = matches!(version, Some(VersionStatus::Signed { .. }));
    let why_not = permits::why_not_approve(&by.actor(), revision);
    let clear = sheet.dataset.as_ref().map(|dataset| revision.terms.clear_identifiers(dataset)).unwrap_or_default();
    let with = format!("It is approved and signed with version {} of the agreement.", revision.agreement_version);
    let later = revision.status == RevisionStatus::InForce && !revision.begun_at(frame.now);
    let approves = frame.may(Permission::Approve);
    let page = RevisionPage {
        crumbs: vec![
            Crumb { href: "/permits".to_owned(), label: "Permits".to_owned() },
            Crumb { href: format!("/permits/{key}"), label: key.to_string() },
        ],
        number: revision.number,
        badge: if later { waiting(revision) } else { Badge::from(revision.status) },
        read: revision.version,
        compared: match before {
            Some(before) => format!("Compared with revision {}.", before.number),
            None => "Nothing was in force before it.".to_owned(),
        },
        summary: capital(&changes.summary),
        rows: shown::diff(&changes),
        ticks: clear.iter().map(|field| Tick { field: field.to_string(), permits: key.to_string() }).collect(),
        facts: facts(&sheet, &revision.terms),
        fields: fields(&sheet, &revision.terms),
        authors: authors(&sheet, revision),
        decides: open && by_itself && approves && why_not.is_none(),
        rejects: open && approves,
        editable: open && version == Some(&VersionStatus::Draft) && frame.may(Permission::ManageAgreements),
        why_not: if !open {
            String::new()
        } else if by_itself {
            why_not.unwrap_or_default()
        } else {
            with
        },
        stale: status == StatusCode::CONFLICT,
        sees: frame.may(Permission::SeeSamples),
        key: key.to_string(),
        frame,
        typed,
    };
    Ok(render(request, status, &page))
}

/// One revision.
pub async fn show(request: HttpRequest, app: Tidegate, by: Visitor<Read>) -> Answer {
    page(&request, &app, &by, StatusCode::OK, Typed::default()).await
}

/// Approves it: in force at once.
pub async fn approve(request: HttpRequest, app: Tidegate, sent: Sent<Approve>) -> Answer {
    let Sent { by, typed } = sent;
    let (key, number) = (key_of(&request, &by)?, number_of(&request, &by)?);
    let mut errors = Vec::new();
    let confirmed = ticked(&typed, &mut errors);
    if !errors.is_empty() {
        return page(&request, &app, &by, StatusCode::UNPROCESSABLE_ENTITY, typed.refused(errors)).await;
    }
    let read = typed.value("read").parse::<i64>().unwrap_or(0);
    match permits::approve(&app, &by.actor(), key.clone(), number, read, confirmed).await {
        Ok(_) => Ok(see_other_saying(&request, format!("/permits/{key}"), "The revision is approved and in force.")),
        Err(AppError::Stale) => page(&request, &app, &by, StatusCode::CONFLICT, unticked(&typed)).await,
        Err(error) => match complaints(error) {
            Ok(errors) => {
                let placed: Vec<_> = errors.into_iter().map(|error| placed(&typed, error)).collect();
                let typed = typed.refused(placed);
                page(&request, &app, &by, StatusCode::UNPROCESSABLE_ENTITY, typed).await
            }
            Err(error) => Err(by.refuse(&request, error)),
        },
    }
}

/// Turns it down.
pub async fn reject(request: HttpRequest, app: Tidegate, sent: Sent<Approve>) -> Answer {
    let Sent { by, typed } = sent;
    let (key, number) = (key_of(&request, &by)?, number_of(&request, &by)?);
    let mut errors = Vec::new();
    let Some(reason) = wanted::<Reason>(&typed, "reason", &mut errors) else {
        return page(&request, &app, &by, StatusCode::UNPROCESSABLE_ENTITY, typed.refused(errors)).await;
    };
    by.want(&request, permits::reject(&app, &by.actor(), key.clone(), number, reason).await)?;
    Ok(see_other_saying(&request, format!("/permits/{key}"), "The revision is rejected; what was in force stays so."))
}

/// The first rows as a revision releases them.
pub async fn as_vendor(request: HttpRequest, app: Tidegate, by: Visitor<SeeSamples>) -> Answer {
    let key = key_of(&request, &by)?;
    let sheet = by.want(&request, permits::sheet(&app, key.clone()).await)?;
    let revision = find(&request, &by, &sheet)?;
    let dataset = by.want(&request, catalogue::find(&app, revision.terms.dataset.clone()).await)?;
    let known = revision.terms.fields.iter().filter(|(name, _)| dataset.field(name.as_str()).is_some());
    let known = known.map(|(name, treatment)| (name.clone(), treatment.clone())).collect();
    let sides = samples::whole_rows(&app, &by.actor(), &dataset, known, revision.terms.condition.clone()).await;
    let sides = by.want(&request, sides)?;
    let frame = by.frame(&request, "See as vendor", Section::Permits);
    let crumbs = vec![
        Crumb { href: "/permits".to_owned(), label: "Permits".to_owned() },
        Crumb { href: format!("/permits/{key}"), label: key.to_string() },
        Crumb { href: format!("/permits/{key}/revisions/{}", revision.number), label: format!("Revision {}", revision.number) },
    ];
    let invalid = sides.invalid.iter().map(ToString::to_string).collect();
    Ok(render(&request, StatusCode::OK, &AsVendorPage { frame, crumbs, sides, invalid }))
}
