//! Datasets through a browser: from a file to a catalogued table, who sees and changes what, and what bad input meets.

use serde_json::json;
use tidegate::app::people::{self, AddPerson};
use tidegate::domain::person::{Actor, Role};
use tidegate::domain::secret::PlainSecret;
use tidegate::engine::sample::write_parquet;

use crate::browse::{Browser, Part, token};
use crate::database::{Database, run};
use crate::harness::{House, people_columns, people_fields, usual};
use crate::on_both;

const PASSWORD: &str = "correct horse battery";
const CSV: &[u8] = "id,email,town\nP1,ada@mail.example,Ulm\nP2,bo@mail.example,Bern\n".as_bytes();

/// Somebody of that role at a browser.
pub async fn signed_in<'a>(house: &'a House, role: Role) -> Browser<'a> {
    let email = format!("{}@pages.example", format!("{role:?}").to_lowercase());
    let new =
        AddPerson { email: email.parse().unwrap(), name: format!("{role:?}").parse().unwrap(), role, password: PlainSecret::new(PASSWORD) };
    people::add(&house.app, &Actor::Operator, new).await.unwrap();
    Browser::signed_in(house, &email, PASSWORD).await
}

on_both!(
    a_file_becomes_a_dataset_in_three_steps,
    two_stewards_who_change_a_dataset_see_each_others_change,
    a_dataset_tells_which_permits_release_what_of_it,
    a_hierarchy_is_uploaded_and_seen,
    lists_ask_the_same_number_of_questions_whatever_their_length,
);

async fn a_hierarchy_is_uploaded_and_seen(database: Database) {
    let house = House::start(database).await;
    let steward = signed_in(&house, Role::DataSteward).await;
    let reviewer = signed_in(&house, Role::ComplianceReviewer).await;
    assert!(reviewer.get("/datasets/hierarchies").await.text.contains("No hierarchies yet"));
    let hand_in = async |name: &str, file: &[u8]| {
        let csrf = token(&steward.get("/datasets/hierarchies/new").await.text);
        let parts = [Part::Typed("csrf", &csrf), Part::Typed("name", name), Part::File("file", "towns.csv", file)];
        steward.hand_in("/datasets/hierarchies", &parts).await
    };
    let rows: String = (0..25).map(|row| format!("<b>{row}</b>;g{};*\n", row % 3)).collect();
    for (version, file) in [(1, rows.as_bytes()), (2, b"Ulm;South\n".as_slice())] {
        let kept = hand_in("towns", file).await;
        assert_eq!(
            (kept.status, kept.header("location")),
            (303, format!("/datasets/hierarchies/towns/{version}").as_str()),
            "{}",
            kept.text
        );
    }
    let first = reviewer.get("/datasets/hierarchies/towns/1").await.text;
    for said in ["&#60;b&#62;19&#60;/b&#62;", "And 5 further rows", "Texts at level 1", "Level 2", "SHA-256"] {
        assert!(first.contains(said), "{said}: {first}");
    }
    assert!(!first.contains("Upload the next version") && !first.contains("<b>0"));
    assert!(steward.get("/datasets/hierarchies/towns/2").await.text.contains("/datasets/hierarchies/new?name=towns"));
    let list = reviewer.get("/datasets/hierarchies").await.text;
    assert!(list.contains("/datasets/hierarchies/towns/1") && list.contains("/datasets/hierarchies/towns/2"), "{list}");
    for (name, file, said) in [
        ("towns", b"Ulm;South\nUlm;North\n".as_slice(), "row 2 repeats the value of an earlier row"),
        ("Two Words", b"Ulm;South\n", "lower-case letters"),
        ("new", b"Ulm;South\n", "another word"),
        ("towns", b"", "must not be empty"),
    ] {
        let refused = hand_in(name, file).await;
        assert!(refused.status == 422 && refused.text.contains(said), "{said}: {}", refused.text);
    }
    assert_eq!(steward.get("/datasets/hierarchies/towns/3").await.status, 404);
    assert_eq!(steward.get("/datasets/hierarchies/towns/x").await.status, 404);
}

fn row(at: usize, name: &str, class: &str, category: &str) -> Vec<(String, String)> {
    [("name", name), ("type", "text"), ("take", "yes"), ("class", class), ("category", category)]
        .into_iter()
        .map(|(part, value)| (format!("{part}-{at}"), value.to_owned()))
        .collect()
}

