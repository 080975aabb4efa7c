//! Keys encrypted under the master key; a destroyed one leaves no bytes behind.

use diesel::prelude::*;

use crate::domain::Instant;

use super::Tx;
use super::column::{comparable, instant, like};
use super::error::StoreError;
use super::schema::sealed_keys;

const NOUN: &str = "key";

/// A key as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedKey {
    pub name: String,
    /// The encrypted key.
    pub sealed: Vec<u8>,
    /// The public half, where there is one.
    pub public: Option<String>,
    pub created_at: Instant,
    /// From when on it makes nothing new.
    pub retired_at: Option<Instant>,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = sealed_keys, treat_none_as_default_value = false)]
struct SealedKeyRow {
    name: String,
    sealed: Vec<u8>,
    public: Option<String>,
    created_at: i64,
    retired_at: Option<i64>,
}

impl From<SealedKeyRow> for SealedKey {
    fn from(row: SealedKeyRow) -> Self {
        Self {
            name: row.name,
            sealed: row.sealed,
            public: row.public,
            created_at: Instant::from_micros(row.created_at),
            retired_at: instant(row.retired_at),
        }
    }
}

/// Keeps a new key.
pub fn insert(tx: &mut Tx, key: &SealedKey) -> Result<(), StoreError> {
    let row = SealedKeyRow {
        name: key.name.clone(),
        sealed: key.sealed.clone(),
        public: key.public.clone(),
        created_at: key.created_at.micros(),
        retired_at: key.retired_at.map(Instant::micros),
    };
    diesel::insert_into(sealed_keys::table).values(row).execute(tx.conn()).map(drop).map_err(|error| StoreError::taken(error, "key_name"))
}

/// The key of that name.
pub fn find(tx: &mut Tx, name: &str) -> Result<Option<SealedKey>, StoreError> {
    let row = sealed_keys::table.find(name).select(SealedKeyRow::as_select()).first(tx.conn()).optional()?;
    Ok(row.map(SealedKey::from))
}

/// The keys whose names begin so, by name, retired ones too.
pub fn list(tx: &mut Tx, prefix: &str) -> Result<Vec<SealedKey>, StoreError> {
    if !comparable(prefix) {
        return Ok(Vec::new());
    }
    let rows: Vec<SealedKeyRow> = sealed_keys::table
        .filter(sealed_keys::name.like(format!("{}%", like(prefix))).escape('\\'))
        .select(SealedKeyRow::as_select())
        .order(sealed_keys::name)
        .load(tx.conn())?;
    // `LIKE` ignores case on SQLite only.
    Ok(rows.into_iter().filter(|row| row.name.starts_with(prefix)).map(SealedKey::from).collect())
}

/// Deletes a key for good.
pub fn destroy(tx: &mut Tx, name: &str) -> Result<(), StoreError> {
    let destroyed = diesel::delete(sealed_keys::table.find(name)).execute(tx.conn())?;
    if destroyed == 1 { Ok(()) } else { Err(StoreError::NotFound(NOUN)) }
}
