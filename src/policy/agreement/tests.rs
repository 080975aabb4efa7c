//! Agreement versions: each state against each act, the second pair of eyes, both signatures, and what stands when.

use serde_json::{Value, json};

use super::*;
use crate::domain::agreement::AgreementKind;
use crate::domain::id::{EvidenceId, PersonId};
use crate::domain::person::Role;
use crate::domain::vendor::Lifecycle;

fn id<T: std::str::FromStr<Err = Invalid>>(number: u8) -> T {
    format!("01980000-0000-7000-8000-0000000000{number:02x}").parse().unwrap()
}

fn day(number: i64) -> Instant {
    "2026-07-01".parse::<crate::domain::Date>().unwrap().start().plus_days(number)
}

fn person(number: u8, role: Role) -> Actor {
    Actor::Person { id: id(number), role }
}

fn digest() -> Digest {
    "0".repeat(64).parse().unwrap()
}

fn agreement(ended_at: Option<Instant>) -> Agreement {
    let reference = "dpa".parse().unwrap();
    Agreement { id: id(1), vendor: id(2), reference, kind: AgreementKind::JointControllers, created_at: day(0), ended_at, version: 1 }
}

/// Terms of joint controllers that lack nothing.
fn terms() -> Value {
    json!({
        "subject_matter": "Testing", "nature": "Counting", "purposes": ["email-marketing"], "data_categories": ["contact"],
        "subject_categories": ["Customers"], "starts_on": "2026-07-03", "retention_days": 9,
        "joint": {"responsibilities": "Both.", "contact_point": "here", "essence_published_at": "there"},
        "breach_notice": {"hours": 24, "contact": "breach@example.org"}
    })
}

fn read(terms: Value) -> AgreementTerms {
    serde_json::from_value(terms).unwrap()
}

fn version(number: i32, status: S) -> AgreementVersion {
    let begun = AgreementVersion::begin(&id(1), number, read(terms()), id(7), day(0));
    AgreementVersion { status, document: Some(digest()), ..begun }
}

fn states() -> [S; 6] {
    let at = day(0);
    [S::Draft, S::InReview { at }, S::Approved { at }, S::Signed { from: at, until: None }, S::Superseded { at }, S::Terminated { at }]
}

fn none() -> BTreeSet<FieldName> {
    BTreeSet::new()
}

#[test]
fn each_state_against_each_act() {
    let (manager, officer) = (person(7, Role::VendorManager), person(9, Role::PrivacyOfficer));
    let held = BTreeSet::new();
    let around = Surroundings { transfers: false, holding_evidence: &held, has_document: true, today: day(1).date() };
    let act = |name: &str, version: AgreementVersion| match name {
        "edit" => edit(version, &manager, read(terms()), &Vocabulary::shipped()),
        "attach" => attach(version, &manager, digest()),
        "submit" => submit(&agreement(None), version, 1, &around, day(1)),
        "approve" => approve(version, &officer, &[], None, &none(), &none(), day(1)),
        "hand back" => hand_back(version, "Again.".parse().unwrap()),
        "sign" => sign(version, &manager, Party::House, "Kim".parse().unwrap(), &digest(), day(1)),
        "discard" => discard(version, day(1)),
        "amend" => amend(&agreement(None), &version, &manager, day(1)),
        _ => Ok(terminated(version, day(1))),
    };
    // A row is an act, a column the state it is tried in, in the order of `states`; `-` is refused.
    for (name, row) in [
        ("edit", "draft - - - - -"),
        ("attach", "draft - - - - -"),
        ("submit", "in_review - - - - -"),
        ("approve", "- approved - - - -"),
        ("hand back", "- draft draft - - -"),
        ("sign", "- - approved - - -"),
        ("discard", "terminated - - - - -"),
        ("amend", "- - - draft - -"),
        ("end", "terminated terminated terminated terminated superseded terminated"),
    ] {
        for (expected, state) in row.split(' ').zip(states()) {
            let from = state.key();
            match act(name, version(1, state)) {
                Ok(after) => assert_eq!(after.status.key(), expected, "{name} while {from}"),
                Err(Denied::State(_)) => assert_eq!(expected, "-", "{name} while {from}"),
                Err(other) => panic!("{name} while {from}: {other:?}"),
            }
        }
    }
}