fn pairs(of: &[(String, String)]) -> Vec<(&str, &str)> {
    of.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

async fn a_file_becomes_a_dataset_in_three_steps(database: Database) {
    let house = House::start(database).await;
    let steward = signed_in(&house, Role::DataSteward).await;
    assert!(steward.get("/datasets").await.text.contains("No datasets yet"));
    let csrf = token(&steward.get("/datasets/new/upload").await.text);
    let parts = [Part::Typed("csrf", &csrf), Part::Typed("name", ""), Part::File("file", "towns.csv", CSV)];
    let taken = steward.hand_in("/datasets/new/upload", &parts).await;
    assert_eq!(taken.status, 303, "{}", taken.text);
    let table = taken.header("location").to_owned();
    let source = table.split_once("source=").unwrap().1.to_owned();
    // The file has one table, so the second step is passed over.
    let onward = steward.get(&table).await;
    assert_eq!(onward.status, 303);
    let form = steward.get(onward.header("location")).await;
    assert!(form.text.contains("towns.csv") && form.text.contains("suggested: check and confirm it"), "{}", form.text);
    assert!(form.text.contains("value=\"towns\""), "the name is suggested from the file's");

    let fixed = [("source", source.as_str()), ("table", "rows"), ("subject", "id"), ("new_domain", "customer"), ("name", "towns")];
    let fixed: Vec<(String, String)> = fixed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let (id, email) = (row(0, "id", "direct_identifier", "technical"), row(1, "email", "direct_identifier", "contact"));
    let open = [fixed.clone(), id.clone(), email.clone(), row(2, "town", "", "")].concat();
    let send = async |path: &str, of: &[(String, String)]| steward.fill(onward.header("location"), path, &pairs(of)).await;
    // What the page suggests is evidence and a beginning; sent back without a tick, nothing is catalogued.
    for said in ["The name says e-mail address.", "All of 2 sampled values are e-mail addresses.", "ada@mail.example", "•••@••••.•••••••"]
    {
        assert!(form.text.contains(said), "{said}: {}", form.text);
    }
    let noted = |at: usize| vec![(format!("note-{at}"), "suggested".to_owned()), (format!("advice-{at}"), "pseudonym".to_owned())];
    let suggested = [fixed.clone(), id.clone(), noted(0), email.clone(), noted(1)].concat();
    let unconfirmed = send("/datasets", &suggested).await;
    assert_eq!(unconfirmed.status, 422);
    assert!(unconfirmed.text.contains("href=\"#f-confirm-1\""), "{}", unconfirmed.text);
    assert!(unconfirmed.text.contains("ada@mail.example"), "what was seen is seen again");
    assert!(house.get(Role::DataSteward, "/api/v1/datasets").await.good()["items"].as_array().unwrap().is_empty());
    let all = send("/datasets/new/fields", &[suggested, vec![("do".to_owned(), "take-all".to_owned())]].concat()).await;
    assert_eq!(all.text.matches("name=\"confirm-").count(), all.text.matches("value=\"yes\" checked").count() - 2, "{}", all.text);
    assert!(house.get(Role::DataSteward, "/api/v1/datasets").await.good()["items"].as_array().unwrap().is_empty(), "a tick is no saving");
    let refused = send("/datasets", &open).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("The class of field “town” must be chosen"), "{}", refused.text);
    assert!(refused.text.contains("href=\"#f-class-2\"") && refused.text.contains("value=\"customer\""), "what was typed stays");

    let filling =
        [open.clone(), vec![("open_class".to_owned(), "quasi_identifier".to_owned()), ("open_category".to_owned(), "location".to_owned())]];
    let filled = send("/datasets/new/fields", &filling.concat()).await;
    assert_eq!(filled.status, 200);
    let after_town = filled.text.split_once("id=\"f-class-2\"").unwrap().1;
    assert!(after_town.split_once("</select>").unwrap().0.contains("value=\"quasi_identifier\" selected"), "{after_town}");

    let confirmed = |at: usize| [noted(at), vec![(format!("confirm-{at}"), "yes".to_owned())]].concat();
    let whole = [fixed, id, confirmed(0), email, confirmed(1), row(2, "town", "quasi_identifier", "location")].concat();
    let made = send("/datasets", &whole).await;
    assert_eq!((made.status, made.header("location")), (303, "/datasets/towns"), "{}", made.text);
    let page = steward.get("/datasets/towns").await;
    for said in ["Quasi-identifier", "says whose row it is", "No permit names this dataset", "towns is catalogued"] {
        assert!(page.text.contains(said), "{said}: {}", page.text);
    }
    let again = send("/datasets", &whole).await;
    assert_eq!(again.status, 409);
    assert!(again.text.contains("is taken by another dataset"), "{}", again.text);
    let samples = steward.get("/datasets/towns/samples").await;
    assert!(samples.text.contains("ada@mail.example") && samples.text.contains("Bern"), "{}", samples.text);
    assert_eq!(
        house.history("kind=act").await.iter().filter(|entry| entry["leaf"]["act"] == "view_samples").count(),
        2,
        "of the source, then of the dataset"
    );
    let kept = house.get(Role::DataSteward, "/api/v1/datasets/towns").await.good();
    assert_eq!((&kept["fields"][1]["advice"], &kept["fields"][2]["advice"]), (&json!("pseudonym"), &json!(null)));

    // The source changes under the catalogue: the page says so when it is asked.
    let uploads = house.config.data_dir.join("uploads").join(&source).join("rows.csv");
    std::fs::write(&uploads, "id,town,note\nP1,Ulm,x\n").unwrap();
    let drifted = steward.get("/datasets/towns/source").await;
    for said in ["Has changed", "Missing", "New, withheld"] {
        assert!(drifted.text.contains(said), "{said}: {}", drifted.text);
    }
    assert!(drifted.text.contains("Confirm the difference") && drifted.text.contains("Add to the catalogue"), "{}", drifted.text);
    let edit = steward.get("/datasets/towns/edit?add=note").await;
    assert!(edit.text.contains("not in the source any more") && edit.text.contains("new in the source"), "{}", edit.text);
    assert!(edit.text.contains("name=\"take-3\" value=\"yes\" checked"), "the way to a new column ticks it: {}", edit.text);
    // What is confirmed is what was shown: the source changes once more, and the page says so.
    let hidden =
        |name: &str| drifted.text.split_once(&format!("name=\"{name}\" value=\"")).unwrap().1.split('"').next().unwrap().to_owned();
    let (version, seen) = (hidden("version"), hidden("seen"));
    std::fs::write(&uploads, "id,town,note,more\nP1,Ulm,x,y\n").unwrap();
    let confirm =
        async |seen: &str| steward.fill("/datasets/towns/source", "/datasets/towns/source", &[("version", &version), ("seen", seen)]).await;
    let stale = confirm(&seen).await;
    assert_eq!(stale.status, 409);
    assert!(stale.text.contains("changed again meanwhile") && stale.text.contains("more"), "{}", stale.text);
    std::fs::write(&uploads, "id,town,note\nP1,Ulm,x\nP2,Bern,z\n").unwrap();
    let done = confirm(&seen).await;
    assert_eq!((done.status, done.header("location")), (303, "/datasets/towns/source"), "{}", done.text);
    let page = steward.get("/datasets/towns/source").await;
    assert!(page.text.contains("Has new columns") && !page.text.contains("Confirm the difference"), "{}", page.text);
}

