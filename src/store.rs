//! The database behind exactly four ways in; what a way promises holds on SQLite and PostgreSQL alike.
//!
//! `read` changes nothing. `release` holds the gate shared, `govern` holds it alone and moves the counters, and
//! `record` touches no right. A closure that errs leaves nothing behind; an answer comes only after the commit.

pub mod activation_links;
pub mod activity;
pub mod agreements;
pub mod api_keys;
pub mod assessments;
pub mod catalogue;
pub mod client_lines;
pub mod clients;
mod clock;
mod column;
mod conn;
pub mod consents;
pub mod counters;
pub mod datasets;
pub mod drafts;
mod error;
pub mod evidence;
pub mod first_run;
mod gate;
pub mod hierarchies;
pub mod history;
mod migrate;
pub mod kill_switch;
pub mod names;
pub mod overview;
pub mod password_links;
pub mod people;
pub mod permits;
pub mod queue;
pub mod quotas;
mod raw;
mod schema;
pub mod rounds;
pub mod sealed_keys;
pub mod second_factors;
pub mod segments;
pub mod sent_forms;
pub mod sessions;
pub mod sign_in;
pub mod signing_keys;
pub mod sources;
pub mod stops;
pub mod streams;
pub mod tokens;
pub mod used_once;
pub mod vendors;
pub mod vocabulary;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use diesel::r2d2::{NopErrorHandler, Pool};

use crate::domain::id::VendorId;

pub use clock::Clock;
pub use conn::Tx;
pub use error::StoreError;

use conn::{Leads, Manager, Statements, open_postgres, open_sqlite};
use writer::Writer;

/// Where the database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file; made when it is missing.
    Sqlite(PathBuf),
    /// A libpq address, `postgres://…`.
    Postgres(String),
}

/// How the store is opened.
#[derive(Debug, Clone)]
pub struct Settings {
    pub url: DatabaseUrl,
    /// Connections: readers on SQLite, all on PostgreSQL. At least 1.
    pub pool: u32,
}

/// Whose rights an act changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    Vendor(VendorId),
    /// Every vendor's: an act on a dataset, a source or a key.
    All,
    /// What people said of their own data. Each release asks for it by itself, so no counter moves.
    People,
}

/// A part of a list: what comes after an id, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub after: Option<String>,
    pub limit: usize,
}

impl Page {
    fn limit(&self) -> i64 {
        i64::try_from(self.limit).unwrap_or(i64::MAX)
    }
}

/// How long a caller waits for a connection of the pool.
const PATIENCE: Duration = Duration::from_secs(10);

/// The database. Clones share it.
#[derive(Clone)]
pub struct Store {
    clock: Clock,
    pool: Pool<Manager>,
    writer: Option<Arc<Writer>>,
    statements: Statements,
}

impl Store {
    /// Opens the database and brings its schema up to date. Blocks.
    pub fn open(settings: &Settings, clock: Clock) -> Result<Self, StoreError> {
        let statements = Statements::default();
        match &settings.url {
            DatabaseUrl::Sqlite(path) => {
                let mut conn = open_sqlite(path)?;
                migrate::run(&mut conn)?;
                statements.watch(&mut conn);
                let writer = Writer::start(Tx::own(conn, clock.clone()), path.clone(), clock.clone(), statements.clone())?;
                let pool = pool(Leads::SqliteReader(path.clone()), &statements, settings.pool)?;
                Ok(Self { clock, pool, writer: Some(Arc::new(writer)), statements })
            }
            DatabaseUrl::Postgres(url) => {
                migrate::run(&mut open_postgres(url)?)?;
                let pool = pool(Leads::Postgres(url.clone()), &statements, settings.pool)?;
                Ok(Self { clock, pool, writer: None, statements })
            }
        }
    }

    /// Reads one state of the database. What the closure tries to change is refused.
    pub async fn read<T, E>(&self, f: impl FnOnce(&mut Tx) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let begin = if self.writer.is_some() { "BEGIN DEFERRED" } else { "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" };
        self.pooled(begin.to_owned(), f).await
    }

    /// Records a release while nobody may change the vendor's rights; what it reads is what they are.
    pub async fn release<T, E>(&self, vendor: &VendorId, f: impl FnOnce(&mut Tx) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.write(gate::release(vendor), f).await
    }

    /// Changes rights while no release of the scope is under way, and moves the scope's counter.
    pub async fn govern<T, E>(&self, scope: Scope, f: impl FnOnce(&mut Tx) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.write(gate::govern(&scope), move |tx| {
            counters::bump(tx, &scope)?;
            f(tx)
        })
        .await
    }

    /// Writes what touches no right: neither who may get what, nor whether they got it.
    pub async fn record<T, E>(&self, f: impl FnOnce(&mut Tx) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.write(gate::record(), f).await
    }

    /// How many statements were carried out so far: what shows that a read makes as many for ten rows as for ten thousand.
    pub fn statements(&self) -> u64 {
        self.statements.count()
    }

    /// Whether the database answers and takes writes.
    pub async fn ready(&self) -> Result<(), StoreError> {
        self.read(history::head).await?;
        self.record(|_| Ok(())).await
    }

    /// One round of the sequencer: gives positions to pending entries, in the order in which they were appended
    /// under the gate. Answers how many; 0 when another broker is at it, and on SQLite, whose writer gives
    /// positions at once.
    pub async fn sequence(&self) -> Result<u64, StoreError> {
        if self.writer.is_some() { Ok(0) } else { self.record(history::give_positions).await }
    }

    async fn write<T, E>(&self, begin: String, f: impl FnOnce(&mut Tx) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        match &self.writer {
            Some(writer) => writer.submit(f).await,
            None => self.pooled(begin, f).await,
        }
    }

    async fn pooled<T, E>(&self, begin: String, f: impl FnOnce(&mut Tx) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (pool, clock) = (self.pool.clone(), self.clock.clone());
        let done = tokio::task::spawn_blocking(move || {
            let conn = pool.get().map_err(|_| StoreError::unavailable("no connection to it became free"))?;
            Tx::pooled(conn, clock).transact(&begin, f)
        });
        done.await.map_err(|_| E::from(StoreError::unavailable("the program is stopping")))?
    }
}

fn pool(leads: Leads, statements: &Statements, size: u32) -> Result<Pool<Manager>, StoreError> {
    let remote = matches!(leads, Leads::Postgres(_));
    let manager = Manager { leads, statements: statements.clone() };
    Pool::builder()
        .max_size(size.max(1))
        .min_idle(Some(1))
        .connection_timeout(PATIENCE)
        .test_on_check_out(remote)
        .error_handler(Box::new(NopErrorHandler))
        .build(manager)
        .map_err(|_| StoreError::unavailable("it can not be reached"))
}
