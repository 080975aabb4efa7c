//! Agreements from draft to end, and amendments.

use serde_json::{Value, json};
use tidegate::domain::person::Role;

use super::{because, closed_by, manager, named, officer, other_officer, refused, rows};
use crate::database::Database;
use crate::harness::{House, Vendor, permit, processor_terms, usual};
use crate::on_both;

/// A vendor that is active, and its paper; no agreement yet.
pub async fn active(house: &House, name: &str) -> (String, String) {
    let id = house.register(name).await;
    let paper = house.assess(&id).await;
    house.act(&id, "activate").await;
    (id, paper)
}

async fn client(house: &House, vendor: &str, agreement: &str) -> Vendor {
    let client = manager(house, &format!("/api/v1/vendors/{vendor}/clients"), json!({"name": "m", "hand_over": "answer"})).await.good();
    let text = |name: &str| client[name].as_str().unwrap().to_owned();
    Vendor { id: vendor.to_owned(), agreement: agreement.to_owned(), client_id: text("client_id"), client_secret: text("client_secret") }
}

/// Puts other terms into a draft.
async fn set_terms(house: &House, agreement: &str, number: usize, terms: Value) -> crate::harness::Answer {
    let version = house.counter(agreement, number).await;
    house
        .put(
            Role::VendorManager,
            &format!("/api/v1/agreements/{agreement}/versions/{number}/terms"),
            json!({"version": version, "terms": terms}),
        )
        .await
}

async fn each_kind_names_its_missing_clauses(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(5).await;
    let (vendor, paper) = active(&house, "Acme").await;
    let always = [
        "terms.subject_matter",
        "terms.nature",
        "terms.purposes",
        "terms.data_categories",
        "terms.subject_categories",
        "terms.starts_on",
        "terms.retention_days",
        "document",
        "permits",
    ];
    let kinds: [(&str, &[&str]); 3] = [
        (
            "processor",
            &[
                "terms.instructions",
                "terms.confidentiality_attested_on",
                "terms.security_evidence",
                "terms.sub_processors",
                "terms.assistance",
                "terms.breach_notice",
                "terms.at_the_end",
                "terms.audit",
            ],
        ),
        ("joint_controllers", &["terms.joint", "terms.breach_notice"]),
        ("controller_to_controller", &["terms.controller", "terms.security_evidence", "terms.breach_notice"]),
    ];
    for (kind, own) in kinds {
        let reference = format!("empty-{}", kind.replace('_', "-"));
        let view =
            manager(&house, &format!("/api/v1/vendors/{vendor}/agreements"), json!({"reference": reference, "kind": kind})).await.good();
        let answer = manager(&house, &format!("/api/v1/agreements/{}/versions/1/submit", view["id"].as_str().unwrap()), json!({})).await;
        refused(&answer, 422, "invalid");
        let mut missing = named(&answer);
        missing.sort();
        let mut expected: Vec<&str> = always.iter().chain(own).copied().collect();
        expected.sort_unstable();
        assert_eq!(missing, expected, "{kind}");
        // The draft says the same before anyone tries.
        let mut told: Vec<&str> = view["missing"].as_array().unwrap().iter().map(|gap| gap["field"].as_str().unwrap()).collect();
        told.sort_unstable();
        assert_eq!(told, expected, "{kind}");
    }
    // A clause that is there but empty of meaning is missing too.
    let draft = house.draft(&vendor, "acme", &paper, &[("acme-people", usual("people"))]).await;
    let submit = format!("/api/v1/agreements/{draft}/versions/1/submit");
    let terms = processor_terms(&house.clock, &paper);
    let with = |name: &str, value: Value| {
        let mut terms = terms.clone();
        terms[name] = value;
        terms
    };
    for (name, value) in [
        ("sub_processors", json!({"authorisation": "general", "notice_days": 0, "objection_days": 9})),
        ("sub_processors", json!({"authorisation": "specific", "named": []})),
        ("security_evidence", json!([])),
        ("security_evidence", json!(["0190a0b0-0000-7000-8000-000000000000"])),
        ("ends_on", json!(house.clock.now().date().plus_days(-1))),
    ] {
        let mut changed = with(name, value);
        if name == "ends_on" {
            changed["starts_on"] = json!("2026-01-01");
        }
        set_terms(&house, &draft, 1, changed).await.good();
        let answer = manager(&house, &submit, json!({})).await;
        refused(&answer, 422, "invalid");
        assert_eq!(named(&answer), [format!("terms.{name}")]);
    }
    for (name, value) in
        [("purposes", json!(["world-domination"])), ("data_categories", json!(["everything"])), ("ends_on", json!("2020-01-01"))]
    {
        refused(&set_terms(&house, &draft, 1, with(name, value)).await, 422, "invalid");
    }
    // Permits that the terms no longer cover are named at submission.
    for (name, value) in
        [("purposes", json!(["email-marketing"])), ("data_categories", json!(["technical"])), ("instructions", json!(["Something else."]))]
    {
        set_terms(&house, &draft, 1, with(name, value)).await.good();
        refused(&manager(&house, &submit, json!({})).await, 422, "invalid");
    }
    set_terms(&house, &draft, 1, terms).await.good();
    manager(&house, &submit, json!({})).await.good();

    // Data kept outside the EEA and the adequate countries needs a mechanism.
    let body = json!({"legal_name": "Far", "country": "DE", "role": "processor", "tier": "low", "owner": house.person_id(Role::VendorManager), "data_locations": ["CH", "US"]});
    let far = manager(&house, "/api/v1/vendors", body).await.good()["id"].as_str().unwrap().to_owned();
    let view = manager(&house, &format!("/api/v1/vendors/{far}/agreements"), json!({"reference": "far", "kind": "joint_controllers"}))
        .await
        .good();
    let missing = view["missing"].to_string();
    assert!(missing.contains("terms.transfer"), "{missing}");
}

