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

/// How often a right is taken away: 20 times at each level, in turn.
const ROUNDS: usize = 20 * LEVELS.len();
/// The levels at which one can revoke. A vendor and a permit are given back; what ends for good is replaced.
const LEVELS: [Level; 7] =
    [Level::Token, Level::Client, Level::Permit, Level::Agreement, Level::Vendor, Level::SigningKey, Level::Everything];
/// Pulls that go on all the time, a third of them streams.
const PULLERS: usize = 9;
/// Pulls that must have been answered before the next act, so that there is always something to race.
const BETWEEN: u64 = 12;

#[derive(Debug, Clone, Copy)]
enum Level {
    Token,
    Client,
    Permit,
    Agreement,
    Vendor,
    SigningKey,
    Everything,
}

/// Who pulls just now, and under which permit.
#[derive(Clone)]
struct Machine {
    client: Vendor,
    permit: String,
}

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
        let brokers = Broker::several(&house, data.path(), &["one", "two", "three"], &[("TIDEGATE_MASTER_KEY", MASTER_KEY)]).await;
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
    machine: Mutex<Machine>,
    /// What is pulled with: the token, and the permit that it is used under. Another one where the old one is gone for good.
    using: Mutex<(String, String)>,
    /// Clients and agreements (each with its permit) to go on with where one is gone for good.
    clients: Mutex<Vec<Vendor>>,
    agreements: Mutex<Vec<(String, String)>>,
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
        let vendor = house.vendor("Racer", &[("racing", usual("people"))]).await;
        let (mut clients, mut agreements) = (Vec::new(), Vec::new());
        let paper = evidence(&house, &vendor.id).await;
        for at in 0..ROUNDS.div_ceil(LEVELS.len()) {
            let body = json!({"name": "spare", "hand_over": "answer"});
            let issued = house.post(Role::VendorManager, &format!("/api/v1/vendors/{}/clients", vendor.id), body).await.good();
            let text = |name: &str| issued[name].as_str().unwrap().to_owned();
            clients.push(Vendor { client_id: text("client_id"), client_secret: text("client_secret"), ..vendor.clone() });
            let permit = format!("racing-{at}");
            let agreement = house.agree(&vendor.id, &permit, &paper, &[(&permit, usual("people"))]).await;
            agreements.push((agreement, permit));
        }
        // A token of one broker is good at all of them.
        let token = ask_token(&house, &urls[0], &vendor).await;
        let machine = Machine { client: vendor.clone(), permit: "racing".to_owned() };
        let race = Arc::new(Self {
            house,
            vendor,
            using: Mutex::new((token, machine.permit.clone())),
            machine: Mutex::new(machine),
            clients: Mutex::new(clients),
            agreements: Mutex::new(agreements),
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
        let (path, accept) =
            if at % 3 == 2 { (format!("{url}?"), "application/x-ndjson") } else { (format!("{url}?limit=2&"), "application/json") };
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        while !self.over.load(Ordering::SeqCst) {
            let before = self.epoch.load(Ordering::SeqCst);
            let (token, permit) = self.using.lock().unwrap().clone();
            let request = http.get(format!("{path}permit={permit}")).bearer_auth(token).header("accept", accept);
            let answer = match request.send().await {
                Ok(answer) => answer,
                // A stream that is cut at its first toll ends before its head has left.
                Err(error) => {
                    assert!(error.is_request() && at % 3 == 2, "{error:?}");
                    self.answered.fetch_add(1, Ordering::SeqCst);
                    continue;
                }
            };
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

    /// Takes a right away at each level in turn, at each broker in turn, and gives it back or goes on with another.
    async fn take_and_give(&self) {
        for round in 0..ROUNDS {
            self.enough(&self.released).await;
            let level = LEVELS[round % LEVELS.len()];
            let machine = self.machine.lock().unwrap().clone();
            self.take(round, level, &machine).await;
            self.refused_for_a_while().await;
            self.give(round + 1, level, machine).await;
        }
        self.enough(&self.released).await;
    }

    async fn take(&self, turn: usize, level: Level, machine: &Machine) {
        let because = || json!({"reason": "for the race"});
        let (by, path, body) = match level {
            Level::Token => (Role::VendorManager, format!("/api/v1/tokens/{}/revoke", id_of(&self.using.lock().unwrap().0)), because()),
            Level::Client => (Role::VendorManager, format!("/api/v1/clients/{}/revoke", machine.client.client_id), because()),
            Level::Permit => (Role::VendorManager, format!("/api/v1/permits/{}/pause", machine.permit), because()),
            Level::Agreement => (Role::VendorManager, format!("/api/v1/agreements/{}/end", machine.client.agreement), because()),
            Level::Vendor => (Role::VendorManager, format!("/api/v1/vendors/{}/suspend", self.vendor.id), because()),
            Level::SigningKey => (Role::PrivacyOfficer, format!("/api/v1/signing-keys/{}/revoke", self.signing_key().await), because()),
            Level::Everything => {
                let words = json!({"reason": "for the race", "confirm": "stop everything"});
                (Role::VendorManager, "/api/v1/kill-switch".to_owned(), words)
            }
        };
        self.act(turn, by, &path, body).await;
    }

    async fn give(&self, turn: usize, level: Level, mut machine: Machine) {
        let because = || json!({"reason": "for the race"});
        match level {
            Level::Permit => {
                let path = format!("/api/v1/permits/{}/resume", machine.permit);
                return self.act(turn, Role::PrivacyOfficer, &path, because()).await;
            }
            Level::Vendor => {
                let path = format!("/api/v1/vendors/{}/reinstate", self.vendor.id);
                return self.act(turn, Role::VendorManager, &path, because()).await;
            }
            Level::Client => {
                let spare = self.clients.lock().unwrap().pop().unwrap();
                machine.client = Vendor { agreement: machine.client.agreement, ..spare };
            }
            Level::Agreement => {
                let (agreement, permit) = self.agreements.lock().unwrap().pop().unwrap();
                machine.client.agreement = agreement;
                machine.permit = permit;
            }
            Level::Everything => {
                let words = json!({"reason": "for the race", "confirm": "let releases go on"});
                self.act(turn, Role::PrivacyOfficer, "/api/v1/kill-switch/lift", words).await;
            }
            Level::Token | Level::SigningKey => {}
        }
        self.machine.lock().unwrap().clone_from(&machine);
        self.another_token(turn + 1, &machine).await;
    }

    /// The key that signs now.
    async fn signing_key(&self) -> String {
        let keys = self.house.get(Role::PrivacyOfficer, "/api/v1/signing-keys").await.good();
        let signing = keys["items"].as_array().unwrap().iter().find(|key| key["state"] == "signing").unwrap();
        signing["kid"].as_str().unwrap().to_owned()
    }

    /// A token in the place of one that is refused for good.
    async fn another_token(&self, turn: usize, machine: &Machine) {
        // On a clock that stands still the new token would be as old as the stop.
        self.house.settle().await;
        self.house.clock.advance_seconds(1);
        let token = ask_token(&self.house, &self.urls[turn % self.urls.len()], &machine.client).await;
        *self.using.lock().unwrap() = (token, machine.permit.clone());
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
        println!("{} releases raced {revocations} revocations, none was late", recorded.len());
        assert_eq!(revocations, ROUNDS, "every revocation that answered is on record");
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
    // Tokens that were pulled with, and those of them that are never pulled with again: they, their client, their key or the
    // agreement that they were used under is gone for good.
    let (mut used, mut dead) = (BTreeSet::new(), BTreeSet::new());
    let of_all = |entry: &&Value| ["signing_key", "kill_switch"].contains(&entry["leaf"]["noun"].as_str().unwrap_or_default());
    for entry in entries.iter().filter(|entry| entry["leaf"]["vendor"] == vendor || of_all(entry)) {
        let (leaf, position) = (&entry["leaf"], entry["position"].as_i64().unwrap());
        match (entry["kind"].as_str().unwrap(), leaf["act"].as_str().unwrap_or_default()) {
            ("act", "revoke" | "end") => {
                dead.append(&mut used);
                revocations += 1;
            }
            ("act", "suspend" | "pause" | "stop") => {
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

/// The id of a token, as it says it.
fn id_of(token: &str) -> String {
    let claims = data_encoding::BASE64URL_NOPAD.decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap();
    serde_json::from_slice::<Value>(&claims).unwrap()["jti"].as_str().unwrap().to_owned()
}

/// A paper of the vendor, as its further agreements name it.
async fn evidence(house: &House, vendor: &str) -> String {
    let papers = house.get(Role::VendorManager, &format!("/api/v1/vendors/{vendor}/evidence")).await.good();
    papers["items"][0]["id"].as_str().unwrap().to_owned()
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
