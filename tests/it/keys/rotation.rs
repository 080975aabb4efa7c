//! A rotation, hour by hour: published first, then signing; the old key verifies until its last token is over.

use serde_json::json;
use tidegate::app::signing_keys;
use tidegate::domain::person::Role;
use tidegate::store::Clock;
use tidegate::store::sealed_keys;

use super::{RECORDS, good, kid_of, later, listed, published, pull, pulling, refused, rotate};
use crate::database::Database;
use crate::harness::{House, beginning, usual};
use crate::on_both;

on_both!(
    a_key_is_published_before_it_signs_and_stays_until_its_last_token_is_over,
    a_rotation_waits_for_the_one_before,
    who_may_not_changes_no_key,
);

/// How many private halves are kept.
async fn private_halves(house: &House) -> usize {
    house.app.store.read(|tx| sealed_keys::list(tx, "signing/")).await.unwrap().len()
}

async fn a_key_is_published_before_it_signs_and_stays_until_its_last_token_is_over(database: Database) {
    let settings = [("TIDEGATE_TOKEN_LIFETIME_SECONDS", "900")];
    let house = House::start_with(database, Clock::manual(beginning()), &settings).await;
    house.catalogue_people(20).await;
    let vendor = house.vendor("Acme", &[("acme-people", usual("people"))]).await;
    let (before, age) = published(&house).await;
    let [old] = before.as_slice() else { panic!("{before:?}") };
    assert_eq!(kid_of(&house.token(&vendor).await), *old);

    let made = rotate(&house).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let made = made.good();
    let new = made["kid"].as_str().unwrap().to_owned();
    let mut both = vec![old.clone(), new.clone()];
    both.sort();
    assert_eq!(made["state"], "waiting");
    let begins = beginning().plus_seconds(2 * age);
    assert_eq!(made["signs_from"], json!(begins), "twice as long as the set may be kept");
    assert_eq!(published(&house).await.0, both, "it is published at once");
    assert_eq!(kid_of(&house.token(&vendor).await), *old);
    assert_eq!(private_halves(&house).await, 2);

    later(&house, 2 * age - 1).await;
    let last = house.token(&vendor).await;
    assert_eq!(kid_of(&last), *old, "a second before its time the new key does not sign");
    later(&house, 1).await;
    let first = house.token(&vendor).await;
    assert_eq!(kid_of(&first), new);
    assert_eq!((pull(&house, &first).await, pull(&house, &last).await), (good(), good()));
    assert_eq!(listed(&house).await, [(new.clone(), "signing".to_owned()), (old.clone(), "verifying".to_owned())]);

    // The timer destroys what signs no more; what was signed with it is good on.
    signing_keys::tend(&house.app).await.unwrap();
    assert_eq!(private_halves(&house).await, 1, "the private half is destroyed");
    assert_eq!(pull(&house, &last).await, good());
    later(&house, 898).await;
    assert_eq!(pull(&house, &last).await, good(), "a second before its end");
    later(&house, 1).await;
    assert_eq!(pull(&house, &last).await, refused(), "at its end");
    assert_eq!(published(&house).await.0, both, "clocks may differ by ten seconds");
    later(&house, 10).await;
    assert_eq!(published(&house).await.0, both);
    later(&house, 1).await;
    assert_eq!(published(&house).await.0, [new.as_str()], "its last token is over");
    signing_keys::tend(&house.app).await.unwrap();
    assert_eq!(listed(&house).await, [(new.clone(), "signing".to_owned())], "it is forgotten");
    assert_eq!(pull(&house, &last).await, refused());
    assert_eq!(pull(&house, &house.token(&vendor).await).await, good());

    let acts = house.history("outcome=rotate").await;
    assert_eq!(acts.len(), 1);
    assert_eq!((&acts[0]["leaf"]["noun"], &acts[0]["leaf"]["id"]), (&json!("signing_key"), &json!(new)));
    // Keys outlive the program.
    let house = house.restart().await;
    assert_eq!(published(&house).await.0, [new.as_str()]);
    assert_eq!(kid_of(&house.token(&vendor).await), new);
}

async fn a_rotation_waits_for_the_one_before(database: Database) {
    let (house, vendor) = pulling(database).await;
    let first = rotate(&house).await.good()["kid"].as_str().unwrap().to_owned();
    let second = rotate(&house).await;
    assert_eq!((second.status, &second.json()["type"]), (409, &json!("urn:tidegate:problem:wrong-state")), "{}", second.text);
    assert!(second.json()["detail"].as_str().unwrap().contains("waits already"), "{}", second.text);
    assert_eq!(published(&house).await.0.len(), 2, "what was refused published nothing");
    later(&house, 600).await;
    assert_eq!(kid_of(&house.token(&vendor).await), first);
    rotate(&house).await.good();
    assert_eq!(published(&house).await.0.len(), 3);
    // Two at once: one of them is refused, whoever it is.
    later(&house, 600).await;
    let (one, other) = tokio::join!(rotate(&house), rotate(&house));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
}

async fn who_may_not_changes_no_key(database: Database) {
    let (house, vendor) = pulling(database).await;
    let token = house.token(&vendor).await;
    let kid = kid_of(&token);
    let because = json!({"reason": "for the test"});
    for role in [Role::VendorManager, Role::DataSteward, Role::ComplianceReviewer] {
        assert_eq!(house.post(role, "/api/v1/signing-keys/rotate", json!({})).await.status, 403, "{role:?}");
        assert_eq!(house.post(role, &format!("/api/v1/signing-keys/{kid}/revoke"), because.clone()).await.status, 403, "{role:?}");
    }
    assert_eq!(listed(&house).await, [(kid.clone(), "signing".to_owned())]);
    let revoke = async |kid: &str, body| house.post(Role::Administrator, &format!("/api/v1/signing-keys/{kid}/revoke"), body).await.status;
    for bad in [json!({}), json!({"reason": ""}), json!({"reason": "x"}), json!({"reason": 7}), json!({"reason": "good", "kid": "x"})] {
        assert_eq!(revoke(&kid, bad.clone()).await, 422, "{bad}");
    }
    for unknown in ["x", "..", "%00", &"A".repeat(43), &format!("{kid}A"), &kid.to_lowercase()] {
        assert_eq!(revoke(unknown, because.clone()).await, 404, "{unknown}");
    }
    assert_eq!(house.pull(&token, RECORDS, super::JSON).await.status, 200);
    assert_eq!(house.history("outcome=revoke").await.len(), 0);
}
