//! The OAuth endpoints tell who asks too often to wait; a vendor never waits for what others do.

use tidegate::store::Clock;

use super::FORM;
use crate::database::{Database, run};
use crate::harness::{Answer, House, Vendor, beginning, usual};

const GRANT: &str = "grant_type=client_credentials";
const GUESSER: &str = "198.51.100.1";

async fn begun(settings: &[(&str, &str)]) -> (House, Vendor) {
    // The tests' own machine stands for the operator's proxy.
    let all: Vec<(&str, &str)> = settings.iter().copied().chain([("TIDEGATE_TRUSTED_PROXIES", "127.0.0.1")]).collect();
    let house = House::start_with(Database::sqlite(), Clock::manual(beginning()), &all).await;
    house.catalogue_people(5).await;
    let vendor = house.vendor("Acme", &[("acme-people", usual("people"))]).await;
    (house, vendor)
}

/// A request with a secret, as if it came from an address.
async fn ask(house: &House, path: &str, from: &str, id: &str, secret: &str) -> Answer {
    let request = house.http.post(format!("{}{path}", house.url)).basic_auth(id, Some(secret)).header("x-forwarded-for", from);
    let body = if path == "/oauth/token" { GRANT } else { "token=x" };
    Answer::of(request.header("content-type", FORM).body(body).send().await.unwrap()).await
}

#[track_caller]
fn slowed_down(answer: &Answer) {
    assert_eq!((answer.status, answer.json()["error"].as_str().unwrap()), (429, "slow_down"), "{}", answer.text);
    assert!((1..=60).contains(&answer.header("retry-after").parse::<u32>().unwrap()), "{:?}", answer.headers);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(!answer.json()["error_description"].as_str().unwrap().is_empty());
}

#[test]
fn a_guesser_waits_and_the_vendor_does_not() {
    run(async {
        let (house, vendor) = begun(&[]).await;
        let (id, good) = (vendor.client_id.as_str(), vendor.client_secret.as_str());
        let token = async |from: &str, id: &str, secret: &str| ask(&house, "/oauth/token", from, id, secret).await;
        for _ in 0..10 {
            assert_eq!(token(GUESSER, id, "tg_cs_wrong").await.status, 401);
        }
        for _ in 0..5 {
            slowed_down(&token(GUESSER, id, "tg_cs_wrong").await);
        }
        slowed_down(&ask(&house, "/oauth/revoke", GUESSER, id, "tg_cs_wrong").await);
        slowed_down(&ask(&house, "/oauth/introspect", GUESSER, id, "tg_cs_wrong").await);
        // What is guessed now is not looked at, right or wrong.
        slowed_down(&token(GUESSER, id, good).await);
        assert_eq!(token("203.0.113.9", id, good).await.status, 200, "the vendor asks from its own address");
        house.settle().await;
        house.clock.advance_seconds(6);
        assert_eq!(token(GUESSER, id, good).await.status, 200, "who waited is looked at again");

        // A vendor that proved itself is not kept out by somebody behind the same address, who is told to wait.
        let shared = "198.51.100.2";
        assert_eq!(token(shared, id, good).await.status, 200);
        let mut told = 0;
        for at in 0..80 {
            let answer = token(shared, if at % 2 == 0 { id } else { "someone-else" }, "tg_cs_wrong").await;
            told += usize::from(answer.status == 429);
            assert_eq!(token(shared, id, good).await.status, 200, "after {at} guesses");
        }
        assert!(told > 50, "{told} of 80");
        // Many ids are one guesser; whoever comes with a right secret for the first time is looked at all the same.
        for at in 0..100 {
            token("198.51.100.3", &format!("nobody-{at}"), "tg_cs_wrong").await;
        }
        slowed_down(&token("198.51.100.3", "nobody-more", "tg_cs_wrong").await);
        assert_eq!(token("198.51.100.3", id, good).await.status, 200);
    });
}

#[test]
fn a_client_asks_at_its_rate() {
    run(async {
        let (house, vendor) = begun(&[("TIDEGATE_OAUTH_REQUESTS_PER_SECOND", "2")]).await;
        let other = house.vendor("Beta", &[("beta-people", usual("people"))]).await;
        let ask = async |vendor: &Vendor, from: &str| ask(&house, "/oauth/token", from, &vendor.client_id, &vendor.client_secret).await;
        for _ in 0..20 {
            assert_eq!(ask(&vendor, "203.0.113.9").await.status, 200);
        }
        slowed_down(&ask(&vendor, "203.0.113.9").await);
        slowed_down(&ask(&vendor, "203.0.113.10").await);
        assert_eq!(ask(&other, "203.0.113.9").await.status, 200, "another client has its own");
        house.settle().await;
        house.clock.advance_seconds(1);
        assert_eq!(ask(&vendor, "203.0.113.9").await.status, 200);

        let settings = [("TIDEGATE_OAUTH_REQUESTS_PER_SECOND", "0"), ("TIDEGATE_OAUTH_FAILURES_PER_MINUTE", "0")];
        let (house, vendor) = begun(&settings).await;
        for _ in 0..60 {
            let wrong = self::ask(&house, "/oauth/token", GUESSER, &vendor.client_id, "tg_cs_wrong").await;
            assert_eq!(wrong.status, 401, "0 is no limit");
        }
    });
}
