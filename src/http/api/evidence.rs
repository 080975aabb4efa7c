//! Evidence: the file is the raw body, what is said of it the query.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, X_CONTENT_TYPE_OPTIONS};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::app::evidence;
use crate::domain::Invalid;
use crate::domain::evidence::{Evidence, EvidenceFacts, EvidenceType};
use crate::http::error::{HttpError, Problem};
use crate::http::guard::{Allowed, Assess, Decide, Read};
use crate::http::input::{Query, Upload, segment};

use super::{Answer, List, Tidegate, created, invalid, shown};

/// What is said of a file.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EvidenceQuery {
    /// The file's name as people know it.
    name: String,
    /// `soc2`, `iso27001`, `penetration_test`, `insurance`, `policy` or `other`.
    #[serde(rename = "type")]
    kind: String,
    /// Day of issue, `2026-07-01`.
    issued: String,
    /// Last day it holds.
    expires: Option<String>,
    /// Whether releases rest on it.
    #[serde(default)]
    mandatory: bool,
}

impl EvidenceQuery {
    fn facts(self) -> Result<EvidenceFacts, Invalid> {
        Ok(EvidenceFacts {
            name: self.name.parse().map_err(|error: Invalid| error.within("name"))?,
            kind: EvidenceType::from_key(&self.kind).ok_or_else(|| Invalid::new("type", "is none of the known words"))?,
            issued: self.issued.parse().map_err(|error: Invalid| error.within("issued"))?,
            expires: self.expires.map(|day| day.parse()).transpose().map_err(|error: Invalid| error.within("expires"))?,
            mandatory: self.mandatory,
        })
    }
}

/// The evidence of a vendor.
#[utoipa::path(get, path = "/api/v1/vendors/{id}/evidence", tag = "evidence", security(("staff" = [])), params(("id" = String, Path)), responses((status = 200, body = List<Evidence>), (status = "4XX", body = Problem)))]
pub async fn list(request: HttpRequest, app: Tidegate, _by: Allowed<Read>) -> Answer {
    let id = segment(&request, "id", "vendor")?;
    shown(&request, evidence::list(&app, id).await.map(List::whole))
}

/// Hand in a file; the body is the file itself.
#[utoipa::path(post, path = "/api/v1/vendors/{id}/evidence", tag = "evidence", security(("staff" = [])), params(("id" = String, Path), EvidenceQuery), request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses((status = 201, body = Evidence), (status = "4XX", body = Problem)))]
pub async fn add(request: HttpRequest, app: Tidegate, by: Allowed<Assess>, query: Query<EvidenceQuery>, file: Upload) -> Answer {
    let id = segment(&request, "id", "vendor")?;
    let facts = query.0.facts().map_err(|error| invalid(&request, error))?;
    created(&request, evidence::add(&app, by.actor(), id, facts, file.0).await)
}

/// Accept a paper that was handed in since the last decision, as a privacy officer.
#[utoipa::path(post, path = "/api/v1/evidence/{id}/accept", tag = "evidence", security(("staff" = [])), params(("id" = String, Path)), responses((status = 200, body = Evidence), (status = "4XX", body = Problem)))]
pub async fn accept(request: HttpRequest, app: Tidegate, by: Allowed<Decide>) -> Answer {
    let id = segment(&request, "id", "evidence")?;
    shown(&request, evidence::accept(&app, by.actor(), id).await)
}

/// The file of a piece of evidence, as it was handed in.
#[utoipa::path(get, path = "/api/v1/evidence/{id}/file", tag = "evidence", security(("staff" = [])), params(("id" = String, Path)), responses((status = 200, content_type = "application/octet-stream"), (status = "4XX", body = Problem)))]
pub async fn file(request: HttpRequest, app: Tidegate, _by: Allowed<Read>) -> Answer {
    let id = segment(&request, "id", "evidence")?;
    let (_, bytes) = evidence::file(&app, id).await.map_err(|error| HttpError::staff(&request, error))?;
    Ok(download(bytes))
}

/// Bytes of strangers are never shown in the page: always an attachment, never sniffed.
pub fn download(bytes: Vec<u8>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/octet-stream")
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((CONTENT_DISPOSITION, "attachment"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(bytes)
}
