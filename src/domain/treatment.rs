//! Treatments: what happens to one field on release. Closed by default: no treatment, no release.

mod geo;
mod strictness;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use self::geo::GeoForm;
use super::Invalid;
use super::dataset::LogicalType;
use super::detect::DataKind;
use super::hierarchy::{HierarchyKey, MOST_LEVELS};
use super::text::Slug;
use super::time::Date;

/// The treatment of one field; semantics as each variant says. NULL in gives NULL out but for `constant`.
/// Text is NFC and its lengths count graphemes. A value that can't be computed is withheld and counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Treatment {
    /// The field is absent from the released schema.
    #[serde(deserialize_with = "super::no_members")]
    Withhold,
    /// As it is.
    #[serde(deserialize_with = "super::no_members")]
    Clear,
    /// One value for all rows, NULLs too.
    Constant { value: ConstantValue },
    /// Keeps the first and last graphemes and pads between with `pad` asterisks; text not longer than
    /// prefix + suffix becomes padding only. With `email_domain` the part from the last `@` on is kept and
    /// the rest masked.
    Mask {
        prefix: u8,
        suffix: u8,
        pad: u8,
        #[serde(default)]
        email_domain: bool,
    },
    /// The first graphemes.
    Truncate { length: u16 },
    /// HMAC-SHA-256 under a key of the agreement and the domain, 128 bits. The domain defaults to the subject
    /// domain for the subject's field and to `dataset.field` for others.
    Pseudonym {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        domain: Option<Slug>,
        format: PseudonymFormat,
    },
    /// `[lo, hi)` on the fixed grid `origin + n × width`.
    GeneraliseNumber {
        width: f64,
        #[serde(default)]
        origin: f64,
        #[serde(rename = "as")]
        form: GridForm,
    },
    /// A coarser calendar unit, in UTC.
    // serde refuses every member of a flattened enum under `deny_unknown_fields`; the unit reads itself.
    #[serde(deserialize_with = "DateUnit::deserialize")]
    GeneraliseDate {
        #[serde(flatten)]
        unit: DateUnit,
    },
    /// To the nearest multiple of the step, half to even.
    Round { step: f64 },
    /// Values at or beyond a bound become the bound, or as `label` the texts `90+` and `18-`.
    TopBottomCode {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bottom: Option<f64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        top: Option<f64>,
        #[serde(rename = "as")]
        form: CodeForm,
    },
    /// A date moved by whole days: one keyed offset for each subject and number of days, the same in every table of the
    /// subject's domain, never 0 and never more than `days` either way. What lies between two dates of one subject
    /// stays. A row without a subject has no offset, so its date is withheld.
    DateShift { days: u16 },
    /// Free text in which each of these kinds of data is replaced by a mark, such as `[e-mail]`.
    RedactText { kinds: BTreeSet<DataKind> },
    /// A number changed by at most `scale` either way, evenly, whole numbers by whole ones. The change is keyed by
    /// subject, field, value and scale, so that asking again gives the same answer. It is no differential privacy.
    Noise { scale: f64 },
    /// A place told coarsely.
    // The form reads itself, as a date's unit does.
    #[serde(deserialize_with = "GeoForm::deserialize")]
    Geo {
        #[serde(flatten)]
        form: GeoForm,
    },
    /// AES-SIV under a key of the agreement and the domain, which defaults as a pseudonym's does. A privacy officer can
    /// turn a token back, each use on record; a vendor never can.
    ReversibleToken {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        domain: Option<Slug>,
    },
    /// The text that a version of an uploaded hierarchy has for the value at a level, of which 1 is the finest. A value that
    /// the hierarchy does not know is withheld.
    GeneraliseHierarchy { hierarchy: Slug, version: i32, level: u8 },
}

