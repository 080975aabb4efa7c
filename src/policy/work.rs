//! What waits for whom: each kind of work has one role that does it, one next act, and a state told from its deadline.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::person::Role;
use crate::domain::time::Instant;

/// A kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WorkKind {
    /// Answers were submitted.
    AssessmentSubmitted,
    /// A review has begun.
    AssessmentInReview,
    /// Questions were sent and are not all answered.
    AssessmentUnanswered,
    VendorInIntake,
    VendorInTriage,
    /// Approved, and not active yet.
    VendorApproved,
    /// The review falls due soon, or has.
    ReviewDue,
    /// A paper ends soon, or a mandatory one has ended.
    EvidenceEnding,
    /// A draft that lacks nothing.
    AgreementComplete,
    AgreementInReview,
    /// Approved, and not signed by both.
    AgreementUnsigned,
    /// In force, ending soon, without a successor.
    AgreementEnding,
    /// A widening, or a new permit, under a signed version.
    RevisionProposed,
    DatasetDrifted,
    PermitPaused,
}

/// How urgent it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WorkState {
    Waiting,
    /// Its deadline is near.
    Due,
    /// Its deadline has passed.
    Overdue,
    /// Releases stand still until it is done.
    Blocked,
}

impl WorkKind {
    /// Every kind.
    pub const ALL: [Self; 15] = [
        Self::AssessmentSubmitted,
        Self::AssessmentInReview,
        Self::AssessmentUnanswered,
        Self::VendorInIntake,
        Self::VendorInTriage,
        Self::VendorApproved,
        Self::ReviewDue,
        Self::EvidenceEnding,
        Self::AgreementComplete,
        Self::AgreementInReview,
        Self::AgreementUnsigned,
        Self::AgreementEnding,
        Self::RevisionProposed,
        Self::DatasetDrifted,
        Self::PermitPaused,
    ];

    /// Who does it.
    pub const fn role(self) -> Role {
        match self {
            Self::AssessmentSubmitted
            | Self::AssessmentInReview
            | Self::AgreementInReview
            | Self::RevisionProposed
            | Self::PermitPaused => Role::PrivacyOfficer,
            Self::AssessmentUnanswered
            | Self::VendorInIntake
            | Self::VendorInTriage
            | Self::VendorApproved
            | Self::ReviewDue
            | Self::EvidenceEnding
            | Self::AgreementComplete
            | Self::AgreementUnsigned
            | Self::AgreementEnding => Role::VendorManager,
            Self::DatasetDrifted => Role::DataSteward,
        }
    }

    /// Whether somebody sees it in their queue: those who do it, and those who do none of it and read everything.
    pub fn shown_to(self, role: Option<Role>) -> bool {
        match role {
            Some(Role::VendorManager | Role::PrivacyOfficer | Role::DataSteward) => role == Some(self.role()),
            Some(Role::Administrator | Role::ComplianceReviewer) | None => true,
        }
    }

    /// What to do next, as a button says it.
    pub const fn next_act(self) -> &'static str {
        match self {
            Self::AssessmentSubmitted => "Take into review",
            Self::AssessmentInReview => "Decide",
            Self::AssessmentUnanswered => "Complete the answers",
            Self::VendorInIntake => "Begin triage",
            Self::VendorInTriage => "Begin due diligence",
            Self::VendorApproved => "Activate",
            Self::ReviewDue => "Open an assessment",
            Self::EvidenceEnding => "Upload a newer paper",
            Self::AgreementComplete => "Submit for approval",
            Self::AgreementInReview => "Approve or hand back",
            Self::AgreementUnsigned => "Record the signatures",
            Self::AgreementEnding => "Amend or let it end",
            Self::RevisionProposed => "Approve or reject",
            Self::DatasetDrifted => "Confirm the dataset",
            Self::PermitPaused => "Resume",
        }
    }

    /// How urgent it is.
    pub fn state(self, due: Option<Instant>, now: Instant) -> WorkState {
        match (self, due) {
            (Self::DatasetDrifted | Self::PermitPaused, _) => WorkState::Blocked,
            (_, Some(due)) if due <= now => WorkState::Overdue,
            (_, Some(due)) if due <= now.plus_days(super::vendor::DUE_SOON_DAYS) => WorkState::Due,
            (_, Some(_) | None) => WorkState::Waiting,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_who_does_something_sees_only_what_they_do() {
        for kind in WorkKind::ALL {
            for role in Role::ALL {
                let reads_all = matches!(role, Role::Administrator | Role::ComplianceReviewer);
                assert_eq!(kind.shown_to(Some(role)), reads_all || kind.role() == role, "{kind:?} {role:?}");
            }
        }
    }

    #[test]
    fn urgency_is_told_from_the_deadline() {
        let now = Instant::from_seconds(1_790_000_000);
        let table = [
            (WorkKind::ReviewDue, Some(now), WorkState::Overdue),
            (WorkKind::ReviewDue, Some(now.plus_seconds(1)), WorkState::Due),
            (WorkKind::ReviewDue, Some(now.plus_days(31)), WorkState::Waiting),
            (WorkKind::VendorInIntake, None, WorkState::Waiting),
            (WorkKind::PermitPaused, None, WorkState::Blocked),
            (WorkKind::DatasetDrifted, None, WorkState::Blocked),
        ];
        for (kind, due, expected) in table {
            assert_eq!(kind.state(due, now), expected, "{kind:?} {due:?}");
        }
    }
}
