//! Three programs on one database at full speed: no good token is refused while keys follow one another.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tidegate::domain::person::Role;
use tidegate::store::Clock;
use tokio::task::JoinSet;

use super::{RECORDS, kid_of};
use crate::broker::{Broker, MASTER_KEY};
use crate::database::Database;
use crate::harness::{Answer, House, Vendor, usual};
use crate::store::migrations::disturb;

/// Machines that ask for tokens and pull with them all the time.
const MACHINES: usize = 9;
/// Answers that must have come before the next act.
const BETWEEN: u64 = 60;
const ROTATIONS: usize = 4;

/// The turn that a rotation waits for, ten minutes ahead, brought here at once: a broker learns of it as late as can be.
const TURN: &str = "UPDATE signing_keys SET retired_at = made.at, leaves_at = made.at + 910000000 \
     FROM (SELECT max(made_at) AS at FROM signing_keys) AS made WHERE retired_at > made.at; \
     UPDATE signing_keys SET signs_from = made_at WHERE signs_from > made_at; \
     UPDATE counters SET value = value + 1 WHERE scope = 'all'";

struct Running {
    urls: Vec<String>,
    vendor: Vendor,
    over: AtomicBool,
    answered: AtomicU64,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    kids: BTreeSet<String>,
    refused: Vec<String>,
}

impl Running {
    /// Asks one broker for a token and pulls with it at each of the others.
    async fn work(&self, at: usize) {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut turn = at;
        while !self.over.load(Ordering::SeqCst) {
            turn += 1;
            let request = http
                .post(format!("{}/oauth/token", self.urls[turn % self.urls.len()]))
                .basic_auth(&self.vendor.client_id, Some(&self.vendor.client_secret))
                .header("content-type", "application/x-www-form-urlencoded")
                .body("grant_type=client_credentials");
            let issued = Answer::of(request.send().await.unwrap()).await;
            if issued.status != 200 {
                self.seen.lock().unwrap().refused.push(format!("no token: {} {}", issued.status, issued.text));
                continue;
            }
            let token = issued.json()["access_token"].as_str().unwrap().to_owned();
            self.seen.lock().unwrap().kids.insert(kid_of(&token));
            for url in &self.urls {
                let pulled = http.get(format!("{url}{RECORDS}")).bearer_auth(&token).send().await.unwrap();
                let status = pulled.status().as_u16();
                if status != 200 {
                    let text = pulled.text().await.unwrap_or_default();
                    self.seen.lock().unwrap().refused.push(format!("no rows: {status} {text}"));
                }
            }
            self.answered.fetch_add(1, Ordering::SeqCst);
        }
    }

    async fn enough(&self) {
        let wanted = self.answered.load(Ordering::SeqCst) + BETWEEN;
        for _ in 0..6_000 {
            if self.answered.load(Ordering::SeqCst) >= wanted {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("nothing is pulled any more: {:?}", self.seen.lock().unwrap().refused);
    }
}

#[test]
fn three_brokers_refuse_no_good_token_while_keys_follow_one_another() {
    let Some(database) = Database::postgres() else { return };
    crate::database::run(async {
        let settings = [("TIDEGATE_MASTER_KEY", MASTER_KEY)];
        let house = House::start_with(database, Clock::system(), &settings).await;
        house.catalogue_people(20).await;
        let vendor = house.vendor("Racer", &[("racing", usual("people"))]).await;
        let data = tempfile::tempdir().unwrap();
        let brokers = Broker::several(&house, data.path(), &["one", "two", "three"], &settings).await;
        let running = Arc::new(Running {
            urls: brokers.iter().map(|broker| broker.url.clone()).collect(),
            vendor,
            over: AtomicBool::new(false),
            answered: AtomicU64::new(0),
            seen: Mutex::default(),
        });
        let mut machines = JoinSet::new();
        for at in 0..MACHINES {
            let running = Arc::clone(&running);
            machines.spawn(async move { running.work(at).await });
        }
        for round in 0..ROTATIONS {
            running.enough().await;
            let url = &running.urls[round % running.urls.len()];
            let request = house.http.post(format!("{url}/api/v1/signing-keys/rotate")).bearer_auth(house.key(Role::Administrator));
            let made: Value = Answer::of(request.send().await.unwrap()).await.good();
            assert_eq!(made["state"], json!("waiting"));
            running.enough().await;
            disturb(&house.database().url, TURN);
        }
        running.enough().await;
        running.over.store(true, Ordering::SeqCst);
        while let Some(done) = machines.join_next().await {
            done.unwrap();
        }
        let seen = running.seen.lock().unwrap();
        assert!(seen.refused.is_empty(), "{} refused: {}", seen.refused.len(), seen.refused[0]);
        assert_eq!(seen.kids.len(), ROTATIONS + 1, "every key signed");
    });
}
