//! Clients of a vendor and the tokens issued to them.

pub mod activation;
pub mod authentication;
mod lists;
pub mod plain_tokens;

pub use activation::{HandOver, Handed};
pub use authentication::Proposed;
pub use lists::{ClientFilter, ClientLine, ClientList, ClientView, Pullable, find_token, issuable, page, view};

use lists::first_pull;

use std::collections::BTreeSet;

use crate::domain::Invalid;
use crate::domain::address::{self, AddressRange};
use crate::domain::client::{Authentication, Binding, Client, Token};
use crate::domain::id::{ClientId, TokenId, VendorId};
use crate::domain::person::Actor;
use crate::domain::text::{Name, Reason, Slug};
use crate::domain::time::Instant;
use crate::history::{Act, Body};
use crate::policy;
use crate::store::clients::Secrets;
use crate::store::tokens::Ended;
use crate::store::{Page, Scope, Tx, activation_links, clients, permits, tokens, used_once, vendors};

use super::{App, AppError, append, check_version, new_id};

fn entry(client: &Client, act: &'static str, by: &Actor) -> Act {
    Act::new("client", &client.id, act, by).of(&client.vendor)
}

/// A client to be issued.
#[derive(Debug, Clone)]
pub struct Issuing {
    pub name: Name,
    /// The permits it may ask for; none given means every permit of the vendor.
    pub permits: Option<BTreeSet<Slug>>,
    /// From where it may ask; none given means from everywhere.
    pub addresses: Vec<AddressRange>,
    pub authentication: Proposed,
    pub dpop: Binding,
    pub hand_over: HandOver,
}

impl Issuing {
    /// A client with a secret and nothing that narrows it.
    pub fn plain(name: Name, hand_over: HandOver) -> Self {
        let (authentication, dpop) = (Proposed::Secret, Binding::Optional);
        Self { name, permits: None, addresses: Vec::new(), authentication, dpop, hand_over }
    }
}

/// Issues a client. A secret is handed over once; one with keys has none.
pub async fn issue(app: &App, by: &Actor, vendor: VendorId, what: Issuing) -> Result<(Client, Handed), AppError> {
    let Issuing { name, permits: limit, addresses, authentication, dpop, hand_over } = what;
    address::check(&addresses)?;
    let authentication = authentication::read(app, &authentication)?;
    let (by, id) = (by.clone(), new_id::<ClientId>()?);
    app.store
        .record(move |tx| {
            let vendor = vendors::find(tx, &vendor)?;
            policy::vendor::check_not_retired(&vendor)?;
            if let Some(limit) = &limit {
                let known: BTreeSet<Slug> = permits::list_by_vendor(tx, &vendor.id)?.into_iter().map(|permit| permit.key).collect();
                if limit.is_empty() || !limit.is_subset(&known) {
                    return Err(Invalid::new("permits", "must be keys of permits of this vendor").into());
                }
            }
            let client = Client {
                id,
                vendor: vendor.id,
                name,
                permits: limit,
                addresses,
                authentication,
                dpop,
                created_at: tx.now(),
                revoked_at: None,
                old_secret_until: None,
                version: 1,
            };
            clients::insert(tx, &client)?;
            append(tx, &Body::Act(entry(&client, "issue", &by).fact("kind", client.authentication.key())), None)?;
            let handed = match (&client.authentication, hand_over) {
                (Authentication::Secret, HandOver::Link) => activation::new_link(tx, &client.id, None, 0)?,
                (Authentication::Secret, HandOver::Answer) => Handed::Shown(activation::first(tx, &client.id)?),
                (Authentication::Keys { .. } | Authentication::KeysAt { .. }, _) => Handed::Nothing,
            };
            Ok::<_, AppError>((client, handed))
        })
        .await
}

/// The clients of a vendor.
pub async fn list(app: &App, vendor: VendorId) -> Result<Vec<Client>, AppError> {
    app.store
        .read(move |tx| {
            let vendor = vendors::find(tx, &vendor)?;
            Ok(clients::list_by_vendor(tx, &vendor.id)?)
        })
        .await
}

/// One client.
pub async fn find(app: &App, id: ClientId) -> Result<Client, AppError> {
    app.store.read(move |tx| Ok(clients::find(tx, &id)?)).await
}

