//! Sources: where rows live.

use diesel::prelude::*;

use crate::domain::Instant;
use crate::domain::dataset::Source;
use crate::domain::id::SourceId;

use super::Tx;
use super::column::{from_json, json, parse};
use super::error::StoreError;
use super::schema::sources;

const NOUN: &str = "source";

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = sources)]
struct SourceRow {
    id: String,
    name: String,
    location: String,
    created_at: i64,
    version: i64,
}

impl SourceRow {
    fn read(self) -> Result<Source, StoreError> {
        Ok(Source {
            id: parse(NOUN, self.id)?,
            name: parse(NOUN, self.name)?,
            location: from_json(NOUN, &self.location)?,
            created_at: Instant::from_micros(self.created_at),
            version: self.version,
        })
    }
}

/// Keeps a new source.
pub fn insert(tx: &mut Tx, source: &Source) -> Result<(), StoreError> {
    let row = SourceRow {
        id: source.id.to_string(),
        name: source.name.to_string(),
        location: json(NOUN, &source.location)?,
        created_at: source.created_at.micros(),
        version: source.version,
    };
    diesel::insert_into(sources::table).values(row).execute(tx.conn()).map(drop).map_err(|error| StoreError::taken(error, "source"))
}

/// The source of that id.
pub fn find(tx: &mut Tx, id: &SourceId) -> Result<Source, StoreError> {
    let row = sources::table.find(id.as_str()).select(SourceRow::as_select()).first(tx.conn()).optional()?;
    row.ok_or(StoreError::NotFound(NOUN))?.read()
}

/// Every source, by name.
pub fn list(tx: &mut Tx) -> Result<Vec<Source>, StoreError> {
    let rows = sources::table.select(SourceRow::as_select()).order((sources::name, sources::id)).load(tx.conn())?;
    rows.into_iter().map(SourceRow::read).collect()
}
