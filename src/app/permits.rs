//! Permits: written within an agreement, narrowed at once, widened by a second person, paused, ended.

mod lines;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::Invalid;
use crate::domain::agreement::{Agreement, AgreementVersion, VersionStatus};
use crate::domain::dataset::Dataset;
use crate::domain::id::{AgreementId, VendorId};
use crate::domain::permit::{Change, Permit, PermitTerms, Revision, RevisionStatus, compare};
use crate::domain::person::Actor;
use crate::domain::text::{FieldName, Reason, Slug};
use crate::domain::time::Instant;
use crate::history::policy::{InForce, Policy};
use crate::history::{Act, Body};
use crate::policy::{self, Denied};
use crate::store::{Scope, Tx, agreements, datasets, permits, vendors, vocabulary};

pub use lines::{Foreseen, PermitLine, PermitList, PermitSheet, counting, foresee, overview, sheet, why_not_approve};
pub use tokens::{MOST_TOKENS, Revealed, RevealedToken, Revealing, reveal, tokenised};

use super::agreements::PermitView;
use super::{App, AppError, append, check_version, hierarchies};

fn entry(permit: &Permit, act: &'static str, by: &Actor) -> Act {
    Act::new("permit", &permit.key, act, by).of(&permit.vendor)
}

pub(super) fn dataset(tx: &mut Tx, name: &Slug) -> Result<Dataset, AppError> {
    datasets::find_by_name(tx, name)?.ok_or_else(|| Invalid::new("dataset", "must be the name of a catalogued dataset").into())
}

/// Whether the treatments of terms name hierarchies that there are.
fn check_hierarchies(tx: &mut Tx, terms: &PermitTerms) -> Result<(), AppError> {
    let known = hierarchies::known(tx, terms.fields.values())?;
    Ok(terms.check_hierarchies(&known)?)
}

fn view(tx: &mut Tx, permit: Permit) -> Result<PermitView, AppError> {
    let revisions = permits::revisions(tx, &permit.key)?;
    Ok(PermitView::new(permit, revisions, tx.now()))
}

/// The version a new revision is written under: the draft if there is one, else the newest signed.
fn writing_version(tx: &mut Tx, agreement: &Agreement) -> Result<AgreementVersion, AppError> {
    let versions = agreements::versions(tx, &agreement.id)?;
    let living = versions.iter().rev().find(|version| !matches!(version.status, VersionStatus::Terminated { .. }));
    let last = living.ok_or_else(|| Denied::State("This agreement has no version to write under.".to_owned()))?;
    match last.status {
        VersionStatus::Draft | VersionStatus::Signed { .. } => Ok(last.clone()),
        VersionStatus::InReview { .. }
        | VersionStatus::Approved { .. }
        | VersionStatus::Superseded { .. }
        | VersionStatus::Terminated { .. } => Err(Denied::State(format!(
            "Version {} is '{}': permits are written while it is a draft or signed.",
            last.number,
            last.status.key()
        ))
        .into()),
    }
}

/// The permits of a vendor with their revisions.
pub async fn list_by_vendor(app: &App, vendor: VendorId) -> Result<Vec<PermitView>, AppError> {
    app.store
        .read(move |tx| {
            let vendor = vendors::find(tx, &vendor)?;
            let mut revisions: BTreeMap<Slug, Vec<Revision>> = BTreeMap::new();
            for revision in permits::revisions_by_vendor(tx, &vendor.id)? {
                revisions.entry(revision.permit.clone()).or_default().push(revision);
            }
            let (listed, now) = (permits::list_by_vendor(tx, &vendor.id)?, tx.now());
            let view = |permit: Permit| {
                let revisions = revisions.remove(&permit.key).unwrap_or_default();
                PermitView::new(permit, revisions, now)
            };
            Ok(listed.into_iter().map(view).collect())
        })
        .await
}

/// One permit with its revisions.
pub async fn find(app: &App, key: Slug) -> Result<PermitView, AppError> {
    app.store
        .read(move |tx| {
            let permit = permits::find(tx, &key)?;
            view(tx, permit)
        })
        .await
}

