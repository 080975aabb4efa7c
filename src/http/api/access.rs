//! Clients and tokens.

use std::collections::BTreeSet;

use actix_web::HttpRequest;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::access::{self, Issuing};
use crate::domain::address::AddressRange;
use crate::domain::client::{Client, Token};
use crate::domain::secret::PlainSecret;
use crate::domain::text::{Name, Slug};
use crate::http::error::Problem;
use crate::http::guard::{Allowed, ManageAccess, Read, Stop};
use crate::http::input::{Json, Perhaps, segment};

use super::{Answer, Because, List, Tidegate, created, shown};

/// A client to be issued.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IssueClient {
    name: Name,
    /// The permits it may ask for; none given means every permit of the vendor.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Slug>>)]
    permits: Option<BTreeSet<Slug>>,
    /// From where it may ask: addresses, or ranges such as `203.0.113.0/24`; none given means from everywhere.
    #[serde(default)]
    addresses: Vec<AddressRange>,
}

/// From where a client may ask.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetAddresses {
    /// The client's `version` as it was read.
    version: i64,
    /// Addresses, or ranges such as `203.0.113.0/24`; none means from everywhere.
    addresses: Vec<AddressRange>,
}

/// How a client's secret is replaced.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// How long the old secret is taken beside the new one: 0, as when it is not given, to 2,592,000 (30 days).
    #[serde(default)]
    grace_seconds: i64,
}

/// A client with its secret, shown this once.
#[derive(Serialize, ToSchema)]
pub struct IssuedClient {
    #[serde(flatten)]
    client: Client,
    client_id: String,
    client_secret: String,
}

impl IssuedClient {
    fn of((client, secret): (Client, PlainSecret)) -> Self {
        Self { client_id: client.id.to_string(), client, client_secret: secret.reveal().to_owned() }
    }
}

/// The clients of a vendor.
#[utoipa::path(get, path = "/api/v1/vendors/{id}/clients", tag = "access", security(("staff" = [])), params(("id" = String, Path)), responses((status = 200, body = List<Client>), (status = "4XX", body = Problem)))]
pub async fn list(request: HttpRequest, app: Tidegate, _by: Allowed<Read>) -> Answer {
    let vendor = segment(&request, "id", "vendor")?;
    shown(&request, access::list(&app, vendor).await.map(List::whole))
}

/// Issue a client; its secret is shown once.
#[utoipa::path(post, path = "/api/v1/vendors/{id}/clients", tag = "access", security(("staff" = [])), params(("id" = String, Path)), request_body = IssueClient, responses((status = 201, body = IssuedClient), (status = "4XX", body = Problem)))]
pub async fn issue(request: HttpRequest, app: Tidegate, by: Allowed<ManageAccess>, body: Json<IssueClient>) -> Answer {
    let vendor = segment(&request, "id", "vendor")?;
    let IssueClient { name, permits, addresses } = body.0;
    created(&request, access::issue(&app, by.actor(), vendor, Issuing { name, permits, addresses }).await.map(IssuedClient::of))
}

/// One client.
#[utoipa::path(get, path = "/api/v1/clients/{id}", tag = "access", security(("staff" = [])), params(("id" = String, Path)), responses((status = 200, body = Client), (status = "4XX", body = Problem)))]
pub async fn find(request: HttpRequest, app: Tidegate, _by: Allowed<Read>) -> Answer {
    let id = segment(&request, "id", "client")?;
    shown(&request, access::find(&app, id).await)
}

/// Give a client a new secret. The old one is refused at once, or after a grace in which both are taken.
#[utoipa::path(post, path = "/api/v1/clients/{id}/rotate", tag = "access", security(("staff" = [])), params(("id" = String, Path)), request_body = Option<Rotation>, responses((status = 200, body = IssuedClient), (status = "4XX", body = Problem)))]
pub async fn rotate(request: HttpRequest, app: Tidegate, by: Allowed<ManageAccess>, body: Perhaps<Rotation>) -> Answer {
    let id = segment(&request, "id", "client")?;
    let grace = body.0.unwrap_or_default().grace_seconds;
    shown(&request, access::rotate(&app, by.actor(), id, grace).await.map(IssuedClient::of))
}

/// Say from where a client may ask. What it pulls from elsewhere is cut.
#[utoipa::path(put, path = "/api/v1/clients/{id}/addresses", tag = "access", security(("staff" = [])), params(("id" = String, Path)), request_body = SetAddresses, responses((status = 200, body = Client), (status = "4XX", body = Problem)))]
pub async fn set_addresses(request: HttpRequest, app: Tidegate, by: Allowed<ManageAccess>, body: Json<SetAddresses>) -> Answer {
    let id = segment(&request, "id", "client")?;
    let SetAddresses { version, addresses } = body.0;
    shown(&request, access::set_addresses(&app, by.actor(), id, version, addresses).await)
}

/// Revoke a client: its tokens are refused from the next request on.
#[utoipa::path(post, path = "/api/v1/clients/{id}/revoke", tag = "access", security(("staff" = [])), params(("id" = String, Path)), request_body = Because, responses((status = 200, body = Client), (status = "4XX", body = Problem)))]
pub async fn revoke(request: HttpRequest, app: Tidegate, by: Allowed<Stop>, body: Json<Because>) -> Answer {
    let id = segment(&request, "id", "client")?;
    shown(&request, access::revoke(&app, by.actor(), id, body.0.reason).await)
}

/// The tokens of a client that have not expired.
#[utoipa::path(get, path = "/api/v1/clients/{id}/tokens", tag = "access", security(("staff" = [])), params(("id" = String, Path)), responses((status = 200, body = List<Token>), (status = "4XX", body = Problem)))]
pub async fn tokens(request: HttpRequest, app: Tidegate, _by: Allowed<Read>) -> Answer {
    let id = segment(&request, "id", "client")?;
    shown(&request, access::list_tokens(&app, id).await.map(List::whole))
}

/// Revoke one token.
#[utoipa::path(post, path = "/api/v1/tokens/{id}/revoke", tag = "access", security(("staff" = [])), params(("id" = String, Path)), request_body = Because, responses((status = 200, body = Token), (status = "4XX", body = Problem)))]
pub async fn revoke_token(request: HttpRequest, app: Tidegate, by: Allowed<Stop>, body: Json<Because>) -> Answer {
    let id = segment(&request, "id", "token")?;
    shown(&request, access::revoke_token(&app, by.actor(), id, Some(body.0.reason)).await)
}
