//! Released rows as JSON, NDJSON and CSV: the same value has the same text in all three.

mod column;
mod csv;
mod json;

use datafusion::arrow::array::{Array, ArrayRef};

use self::column::Values;
use super::EngineError;
use super::stream::{Released, ReleasedColumn};

/// A text form of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Objects joined by commas, without the array around them.
    Json,
    /// One object a line.
    Ndjson,
    /// RFC 4180, with CR LF.
    Csv,
}

impl Format {
    /// The wire name.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
        }
    }
}

/// Turns rows into bytes.
///
/// JSON: NULL is `null`; whole numbers beyond ±2^53 and decimals are strings; NaN and infinities are `null`. CSV: NULL
/// is an empty field and an empty text is `""`. Dates are `2026-07-01`, times RFC 3339 in UTC, with microseconds only
/// where they are not zero.
#[derive(Debug, Clone)]
pub struct Encoder {
    format: Format,
    names: Vec<Vec<u8>>,
    /// Bytes that a row took at most so far, so that the next buffer seldom grows.
    row_bytes: usize,
}

impl Encoder {
    /// An encoder for answers with these columns.
    pub fn new(format: Format, columns: &[ReleasedColumn]) -> Self {
        let names = columns.iter().enumerate().map(|(at, column)| {
            let mut name = Vec::new();
            match format {
                Format::Json | Format::Ndjson => json::push_key(&mut name, column.name.as_str(), at == 0),
                Format::Csv => csv::push_text(&mut name, column.name.as_str()),
            }
            name
        });
        Self { format, names: names.collect(), row_bytes: 0 }
    }

    /// What stands before the first row: the header line of CSV, nothing of JSON and NDJSON.
    pub fn header(&self) -> Vec<u8> {
        match self.format {
            Format::Json | Format::Ndjson => Vec::new(),
            Format::Csv => {
                let mut line = self.names.join(&b","[..]);
                line.extend_from_slice(b"\r\n");
                line
            }
        }
    }

    /// The rows. JSON of two batches is joined by a comma of the caller's.
    pub fn encode(&mut self, rows: &Released) -> Result<Vec<u8>, EngineError> {
        let arrays = rows.batch().columns();
        let columns = arrays.iter().map(column).collect::<Result<Vec<_>, _>>()?;
        if columns.len() != self.names.len() {
            return Err(EngineError::internal("the rows have other columns than the encoder"));
        }
        let mut bytes = Vec::with_capacity(rows.rows() * self.row_bytes);
        for row in 0..rows.rows() {
            match self.format {
                Format::Json => {
                    if row > 0 {
                        bytes.push(b',');
                    }
                    json::push_row(&mut bytes, &self.names, &columns, row);
                }
                Format::Ndjson => {
                    json::push_row(&mut bytes, &self.names, &columns, row);
                    bytes.push(b'\n');
                }
                Format::Csv => csv::push_row(&mut bytes, &columns, row),
            }
        }
        self.row_bytes = self.row_bytes.max(bytes.len().div_ceil(rows.rows().max(1)) + 1);
        Ok(bytes)
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
            csv::push_value(&mut bytes, values, row);
            String::from_utf8(bytes).ok().filter(|text| !text.is_empty())
        }
    };
    Ok((0..array.len()).map(text).collect())
}

/// A column and where it is NULL.
struct Column<'a> {
    values: Values<'a>,
    array: &'a ArrayRef,
}

impl Column<'_> {
    fn is_null(&self, row: usize) -> bool {
        self.array.is_null(row)
    }
}

fn column(array: &ArrayRef) -> Result<Column<'_>, EngineError> {
    let values = Values::of(array).ok_or_else(|| EngineError::internal("a released type has no text form"))?;
    Ok(Column { values, array })
}

#[cfg(test)]
mod tests;
