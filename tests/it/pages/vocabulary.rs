//! The vocabulary through a browser: terms are found, added, retired and restored by officers, and read by all.

use tidegate::domain::person::Role;

use super::datasets::signed_in;
use crate::database::Database;
use crate::harness::House;
use crate::on_both;

on_both!(an_officer_adds_retires_and_restores_a_term);

const PAGE: &str = "/settings/vocabulary";

async fn an_officer_adds_retires_and_restores_a_term(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(3).await;
    let officer = signed_in(&house, Role::PrivacyOfficer).await;
    let good =
        [("kind", "purpose"), ("key", "raffle"), ("title", "Our <b>raffle</b>"), ("description", "Draws"), ("direct_marketing", "yes")];
    let send = async |changed: &[(&'static str, &'static str)]| {
        let own = good.iter().filter(|(name, _)| changed.iter().all(|(other, _)| other != name));
        let fields: Vec<(&str, &str)> = own.chain(changed).copied().collect();
        officer.fill(PAGE, PAGE, &fields).await
    };
    for (name, value) in [("kind", "verb"), ("key", "Not a key"), ("key", "email-marketing"), ("title", ""), ("special", "yes")] {
        let refused = send(&[(name, value)]).await;
        assert_eq!(refused.status, 422, "{name}={value}: {}", refused.text);
        assert!(
            refused.text.contains(&format!("href=\"#f-{name}")) && refused.text.contains("value=\"Draws\""),
            "{name}: {}",
            refused.text
        );
    }
    let astray = send(&[("kind", "category")]).await;
    assert!(astray.status == 422 && astray.text.contains("href=\"#f-direct_marketing"), "{}", astray.text);
    let done = send(&[]).await;
    assert_eq!((done.status, done.header("location")), (303, PAGE), "{}", done.text);

    let list = officer.get(PAGE).await.text;
    for said in
        ["Our &#60;b&#62;raffle", "an objection is absolute", "/settings/vocabulary/purposes/raffle/retire", "Trade-union membership"]
    {
        assert!(list.contains(said), "{said}: {list}");
    }
    assert!(!list.contains("purposes/email-marketing/retire"), "what is shipped is not retired");
    let found = officer.get(&format!("{PAGE}?q=RAFFLE")).await.text;
    assert!(found.contains("1 term") && !found.contains("Trade-union membership"), "{found}");

    let offered = "value=\"raffle\"";
    assert!(officer.get("/permits").await.text.contains(offered) && officer.get("/consent/new").await.text.contains(offered));
    let retired = officer.fill(PAGE, "/settings/vocabulary/purposes/raffle/retire", &[]).await;
    assert_eq!((retired.status, retired.header("location")), (303, PAGE), "{}", retired.text);
    let list = officer.get(PAGE).await.text;
    assert!(list.contains("purposes/raffle/restore") && list.contains("retired "), "{list}");
    assert!(officer.get("/consent/new").await.text.contains(offered), "people may take back what they said of it");
    assert_eq!(officer.fill(PAGE, "/settings/vocabulary/purposes/raffle/restore", &[]).await.status, 303);

    let added = send(&[("kind", "category"), ("key", "badges"), ("title", "Badges"), ("direct_marketing", ""), ("special", "yes")]).await;
    assert_eq!(added.status, 303, "{}", added.text);
    let steward = signed_in(&house, Role::DataSteward).await;
    let form = steward.get("/datasets/people/edit").await.text;
    assert!(form.contains("Badges (special category, Art. 9)"), "{form}");
    assert_eq!(officer.fill(PAGE, "/settings/vocabulary/categories/badges/retire", &[]).await.status, 303);
    assert!(!steward.get("/datasets/people/edit").await.text.contains("value=\"badges\""), "a retired category is not offered");
    let read = steward.get(PAGE).await.text;
    assert!(read.contains("Badges") && !read.contains("categories/badges/restore") && !read.contains("id=\"add\""), "{read}");
}
