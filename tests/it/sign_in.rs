//! Signing in: who gets in, what a guesser meets, what a session is, and what a foreign site can't make a browser do.

use tidegate::app::password_links;
use tidegate::app::people::{self, AddPerson};
use tidegate::domain::person::{Actor, Role};
use tidegate::domain::secret::PlainSecret;
use tidegate::keys::totp;

use crate::browse::{Browser, token};
use crate::database::{Database, run};
use crate::harness::House;

const PASSWORD: &str = "correct horse battery";

async fn person(house: &House, email: &str, role: Role) {
    let new = AddPerson { email: email.parse().unwrap(), name: "Ada".parse().unwrap(), role, password: PlainSecret::new(PASSWORD) };
    people::add(&house.app, &Actor::Operator, new).await.unwrap();
}

fn is_signed_out(answer: &crate::harness::Answer) -> bool {
    answer.status == 303 && answer.header("location").starts_with("/sign-in")
}

crate::on_both!(
    the_right_password_opens_a_session_and_nothing_else_does,
    a_session_ends_idle_absolutely_by_sign_out_and_by_being_shut_out,
    a_planted_session_is_never_the_one_that_is_signed_in,
    a_code_is_good_once_and_recovery_codes_too,
    guessing_waits_and_locks_nobody_out,
    guesses_at_the_same_time_are_counted,
    another_site_can_not_send_our_forms,
    a_form_sent_twice_does_its_act_once,
    what_was_typed_survives_the_end_of_a_session,
    a_sign_in_leads_to_pages_of_this_house_only,
    links_let_a_person_choose_a_password_once,
    people_are_changed_by_administrators_and_one_stays,
);

async fn the_right_password_opens_a_session_and_nothing_else_does(database: Database) {
    let house = House::start(database).await;
    person(&house, "ada@example.org", Role::VendorManager).await;
    let browser = Browser::new(&house);
    assert!(is_signed_out(&browser.get("/account").await));
    for (email, password) in [("ada@example.org", "wrong horse battery"), ("bob@example.org", PASSWORD), ("", ""), ("ada", PASSWORD)] {
        let answer = browser.submit("/sign-in", &[("email", email), ("password", password)]).await;
        assert_eq!(answer.status, 401, "{email}");
        assert!(answer.text.contains("do not go together"), "nobody is told which is wrong");
        assert!(!answer.text.contains(PASSWORD), "a password never comes back");
        assert!(browser.cookie("tidegate").is_none());
    }
    let answer = browser.submit("/sign-in", &[("email", " Ada@Example.org "), ("password", PASSWORD), ("next", "/account?x=1")]).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/account?x=1"));
    let cookie =
        answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).find(|value| value.starts_with("tidegate="));
    let cookie = cookie.unwrap();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Path=/") && !cookie.contains("Max-Age"),
        "{cookie}"
    );
    assert_eq!(browser.get("/account").await.status, 200);
}

async fn a_session_ends_idle_absolutely_by_sign_out_and_by_being_shut_out(database: Database) {
    let house = House::start(database).await;
    person(&house, "ada@example.org", Role::VendorManager).await;
    let start = house.clock.now();
    let enter = async || Browser::signed_in(&house, "ada@example.org", PASSWORD).await;
    let browser = enter().await;
    for minutes in [50, 100, 150] {
        house.clock.set(start.plus_seconds(minutes * 60));
        assert_eq!(browser.get("/account").await.status, 200, "a busy session stays, {minutes}");
    }
    house.clock.set(start.plus_seconds(211 * 60));
    assert!(is_signed_out(&browser.get("/account").await), "an hour idle");
    let browser = enter().await;
    for minutes in (250..920).step_by(45) {
        house.clock.set(start.plus_seconds(minutes * 60));
        assert_eq!(browser.get("/account").await.status, 200, "{minutes}");
    }
    house.clock.set(start.plus_seconds((211 + 12 * 60) * 60));
    assert!(is_signed_out(&browser.get("/account").await), "twelve hours in all");

    let (here, there) = (enter().await, enter().await);
    let copy = here.copy();
    let out = here.fill("/account", "/sign-out", &[]).await;
    assert_eq!((out.status, out.header("location")), (303, "/sign-in"));
    assert!(is_signed_out(&copy.get("/account").await), "the session is over, not only its cookie gone");
    assert_eq!(there.get("/account").await.status, 200);
    let other = enter().await;
    assert_eq!(there.fill("/account", "/sign-out", &[("everywhere", "yes")]).await.status, 303);
    assert!(is_signed_out(&other.get("/account").await));

    let browser = enter().await;
    let all = people::list(&house.app).await.unwrap();
    let ada = all.iter().find(|person| person.email.as_str() == "ada@example.org").unwrap();
    people::disable(&house.app, &Actor::Operator, ada.id.clone()).await.unwrap();
    assert!(is_signed_out(&browser.get("/account").await));
    assert_eq!(browser.submit("/sign-in", &[("email", "ada@example.org"), ("password", PASSWORD)]).await.status, 401);
}

