//! Every change is said once, in words, and never leads elsewhere than the gate says.

use serde_json::{Value, json};

use crate::domain::agreement::AgreementTerms;
use crate::domain::permit::{Change, PermitTerms, compare};
use crate::domain::vocabulary::Vocabulary;

use super::Direction::{Neutral, Stronger, Unclear, Weaker};
use super::*;

fn permit() -> Value {
    json!({
        "dataset": "people", "purpose": "email-marketing", "legal_basis": "contract", "instruction": "Count.",
        "fields": {
            "email": {"kind": "clear"}, "city": {"kind": "clear"}, "name": {"kind": "mask", "prefix": 2, "suffix": 0, "pad": 4},
            "born": {"kind": "generalise_date", "unit": "month"}, "id": {"kind": "pseudonym", "format": "base32"}
        },
        "condition": {"all": [{"field": "city", "op": "eq", "values": ["Ulm"]}]},
        "daily_rows": 1000, "starts_on": "2026-07-01", "ends_on": "2026-12-31"
    })
}

fn with(mut value: Value, pointer: &str, member: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    value.pointer_mut(parent).unwrap()[name] = member;
    value
}

/// One change of a permit: where, what to, then the words before and after, where it leads, and the summary.
type Case = (&'static str, Value, &'static str, &'static str, Direction, &'static str);

fn permit_cases() -> Vec<Case> {
    let masked = |prefix: u8, pad: u8| json!({"kind": "mask", "prefix": prefix, "suffix": 0, "pad": pad});
    vec![
        (
            "/fields/city",
            json!({"kind": "truncate", "length": 1}),
            "clear",
            "only the first 1 character",
            Stronger,
            "1 treatment strengthened",
        ),
        ("/fields/city", json!({"kind": "withhold"}), "clear", "withheld", Stronger, "1 field removed"),
        ("/fields/secret", json!({"kind": "clear"}), "withheld", "clear", Weaker, "1 field added"),
        (
            "/fields/born",
            json!({"kind": "generalise_date", "unit": "year"}),
            "only the month",
            "only the year",
            Stronger,
            "1 treatment strengthened",
        ),
        (
            "/fields/born",
            json!({"kind": "generalise_date", "unit": "day"}),
            "only the month",
            "only the day",
            Weaker,
            "1 treatment weakened",
        ),
        ("/fields/born", json!({"kind": "clear"}), "only the month", "clear", Weaker, "1 treatment weakened"),
        // Who has the clear values learns what the pseudonyms stand for: the gate calls this a widening.
        (
            "/fields/email",
            json!({"kind": "pseudonym", "format": "uuid"}),
            "clear",
            "pseudonym in the form of a UUID",
            Unclear,
            "1 treatment changed, neither stronger nor weaker for certain",
        ),
        (
            "/fields/name",
            masked(1, 4),
            "first 2 characters kept, the rest masked",
            "first 1 character kept, the rest masked",
            Unclear,
            "1 treatment changed, neither stronger nor weaker for certain",
        ),
        (
            "/fields/name",
            masked(2, 9),
            "first 2 characters kept, the rest masked by 4 signs",
            "first 2 characters kept, the rest masked by 9 signs",
            Unclear,
            "1 treatment changed, neither stronger nor weaker for certain",
        ),
        ("/dataset", json!("orders"), "people", "orders", Unclear, "dataset changed"),
        (
            "/purpose",
            json!("fraud-prevention-and-detection"),
            "Advertising by e-mail",
            "Preventing and detecting fraud",
            Unclear,
            "purpose changed",
        ),
        ("/legal_basis", json!("consent"), "contract (Art. 6(1)(b))", "consent (Art. 6(1)(a))", Unclear, "legal basis changed"),
        ("/instruction", json!("Send."), "Count.", "Send.", Neutral, "another instruction is cited"),
        ("/daily_rows", json!(10), "1,000 rows a day", "10 rows a day", Stronger, "quota lowered"),
        ("/daily_rows", json!(2000), "1,000 rows a day", "2,000 rows a day", Weaker, "quota raised"),
        ("/daily_subjects", json!(10), "no limit", "10 people a day", Stronger, "people a day limited further"),
        ("/requests_per_minute", json!(1), "no limit", "1 request a minute", Stronger, "requests a minute limited further"),
        (
            "/open_hours",
            json!({"days": ["saturday", "sunday"], "from": "00:00", "to": "24:00"}),
            "at any time",
            "Saturday, Sunday, 00:00 to 24:00 UTC",
            Stronger,
            "hours limited further",
        ),
        ("/starts_on", json!("2026-08-01"), "2026-07-01", "2026-08-01", Stronger, "starts 1 month later"),
        ("/starts_on", Value::Null, "2026-07-01", "with the agreement", Weaker, "no longer starts on a day of its own"),
        ("/ends_on", json!("2027-06-30"), "2026-12-31", "2027-06-30", Weaker, "ends 6 months later"),
        ("/ends_on", json!("2026-12-01"), "2026-12-31", "2026-12-01", Stronger, "ends 30 days earlier"),
        ("/ends_on", Value::Null, "2026-12-31", "with the agreement", Weaker, "no longer ends on a day of its own"),
        ("/condition", json!({"all": []}), "rows where city is Ulm", "every row", Weaker, "more rows"),
        (
            "/condition/all/1",
            json!({"field": "email", "op": "is", "values": ["not_null"]}),
            "rows where city is Ulm",
            "rows where city is Ulm and email has a value",
            Stronger,
            "fewer rows",
        ),
        // A choice by a field that is withheld tells its value.
        (
            "/condition/all/1",
            json!({"field": "secret", "op": "is", "values": ["not_null"]}),
            "rows where city is Ulm",
            "rows where city is Ulm and secret has a value",
            Unclear,
            "other rows",
        ),
    ]
}

