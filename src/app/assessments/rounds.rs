//! The list of rounds: what waits for whoever asks first, and the same number of statements for any page.

use crate::app::{App, AppError};
use crate::domain::Invalid;
use crate::domain::assessment::AssessmentKind;
use crate::domain::id::AssessmentId;
use crate::domain::person::{Actor, Role};
use crate::policy::assessment::awaited;
use crate::store::Tx;
use crate::store::rounds::{self, Half, RoundFilter, Waiting};

pub use crate::store::rounds::RoundRow;

/// A part of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoundQuery {
    /// The key of a state; a word that is none of them finds nothing.
    pub state: Option<&'static str>,
    pub kind: Option<AssessmentKind>,
    /// A part of the vendor's legal name, case aside.
    pub search: Option<String>,
    /// The `next` of the part before.
    pub after: Option<String>,
    pub limit: usize,
}

/// A round and whether it waits for whoever asks.
#[derive(Debug, Clone, PartialEq)]
pub struct RoundLine {
    pub round: RoundRow,
    pub waits_for_me: bool,
}

/// A part of the list, what comes next, and how many fit in all.
#[derive(Debug, Clone, PartialEq)]
pub struct RoundList {
    pub rows: Vec<RoundLine>,
    pub next: Option<String>,
    pub total: i64,
}

/// The rounds that fit: two parts at most are read, one of what waits and one of the rest.
pub async fn rounds(app: &App, by: &Actor, query: RoundQuery) -> Result<RoundList, AppError> {
    let (half, after) = query.after.as_deref().map_or(Ok((Half::Waiting, None)), read_cursor)?;
    let waiting = waiting_for(by)?;
    let search = query.search.filter(|text| !text.trim().is_empty());
    let filter = RoundFilter { state: query.state, kind: query.kind, search };
    app.store
        .read(move |tx| {
            let (rows, next) = part(tx, &filter, &waiting, half, after, query.limit)?;
            Ok(RoundList { rows, next, total: rounds::count(tx, &filter)? })
        })
        .await
}

fn waiting_for(by: &Actor) -> Result<Waiting, AppError> {
    match by {
        Actor::Person { id, role } => Ok(Waiting { states: awaited(*role), person: id.clone(), own: *role == Role::VendorManager }),
        Actor::Operator | Actor::Client(_) | Actor::System => Err(AppError::Unauthenticated),
    }
}

fn part(
    tx: &mut Tx,
    filter: &RoundFilter,
    waiting: &Waiting,
    half: Half,
    after: Option<AssessmentId>,
    limit: usize,
) -> Result<(Vec<RoundLine>, Option<String>), AppError> {
    let most = limit.saturating_add(1);
    let mut rows: Vec<RoundLine> = Vec::new();
    let mut after = after;
    if half == Half::Waiting {
        let found = rounds::page(tx, filter, waiting, Half::Waiting, after.as_ref(), most)?;
        rows.extend(found.into_iter().map(|round| RoundLine { round, waits_for_me: true }));
        after = None;
    }
    let found = rounds::page(tx, filter, waiting, Half::Rest, after.as_ref(), most.saturating_sub(rows.len()))?;
    rows.extend(found.into_iter().map(|round| RoundLine { round, waits_for_me: false }));
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(cursor);
    Ok((rows, next))
}

fn cursor(last: &RoundLine) -> String {
    format!("{}{}", if last.waits_for_me { 'w' } else { 'r' }, last.round.id)
}

fn read_cursor(cursor: &str) -> Result<(Half, Option<AssessmentId>), Invalid> {
    let bad = || Invalid::new("after", "belongs to another list: start again without it");
    let (half, id) = match (cursor.strip_prefix('w'), cursor.strip_prefix('r')) {
        (Some(id), _) => (Half::Waiting, id),
        (None, Some(id)) => (Half::Rest, id),
        (None, None) => return Err(bad()),
    };
    Ok((half, Some(id.parse().map_err(|_| bad())?)))
}
