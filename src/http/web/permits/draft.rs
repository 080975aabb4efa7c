//! A permit as a form: what was typed becomes its terms, or an error beside each field that is wrong. Pure.
//!
//! `treatment.<field>` and `param.<field>.<setting>` say what happens to a field, `condition.<n>.…` which rows are
//! released. A field that the form does not name is withheld.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::domain::Invalid;
use crate::domain::condition::{Clause, Condition, MOST_CLAUSES, Operator, Part};
use crate::domain::dataset::Dataset;
use crate::domain::permit::{LegalBasis, MOST_DAILY_ROWS, MOST_DAILY_SUBJECTS, MOST_REQUESTS_PER_MINUTE, OpenHours, PermitTerms};
use crate::domain::text::{FieldName, Prose, Slug};
use crate::domain::time::Date;
use crate::domain::treatment::Treatment;
use crate::domain::vocabulary::Vocabulary;
use crate::http::web::form::Typed;

use super::treatments::{Row, Values, pairs};

/// What the fields are called that every permit has.
pub const LABELS: &[(&str, &str)] = &[
    ("key", "Key"),
    ("dataset", "Dataset"),
    ("purpose", "Purpose"),
    ("legal_basis", "Legal basis"),
    ("instruction", "Instruction"),
    ("starts_on", "First day"),
    ("ends_on", "Last day"),
    ("daily_rows", "Rows a day"),
    ("daily_subjects", "People a day"),
    ("requests_per_minute", "Requests a minute"),
    ("open_hours", "Hours"),
    ("fields", "Fields"),
    ("reason", "Reason"),
    ("confirm_clear", "Direct identifiers"),
];

/// Every legal basis, in the order of Art. 6(1).
pub const BASES: [LegalBasis; 6] = [
    LegalBasis::Consent,
    LegalBasis::Contract,
    LegalBasis::LegalObligation,
    LegalBasis::VitalInterests,
    LegalBasis::PublicTask,
    LegalBasis::LegitimateInterests,
];

/// How a row condition compares, with what it is called; those that need no value come last.
pub const OPERATORS: &[(&str, &str)] = &[
    ("eq", "is"),
    ("neq", "is not"),
    ("gt", "is more than"),
    ("gte", "is at least"),
    ("lt", "is less than"),
    ("lte", "is at most"),
    ("in", "is one of"),
    ("is_null", "has no value"),
    ("is_not_null", "has a value"),
    ("is_true", "is yes"),
    ("is_false", "is no"),
];

/// What a form says.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The treatments that can be read, the withheld fields too: what a preview is made of.
    pub fields: BTreeMap<FieldName, Treatment>,
    /// The clauses that can be read.
    pub condition: Condition,
    /// The terms; none while anything is wrong.
    pub terms: Option<PermitTerms>,
    pub errors: Vec<Invalid>,
}

/// A row of the condition as it was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClauseRow {
    pub at: usize,
    /// Whether it is an alternative to the row before it.
    pub or: bool,
    pub field: String,
    pub op: String,
    pub values: String,
}

/// The rows of the condition that hold something, in order.
pub fn clause_rows(typed: &Typed) -> Vec<ClauseRow> {
    let values = Values::of(typed);
    let sent = |at: usize, part: &str| values.sent(&format!("condition.{at}.{part}")).unwrap_or_default().to_owned();
    // A form has as many rows as it was shown with; more than the most are read so that they can be refused.
    let row =
        |at| ClauseRow { at, or: sent(at, "joined") == "or", field: sent(at, "field"), op: sent(at, "op"), values: sent(at, "values") };
    let rows = (0..=MOST_CLAUSES).map(row);
    rows.filter(|row| !row.field.is_empty() || !row.values.is_empty()).collect()
}

