//! CSV files (RFC 4180) with a header line: cells are text until they are treated, and an empty cell is NULL.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::{AsArray, RecordBatch, StringArray};
use datafusion::arrow::csv::ReaderBuilder;
use datafusion::arrow::csv::reader::Format;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::catalog::TableProvider;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::streaming::PartitionStream;

use super::{BATCH, EngineError, Fits, Form, SAMPLE, Table, TableColumn, stem};
use crate::domain::dataset::LogicalType;
use crate::engine::{calendar, read};

/// The file's one table; types are told from its first rows.
pub(super) fn table(path: &Path, delimiter: char) -> Result<Table, EngineError> {
    let delimiter = separator(delimiter)?;
    let format = Format::default().with_header(true).with_delimiter(delimiter);
    let (header, _) = format.infer_schema(open(path)?, Some(0)).map_err(|_| EngineError::damaged())?;
    let names: Vec<_> = header.fields().iter().map(|field| field.name().clone()).collect();
    if names.is_empty() {
        return Err(EngineError::damaged());
    }
    let mut seen: Vec<_> = names.iter().map(|_| Seen::default()).collect();
    let mut left = SAMPLE;
    for batch in reader(path, delimiter, &text_schema(&names), None, BATCH)? {
        let batch = batch.map_err(|_| EngineError::damaged())?;
        for (cells, seen) in batch.columns().iter().zip(&mut seen) {
            seen.look(cells.as_string_opt().ok_or(EngineError::damaged())?, left);
        }
        left = left.saturating_sub(batch.num_rows());
        if left == 0 {
            break;
        }
    }
    let columns =
        names.into_iter().zip(seen).map(|(name, seen)| TableColumn { name, logical: seen.logical(), fits: Fits::Sampled(seen.fits()) });
    Ok(Table { name: stem(path), columns: columns.collect(), form: Form::Csv })
}

/// A scan of some columns, as text, in the order of the file's lines.
pub(super) fn provider(
    path: PathBuf,
    delimiter: char,
    header: &[&str],
    wanted: &BTreeSet<&str>,
    fetch: Option<u64>,
) -> Result<Arc<dyn TableProvider>, EngineError> {
    let schema = text_schema(header);
    let columns: Vec<_> = header.iter().enumerate().filter(|(_, name)| wanted.contains(**name)).map(|(at, _)| at).collect();
    let projected = Arc::new(schema.project(&columns).map_err(|_| EngineError::damaged())?);
    let batch = fetch.and_then(|rows| usize::try_from(rows).ok()).map_or(BATCH, |rows| rows.clamp(1, BATCH));
    let lines = Lines { path, delimiter: separator(delimiter)?, header: schema, columns, schema: Arc::clone(&projected), batch };
    Ok(Arc::new(StreamingTable::try_new(projected, vec![Arc::new(lines)])?))
}

fn separator(delimiter: char) -> Result<u8, EngineError> {
    u8::try_from(delimiter).map_err(|_| EngineError::unsupported("a CSV file is separated by one ASCII character"))
}

fn text_schema<Name: AsRef<str>>(names: &[Name]) -> SchemaRef {
    Arc::new(Schema::new(names.iter().map(|name| Field::new(name.as_ref(), DataType::Utf8, true)).collect::<Vec<_>>()))
}

/// The file behind its byte order mark, if it has one.
fn open(path: &Path) -> Result<BufReader<File>, EngineError> {
    let mut file = BufReader::with_capacity(256 * 1024, File::open(path).map_err(|_| EngineError::damaged())?);
    if file.fill_buf().map_err(|_| EngineError::damaged())?.starts_with(b"\xEF\xBB\xBF") {
        file.consume(3);
    }
    Ok(file)
}

fn reader(
    path: &Path,
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
    builder.build_buffered(open(path)?).map_err(|_| EngineError::damaged())
}

/// The lines of a file, read on a thread of their own.
#[derive(Debug)]
struct Lines {
    path: PathBuf,
    delimiter: u8,
    /// Every column of the file.
    header: SchemaRef,
    columns: Vec<usize>,
    /// The columns that are read.
    schema: SchemaRef,
    batch: usize,
}

impl PartitionStream for Lines {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let mut stream = RecordBatchReceiverStreamBuilder::new(Arc::clone(&self.schema), 2);
        let sender = stream.tx();
        let opened = reader(&self.path, self.delimiter, &self.header, Some(self.columns.clone()), self.batch);
        stream.spawn_blocking(move || {
            let batches: Box<dyn Iterator<Item = Result<RecordBatch, DataFusionError>>> = match opened {
                Ok(batches) => Box::new(batches.map(|batch| batch.map_err(DataFusionError::from))),
                Err(error) => Box::new(std::iter::once(Err(DataFusionError::External(Box::new(error))))),
            };
            for batch in batches {
                let failed = batch.is_err();
                // The receiver is gone when the release was dropped. An error is sent like a batch, so that it
                // comes after the batches before it.
                if sender.blocking_send(batch).is_err() || failed {
                    break;
                }
            }
            Ok(())
        });
        stream.build()
    }
}

