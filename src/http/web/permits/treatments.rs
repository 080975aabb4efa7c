//! Treatments as fields of a form: a kind, and the settings of that kind. What is typed becomes the treatment that was
//! meant or an error beside its setting, and a treatment becomes the form that gives it back.

mod placed;

use std::collections::HashMap;
use std::str::FromStr;

use crate::domain::Invalid;
use crate::domain::dataset::Field;
use crate::domain::text::Slug;
use crate::domain::treatment::{CodeForm, ConstantValue, DateUnit, GridForm, PseudonymFormat, Treatment};
use crate::http::web::form::Typed;
use crate::http::web::parts::Choice;
use crate::policy::matrix;

/// How a setting is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    Number,
    Text,
    Date,
    /// A box: sent only when ticked.
    Tick,
    /// One of a few, as pairs of value and label.
    OneOf(&'static [(&'static str, &'static str)]),
    /// A version of an uploaded hierarchy.
    Hierarchy,
}

/// A setting of a treatment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    pub name: &'static str,
    pub label: &'static str,
    pub input: Input,
}

const fn setting(name: &'static str, label: &'static str, input: Input) -> Setting {
    Setting { name, label, input }
}

const MASK: &[Setting] = &[
    setting("prefix", "First characters kept", Input::Number),
    setting("suffix", "Last characters kept", Input::Number),
    setting("pad", "Asterisks between", Input::Number),
    setting("email_domain", "Keep the e-mail domain", Input::Tick),
];
const TRUNCATE: &[Setting] = &[setting("length", "Characters kept", Input::Number)];
const PSEUDONYM: &[Setting] = &[
    setting("format", "Form", Input::OneOf(&[("base32", "26 letters and digits"), ("uuid", "UUID")])),
    setting("domain", "Domain, if another", Input::Text),
];
const GRID: &[Setting] = &[
    setting("width", "Width of a band", Input::Number),
    setting("origin", "Counted from", Input::Number),
    setting("as", "Shown as", Input::OneOf(&[("range", "Band, [20,30)"), ("lower", "Lower end, 20")])),
];
const UNITS: &[(&str, &str)] =
    &[("day", "Day"), ("week", "Week"), ("month", "Month"), ("quarter", "Quarter"), ("year", "Year"), ("age", "Age")];
const DATE: &[Setting] = &[setting("unit", "Unit", Input::OneOf(UNITS))];
const AGE: &[Setting] = &[
    setting("unit", "Unit", Input::OneOf(UNITS)),
    setting("width", "Years in a band", Input::Number),
    setting("at", "Age on", Input::Date),
];
const ROUND: &[Setting] = &[setting("step", "To the nearest", Input::Number)];
const CODE: &[Setting] = &[
    setting("bottom", "Lowest shown", Input::Number),
    setting("top", "Highest shown", Input::Number),
    setting("as", "Beyond it", Input::OneOf(&[("label", "A label, 90+"), ("bound", "The bound, 90")])),
];
const SHIFT: &[Setting] = &[setting("days", "Days at most", Input::Number)];
const REDACT: &[Setting] = &[
    setting("email", "E-mail addresses", Input::Tick),
    setting("phone", "Phone numbers", Input::Tick),
    setting("iban", "IBANs", Input::Tick),
    setting("card", "Card numbers", Input::Tick),
    setting("ip", "IP addresses", Input::Tick),
    setting("url", "Web addresses", Input::Tick),
];
const NOISE: &[Setting] = &[setting("scale", "Either way, at most", Input::Number)];
const PLACES: &[(&str, &str)] = &[("postal_prefix", "Start of a postal code"), ("geohash", "Geohash"), ("h3", "H3 cell")];
const POSTAL: &[Setting] = &[
    setting("as", "Told as", Input::OneOf(PLACES)),
    setting("length", "Characters kept", Input::Number),
    setting("small", "Withhold these, too small", Input::Text),
];
const GEOHASH: &[Setting] = &[setting("as", "Told as", Input::OneOf(PLACES)), setting("length", "Characters kept", Input::Number)];
const H3: &[Setting] = &[setting("as", "Told as", Input::OneOf(PLACES)), setting("resolution", "Resolution", Input::Number)];
const TOKEN: &[Setting] = &[setting("domain", "Domain, if another", Input::Text)];
const HIERARCHY: &[Setting] =
    &[setting("hierarchy", "Hierarchy", Input::Hierarchy), setting("level", "Level, 1 is the finest", Input::Number)];
