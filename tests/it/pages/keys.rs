//! Keys and the kill switch through a browser: what happens is told before, and every page says that all is stopped.

use tidegate::domain::person::Role;

use super::datasets::signed_in;
use crate::browse::token;
use crate::database::Database;
use crate::harness::{House, usual};
use crate::on_both;

on_both!(keys_are_rotated_and_revoked_in_a_browser, everything_is_stopped_and_let_go_on_in_a_browser);

const KEYS: &str = "/settings/signing-keys";
const RECORDS: &str = "/data/v1/datasets/people/records?limit=1";

async fn pulling(database: Database) -> (House, String) {
    let house = House::start(database).await;
    house.catalogue_people(10).await;
    let vendor = house.vendor("Acme Metrics", &[("acme-people", usual("people"))]).await;
    let token = house.token(&vendor).await;
    assert_eq!(house.pull(&token, RECORDS, "application/json").await.status, 200);
    (house, token)
}

async fn keys_are_rotated_and_revoked_in_a_browser(database: Database) {
    let (house, pulled) = pulling(database).await;
    let admin = signed_in(&house, Role::Administrator).await;
    let manager = signed_in(&house, Role::VendorManager).await;
    let list = admin.get(KEYS).await;
    assert!(list.text.contains("Signing") && list.text.contains("/settings/signing-keys/rotate"), "{}", list.text);
    let seen = manager.get(KEYS).await;
    assert_eq!(seen.status, 200);
    assert!(!seen.text.contains("/rotate\"") && seen.text.contains("Administrators and privacy officers rotate"), "{}", seen.text);
    assert_eq!(manager.get(&format!("{KEYS}/rotate")).await.status, 403);

    let asked = admin.get(&format!("{KEYS}/rotate")).await;
    assert!(asked.text.contains("In 10 minutes: the new key signs."), "{}", asked.text);
    assert_eq!(admin.fill(&format!("{KEYS}/rotate"), &format!("{KEYS}/rotate"), &[]).await.status, 303);
    let list = admin.get(KEYS).await;
    assert!(list.text.contains("Waiting") && list.text.contains("Signs from ") && list.text.contains("09:10."), "{}", list.text);
    assert!(!list.text.contains("/rotate\""), "while one waits there is no other");
    let second = admin.get(&format!("{KEYS}/rotate")).await;
    assert_eq!(second.status, 409);
    assert!(second.text.contains("waits already"), "{}", second.text);
    // A form that was open since before is refused as well.
    let late = admin.submit(&format!("{KEYS}/rotate"), &[("csrf", token(&list.text).as_str())]).await;
    assert_eq!(late.status, 409, "{}", late.text);

    let keys = house.get(Role::Administrator, "/api/v1/signing-keys").await.good();
    let signing = keys["items"].as_array().unwrap().iter().find(|key| key["state"] == "signing").unwrap();
    let revoke = format!("{KEYS}/{}/revoke", signing["kid"].as_str().unwrap());
    let asked = admin.get(&revoke).await;
    for said in ["1 client", "1 token", "1 permit", "up to 5 minutes", "Another key signs at once"] {
        assert!(asked.text.contains(said), "{said}: {}", asked.text);
    }
    let refused = admin.fill(&revoke, &revoke, &[("reason", "")]).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("#f-reason"), "{}", refused.text);
    assert_eq!(house.pull(&pulled, RECORDS, "application/json").await.status, 200);
    assert_eq!(admin.fill(&revoke, &revoke, &[("reason", "A backup was <lost>.")]).await.status, 303);
    assert_eq!(house.pull(&pulled, RECORDS, "application/json").await.status, 401);
    let list = admin.get(KEYS).await;
    assert!(list.text.contains("Revoked") && list.text.contains("A backup was &#60;lost&#62;."), "{}", list.text);
    assert_eq!(admin.get(&revoke).await.status, 409);
    for unknown in ["x".to_owned(), "A".repeat(43)] {
        assert_eq!(admin.get(&format!("{KEYS}/{unknown}/revoke")).await.status, 404, "{unknown}");
    }
    house.settle().await;
    let history = signed_in(&house, Role::ComplianceReviewer).await.get("/history").await;
    assert!(history.text.contains("revoked a key for signing tokens"), "{}", history.text);
}

async fn everything_is_stopped_and_let_go_on_in_a_browser(database: Database) {
    let (house, pulled) = pulling(database).await;
    let page = "/stop-everything";
    let manager = signed_in(&house, Role::VendorManager).await;
    let steward = signed_in(&house, Role::DataSteward).await;
    let seen = steward.get(page).await;
    assert!(seen.text.contains("1 client") && !seen.text.contains("name=\"confirm\""), "{}", seen.text);
    let asked = manager.get(page).await;
    for said in ["1 client", "1 token", "1 permit", "stop everything", "long-lived"] {
        assert!(asked.text.contains(said), "{said}: {}", asked.text);
    }
    assert!(!asked.text.contains("Everything is stopped"));
    for (reason, confirm, field) in [("", "stop everything", "reason"), ("Something is odd.", "stop", "confirm")] {
        let refused = manager.fill(page, page, &[("reason", reason), ("confirm", confirm)]).await;
        assert_eq!(refused.status, 422);
        assert!(refused.text.contains(&format!("#f-{field}")) && refused.text.contains(reason), "{}", refused.text);
    }
    assert_eq!(house.pull(&pulled, RECORDS, "application/json").await.status, 200);
    let fields = [("reason", "Something is <odd>."), ("confirm", "stop everything")];
    assert_eq!(manager.fill(page, page, &fields).await.status, 303);
    assert_eq!(house.pull(&pulled, RECORDS, "application/json").await.status, 401);

    // Everybody is told, on every page, by whom and why.
    for browser in [&manager, &steward] {
        for path in ["/vendors", "/datasets", page] {
            let text = browser.get(path).await.text;
            assert!(text.contains("Everything is stopped:") && text.contains("VendorManager stopped it"), "{path}: {text}");
            assert!(text.contains("Something is &#60;odd&#62;.") && text.contains("href=\"/stop-everything\""), "{path}: {text}");
        }
    }
    let lift = "/stop-everything/lift";
    assert!(!manager.get(page).await.text.contains(lift), "who stops does not lift");
    let officer = signed_in(&house, Role::PrivacyOfficer).await;
    let refused = officer.fill(page, lift, &[("reason", "It was nothing."), ("confirm", "stop everything")]).await;
    assert_eq!(refused.status, 422);
    assert_eq!(officer.fill(page, lift, &[("reason", "It was nothing."), ("confirm", "let releases go on")]).await.status, 303);
    let after = steward.get("/vendors").await.text;
    assert!(!after.contains("Everything is stopped"), "{after}");
    assert_eq!(house.pull(&pulled, RECORDS, "application/json").await.status, 401, "a token from before");
}
