//! The catalogue as its pages read it: a fixed number of statements for each, and no source opened for a list.

use std::collections::BTreeSet;

use crate::app::{App, AppError};
use crate::domain::dataset::{Dataset, LogicalType, Source};
use crate::domain::id::{AgreementId, SourceId, VendorId};
use crate::domain::permit::RevisionStatus;
use crate::domain::text::{FieldName, Slug};
use crate::domain::time::Instant;
use crate::domain::treatment::Treatment;
use crate::store::{Page, catalogue, datasets, names, sources};

/// A dataset in one line.
#[derive(Debug, Clone, PartialEq)]
pub struct DatasetLine {
    pub dataset: Dataset,
    pub source_name: Option<String>,
    /// Permits that release something of it now.
    pub permits: i64,
}

/// A part of the list, what to ask for next, and how many there are in all.
#[derive(Debug, Clone, PartialEq)]
pub struct DatasetList {
    pub rows: Vec<DatasetLine>,
    pub next: Option<String>,
    pub total: i64,
}

/// The datasets whose name holds a text, by name.
pub async fn page(app: &App, search: String, page: Page) -> Result<DatasetList, AppError> {
    app.store
        .read(move |tx| {
            let limit = page.limit;
            let mut rows = datasets::page(tx, &search, &Page { limit: limit.saturating_add(1), ..page })?;
            let more = rows.len() > limit;
            rows.truncate(limit);
            let next = rows.last().filter(|_| more).map(|dataset| dataset.name.to_string());
            let of: BTreeSet<String> = rows.iter().map(|dataset| dataset.source.to_string()).collect();
            let names = names::sources(tx, &of)?;
            let about: BTreeSet<String> = rows.iter().map(|dataset| dataset.name.to_string()).collect();
            let permits = catalogue::permit_counts(tx, &about)?;
            let line = |dataset: Dataset| DatasetLine {
                source_name: names.get(dataset.source.as_str()).cloned(),
                permits: permits.get(dataset.name.as_str()).copied().unwrap_or(0),
                dataset,
            };
            Ok(DatasetList { rows: rows.into_iter().map(line).collect(), next, total: datasets::count(tx, &search)? })
        })
        .await
}

/// A source in one line, with how many datasets are catalogued of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceLine {
    pub source: Source,
    pub datasets: i64,
}

/// The sources, newest first, and the id to go on after.
pub async fn source_page(app: &App, after: Option<SourceId>, limit: usize) -> Result<(Vec<SourceLine>, Option<SourceId>), AppError> {
    app.store
        .read(move |tx| {
            let mut rows = catalogue::sources(tx, after.as_ref(), i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1))?;
            let more = rows.len() > limit;
            rows.truncate(limit);
            let next = rows.last().filter(|_| more).map(|source| source.id.clone());
            let ids: BTreeSet<String> = rows.iter().map(|source| source.id.to_string()).collect();
            let counts = catalogue::dataset_counts(tx, &ids)?;
            let datasets = |source: &Source| counts.get(source.id.as_str()).copied().unwrap_or(0);
            Ok((rows.into_iter().map(|source| SourceLine { datasets: datasets(&source), source }).collect(), next))
        })
        .await
}

/// One source.
pub async fn find_source(app: &App, id: SourceId) -> Result<Source, AppError> {
    app.store.read(move |tx| Ok(sources::find(tx, &id)?)).await
}

/// The most subject domains that are offered.
const MOST_DOMAINS: i64 = 200;

/// The subject domains that there are, with the type of their keys.
pub async fn subject_domains(app: &App) -> Result<Vec<(Slug, LogicalType)>, AppError> {
    app.store.read(|tx| Ok(catalogue::subject_domains(tx, MOST_DOMAINS)?)).await
}

/// A permit on a dataset: whom it is for, and what happens to each field that leaves.
#[derive(Debug, Clone, PartialEq)]
pub struct PermitUse {
    pub permit: Slug,
    pub revision: i32,
    pub status: RevisionStatus,
    /// When it begins, where that is still to come.
    pub begins: Option<Instant>,
    pub paused: bool,
    pub vendor: VendorId,
    pub vendor_name: String,
    pub agreement: AgreementId,
    pub agreement_reference: String,
    /// What leaves; every other field is withheld.
    pub fields: Vec<(FieldName, Treatment)>,
}

/// The most revisions that are read for one dataset's page.
const MOST_PERMITS: i64 = 200;

/// A dataset with what the permits on it release.
#[derive(Debug, Clone, PartialEq)]
pub struct DatasetView {
    pub dataset: Dataset,
    pub source: Source,
    pub permits: Vec<PermitUse>,
    /// Whether there are more permits than are told.
    pub more_permits: bool,
}

/// A dataset with its source and its permits: what is in force, and what waits for approval or its day.
pub async fn view(app: &App, name: Slug) -> Result<DatasetView, AppError> {
    app.store
        .read(move |tx| {
            let dataset = datasets::find_by_name(tx, &name)?.ok_or(AppError::NotFound("dataset"))?;
            let source = sources::find(tx, &dataset.source)?;
            let now = tx.now();
            let rows = catalogue::permits_of(tx, &dataset.name, MOST_PERMITS.saturating_add(1))?;
            let more_permits = i64::try_from(rows.len()).unwrap_or(i64::MAX) > MOST_PERMITS;
            let used = |row: catalogue::DatasetPermit| PermitUse {
                fields: row.terms.released().map(|(name, treatment)| (name.clone(), treatment.clone())).collect(),
                permit: row.permit,
                revision: row.number,
                status: row.status,
                begins: row.in_force_at.filter(|from| *from > now),
                paused: row.paused_at.is_some(),
                vendor: row.vendor,
                vendor_name: row.vendor_name,
                agreement: row.agreement,
                agreement_reference: row.agreement_reference,
            };
            let most = usize::try_from(MOST_PERMITS).unwrap_or(usize::MAX);
            Ok(DatasetView { dataset, source, permits: rows.into_iter().take(most).map(used).collect(), more_permits })
        })
        .await
}
