//! Rows as text: JSON objects, one object a line, or lines of CSV.

use super::{Format, Wire, column as column_of, csv, json};
use crate::engine::EngineError;
use crate::engine::stream::{Released, ReleasedColumn};

/// Writes rows as text.
pub(super) struct Text {
    wire: Wire,
    names: Vec<Vec<u8>>,
    /// Bytes that a row took at most so far, so that the next buffer seldom grows.
    row_bytes: usize,
}

impl Text {
    pub(super) fn new(wire: Wire, columns: &[ReleasedColumn]) -> Self {
        let names = columns.iter().enumerate().map(|(at, column)| {
            let mut name = Vec::new();
            match wire.format {
                Format::Csv => csv::push_text(&mut name, column.name.as_str(), wire.safe_cells),
                Format::Json | Format::Ndjson | Format::Arrow | Format::Parquet => {
                    json::push_key(&mut name, column.name.as_str(), at == 0);
                }
            }
            name
        });
        Self { wire, names: names.collect(), row_bytes: 0 }
    }

    pub(super) fn header(&self) -> Vec<u8> {
        match self.wire.format {
            Format::Json | Format::Ndjson | Format::Arrow | Format::Parquet => Vec::new(),
            Format::Csv => {
                let mut line = self.names.join(&b","[..]);
                line.extend_from_slice(b"\r\n");
                line
            }
        }
    }

    pub(super) fn encode(&mut self, chunk: &[Released]) -> Result<Vec<u8>, EngineError> {
        let total: usize = chunk.iter().map(Released::rows).sum();
        let mut bytes = Vec::with_capacity(total.saturating_mul(self.row_bytes));
        for rows in chunk {
            self.push(&mut bytes, rows)?;
        }
        self.row_bytes = self.row_bytes.max(bytes.len().div_ceil(total.max(1)) + 1);
        Ok(bytes)
    }

    fn push(&self, bytes: &mut Vec<u8>, rows: &Released) -> Result<(), EngineError> {
        let arrays = rows.batch().columns();
        let columns = arrays.iter().map(column_of).collect::<Result<Vec<_>, _>>()?;
        if columns.len() != self.names.len() {
            return Err(EngineError::internal("the rows have other columns than the encoder"));
        }
        for row in 0..rows.rows() {
            match self.wire.format {
                Format::Json => {
                    if !bytes.is_empty() {
                        bytes.push(b',');
                    }
                    json::push_row(bytes, &self.names, &columns, row);
                }
                Format::Csv => csv::push_row(bytes, &columns, row, self.wire.safe_cells),
                Format::Ndjson | Format::Arrow | Format::Parquet => {
                    json::push_row(bytes, &self.names, &columns, row);
                    bytes.push(b'\n');
                }
            }
        }
        Ok(())
    }
}
