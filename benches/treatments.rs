//! Rows a second of each treatment, over batches of 8,192 rows as releases hand them on.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use datafusion::arrow::array::{ArrayRef, Date32Array, Float64Array, Int64Array, StringArray};
use tidegate::domain::dataset::LogicalType;
use tidegate::domain::treatment::Treatment;
use tidegate::engine::treat::Kernel;

const ROWS: i32 = 8_192;

/// What is treated, by the name of its logical type.
fn column(logical: LogicalType) -> ArrayRef {
    let rows = 0..ROWS;
    match logical {
        LogicalType::Integer => {
            Arc::new(rows.map(|row| (row % 50 != 0).then_some(i64::from(row) * 7_919 % 100_000)).collect::<Int64Array>())
        }
        LogicalType::Number => Arc::new(rows.map(|row| (row % 50 != 0).then_some(f64::from(row) * 1.37)).collect::<Float64Array>()),
        LogicalType::Date => Arc::new(rows.map(|row| (row % 50 != 0).then_some(row * 3 - 4_000)).collect::<Date32Array>()),
        LogicalType::Text | LogicalType::Decimal | LogicalType::Boolean | LogicalType::Timestamp | LogicalType::Other => {
            Arc::new(rows.map(|row| (row % 50 != 0).then(|| format!("customer.{row}@example.org"))).collect::<StringArray>())
        }
    }
}

/// Names beyond ASCII, every other one decomposed.
fn names() -> ArrayRef {
    let name = |row: i32| if row % 2 == 0 { format!("Zo\u{eb} M\u{fc}ller {row}") } else { format!("Zoe\u{308} Mu\u{308}ller {row}") };
    Arc::new((0..ROWS).map(|row| Some(name(row))).collect::<StringArray>())
}

fn treatments(criterion: &mut Criterion) {
    use LogicalType::{Date, Integer, Number, Text};
    let cases = [
        ("clear", Text, r#"{"kind":"clear"}"#),
        ("constant", Text, r#"{"kind":"constant","value":"x"}"#),
        ("mask", Text, r#"{"kind":"mask","prefix":2,"suffix":1,"pad":3}"#),
        ("mask e-mail", Text, r#"{"kind":"mask","prefix":1,"suffix":0,"pad":3,"email_domain":true}"#),
        ("truncate", Text, r#"{"kind":"truncate","length":5}"#),
        ("pseudonym base32", Text, r#"{"kind":"pseudonym","format":"base32"}"#),
        ("pseudonym uuid", Integer, r#"{"kind":"pseudonym","format":"uuid"}"#),
        ("generalise_number lower", Integer, r#"{"kind":"generalise_number","width":10.0,"as":"lower"}"#),
        ("generalise_number range", Number, r#"{"kind":"generalise_number","width":0.5,"as":"range"}"#),
        ("generalise_date year", Date, r#"{"kind":"generalise_date","unit":"year"}"#),
        ("generalise_date week", Date, r#"{"kind":"generalise_date","unit":"week"}"#),
        ("generalise_date age", Date, r#"{"kind":"generalise_date","unit":"age","width":10,"at":"2026-07-01"}"#),
        ("round", Number, r#"{"kind":"round","step":0.1}"#),
        ("top_bottom_code bound", Integer, r#"{"kind":"top_bottom_code","bottom":18.0,"top":90.0,"as":"bound"}"#),
        ("date_shift", Date, r#"{"kind":"date_shift","days":30}"#),
        ("redact_text", Text, r#"{"kind":"redact_text","kinds":["email","phone","iban","card","ip","url"]}"#),
        ("noise", Number, r#"{"kind":"noise","scale":5.0}"#),
        ("reversible_token", Text, r#"{"kind":"reversible_token"}"#),
        ("top_bottom_code label", Integer, r#"{"kind":"top_bottom_code","bottom":18.0,"top":90.0,"as":"label"}"#),
    ];
    let subjects: ArrayRef = Arc::new((0..ROWS).map(|row| Some(i64::from(row / 3))).collect::<Int64Array>());
    let mut group = criterion.benchmark_group("treatments");
    group.throughput(Throughput::Elements(u64::from(ROWS.unsigned_abs())));
    for (name, from, json) in cases {
        let kernel = compiled(json, from);
        let column = column(from);
        group.bench_function(name, |bench| bench.iter(|| kernel.apply(black_box(&column), Some(&subjects))));
    }
    let (kernel, column) = (compiled(r#"{"kind":"mask","prefix":2,"suffix":1,"pad":3}"#, Text), names());
    group.bench_function("mask beyond ASCII", |bench| bench.iter(|| kernel.apply(black_box(&column), Some(&subjects))));
    group.finish();
}

fn compiled(json: &str, from: LogicalType) -> Kernel {
    let treatment: Result<Treatment, _> = serde_json::from_str(json);
    let kernel =
        treatment.ok().and_then(|treatment| Kernel::new(&treatment, from, LogicalType::Integer, Some(&[7; 32]), None).ok().flatten());
    kernel.unwrap_or_else(|| unreachable!("a case of this bench is no treatment of its type"))
}

criterion_group!(benches, treatments);
criterion_main!(benches);