/// Writes a new permit: part of the draft version, or a widening of the signed one that waits for a privacy officer.
pub async fn write(app: &App, by: &Actor, agreement: AgreementId, key: Slug, terms: PermitTerms) -> Result<PermitView, AppError> {
    let by = by.clone();
    app.store
        .record(move |tx| {
            let agreement = agreements::find(tx, &agreement)?;
            policy::permit::check_agreement(&agreement)?;
            let version = writing_version(tx, &agreement)?;
            let dataset = dataset(tx, &terms.dataset)?;
            policy::permit::check_within(agreement.kind, &version, &terms, &dataset, &vocabulary::load(tx)?)?;
            check_hierarchies(tx, &terms)?;
            let permit = Permit { key, agreement: agreement.id, vendor: agreement.vendor, paused_at: None, ended_at: None, version: 1 };
            let revision = policy::permit::propose(&permit, 1, &version, terms, &by, tx.now())?;
            permits::insert(tx, &permit)?;
            permits::insert_revision(tx, &revision)?;
            append(tx, &Body::Act(entry(&permit, "write", &by).fact("revision", 1).fact("dataset", &dataset.name)), None)?;
            view(tx, permit)
        })
        .await
}

/// Rewrites a proposed revision that nobody has decided yet; `read` is the revision's version counter that was read.
pub async fn rewrite(app: &App, by: &Actor, key: Slug, number: i32, read: i64, terms: PermitTerms) -> Result<PermitView, AppError> {
    let by = by.clone();
    let vendor = find(app, key.clone()).await?.permit.vendor;
    app.store
        .govern(Scope::Vendor(vendor), move |tx| {
            let permit = permits::find(tx, &key)?;
            let agreement = agreements::find(tx, &permit.agreement)?;
            let old = permits::find_revision(tx, &key, number)?;
            check_version(read, old.version)?;
            policy::permit::check_proposed(&old)?;
            let version = agreements::find_version(tx, &agreement.id, old.agreement_version)?;
            // What an officer may be reading stays as it is; under a signed version another proposal takes its place.
            policy::agreement::check_draft(&version)?;
            let dataset = dataset(tx, &terms.dataset)?;
            policy::permit::check_within(agreement.kind, &version, &terms, &dataset, &vocabulary::load(tx)?)?;
            check_hierarchies(tx, &terms)?;
            let mut revision = policy::permit::propose(&permit, number, &version, terms, &by, tx.now())?;
            revision.authors.extend(old.authors);
            revision.version = old.version;
            if let Some(standing) = permits::in_force_revision(tx, &key)? {
                policy::permit::judge(&standing, &revision.terms)?;
            }
            permits::rewrite_revision(tx, &revision)?;
            append(tx, &Body::Act(entry(&permit, "rewrite", &by).fact("revision", number)), None)?;
            view(tx, permit)
        })
        .await
}

/// What a revision of a permit says, and what it was written upon.
#[derive(Debug, Clone)]
pub struct Revising {
    /// Number of the newest revision that was read.
    pub based_on: i32,
    pub terms: PermitTerms,
    pub reason: Reason,
}

/// Revises a permit: a narrowing is in force at once, a widening waits for a privacy officer.
pub async fn revise(app: &App, by: &Actor, key: Slug, new: Revising) -> Result<PermitView, AppError> {
    let by = by.clone();
    let Revising { based_on, terms, reason } = new;
    let vendor = find(app, key.clone()).await?.permit.vendor;
    app.store
        .govern(Scope::Vendor(vendor), move |tx| {
            let now = tx.now();
            let permit = permits::find(tx, &key)?;
            let number = next_number(tx, &key)?;
            check_version(i64::from(based_on).saturating_add(1), i64::from(number))?;
            let agreement = agreements::find(tx, &permit.agreement)?;
            let standing = permits::in_force_revision(tx, &key)?;
            let version = match &standing {
                Some(_) => newest_in_force(tx, &agreement, now)?,
                None => writing_version(tx, &agreement)?,
            };
            let dataset = dataset(tx, &terms.dataset)?;
            policy::permit::check_within(agreement.kind, &version, &terms, &dataset, &vocabulary::load(tx)?)?;
            check_hierarchies(tx, &terms)?;
            let change = match &standing {
                Some(standing) => policy::permit::judge_under(standing, &terms, version.number)?,
                None if permits::revisions(tx, &key)?.iter().any(|revision| revision.status == RevisionStatus::Proposed) => {
                    return Err(
                        Denied::State("This permit waits for its approval: rewrite its proposed revision instead.".to_owned()).into()
                    );
                }
                None => Change::Widening,
            };
            let revision = policy::permit::propose(&permit, number, &version, terms, &by, now)?;
            permits::insert_revision(tx, &revision)?;
            let (act, to) = match change {
                Change::Narrowing => ("narrow", "in_force"),
                Change::Widening => ("propose_widening", "proposed"),
            };
            append(tx, &Body::Act(entry(&permit, act, &by).fact("revision", number).moved("none", to)), Some(reason.to_string()))?;
            if change == Change::Narrowing {
                put_in_force(tx, &version, revision.clone(), now, &by)?;
                narrow_waiting(tx, &permit, &agreement, &revision, now, &by)?;
            }
            view(tx, permit)
        })
        .await
}

