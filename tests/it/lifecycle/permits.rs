//! Permits: written within the agreement, narrowed at once, widened by a second person; and the dataset under them.

use serde_json::{Value, json};
use tidegate::domain::person::Role;

use super::{because, closed_by, manager, officer, refused, rows};
use crate::database::Database;
use crate::harness::{House, people_fields, permit, usual};
use crate::on_both;

fn with(mut value: Value, pointer: &str, member: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    value.pointer_mut(parent).unwrap()[name] = member;
    value
}

fn without_field(mut terms: Value, field: &str) -> Value {
    terms["fields"].as_object_mut().unwrap().remove(field);
    terms
}

async fn revise(house: &House, terms: &Value) -> crate::harness::Answer {
    house.revise("acme-people", house.key(Role::VendorManager), terms).await
}

async fn a_permit_is_written_within_the_agreement_and_the_types(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(5).await;
    let vendor = house.register("Acme").await;
    let paper = house.assess(&vendor).await;
    let draft = house.draft(&vendor, "acme", &paper, &[]).await;
    let path = format!("/api/v1/agreements/{draft}/permits");
    let good = usual("people");
    let field = |name: &str, treatment: Value| with(good.clone(), &format!("/fields/{name}"), treatment);
    let table = [
        ("a category beyond the signed ones", field("secret", json!({"kind": "clear"})), "fields"),
        ("a purpose beyond the signed ones", with(good.clone(), "/purpose", json!("direct-marketing")), "purpose"),
        ("a purpose of no vocabulary", with(good.clone(), "/purpose", json!("fun")), "purpose"),
        ("another instruction", with(good.clone(), "/instruction", json!("Do as you like.")), "instruction"),
        ("no instruction", with(good.clone(), "/instruction", Value::Null), "instruction"),
        ("an unknown dataset", with(good.clone(), "/dataset", json!("nothing")), "dataset"),
        ("an unknown field", field("nothing", json!({"kind": "clear"})), "fields.nothing"),
        ("a field in another case", field("City", json!({"kind": "clear"})), "fields.City"),
        ("nothing released", with(good.clone(), "/fields", json!({"city": {"kind": "withhold"}})), "fields"),
        ("no fields", with(good.clone(), "/fields", json!({})), "fields"),
        ("no quota", with(good.clone(), "/daily_rows", json!(0)), "daily_rows"),
        ("an absurd quota", with(good.clone(), "/daily_rows", json!(u64::MAX)), "daily_rows"),
        (
            "an end before the start",
            with(with(good.clone(), "/starts_on", json!("2026-08-01")), "/ends_on", json!("2026-07-01")),
            "ends_on",
        ),
        ("a mask of a number", field("score", json!({"kind": "mask", "prefix": 1, "suffix": 0, "pad": 1})), "fields.score.kind"),
        ("a mask without padding", field("city", json!({"kind": "mask", "prefix": 1, "suffix": 0, "pad": 0})), "fields.city.pad"),
        ("a truncated date", field("born", json!({"kind": "truncate", "length": 4})), "fields.born.kind"),
        ("nothing left of a text", field("city", json!({"kind": "truncate", "length": 0})), "fields.city.length"),
        ("a rounded text", field("city", json!({"kind": "round", "step": 1.0})), "fields.city.kind"),
        ("a step of nothing", field("spent", json!({"kind": "round", "step": 0.0})), "fields.spent.step"),
        ("half steps of whole numbers", field("score", json!({"kind": "round", "step": 0.5})), "fields.score.step"),
        ("a month of a number", field("score", json!({"kind": "generalise_date", "unit": "month"})), "fields.score.kind"),
        (
            "an age in bands of nothing",
            field("born", json!({"kind": "generalise_date", "unit": "age", "width": 0, "at": "2026-01-01"})),
            "fields.born.width",
        ),
        ("bands of nothing", field("spent", json!({"kind": "generalise_number", "width": 0.0, "as": "range"})), "fields.spent.width"),
        ("codes without bounds", field("spent", json!({"kind": "top_bottom_code", "as": "bound"})), "fields.spent.top"),
        (
            "codes upside down",
            field("spent", json!({"kind": "top_bottom_code", "bottom": 9.0, "top": 1.0, "as": "bound"})),
            "fields.spent.bottom",
        ),
        ("a long constant", field("city", json!({"kind": "constant", "value": "x".repeat(501)})), "fields.city.value"),
        (
            "a condition on nothing",
            with(good.clone(), "/condition", json!({"all": [{"field": "nothing", "op": "eq", "values": ["1"]}]})),
            "condition.all[0].field",
        ),
        (
            "a condition of a wrong type",
            with(good.clone(), "/condition", json!({"all": [{"field": "score", "op": "eq", "values": ["ten"]}]})),
            "condition.all[0].values",
        ),
    ];
    for (what, terms, clause) in table {
        let answer = manager(&house, &path, json!({"key": "acme-people", "terms": terms})).await;
        refused(&answer, 422, "invalid");
        assert_eq!(answer.json()["clause"], clause, "{what}: {}", answer.text);
    }
    for key in ["", "Acme", "1st", "a b", "a.b", "a/b", "ä", &"a".repeat(64)] {
        let answer = manager(&house, &path, json!({"key": key, "terms": good})).await;
        refused(&answer, 422, "invalid");
        assert_eq!(answer.json()["clause"], "key", "{key}");
    }
    manager(&house, &path, json!({"key": "acme-people", "terms": good})).await.good();
}

