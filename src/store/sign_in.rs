//! Failed sign-ins in a row, by account, device or address: hashes only, so the table tells nobody's name.

use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::domain::Instant;

use super::Tx;
use super::error::StoreError;
use super::schema::sign_in_failures;

/// Failures of one bucket: how many in a row, the last, and until when it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    pub failures: i64,
    pub last_at: Instant,
    pub open_at: Instant,
}

/// Keeps a bucket to this transaction until it ends, so that attempts at the same time are counted one after the
/// other. SQLite has one writer in any case. The two-part keys are apart from those of the gate.
pub fn lock(tx: &mut Tx, bucket: &str) -> Result<(), StoreError> {
    if tx.is_postgres() {
        diesel::sql_query("SELECT pg_advisory_xact_lock(hashtext('sign-in'), hashtext($1))").bind::<Text, _>(bucket).execute(tx.conn())?;
    }
    Ok(())
}

/// The failures of a bucket, if any are known.
pub fn find(tx: &mut Tx, bucket: &str) -> Result<Option<Row>, StoreError> {
    let row: Option<(i64, i64, i64)> = sign_in_failures::table
        .find(bucket)
        .select((sign_in_failures::failures, sign_in_failures::last_at, sign_in_failures::open_at))
        .first(tx.conn())
        .optional()?;
    let read =
        |(failures, last_at, open_at)| Row { failures, last_at: Instant::from_micros(last_at), open_at: Instant::from_micros(open_at) };
    Ok(row.map(read))
}

/// Keeps the failures of a bucket, whether it was known or not.
pub fn save(tx: &mut Tx, bucket: &str, row: &Row) -> Result<(), StoreError> {
    let values = (
        sign_in_failures::failures.eq(row.failures),
        sign_in_failures::last_at.eq(row.last_at.micros()),
        sign_in_failures::open_at.eq(row.open_at.micros()),
    );
    let updated = diesel::update(sign_in_failures::table.find(bucket)).set(values).execute(tx.conn())?;
    if updated == 0 {
        diesel::insert_into(sign_in_failures::table)
            .values((sign_in_failures::bucket.eq(bucket), values))
            .execute(tx.conn())
            .map_err(|error| StoreError::taken(error, "bucket"))?;
    }
    Ok(())
}

/// Forgets the failures of a bucket.
pub fn delete(tx: &mut Tx, bucket: &str) -> Result<(), StoreError> {
    diesel::delete(sign_in_failures::table.find(bucket)).execute(tx.conn())?;
    Ok(())
}

/// Forgets failures older than an instant.
pub fn delete_old(tx: &mut Tx, before: Instant) -> Result<usize, StoreError> {
    Ok(diesel::delete(sign_in_failures::table.filter(sign_in_failures::last_at.lt(before.micros()))).execute(tx.conn())?)
}
