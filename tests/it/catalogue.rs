//! What a steward is shown of a table before it is catalogued, and what becomes of one whose source has changed.

use serde_json::{Value, json};
use tidegate::app::dashboard;
use tidegate::domain::person::{Actor, Role};
use tidegate::engine::sample::{SampleColumn, SampleTable, SampleValues, write_parquet, write_sqlite};
use tidegate::policy::work::WorkKind;

use crate::database::{Database, run};
use crate::harness::{House, people_columns, usual};
use crate::on_both;

const STEWARD: Role = Role::DataSteward;
const RECORDS: &str = "/data/v1/datasets/people/records?limit=3";
const DRIFT: &str = "/api/v1/datasets/people/drift";

on_both!(
    a_look_is_on_record_and_its_values_are_nowhere_else,
    a_difference_is_confirmed_as_it_was_shown_or_not_at_all,
    a_permit_whose_field_is_gone_says_so,
);

async fn source(house: &House, location: Value) -> String {
    let body = json!({"name": "s", "location": location});
    house.post(STEWARD, "/api/v1/sources", body).await.good()["id"].as_str().unwrap().to_owned()
}

async fn suggested(house: &House, location: Value, table: &str) -> Value {
    let id = source(house, location).await;
    house.get(STEWARD, &format!("/api/v1/sources/{id}/tables/{table}/suggestions")).await.good()
}

fn column<'a>(found: &'a Value, name: &str) -> &'a Value {
    found["columns"].as_array().unwrap().iter().find(|column| column["name"] == name).unwrap_or_else(|| panic!("{name}: {found}"))
}

/// The first thousand rows are of one import, and nothing in them tells what the others hold.
fn imported(rows: usize) -> Vec<SampleColumn> {
    let value = |row: usize| if row < 1_000 { "-".to_owned() } else { format!("a{row}@mail.example") };
    vec![
        SampleColumn { name: "n", values: SampleValues::Integer((0..rows).map(|row| i64::try_from(row).ok()).collect()) },
        SampleColumn { name: "c7", values: SampleValues::Text((0..rows).map(|row| Some(value(row))).collect()) },
    ]
}

#[test]
fn a_look_is_spread_over_the_table_and_never_longer_than_it_says() {
    run(async {
        let house = House::start(Database::sqlite()).await;
        write_parquet(&house.sources().join("p.parquet"), &imported(20_000)).unwrap();
        write_sqlite(&house.sources().join("s.db"), &[SampleTable { name: "t", columns: imported(20_000) }]).unwrap();
        let lines = (0..20_000).map(|row| format!("{row},{}\n", if row < 1_000 { "-".to_owned() } else { format!("a{row}@mail.example") }));
        std::fs::write(house.sources().join("c.csv"), format!("n,c7\n{}", lines.collect::<String>())).unwrap();
        for (location, table) in [
            (json!({"kind": "parquet", "path": "p.parquet"}), "p"),
            (json!({"kind": "sqlite", "path": "s.db"}), "t"),
            (json!({"kind": "csv", "path": "c.csv"}), "c"),
        ] {
            let found = suggested(&house, location, table).await;
            let rows = found["rows"].as_u64().unwrap();
            assert!((900..=1_000).contains(&rows), "{table}: {rows}");
            let said = column(&found, "c7")["evidence"][0].as_str().unwrap().to_owned();
            assert!(said.contains("e-mail addresses"), "{table}: {said}");
            assert_eq!(column(&found, "c7")["class"], "direct_identifier");
            assert_eq!(column(&found, "c7")["advice"], "pseudonym");
            assert!(column(&found, "c7")["samples"].as_array().unwrap().len() <= 3);
        }
        // A few rows are all looked at, also where their ids lie far apart.
        let few = json!({"kind": "sqlite", "path": "few.db"});
        write_sqlite(&house.sources().join("few.db"), &[SampleTable { name: "t", columns: imported(7) }]).unwrap();
        assert_eq!(suggested(&house, few, "t").await["rows"], 7);
    });
}

