//! Leading on: after an act the browser is sent to a page that can be read again (post, redirect, get).

use actix_web::error::InternalError;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, LOCATION};
use actix_web::{Error, HttpRequest, HttpResponse};

use super::cookie;

/// Sends the browser to another page of this house, to be read.
pub fn see_other(path: impl AsRef<str>) -> HttpResponse {
    HttpResponse::build(StatusCode::SEE_OTHER).insert_header((LOCATION, path.as_ref())).insert_header((CACHE_CONTROL, "no-store")).finish()
}

/// Sends the browser to another page, which says once what was done.
pub fn see_other_saying(request: &HttpRequest, path: impl AsRef<str>, said: &str) -> HttpResponse {
    let mut response = see_other(path);
    if let Err(error) = response.add_cookie(&cookie::notice(request, said)) {
        tracing::error!(%error, "a word to the next page could not be left");
    }
    response
}

/// An answer in place of what a handler or guard would have gone on to do.
pub fn answered(response: HttpResponse) -> Error {
    InternalError::from_response("answered before the handler", response).into()
}
