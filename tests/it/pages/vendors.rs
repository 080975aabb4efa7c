//! The pages of vendors and the first page: who sees and does what, what was typed stays, and who comes second is told.

use serde_json::json;
use tidegate::app::people::{self, AddPerson};
use tidegate::domain::person::{Actor, Role};
use tidegate::domain::secret::PlainSecret;

use crate::browse::{Browser, token};
use crate::database::{Database, run};
use crate::harness::{Answer, House, usual};

const PASSWORD: &str = "correct horse battery";
const NOBODY: &str = "0190a0b0-0000-7000-8000-000000000000";

crate::on_both!(
    a_vendor_is_registered_found_changed_and_moved,
    who_comes_second_is_told_what_stands,
    the_list_is_what_its_address_asks_for,
    a_stop_says_what_stops_and_stops_it,
);

/// A browser of somebody with a role.
async fn person<'a>(house: &'a House, role: Role) -> Browser<'a> {
    let email = format!("page-{}@example.org", role.key());
    let new = AddPerson { email: email.parse().unwrap(), name: "Ada".parse().unwrap(), role, password: PlainSecret::new(PASSWORD) };
    people::add(&house.app, &Actor::Operator, new).await.unwrap();
    Browser::signed_in(house, &email, PASSWORD).await
}

/// A form that lacks nothing, with other values in place of some.
fn profile<'a>(house: &'a House, other: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let least = [
        ("legal_name", "Acme Ltd"),
        ("country", "DE"),
        ("role", "processor"),
        ("tier", "standard"),
        ("owner", house.person_id(Role::VendorManager)),
    ];
    let own = |key: &str| other.iter().any(|(name, _)| *name == key);
    least.into_iter().filter(|(key, _)| !own(key)).chain(other.iter().copied()).collect()
}

async fn registered(browser: &Browser<'_>, other: &[(&str, &str)]) -> String {
    let answer = browser.fill("/vendors/new", "/vendors", &profile(browser.house, other)).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    answer.header("location").to_owned()
}

fn has(answer: &Answer, texts: &[&str]) {
    for text in texts {
        assert!(answer.text.contains(text), "{text} is not in {}", answer.text);
    }
}

fn lacks(answer: &Answer, texts: &[&str]) {
    for text in texts {
        assert!(!answer.text.contains(text), "{text} is in {}", answer.text);
    }
}

async fn a_vendor_is_registered_found_changed_and_moved(database: Database) {
    let house = House::start(database).await;
    let manager = person(&house, Role::VendorManager).await;
    has(&manager.get("/").await, &["Welcome to Tidegate", "/help/first-run", "Watch the first pull"]);
    has(&manager.get("/vendors").await, &["No vendors yet", "Register the first vendor"]);

    let contact = [
        ("contact_0_name", "Kim"),
        ("contact_0_email", "kim@example.org"),
        ("contact_0_about", "privacy"),
        ("contact_1_name", ""),
        ("location_0", "Germany"),
        ("location_1", "fr"),
    ];
    let path = registered(&manager, &contact).await;
    let page = manager.get(&path).await;
    has(&page, &["Acme Ltd is registered.", "kim@example.org", "Germany, France", "Begin triage", "tg-gate-closed"]);
    has(&manager.get("/vendors?q=ACME").await, &["Acme Ltd", "1 vendor"]);
    has(&manager.get("/").await, &["New vendor", &format!("{path}/acts/triage"), "Releases and refusals"]);

    let page = manager.get(&format!("{path}/edit")).await;
    has(&page, &["value=\"Kim\"", "value=\"France\"", "name=\"version\" value=\"1\""]);
    let change = profile(&house, &[("legal_name", "Acme & Sons"), ("version", "1")]);
    let answer = manager.fill(&format!("{path}/edit"), &path, &change).await;
    assert_eq!((answer.status, answer.header("location")), (303, path.as_str()));
    has(&manager.get(&path).await, &["Acme &#38; Sons", "The change is saved.", "Nobody is named."]);

    // A state that was read long ago overwrites nothing; what was typed stays, beside what is stored.
    let late = profile(&house, &[("legal_name", "Acme Late"), ("tier", "critical"), ("version", "1")]);
    let answer = manager.fill(&format!("{path}/edit"), &path, &late).await;
    assert_eq!(answer.status, 409);
    has(&answer, &["Somebody else changed this vendor", "value=\"Acme Late\"", "Acme &#38; Sons", "name=\"version\" value=\"2\""]);
    let fields: Vec<(&str, &str)> = late.into_iter().filter(|(name, _)| *name != "version").chain([("version", "2")]).collect();
    let csrf = token(&answer.text);
    let again: Vec<(&str, &str)> = fields.into_iter().chain([("csrf", csrf.as_str())]).collect();
    assert_eq!(manager.submit(&path, &again).await.status, 303, "saved once it is known what it replaces");

    let act = format!("{path}/acts/triage");
    let answer = manager.fill(&act, &act, &[("reason", "no")]).await;
    assert_eq!(answer.status, 422);
    has(&answer, &["3 to 2000 characters", ">\nno</textarea>"]);
    assert_eq!(manager.fill(&act, &act, &[("reason", "for the test")]).await.status, 303);
    has(&manager.get(&path).await, &["Acme Late is in triage.", "Begin due diligence"]);
    house.settle().await;
    has(&manager.get(&format!("{path}?tab=history")).await, &["into triage", "registered", "/history/"]);
}

