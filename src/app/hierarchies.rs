//! Hierarchies: handed in by stewards, each version kept as it came; read once by those who need them, and bounded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::Invalid;
use crate::domain::hierarchy::{Hierarchy, HierarchyKey, HierarchyVersion, KnownHierarchies, MOST_IN_USE, key_of};
use crate::domain::person::Actor;
use crate::domain::text::{Digest, Slug};
use crate::domain::treatment::Treatment;
use crate::history::{Act, Body};
use crate::keys;
use crate::store::{Tx, hierarchies};

use super::lists::Page;
use super::{App, AppError, append};

/// A version with the first rows of its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HierarchyView {
    #[serde(flatten)]
    pub version: HierarchyVersion,
    /// In each row the raw value, then its text at each level.
    pub beginning: Vec<Vec<String>>,
}

/// The hierarchies that treatments read, by name and version.
pub type Needed = BTreeMap<HierarchyKey, Arc<Hierarchy>>;

/// The hierarchies that were read last. A version never changes, so what is here is what is kept.
#[derive(Default)]
pub struct Hierarchies(Mutex<Vec<Read>>);

struct Read {
    key: HierarchyKey,
    bytes: usize,
    hierarchy: Arc<Hierarchy>,
}

impl Hierarchies {
    fn get(&self, key: &HierarchyKey) -> Option<Arc<Hierarchy>> {
        let mut read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = read.iter().rposition(|read| read.key == *key)?;
        let used = read.remove(at);
        let hierarchy = Arc::clone(&used.hierarchy);
        read.push(used);
        Some(hierarchy)
    }

    /// Those that were not used for longest make room.
    fn put(&self, new: Read) {
        let mut read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        read.retain(|known| known.key != new.key);
        read.push(new);
        while read.len() > 1 && read.iter().map(|read| read.bytes).sum::<usize>() > MOST_IN_USE {
            read.remove(0);
        }
    }
}

/// Takes a file as the next version of a name.
pub async fn upload(app: &App, by: &Actor, name: Slug, file: Vec<u8>) -> Result<HierarchyVersion, AppError> {
    if name.as_str() == "new" {
        return Err(Invalid::new("name", "must be another word: a page of the house has this one").into());
    }
    let bytes = u64::try_from(file.len()).unwrap_or(u64::MAX);
    let (hierarchy, content, digest) = blocking(move || {
        let hierarchy = Hierarchy::read(&file)?;
        let digest = digest_of(&file)?;
        let content = String::from_utf8(file).map_err(|_| Invalid::new("file", "must be text in UTF-8: save it in that encoding"))?;
        Ok((hierarchy, content, digest))
    })
    .await?;
    let by = by.clone();
    app.store
        .record(move |tx| {
            let number = hierarchies::newest(tx, &name)?.saturating_add(1);
            let values = u64::try_from(hierarchy.count()).unwrap_or(u64::MAX);
            let version = HierarchyVersion { name, version: number, digest, values, texts: hierarchy.texts(), bytes, created_at: tx.now() };
            hierarchies::insert(tx, &version, hierarchy.beginning(), &content)?;
            let act = Act::new("hierarchy", &version.name, "upload", &by)
                .fact("version", number)
                .fact("digest", &version.digest)
                .fact("levels", version.levels());
            append(tx, &Body::Act(act), None)?;
            Ok(version)
        })
        .await
}

/// Versions by name, the newest of a name first.
pub async fn list(app: &App, page: Page) -> Result<(Vec<HierarchyVersion>, Option<String>), AppError> {
    let after = page.after.as_deref().and_then(key_of);
    let limit = page.limit;
    let most = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let mut found = app.store.read(move |tx| Ok::<_, AppError>(hierarchies::list(tx, after.as_ref(), most)?)).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(HierarchyVersion::label);
    Ok((found, next))
}

/// One version.
pub async fn find(app: &App, key: HierarchyKey) -> Result<HierarchyView, AppError> {
    app.store
        .read(move |tx| {
            let (version, beginning) = hierarchies::find(tx, &key)?;
            Ok(HierarchyView { version, beginning })
        })
        .await
}

/// What is known of the hierarchies that treatments name.
pub fn known<'a>(tx: &mut Tx, treatments: impl Iterator<Item = &'a Treatment>) -> Result<KnownHierarchies, AppError> {
    let keys: BTreeSet<HierarchyKey> = treatments.filter_map(|treatment| Some(treatment.hierarchy()?.0)).collect();
    Ok(hierarchies::known(tx, &keys)?.into_iter().collect())
}

/// Reads the hierarchies that treatments name; those that there are not are left out.
pub async fn needed<'a>(app: &App, treatments: impl Iterator<Item = &'a Treatment>) -> Result<Needed, AppError> {
    let keys: BTreeSet<HierarchyKey> = treatments.filter_map(|treatment| Some(treatment.hierarchy()?.0)).collect();
    let mut needed = Needed::new();
    for key in keys {
        let read = match app.hierarchies.get(&key) {
            Some(read) => Some(read),
            None => load(app, key.clone()).await?,
        };
        needed.extend(read.map(|read| (key, read)));
    }
    Ok(needed)
}

async fn load(app: &App, key: HierarchyKey) -> Result<Option<Arc<Hierarchy>>, AppError> {
    let wanted = key.clone();
    let kept = app.store.read(move |tx| Ok::<_, AppError>(hierarchies::content(tx, &wanted)?)).await?;
    let Some((content, digest)) = kept else { return Ok(None) };
    let bytes = content.len();
    let read = blocking(move || {
        // What was approved is what was handed in: a content that was changed underneath treats nothing.
        if digest_of(content.as_bytes())? != digest {
            return Err(AppError::Internal("a stored hierarchy is not the one that was handed in".to_owned()));
        }
        Hierarchy::read(content.as_bytes()).map_err(|_| AppError::Internal("a stored hierarchy can't be read".to_owned()))
    })
    .await?;
    let hierarchy = Arc::new(read);
    app.hierarchies.put(Read { key, bytes, hierarchy: Arc::clone(&hierarchy) });
    Ok(Some(hierarchy))
}

fn digest_of(bytes: &[u8]) -> Result<Digest, AppError> {
    Digest::try_from(keys::sha256_hex(bytes)).map_err(|error| AppError::Internal(error.to_string()))
}

/// Reading a large file takes a while, which no request of others should wait for.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, AppError> + Send + 'static) -> Result<T, AppError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| AppError::Internal(error.to_string()))?
}
