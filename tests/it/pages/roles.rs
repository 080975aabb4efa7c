//! Role × page × act: every page and every form, tried by every role; nobody is offered what they may not do.

use std::collections::BTreeSet;

use tidegate::domain::person::Role;
use tidegate::policy::access::allows;

use super::lived_in::{LivedIn, page_at, pages};
use crate::browse::{Browser, token};
use crate::database::{Database, run};
use crate::harness::Answer;

/// The page that says that the role does not include it, with what the role is for.
fn is_role_page(answer: &Answer) -> bool {
    answer.status == 403 && answer.text.contains("Not part of your role")
}

#[test]
fn every_page_is_open_to_the_roles_of_the_table_and_to_no_other() {
    run(async {
        let lived_in = LivedIn::new(Database::sqlite()).await;
        for role in Role::ALL {
            let browser = lived_in.browser(role).await;
            for (route, permission) in pages("GET") {
                for address in lived_in.addresses(route.path) {
                    let answer = browser.get(&address).await;
                    let at = format!("{address} as {role:?}: {} {}", answer.status, answer.text);
                    assert!(answer.status < 500, "{at}");
                    assert_ne!(answer.status, 401, "{at}");
                    assert_eq!(is_role_page(&answer), !allows(role, permission), "{at}");
                    if is_role_page(&answer) {
                        assert!(answer.text.contains("Your role, "), "{at}");
                    }
                }
            }
        }
        let stranger = Browser::new(&lived_in.house);
        for (route, _) in pages("GET") {
            let answer = stranger.get(&lived_in.addresses(route.path)[0]).await;
            assert_eq!(answer.status, 303, "{}: {}", route.path, answer.text);
            assert!(answer.header("location").starts_with("/sign-in"), "{}", route.path);
        }
    });
}

#[test]
fn every_form_does_its_act_for_the_roles_of_the_table_and_for_no_other() {
    run(async {
        let lived_in = LivedIn::new(Database::sqlite()).await;
        // Those who may come last: what they do changes what is there.
        for (role, allowed) in Role::ALL.into_iter().flat_map(|role| [(role, false), (role, true)]) {
            let mut browser = lived_in.browser(role).await;
            let before = lived_in.house.history("").await.len();
            for (route, permission) in pages("POST").filter(|(_, permission)| allows(role, *permission) == allowed) {
                for address in lived_in.addresses(route.path) {
                    let shown = browser.get("/account").await;
                    if shown.status != 200 {
                        browser = lived_in.browser(role).await;
                    }
                    let csrf = token(&browser.get("/account").await.text);
                    let answer = browser.submit(&address, &[("csrf", &csrf)]).await;
                    let at = format!("{address} as {role:?}: {} {}", answer.status, answer.text);
                    assert!(answer.status < 500, "{at}");
                    assert_eq!(is_role_page(&answer), !allows(role, permission), "{at}");
                    assert_ne!(answer.status, 415, "{at}");
                }
            }
            if !allowed {
                assert_eq!(lived_in.house.history("").await.len(), before, "{role:?} was refused and did something all the same");
            }
        }
    });
}

/// The values of an attribute of a page's tags.
fn values<'a>(page: &'a str, attribute: &str) -> Vec<&'a str> {
    page.split(&format!(" {attribute}=\"")).skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

/// Where a page sends forms that change something, by plain mark-up or by script.
fn acts(page: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for form in page.split("<form").skip(1).map(|rest| rest.split('>').next().unwrap()) {
        if form.contains("method=\"post\"") {
            found.insert(values(form, "action").first().copied().unwrap_or_default().to_owned());
        }
    }
    for attribute in ["formaction", "hx-post", "hx-put", "hx-patch", "hx-delete"] {
        found.extend(values(page, attribute).into_iter().map(str::to_owned));
    }
    found
}

