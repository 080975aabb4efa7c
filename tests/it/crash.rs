//! `kill -9` at the worst moments, and disks and databases that fail: what a receiver got is on record, or it got nothing.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, SqliteConnection};
use serde_json::{Value, json};
use tidegate::domain::person::Role;
use tidegate::store::{Clock, DatabaseUrl};
use tokio::task::JoinSet;

use crate::broker::Broker;
use crate::database::Database;
use crate::harness::{House, usual};
use crate::on_both;
use crate::slow::{Pull, WIDE_ROWS, catalogue_wide, closed, wide};

on_both!(a_crash_in_mid_stream_counts_what_was_tolled, a_crash_while_pages_leave_loses_no_release);

const PEOPLE: &str = "/data/v1/datasets/people/records";
const PULLERS: usize = 6;

/// A house whose place a program of its own has taken; the house still knows its people and its history.
async fn outside(database: Database) -> (House, Broker) {
    let mut house = House::start_with(database, Clock::system(), &[]).await;
    house.stop().await;
    let broker = Broker::in_place_of(&house, &[]).await;
    house.url.clone_from(&broker.url);
    (house, broker)
}

/// The program started anew after its end, on what it left.
async fn again(house: &mut House) -> Broker {
    let broker = Broker::in_place_of(house, &[]).await;
    house.url.clone_from(&broker.url);
    broker
}

async fn a_crash_in_mid_stream_counts_what_was_tolled(database: Database) {
    let (mut house, mut broker) = outside(database).await;
    catalogue_wide(&house).await;
    let vendor = house.vendor("Crashed", &[("crashed", wide())]).await;
    let token = house.token(&vendor).await;
    let mut pull = Pull::open(&house.url, &token, "/data/v1/datasets/wide/records").await;
    pull.until(3_000_000).await;
    let release = pull.release.clone();
    broker.kill();
    let received = pull.rest().await;
    assert!(!received.whole && received.rows() > 0);
    let broker = again(&mut house).await;

    let leaf = closed(&house, &release).await;
    assert_eq!((&leaf["cut"], &leaf["content"]), (&json!("crashed"), &Value::Null), "{leaf}");
    let (rows, bytes) = (leaf["rows"].as_u64().unwrap(), leaf["bytes"].as_u64().unwrap());
    assert!(rows >= received.rows() as u64 && bytes >= received.bytes.len() as u64, "{} rows came: {leaf}", received.rows());
    assert!(rows < WIDE_ROWS as u64 && leaf["tolls"].as_u64().unwrap() >= 1, "{leaf}");
    assert_eq!(leaf["subjects"], rows, "the subject ledger outlives the crash");
    let entries = house.history(&format!("vendor={}", vendor.id)).await;
    assert_eq!(entries.iter().filter(|entry| entry["kind"] == "opened").count(), 1);
    drop(broker);
    // Another start finds nothing left to close.
    let _broker = again(&mut house).await;
    assert_eq!(house.history("kind=closed").await.len(), 1);
}

async fn a_crash_while_pages_leave_loses_no_release(database: Database) {
    let (mut house, mut broker) = outside(database).await;
    house.catalogue_people(20).await;
    let vendor = house.vendor("Pages", &[("pages", usual("people"))]).await;
    let mut received = BTreeSet::new();
    for round in 0..3 {
        let token = house.token(&vendor).await;
        let pullers = Pullers::start(&house.url, &token);
        // Far enough into the traffic that commits and answers are under way in any order.
        pullers.until(20 + 7 * round).await;
        broker.kill();
        received.extend(pullers.stop().await);
        broker = again(&mut house).await;
    }
    assert_on_record(&house, &received).await;
    assert!(received.len() >= 60, "only {} pages came", received.len());
}

