//! Rows that left under a permit on a UTC day; charges of several brokers add up.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::domain::Date;
use crate::domain::text::Slug;

use super::Tx;
use super::column::{count, stored};
use super::error::StoreError;
use super::schema::quota_use;

const NOUN: &str = "quota";

/// Rows charged so far.
pub fn used(tx: &mut Tx, permit: &Slug, day: Date) -> Result<u64, StoreError> {
    let used: Option<i64> =
        quota_use::table.find((permit.as_str(), day.to_string())).select(quota_use::used).first(tx.conn()).optional()?;
    count(NOUN, used.unwrap_or(0))
}

/// Charges rows and answers the new total. The row stays locked to the end of the transaction.
pub fn charge(tx: &mut Tx, permit: &Slug, day: Date, rows: u64) -> Result<u64, StoreError> {
    #[derive(QueryableByName)]
    struct Total {
        #[diesel(sql_type = BigInt)]
        used: i64,
    }
    let total: Total = diesel::sql_query(
        "INSERT INTO quota_use (permit, day, used) VALUES ($1, $2, $3) \
         ON CONFLICT (permit, day) DO UPDATE SET used = quota_use.used + excluded.used RETURNING used",
    )
    .bind::<Text, _>(permit.as_str())
    .bind::<Text, _>(day.to_string())
    .bind::<BigInt, _>(stored(NOUN, rows)?)
    .get_result(tx.conn())?;
    count(NOUN, total.used)
}
