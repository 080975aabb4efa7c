//! Sources and datasets.

use actix_web::HttpRequest;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::app::catalogue::{self, Cataloguing, DriftReport, Seen, Suggestions};
use crate::domain::Invalid;
use crate::domain::dataset::{Dataset, DiscoveredTable, Field, Source, SourceLocation, SubjectMapping};
use crate::domain::id::SourceId;
use crate::domain::secret::PlainSecret;
use crate::domain::text::{FieldName, Name, Slug};
use crate::http::error::Problem;
use crate::http::guard::{Allowed, ManageCatalogue, Read, SeeSamples};
use crate::http::input::{Json, Query, Streamed, segment};

use super::{Answer, List, Tidegate, created, invalid, shown};

/// A source to be registered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddSource {
    name: Name,
    location: SourceLocation,
    /// A password, token or secret access key, where the source asks for one. It is kept encrypted and never shown again.
    secret: Option<String>,
}

/// Another secret for a source.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetSecret {
    /// A password, token or secret access key. It is kept encrypted and never shown again.
    secret: String,
}

/// Where a dataset's rows come from now on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveDataset {
    /// The version that was read.
    version: i64,
    source: SourceId,
    table: FieldName,
}

/// What is said of a file that is handed in.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UploadQuery {
    /// The source's name as people know it; a file's ending in it must fit the kind.
    name: String,
    /// `csv`, `parquet`, `ndjson` or `sqlite`.
    kind: String,
    /// The separator of a CSV file; a comma when it is not given.
    delimiter: Option<char>,
}

/// A table to be catalogued.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CatalogueDataset {
    /// Unique; vendors ask for it by this name.
    name: Slug,
    source: SourceId,
    table: FieldName,
    fields: Vec<Field>,
    subject: SubjectMapping,
}

/// Fields and subject in place of the ones read.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditDataset {
    /// The version that was read.
    version: i64,
    fields: Vec<Field>,
    subject: SubjectMapping,
}

/// The difference that was seen and is confirmed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmDrift {
    /// The dataset's version that was read.
    version: i64,
    /// The digest of the columns that was read.
    seen: String,
}

/// Every source.
#[utoipa::path(get, path = "/api/v1/sources", tag = "catalogue", security(("staff" = [])), responses((status = 200, body = List<Source>), (status = "4XX", body = Problem)))]
pub async fn list_sources(request: HttpRequest, app: Tidegate, _by: Allowed<Read>) -> Answer {
    shown(&request, catalogue::list_sources(&app).await.map(List::whole))
}

/// Register a source, once it could be read.
#[utoipa::path(post, path = "/api/v1/sources", tag = "catalogue", security(("staff" = [])), request_body = AddSource, responses((status = 201, body = Source), (status = "4XX", body = Problem)))]
pub async fn add_source(request: HttpRequest, app: Tidegate, by: Allowed<ManageCatalogue>, body: Json<AddSource>) -> Answer {
    let AddSource { name, location, secret } = body.0;
    created(&request, catalogue::add_source(&app, by.actor(), name, location, secret.map(PlainSecret::new)).await)
}

/// Put another secret in the place of a source's, once it could be read with it.
#[utoipa::path(put, path = "/api/v1/sources/{id}/secret", tag = "catalogue", security(("staff" = [])), params(("id" = String, Path)), request_body = SetSecret, responses((status = 200, body = Source), (status = "4XX", body = Problem)))]
pub async fn set_secret(request: HttpRequest, app: Tidegate, by: Allowed<ManageCatalogue>, body: Json<SetSecret>) -> Answer {
    let id = segment(&request, "id", "source")?;
    shown(&request, catalogue::set_secret(&app, by.actor(), id, PlainSecret::new(body.0.secret)).await)
}

/// Let a dataset's rows come from another source with the same fields; permits and pseudonyms stay as they are.
#[utoipa::path(put, path = "/api/v1/datasets/{name}/source", tag = "catalogue", security(("staff" = [])), params(("name" = String, Path)), request_body = MoveDataset, responses((status = 200, body = Dataset), (status = "4XX", body = Problem)))]
pub async fn move_dataset(request: HttpRequest, app: Tidegate, by: Allowed<ManageCatalogue>, body: Json<MoveDataset>) -> Answer {
    let name = segment(&request, "name", "dataset")?;
    let MoveDataset { version, source, table } = body.0;
    shown(&request, catalogue::move_dataset(&app, by.actor(), name, version, source, table).await)
}

/// Hand in a file as a source; the body is the file itself. It is kept as it is, since it is read in place: not encrypted.
#[utoipa::path(post, path = "/api/v1/sources/upload", tag = "catalogue", security(("staff" = [])), params(UploadQuery), request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses((status = 201, body = Source), (status = "4XX", body = Problem)))]
pub async fn upload(
    request: HttpRequest,
    app: Tidegate,
    by: Allowed<ManageCatalogue>,
    query: Query<UploadQuery>,
    file: Streamed,
) -> Answer {
    let UploadQuery { name, kind, delimiter } = query.0;
    let name = name.parse().map_err(|error: Invalid| invalid(&request, error.within("name")))?;
    let kind = catalogue::file_kind(&kind, delimiter).map_err(|error| invalid(&request, error))?;
    created(&request, catalogue::upload_source(&app, by.actor(), name, kind, file.pieces()).await)
}

