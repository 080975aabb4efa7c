//! Vendors as the list shows them; a page costs the same statements whatever it holds and however long the history is.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};

use crate::domain::Instant;
use crate::domain::agreement::VersionStatus;
use crate::domain::assessment::AssessmentKind;
use crate::domain::id::{AgreementId, AssessmentId, PersonId, VendorId};
use crate::domain::text::{Country, Name};
use crate::domain::vendor::{Lifecycle, Tier, VendorRole};

use super::Tx;
use super::column::{comparable, from_json, instant, known, like, parse};
use super::error::StoreError;
use super::raw::{Raw, number};

const NOUN: &str = "vendor";

/// What comes first in the list. Ties are settled by the id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VendorSort {
    /// By legal name, case aside.
    Name,
    /// The last registered first.
    Newest,
    /// The most critical first.
    Tier,
    /// The review that falls due first; vendors without one last.
    Review,
}

/// When the next review falls due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewSpan {
    /// No review is scheduled.
    Never,
    /// After the first instant and up to the second.
    Within { after: Option<Instant>, up_to: Option<Instant> },
}

/// What the list is narrowed to; nothing given is every vendor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OverviewFilter {
    pub lifecycle: Option<Lifecycle>,
    pub tier: Option<Tier>,
    pub owner: Option<PersonId>,
    /// A part of the legal name, case aside.
    pub search: Option<String>,
    pub review: Option<ReviewSpan>,
    pub country: Option<Country>,
}

/// Where a page begins: after the row with this key and id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After {
    Text(String, String),
    Number(i64, String),
}

/// A vendor with what its own row says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverviewRow {
    pub id: VendorId,
    pub legal_name: Name,
    pub country: Country,
    pub role: VendorRole,
    pub tier: Tier,
    pub lifecycle: Lifecycle,
    pub owner: PersonId,
    pub owner_name: Option<String>,
    pub review_until: Option<Instant>,
    /// What the next page begins after.
    pub after: After,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    legal_name: String,
    #[diesel(sql_type = Text)]
    name_key: String,
    #[diesel(sql_type = Text)]
    country: String,
    #[diesel(sql_type = Text)]
    role: String,
    #[diesel(sql_type = Text)]
    tier: String,
    #[diesel(sql_type = Text)]
    lifecycle: String,
    #[diesel(sql_type = Text)]
    owner: String,
    #[diesel(sql_type = Nullable<Text>)]
    owner_name: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    review_until: Option<i64>,
}

/// No review: sorts after every instant. The index of the migration is over this very expression.
const REVIEW: &str = "coalesce(v.review_until, 9223372036854775807)";
/// The most critical first; the index of the migration is over this very expression.
const RANK: &str = "(CASE v.tier WHEN 'critical' THEN 0 WHEN 'important' THEN 1 WHEN 'standard' THEN 2 ELSE 3 END)";

const fn rank(tier: Tier) -> i64 {
    match tier {
        Tier::Critical => 0,
        Tier::Important => 1,
        Tier::Standard => 2,
        Tier::Low => 3,
    }
}

impl Line {
    fn read(self, sort: VendorSort) -> Result<OverviewRow, StoreError> {
        let tier = known(NOUN, Tier::from_key(&self.tier))?;
        let after = match sort {
            VendorSort::Name => After::Text(self.name_key, self.id.clone()),
            VendorSort::Newest => After::Text(self.id.clone(), self.id.clone()),
            VendorSort::Tier => After::Number(rank(tier), self.id.clone()),
            VendorSort::Review => After::Number(self.review_until.unwrap_or(i64::MAX), self.id.clone()),
        };
        Ok(OverviewRow {
            id: parse(NOUN, self.id)?,
            legal_name: parse(NOUN, self.legal_name)?,
            country: parse(NOUN, self.country)?,
            role: known(NOUN, VendorRole::from_key(&self.role))?,
            tier,
            lifecycle: known(NOUN, Lifecycle::from_key(&self.lifecycle))?,
            owner: parse(NOUN, self.owner)?,
            owner_name: self.owner_name,
            review_until: instant(self.review_until),
            after,
        })
    }
}