async fn a_narrowing_acts_at_once_and_a_widening_waits(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(5).await;
    let vendor = house.vendor("Acme", &[("acme-people", usual("people"))]).await;
    let token = house.token(&vendor).await;
    let first = rows(&house, &token).await.unwrap();
    let path = "/api/v1/permits/acme-people";
    let status = async || {
        let view = house.get(Role::ComplianceReviewer, path).await.good();
        view["revisions"].as_array().unwrap().iter().map(|one| one["status"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };

    // What the key stands for never changes, and nothing leaves the signed categories.
    for (pointer, value, clause) in [
        ("/dataset", json!("people-sql"), "dataset"),
        ("/purpose", json!("email-marketing"), "purpose"),
        ("/legal_basis", json!("consent"), "legal_basis"),
        ("/fields/secret", json!({"kind": "clear"}), "fields"),
    ] {
        let answer = revise(&house, &with(usual("people"), pointer, value)).await;
        refused(&answer, 422, "invalid");
        assert_eq!(answer.json()["clause"], clause);
    }
    assert_eq!(status().await, ["in_force"]);

    let narrow =
        with(without_field(usual("people"), "score"), "/condition", json!({"all": [{"field": "city", "op": "eq", "values": ["Bern"]}]}));
    revise(&house, &narrow).await.good();
    let narrowed = rows(&house, &token).await.unwrap();
    assert_eq!((narrowed.len(), &narrowed[0]["city"]), (1, &json!("Bern")));
    assert!(first[0]["score"].is_i64() && narrowed[0].get("score").is_none());
    assert_eq!(status().await, ["superseded", "in_force"]);

    // Each of these tells more than what is in force: it waits, and changes nothing.
    let wider = [
        ("a field more", usual("people")),
        ("fewer conditions", without_field(usual("people"), "score")),
        ("a weaker treatment", with(narrow.clone(), "/fields/born", json!({"kind": "generalise_date", "unit": "month"}))),
        ("a higher quota", with(narrow.clone(), "/daily_rows", json!(2_000_000))),
        ("another mask", with(narrow.clone(), "/fields/email", json!({"kind": "mask", "prefix": 1, "suffix": 0, "pad": 3}))),
    ];
    for (at, (what, terms)) in wider.iter().enumerate() {
        revise(&house, terms).await.good();
        assert_eq!(rows(&house, &token).await.unwrap(), narrowed, "{what}");
        let number = at + 3;
        assert_eq!(status().await[number - 1], "proposed", "{what}");
        let (manager, approver) = (house.key(Role::VendorManager), house.key(Role::PrivacyOfficer));
        refused(&house.approve_revision("acme-people", number, manager, json!([])).await, 403, "role");
        officer(&house, &format!("{path}/revisions/{number}/reject"), because()).await.good();
        refused(&house.approve_revision("acme-people", number, approver, json!([])).await, 409, "wrong-state");
    }

    // An officer's own widening needs the other officer, and a direct identifier in clear needs the tick.
    let open = with(usual("people"), "/fields/email", json!({"kind": "clear"}));
    house.revise("acme-people", house.key(Role::PrivacyOfficer), &open).await.good();
    let approve = async |officer: &str, ticks: Value| house.approve_revision("acme-people", 8, officer, ticks).await;
    refused(&approve(house.key(Role::PrivacyOfficer), json!(["email"])).await, 403, "second-person");
    refused(&approve(&house.other_officer, json!([])).await, 422, "invalid");
    assert_eq!(rows(&house, &token).await.unwrap(), narrowed);
    approve(&house.other_officer, json!(["email"])).await.good();
    let widened = rows(&house, &token).await.unwrap();
    assert_eq!((widened.len(), &widened[0]["email"]), (5, &json!("person-0@mail.example")));
    assert_eq!(widened[0]["id"], first[0]["id"], "the pseudonym stays through revisions");
    assert_eq!(status().await.iter().filter(|one| *one == "in_force").count(), 1);

    // Every release names the revision that it was made under.
    let releases = house.history(&format!("kind=release&vendor={}", vendor.id)).await;
    let revisions: Vec<i64> = releases.iter().map(|entry| entry["leaf"]["revision"].as_i64().unwrap()).collect();
    assert!(revisions.is_sorted() && revisions.first() == Some(&1) && revisions.last() == Some(&8), "{revisions:?}");
}

async fn pause_resume_dates_and_end(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(5).await;
    let today = house.clock.now().date();
    let timed = with(
        with(permit("people", json!({"city": {"kind": "clear"}})), "/starts_on", json!(today.plus_days(1))),
        "/ends_on",
        json!(today.plus_days(2)),
    );
    let vendor = house.vendor("Acme", &[("acme-people", usual("people")), ("acme-timed", timed)]).await;
    let path = "/api/v1/permits/acme-people";
    let token = house.ask_token(&vendor, Some("acme-people")).await.good()["access_token"].as_str().unwrap().to_owned();
    refused(&officer(&house, &format!("{path}/resume"), because()).await, 409, "wrong-state");
    manager(&house, &format!("{path}/pause"), because()).await.good();
    assert_eq!(rows(&house, &token).await, closed_by("permit"));
    refused(&manager(&house, &format!("{path}/pause"), because()).await, 409, "wrong-state");
    refused(&manager(&house, &format!("{path}/resume"), because()).await, 403, "role");
    officer(&house, &format!("{path}/resume"), because()).await.good();
    assert_eq!(rows(&house, &token).await.unwrap().len(), 5);
    manager(&house, &format!("{path}/end"), because()).await.good();
    assert_eq!(rows(&house, &token).await, closed_by("permit"));
    for act in ["pause", "end"] {
        refused(&manager(&house, &format!("{path}/{act}"), because()).await, 409, "wrong-state");
    }
    refused(&officer(&house, &format!("{path}/resume"), because()).await, 409, "wrong-state");
    refused(&revise(&house, &without_field(usual("people"), "score")).await, 409, "wrong-state");

    let (starts, ends) = (today.plus_days(1).start(), today.plus_days(2).end());
    for (at, open) in [(starts.plus_seconds(-1), false), (starts, true), (ends.plus_seconds(-1), true), (ends, false)] {
        house.at(at).await;
        let answer = house.ask_token(&vendor, Some("acme-timed")).await;
        assert_eq!(answer.status == 200, open, "{at}: {}", answer.text);
        if !open {
            assert_eq!(answer.json()["gate"], "permit", "{at}");
        }
    }
}

async fn a_dataset_is_edited_with_its_version(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(5).await;
    let path = "/api/v1/datasets/people";
    let subject = json!({"field": "id", "domain": "person"});
    let edit = async |version: i64, fields: &Value, subject: &Value| {
        house.put(Role::DataSteward, path, json!({"version": version, "fields": fields, "subject": subject})).await
    };

    let twice = with(people_fields(), "/1/name", json!("ID"));
    let table = [
        ("no fields", json!([]), subject.clone(), "fields"),
        ("a field twice", twice, subject.clone(), "fields[1].name"),
        ("no column of the table", with(people_fields(), "/1/name", json!("nothing")), subject.clone(), "fields[1].name"),
        ("another type than the source's", with(people_fields(), "/1/type", json!("integer")), subject.clone(), "fields[1].type"),
        ("a category of no vocabulary", with(people_fields(), "/1/category", json!("stuff")), subject.clone(), "fields[1].category"),
        ("a subject that is no field", people_fields(), json!({"field": "nothing", "domain": "person"}), "subject.field"),
        ("a subject that is no key", people_fields(), json!({"field": "spent", "domain": "other"}), "subject.field"),
        ("a domain of another type", people_fields(), json!({"field": "score", "domain": "person"}), "subject.field"),
    ];
    for (what, fields, subject, clause) in table {
        let answer = edit(1, &fields, &subject).await;
        refused(&answer, 422, "invalid");
        assert_eq!(answer.json()["clause"], clause, "{what}: {}", answer.text);
    }
    let vendor = house.vendor("Acme", &[("acme-people", usual("people"))]).await;
    let token = house.token(&vendor).await;
    assert_eq!(rows(&house, &token).await.unwrap().len(), 5);
    // What an officer approved rests on the catalogue: none of this changes under a permit.
    for (what, fields, subject, clause) in [
        ("a category of a released field", with(people_fields(), "/4/category", json!("health")), subject.clone(), "fields[4].category"),
        ("the class of a released identifier", with(people_fields(), "/0/class", json!("plain")), subject.clone(), "fields[0].class"),
        ("the subject's domain", people_fields(), json!({"field": "id", "domain": "other"}), "subject"),
    ] {
        let answer = edit(1, &fields, &subject).await;
        refused(&answer, 422, "invalid");
        assert_eq!(answer.json()["clause"], clause, "{what}: {}", answer.text);
    }
    // A field that is catalogued no more is released no more: the permit that names it has drifted.
    let fewer = Value::Array(people_fields().as_array().unwrap().iter().filter(|field| field["name"] != "city").cloned().collect());
    edit(1, &fewer, &subject).await.good();
    assert_eq!(rows(&house, &token).await, closed_by("dataset_drift"));
    refused(&edit(1, &people_fields(), &subject).await, 409, "stale");
    let again = edit(2, &people_fields(), &subject).await.good();
    assert_eq!(again["version"], 3);
    assert_eq!(rows(&house, &token).await.unwrap().len(), 5);
    let source = house.get(Role::DataSteward, "/api/v1/sources").await.good()["items"][0]["id"].clone();
    let body = json!({"name": "people", "source": source, "table": "people", "fields": people_fields(), "subject": subject});
    refused(&house.post(Role::DataSteward, "/api/v1/datasets", body.clone()).await, 409, "taken");
    for (pointer, value, clause) in
        [("/table", json!("nothing"), "table"), ("/source", json!("0190a0b0-0000-7000-8000-000000000000"), "source")]
    {
        let answer =
            house.post(Role::DataSteward, "/api/v1/datasets", with(with(body.clone(), "/name", json!("newer")), pointer, value)).await;
        refused(&answer, 422, "invalid");
        assert_eq!(answer.json()["clause"], clause);
    }
    // A source lies below a root, whatever its name says.
    std::fs::write(house.config.data_dir.join("outside.csv"), "a\n1\n").unwrap();
    for path in [
        "../outside.csv",
        "/etc/passwd",
        "people.parquet/../../outside.csv",
        "nothing.parquet",
        ".",
        "people.parquet\u{0}",
        "file:people.parquet",
    ] {
        for kind in ["parquet", "csv", "sqlite"] {
            let answer =
                house.post(Role::DataSteward, "/api/v1/sources", json!({"name": "x", "location": {"kind": kind, "path": path}})).await;
            refused(&answer, 422, "invalid");
            assert!(!answer.text.contains(house.config.data_dir.to_str().unwrap()), "{}", answer.text);
        }
    }
    for delimiter in ["\"", "\n", "é", ";;", ""] {
        refused(
            &house
                .post(
                    Role::DataSteward,
                    "/api/v1/sources",
                    json!({"name": "x", "location": {"kind": "csv", "path": "x.csv", "delimiter": delimiter}}),
                )
                .await,
            422,
            "invalid",
        );
    }
}

on_both!(
    a_permit_is_written_within_the_agreement_and_the_types,
    a_narrowing_acts_at_once_and_a_widening_waits,
    pause_resume_dates_and_end,
    a_dataset_is_edited_with_its_version,
);
