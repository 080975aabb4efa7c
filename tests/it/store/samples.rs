//! Nouns that differ from one another in every part that is stored.

use std::collections::{BTreeMap, BTreeSet};

use tidegate::domain::agreement::{
    Agreement, AgreementKind, AgreementTerms, AgreementVersion, Party, Signature, SubProcessors, VersionStatus,
};
use tidegate::domain::assessment::{Assessment, AssessmentKind, AssessmentStatus, Decision, Verdict};
use tidegate::domain::client::{Authentication, Binding, Client, Token, TokenKind};
use tidegate::domain::condition::{Clause, Condition, Operator, Part};
use tidegate::domain::dataset::{Dataset, Field, FieldClass, LogicalType, Source, SourceLocation, SubjectMapping};
use tidegate::domain::evidence::{Evidence, EvidenceFacts, EvidenceType};
use tidegate::domain::id::{AgreementId, ClientId, DatasetId, PersonId, SourceId, VendorId};
use tidegate::domain::permit::{LegalBasis, Permit, PermitTerms, Revision, RevisionStatus};
use tidegate::domain::person::{ApiKey, Person, Role};
use tidegate::domain::questionnaire::{Answer, AskedWhen, Choice, Contribution, Question, QuestionKind, Score, Template, YesNo};
use tidegate::domain::secret::SecretDigest;
use tidegate::domain::text::{Digest, Slug};
use tidegate::domain::treatment::{CodeForm, ConstantValue, DateUnit, GridForm, PseudonymFormat, Treatment};
use tidegate::domain::vendor::{Contact, Lifecycle, Tier, Vendor, VendorProfile, VendorRole};
use tidegate::domain::{Date, Instant};
use tidegate::history::leaf::sha256_hex;

/// Where the tests' clocks begin.
pub const START: Instant = Instant::from_seconds(1_790_000_000);

/// A new id of any noun.
pub fn id<T: std::str::FromStr<Err: std::fmt::Debug>>() -> T {
    text(&uuid::Uuid::now_v7().to_string())
}

/// A checked text.
pub fn text<T: std::str::FromStr<Err: std::fmt::Debug>>(raw: &str) -> T {
    raw.parse().unwrap()
}

pub fn digest(of: &str) -> Digest {
    text(&sha256_hex(of.as_bytes()))
}

pub fn secret(of: &str) -> SecretDigest {
    SecretDigest::new(digest(of))
}

pub fn day(raw: &str) -> Date {
    text(raw)
}

pub fn person(email: &str) -> Person {
    Person {
        id: id(),
        email: text(email),
        name: text("Zoë O'Neil"),
        role: Role::VendorManager,
        created_at: START,
        disabled_at: None,
        version: 1,
    }
}

pub fn api_key(person: &PersonId) -> ApiKey {
    let expires_at = Some(START.plus_days(30));
    ApiKey { id: id(), person: person.clone(), label: text("build"), created_at: START, expires_at, revoked_at: None }
}

pub fn vendor(owner: &PersonId, legal_name: &str) -> Vendor {
    Vendor {
        id: id(),
        profile: VendorProfile {
            legal_name: text(legal_name),
            trade_name: Some(text("Trade")),
            country: text("DE"),
            address: Some(text("Straße 1")),
            role: VendorRole::JointController,
            tier: Tier::Important,
            tier_note: None,
            owner: owner.clone(),
            contacts: vec![Contact { name: text("A \"B\" \\ C"), email: text("a@example.org"), about: text("privacy") }],
            data_locations: vec![text("DE"), text("JP")],
        },
        lifecycle: Lifecycle::Active,
        lifecycle_since: START,
        created_at: START.plus_seconds(1),
        updated_at: START.plus_seconds(2),
        version: 1,
    }
}

