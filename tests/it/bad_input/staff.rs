//! The staff API's bodies, queries, versions and states.

use serde_json::{Value, json};
use tidegate::domain::person::Role;

use super::{MARK, because, history_size, problem};
use crate::database::{Database, run};
use crate::harness::{Answer, House, processor_terms, usual};
use crate::on_both;

const NOBODY: &str = "0190a0b0-0000-7000-8000-000000000000";

fn profile(house: &House, name: &str) -> Value {
    json!({
        "legal_name": name, "country": "DE", "role": "processor", "tier": "low", "owner": house.person_id(Role::VendorManager),
        "contacts": [{"name": "Kim", "email": "kim@example.org", "about": "privacy"}], "data_locations": ["DE"]
    })
}

/// The value with one member set, at a JSON pointer.
fn with(mut value: Value, pointer: &str, member: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match value.pointer_mut(parent).unwrap() {
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = member,
        parent => parent[name] = member,
    }
    value
}

async fn raw(house: &House, role: Role, method: &str, path: &str, kind: Option<&str>, body: impl Into<reqwest::Body>) -> Answer {
    let mut request = house.http.request(method.parse().unwrap(), format!("{}{path}", house.url)).bearer_auth(house.key(role)).body(body);
    if let Some(kind) = kind {
        request = request.header("content-type", kind);
    }
    Answer::of(request.send().await.unwrap()).await
}

#[test]
fn bodies_that_are_not_what_they_should_be() {
    run(async {
        let house = House::start_with(
            Database::sqlite(),
            tidegate::store::Clock::manual(crate::harness::beginning()),
            &[("TIDEGATE_MAX_UPLOAD_MB", "1")],
        )
        .await;
        let good = profile(&house, "Acme").to_string();
        let before = history_size(&house).await;
        for kind in
            [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("application/jsonp"), Some("text/json"), Some("")]
        {
            let answer = raw(&house, Role::VendorManager, "POST", "/api/v1/vendors", kind, good.clone()).await;
            problem(&answer, 415, &format!("{kind:?}"));
        }
        let deep = "[".repeat(200_000);
        let surrogate = good.replace("Acme", r"\ud800");
        let swapped = good.replace("Acme", r"\udc00\ud800");
        let number = good.replace("\"Acme\"", "1e999");
        let twice = format!("{good}{good}");
        let malformed =
            ["", " ", "{", "{]", "nul", "NaN", "'a'", "{\"legal_name\":\"a\",}", "\u{feff}{}", "{\"legal_name\":\"a\u{1}b\"}", &twice];
        for body in malformed {
            let answer = raw(&house, Role::VendorManager, "POST", "/api/v1/vendors", Some("application/json"), body.to_owned()).await;
            problem(&answer, 400, &body[..body.len().min(40)]);
        }
        // Good JSON of what can't be held is not called bad JSON.
        let brackets = format!("{}{}", "[".repeat(200), "]".repeat(200));
        let deep_member = format!("{{\"key\":\"x\",\"terms\":{{\"fields\":{{\"a\":{{\"kind\":\"constant\",\"value\":{brackets}}}}}}}}}");
        let permits = format!("/api/v1/agreements/{NOBODY}/permits");
        let word = good.replace("\"low\"", "7");
        for (path, body, clause) in [
            ("/api/v1/vendors", &surrogate, "legal_name"),
            ("/api/v1/vendors", &swapped, "legal_name"),
            ("/api/v1/vendors", &number, "legal_name"),
            ("/api/v1/vendors", &word, "tier"),
            (&permits, &deep_member, "terms.fields.a"),
        ] {
            let answer = raw(&house, Role::VendorManager, "POST", path, Some("application/json"), body.clone()).await;
            assert!(problem(&answer, 422, clause)["clause"].as_str().unwrap().starts_with(clause), "{clause}");
        }
        // A list is no object, however deep, and nobody is told how our types are called.
        for body in [deep.as_str(), "[\"Acme\"]", " \n[]", "1", "\"x\"", "null", "true"] {
            let answer = raw(&house, Role::VendorManager, "POST", "/api/v1/vendors", Some("application/json"), body.to_owned()).await;
            let body = problem(&answer, 422, &body[..body.len().min(40)]);
            assert!(body["detail"].as_str().unwrap().contains("object"), "{body}");
        }
        let answer = raw(
            &house,
            Role::VendorManager,
            "POST",
            "/api/v1/vendors",
            Some("application/json"),
            b"{\"legal_name\":\"\xff\xfe\"}".to_vec(),
        )
        .await;
        problem(&answer, 400, "not UTF-8");
        let large = with(profile(&house, "Acme"), "/address", json!("x".repeat(1024 * 1024)));
        problem(&house.post(Role::VendorManager, "/api/v1/vendors", large).await, 413, "a large body");
        let vendor = house.register("Files").await;
        let path = format!("/api/v1/vendors/{vendor}/evidence?name=a&type=policy&issued=2026-01-01");
        problem(&house.upload(Role::VendorManager, "POST", &path, &vec![0; 1_000_001]).await, 413, "a large file");
        problem(&house.upload(Role::VendorManager, "POST", &path, b"").await, 422, "an empty file");
        house.upload(Role::VendorManager, "POST", &path, &vec![0; 1_000_000]).await.good();
        // The vendor with its two acts and the file: nothing else was kept.
        assert_eq!(history_size(&house).await, before + 4);
        for kind in ["application/json; charset=utf-8", "APPLICATION/JSON", "application/vendor+json"] {
            raw(&house, Role::VendorManager, "POST", "/api/v1/vendors", Some(kind), good.replace("Acme", kind)).await.good();
        }
    });
}

