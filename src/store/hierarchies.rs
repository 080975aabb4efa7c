//! Hierarchies: each version of a name is kept once, with its file as it came, and never changed.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::domain::Instant;
use crate::domain::hierarchy::{HierarchyKey, HierarchyVersion};
use crate::domain::text::{Digest, Slug};

use super::Tx;
use super::column::{count, from_json, json, parse, stored};
use super::error::StoreError;
use super::raw::Raw;
use super::schema::hierarchies;

const NOUN: &str = "hierarchy";

/// What a version is, without its content.
const SELECT: &str = "SELECT name, version, digest, value_count, texts, bytes, created_at FROM hierarchies";

#[derive(QueryableByName)]
struct HeadRow {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Text)]
    digest: String,
    #[diesel(sql_type = BigInt)]
    value_count: i64,
    #[diesel(sql_type = Text)]
    texts: String,
    #[diesel(sql_type = BigInt)]
    bytes: i64,
    #[diesel(sql_type = BigInt)]
    created_at: i64,
}

impl HeadRow {
    fn read(self) -> Result<HierarchyVersion, StoreError> {
        Ok(HierarchyVersion {
            name: parse(NOUN, self.name)?,
            version: i32::try_from(self.version).map_err(|_| StoreError::Damaged(NOUN))?,
            digest: parse(NOUN, self.digest)?,
            values: count(NOUN, self.value_count)?,
            texts: from_json(NOUN, &self.texts)?,
            bytes: count(NOUN, self.bytes)?,
            created_at: Instant::from_micros(self.created_at),
        })
    }
}

/// Keeps a new version: its first rows, and the file.
pub fn insert(tx: &mut Tx, version: &HierarchyVersion, beginning: &[Vec<String>], content: &str) -> Result<(), StoreError> {
    let values = (
        hierarchies::name.eq(version.name.as_str()),
        hierarchies::version.eq(i64::from(version.version)),
        hierarchies::digest.eq(version.digest.as_str()),
        hierarchies::value_count.eq(stored(NOUN, version.values)?),
        hierarchies::texts.eq(json(NOUN, &version.texts)?),
        hierarchies::beginning.eq(json(NOUN, &beginning)?),
        hierarchies::bytes.eq(stored(NOUN, version.bytes)?),
        hierarchies::content.eq(content),
        hierarchies::created_at.eq(version.created_at.micros()),
    );
    let inserted = diesel::insert_into(hierarchies::table).values(values).execute(tx.conn());
    inserted.map(drop).map_err(|error| StoreError::taken(error, "this version of the hierarchy"))
}

/// The number of a name's newest version; 0 where there is none.
pub fn newest(tx: &mut Tx, name: &Slug) -> Result<i32, StoreError> {
    let raw = Raw::new("SELECT coalesce(max(version), 0) AS value FROM hierarchies WHERE name =").text(name);
    i32::try_from(super::raw::number(tx, raw)?).map_err(|_| StoreError::Damaged(NOUN))
}

/// The version of a name, with the first rows of its file.
pub fn find(tx: &mut Tx, (name, version): &HierarchyKey) -> Result<(HierarchyVersion, Vec<Vec<String>>), StoreError> {
    let raw = Raw::new(SELECT).sql("WHERE name =").text(name).sql("AND version =").number((*version).into());
    let head = raw.load::<HeadRow>(tx)?.into_iter().next().ok_or(StoreError::NotFound(NOUN))?.read()?;
    let beginning: String =
        hierarchies::table.find((name.as_str(), i64::from(*version))).select(hierarchies::beginning).first(tx.conn())?;
    Ok((head, from_json(NOUN, &beginning)?))
}

/// The file of a version with the digest of what was handed in; none where there is no such version.
pub fn content(tx: &mut Tx, (name, version): &HierarchyKey) -> Result<Option<(String, Digest)>, StoreError> {
    let row = hierarchies::table.find((name.as_str(), i64::from(*version))).select((hierarchies::content, hierarchies::digest));
    let found: Option<(String, String)> = row.first(tx.conn()).optional()?;
    found.map(|(content, digest)| Ok((content, parse(NOUN, digest)?))).transpose()
}

/// Those of the versions that are there.
pub fn known(tx: &mut Tx, keys: &BTreeSet<HierarchyKey>) -> Result<Vec<HierarchyVersion>, StoreError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let names: BTreeSet<&Slug> = keys.iter().map(|(name, _)| name).collect();
    let versions: BTreeSet<i64> = keys.iter().map(|(_, version)| i64::from(*version)).collect();
    let raw = Raw::new(SELECT).sql("WHERE name").among(names).sql("AND version").among_numbers(versions);
    let found = heads(tx, raw)?;
    Ok(found.into_iter().filter(|head| keys.contains(&(head.name.clone(), head.version))).collect())
}

/// Versions by name, the newest of a name first; what comes after one where it is given.
pub fn list(tx: &mut Tx, after: Option<&HierarchyKey>, most: i64) -> Result<Vec<HierarchyVersion>, StoreError> {
    let mut raw = Raw::new(SELECT).sql("WHERE 1 = 1");
    if let Some((name, version)) = after {
        raw = raw.sql("AND (name >").text(name).sql("OR (name =").text(name).sql("AND version <").number((*version).into()).sql("))");
    }
    heads(tx, raw.sql("ORDER BY name, version DESC LIMIT").number(most))
}

fn heads(tx: &mut Tx, raw: Raw) -> Result<Vec<HierarchyVersion>, StoreError> {
    raw.load::<HeadRow>(tx)?.into_iter().map(HeadRow::read).collect()
}
