//! Permits: each state against each act, the second pair of eyes, what lies within a version, and what stands when.

use serde_json::{Value, json};

use super::*;
use crate::domain::Date;
use crate::domain::agreement::AgreementTerms;
use crate::domain::id::PersonId;
use crate::domain::person::Role;
use crate::domain::treatment::Treatment;

fn id<T: std::str::FromStr<Err = Invalid>>(number: u8) -> T {
    format!("01980000-0000-7000-8000-0000000000{number:02x}").parse().unwrap()
}

fn text<T: std::str::FromStr<Err = Invalid>>(text: &str) -> T {
    text.parse().unwrap()
}

fn day(number: i64) -> Instant {
    text::<Date>("2026-07-01").start().plus_days(number)
}

fn person(number: u8, role: Role) -> Actor {
    Actor::Person { id: id(number), role }
}

fn permit() -> Permit {
    Permit { key: text("acme"), agreement: id(1), vendor: id(2), paused_at: None, ended_at: None, version: 1 }
}

fn terms() -> Value {
    json!({
        "dataset": "people", "purpose": "email-marketing", "legal_basis": "contract", "instruction": "Count.",
        "fields": {"city": {"kind": "clear"}}, "daily_rows": 100
    })
}

fn read(terms: &Value) -> PermitTerms {
    serde_json::from_value(terms.clone()).unwrap()
}

fn version() -> AgreementVersion {
    let terms = json!({"purposes": ["email-marketing"], "data_categories": ["location"], "instructions": ["Count."]});
    let terms: AgreementTerms = serde_json::from_value(terms).unwrap();
    AgreementVersion::begin(&id(1), 1, terms, id(7), day(0))
}

fn dataset() -> Dataset {
    let field = |name: &str, class: &str, category: &str| json!({"name": name, "type": "text", "class": class, "category": category});
    let fields =
        [field("id", "direct_identifier", "technical"), field("city", "plain", "location"), field("email", "direct_identifier", "contact")];
    Dataset {
        id: id(3),
        name: text("people"),
        source: id(4),
        table: text("people"),
        fields: fields.into_iter().map(|field| serde_json::from_value(field).unwrap()).collect(),
        subject: serde_json::from_value(json!({"field": "id", "domain": "person"})).unwrap(),
        created_at: day(0),
        version: 1,
    }
}

fn revision(number: i32, status: RevisionStatus, in_force_at: Option<Instant>) -> Revision {
    let written = propose(&permit(), number, &version(), read(&terms()), &person(7, Role::VendorManager), day(0)).unwrap();
    Revision { status, in_force_at, ..written }
}

#[test]
fn only_a_proposed_revision_is_decided() {
    let officer = person(8, Role::PrivacyOfficer);
    for (status, open) in [
        (RevisionStatus::Proposed, true),
        (RevisionStatus::InForce, false),
        (RevisionStatus::Superseded, false),
        (RevisionStatus::Rejected, false),
    ] {
        let one = || revision(1, status, None);
        let none = BTreeSet::new();
        assert_eq!(check_proposed(&one()).is_ok(), open, "{status:?}");
        assert_eq!(
            approve(one(), &officer, &none, &none).map(|one| one.approver == Some(id(8))),
            if open { Ok(true) } else { closed(status) }
        );
        assert_eq!(reject(one()).map(|one| one.status == RevisionStatus::Rejected), if open { Ok(true) } else { closed(status) });
    }
}

fn closed(status: RevisionStatus) -> Result<bool, Denied> {
    Err(Denied::State(format!("Revision 1 is '{}' and can not change.", status.key())))
}

#[test]
fn nobody_approves_what_they_wrote_a_part_of() {
    let wrote: [PersonId; 2] = [id(7), id(8)];
    let one = Revision { authors: wrote.into(), ..revision(1, RevisionStatus::Proposed, None) };
    let (clear, none) = (BTreeSet::from([text("email")]), BTreeSet::new());
    for (who, by, ticked, allowed) in [
        ("an officer who wrote nothing", person(9, Role::PrivacyOfficer), true, true),
        ("without the tick", person(9, Role::PrivacyOfficer), false, false),
        ("its author, an officer by now", person(7, Role::PrivacyOfficer), true, false),
        ("an earlier author", person(8, Role::PrivacyOfficer), true, false),
        ("a manager", person(9, Role::VendorManager), true, false),
        ("an administrator", person(9, Role::Administrator), true, false),
        ("a steward", person(9, Role::DataSteward), true, false),
        ("a reviewer", person(9, Role::ComplianceReviewer), true, false),
        ("the operator", Actor::Operator, true, false),
        ("the system", Actor::System, true, false),
        ("a machine", Actor::Client(id(9)), true, false),
    ] {
        let answer = approve(one.clone(), &by, &clear, if ticked { &clear } else { &none });
        assert_eq!(answer.is_ok(), allowed, "{who}: {answer:?}");
    }
    assert!(propose(&permit(), 1, &version(), read(&terms()), &Actor::Operator, day(0)).is_err(), "a permit has an author");
}

