//! Streams are cut: at the next toll after a stop, at the quota's last row, at the server's end, and never for less.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tidegate::app::access;
use tidegate::domain::person::Role;

use crate::database::Database;
use crate::harness::{House, Vendor, permit, usual};
use crate::lifecycle::agreements::amend;
use crate::on_both;
use crate::slow::{Pull, Received, WIDE_ROWS, catalogue_wide, closed, tolls, wide};

on_both!(
    a_stop_cuts_at_the_next_toll,
    what_takes_no_right_cuts_nothing,
    a_quota_cuts_at_its_last_row,
    pages_together_stay_within_the_quota,
    a_stop_of_the_server_ends_streams,
    a_receiver_that_leaves_ends_its_stream,
    receivers_that_leave_at_once_leave_nothing_open
);

const WIDE: &str = "/data/v1/datasets/wide/records";
const PEOPLE: &str = "/data/v1/datasets/people/records";

/// What takes a right away under a running stream, and the gate that it closes.
#[derive(Debug, Clone, Copy)]
enum Stop {
    SuspendVendor,
    RevokeToken,
    RevokeTokenAfterItsEnd,
    RevokeClient,
    MoveClient,
    BindClient,
    NarrowPermit,
    PausePermit,
    EndPermit,
    LapsePermit,
    AmendAgreement,
    EndAgreement,
    RevokeSigningKey,
    Everything,
}

impl Stop {
    /// In order of time: the last ones move the clock.
    const ALL: [Self; 14] = [
        Self::SuspendVendor,
        Self::RevokeToken,
        Self::RevokeClient,
        Self::MoveClient,
        Self::BindClient,
        Self::NarrowPermit,
        Self::PausePermit,
        Self::EndPermit,
        Self::AmendAgreement,
        Self::EndAgreement,
        Self::RevokeTokenAfterItsEnd,
        Self::LapsePermit,
        Self::RevokeSigningKey,
        Self::Everything,
    ];

    const fn gate(self) -> &'static str {
        match self {
            Self::SuspendVendor => "vendor",
            Self::RevokeToken | Self::RevokeTokenAfterItsEnd | Self::BindClient | Self::RevokeSigningKey | Self::Everything => "token",
            Self::RevokeClient | Self::MoveClient => "client",
            Self::NarrowPermit | Self::PausePermit | Self::EndPermit | Self::LapsePermit | Self::AmendAgreement => "permit",
            Self::EndAgreement => "agreement",
        }
    }

    fn terms(self, house: &House) -> Value {
        let mut terms = wide();
        if matches!(self, Self::LapsePermit) {
            terms["ends_on"] = json!(house.clock.now().date().to_string());
        }
        terms
    }

    async fn happen(self, house: &House, vendor: &Vendor, key: &str) {
        let because = json!({"reason": "for the test"});
        let post = async |path: String, body: Value| drop(house.post(Role::VendorManager, &path, body).await.good());
        match self {
            Self::SuspendVendor => post(format!("/api/v1/vendors/{}/suspend", vendor.id), because).await,
            Self::RevokeToken => revoke_token(house, vendor).await,
            Self::RevokeTokenAfterItsEnd => {
                let listed = house.get(Role::VendorManager, &format!("/api/v1/clients/{}/tokens", vendor.client_id)).await.good();
                later(house, 1_000).await;
                // The housekeeping forgets neither the token nor its revocation while the stream runs.
                access::forget_expired(&house.app).await.unwrap();
                let id = listed["items"][0]["id"].as_str().unwrap();
                post(format!("/api/v1/tokens/{id}/revoke"), because).await;
                access::forget_expired(&house.app).await.unwrap();
            }
            Self::RevokeClient => post(format!("/api/v1/clients/{}/revoke", vendor.client_id), because).await,
            // From now on it may ask from elsewhere only.
            Self::MoveClient => {
                let body = json!({"version": 1, "addresses": ["203.0.113.0/24"]});
                drop(house.put(Role::VendorManager, &format!("/api/v1/clients/{}/addresses", vendor.client_id), body).await.good());
            }
            // From now on its tokens must be bound to a key.
            Self::BindClient => {
                let body = json!({"version": 1, "authentication": {"kind": "secret"}, "dpop": "required"});
                drop(house.put(Role::VendorManager, &format!("/api/v1/clients/{}/authentication", vendor.client_id), body).await.good());
            }
            Self::NarrowPermit => {
                let mut terms = wide();
                terms["fields"]["city"] = json!({"kind": "withhold"});
                post(format!("/api/v1/permits/{key}/revisions"), json!({"based_on": 1, "terms": terms, "reason": "too much"})).await;
            }
            Self::PausePermit => post(format!("/api/v1/permits/{key}/pause"), because).await,
            Self::EndPermit => post(format!("/api/v1/permits/{key}/end"), because).await,
            Self::LapsePermit => tomorrow(house).await,
            // The amendment no longer names the permit's purpose.
            Self::AmendAgreement => {
                amend(house, &vendor.agreement, 2, |terms| terms["purposes"] = json!(["email-marketing"])).await;
            }
            Self::RevokeSigningKey => {
                let keys = house.get(Role::PrivacyOfficer, "/api/v1/signing-keys").await.good();
                let kid = keys["items"].as_array().unwrap().iter().find(|key| key["state"] == "signing").unwrap()["kid"].clone();
                let path = format!("/api/v1/signing-keys/{}/revoke", kid.as_str().unwrap());
                drop(house.post(Role::PrivacyOfficer, &path, because).await.good());
            }
            Self::Everything => {
                post("/api/v1/kill-switch".to_owned(), json!({"reason": "for the test", "confirm": "stop everything"})).await;
            }
            Self::EndAgreement => post(format!("/api/v1/agreements/{}/end", vendor.agreement), because).await,
        }
    }
}

