//! A vendor that wants more than its permit says: what it may send is tried against what it may not see. What belongs to
//! one kind of source or format stands beside that one's tests.

use serde_json::{Value, json};
use tidegate::domain::Date;
use tidegate::domain::person::Role;
use tidegate::engine::sample::{SampleColumn, SampleValues, write_parquet};
use tidegate::store::Clock;

use crate::broker::Broker;
use crate::database::{Database, run};
use crate::formats::{NDJSON, PARQUET, RECORDS, pulled};
use crate::harness::{House, Vendor, people_columns, permit, usual};
use crate::on_both;
use crate::sources::web::{Paged, Server};

const ROWS: usize = 400;

/// The same people with other values in everything that is withheld, and other ones that are treated to the same.
fn others() -> Vec<SampleColumn> {
    let mut columns = people_columns(ROWS);
    for column in &mut columns {
        match (column.name, &mut column.values) {
            ("email" | "name" | "secret", SampleValues::Text(cells)) => {
                for (row, cell) in cells.iter_mut().enumerate() {
                    *cell = (row % 3 != 0).then(|| format!("zzz-{}", ROWS - row));
                }
            }
            // Another day of the same year, another sum that is rounded to the same ten.
            ("born", SampleValues::Date(cells)) => {
                for cell in cells.iter_mut() {
                    let year = cell.unwrap().to_string()[..4].parse().unwrap();
                    *cell = Some(Date::from_ymd(year, 6, 15).unwrap());
                }
            }
            ("spent", SampleValues::Number(cells)) => {
                cells.iter_mut().for_each(|cell| *cell = cell.map(|sum| (sum / 10.0).round_ties_even() * 10.0))
            }
            _ => {}
        }
    }
    columns
}