fn changed(pointer: &str, member: Value) -> Value {
    let mut after = permit();
    match pointer {
        "/condition/all/1" => after["condition"]["all"].as_array_mut().unwrap().push(member),
        _ => after = with(after, pointer, member),
    }
    after
}

#[test]
fn each_change_of_a_permit_is_said_with_where_it_leads() {
    let before: PermitTerms = serde_json::from_value(permit()).unwrap();
    for (pointer, member, was, is, direction, summary) in permit_cases() {
        let after: PermitTerms = serde_json::from_value(changed(pointer, member)).unwrap();
        let diff = permits(&before, &after, &Vocabulary::shipped());
        let [one] = diff.differences.as_slice() else { panic!("{pointer}: {diff:?}") };
        assert_eq!((one.before.as_deref(), one.after.as_deref()), (Some(was), Some(is)), "{pointer}");
        assert_eq!((one.direction, diff.summary.as_str()), (direction, summary), "{pointer} {is}");
        // The gate's own word on the whole: what it calls a narrowing has no change that leads elsewhere.
        let narrows = compare(&before, &after) == Ok(Change::Narrowing);
        assert_eq!(narrows, matches!(direction, Stronger | Neutral), "{pointer} {is}");
    }
}

#[test]
fn the_whole_of_a_diff_agrees_with_the_gate() {
    let before: PermitTerms = serde_json::from_value(permit()).unwrap();
    let cases = permit_cases();
    for (first, ..) in cases.iter().enumerate() {
        for second in 0..cases.len() {
            let (one, other) = (&cases[first], &cases[second]);
            if one.0.split('/').nth(1) == other.0.split('/').nth(1) && one.0 == other.0 || one.0.contains("all") || other.0.contains("all")
            {
                continue;
            }
            let after = with(changed(one.0, one.1.clone()), other.0, other.1.clone());
            let Ok(after) = serde_json::from_value::<PermitTerms>(after) else { continue };
            let narrows = compare(&before, &after) == Ok(Change::Narrowing);
            let said =
                permits(&before, &after, &Vocabulary::shipped()).differences.iter().all(|one| matches!(one.direction, Stronger | Neutral));
            assert_eq!(narrows, said, "{} and {}", one.0, other.0);
        }
    }
}

#[test]
fn a_new_permit_adds_what_it_releases() {
    let terms: PermitTerms = serde_json::from_value(permit()).unwrap();
    let diff = added(&terms, &Vocabulary::shipped());
    assert_eq!(diff.summary, "5 fields added");
    assert!(diff.differences.iter().all(|one| one.direction == Weaker && one.before.as_deref() == Some("withheld")));
    assert!(permits(&terms, &terms, &Vocabulary::shipped()).is_empty());
    assert_eq!(permits(&terms, &terms, &Vocabulary::shipped()).summary, "nothing changes");
}

#[test]
fn a_summary_counts() {
    let before: PermitTerms = serde_json::from_value(permit()).unwrap();
    let after = with(permit(), "/fields/secret", json!({"kind": "clear"}));
    let after = with(with(after, "/fields/note", json!({"kind": "clear"})), "/fields/born", json!({"kind": "clear"}));
    let after = serde_json::from_value(with(after, "/ends_on", json!("2027-06-30"))).unwrap();
    assert_eq!(permits(&before, &after, &Vocabulary::shipped()).summary, "2 fields added, 1 treatment weakened, ends 6 months later");
}

