//! Clients and tokens as their pages read them: a fixed number of statements for each.

use std::collections::BTreeSet;

use crate::app::{App, AppError};
use crate::domain::Invalid;
use crate::domain::activation::ActivationLink;
use crate::domain::client::{Client, Token, TokenKind};
use crate::domain::id::{ClientId, TokenId, VendorId};
use crate::domain::text::Slug;
use crate::domain::time::Instant;
use crate::domain::vendor::Vendor;
use crate::store::overview::{PulledBy, last_pulls};
use crate::store::{Page, Tx, activation_links, catalogue, client_lines, clients, permits, tokens, vendors};

pub use crate::store::client_lines::ClientFilter;

/// A client in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientLine {
    pub client: Client,
    pub vendor_name: String,
    /// Tokens that are neither expired nor revoked.
    pub tokens: i64,
    /// When data last began to leave to it.
    pub last_pull: Option<Instant>,
}

/// A part of the list, the id to go on after, and how many fit in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientList {
    pub rows: Vec<ClientLine>,
    pub next: Option<String>,
    pub total: i64,
}

/// The clients of all vendors, newest first.
pub async fn page(app: &App, filter: ClientFilter, page: Page) -> Result<ClientList, AppError> {
    if page.after.as_deref().is_some_and(|after| after.parse::<ClientId>().is_err()) {
        return Err(Invalid::new("after", "belongs to another list: start again without it").into());
    }
    app.store
        .read(move |tx| {
            let limit = page.limit;
            let mut rows = client_lines::page(tx, &filter, &Page { limit: limit.saturating_add(1), ..page })?;
            let more = rows.len() > limit;
            rows.truncate(limit);
            let next = rows.last().filter(|_| more).map(|row| row.client.id.to_string());
            let ids: Vec<ClientId> = rows.iter().map(|row| row.client.id.clone()).collect();
            let pulls = last_pulls(tx, PulledBy::Client, &ids)?;
            let line = |row: client_lines::ListedClient| ClientLine {
                last_pull: pulls.get(row.client.id.as_str()).copied(),
                client: row.client,
                vendor_name: row.vendor_name,
                tokens: row.tokens,
            };
            Ok(ClientList { rows: rows.into_iter().map(line).collect(), next, total: client_lines::count(tx, &filter)? })
        })
        .await
}

/// A permit that a client may ask for, as its first lines of code need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pullable {
    pub permit: Slug,
    pub dataset: Slug,
    pub purpose: Slug,
}

/// A client with its vendor, the tokens that still open something, and what it may ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientView {
    pub client: Client,
    pub vendor: Vendor,
    pub tokens: Vec<Token>,
    pub next_token: Option<String>,
    pub token_count: i64,
    pub last_pull: Option<Instant>,
    /// A permit in force that it may ask for, to try the first pull with.
    pub first: Option<Pullable>,
    /// Whether a secret can be used now: a client may have none yet, and one with keys never has one.
    pub has_secret: bool,
    /// Links that wait to be used, newest first.
    pub links: Vec<ActivationLink>,
}

/// One client as its page shows it; `page` is of its tokens, newest first.
pub async fn view(app: &App, id: ClientId, page: Page) -> Result<ClientView, AppError> {
    app.store
        .read(move |tx| {
            let client = clients::find(tx, &id)?;
            let vendor = vendors::find(tx, &client.vendor)?;
            let limit = page.limit;
            let mut listed = tokens::outstanding(tx, &id, &Page { limit: limit.saturating_add(1), ..page })?;
            let more = listed.len() > limit;
            listed.truncate(limit);
            let has_secret = clients::find_with_secrets(tx, &id)?.is_some_and(|(_, secrets)| secrets.present.is_some());
            let plain = listed.iter().find(|token| token.kind == TokenKind::Plain).map(|token| token.scope.iter().cloned().collect());
            Ok(ClientView {
                next_token: listed.last().filter(|_| more).map(|token| token.id.to_string()),
                token_count: tokens::count_outstanding(tx, &id)?,
                last_pull: last_pulls(tx, PulledBy::Client, std::slice::from_ref(&id))?.into_values().next(),
                first: first_pull(tx, &client, plain.as_ref().filter(|_| !has_secret))?,
                has_secret,
                links: activation_links::waiting(tx, &id)?,
                tokens: listed,
                client,
                vendor,
            })
        })
        .await
}

/// The first permit in force among those of a scope; without one, among those that the client may ask for.
pub(super) fn first_pull(tx: &mut Tx, client: &Client, scope: Option<&BTreeSet<Slug>>) -> Result<Option<Pullable>, AppError> {
    let found = catalogue::first_in_force(tx, &client.vendor, scope.or(client.permits.as_ref()))?;
    Ok(found.map(|(permit, terms)| Pullable { permit, dataset: terms.dataset, purpose: terms.purpose }))
}

/// A vendor with the keys of its permits that are not ended, as the form of a new client offers them.
pub async fn issuable(app: &App, vendor: VendorId) -> Result<(Vendor, Vec<Slug>), AppError> {
    app.store
        .read(move |tx| {
            let vendor = vendors::find(tx, &vendor)?;
            let listed = permits::list_by_vendor(tx, &vendor.id)?;
            Ok((vendor, listed.into_iter().filter(|permit| permit.ended_at.is_none()).map(|permit| permit.key).collect()))
        })
        .await
}

/// A token with its client and vendor.
pub async fn find_token(app: &App, id: TokenId) -> Result<(Token, Client, Vendor), AppError> {
    app.store
        .read(move |tx| {
            let token = tokens::find(tx, &id)?.ok_or(AppError::NotFound("token"))?;
            Ok((clients::find(tx, &token.client)?, vendors::find(tx, &token.vendor)?)).map(|(client, vendor)| (token, client, vendor))
        })
        .await
}