/// Everything a vendor sees of an answer, but for what is drawn anew for each: ids, the time, and the bytes of a cursor.
async fn seen(house: &House, token: &str, query: &str, accept: &str) -> String {
    let (status, headers, bytes) = pulled(house, token, &format!("{RECORDS}?{query}"), &[("accept", accept)]).await;
    let mut shown: Vec<String> = headers
        .iter()
        .filter(|(name, _)| !["date", "x-request-id", "tidegate-release"].contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    shown.sort();
    let body = match serde_json::from_slice::<Value>(&bytes) {
        Ok(mut body) if body.is_object() => {
            for drawn in ["release", "request_id"] {
                body.as_object_mut().unwrap().remove(drawn);
            }
            if let Some(cursor) = body.get("next").and_then(Value::as_str).map(str::len) {
                body["next"] = json!(cursor);
            }
            body.to_string()
        }
        Ok(_) | Err(_) => data_encoding::HEXLOWER.encode(&bytes),
    };
    format!("{status} {shown:?} {body}")
}

/// Non-interference: two sources that differ only where nothing is released, or only by what the treatment takes away, can't
/// be told apart by any question: not by filter, order, limit, cursor, header, length, count or error.
pub async fn what_is_not_released_changes_no_answer(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(ROWS).await;
    let vendor = house.vendor("Acme", &[("acme-people", usual("people"))]).await;
    let token = house.token(&vendor).await;
    let mut queries: Vec<String> =
        ["", "limit=7", "order=born.desc&limit=50", "order=spent,score.desc", "select=id,born", "spent=gte.100&order=id"]
            .map(str::to_owned)
            .to_vec();
    for field in ["id", "email", "name", "born", "city", "score", "spent", "secret", "nothing"] {
        for value in ["m", "1980", "1980-06-01", "250", "zzz-9", "hidden-7"] {
            queries.extend(["eq", "gt", "lte"].map(|operator| format!("{field}={operator}.{value}&limit=20")));
        }
        queries.extend([format!("{field}=is.null"), format!("order={field}&limit=5"), format!("select={field}&limit=5")]);
    }
    let ask = async || {
        let mut answers = Vec::new();
        for query in &queries {
            answers.push(seen(&house, &token, query, "application/json").await);
        }
        for accept in [NDJSON, "text/csv", PARQUET] {
            answers.push(seen(&house, &token, "order=born&select=born,spent,id", accept).await);
        }
        answers
    };
    let first = ask().await;
    write_parquet(&house.sources().join("people.parquet"), &others()).unwrap();
    let second = ask().await;
    for ((one, other), query) in first.iter().zip(&second).zip(queries.iter().map(String::as_str).chain(std::iter::repeat("a stream"))) {
        assert_eq!(one, other, "{query}");
    }
    assert!(first.iter().any(|answer| answer.starts_with("200")) && first.iter().any(|answer| answer.starts_with("400")));
}

/// A withheld name in every case and form answers as one that is not there.
pub async fn a_withheld_name_has_no_spelling(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(5).await;
    let vendor = house.vendor("Acme", &[("acme-people", usual("people"))]).await;
    let token = house.token(&vendor).await;
    // What is shown of a name that was sent is the name; everything else must be the same.
    let told = async |query: &str, name: &str| {
        let answer = house.pull(&token, &format!("{RECORDS}?{query}"), "application/json").await;
        let mut body = answer.json();
        body.as_object_mut().unwrap().remove("request_id");
        (answer.status, body.to_string().replace(name, "…"))
    };
    let encoded = |name: &str| serde_urlencoded::to_string([("", name)]).unwrap()[1..].to_owned();
    for name in [
        "email",
        "EMAIL",
        "Email",
        "eMail",
        "ｅｍａｉｌ",
        "e\u{301}mail",
        "émail",
        "email\u{200b}",
        "\u{feff}email",
        "email ",
        " email",
        "email\u{a0}",
        "\"email\"",
        "people.email",
        "email::text",
        "email->x",
        "secret",
        "SECRET",
        "ſecret",
        "sécret",
    ] {
        for (at, query) in [
            format!("select={}", encoded(name)),
            format!("order={}", encoded(name)),
            format!("{}=eq.x", encoded(name)),
            format!("{}=is.null", encoded(name)),
        ]
        .into_iter()
        .enumerate()
        {
            let unknown = ["select=unknown", "order=unknown", "unknown=eq.x", "unknown=is.null"][at];
            let (status, body) = told(&query, name.trim()).await;
            let (expected, like) = told(unknown, "unknown").await;
            assert_eq!(status, expected, "{query}");
            assert_eq!(status, 400, "{query}");
            if name == "email" || name == "secret" || name.eq_ignore_ascii_case("email") {
                assert_eq!(body, like, "{query}");
            }
            for leak in ["mail.example", "hidden-", "withheld", "not released"] {
                assert!(!body.contains(leak), "{query}: {body}");
            }
        }
    }
}

/// A cursor is of one client, one permit, one revision, one question and one state of the source; nobody can make one.
pub async fn a_cursor_is_of_no_use_elsewhere(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(50).await;
    let vendor = house.vendor("Acme", &[("acme-people", usual("people")), ("acme-again", usual("people"))]).await;
    let other = house.vendor("Other", &[("other-people", usual("people"))]).await;
    let token = house.token(&vendor).await;
    let page = async |token: &str, query: &str| house.pull(token, &format!("{RECORDS}?{query}"), "application/json").await;
    let first = page(&token, "permit=acme-people&limit=5").await.good();
    let cursor = first["next"].as_str().unwrap().to_owned();
    let with = |query: &str, cursor: &str| format!("{query}&cursor={cursor}");
    let usual_query = "permit=acme-people&limit=5";
    assert_eq!(page(&token, &with(usual_query, &cursor)).await.status, 200);
    // The limit is no part of the question, and a new token of the same client goes on.
    assert_eq!(page(&house.token(&vendor).await, &with("permit=acme-people&limit=9", &cursor)).await.status, 200);

    let client = house
        .post(Role::VendorManager, &format!("/api/v1/vendors/{}/clients", vendor.id), json!({"name": "second", "hand_over": "answer"}))
        .await
        .good();
    let text = |name: &str| client[name].as_str().unwrap().to_owned();
    let second = Vendor { client_id: text("client_id"), client_secret: text("client_secret"), ..vendor.clone() };
    for (whose, token, query) in [
        ("another client's", house.token(&second).await, usual_query),
        ("another vendor's", house.token(&other).await, "limit=5"),
        ("another permit's", token.clone(), "permit=acme-again&limit=5"),
        ("another selection's", token.clone(), "permit=acme-people&limit=5&select=id"),
        ("another order's", token.clone(), "permit=acme-people&limit=5&order=score"),
        ("another filter's", token.clone(), "permit=acme-people&limit=5&score=gte.0"),
    ] {
        assert_eq!(page(&token, &with(query, &cursor)).await.status, 400, "{whose}");
    }
    // Forged: every character changed in turn, cut short, made longer, none of it, a number.
    for at in 0..cursor.len() {
        let mut forged = cursor.clone().into_bytes();
        forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).unwrap();
        // The last character holds bits that stand for nothing; a decoder that let them vary would take two spellings.
        assert_eq!(page(&token, &with(usual_query, &forged)).await.status, 400, "at {at}");
    }
    for forged in ["", "0", "5", "AAAA", &cursor[1..], &format!("{cursor}A"), &"A".repeat(2_000)] {
        assert_eq!(page(&token, &with(usual_query, forged)).await.status, 400, "{forged}");
    }
    // Narrowed between two pages, the rest is another release: from its beginning, under the new terms.
    let mut narrower = usual("people");
    narrower["fields"]["city"] = json!({"kind": "withhold"});
    house.revise("acme-people", house.key(Role::VendorManager), &narrower).await.good();
    let refused = page(&token, &with(usual_query, &cursor)).await;
    assert_eq!(refused.status, 400, "{}", refused.text);
    assert!(page(&token, usual_query).await.good()["rows"][0].get("city").is_none());
    // Another state of the source.
    let again = page(&token, usual_query).await.good()["next"].as_str().unwrap().to_owned();
    write_parquet(&house.sources().join("people.parquet"), &people_columns(51)).unwrap();
    assert_eq!(page(&token, &with(usual_query, &again)).await.status, 400);
}

