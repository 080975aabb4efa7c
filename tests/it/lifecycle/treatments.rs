//! The treatments that know whose row it is, that find and that place: through the whole house, down to the history.

use serde_json::{Value, json};
use tidegate::domain::person::Role;
use tidegate::domain::time::Date;

use super::{manager, named, officer, refused};
use crate::database::Database;
use crate::harness::{House, Vendor, permit};
use crate::on_both;

on_both!(
    a_subject_that_is_withheld_still_moves_its_dates,
    what_a_treatment_can_not_tell_stays_back_and_is_counted,
    tokens_are_turned_back_by_an_officer_and_on_record,
);

const NDJSON: &str = "application/x-ndjson";

/// Every field but the subject's own, each under a treatment of another kind.
fn terms(dataset: &str) -> Value {
    permit(
        dataset,
        json!({
            "email": {"kind": "redact_text", "kinds": ["email", "phone"]},
            "name": {"kind": "reversible_token"},
            "born": {"kind": "date_shift", "days": 30},
            "city": {"kind": "geo", "as": "postal_prefix", "length": 2, "small": ["UL"]},
            "score": {"kind": "noise", "scale": 3.0},
            "spent": {"kind": "noise", "scale": 5.0}
        }),
    )
}

async fn vendor(house: &House, name: &str) -> (Vendor, String) {
    let (one, other) = (format!("{name}-people"), format!("{name}-sql"));
    let vendor = house.vendor(name, &[(one.as_str(), terms("people")), (other.as_str(), terms("people-sql"))]).await;
    let token = house.token(&vendor).await;
    (vendor, token)
}

async fn pulled(house: &House, token: &str, dataset: &str) -> Vec<Value> {
    let answer = house.pull(token, &format!("/data/v1/datasets/{dataset}/records"), NDJSON).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn column<'a>(rows: &'a [Value], name: &str) -> Vec<&'a Value> {
    rows.iter().map(|row| &row[name]).collect()
}

fn same(one: &[&Value], other: &[&Value]) -> usize {
    one.iter().zip(other).filter(|(one, other)| one == other).count()
}

async fn a_subject_that_is_withheld_still_moves_its_dates(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(200).await;
    let (_, token) = vendor(&house, "one").await;
    let (_, others) = vendor(&house, "two").await;
    let (ours, sql, theirs) =
        (pulled(&house, &token, "people").await, pulled(&house, &token, "people-sql").await, pulled(&house, &others, "people").await);
    assert!(ours.iter().all(|row| row.get("id").is_none()), "the subject's own column stays back");
    for (row, born) in column(&ours, "born").into_iter().enumerate() {
        let moved = born.as_str().unwrap().parse::<Date>().unwrap().days_since_epoch() - (i32::try_from(row).unwrap() - 3653);
        assert!(moved != 0 && moved.abs() <= 30, "row {row} moved by {moved}");
    }
    assert_eq!(column(&ours, "born"), column(&sql, "born"), "one person's dates move alike in every table of the vendor");
    // 60 offsets, so that some of 200 people meet by chance.
    assert!(same(&column(&ours, "born"), &column(&theirs, "born")) < 20, "two agreements share no offset");
    assert!(same(&column(&ours, "spent"), &column(&theirs, "spent")) < 5, "nor noise");
    assert!(same(&column(&ours, "spent"), &column(&sql, "spent")) < 5, "nor do two fields");
    assert_eq!(same(&column(&ours, "name"), &column(&theirs, "name")), 0, "nor tokens");
    assert_eq!(pulled(&house, &token, "people").await, ours, "asking again tells nothing new");
    for (row, cells) in ours.iter().enumerate() {
        assert_eq!(cells["email"], "[e-mail]");
        assert!((cells["score"].as_i64().unwrap() - i64::try_from(row).unwrap()).abs() <= 3);
        assert!((cells["spent"].as_f64().unwrap() - row as f64 * 1.25).abs() <= 5.0 + 1e-9);
    }
}

