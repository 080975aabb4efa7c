//! Papers handed in by a form: what is taken, what is refused without a trace, and who accepts.

use tidegate::domain::person::Role;
use tidegate::store::Clock;

use super::assessments::person;
use crate::browse::{Browser, Part, multipart, token};
use crate::database::Database;
use crate::harness::{Answer, House, beginning};

const PDF: &[u8] = b"%PDF-1.7\nmade up";

crate::on_both!(a_paper_is_handed_in_fetched_and_accepted, what_is_no_paper_leaves_no_trace, a_file_is_read_only_from_who_may_send_it);

fn form<'a>(csrf: &'a str, file: &'a str, bytes: &'a [u8]) -> Vec<Part<'a>> {
    vec![
        Part::Typed("csrf", csrf),
        Part::Typed("name", "Certificate <2026> {{7*7}}"),
        Part::Typed("type", "iso27001"),
        Part::Typed("issued", "2026-06-01"),
        Part::Typed("expires", "2027-06-01"),
        Part::Typed("mandatory", "yes"),
        Part::File("file", file, bytes),
    ]
}

async fn hand_in(browser: &Browser<'_>, path: &str, file: &str, bytes: &[u8]) -> Answer {
    let csrf = token(&browser.get(path).await.text);
    browser.hand_in(path, &form(&csrf, file, bytes)).await
}

/// A house that takes a megabyte at most.
async fn house(database: Database) -> (House, String) {
    let house = House::start_with(database, Clock::manual(beginning()), &[("TIDEGATE_MAX_UPLOAD_MB", "1")]).await;
    let vendor = house.register("Acme").await;
    let path = format!("/vendors/{vendor}/evidence");
    (house, path)
}

async fn papers(house: &House, path: &str) -> usize {
    house.get(Role::ComplianceReviewer, &format!("/api/v1{path}")).await.good()["items"].as_array().unwrap().len()
}

async fn a_paper_is_handed_in_fetched_and_accepted(database: Database) {
    let (house, path) = house(database).await;
    let (mara, _) = person(&house, "Mara", Role::VendorManager).await;
    let (otto, _) = person(&house, "Otto", Role::PrivacyOfficer).await;
    let empty = mara.get(&path).await.text;
    assert!(empty.contains("No papers yet") && empty.contains("at most 1\u{a0}MB") && empty.contains("PDF, Word"), "{empty}");
    let csrf = token(&empty);
    let sent = form(&csrf, "C:\\scans\\iso.PDF", PDF);
    for _ in 0..2 {
        let answer = mara.hand_in(&path, &sent).await;
        assert_eq!((answer.status, answer.header("location")), (303, path.as_str()), "{}", answer.text);
    }
    assert_eq!(papers(&house, &path).await, 1, "sent twice, kept once");
    let listed = otto.get(&path).await.text;
    assert!(listed.contains("Certificate &#60;2026&#62; {{7*7}}") && listed.contains("Waits for acceptance"), "{listed}");
    let (_, rest) = listed.split_once("/evidence/").unwrap();
    let id = rest.split('/').next().filter(|id| id.len() == 36).map(str::to_owned);
    let id = id.unwrap_or_else(|| listed.split("href=\"/evidence/").nth(1).unwrap().split('/').next().unwrap().to_owned());
    let file = otto.get(&format!("/evidence/{id}/file")).await;
    assert_eq!((file.status, file.text.as_bytes()), (200, PDF));
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"Certificate -2026- --7-7.pdf\"");
    assert_eq!((file.header("x-content-type-options"), file.header("cache-control")), ("nosniff", "no-store"));
    assert_eq!(mara.fill(&path, &format!("/evidence/{id}/accept"), &[]).await.status, 403);
    assert_eq!(otto.fill(&path, &format!("/evidence/{id}/accept"), &[]).await.status, 303);
    let listed = otto.get(&path).await.text;
    assert!(listed.contains("Accepted") && listed.contains("by Otto") && !listed.contains("/accept\""), "{listed}");
    assert!(Browser::new(&house).get(&format!("/evidence/{id}/file")).await.header("location").starts_with("/sign-in"));
}

