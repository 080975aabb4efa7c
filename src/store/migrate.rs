//! Brings the schema up to date, by twin migrations for both databases; refuses one that a later version made.

use std::collections::BTreeSet;

use diesel::connection::SimpleConnection;
use diesel::migration::MigrationSource;
use diesel::pg::Pg;
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::conn::Conn;
use super::error::StoreError;
use super::gate;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Applies what is missing, each migration in a transaction of its own.
pub(super) fn run(conn: &mut Conn) -> Result<(), StoreError> {
    match conn {
        Conn::Sqlite(conn) => apply::<Sqlite, _>(conn, SQLITE),
        Conn::Postgres(conn) => {
            // Brokers that start together wait for each other here; the lock ends with the connection at the latest.
            conn.batch_execute(&format!("SET lock_timeout = 0; SELECT pg_advisory_lock({})", gate::MIGRATIONS))?;
            let applied = apply::<Pg, _>(conn, POSTGRES);
            conn.batch_execute(&format!("SELECT pg_advisory_unlock({})", gate::MIGRATIONS))?;
            applied
        }
    }
}

fn apply<DB, C>(conn: &mut C, source: EmbeddedMigrations) -> Result<(), StoreError>
where
    DB: diesel::backend::Backend,
    C: MigrationHarness<DB>,
    EmbeddedMigrations: MigrationSource<DB>,
{
    let failed = |_| StoreError::unavailable("its schema could not be brought up to date");
    let ours: BTreeSet<String> = MigrationSource::<DB>::migrations(&source)
        .map_err(failed)?
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect();
    let theirs = conn.applied_migrations().map_err(failed)?;
    if theirs.iter().any(|version| !ours.contains(&version.to_string())) {
        return Err(StoreError::unavailable("it was made by a later version of this program"));
    }
    conn.run_pending_migrations(source).map(drop).map_err(failed)
}