fn template() -> Template {
    let question =
        |name: &str, kind, when| Question { id: text(name), domain: "Access".into(), text: "Why?\u{7}".into(), kind, weight: 3, when };
    Template {
        key: text("security"),
        version: 2,
        title: "Security".into(),
        questions: vec![
            question("mfa", QuestionKind::YesNo { good: YesNo::Yes }, None),
            question(
                "where",
                QuestionKind::Choice { options: vec![Choice { key: text("eu"), text: "EU".into(), risk: 10 }] },
                Some(AskedWhen { question: text("mfa"), answer: "yes".into() }),
            ),
            question("how", QuestionKind::Text, None),
            question("tested", QuestionKind::Date { fresh_days: Some(365) }, None),
            question("proof", QuestionKind::File, None),
        ],
    }
}

pub fn assessment(vendor: &VendorId, by: &PersonId) -> Assessment {
    let answers = [
        ("mfa", Answer::YesNo(YesNo::No)),
        ("where", Answer::Choice(text("eu"))),
        ("how", Answer::Text(text("line\nline"))),
        ("tested", Answer::Date(day("2026-02-28"))),
        ("proof", Answer::File(id())),
        ("other", Answer::NotApplicable(text("no such thing"))),
    ];
    let part = Contribution { question: text("mfa"), weight: 3, risk: 100, lost: 33.25, answered: true };
    Assessment {
        id: id(),
        vendor: vendor.clone(),
        kind: AssessmentKind::Security,
        template: text("security"),
        status: AssessmentStatus::Submitted { by: by.clone(), at: START },
        questionnaire: Some(template()),
        answers: answers.into_iter().map(|(name, answer)| (text(name), answer)).collect(),
        score: Some(Score { points: Some(66.75), contributions: vec![part] }),
        opened_by: by.clone(),
        opened_at: START,
        version: 1,
    }
}

pub fn decided(mut assessment: Assessment, at: Instant) -> Assessment {
    assessment.status = AssessmentStatus::Decided(Decision {
        verdict: Verdict::ApprovedWithConditions,
        rationale: text("good enough"),
        conditions: vec![text("turn it on")],
        by: assessment.opened_by.clone(),
        at,
        valid_until: Some(at.plus_days(365)),
    });
    assessment
}

pub fn evidence(vendor: &VendorId, by: &PersonId) -> Evidence {
    Evidence {
        id: id(),
        vendor: vendor.clone(),
        facts: EvidenceFacts {
            name: text("report.pdf"),
            kind: EvidenceType::Iso27001,
            issued: day("2026-01-31"),
            expires: Some(day("2029-01-30")),
            mandatory: true,
        },
        sha256: digest("report"),
        bytes: 5_000_000_000,
        uploaded_by: by.clone(),
        uploaded_at: START,
        accepted_by: None,
    }
}

pub fn agreement(vendor: &VendorId, reference: &str) -> Agreement {
    let kind = AgreementKind::ControllerToController;
    Agreement { id: id(), vendor: vendor.clone(), reference: text(reference), kind, created_at: START, ended_at: None, version: 1 }
}

pub fn agreement_version(agreement: &AgreementId, number: i32, by: &PersonId, status: VersionStatus) -> AgreementVersion {
    AgreementVersion {
        agreement: agreement.clone(),
        number,
        terms: AgreementTerms {
            subject_matter: Some(text("mail\nand more")),
            purposes: BTreeSet::from([text("direct_marketing")]),
            subject_categories: vec![text("customers")],
            starts_on: Some(day("2026-01-01")),
            sub_processors: Some(SubProcessors::General { notice_days: 30, objection_days: 14 }),
            retention_days: Some(90),
            ..AgreementTerms::default()
        },
        status,
        document: Some(digest("document")),
        author: by.clone(),
        authors: Default::default(),
        approver: Some(by.clone()),
        comment: Some(text("fine")),
        signatures: vec![Signature {
            party: Party::Vendor,
            name: text("V"),
            at: START,
            document: digest("document"),
            recorded_by: by.clone(),
        }],
        created_at: START,
        version: 1,
    }
}

pub fn permit(key: &str, agreement: &AgreementId, vendor: &VendorId) -> Permit {
    Permit { key: text(key), agreement: agreement.clone(), vendor: vendor.clone(), paused_at: None, ended_at: Some(START), version: 1 }
}

