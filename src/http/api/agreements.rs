//! Agreements and their versions.

use std::collections::BTreeSet;

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::app::agreements::{self, AgreementView, Approval, Draft, Impact, Signing};
use crate::app::lists::Page;
use crate::domain::agreement::{Agreement, AgreementKind, AgreementTerms, Party};
use crate::domain::id::AgreementId;
use crate::domain::text::{Digest, FieldName, Name, Prose, Slug};
use crate::http::error::{HttpError, Problem};
use crate::http::guard::{Allowed, Approve, ManageAgreements, Read, Stop};
use crate::http::input::{Json, Query, Upload, segment};

use super::evidence::download;
use super::{Answer, Because, List, PageQuery, Tidegate, created, limit, shown};

/// A new agreement.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftAgreement {
    /// Unique and lasting, such as `dpa-014`.
    reference: Slug,
    kind: AgreementKind,
    #[serde(default)]
    terms: AgreementTerms,
}

/// Terms in place of the ones read.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditTerms {
    /// The version counter that was read.
    version: i64,
    terms: AgreementTerms,
}

/// An approval.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproveBody {
    /// The version counter that was read; a stale one is answered 409, so that nobody approves what they did not read.
    version: i64,
    #[serde(default)]
    comment: Option<Prose>,
    /// Direct identifiers that go out as they are: each must be named.
    #[serde(default)]
    #[schema(value_type = Vec<FieldName>)]
    confirm_clear: BTreeSet<FieldName>,
}

/// What must change before it can be approved.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HandBack {
    comment: Prose,
}

/// A signature to be recorded.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignBody {
    /// The version counter that was read; the other party's signature moves it too.
    version: i64,
    party: Party,
    /// The name as typed by who signed.
    name: Name,
    /// SHA-256 of the document that was signed.
    document: Digest,
}

/// What an upload is based on; its body is the file, and has no room for it.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct BasedOn {
    /// The version counter that was read; a stale one is answered 409.
    version: i64,
}

fn id(request: &HttpRequest) -> Result<AgreementId, HttpError> {
    segment(request, "id", "agreement")
}

fn number(request: &HttpRequest) -> Result<i32, HttpError> {
    segment(request, "number", "version")
}

/// Agreements, newest first.
#[utoipa::path(get, path = "/api/v1/agreements", tag = "agreements", security(("staff" = [])), params(PageQuery), responses((status = 200, body = List<Agreement>), (status = "4XX", body = Problem)))]
pub async fn list(request: HttpRequest, app: Tidegate, _by: Allowed<Read>, query: Query<PageQuery>) -> Answer {
    let limit = limit(&request, query.0.limit)?;
    let page = Page { after: query.0.cursor, limit: limit.saturating_add(1) };
    let found = agreements::list(&app, page).await;
    shown(&request, found.map(|items| List::cut(items, limit, |agreement| agreement.id.to_string())))
}

/// The agreements of a vendor.
#[utoipa::path(get, path = "/api/v1/vendors/{id}/agreements", tag = "agreements", security(("staff" = [])), params(("id" = String, Path)), responses((status = 200, body = List<Agreement>), (status = "4XX", body = Problem)))]
pub async fn list_of_vendor(request: HttpRequest, app: Tidegate, _by: Allowed<Read>) -> Answer {
    let vendor = segment(&request, "id", "vendor")?;
    shown(&request, agreements::list_by_vendor(&app, vendor).await.map(List::whole))
}

/// Draft an agreement with a vendor.
#[utoipa::path(post, path = "/api/v1/vendors/{id}/agreements", tag = "agreements", security(("staff" = [])), params(("id" = String, Path)), request_body = DraftAgreement, responses((status = 201, body = AgreementView), (status = "4XX", body = Problem)))]
pub async fn draft(request: HttpRequest, app: Tidegate, by: Allowed<ManageAgreements>, body: Json<DraftAgreement>) -> Answer {
    let vendor = segment(&request, "id", "vendor")?;
    let DraftAgreement { reference, kind, terms } = body.0;
    created(&request, agreements::draft(&app, by.actor(), Draft { vendor, reference, kind, terms }).await)
}

