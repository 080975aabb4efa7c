//! Some rows of a table, spread over it: rows of an import or of one day lie together, so the first ones alone would say
//! little of the others.
//!
//! Parquet: runs of rows at even distances, pages between them passed over undecoded. SQLite: rows at even distances of
//! the row id, each found through the tree; views and tables without a row id give their first ones, since the rest
//! could not be reached without reading all before it. PostgreSQL: rows of some of the table's blocks (`TABLESAMPLE
//! SYSTEM`); of a view the first ones. Parquet in several files, and what comes over HTTP: the first rows. CSV and NDJSON:
//! every so many of the rows that its types are told from;
//! further on a line break may stand within a cell, so nobody can tell where a row begins without reading all.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::catalog::TableProvider;

use super::{EngineError, Form, Reached, Table, csv, mixed, ndjson, parquet, postgres, sqlite, web};
use crate::domain::dataset::{LogicalType, SourceLocation};
use crate::policy::suggestion::MOST_CHARACTERS;

/// Lines of a CSV file that are read at once: the bytes are counted in between.
const LINES: u64 = 500;

/// Rows to be looked at.
pub(in crate::engine) enum Spread {
    /// Read already.
    Read(Vec<RecordBatch>),
    /// To be read from its beginning.
    Scan(Arc<dyn TableProvider>),
}

impl Spread {
    /// At most so many rows of every column that can be read. It is asked after each piece, with the bytes so far,
    /// whether to go on. Blocks.
    pub(in crate::engine) fn of(
        reached: Reached,
        location: &SourceLocation,
        table: &Table,
        most: usize,
        going_on: &dyn Fn(usize) -> bool,
    ) -> Result<Self, EngineError> {
        let columns: Vec<(&str, LogicalType)> = table.named().filter(|(_, logical)| *logical != LogicalType::Other).collect();
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let scan = match (&table.form, reached, location) {
            (Form::Parquet(schema), Reached::Files(files), _) => match files.only_local() {
                Some(path) => return Ok(Self::Read(parquet::spread(path, &names, most, going_on)?)),
                None => parquet::provider(&files, schema)?,
            },
            (Form::Csv, Reached::Files(files), SourceLocation::Csv { delimiter, .. }) => {
                csv::provider(files, *delimiter, &names, Some(LINES))?
            }
            (Form::Ndjson, Reached::Files(files), _) => ndjson::provider(files, &names, Some(LINES))?,
            (Form::Sqlite { order }, Reached::File(path), _) => {
                sqlite::spread(path, &table.name, &columns, order.as_deref(), most, MOST_CHARACTERS)?
            }
            (Form::Postgres(described), Reached::Database(database), _) => postgres::spread(database, table, described, &columns, most)?,
            (Form::Web, Reached::Web(web), _) => web::provider(web, &names)?,
            (Form::Parquet(_) | Form::Csv | Form::Ndjson | Form::Sqlite { .. } | Form::Postgres(_) | Form::Web, ..) => return Err(mixed()),
        };
        Ok(Self::Scan(scan))
    }
}
