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
    ];
    for (what, new, expected) in table {
        assert_eq!(compare(&read(&terms()), &read(&new)), Ok(expected), "{what}");
    }
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
