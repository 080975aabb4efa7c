//! JSON (RFC 8259): every member is always there, and nothing that a double would bend is a number.

use super::Column;
use super::column::{Values, push_date, push_integer, push_number, push_timestamp};
use crate::engine::canonical::{Zeros, push_decimal};

/// The last whole number up to which every one is exact in a double.
const EXACT: u64 = 1 << 53;

/// Appends a member's name, with the brace or comma before it.
pub(super) fn push_key(to: &mut Vec<u8>, name: &str, first: bool) {
    to.push(if first { b'{' } else { b',' });
    push_text(to, name);
    to.push(b':');
}

/// Appends one object.
pub(super) fn push_row(to: &mut Vec<u8>, names: &[Vec<u8>], columns: &[Column<'_>], row: usize) {
    for (name, column) in names.iter().zip(columns) {
        to.extend_from_slice(name);
        if column.is_null(row) || !push_value(to, &column.values, row) {
            to.extend_from_slice(b"null");
        }
    }
    to.push(b'}');
}

/// `false`, and nothing appended, for a value that JSON has no form for.
fn push_value(to: &mut Vec<u8>, values: &Values<'_>, row: usize) -> bool {
    match values {
        Values::Text(cells) => push_text(to, cells.value(row)),
        Values::Integer(cells) if cells.value(row).unsigned_abs() <= EXACT => push_integer(to, cells.value(row)),
        Values::Integer(cells) => return in_quotes(to, |to| push_integer(to, cells.value(row))),
        Values::Number(cells) => return push_number(to, cells.value(row)),
        Values::Decimal(cells) => return in_quotes(to, |to| push_decimal(to, cells.value(row), cells.scale(), Zeros::Kept)),
        Values::Boolean(cells) => to.extend_from_slice(if cells.value(row) { b"true" } else { b"false" }),
        Values::Date(cells) => return quoted_if(to, |to| push_date(to, cells.value(row))),
        Values::Timestamp(cells) => return quoted_if(to, |to| push_timestamp(to, cells.value(row))),
    }
    true
}

fn in_quotes(to: &mut Vec<u8>, push: impl FnOnce(&mut Vec<u8>)) -> bool {
    quoted_if(to, |to| {
        push(to);
        true
    })
}

fn quoted_if(to: &mut Vec<u8>, push: impl FnOnce(&mut Vec<u8>) -> bool) -> bool {
    let start = to.len();
    to.push(b'"');
    if push(to) {
        to.push(b'"');
        true
    } else {
        to.truncate(start);
        false
    }
}

/// Appends a string: quotes, backslashes and control characters escaped, all else as it is.
fn push_text(to: &mut Vec<u8>, text: &str) {
    to.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|byte| *byte < 0x20 || *byte == b'"' || *byte == b'\\') {
        let (plain, escaped) = rest.split_at(at);
        to.extend_from_slice(plain);
        if let Some((byte, after)) = escaped.split_first() {
            push_escape(to, *byte);
            rest = after;
        }
    }
    to.extend_from_slice(rest);
    to.push(b'"');
}

fn push_escape(to: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0C => b'f',
        _ => {
            let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
            return to.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
        }
    };
    to.extend_from_slice(&[b'\\', short]);
}
