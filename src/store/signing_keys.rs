//! Signing keys by name, and which of them signed a token; their private halves are among the sealed keys.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::domain::Instant;
use crate::domain::id::TokenId;
use crate::domain::signing_key::{RevokedKey, SigningKey};
use crate::domain::text::Kid;

use super::Tx;
use super::column::{instant, parse};
use super::error::StoreError;
use super::raw::Raw;
use super::schema::signing_keys;

const NOUN: &str = "signing key";

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = signing_keys, treat_none_as_default_value = false, treat_none_as_null = true)]
struct SigningKeyRow {
    kid: String,
    public: String,
    made_at: i64,
    signs_from: i64,
    retired_at: Option<i64>,
    leaves_at: Option<i64>,
    revoked_at: Option<i64>,
    reason: Option<String>,
}

impl SigningKeyRow {
    fn of(key: &SigningKey) -> Self {
        Self {
            kid: key.kid.to_string(),
            public: key.public.clone(),
            made_at: key.made_at.micros(),
            signs_from: key.signs_from.micros(),
            retired_at: key.retired_at.map(Instant::micros),
            leaves_at: key.leaves_at.map(Instant::micros),
            revoked_at: key.revoked.as_ref().map(|revoked| revoked.at.micros()),
            reason: key.revoked.as_ref().map(|revoked| revoked.reason.to_string()),
        }
    }

    fn read(self) -> Result<SigningKey, StoreError> {
        let revoked = match (self.revoked_at, self.reason) {
            (Some(at), Some(reason)) => Some(RevokedKey { at: Instant::from_micros(at), reason: parse(NOUN, reason)? }),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => return Err(StoreError::Damaged(NOUN)),
        };
        Ok(SigningKey {
            kid: parse(NOUN, self.kid)?,
            public: self.public,
            made_at: Instant::from_micros(self.made_at),
            signs_from: Instant::from_micros(self.signs_from),
            retired_at: instant(self.retired_at),
            leaves_at: instant(self.leaves_at),
            revoked,
        })
    }
}

/// All keys, the newest first.
pub fn list(tx: &mut Tx) -> Result<Vec<SigningKey>, StoreError> {
    let rows: Vec<SigningKeyRow> = signing_keys::table
        .select(SigningKeyRow::as_select())
        .order((signing_keys::signs_from.desc(), signing_keys::made_at.desc(), signing_keys::kid))
        .load(tx.conn())?;
    rows.into_iter().map(SigningKeyRow::read).collect()
}

/// The key of that name.
pub fn find(tx: &mut Tx, kid: &Kid) -> Result<Option<SigningKey>, StoreError> {
    let row = signing_keys::table.find(kid.as_str()).select(SigningKeyRow::as_select()).first(tx.conn()).optional()?;
    row.map(SigningKeyRow::read).transpose()
}

/// Keeps a new key, or what became of a known one.
pub fn keep(tx: &mut Tx, key: &SigningKey) -> Result<(), StoreError> {
    let row = SigningKeyRow::of(key);
    let known = diesel::update(signing_keys::table.find(key.kid.as_str())).set(&row).execute(tx.conn())?;
    if known == 0 {
        diesel::insert_into(signing_keys::table).values(row).execute(tx.conn())?;
    }
    Ok(())
}

/// Forgets a key whose last token is over.
pub fn forget(tx: &mut Tx, kid: &Kid) -> Result<(), StoreError> {
    diesel::delete(signing_keys::table.find(kid.as_str())).execute(tx.conn()).map(drop).map_err(StoreError::from)
}

/// Whether the key that signed a token is revoked.
pub fn is_revoked_of(tx: &mut Tx, token: &TokenId) -> Result<bool, StoreError> {
    let found: Vec<Counted> = Raw::new("SELECT k.kid AS kid, CAST(1 AS BIGINT) AS many FROM tokens t")
        .sql("JOIN signing_keys k ON k.kid = t.kid WHERE k.revoked_at IS NOT NULL AND t.id =")
        .text(token)
        .load(tx)?;
    Ok(!found.is_empty())
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = Text)]
    kid: String,
    #[diesel(sql_type = BigInt)]
    many: i64,
}

/// How many tokens each key signed that are neither expired nor revoked.
pub fn outstanding(tx: &mut Tx, now: Instant) -> Result<Vec<(Kid, i64)>, StoreError> {
    let rows: Vec<Counted> =
        Raw::new("SELECT kid, count(*) AS many FROM tokens WHERE kid IS NOT NULL AND revoked_at IS NULL AND expires_at >")
            .number(now.micros())
            .sql("GROUP BY kid")
            .load(tx)?;
    rows.into_iter().map(|row| Ok((parse(NOUN, row.kid)?, row.many))).collect()
}
