//! The list of permits, and one permit with what its page says beside it: each in a fixed number of statements.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::agreement::{Agreement, AgreementVersion};
use crate::domain::dataset::Dataset;
use crate::domain::permit::{Change, Permit, PermitTerms, Revision, RevisionStatus as S};
use crate::domain::person::Actor;
use crate::domain::text::{Name, Slug};
use crate::domain::time::Instant;
use crate::domain::vocabulary::Vocabulary;
use crate::policy;
use crate::policy::diff::{self, Diff};
use crate::store::names::{self, Names};
use crate::store::overview::{PulledBy, last_pulls};
use crate::store::permits::lines::{self, LineFilter, LineRow};
use crate::store::{agreements, datasets, permits, vendors, vocabulary};

use crate::app::agreements::PermitView;
use crate::app::{App, AppError};

/// A part of the list of permits.
#[derive(Debug, Clone, PartialEq)]
pub struct PermitList {
    pub rows: Vec<PermitLine>,
    /// What the next part comes after; none at the end.
    pub next: Option<Slug>,
    pub total: i64,
}

/// A permit in one line.
#[derive(Debug, Clone, PartialEq)]
pub struct PermitLine {
    pub permit: Permit,
    pub vendor_name: String,
    pub reference: String,
    pub agreement_ended_at: Option<Instant>,
    /// What it says now.
    pub in_force: Option<Revision>,
    /// What waits.
    pub proposed: Option<Revision>,
    pub last_pull: Option<Instant>,
}

/// The permits that fit, by key: the same number of statements for any part.
pub async fn overview(app: &App, filter: LineFilter, after: Option<Slug>, limit: usize) -> Result<PermitList, AppError> {
    app.store
        .read(move |tx| {
            let now = tx.now();
            let mut rows = lines::page(tx, &filter, after.as_ref(), limit.saturating_add(1))?;
            let more = rows.len() > limit;
            rows.truncate(limit);
            let next = rows.last().filter(|_| more).map(|row| row.permit.key.clone());
            let keys: Vec<Slug> = rows.iter().map(|row| row.permit.key.clone()).collect();
            let mut revisions: BTreeMap<Slug, Vec<Revision>> = BTreeMap::new();
            for revision in permits::living_revisions(tx, &keys)? {
                revisions.entry(revision.permit.clone()).or_default().push(revision);
            }
            let pulls = last_pulls(tx, PulledBy::Permit, &keys)?;
            let total = lines::count(tx, &filter)?;
            let line = |row: LineRow| {
                let own = revisions.remove(&row.permit.key).unwrap_or_default();
                let last_pull = pulls.get(row.permit.key.as_str()).copied();
                of_row(row, own, last_pull, now)
            };
            Ok(PermitList { rows: rows.into_iter().map(line).collect(), next, total })
        })
        .await
}

fn of_row(row: LineRow, revisions: Vec<Revision>, last_pull: Option<Instant>, now: Instant) -> PermitLine {
    let (in_force, proposed) = counting(policy::permit::standing(revisions, now), now);
    PermitLine {
        permit: row.permit,
        vendor_name: row.vendor_name,
        reference: row.reference,
        agreement_ended_at: row.agreement_ended_at,
        in_force,
        proposed,
        last_pull,
    }
}

/// What counts now, and what waits: for an approval, or for its time. The revisions come by number and as they stand.
pub fn counting(revisions: Vec<Revision>, now: Instant) -> (Option<Revision>, Option<Revision>) {
    let mut in_force = None;
    let mut waits = None;
    for revision in revisions {
        match revision.status {
            S::InForce if revision.begun_at(now) => in_force = Some(revision),
            S::InForce | S::Proposed => waits = Some(revision),
            S::Superseded | S::Rejected => {}
        }
    }
    (in_force, waits)
}

/// A permit with what its page says beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct PermitSheet {
    pub view: PermitView,
    pub agreement: Agreement,
    /// The agreement's versions, by number.
    pub versions: Vec<AgreementVersion>,
    pub vendor_name: Name,
    /// The dataset of its newest revision, as it is catalogued now.
    pub dataset: Option<Dataset>,
    /// Names of the people who wrote or approved revisions.
    pub people: Names,
    pub last_pull: Option<Instant>,
    pub vocabulary: Vocabulary,
}

impl PermitSheet {
    /// What it says now, and what waits.
    pub fn counting(&self, now: Instant) -> (Option<Revision>, Option<Revision>) {
        counting(self.view.revisions.clone(), now)
    }
}

/// One permit with its agreement, vendor, dataset and the names of those who acted.
pub async fn sheet(app: &App, key: Slug) -> Result<PermitSheet, AppError> {
    app.store
        .read(move |tx| {
            let permit = permits::find(tx, &key)?;
            let agreement = agreements::find(tx, &permit.agreement)?;
            let versions = agreements::versions(tx, &agreement.id)?;
            let vendor_name = vendors::find(tx, &permit.vendor)?.profile.legal_name;
            let revisions = permits::revisions(tx, &key)?;
            let dataset = match revisions.last() {
                Some(newest) => datasets::find_by_name(tx, &newest.terms.dataset)?,
                None => None,
            };
            let mut ids = BTreeSet::new();
            for revision in &revisions {
                ids.extend(revision.authors.iter().chain(&revision.approver).map(ToString::to_string));
            }
            let people = names::people(tx, &ids)?;
            let last_pull = last_pulls(tx, PulledBy::Permit, std::slice::from_ref(&key))?.into_values().max();
            let now = tx.now();
            let versions = policy::agreement::standing(versions, now);
            let (view, vocabulary) = (PermitView::new(permit, revisions, now), vocabulary::load(tx)?);
            Ok(PermitSheet { view, agreement, versions, vendor_name, dataset, people, last_pull, vocabulary })
        })
        .await
}

/// What saving a revision would do, said before it is saved.
#[derive(Debug, Clone, PartialEq)]
pub struct Foreseen {
    pub changes: Diff,
    /// It is in force the moment it is saved; else it waits for a privacy officer.
    pub at_once: bool,
}

/// What saving these terms on top of what is in force would do, by the same judgement that saving makes.
pub fn foresee(standing: &Revision, terms: &PermitTerms, agreement_version: i32, vocabulary: &Vocabulary) -> Result<Foreseen, AppError> {
    let at_once = policy::permit::judge_under(standing, terms, agreement_version)? == Change::Narrowing;
    Ok(Foreseen { changes: diff::permits(&standing.terms, terms, vocabulary), at_once })
}

/// Why this person may not approve a revision; `None` where they may.
pub fn why_not_approve(by: &Actor, revision: &Revision) -> Option<String> {
    policy::agreement::check_second_person(by, revision.authors.iter()).err().map(|denied| denied.to_string())
}
