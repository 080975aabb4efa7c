//! A treatment compiled for one column: NULL in gives NULL out but for `constant`, and what can't be computed is NULL.

mod date;
mod geo;
mod hierarchy;
mod mac;
mod noise;
mod number;
mod pseudonym;
mod redact;
mod shift;
mod text;
mod token;

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::array::{Array, ArrayRef, Date32Array};
use datafusion::arrow::datatypes::{DataType, Date32Type, TimestampMicrosecondType};
use datafusion::scalar::ScalarValue;
use unicode_normalization::UnicodeNormalization;

use self::geo::Place;
use self::noise::Noise;
use self::number::{Code, Grid, Rounding};
use self::pseudonym::Pseudonym;
pub(super) use self::pseudonym::SubjectKey;
use self::redact::Redaction;
use self::shift::Shift;
use self::text::Mask;
use self::token::Tokens;
pub use self::token::reveal;
use super::{EngineError, calendar, read};
use crate::domain::dataset::LogicalType;
use crate::domain::hierarchy::{AtLevel, Hierarchy};
use crate::domain::treatment::{CodeForm, ConstantValue, DateUnit, GridForm, Treatment};

/// A treatment, ready to run over columns of one logical type.
pub struct Kernel {
    from: LogicalType,
    subject: LogicalType,
    form: Form,
}

enum Form {
    Clear,
    Constant(ScalarValue),
    Mask(Mask),
    Truncate(usize),
    Pseudonym(Box<Pseudonym>),
    Generalise(Grid, GridForm),
    Date(DateUnit),
    Round(Rounding),
    Code(Code, CodeForm),
    Shift(Box<Shift>),
    Redact(Redaction),
    Noise(Box<Noise>),
    Geo(Place),
    Token(Tokens),
    Hierarchy(AtLevel),
}

impl Kernel {
    /// Compiles a treatment of a field of type `from` in a dataset whose subjects' keys are of type `subject`; `None` for
    /// `withhold`. `key` is that of a keyed treatment, `hierarchy` the version that a treatment names. Errors when the
    /// treatment does not fit the type, or what it needs is missing.
    pub fn new(
        treatment: &Treatment,
        from: LogicalType,
        subject: LogicalType,
        key: Option<&[u8; 32]>,
        hierarchy: Option<&Arc<Hierarchy>>,
    ) -> Result<Option<Self>, EngineError> {
        let fits = treatment.released_type(from).map_err(|_| EngineError::Drift("a treatment no longer fits its field".to_owned()))?;
        if fits.is_none() {
            return Ok(None);
        }
        let keyed = || key.ok_or_else(|| EngineError::internal("a treatment's key is missing"));
        let form = match treatment {
            Treatment::Withhold => return Ok(None),
            Treatment::Clear => Form::Clear,
            Treatment::Constant { value } => Form::Constant(constant(value)),
            Treatment::Mask { prefix, suffix, pad, email_domain } => Form::Mask(Mask::new(*prefix, *suffix, *pad, *email_domain)),
            Treatment::Truncate { length } => Form::Truncate(usize::from(*length)),
            Treatment::Pseudonym { format, .. } => Form::Pseudonym(Box::new(Pseudonym::new(keyed()?, from, *format)?)),
            Treatment::GeneraliseNumber { width, origin, form } => Form::Generalise(Grid::new(*width, *origin), *form),
            Treatment::GeneraliseDate { unit } => Form::Date(*unit),
            Treatment::Round { step } => Form::Round(Rounding::new(*step)),
            Treatment::TopBottomCode { bottom, top, form } => Form::Code(Code::new(*bottom, *top), *form),
            Treatment::DateShift { days } => Form::Shift(Box::new(Shift::new(keyed()?, subject, *days))),
            Treatment::RedactText { kinds } => Form::Redact(Redaction::new(kinds.iter().copied()).ok_or_else(unplanned)?),
            Treatment::Noise { scale } => Form::Noise(Box::new(Noise::new(keyed()?, subject, from, *scale).ok_or_else(unplanned)?)),
            Treatment::Geo { form } => Form::Geo(Place::new(form).ok_or_else(unplanned)?),
            Treatment::ReversibleToken { .. } => Form::Token(Tokens::new(keyed()?, from)?),
            Treatment::GeneraliseHierarchy { level, .. } => {
                let at_level = hierarchy.and_then(|hierarchy| hierarchy.at(*level));
                Form::Hierarchy(at_level.ok_or_else(|| EngineError::internal("a treatment's hierarchy is missing"))?)
            }
        };
        Ok(Some(Self { from, subject, form }))
    }

    /// The one value of a constant.
    pub(super) fn constant(&self) -> Option<&ScalarValue> {
        match &self.form {
            Form::Constant(value) => Some(value),
            Form::Clear
            | Form::Mask(_)
            | Form::Truncate(_)
            | Form::Pseudonym(_)
            | Form::Generalise(..)
            | Form::Date(_)
            | Form::Round(_)
            | Form::Code(..)
            | Form::Shift(_)
            | Form::Redact(_)
            | Form::Noise(_)
            | Form::Geo(_)
            | Form::Token(_)
            | Form::Hierarchy(_) => None,
        }
    }

