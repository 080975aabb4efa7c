//! A look at some rows of a table, for the steward who catalogues it: bounded in rows, bytes and time, and spread over
//! the table where the source can do that cheaply. It holds a few raw values, so it is no [`super::Released`].

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use datafusion::arrow::array::RecordBatch;
use datafusion::catalog::TableProvider;
use datafusion::physical_plan::execute_stream;
use futures::StreamExt;

use super::source::{SAMPLE, Spread};
use super::{Access, Engine, EngineError, Shared, encode, read};
use crate::domain::dataset::LogicalType;
use crate::domain::text::FieldName;
use crate::policy::suggestion::Tally;

/// The most rows that are looked at.
pub const MOST_LOOKED_AT: usize = 1_000;
/// The most bytes of them.
const MOST_BYTES: usize = 32 * 1024 * 1024;
/// The most values of a column that are shown.
const MOST_SHOWN: usize = 3;
/// The most characters of a value that are kept to be shown.
const MOST_CHARACTERS: usize = 60;

/// What was seen.
pub struct Look {
    pub rows: usize,
    pub columns: Vec<LookedAt>,
}

/// A column as it was seen.
pub struct LookedAt {
    pub name: String,
    pub logical: LogicalType,
    pub tally: Tally,
    /// A few different values, raw and cut.
    pub samples: Vec<String>,
}

impl fmt::Debug for Look {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Look({} rows)", self.rows)
    }
}

impl fmt::Debug for LookedAt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("LookedAt(..)")
    }
}

impl LookedAt {
    fn add(&mut self, value: Option<&str>) {
        self.tally.add(value);
        let Some(value) = value.map(str::trim).filter(|value| !value.is_empty()) else { return };
        if self.samples.len() < MOST_SHOWN {
            let value = cut(value);
            if !self.samples.contains(&value) {
                self.samples.push(value);
            }
        }
    }
}

fn cut(value: &str) -> String {
    match value.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => format!("{}…", value.get(..end).unwrap_or_default()),
        None => value.to_owned(),
    }
}

/// Says to whoever reads on a thread that nobody waits any more.
struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Engine {
    /// Looks at up to [`MOST_LOOKED_AT`] rows of a table. Dropping the future stops the work.
    pub async fn look(&self, access: &Access, table: &FieldName) -> Result<Look, EngineError> {
        let (access, table) = (access.clone(), table.clone());
        let stop = Stop(Arc::default());
        let stopped = Arc::clone(&stop.0);
        self.running(async move |shared| shared.look(access, table, stopped).await).await
    }
}

impl Shared {
    async fn look(self: Arc<Self>, access: Access, name: FieldName, stopped: Arc<AtomicBool>) -> Result<Look, EngineError> {
        let (reached, version) = self.reach(&access, Some(&name)).await?;
        let table = self.table(&reached, &version, &access.location, &name).await?;
        let (spreading, stop) = (Arc::clone(&table), Arc::clone(&stopped));
        let opened = tokio::task::spawn_blocking(move || {
            let going_on = |bytes: usize| bytes <= MOST_BYTES && !stop.load(Ordering::Relaxed);
            Spread::of(reached, &access.location, &spreading, MOST_LOOKED_AT, &going_on)
        });
        let spread = opened.await.map_err(|_| EngineError::internal("a reader died"))??;
        let looked_at = |(name, logical): (&str, LogicalType)| LookedAt {
            name: name.to_owned(),
            logical,
            tally: Tally::new(logical),
            samples: Vec::new(),
        };
        let mut look = Look { rows: 0, columns: table.named().map(looked_at).collect() };
        let batches = match spread {
            Spread::Read(batches) => batches,
            Spread::Scan(provider) => self.first(&provider).await?,
        };
        // Looking for what is in texts takes its time where a table is wide; releases do not wait for it.
        let counted = tokio::task::spawn_blocking(move || {
            look.count(&batches, &stopped)?;
            Ok(look)
        });
        counted.await.map_err(|_| EngineError::internal("a reader died"))?
    }

    /// The first rows of a scan: as many as types are told from, or as the bytes allow.
    async fn first(&self, provider: &Arc<dyn TableProvider>) -> Result<Vec<RecordBatch>, EngineError> {
        let plan = provider.scan(&self.state, None, &[], None).await?;
        let mut rows = execute_stream(plan, self.state.task_ctx())?;
        let (mut batches, mut bytes, mut read) = (Vec::new(), 0_usize, 0_usize);
        while let Some(batch) = rows.next().await {
            let batch = batch?;
            bytes = bytes.saturating_add(batch.get_array_memory_size());
            read = read.saturating_add(batch.num_rows());
            batches.push(batch);
            if bytes > MOST_BYTES || read >= SAMPLE {
                break;
            }
        }
        Ok(batches)
    }
}

impl Look {
    fn count(&mut self, batches: &[RecordBatch], stopped: &AtomicBool) -> Result<(), EngineError> {
        let rows = batches.iter().map(RecordBatch::num_rows).fold(0, usize::saturating_add);
        let every = rows.div_ceil(MOST_LOOKED_AT).max(1);
        for batch in batches {
            self.take(batch, every, stopped)?;
        }
        Ok(())
    }

    /// Takes every so many of a batch's rows.
    fn take(&mut self, batch: &RecordBatch, every: usize, stopped: &AtomicBool) -> Result<(), EngineError> {
        let most = MOST_LOOKED_AT.saturating_sub(self.rows);
        let taken = batch.num_rows().div_ceil(every.max(1)).min(most);
        self.rows = self.rows.saturating_add(taken);
        let schema = batch.schema();
        for column in &mut self.columns {
            if stopped.load(Ordering::Relaxed) {
                return Err(EngineError::internal("nobody waits for the look any more"));
            }
            // A column that is there twice is read by its first place; it can't be catalogued anyway.
            let at = schema.fields().iter().position(|field| *field.name() == column.name);
            let Some(raw) = at.and_then(|at| batch.columns().get(at)) else { continue };
            if read::treated_type(raw.data_type(), column.logical).is_none() {
                continue;
            }
            let values = encode::texts(&read::read(raw, column.logical)?)?;
            for value in values.iter().step_by(every.max(1)).take(taken) {
                column.add(value.as_deref());
            }
        }
        Ok(())
    }
}
