//! Parquet files: a row group for each chunk, written whole before the next, and a footer that says nothing but where
//! the released values lie.

use std::sync::{Mutex, PoisonError};

use datafusion::arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, ArrowWriterOptions, compute_leaves};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;

use super::arrow::emptied;
use crate::engine::EngineError;
use crate::engine::stream::{Released, ReleasedColumn, schema_of};

/// Bytes that the dictionary of a column may have.
const DICTIONARY_BYTES: usize = 128 * 1024;
/// Rows from which on the columns of a chunk are written side by side.
const MANY_ROWS: usize = 16_384;

/// Writes rows as a Parquet file. Dictionaries are made anew for each row group, of its own released values.
///
/// The footer grows with the row groups, by some hundred bytes a column; the format ends at 32,767 row groups.
pub(super) struct ParquetFile {
    schema: SchemaRef,
    file: SerializedFileWriter<Vec<u8>>,
    columns: ArrowRowGroupWriterFactory,
}

impl ParquetFile {
    pub(super) fn new(columns: &[ReleasedColumn]) -> Result<Self, EngineError> {
        let schema = schema_of(columns);
        let parts = || ArrowWriter::try_new_with_options(Vec::new(), schema.clone(), options()?)?.into_serialized_writer();
        let (file, columns) = parts().map_err(|_| unwritten())?;
        Ok(Self { schema, file, columns })
    }

    pub(super) fn encode(&mut self, chunk: &[Released]) -> Result<Vec<u8>, EngineError> {
        let rows: usize = chunk.iter().map(Released::rows).sum();
        if rows > 0 {
            let chunks = self.written(chunk, rows)?;
            self.push(chunks).map_err(|_| unwritten())?;
        }
        // The writer counts what it has written by itself: offsets stay right when its buffer is emptied.
        Ok(std::mem::take(self.file.inner_mut()))
    }

    fn push(&mut self, columns: Vec<ArrowColumnChunk>) -> Result<(), ParquetError> {
        let mut group = self.file.next_row_group()?;
        for column in columns {
            column.append_to_row_group(&mut group)?;
        }
        group.close()?;
        Ok(self.file.flush()?)
    }

    /// Each column of a row group as it will lie in the file.
    fn written(&self, chunk: &[Released], rows: usize) -> Result<Vec<ArrowColumnChunk>, EngineError> {
        let group = self.file.flushed_row_groups().len();
        let writers = self.columns.create_column_writers(group).map_err(|_| unwritten())?;
        let count = writers.len();
        let waiting = Mutex::new(writers.into_iter().enumerate());
        let done = Mutex::new(Vec::with_capacity(count));
        let work = || -> Result<(), EngineError> {
            loop {
                let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
                let Some((at, writer)) = next else { return Ok(()) };
                let column = self.column(at, writer, chunk)?;
                done.lock().unwrap_or_else(PoisonError::into_inner).push((at, column));
            }
        };
        if rows < MANY_ROWS || count < 2 {
            work()?;
        } else {
            std::thread::scope(|scope| {
                let beside = scope.spawn(work);
                let here = work();
                beside.join().unwrap_or_else(|_| Err(unwritten())).and(here)
            })?;
        }
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_unstable_by_key(|(at, _)| *at);
        Ok(done.into_iter().map(|(_, column)| column).collect())
    }

    fn column(&self, at: usize, mut writer: ArrowColumnWriter, chunk: &[Released]) -> Result<ArrowColumnChunk, EngineError> {
        let field = self.schema.fields().get(at).ok_or_else(unwritten)?;
        for rows in chunk {
            let values = emptied(rows.batch().columns().get(at).ok_or_else(unwritten)?)?;
            for leaf in compute_leaves(field, &values).map_err(|_| unwritten())? {
                writer.write(&leaf).map_err(|_| unwritten())?;
            }
        }
        writer.close().map_err(|_| unwritten())
    }

    pub(super) fn finish(self) -> Result<Vec<u8>, EngineError> {
        self.file.into_inner().map_err(|_| unwritten())
    }
}

/// No statistics, indexes or filters, and no name of a program's version: a reader gets rows and nothing about them.
fn options() -> Result<ArrowWriterOptions, ParquetError> {
    let properties = WriterProperties::builder()
        .set_created_by("tidegate".to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        // Pseudonyms never repeat: a column with more distinct values than this is not worth a dictionary.
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        // A chunk is one row group, whatever its rows.
        .set_max_row_group_row_count(None)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true)
        .build();
    Ok(ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true))
}

fn unwritten() -> EngineError {
    EngineError::internal("the rows can't be written as Parquet")
}
