//! Coarser calendar units, in UTC; age is against a day fixed in the permit, never today's.

use std::fmt::Write;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringBuilder};
use datafusion::arrow::datatypes::{DataType, Date32Type, TimestampMicrosecondType};

use super::super::calendar::{self, Civil};
use crate::domain::treatment::DateUnit;

/// A column of dates or timestamps in a coarser unit. Years the wire can't bear, and births after the day of an age,
/// become NULL.
pub(super) fn generalise(column: &ArrayRef, unit: DateUnit) -> Option<ArrayRef> {
    let days = days(column)?;
    if unit == DateUnit::Year {
        let years = days.iter().map(|day| calendar::civil(day?).map(|date| i64::from(date.year)));
        return Some(Arc::new(years.collect::<Int64Array>()));
    }
    let mut out = StringBuilder::with_capacity(days.len(), days.len() * 10);
    for day in &days {
        if day.and_then(|day| write_unit(&mut out, day, unit)).is_some() {
            out.append_value("");
        } else {
            out.append_null();
        }
    }
    Some(Arc::new(out.finish()))
}

/// Days since 1970-01-01.
pub(super) fn days(column: &ArrayRef) -> Option<Int64Array> {
    match column.data_type() {
        DataType::Date32 => Some(column.as_primitive::<Date32Type>().unary(i64::from)),
        DataType::Timestamp(..) => Some(column.as_primitive_opt::<TimestampMicrosecondType>()?.unary(calendar::day_of)),
        _ => None,
    }
}

/// Writes nothing when it gives `None`.
fn write_unit(out: &mut StringBuilder, day: i64, unit: DateUnit) -> Option<()> {
    let date = calendar::civil(day)?;
    let Civil { year, month, day: of_month } = date;
    match unit {
        DateUnit::Day => write!(out, "{year:04}-{month:02}-{of_month:02}"),
        DateUnit::Week => {
            let (year, week) = calendar::iso_week(day)?;
            write!(out, "{year:04}-W{week:02}")
        }
        DateUnit::Month => write!(out, "{year:04}-{month:02}"),
        DateUnit::Quarter => write!(out, "{year:04}-Q{}", month.div_ceil(3)),
        DateUnit::Year => write!(out, "{year}"),
        DateUnit::Age { width, at } => {
            let at = calendar::civil(at.days_since_epoch().into())?;
            let width = i32::from(width);
            let lower = age(date, at)?.checked_div(width)? * width;
            write!(out, "[{lower},{})", lower + width)
        }
    }
    .ok()
}

/// Completed years; `None` before birth. One born on 29 February ages on 1 March in years without that day.
fn age(born: Civil, at: Civil) -> Option<i32> {
    let had_birthday = (at.month, at.day) >= (born.month, born.day);
    let years = at.year - born.year - i32::from(!had_birthday);
    (born <= at).then_some(years)
}