/// A page of the vendors that fit.
pub fn page(
    tx: &mut Tx,
    filter: &OverviewFilter,
    sort: VendorSort,
    after: Option<&After>,
    limit: usize,
) -> Result<Vec<OverviewRow>, StoreError> {
    if !answerable(filter, after) {
        return Ok(Vec::new());
    }
    let select = "SELECT v.id, v.legal_name, v.name_key, v.country, v.role, v.tier, v.lifecycle, v.owner, v.review_until, \
         p.name AS owner_name FROM vendors v LEFT JOIN people p ON p.id = v.owner WHERE 1 = 1";
    let mut raw = fitting(Raw::new(select), filter);
    if let Some(after) = after {
        raw = beyond(raw, sort, after);
    }
    let order = match sort {
        VendorSort::Name => "ORDER BY v.name_key".to_owned(),
        VendorSort::Newest => "ORDER BY v.id DESC".to_owned(),
        VendorSort::Tier => format!("ORDER BY {RANK}, v.id"),
        VendorSort::Review => format!("ORDER BY {REVIEW}, v.id"),
    };
    let lines: Vec<Line> = raw.sql(&order).sql("LIMIT").number(i64::try_from(limit).unwrap_or(i64::MAX)).load(tx)?;
    lines.into_iter().map(|line| line.read(sort)).collect()
}

/// The rows after one: the first term bounds the walk through the index, the second passes over ties.
fn beyond(raw: Raw, sort: VendorSort, after: &After) -> Raw {
    match (sort, after) {
        (VendorSort::Newest, After::Text(_, id) | After::Number(_, id)) => raw.sql("AND v.id <").text(id),
        (_, After::Text(key, _)) => raw.sql("AND v.name_key >").text(key),
        (_, After::Number(key, id)) => {
            let expression = if sort == VendorSort::Tier { RANK } else { REVIEW };
            let raw = raw.sql(&format!("AND {expression} >=")).number(*key);
            raw.sql(&format!("AND ({expression} >")).number(*key).sql("OR v.id >").text(id).sql(")")
        }
    }
}

/// How many vendors fit.
pub fn count(tx: &mut Tx, filter: &OverviewFilter) -> Result<i64, StoreError> {
    if !answerable(filter, None) {
        return Ok(0);
    }
    number(tx, fitting(Raw::new("SELECT count(*) AS value FROM vendors v WHERE 1 = 1"), filter))
}

fn answerable(filter: &OverviewFilter, after: Option<&After>) -> bool {
    let after = match after {
        Some(After::Text(key, id)) => comparable(key) && comparable(id),
        Some(After::Number(_, id)) => comparable(id),
        None => true,
    };
    after && filter.search.as_deref().is_none_or(comparable)
}

fn fitting(mut raw: Raw, filter: &OverviewFilter) -> Raw {
    if let Some(lifecycle) = filter.lifecycle {
        raw = raw.sql("AND v.lifecycle =").text(lifecycle.key());
    }
    if let Some(tier) = filter.tier {
        raw = raw.sql("AND v.tier =").text(tier.key());
    }
    if let Some(owner) = &filter.owner {
        raw = raw.sql("AND v.owner =").text(owner);
    }
    if let Some(country) = &filter.country {
        raw = raw.sql("AND v.country =").text(country);
    }
    if let Some(search) = &filter.search {
        // Both sides are folded by the same rules; the databases' own differ.
        let folded = search.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        raw = raw.sql("AND v.name_key LIKE").text(format!("%{}%", like(&folded))).sql("ESCAPE '\\'");
    }
    match filter.review {
        None => raw,
        Some(ReviewSpan::Never) => raw.sql("AND v.review_until IS NULL"),
        Some(ReviewSpan::Within { after, up_to }) => {
            raw = raw.sql("AND v.review_until IS NOT NULL");
            if let Some(after) = after {
                raw = raw.sql("AND v.review_until >").number(after.micros());
            }
            if let Some(up_to) = up_to {
                raw = raw.sql("AND v.review_until <=").number(up_to.micros());
            }
            raw
        }
    }
}

