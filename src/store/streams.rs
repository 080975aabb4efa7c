//! Streams under way and their tolls, so that what a crashed broker let out is known to the last toll.

use diesel::prelude::*;

use crate::domain::Instant;
use crate::domain::id::{ClientId, ReleaseId, TokenId, VendorId};
use crate::domain::text::{Digest, Slug};

use super::Tx;
use super::column::{count, parse, parse_some, stored};
use super::error::StoreError;
use super::schema::{open_streams, tolls};

const NOUN: &str = "stream";

/// A stream that has begun and not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenStream {
    pub release: ReleaseId,
    /// The name of the broker that sends it.
    pub broker: String,
    pub vendor: VendorId,
    pub client: ClientId,
    /// The token that it was opened under; none of those that began before this was noted.
    pub token: Option<TokenId>,
    pub permit: Slug,
    pub dataset: Slug,
    pub purpose: Slug,
    pub opened_at: Instant,
}

/// What was paid for before a chunk left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toll {
    pub release: ReleaseId,
    /// From 1 within the stream.
    pub number: i64,
    pub rows: u64,
    pub bytes: u64,
    /// Name of the chunk's segment of the subject ledger.
    pub segment: Digest,
    pub at: Instant,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = open_streams)]
struct StreamRow {
    release_id: String,
    broker: String,
    vendor: String,
    client: String,
    permit: String,
    dataset: String,
    purpose: String,
    opened_at: i64,
    token: Option<String>,
}

impl StreamRow {
    fn read(self) -> Result<OpenStream, StoreError> {
        Ok(OpenStream {
            release: parse(NOUN, self.release_id)?,
            broker: self.broker,
            vendor: parse(NOUN, self.vendor)?,
            client: parse(NOUN, self.client)?,
            permit: parse(NOUN, self.permit)?,
            dataset: parse(NOUN, self.dataset)?,
            purpose: parse(NOUN, self.purpose)?,
            opened_at: Instant::from_micros(self.opened_at),
            token: parse_some(NOUN, self.token)?,
        })
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = tolls)]
struct TollRow {
    release_id: String,
    number: i64,
    rows: i64,
    bytes: i64,
    segment: String,
    at: i64,
}

impl TollRow {
    fn read(self) -> Result<Toll, StoreError> {
        Ok(Toll {
            release: parse(NOUN, self.release_id)?,
            number: self.number,
            rows: count(NOUN, self.rows)?,
            bytes: count(NOUN, self.bytes)?,
            segment: parse(NOUN, self.segment)?,
            at: Instant::from_micros(self.at),
        })
    }
}

/// Notes that a stream begins.
pub fn open(tx: &mut Tx, stream: &OpenStream) -> Result<(), StoreError> {
    let row = StreamRow {
        release_id: stream.release.to_string(),
        broker: stream.broker.clone(),
        vendor: stream.vendor.to_string(),
        client: stream.client.to_string(),
        permit: stream.permit.to_string(),
        dataset: stream.dataset.to_string(),
        purpose: stream.purpose.to_string(),
        opened_at: stream.opened_at.micros(),
        token: stream.token.as_ref().map(ToString::to_string),
    };
    diesel::insert_into(open_streams::table).values(row).execute(tx.conn()).map(drop).map_err(|error| StoreError::taken(error, "stream"))
}

/// Notes a toll of an open stream; `NotFound` when the stream has ended.
pub fn toll(tx: &mut Tx, toll: &Toll) -> Result<(), StoreError> {
    let row = TollRow {
        release_id: toll.release.to_string(),
        number: toll.number,
        rows: stored(NOUN, toll.rows)?,
        bytes: stored(NOUN, toll.bytes)?,
        segment: toll.segment.to_string(),
        at: toll.at.micros(),
    };
    diesel::insert_into(tolls::table).values(row).execute(tx.conn()).map(drop).map_err(|error| StoreError::taken(error, "toll"))
}

/// Forgets a stream and its tolls: its end is in the history.
pub fn finish(tx: &mut Tx, release: &ReleaseId) -> Result<(), StoreError> {
    diesel::delete(tolls::table.filter(tolls::release_id.eq(release.as_str()))).execute(tx.conn())?;
    let finished = diesel::delete(open_streams::table.find(release.as_str())).execute(tx.conn())?;
    if finished == 1 { Ok(()) } else { Err(StoreError::NotFound(NOUN)) }
}

/// A broker's streams that have not ended, oldest first, with their tolls in order. When it has just started,
/// these are the ones it crashed in.
pub fn dangling(tx: &mut Tx, broker: &str) -> Result<Vec<(OpenStream, Vec<Toll>)>, StoreError> {
    let rows: Vec<StreamRow> = open_streams::table
        .filter(open_streams::broker.eq(broker))
        .select(StreamRow::as_select())
        .order(open_streams::release_id)
        .load(tx.conn())?;
    rows.into_iter()
        .map(|row| {
            let paid: Vec<TollRow> = tolls::table
                .filter(tolls::release_id.eq(&row.release_id))
                .select(TollRow::as_select())
                .order(tolls::number)
                .load(tx.conn())?;
            let paid = paid.into_iter().map(TollRow::read).collect::<Result<_, _>>()?;
            Ok((row.read()?, paid))
        })
        .collect()
}
