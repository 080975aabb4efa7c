//! Places and redacted text: exact values, and what can't be read or is too small stays back.

use super::*;

fn told(json: &str, given: &str) -> String {
    shown(&from_json(json), LogicalType::Text, texts(&[given])).remove(0)
}

#[test]
fn postal_prefixes() {
    let json = r#"{"kind":"geo","as":"postal_prefix","length":2,"small":["EC","99"]}"#;
    for (given, expected) in [
        ("10115", "10"),
        (" 10115 ", "10"),
        ("sw1a 1aa", "SW"),
        ("ec1a 1bb", "-"),
        ("99084", "-"),
        // What is no longer than the prefix would go out whole.
        ("10", "-"),
        ("1", "-"),
        ("", "-"),
        ("e\u{301}te", "\u{c9}T"),
    ] {
        assert_eq!(told(json, given), expected, "{given:?}");
    }
}

#[test]
fn points() {
    // Published examples: a place in Denmark from the geohash articles, the Statue of Liberty from the documentation of H3.
    let geohash = |length: u8| format!(r#"{{"kind":"geo","as":"geohash","length":{length}}}"#);
    assert_eq!(told(&geohash(11), "57.64911,10.40744"), "u4pruydqqvj");
    assert_eq!(told(&geohash(5), "57.64911, 10.40744"), "u4pru");
    assert_eq!(told(r#"{"kind":"geo","as":"h3","resolution":10}"#, "40.689167,-74.044444"), H3_CELL);
    for given in ["", "57.6", "57.6;10.4", "91,0", "-90.1,0", "0,180.5", "x,y", "NaN,0", "inf,0", "1,2,3", ","] {
        assert_eq!(told(&geohash(5), given), "-", "{given:?}");
        assert_eq!(told(r#"{"kind":"geo","as":"h3","resolution":7}"#, given), "-", "{given:?}");
    }
    assert_eq!(told(&geohash(5), "5.764911e1,1.040744E1"), "u4pru", "scientific notation is a number too");
    for edge in ["90,180", "-90,-180", "0,0", "-0.0,0"] {
        assert_ne!(told(&geohash(5), edge), "-", "{edge}");
        assert_ne!(told(r#"{"kind":"geo","as":"h3","resolution":0}"#, edge), "-", "{edge}");
    }
}

/// As H3's own library gives it.
const H3_CELL: &str = "8a2a1072b59ffff";

#[test]
fn free_text() {
    let all = r#"{"kind":"redact_text","kinds":["email","phone","iban","card","ip","url"]}"#;
    for (given, expected) in [
        ("", ""),
        ("Nothing to see", "Nothing to see"),
        ("Zoe\u{308}: ann@example.org, +49 30 1234567.", "Zo\u{eb}: [e-mail], [phone]."),
        ("pay DE89 3704 0044 0532 0130 00 or 4111 1111 1111 1111", "pay [iban] or [card]"),
        ("see https://example.org/ann from 10.0.0.1", "see [url] from [ip]"),
    ] {
        assert_eq!(told(all, given), expected, "{given:?}");
    }
    assert_eq!(told(r#"{"kind":"redact_text","kinds":["phone"]}"#, "ann@example.org"), "ann@example.org");
}

#[test]
fn null_stays_null() {
    let none: ArrayRef = Arc::new(StringArray::new_null(1));
    for json in [
        r#"{"kind":"redact_text","kinds":["email"]}"#,
        r#"{"kind":"geo","as":"postal_prefix","length":2}"#,
        r#"{"kind":"geo","as":"geohash","length":5}"#,
        r#"{"kind":"geo","as":"h3","resolution":7}"#,
        r#"{"kind":"reversible_token"}"#,
    ] {
        assert_eq!(shown(&from_json(json), LogicalType::Text, none.clone()), ["-"], "{json}");
    }
}
