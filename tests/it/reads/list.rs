//! The list of vendors: each order whole and once, filters that agree with what the lines say, and a CSV of the same.

use std::collections::BTreeSet;

use tidegate::app::AppError;
use tidegate::app::lists::VendorSort;
use tidegate::app::vendors::{self, VendorLine, VendorListFilter, VendorListQuery};
use tidegate::domain::assessment::AssessmentKind;
use tidegate::domain::vendor::{Lifecycle, Tier};
use tidegate::policy::standing::AgreementState;
use tidegate::policy::vendor::{ReviewClock, ReviewState};

use super::Quiet;
use super::seed::{Size, id};
use crate::database::Database;
use crate::harness::{House, beginning, usual};

crate::on_both!(
    each_order_shows_every_vendor_once,
    filters_agree_with_the_lines,
    a_cursor_fits_its_order_only,
    a_line_says_where_its_vendor_stands,
    the_csv_is_the_list,
    columns_follow_what_they_are_told_from
);

const SORTS: [VendorSort; 4] = [VendorSort::Name, VendorSort::Newest, VendorSort::Tier, VendorSort::Review];

async fn whole(quiet: &Quiet, filter: VendorListFilter, sort: VendorSort, limit: usize) -> Vec<VendorLine> {
    let (mut lines, mut after) = (Vec::new(), None);
    loop {
        let query = VendorListQuery { filter: filter.clone(), sort, after, limit };
        let part = vendors::overview(&quiet.app, query).await.unwrap();
        assert!(part.rows.len() <= limit);
        lines.extend(part.rows);
        after = part.next;
        if after.is_none() {
            assert_eq!(part.total, i64::try_from(lines.len()).unwrap());
            return lines;
        }
    }
}

fn due(line: &VendorLine) -> i64 {
    match line.review {
        ReviewClock::Current { until } | ReviewClock::DueSoon { until } => until.micros(),
        ReviewClock::Overdue { since } => since.micros(),
        ReviewClock::NotScheduled => i64::MAX,
    }
}

async fn each_order_shows_every_vendor_once(database: Database) {
    let quiet = Quiet::seeded(database, Size { vendors: 120, entries: 50 }, beginning()).await;
    for sort in SORTS {
        let lines = whole(&quiet, VendorListFilter::default(), sort, 7).await;
        assert_eq!(lines.iter().map(|line| &line.id).collect::<BTreeSet<_>>().len(), 120, "{sort:?}");
        assert_eq!(lines.len(), 120, "{sort:?}");
        let ordered = lines.windows(2).all(|pair| match sort {
            VendorSort::Name => pair[0].legal_name.as_str().to_lowercase() < pair[1].legal_name.as_str().to_lowercase(),
            VendorSort::Newest => pair[0].id > pair[1].id,
            VendorSort::Tier => (std::cmp::Reverse(pair[0].tier), &pair[0].id) < (std::cmp::Reverse(pair[1].tier), &pair[1].id),
            VendorSort::Review => (due(&pair[0]), &pair[0].id) < (due(&pair[1]), &pair[1].id),
        });
        assert!(ordered, "{sort:?}");
    }
}

