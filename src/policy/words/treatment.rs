//! Treatments in plain words, parameters included.

use crate::domain::treatment::{CodeForm, ConstantValue, DateUnit, GridForm, PseudonymFormat, Treatment};

use super::counted;

/// What happens to a field, such as "first 2 characters kept, the rest masked".
pub fn treatment(treatment: &Treatment) -> String {
    match treatment {
        Treatment::Withhold => "withheld".to_owned(),
        Treatment::Clear => "clear".to_owned(),
        Treatment::Constant { value } => format!("always {}", constant(value)),
        Treatment::Mask { prefix, suffix, pad: _, email_domain } => mask(*prefix, *suffix, *email_domain),
        Treatment::Truncate { length } => format!("only the first {}", counted((*length).into(), "character", "characters")),
        Treatment::Pseudonym { domain, format } => {
            let form = match format {
                PseudonymFormat::Base32 => "",
                PseudonymFormat::Uuid => " in the form of a UUID",
            };
            let domain = domain.as_ref().map(|domain| format!(" of the domain {domain}")).unwrap_or_default();
            format!("pseudonym{domain}{form}")
        }
        Treatment::GeneraliseNumber { width, origin, form } => {
            let from = if *origin == 0.0 { String::new() } else { format!(", counted from {origin}") };
            match form {
                GridForm::Lower => format!("the lower end of its band of {width}{from}"),
                GridForm::Range => format!("its band of {width}{from}"),
            }
        }
        Treatment::GeneraliseDate { unit } => date(*unit),
        Treatment::Round { step } => format!("rounded to the nearest {step}"),
        Treatment::TopBottomCode { bottom, top, form } => code(*bottom, *top, *form),
    }
}

fn constant(value: &ConstantValue) -> String {
    match value {
        ConstantValue::Boolean(value) => value.to_string(),
        ConstantValue::Integer(value) => value.to_string(),
        ConstantValue::Number(value) => value.to_string(),
        ConstantValue::Text(value) => format!("“{value}”"),
    }
}

fn mask(prefix: u8, suffix: u8, email_domain: bool) -> String {
    let characters = |number: u8| counted(number.into(), "character", "characters");
    let kept = match (prefix, suffix) {
        (0, 0) => None,
        (first, 0) => Some(format!("first {} kept", characters(first))),
        (0, last) => Some(format!("last {} kept", characters(last))),
        (first, last) => Some(format!("first {first} and last {} kept", characters(last))),
    };
    match (kept, email_domain) {
        (None, false) => "masked wholly".to_owned(),
        (None, true) => "masked up to the @, the e-mail domain kept".to_owned(),
        (Some(kept), false) => format!("{kept}, the rest masked"),
        (Some(kept), true) => format!("{kept}, the rest masked up to the @, the e-mail domain kept"),
    }
}

fn date(unit: DateUnit) -> String {
    match unit {
        DateUnit::Day => "only the day".to_owned(),
        DateUnit::Week => "only the week".to_owned(),
        DateUnit::Month => "only the month".to_owned(),
        DateUnit::Quarter => "only the quarter".to_owned(),
        DateUnit::Year => "only the year".to_owned(),
        DateUnit::Age { width: 1, at } => format!("age in years on {at}"),
        DateUnit::Age { width, at } => format!("age in bands of {width} years on {at}"),
    }
}

fn code(bottom: Option<f64>, top: Option<f64>, form: CodeForm) -> String {
    let said = |bound: f64, sign: &str| match form {
        CodeForm::Bound => format!("{bound}"),
        CodeForm::Label => format!("{bound}{sign}"),
    };
    let low = bottom.map(|bound| format!("{bound} and below shown as {}", said(bound, "-")));
    let high = top.map(|bound| format!("{bound} and above shown as {}", said(bound, "+")));
    let parts: Vec<String> = [low, high].into_iter().flatten().collect();
    if parts.is_empty() { "no bound".to_owned() } else { parts.join(", ") }
}
