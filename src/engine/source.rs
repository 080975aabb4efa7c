//! Tables as sources hold them: what columns there are, whether they still are as catalogued, and a scan of them.

pub(super) mod bucket;
mod cells;
mod csv;
mod json;
mod ndjson;
mod parquet;
pub(super) mod part;
pub(super) mod postgres;
mod seen;
mod sending;
mod spread;
mod sqlite;
pub(super) mod web;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::common::Column;
use datafusion::logical_expr::Expr;

use self::part::Files;
use self::postgres::{Database, Described};
pub(super) use self::spread::Spread;
use self::web::Web;
use super::EngineError;
use crate::domain::dataset::{Dataset, DiscoveredColumn, DiscoveredTable, Field, LogicalType, SourceLocation};
use crate::domain::text::FieldName;
use crate::policy::release::Shape;

/// The most rows that are read to tell types where a source declares none.
pub(super) const SAMPLE: usize = 10_000;

/// Rows of a batch at most.
pub(super) const BATCH: usize = 8_192;

/// What a location leads to.
#[derive(Debug, Clone)]
pub(super) enum Reached {
    /// A SQLite database.
    File(PathBuf),
    Files(Files),
    Database(Database),
    Web(Web),
}

/// A table as it stands in its source now.
#[derive(Debug, Clone)]
pub(super) struct Table {
    name: String,
    columns: Vec<TableColumn>,
    form: Form,
}

#[derive(Debug, Clone)]
struct TableColumn {
    name: String,
    /// What discovery calls it.
    logical: LogicalType,
    fits: Fits,
}

/// Which catalogued types a column can be read as.
#[derive(Debug, Clone)]
enum Fits {
    /// The source declares types: only this.
    Declared,
    /// One of these: in a source that has only text, those of which some sampled value, or none at all, was there.
    OneOf(Vec<LogicalType>),
}

/// What a scan needs to know beside the columns.
#[derive(Debug, Clone)]
enum Form {
    Csv,
    Ndjson,
    /// The schema of the files themselves, without what their folders name.
    Parquet(SchemaRef),
    Postgres(Described),
    Web,
    /// The `ORDER BY` that gives a stable order, if the table offers one.
    Sqlite {
        order: Option<String>,
    },
}

impl Reached {
    /// Every table of a source.
    pub(super) async fn tables(&self, location: &SourceLocation) -> Result<Vec<Table>, EngineError> {
        match self {
            Self::File(path) => {
                let path = path.clone();
                blocking(move || sqlite::tables(&path)).await
            }
            Self::Files(files) => Ok(vec![of_files(files, location).await?]),
            Self::Database(database) => database.tables().await,
            Self::Web(web) => Ok(vec![web.table().await?]),
        }
    }

    /// One table of a source.
    pub(super) async fn table(&self, location: &SourceLocation, name: &FieldName) -> Result<Table, EngineError> {
        match self {
            Self::File(path) => {
                let (path, name) = (path.clone(), name.clone());
                blocking(move || sqlite::table(&path, name.as_str())).await
            }
            Self::Files(files) => called(of_files(files, location).await?, name),
            Self::Database(database) => database.table(name.as_str()).await,
            Self::Web(web) => called(web.table().await?, name),
        }
    }
}

/// The one table of a source, if it is the one that is meant.
fn called(table: Table, name: &FieldName) -> Result<Table, EngineError> {
    if table.name == name.as_str() { Ok(table) } else { Err(EngineError::Drift("the table is gone".to_owned())) }
}

async fn of_files(files: &Files, location: &SourceLocation) -> Result<Table, EngineError> {
    if let SourceLocation::Parquet { .. } = location {
        return parquet::table(files).await;
    }
    let (files, location) = (files.clone(), location.clone());
    blocking(move || match location {
        SourceLocation::Csv { delimiter, .. } => csv::table(&files, delimiter),
        SourceLocation::Ndjson { .. } => ndjson::table(&files),
        SourceLocation::Parquet { .. } | SourceLocation::Sqlite { .. } | SourceLocation::Postgres(_) | SourceLocation::HttpJson(_) => {
            Err(mixed())
        }
    })
    .await
}

async fn blocking<Answer: Send + 'static>(
    work: impl FnOnce() -> Result<Answer, EngineError> + Send + 'static,
) -> Result<Answer, EngineError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(EngineError::internal("a reader died")))
}

fn mixed() -> EngineError {
    EngineError::internal("a table of one kind came with a location of another")
}

/// A table as the steward is told of it.
pub(super) fn discovered(table: Table) -> DiscoveredTable {
    let column = |column: TableColumn| DiscoveredColumn { name: column.name, logical: column.logical };
    DiscoveredTable { name: table.name, columns: table.columns.into_iter().map(column).collect() }
}

/// Whether a new file can be read as what it is said to be: it has a table, and the first rows of it come out. Blocks.
pub(super) fn look_through(path: &Path, location: &SourceLocation) -> Result<(), EngineError> {
    let files = || Files::of_one(path.to_owned());
    let whole = match location {
        SourceLocation::Sqlite { .. } => sqlite::look_through(path)?,
        // The types are told from the first rows.
        SourceLocation::Csv { delimiter, .. } => !csv::table(&files()?, *delimiter)?.columns.is_empty(),
        SourceLocation::Ndjson { .. } => !ndjson::table(&files()?)?.columns.is_empty(),
        SourceLocation::Parquet { .. } => parquet::look_through(path)?,
        SourceLocation::Postgres(_) | SourceLocation::HttpJson(_) => return Err(mixed()),
    };
    if whole { Ok(()) } else { Err(EngineError::damaged()) }
}

