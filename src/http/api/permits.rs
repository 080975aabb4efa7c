//! Permits and their revisions.

use std::collections::BTreeSet;

use actix_web::HttpRequest;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::agreements::PermitView;
use crate::app::permits::{self, Revealed, Revealing, Revising};
use crate::domain::permit::PermitTerms;
use crate::domain::text::{FieldName, Reason, Slug};
use crate::http::error::{HttpError, Problem};
use crate::http::guard::{Allowed, Approve, ManageAgreements, Read, RevealTokens, Stop};
use crate::http::input::{Json, segment};

use super::{Answer, Because, List, Tidegate, created, shown};

/// A new permit.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WritePermit {
    /// Unique and lasting: the OAuth scope.
    key: Slug,
    terms: PermitTerms,
}

/// Terms of a proposed revision, in place of those it had.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RewriteRevision {
    /// The revision's version counter that was read.
    version: i64,
    terms: PermitTerms,
}

/// A revision: a narrowing acts at once, a widening waits for a privacy officer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevisePermit {
    /// Number of the newest revision that was read; where another one came since, the answer is 409.
    based_on: i32,
    terms: PermitTerms,
    reason: Reason,
}

/// An approval of a widening.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproveRevision {
    /// The revision's version counter that was read; a stale one is answered 409, so that nobody approves what they did
    /// not read.
    version: i64,
    /// Direct identifiers that go out as they are: each must be named.
    #[serde(default)]
    #[schema(value_type = Vec<FieldName>)]
    confirm_clear: BTreeSet<FieldName>,
}

/// Reversible tokens to be turned back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevealTheseTokens {
    /// The field that they came in.
    #[schema(value_type = String)]
    field: FieldName,
    /// At most 100.
    tokens: Vec<String>,
    /// Kept in the history.
    reason: Reason,
}

fn key(request: &HttpRequest) -> Result<Slug, HttpError> {
    segment(request, "key", "permit")
}

fn number(request: &HttpRequest) -> Result<i32, HttpError> {
    segment(request, "number", "revision")
}

/// The permits of a vendor.
#[utoipa::path(get, path = "/api/v1/vendors/{id}/permits", tag = "permits", security(("staff" = [])), params(("id" = String, Path)), responses((status = 200, body = List<PermitView>), (status = "4XX", body = Problem)))]
pub async fn list(request: HttpRequest, app: Tidegate, _by: Allowed<Read>) -> Answer {
    let vendor = segment(&request, "id", "vendor")?;
    shown(&request, permits::list_by_vendor(&app, vendor).await.map(List::whole))
}

/// One permit with its revisions.
#[utoipa::path(get, path = "/api/v1/permits/{key}", tag = "permits", security(("staff" = [])), params(("key" = String, Path)), responses((status = 200, body = PermitView), (status = "4XX", body = Problem)))]
pub async fn find(request: HttpRequest, app: Tidegate, _by: Allowed<Read>) -> Answer {
    shown(&request, permits::find(&app, key(&request)?).await)
}

/// Write a permit within an agreement.
#[utoipa::path(post, path = "/api/v1/agreements/{id}/permits", tag = "permits", security(("staff" = [])), params(("id" = String, Path)), request_body = WritePermit, responses((status = 201, body = PermitView), (status = "4XX", body = Problem)))]
pub async fn write(request: HttpRequest, app: Tidegate, by: Allowed<ManageAgreements>, body: Json<WritePermit>) -> Answer {
    let agreement = segment(&request, "id", "agreement")?;
    created(&request, permits::write(&app, by.actor(), agreement, body.0.key, body.0.terms).await)
}

/// Rewrite a proposed revision.
#[utoipa::path(put, path = "/api/v1/permits/{key}/revisions/{number}", tag = "permits", security(("staff" = [])), params(("key" = String, Path), ("number" = i32, Path)), request_body = RewriteRevision, responses((status = 200, body = PermitView), (status = "4XX", body = Problem)))]
pub async fn rewrite(request: HttpRequest, app: Tidegate, by: Allowed<ManageAgreements>, body: Json<RewriteRevision>) -> Answer {
    let RewriteRevision { version, terms } = body.0;
    shown(&request, permits::rewrite(&app, by.actor(), key(&request)?, number(&request)?, version, terms).await)
}