/// A member that is not there, at every depth of a body and in every kind of variant.
#[test]
fn unknown_members_are_refused_by_name_at_every_depth() {
    run(async {
        let house = House::start(Database::sqlite()).await;
        house.catalogue_people(5).await;
        let vendor = house.register("Acme").await;
        let paper = house.assess(&vendor).await;
        let agreement = house.draft(&vendor, "acme", &paper, &[("acme-people", usual("people"))]).await;
        let round = house
            .post(Role::VendorManager, &format!("/api/v1/vendors/{vendor}/assessments"), json!({"kind": "legal", "template": "security"}))
            .await;
        let round = round.good()["id"].as_str().unwrap().to_owned();
        house.post(Role::VendorManager, &format!("/api/v1/assessments/{round}/send"), json!({})).await.good();
        let source = house.get(Role::DataSteward, "/api/v1/sources").await.good()["items"][0]["id"].clone();

        let mut permit = usual("people");
        permit["condition"] = json!({"all": [{"field": "city", "op": "eq", "values": ["Ulm"]}]});
        permit["fields"] = json!({
            "id": {"kind": "pseudonym", "format": "uuid"}, "city": {"kind": "clear"}, "born": {"kind": "generalise_date", "unit": "year"},
            "email": {"kind": "mask", "prefix": 1, "suffix": 1, "pad": 3}, "name": {"kind": "withhold"}, "secret": {"kind": "constant", "value": 1},
            "score": {"kind": "generalise_number", "width": 5, "as": "lower"}, "spent": {"kind": "top_bottom_code", "top": 5, "as": "bound"}
        });
        let age = with(permit.clone(), "/fields/born", json!({"kind": "generalise_date", "unit": "age", "width": 5, "at": "2026-01-01"}));
        let mut terms = processor_terms(&house.clock, &paper);
        terms["transfer"] = json!({"mechanism": "derogation", "assessment_reference": "x"});
        terms["joint"] = json!({"responsibilities": "x", "contact_point": "x", "essence_published_at": "x"});
        terms["controller"] = json!({"purpose_limits": "x", "notice": "x", "no_onward_sharing": true});
        let general = with(terms.clone(), "/sub_processors", json!({"authorisation": "general", "notice_days": 1, "objection_days": 1}));
        let fields = json!([{"name": "id", "type": "text", "class": "plain", "category": "technical"}]);
        let dataset =
            json!({"name": "x", "source": source, "table": "people", "fields": fields, "subject": {"field": "id", "domain": "person"}});
        let answers = json!({"version": 1, "answers": {"security-policy": {"kind": "yes_no", "value": "yes"}}});

        let (manager, officer, steward, administrator) =
            (Role::VendorManager, Role::PrivacyOfficer, Role::DataSteward, Role::Administrator);
        let permits = format!("/api/v1/agreements/{agreement}/permits");
        let edit = format!("/api/v1/agreements/{agreement}/versions/1/terms");
        let written = |terms: &Value| json!({"key": "new", "terms": terms});
        let table: Vec<(Role, &str, String, Value, Vec<&str>)> = vec![
            (manager, "POST", "/api/v1/vendors".to_owned(), profile(&house, "New"), vec!["", "/contacts/0"]),
            (
                manager,
                "PUT",
                format!("/api/v1/vendors/{vendor}"),
                json!({"version": 1, "profile": profile(&house, "New")}),
                vec!["", "/profile", "/profile/contacts/0"],
            ),
            (manager, "POST", format!("/api/v1/vendors/{vendor}/suspend"), because(), vec![""]),
            (
                manager,
                "POST",
                format!("/api/v1/vendors/{vendor}/assessments"),
                json!({"kind": "privacy", "template": "security"}),
                vec![""],
            ),
            (manager, "PUT", format!("/api/v1/assessments/{round}/answers"), answers, vec!["", "/answers/security-policy"]),
            (officer, "POST", format!("/api/v1/assessments/{round}/decide"), json!({"verdict": "rejected", "rationale": "x"}), vec![""]),
            (
                manager,
                "POST",
                format!("/api/v1/vendors/{vendor}/agreements"),
                json!({"reference": "new", "kind": "processor", "terms": terms}),
                vec!["", "/terms"],
            ),
            (
                manager,
                "PUT",
                edit.clone(),
                json!({"version": 1, "terms": terms}),
                vec![
                    "",
                    "/terms",
                    "/terms/sub_processors",
                    "/terms/assistance",
                    "/terms/breach_notice",
                    "/terms/at_the_end",
                    "/terms/audit",
                    "/terms/joint",
                    "/terms/controller",
                    "/terms/transfer",
                ],
            ),
            (manager, "PUT", edit, json!({"version": 1, "terms": general}), vec!["/terms/sub_processors"]),
            (
                officer,
                "POST",
                format!("/api/v1/agreements/{agreement}/versions/1/approve"),
                json!({"version": 1, "confirm_clear": []}),
                vec![""],
            ),
            (
                manager,
                "POST",
                format!("/api/v1/agreements/{agreement}/versions/1/sign"),
                json!({"version": 1, "party": "house", "name": "x", "document": "0".repeat(64)}),
                vec![""],
            ),
            (
                manager,
                "POST",
                permits.clone(),
                written(&permit),
                vec![
                    "",
                    "/terms",
                    "/terms/condition",
                    "/terms/condition/all/0",
                    "/terms/fields/id",
                    "/terms/fields/city",
                    "/terms/fields/born",
                    "/terms/fields/email",
                    "/terms/fields/name",
                    "/terms/fields/secret",
                    "/terms/fields/score",
                    "/terms/fields/spent",
                ],
            ),
            (manager, "POST", permits, written(&age), vec!["/terms/fields/born"]),
            (
                manager,
                "PUT",
                "/api/v1/permits/acme-people/revisions/1".to_owned(),
                json!({"version": 1, "terms": permit}),
                vec!["", "/terms/fields/city"],
            ),
            (
                officer,
                "POST",
                "/api/v1/permits/acme-people/revisions/1/approve".to_owned(),
                json!({"version": 1, "confirm_clear": []}),
                vec![""],
            ),
            (
                steward,
                "POST",
                "/api/v1/sources".to_owned(),
                json!({"name": "x", "location": {"kind": "parquet", "path": "people.parquet"}}),
                vec!["", "/location"],
            ),
            (
                steward,
                "POST",
                "/api/v1/sources".to_owned(),
                json!({"name": "x", "location": {"kind": "csv", "path": "people.csv"}}),
                vec!["/location"],
            ),
            (steward, "POST", "/api/v1/datasets".to_owned(), dataset, vec!["", "/fields/0", "/subject"]),
            (manager, "POST", format!("/api/v1/vendors/{vendor}/clients"), json!({"name": "x"}), vec![""]),
            (
                administrator,
                "POST",
                "/api/v1/people".to_owned(),
                json!({"email": "a@b.example", "name": "x", "role": "data_steward", "password": "long enough for it"}),
                vec![""],
            ),
            (administrator, "POST", "/api/v1/me/keys".to_owned(), json!({"label": "x"}), vec![""]),
        ];
        let before = history_size(&house).await;
        for (role, method, path, body, places) in table {
            for place in places {
                let at = format!("{method} {path} {place}");
                let answer = house
                    .send(method, &path, house.key(role), Some(&with(body.clone(), &format!("{place}/bogus_member"), json!(MARK))))
                    .await;
                let body = problem(&answer, 422, &at);
                assert!(body["detail"].as_str().unwrap().contains("bogus_member"), "{at}: {body}");
                assert_eq!(body["errors"].as_array().unwrap().len(), 1, "{at}");
                // The parent's name says where.
                let parent = place.rsplit('/').next().filter(|part| part.parse::<usize>().is_err()).unwrap_or("");
                assert!(body["clause"].as_str().unwrap_or("").contains(parent), "{at}: {body}");
            }
        }
        assert_eq!(history_size(&house).await, before);
        let queries = [
            "/api/v1/vendors?bogus=1",
            "/api/v1/vendors?limit=1&limit=1",
            "/api/v1/vendors?limit=0",
            "/api/v1/vendors?limit=501",
            "/api/v1/vendors?limit=-1",
            "/api/v1/vendors?limit=1e9",
            "/api/v1/vendors?lifecycle=gone",
            "/api/v1/vendors?tier=zqx7value",
            "/api/v1/vendors?owner=me",
            "/api/v1/agreements?limit=zqx7value",
            "/api/v1/history?cursor=-1",
            "/api/v1/history?cursor=zqx7value",
            "/api/v1/history?from=yesterday",
            "/api/v1/history?to=2026-02-30",
            "/api/v1/history?limit=0",
        ];
        for path in queries {
            problem(&house.get(Role::ComplianceReviewer, path).await, 400, path);
        }
    });
}