#[test]
fn spans_are_said_in_the_largest_whole_unit() {
    for (from, to, expected) in [
        ("2026-01-15", "2026-02-15", "1 month"),
        ("2026-01-31", "2026-02-28", "1 month"),
        ("2026-12-31", "2028-12-31", "2 years"),
        ("2026-01-01", "2026-01-31", "30 days"),
        ("2026-01-01", "2026-01-02", "1 day"),
        ("2026-01-31", "2026-03-01", "29 days"),
    ] {
        assert_eq!(span(from.parse().unwrap(), to.parse().unwrap()), expected, "{from} to {to}");
    }
}

fn agreed() -> Value {
    json!({
        "subject_matter": "Letters", "nature": "Printing", "purposes": ["email-marketing"], "data_categories": ["contact"],
        "subject_categories": ["Customers"], "starts_on": "2026-07-01", "ends_on": "2026-12-31", "instructions": ["Count."],
        "confidentiality_attested_on": "2026-06-01", "security_evidence": ["0190a0b0-0000-7000-8000-000000000001"],
        "sub_processors": {"authorisation": "general", "notice_days": 30, "objection_days": 14},
        "assistance": {"days": 5, "channel": "e-mail"}, "breach_notice": {"hours": 24, "contact": "breach@example.org"},
        "at_the_end": {"way": "delete", "deadline_days": 30}, "audit": {"every_months": 12, "last_on": "2026-01-01"},
        "retention_days": 100,
        "joint": {"responsibilities": "We answer.", "contact_point": "privacy desk", "essence_published_at": "example.org/joint"},
        "controller": {"purpose_limits": "Delivery.", "notice": "By letter.", "no_onward_sharing": true},
        "transfer": {"mechanism": "scc_module2", "assessment_reference": "TIA-1"}
    })
}