/// OWASP's session fixation: a cookie planted before the sign-in, and the one before the second factor.
async fn a_planted_session_is_never_the_one_that_is_signed_in(database: Database) {
    let house = House::start(database).await;
    person(&house, "ada@example.org", Role::VendorManager).await;
    let attacker = Browser::new(&house);
    attacker.set_cookie("tidegate", "tg_se_planted");
    let victim = attacker.copy();
    assert_eq!(victim.submit("/sign-in", &[("email", "ada@example.org"), ("password", PASSWORD)]).await.status, 303);
    assert_ne!(victim.cookie("tidegate"), attacker.cookie("tidegate"));
    assert!(is_signed_out(&attacker.get("/account").await));

    let key = turn_second_factor_on(&house, &victim).await;
    let later = house.clock.now().plus_seconds(60);
    house.clock.set(later);
    let victim = Browser::new(&house);
    let asked = victim.submit("/sign-in", &[("email", "ada@example.org"), ("password", PASSWORD)]).await;
    assert_eq!(asked.status, 200);
    let before = victim.copy();
    assert!(is_signed_out(&before.get("/account").await), "a session that waits for its code opens nothing");
    let code = totp::code(&key, later.seconds());
    assert_eq!(victim.submit("/sign-in/code", &[("code", &code)]).await.status, 303);
    assert_eq!(victim.get("/account").await.status, 200);
    assert!(is_signed_out(&before.get("/account").await), "the secret from before the code is of no use after it");
}

async fn a_code_is_good_once_and_recovery_codes_too(database: Database) {
    let house = House::start(database).await;
    person(&house, "ada@example.org", Role::VendorManager).await;
    let browser = Browser::signed_in(&house, "ada@example.org", PASSWORD).await;
    let key = turn_second_factor_on(&house, &browser).await;
    let later = house.clock.now().plus_seconds(300);
    house.clock.set(later);
    let code = totp::code(&key, later.seconds());
    let enter = async |code: String| {
        let browser = Browser::new(&house);
        let asked = browser.submit("/sign-in", &[("email", "ada@example.org"), ("password", PASSWORD)]).await;
        assert!(asked.text.contains("/sign-in/code"), "{}", asked.text);
        browser.submit("/sign-in/code", &[("code", &code)]).await.status
    };
    assert_eq!(enter("000000".to_owned()).await, 401);
    assert_eq!(enter(code.clone()).await, 303);
    assert_eq!(enter(code).await, 401, "replayed");
    assert_eq!(enter(totp::code(&key, later.seconds() - 30)).await, 401, "older than one that was taken");
}

/// Strangers who guess are slowed down; the owner's own browser is not, and nobody waits more than a minute.
async fn guessing_waits_and_locks_nobody_out(database: Database) {
    let house = House::start(database).await;
    person(&house, "ada@example.org", Role::VendorManager).await;
    let known = Browser::signed_in(&house, "ada@example.org", PASSWORD).await;
    known.fill("/account", "/sign-out", &[]).await;
    let guess =
        async |email: &'static str| Browser::new(&house).submit("/sign-in", &[("email", email), ("password", "wrong horse battery")]).await;
    for _ in 0..4 {
        assert_eq!(guess("ada@example.org").await.status, 401);
    }
    let waits = guess("ada@example.org").await;
    assert_eq!((waits.status, waits.header("retry-after")), (429, "1"));
    let right = Browser::new(&house).submit("/sign-in", &[("email", "ada@example.org"), ("password", PASSWORD)]).await;
    assert_eq!(right.status, 429, "a guess that is right waits as well, or it would be told");
    for _ in 0..4 {
        assert_eq!(guess("nobody@example.org").await.status, 401);
    }
    assert_eq!(guess("nobody@example.org").await.status, 429, "an account that is not there is no different");
    let owner = known.submit("/sign-in", &[("email", "ada@example.org"), ("password", PASSWORD)]).await;
    assert_eq!(owner.status, 303, "a browser that signed in before has a count of its own");
    house.clock.set(house.clock.now().plus_seconds(60));
    let anew = Browser::new(&house).submit("/sign-in", &[("email", "ada@example.org"), ("password", PASSWORD)]).await;
    assert_eq!(anew.status, 303, "nobody waits more than a minute");
}

