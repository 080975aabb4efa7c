//! What a stop would stop, counted before it is done, so that whoever does it knows what they do.

use std::collections::BTreeSet;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::Invalid;
use crate::domain::client::Client;
use crate::domain::id::{AgreementId, ClientId, TokenId, VendorId};
use crate::domain::permit::Permit;
use crate::domain::text::{Kid, Slug};
use crate::domain::time::Instant;
use crate::store::overview::{PulledBy, last_pulls};
use crate::store::{Tx, agreements, clients, permits, signing_keys, stops, tokens, vendors};

use super::{App, AppError};

/// What is to be stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopOf {
    Vendor(VendorId),
    Agreement(AgreementId),
    Permit(Slug),
    Client(ClientId),
    Token(TokenId),
    SigningKey(Kid),
    Everything,
}

impl std::str::FromStr for StopOf {
    type Err = Invalid;

    /// Reads `vendor:<id>`, `agreement:<id>`, `permit:<key>`, `client:<id>`, `token:<id>`, `signing-key:<kid>` or
    /// `everything`.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let forms = "must be vendor:<id>, agreement:<id>, permit:<key>, client:<id>, token:<id>, signing-key:<kid> or everything";
        let bad = || Invalid::new("of", forms);
        let (level, name) = text.split_once(':').unwrap_or((text, ""));
        match level {
            "vendor" => name.parse().map(Self::Vendor).map_err(|_| bad()),
            "agreement" => name.parse().map(Self::Agreement).map_err(|_| bad()),
            "permit" => name.parse().map(Self::Permit).map_err(|_| bad()),
            "client" => name.parse().map(Self::Client).map_err(|_| bad()),
            "token" => name.parse().map(Self::Token).map_err(|_| bad()),
            "signing-key" => name.parse().map(Self::SigningKey).map_err(|_| bad()),
            "everything" if text == level => Ok(Self::Everything),
            _ => Err(bad()),
        }
    }
}

/// What stops with it: "3 clients, 12 tokens, 4 permits, last pull 5 minutes ago".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct StopPreview {
    /// Clients that are not revoked and get less by it.
    pub clients: usize,
    /// Their good tokens that name what stops.
    pub tokens: i64,
    /// Permits that are not ended.
    pub permits: usize,
    /// Of a token or a signing key: those that were opened under it.
    pub running_streams: i64,
    /// When data last began to leave this way.
    pub last_pull: Option<Instant>,
}

/// Counts what a stop would stop.
pub async fn preview(app: &App, of: StopOf) -> Result<StopPreview, AppError> {
    app.store
        .read(move |tx| match of {
            StopOf::Vendor(id) => of_vendor(tx, VendorStop::Vendor(id)),
            StopOf::Agreement(id) => of_vendor(tx, VendorStop::Agreement(id)),
            StopOf::Permit(key) => of_vendor(tx, VendorStop::Permit(key)),
            StopOf::Client(id) => of_vendor(tx, VendorStop::Client(id)),
            StopOf::Token(id) => of_token(tx, &id),
            StopOf::SigningKey(kid) => of_signing_key(tx, &kid),
            StopOf::Everything => of_everything(tx),
        })
        .await
}

/// What stops within one vendor.
enum VendorStop {
    Vendor(VendorId),
    Agreement(AgreementId),
    Permit(Slug),
    Client(ClientId),
}

fn of_token(tx: &mut Tx, id: &TokenId) -> Result<StopPreview, AppError> {
    let token = tokens::find(tx, id)?.ok_or(AppError::NotFound("token"))?;
    let good = token.revoked_at.is_none() && tx.now() < token.expires_at;
    let streams = stops::running(tx, &token.vendor)?.into_iter();
    let running_streams = streams.filter(|stream| stream.token.as_ref() == Some(&token.id));
    Ok(StopPreview {
        clients: 1,
        tokens: i64::from(good),
        permits: token.scope.len(),
        running_streams: running_streams.map(|stream| stream.streams).sum(),
        last_pull: last_pulls(tx, PulledBy::Client, std::slice::from_ref(&token.client))?.into_values().max(),
    })
}

