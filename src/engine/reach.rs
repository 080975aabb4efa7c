//! From a location to what is there: the file, the files, the database or the address, and the version it has now.

use std::path::Path;
use std::sync::{Arc, PoisonError};

use super::place::{self, Found};
use super::source::bucket::{self, Bucket};
use super::source::part::{At, Files, local_meta};
use super::source::postgres::Database;
use super::source::web::Web;
use super::source::{Reached, Table};
use super::{EngineError, Shared};
use crate::domain::dataset::SourceLocation;
use crate::domain::secret::PlainSecret;
use crate::domain::source::{ObjectStoreAt, bucket_and_prefix};
use crate::domain::text::{FieldName, Line};

/// How a source is reached: where it is, and the secret it asks for.
#[derive(Debug, Clone)]
pub struct Access {
    pub location: SourceLocation,
    pub secret: Option<PlainSecret>,
}

/// Buckets and databases that are remembered; beyond them all are forgotten, and what runs keeps its own.
const MOST_KEPT: usize = 256;

/// The endings of files that a folder is looked through for.
fn csv(name: &str) -> bool {
    ends(name, &["csv", "tsv", "txt"])
}

fn ndjson(name: &str) -> bool {
    ends(name, &["ndjson", "jsonl", "json"])
}

fn parquet(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with(".parquet") || name.ends_with(".pq")
}

fn ends(name: &str, endings: &[&str]) -> bool {
    let name = name.to_ascii_lowercase();
    let plain = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
    plain.rsplit_once('.').is_some_and(|(_, ending)| endings.contains(&ending))
}

impl Shared {
    /// What a source is now, for one of its tables where one is meant, and a hexadecimal digest that changes when it does.
    pub(super) async fn reach(self: &Arc<Self>, access: &Access, table: Option<&FieldName>) -> Result<(Reached, String), EngineError> {
        match &access.location {
            SourceLocation::Sqlite { .. } => self.local(access, csv).await,
            SourceLocation::Csv { path, store, .. } => self.files(access, path, store.as_ref(), csv).await,
            SourceLocation::Ndjson { path, store } => self.files(access, path, store.as_ref(), ndjson).await,
            SourceLocation::Parquet { path, store } => self.files(access, path, store.as_ref(), parquet).await,
            SourceLocation::Postgres(at) => {
                let database = self.database(access, || Database::new(at, access.secret.as_ref()))?;
                let version = match table {
                    Some(table) => database.version(table.as_str()).await?,
                    None => String::new(),
                };
                Ok((Reached::Database(database), version))
            }
            SourceLocation::HttpJson(at) => {
                let web = Web::new(at, access.secret.as_ref(), self.client.clone())?;
                // Nothing tells whether what a server would say has changed.
                Ok((Reached::Web(web), place::digest_of(&identity(access))))
            }
        }
    }

    async fn files(
        self: &Arc<Self>,
        access: &Access,
        path: &Line,
        store: Option<&ObjectStoreAt>,
        fits: fn(&str) -> bool,
    ) -> Result<(Reached, String), EngineError> {
        let Some((name, prefix)) = bucket_and_prefix(path.as_str()) else { return self.local(access, fits).await };
        let bucket = self.bucket(name, store, access.secret.as_ref())?;
        let files = bucket.files(name, prefix, fits).await?;
        let mut identity = bucket.url.to_string();
        for part in &files.parts {
            let meta = &part.meta;
            let tag = meta.e_tag.as_deref().unwrap_or_default();
            identity.push_str(&format!("{} {} {} {tag};", meta.location, meta.size, meta.last_modified.timestamp_micros()));
        }
        Ok((Reached::Files(files), place::digest_of(&identity)))
    }

    async fn local(self: &Arc<Self>, access: &Access, fits: fn(&str) -> bool) -> Result<(Reached, String), EngineError> {
        let (shared, location) = (Arc::clone(self), access.location.clone());
        let reached = tokio::task::spawn_blocking(move || {
            let gone = |_| EngineError::damaged();
            match place::locate(&shared.settings.roots, &location)? {
                Found::File(path) => {
                    let version = place::version(&path, &location).map_err(gone)?;
                    let sqlite = matches!(location, SourceLocation::Sqlite { .. });
                    Ok((if sqlite { Reached::File(path) } else { Reached::Files(Files::of_one(path)?) }, version))
                }
                Found::Folder(folder) => {
                    let files = place::files_below(&folder, fits)?;
                    let version = place::version_of_many(&files).map_err(gone)?;
                    let found = files.into_iter().map(|(below, path)| Ok((below, local_meta(&path)?, At::Local(path))));
                    let found = found.map(|found| found.map(|(below, meta, at)| (below, at, meta))).collect::<Result<_, EngineError>>()?;
                    Ok((Reached::Files(Files::of_many(named(&folder), found, None)?), version))
                }
            }
        });
        reached.await.unwrap_or_else(|_| Err(EngineError::internal("a reader died")))
    }

    fn bucket(&self, name: &str, at: Option<&ObjectStoreAt>, secret: Option<&PlainSecret>) -> Result<Bucket, EngineError> {
        let key = bucket::identity(name, at, secret);
        let mut kept = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept.get(&key) {
            return Ok(known.clone());
        }
        let bucket = Bucket::new(name, at, secret, self.client.clone())?;
        if kept.len() >= MOST_KEPT {
            kept.clear();
        }
        self.state.runtime_env().register_object_store(bucket.url.as_ref(), Arc::clone(&bucket.store));
        kept.insert(key, bucket.clone());
        Ok(bucket)
    }

    fn database(&self, access: &Access, make: impl FnOnce() -> Result<Database, EngineError>) -> Result<Database, EngineError> {
        let key = place::digest_of(&identity(access));
        let mut kept = self.databases.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept.get(&key) {
            return Ok(known.clone());
        }
        let database = make()?;
        if kept.len() >= MOST_KEPT {
            kept.clear();
        }
        kept.insert(key, database.clone());
        Ok(database)
    }

    /// The table as it stands, remembered while its source does not change.
    pub(super) async fn table(
        &self,
        reached: &Reached,
        version: &str,
        location: &SourceLocation,
        name: &FieldName,
    ) -> Result<Arc<Table>, EngineError> {
        let place = serde_json::to_string(location).map_err(|_| EngineError::internal("a location can't be written"))?;
        let key = (place, version.to_owned(), name.clone());
        let known = self.tables.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        // Nothing tells whether what a server would say has changed, so it is asked each time.
        if let (Some(table), false) = (known, matches!(reached, Reached::Web(_))) {
            return Ok(table);
        }
        let table = Arc::new(reached.table(location, name).await?);
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        if tables.len() >= super::TABLES_KEPT {
            tables.clear();
        }
        tables.insert(key, Arc::clone(&table));
        Ok(table)
    }
}

/// Everything by which a source is reached, the secret too; it never leaves the process but as a digest.
fn identity(access: &Access) -> String {
    let secret = access.secret.as_ref().map(PlainSecret::reveal).unwrap_or_default();
    format!("{}\n{secret}", serde_json::to_string(&access.location).unwrap_or_default())
}

fn named(folder: &Path) -> String {
    folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
