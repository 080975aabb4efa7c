//! The list of vendors as its page shows it, and as CSV; a cursor only fits the order it came from.

use std::fmt::Write;

use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::Invalid;
use crate::domain::assessment::AssessmentKind;
use crate::domain::id::{AssessmentId, PersonId, VendorId};
use crate::domain::text::{Country, Name};
use crate::domain::time::Instant;
use crate::domain::vendor::{Lifecycle, Tier, VendorRole};
use crate::policy::standing::{AgreementState, of_agreement};
use crate::policy::vendor::{ReviewClock, ReviewState};
use crate::store::Tx;
use crate::store::overview::{self, After, OpenRound, OverviewFilter, OverviewRow, PulledBy, ReviewSpan, VendorSort, VersionStanding};

use super::super::{App, AppError};

/// What the list is narrowed to; nothing given is every vendor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VendorListFilter {
    pub lifecycle: Option<Lifecycle>,
    pub tier: Option<Tier>,
    pub owner: Option<PersonId>,
    /// A part of the legal name, case aside.
    pub search: Option<String>,
    pub review: Option<ReviewState>,
    pub country: Option<Country>,
}

/// A part of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VendorListQuery {
    pub filter: VendorListFilter,
    pub sort: VendorSort,
    /// The `next` of the part before.
    pub after: Option<String>,
    pub limit: usize,
}

/// A part of the list, what comes next, and how many fit in all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct VendorList {
    pub rows: Vec<VendorLine>,
    pub next: Option<String>,
    pub total: i64,
}

/// A vendor in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct VendorLine {
    pub id: VendorId,
    pub legal_name: Name,
    pub country: Country,
    pub role: VendorRole,
    pub tier: Tier,
    pub lifecycle: Lifecycle,
    pub owner: OwnerName,
    pub review: ReviewClock,
    /// The best of its agreements.
    pub agreement: AgreementState,
    /// The round that runs: the security round where several do.
    pub open_assessment: Option<RoundLine>,
    /// When data last began to leave to it.
    pub last_pull: Option<Instant>,
}

/// Who answers for a vendor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OwnerName {
    pub id: PersonId,
    pub name: Option<String>,
}

/// A round that runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RoundLine {
    pub id: AssessmentId,
    pub kind: AssessmentKind,
    /// `draft`, `sent`, `in_progress`, `submitted` or `in_review`.
    pub status: String,
}

/// The list of vendors: the same number of statements for any page.
pub async fn overview(app: &App, query: VendorListQuery) -> Result<VendorList, AppError> {
    let after = query.after.as_deref().map(|cursor| read_cursor(cursor, query.sort)).transpose()?;
    app.store
        .read(move |tx| {
            let filter = narrowed(tx, query.filter);
            let (rows, next) = part(tx, &filter, query.sort, after.as_ref(), query.limit)?;
            Ok(VendorList { rows, next, total: overview::count(tx, &filter)? })
        })
        .await
}

fn narrowed(tx: &mut Tx, asked: VendorListFilter) -> OverviewFilter {
    let review = asked.review.map(|state| match state.span(tx.now()) {
        Some((after, up_to)) => ReviewSpan::Within { after, up_to },
        None => ReviewSpan::Never,
    });
    OverviewFilter {
        lifecycle: asked.lifecycle,
        tier: asked.tier,
        owner: asked.owner,
        search: asked.search.filter(|text| !text.trim().is_empty()),
        review,
        country: asked.country,
    }
}

fn part(
    tx: &mut Tx,
    filter: &OverviewFilter,
    sort: VendorSort,
    after: Option<&After>,
    limit: usize,
) -> Result<(Vec<VendorLine>, Option<String>), AppError> {
    let now = tx.now();
    let mut rows = overview::page(tx, filter, sort, after, limit.saturating_add(1))?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|row| cursor(sort, &row.after)).transpose()?;
    let ids: Vec<VendorId> = rows.iter().map(|row| row.id.clone()).collect();
    let mut agreements = overview::agreements(tx, &ids)?;
    let mut rounds = overview::open_rounds(tx, &ids)?;
    let pulls = overview::last_pulls(tx, PulledBy::Vendor, &ids)?;
    let line = |row: OverviewRow| {
        let agreement = best(&agreements.remove(&row.id).unwrap_or_default(), now);
        let open_assessment = foremost(rounds.remove(&row.id).unwrap_or_default());
        let last_pull = pulls.get(row.id.as_str()).copied();
        VendorLine {
            review: ReviewClock::at(row.review_until, now),
            owner: OwnerName { id: row.owner, name: row.owner_name },
            id: row.id,
            legal_name: row.legal_name,
            country: row.country,
            role: row.role,
            tier: row.tier,
            lifecycle: row.lifecycle,
            agreement,
            open_assessment,
            last_pull,
        }
    };
    Ok((rows.into_iter().map(line).collect(), next))
}

