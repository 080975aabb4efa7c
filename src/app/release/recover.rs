//! After a crash: streams that were opened and never closed count as released up to their last toll.

use std::collections::BTreeMap;

use crate::files::Runs;
use crate::history::{Body, Closed, Cut, Outcome};
use crate::store::streams;

use super::super::{App, AppError, append};
use super::ledger;

/// Closes what an earlier run of this broker left open. Returns how many streams that were.
pub async fn recover(app: &App) -> Result<usize, AppError> {
    let broker = app.settings.broker.clone();
    let left = app.store.read(move |tx| Ok::<_, AppError>(streams::dangling(tx, &broker)?)).await?;
    let count = left.len();
    for (open, tolls) in left {
        let mut runs = Runs::new();
        for toll in &tolls {
            // A segment that can't be read must not keep the installation from starting: its subjects are not counted.
            match ledger::read(app, toll.segment.clone()).await {
                Ok(subjects) => runs.push(subjects).await?,
                Err(error) => tracing::error!(%error, segment = %toll.segment, "a ledger segment can't be read"),
            }
        }
        let segments: Vec<_> = tolls.iter().map(|toll| toll.segment.clone()).collect();
        let outcome = Outcome {
            rows: tolls.iter().map(|toll| toll.rows).fold(0, u64::saturating_add),
            bytes: tolls.iter().map(|toll| toll.bytes).fold(0, u64::saturating_add),
            subjects: runs.distinct().await?,
            content: None,
            ledger: ledger::digest_of_names(&segments)?,
            segments: ledger::named(app, &segments).await?,
            withheld: BTreeMap::new(),
        };
        let release = open.release.clone();
        let body = Body::Closed(Closed {
            release: open.release,
            vendor: open.vendor,
            client: open.client,
            permit: open.permit,
            dataset: open.dataset,
            purpose: open.purpose,
            cut: Some(Cut::Crashed),
            tolls: u64::try_from(tolls.len()).unwrap_or(u64::MAX),
            outcome,
        });
        app.store
            .record(move |tx| {
                append(tx, &body, None)?;
                Ok::<_, AppError>(streams::finish(tx, &release)?)
            })
            .await?;
    }
    Ok(count)
}
