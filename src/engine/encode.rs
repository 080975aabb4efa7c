//! Released rows as JSON, NDJSON, CSV, Arrow IPC and Parquet: the same value is the same in all of them, and nothing
//! but released values, their names and their types is in any of them.

mod arrow;
mod coding;
mod column;
mod csv;
mod json;
mod parquet;
mod schema;
mod text;

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::buffer::NullBuffer;

use self::arrow::ArrowStream;
pub use self::coding::{Coder, Coding};
use self::column::Values;
use self::parquet::ParquetFile;
pub use self::schema::arrow_schema;
use self::text::Text;
use super::EngineError;
use super::stream::{Released, ReleasedColumn};

/// A form of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Objects joined by commas, without the array around them.
    Json,
    /// One object a line.
    Ndjson,
    /// RFC 4180, with CR LF.
    Csv,
    /// The streaming format of Arrow IPC.
    Arrow,
    /// Apache Parquet, a row group for each chunk.
    Parquet,
}

impl Format {
    /// The wire name.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::Arrow => "arrow",
            Self::Parquet => "parquet",
        }
    }

    /// Whether it is text, which is worth coding; the others go as they are.
    pub const fn is_text(self) -> bool {
        match self {
            Self::Json | Self::Ndjson | Self::Csv => true,
            Self::Arrow | Self::Parquet => false,
        }
    }
}

/// How rows go over the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wire {
    pub format: Format,
    pub coding: Coding,
    /// Whether texts in CSV that a spreadsheet would take for a formula get an apostrophe before them.
    pub safe_cells: bool,
}

impl From<Format> for Wire {
    fn from(format: Format) -> Self {
        Self { format, coding: Coding::Identity, safe_cells: false }
    }
}

/// Turns rows into bytes.
///
/// JSON: NULL is `null`; whole numbers beyond ±2^53 and decimals are strings; NaN and infinities are `null`. CSV: NULL
/// is an empty field and an empty text is `""`. Dates are `2026-07-01`, times RFC 3339 in UTC, with microseconds only
/// where they are not zero. Arrow and Parquet: text, 64-bit whole numbers and doubles, decimals as they are, `Date32`,
/// microseconds in UTC.
pub struct Encoder {
    form: Form,
}

enum Form {
    Text(Text),
    Arrow(Box<ArrowStream>),
    Parquet(Box<ParquetFile>),
}

impl Encoder {
    /// An encoder for answers with these columns.
    pub fn new(wire: Wire, columns: &[ReleasedColumn]) -> Result<Self, EngineError> {
        let form = match wire.format {
            Format::Json | Format::Ndjson | Format::Csv => Form::Text(Text::new(wire, columns)),
            Format::Arrow => Form::Arrow(Box::new(ArrowStream::new(columns)?)),
            Format::Parquet => Form::Parquet(Box::new(ParquetFile::new(columns)?)),
        };
        Ok(Self { form })
    }

    /// What stands before the first row: the header line of CSV, nothing of the others.
    pub fn header(&self) -> Vec<u8> {
        match &self.form {
            Form::Text(text) => text.header(),
            Form::Arrow(_) | Form::Parquet(_) => Vec::new(),
        }
    }

    /// The rows of one chunk: every byte that they need is in what this answers, so that nothing of them waits for the
    /// next chunk. JSON of two batches is joined by a comma of the caller's.
    pub fn encode(&mut self, chunk: &[Released]) -> Result<Vec<u8>, EngineError> {
        match &mut self.form {
            Form::Text(text) => text.encode(chunk),
            Form::Arrow(stream) => stream.encode(chunk),
            Form::Parquet(file) => file.encode(chunk),
        }
    }

    /// Whether something stands after the last row.
    pub const fn has_end(&self) -> bool {
        match &self.form {
            Form::Text(_) => false,
            Form::Arrow(_) | Form::Parquet(_) => true,
        }
    }

    /// What stands after the last row: Arrow's mark of the end, Parquet's footer. Without it neither is whole.
    pub fn finish(self) -> Result<Vec<u8>, EngineError> {
        match self.form {
            Form::Text(_) => Ok(Vec::new()),
            Form::Arrow(stream) => stream.finish(),
            Form::Parquet(file) => file.finish(),
        }
    }
}

/// Each value of a column as it reads, without quotes; none for NULL and for what has no form.
pub(super) fn texts(array: &ArrayRef) -> Result<Vec<Option<String>>, EngineError> {
    let column = column(array)?;
    let text = |row: usize| match &column.values {
        _ if column.is_null(row) => None,
        Values::Text(cells) => Some(cells.value(row).to_owned()),
        values => {
            let mut bytes = Vec::new();
            csv::push_value(&mut bytes, values, row, false);
            String::from_utf8(bytes).ok().filter(|text| !text.is_empty())
        }
    };
    Ok((0..array.len()).map(text).collect())
}

/// A column and where it is NULL.
struct Column<'a> {
    values: Values<'a>,
    nulls: Option<&'a NullBuffer>,
}

impl Column<'_> {
    fn is_null(&self, row: usize) -> bool {
        self.nulls.is_some_and(|nulls| nulls.is_null(row))
    }
}

fn column(array: &ArrayRef) -> Result<Column<'_>, EngineError> {
    let values = Values::of(array).ok_or_else(|| EngineError::internal("a released type has no text form"))?;
    Ok(Column { values, nulls: array.nulls() })
}

#[cfg(test)]
mod tests;
