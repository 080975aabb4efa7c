//! Each treatment's exact values, and what holds for all values.

mod keyed;
mod nested;
mod told;

use std::sync::Arc;

use datafusion::arrow::array::TimestampMicrosecondArray;
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray,
};
use datafusion::arrow::datatypes::{Float64Type, Int64Type, UInt64Type};
use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use super::*;
use crate::domain::time::{Date, Instant};
use crate::domain::treatment::PseudonymFormat;

fn kernel(treatment: &Treatment, from: LogicalType) -> Kernel {
    Kernel::new(treatment, from, LogicalType::Text, Some(&[7; 32]), None).unwrap().unwrap()
}

fn from_json(json: &str) -> Treatment {
    serde_json::from_str(json).unwrap()
}

/// Treats a column and shows each value; `-` is NULL.
fn shown(treatment: &Treatment, from: LogicalType, column: ArrayRef) -> Vec<String> {
    let kernel = kernel(treatment, from);
    let treated = kernel.apply(&column, None).unwrap();
    assert_eq!(treated.data_type(), &kernel.released_type(column.data_type()).unwrap());
    let show = |row: usize| match treated.data_type() {
        _ if treated.is_null(row) => "-".to_owned(),
        DataType::Utf8 => treated.as_string::<i32>().value(row).to_owned(),
        DataType::Int64 => treated.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float64 => format!("{:?}", treated.as_primitive::<Float64Type>().value(row)),
        DataType::Boolean => treated.as_boolean().value(row).to_string(),
        other => panic!("{other}"),
    };
    (0..treated.len()).map(show).collect()
}

fn texts(cells: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(cells.to_vec()))
}

fn integers(cells: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(cells.to_vec()))
}

fn numbers(cells: &[f64]) -> ArrayRef {
    Arc::new(Float64Array::from(cells.to_vec()))
}

fn decimals(cells: &[i128], scale: i8) -> ArrayRef {
    Arc::new(Decimal128Array::from(cells.to_vec()).with_precision_and_scale(38, scale).unwrap())
}

fn days(cells: &[&str]) -> ArrayRef {
    Arc::new(cells.iter().map(|cell| Some(cell.parse::<Date>().unwrap().days_since_epoch())).collect::<Date32Array>())
}

fn times(cells: &[&str]) -> ArrayRef {
    let micros: TimestampMicrosecondArray = cells.iter().map(|cell| Some(cell.parse::<Instant>().unwrap().micros())).collect();
    Arc::new(micros.with_timezone("UTC"))
}

