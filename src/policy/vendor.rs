//! A vendor's lifecycle: one function per way in, each checking where the vendor stands.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::assessment::Verdict;
use crate::domain::person::Role;
use crate::domain::time::Instant;
use crate::domain::vendor::{Lifecycle, Vendor, VendorAct};

use super::Denied;
use super::access::{Permission, allows};
use super::standing::AgreementState;

/// Moves a vendor by a named act.
pub fn act(vendor: &Vendor, act: VendorAct, now: Instant) -> Result<Vendor, Denied> {
    let to = act
        .leads(vendor.lifecycle)
        .ok_or_else(|| Denied::state(format!("A vendor that is '{}' can not be moved by '{}'.", vendor.lifecycle.key(), act.key())))?;
    Ok(moved(vendor, to, now))
}

/// What the decision of an assessment does to its vendor: a vendor in due diligence moves on; one past it stays
/// where it is, and a rejection closes its gate through the assessment itself.
pub fn decided(vendor: &Vendor, verdict: Verdict, now: Instant) -> Vendor {
    let to = match (vendor.lifecycle, verdict) {
        (Lifecycle::DueDiligence, Verdict::Approved) => Lifecycle::Approved,
        (Lifecycle::DueDiligence, Verdict::ApprovedWithConditions) => Lifecycle::ApprovedWithConditions,
        (Lifecycle::DueDiligence, Verdict::Rejected) => Lifecycle::Rejected,
        (stays, _) => stays,
    };
    if to == vendor.lifecycle { vendor.clone() } else { moved(vendor, to, now) }
}

/// Whether the vendor takes new assessments, agreements and clients.
pub fn check_not_retired(vendor: &Vendor) -> Result<(), Denied> {
    if vendor.lifecycle == Lifecycle::Retired {
        Err(Denied::state("This vendor is retired; register it anew to work with it again."))
    } else {
        Ok(())
    }
}

/// Days before its end in which a review counts as due soon.
pub const DUE_SOON_DAYS: i64 = 30;

/// Where a vendor's review stands: its latest decided security assessment counts, and a rejection schedules none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ReviewClock {
    Current { until: Instant },
    DueSoon { until: Instant },
    Overdue { since: Instant },
    NotScheduled,
}

/// A review's state by itself, as lists are filtered by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewState {
    Current,
    DueSoon,
    Overdue,
    NotScheduled,
}

impl ReviewClock {
    /// What the clock says of a review that falls due at an instant. An approval has lapsed at its very end.
    pub fn at(until: Option<Instant>, now: Instant) -> Self {
        match until {
            None => Self::NotScheduled,
            Some(since) if since <= now => Self::Overdue { since },
            Some(until) if until <= now.plus_days(DUE_SOON_DAYS) => Self::DueSoon { until },
            Some(until) => Self::Current { until },
        }
    }

    /// The state without its instant.
    pub const fn state(self) -> ReviewState {
        match self {
            Self::Current { .. } => ReviewState::Current,
            Self::DueSoon { .. } => ReviewState::DueSoon,
            Self::Overdue { .. } => ReviewState::Overdue,
            Self::NotScheduled => ReviewState::NotScheduled,
        }
    }
}

impl ReviewState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Current, Self::DueSoon, Self::Overdue, Self::NotScheduled];

    /// The wire name.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::DueSoon => "due_soon",
            Self::Overdue => "overdue",
            Self::NotScheduled => "not_scheduled",
        }
    }

    /// Reads the wire name.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.key() == key)
    }

    /// The instants, after the first and up to the second, at which a review in this state falls due; `None` where it
    /// falls due at none.
    pub fn span(self, now: Instant) -> Option<(Option<Instant>, Option<Instant>)> {
        let soon = now.plus_days(DUE_SOON_DAYS);
        match self {
            Self::Current => Some((Some(soon), None)),
            Self::DueSoon => Some((Some(now), Some(soon))),
            Self::Overdue => Some((None, Some(now))),
            Self::NotScheduled => None,
        }
    }
}

/// The permission that an act needs: more people may stop a vendor than may move it on.
pub const fn permission(act: VendorAct) -> Permission {
    match act {
        VendorAct::Suspend | VendorAct::Offboard => Permission::Stop,
        VendorAct::Triage | VendorAct::BeginDueDiligence | VendorAct::Activate | VendorAct::Reinstate | VendorAct::Retire => {
            Permission::ManageVendors
        }
    }
}

/// The acts that a role may do to a vendor where it stands.
pub fn offered(from: Lifecycle, role: Role) -> Vec<VendorAct> {
    VendorAct::ALL.into_iter().filter(|act| act.leads(from).is_some() && allows(role, permission(*act))).collect()
}