#[test]
fn a_wrong_value_does_not_come_back() {
    run(async {
        let house = House::start(Database::sqlite()).await;
        house.catalogue_people(5).await;
        let vendor = house.register("Acme").await;
        let paper = house.assess(&vendor).await;
        let agreement = house.draft(&vendor, "acme", &paper, &[("acme-people", usual("people"))]).await;
        let mut permit = usual("people");
        permit["condition"] = json!({"all": [{"field": "score", "op": "eq", "values": ["1"]}]});
        let before = history_size(&house).await;
        let (profile, terms) = (profile(&house, "Acme Two"), processor_terms(&house.clock, &paper));
        let table: [(&str, String, Value, &[&str]); 4] = [
            (
                "POST",
                "/api/v1/vendors".to_owned(),
                profile,
                &["/country", "/role", "/tier", "/owner", "/contacts", "/contacts/0", "/contacts/0/email", "/data_locations/0"],
            ),
            (
                "PUT",
                format!("/api/v1/agreements/{agreement}/versions/1/terms"),
                json!({"version": 2, "terms": terms}),
                &[
                    "/version",
                    "/terms",
                    "/terms/purposes/0",
                    "/terms/starts_on",
                    "/terms/security_evidence/0",
                    "/terms/sub_processors",
                    "/terms/sub_processors/authorisation",
                    "/terms/assistance/days",
                    "/terms/breach_notice/contact",
                    "/terms/at_the_end/way",
                    "/terms/retention_days",
                ],
            ),
            (
                "POST",
                format!("/api/v1/agreements/{agreement}/permits"),
                json!({"key": "new", "terms": permit}),
                &[
                    "/terms/dataset",
                    "/terms/purpose",
                    "/terms/legal_basis",
                    "/terms/fields/city",
                    "/terms/fields/city/kind",
                    "/terms/fields/born/unit",
                    "/terms/fields/spent/step",
                    "/terms/condition",
                    "/terms/condition/all/0/op",
                    "/terms/condition/all/0/values/0",
                    "/terms/daily_rows",
                    "/terms/ends_on",
                ],
            ),
            (
                "POST",
                format!("/api/v1/agreements/{agreement}/permits"),
                json!({"key": "new", "terms": usual("people")}),
                &["/terms/instruction"],
            ),
        ];
        for (method, path, body, places) in table {
            for place in places {
                // The last would pass for the tail of serde's own sentence.
                for value in
                    [json!(MARK), json!([[MARK]]), json!({"kind": MARK}), json!(format!("{MARK}, expected {MARK} at line 1 column 1"))]
                {
                    let answer =
                        house.send(method, &path, house.key(Role::VendorManager), Some(&with(body.clone(), place, value.clone()))).await;
                    problem(&answer, 422, &format!("{path} {place} {value}"));
                }
            }
        }
        assert_eq!(history_size(&house).await, before);
    });
}

