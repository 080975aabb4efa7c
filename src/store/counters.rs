//! Counters that tell whether rights changed since a decision: one for each vendor, one for all.

use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::domain::id::VendorId;

use super::error::StoreError;
use super::schema::counters;
use super::{Scope, Tx};

/// The global counter's name; no vendor's id.
const ALL: &str = "all";

/// What a decision was made under. Equal counters: nothing was governed in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counters {
    pub all: i64,
    pub vendor: i64,
}

/// Both counters of a vendor, in one statement; 0 where nothing was governed yet.
pub fn read(tx: &mut Tx, vendor: &VendorId) -> Result<Counters, StoreError> {
    let rows: Vec<(String, i64)> = counters::table
        .filter(counters::scope.eq(ALL).or(counters::scope.eq(vendor.as_str())))
        .select((counters::scope, counters::value))
        .load(tx.conn())?;
    let of = |scope: &str| rows.iter().find(|(name, _)| name == scope).map_or(0, |(_, value)| *value);
    Ok(Counters { all: of(ALL), vendor: of(vendor.as_str()) })
}

/// Moves the counter of a scope; only `govern` does.
pub(super) fn bump(tx: &mut Tx, scope: &Scope) -> Result<(), StoreError> {
    let name = match scope {
        Scope::All => ALL,
        Scope::Vendor(vendor) => vendor.as_str(),
        Scope::People => return Ok(()),
    };
    diesel::sql_query("INSERT INTO counters (scope, value) VALUES ($1, 1) ON CONFLICT (scope) DO UPDATE SET value = counters.value + 1")
        .bind::<Text, _>(name)
        .execute(tx.conn())?;
    Ok(())
}
