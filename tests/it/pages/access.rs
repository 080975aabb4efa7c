//! Access through a browser: a secret is seen once, its lines of code work, and what is stopped stays stopped.

use std::process::Command;

use tidegate::domain::person::Role;

use super::datasets::signed_in;
use crate::browse::{Browser, token};
use crate::database::{Database, run};
use crate::harness::{Answer, House, usual};
use crate::oauth::others::is_there;
use crate::on_both;

on_both!(
    a_secret_is_shown_once_and_its_lines_pull_rows,
    what_is_revoked_is_refused_and_says_why,
    the_list_finds_clients_and_asks_no_more_for_many,
);

/// The text of an element of the page, as a person copies it.
pub fn lines(page: &str, key: &str) -> String {
    let (_, rest) = page.split_once(&format!("data-lines=\"{key}\"><code>")).unwrap_or_else(|| panic!("no lines of {key}: {page}"));
    let text = rest.split_once("</code>").unwrap().0;
    let named = [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")];
    named.into_iter().fold(text.to_owned(), |text, (entity, sign)| text.replace(entity, sign))
}

pub fn secret(page: &str) -> String {
    page.split_once("<code id=\"secret\">").unwrap_or_else(|| panic!("nothing is shown: {page}")).1.split('<').next().unwrap().to_owned()
}

/// The path of the link that a page shows.
pub fn link(page: &str) -> String {
    let link = secret(page);
    format!("/activate/{}", link.split_once("/activate/").unwrap_or_else(|| panic!("no link: {link}")).1)
}

/// Uses a link as the vendor's people do: they have no session.
pub async fn collect(house: &House, path: &str) -> Answer {
    Answer::of(house.http.post(format!("{}{path}", house.url)).send().await.unwrap()).await
}

async fn look(house: &House, path: &str) -> Answer {
    Answer::of(house.http.get(format!("{}{path}", house.url)).send().await.unwrap()).await
}

const PROOF: [(&str, &str); 2] = [("authentication", "secret"), ("dpop", "optional")];

/// Runs a text of the page in a shell, after the lines of the environment.
pub async fn run_lines(environment: &str, program: &str) -> String {
    let script = format!("{environment}\n{program}");
    let output = tokio::task::spawn_blocking(move || Command::new("bash").arg("-euc").arg(script).output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs the lines of a page in each language: each prints five rows.
pub async fn run_all_lines(page: &str) {
    let environment = lines(page, "shell");
    for (key, program) in [("curl", "curl"), ("python", "python3"), ("node", "node")] {
        if !is_there(program) {
            assert_ne!(program, "curl", "curl must be on the machine");
            continue;
        }
        let code = lines(page, key);
        let run = match key {
            "python" => format!("python3 - <<'END'\n{code}\nEND"),
            "node" => format!("node --input-type=module - <<'END'\n{code}\nEND"),
            _ => code,
        };
        let rows = run_lines(&environment, &run).await;
        let answer: serde_json::Value = serde_json::from_str(&rows).unwrap_or_else(|error| panic!("{key}: {error}: {rows}"));
        assert_eq!(answer["rows"].as_array().unwrap().len(), 5, "{key}: {rows}");
    }
}

/// The settings file that a page offers.
pub fn settings(page: &str) -> String {
    let file = page.split_once("href=\"data:text/plain;base64,").unwrap().1.split('"').next().unwrap();
    String::from_utf8(data_encoding::BASE64.decode(file.replace("&#43;", "+").as_bytes()).unwrap()).unwrap()
}

async fn issue(browser: &Browser<'_>, vendor: &str, name: &str) -> Answer {
    let form = format!("/vendors/{vendor}/clients/new");
    let fields = [&[("name", name), ("limit", "all")], &PROOF[..]].concat();
    browser.fill(&form, &format!("/vendors/{vendor}/clients"), &fields).await
}

pub fn client_of(page: &str) -> String {
    page.split_once("href=\"/clients/").unwrap().1.split('"').next().unwrap().to_owned()
}

async fn a_secret_is_shown_once_and_its_lines_pull_rows(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(10).await;
    let vendor = house.vendor("Acme Metrics", &[("acme-people", usual("people"))]).await;
    let manager = signed_in(&house, Role::VendorManager).await;
    let form = manager.get(&format!("/vendors/{}/clients/new", vendor.id)).await;
    let csrf = token(&form.text);
    let fields = [("csrf", csrf.as_str()), ("name", "nightly import"), ("limit", "some"), ("permits", "acme-people")];
    let fields = [&fields[..], &PROOF[..]].concat();
    let path = format!("/vendors/{}/clients", vendor.id);
    let issued = manager.submit(&path, &fields).await;
    assert_eq!((issued.status, issued.header("cache-control")), (200, "no-store"), "{}", issued.text);
    assert!(!issued.text.contains("tg_cs_"), "the staff never see the secret");
    let client = client_of(&issued.text);
    assert!(manager.get(&format!("/clients/{client}")).await.text.contains("waits to be used"));
    let activate = link(&issued.text);
    // Looking at it, as mail programs do, uses nothing up.
    for _ in 0..2 {
        let looked = look(&house, &activate).await;
        assert!(looked.status == 200 && looked.text.contains("nightly import") && !looked.text.contains("tg_cs_"), "{}", looked.text);
    }
    let shown = collect(&house, &activate).await;
    assert_eq!((shown.status, shown.header("cache-control")), (200, "no-store"), "{}", shown.text);
    let plain = secret(&shown.text);
    let file = format!("TIDEGATE_URL={}\nTIDEGATE_CLIENT_ID={client}\nTIDEGATE_CLIENT_SECRET={plain}\n", house.url);
    assert_eq!(settings(&shown.text), file);
    for used in [collect(&house, &activate).await, look(&house, &activate).await] {
        assert!(used.status == 404 && used.text.contains("works once") && !used.text.contains("tg_cs_"), "{}", used.text);
    }

    for key in ["curl", "python", "node"] {
        assert!(!lines(&shown.text, key).contains(&plain), "the secret stands in the lines of {key}");
    }
    run_all_lines(&shown.text).await;

    // A reload sends the form again: nothing is issued, and nothing is shown.
    let again = manager.submit(&path, &fields).await;
    assert_eq!(again.status, 409);
    assert!(!again.text.contains("tg_al_") && again.text.contains("shown once"), "{}", again.text);
    let page = manager.get(&format!("/clients/{client}")).await;
    assert_eq!(page.status, 200);
    assert!(!page.text.contains(&plain) && !page.text.contains("tg_cs_") && !page.text.contains("tg_al_"), "nothing is shown again");
    assert!(page.text.contains("acme-people") && page.text.contains("First lines of code"), "{}", page.text);
    let clients = house.get(Role::VendorManager, &format!("/api/v1/vendors/{}/clients", vendor.id)).await.good();
    assert_eq!(clients["items"].as_array().unwrap().len(), 2, "the harness's own, and the one");

    // A new secret: the old one is refused at once.
    let rotated = manager.fill(&format!("/clients/{client}/rotate"), &format!("/clients/{client}/rotate"), &[]).await;
    assert_eq!(rotated.status, 200, "{}", rotated.text);
    let ask = async |secret: &str| {
        let asking = crate::harness::Vendor { client_id: client.clone(), client_secret: secret.to_owned(), ..vendor.clone() };
        house.ask_token(&asking, None).await.status
    };
    assert_eq!(ask(&plain).await, 401);
    let new = secret(&collect(&house, &link(&rotated.text)).await.text);
    assert_ne!(new, plain);
    assert_eq!((ask(&plain).await, ask(&new).await), (401, 200));
    // With a grace the machine goes on until the new one was collected, and for the grace after it.
    let rotate = format!("/clients/{client}/rotate");
    let rotated = manager.fill(&rotate, &rotate, &[("grace_seconds", "3600")]).await;
    assert_eq!(ask(&new).await, 200);
    // A link that waited is taken back by the next one.
    let first = link(&rotated.text);
    let second = link(&manager.fill(&rotate, &rotate, &[("grace_seconds", "3600")]).await.text);
    assert_eq!(collect(&house, &first).await.status, 404);
    let newest = secret(&collect(&house, &second).await.text);
    assert_eq!((ask(&new).await, ask(&newest).await), (200, 200));
}

async fn what_is_revoked_is_refused_and_says_why(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(10).await;
    let vendor = house.vendor("Acme Metrics", &[("acme-people", usual("people"))]).await;
    let (one, other) = (house.token(&vendor).await, house.token(&vendor).await);
    let records = "/data/v1/datasets/people/records?limit=1";
    assert_eq!(house.pull(&one, records, "application/json").await.status, 200);
    let officer = signed_in(&house, Role::PrivacyOfficer).await;
    let client = format!("/clients/{}", vendor.client_id);
    let page = officer.get(&client).await;
    assert!(page.text.contains("2 tokens") && !page.text.contains("New secret"), "an officer stops and issues nothing: {}", page.text);

    let tokens = house.get(Role::PrivacyOfficer, &format!("/api/v1/clients/{}/tokens", vendor.client_id)).await.good();
    let newest = format!("/tokens/{}/revoke", tokens["items"][0]["id"].as_str().unwrap());
    let refused = officer.fill(&newest, &newest, &[("reason", "x")]).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("#f-reason"));
    assert_eq!(officer.fill(&newest, &newest, &[("reason", "It was in a log.")]).await.status, 303);
    assert_eq!(house.pull(&other, records, "application/json").await.status, 401);
    assert_eq!(house.pull(&one, records, "application/json").await.status, 200, "the other token is not touched");
    assert_eq!(officer.get(&newest).await.status, 409, "it is revoked already");

    let revoke = format!("{client}/revoke");
    house.settle().await;
    let asked = officer.get(&revoke).await;
    for said in ["1 token is refused", "1 permit is no longer reached", "last pull"] {
        assert!(asked.text.contains(said), "{said}: {}", asked.text);
    }
    let empty = officer.fill(&revoke, &revoke, &[("reason", "")]).await;
    assert_eq!(empty.status, 422);
    assert_eq!(house.pull(&one, records, "application/json").await.status, 200, "without a reason nothing is done");
    let done = officer.fill(&revoke, &revoke, &[("reason", "The machine was stolen.")]).await;
    assert_eq!((done.status, done.header("location")), (303, client.as_str()));
    assert_eq!(house.pull(&one, records, "application/json").await.status, 401);
    let page = officer.get(&client).await;
    assert!(page.text.contains("Revoked") && !page.text.contains("/rotate"), "{}", page.text);
    assert_eq!(officer.get(&revoke).await.status, 409);
    let manager = signed_in(&house, Role::VendorManager).await;
    let rotate = format!("{client}/rotate");
    let late = manager.fill(&rotate, &rotate, &[]).await;
    assert_eq!(late.status, 409, "{}", late.text);
}

async fn the_list_finds_clients_and_asks_no_more_for_many(database: Database) {
    let house = House::start(database).await;
    let (acme, umlaut) = (house.register("Acme Metrics").await, house.register("Österreich Daten").await);
    let manager = signed_in(&house, Role::VendorManager).await;
    assert!(manager.get("/access").await.text.contains("No clients yet"));
    let api = async |vendor: &str, name: &str| {
        let path = format!("/api/v1/vendors/{vendor}/clients");
        house.post(Role::VendorManager, &path, serde_json::json!({"name": name})).await.good()["client_id"].as_str().unwrap().to_owned()
    };
    let first = api(&acme, "Über Import 100%").await;
    api(&umlaut, "export_job").await;
    let questions = async |path: &str| manager.statements(path).await;
    let few = questions("/access").await.0;
    for (search, found) in [
        ("acme", "1 client<"),
        ("ÖSTERREICH", "1 client<"),
        ("Über", "1 client<"),
        ("100%", "1 client<"),
        ("export_", "1 client<"),
        ("exportXjob", "No client fits"),
        ("export%job", "No client fits"),
        (&first, "1 client<"),
        ("\u{0}", "No client fits"),
        ("<script>alert(1)</script>", "No client fits"),
    ] {
        let query = serde_urlencoded::to_string([("q", search)]).unwrap();
        let page = manager.get(&format!("/access?{query}")).await;
        assert_eq!(page.status, 200, "{search}");
        assert!(page.text.contains(found) && !page.text.contains("<script>alert"), "{search}: {}", page.text);
    }
    for at in 0..58 {
        api(&acme, &format!("machine {at}")).await;
    }
    let (many, page) = questions("/access").await;
    assert_eq!(many, few);
    assert!(page.contains("60 clients"), "{page}");
    let next = page.split_once("rel=\"next\" href=\"").unwrap().1.split('"').next().unwrap().replace("&#38;", "&");
    let second = manager.get(&next).await.text;
    assert!(second.contains("export_job") && !second.contains("rel=\"next\""), "{second}");
    assert!(manager.get("/access?state=revoked").await.text.contains("No client fits"));
    assert_eq!(manager.get("/access?after=nonsense").await.status, 422);
}

/// Who may what, and that a reviewer is told so kindly.
#[test]
fn access_is_handed_out_by_managers_alone() {
    run(async {
        let house = House::start(Database::sqlite()).await;
        house.catalogue_people(3).await;
        let vendor = house.vendor("Acme Metrics", &[("acme-people", usual("people"))]).await;
        for role in Role::ALL {
            let browser = signed_in(&house, role).await;
            let (manages, stops) = (role == Role::VendorManager, matches!(role, Role::VendorManager | Role::PrivacyOfficer));
            let client = format!("/clients/{}", vendor.client_id);
            for (path, may) in [
                ("/access".to_owned(), true),
                (client.clone(), true),
                ("/access/new".to_owned(), manages),
                (format!("/vendors/{}/clients/new", vendor.id), manages),
                (format!("{client}/rotate"), manages),
                (format!("{client}/addresses"), manages),
                (format!("{client}/authentication"), manages),
                (format!("{client}/tokens/new"), manages),
                (format!("{client}/revoke"), stops),
            ] {
                assert_eq!(browser.get(&path).await.status, if may { 200 } else { 403 }, "{path} as {role:?}");
            }
            let page = browser.get(&client).await.text;
            assert_eq!((page.contains("/rotate\""), page.contains("/revoke\"")), (manages, stops), "{role:?}");
            assert_eq!(page.contains("You see everything here and change nothing"), !stops, "{role:?}");
            if !manages {
                let csrf = token(&page);
                let sent = browser.submit(&format!("/vendors/{}/clients", vendor.id), &[("csrf", &csrf), ("name", "mine")]).await;
                assert_eq!(sent.status, 403, "{role:?}");
            }
        }
        let manager = house.get(Role::VendorManager, &format!("/api/v1/vendors/{}/clients", vendor.id)).await.good();
        assert_eq!(manager["items"].as_array().unwrap().len(), 1, "nobody issued anything");
    });
}

#[test]
fn bad_input_issues_nothing() {
    run(async {
        let house = House::start(Database::sqlite()).await;
        let vendor = house.register("Acme Metrics").await;
        let manager = signed_in(&house, Role::VendorManager).await;
        let (form, path) = (format!("/vendors/{vendor}/clients/new"), format!("/vendors/{vendor}/clients"));
        let long = "n".repeat(121);
        for fields in [
            vec![("name", "")],
            vec![("name", long.as_str())],
            vec![("name", "a\u{7}b")],
            vec![("name", "good"), ("limit", "some")],
            vec![("name", "good"), ("limit", "some"), ("permits", "No Slug")],
            vec![("name", "good"), ("limit", "some"), ("permits", "of-another")],
        ] {
            let fields = [&fields[..], &PROOF[..]].concat();
            let answer = manager.fill(&form, &path, &fields).await;
            assert_eq!(answer.status, 422, "{fields:?}: {}", answer.text);
            assert!(answer.text.contains("data-error-summary"), "{fields:?}");
        }
        assert!(house.get(Role::VendorManager, &format!("/api/v1{path}")).await.good()["items"].as_array().unwrap().is_empty());
        // Odd text is a name like others, shown as text.
        let odd = "\u{202e}<img src=x onerror=alert(1)> {{7*7}}\u{200b}";
        let shown = issue(&manager, &vendor, odd).await;
        assert_eq!(shown.status, 200, "{}", shown.text);
        let list = manager.get("/access").await.text;
        assert!(list.contains("{{7*7}}") && !list.contains("<img src=x"), "{list}");
        assert_eq!(manager.get("/clients/nonsense").await.status, 404);
        assert_eq!(manager.get("/tokens/nonsense/revoke").await.status, 404);
        assert_eq!(manager.get("/vendors/nonsense/clients/new").await.status, 404);
    });
}
