//! The whole path in a real browser, as four people walk it: register, assess, agree, approve as another person, sign,
//! issue, pull over HTTP, suspend, be refused, review. Wide, on a phone, and without script.

use tidegate::app::people::{self, AddPerson};
use tidegate::domain::person::{Actor, Role};
use tidegate::domain::secret::PlainSecret;

use crate::chromium::{Person, Window};
use crate::database::{Database, run};
use crate::harness::{House, Vendor};

const PASSWORD: &str = "correct horse battery";

/// Opens a window and signs somebody in; answers their id too.
async fn enter(house: &House, window: Window, role: Role, name: &str) -> Option<(Person, String)> {
    let email = format!("{}@example.org", name.to_lowercase());
    let new = AddPerson { email: email.parse().unwrap(), name: name.parse().unwrap(), role, password: PlainSecret::new(PASSWORD) };
    let id = people::add(&house.app, &Actor::Operator, new).await.unwrap().id;
    let person = Person::open(&house.url, window).await?;
    person.sign_in(&email, PASSWORD).await;
    Some((person, id.to_string()))
}

async fn act(person: &Person, vendor: &str, act: &str, label: &str) {
    person.goto(&format!("{vendor}/acts/{act}")).await;
    person.set("reason", "For the whole path.").await;
    person.press(label).await;
    person.leave(act).await;
}

async fn register(mara: &Person, owner: &str) -> String {
    mara.goto("/vendors/new").await;
    mara.set("legal_name", "Harbour Analytics GmbH").await;
    for (name, value) in [("country", "DE"), ("role", "processor"), ("tier", "critical"), ("owner", owner)] {
        mara.set(name, value).await;
    }
    mara.press("Register").await;
    mara.must_see("Begin triage").await;
    let path = mara.path().await;
    act(mara, &path, "triage", "Begin triage").await;
    act(mara, &path, "begin-due-diligence", "Begin due diligence").await;
    path.split('?').next().unwrap().to_owned()
}

async fn assess(house: &House, mara: &Person, otto: &Person, vendor: &str) {
    let today = house.clock.now().date();
    let paper = house.sources().join("certificate.pdf");
    std::fs::write(&paper, b"%PDF-1.4 made up").unwrap();
    mara.goto(&format!("{vendor}/evidence")).await;
    mara.set("name", "Certificate").await;
    mara.set("type", "iso27001").await;
    mara.set("issued", &today.plus_days(-10).to_string()).await;
    mara.set("expires", &today.plus_days(600).to_string()).await;
    mara.set("file", paper.to_str().unwrap()).await;
    mara.press("Hand in").await;
    mara.must_see("Certificate").await;
    mara.goto(&format!("{vendor}?tab=diligence")).await;
    mara.set("kind", "security").await;
    mara.set("template", "security").await;
    mara.press("Open an assessment").await;
    mara.press("Send the questions").await;
    mara.must_see("Submit for review").await;
    let round = mara.path().await.split('?').next().unwrap().to_owned();
    mara.press("Submit for review").await;
    mara.must_see("Each counts as the worst answer").await;
    mara.send("Submit for review").await;
    mara.leave("/submit").await;
    otto.goto(&round).await;
    otto.press("Take into review").await;
    otto.must_see("Decide").await;
    otto.goto(&format!("{round}/decision")).await;
    otto.set("verdict", "approved").await;
    otto.set("rationale", "Good enough for the path.").await;
    otto.send("Decide").await;
    otto.must_see("It holds until").await;
    act(mara, vendor, "activate", "Activate").await;
}

async fn agree(house: &House, mara: &Person, vendor: &str) -> String {
    let today = house.clock.now().date().to_string();
    mara.goto(&format!("{vendor}/agreements/new")).await;
    mara.set("reference", "dpa-harbour").await;
    mara.set("kind", "processor").await;
    mara.press("Draft the agreement").await;
    mara.must_see("Save draft").await;
    let agreement = mara.path().await.split('?').next().unwrap().to_owned();
    for (name, value) in [
        ("subject_matter", "Counting visits"),
        ("nature", "Analysing"),
        ("starts_on", today.as_str()),
        ("retention_days", "30"),
        ("purposes", "service-usage-analytics"),
        ("data_categories", "technical"),
        ("data_categories", "location"),
        ("subject_categories", "Customers"),
        ("instructions", "Count visits by city."),
        ("confidentiality_attested_on", today.as_str()),
        ("sub_processors", "forbidden"),
        ("assistance.days", "5"),
        ("assistance.channel", "e-mail"),
        ("breach_notice.hours", "24"),
        ("breach_notice.contact", "breach@example.org"),
        ("at_the_end.way", "delete"),
        ("at_the_end.deadline_days", "30"),
        ("audit.every_months", "12"),
    ] {
        mara.set(name, value).await;
    }
    let paper = mara.offered("security_evidence").await.remove(0);
    mara.set("security_evidence", &paper).await;
    mara.press("Save draft").await;
    mara.must_see("2 things are missing").await;
    let document = house.sources().join("agreement.pdf");
    std::fs::write(&document, b"%PDF-1.4 an agreement").unwrap();
    mara.set("document", document.to_str().unwrap()).await;
    mara.press("Attach").await;
    mara.must_see("1 thing is missing").await;
    agreement
}