#[test]
fn odd_columns_and_sources_are_no_failure() {
    run(async {
        let house = House::start(Database::sqlite()).await;
        let long = "x".repeat(100_000);
        let csv = format!("id,note,empty\n1,\"{long}\nwrite to a@b.example\",\n2,,\n");
        std::fs::write(house.sources().join("odd.csv"), csv).unwrap();
        let found = suggested(&house, json!({"kind": "csv", "path": "odd.csv"}), "odd").await;
        assert_eq!(found["rows"], 2);
        let shown = column(&found, "note")["samples"][0].as_str().unwrap();
        assert!(shown.chars().count() <= 61 && shown.ends_with('…'), "{}", shown.len());
        assert_eq!(column(&found, "empty")["evidence"], json!(["None of 2 sampled rows has a value."]));
        std::fs::write(house.sources().join("none.csv"), "id,note\n").unwrap();
        assert_eq!(suggested(&house, json!({"kind": "csv", "path": "none.csv"}), "none").await["rows"], 0);
        let id = source(&house, json!({"kind": "csv", "path": "none.csv"})).await;
        std::fs::remove_file(house.sources().join("none.csv")).unwrap();
        assert_eq!(house.get(STEWARD, &format!("/api/v1/sources/{id}/tables/none/suggestions")).await.status, 422);
        write_sqlite(&house.sources().join("s.db"), &[SampleTable { name: "t", columns: imported(3) }]).unwrap();
        let id = source(&house, json!({"kind": "sqlite", "path": "s.db"})).await;
        assert_eq!(house.get(STEWARD, &format!("/api/v1/sources/{id}/tables/nothing/suggestions")).await.status, 404);
    });
}

async fn a_look_is_on_record_and_its_values_are_nowhere_else(database: Database) {
    let house = House::start(database).await;
    write_parquet(&house.sources().join("people.parquet"), &people_columns(50)).unwrap();
    let id = source(&house, json!({"kind": "parquet", "path": "people.parquet"})).await;
    let path = format!("/api/v1/sources/{id}/tables/people/suggestions");
    for role in Role::ALL.into_iter().filter(|role| *role != STEWARD) {
        let answer = house.get(role, &path).await;
        assert_eq!(answer.status, 403, "{role:?}");
        assert!(!answer.text.contains("person-"), "{role:?}");
    }
    let views = async || house.history("outcome=view_samples").await;
    assert!(views().await.is_empty(), "who was refused saw nothing");
    let found = house.get(STEWARD, &path).await.good();
    assert!(column(&found, "email")["samples"][0].as_str().unwrap().contains("@mail.example"));
    assert_eq!(column(&found, "email")["evidence"][1], "All of 50 sampled values are e-mail addresses.");
    assert_eq!(column(&found, "born")["advice"], "year");
    house.get(STEWARD, &path).await.good();
    let seen = views().await;
    assert_eq!(seen.len(), 1, "once a day");
    assert_eq!(seen[0]["leaf"]["id"], json!(id));
    house.at(house.clock.now().plus_days(1)).await;
    house.get(STEWARD, &path).await.good();
    assert_eq!(views().await.len(), 2);
    let whole = format!("{:?}", house.history("").await);
    assert!(!whole.contains("person-") && !whole.contains("hidden-"), "a value is in the history");
    // Nothing is catalogued by looking.
    assert_eq!(house.get(STEWARD, "/api/v1/datasets").await.good()["items"], json!([]));
}

/// The people without some columns, and with one more.
fn changed(house: &House, without: &[&str], with: Option<&'static str>) {
    let mut columns: Vec<_> = people_columns(20).into_iter().filter(|column| !without.contains(&column.name)).collect();
    columns.extend(
        with.map(|name| SampleColumn { name, values: SampleValues::Text((0..20).map(|row| Some(format!("a{row}@b.example"))).collect()) }),
    );
    write_parquet(&house.sources().join("people.parquet"), &columns).unwrap();
}

