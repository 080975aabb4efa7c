//! What people said decides who is in a release: by basis and purpose, by the latest event, from the next release on.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tidegate::domain::person::Role;
use tidegate::engine::sample::{SampleValues, write_parquet};

use crate::database::Database;
use crate::harness::{Answer, House, people_columns, permit};
use crate::on_both;
use crate::slow::{Pull, catalogue_wide, catalogue_wide_of, closed, tolls, wide};

on_both!(
    who_is_released_follows_basis_purpose_and_signal,
    a_record_is_kept_once_and_the_latest_event_counts,
    what_can_not_be_is_refused_and_keeps_nothing,
    a_file_is_taken_line_by_line,
    a_withdrawal_cuts_the_rows_that_have_not_left,
    a_withdrawal_cuts_rows_that_were_computed_long_before,
    no_release_after_a_withdrawal_holds_the_person,
    a_pull_asks_no_more_for_many_records,
    a_row_about_nobody_is_out_once_somebody_must_be_asked
);

const PEOPLE: &str = "/data/v1/datasets/people/records";
const NDJSON: &str = "application/x-ndjson";
const ANALYTICS: &str = "service-usage-analytics";
const MARKETING: &str = "email-marketing";

fn terms(basis: &str, purpose: &str) -> Value {
    let mut terms = permit("people", json!({"score": {"kind": "clear"}}));
    terms["legal_basis"] = json!(basis);
    terms["purpose"] = json!(purpose);
    terms
}

/// A record about the person of a row.
fn event(row: usize, signal: &str, purpose: Option<&str>, stands: bool, at: &str) -> Value {
    let mut event = json!({
        "record": format!("{signal}-{row}-{at}-{stands}"), "subject": format!("P{row:07}"), "signal": signal, "stands": stands,
        "event_time": at, "channel": "web form", "notice": "privacy-2026-05"
    });
    if let Some(purpose) = purpose {
        event["purpose"] = json!(purpose);
    }
    event
}

async fn told(house: &House, event: &Value) -> Answer {
    house.post(Role::PrivacyOfficer, "/api/v1/consents", json!({"domain": "person", "event": event})).await
}

async fn tell(house: &House, event: Value) -> Value {
    told(house, &event).await.good()
}

/// The rows of a pull on a permit, by their score.
async fn rows(house: &House, token: &str, key: &str) -> BTreeSet<u64> {
    let stream = house.pull(token, &format!("{PEOPLE}?permit={key}"), NDJSON).await;
    assert_eq!(stream.status, 200, "{}", stream.text);
    let streamed: BTreeSet<u64> =
        stream.text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["score"].as_u64().unwrap()).collect();
    let page = house.pull(token, &format!("{PEOPLE}?permit={key}"), "application/json").await.good();
    let paged: BTreeSet<u64> = page["rows"].as_array().unwrap().iter().map(|row| row["score"].as_u64().unwrap()).collect();
    assert_eq!(streamed, paged, "a page and a stream hold the same people");
    streamed
}

fn all_but(rows: usize, left_out: &[u64]) -> BTreeSet<u64> {
    (0..rows as u64).filter(|row| !left_out.contains(row)).collect()
}

const MORNING: &str = "2026-06-01T08:00:00Z";
const NOON: &str = "2026-06-01T12:00:00Z";

