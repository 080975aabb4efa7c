//! Errors as pages: what happened, what to do next, the request's id; the same statuses as the API, nothing revealed.

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use askama::Template;

use crate::app::AppError;
use crate::domain::Invalid;
use crate::domain::gate::Gate;
use crate::domain::person::Role;
use crate::http::error::{UNAVAILABLE_SECONDS, gate_status};
use crate::policy::Denied;

use super::answer::{Way, send};
use super::page::Frame;
use super::words;

/// What is wrong with a request itself, before any use case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wire {
    /// The request can't be read.
    Unreadable,
    /// The form does not come from a page of this house, or from one of an earlier sign-in.
    Forged,
    NotFound,
    /// The methods that the path takes.
    Method {
        allow: String,
    },
    TooLarge,
    MediaType,
    /// Seconds to wait.
    TooMany {
        seconds: u32,
    },
    /// Nobody is signed in, or not any more.
    SignedOut,
    /// The role does not include it.
    Role,
    /// A form that showed something once was sent again.
    ShownOnce,
    /// A form is being done that was sent again meanwhile.
    BeingDone,
}

/// An error on its way out, as a page or, for htmx, a part of one.
#[derive(Debug)]
pub struct WebError(Box<Shown>);

#[derive(Debug, Template)]
#[template(path = "error.html", blocks = ["part"])]
struct Shown {
    frame: Frame,
    way: Way,
    status: StatusCode,
    said: String,
    next: String,
    errors: Vec<Invalid>,
    retry_after: Option<u32>,
    allow: Option<String>,
}

impl WebError {
    /// What a use case said.
    pub fn app(request: &HttpRequest, frame: Frame, error: AppError) -> Self {
        let status = status_of(&error);
        let mut shown = Shown::new(request, Some(frame), status, title_of(&error), error.to_string(), next_of(&error));
        match error {
            AppError::Denied(Denied::Invalid(invalid)) | AppError::Invalid(invalid) => shown.errors = vec![invalid],
            AppError::Denied(Denied::Missing(missing)) => shown.errors = missing,
            AppError::Refused(refusal) => shown.retry_after = refusal.retry_after,
            AppError::Unavailable(_) => shown.retry_after = Some(UNAVAILABLE_SECONDS),
            AppError::Internal(cause) => tracing::error!(request_id = %shown.frame.request_id, cause, "internal error"),
            AppError::Unauthenticated => "You are not signed in.".clone_into(&mut shown.said),
            AppError::NotFound(_) | AppError::Taken(_) | AppError::Stale | AppError::Denied(Denied::State(_) | Denied::Person(_)) => {}
            AppError::UsedProof => {}
        }
        // The sentence of a single complaint is shown with its field, and once.
        if shown.status == StatusCode::UNPROCESSABLE_ENTITY {
            "What was sent can't be taken as it is.".clone_into(&mut shown.said);
        }
        Self(Box::new(shown))
    }

    /// What is wrong with the request; `frame` where it is known who asks.
    pub fn wire(request: &HttpRequest, frame: Option<Frame>, wire: Wire) -> Self {
        let (status, title, said, next) = words_of(&wire, frame.as_ref().and_then(|frame| frame.viewer.as_ref()).map(|viewer| viewer.role));
        let mut shown = Shown::new(request, frame, status, title, said, next.to_owned());
        match wire {
            Wire::Method { allow } => shown.allow = Some(allow),
            Wire::TooMany { seconds } => shown.retry_after = Some(seconds),
            Wire::Unreadable | Wire::Forged | Wire::NotFound | Wire::TooLarge | Wire::MediaType | Wire::SignedOut | Wire::Role => {}
            Wire::ShownOnce | Wire::BeingDone => {}
        }
        Self(Box::new(shown))
    }
}