/// The rows of the form that hold the dataset `people` as it is.
fn people_rows() -> Vec<(String, String)> {
    let fields = people_fields();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let rows = fields.as_array().unwrap().iter().enumerate().flat_map(|(at, field)| {
        let pair = |part: &str, value: String| (format!("{part}-{at}"), value);
        vec![
            pair("name", text(&field["name"])),
            pair("type", text(&field["type"])),
            pair("take", "yes".to_owned()),
            pair("class", text(&field["class"])),
            pair("category", text(&field["category"])),
        ]
    });
    let fixed = [("subject", "id"), ("domain", "person")];
    rows.chain(fixed.map(|(name, value)| (name.to_owned(), value.to_owned()))).collect()
}

fn with(mut rows: Vec<(String, String)>, changes: &[(&str, &str)]) -> Vec<(String, String)> {
    for (name, value) in changes {
        rows.retain(|(known, _)| known != name);
        rows.push(((*name).to_owned(), (*value).to_owned()));
    }
    rows
}

async fn two_stewards_who_change_a_dataset_see_each_others_change(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(10).await;
    let steward = signed_in(&house, Role::DataSteward).await;
    let edit = "/datasets/people/edit";
    let first = with(people_rows(), &[("version", "1"), ("class-5", "sensitive"), ("description-5", "From 0 to 100")]);
    let saved = steward.fill(edit, "/datasets/people", &pairs(&first)).await;
    assert_eq!((saved.status, saved.header("location")), (303, "/datasets/people"), "{}", saved.text);
    let second = with(people_rows(), &[("version", "1"), ("class-4", "plain"), ("description-4", "Their <b>town</b> {{7*7}}")]);
    let stale = steward.fill(edit, "/datasets/people", &pairs(&second)).await;
    assert_eq!(stale.status, 409, "{}", stale.text);
    assert!(stale.text.contains("Sensitive, Account") && stale.text.contains("From 0 to 100"), "{}", stale.text);
    assert!(stale.text.contains("Their &#60;b&#62;town&#60;/b&#62; {{7*7}}"), "what was typed stays, escaped: {}", stale.text);
    assert!(stale.text.contains("name=\"version\" value=\"2\""));
    let merged = with(second, &[("version", "2"), ("class-5", "sensitive")]);
    assert_eq!(steward.fill(edit, "/datasets/people", &pairs(&merged)).await.status, 303);
    let dataset = house.get(Role::DataSteward, "/api/v1/datasets/people").await.good();
    assert_eq!((&dataset["fields"][4]["class"], &dataset["fields"][5]["class"]), (&json!("plain"), &json!("sensitive")));
}

