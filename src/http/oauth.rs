//! OAuth endpoints: errors as RFC 6749 §5.2 with the closed gate beside them, metadata as RFC 8414 and RFC 9728.

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::AppError;
use crate::app::oauth::{self, Credentials, OauthError, TokenRequest};
use crate::app::throttle::Wait;
use crate::domain::client::{Client, Token};
use crate::domain::client_key::KeyAlgorithm;
use crate::domain::gate::Gate;
use crate::domain::secret::PlainSecret;
use crate::domain::signing_key::CACHE_SECONDS;
use crate::domain::text::Slug;

use super::api::Tidegate;
use super::error::UNAVAILABLE_SECONDS;
use super::input::form;
use super::peer;

/// A token, as RFC 6749 §5.1 answers it.
#[derive(Serialize, ToSchema)]
pub struct TokenAnswer {
    access_token: String,
    token_type: &'static str,
    /// Seconds.
    expires_in: i64,
    /// Permit keys, space separated: what was asked and holds now.
    scope: String,
}

/// An error, as RFC 6749 §5.2 answers it, with the gate that closed.
#[derive(Serialize, ToSchema)]
pub struct OauthProblem {
    error: &'static str,
    error_description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    gate: Option<Gate>,
}

/// The form's pairs, or what is wrong with it.
pub struct Form(Result<Vec<(String, String)>, AppError>);

impl FromRequest for Form {
    type Error = actix_web::Error;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self, actix_web::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            // One without a value counts as one that was not sent (RFC 6749 §3.2).
            let sent = form(&request, payload).await;
            Ok(Self(sent.map(|pairs| pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect())))
        })
    }
}

fn problem(status: StatusCode, error: &'static str, description: impl Into<String>, gate: Option<Gate>) -> HttpResponse {
    let mut response = HttpResponse::build(status);
    response.insert_header((CACHE_CONTROL, "no-store")).insert_header((PRAGMA, "no-cache"));
    if status == StatusCode::UNAUTHORIZED {
        response.insert_header((WWW_AUTHENTICATE, "Basic realm=\"tidegate\""));
    }
    response.json(OauthProblem { error, error_description: description.into(), gate })
}

fn bad_request(description: impl Into<String>) -> HttpResponse {
    problem(StatusCode::BAD_REQUEST, "invalid_request", description, None)
}

fn failed(error: OauthError) -> HttpResponse {
    let said = error.to_string();
    match error {
        OauthError::InvalidClient | OauthError::Assertion | OauthError::AssertionUsed | OauthError::Address => {
            problem(StatusCode::UNAUTHORIZED, "invalid_client", said, Some(Gate::Client))
        }
        OauthError::SlowDown(wait) => slow_down(wait),
        OauthError::Proof(_) => problem(StatusCode::BAD_REQUEST, "invalid_dpop_proof", said, None),
        OauthError::TooMuchScope => problem(StatusCode::BAD_REQUEST, "invalid_scope", said, None),
        OauthError::InvalidScope(gate) => problem(StatusCode::BAD_REQUEST, "invalid_scope", said, Some(gate)),
        OauthError::App(AppError::Unavailable(why)) => {
            let response = problem(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", why, None);
            retry_after(response, UNAVAILABLE_SECONDS.into())
        }
        OauthError::App(AppError::Invalid(invalid)) => bad_request(invalid.to_string()),
        OauthError::App(other) => {
            tracing::error!(error = ?other, "an OAuth request failed");
            problem(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "Something went wrong on our side.", None)
        }
    }
}

/// How an assertion says what it is (RFC 7523 §2.2).
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What proves who asks: a secret from Basic (RFC 6749 §2.3.1) or from the form, or what the client signed (RFC 7523); in one
/// way only.
fn credentials(request: &HttpRequest, pairs: &[(String, String)]) -> Result<Credentials, Box<HttpResponse>> {
    let field = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let unknown = || Box::new(failed(OauthError::InvalidClient));
    let (header, id, secret) = (request.headers().get(AUTHORIZATION), field("client_id"), field("client_secret"));
    let ways = usize::from(header.is_some()) + usize::from(secret.is_some()) + usize::from(field("client_assertion").is_some());
    if ways > 1 {
        return Err(Box::new(bad_request("Prove who asks in one way only: Basic, client_secret or client_assertion.")));
    }
    if let Some(assertion) = field("client_assertion") {
        return match field("client_assertion_type").as_deref() {
            Some(JWT_BEARER) => Ok(Credentials::assertion(assertion, id)),
            _ => Err(Box::new(bad_request(format!("client_assertion_type must be {JWT_BEARER}.")))),
        };
    }
    match (header, id, secret) {
        (Some(header), named, _) => {
            let (id, secret) = basic(header.to_str().unwrap_or("")).ok_or_else(unknown)?;
            if named.is_some_and(|named| named != id) { Err(unknown()) } else { Ok(Credentials::secret(id, secret)) }
        }
        (None, Some(id), Some(secret)) => Ok(Credentials::secret(id, PlainSecret::new(secret))),
        (None, ..) => Err(unknown()),
    }
}

/// Both parts are form-encoded before they are joined (RFC 6749 §2.3.1); ours need no escapes, but clients may send them.
fn basic(header: &str) -> Option<(String, PlainSecret)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let plain = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = plain.split_once(':')?;
    Some((unescape(id)?, PlainSecret::new(unescape(secret)?)))
}