#[test]
fn null_stays_null_but_for_a_constant() {
    let none: ArrayRef = Arc::new(StringArray::new_null(2));
    for json in [
        r#"{"kind":"clear"}"#,
        r#"{"kind":"mask","prefix":1,"suffix":0,"pad":3}"#,
        r#"{"kind":"truncate","length":3}"#,
        r#"{"kind":"pseudonym","format":"uuid"}"#,
    ] {
        assert_eq!(shown(&from_json(json), LogicalType::Text, none.clone()), ["-", "-"], "{json}");
    }
    let none: ArrayRef = Arc::new(Int64Array::new_null(1));
    for json in [
        r#"{"kind":"generalise_number","width":10.0,"as":"range"}"#,
        r#"{"kind":"generalise_number","width":10.0,"as":"lower"}"#,
        r#"{"kind":"round","step":10.0}"#,
        r#"{"kind":"top_bottom_code","top":90.0,"as":"label"}"#,
        r#"{"kind":"top_bottom_code","top":90.0,"as":"bound"}"#,
        r#"{"kind":"pseudonym","format":"base32"}"#,
    ] {
        assert_eq!(shown(&from_json(json), LogicalType::Integer, none.clone()), ["-"], "{json}");
    }
    let none: ArrayRef = Arc::new(Date32Array::new_null(1));
    for unit in [DateUnit::Day, DateUnit::Week, DateUnit::Year] {
        assert_eq!(shown(&Treatment::GeneraliseDate { unit }, LogicalType::Date, none.clone()), ["-"]);
    }
    for (json, expected) in [(r#""n/a""#, "n/a"), ("7", "7"), ("true", "true"), ("0.5", "0.5")] {
        let constant = from_json(&format!(r#"{{"kind":"constant","value":{json}}}"#));
        assert_eq!(shown(&constant, LogicalType::Date, none.clone()), [expected]);
    }
    assert!(Kernel::new(&Treatment::Withhold, LogicalType::Text, LogicalType::Text, None, None).unwrap().is_none());
}

#[test]
fn masks() {
    let mask = |prefix, suffix, pad, email_domain| Treatment::Mask { prefix, suffix, pad, email_domain };
    for (treatment, given, expected) in [
        (mask(2, 1, 3, false), "Anderson", "An***n"),
        (mask(2, 1, 3, false), "Ann", "***"),
        (mask(2, 1, 3, false), "Anna", "An***a"),
        (mask(2, 1, 3, false), "", "***"),
        (mask(0, 0, 4, false), "", "****"),
        (mask(0, 0, 4, false), "x", "****"),
        // Decomposed ë counts as one grapheme and comes out composed.
        (mask(3, 0, 2, false), "Zoe\u{308}lle", "Zo\u{eb}**"),
        (mask(3, 0, 2, false), "Zoe\u{308}", "**"),
        // A family of four people is one grapheme, a flag is one.
        (mask(1, 1, 1, false), "👨‍👩‍👧‍👦ab🇩🇪", "👨‍👩‍👧‍👦*🇩🇪"),
        (mask(1, 1, 1, false), "👨‍👩‍👧‍👦🇩🇪", "*"),
        // CR LF is one grapheme.
        (mask(1, 1, 1, false), "\r\na\r\n", "\r\n*\r\n"),
        (mask(1, 0, 3, true), "ann@example.org", "a***@example.org"),
        (mask(1, 0, 3, true), "a@example.org", "***@example.org"),
        (mask(1, 0, 3, true), "a@b@example.org", "a***@example.org"),
        (mask(1, 0, 3, true), "@example.org", "***@example.org"),
        (mask(1, 0, 3, true), "no address", "n***"),
        (mask(1, 1, 3, false), "ann@example.org", "a***g"),
    ] {
        assert_eq!(shown(&treatment, LogicalType::Text, texts(&[given])), [expected], "{given:?}");
    }
}

#[test]
fn truncation_counts_graphemes() {
    for (length, given, expected) in [
        (3, "Anderson", "And"),
        (3, "An", "An"),
        (3, "", ""),
        (2, "e\u{301}tage", "\u{e9}t"),
        (1, "👨‍👩‍👧‍👦x", "👨‍👩‍👧‍👦"),
        (1, "\r\nx", "\r\n"),
        (u16::MAX, "kept", "kept"),
    ] {
        assert_eq!(shown(&Treatment::Truncate { length }, LogicalType::Text, texts(&[given])), [expected], "{given:?}");
    }
}

#[test]
fn number_grids() {
    let grid = |width, origin, form| Treatment::GeneraliseNumber { width, origin, form };
    use GridForm::{Lower, Range};
    for (treatment, given, expected) in [
        (grid(10.0, 0.0, Range), 20, "[20,30)"),
        (grid(10.0, 0.0, Range), 29, "[20,30)"),
        (grid(10.0, 0.0, Range), -1, "[-10,0)"),
        (grid(10.0, 0.0, Range), -10, "[-10,0)"),
        (grid(10.0, 5.0, Range), 4, "[-5,5)"),
        (grid(10.0, 0.0, Range), i64::MIN, "[-9223372036854775810,-9223372036854775800)"),
        (grid(10.0, 0.0, Range), i64::MAX, "[9223372036854775800,9223372036854775810)"),
        (grid(10.0, 0.0, Lower), 29, "20"),
        (grid(10.0, 0.0, Lower), -1, "-10"),
        // The edge lies beyond 64 bits.
        (grid(10.0, 0.0, Lower), i64::MIN, "-"),
        (grid(10.0, 0.0, Lower), i64::MAX, "9223372036854775800"),
        (grid(2.5, 0.0, Range), 7, "[5,7.5)"),
        (grid(2.5, 0.0, Lower), 7, "5.0"),
        (grid(0.5, 0.0, Range), (1 << 53) + 1, "-"),
    ] {
        assert_eq!(shown(&treatment, LogicalType::Integer, integers(&[given])), [expected], "{given}");
    }
    for (treatment, given, expected) in [
        (grid(10.0, 0.0, Range), 29.999, "[20,30)"),
        (grid(10.0, 0.0, Range), -0.0, "[0,10)"),
        (grid(10.0, 0.0, Range), -1e-300, "[-10,0)"),
        (grid(0.1, 0.0, Range), 0.3, "[0.3,0.4)"),
        (grid(0.1, 0.0, Range), 0.7, "[0.7,0.8)"),
        (grid(0.1, 0.0, Lower), 0.25, "0.2"),
        (grid(0.1, 0.05, Range), 0.1, "[0.05,0.15)"),
        (grid(10.0, 0.0, Lower), f64::NAN, "-"),
        (grid(10.0, 0.0, Range), f64::INFINITY, "-"),
        (grid(10.0, 0.0, Range), 1e300, "-"),
        (grid(1e290, 0.0, Lower), 1.5e300, "1.5e300"),
    ] {
        assert_eq!(shown(&treatment, LogicalType::Number, numbers(&[given])), [expected], "{given}");
    }
    for (treatment, given, expected) in [
        (grid(0.1, 0.0, Range), 30, "[0.3,0.4)"),
        (grid(10.0, 0.0, Range), -1, "[-10,0)"),
        (grid(10.0, 0.0, Lower), 2999, "20.0"),
        (grid(10.0, 0.0, Lower), i128::MAX / 4, "-"),
    ] {
        assert_eq!(shown(&treatment, LogicalType::Decimal, decimals(&[given], 2)), [expected], "{given}");
    }
}

#[test]
fn rounding_is_half_to_even() {
    let round = |step| Treatment::Round { step };
    for (step, given, expected) in [
        (10.0, 15, "20"),
        (10.0, 25, "20"),
        (10.0, -15, "-20"),
        (10.0, -25, "-20"),
        (10.0, 26, "30"),
        (2.0, 3, "4"),
        (2.0, 5, "4"),
        (1.0, i64::MIN, "-9223372036854775808"),
        (10.0, i64::MIN, "-"),
    ] {
        assert_eq!(shown(&round(step), LogicalType::Integer, integers(&[given])), [expected], "{given}");
    }
    for (step, given, expected) in [
        (1.0, 0.5, "0.0"),
        (1.0, 1.5, "2.0"),
        (1.0, 2.5, "2.0"),
        (1.0, -0.5, "0.0"),
        (1.0, -2.5, "-2.0"),
        (0.5, 0.75, "1.0"),
        (0.1, 0.25, "0.2"),
        (0.1, 0.31, "0.3"),
        (0.01, 12.345678, "12.35"),
        (1000.0, 1499.99, "1000.0"),
        (1.0, f64::NAN, "-"),
        (1.0, f64::NEG_INFINITY, "-"),
    ] {
        assert_eq!(shown(&round(step), LogicalType::Number, numbers(&[given])), [expected], "{given}");
    }
    // Exact where binary fractions are not: 0.15 and 0.35 are ties.
    assert_eq!(shown(&round(0.1), LogicalType::Decimal, decimals(&[15, 25, 35, -15], 2)), ["0.2", "0.2", "0.4", "-0.2"]);
}

#[test]
fn top_and_bottom_codes() {
    let code = |bottom, top, form| Treatment::TopBottomCode { bottom, top, form };
    use CodeForm::{Bound, Label};
    let ages = || integers(&[17, 18, 19, 89, 90, 91, i64::MAX, i64::MIN]);
    let of_ages = |treatment| shown(&treatment, LogicalType::Integer, ages());
    assert_eq!(of_ages(code(Some(18.0), Some(90.0), Bound)), ["18", "18", "19", "89", "90", "90", "90", "18"]);
    assert_eq!(of_ages(code(Some(18.0), Some(90.0), Label)), ["18-", "18-", "19", "89", "90+", "90+", "90+", "18-"]);
    assert_eq!(of_ages(code(None, Some(90.0), Bound)), ["17", "18", "19", "89", "90", "90", "90", "-9223372036854775808"]);
    let of_numbers =
        |treatment| shown(&treatment, LogicalType::Number, numbers(&[0.5, 1.5, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY]));
    assert_eq!(of_numbers(code(None, Some(1.5), Bound)), ["0.5", "1.5", "-0.0", "-", "1.5", "-"]);
    assert_eq!(of_numbers(code(Some(0.5), Some(1.5), Label)), ["0.5-", "1.5+", "0.5-", "-", "1.5+", "0.5-"]);
    let of_decimals = |treatment| shown(&treatment, LogicalType::Decimal, decimals(&[1250, 9050], 2));
    assert_eq!(of_decimals(code(None, Some(90.0), Bound)), ["12.5", "90.0"]);
    assert_eq!(of_decimals(code(None, Some(90.0), Label)), ["12.5", "90+"]);
}

#[test]
fn calendar_units() {
    let unit = |unit| Treatment::GeneraliseDate { unit };
    for (treatment, given, expected) in [
        (unit(DateUnit::Year), "2026-07-29", "2026"),
        (unit(DateUnit::Quarter), "2026-07-01", "2026-Q3"),
        (unit(DateUnit::Quarter), "2026-12-31", "2026-Q4"),
        (unit(DateUnit::Quarter), "2026-03-31", "2026-Q1"),
        (unit(DateUnit::Month), "2026-07-29", "2026-07"),
        (unit(DateUnit::Week), "2026-07-29", "2026-W31"),
        // Days of a year that belong to a week of its neighbour.
        (unit(DateUnit::Week), "2027-01-01", "2026-W53"),
        (unit(DateUnit::Week), "2024-12-30", "2025-W01"),
        (unit(DateUnit::Week), "2021-01-03", "2020-W53"),
        (unit(DateUnit::Day), "2024-02-29", "2024-02-29"),
        (unit(DateUnit::Day), "0001-01-01", "0001-01-01"),
    ] {
        assert_eq!(shown(&treatment, LogicalType::Date, days(&[given])), [expected], "{given}");
    }
    let before_epoch = times(&["1969-12-31T23:59:59.999999Z", "1970-01-01T00:00:00Z"]);
    assert_eq!(shown(&unit(DateUnit::Day), LogicalType::Timestamp, before_epoch.clone()), ["1969-12-31", "1970-01-01"]);
    assert_eq!(shown(&unit(DateUnit::Year), LogicalType::Timestamp, before_epoch), ["1969", "1970"]);
    let far: ArrayRef = Arc::new(Date32Array::from(vec![i32::MAX, i32::MIN]));
    for treatment in [unit(DateUnit::Year), unit(DateUnit::Week), unit(DateUnit::Month)] {
        assert_eq!(shown(&treatment, LogicalType::Date, far.clone()), ["-", "-"]);
    }
    assert_eq!(kernel(&Treatment::Clear, LogicalType::Date).apply(&far, None).unwrap().null_count(), 2);
}

#[test]
fn age_bands() {
    let age = |width, at: &str| Treatment::GeneraliseDate { unit: DateUnit::Age { width, at: at.parse().unwrap() } };
    for (width, at, born, expected) in [
        (10, "2026-07-01", "1990-07-01", "[30,40)"),
        (10, "2026-07-01", "1996-07-02", "[20,30)"),
        (10, "2026-07-01", "1996-07-01", "[30,40)"),
        (1, "2026-07-01", "2026-07-01", "[0,1)"),
        (1, "2026-07-01", "2026-07-02", "-"),
        // A birthday of 29 February counts on 1 March in a year without it.
        (1, "2026-02-28", "2000-02-29", "[25,26)"),
        (1, "2026-03-01", "2000-02-29", "[26,27)"),
        (1, "2024-02-29", "2000-02-29", "[24,25)"),
        (1, "2024-02-28", "2000-02-29", "[23,24)"),
    ] {
        assert_eq!(shown(&age(width, at), LogicalType::Date, days(&[born])), [expected], "{born} at {at}");
    }
}

#[test]
fn pseudonyms_have_known_values() {
    let base32 = Treatment::Pseudonym { domain: None, format: PseudonymFormat::Base32 };
    let uuid = Treatment::Pseudonym { domain: None, format: PseudonymFormat::Uuid };
    // Reckoned apart: HMAC-SHA-256 under 32 bytes of 7 over `text`, a zero byte and `Zoë` and `integer`, a zero byte and `42`.
    let text = shown(&base32, LogicalType::Text, texts(&["Zo\u{eb}", "Zoe\u{308}"]));
    assert_eq!(text[0], text[1], "text is taken in NFC");
    assert_eq!(text[0].len(), 26);
    assert_eq!(text[0], BASE32_OF_ZOE);
    assert_eq!(shown(&uuid, LogicalType::Integer, integers(&[42])), [UUID_OF_42]);
    assert_ne!(shown(&uuid, LogicalType::Text, texts(&["42"])), [UUID_OF_42], "a number is not its text");

    let zeros = shown(&uuid, LogicalType::Number, numbers(&[0.0, -0.0, f64::NAN]));
    assert_eq!(zeros[0], zeros[1]);
    assert_eq!(zeros[2], "-");
    let scales = [decimals(&[1250], 2), decimals(&[125], 1)].map(|column| shown(&uuid, LogicalType::Decimal, column));
    assert_eq!(scales[0], scales[1], "a decimal is the same at every scale");
    let truth: ArrayRef = Arc::new(BooleanArray::from(vec![true, false]));
    let truth = shown(&uuid, LogicalType::Boolean, truth);
    assert_ne!(truth[0], truth[1]);
}

const BASE32_OF_ZOE: &str = "h5shz7ybg7kwaieyiuxaj3rsdi";
const UUID_OF_42: &str = "f7e271b0-86f0-5fa7-dcbb-cf52bb68bba2";

#[test]
fn a_row_without_a_subject_has_a_hash_of_its_own() {
    let key = SubjectKey::new(&[7; 32], LogicalType::Text);
    let column: ArrayRef = Arc::new(StringArray::from(vec![Some("null"), None, Some(""), None]));
    let hashes = key.apply(&column).unwrap();
    let hashes = hashes.as_primitive::<UInt64Type>();
    assert_eq!(hashes.null_count(), 0);
    assert_eq!(hashes.value(1), hashes.value(3));
    assert!(hashes.value(1) != hashes.value(0) && hashes.value(1) != hashes.value(2));
    assert_eq!(hashes.value(0), SUBJECT_OF_NULL_TEXT);
}

const SUBJECT_OF_NULL_TEXT: u64 = 4918831112616538881;

#[test]
fn keys_are_not_printed() {
    let kernel = kernel(&Treatment::Pseudonym { domain: None, format: PseudonymFormat::Uuid }, LogicalType::Text);
    assert_eq!(format!("{kernel:?}"), "Kernel(..)");
}

fn graphemes(text: &str) -> usize {
    text.graphemes(true).count()
}

proptest! {
    #[test]
    fn a_mask_tells_no_length(text in "[a-zA-Zäé👨🇩 ]{0,40}", prefix in 0_u8..5, suffix in 0_u8..5, pad in 1_u8..9) {
        let mask = Treatment::Mask { prefix, suffix, pad, email_domain: false };
        let masked = shown(&mask, LogicalType::Text, texts(&[&text])).remove(0);
        let normal: String = text.nfc().collect();
        let ends = usize::from(prefix) + usize::from(suffix);
        if graphemes(&normal) <= ends {
            prop_assert_eq!(masked, "*".repeat(pad.into()));
        } else {
            prop_assert_eq!(graphemes(&masked), ends + usize::from(pad));
            let first: String = normal.graphemes(true).take(prefix.into()).collect();
            prop_assert!(masked.starts_with(&first));
        }
    }

    #[test]
    fn truncation_is_a_prefix(text in "\\PC{0,20}", length in 1_u16..10) {
        let cut = shown(&Treatment::Truncate { length }, LogicalType::Text, texts(&[&text])).remove(0);
        let normal: String = text.nfc().collect();
        prop_assert!(normal.starts_with(&cut));
        prop_assert_eq!(graphemes(&cut), graphemes(&normal).min(length.into()));
    }

    #[test]
    fn a_cell_contains_its_number(number in -1e12..1e12_f64, width in prop::sample::select(vec![0.1, 0.25, 1.0, 3.0, 10.0, 1e-3, 1.0 / 3.0]), origin in prop::sample::select(vec![0.0, 0.5, -7.3])) {
        let cell = shown(&Treatment::GeneraliseNumber { width, origin, form: GridForm::Range }, LogicalType::Number, numbers(&[number])).remove(0);
        let (low, high) = cell.strip_prefix('[').unwrap().strip_suffix(')').unwrap().split_once(',').unwrap();
        let (low, high): (f64, f64) = (low.parse().unwrap(), high.parse().unwrap());
        prop_assert!(low <= number && number < high, "{cell} {number}");
        let lower = shown(&Treatment::GeneraliseNumber { width, origin, form: GridForm::Lower }, LogicalType::Number, numbers(&[number])).remove(0);
        prop_assert_eq!(lower.parse::<f64>().unwrap(), low);
    }

    #[test]
    fn a_whole_cell_contains_its_integer(number: i64, width in 1_i64..1_000_000, origin in -1_000_i64..1_000) {
        let grid = Treatment::GeneraliseNumber { width: width as f64, origin: origin as f64, form: GridForm::Range };
        let cell = shown(&grid, LogicalType::Integer, integers(&[number])).remove(0);
        let (low, high) = cell.strip_prefix('[').unwrap().strip_suffix(')').unwrap().split_once(',').unwrap();
        let (low, high): (i128, i128) = (low.parse().unwrap(), high.parse().unwrap());
        prop_assert!(low <= number.into() && i128::from(number) < high && high - low == width.into());
        prop_assert_eq!((low - i128::from(origin)).rem_euclid(width.into()), 0);
    }

    #[test]
    fn rounding_is_near_and_on_the_grid(number in -1_000_000_i64..1_000_000, step in 1_i64..1_000) {
        let rounded: i64 = shown(&Treatment::Round { step: step as f64 }, LogicalType::Integer, integers(&[number])).remove(0).parse().unwrap();
        prop_assert_eq!(rounded % step, 0);
        prop_assert!((rounded - number).abs() * 2 <= step);
        if (rounded - number).abs() * 2 == step {
            prop_assert_eq!(rounded / step % 2, 0);
        }
    }

    #[test]
    fn another_key_gives_another_pseudonym(text: String, one: [u8; 32], other: [u8; 32]) {
        prop_assume!(one != other);
        let treatment = Treatment::Pseudonym { domain: None, format: PseudonymFormat::Base32 };
        let with = |key| {
            let kernel = Kernel::new(&treatment, LogicalType::Text, LogicalType::Text, Some(key), None).unwrap().unwrap();
            kernel.apply(&texts(&[&text]), None).unwrap().as_string::<i32>().value(0).to_owned()
        };
        prop_assert_ne!(with(&one), with(&other));
        prop_assert_eq!(with(&one), with(&one));
    }
}
