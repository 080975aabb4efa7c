//! Clients and tokens.

use std::collections::BTreeSet;

use actix_web::HttpRequest;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::access;
use crate::domain::client::{Client, Token};
use crate::domain::secret::PlainSecret;
use crate::domain::text::{Name, Slug};
use crate::http::error::Problem;
use crate::http::guard::{Allowed, ManageAccess, Read, Stop};
use crate::http::input::{Json, segment};

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
    created(&request, access::issue(&app, by.actor(), vendor, body.0.name, body.0.permits).await.map(IssuedClient::of))
}

/// One client.
#[utoipa::path(get, path = "/api/v1/clients/{id}", tag = "access", security(("staff" = [])), params(("id" = String, Path)), responses((status = 200, body = Client), (status = "4XX", body = Problem)))]
pub async fn find(request: HttpRequest, app: Tidegate, _by: Allowed<Read>) -> Answer {
    let id = segment(&request, "id", "client")?;
    shown(&request, access::find(&app, id).await)
}

/// Give a client a new secret; the old one is refused at once.
#[utoipa::path(post, path = "/api/v1/clients/{id}/rotate", tag = "access", security(("staff" = [])), params(("id" = String, Path)), responses((status = 200, body = IssuedClient), (status = "4XX", body = Problem)))]
pub async fn rotate(request: HttpRequest, app: Tidegate, by: Allowed<ManageAccess>) -> Answer {
    let id = segment(&request, "id", "client")?;
    shown(&request, access::rotate(&app, by.actor(), id).await.map(IssuedClient::of))
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