fn unescape(text: &str) -> Option<String> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(&format!("v={text}")).ok()?;
    match pairs.as_slice() {
        [(_, value)] => Some(value.clone()),
        _ => None,
    }
}

async fn authenticated(request: &HttpRequest, app: &Tidegate, form: Form) -> Result<(Client, Vec<(String, String)>), Box<HttpResponse>> {
    let pairs = form.0.map_err(|error| Box::new(failed(error.into())))?;
    let credentials = credentials(request, &pairs)?;
    let from = peer::address(request, &app.settings.trusted_proxies);
    let client = oauth::authenticate(app, &credentials, from).await.map_err(|error| Box::new(failed(error)))?;
    Ok((client, pairs))
}

/// 429 in the form of RFC 6749 §5.2, by the word that RFC 8628 §3.5 registered for who asks too often.
fn slow_down(wait: Wait) -> HttpResponse {
    let said = format!("Too many requests, or too many wrong secrets from this address: ask again in {} seconds.", wait.seconds);
    retry_after(problem(StatusCode::TOO_MANY_REQUESTS, "slow_down", said, None), wait.seconds)
}

fn retry_after(mut response: HttpResponse, seconds: u64) -> HttpResponse {
    response.headers_mut().insert(RETRY_AFTER, seconds.into());
    response
}

/// An access token for a client's permits (RFC 6749 §4.4). With a proof of a key in the header `DPoP` it is bound to that key
/// (RFC 9449).
#[utoipa::path(
    post,
    path = "/oauth/token",
    tag = "oauth",
    security(("client" = [])),
    params(("DPoP" = Option<String>, Header, description = "A proof of the key that the token is to be bound to.")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "`grant_type=client_credentials`, and `scope` with permit keys when not all are wanted; `client_assertion` and `client_assertion_type` where the client has keys."),
    responses((status = 200, body = TokenAnswer), (status = 400, body = OauthProblem), (status = 401, body = OauthProblem), (status = 429, body = OauthProblem))
)]
pub async fn token(request: HttpRequest, app: Tidegate, form: Form) -> HttpResponse {
    granted(&request, &app, form).await.unwrap_or_else(|response| *response)
}

async fn granted(request: &HttpRequest, app: &Tidegate, form: Form) -> Result<HttpResponse, Box<HttpResponse>> {
    let boxed = |error: OauthError| Box::new(failed(error));
    let pairs = form.0.map_err(|error| boxed(error.into()))?;
    let credentials = credentials(request, &pairs)?;
    let from = peer::address(request, &app.settings.trusted_proxies);
    let field = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    match field("grant_type") {
        Some("client_credentials") => {}
        Some(_) => {
            let said = "Only client_credentials is offered.";
            return Err(Box::new(problem(StatusCode::BAD_REQUEST, "unsupported_grant_type", said, None)));
        }
        None => return Err(Box::new(bad_request("grant_type is missing."))),
    }
    let asked = TokenRequest { scope: field("scope"), proofs: &proofs(request), path: request.uri().path() };
    let granted = oauth::grant(app, &credentials, from, asked).await.map_err(boxed)?;
    let answer = TokenAnswer {
        access_token: granted.access_token.reveal().to_owned(),
        token_type: if granted.is_bound { "DPoP" } else { "Bearer" },
        expires_in: granted.expires_in,
        scope: granted.scope.iter().map(Slug::as_str).collect::<Vec<_>>().join(" "),
    };
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).insert_header((PRAGMA, "no-cache")).json(answer))
}

/// The proofs that a request brings. What is no text is one that is not good.
pub fn proofs(request: &HttpRequest) -> Vec<&str> {
    request.headers().get_all("dpop").map(|value| value.to_str().unwrap_or_default()).collect()
}

/// Revoke one of the client's tokens (RFC 7009): 200 whether it was known or not.
#[utoipa::path(
    post,
    path = "/oauth/revoke",
    tag = "oauth",
    security(("client" = [])),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "`token`."),
    responses((status = 200, description = "The token is not good any more."), (status = 400, body = OauthProblem), (status = 401, body = OauthProblem), (status = 429, body = OauthProblem))
)]
pub async fn revoke(request: HttpRequest, app: Tidegate, form: Form) -> HttpResponse {
    let (client, pairs) = match authenticated(&request, &app, form).await {
        Ok(found) => found,
        Err(response) => return *response,
    };
    let Some((_, token)) = pairs.iter().find(|(name, _)| name == "token") else { return bad_request("token is missing.") };
    match oauth::revoke(&app, client, token).await {
        Ok(()) => HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).finish(),
        Err(error) => failed(error),
    }
}

