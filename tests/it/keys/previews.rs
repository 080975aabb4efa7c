//! What a stop would stop is told before, at every level in the same shape, and counts what it then stops.

use serde_json::{Value, json};
use tidegate::domain::person::Role;

use super::{id_of, kid_of, published, pulling};
use crate::database::Database;
use crate::harness::usual;
use crate::on_both;
use crate::slow::{Pull, catalogue_wide, wide};

on_both!(every_level_tells_what_it_stops);

async fn every_level_tells_what_it_stops(database: Database) {
    let (house, vendor) = pulling(database).await;
    let other = house.vendor("Beta", &[("beta-one", usual("people")), ("beta-two", usual("people"))]).await;
    let tokens = [house.token(&vendor).await, house.token(&other).await, house.token(&other).await];
    house.pull(&tokens[0], super::RECORDS, super::JSON).await.good();
    // A stream runs all the while, as its receiver does not read.
    catalogue_wide(&house).await;
    let streaming = house.vendor("Gamma", &[("gamma-wide", wide())]).await;
    let running = house.token(&streaming).await;
    let mut stream = Pull::open(&house.url, &running, "/data/v1/datasets/wide/records").await;
    stream.until(100).await;
    house.settle().await;
    let listed = house.get(Role::VendorManager, &format!("/api/v1/clients/{}/tokens", other.client_id)).await.good();
    let one = listed["items"][0]["id"].as_str().unwrap();
    let told = async |of: &str| house.get(Role::DataSteward, &format!("/api/v1/stop-preview?of={of}")).await;
    let kid = kid_of(&tokens[0]);
    let pulled = json!(house.clock.now());
    for (of, clients, outstanding, permits, streams, last) in [
        (format!("vendor:{}", vendor.id), 1, 1, 1, 0, &pulled),
        (format!("vendor:{}", other.id), 1, 2, 2, 0, &Value::Null),
        (format!("agreement:{}", other.agreement), 1, 2, 2, 0, &Value::Null),
        ("permit:beta-one".to_owned(), 1, 2, 1, 0, &Value::Null),
        (format!("client:{}", other.client_id), 1, 2, 2, 0, &Value::Null),
        (format!("token:{one}"), 1, 1, 2, 0, &Value::Null),
        (format!("vendor:{}", streaming.id), 1, 1, 1, 1, &pulled),
        (format!("agreement:{}", streaming.agreement), 1, 1, 1, 1, &pulled),
        ("permit:gamma-wide".to_owned(), 1, 1, 1, 1, &pulled),
        (format!("client:{}", streaming.client_id), 1, 1, 1, 1, &pulled),
        (format!("token:{}", id_of(&running)), 1, 1, 1, 1, &pulled),
        (format!("signing-key:{kid}"), 3, 4, 4, 1, &pulled),
        ("everything".to_owned(), 3, 4, 4, 1, &pulled),
    ] {
        let expected =
            json!({"clients": clients, "tokens": outstanding, "permits": permits, "running_streams": streams, "last_pull": last});
        assert_eq!(told(&of).await.good(), expected, "{of}");
    }
    // Once it is stopped there is nothing more to stop.
    house.post(Role::PrivacyOfficer, &format!("/api/v1/signing-keys/{kid}/revoke"), json!({"reason": "it leaked"})).await.good();
    assert_eq!(told(&format!("signing-key:{kid}")).await.good()["tokens"], 0);
    assert_eq!(told("everything").await.good()["tokens"], 0);
    let fresh = house.token(&vendor).await;
    assert_eq!(published(&house).await.0, [kid_of(&fresh)]);
    assert_eq!(told("everything").await.good()["tokens"], 1);

    for bad in ["", "vendor", "vendor:", "vendor:x", "everything:", "everything:x", "house:1", "permit:A", "signing-key:x"] {
        assert_eq!(told(bad).await.status, 400, "{bad}");
    }
    let nobody = "0190a0b0-0000-7000-8000-000000000000";
    for gone in
        [format!("vendor:{nobody}"), format!("token:{nobody}"), format!("signing-key:{}", "A".repeat(43)), "permit:no-such".to_owned()]
    {
        assert_eq!(told(&gone).await.status, 404, "{gone}");
    }
    assert_eq!(house.get(Role::DataSteward, "/api/v1/stop-preview").await.status, 400);
}
