//! How clients prove who they are, through a browser: keys are pasted, plain tokens are ticked, links are passed on.

use serde_json::{Value, json};
use tidegate::domain::client_key::KeyAlgorithm;
use tidegate::domain::person::Role;
use tidegate::store::Clock;

use super::access::{collect, lines, link, run_all_lines, run_lines, secret, settings};
use super::datasets::signed_in;
use crate::browse::Browser;
use crate::database::Database;
use crate::harness::{Answer, House, usual};
use crate::oauth::others::place;
use crate::oauth::signer::Signer;
use crate::on_both;

on_both!(keys_are_pasted_and_shown, the_lines_of_each_kind_of_key_pull_rows, a_plain_token_is_ticked_and_collected);

/// Fills the form in with what it was read as.
async fn save(manager: &Browser<'_>, form: &str, fields: &[(&str, &str)]) -> Answer {
    let page = manager.get(form).await.text;
    let read = page.split_once("name=\"read\" value=\"").unwrap().1.split('"').next().unwrap().to_owned();
    manager.fill(form, form, &[fields, &[("read", read.as_str())]].concat()).await
}

async fn keys_are_pasted_and_shown(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(10).await;
    let vendor = house.vendor("Acme Metrics", &[("acme-people", usual("people"))]).await;
    let manager = signed_in(&house, Role::VendorManager).await;
    let signer = Signer::new("ES256");
    let client = format!("/clients/{}", vendor.client_id);
    let form = format!("{client}/authentication");
    let private = signer.private_pem();
    let cases = [
        (vec![("authentication", "keys"), ("keys", "hello there"), ("dpop", "optional")], "hello there"),
        (vec![("authentication", "keys"), ("keys", ""), ("dpop", "optional")], "must hold a public key"),
        (vec![("authentication", "keys"), ("keys", private.as_str()), ("dpop", "optional")], "this is a private key"),
        (vec![("authentication", "keys_at"), ("uri", ""), ("dpop", "optional")], "must be the address"),
        (vec![("authentication", "keys_at"), ("uri", "https://10.0.0.1/keys"), ("dpop", "optional")], "private network"),
        (vec![("authentication", "telepathy"), ("dpop", "optional")], "must be one of these"),
        (vec![("authentication", "secret")], "must be one of these"),
    ];
    for (fields, said) in cases {
        let answer = manager.fill(&form, &form, &fields).await;
        assert_eq!(answer.status, 422, "{said}: {}", answer.text);
        assert!(answer.text.contains(said) && answer.text.contains("data-error-summary"), "{said}: {}", answer.text);
        assert!(!answer.text.contains(private.lines().nth(1).unwrap()), "a private key is not shown again");
    }
    assert_eq!(house.ask_token(&vendor, None).await.status, 200, "nothing was changed");

    let pem = signer.pem();
    let keys = [("authentication", "keys"), ("keys", pem.as_str()), ("dpop", "required")];
    let saved = save(&manager, &form, &keys).await;
    assert_eq!((saved.status, saved.header("location")), (303, client.as_str()), "{}", saved.text);
    let page = manager.get(&client).await.text;
    for said in [signer.thumbprint().as_str(), "by a key of its own", "always (DPoP)", "oauth4webapi"] {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert!(!page.contains("/rotate\""), "there is no secret to renew: {page}");
    assert!(manager.get(&form).await.text.contains(&signer.thumbprint()), "the form begins with what is so");

    // Two who change it at once: the second is told.
    let stale = manager.fill(&form, &form, &[("authentication", "secret"), ("dpop", "optional"), ("read", "1")]).await;
    assert_eq!(stale.status, 409, "{}", stale.text);
    assert!(stale.text.contains("meanwhile"), "{}", stale.text);
    let at = [("authentication", "keys_at"), ("uri", "https://vendor.example/jwks.json"), ("dpop", "optional")];
    assert_eq!(save(&manager, &form, &at).await.status, 303);
    let page = manager.get(&client).await.text;
    assert!(page.contains("https://vendor.example/jwks.json") && page.contains("TIDEGATE_PRIVATE_KEY"), "{page}");

    // Back to a secret: a link is shown, once.
    let shown = save(&manager, &form, &[("authentication", "secret"), ("dpop", "optional")]).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    let collected = collect(&house, &link(&shown.text)).await;
    let renewed = crate::harness::Vendor { client_secret: secret(&collected.text), ..vendor.clone() };
    assert_eq!(house.ask_token(&renewed, None).await.status, 200);

    // A new client may have keys from the start.
    let new = format!("/vendors/{}/clients", vendor.id);
    let fields = [&[("name", "signer"), ("limit", "all")], &keys[..]].concat();
    let issued = manager.fill(&format!("{new}/new"), &new, &fields).await;
    assert_eq!(issued.status, 303, "{}", issued.text);
    let page = manager.get(issued.header("location")).await.text;
    assert!(page.contains(&signer.thumbprint()), "{page}");
}

async fn the_lines_of_each_kind_of_key_pull_rows(database: Database) {
    let Some(python) = place("TIDEGATE_TEST_AUTHLIB", "a Python with PyJWT") else { return };
    let python = python.into_string().unwrap();
    let house = House::start_with(database, Clock::system(), &[]).await;
    house.catalogue_people(10).await;
    let vendor = house.vendor("Acme Metrics", &[("acme-people", usual("people"))]).await;
    let manager = signed_in(&house, Role::VendorManager).await;
    let folder = tempfile::tempdir().unwrap();
    for algorithm in KeyAlgorithm::ALL {
        let signer = Signer::new(algorithm.key());
        let file = folder.path().join(algorithm.key());
        std::fs::write(&file, signer.private_pem()).unwrap();
        let keys = json!({"keys": [signer.jwk()]}).to_string();
        let client = format!("/clients/{}", vendor.client_id);
        let fields = [("authentication", "keys"), ("keys", keys.as_str()), ("dpop", "optional")];
        let saved = save(&manager, &format!("{client}/authentication"), &fields).await;
        assert_eq!(saved.status, 303, "{}", saved.text);
        let page = manager.get(&client).await.text;
        assert!(!page.contains("data-lines=\"curl\""), "a shell does not sign: {page}");
        let environment = lines(&page, "shell").replace("private-key.pem", file.to_str().unwrap());
        for (key, run) in [("python", format!("{python} -")), ("node", "node --input-type=module -".to_owned())] {
            let rows = run_lines(&environment, &format!("{run} <<'END'\n{}\nEND", lines(&page, key))).await;
            let answer: Value = serde_json::from_str(&rows).unwrap_or_else(|error| panic!("{key} {algorithm:?}: {error}: {rows}"));
            assert_eq!(answer["rows"].as_array().unwrap().len(), 5, "{key} {algorithm:?}: {rows}");
        }
    }
}

async fn a_plain_token_is_ticked_and_collected(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(10).await;
    let vendor = house.vendor("Acme Metrics", &[("acme-people", usual("people")), ("acme-more", usual("people-sql"))]).await;
    let body = json!({"name": "an old machine"});
    let path = format!("/api/v1/vendors/{}/clients", vendor.id);
    let issued = house.post(Role::VendorManager, &path, body).await.good();
    let client = format!("/clients/{}", issued["client_id"].as_str().unwrap());
    let manager = signed_in(&house, Role::VendorManager).await;
    let (form, path) = (format!("{client}/tokens/new"), format!("{client}/tokens"));
    let today = house.clock.now().date();
    let (soon, late) = (today.plus_days(30).to_string(), today.plus_days(400).to_string());
    for (fields, said) in [
        (vec![("ends_on", soon.as_str())], "f-permits"),
        (vec![("permits", "acme-people"), ("ends_on", late.as_str())], "f-ends_on"),
        (vec![("permits", "acme-people"), ("ends_on", "2020-01-01")], "f-ends_on"),
        (vec![("permits", "acme-people"), ("ends_on", "soon")], "f-ends_on"),
        (vec![("permits", "others"), ("ends_on", soon.as_str())], "f-permits"),
    ] {
        let answer = manager.fill(&form, &path, &fields).await;
        assert_eq!(answer.status, 422, "{fields:?}: {}", answer.text);
        assert!(answer.text.contains(said), "{fields:?}: {}", answer.text);
    }
    let shown = manager.fill(&form, &path, &[("permits", "acme-people"), ("ends_on", &soon)]).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    assert!(!shown.text.contains("tg_at_"), "the staff never see the token");
    assert!(manager.get(&client).await.text.contains("waits to be used"));
    let collected = collect(&house, &link(&shown.text)).await;
    let token = secret(&collected.text);
    assert!(token.starts_with("tg_at_"), "{token}");
    assert_eq!(settings(&collected.text), format!("TIDEGATE_URL={}\nTIDEGATE_TOKEN={token}\n", house.url));
    for key in ["curl", "python", "node"] {
        assert!(!lines(&collected.text, key).contains(&token), "the token stands in the lines of {key}");
    }
    run_all_lines(&collected.text).await;
    let page = manager.get(&client).await.text;
    assert!(page.contains("plain") && !page.contains(&token) && !page.contains("a plain token waits"), "{page}");
    house.settle().await;
    let reviewer = signed_in(&house, Role::ComplianceReviewer).await;
    let told = reviewer.get("/history").await.text;
    assert!(told.contains("A plain token was collected"), "{told}");
}