async fn a_dataset_tells_which_permits_release_what_of_it(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(10).await;
    let vendor = house.vendor("Acme Metrics", &[("acme-people", usual("people"))]).await;
    let reviewer = signed_in(&house, Role::ComplianceReviewer).await;
    let page = reviewer.get("/datasets/people").await;
    for said in ["acme-people", "Acme Metrics", "In force", "rounded to the nearest 10", &format!("/vendors/{}", vendor.id)] {
        assert!(page.text.contains(said), "{said}: {}", page.text);
    }
    for act in ["Edit the fields", "See sample rows", "Check the source"] {
        assert!(!page.text.contains(act), "a reviewer is offered “{act}”");
    }
    assert!(reviewer.get("/datasets").await.text.contains("people-sql"));
    assert!(!reviewer.get("/datasets?q=sql").await.text.contains("href=\"/datasets/people\""));
    // What a permit rests on is not lowered, and the form says which field.
    let steward = signed_in(&house, Role::DataSteward).await;
    let lowered = with(people_rows(), &[("version", "1"), ("class-0", "plain")]);
    let refused = steward.fill("/datasets/people/edit", "/datasets/people", &pairs(&lowered)).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("href=\"#f-class-0\"") && refused.text.contains("acme-people"), "{}", refused.text);
}

async fn lists_ask_the_same_number_of_questions_whatever_their_length(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(10).await;
    let steward = signed_in(&house, Role::DataSteward).await;
    let source = house.get(Role::DataSteward, "/api/v1/sources").await.good()["items"][0]["id"].clone();
    let questions = async |path: &str| steward.statements(path).await;
    let paths = ["/datasets", "/datasets/new"];
    let (few, few_sources) = (questions(paths[0]).await.0, questions(paths[1]).await.0);
    for at in 0..60 {
        let body = json!({
            "name": format!("copy-{at:02}"), "source": source, "table": "people", "fields": people_fields(),
            "subject": {"field": "id", "domain": "person"}
        });
        house.post(Role::DataSteward, "/api/v1/datasets", body).await.good();
        let location = json!({"kind": "parquet", "path": "people.parquet"});
        house.post(Role::DataSteward, "/api/v1/sources", json!({"name": format!("s{at}"), "location": location})).await.good();
    }
    let (many, page) = questions(paths[0]).await;
    assert_eq!(many, few);
    assert!(page.contains("62 datasets"), "{page}");
    let next = page.split_once("rel=\"next\" href=\"").unwrap().1.split('"').next().unwrap();
    let second = steward.get(next).await.text;
    assert!(second.contains("/datasets/people-sql\"") && !second.contains("/datasets/copy-00\"") && !second.contains("rel=\"next\""));
    assert_eq!(questions(paths[1]).await.0, few_sources);
}

/// Which page is whose: what a role may not is refused, and nothing of it is done.
#[test]
fn datasets_are_changed_by_stewards_and_seen_by_role() {
    run(async {
        let house = House::start(Database::sqlite()).await;
        house.catalogue_people(3).await;
        for role in Role::ALL {
            let browser = signed_in(&house, role).await;
            let steward = role == Role::DataSteward;
            let samples = matches!(role, Role::DataSteward | Role::VendorManager | Role::PrivacyOfficer);
            for (path, may) in [
                ("/datasets", true),
                ("/datasets/people", true),
                ("/datasets/people/samples", samples),
                ("/datasets/people/source", samples),
                ("/datasets/people/edit", steward),
                ("/datasets/new", steward),
                ("/datasets/new/upload", steward),
                ("/datasets/new/file", steward),
            ] {
                let answer = browser.get(path).await;
                assert_eq!(answer.status, if may { 200 } else { 403 }, "{path} as {role:?}");
                assert!(may || !answer.text.contains("person-0@mail.example"), "{path} as {role:?}");
            }
        }
    });
}

