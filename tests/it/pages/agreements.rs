//! Agreements in the browser: the whole way from a draft to the end, two people at once, bad input, who may, and the list.

use serde_json::json;
use tidegate::app::agreements;
use tidegate::app::lists::{AgreementFilter, AgreementStage, WaitsFor};
use tidegate::domain::agreement::{AgreementKind, AgreementTerms};
use tidegate::domain::person::{Actor, Role};

use super::assessments::person;
use crate::browse::{Browser, Part, token};
use crate::database::Database;
use crate::harness::{Answer, House, usual};

crate::on_both!(
    an_agreement_goes_its_way,
    nobody_overwrites_a_draft_they_did_not_read,
    what_is_wrong_stands_beside_its_field,
    a_list_is_narrowed_and_costs_the_same,
);

pub fn led_to(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text);
    answer.header("location").to_owned()
}

/// The terms that lack nothing, as they are typed.
fn typed<'a>(today: &'a str, paper: &'a str) -> Vec<(&'static str, &'a str)> {
    vec![
        ("subject_matter", "Newsletters <b>&</b> {{7*7}}"),
        ("nature", "Sending"),
        ("purposes", "service-usage-analytics"),
        ("data_categories", "technical"),
        ("data_categories", "location"),
        ("subject_categories", "Customers\r\nReaders"),
        ("starts_on", today),
        ("retention_days", "100"),
        ("instructions", "Count."),
        ("instructions", ""),
        ("confidentiality_attested_on", today),
        ("security_evidence", paper),
        ("sub_processors", "forbidden"),
        ("assistance.days", "5"),
        ("assistance.channel", "e-mail"),
        ("breach_notice.hours", "48"),
        ("breach_notice.contact", "breach@example.org"),
        ("at_the_end.way", "delete"),
        ("at_the_end.deadline_days", "30"),
        ("audit.every_months", "12"),
    ]
}

/// The value of a hidden field of a page.
pub fn hidden(page: &str, name: &str) -> String {
    let mark = format!("name=\"{name}\" value=\"");
    let (_, rest) = page.split_once(&mark).unwrap_or_else(|| panic!("no {name}: {page}"));
    rest.split('"').next().unwrap().to_owned()
}

/// Fills in a form of a page, with the counter that the page was shown with.
async fn fill(browser: &Browser<'_>, page: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
    let shown = browser.get(page).await.text;
    let (csrf, read) = (token(&shown), hidden(&shown, "read"));
    let fields: Vec<(&str, &str)> = [("csrf", csrf.as_str()), ("read", read.as_str())].into_iter().chain(fields.iter().copied()).collect();
    browser.submit(path, &fields).await
}

async fn hand_in(browser: &Browser<'_>, page: &str, name: &str, bytes: &[u8]) -> Answer {
    let shown = browser.get(page).await.text;
    let (csrf, read) = (token(&shown), hidden(&shown, "read"));
    let parts = [Part::Typed("csrf", &csrf), Part::Typed("read", &read), Part::File("document", name, bytes)];
    browser.hand_in(&format!("{page}/versions/1/document"), &parts).await
}

