//! Forms that were sent, so that a form sent twice does its act once.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::domain::Instant;

use super::Tx;
use super::error::StoreError;
use super::schema::sent_forms;

/// What is known of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// It is being done just now.
    Doing,
    /// It was done, and led to a page; empty where it showed something once.
    Done(String),
}

/// What became of a form, if it was sent before.
pub fn find(tx: &mut Tx, form: &str) -> Result<Option<Sent>, StoreError> {
    let row: Option<Option<String>> = sent_forms::table.find(form).select(sent_forms::led_to).first(tx.conn()).optional()?;
    Ok(row.map(|led_to| led_to.map_or(Sent::Doing, Sent::Done)))
}

/// Notes that a form is being done; says whether nobody had noted it. One that is sent twice at once waits here for the
/// other: an insert that failed would end the transaction on PostgreSQL.
pub fn insert(tx: &mut Tx, form: &str, at: Instant) -> Result<bool, StoreError> {
    let inserted = diesel::sql_query("INSERT INTO sent_forms (digest, sent_at) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING")
        .bind::<Text, _>(form)
        .bind::<BigInt, _>(at.micros())
        .execute(tx.conn())?;
    Ok(inserted == 1)
}

/// Notes where a form led.
pub fn done(tx: &mut Tx, form: &str, led_to: &str) -> Result<(), StoreError> {
    diesel::update(sent_forms::table.find(form)).set(sent_forms::led_to.eq(led_to)).execute(tx.conn())?;
    Ok(())
}

/// Forgets a form that came to nothing, so that it can be mended and sent again.
pub fn delete(tx: &mut Tx, form: &str) -> Result<(), StoreError> {
    diesel::delete(sent_forms::table.find(form)).execute(tx.conn())?;
    Ok(())
}

/// Forgets forms sent before an instant.
pub fn delete_old(tx: &mut Tx, before: Instant) -> Result<usize, StoreError> {
    Ok(diesel::delete(sent_forms::table.filter(sent_forms::sent_at.lt(before.micros()))).execute(tx.conn())?)
}
