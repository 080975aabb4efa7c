//! The pages as people see them, in a real browser: one of each kind in light and dark, wide and narrow, by axe-core, and as
//! pictures in `target/screens`.

use std::collections::BTreeSet;

use tidegate::domain::person::Role;
use tidegate::policy::access::allows;

use crate::chromium::{Person, Window};
use crate::database::{Database, run};
use crate::pages::lived_in::{LivedIn, PASSWORD, email, pages};

/// The pages that are looked at here: one of each kind, since each takes axe-core some seconds.
const LOOKED_AT: &[&str] = &[
    "/",
    "/vendors",
    "/vendors/{id}",
    "/vendors/new",
    "/assessments/{id}",
    "/agreements/{id}",
    "/permits/{key}",
    "/datasets",
    "/access",
    "/history",
    "/help",
    "/account",
    "/settings/people",
];

async fn looks(person: &Person, path: &str, name: &str, themes: &[&str], faults: &mut Vec<String>) {
    person.goto(path).await;
    for theme in themes {
        let script = "document.documentElement.dataset.theme = arguments[0]; document.documentElement.dataset.bsTheme = arguments[0]";
        person.client.execute(script, vec![(*theme).into()]).await.unwrap();
        faults.extend(person.axe().await.into_iter().map(|fault| format!("{path} {theme}: {fault}")));
        person.shot(&format!("{name}-{theme}")).await;
    }
    if person.overflows().await {
        faults.push(format!("{path} is wider than the window"));
    }
}

/// A file's name for a page: its pattern, and a number where it is shown for several things.
fn name_of(pattern: &str, at: usize, size: &str) -> String {
    let plain: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty()).map(|part| part.trim_matches(['{', '}'])).collect();
    let plain = if plain.is_empty() { "dashboard".to_owned() } else { plain.join("-") };
    if at == 0 { format!("{plain}-{size}") } else { format!("{plain}-{}-{size}", at + 1) }
}

async fn look_at(window: Window, size: &str, themes: &[&str]) {
    if crate::chromium::driver().is_none() {
        return;
    }
    let lived_in = LivedIn::new(Database::sqlite()).await;
    let (mut faults, mut seen) = (Vec::new(), BTreeSet::new());
    let person = Person::open(&lived_in.house.url, window).await.unwrap();
    looks(&person, "/sign-in", &format!("sign-in-{size}"), themes, &mut faults).await;
    person.close().await;
    for role in [Role::VendorManager, Role::PrivacyOfficer, Role::DataSteward, Role::Administrator, Role::ComplianceReviewer] {
        let person = Person::open(&lived_in.house.url, window).await.unwrap();
        person.sign_in(&email(role), PASSWORD).await;
        for (route, _) in pages("GET").filter(|(route, permission)| allows(role, *permission) && LOOKED_AT.contains(&route.path)) {
            for (at, address) in lived_in.addresses(route.path).into_iter().take(1).enumerate() {
                if seen.insert(address.clone()) {
                    looks(&person, &address, &name_of(route.path, at, size), themes, &mut faults).await;
                }
            }
        }
        person.close().await;
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn pages_are_clean_when_wide() {
    run(look_at(Window::DESKTOP, "wide", &["light", "dark"]));
}

#[test]
fn pages_are_clean_on_a_phone() {
    run(look_at(Window::PHONE, "phone", &["light"]));
}