async fn an_agreement_goes_its_way(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(20).await;
    let vendor = house.register("Acme <i>GmbH</i>").await;
    let paper = house.assess(&vendor).await;
    let (mara, _) = person(&house, "Mara", Role::VendorManager).await;
    let (otto, _) = person(&house, "Otto", Role::PrivacyOfficer).await;
    let (rita, _) = person(&house, "Rita", Role::ComplianceReviewer).await;
    let today = house.clock.now().date().to_string();

    // Two clicks draft one agreement.
    let new = format!("/vendors/{vendor}/agreements/new");
    let csrf = token(&mara.get(&new).await.text);
    let fields = [("csrf", csrf.as_str()), ("reference", "dpa-1"), ("kind", "processor")];
    let path = led_to(&mara.submit(&format!("/vendors/{vendor}/agreements"), &fields).await);
    assert_eq!(led_to(&mara.submit(&format!("/vendors/{vendor}/agreements"), &fields).await), path);

    let shown = mara.get(&path).await.text;
    assert!(shown.contains("17 things are missing before it can be submitted"), "{shown}");
    assert!(shown.contains("Missing: it must choose delete or return") && !shown.contains("Submit for approval"), "{shown}");
    assert!(!shown.contains("transfer.mechanism"), "the vendor is in Germany: no transfer is asked for");
    let v1 = format!("{path}/versions/1");
    assert_eq!(mara.fill(&path, &format!("{v1}/submit"), &[]).await.status, 422, "what is missing is missing");

    led_to(&fill(&mara, &path, &format!("{v1}/terms"), &typed(&today, &paper)).await);
    led_to(&hand_in(&mara, &path, "contract.pdf", b"%PDF-1.4 the contract").await);
    let shown = mara.get(&path).await.text;
    assert!(shown.contains("Newsletters &#60;b&#62;&#38;&#60;/b&#62; {{7*7}}") && !shown.contains("<b>&</b>"), "text is text: {shown}");
    assert!(shown.contains("1 thing is missing") && shown.contains("Hours to tell of a breach") && shown.contains("above 24"), "{shown}");
    let got = otto.get(&format!("{v1}/document")).await;
    assert_eq!((got.status, got.header("content-disposition")), (200, "attachment; filename=\"dpa-1-v1.pdf\""));

    house.post(Role::VendorManager, &format!("/api/v1{path}/permits"), json!({"key": "acme-people", "terms": clear_id()})).await.good();
    assert!(mara.get(&path).await.text.contains("Submit for approval"));
    led_to(&mara.fill(&path, &format!("{v1}/submit"), &[]).await);

    // Nobody decides about what they wrote; a reviewer reads all of it and is offered nothing.
    let review = format!("{v1}/review");
    for reader in [&mara, &rita] {
        let shown = reader.get(&review).await;
        assert!(shown.status == 200 && shown.text.contains("acme-people") && !shown.text.contains("/approve"), "{}", shown.text);
    }
    assert!(!mara.get(&path).await.text.contains("Save draft"), "what is under review is not typed in");
    let shown = otto.get(&review).await.text;
    assert!(shown.contains("<strong>id</strong> may go out") && shown.contains("Otto"), "{shown}");
    let refused = fill(&otto, &review, &format!("{v1}/approve"), &[]).await;
    assert!(refused.status == 422 && refused.text.contains("Direct identifiers must name"), "{}", refused.text);
    let back = otto.fill(&review, &format!("{v1}/hand-back"), &[("because", "Why <the> id?")]).await;
    led_to(&back);
    assert!(mara.get(&path).await.text.contains("Why &#60;the&#62; id?"), "the author reads what was said");
    led_to(&mara.fill(&path, &format!("{v1}/submit"), &[]).await);
    led_to(&fill(&otto, &review, &format!("{v1}/approve"), &[("confirm_clear", "id"), ("comment", "Fine.")]).await);

    for (party, said) in [("house", "the other one is missing yet"), ("vendor", "in force")] {
        let sign = format!("{v1}/sign");
        let document = hidden(&mara.get(&sign).await.text, "document");
        let unread = fill(&mara, &sign, &sign, &[("party", party), ("name", "Kim Roe"), ("document", &document)]).await;
        assert_eq!(unread.status, 422, "nobody says that it is the same document: {}", unread.text);
        let fields = [("party", party), ("name", "Kim Roe"), ("document", document.as_str()), ("same", "yes")];
        let there = led_to(&fill(&mara, &sign, &sign, &fields).await);
        assert!(mara.get(&there).await.text.contains(said), "{party}");
    }

    // The next version, compared in words.
    led_to(&mara.fill(&path, &format!("{path}/amend"), &[]).await);
    let mut later = typed(&today, &paper);
    later.iter_mut().filter(|(name, _)| *name == "retention_days").for_each(|(_, value)| *value = "50");
    led_to(&fill(&mara, &path, &format!("{path}/versions/2/terms"), &later).await);
    let compared = rita.get(&format!("{path}/versions?from=1&to=2")).await.text;
    assert!(
        compared.contains("From version 1 to version 2") && compared.contains("100 days") && compared.contains("50 days"),
        "{compared}"
    );
    let discarded =
        mara.fill(&format!("{path}/versions/2/discard"), &format!("{path}/versions/2/discard"), &[("reason", "Not now.")]).await;
    led_to(&discarded);

    // The end says first what stops; the key goes only where its name is typed.
    let end = format!("{path}/end");
    assert!(mara.get(&end).await.text.contains("1 permit"), "what stops is said");
    assert_eq!(mara.fill(&end, &end, &[("reason", "")]).await.status, 422);
    led_to(&mara.fill(&end, &end, &[("reason", "It is over.")]).await);
    let key = format!("{path}/destroy-key");
    assert_eq!(otto.fill(&key, &key, &[("reason", "Asked for."), ("reference", "dpa-2")]).await.status, 422);
    led_to(&otto.fill(&key, &key, &[("reason", "Asked for."), ("reference", "dpa-1")]).await);
    house.settle().await;
    let told = rita.get(&format!("{path}/history")).await.text;
    assert!(told.contains("Otto") && told.contains("Mara"), "{told}");
}

