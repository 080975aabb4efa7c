//! Clients and tokens.

use std::collections::BTreeSet;

use actix_web::HttpRequest;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::app::access::activation;
use crate::app::access::authentication::Change;
use crate::app::access::plain_tokens::IssuingToken;
use crate::app::access::{self, HandOver, Handed, Issuing, Proposed};
use crate::app::lists::Page;
use crate::domain::Invalid;
use crate::domain::address::AddressRange;
use crate::domain::client::{Binding, Client, Token};
use crate::domain::text::{Name, Slug};
use crate::domain::time::Instant;
use crate::http::error::{HttpError, Problem};
use crate::http::guard::{Allowed, ManageAccess, Read, Stop};
use crate::http::input::{Json, Perhaps, Query, segment};

use super::{Answer, Because, List, PageQuery, Tidegate, created, limit, shown};

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
    /// How it proves who it is: by a secret when not given.
    #[serde(default)]
    authentication: AuthenticationBody,
    #[serde(default)]
    dpop: Binding,
    #[serde(default)]
    hand_over: HandOver,
}

/// How a client proves who it is.
#[derive(Default, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum AuthenticationBody {
    /// `client_secret_basic` or `client_secret_post`.
    #[default]
    Secret,
    /// `private_key_jwt` by these public keys.
    Keys {
        /// JWKs.
        #[serde(default)]
        #[schema(value_type = Option<Vec<Object>>)]
        keys: Option<Vec<Value>>,
        /// The same as PEM, one or more blocks.
        #[serde(default)]
        pem: Option<String>,
    },
    /// `private_key_jwt` by the public keys that are published there.
    KeysAt { uri: String },
}

impl AuthenticationBody {
    fn proposed(self) -> Result<Proposed, Invalid> {
        match self {
            Self::Secret => Ok(Proposed::Secret),
            Self::Keys { keys: Some(keys), pem: None } => Ok(Proposed::Keys(serde_json::json!({ "keys": keys }).to_string())),
            Self::Keys { keys: None, pem: Some(pem) } => Ok(Proposed::Keys(pem)),
            Self::Keys { .. } => Err(Invalid::new("authentication", "must have either keys or pem")),
            Self::KeysAt { uri } => Ok(Proposed::KeysAt(uri)),
        }
    }
}

/// How a client proves who it is from now on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetAuthentication {
    /// The client's `version` as it was read.
    version: i64,
    authentication: AuthenticationBody,
    dpop: Binding,
    #[serde(default)]
    hand_over: HandOver,
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
    /// How long the old secret is taken beside the new one: 0, as when it is not given, to 2,592,000 (30 days). By a link it
    /// begins when the new one is collected.
    #[serde(default)]
    grace_seconds: i64,
    #[serde(default)]
    hand_over: HandOver,
}

/// A plain token to be issued.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IssueToken {
    /// Keys of permits of the client, at least one.
    #[schema(value_type = Vec<Slug>)]
    permits: BTreeSet<Slug>,
    expires_at: Instant,
    #[serde(default)]
    hand_over: HandOver,
}

/// What was handed over: the secret itself, the link by which the vendor collects it, or nothing.
#[derive(Default, Serialize, ToSchema)]
pub struct HandedOver {
    /// To be opened by the vendor, once.
    #[serde(skip_serializing_if = "Option::is_none")]
    activation_link: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    activation_ends_at: Option<Instant>,
}

/// The secret, and how else it is handed over.
fn handed(app: &Tidegate, handed: Handed) -> (Option<String>, HandedOver) {
    match handed {
        Handed::Shown(secret) => (Some(secret.reveal().to_owned()), HandedOver::default()),
        Handed::Link { link, ends_at } => {
            let link = Some(activation::address(app, &link));
            (None, HandedOver { activation_link: link, activation_ends_at: Some(ends_at) })
        }
        Handed::Nothing => (None, HandedOver::default()),
    }
}

/// A client, with its secret where that is shown: this once.
#[derive(Serialize, ToSchema)]
pub struct IssuedClient {
    #[serde(flatten)]
    client: Client,
    client_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    #[serde(flatten)]
    handed: HandedOver,
}

impl IssuedClient {
    fn of(app: &Tidegate, (client, what): (Client, Handed)) -> Self {
        let (client_secret, handed) = handed(app, what);
        Self { client_id: client.id.to_string(), client, client_secret, handed }
    }
}

/// A plain token, with its secret where that is shown: this once.
#[derive(Serialize, ToSchema)]
pub struct IssuedToken {
    #[serde(flatten)]
    token: Token,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<String>,
    #[serde(flatten)]
    handed: HandedOver,
}

