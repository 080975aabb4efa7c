//! Agreements and their versions; one agreement a reference, and a version begins when both parties' word says.

pub mod lines;

use diesel::prelude::*;

use crate::domain::Instant;
use crate::domain::agreement::{Agreement, AgreementKind, AgreementVersion, VersionStatus};
use crate::domain::id::{AgreementId, VendorId};

use super::column::{comparable, from_json, instant, json, known, parse, parse_some};
use super::error::StoreError;
use super::schema::{agreement_versions, agreements};
use super::{Page, Tx};

const NOUN: &str = "agreement";
const VERSION: &str = "agreement version";

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = agreements, treat_none_as_default_value = false, treat_none_as_null = true)]
struct AgreementRow {
    id: String,
    vendor: String,
    reference: String,
    kind: String,
    created_at: i64,
    ended_at: Option<i64>,
    version: i64,
}

impl AgreementRow {
    fn of(agreement: &Agreement, version: i64) -> Self {
        Self {
            id: agreement.id.to_string(),
            vendor: agreement.vendor.to_string(),
            reference: agreement.reference.to_string(),
            kind: agreement.kind.key().to_owned(),
            created_at: agreement.created_at.micros(),
            ended_at: agreement.ended_at.map(Instant::micros),
            version,
        }
    }

    fn read(self) -> Result<Agreement, StoreError> {
        Ok(Agreement {
            id: parse(NOUN, self.id)?,
            vendor: parse(NOUN, self.vendor)?,
            reference: parse(NOUN, self.reference)?,
            kind: known(NOUN, AgreementKind::from_key(&self.kind))?,
            created_at: Instant::from_micros(self.created_at),
            ended_at: instant(self.ended_at),
            version: self.version,
        })
    }
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = agreement_versions, primary_key(agreement, number))]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
struct VersionRow {
    agreement: String,
    number: i32,
    terms: String,
    status: String,
    signed_from: Option<i64>,
    document: Option<String>,
    author: String,
    authors: String,
    approver: Option<String>,
    comment: Option<String>,
    signatures: String,
    created_at: i64,
    version: i64,
    state: String,
    signed_until: Option<i64>,
}

impl VersionRow {
    fn of(written: &AgreementVersion, version: i64) -> Result<Self, StoreError> {
        Ok(Self {
            agreement: written.agreement.to_string(),
            number: written.number,
            terms: json(VERSION, &written.terms)?,
            status: json(VERSION, &written.status)?,
            signed_from: match &written.status {
                VersionStatus::Signed { from, .. } => Some(from.micros()),
                VersionStatus::Draft
                | VersionStatus::InReview { .. }
                | VersionStatus::Approved { .. }
                | VersionStatus::Superseded { .. }
                | VersionStatus::Terminated { .. } => None,
            },
            document: written.document.as_ref().map(ToString::to_string),
            author: written.author.to_string(),
            authors: json(VERSION, &written.authors)?,
            approver: written.approver.as_ref().map(ToString::to_string),
            comment: written.comment.as_ref().map(ToString::to_string),
            signatures: json(VERSION, &written.signatures)?,
            created_at: written.created_at.micros(),
            version,
            state: written.status.key().to_owned(),
            signed_until: match &written.status {
                VersionStatus::Signed { until, .. } => until.map(Instant::micros),
                VersionStatus::Draft
                | VersionStatus::InReview { .. }
                | VersionStatus::Approved { .. }
                | VersionStatus::Superseded { .. }
                | VersionStatus::Terminated { .. } => None,
            },
        })
    }

    fn read(self) -> Result<AgreementVersion, StoreError> {
        Ok(AgreementVersion {
            agreement: parse(VERSION, self.agreement)?,
            number: self.number,
            terms: from_json(VERSION, &self.terms)?,
            status: from_json(VERSION, &self.status)?,
            document: parse_some(VERSION, self.document)?,
            author: parse(VERSION, self.author)?,
            authors: from_json(VERSION, &self.authors)?,
            approver: parse_some(VERSION, self.approver)?,
            comment: parse_some(VERSION, self.comment)?,
            signatures: from_json(VERSION, &self.signatures)?,
            created_at: Instant::from_micros(self.created_at),
            version: self.version,
        })
    }
}

/// Keeps a new agreement.
pub fn insert(tx: &mut Tx, agreement: &Agreement) -> Result<(), StoreError> {
    diesel::insert_into(agreements::table)
        .values(AgreementRow::of(agreement, agreement.version))
        .execute(tx.conn())
        .map(drop)
        .map_err(|error| StoreError::taken(error, "reference"))
}

/// The agreement of that id.
pub fn find(tx: &mut Tx, id: &AgreementId) -> Result<Agreement, StoreError> {
    let row = agreements::table.find(id.as_str()).select(AgreementRow::as_select()).first(tx.conn()).optional()?;
    row.ok_or(StoreError::NotFound(NOUN))?.read()
}