async fn two_people_and_two_signatures(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(5).await;
    let (vendor, paper) = active(&house, "Acme").await;
    let clear = permit("people", json!({"email": {"kind": "clear"}, "name": {"kind": "clear"}, "city": {"kind": "clear"}}));
    let draft = house.draft(&vendor, "acme", &paper, &[("acme-people", clear.clone())]).await;
    let acme = client(&house, &vendor, &draft).await;
    let (_, third) = house.person(Role::PrivacyOfficer, "third").await;
    let by_officer = async |ticks: Value| house.approve(&draft, 1, house.key(Role::PrivacyOfficer), ticks).await;
    let by_other = async |ticks: Value| house.approve(&draft, 1, &house.other_officer, ticks).await;
    let by_third = async |ticks: Value| house.approve(&draft, 1, &third, ticks).await;
    let rewrite = async |by: &str, terms: &Value| {
        let body = json!({"version": house.revision_counter("acme-people", 1).await, "terms": terms});
        house.send("PUT", "/api/v1/permits/acme-people/revisions/1", by, Some(&body)).await
    };
    let base = format!("/api/v1/agreements/{draft}/versions/1");
    let digest = tidegate::keys::sha256_hex(b"the contract");
    let sign = async |party: &str, document: &str| house.sign_for(&draft, 1, party, document).await;

    refused(&by_officer(json!([])).await, 409, "wrong-state");
    // The officer writes the terms once, and so never approves them, also when others have written in them since.
    let terms = processor_terms(&house.clock, &paper);
    let view = house.get(Role::PrivacyOfficer, &format!("/api/v1/agreements/{draft}")).await.good();
    let body = json!({"version": view["versions"][0]["version"], "terms": terms});
    house.put(Role::PrivacyOfficer, &format!("{base}/terms"), body).await.good();
    set_terms(&house, &draft, 1, terms.clone()).await.good();
    manager(&house, &format!("{base}/submit"), json!({})).await.good();
    refused(&manager(&house, &format!("{base}/approve"), json!({"version": 1})).await, 403, "role");
    refused(&by_officer(json!(["email", "name"])).await, 403, "second-person");
    // Nothing of it can be changed while it is under review.
    refused(&set_terms(&house, &draft, 1, terms.clone()).await, 409, "wrong-state");
    refused(&house.attach(&draft, 1, b"another").await, 409, "wrong-state");
    refused(
        &manager(&house, &format!("/api/v1/agreements/{draft}/permits"), json!({"key": "late", "terms": clear})).await,
        409,
        "wrong-state",
    );
    refused(&rewrite(house.key(Role::VendorManager), &clear).await, 409, "wrong-state");

    // The author of a permit is an author too.
    other_officer(&house, &format!("{base}/hand-back"), json!({"comment": "The permit, please."})).await.good();
    rewrite(&house.other_officer, &clear).await.good();
    manager(&house, &format!("{base}/submit"), json!({})).await.good();
    refused(&by_other(json!(["email", "name"])).await, 403, "second-person");
    other_officer(&house, &format!("{base}/hand-back"), json!({"comment": "Someone else, please."})).await.good();
    rewrite(house.key(Role::VendorManager), &clear).await.good();
    manager(&house, &format!("{base}/submit"), json!({})).await.good();

    // What was read before the version came back is not what would be approved.
    let stale = json!({"version": view["versions"][0]["version"], "confirm_clear": ["email", "name"]});
    refused(&other_officer(&house, &format!("{base}/approve"), stale).await, 409, "stale");

    // Every direct identifier in clear is ticked by name.
    for confirmed in [json!([]), json!(["email"]), json!(["name", "city"])] {
        let answer = by_third(confirmed).await;
        refused(&answer, 422, "invalid");
        assert!(named(&answer).iter().all(|field| field == "confirm_clear"));
    }
    refused(&sign("house", &digest).await, 409, "wrong-state");
    by_third(json!(["email", "name"])).await.good();

    refused(&sign("house", &"0".repeat(64)).await, 422, "invalid");
    let signed = sign("house", &digest).await.good();
    assert_eq!(signed["versions"][0]["status"], "approved");
    refused(&sign("house", &digest).await, 409, "wrong-state");
    assert_eq!(house.ask_token(&acme, None).await.json()["gate"], "agreement", "one signature is not enough");
    let signed = sign("vendor", &digest).await.good();
    assert_eq!((&signed["versions"][0]["status"], &signed["permits"][0]["revisions"][0]["status"]), (&json!("signed"), &json!("in_force")));
    let token = house.token(&acme).await;
    assert_eq!(rows(&house, &token).await.unwrap()[0]["email"], "person-0@mail.example");

    // In force it is never edited.
    refused(&set_terms(&house, &draft, 1, terms).await, 409, "wrong-state");
    refused(&house.attach(&draft, 1, b"another").await, 409, "wrong-state");
    refused(&manager(&house, &format!("{base}/submit"), json!({})).await, 409, "wrong-state");
    refused(&sign("vendor", &digest).await, 409, "wrong-state");
    refused(&by_third(json!([])).await, 409, "wrong-state");
    refused(&other_officer(&house, &format!("{base}/hand-back"), json!({"comment": "x"})).await, 409, "wrong-state");
    refused(&rewrite(house.key(Role::VendorManager), &usual("people")).await, 409, "wrong-state");
    let back =
        house.http.get(format!("{}{base}/document", house.url)).bearer_auth(house.key(Role::ComplianceReviewer)).send().await.unwrap();
    assert_eq!(back.bytes().await.unwrap(), "the contract");
}

