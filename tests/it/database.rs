//! A fresh database for each test, of either kind; `on_both!` makes two tests of one function.

use std::sync::Arc;

use tempfile::TempDir;
use tidegate::store::{Clock, DatabaseUrl, Settings, Store};

use crate::postgres;

/// An empty database of a test's own. Clones are the same one; a file is removed with the last of them.
#[derive(Clone)]
pub struct Database {
    pub url: DatabaseUrl,
    _directory: Option<Arc<TempDir>>,
}

impl Database {
    /// A new SQLite file.
    pub fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { url: DatabaseUrl::Sqlite(directory.path().join("tidegate.sqlite")), _directory: Some(Arc::new(directory)) }
    }

    /// A new database of the private cluster; `None` where PostgreSQL is not installed.
    pub fn postgres() -> Option<Self> {
        postgres::database().map(|url| Self { url: DatabaseUrl::Postgres(url), _directory: None })
    }

    /// Opens it as one broker does.
    pub fn open(&self, clock: Clock) -> Store {
        Store::open(&Settings { url: self.url.clone(), pool: 8 }, clock).unwrap()
    }

    /// The file of a SQLite database.
    pub fn file(&self) -> Option<std::path::PathBuf> {
        match &self.url {
            DatabaseUrl::Sqlite(path) => Some(path.clone()),
            DatabaseUrl::Postgres(_) => None,
        }
    }

    pub fn is_postgres(&self) -> bool {
        matches!(self.url, DatabaseUrl::Postgres(_))
    }
}

/// Runs a future to its end on a runtime of its own.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap().block_on(future)
}

/// Makes of `async fn name(database: Database)` the tests `sqlite::name` and `postgres::name`.
#[macro_export]
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[test]
            fn $name() {
                $crate::database::run(super::$name($crate::database::Database::sqlite()));
            })*
        }
        mod postgres {
            $(#[test]
            fn $name() {
                if let Some(database) = $crate::database::Database::postgres() {
                    $crate::database::run(super::$name(database));
                }
            })*
        }
    };
}