const CONSTANT: &[Setting] = &[
    setting("value", "The value", Input::Text),
    setting(
        "as",
        "Its type",
        Input::OneOf(&[("text", "Text"), ("integer", "Whole number"), ("number", "Number"), ("boolean", "Yes or no")]),
    ),
];

/// What a kind of treatment is called.
pub fn name(kind: &str) -> &'static str {
    match kind {
        "clear" => "Clear",
        "pseudonym" => "Pseudonym",
        "mask" => "Mask",
        "truncate" => "Shorten",
        "generalise_number" => "Band of numbers",
        "generalise_date" => "Coarser date",
        "round" => "Round",
        "top_bottom_code" => "Cut off at bounds",
        "date_shift" => "Move the date",
        "redact_text" => "Redact free text",
        "noise" => "Noise",
        "geo" => "Coarser place",
        "reversible_token" => "Reversible token",
        "generalise_hierarchy" => "Text of a hierarchy",
        "constant" => "One value for all",
        _ => "Withhold",
    }
}

/// The settings of a form: of a kind, or of one of its forms where those differ.
pub fn settings(shape: &str) -> &'static [Setting] {
    match shape {
        "mask" => MASK,
        "truncate" => TRUNCATE,
        "pseudonym" => PSEUDONYM,
        "generalise_number" => GRID,
        "generalise_date" => DATE,
        "generalise_date.age" => AGE,
        "round" => ROUND,
        "top_bottom_code" => CODE,
        "date_shift" => SHIFT,
        "redact_text" => REDACT,
        "noise" => NOISE,
        "geo" | "geo.postal_prefix" => POSTAL,
        "geo.geohash" => GEOHASH,
        "geo.h3" => H3,
        "reversible_token" => TOKEN,
        "generalise_hierarchy" => HIERARCHY,
        "constant" => CONSTANT,
        _ => &[],
    }
}

/// The kinds that fit a field.
pub fn kinds(field: &Field) -> Vec<Choice> {
    let choice = |choice: matrix::Choice| {
        let name = name(choice.treatment.key());
        Choice::new(choice.treatment.key(), if choice.advised { format!("{name} (advised)") } else { name.to_owned() })
    };
    matrix::choices(field).into_iter().map(choice).collect()
}

/// What a kind does to a field and what it leaves; nothing for one that does not fit.
pub fn help(field: &Field, kind: &str) -> &'static str {
    matrix::choices(field).iter().find(|choice| choice.treatment.key() == kind).map_or("", |choice| choice.help)
}

/// The values of a form, each name once, found without a walk.
pub struct Values<'a>(HashMap<&'a str, &'a str>);

impl<'a> Values<'a> {
    /// Of a form; of a name that is there twice the first counts.
    pub fn of(typed: &'a Typed) -> Self {
        let mut values = HashMap::with_capacity(typed.pairs().len());
        for (name, value) in typed.pairs() {
            values.entry(name.as_str()).or_insert(value.as_str());
        }
        Self(values)
    }

    /// A value, where one was sent, without the spaces around it.
    pub fn sent(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).map(|value| value.trim())
    }

    /// A value as it came.
    fn raw(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).copied()
    }
}

/// What is typed of one field.
pub struct Row<'a> {
    values: &'a Values<'a>,
    field: &'a Field,
    /// The kind that is chosen.
    pub kind: &'a str,
}

impl<'a> Row<'a> {
    /// Of a field of the dataset; one that is not in the form is withheld.
    pub fn of(values: &'a Values<'a>, field: &'a Field) -> Self {
        let kind = values.sent(&format!("treatment.{}", field.name)).unwrap_or("withhold");
        Self { values, field, kind }
    }

