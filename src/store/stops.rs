//! What hangs on a vendor just now: its tokens, counted by client and scope, and its running streams.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::domain::Instant;
use crate::domain::id::{ClientId, VendorId};
use crate::domain::text::Slug;

use super::Tx;
use super::column::{from_json, parse};
use super::error::StoreError;
use super::raw::Raw;

/// Good tokens of one client that name the same permits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outstanding {
    pub client: ClientId,
    pub scope: Vec<Slug>,
    pub tokens: i64,
}

/// Running streams of one client under one permit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    pub client: ClientId,
    pub permit: Slug,
    pub streams: i64,
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = Text)]
    client: String,
    #[diesel(sql_type = Text)]
    what: String,
    #[diesel(sql_type = BigInt)]
    many: i64,
}

/// A vendor's tokens that are neither expired nor revoked.
pub fn outstanding(tx: &mut Tx, vendor: &VendorId, now: Instant) -> Result<Vec<Outstanding>, StoreError> {
    let rows: Vec<Counted> = Raw::new("SELECT t.client AS client, t.scope AS what, count(*) AS many FROM tokens t")
        .sql("WHERE t.client IN (SELECT c.id FROM clients c WHERE c.revoked_at IS NULL AND c.vendor =")
        .text(vendor)
        .sql(") AND t.revoked_at IS NULL AND t.expires_at >")
        .number(now.micros())
        .sql("GROUP BY t.client, t.scope")
        .load(tx)?;
    rows.into_iter()
        .map(|row| Ok(Outstanding { client: parse("client", row.client)?, scope: from_json("token", &row.what)?, tokens: row.many }))
        .collect()
}

/// A vendor's streams under way, on all brokers.
pub fn running(tx: &mut Tx, vendor: &VendorId) -> Result<Vec<Running>, StoreError> {
    let rows: Vec<Counted> = Raw::new("SELECT client, permit AS what, count(*) AS many FROM open_streams WHERE vendor =")
        .text(vendor)
        .sql("GROUP BY client, permit")
        .load(tx)?;
    rows.into_iter()
        .map(|row| Ok(Running { client: parse("client", row.client)?, permit: parse("permit", row.what)?, streams: row.many }))
        .collect()
}
