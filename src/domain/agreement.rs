//! The contract on data, of three kinds, and the rules before it can be in force.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Invalid;
use super::id::{AgreementId, EvidenceId, PersonId, VendorId};
use super::text::{Digest, Email, Line, Name, Prose, Slug};
use super::time::{Date, Instant};
use super::vocabulary::Vocabulary;

/// The kind of contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgreementKind {
    /// GDPR Art. 28.
    Processor,
    /// GDPR Art. 26.
    JointControllers,
    /// Controller to controller; carriers often are.
    ControllerToController,
}

impl AgreementKind {
    /// The wire name.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Processor => "processor",
            Self::JointControllers => "joint_controllers",
            Self::ControllerToController => "controller_to_controller",
        }
    }

    /// Reads the wire name.
    pub fn from_key(key: &str) -> Option<Self> {
        [Self::Processor, Self::JointControllers, Self::ControllerToController].into_iter().find(|kind| kind.key() == key)
    }
}

/// Art. 28(2) and (4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "authorisation", rename_all = "snake_case", deny_unknown_fields)]
pub enum SubProcessors {
    /// None may be used.
    #[serde(deserialize_with = "super::no_members")]
    Forbidden,
    /// Announced this many days ahead, with a window to object.
    General {
        notice_days: u32,
        objection_days: u32,
    },
    Specific {
        named: Vec<Name>,
    },
}

/// Art. 28(3)(e): help with the rights of the people concerned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Assistance {
    pub days: u32,
    pub channel: Line,
}

/// Art. 28(3)(f): notice of a breach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BreachNotice {
    /// Above 24 is warned of: 72 is the controller's own limit (Art. 33).
    pub hours: u32,
    pub contact: Email,
}

/// Art. 28(3)(g): what happens to the data at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AtTheEnd {
    pub way: EndWay,
    pub deadline_days: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndWay {
    Delete,
    Return,
}

/// Art. 28(3)(h).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditRight {
    pub every_months: u32,
    #[serde(default)]
    pub last_on: Option<Date>,
}

/// Art. 26.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JointTerms {
    /// Who answers which duty to the people concerned.
    pub responsibilities: Prose,
    pub contact_point: Line,
    /// Where the essence of the arrangement can be read.
    pub essence_published_at: Line,
}

/// What one controller promises another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ControllerTerms {
    /// What the receiver may not do beyond the purposes.
    pub purpose_limits: Prose,
    /// Who tells the people concerned, and how (Art. 14).
    pub notice: Prose,
    /// Must be true: no onward sharing without our word.
    pub no_onward_sharing: bool,
}

/// A transfer outside the EEA and the adequate countries (Chapter V).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Transfer {
    pub mechanism: TransferMechanism,
    /// Reference of the transfer impact assessment.
    pub assessment_reference: Line,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransferMechanism {
    SccModule1,
    SccModule2,
    SccModule3,
    SccModule4,
    BindingCorporateRules,
    Derogation,
}

/// The clauses as fields. A draft may leave gaps; [`AgreementTerms::missing`] names them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AgreementTerms {
    pub subject_matter: Option<Prose>,
    pub nature: Option<Prose>,
    /// Keys of the purpose vocabulary.
    #[schema(value_type = Vec<Slug>)]
    pub purposes: BTreeSet<Slug>,
    /// Keys of the data-category vocabulary.
    #[schema(value_type = Vec<Slug>)]
    pub data_categories: BTreeSet<Slug>,
    /// Whose data: customers, newsletter readers, …
    pub subject_categories: Vec<Name>,
    /// First day in force.
    pub starts_on: Option<Date>,
    /// Last day in force, itself included; none runs until ended.
    pub ends_on: Option<Date>,
    /// (a) documented instructions.
    pub instructions: Vec<Prose>,
    /// (b) the day confidentiality was attested.
    pub confidentiality_attested_on: Option<Date>,
    /// (c) evidence that the security annex rests on.
    pub security_evidence: Vec<EvidenceId>,
    /// (d)
    pub sub_processors: Option<SubProcessors>,
    /// (e)
    pub assistance: Option<Assistance>,
    /// (f)
    pub breach_notice: Option<BreachNotice>,
    /// (g)
    pub at_the_end: Option<AtTheEnd>,
    /// (h)
    pub audit: Option<AuditRight>,
    /// Days that the vendor may keep what it got.
    pub retention_days: Option<u32>,
    pub joint: Option<JointTerms>,
    pub controller: Option<ControllerTerms>,
    pub transfer: Option<Transfer>,
}

