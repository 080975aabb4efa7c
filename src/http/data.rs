//! The data API: what a vendor's machine may pull.

mod query;

use std::net::{IpAddr, Ipv4Addr};

use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT, CACHE_CONTROL, HeaderName};
use actix_web::{HttpRequest, HttpResponse};
use futures::StreamExt;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::app::release::{self, OfferedDataset, Request};
use crate::engine::encode::Format;

use super::api::{Answer, Tidegate};
use super::error::{HttpError, Problem};
use super::guard::VendorBearer;
use super::request_id;

/// The header that names a release.
pub const RELEASE: HeaderName = HeaderName::from_static("tidegate-release");

/// What a token's permits release.
#[derive(Serialize, ToSchema)]
pub struct Datasets {
    datasets: Vec<OfferedDataset>,
}

/// A page of rows.
#[derive(Serialize, ToSchema)]
pub struct RecordsPage {
    /// One object a row: the released fields, in the order of `select` or of the dataset.
    #[schema(value_type = Vec<Object>)]
    rows: Vec<Value>,
    /// Pass it as `cursor` to read on; `null` at the end.
    next: Option<String>,
    /// The id of this release in the history.
    release: String,
}

/// The datasets that the token's permits release, with their fields as released.
#[utoipa::path(get, path = "/data/v1/datasets", tag = "data", security(("vendor" = [])), responses((status = 200, body = Datasets), (status = "4XX", body = Problem)))]
pub async fn datasets(request: HttpRequest, app: Tidegate, bearer: VendorBearer) -> Answer {
    let datasets = release::datasets(&app, &bearer.0).await.map_err(|error| HttpError::data(&request, error))?;
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(Datasets { datasets }))
}

/// Rows of a dataset: a JSON page, or all of them as NDJSON or CSV by `Accept`. Any released field can be filtered as
/// `field=eq.value` with `eq neq gt gte lt lte in is`.
#[utoipa::path(
    get,
    path = "/data/v1/datasets/{dataset}/records",
    tag = "data",
    security(("vendor" = [])),
    params(
        ("dataset" = String, Path),
        ("select" = Option<String>, Query, description = "Released fields, separated by commas."),
        ("order" = Option<String>, Query, description = "Released fields, separated by commas, each with `.asc` or `.desc`."),
        ("limit" = Option<u64>, Query, description = "Rows of a JSON page: 1 to 10,000, 1,000 when not given."),
        ("cursor" = Option<String>, Query, description = "The `next` of the page before."),
        ("permit" = Option<String>, Query, description = "Chooses where several permits of the token cover the dataset."),
        ("purpose" = Option<String>, Query, description = "Must be the permit's purpose when given."),
    ),
    responses(
        (status = 200, description = "Released rows.", content((RecordsPage = "application/json"), (String = "application/x-ndjson"), (String = "text/csv")), headers(("Tidegate-Release" = String, description = "The release's id."))),
        (status = "4XX", description = "Refused or not understood.", body = Problem),
        (status = 503, description = "Not now.", body = Problem),
    )
)]
pub async fn records(request: HttpRequest, app: Tidegate, bearer: VendorBearer) -> Answer {
    let wrong = |error| HttpError::data(&request, error);
    let format = accepted(&request)?;
    let query = query::parse(request.query_string()).map_err(|error| wrong(error.into()))?;
    let asked = Request {
        bearer: bearer.0,
        dataset: request.match_info().query("dataset").to_owned(),
        permit: query.permit,
        asked: query.asked,
        address: peer(&request),
        request_id: request_id::of(&request),
    };
    if format == Format::Json {
        let page = release::page(&app, &asked, query.limit, query.cursor.as_deref()).await.map_err(wrong)?;
        return Ok(answer(format, &page.release.to_string()).body(page.body));
    }
    if query.limit.is_some() || query.cursor.is_some() {
        let error = crate::domain::Invalid::new("limit", "and cursor belong to JSON pages; a stream holds every row");
        return Err(wrong(error.into()));
    }
    let streaming = release::stream(&app, &asked, format).await.map_err(wrong)?;
    let mut head = answer(format, &streaming.release.to_string());
    // After a break nothing more is asked for: the connection ends without its terminating chunk.
    let chunks = futures::stream::unfold(Some(streaming), |streaming| async move {
        let mut streaming = streaming?;
        let chunk = streaming.next().await?;
        let rest = chunk.is_ok().then_some(streaming);
        Some((chunk, rest))
    });
    Ok(head.streaming(chunks.boxed_local()))
}

fn answer(format: Format, release: &str) -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    let kind = match format {
        Format::Json => "application/json",
        Format::Ndjson => "application/x-ndjson; charset=utf-8",
        Format::Csv => "text/csv; charset=utf-8; header=present",
    };
    response.insert_header((CACHE_CONTROL, "no-store")).insert_header((RELEASE, release)).content_type(kind);
    response
}

/// The connection's own address; forwarded headers are not believed until proxies can be configured.
fn peer(request: &HttpRequest) -> IpAddr {
    request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.ip())
}

/// The format asked for (RFC 9110 §12.5.1): the best of what we have, JSON where anything will do.
fn accepted(request: &HttpRequest) -> Result<Format, HttpError> {
    let raw: Vec<&str> = request.headers().get_all(ACCEPT).filter_map(|value| value.to_str().ok()).collect();
    if raw.is_empty() {
        return Ok(Format::Json);
    }
    let mut best: Option<(f32, Format)> = None;
    for range in raw.iter().flat_map(|value| value.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let format = match parts.next().unwrap_or("").to_ascii_lowercase().as_str() {
            "application/json" | "application/*" | "*/*" => Format::Json,
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Format::Ndjson,
            "text/csv" | "text/*" => Format::Csv,
            _ => continue,
        };
        let quality = parts.find_map(|part| part.strip_prefix("q=")).map_or(1.0, |q| q.parse::<f32>().unwrap_or(0.0));
        if quality > 0.0 && best.is_none_or(|(known, _)| quality > known) {
            best = Some((quality, format));
        }
    }
    best.map(|(_, format)| format).ok_or_else(|| {
        let detail = "Accept one of application/json, application/x-ndjson and text/csv.";
        HttpError::wire(request, StatusCode::NOT_ACCEPTABLE, "not-acceptable", detail)
    })
}
