//! What hangs on a vendor, on a signing key or on everything just now: tokens, counted by client and scope, and streams.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::domain::Instant;
use crate::domain::id::{ClientId, TokenId, VendorId};
use crate::domain::text::{Kid, Slug};

use super::Tx;
use super::column::{from_json, parse, parse_some};
use super::error::StoreError;
use super::raw::Raw;

/// Good tokens of one client that name the same permits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outstanding {
    pub client: ClientId,
    pub scope: Vec<Slug>,
    pub tokens: i64,
}

/// Running streams of one token of a client under one permit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    pub client: ClientId,
    /// None of streams that began before this was noted.
    pub token: Option<TokenId>,
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
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        client: String,
        #[diesel(sql_type = Nullable<Text>)]
        token: Option<String>,
        #[diesel(sql_type = Text)]
        permit: String,
        #[diesel(sql_type = BigInt)]
        many: i64,
    }
    let rows: Vec<Row> = Raw::new("SELECT client, token, permit, count(*) AS many FROM open_streams WHERE vendor =")
        .text(vendor)
        .sql("GROUP BY client, token, permit")
        .load(tx)?;
    let read = |row: Row| {
        Ok(Running {
            client: parse("client", row.client)?,
            token: parse_some("token", row.token)?,
            permit: parse("permit", row.permit)?,
            streams: row.many,
        })
    };
    rows.into_iter().map(read).collect()
}

/// The good tokens that a key signed.
pub fn outstanding_of_key(tx: &mut Tx, kid: &Kid, now: Instant) -> Result<Vec<Outstanding>, StoreError> {
    let rows: Vec<Counted> = Raw::new("SELECT t.client AS client, t.scope AS what, count(*) AS many FROM tokens t WHERE t.kid =")
        .text(kid)
        .sql("AND t.revoked_at IS NULL AND t.expires_at >")
        .number(now.micros())
        .sql("AND t.client IN (SELECT c.id FROM clients c WHERE c.revoked_at IS NULL) GROUP BY t.client, t.scope")
        .load(tx)?;
    rows.into_iter()
        .map(|row| Ok(Outstanding { client: parse("client", row.client)?, scope: from_json("token", &row.what)?, tokens: row.many }))
        .collect()
}

#[derive(QueryableByName)]
struct Many {
    #[diesel(sql_type = BigInt)]
    many: i64,
}

/// Streams under way that were opened under tokens of a key: a token is kept while its streams run.
pub fn running_of_key(tx: &mut Tx, kid: &Kid) -> Result<i64, StoreError> {
    let rows: Vec<Many> =
        Raw::new("SELECT count(*) AS many FROM open_streams s JOIN tokens t ON t.id = s.token WHERE t.kid =").text(kid).load(tx)?;
    Ok(rows.first().map_or(0, |row| row.many))
}

/// Everything that flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Everything {
    /// Clients that are not revoked.
    pub clients: i64,
    /// Their tokens that are neither expired nor revoked.
    pub tokens: i64,
    /// Permits that are not ended.
    pub permits: i64,
    /// Streams under way, on all brokers.
    pub streams: i64,
    /// When data last began to leave.
    pub last_pull: Option<Instant>,
}

/// Counts everything that flows, of all vendors, in one statement.
pub fn everything(tx: &mut Tx, now: Instant) -> Result<Everything, StoreError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        clients: i64,
        #[diesel(sql_type = BigInt)]
        good: i64,
        #[diesel(sql_type = BigInt)]
        unended: i64,
        #[diesel(sql_type = BigInt)]
        streams: i64,
        #[diesel(sql_type = Nullable<BigInt>)]
        pulled: Option<i64>,
    }
    // The newest hour of each kind names the position of its last entry.
    let rows: Vec<Row> = Raw::new("SELECT (SELECT count(*) FROM clients WHERE revoked_at IS NULL) AS clients,")
        .sql("(SELECT count(*) FROM tokens t JOIN clients c ON c.id = t.client")
        .sql("WHERE c.revoked_at IS NULL AND t.revoked_at IS NULL AND t.expires_at >")
        .number(now.micros())
        .sql(") AS good, (SELECT count(*) FROM permits WHERE ended_at IS NULL) AS unended,")
        .sql("(SELECT count(*) FROM open_streams) AS streams,")
        .sql("(SELECT e.at FROM history_entries e WHERE e.position =")
        .sql("(SELECT max(h.last_position) FROM history_hours h WHERE h.kind IN ('release', 'opened'))) AS pulled")
        .load(tx)?;
    let row = rows.into_iter().next().ok_or(StoreError::Damaged("count"))?;
    let Row { clients, good, unended, streams, pulled } = row;
    Ok(Everything { clients, tokens: good, permits: unended, streams, last_pull: pulled.map(Instant::from_micros) })
}
