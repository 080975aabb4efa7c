//! Pulls and revocations at full speed: after a revocation has answered, nothing more is released, by one broker or many.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tidegate::domain::person::Role;
use tidegate::store::Clock;
use tokio::task::JoinSet;

use crate::broker::{Broker, MASTER_KEY};
use crate::database::Database;
use crate::harness::{Answer, House, Vendor, usual};
use crate::on_both;

const RECORDS: &str = "/data/v1/datasets/people/records";
const PERMIT: &str = "racing";

/// How often each kind of right is taken away and given back.
const ROUNDS: usize = 8;
/// Pulls that go on all the time, a third of them streams.
const PULLERS: usize = 9;
/// Pulls that must have been answered before the next act, so that there is always something to race.
const BETWEEN: u64 = 12;

on_both!(no_release_follows_a_revocation);

async fn no_release_follows_a_revocation(database: Database) {
    let house = House::start(database).await;
    let url = house.url.clone();
    Race::run(house, vec![url]).await;
}

/// Three programs of their own on one database: each takes pulls and each takes its turn in revoking.
#[test]
fn no_release_of_three_brokers_follows_a_revocation() {
    let Some(database) = Database::postgres() else { return };
    crate::database::run(async {
        let house = House::start_with(database, Clock::system(), &[("TIDEGATE_MASTER_KEY", MASTER_KEY)]).await;
        let data = tempfile::tempdir().unwrap();
        let mut brokers = Vec::new();
        for name in ["one", "two", "three"] {
            brokers.push(Broker::beside(&house, &data.path().join(name), &[("TIDEGATE_MASTER_KEY", MASTER_KEY)]).await);
        }
        Race::run(house, brokers.iter().map(|broker| broker.url.clone()).collect()).await;
    });
}

/// Brokers that start at once on an empty database make one schema and one signing key.
#[test]
fn brokers_that_start_together_share_schema_and_keys() {
    let Some(database) = Database::postgres() else { return };
    crate::database::run(async {
        let data = tempfile::tempdir().unwrap();
        let settings = [("TIDEGATE_MASTER_KEY", MASTER_KEY), ("TIDEGATE_PUBLIC_URL", "http://gate.example")];
        let folders = ["one", "two", "three"].map(|name| data.path().join(name));
        let [one, two, three] = &folders;
        let (one, two, three) = tokio::join!(
            Broker::start(&database, one, &settings),
            Broker::start(&database, two, &settings),
            Broker::start(&database, three, &settings)
        );
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut published = BTreeSet::new();
        for broker in [&one, &two, &three] {
            let keys = Answer::of(http.get(format!("{}/.well-known/jwks.json", broker.url)).send().await.unwrap()).await.good();
            assert_eq!(keys["keys"].as_array().unwrap().len(), 1, "{keys}");
            published.insert(keys.to_string());
        }
        assert_eq!(published.len(), 1, "{published:?}");
    });
}

/// A vendor whose rights come and go while it pulls.
struct Race {
    house: House,
    vendor: Vendor,
    /// The token that is pulled with: a new one where the old one is gone for good.
    token: Mutex<String>,
    urls: Vec<String>,
    /// Odd from the answer to a revocation until before the next grant is asked for.
    epoch: AtomicU64,
    over: AtomicBool,
    answered: AtomicU64,
    released: AtomicU64,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// Releases that a receiver got.
    releases: BTreeSet<String>,
    /// Answers with rows to pulls that began after a revocation had answered and ended before the next grant.
    slipped: Vec<String>,
    statuses: BTreeSet<u16>,
}

impl Race {
    async fn run(house: House, urls: Vec<String>) {
        house.catalogue_people(20).await;
        let vendor = house.vendor("Racer", &[(PERMIT, usual("people"))]).await;
        // A token of one broker is good at all of them.
        let token = ask_token(&house, &urls[0], &vendor).await;
        let race = Arc::new(Self {
            house,
            vendor,
            token: Mutex::new(token),
            urls,
            epoch: AtomicU64::new(0),
            over: AtomicBool::new(false),
            answered: AtomicU64::new(0),
            released: AtomicU64::new(0),
            seen: Mutex::default(),
        });
        let mut pullers = JoinSet::new();
        for at in 0..PULLERS {
            let race = Arc::clone(&race);
            pullers.spawn(async move { race.pull(at).await });
        }
        race.take_and_give().await;
        race.over.store(true, Ordering::SeqCst);
        while let Some(done) = pullers.join_next().await {
            done.unwrap();
        }
        race.judge().await;
    }

