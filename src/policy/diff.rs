//! What changed between two versions of terms, in words, and whether it lets more or less go out.
//!
//! Of a permit the direction of each change is what [`crate::domain::permit::compare`] says of that change alone: the
//! same comparison that decides whether a revision acts at once. There is no second opinion here.

mod permits;
mod terms;
#[cfg(test)]
mod tests;

pub use permits::{added, permits};
pub use terms::{Papers, terms};

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::time::Date;

use super::words;

/// Where a change leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Less goes out, or the vendor owes more.
    Stronger,
    /// More goes out, or the vendor owes less.
    Weaker,
    /// Nothing more or less goes out.
    Neutral,
    /// Neither of the two is certain: a person must read it. Where it widens a permit, it counts as a widening.
    Unclear,
}

impl Direction {
    /// The wire name.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Stronger => "stronger",
            Self::Weaker => "weaker",
            Self::Neutral => "neutral",
            Self::Unclear => "unclear",
        }
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Difference {
    /// Path of what changed, as the API names it.
    pub field: String,
    /// The same for people.
    pub label: String,
    /// What was said before; none where there was nothing.
    pub before: Option<String>,
    /// What is said now; none where there is nothing any more.
    pub after: Option<String>,
    pub direction: Direction,
}

/// Everything that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Diff {
    /// One line, such as "2 fields added, 1 treatment weakened, ends 6 months later".
    pub summary: String,
    pub differences: Vec<Difference>,
}

impl Diff {
    fn new(parts: Vec<String>, differences: Vec<Difference>) -> Self {
        let summary = if parts.is_empty() { "nothing changes".to_owned() } else { parts.join(", ") };
        Self { summary, differences }
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.differences.is_empty()
    }
}

/// "2 fields added"; nothing where there are none.
fn some(number: usize, one: &str, many: &str, done: &str) -> Option<String> {
    let number = u64::try_from(number).unwrap_or(u64::MAX);
    (number > 0).then(|| format!("{} {done}", words::counted(number, one, many)))
}

/// How a day moved: "ends 6 months later".
fn moved(verb: &str, before: Option<Date>, after: Option<Date>) -> Option<String> {
    match (before, after) {
        (None, None) => None,
        (Some(before), Some(after)) if before == after => None,
        (Some(before), Some(after)) if after > before => Some(format!("{verb} {} later", span(before, after))),
        (Some(before), Some(after)) => Some(format!("{verb} {} earlier", span(after, before))),
        (None, Some(after)) => Some(format!("{verb} on {after}")),
        (Some(_), None) => Some(format!("no longer {verb} on a day of its own")),
    }
}

/// The time between two days: in years or months where it is whole ones, else in days.
fn span(from: Date, to: Date) -> String {
    let days = to.days_since_epoch().abs_diff(from.days_since_epoch());
    // The last day of a month leads to the last day of another, whatever their numbers: so does the day after.
    let whole = months(from, to).or_else(|| months(from.plus_days(1), to.plus_days(1)));
    match whole {
        Some(months) if months > 0 && months.is_multiple_of(12) => words::counted((months / 12).into(), "year", "years"),
        Some(months) if months > 0 => words::counted(months.into(), "month", "months"),
        Some(_) | None => words::counted(days.into(), "day", "days"),
    }
}

/// The months between two days of the same number.
fn months(from: Date, to: Date) -> Option<u32> {
    let (from, to) = (parts(from)?, parts(to)?);
    let month = |(year, month, _): (u32, u32, u32)| year.saturating_mul(12).saturating_add(month);
    (from.2 == to.2).then(|| month(to).saturating_sub(month(from)))
}

fn parts(day: Date) -> Option<(u32, u32, u32)> {
    let text = day.to_string();
    let mut parts = text.split('-').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??, parts.next()??))
}