/// The version of an agreement that is in force, else the newest that can be written under.
fn newest_in_force(tx: &mut Tx, agreement: &Agreement, now: Instant) -> Result<AgreementVersion, AppError> {
    match agreements::in_force(tx, &agreement.id, now)? {
        Some(version) => Ok(version),
        None => writing_version(tx, agreement),
    }
}

/// The agreement version that a new permit, or with `standing` the next revision of one in force, would be written under.
pub async fn written_under(app: &App, agreement: AgreementId, standing: bool) -> Result<AgreementVersion, AppError> {
    app.store
        .read(move |tx| {
            let agreement = agreements::find(tx, &agreement)?;
            policy::permit::check_agreement(&agreement)?;
            let now = tx.now();
            if standing { newest_in_force(tx, &agreement, now) } else { writing_version(tx, &agreement) }
        })
        .await
}

fn next_number(tx: &mut Tx, key: &Slug) -> Result<i32, AppError> {
    Ok(permits::revisions(tx, key)?.last().map_or(1, |last| last.number.saturating_add(1)))
}

/// A narrowing also binds revisions that wait for their agreement version's start; one that would widen again is withdrawn.
fn narrow_waiting(
    tx: &mut Tx,
    permit: &Permit,
    agreement: &Agreement,
    narrow: &Revision,
    now: Instant,
    by: &Actor,
) -> Result<(), AppError> {
    let waiting: Vec<Revision> = permits::revisions(tx, &permit.key)?
        .into_iter()
        .filter(|revision| revision.status == RevisionStatus::InForce && revision.in_force_at.is_some_and(|at| at > now))
        .collect();
    let vocabulary = vocabulary::load(tx)?;
    for later in waiting {
        let Some(from) = later.in_force_at else { continue };
        permits::save_revision(tx, &Revision { status: RevisionStatus::Superseded, ..later.clone() })?;
        let version = agreements::find_version(tx, &agreement.id, later.agreement_version)?;
        let dataset = dataset(tx, &narrow.terms.dataset)?;
        let fits = compare(&later.terms, &narrow.terms) == Ok(Change::Narrowing)
            && policy::permit::check_within(agreement.kind, &version, &narrow.terms, &dataset, &vocabulary).is_ok();
        if fits {
            let number = next_number(tx, &permit.key)?;
            let again = Revision { number, agreement_version: version.number, approver: later.approver.clone(), ..narrow.clone() };
            permits::insert_revision(tx, &again)?;
            put_in_force(tx, &version, again, from, by)?;
        }
    }
    Ok(())
}

/// Puts a revision in force from an instant and records its policy.
pub(super) fn put_in_force(tx: &mut Tx, version: &AgreementVersion, revision: Revision, from: Instant, by: &Actor) -> Result<(), AppError> {
    let permit = permits::find(tx, &revision.permit)?;
    let policy = Policy::of(&permit, &revision, version);
    // A proposal was weighed against what stood before: what comes into force after it withdraws it.
    let number = revision.number;
    for stale in permits::revisions(tx, &permit.key)? {
        if stale.status == RevisionStatus::Proposed && stale.number < number {
            permits::save_revision(tx, &Revision { status: RevisionStatus::Superseded, ..stale })?;
        }
    }
    let entry = InForce::of(policy, by.history_name().to_owned())?;
    permits::save_revision(tx, &policy::permit::in_force(revision, entry.sha256.clone(), from))?;
    append(tx, &Body::Policy(entry), None)
}