    /// Whether the settings that were sent are those of another kind: the form was shown before the kind was chosen.
    fn is_fresh(&self) -> bool {
        let shown = self.shown().split('.').next().unwrap_or_default();
        !shown.is_empty() && shown != self.kind
    }

    /// The form whose settings were shown.
    pub fn shown(&self) -> &'a str {
        self.values.sent(&format!("was.{}", self.field.name)).unwrap_or_default()
    }

    /// The form whose settings belong to what is chosen.
    pub fn shape(&self) -> String {
        match self.kind {
            "generalise_date" if self.value("unit") == "age" => "generalise_date.age".to_owned(),
            "geo" => match self.value("as").as_str() {
                form @ ("geohash" | "h3") => format!("geo.{form}"),
                _ => "geo.postal_prefix".to_owned(),
            },
            kind => kind.to_owned(),
        }
    }

    /// A setting as it was sent, or as its kind begins where it was not asked for yet.
    pub fn value(&self, name: &str) -> String {
        let key = format!("param.{}.{name}", self.field.name);
        // Spaces around a constant are a part of it.
        let sent = if name == "value" { self.values.raw(&key) } else { self.values.sent(&key) };
        match sent.filter(|_| !self.is_fresh()) {
            Some(value) => value.to_owned(),
            // A box that is not ticked is not sent.
            None if self.shown() == self.kind && settings(self.kind).iter().any(|one| one.name == name && one.input == Input::Tick) => {
                String::new()
            }
            None => self.beginning(name),
        }
    }

    fn beginning(&self, name: &str) -> String {
        if name == "hierarchy" {
            return String::new();
        }
        let mut choices = matrix::choices(self.field).into_iter();
        let begins = choices.find(|choice| choice.treatment.key() == self.kind).map(|choice| pairs(&choice.treatment));
        let value = begins.into_iter().flatten().find(|(known, _)| *known == name).map(|(_, value)| value);
        // Forms that are not the first of their kind begin with settings of their own.
        value.unwrap_or_else(|| match (self.kind, name) {
            ("generalise_date", "width") => "10".to_owned(),
            ("geo", "resolution") => "7".to_owned(),
            _ => String::new(),
        })
    }

    fn wrong(&self, name: &str, reason: impl Into<String>) -> Invalid {
        Invalid::new(format!("param.{}.{name}", self.field.name), reason)
    }

    fn number<T: FromStr>(&self, name: &str, reason: &str) -> Result<T, Invalid> {
        self.value(name).parse().map_err(|_| self.wrong(name, reason))
    }

    fn decimal(&self, name: &str) -> Result<f64, Invalid> {
        let number = self.number::<f64>(name, "must be a number")?;
        if number.is_finite() { Ok(number) } else { Err(self.wrong(name, "must be a number")) }
    }

    fn some_decimal(&self, name: &str) -> Result<Option<f64>, Invalid> {
        if self.value(name).is_empty() { Ok(None) } else { self.decimal(name).map(Some) }
    }

    /// The treatment that is meant.
    ///
    /// # Errors
    /// Names the setting that is wrong, or the treatment where it does not fit the field.
    pub fn read(&self) -> Result<Treatment, Invalid> {
        if !matrix::choices(self.field).iter().any(|choice| choice.treatment.key() == self.kind) {
            let reason = "must be one of those shown: another kind does not fit the field's type";
            return Err(Invalid::new(format!("treatment.{}", self.field.name), reason));
        }
        let treatment = self.unchecked()?;
        treatment.released_type(self.field.logical).map_err(|error| self.placed(error))?;
        Ok(treatment)
    }

    /// What the rules say of a treatment, placed at its setting.
    fn placed(&self, error: Invalid) -> Invalid {
        let known = settings(&self.shape()).iter().any(|one| one.name == error.field);
        if known {
            self.wrong(&error.field.clone(), error.reason)
        } else {
            Invalid::new(format!("treatment.{}", self.field.name), error.reason)
        }
    }

    fn unchecked(&self) -> Result<Treatment, Invalid> {
        let small = "must be a whole number from 0 to 255";
        Ok(match self.kind {
            "withhold" => Treatment::Withhold,
            "clear" => Treatment::Clear,
            "mask" => Treatment::Mask {
                prefix: self.number("prefix", small)?,
                suffix: self.number("suffix", small)?,
                pad: self.number("pad", small)?,
                email_domain: self.value("email_domain") == "yes",
            },
            "truncate" => Treatment::Truncate { length: self.number("length", "must be a whole number from 1 to 65,535")? },
            "pseudonym" => self.pseudonym()?,
            "generalise_number" => {
                let form = match self.value("as").as_str() {
                    "range" => GridForm::Range,
                    "lower" => GridForm::Lower,
                    _ => return Err(self.wrong("as", "must be one of those shown")),
                };
                Treatment::GeneraliseNumber { width: self.decimal("width")?, origin: self.some_decimal("origin")?.unwrap_or(0.0), form }
            }
            "generalise_date" => Treatment::GeneraliseDate { unit: self.unit()? },
            "round" => Treatment::Round { step: self.decimal("step")? },
            "top_bottom_code" => {
                let form = match self.value("as").as_str() {
                    "label" => CodeForm::Label,
                    "bound" => CodeForm::Bound,
                    _ => return Err(self.wrong("as", "must be one of those shown")),
                };
                Treatment::TopBottomCode { bottom: self.some_decimal("bottom")?, top: self.some_decimal("top")?, form }
            }
            "date_shift" => Treatment::DateShift { days: self.number("days", "must be a whole number from 1 to 3,650")? },
            "redact_text" => Treatment::RedactText { kinds: self.redacted()? },
            "noise" => Treatment::Noise { scale: self.decimal("scale")? },
            "geo" => Treatment::Geo { form: self.place()? },
            "reversible_token" => Treatment::ReversibleToken { domain: self.domain()? },
            "generalise_hierarchy" => self.nested()?,
            "constant" => Treatment::Constant { value: self.constant()? },
            _ => return Err(Invalid::new(format!("treatment.{}", self.field.name), "must be one of those shown")),
        })
    }

    fn pseudonym(&self) -> Result<Treatment, Invalid> {
        let format = match self.value("format").as_str() {
            "base32" => PseudonymFormat::Base32,
            "uuid" => PseudonymFormat::Uuid,
            _ => return Err(self.wrong("format", "must be one of those shown")),
        };
        Ok(Treatment::Pseudonym { domain: self.domain()?, format })
    }

    fn domain(&self) -> Result<Option<Slug>, Invalid> {
        let domain = self.value("domain");
        if domain.is_empty() {
            return Ok(None);
        }
        domain.parse().map(Some).map_err(|error: Invalid| self.wrong("domain", error.reason))
    }

    fn unit(&self) -> Result<DateUnit, Invalid> {
        Ok(match self.value("unit").as_str() {
            "day" => DateUnit::Day,
            "week" => DateUnit::Week,
            "month" => DateUnit::Month,
            "quarter" => DateUnit::Quarter,
            "year" => DateUnit::Year,
            "age" => DateUnit::Age {
                width: self.number("width", "must be a whole number from 1 to 255")?,
                at: self.value("at").parse().map_err(|error: Invalid| self.wrong("at", error.reason))?,
            },
            _ => return Err(self.wrong("unit", "must be one of those shown")),
        })
    }

    fn constant(&self) -> Result<ConstantValue, Invalid> {
        let value = self.value("value");
        Ok(match self.value("as").as_str() {
            "text" => ConstantValue::Text(value),
            "integer" => ConstantValue::Integer(self.number("value", "must be a whole number, as its type says")?),
            "number" => ConstantValue::Number(self.decimal("value")?),
            "boolean" => match value.as_str() {
                "true" | "yes" => ConstantValue::Boolean(true),
                "false" | "no" => ConstantValue::Boolean(false),
                _ => return Err(self.wrong("value", "must be yes or no, as its type says")),
            },
            _ => return Err(self.wrong("as", "must be one of those shown")),
        })
    }
}

