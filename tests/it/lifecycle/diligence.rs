//! Vendors along their lifecycle, assessments from draft to decision, and evidence that runs out.

use serde_json::{Value, json};
use tidegate::app::assessments;
use tidegate::domain::assessment::AssessmentKind;
use tidegate::domain::person::{Actor, Role};

use super::{because, closed_by, manager, officer, other_officer, refused, rows};
use crate::database::Database;
use crate::harness::{House, usual};
use crate::on_both;

const ACTS: [&str; 7] = ["triage", "begin-due-diligence", "activate", "suspend", "reinstate", "offboard", "retire"];

/// A new vendor, in `intake`, owned by a person.
async fn vendor(house: &House, name: &str, owner: &str, tier: &str) -> String {
    let body = json!({"legal_name": name, "country": "DE", "role": "processor", "tier": tier, "owner": owner});
    manager(house, "/api/v1/vendors", body).await.good()["id"].as_str().unwrap().to_owned()
}

async fn acts_lead_only_where_they_may(database: Database) {
    let house = House::start(database).await;
    let id = vendor(&house, "Acme", house.person_id(Role::VendorManager), "low").await;
    let other = vendor(&house, "Other", house.person_id(Role::VendorManager), "low").await;
    for name in ["acme", " ACME ", "Acme", "aCmE"] {
        let body = json!({"legal_name": name, "country": "FR", "role": "controller", "tier": "low", "owner": house.person_id(Role::VendorManager)});
        refused(&manager(&house, "/api/v1/vendors", body.clone()).await, 409, "taken");
        refused(
            &house.put(Role::VendorManager, &format!("/api/v1/vendors/{other}"), json!({"version": 1, "profile": body})).await,
            409,
            "taken",
        );
    }
    let way = [
        ("intake", vec!["triage", "retire"]),
        ("triage", vec!["begin-due-diligence", "retire"]),
        ("due_diligence", vec!["retire"]),
        ("approved", vec!["activate", "offboard"]),
        ("active", vec!["suspend", "offboard"]),
        ("suspended", vec!["reinstate", "offboard"]),
        ("offboarding", vec!["retire"]),
        ("retired", vec![]),
    ];
    let path = |act: &str| format!("/api/v1/vendors/{id}/{act}");
    for (state, may) in way {
        let standing = house.get(Role::VendorManager, &format!("/api/v1/vendors/{id}")).await.good();
        assert_eq!(standing["lifecycle"], state);
        for act in ACTS.iter().filter(|act| !may.contains(*act)) {
            refused(&manager(&house, &path(act), because()).await, 409, "wrong-state");
        }
        match state {
            "due_diligence" => drop(house.assess(&id).await),
            "suspended" => drop(manager(&house, &path("offboard"), because()).await.good()),
            _ => {
                if let Some(act) = may.first() {
                    manager(&house, &path(act), because()).await.good();
                }
            }
        }
    }
    // A retired vendor takes nothing new.
    let version = house.get(Role::VendorManager, &format!("/api/v1/vendors/{id}")).await.good()["version"].clone();
    let profile =
        json!({"legal_name": "Acme", "country": "DE", "role": "processor", "tier": "low", "owner": house.person_id(Role::VendorManager)});
    refused(
        &house.put(Role::VendorManager, &format!("/api/v1/vendors/{id}"), json!({"version": version, "profile": profile})).await,
        409,
        "wrong-state",
    );
    refused(&manager(&house, &path("assessments"), json!({"kind": "legal", "template": "security"})).await, 409, "wrong-state");
    refused(&manager(&house, &path("agreements"), json!({"reference": "late", "kind": "processor"})).await, 409, "wrong-state");
    refused(&manager(&house, &path("clients"), json!({"name": "late"})).await, 409, "wrong-state");
    let paper = format!("{}?name=late&type=policy&issued=2026-01-01", path("evidence"));
    refused(&house.upload(Role::VendorManager, "POST", &paper, b"x").await, 409, "wrong-state");
    // Each act is in the history with its states, and without its reason.
    let acts = house.history(&format!("kind=act&vendor={id}")).await;
    assert!(acts.iter().any(|entry| entry["leaf"]["act"] == "suspend" || entry["leaf"].to_string().contains("\"suspended\"")), "{acts:?}");
    assert!(acts.iter().all(|entry| !entry["leaf"].to_string().contains("for the test")));
}

