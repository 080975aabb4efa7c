//! Whether the process lives, and whether it can work.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};

use crate::app::{App, AppError};

use super::error::HttpError;

/// The process answers.
#[utoipa::path(get, path = "/healthz", tag = "operation", responses((status = 200, description = "The process lives.")))]
pub async fn alive() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("alive\n")
}

/// The database answers and the signing key is loaded.
#[utoipa::path(get, path = "/readyz", tag = "operation", responses((status = 200, description = "Ready."), (status = 503, description = "Not ready.", body = super::error::Problem)))]
pub async fn ready(request: HttpRequest, app: web::Data<Arc<App>>) -> Result<HttpResponse, HttpError> {
    app.store.ready().await.map_err(|error| HttpError::staff(&request, AppError::from(error)))?;
    crate::app::signing_keys::published(&app).map_err(|error| HttpError::staff(&request, error))?;
    Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ready\n"))
}
