//! The data API's queries, cursors, formats and methods.

use serde_json::{Value, json};
use tidegate::domain::person::Role;
use tidegate::engine::sample::write_parquet;

use super::{MARK, problem};
use crate::database::{Database, run};
use crate::harness::{Answer, House, people_columns, permit, usual};

const RECORDS: &str = "/data/v1/datasets/people/records";
const JSON: &str = "application/json";

async fn house_and_token() -> (House, String) {
    let house = House::start(Database::sqlite()).await;
    house.catalogue_people(50).await;
    let vendor = house.vendor("Acme", &[("acme-people", usual("people"))]).await;
    let token = house.token(&vendor).await;
    (house, token)
}

/// A word as a query bears it, each byte escaped.
fn escaped(word: &str) -> String {
    word.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// The answer without what must differ: the name sent and the request's id.
fn without_name(mut body: Value, name: &str) -> Value {
    body["request_id"] = Value::Null;
    for place in ["/detail", "/clause", "/errors/0/field"] {
        let text = body.pointer(place).unwrap_or_else(|| panic!("no {place} in {body}")).as_str().unwrap();
        assert!(text.starts_with(name), "{place} names the field sent: {body}");
        let rest = text[name.len()..].to_owned();
        *body.pointer_mut(place).unwrap() = json!(rest);
    }
    body
}

#[test]
fn a_withheld_field_and_an_unknown_one_answer_alike() {
    run(async {
        let (house, token) = house_and_token().await;
        let unknown = ["nothing", "rowid", "_rowid_", "count(*)", "1", "people.city", "city;--", "*", "\u{feff}city"];
        let withheld = ["secret", "email", "name"];
        // What looks like a released field, or like a withheld one, is neither.
        let lookalikes = [
            "City",
            "CITY",
            "Secret",
            "SECRET",
            "сity",
            "ｃｉｔｙ",
            "ci\u{200b}ty",
            "\u{202e}ytic",
            "cıty",
            "ſecret",
            "sécret",
            "se\u{301}cret",
        ];
        let places: [fn(&str) -> String; 7] = [
            |name| format!("select={name}"),
            |name| format!("select=id,{name}"),
            |name| format!("order={name}"),
            |name| format!("order=id.asc,{name}.desc"),
            |name| format!("{name}=eq.{MARK}"),
            |name| format!("{name}=is.null"),
            |name| format!("{name}=nonsense.{MARK}"),
        ];
        for place in places {
            let mut expected = None;
            for name in unknown.iter().chain(&withheld).chain(&lookalikes) {
                let query = place(&escaped(name));
                let answer = house.pull(&token, &format!("{RECORDS}?{query}"), JSON).await;
                let body = without_name(problem(&answer, 400, &query), name);
                assert_eq!(&body, expected.get_or_insert_with(|| body.clone()), "{query} ({name})");
            }
        }
        // Escapes are only a spelling: a released field stays one.
        house.pull(&token, &format!("{RECORDS}?select={}", escaped("city")), JSON).await.good();
        house.pull(&token, RECORDS, JSON).await.good();
    });
}

#[test]
fn a_query_that_makes_no_sense_is_a_bad_request() {
    run(async {
        let (house, token) = house_and_token().await;
        let many_filters = vec!["city=eq.Ulm"; 51].join("&");
        let many_values = format!("city=in.({})", vec!["x"; 1_001].join(","));
        let long_value = format!("city=eq.{}", "x".repeat(10_001));
        let long_cursor = format!("cursor={}", "A".repeat(2_000));
        let long_name = format!("{}=eq.1", "n".repeat(20_000));
        let table = [
            "limit=0",
            "limit=-1",
            "limit=10001",
            "limit=1e99",
            "limit=",
            "limit=ten",
            "limit=1.5",
            "limit=0x10",
            "limit=99999999999999999999",
            "limit=1&limit=2",
            "select=id&select=city",
            "select=id,id",
            "select=",
            "select=,",
            "order=id&order=city",
            "cursor=a&cursor=a",
            "permit=acme-people&permit=acme-people",
            "purpose=x&purpose=x",
            "cursor=",
            "cursor=AAAA",
            "cursor=%00",
            "cursor=../../etc/passwd",
            "cursor=null",
            &long_cursor,
            "city=",
            "city=eq",
            "city=Ulm",
            "city=like.U*",
            "city=EQ.Ulm",
            "city=in.Ulm",
            "city=in.(Ulm",
            "city=in.(%22Ulm)",
            "city=is.nothing",
            "city=is.true",
            "score=eq.ten",
            "score=eq.1.5",
            "score=eq.",
            "score=gt.99999999999999999999",
            "score=in.(1,two)",
            "score=eq.0x1",
            "score=eq.%201",
            "spent=eq.NaN",
            "spent=lt.inf",
            "spent=gt.-Infinity",
            "spent=eq.1e999",
            "born=eq.1960-01-01",
            "born=gt.19x",
            &many_filters,
            &many_values,
            &long_value,
            &long_name,
        ];
        for query in table {
            let at = &query[..query.len().min(60)];
            let answer = house.pull(&token, &format!("{RECORDS}?{query}"), JSON).await;
            problem(&answer, 400, at);
        }
        for query in ["limit=5", "cursor=AAAA", "limit=0"] {
            for accept in ["application/x-ndjson", "text/csv"] {
                problem(&house.pull(&token, &format!("{RECORDS}?{query}"), accept).await, 400, query);
            }
        }
        // A value is told from its name: what was compared with does not come back.
        for query in [
            format!("score=eq.{MARK}"),
            format!("limit={MARK}"),
            format!("cursor={MARK}"),
            format!("city=is.{MARK}"),
            format!("city={MARK}.1"),
        ] {
            problem(&house.pull(&token, &format!("{RECORDS}?{query}"), JSON).await, 400, &query);
        }
        house.pull(&token, RECORDS, JSON).await.good();
    });
}

#[test]
fn formats_methods_and_paths_that_are_not_there() {
    run(async {
        let (house, token) = house_and_token().await;
        for accept in
            ["text/html", "application/xml", "application/json;q=0", "image/*, audio/*", "*/*;q=0", "json", "application/json;q=NaN"]
        {
            problem(&house.pull(&token, RECORDS, accept).await, 406, accept);
        }
        let kinds = [
            ("*/*", JSON),
            ("text/html, */*;q=0.1", JSON),
            ("APPLICATION/JSON", JSON),
            ("text/csv;q=0.9, application/x-ndjson", "application/x-ndjson"),
            ("application/json;q=0.1, text/csv;q=0.2", "text/csv"),
        ];
        for (accept, kind) in kinds {
            let answer = house.pull(&token, &format!("{RECORDS}?select=city"), accept).await;
            assert!(answer.status == 200 && answer.header("content-type").starts_with(kind), "{accept}: {}", answer.header("content-type"));
        }
        let methods = [
            ("DELETE", RECORDS, "GET"),
            ("POST", RECORDS, "GET"),
            ("PATCH", "/api/v1/vendors", "GET, HEAD, POST"),
            ("DELETE", "/api/v1/vendors/x", "GET, HEAD, PUT"),
            ("GET", "/oauth/token", "POST"),
            ("GET", "/api/v1/vendors/x/suspend", "POST"),
        ];
        for (method, path, allow) in methods {
            let answer = house.send(method, path, &token, None).await;
            problem(&answer, 405, path);
            assert_eq!(answer.header("allow"), allow, "{method} {path}");
        }
        let paths = [
            "/api",
            "/api/v1/vendor",
            "/api/v1/vendors/",
            "/data/v1/datasets/people",
            "/data/v1/datasets//records",
            "/%00",
            "/%ff",
            "/..%2f..%2fetc",
            "/api/v1/vendors/a/b/c/d",
        ];
        for path in paths {
            problem(&house.send("GET", path, &token, None).await, 404, path);
        }
        // Whether a dataset exists is not told: both are outside the permit.
        for dataset in ["people-sql", "no-such", "PEOPLE", "people%00", "%ff"] {
            let answer = house.pull(&token, &format!("/data/v1/datasets/{dataset}/records"), JSON).await;
            problem(&answer, 403, dataset);
            assert_eq!(answer.gate(), "permit", "{dataset}");
        }
        for (query, gate) in [
            ("permit=no-such", "permit"),
            ("permit=", "permit"),
            ("permit=%00", "permit"),
            ("purpose=email-marketing", "purpose"),
            ("purpose=", "purpose"),
        ] {
            let answer = house.pull(&token, &format!("{RECORDS}?{query}"), JSON).await;
            problem(&answer, 403, query);
            assert_eq!(answer.gate(), gate, "{query}");
        }
    });
}

async fn cursor(house: &House, token: &str, query: &str) -> String {
    let body = house.pull(token, &format!("{RECORDS}?limit=2&{query}"), JSON).await.good();
    body["next"].as_str().unwrap().to_owned()
}

async fn with_cursor(house: &House, token: &str, query: &str, cursor: &str) -> Answer {
    house.pull(token, &format!("{RECORDS}?limit=2&{query}&cursor={cursor}"), JSON).await
}

#[test]
fn a_cursor_goes_on_with_its_own_request_only() {
    run(async {
        let house = House::start(Database::sqlite()).await;
        house.catalogue_people(50).await;
        let acme = house.vendor("Acme", &[("acme-one", usual("people")), ("acme-two", usual("people"))]).await;
        let other = house.vendor("Other", &[("other-people", usual("people"))]).await;
        let (token, others) = (house.token(&acme).await, house.token(&other).await);
        let query = "permit=acme-one&select=id,city&city=eq.Ulm&order=score";
        let next = cursor(&house, &token, query).await;

        // It is bound to the client, not to one token of it; and the size of a page may change.
        let again = house.token(&acme).await;
        with_cursor(&house, &again, query, &next).await.good();

        let client = house
            .post(Role::VendorManager, &format!("/api/v1/vendors/{}/clients", acme.id), json!({"name": "second", "hand_over": "answer"}))
            .await
            .good();
        let text = |name: &str| client[name].as_str().unwrap().to_owned();
        let second = crate::harness::Vendor { client_id: text("client_id"), client_secret: text("client_secret"), ..acme.clone() };
        let seconds = house.token(&second).await;
        let flipped = format!("{}{}", if next.starts_with('A') { 'B' } else { 'A' }, &next[1..]);
        let table = [
            ("another vendor", &others, "select=id,city&city=eq.Ulm&order=score", next.clone()),
            ("another client of the vendor", &seconds, query, next.clone()),
            ("another permit", &token, "permit=acme-two&select=id,city&city=eq.Ulm&order=score", next.clone()),
            ("another selection", &token, "permit=acme-one&select=city,id&city=eq.Ulm&order=score", next.clone()),
            ("another filter", &token, "permit=acme-one&select=id,city&city=eq.Bern&order=score", next.clone()),
            ("another operator", &token, "permit=acme-one&select=id,city&city=neq.Ulm&order=score", next.clone()),
            ("no filter", &token, "permit=acme-one&select=id,city&order=score", next.clone()),
            ("another order", &token, "permit=acme-one&select=id,city&city=eq.Ulm&order=score.desc", next.clone()),
            ("cut short", &token, query, next[..next.len() - 2].to_owned()),
            ("longer", &token, query, format!("{next}AA")),
            ("flipped", &token, query, flipped),
            ("padded", &token, query, format!("{next}%3D")),
            ("a token", &token, query, token[..500].to_owned()),
        ];
        for (what, bearer, query, cursor) in &table {
            problem(&with_cursor(&house, bearer, query, cursor).await, 400, what);
        }

        let mut narrower = usual("people");
        narrower["daily_rows"] = json!(999_999);
        house.revise("acme-one", house.key(Role::VendorManager), &narrower).await.good();
        problem(&with_cursor(&house, &token, query, &next).await, 400, "after a narrowing");

        let next = cursor(&house, &token, query).await;
        write_parquet(&house.sources().join("people.parquet"), &people_columns(60)).unwrap();
        problem(&with_cursor(&house, &token, query, &next).await, 400, "after the source changed");
        let next = cursor(&house, &token, query).await;
        with_cursor(&house, &token, query, &next).await.good();
    });
}

#[test]
fn a_missing_or_damaged_source_names_the_dataset_and_not_the_path() {
    run(async {
        let (house, token) = house_and_token().await;
        let path = house.sources().join("people.parquet");
        let whole = std::fs::read(&path).unwrap();
        let damages: [(&str, Option<Vec<u8>>); 3] =
            [("gone", None), ("empty", Some(Vec::new())), ("cut", Some(whole[..whole.len() / 2].to_vec()))];
        for (what, bytes) in damages {
            std::fs::remove_file(&path).ok();
            if let Some(bytes) = bytes {
                std::fs::write(&path, bytes).unwrap();
            }
            for accept in [JSON, "text/csv"] {
                let answer = house.pull(&token, RECORDS, accept).await;
                let body = problem(&answer, 503, what);
                assert!(body["detail"].as_str().unwrap().contains("'people'"), "{what}: {body}");
                assert!(!answer.text.contains("parquet") && !answer.text.contains(house.sources().to_str().unwrap()), "{what}: {body}");
                assert!(!answer.header("retry-after").is_empty(), "{what}");
            }
        }
        std::fs::write(&path, whole).unwrap();
        house.pull(&token, RECORDS, JSON).await.good();
    });
}

#[test]
fn a_permit_must_be_chosen_where_several_cover_the_dataset() {
    run(async {
        let house = House::start(Database::sqlite()).await;
        house.catalogue_people(10).await;
        let fields = json!({"city": {"kind": "clear"}});
        let acme = house.vendor("Acme", &[("acme-one", usual("people")), ("acme-two", permit("people", fields))]).await;
        let token = house.token(&acme).await;
        problem(&house.pull(&token, RECORDS, JSON).await, 400, "two permits");
        let chosen = house.pull(&token, &format!("{RECORDS}?permit=acme-two&limit=1"), JSON).await.good();
        assert_eq!(chosen["rows"], json!([{"city": "Ulm"}]));
        // The other permit's fields are no fields of this release.
        problem(&house.pull(&token, &format!("{RECORDS}?permit=acme-two&select=id"), JSON).await, 400, "a field of the other");
        house.at(house.clock.now().plus_seconds(400)).await;
        let expired = house.pull(&token, RECORDS, JSON).await;
        problem(&expired, 401, "an expired token");
        assert_eq!(expired.gate(), "token");
    });
}