async fn revoke_token(house: &House, vendor: &Vendor) {
    let listed = house.get(Role::VendorManager, &format!("/api/v1/clients/{}/tokens", vendor.client_id)).await.good();
    let id = listed["items"][0]["id"].as_str().unwrap();
    house.post(Role::VendorManager, &format!("/api/v1/tokens/{id}/revoke"), json!({"reason": "for the test"})).await.good();
}

/// Moves the clock on. What is pending gets its position before, else it would look long overdue.
async fn later(house: &House, seconds: i64) {
    house.settle().await;
    house.clock.advance_seconds(seconds);
}

async fn tomorrow(house: &House) {
    let now = house.clock.now();
    later(house, now.date().end().seconds() - now.seconds()).await;
}

/// Waits until a stream has paid its first toll.
async fn begun(house: &House, pull: &mut Pull) {
    // The first bytes of the body came, so their toll is paid.
    pull.until(100).await;
    assert!(tolls(house, &pull.release).await.is_some_and(|paid| !paid.is_empty()), "rows came before a toll was paid");
}

async fn a_stop_cuts_at_the_next_toll(database: Database) {
    let house = House::start(database).await;
    catalogue_wide(&house).await;
    for stop in Stop::ALL {
        let key = format!("{stop:?}").to_lowercase();
        let vendor = house.vendor(&format!("{stop:?}"), &[(&key, stop.terms(&house))]).await;
        let token = house.token(&vendor).await;
        let mut pull = Pull::open(&house.url, &token, WIDE).await;
        begun(&house, &mut pull).await;
        let release = pull.release.clone();
        stop.happen(&house, &vendor, &key).await;

        let paid = tolls(&house, &release).await.expect("the stream stands, for its receiver does not read");
        let received = pull.rest().await;
        let leaf = closed(&house, &release).await;
        assert!(!received.whole, "{stop:?}: the part passes for the whole");
        assert_eq!(leaf["cut"], json!({"gate": stop.gate()}), "{stop:?}: {leaf}");
        assert_eq!(leaf["tolls"], paid.len(), "{stop:?}: a toll was paid after the stop had answered");
        assert_eq!(leaf["rows"], paid.iter().sum::<u64>(), "{stop:?}: the rows on record are the tolled ones");
        assert_within(&received, &leaf);
        assert!(paid.iter().sum::<u64>() < WIDE_ROWS as u64, "{stop:?}: nothing was left to cut");
        let refused = house.pull(&token, WIDE, "application/x-ndjson").await;
        // A narrowed permit still releases what is left of it.
        assert_eq!(refused.status == 200, matches!(stop, Stop::NarrowPermit), "{stop:?}: {}", refused.status);
    }
}

/// What came is no more than what is on record.
fn assert_within(received: &Received, leaf: &Value) {
    assert!(received.bytes.len() as u64 <= leaf["bytes"].as_u64().unwrap(), "{} bytes came: {leaf}", received.bytes.len());
    assert!(received.rows() as u64 <= leaf["rows"].as_u64().unwrap(), "{} rows came: {leaf}", received.rows());
}