async fn who_comes_second_is_told_what_stands(database: Database) {
    let house = House::start(database).await;
    let manager = person(&house, Role::VendorManager).await;
    let path = registered(&manager, &[]).await;
    let act = format!("{path}/acts/triage");
    // Two pages are open; both are sent.
    let tokens = [token(&manager.get(&act).await.text), token(&manager.get(&act).await.text)];
    let send = async |csrf: &str| manager.submit(&act, &[("csrf", csrf), ("reason", "it is time")]).await;
    let (one, other) = futures::join!(send(&tokens[0]), send(&tokens[1]));
    let mut answers = [one, other];
    answers.sort_by_key(|answer| answer.status);
    assert_eq!(answers.each_ref().map(|answer| answer.status), [303, 409]);
    has(&answers[1], &["This is done already", "Triage", "it is time", &path, "acts/begin-due-diligence"]);
    // The same form once more leads where it led, and does nothing.
    let again = send(&tokens[0]).await;
    assert!(matches!(again.status, 303 | 409), "{}", again.text);

    let asked = manager.get(&format!("{path}/acts/suspend")).await;
    assert_eq!(asked.status, 409);
    has(&asked, &["Not from where it stands", "nothing was changed"]);
    lacks(&asked, &["name=\"reason\""]);

    // A name that is taken, in other letters; and the same form sent twice registers one vendor.
    let answer = manager.fill("/vendors/new", "/vendors", &profile(&house, &[("legal_name", "ACME  LTD"), ("address", "kept")])).await;
    assert_eq!(answer.status, 409);
    has(&answer, &["f-legal_name-error", "value=\"ACME  LTD\"", "value=\"kept\"", "href=\"#f-legal_name\""]);
    let csrf = token(&manager.get("/vendors/new").await.text);
    let fields: Vec<(&str, &str)> = profile(&house, &[("legal_name", "Twice"), ("csrf", &csrf)]);
    let led = [manager.submit("/vendors", &fields).await, manager.submit("/vendors", &fields).await];
    assert_eq!(led.each_ref().map(|answer| answer.status), [303, 303]);
    assert_eq!(led[0].header("location"), led[1].header("location"));
    has(&manager.get("/vendors?q=twice").await, &["1 vendor"]);
}

