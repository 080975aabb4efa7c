//! One item of work, from the row that waits: what it is, whose it is, by when, and what comes next.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::agreement::{Surroundings, VersionStatus};
use crate::domain::assessment::{AssessmentKind, AssessmentStatus};
use crate::domain::id::{AgreementId, AssessmentId, EvidenceId, VendorId};
use crate::domain::person::{Actor, Role};
use crate::domain::text::Slug;
use crate::domain::time::{Date, Instant};
use crate::policy::agreement::{check_complete, transfers};
use crate::policy::work::{WorkKind, WorkState};
use crate::store::Tx;
use crate::store::drafts::{self, Draft};
use crate::store::queue::Waiting;

use super::super::AppError;

/// Something that waits to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WorkItem {
    pub kind: WorkKind,
    /// What it is about; a page links it.
    pub noun: ItemNoun,
    /// What people call it: `Security assessment`, `Version 2 of dpa-014`.
    pub title: String,
    /// Whose it is; a dataset is no vendor's.
    pub vendor: Option<ItemVendor>,
    pub waiting_for: WaitingFor,
    /// Since when it waits.
    pub since: Instant,
    pub due: Option<Instant>,
    pub state: WorkState,
    /// What to do next, as a button says it.
    pub next_act: &'static str,
}

/// What an item is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "noun", rename_all = "snake_case")]
pub enum ItemNoun {
    Vendor { id: VendorId },
    Assessment { id: AssessmentId },
    Evidence { id: EvidenceId },
    Agreement { id: AgreementId, version: i32 },
    Permit { key: Slug, agreement: AgreementId, revision: Option<i32> },
    Dataset { name: Slug },
}

/// The vendor of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ItemVendor {
    pub id: VendorId,
    pub name: String,
}

/// Who is to do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaitingFor {
    /// Whoever asks: the vendor is theirs, or they have begun it.
    Me,
    Role(Role),
}

fn damaged<E>(_: E) -> AppError {
    AppError::Internal("a stored item of work can't be read".to_owned())
}

/// An item from its row.
pub(super) fn item(kind: WorkKind, row: Waiting, by: &Actor, now: Instant) -> Result<WorkItem, AppError> {
    let noun = noun(kind, &row)?;
    let vendor = match (&row.vendor, &row.vendor_name) {
        (Some(id), Some(name)) => Some(ItemVendor { id: id.parse().map_err(damaged)?, name: name.clone() }),
        _ => None,
    };
    let (since, held_by) = began(kind, &row)?;
    let due = match kind {
        WorkKind::EvidenceEnding => Some(row.detail.parse::<Date>().map_err(damaged)?.end()),
        WorkKind::AssessmentSubmitted
        | WorkKind::AssessmentInReview
        | WorkKind::AssessmentUnanswered
        | WorkKind::VendorInIntake
        | WorkKind::VendorInTriage
        | WorkKind::VendorApproved
        | WorkKind::ReviewDue
        | WorkKind::AgreementComplete
        | WorkKind::AgreementInReview
        | WorkKind::AgreementUnsigned
        | WorkKind::AgreementEnding
        | WorkKind::RevisionProposed
        | WorkKind::DatasetDrifted
        | WorkKind::PermitPaused => row.due.map(Instant::from_micros),
    };
    let owned = kind.role() == Role::VendorManager && row.owner.as_deref() == by.person().map(|id| id.as_str());
    let begun = held_by.is_some() && held_by.as_deref() == by.person().map(|id| id.as_str());
    let waiting_for = if by.person().is_some() && (owned || begun) { WaitingFor::Me } else { WaitingFor::Role(kind.role()) };
    let title = title(kind, &row);
    Ok(WorkItem { kind, noun, title, vendor, waiting_for, since, due, state: kind.state(due, now), next_act: kind.next_act() })
}

/// Since when it waits, and who has begun it.
fn began(kind: WorkKind, row: &Waiting) -> Result<(Instant, Option<String>), AppError> {
    let since = Instant::from_micros(row.since);
    match kind {
        WorkKind::AssessmentSubmitted | WorkKind::AssessmentInReview | WorkKind::AssessmentUnanswered => {
            match serde_json::from_str::<AssessmentStatus>(&row.detail).map_err(damaged)? {
                AssessmentStatus::Submitted { at, .. } => Ok((at, None)),
                AssessmentStatus::InReview { by, at } => Ok((at, Some(by.to_string()))),
                AssessmentStatus::Draft
                | AssessmentStatus::Sent
                | AssessmentStatus::InProgress
                | AssessmentStatus::Decided(_)
                | AssessmentStatus::Cancelled { .. } => Ok((since, None)),
            }
        }
        WorkKind::AgreementComplete | WorkKind::AgreementInReview | WorkKind::AgreementUnsigned | WorkKind::AgreementEnding => {
            match serde_json::from_str::<VersionStatus>(&row.detail).map_err(damaged)? {
                VersionStatus::InReview { at } | VersionStatus::Approved { at } => Ok((at, None)),
                VersionStatus::Signed { from, .. } => Ok((from, None)),
                VersionStatus::Draft | VersionStatus::Superseded { .. } | VersionStatus::Terminated { .. } => Ok((since, None)),
            }
        }
        WorkKind::VendorInIntake
        | WorkKind::VendorInTriage
        | WorkKind::VendorApproved
        | WorkKind::ReviewDue
        | WorkKind::EvidenceEnding
        | WorkKind::RevisionProposed
        | WorkKind::DatasetDrifted
        | WorkKind::PermitPaused => Ok((since, None)),
    }
}

