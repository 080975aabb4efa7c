//! Every row of the route table, tried by strangers and by each role; and the document that describes the rows.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tidegate::domain::person::Role;
use tidegate::http::openapi;
use tidegate::http::routes::{Access, ROUTES, Route};
use tidegate::http::web::assets;
use tidegate::policy::access::allows;

use crate::database::{Database, run};
use crate::harness::{Answer, House};

const NOBODY: &str = "0190a0b0-0000-7000-8000-000000000000";

/// The path of a route with names of things that are not there.
fn nowhere(path: &str) -> String {
    let fillings = [
        ("{id}", NOBODY),
        ("{kid}", "no-such-thing"),
        ("{number}", "1"),
        ("{key}", "no-such-thing"),
        ("{name}", "no-such-thing"),
        ("{dataset}", "no-such-thing"),
        ("{table}", "no-such-thing"),
        ("{version}", "1"),
        ("{position}", "999999"),
    ];
    let filled = fillings.into_iter().fold(path.to_owned(), |path, (place, name)| path.replace(place, name));
    assert!(!filled.contains('{'), "{path} has a place that the test does not know");
    filled
}

async fn attempt(house: &House, route: &Route, authorization: Option<&str>, body: &str) -> Answer {
    let mut request = house.http.request(route.method.parse().unwrap(), format!("{}{}", house.url, nowhere(route.path)));
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    if !matches!(route.method, "GET" | "HEAD") {
        request = request.header("content-type", "application/json").body(body.to_owned());
    }
    Answer::of(request.send().await.unwrap()).await
}

/// Authorizations that open no route of the staff.
async fn bad_keys(house: &House) -> Vec<(&'static str, Option<String>)> {
    let (person, disabled) = house.person(Role::Administrator, "disabled").await;
    house.post(Role::Administrator, &format!("/api/v1/people/{person}/disable"), json!({})).await.good();
    let (_, revoked) = house.person(Role::VendorManager, "revoked").await;
    let own = house.send("GET", "/api/v1/me/keys", &revoked, None).await.good();
    let id = own["items"][0]["id"].as_str().unwrap();
    house.send("POST", &format!("/api/v1/keys/{id}/revoke"), &revoked, None).await.good();
    let good = house.key(Role::PrivacyOfficer);
    let broken = format!("Bearer {}{}", &good[..good.len() - 1], if good.ends_with('0') { '1' } else { '0' });
    vec![
        ("no key", None),
        ("no credential", Some("Bearer ".to_owned())),
        ("another scheme", Some(format!("Basic {good}"))),
        ("no scheme", Some(good.to_owned())),
        ("a wrong checksum", Some(broken)),
        ("something else", Some("Bearer tg_ak_' or 1=1 --".to_owned())),
        ("a revoked key", Some(format!("Bearer {revoked}"))),
        ("a disabled person's key", Some(format!("Bearer {disabled}"))),
    ]
}

fn is_role_problem(answer: &Answer) -> bool {
    answer.status == 403 && answer.json()["type"] == "urn:tidegate:problem:role"
}

#[test]
fn the_staff_gets_in_by_role_and_strangers_do_not() {
    run(async {
        let house = House::start(Database::sqlite()).await;
        let strangers = bad_keys(&house).await;
        for route in ROUTES {
            let Access::Staff(permission) = route.access else { continue };
            let at = format!("{} {}", route.method, route.path);
            for (who, authorization) in &strangers {
                // A stranger is not told what is wrong with what they sent.
                for body in ["{}", "{", "{\"unknown\":1}"] {
                    let answer = attempt(&house, route, authorization.as_deref(), body).await;
                    assert_eq!(answer.status, 401, "{at} with {who}: {}", answer.text);
                    assert!(answer.header("www-authenticate").starts_with("Bearer"), "{at} with {who}");
                    assert_eq!(answer.json()["type"], "urn:tidegate:problem:unauthenticated", "{at} with {who}");
                }
            }
            for role in Role::ALL {
                for body in ["{}", "{"] {
                    let answer = attempt(&house, route, Some(&format!("Bearer {}", house.key(role))), body).await;
                    assert_ne!(answer.status, 401, "{at} as {role:?}");
                    assert!(answer.status < 500, "{at} as {role:?}: {}", answer.text);
                    assert_eq!(is_role_problem(&answer), !allows(role, permission), "{at} as {role:?}: {} {}", answer.status, answer.text);
                }
            }
        }
    });
}

