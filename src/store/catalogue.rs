//! What pages read of the catalogue beside the nouns themselves: a few statements for a page, whatever its length.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};

use crate::domain::Instant;
use crate::domain::dataset::{LogicalType, Source};
use crate::domain::id::{AgreementId, SourceId, VendorId};
use crate::domain::permit::{PermitTerms, RevisionStatus};
use crate::domain::text::Slug;

use super::Tx;
use super::column::{from_json, instant, known, parse};
use super::error::StoreError;
use super::raw::Raw;

/// What a permit says of a dataset, with whom it is for.
#[derive(Debug, Clone, PartialEq)]
pub struct DatasetPermit {
    pub permit: Slug,
    pub number: i32,
    pub terms: PermitTerms,
    pub status: RevisionStatus,
    pub in_force_at: Option<Instant>,
    pub paused_at: Option<Instant>,
    pub vendor: VendorId,
    pub vendor_name: String,
    pub agreement: AgreementId,
    pub agreement_reference: String,
}

#[derive(QueryableByName)]
struct PermitRow {
    #[diesel(sql_type = Text)]
    permit: String,
    #[diesel(sql_type = Integer)]
    number: i32,
    #[diesel(sql_type = Text)]
    terms: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    in_force_at: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    paused_at: Option<i64>,
    #[diesel(sql_type = Text)]
    vendor: String,
    #[diesel(sql_type = Text)]
    vendor_name: String,
    #[diesel(sql_type = Text)]
    agreement: String,
    #[diesel(sql_type = Text)]
    agreement_reference: String,
}

impl PermitRow {
    fn read(self) -> Result<DatasetPermit, StoreError> {
        const NOUN: &str = "permit revision";
        Ok(DatasetPermit {
            permit: parse(NOUN, self.permit)?,
            number: self.number,
            terms: from_json(NOUN, &self.terms)?,
            status: known(NOUN, RevisionStatus::from_key(&self.status))?,
            in_force_at: instant(self.in_force_at),
            paused_at: instant(self.paused_at),
            vendor: parse(NOUN, self.vendor)?,
            vendor_name: self.vendor_name,
            agreement: parse(NOUN, self.agreement)?,
            agreement_reference: self.agreement_reference,
        })
    }
}

/// The revisions on a dataset that are in force or wait for approval, of permits that are not ended, by permit and
/// number; at most so many.
pub fn permits_of(tx: &mut Tx, dataset: &Slug, most: i64) -> Result<Vec<DatasetPermit>, StoreError> {
    let select = "SELECT r.permit, r.number, r.terms, r.status, r.in_force_at, p.paused_at, p.vendor, v.legal_name AS vendor_name, \
         p.agreement, a.reference AS agreement_reference \
         FROM permit_revisions r JOIN permits p ON p.key = r.permit JOIN vendors v ON v.id = p.vendor \
         JOIN agreements a ON a.id = p.agreement \
         WHERE p.ended_at IS NULL AND r.status IN ('in_force', 'proposed') AND r.dataset =";
    let rows: Vec<PermitRow> = Raw::new(select).text(dataset).sql("ORDER BY r.permit, r.number LIMIT").number(most).load(tx)?;
    rows.into_iter().map(PermitRow::read).collect()
}

#[derive(QueryableByName)]
struct TermsRow {
    #[diesel(sql_type = Text)]
    permit: String,
    #[diesel(sql_type = Text)]
    terms: String,
}