async fn a_decision_is_made_by_someone_else_and_stands(database: Database) {
    let house = House::start(database).await;
    let officers_own = vendor(&house, "Owned", house.person_id(Role::PrivacyOfficer), "critical").await;
    for act in ["triage", "begin-due-diligence"] {
        house.act(&officers_own, act).await;
    }
    let open = format!("/api/v1/vendors/{officers_own}/assessments");
    let round = manager(&house, &open, json!({"kind": "security", "template": "security"})).await.good();
    refused(&manager(&house, &open, json!({"kind": "security", "template": "security"})).await, 409, "taken");
    refused(&manager(&house, &open, json!({"kind": "privacy", "template": "no-such"})).await, 422, "invalid");
    let path = format!("/api/v1/assessments/{}", round["id"].as_str().unwrap());
    let decision = json!({"verdict": "approved", "rationale": "Fine."});

    refused(&officer(&house, &format!("{path}/decide"), decision.clone()).await, 409, "wrong-state");
    refused(&manager(&house, &format!("{path}/submit"), json!({})).await, 409, "wrong-state");
    refused(&house.put(Role::VendorManager, &format!("{path}/answers"), json!({"version": 1, "answers": {}})).await, 409, "wrong-state");
    manager(&house, &format!("{path}/send"), json!({})).await.good();

    let paper = format!("/api/v1/vendors/{officers_own}/evidence?name=report&type=soc2&issued=2026-06-01");
    let paper = house.upload(Role::VendorManager, "POST", &paper, b"made up").await.good()["id"].clone();
    let bad = [
        json!({"no-such-question": {"kind": "text", "value": "x"}}),
        json!({"security-policy": {"kind": "text", "value": "x"}}),
        json!({"security-lead": {"kind": "choice", "value": "no-such-option"}}),
        json!({"certification-report": {"kind": "file", "value": "0190a0b0-0000-7000-8000-000000000000"}}),
        json!({"security-policy-reviewed": {"kind": "date", "value": "2026-02-30"}}),
    ];
    for answers in bad {
        refused(
            &house.put(Role::VendorManager, &format!("{path}/answers"), json!({"version": 2, "answers": answers})).await,
            422,
            "invalid",
        );
    }
    let answers = json!({
        "security-lead": {"kind": "choice", "value": "part-time"}, "security-policy": {"kind": "yes_no", "value": "yes"},
        "security-policy-reviewed": {"kind": "date", "value": "2020-01-01"}, "certification": {"kind": "choice", "value": "certified"},
        "certification-report": {"kind": "file", "value": paper}, "confidentiality": {"kind": "not_applicable", "value": "Nobody can see it."}
    });
    let saved = house.put(Role::VendorManager, &format!("{path}/answers"), json!({"version": 2, "answers": answers})).await.good();
    assert_eq!((&saved["status"], &saved["score"]), (&json!("in_progress"), &Value::Null));
    let submitted = manager(&house, &format!("{path}/submit"), json!({})).await.good();
    explain(&submitted);
    refused(
        &house.put(Role::VendorManager, &format!("{path}/answers"), json!({"version": submitted["version"], "answers": {}})).await,
        409,
        "wrong-state",
    );
    officer(&house, &format!("{path}/review"), json!({})).await.good();

    refused(&officer(&house, &format!("{path}/decide"), decision.clone()).await, 403, "second-person");
    refused(
        &other_officer(&house, &format!("{path}/decide"), json!({"verdict": "approved_with_conditions", "rationale": "x"})).await,
        422,
        "invalid",
    );
    let decided = other_officer(
        &house,
        &format!("{path}/decide"),
        json!({"verdict": "approved_with_conditions", "rationale": "x", "conditions": ["Repeat it."]}),
    )
    .await
    .good();
    assert_eq!(decided["status"], "decided");
    assert_eq!(decided["valid_until"], house.clock.now().plus_days(180).to_string());
    assert_eq!(
        house.get(Role::VendorManager, &format!("/api/v1/vendors/{officers_own}")).await.good()["lifecycle"],
        "approved_with_conditions"
    );

    // A decided round is never changed by anyone.
    for (act, body) in [("send", json!({})), ("submit", json!({})), ("review", json!({})), ("decide", decision), ("cancel", because())] {
        let role = if matches!(act, "review" | "decide") { Role::PrivacyOfficer } else { Role::VendorManager };
        refused(&house.post(role, &format!("{path}/{act}"), body).await, 409, "wrong-state");
    }
    refused(
        &house.put(Role::VendorManager, &format!("{path}/answers"), json!({"version": decided["version"], "answers": {}})).await,
        409,
        "wrong-state",
    );
    assert_eq!(house.get(Role::VendorManager, &path).await.good(), decided);
}