#[test]
fn each_state_of_a_permit_against_each_act() {
    let (officer, manager) = (person(9, Role::PrivacyOfficer), person(7, Role::VendorManager));
    let at = Some(day(1));
    for (what, paused_at, ended_at, pauses, resumes, ends) in [
        ("open", None, None, true, false, true),
        ("paused", at, None, false, true, true),
        ("ended", None, at, false, false, false),
        ("paused and ended", at, at, false, false, false),
    ] {
        let one = || Permit { paused_at, ended_at, ..permit() };
        assert_eq!(pause(one(), day(2)).map(|one| one.paused_at == Some(day(2))).unwrap_or(false), pauses, "{what}");
        assert_eq!(resume(one(), &officer).map(|one| one.paused_at.is_none()).unwrap_or(false), resumes, "{what}");
        assert!(resume(one(), &manager).is_err(), "{what}: a manager stops but does not start again");
        assert_eq!(end(one(), day(2)).map(|one| one.ended_at == Some(day(2))).unwrap_or(false), ends, "{what}");
        let proposed = propose(&one(), 2, &version(), read(&terms()), &manager, day(2));
        assert_eq!(proposed.is_ok(), ended_at.is_none(), "{what}");
    }
}

#[test]
fn terms_lie_within_what_is_signed() {
    use AgreementKind::{ControllerToController as C, JointControllers as J, Processor as P};
    let with = |pointer: &str, value: Value| {
        let mut terms = terms();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        terms.pointer_mut(parent).unwrap()[name] = value;
        terms
    };
    let withheld = json!({"kind": "withhold"});
    for (what, kind, terms, fault) in [
        ("as signed", P, terms(), None),
        ("another purpose", P, with("/purpose", json!("market-research")), Some("purpose")),
        ("a category more", P, with("/fields/email", json!({"kind": "clear"})), Some("fields")),
        ("a category more, though treated", P, with("/fields/id", json!({"kind": "pseudonym", "format": "uuid"})), Some("fields")),
        ("a category more, but withheld", P, with("/fields/email", withheld), None),
        (
            "rows chosen by a category more",
            P,
            with("/condition", json!({"all": [{"field": "email", "op": "is", "values": ["null"]}]})),
            Some("fields"),
        ),
        ("another instruction", P, with("/instruction", json!("Sell.")), Some("instruction")),
        ("no instruction", P, with("/instruction", Value::Null), Some("instruction")),
        ("no instruction among controllers", C, with("/instruction", Value::Null), None),
        ("no instruction among joint controllers", J, with("/instruction", Value::Null), None),
    ] {
        let fault_found = match check_within(kind, &version(), &read(&terms), &dataset(), &Vocabulary::shipped()) {
            Ok(()) => None,
            Err(Denied::Invalid(invalid)) => Some(invalid.field),
            Err(other) => panic!("{what}: {other:?}"),
        };
        assert_eq!(fault_found.as_deref(), fault, "{what}");
    }
}

#[test]
fn a_narrowing_is_judged_against_what_is_in_force() {
    let standing = revision(1, RevisionStatus::InForce, Some(day(0)));
    let mut new = read(&terms());
    assert_eq!(judge(&standing, &new), Ok(Change::Narrowing));
    new.fields.insert(text("email"), Treatment::Clear);
    assert_eq!(judge(&standing, &new), Ok(Change::Widening));
    new.purpose = text("market-research");
    assert!(matches!(judge(&standing, &new), Err(Denied::Invalid(_))));
}

#[test]
fn of_what_was_put_in_force_the_last_to_begin_stands() {
    use RevisionStatus::{InForce as F, Proposed as P, Rejected as R, Superseded as S};
    // Status and day in force of each revision as stored, the day of the look, and how they stand then.
    type Case<'a> = (&'a str, &'a [(RevisionStatus, Option<i64>)], i64, &'a [RevisionStatus]);
    let table: [Case<'_>; 8] = [
        ("one alone", &[(F, Some(0))], 1, &[F]),
        ("before the successor's day", &[(F, Some(0)), (F, Some(10))], 9, &[F, F]),
        ("on the successor's day", &[(F, Some(0)), (F, Some(10))], 10, &[S, F]),
        ("long after it", &[(F, Some(0)), (F, Some(10))], 1_000, &[S, F]),
        ("two successors, one begun", &[(F, Some(0)), (F, Some(5)), (F, Some(10))], 7, &[S, F, F]),
        ("at the same instant the later number", &[(F, Some(5)), (F, Some(5))], 5, &[S, F]),
        ("an earlier number that begins later", &[(F, Some(10)), (F, Some(5))], 10, &[F, S]),
        ("what is not in force is left", &[(R, None), (S, Some(0)), (F, Some(1)), (P, None)], 2, &[R, S, F, P]),
    ];
    for (what, stored, at, expected) in table {
        let stored = stored.iter().zip(1..).map(|((status, from), number)| revision(number, *status, from.map(day)));
        let found: Vec<RevisionStatus> = standing(stored.collect(), day(at)).iter().map(|one| one.status).collect();
        assert_eq!(found, expected, "{what}");
    }
}

#[test]
fn an_ended_agreement_takes_no_permits() {
    let agreement = |ended_at| Agreement {
        id: id(1),
        vendor: id(2),
        reference: text("dpa"),
        kind: AgreementKind::Processor,
        created_at: day(0),
        ended_at,
        version: 1,
    };
    assert_eq!(check_agreement(&agreement(None)), Ok(()));
    assert!(check_agreement(&agreement(Some(day(1)))).is_err());
}
