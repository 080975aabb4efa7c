//! The list of agreements, and one agreement with the names that its page needs: each in a fixed number of statements.

use std::collections::BTreeSet;

use crate::domain::agreement::{Agreement, AgreementVersion, VersionStatus};
use crate::domain::evidence::Evidence;
use crate::domain::id::AgreementId;
use crate::domain::permit::RevisionStatus;
use crate::domain::person::Actor;
use crate::domain::time::Instant;
use crate::domain::vendor::Vendor;
use crate::domain::vocabulary::Vocabulary;
use crate::policy;
use crate::policy::access::{Permission, allows};
use crate::store::agreements::lines::{self, LineFilter, Standing, WaitsFor};
use crate::store::names::{self, Names};
use crate::store::{agreements, evidence, vendors, vocabulary};

use crate::app::{App, AppError};

use super::AgreementView;
use super::view::view;

/// A part of the list of agreements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgreementList {
    pub rows: Vec<AgreementLine>,
    /// What the next part comes after; none at the end.
    pub next: Option<AgreementId>,
    pub total: i64,
}

/// An agreement in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgreementLine {
    pub agreement: Agreement,
    pub vendor_name: String,
    /// The version in force, and the one that is to follow it; of an ended agreement none.
    pub versions: Vec<Standing>,
}

/// What waits for somebody, by what they may do; `None` for those for whom nothing does.
pub fn waits_for(by: &Actor) -> Option<WaitsFor> {
    let Actor::Person { id, role } = by else { return None };
    if allows(*role, Permission::Approve) {
        Some(WaitsFor::Officer(id.clone()))
    } else {
        allows(*role, Permission::ManageAgreements).then_some(WaitsFor::Manager)
    }
}

/// The agreements that fit, newest first: the same number of statements for any part.
pub async fn overview(app: &App, filter: LineFilter, after: Option<AgreementId>, limit: usize) -> Result<AgreementList, AppError> {
    app.store
        .read(move |tx| {
            let now = tx.now();
            let mut rows = lines::page(tx, &filter, after.as_ref(), limit.saturating_add(1))?;
            let more = rows.len() > limit;
            rows.truncate(limit);
            let next = rows.last().filter(|_| more).map(|row| row.agreement.id.clone());
            let ids: Vec<AgreementId> = rows.iter().map(|row| row.agreement.id.clone()).collect();
            let mut standings = lines::standings(tx, &ids)?;
            let total = lines::count(tx, &filter)?;
            let line = |row: lines::LineRow| {
                let own = standings.remove(&row.agreement.id).unwrap_or_default();
                let versions = if row.agreement.ended_at.is_some() { Vec::new() } else { foremost(own, now) };
                AgreementLine { agreement: row.agreement, vendor_name: row.vendor_name, versions }
            };
            Ok(AgreementList { rows: rows.into_iter().map(line).collect(), next, total })
        })
        .await
}

/// The version that has begun last, and the newest after it that was not given up. Versions come by number.
fn foremost(versions: Vec<Standing>, now: Instant) -> Vec<Standing> {
    let begun = |status: &VersionStatus| matches!(status, VersionStatus::Signed { from, .. } if *from <= now);
    let standing = versions.iter().rev().find(|(_, status)| begun(status)).cloned();
    let after = standing.as_ref().map_or(0, |(number, _)| *number);
    let next = versions.into_iter().rev().find(|(number, status)| *number > after && !matches!(status, VersionStatus::Terminated { .. }));
    standing.into_iter().chain(next).collect()
}

/// An agreement with what its page says beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct AgreementSheet {
    pub view: AgreementView,
    pub vendor: Vendor,
    /// The vendor's evidence, newest first.
    pub papers: Vec<Evidence>,
    /// Names of the people who wrote, approved or recorded something in it.
    pub people: Names,
    /// Whether any of the vendor's countries needs a transfer mechanism.
    pub transfers: bool,
    pub vocabulary: Vocabulary,
}

/// One agreement with its vendor, the vendor's evidence and the names of those who acted.
pub async fn sheet(app: &App, id: AgreementId) -> Result<AgreementSheet, AppError> {
    app.store
        .read(move |tx| {
            let agreement = agreements::find(tx, &id)?;
            let vendor = vendors::find(tx, &agreement.vendor)?;
            let papers = evidence::list_by_vendor(tx, &agreement.vendor)?;
            let view = view(tx, agreement)?;
            let people = names::people(tx, &named(&view))?;
            let transfers = policy::agreement::transfers(&vendor);
            Ok(AgreementSheet { view, vendor, papers, people, transfers, vocabulary: vocabulary::load(tx)? })
        })
        .await
}

fn named(view: &AgreementView) -> BTreeSet<String> {
    let mut people = BTreeSet::new();
    for version in &view.versions {
        people.extend(version.authors.iter().chain(&version.approver).map(ToString::to_string));
        people.extend(version.signatures.iter().map(|signature| signature.recorded_by.to_string()));
    }
    for revision in view.permits.iter().flat_map(|permit| &permit.revisions) {
        people.extend(revision.authors.iter().chain(&revision.approver).map(ToString::to_string));
    }
    people
}

/// Why this person may not approve a version with the permits written for it; `None` where they may.
pub fn why_not_approve(by: &Actor, view: &AgreementView, number: i32) -> Option<String> {
    let version = view.versions.iter().find(|version| version.number == number)?;
    let revisions = view.permits.iter().flat_map(|permit| &permit.revisions);
    let written = revisions.filter(|revision| revision.status == RevisionStatus::Proposed && revision.agreement_version == number);
    let authors = version.authors.iter().chain(written.flat_map(|revision| &revision.authors));
    policy::agreement::check_second_person(by, authors).err().map(|denied| denied.to_string())
}

/// The version that a page shows when nobody names one: the newest that was not given up.
pub fn foremost_version(view: &AgreementView) -> Option<&AgreementVersion> {
    let living = view.versions.iter().rev().find(|version| !matches!(version.status, VersionStatus::Terminated { .. }));
    living.or(view.versions.last())
}
