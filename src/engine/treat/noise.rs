//! Numbers changed a little, evenly within a bound, and always in the same way: who asks ten thousand times learns no
//! more than who asks once. It is no differential privacy.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array};
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int64Type};

use super::super::canonical::Canonical;
use super::mac::Mac;
use super::number::{Rounding, decimal_to_f64};
use super::pseudonym::short;
use crate::domain::dataset::LogicalType;

/// Noise keyed by subject, value and scale under a key of the agreement and the field.
pub(super) struct Noise {
    key: Mac,
    head: Vec<u8>,
    scale: f64,
    /// What is released lies on a decimal grid of its own, a thousandth of the scale or finer, so that the last digits
    /// of a sum never tell those of the value.
    grid: Rounding,
    reach: f64,
}

/// The length of a subject that is NULL: no text is as long.
const NO_SUBJECT: [u8; 4] = u32::MAX.to_be_bytes();

impl Noise {
    pub(super) fn new(key: &[u8; 32], subject: LogicalType, from: LogicalType, scale: f64) -> Option<Self> {
        let exponent = scale.log10().floor();
        let step: f64 = format!("1e{}", exponent - 3.0).parse().ok()?;
        // Were noises of two scales cut from one number, together they would give the value away.
        let mut head = scale.to_be_bytes().to_vec();
        for part in [subject.key(), "\0", from.key(), "\0"] {
            head.extend_from_slice(part.as_bytes());
        }
        let key = Mac::new(key);
        Some(Self { key, head, scale, grid: Rounding::new(step), reach: scale - step / 2.0 })
    }

    pub(super) fn apply(&self, column: &ArrayRef, subject: &ArrayRef) -> Option<ArrayRef> {
        let mut seeds =
            Seeds { noise: self, value: Canonical::of(column)?, subject: Canonical::of(subject)?, held: subject, bytes: Vec::new() };
        let rows = (0..column.len()).map(|row| (!column.is_null(row)).then_some(row));
        Some(match column.data_type() {
            DataType::Int64 => {
                let cells = column.as_primitive::<Int64Type>();
                let noisy = rows.map(|row| cells.value(row?).checked_add(self.whole(seeds.of(row?)?)?));
                Arc::new(noisy.collect::<Int64Array>())
            }
            DataType::Float64 => {
                let cells = column.as_primitive::<Float64Type>();
                Arc::new(rows.map(|row| self.noisy(cells.value(row?), seeds.of(row?)?)).collect::<Float64Array>())
            }
            DataType::Decimal128(..) => {
                let cells = column.as_primitive::<Decimal128Type>();
                let noisy = rows.map(|row| self.noisy(decimal_to_f64(cells, cells.value(row?))?, seeds.of(row?)?));
                Arc::new(noisy.collect::<Float64Array>())
            }
            _ => return None,
        })
    }

    /// From minus the scale to the scale, each whole number alike.
    fn whole(&self, seed: u64) -> Option<i64> {
        let scale = self.scale as u64;
        let among = scale.checked_mul(2)?.checked_add(1)?;
        i64::try_from(seed % among).ok()?.checked_sub(i64::try_from(scale).ok()?)
    }

    /// `None` for a number so large that the noise would drown in its last digits.
    fn noisy(&self, number: f64, seed: u64) -> Option<f64> {
        // 53 bits are as many as a binary64 number bears.
        let even = (seed >> 11) as f64 / (1_u64 << 53) as f64;
        self.grid.nearest(number + (even * 2.0 - 1.0) * self.reach)
    }
}

/// The seeds of rows, their buffer reused.
struct Seeds<'a> {
    noise: &'a Noise,
    value: Canonical<'a>,
    subject: Canonical<'a>,
    held: &'a ArrayRef,
    bytes: Vec<u8>,
}

impl Seeds<'_> {
    /// A row without a subject is seeded by its value alone.
    fn of(&mut self, row: usize) -> Option<u64> {
        self.bytes.clear();
        self.bytes.extend_from_slice(&self.noise.head);
        let at = self.bytes.len();
        self.bytes.extend_from_slice(&NO_SUBJECT);
        if !self.held.is_null(row) && self.subject.write(row, &mut self.bytes) {
            let length = u32::try_from(self.bytes.len() - at - NO_SUBJECT.len()).ok()?;
            self.bytes.get_mut(at..at + NO_SUBJECT.len())?.copy_from_slice(&length.to_be_bytes());
        }
        self.value.write(row, &mut self.bytes).then(|| short(&self.noise.key.tag(&self.bytes)))
    }
}