/// The score is what its contributions cost, each by its weight.
fn explain(round: &Value) {
    let score = &round["score"];
    let parts = score["contributions"].as_array().unwrap();
    let lost: f64 = parts.iter().map(|part| part["lost"].as_f64().unwrap()).sum();
    assert!((score["points"].as_f64().unwrap() - (100.0 - lost)).abs() < 1e-9);
    let weights: f64 = parts.iter().map(|part| part["weight"].as_f64().unwrap()).sum();
    let part = |id: &str| parts.iter().find(|part| part["question"] == id);
    for (id, risk, answered) in [
        ("security-lead", 35, true),
        ("security-policy", 0, true),
        ("security-policy-reviewed", 100, true),
        ("certification", 0, true),
        ("certification-report", 0, true),
    ] {
        let part = part(id).unwrap_or_else(|| panic!("{id} is not explained"));
        assert_eq!((&part["risk"], &part["answered"]), (&json!(risk), &json!(answered)), "{id}");
        let expected = part["weight"].as_f64().unwrap() * f64::from(risk) / weights;
        assert!((part["lost"].as_f64().unwrap() - expected).abs() < 1e-9, "{id}");
    }
    assert!(part("confidentiality").is_none(), "what does not apply is left out");
    assert!(parts.iter().any(|part| part["answered"] == false && part["risk"] == 100), "unanswered counts as worst");
}

async fn the_opener_does_not_decide(database: Database) {
    let house = House::start(database).await;
    let id = house.register("Acme").await;
    // Nobody both opens and decides by role; who was a manager and is an officer by now is told by the record.
    let opener = Actor::Person { id: house.person_id(Role::PrivacyOfficer).parse().unwrap(), role: Role::VendorManager };
    let (kind, template) = (AssessmentKind::Legal, "security".parse().unwrap());
    let round = assessments::open(&house.app, &opener, id.parse().unwrap(), kind, template).await.unwrap();
    let path = format!("/api/v1/assessments/{}", round.id);
    manager(&house, &format!("{path}/send"), json!({})).await.good();
    manager(&house, &format!("{path}/submit"), json!({})).await.good();
    officer(&house, &format!("{path}/review"), json!({})).await.good();
    for verdict in ["approved", "rejected"] {
        let decision = json!({"verdict": verdict, "rationale": "x"});
        refused(&officer(&house, &format!("{path}/decide"), decision).await, 403, "second-person");
    }
    other_officer(&house, &format!("{path}/decide"), json!({"verdict": "approved", "rationale": "x"})).await.good();

    let round =
        manager(&house, &format!("/api/v1/vendors/{id}/assessments"), json!({"kind": "security", "template": "security"})).await.good();
    assert_eq!(round["opened_by"], house.person_id(Role::VendorManager));
    let path = format!("/api/v1/assessments/{}", round["id"].as_str().unwrap());
    manager(&house, &format!("{path}/send"), json!({})).await.good();
    manager(&house, &format!("{path}/submit"), json!({})).await.good();
    officer(&house, &format!("{path}/review"), json!({})).await.good();
    refused(&manager(&house, &format!("{path}/decide"), json!({"verdict": "approved", "rationale": "x"})).await, 403, "role");
    let rejected = officer(&house, &format!("{path}/decide"), json!({"verdict": "rejected", "rationale": "x"})).await.good();
    assert_eq!(rejected["valid_until"], Value::Null);
    assert_eq!(house.get(Role::VendorManager, &format!("/api/v1/vendors/{id}")).await.good()["lifecycle"], "rejected");
    refused(&manager(&house, &format!("/api/v1/vendors/{id}/activate"), because()).await, 409, "wrong-state");
}