/// Approves a widening or a permit added to a signed version; it is in force at once. `read` is the revision's version
/// counter that was read, so that nobody approves what they did not read.
pub async fn approve(
    app: &App,
    by: &Actor,
    key: Slug,
    number: i32,
    read: i64,
    confirmed: BTreeSet<FieldName>,
) -> Result<PermitView, AppError> {
    let by = by.clone();
    let vendor = find(app, key.clone()).await?.permit.vendor;
    app.store
        .govern(Scope::Vendor(vendor), move |tx| {
            let now = tx.now();
            let permit = permits::find(tx, &key)?;
            policy::permit::check_not_ended(&permit)?;
            let agreement = agreements::find(tx, &permit.agreement)?;
            let revision = permits::find_revision(tx, &key, number)?;
            check_version(read, revision.version)?;
            let version = agreements::find_version(tx, &agreement.id, revision.agreement_version)?;
            let VersionStatus::Signed { from: starts, .. } = version.status else {
                return Err(Denied::State("This revision is approved with its agreement version, not by itself.".to_owned()).into());
            };
            if newest_in_force(tx, &agreement, now)?.number > version.number {
                return Err(Denied::State("A newer version of the agreement is in force: revise the permit under it.".to_owned()).into());
            }
            let dataset = dataset(tx, &revision.terms.dataset)?;
            policy::permit::check_within(agreement.kind, &version, &revision.terms, &dataset, &vocabulary::load(tx)?)?;
            let clear = revision.terms.clear_identifiers(&dataset);
            let revision = policy::permit::approve(revision, &by, &clear, &confirmed)?;
            let from = starts.max(now);
            append(
                tx,
                &Body::Act(
                    entry(&permit, "approve", &by)
                        .fact("revision", number)
                        .fact("author", &revision.author)
                        .moved("proposed", "in_force")
                        .date("from", from),
                ),
                None,
            )?;
            put_in_force(tx, &version, revision, from, &by)?;
            view(tx, permit)
        })
        .await
}

/// Turns a proposed revision down.
pub async fn reject(app: &App, by: &Actor, key: Slug, number: i32, reason: Reason) -> Result<PermitView, AppError> {
    let by = by.clone();
    let vendor = find(app, key.clone()).await?.permit.vendor;
    app.store
        .govern(Scope::Vendor(vendor), move |tx| {
            let permit = permits::find(tx, &key)?;
            let revision = policy::permit::reject(permits::find_revision(tx, &key, number)?)?;
            permits::save_revision(tx, &revision)?;
            append(
                tx,
                &Body::Act(entry(&permit, "reject", &by).fact("revision", number).moved("proposed", "rejected")),
                Some(reason.to_string()),
            )?;
            view(tx, permit)
        })
        .await
}

/// Loads, changes and saves a permit as a whole under its vendor's gate.
async fn step(
    app: &App,
    by: &Actor,
    key: Slug,
    act: &'static str,
    reason: Reason,
    change: impl FnOnce(Permit, Instant) -> Result<Permit, Denied> + Send + 'static,
) -> Result<PermitView, AppError> {
    let by = by.clone();
    let vendor = find(app, key.clone()).await?.permit.vendor;
    app.store
        .govern(Scope::Vendor(vendor), move |tx| {
            let now = tx.now();
            let mut permit = change(permits::find(tx, &key)?, now)?;
            permit.version = permits::save(tx, &permit)?;
            append(tx, &Body::Act(entry(&permit, act, &by).date("at", now)), Some(reason.to_string()))?;
            view(tx, permit)
        })
        .await
}

/// Stops releases on a permit until it is resumed.
pub async fn pause(app: &App, by: &Actor, key: Slug, reason: Reason) -> Result<PermitView, AppError> {
    step(app, by, key, "pause", reason, policy::permit::pause).await
}

/// Lets a paused permit go on.
pub async fn resume(app: &App, by: &Actor, key: Slug, reason: Reason) -> Result<PermitView, AppError> {
    let actor = by.clone();
    step(app, by, key, "resume", reason, move |permit, _| policy::permit::resume(permit, &actor)).await
}

/// Ends a permit for good.
pub async fn end(app: &App, by: &Actor, key: Slug, reason: Reason) -> Result<PermitView, AppError> {
    step(app, by, key, "end", reason, policy::permit::end).await
}
