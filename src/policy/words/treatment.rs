//! Treatments in plain words, parameters included.

use crate::domain::detect::DataKind;
use crate::domain::treatment::{CodeForm, ConstantValue, DateUnit, GeoForm, GridForm, PseudonymFormat, Treatment};

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
        Treatment::DateShift { days } => {
            format!("moved by up to {} either way, by as many for every date of one person", counted((*days).into(), "day", "days"))
        }
        Treatment::RedactText { kinds } => {
            let kinds: Vec<&str> = kinds.iter().copied().map(DataKind::plural).collect();
            format!("{} replaced by marks, the rest of the text as it is", listed(&kinds))
        }
        Treatment::Noise { scale } => format!("changed by up to {scale} either way, always alike for one value of one person"),
        Treatment::Geo { form } => geo(form),
        Treatment::ReversibleToken { domain } => {
            let domain = domain.as_ref().map(|domain| format!(" of the domain {domain}")).unwrap_or_default();
            format!("token{domain} that a privacy officer here can turn back")
        }
        Treatment::GeneraliseHierarchy { hierarchy, version, level } => {
            format!("its text at level {level} of the hierarchy {hierarchy}, version {version}")
        }
    }
}

/// `a`, `a and b`, `a, b and c`.
fn listed(parts: &[&str]) -> String {
    match parts.split_last() {
        None => "nothing".to_owned(),
        Some((only, [])) => (*only).to_owned(),
        Some((last, front)) => format!("{} and {last}", front.join(", ")),
    }
}

fn geo(form: &GeoForm) -> String {
    let characters = |length: u8| counted(length.into(), "character", "characters");
    match form {
        GeoForm::PostalPrefix { length, small } if small.is_empty() => {
            format!("only the first {} of the postal code", characters(*length))
        }
        GeoForm::PostalPrefix { length, small } => {
            let areas = counted(u64::try_from(small.len()).unwrap_or(u64::MAX), "small area", "small areas");
            format!("only the first {} of the postal code, {areas} withheld", characters(*length))
        }
        GeoForm::Geohash { length } => format!("only the geohash cell of {}", characters(*length)),
        GeoForm::H3 { resolution } => format!("only the H3 cell at resolution {resolution}"),
    }
}

/// What a kind of treatment does and what it leaves, for whoever chooses it.
pub const fn help(treatment: &Treatment) -> &'static str {
    match treatment {
        Treatment::Withhold => "The field does not go out at all.",
        Treatment::Clear => "The values go out as they are.",
        Treatment::Constant { .. } => "Every row has this one value, also where the source has none.",
        Treatment::Mask { .. } => "A text that is too short to hide anything between its ends becomes asterisks only.",
        Treatment::Truncate { .. } => "The beginning stays readable, and rare beginnings still point to one person.",
        Treatment::Pseudonym { .. } => "One value, one pseudonym: the vendor can join its own tables, and nobody can join two vendors'.",
        Treatment::GeneraliseNumber { .. } => "The bands are fixed here, so that they tell nothing of the smallest and largest value.",
        Treatment::GeneraliseDate { .. } => "Calendar units in UTC. Ages are reckoned on a fixed day, so that they give no birthday away.",
        Treatment::Round { .. } => "To the nearest step; what lies half way goes to the even one.",
        Treatment::TopBottomCode { .. } => "Very large or very small values no longer stand out.",
        Treatment::DateShift { .. } => {
            "All dates of one person move by the same secret number of days, never by none. The time between them stays as it is."
        }
        Treatment::RedactText { .. } => {
            "What has the form of such data is found and replaced. Names and anything else in the text stay readable."
        }
        Treatment::Noise { .. } => {
            "A value of one person always gets the same noise, so that asking again tells no more. It is not differential privacy."
        }
        Treatment::Geo { .. } => {
            "What can't be read as a place is withheld and counted, and so are postal codes of areas listed as too small."
        }
        Treatment::ReversibleToken { .. } => {
            "One value, one token. A privacy officer here can turn it back, on record; the vendor can not. It tells the value's length roughly."
        }
        Treatment::GeneraliseHierarchy { .. } => {
            "A value gets the coarser text that the hierarchy has for it. A value that the hierarchy does not know is withheld and counted."
        }
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