async fn who_is_released_follows_basis_purpose_and_signal(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(12).await;
    let permits = [
        ("contract", terms("contract", ANALYTICS)),
        ("interests", terms("legitimate_interests", ANALYTICS)),
        ("duty", terms("legal_obligation", ANALYTICS)),
        ("consent", terms("consent", ANALYTICS)),
        ("mailing", terms("contract", MARKETING)),
    ];
    let vendor = house.vendor("Acme", &permits).await;
    let refused = house.ask_token(&vendor, Some("consent")).await;
    assert_eq!((refused.status, refused.json()["gate"].as_str()), (400, Some("consent")), "{}", refused.text);

    tell(&house, event(1, "objection", Some(ANALYTICS), true, MORNING)).await;
    tell(&house, event(2, "restriction", None, true, MORNING)).await;
    tell(&house, event(3, "consent", Some(ANALYTICS), true, MORNING)).await;
    tell(&house, event(4, "consent", Some(ANALYTICS), true, MORNING)).await;
    tell(&house, event(4, "consent", Some(ANALYTICS), false, NOON)).await;
    tell(&house, event(5, "objection", Some(MARKETING), true, MORNING)).await;
    tell(&house, event(6, "objection", Some(ANALYTICS), true, MORNING)).await;
    tell(&house, event(6, "objection", Some(ANALYTICS), false, NOON)).await;
    let mut ending = event(7, "consent", Some(ANALYTICS), true, MORNING);
    ending["ends_at"] = json!(house.clock.now().plus_seconds(3_600).to_string());
    tell(&house, ending).await;
    tell(&house, event(8, "consent", Some(MARKETING), true, MORNING)).await;
    tell(&house, event(9, "consent", Some(ANALYTICS), true, MORNING)).await;
    let last = tell(&house, event(9, "restriction", None, true, NOON)).await;

    let token = house.token(&vendor).await;
    assert_eq!(rows(&house, &token, "contract").await, all_but(12, &[2, 9]), "a contract asks for no objection");
    assert_eq!(rows(&house, &token, "duty").await, all_but(12, &[2, 9]));
    assert_eq!(rows(&house, &token, "interests").await, all_but(12, &[1, 2, 9]), "who objected is out, who took it back is in");
    assert_eq!(rows(&house, &token, "consent").await, BTreeSet::from([3, 7]), "opted in, not withdrawn, not restricted");
    assert_eq!(rows(&house, &token, "mailing").await, all_but(12, &[2, 5, 9]), "an objection to direct marketing is absolute");

    // Each release names the records it saw.
    let releases = house.history("kind=release").await;
    assert!(!releases.is_empty());
    assert!(releases.iter().all(|entry| entry["leaf"]["consent"] == last["watermark"]), "{}", releases[0]);

    house.at(house.clock.now().plus_seconds(3_600)).await;
    let token = house.token(&vendor).await;
    assert_eq!(rows(&house, &token, "consent").await, BTreeSet::from([3]), "a consent ended by itself");
    // The restriction is lifted: the consent given before still counts.
    tell(&house, event(9, "restriction", None, false, "2026-06-02T08:00:00Z")).await;
    assert_eq!(rows(&house, &token, "consent").await, BTreeSet::from([3, 9]));

    let counts = house.get(Role::ComplianceReviewer, "/api/v1/consents/counts").await.good();
    let count = |signal: &str, purpose: Option<&str>| {
        let fits = |one: &&Value| one["signal"] == signal && one["purpose"].as_str() == purpose;
        let one = counts["items"].as_array().unwrap().iter().find(fits).unwrap();
        (one["subjects"].as_u64().unwrap(), one["standing"].as_u64().unwrap())
    };
    assert_eq!(count("consent", Some(ANALYTICS)), (4, 3));
    assert_eq!(count("objection", Some(ANALYTICS)), (2, 1));
    assert_eq!(count("restriction", None), (2, 1));
    let known = json!({"domain": "person", "subject": "P0000004"});
    let known = house.post(Role::DataSteward, "/api/v1/consents/look-up", known).await.good();
    assert_eq!((known["records"].as_array().unwrap().len(), &known["standing"][0]["stands"]), (2, &json!(false)));
}

async fn a_record_is_kept_once_and_the_latest_event_counts(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(3).await;
    let first = event(1, "consent", Some(ANALYTICS), true, NOON);
    let one = tell(&house, first.clone()).await;
    assert_eq!(one, json!({"outcome": "counts", "watermark": 1}));
    assert_eq!(tell(&house, first.clone()).await, json!({"outcome": "repeated", "watermark": 1}), "sent twice, kept once");
    let mut other = first.clone();
    other["stands"] = json!(false);
    let refused = told(&house, &other).await;
    assert_eq!((refused.status, refused.json()["errors"][0]["field"].as_str()), (422, Some("event.record")), "{}", refused.text);
    let late = tell(&house, event(1, "consent", Some(ANALYTICS), false, MORNING)).await;
    assert_eq!(late, json!({"outcome": "overtaken", "watermark": 2}), "an event from before came late");
    let same = event(1, "consent", Some(ANALYTICS), false, NOON);
    assert_eq!(tell(&house, same).await["outcome"], "counts", "of two at the same instant the one that protects");
    let mut again = event(1, "consent", Some(ANALYTICS), true, NOON);
    again["record"] = json!("given again");
    assert_eq!(tell(&house, again).await["outcome"], "overtaken");

    // Neither the database nor the history knows the person's key.
    let entries = house.history("").await;
    assert!(entries.iter().any(|entry| entry["leaf"]["noun"] == "consent"), "it is on record");
    assert!(!entries.iter().any(|entry| entry.to_string().contains("P0000001")), "the history names nobody");
    if let Some(file) = house.database().file() {
        for path in [file.clone(), file.with_extension("sqlite-wal")] {
            let bytes = std::fs::read(path).unwrap_or_default();
            assert!(!bytes.windows(8).any(|part| part == b"P0000001"), "the key of a person is kept");
        }
    }
}

