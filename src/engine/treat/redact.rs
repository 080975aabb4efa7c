//! Free text with what was found in it replaced by marks.

use datafusion::arrow::array::{ArrayRef, AsArray};

use super::text::{each, push};
use crate::domain::detect::{DataKind, Detector};

/// Finds and replaces these kinds.
pub(super) struct Redaction {
    detector: &'static Detector,
    kinds: Vec<DataKind>,
}

impl Redaction {
    pub(super) fn new(kinds: impl IntoIterator<Item = DataKind>) -> Option<Self> {
        Some(Self { detector: Detector::get()?, kinds: kinds.into_iter().collect() })
    }

    pub(super) fn apply(&self, column: &ArrayRef) -> Option<ArrayRef> {
        let cells = column.as_string_opt::<i32>()?;
        Some(each(cells, |text, out| {
            let mut from = 0;
            for found in self.detector.find_all(self.kinds.iter().copied(), text) {
                push(out, text.get(from..found.at.start).unwrap_or_default());
                push(out, found.kind.mark());
                from = found.at.end;
            }
            push(out, text.get(from..).unwrap_or_default());
        }))
    }
}
