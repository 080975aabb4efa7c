//! Due diligence in the browser: the whole way of a round, two people at once, bad answers, who may, and the list.

use tidegate::app::assessments::{self, RoundQuery};
use tidegate::app::people::{self, AddPerson};
use tidegate::domain::person::{Actor, Role};
use tidegate::domain::secret::PlainSecret;

use crate::browse::{Browser, token};
use crate::database::Database;
use crate::harness::{Answer, House};

const PASSWORD: &str = "correct horse battery";

crate::on_both!(
    a_round_goes_its_way,
    nobody_overwrites_an_answer_they_did_not_read,
    what_waits_comes_first_and_a_page_costs_the_same,
    an_answer_that_can_not_be_is_shown_again,
);

/// Somebody of a role, signed in; answers the id as well.
pub async fn person<'a>(house: &'a House, name: &str, role: Role) -> (Browser<'a>, Actor) {
    let email = format!("{name}@pages.example");
    let new = AddPerson { email: email.parse().unwrap(), name: name.parse().unwrap(), role, password: PlainSecret::new(PASSWORD) };
    let person = people::add(&house.app, &Actor::Operator, new).await.unwrap();
    (Browser::signed_in(house, &email, PASSWORD).await, Actor::Person { id: person.id, role })
}

fn led_to(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text);
    answer.header("location").to_owned()
}

/// Opens a round of a vendor and sends its questions; answers its path.
async fn sent(browser: &Browser<'_>, vendor: &str) -> String {
    let opened =
        browser.fill("/account", &format!("/vendors/{vendor}/assessments"), &[("kind", "security"), ("template", "security")]).await;
    let path = led_to(&opened);
    led_to(&browser.fill(&path, &format!("{path}/send"), &[]).await);
    path
}

async fn save(browser: &Browser<'_>, path: &str, fields: &[(&str, &str)]) -> Answer {
    let fields: Vec<(&str, &str)> = std::iter::once(("domain", "1")).chain(fields.iter().copied()).collect();
    browser.fill(path, &format!("{path}/answers"), &fields).await
}

/// Saves as the page's script does.
async fn autosave(browser: &Browser<'_>, path: &str, fields: &[(&str, &str)]) -> Answer {
    let csrf = token(&browser.get(path).await.text);
    let fields: Vec<(&str, &str)> = [("csrf", csrf.as_str()), ("domain", "1")].into_iter().chain(fields.iter().copied()).collect();
    let request = browser.request("POST", &format!("{path}/answers")).header("origin", &browser.house.url).header("hx-request", "true");
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    browser.send(request.body(serde_urlencoded::to_string(fields).unwrap())).await
}

const YES: &str = r#"{"kind":"yes_no","value":"yes"}"#;