/// The one value of `constant`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum ConstantValue {
    Boolean(bool),
    Integer(i64),
    Number(f64),
    Text(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PseudonymFormat {
    /// 26 lower-case characters of RFC 4648 base32 without padding.
    Base32,
    /// UUID text form of the 128 bits (version and variant bits are not set: every bit is keyed).
    Uuid,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GridForm {
    /// The lower edge, as a number.
    Lower,
    /// The text `[20,30)`.
    Range,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CodeForm {
    Bound,
    Label,
}

/// The unit of a generalised date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "unit", rename_all = "snake_case", deny_unknown_fields)]
pub enum DateUnit {
    /// `2026-07-01`.
    #[serde(deserialize_with = "super::no_members")]
    Day,
    /// ISO 8601 week, `2026-W31`.
    #[serde(deserialize_with = "super::no_members")]
    Week,
    /// `2026-07`.
    #[serde(deserialize_with = "super::no_members")]
    Month,
    /// `2026-Q3`.
    #[serde(deserialize_with = "super::no_members")]
    Quarter,
    /// `2026`, an integer.
    #[serde(deserialize_with = "super::no_members")]
    Year,
    /// Completed years at a reference day, in bands `[30,40)`. A birthday of 29 February counts on 1 March.
    Age { width: u8, at: Date },
}

/// The most characters a constant text may have.
const MOST_CONSTANT: usize = 500;

/// The most days that a date is moved by: ten years.
pub const MOST_SHIFTED: u16 = 3_650;

/// The bounds of noise: beyond them the arithmetic would lose digits.
const SCALES: std::ops::RangeInclusive<f64> = 1e-6..=1e12;

impl Treatment {
    /// The wire name.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Withhold => "withhold",
            Self::Clear => "clear",
            Self::Constant { .. } => "constant",
            Self::Mask { .. } => "mask",
            Self::Truncate { .. } => "truncate",
            Self::Pseudonym { .. } => "pseudonym",
            Self::GeneraliseNumber { .. } => "generalise_number",
            Self::GeneraliseDate { .. } => "generalise_date",
            Self::Round { .. } => "round",
            Self::TopBottomCode { .. } => "top_bottom_code",
            Self::DateShift { .. } => "date_shift",
            Self::RedactText { .. } => "redact_text",
            Self::Noise { .. } => "noise",
            Self::Geo { .. } => "geo",
            Self::ReversibleToken { .. } => "reversible_token",
            Self::GeneraliseHierarchy { .. } => "generalise_hierarchy",
        }
    }

    /// The released type of a field of type `from`; `None` when it is withheld.
    /// Refuses a treatment that does not fit the type or whose parameters make no sense.
    pub fn released_type(&self, from: LogicalType) -> Result<Option<LogicalType>, Invalid> {
        if matches!(self, Self::Withhold) {
            return Ok(None);
        }
        if from == LogicalType::Other {
            return Err(Invalid::new("kind", "must be withhold: this type can not be released"));
        }
        let fits = |good: bool, types: &str| {
            if good { Ok(()) } else { Err(Invalid::new("kind", format!("{} treats {types} only", self.key()))) }
        };
        let released = match self {
            Self::Withhold => return Ok(None),
            Self::Clear => from,
            Self::Constant { value } => value.checked_type()?,
            Self::Mask { prefix, suffix, pad, .. } => {
                fits(from == LogicalType::Text, "text")?;
                if *pad == 0 || *pad > 32 || *prefix > 64 || *suffix > 64 {
                    return Err(Invalid::new("pad", "must be 1 to 32, prefix and suffix at most 64"));
                }
                LogicalType::Text
            }
            Self::Truncate { length } => {
                fits(from == LogicalType::Text, "text")?;
                if *length == 0 {
                    return Err(Invalid::new("length", "must be at least 1; use withhold to release nothing"));
                }
                LogicalType::Text
            }
            Self::Pseudonym { .. } | Self::ReversibleToken { .. } => LogicalType::Text,
            Self::GeneraliseNumber { width, origin, form } => {
                fits(from.is_numeric(), "numbers")?;
                if !(width.is_finite() && *width > 0.0 && origin.is_finite()) {
                    return Err(Invalid::new("width", "must be a finite number above 0"));
                }
                match form {
                    GridForm::Range => LogicalType::Text,
                    GridForm::Lower if from == LogicalType::Integer && is_whole(*width) && is_whole(*origin) => LogicalType::Integer,
                    GridForm::Lower => LogicalType::Number,
                }
            }
            Self::GeneraliseDate { unit } => {
                fits(from.is_temporal(), "dates and times")?;
                match unit {
                    DateUnit::Year => LogicalType::Integer,
                    DateUnit::Age { width: 0, .. } => return Err(Invalid::new("width", "must be at least 1 year")),
                    DateUnit::Day | DateUnit::Week | DateUnit::Month | DateUnit::Quarter | DateUnit::Age { .. } => LogicalType::Text,
                }
            }
            Self::Round { step } => {
                fits(from.is_numeric(), "numbers")?;
                if !(step.is_finite() && *step > 0.0) {
                    return Err(Invalid::new("step", "must be a finite number above 0"));
                }
                if from == LogicalType::Integer && !is_whole(*step) {
                    return Err(Invalid::new("step", "must be a whole number for whole numbers"));
                }
                if from == LogicalType::Decimal { LogicalType::Number } else { from }
            }
            Self::TopBottomCode { bottom, top, form } => {
                fits(from.is_numeric(), "numbers")?;
                if bottom.is_none() && top.is_none() {
                    return Err(Invalid::new("top", "or bottom must be given"));
                }
                if [bottom, top].into_iter().flatten().any(|bound| !bound.is_finite()) {
                    return Err(Invalid::new("top", "and bottom must be finite numbers"));
                }
                if let (Some(bottom), Some(top)) = (bottom, top)
                    && bottom >= top
                {
                    return Err(Invalid::new("bottom", "must lie below top"));
                }
                if from == LogicalType::Integer && [bottom, top].into_iter().flatten().any(|bound| !is_whole(*bound)) {
                    return Err(Invalid::new("top", "and bottom must be whole numbers for whole numbers"));
                }
                match form {
                    CodeForm::Label => LogicalType::Text,
                    CodeForm::Bound if from == LogicalType::Decimal => LogicalType::Number,
                    CodeForm::Bound => from,
                }
            }
            Self::DateShift { days } => {
                fits(from.is_temporal(), "dates and times")?;
                if *days == 0 || *days > MOST_SHIFTED {
                    return Err(Invalid::new("days", "must be 1 to 3,650"));
                }
                LogicalType::Date
            }
            Self::RedactText { kinds } => {
                fits(from == LogicalType::Text, "text")?;
                if kinds.is_empty() {
                    return Err(Invalid::new("kinds", "must name at least one kind to find"));
                }
                LogicalType::Text
            }
            Self::Noise { scale } => {
                fits(from.is_numeric(), "numbers")?;
                if !SCALES.contains(scale) {
                    return Err(Invalid::new("scale", "must be a number from 0.000001 to 1,000,000,000,000"));
                }
                if from == LogicalType::Integer && !is_whole(*scale) {
                    return Err(Invalid::new("scale", "must be a whole number for whole numbers"));
                }
                if from == LogicalType::Integer { LogicalType::Integer } else { LogicalType::Number }
            }
            Self::Geo { form } => {
                fits(from == LogicalType::Text, "text")?;
                form.check()?;
                LogicalType::Text
            }
            Self::GeneraliseHierarchy { level, .. } => {
                fits(from == LogicalType::Text || from.is_numeric(), "text and numbers")?;
                if *level == 0 || usize::from(*level) > MOST_LEVELS {
                    return Err(Invalid::new("level", format!("must be 1 to {MOST_LEVELS}; 1 is the finest")));
                }
                LogicalType::Text
            }
        };
        Ok(Some(released))
    }

    /// The version of a hierarchy that this reads, and at which level.
    pub fn hierarchy(&self) -> Option<(HierarchyKey, u8)> {
        match self {
            Self::GeneraliseHierarchy { hierarchy, version, level } => Some(((hierarchy.clone(), *version), *level)),
            Self::Withhold
            | Self::Clear
            | Self::Constant { .. }
            | Self::Mask { .. }
            | Self::Truncate { .. }
            | Self::Pseudonym { .. }
            | Self::GeneraliseNumber { .. }
            | Self::GeneraliseDate { .. }
            | Self::Round { .. }
            | Self::TopBottomCode { .. }
            | Self::DateShift { .. }
            | Self::RedactText { .. }
            | Self::Noise { .. }
            | Self::Geo { .. }
            | Self::ReversibleToken { .. } => None,
        }
    }

    /// Whether no value of a direct identifier comes through: not even one that is short or small.
    pub const fn hides_identity(&self) -> bool {
        matches!(self, Self::Withhold | Self::Constant { .. } | Self::Mask { .. } | Self::Pseudonym { .. } | Self::ReversibleToken { .. })
    }
}

impl ConstantValue {
    fn checked_type(&self) -> Result<LogicalType, Invalid> {
        match self {
            Self::Boolean(_) => Ok(LogicalType::Boolean),
            Self::Integer(_) => Ok(LogicalType::Integer),
            Self::Number(number) if number.is_finite() => Ok(LogicalType::Number),
            Self::Number(_) => Err(Invalid::new("value", "must be finite")),
            Self::Text(text) if text.chars().count() <= MOST_CONSTANT => Ok(LogicalType::Text),
            Self::Text(_) => Err(Invalid::new("value", format!("must have at most {MOST_CONSTANT} characters"))),
        }
    }
}

fn is_whole(number: f64) -> bool {
    // 2^53 is the last bound up to which every whole number is exact in binary64.
    number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0
}

#[cfg(test)]
mod tests;
