//! Consent through a browser: recorded by hand and by the file, looked up, counted, and kept from who may not.

use serde_json::json;
use tidegate::domain::person::Role;

use super::datasets::signed_in;
use crate::browse::{Part, token};
use crate::database::Database;
use crate::harness::House;
use crate::on_both;

on_both!(what_people_said_is_recorded_counted_and_looked_up, a_file_is_imported_and_told_line_by_line);

async fn what_people_said_is_recorded_counted_and_looked_up(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(5).await;
    let officer = signed_in(&house, Role::PrivacyOfficer).await;
    assert!(officer.get("/consent").await.text.contains("Nothing is recorded yet"));
    let good = [
        ("domain", "person"),
        ("subject", "P0000001"),
        ("signal", "objection"),
        ("purpose", "email-marketing"),
        ("stands", "yes"),
        ("day", "2026-06-30"),
        ("channel", "letter"),
    ];
    let send = async |changed: &[(&'static str, &'static str)]| {
        let fields: Vec<(&str, &str)> =
            good.iter().map(|(name, value)| changed.iter().find(|(other, _)| other == name).copied().unwrap_or((*name, *value))).collect();
        officer.fill("/consent/new", "/consent", &fields).await
    };
    let odd = "\u{202e}<script>alert(1)</script>{{7*7}}";
    for (name, value) in [
        ("domain", "nowhere"),
        ("subject", ""),
        ("signal", "blessing"),
        ("purpose", "world-peace"),
        ("stands", ""),
        ("day", "2026-02-30"),
        ("day", "2031-01-01"),
    ] {
        let refused = send(&[(name, value), ("channel", "letter")]).await;
        assert_eq!(refused.status, 422, "{name}={value}: {}", refused.text);
        let field = format!("href=\"#f-{name}");
        assert!(refused.text.contains(&field) && refused.text.contains("value=\"letter\""), "{name}: {}", refused.text);
    }
    let kept = send(&[("channel", odd), ("day", "x")]).await;
    assert!(kept.status == 422 && !kept.text.contains("<script>alert"), "{}", kept.text);
    let done = send(&[]).await;
    assert_eq!((done.status, done.header("location")), (303, "/consent"), "{}", done.text);
    let list = officer.get("/consent").await.text;
    assert!(list.contains("Objection") && list.contains("Advertising by e-mail") && list.contains("Look one person up"), "{list}");

    let shown = officer.fill("/consent", "/consent/person", &[("domain", "person"), ("subject", "P0000001")]).await;
    assert_eq!((shown.status, shown.header("cache-control")), (200, "no-store"));
    for said in ["Made", "letter", "datetime=\"2026-06-30T23:59:59", "by-hand-"] {
        assert!(shown.text.contains(said), "{said}: {}", shown.text);
    }
    let nobody = officer.fill("/consent", "/consent/person", &[("domain", "person"), ("subject", odd)]).await;
    assert!(nobody.text.contains("Nothing is known of this person") && !nobody.text.contains("<script>alert"), "{}", nobody.text);
    let empty = officer.fill("/consent", "/consent/person", &[("domain", "person"), ("subject", "")]).await;
    assert_eq!(empty.status, 422);
    let acts = house.history("kind=act&outcome=look_up").await;
    assert_eq!(acts.len(), 2, "each look is on record");
    assert!(!acts.iter().any(|entry| entry.to_string().contains("P0000001")));

    let reviewer = signed_in(&house, Role::ComplianceReviewer).await;
    let read = reviewer.get("/consent").await.text;
    assert!(read.contains("Advertising by e-mail") && !read.contains("Look one person up") && !read.contains("/consent/new"), "{read}");
}

async fn a_file_is_imported_and_told_line_by_line(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(5).await;
    let steward = signed_in(&house, Role::DataSteward).await;
    let send = async |name: &str, bytes: &[u8]| {
        let csrf = token(&steward.get("/consent/import").await.text);
        let parts = [Part::Typed("csrf", &csrf), Part::Typed("domain", "person"), Part::File("file", name, bytes)];
        steward.hand_in("/consent/import", &parts).await
    };
    let file = b"record,subject,signal,purpose,stands,event_time\n\
        1,P0000001,consent,email-marketing,true,2026-06-01T08:00:00Z\n\
        2,P0000002,consent,world-peace,true,2026-06-01T08:00:00Z\n";
    let done = send("said.csv", file).await;
    assert_eq!(done.status, 200, "{}", done.text);
    assert!(done.text.contains("Could not be taken") && done.text.contains("must be a purpose of the vocabulary"), "{}", done.text);
    for (name, bytes) in [("said.pdf", &file[..]), ("said.csv", b""), ("said.csv", b"who,what\n1,2\n")] {
        let refused = send(name, bytes).await;
        assert_eq!(refused.status, 422, "{name}: {}", refused.text);
        assert!(refused.text.contains("href=\"#f-file\""), "{name}: {}", refused.text);
    }
    let counts = house.get(Role::DataSteward, "/api/v1/consents/counts").await.good();
    assert_eq!(counts["items"][0]["standing"], json!(1));
}
