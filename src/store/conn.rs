//! One connection type over both databases. Transactions begin, commit and roll back here and nowhere else.

use std::fs::OpenOptions;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use diesel::connection::{InstrumentationEvent, SimpleConnection};
use diesel::r2d2::{ManageConnection, PooledConnection};
use diesel::sql_types::BigInt;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};

use crate::domain::Instant;

use super::clock::Clock;
use super::error::{StoreError, known};

/// A connection to either database.
#[derive(diesel::MultiConnection)]
pub enum Conn {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// WAL with `synchronous=FULL`: a commit that has answered survives a loss of power.
const SQLITE_SETTINGS: &str = "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
    PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;";

/// A server that was set to forget commits is told not to, since what was released must stay on record.
const POSTGRES_SETTINGS: &str = "SET lock_timeout = '30s'; SET idle_in_transaction_session_timeout = '120s'; \
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';";

/// Opens a SQLite file for writing, and makes it for its owner alone where there is none.
pub(super) fn open_sqlite(path: &Path) -> Result<Conn, StoreError> {
    let unusable = |_| StoreError::unavailable("its file can not be opened");
    // An absolute path is never taken for `:memory:` or a `file:` address.
    let path = std::path::absolute(path).map_err(unusable)?;
    create_private(&path).map_err(unusable)?;
    let text = path.to_str().ok_or_else(|| StoreError::unavailable("the path of its file is not UTF-8"))?;
    let mut conn = SqliteConnection::establish(text).map_err(|error| StoreError::unavailable(known(&error.to_string())))?;
    conn.batch_execute(SQLITE_SETTINGS)?;
    Ok(Conn::Sqlite(conn))
}

fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// Connects to PostgreSQL; TLS is chosen by `sslmode` in the address.
pub(super) fn open_postgres(url: &str) -> Result<Conn, StoreError> {
    let mut conn = PgConnection::establish(url).map_err(|error| StoreError::unavailable(known(&error.to_string())))?;
    conn.batch_execute(POSTGRES_SETTINGS)?;
    Ok(Conn::Postgres(conn))
}

/// How many statements the connections of a store carried out, those that begin and end transactions too.
#[derive(Debug, Clone, Default)]
pub(super) struct Statements(Arc<AtomicU64>);

impl Statements {
    /// Counts what this connection carries out from now on.
    pub(super) fn watch(&self, conn: &mut Conn) {
        let count = Arc::clone(&self.0);
        conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if matches!(event, InstrumentationEvent::StartQuery { .. }) {
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
    }

    pub(super) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A connection, and whether it must not be used again.
pub struct Slot {
    conn: Conn,
    broken: bool,
}

/// What a pool's connections lead to: readers on SQLite, everything on PostgreSQL.
#[derive(Debug)]
pub(super) enum Leads {
    SqliteReader(PathBuf),
    Postgres(String),
}

/// Makes the pool's connections.
#[derive(Debug)]
pub struct Manager {
    pub(super) leads: Leads,
    pub(super) statements: Statements,
}

impl ManageConnection for Manager {
    type Connection = Slot;
    type Error = StoreError;

    fn connect(&self) -> Result<Slot, StoreError> {
        let mut conn = match &self.leads {
            Leads::SqliteReader(path) => {
                let mut conn = open_sqlite(path)?;
                conn.batch_execute("PRAGMA query_only = ON")?;
                conn
            }
            Leads::Postgres(url) => open_postgres(url)?,
        };
        self.statements.watch(&mut conn);
        Ok(Slot { conn, broken: false })
    }

    fn is_valid(&self, slot: &mut Slot) -> Result<(), StoreError> {
        Ok(slot.conn.batch_execute("SELECT 1")?)
    }

    fn has_broken(&self, slot: &mut Slot) -> bool {
        slot.broken
    }
}

enum Held {
    Pooled(PooledConnection<Manager>),
    Own(Box<Slot>),
}

/// A transaction as closures see it: statements and the database's time.
pub struct Tx {
    held: Held,
    clock: Clock,
    now: Option<Instant>,
    failed: Option<StoreError>,
}

impl Tx {
    pub(super) fn pooled(conn: PooledConnection<Manager>, clock: Clock) -> Self {
        Self { held: Held::Pooled(conn), clock, now: None, failed: None }
    }

    pub(super) fn own(conn: Conn, clock: Clock) -> Self {
        Self { held: Held::Own(Box::new(Slot { conn, broken: false })), clock, now: None, failed: None }
    }

    /// The time of this transaction: asked once, of the database's clock, after the gate's lock was taken.
    ///
    /// When the database does not answer, the transaction fails whatever its closure says.
    pub fn now(&mut self) -> Instant {
        if let Some(now) = self.now {
            return now;
        }
        let now = self.ask_time().unwrap_or_else(|error| {
            self.failed = Some(error);
            self.clock.now()
        });
        self.now = Some(now);
        now
    }

    fn ask_time(&mut self) -> Result<Instant, StoreError> {
        #[derive(QueryableByName)]
        struct Time {
            #[diesel(sql_type = BigInt)]
            micros: i64,
        }
        if !(self.clock.is_system() && self.is_postgres()) {
            return Ok(self.clock.now());
        }
        let time: Time = sql_query("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS micros").get_result(self.conn())?;
        Ok(Instant::from_micros(time.micros))
    }

    pub(super) fn conn(&mut self) -> &mut Conn {
        &mut self.slot().conn
    }

    pub(super) fn is_postgres(&mut self) -> bool {
        matches!(self.conn(), Conn::Postgres(_))
    }

    fn slot(&mut self) -> &mut Slot {
        match &mut self.held {
            Held::Pooled(conn) => conn,
            Held::Own(slot) => slot,
        }
    }

    /// Carries out statements that move a transaction; a failure of these leaves the connection unusable.
    pub(super) fn control(&mut self, sql: &str) -> Result<(), StoreError> {
        self.conn().batch_execute(sql).map_err(|error| {
            self.slot().broken = true;
            StoreError::from(error)
        })
    }

    pub(super) fn is_broken(&mut self) -> bool {
        self.slot().broken
    }

    /// One transaction of its own: begun as told, committed if the closure succeeds, rolled back otherwise.
    pub(super) fn transact<T, E: From<StoreError>>(&mut self, begin: &str, f: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        self.control(begin)?;
        match self.guard(f) {
            Ok(value) => {
                // PostgreSQL answers COMMIT of a failed transaction with a silent rollback. A statement before it
                // fails there, so that nothing counts as kept that was not.
                self.control("SELECT 1; COMMIT")?;
                Ok(value)
            }
            Err(error) => {
                // The closure's error says more than one of the rollback, which marks the connection as broken.
                let _ = self.control("ROLLBACK");
                Err(error)
            }
        }
    }

    /// Runs a closure and turns a panic into an error.
    pub(super) fn guard<T, E: From<StoreError>>(&mut self, f: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        self.now = None;
        self.failed = None;
        let outcome = catch_unwind(AssertUnwindSafe(|| f(self)))
            .unwrap_or_else(|_| Err(StoreError::unavailable("the act stopped halfway by a fault of the program").into()));
        match self.failed.take() {
            Some(error) => Err(error.into()),
            None => outcome,
        }
    }
}