    /// Whether it needs to know whose row it is, beside the value.
    pub(super) fn needs_subject(&self) -> bool {
        matches!(self.form, Form::Shift(_) | Form::Noise(_))
    }

    /// Whether a column held as `source` leaves this as it came, so that nothing needs to run.
    pub(super) fn passes(&self, source: &DataType) -> bool {
        let as_is = read::treated_type(source, self.from).is_some_and(|treated| &treated == source);
        // Dates and times are looked at, since the wire can't bear every year that Arrow can.
        matches!(self.form, Form::Clear) && as_is && !self.from.is_temporal()
    }

    /// The released Arrow type of a column held as `source`.
    pub(super) fn released_type(&self, source: &DataType) -> Result<DataType, EngineError> {
        let treated = || {
            read::treated_type(source, self.from)
                .ok_or_else(|| EngineError::unsupported("the source does not hold this type in a form that can be released"))
        };
        let whole = |whole: bool| if whole { DataType::Int64 } else { DataType::Float64 };
        Ok(match &self.form {
            Form::Clear => treated()?,
            Form::Constant(value) => value.data_type(),
            Form::Mask(_) | Form::Truncate(_) | Form::Pseudonym(_) => DataType::Utf8,
            Form::Redact(_) | Form::Geo(_) | Form::Token(_) | Form::Hierarchy(_) => DataType::Utf8,
            Form::Shift(_) => DataType::Date32,
            Form::Generalise(grid, GridForm::Lower) => whole(self.from == LogicalType::Integer && grid.is_whole()),
            Form::Generalise(_, GridForm::Range) | Form::Code(_, CodeForm::Label) => DataType::Utf8,
            Form::Date(DateUnit::Year) => DataType::Int64,
            Form::Date(_) => DataType::Utf8,
            Form::Round(_) | Form::Noise(_) | Form::Code(_, CodeForm::Bound) => whole(self.from == LogicalType::Integer),
        })
    }

    /// Treats a column in any form the source may hold it; `subject` is the column of the rows' subjects, which must be
    /// there for a kernel that needs it.
    pub fn apply(&self, raw: &ArrayRef, subject: Option<&ArrayRef>) -> Result<ArrayRef, EngineError> {
        if let Form::Constant(value) = &self.form {
            return value.to_array_of_size(raw.len()).map_err(|_| unplanned());
        }
        let column = read::read(raw, self.from)?;
        let subjects = || read::read(subject.ok_or_else(unplanned)?, self.subject);
        let treated = match &self.form {
            Form::Constant(_) => None,
            Form::Clear => clear(&column, self.from),
            Form::Mask(mask) => mask.apply(&column),
            Form::Truncate(length) => text::truncate(&column, *length),
            Form::Pseudonym(pseudonym) => pseudonym.apply(&column),
            Form::Generalise(grid, form) => grid.apply(&column, *form),
            Form::Date(unit) => date::generalise(&column, *unit),
            Form::Round(rounding) => rounding.apply(&column),
            Form::Code(code, form) => code.apply(&column, *form),
            Form::Shift(shift) => shift.apply(&column, &subjects()?),
            Form::Redact(redaction) => redaction.apply(&column),
            Form::Noise(noise) => noise.apply(&column, &subjects()?),
            Form::Geo(place) => place.apply(&column),
            Form::Token(tokens) => tokens.apply(&column),
            Form::Hierarchy(level) => hierarchy::apply(level, &column),
        };
        treated.ok_or_else(unplanned)
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A kernel may hold a key or a permit's parameters: neither belongs in a plan that is printed.
        out.write_str("Kernel(..)")
    }
}

fn unplanned() -> EngineError {
    EngineError::internal("a treatment met a type that was not planned")
}

fn constant(value: &ConstantValue) -> ScalarValue {
    match value {
        ConstantValue::Boolean(value) => ScalarValue::Boolean(Some(*value)),
        ConstantValue::Integer(value) => ScalarValue::Int64(Some(*value)),
        ConstantValue::Number(value) => ScalarValue::Float64(Some(*value)),
        ConstantValue::Text(value) => ScalarValue::Utf8(Some(value.nfc().collect())),
    }
}

/// As it is; dates and times in years that the wire can't bear become NULL.
fn clear(column: &ArrayRef, from: LogicalType) -> Option<ArrayRef> {
    Some(match from {
        LogicalType::Date => {
            let days = column.as_primitive_opt::<Date32Type>()?;
            let kept: Date32Array = days.unary_opt(|day| calendar::civil(day.into()).map(|_| day));
            Arc::new(kept)
        }
        LogicalType::Timestamp => {
            let micros = column.as_primitive_opt::<TimestampMicrosecondType>()?;
            let kept = micros.unary_opt::<_, TimestampMicrosecondType>(|at| calendar::bearable(at).then_some(at));
            Arc::new(kept.with_timezone_opt(micros.timezone()))
        }
        LogicalType::Text
        | LogicalType::Integer
        | LogicalType::Number
        | LogicalType::Decimal
        | LogicalType::Boolean
        | LogicalType::Other => Arc::clone(column),
    })
}

#[cfg(test)]
mod tests;
