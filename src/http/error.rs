//! Errors as RFC 9457 problem details: one table from use-case errors to statuses.

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, AUTHORIZATION, CACHE_CONTROL, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::AppError;
use crate::app::oauth::{NoProof, Scheme};
use crate::domain::Invalid;
use crate::domain::gate::{Gate, Refusal};
use crate::policy::Denied;

use super::request_id;

/// The body of every error of the staff and data API.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    /// Names the kind of problem; stable.
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    /// What happened and what to do.
    pub detail: String,
    /// The closed gate, where a release was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gate: Option<Gate>,
    /// The clause of the agreement or the field that decided it, where one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clause: Option<String>,
    /// What is wrong, field by field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Invalid>,
    pub request_id: String,
}

/// After how many seconds what is not available just now may be asked for again.
pub const UNAVAILABLE_SECONDS: u32 = 5;

/// An error on its way out.
#[derive(Debug)]
pub struct HttpError(Box<Details>);

#[derive(Debug)]
struct Details {
    status: StatusCode,
    code: &'static str,
    detail: String,
    gate: Option<Gate>,
    clause: Option<&'static str>,
    errors: Vec<Invalid>,
    retry_after: Option<u32>,
    challenge: Option<String>,
    allow: Option<String>,
    request_id: String,
}

impl HttpError {
    /// A problem of the wire itself: a status, a stable code, a sentence.
    pub fn wire(request: &HttpRequest, status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self(Box::new(Details {
            status,
            code,
            detail: detail.into(),
            gate: None,
            clause: None,
            errors: Vec::new(),
            retry_after: None,
            challenge: None,
            allow: None,
            request_id: request_id::of(request),
        }))
    }

    /// A method that the path does not take.
    pub fn method(request: &HttpRequest, allow: String) -> Self {
        let mut error = Self::wire(request, StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "This path does not take this method.");
        error.0.allow = Some(allow);
        error
    }

    /// What a use case of the staff API said.
    pub fn staff(request: &HttpRequest, error: AppError) -> Self {
        Self::of(request, error, StatusCode::UNPROCESSABLE_ENTITY)
    }

    /// What a use case of the data API said: there a caller's mistake is a bad request.
    pub fn data(request: &HttpRequest, error: AppError) -> Self {
        if matches!(error, AppError::UsedProof) {
            return Self::bad_proof(request, NoProof::Used);
        }
        let error = Self::of(request, error, StatusCode::BAD_REQUEST);
        match error.0.gate {
            Some(Gate::Token | Gate::Client) => {
                let scheme = request.headers().get(AUTHORIZATION).map_or(&b""[..], |value| value.as_bytes());
                let bound = scheme.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"dpop "));
                error.challenged(&if bound { dpop("invalid_token") } else { bearer("invalid_token") })
            }
            _ => error,
        }
    }

    /// No credentials at all: a challenge without an error code (RFC 6750 §3.1), of both kinds (RFC 9449 §7.1).
    pub fn no_token(request: &HttpRequest) -> Self {
        let algorithms = super::oauth::algorithms().join(" ");
        Self::refused(request, crate::policy::release::detail(Gate::Token))
            .challenged(&format!("Bearer realm=\"tidegate\", DPoP realm=\"tidegate\", algs=\"{algorithms}\""))
    }

    /// A token that is not good, or not sent as it is bound.
    pub fn bad_token(request: &HttpRequest, scheme: Scheme) -> Self {
        let challenge = match scheme {
            Scheme::Bearer => bearer("invalid_token"),
            Scheme::Dpop => dpop("invalid_token"),
        };
        Self::refused(request, crate::policy::release::detail(Gate::Token)).challenged(&challenge)
    }

    /// A proof that is not good.
    pub fn bad_proof(request: &HttpRequest, proof: NoProof) -> Self {
        Self::refused(request, proof.sentence()).challenged(&dpop("invalid_dpop_proof"))
    }

    fn refused(request: &HttpRequest, detail: &'static str) -> Self {
        Self::of(request, Refusal::new(Gate::Token, detail).into(), StatusCode::BAD_REQUEST)
    }

    fn challenged(mut self, challenge: &str) -> Self {
        self.0.challenge = Some(challenge.to_owned());
        self
    }

    /// The status table. No wildcard arm: a new error must find its place here.
    fn of(request: &HttpRequest, error: AppError, invalid: StatusCode) -> Self {
        let (status, code) = match &error {
            AppError::NotFound(_) => (StatusCode::NOT_FOUND, "not-found"),
            AppError::Taken(_) => (StatusCode::CONFLICT, "taken"),
            AppError::Stale => (StatusCode::CONFLICT, "stale"),
            AppError::Denied(Denied::State(_)) => (StatusCode::CONFLICT, "wrong-state"),
            AppError::Denied(Denied::Person(_)) => (StatusCode::FORBIDDEN, "second-person"),
            AppError::Denied(Denied::Invalid(_) | Denied::Missing(_)) | AppError::Invalid(_) => (invalid, "invalid"),
            AppError::Refused(refusal) => (gate_status(refusal.gate), "refused"),
            AppError::UsedProof => (gate_status(Gate::Token), "refused"),
            AppError::Unauthenticated => (StatusCode::UNAUTHORIZED, "unauthenticated"),
            AppError::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
            AppError::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        };
        let mut out = Self::wire(request, status, code, sentence(&error));
        match error {
            AppError::Refused(refusal) => {
                out.0.gate = Some(refusal.gate);
                out.0.retry_after = refusal.retry_after;
                out.0.clause = refusal.clause;
            }
            AppError::UsedProof => out.0.gate = Some(Gate::Token),
            AppError::Denied(Denied::Invalid(invalid)) | AppError::Invalid(invalid) => out.0.errors = vec![invalid],
            AppError::Denied(Denied::Missing(missing)) => out.0.errors = missing,
            AppError::Unauthenticated => out = out.challenged("Bearer realm=\"tidegate staff\""),
            AppError::Unavailable(_) => out.0.retry_after = Some(UNAVAILABLE_SECONDS),
            AppError::Internal(cause) => tracing::error!(request_id = %out.0.request_id, cause, "internal error"),
            AppError::NotFound(_) | AppError::Taken(_) | AppError::Stale | AppError::Denied(Denied::State(_) | Denied::Person(_)) => {}
        }
        out
    }
}

