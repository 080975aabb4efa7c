//! What its age alone refuses leaves the tables whole, and nothing leaves before; what a stop or a lost key ended is marked whole.

use serde_json::json;
use tidegate::app::oauth::{NoProof, OauthError};
use tidegate::app::{access, kill_switch, signing_keys};
use tidegate::domain::Instant;
use tidegate::domain::person::Role;
use tidegate::store::Clock;

use super::assertions::{client, with};
use super::dpop::get;
use super::signer::Signer;
use super::{FORM, JSON, RECORDS, because, refused};
use crate::database::Database;
use crate::harness::{Answer, House, Vendor, usual};
use crate::on_both;
use crate::store::migrations::{disturb, rows_of};

on_both!(
    what_is_over_leaves_and_what_waits_stays,
    what_was_used_once_is_remembered_while_it_is_in_time,
    what_a_lost_key_and_a_stop_ended_is_marked_whole,
);

/// More than two batches.
const MANY: i64 = 2_500;

async fn begun(database: Database) -> (House, Vendor) {
    let start = Instant::from_seconds(1_800_000_000);
    let house = House::start_with(database, Clock::manual(start), &[]).await;
    house.catalogue_people(3).await;
    let vendor = house.vendor("Acme", &[("acme-people", usual("people"))]).await;
    (house, vendor)
}

/// The numbers from 1 on, so many, in the SQL of both databases.
fn numbers(many: i64) -> String {
    format!("WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < {many})")
}

/// How the ids of tokens begin that no client was ever given.
const MADE_UP: &str = "01900000-0000-7000-8000-1";

/// Puts tokens of a client into the table that a key signed, past the store.
fn add_tokens(house: &House, vendor: &Vendor, kid: &str, many: i64, ends: Instant) {
    let (issued, ends) = (ends.plus_seconds(-300).micros(), ends.micros());
    let Vendor { id, client_id, .. } = vendor;
    let sql = format!(
        "INSERT INTO tokens (id, client, vendor, scope, issued_at, expires_at, kind, kid) {} \
         SELECT '01900000-0000-7000-8000-' || CAST(100000000000 + number AS TEXT), '{client_id}', '{id}', '[\"acme-people\"]', \
         {issued}, {ends}, 'access', '{kid}' FROM numbers",
        numbers(many)
    );
    disturb(&house.database().url, &sql);
}

async fn signing_kid(house: &House) -> String {
    let keys = house.get(Role::PrivacyOfficer, "/api/v1/signing-keys").await.good();
    keys["items"].as_array().unwrap().iter().find(|key| key["state"] == "signing").unwrap()["kid"].as_str().unwrap().to_owned()
}

async fn pull(house: &House, token: &str) -> Answer {
    house.pull(token, &format!("{RECORDS}?limit=1"), JSON).await
}

async fn what_is_over_leaves_and_what_waits_stays(database: Database) {
    let (house, vendor) = begun(database).await;
    let url = &house.database().url;
    let link = async || {
        let body = json!({"permits": ["acme-people"], "expires_at": house.clock.now().plus_days(60)});
        let path = format!("/api/v1/clients/{}/tokens", vendor.client_id);
        let issued = house.post(Role::VendorManager, &path, body).await.good();
        issued["activation_link"].as_str().unwrap().to_owned()
    };
    let collect = async |link: &str| Answer::of(house.http.post(link).send().await.unwrap()).await.status;
    let (used, unused) = (link().await, link().await);
    assert_eq!(collect(&used).await, 200);
    let gone = house.clock.now().plus_days(8);
    house.at(gone).await;
    access::forget_expired(&house.app).await.unwrap();
    assert_eq!(rows_of(url, "activation_links"), 2, "a link stays for a day after its end");
    house.at(gone.plus_seconds(1)).await;
    let waiting = link().await;

    let (live, now) = (house.token(&vendor).await, house.clock.now());
    let long_since = now.plus_seconds(-61);
    let kid = signing_kid(&house).await;
    let over = || {
        let before = now.plus_seconds(-60).micros();
        (rows_of(url, &format!("tokens WHERE expires_at < {before}")), rows_of(url, &format!("used_once WHERE until < {before}")))
    };
    // Whichever there is more of, it leaves to the last.
    for (tokens, proofs) in [(MANY, MANY + 1_000), (MANY + 1_000, MANY)] {
        add_tokens(&house, &vendor, &kid, tokens, long_since);
        let sql = "SELECT 'made up ' || CAST(number AS TEXT)";
        disturb(url, &format!("INSERT INTO used_once (name, until) {} {sql}, {} FROM numbers", numbers(proofs), long_since.micros()));
        assert_eq!(over(), (tokens, proofs));
        access::forget_expired(&house.app).await.unwrap();
        assert_eq!(over(), (0, 0));
    }
    assert_eq!(rows_of(url, "activation_links"), 1, "the used one and the one that nobody used have left");
    assert_eq!((collect(&used).await, collect(&unused).await, collect(&waiting).await), (404, 404, 200));
    pull(&house, &live).await.good();
}

