//! People and their API keys.

use actix_web::HttpRequest;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::people::{self, AddPerson};
use crate::domain::Instant;
use crate::domain::id::PersonId;
use crate::domain::person::{Actor, ApiKey, Person, Role};
use crate::domain::secret::PlainSecret;
use crate::domain::text::{Email, Name};
use crate::http::error::{HttpError, Problem};
use crate::http::guard::{Allowed, ManageOwnKeys, ManagePeople};
use crate::http::input::{Json, segment};

use super::{Answer, List, Tidegate, created, shown};

/// A person to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddPersonBody {
    email: Email,
    name: Name,
    role: Role,
    /// 12 to 256 characters.
    password: String,
}

/// A key to be issued.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IssueKeyBody {
    label: Name,
    #[serde(default)]
    expires_at: Option<Instant>,
}

/// A key with its secret, shown this once.
#[derive(Serialize, ToSchema)]
pub struct IssuedKey {
    #[serde(flatten)]
    key: ApiKey,
    secret: String,
}

/// Everyone.
#[utoipa::path(get, path = "/api/v1/people", tag = "people", security(("staff" = [])), responses((status = 200, body = List<Person>), (status = "4XX", body = Problem)))]
pub async fn list(request: HttpRequest, app: Tidegate, _by: Allowed<ManagePeople>) -> Answer {
    shown(&request, people::list(&app).await.map(List::whole))
}

/// Add a person.
#[utoipa::path(post, path = "/api/v1/people", tag = "people", security(("staff" = [])), request_body = AddPersonBody, responses((status = 201, body = Person), (status = "4XX", body = Problem)))]
pub async fn add(request: HttpRequest, app: Tidegate, by: Allowed<ManagePeople>, body: Json<AddPersonBody>) -> Answer {
    let AddPersonBody { email, name, role, password } = body.0;
    let new = AddPerson { email, name, role, password: PlainSecret::new(password) };
    created(&request, people::add(&app, by.actor(), new).await)
}

/// Disable a person: their keys and password are refused from the next request on.
#[utoipa::path(post, path = "/api/v1/people/{id}/disable", tag = "people", security(("staff" = [])), params(("id" = String, Path)), responses((status = 200, body = Person), (status = "4XX", body = Problem)))]
pub async fn disable(request: HttpRequest, app: Tidegate, by: Allowed<ManagePeople>) -> Answer {
    let id = segment(&request, "id", "person")?;
    shown(&request, people::disable(&app, by.actor(), id).await)
}

/// Let a disabled person in again.
#[utoipa::path(post, path = "/api/v1/people/{id}/enable", tag = "people", security(("staff" = [])), params(("id" = String, Path)), responses((status = 200, body = Person), (status = "4XX", body = Problem)))]
pub async fn enable(request: HttpRequest, app: Tidegate, by: Allowed<ManagePeople>) -> Answer {
    let id = segment(&request, "id", "person")?;
    shown(&request, people::enable(&app, by.actor(), id).await)
}

fn own(request: &HttpRequest, by: &Actor) -> Result<PersonId, HttpError> {
    by.person().cloned().ok_or_else(|| HttpError::staff(request, crate::app::AppError::Unauthenticated))
}

/// Who one is.
#[utoipa::path(get, path = "/api/v1/me", tag = "people", security(("staff" = [])), responses((status = 200, body = Person), (status = "4XX", body = Problem)))]
pub async fn me(request: HttpRequest, app: Tidegate, by: Allowed<ManageOwnKeys>) -> Answer {
    let id = own(&request, by.actor())?;
    shown(&request, people::find(&app, id).await)
}

/// One's own API keys.
#[utoipa::path(get, path = "/api/v1/me/keys", tag = "people", security(("staff" = [])), responses((status = 200, body = List<ApiKey>), (status = "4XX", body = Problem)))]
pub async fn my_keys(request: HttpRequest, app: Tidegate, by: Allowed<ManageOwnKeys>) -> Answer {
    let id = own(&request, by.actor())?;
    shown(&request, people::list_keys(&app, id).await.map(List::whole))
}

/// Issue an API key to oneself; the secret is shown once.
#[utoipa::path(post, path = "/api/v1/me/keys", tag = "people", security(("staff" = [])), request_body = IssueKeyBody, responses((status = 201, body = IssuedKey), (status = "4XX", body = Problem)))]
pub async fn issue_own(request: HttpRequest, app: Tidegate, by: Allowed<ManageOwnKeys>, body: Json<IssueKeyBody>) -> Answer {
    let id = own(&request, by.actor())?;
    issue_to(&request, &app, by.actor(), id, body.0).await
}

/// The API keys of a person.
#[utoipa::path(get, path = "/api/v1/people/{id}/keys", tag = "people", security(("staff" = [])), params(("id" = String, Path)), responses((status = 200, body = List<ApiKey>), (status = "4XX", body = Problem)))]
pub async fn keys(request: HttpRequest, app: Tidegate, _by: Allowed<ManagePeople>) -> Answer {
    let id = segment(&request, "id", "person")?;
    shown(&request, people::list_keys(&app, id).await.map(List::whole))
}

/// Issue an API key to a person; the secret is shown once.
#[utoipa::path(post, path = "/api/v1/people/{id}/keys", tag = "people", security(("staff" = [])), params(("id" = String, Path)), request_body = IssueKeyBody, responses((status = 201, body = IssuedKey), (status = "4XX", body = Problem)))]
pub async fn issue(request: HttpRequest, app: Tidegate, by: Allowed<ManagePeople>, body: Json<IssueKeyBody>) -> Answer {
    let id = segment(&request, "id", "person")?;
    issue_to(&request, &app, by.actor(), id, body.0).await
}

async fn issue_to(request: &HttpRequest, app: &Tidegate, by: &Actor, person: PersonId, body: IssueKeyBody) -> Answer {
    let issued = people::issue_key(app, by, person, body.label, body.expires_at).await;
    created(request, issued.map(|(key, secret)| IssuedKey { key, secret: secret.reveal().to_owned() }))
}

/// Revoke an API key: one's own, or anyone's as an administrator.
#[utoipa::path(post, path = "/api/v1/keys/{id}/revoke", tag = "people", security(("staff" = [])), params(("id" = String, Path)), responses((status = 200, body = ApiKey), (status = "4XX", body = Problem)))]
pub async fn revoke(request: HttpRequest, app: Tidegate, by: Allowed<ManageOwnKeys>) -> Answer {
    let id = segment(&request, "id", "API key")?;
    shown(&request, people::revoke_key(&app, by.actor(), id).await)
}
