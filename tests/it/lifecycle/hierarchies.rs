//! Hierarchies through the whole house: handed in, named by a permit, carried out, counted; and refused where they are not
//! there.

use serde_json::{Value, json};
use tidegate::domain::person::Role;

use super::{manager, named, officer, refused};
use crate::database::Database;
use crate::harness::{Answer, House, permit};
use crate::on_both;

on_both!(
    a_file_becomes_a_version_that_never_changes,
    what_the_hierarchy_does_not_know_stays_back_and_is_counted,
    a_permit_names_only_what_is_there,
    a_content_that_was_changed_underneath_releases_nothing,
);

const STEWARD: Role = Role::DataSteward;
const FILE: &str = "Ulm;South;Europe\nBern;Alps;Europe\nGraz;Alps;Europe\n";

async fn upload(house: &House, name: &str, file: &str) -> Answer {
    house.upload(STEWARD, "POST", &format!("/api/v1/hierarchies?name={name}"), file.as_bytes()).await
}

fn nested(version: i32, level: u8) -> Value {
    json!({"kind": "generalise_hierarchy", "hierarchy": "towns", "version": version, "level": level})
}

fn terms(treatment: Value) -> Value {
    permit("people", json!({"city": treatment}))
}

async fn pulled(house: &House, token: &str) -> Vec<Value> {
    let answer = house.pull(token, "/data/v1/datasets/people/records?limit=8", "application/json").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["rows"].as_array().unwrap().iter().map(|row| row["city"].clone()).collect()
}

