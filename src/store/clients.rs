//! Vendors' machine identities; only the digest of a secret is kept.

use diesel::prelude::*;

use crate::domain::Instant;
use crate::domain::client::{Binding, Client};
use crate::domain::id::{ClientId, VendorId};
use crate::domain::secret::SecretDigest;

use super::Tx;
use super::column::{from_json, instant, json, known, parse, parse_some};
use super::error::StoreError;
use super::schema::clients;

const NOUN: &str = "client";

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = clients, treat_none_as_default_value = false, treat_none_as_null = true)]
struct ClientRow {
    id: String,
    vendor: String,
    name: String,
    permits: Option<String>,
    created_at: i64,
    revoked_at: Option<i64>,
    version: i64,
    addresses: Option<String>,
    old_secret_until: Option<i64>,
    authentication: String,
    dpop: String,
}

impl ClientRow {
    fn of(client: &Client, version: i64) -> Result<Self, StoreError> {
        Ok(Self {
            id: client.id.to_string(),
            vendor: client.vendor.to_string(),
            name: client.name.to_string(),
            permits: client.permits.as_ref().map(|permits| json(NOUN, permits)).transpose()?,
            created_at: client.created_at.micros(),
            revoked_at: client.revoked_at.map(Instant::micros),
            version,
            addresses: Some(&client.addresses).filter(|list| !list.is_empty()).map(|list| json(NOUN, list)).transpose()?,
            old_secret_until: client.old_secret_until.map(Instant::micros),
            authentication: json(NOUN, &client.authentication)?,
            dpop: client.dpop.key().to_owned(),
        })
    }

    fn read(self) -> Result<Client, StoreError> {
        Ok(Client {
            id: parse(NOUN, self.id)?,
            vendor: parse(NOUN, self.vendor)?,
            name: parse(NOUN, self.name)?,
            permits: self.permits.map(|text| from_json(NOUN, &text)).transpose()?,
            created_at: Instant::from_micros(self.created_at),
            addresses: self.addresses.map(|text| from_json(NOUN, &text)).transpose()?.unwrap_or_default(),
            revoked_at: instant(self.revoked_at),
            old_secret_until: instant(self.old_secret_until),
            authentication: from_json(NOUN, &self.authentication)?,
            dpop: known(NOUN, Binding::from_key(&self.dpop))?,
            version: self.version,
        })
    }
}

/// Keeps a new client; it has no secret yet.
pub fn insert(tx: &mut Tx, client: &Client) -> Result<(), StoreError> {
    let row = ClientRow::of(client, client.version)?;
    diesel::insert_into(clients::table).values(row).execute(tx.conn()).map(drop).map_err(|error| StoreError::taken(error, "client"))
}

/// The client of that id, revoked or not.
pub fn find(tx: &mut Tx, id: &ClientId) -> Result<Client, StoreError> {
    let row = clients::table.find(id.as_str()).select(ClientRow::as_select()).first(tx.conn()).optional()?;
    row.ok_or(StoreError::NotFound(NOUN))?.read()
}

/// The digests that a client's secret may have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Secrets {
    /// None where it was not collected yet, and where the client has keys.
    pub present: Option<SecretDigest>,
    /// Taken until `client.old_secret_until`.
    pub old: Option<SecretDigest>,
}

/// The client of that id and the digests of its secrets.
pub fn find_with_secrets(tx: &mut Tx, id: &ClientId) -> Result<Option<(Client, Secrets)>, StoreError> {
    let columns = (ClientRow::as_select(), clients::secret_digest, clients::old_secret_digest);
    let row: Option<(ClientRow, Option<String>, Option<String>)> =
        clients::table.find(id.as_str()).select(columns).first(tx.conn()).optional()?;
    let read = |(row, present, old): (ClientRow, Option<String>, Option<String>)| {
        Ok((row.read()?, Secrets { present: parse_some(NOUN, present)?, old: parse_some(NOUN, old)? }))
    };
    row.map(read).transpose()
}

/// A vendor's clients, newest first.
pub fn list_by_vendor(tx: &mut Tx, vendor: &VendorId) -> Result<Vec<Client>, StoreError> {
    let rows = clients::table
        .filter(clients::vendor.eq(vendor.as_str()))
        .select(ClientRow::as_select())
        .order(clients::id.desc())
        .load(tx.conn())?;
    rows.into_iter().map(ClientRow::read).collect()
}

/// Saves what was read as `client.version`; answers the new version. The secret stays.
pub fn save(tx: &mut Tx, client: &Client) -> Result<i64, StoreError> {
    let next = client.version.saturating_add(1);
    let saved = diesel::update(clients::table.find(client.id.as_str()).filter(clients::version.eq(client.version)))
        .set(ClientRow::of(client, next)?)
        .execute(tx.conn())?;
    if saved == 1 { Ok(next) } else { Err(StoreError::Stale) }
}

/// Replaces the digests of the secrets. The one before is kept beside the present one only where it is still taken.
pub fn set_secrets(tx: &mut Tx, id: &ClientId, secrets: &Secrets) -> Result<(), StoreError> {
    let text = |digest: &Option<SecretDigest>| digest.as_ref().map(|digest| digest.as_str().to_owned());
    let set = diesel::update(clients::table.find(id.as_str()))
        .set((clients::secret_digest.eq(text(&secrets.present)), clients::old_secret_digest.eq(text(&secrets.old))))
        .execute(tx.conn())?;
    if set == 1 { Ok(()) } else { Err(StoreError::NotFound(NOUN)) }
}
