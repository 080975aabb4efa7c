//! Orders look at released values only: what is equal there stays in the order of the source.

use serde_json::{Value, json};
use tidegate::engine::sample::{SampleValues, write_parquet};

use super::{ARROW, NDJSON, RECORDS, lines, pulled, read_arrow, rows_of};
use crate::database::{Database, run};
use crate::harness::{House, people_columns, permit};

/// People whose raw city falls while its released first letter rises in steps, and whose score is NULL now and then.
async fn house_and_token() -> (House, String) {
    let house = House::start(Database::sqlite()).await;
    house.catalogue_people(400).await;
    let mut columns = people_columns(400);
    let city = |row: usize| format!("{}{:03}", ["C", "A", "B"][row % 3], 999 - row);
    columns[4].values = SampleValues::Text((0..400).map(|row| Some(city(row))).collect());
    columns[5].values = SampleValues::Integer((0..400).map(|row| (row % 5 > 0).then_some(row as i64 % 7)).collect());
    write_parquet(&house.sources().join("people.parquet"), &columns).unwrap();
    let terms = permit(
        "people",
        json!({"id": {"kind": "pseudonym", "format": "base32"}, "city": {"kind": "truncate", "length": 1}, "score": {"kind": "clear"}}),
    );
    let vendor = house.vendor("Acme", &[("acme", terms)]).await;
    let token = house.token(&vendor).await;
    (house, token)
}

async fn stream(house: &House, token: &str, query: &str) -> Vec<Value> {
    let (status, _, bytes) = pulled(house, token, &format!("{RECORDS}?{query}"), &[("accept", NDJSON)]).await;
    assert_eq!(status, 200, "{query}: {}", String::from_utf8_lossy(&bytes));
    lines(&bytes)
}

#[test]
fn an_order_tells_nothing_of_what_was_treated() {
    run(async {
        let (house, token) = house_and_token().await;
        let as_is = stream(&house, &token, "").await;
        let mut expected = as_is.clone();
        // Stable: equal letters stay as the source has them, whatever raw city they came from.
        expected.sort_by_key(|row| row["city"].as_str().unwrap().to_owned());
        assert_eq!(stream(&house, &token, "order=city").await, expected);
        expected = as_is.clone();
        expected.sort_by_key(|row| std::cmp::Reverse(row["city"].as_str().unwrap().to_owned()));
        assert_eq!(stream(&house, &token, "order=city.desc").await, expected);

        let key = |row: &Value| row["score"].as_i64();
        expected = as_is.clone();
        expected.sort_by_key(|row| (key(row).is_none(), key(row)));
        for query in ["order=score", "order=score.asc", "order=score.asc.nullslast", "order=score.nullslast"] {
            assert_eq!(stream(&house, &token, query).await, expected, "{query}");
        }
        expected.sort_by_key(|row| (key(row).is_some(), key(row)));
        assert_eq!(stream(&house, &token, "order=score.nullsfirst").await, expected);
        expected = as_is.clone();
        expected.sort_by_key(|row| (key(row).is_none(), std::cmp::Reverse(key(row)), row["city"].as_str().unwrap().to_owned()));
        assert_eq!(stream(&house, &token, "order=score.desc.nullslast,city").await, expected);

        // Pages and the other formats read the same order, and no page repeats or loses a row.
        let (mut paged, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("{RECORDS}?order=score.desc.nullslast,city&limit=37{cursor}");
            let page = house.pull(&token, &path, "application/json").await.good();
            paged.extend(page["rows"].as_array().unwrap().iter().cloned());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(paged, expected);
        let (_, _, bytes) = pulled(&house, &token, &format!("{RECORDS}?order=score.desc.nullslast,city"), &[("accept", ARROW)]).await;
        assert_eq!(rows_of(&read_arrow(&bytes)), expected);
    });
}

#[test]
fn an_order_by_what_is_withheld_is_one_by_what_is_not_there() {
    run(async {
        let (house, token) = house_and_token().await;
        for suffix in ["", ".desc", ".asc.nullsfirst", ".nullslast"] {
            let of = async |name: &str| {
                let answer = house.pull(&token, &format!("{RECORDS}?order=city,{name}{suffix},{name}{suffix}"), NDJSON).await;
                (answer.status, answer.text.replace(name, "NAME").split("request_id").next().unwrap().to_owned())
            };
            let unknown = of("nothing").await;
            assert_eq!(unknown.0, 400);
            assert_eq!(of("secret").await, unknown, "{suffix}");
        }
        for twice in ["order=city,city.desc", "order=score,city,score"] {
            assert_eq!(house.pull(&token, &format!("{RECORDS}?{twice}"), NDJSON).await.status, 400, "{twice}");
        }
    });
}
