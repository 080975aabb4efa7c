//! What things are called on pages: one word for each state, and one colour meaning everywhere.

use crate::domain::agreement::VersionStatus;
use crate::domain::assessment::{AssessmentStatus, Verdict};
use crate::domain::client::{Client, Token, TokenKind};
use crate::domain::dataset::{ColumnState, FieldClass, LogicalType};
use crate::domain::gate::Gate;
use crate::domain::permit::{Permit, RevisionStatus};
use crate::domain::person::Role;
use crate::domain::signing_key::KeyState;
use crate::domain::time::Instant;
use crate::domain::vendor::{Lifecycle, Tier, VendorRole};
use crate::domain::vocabulary::Purpose;
use crate::policy::diff::Direction;

use super::parts::Choice;

pub use self::amounts::{ago, bytes, count, date, instant, number, until};
pub use self::consent::{signal, signal_hint, signal_term, standing as consent_standing};
pub use self::countries::{countries, country, country_called};
pub use self::diligence::{assessment_kind, change, evidence_type, paper, points, verdict};
pub use self::standing::{
    agreement_kind, agreement_state, next_step, review_clock, review_state, vendor_act, vendor_act_does, vendor_act_done, work_state,
};

mod amounts;
mod consent;
mod countries;
mod diligence;
mod standing;

/// What a colour means; the icon says the same to those who do not see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Grey: a draft, or over.
    Draft,
    /// Blue: in progress.
    Progress,
    /// Green: in force.
    InForce,
    /// Amber: due, or with conditions.
    Due,
    /// Red: refused, stopped, lapsed.
    Stopped,
    /// Violet: needs a second person.
    SecondPerson,
}

impl Tone {
    /// The end of its class in the style sheet.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Progress => "progress",
            Self::InForce => "in-force",
            Self::Due => "due",
            Self::Stopped => "stopped",
            Self::SecondPerson => "second",
        }
    }

    /// Its icon.
    pub const fn icon(self) -> &'static str {
        match self {
            Self::Draft => "circle-dashed",
            Self::Progress => "progress",
            Self::InForce => "circle-check",
            Self::Due => "clock",
            Self::Stopped => "ban",
            Self::SecondPerson => "users",
        }
    }
}

/// A state in a word, with its tone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Badge {
    pub tone: Tone,
    pub word: String,
}

impl Badge {
    /// Of a tone and a word.
    pub fn new(tone: Tone, word: impl Into<String>) -> Self {
        Self { tone, word: word.into() }
    }
}

/// Days before an end on which it counts as due.
const DUE_DAYS: i64 = 30;

impl From<Lifecycle> for Badge {
    fn from(state: Lifecycle) -> Self {
        let (tone, word) = match state {
            Lifecycle::Intake => (Tone::Draft, "Intake"),
            Lifecycle::Triage => (Tone::Progress, "Triage"),
            Lifecycle::DueDiligence => (Tone::Progress, "Due diligence"),
            Lifecycle::Approved => (Tone::Progress, "Approved"),
            Lifecycle::ApprovedWithConditions => (Tone::Due, "Approved with conditions"),
            Lifecycle::Rejected => (Tone::Stopped, "Rejected"),
            Lifecycle::Active => (Tone::InForce, "Active"),
            Lifecycle::Suspended => (Tone::Stopped, "Suspended"),
            Lifecycle::Offboarding => (Tone::Due, "Offboarding"),
            Lifecycle::Retired => (Tone::Draft, "Retired"),
        };
        Self::new(tone, word)
    }
}

impl From<RevisionStatus> for Badge {
    fn from(state: RevisionStatus) -> Self {
        let (tone, word) = match state {
            RevisionStatus::Proposed => (Tone::SecondPerson, "Waits for approval"),
            RevisionStatus::InForce => (Tone::InForce, "In force"),
            RevisionStatus::Superseded => (Tone::Draft, "Superseded"),
            RevisionStatus::Rejected => (Tone::Stopped, "Rejected"),
        };
        Self::new(tone, word)
    }
}

/// Where a round of due diligence stands; an approval lapses by the clock.
pub fn assessment(status: &AssessmentStatus, now: Instant) -> Badge {
    match status {
        AssessmentStatus::Draft => Badge::new(Tone::Draft, "Draft"),
        AssessmentStatus::Sent => Badge::new(Tone::Progress, "Sent"),
        AssessmentStatus::InProgress => Badge::new(Tone::Progress, "In progress"),
        AssessmentStatus::Submitted { .. } => Badge::new(Tone::SecondPerson, "Waits for review"),
        AssessmentStatus::InReview { .. } => Badge::new(Tone::SecondPerson, "In review"),
        AssessmentStatus::Decided(decision) => match decision.verdict {
            Verdict::Rejected => Badge::new(Tone::Stopped, "Rejected"),
            Verdict::Approved | Verdict::ApprovedWithConditions if decision.valid_until.is_some_and(|end| end <= now) => {
                Badge::new(Tone::Stopped, "Lapsed")
            }
            Verdict::ApprovedWithConditions => Badge::new(Tone::Due, "Approved with conditions"),
            Verdict::Approved => Badge::new(Tone::InForce, "Approved"),
        },
        AssessmentStatus::Cancelled { .. } => Badge::new(Tone::Draft, "Cancelled"),
    }
}

