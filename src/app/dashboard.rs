//! What the first page shows: the work that waits, what is in force, and what left; no number of it is counted row by row.

mod items;

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::agreement::VersionStatus;
use crate::domain::assessment::AssessmentStatus;
use crate::domain::person::{Actor, Role};
use crate::domain::time::{Date, Instant};
use crate::domain::vendor::Lifecycle;
use crate::policy::vendor::DUE_SOON_DAYS;
use crate::policy::work::WorkKind;
use crate::store::queue::{self, Waiting};
use crate::store::{StoreError, Tx, activity as hours};

use super::{App, AppError};

pub use items::{ItemNoun, ItemVendor, WaitingFor, WorkItem};

/// Days for which a refusal for drift is remembered, unless the dataset was confirmed or released from since.
pub const DRIFT_DAYS: i64 = 7;
/// The most items that the queue shows.
const MOST_ITEMS: usize = 100;
/// The oldest drafts that are looked through for ones that lack nothing.
const MOST_DRAFTS: i64 = 200;

/// The work that waits for somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Queue {
    /// At most 100: what falls due first, then what waits longest.
    pub items: Vec<WorkItem>,
    /// How many there are of each kind in all. Of complete drafts those among the oldest 200 drafts.
    pub totals: Vec<KindTotal>,
}

/// How many of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct KindTotal {
    pub kind: WorkKind,
    pub total: i64,
}

/// The work queue of an actor: what their role does; everything for those who only read. Privacy officers do not see what
/// they may not decide.
pub async fn queue(app: &App, by: &Actor) -> Result<Queue, AppError> {
    let by = by.clone();
    app.store
        .read(move |tx| {
            let now = tx.now();
            let role = role_of(&by);
            let (mut items, mut totals) = (Vec::new(), Vec::new());
            for kind in WorkKind::ALL.into_iter().filter(|kind| kind.shown_to(role)) {
                let (found, total) = if kind == WorkKind::AgreementComplete {
                    let found = items::complete_drafts(tx, &by, MOST_DRAFTS)?;
                    let total = i64::try_from(found.len()).unwrap_or(i64::MAX);
                    (found, total)
                } else {
                    let rows = waiting(tx, kind, &by, now)?;
                    let total = rows.first().map_or(0, |row| row.total);
                    (rows.into_iter().map(|row| items::item(kind, row, &by, now)).collect::<Result<Vec<_>, _>>()?, total)
                };
                items.extend(found);
                totals.push(KindTotal { kind, total });
            }
            items.sort_by_key(|item| (item.due.is_none(), item.due, item.since));
            items.truncate(MOST_ITEMS);
            Ok(Queue { items, totals })
        })
        .await
}

fn role_of(by: &Actor) -> Option<Role> {
    match by {
        Actor::Person { role, .. } => Some(*role),
        Actor::Operator | Actor::System | Actor::Client(_) => None,
    }
}

/// One kind's items. Whoever wrote a thing does not decide it, so they do not find it in their queue.
fn waiting(tx: &mut Tx, kind: WorkKind, by: &Actor, now: Instant) -> Result<Vec<Waiting>, StoreError> {
    let me = by.person().map(|id| id.as_str()).filter(|_| role_of(by) == Some(Role::PrivacyOfficer));
    let soon = now.plus_days(DUE_SOON_DAYS);
    match kind {
        WorkKind::AssessmentSubmitted => queue::rounds(tx, &["submitted"], me),
        WorkKind::AssessmentInReview => queue::rounds(tx, &["in_review"], me),
        WorkKind::AssessmentUnanswered => queue::rounds(tx, &[AssessmentStatus::Sent.key(), AssessmentStatus::InProgress.key()], None),
        WorkKind::VendorInIntake => queue::vendors(tx, &[Lifecycle::Intake.key()]),
        WorkKind::VendorInTriage => queue::vendors(tx, &[Lifecycle::Triage.key()]),
        WorkKind::VendorApproved => queue::vendors(tx, &[Lifecycle::Approved.key(), Lifecycle::ApprovedWithConditions.key()]),
        WorkKind::ReviewDue => queue::reviews(tx, soon),
        WorkKind::EvidenceEnding => queue::papers(tx, &now.date().to_string(), &soon.date().to_string()),
        // Which drafts lack nothing is told by the rules of their kind, not by a statement.
        WorkKind::AgreementComplete => queue::versions(tx, VersionStatus::Draft.key(), None),
        WorkKind::AgreementInReview => queue::versions(tx, "in_review", me),
        WorkKind::AgreementUnsigned => queue::versions(tx, "approved", None),
        WorkKind::AgreementEnding => queue::ending(tx, now, soon),
        WorkKind::RevisionProposed => queue::revisions(tx, me),
        WorkKind::DatasetDrifted => queue::drifted(tx, now.plus_days(-DRIFT_DAYS)),
        WorkKind::PermitPaused => queue::paused(tx),
    }
}

