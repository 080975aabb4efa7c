//! Instants in whole microseconds and calendar dates, as the database and the wire bear them.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::Invalid;

/// A point in time: microseconds since 1970-01-01T00:00:00Z. On the wire RFC 3339 in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, utoipa::ToSchema)]
#[schema(value_type = String, format = DateTime, examples("2026-07-01T08:00:00.000000Z"))]
pub struct Instant(i64);

const MICROS_PER_SECOND: i64 = 1_000_000;

impl Instant {
    /// Takes microseconds since the Unix epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Takes seconds since the Unix epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(MICROS_PER_SECOND))
    }

    /// Microseconds since the Unix epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(MICROS_PER_SECOND)
    }

    /// This instant moved by seconds, which may be negative.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(MICROS_PER_SECOND)))
    }

    /// This instant moved by days of 86,400 seconds.
    #[must_use]
    pub const fn plus_days(self, days: i64) -> Self {
        self.plus_seconds(days.saturating_mul(86_400))
    }

    /// Whole minutes since the Unix epoch, rounded down.
    pub const fn minute(self) -> i64 {
        self.seconds().div_euclid(60)
    }

    /// The beginning of the next minute of the clock.
    #[must_use]
    pub const fn next_minute(self) -> Self {
        Self::from_seconds(self.minute().saturating_add(1).saturating_mul(60))
    }

    /// The UTC calendar day this instant lies in.
    pub fn date(self) -> Date {
        Date(self.to_chrono().date_naive())
    }

    fn to_chrono(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or(if self.0 < 0 { DateTime::<Utc>::MIN_UTC } else { DateTime::<Utc>::MAX_UTC })
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.to_chrono().to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

impl std::str::FromStr for Instant {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        DateTime::parse_from_rfc3339(text)
            .map(|at| Self(at.timestamp_micros()))
            .map_err(|_| Invalid::new("", "must be a time as in 2026-07-01T08:00:00Z (RFC 3339)"))
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(|error: Invalid| de::Error::custom(error.reason))
    }
}

/// A calendar day without a time zone, on the wire `2026-07-01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, utoipa::ToSchema)]
#[schema(value_type = String, format = Date, examples("2026-07-01"))]
pub struct Date(NaiveDate);

impl Date {
    /// Year, month 1–12 and day 1–31; `None` when there is no such day.
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<Self> {
        NaiveDate::from_ymd_opt(year, month, day).map(Self)
    }

    /// Days since 1970-01-01, as Arrow's `Date32` counts them.
    pub fn days_since_epoch(self) -> i32 {
        self.0.num_days_from_ce().saturating_sub(719_163)
    }

    /// The day that many days after 1970-01-01.
    pub fn from_days_since_epoch(days: i32) -> Option<Self> {
        NaiveDate::from_num_days_from_ce_opt(days.checked_add(719_163)?).map(Self)
    }

    /// The first instant of this day in UTC.
    pub fn start(self) -> Instant {
        Instant::from_seconds(i64::from(self.days_since_epoch()).saturating_mul(86_400))
    }

    /// The first instant after this day in UTC: an end date is inclusive.
    pub fn end(self) -> Instant {
        self.start().plus_days(1)
    }

    /// The day moved by days, stopping at the calendar's ends.
    #[must_use]
    pub fn plus_days(self, days: i64) -> Self {
        let moved = i64::from(self.days_since_epoch()).saturating_add(days);
        i32::try_from(moved).ok().and_then(Self::from_days_since_epoch).unwrap_or(self)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.format("%Y-%m-%d").fmt(out)
    }
}

impl std::str::FromStr for Date {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        // chrono accepts a sign and short forms; the wire form is four digits, two and two. A year before 0 would be
        // written in another form than it is read.
        let digits_and_dashes =
            text.bytes().enumerate().all(|(at, byte)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() });
        if text.len() != 10 || !digits_and_dashes {
            return Err(Invalid::new("", "must be a date as in 2026-07-01"));
        }
        NaiveDate::parse_from_str(text, "%Y-%m-%d").map(Self).map_err(|_| Invalid::new("", "must be a date as in 2026-07-01"))
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(|error: Invalid| de::Error::custom(error.reason))
    }
}