/// The longest that an old secret may be taken beside the new one, in seconds: 30 days.
pub const MOST_GRACE_SECONDS: i64 = 30 * 24 * 3_600;

/// Gives a client a new secret. The old one is taken for so many seconds more, so that the machine need not stop; with none
/// it is refused from the next request on. By a link the grace begins when the new one is collected. Of two rotations only
/// the last old secret is kept.
pub async fn rotate(app: &App, by: &Actor, id: ClientId, grace_seconds: i64, hand_over: HandOver) -> Result<(Client, Handed), AppError> {
    if !(0..=MOST_GRACE_SECONDS).contains(&grace_seconds) {
        return Err(Invalid::new("grace_seconds", format!("must be 0 to {MOST_GRACE_SECONDS}")).into());
    }
    let by = by.clone();
    let vendor = find(app, id.clone()).await?.vendor;
    app.store
        .govern(Scope::Vendor(vendor), move |tx| {
            let mut client = clients::find(tx, &id)?;
            check_not_revoked(&client)?;
            if client.authentication != Authentication::Secret {
                let why = "This client has keys of its own and no secret. Change its keys instead.";
                return Err(policy::Denied::State(why.to_owned()).into());
            }
            let handed = match hand_over {
                HandOver::Answer => {
                    activation_links::delete_unused(tx, &id, None)?;
                    Handed::Shown(activation::renew(tx, &mut client, grace_seconds)?)
                }
                HandOver::Link => {
                    if grace_seconds == 0 {
                        client.old_secret_until = None;
                        client.version = clients::save(tx, &client)?;
                        clients::set_secrets(tx, &id, &Secrets::default())?;
                    }
                    activation::new_link(tx, &id, None, grace_seconds)?
                }
            };
            let act = entry(&client, "rotate", &by);
            let act = if grace_seconds > 0 { act.fact("grace_seconds", grace_seconds) } else { act };
            append(tx, &Body::Act(act), None)?;
            Ok::<_, AppError>((client, handed))
        })
        .await
}

/// A client that is to be changed as it was read: as it is kept, not revoked, and not changed since.
fn to_change(tx: &mut Tx, id: &ClientId, read: i64) -> Result<Client, AppError> {
    let client = clients::find(tx, id)?;
    check_not_revoked(&client)?;
    check_version(read, client.version)?;
    Ok(client)
}

fn check_not_revoked(client: &Client) -> Result<(), AppError> {
    match client.revoked_at {
        Some(_) => Err(policy::Denied::State("This client is revoked; issue another one.".to_owned()).into()),
        None => Ok(()),
    }
}

/// Says from where a client may ask. What it pulls from elsewhere is cut at its next toll.
pub async fn set_addresses(app: &App, by: &Actor, id: ClientId, read: i64, addresses: Vec<AddressRange>) -> Result<Client, AppError> {
    address::check(&addresses)?;
    let by = by.clone();
    let vendor = find(app, id.clone()).await?.vendor;
    app.store
        .govern(Scope::Vendor(vendor), move |tx| {
            let mut client = to_change(tx, &id, read)?;
            if client.addresses != addresses {
                client.addresses = addresses;
                client.version = clients::save(tx, &client)?;
                let act = entry(&client, "set_addresses", &by).fact("ranges", client.addresses.len());
                append(tx, &Body::Act(act), None)?;
            }
            Ok(client)
        })
        .await
}

/// Revokes a client: its tokens are refused from the next request on.
pub async fn revoke(app: &App, by: &Actor, id: ClientId, reason: Reason) -> Result<Client, AppError> {
    let by = by.clone();
    let vendor = find(app, id.clone()).await?.vendor;
    app.store
        .govern(Scope::Vendor(vendor), move |tx| {
            let mut client = clients::find(tx, &id)?;
            if client.revoked_at.is_none() {
                client.revoked_at = Some(tx.now());
                client.version = clients::save(tx, &client)?;
                append(tx, &Body::Act(entry(&client, "revoke", &by).moved("active", "revoked")), Some(reason.to_string()))?;
            }
            Ok(client)
        })
        .await
}

