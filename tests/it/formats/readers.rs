//! What was pulled, read by programs that others wrote: pyarrow, pandas and DuckDB find the right types and the same rows.

#![allow(clippy::explicit_write, reason = "the test harness captures what `eprintln!` says in a test that passes")]
#![allow(clippy::disallowed_methods, reason = "where Python is, and whether it must be, is read from the environment of the tests")]

use std::io::Write;
use std::process::Command;

use serde_json::json;
use tidegate::domain::person::Role;
use tidegate::domain::{Date, Instant};
use tidegate::engine::sample::{SampleColumn, SampleValues, write_parquet};

use super::{ARROW, NDJSON, PARQUET, pulled};
use crate::database::{Database, run};
use crate::harness::{House, permit};

const ROWS: usize = 2_500;

/// NULLs in every column but the first; whole numbers that no float holds.
fn columns() -> Vec<SampleColumn> {
    fn cells<T>(of: impl Fn(i64) -> T, gap: usize) -> Vec<Option<T>> {
        (0..ROWS).map(|row| (row % gap != 1).then(|| of(i64::try_from(row).unwrap()))).collect()
    }
    let at = |row: i64| Instant::from_micros(1_700_000_000_000_000 + row * 86_399_999_999);
    let day = |row: i64| Date::from_days_since_epoch(i32::try_from(row * 7 - 3_000).unwrap()).unwrap();
    vec![
        SampleColumn { name: "id", values: SampleValues::Text((0..ROWS).map(|row| Some(format!("Ünit \"{row}\", the"))).collect()) },
        SampleColumn { name: "yes", values: SampleValues::Boolean(cells(|row| row % 3 == 0, 5)) },
        SampleColumn { name: "at", values: SampleValues::Timestamp(cells(at, 6)) },
        SampleColumn { name: "day", values: SampleValues::Date(cells(day, 7)) },
        SampleColumn { name: "count", values: SampleValues::Integer(cells(|row| 9_007_199_254_740_993 + row, 8)) },
        SampleColumn { name: "share", values: SampleValues::Number(cells(|row| row as f64 / 7.0, 9)) },
    ]
}

#[test]
fn others_read_the_same_rows_with_the_right_types() {
    let Some(python) = std::env::var_os("TIDEGATE_TEST_PYTHON") else {
        let required = std::env::var("TIDEGATE_TEST_REQUIRE").is_ok_and(|list| list.split(',').any(|item| item.trim() == "readers"));
        assert!(!required, "TIDEGATE_TEST_PYTHON does not say where Python with pyarrow, pandas and DuckDB is, and it is asked for");
        writeln!(std::io::stderr(), "skipped: TIDEGATE_TEST_PYTHON does not say where Python with pyarrow, pandas and DuckDB is").unwrap();
        return;
    };
    run(async {
        let house = House::start(Database::sqlite()).await;
        write_parquet(&house.sources().join("typed.parquet"), &columns()).unwrap();
        let location = json!({"kind": "parquet", "path": "typed.parquet"});
        let source = house.post(Role::DataSteward, "/api/v1/sources", json!({"name": "Typed", "location": location})).await.good();
        let kinds = ["text", "boolean", "timestamp", "date", "integer", "number"];
        let fields: Vec<_> = columns()
            .iter()
            .zip(kinds)
            .map(|(column, kind)| json!({"name": column.name, "type": kind, "class": "plain", "category": "account"}))
            .collect();
        let body = json!({"name": "typed", "source": source["id"], "table": "typed", "fields": fields, "subject": {"field": "id", "domain": "unit"}});
        house.post(Role::DataSteward, "/api/v1/datasets", body).await.good();
        let clear: serde_json::Map<_, _> = columns().iter().map(|column| (column.name.to_owned(), json!({"kind": "clear"}))).collect();
        let vendor = house.vendor("Acme", &[("acme-typed", permit("typed", clear.into()))]).await;
        let token = house.token(&vendor).await;
        let folder = tempfile::tempdir().unwrap();
        for (name, accept) in [("rows.ndjson", NDJSON), ("rows.csv", "text/csv"), ("rows.parquet", PARQUET), ("rows.arrow", ARROW)] {
            let (status, _, bytes) = pulled(&house, &token, "/data/v1/datasets/typed/records", &[("accept", accept)]).await;
            assert_eq!(status, 200, "{name}");
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/formats/readers.py");
        let read = Command::new(python).arg(script).arg(folder.path()).output().unwrap();
        assert!(read.status.success(), "{}{}", String::from_utf8_lossy(&read.stdout), String::from_utf8_lossy(&read.stderr));
    });
}
