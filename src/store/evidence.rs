//! Evidence of vendors: what is said of a file; its bytes lie elsewhere under their digest. Accepted once, never edited.

use diesel::prelude::*;

use crate::domain::Instant;
use crate::domain::evidence::{Evidence, EvidenceFacts, EvidenceType};
use crate::domain::id::{EvidenceId, PersonId, VendorId};

use super::Tx;
use super::column::{day, known, parse, parse_some};
use super::error::StoreError;
use super::schema::evidence;

const NOUN: &str = "piece of evidence";

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = evidence, treat_none_as_default_value = false)]
struct EvidenceRow {
    id: String,
    vendor: String,
    name: String,
    kind: String,
    issued: String,
    expires: Option<String>,
    mandatory: bool,
    sha256: String,
    bytes: i64,
    uploaded_by: String,
    uploaded_at: i64,
    accepted_by: Option<String>,
}

impl EvidenceRow {
    fn read(self) -> Result<Evidence, StoreError> {
        Ok(Evidence {
            id: parse(NOUN, self.id)?,
            vendor: parse(NOUN, self.vendor)?,
            facts: EvidenceFacts {
                name: parse(NOUN, self.name)?,
                kind: known(NOUN, EvidenceType::from_key(&self.kind))?,
                issued: day(NOUN, &self.issued)?,
                expires: self.expires.map(|text| day(NOUN, &text)).transpose()?,
                mandatory: self.mandatory,
            },
            sha256: parse(NOUN, self.sha256)?,
            bytes: self.bytes,
            uploaded_by: parse(NOUN, self.uploaded_by)?,
            uploaded_at: Instant::from_micros(self.uploaded_at),
            accepted_by: parse_some(NOUN, self.accepted_by)?,
        })
    }
}

/// Keeps a new piece of evidence.
pub fn insert(tx: &mut Tx, piece: &Evidence) -> Result<(), StoreError> {
    let row = EvidenceRow {
        id: piece.id.to_string(),
        vendor: piece.vendor.to_string(),
        name: piece.facts.name.to_string(),
        kind: piece.facts.kind.key().to_owned(),
        issued: piece.facts.issued.to_string(),
        expires: piece.facts.expires.map(|day| day.to_string()),
        mandatory: piece.facts.mandatory,
        sha256: piece.sha256.to_string(),
        bytes: piece.bytes,
        uploaded_by: piece.uploaded_by.to_string(),
        uploaded_at: piece.uploaded_at.micros(),
        accepted_by: piece.accepted_by.as_ref().map(ToString::to_string),
    };
    diesel::insert_into(evidence::table).values(row).execute(tx.conn()).map(drop).map_err(|error| StoreError::taken(error, "evidence"))
}

/// The piece of that id.
pub fn find(tx: &mut Tx, id: &EvidenceId) -> Result<Evidence, StoreError> {
    let row = evidence::table.find(id.as_str()).select(EvidenceRow::as_select()).first(tx.conn()).optional()?;
    row.ok_or(StoreError::NotFound(NOUN))?.read()
}

/// A vendor's evidence, newest first.
pub fn list_by_vendor(tx: &mut Tx, vendor: &VendorId) -> Result<Vec<Evidence>, StoreError> {
    let rows = evidence::table
        .filter(evidence::vendor.eq(vendor.as_str()))
        .select(EvidenceRow::as_select())
        .order(evidence::id.desc())
        .load(tx.conn())?;
    rows.into_iter().map(EvidenceRow::read).collect()
}

/// The evidence of several vendors.
pub(super) fn list_by_vendors(tx: &mut Tx, vendors: &[String]) -> Result<Vec<Evidence>, StoreError> {
    let rows: Vec<EvidenceRow> =
        evidence::table.filter(evidence::vendor.eq_any(vendors)).select(EvidenceRow::as_select()).load(tx.conn())?;
    rows.into_iter().map(EvidenceRow::read).collect()
}

/// A part of a vendor's evidence, newest first.
pub fn page(tx: &mut Tx, vendor: &VendorId, after: Option<&EvidenceId>, limit: i64) -> Result<Vec<Evidence>, StoreError> {
    let mut query = evidence::table.filter(evidence::vendor.eq(vendor.as_str().to_owned())).into_boxed();
    if let Some(after) = after {
        query = query.filter(evidence::id.lt(after.as_str().to_owned()));
    }
    let rows: Vec<EvidenceRow> = query.select(EvidenceRow::as_select()).order(evidence::id.desc()).limit(limit).load(tx.conn())?;
    rows.into_iter().map(EvidenceRow::read).collect()
}

/// How many pieces of evidence a vendor has.
pub fn count(tx: &mut Tx, vendor: &VendorId) -> Result<i64, StoreError> {
    Ok(evidence::table.filter(evidence::vendor.eq(vendor.as_str())).count().get_result(tx.conn())?)
}

/// The pieces of these ids, as far as they are the vendor's, newest first.
pub fn list_by_ids(tx: &mut Tx, vendor: &VendorId, ids: &[EvidenceId]) -> Result<Vec<Evidence>, StoreError> {
    let ids: Vec<&str> = ids.iter().map(EvidenceId::as_str).collect();
    let rows = evidence::table
        .filter(evidence::vendor.eq(vendor.as_str()))
        .filter(evidence::id.eq_any(ids))
        .select(EvidenceRow::as_select())
        .order(evidence::id.desc())
        .load(tx.conn())?;
    rows.into_iter().map(EvidenceRow::read).collect()
}

/// Marks one piece as read and accepted by a person; who accepted it first stays.
pub fn accept(tx: &mut Tx, id: &EvidenceId, by: &PersonId) -> Result<(), StoreError> {
    diesel::update(evidence::table.find(id.as_str()).filter(evidence::accepted_by.is_null()))
        .set(evidence::accepted_by.eq(by.as_str()))
        .execute(tx.conn())?;
    Ok(())
}

/// Marks every piece of a vendor that nobody accepted yet as accepted by a person.
pub fn accept_all(tx: &mut Tx, vendor: &VendorId, by: &PersonId) -> Result<(), StoreError> {
    diesel::update(evidence::table.filter(evidence::vendor.eq(vendor.as_str())).filter(evidence::accepted_by.is_null()))
        .set(evidence::accepted_by.eq(by.as_str()))
        .execute(tx.conn())?;
    Ok(())
}

/// The vendor's accepted evidence that releases rest on, newest first.
pub fn mandatory(tx: &mut Tx, vendor: &VendorId) -> Result<Vec<Evidence>, StoreError> {
    let rows = evidence::table
        .filter(evidence::vendor.eq(vendor.as_str()))
        .filter(evidence::mandatory.eq(true))
        .filter(evidence::accepted_by.is_not_null())
        .select(EvidenceRow::as_select())
        .order(evidence::id.desc())
        .load(tx.conn())?;
    rows.into_iter().map(EvidenceRow::read).collect()
}
