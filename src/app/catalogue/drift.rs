//! How a dataset's source differs from the catalogue, whom that stops, and the steward's one act that takes over exactly
//! what was shown.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use crate::app::{App, AppError, append, check_version, secrets, vocabulary};
use crate::domain::dataset::{ColumnNow, ColumnState, Dataset, Source, SubjectMapping, check_fields};
use crate::domain::id::VendorId;
use crate::domain::permit::{PermitTerms, RevisionStatus};
use crate::domain::person::Actor;
use crate::domain::text::{FieldName, Slug};
use crate::engine::{Access, EngineError};
use crate::history::{Act, Body};
use crate::policy;
use crate::store::catalogue::{self as queries, DatasetPermit};
use crate::store::{Scope, datasets, sources};

use super::suggestions::{SuggestedColumn, unseen};
use super::{access, ensure_domain, present};

/// How a dataset's source stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceNow {
    Columns(Vec<ColumnNow>),
    /// The table or its file can't be read, with what is known of why.
    Unreadable(String),
}

/// A dataset beside its source as it is now.
#[derive(Clone, PartialEq, Eq)]
pub struct Drift {
    pub dataset: Dataset,
    pub source: Source,
    pub now: SourceNow,
    /// A digest of the columns as they are shown; confirming names it.
    pub seen: String,
    /// What the new columns suggest, without their values.
    pub new: Vec<SuggestedColumn>,
    /// The permits in force that are refused because of it.
    pub stopped: Vec<Stopped>,
}

/// A permit in force that is refused because its dataset has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Stopped {
    pub permit: Slug,
    pub vendor: VendorId,
    pub vendor_name: String,
    /// The columns that it rests on and that are gone or of another type in the source.
    pub columns: Vec<FieldName>,
    /// Fields that it names and the catalogue no longer has, or has of a type that its treatment does not fit: it stays
    /// refused until it is revised.
    pub lost: Vec<FieldName>,
}

/// The difference as the API shows it.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DriftReport {
    pub dataset: Slug,
    /// The dataset's version; confirming names it.
    pub version: i64,
    /// A digest of the columns as they are told here; confirming names it.
    pub seen: String,
    /// Why the source can't be read, where it can't.
    pub unreadable: Option<String>,
    pub columns: Vec<ColumnNow>,
    /// What the new columns suggest. They are withheld from everyone until they are catalogued and permitted.
    pub new: Vec<SuggestedColumn>,
    pub stopped: Vec<Stopped>,
}

impl From<Drift> for DriftReport {
    fn from(drift: Drift) -> Self {
        let (columns, unreadable) = match drift.now {
            SourceNow::Columns(columns) => (columns, None),
            SourceNow::Unreadable(why) => (Vec::new(), Some(why)),
        };
        let Drift { dataset, seen, new, stopped, .. } = drift;
        Self { dataset: dataset.name, version: dataset.version, seen, unreadable, columns, new, stopped }
    }
}

/// What a steward saw and confirms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub version: i64,
    pub columns: String,
}

/// The most permits that are told.
const MOST_PERMITS: i64 = 200;
/// The most names of columns that an entry of the history tells.
const MOST_NAMED: usize = 20;

/// Looks at a dataset's source.
pub async fn drift(app: &App, name: Slug) -> Result<Drift, AppError> {
    let keyring = Arc::clone(&app.keyring);
    let (dataset, source, access, permits) = app
        .store
        .read(move |tx| {
            let dataset = datasets::find_by_name(tx, &name)?.ok_or(AppError::NotFound("dataset"))?;
            let source = sources::find(tx, &dataset.source)?;
            let access = access(tx, &keyring, &source)?;
            let permits = queries::permits_of(tx, &dataset.name, MOST_PERMITS)?;
            let now = tx.now();
            let begun = |permit: &DatasetPermit| permit.status == RevisionStatus::InForce && permit.in_force_at.is_some_and(|at| at <= now);
            Ok::<_, AppError>((dataset, source, access, permits.into_iter().filter(begun).collect::<Vec<_>>()))
        })
        .await?;
    let (now, seen) = match app.engine.columns_now(&access, dataset.table.clone(), dataset.fields.clone()).await {
        Ok((columns, seen)) => (SourceNow::Columns(columns), seen),
        Err(EngineError::Unavailable(_) | EngineError::Drift(_)) => (SourceNow::Unreadable(present::UNREADABLE.to_owned()), String::new()),
        Err(error @ (EngineError::Unsupported(_) | EngineError::Overloaded | EngineError::Internal(_))) => {
            return Err(AppError::of_engine(error, dataset.name.as_str()));
        }
    };
    let columns = match &now {
        SourceNow::Columns(columns) => columns.as_slice(),
        SourceNow::Unreadable(_) => &[],
    };
    let new = suggested(app, &dataset, &access, columns).await;
    let stopped = permits.into_iter().filter_map(|permit| stopped(permit, &dataset, columns)).collect();
    Ok(Drift { dataset, source, now, seen, new, stopped })
}

