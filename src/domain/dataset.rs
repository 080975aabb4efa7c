//! Sources, and the datasets catalogued in them: fields classed, the subject mapped.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Invalid;
use super::advice::Advice;
use super::id::{DatasetId, SourceId};
use super::text::{FieldName, Line, Slug};
use super::time::Instant;
use super::vocabulary::Vocabulary;

pub use super::source::{Source, SourceLocation};

/// What a column holds, whatever the source calls it. Equal logical types give equal pseudonyms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogicalType {
    Text,
    /// Whole number of 64 bits.
    Integer,
    /// IEEE 754 binary64.
    Number,
    /// Exact decimal; on the wire a string.
    Decimal,
    Boolean,
    Date,
    /// A point in time, in UTC, to the microsecond.
    Timestamp,
    /// Something that can only be withheld (binary, lists, structs).
    Other,
}

impl LogicalType {
    /// The wire name; also the type tag under a pseudonym.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Decimal => "decimal",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::Other => "other",
        }
    }

    /// Every type.
    pub const ALL: [Self; 8] =
        [Self::Text, Self::Integer, Self::Number, Self::Decimal, Self::Boolean, Self::Date, Self::Timestamp, Self::Other];

    /// Reads the wire name.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|logical| logical.key() == key)
    }

    /// Whether it counts or measures.
    pub const fn is_numeric(self) -> bool {
        matches!(self, Self::Integer | Self::Number | Self::Decimal)
    }

    /// Whether it lies in the calendar.
    pub const fn is_temporal(self) -> bool {
        matches!(self, Self::Date | Self::Timestamp)
    }
}

/// How far a field leads to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldClass {
    /// Names the person: e-mail, phone, customer number.
    DirectIdentifier,
    /// Names the person together with others: birth date, postal code.
    QuasiIdentifier,
    /// Hurts when known: health, income, notes.
    Sensitive,
    Plain,
}

impl FieldClass {
    /// Every class, the most telling first.
    pub const ALL: [Self; 4] = [Self::DirectIdentifier, Self::QuasiIdentifier, Self::Sensitive, Self::Plain];

    /// Reads the wire name.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.key() == key)
    }

    /// The wire name.
    pub const fn key(self) -> &'static str {
        match self {
            Self::DirectIdentifier => "direct_identifier",
            Self::QuasiIdentifier => "quasi_identifier",
            Self::Sensitive => "sensitive",
            Self::Plain => "plain",
        }
    }
}

/// A catalogued field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Field {
    pub name: FieldName,
    #[serde(rename = "type")]
    pub logical: LogicalType,
    pub class: FieldClass,
    /// Data category of the vocabulary; a permit may release the field only under an agreement that names it.
    pub category: Slug,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Line>,
    /// What the steward advises where a permit is written: offered there, withheld until it is chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<Advice>,
}

/// Which field says whose row it is, and in which subject domain its keys compare.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubjectMapping {
    pub field: FieldName,
    pub domain: Slug,
}

/// A catalogued table of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Dataset {
    pub id: DatasetId,
    /// Unique; vendors ask for it by this name.
    pub name: Slug,
    pub source: SourceId,
    /// The table within the source; files have one, named as the file without its ending.
    pub table: FieldName,
    pub fields: Vec<Field>,
    pub subject: SubjectMapping,
    pub created_at: Instant,
    pub version: i64,
}

/// The most fields a dataset may have.
pub const MOST_FIELDS: usize = 1_000;

impl Dataset {
    /// The field of that name, spelt exactly.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name.as_str() == name)
    }

    /// The logical type of the subject's key.
    pub fn subject_type(&self) -> Option<LogicalType> {
        self.field(self.subject.field.as_str()).map(|field| field.logical)
    }
}

/// Checks a dataset's fields and subject before it is kept. What `stood` in the dataset may stay of a retired category.
pub fn check_fields(fields: &[Field], subject: &SubjectMapping, vocabulary: &Vocabulary, stood: &[Field]) -> Result<(), Invalid> {
    if fields.is_empty() || fields.len() > MOST_FIELDS {
        return Err(Invalid::new("fields", format!("must be 1 to {MOST_FIELDS}")));
    }
    let stood: BTreeSet<Slug> = stood.iter().map(|field| field.category.clone()).collect();
    for (at, field) in fields.iter().enumerate() {
        vocabulary.check_category(&field.category, &stood).map_err(|error| error.within(&format!("fields[{at}]")))?;
        if field.advice.is_some_and(|advice| !advice.fits(field.logical)) {
            return Err(Invalid::new(format!("fields[{at}].advice"), "must fit the field's type"));
        }
        let twin = |other: &Field| other.name.as_str().to_lowercase() == field.name.as_str().to_lowercase();
        if fields.iter().take(at).any(twin) {
            return Err(Invalid::new(format!("fields[{at}].name"), "is there twice (case aside)"));
        }
    }
    let key = fields.iter().find(|field| field.name == subject.field);
    match key.map(|field| field.logical) {
        None => Err(Invalid::new("subject.field", "must be one of the fields")),
        Some(LogicalType::Text | LogicalType::Integer) => Ok(()),
        Some(
            LogicalType::Number
            | LogicalType::Decimal
            | LogicalType::Boolean
            | LogicalType::Date
            | LogicalType::Timestamp
            | LogicalType::Other,
        ) => Err(Invalid::new("subject.field", "must be of type text or integer")),
    }
}

/// How a column stands in its source beside what is catalogued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColumnState {
    AsCatalogued,
    /// It is of another type now.
    OtherType,
    /// It is not there any more, or there twice, so that nobody can tell which is meant.
    Gone,
    /// The source has it and the catalogue does not: it is withheld from everyone.
    New,
}

/// A column as catalogued and as the source has it now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ColumnNow {
    pub name: String,
    pub catalogued: Option<LogicalType>,
    pub now: Option<LogicalType>,
    pub state: ColumnState,
}

/// A table as discovery sees it in a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DiscoveredTable {
    pub name: String,
    pub columns: Vec<DiscoveredColumn>,
}

/// A column as discovery sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DiscoveredColumn {
    pub name: String,
    #[serde(rename = "type")]
    pub logical: LogicalType,
}