/// A permit that lets an identifier out as it is.
fn clear_id() -> serde_json::Value {
    let mut terms = usual("people");
    terms["fields"] = json!({"id": {"kind": "clear"}, "city": {"kind": "clear"}});
    terms
}

async fn nobody_overwrites_a_draft_they_did_not_read(database: Database) {
    let house = House::start(database).await;
    let vendor = house.register("Acme").await;
    let (mara, _) = person(&house, "Mara", Role::VendorManager).await;
    let (nele, _) = person(&house, "Nele", Role::VendorManager).await;
    let new = format!("/vendors/{vendor}/agreements/new");
    let fields = [("reference", "dpa-1"), ("kind", "controller_to_controller")];
    let path = led_to(&mara.fill(&new, &format!("/vendors/{vendor}/agreements"), &fields).await);
    let save = format!("{path}/versions/1/terms");
    let (old, old_csrf) = {
        let shown = nele.get(&path).await.text;
        (hidden(&shown, "read"), token(&shown))
    };
    led_to(&fill(&mara, &path, &save, &[("nature", "Mara's words")]).await);
    let stale = nele.submit(&save, &[("csrf", &old_csrf), ("read", &old), ("nature", "Nele's words")]).await;
    assert_eq!(stale.status, 409, "{}", stale.text);
    assert!(stale.text.contains("<del>Mara&#39;s words</del>") && stale.text.contains("\nNele&#39;s words</textarea>"), "{}", stale.text);
    assert!(mara.get(&path).await.text.contains("Mara&#39;s words"), "nothing was overwritten");
    // Having read it, she may.
    let (csrf, read) = (token(&stale.text), hidden(&stale.text, "read"));
    led_to(&nele.submit(&save, &[("csrf", &csrf), ("read", &read), ("nature", "Nele's words")]).await);

    let shown = nele.get(&path).await.text;
    assert!(shown.contains("Purpose limits") && !shown.contains("Documented instructions"), "the clauses of its kind: {shown}");
    let (csrf, read) = (token(&shown), hidden(&shown, "read"));
    led_to(&fill(&mara, &path, &save, &[("nature", "Again")]).await);
    let parts = [Part::Typed("csrf", &csrf), Part::Typed("read", &read), Part::File("document", "a.pdf", b"%PDF-1.4")];
    let stale = nele.hand_in(&format!("{path}/versions/1/document"), &parts).await;
    assert!(stale.status == 409 && stale.text.contains("was not attached"), "{}", stale.text);
}

