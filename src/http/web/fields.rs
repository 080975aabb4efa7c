//! The fields of a dataset as a form: a row for each column, and what was typed read back without a word lost.

use std::collections::{BTreeMap, BTreeSet};

use crate::app::catalogue::SuggestedColumn;
use crate::domain::Invalid;
use crate::domain::advice::Advice;
use crate::domain::dataset::{Dataset, DiscoveredColumn, Field, FieldClass, LogicalType, SubjectMapping};
use crate::domain::text::{FieldName, Line, Slug};
use crate::domain::vocabulary::Vocabulary;
use crate::policy::words as policy_words;

use super::agreements::clauses::capital;
use super::form::Typed;
use super::parts::Choice;
use super::words;

/// What a row says of its column beside what can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowNote {
    /// Class, category and advice are a guess from name and values, until a steward confirms them.
    Suggested,
    /// The source has it, the catalogue does not.
    New,
    /// The source has it no more.
    Gone,
    /// The source has it with this type now; the catalogue had the one before.
    OtherType,
}

impl RowNote {
    const ALL: [Self; 4] = [Self::Suggested, Self::New, Self::Gone, Self::OtherType];

    /// The name in the form.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Suggested => "suggested",
            Self::New => "new",
            Self::Gone => "gone",
            Self::OtherType => "other-type",
        }
    }

    /// In a few words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Suggested => "suggested: check and confirm it",
            Self::New => "new in the source",
            Self::Gone => "not in the source any more",
            Self::OtherType => "another type than before",
        }
    }
}

/// A column in the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldRow {
    pub name: String,
    /// The wire name of its type as the source has it.
    pub logical: String,
    /// Whether it is to be in the dataset.
    pub taken: bool,
    /// Wire names; empty while nothing is chosen.
    pub class: String,
    pub category: String,
    pub description: String,
    /// Wire name of what is offered where a permit is written; empty for nothing.
    pub advice: String,
    /// Whether a steward has confirmed what was suggested.
    pub confirmed: bool,
    /// Why it is suggested.
    pub evidence: Vec<String>,
    /// A few values, shown and never sent back.
    pub samples: Vec<String>,
    pub note: Option<RowNote>,
    /// What somebody else made of it meanwhile.
    pub other: String,
}

impl FieldRow {
    /// A column of a source, with what it suggests.
    pub fn suggested(column: &SuggestedColumn) -> Self {
        let found = &column.suggestion;
        Self {
            class: found.class.map(|class| class.key().to_owned()).unwrap_or_default(),
            category: found.category.map(str::to_owned).unwrap_or_default(),
            advice: found.advice.map(|advice| advice.key().to_owned()).unwrap_or_default(),
            evidence: found.evidence.clone(),
            samples: column.samples.clone(),
            note: found.class.map(|_| RowNote::Suggested),
            ..Self::plain(&column.name, column.logical)
        }
    }

    /// A column of which nothing is known but its type.
    fn plain(name: &str, logical: LogicalType) -> Self {
        Self {
            name: name.to_owned(),
            logical: logical.key().to_owned(),
            taken: true,
            class: String::new(),
            category: String::new(),
            description: String::new(),
            advice: String::new(),
            confirmed: false,
            evidence: Vec::new(),
            samples: Vec::new(),
            note: None,
            other: String::new(),
        }
    }

    /// A catalogued field.
    fn catalogued(field: &Field) -> Self {
        Self {
            class: field.class.key().to_owned(),
            category: field.category.to_string(),
            description: field.description.as_ref().map(ToString::to_string).unwrap_or_default(),
            advice: field.advice.map(|advice| advice.key().to_owned()).unwrap_or_default(),
            ..Self::plain(field.name.as_str(), field.logical)
        }
    }

    /// What may be offered where a permit is written: what fits its type.
    pub fn advices(&self) -> Vec<Choice> {
        let Some(logical) = LogicalType::from_key(&self.logical) else { return Vec::new() };
        let fitting = Advice::ALL.into_iter().filter(|advice| advice.fits(logical));
        fitting.map(|advice| Choice::new(advice.key(), capital(&policy_words::treatment(&advice.treatment())))).collect()
    }

