//! The staff API: one file per noun, one handler per act.

pub mod access;
pub mod agreements;
pub mod assessments;
pub mod catalogue;
pub mod consents;
pub mod evidence;
pub mod hierarchies;
pub mod history;
pub mod keys;
pub mod people;
pub mod permits;
pub mod preview;
pub mod vendors;
pub mod vocabulary;

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::{App, AppError};
use crate::domain::Invalid;
use crate::domain::text::Reason;

use super::error::HttpError;

/// What handlers answer.
pub type Answer = Result<HttpResponse, HttpError>;

/// The application as handlers get it.
pub type Tidegate = web::Data<Arc<App>>;

/// Why an act is done; kept beside the history, never in it.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Because {
    pub reason: Reason,
}

/// A list with the cursor of its next part.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct List<T> {
    pub items: Vec<T>,
    pub next: Option<String>,
}

impl<T> List<T> {
    /// A list that is whole.
    pub const fn whole(items: Vec<T>) -> Self {
        Self { items, next: None }
    }

    /// Cuts a list that was read one longer than asked for; `key` names the last item shown.
    pub fn cut(mut items: Vec<T>, limit: usize, key: impl Fn(&T) -> String) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(key) } else { None };
        Self { items, next }
    }
}

/// Where a list begins.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    pub limit: Option<usize>,
    /// The `next` of the list before.
    pub cursor: Option<String>,
}

/// How many items a list shows when nobody says.
const DEFAULT_LIMIT: usize = 50;
/// The most items a list shows.
const MOST_LIMIT: usize = 500;

/// Checks a list's `limit`.
pub fn limit(request: &HttpRequest, asked: Option<usize>) -> Result<usize, HttpError> {
    match asked.unwrap_or(DEFAULT_LIMIT) {
        limit @ 1..=MOST_LIMIT => Ok(limit),
        _ => {
            let detail = format!("limit must be 1 to {MOST_LIMIT}.");
            Err(HttpError::wire(request, StatusCode::BAD_REQUEST, "query", detail))
        }
    }
}

/// A value of the query that must be one of known words.
pub fn known<T>(request: &HttpRequest, name: &str, asked: Option<&str>, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>, HttpError> {
    match asked {
        None => Ok(None),
        Some(word) => match read(word) {
            Some(value) => Ok(Some(value)),
            None => Err(HttpError::wire(request, StatusCode::BAD_REQUEST, "query", format!("{name} is none of the known words."))),
        },
    }
}

/// A value of the query that must be one of these words; the answer to another one names them.
pub fn word(request: &HttpRequest, name: &str, asked: Option<String>, words: &[&str]) -> Result<Option<String>, HttpError> {
    match asked {
        Some(word) if !words.contains(&word.as_str()) => {
            let detail = format!("{name} must be one of: {}.", words.join(", "));
            Err(HttpError::wire(request, StatusCode::BAD_REQUEST, "query", detail))
        }
        known => Ok(known),
    }
}

/// 200 with a JSON body, or the error's problem document.
pub fn shown<T: Serialize>(request: &HttpRequest, result: Result<T, AppError>) -> Answer {
    json(request, StatusCode::OK, result)
}

/// 201 with a JSON body, or the error's problem document.
pub fn created<T: Serialize>(request: &HttpRequest, result: Result<T, AppError>) -> Answer {
    json(request, StatusCode::CREATED, result)
}

fn json<T: Serialize>(request: &HttpRequest, status: StatusCode, result: Result<T, AppError>) -> Answer {
    let value = result.map_err(|error| HttpError::staff(request, error))?;
    let body = serde_json::to_vec(&value).map_err(|error| HttpError::staff(request, AppError::Internal(error.to_string())))?;
    Ok(HttpResponse::build(status).insert_header(("Cache-Control", "no-store")).content_type("application/json").body(body))
}

/// A body member that must be read further than its type says.
pub fn invalid(request: &HttpRequest, error: Invalid) -> HttpError {
    HttpError::staff(request, error.into())
}
