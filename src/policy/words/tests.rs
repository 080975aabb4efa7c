//! What treatments, conditions and limits are called, a line per case.

use crate::domain::treatment::Treatment;

use super::*;

fn said(json: &str) -> String {
    treatment(&serde_json::from_str::<Treatment>(json).unwrap())
}

#[test]
fn treatments_read_as_sentences_do() {
    for (json, expected) in [
        (r#"{"kind":"withhold"}"#, "withheld"),
        (r#"{"kind":"clear"}"#, "clear"),
        (r#"{"kind":"constant","value":"n/a"}"#, "always “n/a”"),
        (r#"{"kind":"constant","value":7}"#, "always 7"),
        (r#"{"kind":"constant","value":true}"#, "always true"),
        (r#"{"kind":"mask","prefix":2,"suffix":0,"pad":4}"#, "first 2 characters kept, the rest masked"),
        (r#"{"kind":"mask","prefix":1,"suffix":0,"pad":4}"#, "first 1 character kept, the rest masked"),
        (r#"{"kind":"mask","prefix":0,"suffix":4,"pad":4}"#, "last 4 characters kept, the rest masked"),
        (r#"{"kind":"mask","prefix":2,"suffix":4,"pad":4}"#, "first 2 and last 4 characters kept, the rest masked"),
        (r#"{"kind":"mask","prefix":0,"suffix":0,"pad":4}"#, "masked wholly"),
        (r#"{"kind":"mask","prefix":0,"suffix":0,"pad":4,"email_domain":true}"#, "masked up to the @, the e-mail domain kept"),
        (r#"{"kind":"truncate","length":3}"#, "only the first 3 characters"),
        (r#"{"kind":"pseudonym","format":"base32"}"#, "pseudonym"),
        (r#"{"kind":"pseudonym","domain":"crm","format":"uuid"}"#, "pseudonym of the domain crm in the form of a UUID"),
        (r#"{"kind":"generalise_number","width":10.0,"as":"lower"}"#, "the lower end of its band of 10"),
        (r#"{"kind":"generalise_number","width":0.5,"origin":2.0,"as":"range"}"#, "its band of 0.5, counted from 2"),
        (r#"{"kind":"generalise_date","unit":"quarter"}"#, "only the quarter"),
        (r#"{"kind":"generalise_date","unit":"age","width":10,"at":"2026-01-01"}"#, "age in bands of 10 years on 2026-01-01"),
        (r#"{"kind":"round","step":100.0}"#, "rounded to the nearest 100"),
        (r#"{"kind":"top_bottom_code","top":90.0,"as":"label"}"#, "90 and above shown as 90+"),
        (r#"{"kind":"top_bottom_code","bottom":18.0,"top":90.0,"as":"bound"}"#, "18 and below shown as 18, 90 and above shown as 90"),
        (r#"{"kind":"date_shift","days":1}"#, "moved by up to 1 day either way, by as many for every date of one person"),
        (r#"{"kind":"redact_text","kinds":["email"]}"#, "e-mail addresses replaced by marks, the rest of the text as it is"),
        (
            r#"{"kind":"redact_text","kinds":["url","email","phone"]}"#,
            "e-mail addresses, phone numbers and web addresses replaced by marks, the rest of the text as it is",
        ),
        (r#"{"kind":"noise","scale":2.5}"#, "changed by up to 2.5 either way, always alike for one value of one person"),
        (r#"{"kind":"geo","as":"postal_prefix","length":2}"#, "only the first 2 characters of the postal code"),
        (
            r#"{"kind":"geo","as":"postal_prefix","length":2,"small":["10","11"]}"#,
            "only the first 2 characters of the postal code, 2 small areas withheld",
        ),
        (r#"{"kind":"geo","as":"geohash","length":5}"#, "only the geohash cell of 5 characters"),
        (r#"{"kind":"geo","as":"h3","resolution":7}"#, "only the H3 cell at resolution 7"),
        (
            r#"{"kind":"generalise_hierarchy","hierarchy":"towns","version":3,"level":2}"#,
            "its text at level 2 of the hierarchy towns, version 3",
        ),
        (r#"{"kind":"reversible_token"}"#, "token that a privacy officer here can turn back"),
        (r#"{"kind":"reversible_token","domain":"crm"}"#, "token of the domain crm that a privacy officer here can turn back"),
    ] {
        assert_eq!(said(json), expected, "{json}");
    }
}

#[test]
fn conditions_read_as_sentences_do() {
    for (json, expected) in [
        (r#"{"all":[]}"#, "every row"),
        (r#"{"all":[{"field":"country","op":"eq","values":["DE"]}]}"#, "rows where country is DE"),
        (
            r#"{"all":[{"field":"objected_at","op":"is","values":["null"]},{"field":"age","op":"gte","values":["18"]}]}"#,
            "rows where objected_at has no value and age is 18 or more",
        ),
        (r#"{"all":[{"field":"x","op":"is","values":["not_null"]}]}"#, "rows where x has a value"),
        (r#"{"all":[{"field":"x","op":"is","values":["true"]}]}"#, "rows where x is true"),
        (r#"{"all":[{"field":"x","op":"in","values":["a","b"]}]}"#, "rows where x is one of a, b"),
        (r#"{"all":[{"field":"x","op":"neq","values":["a"]}]}"#, "rows where x is not a"),
        (r#"{"all":[{"field":"x","op":"gt","values":["1"]}]}"#, "rows where x is more than 1"),
        (r#"{"all":[{"field":"x","op":"lt","values":["1"]}]}"#, "rows where x is less than 1"),
        (r#"{"all":[{"field":"x","op":"lte","values":["1"]}]}"#, "rows where x is 1 or less"),
        (
            r#"{"all":[{"any":[{"field":"x","op":"gt","values":["1"]},{"field":"y","op":"is","values":["null"]}]}]}"#,
            "rows where x is more than 1 or y has no value",
        ),
        (
            r#"{"all":[{"field":"z","op":"in","values":["DE","AT"]},
                {"any":[{"field":"x","op":"gt","values":["1"]},{"field":"y","op":"is","values":["true"]}]}]}"#,
            "rows where z is one of DE, AT and (x is more than 1 or y is true)",
        ),
    ] {
        assert_eq!(condition(&serde_json::from_str(json).unwrap()), expected, "{json}");
    }
}

#[test]
fn numbers_have_separators() {
    for (rows, expected) in [(1, "1 row a day"), (999, "999 rows a day"), (1_000, "1,000 rows a day"), (1_234_567, "1,234,567 rows a day")]
    {
        assert_eq!(quota(rows), expected);
    }
}

#[test]
fn keys_of_the_vocabulary_have_titles() {
    let shipped = Vocabulary::shipped();
    assert_eq!(purpose(&shipped, &"email-marketing".parse().unwrap()), "Advertising by e-mail");
    assert_eq!(category(&shipped, &"contact".parse().unwrap()), "E-mail, phone and postal address");
    assert_eq!(purpose(&shipped, &"long-gone".parse().unwrap()), "long-gone");
}
