//! Every gate, closed alone and together with those behind it; what a plan holds; until when it stands.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::domain::agreement::AgreementTerms;
use crate::domain::assessment::{AssessmentKind, AssessmentStatus, Decision};
use crate::domain::client::{Authentication, Binding, TokenKind};
use crate::domain::condition::Condition;
use crate::domain::dataset::{FieldClass, SourceLocation, SubjectMapping};
use crate::domain::evidence::{EvidenceFacts, EvidenceType};
use crate::domain::permit::PermitTerms;
use crate::domain::vendor::{Tier, VendorProfile, VendorRole};
use crate::domain::vocabulary::Vocabulary;

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn now() -> Instant {
    at("2026-07-01T08:00:00Z")
}

fn id<T: std::str::FromStr<Err = Invalid>>(number: u8) -> T {
    format!("01980000-0000-7000-8000-0000000000{number:02x}").parse().unwrap()
}

fn text<T: std::str::FromStr<Err = Invalid>>(text: &str) -> T {
    text.parse().unwrap()
}

fn field(name: &str, logical: LogicalType, category: &str) -> Field {
    Field { name: text(name), logical, class: FieldClass::Plain, category: text(category), description: None, advice: None }
}

fn terms() -> PermitTerms {
    let mut fields = BTreeMap::new();
    fields.insert(text("id"), Treatment::Pseudonym { domain: None, format: crate::domain::treatment::PseudonymFormat::Base32 });
    fields.insert(text("city"), Treatment::Clear);
    fields.insert(text("secret"), Treatment::Withhold);
    PermitTerms {
        dataset: text("people"),
        purpose: text("market-research"),
        legal_basis: LegalBasis::Contract,
        instruction: None,
        fields,
        condition: Condition::default(),
        daily_rows: 10,
        daily_subjects: None,
        requests_per_minute: None,
        open_hours: None,
        starts_on: None,
        ends_on: None,
    }
}

