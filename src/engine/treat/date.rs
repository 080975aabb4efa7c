//! Coarser calendar units, in UTC; age is against a day fixed in the permit, never today's.

use std::io::Write;
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
    let mut text = Vec::new();
    for day in &days {
        text.clear();
        let written = day.and_then(|day| write_unit(&mut text, day, unit));
        out.append_option(written.and_then(|()| std::str::from_utf8(&text).ok()));
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

/// What it gives `None` for has no text. Formatting would cost more than all else here.
fn write_unit(to: &mut Vec<u8>, day: i64, unit: DateUnit) -> Option<()> {
    let date = calendar::civil(day)?;
    let year = |to: &mut Vec<u8>, year: i32| calendar::push_digits(to, u64::try_from(year).unwrap_or(0), 4);
    match unit {
        DateUnit::Day => calendar::push_date(to, date),
        DateUnit::Week => {
            let (of, week) = calendar::iso_week(day)?;
            year(to, of);
            to.extend_from_slice(b"-W");
            calendar::push_digits(to, u64::try_from(week).ok()?, 2);
        }
        DateUnit::Month => {
            year(to, date.year);
            to.push(b'-');
            calendar::push_digits(to, date.month.into(), 2);
        }
        DateUnit::Quarter => {
            year(to, date.year);
            to.extend_from_slice(b"-Q");
            calendar::push_digits(to, date.month.div_ceil(3).into(), 1);
        }
        DateUnit::Year => return None,
        DateUnit::Age { width, at } => {
            let at = calendar::civil(at.days_since_epoch().into())?;
            let width = i32::from(width);
            let lower = age(date, at)?.checked_div(width)? * width;
            write!(to, "[{lower},{})", lower + width).ok()?;
        }
    }
    Some(())
}

/// Completed years; `None` before birth. One born on 29 February ages on 1 March in years without that day.
fn age(born: Civil, at: Civil) -> Option<i32> {
    let had_birthday = (at.month, at.day) >= (born.month, born.day);
    let years = at.year - born.year - i32::from(!had_birthday);
    (born <= at).then_some(years)
}
