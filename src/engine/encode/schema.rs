//! The schema of released rows: names and types, and nothing else.

use super::arrow::ArrowStream;
use crate::engine::EngineError;
use crate::engine::stream::ReleasedColumn;

/// An Arrow IPC stream of these columns without rows.
pub fn arrow_schema(columns: &[ReleasedColumn]) -> Result<Vec<u8>, EngineError> {
    ArrowStream::new(columns)?.finish()
}
