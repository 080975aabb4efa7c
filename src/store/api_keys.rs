//! Staff API keys; only the digest of a key is kept, and a revoked one stays revoked.

use diesel::prelude::*;

use crate::domain::Instant;
use crate::domain::id::{ApiKeyId, PersonId};
use crate::domain::person::{ApiKey, Person};
use crate::domain::secret::SecretDigest;

use super::Tx;
use super::column::{instant, parse};
use super::error::StoreError;
use super::people::PersonRow;
use super::schema::{api_keys, people};

const NOUN: &str = "API key";

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = api_keys, treat_none_as_default_value = false)]
struct ApiKeyRow {
    id: String,
    person: String,
    label: String,
    created_at: i64,
    expires_at: Option<i64>,
    revoked_at: Option<i64>,
}

impl ApiKeyRow {
    fn read(self) -> Result<ApiKey, StoreError> {
        Ok(ApiKey {
            id: parse(NOUN, self.id)?,
            person: parse(NOUN, self.person)?,
            label: parse(NOUN, self.label)?,
            created_at: Instant::from_micros(self.created_at),
            expires_at: instant(self.expires_at),
            revoked_at: instant(self.revoked_at),
        })
    }
}

/// Keeps a new key by the digest of its secret.
pub fn insert(tx: &mut Tx, key: &ApiKey, secret: &SecretDigest) -> Result<(), StoreError> {
    let row = ApiKeyRow {
        id: key.id.to_string(),
        person: key.person.to_string(),
        label: key.label.to_string(),
        created_at: key.created_at.micros(),
        expires_at: key.expires_at.map(Instant::micros),
        revoked_at: key.revoked_at.map(Instant::micros),
    };
    diesel::insert_into(api_keys::table)
        .values((row, api_keys::digest.eq(secret.as_str())))
        .execute(tx.conn())
        .map(drop)
        .map_err(|error| StoreError::taken(error, "api_key"))
}

/// The key of that id, revoked or not.
pub fn find(tx: &mut Tx, id: &ApiKeyId) -> Result<ApiKey, StoreError> {
    let row = api_keys::table.find(id.as_str()).select(ApiKeyRow::as_select()).first(tx.conn()).optional()?;
    row.ok_or(StoreError::NotFound(NOUN))?.read()
}

/// The key with that secret, revoked or expired or not, and whose it is.
pub fn find_by_digest(tx: &mut Tx, secret: &SecretDigest) -> Result<Option<(ApiKey, Person)>, StoreError> {
    let row: Option<(ApiKeyRow, PersonRow)> = api_keys::table
        .inner_join(people::table)
        .filter(api_keys::digest.eq(secret.as_str()))
        .select((ApiKeyRow::as_select(), PersonRow::as_select()))
        .first(tx.conn())
        .optional()?;
    row.map(|(key, person)| Ok((key.read()?, person.read()?))).transpose()
}

/// A person's keys, newest first, revoked ones too.
pub fn list_by_person(tx: &mut Tx, person: &PersonId) -> Result<Vec<ApiKey>, StoreError> {
    let rows = api_keys::table
        .filter(api_keys::person.eq(person.as_str()))
        .select(ApiKeyRow::as_select())
        .order(api_keys::id.desc())
        .load(tx.conn())?;
    rows.into_iter().map(ApiKeyRow::read).collect()
}

/// Revokes a key; one that is revoked already keeps its first instant.
pub fn revoke(tx: &mut Tx, id: &ApiKeyId, at: Instant) -> Result<(), StoreError> {
    let revoked = diesel::update(api_keys::table.find(id.as_str()).filter(api_keys::revoked_at.is_null()))
        .set(api_keys::revoked_at.eq(at.micros()))
        .execute(tx.conn())?;
    if revoked == 1 { Ok(()) } else { find(tx, id).map(drop) }
}