async fn texts_are_kept_whole_or_refused(database: Database) {
    let house = House::start(database).await;
    let refused = ["", " ", "\u{0}", "a\u{0}b", "a\u{7}b", "a\nb", "a\u{85}b", "a\u{7f}b", "\u{9f}"];
    let kept = [
        "<script>alert(1)</script>",
        "'; DROP TABLE vendors; --",
        "\u{202e}desrever",
        "zero\u{200b}width",
        "اسم الشركة",
        "日本 株式会社",
        "e\u{301}",
        "\"quoted\" \\ {{7*7}} ${x} %s %00",
        "\u{1f469}\u{200d}\u{1f4bb}",
        "\u{fffd}\u{10ffff}",
        "=cmd|' /C calc'!A0",
    ];
    for text in refused {
        let answer = house.post(Role::VendorManager, "/api/v1/vendors", profile(&house, text)).await;
        let body = problem(&answer, 422, &format!("{text:?}"));
        assert_eq!(body["clause"], "legal_name", "{body}");
    }
    problem(&house.post(Role::VendorManager, "/api/v1/vendors", profile(&house, &"x".repeat(121))).await, 422, "long");
    for text in kept {
        let vendor = house.post(Role::VendorManager, "/api/v1/vendors", profile(&house, text)).await.good();
        assert_eq!(vendor["legal_name"], text);
        let read = house.get(Role::VendorManager, &format!("/api/v1/vendors/{}", vendor["id"].as_str().unwrap())).await.good();
        assert_eq!(read["legal_name"], text);
    }
    // What is searched for is text, never a pattern and never a fault of the database's.
    for (search, found) in [("%25", 1), ("_", 0), ("DROP+TABLE", 1), ("drop+table", 1), ("%5C", 1), ("%27", 2)] {
        let list = house.get(Role::VendorManager, &format!("/api/v1/vendors?search={search}")).await.good();
        assert_eq!(list["items"].as_array().unwrap().len(), found, "{search}");
    }
    for query in [
        "vendors?search=%00",
        "vendors?cursor=%00",
        "agreements?cursor=%00",
        "history?vendor=%00",
        "history?dataset=a%00b",
        "history?outcome=%00",
        "history?release=%00",
    ] {
        problem(&house.get(Role::ComplianceReviewer, &format!("/api/v1/{query}")).await, 400, query);
    }
    for query in ["vendors?cursor=zqx7value", "agreements?cursor=%27", "history?vendor=zqx7value", "vendors?search=%ff"] {
        house.get(Role::ComplianceReviewer, &format!("/api/v1/{query}")).await.good();
    }
    // A word that no entry has is a slip, and an empty list would hide it.
    for (query, named) in [
        ("kind=acts", "refusal"),
        ("kind=", "release"),
        ("outcome=aproved", "approve"),
        ("outcome=RELEASED", "released"),
        ("gate=due-diligence", "due_diligence"),
        ("gate=%F0%9F%92%A9", "quota"),
    ] {
        let answer = problem(&house.get(Role::ComplianceReviewer, &format!("/api/v1/history?{query}")).await, 400, query);
        assert!(answer["detail"].as_str().unwrap().contains(named), "{query}: {answer}");
    }
    // Years beyond four digits, and days before year 0, have no form on the wire.
    for day in
        ["-001-01-01", "+999-01-01", "2026-1-1", "2026-02-29", "2026/01/01", "99999-01-01", "２０２６-01-01", "2026-01-01T00:00:00Z", ""]
    {
        let vendor = house.get(Role::VendorManager, "/api/v1/vendors?limit=1").await.good()["items"][0]["id"].as_str().unwrap().to_owned();
        let body = json!({"reference": "dates", "kind": "processor", "terms": {"starts_on": day}});
        problem(&house.post(Role::VendorManager, &format!("/api/v1/vendors/{vendor}/agreements"), body).await, 422, day);
    }
}

