//! Treated rows of pages that were asked for, so that none is computed twice: bounded in bytes, each found again only
//! under everything that made it, and gone with the engine.
//!
//! What is kept is the beginning of a release's rows after condition, treatments, filter and order. Who may be in a
//! release is asked of these rows by each page anew. So a withdrawal counts at once, and so does a consent whose end has
//! come: that moves no watermark, and rows kept under one would outlive it. A subject is in all their rows or in none, so
//! asking after the order answers as asking before the treatments does.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{Context, SHA256};
use datafusion::arrow::array::{Array, AsArray, BooleanArray, RecordBatch, UInt64Array};
use datafusion::arrow::compute::{concat_batches, filter_record_batch, take_record_batch};
use datafusion::arrow::datatypes::SchemaRef;

use super::admission::{self, Admission};
use super::plan::Layout;
use super::{EngineError, Secrets, Window};
use crate::domain::dataset::SourceLocation;
use crate::domain::id::AgreementId;
use crate::domain::text::{Digest, Slug};
use crate::policy::release::{ReleasePlan, Shape};

/// The most rows that are kept of one release; pages that reach beyond them are computed.
const MOST_ROWS: u64 = 65_536;
/// The most releases whose rows are kept.
const MOST_ENTRIES: usize = 256;
/// One release may hold this part of the bytes.
const SHARE: usize = 4;
/// Rows of which admission is asked at once, at least.
const ASKED: usize = 64;

/// Everything that can change what a release's rows are.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Key {
    /// The source's version changes with its rows.
    version: String,
    /// The source's location as it is written.
    place: String,
    permit: Slug,
    revision: i32,
    policy: Digest,
    /// Rows of one agreement are never found for another, whatever else they share.
    agreement: AgreementId,
    /// A digest of every key that treats, and of the ledger's.
    keys: [u8; 32],
    /// Dataset, source, fields, treatments, condition, and what was asked: selection, filter, order.
    shape: Arc<Shape>,
}

impl Key {
    /// None for a release whose rows may not be kept.
    pub(super) fn of(plan: &ReleasePlan, secrets: &Secrets, window: Window, place: String, version: String) -> Option<Self> {
        let reach = window.skip.saturating_add(window.limit?);
        let keeps = reach <= MOST_ROWS && tells_its_version(&plan.source().location);
        keeps.then(|| Self {
            version,
            place,
            permit: plan.permit().clone(),
            revision: plan.revision(),
            policy: plan.policy().clone(),
            agreement: plan.agreement().clone(),
            keys: digest(secrets),
            shape: Arc::clone(plan.shape()),
        })
    }

    /// The version of the source that the rows are of.
    pub(super) fn version(&self) -> &str {
        &self.version
    }
}

/// Whether a source's version changes whenever its rows do, so that rows kept under one are still the source's. A file
/// tells by its length, its time and its place on the disk; an object by its tag.
pub(super) const fn tells_its_version(location: &SourceLocation) -> bool {
    match location {
        SourceLocation::Sqlite { .. } | SourceLocation::Csv { .. } | SourceLocation::Parquet { .. } | SourceLocation::Ndjson { .. } => true,
        // The statistics of a database follow its rows late, and nothing tells what a server would say.
        SourceLocation::Postgres(_) | SourceLocation::HttpJson(_) => false,
    }
}

fn digest(secrets: &Secrets) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for (label, key) in &secrets.treatment {
        // Lengths keep labels and keys apart.
        context.update(&label.len().to_be_bytes());
        context.update(label.as_bytes());
        context.update(key);
    }
    context.update(&secrets.ledger);
    context.finish().as_ref().try_into().unwrap_or_default()
}

/// The first rows of a release, before anybody was asked whether they may be in it.
#[derive(Debug)]
pub(super) struct Beginning {
    pub(super) layout: Layout,
    rows: RecordBatch,
    /// Whether these are all rows.
    whole: bool,
    /// Whether no more of them may be kept.
    longest: bool,
}

impl Beginning {
    /// Of the batches that came: `most` rows were asked for, and they were `cut` where they outgrew what may be kept.
    pub(super) fn new(layout: Layout, schema: &SchemaRef, batches: &[RecordBatch], most: u64, cut: bool) -> Result<Self, EngineError> {
        let rows = concat_batches(schema, batches).map_err(|_| unplanned())?;
        let came = u64::try_from(rows.num_rows()).unwrap_or(u64::MAX);
        Ok(Self { layout, rows, whole: came < most && !cut, longest: cut || came >= MOST_ROWS })
    }

    /// The rows of a window, asked about now; none where it may reach beyond what is kept.
    pub(super) fn window(&self, window: Window, admission: Option<&dyn Admission>) -> Result<Option<RecordBatch>, EngineError> {
        let count = |rows: u64| usize::try_from(rows).unwrap_or(usize::MAX);
        let (skip, limit) = (count(window.skip), window.limit.map_or(usize::MAX, count));
        let reach = skip.saturating_add(limit);
        let admitted = match admission {
            None => self.rows.clone(),
            Some(admission) => self.admitted(admission, reach)?,
        };
        if !self.whole && admitted.num_rows() < reach {
            return Ok(None);
        }
        let skip = skip.min(admitted.num_rows());
        Ok(Some(admitted.slice(skip, limit.min(admitted.num_rows().saturating_sub(skip)))))
    }

