//! What a vendor can't learn: who a row is about in another vendor's copy, and whatever its permit withholds.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tidegate::domain::person::Role;
use tidegate::engine::sample::{SampleColumn, SampleValues, write_parquet};
use tidegate::store::Clock;

use crate::broker::Broker;
use crate::database::Database;
use crate::harness::{Answer, House, Vendor, people_columns, permit, usual};
use crate::oauth::signer::{JWT_BEARER, Signer};
use crate::on_both;

on_both!(
    two_vendors_join_on_nothing_but_position,
    a_source_that_changes_releases_nothing_new,
    a_source_that_is_gone_is_told_without_its_path
);

const PEOPLE: &str = "/data/v1/datasets/people/records";
const NDJSON: &str = "application/x-ndjson";

fn rows(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn column(rows: &[Value], name: &str) -> Vec<String> {
    rows.iter().map(|row| row[name].as_str().unwrap_or_else(|| panic!("{row}")).to_owned()).collect()
}

/// Everything that could name a person, as pseudonyms; nothing in clear.
fn pseudonyms(dataset: &str) -> Value {
    let pseudonym = json!({"kind": "pseudonym", "format": "base32"});
    permit(dataset, json!({"id": pseudonym, "email": pseudonym, "name": pseudonym, "city": pseudonym, "score": pseudonym}))
}

async fn two_vendors_join_on_nothing_but_position(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(300).await;
    let mut outputs = Vec::new();
    for name in ["one", "two"] {
        let permits = [(format!("{name}-a"), pseudonyms("people")), (format!("{name}-b"), pseudonyms("people-sql"))];
        let permits: Vec<(&str, Value)> = permits.iter().map(|(key, terms)| (key.as_str(), terms.clone())).collect();
        let vendor = house.vendor(name, &permits).await;
        let token = house.token(&vendor).await;
        let parquet = rows(&house.pull(&token, PEOPLE, NDJSON).await);
        let sqlite = rows(&house.pull(&token, "/data/v1/datasets/people-sql/records", NDJSON).await);
        assert_eq!((parquet.len(), sqlite.len()), (300, 300));
        assert_eq!(column(&parquet, "id"), column(&sqlite, "id"), "one vendor's datasets join on the subject, whatever their source");
        // Another field than the subject's is named for its dataset.
        let (mail, other): (BTreeSet<_>, BTreeSet<_>) =
            (column(&parquet, "email").into_iter().collect(), column(&sqlite, "email").into_iter().collect());
        assert!(mail.is_disjoint(&other));
        outputs.push(parquet);
    }
    let values = |rows: &[Value]| -> BTreeSet<String> {
        rows.iter().flat_map(|row| row.as_object().unwrap().values().map(Value::to_string).collect::<Vec<_>>()).collect()
    };
    let (one, two) = (values(&outputs[0]), values(&outputs[1]));
    // 300 of each unique field and four towns.
    assert_eq!((one.len(), two.len()), (4 * 300 + 4, 4 * 300 + 4), "equal values have equal pseudonyms, others others");
    assert_eq!(one.intersection(&two).count(), 0, "two agreements share a pseudonym");
    let towns = |rows: &[Value]| {
        let mut seen = BTreeMap::new();
        column(rows, "city")
            .into_iter()
            .map(|town| {
                let next = seen.len();
                *seen.entry(town).or_insert(next)
            })
            .collect::<Vec<usize>>()
    };
    assert_eq!(towns(&outputs[0]), towns(&outputs[1]), "position joins, as every approver is told");
}

async fn a_source_that_changes_releases_nothing_new(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(40).await;
    let vendor = house.vendor("Drift", &[("drift", usual("people"))]).await;
    let token = house.token(&vendor).await;
    let path = house.sources().join("people.parquet");
    let before = house.pull(&token, PEOPLE, NDJSON).await;
    let fields: BTreeSet<String> = rows(&before)[0].as_object().unwrap().keys().cloned().collect();

    // The source grows a column: nobody decided on it, so nobody gets it.
    let grown = SampleColumn { name: "diagnosis", values: SampleValues::Text(vec![Some("grown-value".to_owned()); 40]) };
    let mut columns = people_columns(40);
    columns.insert(1, grown);
    write_parquet(&path, &columns).unwrap();
    for accept in ["application/json", NDJSON, "text/csv"] {
        let answer = house.pull(&token, PEOPLE, accept).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert!(!answer.text.contains("grown-value") && !answer.text.contains("diagnosis"), "{accept}: a new column left");
    }
    let after = house.pull(&token, PEOPLE, NDJSON).await;
    assert_eq!(rows(&after)[0].as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>(), fields);
    assert_eq!(after.text, before.text, "and the rest goes on as it was");
    let asked = house.pull(&token, &format!("{PEOPLE}?select=diagnosis"), "application/json").await;
    let withheld = house.pull(&token, &format!("{PEOPLE}?select=secret"), "application/json").await;
    let text = |answer: &Answer| answer.json()["detail"].as_str().unwrap().replace("diagnosis", "?").replace("secret", "?");
    assert_eq!((asked.status, withheld.status, text(&asked)), (400, 400, text(&withheld)), "a new field and a withheld one answer alike");

    // A withheld column may change as it likes; a released one may not.
    let mut columns = people_columns(40);
    columns[7].values = SampleValues::Integer(vec![Some(4_242_424_242); 40]);
    write_parquet(&path, &columns).unwrap();
    assert_eq!(house.pull(&token, PEOPLE, NDJSON).await.text, before.text);

    columns[5].values = SampleValues::Text((0..40).map(|row| Some(format!("text-{row}"))).collect());
    write_parquet(&path, &columns).unwrap();
    assert_drifted(&house, &token).await;
    let mut dataset = house.get(Role::DataSteward, "/api/v1/datasets/people").await.good();
    dataset["fields"][5]["type"] = json!("text");
    dataset["fields"][7]["type"] = json!("integer");
    confirm(&house, &dataset).await;
    assert_eq!(rows(&house.pull(&token, PEOPLE, NDJSON).await)[3]["score"], "text-3", "a steward confirmed it");

    // Of a type that the permit's treatment does not fit, even a confirmation releases nothing.
    columns[6].values = SampleValues::Text(vec![Some("many".to_owned()); 40]);
    write_parquet(&path, &columns).unwrap();
    assert_drifted(&house, &token).await;
    let mut dataset = house.get(Role::DataSteward, "/api/v1/datasets/people").await.good();
    dataset["fields"][6]["type"] = json!("text");
    confirm(&house, &dataset).await;
    assert_drifted(&house, &token).await;

    // A released column that is gone is no empty one.
    let columns: Vec<SampleColumn> = people_columns(40).into_iter().filter(|column| column.name != "city").collect();
    write_parquet(&path, &columns).unwrap();
    assert_drifted(&house, &token).await;
}

async fn assert_drifted(house: &House, token: &str) {
    for accept in ["application/json", NDJSON, "text/csv"] {
        let answer = house.pull(token, PEOPLE, accept).await;
        assert_eq!((answer.status, answer.gate().as_str()), (403, "dataset_drift"), "{accept}: {}", answer.text);
    }
}

/// A steward's confirmation of a dataset as it is now.
async fn confirm(house: &House, dataset: &Value) {
    let edit = json!({"version": dataset["version"], "fields": dataset["fields"], "subject": dataset["subject"]});
    house.put(Role::DataSteward, "/api/v1/datasets/people", edit).await.good();
}

async fn a_source_that_is_gone_is_told_without_its_path(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(40).await;
    let vendor = house.vendor("Gone", &[("gone-a", usual("people")), ("gone-b", usual("people-sql"))]).await;
    let token = house.token(&vendor).await;
    let sources = house.sources();
    for (dataset, file) in [("people", "people.parquet"), ("people-sql", "shop.db")] {
        let path = sources.join(file);
        let whole = std::fs::read(&path).unwrap();
        let damages: [Option<Vec<u8>>; 4] =
            [None, Some(Vec::new()), Some(b"no such format".repeat(100)), Some(whole[..whole.len() / 2].to_vec())];
        for damage in damages {
            match damage {
                None => std::fs::remove_file(&path).unwrap(),
                Some(bytes) => std::fs::write(&path, bytes).unwrap(),
            }
            for accept in ["application/json", NDJSON] {
                let answer = house.pull(&token, &format!("/data/v1/datasets/{dataset}/records"), accept).await;
                if answer.status == 403 {
                    // An empty SQLite file is a database without tables: the dataset's has gone.
                    assert_eq!((answer.gate().as_str(), file), ("dataset_drift", "shop.db"), "{}", answer.text);
                    continue;
                }
                assert_eq!(answer.status, 503, "{dataset}: {}", answer.text);
                let detail = answer.json()["detail"].as_str().unwrap().to_owned();
                assert!(detail.contains(&format!("'{dataset}'")), "{detail}");
                for told in [file, sources.to_str().unwrap(), "parquet:", "sqlite"] {
                    assert!(!answer.text.contains(told), "{told} is told: {}", answer.text);
                }
            }
        }
        std::fs::write(&path, whole).unwrap();
        house.pull(&token, &format!("/data/v1/datasets/{dataset}/records"), "application/json").await.good();
    }
    assert_eq!(house.history("kind=closed&outcome=cut").await.len(), 0, "a broken source opens no stream");
}

/// A plain token that is collected by its link and pulled with, an assertion and a proof; answers what was signed.
async fn proofs_of_all_kinds(house: &House, vendor: &Vendor) -> [String; 2] {
    let body = json!({"permits": ["quiet"], "expires_at": house.clock.now().plus_days(1)});
    let issued = house.post(Role::VendorManager, &format!("/api/v1/clients/{}/tokens", vendor.client_id), body).await.good();
    let path = issued["activation_link"].as_str().unwrap().strip_prefix(&house.app.settings.public_url).unwrap();
    let link = format!("{}{path}", house.url);
    for request in [house.http.get(&link), house.http.post(&link), house.http.post(&link)] {
        let page = Answer::of(request.send().await.unwrap()).await;
        if let Some((_, rest)) = page.text.split_once("<code id=\"secret\">") {
            assert_eq!(house.pull(rest.split('<').next().unwrap(), PEOPLE, "application/json").await.status, 200);
        }
    }
    let signer = Signer::new("ES256");
    let body = json!({"name": "signer", "authentication": {"kind": "keys", "keys": [signer.jwk()]}});
    let issued = house.post(Role::VendorManager, &format!("/api/v1/vendors/{}/clients", vendor.id), body).await.good();
    let now = house.clock.now().seconds();
    let issuer = &house.app.settings.public_url;
    let assertion = signer.assertion(issued["client_id"].as_str().unwrap(), issuer, now);
    let proof = signer.proof("POST", &format!("{issuer}/oauth/token"), None, now);
    let pairs = [("grant_type", "client_credentials"), ("client_assertion_type", JWT_BEARER), ("client_assertion", &assertion)];
    for _ in 0..2 {
        let request = house.http.post(format!("{}/oauth/token", house.url)).header("content-type", "application/x-www-form-urlencoded");
        request.header("dpop", &proof).body(serde_urlencoded::to_string(pairs).unwrap()).send().await.unwrap();
    }
    [assertion, proof]
}

/// A whole life of a vendor at the real program, logging all it can: neither answers nor log hold what they must not.
#[test]
fn withheld_values_and_secrets_are_nowhere() {
    crate::database::run(async {
        let mut house = House::start_with(Database::sqlite(), Clock::system(), &[]).await;
        house.stop().await;
        let broker = Broker::in_place_of(&house, &[("TIDEGATE_LOG_LEVEL", "trace")]).await;
        house.url.clone_from(&broker.url);
        house.catalogue_people(100).await;
        let vendor = house.vendor("Quiet", &[("quiet", usual("people"))]).await;
        let token = house.token(&vendor).await;
        let mut said = Vec::new();
        for accept in ["application/json", NDJSON, "text/csv"] {
            said.push(house.pull(&token, PEOPLE, accept).await);
            said.push(house.pull(&token, &format!("{PEOPLE}?city=eq.Bern&select=id,city"), accept).await);
        }
        assert!(said.iter().all(|answer| answer.status == 200));
        said.extend(mistakes(&house, &token).await);
        let signed = proofs_of_all_kinds(&house, &vendor).await;
        house.act(&vendor.id, "suspend").await;
        said.push(house.pull(&token, PEOPLE, NDJSON).await);

        // Nothing that the end of a random id could spell as well.
        let withheld = ["hidden-", "mail.example", "Person Number", "P00000", "1960-01-", "1960-02-", "1960-03-", "person-"];
        for answer in &said {
            let heard = format!("{:?} {}", answer.headers, answer.text);
            for value in withheld {
                assert!(!heard.contains(value), "{value} left: {} {}", answer.status, &answer.text[..answer.text.len().min(300)]);
            }
        }
        let log = broker.log();
        assert!(log.lines().count() > 30, "too little was logged to judge by: {log}");
        let signature = token.rsplit('.').next().unwrap();
        let mut never =
            vec![token.as_str(), signature, &vendor.client_secret, "example.org", "sought-value", "tg_ak_", "tg_cs_", "for the test"];
        never.extend(["tg_at_", "tg_al_"]);
        never.extend(signed.iter().map(|text| text.rsplit('.').next().unwrap()));
        never.extend(withheld);
        never.extend(Role::ALL.map(|role| house.key(role)));
        for secret in never {
            let line = log.lines().find(|line| line.contains(secret));
            assert!(line.is_none(), "{secret} is in the log: {}", line.unwrap());
        }
        for name in ["Kim", "Bern"] {
            let line = log.lines().find(|line| has_word(line, name));
            assert!(line.is_none(), "{name} is in the log: {}", line.unwrap());
        }
        let statuses: BTreeSet<u16> = said.iter().map(|answer| answer.status).collect();
        assert!(statuses.is_superset(&BTreeSet::from([200, 400, 401, 403, 404])), "{statuses:?}");
    });
}

/// Whether a short word stands there by itself: within a longer run of letters and digits, chance may have spelt it.
fn has_word(line: &str, word: &str) -> bool {
    line.split(|letter: char| !letter.is_ascii_alphanumeric()).any(|found| found == word)
}

/// Requests that go wrong in each way, with values in them that must not come back.
async fn mistakes(house: &House, token: &str) -> Vec<Answer> {
    let mut said = Vec::new();
    for query in [
        "secret=eq.sought-value",
        "score=eq.sought-value",
        "select=email",
        "order=secret.asc",
        "cursor=sought-value",
        "purpose=sought-value",
    ] {
        said.push(house.pull(token, &format!("{PEOPLE}?{query}"), "application/json").await);
    }
    said.push(house.pull("sought-value", PEOPLE, NDJSON).await);
    said.push(house.pull(&format!("{}AAAA", &token[..token.len() - 4]), PEOPLE, NDJSON).await);
    said.push(house.pull(token, "/data/v1/datasets/sought-value/records", NDJSON).await);
    said.push(house.pull(token, "/data/v1/sought-value", NDJSON).await);
    said.push(house.post(Role::VendorManager, "/api/v1/vendors", json!({"legal_name": "sought-value", "unknown": 1})).await);
    said.push(house.send("POST", "/api/v1/vendors", "tg_ak_sought-value", Some(&json!({}))).await);
    said.push(house.post(Role::Administrator, "/api/v1/people", json!({"email": "sought-value"})).await);
    said
}