    async fn pull(&self, at: usize) {
        let url = format!("{}{RECORDS}", self.urls[at % self.urls.len()]);
        let (path, accept) = if at % 3 == 2 { (url, "application/x-ndjson") } else { (format!("{url}?limit=2"), "application/json") };
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        while !self.over.load(Ordering::SeqCst) {
            let before = self.epoch.load(Ordering::SeqCst);
            let token = self.token.lock().unwrap().clone();
            let answer = http.get(&path).bearer_auth(token).header("accept", accept).send().await.unwrap();
            let (status, release) = (answer.status().as_u16(), answer.headers().get("tidegate-release").cloned());
            // A stream that was cut ends in an error; its opening counts all the same.
            let _ = answer.bytes().await;
            let after = self.epoch.load(Ordering::SeqCst);
            let mut seen = self.seen.lock().unwrap();
            seen.statuses.insert(status);
            if status == 200 {
                let release = release.unwrap().to_str().unwrap().to_owned();
                if before == after && before % 2 == 1 {
                    seen.slipped.push(release.clone());
                }
                seen.releases.insert(release);
                self.released.fetch_add(1, Ordering::SeqCst);
            }
            self.answered.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Takes each right away and gives it back, round after round, at each broker in turn; the last is not given back.
    async fn take_and_give(&self) {
        let vendor = format!("/api/v1/vendors/{}", self.vendor.id);
        let permit = format!("/api/v1/permits/{PERMIT}");
        let lift = ("/api/v1/kill-switch/lift".to_owned(), json!({"reason": "for the race", "confirm": "let releases go on"}));
        let because = || json!({"reason": "for the race"});
        for round in 0..ROUNDS {
            self.enough(&self.released).await;
            match round % 4 {
                0 => {
                    self.act(round, Role::VendorManager, &format!("{vendor}/suspend"), because()).await;
                    self.refused_for_a_while().await;
                    self.act(round + 1, Role::VendorManager, &format!("{vendor}/reinstate"), because()).await;
                }
                1 => {
                    self.act(round, Role::VendorManager, &format!("{permit}/pause"), because()).await;
                    self.refused_for_a_while().await;
                    self.act(round + 1, Role::PrivacyOfficer, &format!("{permit}/resume"), because()).await;
                }
                2 => {
                    let kid = self.signing_key().await;
                    self.act(round, Role::PrivacyOfficer, &format!("/api/v1/signing-keys/{kid}/revoke"), because()).await;
                    self.refused_for_a_while().await;
                    self.another_token(round + 1).await;
                }
                _ => {
                    let words = json!({"reason": "for the race", "confirm": "stop everything"});
                    self.act(round, Role::VendorManager, "/api/v1/kill-switch", words).await;
                    self.refused_for_a_while().await;
                    self.act(round + 1, Role::PrivacyOfficer, &lift.0, lift.1.clone()).await;
                    self.another_token(round + 2).await;
                }
            }
        }
        self.enough(&self.released).await;
        self.act(ROUNDS, Role::VendorManager, &format!("/api/v1/clients/{}/revoke", self.vendor.client_id), because()).await;
        self.refused_for_a_while().await;
    }

    /// The key that signs now.
    async fn signing_key(&self) -> String {
        let keys = self.house.get(Role::PrivacyOfficer, "/api/v1/signing-keys").await.good();
        let signing = keys["items"].as_array().unwrap().iter().find(|key| key["state"] == "signing").unwrap();
        signing["kid"].as_str().unwrap().to_owned()
    }

    /// A token in the place of one that is refused for good.
    async fn another_token(&self, turn: usize) {
        // On a clock that stands still the new token would be as old as the stop.
        self.house.settle().await;
        self.house.clock.advance_seconds(1);
        let token = ask_token(&self.house, &self.urls[turn % self.urls.len()], &self.vendor).await;
        *self.token.lock().unwrap() = token;
    }

    /// Lets pulls run against the closed gate.
    async fn refused_for_a_while(&self) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
        self.enough(&self.answered).await;
        self.epoch.fetch_add(1, Ordering::SeqCst);
    }

    async fn act(&self, turn: usize, by: Role, path: &str, body: Value) {
        let url = format!("{}{path}", self.urls[turn % self.urls.len()]);
        let request = self.house.http.post(url).bearer_auth(self.house.key(by)).json(&body);
        Answer::of(request.send().await.unwrap()).await.good();
    }

    /// Waits until some more pulls were counted.
    async fn enough(&self, counter: &AtomicU64) {
        let wanted = counter.load(Ordering::SeqCst) + BETWEEN;
        for _ in 0..6_000 {
            if counter.load(Ordering::SeqCst) >= wanted {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("nothing is pulled any more: {:?}", self.seen.lock().unwrap().statuses);
    }

    async fn judge(&self) {
        let entries = self.house.history("").await;
        let positions: Vec<i64> = entries.iter().map(|entry| entry["position"].as_i64().unwrap()).collect();
        assert_eq!(positions, (0..i64::try_from(entries.len()).unwrap()).collect::<Vec<_>>(), "positions have gaps");
        let seen = self.seen.lock().unwrap();
        let (late, revocations, recorded) = walk(&entries, &self.vendor.id);
        assert!(
            late.is_empty() && seen.slipped.is_empty(),
            "{} of {} releases stand behind a revocation in the history, {} pulls that began after its answer got rows",
            late.len(),
            recorded.len(),
            seen.slipped.len()
        );
        let unknown: Vec<&String> = seen.releases.difference(&recorded).collect();
        assert!(unknown.is_empty(), "{} releases are not on record", unknown.len());
        assert_eq!(revocations, ROUNDS + 1, "every revocation that answered is on record");
        // 503 is for those whose rights moved twice while they pulled.
        let expected = BTreeSet::from([200, 401, 403, 503]);
        assert!(seen.statuses.is_subset(&expected) && seen.statuses.contains(&403), "{:?}", seen.statuses);
        assert!(recorded.len() as u64 >= BETWEEN * ROUNDS as u64, "only {} releases raced", recorded.len());
    }
}

/// Reads the history in its order: positions of releases behind a revocation, how many revocations, and the releases.
fn walk(entries: &[Value], vendor: &str) -> (Vec<i64>, usize, BTreeSet<String>) {
    let (mut late, mut revocations, mut releases) = (Vec::new(), 0, BTreeSet::new());
    let mut closed = false;
    // Tokens that were pulled with, and those of them that were refused for good since.
    let (mut used, mut dead) = (BTreeSet::new(), BTreeSet::new());
    let of_all = |entry: &&Value| ["signing_key", "kill_switch"].contains(&entry["leaf"]["noun"].as_str().unwrap_or_default());
    for entry in entries.iter().filter(|entry| entry["leaf"]["vendor"] == vendor || of_all(entry)) {
        let (leaf, position) = (&entry["leaf"], entry["position"].as_i64().unwrap());
        match (entry["kind"].as_str().unwrap(), leaf["act"].as_str().unwrap_or_default()) {
            ("act", "revoke") if leaf["noun"] == "signing_key" => {
                dead.append(&mut used);
                revocations += 1;
            }
            ("act", "suspend" | "pause" | "revoke" | "stop") => {
                closed = true;
                revocations += 1;
                if leaf["noun"] == "kill_switch" {
                    dead.append(&mut used);
                }
            }
            ("act", "reinstate" | "resume" | "lift") => closed = false,
            ("release" | "opened", _) => {
                releases.insert(leaf["release"].as_str().unwrap().to_owned());
                let token = leaf["token"].as_str().unwrap().to_owned();
                if closed || dead.contains(&token) {
                    late.push(position);
                }
                used.insert(token);
            }
            _ => {}
        }
    }
    (late, revocations, releases)
}

async fn ask_token(house: &House, url: &str, vendor: &Vendor) -> String {
    let request = house
        .http
        .post(format!("{url}/oauth/token"))
        .basic_auth(&vendor.client_id, Some(&vendor.client_secret))
        .header("content-type", "application/x-www-form-urlencoded")
        .body("grant_type=client_credentials");
    Answer::of(request.send().await.unwrap()).await.good()["access_token"].as_str().unwrap().to_owned()
}
