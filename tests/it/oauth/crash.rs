//! `kill -9` between a grant and its answer: what was answered holds after it, granted, taken once or taken back.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use tidegate::app::oauth::OauthError;
use tidegate::domain::person::Role;
use tidegate::store::Clock;
use tidegate::token::LEEWAY_SECONDS;
use tokio::task::JoinSet;

use super::assertions::with;
use super::signer::Signer;
use super::{FORM, JSON, RECORDS, refused};
use crate::broker::Broker;
use crate::database::Database;
use crate::harness::{Answer, House, Vendor, usual};
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
                self.form(&http, "/oauth/token", with(&assertion, grant))
            };
            let Ok(answer) = request.send().await else { return };
            assert_eq!(answer.status(), 200);
            let Ok(answer) = answer.json::<Value>().await else { return };
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

/// Brings an assertion once more that was answered before the crash.
async fn bring_again(url: &str, assertion: &str) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = http.post(format!("{url}/oauth/token")).header("content-type", FORM);
    let again = Answer::of(request.body(with(assertion, "grant_type=client_credentials")).send().await.unwrap()).await;
    let claims = BASE64URL_NOPAD.decode(assertion.split('.').nth(1).unwrap().as_bytes()).unwrap();
    let ends = serde_json::from_slice::<Value>(&claims).unwrap()["exp"].as_i64().unwrap() + LEEWAY_SECONDS;
    let now = Clock::system().now().seconds();
    assert!(now < ends, "this machine is too slow: the assertion was over by itself, so nothing is shown: {now} is not before {ends}");
    refused(&again, 401, "invalid_client", "an assertion was taken twice");
    assert!(again.text.contains(&OauthError::AssertionUsed.to_string()), "{}", again.text);
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
    let mut refused_again = 0;
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
        // At once, while their age alone does not refuse them.
        let assertions = std::mem::take(&mut work.answered.lock().unwrap().assertions);
        refused_again += assertions.len();
        for assertion in &assertions {
            bring_again(&broker.url, assertion).await;
        }
    }
    house.url.clone_from(&broker.url);
    let answered = std::mem::take(&mut *work.answered.lock().unwrap());
    for token in &answered.tokens {
        assert_eq!(house.pull(token, &format!("{RECORDS}?limit=1"), JSON).await.status, 200, "a token that was answered is lost");
    }
    for token in &answered.revoked {
        assert_eq!(house.pull(token, &format!("{RECORDS}?limit=1"), JSON).await.status, 401, "a revocation that was answered is lost");
    }
    println!("{} tokens, {} revocations, {refused_again} assertions outlived the crashes", answered.tokens.len(), answered.revoked.len());
    assert!(answered.tokens.len() > BEFORE && !answered.revoked.is_empty() && refused_again > 0);
}