/// Versions come by agreement and number.
pub(super) fn best(versions: &[VersionStanding], now: Instant) -> AgreementState {
    versions
        .chunk_by(|one, other| one.agreement == other.agreement)
        .map(|of_one| {
            let ended = of_one.iter().any(|version| version.ended_at.is_some());
            of_agreement(&of_one.iter().map(|version| &version.status).collect::<Vec<_>>(), ended, now)
        })
        .max()
        .unwrap_or(AgreementState::None)
}

fn foremost(rounds: Vec<OpenRound>) -> Option<RoundLine> {
    let round = rounds.into_iter().min_by_key(|round| round.kind != AssessmentKind::Security)?;
    Some(RoundLine { id: round.id, kind: round.kind, status: round.state })
}

const fn sort_key(sort: VendorSort) -> &'static str {
    match sort {
        VendorSort::Name => "name",
        VendorSort::Newest => "newest",
        VendorSort::Tier => "tier",
        VendorSort::Review => "review",
    }
}

fn cursor(sort: VendorSort, after: &After) -> Result<String, AppError> {
    let said = match after {
        After::Text(key, id) => serde_json::to_vec(&(sort_key(sort), key, id)),
        After::Number(key, id) => serde_json::to_vec(&(sort_key(sort), key, id)),
    };
    Ok(BASE64URL_NOPAD.encode(&said.map_err(|error| AppError::Internal(error.to_string()))?))
}

fn read_cursor(cursor: &str, sort: VendorSort) -> Result<After, Invalid> {
    let bad = || Invalid::new("after", "belongs to a list in another order: start again without it");
    if cursor.len() > 4_096 {
        return Err(bad());
    }
    let said = BASE64URL_NOPAD.decode(cursor.as_bytes()).map_err(|_| bad())?;
    let (order, after) = match sort {
        VendorSort::Name | VendorSort::Newest => {
            let (order, key, id): (String, String, String) = serde_json::from_slice(&said).map_err(|_| bad())?;
            (order, After::Text(key, id))
        }
        VendorSort::Tier | VendorSort::Review => {
            let (order, key, id): (String, i64, String) = serde_json::from_slice(&said).map_err(|_| bad())?;
            (order, After::Number(key, id))
        }
    };
    if order == sort_key(sort) { Ok(after) } else { Err(bad()) }
}

/// A part of the list as CSV.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvPage {
    pub text: String,
    /// What to ask for next; `None` at the end.
    pub next: Option<String>,
}

/// Rows of CSV that are read at once.
const CSV_ROWS: usize = 500;

/// The filtered list as CSV (RFC 4180), part by part; the first part opens with the names of the columns.
pub async fn overview_csv(app: &App, filter: VendorListFilter, sort: VendorSort, after: Option<String>) -> Result<CsvPage, AppError> {
    let start = after.as_deref().map(|cursor| read_cursor(cursor, sort)).transpose()?;
    app.store
        .read(move |tx| {
            let filter = narrowed(tx, filter);
            let (rows, next) = part(tx, &filter, sort, start.as_ref(), CSV_ROWS)?;
            let mut text = String::new();
            if start.is_none() {
                text.push_str(
                    "id,legal_name,country,role,tier,lifecycle,owner,review,review_until,agreement,open_assessment,last_pull\r\n",
                );
            }
            rows.iter().for_each(|row| csv_line(&mut text, row));
            Ok(CsvPage { text, next })
        })
        .await
}

fn csv_line(out: &mut String, line: &VendorLine) {
    let instant = |at: Option<Instant>| at.map(|at| at.to_string()).unwrap_or_default();
    let due = match line.review {
        ReviewClock::Current { until } | ReviewClock::DueSoon { until } => Some(until),
        ReviewClock::Overdue { since } => Some(since),
        ReviewClock::NotScheduled => None,
    };
    // Writing to a text can not fail.
    let _ = write!(
        out,
        "{},{},{},{},{},{},{},{},{},{},{},{}\r\n",
        line.id,
        cell(line.legal_name.as_str()),
        line.country,
        line.role.key(),
        line.tier.key(),
        line.lifecycle.key(),
        cell(line.owner.name.as_deref().unwrap_or(line.owner.id.as_str())),
        line.review.state().key(),
        instant(due),
        line.agreement.key(),
        line.open_assessment.as_ref().map_or("", |round| round.status.as_str()),
        instant(line.last_pull)
    );
}

/// A cell that people wrote. A spreadsheet takes what begins with one of these signs for a formula, so an apostrophe goes
/// before it.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = text.replace('"', "\"\"");
    format!("\"{}{text}\"", if formula { "'" } else { "" })
}
