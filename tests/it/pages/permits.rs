//! The permit matrix in the browser: samples on real rows, bulk changes, what saving does said first, and who approves.

use serde_json::json;
use tidegate::domain::person::Role;

use super::agreements::{hidden, led_to};
use super::assessments::person;
use crate::browse::{Browser, token};
use crate::database::Database;
use crate::harness::{Answer, House, Vendor, usual};

crate::on_both!(
    a_permit_is_written_narrowed_and_widened,
    samples_are_for_those_who_write_and_a_bulk_change_saves_nothing,
    a_revision_is_based_on_what_was_read,
    what_is_wrong_stands_beside_its_field,
    a_list_is_narrowed,
    the_matrix_knows_every_treatment_with_its_settings,
    an_officer_turns_tokens_back_on_a_page,
);

async fn begun(database: Database) -> (House, Vendor) {
    let house = House::start(database).await;
    house.catalogue_people(20).await;
    let vendor = house.vendor("Acme", &[("acme-people", usual("people"))]).await;
    (house, vendor)
}

/// A permit as it is typed.
const TYPED: &[(&str, &str)] = &[
    ("purpose", "service-usage-analytics"),
    ("legal_basis", "contract"),
    ("instruction", "Count."),
    ("daily_rows", "1,000,000"),
    ("treatment.id", "pseudonym"),
    ("treatment.city", "clear"),
    ("treatment.born", "generalise_date"),
    ("was.born", "generalise_date"),
    ("param.born.unit", "year"),
    ("treatment.score", "clear"),
    ("treatment.spent", "round"),
    ("was.spent", "round"),
    ("param.spent.step", "10"),
];

/// The form with some fields typed otherwise.
fn typed<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = TYPED.iter().filter(|(name, _)| changes.iter().all(|(other, _)| other != name));
    kept.chain(changes).copied().collect()
}

/// Fills in the matrix of a page with what its hidden fields say.
async fn fill(browser: &Browser<'_>, page: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
    let shown = browser.get(page).await.text;
    send(browser, &shown, path, fields, false).await
}

async fn send(browser: &Browser<'_>, shown: &str, path: &str, fields: &[(&str, &str)], part: bool) -> Answer {
    let names = ["csrf", "dataset", "permit", "number", "based_on", "read"];
    let own: Vec<(&str, String)> = names.into_iter().map(|name| (name, hidden(shown, name))).collect();
    let mut all: Vec<(&str, &str)> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
    all.extend(fields.iter().copied());
    let mut request = browser.request("POST", path).header("origin", &browser.house.url);
    if part {
        request = request.header("hx-request", "true");
    }
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    browser.send(request.body(serde_urlencoded::to_string(all).unwrap())).await
}