/// Where a version of an agreement stands; what is signed is in force by the clock.
pub fn version(status: &VersionStatus, now: Instant) -> Badge {
    match status {
        VersionStatus::Draft => Badge::new(Tone::Draft, "Draft"),
        VersionStatus::InReview { .. } => Badge::new(Tone::SecondPerson, "Waits for approval"),
        VersionStatus::Approved { .. } => Badge::new(Tone::Progress, "Approved, not signed"),
        VersionStatus::Signed { from, .. } if now < *from => Badge::new(Tone::Progress, "Signed, not begun"),
        VersionStatus::Signed { until, .. } if until.is_some_and(|end| end <= now) => Badge::new(Tone::Stopped, "Expired"),
        VersionStatus::Signed { until, .. } if until.is_some_and(|end| end <= now.plus_days(DUE_DAYS)) => {
            Badge::new(Tone::Due, "In force, ends soon")
        }
        VersionStatus::Signed { .. } => Badge::new(Tone::InForce, "In force"),
        VersionStatus::Superseded { .. } => Badge::new(Tone::Draft, "Superseded"),
        VersionStatus::Terminated { .. } => Badge::new(Tone::Stopped, "Ended"),
    }
}

/// Where a permit stands as a whole, with the state of its newest revision.
pub fn permit(permit: &Permit, newest: RevisionStatus) -> Badge {
    if permit.ended_at.is_some() {
        Badge::new(Tone::Stopped, "Ended")
    } else if permit.paused_at.is_some() {
        Badge::new(Tone::Due, "Paused")
    } else {
        Badge::from(newest)
    }
}

/// Where a review clock stands, by the end of the last approval.
pub fn review(valid_until: Option<Instant>, now: Instant) -> Badge {
    match valid_until {
        None => Badge::new(Tone::Draft, "Not assessed"),
        Some(end) if end <= now => Badge::new(Tone::Stopped, "Overdue"),
        Some(end) if end <= now.plus_days(DUE_DAYS) => Badge::new(Tone::Due, "Due soon"),
        Some(_) => Badge::new(Tone::InForce, "Current"),
    }
}

/// Where a client stands.
pub fn client(client: &Client) -> Badge {
    if client.revoked_at.is_some() { Badge::new(Tone::Stopped, "Revoked") } else { Badge::new(Tone::InForce, "Live") }
}

/// What kind a token is of.
pub fn token_kind(token: &Token) -> &'static str {
    match (token.kind, token.bound_to.is_some()) {
        (TokenKind::Plain, _) => "plain token",
        (TokenKind::Access, true) => "access token, bound to a key",
        (TokenKind::Access, false) => "access token",
    }
}

/// Where a signing key stands.
pub fn signing_key(state: KeyState) -> Badge {
    let (tone, word) = match state {
        KeyState::Waiting => (Tone::Progress, "Waiting"),
        KeyState::Signing => (Tone::InForce, "Signing"),
        KeyState::Verifying => (Tone::Due, "Verifying"),
        KeyState::Over => (Tone::Draft, "Over"),
        KeyState::Revoked => (Tone::Stopped, "Revoked"),
    };
    Badge::new(tone, word)
}

/// Where a token stands.
pub fn token(token: &Token, now: Instant) -> Badge {
    if token.revoked_at.is_some() {
        Badge::new(Tone::Stopped, "Revoked")
    } else if token.expires_at <= now {
        Badge::new(Tone::Draft, "Expired")
    } else {
        Badge::new(Tone::InForce, "Live")
    }
}

/// A gate: open or closed.
pub fn gate_state(open: bool) -> Badge {
    if open { Badge::new(Tone::InForce, "Open") } else { Badge::new(Tone::Stopped, "Closed") }
}

/// What a gate is called.
pub fn gate(gate: &Gate) -> &'static str {
    match gate {
        Gate::Token => "Token",
        Gate::Client => "Client",
        Gate::Vendor => "Vendor",
        Gate::DueDiligence => "Due diligence",
        Gate::Subprocessor => "Sub-processors",
        Gate::Agreement => "Agreement",
        Gate::Permit => "Permit",
        Gate::Purpose => "Purpose",
        Gate::Consent => "Consent",
        Gate::DatasetDrift => "Dataset unchanged",
        Gate::Quota => "Quota",
    }
}

/// What a role is called.
pub fn role(role: &Role) -> &'static str {
    match role {
        Role::Administrator => "Administrator",
        Role::VendorManager => "Vendor manager",
        Role::PrivacyOfficer => "Privacy officer",
        Role::DataSteward => "Data steward",
        Role::ComplianceReviewer => "Compliance reviewer",
    }
}

