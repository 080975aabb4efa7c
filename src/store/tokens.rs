//! Issued tokens, never the tokens themselves; a revoked one stays revoked.

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::domain::Instant;
use crate::domain::client::{Token, TokenKind};
use crate::domain::id::{ClientId, TokenId};
use crate::domain::secret::SecretDigest;
use crate::domain::text::Kid;

use super::column::{comparable, from_json, instant, json, known, parse, parse_some};
use super::conn::MultiBackend;
use super::error::StoreError;
use super::schema::tokens;
use super::{Page, Tx};

const NOUN: &str = "token";

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = tokens, treat_none_as_default_value = false)]
struct TokenRow {
    id: String,
    client: String,
    vendor: String,
    scope: String,
    issued_at: i64,
    expires_at: i64,
    revoked_at: Option<i64>,
    kind: String,
    bound_to: Option<String>,
}

impl TokenRow {
    fn read(self) -> Result<Token, StoreError> {
        Ok(Token {
            id: parse(NOUN, self.id)?,
            client: parse(NOUN, self.client)?,
            vendor: parse(NOUN, self.vendor)?,
            scope: from_json(NOUN, &self.scope)?,
            issued_at: Instant::from_micros(self.issued_at),
            expires_at: Instant::from_micros(self.expires_at),
            revoked_at: instant(self.revoked_at),
            kind: known(NOUN, TokenKind::from_key(&self.kind))?,
            bound_to: parse_some(NOUN, self.bound_to)?,
        })
    }
}

/// Keeps a newly issued token, with the key that signs it where one does.
pub fn insert(tx: &mut Tx, token: &Token, kid: Option<&Kid>) -> Result<(), StoreError> {
    let row = TokenRow {
        id: token.id.to_string(),
        client: token.client.to_string(),
        vendor: token.vendor.to_string(),
        scope: json(NOUN, &token.scope)?,
        issued_at: token.issued_at.micros(),
        expires_at: token.expires_at.micros(),
        revoked_at: token.revoked_at.map(Instant::micros),
        kind: token.kind.key().to_owned(),
        bound_to: token.bound_to.as_ref().map(ToString::to_string),
    };
    let row = (row, tokens::kid.eq(kid.map(ToString::to_string)));
    diesel::insert_into(tokens::table).values(row).execute(tx.conn()).map(drop).map_err(|error| StoreError::taken(error, "token"))
}

/// The token of that id, expired or revoked or not.
pub fn find(tx: &mut Tx, id: &TokenId) -> Result<Option<Token>, StoreError> {
    let row = tokens::table.find(id.as_str()).select(TokenRow::as_select()).first(tx.conn()).optional()?;
    row.map(TokenRow::read).transpose()
}

/// Makes a plain token one that is found by its secret.
pub fn set_secret(tx: &mut Tx, id: &TokenId, secret: &SecretDigest) -> Result<(), StoreError> {
    let set = diesel::update(tokens::table.find(id.as_str())).set(tokens::secret_digest.eq(secret.as_str())).execute(tx.conn())?;
    if set == 1 { Ok(()) } else { Err(StoreError::NotFound(NOUN)) }
}

/// The plain token with that secret, expired or revoked or not.
pub fn find_by_secret(tx: &mut Tx, secret: &SecretDigest) -> Result<Option<Token>, StoreError> {
    let row = tokens::table.filter(tokens::secret_digest.eq(secret.as_str())).select(TokenRow::as_select()).first(tx.conn()).optional()?;
    row.map(TokenRow::read).transpose()
}

/// A client's tokens that have not expired, newest first, revoked ones too.
pub fn list_by_client(tx: &mut Tx, client: &ClientId, page: &Page) -> Result<Vec<Token>, StoreError> {
    let unexpired = unexpired(client, tx.now());
    newest_first(tx, unexpired, page)
}

/// A client's tokens that are neither expired nor revoked, newest first.
pub fn outstanding(tx: &mut Tx, client: &ClientId, page: &Page) -> Result<Vec<Token>, StoreError> {
    let good = good(client, tx.now());
    newest_first(tx, good, page)
}

