//! Sample rows before and after treatment, and the matrix that a permit is written in.

use std::collections::BTreeMap;

use actix_web::HttpRequest;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::preview::{self, FieldPreviews, Matrix, PreviewAsk, SideBySide};
use crate::domain::condition::Condition;
use crate::domain::text::{FieldName, Slug};
use crate::domain::treatment::Treatment;
use crate::http::error::Problem;
use crate::http::guard::{Allowed, Read, SeeSamples};
use crate::http::input::{Json, segment};

use super::{Answer, Tidegate, shown};

/// Treatments to be tried.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TryTreatments {
    /// One field, or the whole draft of a permit.
    #[serde(default)]
    #[schema(value_type = std::collections::HashMap<String, Treatment>)]
    fields: BTreeMap<FieldName, Treatment>,
    /// Rows are taken from those that fit.
    #[serde(default)]
    condition: Condition,
    /// 1 to 20; 5 when it is not given.
    rows: Option<u64>,
}

impl TryTreatments {
    fn on(self, dataset: Slug) -> PreviewAsk {
        PreviewAsk { dataset, fields: self.fields, condition: self.condition, rows: self.rows }
    }
}

/// Try treatments on the first rows of a dataset. Pseudonyms are made with a key that is thrown away.
#[utoipa::path(post, path = "/api/v1/datasets/{name}/preview", tag = "preview", security(("staff" = [])), params(("name" = String, Path)), request_body = TryTreatments, responses((status = 200, body = FieldPreviews), (status = "4XX", body = Problem)))]
pub async fn fields(request: HttpRequest, app: Tidegate, by: Allowed<SeeSamples>, body: Json<TryTreatments>) -> Answer {
    let name = segment(&request, "name", "dataset")?;
    shown(&request, preview::preview(&app, by.actor(), body.0.on(name)).await)
}

/// The first rows whole, as they stand and as a vendor would get them.
#[utoipa::path(post, path = "/api/v1/datasets/{name}/see-as-vendor", tag = "preview", security(("staff" = [])), params(("name" = String, Path)), request_body = TryTreatments, responses((status = 200, body = SideBySide), (status = "4XX", body = Problem)))]
pub async fn see_as_vendor(request: HttpRequest, app: Tidegate, by: Allowed<SeeSamples>, body: Json<TryTreatments>) -> Answer {
    let name = segment(&request, "name", "dataset")?;
    shown(&request, preview::see_as_vendor(&app, by.actor(), body.0.on(name)).await)
}

/// The fields of a dataset under an agreement, with what could be done to each. It holds no values.
#[utoipa::path(get, path = "/api/v1/agreements/{id}/matrix/{dataset}", tag = "preview", security(("staff" = [])), params(("id" = String, Path), ("dataset" = String, Path)), responses((status = 200, body = Matrix), (status = "4XX", body = Problem)))]
pub async fn matrix(request: HttpRequest, app: Tidegate, _by: Allowed<Read>) -> Answer {
    let id = segment(&request, "id", "agreement")?;
    let dataset = segment(&request, "dataset", "dataset")?;
    shown(&request, preview::matrix(&app, id, dataset).await)
}