async fn what_was_used_once_is_remembered_while_it_is_in_time(database: Database) {
    let (house, vendor) = begun(database).await;
    let (start, signer) = (house.clock.now(), Signer::new("ES256"));
    let id = client(&house, &vendor, json!({"kind": "keys", "keys": [signer.jwk()]})).await;
    let now = || house.clock.now().seconds();
    let (asking, pulling) = (format!("{}/oauth/token", house.url), format!("{}{RECORDS}", house.url));
    let ask = async |assertion: &str, proof: &str| {
        let request = house.http.post(&asking).header("content-type", FORM).header("dpop", proof);
        Answer::of(request.body(with(assertion, "grant_type=client_credentials")).send().await.unwrap()).await
    };
    let assertion = signer.assertion(&id, &house.url, now());
    let bound = signer.proof("POST", &asking, None, now());
    let token = ask(&assertion, &bound).await.good()["access_token"].as_str().unwrap().to_owned();
    let pulled = signer.proof("GET", &pulling, Some(&token), now());
    let pull = async || get(&house, RECORDS, "DPoP", &token, &[&pulled], JSON).await;
    assert_eq!(pull().await.status, 200);

    let used_assertion = OauthError::AssertionUsed.to_string();
    let used_proof = NoProof::Used.sentence();
    // The last second in which each would still be taken: 60 seconds of life, and 10 by which clocks may differ.
    house.at(start.plus_seconds(69)).await;
    access::forget_expired(&house.app).await.unwrap();
    let again = ask(&assertion, &signer.proof("POST", &asking, None, now())).await;
    refused(&again, 401, "invalid_client", "the assertion once more");
    assert!(again.text.contains(&used_assertion), "{}", again.text);
    house.at(start.plus_seconds(70)).await;
    access::forget_expired(&house.app).await.unwrap();
    let again = ask(&signer.assertion(&id, &house.url, now()), &bound).await;
    refused(&again, 400, "invalid_dpop_proof", "the token's proof once more");
    assert!(again.text.contains(used_proof), "{}", again.text);
    let again = pull().await;
    assert!(again.status == 401 && again.text.contains(used_proof), "{}", again.text);

    // From now on their age refuses them, and in the end nothing is remembered of them.
    house.at(start.plus_seconds(71)).await;
    let old = ask(&assertion, &signer.proof("POST", &asking, None, now())).await;
    assert!(old.status == 401 && !old.text.contains(&used_assertion), "{}", old.text);
    let old = pull().await;
    assert!(old.status == 401 && !old.text.contains(used_proof), "{}", old.text);
    house.at(start.plus_seconds(600)).await;
    access::forget_expired(&house.app).await.unwrap();
    assert_eq!(rows_of(&house.database().url, "used_once"), 0);
}

async fn what_a_lost_key_and_a_stop_ended_is_marked_whole(database: Database) {
    let (house, vendor) = begun(database).await;
    let (url, kid) = (&house.database().url, signing_kid(&house).await);
    let unmarked = || rows_of(url, &format!("tokens WHERE id LIKE '{MADE_UP}%' AND revoked_at IS NULL"));
    let unmark = || disturb(url, &format!("UPDATE tokens SET revoked_at = NULL WHERE id LIKE '{MADE_UP}%'"));
    add_tokens(&house, &vendor, &kid, MANY, house.clock.now().plus_seconds(300));

    house.post(Role::PrivacyOfficer, &format!("/api/v1/signing-keys/{kid}/revoke"), because()).await.good();
    assert!(unmarked() < MANY, "the first of them are marked at once");
    unmark();
    let of_another_key = house.token(&vendor).await;
    signing_keys::tend(&house.app).await.unwrap();
    assert_eq!(unmarked(), 0);
    pull(&house, &of_another_key).await.good();

    unmark();
    let stop = json!({"reason": "for the test", "confirm": "stop everything"});
    house.post(Role::VendorManager, "/api/v1/kill-switch", stop).await.good();
    assert!(unmarked() < MANY, "the first of them are marked at once");
    unmark();
    kill_switch::mark(&house.app).await.unwrap();
    assert_eq!(rows_of(url, "tokens WHERE revoked_at IS NULL"), 0, "nor one that another key signed");
}
