//! What of a permit can change at once and what waits: a line for each member, changed each way.

use serde_json::{Value, json};

use super::{Change, PermitTerms, compare};

fn terms() -> Value {
    json!({
        "dataset": "people", "purpose": "email-marketing", "legal_basis": "contract", "instruction": "Count.",
        "fields": {
            "id": {"kind": "pseudonym", "format": "base32"},
            "city": {"kind": "clear"},
            "name": {"kind": "truncate", "length": 3},
            "note": {"kind": "withhold"}
        },
        "condition": {"all": [{"field": "city", "op": "eq", "values": ["Ulm"]}]},
        "daily_rows": 100, "starts_on": "2026-02-01", "ends_on": "2026-11-30"
    })
}

/// The terms with one member changed; `null` takes it out.
fn with(pointer: &str, value: Value) -> Value {
    let mut changed = terms();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let members = changed.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    if value.is_null() {
        members.remove(name)
    } else {
        members.insert(name.to_owned(), value)
    };
    changed
}

fn read(terms: &Value) -> PermitTerms {
    serde_json::from_value(terms.clone()).unwrap()
}

fn clause(field: &str, values: &[&str]) -> Value {
    json!({"field": field, "op": "eq", "values": values})
}

#[test]
fn each_member_changed_each_way() {
    use Change::{Narrowing as N, Widening as W};
    let ulm = || clause("city", &["Ulm"]);
    let table = [
        ("nothing", terms(), N),
        ("an instruction more to the point", with("/instruction", json!("Count less.")), N),
        ("a field less", with("/fields/city", Value::Null), N),
        ("a field withheld", with("/fields/city", json!({"kind": "withhold"})), N),
        ("a stricter treatment", with("/fields/name", json!({"kind": "truncate", "length": 2})), N),
        ("a constant", with("/fields/city", json!({"kind": "constant", "value": "x"})), N),
        ("no word on what was withheld", with("/fields/note", Value::Null), N),
        ("another field withheld", with("/fields/email", json!({"kind": "withhold"})), N),
        ("a field more", with("/fields/email", json!({"kind": "clear"})), W),
        ("a constant more", with("/fields/email", json!({"kind": "constant", "value": "x"})), W),
        ("a withheld field released", with("/fields/note", json!({"kind": "mask", "prefix": 0, "suffix": 0, "pad": 3})), W),
        ("a weaker treatment", with("/fields/name", json!({"kind": "truncate", "length": 4})), W),
        ("a pseudonym of what was clear", with("/fields/city", json!({"kind": "pseudonym", "format": "base32"})), W),
        ("a pseudonym in the clear", with("/fields/id", json!({"kind": "clear"})), W),
        ("a lower quota", with("/daily_rows", json!(99)), N),
        ("a higher quota", with("/daily_rows", json!(101)), W),
        ("a limit on people", with("/daily_subjects", json!(5)), N),
        ("a limit on requests", with("/requests_per_minute", json!(5)), N),
        ("hours", with("/open_hours", hours(&["monday"], "08:00", "18:00")), N),
        ("a later start", with("/starts_on", json!("2026-02-02")), N),
        ("an earlier start", with("/starts_on", json!("2026-01-31")), W),
        ("no start", with("/starts_on", Value::Null), W),
        ("an earlier end", with("/ends_on", json!("2026-11-29")), N),
        ("a later end", with("/ends_on", json!("2026-12-01")), W),
        ("no end", with("/ends_on", Value::Null), W),
        ("a clause more, on what is seen anyway", with("/condition/all", json!([ulm(), clause("city", &["Bern"])])), N),
        ("a clause more, on what is treated", with("/condition/all", json!([ulm(), clause("name", &["Anna"])])), W),
        ("a clause more, on what is withheld", with("/condition/all", json!([ulm(), clause("note", &["ill"])])), W),
        ("a clause less", with("/condition/all", json!([])), W),
        ("another clause", with("/condition/all", json!([clause("city", &["Bern"])])), W),
        ("an alternative to it", with("/condition/all", either(&[ulm(), clause("city", &["Bern"])])), W),
        (
            "alternatives more, on what is seen anyway",
            with("/condition/all", json!([ulm(), {"any": [clause("city", &["Bern"]), clause("city", &["Ulm"])]}])),
            N,
        ),
        (
            "alternatives more, one of them on what is withheld",
            with("/condition/all", json!([ulm(), {"any": [clause("city", &["Bern"]), clause("note", &["ill"])]}])),
            W,
        ),
    ];
    for (what, new, expected) in table {
        assert_eq!(compare(&read(&terms()), &read(&new)), Ok(expected), "{what}");
    }
}