async fn what_can_not_be_is_refused_and_keeps_nothing(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(3).await;
    let good = event(1, "consent", Some(ANALYTICS), true, NOON);
    let with = |field: &str, value: Value| {
        let mut event = good.clone();
        event[field] = value;
        event
    };
    for (event, field) in [
        (with("purpose", json!("world-peace")), "event.purpose"),
        (with("purpose", Value::Null), "event.purpose"),
        (with("event_time", json!("2031-01-01T00:00:00Z")), "event.event_time"),
        (with("ends_at", json!("2020-01-01T00:00:00Z")), "event.ends_at"),
        (with("subject", json!("")), "event.subject"),
        (with("subject", json!("x".repeat(2_000))), "event.subject"),
        (with("signal", json!("restriction")), "event.purpose"),
        (with("signal", json!("blessing")), "event.signal"),
        (with("record", json!("")), "event.record"),
        (with("stands", json!("yes")), "event.stands"),
        (with("surplus", json!(1)), "event.surplus"),
    ] {
        let refused = told(&house, &event).await;
        assert_eq!(refused.status, 422, "{field}: {}", refused.text);
        assert!(refused.text.contains(field) || refused.text.contains("surplus"), "{field}: {}", refused.text);
        assert!(!refused.text.contains("P0000001"), "{}", refused.text);
    }
    let elsewhere = house.post(Role::PrivacyOfficer, "/api/v1/consents", json!({"domain": "nowhere", "event": good})).await;
    assert_eq!((elsewhere.status, elsewhere.json()["errors"][0]["field"].as_str()), (422, Some("domain")), "{}", elsewhere.text);
    for role in [Role::VendorManager, Role::ComplianceReviewer, Role::Administrator] {
        let refused = house.post(role, "/api/v1/consents", json!({"domain": "person", "event": good})).await;
        assert_eq!(refused.status, 403, "{role:?}");
        let look = json!({"domain": "person", "subject": "P0000001"});
        assert_eq!(house.post(role, "/api/v1/consents/look-up", look).await.status, 403, "{role:?}");
    }
    let counts = house.get(Role::PrivacyOfficer, "/api/v1/consents/counts").await.good();
    assert_eq!(counts["items"], json!([]));
}

async fn import(house: &House, kind: &str, body: &str) -> Answer {
    let request = house.http.post(format!("{}/api/v1/consents/import?domain=person", house.url));
    let request = request.bearer_auth(house.key(Role::DataSteward)).header("content-type", kind);
    Answer::of(request.body(body.to_owned()).send().await.unwrap()).await
}

async fn a_file_is_taken_line_by_line(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(2_600).await;
    let mut lines: Vec<String> = (0..2_500).map(|row| event(row, "objection", Some(ANALYTICS), true, NOON).to_string()).collect();
    lines.insert(1_200, "{\"record\": ".to_owned());
    lines.insert(2_000, event(1, "objection", Some("world-peace"), true, NOON).to_string());
    let file = lines.join("\r\n");
    let done = import(&house, NDJSON, &file).await.good();
    assert_eq!((&done["counts"], &done["refused"], &done["watermark"]), (&json!(2_500), &json!(2), &json!(2_500)), "{done}");
    assert_eq!(
        (&done["errors"][0]["line"], &done["errors"][1]["line"], &done["errors"][1]["field"]),
        (&json!(1_201), &json!(2_001), &json!("purpose"))
    );
    let again = import(&house, NDJSON, &file).await.good();
    assert_eq!((&again["repeated"], &again["counts"], &again["watermark"]), (&json!(2_500), &json!(0), &json!(2_500)));

    let csv = "\u{feff}subject,record,signal,purpose,stands,event_time,channel\n\
        P0000000,c1,objection,service-usage-analytics,false,2026-06-02T08:00:00Z,\"letter, by post\"\n\
        \n\
        P0000001,c2,restriction,,true,2026-06-02T08:00:00Z,\n\
        P0000002,c3,restriction,,perhaps,2026-06-02T08:00:00Z,\n\
        P0000002,c4,restriction\n";
    let done = import(&house, "text/csv; charset=utf-8", csv).await.good();
    assert_eq!((&done["counts"], &done["refused"]), (&json!(2), &json!(2)), "{done}");
    let lines: Vec<&Value> = done["errors"].as_array().unwrap().iter().map(|error| &error["line"]).collect();
    assert_eq!(lines, [&json!(5), &json!(6)]);
    assert_eq!(import(&house, "text/csv", "who,what\n1,2\n").await.status, 422);
    assert_eq!(import(&house, "text/plain", csv).await.status, 422);
    assert_eq!(import(&house, NDJSON, &"x".repeat(40_000)).await.status, 422, "a line without an end");

    let vendor = house.vendor("Acme", &[("interests", terms("legitimate_interests", ANALYTICS))]).await;
    let token = house.token(&vendor).await;
    let left: BTreeSet<u64> = (2_500..2_600).chain([0]).collect();
    let stream = house.pull(&token, PEOPLE, NDJSON).await;
    let found: BTreeSet<u64> =
        stream.text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["score"].as_u64().unwrap()).collect();
    assert_eq!(found, left);
}

