//! Releases from end to end: three kinds of file, one answer, and nothing that was withheld.

mod conditions;

use proptest::prelude::*;

use super::encode::Format;
use super::fixture::{Kind, Out, Permitted, TABLE, engine, engine_with, open_to_all, read, release, secrets, write};
use super::sample::{SampleColumn, SampleValues};
use super::*;
use crate::domain::condition::Operator;
use crate::domain::dataset::LogicalType;
use crate::domain::time::{Date, Instant};
use crate::domain::treatment::{DateUnit, GridForm, PseudonymFormat, Treatment};

const ALL: Window = Window { skip: 0, limit: None };

fn text(name: &'static str, cells: &[Option<&str>]) -> SampleColumn {
    SampleColumn { name, values: SampleValues::Text(cells.iter().map(|cell| cell.map(str::to_owned)).collect()) }
}

fn integers(name: &'static str, cells: &[Option<i64>]) -> SampleColumn {
    SampleColumn { name, values: SampleValues::Integer(cells.to_vec()) }
}

fn people() -> Vec<SampleColumn> {
    let day = |text: &str| Some(text.parse::<Date>().unwrap());
    let at = |text: &str| Some(text.parse::<Instant>().unwrap());
    vec![
        integers("id", &[Some(1), Some(2), Some(3), Some(4), None]),
        text("name", &[Some("Zoë Miller"), Some("Zoe\u{308} Miller"), Some("O'Neil, \"Al\""), Some("secret-name"), None]),
        text("e-mail", &[Some("zoe@example.org"), Some("z@example.org"), None, Some("hidden@example.org"), Some("x@y.example")]),
        integers("age", &[Some(34), Some(90), Some(-1), None, Some(17)]),
        SampleColumn { name: "Spent", values: SampleValues::Number(vec![Some(12.345), Some(0.1), None, Some(-3.0), Some(1e6)]) },
        SampleColumn { name: "wants", values: SampleValues::Boolean(vec![Some(true), Some(false), None, Some(true), Some(true)]) },
        SampleColumn {
            name: "born",
            values: SampleValues::Date(vec![day("1992-02-29"), day("1936-01-01"), None, day("2000-12-31"), day("2009-06-30")]),
        },
        SampleColumn {
            name: "seen.at",
            values: SampleValues::Timestamp(vec![
                at("2026-07-01T08:00:00Z"),
                at("1969-12-31T23:59:59.999999Z"),
                None,
                at("2026-01-01T00:00:00Z"),
                at("2026-12-31T12:00:00Z"),
            ]),
        },
        text("note", &[Some("never-leaves"), Some("never-leaves"), Some("never-leaves"), Some("never-leaves"), Some("never-leaves")]),
    ]
}

fn pseudonym() -> Option<Treatment> {
    Some(Treatment::Pseudonym { domain: None, format: PseudonymFormat::Base32 })
}

fn clear() -> Option<Treatment> {
    Some(Treatment::Clear)
}

fn permitted(location: SourceLocation) -> Permitted {
    Permitted::new(
        location,
        &[
            ("id", LogicalType::Integer, pseudonym()),
            ("name", LogicalType::Text, Some(Treatment::Mask { prefix: 1, suffix: 0, pad: 3, email_domain: false })),
            ("e-mail", LogicalType::Text, Some(Treatment::Mask { prefix: 1, suffix: 0, pad: 3, email_domain: true })),
            ("age", LogicalType::Integer, Some(Treatment::GeneraliseNumber { width: 10.0, origin: 0.0, form: GridForm::Lower })),
            ("Spent", LogicalType::Number, Some(Treatment::Round { step: 0.1 })),
            ("wants", LogicalType::Boolean, clear()),
            ("born", LogicalType::Date, Some(Treatment::GeneraliseDate { unit: DateUnit::Quarter })),
            ("seen.at", LogicalType::Timestamp, clear()),
            ("note", LogicalType::Text, None),
        ],
    )
}

