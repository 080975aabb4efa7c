//! Permits and their revisions; of those put in force the one whose time came last counts, and its terms stay.

pub mod lines;

use diesel::prelude::*;

use crate::domain::Instant;
use crate::domain::id::{AgreementId, VendorId};
use crate::domain::permit::{Permit, Revision, RevisionStatus, in_force};
use crate::domain::text::Slug;

use super::Tx;
use super::column::{from_json, instant, json, known, parse, parse_some};
use super::error::StoreError;
use super::schema::{permit_revisions, permits};

const NOUN: &str = "permit";
const REVISION: &str = "permit revision";

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = permits, primary_key(key), treat_none_as_default_value = false, treat_none_as_null = true)]
struct PermitRow {
    key: String,
    agreement: String,
    vendor: String,
    paused_at: Option<i64>,
    ended_at: Option<i64>,
    version: i64,
}

impl PermitRow {
    fn of(permit: &Permit, version: i64) -> Self {
        Self {
            key: permit.key.to_string(),
            agreement: permit.agreement.to_string(),
            vendor: permit.vendor.to_string(),
            paused_at: permit.paused_at.map(Instant::micros),
            ended_at: permit.ended_at.map(Instant::micros),
            version,
        }
    }

    fn read(self) -> Result<Permit, StoreError> {
        Ok(Permit {
            key: parse(NOUN, self.key)?,
            agreement: parse(NOUN, self.agreement)?,
            vendor: parse(NOUN, self.vendor)?,
            paused_at: instant(self.paused_at),
            ended_at: instant(self.ended_at),
            version: self.version,
        })
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = permit_revisions, treat_none_as_default_value = false)]
struct RevisionRow {
    permit: String,
    number: i32,
    agreement_version: i32,
    dataset: String,
    terms: String,
    status: String,
    policy: Option<String>,
    author: String,
    authors: String,
    approver: Option<String>,
    created_at: i64,
    in_force_at: Option<i64>,
    version: i64,
    purpose: String,
}

impl RevisionRow {
    fn of(revision: &Revision, version: i64) -> Result<Self, StoreError> {
        Ok(Self {
            permit: revision.permit.to_string(),
            number: revision.number,
            agreement_version: revision.agreement_version,
            dataset: revision.terms.dataset.to_string(),
            terms: json(REVISION, &revision.terms)?,
            status: revision.status.key().to_owned(),
            policy: revision.policy.as_ref().map(ToString::to_string),
            author: revision.author.to_string(),
            authors: json(REVISION, &revision.authors)?,
            approver: revision.approver.as_ref().map(ToString::to_string),
            created_at: revision.created_at.micros(),
            in_force_at: revision.in_force_at.map(Instant::micros),
            version,
            purpose: revision.terms.purpose.to_string(),
        })
    }

    fn read(self) -> Result<Revision, StoreError> {
        Ok(Revision {
            permit: parse(REVISION, self.permit)?,
            number: self.number,
            agreement_version: self.agreement_version,
            terms: from_json(REVISION, &self.terms)?,
            status: known(REVISION, RevisionStatus::from_key(&self.status))?,
            policy: parse_some(REVISION, self.policy)?,
            author: parse(REVISION, self.author)?,
            authors: from_json(REVISION, &self.authors)?,
            approver: parse_some(REVISION, self.approver)?,
            created_at: Instant::from_micros(self.created_at),
            in_force_at: instant(self.in_force_at),
            version: self.version,
        })
    }
}

/// Keeps a new permit.
pub fn insert(tx: &mut Tx, permit: &Permit) -> Result<(), StoreError> {
    diesel::insert_into(permits::table)
        .values(PermitRow::of(permit, permit.version))
        .execute(tx.conn())
        .map(drop)
        .map_err(|error| StoreError::taken(error, "permit"))
}

/// The permit of that key.
pub fn find(tx: &mut Tx, key: &Slug) -> Result<Permit, StoreError> {
    let row = permits::table.find(key.as_str()).select(PermitRow::as_select()).first(tx.conn()).optional()?;
    row.ok_or(StoreError::NotFound(NOUN))?.read()
}

/// Saves what was read as `permit.version`; answers the new version.
pub fn save(tx: &mut Tx, permit: &Permit) -> Result<i64, StoreError> {
    let next = permit.version.saturating_add(1);
    let saved = diesel::update(permits::table.find(permit.key.as_str()).filter(permits::version.eq(permit.version)))
        .set(PermitRow::of(permit, next))
        .execute(tx.conn())?;
    if saved == 1 { Ok(next) } else { Err(StoreError::Stale) }
}