async fn the_list_is_what_its_address_asks_for(database: Database) {
    let house = House::start(database).await;
    let manager = person(&house, Role::VendorManager).await;
    for at in 0..53 {
        let body = json!({
            "legal_name": format!("Firm {at:02}"), "country": "DE", "role": "processor",
            "tier": if at % 2 == 0 { "low" } else { "critical" }, "owner": house.person_id(Role::VendorManager)
        });
        house.post(Role::VendorManager, "/api/v1/vendors", body).await.good();
    }
    registered(&manager, &[("legal_name", "=1+1,\"x\"")]).await;

    let first = manager.get("/vendors").await;
    has(&first, &["Firm 00", "54 vendors", "rel=\"next\"", "vendors.csv"]);
    lacks(&first, &["Firm 52", "First page"]);
    let next = first.text.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&#38;", "&");
    let second = manager.get(&next).await;
    has(&second, &["Firm 52", "First page"]);
    lacks(&second, &["Firm 00", "rel=\"next\""]);
    has(&manager.get("/vendors?tier=critical&sort=newest").await, &["26 vendors"]);
    has(&manager.get("/vendors?q=nobody").await, &["No vendor fits", "value=\"nobody\""]);
    for bad in ["/vendors?tier=huge", "/vendors?sort=x", "/vendors?owner=me", "/vendors?after=x", "/vendors.csv?review=x"] {
        let answer = manager.get(bad).await;
        assert_eq!(answer.status, 422, "{bad}");
        // The address itself stands in the theme's form, for the way back.
        lacks(&answer, &["value=\"huge\"", ">huge<"]);
    }
    let wrong_order = manager.get(&format!("{next}&sort=tier")).await;
    assert_eq!(wrong_order.status, 422, "a cursor belongs to its order");

    // htmx gets the rows alone, and the address that they are at.
    let part = manager.send(manager.request("GET", "/vendors?q=firm+1&lifecycle=&tier=").header("hx-request", "true")).await;
    assert_eq!((part.status, part.header("hx-push-url")), (200, "/vendors?q=firm+1"));
    has(&part, &["Firm 10"]);
    lacks(&part, &["<html", "Firm 20", "filter-q"]);

    // The CSV holds what the list holds, and no cell of it is a formula.
    let csv = manager.get("/vendors.csv?tier=critical").await;
    assert_eq!((csv.status, csv.header("cache-control")), (200, "no-store"));
    assert_eq!(csv.text.lines().count(), 27, "{}", csv.text);
    has(&manager.get("/vendors.csv").await, &["\"'=1+1,\"\"x\"\"\""]);
    let head = manager.send(manager.request("HEAD", "/vendors.csv")).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
}

async fn a_stop_says_what_stops_and_stops_it(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(20).await;
    let vendor = house.vendor("Acme", &[("acme-people", usual("people"))]).await;
    let bearer = house.token(&vendor).await;
    let pull = async || house.pull(&bearer, "/data/v1/datasets/people/records", "application/json").await.status;
    assert_eq!(pull().await, 200);
    house.settle().await;
    let (officer, steward) = (person(&house, Role::PrivacyOfficer).await, person(&house, Role::DataSteward).await);
    let path = format!("/vendors/{}", vendor.id);
    for (tab, shown) in [
        ("diligence", vec!["Certificate", "Security", "Approved"]),
        ("agreements", vec!["dpa-acme", "acme-people", "In force", "/datasets/people"]),
        ("access", vec!["machine", "Live", &vendor.client_id]),
        ("releases", vec!["received", "Released"]),
        ("releases&outcome=refused", vec!["Nothing to show"]),
        ("history", vec!["activated", "recorded a signature"]),
    ] {
        has(&officer.get(&format!("{path}?tab={tab}")).await, &shown);
    }
    for bad in ["tab=nothing", "tab=history&before=x", "tab=history&before=-1", "tab=releases&outcome=x"] {
        let status = officer.get(&format!("{path}?{bad}")).await.status;
        assert!(matches!(status, 404 | 422), "{bad}: {status}");
    }
    // The history is not for everyone who reads.
    let page = steward.get(&path).await;
    assert_eq!(page.status, 200);
    lacks(&page, &["tab=history", "What happened lately"]);
    assert_eq!(steward.get(&format!("{path}?tab=history")).await.status, 403);

    let act = format!("{path}/acts/suspend");
    has(&officer.get(&act).await, &["This stops at once", "1 client", "1 token", "1 permit", "Last pull just now"]);
    assert_eq!(pull().await, 200, "asking stops nothing");
    assert_eq!(officer.fill(&act, &act, &[("reason", "a breach at the vendor")]).await.status, 303);
    assert_eq!(pull().await, 403, "it is stopped");
    let page = officer.get(&path).await;
    has(&page, &["is suspended", "Suspended", "acts/offboard"]);
    lacks(&page, &["acts/reinstate", "/edit\""]);
    // An officer may stop; to reopen is for somebody else.
    assert_eq!(officer.get(&format!("{path}/acts/reinstate")).await.status, 403);
}

