//! `kill -9` between a grant and its answer: what was answered holds after it, granted, taken once or taken back.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::json;
use tidegate::domain::person::Role;
use tidegate::store::Clock;
use tokio::task::JoinSet;

use super::signer::{JWT_BEARER, Signer};
use super::{FORM, JSON, RECORDS};
use crate::broker::Broker;
use crate::database::Database;
use crate::harness::{House, Vendor, usual};
use crate::on_both;

on_both!(what_was_answered_holds_after_a_crash);

const SETTINGS: [(&str, &str); 1] = [("TIDEGATE_OAUTH_REQUESTS_PER_SECOND", "0")];
const MACHINES: usize = 8;
const ROUNDS: usize = 3;
/// Answers that must have come before each kill.
const BEFORE: usize = 60;

/// What was answered with 200.
#[derive(Default)]
struct Answered {
    tokens: Vec<String>,
    revoked: Vec<String>,
    assertions: Vec<String>,
}

impl Answered {
    fn all(&self) -> usize {
        self.tokens.len() + self.revoked.len() + self.assertions.len()
    }
}

struct Work {
    issuer: String,
    url: String,
    vendor: Vendor,
    signer: Signer,
    signing: String,
    over: AtomicBool,
    answered: Mutex<Answered>,
}

impl Work {
    fn form(&self, http: &reqwest::Client, path: &str, body: String) -> reqwest::RequestBuilder {
        http.post(format!("{}{path}", self.url)).header("content-type", FORM).body(body)
    }

    /// Asks for tokens, by a secret or by assertions, and takes every third of them back, until nobody answers.
    async fn run(&self, at: usize) {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let by_secret = at.is_multiple_of(2);
        for turn in 0.. {
            if self.over.load(Ordering::SeqCst) {
                return;
            }
            let assertion = self.signer.assertion(&self.signing, &self.issuer, Clock::system().now().seconds());
            let grant = "grant_type=client_credentials";
            let request = if by_secret {
                self.form(&http, "/oauth/token", grant.to_owned()).basic_auth(&self.vendor.client_id, Some(&self.vendor.client_secret))
            } else {
                let pairs = [("client_assertion_type", JWT_BEARER), ("client_assertion", assertion.as_str())];
                self.form(&http, "/oauth/token", format!("{grant}&{}", serde_urlencoded::to_string(pairs).unwrap()))
            };
            let Ok(answer) = request.send().await else { return };
            assert_eq!(answer.status(), 200);
            let Ok(answer) = answer.json::<serde_json::Value>().await else { return };
            let token = answer["access_token"].as_str().unwrap().to_owned();
            if !by_secret {
                self.answered.lock().unwrap().assertions.push(assertion);
            }
            if by_secret && turn % 3 == 2 {
                let revoke = self.form(&http, "/oauth/revoke", format!("token={token}"));
                let revoke = revoke.basic_auth(&self.vendor.client_id, Some(&self.vendor.client_secret));
                let Ok(answer) = revoke.send().await else { return };
                assert_eq!(answer.status(), 200);
                self.answered.lock().unwrap().revoked.push(token);
            } else {
                self.answered.lock().unwrap().tokens.push(token);
            }
        }
    }
}

async fn what_was_answered_holds_after_a_crash(database: Database) {
    let mut house = House::start_with(database, Clock::system(), &SETTINGS).await;
    house.catalogue_people(3).await;
    let vendor = house.vendor("Acme", &[("acme-people", usual("people"))]).await;
    let signer = Signer::new("ES256");
    let body = json!({"name": "signer", "authentication": {"kind": "keys", "keys": [signer.jwk()]}});
    let issued = house.post(Role::VendorManager, &format!("/api/v1/vendors/{}/clients", vendor.id), body).await.good();
    let signing = issued["client_id"].as_str().unwrap().to_owned();
    house.stop().await;
    let mut broker = Broker::in_place_of(&house, &SETTINGS).await;
    let issuer = house.app.settings.public_url.clone();
    let work = Work { issuer, url: String::new(), vendor, signer, signing, over: AtomicBool::new(false), answered: Mutex::default() };
    let mut work = Arc::new(work);
    for round in 0..ROUNDS {
        Arc::get_mut(&mut work).unwrap().url.clone_from(&broker.url);
        let mut machines = JoinSet::new();
        for at in 0..MACHINES {
            let work = Arc::clone(&work);
            machines.spawn(async move { work.run(at).await });
        }
        let wanted = work.answered.lock().unwrap().all() + BEFORE + 7 * round;
        while work.answered.lock().unwrap().all() < wanted {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        broker.kill();
        while let Some(done) = machines.join_next().await {
            done.unwrap();
        }
        broker = Broker::in_place_of(&house, &SETTINGS).await;
    }
    house.url.clone_from(&broker.url);
    let answered = std::mem::take(&mut *work.answered.lock().unwrap());
    for token in &answered.tokens {
        assert_eq!(house.pull(token, &format!("{RECORDS}?limit=1"), JSON).await.status, 200, "a token that was answered is lost");
    }
    for token in &answered.revoked {
        assert_eq!(house.pull(token, &format!("{RECORDS}?limit=1"), JSON).await.status, 401, "a revocation that was answered is lost");
    }
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for assertion in &answered.assertions {
        let pairs = [("client_assertion_type", JWT_BEARER), ("client_assertion", assertion.as_str())];
        let body = format!("grant_type=client_credentials&{}", serde_urlencoded::to_string(pairs).unwrap());
        let again = http.post(format!("{}/oauth/token", house.url)).header("content-type", FORM).body(body).send().await.unwrap();
        assert_ne!(again.status(), 200, "an assertion was taken twice");
    }
    println!(
        "{} tokens, {} revocations, {} assertions outlived the crashes",
        answered.tokens.len(),
        answered.revoked.len(),
        answered.assertions.len()
    );
    assert!(answered.tokens.len() > BEFORE && !answered.revoked.is_empty() && !answered.assertions.is_empty());
}
