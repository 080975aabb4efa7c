//! Which treatment tells no more than which: each kind against each, and each against its own with other parameters.

use serde_json::{Value, json};

use super::Treatment;

fn treatment(value: &Value) -> Treatment {
    serde_json::from_value(value.clone()).unwrap()
}

/// One of each kind, in the order of the table's columns.
fn one_of_each() -> [Treatment; 10] {
    [
        json!({"kind": "withhold"}),
        json!({"kind": "constant", "value": "x"}),
        json!({"kind": "clear"}),
        json!({"kind": "mask", "prefix": 1, "suffix": 1, "pad": 3}),
        json!({"kind": "truncate", "length": 3}),
        json!({"kind": "pseudonym", "format": "base32"}),
        json!({"kind": "generalise_number", "width": 10.0, "as": "range"}),
        json!({"kind": "generalise_date", "unit": "month"}),
        json!({"kind": "round", "step": 10.0}),
        json!({"kind": "top_bottom_code", "top": 90.0, "as": "bound"}),
    ]
    .map(|value| treatment(&value))
}

#[test]
fn each_kind_against_each() {
    // A row is what would be, a column what was: `y` where what would be is at least as strict.
    let table = [
        ("withhold", "y y y y y y y y y y"),
        ("constant", "- y y y y y y y y y"),
        ("clear", "- - y - - - - - - -"),
        ("mask", "- - y y - - - - - -"),
        ("truncate", "- - y - y - - - - -"),
        ("pseudonym", "- - - - - y - - - -"),
        ("generalise_number", "- - y - - - y - - -"),
        ("generalise_date", "- - y - - - - y - -"),
        ("round", "- - y - - - - - y -"),
        ("top_bottom_code", "- - y - - - - - - y"),
    ];
    let kinds = one_of_each();
    for ((name, row), new) in table.into_iter().zip(&kinds) {
        assert_eq!(new.key(), name);
        assert_eq!(row.split(' ').count(), kinds.len());
        for (expected, old) in row.split(' ').zip(&kinds) {
            assert_eq!(new.at_least_as_strict_as(old), expected == "y", "{name} in place of {}", old.key());
        }
    }
}