/// Saves what was read as `agreement.version`; answers the new version.
pub fn save(tx: &mut Tx, agreement: &Agreement) -> Result<i64, StoreError> {
    let next = agreement.version.saturating_add(1);
    let read = agreements::table.find(agreement.id.as_str()).filter(agreements::version.eq(agreement.version));
    let saved = diesel::update(read)
        .set(AgreementRow::of(agreement, next))
        .execute(tx.conn())
        .map_err(|error| StoreError::taken(error, "reference"))?;
    if saved == 1 { Ok(next) } else { Err(StoreError::Stale) }
}

/// A vendor's agreements, newest first.
pub fn list_by_vendor(tx: &mut Tx, vendor: &VendorId) -> Result<Vec<Agreement>, StoreError> {
    let rows = agreements::table
        .filter(agreements::vendor.eq(vendor.as_str()))
        .select(AgreementRow::as_select())
        .order(agreements::id.desc())
        .load(tx.conn())?;
    rows.into_iter().map(AgreementRow::read).collect()
}

/// Every agreement, newest first.
pub fn list(tx: &mut Tx, page: &Page) -> Result<Vec<Agreement>, StoreError> {
    let mut query = agreements::table.select(AgreementRow::as_select()).order(agreements::id.desc()).limit(page.limit()).into_boxed();
    if let Some(after) = &page.after {
        if !comparable(after) {
            return Ok(Vec::new());
        }
        query = query.filter(agreements::id.lt(after.clone()));
    }
    let rows: Vec<AgreementRow> = query.load(tx.conn())?;
    rows.into_iter().map(AgreementRow::read).collect()
}

/// Keeps a new version; `Taken` when its number is.
pub fn insert_version(tx: &mut Tx, written: &AgreementVersion) -> Result<(), StoreError> {
    diesel::insert_into(agreement_versions::table)
        .values(VersionRow::of(written, written.version)?)
        .execute(tx.conn())
        .map(drop)
        .map_err(|error| StoreError::taken(error, "agreement_version"))
}

/// The version of that number.
pub fn find_version(tx: &mut Tx, agreement: &AgreementId, number: i32) -> Result<AgreementVersion, StoreError> {
    let row = agreement_versions::table.find((agreement.as_str(), number)).select(VersionRow::as_select()).first(tx.conn()).optional()?;
    row.ok_or(StoreError::NotFound(VERSION))?.read()
}

/// Every version, by number.
pub fn versions(tx: &mut Tx, agreement: &AgreementId) -> Result<Vec<AgreementVersion>, StoreError> {
    let rows = agreement_versions::table
        .filter(agreement_versions::agreement.eq(agreement.as_str()))
        .select(VersionRow::as_select())
        .order(agreement_versions::number)
        .load(tx.conn())?;
    rows.into_iter().map(VersionRow::read).collect()
}

/// The oldest drafts of agreements that have not ended.
pub(super) fn drafts(tx: &mut Tx, limit: i64) -> Result<Vec<(Agreement, AgreementVersion)>, StoreError> {
    let rows: Vec<(AgreementRow, VersionRow)> = agreement_versions::table
        .inner_join(agreements::table)
        .filter(agreement_versions::state.eq(VersionStatus::Draft.key()))
        .filter(agreements::ended_at.is_null())
        .select((AgreementRow::as_select(), VersionRow::as_select()))
        .order((agreement_versions::created_at, agreement_versions::agreement))
        .limit(limit)
        .load(tx.conn())?;
    rows.into_iter().map(|(agreement, version)| Ok((agreement.read()?, version.read()?))).collect()
}

/// Saves what was read as `written.version`; answers the new version.
pub fn save_version(tx: &mut Tx, written: &AgreementVersion) -> Result<i64, StoreError> {
    let next = written.version.saturating_add(1);
    let read = agreement_versions::table
        .find((written.agreement.as_str(), written.number))
        .filter(agreement_versions::version.eq(written.version));
    let saved = diesel::update(read).set(VersionRow::of(written, next)?).execute(tx.conn())?;
    if saved == 1 { Ok(next) } else { Err(StoreError::Stale) }
}

/// The newest signed version that has begun, also when it is over: an older one does not come back to life.
pub fn in_force(tx: &mut Tx, agreement: &AgreementId, now: Instant) -> Result<Option<AgreementVersion>, StoreError> {
    let row = agreement_versions::table
        .filter(agreement_versions::agreement.eq(agreement.as_str()))
        .filter(agreement_versions::signed_from.le(now.micros()))
        .select(VersionRow::as_select())
        .order(agreement_versions::number.desc())
        .first(tx.conn())
        .optional()?;
    row.map(VersionRow::read).transpose()
}

/// When the next signed version begins.
pub fn next_start(tx: &mut Tx, agreement: &AgreementId, now: Instant) -> Result<Option<Instant>, StoreError> {
    let next: Option<i64> = agreement_versions::table
        .filter(agreement_versions::agreement.eq(agreement.as_str()))
        .filter(agreement_versions::signed_from.gt(now.micros()))
        .select(diesel::dsl::min(agreement_versions::signed_from))
        .first(tx.conn())?;
    Ok(instant(next))
}