/// What stands where, and what left lately.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Counts {
    /// Every state of the lifecycle, also those that nobody stands in.
    pub vendors: Vec<LifecycleCount>,
    pub agreements_in_force: i64,
    /// Permits with a revision in force under an agreement in force; days that a permit sets for itself are not looked at.
    pub permits_in_force: i64,
    /// Since this instant, the full hour 24 hours ago: pages and streams that left.
    pub since: Instant,
    pub releases: i64,
    /// Entries of refusals; equal ones within a minute are one entry and one with their count.
    pub refusals: i64,
}

/// How many vendors stand in one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct LifecycleCount {
    pub lifecycle: Lifecycle,
    pub vendors: i64,
}

/// The counts of the first page.
pub async fn counts(app: &App) -> Result<Counts, AppError> {
    app.store
        .read(|tx| {
            let now = tx.now();
            let standing: BTreeMap<String, i64> = queue::lifecycles(tx)?.into_iter().collect();
            let vendors = Lifecycle::ALL
                .into_iter()
                .map(|lifecycle| LifecycleCount { lifecycle, vendors: standing.get(lifecycle.key()).copied().unwrap_or(0) })
                .collect();
            let day_ago = now.plus_days(-1).seconds();
            let since = Instant::from_seconds(day_ago.saturating_sub(day_ago.rem_euclid(3_600)));
            let (mut releases, mut refusals) = (0_i64, 0_i64);
            for hour in hours::since(tx, since)? {
                add(&hour, &mut releases, &mut refusals);
            }
            Ok(Counts {
                vendors,
                agreements_in_force: queue::agreements_in_force(tx, now)?,
                permits_in_force: queue::permits_in_force(tx, now)?,
                since,
                releases,
                refusals,
            })
        })
        .await
}

/// A stream counts as a release from its opening on.
fn add(hour: &hours::Hour, releases: &mut i64, refusals: &mut i64) {
    match hour.kind.as_str() {
        "release" | "opened" => *releases = releases.saturating_add(hour.entries),
        "refusal" => *refusals = refusals.saturating_add(hour.entries),
        _ => {}
    }
}

/// What left, and what was refused, on one UTC day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct DayActivity {
    pub day: Date,
    pub releases: i64,
    /// Entries of refusals; equal ones within a minute are one entry and one with their count.
    pub refusals: i64,
}

/// The most days that are shown.
const MOST_DAYS: i64 = 366;

/// Releases and refusals on each of the last days, today included, oldest first; days without any too.
pub async fn activity(app: &App, days: i64) -> Result<Vec<DayActivity>, AppError> {
    let days = days.clamp(1, MOST_DAYS);
    app.store
        .read(move |tx| {
            let today = tx.now().date();
            let first = today.plus_days(1_i64.saturating_sub(days));
            let mut of_day: BTreeMap<Date, (i64, i64)> = (0..days).map(|at| (first.plus_days(at), (0, 0))).collect();
            for hour in hours::since(tx, first.start())? {
                if let Some((releases, refusals)) = of_day.get_mut(&hour.begins.date()) {
                    add(&hour, releases, refusals);
                }
            }
            Ok(of_day.into_iter().map(|(day, (releases, refusals))| DayActivity { day, releases, refusals }).collect())
        })
        .await
}
