//! A few rows before and after treatment, for the staff who write permits. It holds raw values, so it is no
//! [`super::Released`], and nothing that sends rows to vendors takes it.

use std::fmt;
use std::sync::Arc;

use datafusion::physical_plan::execute_stream;
use futures::StreamExt;

use super::{Engine, EngineError, Release, Secrets, Shared, Window, encode};
use crate::policy::preview::PreviewPlan;

/// The most rows that a preview reads out.
pub const MOST_PREVIEWED: u64 = 20;

/// Values as they read, column by column of the plan.
pub struct Preview {
    rows: usize,
    columns: Vec<Vec<Option<String>>>,
}

impl fmt::Debug for Preview {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Preview({} rows)", self.rows)
    }
}

impl Preview {
    /// How many rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The values of the plan's column at a place, none for NULL.
    pub fn cells(&self, at: usize) -> &[Option<String>] {
        self.columns.get(at).map_or(&[], Vec::as_slice)
    }
}

impl Engine {
    /// The first rows that fit the plan's condition, each field raw and as treated by the kernels of a release. Dropping
    /// the future stops the work. `secrets` are keys made for this preview alone.
    pub async fn preview(&self, plan: &PreviewPlan, secrets: Secrets, rows: u64) -> Result<Preview, EngineError> {
        let window = Window { skip: 0, limit: Some(rows.min(MOST_PREVIEWED)) };
        let release = Release { shape: Arc::clone(plan.shape()), secrets, window, admission: None };
        self.running(async move |shared| shared.sample(release).await).await
    }
}

impl Shared {
    async fn sample(self: Arc<Self>, release: Release) -> Result<Preview, EngineError> {
        let (physical, layout) = self.prepare(release).await?;
        let mut stream = execute_stream(physical, self.state.task_ctx())?;
        let mut preview = Preview { rows: 0, columns: layout.released.iter().map(|_| Vec::new()).collect() };
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            preview.rows = preview.rows.saturating_add(batch.num_rows());
            for (array, cells) in batch.columns().iter().zip(&mut preview.columns) {
                cells.extend(encode::texts(array)?);
            }
        }
        Ok(preview)
    }
}
