//! What a stop takes with it stands on its page, at every level, before it is done.

use serde_json::json;
use tidegate::domain::person::Role;

use super::datasets::signed_in;
use crate::browse::Browser;
use crate::database::Database;
use crate::harness::{House, Vendor, usual};
use crate::keys::id_of;
use crate::on_both;
use crate::slow::{Pull, catalogue_wide, wide};

on_both!(every_stop_says_first_what_stops);

const WIDE: &str = "/data/v1/datasets/wide/records";
const PEOPLE: &str = "/data/v1/datasets/people/records?limit=1";

/// What a page says that it stops, a line each.
async fn stops(browser: &Browser<'_>, path: &str) -> Vec<String> {
    let page = browser.get(path).await;
    assert_eq!(page.status, 200, "{path}: {}", page.text);
    let (_, form) = page.text.split_once("<form class=\"tg-stop\"").unwrap_or_else(|| panic!("{path} stops nothing: {}", page.text));
    let list = form.split_once("<ul>").unwrap().1.split_once("</ul>").unwrap().0;
    list.split("<li>").skip(1).map(|line| line.split("</li>").next().unwrap().to_owned()).collect()
}

async fn every_stop_says_first_what_stops(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(3).await;
    catalogue_wide(&house).await;
    let vendor = house.vendor("Acme", &[("acme-people", usual("people")), ("acme-wide", wide())]).await;
    let path = format!("/api/v1/vendors/{}/clients", vendor.id);
    let body = json!({"name": "narrow", "permits": ["acme-people"], "hand_over": "answer"});
    let issued = house.post(Role::VendorManager, &path, body).await.good();
    let text = |name: &str| issued[name].as_str().unwrap().to_owned();
    let narrow = Vendor { client_id: text("client_id"), client_secret: text("client_secret"), ..vendor.clone() };
    let (resting, running, other) = (house.token(&vendor).await, house.token(&vendor).await, house.token(&narrow).await);

    // A page two minutes ago by one client, and since a minute ago a stream by the other.
    house.pull(&other, PEOPLE, "application/json").await.good();
    let later = async || house.at(house.clock.now().plus_seconds(60)).await;
    later().await;
    let mut stream = Pull::open(&house.url, &running, WIDE).await;
    stream.until(100).await;
    later().await;
    house.settle().await;

    let officer = signed_in(&house, Role::PrivacyOfficer).await;
    let keys = house.get(Role::PrivacyOfficer, "/api/v1/signing-keys").await.good();
    let key = format!("/settings/signing-keys/{}/revoke", keys["items"][0]["kid"].as_str().unwrap());
    let all: &[&str] = &["2 clients", "3 tokens", "2 permits", "1 running stream", "Last pull 1 minute ago"];
    let streaming: &[&str] = &["1 client", "2 tokens", "1 permit", "1 running stream", "Last pull 1 minute ago"];
    let paging: &[&str] = &["2 clients", "3 tokens", "1 permit", "Last pull 2 minutes ago"];
    for (path, first, expected) in [
        (format!("/vendors/{}/acts/suspend", vendor.id), 0, all),
        (format!("/vendors/{}/acts/offboard", vendor.id), 0, all),
        (format!("/agreements/{}/end", vendor.agreement), 0, all),
        ("/permits/acme-wide/pause".to_owned(), 0, streaming),
        ("/permits/acme-wide/end".to_owned(), 0, streaming),
        ("/permits/acme-people/pause".to_owned(), 0, paging),
        ("/permits/acme-people/end".to_owned(), 0, paging),
        // What stops besides stands before the counts.
        (key, 1, all),
        ("/stop-everything".to_owned(), 2, all),
    ] {
        assert_eq!(stops(&officer, &path).await[first..], *expected, "{path}");
    }

    let of_client = async |id: &str| stops(&officer, &format!("/clients/{id}/revoke")).await;
    let expected = [
        "This client can&#39;t sign in any more; last pull 1 minute ago.",
        "2 tokens are refused from the next request on.",
        "1 running stream is cut at the next piece.",
        "2 permits are no longer reached by it; other clients of the vendor still may.",
    ];
    assert_eq!(of_client(&vendor.client_id).await, expected);
    let expected = [
        "This client can&#39;t sign in any more; last pull 2 minutes ago.",
        "1 token is refused from the next request on.",
        "1 permit is no longer reached by it; other clients of the vendor still may.",
    ];
    assert_eq!(of_client(&narrow.client_id).await, expected);
    for (token, streams, last) in [
        (running, "1 stream", "last pull 1 minute ago"),
        (resting, "No stream", "last pull 1 minute ago"),
        (other, "No stream", "last pull 2 minutes ago"),
    ] {
        let said = stops(&officer, &format!("/tokens/{}/revoke", id_of(&token))).await.join(" ");
        for part in ["is refused from the next request on", "acme-people", "1\u{a0}July\u{a0}2026, 09:05", streams, last] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
}
