//! What was written is what is read back, by other readers than the writer.

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::*;

fn columns() -> Vec<SampleColumn> {
    let day = Date::from_ymd(1980, 2, 29).unwrap();
    let at: Instant = "2026-07-01T08:00:00Z".parse().unwrap();
    vec![
        SampleColumn { name: "name", values: SampleValues::Text(vec![Some("Zoë \"Z\"".into()), None]) },
        SampleColumn { name: "items", values: SampleValues::Integer(vec![None, Some(-3)]) },
        SampleColumn { name: "total", values: SampleValues::Number(vec![Some(12.25), None]) },
        SampleColumn { name: "wanted", values: SampleValues::Boolean(vec![Some(true), None]) },
        SampleColumn { name: "born", values: SampleValues::Date(vec![Some(day), None]) },
        SampleColumn { name: "ordered_at", values: SampleValues::Timestamp(vec![Some(at), None]) },
    ]
}

fn read(path: &Path) -> Vec<RecordBatch> {
    ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().build().unwrap().map(Result::unwrap).collect()
}

#[test]
fn parquet_holds_the_values_and_their_types() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.parquet");
    write_parquet(&path, &columns()).unwrap();
    let batches = read(&path);
    assert_eq!(batches, vec![batch(&columns()).unwrap()]);
    assert_eq!(batches[0].schema().field(5).data_type(), &DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())));
}

#[test]
fn the_same_columns_give_the_same_parquet_bytes_and_chunks_add_up() {
    let directory = tempfile::tempdir().unwrap();
    let paths = ["a", "b", "c"].map(|name| directory.path().join(name));
    write_parquet(&paths[0], &columns()).unwrap();
    write_parquet(&paths[1], &columns()).unwrap();
    assert_eq!(std::fs::read(&paths[0]).unwrap(), std::fs::read(&paths[1]).unwrap());
    write_parquet_batches(&paths[2], (0..3).map(|_| columns())).unwrap();
    assert_eq!(read(&paths[2]).iter().map(RecordBatch::num_rows).sum::<usize>(), 6);
}

#[test]
fn sqlite_holds_the_values_and_their_declared_types() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("shop.db");
    let tables = [SampleTable { name: "customers", columns: columns() }, SampleTable { name: "orders", columns: columns() }];
    write_sqlite(&path, &tables).unwrap();
    let connection = Connection::open(&path).unwrap();
    let first: (String, Option<i64>, f64, i64, String, String) = connection
        .query_row("SELECT * FROM customers WHERE name IS NOT NULL", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
        })
        .unwrap();
    assert_eq!(first, ("Zoë \"Z\"".into(), None, 12.25, 1, "1980-02-29".into(), "2026-07-01 08:00:00".into()));
    let declared: Vec<String> = connection
        .prepare("SELECT type FROM pragma_table_info('orders')")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(declared, ["TEXT", "INTEGER", "REAL", "BOOLEAN", "DATE", "TIMESTAMP"]);
}

#[test]
fn a_misshapen_sample_leaves_the_old_file_and_no_rest() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.parquet");
    write_parquet(&path, &columns()).unwrap();
    let before = std::fs::read(&path).unwrap();
    let mut uneven = columns();
    uneven[0].values = SampleValues::Text(vec![None]);
    let other = columns().into_iter().take(2).collect();
    assert!(matches!(write_parquet(&path, &uneven), Err(SampleError::Shape)));
    assert!(matches!(write_parquet(&path, &[]), Err(SampleError::Shape)));
    assert!(matches!(write_parquet_batches(&path, [columns(), other]), Err(SampleError::Shape)));
    assert!(matches!(write_parquet_batches(&path, []), Err(SampleError::Shape)));
    assert!(matches!(write_sqlite(&path, &[SampleTable { name: "t", columns: uneven }]), Err(SampleError::Shape)));
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}