/// The tables and columns of a source as it is now.
#[utoipa::path(get, path = "/api/v1/sources/{id}/tables", tag = "catalogue", security(("staff" = [])), params(("id" = String, Path)), responses((status = 200, body = List<DiscoveredTable>), (status = "4XX", body = Problem)))]
pub async fn discover(request: HttpRequest, app: Tidegate, _by: Allowed<ManageCatalogue>) -> Answer {
    let id = segment(&request, "id", "source")?;
    shown(&request, catalogue::discover(&app, id).await.map(List::whole))
}

/// The columns of a table, with up to three values of each and what they suggest of class, category and treatment, with
/// the evidence. Nothing is catalogued by it; that somebody looked is kept in the history.
#[utoipa::path(get, path = "/api/v1/sources/{id}/tables/{table}/suggestions", tag = "catalogue", security(("staff" = [])), params(("id" = String, Path), ("table" = String, Path)), responses((status = 200, body = Suggestions), (status = "4XX", body = Problem)))]
pub async fn suggestions(request: HttpRequest, app: Tidegate, by: Allowed<ManageCatalogue>) -> Answer {
    let id = segment(&request, "id", "source")?;
    let table = segment(&request, "table", "table")?;
    shown(&request, catalogue::suggestions(&app, by.actor(), id, table).await)
}

/// Every dataset.
#[utoipa::path(get, path = "/api/v1/datasets", tag = "catalogue", security(("staff" = [])), responses((status = 200, body = List<Dataset>), (status = "4XX", body = Problem)))]
pub async fn list(request: HttpRequest, app: Tidegate, _by: Allowed<Read>) -> Answer {
    shown(&request, catalogue::list(&app).await.map(List::whole))
}

/// Catalogue a table: its fields classed, its subject mapped.
#[utoipa::path(post, path = "/api/v1/datasets", tag = "catalogue", security(("staff" = [])), request_body = CatalogueDataset, responses((status = 201, body = Dataset), (status = "4XX", body = Problem)))]
pub async fn catalogue(request: HttpRequest, app: Tidegate, by: Allowed<ManageCatalogue>, body: Json<CatalogueDataset>) -> Answer {
    let CatalogueDataset { name, source, table, fields, subject } = body.0;
    created(&request, catalogue::catalogue(&app, by.actor(), Cataloguing { name, source, table, fields, subject }).await)
}

/// One dataset.
#[utoipa::path(get, path = "/api/v1/datasets/{name}", tag = "catalogue", security(("staff" = [])), params(("name" = String, Path)), responses((status = 200, body = Dataset), (status = "4XX", body = Problem)))]
pub async fn find(request: HttpRequest, app: Tidegate, _by: Allowed<Read>) -> Answer {
    let name = segment(&request, "name", "dataset")?;
    shown(&request, catalogue::find(&app, name).await)
}

/// Change a dataset's fields or subject.
#[utoipa::path(put, path = "/api/v1/datasets/{name}", tag = "catalogue", security(("staff" = [])), params(("name" = String, Path)), request_body = EditDataset, responses((status = 200, body = Dataset), (status = "4XX", body = Problem)))]
pub async fn edit(request: HttpRequest, app: Tidegate, by: Allowed<ManageCatalogue>, body: Json<EditDataset>) -> Answer {
    let name = segment(&request, "name", "dataset")?;
    let EditDataset { version, fields, subject } = body.0;
    shown(&request, catalogue::edit(&app, by.actor(), name, version, fields, subject).await)
}

/// How a dataset's source differs from the catalogue, and which permits are refused because of it. It holds no values.
#[utoipa::path(get, path = "/api/v1/datasets/{name}/drift", tag = "catalogue", security(("staff" = [])), params(("name" = String, Path)), responses((status = 200, body = DriftReport), (status = "4XX", body = Problem)))]
pub async fn drift(request: HttpRequest, app: Tidegate, _by: Allowed<SeeSamples>) -> Answer {
    let name = segment(&request, "name", "dataset")?;
    shown(&request, catalogue::drift(&app, name).await.map(DriftReport::from))
}

/// Confirm exactly the difference that was seen: columns that are gone leave the dataset, other types are taken over. A
/// source that changed again is a conflict.
#[utoipa::path(post, path = "/api/v1/datasets/{name}/drift/confirm", tag = "catalogue", security(("staff" = [])), params(("name" = String, Path)), request_body = ConfirmDrift, responses((status = 200, body = Dataset), (status = "4XX", body = Problem)))]
pub async fn confirm(request: HttpRequest, app: Tidegate, by: Allowed<ManageCatalogue>, body: Json<ConfirmDrift>) -> Answer {
    let name = segment(&request, "name", "dataset")?;
    let ConfirmDrift { version, seen } = body.0;
    shown(&request, catalogue::confirm(&app, by.actor(), name, Seen { version, columns: seen }).await)
}
