//! From where a client may ask, through a browser: typed one a line, kept where a line is wrong, overwritten by nobody.

use tidegate::domain::person::Role;

use super::access::client_of;
use super::agreements::hidden;
use super::datasets::signed_in;
use crate::database::Database;
use crate::harness::{House, Vendor, usual};
use crate::on_both;

on_both!(addresses_are_typed_one_a_line, a_new_client_has_its_addresses_from_the_start, a_pull_is_seen_on_the_client);

const OFFICE: &str = "203.0.113.0/24";
/// Lines as browsers send them.
const BOTH: &str = "203.0.113.0/24\r\n2001:db8::/32";

async fn begun(database: Database) -> (House, Vendor) {
    let house = House::start(database).await;
    house.catalogue_people(3).await;
    let vendor = house.vendor("Acme Metrics", &[("acme-people", usual("people"))]).await;
    (house, vendor)
}

/// A fact that a page states.
fn fact(page: &str, label: &str) -> String {
    let (_, rest) = page.split_once(&format!("<dt>{label}</dt><dd>")).unwrap_or_else(|| panic!("no fact {label}: {page}"));
    rest.split("</dd>").next().unwrap().to_owned()
}

async fn addresses_are_typed_one_a_line(database: Database) {
    let (house, vendor) = begun(database).await;
    let manager = signed_in(&house, Role::VendorManager).await;
    let client = format!("/clients/{}", vendor.client_id);
    let form = format!("{client}/addresses");
    let from = async || fact(&manager.get(&client).await.text, "May ask from");
    assert_eq!(from().await, "everywhere");
    let read = hidden(&manager.get(&form).await.text, "read");
    let send = async |addresses: &str, read: &str| manager.fill(&form, &form, &[("addresses", addresses), ("read", read)]).await;

    for (typed, said) in [
        ("203.0.113.0/24\r\nlocalhost", "or a range such as 203.0.113.0/24 in line 2"),
        ("203.0.113.0/24\r\n203.0.113.7/16", "write 203.0.0.0/16 in line 2"),
        // Empty lines count as they are shown again.
        ("203.0.113.0/24\r\n \r\nnowhere", "in line 3"),
        ("203.0.113.0/24\r\n203.0.113.0/24", "must be named once each"),
    ] {
        let refused = send(typed, &read).await;
        assert_eq!(refused.status, 422, "{typed}: {}", refused.text);
        for shown in [said, "data-error-summary", "#f-addresses", &format!("{typed}</textarea>")] {
            assert!(refused.text.contains(shown), "{typed}: {shown}: {}", refused.text);
        }
        assert_eq!(hidden(&refused.text, "read"), read);
    }
    assert_eq!(from().await, "everywhere", "what was refused changed nothing");

    let saved = send(BOTH, &read).await;
    assert_eq!((saved.status, saved.header("location")), (303, client.as_str()), "{}", saved.text);
    assert_eq!(from().await, "203.0.113.0/24, 2001:db8::/32");
    assert!(manager.get(&form).await.text.contains("203.0.113.0/24\n2001:db8::/32</textarea>"), "the form begins with what is so");
    assert_eq!(house.ask_token(&vendor, None).await.status, 401, "the tests' own machine is at neither");

    // Who read it before is told, and loses nothing.
    let stale = send("198.51.100.7", &read).await;
    assert_eq!(stale.status, 409, "{}", stale.text);
    for shown in ["meanwhile: it may ask from 203.0.113.0/24, 2001:db8::/32 now", "198.51.100.7</textarea>"] {
        assert!(stale.text.contains(shown), "{shown}: {}", stale.text);
    }
    assert_eq!(from().await, "203.0.113.0/24, 2001:db8::/32");
    // What that page says it was read as is taken.
    assert_eq!(send("198.51.100.7", &hidden(&stale.text, "read")).await.status, 303);
    assert_eq!(from().await, "198.51.100.7");
    let read = hidden(&manager.get(&form).await.text, "read");
    assert_eq!(send("", &read).await.status, 303);
    assert_eq!(from().await, "everywhere");
    assert_eq!(house.ask_token(&vendor, None).await.status, 200);
}

async fn a_new_client_has_its_addresses_from_the_start(database: Database) {
    let (house, vendor) = begun(database).await;
    let manager = signed_in(&house, Role::VendorManager).await;
    let path = format!("/vendors/{}/clients", vendor.id);
    let form = format!("{path}/new");
    let send = async |name: &str, addresses: &str| {
        let fields = [("name", name), ("limit", "all"), ("addresses", addresses), ("authentication", "secret"), ("dpop", "optional")];
        manager.fill(&form, &path, &fields).await
    };
    for (name, addresses, field) in [("", OFFICE, "#f-name"), ("nightly import", "203.0.113.0/24\r\nnowhere", "#f-addresses")] {
        let refused = send(name, addresses).await;
        assert_eq!(refused.status, 422, "{field}: {}", refused.text);
        for shown in [field, &format!("{addresses}</textarea>")] {
            assert!(refused.text.contains(shown), "{shown}: {}", refused.text);
        }
    }
    let issued = send("nightly import", BOTH).await;
    assert_eq!(issued.status, 200, "{}", issued.text);
    let client = client_of(&issued.text);
    let page = manager.get(&format!("/clients/{client}")).await.text;
    assert_eq!(fact(&page, "May ask from"), "203.0.113.0/24, 2001:db8::/32");
}

async fn a_pull_is_seen_on_the_client(database: Database) {
    let (house, vendor) = begun(database).await;
    let reviewer = signed_in(&house, Role::ComplianceReviewer).await;
    let last = async || fact(&reviewer.get(&format!("/clients/{}", vendor.client_id)).await.text, "Last pull");
    let token = house.token(&vendor).await;
    assert_eq!(last().await, "never");
    house.at(house.clock.now().plus_seconds(120)).await;
    let refused = house.pull(&token, "/data/v1/datasets/people/records?limit=0", "application/json").await;
    assert_eq!(refused.status, 400);
    house.settle().await;
    assert_eq!(last().await, "never", "nothing left");
    house.pull(&token, "/data/v1/datasets/people/records?limit=1", "application/json").await.good();
    house.settle().await;
    assert_eq!(last().await, "1\u{a0}July\u{a0}2026, 09:02");
}
