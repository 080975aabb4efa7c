//! OAuth 2.0 for vendors' machines: `client_credentials` (RFC 6749 §4.4), revocation (RFC 7009), and who a bearer is.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use crate::domain::client::{Client, Token};
use crate::domain::gate::Gate;
use crate::domain::id::{ClientId, TokenId, VendorId};
use crate::domain::person::Actor;
use crate::domain::secret::{PlainSecret, SecretDigest};
use crate::domain::text::Slug;
use crate::domain::time::Instant;
use crate::keys::{self, secret};
use crate::policy::release::{detail, first_closed, next_turn};
use crate::store::{Tx, clients, permits};
use crate::token::Claims;

use super::release::live;
use super::{App, AppError, access, history, kill_switch, new_id, secrets, signing_keys};

/// Why no token was issued, as RFC 6749 §5.2 names it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum OauthError {
    /// 401: who asks is not known, or not who they say.
    #[error("The client id or its secret is wrong, or the client is revoked.")]
    InvalidClient,
    /// 401: who asks is known, but may not ask from there.
    #[error("This client may not ask from this address.")]
    Address,
    /// 400: nothing that was asked for holds now.
    #[error("{}", detail(*.0))]
    InvalidScope(Gate),
    /// 400: more was asked for than one token can name.
    #[error("This client has more permits than one token can name: ask for fewer with scope.")]
    TooMuchScope,
    #[error(transparent)]
    App(#[from] AppError),
}

/// The most bytes of permit keys that a token names: with all else in it, it must pass as a header.
const MOST_SCOPE_BYTES: usize = 4_096;

/// A client that proved who it is.
#[derive(Debug, Clone)]
pub struct Authenticated(Client);

/// An access token and what it is good for.
#[derive(Debug, Clone)]
pub struct Granted {
    pub access_token: PlainSecret,
    pub expires_in: i64,
    /// Permit keys: what was asked and holds now.
    pub scope: Vec<Slug>,
}

/// Checks a client's secret, and from where it comes; it takes the same time whether the client exists or not.
pub async fn authenticate(app: &App, id: &str, plain: &PlainSecret, from: IpAddr) -> Result<Authenticated, OauthError> {
    let given = secret::digest(plain.reveal());
    let id = id.parse::<ClientId>().ok();
    let found = match id {
        Some(id) => {
            app.store
                .read(move |tx| {
                    let now = tx.now();
                    Ok::<_, AppError>(clients::find_with_secrets(tx, &id)?.map(|(client, secrets)| (client, secrets, now)))
                })
                .await?
        }
        None => None,
    };
    let never = secret::digest("no such client");
    let kept = found.as_ref().map_or(&never, |(_, secrets, _)| &secrets.present);
    let before = found.as_ref().and_then(|(client, secrets, now)| {
        let graced = client.old_secret_until.is_some_and(|until| *now < until);
        secrets.old.as_ref().filter(|_| graced)
    });
    let is = |kept: &SecretDigest| keys::equal(kept.as_str().as_bytes(), given.as_str().as_bytes());
    // Both are compared, whatever the first comparison says.
    let (present, old) = (is(kept), is(before.unwrap_or(&never)));
    let Some((client, ..)) = found.filter(|_| present || old) else { return Err(OauthError::InvalidClient) };
    let error = match client.revoked_at {
        Some(_) => OauthError::InvalidClient,
        None if client.may_ask_from(from) => return Ok(Authenticated(client)),
        None => OauthError::Address,
    };
    history::refused(app, &client.vendor, &client.id, history::Wanted::default(), Gate::Client).await;
    Err(error)
}

/// Issues a token for the permits asked that hold now; none asked means all of the client's.
pub async fn grant(app: &App, client: Authenticated, scope: Option<&str>) -> Result<Granted, OauthError> {
    let client = client.0;
    let asked: Option<BTreeSet<String>> = scope.map(|scope| scope.split_ascii_whitespace().map(str::to_owned).collect());
    let asked = asked.filter(|names| !names.is_empty());
    let lifetime = app.settings.token_lifetime_seconds;
    let (vendor, id) = (client.vendor.clone(), client.id.clone());
    let token_id = new_id::<TokenId>()?;
    let keyring = Arc::clone(&app.keyring);
    // Loading and unsealing is work for readers; the one writer only keeps the token. What moved in between is judged at
    // each request anyway: a token carries no rights.
    let decided = app
        .store
        .read(move |tx| {
            kill_switch::check_issuing(tx)?;
            let now = tx.now();
            let candidate = Token {
                id: token_id,
                client: client.id.clone(),
                vendor: client.vendor.clone(),
                scope: Vec::new(),
                issued_at: now,
                expires_at: now.plus_seconds(lifetime),
                revoked_at: None,
            };
            let (granted, closed, end) = holding(tx, &keyring, &client, asked, &candidate, now)?;
            if granted.is_empty() {
                return Ok::<_, AppError>(Err(closed));
            }
            // A token counts whole seconds; one that would live for none is not made.
            if end.seconds() <= now.seconds() {
                let why = "What this token would rest on changes within a second; ask again then.";
                return Err(AppError::Unavailable(why.to_owned()));
            }
            Ok(Ok(Token { scope: granted, expires_at: end, ..candidate }))
        })
        .await?;
    let token = match decided {
        Ok(token) => token,
        Err(gate) => {
            history::refused(app, &vendor, &id, history::Wanted::default(), gate).await;
            return Err(OauthError::InvalidScope(gate));
        }
    };
    if token.scope.iter().map(|key| key.as_str().len().saturating_add(1)).sum::<usize>() > MOST_SCOPE_BYTES {
        return Err(OauthError::TooMuchScope);
    }
    let claims = claims(app, &token);
    let access_token = signing_keys::issue(app, &token, &claims).await?;
    Ok(Granted { access_token, expires_in: claims.exp.saturating_sub(claims.iat), scope: token.scope })
}