async fn a_difference_is_confirmed_as_it_was_shown_or_not_at_all(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(20).await;
    let vendor = house.vendor("Acme", &[("acme-people", usual("people"))]).await;
    let token = house.token(&vendor).await;
    let pull = async || house.pull(&token, RECORDS, "application/json").await;
    pull().await.good();
    let confirm = async |report: &Value| {
        house.post(STEWARD, &format!("{DRIFT}/confirm"), json!({"version": report["version"], "seen": report["seen"]})).await
    };
    let calm = house.get(STEWARD, DRIFT).await.good();
    assert_eq!((calm["stopped"].as_array().unwrap().len(), confirm(&calm).await.status), (0, 409), "there is nothing to confirm");

    // `score` is released and becomes a text; `name` is not released and goes; `extra` is new.
    let mut columns: Vec<_> = people_columns(20).into_iter().filter(|column| !["name", "score"].contains(&column.name)).collect();
    columns.push(SampleColumn { name: "score", values: SampleValues::Text((0..20).map(|row| Some(format!("s{row}"))).collect()) });
    write_parquet(&house.sources().join("people.parquet"), &columns).unwrap();
    assert_eq!(pull().await.gate(), "dataset_drift");
    let first = house.get(STEWARD, DRIFT).await.good();
    assert_eq!(first["stopped"][0]["permit"], "acme-people");
    assert_eq!((&first["stopped"][0]["columns"], &first["stopped"][0]["vendor_name"]), (&json!(["score"]), &json!("Acme")));

    // It changes again before the steward confirms: nothing is taken over.
    columns
        .push(SampleColumn { name: "extra", values: SampleValues::Text((0..20).map(|row| Some(format!("a{row}@b.example"))).collect()) });
    write_parquet(&house.sources().join("people.parquet"), &columns).unwrap();
    let refused = confirm(&first).await;
    assert_eq!(refused.status, 409, "{}", refused.text);
    assert_eq!(house.get(STEWARD, "/api/v1/datasets/people").await.good()["version"], 1);
    assert_eq!(pull().await.gate(), "dataset_drift");

    let second = house.get(STEWARD, DRIFT).await.good();
    assert_ne!(second["seen"], first["seen"]);
    assert_eq!(second["new"][0]["name"], "extra");
    assert_eq!(second["new"][0]["class"], "direct_identifier");
    assert_eq!(second["new"][0]["samples"], json!([]), "values are shown where looking is on record");
    for role in [Role::VendorManager, Role::PrivacyOfficer, Role::Administrator, Role::ComplianceReviewer] {
        let body = json!({"version": second["version"], "seen": second["seen"]});
        assert_eq!(house.post(role, &format!("{DRIFT}/confirm"), body).await.status, 403, "{role:?}");
    }
    // Other rows of the same columns are no difference.
    std::fs::copy(house.sources().join("people.parquet"), house.sources().join("copy")).unwrap();
    std::fs::rename(house.sources().join("copy"), house.sources().join("people.parquet")).unwrap();
    let dataset = confirm(&second).await.good();
    let fields: Vec<_> = dataset["fields"].as_array().unwrap().iter().map(|field| (field["name"].clone(), field["type"].clone())).collect();
    assert!(
        fields.contains(&(json!("score"), json!("text"))) && !fields.iter().any(|(name, _)| name == "name" || name == "extra"),
        "{fields:?}"
    );
    let rows = pull().await.good();
    assert!(rows["rows"][0].get("extra").is_none(), "a new column is withheld");
    assert_eq!(rows["rows"][0]["score"], "s0");
    let acts = house.history("outcome=confirm_drift").await;
    assert_eq!(acts.len(), 1);
    assert_eq!((&acts[0]["leaf"]["facts"]["gone"], &acts[0]["leaf"]["facts"]["retyped"]), (&json!("name"), &json!("score")));
    assert_eq!(confirm(&second).await.status, 409, "once");
}

async fn a_permit_whose_field_is_gone_says_so(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(20).await;
    let vendor = house.vendor("Acme", &[("acme-people", usual("people"))]).await;
    let token = house.token(&vendor).await;
    changed(&house, &["city"], None);
    let pull = async || house.pull(&token, RECORDS, "application/json").await;
    assert!(pull().await.text.contains("A data steward must confirm it"));
    let steward = Actor::Person { id: house.person_id(STEWARD).parse().unwrap(), role: STEWARD };
    let waits = async || {
        house.settle().await;
        let queue = dashboard::queue(&house.app, &steward).await.unwrap();
        queue.items.iter().any(|item| item.kind == WorkKind::DatasetDrifted)
    };
    assert!(waits().await, "a refusal for drift is work for a steward");
    let report = house.get(STEWARD, DRIFT).await.good();
    let body = json!({"version": report["version"], "seen": report["seen"]});
    house.post(STEWARD, &format!("{DRIFT}/confirm"), body).await.good();
    assert!(!waits().await, "what is confirmed waits no more");
    let refused = pull().await;
    assert_eq!(refused.gate(), "dataset_drift");
    assert!(refused.text.contains("A vendor manager must revise the permit"), "{}", refused.text);
    let report = house.get(STEWARD, DRIFT).await.good();
    assert_eq!((&report["stopped"][0]["columns"], &report["stopped"][0]["lost"]), (&json!([]), &json!(["city"])));
    // So does one whose treatment fits no more: a text is not rounded.
    let mut columns: Vec<_> = people_columns(20).into_iter().filter(|column| column.name != "spent").collect();
    columns.push(SampleColumn { name: "spent", values: SampleValues::Text((0..20).map(|row| Some(format!("s{row}"))).collect()) });
    write_parquet(&house.sources().join("people.parquet"), &columns).unwrap();
    let report = house.get(STEWARD, DRIFT).await.good();
    let body = json!({"version": report["version"], "seen": report["seen"]});
    house.post(STEWARD, &format!("{DRIFT}/confirm"), body).await.good();
    assert_eq!(house.get(STEWARD, DRIFT).await.good()["stopped"][0]["lost"], json!(["city", "spent"]));
    // Whose row it is can't be given up.
    changed(&house, &["city", "id"], None);
    let report = house.get(STEWARD, DRIFT).await.good();
    let body = json!({"version": report["version"], "seen": report["seen"]});
    let refused = house.post(STEWARD, &format!("{DRIFT}/confirm"), body).await;
    assert_eq!(refused.status, 409);
    assert!(refused.text.contains("whose row it is"), "{}", refused.text);
}
