//! What is typed into the matrix becomes the terms that were meant, or an error beside the field.

use serde_json::{Value, json};

use super::*;

fn dataset() -> Dataset {
    let field = |name: &str, logical: &str, class: &str| {
        serde_json::from_value(json!({"name": name, "type": logical, "class": class, "category": "contact"})).unwrap()
    };
    Dataset {
        id: "0190a0b0-0000-7000-8000-000000000001".parse().unwrap(),
        name: "people".parse().unwrap(),
        source: "0190a0b0-0000-7000-8000-000000000002".parse().unwrap(),
        table: "people".parse().unwrap(),
        fields: vec![
            field("email", "text", "direct_identifier"),
            field("born", "date", "quasi_identifier"),
            field("spent.total", "number", "sensitive"),
            field("count", "integer", "plain"),
            field("member", "boolean", "plain"),
            field("blob", "other", "plain"),
        ],
        subject: serde_json::from_value(json!({"field": "email", "domain": "person"})).unwrap(),
        created_at: crate::domain::Instant::from_micros(0),
        version: 1,
    }
}

const BASE: &[(&str, &str)] =
    &[("purpose", "email-marketing"), ("legal_basis", "contract"), ("daily_rows", "1,000"), ("treatment.email", "clear")];

fn typed(base: &[(&str, &str)], more: &[(&str, &str)]) -> Typed {
    let kept = base.iter().filter(|(name, _)| more.iter().all(|(other, _)| other != name));
    Typed::new(kept.chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

fn draft(more: &[(&str, &str)]) -> Draft {
    read(&typed(BASE, more), &dataset(), &["Send\nit.".parse().unwrap()], &Vocabulary::shipped())
}

/// One treatment of each kind and form, as it is kept and as it is typed.
#[test]
fn each_treatment_is_read_as_it_was_meant() {
    type Case = (&'static str, &'static str, &'static [(&'static str, &'static str)], Value);
    let cases: &[Case] = &[
        ("email", "withhold", &[], json!({"kind": "withhold"})),
        ("email", "clear", &[], json!({"kind": "clear"})),
        (
            "email",
            "mask",
            &[("prefix", "2"), ("suffix", "1"), ("pad", "4"), ("email_domain", "yes")],
            json!({"kind": "mask", "prefix": 2, "suffix": 1, "pad": 4, "email_domain": true}),
        ),
        ("email", "mask", &[("prefix", "0"), ("suffix", "0"), ("pad", "3")], json!({"kind": "mask", "prefix": 0, "suffix": 0, "pad": 3})),
        ("email", "truncate", &[("length", "3")], json!({"kind": "truncate", "length": 3})),
        ("email", "pseudonym", &[("format", "uuid"), ("domain", "")], json!({"kind": "pseudonym", "format": "uuid"})),
        (
            "email",
            "pseudonym",
            &[("format", "base32"), ("domain", "person")],
            json!({"kind": "pseudonym", "format": "base32", "domain": "person"}),
        ),
        ("email", "constant", &[("value", " x "), ("as", "text")], json!({"kind": "constant", "value": " x "})),
        ("email", "constant", &[("value", "7"), ("as", "text")], json!({"kind": "constant", "value": "7"})),
        ("count", "constant", &[("value", "7"), ("as", "integer")], json!({"kind": "constant", "value": 7})),
        ("count", "constant", &[("value", "7.5"), ("as", "number")], json!({"kind": "constant", "value": 7.5})),
        ("member", "constant", &[("value", "yes"), ("as", "boolean")], json!({"kind": "constant", "value": true})),
        (
            "spent.total",
            "generalise_number",
            &[("width", "10"), ("origin", ""), ("as", "range")],
            json!({"kind": "generalise_number", "width": 10.0, "origin": 0.0, "as": "range"}),
        ),
        (
            "count",
            "generalise_number",
            &[("width", "5"), ("origin", "2.5"), ("as", "lower")],
            json!({"kind": "generalise_number", "width": 5.0, "origin": 2.5, "as": "lower"}),
        ),
        ("born", "generalise_date", &[("unit", "week")], json!({"kind": "generalise_date", "unit": "week"})),
        (
            "born",
            "generalise_date",
            &[("unit", "age"), ("width", "10"), ("at", "2026-01-01")],
            json!({"kind": "generalise_date", "unit": "age", "width": 10, "at": "2026-01-01"}),
        ),
        ("spent.total", "round", &[("step", "0.5")], json!({"kind": "round", "step": 0.5})),
        (
            "count",
            "top_bottom_code",
            &[("bottom", ""), ("top", "90"), ("as", "label")],
            json!({"kind": "top_bottom_code", "top": 90.0, "as": "label"}),
        ),
        ("born", "date_shift", &[("days", "30")], json!({"kind": "date_shift", "days": 30})),
        ("email", "redact_text", &[("email", "yes"), ("url", "yes")], json!({"kind": "redact_text", "kinds": ["email", "url"]})),
        ("spent.total", "noise", &[("scale", "2.5")], json!({"kind": "noise", "scale": 2.5})),
        (
            "email",
            "geo",
            &[("as", "postal_prefix"), ("length", "2"), ("small", "10, ec")],
            json!({"kind": "geo", "as": "postal_prefix", "length": 2, "small": ["10", "EC"]}),
        ),
        ("email", "geo", &[("as", "geohash"), ("length", "5")], json!({"kind": "geo", "as": "geohash", "length": 5})),
        ("email", "geo", &[("as", "h3"), ("resolution", "7")], json!({"kind": "geo", "as": "h3", "resolution": 7})),
        (
            "email",
            "generalise_hierarchy",
            &[("hierarchy", "towns.3"), ("level", "2")],
            json!({"kind": "generalise_hierarchy", "hierarchy": "towns", "version": 3, "level": 2}),
        ),
        ("email", "reversible_token", &[("domain", "")], json!({"kind": "reversible_token"})),
        ("email", "reversible_token", &[("domain", "crm")], json!({"kind": "reversible_token", "domain": "crm"})),
    ];
    for (field, kind, settings, meant) in cases {
        let names: Vec<String> = settings.iter().map(|(name, _)| format!("param.{field}.{name}")).collect();
        let (treatment, was) = (format!("treatment.{field}"), format!("was.{field}"));
        let mut pairs: Vec<(&str, &str)> = vec![(treatment.as_str(), *kind), (was.as_str(), *kind)];
        pairs.extend(names.iter().zip(*settings).map(|(name, (_, value))| (name.as_str(), *value)));
        let draft = draft(&pairs);
        let meant: Treatment = serde_json::from_value(meant.clone()).unwrap();
        let read = draft.fields.get(&field.parse().unwrap());
        assert_eq!(read, Some(&meant), "{kind}: {:?}", draft.errors);
        // What is kept gives back the form it came from.
        if let Some(terms) = draft.terms {
            let again = super::read(&filled(&terms), &dataset(), &[], &Vocabulary::shipped());
            assert_eq!(again.terms, Some(terms), "{kind}: {:?}", again.errors);
        }
    }
}

/// Errors by the field they stand beside.
#[test]
fn every_field_says_what_is_wrong_with_it() {
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[("treatment.email", "burn")], "treatment.email"),
        (&[("treatment.email", "")], "treatment.email"),
        (&[("treatment.email", "round")], "treatment.email"),
        (&[("treatment.blob", "clear")], "treatment.blob"),
        (&[("treatment.email", "mask"), ("param.email.prefix", "-1")], "param.email.prefix"),
        (&[("treatment.email", "mask"), ("param.email.prefix", "256")], "param.email.prefix"),
        (&[("treatment.email", "mask"), ("param.email.pad", "0")], "param.email.pad"),
        (&[("treatment.email", "truncate"), ("param.email.length", "{{7*7}}")], "param.email.length"),
        (&[("treatment.email", "truncate"), ("param.email.length", "0")], "param.email.length"),
        (&[("treatment.email", "pseudonym"), ("param.email.domain", "<b>")], "param.email.domain"),
        (&[("treatment.email", "pseudonym"), ("param.email.format", "rot13")], "param.email.format"),
        (&[("treatment.spent.total", "round"), ("param.spent.total.step", "inf")], "param.spent.total.step"),
        (&[("treatment.spent.total", "round"), ("param.spent.total.step", "0")], "param.spent.total.step"),
        (&[("treatment.count", "round"), ("param.count.step", "0.5")], "param.count.step"),
        (&[("treatment.count", "generalise_number"), ("param.count.width", "NaN")], "param.count.width"),
        (&[("treatment.count", "top_bottom_code"), ("param.count.top", "1"), ("param.count.bottom", "2")], "param.count.bottom"),
        (&[("treatment.count", "constant"), ("param.count.value", "x"), ("param.count.as", "integer")], "param.count.value"),
        (&[("treatment.born", "generalise_date"), ("param.born.unit", "age")], "param.born.at"),
        (&[("treatment.born", "date_shift"), ("param.born.days", "0")], "param.born.days"),
        (&[("treatment.born", "date_shift"), ("param.born.days", "70000")], "param.born.days"),
        (&[("treatment.email", "redact_text"), ("was.email", "redact_text")], "param.email.email"),
        (&[("treatment.count", "noise"), ("param.count.scale", "0.5")], "param.count.scale"),
        (&[("treatment.count", "noise"), ("param.count.scale", "-1")], "param.count.scale"),
        (&[("treatment.email", "geo"), ("param.email.length", "x")], "param.email.length"),
        (&[("treatment.email", "geo"), ("param.email.small", "1, 222")], "param.email.small"),
        (&[("treatment.email", "geo"), ("param.email.as", "h3"), ("param.email.resolution", "16")], "param.email.resolution"),
        (&[("treatment.email", "geo"), ("param.email.as", "map")], "param.email.as"),
        (&[("treatment.email", "reversible_token"), ("param.email.domain", "<b>")], "param.email.domain"),
        (&[("treatment.email", "generalise_hierarchy")], "param.email.hierarchy"),
        (&[("treatment.count", "generalise_hierarchy"), ("param.count.hierarchy", "towns")], "param.count.hierarchy"),
        (
            &[("treatment.email", "generalise_hierarchy"), ("param.email.hierarchy", "towns.1"), ("param.email.level", "0")],
            "param.email.level",
        ),
        (&[("treatment.email", "withhold")], "fields"),
        (&[("purpose", "")], "purpose"),
        (&[("purpose", "flying")], "purpose"),
        (&[("legal_basis", "because")], "legal_basis"),
        (&[("instruction", "Something else.")], "instruction"),
        (&[("daily_rows", "")], "daily_rows"),
        (&[("daily_rows", "0")], "daily_rows"),
        (&[("daily_rows", "1e9")], "daily_rows"),
        (&[("daily_rows", "99999999999999999999")], "daily_rows"),
        (&[("daily_subjects", "0")], "daily_subjects"),
        (&[("daily_subjects", "many")], "daily_subjects"),
        (&[("requests_per_minute", "1.5")], "requests_per_minute"),
        (&[("open_hours", "always")], "open_hours"),
        (&[("open_hours", "mon 10:00-09:00")], "open_hours"),
        (&[("starts_on", "\u{202e}2026-07-01")], "starts_on"),
        (&[("starts_on", "2026-07-02"), ("ends_on", "2026-07-01")], "ends_on"),
        (&[("condition.0.field", "nothing"), ("condition.0.op", "eq"), ("condition.0.values", "1")], "condition.0.field"),
        (&[("condition.0.field", "count"), ("condition.0.op", "is"), ("condition.0.values", "null")], "condition.0.op"),
        (&[("condition.2.field", "count"), ("condition.2.op", "gt"), ("condition.2.values", "many")], "condition.2.values"),
        (&[("condition.0.field", "member"), ("condition.0.op", "gt"), ("condition.0.values", "true")], "condition.0.values"),
        (&[("condition.0.field", "count"), ("condition.0.op", "in"), ("condition.0.values", " \n ")], "condition.0.values"),
        (&[("condition.0.field", "count"), ("condition.0.op", "is_true")], "condition.0.values"),
    ];
    for (pairs, field) in cases {
        let draft = draft(pairs);
        let named: Vec<&str> = draft.errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(named, [*field], "{pairs:?}");
        assert_eq!(draft.terms, None);
        assert!(label(field) != *field || LABELS.iter().any(|(name, _)| name == field), "{field} has no label");
    }
}

#[test]
fn a_field_that_is_not_named_is_withheld_and_one_that_is_wrong_is_left_out() {
    let draft = draft(&[("treatment.count", "round"), ("param.count.step", "?"), ("treatment.unknown", "clear")]);
    assert!(!draft.fields.contains_key(&"count".parse().unwrap()) && !draft.fields.contains_key(&"unknown".parse().unwrap()));
    assert_eq!(draft.fields.get(&"born".parse().unwrap()), Some(&Treatment::Withhold));
}

#[test]
fn settings_of_another_kind_do_not_count() {
    // The form was shown with a mask; then shortening was chosen, whose settings nobody has seen yet.
    let pairs = [("treatment.count", "round"), ("was.count", "generalise_number"), ("param.count.width", "7"), ("param.count.step", "3")];
    let begins = Treatment::Round { step: 10.0 };
    assert_eq!(draft(&pairs).fields.get(&"count".parse().unwrap()), Some(&begins));
    assert_eq!(draft(&pairs[..1]).fields.get(&"count".parse().unwrap()), Some(&begins));
    // A box that is shown and not ticked is off.
    let mask = [("treatment.email", "mask"), ("was.email", "mask"), ("param.email.prefix", "1")];
    assert!(matches!(draft(&mask).fields.get(&"email".parse().unwrap()), Some(Treatment::Mask { prefix: 1, email_domain: false, .. })));
}

#[test]
fn terms_go_into_the_form_and_come_back() {
    let terms: PermitTerms = serde_json::from_value(json!({
        "dataset": "people", "purpose": "email-marketing", "legal_basis": "legal_obligation", "instruction": "Send\nit.",
        "fields": {"email": {"kind": "clear"}, "spent.total": {"kind": "round", "step": 5.0}},
        "condition": {"all": [
            {"field": "count", "op": "gte", "values": ["3"]}, {"field": "email", "op": "in", "values": ["a", "b"]},
            {"field": "born", "op": "is", "values": ["null"]}, {"field": "born", "op": "is", "values": ["not_null"]},
            {"field": "member", "op": "is", "values": ["true"]}, {"field": "member", "op": "is", "values": ["false"]},
            {"any": [{"field": "count", "op": "lt", "values": ["9"]}, {"field": "member", "op": "is", "values": ["true"]}]},
            {"any": [{"field": "count", "op": "eq", "values": ["7"]}, {"field": "count", "op": "eq", "values": ["8"]}]}
        ]},
        "daily_rows": 1000, "starts_on": "2026-07-01", "ends_on": "2026-12-31"
    }))
    .unwrap();
    let sent = filled(&terms).pairs().iter().map(|(name, value)| (name.clone(), value.replace('\n', "\r\n"))).collect();
    let again = read(&Typed::new(sent), &dataset(), &["Send\nit.".parse().unwrap()], &Vocabulary::shipped());
    assert_eq!(again.terms, Some(terms), "{:?}", again.errors);
}

#[test]
fn what_the_rules_say_is_put_beside_the_field() {
    // Rows 0 and 2 are alternatives, row 4 stands alone.
    let typed = [(0, "and"), (2, "or"), (4, "and")].iter().fold(Typed::default(), |typed, (at, joined)| {
        typed.with(&format!("condition.{at}.field"), "count").with(&format!("condition.{at}.joined"), joined)
    });
    for (path, field) in [
        ("fields.email.kind", "treatment.email"),
        ("fields.spent.total.step", "param.spent.total.step"),
        ("fields", "fields"),
        ("condition.all[0].any[1].values", "condition.2.values"),
        ("condition.all[1].values", "condition.4.values"),
        ("condition.all", "condition.all"),
        ("purpose", "purpose"),
    ] {
        assert_eq!(placed(&typed, Invalid::new(path, "x")).field, field);
    }
}

#[test]
fn too_many_conditions_are_too_many() {
    let names: Vec<(String, String)> =
        (0..=MOST_CLAUSES).map(|at| (format!("condition.{at}.field"), format!("condition.{at}.op"))).collect();
    let pairs: Vec<(&str, &str)> = names.iter().flat_map(|(field, op)| [(field.as_str(), "count"), (op.as_str(), "is_null")]).collect();
    assert_eq!(draft(&pairs).errors.len(), 1);
    assert_eq!(draft(&pairs[..MOST_CLAUSES * 2]).errors, []);
}