fn bearer(error: &str) -> String {
    format!("Bearer realm=\"tidegate\", error=\"{error}\"")
}

/// RFC 9449 §7.1.
fn dpop(error: &str) -> String {
    format!("DPoP realm=\"tidegate\", error=\"{error}\", algs=\"{}\"", super::oauth::algorithms().join(" "))
}

/// What the caller reads. An error of no field in particular is one of all that was sent.
fn sentence(error: &AppError) -> String {
    match error {
        AppError::Denied(Denied::Invalid(invalid)) | AppError::Invalid(invalid) if invalid.field.is_empty() => {
            format!("What was sent {}", invalid.reason)
        }
        _ => error.to_string(),
    }
}

/// The status of a closed gate.
pub fn gate_status(gate: Gate) -> StatusCode {
    match gate {
        Gate::Token | Gate::Client => StatusCode::UNAUTHORIZED,
        Gate::Quota => StatusCode::TOO_MANY_REQUESTS,
        Gate::Vendor
        | Gate::DueDiligence
        | Gate::Subprocessor
        | Gate::Agreement
        | Gate::Permit
        | Gate::Purpose
        | Gate::Consent
        | Gate::DatasetDrift => StatusCode::FORBIDDEN,
    }
}

impl std::fmt::Display for HttpError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0.detail)
    }
}

impl ResponseError for HttpError {
    fn status_code(&self) -> StatusCode {
        self.0.status
    }

    fn error_response(&self) -> HttpResponse {
        let problem = Problem {
            kind: format!("urn:tidegate:problem:{}", self.0.code),
            title: self.0.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: self.0.status.as_u16(),
            detail: self.0.detail.clone(),
            gate: self.0.gate,
            clause: self
                .0
                .clause
                .map(str::to_owned)
                .or_else(|| self.0.errors.first().map(|error| error.field.clone()).filter(|field| !field.is_empty())),
            errors: self.0.errors.clone(),
            request_id: self.0.request_id.clone(),
        };
        let mut response = HttpResponse::build(self.0.status);
        response.insert_header((CACHE_CONTROL, "no-store"));
        if let Some(seconds) = self.0.retry_after {
            response.insert_header((RETRY_AFTER, seconds.to_string()));
        }
        if let Some(challenge) = &self.0.challenge
            && let Ok(value) = HeaderValue::from_str(challenge)
        {
            response.insert_header((WWW_AUTHENTICATE, value));
        }
        if let Some(allow) = &self.0.allow {
            response.insert_header((ALLOW, allow.clone()));
        }
        match serde_json::to_vec(&problem) {
            Ok(body) => response.content_type("application/problem+json").body(body),
            Err(_) => response.finish(),
        }
    }
}