/// Whether an act stops what flows now.
pub fn stops(act: VendorAct, from: Lifecycle) -> bool {
    from == Lifecycle::Active && act.leads(from).is_some_and(|to| to != Lifecycle::Active)
}

/// What the next step of a vendor is told from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Surroundings {
    pub lifecycle: Lifecycle,
    /// The security round that runs: whether it waits for its decision.
    pub open_round: Option<RoundStands>,
    pub review: ReviewState,
    pub agreement: AgreementState,
    /// Whether it has a client that is not revoked.
    pub has_client: bool,
}

/// Whom a round waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoundStands {
    /// Answers are still to come.
    Answering,
    /// A second person decides.
    Deciding,
}

/// The one thing to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    Act(VendorAct),
    OpenAssessment,
    GoOnWithAssessment,
    DecideAssessment,
    DraftAgreement,
    FinishAgreement,
    ApproveAgreement,
    IssueClient,
}

impl NextStep {
    /// The permission that the step needs.
    pub const fn permission(self) -> Permission {
        match self {
            Self::Act(act) => permission(act),
            Self::OpenAssessment | Self::GoOnWithAssessment => Permission::Assess,
            Self::DecideAssessment => Permission::Decide,
            Self::DraftAgreement | Self::FinishAgreement => Permission::ManageAgreements,
            Self::ApproveAgreement => Permission::Approve,
            Self::IssueClient => Permission::ManageAccess,
        }
    }
}

/// What comes next for a vendor, where the role may do it.
pub fn next_step(around: &Surroundings, role: Role) -> Option<NextStep> {
    let step = match around.lifecycle {
        Lifecycle::Intake => Some(NextStep::Act(VendorAct::Triage)),
        Lifecycle::Triage | Lifecycle::Rejected => Some(NextStep::Act(VendorAct::BeginDueDiligence)),
        Lifecycle::DueDiligence => Some(of_round(around.open_round)),
        Lifecycle::Approved | Lifecycle::ApprovedWithConditions => Some(NextStep::Act(VendorAct::Activate)),
        Lifecycle::Active => of_active(around),
        Lifecycle::Suspended => Some(NextStep::Act(VendorAct::Reinstate)),
        Lifecycle::Offboarding => Some(NextStep::Act(VendorAct::Retire)),
        Lifecycle::Retired => None,
    };
    step.filter(|step| allows(role, step.permission()))
}

const fn of_round(round: Option<RoundStands>) -> NextStep {
    match round {
        None => NextStep::OpenAssessment,
        Some(RoundStands::Answering) => NextStep::GoOnWithAssessment,
        Some(RoundStands::Deciding) => NextStep::DecideAssessment,
    }
}

/// A review that runs out comes before everything else: it closes the gate by itself.
fn of_active(around: &Surroundings) -> Option<NextStep> {
    if around.open_round.is_some() || around.review != ReviewState::Current {
        return Some(of_round(around.open_round));
    }
    match around.agreement {
        AgreementState::None | AgreementState::Ended => Some(NextStep::DraftAgreement),
        AgreementState::Draft | AgreementState::Approved => Some(NextStep::FinishAgreement),
        AgreementState::InReview => Some(NextStep::ApproveAgreement),
        AgreementState::InForce => (!around.has_client).then_some(NextStep::IssueClient),
    }
}