/// One address that tries many accounts is slowed down too; guesses at the same time do not slip through.
async fn guesses_at_the_same_time_are_counted(database: Database) {
    let house = House::start(database).await;
    person(&house, "ada@example.org", Role::VendorManager).await;
    let guesses = (0..24).map(|_| async {
        Browser::new(&house).submit("/sign-in", &[("email", "ada@example.org"), ("password", "wrong horse battery")]).await.status
    });
    let statuses = futures::future::join_all(guesses).await;
    let tried = statuses.iter().filter(|status| **status == 401).count();
    assert_eq!(tried, 4, "{statuses:?}");
}

async fn another_site_can_not_send_our_forms(database: Database) {
    let house = House::start(database).await;
    person(&house, "ada@example.org", Role::VendorManager).await;
    let browser = Browser::signed_in(&house, "ada@example.org", PASSWORD).await;
    let page = browser.get("/account").await;
    let good = token(&page.text);
    let send = async |headers: &[(&str, &str)], token: &str| {
        let mut request = browser.request("POST", "/account/sessions/end").header("content-type", "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        browser.send(request.body(serde_urlencoded::to_string([("csrf", token)]).unwrap())).await
    };
    let refused: [&[(&str, &str)]; 6] = [
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")],
        &[("origin", &house.url), ("sec-fetch-site", "cross-site")],
    ];
    for headers in refused {
        assert_eq!(send(headers, &good).await.status, 403, "{headers:?}");
    }
    let other = Browser::signed_in(&house, "ada@example.org", PASSWORD).await;
    let foreign = token(&other.get("/account").await.text);
    for bad in ["", "x", &foreign, &good[1..], &format!("{good}A")] {
        let answer = send(&[("origin", &house.url)], bad).await;
        assert_eq!(answer.status, 403, "{bad}");
        assert!(answer.text.contains("Send it now"), "what was typed is shown and can be sent");
    }
    assert_eq!(send(&[("origin", &house.url)], &good).await.status, 303);
}

async fn a_form_sent_twice_does_its_act_once(database: Database) {
    let house = House::start(database).await;
    person(&house, "ada@example.org", Role::VendorManager).await;
    let browser = Browser::signed_in(&house, "ada@example.org", PASSWORD).await;
    let csrf = token(&browser.get("/account").await.text);
    let fields = [("csrf", csrf.as_str()), ("label", "at dawn")];
    let first = browser.submit("/account/keys", &fields).await;
    assert!(first.status == 200 && first.text.contains("tg_ak_"), "{}", first.text);
    let second = browser.submit("/account/keys", &fields).await;
    assert!(!second.text.contains("tg_ak_") && second.status == 409, "a secret is shown once: {}", second.text);
    let page = browser.get("/account").await;
    assert_eq!(page.text.matches("at dawn").count(), 2, "one key: its name and its button");
    let refused = [("csrf", csrf.as_str()), ("label", "")];
    assert_eq!(browser.submit("/account/keys", &refused).await.status, 409, "the form was sent already");
    let csrf = token(&page.text);
    assert_eq!(browser.submit("/account/keys", &[("csrf", csrf.as_str()), ("label", "")]).await.status, 422);
    let mended = browser.submit("/account/keys", &[("csrf", csrf.as_str()), ("label", "hourly")]).await;
    assert_eq!(mended.status, 200, "what was refused can be mended and sent again");
    let both = token(&browser.get("/account").await.text);
    let fields = [("csrf", both.as_str()), ("label", "twin")];
    let (one, two) = tokio::join!(browser.submit("/account/keys", &fields), browser.submit("/account/keys", &fields));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
}

/// What was typed survives a session that ends meanwhile, through sign-in, and only the person sends it.
async fn what_was_typed_survives_the_end_of_a_session(database: Database) {
    let house = House::start(database).await;
    person(&house, "root@example.org", Role::Administrator).await;
    let browser = Browser::signed_in(&house, "root@example.org", PASSWORD).await;
    let csrf = token(&browser.get("/settings/people/new").await.text);
    house.clock.set(house.clock.now().plus_seconds(2 * 3600));
    let typed = [
        ("csrf", csrf.as_str()),
        ("name", "Zoë \u{202e}O'Hara <b>"),
        ("email", "zoe@example.org"),
        ("role", "data_steward"),
        ("password", "never kept"),
    ];
    let asked = browser.submit("/settings/people", &typed).await;
    assert_eq!(asked.status, 401);
    assert!(
        asked.text.contains("again.name") && asked.text.contains("zoe@example.org") && !asked.text.contains("never kept"),
        "{}",
        asked.text
    );
    assert!(asked.text.contains("&#60;b&#62;") || asked.text.contains("&lt;b&gt;"), "escaped");
    let fields = [
        ("email", "root@example.org"),
        ("password", PASSWORD),
        ("again", "/settings/people"),
        ("again.name", "Zoe"),
        ("again.email", "zoe@example.org"),
        ("again.role", "data_steward"),
    ];
    let shown = browser.submit("/sign-in", &fields).await;
    assert!(shown.status == 200 && shown.text.contains("Send it now") && shown.text.contains("zoe@example.org"), "{}", shown.text);
    assert!(
        people::list(&house.app).await.unwrap().iter().all(|person| person.email.as_str() != "zoe@example.org"),
        "nothing is sent by itself"
    );
    let csrf = token(&shown.text);
    let sent = browser
        .submit("/settings/people", &[("csrf", csrf.as_str()), ("name", "Zoe"), ("email", "zoe@example.org"), ("role", "data_steward")])
        .await;
    assert!(sent.status == 200 && sent.text.contains("/welcome/tg_pl_"), "{}", sent.text);
}

async fn a_sign_in_leads_to_pages_of_this_house_only(database: Database) {
    let house = House::start(database).await;
    person(&house, "ada@example.org", Role::VendorManager).await;
    let elsewhere = [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/api/v1/me",
        "/no-such-page",
        "/account\r\nx: y",
        "account",
        "/%2f%2fevil.example",
        "",
    ];
    for next in elsewhere {
        let answer = Browser::new(&house).submit("/sign-in", &[("email", "ada@example.org"), ("password", PASSWORD), ("next", next)]).await;
        assert_eq!((answer.status, answer.header("location")), (303, "/"), "{next:?}");
        let mut query = serde_urlencoded::to_string([("next", next)]).unwrap();
        query.insert_str(0, "/sign-in?");
        let page = Browser::new(&house).get(&query).await;
        assert!(page.text.contains("name=\"next\" value=\"/\""), "{next:?}: {}", page.text);
    }
    let again = [("email", "ada@example.org"), ("password", PASSWORD), ("again", "https://evil.example/"), ("again.x", "y")];
    let answer = Browser::new(&house).submit("/sign-in", &again).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/"), "no form is sent to another site");
}

async fn links_let_a_person_choose_a_password_once(database: Database) {
    let house = House::start(database).await;
    person(&house, "root@example.org", Role::Administrator).await;
    let admin = Browser::signed_in(&house, "root@example.org", PASSWORD).await;
    let shown = admin
        .fill("/settings/people/new", "/settings/people", &[("name", "Zoe"), ("email", "zoe@example.org"), ("role", "data_steward")])
        .await;
    let link = link_in(&shown.text);
    assert_eq!(Browser::new(&house).submit("/sign-in", &[("email", "zoe@example.org"), ("password", "!")]).await.status, 401);
    let zoe = Browser::new(&house);
    assert!(zoe.get(&link).await.text.contains("zoe@example.org"));
    for (password, again) in [("short", "short"), (PASSWORD, "another horse battery")] {
        assert_eq!(zoe.submit(&link, &[("password", password), ("password_again", again)]).await.status, 422);
    }
    let other = Browser::new(&house);
    let (one, two) = tokio::join!(
        zoe.submit(&link, &[("password", PASSWORD), ("password_again", PASSWORD)]),
        other.submit(&link, &[("password", PASSWORD), ("password_again", PASSWORD)])
    );
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 404], "a link is used once");
    assert_eq!(Browser::new(&house).get(&link).await.status, 404);
    let zoe = Browser::signed_in(&house, "zoe@example.org", PASSWORD).await;
    assert_eq!(zoe.get("/account").await.status, 200);

    let person = people::list(&house.app).await.unwrap().into_iter().find(|person| person.email.as_str() == "zoe@example.org").unwrap();
    let path = format!("/settings/people/{}", person.id);
    let old = link_in(&admin.fill(&path, &format!("{path}/link"), &[]).await.text);
    let new = link_in(&admin.fill(&path, &format!("{path}/link"), &[]).await.text);
    assert_eq!(Browser::new(&house).get(&old).await.status, 404, "a newer link takes the older back");
    assert_eq!(zoe.get("/account").await.status, 200, "nothing changes before it is used");
    let answer =
        Browser::new(&house).submit(&new, &[("password", "another horse battery"), ("password_again", "another horse battery")]).await;
    assert_eq!(answer.status, 303);
    assert!(is_signed_out(&zoe.get("/account").await), "a new password ends what was open");
    let late = link_in(&admin.fill(&path, &format!("{path}/link"), &[]).await.text);
    house.clock.set(house.clock.now().plus_days(1));
    assert_eq!(Browser::new(&house).get(&late).await.status, 404, "after a day");
    assert_eq!(Browser::new(&house).get("/welcome/tg_pl_x").await.status, 404);
}

