//! Plain tokens for vendors without OAuth: the permits that were ticked, until the day that was chosen, by the same gates.

use serde_json::{Value, json};
use tidegate::domain::person::Role;
use tidegate::store::Clock;

use super::{JSON, RECORDS, because, form};
use crate::database::Database;
use crate::harness::{Answer, House, Vendor, usual};
use crate::on_both;

on_both!(a_plain_token_opens_what_was_ticked, a_plain_token_is_collected_once, a_link_shows_no_token_that_its_client_does_not_take);

async fn begun(database: Database) -> (House, Vendor) {
    let start = tidegate::domain::Instant::from_seconds(1_800_000_000);
    let house = House::start_with(database, Clock::manual(start), &[]).await;
    house.catalogue_people(5).await;
    let vendor = house.vendor("Acme", &[("acme-people", usual("people")), ("acme-two", usual("people-sql"))]).await;
    (house, vendor)
}

async fn issue(house: &House, vendor: &Vendor, body: Value) -> Answer {
    house.post(Role::VendorManager, &format!("/api/v1/clients/{}/tokens", vendor.client_id), body).await
}

async fn a_plain_token_opens_what_was_ticked(database: Database) {
    let (house, vendor) = begun(database).await;
    let ends = house.clock.now().plus_days(30);
    let issued = issue(&house, &vendor, json!({"permits": ["acme-people"], "expires_at": ends, "hand_over": "answer"})).await.good();
    let (token, id) = (issued["access_token"].as_str().unwrap().to_owned(), issued["id"].as_str().unwrap().to_owned());
    assert!(token.starts_with("tg_at_") && token.len() == 42 && issued["kind"] == "plain", "{issued}");
    let pull = async |token: &str| house.pull(token, &format!("{RECORDS}?limit=1"), JSON).await;
    pull(&token).await.good();
    let streamed = house.pull(&token, RECORDS, "application/x-ndjson").await;
    assert_eq!((streamed.status, streamed.text.lines().count()), (200, 5));
    let other = house.pull(&token, "/data/v1/datasets/people-sql/records", JSON).await;
    assert_eq!((other.status, other.gate().as_str()), (403, "permit"), "a permit that was not ticked");
    let listed = house.pull(&token, "/data/v1/datasets", JSON).await.good();
    assert_eq!(listed["datasets"].as_array().unwrap().len(), 1);

    // The token itself is nowhere but with the vendor.
    let listed = house.get(Role::VendorManager, &format!("/api/v1/clients/{}/tokens", vendor.client_id)).await;
    assert!(listed.text.contains(&id) && !listed.text.contains(&token));
    // Its client can ask what it opens, and take it back; others can't.
    let basic = Some((vendor.client_id.as_str(), vendor.client_secret.as_str()));
    let told = form(&house, "/oauth/introspect", basic, &format!("token={token}")).await.good();
    assert_eq!((&told["active"], &told["scope"], &told["exp"]), (&json!(true), &json!("acme-people"), &json!(ends.seconds())));

    for bad in [
        super::mistyped(&token),
        token.to_lowercase(),
        format!("tg_at_{}", "0".repeat(36)),
        "tg_at_".to_owned(),
        tidegate::keys::secret::generate(tidegate::keys::secret::Prefix::AccessToken).reveal().to_owned(),
        vendor.client_secret.clone(),
    ] {
        let answer = pull(&bad).await;
        assert_eq!((answer.status, answer.gate().as_str()), (401, "token"), "{bad}");
        assert!(answer.header("www-authenticate").contains("invalid_token"));
    }

    // The same gates: what its permit rests on is asked each time.
    house.post(Role::VendorManager, "/api/v1/permits/acme-people/pause", because()).await.good();
    let answer = pull(&token).await;
    assert_eq!((answer.status, answer.gate().as_str()), (403, "permit"));
    house.post(Role::PrivacyOfficer, "/api/v1/permits/acme-people/resume", because()).await.good();
    pull(&token).await.good();
    let second =
        issue(&house, &vendor, json!({"permits": ["acme-people", "acme-two"], "expires_at": ends, "hand_over": "answer"})).await.good();
    let second = second["access_token"].as_str().unwrap().to_owned();
    pull(&second).await.good();
    house.post(Role::PrivacyOfficer, &format!("/api/v1/tokens/{id}/revoke"), because()).await.good();
    let answer = pull(&token).await;
    assert_eq!((answer.status, answer.gate().as_str()), (401, "token"));
    pull(&second).await.good();
    assert_eq!(form(&house, "/oauth/revoke", basic, &format!("token={second}")).await.status, 200);
    assert_eq!(pull(&second).await.status, 401, "the vendor took it back by itself");

    let third = issue(&house, &vendor, json!({"permits": ["acme-people"], "expires_at": ends, "hand_over": "answer"})).await.good();
    let third = third["access_token"].as_str().unwrap().to_owned();
    pull(&third).await.good();
    house.at(ends).await;
    let answer = pull(&third).await;
    assert_eq!((answer.status, answer.gate().as_str()), (401, "token"), "its time is over");
    tidegate::app::access::forget_expired(&house.app).await.unwrap();
    assert_eq!(pull(&third).await.status, 401);

    let now = house.clock.now();
    for (what, body, status) in [
        ("no permits", json!({"permits": [], "expires_at": now.plus_days(1)}), 422),
        ("another's permit", json!({"permits": ["others"], "expires_at": now.plus_days(1)}), 422),
        ("over", json!({"permits": ["acme-people"], "expires_at": now}), 422),
        ("too long", json!({"permits": ["acme-people"], "expires_at": now.plus_days(367)}), 422),
        ("no end", json!({"permits": ["acme-people"]}), 422),
        ("no date", json!({"permits": ["acme-people"], "expires_at": "tomorrow"}), 422),
    ] {
        let answer = issue(&house, &vendor, body).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.text);
    }
    house.post(Role::VendorManager, &format!("/api/v1/clients/{}/revoke", vendor.client_id), because()).await.good();
    assert_eq!(issue(&house, &vendor, json!({"permits": ["acme-people"], "expires_at": now.plus_days(1)})).await.status, 409);
}

