//! Sources of every kind, real ones: the same rows come out of each, and their secrets never do.

mod bucket;
mod database;
mod same;
pub mod web;

use serde_json::{Value, json};
use tidegate::domain::person::Role;
use tidegate::engine::sample::{SampleColumn, SampleValues};
use tidegate::store::Clock;

use crate::database::Database;
use crate::harness::{House, Vendor, beginning};

/// A house that may fetch from this machine.
pub async fn house() -> House {
    House::start_with(Database::sqlite(), Clock::manual(beginning()), &[("TIDEGATE_OUTBOUND_HOSTS", "127.0.0.1,localhost")]).await
}

/// Registers a source; the answer as it came.
pub async fn add(house: &House, location: &Value, secret: Option<&str>) -> crate::harness::Answer {
    let mut body = json!({"name": "Elsewhere", "location": location});
    if let Some(secret) = secret {
        body["secret"] = json!(secret);
    }
    house.post(Role::DataSteward, "/api/v1/sources", body).await
}

/// Lets a dataset's rows come from a new source.
pub async fn moved(house: &House, dataset: &str, table: &str, location: &Value, secret: Option<&str>) -> String {
    let source = add(house, location, secret).await.good()["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/datasets/{dataset}");
    let version = house.get(Role::DataSteward, &path).await.good()["version"].clone();
    let body = json!({"version": version, "source": source, "table": table});
    house.put(Role::DataSteward, &format!("{path}/source"), body).await.good();
    source
}

/// What a vendor pulls as NDJSON and as CSV.
pub async fn pulled(house: &House, vendor: &Vendor, dataset: &str) -> [String; 2] {
    let token = house.token(vendor).await;
    let mut texts = [String::new(), String::new()];
    for (text, accept) in texts.iter_mut().zip(["application/x-ndjson", "text/csv"]) {
        let answer = house.pull(&token, &format!("/data/v1/datasets/{dataset}/records"), accept).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        *text = answer.text;
    }
    texts
}

/// A column's values as JSON.
pub fn values(column: &SampleColumn) -> Vec<Value> {
    match &column.values {
        SampleValues::Text(cells) => cells.iter().map(|cell| json!(cell)).collect(),
        SampleValues::Integer(cells) => cells.iter().map(|cell| json!(cell)).collect(),
        SampleValues::Number(cells) => cells.iter().map(|cell| json!(cell)).collect(),
        SampleValues::Boolean(cells) => cells.iter().map(|cell| json!(cell)).collect(),
        SampleValues::Date(cells) => cells.iter().map(|cell| json!(cell.map(|day| day.to_string()))).collect(),
        SampleValues::Timestamp(cells) => cells.iter().map(|cell| json!(cell.map(|at| at.to_string()))).collect(),
    }
}

/// Rows as JSON objects.
pub fn objects(columns: &[SampleColumn]) -> Vec<Value> {
    let columns: Vec<(&str, Vec<Value>)> = columns.iter().map(|column| (column.name, values(column))).collect();
    let rows = columns[0].1.len();
    let object = |row: usize| columns.iter().map(|(name, values)| ((*name).to_owned(), values[row].clone())).collect();
    (0..rows).map(|row| Value::Object(object(row))).collect()
}

/// Rows as a CSV file; no cell of theirs needs quotes.
pub fn csv(columns: &[SampleColumn]) -> String {
    let plain = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let header = columns.iter().map(|column| column.name).collect::<Vec<_>>().join(",");
    let line = |row: &Value| columns.iter().map(|column| plain(&row[column.name])).collect::<Vec<_>>().join(",");
    std::iter::once(header).chain(objects(columns).iter().map(line)).map(|line| line + "\n").collect()
}
