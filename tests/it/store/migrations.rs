//! The twin migrations go up, down and up again to the same schema, and the two schemas are one.

use std::collections::BTreeSet;

use diesel::sql_types::{Bool, Text};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, connection::SimpleConnection, sql_query};
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use tidegate::store::{Clock, DatabaseUrl, Settings, Store, StoreError};

use super::samples::START;
use crate::database::Database;

crate::on_both!(up_down_up, opened_twice, a_later_schema_is_refused);

/// Statements of a connection of the test's own, past the store.
pub fn disturb(url: &DatabaseUrl, sql: &str) {
    match url {
        DatabaseUrl::Sqlite(_) => sqlite(url).batch_execute(&format!("PRAGMA foreign_keys = OFF; {sql}")).unwrap(),
        // Constraints are beside the point of a disturbance.
        DatabaseUrl::Postgres(_) => postgres(url).batch_execute(&format!("SET session_replication_role = replica; {sql}")).unwrap(),
    }
}

/// How many rows a table has, or has under a condition (`tokens WHERE …`), past the store.
pub fn rows_of(url: &DatabaseUrl, table: &str) -> i64 {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        many: i64,
    }
    let query = sql_query(format!("SELECT count(*) AS many FROM {table}"));
    let count: Count = match url {
        DatabaseUrl::Sqlite(_) => query.get_result(&mut sqlite(url)).unwrap(),
        DatabaseUrl::Postgres(_) => query.get_result(&mut postgres(url)).unwrap(),
    };
    count.many
}

fn sqlite(url: &DatabaseUrl) -> SqliteConnection {
    let DatabaseUrl::Sqlite(path) = url else { panic!("not SQLite") };
    let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    // A store that was just dropped may still be closing its connections.
    conn.batch_execute("PRAGMA busy_timeout = 10000").unwrap();
    conn
}

fn postgres(url: &DatabaseUrl) -> PgConnection {
    let DatabaseUrl::Postgres(url) = url else { panic!("not PostgreSQL") };
    PgConnection::establish(url).unwrap()
}

#[derive(QueryableByName, PartialEq, Eq, PartialOrd, Ord, Debug, Clone)]
struct Column {
    #[diesel(sql_type = Text)]
    table: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Bool)]
    required: bool,
}

#[derive(QueryableByName, PartialEq, Eq, PartialOrd, Ord, Debug, Clone)]
struct Index {
    #[diesel(sql_type = Text)]
    table: String,
    #[diesel(sql_type = Text)]
    name: String,
}

type Schema = (BTreeSet<Column>, BTreeSet<Index>);

fn schema(url: &DatabaseUrl) -> Schema {
    let (columns, indexes) = match url {
        DatabaseUrl::Sqlite(_) => (
            sql_query(
                "SELECT m.name AS \"table\", p.name, lower(p.type) AS kind, p.\"notnull\" AS required \
                 FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table' AND m.name NOT LIKE '\\_\\_%' ESCAPE '\\'",
            )
            .load(&mut sqlite(url)),
            sql_query("SELECT tbl_name AS \"table\", name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
                .load(&mut sqlite(url)),
        ),
        DatabaseUrl::Postgres(_) => (
            sql_query(
                "SELECT table_name::text AS \"table\", column_name::text AS name, data_type::text AS kind, \
                 is_nullable = 'NO' AS required \
                 FROM information_schema.columns WHERE table_schema = 'public' AND NOT starts_with(table_name, '__')",
            )
            .load(&mut postgres(url)),
            sql_query(
                "SELECT tablename::text AS \"table\", indexname::text AS name FROM pg_indexes \
                 WHERE schemaname = 'public' AND NOT starts_with(tablename, '__') AND indexname !~ '_(pkey|key)$'",
            )
            .load(&mut postgres(url)),
        ),
    };
    (columns.unwrap().into_iter().collect(), indexes.unwrap().into_iter().collect())
}

fn revert_all(url: &DatabaseUrl) {
    let migrations = |of: &str| FileBasedMigrations::from_path(format!("{}/migrations/{of}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    match url {
        DatabaseUrl::Sqlite(_) => drop(sqlite(url).revert_all_migrations(migrations("sqlite")).unwrap()),
        DatabaseUrl::Postgres(_) => drop(postgres(url).revert_all_migrations(migrations("postgres")).unwrap()),
    }
}

async fn up_down_up(database: Database) {
    drop(database.open(Clock::manual(START)));
    let first = schema(&database.url);
    assert!(first.0.len() > 100 && first.1.len() > 20, "the schema is read at all");
    revert_all(&database.url);
    assert_eq!(schema(&database.url), Schema::default(), "something was left behind");
    if let DatabaseUrl::Postgres(_) = &database.url {
        assert_eq!(rows_of(&database.url, "pg_sequences"), 0);
    }
    drop(database.open(Clock::manual(START)));
    assert_eq!(schema(&database.url), first);
}

async fn opened_twice(database: Database) {
    let first = database.open(Clock::manual(START));
    first.ready().await.unwrap();
    let second = database.open(Clock::manual(START));
    second.ready().await.unwrap();
    first.ready().await.unwrap();
}

async fn a_later_schema_is_refused(database: Database) {
    drop(database.open(Clock::manual(START)));
    disturb(&database.url, "INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000001')");
    let opened = Store::open(&Settings { url: database.url.clone(), pool: 1 }, Clock::manual(START)).map(drop);
    assert_eq!(opened, Err(StoreError::Unavailable("it was made by a later version of this program".into())));
}

#[test]
fn the_twins_are_one_schema() {
    let Some(remote) = Database::postgres() else { return };
    let local = Database::sqlite();
    drop((remote.open(Clock::manual(START)), local.open(Clock::manual(START))));
    let (local, remote) = (schema(&local.url), schema(&remote.url));
    let plain = |column: Column| {
        let kind = match column.kind.as_str() {
            "bigint" | "boolean" => "integer",
            "bytea" => "blob",
            other => other,
        };
        Column { kind: kind.to_owned(), ..column }
    };
    assert_eq!(local.0, remote.0.into_iter().map(plain).collect());
    assert_eq!(local.1, remote.1);
}

/// A missing server or file is an error that says so, without the address.
#[test]
fn what_can_not_be_opened() {
    let table = [
        (DatabaseUrl::Sqlite("/nowhere/at/all.sqlite".into()), "its file can not be opened"),
        (DatabaseUrl::Postgres("postgres://secret:word@127.0.0.1:1/x".into()), "it can not be reached"),
    ];
    for (url, why) in table {
        let opened = Store::open(&Settings { url, pool: 1 }, Clock::manual(START)).map(drop);
        assert_eq!(opened, Err(StoreError::Unavailable(why.into())));
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x");
    std::fs::write(&path, vec![b'?'; 8_192]).unwrap();
    let opened = Store::open(&Settings { url: DatabaseUrl::Sqlite(path), pool: 1 }, Clock::manual(START)).map(drop);
    assert_eq!(opened, Err(StoreError::Unavailable("the file is no database".into())));
}
