//! Vendors and the acts of their lifecycle.

use actix_web::HttpRequest;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::app::lists::{Page, VendorFilter};
use crate::app::vendors::{self, GateState};
use crate::domain::id::PersonId;
use crate::domain::vendor::{Lifecycle, Tier, Vendor, VendorAct, VendorProfile};
use crate::http::error::Problem;
use crate::http::guard::{Allowed, ManageVendors, Read, Stop};
use crate::http::input::{Json, Query, segment};

use super::{Answer, Because, List, Tidegate, created, known, limit, shown};

/// What a list of vendors is filtered by.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct VendorsQuery {
    /// `intake`, `triage`, `due_diligence`, …
    lifecycle: Option<String>,
    /// `critical`, `important`, `standard` or `low`.
    tier: Option<String>,
    /// Id of the owner.
    owner: Option<String>,
    /// Part of the legal name; case does not matter.
    search: Option<String>,
    /// 1 to 500, 50 when not given.
    limit: Option<usize>,
    /// The `next` of the list before.
    cursor: Option<String>,
}

/// A profile to be stored in place of the one read.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditVendor {
    /// The version that was read.
    version: i64,
    profile: VendorProfile,
}

/// Vendors, newest first.
#[utoipa::path(get, path = "/api/v1/vendors", tag = "vendors", security(("staff" = [])), params(VendorsQuery), responses((status = 200, body = List<Vendor>), (status = "4XX", body = Problem)))]
pub async fn list(request: HttpRequest, app: Tidegate, _by: Allowed<Read>, query: Query<VendorsQuery>) -> Answer {
    let query = query.0;
    let limit = limit(&request, query.limit)?;
    let filter = VendorFilter {
        lifecycle: known(&request, "lifecycle", query.lifecycle.as_deref(), Lifecycle::from_key)?,
        tier: known(&request, "tier", query.tier.as_deref(), Tier::from_key)?,
        owner: known(&request, "owner", query.owner.as_deref(), |id| id.parse::<PersonId>().ok())?,
        search: query.search,
    };
    let page = Page { after: query.cursor, limit: limit.saturating_add(1) };
    let found = vendors::list(&app, filter, page).await;
    shown(&request, found.map(|items| List::cut(items, limit, |vendor| vendor.id.to_string())))
}

/// Register a vendor.
#[utoipa::path(post, path = "/api/v1/vendors", tag = "vendors", security(("staff" = [])), request_body = VendorProfile, responses((status = 201, body = Vendor), (status = "4XX", body = Problem)))]
pub async fn register(request: HttpRequest, app: Tidegate, by: Allowed<ManageVendors>, body: Json<VendorProfile>) -> Answer {
    created(&request, vendors::register(&app, by.actor(), body.0).await)
}

/// One vendor.
#[utoipa::path(get, path = "/api/v1/vendors/{id}", tag = "vendors", security(("staff" = [])), params(("id" = String, Path)), responses((status = 200, body = Vendor), (status = "4XX", body = Problem)))]
pub async fn find(request: HttpRequest, app: Tidegate, _by: Allowed<Read>) -> Answer {
    let id = segment(&request, "id", "vendor")?;
    shown(&request, vendors::find(&app, id).await)
}

/// Change what is stated of a vendor.
#[utoipa::path(put, path = "/api/v1/vendors/{id}", tag = "vendors", security(("staff" = [])), params(("id" = String, Path)), request_body = EditVendor, responses((status = 200, body = Vendor), (status = 409, description = "Changed since it was read.", body = Problem), (status = "4XX", body = Problem)))]
pub async fn edit(request: HttpRequest, app: Tidegate, by: Allowed<ManageVendors>, body: Json<EditVendor>) -> Answer {
    let id = segment(&request, "id", "vendor")?;
    shown(&request, vendors::edit(&app, by.actor(), id, body.0.version, body.0.profile).await)
}

/// The gates that rest on the vendor as a whole.
#[utoipa::path(get, path = "/api/v1/vendors/{id}/gates", tag = "vendors", security(("staff" = [])), params(("id" = String, Path)), responses((status = 200, body = List<GateState>), (status = "4XX", body = Problem)))]
pub async fn gates(request: HttpRequest, app: Tidegate, _by: Allowed<Read>) -> Answer {
    let id = segment(&request, "id", "vendor")?;
    shown(&request, vendors::gates(&app, id).await.map(List::whole))
}

async fn act<P>(request: HttpRequest, app: Tidegate, by: Allowed<P>, body: Json<Because>, act: VendorAct) -> Answer {
    let id = segment(&request, "id", "vendor")?;
    shown(&request, vendors::act(&app, by.actor(), id, act, body.0.reason).await)
}

macro_rules! acts {
    ($($(#[$doc:meta])* $name:ident, $permission:ident, $act:ident, $path:literal;)*) => {$(
        $(#[$doc])*
        #[utoipa::path(post, path = $path, tag = "vendors", security(("staff" = [])), params(("id" = String, Path)), request_body = Because, responses((status = 200, body = Vendor), (status = "4XX", body = Problem)))]
        pub async fn $name(request: HttpRequest, app: Tidegate, by: Allowed<$permission>, body: Json<Because>) -> Answer {
            act(request, app, by, body, VendorAct::$act).await
        }
    )*};
}

acts! {
    /// Take a vendor from intake into triage.
    triage, ManageVendors, Triage, "/api/v1/vendors/{id}/triage";
    /// Begin due diligence.
    begin_due_diligence, ManageVendors, BeginDueDiligence, "/api/v1/vendors/{id}/begin-due-diligence";
    /// Activate an approved vendor.
    activate, ManageVendors, Activate, "/api/v1/vendors/{id}/activate";
    /// Suspend: every release to it is refused from the next request on.
    suspend, Stop, Suspend, "/api/v1/vendors/{id}/suspend";
    /// Reinstate a suspended vendor.
    reinstate, ManageVendors, Reinstate, "/api/v1/vendors/{id}/reinstate";
    /// Begin offboarding.
    offboard, Stop, Offboard, "/api/v1/vendors/{id}/offboard";
    /// Retire for good.
    retire, ManageVendors, Retire, "/api/v1/vendors/{id}/retire";
}
