//! Small segments of the subject ledger, named by digest; the same segment is kept once.

use diesel::prelude::*;
use diesel::sql_types::{Binary, Text};

use crate::domain::text::Digest;

use super::Tx;
use super::error::StoreError;
use super::schema::segments;

/// Keeps a segment; one that is kept already changes nothing.
pub fn insert(tx: &mut Tx, digest: &Digest, bytes: &[u8]) -> Result<(), StoreError> {
    diesel::sql_query("INSERT INTO segments (digest, bytes) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING")
        .bind::<Text, _>(digest.as_str())
        .bind::<Binary, _>(bytes)
        .execute(tx.conn())?;
    Ok(())
}

/// A segment's bytes, if it is kept here.
pub fn find(tx: &mut Tx, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(segments::table.find(digest.as_str()).select(segments::bytes).first(tx.conn()).optional()?)
}
