//! Pages are answered from the rows that are kept where they may be, and give the same rows where not.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::physical_plan::execute_stream;
use futures::StreamExt;

use super::kept::{self, Beginning, Found, Key};
use super::plan::Layout;
use super::stream::{ReleasedStream, Rows};
use super::{Access, Engine, EngineError, Release, Secrets, Shared, Window};
use crate::policy::release::ReleasePlan;

/// A page, or what must be computed for one.
pub(super) enum Page {
    Kept(ReleasedStream),
    Computed(Release),
}

impl Engine {
    /// Bytes of treated rows that are kept.
    pub fn kept_bytes(&self) -> usize {
        self.shared.kept.bytes()
    }

    /// The rows of a page where they are kept, or are now; everything else is to be computed.
    pub(super) async fn page(&self, plan: &Arc<ReleasePlan>, release: Release) -> Result<Page, EngineError> {
        if release.window.limit.is_none() {
            return Ok(Page::Computed(release));
        }
        if !kept::tells_its_version(&plan.source().location) {
            return Ok(Page::Computed(release));
        }
        let planned = Arc::clone(plan);
        let found = self.soon(async move |shared| shared.look_up(&planned, release).await).await?;
        let (release, key, wanted) = match found {
            LookedUp::Rows(layout, rows) => return Ok(Page::Kept(ReleasedStream::new(plan, layout, Rows::Kept(Some(rows))))),
            LookedUp::Compute(release, None) => return Ok(Page::Computed(*release)),
            LookedUp::Compute(release, Some((key, wanted))) => (*release, key, wanted),
        };
        Ok(match self.running(async move |shared| shared.fill(release, key, wanted).await).await? {
            (_, Some((layout, rows))) => Page::Kept(ReleasedStream::new(plan, layout, Rows::Kept(Some(rows)))),
            (release, None) => Page::Computed(release),
        })
    }
}

enum LookedUp {
    Rows(Layout, RecordBatch),
    /// With the key and how many rows to keep where they may be kept.
    Compute(Box<Release>, Option<(Key, u64)>),
}

impl Shared {
    async fn look_up(self: &Arc<Self>, plan: &ReleasePlan, release: Release) -> Result<LookedUp, EngineError> {
        let location = &plan.source().location;
        let version = self.version(&release).await?;
        let place = serde_json::to_string(location).map_err(|_| EngineError::internal("a location can't be written"))?;
        let Some(key) = Key::of(plan, &release.secrets, release.window, place, version) else {
            return Ok(LookedUp::Compute(Box::new(release), None));
        };
        Ok(match self.kept.find(&key, release.window, release.admission.as_deref())? {
            Found::Rows(layout, rows) => LookedUp::Rows(layout, rows),
            Found::Compute(wanted) => LookedUp::Compute(Box::new(release), wanted.map(|wanted| (key, wanted))),
        })
    }

    /// Computes the first rows of a release, keeps them, and answers its page from them where they reach that far.
    pub(super) async fn fill(self: Arc<Self>, release: Release, key: Key, wanted: u64) -> Result<Filled, EngineError> {
        let Release { shape, secrets, window, admission } = release;
        let copy = Secrets {
            treatment: secrets.treatment.clone(),
            hierarchies: secrets.hierarchies.clone(),
            ledger: secrets.ledger,
            source: secrets.source.clone(),
        };
        let first = Release { shape: Arc::clone(&shape), secrets: copy, window: Window { skip: 0, limit: Some(wanted) }, admission: None };
        let release = Release { shape, secrets, window, admission };
        // Whatever fails here lies in rows that the page may not need: it is for the page itself to say so.
        let Ok(beginning) = self.beginning(first, wanted).await else { return Ok((release, None)) };
        let beginning = Arc::new(beginning);
        // Rows of a source that changed while it was read belong to neither version.
        if !matches!(self.version(&release).await, Ok(version) if version == key.version()) {
            return Ok((release, None));
        }
        self.kept.keep(key, Arc::clone(&beginning));
        let rows = beginning.window(window, release.admission.as_deref())?;
        Ok((release, rows.map(|rows| (beginning.layout.clone(), rows))))
    }

    async fn version(self: &Arc<Self>, release: &Release) -> Result<String, EngineError> {
        let access = Access { location: release.shape.source().location.clone(), secret: release.secrets.source.clone() };
        self.reach(&access, Some(&release.shape.dataset().table)).await.map(|(_, version)| version)
    }

    async fn beginning(self: &Arc<Self>, first: Release, wanted: u64) -> Result<Beginning, EngineError> {
        let (physical, layout) = self.prepare(first).await?;
        let mut stream = execute_stream(physical, self.state.task_ctx())?;
        let (mut batches, mut bytes, mut cut) = (Vec::new(), 0_usize, false);
        while let Some(batch) = stream.next().await {
            // A batch may be a view of more rows than were asked for: only these are copied, and kept.
            let batch = kept::copied(&batch?)?;
            bytes = bytes.saturating_add(batch.get_array_memory_size());
            if !self.kept.takes(bytes) {
                cut = true;
                break;
            }
            batches.push(batch);
        }
        Beginning::new(layout, &stream.schema(), &batches, wanted, cut)
    }
}

pub(super) type Filled = (Release, Option<(Layout, RecordBatch)>);