#[test]
fn the_same_kind_with_other_parameters() {
    let constant = |value: Value| json!({"kind": "constant", "value": value});
    let mask = |prefix: u8, suffix: u8, pad: u8| json!({"kind": "mask", "prefix": prefix, "suffix": suffix, "pad": pad});
    let truncate = |length: u16| json!({"kind": "truncate", "length": length});
    let grid = |width: f64, origin: f64, form: &str| json!({"kind": "generalise_number", "width": width, "origin": origin, "as": form});
    let date = |unit: &str| json!({"kind": "generalise_date", "unit": unit});
    let age = |width: u8, at: &str| json!({"kind": "generalise_date", "unit": "age", "width": width, "at": at});
    let round = |step: f64| json!({"kind": "round", "step": step});
    let code = |bottom: Value, top: Value, form: &str| json!({"kind": "top_bottom_code", "bottom": bottom, "top": top, "as": form});
    let none = || Value::Null;
    let table = [
        (constant(json!("x")), constant(json!(1)), true, "no constant tells anything"),
        (mask(0, 1, 3), mask(1, 1, 3), false, "a shorter prefix shows the start of short texts"),
        (mask(1, 1, 3), mask(0, 1, 3), false, "a longer prefix"),
        (mask(1, 1, 3), mask(1, 1, 4), false, "another padding"),
        (
            json!({"kind": "mask", "prefix": 1, "suffix": 1, "pad": 3, "email_domain": true}),
            mask(1, 1, 3),
            false,
            "the domain comes through",
        ),
        (truncate(2), truncate(3), true, "fewer characters"),
        (truncate(4), truncate(3), false, "more characters"),
        (
            json!({"kind": "pseudonym", "format": "uuid"}),
            json!({"kind": "pseudonym", "format": "base32"}),
            false,
            "another format is the same value in other words, and yet not the same column",
        ),
        (
            json!({"kind": "pseudonym", "domain": "customer", "format": "base32"}),
            json!({"kind": "pseudonym", "format": "base32"}),
            false,
            "another domain joins with other tables",
        ),
        (grid(20.0, 0.0, "range"), grid(10.0, 0.0, "range"), false, "grids do not compare"),
        (grid(10.0, 5.0, "range"), grid(10.0, 0.0, "range"), false, "shifted"),
        (grid(10.0, 0.0, "lower"), grid(10.0, 0.0, "range"), false, "another form"),
        (date("day"), date("day"), true, "itself"),
        (date("month"), date("day"), true, "months are made of days"),
        (date("quarter"), date("month"), true, "quarters are made of months"),
        (date("year"), date("quarter"), true, "years are made of quarters"),
        (date("year"), date("day"), true, "years are made of days"),
        (date("week"), date("day"), true, "weeks are made of days"),
        (date("day"), date("month"), false, "days tell more than months"),
        (date("month"), date("quarter"), false, "months tell more than quarters"),
        (date("quarter"), date("year"), false, "quarters tell more than years"),
        (date("month"), date("week"), false, "weeks cross months"),
        (date("year"), date("week"), false, "weeks cross years"),
        (date("week"), date("month"), false, "weeks tell more than months"),
        (age(20, "2026-01-01"), age(10, "2026-01-01"), true, "bands of twenty are made of bands of ten"),
        (age(15, "2026-01-01"), age(10, "2026-01-01"), false, "bands of fifteen cut bands of ten"),
        (age(5, "2026-01-01"), age(10, "2026-01-01"), false, "narrower bands"),
        (age(20, "2026-01-02"), age(10, "2026-01-01"), false, "another day cuts bands elsewhere"),
        (age(10, "2026-01-01"), date("day"), true, "an age is told from the day"),
        (age(10, "2026-01-01"), date("month"), false, "an age tells the day within a month"),
        (age(10, "2026-01-01"), date("year"), false, "an age tells the half of a year"),
        (date("year"), age(10, "2026-01-01"), false, "a year tells more than a band"),
        (round(20.0), round(10.0), false, "rounding twice is not rounding once"),
        (round(5.0), round(10.0), false, "a finer step"),
        (code(none(), json!(80.0), "bound"), code(none(), json!(90.0), "bound"), true, "a lower top"),
        (code(none(), json!(95.0), "bound"), code(none(), json!(90.0), "bound"), false, "a higher top"),
        (code(json!(20.0), json!(90.0), "bound"), code(none(), json!(90.0), "bound"), true, "a bottom more"),
        (code(json!(20.0), json!(90.0), "bound"), code(json!(10.0), json!(90.0), "bound"), true, "a higher bottom"),
        (code(json!(5.0), json!(90.0), "bound"), code(json!(10.0), json!(90.0), "bound"), false, "a lower bottom"),
        (code(json!(10.0), none(), "bound"), code(json!(10.0), json!(90.0), "bound"), false, "no top"),
        (code(none(), json!(90.0), "bound"), code(json!(10.0), json!(90.0), "bound"), false, "no bottom"),
        (code(none(), json!(80.0), "label"), code(none(), json!(90.0), "bound"), false, "another form"),
    ];
    for (new, old, expected, why) in table {
        assert_eq!(treatment(&new).at_least_as_strict_as(&treatment(&old)), expected, "{why}: {new} in place of {old}");
    }
}

#[test]
fn only_what_certainly_hides_an_identifier_goes_without_a_tick() {
    for (treatment, hides) in one_of_each().iter().zip([true, true, false, true, false, true, false, false, false, false]) {
        assert_eq!(treatment.hides_identity(), hides, "{}", treatment.key());
    }
}
