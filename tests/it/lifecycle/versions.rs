//! Changes carry what they were based on, so that nobody overwrites what they did not read; and a state is shown only
//! while it is true.

use serde_json::{Value, json};
use tidegate::domain::person::Role;

use super::agreements::{active, amend};
use super::refused;
use crate::database::Database;
use crate::harness::{Answer, House, permit, usual};
use crate::on_both;

/// Of two people who act at once on the same reading, one succeeds and the other is told.
#[track_caller]
fn one_of(answers: (Answer, Answer), what: &str) {
    let (done, told) = if answers.0.status < 300 { answers } else { (answers.1, answers.0) };
    assert!(done.status < 300, "{what}: {} {}", done.status, done.text);
    assert_eq!((told.status, &told.json()["type"]), (409, &json!("urn:tidegate:problem:stale")), "{what}: {}", told.text);
}

async fn of_two_at_once_one_is_told(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(5).await;
    let (vendor, paper) = active(&house, "Acme").await;
    let draft = house.draft(&vendor, "acme", &paper, &[("acme-people", usual("people"))]).await;
    let base = format!("/api/v1/agreements/{draft}/versions/1");
    let manager = house.key(Role::VendorManager).to_owned();
    let officers = (house.key(Role::PrivacyOfficer).to_owned(), house.other_officer.clone());
    let both = async |method: &str, path: &str, keys: (&str, &str), one: &Value, other: &Value| {
        tokio::join!(house.send(method, path, keys.0, Some(one)), house.send(method, path, keys.1, Some(other)))
    };

    let document = format!("{base}/document?version={}", house.counter(&draft, 1).await);
    let attached = tokio::join!(
        house.upload(Role::VendorManager, "PUT", &document, b"one contract"),
        house.upload(Role::VendorManager, "PUT", &document, b"another contract"),
    );
    one_of(attached, "attach");

    let mut fewer = usual("people");
    fewer["daily_rows"] = json!(10);
    let revision = "/api/v1/permits/acme-people/revisions/1";
    let body = |terms: &Value| json!({"version": 1, "terms": terms});
    one_of(both("PUT", revision, (&manager, &manager), &body(&usual("people")), &body(&fewer)).await, "rewrite");
    let view = house.get(Role::VendorManager, "/api/v1/permits/acme-people").await.good();
    assert_eq!(view["revisions"][0]["version"], 2);

    house.post(Role::VendorManager, &format!("{base}/submit"), json!({})).await.good();
    let body = json!({"version": house.counter(&draft, 1).await});
    one_of(both("POST", &format!("{base}/approve"), (&officers.0, &officers.1), &body, &body).await, "approve");

    let view = house.get(Role::VendorManager, &format!("/api/v1/agreements/{draft}")).await.good();
    let signature = |party: &str| json!({"version": view["versions"][0]["version"], "party": party, "name": "Kim Roe", "document": view["versions"][0]["document"]});
    let signed = both("POST", &format!("{base}/sign"), (&manager, &manager), &signature("house"), &signature("vendor")).await;
    one_of(signed, "sign");
    let view = house.get(Role::VendorManager, &format!("/api/v1/agreements/{draft}")).await.good();
    let missing = if view["versions"][0]["signatures"][0]["party"] == "house" { "vendor" } else { "house" };
    house.sign_for(&draft, 1, missing, view["versions"][0]["document"].as_str().unwrap()).await.good();

    // Two narrowings, each of another field: the second would bring back what the first took away.
    let without = |field: &str| {
        let mut terms = fewer.clone();
        terms["fields"].as_object_mut().unwrap().remove(field);
        json!({"based_on": 1, "terms": terms, "reason": "for the test"})
    };
    let revisions = "/api/v1/permits/acme-people/revisions";
    one_of(both("POST", revisions, (&manager, &manager), &without("score"), &without("city")).await, "revise");

    let mut wider = usual("people");
    wider["daily_rows"] = json!(2_000_000);
    house.revise("acme-people", &manager, &wider).await.good();
    let body = json!({"version": house.revision_counter("acme-people", 3).await});
    let approved = both("POST", &format!("{revisions}/3/approve"), (&officers.0, &officers.1), &body, &body).await;
    one_of(approved, "approve a revision");
    let view = house.get(Role::VendorManager, "/api/v1/permits/acme-people").await.good();
    assert_eq!(view["revisions"].as_array().unwrap().len(), 3);
    // What another revision withdrew was saved too, and whoever read it before is told.
    let stale = json!({"version": 1});
    refused(&house.send("POST", &format!("{revisions}/2/approve"), &officers.0, Some(&stale)).await, 409, "stale");
}