    /// Whether its values are hidden until somebody asks: they name a person.
    pub fn is_covered(&self) -> bool {
        FieldClass::from_key(&self.class) == Some(FieldClass::DirectIdentifier)
    }

    /// The shape of its first value: what stands where, and not what it is.
    pub fn covered(&self) -> String {
        let cover = |sign: char| if sign.is_alphanumeric() { '•' } else { sign };
        self.samples.first().map(|value| value.chars().map(cover).collect()).unwrap_or_default()
    }

    /// Whether it waits for a steward's word.
    pub fn is_open(&self) -> bool {
        self.note == Some(RowNote::Suggested)
    }

    /// The type in words.
    pub fn type_words(&self) -> &'static str {
        LogicalType::from_key(&self.logical).map_or("unknown", policy_words::logical)
    }

    /// Whether it may say whose row it is: the keys of persons are texts or whole numbers.
    fn is_key(&self) -> bool {
        matches!(LogicalType::from_key(&self.logical), Some(LogicalType::Text | LogicalType::Integer))
    }
}

/// The rows of a dataset that is edited: its fields as they are, beside the columns that the source has now, where it
/// could be read.
pub fn rows_of(dataset: &Dataset, columns: Option<&[DiscoveredColumn]>, suggested: &[SuggestedColumn]) -> Vec<FieldRow> {
    let Some(columns) = columns else { return dataset.fields.iter().map(FieldRow::catalogued).collect() };
    let now = |name: &str| columns.iter().find(|column| column.name == name);
    let kept = dataset.fields.iter().map(|field| {
        let row = FieldRow::catalogued(field);
        match now(field.name.as_str()) {
            None => FieldRow { taken: false, note: Some(RowNote::Gone), ..row },
            Some(column) if column.logical != field.logical => {
                FieldRow { logical: column.logical.key().to_owned(), note: Some(RowNote::OtherType), ..row }
            }
            Some(_) => row,
        }
    });
    let new = columns.iter().filter(|column| dataset.field(&column.name).is_none());
    let row = |column: &DiscoveredColumn| {
        let found = suggested.iter().find(|found| found.name == column.name);
        found.map_or_else(|| FieldRow::plain(&column.name, column.logical), FieldRow::suggested)
    };
    let new = new.map(|column| FieldRow { taken: false, note: Some(RowNote::New), ..row(column) });
    kept.chain(new).collect()
}

/// Puts what was seen of each column beside its row again: evidence and samples are shown, and never sent back.
pub fn show_again(rows: &mut [FieldRow], seen: &[SuggestedColumn]) {
    let of: BTreeMap<&str, &SuggestedColumn> = seen.iter().map(|column| (column.name.as_str(), column)).collect();
    for row in rows {
        if let Some(column) = of.get(row.name.as_str()) {
            row.evidence.clone_from(&column.suggestion.evidence);
            row.samples.clone_from(&column.samples);
        }
    }
}

/// Confirms every suggestion that was shown.
pub fn confirm_all(rows: &mut [FieldRow]) {
    rows.iter_mut().filter(|row| row.is_open()).for_each(|row| row.confirmed = true);
}

/// The rows as they were typed.
pub fn typed_rows(typed: &Typed) -> Vec<FieldRow> {
    // Looked up by name, row after row: a walk through all pairs for each would be slow where a table is wide.
    let pairs: BTreeMap<&str, &str> = typed.pairs().iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let value = |name: &str, at: usize| pairs.get(format!("{name}-{at}").as_str()).map(|value| (*value).to_owned());
    let row = |at: usize| {
        Some(FieldRow {
            name: value("name", at)?,
            logical: value("type", at).unwrap_or_default(),
            taken: value("take", at).is_some(),
            class: value("class", at).unwrap_or_default(),
            category: value("category", at).unwrap_or_default(),
            description: value("description", at).unwrap_or_default().trim().to_owned(),
            advice: value("advice", at).unwrap_or_default(),
            confirmed: value("confirm", at).is_some(),
            evidence: Vec::new(),
            samples: Vec::new(),
            note: value("note", at).and_then(|key| RowNote::ALL.into_iter().find(|note| note.key() == key)),
            other: String::new(),
        })
    };
    (0..).map_while(row).collect()
}

