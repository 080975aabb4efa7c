//! CSV (RFC 4180): fields are quoted where they must be, and an empty text is told from NULL by its quotes.

use super::Column;
use super::column::{Values, push_date, push_integer, push_number, push_timestamp};
use crate::engine::canonical::{Zeros, push_decimal};

/// Appends one line.
pub(super) fn push_row(to: &mut Vec<u8>, columns: &[Column<'_>], row: usize, safe: bool) {
    for (at, column) in columns.iter().enumerate() {
        if at > 0 {
            to.push(b',');
        }
        if !column.is_null(row) {
            push_value(to, &column.values, row, safe);
        }
    }
    to.extend_from_slice(b"\r\n");
}

/// A value without a form (NaN, infinities) leaves its field empty.
pub(super) fn push_value(to: &mut Vec<u8>, values: &Values<'_>, row: usize, safe: bool) {
    match values {
        Values::Text(cells) => push_text(to, cells.value(row), safe),
        Values::Integer(cells) => push_integer(to, cells.value(row)),
        Values::Number(cells) => {
            push_number(to, cells.value(row));
        }
        Values::Decimal(cells) => push_decimal(to, cells.value(row), cells.scale(), Zeros::Kept),
        Values::Boolean(cells) => to.extend_from_slice(if cells.value(row) { b"true" } else { b"false" }),
        Values::Date(cells) => {
            push_date(to, cells.value(row));
        }
        Values::Timestamp(cells) => {
            push_timestamp(to, cells.value(row));
        }
    }
}

/// Appends a text, in quotes if it is empty or holds a separator, a quote or a line break. With `safe`, one that a
/// spreadsheet would take for a formula gets an apostrophe before it. Numbers are none and stay as they are.
pub(super) fn push_text(to: &mut Vec<u8>, text: &str, safe: bool) {
    let harmless = if safe && text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if !text.is_empty() && !text.bytes().any(|byte| matches!(byte, b',' | b'"' | b'\r' | b'\n')) {
        to.extend_from_slice(harmless.as_bytes());
        return to.extend_from_slice(text.as_bytes());
    }
    to.push(b'"');
    to.extend_from_slice(harmless.as_bytes());
    for byte in text.bytes() {
        if byte == b'"' {
            to.push(b'"');
        }
        to.push(byte);
    }
    to.push(b'"');
}