#[test]
fn files_that_are_not_what_they_should_be_leave_nothing() {
    run(async {
        let settings = [("TIDEGATE_MAX_UPLOAD_MB", "1")];
        let house = House::start_with(Database::sqlite(), tidegate::store::Clock::manual(crate::harness::beginning()), &settings).await;
        let steward = signed_in(&house, Role::DataSteward).await;
        let large = vec![b'a'; 1_100_000];
        for (name, kind, file, bytes, status, said) in [
            ("", "", "towns.csv", b"".as_slice(), 422, "must not be empty"),
            ("", "", "", b"", 422, "File must be chosen"),
            ("", "", "towns.csv", &large, 413, "must not be larger than"),
            ("", "", "towns.parquet", CSV, 422, "#f-file"),
            ("", "", "towns.xlsx", CSV, 422, "must be a CSV, Parquet, NDJSON or SQLite file"),
            ("", "", "towns", CSV, 422, "Kind must be chosen"),
            ("", "parquet", "towns.csv", CSV, 422, "#f-kind"),
            ("x\u{1}", "", "towns.csv", CSV, 422, "#f-name"),
            (&"n".repeat(121), "", "towns.csv", CSV, 422, "must have 1 to 120 characters"),
        ] {
            let csrf = token(&steward.get("/datasets/new/upload").await.text);
            let parts = [Part::Typed("csrf", &csrf), Part::Typed("name", name), Part::Typed("kind", kind), Part::File("file", file, bytes)];
            let answer = steward.hand_in("/datasets/new/upload", &parts).await;
            assert_eq!(answer.status, status, "{file} {kind}: {}", answer.text);
            assert!(answer.text.contains(said), "{file} {kind}: {said} is not in {}", answer.text);
        }
        let left = std::fs::read_dir(house.config.data_dir.join("uploads")).unwrap().count();
        assert_eq!(left, 0, "something of a refused file was kept");
        assert!(house.get(Role::DataSteward, "/api/v1/sources").await.good()["items"].as_array().unwrap().is_empty());
    });
}

#[test]
fn only_files_below_the_source_folders_are_listed_and_taken() {
    run(async {
        let house = House::start(Database::sqlite()).await;
        let steward = signed_in(&house, Role::DataSteward).await;
        assert!(steward.get("/datasets/new/file").await.text.contains("No files in the source folders"));
        let odd = "\u{202e}<script>alert(1)</script>\u{200b}.csv";
        std::fs::write(house.sources().join(odd.replace('/', "_")), CSV).unwrap();
        write_parquet(&house.sources().join("people.parquet"), &people_columns(3)).unwrap();
        std::fs::write(house.config.data_dir.join("outside.csv"), CSV).unwrap();
        std::os::unix::fs::symlink(house.config.data_dir.join("outside.csv"), house.sources().join("link.csv")).unwrap();
        let page = steward.get("/datasets/new/file").await.text;
        assert!(page.contains("people.parquet") && !page.contains("outside.csv") && !page.contains("link.csv"));
        assert!(!page.contains("<script>alert"), "a file's name is text");
        for path in ["../outside.csv", "link.csv", "/etc/passwd", "none.csv", "", "people.parquet\u{0}", "notes.txt", "{{7*7}}"] {
            let answer = steward.fill("/datasets/new/file", "/datasets/new/file", &[("path", path)]).await;
            assert_eq!(answer.status, 422, "{path}: {}", answer.text);
            assert!(answer.text.contains("#f-path"), "{path}: {}", answer.text);
        }
        let taken = steward.fill("/datasets/new/file", "/datasets/new/file", &[("path", "people.parquet")]).await;
        assert_eq!(taken.status, 303, "{}", taken.text);
        // Addresses that name nothing.
        for path in ["/datasets/new/table?source=x", "/datasets/new/fields?source=x&table=y", "/datasets/No%20Slug", "/datasets/none"] {
            assert_eq!(steward.get(path).await.status, 404, "{path}");
        }
        assert_eq!(steward.get("/datasets?q=%00&after=%00").await.status, 200);
    });
}
