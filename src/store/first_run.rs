//! Whether anything of a kind is there yet: each question is answered by the first row found, however many there are.

use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::domain::Instant;
use crate::domain::person::Role;

use super::Tx;
use super::error::StoreError;
use super::raw::{Raw, number};

/// The roles that somebody holds who may sign in.
pub fn roles(tx: &mut Tx) -> Result<Vec<Role>, StoreError> {
    #[derive(QueryableByName)]
    struct Held {
        #[diesel(sql_type = Text)]
        role: String,
    }
    let held: Vec<Held> = Raw::new("SELECT DISTINCT role FROM people WHERE disabled_at IS NULL").load(tx)?;
    Ok(held.iter().filter_map(|held| Role::from_key(&held.role)).collect())
}

fn any(tx: &mut Tx, raw: Raw) -> Result<bool, StoreError> {
    Ok(number(tx, raw.sql("LIMIT 1"))? == 1)
}

/// Whether a dataset is catalogued.
pub fn dataset(tx: &mut Tx) -> Result<bool, StoreError> {
    any(tx, Raw::new("SELECT CAST(1 AS BIGINT) AS value FROM datasets"))
}

/// Whether a vendor is registered that is not given up.
pub fn vendor(tx: &mut Tx) -> Result<bool, StoreError> {
    any(tx, Raw::new("SELECT CAST(1 AS BIGINT) AS value FROM vendors WHERE lifecycle NOT IN ('rejected', 'retired')"))
}

/// Whether the review of a vendor is good at an instant: it was decided for, and has not lapsed.
pub fn reviewed(tx: &mut Tx, now: Instant) -> Result<bool, StoreError> {
    any(tx, Raw::new("SELECT CAST(1 AS BIGINT) AS value FROM vendors WHERE review_until >").number(now.micros()))
}

/// Whether a client of an active vendor works.
pub fn client(tx: &mut Tx) -> Result<bool, StoreError> {
    any(
        tx,
        Raw::new("SELECT CAST(1 AS BIGINT) AS value FROM clients c JOIN vendors v ON v.id = c.vendor")
            .sql("WHERE c.revoked_at IS NULL AND v.lifecycle = 'active'"),
    )
}

/// Whether rows ever left.
pub fn release(tx: &mut Tx) -> Result<bool, StoreError> {
    any(tx, Raw::new("SELECT CAST(1 AS BIGINT) AS value FROM history_hours WHERE kind IN ('release', 'opened')"))
}
