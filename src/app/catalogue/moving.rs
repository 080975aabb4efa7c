//! A dataset moves to another source that holds the same rows: its permits, pseudonyms and history stay as they are.

use crate::app::{App, AppError, append, check_version};
use crate::domain::Invalid;
use crate::domain::dataset::Dataset;
use crate::domain::id::SourceId;
use crate::domain::person::Actor;
use crate::domain::text::{FieldName, Slug};
use crate::history::Body;
use crate::store::{Scope, datasets, sources};

/// Lets a dataset's rows come from another table, in which every field must stand with a type that fits.
pub async fn move_dataset(
    app: &App,
    by: &Actor,
    name: Slug,
    version: i64,
    source: SourceId,
    table: FieldName,
) -> Result<Dataset, AppError> {
    let standing = super::find(app, name.clone()).await?;
    if standing.source == source && standing.table == table {
        return Err(Invalid::new("source", "is where the rows come from already").into());
    }
    super::check_against_source(app, &source, &table, &standing.fields).await?;
    let by = by.clone();
    app.store
        .govern(Scope::All, move |tx| {
            let mut dataset = datasets::find_by_name(tx, &name)?.ok_or(AppError::NotFound("dataset"))?;
            check_version(version, dataset.version)?;
            // Between the look and this transaction nobody edited the fields: the version says so.
            let from = std::mem::replace(&mut dataset.source, sources::find(tx, &source)?.id);
            dataset.table = table;
            dataset.version = datasets::save(tx, &dataset)?;
            let act = super::entry(&dataset, "move", &by).fact("from", &from).fact("to", &dataset.source);
            append(tx, &Body::Act(act), None)?;
            Ok(dataset)
        })
        .await
}