async fn a_permit_is_written_narrowed_and_widened(database: Database) {
    let (house, vendor) = begun(database).await;
    let (mara, _) = person(&house, "Mara", Role::VendorManager).await;
    let (otto, _) = person(&house, "Otto", Role::PrivacyOfficer).await;
    let new = format!("/agreements/{}/permits/new?dataset=people", vendor.agreement);
    let write = format!("/agreements/{}/permits/new", vendor.agreement);
    assert!(mara.get(&write).await.text.contains("Which dataset"), "the dataset comes first");
    let shown = mara.get(&new).await.text;
    assert!(shown.contains("waits for a privacy officer") || shown.contains("is said here once"), "{shown}");
    assert!(shown.contains("not in the agreement's categories"), "communication is not agreed: {shown}");

    let fields: Vec<(&str, &str)> = typed(&[]).into_iter().chain([("key", "acme-more")]).collect();
    let twice = token(&mara.get(&new).await.text);
    let mut once = vec![("csrf", twice.as_str()), ("dataset", "people")];
    once.extend(fields.iter().copied());
    let path = led_to(&mara.submit(&write, &once).await);
    assert_eq!((path.as_str(), led_to(&mara.submit(&write, &once).await)), ("/permits/acme-more", path.clone()), "once");
    assert!(mara.get(&path).await.text.contains("Revision 1 waits for a privacy officer"));
    let r1 = format!("{path}/revisions/1");
    assert!(!mara.get(&r1).await.text.contains("/approve\""), "its author does not approve it");
    assert!(otto.get(&r1).await.text.contains("/approve\""));
    let read = hidden(&otto.get(&r1).await.text, "read");
    led_to(&otto.fill(&r1, &format!("{r1}/approve"), &[("read", &read)]).await);

    // Narrower: said before it is saved, and in force at once.
    let revise = format!("{path}/revise");
    let narrower = typed(&[("treatment.score", "withhold"), ("daily_rows", "5"), ("reason", "Less will do.")]);
    let matrix = format!("/agreements/{}/permits/matrix", vendor.agreement);
    let shown = mara.get(&revise).await.text;
    assert!(shown.contains("Nothing changes yet") && !shown.contains("<select class=\"form-select\" id=\"f-purpose\""), "{shown}");
    let said = send(&mara, &shown, &matrix, &narrower, true).await.text;
    assert!(said.contains("Saving this acts at once") && said.contains("1 field removed, quota lowered"), "{said}");
    led_to(&fill(&mara, &revise, &revise, &narrower).await);
    let shown = mara.get(&path).await.text;
    assert!(shown.contains("Revision 2") && shown.contains("5 rows a day") && !shown.contains("waits"), "{shown}");

    // Wider: said before it is saved, waits, and an identifier in clear is ticked by name.
    let wider = typed(&[("treatment.id", "clear"), ("treatment.score", "withhold"), ("daily_rows", "5"), ("reason", "They ask for it.")]);
    let said = send(&mara, &mara.get(&revise).await.text, &matrix, &wider, true).await.text;
    assert!(said.contains("waits for a privacy officer: more would go out") && said.contains("<strong>id</strong>"), "{said}");
    assert!(said.contains("A direct identifier would go out as it is"), "the row warns: {said}");
    led_to(&fill(&mara, &revise, &revise, &wider).await);
    let shown = mara.get(&path).await.text;
    assert!(shown.contains("Revision 3 waits") && shown.contains("pseudonym"), "what is in force stays: {shown}");
    let r3 = format!("{path}/revisions/3");
    let read = hidden(&otto.get(&r3).await.text, "read");
    let refused = otto.fill(&r3, &format!("{r3}/approve"), &[("read", &read)]).await;
    assert!(refused.status == 422 && refused.text.contains("must name &#39;id&#39;"), "{}", refused.text);
    let stale = otto.fill(&r3, &format!("{r3}/approve"), &[("read", "77"), ("confirm_clear", "id")]).await;
    assert!(stale.status == 409 && !stale.text.contains("value=\"id\" checked"), "a tick is for what was read: {}", stale.text);
    led_to(&otto.fill(&r3, &format!("{r3}/reject"), &[("reason", "Not needed.")]).await);
    assert!(mara.get(&path).await.text.contains("Rejected"));

    for (who, act, said) in [(&mara, "pause", "Paused"), (&otto, "resume", "In force"), (&mara, "end", "Ended")] {
        let act = format!("{path}/{act}");
        assert_eq!(who.fill(&act, &act, &[("reason", "x")]).await.status, 422, "a reason is a reason");
        led_to(&who.fill(&act, &act, &[("reason", "For the test.")]).await);
        assert!(who.get(&path).await.text.contains(said), "{act}");
    }
    assert_eq!(mara.get(&format!("{path}/resume")).await.status, 403, "what widens is for an officer");
}

