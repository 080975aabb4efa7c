//! Who a client is: by its secret, or by what it signs (RFC 7523). The look-up takes the same time whether it exists or not.

use std::net::IpAddr;

use crate::domain::client::{Authentication, Client};
use crate::domain::client_key::{ClientKey, Once};
use crate::domain::gate::Gate;
use crate::domain::id::ClientId;
use crate::domain::secret::{PlainSecret, SecretDigest};
use crate::domain::time::Instant;
use crate::keys::{self, secret};
use crate::store::clients::Secrets;
use crate::store::{clients, used_once};
use crate::token::assertion::Assertion;

use super::super::{App, AppError, history};
use super::OauthError;

/// What a request brings to prove who asks, and whom it says it is from.
#[derive(Debug, Clone)]
pub struct Credentials {
    brought: Brought,
    client: Option<ClientId>,
    /// By what failures are counted: the client's id, as it was sent.
    name: String,
}

#[derive(Debug, Clone)]
enum Brought {
    Secret(PlainSecret),
    /// `client_assertion`, and `client_id` where it is sent too.
    Assertion {
        assertion: String,
        id: Option<String>,
    },
}

impl Credentials {
    /// A client's id and its secret.
    pub fn secret(id: String, secret: PlainSecret) -> Self {
        Self { brought: Brought::Secret(secret), client: id.parse().ok(), name: id }
    }

    /// What a client signed, and the id that was sent beside it.
    pub fn assertion(assertion: String, id: Option<String>) -> Self {
        let client = Assertion::read(&assertion).ok().map(|read| read.client().clone());
        let name = client.clone().map(String::from).unwrap_or_default();
        Self { brought: Brought::Assertion { assertion, id }, client, name }
    }

    /// The client that they say they are of.
    pub(super) fn client(&self) -> Option<&ClientId> {
        self.client.as_ref()
    }
}

/// A client that proved who it is.
#[derive(Debug, Clone)]
pub(super) struct Authenticated {
    pub(super) client: Client,
    /// What proved it, where that may be taken once. It is used up by what is done next.
    pub(super) once: Option<Once>,
}

/// A client as it is kept, with the digests of its secrets, at a time of the database.
#[derive(Clone, Copy)]
pub(super) struct Found<'a> {
    pub(super) client: &'a Client,
    pub(super) secrets: &'a Secrets,
    pub(super) now: Instant,
}

/// Checks what a client brings, and from where it comes, by the live state, and uses up what may be taken once. Who failed too
/// often waits.
pub async fn authenticate(app: &App, credentials: &Credentials, from: IpAddr) -> Result<Client, OauthError> {
    admit(app, credentials, from)?;
    let authenticated = from_store(app, credentials, from).await?;
    ask_rate(app, credentials)?;
    let client = spend(app, authenticated).await?;
    proved(app, credentials, from);
    Ok(client)
}

/// Whether what is brought is looked at now.
pub(super) fn admit(app: &App, credentials: &Credentials, from: IpAddr) -> Result<(), OauthError> {
    app.throttle.admit(&credentials.name, from).map_err(OauthError::SlowDown)
}

/// Counts a request of a client that proved who it is.
pub(super) fn ask_rate(app: &App, credentials: &Credentials) -> Result<(), OauthError> {
    app.throttle.ask(&credentials.name).map_err(OauthError::SlowDown)
}

/// Notes that a client proved itself there: once what it brought was taken, as a replay proves nothing.
pub(super) fn proved(app: &App, credentials: &Credentials, from: IpAddr) {
    app.throttle.proved(&credentials.name, from);
}

