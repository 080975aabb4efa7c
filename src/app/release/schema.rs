//! The schema of a release: the gates of a pull, and no rows.

use std::sync::Arc;

use crate::domain::text::Slug;
use crate::engine::Window;
use crate::engine::encode::arrow_schema;

use super::super::{App, AppError};
use super::{OfferedField, Request, decide, note, offered};

/// What a record holds.
#[derive(Debug, Clone, PartialEq)]
pub struct ReleasedSchema {
    pub dataset: Slug,
    /// The selected fields, in the order of the answer.
    pub fields: Vec<OfferedField>,
    /// An Arrow IPC stream of them without rows.
    pub arrow: Vec<u8>,
}

/// The released fields with their released types. A source that has changed closes the gate, as it would for rows; no
/// quota is spent and none needs to be left.
pub async fn schema(app: &Arc<App>, request: &Request) -> Result<ReleasedSchema, AppError> {
    match attempt(app, request).await {
        Ok(schema) => Ok(schema),
        Err(error) => Err(note(app, request, error).await),
    }
}

async fn attempt(app: &Arc<App>, request: &Request) -> Result<ReleasedSchema, AppError> {
    let _place = app.streams.page()?;
    // From the live state: nothing after this asks the counters.
    let decided = decide(app, request, true).await?;
    super::spend_proof(app, &request.bearer).await?;
    let plan = &decided.plan;
    let of_engine = |error| AppError::of_engine(error, plan.dataset().name.as_str());
    let secrets = super::secrets(app, &decided).await?;
    let window = Window { skip: 0, limit: Some(0) };
    let stream = app.engine.open(Arc::clone(plan), secrets, window, None).await.map_err(of_engine)?;
    Ok(ReleasedSchema {
        dataset: plan.dataset().name.clone(),
        fields: plan.answer().map(offered).collect(),
        arrow: arrow_schema(stream.columns()).map_err(of_engine)?,
    })
}
