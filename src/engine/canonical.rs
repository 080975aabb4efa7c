//! The one text of a value, whatever source it came from: the message under a pseudonym and a subject's hash.

use std::io::Write;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array};
use datafusion::arrow::array::{StringArray, TimestampMicrosecondArray};
use datafusion::arrow::datatypes::{DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::calendar::{self, Fraction};

/// A column in its treated or released type.
pub(super) enum Canonical<'a> {
    Text(&'a StringArray),
    Integer(&'a Int64Array),
    Number(&'a Float64Array),
    Decimal(&'a Decimal128Array),
    Boolean(&'a BooleanArray),
    Date(&'a Date32Array),
    Timestamp(&'a TimestampMicrosecondArray),
}

impl<'a> Canonical<'a> {
    /// Views a column in its treated type; `None` for another type.
    pub(super) fn of(column: &'a ArrayRef) -> Option<Self> {
        Some(match column.data_type() {
            DataType::Utf8 => Self::Text(column.as_string()),
            DataType::Int64 => Self::Integer(column.as_primitive::<Int64Type>()),
            DataType::Float64 => Self::Number(column.as_primitive::<Float64Type>()),
            DataType::Decimal128(..) => Self::Decimal(column.as_primitive::<Decimal128Type>()),
            DataType::Boolean => Self::Boolean(column.as_boolean()),
            DataType::Date32 => Self::Date(column.as_primitive::<Date32Type>()),
            DataType::Timestamp(TimeUnit::Microsecond, _) => Self::Timestamp(column.as_primitive::<TimestampMicrosecondType>()),
            _ => return None,
        })
    }

    /// Appends the canonical text of a row that is not NULL: text in NFC, integers in decimal, numbers in the
    /// shortest digits that round-trip, `true` or `false`, ISO dates, RFC 3339 with microseconds, decimals without
    /// closing zeros. `false` when it has none (NaN, infinities, years the wire can't bear).
    pub(super) fn write(&self, row: usize, to: &mut Vec<u8>) -> bool {
        match self {
            Self::Text(cells) => {
                push_nfc(to, cells.value(row));
                true
            }
            Self::Integer(cells) => write!(to, "{}", cells.value(row)).is_ok(),
            Self::Number(cells) => push_number(to, cells.value(row)),
            Self::Decimal(cells) => {
                push_decimal(to, cells.value(row), cells.scale(), Zeros::Trimmed);
                true
            }
            Self::Boolean(cells) => write!(to, "{}", cells.value(row)).is_ok(),
            Self::Date(cells) => calendar::civil(cells.value(row).into()).map(|date| calendar::push_date(to, date)).is_some(),
            Self::Timestamp(cells) => calendar::push_timestamp(to, cells.value(row), Fraction::Always),
        }
    }
}

/// Whether a text is in NFC already.
pub(super) fn is_nfc(text: &str) -> bool {
    text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes
}

fn push_nfc(to: &mut Vec<u8>, text: &str) {
    if is_nfc(text) {
        return to.extend_from_slice(text.as_bytes());
    }
    let mut bytes = [0; 4];
    text.nfc().for_each(|c| to.extend_from_slice(c.encode_utf8(&mut bytes).as_bytes()));
}

/// Appends the shortest plain digits that round-trip; negative zero is zero. `false` when not finite.
pub(super) fn push_number(to: &mut Vec<u8>, number: f64) -> bool {
    // Adding zero turns negative zero into zero and changes nothing else.
    number.is_finite() && write!(to, "{}", number + 0.0).is_ok()
}

/// What happens to zeros at the end of a decimal's fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zeros {
    Kept,
    Trimmed,
}

/// Appends a decimal in plain digits; a negative scale appends zeros.
pub(super) fn push_decimal(to: &mut Vec<u8>, unscaled: i128, scale: i8, zeros: Zeros) {
    if unscaled < 0 {
        to.push(b'-');
    }
    let places = usize::from(scale.max(0).unsigned_abs());
    let mut digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = places + 1);
    if scale < 0 && unscaled != 0 {
        digits.extend(std::iter::repeat_n('0', usize::from(scale.unsigned_abs())));
    }
    let (whole, fraction) = digits.split_at(digits.len().saturating_sub(places));
    let fraction = if zeros == Zeros::Trimmed { fraction.trim_end_matches('0') } else { fraction };
    to.extend_from_slice(whole.as_bytes());
    if !fraction.is_empty() {
        to.push(b'.');
        to.extend_from_slice(fraction.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_decimals() {
        let number = |number: f64| {
            let mut text = Vec::new();
            push_number(&mut text, number).then(|| String::from_utf8(text).unwrap())
        };
        for (given, expected) in [(1.0, "1"), (-0.0, "0"), (0.1, "0.1"), (1e21, "1000000000000000000000"), (-2.5e-7, "-0.00000025")] {
            assert_eq!(number(given).as_deref(), Some(expected));
        }
        assert_eq!(number(f64::NAN), None);
        assert_eq!(number(f64::NEG_INFINITY), None);

        let decimal = |unscaled, scale, zeros| {
            let mut text = Vec::new();
            push_decimal(&mut text, unscaled, scale, zeros);
            String::from_utf8(text).unwrap()
        };
        assert_eq!(decimal(-1250, 2, Zeros::Kept), "-12.50");
        assert_eq!(decimal(-1250, 2, Zeros::Trimmed), "-12.5");
        assert_eq!(decimal(5, 3, Zeros::Kept), "0.005");
        assert_eq!(decimal(0, 2, Zeros::Trimmed), "0");
        assert_eq!(decimal(12, -2, Zeros::Kept), "1200");
        assert_eq!(decimal(i128::MIN, 0, Zeros::Kept), i128::MIN.to_string());
    }
}