fn of_signing_key(tx: &mut Tx, kid: &Kid) -> Result<StopPreview, AppError> {
    if signing_keys::find(tx, kid)?.is_none() {
        return Err(AppError::NotFound("signing key"));
    }
    let now = tx.now();
    let held = stops::outstanding_of_key(tx, kid, now)?;
    let clients: BTreeSet<&ClientId> = held.iter().map(|held| &held.client).collect();
    let permits: BTreeSet<&Slug> = held.iter().flat_map(|held| &held.scope).collect();
    Ok(StopPreview {
        clients: clients.len(),
        tokens: held.iter().map(|held| held.tokens).sum(),
        permits: permits.len(),
        running_streams: stops::running_of_key(tx, kid)?,
        last_pull: last_pulls(tx, PulledBy::Client, &clients.iter().collect::<Vec<_>>())?.into_values().max(),
    })
}

fn of_everything(tx: &mut Tx) -> Result<StopPreview, AppError> {
    let now = tx.now();
    let all = stops::everything(tx, now)?;
    let count = |many: i64| usize::try_from(many).unwrap_or(0);
    Ok(StopPreview {
        clients: count(all.clients),
        tokens: all.tokens,
        permits: count(all.permits),
        running_streams: all.streams,
        last_pull: all.last_pull,
    })
}

fn of_vendor(tx: &mut Tx, of: VendorStop) -> Result<StopPreview, AppError> {
    let vendor = vendor_of(tx, &of)?;
    let permits: Vec<Permit> = permits::list_by_vendor(tx, &vendor)?.into_iter().filter(|permit| permit.ended_at.is_none()).collect();
    let clients: Vec<Client> = clients::list_by_vendor(tx, &vendor)?.into_iter().filter(|client| client.revoked_at.is_none()).collect();
    let stopped: Vec<&Permit> = permits.iter().filter(|permit| stops_permit(&of, permit, &clients)).collect();
    let keys: BTreeSet<&Slug> = stopped.iter().map(|permit| &permit.key).collect();
    let hit: Vec<&Client> = clients.iter().filter(|client| stops_client(&of, client, &keys)).collect();
    let is_hit = |id: &ClientId| hit.iter().any(|client| client.id == *id);
    let now = tx.now();
    let whole = matches!(of, VendorStop::Vendor(_) | VendorStop::Client(_));
    let tokens = stops::outstanding(tx, &vendor, now)?
        .into_iter()
        .filter(|held| is_hit(&held.client) && (whole || held.scope.iter().any(|key| keys.contains(key))))
        .map(|held| held.tokens)
        .sum();
    let running_streams = stops::running(tx, &vendor)?
        .into_iter()
        .filter(|stream| matches!(of, VendorStop::Vendor(_)) || is_hit(&stream.client) && (whole || keys.contains(&stream.permit)))
        .map(|stream| stream.streams)
        .sum();
    let last_pull = match &of {
        VendorStop::Vendor(id) => last_pulls(tx, PulledBy::Vendor, std::slice::from_ref(id))?,
        VendorStop::Client(id) => last_pulls(tx, PulledBy::Client, std::slice::from_ref(id))?,
        VendorStop::Agreement(_) | VendorStop::Permit(_) => last_pulls(tx, PulledBy::Permit, &keys.iter().collect::<Vec<_>>())?,
    };
    Ok(StopPreview { clients: hit.len(), tokens, permits: stopped.len(), running_streams, last_pull: last_pull.into_values().max() })
}

fn vendor_of(tx: &mut Tx, of: &VendorStop) -> Result<VendorId, AppError> {
    Ok(match of {
        VendorStop::Vendor(id) => vendors::find(tx, id)?.id,
        VendorStop::Agreement(id) => agreements::find(tx, id)?.vendor,
        VendorStop::Permit(key) => permits::find(tx, key)?.vendor,
        VendorStop::Client(id) => clients::find(tx, id)?.vendor,
    })
}

fn stops_permit(of: &VendorStop, permit: &Permit, clients: &[Client]) -> bool {
    match of {
        VendorStop::Vendor(_) => true,
        VendorStop::Agreement(id) => permit.agreement == *id,
        VendorStop::Permit(key) => permit.key == *key,
        // A client takes no permit with it; these are the ones it can't use any more.
        VendorStop::Client(id) => clients.iter().any(|client| client.id == *id && client.may_ask(&permit.key)),
    }
}

fn stops_client(of: &VendorStop, client: &Client, permits: &BTreeSet<&Slug>) -> bool {
    match of {
        VendorStop::Vendor(_) => true,
        VendorStop::Client(id) => client.id == *id,
        VendorStop::Agreement(_) | VendorStop::Permit(_) => permits.iter().any(|key| client.may_ask(key)),
    }
}