/// What a role is there for, as it completes the sentence "Your role, …, …".
pub fn duty(role: &Role) -> &'static str {
    match role {
        Role::Administrator => "runs the house and decides nothing about data",
        Role::VendorManager => "registers vendors, assesses them and drafts what they may have; a second person approves",
        Role::PrivacyOfficer => "decides and approves; drafting access is for others",
        Role::DataSteward => "keeps the catalogue of data",
        Role::ComplianceReviewer => "reads and changes nothing",
    }
}

/// What a tier is called.
pub fn tier(tier: &Tier) -> &'static str {
    match tier {
        Tier::Low => "Low",
        Tier::Standard => "Standard",
        Tier::Important => "Important",
        Tier::Critical => "Critical",
    }
}

/// What the law calls the vendor.
pub fn vendor_role(role: &VendorRole) -> &'static str {
    match role {
        VendorRole::Processor => "Processor",
        VendorRole::Controller => "Controller",
        VendorRole::JointController => "Joint controller",
    }
}

/// What a field's class is called.
pub fn class(class: &FieldClass) -> &'static str {
    match class {
        FieldClass::DirectIdentifier => "Direct identifier",
        FieldClass::QuasiIdentifier => "Quasi-identifier",
        FieldClass::Sensitive => "Sensitive",
        FieldClass::Plain => "Plain",
    }
}

/// What a field's class means.
pub fn class_means(class: &FieldClass) -> &'static str {
    match class {
        FieldClass::DirectIdentifier => "names the person by itself: an e-mail address, a phone or customer number",
        FieldClass::QuasiIdentifier => "names the person together with others: a birth date, a postal code",
        FieldClass::Sensitive => "hurts when it is known: health, income, notes about somebody",
        FieldClass::Plain => "none of these",
    }
}

/// What a column holds.
pub fn logical(logical: &LogicalType) -> &'static str {
    crate::policy::words::logical(*logical)
}

/// How a column stands beside the catalogue.
pub fn column_state(state: &ColumnState) -> Badge {
    match state {
        ColumnState::AsCatalogued => Badge::new(Tone::InForce, "As catalogued"),
        ColumnState::OtherType => Badge::new(Tone::Stopped, "Another type"),
        ColumnState::Gone => Badge::new(Tone::Stopped, "Missing"),
        ColumnState::New => Badge::new(Tone::Draft, "New, withheld"),
    }
}

/// The icon of a field's class.
pub fn class_icon(class: &FieldClass) -> &'static str {
    match class {
        FieldClass::DirectIdentifier => "fingerprint",
        FieldClass::QuasiIdentifier => "puzzle",
        FieldClass::Sensitive => "eye-off",
        FieldClass::Plain => "circle",
    }
}

/// The purposes to choose from.
pub fn purposes<'a>(purposes: impl IntoIterator<Item = &'a Purpose>) -> Vec<Choice> {
    purposes.into_iter().map(|purpose| Choice::new(purpose.term.key.as_str(), purpose.term.title.as_str())).collect()
}

/// Which way a change goes, in a word.
pub const fn direction(direction: &Direction) -> &'static str {
    match direction {
        Direction::Stronger => "Stronger",
        Direction::Weaker => "Weaker",
        Direction::Neutral => "Neither",
        Direction::Unclear => "Look closely",
    }
}

/// The icon that says the same.
pub const fn direction_icon(direction: &Direction) -> &'static str {
    match direction {
        Direction::Stronger => "shield-check",
        Direction::Weaker => "alert-triangle",
        Direction::Neutral => "arrow-right",
        Direction::Unclear => "eye",
    }
}

/// A person, session or key that works.
pub fn good() -> Badge {
    Badge::new(Tone::InForce, "Active")
}

/// A key that works no more.
pub fn revoked() -> Badge {
    Badge::new(Tone::Stopped, "Revoked")
}

/// A person who may not sign in.
pub fn shut_out() -> Badge {
    Badge::new(Tone::Stopped, "Shut out")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_clock_ends_is_not_green() {
        let now = Instant::from_seconds(1_800_000_000);
        let signed = |days| VersionStatus::Signed { from: now.plus_days(-10), until: Some(now.plus_days(days)) };
        for (days, word, tone) in [
            (-1, "Expired", Tone::Stopped),
            (0, "Expired", Tone::Stopped),
            (5, "In force, ends soon", Tone::Due),
            (90, "In force", Tone::InForce),
        ] {
            assert_eq!(version(&signed(days), now), Badge::new(tone, word), "{days}");
        }
        assert_eq!(version(&VersionStatus::Signed { from: now.plus_days(1), until: None }, now).tone, Tone::Progress);
        for (days, tone) in [(-1, Tone::Stopped), (0, Tone::Stopped), (30, Tone::Due), (31, Tone::InForce)] {
            assert_eq!(review(Some(now.plus_days(days)), now).tone, tone, "{days}");
        }
    }
}