/// Every treatment there is, each on a field of its own.
fn treatments() -> BTreeMap<tidegate::domain::text::FieldName, Treatment> {
    let age = DateUnit::Age { width: 10, at: day("2026-07-01") };
    let treatments = [
        Treatment::Withhold,
        Treatment::Clear,
        Treatment::Constant { value: ConstantValue::Integer(-1) },
        Treatment::Constant { value: ConstantValue::Number(0.1) },
        Treatment::Constant { value: ConstantValue::Text("x\u{0}y".into()) },
        Treatment::Mask { prefix: 1, suffix: 2, pad: 3, email_domain: true },
        Treatment::Truncate { length: 2 },
        Treatment::Pseudonym { domain: Some(text("customer")), format: PseudonymFormat::Base32 },
        Treatment::GeneraliseNumber { width: 0.3, origin: 1.7, form: GridForm::Range },
        Treatment::GeneraliseDate { unit: DateUnit::Month },
        Treatment::GeneraliseDate { unit: age },
        Treatment::Round { step: 2.5 },
        Treatment::TopBottomCode { bottom: Some(18.0), top: None, form: CodeForm::Label },
    ];
    treatments.into_iter().enumerate().map(|(at, treatment)| (text(&format!("Field {at}")), treatment)).collect()
}

pub fn revision(permit: &Slug, number: i32, by: &PersonId, status: RevisionStatus) -> Revision {
    let clause = Clause { field: text("country"), op: Operator::In, values: vec!["DE".into(), "it's \"%\u{0}\"".into()] };
    Revision {
        permit: permit.clone(),
        number,
        agreement_version: 1,
        terms: PermitTerms {
            dataset: text("customers"),
            purpose: text("direct_marketing"),
            legal_basis: LegalBasis::LegitimateInterests,
            instruction: Some(text("send the letter")),
            fields: treatments(),
            condition: Condition { all: vec![Part::Clause(clause)] },
            daily_rows: 9_007_199_254_740_991,
            daily_subjects: None,
            requests_per_minute: None,
            open_hours: None,
            starts_on: Some(day("2026-02-01")),
            ends_on: None,
        },
        status,
        policy: Some(digest("policy")),
        author: by.clone(),
        authors: Default::default(),
        approver: None,
        created_at: START,
        in_force_at: Some(START),
        version: 1,
    }
}

pub fn source() -> Source {
    let location = SourceLocation::Csv { path: text("in/customers.csv"), delimiter: '\t', store: None };
    Source { id: id(), name: text("Shop"), location, created_at: START, version: 1 }
}

pub fn dataset(source: &SourceId, name: &str) -> Dataset {
    let field = |name: &str, logical, class| Field {
        name: text(name),
        logical,
        class,
        category: text("contact"),
        description: Some(text("d")),
        advice: None,
    };
    Dataset {
        id: id::<DatasetId>(),
        name: text(name),
        source: source.clone(),
        table: text("Customer Table"),
        fields: vec![
            field("id", LogicalType::Integer, FieldClass::DirectIdentifier),
            field("Größe", LogicalType::Decimal, FieldClass::Plain),
        ],
        subject: SubjectMapping { field: text("id"), domain: text("customer") },
        created_at: START,
        version: 1,
    }
}

pub fn client(vendor: &VendorId) -> Client {
    let permits = Some(BTreeSet::from([text("mail"), text("post")]));
    Client {
        id: id(),
        vendor: vendor.clone(),
        name: text("mailer"),
        permits,
        addresses: vec!["203.0.113.0/24".parse().unwrap()],
        authentication: Authentication::KeysAt { uri: "https://vendor.example/keys".to_owned() },
        dpop: Binding::Required,
        created_at: START,
        revoked_at: None,
        old_secret_until: Some(START.plus_seconds(60)),
        version: 1,
    }
}

pub fn token(client: &ClientId, vendor: &VendorId, expires_at: Instant) -> Token {
    let scope = vec![text("post"), text("mail")];
    let (kind, bound_to) = (TokenKind::Plain, Some(text(&"b".repeat(43))));
    Token {
        id: id(),
        kind,
        client: client.clone(),
        vendor: vendor.clone(),
        scope,
        bound_to,
        issued_at: START,
        expires_at,
        revoked_at: None,
    }
}