async fn what_takes_no_right_cuts_nothing(database: Database) {
    let house = House::start(database).await;
    catalogue_wide(&house).await;
    let vendor = house.vendor("Lasting", &[("lasting", wide())]).await;
    let token = house.token(&vendor).await;
    let mut pull = Pull::open(&house.url, &token, WIDE).await;
    begun(&house, &mut pull).await;
    let release = pull.release.clone();
    // Rights that came back and a global act move the counters; the token's end is a turn by itself.
    house.act(&vendor.id, "suspend").await;
    house.act(&vendor.id, "reinstate").await;
    let dataset = house.get(Role::DataSteward, "/api/v1/datasets/wide").await.good();
    let edit = json!({"version": dataset["version"], "fields": dataset["fields"], "subject": dataset["subject"]});
    house.put(Role::DataSteward, "/api/v1/datasets/wide", edit).await.good();
    later(&house, 1_000).await;
    let refused = house.pull(&token, WIDE, "application/json").await;
    assert_eq!((refused.status, refused.gate().as_str()), (401, "token"), "the token has expired");

    let received = pull.rest().await;
    let leaf = closed(&house, &release).await;
    assert!(received.whole, "the stream was cut: {leaf}");
    assert_eq!((received.rows(), &leaf["cut"], &leaf["rows"]), (WIDE_ROWS, &Value::Null, &json!(WIDE_ROWS)));
    assert_eq!(leaf["bytes"], received.bytes.len());
    assert_eq!(leaf["content"], tidegate::keys::sha256_hex(&received.bytes), "the digest is of the bytes that came");
    assert_eq!(leaf["subjects"], WIDE_ROWS);
}

fn small(daily_rows: u64) -> Value {
    let mut terms = usual("people");
    terms["daily_rows"] = json!(daily_rows);
    terms
}

async fn a_quota_cuts_at_its_last_row(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(2_000).await;
    let vendor = house.vendor("Quota", &[("quota", small(1_500))]).await;
    let token = house.token(&vendor).await;
    let received = Pull::open(&house.url, &token, PEOPLE).await;
    let release = received.release.clone();
    let received = received.rest().await;
    let leaf = closed(&house, &release).await;
    assert!(!received.whole, "a clipped stream passes for the whole");
    assert_eq!((&leaf["cut"], &leaf["rows"]), (&json!({"gate": "quota"}), &json!(1_500)), "{leaf}");
    assert_within(&received, &leaf);
    for accept in ["application/json", "text/csv"] {
        let refused = house.pull(&token, PEOPLE, accept).await;
        assert_eq!((refused.status, refused.gate().as_str()), (429, "quota"));
        assert_eq!(refused.header("retry-after"), "54000", "from nine o'clock to midnight UTC");
    }

    tomorrow(&house).await;
    let token = house.token(&vendor).await;
    let first = house.pull(&token, &format!("{PEOPLE}?limit=1000"), "application/json").await.good();
    assert_eq!(first["rows"].as_array().unwrap().len(), 1_000, "a new day opens the quota");
    let rest =
        house.pull(&token, &format!("{PEOPLE}?limit=1000&cursor={}", first["next"].as_str().unwrap()), "application/json").await.good();
    assert_eq!(rest["rows"].as_array().unwrap().len(), 500, "a page is clamped to what is left");
    assert!(rest["next"].is_string(), "there is more, for another day");
    assert_eq!(house.pull(&token, PEOPLE, "application/json").await.status, 429);

    // A stream of exactly what is left is whole.
    let exact = house.vendor("Exact", &[("exact", small(2_000))]).await;
    let token = house.token(&exact).await;
    let pull = Pull::open(&house.url, &token, PEOPLE).await;
    let received = pull.rest().await;
    assert_eq!((received.whole, received.rows()), (true, 2_000));
}

async fn pages_together_stay_within_the_quota(database: Database) {
    let house = Arc::new(House::start(database).await);
    house.catalogue_people(100).await;
    let vendor = house.vendor("Crowd", &[("crowd", small(100))]).await;
    let token = house.token(&vendor).await;
    let mut crowd = tokio::task::JoinSet::new();
    for at in 0..16 {
        let (house, token) = (Arc::clone(&house), token.clone());
        let accept = if at % 4 == 0 { "application/x-ndjson" } else { "application/json" };
        crowd.spawn(async move {
            let request = house.http.get(format!("{}{PEOPLE}?score=lt.17{}", house.url, if at % 4 == 0 { "" } else { "&limit=17" }));
            // A stream that the quota cuts at its very first toll ends before its head has left.
            let answer = match request.bearer_auth(token).header("accept", accept).send().await {
                Ok(answer) => answer,
                Err(_) if at % 4 == 0 => return (200, 0),
                Err(error) => panic!("{error}"),
            };
            let status = answer.status().as_u16();
            // A stream that the quota cuts ends in an error.
            (status, answer.text().await.unwrap_or_default().matches("\"score\"").count())
        });
    }
    let mut rows = 0;
    while let Some(done) = crowd.join_next().await {
        let (status, came) = done.unwrap();
        assert!([200, 429, 503].contains(&status), "{status}");
        rows += if status == 200 { came } else { 0 };
    }
    let entries = house.history(&format!("vendor={}", vendor.id)).await;
    let recorded: u64 = entries.iter().filter_map(|entry| entry["leaf"]["rows"].as_u64()).sum();
    assert!(rows as u64 <= recorded && recorded <= 100, "{rows} rows came, {recorded} are on record, 100 are allowed");
    assert!(recorded > 0);
}