/// Every release that was received is on record, positions have no gaps and agree with the head.
async fn assert_on_record(house: &House, received: &BTreeSet<String>) {
    let entries = house.history("").await;
    let positions: Vec<i64> = entries.iter().map(|entry| entry["position"].as_i64().unwrap()).collect();
    assert_eq!(positions, (0..i64::try_from(entries.len()).unwrap()).collect::<Vec<_>>(), "positions have gaps");
    let head = house.app.store.read(tidegate::store::history::head).await.unwrap();
    assert_eq!(usize::try_from(head).unwrap(), entries.len(), "the head is where the entries end");
    let recorded: BTreeSet<String> = entries
        .iter()
        .filter(|entry| entry["kind"] == "release")
        .map(|entry| entry["leaf"]["release"].as_str().unwrap().to_owned())
        .collect();
    let lost: Vec<&String> = received.difference(&recorded).collect();
    assert!(lost.is_empty(), "{} of {} releases that were received are not on record", lost.len(), received.len());
}

/// Receivers of pages at full speed, until there is nobody to ask.
struct Pullers {
    tasks: JoinSet<()>,
    over: Arc<AtomicBool>,
    releases: Arc<Mutex<BTreeSet<String>>>,
    /// Pulls that were answered otherwise than by rows.
    refused: Arc<Mutex<Vec<(u16, String)>>>,
}

impl Pullers {
    fn start(url: &str, token: &str) -> Self {
        let mut pullers = Self { tasks: JoinSet::new(), over: Arc::default(), releases: Arc::default(), refused: Arc::default() };
        for _ in 0..PULLERS {
            let (url, token) = (format!("{url}{PEOPLE}?limit=3"), token.to_owned());
            let (over, releases, refused) = (Arc::clone(&pullers.over), Arc::clone(&pullers.releases), Arc::clone(&pullers.refused));
            pullers.tasks.spawn(async move {
                let http = reqwest::Client::builder().no_proxy().build().unwrap();
                while !over.load(Ordering::SeqCst) {
                    let Ok(answer) = http.get(&url).bearer_auth(&token).send().await else { return };
                    let status = answer.status().as_u16();
                    let Ok(text) = answer.text().await else { return };
                    if status == 200 {
                        let body: Value = serde_json::from_str(&text).unwrap();
                        releases.lock().unwrap().insert(body["release"].as_str().unwrap().to_owned());
                    } else {
                        refused.lock().unwrap().push((status, text));
                    }
                }
            });
        }
        pullers
    }

    async fn until(&self, count: usize) {
        self.wait(|pullers| pullers.releases.lock().unwrap().len() >= count).await;
    }

    async fn until_refused(&self, count: usize) {
        self.wait(|pullers| pullers.refused.lock().unwrap().len() >= count).await;
    }

