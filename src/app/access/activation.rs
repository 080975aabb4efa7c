//! How a secret or a plain token gets to the vendor: by a link that shows it once, made at the moment it is shown.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::activation::{ActivationLink, LINK_SECONDS};
use crate::domain::client::{Authentication, Client, Token};
use crate::domain::id::{ClientId, TokenId};
use crate::domain::person::Actor;
use crate::domain::secret::{PlainSecret, SecretDigest};
use crate::domain::time::Instant;
use crate::domain::vendor::Vendor;
use crate::history::{Act, Body};
use crate::keys::secret;
use crate::store::clients::Secrets;
use crate::store::{Scope, Tx, activation_links, clients, tokens, vendors};

use super::{Pullable, first_pull};
use crate::app::{App, AppError, append, kill_switch};

/// To whom a secret or a plain token is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HandOver {
    /// To the vendor, by a link that is used once: the staff never see it.
    #[default]
    Link,
    /// To who asks, in the answer: for programs that put it where the machine's secrets are kept.
    Answer,
}

/// What was handed over.
#[derive(Debug, Clone)]
pub enum Handed {
    /// The secret or plain token itself.
    Shown(PlainSecret),
    /// The link by which it is collected, and until when.
    Link { link: PlainSecret, ends_at: Instant },
    /// There is nothing to hand over: the client has keys of its own.
    Nothing,
}

/// The address that a link is opened at.
pub fn address(app: &App, link: &PlainSecret) -> String {
    format!("{}/activate/{}", app.settings.public_url, link.reveal())
}

/// Makes a link to a client's secret or to one of its plain tokens; one that waited before is taken back.
pub(super) fn new_link(tx: &mut Tx, client: &ClientId, token: Option<&TokenId>, grace_seconds: i64) -> Result<Handed, AppError> {
    let (link, now) = (secret::generate(secret::Prefix::ActivationLink), tx.now());
    let ends_at = now.plus_seconds(LINK_SECONDS);
    activation_links::delete_unused(tx, client, token)?;
    let kept = ActivationLink { client: client.clone(), token: token.cloned(), grace_seconds, created_at: now, ends_at, used_at: None };
    activation_links::insert(tx, &kept, &secret::digest(link.reveal()))?;
    Ok(Handed::Link { link, ends_at })
}

/// Gives a client its first secret.
pub(super) fn first(tx: &mut Tx, client: &ClientId) -> Result<PlainSecret, AppError> {
    let plain = secret::generate(secret::Prefix::ClientSecret);
    clients::set_secrets(tx, client, &Secrets { present: Some(secret::digest(plain.reveal())), old: None })?;
    Ok(plain)
}

/// Gives a plain token its secret.
pub(super) fn fill(tx: &mut Tx, token: &TokenId) -> Result<PlainSecret, AppError> {
    let plain = secret::generate(secret::Prefix::AccessToken);
    tokens::set_secret(tx, token, &secret::digest(plain.reveal()))?;
    Ok(plain)
}

/// Gives a client a new secret from now on. The present one is taken for the grace, where there is one.
pub(super) fn renew(tx: &mut Tx, client: &mut Client, grace_seconds: i64) -> Result<PlainSecret, AppError> {
    let plain = secret::generate(secret::Prefix::ClientSecret);
    let before = clients::find_with_secrets(tx, &client.id)?.and_then(|(_, secrets)| secrets.present);
    let old = before.filter(|_| grace_seconds > 0);
    client.old_secret_until = old.as_ref().map(|_| tx.now().plus_seconds(grace_seconds));
    client.version = clients::save(tx, client)?;
    clients::set_secrets(tx, &client.id, &Secrets { present: Some(secret::digest(plain.reveal())), old })?;
    Ok(plain)
}

/// What a link is for, while it is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activating {
    pub link: ActivationLink,
    pub client: Client,
    pub vendor: Vendor,
    /// The plain token that it shows; none where it shows the client's secret.
    pub token: Option<Token>,
    /// A permit in force that the client may ask for, to try the first pull with.
    pub first: Option<Pullable>,
}

/// What was collected by a link.
#[derive(Debug, Clone)]
pub struct Collected {
    pub what: Activating,
    pub secret: PlainSecret,
}

/// What a link is for; one that is used, over, taken back or unknown is not there.
pub async fn find(app: &App, link: &str) -> Result<Activating, AppError> {
    let digest = digest(link)?;
    app.store.read(move |tx| activating(tx, &digest)).await
}

fn digest(link: &str) -> Result<SecretDigest, AppError> {
    secret::read(link, secret::Prefix::ActivationLink).ok_or(AppError::NotFound("link"))
}

fn activating(tx: &mut Tx, digest: &SecretDigest) -> Result<Activating, AppError> {
    let now = tx.now();
    let gone = || AppError::NotFound("link");
    let link = activation_links::find(tx, digest)?.filter(|link| link.holds(now)).ok_or_else(gone)?;
    let client = clients::find(tx, &link.client)?;
    let token = link.token.as_ref().map(|id| tokens::find(tx, id)?.ok_or_else(gone)).transpose()?;
    let mut over = token.as_ref().is_some_and(|token| token.revoked_at.is_some() || token.expires_at <= now);
    if let Some(token) = token.as_ref().filter(|_| !over) {
        over = !client.takes(token) || kill_switch::bars(tx, token.issued_at)?;
    }
    let has_keys = token.is_none() && client.authentication != Authentication::Secret;
    if client.revoked_at.is_some() || over || has_keys {
        return Err(gone());
    }
    // A plain token opens what it names, and not all that its client may ask for.
    let scope = token.as_ref().map(|token| token.scope.iter().cloned().collect());
    let first = first_pull(tx, &client, scope.as_ref())?;
    Ok(Activating { vendor: vendors::find(tx, &client.vendor)?, first, link, client, token })
}

/// Uses a link up: makes the secret or the plain token that it is for, and shows it this once.
pub async fn collect(app: &App, link: &str) -> Result<Collected, AppError> {
    let digest = digest(link)?;
    let vendor = find(app, link).await?.vendor.id;
    app.store
        .govern(Scope::Vendor(vendor), move |tx| {
            let mut what = activating(tx, &digest)?;
            let now = tx.now();
            activation_links::take(tx, &digest, now).map_err(|error| match error {
                crate::store::StoreError::Stale => AppError::NotFound("link"),
                other => other.into(),
            })?;
            let by = Actor::Client(what.client.id.clone());
            let (act, secret) = match &what.token {
                Some(token) => {
                    let plain = fill(tx, &token.id)?;
                    (Act::new("token", &token.id, "collect", &by).fact("client", &what.client.id), plain)
                }
                None => {
                    let plain = renew(tx, &mut what.client, what.link.grace_seconds)?;
                    (Act::new("client", &what.client.id, "collect", &by), plain)
                }
            };
            append(tx, &Body::Act(act.of(&what.client.vendor)), None)?;
            Ok(Collected { what, secret })
        })
        .await
}