async fn out(engine: &Engine, permitted: &Permitted) -> Out {
    release(engine, permitted, ALL).await.unwrap()
}

/// The values of one field, as JSON.
fn field(out: &Out, name: &str) -> Vec<serde_json::Value> {
    out.text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()[name].clone()).collect()
}

#[tokio::test]
async fn every_kind_of_file_gives_the_same_bytes() {
    let root = tempfile::tempdir().unwrap();
    let engine = engine(root.path());
    let mut seen: Vec<(String, Vec<u64>)> = Vec::new();
    for kind in Kind::ALL {
        let released = out(&engine, &permitted(write(root.path(), kind, &people()))).await;
        assert!(released.withheld.is_empty(), "{kind:?} {:?}", released.withheld);
        seen.push((released.text, released.subjects));
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[1], seen[2]);
    let lines: Vec<&str> = seen[0].0.lines().collect();
    assert_eq!(lines.len(), 5);
    let first: serde_json::Value = serde_json::from_str(lines[0]).unwrap();
    assert_eq!(
        lines[0],
        format!(
            "{{\"id\":{},\"name\":\"Z***\",\"e-mail\":\"z***@example.org\",\"age\":30,\"Spent\":12.3,\"wants\":true,\"born\":\"1992-Q1\",\"seen.at\":\"2026-07-01T08:00:00Z\"}}",
            first["id"]
        )
    );
    assert_eq!(
        lines[2].split_once(',').unwrap().1,
        r#""name":"O***","e-mail":null,"age":-10,"Spent":null,"wants":null,"born":null,"seen.at":null}"#
    );
}