/// A state in which every gate is open.
fn open() -> LiveState {
    let (past, future) = (at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
    let profile = VendorProfile {
        legal_name: text("Acme"),
        trade_name: None,
        country: text("DE"),
        address: None,
        role: VendorRole::Processor,
        tier: Tier::Standard,
        tier_note: None,
        owner: id(7),
        contacts: Vec::new(),
        data_locations: Vec::new(),
    };
    let agreement_terms = AgreementTerms {
        purposes: [text("market-research")].into(),
        data_categories: [text("technical"), text("location")].into(),
        ..AgreementTerms::default()
    };
    LiveState {
        token: Arc::new(Token {
            id: id(1),
            kind: TokenKind::Access,
            bound_to: None,
            client: id(2),
            vendor: id(3),
            scope: vec![text("pull")],
            issued_at: past,
            expires_at: at("2026-07-01T08:05:00Z"),
            revoked_at: None,
        }),
        client: Arc::new(Client {
            id: id(2),
            vendor: id(3),
            name: text("machine"),
            permits: None,
            addresses: Vec::new(),
            authentication: Authentication::Secret,
            dpop: Binding::Optional,
            created_at: past,
            revoked_at: None,
            old_secret_until: None,
            version: 1,
        }),
        vendor: Arc::new(Vendor {
            id: id(3),
            profile,
            lifecycle: Lifecycle::Active,
            lifecycle_since: past,
            created_at: past,
            updated_at: past,
            version: 1,
        }),
        assessment: Some(Arc::new(Assessment {
            id: id(4),
            vendor: id(3),
            kind: AssessmentKind::Security,
            template: text("security"),
            status: AssessmentStatus::Decided(Decision {
                verdict: Verdict::Approved,
                rationale: text("Good."),
                conditions: Vec::new(),
                by: id(8),
                at: past,
                valid_until: Some(future),
            }),
            questionnaire: None,
            answers: BTreeMap::new(),
            score: None,
            opened_by: id(7),
            opened_at: past,
            version: 1,
        })),
        mandatory_evidence: Arc::default(),
        agreement: Some(Arc::new(AgreementVersion {
            agreement: id(5),
            number: 1,
            terms: agreement_terms,
            status: VersionStatus::Signed { from: past, until: Some(future) },
            document: None,
            author: id(7),
            authors: Default::default(),
            approver: Some(id(8)),
            comment: None,
            signatures: Vec::new(),
            created_at: past,
            version: 1,
        })),
        successor_from: None,
        permit: Permit { key: text("pull"), agreement: id(5), vendor: id(3), paused_at: None, ended_at: None, version: 1 },
        revision: Some(Revision {
            permit: text("pull"),
            number: 1,
            agreement_version: 1,
            terms: terms(),
            status: RevisionStatus::InForce,
            policy: Some(text(&"a".repeat(64))),
            author: id(7),
            authors: Default::default(),
            approver: Some(id(8)),
            created_at: past,
            in_force_at: Some(past),
            version: 1,
        }),
        next_revision_from: None,
        consent_recorded: false,
        purpose: Vocabulary::shipped().purpose(&text("market-research")).cloned(),
        dataset: Arc::new(Dataset {
            id: id(6),
            name: text("people"),
            source: id(9),
            table: text("people"),
            fields: vec![
                field("id", LogicalType::Text, "technical"),
                field("city", LogicalType::Text, "location"),
                field("secret", LogicalType::Text, "health"),
                field("age", LogicalType::Integer, "demographic"),
            ],
            subject: SubjectMapping { field: text("id"), domain: text("person") },
            created_at: past,
            version: 1,
        }),
        source: Arc::new(Source {
            id: id(9),
            name: text("file"),
            location: SourceLocation::Parquet { path: text("people.parquet"), store: None },
            created_at: past,
            version: 1,
        }),
    }
}

fn revision(state: &mut LiveState) -> &mut Revision {
    state.revision.as_mut().unwrap()
}

fn agreed(state: &mut LiveState) -> &mut AgreementVersion {
    Arc::make_mut(state.agreement.as_mut().unwrap())
}

fn decide(state: &mut LiveState, verdict: Verdict, until: Option<Instant>) {
    let AssessmentStatus::Decided(decision) = &mut Arc::make_mut(state.assessment.as_mut().unwrap()).status else { panic!("not decided") };
    (decision.verdict, decision.valid_until) = (verdict, until);
}

fn paper(expires: &str) -> Evidence {
    let day = |day: &str| day.parse().unwrap();
    let facts = EvidenceFacts {
        name: text("Paper"),
        kind: EvidenceType::Iso27001,
        issued: day("2025-01-01"),
        expires: Some(day(expires)),
        mandatory: true,
    };
    Evidence {
        id: id(10),
        vendor: id(3),
        facts,
        sha256: text(&"b".repeat(64)),
        bytes: 1,
        uploaded_by: id(7),
        uploaded_at: now(),
        accepted_by: None,
    }
}

/// One way to close a gate.
type Close = fn(&mut LiveState);

/// In order of precedence; `purpose` is closed by what is asked, and stands in its own tests.
const CLOSED: &[(Gate, &str, Close)] = &[
    (Gate::Token, "revoked", |state| Arc::make_mut(&mut state.token).revoked_at = Some(now())),
    (Gate::Client, "revoked", |state| Arc::make_mut(&mut state.client).revoked_at = Some(now())),
    (Gate::Client, "another client's token", |state| Arc::make_mut(&mut state.token).client = id(20)),
    (Gate::Vendor, "suspended", |state| Arc::make_mut(&mut state.vendor).lifecycle = Lifecycle::Suspended),
    (Gate::Vendor, "offboarding", |state| Arc::make_mut(&mut state.vendor).lifecycle = Lifecycle::Offboarding),
    (Gate::DueDiligence, "none", |state| state.assessment = None),
    (Gate::DueDiligence, "rejected", |state| decide(state, Verdict::Rejected, None)),
    (Gate::DueDiligence, "over this instant", |state| decide(state, Verdict::Approved, Some(now()))),
    (Gate::DueDiligence, "evidence ran out yesterday", |state| state.mandatory_evidence = Arc::new(vec![paper("2026-06-30")])),
    (Gate::Agreement, "none", |state| state.agreement = None),
    (Gate::Agreement, "not yet", |state| {
        agreed(state).status = VersionStatus::Signed { from: now().plus_seconds(1), until: None };
    }),
    (Gate::Agreement, "over this instant", |state| {
        agreed(state).status = VersionStatus::Signed { from: at("2026-01-01T00:00:00Z"), until: Some(now()) };
    }),
    (Gate::Agreement, "terminated", |state| agreed(state).status = VersionStatus::Terminated { at: now() }),
    (Gate::Permit, "no revision", |state| state.revision = None),
    (Gate::Permit, "paused", |state| state.permit.paused_at = Some(now())),
    (Gate::Permit, "ended", |state| state.permit.ended_at = Some(now())),
    (Gate::Permit, "another vendor's", |state| state.permit.vendor = id(21)),
    (Gate::Permit, "not the client's", |state| Arc::make_mut(&mut state.client).permits = Some([text("other")].into())),
    (Gate::Permit, "only proposed", |state| revision(state).status = RevisionStatus::Proposed),
    (Gate::Permit, "without a policy on record", |state| revision(state).policy = None),
    (Gate::Permit, "begins tomorrow", |state| revision(state).terms.starts_on = Some("2026-07-02".parse().unwrap())),
    (Gate::Permit, "ended yesterday", |state| revision(state).terms.ends_on = Some("2026-06-30".parse().unwrap())),
    (Gate::Permit, "of another agreement version", |state| revision(state).agreement_version = 2),
    (Gate::Permit, "purpose dropped by the agreement", |state| agreed(state).terms.purposes.clear()),
    (Gate::Permit, "category dropped by the agreement", |state| {
        agreed(state).terms.data_categories = [text("technical")].into();
    }),
    (Gate::Consent, "rests on consent", |state| revision(state).terms.legal_basis = LegalBasis::Consent),
    (Gate::DatasetDrift, "field gone", |state| Arc::make_mut(&mut state.dataset).fields.retain(|field| field.name.as_str() != "id")),
];

fn gate(state: &LiveState, asked: &Asked) -> Option<Gate> {
    match compile(state, asked, now()) {
        Ok(_) => None,
        Err(NoPlan::Refused(refusal)) => Some(refusal.gate),
        Err(NoPlan::Invalid(error)) => panic!("{error}"),
    }
}

#[test]
fn an_open_state_releases_the_treated_fields_and_no_other() {
    let plan = compile(&open(), &Asked::default(), now()).unwrap();
    let names: Vec<&str> = plan.answer().map(|column| column.field.name.as_str()).collect();
    assert_eq!(names, ["id", "city"], "withheld and untreated fields are not in the plan");
    assert_eq!(plan.columns()[0].key.as_deref(), Some("pseudonym|1|person"));
}

#[test]
fn each_gate_closes_alone() {
    for (expected, why, close) in CLOSED {
        let mut state = open();
        close(&mut state);
        assert_eq!(gate(&state, &Asked::default()), Some(*expected), "{expected:?}: {why}");
    }
}

#[test]
fn of_two_closed_gates_the_first_by_precedence_is_named() {
    for (first, first_why, close_first) in CLOSED {
        for (second, second_why, close_second) in CLOSED.iter().filter(|(second, ..)| first < second) {
            let mut state = open();
            close_second(&mut state);
            close_first(&mut state);
            assert_eq!(gate(&state, &Asked::default()), Some(*first), "{first:?} {first_why}, {second:?} {second_why}");
        }
    }
}

#[test]
fn an_expired_token_answers_for_the_gate_beneath_it() {
    for (expected, why, close) in CLOSED.iter().filter(|(gate, ..)| !matches!(gate, Gate::Token | Gate::DatasetDrift)) {
        let mut state = open();
        Arc::make_mut(&mut state.token).expires_at = now();
        close(&mut state);
        assert_eq!(gate(&state, &Asked::default()), Some(*expected), "{why}");
    }
    let mut state = open();
    Arc::make_mut(&mut state.token).expires_at = now();
    assert_eq!(gate(&state, &Asked::default()), Some(Gate::Token));
    let mut state = open();
    Arc::make_mut(&mut state.token).scope = vec![text("other")];
    assert_eq!(gate(&state, &Asked::default()), Some(Gate::Token));
}

#[test]
fn the_purpose_named_must_be_the_permits() {
    let asked = |purpose: &str| Asked { purpose: Some(purpose.to_owned()), ..Asked::default() };
    assert_eq!(gate(&open(), &asked("market-research")), None);
    assert_eq!(gate(&open(), &asked("direct-marketing")), Some(Gate::Purpose));
    let mut state = open();
    state.permit.paused_at = Some(now());
    assert_eq!(gate(&state, &asked("direct-marketing")), Some(Gate::Permit), "permit comes before purpose");
    let mut state = open();
    revision(&mut state).terms.legal_basis = LegalBasis::Consent;
    assert_eq!(gate(&state, &asked("direct-marketing")), Some(Gate::Purpose), "purpose comes before consent");
}

#[test]
fn mandatory_evidence_holds_through_its_last_day_and_a_newer_paper_replaces_it() {
    for (papers, expected) in [
        (vec![paper("2026-07-01")], None),
        (vec![paper("2026-06-30")], Some(Gate::DueDiligence)),
        (vec![paper("2026-06-30"), paper("2027-06-30")], None),
    ] {
        let mut state = open();
        state.mandatory_evidence = Arc::new(papers);
        assert_eq!(gate(&state, &Asked::default()), expected);
    }
}

#[test]
fn an_unknown_field_and_a_withheld_one_answer_alike() {
    let message = |name: &str, asked: Asked| match compile(&open(), &asked, now()) {
        Err(NoPlan::Invalid(error)) => error.to_string().replace(name, "NAME"),
        other => panic!("{name}: {other:?}"),
    };
    let ways: [fn(&str) -> Asked; 3] = [
        |name| Asked { select: Some(vec![name.to_owned()]), ..Asked::default() },
        |name| Asked { order: vec![Order { field: name.to_owned(), descending: false, nulls_first: false }], ..Asked::default() },
        |name| Asked { filter: vec![(name.to_owned(), Operator::Eq, vec!["1".to_owned()])], ..Asked::default() },
    ];
    for way in ways {
        let unknown = message("nothing", way("nothing"));
        for withheld in ["secret", "age", "City", "ID"] {
            assert_eq!(message(withheld, way(withheld)), unknown, "{withheld}");
        }
    }
}

#[test]
fn a_running_stream_outlives_its_token_but_no_gate() {
    let opened = compile(&open(), &Asked::default(), now()).unwrap();
    let mut state = open();
    Arc::make_mut(&mut state.token).expires_at = now();
    assert_eq!(still_open(&state, &opened, now().plus_seconds(1)), Ok(()));
    for (expected, why, close) in CLOSED.iter().filter(|(gate, ..)| *gate != Gate::DatasetDrift) {
        let mut state = open();
        close(&mut state);
        assert_eq!(still_open(&state, &opened, now()).unwrap_err().gate, *expected, "{why}");
    }
    let mut state = open();
    revision(&mut state).policy = Some(text(&"c".repeat(64)));
    assert_eq!(still_open(&state, &opened, now()).unwrap_err().gate, Gate::Permit, "another policy is in force");
}

#[test]
fn a_decision_stands_until_the_first_turn_and_a_minute_at_most() {
    assert_eq!(stands_until(&open(), now()), now().plus_seconds(60));
    let turn = now().plus_seconds(7);
    let turns: [Close; 5] = [
        |state| Arc::make_mut(&mut state.token).expires_at = now().plus_seconds(7),
        |state| state.successor_from = Some(now().plus_seconds(7)),
        |state| state.next_revision_from = Some(now().plus_seconds(7)),
        |state| decide(state, Verdict::Approved, Some(now().plus_seconds(7))),
        |state| {
            agreed(state).status = VersionStatus::Signed { from: at("2026-01-01T00:00:00Z"), until: Some(now().plus_seconds(7)) };
        },
    ];
    for (number, set) in turns.into_iter().enumerate() {
        let mut state = open();
        set(&mut state);
        assert_eq!(stands_until(&state, now()), turn, "turn {number}");
    }
}

#[test]
fn no_two_kinds_share_a_key_and_each_names_the_domain_within_which_it_is_the_same() {
    let state = open();
    let dataset = &state.dataset;
    let label = |field: &str, treatment: serde_json::Value| {
        key_label(&serde_json::from_value(treatment).unwrap(), dataset.field(field).unwrap(), dataset)
    };
    let (subject, other) =
        (dataset.subject.field.as_str(), dataset.fields.iter().find(|field| field.name != dataset.subject.field).unwrap());
    let other = other.name.as_str();
    let pseudonym = serde_json::json!({"kind": "pseudonym", "format": "base32"});
    let token = serde_json::json!({"kind": "reversible_token"});
    let shift = serde_json::json!({"kind": "date_shift", "days": 3});
    let noise = serde_json::json!({"kind": "noise", "scale": 3.0});
    let (domain, field) = (dataset.subject.domain.as_str(), format!("{}.{other}", dataset.name));
    for (name, treatment, expected) in [
        (subject, &pseudonym, Some(format!("pseudonym|1|{domain}"))),
        (other, &pseudonym, Some(format!("pseudonym|1|{field}"))),
        (subject, &token, Some(format!("token|1|{domain}"))),
        (other, &token, Some(format!("token|1|{field}"))),
        (other, &shift, Some(format!("shift|1|{domain}"))),
        (other, &noise, Some(format!("noise|1|{field}"))),
        (other, &serde_json::json!({"kind": "clear"}), None),
    ] {
        assert_eq!(label(name, treatment.clone()), expected);
    }
    let named = serde_json::json!({"kind": "reversible_token", "domain": "crm"});
    assert_eq!(label(other, named).as_deref(), Some("token|1|crm"));
}
