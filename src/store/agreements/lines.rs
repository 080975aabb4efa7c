//! Agreements as the list shows them: a page costs the same statements whatever it holds.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};

use crate::domain::Instant;
use crate::domain::agreement::{Agreement, AgreementKind, VersionStatus};
use crate::domain::id::{AgreementId, PersonId};

use crate::store::Tx;
use crate::store::column::{comparable, from_json, instant, known, like, parse};
use crate::store::error::StoreError;
use crate::store::queue::holds;
use crate::store::raw::{Raw, number};

const NOUN: &str = "agreement";

/// Where an agreement has a version. One in force can have a draft beside it, so it stands under both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Draft,
    InReview,
    /// Approved and not signed by both, or signed and not begun.
    Approved,
    InForce,
    /// Ended, or nothing of it lives.
    Ended,
}

impl Stage {
    /// Every stage, in the order an agreement passes them.
    pub const ALL: [Self; 5] = [Self::Draft, Self::InReview, Self::Approved, Self::InForce, Self::Ended];

    /// The wire name.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::InReview => "in_review",
            Self::Approved => "approved",
            Self::InForce => "in_force",
            Self::Ended => "ended",
        }
    }

    /// Reads the wire name.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.key() == key)
    }
}

/// For whom something waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitsFor {
    /// A version under review in which, and in whose permits, this person wrote nothing.
    Officer(PersonId),
    /// A draft to complete, or an approved version to sign.
    Manager,
}

/// What the list is narrowed to; nothing given is every agreement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineFilter {
    pub kind: Option<AgreementKind>,
    pub stage: Option<Stage>,
    /// A part of the vendor's legal name or of the reference, case aside.
    pub search: Option<String>,
    pub waits_for: Option<WaitsFor>,
}

/// An agreement with its vendor's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineRow {
    pub agreement: Agreement,
    pub vendor_name: String,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    vendor: String,
    #[diesel(sql_type = Text)]
    reference: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = BigInt)]
    created_at: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    ended_at: Option<i64>,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Text)]
    vendor_name: String,
}

/// A page of the agreements that fit, newest first.
pub fn page(tx: &mut Tx, filter: &LineFilter, after: Option<&AgreementId>, limit: usize) -> Result<Vec<LineRow>, StoreError> {
    if !answerable(filter) {
        return Ok(Vec::new());
    }
    let select = "SELECT a.id, a.vendor, a.reference, a.kind, a.created_at, a.ended_at, a.version, v.legal_name AS vendor_name \
         FROM agreements a JOIN vendors v ON v.id = a.vendor WHERE 1 = 1";
    let mut raw = fitting(Raw::new(select), filter, tx.now());
    if let Some(after) = after {
        raw = raw.sql("AND a.id <").text(after);
    }
    let lines: Vec<Line> = raw.sql("ORDER BY a.id DESC LIMIT").number(i64::try_from(limit).unwrap_or(i64::MAX)).load(tx)?;
    lines.into_iter().map(Line::read).collect()
}

/// How many agreements fit.
pub fn count(tx: &mut Tx, filter: &LineFilter) -> Result<i64, StoreError> {
    if !answerable(filter) {
        return Ok(0);
    }
    let select = "SELECT count(*) AS value FROM agreements a JOIN vendors v ON v.id = a.vendor WHERE 1 = 1";
    let raw = fitting(Raw::new(select), filter, tx.now());
    number(tx, raw)
}

/// A version's number and where it stands.
pub type Standing = (i32, VersionStatus);

/// Where the versions of these agreements stand, by number.
pub fn standings(tx: &mut Tx, agreements: &[AgreementId]) -> Result<BTreeMap<AgreementId, Vec<Standing>>, StoreError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        agreement: String,
        #[diesel(sql_type = Integer)]
        number: i32,
        #[diesel(sql_type = Text)]
        status: String,
    }
    let select = "SELECT agreement, number, status FROM agreement_versions WHERE agreement";
    let rows: Vec<Row> = Raw::new(select).among(agreements).sql("ORDER BY agreement, number").load(tx)?;
    let mut found: BTreeMap<AgreementId, Vec<Standing>> = BTreeMap::new();
    for row in rows {
        let standing = (row.number, from_json("agreement version", &row.status)?);
        found.entry(parse(NOUN, row.agreement)?).or_default().push(standing);
    }
    Ok(found)
}

