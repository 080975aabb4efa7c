//! Links by which secrets and tokens are collected; only the digest of a link is kept, and a used one stays used.

use diesel::prelude::*;

use crate::domain::Instant;
use crate::domain::activation::ActivationLink;
use crate::domain::id::{ClientId, TokenId};
use crate::domain::secret::SecretDigest;

use super::Tx;
use super::column::{instant, parse, parse_some};
use super::error::StoreError;
use super::schema::activation_links;

const NOUN: &str = "link";

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = activation_links, treat_none_as_default_value = false)]
struct LinkRow {
    digest: String,
    client: String,
    token: Option<String>,
    grace_seconds: i64,
    created_at: i64,
    ends_at: i64,
    used_at: Option<i64>,
}

impl LinkRow {
    fn read(self) -> Result<ActivationLink, StoreError> {
        Ok(ActivationLink {
            client: parse(NOUN, self.client)?,
            token: parse_some(NOUN, self.token)?,
            grace_seconds: self.grace_seconds,
            created_at: Instant::from_micros(self.created_at),
            ends_at: Instant::from_micros(self.ends_at),
            used_at: instant(self.used_at),
        })
    }
}

/// Keeps a new link.
pub fn insert(tx: &mut Tx, link: &ActivationLink, secret: &SecretDigest) -> Result<(), StoreError> {
    let row = LinkRow {
        digest: secret.as_str().to_owned(),
        client: link.client.to_string(),
        token: link.token.as_ref().map(ToString::to_string),
        grace_seconds: link.grace_seconds,
        created_at: link.created_at.micros(),
        ends_at: link.ends_at.micros(),
        used_at: link.used_at.map(Instant::micros),
    };
    diesel::insert_into(activation_links::table).values(row).execute(tx.conn()).map(drop).map_err(|error| StoreError::taken(error, NOUN))
}

/// The link with that secret, used or over or not.
pub fn find(tx: &mut Tx, secret: &SecretDigest) -> Result<Option<ActivationLink>, StoreError> {
    let row = activation_links::table.find(secret.as_str()).select(LinkRow::as_select()).first(tx.conn()).optional()?;
    row.map(LinkRow::read).transpose()
}

/// A client's links that can still be used, newest first.
pub fn waiting(tx: &mut Tx, client: &ClientId) -> Result<Vec<ActivationLink>, StoreError> {
    let now = tx.now();
    let rows = activation_links::table
        .filter(activation_links::client.eq(client.as_str()))
        .filter(activation_links::used_at.is_null())
        .filter(activation_links::ends_at.gt(now.micros()))
        .select(LinkRow::as_select())
        .order(activation_links::created_at.desc())
        .load(tx.conn())?;
    rows.into_iter().map(LinkRow::read).collect()
}

/// Marks a link as used, unless it was used already.
pub fn take(tx: &mut Tx, secret: &SecretDigest, at: Instant) -> Result<(), StoreError> {
    let taken = diesel::update(activation_links::table.find(secret.as_str()).filter(activation_links::used_at.is_null()))
        .set(activation_links::used_at.eq(at.micros()))
        .execute(tx.conn())?;
    if taken == 1 { Ok(()) } else { Err(StoreError::Stale) }
}

/// Takes back the links to a client's secret, or to one of its tokens, that were not used.
pub fn delete_unused(tx: &mut Tx, client: &ClientId, token: Option<&TokenId>) -> Result<(), StoreError> {
    let unused =
        activation_links::table.filter(activation_links::client.eq(client.to_string())).filter(activation_links::used_at.is_null());
    match token {
        Some(token) => diesel::delete(unused.filter(activation_links::token.eq(token.to_string()))).execute(tx.conn())?,
        None => diesel::delete(unused.filter(activation_links::token.is_null())).execute(tx.conn())?,
    };
    Ok(())
}

/// Forgets links that ended before an instant.
pub fn delete_old(tx: &mut Tx, before: Instant) -> Result<usize, StoreError> {
    Ok(diesel::delete(activation_links::table.filter(activation_links::ends_at.lt(before.micros()))).execute(tx.conn())?)
}
