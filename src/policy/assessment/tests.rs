//! Assessments: each state against each act, and who may decide.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::domain::assessment::AssessmentKind;
use crate::domain::id::PersonId;
use crate::domain::person::Role;
use crate::domain::vendor::{Lifecycle, Tier};

fn id<T: std::str::FromStr<Err = Invalid>>(number: u8) -> T {
    format!("01980000-0000-7000-8000-0000000000{number:02x}").parse().unwrap()
}

fn now() -> Instant {
    "2026-07-01T08:00:00Z".parse().unwrap()
}

fn person(number: u8, role: Role) -> Actor {
    Actor::Person { id: id(number), role }
}

const OWNER: u8 = 5;
const OPENER: u8 = 6;

fn vendor(tier: Tier) -> Vendor {
    let profile = json!({
        "legal_name": "Acme", "country": "DE", "role": "processor", "tier": tier, "owner": id::<PersonId>(OWNER).as_str()
    });
    Vendor {
        id: id(1),
        profile: serde_json::from_value(profile).unwrap(),
        lifecycle: Lifecycle::DueDiligence,
        lifecycle_since: now(),
        created_at: now(),
        updated_at: now(),
        version: 1,
    }
}

fn template() -> Template {
    let question = json!({"id": "policy", "domain": "Basics", "text": "Is there one?", "kind": "yes_no", "good": "yes", "weight": 1});
    serde_json::from_value(json!({"key": "short", "version": 1, "title": "Short", "questions": [question]})).unwrap()
}

fn decision() -> Decision {
    Decision {
        verdict: Verdict::Approved,
        rationale: "Good.".parse().unwrap(),
        conditions: Vec::new(),
        by: id(9),
        at: now(),
        valid_until: Some(now()),
    }
}

fn round(status: S) -> Assessment {
    let sent = status != S::Draft;
    Assessment {
        id: id(2),
        vendor: id(1),
        kind: AssessmentKind::Security,
        template: "short".parse().unwrap(),
        status,
        questionnaire: sent.then(template),
        answers: BTreeMap::new(),
        score: None,
        opened_by: id(OPENER),
        opened_at: now(),
        version: 1,
    }
}

fn deciding(verdict: Verdict, conditions: usize) -> Deciding {
    let conditions = (0..conditions).map(|_| "Repeat it.".parse().unwrap()).collect();
    Deciding { verdict, rationale: "It is so.".parse().unwrap(), conditions }
}

fn states() -> [S; 7] {
    let (by, at) = (id::<PersonId>(9), now());
    [
        S::Draft,
        S::Sent,
        S::InProgress,
        S::Submitted { by: by.clone(), at },
        S::InReview { by, at },
        S::Decided(decision()),
        S::Cancelled { at },
    ]
}

#[test]
fn each_state_against_each_act() {
    let officer = person(9, Role::PrivacyOfficer);
    let act = |name: &str, round: Assessment| match name {
        "send" => send(round, &template()),
        "answer" => answer(round, BTreeMap::new()),
        "submit" => submit(round, &officer, now()),
        "review" => review(round, &officer, now()),
        "decide" => decide(round, &vendor(Tier::Low), &officer, deciding(Verdict::Approved, 0), now()),
        _ => cancel(round, &officer, now()),
    };
    // A row is an act, a column the state it is tried in, in the order of `states`; `-` is refused.
    for (name, row) in [
        ("send", "sent - - - - - -"),
        ("answer", "- in_progress in_progress - - - -"),
        ("submit", "- submitted submitted - - - -"),
        ("review", "- - - in_review - - -"),
        ("decide", "- - - - decided - -"),
        ("cancel", "cancelled cancelled cancelled cancelled cancelled - -"),
    ] {
        for (expected, state) in row.split(' ').zip(states()) {
            let before = round(state);
            let from = before.status.key();
            match act(name, before) {
                Ok(after) => assert_eq!(after.status.key(), expected, "{name} while {from}"),
                Err(Denied::State(_)) => assert_eq!(expected, "-", "{name} while {from}"),
                Err(other) => panic!("{name} while {from}: {other:?}"),
            }
        }
    }
}