async fn samples_are_for_those_who_write_and_a_bulk_change_saves_nothing(database: Database) {
    let (house, vendor) = begun(database).await;
    let (mara, _) = person(&house, "Mara", Role::VendorManager).await;
    let (rita, _) = person(&house, "Rita", Role::ComplianceReviewer).await;
    let (revise, matrix) = ("/permits/acme-people/revise", format!("/agreements/{}/permits/matrix", vendor.agreement));
    let shown = mara.get(revise).await.text;
    assert!(!shown.contains("person-0@mail.example"), "no value is shown before it is asked for");
    let changed =
        typed(&[("treatment.email", "mask"), ("treatment.name", "truncate"), ("was.name", "truncate"), ("param.name.length", "3")]);
    let part = send(&mara, &shown, &matrix, &changed, true).await;
    assert!(part.status == 200 && !part.text.contains("<html") && part.text.contains("hx-swap-oob"), "{}", part.text);
    assert!(part.text.contains("person-0@mail.example") && part.text.contains("pe****") && part.text.contains(">Per<"), "{}", part.text);
    assert!(part.text.contains("name=\"param.email.prefix\""), "a treatment that was just chosen brings its settings");
    assert!(!part.text.contains("name=\"param.name.length\""), "settings that are shown stay as they are");
    assert!(part.text.contains("thrown away"), "pseudonyms of a preview are nobody's");
    let bad = typed(&[("treatment.name", "truncate"), ("was.name", "truncate"), ("param.name.length", "0")]);
    let part = send(&mara, &shown, &matrix, &bad, true).await;
    assert!(
        part.status == 200 && part.text.contains("Must be at least 1") && part.text.contains("hidden-0"),
        "the others stay: {}",
        part.text
    );

    let bulk = typed(&[("do", "bulk"), ("bulk.which", "sensitive"), ("bulk.treatment", "round")]);
    let page = send(&mara, &shown, &matrix, &bulk, false).await.text;
    assert!(page.contains("1 field is set; 1 stays as it was"), "{page}");
    let bulk = typed(&[("do", "bulk"), ("bulk.which", "picked"), ("pick", "email"), ("pick", "name"), ("bulk.treatment", "pseudonym")]);
    let page = send(&mara, &shown, &matrix, &bulk, false).await.text;
    assert!(page.contains("2 fields are set.") && page.contains("name=\"param.email.format\""), "{page}");
    assert!(mara.get("/permits/acme-people").await.text.contains("Revision 1"), "nothing was saved");
    assert!(!mara.get("/permits/acme-people").await.text.contains("Revision 2"));

    let sides = send(&mara, &shown, &format!("/agreements/{}/permits/as-vendor", vendor.agreement), &changed, false).await.text;
    assert!(sides.contains("In the source") && sides.contains("hidden-0") && sides.contains("What the vendor gets"), "{sides}");
    let got = sides.rsplit("What the vendor gets").next().unwrap();
    assert!(got.contains("Ulm") && !got.contains("hidden-0") && !got.contains("P0000000"), "{got}");
    // Those who only read see no raw value.
    assert!(!rita.get("/permits/acme-people").await.text.contains("as-vendor"));
    assert_eq!(rita.get("/permits/acme-people/revisions/1/as-vendor").await.status, 403);
    assert_eq!(rita.get(revise).await.status, 403);
}

async fn a_revision_is_based_on_what_was_read(database: Database) {
    let (house, _) = begun(database).await;
    let (mara, _) = person(&house, "Mara", Role::VendorManager).await;
    let (nele, _) = person(&house, "Nele", Role::VendorManager).await;
    let revise = "/permits/acme-people/revise";
    let old = nele.get(revise).await.text;
    led_to(&fill(&mara, revise, revise, &typed(&[("daily_rows", "7"), ("reason", "Less.")])).await);
    let stale = send(&nele, &old, revise, &typed(&[("daily_rows", "9"), ("reason", "Nele's reason")]), false).await;
    assert_eq!(stale.status, 409, "{}", stale.text);
    for said in ["Somebody else saved revision 2 meanwhile", "value=\"9\"", "Nele&#39;s reason", "7 rows a day", "9 rows a day"] {
        assert!(stale.text.contains(said), "{said}: {}", stale.text);
    }
    // What she typed, on top of what she has read now: wider than seven, so it waits.
    let again = send(&nele, &stale.text, revise, &typed(&[("daily_rows", "9"), ("reason", "Nele's reason")]), false).await;
    led_to(&again);
    assert!(nele.get("/permits/acme-people").await.text.contains("Revision 3 waits"));
}

async fn what_is_wrong_stands_beside_its_field(database: Database) {
    let (house, vendor) = begun(database).await;
    let (mara, _) = person(&house, "Mara", Role::VendorManager).await;
    let new = format!("/agreements/{}/permits/new?dataset=people", vendor.agreement);
    let write = format!("/agreements/{}/permits/new", vendor.agreement);
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[("key", "")], "href=\"#f-key\">Key must have"),
        (&[("key", "<script>{{7*7}}")], "href=\"#f-key\">Key must have"),
        (&[("key", "k"), ("daily_rows", "lots")], "href=\"#f-daily_rows\">Rows a day must be a whole number"),
        (&[("key", "k"), ("treatment.city", "round")], "href=\"#f-treatment.city\">The treatment of city must be one of those shown"),
        (&[("key", "k"), ("param.spent.step", "\u{202e}10")], "href=\"#f-param.spent.step\">“To the nearest” of spent must be a number"),
        (&[("key", "k"), ("treatment.secret", "clear")], "must lie within the agreement&#39;s data categories"),
        (&[("key", "k"), ("instruction", "")], "must cite one of the agreement&#39;s documented instructions"),
        (&[("key", "k"), ("purpose", "legal-compliance")], "must be one of the agreement&#39;s purposes"),
        (
            &[("key", "k"), ("condition.0.field", "score"), ("condition.0.op", "gt"), ("condition.0.values", "x")],
            "href=\"#f-condition.0.values\">Condition 1",
        ),
    ];
    for (changes, said) in cases {
        let answer = fill(&mara, &new, &write, &typed(changes)).await;
        assert_eq!(answer.status, 422, "{changes:?}: {}", answer.text);
        assert!(answer.text.contains(said) && !answer.text.contains("<script>{{"), "{said}: {}", answer.text);
    }
    let taken = fill(&mara, &new, &write, &typed(&[("key", "acme-people")])).await;
    assert!(taken.status == 409 && taken.text.contains("is taken by another permit"), "{}", taken.text);
    let either = [
        ("key", "either"),
        ("condition.0.field", "score"),
        ("condition.0.op", "gt"),
        ("condition.0.values", "1"),
        ("condition.1.joined", "or"),
        ("condition.1.field", "score"),
        ("condition.1.op", "is_null"),
    ];
    assert_eq!(fill(&mara, &new, &write, &typed(&either)).await.status, 303);
    let shown = mara.get("/permits/either").await.text;
    assert!(shown.contains("Rows where score is more than 1 or score has no value"), "{shown}");
    for odd in ["?dataset=none", "?dataset=%00"] {
        assert_eq!(mara.get(&format!("{write}{odd}")).await.status, 404, "{odd}");
    }
    let reason = fill(&mara, "/permits/acme-people/revise", "/permits/acme-people/revise", &typed(&[("reason", "")])).await;
    assert!(reason.status == 422 && reason.text.contains("href=\"#f-reason\""), "{}", reason.text);
}

