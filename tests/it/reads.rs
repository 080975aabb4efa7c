//! What the pages read: right, in a fixed number of statements, and in the words of the house.

mod dashboard;
mod list;
mod seed;
mod statements;
mod words;

use std::sync::Arc;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, SqliteConnection};
use tempfile::TempDir;
use tidegate::app::App;
use tidegate::boot;
use tidegate::config::{Config, DatabaseUrl, Overrides};
use tidegate::domain::Instant;
use tidegate::store::{self, Clock};

use crate::database::Database;

/// The parts of an installation without a server and its timers, so that nobody else makes statements.
pub struct Quiet {
    pub app: Arc<App>,
    database: Database,
    _directory: TempDir,
}

impl Quiet {
    pub async fn open(database: Database, now: Instant) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let overrides = Overrides { data_dir: Some(directory.path().to_owned()), ..Overrides::default() };
        let mut config = Config::load(overrides, Vec::new().into_iter()).unwrap();
        config.database_url = match &database.url {
            store::DatabaseUrl::Sqlite(path) => DatabaseUrl::Sqlite(path.clone()),
            store::DatabaseUrl::Postgres(url) => DatabaseUrl::Postgres(url.clone()),
        };
        let app = boot::open(&config, "http://127.0.0.1:1".to_owned(), Clock::manual(now)).await.unwrap();
        Self { app, database, _directory: directory }
    }

    /// One with many vendors and a history of its own.
    pub async fn seeded(database: Database, size: seed::Size, now: Instant) -> Self {
        // The seed's history begins at 0, where a key's would lie already.
        drop(database.open(Clock::manual(now)));
        for sql in seed::statements(size, database.is_postgres(), now) {
            execute(&database, &sql);
        }
        Self::open(database, now).await
    }

    pub fn is_postgres(&self) -> bool {
        self.database.is_postgres()
    }

    pub fn execute(&self, sql: &str) {
        execute(&self.database, sql);
    }
}

fn execute(database: &Database, sql: &str) {
    match &database.url {
        store::DatabaseUrl::Sqlite(path) => {
            let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
            conn.batch_execute("PRAGMA busy_timeout = 10000").unwrap();
            conn.batch_execute(sql)
        }
        store::DatabaseUrl::Postgres(url) => PgConnection::establish(url).unwrap().batch_execute(sql),
    }
    .unwrap_or_else(|error| panic!("{error}: {sql}"));
}
