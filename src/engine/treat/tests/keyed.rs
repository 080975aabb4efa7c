//! Moved dates, noise and tokens: bounds, sameness for one subject, and nothing shared between two keys.

use std::collections::BTreeSet;

use datafusion::arrow::datatypes::{Date32Type, Decimal128Type};

use super::super::reveal;
use super::*;

fn treated(json: &str, from: LogicalType, key: u8, column: &ArrayRef, subjects: &ArrayRef) -> ArrayRef {
    let subject = read::logical_of(subjects.data_type());
    let kernel = Kernel::new(&from_json(json), from, subject, Some(&[key; 32]), None).unwrap().unwrap();
    let treated = kernel.apply(column, Some(subjects)).unwrap();
    assert_eq!(treated.data_type(), &kernel.released_type(column.data_type()).unwrap());
    treated
}

fn moved(json: &str, key: u8, column: &ArrayRef, subjects: &ArrayRef) -> Vec<Option<i32>> {
    treated(json, LogicalType::Date, key, column, subjects).as_primitive::<Date32Type>().iter().collect()
}

fn people(count: i64) -> ArrayRef {
    integers(&(0..count).collect::<Vec<_>>())
}

#[test]
fn a_moved_date_keeps_within_its_bound_and_never_stays() {
    let leap_day = days(&["2024-02-29"]);
    let from = leap_day.as_primitive::<Date32Type>().value(0);
    let column: ArrayRef = Arc::new(Date32Array::from(vec![from; 4_000]));
    for bound in [1, 3, 30] {
        let moved = moved(&format!(r#"{{"kind":"date_shift","days":{bound}}}"#), 7, &column, &people(4_000));
        let offsets: BTreeSet<i32> = moved.iter().map(|day| day.unwrap() - from).collect();
        let expected: BTreeSet<i32> = (-bound..=bound).filter(|offset| *offset != 0).collect();
        assert_eq!(offsets, expected, "every offset but 0 comes up among so many people");
    }
}

#[test]
fn intervals_of_one_person_survive_and_two_people_move_apart() {
    let column = days(&["2024-02-28", "2024-03-01", "2026-07-01", "2024-02-28"]);
    let subjects = texts(&["Zo\u{eb}", "Zoe\u{308}", "Zo\u{eb}", "Ann"]);
    let raw: Vec<i32> = column.as_primitive::<Date32Type>().values().to_vec();
    let moved: Vec<i32> = moved(r#"{"kind":"date_shift","days":3650}"#, 7, &column, &subjects).into_iter().map(Option::unwrap).collect();
    assert_eq!(moved[1] - moved[0], raw[1] - raw[0], "two days over a leap day");
    assert_eq!(moved[2] - moved[0], raw[2] - raw[0]);
    assert_ne!(moved[3], moved[0]);
}

#[test]
fn times_become_days_and_what_has_no_subject_or_leaves_the_calendar_stays_back() {
    let shift = r#"{"kind":"date_shift","days":30}"#;
    let times = times(&["1969-12-31T23:59:59.999999Z"]);
    let one = treated(shift, LogicalType::Timestamp, 7, &times, &people(1));
    assert_eq!(moved(shift, 7, &days(&["1969-12-31"]), &people(1)), one.as_primitive::<Date32Type>().iter().collect::<Vec<_>>());

    let nobody: ArrayRef = Arc::new(StringArray::new_null(1));
    assert_eq!(moved(shift, 7, &days(&["2026-07-01"]), &nobody), [None]);
    let no_date: ArrayRef = Arc::new(Date32Array::new_null(1));
    assert_eq!(moved(shift, 7, &no_date, &people(1)), [None]);
    let edges: ArrayRef = Arc::new(Date32Array::from(vec![i32::MAX, i32::MIN, 2_932_896, -719_162]));
    let moved = moved(shift, 7, &edges, &texts(&["a", "a", "a", "a"]));
    assert_eq!(moved[..2], [None, None]);
    assert_eq!(moved[2..].iter().flatten().count(), 1, "one end of the calendar or the other is crossed");
}

#[test]
fn two_agreements_share_no_offset_no_noise_and_no_token() {
    let column: ArrayRef = Arc::new(Date32Array::from(vec![20_000; 1_000]));
    let shift = r#"{"kind":"date_shift","days":3650}"#;
    let (one, other) = (moved(shift, 1, &column, &people(1_000)), moved(shift, 2, &column, &people(1_000)));
    assert!(one.iter().zip(&other).filter(|(one, other)| one == other).count() < 10, "but for chance");
    // Nor do two bounds under one key: a bound of one number would tell the other's.
    let narrower = moved(r#"{"kind":"date_shift","days":1825}"#, 1, &column, &people(1_000));
    let folded = |day: Option<i32>| (day.unwrap() - 20_000).rem_euclid(1825);
    assert!(one.iter().zip(&narrower).filter(|(one, other)| folded(**one) == folded(**other)).count() < 20);

    let numbers = numbers(&[50.0; 100]);
    let noise =
        |key, scale: f64| treated(&format!(r#"{{"kind":"noise","scale":{scale}}}"#), LogicalType::Number, key, &numbers, &people(100));
    let (one, other, wider) = (noise(1, 10.0), noise(2, 10.0), noise(1, 20.0));
    let cells = |column: &ArrayRef| column.as_primitive::<Float64Type>().values().to_vec();
    assert!(cells(&one).iter().zip(cells(&other)).all(|(one, other)| *one != other));
    let solved = cells(&one).iter().zip(cells(&wider)).filter(|(one, wider)| (2.0 * *one - wider - 50.0).abs() < 0.1).count();
    assert!(solved < 10, "two scales do not solve for the value");

    let names = texts(&["Ann"; 1]);
    let token = |key| shown_token(key, &names);
    assert_ne!(token(1), token(2));
    assert_eq!(reveal(&[2; 32], &token(1)), None);
}

fn shown_token(key: u8, column: &ArrayRef) -> String {
    treated(r#"{"kind":"reversible_token"}"#, LogicalType::Text, key, column, &people(1)).as_string::<i32>().value(0).to_owned()
}

#[test]
fn ten_thousand_repeats_average_to_one_noisy_value() {
    let noise = r#"{"kind":"noise","scale":5.0}"#;
    let (column, subjects) = (numbers(&[42.0; 10_000]), texts(&["Ann"; 10_000]));
    let once = treated(noise, LogicalType::Number, 7, &numbers(&[42.0]), &texts(&["Ann"]));
    let once = once.as_primitive::<Float64Type>().value(0);
    let many = treated(noise, LogicalType::Number, 7, &column, &subjects);
    assert!(many.as_primitive::<Float64Type>().values().iter().all(|cell| *cell == once));
    assert_ne!(once, 42.0);
}

#[test]
fn noise_keeps_within_its_bound_and_integers_whole() {
    let cells = |column: &ArrayRef| column.as_primitive::<Int64Type>().values().to_vec();
    let whole = treated(r#"{"kind":"noise","scale":2.0}"#, LogicalType::Integer, 7, &integers(&[100; 1_000]), &people(1_000));
    assert_eq!(cells(&whole).into_iter().collect::<BTreeSet<_>>(), (98..=102).collect());
    for scale in [0.5, 5.0, 300.0] {
        let noise = format!(r#"{{"kind":"noise","scale":{scale}}}"#);
        let noisy = treated(&noise, LogicalType::Number, 7, &numbers(&[12.345678; 2_000]), &people(2_000));
        let noisy = noisy.as_primitive::<Float64Type>().values();
        assert!(noisy.iter().all(|cell| (cell - 12.345678).abs() <= scale + 1e-9), "{scale}");
        assert!(noisy.iter().any(|cell| cell - 12.345678 > scale * 0.9) && noisy.iter().any(|cell| 12.345678 - cell > scale * 0.9));
        // The value's own last digits are gone: what is released lies on a coarser grid.
        let step = 10_f64.powf(scale.log10().floor() - 3.0);
        assert!(noisy.iter().all(|cell| (cell / step - (cell / step).round()).abs() < 1e-6), "{scale}");
    }
}

#[test]
fn what_noise_can_not_hide_stays_back() {
    let noise = r#"{"kind":"noise","scale":1.0}"#;
    let far = numbers(&[f64::NAN, f64::INFINITY, 1e300, 1e16, 1e9]);
    let noisy = treated(noise, LogicalType::Number, 7, &far, &people(5));
    assert_eq!((0..5).map(|row| noisy.is_null(row)).collect::<Vec<_>>(), [true, true, true, true, false]);
    let ends = treated(noise, LogicalType::Integer, 7, &integers(&[i64::MAX; 64]), &people(64));
    assert!(ends.null_count() > 0 && ends.null_count() < 64, "beyond 64 bits there is nothing");
    let none: ArrayRef = Arc::new(Float64Array::new_null(1));
    assert_eq!(treated(noise, LogicalType::Number, 7, &none, &people(1)).null_count(), 1);
    // A row without a subject is changed too, and no text stands for nobody.
    let nobody: ArrayRef = Arc::new(StringArray::from(vec![None, None, Some("")]));
    let rows = treated(noise, LogicalType::Number, 7, &numbers(&[1.0; 3]), &nobody);
    let rows = rows.as_primitive::<Float64Type>().values();
    assert!(rows[0] == rows[1] && rows[0] != rows[2]);
}

#[test]
fn noise_is_the_same_whatever_the_source_calls_the_zero_or_the_decimal() {
    let noise = r#"{"kind":"noise","scale":1.0}"#;
    let subjects = texts(&["Ann", "Ann"]);
    let zeros = treated(noise, LogicalType::Number, 7, &numbers(&[0.0, -0.0]), &subjects);
    assert_eq!(zeros.as_primitive::<Float64Type>().value(0), zeros.as_primitive::<Float64Type>().value(1));
    let of = |column: ArrayRef| treated(noise, LogicalType::Decimal, 7, &column, &texts(&["Ann"])).as_primitive::<Float64Type>().value(0);
    assert_eq!(of(decimals(&[1250], 2)), of(decimals(&[125], 1)));
    assert_eq!(decimals(&[1250], 2).as_primitive::<Decimal128Type>().value(0), 1250);
}

#[test]
fn a_token_comes_back_under_its_own_key_alone() {
    for (from, column, expected) in [
        (LogicalType::Text, texts(&["Zoe\u{308}"]), "Zo\u{eb}"),
        (LogicalType::Text, texts(&[""]), ""),
        (LogicalType::Text, texts(&["a\0b\u{80}"]), "a\0b\u{80}"),
        (LogicalType::Integer, integers(&[-42]), "-42"),
        (LogicalType::Date, days(&["2024-02-29"]), "2024-02-29"),
    ] {
        let token = treated(r#"{"kind":"reversible_token"}"#, from, 7, &column, &people(1)).as_string::<i32>().value(0).to_owned();
        assert_eq!(reveal(&[7; 32], &token).as_deref(), Some(expected));
        assert_eq!(reveal(&[7; 32], &token.to_uppercase()).as_deref(), Some(expected), "copied by a person");
        assert_eq!(reveal(&[8; 32], &token), None);
        let mut forged = token.clone().into_bytes();
        forged[0] = if forged[0] == b'a' { b'b' } else { b'a' };
        assert_eq!(reveal(&[7; 32], std::str::from_utf8(&forged).unwrap()), None);
    }
    assert_eq!(shown_token(7, &texts(&["Ann"])), shown_token(7, &texts(&["Ann"])));
    assert_eq!(shown_token(7, &texts(&["Ann"])).len(), shown_token(7, &texts(&["Annabell"])).len(), "the length is told to a block only");
    for nonsense in ["", "a", "not a token", "aaaaaaaaaaaaaaaaaaaaaaaaaa"] {
        assert_eq!(reveal(&[7; 32], nonsense), None, "{nonsense:?}");
    }
}
