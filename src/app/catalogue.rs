//! The catalogue: sources, what is discovered in them, and the datasets that stewards make of it.

use std::sync::Arc;

mod drift;
mod lists;
mod moving;
mod present;
mod secret;
mod suggestions;
mod upload;

pub use drift::{Drift, DriftReport, Seen, SourceNow, Stopped, confirm, drift};
pub use lists::{DatasetLine, DatasetList, DatasetView, PermitUse, SourceLine, find_source, page, source_page, subject_domains, view};
pub use moving::move_dataset;
pub use present::{FoundFile, FoundFiles, found_files};
pub use secret::{access, check_secret, set_secret};
pub use suggestions::{SuggestedColumn, Suggestions, suggestions};
pub use upload::{FileKind, file_kind, kind_of_ending, upload_source};

use crate::domain::Invalid;
use crate::domain::dataset::{
    ColumnState, Dataset, DiscoveredTable, Field, FieldClass, Source, SourceLocation, SubjectMapping, check_fields,
};
use crate::domain::id::{DatasetId, SourceId};
use crate::domain::permit::RevisionStatus;
use crate::domain::person::Actor;
use crate::domain::secret::PlainSecret;
use crate::domain::text::{FieldName, Name, Slug};
use crate::engine::{Access, EngineError};
use crate::history::{Act, Body};
use crate::store::{Scope, Tx, datasets, permits, sealed_keys, sources};

use super::{App, AppError, append, check_version, new_id, secrets, vocabulary};

/// Registers a source; it must be readable where it is said to be.
pub async fn add_source(
    app: &App,
    by: &Actor,
    name: Name,
    location: SourceLocation,
    secret: Option<PlainSecret>,
) -> Result<Source, AppError> {
    app.engine.check_location(&location)?;
    check_secret(&location, secret.as_ref())?;
    let (by, id) = (by.clone(), new_id::<SourceId>()?);
    let sealed = secret.as_ref().map(|secret| secrets::sealed_text(app, &secrets::source_secret(&id), secret));
    let access = Access { location, secret };
    readable(app, &access).await?;
    let location = access.location;
    app.store
        .record(move |tx| {
            let source = Source { id, name, location, created_at: tx.now(), version: 1 };
            sources::insert(tx, &source)?;
            if let Some(sealed) = sealed {
                sealed_keys::insert(tx, &sealed.at(source.created_at))?;
            }
            append(tx, &Body::Act(Act::new("source", &source.id, "add", &by).fact("type", source.location.kind())), None)?;
            Ok(source)
        })
        .await
}

/// The longest that somebody waits for a source to be looked at.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(45);

async fn readable(app: &App, access: &Access) -> Result<Vec<DiscoveredTable>, AppError> {
    let found = tokio::time::timeout(PATIENCE, app.engine.discover(access)).await.unwrap_or_else(|_| Err(slow()));
    found.map_err(|error| unreadable(error, access.location.kind()))
}

fn slow() -> EngineError {
    EngineError::Unavailable("it did not answer in time".to_owned())
}

fn unreadable(error: EngineError, kind: &str) -> AppError {
    match error {
        EngineError::Unavailable(why) | EngineError::Drift(why) | EngineError::Unsupported(why) => {
            Invalid::new("location", format!("must be a readable source of kind {kind}: {why}")).into()
        }
        EngineError::Overloaded | EngineError::Internal(_) => AppError::of_engine(error, "(new)"),
    }
}

/// How a registered source is reached.
async fn reached(app: &App, id: SourceId) -> Result<Access, AppError> {
    let keyring = Arc::clone(&app.keyring);
    app.store
        .read(move |tx| {
            let source = sources::find(tx, &id)?;
            access(tx, &keyring, &source)
        })
        .await
}

/// Every source.
pub async fn list_sources(app: &App) -> Result<Vec<Source>, AppError> {
    app.store.read(|tx| Ok(sources::list(tx)?)).await
}

