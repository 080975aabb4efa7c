//! Files with one JSON object a line (NDJSON, also called JSON Lines), in the order of the files and of their lines.

use std::io::{BufRead, Read};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::compute::is_not_null;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::streaming::PartitionStream;

use super::part::{Files, Part};
use super::sending::{self, Batches};
use super::{BATCH, EngineError, Form, SAMPLE, Table, csv, json};

/// The longest line that is read: an object of a table is far shorter, and a file without line ends is none.
const LONGEST: u64 = 16 * 1024 * 1024;

/// The files' one table, as the first rows of the first of them and the folders' names tell it.
pub(super) fn table(files: &Files) -> Result<Table, EngineError> {
    let mut sampled = json::Sampled::default();
    let mut lines = LineReader::new(files.first()?)?;
    for _ in 0..SAMPLE {
        let Some(line) = lines.next()? else { break };
        sampled.look(line)?;
    }
    let columns: Vec<_> = sampled.columns().into_iter().chain(csv::keys(files)).collect();
    if columns.is_empty() {
        return Err(EngineError::damaged());
    }
    Ok(Table { name: files.name.clone(), columns, form: Form::Ndjson })
}

/// A scan of some columns, as text, each followed by the flag that says where it had a value.
pub(super) fn provider(files: Files, columns: &[&str], fetch: Option<u64>) -> Result<Arc<dyn TableProvider>, EngineError> {
    let schema = json::schema(columns);
    let batch = fetch.and_then(|rows| usize::try_from(rows).ok()).map_or(BATCH, |rows| rows.clamp(1, BATCH));
    let names = columns.iter().map(|name| (*name).to_owned()).collect();
    let lines = Lines { files, names, schema: Arc::clone(&schema), batch };
    Ok(Arc::new(StreamingTable::try_new(schema, vec![Arc::new(lines)])?))
}

struct LineReader {
    from: Box<dyn BufRead + Send>,
    line: Vec<u8>,
}

impl LineReader {
    fn new(part: &Part) -> Result<Self, EngineError> {
        let mut from = part.open()?;
        if from.fill_buf().map_err(|_| EngineError::damaged())?.starts_with(b"\xEF\xBB\xBF") {
            from.consume(3);
        }
        Ok(Self { from, line: Vec::new() })
    }

    /// The next line that is not blank.
    fn next(&mut self) -> Result<Option<&[u8]>, EngineError> {
        loop {
            self.line.clear();
            let read = (&mut self.from).take(LONGEST).read_until(b'\n', &mut self.line).map_err(|_| EngineError::damaged())?;
            if read == 0 {
                return Ok(None);
            }
            if u64::try_from(read).unwrap_or(u64::MAX) >= LONGEST {
                return Err(EngineError::damaged());
            }
            if !self.line.trim_ascii().is_empty() {
                break;
            }
        }
        Ok(Some(self.line.trim_ascii()))
    }
}

/// The lines of files, read on a thread of their own.
#[derive(Debug, Clone)]
struct Lines {
    files: Files,
    names: Vec<String>,
    schema: SchemaRef,
    batch: usize,
}

impl PartitionStream for Lines {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let lines = self.clone();
        sending::stream(Arc::clone(&self.schema), move |to| Ok(lines.send_all(to)?))
    }
}

impl Lines {
    fn send_all(&self, to: &Batches) -> Result<(), EngineError> {
        let in_lines: Vec<&str> = self.names.iter().filter(|name| !self.files.keys.contains(name)).map(String::as_str).collect();
        let mut rows = json::Rows::new(&in_lines);
        for part in &self.files.parts {
            let mut lines = LineReader::new(part)?;
            loop {
                let line = lines.next()?;
                let over = line.is_none();
                if let Some(line) = line {
                    rows.push(line)?;
                }
                if rows.count() == 0 || (!over && rows.count() < self.batch) {
                    if over {
                        break;
                    }
                    continue;
                }
                // The receiver is gone when the release was dropped.
                if to.blocking_send(Ok(self.laid_out(part, &rows.finish()?)?)).is_err() {
                    return Ok(());
                }
                if over {
                    break;
                }
            }
        }
        Ok(())
    }

    fn laid_out(&self, part: &Part, read: &RecordBatch) -> Result<RecordBatch, EngineError> {
        let unplanned = || EngineError::internal("the rows do not have the columns planned");
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.schema.fields().len());
        let mut pairs = read.columns().chunks_exact(2);
        for name in &self.names {
            if self.files.keys.contains(name) {
                let constant = part.constant(&self.files.keys, name, read.num_rows())?;
                let present = is_not_null(&constant).map_err(|_| unplanned())?;
                columns.extend([constant, Arc::new(present) as ArrayRef]);
            } else {
                columns.extend_from_slice(pairs.next().ok_or_else(unplanned)?);
            }
        }
        RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(|_| unplanned())
    }
}
