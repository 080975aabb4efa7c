//! Folders of files: their order, the columns that their names say, and what changes their version.

use std::io::Write;
use std::path::Path;

use crate::domain::condition::Operator;
use crate::domain::dataset::{LogicalType, SourceLocation};
use crate::domain::treatment::Treatment;
use crate::engine::fixture::{Permitted, engine, open_to_all, release};
use crate::engine::sample::{SampleColumn, SampleValues, write_parquet};
use crate::engine::{Engine, EngineError, Window};

const ALL: Window = Window { skip: 0, limit: None };
const EXPECTED: &str = "{\"id\":1,\"country\":\"AT\",\"year\":2025}\n{\"id\":2,\"country\":\"AT\",\"year\":2025}\n\
{\"id\":3,\"country\":\"D E\",\"year\":2025}\n{\"id\":4,\"country\":null,\"year\":2026}\n";

/// Writes rows with these ids.
type Writer = fn(&Path, &[i64]);

/// Four rows in three files; names beside them that are no part of the table.
fn folders(root: &Path, ending: &str, write: impl Fn(&Path, &[i64])) {
    for (folder, ids) in [
        ("people/year=2025/country=AT", &[1_i64, 2][..]),
        ("people/year=2025/country=D%20E", &[3]),
        ("people/year=2026/country=__HIVE_DEFAULT_PARTITION__", &[4]),
    ] {
        std::fs::create_dir_all(root.join(folder)).unwrap();
        write(&root.join(folder).join(format!("part-0.{ending}")), ids);
    }
    std::fs::write(root.join("people/_SUCCESS"), "").unwrap();
    std::fs::write(root.join("people/notes.pdf"), "no rows").unwrap();
}

fn csv(path: &Path, ids: &[i64]) {
    std::fs::write(path, ids.iter().fold("id\n".to_owned(), |text, id| format!("{text}{id}\n"))).unwrap();
}

fn lines(ids: &[i64]) -> String {
    ids.iter().map(|id| format!("{{\"id\":{id}}}\n")).collect()
}

fn permitted(location: SourceLocation) -> Permitted {
    let clear = || Some(Treatment::Clear);
    let mut permitted = Permitted::new(
        location,
        &[("id", LogicalType::Integer, clear()), ("country", LogicalType::Text, clear()), ("year", LogicalType::Integer, clear())],
    );
    permitted.table = "people".to_owned();
    permitted
}

async fn text(engine: &Engine, permitted: &Permitted) -> String {
    release(engine, permitted, ALL).await.unwrap().text
}

#[tokio::test]
async fn every_kind_of_file_is_read_from_folders_that_name_columns() {
    let path = || "people".parse().unwrap();
    let kinds: [(&str, SourceLocation, Writer); 5] = [
        ("csv", SourceLocation::Csv { path: path(), delimiter: ',', store: None }, csv),
        ("ndjson", SourceLocation::Ndjson { path: path(), store: None }, |path, ids| std::fs::write(path, lines(ids)).unwrap()),
        ("parquet", SourceLocation::Parquet { path: path(), store: None }, |path, ids| {
            let values = SampleValues::Integer(ids.iter().copied().map(Some).collect());
            write_parquet(path, &[SampleColumn { name: "id", values }]).unwrap();
        }),
        ("jsonl.gz", SourceLocation::Ndjson { path: path(), store: None }, |path, ids| {
            let mut coder = flate2::write::GzEncoder::new(std::fs::File::create(path).unwrap(), flate2::Compression::fast());
            coder.write_all(lines(ids).as_bytes()).unwrap();
            coder.finish().unwrap();
        }),
        ("jsonl.zst", SourceLocation::Ndjson { path: path(), store: None }, |path, ids| {
            std::fs::write(path, zstd::encode_all(lines(ids).as_bytes(), 1).unwrap()).unwrap();
        }),
    ];
    for (ending, location, write) in kinds {
        let root = tempfile::tempdir().unwrap();
        let engine = engine(root.path());
        folders(root.path(), ending, write);
        let permitted = permitted(location);
        assert_eq!(text(&engine, &permitted).await, EXPECTED, "{ending}");
        let one = permitted.clone().condition("country", Operator::Eq, &["D E"]);
        assert_eq!(text(&engine, &one).await, EXPECTED.lines().nth(2).unwrap().to_owned() + "\n", "{ending}");
        let found = engine.discover(&open_to_all(&permitted.location)).await.unwrap();
        let columns = found[0].columns.iter().map(|column| (column.name.as_str(), column.logical)).collect::<Vec<_>>();
        assert_eq!(columns, [("id", LogicalType::Integer), ("year", LogicalType::Integer), ("country", LogicalType::Text)], "{ending}");
    }
}

#[tokio::test]
async fn a_file_more_is_another_version_and_folders_that_disagree_are_drift() {
    let root = tempfile::tempdir().unwrap();
    let engine = engine(root.path());
    folders(root.path(), "csv", csv);
    let location = SourceLocation::Csv { path: "people".parse().unwrap(), delimiter: ',', store: None };
    let version = async || engine.source_version(&open_to_all(&location), &"people".parse().unwrap()).await.unwrap();
    let first = version().await;
    assert_eq!(version().await, first);
    csv(&root.path().join("people/year=2025/country=AT/part-1.csv"), &[9]);
    assert_ne!(version().await, first);
    std::fs::create_dir_all(root.path().join("people/month=1")).unwrap();
    csv(&root.path().join("people/month=1/part-0.csv"), &[10]);
    assert!(matches!(release(&engine, &permitted(location.clone()), ALL).await, Err(EngineError::Drift(_))));
}

#[tokio::test]
async fn a_later_file_without_the_column_fails_instead_of_giving_nothing() {
    let root = tempfile::tempdir().unwrap();
    let engine = engine(root.path());
    std::fs::create_dir(root.path().join("people")).unwrap();
    std::fs::write(root.path().join("people/a.csv"), "id,country,year\n1,AT,2025\n").unwrap();
    // Another order of columns is all the same; another name is not.
    std::fs::write(root.path().join("people/b.csv"), "year,id,country\n2026,2,DE\n").unwrap();
    let permitted = permitted(SourceLocation::Csv { path: "people".parse().unwrap(), delimiter: ',', store: None });
    let both = "{\"id\":1,\"country\":\"AT\",\"year\":2025}\n{\"id\":2,\"country\":\"DE\",\"year\":2026}\n";
    assert_eq!(text(&engine, &permitted).await, both);
    std::fs::write(root.path().join("people/c.csv"), "id,land,year\n3,FR,2026\n").unwrap();
    assert!(matches!(release(&engine, &permitted, ALL).await, Err(EngineError::Drift(_))));
}

#[cfg(unix)]
#[tokio::test]
async fn links_in_folders_are_not_followed() {
    let (outside, root) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let engine = engine(root.path());
    csv(&outside.path().join("secret.csv"), &[7]);
    std::fs::create_dir(root.path().join("people")).unwrap();
    std::fs::write(root.path().join("people/a.csv"), "id,country,year\n1,AT,2025\n").unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret.csv"), root.path().join("people/b.csv")).unwrap();
    std::os::unix::fs::symlink(outside.path(), root.path().join("people/c")).unwrap();
    let permitted = permitted(SourceLocation::Csv { path: "people".parse().unwrap(), delimiter: ',', store: None });
    assert_eq!(text(&engine, &permitted).await, "{\"id\":1,\"country\":\"AT\",\"year\":2025}\n");
}