#[test]
fn who_decides() {
    for (who, by, allowed) in [
        ("an officer who had no part in it", person(9, Role::PrivacyOfficer), true),
        ("whoever opened it, an officer by now", person(OPENER, Role::PrivacyOfficer), false),
        ("the vendor's owner, an officer by now", person(OWNER, Role::PrivacyOfficer), false),
        ("a manager", person(9, Role::VendorManager), false),
        ("an administrator", person(9, Role::Administrator), false),
        ("a steward", person(9, Role::DataSteward), false),
        ("a reviewer", person(9, Role::ComplianceReviewer), false),
        ("the operator", Actor::Operator, false),
        ("the system", Actor::System, false),
        ("a machine", Actor::Client(id(9)), false),
    ] {
        for verdict in [Verdict::Approved, Verdict::ApprovedWithConditions, Verdict::Rejected] {
            let in_review = round(S::InReview { by: id(9), at: now() });
            match decide(in_review, &vendor(Tier::Low), &by, deciding(verdict, 1), now()) {
                Ok(_) => assert!(allowed, "{who}: {verdict:?}"),
                Err(Denied::Person(_)) => assert!(!allowed, "{who}: {verdict:?}"),
                Err(other) => panic!("{who}: {other:?}"),
            }
        }
    }
}

#[test]
fn a_decision_says_until_when_it_holds() {
    let officer = person(9, Role::PrivacyOfficer);
    let decided =
        |tier: Tier, what: Deciding| match decide(round(S::InReview { by: id(9), at: now() }), &vendor(tier), &officer, what, now()) {
            Ok(Assessment { status: S::Decided(decision), .. }) => decision.valid_until,
            other => panic!("{other:?}"),
        };
    for tier in [Tier::Low, Tier::Standard, Tier::Important, Tier::Critical] {
        let until = Some(now().plus_days(tier.assessment_days()));
        assert_eq!(decided(tier, deciding(Verdict::Approved, 0)), until);
        assert_eq!(decided(tier, deciding(Verdict::ApprovedWithConditions, 1)), until);
        assert_eq!(decided(tier, deciding(Verdict::Rejected, 0)), None, "a rejection opens nothing");
    }
    let vague = decide(
        round(S::InReview { by: id(9), at: now() }),
        &vendor(Tier::Low),
        &officer,
        deciding(Verdict::ApprovedWithConditions, 0),
        now(),
    );
    assert!(matches!(vague, Err(Denied::Invalid(invalid)) if invalid.field == "conditions"));
}

#[test]
fn a_rejection_is_not_dodged_by_cancelling() {
    for (state, by, allowed) in [
        (S::InReview { by: id(9), at: now() }, Role::VendorManager, false),
        (S::InReview { by: id(9), at: now() }, Role::PrivacyOfficer, true),
        (S::Submitted { by: id(9), at: now() }, Role::VendorManager, true),
        (S::Draft, Role::VendorManager, true),
    ] {
        assert_eq!(cancel(round(state.clone()), &person(8, by), now()).is_ok(), allowed, "{state:?} by {by:?}");
    }
}

#[test]
fn answers_fit_their_questions_and_have_a_person_behind_them() {
    let wrong = serde_json::from_value(json!({"policy": {"kind": "text", "value": "perhaps"}})).unwrap();
    assert!(matches!(answer(round(S::Sent), wrong), Err(Denied::Invalid(_))));
    for by in [Actor::Operator, Actor::System, Actor::Client(id(9))] {
        assert!(matches!(submit(round(S::Sent), &by, now()), Err(Denied::Person(_))));
        assert!(matches!(review(round(S::Submitted { by: id(9), at: now() }), &by, now()), Err(Denied::Person(_))));
    }
    let submitted = submit(round(S::Sent), &person(8, Role::VendorManager), now()).unwrap();
    assert!(submitted.score.is_some(), "the score is computed when the answers are locked");
}

#[test]
fn what_others_changed_stands_and_is_told() {
    let slug = |name: &str| name.parse::<Slug>().unwrap();
    let (yes, no) = (Answer::YesNo(crate::domain::questionnaire::YesNo::Yes), Answer::YesNo(crate::domain::questionnaire::YesNo::No));
    let (yes, no) = (Some(yes), Some(no));
    // Stored, read, wanted; then what stands, and whether it was overtaken.
    let table = [
        (None, None, &yes, &yes, false),
        (yes.clone(), yes.clone(), &no, &no, false),
        (yes.clone(), yes.clone(), &None, &None, false),
        (yes.clone(), None, &no, &yes, true),
        (yes.clone(), no.clone(), &None, &yes, true),
        (None, yes.clone(), &no, &None, true),
        (yes.clone(), None, &yes, &yes, false),
        (yes.clone(), no.clone(), &no, &yes, false),
    ];
    for (stored, was, now, stands, told) in table {
        let at = format!("{stored:?} {was:?} {now:?}");
        let stored: Answers = stored.into_iter().map(|answer| (slug("policy"), answer)).collect();
        let changes = Changes::from([(slug("policy"), Change { was, now: now.clone() })]);
        let (merged, overtaken) = merge(&stored, &changes);
        assert_eq!(merged.get(&slug("policy")), stands.as_ref(), "{at}");
        assert_eq!(!overtaken.is_empty(), told, "{at}");
    }
}
