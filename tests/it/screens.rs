//! Every page as people see it, in a real browser: by axe-core in light and dark, at phone width, at 200 % zoom, and as
//! pictures in `target/screens`.

use std::collections::BTreeSet;

use serde_json::json;
use tidegate::domain::person::Role;
use tidegate::policy::access::allows;

use crate::chromium::{Person, Window};
use crate::database::{Database, run};
use crate::pages::lived_in::{LivedIn, PASSWORD, email, pages};

/// What is answered with a file, which no browser shows.
const FILES: &[&str] = &["/vendors.csv", "/history.csv", "/agreements/{id}/versions/{number}/document", "/evidence/{id}/file"];

/// What an address alone does not tell: another way to look at a list, an empty one, a page that is not there.
const BESIDES: &[(Role, &str, &str)] = &[
    (Role::ComplianceReviewer, "/history?view=table", "history-table"),
    (Role::ComplianceReviewer, "/history?outcome=refused", "history-narrowed"),
    (Role::ComplianceReviewer, "/history?vendor=nobody+bears+this", "history-nobody"),
    (Role::ComplianceReviewer, "/vendors?q=nobody+bears+this", "vendors-none"),
    (Role::ComplianceReviewer, "/vendors/new", "not-of-this-role"),
    (Role::ComplianceReviewer, "/nothing-is-here", "not-found"),
    (Role::VendorManager, "/vendors/new?legal_name=", "vendor-new"),
    (Role::DataSteward, "/datasets/visits/source", "dataset-drifted"),
    (Role::DataSteward, "/datasets/visits/edit?add=mail", "dataset-adding"),
];

/// Whose page is looked at where several may open it: those who act on it come before those who only read.
const WHOSE: [Role; 5] = [Role::VendorManager, Role::DataSteward, Role::PrivacyOfficer, Role::Administrator, Role::ComplianceReviewer];

/// Where a privacy officer finds another page than whoever hands in.
const DECIDED_ON: &[&str] = &[
    "/agreements/{id}",
    "/agreements/{id}/versions/{number}/review",
    "/permits/{key}",
    "/permits/{key}/revisions/{number}",
    "/assessments/{id}",
    "/assessments/{id}/decision",
    "/clients/{id}",
    "/consent",
    "/vendors/{id}/evidence",
];

/// Something to look at: who opens which address, and the name of its picture.
struct Look {
    role: Role,
    address: String,
    name: String,
}

/// A file's name for a page: its pattern, and a number where it is shown for several things.
fn name_of(pattern: &str, at: usize) -> String {
    let plain: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty()).map(|part| part.trim_matches(['{', '}'])).collect();
    let plain = if plain.is_empty() { "dashboard".to_owned() } else { plain.join("-") };
    if at == 0 { plain } else { format!("{plain}-{}", at + 1) }
}

/// Every page once for each of the two vendors, by the first role that may open it; of those that list work, by each.
async fn looks(lived_in: &LivedIn) -> Vec<Look> {
    let mut looks: Vec<Look> =
        BESIDES.iter().map(|(role, address, name)| Look { role: *role, address: (*address).into(), name: (*name).into() }).collect();
    for role in Role::ALL {
        looks.push(Look { role, address: "/".to_owned(), name: format!("dashboard-{}", role.key()) });
    }
    let of_sources = lived_in.house.get(Role::DataSteward, "/api/v1/sources").await.good();
    // The one that lies elsewhere can't be read here.
    let here = of_sources["items"].as_array().unwrap().iter().find(|source| source["location"]["kind"] != "http_json").unwrap();
    let source = here["id"].as_str().unwrap();
    let tables = lived_in.house.get(Role::DataSteward, &format!("/api/v1/sources/{source}/tables")).await.good();
    let table = tables["items"].as_array().or(tables.as_array()).unwrap()[0]["name"].as_str().unwrap();
    let steps = [("table", format!("source={source}")), ("fields", format!("source={source}&table={table}"))];
    for (step, query) in steps {
        let address = format!("/datasets/new/{step}?{query}");
        looks.push(Look { role: Role::DataSteward, address, name: format!("datasets-new-{step}") });
    }
    // Without a query the last two steps lead nowhere.
    let mut seen = BTreeSet::from(["/", "/datasets/new/table", "/datasets/new/fields"].map(str::to_owned));
    for (route, permission) in pages("GET").filter(|(route, _)| !FILES.contains(&route.path)) {
        let role = WHOSE.into_iter().find(|role| allows(*role, permission)).unwrap();
        for (at, address) in lived_in.addresses(route.path).into_iter().enumerate() {
            if seen.insert(address.clone()) {
                if DECIDED_ON.contains(&route.path) {
                    let name = format!("{}-officer", name_of(route.path, at));
                    looks.push(Look { role: Role::PrivacyOfficer, address: address.clone(), name });
                }
                looks.push(Look { role, address, name: name_of(route.path, at) });
            }
        }
    }
    looks.sort_by_key(|look| look.role.key());
    looks
}