/// The first by key of a vendor's permits that says something now, with what it says; of those named where some are.
pub fn first_in_force(tx: &mut Tx, vendor: &VendorId, among: Option<&BTreeSet<Slug>>) -> Result<Option<(Slug, PermitTerms)>, StoreError> {
    let now = tx.now().micros();
    let mut raw = Raw::new("SELECT r.permit, r.terms FROM permit_revisions r JOIN permits p ON p.key = r.permit")
        .sql("WHERE p.ended_at IS NULL AND p.paused_at IS NULL AND r.status = 'in_force' AND p.vendor =")
        .text(vendor)
        .sql("AND r.in_force_at <=")
        .number(now);
    if let Some(among) = among {
        raw = raw.sql("AND p.key").among(among);
    }
    let rows: Vec<TermsRow> = raw.sql("ORDER BY r.permit, r.in_force_at DESC, r.number DESC LIMIT 1").load(tx)?;
    let read = |row: TermsRow| Ok((parse("permit", row.permit)?, from_json("permit revision", &row.terms)?));
    rows.into_iter().next().map(read).transpose()
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = BigInt)]
    many: i64,
}

fn counted(tx: &mut Tx, raw: Raw) -> Result<BTreeMap<String, i64>, StoreError> {
    Ok(raw.load::<Counted>(tx)?.into_iter().map(|row| (row.id, row.many)).collect())
}

/// How many permits that are not ended have something in force on each of these datasets.
pub fn permit_counts(tx: &mut Tx, datasets: &BTreeSet<String>) -> Result<BTreeMap<String, i64>, StoreError> {
    let select = "SELECT r.dataset AS id, count(DISTINCT r.permit) AS many FROM permit_revisions r JOIN permits p ON p.key = r.permit \
         WHERE p.ended_at IS NULL AND r.status = 'in_force' AND r.dataset";
    counted(tx, Raw::new(select).among(datasets).sql("GROUP BY r.dataset"))
}

/// How many datasets are catalogued of each of these sources.
pub fn dataset_counts(tx: &mut Tx, sources: &BTreeSet<String>) -> Result<BTreeMap<String, i64>, StoreError> {
    counted(tx, Raw::new("SELECT source AS id, count(*) AS many FROM datasets WHERE source").among(sources).sql("GROUP BY source"))
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    name: String,
}

/// The subject domains with the type of their keys, by name; at most so many.
pub fn subject_domains(tx: &mut Tx, most: i64) -> Result<Vec<(Slug, LogicalType)>, StoreError> {
    const NOUN: &str = "subject domain";
    let select = "SELECT name AS id, logical_type AS name FROM subject_domains ORDER BY name LIMIT";
    let rows: Vec<Named> = Raw::new(select).number(most).load(tx)?;
    let read = |row: Named| Ok((parse(NOUN, row.id)?, known(NOUN, LogicalType::from_key(&row.name))?));
    rows.into_iter().map(read).collect()
}

/// The type of a subject domain's keys; none where there is no such domain.
pub fn subject_domain(tx: &mut Tx, name: &Slug) -> Result<Option<LogicalType>, StoreError> {
    let select = "SELECT name AS id, logical_type AS name FROM subject_domains WHERE name =";
    let rows: Vec<Named> = Raw::new(select).text(name).load(tx)?;
    rows.into_iter().next().map(|row| known("subject domain", LogicalType::from_key(&row.name))).transpose()
}

#[derive(QueryableByName)]
struct SourceRow {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    location: String,
    #[diesel(sql_type = BigInt)]
    created_at: i64,
    #[diesel(sql_type = BigInt)]
    version: i64,
}

/// The sources, newest first; those older than `after` where it is given.
pub fn sources(tx: &mut Tx, after: Option<&SourceId>, most: i64) -> Result<Vec<Source>, StoreError> {
    const NOUN: &str = "source";
    let mut raw = Raw::new("SELECT id, name, location, created_at, version FROM sources WHERE 1 = 1");
    if let Some(after) = after {
        raw = raw.sql("AND id <").text(after);
    }
    let rows: Vec<SourceRow> = raw.sql("ORDER BY id DESC LIMIT").number(most).load(tx)?;
    let read = |row: SourceRow| {
        Ok(Source {
            id: parse(NOUN, row.id)?,
            name: parse(NOUN, row.name)?,
            location: from_json(NOUN, &row.location)?,
            created_at: Instant::from_micros(row.created_at),
            version: row.version,
        })
    };
    rows.into_iter().map(read).collect()
}