/// The tables and columns that a source holds now.
pub async fn discover(app: &App, id: SourceId) -> Result<Vec<DiscoveredTable>, AppError> {
    let access = reached(app, id).await?;
    readable(app, &access).await
}

/// A table to be catalogued.
#[derive(Debug, Clone)]
pub struct Cataloguing {
    pub name: Slug,
    pub source: SourceId,
    pub table: FieldName,
    pub fields: Vec<Field>,
    pub subject: SubjectMapping,
}

/// Catalogues a table of a source: its fields classed, its subject mapped.
pub async fn catalogue(app: &App, by: &Actor, new: Cataloguing) -> Result<Dataset, AppError> {
    if matches!(new.name.as_str(), "new" | "hierarchies") {
        return Err(Invalid::new("name", "must be another word: a page of the house has this one").into());
    }
    check_fields(&new.fields, &new.subject, &vocabulary::load(app).await?, &[])?;
    check_against_source(app, &new.source, &new.table, &new.fields).await?;
    let (by, id) = (by.clone(), new_id::<DatasetId>()?);
    let ledger = secrets::sealed(app, &secrets::ledger_key(&new.subject.domain))?;
    app.store
        .govern(Scope::All, move |tx| {
            let dataset = Dataset {
                id,
                name: new.name,
                source: new.source,
                table: new.table,
                fields: new.fields,
                subject: new.subject,
                created_at: tx.now(),
                version: 1,
            };
            ensure_domain(tx, &dataset, ledger)?;
            datasets::insert(tx, &dataset)?;
            append(tx, &Body::Act(entry(&dataset, "catalogue", &by)), None)?;
            Ok(dataset)
        })
        .await
}

/// Changes classes, descriptions or types of a dataset; a steward confirms a drifted source by it.
pub async fn edit(
    app: &App,
    by: &Actor,
    name: Slug,
    version: i64,
    fields: Vec<Field>,
    subject: SubjectMapping,
) -> Result<Dataset, AppError> {
    let standing = find(app, name.clone()).await?;
    check_fields(&fields, &subject, &vocabulary::load(app).await?, &standing.fields)?;
    check_against_source(app, &standing.source, &standing.table, &fields).await?;
    let by = by.clone();
    let ledger = secrets::sealed(app, &secrets::ledger_key(&subject.domain))?;
    app.store
        .govern(Scope::All, move |tx| {
            let mut dataset = datasets::find_by_name(tx, &name)?.ok_or(AppError::NotFound("dataset"))?;
            check_version(version, dataset.version)?;
            check_permits(tx, &dataset, &fields, &subject)?;
            dataset.fields = fields;
            dataset.subject = subject;
            ensure_domain(tx, &dataset, ledger)?;
            dataset.version = datasets::save(tx, &dataset)?;
            append(tx, &Body::Act(entry(&dataset, "edit", &by)), None)?;
            Ok(dataset)
        })
        .await
}

fn entry(dataset: &Dataset, act: &'static str, by: &Actor) -> Act {
    Act::new("dataset", &dataset.id, act, by).fact("dataset", &dataset.name).fact("subject_domain", &dataset.subject.domain)
}

/// What officers approved rests on the catalogue: while a permit releases a field, its class is not lowered and its
/// category stays, and the subject stays that pseudonyms are keyed by.
fn check_permits(tx: &mut Tx, dataset: &Dataset, fields: &[Field], subject: &SubjectMapping) -> Result<(), AppError> {
    for key in permits::by_dataset(tx, &dataset.name)? {
        let permit = permits::find(tx, &key)?;
        if permit.ended_at.is_some() {
            continue;
        }
        if *subject != dataset.subject {
            return Err(in_use("subject", &key).into());
        }
        for revision in permits::revisions(tx, &key)?
            .into_iter()
            .filter(|revision| matches!(revision.status, RevisionStatus::InForce | RevisionStatus::Proposed))
        {
            for (name, _) in revision.terms.released() {
                let (Some(old), Some(at)) = (dataset.field(name.as_str()), fields.iter().position(|field| field.name == *name)) else {
                    continue;
                };
                let Some(new) = fields.get(at) else { continue };
                if new.category != old.category {
                    return Err(in_use(&format!("fields[{at}].category"), &key).into());
                }
                if old.class == FieldClass::DirectIdentifier && new.class != old.class {
                    return Err(in_use(&format!("fields[{at}].class"), &key).into());
                }
            }
        }
    }
    Ok(())
}

