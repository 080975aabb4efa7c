//! The history for people: the same entries as the API, found by what the URL says, told as they stood.

use serde_json::{Value, json};
use tidegate::domain::person::Role;
use tidegate::store::DatabaseUrl;

use super::lived_in::{LivedIn, of_some};
use crate::browse::Browser;
use crate::database::{Database, run};
use crate::harness::House;

crate::on_both!(the_list_says_what_the_api_says, the_policy_is_told_as_it_stood, what_can_not_be_asked_is_refused_and_kept);

/// The positions of the entries that a page of the history links to, in order, each once.
fn positions(page: &str) -> Vec<i64> {
    let links = page.split("href=\"/history/").skip(1).map(|rest| rest.split('"').next().unwrap().parse::<i64>().unwrap());
    links.collect()
}

/// Entries as the API finds them, newest first.
async fn asked(house: &House, filter: &str) -> Vec<Value> {
    let mut entries = house.history(filter).await;
    entries.reverse();
    entries
}

fn places(entries: &[Value]) -> Vec<i64> {
    entries.iter().map(|entry| entry["position"].as_i64().unwrap()).collect()
}

/// The positions in the first column of a CSV document.
fn column(csv: &str) -> Vec<i64> {
    csv.lines().skip(1).map(|line| line.split(',').next().unwrap().parse().unwrap()).collect()
}

async fn the_list_says_what_the_api_says(database: Database) {
    let lived_in = LivedIn::new(database).await;
    let house = &lived_in.house;
    let browser = lived_in.browser(Role::ComplianceReviewer).await;
    let vendor = house.history("kind=release").await[0]["leaf"]["vendor"].as_str().unwrap().to_owned();
    for (web, api) in [
        ("kind=release", "kind=release"),
        ("kind=refusal&gate=permit", "kind=refusal&gate=permit"),
        ("vendor=Acme&outcome=released", &format!("vendor={vendor}&outcome=released")),
        (&format!("vendor={vendor}&kind=closed"), &format!("vendor={vendor}&kind=closed")),
        ("vendor=+acME+&dataset=people-sql", &format!("vendor={vendor}&dataset=people-sql")),
        ("permit=acme-people&view=table", "permit=acme-people"),
        ("purpose=service-usage-analytics&kind=opened", "purpose=service-usage-analytics&kind=opened"),
        ("person=operator&outcome=issue", "person=operator&outcome=issue"),
        ("from=2026-07-01&to=2026-07-01&kind=release", "kind=release"),
        ("to=2026-06-30", "to=2026-06-30"),
    ] {
        let expected = places(&asked(house, api).await);
        assert!(!expected.is_empty() || web == "to=2026-06-30", "{api} finds nothing, so nothing is shown by it");
        let page = browser.get(&format!("/history?{web}")).await;
        assert_eq!(page.status, 200, "{web}: {}", page.text);
        assert_eq!(positions(&page.text), expected, "{web}");
        let csv = browser.get(&format!("/history.csv?{web}")).await;
        assert_eq!((csv.status, csv.header("content-type")), (200, "text/csv; charset=utf-8; header=present"), "{web}");
        assert!(csv.header("content-disposition").contains("attachment") && csv.header("cache-control") == "no-store");
        assert_eq!(column(&csv.text), expected, "{web}: the CSV is not what is shown");
    }
    pages_follow_each_other(house, &browser).await;
    let page = browser.get("/history?kind=release").await.text;
    assert!(page.contains("received 4") || page.contains("received 5"), "rows are told: {page}");
    assert!(page.contains(">Acme</a>"), "a vendor leads to its page");
    let empty = browser.get("/history?kind=release&to=2020-01-01").await;
    assert!(empty.status == 200 && empty.text.contains("No entry fits"), "{}", empty.text);
}

async fn pages_follow_each_other(house: &House, browser: &Browser<'_>) {
    for at in 0..60 {
        let name = format!("machine {at}");
        let body = json!({"label": name});
        house.post(Role::ComplianceReviewer, "/api/v1/me/keys", body).await.good();
    }
    let expected = places(&asked(house, "").await);
    let (mut found, mut next) = (Vec::new(), "/history?view=table".to_owned());
    loop {
        let page = browser.get(&next).await.text;
        let shown = positions(&page);
        assert!(shown.len() <= 50, "a page is bounded");
        assert!(page.contains(&format!("of {} entries", expected.len())), "the count says how many there are in all");
        found.extend(shown);
        let Some((_, rest)) = page.split_once("rel=\"next\" href=\"") else { break };
        next = rest.split('"').next().unwrap().replace("&#38;", "&");
        assert!(next.contains("view=table"), "the next page is looked at in the same way: {next}");
    }
    assert_eq!(found, expected, "no entry is left out or shown twice");
}

