//! Sample files: made-up rows written as Parquet or SQLite, whole or not at all.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use rusqlite::types::Value;
use rusqlite::{Connection, Transaction, params_from_iter};
use tempfile::NamedTempFile;

use crate::domain::{Date, Instant};

/// Rows in one row group of a Parquet file: enough to compress well, few enough to hold in memory.
const ROW_GROUP_ROWS: usize = 131_072;

/// A column of made-up values.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleColumn {
    pub name: &'static str,
    pub values: SampleValues,
}

/// The values of a column; `None` is NULL.
#[derive(Debug, Clone, PartialEq)]
pub enum SampleValues {
    Text(Vec<Option<String>>),
    Integer(Vec<Option<i64>>),
    Number(Vec<Option<f64>>),
    Boolean(Vec<Option<bool>>),
    Date(Vec<Option<Date>>),
    /// UTC, to the microsecond.
    Timestamp(Vec<Option<Instant>>),
}

/// A table of a SQLite file.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleTable {
    pub name: &'static str,
    pub columns: Vec<SampleColumn>,
}

/// Why a sample file could not be written.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    #[error("a sample needs at least one column, all of one length and the same in every chunk")]
    Shape,
    #[error("the sample file can't be written")]
    Io(#[from] std::io::Error),
    #[error("the rows don't fit an Arrow batch")]
    Arrow(#[from] ArrowError),
    #[error("the Parquet file can't be written")]
    Parquet(#[from] ParquetError),
    #[error("the SQLite file can't be written")]
    Sqlite(#[from] rusqlite::Error),
}

/// Writes one table as a Parquet file, Zstandard-compressed. The same columns give the same bytes.
///
/// # Errors
/// [`SampleError::Shape`] for columns of different lengths; else what the file system or the writer says. A file
/// that stood there before is then untouched.
pub fn write_parquet(path: &Path, columns: &[SampleColumn]) -> Result<(), SampleError> {
    write_batches(path, [batch(columns)])
}

/// Writes one table chunk by chunk, so that memory does not grow with its rows. Every chunk has the same columns.
///
/// # Errors
/// As [`write_parquet`]; also when a chunk's columns differ from those of the first, or there is no chunk.
pub fn write_parquet_batches(path: &Path, chunks: impl IntoIterator<Item = Vec<SampleColumn>>) -> Result<(), SampleError> {
    write_batches(path, chunks.into_iter().map(|columns| batch(&columns)))
}

/// Writes tables as one SQLite file. Dates and timestamps are text in SQLite's own forms (`2026-07-01`,
/// `2026-07-01 08:00:00`) under columns declared `DATE` and `TIMESTAMP`; booleans are 0 and 1 under `BOOLEAN`.
///
/// # Errors
/// As [`write_parquet`].
pub fn write_sqlite(path: &Path, tables: &[SampleTable]) -> Result<(), SampleError> {
    let partial = beside(path)?;
    let mut connection = Connection::open(partial.path())?;
    let tx = connection.transaction()?;
    for table in tables {
        write_table(&tx, table)?;
    }
    tx.commit()?;
    connection.close().map_err(|(_, error)| error)?;
    put(partial, path)
}

fn write_batches(path: &Path, batches: impl IntoIterator<Item = Result<RecordBatch, SampleError>>) -> Result<(), SampleError> {
    let partial = beside(path)?;
    let mut batches = batches.into_iter();
    let first = batches.next().ok_or(SampleError::Shape)??;
    let schema = first.schema();
    let mut writer = ArrowWriter::try_new(partial.as_file().try_clone()?, Arc::clone(&schema), Some(properties()?))?;
    writer.write(&first)?;
    for batch in batches {
        let batch = batch?;
        if batch.schema() != schema {
            return Err(SampleError::Shape);
        }
        writer.write(&batch)?;
    }
    writer.close()?;
    put(partial, path)
}

fn properties() -> Result<WriterProperties, ParquetError> {
    Ok(WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .build())
}

/// A file in the same directory, so that putting it in place is one rename.
fn beside(path: &Path) -> Result<NamedTempFile, SampleError> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(NamedTempFile::new_in(directory)?)
}

fn put(partial: NamedTempFile, path: &Path) -> Result<(), SampleError> {
    let file: File = partial.persist(path).map_err(|error| error.error)?;
    Ok(file.sync_all()?)
}

/// The number of rows, when there are columns and all are of one length.
fn rows(columns: &[SampleColumn]) -> Result<usize, SampleError> {
    let length = columns.first().ok_or(SampleError::Shape)?.values.len();
    if columns.iter().all(|column| column.values.len() == length) { Ok(length) } else { Err(SampleError::Shape) }
}

fn batch(columns: &[SampleColumn]) -> Result<RecordBatch, SampleError> {
    rows(columns)?;
    let fields: Vec<Field> = columns.iter().map(|column| Field::new(column.name, column.values.arrow_type(), true)).collect();
    let schema: SchemaRef = Arc::new(Schema::new(fields));
    Ok(RecordBatch::try_new(schema, columns.iter().map(|column| column.values.to_arrow()).collect())?)
}

fn write_table(tx: &Transaction<'_>, table: &SampleTable) -> Result<(), SampleError> {
    let rows = rows(&table.columns)?;
    let columns: Vec<String> =
        table.columns.iter().map(|column| format!("{} {}", quoted(column.name), column.values.declared_type())).collect();
    tx.execute_batch(&format!("CREATE TABLE {} ({})", quoted(table.name), columns.join(", ")))?;
    let marks = vec!["?"; table.columns.len()].join(", ");
    let mut insert = tx.prepare(&format!("INSERT INTO {} VALUES ({marks})", quoted(table.name)))?;
    for row in 0..rows {
        insert.execute(params_from_iter(table.columns.iter().map(|column| column.values.sqlite_value(row))))?;
    }
    Ok(())
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl SampleValues {
    fn len(&self) -> usize {
        match self {
            Self::Text(values) => values.len(),
            Self::Integer(values) => values.len(),
            Self::Number(values) => values.len(),
            Self::Boolean(values) => values.len(),
            Self::Date(values) => values.len(),
            Self::Timestamp(values) => values.len(),
        }
    }

    fn arrow_type(&self) -> DataType {
        match self {
            Self::Text(_) => DataType::Utf8,
            Self::Integer(_) => DataType::Int64,
            Self::Number(_) => DataType::Float64,
            Self::Boolean(_) => DataType::Boolean,
            Self::Date(_) => DataType::Date32,
            Self::Timestamp(_) => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        }
    }

    fn to_arrow(&self) -> ArrayRef {
        match self {
            Self::Text(values) => Arc::new(values.iter().map(Option::as_deref).collect::<StringArray>()),
            Self::Integer(values) => Arc::new(values.iter().copied().collect::<Int64Array>()),
            Self::Number(values) => Arc::new(values.iter().copied().collect::<Float64Array>()),
            Self::Boolean(values) => Arc::new(values.iter().copied().collect::<BooleanArray>()),
            Self::Date(values) => Arc::new(values.iter().map(|day| day.map(Date::days_since_epoch)).collect::<Date32Array>()),
            Self::Timestamp(values) => {
                let micros: TimestampMicrosecondArray = values.iter().map(|at| at.map(Instant::micros)).collect();
                Arc::new(micros.with_timezone("UTC"))
            }
        }
    }

    const fn declared_type(&self) -> &'static str {
        match self {
            Self::Text(_) => "TEXT",
            Self::Integer(_) => "INTEGER",
            Self::Number(_) => "REAL",
            Self::Boolean(_) => "BOOLEAN",
            Self::Date(_) => "DATE",
            Self::Timestamp(_) => "TIMESTAMP",
        }
    }

    fn sqlite_value(&self, row: usize) -> Value {
        match self {
            Self::Text(values) => cell(values, row).map_or(Value::Null, Value::Text),
            Self::Integer(values) => cell(values, row).map_or(Value::Null, Value::Integer),
            Self::Number(values) => cell(values, row).map_or(Value::Null, Value::Real),
            Self::Boolean(values) => cell(values, row).map_or(Value::Null, |flag| Value::Integer(i64::from(flag))),
            Self::Date(values) => cell(values, row).map_or(Value::Null, |day| Value::Text(day.to_string())),
            Self::Timestamp(values) => cell(values, row).map_or(Value::Null, |at| Value::Text(sqlite_timestamp(at))),
        }
    }
}

fn cell<T: Clone>(values: &[Option<T>], row: usize) -> Option<T> {
    values.get(row).cloned().flatten()
}

/// `2026-07-01 08:00:00`, with microseconds where there are some: the form that SQLite's own functions write.
fn sqlite_timestamp(at: Instant) -> String {
    let text = at.to_string().replace('T', " ");
    let text = text.strip_suffix('Z').unwrap_or(&text);
    text.strip_suffix(".000000").unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests;
