//! A key that others have: no token of it is good from the answer on, whatever a broker still remembers.

use serde_json::json;
use tidegate::domain::person::Role;
use tidegate::domain::signing_key::{RevokedKey, SigningKey};
use tidegate::store::{Scope, StoreError, sealed_keys, signing_keys};

use super::{good, kid_of, later, listed, published, pull, pulling, refused, revoke, rotate};
use crate::database::Database;
use crate::harness::House;
use crate::on_both;

on_both!(
    no_token_of_a_revoked_key_is_good_and_another_key_signs_at_once,
    a_broker_that_knows_no_better_refuses_all_the_same,
    the_waiting_key_takes_its_place_and_may_be_revoked_itself,
);

async fn introspected(house: &House, vendor: &crate::harness::Vendor, token: &str) -> serde_json::Value {
    let request = house
        .http
        .post(format!("{}/oauth/introspect", house.url))
        .basic_auth(&vendor.client_id, Some(&vendor.client_secret))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("token={token}"));
    crate::harness::Answer::of(request.send().await.unwrap()).await.good()
}

async fn no_token_of_a_revoked_key_is_good_and_another_key_signs_at_once(database: Database) {
    let (house, vendor) = pulling(database).await;
    let token = house.token(&vendor).await;
    let body = json!({"permits": ["acme-people"], "expires_at": house.clock.now().plus_days(30), "hand_over": "answer"});
    let plain = house.post(Role::VendorManager, &format!("/api/v1/clients/{}/tokens", vendor.client_id), body).await.good();
    let plain = plain["access_token"].as_str().unwrap().to_owned();
    assert_eq!((pull(&house, &token).await, pull(&house, &plain).await), (good(), good()));
    let old = kid_of(&token);
    let told = revoke(&house, &old).await.good();
    assert_eq!((&told["state"], &told["reason"], &told["tokens"]), (&json!("revoked"), &json!("it was in a log"), &json!(0)));
    assert_eq!((pull(&house, &token).await, pull(&house, &plain).await), (refused(), good()), "no key signed the plain one");
    assert_eq!(house.pull(&token, "/data/v1/datasets", super::JSON).await.status, 401);
    assert_eq!(introspected(&house, &vendor, &token).await, json!({"active": false}));

    let next = house.token(&vendor).await;
    let new = kid_of(&next);
    assert_ne!(new, old);
    assert_eq!(pull(&house, &next).await, good());
    assert_eq!(published(&house).await.0, [new.as_str()], "the revoked key is not published any more");
    let keys = house.app.store.read(|tx| sealed_keys::list(tx, "signing/")).await.unwrap();
    assert_eq!(keys.iter().map(|key| key.name.clone()).collect::<Vec<_>>(), [format!("signing/{new}")], "its private half is destroyed");

    // Again: it is revoked already, and the one that signs now is not touched.
    assert_eq!(revoke(&house, &old).await.good()["revoked_at"], told["revoked_at"]);
    assert_eq!(pull(&house, &next).await, good());
    later(&house, 100_000).await;
    let mut states = listed(&house).await;
    states.sort();
    let mut expected = [(new, "signing".to_owned()), (old, "revoked".to_owned())];
    expected.sort();
    assert_eq!(states, expected, "what was revoked is asked for later");
    let acts = house.history("kind=act").await;
    let of_keys: Vec<&str> =
        acts.iter().filter(|act| act["leaf"]["noun"] == "signing_key").map(|act| act["leaf"]["act"].as_str().unwrap()).collect();
    assert_eq!(of_keys, ["make", "revoke", "make"]);
}

/// What another broker does: it changes the database, and this one's memory stays as it was.
async fn revoke_elsewhere(house: &House, kid: &str) {
    let kid = kid.to_owned();
    let change = move |tx: &mut tidegate::store::Tx| {
        let now = tx.now();
        let keys = signing_keys::list(tx)?;
        let revoked = RevokedKey { at: now, reason: "it leaked".parse().unwrap() };
        for key in keys {
            let key = if key.kid.as_str() == kid {
                SigningKey { retired_at: Some(now), leaves_at: Some(now), revoked: Some(revoked.clone()), ..key }
            } else {
                SigningKey { signs_from: now, ..key }
            };
            signing_keys::keep(tx, &key)?;
        }
        Ok::<_, StoreError>(())
    };
    house.app.store.govern(Scope::All, change).await.unwrap();
}

async fn a_broker_that_knows_no_better_refuses_all_the_same(database: Database) {
    let (house, vendor) = pulling(database).await;
    let (one, other) = (house.token(&vendor).await, house.token(&vendor).await);
    assert_eq!((pull(&house, &one).await, pull(&house, &other).await), (good(), good()));
    let old = kid_of(&one);
    let next = rotate(&house).await.good()["kid"].as_str().unwrap().to_owned();
    revoke_elsewhere(&house, &old).await;
    // Both were released for a moment ago, and the signatures are remembered as good.
    assert_eq!((pull(&house, &one).await, pull(&house, &other).await), (refused(), refused()));
    assert_eq!(introspected(&house, &vendor, &one).await, json!({"active": false}));
    // Who issues asks the database, so no token of the revoked key is made.
    let fresh = house.token(&vendor).await;
    assert_eq!(kid_of(&fresh), next);
    assert_eq!(pull(&house, &fresh).await, good());
}

async fn the_waiting_key_takes_its_place_and_may_be_revoked_itself(database: Database) {
    let (house, vendor) = pulling(database).await;
    let token = house.token(&vendor).await;
    let first = kid_of(&token);
    let waiting = rotate(&house).await.good()["kid"].as_str().unwrap().to_owned();
    // The one that waits is revoked: the present one signs on, and a rotation begins anew.
    revoke(&house, &waiting).await.good();
    later(&house, 700).await;
    assert_eq!(kid_of(&house.token(&vendor).await), first);
    let waiting = rotate(&house).await.good()["kid"].as_str().unwrap().to_owned();
    let token = house.token(&vendor).await;
    revoke(&house, &first).await.good();
    assert_eq!(pull(&house, &token).await, refused());
    assert_eq!(kid_of(&house.token(&vendor).await), waiting, "it signs at once");
    assert_eq!(published(&house).await.0, [waiting.as_str()]);
}