async fn permit(mara: &Person, agreement: &str) {
    mara.goto(&format!("{agreement}/permits/new?dataset=people")).await;
    mara.set("key", "harbour-people").await;
    for name in ["purpose", "legal_basis", "instruction"] {
        let first = mara.offered(name).await;
        let wanted = first.iter().find(|value| *value == "legitimate_interests").unwrap_or(&first[0]).clone();
        mara.set(name, &wanted).await;
    }
    mara.set("daily_rows", "100000").await;
    mara.set("treatment.id", "pseudonym").await;
    mara.set("treatment.city", "clear").await;
    mara.press("Preview").await;
    mara.must_see("Ulm").await;
    let button = mara.at(".tg-foreseen button[type=submit]").await;
    mara.press(&button).await;
    mara.must_see("The permit is written.").await;
}

async fn approve_and_sign(mara: &Person, otto: &Person, agreement: &str) {
    mara.goto(agreement).await;
    mara.press("Submit for approval").await;
    mara.must_see("It is handed in").await;
    otto.goto(&format!("{agreement}/versions/1/review")).await;
    otto.must_see("harbour-people").await;
    otto.set("comment", "Two fields, one a pseudonym.").await;
    otto.press("Approve").await;
    otto.leave("/review").await;
    for (party, name) in [("house", "Ada House"), ("vendor", "Vic Vendor")] {
        mara.goto(&format!("{agreement}/versions/1/sign")).await;
        mara.set("party", party).await;
        mara.set("name", name).await;
        mara.set("same", "yes").await;
        mara.press("Record the signature").await;
        mara.leave("/sign").await;
    }
    mara.must_see("In force").await;
}

async fn issue(mara: &Person, vendor: &str) -> Vendor {
    mara.goto(&format!("{vendor}/clients/new")).await;
    mara.set("name", "nightly").await;
    mara.set("limit", &mara.offered("limit").await[0]).await;
    mara.press("Issue").await;
    let link = mara.at("#secret").await;
    let path = link.split_once("/activate/").map(|(_, secret)| format!("/activate/{secret}")).expect("a link to activate");
    mara.press("To the client").await;
    let client = mara.path().await;
    let client_id = client.rsplit('/').next().unwrap().to_owned();
    // The vendor's person opens it; that it is the same browser here changes nothing for the page.
    mara.goto(&path).await;
    mara.press("Show it now").await;
    let client_secret = mara.at("#secret").await;
    assert!(client_secret.starts_with("tg_cs_"), "{client_secret}");
    mara.goto(&client).await;
    Vendor { id: vendor.rsplit('/').next().unwrap().to_owned(), agreement: String::new(), client_id, client_secret }
}

async fn walk(window: Window) {
    if crate::chromium::driver().is_none() {
        return;
    }
    let house = House::start(Database::sqlite()).await;
    house.catalogue_people(40).await;
    let (mara, owner) = enter(&house, window, Role::VendorManager, "Mara").await.unwrap();
    let (otto, _) = enter(&house, window, Role::PrivacyOfficer, "Otto").await.unwrap();
    let vendor = register(&mara, &owner).await;
    assess(&house, &mara, &otto, &vendor).await;
    let agreement = agree(&house, &mara, &vendor).await;
    permit(&mara, &agreement).await;
    approve_and_sign(&mara, &otto, &agreement).await;
    let machine = issue(&mara, &vendor).await;
    let bearer = house.token(&machine).await;
    let pulled = house.pull(&bearer, "/data/v1/datasets/people/records", "application/json").await.good();
    assert_eq!(pulled["rows"].as_array().unwrap().len(), 40);
    assert!(pulled["rows"][0].get("email").is_none() && pulled["rows"][0]["city"] == "Ulm", "{pulled}");
    mara.goto(&format!("{vendor}/acts/suspend")).await;
    mara.must_see("1 client").await;
    act(&mara, &vendor, "suspend", "Suspend").await;
    let refused = house.pull(&bearer, "/data/v1/datasets/people/records", "application/json").await;
    assert_eq!((refused.status, refused.gate().as_str()), (403, "vendor"));
    house.settle().await;
    mara.close().await;
    otto.close().await;
    let (rita, _) = enter(&house, window, Role::ComplianceReviewer, "Rita").await.unwrap();
    rita.goto("/history").await;
    for said in ["suspended", "received", "approved version 1 of", "registered"] {
        rita.must_see(said).await;
    }
    rita.close().await;
}

#[test]
fn four_people_walk_the_whole_path() {
    run(walk(Window::DESKTOP));
}

#[test]
fn four_people_walk_it_on_a_phone() {
    run(walk(Window::PHONE));
}

#[test]
fn four_people_walk_it_without_script() {
    run(walk(Window::PLAIN));
}

#[test]
fn four_people_walk_it_by_keyboard_alone() {
    run(walk(Window::KEYS));
}