async fn filters_agree_with_the_lines(database: Database) {
    let quiet = Quiet::seeded(database, Size { vendors: 200, entries: 0 }, beginning()).await;
    let everyone = whole(&quiet, VendorListFilter::default(), VendorSort::Name, 500).await;
    type Fits = fn(&VendorLine) -> bool;
    let mut table: Vec<(VendorListFilter, Fits)> = vec![
        (VendorListFilter { lifecycle: Some(Lifecycle::Triage), ..Default::default() }, |line| line.lifecycle == Lifecycle::Triage),
        (VendorListFilter { tier: Some(Tier::Critical), ..Default::default() }, |line| line.tier == Tier::Critical),
        (VendorListFilter { country: Some("FR".parse().unwrap()), ..Default::default() }, |line| line.country.as_str() == "FR"),
        (VendorListFilter { owner: Some(id(1, 3).parse().unwrap()), ..Default::default() }, |line| line.owner.id.as_str() == id(1, 3)),
        (VendorListFilter { search: Some("  R 79 ".into()), ..Default::default() }, |line| {
            line.legal_name.as_str().to_lowercase().contains("r 79")
        }),
        (VendorListFilter { search: Some("%".into()), ..Default::default() }, |_| false),
        (VendorListFilter { search: Some("\0".into()), ..Default::default() }, |_| false),
    ];
    let states: [(ReviewState, Fits); 4] = [
        (ReviewState::Current, |line| matches!(line.review, ReviewClock::Current { .. })),
        (ReviewState::DueSoon, |line| matches!(line.review, ReviewClock::DueSoon { .. })),
        (ReviewState::Overdue, |line| matches!(line.review, ReviewClock::Overdue { .. })),
        (ReviewState::NotScheduled, |line| matches!(line.review, ReviewClock::NotScheduled)),
    ];
    for (state, fits) in states {
        assert!(everyone.iter().any(fits), "the seed has none that is {state:?}");
        table.push((VendorListFilter { review: Some(state), ..Default::default() }, fits));
    }
    for (filter, fits) in table {
        for sort in SORTS {
            let found: BTreeSet<_> = whole(&quiet, filter.clone(), sort, 13).await.into_iter().map(|line| line.id).collect();
            let expected: BTreeSet<_> = everyone.iter().filter(|line| fits(line)).map(|line| line.id.clone()).collect();
            assert_eq!(found, expected, "{filter:?} {sort:?}");
        }
    }
}

async fn a_cursor_fits_its_order_only(database: Database) {
    let quiet = Quiet::seeded(database, Size { vendors: 20, entries: 0 }, beginning()).await;
    let ask = |sort, after| vendors::overview(&quiet.app, VendorListQuery { filter: VendorListFilter::default(), sort, after, limit: 5 });
    for sort in SORTS {
        let cursor = ask(sort, None).await.unwrap().next.unwrap();
        for other in SORTS {
            assert_eq!(ask(other, Some(cursor.clone())).await.is_ok(), other == sort, "{sort:?} in {other:?}");
        }
        for bad in ["", "x", "AAAA", &format!("{cursor}A"), &"A".repeat(5_000)] {
            let refused = ask(sort, Some(bad.to_owned())).await;
            assert!(matches!(&refused, Err(AppError::Invalid(invalid)) if invalid.field == "after"), "{bad}: {refused:?}");
        }
    }
}