async fn people_are_changed_by_administrators_and_one_stays(database: Database) {
    let house = House::start(database).await;
    person(&house, "root@example.org", Role::Administrator).await;
    let admin = Browser::signed_in(&house, "root@example.org", PASSWORD).await;
    let all = people::list(&house.app).await.unwrap();
    let find = |email: &str| all.iter().find(|person| person.email.as_str() == email).unwrap();
    let steward = find("data_steward@example.org");
    let path = format!("/settings/people/{}", steward.id);
    let stale = admin.copy();
    let csrf = token(&stale.get(&path).await.text);
    let done = admin.fill(&path, &path, &[("name", "Sam"), ("role", "privacy_officer"), ("version", "1")]).await;
    assert_eq!((done.status, done.header("location")), (303, "/settings/people"));
    assert!(admin.get("/settings/people").await.text.contains("The change is saved"), "the next page says so");
    assert!(!admin.get("/settings/people").await.text.contains("The change is saved"), "once");
    let late = stale.submit(&path, &[("csrf", &csrf), ("name", "Tom"), ("role", "data_steward"), ("version", "1")]).await;
    assert!(
        late.status == 409 && late.text.contains("Tom") && late.text.contains("Sam"),
        "what was typed stays, beside the other's change: {}",
        late.text
    );
    let own = find("root@example.org");
    let path = format!("/settings/people/{}", own.id);
    let refused = admin.fill(&path, &path, &[("name", "Root"), ("role", "privacy_officer"), ("version", "1")]).await;
    assert_eq!(refused.status, 422);
    assert_eq!(admin.fill(&path, &format!("{path}/disable"), &[]).await.status, 422);
}

