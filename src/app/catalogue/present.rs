//! What sources hold just now, read when somebody asks: files that could be registered, columns beside the catalogue.

use std::sync::Arc;

use crate::app::{App, AppError};
use crate::domain::dataset::{ColumnNow, Dataset, Source};
use crate::domain::text::Slug;
use crate::engine::EngineError;
use crate::store::{datasets, sources};

use super::secret;

pub use crate::engine::{FoundFile, FoundFiles};

/// How a dataset's source stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceNow {
    Columns(Vec<ColumnNow>),
    /// The table or its file can't be read, with what is known of why.
    Unreadable(String),
}

/// A dataset beside its source as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    pub dataset: Dataset,
    pub source: Source,
    pub now: SourceNow,
}

/// Looks at a dataset's source.
pub async fn drift(app: &App, name: Slug) -> Result<Drift, AppError> {
    let keyring = Arc::clone(&app.keyring);
    let (dataset, source, access) = app
        .store
        .read(move |tx| {
            let dataset = datasets::find_by_name(tx, &name)?.ok_or(AppError::NotFound("dataset"))?;
            let source = sources::find(tx, &dataset.source)?;
            let access = secret::access(tx, &keyring, &source)?;
            Ok::<_, AppError>((dataset, source, access))
        })
        .await?;
    let now = match app.engine.columns_now(&access, dataset.table.clone(), dataset.fields.clone()).await {
        Ok(columns) => SourceNow::Columns(columns),
        Err(EngineError::Unavailable(_) | EngineError::Drift(_)) => SourceNow::Unreadable(
            "What holds its rows is missing or damaged or can't be reached, or the table is not in it any more. Releases from it are refused until it is back.".to_owned(),
        ),
        Err(error @ (EngineError::Unsupported(_) | EngineError::Overloaded | EngineError::Internal(_))) => {
            return Err(AppError::of_engine(error, dataset.name.as_str()));
        }
    };
    Ok(Drift { dataset, source, now })
}

/// The files below the source roots that could be registered.
pub async fn found_files(app: &App) -> Result<FoundFiles, AppError> {
    app.engine.found_files().await.map_err(|error| AppError::of_engine(error, "(roots)"))
}