async fn the_csv_is_the_list(database: Database) {
    let quiet = Quiet::seeded(database, Size { vendors: 1_203, entries: 0 }, beginning()).await;
    quiet.execute("UPDATE vendors SET legal_name = '=1+1 \"x\", y' WHERE id = '0190a0b0-0002-7000-8000-000000000001'");
    let (mut text, mut after, mut parts) = (String::new(), None, 0);
    loop {
        let part = vendors::overview_csv(&quiet.app, VendorListFilter::default(), VendorSort::Newest, after).await.unwrap();
        text.push_str(&part.text);
        parts += 1;
        after = part.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(parts, 3);
    let mut lines = text.split_terminator("\r\n");
    assert!(lines.next().unwrap().starts_with("id,legal_name,"));
    let rest: Vec<&str> = lines.collect();
    assert_eq!(rest.len(), 1_203);
    assert!(rest[1_202].contains("\"'=1+1 \"\"x\"\", y\""), "{}", rest[1_202]);
}

/// The product's own path: what the columns hold was told by its acts.
async fn a_line_says_where_its_vendor_stands(database: Database) {
    let house = House::start(database).await;
    house.catalogue_people(20).await;
    let vendor = house.vendor("Acme", &[("acme-people", usual("people"))]).await;
    house.register("Beta").await;
    let line = async |name: &str| {
        let filter = VendorListFilter { search: Some(name.to_owned()), ..Default::default() };
        let query = VendorListQuery { filter, sort: VendorSort::Name, after: None, limit: 10 };
        vendors::overview(&house.app, query).await.unwrap().rows.remove(0)
    };
    let acme = line("acme").await;
    // Critical: 180 days.
    assert_eq!(acme.review, ReviewClock::Current { until: beginning().plus_days(180) });
    assert_eq!((acme.agreement, acme.last_pull, acme.open_assessment), (AgreementState::InForce, None, None));
    assert_eq!(acme.owner.name.as_deref(), Some("vendor_manager"));
    let beta = line("beta").await;
    assert_eq!((beta.review, beta.agreement), (ReviewClock::NotScheduled, AgreementState::None));

    let token = house.token(&vendor).await;
    house.pull(&token, "/data/v1/datasets/people/records", "application/json").await.good();
    house.at(beginning().plus_seconds(60)).await;
    let body = serde_json::json!({"kind": "security", "template": "security"});
    house.post(tidegate::domain::person::Role::VendorManager, &format!("/api/v1/vendors/{}/assessments", vendor.id), body).await.good();
    house.act(&vendor.id, "suspend").await;
    let refused = house.pull(&token, "/data/v1/datasets/people/records", "application/json").await;
    assert_eq!(refused.gate(), "vendor");
    house.settle().await;
    let acme = line("acme").await;
    assert_eq!(acme.last_pull, Some(beginning()), "a refusal is no pull");
    let round = acme.open_assessment.unwrap();
    assert_eq!((round.kind, round.status.as_str()), (AssessmentKind::Security, "draft"));
    house.at(beginning().plus_days(151)).await;
    assert!(matches!(line("acme").await.review, ReviewClock::DueSoon { .. }));
    house.at(beginning().plus_days(180)).await;
    assert!(matches!(line("acme").await.review, ReviewClock::Overdue { .. }));
    for act in ["offboard", "retire"] {
        house.act(&vendor.id, act).await;
    }
    assert_eq!(line("acme").await.review, ReviewClock::NotScheduled, "nobody reviews a retired vendor");
}

/// The columns that the migration fills, and that acts keep, say what the stored states say.
async fn columns_follow_what_they_are_told_from(database: Database) {
    let house = House::start(database.clone()).await;
    house.catalogue_people(20).await;
    house.vendor("Acme", &[("acme-people", usual("people"))]).await;
    house.settle().await;
    let read = || columns(&database);
    let kept = read();
    assert!(kept.iter().any(|row| row.contains("signed")) && kept.iter().any(|row| row.contains("decided")), "{kept:?}");
    // As the migration would find it, and what it makes of that.
    let up = std::fs::read_to_string(format!(
        "{}/migrations/{}/2026-11-22-000002_reading/up.sql",
        env!("CARGO_MANIFEST_DIR"),
        if database.is_postgres() { "postgres" } else { "sqlite" }
    ))
    .unwrap();
    super::execute(
        &database,
        "UPDATE vendors SET review_until = NULL; UPDATE assessments SET state = ''; UPDATE agreement_versions SET state = '', signed_until = NULL; DELETE FROM history_hours",
    );
    assert_ne!(read(), kept);
    let fills: Vec<String> = up
        .split(";\n")
        .map(|statement| statement.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n"))
        .filter(|statement| statement.trim_start().starts_with("UPDATE") || statement.trim_start().starts_with("INSERT"))
        .collect();
    assert_eq!(fills.len(), 5);
    for fill in fills {
        super::execute(&database, &fill);
    }
    assert_eq!(read(), kept);
}

/// Every value of the columns, in one text a row.
fn columns(database: &Database) -> Vec<String> {
    use diesel::{Connection, QueryableByName, RunQueryDsl, sql_query};
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Text)]
        said: String,
    }
    let sql = "SELECT 'vendor ' || id || ' ' || coalesce(CAST(review_until AS TEXT), '-') AS said FROM vendors \
         UNION ALL SELECT 'round ' || id || ' ' || state FROM assessments \
         UNION ALL SELECT 'version ' || agreement || ' ' || state || ' ' || coalesce(CAST(signed_until AS TEXT), '-') FROM agreement_versions \
         UNION ALL SELECT 'hour ' || CAST(hour AS TEXT) || ' ' || kind || ' ' || CAST(entries AS TEXT) || ' ' || CAST(first_position AS TEXT) || ' ' || CAST(last_position AS TEXT) FROM history_hours \
         ORDER BY said";
    let rows: Vec<Row> = match &database.url {
        tidegate::store::DatabaseUrl::Sqlite(path) => {
            sql_query(sql).load(&mut diesel::SqliteConnection::establish(path.to_str().unwrap()).unwrap()).unwrap()
        }
        tidegate::store::DatabaseUrl::Postgres(url) => sql_query(sql).load(&mut diesel::PgConnection::establish(url).unwrap()).unwrap(),
    };
    rows.into_iter().map(|row| row.said).collect()
}