async fn stale_unknown_and_misplaced_changes(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(5).await;
    let vendor = house.register("Acme").await;
    let paper = house.assess(&vendor).await;
    let agreement = house.draft(&vendor, "acme", &paper, &[("acme-people", usual("people"))]).await;
    let before = history_size(&house).await;

    let dataset = house.get(Role::DataSteward, "/api/v1/datasets/people").await.good();
    let path = format!("/api/v1/vendors/{vendor}/assessments");
    let round = house.post(Role::VendorManager, &path, json!({"kind": "legal", "template": "security"})).await.good()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let round = format!("/api/v1/assessments/{round}");
    house.post(Role::VendorManager, &format!("{round}/send"), json!({})).await.good();
    let base = format!("/api/v1/agreements/{agreement}/versions/1");
    let paper = json!({"party": "house", "name": "x", "document": "0".repeat(64)});
    let (manager, officer) = (Role::VendorManager, Role::PrivacyOfficer);
    let stale = [
        (manager, "PUT", format!("/api/v1/vendors/{vendor}"), json!({"profile": profile(&house, "New")})),
        (
            Role::DataSteward,
            "PUT",
            "/api/v1/datasets/people".to_owned(),
            json!({"fields": dataset["fields"], "subject": dataset["subject"]}),
        ),
        (manager, "PUT", format!("{base}/terms"), json!({"terms": {}})),
        (manager, "PUT", format!("{round}/answers"), json!({"answers": {}})),
        (officer, "POST", format!("{base}/approve"), json!({})),
        (manager, "POST", format!("{base}/sign"), paper.clone()),
        (manager, "PUT", "/api/v1/permits/acme-people/revisions/1".to_owned(), json!({"terms": usual("people")})),
        (officer, "POST", "/api/v1/permits/acme-people/revisions/1/approve".to_owned(), json!({})),
    ];
    for (role, method, path, body) in &stale {
        let send = async |body: Value| house.send(method, path, house.key(*role), Some(&body)).await;
        for version in [0, -1, 999, i64::MAX, i64::MIN] {
            let answer = send(with(body.clone(), "/version", json!(version))).await;
            assert_eq!(problem(&answer, 409, path)["type"], "urn:tidegate:problem:stale");
        }
        for version in [json!(1e30), json!(1.5), json!("1"), json!(null), json!(18_446_744_073_709_551_615_u64)] {
            problem(&send(with(body.clone(), "/version", version)).await, 422, path);
        }
        problem(&send(body.clone()).await, 422, path);
    }
    // A revision is based on the number of the one before, and a file has its version in the query.
    let revisions = "/api/v1/permits/acme-people/revisions";
    let body = json!({"terms": usual("people"), "reason": "for the test"});
    for based_on in [0, -1, 2, i32::MAX, i32::MIN] {
        let answer = house.post(manager, revisions, with(body.clone(), "/based_on", json!(based_on))).await;
        assert_eq!(problem(&answer, 409, revisions)["type"], "urn:tidegate:problem:stale");
    }
    for based_on in [json!(i64::MAX), json!(1.5), json!("1"), json!(null)] {
        problem(&house.post(manager, revisions, with(body.clone(), "/based_on", based_on)).await, 422, revisions);
    }
    problem(&house.post(manager, revisions, body).await, 422, revisions);
    for (query, status) in [("", 400), ("?version=", 400), ("?version=x", 400), ("?version=2&version=2", 400), ("?version=999", 409)] {
        problem(&house.upload(manager, "PUT", &format!("{base}/document{query}"), b"another").await, status, query);
    }

    let taken = house.post(Role::VendorManager, "/api/v1/vendors", profile(&house, "  acme ")).await;
    assert_eq!(problem(&taken, 409, "a taken name")["type"], "urn:tidegate:problem:taken");
    let again = house
        .post(
            Role::VendorManager,
            &format!("/api/v1/agreements/{agreement}/permits"),
            json!({"key": "acme-people", "terms": usual("people")}),
        )
        .await;
    assert_eq!(problem(&again, 409, "a taken key")["type"], "urn:tidegate:problem:taken");

    let counter = house.counter(&agreement, 1).await;
    let misplaced = [
        (Role::VendorManager, format!("/api/v1/vendors/{vendor}/triage"), because()),
        (Role::VendorManager, format!("/api/v1/vendors/{vendor}/reinstate"), because()),
        (Role::VendorManager, format!("{round}/send"), json!({})),
        (Role::PrivacyOfficer, format!("{round}/review"), json!({})),
        (Role::PrivacyOfficer, format!("{round}/decide"), json!({"verdict": "rejected", "rationale": "x"})),
        (Role::PrivacyOfficer, format!("{base}/approve"), json!({"version": counter})),
        (Role::PrivacyOfficer, format!("/api/v1/agreements/{agreement}/versions/1/hand-back"), json!({"comment": "x"})),
        (Role::VendorManager, format!("{base}/sign"), with(paper, "/version", counter.clone())),
        (Role::VendorManager, format!("/api/v1/agreements/{agreement}/amend"), json!({})),
        (Role::PrivacyOfficer, format!("/api/v1/agreements/{agreement}/destroy-key"), because()),
        (
            Role::VendorManager,
            "/api/v1/permits/acme-people/revisions".to_owned(),
            json!({"based_on": 1, "terms": usual("people"), "reason": "for the test"}),
        ),
        (Role::PrivacyOfficer, "/api/v1/permits/acme-people/revisions/1/approve".to_owned(), json!({"version": 1})),
        (Role::PrivacyOfficer, "/api/v1/permits/acme-people/resume".to_owned(), because()),
    ];
    for (role, path, body) in misplaced {
        assert_eq!(problem(&house.post(role, &path, body).await, 409, &path)["type"], "urn:tidegate:problem:wrong-state", "{path}");
    }

    for id in [NOBODY, "x", "%00", "%27", "..", "%F0%9F%92%A9", &NOBODY.to_uppercase(), &vendor[1..]] {
        for path in [
            "vendors/{}",
            "vendors/{}/evidence",
            "vendors/{}/permits",
            "assessments/{}",
            "evidence/{}/file",
            "agreements/{}",
            "permits/{}",
            "clients/{}",
            "clients/{}/tokens",
            "datasets/{}",
        ] {
            let path = format!("/api/v1/{}", path.replace("{}", id));
            // `..` is resolved by the client before it is sent.
            if id != ".." {
                problem(&house.get(manager, &path).await, 404, &path);
            }
        }
        for path in ["vendors/{}/suspend", "permits/{}/pause", "agreements/{}/end", "clients/{}/revoke", "tokens/{}/revoke"] {
            let path = format!("/api/v1/{}", path.replace("{}", id));
            if id != ".." {
                problem(&house.post(manager, &path, because()).await, 404, &path);
            }
        }
    }
    for number in ["2", "0", "-1", "99999999999", "x", "1.0"] {
        let path = format!("/api/v1/agreements/{agreement}/versions/{number}/submit");
        problem(&house.post(manager, &path, json!({})).await, 404, &path);
        let path = format!("/api/v1/permits/acme-people/revisions/{number}/reject");
        problem(&house.post(Role::PrivacyOfficer, &path, because()).await, 404, &path);
    }
    for position in ["99999999", "-1", "x", "99999999999999999999"] {
        problem(&house.get(manager, &format!("/api/v1/history/{position}")).await, 404, position);
    }
    // Only the round that was opened and sent on the way.
    assert_eq!(history_size(&house).await, before + 2);
}

on_both!(texts_are_kept_whole_or_refused, stale_unknown_and_misplaced_changes);
