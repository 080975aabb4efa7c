//! What leaves: the same rows in every format, nothing raw in any of them, and no more than the limits let.

mod coded;
mod limits;
mod ordered;
mod readers;

use std::io::Cursor;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::array::{ArrayRef, Date32Array, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::arrow::ipc::reader::StreamReader;
use datafusion::arrow::json::WriterBuilder;
use datafusion::arrow::json::writer::LineDelimited;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::{KeyValue, ParquetMetaData};
use parquet::file::properties::WriterProperties;
use serde_json::{Value, json};
use tidegate::app::oauth;
use tidegate::app::release::{self, Asked, Coding, Format, Request, Wire};
use tidegate::domain::person::Role;

use crate::database::{Database, run};
use crate::harness::{House, permit, usual};
use crate::slow::closed;

pub const RECORDS: &str = "/data/v1/datasets/people/records";
const SCHEMA: &str = "/data/v1/datasets/people/schema";
pub const NDJSON: &str = "application/x-ndjson";
pub const ARROW: &str = "application/vnd.apache.arrow.stream";
pub const PARQUET: &str = "application/vnd.apache.parquet";

/// Every type that the made-up people have, some of it treated.
fn mixed() -> Value {
    permit(
        "people",
        json!({
            "id": {"kind": "pseudonym", "format": "uuid"},
            "name": {"kind": "mask", "prefix": 1, "suffix": 0, "pad": 3},
            "born": {"kind": "clear"}, "city": {"kind": "clear"}, "score": {"kind": "clear"}, "spent": {"kind": "clear"}
        }),
    )
}

/// A pull as it came: status, head and raw bytes.
pub async fn pulled(house: &House, token: &str, path: &str, headers: &[(&str, &str)]) -> (u16, reqwest::header::HeaderMap, Bytes) {
    let mut request = house.http.get(format!("{}{path}", house.url)).bearer_auth(token);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    (status, headers, answer.bytes().await.unwrap())
}

/// The rows of batches as JSON objects, told by Arrow's own writer.
fn rows_of(batches: &[RecordBatch]) -> Vec<Value> {
    let mut writer = WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(Vec::new());
    writer.write_batches(&batches.iter().collect::<Vec<_>>()).unwrap();
    writer.finish().unwrap();
    lines(&writer.into_inner())
}

pub fn lines(bytes: &[u8]) -> Vec<Value> {
    std::str::from_utf8(bytes).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn read_arrow(bytes: &Bytes) -> Vec<RecordBatch> {
    StreamReader::try_new(Cursor::new(bytes), None).unwrap().map(Result::unwrap).collect()
}

fn read_parquet(bytes: &Bytes) -> (Vec<RecordBatch>, Arc<ParquetMetaData>) {
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes.clone()).unwrap();
    let metadata = Arc::clone(builder.metadata());
    (builder.build().unwrap().map(Result::unwrap).collect(), metadata)
}

fn csv_rows(bytes: &[u8]) -> usize {
    bytes.windows(2).filter(|pair| pair == b"\r\n").count() - 1
}

#[test]
fn every_format_bears_the_same_rows() {
    run(async {
        let house = House::start(Database::sqlite()).await;
        house.catalogue_people(70_000).await;
        let vendor = house.vendor("Acme", &[("acme", mixed())]).await;
        let token = house.token(&vendor).await;
        let of = async |accept: &str| {
            let (status, head, bytes) = pulled(&house, &token, RECORDS, &[("accept", accept)]).await;
            assert_eq!((status, head["content-type"].to_str().unwrap().split(';').next()), (200, Some(accept)));
            (head, bytes)
        };
        let (_, plain) = of(NDJSON).await;
        let expected = lines(&plain);
        assert_eq!(expected.len(), 70_000);
        let (head, arrow) = of(ARROW).await;
        assert_eq!(head["content-disposition"], "attachment; filename=\"people.arrows\"");
        let batches = read_arrow(&arrow);
        assert!(rows_of(&batches) == expected, "Arrow bears other rows");
        let (head, file) = of(PARQUET).await;
        assert_eq!(head["content-disposition"], "attachment; filename=\"people.parquet\"");
        let (batches, metadata) = read_parquet(&file);
        assert!(rows_of(&batches) == expected, "Parquet bears other rows");
        let groups: Vec<i64> = metadata.row_groups().iter().map(|group| group.num_rows()).collect();
        assert!(groups.len() > 1 && groups.iter().all(|rows| *rows <= 65_536), "{groups:?}");
        let types: Vec<DataType> = batches[0].schema().fields().iter().map(|field| field.data_type().clone()).collect();
        use DataType::{Date32, Float64, Int64, Utf8};
        assert_eq!(types, [Utf8, Utf8, Date32, Utf8, Int64, Float64]);
        let (_, csv) = of("text/csv").await;
        assert_eq!(csv_rows(&csv), 70_000);
        // What is on record is the body as it came.
        for (accept, format) in [(ARROW, "arrow"), (PARQUET, "parquet")] {
            let (head, bytes) = of(accept).await;
            let release = head["tidegate-release"].to_str().unwrap();
            let leaf = closed(&house, release).await;
            assert_eq!((&leaf["cut"], &leaf["rows"], &leaf["bytes"]), (&Value::Null, &json!(70_000), &json!(bytes.len())));
            assert_eq!(leaf["content"], tidegate::keys::sha256_hex(&bytes));
            let opened = house.history(&format!("kind=opened&release={release}")).await;
            assert_eq!(opened[0]["leaf"]["format"], format);
        }
        // A filter that nothing passes leaves a readable file without rows.
        for accept in [ARROW, PARQUET] {
            let (_, _, bytes) =
                pulled(&house, &token, &format!("{RECORDS}?city=eq.Nowhere&select=city,score"), &[("accept", accept)]).await;
            let batches = if accept == ARROW { read_arrow(&bytes) } else { read_parquet(&bytes).0 };
            assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 0, "{accept}");
        }
    });
}

