//! Dates moved by a number of days that is keyed by their subject: never 0, never more than the permit says.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, Date32Array};

use super::super::{calendar, canonical::Canonical};
use super::date;
use super::mac::Mac;
use super::pseudonym::{Message, short};
use crate::domain::dataset::LogicalType;

/// One offset for each subject and bound.
pub(super) struct Shift {
    key: Mac,
    subject: LogicalType,
    days: u16,
}

impl Shift {
    pub(super) fn new(key: &[u8; 32], subject: LogicalType, days: u16) -> Self {
        Self { key: Mac::new(key), subject, days }
    }

    /// A date without a subject, or one that would leave the calendar, becomes NULL.
    pub(super) fn apply(&self, column: &ArrayRef, subject: &ArrayRef) -> Option<ArrayRef> {
        let days = date::days(column)?;
        let canonical = Canonical::of(subject)?;
        // The bound is a part of the message: were offsets of two bounds cut from one number, they would tell each other.
        let mut message = Message::headed(&self.key, &self.days.to_be_bytes(), self.subject);
        let mut moved = |row: usize| {
            if days.is_null(row) || subject.is_null(row) {
                return None;
            }
            let day = days.value(row);
            calendar::civil(day)?;
            let tag = message.tag(&canonical, row)?;
            let day = day.checked_add(self.offset(short(&tag)))?;
            calendar::civil(day).and_then(|_| i32::try_from(day).ok())
        };
        Some(Arc::new((0..days.len()).map(&mut moved).collect::<Date32Array>()))
    }

    /// From minus the bound to the bound, without 0. That 64 bits do not divide evenly tells less than one in 10^15.
    fn offset(&self, bits: u64) -> i64 {
        let bound = i64::from(self.days);
        let within = i64::try_from(bits % u64::from(self.days).saturating_mul(2)).unwrap_or(0) - bound;
        if within < 0 { within } else { within + 1 }
    }
}