#[test]
fn each_role_sees_its_own_acts_and_no_other() {
    run(async {
        let house = House::start(Database::sqlite()).await;
        let manager = person(&house, Role::VendorManager).await;
        let path = registered(&manager, &[]).await;
        for role in [Role::Administrator, Role::PrivacyOfficer, Role::DataSteward, Role::ComplianceReviewer] {
            let browser = person(&house, role).await;
            for page in ["/".to_owned(), "/vendors".to_owned(), path.clone(), format!("{path}?tab=diligence"), format!("{path}?tab=access")]
            {
                let shown = browser.get(&page).await;
                assert_eq!(shown.status, 200, "{role:?} {page}: {}", shown.text);
                lacks(&shown, &["/vendors/new\"", "/acts/triage", "/edit\"", "clients/new", "name=\"kind\""]);
            }
            for page in ["/vendors/new".to_owned(), format!("{path}/edit"), format!("{path}/acts/triage"), format!("{path}/acts/retire")] {
                assert_eq!(browser.get(&page).await.status, 403, "{role:?} {page}");
            }
            let csrf = token(&browser.get("/account").await.text);
            for (form, mut fields) in [
                ("/vendors".to_owned(), profile(&house, &[("legal_name", "Mine")])),
                ("/vendors/new".to_owned(), vec![]),
                (path.clone(), profile(&house, &[("version", "1")])),
                (format!("{path}/acts/triage"), vec![("reason", "because")]),
            ] {
                fields.push(("csrf", &csrf));
                assert_eq!(browser.submit(&form, &fields).await.status, 403, "{role:?} {form}");
            }
        }
        has(&person_of_dashboard(&house).await, &["changes none of it", "New vendor"]);
        lacks(&manager.get("/vendors?q=Mine").await, &["1 vendor "]);
        has(&manager.get("/vendors?q=Mine").await, &["No vendor fits"]);
    });
}

async fn person_of_dashboard(house: &House) -> Answer {
    Browser::signed_in(house, "page-compliance_reviewer@example.org", PASSWORD).await.get("/").await
}

/// Nothing, too much, the wrong kind, mark-up and letters that turn the text around: an error beside the field or the
/// text as it was typed, and never the house's fault.
#[test]
fn bad_input_is_answered_beside_its_field() {
    run(async {
        let house = House::start(Database::sqlite()).await;
        let manager = person(&house, Role::VendorManager).await;
        let long = "x".repeat(600);
        let table: [(&[(&str, &str)], &str); 9] = [
            (&[("legal_name", "")], "legal_name"),
            (&[("legal_name", &long)], "legal_name"),
            (&[("legal_name", "a\u{0}b")], "legal_name"),
            (&[("country", "XX")], "country"),
            (&[("tier", "7"), ("role", "[]")], "tier"),
            (&[("owner", NOBODY)], "owner"),
            (&[("owner", "")], "owner"),
            (&[("contact_0_name", "Kim"), ("contact_0_email", "<script>alert(1)</script>")], "contact_0_email"),
            (&[("location_1", "{{7*7}}")], "location_1"),
        ];
        for (other, field) in table {
            let answer = manager.fill("/vendors/new", "/vendors", &profile(&house, other)).await;
            assert_eq!(answer.status, 422, "{other:?}");
            has(&answer, &[&format!("f-{field}-error"), &format!("href=\"#f-{field}\""), "put right"]);
            lacks(&answer, &["<script>alert"]);
        }
        let nothing = manager.fill("/vendors/new", "/vendors", &[]).await;
        assert_eq!(nothing.status, 422);
        has(&nothing, &["5 things need to be put right"]);

        let hostile = "\u{202e}<b>{{7*7}}\u{200b}'\"";
        let path = registered(&manager, &[("legal_name", hostile), ("tier_note", hostile)]).await;
        for page in ["/vendors".to_owned(), "/".to_owned(), path.clone(), format!("{path}/edit"), format!("{path}/acts/triage")] {
            let shown = manager.get(&page).await;
            assert_eq!(shown.status, 200, "{page}");
            lacks(&shown, &["<b>"]);
            has(&shown, &["{{7*7}}"]);
        }
        for missing in ["/vendors/x", "/vendors/%00", &format!("/vendors/{NOBODY}"), &format!("{path}/acts/nothing")] {
            assert_eq!(manager.get(missing).await.status, 404, "{missing}");
        }
        assert_eq!(manager.get("/vendors?q=%00%ff&tier=").await.status, 200);

        // One more row keeps what was typed, registers nothing, and is asked for as often as is wanted.
        let csrf = token(&manager.get("/vendors/new").await.text);
        let fields = [("csrf", csrf.as_str()), ("more", "contact"), ("legal_name", "Half"), ("contact_0_name", "Kim")];
        for _ in 0..2 {
            let more = manager.submit("/vendors/new", &fields).await;
            assert_eq!(more.status, 200);
            has(&more, &["value=\"Half\"", "value=\"Kim\"", "f-contact_1_name"]);
            lacks(&more, &["f-contact_2_name"]);
        }
        has(&manager.get("/vendors?q=half").await, &["No vendor fits"]);
    });
}