async fn a_list_is_narrowed(database: Database) {
    let (house, vendor) = begun(database).await;
    let (mara, _) = person(&house, "Mara", Role::VendorManager).await;
    let mut mail = usual("people-sql");
    mail["purpose"] = json!("email-marketing");
    let path = format!("/api/v1/agreements/{}/permits", vendor.agreement);
    house.post(Role::VendorManager, &path, json!({"key": "acme-mail", "terms": mail})).await.good();
    let count = async |query: &str| {
        let shown = mara.get(&format!("/permits?{query}")).await.text;
        ["No permit fits", "1 permit<", "2 permits<"]
            .iter()
            .position(|said| shown.contains(said))
            .unwrap_or_else(|| panic!("{query}: {shown}"))
    };
    for (query, expected) in [
        ("", 2),
        ("dataset=people-sql", 1),
        ("purpose=email-marketing", 1),
        ("purpose=legal-compliance", 0),
        ("q=acme", 2),
        ("q=MAIL", 1),
        ("q=%25", 0),
        ("state=in_force", 1),
        ("state=waiting", 1),
        ("state=paused", 0),
        ("state=nonsense&purpose=%00&after=%00", 2),
        ("after=acme-mail", 2),
    ] {
        assert_eq!(count(query).await, expected, "{query}");
    }
    house.post(Role::VendorManager, "/api/v1/permits/acme-people/pause", json!({"reason": "for the test"})).await.good();
    assert_eq!((count("state=paused").await, count("state=in_force").await), (1, 0));
    house.post(Role::VendorManager, &format!("/api/v1/agreements/{}/end", vendor.agreement), json!({"reason": "over"})).await.good();
    assert_eq!((count("state=ended").await, count("state=paused").await, count("state=waiting").await), (2, 0, 0));
}

