//! Hierarchies: the file is the raw body, its name the query; each upload is the next version of the name.

use actix_web::HttpRequest;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::app::hierarchies::{self, HierarchyView};
use crate::app::lists::Page;
use crate::domain::Invalid;
use crate::domain::hierarchy::HierarchyVersion;
use crate::http::error::Problem;
use crate::http::guard::{Allowed, ManageCatalogue, Read};
use crate::http::input::{Query, Upload, segment};

use super::{Answer, List, Tidegate, created, invalid, limit, shown};

/// What the file is called from now on.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UploadHierarchy {
    /// Permits name it by this, with its version.
    name: String,
}

/// A part of the list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct HierarchyQuery {
    /// The `next` of the part before.
    cursor: Option<String>,
    /// 1 to 500; 50 when not given.
    limit: Option<usize>,
}

/// Every version of every hierarchy, by name with the newest version first.
#[utoipa::path(get, path = "/api/v1/hierarchies", tag = "hierarchies", security(("staff" = [])), params(HierarchyQuery), responses((status = 200, body = List<HierarchyVersion>), (status = "4XX", body = Problem)))]
pub async fn list(request: HttpRequest, app: Tidegate, _by: Allowed<Read>, query: Query<HierarchyQuery>) -> Answer {
    let limit = limit(&request, query.0.limit)?;
    let found = hierarchies::list(&app, Page { after: query.0.cursor, limit }).await;
    shown(&request, found.map(|(items, next)| List { items, next }))
}

/// Hand in a CSV file without a header as the next version of a name. In each row stands a raw value, then its text at each
/// level, the finest first, with semicolons or commas between. Each value stands there once, and each text of a level leads
/// to one text of the next.
#[utoipa::path(post, path = "/api/v1/hierarchies", tag = "hierarchies", security(("staff" = [])), params(UploadHierarchy), request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses((status = 201, body = HierarchyVersion), (status = "4XX", body = Problem)))]
pub async fn upload(
    request: HttpRequest,
    app: Tidegate,
    by: Allowed<ManageCatalogue>,
    query: Query<UploadHierarchy>,
    file: Upload,
) -> Answer {
    let name = query.0.name.parse().map_err(|error: Invalid| invalid(&request, error.within("name")))?;
    created(&request, hierarchies::upload(&app, by.actor(), name, file.0).await)
}

/// One version, with the first rows of its file.
#[utoipa::path(get, path = "/api/v1/hierarchies/{name}/{version}", tag = "hierarchies", security(("staff" = [])), params(("name" = String, Path), ("version" = i32, Path)), responses((status = 200, body = HierarchyView), (status = "4XX", body = Problem)))]
pub async fn find(request: HttpRequest, app: Tidegate, _by: Allowed<Read>) -> Answer {
    let (name, version) = (segment(&request, "name", "hierarchy")?, segment(&request, "version", "hierarchy")?);
    shown(&request, hierarchies::find(&app, (name, version)).await)
}