/// Revise a permit in force.
#[utoipa::path(post, path = "/api/v1/permits/{key}/revisions", tag = "permits", security(("staff" = [])), params(("key" = String, Path)), request_body = RevisePermit, responses((status = 201, body = PermitView), (status = "4XX", body = Problem)))]
pub async fn revise(request: HttpRequest, app: Tidegate, by: Allowed<ManageAgreements>, body: Json<RevisePermit>) -> Answer {
    let RevisePermit { based_on, terms, reason } = body.0;
    created(&request, permits::revise(&app, by.actor(), key(&request)?, Revising { based_on, terms, reason }).await)
}

/// Approve a proposed revision under a signed version.
#[utoipa::path(post, path = "/api/v1/permits/{key}/revisions/{number}/approve", tag = "permits", security(("staff" = [])), params(("key" = String, Path), ("number" = i32, Path)), request_body = ApproveRevision, responses((status = 200, body = PermitView), (status = "4XX", body = Problem)))]
pub async fn approve(request: HttpRequest, app: Tidegate, by: Allowed<Approve>, body: Json<ApproveRevision>) -> Answer {
    let ApproveRevision { version, confirm_clear } = body.0;
    shown(&request, permits::approve(&app, by.actor(), key(&request)?, number(&request)?, version, confirm_clear).await)
}

/// Turn a proposed revision down.
#[utoipa::path(post, path = "/api/v1/permits/{key}/revisions/{number}/reject", tag = "permits", security(("staff" = [])), params(("key" = String, Path), ("number" = i32, Path)), request_body = Because, responses((status = 200, body = PermitView), (status = "4XX", body = Problem)))]
pub async fn reject(request: HttpRequest, app: Tidegate, by: Allowed<Approve>, body: Json<Because>) -> Answer {
    shown(&request, permits::reject(&app, by.actor(), key(&request)?, number(&request)?, body.0.reason).await)
}

/// Pause a permit.
#[utoipa::path(post, path = "/api/v1/permits/{key}/pause", tag = "permits", security(("staff" = [])), params(("key" = String, Path)), request_body = Because, responses((status = 200, body = PermitView), (status = "4XX", body = Problem)))]
pub async fn pause(request: HttpRequest, app: Tidegate, by: Allowed<Stop>, body: Json<Because>) -> Answer {
    shown(&request, permits::pause(&app, by.actor(), key(&request)?, body.0.reason).await)
}

/// Let a paused permit go on.
#[utoipa::path(post, path = "/api/v1/permits/{key}/resume", tag = "permits", security(("staff" = [])), params(("key" = String, Path)), request_body = Because, responses((status = 200, body = PermitView), (status = "4XX", body = Problem)))]
pub async fn resume(request: HttpRequest, app: Tidegate, by: Allowed<Approve>, body: Json<Because>) -> Answer {
    shown(&request, permits::resume(&app, by.actor(), key(&request)?, body.0.reason).await)
}

/// End a permit for good.
#[utoipa::path(post, path = "/api/v1/permits/{key}/end", tag = "permits", security(("staff" = [])), params(("key" = String, Path)), request_body = Because, responses((status = 200, body = PermitView), (status = "4XX", body = Problem)))]
pub async fn end(request: HttpRequest, app: Tidegate, by: Allowed<Stop>, body: Json<Because>) -> Answer {
    shown(&request, permits::end(&app, by.actor(), key(&request)?, body.0.reason).await)
}

/// Turn reversible tokens back into the values they stand for. It is an act in the history, with how many and why.
#[utoipa::path(post, path = "/api/v1/permits/{key}/tokens/reveal", tag = "permits", security(("staff" = [])), params(("key" = String, Path)), request_body = RevealTheseTokens, responses((status = 200, body = Revealed), (status = "4XX", body = Problem)))]
pub async fn reveal_tokens(request: HttpRequest, app: Tidegate, by: Allowed<RevealTokens>, body: Json<RevealTheseTokens>) -> Answer {
    let RevealTheseTokens { field, tokens, reason } = body.0;
    shown(&request, permits::reveal(&app, by.actor(), key(&request)?, Revealing { field, tokens, reason }).await)
}