async fn the_matrix_knows_every_treatment_with_its_settings(database: Database) {
    let (house, vendor) = begun(database).await;
    let (mara, _) = person(&house, "Mara", Role::VendorManager).await;
    let (revise, matrix) = ("/permits/acme-people/revise", format!("/agreements/{}/permits/matrix", vendor.agreement));
    for file in ["Ulm;S\n", "Ulm;South;*\n"] {
        house.upload(Role::DataSteward, "POST", "/api/v1/hierarchies?name=towns", file.as_bytes()).await.good();
    }
    let shown = mara.get(revise).await.text;
    for (chosen, settings, after) in [
        (vec![("treatment.born", "date_shift")], vec!["param.born.days"], ">19"),
        (
            vec![("treatment.email", "redact_text")],
            vec!["param.email.email", "param.email.phone", "param.email.iban", "param.email.card", "param.email.ip", "param.email.url"],
            ">[e-mail]<",
        ),
        (vec![("treatment.spent", "noise")], vec!["param.spent.scale"], "after: "),
        (vec![("treatment.city", "geo")], vec!["param.city.as", "param.city.length", "param.city.small"], ">UL<"),
        (
            vec![("treatment.city", "geo"), ("was.city", "geo.postal_prefix"), ("param.city.as", "h3"), ("param.city.length", "2")],
            vec!["param.city.as", "param.city.resolution"],
            "no value",
        ),
        (vec![("treatment.name", "reversible_token")], vec!["param.name.domain"], "after: "),
        (vec![("treatment.city", "generalise_hierarchy")], vec!["param.city.hierarchy", "param.city.level"], "towns, version 2 (2 levels)"),
        (
            vec![
                ("treatment.city", "generalise_hierarchy"),
                ("was.city", "generalise_hierarchy"),
                ("param.city.hierarchy", "towns.2"),
                ("param.city.level", "1"),
            ],
            // Its settings stand there already: only what they make of the values comes anew.
            vec![],
            ">South<",
        ),
    ] {
        let part = send(&mara, &shown, &matrix, &typed(&chosen), true).await;
        assert_eq!(part.status, 200, "{}", part.text);
        for setting in settings {
            assert!(part.text.contains(&format!("name=\"{setting}\"")), "{setting}: {}", part.text);
        }
        assert!(part.text.contains(after), "{chosen:?}: {}", part.text);
    }
    for (chosen, said) in [
        (vec![("treatment.city", "generalise_hierarchy")], "Hierarchy: Must be one of those shown"),
        (vec![("treatment.born", "date_shift"), ("was.born", "date_shift"), ("param.born.days", "0")], "Days at most: Must be 1 to 3,650"),
        (vec![("treatment.email", "redact_text"), ("was.email", "redact_text")], "Tick at least one kind to find"),
        (
            vec![("treatment.score", "noise"), ("was.score", "noise"), ("param.score.scale", "0.5")],
            "Either way, at most: Must be a whole number for whole numbers",
        ),
        (
            vec![("treatment.city", "geo"), ("was.city", "geo.postal_prefix"), ("param.city.length", "2"), ("param.city.small", "ULM")],
            "Must be prefixes of 2 characters each",
        ),
    ] {
        let part = send(&mara, &shown, &matrix, &typed(&chosen), true).await;
        assert!(part.status == 200 && part.text.contains(said), "{said}: {}", part.text);
    }
    let bulk = typed(&[("do", "bulk"), ("bulk.which", "sensitive"), ("bulk.treatment", "redact_text")]);
    assert!(send(&mara, &shown, &matrix, &bulk, false).await.text.contains("1 field is set; 1 stays as it was"));
    let saved = typed(&[("treatment.name", "reversible_token"), ("treatment.born", "date_shift"), ("reason", "They write letters.")]);
    led_to(&fill(&mara, revise, revise, &saved).await);
    let page = mara.get("/permits/acme-people/revisions/2").await.text;
    assert!(page.contains("token that a privacy officer here can turn back"), "{page}");
    assert!(page.contains("moved by up to 30 days either way, by as many for every date of one person"), "{page}");
}

async fn an_officer_turns_tokens_back_on_a_page(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(5).await;
    let tokens = crate::harness::permit("people", json!({"name": {"kind": "reversible_token"}}));
    let vendor = house.vendor("Acme", &[("acme-people", tokens), ("acme-plain", usual("people-sql"))]).await;
    let pulled = house.pull(&house.token(&vendor).await, "/data/v1/datasets/people/records", "application/json").await;
    let sent = pulled.json()["rows"][2]["name"].as_str().unwrap().to_owned();
    let (otto, _) = person(&house, "Otto", Role::PrivacyOfficer).await;
    let (mara, _) = person(&house, "Mara", Role::VendorManager).await;
    let page = "/permits/acme-people/tokens";
    assert!(otto.get("/permits/acme-people").await.text.contains(page));
    assert!(!mara.get("/permits/acme-people").await.text.contains(page));
    assert_eq!(mara.get(page).await.status, 403);
    assert!(!otto.get("/permits/acme-plain").await.text.contains("/tokens"));
    assert_eq!(otto.get("/permits/acme-plain/tokens").await.status, 409, "there is nothing to turn back");

    let lacking = otto.fill(page, page, &[("field", "name"), ("tokens", &sent), ("reason", "")]).await;
    assert!(lacking.status == 422 && !lacking.text.contains("Person Number2"), "{}", lacking.text);
    let both = format!("{sent}\r\nnonsense");
    let told = otto.fill(page, page, &[("field", "name"), ("tokens", &both), ("reason", "She asked what was sent.")]).await;
    assert!(told.status == 200 && told.text.contains("Person Number2") && told.text.contains("no token of this field"), "{}", told.text);
    assert!(!otto.get(page).await.text.contains("Person Number2"), "once");
    house.settle().await;
    assert!(otto.get("/permits/acme-people").await.text.contains("tokens of name under"), "on record");
}