/// What new columns suggest: without values, so nobody sees any. Where the look fails, the page shows the rest.
async fn suggested(app: &App, dataset: &Dataset, access: &Access, columns: &[ColumnNow]) -> Vec<SuggestedColumn> {
    let is_new = |name: &str| columns.iter().any(|column| column.name == name && column.state == ColumnState::New);
    if !columns.iter().any(|column| column.state == ColumnState::New) {
        return Vec::new();
    }
    let found = unseen(app, access, &dataset.table).await.unwrap_or_default();
    found.into_iter().filter(|column| is_new(&column.name)).collect()
}

/// Whom a difference stops.
fn stopped(permit: DatasetPermit, dataset: &Dataset, columns: &[ColumnNow]) -> Option<Stopped> {
    let closes = |name: &FieldName| {
        let column = columns.iter().find(|column| column.name == name.as_str());
        column.is_some_and(|column| matches!(column.state, ColumnState::Gone | ColumnState::OtherType))
    };
    let mut rests_on = rests_on(&permit.terms, &dataset.subject);
    let fits = |name: &FieldName, logical| permit.terms.fields.get(name).is_none_or(|treatment| treatment.released_type(logical).is_ok());
    let is_lost = |name: &&FieldName| dataset.field(name.as_str()).is_none_or(|field| !fits(name, field.logical));
    let lost: Vec<FieldName> = rests_on.iter().filter(is_lost).cloned().collect();
    rests_on.retain(closes);
    let stopped = !rests_on.is_empty() || !lost.is_empty();
    let DatasetPermit { permit, vendor, vendor_name, .. } = permit;
    stopped.then_some(Stopped { permit, vendor, vendor_name, columns: rests_on, lost })
}

/// What a permit rests on: what it releases, what chooses its rows, and whose rows they are.
fn rests_on(terms: &PermitTerms, subject: &SubjectMapping) -> Vec<FieldName> {
    let released = terms.released().map(|(name, _)| name);
    let chosen = terms.condition.clauses().map(|clause| &clause.field);
    let mut names: Vec<FieldName> = released.chain(chosen).chain([&subject.field]).cloned().collect();
    names.sort();
    names.dedup();
    names
}

/// Takes over the difference that a steward saw. A source or a dataset that is another one by now is a conflict, and
/// nothing is changed.
pub async fn confirm(app: &App, by: &Actor, name: Slug, seen: Seen) -> Result<Dataset, AppError> {
    let Drift { dataset, now, seen: columns_seen, .. } = drift(app, name.clone()).await?;
    let SourceNow::Columns(columns) = now else {
        return Err(
            policy::Denied::state("The source can't be read just now, so there is nothing to confirm: try again once it is back.").into()
        );
    };
    check_version(seen.version, dataset.version)?;
    if seen.columns != columns_seen {
        return Err(AppError::Stale);
    }
    let confirmed = policy::drift::confirm(&dataset, &columns)?;
    check_fields(&confirmed.fields, &dataset.subject, &vocabulary::load(app).await?, &dataset.fields)?;
    let by = by.clone();
    let ledger = secrets::sealed(app, &secrets::ledger_key(&dataset.subject.domain))?;
    app.store
        .govern(Scope::All, move |tx| {
            let mut dataset = datasets::find_by_name(tx, &name)?.ok_or(AppError::NotFound("dataset"))?;
            check_version(seen.version, dataset.version)?;
            dataset.fields = confirmed.fields;
            ensure_domain(tx, &dataset, ledger)?;
            dataset.version = datasets::save(tx, &dataset)?;
            let mut act = Act::new("dataset", &dataset.id, "confirm_drift", &by).fact("dataset", &dataset.name);
            for (fact, names) in [("gone", &confirmed.gone), ("retyped", &confirmed.retyped)] {
                if !names.is_empty() {
                    act = act.fact(fact, listed(names));
                }
            }
            append(tx, &Body::Act(act.fact("columns", &seen.columns)), None)?;
            Ok(dataset)
        })
        .await
}

fn listed(names: &[FieldName]) -> String {
    let told: Vec<&str> = names.iter().take(MOST_NAMED).map(FieldName::as_str).collect();
    match names.len().saturating_sub(MOST_NAMED) {
        0 => told.join(", "),
        more => format!("{} and {more} more", told.join(", ")),
    }
}
