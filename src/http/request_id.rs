//! Every request bears an id: in its log line, its answer's header, its errors and its history entry.

use std::time::Instant as Stopwatch;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest};

/// The header that answers bear.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");

#[derive(Clone)]
struct RequestId(String);

/// The id of a request.
pub fn of(request: &HttpRequest) -> String {
    request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default()
}

/// Gives the request its id and logs it when it is answered: method, route pattern and status, never a value.
pub async fn give(request: ServiceRequest, next: Next<impl MessageBody>) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let id = crate::app::request_id();
    request.extensions_mut().insert(RequestId(id.clone()));
    let begun = Stopwatch::now();
    let method = request.method().clone();
    let mut response = next.call(request).await?;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HEADER, value);
    }
    let route = response.request().match_pattern().unwrap_or_else(|| "(none)".to_owned());
    let (status, micros) = (response.status().as_u16(), begun.elapsed().as_micros());
    tracing::info!(request_id = %id, %method, route, status, micros, "answered");
    Ok(response)
}
