//! Signing keys, the kill switch, and what a stop would stop.

use actix_web::HttpRequest;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::kill_switch;
use crate::app::signing_keys::{self, KeyLine};
use crate::app::stops::{self, StopOf, StopPreview};
use crate::domain::kill_switch::KillSwitch;
use crate::domain::text::Reason;
use crate::domain::time::Instant;
use crate::http::error::{HttpError, Problem};
use crate::http::guard::{Allowed, LiftStop, ManageKeys, Read, Stop};
use crate::http::input::{Json, Query, segment};

use super::{Answer, Because, List, Tidegate, created, shown};

/// The keys that sign access tokens, the newest first. Those that are revoked stay in the list.
#[utoipa::path(get, path = "/api/v1/signing-keys", tag = "keys", security(("staff" = [])), responses((status = 200, body = List<KeyLine>), (status = "4XX", body = Problem)))]
pub async fn list(request: HttpRequest, app: Tidegate, _by: Allowed<Read>) -> Answer {
    shown(&request, signing_keys::list(&app).await.map(List::whole))
}

/// Make a new signing key. It is published at once and signs ten minutes later; 409 while another one waits already.
#[utoipa::path(post, path = "/api/v1/signing-keys/rotate", tag = "keys", security(("staff" = [])), responses((status = 201, body = KeyLine), (status = "4XX", body = Problem)))]
pub async fn rotate(request: HttpRequest, app: Tidegate, by: Allowed<ManageKeys>) -> Answer {
    created(&request, signing_keys::rotate(&app, by.actor()).await)
}

/// Revoke a signing key that others may have: no token of it is good from the next request on. Where it signed, another
/// one does at once.
#[utoipa::path(post, path = "/api/v1/signing-keys/{kid}/revoke", tag = "keys", security(("staff" = [])), params(("kid" = String, Path)), request_body = Because, responses((status = 200, body = KeyLine), (status = "4XX", body = Problem)))]
pub async fn revoke(request: HttpRequest, app: Tidegate, by: Allowed<ManageKeys>, body: Json<Because>) -> Answer {
    let kid = segment(&request, "kid", "signing key")?;
    shown(&request, signing_keys::revoke(&app, by.actor(), kid, body.0.reason).await)
}

/// Why everything is stopped, or let go on, and the words that confirm it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Confirmed {
    reason: Reason,
    /// `stop everything` to stop, `let releases go on` to lift.
    confirm: String,
}

/// The kill switch.
#[derive(Serialize, ToSchema)]
pub struct KillSwitchState {
    /// Whether everything is stopped now. The rest is of the last stop, lifted or not.
    stopped: bool,
    stopped_at: Option<Instant>,
    /// The id of the person who stopped everything.
    stopped_by: Option<String>,
    reason: Option<Reason>,
    lifted_at: Option<Instant>,
}

impl KillSwitchState {
    fn of(last: Option<KillSwitch>) -> Self {
        Self {
            stopped: last.as_ref().is_some_and(KillSwitch::lasts),
            stopped_at: last.as_ref().map(|last| last.stopped_at),
            lifted_at: last.as_ref().and_then(|last| last.lifted_at),
            stopped_by: last.as_ref().map(|last| last.stopped_by.clone()),
            reason: last.map(|last| last.reason),
        }
    }
}

/// Whether everything is stopped, since when, by whom and why.
#[utoipa::path(get, path = "/api/v1/kill-switch", tag = "keys", security(("staff" = [])), responses((status = 200, body = KillSwitchState), (status = "4XX", body = Problem)))]
pub async fn kill_switch(request: HttpRequest, app: Tidegate, _by: Allowed<Read>) -> Answer {
    shown(&request, kill_switch::find(&app).await.map(KillSwitchState::of))
}

/// Stop everything: no release and no token, for all vendors, until it is lifted.
#[utoipa::path(post, path = "/api/v1/kill-switch", tag = "keys", security(("staff" = [])), request_body = Confirmed, responses((status = 200, body = KillSwitchState), (status = "4XX", body = Problem)))]
pub async fn stop_everything(request: HttpRequest, app: Tidegate, by: Allowed<Stop>, body: Json<Confirmed>) -> Answer {
    let Confirmed { reason, confirm } = body.0;
    shown(&request, kill_switch::stop(&app, by.actor(), reason, &confirm).await.map(|last| KillSwitchState::of(Some(last))))
}

/// Let releases go on. Tokens from before stay refused: vendors' machines ask for new ones.
#[utoipa::path(post, path = "/api/v1/kill-switch/lift", tag = "keys", security(("staff" = [])), request_body = Confirmed, responses((status = 200, body = KillSwitchState), (status = "4XX", body = Problem)))]
pub async fn lift(request: HttpRequest, app: Tidegate, by: Allowed<LiftStop>, body: Json<Confirmed>) -> Answer {
    let Confirmed { reason, confirm } = body.0;
    shown(&request, kill_switch::lift(&app, by.actor(), reason, &confirm).await.map(|last| KillSwitchState::of(Some(last))))
}

/// What is to be stopped.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PreviewQuery {
    /// `vendor:<id>`, `agreement:<id>`, `permit:<key>`, `client:<id>`, `token:<id>`, `signing-key:<kid>` or `everything`.
    of: String,
}

/// What would stop: clients, their tokens, permits, running streams, and when data last began to leave this way.
#[utoipa::path(get, path = "/api/v1/stop-preview", tag = "keys", security(("staff" = [])), params(PreviewQuery), responses((status = 200, body = StopPreview), (status = "4XX", body = Problem)))]
pub async fn preview(request: HttpRequest, app: Tidegate, _by: Allowed<Read>, query: Query<PreviewQuery>) -> Answer {
    let of: StopOf = query.0.of.parse().map_err(|error| HttpError::data(&request, crate::app::AppError::Invalid(error)))?;
    shown(&request, stops::preview(&app, of).await)
}