fn newest_first(tx: &mut Tx, mut query: tokens::BoxedQuery<'static, MultiBackend>, page: &Page) -> Result<Vec<Token>, StoreError> {
    if page.after.as_deref().is_some_and(|after| !comparable(after)) {
        return Ok(Vec::new());
    }
    if let Some(after) = &page.after {
        query = query.filter(tokens::id.lt(after.clone()));
    }
    let rows: Vec<TokenRow> = query.order(tokens::id.desc()).limit(page.limit()).select(TokenRow::as_select()).load(tx.conn())?;
    rows.into_iter().map(TokenRow::read).collect()
}

/// How many tokens of a client are neither expired nor revoked.
pub fn count_outstanding(tx: &mut Tx, client: &ClientId) -> Result<i64, StoreError> {
    let now = tx.now();
    Ok(good(client, now).count().get_result(tx.conn())?)
}

fn unexpired(client: &ClientId, now: Instant) -> tokens::BoxedQuery<'static, MultiBackend> {
    tokens::table.filter(tokens::client.eq(client.to_string())).filter(tokens::expires_at.gt(now.micros())).into_boxed()
}

fn good(client: &ClientId, now: Instant) -> tokens::BoxedQuery<'static, MultiBackend> {
    unexpired(client, now).filter(tokens::revoked_at.is_null())
}

/// Revokes a token; one that is revoked already keeps its first instant.
pub fn revoke(tx: &mut Tx, id: &TokenId, at: Instant) -> Result<(), StoreError> {
    let revoked = diesel::update(tokens::table.find(id.as_str()).filter(tokens::revoked_at.is_null()))
        .set(tokens::revoked_at.eq(at.micros()))
        .execute(tx.conn())?;
    if revoked == 1 || find(tx, id)?.is_some() { Ok(()) } else { Err(StoreError::NotFound(NOUN)) }
}

/// Which tokens something else ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// Those that were issued up to a stop of everything.
    UpTo(Instant),
    /// Those that a key signed.
    SignedBy(Kid),
}

/// Tokens that something else ended and that are not marked so: the first ones by id after one.
pub fn ended(tx: &mut Tx, ended: &Ended, at: Instant, after: &str, limit: i64) -> Result<Vec<TokenId>, StoreError> {
    let mut query = tokens::table
        .filter(tokens::revoked_at.is_null())
        .filter(tokens::expires_at.gt(at.micros()))
        .filter(tokens::id.gt(after.to_owned()))
        .into_boxed::<MultiBackend>();
    query = match ended {
        Ended::UpTo(stopped) => query.filter(tokens::issued_at.le(stopped.micros())),
        Ended::SignedBy(kid) => query.filter(tokens::kid.eq(kid.to_string())),
    };
    let ids: Vec<String> = query.order(tokens::id).limit(limit).select(tokens::id).load(tx.conn())?;
    ids.into_iter().map(|id| parse(NOUN, id)).collect()
}

/// Revokes several tokens; those that are revoked already keep their first instant.
pub fn revoke_all(tx: &mut Tx, ids: &[TokenId], at: Instant) -> Result<(), StoreError> {
    let ids: Vec<&str> = ids.iter().map(TokenId::as_str).collect();
    diesel::update(tokens::table.filter(tokens::id.eq_any(ids)).filter(tokens::revoked_at.is_null()))
        .set(tokens::revoked_at.eq(at.micros()))
        .execute(tx.conn())?;
    Ok(())
}

/// Forgets tokens that expired before an instant, the oldest first; answers how many. One with a running stream stays: its
/// revocation stops the stream.
pub fn delete_expired(tx: &mut Tx, before: Instant, limit: i64) -> Result<usize, StoreError> {
    let text = "DELETE FROM tokens WHERE id IN (SELECT id FROM tokens WHERE expires_at < $1 AND id NOT IN \
                (SELECT token FROM open_streams WHERE token IS NOT NULL) ORDER BY expires_at LIMIT $2)";
    let deleted = diesel::sql_query(text).bind::<BigInt, _>(before.micros()).bind::<BigInt, _>(limit).execute(tx.conn())?;
    Ok(deleted)
}