/// Waits until a stream pays no more tolls, because its receiver does not read.
async fn held_up(house: &House, pull: &Pull) {
    let (mut last, mut same) = (0, 0);
    while same < 75 {
        let paid = tolls(house, &pull.release).await.expect("the stream is not over").len();
        same = if paid == last { same + 1 } else { 0 };
        last = paid;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn a_stop_of_the_server_ends_streams(database: Database) {
    let mut house = House::start(database).await;
    catalogue_wide(&house).await;
    let vendor = house.vendor("Stopped", &[("stopped", wide())]).await;
    let token = house.token(&vendor).await;
    // One receiver reads on, one reads nothing more.
    let mut reading = Pull::open(&house.url, &token, WIDE).await;
    let mut stalled = Pull::open(&house.url, &token, WIDE).await;
    begun(&house, &mut reading).await;
    begun(&house, &mut stalled).await;
    held_up(&house, &stalled).await;
    let releases = [reading.release.clone(), stalled.release.clone()];
    let app = Arc::clone(&house.app);
    let (url, http) = (house.url.clone(), house.http.clone());
    let receivers = async {
        // Reading goes on once the stop was heard, else the stream might be over before.
        for _ in 0..1_500 {
            if http.get(format!("{url}/healthz")).header("connection", "close").send().await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let received = reading.rest().await;
        for _ in 0..500 {
            if app.streams.running() == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(app.streams.running(), 0, "a receiver that does not read holds up the stop");
        drop(stalled);
        received
    };
    let (received, ()) = tokio::join!(receivers, house.stop());
    assert!(!received.whole, "the part passes for the whole");
    // The next start finds nothing left to close.
    let house = house.restart().await;
    for release in releases {
        let leaf = closed(&house, &release).await;
        assert_eq!(leaf["cut"], "stopped", "{leaf}");
    }
}

async fn a_receiver_that_leaves_ends_its_stream(database: Database) {
    let house = House::start(database).await;
    catalogue_wide(&house).await;
    let vendor = house.vendor("Leaving", &[("leaving", wide())]).await;
    let token = house.token(&vendor).await;
    let mut pull = Pull::open(&house.url, &token, WIDE).await;
    begun(&house, &mut pull).await;
    let release = pull.release.clone();
    drop(pull);
    let leaf = closed(&house, &release).await;
    assert_eq!(leaf["cut"], "receiver", "{leaf}");
    assert!(leaf["rows"].as_u64().unwrap() < WIDE_ROWS as u64);
    // Its place is free once its end is on record, and no sooner.
    for _ in 0..500 {
        if house.app.streams.running() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the place of a stream that ended stays taken");
}

async fn receivers_that_leave_at_once_leave_nothing_open(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(20).await;
    let vendor = house.vendor("Hasty", &[("hasty", usual("people"))]).await;
    let token = house.token(&vendor).await;
    house.pull(&token, PEOPLE, "application/x-ndjson").await;
    let begun = std::time::Instant::now();
    house.pull(&token, PEOPLE, "application/x-ndjson").await;
    let whole = begun.elapsed();
    // Each stays a little longer than the one before, so that some leave at the worst moment.
    for at in 0..60 {
        Pull::ask_and_leave(&house.url, &token, PEOPLE, whole * at / 50).await;
    }
    let count = async |kind: &str| house.history(&format!("kind={kind}")).await.len();
    for _ in 0..500 {
        if house.app.streams.running() == 0 && count("opened").await == count("closed").await {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(count("opened").await, count("closed").await, "streams that nobody receives stay open");
}

/// A source that is damaged in its middle cuts the stream; nobody takes the part for the whole.
#[test]
fn a_source_that_fails_in_mid_stream_cuts() {
    crate::database::run(async {
        let house = House::start(Database::sqlite()).await;
        catalogue_wide(&house).await;
        let path = house.sources().join("wide.parquet");
        let mut bytes = std::fs::read(&path).unwrap();
        // Whole pages of numbers, somewhere behind the first row group and before the footer.
        let (from, to) = (bytes.len() * 9 / 10, bytes.len() * 95 / 100);
        bytes[from..to].fill(0x5a);
        std::fs::write(&path, bytes).unwrap();
        let vendor =
            house.vendor("Damaged", &[("damaged", permit("wide", json!({"id": {"kind": "pseudonym", "format": "base32"}})))]).await;
        let token = house.token(&vendor).await;
        let pull = Pull::open(&house.url, &token, WIDE).await;
        let release = pull.release.clone();
        let received = pull.rest().await;
        let leaf = closed(&house, &release).await;
        assert!(!received.whole);
        assert_eq!(leaf["cut"], "source", "{leaf}");
        assert_within(&received, &leaf);
    });
}
