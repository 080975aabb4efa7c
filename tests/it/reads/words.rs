//! The history in words: no act without its sentence, no sentence with a gap, names where there are any, ids where not.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::json;
use tidegate::app::history::{self, HistoryLine, Part, sentences};
use tidegate::app::lists::{HistoryFilter, HistoryPage};
use tidegate::domain::person::Role;
use tidegate::domain::vendor::VendorAct;

use super::Quiet;
use super::seed::{Size, id};
use crate::database::Database;
use crate::harness::{House, beginning, processor_terms, usual};

crate::on_both!(
    the_whole_path_reads_as_sentences,
    a_name_that_is_gone_leaves_its_id,
    facets_count_what_the_filter_leaves,
    a_time_filter_finds_what_clocks_disorder
);

/// The arguments of a call whose parenthesis opens at `open`, split at the outermost commas.
fn arguments(text: &str, open: usize) -> Vec<String> {
    let (mut depth, mut parts, mut quoted) = (0, vec![String::new()], false);
    for sign in text[open..].chars() {
        match sign {
            '"' => quoted = !quoted,
            '(' | '{' | '[' if !quoted => depth += 1,
            ')' | '}' | ']' if !quoted => depth -= 1,
            ',' if depth == 1 && !quoted => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
        parts.last_mut().unwrap().push(sign);
    }
    parts[0].remove(0);
    parts.iter().map(|part| part.trim().to_owned()).collect()
}

fn literal(argument: &str) -> Option<String> {
    argument.strip_prefix('"')?.strip_suffix('"').map(str::to_owned)
}

fn calls(text: &str, name: &str) -> Vec<Vec<String>> {
    let begins =
        |at: usize| !text[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_') && !text[..at].ends_with("fn ");
    text.match_indices(&format!("{name}(")).filter(|(at, _)| begins(*at)).map(|(at, found)| arguments(text, at + found.len() - 1)).collect()
}

fn files(under: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(under).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// Every act that the code writes, as far as its text tells: the verbs of `Act::new`, and of the helpers `entry` and
/// `step` beside one.
fn written() -> BTreeSet<(String, String)> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/app");
    let mut paths = Vec::new();
    files(&root, &mut paths);
    let (mut found, mut nouns, mut verbs) = (BTreeSet::new(), BTreeMap::new(), Vec::new());
    for path in paths.iter().filter(|path| path.extension().is_some_and(|ending| ending == "rs")) {
        let text = std::fs::read_to_string(path).unwrap();
        let home =
            path.strip_prefix(&root).unwrap().components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned();
        for call in calls(&text, "Act::new") {
            match (literal(&call[0]), literal(&call[2])) {
                (Some(noun), Some(act)) => drop(found.insert((noun, act))),
                (Some(noun), None) => drop(nouns.insert(home.clone(), noun)),
                _ => panic!("{}: an act whose noun is no text", path.display()),
            }
        }
        for call in calls(&text, "entry").into_iter().chain(calls(&text, "step")) {
            verbs.extend(call.iter().skip(1).filter_map(|argument| literal(argument)).map(|act| (home.clone(), act)));
        }
    }
    found.extend(verbs.into_iter().map(|(home, act)| (nouns[&home].clone(), act)));
    found.extend(VendorAct::ALL.map(|act| ("vendor".to_owned(), act.key().to_owned())));
    found
}

#[test]
fn every_act_in_the_code_has_a_sentence() {
    let written = written();
    assert!(written.len() >= 45, "the code is read at all: {written:?}");
    for must in [("agreement", "approve"), ("permit", "pause"), ("vendor", "register"), ("token", "revoke"), ("assessment", "send")] {
        assert!(written.contains(&(must.0.to_owned(), must.1.to_owned())), "{must:?} was not found");
    }
    let silent: Vec<_> = written.iter().filter(|(noun, act)| sentences::of_act(noun, act).is_none()).collect();
    assert!(silent.is_empty(), "acts without a sentence in src/app/history/sentences.rs: {silent:?}");
}

#[test]
fn no_act_has_two_sentences() {
    let acts: BTreeSet<_> = sentences::SENTENCES.iter().map(|(noun, act, _)| (noun, act)).collect();
    assert_eq!(acts.len(), sentences::SENTENCES.len());
}

async fn told(house: &House) -> Vec<HistoryLine> {
    house.settle().await;
    let mut lines = history::lines(&house.app, HistoryFilter::default(), HistoryPage { before: None, limit: 1_000 }).await.unwrap();
    lines.reverse();
    lines
}

async fn the_whole_path_reads_as_sentences(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(20).await;
    let vendor = house.vendor("Acme", &[("acme-people", usual("people"))]).await;
    let token = house.token(&vendor).await;
    let because = json!({"reason": "for the test"});
    house.pull(&token, "/data/v1/datasets/people/records", "application/json").await.good();
    house.pull(&token, "/data/v1/datasets/people/records", "text/csv").await;
    let manager = Role::VendorManager;
    let stop = async |path: &str| house.post(manager, path, because.clone()).await.good();
    stop("/api/v1/permits/acme-people/pause").await;
    house.pull(&token, "/data/v1/datasets/people/records", "application/json").await;
    house.post(Role::PrivacyOfficer, "/api/v1/permits/acme-people/resume", because.clone()).await.good();
    stop(&format!("/api/v1/vendors/{}/suspend", vendor.id)).await;
    house.act(&vendor.id, "reinstate").await;
    house.post(manager, &format!("/api/v1/clients/{}/rotate", vendor.client_id), json!({})).await.good();
    let paper = house.assess(&vendor.id).await;
    let other = house.draft(&vendor.id, "Second", &paper, &[("second", usual("people"))]).await;
    let base = format!("/api/v1/agreements/{other}/versions/1");
    let read = house.get(manager, &format!("/api/v1/agreements/{other}")).await.good()["versions"][0]["version"].clone();
    house.put(manager, &format!("{base}/terms"), json!({"version": read, "terms": processor_terms(&house.clock, &paper)})).await.good();
    house.post(manager, &format!("{base}/discard"), because.clone()).await.good();
    stop("/api/v1/permits/acme-people/end").await;
    stop(&format!("/api/v1/clients/{}/revoke", vendor.client_id)).await;
    stop(&format!("/api/v1/agreements/{}/end", vendor.agreement)).await;
    for act in ["offboard", "retire"] {
        house.act(&vendor.id, act).await;
    }
    let lines = told(&house).await;
    for line in &lines {
        assert!(line.known, "{}", line.text());
        assert!(!line.text().contains("(not said)") && !line.text().contains(['{', '}', '[', ']']), "{}", line.text());
        let nameless = line.sentence.iter().any(|part| match part {
            Part::Person { name, .. } | Part::Vendor { name, .. } | Part::Client { name, .. } => name.is_none(),
            Part::Agreement { reference, .. } => reference.is_none(),
            Part::Text { .. } | Part::Permit { .. } | Part::Dataset { .. } => false,
        });
        assert!(!nameless, "{}", line.text());
    }
    let texts: Vec<String> = lines.iter().map(HistoryLine::text).collect();
    for expected in [
        "The operator added vendor_manager as vendor manager",
        "vendor_manager registered Acme as processor, tier critical",
        "privacy_officer decided a security assessment of Acme: approved, valid until 2026-12-28",
        "Acme moved from due diligence to approved by a decision of privacy_officer",
        "privacy_officer approved version 1 of dpa-acme; author was vendor_manager",
        "vendor_manager recorded a signature on version 1 of dpa-acme",
        "vendor_manager put revision 1 of acme-people in force on people for service usage analytics",
        "machine of Acme received 20 rows of people under acme-people",
        "machine of Acme began a stream of people under acme-people",
        "machine of Acme received a whole stream of people under acme-people: 20 rows",
        "machine of Acme was refused at the gate permit on people under acme-people",
        "vendor_manager suspended Acme: every release to it stopped",
        "vendor_manager gave up version 1 of dpa-second",
        "vendor_manager retired Acme for good",
    ] {
        assert!(texts.iter().any(|text| text == expected), "nobody said '{expected}': {texts:#?}");
    }
    let paused = lines.iter().find(|line| line.text() == "vendor_manager paused acme-people: releases on it stopped").unwrap();
    assert_eq!(paused.beside.as_deref(), Some("for the test"));
    let mine = HistoryFilter { client: Some(vendor.client_id.clone()), ..HistoryFilter::default() };
    let of_client = history::lines(&house.app, mine, HistoryPage { before: None, limit: 100 }).await.unwrap();
    assert!(of_client.len() >= 6 && of_client.iter().all(|line| line.text().contains("machine")), "{of_client:?}");
}

async fn a_name_that_is_gone_leaves_its_id(database: Database) {
    let quiet = Quiet::seeded(database, Size { vendors: 20, entries: 40 }, beginning()).await;
    let page = HistoryPage { before: None, limit: 100 };
    let act = HistoryFilter { kind: Some("act".into()), outcome: Some("edit".into()), ..HistoryFilter::default() };
    let lines = history::lines(&quiet.app, act.clone(), page.clone()).await.unwrap();
    assert!(lines.iter().all(|line| line.text().starts_with("Person 2 changed what is stated of Vendor ")), "{lines:?}");
    // Whoever acted is kept by id only, so the leaf stays what it was.
    let past = if quiet.is_postgres() { "SET session_replication_role = replica" } else { "PRAGMA foreign_keys = OFF" };
    quiet.execute(&format!("{past}; UPDATE people SET id = '{}' WHERE id = '{}'", id(1, 9), id(1, 2)));
    let lines = history::lines(&quiet.app, act, page).await.unwrap();
    let expected = Part::Person { id: id(1, 2), name: None };
    assert!(!lines.is_empty() && lines.iter().all(|line| line.sentence[0] == expected), "{lines:?}");
}

async fn facets_count_what_the_filter_leaves(database: Database) {
    let quiet = Quiet::seeded(database, Size { vendors: 50, entries: 10_400 }, beginning()).await;
    let all = history::facets(&quiet.app, HistoryFilter::default()).await.unwrap();
    assert_eq!((all.counted, all.more), (5_000, true), "what is beyond is not counted");
    let refusals = HistoryFilter { kind: Some("refusal".into()), ..HistoryFilter::default() };
    let few = history::facets(&quiet.app, refusals).await.unwrap();
    assert_eq!((few.counted, few.more), (520, false));
    assert_eq!(few.kinds, BTreeMap::from([("refusal".to_owned(), 520)]));
    assert_eq!(few.outcomes, BTreeMap::from([("refused".to_owned(), 520)]));
    assert_eq!(few.gates, BTreeMap::from([("quota".to_owned(), 173), ("vendor".to_owned(), 347)]));
}

/// Positions follow rights, not clocks: an entry whose clock stood wrong is found by its time all the same.
async fn a_time_filter_finds_what_clocks_disorder(database: Database) {
    let quiet = Quiet::seeded(database, Size { vendors: 10, entries: 0 }, beginning()).await;
    let start = beginning();
    for hours in [0, 5, 3, 200, 4, 201] {
        quiet.app.clock.set(start.plus_seconds(hours * 3_600 + 60));
        let name = format!("Person at {hours}");
        let new = tidegate::app::people::AddPerson {
            email: format!("at{hours}@example.org").parse().unwrap(),
            name: name.parse().unwrap(),
            role: Role::DataSteward,
            password: tidegate::app::people::generated_password(),
        };
        tidegate::app::people::add(&quiet.app, &tidegate::domain::person::Actor::Operator, new).await.unwrap();
        quiet.app.store.sequence().await.unwrap();
    }
    let found = async |from: i64, to: i64| {
        let at = |hours: i64| Some(start.plus_seconds(hours * 3_600));
        let filter = HistoryFilter { kind: Some("act".into()), from: at(from), to: at(to), ..HistoryFilter::default() };
        let lines = history::lines(&quiet.app, filter, HistoryPage { before: None, limit: 50 }).await.unwrap();
        lines.iter().map(HistoryLine::text).filter(|text| text.contains(" at ")).collect::<Vec<_>>()
    };
    let said = |hours: i64| format!("The operator added Person at {hours} as data steward");
    assert_eq!(found(3, 6).await, [said(4), said(3), said(5)]);
    assert_eq!(found(200, 202).await, [said(201), said(200)]);
    assert_eq!(found(6, 200).await, Vec::<String>::new());
}