/// What the sampled cells of a column look like.
#[derive(Debug, Default)]
struct Seen {
    cells: usize,
    /// `true` and `false` in words: digits alone are more likely numbers.
    words: usize,
    booleans: usize,
    integers: usize,
    /// Whole numbers written as a program writes them: without a sign in front or leading zeros, which codes have.
    plain_integers: usize,
    numbers: usize,
    plain_numbers: usize,
    dates: usize,
    plain_dates: usize,
    timestamps: usize,
}

impl Seen {
    fn look(&mut self, cells: &StringArray, most: usize) {
        for cell in cells.iter().take(most).flatten() {
            let plain = is_plain(cell);
            let integer = read::read_integer(cell).is_some();
            let digits = cell.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
            let number = read::read_number(cell).is_some();
            let boolean = read::read_boolean(cell).is_some();
            let date = calendar::read_date(cell).is_some();
            self.cells += 1;
            self.words += usize::from(boolean && !integer);
            self.booleans += usize::from(boolean);
            self.integers += usize::from(integer);
            self.plain_integers += usize::from(integer && plain);
            self.numbers += usize::from(number);
            // Digits beyond 64 bits are a code: as a number they would lose their last ones.
            self.plain_numbers += usize::from(number && plain && (integer || !digits));
            self.dates += usize::from(date);
            self.plain_dates += usize::from(date && cell.len() == 10);
            self.timestamps += usize::from(calendar::read_timestamp(cell).is_some());
        }
    }

    /// The narrowest type that every cell has.
    fn logical(&self) -> LogicalType {
        let candidates = [
            (self.words, LogicalType::Boolean),
            (self.plain_integers, LogicalType::Integer),
            (self.plain_numbers, LogicalType::Number),
            (self.plain_dates, LogicalType::Date),
            (self.timestamps, LogicalType::Timestamp),
        ];
        let all = candidates.into_iter().find(|(count, _)| self.cells > 0 && *count == self.cells);
        all.map_or(LogicalType::Text, |(_, logical)| logical)
    }

    /// The types that some cell has, or all when there are no cells.
    fn fits(&self) -> Vec<LogicalType> {
        let counts = [
            (self.booleans, LogicalType::Boolean),
            (self.integers, LogicalType::Integer),
            (self.numbers, LogicalType::Number),
            (self.dates, LogicalType::Date),
            (self.timestamps, LogicalType::Timestamp),
        ];
        let some = counts.into_iter().filter(|(count, _)| *count > 0 || self.cells == 0).map(|(_, logical)| logical);
        std::iter::once(LogicalType::Text).chain(some).collect()
    }
}

fn is_plain(cell: &str) -> bool {
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    let padded = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
    digits.starts_with(|first: char| first.is_ascii_digit()) && !padded && cell.trim() == cell
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inferred(cells: &[&str]) -> LogicalType {
        let mut seen = Seen::default();
        seen.look(&StringArray::from(cells.to_vec()), SAMPLE);
        seen.logical()
    }

    #[test]
    fn types_are_told_from_cells() {
        for (cells, expected) in [
            (["1", "-20", "0"], LogicalType::Integer),
            (["00123", "1", "2"], LogicalType::Text),
            (["+49", "1", "2"], LogicalType::Text),
            (["1.5", "2", "-1e3"], LogicalType::Number),
            (["0.5", "-0.5", "0"], LogicalType::Number),
            (["12345678901234567890", "1", "2"], LogicalType::Text),
            (["NaN", "1", "2"], LogicalType::Text),
            (["true", "FALSE", "true"], LogicalType::Boolean),
            (["1", "0", "1"], LogicalType::Integer),
            (["2026-07-01", "2024-02-29", "1969-12-31"], LogicalType::Date),
            (["2026-07-01", "2026-07-01 08:00:00", "2026-07-01T08:00:00Z"], LogicalType::Timestamp),
            (["2026-07-01", "2026-02-30", "2026-07-01"], LogicalType::Text),
            (["a", "1", "2"], LogicalType::Text),
        ] {
            assert_eq!(inferred(&cells), expected, "{cells:?}");
        }
        assert_eq!(inferred(&[]), LogicalType::Text);
    }
}
