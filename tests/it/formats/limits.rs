//! Limits beside the rows of a day: people, requests and hours, on both databases, after a restart, and for two brokers.

use serde_json::{Value, json};
use tidegate::domain::person::Role;
use tidegate::store::Clock;

use super::{NDJSON, RECORDS, lines};
use crate::broker::{Broker, MASTER_KEY};
use crate::database::Database;
use crate::harness::{Answer, House, beginning, usual};
use crate::on_both;
use crate::slow::{Pull, closed};

on_both!(people_of_a_day, requests_of_a_minute, hours, crowds_stay_within_the_limits, what_a_page_and_an_approver_read);

const JSON: &str = "application/json";

fn with(name: &str, value: Value) -> Value {
    let mut terms = usual("people");
    terms[name] = value;
    terms
}

#[track_caller]
fn refused(answer: &Answer, says: &str) -> i64 {
    assert_eq!((answer.status, answer.gate().as_str()), (429, "quota"), "{}", answer.text);
    assert!(answer.json()["detail"].as_str().unwrap().contains(says), "{}", answer.text);
    answer.header("retry-after").parse().unwrap()
}

async fn page(house: &House, token: &str, query: &str) -> Answer {
    house.pull(token, &format!("{RECORDS}?{query}"), JSON).await
}

fn rows(answer: &Answer) -> usize {
    answer.good()["rows"].as_array().unwrap().len()
}

async fn people_of_a_day(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(300).await;
    let vendor = house.vendor("Few", &[("few", with("daily_subjects", json!(100)))]).await;
    let token = house.token(&vendor).await;
    assert_eq!(rows(&page(&house, &token, "limit=60").await), 60);
    // The same people again cost nothing.
    assert_eq!(rows(&page(&house, &token, "limit=60").await), 60);
    let clamped = page(&house, &token, "score=gte.40&limit=100").await;
    assert_eq!(rows(&clamped), 60, "twenty known ones, and the forty that are left");
    assert!(clamped.good()["next"].is_string(), "there is more, for another day");

    let house = house.restart().await;
    let token = house.token(&vendor).await;
    assert_eq!(refused(&page(&house, &token, "score=gte.200").await, "as many people today"), 54_000, "from nine to midnight");
    assert_eq!(rows(&page(&house, &token, "limit=100").await), 100, "those already released can be read again");
    // A stream is cut before the first who is too many.
    let pull = Pull::open(&house.url, &token, RECORDS).await;
    let release = pull.release.clone();
    let received = pull.rest().await;
    let leaf = closed(&house, &release).await;
    assert_eq!((&leaf["cut"], &leaf["rows"], &leaf["subjects"]), (&json!({"gate": "quota"}), &json!(100), &json!(100)), "{leaf}");
    assert!(!received.whole);
    let gates = house.get(Role::VendorManager, "/api/v1/permits/few/gates").await;
    if gates.status == 200 {
        assert!(gates.text.contains("\"subjects_left\":0"), "{}", gates.text);
    }

    house.at(beginning().plus_days(1)).await;
    let token = house.token(&vendor).await;
    assert_eq!(rows(&page(&house, &token, "score=gte.200").await), 100, "a new day");
    refused(&page(&house, &token, "limit=1").await, "as many people today");
}

async fn requests_of_a_minute(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(30).await;
    let vendor = house.vendor("Slow", &[("slow", with("requests_per_minute", json!(3)))]).await;
    let token = house.token(&vendor).await;
    house.at(beginning().plus_seconds(20)).await;
    assert_eq!(rows(&page(&house, &token, "").await), 30);
    assert_eq!(lines(house.pull(&token, RECORDS, NDJSON).await.text.as_bytes()).len(), 30);
    assert_eq!(house.pull(&token, "/data/v1/datasets/people/schema", "*/*").await.status, 200, "a schema is no release");
    assert_eq!(page(&house, &token, "order=nothing").await.status, 400, "what is not answered does not count");
    assert_eq!(rows(&page(&house, &token, "").await), 30);
    for accept in [JSON, NDJSON] {
        assert_eq!(refused(&house.pull(&token, RECORDS, accept).await, "requests this minute"), 40, "until the minute is over");
    }
    let house = house.restart().await;
    let token = house.token(&vendor).await;
    for accept in [JSON, NDJSON] {
        assert_eq!(refused(&house.pull(&token, RECORDS, accept).await, "requests this minute"), 40, "a restart forgets nothing");
    }
    house.at(beginning().plus_seconds(60)).await;
    assert_eq!(rows(&page(&house, &token, "").await), 30, "a new minute");
}

async fn hours(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(30).await;
    // The clock begins on a Wednesday at nine.
    let span = json!({"days": ["wednesday", "friday"], "from": "09:30", "to": "10:00"});
    let vendor = house.vendor("Early", &[("early", with("open_hours", span))]).await;
    let token = house.token(&vendor).await;
    for accept in [JSON, NDJSON] {
        assert_eq!(refused(&house.pull(&token, RECORDS, accept).await, "certain hours"), 1_800, "{accept}");
    }
    house.at(beginning().plus_seconds(1_800)).await;
    let token = house.token(&vendor).await;
    assert_eq!(rows(&page(&house, &token, "").await), 30);
    house.at(beginning().plus_seconds(3_600)).await;
    let token = house.token(&vendor).await;
    assert_eq!(refused(&page(&house, &token, "").await, "certain hours"), 2 * 86_400 - 1_800, "until Friday");
}

