//! Tables as sources hold them: what columns there are, whether they still are as catalogued, and a scan of them.

mod csv;
mod parquet;
mod sqlite;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::common::Column;
use datafusion::logical_expr::Expr;

use super::EngineError;
use crate::domain::dataset::{Dataset, DiscoveredColumn, DiscoveredTable, Field, LogicalType, SourceLocation};
use crate::domain::text::FieldName;
use crate::policy::release::Shape;

/// The most rows that are read to tell the types of a CSV file.
pub(super) const SAMPLE: usize = 10_000;

/// Rows of a batch at most.
pub(super) const BATCH: usize = 8_192;

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
    /// The source has only text: those of which some sampled value, or none at all, was there.
    Sampled(Vec<LogicalType>),
}

/// What a scan needs to know beside the columns.
#[derive(Debug, Clone)]
enum Form {
    Csv,
    Parquet(SchemaRef),
    /// The `ORDER BY` that gives a stable order, if the table offers one.
    Sqlite {
        order: Option<String>,
    },
}

/// Every table of a source. Blocks.
pub(super) fn discover(path: &Path, location: &SourceLocation) -> Result<Vec<DiscoveredTable>, EngineError> {
    let tables = match location {
        SourceLocation::Sqlite { .. } => sqlite::tables(path)?,
        SourceLocation::Csv { delimiter, .. } => vec![csv::table(path, *delimiter)?],
        SourceLocation::Parquet { .. } => vec![parquet::table(path)?],
    };
    let discovered = |table: Table| DiscoveredTable {
        name: table.name,
        columns: table.columns.into_iter().map(|column| DiscoveredColumn { name: column.name, logical: column.logical }).collect(),
    };
    Ok(tables.into_iter().map(discovered).collect())
}

/// Whether a new file can be read as what it is said to be: it has a table, and the first rows of it come out. Blocks.
pub(super) fn look_through(path: &Path, location: &SourceLocation) -> Result<(), EngineError> {
    let whole = match location {
        SourceLocation::Sqlite { .. } => sqlite::look_through(path)?,
        // The types are told from the first rows.
        SourceLocation::Csv { delimiter, .. } => !csv::table(path, *delimiter)?.columns.is_empty(),
        SourceLocation::Parquet { .. } => parquet::look_through(path)?,
    };
    if whole { Ok(()) } else { Err(EngineError::damaged()) }
}

/// One table of a source. Blocks.
pub(super) fn table(path: &Path, location: &SourceLocation, name: &FieldName) -> Result<Table, EngineError> {
    match location {
        SourceLocation::Sqlite { .. } => sqlite::table(path, name.as_str()),
        SourceLocation::Csv { delimiter, .. } => csv::table(path, *delimiter),
        SourceLocation::Parquet { .. } => parquet::table(path),
    }
}

/// The name of a file's one table: the file's name without its ending.
fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
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
            Fits::Sampled(types) => types.contains(&field.logical),
        };
        if fits { Ok(()) } else { Err(EngineError::Drift("a column has another type".to_owned())) }
    }
}

/// The fields that a plan rests on: the permit's released ones, its condition's and the subject's.
fn needed(plan: &Shape) -> BTreeSet<&FieldName> {
    let released = plan.columns().iter().map(|column| &column.field.name);
    let conditions = plan.condition().iter().map(|comparison| &comparison.field);
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
    /// A scan that may stop after `fetch` rows.
    pub(super) fn new(path: PathBuf, plan: &Shape, table: &Table, fetch: Option<u64>) -> Result<Self, EngineError> {
        let fields = scanned(plan, plan.dataset());
        let provider = match (&table.form, &plan.source().location) {
            (Form::Parquet(schema), _) => parquet::provider(&path, schema)?,
            (Form::Csv, SourceLocation::Csv { delimiter, .. }) => {
                let header: Vec<_> = table.columns.iter().map(|column| column.name.as_str()).collect();
                let wanted: BTreeSet<&str> = fields.iter().map(|field| field.name.as_str()).collect();
                csv::provider(path, *delimiter, &header, &wanted, fetch)?
            }
            (Form::Sqlite { order }, _) => sqlite::provider(path, &table.name, &fields, order.as_deref(), fetch)?,
            (Form::Csv, SourceLocation::Sqlite { .. } | SourceLocation::Parquet { .. }) => {
                return Err(EngineError::internal("a table of one kind came with a location of another"));
            }
        };
        let schema = provider.schema();
        let held = schema.fields().iter().map(|field| (field.name().clone(), field.data_type().clone())).collect();
        Ok(Self { provider, held, flags: matches!(table.form, Form::Sqlite { .. }) })
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
