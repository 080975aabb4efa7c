//! What a stop would stop, counted before it is done, so that whoever does it knows what they do.

use std::collections::BTreeSet;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::client::Client;
use crate::domain::id::{AgreementId, ClientId, VendorId};
use crate::domain::permit::Permit;
use crate::domain::text::Slug;
use crate::domain::time::Instant;
use crate::store::overview::{PulledBy, last_pulls};
use crate::store::{Tx, agreements, clients, permits, stops, vendors};

use super::{App, AppError};

/// What is to be stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopOf {
    Vendor(VendorId),
    Agreement(AgreementId),
    Permit(Slug),
    Client(ClientId),
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
    pub running_streams: i64,
    /// When data last began to leave this way.
    pub last_pull: Option<Instant>,
}

/// Counts what a stop would stop.
pub async fn preview(app: &App, of: StopOf) -> Result<StopPreview, AppError> {
    app.store
        .read(move |tx| {
            let vendor = vendor_of(tx, &of)?;
            let permits: Vec<Permit> =
                permits::list_by_vendor(tx, &vendor)?.into_iter().filter(|permit| permit.ended_at.is_none()).collect();
            let clients: Vec<Client> =
                clients::list_by_vendor(tx, &vendor)?.into_iter().filter(|client| client.revoked_at.is_none()).collect();
            let stopped: Vec<&Permit> = permits.iter().filter(|permit| stops_permit(&of, permit, &clients)).collect();
            let keys: BTreeSet<&Slug> = stopped.iter().map(|permit| &permit.key).collect();
            let hit: Vec<&Client> = clients.iter().filter(|client| stops_client(&of, client, &keys)).collect();
            let is_hit = |id: &ClientId| hit.iter().any(|client| client.id == *id);
            let now = tx.now();
            let whole = matches!(of, StopOf::Vendor(_) | StopOf::Client(_));
            let tokens = stops::outstanding(tx, &vendor, now)?
                .into_iter()
                .filter(|held| is_hit(&held.client) && (whole || held.scope.iter().any(|key| keys.contains(key))))
                .map(|held| held.tokens)
                .sum();
            let running_streams = stops::running(tx, &vendor)?
                .into_iter()
                .filter(|stream| matches!(of, StopOf::Vendor(_)) || is_hit(&stream.client) && (whole || keys.contains(&stream.permit)))
                .map(|stream| stream.streams)
                .sum();
            let last_pull = match &of {
                StopOf::Vendor(id) => last_pulls(tx, PulledBy::Vendor, std::slice::from_ref(id))?,
                StopOf::Client(id) => last_pulls(tx, PulledBy::Client, std::slice::from_ref(id))?,
                StopOf::Agreement(_) | StopOf::Permit(_) => last_pulls(tx, PulledBy::Permit, &keys.iter().collect::<Vec<_>>())?,
            };
            Ok(StopPreview {
                clients: hit.len(),
                tokens,
                permits: stopped.len(),
                running_streams,
                last_pull: last_pull.into_values().max(),
            })
        })
        .await
}

fn vendor_of(tx: &mut Tx, of: &StopOf) -> Result<VendorId, AppError> {
    Ok(match of {
        StopOf::Vendor(id) => vendors::find(tx, id)?.id,
        StopOf::Agreement(id) => agreements::find(tx, id)?.vendor,
        StopOf::Permit(key) => permits::find(tx, key)?.vendor,
        StopOf::Client(id) => clients::find(tx, id)?.vendor,
    })
}

fn stops_permit(of: &StopOf, permit: &Permit, clients: &[Client]) -> bool {
    match of {
        StopOf::Vendor(_) => true,
        StopOf::Agreement(id) => permit.agreement == *id,
        StopOf::Permit(key) => permit.key == *key,
        // A client takes no permit with it; these are the ones it can't use any more.
        StopOf::Client(id) => clients.iter().any(|client| client.id == *id && client.may_ask(&permit.key)),
    }
}

fn stops_client(of: &StopOf, client: &Client, permits: &BTreeSet<&Slug>) -> bool {
    match of {
        StopOf::Vendor(_) => true,
        StopOf::Client(id) => client.id == *id,
        StopOf::Agreement(_) | StopOf::Permit(_) => permits.iter().any(|key| client.may_ask(key)),
    }
}