async fn crowds_stay_within_the_limits(database: Database) {
    let house = std::sync::Arc::new(House::start(database).await);
    house.catalogue_people(400).await;
    let mut terms = with("daily_subjects", json!(50));
    terms["requests_per_minute"] = json!(11);
    let vendor = house.vendor("Crowd", &[("crowd", terms)]).await;
    let token = house.token(&vendor).await;
    let mut crowd = tokio::task::JoinSet::new();
    for at in 0..24 {
        let (house, token) = (std::sync::Arc::clone(&house), token.clone());
        crowd.spawn(async move { page(&house, &token, &format!("score=gte.{}&limit=9", at * 16)).await });
    }
    let (mut ids, mut answered) = (std::collections::BTreeSet::new(), 0);
    while let Some(done) = crowd.join_next().await {
        let answer = done.unwrap();
        assert!([200, 429, 503].contains(&answer.status), "{}", answer.text);
        if answer.status == 200 {
            answered += 1;
            ids.extend(answer.good()["rows"].as_array().unwrap().iter().map(|row| row["id"].to_string()));
        }
    }
    assert!(answered > 0 && answered <= 11, "{answered} requests were answered");
    assert!(!ids.is_empty() && ids.len() <= 50, "{} people left", ids.len());
}

async fn what_a_page_and_an_approver_read(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(30).await;
    let span = json!({"days": ["monday", "tuesday", "wednesday", "thursday", "friday"], "from": "08:00", "to": "18:00"});
    let mut terms = with("daily_subjects", json!(1_000));
    terms["requests_per_minute"] = json!(60);
    terms["open_hours"] = span;
    let vendor = house.vendor("Told", &[("told", terms.clone()), ("plain", usual("people"))]).await;
    let token = house.token(&vendor).await;
    let offered = house.pull(&token, "/data/v1/datasets", JSON).await.good();
    let of = |key: &str| offered["datasets"].as_array().unwrap().iter().find(|one| one["permit"] == key).unwrap()["limits"].clone();
    assert_eq!(
        of("told"),
        json!(["1,000,000 rows a day", "1,000 people a day", "60 requests a minute", "Monday to Friday, 08:00 to 18:00 UTC"])
    );
    assert_eq!(of("plain"), json!(["1,000,000 rows a day"]));
    // What a permit lacks is not in its policy: the digests of those before stay as they were.
    let policies = house.history("kind=policy").await;
    let said = |key: &str| policies.iter().map(|entry| &entry["leaf"]["policy"]).find(|policy| policy["permit"] == key).unwrap().clone();
    assert_eq!(said("told")["daily_subjects"], 1_000);
    for name in ["daily_subjects", "requests_per_minute", "open_hours"] {
        assert!(said("plain").get(name).is_none(), "{name}");
    }
    // Less is at once, more waits for an officer.
    let revise = async |name: &str, value: Value| {
        let mut changed = terms.clone();
        match value {
            Value::Null => drop(changed.as_object_mut().unwrap().remove(name)),
            value => changed[name] = value,
        }
        house.revise("told", house.key(Role::VendorManager), &changed).await
    };
    assert_eq!(revise("daily_subjects", json!(0)).await.status, 422);
    assert_eq!(revise("open_hours", json!({"days": [], "from": "08:00", "to": "09:00"})).await.status, 422);
    assert_eq!(revise("open_hours", json!({"days": ["monday"], "from": "09:00", "to": "08:00"})).await.status, 422);
    let narrowed = revise("daily_subjects", json!(500)).await.good();
    assert_eq!(narrowed["revisions"][1]["status"], "in_force", "{narrowed}");
}

/// What one program released counts for the other.
#[test]
fn brokers_share_the_limits() {
    let Some(database) = Database::postgres() else { return };
    crate::database::run(async {
        let settings = [("TIDEGATE_MASTER_KEY", MASTER_KEY)];
        let house = House::start_with(database, Clock::system(), &settings).await;
        house.catalogue_people(200).await;
        let vendor = house.vendor("Shared", &[("shared", with("daily_subjects", json!(40)))]).await;
        let token = house.token(&vendor).await;
        let data = tempfile::tempdir().unwrap();
        let other = Broker::beside(&house, &data.path().join("other"), &settings).await;
        assert_eq!(rows(&page(&house, &token, "limit=30").await), 30);
        let asked = house.http.get(format!("{}{RECORDS}?score=gte.100&limit=30", other.url)).bearer_auth(&token);
        assert_eq!(rows(&Answer::of(asked.send().await.unwrap()).await), 10, "the other broker gives what is left");
        refused(&page(&house, &token, "score=gte.150").await, "as many people today");
    });
}