on_both!(what_is_not_released_changes_no_answer, a_withheld_name_has_no_spelling, a_cursor_is_of_no_use_elsewhere);

/// Who knows every customer number still can't tell whose pseudonym is whose: none is a hash of anything the vendor knows.
#[test]
fn pseudonyms_are_found_in_no_dictionary() {
    run(async {
        let house = House::start(Database::sqlite()).await;
        house.catalogue_people(30).await;
        let mut terms = usual("people");
        terms["fields"]["email"] = json!({"kind": "pseudonym", "format": "uuid"});
        let vendor = house.vendor("Acme", &[("acme-people", terms)]).await;
        let token = house.token(&vendor).await;
        let rows = house.pull(&token, RECORDS, NDJSON).await.text;
        let known = [
            String::new(),
            "people".to_owned(),
            "person".to_owned(),
            "people.email".to_owned(),
            "acme-people".to_owned(),
            vendor.id.clone(),
            vendor.agreement.clone(),
            vendor.client_id.clone(),
            vendor.client_secret.clone(),
            "Acme".to_owned(),
        ];
        let mut guesses = 0_usize;
        for row in 0..30 {
            for value in [format!("P{row:07}"), format!("person-{row}@mail.example")] {
                for key in &known {
                    for message in
                        [value.clone(), format!("{key}{value}"), format!("text\0{value}"), format!("text{value}"), format!("{value}{key}")]
                    {
                        use aws_lc_rs::{digest, hmac};
                        let plain = [&digest::SHA1_FOR_LEGACY_USE_ONLY, &digest::SHA256, &digest::SHA512]
                            .map(|kind| digest::digest(kind, message.as_bytes()).as_ref().to_vec());
                        let keyed = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()), message.as_bytes()).as_ref().to_vec();
                        for bytes in plain.into_iter().chain([keyed]) {
                            let hex = data_encoding::HEXLOWER.encode(&bytes[..16]);
                            let base32 = data_encoding::BASE32_NOPAD.encode(&bytes[..16]).to_lowercase();
                            let uuid = format!("{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20]);
                            for guess in [hex, base32, uuid] {
                                guesses += 1;
                                assert!(!rows.contains(&guess), "{value} is found by {message:?} under {key:?}");
                            }
                        }
                    }
                }
            }
        }
        assert!(guesses > 30_000, "{guesses}");
    });
}