/// One agreement with its versions, permits and what is missing.
#[utoipa::path(get, path = "/api/v1/agreements/{id}", tag = "agreements", security(("staff" = [])), params(("id" = String, Path)), responses((status = 200, body = AgreementView), (status = "4XX", body = Problem)))]
pub async fn find(request: HttpRequest, app: Tidegate, _by: Allowed<Read>) -> Answer {
    shown(&request, agreements::find(&app, id(&request)?).await)
}

/// Change a draft's terms.
#[utoipa::path(put, path = "/api/v1/agreements/{id}/versions/{number}/terms", tag = "agreements", security(("staff" = [])), params(("id" = String, Path), ("number" = i32, Path)), request_body = EditTerms, responses((status = 200, body = AgreementView), (status = "4XX", body = Problem)))]
pub async fn edit(request: HttpRequest, app: Tidegate, by: Allowed<ManageAgreements>, body: Json<EditTerms>) -> Answer {
    let EditTerms { version, terms } = body.0;
    shown(&request, agreements::edit(&app, by.actor(), id(&request)?, number(&request)?, version, terms).await)
}

/// Attach the document of a draft; the body is the file itself.
#[utoipa::path(put, path = "/api/v1/agreements/{id}/versions/{number}/document", tag = "agreements", security(("staff" = [])), params(("id" = String, Path), ("number" = i32, Path), BasedOn), request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses((status = 200, body = AgreementView), (status = "4XX", body = Problem)))]
pub async fn attach(request: HttpRequest, app: Tidegate, by: Allowed<ManageAgreements>, query: Query<BasedOn>, file: Upload) -> Answer {
    shown(&request, agreements::attach(&app, by.actor(), id(&request)?, number(&request)?, query.0.version, file.0).await)
}

/// The document of a version.
#[utoipa::path(get, path = "/api/v1/agreements/{id}/versions/{number}/document", tag = "agreements", security(("staff" = [])), params(("id" = String, Path), ("number" = i32, Path)), responses((status = 200, content_type = "application/octet-stream"), (status = "4XX", body = Problem)))]
pub async fn document(request: HttpRequest, app: Tidegate, _by: Allowed<Read>) -> Answer {
    let bytes = agreements::document(&app, id(&request)?, number(&request)?).await.map_err(|error| HttpError::staff(&request, error))?;
    Ok(download(bytes))
}

/// Submit a draft for approval.
#[utoipa::path(post, path = "/api/v1/agreements/{id}/versions/{number}/submit", tag = "agreements", security(("staff" = [])), params(("id" = String, Path), ("number" = i32, Path)), responses((status = 200, body = AgreementView), (status = "4XX", body = Problem)))]
pub async fn submit(request: HttpRequest, app: Tidegate, by: Allowed<ManageAgreements>) -> Answer {
    shown(&request, agreements::submit(&app, by.actor(), id(&request)?, number(&request)?).await)
}

/// Approve a version, as a privacy officer who did not write it.
#[utoipa::path(post, path = "/api/v1/agreements/{id}/versions/{number}/approve", tag = "agreements", security(("staff" = [])), params(("id" = String, Path), ("number" = i32, Path)), request_body = ApproveBody, responses((status = 200, body = AgreementView), (status = "4XX", body = Problem)))]
pub async fn approve(request: HttpRequest, app: Tidegate, by: Allowed<Approve>, body: Json<ApproveBody>) -> Answer {
    let ApproveBody { version, comment, confirm_clear } = body.0;
    let approval = Approval { read: version, comment, confirmed: confirm_clear };
    shown(&request, agreements::approve(&app, by.actor(), id(&request)?, number(&request)?, approval).await)
}

