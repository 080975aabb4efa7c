//! What acts on vendors are called, what they do, and where agreements, reviews and work stand, in a word each.

use crate::domain::agreement::AgreementKind;
use crate::domain::vendor::VendorAct;
use crate::policy::standing::AgreementState;
use crate::policy::vendor::{NextStep, ReviewClock, ReviewState};
use crate::policy::work::WorkState;

use super::{Badge, Tone};

/// Where the best of a vendor's agreements stands.
pub fn agreement_state(state: AgreementState) -> Badge {
    let (tone, word) = match state {
        AgreementState::None => (Tone::Draft, "None"),
        AgreementState::Ended => (Tone::Stopped, "Ended"),
        AgreementState::Draft => (Tone::Draft, "Draft"),
        AgreementState::InReview => (Tone::SecondPerson, "Waits for approval"),
        AgreementState::Approved => (Tone::Progress, "Approved, not begun"),
        AgreementState::InForce => (Tone::InForce, "In force"),
    };
    Badge::new(tone, word)
}

/// What a kind of agreement is called.
pub const fn agreement_kind(kind: &AgreementKind) -> &'static str {
    match kind {
        AgreementKind::Processor => "Processor (Art. 28)",
        AgreementKind::JointControllers => "Joint controllers (Art. 26)",
        AgreementKind::ControllerToController => "Controller to controller",
    }
}

/// Where a review clock stands.
pub fn review_clock(clock: ReviewClock) -> Badge {
    review_state(clock.state())
}

/// A state of a review clock.
pub fn review_state(state: ReviewState) -> Badge {
    let (tone, word) = match state {
        ReviewState::Current => (Tone::InForce, "Current"),
        ReviewState::DueSoon => (Tone::Due, "Due soon"),
        ReviewState::Overdue => (Tone::Stopped, "Overdue"),
        ReviewState::NotScheduled => (Tone::Draft, "Not scheduled"),
    };
    Badge::new(tone, word)
}

/// How urgent a piece of work is.
pub fn work_state(state: WorkState) -> Badge {
    let (tone, word) = match state {
        WorkState::Waiting => (Tone::Progress, "Waiting"),
        WorkState::Due => (Tone::Due, "Due soon"),
        WorkState::Overdue => (Tone::Stopped, "Overdue"),
        WorkState::Blocked => (Tone::Stopped, "Blocked"),
    };
    Badge::new(tone, word)
}

/// An act as a button says it.
pub const fn vendor_act(act: VendorAct) -> &'static str {
    match act {
        VendorAct::Triage => "Begin triage",
        VendorAct::BeginDueDiligence => "Begin due diligence",
        VendorAct::Activate => "Activate",
        VendorAct::Suspend => "Suspend",
        VendorAct::Reinstate => "Reinstate",
        VendorAct::Offboard => "Begin offboarding",
        VendorAct::Retire => "Retire",
    }
}

/// What an act does, said before it is done.
pub const fn vendor_act_does(act: VendorAct) -> &'static str {
    match act {
        VendorAct::Triage => "Triage settles what the vendor is for, which tier it has and who answers for it.",
        VendorAct::BeginDueDiligence => {
            "An assessment can then be opened and sent. The vendor moves on when a privacy officer has decided it."
        }
        VendorAct::Activate => "The vendor gate opens. Data leaves only when due diligence, agreement and permit are open as well.",
        VendorAct::Suspend => "Every release to this vendor is refused from the next request on. It can be reinstated later.",
        VendorAct::Reinstate => "The vendor gate opens again: what was released before the suspension can be pulled again.",
        VendorAct::Offboard => "The vendor gets nothing any more and can't become active again; what is left is to retire it.",
        VendorAct::Retire => "This is for good: the vendor takes no assessment, agreement or client any more. Its history stays.",
    }
}

/// What is true after an act.
pub const fn vendor_act_done(act: VendorAct) -> &'static str {
    match act {
        VendorAct::Triage => "is in triage.",
        VendorAct::BeginDueDiligence => "is in due diligence: open an assessment.",
        VendorAct::Activate => "is active.",
        VendorAct::Suspend => "is suspended: every release to it is refused from now on.",
        VendorAct::Reinstate => "is active again.",
        VendorAct::Offboard => "is being offboarded: it gets nothing any more.",
        VendorAct::Retire => "is retired.",
    }
}

/// The next step as a button says it.
pub const fn next_step(step: NextStep) -> &'static str {
    match step {
        NextStep::Act(act) => vendor_act(act),
        NextStep::OpenAssessment => "Open an assessment",
        NextStep::GoOnWithAssessment => "Go on with the assessment",
        NextStep::DecideAssessment => "Decide the assessment",
        NextStep::DraftAgreement => "Draft an agreement",
        NextStep::FinishAgreement => "Finish the agreement",
        NextStep::ApproveAgreement => "Approve the agreement",
        NextStep::IssueClient => "Issue a client",
    }
}