fn noun(kind: WorkKind, row: &Waiting) -> Result<ItemNoun, AppError> {
    let id = row.noun.as_str();
    Ok(match kind {
        WorkKind::AssessmentSubmitted | WorkKind::AssessmentInReview | WorkKind::AssessmentUnanswered => {
            ItemNoun::Assessment { id: id.parse().map_err(damaged)? }
        }
        WorkKind::VendorInIntake | WorkKind::VendorInTriage | WorkKind::VendorApproved | WorkKind::ReviewDue => {
            ItemNoun::Vendor { id: id.parse().map_err(damaged)? }
        }
        WorkKind::EvidenceEnding => ItemNoun::Evidence { id: id.parse().map_err(damaged)? },
        WorkKind::AgreementComplete | WorkKind::AgreementInReview | WorkKind::AgreementUnsigned | WorkKind::AgreementEnding => {
            ItemNoun::Agreement { id: id.parse().map_err(damaged)?, version: row.number.unwrap_or(1) }
        }
        WorkKind::RevisionProposed | WorkKind::PermitPaused => ItemNoun::Permit {
            key: id.parse().map_err(damaged)?,
            agreement: row.agreement.as_deref().unwrap_or_default().parse().map_err(damaged)?,
            revision: row.number,
        },
        WorkKind::DatasetDrifted => ItemNoun::Dataset { name: id.parse().map_err(damaged)? },
    })
}

fn title(kind: WorkKind, row: &Waiting) -> String {
    let (called, number) = (&row.called, row.number.unwrap_or(1));
    match kind {
        WorkKind::AssessmentSubmitted | WorkKind::AssessmentInReview | WorkKind::AssessmentUnanswered => {
            match AssessmentKind::from_key(called) {
                Some(AssessmentKind::Privacy) => "Privacy assessment".to_owned(),
                Some(AssessmentKind::Legal) => "Legal assessment".to_owned(),
                Some(AssessmentKind::Security) | None => "Security assessment".to_owned(),
            }
        }
        WorkKind::VendorInIntake => "New vendor".to_owned(),
        WorkKind::VendorInTriage => "Vendor in triage".to_owned(),
        WorkKind::VendorApproved => "Approved vendor".to_owned(),
        WorkKind::ReviewDue => "Review".to_owned(),
        WorkKind::EvidenceEnding => format!("Evidence: {called}"),
        WorkKind::AgreementComplete | WorkKind::AgreementInReview | WorkKind::AgreementUnsigned | WorkKind::AgreementEnding => {
            format!("Version {number} of {called}")
        }
        WorkKind::RevisionProposed => format!("Revision {number} of permit {called}"),
        WorkKind::PermitPaused => format!("Permit {called}"),
        WorkKind::DatasetDrifted => format!("Dataset {called}"),
    }
}

/// The drafts, among the oldest, that lack nothing by the rules of their kind.
pub(super) fn complete_drafts(tx: &mut Tx, by: &Actor, most: i64) -> Result<Vec<WorkItem>, AppError> {
    let today = tx.now().date();
    let drafts = drafts::oldest(tx, most)?;
    Ok(drafts.into_iter().filter(|draft| is_complete(draft, today)).map(|draft| of_draft(draft, by)).collect())
}

fn is_complete(draft: &Draft, today: Date) -> bool {
    let holding = draft.papers.iter().filter(|paper| paper.holds_on(today)).map(|paper| paper.id.clone()).collect();
    let around = Surroundings {
        transfers: transfers(&draft.vendor),
        holding_evidence: &holding,
        has_document: draft.version.document.is_some(),
        today,
    };
    check_complete(&draft.agreement, &draft.version, draft.permits, &around).is_ok()
}

fn of_draft(draft: Draft, by: &Actor) -> WorkItem {
    let kind = WorkKind::AgreementComplete;
    let mine = by.person() == Some(&draft.vendor.profile.owner);
    WorkItem {
        kind,
        title: format!("Version {} of {}", draft.version.number, draft.agreement.reference),
        noun: ItemNoun::Agreement { id: draft.agreement.id, version: draft.version.number },
        vendor: Some(ItemVendor { id: draft.vendor.id, name: draft.vendor.profile.legal_name.to_string() }),
        waiting_for: if mine { WaitingFor::Me } else { WaitingFor::Role(kind.role()) },
        since: draft.version.created_at,
        due: None,
        state: WorkState::Waiting,
        next_act: kind.next_act(),
    }
}
