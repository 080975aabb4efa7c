//! CSV files (RFC 4180) with a header line: cells are text until they are treated, and an empty cell is NULL.

use std::io::BufRead;
use std::sync::Arc;

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::csv::ReaderBuilder;
use datafusion::arrow::csv::reader::Format;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::catalog::TableProvider;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::common::Result as Answer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::streaming::PartitionStream;

use super::part::{Files, Part};
use super::seen::{Cell, Seen};
use super::sending::{self, Batches};
use super::{BATCH, EngineError, Form, SAMPLE, Table, TableColumn};

/// The files' one table, as the first of them has it; types are told from its first rows and from the folders' names.
pub(super) fn table(files: &Files, delimiter: char) -> Result<Table, EngineError> {
    let delimiter = separator(delimiter)?;
    let first = files.first()?;
    let names = header(first, delimiter)?;
    let mut seen: Vec<_> = names.iter().map(|_| Seen::default()).collect();
    let mut left = SAMPLE;
    for batch in reader(first, delimiter, &text_schema(&names), None, BATCH)? {
        let batch = batch.map_err(|_| EngineError::damaged())?;
        for (cells, seen) in batch.columns().iter().zip(&mut seen) {
            let cells = cells.as_string_opt::<i32>().ok_or_else(EngineError::damaged)?;
            cells.iter().take(left).flatten().for_each(|cell| seen.look(Cell::Bare(cell)));
        }
        left = left.saturating_sub(batch.num_rows());
        if left == 0 {
            break;
        }
    }
    let column = |(name, seen): (String, Seen)| TableColumn { name, logical: seen.logical(), fits: seen.fits() };
    let columns = names.into_iter().zip(seen).map(column).chain(keys(files)).collect();
    Ok(Table { name: files.name.clone(), columns, form: Form::Csv })
}

/// The columns that folders name, with the types that their values tell.
pub(super) fn keys(files: &Files) -> impl Iterator<Item = TableColumn> {
    files.keys.iter().enumerate().map(|(at, key)| {
        let mut seen = Seen::default();
        files.parts.iter().filter_map(|part| part.values.get(at)?.as_deref()).for_each(|value| seen.look(Cell::Bare(value)));
        TableColumn { name: key.clone(), logical: seen.logical(), fits: seen.fits() }
    })
}

fn header(part: &Part, delimiter: u8) -> Result<Vec<String>, EngineError> {
    let format = Format::default().with_header(true).with_delimiter(delimiter);
    let (header, _) = format.infer_schema(open(part)?, Some(0)).map_err(|_| EngineError::damaged())?;
    let names: Vec<_> = header.fields().iter().map(|field| field.name().clone()).collect();
    if names.is_empty() { Err(EngineError::damaged()) } else { Ok(names) }
}

/// A scan of some columns, as text, in the order of the files and of their lines.
pub(super) fn provider(files: Files, delimiter: char, columns: &[&str], fetch: Option<u64>) -> Result<Arc<dyn TableProvider>, EngineError> {
    let schema = text_schema(columns);
    let batch = fetch.and_then(|rows| usize::try_from(rows).ok()).map_or(BATCH, |rows| rows.clamp(1, BATCH));
    let lines = Lines { files, delimiter: separator(delimiter)?, schema: Arc::clone(&schema), batch };
    Ok(Arc::new(StreamingTable::try_new(schema, vec![Arc::new(lines)])?))
}

fn separator(delimiter: char) -> Result<u8, EngineError> {
    u8::try_from(delimiter).map_err(|_| EngineError::unsupported("a CSV file is separated by one ASCII character"))
}

fn text_schema<Name: AsRef<str>>(names: &[Name]) -> SchemaRef {
    Arc::new(Schema::new(names.iter().map(|name| Field::new(name.as_ref(), DataType::Utf8, true)).collect::<Vec<_>>()))
}

/// The file behind its byte order mark, if it has one.
fn open(part: &Part) -> Result<Box<dyn BufRead + Send>, EngineError> {
    let mut file = part.open()?;
    if file.fill_buf().map_err(|_| EngineError::damaged())?.starts_with(b"\xEF\xBB\xBF") {
        file.consume(3);
    }
    Ok(file)
}

fn reader(
    part: &Part,
    delimiter: u8,
    schema: &SchemaRef,
    columns: Option<Vec<usize>>,
    batch: usize,
) -> Result<impl Iterator<Item = Result<RecordBatch, ArrowError>> + use<>, EngineError> {
    let builder = ReaderBuilder::new(Arc::clone(schema))
        .with_header(true)
        .with_header_validation(true)
        .with_delimiter(delimiter)
        .with_batch_size(batch);
    let builder = match columns {
        Some(columns) => builder.with_projection(columns),
        None => builder,
    };
    builder.build_buffered(open(part)?).map_err(|_| EngineError::damaged())
}

/// The lines of files, read on a thread of their own.
#[derive(Debug, Clone)]
struct Lines {
    files: Files,
    delimiter: u8,
    /// The columns that are read.
    schema: SchemaRef,
    batch: usize,
}

impl PartitionStream for Lines {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let lines = self.clone();
        sending::stream(Arc::clone(&self.schema), move |to| lines.send_all(to))
    }
}

impl Lines {
    fn send_all(&self, to: &Batches) -> Answer<()> {
        for part in &self.files.parts {
            let names = header(part, self.delimiter)?;
            let cells = self.cells(&names);
            let places = cells.iter().filter_map(|cell| *cell).collect();
            for batch in reader(part, self.delimiter, &text_schema(&names), Some(places), self.batch)? {
                // The receiver is gone when the release was dropped.
                if to.blocking_send(self.laid_out(part, &cells, &batch?)).is_err() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Where each column stands in the file's lines; none for one that its folder names.
    fn cells(&self, names: &[String]) -> Vec<Option<usize>> {
        let place = |name: &String| if self.files.keys.contains(name) { None } else { names.iter().position(|cell| cell == name) };
        self.schema.fields().iter().map(|field| place(field.name())).collect()
    }

    fn laid_out(&self, part: &Part, cells: &[Option<usize>], batch: &RecordBatch) -> Answer<RecordBatch> {
        let mut read = batch.columns().iter();
        let columns = self.schema.fields().iter().zip(cells).map(|(field, cell)| match cell {
            Some(_) => read.next().cloned().ok_or_else(EngineError::damaged),
            None => part.constant(&self.files.keys, field.name(), batch.num_rows()),
        });
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns.collect::<Result<_, _>>()?)?)
    }
}
