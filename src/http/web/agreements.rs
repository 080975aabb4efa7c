//! Agreements: the list, a new one, and the pages of one; what may be done next is asked of the use cases.

pub mod acts;
pub mod clauses;
pub mod document;
pub mod head;
pub mod review;
pub mod show;
pub mod stops;
pub mod tabs;

use actix_web::http::StatusCode;
use actix_web::{Error, HttpRequest, HttpResponse};
use askama::Template;

use crate::app::agreements::{self, AgreementLine, AgreementList, Draft};
use crate::app::lists::{AgreementFilter, AgreementStage, VersionAt};
use crate::app::{App, AppError, vendors};
use crate::domain::Invalid;
use crate::domain::agreement::{AgreementKind, AgreementTerms};
use crate::domain::id::{AgreementId, VendorId};
use crate::domain::text::Slug;
use crate::domain::vendor::Vendor;
use crate::http::api::Tidegate;
use crate::http::guard::{ManageAgreements, Read};
use crate::policy::Denied;

use super::answer::render;
use super::error::Wire;
use super::form::Typed;
use super::guard::{Sent, Visitor, wanted};
use super::lead::see_other_saying;
use super::page::{Frame, Section};
use super::parts::Choice;
use super::words::{self, Badge, Tone};

/// What handlers of pages answer.
pub(super) type Answer = Result<HttpResponse, Error>;

/// How many rows a list shows at once.
const ROWS: usize = 50;

/// What the fields of a new agreement are called.
pub const LABELS: &[(&str, &str)] = &[("reference", "Reference"), ("kind", "Kind"), ("vendor", "Vendor")];

#[derive(Template)]
#[template(path = "agreements/list.html")]
struct ListPage {
    frame: Frame,
    asked: Typed,
    kinds: Vec<Choice>,
    stages: Vec<Choice>,
    list: AgreementList,
    next: String,
    count: String,
    /// Whether something can wait for the viewer at all.
    waits: bool,
    narrowed: bool,
}

#[derive(Template)]
#[template(path = "agreements/new.html")]
struct NewPage {
    frame: Frame,
    typed: Typed,
    kinds: Vec<Choice>,
    vendor: Vendor,
}

/// Every kind.
const KINDS: [AgreementKind; 3] = [AgreementKind::Processor, AgreementKind::JointControllers, AgreementKind::ControllerToController];

/// What a kind is called.
pub(super) fn kind_name(kind: &AgreementKind) -> &'static str {
    match kind {
        AgreementKind::Processor => "Processor",
        AgreementKind::JointControllers => "Joint controllers",
        AgreementKind::ControllerToController => "Controller to controller",
    }
}

fn kinds() -> Vec<Choice> {
    let hint = |kind| match kind {
        AgreementKind::Processor => "The vendor acts on your instructions (Art. 28).",
        AgreementKind::JointControllers => "You and the vendor decide together (Art. 26).",
        AgreementKind::ControllerToController => "The vendor decides for itself what it does with the data, as carriers often do.",
    };
    KINDS.into_iter().map(|kind| Choice::new(kind.key(), kind_name(&kind)).hinted(hint(kind))).collect()
}

fn stages() -> Vec<Choice> {
    let name = |stage| match stage {
        AgreementStage::Draft => "Draft",
        AgreementStage::InReview => "Waits for approval",
        AgreementStage::Approved => "Approved, not in force",
        AgreementStage::InForce => "In force",
        AgreementStage::Ended => "Ended",
    };
    AgreementStage::ALL.into_iter().map(|stage| Choice::new(stage.key(), name(stage))).collect()
}

/// What the query of a page says, as a form.
pub(super) fn asked(request: &HttpRequest) -> Typed {
    Typed::new(serde_urlencoded::from_str(request.query_string()).unwrap_or_default())
}

/// The URL of the next part of a list, with the filters that are given.
pub(super) fn next_part(path: &str, asked: &Typed, filters: &[&str], after: Option<impl ToString>) -> String {
    let Some(after) = after else { return String::new() };
    let given = filters.iter().map(|name| (*name, asked.value(name).to_owned())).filter(|(_, value)| !value.is_empty());
    let pairs: Vec<(&str, String)> = given.chain([("after", after.to_string())]).collect();
    format!("{path}?{}", serde_urlencoded::to_string(pairs).unwrap_or_default())
}

impl ListPage {
    fn kind_of(&self, line: &AgreementLine) -> &'static str {
        kind_name(&line.agreement.kind)
    }

    /// The version in force, and the one that is to follow it.
    fn badges(&self, line: &AgreementLine) -> Vec<Badge> {
        if line.agreement.ended_at.is_some() {
            return vec![Badge::new(Tone::Stopped, "Ended")];
        }
        let many = line.versions.len() > 1;
        let badge = |(at, (number, status)): (usize, &VersionAt)| {
            let badge = words::version(status, self.frame.now);
            if many && at > 0 { Badge { word: format!("Version {number}: {}", badge.word.to_lowercase()), ..badge } } else { badge }
        };
        line.versions.iter().enumerate().map(badge).collect()
    }
}