/// A vendor's permits, by key.
pub fn list_by_vendor(tx: &mut Tx, vendor: &VendorId) -> Result<Vec<Permit>, StoreError> {
    let rows =
        permits::table.filter(permits::vendor.eq(vendor.as_str())).select(PermitRow::as_select()).order(permits::key).load(tx.conn())?;
    rows.into_iter().map(PermitRow::read).collect()
}

/// The permits of those keys that there are, by key.
pub fn list_by_keys(tx: &mut Tx, keys: &[Slug]) -> Result<Vec<Permit>, StoreError> {
    let keys: Vec<&str> = keys.iter().map(Slug::as_str).collect();
    let rows: Vec<PermitRow> =
        permits::table.filter(permits::key.eq_any(keys)).select(PermitRow::as_select()).order(permits::key).load(tx.conn())?;
    rows.into_iter().map(PermitRow::read).collect()
}

/// The permits under an agreement, by key.
pub fn list_by_agreement(tx: &mut Tx, agreement: &AgreementId) -> Result<Vec<Permit>, StoreError> {
    let rows = permits::table
        .filter(permits::agreement.eq(agreement.as_str()))
        .select(PermitRow::as_select())
        .order(permits::key)
        .load(tx.conn())?;
    rows.into_iter().map(PermitRow::read).collect()
}

/// Keeps a new revision; one in force supersedes the one that was.
pub fn insert_revision(tx: &mut Tx, revision: &Revision) -> Result<(), StoreError> {
    supersede_for(tx, revision)?;
    diesel::insert_into(permit_revisions::table)
        .values(RevisionRow::of(revision, revision.version)?)
        .execute(tx.conn())
        .map(drop)
        .map_err(|error| StoreError::taken(error, "permit_revision"))
}

/// The revision of that number.
pub fn find_revision(tx: &mut Tx, permit: &Slug, number: i32) -> Result<Revision, StoreError> {
    let row = permit_revisions::table.find((permit.as_str(), number)).select(RevisionRow::as_select()).first(tx.conn()).optional()?;
    row.ok_or(StoreError::NotFound(REVISION))?.read()
}

/// A permit's revisions, by number.
pub fn revisions(tx: &mut Tx, permit: &Slug) -> Result<Vec<Revision>, StoreError> {
    revisions_of(tx, std::slice::from_ref(permit))
}

/// Every revision of an agreement's permits, by permit and number.
pub fn revisions_by_agreement(tx: &mut Tx, agreement: &AgreementId) -> Result<Vec<Revision>, StoreError> {
    let rows = permit_revisions::table
        .inner_join(permits::table)
        .filter(permits::agreement.eq(agreement.as_str()))
        .select(RevisionRow::as_select())
        .order((permit_revisions::permit, permit_revisions::number))
        .load(tx.conn())?;
    rows.into_iter().map(RevisionRow::read).collect()
}

/// Every revision of a vendor's permits, by permit and number.
pub fn revisions_by_vendor(tx: &mut Tx, vendor: &VendorId) -> Result<Vec<Revision>, StoreError> {
    let rows = permit_revisions::table
        .inner_join(permits::table)
        .filter(permits::vendor.eq(vendor.as_str()))
        .select(RevisionRow::as_select())
        .order((permit_revisions::permit, permit_revisions::number))
        .load(tx.conn())?;
    rows.into_iter().map(RevisionRow::read).collect()
}

/// Every revision of several permits, by permit and number: one query whatever their number.
pub fn revisions_of(tx: &mut Tx, permits: &[Slug]) -> Result<Vec<Revision>, StoreError> {
    let keys: Vec<&str> = permits.iter().map(Slug::as_str).collect();
    let rows: Vec<RevisionRow> = permit_revisions::table
        .filter(permit_revisions::permit.eq_any(keys))
        .select(RevisionRow::as_select())
        .order((permit_revisions::permit, permit_revisions::number))
        .load(tx.conn())?;
    rows.into_iter().map(RevisionRow::read).collect()
}

/// The revisions of several permits that count or wait, by permit and number: one query whatever their number.
pub fn living_revisions(tx: &mut Tx, permits: &[Slug]) -> Result<Vec<Revision>, StoreError> {
    let keys: Vec<&str> = permits.iter().map(Slug::as_str).collect();
    let rows: Vec<RevisionRow> = permit_revisions::table
        .filter(permit_revisions::permit.eq_any(keys))
        .filter(permit_revisions::status.eq_any([RevisionStatus::Proposed.key(), RevisionStatus::InForce.key()]))
        .select(RevisionRow::as_select())
        .order((permit_revisions::permit, permit_revisions::number))
        .load(tx.conn())?;
    rows.into_iter().map(RevisionRow::read).collect()
}