    /// At least the first `wanted` admitted rows, or all of them.
    fn admitted(&self, admission: &dyn Admission, wanted: usize) -> Result<RecordBatch, EngineError> {
        let subjects = self.rows.columns().get(self.layout.released.len()).ok_or_else(unplanned)?;
        let (mut admitted, mut found) = (Vec::new(), 0_usize);
        while admitted.len() < subjects.len() && found < wanted {
            let part = wanted.saturating_sub(found).max(ASKED).min(subjects.len().saturating_sub(admitted.len()));
            let answers = admission::apply(admission, &subjects.slice(admitted.len(), part))?;
            let answers = answers.as_boolean_opt().ok_or_else(unplanned)?;
            found = found.saturating_add(answers.true_count());
            admitted.extend(answers.values().iter());
        }
        let asked = self.rows.slice(0, admitted.len());
        filter_record_batch(&asked, &BooleanArray::from(admitted)).map_err(|_| unplanned())
    }

    fn bytes(&self) -> usize {
        self.rows.get_array_memory_size()
    }
}

/// The rows in memory of their own.
pub(super) fn copied(rows: &RecordBatch) -> Result<RecordBatch, EngineError> {
    let every: UInt64Array = (0_u64..).take(rows.num_rows()).collect();
    take_record_batch(rows, &every).map_err(|_| unplanned())
}

fn unplanned() -> EngineError {
    EngineError::internal("rows that were kept do not have the columns planned")
}

/// What is known of a release's rows.
pub(super) enum Found {
    Rows(Layout, RecordBatch),
    /// They must be computed. So many from the first are worth keeping; none where they may not be kept.
    Compute(Option<u64>),
}

/// The rows that are kept, the longest unused first.
pub(super) struct Kept {
    most_bytes: usize,
    /// How long a source must have stood as it is.
    settled: Duration,
    entries: Mutex<Vec<(Key, Arc<Beginning>)>>,
    /// When each version was first seen.
    seen: Mutex<Vec<(String, String, Instant)>>,
}

impl Kept {
    pub(super) fn new(most_bytes: usize, settled: Duration) -> Self {
        Self { most_bytes, settled, entries: Mutex::default(), seen: Mutex::default() }
    }

    /// A release's rows where they are kept; else how many to compute.
    pub(super) fn find(&self, key: &Key, window: Window, admission: Option<&dyn Admission>) -> Result<Found, EngineError> {
        let reach = window.skip.saturating_add(window.limit.unwrap_or(u64::MAX));
        let known = self.known(key);
        if let Some(beginning) = &known
            && let Some(rows) = beginning.window(window, admission)?
        {
            return Ok(Found::Rows(beginning.layout.clone(), rows));
        }
        if !self.is_settled(key) {
            return Ok(Found::Compute(None));
        }
        // Who asks beyond what is kept may read on; where some are not admitted, more rows than asked for are looked at.
        let wanted = if known.is_none() && admission.is_none() { reach } else { reach.saturating_mul(2) };
        let more = known.is_none_or(|known| !known.longest);
        Ok(Found::Compute(more.then(|| wanted.min(MOST_ROWS))))
    }

    fn known(&self, key: &Key) -> Option<Arc<Beginning>> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let at = entries.iter().rposition(|(known, _)| known == key)?;
        let used = entries.remove(at);
        let beginning = Arc::clone(&used.1);
        entries.push(used);
        Some(beginning)
    }

    /// Whether a version was seen long enough ago that a change since would have another one: the clocks of file systems
    /// tick slowly, and two changes between ticks look like one.
    fn is_settled(&self, key: &Key) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, _, first)) = seen.iter().find(|(place, version, _)| *version == key.version && *place == key.place) {
            return first.elapsed() >= self.settled;
        }
        seen.retain(|(place, _, _)| *place != key.place);
        if seen.len() >= MOST_ENTRIES {
            seen.clear();
        }
        seen.push((key.place.clone(), key.version.clone(), Instant::now()));
        self.settled.is_zero()
    }

    /// Whether rows of that many bytes may be kept of one release.
    pub(super) const fn takes(&self, bytes: usize) -> bool {
        bytes <= self.most_bytes / SHARE
    }

    /// Keeps rows; those that were not used for longest make room.
    pub(super) fn keep(&self, key: Key, beginning: Arc<Beginning>) {
        if !self.takes(beginning.bytes()) {
            return;
        }
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        // What was of an older version of the source is never asked for again.
        entries.retain(|(known, _)| *known != key && (known.place != key.place || known.version == key.version));
        entries.push((key, beginning));
        while entries.len() > MOST_ENTRIES || bytes_of(&entries) > self.most_bytes {
            entries.remove(0);
        }
    }

    /// Bytes that are kept.
    pub(super) fn bytes(&self) -> usize {
        bytes_of(&self.entries.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn bytes_of(entries: &[(Key, Arc<Beginning>)]) -> usize {
    entries.iter().map(|(_, beginning)| beginning.bytes()).sum()
}

#[cfg(test)]
mod tests;
