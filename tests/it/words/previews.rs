//! Sample rows before and after: as a release would treat them, under other pseudonyms, for some roles, on record.

use serde_json::{Value, json};
use tidegate::domain::person::Role;

use crate::database::Database;
use crate::harness::{House, usual};
use crate::on_both;

const PREVIEW: &str = "/api/v1/datasets/people/preview";
const BESIDE: &str = "/api/v1/datasets/people/see-as-vendor";

fn column(table: &Value, name: &str) -> Vec<Value> {
    let at = table["columns"].as_array().unwrap().iter().position(|column| column == name).unwrap();
    table["rows"].as_array().unwrap().iter().map(|row| row[at]["text"].clone()).collect()
}

fn texts(rows: &[Value], field: &str) -> Vec<Value> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    rows.iter().map(|row| json!(text(&row[field]))).collect()
}

async fn what_is_shown_is_what_would_be_released(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(50).await;
    let vendor = house.vendor("Acme", &[("acme-people", usual("people"))]).await;
    let token = house.token(&vendor).await;
    let pulled = house.pull(&token, "/data/v1/datasets/people/records?limit=5", "application/json").await.good();
    let pulled = pulled["rows"].as_array().unwrap();

    let fields = usual("people")["fields"].clone();
    for dataset in ["people", "people-sql"] {
        let path = format!("/api/v1/datasets/{dataset}/see-as-vendor");
        let seen = house.post(Role::DataSteward, &path, json!({"fields": fields})).await.good();
        for field in ["born", "city", "score", "spent"] {
            assert_eq!(column(&seen["after"], field), texts(pulled, field), "{dataset} {field}");
        }
        // The vendor's own pseudonyms are not told, and every preview has others.
        let ids = column(&seen["after"], "id");
        let again = house.post(Role::DataSteward, &path, json!({"fields": fields})).await.good();
        let look_alike = |id: &Value| id.as_str().unwrap().len() == 26;
        assert!(ids.iter().all(look_alike), "{ids:?}");
        for (shown, released) in ids.iter().zip(texts(pulled, "id")) {
            assert_ne!(*shown, released, "a preview is a dictionary of the vendor's pseudonyms");
        }
        assert_ne!(ids, column(&again["after"], "id"));
        assert_eq!(column(&seen["before"], "secret")[0], "hidden-0", "whole rows before");
        assert!(!seen["after"]["columns"].as_array().unwrap().contains(&json!("secret")));
        let changed =
            |table: &str| seen[table]["rows"][0].as_array().unwrap().iter().map(|cell| cell["changed"] == true).collect::<Vec<_>>();
        // id, email, name, born, city, score, spent, secret; then what is released of them.
        assert_eq!(changed("before"), [true, true, true, true, false, false, false, true]);
        assert_eq!(changed("after"), [true, true, false, false, false]);
    }
}

async fn a_preview_shows_each_field_and_what_does_not_fit(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(50).await;
    let body = json!({
        "fields": {
            "email": {"kind": "clear"}, "name": {"kind": "mask", "prefix": 2, "suffix": 0, "pad": 4},
            "city": {"kind": "round", "step": 10.0}, "secret": {"kind": "withhold"}
        },
        "condition": {"all": [{"field": "score", "op": "gte", "values": ["48"]}]}
    });
    let seen = house.post(Role::VendorManager, PREVIEW, body).await.good();
    assert_eq!(seen["rows"], 2, "only rows that the permit would release");
    let fields = seen["fields"].as_array().unwrap();
    let one = |name: &str| fields.iter().find(|field| field["name"] == name).unwrap();
    assert_eq!(one("name")["samples"][0], json!({"before": "Person Number48", "after": "Pe****"}));
    assert_eq!(one("name")["words"], "first 2 characters kept, the rest masked");
    assert_eq!(one("city")["invalid"]["field"], "fields.city.kind");
    assert_eq!(one("city")["samples"][0], json!({"before": "Ulm", "after": null}), "the others are shown all the same");
    assert_eq!(one("secret")["samples"][1], json!({"before": "hidden-49", "after": null}));
    assert_eq!(one("email")["warnings"].as_array().unwrap().len(), 1);
    assert!(one("name")["warnings"].as_array().unwrap().is_empty());

    for (rows, shown) in [(json!(null), 5), (json!(1), 1), (json!(20), 20)] {
        let seen = house.post(Role::DataSteward, PREVIEW, json!({"fields": {"city": {"kind": "clear"}}, "rows": rows})).await.good();
        assert_eq!(seen["fields"][0]["samples"].as_array().unwrap().len(), shown);
    }
    let bad = [
        (json!({}), "fields"),
        (json!({"fields": {"nothing": {"kind": "clear"}}}), "fields.nothing"),
        (json!({"fields": {"city": {"kind": "clear"}}, "rows": 21}), "rows"),
        (json!({"fields": {"city": {"kind": "clear"}}, "rows": 0}), "rows"),
        (
            json!({"fields": {"city": {"kind": "clear"}}, "condition": {"all": [{"field": "score", "op": "eq", "values": ["x"]}]}}),
            "condition.all[0].values",
        ),
    ];
    for (body, clause) in bad {
        let answer = house.post(Role::DataSteward, PREVIEW, body).await;
        assert_eq!((answer.status, answer.json()["clause"].as_str().unwrap()), (422, clause), "{}", answer.text);
    }
    // Nothing that fits shows nothing.
    let body = json!({"fields": {"city": {"kind": "clear"}}, "condition": {"all": [{"field": "city", "op": "eq", "values": ["Rome"]}]}});
    assert_eq!(house.post(Role::DataSteward, PREVIEW, body).await.good()["fields"][0]["samples"], json!([]));
}