async fn a_round_in_review_is_cancelled_by_who_decides(database: Database) {
    let house = House::start(database).await;
    let id = house.register("Acme").await;
    let body = json!({"kind": "security", "template": "security"});
    let round = manager(&house, &format!("/api/v1/vendors/{id}/assessments"), body).await.good();
    let path = format!("/api/v1/assessments/{}", round["id"].as_str().unwrap());
    for act in ["send", "submit"] {
        manager(&house, &format!("{path}/{act}"), json!({})).await.good();
    }
    officer(&house, &format!("{path}/review"), json!({})).await.good();
    // Otherwise whoever sees a rejection coming could end the round first.
    refused(&manager(&house, &format!("{path}/cancel"), because()).await, 403, "second-person");
    refused(&manager(&house, &format!("{path}/review/cancel"), because()).await, 403, "role");
    let cancelled = officer(&house, &format!("{path}/review/cancel"), because()).await.good();
    assert_eq!(cancelled["status"], "cancelled");
    refused(&officer(&house, &format!("{path}/review/cancel"), because()).await, 409, "wrong-state");
}

/// Every file below a folder, whole.
fn files_below(folder: &std::path::Path) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() { found.extend(files_below(&path)) } else { found.push(std::fs::read(path).unwrap()) }
    }
    found
}

async fn evidence_lies_encrypted_and_comes_back_whole(database: Database) {
    let house = House::start(database).await;
    let id = house.register("Acme").await;
    let bytes: Vec<u8> = b"%PDF-1.4 the auditor found nothing \x00\xff".repeat(5_000);
    let paper = house
        .upload(
            Role::VendorManager,
            "POST",
            &format!("/api/v1/vendors/{id}/evidence?name=Audit&type=soc2&issued=2026-01-01&expires=2026-12-31"),
            &bytes,
        )
        .await
        .good();
    assert_eq!(paper["bytes"], bytes.len());
    assert_eq!(paper["sha256"], tidegate::keys::sha256_hex(&bytes));
    let back = house
        .http
        .get(format!("{}/api/v1/evidence/{}/file", house.url, paper["id"].as_str().unwrap()))
        .bearer_auth(house.key(Role::ComplianceReviewer))
        .send()
        .await
        .unwrap();
    assert_eq!(back.headers()["content-disposition"], "attachment");
    assert_eq!(back.headers()["content-type"], "application/octet-stream");
    assert_eq!(back.bytes().await.unwrap(), bytes);
    let kept = files_below(&house.config.data_dir);
    assert!(kept.iter().any(|file| file.len() >= bytes.len()), "the file lies there");
    for file in kept {
        assert!(!file.windows(19).any(|part| part == b"auditor found nothi"), "a file lies open");
    }
    let query = [
        ("issued=2026-07-02", 422),
        ("issued=2026-06-01&expires=2026-05-31", 422),
        ("issued=soon", 422),
        ("issued=2026-01-01&type=diploma", 400),
        ("issued=2026-01-01&mandatory=maybe", 400),
        ("issued=2026-01-01&mandatory=true&expires=never", 422),
    ];
    for (query, status) in query {
        let path = format!("/api/v1/vendors/{id}/evidence?name=x&type=policy&{query}");
        assert_eq!(house.upload(Role::VendorManager, "POST", &path, b"x").await.status, status, "{query}");
    }
}