/// What the rules look at beside the terms themselves.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// Whether any of the vendor's countries needs a transfer mechanism.
    pub transfers: bool,
    /// Evidence of the vendor that holds today.
    pub holding_evidence: &'a BTreeSet<EvidenceId>,
    /// Whether a document was handed in.
    pub has_document: bool,
    pub today: Date,
}

impl AgreementTerms {
    /// Checks what is given, gaps allowed: known vocabulary, dates in order, sensible sizes. A retired purpose or category
    /// stays where the terms before had it.
    pub fn check(&self, vocabulary: &Vocabulary, before: &Self) -> Result<(), Invalid> {
        for purpose in &self.purposes {
            vocabulary.check_purpose(purpose, &before.purposes).map_err(|error| Invalid::new("purposes", error.reason))?;
        }
        for category in &self.data_categories {
            vocabulary.check_category(category, &before.data_categories).map_err(|error| Invalid::new("data_categories", error.reason))?;
        }
        if let (Some(start), Some(end)) = (self.starts_on, self.ends_on)
            && end < start
        {
            return Err(Invalid::new("ends_on", "must not be before starts_on"));
        }
        let sizes = [
            ("subject_categories", self.subject_categories.len()),
            ("instructions", self.instructions.len()),
            ("security_evidence", self.security_evidence.len()),
        ];
        match sizes.into_iter().find(|(_, size)| *size > 100) {
            Some((field, _)) => Err(Invalid::new(field, "must be at most 100")),
            None => Ok(()),
        }
    }

    /// What is allowed but deserves a second look.
    pub fn warnings(&self) -> Vec<Invalid> {
        let late = self.breach_notice.as_ref().is_some_and(|notice| notice.hours > 24);
        let warning = || Invalid::new("terms.breach_notice.hours", "is above 24: the controller itself has 72 hours in all (Art. 33(1))");
        late.then(warning).into_iter().collect()
    }

    /// What still stands between these terms and being in force, clause by clause.
    pub fn missing(&self, kind: AgreementKind, around: &Surroundings<'_>) -> Vec<Invalid> {
        let mut gaps = Vec::new();
        let mut want = |given: bool, field: &str, reason: &str| {
            if !given {
                gaps.push(Invalid::new(field, reason));
            }
        };
        want(self.subject_matter.is_some(), "terms.subject_matter", "must be given");
        want(self.nature.is_some(), "terms.nature", "must be given");
        want(!self.purposes.is_empty(), "terms.purposes", "must name at least one purpose");
        want(!self.data_categories.is_empty(), "terms.data_categories", "must name at least one category");
        want(!self.subject_categories.is_empty(), "terms.subject_categories", "must name at least one group of people");
        want(self.starts_on.is_some(), "terms.starts_on", "must be given");
        want(self.ends_on.is_none_or(|end| end >= around.today), "terms.ends_on", "must not lie in the past");
        want(self.retention_days.is_some(), "terms.retention_days", "must be given");
        want(around.has_document, "document", "must be uploaded: the paper that is signed");
        if around.transfers {
            want(
                self.transfer.is_some(),
                "terms.transfer",
                "must name a mechanism and a transfer assessment: a country lies outside the EEA and the adequacy list",
            );
        }
        match kind {
            AgreementKind::Processor => self.missing_processor(around, &mut want),
            AgreementKind::JointControllers => {
                want(
                    self.joint.is_some(),
                    "terms.joint",
                    "must say who answers whom, the contact point and where the essence is published",
                );
                want(self.breach_notice.is_some(), "terms.breach_notice", "must be given");
            }
            AgreementKind::ControllerToController => {
                want(self.controller.is_some(), "terms.controller", "must state purpose limits, notice and no onward sharing");
                want(
                    self.controller.as_ref().is_none_or(|terms| terms.no_onward_sharing),
                    "terms.controller.no_onward_sharing",
                    "must be promised",
                );
                want(
                    self.holds_security(around),
                    "terms.security_evidence",
                    "must name at least one piece of evidence that has not expired",
                );
                want(self.breach_notice.is_some(), "terms.breach_notice", "must be given");
            }
        }
        gaps
    }