/// Saves where a revision, read as `revision.version`, stands: status, policy, approver and the instant it came into
/// force; never its terms. One in force supersedes the one that was. Answers the new version.
pub fn save_revision(tx: &mut Tx, revision: &Revision) -> Result<i64, StoreError> {
    supersede_for(tx, revision)?;
    let next = revision.version.saturating_add(1);
    let read =
        permit_revisions::table.find((revision.permit.as_str(), revision.number)).filter(permit_revisions::version.eq(revision.version));
    let saved = diesel::update(read)
        .set((
            permit_revisions::status.eq(revision.status.key()),
            permit_revisions::policy.eq(revision.policy.as_ref().map(ToString::to_string)),
            permit_revisions::approver.eq(revision.approver.as_ref().map(ToString::to_string)),
            permit_revisions::in_force_at.eq(revision.in_force_at.map(Instant::micros)),
            permit_revisions::version.eq(next),
        ))
        .execute(tx.conn())?;
    if saved == 1 { Ok(next) } else { Err(StoreError::Stale) }
}

/// Rewrites the terms of a revision, read as `revision.version`, that nobody has decided yet; answers the new version.
pub fn rewrite_revision(tx: &mut Tx, revision: &Revision) -> Result<i64, StoreError> {
    let next = revision.version.saturating_add(1);
    let proposed = permit_revisions::table
        .find((revision.permit.as_str(), revision.number))
        .filter(permit_revisions::status.eq(RevisionStatus::Proposed.key()))
        .filter(permit_revisions::version.eq(revision.version));
    let row = RevisionRow::of(revision, next)?;
    let saved = diesel::update(proposed)
        .set((
            permit_revisions::dataset.eq(row.dataset),
            permit_revisions::terms.eq(row.terms),
            permit_revisions::author.eq(row.author),
            permit_revisions::authors.eq(row.authors),
            permit_revisions::approver.eq(row.approver),
            permit_revisions::created_at.eq(row.created_at),
            permit_revisions::version.eq(row.version),
            permit_revisions::purpose.eq(row.purpose),
        ))
        .execute(tx.conn())?;
    if saved == 1 { Ok(next) } else { Err(StoreError::Stale) }
}

/// What the permit says now.
pub fn in_force_revision(tx: &mut Tx, permit: &Slug) -> Result<Option<Revision>, StoreError> {
    let revisions = revisions(tx, permit)?;
    Ok(in_force(&revisions, tx.now()).cloned())
}

/// The revisions written under an agreement version that wait to come into force, by permit and number.
pub fn proposed(tx: &mut Tx, agreement: &AgreementId, agreement_version: i32) -> Result<Vec<Revision>, StoreError> {
    let rows = permit_revisions::table
        .inner_join(permits::table)
        .filter(permits::agreement.eq(agreement.as_str()))
        .filter(permit_revisions::agreement_version.eq(agreement_version))
        .filter(permit_revisions::status.eq(RevisionStatus::Proposed.key()))
        .select(RevisionRow::as_select())
        .order((permit_revisions::permit, permit_revisions::number))
        .load(tx.conn())?;
    rows.into_iter().map(RevisionRow::read).collect()
}

/// The keys of the permits that any revision of which is about a dataset, in order.
pub fn by_dataset(tx: &mut Tx, dataset: &Slug) -> Result<Vec<Slug>, StoreError> {
    let keys: Vec<String> = permit_revisions::table
        .filter(permit_revisions::dataset.eq(dataset.as_str()))
        .select(permit_revisions::permit)
        .distinct()
        .order(permit_revisions::permit)
        .load(tx.conn())?;
    keys.into_iter().map(|key| parse(NOUN, key)).collect()
}

/// One that is in force by now supersedes those before it; one that waits for its time leaves them as they are.
fn supersede_for(tx: &mut Tx, revision: &Revision) -> Result<(), StoreError> {
    let now = tx.now();
    let Some(from) = revision.in_force_at.filter(|from| *from <= now && revision.status == RevisionStatus::InForce) else { return Ok(()) };
    let others = permit_revisions::table
        .filter(permit_revisions::permit.eq(revision.permit.as_str()))
        .filter(permit_revisions::number.ne(revision.number))
        .filter(permit_revisions::in_force_at.le(from.micros()))
        .filter(permit_revisions::status.eq(RevisionStatus::InForce.key()));
    let superseded =
        (permit_revisions::status.eq(RevisionStatus::Superseded.key()), permit_revisions::version.eq(permit_revisions::version + 1));
    diesel::update(others).set(superseded).execute(tx.conn())?;
    Ok(())
}