async fn a_withdrawal_cuts_the_rows_that_have_not_left(database: Database) {
    let house = House::start(database).await;
    catalogue_wide(&house).await;
    let mut terms = wide();
    terms["legal_basis"] = json!("legitimate_interests");
    let vendor = house.vendor("Acme", &[("wide", terms)]).await;
    let token = house.token(&vendor).await;
    const WIDE: &str = "/data/v1/datasets/wide/records";
    let mut pull = Pull::open(&house.url, &token, WIDE).await;
    pull.until(100).await;
    let paid: u64 = tolls(&house, &pull.release).await.expect("it runs").iter().sum();
    assert!(paid < 140_000, "nothing is left to cut");
    // The next chunk is computed already when the person objects.
    let next = usize::try_from(paid).unwrap() + 10;
    tell(&house, event(next, "objection", Some(ANALYTICS), true, NOON)).await;
    let release = pull.release.clone();
    let received = pull.rest().await;
    let leaf = closed(&house, &release).await;
    assert!(!received.whole && leaf["cut"] == json!({"gate": "consent"}), "{leaf}");
    assert_eq!(leaf["rows"], paid, "no row left after the objection");

    // Begun anew, it runs to its end without the person; somebody whose rows have left cuts nothing.
    let mut pull = Pull::open(&house.url, &token, WIDE).await;
    pull.until(100).await;
    tell(&house, event(1, "objection", Some(ANALYTICS), true, NOON)).await;
    let release = pull.release.clone();
    let received = pull.rest().await;
    let leaf = closed(&house, &release).await;
    assert!(received.whole && leaf["rows"] == json!(149_999), "{leaf}");
    let text = String::from_utf8(received.bytes).unwrap();
    assert!(!text.contains(&format!("\"score\":{next}}}")) && text.contains("\"score\":1}"), "who objected is not in it");
}

/// Rows may be computed two chunks ahead of the one that leaves next. What somebody says is then read when that one pays, in
/// which they are not; their own row, asked by what held before, does not leave all the same.
async fn a_withdrawal_cuts_rows_that_were_computed_long_before(database: Database) {
    const CHUNK: u64 = 65_536;
    let house = House::start(database).await;
    catalogue_wide_of(&house, 300_000).await;
    let mut terms = wide();
    terms["legal_basis"] = json!("legitimate_interests");
    let vendor = house.vendor("Acme", &[("wide", terms)]).await;
    let mut pull = Pull::open(&house.url, &house.token(&vendor).await, "/data/v1/datasets/wide/records").await;
    pull.until(100).await;
    while tolls(&house, &pull.release).await.expect("it runs").len() < 2 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The third chunk waits for its place, and the engine is as far ahead of it as it goes.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let later = 3 * CHUNK + 10;
    tell(&house, event(usize::try_from(later).unwrap(), "objection", Some(ANALYTICS), true, NOON)).await;
    let release = pull.release.clone();
    let received = pull.rest().await;
    let leaf = closed(&house, &release).await;
    let text = String::from_utf8(received.bytes).unwrap();
    assert!(text.contains(&format!("\"score\":{}}}", 2 * CHUNK + 1)), "the chunk before it left: {leaf}");
    assert!(!text.contains(&format!("\"score\":{later}}}")), "{leaf}");
    assert!(!received.whole && leaf["cut"] == json!({"gate": "consent"}) && leaf["rows"] == json!(3 * CHUNK), "{leaf}");
}