/// Everybody's own: nothing of the house changes by it.
fn is_own(act: &str) -> bool {
    matches!(act, "/theme" | "/sign-out") || act == "/account" || act.starts_with("/account/")
}

#[test]
fn nobody_is_offered_what_they_may_not_do() {
    run(async {
        let lived_in = LivedIn::new(Database::sqlite()).await;
        let mut offered = 0_usize;
        for role in Role::ALL {
            let browser = lived_in.browser(role).await;
            for (route, _) in pages("GET").filter(|(_, permission)| allows(role, *permission)) {
                for address in lived_in.addresses(route.path) {
                    let answer = browser.get(&address).await;
                    if !answer.header("content-type").starts_with("text/html") {
                        continue;
                    }
                    let whole = answer.text.replace("&#38;", "&");
                    for link in values(&whole, "href").into_iter().chain(values(&whole, "hx-get")).filter(|link| link.starts_with('/')) {
                        if let Some((page, permission)) = page_at("GET", link) {
                            assert!(allows(role, permission), "{address} leads {role:?} to {}, which is not theirs", page.path);
                        }
                    }
                    for act in acts(&whole).iter().filter(|act| !is_own(act)) {
                        assert_ne!(role, Role::ComplianceReviewer, "{address} offers a reviewer {act}");
                        let form = page_at("POST", act).unwrap_or_else(|| panic!("{address}: {act} is no form's address"));
                        assert!(allows(role, form.1), "{address} offers {role:?} {act}, which is not theirs");
                        offered += 1;
                    }
                    let told = whole.contains("Your role reads everything and changes nothing");
                    assert_eq!(told, role == Role::ComplianceReviewer, "{address} as {role:?}");
                }
            }
        }
        assert!(offered > 0, "no page offers anything, so nothing was tried");
    });
}

/// Somebody who comes late is told so before they type a reason.
#[test]
fn an_act_that_does_not_apply_has_no_form() {
    run(async {
        let lived_in = LivedIn::new(Database::sqlite()).await;
        let address = |path: &str| lived_in.addresses(path)[0].clone();
        for (role, path, said) in [
            (Role::VendorManager, address("/assessments/{id}/submit"), "decided"),
            (Role::VendorManager, address("/assessments/{id}/cancel"), "decided"),
            (Role::PrivacyOfficer, address("/assessments/{id}/review/cancel"), "decided"),
            (Role::VendorManager, address("/agreements/{id}/versions/{number}/discard"), "can not be edited"),
            (Role::PrivacyOfficer, address("/permits/{key}/resume"), "is not paused"),
            (Role::VendorManager, "/permits/acme-sql/pause".to_owned(), "is paused already"),
        ] {
            let answer = lived_in.browser(role).await.get(&path).await;
            assert_eq!(answer.status, 409, "{path}: {}", answer.text);
            assert!(answer.text.contains(said) && !answer.text.contains("name=\"reason\""), "{path}: {}", answer.text);
        }
    });
}

/// A link within a section that has pages leads to one of them.
#[test]
fn links_lead_somewhere() {
    run(async {
        let lived_in = LivedIn::new(Database::sqlite()).await;
        let section = |path: &str| path.split(['/', '?', '#']).nth(1).unwrap_or_default().to_owned();
        let sections: BTreeSet<String> = pages("GET").map(|(route, _)| section(route.path)).collect();
        for role in [Role::VendorManager, Role::Administrator] {
            let browser = lived_in.browser(role).await;
            for (route, _) in pages("GET").filter(|(_, permission)| allows(role, *permission)) {
                for address in lived_in.addresses(route.path) {
                    let page = browser.get(&address).await.text.replace("&#38;", "&");
                    for link in values(&page, "href").into_iter().filter(|link| link.starts_with('/')) {
                        if sections.contains(&section(link)) {
                            assert!(page_at("GET", link).is_some(), "{address}: {link} leads nowhere");
                        }
                    }
                }
            }
        }
    });
}