#[test]
fn what_is_got_can_be_asked_for_its_head() {
    run(async {
        let house = House::start(Database::sqlite()).await;
        for route in ROUTES.iter().filter(|route| route.method == "GET") {
            let at = route.path;
            let authorization = match route.access {
                Access::Staff(permission) => {
                    let role = Role::ALL.into_iter().find(|role| allows(*role, permission)).unwrap();
                    Some(format!("Bearer {}", house.key(role)))
                }
                Access::Public | Access::Client | Access::Vendor => None,
                // Pages are tried by sessions, not by keys: tests/it/pages.
                Access::Asset | Access::Open | Access::Page(_) => continue,
            };
            let got = attempt(&house, route, authorization.as_deref(), "").await;
            let head = attempt(&house, &Route { method: "HEAD", ..*route }, authorization.as_deref(), "").await;
            assert_eq!(head.text, "", "{at}");
            // Rows leave only where somebody gets them.
            if route.access == Access::Vendor {
                assert_eq!((head.status, head.header("allow")), (405, "GET"), "{at}");
                continue;
            }
            assert_eq!((head.status, head.header("content-type")), (got.status, got.header("content-type")), "{at}");
            if let Access::Staff(_) = route.access {
                assert_eq!(attempt(&house, &Route { method: "HEAD", ..*route }, None, "").await.status, 401, "{at}");
            }
        }
        let csv = house.http.head(format!("{}/api/v1/history", house.url)).bearer_auth(house.key(Role::ComplianceReviewer));
        let csv = Answer::of(csv.header("accept", "text/csv").send().await.unwrap()).await;
        assert_eq!((csv.status, csv.header("content-type"), csv.text.as_str()), (200, "text/csv; charset=utf-8; header=present", ""));
    });
}

#[test]
fn other_routes_are_for_whom_the_table_says() {
    run(async {
        let house = House::start(Database::sqlite()).await;
        let staff = format!("Bearer {}", house.key(Role::PrivacyOfficer));
        for route in ROUTES {
            let at = format!("{} {}", route.method, route.path);
            match route.access {
                // Pages are tried by sessions, not by keys: tests/it/pages.
                Access::Staff(_) | Access::Open | Access::Page(_) => {}
                Access::Asset => {
                    let answer = Answer::of(house.http.get(format!("{}{}", house.url, assets::url("app.css"))).send().await.unwrap()).await;
                    assert_eq!(answer.status, 200, "{at}: {}", answer.text);
                }
                Access::Public => {
                    let answer = attempt(&house, route, None, "").await;
                    assert!((200..300).contains(&answer.status), "{at}: {} {}", answer.status, answer.text);
                }
                Access::Vendor => {
                    for authorization in [None, Some(staff.as_str()), Some("Bearer x.y.z")] {
                        let answer = attempt(&house, route, authorization, "").await;
                        assert_eq!((answer.status, answer.gate().as_str()), (401, "token"), "{at}: {}", answer.text);
                        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{at}");
                    }
                }
                Access::Client => {
                    for authorization in [None, Some(staff.as_str()), Some("Basic Og=="), Some("Basic !")] {
                        let mut request = house
                            .http
                            .post(format!("{}{}", house.url, route.path))
                            .header("content-type", "application/x-www-form-urlencoded");
                        request = request.body("grant_type=client_credentials&token=x");
                        if let Some(authorization) = authorization {
                            request = request.header("authorization", authorization);
                        }
                        let answer = Answer::of(request.send().await.unwrap()).await;
                        assert_eq!((answer.status, answer.json()["error"].as_str().unwrap()), (401, "invalid_client"), "{at}");
                        assert!(answer.header("www-authenticate").starts_with("Basic"), "{at}");
                    }
                }
            }
        }
    });
}

