//! PostgreSQL as a source: its types, its conditions, its secret and certificate, and the end of what runs.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde_json::{Value, json};
use tidegate::domain::person::Role;

use super::same::postgres_at;
use super::{add, house, pulled};
use crate::database::run;
use crate::harness::{House, Vendor, permit};
use crate::postgres::{PASSWORD, SourceDatabase, source_database};

const TABLE: &str = "
CREATE TYPE mood AS ENUM ('glad', 'sad');
CREATE DOMAIN short AS varchar(20);
CREATE TABLE \"Strange Ones\" (
    id bigint PRIMARY KEY, yes boolean, small smallint, ratio real, price numeric(12,3), free numeric, padded char(6), word short,
    feels mood, token uuid, born date, seen timestamp, heard timestamptz, \"quo\"\"ted\" text, raw bytea, doc jsonb);
INSERT INTO \"Strange Ones\" VALUES
    (2, true, -7, 0.5, -1.250, 1.10, 'ab', 'w', 'glad', '00000000-0000-0000-0000-00000000000a', '2024-02-29', '2026-07-01 08:00:00.123456',
     '2026-07-01 10:00:00+02', 'it''s \\ \"x\"', '\\x00', '{\"a\": 1}'),
    (1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (3, false, 7, 'NaN', 0.005, 123456789012345678901234567890.5, '', '', 'sad', NULL, 'infinity', '-infinity', 'infinity', 'a', NULL, NULL),
    (4, true, 0, -0.0, 99999.999, 0, 'zz', 'Ü', 'sad', NULL, '0044-03-15 BC', '1969-12-31 23:59:59.999999', '1970-01-01 00:00:00Z', 'b', NULL, NULL);
GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader;
";

const COLUMNS: [(&str, &str); 14] = [
    ("id", "integer"),
    ("yes", "boolean"),
    ("small", "integer"),
    ("ratio", "number"),
    ("price", "decimal"),
    ("free", "number"),
    ("padded", "text"),
    ("word", "text"),
    ("feels", "text"),
    ("token", "text"),
    ("born", "date"),
    ("seen", "timestamp"),
    ("heard", "timestamp"),
    ("quo\"ted", "text"),
];

async fn released(house: &House, database: &SourceDatabase, condition: Value) -> Vendor {
    let source = add(house, &postgres_at(database), Some(PASSWORD)).await.good()["id"].as_str().unwrap().to_owned();
    let tables = house.get(Role::DataSteward, &format!("/api/v1/sources/{source}/tables")).await.good();
    let found = &tables["items"].as_array().unwrap()[0];
    assert_eq!(found["name"], "Strange Ones");
    let types: Vec<(&str, &str)> = found["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| (column["name"].as_str().unwrap(), column["type"].as_str().unwrap()))
        .collect();
    assert_eq!(types, [&COLUMNS[..], &[("raw", "other"), ("doc", "other")]].concat());
    let fields: Vec<Value> =
        COLUMNS.iter().map(|(name, kind)| json!({"name": name, "type": kind, "class": "plain", "category": "account"})).collect();
    let body = json!({
        "name": "strange", "source": source, "table": "Strange Ones", "fields": fields, "subject": {"field": "id", "domain": "strange"}
    });
    house.post(Role::DataSteward, "/api/v1/datasets", body).await.good();
    let clear: serde_json::Map<String, Value> = COLUMNS.iter().map(|(name, _)| ((*name).to_owned(), json!({"kind": "clear"}))).collect();
    let mut terms = permit("strange", Value::Object(clear));
    terms["condition"] = condition;
    house.vendor("Acme", &[("acme-strange", terms)]).await
}

#[test]
fn every_type_comes_out_as_it_is_or_not_at_all() {
    let Some(database) = source_database() else { return };
    PgConnection::establish(&database.url).unwrap().batch_execute(TABLE).unwrap();
    run(async {
        let house = house().await;
        let vendor = released(&house, &database, json!({"all": []})).await;
        let rows: Vec<Value> =
            pulled(&house, &vendor, "strange").await[0].lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        // In the order of the key, whatever the order of the heap.
        assert_eq!(rows.iter().map(|row| &row["id"]).collect::<Vec<_>>(), [&json!(1), &json!(2), &json!(3), &json!(4)]);
        assert!(COLUMNS.iter().skip(1).all(|(name, _)| rows[0][name].is_null()), "{}", rows[0]);
        assert_eq!(
            rows[1],
            json!({
                "id": 2, "yes": true, "small": -7, "ratio": 0.5, "price": "-1.250", "free": 1.1, "padded": "ab", "word": "w",
                "feels": "glad", "token": "00000000-0000-0000-0000-00000000000a", "born": "2024-02-29",
                "seen": "2026-07-01T08:00:00.123456Z", "heard": "2026-07-01T08:00:00Z", "quo\"ted": "it's \\ \"x\""
            })
        );
        for name in ["ratio", "born", "seen", "heard"] {
            assert!(rows[2][name].is_null(), "{name}: {}", rows[2]);
        }
        assert_eq!((&rows[2]["price"], &rows[3]["price"]), (&json!("0.005"), &json!("99999.999")));
        // What could not be read is counted as withheld, and NULL is not.
        let release = house.history("kind=closed").await;
        let withheld = &release[0]["leaf"]["withheld"];
        assert_eq!(*withheld, json!({"born": 2, "heard": 1, "seen": 1}), "{}", release[0]);
    });
}

#[test]
fn conditions_mean_the_same_here_and_there() {
    let Some(database) = source_database() else { return };
    PgConnection::establish(&database.url).unwrap().batch_execute(TABLE).unwrap();
    run(async {
        let house = house().await;
        let vendor = released(&house, &database, json!({"all": []})).await;
        let officer = house.key(Role::PrivacyOfficer).to_owned();
        let test = |field: &str, op: &str, values: &[&str]| json!({"field": field, "op": op, "values": values});
        for (condition, expected) in [
            (test("yes", "eq", &["true"]), &[2, 4][..]),
            (test("small", "lte", &["0"]), &[2, 4]),
            (test("ratio", "gt", &["-1"]), &[2, 4]),
            (test("ratio", "eq", &["0"]), &[4]),
            (test("price", "lt", &["0.0051"]), &[2, 3]),
            (test("price", "eq", &["-1.25"]), &[2]),
            (test("padded", "eq", &["ab"]), &[2]),
            (test("word", "in", &["Ü", "w"]), &[2, 4]),
            (test("word", "neq", &["w"]), &[3, 4]),
            (test("word", "gt", &["a"]), &[2, 4]),
            (test("feels", "eq", &["sad"]), &[3, 4]),
            (test("quo\"ted", "eq", &["it's \\ \"x\""]), &[2]),
            (test("quo\"ted", "eq", &["' OR 1=1 --"]), &[]),
            (test("born", "gte", &["2000-01-01"]), &[2]),
            (test("seen", "lt", &["2000-01-01T00:00:00Z"]), &[4]),
            (test("heard", "eq", &["2026-07-01T08:00:00Z"]), &[2]),
            (test("token", "is", &["null"]), &[1, 3, 4]),
            (test("born", "is", &["not_null"]), &[2, 4]),
            // Said there as a whole; said there in part, which would lose rows; and with NULL on one side.
            (json!({"any": [test("yes", "eq", &["true"]), test("token", "is", &["null"])]}), &[1, 2, 3, 4]),
            (json!({"any": [test("price", "eq", &["-1.25"]), test("word", "gt", &["a"])]}), &[2, 4]),
            (json!({"any": [test("born", "gte", &["2000-01-01"]), test("ratio", "eq", &["0"])]}), &[2, 4]),
        ] {
            let clear: serde_json::Map<String, Value> =
                COLUMNS.iter().map(|(name, _)| ((*name).to_owned(), json!({"kind": "clear"}))).collect();
            let mut terms = permit("strange", Value::Object(clear));
            terms["condition"] = json!({"all": [condition]});
            let view = house.revise("acme-strange", house.key(Role::VendorManager), &terms).await.good();
            let number = view["revisions"].as_array().map_or_else(|| usize::try_from(view["number"].as_u64().unwrap()).unwrap(), Vec::len);
            let status =
                house.get(Role::VendorManager, "/api/v1/permits/acme-strange").await.good()["revisions"][number - 1]["status"].clone();
            if status != "in_force" {
                house.approve_revision("acme-strange", number, &officer, json!([])).await.good();
            }
            let token = house.token(&vendor).await;
            let page = house.pull(&token, "/data/v1/datasets/strange/records?select=id&limit=10", "application/json").await.good();
            let ids: Vec<i64> = page["rows"].as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect();
            assert_eq!(ids, expected, "{condition}");
            // A page that is full tells of the next one also where the database counts the rows.
            if ids.len() > 1 {
                let first = house.pull(&token, "/data/v1/datasets/strange/records?select=id&limit=1", "application/json").await.good();
                assert_eq!((first["rows"].as_array().unwrap().len(), first["next"].is_string()), (1, true), "{condition}");
            }
        }
    });
}

#[test]
fn secret_certificate_and_rights_are_checked_and_told_apart() {
    let Some(database) = source_database() else { return };
    PgConnection::establish(&database.url).unwrap().batch_execute(TABLE).unwrap();
    run(async {
        let house = house().await;
        let good = postgres_at(&database);
        let with = |name: &str, value: Value| {
            let mut location = good.clone();
            location[name] = value;
            location
        };
        let mut untrusted = good.clone();
        untrusted.as_object_mut().unwrap().remove("certificate");
        for (location, secret, expected) in [
            (good.clone(), Some("n0t-the-password"), "refuses the user or the secret"),
            (good.clone(), None, "can't be reached"),
            (with("user", json!("nobody")), Some(PASSWORD), "refuses the user or the secret"),
            (with("database", json!("no_such")), Some(PASSWORD), "no such database"),
            (untrusted, Some(PASSWORD), "not trusted"),
            (with("port", json!(1)), Some(PASSWORD), "can't be reached"),
        ] {
            let refused = add(&house, &location, secret).await;
            assert_eq!(refused.status, 422, "{}", refused.text);
            assert!(refused.text.contains(expected), "{expected}: {}", refused.text);
            for leak in [PASSWORD, "n0t-the-password", "127.0.0.1"] {
                assert!(!refused.text.contains(leak), "{leak}: {}", refused.text);
            }
        }
        let source = add(&house, &good, Some(PASSWORD)).await.good();
        let path = format!("/api/v1/sources/{}/secret", source["id"].as_str().unwrap());
        let worse = house.put(Role::DataSteward, &path, json!({"secret": "n0t-the-password"})).await;
        assert_eq!((worse.status, worse.json()["errors"][0]["field"].as_str()), (422, Some("secret")), "{}", worse.text);
        house.put(Role::DataSteward, &path, json!({"secret": PASSWORD})).await.good();
        assert_eq!(house.put(Role::VendorManager, &path, json!({"secret": PASSWORD})).await.status, 403);
        let shown = house.get(Role::DataSteward, "/api/v1/sources").await.text + &json!(house.history("").await).to_string();
        assert!(!shown.contains(PASSWORD));
        let file = house.database().file().unwrap();
        let kept = std::fs::read(&file).unwrap();
        assert!(!kept.windows(PASSWORD.len()).any(|bytes| bytes == PASSWORD.as_bytes()), "the database holds the password");
    });
}

#[derive(QueryableByName)]
struct Running {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    count: i64,
}

/// Connections of a source that are within a statement.
fn running(database: &SourceDatabase) -> i64 {
    let mut conn = PgConnection::establish(&database.url).unwrap();
    let query = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = '{}' AND application_name = 'tidegate' AND state = 'active' AND usename = 'reader'",
        database.name
    );
    sql_query(query).get_result::<Running>(&mut conn).unwrap().count
}

#[test]
fn time_is_over_for_a_slow_view_and_who_goes_away_stops_what_runs() {
    let Some(database) = source_database() else { return };
    let view = "CREATE TABLE quick AS SELECT n AS id, repeat('x', 200) AS pause FROM generate_series(1, 300000) n;
        CREATE VIEW slow AS SELECT id, pg_sleep(CASE WHEN id > 20000 THEN 0.001 ELSE 0 END)::text AS pause FROM quick;
        GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader;";
    PgConnection::establish(&database.url).unwrap().batch_execute(view).unwrap();
    run(async {
        let house = house().await;
        let mut location = postgres_at(&database);
        location["timeout_seconds"] = json!(1);
        let hasty = add(&house, &location, Some(PASSWORD)).await.good()["id"].clone();
        let patient = add(&house, &postgres_at(&database), Some(PASSWORD)).await.good()["id"].clone();
        let fields = json!([
            {"name": "id", "type": "integer", "class": "plain", "category": "account"},
            {"name": "pause", "type": "text", "class": "plain", "category": "account"}
        ]);
        let clear = json!({"id": {"kind": "clear"}, "pause": {"kind": "clear"}});
        for (name, source) in [("slow", hasty), ("endless", patient)] {
            let body =
                json!({"name": name, "source": source, "table": "slow", "fields": fields, "subject": {"field": "id", "domain": "n"}});
            house.post(Role::DataSteward, "/api/v1/datasets", body).await.good();
        }
        let mut slow = permit("slow", clear.clone());
        slow["daily_rows"] = json!(100_000_000);
        let vendor = house.vendor("Acme", &[("acme-slow", slow), ("acme-endless", permit("endless", clear))]).await;
        let token = house.token(&vendor).await;
        // The rows before the end came out; the stream breaks, and the history says that it was the source.
        let request = house.http.get(format!("{}/data/v1/datasets/slow/records", house.url)).bearer_auth(&token);
        let answer = request.header("accept", "application/x-ndjson").send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(answer.bytes().await.is_err(), "the stream ended as if it were whole");
        let closed = house.history("kind=closed").await;
        assert_eq!(closed.last().unwrap()["leaf"]["cut"], "source", "{closed:?}");
        assert_eq!(running(&database), 0, "the database still works on it");
        // Who goes away after the first bytes leaves nothing running, though it would go on for hours.
        let request = house.http.get(format!("{}/data/v1/datasets/endless/records", house.url)).bearer_auth(&token);
        let mut answer = request.header("accept", "application/x-ndjson").send().await.unwrap();
        assert!(answer.chunk().await.unwrap().is_some());
        drop(answer);
        // That nobody reads is only seen when something is written: with the next rows but one.
        for _ in 0..2_400 {
            if running(&database) == 0 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("the query goes on although nobody reads it");
    });
}