    fn missing_processor(&self, around: &Surroundings<'_>, want: &mut impl FnMut(bool, &str, &str)) {
        want(!self.instructions.is_empty(), "terms.instructions", "must hold at least one documented instruction (Art. 28(3)(a))");
        want(self.confidentiality_attested_on.is_some(), "terms.confidentiality_attested_on", "must be given (Art. 28(3)(b))");
        want(
            self.holds_security(around),
            "terms.security_evidence",
            "must name at least one piece of evidence that has not expired (Art. 28(3)(c))",
        );
        let sub_processors = match &self.sub_processors {
            None => false,
            Some(SubProcessors::Forbidden) => true,
            Some(SubProcessors::General { notice_days, .. }) => *notice_days > 0,
            Some(SubProcessors::Specific { named }) => !named.is_empty(),
        };
        want(
            sub_processors,
            "terms.sub_processors",
            "must be forbidden, general with notice days above 0, or specific with each named (Art. 28(3)(d))",
        );
        want(self.assistance.is_some(), "terms.assistance", "must be given (Art. 28(3)(e))");
        want(self.breach_notice.is_some(), "terms.breach_notice", "must be given (Art. 28(3)(f))");
        want(self.at_the_end.is_some(), "terms.at_the_end", "must choose delete or return and a deadline (Art. 28(3)(g))");
        want(self.audit.is_some(), "terms.audit", "must be given (Art. 28(3)(h))");
    }

    fn holds_security(&self, around: &Surroundings<'_>) -> bool {
        self.security_evidence.iter().any(|id| around.holding_evidence.contains(id))
    }
}

/// Which side signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    House,
    Vendor,
}

impl Party {
    /// The wire name.
    pub const fn key(self) -> &'static str {
        match self {
            Self::House => "house",
            Self::Vendor => "vendor",
        }
    }
}

/// A recorded signature: typed name, time, and the digest of the document signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Signature {
    pub party: Party,
    pub name: Name,
    pub at: Instant,
    pub document: Digest,
    pub recorded_by: PersonId,
}

/// Where a version stands. `InForce` is not stored as such: a signed version is in force from its date to its
/// end, as the clock says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum VersionStatus {
    Draft,
    InReview {
        at: Instant,
    },
    Approved {
        at: Instant,
    },
    /// Both parties signed; in force within its dates.
    Signed {
        from: Instant,
        until: Option<Instant>,
    },
    Superseded {
        at: Instant,
    },
    Terminated {
        at: Instant,
    },
}

impl VersionStatus {
    /// The wire name of the state.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::InReview { .. } => "in_review",
            Self::Approved { .. } => "approved",
            Self::Signed { .. } => "signed",
            Self::Superseded { .. } => "superseded",
            Self::Terminated { .. } => "terminated",
        }
    }
}

/// One version of an agreement. Immutable once signed; an amendment makes the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AgreementVersion {
    pub agreement: AgreementId,
    /// From 1.
    pub number: i32,
    pub terms: AgreementTerms,
    #[serde(flatten)]
    pub status: VersionStatus,
    /// SHA-256 of the document, once uploaded.
    pub document: Option<Digest>,
    /// Who wrote in it last.
    pub author: PersonId,
    /// Everyone who wrote in it; none of them approves it.
    #[schema(value_type = Vec<PersonId>)]
    pub authors: BTreeSet<PersonId>,
    pub approver: Option<PersonId>,
    /// What the approver said.
    pub comment: Option<Prose>,
    pub signatures: Vec<Signature>,
    pub created_at: Instant,
    pub version: i64,
}

impl AgreementVersion {
    /// A version as its author begins it: a draft without a document.
    pub fn begin(agreement: &AgreementId, number: i32, terms: AgreementTerms, author: PersonId, now: Instant) -> Self {
        Self {
            agreement: agreement.clone(),
            number,
            terms,
            status: VersionStatus::Draft,
            document: None,
            authors: BTreeSet::from([author.clone()]),
            author,
            approver: None,
            comment: None,
            signatures: Vec::new(),
            created_at: now,
            version: 1,
        }
    }

    /// Whether it is in force at an instant: signed, begun and not over.
    pub fn in_force_at(&self, now: Instant) -> bool {
        matches!(&self.status, VersionStatus::Signed { from, until } if *from <= now && until.is_none_or(|end| now < end))
    }
}

/// An agreement across its versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Agreement {
    pub id: AgreementId,
    pub vendor: VendorId,
    /// Unique; also the Delta Sharing share.
    pub reference: Slug,
    pub kind: AgreementKind,
    pub created_at: Instant,
    pub ended_at: Option<Instant>,
    pub version: i64,
}