#[tokio::test]
async fn a_withheld_value_is_nowhere_in_the_bytes() {
    let root = tempfile::tempdir().unwrap();
    let engine = engine(root.path());
    for kind in Kind::ALL {
        let permitted = permitted(write(root.path(), kind, &people()));
        for format in [Format::Json, Format::Ndjson, Format::Csv] {
            let stream = engine.open(permitted.compile().unwrap(), secrets(1), ALL, None).await.unwrap();
            let released = read(stream, format).await.unwrap();
            for secret in ["never-leaves", "note", "secret-name", "hidden@", "12.345", "2000-12-31", "Miller"] {
                assert!(!released.text.contains(secret), "{secret} left in {format:?} from {kind:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_new_column_never_appears_and_a_changed_one_is_drift() {
    let root = tempfile::tempdir().unwrap();
    let engine = engine(root.path());
    for kind in Kind::ALL {
        let permitted = permitted(write(root.path(), kind, &people()));
        let before = out(&engine, &permitted).await.text;

        let mut grown = people();
        grown.insert(0, text("new", &[Some("leak"); 5]));
        write(root.path(), kind, &grown);
        assert_eq!(out(&engine, &permitted).await.text, before, "{kind:?}");

        let mut without = people();
        without.retain(|column| column.name != "wants");
        write(root.path(), kind, &without);
        let gone = release(&engine, &permitted, ALL).await.err().unwrap();
        assert!(matches!(gone, EngineError::Drift(_)), "{kind:?} {gone:?}");
        assert!(!gone.to_string().contains("wants"));

        let mut retyped = people();
        retyped[3] = text("age", &[Some("a"), Some("b"), Some("c"), None, Some("d")]);
        write(root.path(), kind, &retyped);
        let retyped = release(&engine, &permitted, ALL).await.err().unwrap();
        assert!(matches!(retyped, EngineError::Drift(_)), "{kind:?} {retyped:?}");

        // Also when the answer does not hold the column: the permit rests on it.
        let selected = permitted.clone().select(&["name"]);
        assert!(matches!(release(&engine, &selected, ALL).await, Err(EngineError::Drift(_))), "{kind:?}");
    }
}

fn many(rows: i64) -> Vec<SampleColumn> {
    vec![
        SampleColumn { name: "id", values: SampleValues::Integer((0..rows).map(Some).collect()) },
        SampleColumn { name: "group", values: SampleValues::Integer((0..rows).map(|row| (row % 7 != 0).then_some(row % 3)).collect()) },
    ]
}

fn of_many(location: SourceLocation) -> Permitted {
    Permitted::new(location, &[("id", LogicalType::Integer, clear()), ("group", LogicalType::Integer, clear())])
}

#[tokio::test]
async fn windows_laid_side_by_side_are_the_whole() {
    let root = tempfile::tempdir().unwrap();
    let engine = engine(root.path());
    let rows = 20_001;
    for kind in Kind::ALL {
        let permitted = of_many(write(root.path(), kind, &many(rows)));
        let whole = out(&engine, &permitted).await.text;
        assert_eq!(whole.lines().count(), usize::try_from(rows).unwrap());
        assert!(whole.starts_with("{\"id\":0,") && whole.ends_with("{\"id\":20000,\"group\":2}\n"), "{kind:?}");
        let ordered = permitted.clone().order("group", true);
        let ordered_whole = out(&engine, &ordered).await.text;
        let groups: Vec<_> = ordered_whole.lines().map(|line| line.rsplit_once(':').unwrap().1).collect();
        assert!(groups.windows(2).all(|pair| rank(pair[0]) >= rank(pair[1])), "descending, NULL first");
        let filtered = permitted.clone().filter("group", Operator::Eq, &["1"]).condition("id", Operator::Gte, &["100"]);
        let filtered_whole = out(&engine, &filtered).await.text;
        for (permitted, whole) in [(&permitted, &whole), (&ordered, &ordered_whole), (&filtered, &filtered_whole)] {
            let mut pages = String::new();
            let mut skip = 0;
            loop {
                let page = release(&engine, permitted, Window { skip, limit: Some(3_001) }).await.unwrap();
                if page.text.is_empty() {
                    break;
                }
                pages += &page.text;
                skip += 3_001;
            }
            assert!(&pages == whole, "{kind:?}: pages differ from the whole");
        }
    }
}

/// A sort that outgrows its memory goes on in a folder for its owner alone, and leaves nothing there.
#[tokio::test]
async fn a_sort_spills_to_a_private_folder() {
    use std::os::unix::fs::PermissionsExt;

    let (root, spill) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let rows = 400_000;
    let permitted = of_many(write(root.path(), Kind::Parquet, &many(rows))).order("group", true).order("id", true);
    let expected = out(&engine(root.path()), &permitted).await.text;
    let small = engine_with(root.path(), 14 << 20, Some(spill.path()));
    let folder = std::fs::read_dir(spill.path()).unwrap().next().unwrap().unwrap().path();
    assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    std::fs::create_dir(spill.path().join("sort-left")).unwrap();
    small.sweep();
    assert!(folder.exists() && !spill.path().join("sort-left").exists(), "what a dead engine left goes, the own stays");
    let mut stream = small.open(permitted.compile().unwrap(), secrets(1), ALL, None).await.unwrap();
    let first = stream.next().await.unwrap().unwrap();
    assert!(first.rows() > 0);
    let spilled = |folder: &std::path::Path| {
        std::fs::read_dir(folder)
            .unwrap()
            .flatten()
            .any(|entry| entry.path().is_dir() && std::fs::read_dir(entry.path()).unwrap().next().is_some())
    };
    assert!(spilled(&folder), "nothing was spilled: the test's memory is too large");
    drop(stream);
    let sorted = out(&small, &permitted).await.text;
    assert!(sorted == expected, "a sort that spilled has another order");
    drop(small);
    for _ in 0..500 {
        if !folder.exists() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the folder outlives its engine");
}

fn rank(group: &str) -> i32 {
    group.trim_end_matches('}').parse().unwrap_or(i32::MAX)
}

#[tokio::test]
async fn a_page_counts_only_what_it_withheld() {
    let root = tempfile::tempdir().unwrap();
    let engine = engine(root.path());
    std::fs::write(root.path().join("people.csv"), "id,age\n1,x\n2,34\n3,\n4,x\n5,7\n").unwrap();
    let location = SourceLocation::Csv { path: "people.csv".parse().unwrap(), delimiter: ',', store: None };
    let grid = Treatment::GeneraliseNumber { width: 10.0, origin: 0.0, form: GridForm::Range };
    let permitted = Permitted::new(location, &[("id", LogicalType::Integer, clear()), ("age", LogicalType::Integer, Some(grid))]);
    let whole = out(&engine, &permitted).await;
    assert_eq!(field(&whole, "age"), [None, Some("[30,40)"), None, None, Some("[0,10)")].map(|age| serde_json::json!(age)));
    assert_eq!(whole.withheld, [("age".parse().unwrap(), 2)].into());
    let page = release(&engine, &permitted, Window { skip: 1, limit: Some(2) }).await.unwrap();
    assert!(page.withheld.is_empty());
    let mut stream = engine.open(permitted.compile().unwrap(), secrets(1), ALL, None).await.unwrap();
    let rows = stream.next().await.unwrap().unwrap();
    assert_eq!(rows.slice(2, 2).withheld(), [("age".parse().unwrap(), 1)].into());
    assert_eq!(rows.slice(4, 9).rows(), 1);
}

#[tokio::test]
async fn a_sqlite_value_that_does_not_fit_is_withheld_and_counted() {
    let root = tempfile::tempdir().unwrap();
    let engine = engine(root.path());
    let connection = rusqlite::Connection::open(root.path().join("people.sqlite")).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE people (id INTEGER PRIMARY KEY, age INTEGER, born DATE, note TEXT, Flag BOOLEAN);
             INSERT INTO people VALUES (2, 'old', '2000-02-30', x'ff', 7), (1, 34, '2000-02-29', 'a', 1), (3, NULL, 5, 12, NULL);",
        )
        .unwrap();
    drop(connection);
    let location = SourceLocation::Sqlite { path: "people.sqlite".parse().unwrap() };
    let fields = [
        ("id", LogicalType::Integer, clear()),
        ("age", LogicalType::Integer, clear()),
        ("born", LogicalType::Date, clear()),
        ("note", LogicalType::Text, clear()),
        ("Flag", LogicalType::Boolean, clear()),
    ];
    let released = out(&engine, &Permitted::new(location, &fields)).await;
    let expected = [
        r#"{"id":1,"age":34,"born":"2000-02-29","note":"a","Flag":true}"#,
        r#"{"id":2,"age":null,"born":null,"note":null,"Flag":null}"#,
        r#"{"id":3,"age":null,"born":null,"note":"12","Flag":null}"#,
    ];
    assert_eq!(released.text.lines().collect::<Vec<_>>(), expected);
    let counted = [("age", 1), ("born", 2), ("note", 1), ("Flag", 1)];
    assert_eq!(released.withheld, counted.map(|(name, count)| (name.parse().unwrap(), count)).into());
}

#[tokio::test]
async fn names_are_exact() {
    let root = tempfile::tempdir().unwrap();
    let engine = engine(root.path());
    for kind in Kind::ALL {
        let columns = [integers("ID", &[Some(1)]), integers("a.b \"c\"", &[Some(2)]), integers("Zoë", &[Some(3)])];
        let location = write(root.path(), kind, &columns);
        let fields =
            [("ID", LogicalType::Integer, clear()), ("a.b \"c\"", LogicalType::Integer, clear()), ("Zoë", LogicalType::Integer, clear())];
        let permitted = Permitted::new(location.clone(), &fields).order("Zoë", false).filter("a.b \"c\"", Operator::Eq, &["2"]);
        assert_eq!(out(&engine, &permitted).await.text, "{\"ID\":1,\"a.b \\\"c\\\"\":2,\"Zoë\":3}\n", "{kind:?}");
        let other_case = Permitted::new(location, &[("id", LogicalType::Integer, clear())]);
        assert!(matches!(release(&engine, &other_case, ALL).await, Err(EngineError::Drift(_))), "{kind:?}");
    }
}

#[tokio::test]
async fn damaged_and_missing_files_are_unavailable_and_name_nothing() {
    let root = tempfile::tempdir().unwrap();
    let engine = engine(root.path());
    for kind in Kind::ALL {
        let permitted = of_many(write(root.path(), kind, &many(10)));
        let path = root.path().join(permitted.location.place());
        let whole = std::fs::read(&path).unwrap();
        let mut damaged = Vec::from(&b"not what it says it is\xff\xfe"[..]);
        if kind != Kind::Csv {
            damaged.extend_from_slice(&whole[26..]);
        }
        std::fs::write(&path, damaged).unwrap();
        let error = release(&engine, &permitted, ALL).await.err().unwrap();
        assert!(matches!(error, EngineError::Unavailable(_)), "{kind:?} {error:?}");
        assert!(!format!("{error} {error:?}").contains("people"), "{error:?}");
        std::fs::remove_file(&path).unwrap();
        let error = release(&engine, &permitted, ALL).await.err().unwrap();
        assert!(matches!(error, EngineError::Unavailable(_)), "{kind:?} {error:?}");
        assert!(matches!(engine.discover(&open_to_all(&permitted.location)).await, Err(EngineError::Unavailable(_))));
        assert!(matches!(
            engine.source_version(&open_to_all(&permitted.location), &TABLE.parse().unwrap()).await,
            Err(EngineError::Unavailable(_))
        ));
        assert!(engine.check_location(&permitted.location).is_err());
    }
}

#[tokio::test]
async fn a_csv_that_breaks_in_the_middle_fails_in_the_middle() {
    let root = tempfile::tempdir().unwrap();
    let engine = engine(root.path());
    let mut lines = String::from("\u{feff}id,group\n");
    (0..20_000).for_each(|row| lines += &format!("{row},1\n"));
    lines += "1,2,3,4\n";
    std::fs::write(root.path().join("people.csv"), lines).unwrap();
    let location = SourceLocation::Csv { path: "people.csv".parse().unwrap(), delimiter: ',', store: None };
    let mut stream = engine.open(of_many(location).compile().unwrap(), secrets(1), ALL, None).await.unwrap();
    let mut rows = 0;
    let error = loop {
        match stream.next().await.unwrap() {
            Ok(batch) => rows += batch.rows(),
            Err(error) => break error,
        }
    };
    assert!(rows >= 8_192 && matches!(error, EngineError::Unavailable(_)), "{rows} {error:?}");
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn discovery_names_tables_columns_and_types() {
    let root = tempfile::tempdir().unwrap();
    let engine = engine(root.path());
    for kind in Kind::ALL {
        let tables = engine.discover(&open_to_all(&write(root.path(), kind, &people()))).await.unwrap();
        let [table] = &tables[..] else { panic!("{tables:?}") };
        assert_eq!(table.name, TABLE);
        let found: Vec<_> = table.columns.iter().map(|column| (column.name.as_str(), column.logical)).collect();
        let expected = permitted(SourceLocation::Sqlite { path: "x".parse().unwrap() }).fields;
        let expected: Vec<_> = expected.iter().map(|(name, logical, _)| (name.as_str(), *logical)).collect();
        assert_eq!(found, expected, "{kind:?}");
    }
    let connection = rusqlite::Connection::open(root.path().join("views.sqlite")).unwrap();
    connection.execute_batch("CREATE TABLE b (x BLOB); CREATE VIEW a AS SELECT x, 1 + 1 AS two FROM b").unwrap();
    let tables = engine.discover(&open_to_all(&SourceLocation::Sqlite { path: "views.sqlite".parse().unwrap() })).await.unwrap();
    assert_eq!(tables.iter().map(|table| table.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(tables[1].columns[0].logical, LogicalType::Other);
}

#[tokio::test]
async fn another_key_gives_other_pseudonyms_and_the_same_subjects() {
    let root = tempfile::tempdir().unwrap();
    let engine = engine(root.path());
    let permitted = permitted(write(root.path(), Kind::Parquet, &people())).select(&["id"]);
    let with = async |byte| {
        read(engine.open(permitted.compile().unwrap(), secrets(byte), ALL, None).await.unwrap(), Format::Ndjson).await.unwrap()
    };
    let (one, other) = (with(1).await, with(2).await);
    let (ours, theirs) = (field(&one, "id"), field(&other, "id"));
    assert!(ours.iter().zip(&theirs).take(4).all(|(one, other)| one != other));
    assert_eq!(one.subjects, other.subjects);
    assert_eq!(one.subjects.iter().collect::<std::collections::BTreeSet<_>>().len(), 5);
}

#[tokio::test]
async fn two_treatments_of_like_shape_are_never_taken_for_one() {
    let root = tempfile::tempdir().unwrap();
    let engine = engine(root.path());
    let columns = [text("name", &[Some("Anna")]), text("other", &[Some("Anna")])];
    let location = write(root.path(), Kind::Parquet, &columns);
    let domain = |name: &str| Some(Treatment::Pseudonym { domain: Some(name.parse().unwrap()), format: PseudonymFormat::Uuid });
    let permitted =
        Permitted::new(location, &[("name", LogicalType::Text, domain("customer")), ("other", LogicalType::Text, domain("other"))]);
    let label = |domain: &str, byte: u8| (format!("pseudonym|1|{domain}"), [byte; 32]);
    let keys = || Secrets {
        treatment: [label("customer", 1), label("other", 2)].into(),
        hierarchies: BTreeMap::new(),
        ledger: [9; 32],
        source: None,
    };
    let released = read(engine.open(permitted.compile().unwrap(), keys(), ALL, None).await.unwrap(), Format::Ndjson).await.unwrap();
    assert_ne!(field(&released, "name"), field(&released, "other"));
    let same = Secrets {
        treatment: [label("customer", 1), label("other", 1)].into(),
        hierarchies: BTreeMap::new(),
        ledger: [9; 32],
        source: None,
    };
    let released = read(engine.open(permitted.compile().unwrap(), same, ALL, None).await.unwrap(), Format::Ndjson).await.unwrap();
    assert_eq!(field(&released, "name"), field(&released, "other"));
}

#[tokio::test]
async fn a_missing_key_releases_nothing() {
    let root = tempfile::tempdir().unwrap();
    let engine = engine(root.path());
    let permitted = permitted(write(root.path(), Kind::Csv, &people()));
    let none = Secrets { treatment: BTreeMap::new(), hierarchies: BTreeMap::new(), ledger: [9; 32], source: None };
    assert_eq!(format!("{none:?}"), "Secrets(..)");
    assert!(matches!(engine.open(permitted.compile().unwrap(), none, ALL, None).await, Err(EngineError::Internal(_))));
}

#[tokio::test]
async fn dropping_a_stream_or_the_engine_ends_the_work() {
    let root = tempfile::tempdir().unwrap();
    let engine = engine(root.path());
    for kind in Kind::ALL {
        let permitted = of_many(write(root.path(), kind, &many(100_000)));
        let mut stream = engine.open(permitted.compile().unwrap(), secrets(1), ALL, None).await.unwrap();
        assert!(stream.next().await.unwrap().unwrap().rows() > 0);
        drop(stream);
    }
    let permitted = of_many(write(root.path(), Kind::Sqlite, &many(100_000)));
    let mut cut = engine.open(permitted.compile().unwrap(), secrets(1), ALL, None).await.unwrap();
    drop(engine);
    let mut last = None;
    while let Some(next) = cut.next().await {
        last = Some(next.map(|_| ()));
    }
    assert!(matches!(last, Some(Err(EngineError::Internal(_)))), "an engine that stopped must not look like the end of the rows");
}

#[tokio::test]
async fn the_version_changes_with_the_source() {
    let root = tempfile::tempdir().unwrap();
    let engine = engine(root.path());
    let location = write(root.path(), Kind::Parquet, &many(10));
    let first = engine.source_version(&open_to_all(&location), &TABLE.parse().unwrap()).await.unwrap();
    assert_eq!(engine.source_version(&open_to_all(&location), &TABLE.parse().unwrap()).await.unwrap(), first);
    write(root.path(), Kind::Parquet, &many(11));
    assert_ne!(engine.source_version(&open_to_all(&location), &TABLE.parse().unwrap()).await.unwrap(), first);
    assert!(first.len() == 64 && first.bytes().all(|byte| byte.is_ascii_hexdigit()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn pseudonyms_are_equal_from_any_file_and_differ_under_another_key(
        ids in prop::collection::vec(any::<i64>(), 1..6),
        name in "[a-zäöë\u{308}😀, \"]{1,12}",
    ) {
        let root = tempfile::tempdir().unwrap();
        let engine = engine(root.path());
        let names: Vec<_> = ids.iter().map(|id| Some(format!("{name}{id}"))).collect();
        let columns = [
            SampleColumn { name: "id", values: SampleValues::Integer(ids.iter().copied().map(Some).collect()) },
            SampleColumn { name: "name", values: SampleValues::Text(names) },
        ];
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut seen = Vec::new();
            for kind in Kind::ALL {
                let location = write(root.path(), kind, &columns);
                let permitted = Permitted::new(location, &[("id", LogicalType::Integer, pseudonym()), ("name", LogicalType::Text, pseudonym())]);
                let with = async |byte| read(engine.open(permitted.compile().unwrap(), secrets(byte), ALL, None).await.unwrap(), Format::Csv).await.unwrap();
                let (ours, theirs) = (with(1).await, with(2).await);
                prop_assert!(ours.text.lines().skip(1).zip(theirs.text.lines().skip(1)).all(|(one, other)| one != other));
                prop_assert_eq!(&ours.subjects, &theirs.subjects);
                seen.push((ours.text, ours.subjects));
            }
            prop_assert_eq!(&seen[0], &seen[1]);
            prop_assert_eq!(&seen[1], &seen[2]);
            Ok(())
        })?;
    }
}

/// The physical plan of a release, a line for each operator.
async fn planned(engine: &Engine, permitted: &Permitted, window: Window) -> String {
    let release = Release { shape: Arc::clone(permitted.compile().unwrap().shape()), secrets: secrets(1), window, admission: None };
    let (physical, _) = engine.shared.prepare(release).await.unwrap();
    datafusion::physical_plan::displayable(physical.as_ref()).indent(false).to_string()
}

#[tokio::test]
async fn plans_read_little_and_run_ahead_when_long() {
    let root = tempfile::tempdir().unwrap();
    let engine = engine(root.path());
    let permitted = permitted(write(root.path(), Kind::Parquet, &people()));
    let page = Window { skip: 10, limit: Some(100) };
    let long = planned(&engine, &permitted, ALL).await;
    assert!(long.starts_with("AheadExec"), "{long}");
    let short = planned(&engine, &permitted, page).await;
    assert!(!short.contains("AheadExec") && short.contains("limit=110"), "{short}");
    let conditioned = planned(&engine, &permitted.clone().condition("age", Operator::Gt, &["3"]), page).await;
    assert!(conditioned.contains("pruning_predicate=") && conditioned.contains("fetch=110"), "{conditioned}");
    let ordered = planned(&engine, &permitted.order("wants", true).select(&["name"]), page).await;
    assert!(ordered.contains("TopK(fetch=110)") && ordered.contains("projection=[id, name, wants]"), "{ordered}");
    assert!(!ordered.contains("note"), "a column that nothing needs is read");
}
