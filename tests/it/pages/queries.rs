//! Every page makes as many queries for sixty of everything as for five: the store counts them.

use diesel::connection::SimpleConnection;
use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use tidegate::domain::person::Role;
use tidegate::policy::access::allows;
use tidegate::store::DatabaseUrl;

use super::lived_in::{LivedIn, pages};
use crate::database::{Database, run};

/// The most that a page may ask for, whatever it shows.
const MOST: u64 = 60;

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
}

/// A new id for copy `n.i` of a row: the old one with its last digits replaced.
const ID: &str = "substr(id, 1, 26) || substr(CAST(1000000000 + n.i * 1000 + t.rowid % 1000 AS TEXT), 1, 10)";

/// The id of the copy of the agreement that a version belongs to.
const AGREEMENT: &str = "substr(t.agreement, 1, 26) || substr(CAST(1000000000 + n.i * 1000 + \
     (SELECT a.rowid FROM agreements AS a WHERE a.id = t.agreement) % 1000 AS TEXT), 1, 10)";
const NEXT_DRAFT: &[(&str, &str)] = &[
    ("number", "t.number + n.i"),
    ("status", "'{\"status\":\"draft\"}'"),
    ("state", "'draft'"),
    ("signed_from", "NULL"),
    ("signed_until", "NULL"),
];
const WITH_NUMBERS: &str = "t.agreement IN (SELECT p.agreement FROM permits AS p WHERE p.key IN ('acme-people', 'beta-people'))";
const PERMITS: &str = "t.number = 1 AND t.permit IN ('acme-people', 'acme-sql', 'beta-people')";

/// A table, the rows of it that are copied, and what a copy has in place of what it copies.
type Copied = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// What is copied, in order: a table, which of its rows, and the columns that differ from copy to copy.
const COPIES: &[Copied] = &[
    ("people", "t.email LIKE 'page-%'", &[("id", ID), ("email", "n.i || '-' || t.email"), ("name", "t.name || ' ' || n.i")]),
    ("vendors", "1", &[("id", ID), ("legal_name", "t.legal_name || ' ' || n.i"), ("name_key", "t.name_key || ' ' || n.i")]),
    ("assessments", "NOT t.open", &[("id", ID)]),
    ("evidence", "1", &[("id", ID)]),
    ("agreement_versions", "1", &[("agreement", AGREEMENT)]),
    ("agreement_versions", WITH_NUMBERS, NEXT_DRAFT),
    ("agreements", "1", &[("id", ID), ("reference", "t.reference || '-' || n.i")]),
    ("datasets", "1", &[("id", ID), ("name", "t.name || '-' || n.i")]),
    ("hierarchies", "1", &[("name", "t.name || '-' || n.i")]),
    ("permits", "1", &[("key", "t.key || '-' || n.i")]),
    ("permit_revisions", PERMITS, &[("permit", "t.permit || '-' || n.i")]),
    ("permit_revisions", PERMITS, &[("number", "t.number + n.i"), ("status", "'rejected'"), ("in_force_at", "NULL"), ("policy", "NULL")]),
    ("clients", "1", &[("id", ID)]),
    ("tokens", "1", &[("id", ID)]),
    ("sessions", "1", &[("id", ID), ("digest", "substr(t.digest, 1, 50) || n.i")]),
    ("api_keys", "1", &[("id", ID), ("digest", "substr(t.digest, 1, 50) || n.i")]),
];

/// Makes copies of everything; the history grows by entries as they are.
fn grow(url: &DatabaseUrl, copies: u32) {
    let DatabaseUrl::Sqlite(path) = url else { panic!("this counts on SQLite") };
    let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    conn.batch_execute("PRAGMA busy_timeout = 10000; PRAGMA foreign_keys = OFF").unwrap();
    for (table, which, changes) in COPIES {
        copy(&mut conn, table, which, changes, copies);
    }
    let size = "(SELECT size FROM history_head)";
    let next = format!("{size} + (n.i - 1) * {size} + t.position");
    copy(&mut conn, "history_entries", "1", &[("order_no", &next), ("position", &next)], copies);
    conn.batch_execute(
        "UPDATE history_head SET size = (SELECT count(*) FROM history_entries); DELETE FROM history_hours; \
         INSERT INTO history_hours (hour, kind, entries, first_position, last_position) \
         SELECT at / 3600000000, kind, count(*), min(position), max(position) FROM history_entries GROUP BY at / 3600000000, kind",
    )
    .unwrap();
}

