//! Raw columns become the one Arrow type of their logical type; what does not fit becomes NULL.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Date32Array, Float64Array, Int64Array, TimestampMicrosecondArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};

use super::{EngineError, calendar};
use crate::domain::dataset::LogicalType;

/// The zone of every timestamp the engine handles.
const UTC: &str = "UTC";

/// The type of timestamps: microseconds in UTC.
pub(super) fn timestamp_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()))
}

/// What the catalogue calls an Arrow type.
pub(super) fn logical_of(arrow: &DataType) -> LogicalType {
    match arrow {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => LogicalType::Text,
        DataType::Dictionary(_, values) => match logical_of(values) {
            LogicalType::Text => LogicalType::Text,
            LogicalType::Integer
            | LogicalType::Number
            | LogicalType::Decimal
            | LogicalType::Boolean
            | LogicalType::Date
            | LogicalType::Timestamp
            | LogicalType::Other => LogicalType::Other,
        },
        whole if whole.is_integer() => LogicalType::Integer,
        DataType::Float16 | DataType::Float32 | DataType::Float64 => LogicalType::Number,
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..) => LogicalType::Decimal,
        DataType::Boolean => LogicalType::Boolean,
        DataType::Date32 | DataType::Date64 => LogicalType::Date,
        DataType::Timestamp(..) => LogicalType::Timestamp,
        _ => LogicalType::Other,
    }
}

/// The Arrow type in which a column of a logical type is treated, given how the source holds it.
/// `None` when the source's form can't be read as that logical type.
pub(super) fn treated_type(source: &DataType, logical: LogicalType) -> Option<DataType> {
    let from_text = logical_of(source) == LogicalType::Text;
    // The one number that another type may be read as: the nearest to an exact decimal.
    let nearest = logical_of(source) == LogicalType::Decimal && logical == LogicalType::Number;
    if !from_text && !nearest && logical_of(source) != logical {
        return None;
    }
    match logical {
        LogicalType::Text => Some(DataType::Utf8),
        LogicalType::Integer => Some(DataType::Int64),
        LogicalType::Number => Some(DataType::Float64),
        LogicalType::Boolean => Some(DataType::Boolean),
        LogicalType::Date => Some(DataType::Date32),
        LogicalType::Timestamp => Some(timestamp_type()),
        LogicalType::Decimal => match source {
            DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) | DataType::Decimal128(precision, scale) => {
                Some(DataType::Decimal128(*precision, *scale))
            }
            DataType::Decimal256(_, scale) if (0..=38).contains(scale) => Some(DataType::Decimal128(38, *scale)),
            _ => None,
        },
        LogicalType::Other => None,
    }
}

/// Reads a column as its logical type. A value that does not fit (a text that is no number, a whole number beyond
/// 64 bits) becomes NULL.
pub(super) fn read(raw: &ArrayRef, logical: LogicalType) -> Result<ArrayRef, EngineError> {
    let misfit = || EngineError::internal("a column came in a form that was not planned");
    let to = treated_type(raw.data_type(), logical).ok_or_else(misfit)?;
    if raw.data_type() == &to {
        return Ok(Arc::clone(raw));
    }
    let from_text = logical_of(raw.data_type()) == LogicalType::Text;
    if from_text && logical != LogicalType::Text {
        return read_text(&cast(raw, &DataType::Utf8).map_err(|_| misfit())?, logical).ok_or_else(misfit);
    }
    match raw.data_type() {
        DataType::Timestamp(unit, _) => Ok(Arc::new(timestamps(raw, *unit).with_timezone(UTC))),
        // Casts are safe here: what does not fit becomes NULL.
        _ => cast(raw, &to).map_err(|_| misfit()),
    }
}

fn timestamps(raw: &ArrayRef, unit: TimeUnit) -> TimestampMicrosecondArray {
    match unit {
        TimeUnit::Second => raw.as_primitive::<TimestampSecondType>().unary_opt(|at| at.checked_mul(1_000_000)),
        TimeUnit::Millisecond => raw.as_primitive::<TimestampMillisecondType>().unary_opt(|at| at.checked_mul(1_000)),
        TimeUnit::Microsecond => raw.as_primitive::<TimestampMicrosecondType>().clone(),
        TimeUnit::Nanosecond => raw.as_primitive::<TimestampNanosecondType>().unary(|at| at.div_euclid(1_000)),
    }
}

fn read_text(raw: &ArrayRef, logical: LogicalType) -> Option<ArrayRef> {
    let cells = raw.as_string::<i32>();
    Some(match logical {
        LogicalType::Integer => Arc::new(cells.iter().map(|cell| read_integer(cell?)).collect::<Int64Array>()),
        LogicalType::Number => Arc::new(cells.iter().map(|cell| read_number(cell?)).collect::<Float64Array>()),
        LogicalType::Boolean => Arc::new(cells.iter().map(|cell| read_boolean(cell?)).collect::<BooleanArray>()),
        LogicalType::Date => Arc::new(cells.iter().map(|cell| calendar::read_date(cell?)).collect::<Date32Array>()),
        LogicalType::Timestamp => {
            let read: TimestampMicrosecondArray = cells.iter().map(|cell| calendar::read_timestamp(cell?)).collect();
            Arc::new(read.with_timezone(UTC))
        }
        LogicalType::Text | LogicalType::Decimal | LogicalType::Other => return None,
    })
}

/// A whole number in plain digits.
pub(super) fn read_integer(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

/// A finite number in plain or scientific notation.
pub(super) fn read_number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

/// `true` or `false` in any case, or `1` or `0`.
pub(super) fn read_boolean(text: &str) -> Option<bool> {
    match text.trim() {
        "1" => Some(true),
        "0" => Some(false),
        word if word.eq_ignore_ascii_case("true") => Some(true),
        word if word.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{DictionaryArray, StringArray, TimestampNanosecondArray, UInt64Array};
    use datafusion::arrow::datatypes::Int32Type;

    use super::*;

    #[test]
    fn what_does_not_fit_becomes_null() {
        let large: ArrayRef = Arc::new(UInt64Array::from(vec![1, u64::MAX]));
        assert_eq!(read(&large, LogicalType::Integer).unwrap().as_ref(), &Int64Array::from(vec![Some(1), None]));
        let text: ArrayRef = Arc::new(StringArray::from(vec![Some("1e3"), Some("x"), None, Some("inf")]));
        assert_eq!(read(&text, LogicalType::Number).unwrap().as_ref(), &Float64Array::from(vec![Some(1000.0), None, None, None]));
        assert!(read(&large, LogicalType::Text).is_err());
    }

    #[test]
    fn dictionaries_and_other_units_are_normalised() {
        let words: DictionaryArray<Int32Type> = vec![Some("a"), None, Some("a")].into_iter().collect();
        let words: ArrayRef = Arc::new(words);
        assert_eq!(read(&words, LogicalType::Text).unwrap().as_ref(), &StringArray::from(vec![Some("a"), None, Some("a")]));
        let before_epoch: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![-1]));
        let read = read(&before_epoch, LogicalType::Timestamp).unwrap();
        assert_eq!(read.data_type(), &timestamp_type());
        assert_eq!(read.as_primitive::<TimestampMicrosecondType>().value(0), -1);
    }
}
