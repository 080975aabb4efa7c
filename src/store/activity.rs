//! Entries of the history counted by hour and kind as they get their position, so that no page counts a million of them.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::domain::Instant;

use super::Tx;
use super::error::StoreError;
use super::raw::Raw;
use super::schema::history_hours;

const MICROS: i64 = 3_600_000_000;

/// Entries of one kind that were made within one hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hour {
    /// Its first instant.
    pub begins: Instant,
    pub kind: String,
    pub entries: i64,
}

/// The number of an instant's hour, since 1970.
pub(super) const fn hour_of(at: Instant) -> i64 {
    at.micros().div_euclid(MICROS)
}

/// What was counted from the hour of an instant on, by hour and kind.
pub fn since(tx: &mut Tx, from: Instant) -> Result<Vec<Hour>, StoreError> {
    let rows: Vec<(i64, String, i64)> = history_hours::table
        .filter(history_hours::hour.ge(hour_of(from)))
        .select((history_hours::hour, history_hours::kind, history_hours::entries))
        .order((history_hours::hour, history_hours::kind))
        .load(tx.conn())?;
    let hour =
        |(hour, kind, entries): (i64, String, i64)| Hour { begins: Instant::from_micros(hour.saturating_mul(MICROS)), kind, entries };
    Ok(rows.into_iter().map(hour).collect())
}

/// The positions between which the entries of a time lie; `None` when there are none.
pub(super) fn span(tx: &mut Tx, from: Option<Instant>, to: Option<Instant>) -> Result<Option<(i64, i64)>, StoreError> {
    #[derive(QueryableByName)]
    struct Span {
        #[diesel(sql_type = Nullable<BigInt>)]
        first: Option<i64>,
        #[diesel(sql_type = Nullable<BigInt>)]
        last: Option<i64>,
    }
    let begin = from.map_or(i64::MIN, hour_of);
    let end = to.map_or(i64::MAX, hour_of);
    let spans: Vec<Span> = Raw::new("SELECT min(first_position) AS first, max(last_position) AS last FROM history_hours WHERE hour >=")
        .number(begin)
        .sql("AND hour <=")
        .number(end)
        .load(tx)?;
    Ok(spans.first().and_then(|span| span.first.zip(span.last)))
}

/// Counts one entry that got its position, which is higher than any before.
pub(super) fn count_one(tx: &mut Tx, hour: i64, kind: &str, position: i64) -> Result<(), StoreError> {
    diesel::sql_query(
        "INSERT INTO history_hours (hour, kind, entries, first_position, last_position) VALUES ($1, $2, 1, $3, $4) \
         ON CONFLICT (hour, kind) DO UPDATE SET entries = history_hours.entries + 1, last_position = excluded.last_position",
    )
    .bind::<BigInt, _>(hour)
    .bind::<Text, _>(kind)
    .bind::<BigInt, _>(position)
    .bind::<BigInt, _>(position)
    .execute(tx.conn())?;
    Ok(())
}

/// Counts the entries that got the positions from one up to another.
pub(super) fn count_from(tx: &mut Tx, from: i64, to: i64) -> Result<(), StoreError> {
    diesel::sql_query(
        "INSERT INTO history_hours (hour, kind, entries, first_position, last_position) \
         SELECT at / 3600000000, kind, count(*), min(position), max(position) FROM history_entries \
         WHERE position >= $1 AND position < $2 GROUP BY at / 3600000000, kind \
         ON CONFLICT (hour, kind) DO UPDATE \
         SET entries = history_hours.entries + excluded.entries, last_position = excluded.last_position",
    )
    .bind::<BigInt, _>(from)
    .bind::<BigInt, _>(to)
    .execute(tx.conn())?;
    Ok(())
}