async fn a_file_becomes_a_version_that_never_changes(database: Database) {
    let house = House::start(database).await;
    let first = upload(&house, "towns", FILE).await.good();
    assert_eq!((&first["version"], &first["values"], &first["texts"]), (&json!(1), &json!(3), &json!([2, 1])));
    let second = upload(&house, "towns", "Ulm;South\n").await.good();
    assert_eq!(second["version"], 2);
    assert_eq!(upload(&house, "places", FILE).await.good()["digest"], first["digest"]);
    let kept = house.get(Role::ComplianceReviewer, "/api/v1/hierarchies/towns/1").await.good();
    assert_eq!((&kept["digest"], &kept["beginning"][1]), (&first["digest"], &json!(["Bern", "Alps", "Europe"])));

    let mut listed = Vec::new();
    let mut cursor = String::new();
    loop {
        let part = house.get(Role::VendorManager, &format!("/api/v1/hierarchies?limit=1{cursor}")).await.good();
        listed
            .extend(part["items"].as_array().unwrap().iter().map(|item| format!("{}.{}", item["name"].as_str().unwrap(), item["version"])));
        match part["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(listed, ["places.1", "towns.2", "towns.1"]);

    let acts = house.history("outcome=upload").await;
    let facts: Vec<&Value> = acts.iter().map(|entry| &entry["leaf"]["facts"]).collect();
    assert_eq!(facts[0], &json!({"version": "1", "digest": first["digest"], "levels": "2"}));
    assert_eq!(acts.len(), 3);
    for (query, file, at) in [
        ("name=towns", "Ulm;South\nUlm;North\n", "file"),
        ("name=towns", "Ulm;a;x\nBern;b;x\nGraz;a;y\n", "file"),
        ("name=towns", "", "file"),
        ("name=Towns", FILE, "name"),
        ("name=new", FILE, "name"),
    ] {
        let answer = house.upload(STEWARD, "POST", &format!("/api/v1/hierarchies?{query}"), file.as_bytes()).await;
        assert_eq!((answer.status, answer.json()["clause"].as_str().unwrap_or("")), (422, at), "{}", answer.text);
        assert!(!answer.text.contains("Ulm"), "{}", answer.text);
    }
    assert_eq!(house.history("outcome=upload").await.len(), 3, "what is refused leaves nothing");
    refused(&house.upload(Role::VendorManager, "POST", "/api/v1/hierarchies?name=towns", FILE.as_bytes()).await, 403, "role");
    refused(&house.get(STEWARD, "/api/v1/hierarchies/towns/3").await, 404, "not-found");
}

async fn what_the_hierarchy_does_not_know_stays_back_and_is_counted(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(40).await;
    upload(&house, "towns", FILE).await.good();
    let vendor = house.vendor("one", &[("one", terms(nested(1, 1)))]).await;
    let token = house.token(&vendor).await;
    let told = [json!("South"), json!("Alps"), json!("Alps"), Value::Null];
    assert!(pulled(&house, &token).await.iter().enumerate().all(|(row, city)| *city == told[row % 4]), "Lyon is in no row of the file");
    let counted = async |kind: &str| house.history(&format!("kind={kind}")).await.remove(0)["leaf"]["withheld"].clone();
    assert_eq!(counted("release").await, json!({"city": 2}));
    let stream = house.pull(&token, "/data/v1/datasets/people/records", "application/x-ndjson").await;
    assert!(stream.status == 200 && !stream.text.contains("Lyon"), "{}", stream.text);
    assert_eq!(counted("closed").await, json!({"city": 10}));
    let offered = house.pull(&token, "/data/v1/datasets", "application/json").await.good();
    assert!(offered.to_string().contains("its text at level 1 of the hierarchy towns, version 1"), "{offered}");
    // A filter sees the texts of the level: a raw value is found nowhere.
    let asked = async |city: &str| {
        let path = format!("/data/v1/datasets/people/records?city=eq.{city}");
        house.pull(&token, &path, "application/json").await.good()["rows"].as_array().unwrap().len()
    };
    assert_eq!((asked("Alps").await, asked("Bern").await, asked("Lyon").await), (20, 0, 0));

    // The next version changes nothing until a permit names it; a coarser level of the same one is in force at once.
    upload(&house, "towns", "Ulm;S;E\nBern;B;E\nGraz;G;E\nLyon;L;E\n").await.good();
    assert_eq!(pulled(&house, &token).await[3], Value::Null);
    let revised = async |treatment: Value| {
        let view = house.revise("one", house.key(Role::VendorManager), &terms(treatment)).await.good();
        view["revisions"].as_array().unwrap().last().unwrap()["status"].clone()
    };
    assert_eq!(revised(nested(1, 2)).await, "in_force");
    assert_eq!(pulled(&house, &token).await[..4], [json!("Europe"), json!("Europe"), json!("Europe"), Value::Null]);
    assert_eq!(revised(nested(2, 2)).await, "proposed", "versions do not compare");
    let approve = json!({"reason": "Lyon is wanted.", "confirm_clear": []});
    drop(officer(&house, "/api/v1/permits/one/revisions/3/approve", approve).await);
}

async fn a_permit_names_only_what_is_there(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(4).await;
    upload(&house, "towns", FILE).await.good();
    let vendor = house.vendor("one", &[("one", terms(nested(1, 1)))]).await;
    let other = json!({"kind": "generalise_hierarchy", "hierarchy": "places", "version": 1, "level": 1});
    for (field, treatment, at) in [
        ("city", nested(2, 1), "fields.city.hierarchy"),
        ("city", nested(0, 1), "fields.city.hierarchy"),
        ("city", other.clone(), "fields.city.hierarchy"),
        ("city", nested(1, 3), "fields.city.level"),
        ("city", nested(1, 0), "fields.city.level"),
        ("born", nested(1, 1), "fields.born.kind"),
    ] {
        let mut wrong = permit("people", json!({}));
        wrong["fields"][field] = treatment;
        let revised = house.revise("one", house.key(Role::VendorManager), &wrong).await;
        assert_eq!((revised.status, named(&revised)), (422, vec![at.to_owned()]), "{}", revised.text);
        let path = format!("/api/v1/agreements/{}/permits", vendor.agreement);
        let written = manager(&house, &path, json!({"key": "two", "terms": wrong})).await;
        assert_eq!((written.status, named(&written)), (422, vec![at.to_owned()]), "{}", written.text);
    }
    let preview = async |fields: Value| house.post(STEWARD, "/api/v1/datasets/people/preview", json!({"fields": fields, "rows": 4})).await;
    let seen = preview(json!({"city": nested(1, 1), "name": other})).await.good();
    let after: Vec<&Value> = seen["fields"][1]["samples"].as_array().unwrap().iter().map(|sample| &sample["after"]).collect();
    assert_eq!(seen["fields"][1]["name"], "city");
    assert_eq!(after, [&json!("South"), &json!("Alps"), &json!("Alps"), &Value::Null]);
    assert_eq!(seen["fields"][0]["invalid"]["field"], "fields.name.hierarchy", "what is not there is told beside its field");
    let matrix = house.get(STEWARD, &format!("/api/v1/agreements/{}/matrix/people", vendor.agreement)).await.good();
    assert_eq!(matrix["hierarchies"][0]["name"], "towns");
}

async fn a_content_that_was_changed_underneath_releases_nothing(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(4).await;
    upload(&house, "towns", FILE).await.good();
    let vendor = house.vendor("one", &[("one", terms(nested(1, 1)))]).await;
    let token = house.token(&vendor).await;
    let changed = "UPDATE hierarchies SET content = replace(content, 'South', 'Ulm, as it is')";
    crate::store::migrations::disturb(&house.database().url, changed);
    let answer = house.pull(&token, "/data/v1/datasets/people/records", "application/json").await;
    assert_eq!(answer.status, 500, "{}", answer.text);
    assert!(!answer.text.contains("as it is"));
}