impl Line {
    fn read(self) -> Result<LineRow, StoreError> {
        let agreement = Agreement {
            id: parse(NOUN, self.id)?,
            vendor: parse(NOUN, self.vendor)?,
            reference: parse(NOUN, self.reference)?,
            kind: known(NOUN, AgreementKind::from_key(&self.kind))?,
            created_at: Instant::from_micros(self.created_at),
            ended_at: instant(self.ended_at),
            version: self.version,
        };
        Ok(LineRow { agreement, vendor_name: self.vendor_name })
    }
}

fn answerable(filter: &LineFilter) -> bool {
    filter.search.as_deref().is_none_or(comparable)
}

fn fitting(mut raw: Raw, filter: &LineFilter, now: Instant) -> Raw {
    if let Some(kind) = filter.kind {
        raw = raw.sql("AND a.kind =").text(kind.key());
    }
    if let Some(stage) = filter.stage {
        raw = standing_at(raw, stage, now);
    }
    if let Some(search) = &filter.search {
        // Both sides are folded by the same rules; the databases' own differ.
        let folded = search.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        let pattern = format!("%{}%", like(&folded));
        raw = raw.sql("AND (v.name_key LIKE").text(&pattern).sql("ESCAPE '\\' OR a.reference LIKE").text(&pattern).sql("ESCAPE '\\')");
    }
    match &filter.waits_for {
        None => raw,
        Some(WaitsFor::Manager) => of_version(raw.sql("AND a.ended_at IS NULL AND"), "w.state IN ('draft', 'approved')").sql(")"),
        Some(WaitsFor::Officer(person)) => of_version(raw.sql("AND a.ended_at IS NULL AND"), "w.state = 'in_review'")
            .sql("AND w.authors NOT LIKE")
            .text(holds(person.as_str()))
            .sql("ESCAPE '\\' AND NOT EXISTS (SELECT 1 FROM permit_revisions r JOIN permits p ON p.key = r.permit")
            .sql("WHERE p.agreement = w.agreement AND r.agreement_version = w.number AND r.status = 'proposed' AND r.authors LIKE")
            .text(holds(person.as_str()))
            .sql("ESCAPE '\\'))"),
    }
}

/// Begins "there is a version that …"; the caller closes it.
fn of_version(raw: Raw, which: &str) -> Raw {
    raw.sql("EXISTS (SELECT 1 FROM agreement_versions w WHERE w.agreement = a.id AND").sql(which)
}

fn standing_at(raw: Raw, stage: Stage, now: Instant) -> Raw {
    let living = |raw: Raw| raw.sql("AND a.ended_at IS NULL AND");
    match stage {
        Stage::Draft => of_version(living(raw), "w.state = 'draft')"),
        Stage::InReview => of_version(living(raw), "w.state = 'in_review')"),
        Stage::Approved => of_version(living(raw), "(w.state = 'approved' OR w.signed_from >").number(now.micros()).sql("))"),
        Stage::InForce => in_force(living(raw), now),
        Stage::Ended => {
            let raw = raw.sql("AND (a.ended_at IS NOT NULL OR NOT (");
            let raw = of_version(raw, "(w.state IN ('draft', 'in_review', 'approved') OR w.signed_from >").number(now.micros());
            in_force(raw.sql(")) OR"), now).sql("))")
        }
    }
}

/// Of the signed versions that have begun the last counts.
fn in_force(raw: Raw, now: Instant) -> Raw {
    of_version(raw, "w.signed_from <=")
        .number(now.micros())
        .sql("AND (w.signed_until IS NULL OR w.signed_until >")
        .number(now.micros())
        .sql(") AND NOT EXISTS (SELECT 1 FROM agreement_versions n WHERE n.agreement = w.agreement AND n.number > w.number")
        .sql("AND n.signed_from <=")
        .number(now.micros())
        .sql("))")
}