/// Reads a form about a dataset under an agreement with these documented instructions.
pub fn read(typed: &Typed, dataset: &Dataset, instructions: &[Prose], vocabulary: &Vocabulary) -> Draft {
    let values = Values::of(typed);
    let mut errors = Vec::new();
    let mut fields = BTreeMap::new();
    for field in &dataset.fields {
        match Row::of(&values, field).read() {
            Ok(treatment) => {
                fields.insert(field.name.clone(), treatment);
            }
            Err(error) => errors.push(error),
        }
    }
    let condition = condition(typed, dataset, &mut errors);
    let purpose = one::<Slug>(&values, "purpose", &mut errors);
    if purpose.as_ref().is_some_and(|key| vocabulary.purpose(key).is_none()) {
        errors.push(Invalid::new("purpose", "must be one of those shown"));
    }
    let basis = BASES.into_iter().find(|basis| Some(basis.key()) == values.sent("legal_basis"));
    if basis.is_none() {
        errors.push(Invalid::new("legal_basis", "must be chosen"));
    }
    let instruction = instruction(&values, instructions, &mut errors);
    let daily_rows = daily_rows(&values, &mut errors);
    let daily_subjects = limit(&values, "daily_subjects", MOST_DAILY_SUBJECTS, &mut errors);
    let requests_per_minute = limit(&values, "requests_per_minute", MOST_REQUESTS_PER_MINUTE, &mut errors);
    let open_hours = some::<OpenHours>(&values, "open_hours", &mut errors);
    let starts_on = some::<Date>(&values, "starts_on", &mut errors);
    let ends_on = some::<Date>(&values, "ends_on", &mut errors);
    if let (Some(start), Some(end)) = (starts_on, ends_on)
        && end < start
    {
        errors.push(Invalid::new("ends_on", "must not be before the first day"));
    }
    if errors.is_empty() && fields.values().all(|treatment| matches!(treatment, Treatment::Withhold)) {
        errors.push(Invalid::new("fields", "must not all be withheld: choose a treatment for at least one"));
    }
    let terms = match (purpose, basis, daily_rows) {
        (Some(purpose), Some(legal_basis), Some(daily_rows)) if errors.is_empty() => Some(PermitTerms {
            dataset: dataset.name.clone(),
            purpose,
            legal_basis,
            instruction,
            // What is withheld is not named, as it was not before a form was made of it.
            fields: fields
                .iter()
                .filter(|(_, treatment)| !matches!(treatment, Treatment::Withhold))
                .map(|(name, treatment)| (name.clone(), treatment.clone()))
                .collect(),
            condition: condition.clone(),
            daily_rows,
            daily_subjects,
            requests_per_minute,
            open_hours,
            starts_on,
            ends_on,
        }),
        _ => None,
    };
    Draft { fields, condition, terms, errors }
}

fn one<T: FromStr<Err = Invalid>>(values: &Values<'_>, name: &str, errors: &mut Vec<Invalid>) -> Option<T> {
    match values.sent(name).filter(|value| !value.is_empty()) {
        Some(value) => value.parse().map_err(|error: Invalid| errors.push(Invalid::new(name, error.reason))).ok(),
        None => {
            errors.push(Invalid::new(name, "must be chosen"));
            None
        }
    }
}

fn some<T: FromStr<Err = Invalid>>(values: &Values<'_>, name: &str, errors: &mut Vec<Invalid>) -> Option<T> {
    let value = values.sent(name).filter(|value| !value.is_empty())?;
    value.parse().map_err(|error: Invalid| errors.push(Invalid::new(name, error.reason))).ok()
}

/// One of the agreement's instructions: browsers send its line breaks as two characters.
fn instruction(values: &Values<'_>, instructions: &[Prose], errors: &mut Vec<Invalid>) -> Option<Prose> {
    let cited = values.sent("instruction").filter(|value| !value.is_empty())?;
    let plain = |text: &str| text.replace("\r\n", "\n");
    let known = instructions.iter().find(|known| plain(known.as_str()) == plain(cited));
    if known.is_none() {
        errors.push(Invalid::new("instruction", "must be one of the agreement's documented instructions"));
    }
    known.cloned()
}

