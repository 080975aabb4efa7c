//! The catalogue; one dataset a name, and one logical type a subject domain.

use diesel::prelude::*;

use crate::domain::Instant;
use crate::domain::dataset::{Dataset, LogicalType, SubjectMapping};
use crate::domain::id::{AgreementId, DatasetId};
use crate::domain::text::Slug;

use super::column::{comparable, from_json, json, like, parse};
use super::conn::MultiBackend;
use super::error::StoreError;
use super::schema::{datasets, permit_revisions, permits, subject_domains};
use super::{Page, Tx};

const NOUN: &str = "dataset";

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = datasets)]
struct DatasetRow {
    id: String,
    name: String,
    source: String,
    table_name: String,
    fields: String,
    subject_field: String,
    subject_domain: String,
    created_at: i64,
    version: i64,
}

impl DatasetRow {
    fn of(dataset: &Dataset, version: i64) -> Result<Self, StoreError> {
        Ok(Self {
            id: dataset.id.to_string(),
            name: dataset.name.to_string(),
            source: dataset.source.to_string(),
            table_name: dataset.table.to_string(),
            fields: json(NOUN, &dataset.fields)?,
            subject_field: dataset.subject.field.to_string(),
            subject_domain: dataset.subject.domain.to_string(),
            created_at: dataset.created_at.micros(),
            version,
        })
    }

    fn read(self) -> Result<Dataset, StoreError> {
        Ok(Dataset {
            id: parse(NOUN, self.id)?,
            name: parse(NOUN, self.name)?,
            source: parse(NOUN, self.source)?,
            table: parse(NOUN, self.table_name)?,
            fields: from_json(NOUN, &self.fields)?,
            subject: SubjectMapping { field: parse(NOUN, self.subject_field)?, domain: parse(NOUN, self.subject_domain)? },
            created_at: Instant::from_micros(self.created_at),
            version: self.version,
        })
    }
}

/// Keeps a new dataset.
pub fn insert(tx: &mut Tx, dataset: &Dataset) -> Result<(), StoreError> {
    diesel::insert_into(datasets::table)
        .values(DatasetRow::of(dataset, dataset.version)?)
        .execute(tx.conn())
        .map(drop)
        .map_err(|error| StoreError::taken(error, "name"))
}

/// The dataset of that id.
pub fn find(tx: &mut Tx, id: &DatasetId) -> Result<Dataset, StoreError> {
    let row = datasets::table.find(id.as_str()).select(DatasetRow::as_select()).first(tx.conn()).optional()?;
    row.ok_or(StoreError::NotFound(NOUN))?.read()
}

/// The dataset of that name.
pub fn find_by_name(tx: &mut Tx, name: &Slug) -> Result<Option<Dataset>, StoreError> {
    let row = datasets::table.filter(datasets::name.eq(name.as_str())).select(DatasetRow::as_select()).first(tx.conn()).optional()?;
    row.map(DatasetRow::read).transpose()
}

/// Every dataset, by name.
pub fn list(tx: &mut Tx) -> Result<Vec<Dataset>, StoreError> {
    let rows = datasets::table.select(DatasetRow::as_select()).order(datasets::name).load(tx.conn())?;
    rows.into_iter().map(DatasetRow::read).collect()
}

/// The datasets whose name holds a text, by name; those after `page.after` where it is given.
pub fn page(tx: &mut Tx, search: &str, page: &Page) -> Result<Vec<Dataset>, StoreError> {
    if !comparable(search) || page.after.as_deref().is_some_and(|after| !comparable(after)) {
        return Ok(Vec::new());
    }
    let mut query = named(search).order(datasets::name).limit(page.limit());
    if let Some(after) = &page.after {
        query = query.filter(datasets::name.gt(after.clone()));
    }
    let rows: Vec<DatasetRow> = query.select(DatasetRow::as_select()).load(tx.conn())?;
    rows.into_iter().map(DatasetRow::read).collect()
}

/// How many datasets have a name that holds a text.
pub fn count(tx: &mut Tx, search: &str) -> Result<i64, StoreError> {
    if comparable(search) { Ok(named(search).count().get_result(tx.conn())?) } else { Ok(0) }
}

/// Names are in lower case, so the databases' own folding makes no difference.
fn named(search: &str) -> datasets::BoxedQuery<'static, MultiBackend> {
    let query = datasets::table.into_boxed();
    if search.is_empty() { query } else { query.filter(datasets::name.like(format!("%{}%", like(&search.to_lowercase()))).escape('\\')) }
}

/// The datasets that any permit under an agreement is about, by name.
pub fn list_by_agreement(tx: &mut Tx, agreement: &AgreementId) -> Result<Vec<Dataset>, StoreError> {
    let about = permit_revisions::table
        .inner_join(permits::table)
        .filter(permits::agreement.eq(agreement.as_str()))
        .filter(permit_revisions::dataset.eq(datasets::name));
    let rows = datasets::table
        .filter(diesel::dsl::exists(about.select(permit_revisions::number)))
        .select(DatasetRow::as_select())
        .order(datasets::name)
        .load(tx.conn())?;
    rows.into_iter().map(DatasetRow::read).collect()
}

/// Saves what was read as `dataset.version`; answers the new version.
pub fn save(tx: &mut Tx, dataset: &Dataset) -> Result<i64, StoreError> {
    let next = dataset.version.saturating_add(1);
    let saved = diesel::update(datasets::table.find(dataset.id.as_str()).filter(datasets::version.eq(dataset.version)))
        .set(DatasetRow::of(dataset, next)?)
        .execute(tx.conn())
        .map_err(|error| StoreError::taken(error, "name"))?;
    if saved == 1 { Ok(next) } else { Err(StoreError::Stale) }
}

/// Makes a subject domain of that type, or checks that the one there is has it.
pub fn ensure_subject_domain(tx: &mut Tx, name: &Slug, logical: LogicalType) -> Result<(), StoreError> {
    use diesel::sql_types::Text;
    // Two brokers may come with the same new domain: the first one's type stands, and both look.
    diesel::sql_query("INSERT INTO subject_domains (name, logical_type) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
        .bind::<Text, _>(name.as_str())
        .bind::<Text, _>(logical.key())
        .execute(tx.conn())?;
    let kept: String = subject_domains::table.find(name.as_str()).select(subject_domains::logical_type).first(tx.conn())?;
    if kept == logical.key() { Ok(()) } else { Err(StoreError::Taken("subject_domain_type")) }
}
