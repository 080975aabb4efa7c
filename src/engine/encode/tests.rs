//! The exact bytes of each format.

use std::sync::Arc;

use datafusion::arrow::array::{
    BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray,
};
use datafusion::arrow::array::{RecordBatch, UInt64Array};
use datafusion::arrow::datatypes::{Field, Schema};
use proptest::prelude::*;

use super::*;
use crate::domain::dataset::LogicalType;
use crate::engine::stream::Released;

fn table(columns: Vec<(&str, LogicalType, ArrayRef)>) -> (RecordBatch, Vec<ReleasedColumn>) {
    let released: Vec<_> = columns
        .iter()
        .map(|(name, logical, array)| ReleasedColumn { name: name.parse().unwrap(), logical: *logical, held: array.data_type().clone() })
        .collect();
    let schema = crate::engine::stream::schema_of(&released);
    (RecordBatch::try_new(schema, columns.into_iter().map(|(.., array)| array).collect()).unwrap(), released)
}

fn encoded(format: Format, columns: Vec<(&str, LogicalType, ArrayRef)>) -> String {
    let (batch, released) = table(columns);
    let subjects = UInt64Array::from(vec![0; batch.num_rows()]);
    let mut encoder = Encoder::new(format.into(), &released).unwrap();
    let mut bytes = encoder.header();
    bytes.extend(encoder.encode(&[Released::for_test(batch, subjects)]).unwrap());
    String::from_utf8(bytes).unwrap()
}

/// The JSON values of one column.
fn json(logical: LogicalType, array: ArrayRef) -> Vec<String> {
    let text = encoded(Format::Ndjson, vec![("a", logical, array)]);
    text.lines().map(|line| line.strip_prefix("{\"a\":").unwrap().strip_suffix('}').unwrap().to_owned()).collect()
}

/// The CSV fields of one column, header aside.
fn csv(logical: LogicalType, array: ArrayRef) -> Vec<String> {
    let text = encoded(Format::Csv, vec![("a", logical, array)]);
    text.strip_prefix("a\r\n").unwrap().strip_suffix("\r\n").unwrap().split("\r\n").map(str::to_owned).collect()
}

#[test]
fn values() {
    let check = |logical, array: ArrayRef, as_json: &[&str], as_csv: &[&str]| {
        assert_eq!(json(logical, array.clone()), as_json);
        assert_eq!(csv(logical, array), as_csv);
    };
    let integers =
        Int64Array::from(vec![Some(0), Some(-7), Some(1 << 53), Some((1 << 53) + 1), Some(-(1 << 53) - 1), Some(i64::MIN), None]);
    check(
        LogicalType::Integer,
        Arc::new(integers),
        &["0", "-7", "9007199254740992", "\"9007199254740993\"", "\"-9007199254740993\"", "\"-9223372036854775808\"", "null"],
        &["0", "-7", "9007199254740992", "9007199254740993", "-9007199254740993", "-9223372036854775808", ""],
    );
    let numbers = Float64Array::from(vec![Some(0.1), Some(-2.5), Some(f64::NAN), Some(f64::INFINITY), None]);
    check(LogicalType::Number, Arc::new(numbers), &["0.1", "-2.5", "null", "null", "null"], &["0.1", "-2.5", "", "", ""]);
    let decimals = Decimal128Array::from(vec![Some(-1250), Some(5), None]).with_precision_and_scale(10, 2).unwrap();
    check(LogicalType::Decimal, Arc::new(decimals), &["\"-12.50\"", "\"0.05\"", "null"], &["-12.50", "0.05", ""]);
    let truths = BooleanArray::from(vec![Some(true), Some(false), None]);
    check(LogicalType::Boolean, Arc::new(truths), &["true", "false", "null"], &["true", "false", ""]);
    let days = Date32Array::from(vec![Some(0), Some(-1), Some(19_782), None]);
    check(
        LogicalType::Date,
        Arc::new(days),
        &["\"1970-01-01\"", "\"1969-12-31\"", "\"2024-02-29\"", "null"],
        &["1970-01-01", "1969-12-31", "2024-02-29", ""],
    );
    let times = TimestampMicrosecondArray::from(vec![Some(0), Some(-1), Some(1_782_892_800_000_120), None]).with_timezone("UTC");
    check(
        LogicalType::Timestamp,
        Arc::new(times),
        &["\"1970-01-01T00:00:00Z\"", "\"1969-12-31T23:59:59.999999Z\"", "\"2026-07-01T08:00:00.000120Z\"", "null"],
        &["1970-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z", "2026-07-01T08:00:00.000120Z", ""],
    );
    let texts = StringArray::from(vec![Some(""), Some("a"), Some("a,b"), Some("say \"hi\""), Some("\u{1}\u{8}\t\\é👍"), None]);
    check(
        LogicalType::Text,
        Arc::new(texts),
        &["\"\"", "\"a\"", "\"a,b\"", "\"say \\\"hi\\\"\"", "\"\\u0001\\b\\t\\\\é👍\"", "null"],
        &["\"\"", "a", "\"a,b\"", "\"say \"\"hi\"\"\"", "\u{1}\u{8}\t\\é👍", ""],
    );
}

