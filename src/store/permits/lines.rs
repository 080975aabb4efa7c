//! Permits as the list shows them: a page costs the same statements whatever it holds.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::domain::Instant;
use crate::domain::permit::Permit;
use crate::domain::text::Slug;

use crate::store::Tx;
use crate::store::column::{comparable, instant, like, parse};
use crate::store::error::StoreError;
use crate::store::raw::{Raw, number};

const NOUN: &str = "permit";

/// Where a permit stands. One in force can have a widening that waits, so it stands under both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    InForce,
    /// A revision waits: for its agreement, or for a privacy officer.
    Waiting,
    Paused,
    /// Ended, or its agreement is.
    Ended,
}

impl Stage {
    /// Every stage.
    pub const ALL: [Self; 4] = [Self::InForce, Self::Waiting, Self::Paused, Self::Ended];

    /// The wire name.
    pub const fn key(self) -> &'static str {
        match self {
            Self::InForce => "in_force",
            Self::Waiting => "waiting",
            Self::Paused => "paused",
            Self::Ended => "ended",
        }
    }

    /// Reads the wire name.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.key() == key)
    }
}

/// What the list is narrowed to; nothing given is every permit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineFilter {
    pub dataset: Option<Slug>,
    pub purpose: Option<Slug>,
    pub stage: Option<Stage>,
    /// A part of the vendor's legal name or of the key, case aside.
    pub search: Option<String>,
}

/// A permit with the names of what it stands under.
#[derive(Debug, Clone, PartialEq)]
pub struct LineRow {
    pub permit: Permit,
    pub vendor_name: String,
    pub reference: String,
    /// When its agreement ended.
    pub agreement_ended_at: Option<Instant>,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = Text)]
    agreement: String,
    #[diesel(sql_type = Text)]
    vendor: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    paused_at: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    ended_at: Option<i64>,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Text)]
    vendor_name: String,
    #[diesel(sql_type = Text)]
    reference: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    agreement_ended_at: Option<i64>,
}

const FROM: &str = "FROM permits p JOIN vendors v ON v.id = p.vendor JOIN agreements a ON a.id = p.agreement WHERE 1 = 1";

/// A page of the permits that fit, by key.
pub fn page(tx: &mut Tx, filter: &LineFilter, after: Option<&Slug>, limit: usize) -> Result<Vec<LineRow>, StoreError> {
    if !answerable(filter) {
        return Ok(Vec::new());
    }
    let select = "SELECT p.key, p.agreement, p.vendor, p.paused_at, p.ended_at, p.version, v.legal_name AS vendor_name, a.reference, \
         a.ended_at AS agreement_ended_at";
    let mut raw = fitting(Raw::new(select).sql(FROM), filter, tx.now());
    if let Some(after) = after {
        raw = raw.sql("AND p.key >").text(after);
    }
    let lines: Vec<Line> = raw.sql("ORDER BY p.key LIMIT").number(i64::try_from(limit).unwrap_or(i64::MAX)).load(tx)?;
    lines.into_iter().map(Line::read).collect()
}

/// How many permits fit.
pub fn count(tx: &mut Tx, filter: &LineFilter) -> Result<i64, StoreError> {
    if !answerable(filter) {
        return Ok(0);
    }
    let raw = fitting(Raw::new("SELECT count(*) AS value").sql(FROM), filter, tx.now());
    number(tx, raw)
}

impl Line {
    fn read(self) -> Result<LineRow, StoreError> {
        let permit = Permit {
            key: parse(NOUN, self.key)?,
            agreement: parse(NOUN, self.agreement)?,
            vendor: parse(NOUN, self.vendor)?,
            paused_at: instant(self.paused_at),
            ended_at: instant(self.ended_at),
            version: self.version,
        };
        let agreement_ended_at = instant(self.agreement_ended_at);
        Ok(LineRow { permit, vendor_name: self.vendor_name, reference: self.reference, agreement_ended_at })
    }
}

fn answerable(filter: &LineFilter) -> bool {
    filter.search.as_deref().is_none_or(comparable)
}

fn fitting(mut raw: Raw, filter: &LineFilter, now: Instant) -> Raw {
    const REVISION: &str = "EXISTS (SELECT 1 FROM permit_revisions r WHERE r.permit = p.key AND";
    if let Some(dataset) = &filter.dataset {
        raw = raw.sql("AND").sql(REVISION).sql("r.dataset =").text(dataset).sql(")");
    }
    if let Some(purpose) = &filter.purpose {
        raw = raw.sql("AND").sql(REVISION).sql("r.purpose =").text(purpose).sql(")");
    }
    if let Some(search) = &filter.search {
        // Both sides are folded by the same rules; the databases' own differ.
        let folded = search.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        let pattern = format!("%{}%", like(&folded));
        raw = raw.sql("AND (v.name_key LIKE").text(&pattern).sql("ESCAPE '\\' OR p.key LIKE").text(&pattern).sql("ESCAPE '\\')");
    }
    let living = |raw: Raw| raw.sql("AND p.ended_at IS NULL AND a.ended_at IS NULL AND");
    match filter.stage {
        None => raw,
        Some(Stage::InForce) => living(raw)
            .sql("p.paused_at IS NULL AND")
            .sql(REVISION)
            .sql("r.status = 'in_force' AND r.in_force_at <=")
            .number(now.micros())
            .sql(")"),
        Some(Stage::Waiting) => living(raw).sql(REVISION).sql("r.status = 'proposed')"),
        Some(Stage::Paused) => living(raw).sql("p.paused_at IS NOT NULL"),
        Some(Stage::Ended) => raw.sql("AND (p.ended_at IS NOT NULL OR a.ended_at IS NOT NULL)"),
    }
}
