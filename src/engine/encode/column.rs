//! The text of released values that need no quoting, the same in every format.

use crate::engine::calendar::{self, Fraction};
pub(super) use crate::engine::canonical::Canonical as Values;

/// Appends a whole number in decimal.
pub(super) fn push_integer(to: &mut Vec<u8>, number: i64) {
    let mut digits = [0_u8; 19];
    let mut rest = number.unsigned_abs();
    let mut used = 0;
    for place in digits.iter_mut().rev() {
        *place = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        used += 1;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        to.push(b'-');
    }
    to.extend_from_slice(digits.split_at(19 - used).1);
}

/// Appends the shortest text that round-trips; `false`, and nothing, for NaN and infinities.
pub(super) fn push_number(to: &mut Vec<u8>, number: f64) -> bool {
    number.is_finite() && serde_json::to_writer(to, &number).is_ok()
}

/// Appends a date; `false`, and nothing, for a year that has no four digits.
pub(super) fn push_date(to: &mut Vec<u8>, days: i32) -> bool {
    calendar::civil(days.into()).map(|date| calendar::push_date(to, date)).is_some()
}

/// Appends a timestamp; `false`, and nothing, for a year that has no four digits.
pub(super) fn push_timestamp(to: &mut Vec<u8>, micros: i64) -> bool {
    calendar::push_timestamp(to, micros, Fraction::IfAny)
}
