//! Numbers, dates and spans in words: separators that do not break, months by name, UTC.

use crate::domain::time::{Date, Instant};

/// A narrow space at which no line breaks (U+202F).
const SEPARATOR: char = '\u{202f}';

/// A whole number of any size, also by reference, as templates pass it.
pub trait Whole {
    fn whole(&self) -> i128;
}

macro_rules! whole {
    ($($of:ty),*) => {$(
        impl Whole for $of {
            fn whole(&self) -> i128 {
                i128::try_from(*self).unwrap_or(i128::MAX)
            }
        }
    )*};
}

whole!(u8, u16, u32, u64, usize, i32, i64, i128);

impl<T: Whole> Whole for &T {
    fn whole(&self) -> i128 {
        (**self).whole()
    }
}

/// A whole number with a separator at every third digit: `1 234 567`.
pub fn number(number: impl Whole) -> String {
    let number = number.whole();
    let digits = number.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() * 2);
    if number < 0 {
        out.push('\u{2212}');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(SEPARATOR);
        }
        out.push(digit);
    }
    out
}

/// A number with its noun: `1 vendor`, `2 vendors`.
pub fn count(many: impl Whole, one: &str, more: &str) -> String {
    format!("{} {}", number(&many), if many.whole() == 1 { one } else { more })
}

/// A size: `512 bytes`, `3.4 kB`, `12 MB`.
pub fn bytes(bytes: u64) -> String {
    match bytes {
        0..1_000 => count(bytes, "byte", "bytes"),
        1_000..1_000_000 => tenths(bytes / 100, "kB"),
        1_000_000..1_000_000_000 => tenths(bytes / 100_000, "MB"),
        1_000_000_000.. => tenths(bytes / 100_000_000, "GB"),
    }
}

/// Tenths of a unit: with one decimal below ten units.
fn tenths(tenths: u64, unit: &str) -> String {
    if tenths < 100 && !tenths.is_multiple_of(10) {
        format!("{}.{}\u{a0}{unit}", tenths / 10, tenths % 10)
    } else {
        format!("{}\u{a0}{unit}", number(tenths / 10))
    }
}

/// A day: `1 July 2026`.
pub fn date(date: &Date) -> String {
    const MONTHS: [&str; 12] =
        ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
    let written = date.to_string();
    let mut parts = written.rsplitn(3, '-');
    let mut next = || parts.next().unwrap_or_default();
    let (day, month, year) = (next(), next(), next());
    let month = month.parse::<usize>().ok().and_then(|month| MONTHS.get(month.checked_sub(1)?)).copied().unwrap_or(month);
    format!("{}\u{a0}{month}\u{a0}{year}", day.trim_start_matches('0'))
}

/// A point in time in UTC: `1 July 2026, 09:00`.
pub fn instant(at: &Instant) -> String {
    let minutes = at.seconds().rem_euclid(86_400) / 60;
    format!("{}, {:02}:{:02}", date(&at.date()), minutes / 60, minutes % 60)
}

/// How far a point in time lies from now: `3 days ago`, `in 2 hours`.
pub fn ago(at: &Instant, now: &Instant) -> String {
    let seconds = now.seconds().saturating_sub(at.seconds());
    match seconds {
        -59..60 => "just now".to_owned(),
        60.. => format!("{} ago", span(seconds)),
        _ => format!("in {}", span(seconds.saturating_neg())),
    }
}

/// How long until an end, or since it: `2 days left`, `3 days over`.
pub fn until(end: &Instant, now: &Instant) -> String {
    let seconds = end.seconds().saturating_sub(now.seconds());
    if seconds >= 0 { format!("{} left", span(seconds)) } else { format!("{} over", span(seconds.saturating_neg())) }
}

/// The largest whole unit of a span, rounded down.
fn span(seconds: i64) -> String {
    const UNITS: [(i64, &str, &str); 5] = [
        (31_557_600, "year", "years"),
        (2_629_800, "month", "months"),
        (86_400, "day", "days"),
        (3_600, "hour", "hours"),
        (60, "minute", "minutes"),
    ];
    let fits = UNITS.into_iter().find(|(unit, ..)| seconds >= *unit);
    fits.map_or_else(|| "less than a minute".to_owned(), |(unit, one, more)| count(seconds / unit, one, more))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_separators() {
        for (value, expected) in
            [(0, "0"), (999, "999"), (1_000, "1\u{202f}000"), (1_234_567, "1\u{202f}234\u{202f}567"), (-12_000, "\u{2212}12\u{202f}000")]
        {
            assert_eq!(number(value), expected);
        }
        for (value, expected) in [(1, "1 byte"), (999, "999 bytes"), (3_400, "3.4\u{a0}kB"), (25_000_000, "25\u{a0}MB")] {
            assert_eq!(bytes(value), expected);
        }
    }

    #[test]
    fn times_are_said_in_words() {
        let now = Instant::from_seconds(1_782_896_400);
        assert_eq!(instant(&now), "1\u{a0}July\u{a0}2026, 09:00");
        for (seconds, expected) in [
            (0, "just now"),
            (-59, "just now"),
            (-60, "1 minute ago"),
            (-7_200, "2 hours ago"),
            (3_599, "in 59 minutes"),
            (86_400 * 45, "in 1 month"),
            (-86_400 * 800, "2 years ago"),
        ] {
            assert_eq!(ago(&now.plus_seconds(seconds), &now), expected, "{seconds}");
        }
        assert_eq!(until(&now.plus_days(-3), &now), "3 days over");
    }
}