async fn what_is_wrong_stands_beside_its_field(database: Database) {
    let house = House::start(database).await;
    let vendor = house.register("Acme").await;
    let (mara, _) = person(&house, "Mara", Role::VendorManager).await;
    let new = format!("/vendors/{vendor}/agreements/new");
    let draft = format!("/vendors/{vendor}/agreements");
    for (reference, kind, said) in [
        ("", "processor", "Reference must have 1 to 63"),
        ("<script>alert(1)</script>", "processor", "Reference must have 1 to 63"),
        ("dpa-1", "", "Kind must be chosen"),
        ("dpa-\u{200b}1", "treaty", "Kind must be chosen"),
    ] {
        let answer = mara.fill(&new, &draft, &[("reference", reference), ("kind", kind)]).await;
        assert!(
            answer.status == 422 && answer.text.contains(said) && !answer.text.contains("<script>alert"),
            "{reference}: {}",
            answer.text
        );
    }
    let path = led_to(&mara.fill(&new, &draft, &[("reference", "dpa-1"), ("kind", "processor")]).await);
    let taken = mara.fill(&new, &draft, &[("reference", "dpa-1"), ("kind", "processor")]).await;
    assert!(taken.status == 409 && taken.text.contains("is taken by another agreement"), "{}", taken.text);

    let save = format!("{path}/versions/1/terms");
    let fields = [
        ("subject_matter", "\u{202e}kept <i>as</i> typed {{7*7}}"),
        ("retention_days", "many"),
        ("ends_on", "2020-01-01"),
        ("starts_on", "2026-01-01"),
        ("purposes", "flying"),
        ("assistance.days", "5"),
    ];
    let answer = fill(&mara, &path, &save, &fields).await;
    assert_eq!(answer.status, 422, "{}", answer.text);
    for said in [
        "href=\"#f-retention_days\"",
        "href=\"#f-ends_on\">Last day must not be before the first day.",
        "href=\"#f-assistance.channel\"",
        "\u{202e}kept &#60;i&#62;as&#60;/i&#62; typed {{7*7}}",
        "value=\"many\"",
    ] {
        assert!(answer.text.contains(said), "{said}: {}", answer.text);
    }
    let long = "x".repeat(20_001);
    let answer = fill(&mara, &path, &save, &[("nature", &long)]).await;
    assert!(answer.status == 422 && answer.text.contains("must have 1 to 20000 characters"), "{}", answer.status);

    for (name, bytes, status, said) in [
        ("empty.pdf", &b""[..], 422, "must not be empty"),
        ("contract.pdf", b"MZ a program", 422, "must be a PDF or a Word document"),
        ("", b"", 422, "must be chosen"),
    ] {
        let answer = hand_in(&mara, &path, name, bytes).await;
        assert!(answer.status == status && answer.text.contains(said), "{name}: {} {}", answer.status, answer.text);
    }
    let most = house.app.settings.most_upload_bytes;
    assert_eq!(hand_in(&mara, &path, "large.pdf", &vec![b'x'; most + 1]).await.status, 413);
    assert!(mara.get(&path).await.text.contains("The document to be signed"), "nothing was kept");
    for odd in [
        "/agreements/nothing",
        "/agreements?after=%00&state=x&kind=y&q=%00%25_",
        &format!("{path}?version=9"),
        &format!("{path}?version=x"),
    ] {
        assert!(mara.get(odd).await.status < 500, "{odd}");
    }
}