/// What a token opens now, as RFC 7662 §2.2 answers it.
#[derive(Serialize, ToSchema)]
pub struct Introspected {
    /// Whether something can be pulled with it now. Everything else is there only then.
    active: bool,
    /// Permit keys of the token that hold now, space separated.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    /// Seconds since 1970, as the next two.
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    /// The vendor's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
    /// The key that the token is bound to, as `{"jkt": …}` (RFC 9449 §6.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    cnf: Option<serde_json::Value>,
}

impl Introspected {
    fn of(token: Option<Token>, url: &str) -> Self {
        let issued = token.as_ref().map(|token| token.issued_at.seconds());
        let here = || token.as_ref().map(|_| url.to_owned());
        Self {
            active: token.is_some(),
            scope: token.as_ref().map(|token| token.scope.iter().map(Slug::as_str).collect::<Vec<_>>().join(" ")),
            client_id: token.as_ref().map(|token| token.client.to_string()),
            token_type: token.as_ref().map(|token| if token.bound_to.is_some() { "DPoP" } else { "Bearer" }),
            cnf: token.as_ref().and_then(|token| token.bound_to.as_ref()).map(|jkt| serde_json::json!({"jkt": jkt})),
            exp: token.as_ref().map(|token| token.expires_at.seconds()),
            iat: issued,
            nbf: issued,
            sub: token.as_ref().map(|token| token.vendor.to_string()),
            aud: here(),
            iss: here(),
            jti: token.as_ref().map(|token| token.id.to_string()),
        }
    }
}

/// What one of the client's own tokens opens at this moment (RFC 7662). Of others it only says that they are not active.
#[utoipa::path(
    post,
    path = "/oauth/introspect",
    tag = "oauth",
    security(("client" = [])),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "`token`."),
    responses((status = 200, body = Introspected), (status = 400, body = OauthProblem), (status = 401, body = OauthProblem), (status = 429, body = OauthProblem))
)]
pub async fn introspect(request: HttpRequest, app: Tidegate, form: Form) -> HttpResponse {
    let (client, pairs) = match authenticated(&request, &app, form).await {
        Ok(found) => found,
        Err(response) => return *response,
    };
    let Some((_, token)) = pairs.iter().find(|(name, _)| name == "token") else { return bad_request("token is missing.") };
    match oauth::introspect(&app, client, token).await {
        Ok(token) => HttpResponse::Ok()
            .insert_header((CACHE_CONTROL, "no-store"))
            .insert_header((PRAGMA, "no-cache"))
            .json(Introspected::of(token, &app.settings.public_url)),
        Err(error) => failed(error),
    }
}

/// How clients may prove who they are.
const METHODS: [&str; 3] = ["private_key_jwt", "client_secret_basic", "client_secret_post"];

/// How assertions and proofs may be signed.
pub const fn algorithms() -> [&'static str; 6] {
    KeyAlgorithm::NAMES
}

/// What this authorisation server offers (RFC 8414).
#[utoipa::path(get, path = "/.well-known/oauth-authorization-server", tag = "oauth", responses((status = 200, description = "RFC 8414 metadata.")))]
pub async fn server_metadata(app: Tidegate) -> HttpResponse {
    let url = &app.settings.public_url;
    cached(serde_json::json!({
        "issuer": url,
        "token_endpoint": format!("{url}/oauth/token"),
        "revocation_endpoint": format!("{url}/oauth/revoke"),
        "introspection_endpoint": format!("{url}/oauth/introspect"),
        "jwks_uri": format!("{url}/.well-known/jwks.json"),
        "response_types_supported": [],
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": METHODS,
        "token_endpoint_auth_signing_alg_values_supported": algorithms(),
        "revocation_endpoint_auth_methods_supported": METHODS,
        "revocation_endpoint_auth_signing_alg_values_supported": algorithms(),
        "introspection_endpoint_auth_methods_supported": METHODS,
        "introspection_endpoint_auth_signing_alg_values_supported": algorithms(),
        "dpop_signing_alg_values_supported": algorithms(),
    }))
}

/// What protects the data API (RFC 9728).
#[utoipa::path(get, path = "/.well-known/oauth-protected-resource", tag = "oauth", responses((status = 200, description = "RFC 9728 metadata.")))]
pub async fn resource_metadata(app: Tidegate) -> HttpResponse {
    let url = &app.settings.public_url;
    cached(serde_json::json!({
        "resource": url,
        "authorization_servers": [url],
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": algorithms(),
        "dpop_bound_access_tokens_required": false,
        "resource_name": "Tidegate data API",
    }))
}

/// The public keys that access tokens are signed with (RFC 7517).
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "oauth", responses((status = 200, description = "A JWK set.")))]
pub async fn jwks(request: HttpRequest, app: web::Data<std::sync::Arc<crate::app::App>>) -> Result<HttpResponse, super::error::HttpError> {
    let keys = crate::app::signing_keys::published(&app).map_err(|error| super::error::HttpError::staff(&request, error))?;
    Ok(cached(keys))
}

fn cached(document: serde_json::Value) -> HttpResponse {
    HttpResponse::Ok().insert_header((CACHE_CONTROL, format!("public, max-age={CACHE_SECONDS}"))).json(document)
}