#[test]
fn who_approves() {
    let wrote: [PersonId; 2] = [id(7), id(8)];
    let in_review = AgreementVersion { authors: wrote.into(), ..version(1, S::InReview { at: day(0) }) };
    let of_permits = [id(10)];
    for (who, by, allowed) in [
        ("an officer who wrote nothing", person(9, Role::PrivacyOfficer), true),
        ("its last author, an officer by now", person(7, Role::PrivacyOfficer), false),
        ("an earlier author", person(8, Role::PrivacyOfficer), false),
        ("the author of one of its permits", person(10, Role::PrivacyOfficer), false),
        ("a manager", person(9, Role::VendorManager), false),
        ("an administrator", person(9, Role::Administrator), false),
        ("a steward", person(9, Role::DataSteward), false),
        ("a reviewer", person(9, Role::ComplianceReviewer), false),
        ("the operator", Actor::Operator, false),
        ("the system", Actor::System, false),
        ("a machine", Actor::Client(id(9)), false),
    ] {
        match approve(in_review.clone(), &by, &of_permits, None, &none(), &none(), day(1)) {
            Ok(_) => assert!(allowed, "{who}"),
            Err(Denied::Person(_)) => assert!(!allowed, "{who}"),
            Err(other) => panic!("{who}: {other:?}"),
        }
    }
}

#[test]
fn whoever_writes_stays_an_author() {
    let written = edit(version(1, S::Draft), &person(8, Role::PrivacyOfficer), read(terms()), &Vocabulary::shipped()).unwrap();
    let written = attach(written, &person(11, Role::VendorManager), digest()).unwrap();
    assert_eq!(written.authors, [id(7), id(8), id(11)].into());
    assert_eq!(written.author, id(11));
    for by in [Actor::Operator, Actor::System, Actor::Client(id(9))] {
        assert!(matches!(edit(version(1, S::Draft), &by, read(terms()), &Vocabulary::shipped()), Err(Denied::Person(_))));
    }
}

