//! Which treatment tells no more than which: each kind against each, and each against its own with other parameters.

use serde_json::{Value, json};

use super::Treatment;
use crate::domain::dataset::LogicalType;

fn treatment(value: &Value) -> Treatment {
    serde_json::from_value(value.clone()).unwrap()
}

/// One of each kind, in the order of the table's columns.
fn one_of_each() -> [Treatment; 16] {
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
        json!({"kind": "date_shift", "days": 30}),
        json!({"kind": "redact_text", "kinds": ["email", "phone"]}),
        json!({"kind": "noise", "scale": 5.0}),
        json!({"kind": "geo", "as": "postal_prefix", "length": 2}),
        json!({"kind": "reversible_token"}),
        json!({"kind": "generalise_hierarchy", "hierarchy": "towns", "version": 1, "level": 2}),
    ]
    .map(|value| treatment(&value))
}

#[test]
fn each_kind_against_each() {
    // A row is what would be, a column what was: `y` where what would be is at least as strict.
    let table = [
        ("withhold", "y y y y y y y y y y y y y y y y"),
        ("constant", "- y y y y y y y y y y y y y y y"),
        ("clear", "- - y - - - - - - - - - - - - -"),
        ("mask", "- - y y - - - - - - - - - - - -"),
        ("truncate", "- - y - y - - - - - - - - - - -"),
        ("pseudonym", "- - - - - y - - - - - - - - - -"),
        ("generalise_number", "- - y - - - y - - - - - - - - -"),
        ("generalise_date", "- - y - - - - y - - - - - - - -"),
        ("round", "- - y - - - - - y - - - - - - -"),
        ("top_bottom_code", "- - y - - - - - - y - - - - - -"),
        ("date_shift", "- - - - - - - - - - y - - - - -"),
        ("redact_text", "- - y - - - - - - - - y - - - -"),
        ("noise", "- - y - - - - - - - - - y - - -"),
        ("geo", "- - y - - - - - - - - - - y - -"),
        ("reversible_token", "- - - - - - - - - - - - - - y -"),
        ("generalise_hierarchy", "- - - - - - - - - - - - - - - y"),
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
    let shift = |days: u16| json!({"kind": "date_shift", "days": days});
    let noise = |scale: f64| json!({"kind": "noise", "scale": scale});
    let redact = |kinds: &[&str]| json!({"kind": "redact_text", "kinds": kinds});
    let geo = |mut form: Value| {
        form["kind"] = json!("geo");
        form
    };
    let postal = |length: u8, small: &[&str]| json!({"kind": "geo", "as": "postal_prefix", "length": length, "small": small});
    let none = || Value::Null;
    let nested = |name: &str, version: i32, level: u8| json!({"kind": "generalise_hierarchy", "hierarchy": name, "version": version, "level": level});
    let table = [
        (nested("towns", 1, 3), nested("towns", 1, 2), true, "a higher level"),
        (nested("towns", 1, 1), nested("towns", 1, 2), false, "a lower level"),
        (nested("towns", 2, 3), nested("towns", 1, 2), false, "another version"),
        (nested("places", 1, 3), nested("towns", 1, 2), false, "another hierarchy"),
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
        (shift(10), shift(30), false, "another offset"),
        (noise(20.0), noise(10.0), false, "two noises on one value tell more than one"),
        (redact(&["email", "phone"]), redact(&["email"]), true, "one kind more is replaced"),
        (redact(&["email"]), redact(&["email", "phone"]), false, "phone numbers come through"),
        (redact(&["phone"]), redact(&["email"]), false, "another kind"),
        (postal(2, &["10", "11"]), postal(2, &["10"]), true, "one area more is withheld"),
        (postal(2, &[]), postal(2, &["10"]), false, "an area comes through"),
        (postal(2, &[]), postal(3, &[]), false, "codes of three characters come through"),
        (geo(json!({"as": "geohash", "length": 4})), geo(json!({"as": "geohash", "length": 5})), true, "a cell of cells"),
        (geo(json!({"as": "geohash", "length": 6})), geo(json!({"as": "geohash", "length": 5})), false, "a finer cell"),
        (geo(json!({"as": "h3", "resolution": 6})), geo(json!({"as": "h3", "resolution": 7})), false, "hexagons do not nest"),
        (geo(json!({"as": "h3", "resolution": 6})), geo(json!({"as": "geohash", "length": 5})), false, "another grid"),
        (
            json!({"kind": "reversible_token", "domain": "customer"}),
            json!({"kind": "reversible_token"}),
            false,
            "another domain joins with other tables",
        ),
        (code(none(), json!(80.0), "label"), code(none(), json!(90.0), "bound"), false, "another form"),
    ];
    for (new, old, expected, why) in table {
        assert_eq!(treatment(&new).at_least_as_strict_as(&treatment(&old)), expected, "{why}: {new} in place of {old}");
    }
}

/// In the order of the table's columns.
const HIDES: [bool; 15] = [true, true, false, true, false, true, false, false, false, false, false, false, false, false, true];

/// As permits have kept them: no form may change, for their policies are hashed.
#[test]
fn the_json_of_each_comes_back_as_it_was() {
    for json in [
        json!({"kind": "withhold"}),
        json!({"kind": "mask", "prefix": 1, "suffix": 1, "pad": 3, "email_domain": false}),
        json!({"kind": "pseudonym", "format": "base32"}),
        json!({"kind": "generalise_date", "unit": "age", "width": 10, "at": "2026-07-01"}),
        json!({"kind": "date_shift", "days": 30}),
        json!({"kind": "redact_text", "kinds": ["email", "phone", "iban", "card", "ip", "url"]}),
        json!({"kind": "noise", "scale": 2.5}),
        json!({"kind": "geo", "as": "postal_prefix", "length": 2}),
        json!({"kind": "geo", "as": "postal_prefix", "length": 2, "small": ["10", "11"]}),
        json!({"kind": "geo", "as": "geohash", "length": 5}),
        json!({"kind": "geo", "as": "h3", "resolution": 7}),
        json!({"kind": "reversible_token"}),
        json!({"kind": "reversible_token", "domain": "customer"}),
    ] {
        assert_eq!(serde_json::to_value(treatment(&json)).unwrap(), json);
    }
}

#[test]
fn what_makes_no_sense_is_refused_beside_its_setting() {
    use LogicalType::{Boolean, Date, Integer, Number, Text, Timestamp};
    for (json, from, expected) in [
        (json!({"kind": "date_shift", "days": 30}), Date, Ok(Date)),
        (json!({"kind": "date_shift", "days": 30}), Timestamp, Ok(Date)),
        (json!({"kind": "date_shift", "days": 0}), Date, Err("days")),
        (json!({"kind": "date_shift", "days": 3651}), Date, Err("days")),
        (json!({"kind": "date_shift", "days": 30}), Text, Err("kind")),
        (json!({"kind": "redact_text", "kinds": []}), Text, Err("kinds")),
        (json!({"kind": "redact_text", "kinds": ["email"]}), Integer, Err("kind")),
        (json!({"kind": "noise", "scale": 5.0}), Integer, Ok(Integer)),
        (json!({"kind": "noise", "scale": 0.5}), Number, Ok(Number)),
        (json!({"kind": "noise", "scale": 0.5}), LogicalType::Decimal, Ok(Number)),
        (json!({"kind": "noise", "scale": 0.5}), Integer, Err("scale")),
        (json!({"kind": "noise", "scale": 0.0}), Number, Err("scale")),
        (json!({"kind": "noise", "scale": -1.0}), Number, Err("scale")),
        (json!({"kind": "noise", "scale": 1e300}), Number, Err("scale")),
        (json!({"kind": "noise", "scale": 1.0}), Boolean, Err("kind")),
        (json!({"kind": "geo", "as": "postal_prefix", "length": 0}), Text, Err("length")),
        (json!({"kind": "geo", "as": "postal_prefix", "length": 11}), Text, Err("length")),
        (json!({"kind": "geo", "as": "postal_prefix", "length": 2, "small": ["103"]}), Text, Err("small")),
        (json!({"kind": "geo", "as": "postal_prefix", "length": 2, "small": ["ec"]}), Text, Err("small")),
        (json!({"kind": "geo", "as": "geohash", "length": 13}), Text, Err("length")),
        (json!({"kind": "geo", "as": "h3", "resolution": 16}), Text, Err("resolution")),
        (json!({"kind": "geo", "as": "h3", "resolution": 7}), Number, Err("kind")),
        (json!({"kind": "reversible_token"}), Date, Ok(Text)),
        (json!({"kind": "reversible_token"}), LogicalType::Other, Err("kind")),
    ] {
        let released = treatment(&json).released_type(from).map_err(|error| error.field);
        assert_eq!(released, expected.map(Some).map_err(str::to_owned), "{json} of {}", from.key());
    }
    for json in [
        json!({"kind": "date_shift"}),
        json!({"kind": "date_shift", "days": 1, "more": 1}),
        json!({"kind": "redact_text", "kinds": ["faces"]}),
        json!({"kind": "geo", "as": "geohash", "length": 5, "small": []}),
        json!({"kind": "geo", "as": "map", "length": 5}),
        json!({"kind": "geo", "length": 5}),
    ] {
        assert!(serde_json::from_value::<Treatment>(json.clone()).is_err(), "{json}");
    }
}

#[test]
fn only_what_certainly_hides_an_identifier_goes_without_a_tick() {
    for (treatment, hides) in one_of_each().iter().zip(HIDES) {
        assert_eq!(treatment.hides_identity(), hides, "{}", treatment.key());
    }
}
