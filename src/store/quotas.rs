//! What left under a permit: rows and subjects of a UTC day, requests of a minute; charges of several brokers add up.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::domain::text::Slug;
use crate::domain::{Date, Instant};

use super::Tx;
use super::column::{count, stored};
use super::error::StoreError;
use super::schema::{quota_use, request_use};

// SQLite numbers `$1`, `$2` by where each stands first in the text, whatever its digit: they stand in order here.

const NOUN: &str = "quota";

#[derive(QueryableByName)]
struct Total {
    #[diesel(sql_type = BigInt)]
    used: i64,
}

/// Rows charged so far.
pub fn used(tx: &mut Tx, permit: &Slug, day: Date) -> Result<u64, StoreError> {
    let used: Option<i64> =
        quota_use::table.find((permit.as_str(), day.to_string())).select(quota_use::used).first(tx.conn()).optional()?;
    count(NOUN, used.unwrap_or(0))
}

/// Charges rows and answers the new total. The row stays locked to the end of the transaction.
pub fn charge(tx: &mut Tx, permit: &Slug, day: Date, rows: u64) -> Result<u64, StoreError> {
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

/// Distinct subjects charged so far.
pub fn subjects_used(tx: &mut Tx, permit: &Slug, day: Date) -> Result<u64, StoreError> {
    let used: Option<i64> =
        quota_use::table.find((permit.as_str(), day.to_string())).select(quota_use::subjects).first(tx.conn()).optional()?;
    count(NOUN, used.unwrap_or(0))
}

/// Those of these subjects that were charged already.
pub fn known_subjects(tx: &mut Tx, permit: &Slug, day: Date, subjects: &[u64]) -> Result<BTreeSet<u64>, StoreError> {
    #[derive(QueryableByName)]
    struct Known {
        #[diesel(sql_type = BigInt)]
        subject: i64,
    }
    let asked = if tx.is_postgres() {
        "SELECT known.subject FROM json_array_elements_text($1::json) AS asked JOIN subject_use AS known \
         ON known.permit = $2 AND known.day = $3 AND known.subject = asked.value::bigint"
    } else {
        "SELECT known.subject FROM json_each($1) AS asked JOIN subject_use AS known \
         ON known.permit = $2 AND known.day = $3 AND known.subject = asked.value"
    };
    let known: Vec<Known> = diesel::sql_query(asked)
        .bind::<Text, _>(list(subjects)?)
        .bind::<Text, _>(permit.as_str())
        .bind::<Text, _>(day.to_string())
        .get_results(tx.conn())?;
    Ok(known.into_iter().map(|known| known.subject.cast_unsigned()).collect())
}

/// Charges the subjects that were not charged yet and answers the new total. Rows of the same day were charged before in
/// this transaction: that lock keeps two brokers from counting a subject twice. What earlier days held is let go.
pub fn charge_subjects(tx: &mut Tx, permit: &Slug, day: Date, subjects: &[u64]) -> Result<u64, StoreError> {
    diesel::sql_query("DELETE FROM subject_use WHERE permit = $1 AND day < $2")
        .bind::<Text, _>(permit.as_str())
        .bind::<Text, _>(day.to_string())
        .execute(tx.conn())?;
    let each = if tx.is_postgres() {
        "INSERT INTO subject_use (permit, day, subject) SELECT $1, $2, asked.value::bigint FROM json_array_elements_text($3::json) AS asked \
         ON CONFLICT DO NOTHING"
    } else {
        // `WHERE true` tells SQLite that ON begins no join.
        "INSERT INTO subject_use (permit, day, subject) SELECT $1, $2, asked.value FROM json_each($3) AS asked WHERE true \
         ON CONFLICT DO NOTHING"
    };
    let fresh = diesel::sql_query(each)
        .bind::<Text, _>(permit.as_str())
        .bind::<Text, _>(day.to_string())
        .bind::<Text, _>(list(subjects)?)
        .execute(tx.conn())?;
    let fresh = i64::try_from(fresh).map_err(|_| StoreError::Damaged(NOUN))?;
    let total: Total =
        diesel::sql_query("UPDATE quota_use SET subjects = subjects + $1 WHERE permit = $2 AND day = $3 RETURNING subjects AS used")
            .bind::<BigInt, _>(fresh)
            .bind::<Text, _>(permit.as_str())
            .bind::<Text, _>(day.to_string())
            .get_result(tx.conn())?;
    count(NOUN, total.used)
}

/// Subjects as a JSON list of the signed numbers that both databases bear.
fn list(subjects: &[u64]) -> Result<String, StoreError> {
    let signed: Vec<i64> = subjects.iter().map(|subject| subject.cast_signed()).collect();
    serde_json::to_string(&signed).map_err(|_| StoreError::Damaged(NOUN))
}

/// Requests charged so far in the minute of an instant.
pub fn requests(tx: &mut Tx, permit: &Slug, now: Instant) -> Result<u64, StoreError> {
    let newest: Option<(i64, i64)> =
        request_use::table.find(permit.as_str()).select((request_use::minute, request_use::used)).first(tx.conn()).optional()?;
    count(NOUN, newest.filter(|(minute, _)| *minute >= now.minute()).map_or(0, |(_, used)| used))
}

/// Charges a request and answers how many the minute has. A clock that was set back counts on in the minute it left.
pub fn charge_request(tx: &mut Tx, permit: &Slug, now: Instant) -> Result<u64, StoreError> {
    let total: Total = diesel::sql_query(
        "INSERT INTO request_use (permit, minute, used) VALUES ($1, $2, 1) ON CONFLICT (permit) DO UPDATE SET \
         used = CASE WHEN request_use.minute >= excluded.minute THEN request_use.used + 1 ELSE 1 END, \
         minute = CASE WHEN request_use.minute >= excluded.minute THEN request_use.minute ELSE excluded.minute END RETURNING used",
    )
    .bind::<Text, _>(permit.as_str())
    .bind::<BigInt, _>(now.minute())
    .get_result(tx.conn())?;
    count(NOUN, total.used)
}
