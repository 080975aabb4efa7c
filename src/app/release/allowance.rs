//! What a permit's quotas still let leave: known in memory to be little, looked up before a chunk, charged with it.

use std::collections::BTreeSet;

use crate::domain::gate::Refusal;
use crate::domain::text::Slug;
use crate::domain::time::{Date, Instant};
use crate::engine::Released;
use crate::policy::release::{Limit, ReleasePlan, reached};
use crate::store::{Tx, quotas};

use super::super::memory::Memory;
use super::super::{App, AppError};

/// The most permits whose use is remembered.
const MOST_KNOWN: usize = 4_096;

/// What is known to have left: at least this much. Charges of other brokers come on top.
#[derive(Default)]
pub(super) struct Known {
    rows: Memory<Slug, (Date, u64), MOST_KNOWN>,
    requests: Memory<Slug, (i64, u64), MOST_KNOWN>,
}

impl Known {
    /// Rows of a day.
    pub(super) fn rows(&self, permit: &Slug, day: Date) -> u64 {
        self.rows.get(permit).filter(|(known, _)| *known == day).map_or(0, |(_, rows)| rows)
    }

    pub(super) fn saw_rows(&self, permit: &Slug, day: Date, used: u64) {
        self.rows.put(permit.clone(), (day, used));
    }

    fn requests(&self, permit: &Slug, now: Instant) -> u64 {
        self.requests.get(permit).filter(|(known, _)| *known == now.minute()).map_or(0, |(_, used)| used)
    }

    fn saw_requests(&self, permit: &Slug, now: Instant, used: u64) {
        self.requests.put(permit.clone(), (now.minute(), used));
    }
}

/// The refusal of a quota that opens again at midnight UTC.
pub(super) fn spent_today(limit: Limit, now: Instant) -> Refusal {
    reached(limit, now, now.date().end())
}

fn spent_this_minute(now: Instant) -> Refusal {
    reached(Limit::Requests, now, now.next_minute())
}

/// What can be told without the database: the hours, and limits that are known to be reached.
pub(super) fn check_known(app: &App, plan: &ReleasePlan, now: Instant) -> Result<(), AppError> {
    plan.limits().check_hours(now)?;
    let known = app.decisions.known.requests(plan.permit(), now);
    if plan.limits().requests_per_minute.is_some_and(|most| known >= most) {
        return Err(spent_this_minute(now).into());
    }
    if app.decisions.known.rows(plan.permit(), now.date()) >= plan.daily_rows() {
        return Err(spent_today(Limit::Rows, now).into());
    }
    Ok(())
}

/// Charges a page or the opening of a stream to the minute. Beyond the limit the error takes the charge back.
pub(super) fn charge_request(tx: &mut Tx, plan: &ReleasePlan, now: Instant) -> Result<Option<u64>, AppError> {
    plan.limits().check_hours(now)?;
    let Some(most) = plan.limits().requests_per_minute else { return Ok(None) };
    let used = quotas::charge_request(tx, plan.permit(), now)?;
    if used > most { Err(spent_this_minute(now).into()) } else { Ok(Some(used)) }
}

/// Remembers how many requests a minute has seen.
pub(super) fn saw_requests(app: &App, plan: &ReleasePlan, now: Instant, used: Option<u64>) {
    if let Some(used) = used {
        app.decisions.known.saw_requests(plan.permit(), now, used);
    }
}

/// Charges rows and subjects to the day; answers the day's rows. Beyond a limit the error takes the charge back.
pub(super) fn charge(tx: &mut Tx, plan: &ReleasePlan, rows: u64, subjects: &[u64], now: Instant) -> Result<u64, AppError> {
    plan.limits().check_hours(now)?;
    let used = quotas::charge(tx, plan.permit(), now.date(), rows)?;
    if used > plan.daily_rows() {
        return Err(spent_today(Limit::Rows, now).into());
    }
    if let Some(most) = plan.limits().daily_subjects
        && quotas::charge_subjects(tx, plan.permit(), now.date(), subjects)? > most
    {
        return Err(spent_today(Limit::Subjects, now).into());
    }
    Ok(used)
}

/// Cuts rows to those before the first subject that the day's limit has no room for; says whether it had to.
pub(super) async fn clip_subjects(app: &App, plan: &ReleasePlan, batches: &mut Vec<Released>) -> Result<bool, AppError> {
    let Some(most) = plan.limits().daily_subjects else { return Ok(false) };
    let asked: BTreeSet<u64> = batches.iter().flat_map(|batch| batch.subjects().iter().copied()).collect();
    let asked: Vec<u64> = asked.into_iter().collect();
    let permit = plan.permit().clone();
    let (used, mut known) = app
        .store
        .read(move |tx| {
            let day = tx.now().date();
            let used = quotas::subjects_used(tx, &permit, day)?;
            Ok::<_, AppError>((used, quotas::known_subjects(tx, &permit, day, &asked)?))
        })
        .await?;
    let mut left = most.saturating_sub(used);
    let mut kept = 0_usize;
    for subject in batches.iter().flat_map(Released::subjects) {
        if known.insert(*subject) {
            let Some(fewer) = left.checked_sub(1) else {
                truncate(batches, kept);
                return Ok(true);
            };
            left = fewer;
        }
        kept = kept.saturating_add(1);
    }
    Ok(false)
}

/// Keeps that many rows.
pub(super) fn truncate(batches: &mut Vec<Released>, rows: usize) {
    let mut left = rows;
    let mut kept = Vec::new();
    for batch in batches.drain(..) {
        let rows = batch.rows().min(left);
        if rows > 0 {
            kept.push(batch.slice(0, rows));
            left = left.saturating_sub(rows);
        }
    }
    *batches = kept;
}