#[test]
fn each_identifier_in_clear_is_ticked() {
    let fields = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect::<BTreeSet<FieldName>>();
    for (clear, confirmed, missing) in [
        (&[][..], &[][..], 0),
        (&[], &["email"], 0),
        (&["email"], &["email"], 0),
        (&["email", "name"], &["email"], 1),
        (&["email", "name"], &["city"], 2),
        (&["email"], &["Email"], 1),
    ] {
        match check_confirmed(&fields(clear), &fields(confirmed)) {
            Ok(()) => assert_eq!(missing, 0, "{clear:?} {confirmed:?}"),
            Err(Denied::Missing(errors)) => assert_eq!(errors.len(), missing, "{clear:?} {confirmed:?}"),
            Err(other) => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_version_is_complete_when_it_is_submitted() {
    let held = BTreeSet::<EvidenceId>::new();
    let around = |transfers, has_document| Surroundings { transfers, holding_evidence: &held, has_document, today: day(1).date() };
    for (what, permits, around, fields) in [
        ("complete", 1, around(false, true), &[][..]),
        ("no permit", 0, around(false, true), &["permits"]),
        ("no document", 1, around(false, false), &["document"]),
        ("a transfer without a mechanism", 1, around(true, true), &["terms.transfer"]),
        ("none of them", 0, around(true, false), &["document", "terms.transfer", "permits"]),
    ] {
        let draft = version(1, S::Draft);
        let gaps: Vec<String> = missing(&agreement(None), &draft, permits, &around).into_iter().map(|gap| gap.field).collect();
        assert_eq!(gaps, fields, "{what}");
        assert_eq!(submit(&agreement(None), draft, permits, &around, day(1)).is_ok(), fields.is_empty(), "{what}");
    }
    assert_eq!(Denied::Missing(vec![Invalid::new("a", "b")]).to_string(), "1 thing is missing before this can be done");
    assert_eq!(Denied::Missing(vec![Invalid::new("a", "b"); 2]).to_string(), "2 things are missing before this can be done");
}

#[test]
fn both_sign_the_same_paper_and_signing_does_not_reach_back() {
    let manager = person(7, Role::VendorManager);
    let approved = version(1, S::Approved { at: day(0) });
    let by = |version: AgreementVersion, party, now| sign(version, &manager, party, "Kim".parse().unwrap(), &digest(), now);
    let half = by(approved.clone(), Party::Vendor, day(0)).unwrap();
    assert!(matches!(by(half.clone(), Party::Vendor, day(0)), Err(Denied::State(_))), "one party is not two");
    // The terms start on the third of the month.
    for (now, from) in [(day(0), day(2)), (day(2), day(2)), (day(5), day(5))] {
        assert_eq!(by(half.clone(), Party::House, now).unwrap().status, S::Signed { from, until: None });
    }
    let other = sign(approved.clone(), &manager, Party::House, "Kim".parse().unwrap(), &"1".repeat(64).parse().unwrap(), day(0));
    assert!(matches!(other, Err(Denied::Invalid(invalid)) if invalid.field == "document"));
    assert!(matches!(sign(approved, &Actor::Operator, Party::House, "Kim".parse().unwrap(), &digest(), day(0)), Err(Denied::Person(_))));
    let mut over = half;
    over.terms.ends_on = Some(day(3).date());
    assert_eq!(by(over.clone(), Party::House, day(3)).unwrap().status, S::Signed { from: day(3), until: Some(day(4)) });
    assert!(matches!(by(over, Party::House, day(4)), Err(Denied::Invalid(_))), "what is over is not signed");
}

#[test]
fn an_ended_agreement_ends_once_and_is_not_amended() {
    assert_eq!(end(agreement(None), day(1)).unwrap().ended_at, Some(day(1)));
    assert!(end(agreement(Some(day(1))), day(2)).is_err());
    let signed = version(3, S::Signed { from: day(0), until: None });
    let next = amend(&agreement(None), &signed, &person(8, Role::VendorManager), day(1)).unwrap();
    assert_eq!((next.number, next.terms, next.document, next.authors), (4, signed.terms.clone(), None, [id(8)].into()));
    assert!(amend(&agreement(Some(day(1))), &signed, &person(8, Role::VendorManager), day(2)).is_err());
    assert!(matches!(amend(&agreement(None), &signed, &Actor::System, day(1)), Err(Denied::Person(_))));
}

#[test]
fn data_that_goes_far_needs_a_mechanism() {
    for (country, locations, expected) in
        [("DE", &[][..], false), ("IS", &[], false), ("CH", &["JP"], false), ("US", &[], true), ("DE", &["FR", "IN"], true)]
    {
        let profile = json!({
            "legal_name": "Acme", "country": country, "role": "processor", "tier": "low",
            "owner": id::<PersonId>(5).as_str(), "data_locations": locations
        });
        let vendor = Vendor {
            id: id(2),
            profile: serde_json::from_value(profile).unwrap(),
            lifecycle: Lifecycle::Active,
            lifecycle_since: day(0),
            created_at: day(0),
            updated_at: day(0),
            version: 1,
        };
        assert_eq!(transfers(&vendor), expected, "{country} {locations:?}");
    }
}

#[test]
fn a_version_is_superseded_when_a_later_one_begins() {
    let signed = |from: i64, until: Option<i64>| S::Signed { from: day(from), until: until.map(day) };
    let superseded = |at: i64| S::Superseded { at: day(at) };
    let ended = || S::Terminated { at: day(0) };
    let table = [
        ("one alone", vec![signed(0, None)], 5, vec![signed(0, None)]),
        ("one that is over, alone", vec![signed(0, Some(3))], 5, vec![signed(0, Some(3))]),
        ("before the successor's day", vec![signed(0, None), signed(9, None)], 8, vec![signed(0, None), signed(9, None)]),
        ("on the successor's day", vec![signed(0, None), signed(9, None)], 9, vec![superseded(9), signed(9, None)]),
        ("when the successor is over", vec![signed(0, None), signed(9, Some(12))], 20, vec![superseded(9), signed(9, Some(12))]),
        ("a draft takes nothing over", vec![signed(0, None), S::Draft], 5, vec![signed(0, None), S::Draft]),
        ("nor does one that was given up", vec![signed(0, None), ended()], 5, vec![signed(0, None), ended()]),
        ("a successor that begins first", vec![signed(9, None), signed(3, None)], 4, vec![superseded(3), signed(3, None)]),
        (
            "one after the other",
            vec![signed(0, None), signed(3, None), signed(6, None)],
            7,
            vec![superseded(3), superseded(6), signed(6, None)],
        ),
    ];
    for (what, stored, at, expected) in table {
        let stored = stored.into_iter().zip(1..).map(|(status, number)| version(number, status)).collect();
        let found: Vec<S> = standing(stored, day(at)).into_iter().map(|version| version.status).collect();
        assert_eq!(found, expected, "{what}");
    }
}
