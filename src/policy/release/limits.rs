//! What bounds a release besides its rows and fields, and what a refusal says where a bound is reached.

use crate::domain::gate::{Gate, Refusal};
use crate::domain::permit::{OpenHours, PermitTerms};
use crate::domain::time::Instant;

/// The quotas of a permit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Rows in a UTC day.
    pub daily_rows: u64,
    /// Distinct subjects in a UTC day.
    pub daily_subjects: Option<u64>,
    /// Pages and streams in a minute by the clock.
    pub requests_per_minute: Option<u64>,
    /// When releases may leave.
    pub open_hours: Option<OpenHours>,
}

/// The limit that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    Rows,
    Subjects,
    Requests,
    Hours,
}

impl Limit {
    /// The sentence for it. Vendors read these; pages show the same words.
    pub const fn detail(self) -> &'static str {
        match self {
            Self::Rows => "The daily quota of this permit is used up. It opens again at midnight UTC.",
            Self::Subjects => {
                "This permit has released as many people today as it may. Those already released can be read again; others open at midnight UTC."
            }
            Self::Requests => "This permit has answered as many requests this minute as it may. It opens again with the next minute.",
            Self::Hours => "This permit releases at certain hours only, and it is outside them now.",
        }
    }

    /// The clause of the permit that sets it.
    pub const fn clause(self) -> &'static str {
        match self {
            Self::Rows => "daily_rows",
            Self::Subjects => "daily_subjects",
            Self::Requests => "requests_per_minute",
            Self::Hours => "open_hours",
        }
    }
}

impl Limits {
    pub(super) fn of(terms: &PermitTerms) -> Self {
        Self {
            daily_rows: terms.daily_rows,
            daily_subjects: terms.daily_subjects,
            requests_per_minute: terms.requests_per_minute,
            open_hours: terms.open_hours.clone(),
        }
    }

    /// Whether releases may leave at this hour.
    pub fn check_hours(&self, now: Instant) -> Result<(), Refusal> {
        match self.open_hours.as_ref().and_then(|hours| hours.opens_after(now)) {
            Some(opens) => Err(reached(Limit::Hours, now, opens)),
            None => Ok(()),
        }
    }
}

/// The refusal where a limit is reached that opens again at an instant.
pub fn reached(limit: Limit, now: Instant, opens: Instant) -> Refusal {
    // Rounded up: who comes back then finds it open.
    let left = opens.micros().saturating_sub(now.micros()).max(1).saturating_add(999_999) / 1_000_000;
    Refusal { retry_after: u32::try_from(left).ok(), clause: Some(limit.clause()), ..Refusal::new(Gate::Quota, limit.detail()) }
}
