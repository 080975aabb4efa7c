//! Names of many nouns at once, one statement for each kind of noun, so that a page of a thousand lines asks no more.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use diesel::sql_types::Text;

use super::Tx;
use super::column::comparable;
use super::error::StoreError;
use super::raw::Raw;

/// Names by id; what has no name any more is not in it.
pub type Names = BTreeMap<String, String>;

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    name: String,
}

fn named(tx: &mut Tx, select: &str, ids: &BTreeSet<String>) -> Result<Names, StoreError> {
    let rows: Vec<Named> = Raw::new(select).among(ids).load(tx)?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

/// Names of people, disabled ones too.
pub fn people(tx: &mut Tx, ids: &BTreeSet<String>) -> Result<Names, StoreError> {
    named(tx, "SELECT id, name FROM people WHERE id", ids)
}

/// Legal names of vendors.
pub fn vendors(tx: &mut Tx, ids: &BTreeSet<String>) -> Result<Names, StoreError> {
    named(tx, "SELECT id, legal_name AS name FROM vendors WHERE id", ids)
}

/// Names of sources.
pub fn sources(tx: &mut Tx, ids: &BTreeSet<String>) -> Result<Names, StoreError> {
    named(tx, "SELECT id, name FROM sources WHERE id", ids)
}

/// References of agreements.
pub fn agreements(tx: &mut Tx, ids: &BTreeSet<String>) -> Result<Names, StoreError> {
    named(tx, "SELECT id, reference AS name FROM agreements WHERE id", ids)
}

/// Names of clients, revoked ones too.
pub fn clients(tx: &mut Tx, ids: &BTreeSet<String>) -> Result<Names, StoreError> {
    named(tx, "SELECT id, name FROM clients WHERE id", ids)
}

/// Ids and legal names of vendors, the first by name.
pub fn first_vendors(tx: &mut Tx, limit: i64) -> Result<Vec<(String, String)>, StoreError> {
    listed(tx, Raw::new("SELECT id, legal_name AS name FROM vendors ORDER BY name_key LIMIT").number(limit))
}

/// Ids and names of people, disabled ones too, the first by name.
pub fn first_people(tx: &mut Tx, limit: i64) -> Result<Vec<(String, String)>, StoreError> {
    listed(tx, Raw::new("SELECT id, name FROM people ORDER BY name, id LIMIT").number(limit))
}

/// Ids and names of datasets, the first by name.
pub fn first_datasets(tx: &mut Tx, limit: i64) -> Result<Vec<(String, String)>, StoreError> {
    listed(tx, Raw::new("SELECT id, name FROM datasets ORDER BY name LIMIT").number(limit))
}

/// Id and legal name of the vendor of an id, or of a key as `VendorProfile::name_key` makes it.
pub fn vendor_called(tx: &mut Tx, id_or_key: &str) -> Result<Option<(String, String)>, StoreError> {
    if !comparable(id_or_key) {
        return Ok(None);
    }
    let raw = Raw::new("SELECT id, legal_name AS name FROM vendors WHERE id =").text(id_or_key).sql("OR name_key =").text(id_or_key);
    Ok(listed(tx, raw)?.into_iter().next())
}

fn listed(tx: &mut Tx, raw: Raw) -> Result<Vec<(String, String)>, StoreError> {
    let rows: Vec<Named> = raw.load(tx)?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}