async fn an_agreement_is_in_force_within_its_dates(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(5).await;
    let today = house.clock.now().date();
    let (vendor, paper) = active(&house, "Acme").await;
    let draft = house.draft(&vendor, "acme", &paper, &[("acme-people", usual("people"))]).await;
    let acme = client(&house, &vendor, &draft).await;
    let mut terms = processor_terms(&house.clock, &paper);
    terms["starts_on"] = json!(today.plus_days(3));
    terms["ends_on"] = json!(today.plus_days(5));
    set_terms(&house, &draft, 1, terms).await.good();
    let base = format!("/api/v1/agreements/{draft}/versions/1");
    manager(&house, &format!("{base}/submit"), json!({})).await.good();
    let approved = house.approve(&draft, 1, house.key(Role::PrivacyOfficer), json!([])).await.good();
    house.sign(&draft, 1, approved["versions"][0]["document"].as_str().unwrap()).await;

    let (starts, ends) = (today.plus_days(3).start(), today.plus_days(5).end());
    for (at, open) in [
        (house.clock.now(), false),
        (starts.plus_seconds(-1), false),
        (starts, true),
        (ends.plus_seconds(-1), true),
        (ends, false),
        (ends.plus_days(9), false),
    ] {
        house.at(at).await;
        let answer = house.ask_token(&acme, None).await;
        if open {
            let token = answer.good()["access_token"].as_str().unwrap().to_owned();
            assert_eq!(rows(&house, &token).await.unwrap().len(), 5, "{at}");
        } else {
            assert_eq!(answer.json()["gate"], "agreement", "{at}: {}", answer.text);
        }
    }
}