/// Sets class and category of the rows that are taken and have none yet.
pub fn fill_open(rows: &mut [FieldRow], class: &str, category: &str) {
    for row in rows.iter_mut().filter(|row| row.taken) {
        if row.class.is_empty() {
            class.clone_into(&mut row.class);
        }
        if row.category.is_empty() {
            category.clone_into(&mut row.category);
        }
    }
}

/// Fields and subject, read from the rows that are taken; an error is put beside its field of the form.
pub fn read(rows: &[FieldRow], typed: &Typed, vocabulary: &Vocabulary, errors: &mut Vec<Invalid>) -> Option<(Vec<Field>, SubjectMapping)> {
    let fields: Vec<Option<Field>> =
        rows.iter().enumerate().filter(|(_, row)| row.taken).map(|(at, row)| read_row(row, at, vocabulary, errors)).collect();
    if fields.is_empty() {
        errors.push(Invalid::new("take-0", "must be ticked for at least one field"));
    }
    let subject = typed.value("subject").parse::<FieldName>().ok();
    if subject.is_none() {
        errors.push(Invalid::new("subject", "must be chosen"));
    }
    let (named, made) = (typed.value("domain"), typed.value("new_domain"));
    let (at, domain) = if named.is_empty() { ("new_domain", made) } else { ("domain", named) };
    let domain = if domain.is_empty() {
        errors.push(Invalid::new("new_domain", "must be named, unless one above is chosen"));
        None
    } else if !named.is_empty() && !made.is_empty() {
        errors.push(Invalid::new("new_domain", "must be empty where one above is chosen"));
        None
    } else {
        domain.parse().map_err(|error: Invalid| errors.push(Invalid::new(at, error.reason))).ok()
    };
    let fields = fields.into_iter().collect::<Option<Vec<Field>>>().filter(|fields| !fields.is_empty())?;
    Some((fields, SubjectMapping { field: subject?, domain: domain? }))
}

fn read_row(row: &FieldRow, at: usize, vocabulary: &Vocabulary, errors: &mut Vec<Invalid>) -> Option<Field> {
    let mut wrong = |field: &str, reason: &str| errors.push(Invalid::new(format!("{field}-{at}"), reason));
    let name = row.name.parse::<FieldName>().map_err(|error| wrong("take", &error.reason)).ok();
    let logical = LogicalType::from_key(&row.logical);
    if logical.is_none() {
        wrong("take", "has no type that is known: read the page again");
    }
    let class = FieldClass::from_key(&row.class);
    if class.is_none() {
        wrong("class", "must be chosen");
    }
    let category = row.category.parse::<Slug>().ok().filter(|key| vocabulary.category(key).is_some());
    if category.is_none() {
        wrong("category", "must be chosen");
    }
    if row.is_open() && !row.confirmed {
        wrong("confirm", "must be confirmed: look at it, change what is wrong, and tick it");
        return None;
    }
    let advice = if row.advice.is_empty() { Some(None) } else { Advice::from_key(&row.advice).map(Some) };
    if advice.is_none() {
        wrong("advice", "must be one of those shown");
    }
    let description = if row.description.is_empty() {
        Some(None)
    } else {
        row.description.parse::<Line>().map(Some).map_err(|error| wrong("description", &error.reason)).ok()
    };
    Some(Field { name: name?, logical: logical?, class: class?, category: category?, description: description?, advice: advice? })
}

