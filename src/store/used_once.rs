//! What may be taken once: who brings it again is told so by the database, whichever broker they bring it to.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::domain::Instant;
use crate::domain::client_key::Once;

use super::Tx;
use super::error::StoreError;

/// Takes it; says whether nobody had. Of two at once the second waits here for the first, and a transaction that does not
/// happen has taken nothing.
pub fn take(tx: &mut Tx, once: &Once) -> Result<bool, StoreError> {
    let taken = diesel::sql_query("INSERT INTO used_once (name, until) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
        .bind::<Text, _>(once.name.as_str())
        .bind::<BigInt, _>(once.until.micros())
        .execute(tx.conn())?;
    Ok(taken == 1)
}

/// Forgets what its age refuses by now, the oldest first; answers how many.
pub fn delete_old(tx: &mut Tx, before: Instant, limit: i64) -> Result<usize, StoreError> {
    let deleted =
        diesel::sql_query("DELETE FROM used_once WHERE name IN (SELECT name FROM used_once WHERE until < $1 ORDER BY until LIMIT $2)")
            .bind::<BigInt, _>(before.micros())
            .bind::<BigInt, _>(limit)
            .execute(tx.conn())?;
    Ok(deleted)
}