async fn a_plain_token_is_collected_once(database: Database) {
    let (house, vendor) = begun(database).await;
    let body = json!({"permits": ["acme-people"], "expires_at": house.clock.now().plus_days(30)});
    let path = |answer: &Value| answer["activation_link"].as_str().unwrap().strip_prefix(&house.url).unwrap().to_owned();
    let collect = async |path: &str| Answer::of(house.http.post(format!("{}{path}", house.url)).send().await.unwrap()).await;
    let first = issue(&house, &vendor, body.clone()).await.good();
    assert!(first["access_token"].is_null(), "{first}");
    let link = path(&first);
    let pages = futures::future::join_all((0..6).map(|_| collect(&link))).await;
    let shown: Vec<&Answer> = pages.iter().filter(|page| page.status == 200).collect();
    assert_eq!(shown.len(), 1, "{:?}", pages.iter().map(|page| page.status).collect::<Vec<_>>());
    let token = shown[0].text.split_once("<code id=\"secret\">").unwrap().1.split('<').next().unwrap().to_owned();
    house.pull(&token, &format!("{RECORDS}?limit=1"), JSON).await.good();
    assert!(pages.iter().filter(|page| page.status != 200).all(|page| page.status == 404 && !page.text.contains("tg_at_")));

    // A link to a token that was revoked, or of a client that was, shows nothing; nor does one after a week.
    let second = issue(&house, &vendor, body.clone()).await.good();
    let revoke = format!("/api/v1/tokens/{}/revoke", second["id"].as_str().unwrap());
    house.post(Role::PrivacyOfficer, &revoke, because()).await.good();
    assert_eq!(collect(&path(&second)).await.status, 404);
    let (third, fourth) = (issue(&house, &vendor, body.clone()).await.good(), issue(&house, &vendor, body).await.good());
    house.settle().await;
    house.at(house.clock.now().plus_days(7).plus_seconds(-1)).await;
    assert_eq!(collect(&path(&third)).await.status, 200);
    house.clock.advance_seconds(1);
    assert_eq!(collect(&path(&fourth)).await.status, 404);
    let rotated = house.post(Role::VendorManager, &format!("/api/v1/clients/{}/rotate", vendor.client_id), json!({})).await.good();
    house.post(Role::VendorManager, &format!("/api/v1/clients/{}/revoke", vendor.client_id), because()).await.good();
    assert_eq!(collect(&path(&rotated)).await.status, 404);
    for nonsense in ["/activate/x", "/activate/tg_al_", &link.replace("tg_al_", "tg_pl_"), "/activate/%00"] {
        assert_eq!(collect(nonsense).await.status, 404, "{nonsense}");
    }
    assert_eq!(house.history("outcome=collect").await.len(), 2, "who collected is on record");
}

async fn a_link_shows_no_token_that_its_client_does_not_take(database: Database) {
    let (house, vendor) = begun(database).await;
    let body = json!({"permits": ["acme-people"], "expires_at": house.clock.now().plus_days(30)});
    let link = issue(&house, &vendor, body).await.good()["activation_link"].as_str().unwrap().to_owned();
    let looked = async || Answer::of(house.http.get(&link).send().await.unwrap()).await.status;
    let collected = async || Answer::of(house.http.post(&link).send().await.unwrap()).await.status;
    let bind = async |dpop: &str| {
        let path = format!("/api/v1/clients/{}", vendor.client_id);
        let version = house.get(Role::VendorManager, &path).await.good()["version"].clone();
        let body = json!({"version": version, "authentication": {"kind": "secret"}, "dpop": dpop});
        house.put(Role::VendorManager, &format!("{path}/authentication"), body).await.good();
    };
    assert_eq!(looked().await, 200);
    bind("required").await;
    assert_eq!((looked().await, collected().await), (404, 404), "a plain token is not bound to a key");
    // Nothing was used up by that.
    bind("optional").await;
    assert_eq!((looked().await, collected().await, collected().await), (200, 200, 404));
}
