//! Parquet files: a row group for each chunk, written whole before the next, and a footer that says nothing but where
//! the released values lie.

use datafusion::arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use super::arrow::written;
use crate::engine::EngineError;
use crate::engine::stream::{Released, ReleasedColumn, schema_of};

/// Bytes that the dictionary of a column may have.
const DICTIONARY_BYTES: usize = 128 * 1024;

/// Writes rows as a Parquet file. Dictionaries are made anew for each row group, of its own released values.
///
/// The footer grows with the row groups, by some hundred bytes a column; the format ends at 32,767 row groups.
pub(super) struct ParquetFile {
    schema: SchemaRef,
    writer: ArrowWriter<Vec<u8>>,
}

impl ParquetFile {
    pub(super) fn new(columns: &[ReleasedColumn]) -> Result<Self, EngineError> {
        let schema = schema_of(columns);
        let options = options().map_err(|_| unwritten())?;
        let writer = ArrowWriter::try_new_with_options(Vec::new(), schema.clone(), options).map_err(|_| unwritten())?;
        Ok(Self { schema, writer })
    }

    pub(super) fn encode(&mut self, chunk: &[Released]) -> Result<Vec<u8>, EngineError> {
        for rows in chunk {
            self.writer.write(&written(&self.schema, rows)?).map_err(|_| unwritten())?;
        }
        self.writer.flush().map_err(|_| unwritten())?;
        self.writer.sync().map_err(|_| unwritten())?;
        // The writer counts what it has written by itself: offsets stay right when its buffer is emptied.
        Ok(std::mem::take(self.writer.inner_mut()))
    }

    pub(super) fn finish(self) -> Result<Vec<u8>, EngineError> {
        self.writer.into_inner().map_err(|_| unwritten())
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