async fn what_is_no_paper_leaves_no_trace(database: Database) {
    let (house, path) = house(database).await;
    let (mara, _) = person(&house, "Mara", Role::VendorManager).await;
    let large = [PDF, &vec![b'x'; 1024 * 1024]].concat();
    let cases: [(&str, &[u8], u16, &str); 9] = [
        ("", b"", 422, "File must be chosen"),
        ("empty.pdf", b"", 422, "must not be empty"),
        ("tool.exe", b"MZ\x90", 422, "must be PDF, Word"),
        ("report", PDF, 422, "must be PDF, Word"),
        ("report.pdf.exe", PDF, 422, "must be PDF, Word"),
        ("report.pdf", b"MZ\x90\0\x03", 422, "hold what its ending says"),
        ("report.png", PDF, 422, "hold what its ending says"),
        ("<script>.pdf", b"<script>alert(1)</script>", 422, "hold what its ending says"),
        ("large.pdf", &large, 413, "must not be larger than 1\u{a0}MB"),
    ];
    for (file, bytes, status, said) in cases {
        let answer = hand_in(&mara, &path, file, bytes).await;
        assert_eq!(answer.status, status, "{file}: {}", answer.text);
        assert!(answer.text.contains(said), "{file}: {said}: {}", answer.text);
        assert!(
            answer.text.contains("value=\"Certificate &#60;2026&#62; {{7*7}}\"") && answer.text.contains("value=\"2027-06-01\""),
            "what was typed stays"
        );
        assert_eq!(answer.header("x-form"), "again");
        assert!(!answer.text.contains("<script>"), "{file}");
    }
    // The page takes what remains within reason; more than that is no file of anyone's.
    assert_eq!(hand_in(&mara, &path, "huge.pdf", &vec![b'x'; 5 * 1024 * 1024]).await.status, 413);
    let csrf = token(&mara.get(&path).await.text);
    let long = "x".repeat(121);
    for (name, value) in
        [("name", ""), ("name", long.as_str()), ("type", "tax"), ("issued", "soon"), ("issued", "2030-01-01"), ("expires", "2020-01-01")]
    {
        let mut parts = form(&csrf, "iso.pdf", PDF);
        parts.retain(|part| !matches!(part, Part::Typed(known, _) if *known == name));
        parts.insert(1, Part::Typed(name, value));
        let answer = mara.hand_in(&path, &parts).await;
        assert_eq!(answer.status, 422, "{name} {value}: {}", answer.text);
        assert!(answer.text.contains(&format!("href=\"#f-{name}\"")), "{name} {value}: {}", answer.text);
    }
    let mut twice = form(&csrf, "iso.pdf", PDF);
    twice.push(Part::File("other", "more.pdf", PDF));
    assert_eq!(mara.hand_in(&path, &twice).await.status, 400, "one file");
    assert_eq!(papers(&house, &path).await, 0);
    assert!(house.history("kind=act").await.iter().all(|entry| entry["leaf"]["noun"] != "evidence"), "nothing of it is in the history");
    let kept = house.config.data_dir.join("files");
    assert!(!kept.exists() || std::fs::read_dir(kept).unwrap().next().is_none(), "nothing of it is on the disk");
}

async fn a_file_is_read_only_from_who_may_send_it(database: Database) {
    let (house, path) = house(database).await;
    let (mara, _) = person(&house, "Mara", Role::VendorManager).await;
    let (otto, _) = person(&house, "Otto", Role::PrivacyOfficer).await;
    let csrf = token(&mara.get(&path).await.text);
    let body = multipart(&form(&csrf, "iso.pdf", PDF));
    let send = async |headers: &[(&str, &str)], body: Vec<u8>| {
        let kind = "multipart/form-data; boundary=----TidegateTestBoundary";
        let request = mara.request("POST", &path).header("content-type", kind);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        mara.send(request.body(body)).await
    };
    assert_eq!(send(&[("origin", "https://evil.example")], body.clone()).await.status, 403);
    assert_eq!(send(&[("sec-fetch-site", "cross-site")], body.clone()).await.status, 403);
    let broken = send(&[("origin", &house.url)], body[..body.len() / 2].to_vec()).await;
    assert_eq!(broken.status, 400, "{}", broken.text);
    // The token stands before the file, or it counts as missing.
    let mut late = form(&csrf, "iso.pdf", PDF);
    late.retain(|part| !matches!(part, Part::Typed("csrf", _)));
    late.push(Part::Typed("csrf", &csrf));
    for parts in [form("", "iso.pdf", PDF), late] {
        let answer = mara.hand_in(&path, &parts).await;
        assert_eq!(answer.status, 403);
        assert!(answer.text.contains("Send it now") && answer.text.contains("Certificate &#60;2026&#62;"), "{}", answer.text);
    }
    let theirs = token(&otto.get("/account").await.text);
    assert_eq!(otto.hand_in(&path, &form(&theirs, "iso.pdf", PDF)).await.status, 403, "an officer hands nothing in");
    // Signed out meanwhile: what was typed comes back through the sign-in, and the file is asked for once more.
    let stranger = Browser::new(&house);
    let answer = stranger.hand_in(&path, &form(&csrf, "iso.pdf", PDF)).await;
    assert_eq!(answer.status, 401);
    assert!(answer.text.contains("again.name") && !answer.text.contains("made up"), "{}", answer.text);
    let csrf = token(&mara.get(&path).await.text);
    let fields = [("csrf", csrf.as_str()), ("name", "Certificate"), ("type", "iso27001"), ("issued", "2026-06-01")];
    let again = mara.submit(&path, &fields).await;
    assert_eq!(again.status, 422);
    assert!(again.text.contains("File must be chosen") && again.text.contains("value=\"Certificate\""), "{}", again.text);
    let json = mara.send(mara.request("POST", &path).header("content-type", "application/json").body("{}")).await;
    assert_eq!(json.status, 415);
    assert_eq!(papers(&house, &path).await, 0);
}