#[test]
fn whole_documents() {
    let columns = || -> Vec<(&str, LogicalType, ArrayRef)> {
        vec![
            ("a \"b\"", LogicalType::Integer, Arc::new(Int64Array::from(vec![Some(1), None]))),
            ("c,d", LogicalType::Text, Arc::new(StringArray::from(vec![Some("x\ny"), Some("")]))),
        ]
    };
    assert_eq!(encoded(Format::Json, columns()), r#"{"a \"b\"":1,"c,d":"x\ny"},{"a \"b\"":null,"c,d":""}"#);
    assert_eq!(encoded(Format::Ndjson, columns()), "{\"a \\\"b\\\"\":1,\"c,d\":\"x\\ny\"}\n{\"a \\\"b\\\"\":null,\"c,d\":\"\"}\n");
    assert_eq!(encoded(Format::Csv, columns()), "\"a \"\"b\"\"\",\"c,d\"\r\n1,\"x\ny\"\r\n,\"\"\r\n");
}

/// What stands behind a NULL leaves in no format: here a text and a number that a treatment withheld by their flag alone.
#[test]
fn nothing_stands_behind_a_null() {
    use datafusion::arrow::array::PrimitiveArray;
    use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};

    let flags = || Some(NullBuffer::from(vec![true, false, true]));
    let text = StringArray::new(OffsetBuffer::from_lengths([1, 10, 1]), "aRAWSECRET1b".as_bytes().into(), flags());
    let raw = i64::from_le_bytes(*b"RAWNUMBR");
    let number: PrimitiveArray<datafusion::arrow::datatypes::Int64Type> = PrimitiveArray::new(ScalarBuffer::from(vec![1, raw, 2]), flags());
    let times = TimestampMicrosecondArray::new(ScalarBuffer::from(vec![1, raw, 2]), flags()).with_timezone("UTC");
    let decimal = Decimal128Array::new(ScalarBuffer::from(vec![1, i128::from(raw), 2]), flags()).with_precision_and_scale(20, 2).unwrap();
    let columns: Vec<(&str, LogicalType, ArrayRef)> = vec![
        ("a", LogicalType::Text, Arc::new(text)),
        ("b", LogicalType::Integer, Arc::new(number)),
        ("c", LogicalType::Timestamp, Arc::new(times)),
        ("d", LogicalType::Decimal, Arc::new(decimal)),
    ];
    for format in [Format::Arrow, Format::Parquet] {
        let (bytes, batch) = binary(format, columns.clone());
        assert!(!bytes.windows(5).any(|part| part == b"RAWSE" || part == b"RAWNU"), "{format:?}");
        let read = match format {
            Format::Arrow => {
                datafusion::arrow::ipc::reader::StreamReader::try_new(bytes.as_slice(), None).unwrap().next().unwrap().unwrap()
            }
            Format::Json | Format::Ndjson | Format::Csv | Format::Parquet => {
                let bytes = bytes::Bytes::from(bytes);
                let reader = ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
                reader.build().unwrap().next().unwrap().unwrap()
            }
        };
        assert_eq!(read, batch, "{format:?}: types and values stay");
    }
}

/// A file of one batch, and the batch.
fn binary(format: Format, columns: Vec<(&str, LogicalType, ArrayRef)>) -> (Vec<u8>, RecordBatch) {
    let (batch, released) = table(columns);
    let subjects = UInt64Array::from(vec![0; batch.num_rows()]);
    let mut encoder = Encoder::new(format.into(), &released).unwrap();
    let mut bytes = encoder.encode(&[Released::for_test(batch.clone(), subjects)]).unwrap();
    bytes.extend(encoder.finish().unwrap());
    (bytes, batch)
}

proptest! {
    #[test]
    fn any_text_is_read_back(text: String) {
        let array: ArrayRef = Arc::new(StringArray::from(vec![text.as_str()]));
        let line = encoded(Format::Json, vec![("a", LogicalType::Text, array.clone())]);
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        prop_assert_eq!(&read["a"], &serde_json::Value::String(text.clone()));

        let file = encoded(Format::Csv, vec![("a", LogicalType::Text, array), ("b", LogicalType::Integer, Arc::new(Int64Array::from(vec![1])))]);
        let schema = Arc::new(Schema::new(vec![Field::new("a", datafusion::arrow::datatypes::DataType::Utf8, true), Field::new("b", datafusion::arrow::datatypes::DataType::Int64, true)]));
        let mut reader = datafusion::arrow::csv::ReaderBuilder::new(schema).with_header(true).build(file.as_bytes()).unwrap();
        let read = reader.next().unwrap().unwrap();
        let read = datafusion::arrow::array::AsArray::as_string::<i32>(read.column(0));
        // The reader takes an empty text for NULL.
        prop_assert_eq!(if read.is_null(0) { "" } else { read.value(0) }, text);
    }

    #[test]
    fn any_number_is_read_back(number: f64, integer: i64) {
        let line = encoded(Format::Json, vec![
            ("a", LogicalType::Number, Arc::new(Float64Array::from(vec![number]))),
            ("b", LogicalType::Integer, Arc::new(Int64Array::from(vec![integer]))),
        ]);
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        if number.is_finite() {
            prop_assert_eq!(read["a"].as_f64(), Some(number));
        }
        let text = read["b"].as_str().map_or_else(|| read["b"].to_string(), str::to_owned);
        prop_assert_eq!(text, integer.to_string());
    }
}