async fn a_round_goes_its_way(database: Database) {
    let house = House::start(database).await;
    let vendor = house.register("Acme <b>GmbH</b>").await;
    let (mara, _) = person(&house, "Mara", Role::VendorManager).await;
    let (otto, _) = person(&house, "Otto", Role::PrivacyOfficer).await;
    let (rita, _) = person(&house, "Rita", Role::ComplianceReviewer).await;

    let path = sent(&mara, &vendor).await;
    let shown = mara.get(&path).await.text;
    assert!(shown.contains("Acme &#60;b&#62;GmbH") && !shown.contains("<b>GmbH"), "a name is text: {shown}");
    assert!(shown.contains("Submit for review") && shown.contains("0 of 3<"), "{shown}");
    assert!(!shown.contains("On what day was that policy last reviewed"), "a question whose condition does not hold is not asked");

    // As the script saves: the parts that changed, among them the question that is asked now.
    let part = autosave(&mara, &path, &[("was.security-policy", ""), ("a.security-policy", "yes")]).await;
    assert_eq!(part.status, 200, "{}", part.text);
    assert!(part.text.contains("Saved 09:00") && part.text.contains("1 of 4<") && !part.text.contains("<html"), "{}", part.text);
    assert!(part.text.contains("On what day was that policy last reviewed"), "{}", part.text);
    // As a form saves: back to the page, at the same place.
    let saved = save(
        &mara,
        &path,
        &[
            ("was.security-lead", ""),
            ("a.security-lead", "part-time"),
            ("was.certification", ""),
            ("na.certification", "They host nothing"),
        ],
    )
    .await;
    assert_eq!(led_to(&saved), format!("{path}#domain-1"));
    let shown = mara.get(&path).await.text;
    assert!(shown.contains("3 of 4<") && shown.contains("They host nothing"), "{shown}");

    let entries = house.history("kind=act").await.len();
    let same = save(&mara, &path, &[("was.security-policy", YES), ("a.security-policy", "yes")]).await;
    led_to(&same);
    assert_eq!(house.history("kind=act").await.len(), entries, "what changes nothing is no entry");

    let asked = mara.get(&format!("{path}/submit")).await.text;
    assert!(asked.contains("have no answer") && asked.contains("would be"), "{asked}");
    let score = led_to(&mara.fill(&format!("{path}/submit"), &format!("{path}/submit"), &[]).await);
    let shown = mara.get(&score).await.text;
    assert!(shown.contains("count as worst") && shown.contains("does not apply"), "{shown}");
    assert_eq!(save(&mara, &path, &[("was.security-policy", YES), ("a.security-policy", "no")]).await.status, 409, "locked");

    for (browser, sentence) in
        [(&mara, "wait for a privacy officer"), (&rita, "wait for a privacy officer"), (&otto, "Take the round into review")]
    {
        assert!(browser.get(&path).await.text.contains(sentence), "{sentence}");
    }
    assert_eq!(mara.fill(&path, &format!("{path}/review"), &[]).await.status, 403);
    led_to(&otto.fill(&path, &format!("{path}/review"), &[]).await);
    decided(&otto, &mara, &path).await;

    // A reviewer sees it all and is offered nothing.
    for page in [
        "/assessments".to_owned(),
        path.clone(),
        format!("{path}/score"),
        format!("{path}/decision"),
        format!("/vendors/{vendor}/evidence"),
    ] {
        let answer = rita.get(&page).await;
        assert_eq!(answer.status, 200, "{page}");
        let main = answer.text.split("<main").nth(1).unwrap();
        assert!(!main.contains("method=\"post\""), "{page} offers a reviewer an act: {main}");
    }
    for act in ["send", "answers", "submit", "review", "cancel", "review/cancel", "decision"] {
        assert_eq!(rita.fill("/account", &format!("{path}/{act}"), &[]).await.status, 403, "{act}");
    }
}

/// The decision: what lacks is said, and what was typed stays; once decided it stands.
async fn decided(otto: &Browser<'_>, mara: &Browser<'_>, path: &str) {
    let decision = format!("{path}/decision");
    assert!(mara.get(&decision).await.text.contains("A privacy officer decides assessments."), "who may not is told why");
    assert!(otto.get(&decision).await.text.contains("180 days"), "the tier says how long");
    let cases: [(&[(&str, &str)], &str); 4] = [
        (&[("rationale", "Kept words")], "Verdict must be chosen"),
        (&[("verdict", "approved")], "Rationale must have"),
        (&[("verdict", "approved_with_conditions"), ("conditions", ""), ("rationale", "Kept words")], "must name at least one"),
        (&[("verdict", "rejected"), ("conditions", "Mend it"), ("rationale", "Kept words")], "must be empty with this verdict"),
    ];
    for (fields, said) in cases {
        let answer = otto.fill(&decision, &decision, fields).await;
        assert_eq!(answer.status, 422, "{said}");
        assert!(answer.text.contains(said), "{said}: {}", answer.text);
        assert!(fields.iter().all(|(_, typed)| answer.text.contains(typed)), "what was typed stays: {}", answer.text);
    }
    let good = [
        ("verdict", "approved_with_conditions"),
        ("conditions", "Rotate the <keys>"),
        ("conditions", ""),
        ("conditions", "Train everyone"),
        ("rationale", "Sound {{7*7}}"),
    ];
    let csrf = token(&otto.get(&decision).await.text);
    let fields: Vec<(&str, &str)> = std::iter::once(("csrf", csrf.as_str())).chain(good).collect();
    assert_eq!(led_to(&otto.submit(&decision, &fields).await), decision);
    assert_eq!(led_to(&otto.submit(&decision, &fields).await), decision, "sent twice, decided once");
    let shown = otto.get(&decision).await.text;
    for said in ["Approved with conditions", "Rotate the &#60;keys&#62;", "Train everyone", "Sound {{7*7}}", "It holds until"] {
        assert!(shown.contains(said), "{said}: {shown}");
    }
    assert_eq!(otto.fill("/account", &decision, &good).await.status, 409, "a decided round is never decided again");
}