async fn what_due_diligence_rests_on_runs_out(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(5).await;
    let vendor = house.vendor("Acme", &[("acme-people", usual("people"))]).await;
    let today = house.clock.now().date();
    let hand_in = async |kind: &str, expires: i64| {
        let today = house.clock.now().date();
        let path = format!(
            "/api/v1/vendors/{}/evidence?name=p&type={kind}&issued={today}&expires={}&mandatory=true",
            vendor.id,
            today.plus_days(expires)
        );
        house.upload(Role::VendorManager, "POST", &path, b"paper").await.good();
    };
    // A paper bears on releases once someone has read and accepted it, as a decision does.
    hand_in("soc2", 0).await;
    hand_in("insurance", 10).await;
    house.at(house.clock.now().plus_days(1)).await;
    let token = house.token(&vendor).await;
    assert_eq!(rows(&house, &token).await.unwrap().len(), 5);
    hand_in("soc2", 400).await;
    house.assess(&vendor.id).await;

    // The last day counts; the day after does not. A decision from memory does not outlive it.
    let ends = today.plus_days(10).end();
    house.at(ends.plus_seconds(-30)).await;
    let token = house.token(&vendor).await;
    assert_eq!(rows(&house, &token).await.unwrap().len(), 5);
    house.at(ends).await;
    assert_eq!(rows(&house, &token).await, closed_by("due_diligence"));
    assert_eq!(house.ask_token(&vendor, None).await.json()["gate"], "due_diligence");
    // A newer paper of the type opens it again; one of another type does not, nor one that nobody has accepted.
    hand_in("policy", 400).await;
    house.assess(&vendor.id).await;
    assert_eq!(rows(&house, &token).await, closed_by("due_diligence"));
    hand_in("insurance", 400).await;
    assert_eq!(rows(&house, &token).await, closed_by("due_diligence"));
    house.assess(&vendor.id).await;
    let token = house.token(&vendor).await;
    assert_eq!(rows(&house, &token).await.unwrap().len(), 5);

    // The approval itself lapses after 180 days, and another round renews it.
    let lapses = ends.plus_days(180);
    house.at(lapses.plus_seconds(-1)).await;
    let token = house.token(&vendor).await;
    assert_eq!(rows(&house, &token).await.unwrap().len(), 5);
    house.at(lapses).await;
    assert_eq!(rows(&house, &token).await, closed_by("due_diligence"));
    let gates = house.get(Role::VendorManager, &format!("/api/v1/vendors/{}/gates", vendor.id)).await.good();
    assert!(gates["items"].as_array().unwrap().iter().any(|state| state["gate"] == "due_diligence" && state["open"] == false));
    house.assess(&vendor.id).await;
    let token = house.token(&vendor).await;
    assert_eq!(rows(&house, &token).await.unwrap().len(), 5);
    // A later rejection closes it at once, though the earlier approval would still last.
    let round = manager(&house, &format!("/api/v1/vendors/{}/assessments", vendor.id), json!({"kind": "security", "template": "security"}))
        .await
        .good();
    let path = format!("/api/v1/assessments/{}", round["id"].as_str().unwrap());
    manager(&house, &format!("{path}/send"), json!({})).await.good();
    manager(&house, &format!("{path}/submit"), json!({})).await.good();
    officer(&house, &format!("{path}/review"), json!({})).await.good();
    assert_eq!(rows(&house, &token).await.unwrap().len(), 5);
    officer(&house, &format!("{path}/decide"), json!({"verdict": "rejected", "rationale": "x"})).await.good();
    assert_eq!(rows(&house, &token).await, closed_by("due_diligence"));
}

on_both!(
    acts_lead_only_where_they_may,
    a_decision_is_made_by_someone_else_and_stands,
    a_round_in_review_is_cancelled_by_who_decides,
    the_opener_does_not_decide,
    evidence_lies_encrypted_and_comes_back_whole,
    what_due_diligence_rests_on_runs_out,
);