/// The settings of a treatment as they are typed.
pub fn pairs(treatment: &Treatment) -> Vec<(&'static str, String)> {
    match treatment {
        Treatment::Withhold | Treatment::Clear => Vec::new(),
        Treatment::Constant { value } => match value {
            ConstantValue::Boolean(value) => vec![("value", if *value { "yes" } else { "no" }.to_owned()), ("as", "boolean".to_owned())],
            ConstantValue::Integer(value) => vec![("value", value.to_string()), ("as", "integer".to_owned())],
            ConstantValue::Number(value) => vec![("value", value.to_string()), ("as", "number".to_owned())],
            ConstantValue::Text(value) => vec![("value", value.clone()), ("as", "text".to_owned())],
        },
        Treatment::Mask { prefix, suffix, pad, email_domain } => {
            let mut pairs = vec![("prefix", prefix.to_string()), ("suffix", suffix.to_string()), ("pad", pad.to_string())];
            pairs.extend(email_domain.then(|| ("email_domain", "yes".to_owned())));
            pairs
        }
        Treatment::Truncate { length } => vec![("length", length.to_string())],
        Treatment::Pseudonym { domain, format } => {
            let form = match format {
                PseudonymFormat::Base32 => "base32",
                PseudonymFormat::Uuid => "uuid",
            };
            vec![("format", form.to_owned()), ("domain", domain.as_ref().map(ToString::to_string).unwrap_or_default())]
        }
        Treatment::GeneraliseNumber { width, origin, form } => {
            let form = match form {
                GridForm::Lower => "lower",
                GridForm::Range => "range",
            };
            vec![("width", width.to_string()), ("origin", origin.to_string()), ("as", form.to_owned())]
        }
        Treatment::GeneraliseDate { unit } => unit_pairs(*unit),
        Treatment::Round { step } => vec![("step", step.to_string())],
        Treatment::TopBottomCode { bottom, top, form } => {
            let form = match form {
                CodeForm::Bound => "bound",
                CodeForm::Label => "label",
            };
            let bound = |bound: &Option<f64>| bound.map(|bound| bound.to_string()).unwrap_or_default();
            vec![("bottom", bound(bottom)), ("top", bound(top)), ("as", form.to_owned())]
        }
        Treatment::DateShift { days } => vec![("days", days.to_string())],
        Treatment::RedactText { kinds } => kinds.iter().map(|kind| (kind.key(), "yes".to_owned())).collect(),
        Treatment::Noise { scale } => vec![("scale", scale.to_string())],
        Treatment::Geo { form } => placed::pairs(form),
        Treatment::ReversibleToken { domain } => vec![("domain", domain.as_ref().map(ToString::to_string).unwrap_or_default())],
        Treatment::GeneraliseHierarchy { hierarchy, version, level } => {
            vec![("hierarchy", format!("{hierarchy}.{version}")), ("level", level.to_string())]
        }
    }
}

fn unit_pairs(unit: DateUnit) -> Vec<(&'static str, String)> {
    let unit_name = match unit {
        DateUnit::Day => "day",
        DateUnit::Week => "week",
        DateUnit::Month => "month",
        DateUnit::Quarter => "quarter",
        DateUnit::Year => "year",
        DateUnit::Age { width, at } => {
            return vec![("unit", "age".to_owned()), ("width", width.to_string()), ("at", at.to_string())];
        }
    };
    vec![("unit", unit_name.to_owned())]
}

/// What a setting is called, of whatever kind it is.
pub fn setting_label(name: &str) -> &'static str {
    let all = [MASK, TRUNCATE, PSEUDONYM, GRID, AGE, ROUND, CODE, SHIFT, REDACT, NOISE, POSTAL, H3, HIERARCHY, CONSTANT];
    all.into_iter().flatten().find(|one| one.name == name).map_or("Setting", |one| one.label)
}