/// One version of a vendor's agreement, as far as it tells where that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionStanding {
    pub agreement: AgreementId,
    pub number: i32,
    pub status: VersionStatus,
    pub ended_at: Option<Instant>,
}

/// Where the agreements of vendors stand, version by version.
pub fn agreements(tx: &mut Tx, vendors: &[VendorId]) -> Result<BTreeMap<VendorId, Vec<VersionStanding>>, StoreError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        vendor: String,
        #[diesel(sql_type = Text)]
        agreement: String,
        #[diesel(sql_type = Integer)]
        number: i32,
        #[diesel(sql_type = Text)]
        status: String,
        #[diesel(sql_type = Nullable<BigInt>)]
        ended_at: Option<i64>,
    }
    let select = "SELECT a.vendor, w.agreement, w.number, w.status, a.ended_at \
         FROM agreements a JOIN agreement_versions w ON w.agreement = a.id WHERE a.vendor";
    let rows: Vec<Row> = Raw::new(select).among(vendors).sql("ORDER BY w.agreement, w.number").load(tx)?;
    let mut found: BTreeMap<VendorId, Vec<VersionStanding>> = BTreeMap::new();
    for row in rows {
        let standing = VersionStanding {
            agreement: parse("agreement", row.agreement)?,
            number: row.number,
            status: from_json("agreement version", &row.status)?,
            ended_at: instant(row.ended_at),
        };
        found.entry(parse(NOUN, row.vendor)?).or_default().push(standing);
    }
    Ok(found)
}

/// A round that still runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRound {
    pub id: AssessmentId,
    pub kind: AssessmentKind,
    /// The key of its state.
    pub state: String,
}

/// The rounds of vendors that still run.
pub fn open_rounds(tx: &mut Tx, vendors: &[VendorId]) -> Result<BTreeMap<VendorId, Vec<OpenRound>>, StoreError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        vendor: String,
        #[diesel(sql_type = Text)]
        id: String,
        #[diesel(sql_type = Text)]
        kind: String,
        #[diesel(sql_type = Text)]
        state: String,
    }
    let rows: Vec<Row> =
        Raw::new("SELECT vendor, id, kind, state FROM assessments WHERE open AND vendor").among(vendors).sql("ORDER BY id").load(tx)?;
    let mut found: BTreeMap<VendorId, Vec<OpenRound>> = BTreeMap::new();
    for row in rows {
        let kind = known("assessment", AssessmentKind::from_key(&row.kind))?;
        let round = OpenRound { id: parse("assessment", row.id)?, kind, state: row.state };
        found.entry(parse(NOUN, row.vendor)?).or_default().push(round);
    }
    Ok(found)
}

/// What a newest release is looked for by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PulledBy {
    Vendor,
    Permit,
    Client,
}

/// When data last began to leave, by vendor, permit or client: two looks into an index for each, however many
/// refusals came since.
pub fn last_pulls<T: ToString>(tx: &mut Tx, by: PulledBy, ids: &[T]) -> Result<BTreeMap<String, Instant>, StoreError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        id: String,
        #[diesel(sql_type = Nullable<BigInt>)]
        released: Option<i64>,
        #[diesel(sql_type = Nullable<BigInt>)]
        opened: Option<i64>,
    }
    let (table, key, column) = match by {
        PulledBy::Vendor => ("vendors", "id", "vendor"),
        PulledBy::Permit => ("permits", "key", "permit"),
        PulledBy::Client => ("clients", "id", "client"),
    };
    let newest = |kind| {
        format!(
            "(SELECT e.at FROM history_entries e WHERE e.{column} = n.{key} AND e.kind = '{kind}' AND e.position IS NOT NULL ORDER BY e.position DESC LIMIT 1)"
        )
    };
    let select =
        format!("SELECT n.{key} AS id, {} AS released, {} AS opened FROM {table} n WHERE n.{key}", newest("release"), newest("opened"));
    let rows: Vec<Row> = Raw::new(&select).among(ids.iter().map(ToString::to_string)).load(tx)?;
    let last = |row: Row| row.released.max(row.opened).map(|at| (row.id, Instant::from_micros(at)));
    Ok(rows.into_iter().filter_map(last).collect())
}