fn daily_rows(values: &Values<'_>, errors: &mut Vec<Invalid>) -> Option<u64> {
    let rows = whole(values.sent("daily_rows").unwrap_or_default()).filter(|rows| (1..=MOST_DAILY_ROWS).contains(rows));
    if rows.is_none() {
        errors.push(Invalid::new("daily_rows", "must be a whole number of at least 1; pause the permit to release nothing"));
    }
    rows
}

/// A limit that need not be there.
fn limit(values: &Values<'_>, name: &str, most: u64, errors: &mut Vec<Invalid>) -> Option<u64> {
    let value = values.sent(name).filter(|value| !value.is_empty())?;
    let limit = whole(value).filter(|limit| (1..=most).contains(limit));
    if limit.is_none() {
        errors.push(Invalid::new(name, format!("must be a whole number from 1 to {most}, or empty")));
    }
    limit
}

/// A whole number: people write large ones with separators.
fn whole(text: &str) -> Option<u64> {
    let digits: String = text.chars().filter(|sign| !matches!(sign, ' ' | ',' | '\u{a0}' | '\u{202f}')).collect();
    digits.parse().ok()
}

fn condition(typed: &Typed, dataset: &Dataset, errors: &mut Vec<Invalid>) -> Condition {
    let rows = clause_rows(typed);
    if rows.len() > MOST_CLAUSES {
        errors.push(Invalid::new(format!("condition.{MOST_CLAUSES}.field"), format!("is too many: at most {MOST_CLAUSES} conditions")));
    }
    let mut all: Vec<Part> = Vec::new();
    for together in rows.get(..MOST_CLAUSES).unwrap_or(&rows).chunk_by(|_, next| next.or) {
        let mut any = Vec::with_capacity(together.len());
        for row in together {
            match clause(row, dataset) {
                Ok(clause) => any.push(clause),
                Err((part, reason)) => errors.push(Invalid::new(format!("condition.{}.{part}", row.at), reason)),
            }
        }
        match <[Clause; 1]>::try_from(any) {
            Ok([clause]) => all.push(Part::Clause(clause)),
            Err(any) if any.is_empty() => {}
            Err(any) => all.push(Part::Any { any }),
        }
    }
    Condition { all }
}

/// The row of the form that a clause of the condition was made of: the parts as they are counted, and its alternatives.
fn row_at(typed: &Typed, part: usize, alternative: usize) -> Option<usize> {
    let rows = clause_rows(typed);
    rows.chunk_by(|_, next| next.or).nth(part)?.get(alternative).map(|row| row.at)
}

fn clause(row: &ClauseRow, dataset: &Dataset) -> Result<Clause, (&'static str, String)> {
    let field = dataset.field(&row.field).ok_or_else(|| ("field", "must be a field of the dataset".to_owned()))?;
    let (op, values) = match row.op.as_str() {
        "is_null" => (Operator::Is, vec!["null".to_owned()]),
        "is_not_null" => (Operator::Is, vec!["not_null".to_owned()]),
        "is_true" => (Operator::Is, vec!["true".to_owned()]),
        "is_false" => (Operator::Is, vec!["false".to_owned()]),
        "in" => {
            let lines = row.values.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty());
            (Operator::In, lines.collect())
        }
        op => match Operator::from_key(op).filter(|op| *op != Operator::Is) {
            Some(op) => (op, vec![row.values.clone()]),
            None => return Err(("op", "must be one of those shown".to_owned())),
        },
    };
    let clause = Clause { field: field.name.clone(), op, values };
    let typed = Condition { all: vec![Part::Clause(clause.clone())] }.typed(|name| dataset.field(name.as_str()).map(|field| field.logical));
    typed.map(|_| clause).map_err(|error| ("values", error.reason))
}