/// Send a version back to its author.
#[utoipa::path(post, path = "/api/v1/agreements/{id}/versions/{number}/hand-back", tag = "agreements", security(("staff" = [])), params(("id" = String, Path), ("number" = i32, Path)), request_body = HandBack, responses((status = 200, body = AgreementView), (status = "4XX", body = Problem)))]
pub async fn hand_back(request: HttpRequest, app: Tidegate, by: Allowed<Approve>, body: Json<HandBack>) -> Answer {
    shown(&request, agreements::hand_back(&app, by.actor(), id(&request)?, number(&request)?, body.0.comment).await)
}

/// Record a party's signature; with both, the version is in force from its date.
#[utoipa::path(post, path = "/api/v1/agreements/{id}/versions/{number}/sign", tag = "agreements", security(("staff" = [])), params(("id" = String, Path), ("number" = i32, Path)), request_body = SignBody, responses((status = 200, body = AgreementView), (status = "4XX", body = Problem)))]
pub async fn sign(request: HttpRequest, app: Tidegate, by: Allowed<ManageAgreements>, body: Json<SignBody>) -> Answer {
    let SignBody { version, party, name, document } = body.0;
    let signing = Signing { read: version, party, name, document };
    shown(&request, agreements::sign(&app, by.actor(), id(&request)?, number(&request)?, signing).await)
}

/// Give a draft up.
#[utoipa::path(post, path = "/api/v1/agreements/{id}/versions/{number}/discard", tag = "agreements", security(("staff" = [])), params(("id" = String, Path), ("number" = i32, Path)), request_body = Because, responses((status = 200, body = AgreementView), (status = "4XX", body = Problem)))]
pub async fn discard(request: HttpRequest, app: Tidegate, by: Allowed<ManageAgreements>, body: Json<Because>) -> Answer {
    shown(&request, agreements::discard(&app, by.actor(), id(&request)?, number(&request)?, body.0.reason).await)
}

/// Begin the next version as a draft.
#[utoipa::path(post, path = "/api/v1/agreements/{id}/amend", tag = "agreements", security(("staff" = [])), params(("id" = String, Path)), responses((status = 201, body = AgreementView), (status = "4XX", body = Problem)))]
pub async fn amend(request: HttpRequest, app: Tidegate, by: Allowed<ManageAgreements>) -> Answer {
    created(&request, agreements::amend(&app, by.actor(), id(&request)?).await)
}

/// End an agreement: every release on it is refused from the next request on.
#[utoipa::path(post, path = "/api/v1/agreements/{id}/end", tag = "agreements", security(("staff" = [])), params(("id" = String, Path)), request_body = Because, responses((status = 200, body = AgreementView), (status = "4XX", body = Problem)))]
pub async fn end(request: HttpRequest, app: Tidegate, by: Allowed<Stop>, body: Json<Because>) -> Answer {
    shown(&request, agreements::end(&app, by.actor(), id(&request)?, body.0.reason).await)
}

/// Destroy the pseudonym key of an ended agreement.
#[utoipa::path(post, path = "/api/v1/agreements/{id}/destroy-key", tag = "agreements", security(("staff" = [])), params(("id" = String, Path)), request_body = Because, responses((status = 204), (status = "4XX", body = Problem)))]
pub async fn destroy_key(request: HttpRequest, app: Tidegate, by: Allowed<Approve>, body: Json<Because>) -> Answer {
    agreements::destroy_key(&app, by.actor(), id(&request)?, body.0.reason).await.map_err(|error| HttpError::staff(&request, error))?;
    Ok(actix_web::HttpResponse::build(StatusCode::NO_CONTENT).finish())
}

/// What a version would change if it were approved and signed, and who may approve it.
#[utoipa::path(get, path = "/api/v1/agreements/{id}/versions/{number}/impact", tag = "agreements", security(("staff" = [])), params(("id" = String, Path), ("number" = i32, Path)), responses((status = 200, body = Impact), (status = "4XX", body = Problem)))]
pub async fn impact(request: HttpRequest, app: Tidegate, _by: Allowed<Read>) -> Answer {
    let (id, number) = (segment(&request, "id", "agreement")?, segment(&request, "number", "version")?);
    shown(&request, agreements::impact(&app, id, number).await)
}