fn in_use(field: &str, permit: &Slug) -> Invalid {
    Invalid::new(field, format!("can not change while permit {permit} rests on it: end the permit first"))
}

/// Keys of one subject domain compare, so they are of one type; the first dataset sets it and makes the ledger's key.
fn ensure_domain(tx: &mut Tx, dataset: &Dataset, ledger: secrets::NewKey) -> Result<(), AppError> {
    let logical = dataset.subject_type().ok_or_else(|| Invalid::new("subject.field", "must be one of the fields"))?;
    match datasets::ensure_subject_domain(tx, &dataset.subject.domain, logical) {
        Ok(()) => {}
        Err(crate::store::StoreError::Taken(_)) => {
            return Err(Invalid::new("subject.field", "has another type than the keys that this subject domain already holds").into());
        }
        Err(error) => return Err(error.into()),
    }
    if sealed_keys::find(tx, &secrets::ledger_key(&dataset.subject.domain))?.is_none() {
        let now = tx.now();
        sealed_keys::insert(tx, &ledger.at(now))?;
    }
    Ok(())
}

/// Every field must be a column of the table, of a type that the source's values can be read as: a source without declared
/// types may fit several.
async fn check_against_source(app: &App, source: &SourceId, table: &FieldName, fields: &[Field]) -> Result<(), AppError> {
    let access = reached(app, source.clone()).await.map_err(|error| match error {
        AppError::NotFound(_) => Invalid::new("source", "must be the id of a registered source").into(),
        other => other,
    })?;
    check_fields_against(app, &access, table, fields).await
}

/// The same where it is known how the source is reached.
async fn check_fields_against(app: &App, access: &Access, table: &FieldName, fields: &[Field]) -> Result<(), AppError> {
    let columns = app.engine.columns_now(access, table.clone(), fields.to_vec());
    let (columns, _) = tokio::time::timeout(PATIENCE, columns).await.unwrap_or_else(|_| Err(slow())).map_err(|error| match error {
        EngineError::Drift(_) => Invalid::new("table", "is not a table of this source; discover lists them").into(),
        EngineError::Unavailable(_) | EngineError::Unsupported(_) | EngineError::Overloaded | EngineError::Internal(_) => {
            unreadable(error, access.location.kind())
        }
    })?;
    for (at, (field, column)) in fields.iter().zip(columns).enumerate() {
        match (column.state, column.now) {
            (ColumnState::AsCatalogued, _) => {}
            (ColumnState::OtherType | ColumnState::Gone | ColumnState::New, Some(now)) if now != field.logical => {
                return Err(Invalid::new(format!("fields[{at}].type"), format!("must be {}, as in the source", now.key())).into());
            }
            (ColumnState::OtherType | ColumnState::Gone | ColumnState::New, _) => {
                return Err(Invalid::new(format!("fields[{at}].name"), "is not a column of the table").into());
            }
        }
    }
    Ok(())
}

/// Every dataset, by name.
pub async fn list(app: &App) -> Result<Vec<Dataset>, AppError> {
    app.store.read(|tx| Ok(datasets::list(tx)?)).await
}

/// One dataset.
pub async fn find(app: &App, name: Slug) -> Result<Dataset, AppError> {
    app.store.read(move |tx| datasets::find_by_name(tx, &name)?.ok_or(AppError::NotFound("dataset"))).await
}