/// Which of the asked permits hold, the first gate closed among the others, and until when a token may last.
fn holding(
    tx: &mut Tx,
    keyring: &keys::Keyring,
    client: &Client,
    asked: Option<BTreeSet<String>>,
    candidate: &Token,
    now: Instant,
) -> Result<(Vec<Slug>, Gate, Instant), AppError> {
    let mut granted = Vec::new();
    let mut closed: Option<Gate> = None;
    let mut end = candidate.expires_at;
    for permit in permits::list_by_vendor(tx, &client.vendor)? {
        if asked.as_ref().is_some_and(|names| !names.contains(permit.key.as_str())) || !client.may_ask(&permit.key) {
            continue;
        }
        let key = permit.key.clone();
        let gate = match live::load(tx, keyring, candidate, permit)? {
            None => Some(Gate::Permit),
            Some(ready) => {
                let gate = first_closed(&ready.state, now);
                if gate.is_none() {
                    end = next_turn(&ready.state, now).map_or(end, |turn| turn.min(end));
                }
                gate
            }
        };
        match gate {
            None => granted.push(key),
            Some(gate) => closed = Some(closed.map_or(gate, |known| known.min(gate))),
        }
    }
    Ok((granted, closed.unwrap_or(Gate::Permit), end))
}

fn claims(app: &App, token: &Token) -> Claims {
    Claims {
        iss: app.settings.public_url.clone(),
        aud: app.settings.public_url.clone(),
        sub: token.vendor.to_string(),
        client_id: token.client.to_string(),
        jti: token.id.to_string(),
        iat: token.issued_at.seconds(),
        nbf: token.issued_at.seconds(),
        exp: token.expires_at.seconds(),
        scope: token.scope.iter().map(Slug::as_str).collect::<Vec<_>>().join(" "),
    }
}

/// Who a good bearer token stands for. The rights are asked of the live state, never of the token.
#[derive(Debug, Clone)]
pub struct Bearer {
    pub token: Token,
    /// From where it was sent.
    pub from: IpAddr,
}

/// Reads a bearer token: `None` when it is missing, forged or malformed. An expired one is read as it is.
pub async fn bearer(app: &App, jwt: &str, from: IpAddr) -> Result<Option<Bearer>, AppError> {
    Ok(read(app, jwt).await?.map(|token| Bearer { token, from }))
}

async fn read(app: &App, jwt: &str) -> Result<Option<Token>, AppError> {
    let Some(verified) = secrets::verify(app, jwt).await? else { return Ok(None) };
    let claims = &verified.claims;
    let parsed = (claims.jti.parse::<TokenId>(), claims.client_id.parse::<ClientId>(), claims.sub.parse::<VendorId>());
    let (Ok(id), Ok(client), Ok(vendor)) = parsed else { return Ok(None) };
    let scope: Result<Vec<Slug>, _> = claims.scope.split(' ').filter(|key| !key.is_empty()).map(str::parse).collect();
    let Ok(scope) = scope else { return Ok(None) };
    let token = Token {
        id,
        client,
        vendor,
        scope,
        issued_at: Instant::from_seconds(claims.iat),
        expires_at: Instant::from_seconds(claims.exp),
        revoked_at: None,
    };
    Ok(Some(token))
}

/// Revokes a token of the client's own (RFC 7009); an unknown or foreign one is passed over.
pub async fn revoke(app: &App, client: Authenticated, jwt: &str) -> Result<(), AppError> {
    let Some(token) = read(app, jwt).await? else { return Ok(()) };
    if token.client != client.0.id {
        return Ok(());
    }
    match access::revoke_token(app, &Actor::Client(client.0.id), token.id, None).await {
        Ok(_) | Err(AppError::NotFound(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// What a client's own token opens at this moment (RFC 7662): `None` for one that opens nothing, or is another client's.
pub async fn introspect(app: &App, client: Authenticated, jwt: &str) -> Result<Option<Token>, AppError> {
    let Some(token) = read(app, jwt).await?.filter(|token| token.client == client.0.id) else { return Ok(None) };
    let (keyring, clock) = (Arc::clone(&app.keyring), app.clock.clone());
    let held = app.store.read(move |tx| live::holding(tx, &keyring, token, &clock)).await?;
    let now = held.time(app.clock.now());
    let open = held.ready.iter().filter(|ready| first_closed(&ready.state, now).is_none());
    let scope: Vec<Slug> = open.map(|ready| ready.state.permit.key.clone()).collect();
    let token = held.ready.first().map(|ready| ready.state.token.clone()).filter(|_| !scope.is_empty());
    Ok(token.filter(|token| token.revoked_at.is_none() && now < token.expires_at).map(|token| Token { scope, ..token }))
}