/// Whether bytes hold a text anywhere.
fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|part| part == text.as_bytes())
}

/// A source that tells all it can beside its rows: notes on the file, the schema and the columns, statistics, dictionaries.
fn talkative(path: &std::path::Path) {
    let noted =
        |name: &str, held: DataType| Field::new(name, held, true).with_metadata([("comment".to_owned(), format!("note-on-{name}"))].into());
    let fields = vec![
        noted("id", DataType::Utf8),
        noted("email", DataType::Utf8),
        noted("name", DataType::Utf8),
        noted("born", DataType::Date32),
        noted("city", DataType::Utf8),
        noted("score", DataType::Int64),
        noted("spent", DataType::Float64),
        noted("secret", DataType::Utf8),
    ];
    let schema = Schema::new(fields).with_metadata([("owner".to_owned(), "note-on-schema".to_owned())].into());
    let texts = |of: &dyn Fn(i32) -> String| -> ArrayRef { Arc::new((0..100).map(|row| Some(of(row))).collect::<StringArray>()) };
    let columns: Vec<ArrayRef> = vec![
        texts(&|row| format!("P{row:07}")),
        texts(&|row| format!("person-{row}@mail.example")),
        texts(&|row| format!("Qerson Number{row}")),
        Arc::new((0..100).map(Some).collect::<Date32Array>()),
        texts(&|row| ["Ulm", "Bern"][row as usize % 2].to_owned()),
        Arc::new((0..100).map(|row| Some(i64::from(row))).collect::<Int64Array>()),
        Arc::new((0..100).map(|row| Some(f64::from(row))).collect::<datafusion::arrow::array::Float64Array>()),
        texts(&|row| format!("hidden-{row}")),
    ];
    let batch = RecordBatch::try_new(Arc::new(schema), columns).unwrap();
    let notes = vec![KeyValue::new("remark".to_owned(), "note-on-file".to_owned())];
    let properties = WriterProperties::builder().set_key_value_metadata(Some(notes)).set_bloom_filter_enabled(true).build();
    let mut writer = ArrowWriter::try_new(std::fs::File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

#[test]
fn nothing_raw_stands_beside_the_rows() {
    run(async {
        let house = House::start(Database::sqlite()).await;
        house.catalogue_people(100).await;
        talkative(&house.sources().join("people.parquet"));
        let treated = permit(
            "people",
            json!({
                "id": {"kind": "pseudonym", "format": "base32"},
                "name": {"kind": "mask", "prefix": 1, "suffix": 0, "pad": 3},
                "born": {"kind": "generalise_date", "unit": "year"},
                "score": {"kind": "generalise_number", "width": 10, "origin": 0, "as": "range"}
            }),
        );
        let vendor = house.vendor("Acme", &[("acme", treated)]).await;
        let token = house.token(&vendor).await;
        let raw = [
            "email",
            "secret",
            "city",
            "spent",
            "person-",
            "mail.example",
            "Qerson",
            "P00000",
            "hidden-",
            "Ulm",
            "Bern",
            "note-on",
            "comment",
            "remark",
            "owner",
        ];
        for (path, accept) in [(RECORDS, ARROW), (RECORDS, PARQUET), (SCHEMA, ARROW), (SCHEMA, "application/schema+json")] {
            let (status, head, bytes) = pulled(&house, &token, path, &[("accept", accept)]).await;
            assert_eq!(status, 200, "{accept}");
            let found: Vec<&&str> = raw.iter().filter(|text| holds(&bytes, text)).collect();
            assert!(found.is_empty(), "{path} as {accept} holds {found:?}");
            let named = head.get("content-disposition").map_or("", |value| value.to_str().unwrap());
            assert!(raw.iter().all(|text| !named.contains(text)), "{named}");
            if accept == PARQUET {
                let (batches, metadata) = read_parquet(&bytes);
                // Pages are compressed: what they hold is looked for in what they are read as.
                let read = serde_json::to_vec(&rows_of(&batches)).unwrap();
                assert!(raw.iter().all(|text| !holds(&read, text)));
                let file = metadata.file_metadata();
                assert_eq!((file.key_value_metadata(), file.created_by()), (None, Some("tidegate")));
                assert!(metadata.column_index().is_none() && metadata.offset_index().is_none());
                for column in metadata.row_groups().iter().flat_map(|group| group.columns()) {
                    assert!(column.statistics().is_none() && column.bloom_filter_offset().is_none(), "{column:?}");
                }
                assert!(batches[0].schema().metadata().is_empty());
                assert!(batches[0].schema().fields().iter().all(|field| field.metadata().is_empty()));
            }
        }
    });
}

/// A stream as the use case gives it, before any socket: its chunks, and whether it ended whole.
pub async fn chunks(house: &House, token: &str, dataset: &str, wire: Wire) -> (String, Vec<Bytes>, bool) {
    let request = Request {
        bearer: oauth::bearer(&house.app, token, [127, 0, 0, 1].into()).await.unwrap().unwrap(),
        dataset: dataset.to_owned(),
        permit: None,
        asked: Asked::default(),
        request_id: "test".to_owned(),
    };
    let mut streaming = release::stream(&house.app, &request, wire).await.unwrap();
    let (release, mut chunks) = (streaming.release.to_string(), Vec::new());
    while let Some(chunk) = streaming.next().await {
        match chunk {
            Ok(chunk) => chunks.push(chunk),
            Err(_) => return (release, chunks, false),
        }
    }
    (release, chunks, true)
}

#[test]
fn a_stream_that_was_cut_has_no_end() {
    run(async {
        let house = House::start(Database::sqlite()).await;
        house.catalogue_people(2_000).await;
        let mut terms = usual("people");
        terms["daily_rows"] = json!(500);
        let wires = [
            Wire::from(Format::Parquet),
            Wire::from(Format::Arrow),
            Wire { coding: Coding::Gzip, ..Format::Ndjson.into() },
            Wire { coding: Coding::Zstd, ..Format::Csv.into() },
        ];
        for (at, wire) in wires.into_iter().enumerate() {
            let vendor = house.vendor(&format!("Cut{at}"), &[(&format!("cut-{at}"), terms.clone())]).await;
            let token = house.token(&vendor).await;
            let (release, chunks, whole) = chunks(&house, &token, "people", wire).await;
            let leaf = closed(&house, &release).await;
            assert_eq!((&leaf["cut"], &leaf["rows"]), (&json!({"gate": "quota"}), &json!(500)), "{wire:?}");
            assert!(!whole && chunks.len() == 1, "{wire:?}");
            let bytes = chunks[0].clone();
            match wire.format {
                Format::Parquet => {
                    assert!(bytes.starts_with(b"PAR1") && !bytes.ends_with(b"PAR1"), "a footer left");
                    assert!(ParquetRecordBatchReaderBuilder::try_new(bytes).is_err());
                }
                Format::Arrow => {
                    assert!(!bytes.ends_with(&[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]), "the mark of the end left");
                    assert_eq!(read_arrow(&bytes).iter().map(RecordBatch::num_rows).sum::<usize>(), 500);
                }
                Format::Json | Format::Ndjson | Format::Csv => {
                    let (text, whole) = coded::partly(wire.coding, &bytes);
                    assert!(!whole, "{wire:?} passes for whole");
                    let head = usize::from(wire.format == Format::Csv);
                    assert_eq!(text.lines().count(), 500 + head, "what has paid is there whole");
                }
            }
        }
    });
}

#[test]
fn a_schema_says_what_a_record_holds_and_no_more() {
    run(async {
        let house = House::start(Database::sqlite()).await;
        house.catalogue_people(20).await;
        let vendor = house.vendor("Acme", &[("acme", mixed())]).await;
        let token = house.token(&vendor).await;
        let schema = house.pull(&token, SCHEMA, "application/schema+json").await;
        assert_eq!(schema.header("content-type"), "application/schema+json");
        let schema = schema.good();
        let page = house.pull(&token, &format!("{RECORDS}?limit=1"), "application/json").await.good();
        let members: Vec<&String> = page["rows"][0].as_object().unwrap().keys().collect();
        assert_eq!(schema["properties"].as_object().unwrap().keys().collect::<Vec<_>>(), members);
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(schema["properties"]["born"], json!({"type": ["string", "null"], "format": "date", "description": "clear"}));
        assert!(schema["properties"]["name"]["description"].as_str().unwrap().contains("masked"), "{schema}");
        assert_eq!(schema["required"].as_array().unwrap().len(), members.len());

        let (_, _, bytes) = pulled(&house, &token, &format!("{SCHEMA}?select=score,born"), &[("accept", ARROW)]).await;
        let reader = StreamReader::try_new(Cursor::new(&bytes), None).unwrap();
        let told: Vec<_> = reader.schema().fields().iter().map(|field| (field.name().clone(), field.data_type().clone())).collect();
        assert_eq!(told, [("score".to_owned(), DataType::Int64), ("born".to_owned(), DataType::Date32)]);
        assert_eq!(reader.count(), 0);

        // The same gates as rows: a withheld field, a dataset that no permit covers, a source that changed, a paused permit.
        let named = |answer: crate::harness::Answer, name: &str| {
            (answer.status, answer.text.replace(name, "NAME").split("request_id").next().unwrap().to_owned())
        };
        let unknown = named(house.pull(&token, &format!("{SCHEMA}?select=nothing"), "*/*").await, "nothing");
        assert_eq!(named(house.pull(&token, &format!("{SCHEMA}?select=secret"), "*/*").await, "secret"), unknown);
        for query in ["limit=1", "city=eq.Ulm", "order=city", "cursor=x"] {
            assert_eq!(house.pull(&token, &format!("{SCHEMA}?{query}"), "*/*").await.status, 400, "{query}");
        }
        assert_eq!(house.pull(&token, SCHEMA, "text/csv").await.status, 406);
        assert_eq!(house.pull(&token, "/data/v1/datasets/other/schema", "*/*").await.gate(), "permit");
        let columns: Vec<_> = crate::harness::people_columns(20).into_iter().filter(|column| column.name != "city").collect();
        tidegate::engine::sample::write_parquet(&house.sources().join("people.parquet"), &columns).unwrap();
        assert_eq!(house.pull(&token, SCHEMA, "*/*").await.gate(), "dataset_drift");
        house.post(Role::VendorManager, "/api/v1/permits/acme/pause", json!({"reason": "for the test"})).await.good();
        let refused = house.pull(&token, SCHEMA, "*/*").await;
        assert_eq!((refused.status, refused.gate().as_str()), (403, "permit"));
        let gates: Vec<Value> = house.history("kind=refusal").await.iter().map(|entry| entry["leaf"]["gate"].clone()).collect();
        assert!(gates.contains(&json!("permit")) && gates.contains(&json!("dataset_drift")), "{gates:?}");
    });
}