    async fn wait(&self, done: impl Fn(&Self) -> bool) {
        for _ in 0..6_000 {
            if done(self) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("{} pages came, then: {:?}", self.releases.lock().unwrap().len(), self.refused.lock().unwrap().first());
    }

    /// Ends them; answers which releases they received.
    async fn stop(mut self) -> BTreeSet<String> {
        self.over.store(true, Ordering::SeqCst);
        while let Some(done) = self.tasks.join_next().await {
            done.unwrap();
        }
        std::mem::take(&mut *self.releases.lock().unwrap())
    }
}

/// Nothing leaves while the record can't be written, and the answer says nothing of paths or statements.
fn assert_unavailable(refused: &[(u16, String)]) {
    for (status, text) in refused {
        assert_eq!(*status, 503, "{text}");
        let problem: Value = serde_json::from_str(text).unwrap();
        let detail = problem["detail"].as_str().unwrap();
        assert!(!detail.contains('/') && !detail.to_lowercase().contains("sql") && problem["rows"].is_null(), "{detail}");
    }
}

#[test]
fn a_full_disk_lets_nothing_leave() {
    crate::database::run(async {
        let mut house = House::start_with(Database::sqlite(), Clock::system(), &[]).await;
        house.catalogue_people(20).await;
        let vendor = house.vendor("Full", &[("full", usual("people"))]).await;
        house.stop().await;
        let DatabaseUrl::Sqlite(path) = &house.database().url else { unreachable!() };
        // With its log empty, the log is what grows, and well before it would be emptied again.
        let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        conn.batch_execute("PRAGMA busy_timeout = 10000; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        drop(conn);
        let room = std::fs::metadata(path).unwrap().len() / 1024 + 800;
        let broker = Broker::with_small_disk(&house, room).await;
        house.url.clone_from(&broker.url);
        let token = house.token(&vendor).await;
        let pullers = Pullers::start(&house.url, &token);
        pullers.until(5).await;
        pullers.until_refused(20).await;
        let refused = pullers.refused.lock().unwrap().clone();
        let received = pullers.stop().await;
        assert_unavailable(&refused);
        drop(broker);

        let _broker = again(&mut house).await;
        assert_on_record(&house, &received).await;
        house.pull(&token, PEOPLE, "application/json").await.good();
    });
}

/// As when a server fails over to a replica: it answers, but takes no writes.
#[test]
fn a_database_that_takes_no_writes_lets_nothing_leave() {
    let Some(database) = Database::postgres() else { return };
    crate::database::run(async {
        let DatabaseUrl::Postgres(url) = database.url.clone() else { unreachable!() };
        let house = House::start(database).await;
        house.catalogue_people(20).await;
        let vendor = house.vendor("Replica", &[("replica", usual("people"))]).await;
        let token = house.token(&vendor).await;
        let name = url.trim_start_matches("postgres:///").split('?').next().unwrap().to_owned();
        let switch = move |to: &'static str| {
            let mut conn = PgConnection::establish(&url).unwrap();
            conn.batch_execute("SET default_transaction_read_only = off").unwrap();
            conn.batch_execute(&format!("ALTER DATABASE {name} SET default_transaction_read_only = {to}")).unwrap();
            let others =
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
            conn.batch_execute(others).unwrap();
        };
        let pullers = Pullers::start(&house.url, &token);
        pullers.until(20).await;
        let before = house.history("kind=release").await.len();
        let cut = switch.clone();
        tokio::task::spawn_blocking(move || cut("on")).await.unwrap();
        pullers.until_refused(PULLERS * 3).await;
        let at_the_switch = pullers.releases.lock().unwrap().len();
        pullers.until_refused(PULLERS * 6).await;
        assert_eq!(pullers.releases.lock().unwrap().len(), at_the_switch, "a page left without a record");
        let refused = pullers.refused.lock().unwrap().clone();
        let received = pullers.stop().await;
        assert_unavailable(&refused);
        assert!(received.len() >= before.min(20));
        let stream = house.pull(&token, PEOPLE, "text/csv").await;
        assert_eq!(stream.status, 503, "{}", stream.text);

        tokio::task::spawn_blocking(move || switch("off")).await.unwrap();
        for _ in 0..100 {
            if house.pull(&token, PEOPLE, "application/json").await.status == 200 {
                break;
            }
        }
        assert_on_record(&house, &received).await;
    });
}

/// The subjects of a page or a toll can't be kept: a file stands where the ledger's folder should be.
#[test]
fn a_ledger_that_can_not_be_kept_lets_nothing_leave() {
    crate::database::run(async {
        let house = House::start(Database::sqlite()).await;
        house.catalogue_people(9_000).await;
        let vendor = house.vendor("Ledger", &[("ledger", usual("people"))]).await;
        let token = house.token(&vendor).await;
        let ledger = house.config.data_dir.join("ledger");
        assert!(!ledger.exists(), "nothing was released yet");
        std::fs::write(&ledger, "in the way").unwrap();
        let page = house.pull(&token, &format!("{PEOPLE}?limit=9000"), "application/json").await;
        assert_unavailable(&[(page.status, page.text)]);
        let pull = Pull::open(&house.url, &token, PEOPLE).await;
        let release = pull.release.clone();
        let received = pull.rest().await;
        assert!(!received.whole && received.bytes.is_empty(), "{} rows left", received.rows());
        let leaf = closed(&house, &release).await;
        assert_eq!((&leaf["rows"], &leaf["cut"], &leaf["tolls"]), (&json!(0), &json!("unrecorded"), &json!(0)), "{leaf}");
        assert!(house.history("kind=release").await.is_empty());
        // A quota is not charged for what did not leave.
        std::fs::remove_file(&ledger).unwrap();
        let page = house.pull(&token, &format!("{PEOPLE}?limit=9000"), "application/json").await.good();
        assert_eq!(page["rows"].as_array().unwrap().len(), 9_000);
        let used = house.get(Role::ComplianceReviewer, "/api/v1/history?kind=release").await.good();
        assert_eq!(used["items"][0]["leaf"]["subjects"], 9_000);
    });
}