/// The form as the terms stand.
pub fn filled(terms: &PermitTerms) -> Typed {
    let mut typed = Typed::default()
        .with("dataset", &terms.dataset)
        .with("purpose", &terms.purpose)
        .with("legal_basis", terms.legal_basis.key())
        .with("daily_rows", terms.daily_rows);
    let given = [
        ("instruction", terms.instruction.as_ref().map(ToString::to_string)),
        ("daily_subjects", terms.daily_subjects.map(|limit| limit.to_string())),
        ("requests_per_minute", terms.requests_per_minute.map(|limit| limit.to_string())),
        ("open_hours", terms.open_hours.as_ref().map(ToString::to_string)),
        ("starts_on", terms.starts_on.map(|day| day.to_string())),
        ("ends_on", terms.ends_on.map(|day| day.to_string())),
    ];
    for (name, value) in given {
        typed = value.into_iter().fold(typed, |typed, value| typed.with(name, value));
    }
    for (name, treatment) in &terms.fields {
        typed = typed.with(&format!("treatment.{name}"), treatment.key()).with(&format!("was.{name}"), treatment.key());
        for (setting, value) in pairs(treatment) {
            typed = typed.with(&format!("param.{name}.{setting}"), value);
        }
    }
    let joined = terms.condition.all.iter().flat_map(|part| part.clauses().iter().enumerate());
    for (at, (alternative, clause)) in joined.enumerate() {
        let (op, values) = clause_words(clause);
        typed = typed
            .with(&format!("condition.{at}.joined"), if alternative > 0 { "or" } else { "and" })
            .with(&format!("condition.{at}.field"), &clause.field)
            .with(&format!("condition.{at}.op"), op)
            .with(&format!("condition.{at}.values"), values);
    }
    typed
}

fn clause_words(clause: &Clause) -> (&'static str, String) {
    match (clause.op, clause.values.first().map(String::as_str)) {
        (Operator::Is, Some("not_null")) => ("is_not_null", String::new()),
        (Operator::Is, Some("true")) => ("is_true", String::new()),
        (Operator::Is, Some("false")) => ("is_false", String::new()),
        (Operator::Is, Some(_) | None) => ("is_null", String::new()),
        (op, _) => (op.key(), clause.values.join("\n")),
    }
}

/// The place in the form of what the rules say of the terms that it was read as.
pub fn placed(typed: &Typed, error: Invalid) -> Invalid {
    let field = match error.field.strip_prefix("fields.") {
        Some(rest) => match rest.rsplit_once('.') {
            Some((name, "kind")) => format!("treatment.{name}"),
            Some((name, setting)) => format!("param.{name}.{setting}"),
            None => format!("treatment.{rest}"),
        },
        None => placed_clause(typed, &error.field).unwrap_or(error.field),
    };
    Invalid { field, reason: error.reason }
}

/// `condition.all[2].any[1].values` as the row that says it.
fn placed_clause(typed: &Typed, path: &str) -> Option<String> {
    let (part, rest) = path.strip_prefix("condition.all[")?.split_once(']')?;
    let (alternative, rest) = match rest.strip_prefix(".any[") {
        Some(rest) => rest.split_once(']')?,
        None => ("0", rest),
    };
    let at = row_at(typed, part.parse().ok()?, alternative.parse().ok()?)?;
    Some(format!("condition.{at}{rest}"))
}

/// What a field of the form is called, those of the matrix too.
pub fn label(field: &str) -> String {
    if let Some((_, label)) = LABELS.iter().find(|(name, _)| *name == field) {
        return (*label).to_owned();
    }
    if let Some(name) = field.strip_prefix("treatment.") {
        return format!("The treatment of {name}");
    }
    if let Some((name, setting)) = field.strip_prefix("param.").and_then(|rest| rest.rsplit_once('.')) {
        return format!("“{}” of {name}", super::treatments::setting_label(setting));
    }
    match field.strip_prefix("condition.").and_then(|rest| rest.split_once('.')).and_then(|(at, _)| at.parse::<usize>().ok()) {
        Some(at) => format!("Condition {}", at.saturating_add(1)),
        None => field.to_owned(),
    }
}
