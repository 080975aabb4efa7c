//! Vendors; one a legal name, case and spaces aside.

use diesel::prelude::*;

use crate::domain::Instant;
use crate::domain::id::{PersonId, VendorId};
use crate::domain::vendor::{Lifecycle, Tier, Vendor, VendorProfile, VendorRole};

use super::column::{comparable, from_json, json, known, like, parse, parse_some};
use super::conn::MultiBackend;
use super::error::StoreError;
use super::schema::vendors;
use super::{Page, Tx};

const NOUN: &str = "vendor";

/// What a list of vendors is narrowed to; nothing given is every vendor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VendorFilter {
    pub lifecycle: Option<Lifecycle>,
    pub tier: Option<Tier>,
    pub owner: Option<PersonId>,
    /// A part of the legal name, case aside.
    pub search: Option<String>,
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = vendors, treat_none_as_default_value = false, treat_none_as_null = true)]
struct VendorRow {
    id: String,
    legal_name: String,
    name_key: String,
    trade_name: Option<String>,
    country: String,
    address: Option<String>,
    role: String,
    tier: String,
    tier_note: Option<String>,
    owner: String,
    contacts: String,
    data_locations: String,
    lifecycle: String,
    lifecycle_since: i64,
    created_at: i64,
    updated_at: i64,
    version: i64,
}

impl VendorRow {
    fn of(vendor: &Vendor, version: i64) -> Result<Self, StoreError> {
        let profile = &vendor.profile;
        Ok(Self {
            id: vendor.id.to_string(),
            legal_name: profile.legal_name.to_string(),
            name_key: profile.name_key(),
            trade_name: profile.trade_name.as_ref().map(ToString::to_string),
            country: profile.country.to_string(),
            address: profile.address.as_ref().map(ToString::to_string),
            role: profile.role.key().to_owned(),
            tier: profile.tier.key().to_owned(),
            tier_note: profile.tier_note.as_ref().map(ToString::to_string),
            owner: profile.owner.to_string(),
            contacts: json(NOUN, &profile.contacts)?,
            data_locations: json(NOUN, &profile.data_locations)?,
            lifecycle: vendor.lifecycle.key().to_owned(),
            lifecycle_since: vendor.lifecycle_since.micros(),
            created_at: vendor.created_at.micros(),
            updated_at: vendor.updated_at.micros(),
            version,
        })
    }

    fn read(self) -> Result<Vendor, StoreError> {
        Ok(Vendor {
            id: parse(NOUN, self.id)?,
            profile: VendorProfile {
                legal_name: parse(NOUN, self.legal_name)?,
                trade_name: parse_some(NOUN, self.trade_name)?,
                country: parse(NOUN, self.country)?,
                address: parse_some(NOUN, self.address)?,
                role: known(NOUN, VendorRole::from_key(&self.role))?,
                tier: known(NOUN, Tier::from_key(&self.tier))?,
                tier_note: parse_some(NOUN, self.tier_note)?,
                owner: parse(NOUN, self.owner)?,
                contacts: from_json(NOUN, &self.contacts)?,
                data_locations: from_json(NOUN, &self.data_locations)?,
            },
            lifecycle: known(NOUN, Lifecycle::from_key(&self.lifecycle))?,
            lifecycle_since: Instant::from_micros(self.lifecycle_since),
            created_at: Instant::from_micros(self.created_at),
            updated_at: Instant::from_micros(self.updated_at),
            version: self.version,
        })
    }
}

/// Keeps a new vendor.
pub fn insert(tx: &mut Tx, vendor: &Vendor) -> Result<(), StoreError> {
    diesel::insert_into(vendors::table)
        .values(VendorRow::of(vendor, vendor.version)?)
        .execute(tx.conn())
        .map(drop)
        .map_err(|error| StoreError::taken(error, "legal_name"))
}

/// The vendor of that id.
pub fn find(tx: &mut Tx, id: &VendorId) -> Result<Vendor, StoreError> {
    let row = vendors::table.find(id.as_str()).select(VendorRow::as_select()).first(tx.conn()).optional()?;
    row.ok_or(StoreError::NotFound(NOUN))?.read()
}

/// The vendors of these ids.
pub(super) fn list_by_ids(tx: &mut Tx, ids: &[String]) -> Result<Vec<Vendor>, StoreError> {
    let rows: Vec<VendorRow> = vendors::table.filter(vendors::id.eq_any(ids)).select(VendorRow::as_select()).load(tx.conn())?;
    rows.into_iter().map(VendorRow::read).collect()
}

/// Saves what was read as `vendor.version`; answers the new version.
pub fn save(tx: &mut Tx, vendor: &Vendor) -> Result<i64, StoreError> {
    let next = vendor.version.saturating_add(1);
    let saved = diesel::update(vendors::table.find(vendor.id.as_str()).filter(vendors::version.eq(vendor.version)))
        .set(VendorRow::of(vendor, next)?)
        .execute(tx.conn())
        .map_err(|error| StoreError::taken(error, "legal_name"))?;
    if saved != 1 {
        return Err(StoreError::Stale);
    }
    if vendor.lifecycle == Lifecycle::Retired {
        // Nobody reviews a retired vendor again.
        diesel::update(vendors::table.find(vendor.id.as_str())).set(vendors::review_until.eq(None::<i64>)).execute(tx.conn())?;
    }
    Ok(next)
}

/// The vendors that fit, newest first.
pub fn list(tx: &mut Tx, filter: &VendorFilter, page: &Page) -> Result<Vec<Vendor>, StoreError> {
    if !answerable(filter) || page.after.as_deref().is_some_and(|after| !comparable(after)) {
        return Ok(Vec::new());
    }
    let mut query = fitting(filter).order(vendors::id.desc()).limit(page.limit());
    if let Some(after) = &page.after {
        query = query.filter(vendors::id.lt(after.clone()));
    }
    let rows: Vec<VendorRow> = query.select(VendorRow::as_select()).load(tx.conn())?;
    rows.into_iter().map(VendorRow::read).collect()
}

/// How many vendors fit.
pub fn count(tx: &mut Tx, filter: &VendorFilter) -> Result<i64, StoreError> {
    if !answerable(filter) {
        return Ok(0);
    }
    Ok(fitting(filter).count().get_result(tx.conn())?)
}

fn answerable(filter: &VendorFilter) -> bool {
    filter.search.as_deref().is_none_or(comparable)
}

fn fitting(filter: &VendorFilter) -> vendors::BoxedQuery<'static, MultiBackend> {
    let mut query = vendors::table.into_boxed();
    if let Some(lifecycle) = filter.lifecycle {
        query = query.filter(vendors::lifecycle.eq(lifecycle.key()));
    }
    if let Some(tier) = filter.tier {
        query = query.filter(vendors::tier.eq(tier.key()));
    }
    if let Some(owner) = &filter.owner {
        query = query.filter(vendors::owner.eq(owner.to_string()));
    }
    if let Some(search) = &filter.search {
        // Both sides are folded by the same rules; the databases' own differ.
        let folded = search.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        query = query.filter(vendors::name_key.like(format!("%{}%", like(&folded))).escape('\\'));
    }
    query
}