fn moved(vendor: &Vendor, to: Lifecycle, now: Instant) -> Vendor {
    Vendor { lifecycle: to, lifecycle_since: now, updated_at: now, ..vendor.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Lifecycle as L;
    use VendorAct as A;

    #[test]
    fn a_review_is_due_soon_for_thirty_days_and_overdue_from_its_very_end() {
        let now = Instant::from_seconds(1_790_000_000);
        let table = [
            (None, ReviewClock::NotScheduled),
            (Some(now.plus_seconds(-1)), ReviewClock::Overdue { since: now.plus_seconds(-1) }),
            (Some(now), ReviewClock::Overdue { since: now }),
            (Some(now.plus_seconds(1)), ReviewClock::DueSoon { until: now.plus_seconds(1) }),
            (Some(now.plus_days(30)), ReviewClock::DueSoon { until: now.plus_days(30) }),
            (Some(now.plus_days(30).plus_seconds(1)), ReviewClock::Current { until: now.plus_days(30).plus_seconds(1) }),
        ];
        for (until, expected) in table {
            let clock = ReviewClock::at(until, now);
            assert_eq!(clock, expected);
            for state in ReviewState::ALL {
                let within = match (state.span(now), until) {
                    (None, until) => until.is_none(),
                    (Some(_), None) => false,
                    (Some((after, up_to)), Some(until)) => after.is_none_or(|after| until > after) && up_to.is_none_or(|end| until <= end),
                };
                assert_eq!(within, clock.state() == state, "{until:?} {state:?}: the filter and the clock must agree");
            }
        }
    }

    /// Every act from every state: what is not in this table is refused.
    const TABLE: &[(A, L, L)] = &[
        (A::Triage, L::Intake, L::Triage),
        (A::BeginDueDiligence, L::Triage, L::DueDiligence),
        (A::BeginDueDiligence, L::Rejected, L::DueDiligence),
        (A::Activate, L::Approved, L::Active),
        (A::Activate, L::ApprovedWithConditions, L::Active),
        (A::Suspend, L::Active, L::Suspended),
        (A::Reinstate, L::Suspended, L::Active),
        (A::Offboard, L::Approved, L::Offboarding),
        (A::Offboard, L::ApprovedWithConditions, L::Offboarding),
        (A::Offboard, L::Active, L::Offboarding),
        (A::Offboard, L::Suspended, L::Offboarding),
        (A::Retire, L::Offboarding, L::Retired),
        (A::Retire, L::Intake, L::Retired),
        (A::Retire, L::Triage, L::Retired),
        (A::Retire, L::DueDiligence, L::Retired),
        (A::Retire, L::Rejected, L::Retired),
    ];

    #[test]
    fn acts_lead_where_the_table_says_and_nowhere_else() {
        for act in A::ALL {
            for from in L::ALL {
                let expected = TABLE.iter().find(|row| row.0 == act && row.1 == from).map(|row| row.2);
                assert_eq!(act.leads(from), expected, "{act:?} from {from:?}");
            }
        }
    }

    #[test]
    fn the_next_step_is_one_that_the_role_may_do() {
        use AgreementState as G;
        use NextStep as N;
        use ReviewState as R;
        use RoundStands as S;
        let at = |lifecycle| Surroundings { lifecycle, open_round: None, review: R::Current, agreement: G::InForce, has_client: true };
        let table = [
            (at(L::Intake), Some(N::Act(A::Triage)), None),
            (at(L::Triage), Some(N::Act(A::BeginDueDiligence)), None),
            (at(L::DueDiligence), Some(N::OpenAssessment), None),
            (Surroundings { open_round: Some(S::Answering), ..at(L::DueDiligence) }, Some(N::GoOnWithAssessment), None),
            (Surroundings { open_round: Some(S::Deciding), ..at(L::DueDiligence) }, None, Some(N::DecideAssessment)),
            (at(L::Approved), Some(N::Act(A::Activate)), None),
            (at(L::ApprovedWithConditions), Some(N::Act(A::Activate)), None),
            (at(L::Rejected), Some(N::Act(A::BeginDueDiligence)), None),
            (at(L::Active), None, None),
            (Surroundings { review: R::Overdue, agreement: G::None, ..at(L::Active) }, Some(N::OpenAssessment), None),
            (Surroundings { review: R::DueSoon, open_round: Some(S::Deciding), ..at(L::Active) }, None, Some(N::DecideAssessment)),
            (Surroundings { agreement: G::None, ..at(L::Active) }, Some(N::DraftAgreement), Some(N::DraftAgreement)),
            (Surroundings { agreement: G::InReview, ..at(L::Active) }, None, Some(N::ApproveAgreement)),
            (Surroundings { agreement: G::Approved, ..at(L::Active) }, Some(N::FinishAgreement), Some(N::FinishAgreement)),
            (Surroundings { has_client: false, ..at(L::Active) }, Some(N::IssueClient), None),
            (at(L::Suspended), Some(N::Act(A::Reinstate)), None),
            (at(L::Offboarding), Some(N::Act(A::Retire)), None),
            (at(L::Retired), None, None),
        ];
        for (around, manager, officer) in table {
            assert_eq!(next_step(&around, Role::VendorManager), manager, "{around:?}");
            assert_eq!(next_step(&around, Role::PrivacyOfficer), officer, "{around:?}");
            for reader in [Role::ComplianceReviewer, Role::Administrator, Role::DataSteward] {
                assert_eq!(next_step(&around, reader), None, "{around:?} {reader:?}");
            }
        }
    }

    #[test]
    fn what_is_offered_is_what_state_and_role_allow() {
        assert_eq!(offered(L::Active, Role::VendorManager), [A::Suspend, A::Offboard]);
        assert_eq!(offered(L::Active, Role::PrivacyOfficer), [A::Suspend, A::Offboard]);
        assert_eq!(offered(L::Suspended, Role::PrivacyOfficer), [A::Offboard]);
        assert_eq!(offered(L::Intake, Role::VendorManager), [A::Triage, A::Retire]);
        for state in L::ALL {
            assert_eq!(offered(state, Role::ComplianceReviewer), [], "{state:?}");
        }
        assert!(stops(A::Suspend, L::Active) && stops(A::Offboard, L::Active) && !stops(A::Offboard, L::Suspended));
    }
}