impl Table {
    /// Whether every column that the plan rests on is still there and still of its type. Columns that no permit
    /// names may come and go.
    pub(super) fn check(&self, plan: &Shape) -> Result<(), EngineError> {
        let dataset = plan.dataset();
        for name in needed(plan) {
            let field = dataset.field(name.as_str()).ok_or_else(|| EngineError::Drift("a column is gone".to_owned()))?;
            self.check_field(field)?;
        }
        Ok(())
    }

    /// The columns with what discovery calls them.
    pub(super) fn named(&self) -> impl Iterator<Item = (&str, LogicalType)> {
        self.columns.iter().map(|column| (column.name.as_str(), column.logical))
    }

    /// The type of a column now; none where it is not there exactly once.
    pub(super) fn logical(&self, name: &str) -> Option<LogicalType> {
        let mut named = self.named().filter(|(column, _)| *column == name);
        named.next().map(|(_, logical)| logical).filter(|_| named.next().is_none())
    }

    /// Whether a field is still there once and still of its type.
    pub(super) fn check_field(&self, field: &Field) -> Result<(), EngineError> {
        let mut named = self.columns.iter().filter(|column| column.name == field.name.as_str());
        let (Some(column), None) = (named.next(), named.next()) else {
            return Err(EngineError::Drift("a column is gone or is there twice".to_owned()));
        };
        let fits = match &column.fits {
            Fits::Declared => column.logical == field.logical,
            Fits::OneOf(types) => types.contains(&field.logical),
        };
        if fits { Ok(()) } else { Err(EngineError::Drift("a column has another type".to_owned())) }
    }
}

/// The fields that a plan rests on: the permit's released ones, its condition's and the subject's.
fn needed(plan: &Shape) -> BTreeSet<&FieldName> {
    let released = plan.columns().iter().map(|column| &column.field.name);
    let conditions = plan.condition().iter().flat_map(|part| part.comparisons()).map(|comparison| &comparison.field);
    released.chain(conditions).chain([&plan.dataset().subject.field]).collect()
}

/// A scan of the columns that a plan rests on.
pub(super) struct Scan {
    pub(super) provider: Arc<dyn TableProvider>,
    held: Vec<(String, DataType)>,
    /// Whether a column of its own says where the source had a value.
    flags: bool,
}

impl Scan {
    /// A scan that may stop after `fetch` rows within the permit's condition.
    pub(super) fn new(reached: Reached, plan: &Shape, table: &Table, fetch: Option<u64>) -> Result<Self, EngineError> {
        let fields = scanned(plan, plan.dataset());
        let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
        let condition = plan.condition();
        // Only a database tells rows apart by itself: elsewhere the condition comes after the scan.
        let first = fetch.filter(|_| condition.is_empty());
        let provider = match (&table.form, reached, &plan.source().location) {
            (Form::Parquet(schema), Reached::Files(files), _) => parquet::provider(&files, schema)?,
            (Form::Csv, Reached::Files(files), SourceLocation::Csv { delimiter, .. }) => csv::provider(files, *delimiter, &names, first)?,
            (Form::Ndjson, Reached::Files(files), _) => ndjson::provider(files, &names, first)?,
            (Form::Sqlite { order }, Reached::File(path), _) => sqlite::provider(path, &table.name, &fields, order.as_deref(), first)?,
            (Form::Postgres(described), Reached::Database(database), _) => {
                let fields: Vec<_> = fields.iter().map(|field| (field.name.as_str(), field.logical)).collect();
                postgres::provider(database, table, described, &fields, condition, fetch)?
            }
            (Form::Web, Reached::Web(web), _) => web::provider(web, &names)?,
            (Form::Parquet(_) | Form::Csv | Form::Ndjson | Form::Sqlite { .. } | Form::Postgres(_) | Form::Web, ..) => return Err(mixed()),
        };
        let schema = provider.schema();
        let held = schema.fields().iter().map(|field| (field.name().clone(), field.data_type().clone())).collect();
        let flags = match table.form {
            Form::Sqlite { .. } | Form::Ndjson | Form::Postgres(_) | Form::Web => true,
            Form::Csv | Form::Parquet(_) => false,
        };
        Ok(Self { provider, held, flags })
    }

    /// The Arrow type in which the scan holds a field.
    pub(super) fn held(&self, field: &FieldName) -> Option<&DataType> {
        self.held.iter().find(|(name, _)| name == field.as_str()).map(|(_, held)| held)
    }

    /// True where the source had a value, even one that does not fit its type.
    pub(super) fn present(&self, field: &FieldName) -> Expr {
        let named = |name: String| Expr::Column(Column::new_unqualified(name));
        if self.flags { named(flag(field.as_str())) } else { named(field.as_str().to_owned()).is_not_null() }
    }
}

/// The column that says where a field had a value. No field's name holds a control character.
fn flag(field: &str) -> String {
    format!("\u{1}{field}")
}

/// The fields to be read, in the dataset's order.
fn scanned<'a>(plan: &Shape, dataset: &'a Dataset) -> Vec<&'a Field> {
    let needed = needed(plan);
    dataset.fields.iter().filter(|field| needed.contains(&field.name)).collect()
}

#[cfg(test)]
mod tests;
