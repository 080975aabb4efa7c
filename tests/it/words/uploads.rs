//! Files handed in as sources: what they are said to be, private, and gone without a trace where they are not.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::json;
use tidegate::domain::person::Role;
use tidegate::engine::sample::{SampleTable, write_parquet, write_sqlite};
use tidegate::store::Clock;

use crate::database::Database;
use crate::harness::{House, beginning, people_columns, people_fields};
use crate::on_both;

const CSV: &[u8] = "id,city\nP1,Ulm\nP2,Zürich\n".as_bytes();

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { [vec![path.clone()], files(&path)].concat() } else { vec![path] }).collect()
}

fn made(house: &House) -> (Vec<u8>, Vec<u8>) {
    let (parquet, sqlite) = (house.sources().join("made.parquet"), house.sources().join("made.db"));
    write_parquet(&parquet, &people_columns(100)).unwrap();
    write_sqlite(&sqlite, &[SampleTable { name: "people", columns: people_columns(100) }]).unwrap();
    (fs::read(parquet).unwrap(), fs::read(sqlite).unwrap())
}

async fn a_file_handed_in_is_a_source_like_others(database: Database) {
    let house = House::start(database).await;
    let (parquet, sqlite) = made(&house);
    let uploads = house.config.data_dir.join("uploads");
    let cases: [(&str, &[u8], &str); 4] = [
        ("name=Towns.csv&kind=csv", CSV, "rows"),
        ("name=Towns&kind=csv&delimiter=%3B", b"id;city\nP1;Ulm\n", "rows"),
        ("name=People%20of%20July&kind=parquet", &parquet, "rows"),
        ("name=shop.db&kind=sqlite", &sqlite, "people"),
    ];
    for (query, bytes, table) in cases {
        let source = house.upload(Role::DataSteward, "POST", &format!("/api/v1/sources/upload?{query}"), bytes).await.good();
        let id = source["id"].as_str().unwrap();
        let tables = house.get(Role::DataSteward, &format!("/api/v1/sources/{id}/tables")).await.good();
        assert_eq!(tables["items"][0]["name"], table, "{query}");
        assert_eq!(tables["items"][0]["columns"][0]["name"], "id", "{query}");
        let kept = files(&uploads.join(id));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let file = kept.iter().find(|path| path.to_string_lossy().contains("rows.")).unwrap();
        assert_eq!((fs::read(file).unwrap(), mode(file), mode(&uploads.join(id))), (bytes.to_vec(), 0o600, 0o700), "{query}");
        // The name that was given is nowhere in the path.
        assert!(!file.to_string_lossy().contains("Towns"));
        if table == "people" {
            let fields = people_fields();
            let body = json!({
                "name": "handed-in", "source": id, "table": "people", "fields": fields, "subject": {"field": "id", "domain": "person"}
            });
            house.post(Role::DataSteward, "/api/v1/datasets", body).await.good();
            let body = json!({"fields": {"city": {"kind": "clear"}}});
            let seen = house.post(Role::DataSteward, "/api/v1/datasets/handed-in/preview", body).await.good();
            assert_eq!(seen["fields"][0]["samples"][0]["after"], "Ulm");
        }
    }
    let entries = house.history("outcome=upload").await;
    assert_eq!(entries.len(), 4);
    assert!(!entries.iter().any(|entry| entry.to_string().contains("Towns")), "a file's name may be personal");
}

async fn what_is_not_as_said_leaves_nothing(database: Database) {
    let house = House::start_with(database, Clock::manual(beginning()), &[("TIDEGATE_MAX_UPLOAD_MB", "1")]).await;
    let (parquet, sqlite) = made(&house);
    let uploads = house.config.data_dir.join("uploads");
    let large = [b"id\n".to_vec(), b"1234567\n".repeat(200_000)].concat();
    let mut torn = sqlite.clone();
    torn[4096..8192].fill(7);
    let truncated = &sqlite[..sqlite.len() / 2];
    let mut broken = parquet.clone();
    let middle = broken.len() - 12;
    broken[8..middle].fill(0xff);
    let cases: Vec<(&str, &str, &[u8], &str)> = vec![
        ("nothing", "name=a&kind=csv", b"", "file"),
        ("over the limit", "name=a&kind=csv", &large, "file"),
        ("Parquet said to be CSV", "name=a&kind=csv", &parquet, "file"),
        ("SQLite said to be CSV", "name=a&kind=csv", &sqlite, "file"),
        ("CSV said to be Parquet", "name=a&kind=parquet", CSV, "file"),
        ("CSV said to be SQLite", "name=a&kind=sqlite", CSV, "file"),
        ("only the signature of Parquet", "name=a&kind=parquet", b"PAR1PAR1", "file"),
        ("Parquet without its rows", "name=a&kind=parquet", &broken, "file"),
        ("half of a Parquet file", "name=a&kind=parquet", &parquet[..parquet.len() / 2], "file"),
        ("only the signature of SQLite", "name=a&kind=sqlite", b"SQLite format 3\0", "file"),
        ("half of a database", "name=a&kind=sqlite", truncated, "file"),
        ("a torn database", "name=a&kind=sqlite", &torn, "file"),
        ("text that is not UTF-8", "name=a&kind=csv", b"id,city\nP1,Z\xfcrich\n", "file"),
        ("lines of other lengths", "name=a&kind=csv", b"id,city\nP1\n", "file"),
        ("an ending of another kind", "name=people.parquet&kind=csv", CSV, "kind"),
        ("a spreadsheet", "name=people.XLSX&kind=csv", CSV, "kind"),
        ("an unknown kind", "name=a&kind=xlsx", CSV, "kind"),
        ("a separator where there is none", "name=a&kind=parquet&delimiter=%3B", &parquet, "delimiter"),
        ("a quote as separator", "name=a&kind=csv&delimiter=%22", CSV, "delimiter"),
        ("no name", "name=&kind=csv", CSV, "name"),
    ];
    for (what, query, bytes, clause) in cases {
        let answer = house.upload(Role::DataSteward, "POST", &format!("/api/v1/sources/upload?{query}"), bytes).await;
        assert_eq!((answer.status, answer.json()["clause"].as_str().unwrap_or("")), (422, clause), "{what}: {}", answer.text);
        assert_eq!(files(&uploads), Vec::<PathBuf>::new(), "{what}");
    }
    let listed = house.get(Role::DataSteward, "/api/v1/sources").await.good();
    assert_eq!(listed["items"], json!([]));
    assert!(house.history("outcome=upload").await.is_empty());
    let form = house.http.post(format!("{}/api/v1/sources/upload?name=a&kind=csv", house.url)).bearer_auth(house.key(Role::DataSteward));
    let form = form.header("content-type", "multipart/form-data; boundary=x").body("--x").send().await.unwrap();
    assert_eq!(form.status(), 415);
}

on_both!(a_file_handed_in_is_a_source_like_others, what_is_not_as_said_leaves_nothing);
