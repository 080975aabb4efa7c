//! The data API: what a vendor's machine may pull.

mod accept;
mod query;
pub mod schema;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, HeaderName, VARY};
use actix_web::{HttpRequest, HttpResponse};
use futures::StreamExt;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::app::release::{self, OfferedDataset, Request};
use crate::engine::encode::{Coding, Format, Wire};

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

/// Rows of a dataset: a JSON page, or all of them as NDJSON, CSV, Parquet or an Arrow IPC stream by `Accept`. Any released
/// field can be filtered as `field=eq.value` with `eq neq gt gte lt lte in is`. Text is coded by `Accept-Encoding`.
#[utoipa::path(
    get,
    path = "/data/v1/datasets/{dataset}/records",
    tag = "data",
    security(("vendor" = [])),
    params(
        ("dataset" = String, Path),
        ("select" = Option<String>, Query, description = "Released fields, separated by commas."),
        ("order" = Option<String>, Query, description = "Released fields, separated by commas, each with `.asc` or `.desc`, then `.nullsfirst` or `.nullslast`. What is equal stays in the order of the source."),
        ("limit" = Option<u64>, Query, description = "Rows of a JSON page: 1 to 10,000, 1,000 when not given."),
        ("cursor" = Option<String>, Query, description = "The `next` of the page before."),
        ("permit" = Option<String>, Query, description = "Chooses where several permits of the token cover the dataset."),
        ("purpose" = Option<String>, Query, description = "Must be the permit's purpose when given."),
        ("csv_safe" = Option<u8>, Query, description = "`1` puts an apostrophe before texts of CSV that a spreadsheet would take for a formula."),
    ),
    responses(
        (status = 200, description = "Released rows.", content((RecordsPage = "application/json"), (String = "application/x-ndjson"), (String = "text/csv"), (String = "application/vnd.apache.parquet"), (String = "application/vnd.apache.arrow.stream")), headers(("Tidegate-Release" = String, description = "The release's id."))),
        (status = "4XX", description = "Refused or not understood.", body = Problem),
        (status = 503, description = "Not now.", body = Problem),
    )
)]
pub async fn records(request: HttpRequest, app: Tidegate, bearer: VendorBearer) -> Answer {
    let wrong = |error| HttpError::data(&request, error);
    let format = accept::format(&request)?;
    let coding = accept::coding(&request, format)?;
    let query = query::parse(request.query_string()).map_err(|error| wrong(error.into()))?;
    let (limit, cursor) = (query.limit, query.cursor.clone());
    let wire = Wire { format, coding, safe_cells: query.csv_safe };
    let asked = asked(&request, bearer, query);
    if format == Format::Json {
        let page = release::page(&app, &asked, wire, limit, cursor.as_deref()).await.map_err(wrong)?;
        return Ok(answer(wire, &asked.dataset, &page.release.to_string()).body(page.body));
    }
    if limit.is_some() || cursor.is_some() {
        let error = crate::domain::Invalid::new("limit", "and cursor belong to JSON pages; a stream holds every row");
        return Err(wrong(error.into()));
    }
    let streaming = release::stream(&app, &asked, wire).await.map_err(wrong)?;
    let mut head = answer(wire, &asked.dataset, &streaming.release.to_string());
    // After a break nothing more is asked for: the connection ends without its terminating chunk.
    let chunks = futures::stream::unfold(Some(streaming), |streaming| async move {
        let mut streaming = streaming?;
        let chunk = streaming.next().await?;
        let rest = chunk.is_ok().then_some(streaming);
        Some((chunk, rest))
    });
    Ok(head.streaming(chunks.boxed_local()))
}

/// A pull as the use cases take it.
fn asked(request: &HttpRequest, bearer: VendorBearer, query: query::RecordsQuery) -> Request {
    Request {
        bearer: bearer.0,
        dataset: request.match_info().query("dataset").to_owned(),
        permit: query.permit,
        asked: query.asked,
        request_id: request_id::of(request),
    }
}

/// The head of an answer that is on record: its dataset's name is then known to be one.
fn answer(wire: Wire, dataset: &str, release: &str) -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    let (kind, ending) = match wire.format {
        Format::Json => ("application/json", None),
        Format::Ndjson => ("application/x-ndjson; charset=utf-8", None),
        Format::Csv => ("text/csv; charset=utf-8; header=present", Some("csv")),
        Format::Arrow => (accept::ARROW, Some("arrows")),
        Format::Parquet => ("application/vnd.apache.parquet", Some("parquet")),
    };
    response.insert_header((CACHE_CONTROL, "no-store")).insert_header((RELEASE, release)).content_type(kind);
    response.insert_header((VARY, "Accept, Accept-Encoding"));
    if let Some(ending) = ending {
        response.insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{dataset}.{ending}\"")));
    }
    match wire.coding {
        Coding::Identity => {}
        Coding::Gzip => drop(response.insert_header((CONTENT_ENCODING, "gzip"))),
        Coding::Zstd => drop(response.insert_header((CONTENT_ENCODING, "zstd"))),
    }
    response
}
