//! Days since 1970-01-01 as civil dates and back, for the years 0001 to 9999 that the wire can bear.
//!
//! Algorithms: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms" (`civil_from_days`, `days_from_civil`).

use crate::domain::time::{Date, Instant};

/// 0001-01-01.
pub(super) const FIRST_DAY: i64 = -719_162;
/// 9999-12-31.
pub(super) const LAST_DAY: i64 = 2_932_896;
/// Microseconds of a day.
pub(super) const MICROS_PER_DAY: i64 = 86_400_000_000;

/// A day of the proleptic Gregorian calendar, ordered as days are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Civil {
    pub year: i32,
    /// 1–12.
    pub month: u32,
    /// 1–31.
    pub day: u32,
}

/// The civil date of a day; `None` outside the years 0001 to 9999.
pub(super) fn civil(days: i64) -> Option<Civil> {
    if !(FIRST_DAY..=LAST_DAY).contains(&days) {
        return None;
    }
    // Years begin in March here, so that the leap day is the last of its year.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    Some(Civil { year: i32::try_from(year).ok()?, month: u32::try_from(month).ok()?, day: u32::try_from(day).ok()? })
}

/// Days from 1970-01-01 to a first of January.
fn new_year(year: i32) -> i64 {
    let before = i64::from(year) - 1;
    before * 365 + before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400) + FIRST_DAY
}

/// The ISO 8601 week-numbering year and week of a day.
pub(super) fn iso_week(days: i64) -> Option<(i32, i64)> {
    civil(days)?;
    // 1970-01-01 was a Thursday; a week belongs to the year of its Thursday.
    let weekday = (days + 3).rem_euclid(7);
    let thursday = days - weekday + 3;
    let year = civil(thursday.min(LAST_DAY))?.year;
    Some((year, (thursday - new_year(year)) / 7 + 1))
}

/// The UTC day that microseconds since the epoch lie in.
pub(super) fn day_of(micros: i64) -> i64 {
    micros.div_euclid(MICROS_PER_DAY)
}

/// Whether a timestamp lies in the years the wire can bear.
pub(super) fn bearable(micros: i64) -> bool {
    (FIRST_DAY..=LAST_DAY).contains(&day_of(micros))
}

/// Appends `2026-07-01`.
pub(super) fn push_date(to: &mut Vec<u8>, date: Civil) {
    push_digits(to, u64::try_from(date.year).unwrap_or(0), 4);
    to.push(b'-');
    push_digits(to, date.month.into(), 2);
    to.push(b'-');
    push_digits(to, date.day.into(), 2);
}

/// How many digits of a second a timestamp shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fraction {
    Always,
    /// None when the microseconds are zero.
    IfAny,
}

/// Appends `2026-07-01T08:00:00.000000Z`; `false`, and nothing, outside the years 0001 to 9999.
pub(super) fn push_timestamp(to: &mut Vec<u8>, micros: i64, fraction: Fraction) -> bool {
    let Some(date) = civil(day_of(micros)) else { return false };
    push_date(to, date);
    let within = micros.rem_euclid(MICROS_PER_DAY).unsigned_abs();
    let seconds = within / 1_000_000;
    to.push(b'T');
    push_digits(to, seconds / 3_600, 2);
    to.push(b':');
    push_digits(to, seconds / 60 % 60, 2);
    to.push(b':');
    push_digits(to, seconds % 60, 2);
    let rest = within % 1_000_000;
    if rest != 0 || fraction == Fraction::Always {
        to.push(b'.');
        push_digits(to, rest, 6);
    }
    to.push(b'Z');
    true
}

/// Appends exactly `width` digits, with zeros in front.
pub(super) fn push_digits(to: &mut Vec<u8>, number: u64, width: u32) {
    for place in (0..width).rev() {
        let digit = number / 10_u64.pow(place) % 10;
        to.push(b'0' + u8::try_from(digit).unwrap_or(0));
    }
}