/// An amendment that is signed by both.
pub async fn amend(house: &House, agreement: &str, number: usize, change: impl FnOnce(&mut Value)) {
    let view = manager(house, &format!("/api/v1/agreements/{agreement}/amend"), json!({})).await.good();
    let mut terms = view["versions"][number - 1]["terms"].clone();
    change(&mut terms);
    set_terms(house, agreement, number, terms).await.good();
    let base = format!("/api/v1/agreements/{agreement}/versions/{number}");
    house.attach(agreement, number, b"the next contract").await.good();
    manager(house, &format!("{base}/submit"), json!({})).await.good();
    let approved = house.approve(agreement, number, house.key(Role::PrivacyOfficer), json!([])).await.good();
    house.sign(agreement, number, approved["versions"][number - 1]["document"].as_str().unwrap()).await;
}

async fn an_amendment_takes_permits_along_on_its_day(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(5).await;
    let mut marketing = permit("people", json!({"city": {"kind": "clear"}}));
    marketing["purpose"] = json!("email-marketing");
    let acme = house.vendor("Acme", &[("acme-people", usual("people")), ("acme-mail", marketing)]).await;
    let today = house.clock.now().date();
    let ask = async |scope: &str| house.ask_token(&acme, Some(scope)).await;
    let pull = async |scope: &str| {
        let token = ask(scope).await.good()["access_token"].as_str().unwrap().to_owned();
        house.pull(&token, &format!("{}?select=city&limit=1", super::RECORDS), "application/json").await.good()
    };
    refused(&manager(&house, &format!("/api/v1/agreements/{}/versions/2/submit", acme.agreement), json!({})).await, 404, "not-found");
    amend(&house, &acme.agreement, 2, |terms| {
        terms["starts_on"] = json!(today.plus_days(10));
        terms["purposes"] = json!(["service-usage-analytics"]);
    })
    .await;
    refused(&manager(&house, &format!("/api/v1/agreements/{}/versions/2/submit", acme.agreement), json!({})).await, 409, "wrong-state");

    let starts = today.plus_days(10).start();
    for at in [house.clock.now(), starts.plus_seconds(-60), starts.plus_seconds(-1)] {
        house.at(at).await;
        pull("acme-people").await;
        pull("acme-mail").await;
    }
    // A token over the change does not outlive the day; one decided before it is judged anew after it.
    assert_eq!(ask("acme-people").await.good()["expires_in"], 1);
    house.at(starts).await;
    pull("acme-people").await;
    let dropped = ask("acme-mail").await;
    assert_eq!((dropped.status, &dropped.json()["gate"]), (400, &json!("permit")), "the purpose was dropped");
    let releases = house.history(&format!("kind=release&vendor={}", acme.id)).await;
    let revisions: Vec<i64> = releases
        .iter()
        .filter(|entry| entry["leaf"]["permit"] == "acme-people")
        .map(|entry| entry["leaf"]["revision"].as_i64().unwrap())
        .collect();
    assert_eq!(revisions, [1, 1, 1, 2]);

    // While one amendment is open there is no other.
    manager(&house, &format!("/api/v1/agreements/{}/amend", acme.agreement), json!({})).await.good();
    refused(&manager(&house, &format!("/api/v1/agreements/{}/amend", acme.agreement), json!({})).await, 409, "wrong-state");
    pull("acme-people").await;

    // The end is for good, and the key can go only after it.
    let key = format!("/api/v1/agreements/{}/destroy-key", acme.agreement);
    refused(&officer(&house, &key, because()).await, 409, "wrong-state");
    let token = house.token(&acme).await;
    manager(&house, &format!("/api/v1/agreements/{}/end", acme.agreement), because()).await.good();
    assert_eq!(rows(&house, &token).await, closed_by("agreement"));
    refused(&manager(&house, &format!("/api/v1/agreements/{}/end", acme.agreement), because()).await, 409, "wrong-state");
    refused(&manager(&house, &format!("/api/v1/agreements/{}/amend", acme.agreement), json!({})).await, 409, "wrong-state");
    refused(
        &manager(&house, &format!("/api/v1/agreements/{}/permits", acme.agreement), json!({"key": "late", "terms": usual("people")})).await,
        409,
        "wrong-state",
    );
    assert_eq!(officer(&house, &key, because()).await.status, 204);
    assert_eq!(rows(&house, &token).await, closed_by("agreement"));
}

on_both!(
    each_kind_names_its_missing_clauses,
    two_people_and_two_signatures,
    an_agreement_is_in_force_within_its_dates,
    an_amendment_takes_permits_along_on_its_day,
);
