//! The hours in which releases may leave: days of the week and a span of the day, in UTC.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::ToSchema;

use crate::domain::Invalid;
use crate::domain::time::Instant;

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Weekday {
    /// From Monday on.
    pub const ALL: [Self; 7] = [Self::Monday, Self::Tuesday, Self::Wednesday, Self::Thursday, Self::Friday, Self::Saturday, Self::Sunday];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Monday => "Monday",
            Self::Tuesday => "Tuesday",
            Self::Wednesday => "Wednesday",
            Self::Thursday => "Thursday",
            Self::Friday => "Friday",
            Self::Saturday => "Saturday",
            Self::Sunday => "Sunday",
        }
    }

    fn short(self) -> String {
        self.name().chars().take(3).collect::<String>().to_lowercase()
    }

    fn of(instant: Instant) -> Self {
        // The first of January 1970 was a Thursday.
        let since_monday = i64::from(instant.date().days_since_epoch()).saturating_add(3).rem_euclid(7);
        usize::try_from(since_monday).ok().and_then(|at| Self::ALL.get(at).copied()).unwrap_or(Self::Monday)
    }
}

/// A time of day to the minute: `00:00` to `24:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, examples("08:00"))]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    fn seconds(self) -> i64 {
        i64::from(self.0).saturating_mul(60)
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl std::str::FromStr for TimeOfDay {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let two =
            |part: &str| (part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit())).then(|| part.parse::<u16>().ok()).flatten();
        let parts = text.split_once(':').and_then(|(hours, minutes)| Some((two(hours)?, two(minutes)?)));
        match parts {
            Some((hours, minutes)) if minutes < 60 && hours * 60 + minutes <= 24 * 60 => Ok(Self(hours * 60 + minutes)),
            _ => Err(Invalid::new("", "must be a time as in 08:00, up to 24:00")),
        }
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(|error: Invalid| de::Error::custom(error.reason))
    }
}

/// When releases may leave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenHours {
    #[schema(value_type = Vec<Weekday>)]
    pub days: BTreeSet<Weekday>,
    /// The first minute of the span, UTC.
    pub from: TimeOfDay,
    /// The first minute after it.
    pub to: TimeOfDay,
}

impl OpenHours {
    /// At least one day, and a span that does not reach over midnight.
    pub fn check(&self) -> Result<(), Invalid> {
        if self.days.is_empty() {
            return Err(Invalid::new("open_hours", "must name at least one day"));
        }
        if self.from >= self.to {
            return Err(Invalid::new("open_hours", "must begin before they end, on the same day"));
        }
        Ok(())
    }

    /// `None` while they are open, else when they open next.
    pub fn opens_after(&self, now: Instant) -> Option<Instant> {
        let today = now.date();
        let spans = (0..=7).map(|later| today.plus_days(later).start()).filter(|start| self.days.contains(&Weekday::of(*start)));
        let next =
            spans.map(|start| (start.plus_seconds(self.from.seconds()), start.plus_seconds(self.to.seconds()))).find(|(_, to)| now < *to);
        match next {
            Some((from, _)) if from <= now => None,
            Some((from, _)) => Some(from),
            None => Some(today.end()),
        }
    }

    /// Whether every instant of these lies in the others.
    pub fn within(&self, other: &Self) -> bool {
        self.days.is_subset(&other.days) && self.from >= other.from && self.to <= other.to
    }
}

/// `mon,tue,wed 08:00-18:00`: the form in which people type them.
impl fmt::Display for OpenHours {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days: Vec<String> = self.days.iter().map(|day| day.short()).collect();
        write!(out, "{} {}-{}", days.join(","), self.from, self.to)
    }
}

/// Reads what [`fmt::Display`] writes, and spans of days such as `mon-fri`.
impl std::str::FromStr for OpenHours {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let wrong = || Invalid::new("open_hours", "must be days and a span of the day, as in mon-fri 08:00-18:00");
        let (days, span) = text.trim().rsplit_once(' ').ok_or_else(wrong)?;
        let (from, to) = span.split_once('-').ok_or_else(wrong)?;
        let day = |name: &str| Weekday::ALL.into_iter().find(|day| day.short() == name.trim().to_lowercase()).ok_or_else(wrong);
        let mut named = BTreeSet::new();
        for part in days.split(',') {
            let (first, last) = match part.split_once('-') {
                Some((first, last)) => (day(first)?, day(last)?),
                None => (day(part)?, day(part)?),
            };
            named.extend(Weekday::ALL.into_iter().filter(|day| (first..=last).contains(day)));
        }
        let hours = Self { days: named, from: from.parse().map_err(|_| wrong())?, to: to.parse().map_err(|_| wrong())? };
        hours.check().map(|()| hours)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(text: &str) -> OpenHours {
        text.parse().unwrap()
    }

    #[test]
    fn what_people_type_is_read_and_written_back() {
        assert_eq!(hours("Mon-Fri 08:00-18:00").to_string(), "mon,tue,wed,thu,fri 08:00-18:00");
        assert_eq!(hours("sun,mon 00:00-24:00").to_string(), "mon,sun 00:00-24:00");
        for wrong in [
            "",
            "mon",
            "mon 8-18",
            "mon 18:00-08:00",
            "mon 08:00-08:00",
            "fri-mon 08:00-09:00",
            "day 08:00-09:00",
            "mon 08:00-24:01",
            "mon 08:60-09:00",
        ] {
            assert!(wrong.parse::<OpenHours>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_next_opening_is_told() {
        // The first of July 2026 was a Wednesday.
        let table = [
            ("2026-07-01T07:59:59Z", Some("2026-07-01T08:00:00Z")),
            ("2026-07-01T08:00:00Z", None),
            ("2026-07-01T17:59:59Z", None),
            ("2026-07-01T18:00:00Z", Some("2026-07-02T08:00:00Z")),
            ("2026-07-03T18:00:00Z", Some("2026-07-06T08:00:00Z")),
        ];
        for (now, opens) in table {
            let expected = opens.map(|at| at.parse::<Instant>().unwrap());
            assert_eq!(hours("mon-fri 08:00-18:00").opens_after(now.parse().unwrap()), expected, "{now}");
        }
        let weekly = hours("wed 08:00-09:00").opens_after("2026-07-01T09:00:00Z".parse().unwrap());
        assert_eq!(weekly, Some("2026-07-08T08:00:00Z".parse().unwrap()));
    }
}
