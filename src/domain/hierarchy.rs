//! Hierarchies: every raw value with its coarser texts, level by level; a text of one level leads to one of the next.

mod reading;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::Invalid;
use super::text::{Digest, Slug};
use super::time::Instant;
use super::treatment::Treatment;

/// The most bytes that a file may have.
pub const MOST_BYTES: usize = 20 * 1024 * 1024;
/// The most bytes of files that one permit's treatments may name together, and that are held in memory for the next release.
pub const MOST_IN_USE: usize = 64 * 1024 * 1024;
/// The most rows that a file may have.
pub const MOST_ROWS: usize = 200_000;
/// The most levels above the raw value.
pub const MOST_LEVELS: usize = 20;
/// How many rows of a file are kept to be shown.
pub const SHOWN: usize = 20;

/// Which content a name stood for: a new upload makes a new version, and none ever changes.
pub type HierarchyKey = (Slug, i32);

/// Reads a name and a number from one text, such as `towns.2`.
pub fn key_of(label: &str) -> Option<HierarchyKey> {
    let (name, version) = label.split_once('.')?;
    Some((name.parse().ok()?, version.parse().ok().filter(|version| *version > 0)?))
}

/// What is known of a version without its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HierarchyVersion {
    pub name: Slug,
    /// From 1.
    pub version: i32,
    /// SHA-256 of the file as it was handed in.
    pub digest: Digest,
    /// How many raw values it knows.
    pub values: u64,
    /// How many different texts each level has, the finest level first.
    pub texts: Vec<u64>,
    pub bytes: u64,
    pub created_at: Instant,
}

impl HierarchyVersion {
    /// Its name and number.
    pub fn key(&self) -> HierarchyKey {
        (self.name.clone(), self.version)
    }

    /// Its name and number in one text, such as `towns.2`: what choices and lists go by.
    pub fn label(&self) -> String {
        format!("{}.{}", self.name, self.version)
    }

    /// How many levels there are above the raw value.
    pub fn levels(&self) -> u8 {
        u8::try_from(self.texts.len()).unwrap_or(u8::MAX)
    }
}

/// A file of values and their coarser texts, read and checked.
pub struct Hierarchy {
    /// For each raw value in NFC the place of its text in the first level.
    values: HashMap<Box<str>, u32>,
    /// The finest first.
    levels: Vec<Level>,
    /// The first rows as they stand in the file.
    beginning: Vec<Vec<String>>,
}

struct Level {
    texts: Vec<Box<str>>,
    /// For each text the place of its coarser text in the next level; empty for the last.
    coarser: Vec<u32>,
}

/// A hierarchy holds what a steward wrote, which is nobody's business in a log.
impl std::fmt::Debug for Hierarchy {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Hierarchy({} values, {} levels)", self.values.len(), self.levels.len())
    }
}

impl Hierarchy {
    /// How many raw values it knows.
    pub fn count(&self) -> usize {
        self.values.len()
    }

    /// How many different texts each level has, the finest first.
    pub fn texts(&self) -> Vec<u64> {
        self.levels.iter().map(|level| u64::try_from(level.texts.len()).unwrap_or(u64::MAX)).collect()
    }

    /// The first rows of the file.
    pub fn beginning(&self) -> &[Vec<String>] {
        &self.beginning
    }

    /// Itself seen from a level, from 1; none where there is no such level.
    pub fn at(self: &Arc<Self>, level: u8) -> Option<AtLevel> {
        let above = usize::from(level).checked_sub(1)?;
        (above < self.levels.len()).then(|| AtLevel { above, hierarchy: Arc::clone(self) })
    }
}

/// A hierarchy seen from one level.
#[derive(Debug, Clone)]
pub struct AtLevel {
    /// The level's place among the levels.
    above: usize,
    hierarchy: Arc<Hierarchy>,
}

impl AtLevel {
    /// The text of a raw value, given in NFC; none for a value that the hierarchy does not know.
    pub fn text(&self, value: &str) -> Option<&str> {
        let mut place = *self.hierarchy.values.get(value)?;
        for level in self.hierarchy.levels.iter().take(self.above) {
            place = *level.coarser.get(usize::try_from(place).ok()?)?;
        }
        let level = self.hierarchy.levels.get(self.above)?;
        level.texts.get(usize::try_from(place).ok()?).map(AsRef::as_ref)
    }
}

/// The hierarchies that there are, of those that treatments name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownHierarchies(BTreeMap<HierarchyKey, HierarchyVersion>);

impl FromIterator<HierarchyVersion> for KnownHierarchies {
    fn from_iter<Known: IntoIterator<Item = HierarchyVersion>>(known: Known) -> Self {
        Self(known.into_iter().map(|version| (version.key(), version)).collect())
    }
}

impl KnownHierarchies {
    /// Refuses a treatment that names a hierarchy, a version or a level that is not there.
    pub fn check(&self, treatment: &Treatment) -> Result<(), Invalid> {
        let Some((key, level)) = treatment.hierarchy() else { return Ok(()) };
        match self.0.get(&key).map(HierarchyVersion::levels) {
            None => Err(Invalid::new("hierarchy", "must be the name of an uploaded hierarchy, with one of its versions")),
            Some(levels) if level > levels => {
                Err(Invalid::new("level", format!("must be 1 to {levels}: this hierarchy has no other level")))
            }
            Some(_) => Ok(()),
        }
    }

    /// Refuses treatments that together would need more memory than one release may take.
    pub fn check_size(&self) -> Result<(), Invalid> {
        let bytes = self.0.values().map(|version| version.bytes).fold(0, u64::saturating_add);
        if usize::try_from(bytes).is_ok_and(|bytes| bytes <= MOST_IN_USE) {
            Ok(())
        } else {
            Err(Invalid::new("fields", "must not use hierarchies of more than 64 MB together"))
        }
    }
}
