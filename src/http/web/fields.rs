//! The fields of a dataset as a form: a row for each column, and what was typed read back without a word lost.

use std::collections::BTreeMap;

use crate::domain::Invalid;
use crate::domain::dataset::{Dataset, DiscoveredColumn, Field, FieldClass, LogicalType, SubjectMapping};
use crate::domain::purpose::CATEGORIES;
use crate::domain::text::{FieldName, Line};
use crate::policy::{catalogue, words as policy_words};

use super::form::Typed;
use super::parts::Choice;
use super::words;

/// What a row says of its column beside what can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowNote {
    /// Class and category are a guess from the name.
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
            Self::Suggested => "suggested by its name: check it",
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
    pub note: Option<RowNote>,
    /// What somebody else made of it meanwhile.
    pub other: String,
}

impl FieldRow {
    /// A column of a source, with what its name suggests.
    pub fn suggested(column: &DiscoveredColumn) -> Self {
        let found = catalogue::suggest(&column.name, column.logical);
        Self {
            name: column.name.clone(),
            logical: column.logical.key().to_owned(),
            taken: true,
            class: found.map(|found| found.class.key().to_owned()).unwrap_or_default(),
            category: found.map(|found| found.category.to_owned()).unwrap_or_default(),
            description: String::new(),
            note: found.map(|_| RowNote::Suggested),
            other: String::new(),
        }
    }

    /// A catalogued field.
    fn catalogued(field: &Field) -> Self {
        Self {
            name: field.name.to_string(),
            logical: field.logical.key().to_owned(),
            taken: true,
            class: field.class.key().to_owned(),
            category: field.category.to_string(),
            description: field.description.as_ref().map(ToString::to_string).unwrap_or_default(),
            note: None,
            other: String::new(),
        }
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
pub fn rows_of(dataset: &Dataset, columns: Option<&[DiscoveredColumn]>) -> Vec<FieldRow> {
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
    let new = new.map(|column| FieldRow { taken: false, note: Some(RowNote::New), ..FieldRow::suggested(column) });
    kept.chain(new).collect()
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
pub fn read(rows: &[FieldRow], typed: &Typed, errors: &mut Vec<Invalid>) -> Option<(Vec<Field>, SubjectMapping)> {
    let fields: Vec<Option<Field>> =
        rows.iter().enumerate().filter(|(_, row)| row.taken).map(|(at, row)| read_row(row, at, errors)).collect();
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

fn read_row(row: &FieldRow, at: usize, errors: &mut Vec<Invalid>) -> Option<Field> {
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
    let category = CATEGORIES.iter().find(|term| term.key == row.category).and_then(|term| term.key.parse().ok());
    if category.is_none() {
        wrong("category", "must be chosen");
    }
    let description = if row.description.is_empty() {
        Some(None)
    } else {
        row.description.parse::<Line>().map(Some).map_err(|error| wrong("description", &error.reason)).ok()
    };
    Some(Field { name: name?, logical: logical?, class: class?, category: category?, description: description? })
}

/// What a use case found wrong, put beside the field of the form that it is about. It counts the taken rows only.
pub fn placed(error: Invalid, rows: &[FieldRow]) -> Invalid {
    let part = |name: &str| match name {
        "class" | "category" | "description" => Some(name.to_owned()),
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
pub fn mark_other(rows: &mut [FieldRow], dataset: &Dataset) {
    for row in rows {
        let stored = dataset.field(&row.name);
        let same = match stored {
            None => !row.taken,
            Some(field) => {
                let theirs = FieldRow::catalogued(field);
                row.taken && theirs.class == row.class && theirs.category == row.category && theirs.description == row.description
            }
        };
        if !same {
            row.other = stored.map_or_else(|| "not in the dataset".to_owned(), told);
        }
    }
}

fn told(field: &Field) -> String {
    let description = field.description.as_ref().map(|text| format!(", “{text}”")).unwrap_or_default();
    format!("{}, {}{description}", words::class(&field.class), policy_words::category(&field.category))
}

/// The classes to choose from, each with what it means.
pub fn classes() -> Vec<Choice> {
    FieldClass::ALL.into_iter().map(|class| Choice::new(class.key(), words::class(&class)).hinted(words::class_means(&class))).collect()
}

/// The categories to choose from, each with what it is.
pub fn categories() -> Vec<Choice> {
    let special = |special: bool| if special { " (special category, Art. 9)" } else { "" };
    CATEGORIES.iter().map(|term| Choice::new(term.key, format!("{}{}", term.title, special(term.special)))).collect()
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
    let parts = [("take", ""), ("class", "class of "), ("category", "category of "), ("description", "description of ")];
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