/// How a window's pages are looked at.
struct Manner {
    window: Window,
    size: &'static str,
    themes: &'static [&'static str],
    /// Widths of the window at which nothing may be cut off.
    narrower: &'static [u32],
}

async fn look(person: &Person, look: &Look, manner: &Manner, faults: &mut Vec<String>) {
    person.goto(&look.address).await;
    judge(person, look, manner, faults).await;
}

/// The page that is open.
async fn judge(person: &Person, look: &Look, manner: &Manner, faults: &mut Vec<String>) {
    for theme in manner.themes {
        let script = "document.documentElement.dataset.theme = arguments[0]; document.documentElement.dataset.bsTheme = arguments[0]";
        person.client.execute(script, vec![(*theme).into()]).await.unwrap();
        faults.extend(person.axe().await.into_iter().map(|fault| format!("{} {theme}: {fault}", look.address)));
        person.shot(&format!("{}-{}-{theme}", look.name, manner.size)).await;
    }
    if person.overflows().await {
        faults.push(format!("{} is wider than the window", look.address));
    }
    for width in manner.narrower {
        person.client.set_window_size(*width, manner.window.height).await.unwrap();
        if person.overflows().await {
            faults.push(format!("{} is wider than a window of {width}", look.address));
        }
        person.client.set_window_size(manner.window.width, manner.window.height).await.unwrap();
    }
}

/// What the vendor's people see behind a link: what it is for, and what it shows, for a secret and for a plain token.
async fn look_behind_links(person: &Person, lived_in: &LivedIn, manner: &Manner, faults: &mut Vec<String>) {
    let house = &lived_in.house;
    let vendors = house.get(Role::VendorManager, "/api/v1/vendors").await.good();
    let active = vendors["items"].as_array().unwrap().iter().find(|vendor| vendor["lifecycle"] == "active").unwrap();
    let clients = format!("/api/v1/vendors/{}/clients", active["id"].as_str().unwrap());
    let issued = house.post(Role::VendorManager, &clients, json!({"name": "nightly import"})).await.good();
    let permit = house.get(Role::VendorManager, &format!("/api/v1/vendors/{}/permits", active["id"].as_str().unwrap())).await;
    let key = if permit.status == 200 { permit.good()["items"][0]["key"].clone() } else { json!("acme-people") };
    let body = json!({"permits": [key], "expires_at": house.clock.now().plus_days(90)});
    let tokens = format!("/api/v1/clients/{}/tokens", issued["client_id"].as_str().unwrap());
    let token = house.post(Role::VendorManager, &tokens, body).await.good();
    for (name, answer) in [("activate-secret", &issued), ("activate-token", &token)] {
        let address = answer["activation_link"].as_str().unwrap().strip_prefix(&house.url).unwrap().to_owned();
        let mut one = Look { role: Role::VendorManager, address, name: name.to_owned() };
        look(person, &one, manner, faults).await;
        person.press("Show it now").await;
        person.must_see("It is shown this once.").await;
        one.name = format!("{name}-shown");
        judge(person, &one, manner, faults).await;
        one.name = format!("{name}-used");
        look(person, &one, manner, faults).await;
    }
}

async fn look_at_all(manner: Manner) {
    if crate::chromium::driver().is_none() {
        return;
    }
    let lived_in = LivedIn::new(Database::sqlite()).await;
    let mut faults = Vec::new();
    let mut person = Person::open(&lived_in.house.url, manner.window).await.unwrap();
    let door = Look { role: Role::VendorManager, address: "/sign-in".to_owned(), name: "sign-in".to_owned() };
    look(&person, &door, &manner, &mut faults).await;
    look_behind_links(&person, &lived_in, &manner, &mut faults).await;
    let mut signed_in = None;
    for one in looks(&lived_in).await {
        if signed_in != Some(one.role) {
            person.close().await;
            person = Person::open(&lived_in.house.url, manner.window).await.unwrap();
            person.sign_in(&email(one.role), PASSWORD).await;
            signed_in = Some(one.role);
        }
        look(&person, &one, &manner, &mut faults).await;
    }
    person.close().await;
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn pages_are_clean_when_wide() {
    // Half the width is what a window of that size shows at 200 % zoom (WCAG 2.2 SC 1.4.4).
    run(look_at_all(Manner { window: Window::DESKTOP, size: "wide", themes: &["light", "dark"], narrower: &[640] }));
}

#[test]
fn pages_are_clean_on_a_phone() {
    run(look_at_all(Manner { window: Window::PHONE, size: "phone", themes: &["light"], narrower: &[] }));
}