async fn a_list_is_narrowed_and_costs_the_same(database: Database) {
    let house = House::start(database).await;
    let (acme, beta) = (house.register("Acme").await, house.register("Beta_100%").await);
    let (mara, actor) = person(&house, "Mara", Role::VendorManager).await;
    let draft = async |vendor: &str, at: usize| {
        let kind = if at.is_multiple_of(2) { AgreementKind::Processor } else { AgreementKind::JointControllers };
        let new = agreements::Draft {
            vendor: vendor.parse().unwrap(),
            reference: format!("dpa-{at}").parse().unwrap(),
            kind,
            terms: AgreementTerms::default(),
        };
        agreements::draft(&house.app, &actor, new).await.unwrap();
    };
    assert!(mara.get("/agreements").await.text.contains("No agreements yet"));
    draft(&acme, 0).await;
    draft(&beta, 1).await;
    let one = mara.get("/agreements").await.text;
    assert!(one.contains("2 agreements") && !one.contains("Next page"), "{one}");
    for at in 2..52 {
        draft(&acme, at).await;
    }
    let all = mara.get("/agreements").await.text;
    assert!(all.contains("52 agreements") && all.contains("Next page") && all.contains(">dpa-51<") && !all.contains(">dpa-0<"), "{all}");
    let next = all.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&#38;", "&");
    let rest = mara.get(&next).await.text;
    assert!(rest.contains(">dpa-0<") && rest.contains(">dpa-1<") && !rest.contains(">dpa-2<"), "{rest}");
    for (query, count) in [
        ("q=beta", "1 agreement<"),
        ("q=BETA_100%25", "1 agreement<"),
        ("q=b%25t", "No agreement fits"),
        ("q=dpa-7", "1 agreement<"),
        ("kind=joint_controllers", "26 agreements"),
        ("state=draft", "52 agreements"),
        ("state=in_force", "No agreement fits"),
        ("mine=yes", "52 agreements"),
    ] {
        let shown = mara.get(&format!("/agreements?{query}")).await.text;
        assert!(shown.contains(count), "{query}: {shown}");
    }
    assert!(waiting_and_standing(&house, &actor).await);
}

/// Agreements in each state stand where they belong, on both databases.
async fn waiting_and_standing(house: &House, manager: &Actor) -> bool {
    house.catalogue_people(5).await;
    let vendor = house.vendor("Whole", &[("whole-people", usual("people"))]).await;
    let officer = Actor::Person { id: house.person_id(Role::PrivacyOfficer).parse().unwrap(), role: Role::PrivacyOfficer };
    let list = async |stage: Option<AgreementStage>, waits_for: Option<WaitsFor>| {
        let filter = AgreementFilter { stage, waits_for, search: Some("whole".to_owned()), ..AgreementFilter::default() };
        agreements::overview(&house.app, filter, None, 10).await.unwrap().total
    };
    assert_eq!(agreements::waits_for(manager), Some(WaitsFor::Manager));
    let (stage, mine) = (AgreementStage::InForce, agreements::waits_for(&officer));
    assert_eq!((list(Some(stage), None).await, list(Some(AgreementStage::Ended), None).await, list(None, mine.clone()).await), (1, 0, 0));
    let path = format!("/api/v1/agreements/{}", vendor.agreement);
    house.post(Role::VendorManager, &format!("{path}/amend"), json!({})).await.good();
    assert_eq!((list(Some(stage), None).await, list(Some(AgreementStage::Draft), None).await), (1, 1), "it stands under both");
    house.attach(&vendor.agreement, 2, b"the next contract").await.good();
    house.post(Role::VendorManager, &format!("{path}/versions/2/submit"), json!({})).await.good();
    assert_eq!((list(Some(AgreementStage::InReview), None).await, list(None, mine.clone()).await), (1, 1), "it waits for an officer");
    house.approve(&vendor.agreement, 2, &house.other_officer, json!([])).await.good();
    assert_eq!(
        (list(Some(AgreementStage::Approved), None).await, list(None, Some(WaitsFor::Manager)).await, list(None, mine).await),
        (1, 1, 0)
    );
    house.post(Role::VendorManager, &format!("{path}/end"), json!({"reason": "over"})).await.good();
    let ended = [list(Some(AgreementStage::Ended), None).await, list(Some(stage), None).await, list(None, Some(WaitsFor::Manager)).await];
    ended == [1, 0, 0]
}