async fn what_a_treatment_can_not_tell_stays_back_and_is_counted(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(40).await;
    let (_, token) = vendor(&house, "one").await;
    let rows = pulled(&house, &token, "people").await;
    let towns = [Value::Null, json!("BE"), json!("GR"), json!("LY")];
    assert!(column(&rows, "city").into_iter().enumerate().all(|(row, town)| *town == towns[row % 4]));
    let page = house.pull(&token, "/data/v1/datasets/people/records?limit=8", "application/json").await;
    assert_eq!(page.status, 200, "{}", page.text);
    let counted = async |kind: &str| house.history(&format!("kind={kind}")).await.remove(0)["leaf"]["withheld"].clone();
    assert_eq!(counted("closed").await, json!({"city": 10}));
    assert_eq!(counted("release").await, json!({"city": 2}));

    // What does not fit the type is refused when the permit is written.
    let wrong = |field: &str, treatment: Value| {
        let mut terms = terms("people");
        terms["fields"][field] = treatment;
        terms
    };
    for (terms, at) in [
        (wrong("city", json!({"kind": "date_shift", "days": 3})), "fields.city.kind"),
        (wrong("born", json!({"kind": "date_shift", "days": 0})), "fields.born.days"),
        (wrong("score", json!({"kind": "noise", "scale": 0.5})), "fields.score.scale"),
        (wrong("spent", json!({"kind": "redact_text", "kinds": ["email"]})), "fields.spent.kind"),
        (wrong("email", json!({"kind": "redact_text", "kinds": []})), "fields.email.kinds"),
        (wrong("city", json!({"kind": "geo", "as": "h3", "resolution": 16})), "fields.city.resolution"),
    ] {
        let answer = house.revise("one-people", house.key(Role::VendorManager), &terms).await;
        assert_eq!((answer.status, named(&answer)), (422, vec![at.to_owned()]), "{}", answer.text);
    }
    // Less goes out at once; what can't be ranked waits.
    let revised = async |terms: Value| {
        let view = house.revise("one-people", house.key(Role::VendorManager), &terms).await.good();
        view["revisions"].as_array().unwrap().last().unwrap()["status"].clone()
    };
    let fewer = wrong("city", json!({"kind": "geo", "as": "postal_prefix", "length": 2, "small": ["UL", "BE"]}));
    assert_eq!(revised(fewer).await, "in_force");
    assert_eq!(revised(wrong("spent", json!({"kind": "noise", "scale": 50.0}))).await, "proposed");
}

async fn tokens_are_turned_back_by_an_officer_and_on_record(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(10).await;
    let (first, token) = vendor(&house, "one").await;
    let (_, others) = vendor(&house, "two").await;
    let ours = pulled(&house, &token, "people").await;
    let theirs = pulled(&house, &others, "people").await;
    let path = "/api/v1/permits/one-people/tokens/reveal";
    let ask = |tokens: Value| json!({"field": "name", "tokens": tokens, "reason": "A person asks what was sent."});
    let both = ask(json!([ours[3]["name"], theirs[3]["name"], "nonsense"]));
    let revealed = officer(&house, path, both.clone()).await.good();
    let values: Vec<&Value> = revealed["tokens"].as_array().unwrap().iter().map(|one| &one["value"]).collect();
    assert_eq!(values, [&json!("Person Number3"), &Value::Null, &Value::Null], "another agreement's token is none here");

    refused(&manager(&house, path, both.clone()).await, 403, "role");
    for role in [Role::Administrator, Role::DataSteward, Role::ComplianceReviewer] {
        refused(&house.post(role, path, both.clone()).await, 403, "role");
    }
    // A vendor's token opens no way of the staff.
    assert_eq!(house.send("POST", path, &token, Some(&both)).await.status, 401);

    for (body, at) in [
        (ask(json!([])), "tokens"),
        (ask(json!(vec!["a"; 101])), "tokens"),
        (ask(json!(["a".repeat(14_001)])), "tokens"),
        (json!({"field": "born", "tokens": ["a"], "reason": "for the test"}), "field"),
    ] {
        let answer = officer(&house, path, body).await;
        assert_eq!((answer.status, named(&answer)), (422, vec![at.to_owned()]), "{}", answer.text);
    }
    let entries = house.history("").await;
    let acts: Vec<&Value> = entries.iter().filter(|entry| entry["leaf"]["act"] == "reveal_tokens").collect();
    let [act] = acts[..] else { panic!("what was refused leaves no act: {acts:?}") };
    assert_eq!(act["leaf"]["facts"], json!({"field": "name", "tokens": "3", "known": "1"}));
    assert!(!act["leaf"].to_string().contains("Number3") && !act["leaf"].to_string().contains(ours[3]["name"].as_str().unwrap()));

    let end = json!({"reason": "It is over."});
    officer(&house, &format!("/api/v1/agreements/{}/end", first.agreement), end.clone()).await.good();
    officer(&house, &format!("/api/v1/agreements/{}/destroy-key", first.agreement), end).await.good();
    refused(&officer(&house, path, both).await, 409, "wrong-state");
}
