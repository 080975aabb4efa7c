//! Coarser texts of a hierarchy: a value that the hierarchy does not know becomes NULL, never itself.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, StringBuilder};

use super::super::canonical::Canonical;
use crate::domain::hierarchy::AtLevel;

/// The text of each value at the level; values are looked up by their canonical text.
pub(super) fn apply(level: &AtLevel, column: &ArrayRef) -> Option<ArrayRef> {
    let cells = Canonical::of(column)?;
    let mut out = StringBuilder::with_capacity(column.len(), column.len() * 8);
    let mut text = Vec::new();
    for row in 0..column.len() {
        text.clear();
        let known = column.is_valid(row) && cells.write(row, &mut text);
        out.append_option(if known { std::str::from_utf8(&text).ok().and_then(|value| level.text(value)) } else { None });
    }
    Some(Arc::new(out.finish()))
}