fn document() -> Value {
    serde_json::to_value(openapi::build()).unwrap()
}

/// Method and path of every operation, with the operation.
fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            found.push((method.to_uppercase(), path.clone(), operation));
        }
    }
    found
}

#[test]
fn the_document_and_the_table_name_the_same_routes() {
    let document = document();
    let described: BTreeSet<(String, String)> = operations(&document).into_iter().map(|(method, path, _)| (method, path)).collect();
    let named = |route: &Route| (route.method.to_owned(), route.path.to_owned());
    let served: BTreeSet<(String, String)> = ROUTES.iter().filter(|route| route.access.is_api()).map(named).collect();
    assert_eq!(described, served);
    let all: BTreeSet<(String, String)> = ROUTES.iter().map(named).collect();
    assert_eq!(all.len(), ROUTES.len(), "no route is there twice");
}

#[test]
fn every_operation_names_its_lock() {
    let document = document();
    for (method, path, operation) in operations(&document) {
        let route = ROUTES.iter().find(|route| route.method == method && route.path == path).unwrap();
        let expected = match route.access {
            Access::Public => Value::Null,
            Access::Client => json!([{"client": []}]),
            Access::Vendor => json!([{"vendor": []}]),
            Access::Staff(_) => json!([{"staff": []}]),
            Access::Asset | Access::Open | Access::Page(_) => panic!("{method} {path} is no API"),
        };
        assert_eq!(operation["security"], expected, "{method} {path}");
    }
}

#[test]
fn the_document_holds_together() {
    let document = document();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut references = Vec::new();
    collect_references(&document, &mut references);
    assert!(!references.is_empty());
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} points outside"));
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    let mut names = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let at = format!("{method} {path}");
        let name = operation["operationId"].as_str().unwrap_or_else(|| panic!("{at} has no name"));
        assert!(names.insert(name.to_owned()), "{at}: {name} is there twice");
        let responses = operation["responses"].as_object().unwrap();
        assert!(!responses.is_empty(), "{at} answers nothing");
        assert!(responses.values().all(|one| one["description"].as_str().is_some_and(|text| !text.is_empty())), "{at} has a bare response");
        let wanted: BTreeSet<&str> = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let declared: BTreeSet<&str> =
            parameters.iter().filter(|one| one["in"] == "path").map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(declared, wanted, "{at}");
        for parameter in parameters.iter().filter(|one| one["in"] == "path") {
            assert_eq!(parameter["required"], true, "{at}: a part of a path is always there");
        }
        if let Some(locks) = operation["security"].as_array() {
            for lock in locks.iter().flat_map(|lock| lock.as_object().unwrap().keys()) {
                assert!(document["components"]["securitySchemes"][lock].is_object(), "{at}: {lock} is not described");
            }
        }
    }
}

fn collect_references(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                into.push(reference.clone());
            }
            members.values().for_each(|member| collect_references(member, into));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_references(item, into)),
        _ => {}
    }
}

/// The server's document, kept for a validator that is not ours: `.ci/run` runs one over it.
#[test]
fn the_served_document_is_kept_for_the_validator() {
    run(async {
        let house = House::start(Database::sqlite()).await;
        let served = Answer::of(house.http.get(format!("{}/api/openapi.json", house.url)).send().await.unwrap()).await;
        assert_eq!(served.good(), document());
        std::fs::write(concat!(env!("CARGO_TARGET_TMPDIR"), "/openapi.json"), served.text).unwrap();
    });
}