/// The list.
pub async fn list(request: HttpRequest, app: Tidegate, by: Visitor<Read>) -> Answer {
    let asked = asked(&request);
    let waits_for = agreements::waits_for(&by.actor());
    let text = |name: &str| Some(asked.value(name).to_owned()).filter(|text| !text.is_empty());
    let filter = AgreementFilter {
        kind: AgreementKind::from_key(asked.value("kind")),
        stage: AgreementStage::from_key(asked.value("state")),
        search: text("q"),
        waits_for: waits_for.clone().filter(|_| asked.has("mine", "yes")),
    };
    let after = asked.value("after").parse::<AgreementId>().ok();
    let narrowed = filter != AgreementFilter::default();
    let list = by.want(&request, agreements::overview(&app, filter, after, ROWS).await)?;
    let next = next_part("/agreements", &asked, &["q", "kind", "state", "mine"], list.next.as_ref());
    let count = words::count(list.total, "agreement", "agreements");
    let frame = by.frame(&request, "Agreements", Section::Agreements);
    let page = ListPage { frame, asked, kinds: kinds(), stages: stages(), list, next, count, waits: waits_for.is_some(), narrowed };
    Ok(render(&request, StatusCode::OK, &page))
}

fn vendor_of<P>(request: &HttpRequest, by: &Visitor<P>) -> Result<VendorId, Error> {
    request.match_info().query("id").parse().map_err(|_| by.wire(request, Wire::NotFound))
}

/// The id of the agreement that the path names.
pub(super) fn id_of<P>(request: &HttpRequest, by: &Visitor<P>) -> Result<AgreementId, Error> {
    request.match_info().query("id").parse().map_err(|_| by.wire(request, Wire::NotFound))
}

/// The number of the version that the path names.
pub(super) fn number_of<P>(request: &HttpRequest, by: &Visitor<P>) -> Result<i32, Error> {
    request.match_info().query("number").parse().map_err(|_| by.wire(request, Wire::NotFound))
}

/// What was wrong with what was sent, where that is what the use case said.
pub(super) fn complaints(error: AppError) -> Result<Vec<Invalid>, AppError> {
    match error {
        AppError::Invalid(invalid) | AppError::Denied(Denied::Invalid(invalid)) => Ok(vec![invalid]),
        AppError::Denied(Denied::Missing(missing)) => Ok(missing),
        other => Err(other),
    }
}

/// The form for a new agreement of a vendor.
pub async fn new(request: HttpRequest, app: Tidegate, by: Visitor<ManageAgreements>) -> Answer {
    new_page(&request, &app, &by, StatusCode::OK, Typed::default()).await
}

async fn new_page(request: &HttpRequest, app: &App, by: &Visitor<ManageAgreements>, status: StatusCode, typed: Typed) -> Answer {
    let vendor = by.want(request, vendors::find(app, vendor_of(request, by)?).await)?;
    let frame = by.frame(request, "Draft an agreement", Section::Agreements);
    Ok(render(request, status, &NewPage { frame, typed, kinds: kinds(), vendor }))
}

/// Drafts it.
pub async fn draft(request: HttpRequest, app: Tidegate, sent: Sent<ManageAgreements>) -> Answer {
    let Sent { by, typed } = sent;
    let vendor = vendor_of(&request, &by)?;
    let mut errors = Vec::new();
    let reference = wanted::<Slug>(&typed, "reference", &mut errors);
    let kind = AgreementKind::from_key(typed.value("kind"));
    if kind.is_none() {
        errors.push(Invalid::new("kind", "must be chosen"));
    }
    let (Some(reference), Some(kind)) = (reference, kind) else {
        return new_page(&request, &app, &by, StatusCode::UNPROCESSABLE_ENTITY, typed.refused(errors)).await;
    };
    let new = Draft { vendor, reference, kind, terms: AgreementTerms::default() };
    match agreements::draft(&app, &by.actor(), new).await {
        Ok(view) => Ok(see_other_saying(&request, format!("/agreements/{}", view.agreement.id), "The agreement is drafted.")),
        Err(AppError::Taken(_)) => {
            let error = Invalid::new("reference", "is taken by another agreement: choose another");
            new_page(&request, &app, &by, StatusCode::CONFLICT, typed.refused([error])).await
        }
        Err(error) => match complaints(error) {
            Ok(errors) => new_page(&request, &app, &by, StatusCode::UNPROCESSABLE_ENTITY, typed.refused(errors)).await,
            Err(error) => Err(by.refuse(&request, error)),
        },
    }
}
