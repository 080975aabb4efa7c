//! What a table's columns suggest to the steward who catalogues it, with a few of their values; who looked is in the
//! history before anything is read, and nothing suggested is kept until a steward says so.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use crate::app::{App, AppError, preview};
use crate::domain::Invalid;
use crate::domain::dataset::LogicalType;
use crate::domain::id::SourceId;
use crate::domain::person::Actor;
use crate::domain::text::FieldName;
use crate::engine::{Access, EngineError, Look};
use crate::policy::suggestion::{Suggestion, suggest};

/// How long a source may take: a view of it may never end.
const PATIENCE: Duration = Duration::from_secs(10);

/// What everyone who sees samples is told.
const NOTICE: &str = "Samples are personal data: look at what you need, and copy nothing. Long values are cut. Suggestions rest on \
names and on up to 1,000 rows; what they miss is for you to find.";

/// The columns of a table with what they suggest.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Suggestions {
    pub table: FieldName,
    /// How many rows were looked at.
    pub rows: usize,
    pub columns: Vec<SuggestedColumn>,
    /// What to know of these values.
    pub notice: &'static str,
}

/// A column, a few of its values and what it suggests.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SuggestedColumn {
    pub name: String,
    #[serde(rename = "type")]
    pub logical: LogicalType,
    /// Up to three different values, raw and cut.
    pub samples: Vec<String>,
    #[serde(flatten)]
    pub suggestion: Suggestion,
}

/// Looks at a table for a steward. That they see samples is on record before they are read.
pub async fn suggestions(app: &App, by: &Actor, id: SourceId, table: FieldName) -> Result<Suggestions, AppError> {
    let access = super::reached(app, id.clone()).await?;
    preview::record_source_view(app, by, &id).await?;
    let look = look(app, &access, &table).await?;
    Ok(Suggestions { table, rows: look.rows, columns: judged(app, look), notice: NOTICE })
}

/// What some columns suggest, for a page that shows no values.
pub(super) async fn unseen(app: &App, access: &Access, table: &FieldName) -> Result<Vec<SuggestedColumn>, AppError> {
    let columns = judged(app, look(app, access, table).await?);
    Ok(columns.into_iter().map(|column| SuggestedColumn { samples: Vec::new(), ..column }).collect())
}

fn judged(app: &App, look: Look) -> Vec<SuggestedColumn> {
    let today = app.clock.now().date();
    let judged = look.columns.into_iter().map(|column| SuggestedColumn {
        suggestion: suggest(&column.name, column.logical, &column.tally, today),
        name: column.name,
        logical: column.logical,
        samples: column.samples,
    });
    judged.collect()
}

async fn look(app: &App, access: &Access, table: &FieldName) -> Result<Look, AppError> {
    match tokio::time::timeout(PATIENCE, app.engine.look(access, table)).await {
        Ok(Ok(look)) => Ok(look),
        Ok(Err(EngineError::Drift(_))) => Err(AppError::NotFound("table")),
        Ok(Err(EngineError::Unavailable(_) | EngineError::Unsupported(_))) => {
            Err(Invalid::new("source", "can't be read just now: what holds its rows is missing or damaged, or can't be reached").into())
        }
        Ok(Err(error @ (EngineError::Overloaded | EngineError::Internal(_)))) => Err(AppError::of_engine(error, "(new)")),
        Err(_) => Err(AppError::Unavailable("The source took too long to give a few rows; try again later.".to_owned())),
    }
}