async fn seeing_samples_is_for_some_and_is_on_record_once_a_day(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(5).await;
    let body = json!({"fields": {"email": {"kind": "clear"}}});
    for role in [Role::ComplianceReviewer, Role::Administrator] {
        for path in [PREVIEW, BESIDE] {
            let refused = house.post(role, path, body.clone()).await;
            assert_eq!(refused.status, 403, "{role:?}");
            assert!(!refused.text.contains("mail.example"));
        }
    }
    let views = async || house.history("outcome=view_samples").await;
    assert!(views().await.is_empty(), "who saw nothing is not on record as having seen");
    let looks = (0..8).map(|_| house.post(Role::DataSteward, PREVIEW, body.clone()));
    for answer in futures::future::join_all(looks).await {
        answer.good();
    }
    house.post(Role::DataSteward, BESIDE, body.clone()).await.good();
    let entries = views().await;
    assert_eq!(entries.len(), 1, "{entries:?}");
    let text = entries[0].to_string();
    assert!(text.contains(house.person_id(Role::DataSteward)) && text.contains("people"), "{text}");
    assert!(!text.contains("mail.example"), "{text}");

    house.post(Role::PrivacyOfficer, PREVIEW, body.clone()).await.good();
    house.post(Role::DataSteward, "/api/v1/datasets/people-sql/preview", body.clone()).await.good();
    assert_eq!(views().await.len(), 3, "another person, another dataset");
    // A restart forgets nothing, and the next day is another.
    let house = house.restart().await;
    house.post(Role::DataSteward, PREVIEW, body.clone()).await.good();
    assert_eq!(house.history("outcome=view_samples").await.len(), 3);
    house.at(house.clock.now().plus_days(1)).await;
    house.post(Role::DataSteward, PREVIEW, body).await.good();
    assert_eq!(house.history("outcome=view_samples").await.len(), 4);
}

async fn the_matrix_says_what_is_signed_done_and_possible(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(5).await;
    let vendor = house.vendor("Acme", &[("acme-people", usual("people")), ("acme-sql", usual("people-sql"))]).await;
    let path = format!("/api/v1/agreements/{}/matrix/people", vendor.agreement);
    let matrix = house.get(Role::ComplianceReviewer, &path).await.good();
    assert!(matrix["notices"][0].as_str().unwrap().starts_with("Linkable by order"));
    let fields = matrix["fields"].as_array().unwrap();
    let one = |name: &str| fields.iter().find(|field| field["name"] == name).unwrap();
    assert_eq!((one("city")["signed"].clone(), one("secret")["signed"].clone()), (json!(true), json!(false)));
    assert_eq!((one("id")["subject"].clone(), one("city")["subject"].clone()), (json!(true), json!(false)));
    let current = one("born")["current"].as_array().unwrap();
    assert_eq!(current.len(), 1, "permits on other datasets are not shown");
    assert_eq!((current[0]["permit"].as_str(), current[0]["words"].as_str()), (Some("acme-people"), Some("only the year")));
    assert!(one("email")["current"].as_array().unwrap().is_empty());
    // Whatever is offered, a permit may say.
    for field in fields {
        for choice in field["choices"].as_array().unwrap() {
            let body = json!({"fields": {field["name"].as_str().unwrap(): choice["treatment"]}});
            let seen = house.post(Role::DataSteward, PREVIEW, body).await.good();
            assert_eq!(seen["fields"][0]["invalid"], Value::Null, "{seen}");
        }
    }
    assert_eq!(house.get(Role::DataSteward, &path.replace("people", "nothing")).await.status, 404);
}

on_both!(
    what_is_shown_is_what_would_be_released,
    a_preview_shows_each_field_and_what_does_not_fit,
    seeing_samples_is_for_some_and_is_on_record_once_a_day,
    the_matrix_says_what_is_signed_done_and_possible
);
