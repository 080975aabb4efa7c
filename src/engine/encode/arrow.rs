//! Arrow IPC streams: the schema before the first rows, a batch for each part of a chunk, the mark of the end last.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use datafusion::arrow::buffer::Buffer;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::ipc::writer::StreamEncoder;

use super::Values;
use crate::engine::EngineError;
use crate::engine::stream::{Released, ReleasedColumn, schema_of};

/// Writes rows as an Arrow IPC stream. It uses no dictionaries and no compression of its own.
pub(super) struct ArrowStream {
    schema: SchemaRef,
    encoder: StreamEncoder,
}

impl ArrowStream {
    pub(super) fn new(columns: &[ReleasedColumn]) -> Result<Self, EngineError> {
        let schema = schema_of(columns);
        let encoder = StreamEncoder::try_new(&schema).map_err(|_| unwritten())?;
        Ok(Self { schema, encoder })
    }

    pub(super) fn encode(&mut self, chunk: &[Released]) -> Result<Vec<u8>, EngineError> {
        let mut bytes = Vec::new();
        for rows in chunk {
            let batch = written(&self.schema, rows)?;
            push(&mut bytes, &self.encoder.encode(&batch).map_err(|_| unwritten())?);
        }
        Ok(bytes)
    }

    pub(super) fn finish(self) -> Result<Vec<u8>, EngineError> {
        let mut bytes = Vec::new();
        push(&mut bytes, &self.encoder.finish().map_err(|_| unwritten())?);
        Ok(bytes)
    }
}

fn push(to: &mut Vec<u8>, buffers: &[Buffer]) {
    for buffer in buffers {
        to.extend_from_slice(buffer.as_slice());
    }
}

fn unwritten() -> EngineError {
    EngineError::internal("the rows can't be written as Arrow")
}

/// The rows as they may be written: under our own schema, and with nothing behind a NULL.
pub(super) fn written(schema: &SchemaRef, rows: &Released) -> Result<RecordBatch, EngineError> {
    let columns = rows.batch().columns().iter().map(emptied).collect::<Result<Vec<_>, _>>()?;
    RecordBatch::try_new(Arc::clone(schema), columns).map_err(|_| unwritten())
}

/// A column whose NULLs stand over nothing. A buffer may still hold what a treatment withheld: its flag alone would hide
/// that from a reader, not from the bytes.
pub(super) fn emptied(column: &ArrayRef) -> Result<ArrayRef, EngineError> {
    if column.null_count() == 0 {
        return Ok(Arc::clone(column));
    }
    let values = Values::of(column).ok_or_else(unwritten)?;
    Ok(match values {
        Values::Text(cells) => Arc::new(cells.iter().collect::<StringArray>()),
        Values::Integer(cells) => Arc::new(cells.iter().collect::<Int64Array>()),
        Values::Number(cells) => Arc::new(cells.iter().collect::<Float64Array>()),
        Values::Boolean(cells) => Arc::new(cells.iter().collect::<BooleanArray>()),
        Values::Date(cells) => Arc::new(cells.iter().collect::<Date32Array>()),
        Values::Decimal(cells) => {
            let bare: Decimal128Array = cells.iter().collect();
            Arc::new(bare.with_precision_and_scale(cells.precision(), cells.scale()).map_err(|_| unwritten())?)
        }
        Values::Timestamp(cells) => {
            let bare: TimestampMicrosecondArray = cells.iter().collect();
            Arc::new(bare.with_timezone_opt(cells.timezone()))
        }
    })
}