fn link_in(page: &str) -> String {
    let (_, rest) = page.split_once("/welcome/").unwrap_or_else(|| panic!("no link: {page}"));
    format!("/welcome/{}", rest.split(|sign: char| !sign.is_ascii_alphanumeric() && sign != '_').next().unwrap())
}

async fn turn_second_factor_on(house: &House, browser: &Browser<'_>) -> Vec<u8> {
    assert_eq!(browser.fill("/account", "/account/second-factor", &[]).await.status, 303);
    let page = browser.get("/account/second-factor").await;
    let (_, rest) = page.text.split_once("<code class=\"text-break\">").unwrap();
    let key: String = rest.split('<').next().unwrap().split_whitespace().collect();
    let key = data_encoding::BASE32_NOPAD.decode(key.as_bytes()).unwrap();
    let code = totp::code(&key, house.clock.now().seconds());
    let shown = browser.fill("/account/second-factor", "/account/second-factor/confirm", &[("code", &code)]).await;
    assert_eq!(shown.text.matches("<li><code>").count(), 8, "{}", shown.text);
    key
}

/// The first administrator of an empty installation comes in by the link that is printed at start, once.
#[test]
fn the_first_administrator_sets_the_house_up() {
    run(async {
        let house = House::start_empty(Database::sqlite()).await;
        let link = password_links::set_up(&house.app).await.unwrap().unwrap();
        let newer = password_links::set_up(&house.app).await.unwrap().unwrap();
        let path = |link: &PlainSecret| format!("/welcome/{}", link.reveal());
        assert_eq!(Browser::new(&house).get(&path(&link)).await.status, 404, "the newest link counts");
        let browser = Browser::new(&house);
        let fields = [("name", "Ada"), ("email", "ada@example.org"), ("password", PASSWORD), ("password_again", PASSWORD)];
        assert_eq!(browser.submit(&path(&newer), &fields).await.status, 303);
        assert_eq!(browser.get("/settings/people").await.status, 200);
        assert_eq!(Browser::new(&house).submit(&path(&newer), &fields).await.status, 404);
        assert!(password_links::set_up(&house.app).await.unwrap().is_none());
    });
}
