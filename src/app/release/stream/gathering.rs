//! Rows become chunks: gathered until there are enough of them, cut to what the quota lets leave, encoded.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::gate::Gate;
use crate::domain::text::FieldName;
use crate::engine::encode::Encoder;
use crate::engine::{EngineError, Released, ReleasedStream};
use crate::history::Cut;
use crate::policy::release::ReleasePlan;

use super::super::super::{App, AppError};
use super::super::{add_withheld, allowance, ledger};
use super::paying::{Used, unpaid};

/// The most rows of a chunk.
const MOST_ROWS: usize = 65_536;
/// Bytes in memory beyond which a chunk takes no further batch: what a stream holds does not grow with its rows' width.
const MOST_BYTES: usize = 32 * 1024 * 1024;
/// The part of both that a chunk may have where many streams run: three chunks of each are in memory at once, one on its way
/// out, one that pays its toll, and one that is gathered.
const CROWDED: usize = 8;
/// The oldest a chunk may grow before it is tolled and sent.
const MOST_AGE: Duration = Duration::from_secs(1);

/// Rows as they would leave, once their toll is paid.
pub(super) struct Chunk {
    pub(super) bytes: Vec<u8>,
    pub(super) rows: u64,
    /// In rising order, each once.
    pub(super) subjects: Arc<Vec<u64>>,
    pub(super) segment: ledger::Segment,
    /// Values that their treatment could not compute.
    pub(super) withheld: BTreeMap<FieldName, u64>,
    /// Whether nothing stands after it.
    pub(super) last: bool,
    /// Whether the quota lets no more rows leave.
    pub(super) clipped: bool,
}

/// The source of chunks.
pub(super) struct Gathering {
    app: Arc<App>,
    plan: Arc<ReleasePlan>,
    rows: ReleasedStream,
    /// Rows that came and are in no chunk yet.
    carried: Option<Released>,
    over: bool,
    /// What the rows are written with, until the last of them is.
    encoder: Option<Encoder>,
    header: Option<Vec<u8>>,
    /// Whether the coding that follows has an end of its own, so that there is a last chunk even without a row.
    coded: bool,
}

impl Gathering {
    pub(super) fn new(
        app: &Arc<App>,
        plan: &Arc<ReleasePlan>,
        rows: ReleasedStream,
        first: Option<Released>,
        encoder: Encoder,
        coded: bool,
    ) -> Self {
        let header = Some(encoder.header()).filter(|header| !header.is_empty());
        let (app, plan, over) = (Arc::clone(app), Arc::clone(plan), first.is_none());
        Self { app, plan, rows, carried: first, over, encoder: Some(encoder), header, coded }
    }

    /// The next chunk; none when everything was handed out.
    pub(super) async fn next(&mut self, used: Used) -> Result<Option<Chunk>, Cut> {
        let mut batches = Vec::new();
        if !self.over {
            self.gather(&mut batches).await?;
        }
        if batches.is_empty() && self.header.is_none() && !self.has_end() {
            return Ok(None);
        }
        let clipped = clip(&self.app, &self.plan, &mut batches, used).await?;
        if clipped && batches.is_empty() && self.header.is_none() {
            return Err(Cut::Gate(Gate::Quota));
        }
        // What stands after the last row leaves under the last toll, so that a stream that was cut has no end.
        let last = self.over && self.carried.is_none() && !clipped;
        self.chunk(batches, last, clipped).await.map(Some)
    }

    /// Gathers batches until a chunk is full, old enough, or the rows are over.
    async fn gather(&mut self, batches: &mut Vec<Released>) -> Result<(), Cut> {
        let deadline = tokio::time::Instant::now() + MOST_AGE;
        let part = if self.app.streams.is_crowded() { CROWDED } else { 1 };
        let (most_rows, most_bytes) = (MOST_ROWS / part, MOST_BYTES / part);
        let (mut rows, mut bytes) = (0_usize, 0_usize);
        let mut next = self.carried.take();
        loop {
            if let Some(batch) = next.take() {
                let room = most_rows.saturating_sub(rows);
                if batch.rows() > room {
                    self.carried = Some(batch.slice(room, batch.rows().saturating_sub(room)));
                    batches.push(batch.slice(0, room));
                    return Ok(());
                }
                rows = rows.saturating_add(batch.rows());
                bytes = bytes.saturating_add(batch.bytes());
                batches.push(batch);
                if rows == most_rows || bytes >= most_bytes {
                    return Ok(());
                }
            }
            let waited =
                if batches.is_empty() { Ok(self.rows.next().await) } else { tokio::time::timeout_at(deadline, self.rows.next()).await };
            match waited {
                Err(_) => return Ok(()),
                Ok(None) => {
                    self.over = true;
                    return Ok(());
                }
                Ok(Some(Ok(batch))) => next = Some(batch),
                Ok(Some(Err(error))) => {
                    tracing::error!(cause = %error, dataset = %self.plan.dataset().name, "a source failed in mid-stream");
                    return Err(Cut::Source);
                }
            }
        }
    }

    /// Encodes rows and keeps the segment of their subjects.
    async fn chunk(&mut self, batches: Vec<Released>, last: bool, clipped: bool) -> Result<Chunk, Cut> {
        let mut bytes = self.header.take().unwrap_or_default();
        let (mut subjects, mut rows, mut withheld) = (Vec::new(), 0_u64, BTreeMap::new());
        for batch in &batches {
            subjects.extend_from_slice(batch.subjects());
            add_withheld(&mut withheld, batch.withheld());
            rows = rows.saturating_add(u64::try_from(batch.rows()).unwrap_or(u64::MAX));
        }
        // Its subjects are sorted and kept on a thread of their own while the chunk is encoded.
        let app = Arc::clone(&self.app);
        let kept = self.app.engine.spawn(async move { ledger::prepare(&app, subjects).await });
        self.encode(&batches, last, &mut bytes).map_err(|_| Cut::Source)?;
        drop(batches);
        let kept = kept.await.unwrap_or_else(|_| Err(AppError::Internal("the keeping of a segment died".to_owned())));
        let (subjects, segment) = kept.map_err(unpaid)?;
        Ok(Chunk { bytes, rows, subjects, segment, withheld, last, clipped })
    }

    fn encode(&mut self, batches: &[Released], last: bool, bytes: &mut Vec<u8>) -> Result<(), EngineError> {
        let Some(mut encoder) = self.encoder.take() else { return Ok(()) };
        let encoded = encoder.encode(batches)?;
        // The first chunk's header is short; every other chunk is handed on as it was encoded.
        if bytes.is_empty() {
            *bytes = encoded;
        } else {
            bytes.extend_from_slice(&encoded);
        }
        if last {
            bytes.extend_from_slice(&encoder.finish()?);
        } else {
            self.encoder = Some(encoder);
        }
        Ok(())
    }

    /// Whether something stands after the last row.
    fn has_end(&self) -> bool {
        self.encoder.as_ref().is_some_and(|encoder| self.coded || encoder.has_end())
    }
}

/// Cuts a chunk to what the quota still lets leave; says whether it had to.
async fn clip(app: &App, plan: &ReleasePlan, batches: &mut Vec<Released>, used: Used) -> Result<bool, Cut> {
    let left = usize::try_from(plan.daily_rows().saturating_sub(used.on(app.clock.now().date()))).unwrap_or(usize::MAX);
    let total: usize = batches.iter().map(Released::rows).sum();
    if total > left {
        allowance::truncate(batches, left);
    }
    let clipped = allowance::clip_subjects(app, plan, batches).await.map_err(unpaid)?;
    Ok(clipped || total > left)
}
