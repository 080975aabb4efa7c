//! What a reviewer reads beside a round or a version: the round before, the progress, what a version changes.

use serde_json::{Value, json};
use tidegate::domain::person::Role;

use crate::database::Database;
use crate::harness::{House, processor_terms, usual};
use crate::on_both;

async fn open_round(house: &House, vendor: &str) -> String {
    let body = json!({"kind": "security", "template": "security"});
    let round = house.post(Role::VendorManager, &format!("/api/v1/vendors/{vendor}/assessments"), body).await.good();
    let path = format!("/api/v1/assessments/{}", round["id"].as_str().unwrap());
    house.post(Role::VendorManager, &format!("{path}/send"), json!({})).await.good();
    path
}

async fn a_round_is_read_beside_the_one_before(database: Database) {
    let house = House::start(database).await;
    let vendor = house.register("Acme").await;
    let reader = Role::ComplianceReviewer;
    house.assess(&vendor).await;
    let rounds = house.get(reader, &format!("/api/v1/vendors/{vendor}/assessments")).await.good();
    let first = rounds["items"][0]["id"].as_str().unwrap().to_owned();
    let alone = house.get(reader, &format!("/api/v1/assessments/{first}/comparison")).await.good();
    assert_eq!((alone["previous"].clone(), alone["change"].clone()), (Value::Null, Value::Null));
    assert_eq!(alone["evidence_added"], json!([]), "without a round before there is nothing to be added to");

    house.at(house.clock.now().plus_days(400)).await;
    let today = house.clock.now().date();
    let query = format!("name=New&type=soc2&issued={}&expires={}", today.plus_days(-5), today.plus_days(100));
    house.upload(Role::VendorManager, "POST", &format!("/api/v1/vendors/{vendor}/evidence?{query}"), b"report").await.good();
    house.at(house.clock.now().plus_days(250)).await;
    let path = open_round(&house, &vendor).await;
    let read = house.get(reader, &path).await.good();
    let question = read["questionnaire"]["questions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["kind"] == "yes_no" && one["weight"].as_u64() > Some(0))
        .unwrap()
        .clone();
    let id = question["id"].as_str().unwrap();
    let before = house.get(reader, &format!("{path}/progress")).await.good();
    let body = json!({"version": read["version"], "answers": {id: {"kind": "yes_no", "value": question["good"]}}});
    house.put(Role::VendorManager, &format!("{path}/answers"), body).await.good();
    let after = house.get(reader, &format!("{path}/progress")).await.good();
    let answered =
        |progress: &Value| progress["items"].as_array().unwrap().iter().map(|one| one["answered"].as_u64().unwrap()).sum::<u64>();
    assert_eq!((answered(&before), answered(&after)), (0, 1));

    let compared = house.get(reader, &format!("{path}/comparison")).await.good();
    assert_eq!((compared["previous"].as_str(), compared["provisional"].clone()), (Some(first.as_str()), json!(true)));
    let changed: Vec<_> = compared["questions"].as_array().unwrap().iter().filter(|one| one["changed"] == true).collect();
    assert_eq!(changed.len(), 1);
    assert_eq!((changed[0]["question"].as_str(), changed[0]["before"].clone()), (Some(id), Value::Null));
    assert_eq!(changed[0]["after"], question["good"]);
    assert!(changed[0]["change"].as_f64().unwrap() > 0.0 && compared["change"].as_f64().unwrap() > 0.0);
    let named = |list: &str| compared[list].as_array().unwrap().iter().map(|paper| paper["name"].as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(named("evidence_added"), ["New"]);
    // The new paper came and went since the round before; the certificate stood then and ran out since.
    assert_eq!(named("evidence_expired"), ["New", "Certificate"]);
}

async fn a_version_says_what_it_changes_and_who_may_approve(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(5).await;
    let vendor = house.vendor("Acme", &[("acme-people", usual("people")), ("acme-sql", usual("people-sql"))]).await;
    let base = format!("/api/v1/agreements/{}", vendor.agreement);
    let first = house.get(Role::ComplianceReviewer, &format!("{base}/versions/1/impact")).await.good();
    assert_eq!((first["compared_with"].clone(), first["permits"].as_array().unwrap().len()), (Value::Null, 2));

    // An officer writes the amendment: the other one alone may approve it.
    house.post(Role::PrivacyOfficer, &format!("{base}/amend"), json!({})).await.good();
    let view = house.get(Role::PrivacyOfficer, &base).await.good();
    let version = view["versions"].as_array().unwrap().last().unwrap().clone();
    let paper = version["terms"]["security_evidence"][0].as_str().unwrap();
    let mut terms = processor_terms(&house.clock, paper);
    terms["data_categories"] = json!(["technical", "contact", "identifying", "demographic", "account", "financial", "location"]);
    terms["breach_notice"]["hours"] = json!(48);
    terms["purposes"] = json!(["service-usage-analytics", "email-marketing", "market-research"]);
    let body = json!({"version": version["version"], "terms": terms});
    house.put(Role::PrivacyOfficer, &format!("{base}/versions/2/terms"), body).await.good();
    let mut wider = usual("people");
    wider["fields"]["email"] = json!({"kind": "clear"});
    wider["fields"]["born"] = json!({"kind": "clear"});
    let body = json!({"key": "acme-new", "terms": wider});
    house.post(Role::VendorManager, &format!("{base}/permits"), body).await.good();

    let impact = house.get(Role::ComplianceReviewer, &format!("{base}/versions/2/impact")).await.good();
    assert_eq!(impact["compared_with"], 1);
    assert_eq!(impact["terms"]["summary"], "1 purpose added, 1 clause weakened");
    assert_eq!(impact["confirm_clear"], json!(["email"]));
    let fates: Vec<_> =
        impact["permits"].as_array().unwrap().iter().map(|one| (one["permit"].as_str().unwrap(), one["fate"].as_str().unwrap())).collect();
    assert_eq!(fates, [("acme-new", "new"), ("acme-people", "taken_along"), ("acme-sql", "taken_along")]);
    assert_eq!(impact["permits"][0]["changes"]["summary"], "6 fields added");
    let missing: Vec<_> = impact["missing"].as_array().unwrap().iter().map(|one| one["field"].as_str().unwrap()).collect();
    assert_eq!(missing, ["document"]);
    assert_eq!(impact["warnings"].as_array().unwrap().len(), 1);
    let approvers: Vec<_> = impact["approvers"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(approvers, ["other_officer"], "nobody approves what they wrote");
    let authors = impact["authors"].to_string();
    assert!(authors.contains(house.person_id(Role::PrivacyOfficer)) && authors.contains(house.person_id(Role::VendorManager)));

    // Without the category, the standing permits do not go on.
    let view = house.get(Role::PrivacyOfficer, &base).await.good();
    terms["data_categories"] = json!(["technical", "demographic", "account", "financial", "contact"]);
    let body = json!({"version": view["versions"][1]["version"], "terms": terms});
    house.put(Role::PrivacyOfficer, &format!("{base}/versions/2/terms"), body).await.good();
    let impact = house.get(Role::ComplianceReviewer, &format!("{base}/versions/2/impact")).await.good();
    let left = impact["permits"].as_array().unwrap().iter().filter(|one| one["fate"] == "left_behind").count();
    assert_eq!(left, 3);
    assert!(impact["permits"][1]["outside"].as_str().unwrap().contains("location"));
    assert_eq!(house.get(Role::DataSteward, &format!("{base}/versions/9/impact")).await.status, 404);
}

on_both!(a_round_is_read_beside_the_one_before, a_version_says_what_it_changes_and_who_may_approve);