/// The clients of a vendor.
#[utoipa::path(get, path = "/api/v1/vendors/{id}/clients", tag = "access", security(("staff" = [])), params(("id" = String, Path)), responses((status = 200, body = List<Client>), (status = "4XX", body = Problem)))]
pub async fn list(request: HttpRequest, app: Tidegate, _by: Allowed<Read>) -> Answer {
    let vendor = segment(&request, "id", "vendor")?;
    shown(&request, access::list(&app, vendor).await.map(List::whole))
}

/// Issue a client. Its secret goes to the vendor by a link that is used once; with `"hand_over": "answer"` it is in the
/// answer, once.
#[utoipa::path(post, path = "/api/v1/vendors/{id}/clients", tag = "access", security(("staff" = [])), params(("id" = String, Path)), request_body = IssueClient, responses((status = 201, body = IssuedClient), (status = "4XX", body = Problem)))]
pub async fn issue(request: HttpRequest, app: Tidegate, by: Allowed<ManageAccess>, body: Json<IssueClient>) -> Answer {
    let vendor = segment(&request, "id", "vendor")?;
    let IssueClient { name, permits, addresses, authentication, dpop, hand_over } = body.0;
    let authentication = authentication.proposed().map_err(|error| HttpError::staff(&request, error.into()))?;
    let issuing = Issuing { name, permits, addresses, authentication, dpop, hand_over };
    created(&request, access::issue(&app, by.actor(), vendor, issuing).await.map(|issued| IssuedClient::of(&app, issued)))
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
    let Rotation { grace_seconds, hand_over } = body.0.unwrap_or_default();
    let rotated = access::rotate(&app, by.actor(), id, grace_seconds, hand_over).await;
    shown(&request, rotated.map(|rotated| IssuedClient::of(&app, rotated)))
}

/// Say how a client proves who it is, and whether its tokens must be bound to a key. One that gets keys loses its secret at
/// once.
#[utoipa::path(put, path = "/api/v1/clients/{id}/authentication", tag = "access", security(("staff" = [])), params(("id" = String, Path)), request_body = SetAuthentication, responses((status = 200, body = IssuedClient), (status = "4XX", body = Problem)))]
pub async fn set_authentication(request: HttpRequest, app: Tidegate, by: Allowed<ManageAccess>, body: Json<SetAuthentication>) -> Answer {
    let id = segment(&request, "id", "client")?;
    let SetAuthentication { version, authentication, dpop, hand_over } = body.0;
    let authentication = authentication.proposed().map_err(|error| HttpError::staff(&request, error.into()))?;
    let change = Change { read: version, authentication, dpop, hand_over };
    let set = access::authentication::set(&app, by.actor(), id, change).await;
    shown(&request, set.map(|set| IssuedClient::of(&app, set)))
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

/// The tokens of a client that have not expired, newest first.
#[utoipa::path(get, path = "/api/v1/clients/{id}/tokens", tag = "access", security(("staff" = [])), params(("id" = String, Path), PageQuery), responses((status = 200, body = List<Token>), (status = "4XX", body = Problem)))]
pub async fn tokens(request: HttpRequest, app: Tidegate, _by: Allowed<Read>, query: Query<PageQuery>) -> Answer {
    let id = segment(&request, "id", "client")?;
    let limit = limit(&request, query.0.limit)?;
    let page = Page { after: query.0.cursor, limit: limit.saturating_add(1) };
    let found = access::list_tokens(&app, id, page).await;
    shown(&request, found.map(|items| List::cut(items, limit, |token| token.id.to_string())))
}

/// Revoke one token.
#[utoipa::path(post, path = "/api/v1/tokens/{id}/revoke", tag = "access", security(("staff" = [])), params(("id" = String, Path)), request_body = Because, responses((status = 200, body = Token), (status = "4XX", body = Problem)))]
pub async fn revoke_token(request: HttpRequest, app: Tidegate, by: Allowed<Stop>, body: Json<Because>) -> Answer {
    let id = segment(&request, "id", "token")?;
    shown(&request, access::revoke_token(&app, by.actor(), id, Some(body.0.reason)).await)
}

/// Issue a plain token for a vendor without OAuth. It goes to the vendor by a link that is used once; with
/// `"hand_over": "answer"` it is in the answer, once.
#[utoipa::path(post, path = "/api/v1/clients/{id}/tokens", tag = "access", security(("staff" = [])), params(("id" = String, Path)), request_body = IssueToken, responses((status = 201, body = IssuedToken), (status = "4XX", body = Problem)))]
pub async fn issue_token(request: HttpRequest, app: Tidegate, by: Allowed<ManageAccess>, body: Json<IssueToken>) -> Answer {
    let id = segment(&request, "id", "client")?;
    let IssueToken { permits, expires_at, hand_over } = body.0;
    let issued = access::plain_tokens::issue(&app, by.actor(), id, IssuingToken { permits, expires_at, hand_over }).await;
    created(
        &request,
        issued.map(|(token, what)| {
            let (access_token, handed) = handed(&app, what);
            IssuedToken { token, access_token, handed }
        }),
    )
}