fn copy(conn: &mut SqliteConnection, table: &str, which: &str, changes: &[(&str, &str)], copies: u32) {
    let columns: Vec<Column> = sql_query(format!("SELECT name FROM pragma_table_info('{table}')")).load(conn).unwrap();
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let value =
        |name: &&str| changes.iter().find(|(changed, _)| changed == name).map_or(format!("t.{name}"), |(_, value)| (*value).to_owned());
    let values: Vec<String> = names.iter().map(value).collect();
    let sql = format!(
        "INSERT INTO {table} ({}) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {copies}) SELECT {} FROM {table} AS t, n WHERE {which}",
        names.join(", "),
        values.join(", ")
    );
    conn.batch_execute(&sql).unwrap_or_else(|error| panic!("{error}: {sql}"));
}

/// What a visit of a page took.
struct Visit {
    page: String,
    status: u16,
    statements: u64,
    /// Of a document that is streamed whole, its lines: it asks once for each thousand of them.
    lines: u64,
}

impl Visit {
    /// Whether it asks no more than it did where there was less of everything.
    fn is_like(&self, few: &Self) -> bool {
        let same = self.status == few.status && self.statements <= few.statements + self.lines / 100;
        same && (self.statements == few.statements || self.lines > 0) && (1..=MOST).contains(&few.statements)
    }
}

/// Each page by role and address, with the fewest statements of three visits: timers make some too.
async fn counted(lived_in: &LivedIn) -> Vec<Visit> {
    let mut found = Vec::new();
    for role in [Role::PrivacyOfficer, Role::VendorManager, Role::DataSteward, Role::Administrator, Role::ComplianceReviewer] {
        let browser = lived_in.browser(role).await;
        // A document of all rows is read page by page, so it takes more where there are more of them.
        let fixed = pages("GET").filter(|(route, _)| !route.path.ends_with(".csv"));
        for (route, _) in fixed.filter(|(_, permission)| allows(role, *permission)) {
            for address in lived_in.addresses(route.path) {
                let (mut least, mut status, mut lines) = (u64::MAX, 0, 0);
                for _ in 0..3 {
                    let before = lived_in.house.app.store.statements();
                    let answer = browser.get(&address).await;
                    assert!(answer.status < 500, "{address} as {role:?}: {}", answer.text);
                    (least, status) = (least.min(lived_in.house.app.store.statements() - before), answer.status);
                    let whole = answer.header("content-type").starts_with("text/csv");
                    lines = if whole { u64::try_from(answer.text.lines().count()).unwrap() } else { 0 };
                }
                found.push(Visit { page: format!("{} as {role:?}", route.path), status, statements: least, lines });
            }
        }
    }
    found
}

#[test]
fn as_many_for_sixty_of_everything_as_for_five() {
    run(async {
        let (few, many) = (LivedIn::new(Database::sqlite()).await, LivedIn::new(Database::sqlite()).await);
        for role in Role::ALL {
            // Sessions are copied too.
            drop((few.browser(role).await, many.browser(role).await));
        }
        grow(&few.house.database().url, 5);
        grow(&many.house.database().url, 60);
        let (few, many) = (counted(&few).await, counted(&many).await);
        assert_eq!(few.len(), many.len());
        let mut wrong = Vec::new();
        for (few, many) in few.iter().zip(&many) {
            println!("{}: {}, {} statements", few.page, few.status, few.statements);
            if !many.is_like(few) {
                let (least, most) = (few.statements, many.statements);
                wrong.push(format!("{}: {} with {least} statements for five, {} with {most} for sixty", few.page, few.status, many.status));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}
