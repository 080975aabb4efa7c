//! A vendor: a third party with a lifecycle, a tier, an owner and contacts.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Invalid;
use super::id::{PersonId, VendorId};
use super::text::{Country, Email, Line, Name};
use super::time::Instant;

/// What the vendor is under the GDPR for the data it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VendorRole {
    /// Acts on our instructions (Art. 28).
    Processor,
    /// Decides for itself what the data is for.
    Controller,
    /// Decides together with us (Art. 26).
    JointController,
}

/// How much harm a failure of the vendor could do; sets how often it is assessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    Low,
    Standard,
    Important,
    Critical,
}

impl Tier {
    /// Days that an approval lasts: critical 180, important 365, standard 730, low 1095.
    pub const fn assessment_days(self) -> i64 {
        match self {
            Self::Critical => 180,
            Self::Important => 365,
            Self::Standard => 730,
            Self::Low => 1095,
        }
    }

    /// The wire name.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Standard => "standard",
            Self::Important => "important",
            Self::Critical => "critical",
        }
    }

    /// Reads the wire name.
    pub fn from_key(key: &str) -> Option<Self> {
        [Self::Low, Self::Standard, Self::Important, Self::Critical].into_iter().find(|tier| tier.key() == key)
    }
}

impl VendorRole {
    /// The wire name.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Processor => "processor",
            Self::Controller => "controller",
            Self::JointController => "joint_controller",
        }
    }

    /// Reads the wire name.
    pub fn from_key(key: &str) -> Option<Self> {
        [Self::Processor, Self::Controller, Self::JointController].into_iter().find(|role| role.key() == key)
    }
}

/// Where a vendor stands. Only `Active` opens the vendor gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Lifecycle {
    Intake,
    Triage,
    DueDiligence,
    Approved,
    ApprovedWithConditions,
    Rejected,
    Active,
    Suspended,
    Offboarding,
    Retired,
}

impl Lifecycle {
    /// Every state, in the order a vendor passes them.
    pub const ALL: [Self; 10] = [
        Self::Intake,
        Self::Triage,
        Self::DueDiligence,
        Self::Approved,
        Self::ApprovedWithConditions,
        Self::Rejected,
        Self::Active,
        Self::Suspended,
        Self::Offboarding,
        Self::Retired,
    ];

    /// The wire name.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Intake => "intake",
            Self::Triage => "triage",
            Self::DueDiligence => "due_diligence",
            Self::Approved => "approved",
            Self::ApprovedWithConditions => "approved_with_conditions",
            Self::Rejected => "rejected",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Offboarding => "offboarding",
            Self::Retired => "retired",
        }
    }

    /// Reads the wire name.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.key() == key)
    }
}

/// A named act that moves a vendor along its lifecycle. Approval and rejection are not here: they are the
/// decision of an assessment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VendorAct {
    /// intake → triage.
    Triage,
    /// triage or rejected → due diligence.
    BeginDueDiligence,
    /// approved (with or without conditions) → active.
    Activate,
    /// active → suspended: stops every release from the next request on.
    Suspend,
    /// suspended → active.
    Reinstate,
    /// approved, active or suspended → offboarding.
    Offboard,
    /// offboarding (or never approved) → retired, for good.
    Retire,
}

impl VendorAct {
    /// Every act.
    pub const ALL: [Self; 7] =
        [Self::Triage, Self::BeginDueDiligence, Self::Activate, Self::Suspend, Self::Reinstate, Self::Offboard, Self::Retire];

    /// The verb that the history and the URL bear.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Triage => "triage",
            Self::BeginDueDiligence => "begin-due-diligence",
            Self::Activate => "activate",
            Self::Suspend => "suspend",
            Self::Reinstate => "reinstate",
            Self::Offboard => "offboard",
            Self::Retire => "retire",
        }
    }

    /// Where the act leads from a state; `None` where it does not apply.
    pub const fn leads(self, from: Lifecycle) -> Option<Lifecycle> {
        use Lifecycle as L;
        match (self, from) {
            (Self::Triage, L::Intake) => Some(L::Triage),
            (Self::BeginDueDiligence, L::Triage | L::Rejected) => Some(L::DueDiligence),
            (Self::Activate, L::Approved | L::ApprovedWithConditions) | (Self::Reinstate, L::Suspended) => Some(L::Active),
            (Self::Suspend, L::Active) => Some(L::Suspended),
            (Self::Offboard, L::Approved | L::ApprovedWithConditions | L::Active | L::Suspended) => Some(L::Offboarding),
            (Self::Retire, L::Offboarding | L::Intake | L::Triage | L::DueDiligence | L::Rejected) => Some(L::Retired),
            _ => None,
        }
    }
}

/// A person at the vendor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    pub name: Name,
    pub email: Email,
    /// What to ask this person about: `business`, `security`, `privacy`, …
    pub about: Name,
}

/// What a manager states of a vendor; the rest is derived or set by acts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VendorProfile {
    /// The name in the register of companies; unique among vendors, case and spaces aside.
    pub legal_name: Name,
    #[serde(default)]
    pub trade_name: Option<Name>,
    /// Where it is established: ISO 3166-1 alpha-2.
    pub country: Country,
    #[serde(default)]
    pub address: Option<Line>,
    pub role: VendorRole,
    pub tier: Tier,
    /// Why this tier; shown to the approver.
    #[serde(default)]
    pub tier_note: Option<Line>,
    /// Who answers for the vendor in the house.
    pub owner: PersonId,
    #[serde(default)]
    pub contacts: Vec<Contact>,
    /// Countries where the vendor keeps or processes the data.
    #[serde(default)]
    pub data_locations: Vec<Country>,
}

/// The most contacts a vendor may have.
pub const MOST_CONTACTS: usize = 50;

impl VendorProfile {
    /// Checks what no single field can check.
    pub fn check(&self) -> Result<(), Invalid> {
        if self.contacts.len() > MOST_CONTACTS {
            return Err(Invalid::new("contacts", format!("must be at most {MOST_CONTACTS}")));
        }
        if self.data_locations.len() > 250 {
            return Err(Invalid::new("data_locations", "must be at most 250"));
        }
        Ok(())
    }

    /// The key under which the legal name must be unique.
    pub fn name_key(&self) -> String {
        self.legal_name.as_str().split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
    }
}

/// A registered vendor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Vendor {
    pub id: VendorId,
    #[serde(flatten)]
    pub profile: VendorProfile,
    pub lifecycle: Lifecycle,
    pub lifecycle_since: Instant,
    pub created_at: Instant,
    pub updated_at: Instant,
    /// Send it back with a change; a stale one is answered 409.
    pub version: i64,
}