/// Where the versions and a permit's revisions stand, as both views say.
async fn standing(house: &House, agreement: &str, permit: &str) -> (Vec<String>, Vec<String>) {
    let view = house.get(Role::ComplianceReviewer, &format!("/api/v1/agreements/{agreement}")).await.good();
    let alone = house.get(Role::ComplianceReviewer, &format!("/api/v1/permits/{permit}")).await.good();
    let statuses = |list: &Value| list.as_array().unwrap().iter().map(|one| one["status"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let within = view["permits"].as_array().unwrap().iter().find(|one| one["key"] == permit).unwrap();
    assert_eq!(within["revisions"], alone["revisions"]);
    (statuses(&view["versions"]), statuses(&alone["revisions"]))
}

async fn a_successor_takes_over_on_its_day(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(5).await;
    let mut marketing = permit("people", json!({"city": {"kind": "clear"}}));
    marketing["purpose"] = json!("email-marketing");
    let acme = house.vendor("Acme", &[("acme-people", usual("people")), ("acme-mail", marketing)]).await;
    let starts = house.clock.now().date().plus_days(10);
    amend(&house, &acme.agreement, 2, |terms| {
        terms["starts_on"] = json!(starts);
        terms["purposes"] = json!(["service-usage-analytics"]);
    })
    .await;
    let all = |words: [&[&str]; 2]| words.map(|words| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()).into();
    for (at, versions, revisions) in [
        (house.clock.now(), ["signed", "signed"], ["in_force", "in_force"]),
        (starts.start().plus_seconds(-1), ["signed", "signed"], ["in_force", "in_force"]),
        (starts.start(), ["superseded", "signed"], ["superseded", "in_force"]),
        (starts.start().plus_days(400), ["superseded", "signed"], ["superseded", "in_force"]),
    ] {
        house.at(at).await;
        assert_eq!(standing(&house, &acme.agreement, "acme-people").await, all([&versions, &revisions]), "{at}");
    }
    let view = house.get(Role::ComplianceReviewer, &format!("/api/v1/agreements/{}", acme.agreement)).await.good();
    assert_eq!((&view["versions"][0]["at"], &view["left_behind"]), (&json!(starts.start().to_string()), &json!(["acme-mail"])));
    assert_eq!(standing(&house, &acme.agreement, "acme-mail").await.1, ["in_force"], "nothing took over from it");

    // The end comes to what still stood; what was superseded stays that.
    let path = format!("/api/v1/agreements/{}/end", acme.agreement);
    house.post(Role::VendorManager, &path, super::because()).await.good();
    assert_eq!(standing(&house, &acme.agreement, "acme-people").await.0, ["superseded", "terminated"]);
    let after = house.get(Role::ComplianceReviewer, &format!("/api/v1/agreements/{}", acme.agreement)).await.good();
    assert_eq!(after["versions"][0]["at"], view["versions"][0]["at"]);
}

/// A narrowing also narrows what waits for its day; each is based on what was read.
async fn a_narrowing_reaches_what_waits(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(5).await;
    let acme = house.vendor("Acme", &[("acme-people", usual("people"))]).await;
    let starts = house.clock.now().date().plus_days(10);
    amend(&house, &acme.agreement, 2, |terms| terms["starts_on"] = json!(starts)).await;
    let mut narrow = usual("people");
    narrow["fields"].as_object_mut().unwrap().remove("score");
    // Revision 2 waits for the amendment; 3 is in force at once, and 4 is the same under the amendment.
    house.revise("acme-people", house.key(Role::VendorManager), &narrow).await.good();
    let revisions = standing(&house, &acme.agreement, "acme-people").await.1;
    assert_eq!(revisions, ["superseded", "superseded", "in_force", "in_force"]);
    let token = house.token(&acme).await;
    assert!(super::rows(&house, &token).await.unwrap()[0].get("score").is_none());
    house.at(starts.start()).await;
    let revisions = standing(&house, &acme.agreement, "acme-people").await.1;
    assert_eq!(revisions, ["superseded", "superseded", "superseded", "in_force"]);
    let token = house.token(&acme).await;
    assert!(super::rows(&house, &token).await.unwrap()[0].get("score").is_none());
}

on_both!(of_two_at_once_one_is_told, a_successor_takes_over_on_its_day, a_narrowing_reaches_what_waits);
