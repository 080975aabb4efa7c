//! The schema of a dataset as a permit releases it: JSON Schema of a record, or Arrow's.

use actix_web::http::header::{CACHE_CONTROL, VARY};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Map, Value, json};

use crate::app::release::{self, OfferedField, ReleasedSchema};
use crate::domain::Invalid;
use crate::domain::dataset::LogicalType;
use crate::http::api::{Answer, Tidegate};
use crate::http::error::{HttpError, Problem};
use crate::http::guard::VendorBearer;

use super::accept::{ARROW, SchemaForm, schema_form};
use super::{asked, query};

/// What a record of a dataset holds: JSON Schema 2020-12, or by `Accept` an Arrow IPC stream without rows.
#[utoipa::path(
    get,
    path = "/data/v1/datasets/{dataset}/schema",
    tag = "data",
    security(("vendor" = [])),
    params(
        ("dataset" = String, Path),
        ("select" = Option<String>, Query, description = "Released fields, separated by commas."),
        ("permit" = Option<String>, Query, description = "Chooses where several permits of the token cover the dataset."),
        ("purpose" = Option<String>, Query, description = "Must be the permit's purpose when given."),
    ),
    responses(
        (status = 200, description = "Released fields with their released types.", content((Object = "application/schema+json"), (String = "application/vnd.apache.arrow.stream"))),
        (status = "4XX", description = "Refused or not understood.", body = Problem),
        (status = 503, description = "Not now.", body = Problem),
    )
)]
pub async fn schema(request: HttpRequest, app: Tidegate, bearer: VendorBearer) -> Answer {
    let wrong = |error| HttpError::data(&request, error);
    let form = schema_form(&request)?;
    let query = query::parse(request.query_string()).map_err(|error| wrong(error.into()))?;
    let of_rows = !query.asked.filter.is_empty() || !query.asked.order.is_empty() || query.limit.is_some() || query.cursor.is_some();
    let asked = asked(&request, bearer, query);
    let schema = release::schema(&app, &asked).await.map_err(wrong)?;
    // Only after the permit has looked at the names: so that one it withholds answers as one that is not there.
    if of_rows {
        return Err(wrong(Invalid::new("query", "may hold select, permit and purpose: a schema has no rows").into()));
    }
    let mut response = HttpResponse::Ok();
    response.insert_header((CACHE_CONTROL, "no-store")).insert_header((VARY, "Accept"));
    Ok(match form {
        SchemaForm::Arrow => response.content_type(ARROW).body(schema.arrow),
        SchemaForm::Json => response.content_type("application/schema+json").body(json_schema(&schema).to_string()),
    })
}

fn json_schema(schema: &ReleasedSchema) -> Value {
    let properties: Map<String, Value> = schema.fields.iter().map(|field| (field.name.to_string(), property(field))).collect();
    let required: Vec<&str> = schema.fields.iter().map(|field| field.name.as_str()).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": schema.dataset.as_str(),
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// A field as JSON pages and NDJSON bear it. Any may be NULL: a value that its treatment can't compute is withheld.
fn property(field: &OfferedField) -> Value {
    let mut said = match field.logical {
        LogicalType::Text | LogicalType::Other => json!({"type": ["string", "null"]}),
        LogicalType::Boolean => json!({"type": ["boolean", "null"]}),
        LogicalType::Number => json!({"type": ["number", "null"]}),
        // Beyond 2^53 a whole number is a string, since a double would bend it.
        LogicalType::Integer => json!({"type": ["integer", "string", "null"], "pattern": "^-?[0-9]+$"}),
        LogicalType::Decimal => json!({"type": ["string", "null"], "pattern": "^-?[0-9]+(\\.[0-9]+)?$"}),
        LogicalType::Date => json!({"type": ["string", "null"], "format": "date"}),
        LogicalType::Timestamp => json!({"type": ["string", "null"], "format": "date-time"}),
    };
    if let Some(members) = said.as_object_mut() {
        members.insert("description".to_owned(), json!(field.words));
        members.extend(field.description.as_ref().map(|text| ("title".to_owned(), json!(text))));
    }
    said
}
