//! The kill switch: one row, of the last stop of everything; none before the first.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::domain::Instant;
use crate::domain::kill_switch::KillSwitch;

use super::Tx;
use super::column::{instant, parse};
use super::error::StoreError;
use super::raw::Raw;
use super::schema::kill_switch;

const NOUN: &str = "kill switch";

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = BigInt)]
    stopped_at: i64,
    #[diesel(sql_type = Text)]
    stopped_by: String,
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
    #[diesel(sql_type = Text)]
    reason: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    lifted_at: Option<i64>,
}

/// The last stop of everything, lifted or not.
pub fn find(tx: &mut Tx) -> Result<Option<KillSwitch>, StoreError> {
    let rows: Vec<Found> = Raw::new("SELECT k.stopped_at, k.stopped_by, p.name AS name, k.reason, k.lifted_at FROM kill_switch k")
        .sql("LEFT JOIN people p ON p.id = k.stopped_by")
        .load(tx)?;
    let read = |row: Found| {
        Ok(KillSwitch {
            stopped_at: Instant::from_micros(row.stopped_at),
            stopped_by: row.stopped_by,
            name: row.name,
            reason: parse(NOUN, row.reason)?,
            lifted_at: instant(row.lifted_at),
        })
    };
    rows.into_iter().next().map(read).transpose()
}

/// Keeps the last stop in the place of the one before.
pub fn keep(tx: &mut Tx, last: &KillSwitch) -> Result<(), StoreError> {
    diesel::delete(kill_switch::table).execute(tx.conn())?;
    diesel::insert_into(kill_switch::table)
        .values((
            kill_switch::scope.eq("everything"),
            kill_switch::stopped_at.eq(last.stopped_at.micros()),
            kill_switch::stopped_by.eq(last.stopped_by.as_str()),
            kill_switch::reason.eq(last.reason.as_str()),
            kill_switch::lifted_at.eq(last.lifted_at.map(Instant::micros)),
        ))
        .execute(tx.conn())?;
    Ok(())
}