fn either(clauses: &[Value]) -> Value {
    json!([{"any": clauses}])
}

#[test]
fn an_alternative_less_is_a_narrowing_and_one_more_a_widening() {
    use Change::{Narrowing as N, Widening as W};
    let (ulm, bern, ill) = (clause("city", &["Ulm"]), clause("city", &["Bern"]), clause("note", &["ill"]));
    let wide = read(&with("/condition/all", either(&[ulm.clone(), bern.clone(), ill.clone()])));
    let table = [
        (either(&[bern.clone(), ulm.clone(), ill.clone()]), W),
        (either(&[ulm.clone(), bern.clone()]), N),
        (json!([ulm.clone()]), N),
        // The rows that stay are told by the withheld note.
        (json!([ill.clone()]), W),
        (either(&[ulm, bern, ill, clause("city", &["Linz"])]), W),
    ];
    for (all, expected) in table {
        assert_eq!(compare(&wide, &read(&with("/condition/all", all.clone()))), Ok(expected), "{all}");
    }
}

fn hours(days: &[&str], from: &str, to: &str) -> Value {
    json!({"days": days, "from": from, "to": to})
}

#[test]
fn a_limit_may_only_fall() {
    use Change::{Narrowing as N, Widening as W};
    let workdays = &["monday", "tuesday"];
    let table = [
        ("/daily_subjects", json!(10), vec![(json!(9), N), (json!(10), N), (json!(11), W), (Value::Null, W)]),
        ("/requests_per_minute", json!(10), vec![(json!(9), N), (json!(11), W), (Value::Null, W)]),
        (
            "/open_hours",
            hours(workdays, "08:00", "18:00"),
            vec![
                (hours(&["monday"], "08:00", "18:00"), N),
                (hours(workdays, "09:00", "17:30"), N),
                (hours(workdays, "07:59", "18:00"), W),
                (hours(workdays, "08:00", "18:01"), W),
                (hours(&["monday", "sunday"], "09:00", "10:00"), W),
                (Value::Null, W),
            ],
        ),
    ];
    for (member, before, changes) in table {
        for (after, expected) in changes {
            assert_eq!(
                compare(&read(&with(member, before.clone())), &read(&with(member, after.clone()))),
                Ok(expected),
                "{member}: {after}"
            );
        }
    }
    // What a permit lacks is not written, so that those of before keep their bytes.
    let written = serde_json::to_value(read(&terms())).unwrap();
    assert!(["daily_subjects", "requests_per_minute", "open_hours"].iter().all(|name| written.get(name).is_none()));
}

#[test]
fn what_was_open_can_be_bounded() {
    let open = read(&{
        let mut open = terms();
        for name in ["starts_on", "ends_on"] {
            open.as_object_mut().unwrap().remove(name);
        }
        open
    });
    assert_eq!(compare(&open, &read(&terms())), Ok(Change::Narrowing));
    assert_eq!(compare(&read(&terms()), &open), Ok(Change::Widening));
}

#[test]
fn what_the_key_stands_for_can_not_change() {
    for (member, value) in [("dataset", "orders"), ("purpose", "market-research"), ("legal_basis", "consent")] {
        // Not even together with a narrowing.
        let mut new = with(&format!("/{member}"), json!(value));
        new["daily_rows"] = json!(1);
        let error = compare(&read(&terms()), &read(&new)).unwrap_err();
        assert_eq!(error.field, member);
    }
}