/// People object while others pull as fast as they can. What is on record after an objection holds nothing of them.
async fn no_release_after_a_withdrawal_holds_the_person(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(200).await;
    let vendor = house.vendor("Acme", &[("interests", terms("legitimate_interests", ANALYTICS))]).await;
    let token = house.token(&vendor).await;
    let (house, token, over, pulled) = (&house, &token, AtomicBool::new(false), AtomicUsize::new(0));
    let pulling = async || {
        let mut seen: Vec<(String, BTreeSet<u64>)> = Vec::new();
        while !over.load(Ordering::Acquire) {
            let answer = house.pull(token, &format!("{PEOPLE}?limit=200"), "application/json").await;
            if answer.status == 503 {
                continue;
            }
            let page = answer.good();
            let rows = page["rows"].as_array().unwrap().iter().map(|row| row["score"].as_u64().unwrap()).collect();
            seen.push((page["release"].as_str().unwrap().to_owned(), rows));
            pulled.fetch_add(1, Ordering::AcqRel);
        }
        seen
    };
    let objecting = async || {
        for row in 0..60 {
            // However slow the machine is, pulls lie between any two objections.
            let before = pulled.load(Ordering::Acquire);
            while pulled.load(Ordering::Acquire) == before {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            tell(house, event(row, "objection", Some(ANALYTICS), true, NOON)).await;
        }
        over.store(true, Ordering::Release);
    };
    let (one, two, three, ()) = futures::join!(pulling(), pulling(), pulling(), objecting());
    let entries = house.history("").await;
    let place = |fits: &dyn Fn(&Value) -> bool| entries.iter().position(fits);
    let objected: Vec<usize> = (1_u64..=60)
        .map(|watermark| watermark.to_string())
        .map(|watermark| place(&|entry| entry["leaf"]["facts"]["watermark"] == watermark.as_str()).expect("it is on record"))
        .collect();
    let (mut judged, mut late) = (0, Vec::new());
    for (release, rows) in one.into_iter().chain(two).chain(three) {
        let at = place(&|entry| entry["leaf"]["release"] == release.as_str()).expect("it is on record");
        for (row, since) in objected.iter().enumerate().filter(|(_, since)| **since < at) {
            judged += 1;
            if rows.contains(&(row as u64)) {
                late.push((release.clone(), row, *since, at));
            }
        }
    }
    assert!(judged > 100, "too little was pulled to judge by: {judged}");
    assert!(late.is_empty(), "released after they objected: {late:?}");
}

async fn a_pull_asks_no_more_for_many_records(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(5).await;
    let vendor = house.vendor("Acme", &[("interests", terms("legitimate_interests", ANALYTICS))]).await;
    let token = house.token(&vendor).await;
    let statements = async || {
        let mut least = u64::MAX;
        for _ in 0..5 {
            house.settle().await;
            let before = house.app.store.statements();
            assert_eq!(house.pull(&token, PEOPLE, "application/json").await.status, 200);
            least = least.min(house.app.store.statements() - before);
        }
        least
    };
    let lines = |from: usize, to: usize| -> String {
        (from..to).map(|row| format!("{}\n", event(row, "objection", Some(ANALYTICS), true, NOON))).collect()
    };
    import(&house, NDJSON, &lines(10, 15)).await.good();
    let few = statements().await;
    import(&house, NDJSON, &lines(15, 3_000)).await.good();
    assert_eq!(statements().await, few, "what was read once is not read at each pull");
}

async fn a_row_about_nobody_is_out_once_somebody_must_be_asked(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(4).await;
    let mut columns = people_columns(4);
    columns[0].values =
        SampleValues::Text(["P0000000", "P0000001", "P0000002"].map(|key| Some(key.to_owned())).into_iter().chain([None]).collect());
    write_parquet(&house.sources().join("people.parquet"), &columns).unwrap();
    let permits = [("contract", terms("contract", ANALYTICS)), ("interests", terms("legitimate_interests", ANALYTICS))];
    let vendor = house.vendor("Acme", &permits).await;
    let token = house.token(&vendor).await;
    assert_eq!(rows(&house, &token, "interests").await, all_but(4, &[]), "nobody objected");
    tell(&house, event(1, "objection", Some(ANALYTICS), true, NOON)).await;
    assert_eq!(rows(&house, &token, "interests").await, all_but(4, &[1, 3]), "the row could be about whoever objected");
    assert_eq!(rows(&house, &token, "contract").await, all_but(4, &[]));
}
