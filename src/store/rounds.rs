//! Rounds of due diligence as their list shows them: what waits for whoever asks comes first, then the newest.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::domain::Instant;
use crate::domain::assessment::{AssessmentKind, AssessmentStatus};
use crate::domain::id::{AssessmentId, PersonId, VendorId};
use crate::domain::questionnaire::Score;

use super::Tx;
use super::column::{comparable, from_json, known, like, parse};
use super::error::StoreError;
use super::raw::{Raw, number};

const NOUN: &str = "assessment";

/// What the list is narrowed to; nothing given is every round.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoundFilter {
    /// The key of a state.
    pub state: Option<&'static str>,
    pub kind: Option<AssessmentKind>,
    /// A part of the vendor's legal name, case aside.
    pub search: Option<String>,
}

/// Which rounds wait for somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    pub states: &'static [&'static str],
    pub person: PersonId,
    /// Whether only those of the person's own vendors wait, or only those that are not: who owns a vendor does not decide.
    pub own: bool,
}

/// The half of the list that a part is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Half {
    /// What waits for whoever asks.
    Waiting,
    Rest,
}

/// A round in one line.
#[derive(Debug, Clone, PartialEq)]
pub struct RoundRow {
    pub id: AssessmentId,
    pub vendor: VendorId,
    pub vendor_name: String,
    pub owner_name: Option<String>,
    pub kind: AssessmentKind,
    pub status: AssessmentStatus,
    pub score: Option<Score>,
    pub opened_at: Instant,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    vendor: String,
    #[diesel(sql_type = Text)]
    vendor_name: String,
    #[diesel(sql_type = Nullable<Text>)]
    owner_name: Option<String>,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Nullable<Text>)]
    score: Option<String>,
    #[diesel(sql_type = BigInt)]
    opened_at: i64,
}

impl Line {
    fn read(self) -> Result<RoundRow, StoreError> {
        Ok(RoundRow {
            id: parse(NOUN, self.id)?,
            vendor: parse(NOUN, self.vendor)?,
            vendor_name: self.vendor_name,
            owner_name: self.owner_name,
            kind: known(NOUN, AssessmentKind::from_key(&self.kind))?,
            status: from_json(NOUN, &self.status)?,
            score: self.score.map(|text| from_json(NOUN, &text)).transpose()?,
            opened_at: Instant::from_micros(self.opened_at),
        })
    }
}

const SELECT: &str = "SELECT a.id, a.vendor, v.legal_name AS vendor_name, p.name AS owner_name, a.kind, a.status, a.score, a.opened_at \
     FROM assessments a JOIN vendors v ON v.id = a.vendor LEFT JOIN people p ON p.id = v.owner WHERE 1 = 1";

/// A part of one half of the rounds that fit, newest first.
pub fn page(
    tx: &mut Tx,
    filter: &RoundFilter,
    waiting: &Waiting,
    half: Half,
    after: Option<&AssessmentId>,
    limit: usize,
) -> Result<Vec<RoundRow>, StoreError> {
    if !answerable(filter) {
        return Ok(Vec::new());
    }
    let mut raw = fitting(Raw::new(SELECT), filter);
    match (half, waiting.states.is_empty()) {
        (Half::Waiting, true) => return Ok(Vec::new()),
        (Half::Waiting, false) => raw = awaited(raw.sql("AND ("), waiting),
        (Half::Rest, true) => {}
        (Half::Rest, false) => raw = awaited(raw.sql("AND NOT ("), waiting),
    }
    if let Some(after) = after {
        raw = raw.sql("AND a.id <").text(after);
    }
    let lines: Vec<Line> = raw.sql("ORDER BY a.id DESC LIMIT").number(i64::try_from(limit).unwrap_or(i64::MAX)).load(tx)?;
    lines.into_iter().map(Line::read).collect()
}

fn awaited(raw: Raw, waiting: &Waiting) -> Raw {
    let raw = raw.sql("a.state").among(waiting.states);
    let raw = if waiting.own {
        raw.sql("AND v.owner =").text(&waiting.person)
    } else {
        raw.sql("AND v.owner <>").text(&waiting.person).sql("AND a.opened_by <>").text(&waiting.person)
    };
    raw.sql(")")
}

/// How many rounds fit.
pub fn count(tx: &mut Tx, filter: &RoundFilter) -> Result<i64, StoreError> {
    if !answerable(filter) {
        return Ok(0);
    }
    // Without a search nothing of the vendor is asked for, so the join is left out.
    let from = match filter.search {
        Some(_) => "SELECT count(*) AS value FROM assessments a JOIN vendors v ON v.id = a.vendor WHERE 1 = 1",
        None => "SELECT count(*) AS value FROM assessments a WHERE 1 = 1",
    };
    number(tx, fitting(Raw::new(from), filter))
}

fn answerable(filter: &RoundFilter) -> bool {
    filter.search.as_deref().is_none_or(comparable)
}

fn fitting(mut raw: Raw, filter: &RoundFilter) -> Raw {
    if let Some(state) = filter.state {
        raw = raw.sql("AND a.state =").text(state);
    }
    if let Some(kind) = filter.kind {
        raw = raw.sql("AND a.kind =").text(kind.key());
    }
    if let Some(search) = &filter.search {
        // Both sides are folded by the same rules; the databases' own differ.
        let folded = search.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        raw = raw.sql("AND v.name_key LIKE").text(format!("%{}%", like(&folded))).sql("ESCAPE '\\'");
    }
    raw
}
