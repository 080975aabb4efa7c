//! The terms that the house added to the vocabulary: kept as they were written, retired and restored, never removed.

use diesel::prelude::*;

use crate::domain::Instant;
use crate::domain::text::Slug;
use crate::domain::vocabulary::{Category, Purpose, Term, TermKind, Vocabulary};

use super::Tx;
use super::column::{instant, parse};
use super::error::StoreError;
use super::schema::vocabulary_terms;

const NOUN: &str = "vocabulary";

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = vocabulary_terms)]
struct TermRow {
    kind: String,
    key: String,
    title: String,
    description: String,
    direct_marketing: bool,
    sale: bool,
    special: bool,
    created_at: i64,
    retired_at: Option<i64>,
}

impl TermRow {
    fn of(kind: TermKind, term: &Term, at: Instant) -> Self {
        Self {
            kind: kind.key().to_owned(),
            key: term.key.to_string(),
            title: term.title.to_string(),
            description: term.description.as_ref().map(ToString::to_string).unwrap_or_default(),
            direct_marketing: false,
            sale: false,
            special: false,
            created_at: at.micros(),
            retired_at: term.retired_at.map(Instant::micros),
        }
    }

    fn read(self) -> Result<(Term, Flags), StoreError> {
        let flags = Flags { direct_marketing: self.direct_marketing, sale: self.sale, special: self.special };
        let term = Term {
            key: parse(NOUN, self.key)?,
            title: parse(NOUN, self.title)?,
            description: Some(self.description).filter(|text| !text.is_empty()).map(|text| parse(NOUN, text)).transpose()?,
            own: true,
            retired_at: instant(self.retired_at),
        };
        Ok((term, flags))
    }

    fn purpose(self) -> Result<Purpose, StoreError> {
        self.read().map(|(term, Flags { direct_marketing, sale, .. })| Purpose { term, direct_marketing, sale })
    }

    fn category(self) -> Result<Category, StoreError> {
        self.read().map(|(term, Flags { special, .. })| Category { term, special })
    }
}

struct Flags {
    direct_marketing: bool,
    sale: bool,
    special: bool,
}

fn insert(tx: &mut Tx, row: TermRow) -> Result<(), StoreError> {
    let inserted = diesel::insert_into(vocabulary_terms::table).values(row).execute(tx.conn());
    inserted.map(drop).map_err(|error| StoreError::taken(error, "key"))
}

/// Keeps a new purpose.
pub fn insert_purpose(tx: &mut Tx, purpose: &Purpose, at: Instant) -> Result<(), StoreError> {
    let row = TermRow::of(TermKind::Purpose, &purpose.term, at);
    insert(tx, TermRow { direct_marketing: purpose.direct_marketing, sale: purpose.sale, ..row })
}

/// Keeps a new category.
pub fn insert_category(tx: &mut Tx, category: &Category, at: Instant) -> Result<(), StoreError> {
    insert(tx, TermRow { special: category.special, ..TermRow::of(TermKind::Category, &category.term, at) })
}

/// Everything: what comes with the house and what it added, by title. One statement.
pub fn load(tx: &mut Tx) -> Result<Vocabulary, StoreError> {
    let order = (vocabulary_terms::title, vocabulary_terms::key);
    let rows: Vec<TermRow> = vocabulary_terms::table.select(TermRow::as_select()).order(order).load(tx.conn())?;
    let (purposes, categories): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.kind == TermKind::Purpose.key());
    let purposes = purposes.into_iter().map(TermRow::purpose).collect::<Result<_, _>>()?;
    let categories = categories.into_iter().map(TermRow::category).collect::<Result<_, _>>()?;
    Ok(Vocabulary::with(purposes, categories))
}

/// What the vocabulary says of one purpose.
pub fn find_purpose(tx: &mut Tx, key: &Slug) -> Result<Option<Purpose>, StoreError> {
    let found = vocabulary_terms::table.find((TermKind::Purpose.key(), key.as_str()));
    let own: Option<TermRow> = found.select(TermRow::as_select()).first(tx.conn()).optional()?;
    let own = own.map(TermRow::purpose).transpose()?;
    Ok(Vocabulary::with(own.into_iter().collect(), Vec::new()).purpose(key).cloned())
}

/// Retires a term of the house, or with `None` offers it again.
pub fn set_retired(tx: &mut Tx, kind: TermKind, key: &Slug, at: Option<Instant>) -> Result<(), StoreError> {
    let saved = diesel::update(vocabulary_terms::table.find((kind.key(), key.as_str())))
        .set(vocabulary_terms::retired_at.eq(at.map(Instant::micros)))
        .execute(tx.conn())?;
    if saved == 1 { Ok(()) } else { Err(StoreError::NotFound(kind.key())) }
}