/// Values of the wrong size and shape in a source: each is withheld and counted, none breaks the release, none wraps round.
#[test]
fn numbers_beyond_every_type_are_withheld_and_counted() {
    run(async {
        let house = House::start(Database::sqlite()).await;
        let huge = format!("{}{}", "9".repeat(400), ".5e3");
        let text = format!(
            "{{\"id\":\"a\",\"n\":1,\"x\":0.5,\"day\":\"2024-02-29\"}}\n{{\"id\":\"b\",\"n\":{0},\"x\":1e999,\"day\":\"2023-02-29\"}}\n\
             {{\"id\":\"c\",\"n\":-9223372036854775809,\"x\":{huge},\"day\":\"\"}}\n{{\"id\":\"d\",\"n\":9223372036854775807,\"x\":-1E-400,\"day\":\"9999-99-99\"}}\n\
             {{\"id\":\"e\",\"n\":[1],\"x\":\"0x10\",\"day\":null}}\n",
            "9".repeat(5_000)
        );
        std::fs::write(house.sources().join("odd.ndjson"), text).unwrap();
        let source = house
            .post(Role::DataSteward, "/api/v1/sources", json!({"name": "Odd", "location": {"kind": "ndjson", "path": "odd.ndjson"}}))
            .await
            .good();
        let field = |name: &str, kind: &str| json!({"name": name, "type": kind, "class": "plain", "category": "account"});
        let body = json!({
            "name": "odd", "source": source["id"], "table": "odd", "subject": {"field": "id", "domain": "odd"},
            "fields": [field("id", "text"), field("n", "integer"), field("x", "number"), field("day", "date")]
        });
        house.post(Role::DataSteward, "/api/v1/datasets", body).await.good();
        let clear = || json!({"kind": "clear"});
        let terms = permit(
            "odd",
            json!({"id": clear(), "n": clear(), "x": {"kind": "round", "step": 0.25}, "day": {"kind": "generalise_date", "unit": "month"}}),
        );
        let vendor = house.vendor("Acme", &[("acme-odd", terms)]).await;
        let token = house.token(&vendor).await;
        let answer = house.pull(&token, "/data/v1/datasets/odd/records", NDJSON).await;
        let rows: Vec<Value> = answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(
            rows,
            [
                json!({"id": "a", "n": 1, "x": 0.5, "day": "2024-02"}),
                json!({"id": "b", "n": null, "x": null, "day": null}),
                json!({"id": "c", "n": null, "x": null, "day": null}),
                json!({"id": "d", "n": "9223372036854775807", "x": -0.0, "day": null}),
                json!({"id": "e", "n": null, "x": null, "day": null}),
            ]
        );
        let closed = house.history("kind=closed").await;
        assert_eq!(closed[0]["leaf"]["withheld"], json!({"n": 3, "x": 3, "day": 3}), "{}", closed[0]);
        // The same sizes in a question.
        for query in [
            format!("n=eq.{}", "9".repeat(400)),
            "n=gt.1e3".to_owned(),
            "x=lt.1e999".to_owned(),
            "x=eq.NaN".to_owned(),
            "limit=99999999999999999999".to_owned(),
        ] {
            assert_eq!(
                house.pull(&token, &format!("/data/v1/datasets/odd/records?{query}"), "application/json").await.status,
                400,
                "{query}"
            );
        }
    });
}

/// A proxy that the environment names sees nothing of what is fetched for sources.
#[test]
fn no_proxy_of_the_environment_is_asked() {
    run(async {
        let proxy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", proxy.local_addr().unwrap());
        proxy.set_nonblocking(true).unwrap();
        let database = Database::sqlite();
        let house = House::start_with(database, Clock::system(), &[]).await;
        let server = Server::start(Paged::ByAddress { rows: vec![json!({"id": "a"})], size: 10 });
        let settings =
            ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].map(|name| (name, address.as_str()));
        let mut all = vec![("TIDEGATE_OUTBOUND_HOSTS", "127.0.0.1")];
        all.extend(settings);
        let broker = Broker::in_place_of(&house, &all).await;
        let location = json!({"kind": "http_json", "url": server.url("/people"), "rows": "/items"});
        let request = house.http.post(format!("{}/api/v1/sources", broker.url)).bearer_auth(house.key(Role::DataSteward));
        let answer = request.json(&json!({"name": "CRM", "location": location})).send().await.unwrap();
        assert_eq!(answer.status(), 201, "{}", answer.text().await.unwrap());
        assert_eq!(server.asked.load(std::sync::atomic::Ordering::SeqCst), 1);
        assert!(proxy.accept().is_err(), "the proxy was asked");
    });
}