#[test]
fn each_change_of_an_agreement_is_said_with_where_it_leads() {
    let before: AgreementTerms = serde_json::from_value(agreed()).unwrap();
    let other_paper = "0190a0b0-0000-7000-8000-000000000002";
    let papers: Papers = [("0190a0b0-0000-7000-8000-000000000001", "ISO 27001"), (other_paper, "SOC 2")]
        .map(|(id, name)| (id.parse().unwrap(), name.to_owned()))
        .into();
    let general = |notice: u32, objection: u32| json!({"authorisation": "general", "notice_days": notice, "objection_days": objection});
    let named = json!({"authorisation": "specific", "named": ["Hosting Ltd"]});
    type Case = (&'static str, Value, Option<&'static str>, Option<&'static str>, Direction, &'static str);
    let cases: Vec<Case> = vec![
        ("/subject_matter", json!("Parcels"), Some("Letters"), Some("Parcels"), Unclear, "1 clause reworded"),
        ("/nature", json!("Sending"), Some("Printing"), Some("Sending"), Unclear, "1 clause reworded"),
        ("/purposes/1", json!("market-research"), None, Some("Studying the market"), Weaker, "1 purpose added"),
        ("/purposes", json!([]), Some("Advertising by e-mail"), None, Stronger, "1 purpose removed"),
        ("/data_categories/1", json!("health"), None, Some("Health"), Weaker, "1 data category added"),
        ("/data_categories", json!([]), Some("E-mail, phone and postal address"), None, Stronger, "1 data category removed"),
        ("/subject_categories/1", json!("Children"), None, Some("Children"), Weaker, "1 group of people added"),
        ("/instructions/1", json!("Send."), None, Some("Send."), Unclear, "1 instruction added"),
        ("/starts_on", json!("2026-06-01"), Some("2026-07-01"), Some("2026-06-01"), Weaker, "starts 1 month earlier"),
        ("/ends_on", json!("2027-12-31"), Some("2026-12-31"), Some("2027-12-31"), Weaker, "ends 1 year later"),
        ("/ends_on", Value::Null, Some("2026-12-31"), None, Weaker, "no longer ends on a day of its own"),
        ("/confidentiality_attested_on", Value::Null, Some("2026-06-01"), None, Weaker, "1 clause weakened"),
        ("/confidentiality_attested_on", json!("2026-06-02"), Some("2026-06-01"), Some("2026-06-02"), Stronger, "1 clause strengthened"),
        ("/security_evidence/1", json!(other_paper), None, Some("SOC 2"), Stronger, "1 piece of evidence added"),
        ("/security_evidence", json!([]), Some("ISO 27001"), None, Weaker, "1 piece of evidence removed"),
        (
            "/sub_processors",
            json!({"authorisation": "forbidden"}),
            Some("any, announced 30 days ahead, with 14 days to object"),
            Some("none may be used"),
            Stronger,
            "1 clause strengthened",
        ),
        (
            "/sub_processors",
            named,
            Some("any, announced 30 days ahead, with 14 days to object"),
            Some("only those named: Hosting Ltd"),
            Stronger,
            "1 clause strengthened",
        ),
        (
            "/sub_processors",
            general(10, 14),
            Some("any, announced 30 days ahead, with 14 days to object"),
            Some("any, announced 10 days ahead, with 14 days to object"),
            Weaker,
            "1 clause weakened",
        ),
        (
            "/sub_processors",
            general(40, 1),
            Some("any, announced 30 days ahead, with 14 days to object"),
            Some("any, announced 40 days ahead, with 1 day to object"),
            Unclear,
            "1 clause reworded",
        ),
        ("/assistance/days", json!(10), Some("5 days"), Some("10 days"), Weaker, "1 clause weakened"),
        ("/assistance/channel", json!("phone"), Some("e-mail"), Some("phone"), Neutral, "1 detail changed"),
        ("/breach_notice/hours", json!(12), Some("24 hours"), Some("12 hours"), Stronger, "1 clause strengthened"),
        ("/breach_notice/contact", json!("x@example.org"), Some("breach@example.org"), Some("x@example.org"), Neutral, "1 detail changed"),
        ("/at_the_end/way", json!("return"), Some("delete"), Some("return"), Unclear, "1 clause reworded"),
        ("/at_the_end/deadline_days", json!(1), Some("30 days"), Some("1 day"), Stronger, "1 clause strengthened"),
        ("/audit/every_months", json!(24), Some("12 months"), Some("24 months"), Weaker, "1 clause weakened"),
        ("/audit/last_on", Value::Null, Some("2026-01-01"), None, Neutral, "1 detail changed"),
        ("/retention_days", json!(1_000), Some("100 days"), Some("1,000 days"), Weaker, "1 clause weakened"),
        ("/retention_days", Value::Null, Some("100 days"), None, Weaker, "1 clause weakened"),
        ("/joint/responsibilities", json!("They answer."), Some("We answer."), Some("They answer."), Unclear, "1 clause reworded"),
        ("/joint/contact_point", json!("desk"), Some("privacy desk"), Some("desk"), Neutral, "1 detail changed"),
        ("/joint/essence_published_at", json!("example.org"), Some("example.org/joint"), Some("example.org"), Neutral, "1 detail changed"),
        ("/controller/purpose_limits", json!("All."), Some("Delivery."), Some("All."), Unclear, "1 clause reworded"),
        ("/controller/notice", json!("None."), Some("By letter."), Some("None."), Unclear, "1 clause reworded"),
        ("/controller/no_onward_sharing", json!(false), Some("promised"), Some("not promised"), Weaker, "1 clause weakened"),
        (
            "/transfer/mechanism",
            json!("derogation"),
            Some("standard contractual clauses, module 2"),
            Some("a derogation (Art. 49)"),
            Unclear,
            "1 clause reworded",
        ),
        ("/transfer/assessment_reference", json!("TIA-2"), Some("TIA-1"), Some("TIA-2"), Neutral, "1 detail changed"),
    ];
    let mut seen = std::collections::BTreeSet::new();
    for (pointer, member, was, is, direction, summary) in cases {
        let mut after = agreed();
        match pointer.strip_suffix("/1") {
            Some(list) => after.pointer_mut(list).unwrap().as_array_mut().unwrap().push(member),
            None => after = with(after, pointer, member),
        }
        let after: AgreementTerms = serde_json::from_value(after).unwrap();
        let diff = terms(&before, &after, &papers, &Vocabulary::shipped());
        let [one] = diff.differences.as_slice() else { panic!("{pointer}: {diff:?}") };
        assert_eq!((one.before.as_deref(), one.after.as_deref(), one.direction), (was, is, direction), "{pointer}");
        assert_eq!(diff.summary, summary, "{pointer}");
        seen.insert(pointer.split('/').nth(1).unwrap().to_owned());
    }
    let clauses = agreed().as_object().unwrap().keys().cloned().collect();
    assert_eq!(seen, clauses, "every clause has a case");
    assert!(terms(&before, &before, &papers, &Vocabulary::shipped()).is_empty());
}