/// Checks by the live state, and counts a failure. What is refused of a client that proved who it is goes on record.
pub(super) async fn from_store(app: &App, credentials: &Credentials, from: IpAddr) -> Result<Authenticated, OauthError> {
    let kept = match credentials.client().cloned() {
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
    let found = kept.as_ref().map(|(client, secrets, now)| Found { client, secrets, now: *now });
    let error = match judge(app, credentials, from, found).await {
        Ok(authenticated) => return Ok(authenticated),
        Err(Unproven::Is(error)) => error,
        Err(Unproven::Proven(error)) => {
            if let Some(Found { client, .. }) = found {
                history::refused(app, &client.vendor, &client.id, history::Wanted::default(), Gate::Client).await;
            }
            error
        }
    };
    if matches!(error, OauthError::InvalidClient | OauthError::Assertion | OauthError::Address) {
        app.throttle.failed(&credentials.name, from).map_err(OauthError::SlowDown)?;
    }
    Err(error)
}

/// Why a client may not go on.
pub(super) enum Unproven {
    /// It did not prove who it is.
    Is(OauthError),
    /// It did, but it is revoked or asks from elsewhere.
    Proven(OauthError),
}

/// Judges what a client brings by what is known of it.
pub(super) async fn judge(app: &App, credentials: &Credentials, from: IpAddr, found: Option<Found<'_>>) -> Result<Authenticated, Unproven> {
    let (client, once) = match &credentials.brought {
        Brought::Secret(secret) => (by_secret(secret, found).ok_or(OauthError::InvalidClient), None),
        Brought::Assertion { assertion, id } => match by_assertion(app, assertion, id.as_deref(), found).await {
            Ok((client, once)) => (Ok(client), Some(once)),
            Err(error) => (Err(error), None),
        },
    };
    let client = client.map_err(Unproven::Is)?;
    match client.revoked_at {
        Some(_) => Err(Unproven::Proven(OauthError::InvalidClient)),
        None if client.may_ask_from(from) => Ok(Authenticated { client: client.clone(), once }),
        None => Err(Unproven::Proven(OauthError::Address)),
    }
}

/// Uses up what proved who asks, for what needs no transaction of its own.
pub(super) async fn spend(app: &App, authenticated: Authenticated) -> Result<Client, OauthError> {
    let Authenticated { client, once } = authenticated;
    if let Some(once) = once
        && !app.store.record(move |tx| Ok::<_, AppError>(used_once::take(tx, &once)?)).await?
    {
        return Err(OauthError::AssertionUsed);
    }
    Ok(client)
}

fn by_secret<'a>(plain: &PlainSecret, found: Option<Found<'a>>) -> Option<&'a Client> {
    let (given, never) = (secret::digest(plain.reveal()), secret::digest("no such client"));
    let is = |kept: Option<&SecretDigest>| {
        let equal = keys::equal(kept.unwrap_or(&never).as_str().as_bytes(), given.as_str().as_bytes());
        equal && kept.is_some()
    };
    let graced = found.is_some_and(|found| found.client.old_secret_until.is_some_and(|until| found.now < until));
    // Both are compared, whatever the first comparison says.
    let present = is(found.and_then(|found| found.secrets.present.as_ref()));
    let old = is(found.and_then(|found| found.secrets.old.as_ref()).filter(|_| graced));
    let by_secret = |client: &&Client| (present || old) && client.authentication == Authentication::Secret;
    found.map(|found| found.client).filter(by_secret)
}

async fn by_assertion<'a>(app: &App, text: &str, id: Option<&str>, found: Option<Found<'a>>) -> Result<(&'a Client, Once), OauthError> {
    let assertion = Assertion::read(text).map_err(|_| OauthError::Assertion)?;
    if id.is_some_and(|id| id != assertion.client().as_str()) {
        return Err(OauthError::Assertion);
    }
    let signed = match found.map(|found| &found.client.authentication) {
        None | Some(Authentication::Secret) => assertion.is_signed_by_one_of(&[]),
        Some(Authentication::Keys { keys }) => assertion.is_signed_by_one_of(keys),
        Some(Authentication::KeysAt { uri }) => {
            let signed = |keys: &[ClientKey]| assertion.is_signed_by_one_of(keys);
            app.key_sets.any(&app.outbound, uri, app.clock.now(), signed).await.map_err(|_| AppError::Unavailable(NO_KEYS.to_owned()))?
        }
    };
    let Some(Found { client, now, .. }) = found.filter(|_| signed) else { return Err(OauthError::Assertion) };
    let once = assertion.check(&app.settings.public_url, now).map_err(|_| OauthError::Assertion)?;
    Ok((client, once))
}

/// Why a client with published keys waits. Nobody failed: it is not counted.
const NO_KEYS: &str = "The keys that this client publishes can't be fetched just now; ask again shortly.";