/// The status table of pages, which is that of the API. No wildcard arm: a new error must find its place here.
fn status_of(error: &AppError) -> StatusCode {
    match error {
        AppError::NotFound(_) => StatusCode::NOT_FOUND,
        AppError::Taken(_) | AppError::Stale | AppError::Denied(Denied::State(_)) => StatusCode::CONFLICT,
        AppError::Denied(Denied::Person(_)) => StatusCode::FORBIDDEN,
        AppError::Denied(Denied::Invalid(_) | Denied::Missing(_)) | AppError::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        AppError::Refused(refusal) => gate_status(refusal.gate),
        AppError::UsedProof => gate_status(Gate::Token),
        AppError::Unauthenticated => StatusCode::UNAUTHORIZED,
        AppError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        AppError::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn title_of(error: &AppError) -> &'static str {
    match error {
        AppError::NotFound(_) => "Not found",
        AppError::Taken(_) => "Taken already",
        AppError::Stale => "Changed by someone else",
        AppError::Denied(Denied::State(_)) => "Not possible now",
        AppError::Denied(Denied::Person(_)) => "Another person must do this",
        AppError::Denied(Denied::Invalid(_)) | AppError::Invalid(_) => "Something needs to be put right",
        AppError::Denied(Denied::Missing(_)) => "Something is missing",
        AppError::Refused(_) | AppError::UsedProof => "Refused",
        AppError::Unauthenticated => "You are signed out",
        AppError::Unavailable(_) => "Not available just now",
        AppError::Internal(_) => "Something went wrong",
    }
}

fn next_of(error: &AppError) -> String {
    let next = match error {
        AppError::NotFound(_) => "It may have been removed, or the link is old. Look for it in its list.",
        AppError::Taken(_) => "Go back and choose another.",
        AppError::Stale => "Go back, read the page again, and repeat your change if it is still wanted.",
        AppError::Denied(Denied::State(_)) => "Go back and read the page again: it shows what can be done next.",
        AppError::Denied(Denied::Person(_)) => "Ask a colleague whose role includes it and who did not write it.",
        AppError::Denied(Denied::Invalid(_) | Denied::Missing(_)) | AppError::Invalid(_) => "Go back and put these right.",
        AppError::Refused(_) | AppError::UsedProof => "The gate panel of the vendor or permit shows what is closed and what reopens it.",
        AppError::Unauthenticated => "Sign in to go on.",
        AppError::Unavailable(_) => "Wait a moment and try again.",
        AppError::Internal(_) => "Nothing was changed. Try again; if it stays, tell an administrator the request id below.",
    };
    next.to_owned()
}

fn words_of(wire: &Wire, role: Option<Role>) -> (StatusCode, &'static str, String, &'static str) {
    let (status, title, said, next) = match wire {
        Wire::Unreadable => {
            (StatusCode::BAD_REQUEST, "This request can't be read", "What was sent is not what the page sends.", "Go back and try again.")
        }
        Wire::Forged => (
            StatusCode::FORBIDDEN,
            "This form is out of date",
            "It was opened before you last signed in, or it does not come from here. Nothing was changed.",
            "Go back, read the page again, and repeat your change.",
        ),
        Wire::NotFound => {
            (StatusCode::NOT_FOUND, "Page not found", "There is nothing at this address.", "Check the address, or begin at the dashboard.")
        }
        Wire::Method { .. } => (
            StatusCode::METHOD_NOT_ALLOWED,
            "Not done this way",
            "This address does not take this kind of request.",
            "Go back and use the buttons of the page.",
        ),
        Wire::TooLarge => (
            StatusCode::PAYLOAD_TOO_LARGE,
            "Too large",
            "What was sent is larger than is taken here. Nothing was kept.",
            "Go back and choose a smaller file, or split it.",
        ),
        Wire::MediaType => (
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Not a form",
            "What was sent is of a kind that is not taken here.",
            "Go back and use the form of the page.",
        ),
        Wire::TooMany { .. } => (
            StatusCode::TOO_MANY_REQUESTS,
            "Too many attempts",
            "There were too many attempts in a short time.",
            "Wait a little, then try again.",
        ),
        Wire::SignedOut => (
            StatusCode::UNAUTHORIZED,
            "You are signed out",
            "You signed out, or were away too long. Nothing was changed.",
            "Sign in to go on where you were.",
        ),
        Wire::ShownOnce => (
            StatusCode::CONFLICT,
            "This was done already",
            "The form was sent before, and did its act. What it showed is shown once and can't be shown again.",
            "Go back to the list: a lost secret is replaced by a new one.",
        ),
        Wire::BeingDone => (
            StatusCode::CONFLICT,
            "This is being done",
            "The form was sent twice; the first time counts, and is not finished yet.",
            "Wait a moment, then look at the page it leads to.",
        ),
        Wire::Role => return (StatusCode::FORBIDDEN, "Not part of your role", of_role(role), "An administrator can tell who may."),
    };
    (status, title, said.to_owned(), next)
}

/// What a role is for, said to who holds it.
fn of_role(role: Option<Role>) -> String {
    match role {
        Some(role) => format!("Your role, {}, {}.", words::role(&role), words::duty(&role)),
        None => "This needs a role that you do not hold.".to_owned(),
    }
}

impl Shown {
    fn new(request: &HttpRequest, frame: Option<Frame>, status: StatusCode, title: &str, said: String, next: String) -> Self {
        let frame = frame.map_or_else(|| Frame::outside(request, title), |frame| Frame { title: title.to_owned(), notice: None, ..frame });
        Self { frame, way: Way::of(request), status, said, next, errors: Vec::new(), retry_after: None, allow: None }
    }

    /// Where to go from here: to sign in and back, or to the beginning.
    fn is_signed_out(&self) -> bool {
        self.status == StatusCode::UNAUTHORIZED
    }

    fn sign_in(&self) -> String {
        let next = serde_urlencoded::to_string([("next", &self.frame.path)]).unwrap_or_default();
        format!("/sign-in?{next}")
    }

    fn icon(&self) -> &'static str {
        match self.status.as_u16() {
            401 | 403 => "lock",
            404 => "search",
            409 => "users",
            429 | 503 => "clock",
            _ => "alert-triangle",
        }
    }
}

impl std::fmt::Display for WebError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0.said)
    }
}

impl ResponseError for WebError {
    fn status_code(&self) -> StatusCode {
        self.0.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.0.status);
        if let Some(seconds) = self.0.retry_after {
            response.insert_header((RETRY_AFTER, seconds.to_string()));
        }
        if let Some(allow) = &self.0.allow {
            response.insert_header((ALLOW, allow.clone()));
        }
        if self.0.way.part { send(self.0.way, response, &self.0.as_part()) } else { send(self.0.way, response, &*self.0) }
    }
}