async fn nobody_overwrites_an_answer_they_did_not_read(database: Database) {
    let house = House::start(database).await;
    let vendor = house.register("Acme").await;
    let (mara, _) = person(&house, "Mara", Role::VendorManager).await;
    let (jon, _) = person(&house, "Jon", Role::VendorManager).await;
    let path = sent(&mara, &vendor).await;
    led_to(&save(&mara, &path, &[("was.security-policy", ""), ("a.security-policy", "yes")]).await);
    // Jon read the page before Mara saved; what he says of another question is saved all the same.
    let late = [("was.security-policy", ""), ("a.security-policy", "no"), ("was.security-lead", ""), ("a.security-lead", "nobody")];
    let answer = save(&jon, &path, &late).await;
    assert_eq!(answer.status, 409, "{}", answer.text);
    assert!(answer.text.contains("Somebody else answered this meanwhile: <strong>yes</strong>"), "{}", answer.text);
    assert!(answer.text.contains("name=\"a.security-policy\" value=\"no\" checked"), "what was chosen stays: {}", answer.text);
    let shown = mara.get(&path).await.text;
    assert!(shown.contains("name=\"a.security-policy\" value=\"yes\" checked"), "the first answer stands");
    assert!(shown.contains("name=\"a.security-lead\" value=\"nobody\" checked"), "what nobody else touched is saved");
    // The script is told the same, in parts.
    let part = autosave(&jon, &path, &late).await;
    assert_eq!((part.status, part.header("x-form")), (409, "again"));
    assert!(part.text.contains("<strong>yes</strong>") && !part.text.contains("<html"), "{}", part.text);
    // Having read it, he may put his own in its place.
    led_to(&save(&jon, &path, &[("was.security-policy", YES), ("a.security-policy", "no")]).await);
    assert!(mara.get(&path).await.text.contains("name=\"a.security-policy\" value=\"no\" checked"));
    // The same answer by two is no conflict, and an answer can be taken back.
    led_to(&save(&mara, &path, &[("was.security-policy", YES), ("a.security-policy", "no")]).await);
    led_to(&save(&mara, &path, &[("was.security-policy", r#"{"kind":"yes_no","value":"no"}"#), ("a.security-policy", "")]).await);
    assert!(mara.get(&path).await.text.contains("1 of 3<"));
}

async fn an_answer_that_can_not_be_is_shown_again(database: Database) {
    let house = House::start(database).await;
    let vendor = house.register("Acme").await;
    let (mara, _) = person(&house, "Mara", Role::VendorManager).await;
    let path = sent(&mara, &vendor).await;
    let other = house.register("Other").await;
    let query = "name=Theirs&type=iso27001&issued=2026-06-01";
    let paper = house.upload(Role::VendorManager, "POST", &format!("/api/v1/vendors/{other}/evidence?{query}"), b"%PDF-1.4").await.good();
    let foreign = paper["id"].as_str().unwrap();
    led_to(
        &save(
            &mara,
            &path,
            &[("was.security-policy", ""), ("a.security-policy", "yes"), ("was.certification", ""), ("a.certification", "certified")],
        )
        .await,
    );
    let long = "x".repeat(20_001);
    let cases = [
        ("a.security-policy", "perhaps", "yes or no"),
        ("a.security-lead", "Not A Slug", "one of the options"),
        ("a.security-lead", "no-such-option", "none of the options"),
        ("a.security-policy-reviewed", "yesterday", "must be"),
        ("a.certification-report", foreign, "evidence of this vendor"),
        ("a.certification-report", "<script>alert(1)</script>", "a paper of this vendor"),
        ("na.security-lead", long.as_str(), "1 to 20000 characters"),
    ];
    for (field, value, said) in cases {
        let question = field.split_once('.').unwrap().1;
        let was = format!("was.{question}");
        let fields = [(was.as_str(), ""), (field, value)];
        let answer = save(&mara, &path, &fields).await;
        assert_eq!(answer.status, 422, "{field}: {}", answer.text);
        assert!(answer.text.contains(said), "{field}: {said}: {}", answer.text);
        assert!(!answer.text.contains("<script>alert"), "{field}");
        assert_eq!(autosave(&mara, &path, &fields).await.status, 422, "{field}");
    }
    for fields in [&[][..], &[("was.no-such-question", ""), ("a.no-such-question", "x")]] {
        assert_eq!(save(&mara, &path, fields).await.status, 400);
    }
    // Odd text is kept as it was typed, and does nothing.
    let odd = "\u{202e}right\u{200b} {{7*7}} <script>alert(1)</script>\r\nsecond line";
    led_to(&save(&mara, &path, &[("was.security-lead", "x"), ("na.security-lead", odd)]).await);
    let shown = mara.get(&path).await.text;
    assert!(shown.contains("\u{202e}right\u{200b} {{7*7}} &#60;script&#62;") && !shown.contains("<script>alert"), "{shown}");
    for kind in ["", "tax", "<b>"] {
        let fields = [("kind", kind), ("template", "security")];
        assert_eq!(mara.fill("/account", &format!("/vendors/{vendor}/assessments"), &fields).await.status, 422, "{kind}");
    }
    assert_eq!(mara.get("/assessments/not-an-id").await.status, 404);
    assert_eq!(mara.get("/assessments?after=nonsense").await.status, 422);
    let cancel = format!("{path}/cancel");
    assert_eq!(mara.fill(&cancel, &cancel, &[("reason", "no")]).await.status, 422);
    assert_eq!(led_to(&mara.fill(&cancel, &cancel, &[("reason", "Opened by mistake")]).await), path);
    assert!(mara.get(&path).await.text.contains("Cancelled"));
}

async fn what_waits_comes_first_and_a_page_costs_the_same(database: Database) {
    let house = House::start(database).await;
    let (mara, manager) = person(&house, "Mara", Role::VendorManager).await;
    let (otto, officer) = person(&house, "Otto", Role::PrivacyOfficer).await;
    let (rita, reviewer) = person(&house, "Rita", Role::ComplianceReviewer).await;
    assert!(mara.get("/assessments").await.text.contains("No assessments yet"));
    let submitted = {
        let path = sent(&mara, &house.register("First").await).await;
        led_to(&mara.fill(&path, &format!("{path}/submit"), &[]).await);
        path
    };
    for name in ["Second", "Third", "Fourth 100%"] {
        sent(&mara, &house.register(name).await).await;
    }
    let names = async |by: &Actor, after: Option<String>, limit| {
        let list = assessments::rounds(&house.app, by, RoundQuery { after, limit, ..RoundQuery::default() }).await.unwrap();
        assert_eq!(list.total, 4);
        (list.rows.into_iter().map(|line| (line.round.vendor_name, line.waits_for_me)).collect::<Vec<_>>(), list.next)
    };
    let expect = |rows: &[(&str, bool)]| rows.iter().map(|(name, mine)| ((*name).to_owned(), *mine)).collect::<Vec<_>>();
    let by_time = expect(&[("Fourth 100%", false), ("Third", false), ("Second", false), ("First", false)]);
    assert_eq!(names(&reviewer, None, 10).await, (by_time.clone(), None), "nothing waits for a reviewer");
    assert_eq!(names(&manager, None, 10).await.0, by_time, "another manager's vendors do not wait for this one");
    let waits = expect(&[("First", true), ("Fourth 100%", false), ("Third", false), ("Second", false)]);
    assert_eq!(names(&officer, None, 10).await.0, waits);
    for limit in 1..=4 {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let (rows, next) = names(&officer, after, limit).await;
            all.extend(rows);
            match next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        assert_eq!(all, waits, "page by page, {limit} at a time");
    }
    for (query, count) in
        [("state=submitted", 1), ("kind=security&q=fourth+100%25", 1), ("kind=legal", 0), ("q=%25", 1), ("state=nonsense", 4)]
    {
        let page = rita.get(&format!("/assessments?{query}")).await.text;
        assert_eq!(page.matches("<th scope=\"row\">").count(), count, "{query}: {page}");
    }
    assert!(otto.get("/assessments").await.text.contains("Waits for you"));

    let counted = async |path: &str| rita.statements(path).await.0;
    let few = (counted("/assessments").await, counted(&submitted).await);
    for number in 0..8 {
        sent(&mara, &house.register(&format!("More {number}")).await).await;
    }
    assert_eq!((counted("/assessments").await, counted(&submitted).await), few, "the same statements whatever the rows");
}