/// What a use case found wrong, put beside the field of the form that it is about. It counts the taken rows only.
pub fn placed(error: Invalid, rows: &[FieldRow]) -> Invalid {
    let part = |name: &str| match name {
        "class" | "category" | "description" | "advice" => Some(name.to_owned()),
        "name" | "type" => Some("take".to_owned()),
        _ => None,
    };
    let row = error.field.strip_prefix("fields[").and_then(|rest| rest.split_once("]."));
    if let Some((at, name)) = row
        && let (Ok(at), Some(name)) = (at.parse::<usize>(), part(name))
        && let Some((place, _)) = rows.iter().enumerate().filter(|(_, row)| row.taken).nth(at)
    {
        return Invalid::new(format!("{name}-{place}"), error.reason);
    }
    let field = match error.field.as_str() {
        "subject" | "subject.field" => "subject",
        "subject.domain" => "domain",
        "name" => "name",
        "fields" => "take-0",
        _ => "",
    };
    // A sentence that stands alone names what it is about.
    let reason = if field.is_empty() { format!("The source {}", error.reason) } else { error.reason };
    Invalid::new(field, reason)
}

/// What somebody else made of each field meanwhile, told in the rows that say otherwise.
pub fn mark_other(rows: &mut [FieldRow], dataset: &Dataset, vocabulary: &Vocabulary) {
    for row in rows {
        let stored = dataset.field(&row.name);
        let same = match stored {
            None => !row.taken,
            Some(field) => {
                let theirs = FieldRow::catalogued(field);
                let same = |own: &FieldRow| (own.class.clone(), own.category.clone(), own.description.clone(), own.advice.clone());
                row.taken && same(&theirs) == same(row)
            }
        };
        if !same {
            row.other = stored.map_or_else(|| "not in the dataset".to_owned(), |field| told(field, vocabulary));
        }
    }
}

fn told(field: &Field, vocabulary: &Vocabulary) -> String {
    let description = field.description.as_ref().map(|text| format!(", “{text}”")).unwrap_or_default();
    let advice = field.advice.map(|advice| format!("; advised: {}", policy_words::treatment(&advice.treatment()))).unwrap_or_default();
    format!("{}, {}{description}{advice}", words::class(&field.class), policy_words::category(vocabulary, &field.category))
}

/// The classes to choose from, each with what it means.
pub fn classes() -> Vec<Choice> {
    FieldClass::ALL.into_iter().map(|class| Choice::new(class.key(), words::class(&class)).hinted(words::class_means(&class))).collect()
}

/// The categories to choose from, each with what it is; of the retired ones those that a row has.
pub fn categories(rows: &[FieldRow], vocabulary: &Vocabulary) -> Vec<Choice> {
    let special = |special: bool| if special { " (special category, Art. 9)" } else { "" };
    let chosen: BTreeSet<&str> = rows.iter().map(|row| row.category.as_str()).collect();
    let listed = vocabulary.categories().iter().filter(|one| one.term.is_offered() || chosen.contains(one.term.key.as_str()));
    listed.map(|one| Choice::new(one.term.key.as_str(), format!("{}{}", one.term.title, special(one.special)))).collect()
}

/// The fields that may say whose row it is.
pub fn keys(rows: &[FieldRow]) -> Vec<Choice> {
    rows.iter().filter(|row| row.is_key()).map(|row| Choice::new(&row.name, &row.name)).collect()
}

/// The name of a row's field in the form.
pub fn cell(part: &str, at: impl std::fmt::Display) -> String {
    format!("{part}-{at}")
}

/// What the fields of the form are called, for the summary of what is wrong.
pub fn labels(rows: &[FieldRow]) -> Vec<(String, String)> {
    let parts = [
        ("take", ""),
        ("class", "class of "),
        ("category", "category of "),
        ("description", "description of "),
        ("advice", "advice for "),
        ("confirm", "suggestion for "),
    ];
    let mut labels = vec![];
    for (at, row) in rows.iter().enumerate() {
        labels.extend(parts.iter().map(|(part, words)| (format!("{part}-{at}"), format!("The {words}{}", quoted(&row.name)))));
    }
    let fixed = [
        ("name", "Name"),
        ("subject", "Field that says whose row it is"),
        ("domain", "Subject domain"),
        ("new_domain", "Name of a new subject domain"),
    ];
    labels.extend(fixed.into_iter().map(|(name, label)| (name.to_owned(), label.to_owned())));
    labels
}

fn quoted(name: &str) -> String {
    format!("field “{name}”")
}

#[cfg(test)]
mod tests;