/// Reads `2026-07-01`, or a timestamp of which the day is taken: days since 1970-01-01.
pub(super) fn read_date(text: &str) -> Option<i32> {
    let (day, time) = split(text.trim())?;
    let date: Date = day.parse().ok()?;
    let days = date.days_since_epoch();
    (FIRST_DAY..=LAST_DAY).contains(&i64::from(days)).then_some(())?;
    match time {
        None => Some(days),
        Some(_) => i32::try_from(day_of(read_timestamp(text)?)).ok(),
    }
}

/// Reads `2026-07-01`, `2026-07-01 08:00[:00[.000000]]` or RFC 3339; without an offset it is UTC. Microseconds
/// since the epoch.
pub(super) fn read_timestamp(text: &str) -> Option<i64> {
    let text = text.trim();
    let (day, time) = split(text)?;
    let micros = match time {
        None => day.parse::<Date>().ok()?.start().micros(),
        Some(time) if time.ends_with(['Z', 'z']) || time.contains(['+', '-']) => format!("{day}T{time}").parse::<Instant>().ok()?.micros(),
        Some(time) => {
            let seconds = if time.len() == 5 { ":00" } else { "" };
            format!("{day}T{time}{seconds}Z").parse::<Instant>().ok()?.micros()
        }
    };
    bearable(micros).then_some(micros)
}

/// The day, and the time of day when there is one.
fn split(text: &str) -> Option<(&str, Option<&str>)> {
    let day = text.get(..10)?;
    match text.get(10..)? {
        "" => Some((day, None)),
        rest => rest.strip_prefix(['T', 't', ' ']).map(|time| (day, Some(time))),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{Datelike, NaiveDate};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn agrees_with_chrono(days in FIRST_DAY..=LAST_DAY) {
            let theirs = NaiveDate::from_num_days_from_ce_opt(i32::try_from(days).unwrap() + 719_163).unwrap();
            let ours = civil(days).unwrap();
            prop_assert_eq!((ours.year, ours.month, ours.day), (theirs.year(), theirs.month(), theirs.day()));
            let week = theirs.iso_week();
            prop_assert_eq!(iso_week(days), Some((week.year(), i64::from(week.week()))));
            let mut text = Vec::new();
            push_date(&mut text, ours);
            prop_assert_eq!(read_date(std::str::from_utf8(&text).unwrap()), Some(i32::try_from(days).unwrap()));
        }

        #[test]
        fn a_timestamp_is_read_as_it_is_written(micros in FIRST_DAY * MICROS_PER_DAY..(LAST_DAY + 1) * MICROS_PER_DAY) {
            for fraction in [Fraction::Always, Fraction::IfAny] {
                let mut text = Vec::new();
                prop_assert!(push_timestamp(&mut text, micros, fraction));
                prop_assert_eq!(read_timestamp(std::str::from_utf8(&text).unwrap()), Some(micros));
            }
        }
    }

    #[test]
    fn ends_of_the_calendar() {
        assert_eq!(civil(FIRST_DAY), Some(Civil { year: 1, month: 1, day: 1 }));
        assert_eq!(civil(LAST_DAY), Some(Civil { year: 9999, month: 12, day: 31 }));
        assert_eq!(civil(FIRST_DAY - 1), None);
        assert_eq!(civil(LAST_DAY + 1), None);
        assert_eq!(iso_week(LAST_DAY), Some((9999, 52)));
        assert!(!bearable(i64::MAX) && !bearable(i64::MIN));
    }

    #[test]
    fn forms_that_are_read() {
        for (text, seconds) in [
            ("2009-01-02", Some(1_230_854_400)),
            ("2009-01-02 00:00:00", Some(1_230_854_400)),
            ("2009-01-02 10:30", Some(1_230_892_200)),
            ("2009-01-02T10:30:00Z", Some(1_230_892_200)),
            ("2009-01-02T12:30:00+02:00", Some(1_230_892_200)),
            (" 2009-01-02 ", Some(1_230_854_400)),
            ("2009-02-30", None),
            ("2009-1-2", None),
            ("02/01/2009", None),
            ("2009-01-02 25:00:00", None),
            ("2009-01-02x10:00:00", None),
            ("", None),
        ] {
            assert_eq!(read_timestamp(text), seconds.map(|at: i64| at * 1_000_000), "{text}");
        }
        assert_eq!(read_date("2009-01-02 10:30:00"), Some(14_246));
    }
}
