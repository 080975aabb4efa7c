//! Which treatment certainly tells no more than which: what decides whether a revision narrows a permit.

use super::{DateUnit, Treatment};

impl Treatment {
    /// Whether this certainly tells no more than `other` does of any value. What can't be compared does not.
    pub fn at_least_as_strict_as(&self, other: &Self) -> bool {
        if self == other || matches!(self, Self::Withhold) {
            return true;
        }
        match (self, other) {
            (_, Self::Withhold) => false,
            (Self::Constant { .. }, _) => true,
            // Who has the clear values and gets pseudonyms, tokens or moved dates of the same rows can map one to the other,
            // and so read every other table of that domain.
            (Self::Pseudonym { .. } | Self::ReversibleToken { .. } | Self::DateShift { .. }, Self::Clear) => false,
            // A hierarchy may say of a value what the value itself does not, so that a person looks at it first.
            (Self::GeneraliseHierarchy { .. }, Self::Clear) => false,
            (_, Self::Clear) => true,
            // A mask with a shorter prefix shows the start of short texts that the longer one hid: masks do not compare.
            (Self::Truncate { length }, Self::Truncate { length: other }) => length <= other,
            // A finer grid reaches less far, and withholds what a coarser one would tell: grids do not compare.
            (Self::GeneraliseDate { unit }, Self::GeneraliseDate { unit: other }) => unit.coarsens(*other),
            // Each kind covers what it covers whichever others are looked for, so that more kinds leave less.
            (Self::RedactText { kinds }, Self::RedactText { kinds: other }) => kinds.is_superset(other),
            // Two noises on one value narrow it down together, whichever is wider: noises do not compare.
            (Self::Geo { form }, Self::Geo { form: other }) => form.at_least_as_strict_as(other),
            // The texts of one level lead to one text of the next each; versions do not compare.
            (
                Self::GeneraliseHierarchy { hierarchy, version, level },
                Self::GeneraliseHierarchy { hierarchy: other, version: other_version, level: other_level },
            ) => hierarchy == other && version == other_version && level >= other_level,
            // Rounding twice is not rounding once: a coarser grid has edges of its own, so steps do not compare.
            (Self::TopBottomCode { bottom, top, form }, Self::TopBottomCode { bottom: other_bottom, top: other_top, form: other_form }) => {
                let top_ok = match (top, other_top) {
                    (_, None) => true,
                    (Some(top), Some(other)) => top <= other,
                    (None, Some(_)) => false,
                };
                let bottom_ok = match (bottom, other_bottom) {
                    (_, None) => true,
                    (Some(bottom), Some(other)) => bottom >= other,
                    (None, Some(_)) => false,
                };
                form == other_form && top_ok && bottom_ok
            }
            _ => false,
        }
    }
}

impl DateUnit {
    /// Whether every span of this unit is a union of spans of the other. Weeks cross months.
    fn coarsens(self, other: Self) -> bool {
        let rank = |unit: Self| match unit {
            Self::Day => Some(0),
            Self::Month => Some(1),
            Self::Quarter => Some(2),
            Self::Year => Some(3),
            Self::Week | Self::Age { .. } => None,
        };
        match (self, other) {
            (Self::Age { width, at }, Self::Age { width: other_width, at: other_at }) => {
                at == other_at && other_width != 0 && width % other_width == 0
            }
            (Self::Week, Self::Day | Self::Week) | (Self::Age { .. }, Self::Day) => true,
            _ => matches!((rank(self), rank(other)), (Some(coarse), Some(fine)) if coarse >= fine),
        }
    }
}