/// The tokens of a client that have not expired, newest first.
pub async fn list_tokens(app: &App, id: ClientId, page: Page) -> Result<Vec<Token>, AppError> {
    app.store
        .read(move |tx| {
            let client = clients::find(tx, &id)?;
            Ok(tokens::list_by_client(tx, &client.id, &page)?)
        })
        .await
}

/// Revokes one token.
pub async fn revoke_token(app: &App, by: &Actor, id: TokenId, reason: Option<Reason>) -> Result<Token, AppError> {
    let by = by.clone();
    let find = {
        let id = id.clone();
        move |tx: &mut crate::store::Tx| tokens::find(tx, &id)?.ok_or(AppError::NotFound("token"))
    };
    let vendor = app.store.read(find).await?.vendor;
    app.store
        .govern(Scope::Vendor(vendor), move |tx| {
            let mut token = tokens::find(tx, &id)?.ok_or(AppError::NotFound("token"))?;
            if token.revoked_at.is_none() {
                let now = tx.now();
                tokens::revoke(tx, &id, now)?;
                token.revoked_at = Some(now);
                let act = Act::new("token", &token.id, "revoke", &by).of(&token.vendor).fact("client", &token.client);
                append(tx, &Body::Act(act), reason.map(|reason| reason.to_string()))?;
            }
            Ok(token)
        })
        .await
}

/// How long after its end a token is kept, in seconds: brokers whose clocks differ still find it.
const KEPT_SECONDS: i64 = 60;
/// Rows that leave a table at once: few, so that nobody waits.
const BATCH: i64 = 1_000;

/// Takes what its age alone refuses out of the hot tables, in small batches: tokens, and what was taken once. Links that
/// nobody used go a day after their end.
pub async fn forget_expired(app: &App) -> Result<(), AppError> {
    in_batches(app, |tx, limit| {
        let before = tx.now().plus_seconds(-KEPT_SECONDS);
        Ok(tokens::delete_expired(tx, before, limit)?.max(used_once::delete_old(tx, before, limit)?))
    })
    .await?;
    app.store
        .record(|tx| {
            let before = tx.now().plus_days(-1);
            Ok(activation_links::delete_old(tx, before).map(drop)?)
        })
        .await
}

/// Does a work of many rows in transactions of few, so that nobody waits; ends with the first that finds fewer than it may.
async fn in_batches(app: &App, batch: impl Fn(&mut Tx, i64) -> Result<usize, AppError> + Clone + Send + 'static) -> Result<(), AppError> {
    loop {
        let batch = batch.clone();
        let done = app.store.record(move |tx| batch(tx, BATCH)).await?;
        if i64::try_from(done).unwrap_or(0) < BATCH {
            return Ok(());
        }
    }
}

/// Marks the first few of the tokens that something ended just now. It has happened already, whatever becomes of the marks: the
/// timer makes the rest.
pub(super) async fn mark_some(app: &App, ended: Ended, at: Instant) {
    if let Err(error) = mark(app, ended, at, None).await {
        tracing::error!(%error, "the tokens that were stopped could not be marked; it is tried again");
    }
}

/// For how long after something ended tokens they are looked for, in seconds: the timer needs minutes.
const MARKED_SECONDS: i64 = 3_600;

/// The timer's part: marks all tokens that something ended lately, few at once, so that lists say so, too. Whether one is good is
/// told by what ended it alone.
pub(super) async fn mark_all(app: &App, ended: Ended, at: Instant) -> Result<(), AppError> {
    let mut after = None;
    while app.clock.now() < at.plus_seconds(MARKED_SECONDS) {
        let Some(last) = mark(app, ended.clone(), at, after).await? else { break };
        after = Some(last);
    }
    Ok(())
}

/// They are looked for by a reader, as that may take a while, and marked by the one writer.
async fn mark(app: &App, ended: Ended, at: Instant, after: Option<TokenId>) -> Result<Option<TokenId>, AppError> {
    let ids = app
        .store
        .read(move |tx| {
            let after = after.as_ref().map_or("", TokenId::as_str);
            Ok::<_, AppError>(tokens::ended(tx, &ended, at, after, BATCH)?)
        })
        .await?;
    let Some(last) = ids.last().cloned() else { return Ok(None) };
    app.store.record(move |tx| Ok::<_, AppError>(tokens::revoke_all(tx, &ids, at)?)).await?;
    Ok(Some(last))
}
