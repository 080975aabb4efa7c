//! Help: no word that is linked lacks its entry, and the first run is told from what is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tidegate::domain::person::Role;
use tidegate::http::web::help::glossary;

use super::lived_in::LivedIn;
use crate::browse::Browser;
use crate::database::{Database, run};
use crate::harness::House;

fn texts(under: &Path, ending: &str, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(under).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            texts(&path, ending, found);
        } else if path.extension().is_some_and(|extension| extension == ending) {
            found.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
        }
    }
}

/// Every term that a template or a page's code links to.
fn linked() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = Vec::new();
    texts(&root.join("templates"), "html", &mut all);
    texts(&root.join("src/http"), "rs", &mut all);
    let named = |text: &str, before: &str| -> Vec<String> {
        text.split(before).skip(1).map(|rest| rest.split(['"', '\'', ' ', '\\', '{']).next().unwrap().to_owned()).collect()
    };
    all.into_iter()
        .flat_map(|(path, text)| {
            let terms = named(&text, "glossary(\"").into_iter().chain(named(&text, "/help/glossary#"));
            terms.filter(|term| !term.is_empty()).map(move |term| (path.clone(), term)).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn every_word_that_is_linked_has_its_entry() {
    let known: BTreeSet<&str> = glossary::terms().map(|term| term.key).collect();
    let linked = linked();
    assert!(linked.iter().any(|(_, term)| term == "treatment"), "links are found at all: {linked:?}");
    let gaps: Vec<_> = linked.iter().filter(|(_, term)| !known.contains(term.as_str())).collect();
    assert!(gaps.is_empty(), "no entry in src/http/web/help/glossary: {gaps:?}");
}

#[test]
fn the_glossary_shows_every_entry_where_links_lead() {
    run(async {
        let lived_in = LivedIn::new(Database::sqlite()).await;
        let page = lived_in.browser(Role::DataSteward).await.get("/help/glossary").await.text;
        for term in glossary::terms() {
            assert_eq!(page.matches(&format!("id=\"{}\"", term.key)).count(), 1, "{}", term.key);
        }
    });
}

/// What the states of the seven steps are, in order.
fn states(page: &str) -> Vec<String> {
    let steps = page.split("class=\"card tg-run-step tg-run-").skip(1);
    steps.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

#[test]
fn the_first_run_is_told_from_what_is_there() {
    run(async {
        let lived_in = LivedIn::new(Database::sqlite()).await;
        let reviewer = lived_in.browser(Role::ComplianceReviewer).await.get("/help/first-run").await.text;
        assert_eq!(states(&reviewer), ["done"; 7], "{reviewer}");
        assert!(!reviewer.contains("href=\"/vendors/new\""), "a reviewer is offered nothing");
        let manager = lived_in.browser(Role::VendorManager).await.get("/help/first-run").await.text;
        assert!(manager.contains("href=\"/vendors/new\"") && !manager.contains("href=\"/settings/people/new\""), "{manager}");
    });
}

/// The seven steps one after the other, by the use cases that do them.
#[test]
fn each_step_of_the_first_run_is_done_by_its_act() {
    run(async {
        let house = House::start_empty(Database::sqlite()).await;
        let link = tidegate::app::password_links::set_up(&house.app).await.unwrap().unwrap();
        let browser = Browser::new(&house);
        let password = super::lived_in::PASSWORD;
        let fields = [("name", "Ada"), ("email", "ada@example.org"), ("password", password), ("password_again", password)];
        assert_eq!(browser.submit(&format!("/welcome/{}", link.reveal()), &fields).await.status, 303);
        let page = browser.get("/help/first-run").await.text;
        assert_eq!(states(&page), ["current", "later", "later", "later", "later", "later", "later"]);
        assert!(page.contains("Still missing: vendor manager, privacy officer, data steward."), "{page}");
        assert!(browser.get("/history").await.status == 200);

        let house = House::start(Database::sqlite()).await;
        let new = tidegate::app::people::AddPerson {
            email: "eve@example.org".parse().unwrap(),
            name: "Eve".parse().unwrap(),
            role: Role::ComplianceReviewer,
            password: tidegate::domain::secret::PlainSecret::new(password),
        };
        tidegate::app::people::add(&house.app, &tidegate::domain::person::Actor::Operator, new).await.unwrap();
        let browser = Browser::signed_in(&house, "eve@example.org", password).await;
        let done = async || states(&browser.get("/help/first-run").await.text).iter().filter(|state| *state == "done").count();
        assert_eq!(done().await, 1, "the people are there");
        let vendor = house.register("Acme").await;
        assert_eq!(done().await, 2, "a vendor");
        let paper = house.assess(&vendor).await;
        assert_eq!(done().await, 3, "due diligence");
        house.catalogue_people(5).await;
        assert_eq!(done().await, 4, "a dataset");
        house.act(&vendor, "activate").await;
        house.agree(&vendor, "Acme", &paper, &[("acme-people", crate::harness::usual("people"))]).await;
        assert_eq!(done().await, 5, "an agreement with a permit");
        let client = house
            .post(
                Role::VendorManager,
                &format!("/api/v1/vendors/{vendor}/clients"),
                serde_json::json!({"name": "m", "hand_over": "answer"}),
            )
            .await;
        let client = client.good();
        assert_eq!(done().await, 6, "access");
        let text = |name: &str| client[name].as_str().unwrap().to_owned();
        let access = crate::harness::Vendor {
            id: vendor,
            agreement: String::new(),
            client_id: text("client_id"),
            client_secret: text("client_secret"),
        };
        let token = house.token(&access).await;
        house.pull(&token, "/data/v1/datasets/people/records", "application/json").await.good();
        house.settle().await;
        assert_eq!(done().await, 7, "the first pull");
        house.clock.set(house.clock.now().plus_days(400));
        let eve = Browser::signed_in(&house, "eve@example.org", password).await;
        let states = states(&eve.get("/help/first-run").await.text);
        assert_eq!(states[2], "current", "due diligence lapses, and is the thing to do: {states:?}");
    });
}