async fn the_policy_is_told_as_it_stood(database: Database) {
    let lived_in = LivedIn::new(database).await;
    let house = &lived_in.house;
    let browser = lived_in.browser(Role::ComplianceReviewer).await;
    let release = places(&asked(house, "kind=release").await)[0];
    let closed = places(&asked(house, "kind=closed").await)[0];
    // What the permit says now is not what it said then.
    let mut narrower = of_some();
    narrower["fields"]["city"] = json!({"kind": "withhold"});
    house.revise("acme-people", house.key(Role::VendorManager), &narrower).await.good();
    house.settle().await;
    for position in [release, closed] {
        let page = browser.get(&format!("/history/{position}")).await;
        assert_eq!(page.status, 200, "{}", page.text);
        for said in [
            "The policy as it stood",
            "<code>city</code></th><td>clear</td>",
            "<code>born</code></th><td>only the year</td>",
            "Analysing how the service is used",
            "Contract (Art. 6(1)(b))",
            "dpa-acme, version 1",
            "acme-people, revision 1",
            "vendor_manager",
            "privacy_officer",
            "1,000,000 rows a day",
            "The bytes kept here have this hash",
            "No checkpoint yet",
        ] {
            assert!(page.text.contains(said), "entry {position} does not say “{said}”: {}", page.text);
        }
        assert!(!page.text.contains("<code>secret</code></th>"), "what was withheld is in no table");
        let csv = browser.get("/history.csv").await.text;
        let line = csv.lines().find(|line| line.starts_with(&format!("{position},"))).unwrap().to_owned();
        assert!(page.text.contains(line.rsplit(',').next().unwrap()), "the leaf hash is that of the CSV");
    }
    let page = browser.get(&format!("/history/{release}")).await.text;
    assert!(page.contains("city is …") && page.contains("Ulm"), "the filter, and beside it its value: {page}");
    let narrowed = places(&asked(house, "kind=policy&permit=acme-people").await)[0];
    let page = browser.get(&format!("/history/{narrowed}")).await.text;
    assert!(page.contains("This entry put it in force") && !page.contains("<code>city</code>"), "{page}");
    let paused = places(&asked(house, "outcome=pause").await)[0];
    let page = browser.get(&format!("/history/{paused}")).await.text;
    assert!(page.contains("for the test") && page.contains("Reason or comment"), "{page}");
    let first = browser.get("/history/0").await.text;
    assert!(!first.contains("Entry before") && first.contains("Entry after"));
    let last = places(&asked(house, "").await)[0];
    let page = browser.get(&format!("/history/{last}")).await.text;
    assert!(page.contains("Entry before") && !page.contains("Entry after"));
    for nowhere in
        [format!("/history/{}", last + 1), "/history/-1".to_owned(), "/history/x".to_owned(), "/history/9223372036854775808".to_owned()]
    {
        assert_eq!(browser.get(&nowhere).await.status, 404, "{nowhere}");
    }
}

async fn what_can_not_be_asked_is_refused_and_kept(database: Database) {
    let lived_in = LivedIn::new(database).await;
    let browser = lived_in.browser(Role::ComplianceReviewer).await;
    let hostile = "\u{202e}\u{200b}\"><script>alert(1)</script>{{7*7}}";
    for name in
        ["vendor", "permit", "from", "to", "kind", "gate", "outcome", "dataset", "purpose", "person", "client", "release", "view", "before"]
    {
        for value in [hostile, "'; DROP TABLE people --", "\0", &"x".repeat(5_000)] {
            let query = serde_urlencoded::to_string([(name, value), ("from", "2026-07-01")]).unwrap();
            let page = browser.get(&format!("/history?{query}")).await;
            // Control characters are no part of a name that a search trims; nothing else is taken.
            assert!(page.status == 422, "{name}={value:?}: {}", page.status);
            assert!(page.text.contains("One thing needs to be put right"), "{name}={value:?}");
            assert!(!page.text.contains("<script>alert"), "{name}: mark-up that was typed is mark-up");
            assert!(positions(&page.text).is_empty(), "{name}: nothing is shown that was not asked for");
            if name != "from" {
                assert!(page.text.contains("value=\"2026-07-01\""), "{name}: what was typed stays");
            }
            assert_eq!(browser.get(&format!("/history.csv?{query}")).await.status, 422, "{name}");
        }
    }
    let page = browser.get("/history?vendor=Nobody+%26+Sons&from=yesterday").await.text;
    assert!(page.contains("value=\"Nobody &#38; Sons\"") && page.contains("value=\"yesterday\""), "{page}");
    assert!(page.contains("href=\"#f-vendor\"") && page.contains("href=\"#f-from\"") && page.contains("2 things"), "{page}");
}

/// An entry whose bytes were changed behind the program's back says so.
#[test]
fn an_entry_that_was_changed_is_told() {
    use diesel::connection::SimpleConnection;
    use diesel::{Connection, SqliteConnection};
    run(async {
        let lived_in = LivedIn::new(Database::sqlite()).await;
        let DatabaseUrl::Sqlite(path) = &lived_in.house.database().url else { panic!("this is SQLite") };
        let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        conn.batch_execute(
            "PRAGMA busy_timeout = 10000; UPDATE history_entries SET bytes = CAST(replace(CAST(bytes AS TEXT), '\"rows\":', '\"rows\":9') AS BLOB) WHERE kind = 'release'; \
             UPDATE history_entries SET beside = NULL, beside_salt = NULL WHERE outcome = 'pause'",
        )
        .unwrap();
        let browser = lived_in.browser(Role::ComplianceReviewer).await;
        let at = async |filter: &str| places(&asked(&lived_in.house, filter).await)[0];
        let changed = browser.get(&format!("/history/{}", at("kind=release").await)).await.text;
        assert!(changed.contains("<strong>not</strong> have this hash") && !changed.contains("The bytes kept here have"), "{changed}");
        let erased = browser.get(&format!("/history/{}", at("outcome=pause").await)).await.text;
        assert!(erased.contains("was erased") && erased.contains("The bytes kept here have this hash"), "{erased}");
    });
}
