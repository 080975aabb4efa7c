//! The data plane: turns a [`ReleasePlan`] into released rows, and hands out nothing that was not treated.

pub mod admission;
mod ahead;
mod calendar;
mod canonical;
mod compare;
mod drift;
pub mod encode;
mod fetch;
mod found;
mod incoming;
mod kept;
mod look;
mod pages;
mod place;
mod plan;
mod preview;
mod reach;
mod read;
pub mod sample;
mod source;
mod stream;
#[doc(hidden)]
pub mod treat;
mod udf;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use datafusion::arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::SessionConfig;
use futures::StreamExt;
use tempfile::TempDir;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use zeroize::Zeroize;

use self::admission::Admission;
pub use self::fetch::{Ask, Fetch, FetchError, Fetched};
use self::fetch::{Client, Nowhere};
pub use self::found::{FoundFile, FoundFiles};
pub use self::incoming::{Arrived, FileKind, Incoming, NotTaken};
use self::kept::Kept;
pub use self::look::{Look, LookedAt, MOST_LOOKED_AT};
use self::pages::Page;
use self::plan::Layout;
pub use self::preview::{MOST_PREVIEWED, Preview};
pub use self::reach::Access;
use self::source::bucket::Bucket;
use self::source::postgres::Database;
use self::source::{Scan, Table};
pub use self::stream::{Released, ReleasedColumn, ReleasedStream};
use self::stream::{Rows, Sent};
pub use self::treat::reveal;
use crate::domain::Invalid;
use crate::domain::dataset::{DiscoveredTable, SourceLocation};
use crate::domain::hierarchy::{Hierarchy, HierarchyKey};
use crate::domain::secret::PlainSecret;
use crate::domain::text::FieldName;
use crate::policy::release::{ReleasePlan, Shape};

/// What an engine may use.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Directories below which sources lie; the first that has a path wins.
    pub roots: Vec<PathBuf>,
    /// The directory that uploaded files are kept in. It is a root too, the last of them.
    pub uploads: Option<PathBuf>,
    /// The folder below which sorts that outgrow the memory keep treated rows; the system's own for temporary files when
    /// not given. Each engine makes a folder of its own in it, for its owner alone, and removes it at its end.
    pub spill: Option<PathBuf>,
    /// Worker threads, at least one.
    pub threads: usize,
    /// Bytes that sorts may hold before they spill to temporary files.
    pub memory_bytes: usize,
    /// Bytes of treated rows that are kept for pages asked for again.
    pub kept_bytes: usize,
    /// How long a source must have stood as it is before rows of it are kept.
    pub settled: Duration,
}

/// The keys of one release, and the hierarchies that it reads. Keys are wiped when dropped, and nothing is printed.
pub struct Secrets {
    /// The key of each keyed treatment, by the label it is derived under.
    pub treatment: BTreeMap<String, [u8; 32]>,
    /// The hierarchies that treatments name, by name and version.
    pub hierarchies: BTreeMap<HierarchyKey, Arc<Hierarchy>>,
    /// The key of the subject ledger.
    pub ledger: [u8; 32],
    /// What the source asks for before it gives rows.
    pub source: Option<PlainSecret>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secrets(..)")
    }
}

impl Drop for Secrets {
    fn drop(&mut self) {
        self.treatment.values_mut().for_each(Zeroize::zeroize);
        self.ledger.zeroize();
    }
}

/// Which of the rows, counted after filter and order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Window {
    pub skip: u64,
    pub limit: Option<u64>,
}

/// Why there are no rows. No text here names a path, a value or a column.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The source no longer is as it was catalogued.
    #[error("the dataset has changed since it was catalogued: {0}")]
    Drift(String),
    /// What holds the rows is missing, damaged or can't be reached.
    #[error("the source can't be read: {0}")]
    Unavailable(String),
    /// The memory for releases is used up.
    #[error("too much is being released at once: try again, or ask for less")]
    Overloaded,
    /// Something that the engine does not do.
    #[error("{0}")]
    Unsupported(String),
    /// A fault of our own.
    #[error("the release engine failed: {0}")]
    Internal(String),
}

impl EngineError {
    /// The file can't be opened, or what is in it can't be read.
    fn damaged() -> Self {
        Self::Unavailable("the file is missing or damaged".to_owned())
    }

    fn unsupported(what: &str) -> Self {
        Self::Unsupported(what.to_owned())
    }

    fn internal(what: &str) -> Self {
        Self::Internal(what.to_owned())
    }
}

impl From<EngineError> for DataFusionError {
    fn from(error: EngineError) -> Self {
        Self::External(Box::new(error))
    }
}

impl From<DataFusionError> for EngineError {
    fn from(error: DataFusionError) -> Self {
        match error.find_root() {
            DataFusionError::External(error) => match error.downcast_ref::<Self>() {
                Some(known) => known.clone(),
                None => Self::internal("a part of the plan failed"),
            },
            DataFusionError::ResourcesExhausted(_) => Self::Overloaded,
            DataFusionError::ParquetError(_) | DataFusionError::ObjectStore(_) | DataFusionError::IoError(_) => Self::damaged(),
            DataFusionError::ArrowError(error, _) => match error.as_ref() {
                ArrowError::CsvError(_) | ArrowError::ParseError(_) | ArrowError::ParquetError(_) | ArrowError::IoError(..) => {
                    Self::damaged()
                }
                _ => Self::internal("a computation failed"),
            },
            // Messages of the others may hold names and values.
            _ => Self::internal("the plan could not be carried out"),
        }
    }
}

/// Batches that wait for a slow reader.
const BATCHES_AHEAD: usize = 3;

/// Tables remembered by the version of their source.
const TABLES_KEPT: usize = 256;

/// The source's location as it is written, its version, and the table.
type TableKey = (String, String, FieldName);

/// Runs releases on threads of its own, so that a big export can't starve the rest of the process.
pub struct Engine {
    shared: Arc<Shared>,
    long: Threads,
    /// For what is answered at once: it must not wait until a whole pull lets go of a thread.
    short: Threads,
}

/// Threads that end with the engine.
struct Threads {
    handle: Handle,
    runtime: Option<Runtime>,
}

impl Threads {
    fn start(name: &str, count: usize) -> Result<Self, EngineError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(count.max(1))
            // Each stream of a CSV or SQLite source holds one while its reader is slow.
            .max_blocking_threads(1_024)
            .thread_name(name)
            .enable_all()
            .build()
            .map_err(|_| EngineError::internal("its threads could not be started"))?;
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime) })
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // Waiting for the threads is not allowed where this may be dropped: in async code.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

struct Shared {
    settings: Settings,
    state: SessionState,
    tables: Mutex<HashMap<TableKey, Arc<Table>>>,
    buckets: Mutex<HashMap<String, Bucket>>,
    databases: Mutex<HashMap<String, Database>>,
    client: Client,
    kept: Kept,
    spill: TempDir,
}

impl fmt::Debug for Engine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Engine").finish_non_exhaustive()
    }
}

impl Engine {
    /// Starts the engine's threads. This one fetches nothing over HTTP.
    pub fn new(settings: Settings) -> Result<Self, EngineError> {
        Self::fetching(settings, Arc::new(Nowhere))
    }

    /// Starts the engine's threads; sources over HTTP and object stores are fetched by the client.
    pub fn fetching(mut settings: Settings, client: Arc<dyn Fetch>) -> Result<Self, EngineError> {
        settings.roots.extend(settings.uploads.clone());
        let (long, short) = (Threads::start("engine", settings.threads)?, Threads::start("pages", settings.threads)?);
        let spill = spill_folder(settings.spill.as_deref()).map_err(|_| EngineError::internal("its temporary folder could not be made"))?;
        let state = session(settings.memory_bytes, spill.path())?;
        let kept = Kept::new(settings.kept_bytes, settings.settled);
        let shared = Shared {
            settings,
            state,
            tables: Mutex::default(),
            buckets: Mutex::default(),
            databases: Mutex::default(),
            client: Client(client),
            kept,
            spill,
        };
        Ok(Self { shared: Arc::new(shared), long, short })
    }

    /// Removes what engines that died left in the folder for sorts. No other engine may use that folder.
    pub fn sweep(&self) {
        let shared = &self.shared;
        let Some(entries) = shared.settings.spill.as_deref().and_then(|folder| std::fs::read_dir(folder).ok()) else { return };
        for entry in entries.flatten().filter(|entry| Some(entry.file_name().as_os_str()) != shared.spill.path().file_name()) {
            if std::fs::remove_dir_all(entry.path()).is_err() {
                tracing::warn!("what a sort left behind could not be removed");
            }
        }
    }

    /// Whether a location may be registered; a path must be relative, below a root also when links are followed, and there.
    pub fn check_location(&self, location: &SourceLocation) -> Result<(), Invalid> {
        location.check()?;
        if place::is_local(location) { place::check(&self.shared.settings.roots, location).map(drop) } else { Ok(()) }
    }

    /// The tables and columns of a source.
    pub async fn discover(&self, access: &Access) -> Result<Vec<DiscoveredTable>, EngineError> {
        let access = access.clone();
        self.running(async move |shared| {
            let (reached, _) = shared.reach(&access, None).await?;
            Ok(reached.tables(&access.location).await?.into_iter().map(source::discovered).collect())
        })
        .await
    }

    /// A hexadecimal digest that changes when a table of the source does. It reads no rows.
    pub async fn source_version(&self, access: &Access, table: &FieldName) -> Result<String, EngineError> {
        let (access, table) = (access.clone(), table.clone());
        self.soon(async move |shared| shared.reach(&access, Some(&table)).await.map(|(_, version)| version)).await
    }

    /// Begins a release. Over an unchanged source the same plan gives the same rows in the same order, so that
    /// windows can be laid side by side.
    pub async fn open(
        &self,
        plan: Arc<ReleasePlan>,
        secrets: Secrets,
        window: Window,
        admission: Option<Arc<dyn Admission>>,
    ) -> Result<ReleasedStream, EngineError> {
        let release = Release { shape: Arc::clone(plan.shape()), secrets, window, admission };
        let release = match self.page(&plan, release).await? {
            Page::Kept(stream) => return Ok(stream),
            Page::Computed(release) => release,
        };
        let (sender, sent) = mpsc::channel(BATCHES_AHEAD);
        let (opened, ready) = oneshot::channel();
        let shared = Arc::clone(&self.shared);
        let task = self.long.handle.spawn(async move {
            match shared.prepare(release).await {
                Ok((physical, layout)) => {
                    if opened.send(Ok(layout)).is_ok() {
                        shared.pump(physical, sender).await;
                    }
                }
                Err(error) => drop(opened.send(Err(error))),
            }
        });
        let layout = ready.await.map_err(|_| EngineError::internal("the release could not be planned"))??;
        Ok(ReleasedStream::new(&plan, layout, Rows::Computed(sent, task.abort_handle())))
    }

    /// Runs something on the engine's threads, such as the encoding of what it releases.
    ///
    /// The task is cancelled when the engine is dropped.
    pub fn spawn<Task>(&self, task: Task) -> JoinHandle<Task::Output>
    where
        Task: Future<Output: Send + 'static> + Send + 'static,
    {
        self.long.handle.spawn(task)
    }

    /// Runs something short on threads that whole pulls leave alone, such as the encoding of a page.
    ///
    /// The task is cancelled when the engine is dropped.
    pub fn spawn_short<Task>(&self, task: Task) -> JoinHandle<Task::Output>
    where
        Task: Future<Output: Send + 'static> + Send + 'static,
    {
        self.short.handle.spawn(task)
    }

    /// Runs something on the engine's threads, and stops it when nobody waits for it any more.
    async fn running<Answer: Send + 'static, Work: Future<Output = Result<Answer, EngineError>> + Send + 'static>(
        &self,
        work: impl FnOnce(Arc<Shared>) -> Work,
    ) -> Result<Answer, EngineError> {
        ended(self.long.handle.spawn(work(Arc::clone(&self.shared)))).await
    }

    /// The same for what is answered at once.
    async fn soon<Answer: Send + 'static, Work: Future<Output = Result<Answer, EngineError>> + Send + 'static>(
        &self,
        work: impl FnOnce(Arc<Shared>) -> Work,
    ) -> Result<Answer, EngineError> {
        ended(self.short.handle.spawn(work(Arc::clone(&self.shared)))).await
    }

    async fn blocking<Answer: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<Answer, EngineError> + Send + 'static,
    ) -> Result<Answer, EngineError> {
        let shared = Arc::clone(&self.shared);
        let done = self.long.handle.spawn_blocking(move || work(&shared)).await;
        done.unwrap_or_else(|_| Err(EngineError::internal("a reader died")))
    }
}

async fn ended<Answer>(task: JoinHandle<Result<Answer, EngineError>>) -> Result<Answer, EngineError> {
    let mut task = Task(task);
    (&mut task.0).await.unwrap_or_else(|_| Err(EngineError::internal("a reader died")))
}

/// Stops the work when nobody waits for it any more.
struct Task<T>(JoinHandle<T>);

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What is asked of one release, or of one preview.
struct Release {
    shape: Arc<Shape>,
    secrets: Secrets,
    window: Window,
    /// None where every subject may be in it.
    admission: Option<Arc<dyn Admission>>,
}

impl Release {
    /// The most rows within the permit's condition that the source need give; unknown when rows fall out behind it or are
    /// sorted on the way.
    fn fetch(&self) -> Option<u64> {
        let plan = &self.shape;
        let every = plan.filter().is_empty() && plan.order().is_empty() && self.admission.is_none();
        if every { Some(self.window.skip.saturating_add(self.window.limit?)) } else { None }
    }

    /// Whether it is worth running ahead: a page would only be late.
    fn is_long(&self) -> bool {
        self.window.limit.is_none_or(|rows| rows > source::BATCH as u64)
    }
}

impl Shared {
    /// Plans a release over the source as it is now.
    async fn prepare(self: &Arc<Self>, release: Release) -> Result<(Arc<dyn ExecutionPlan>, Layout), EngineError> {
        let scan = self.scan(&release).await?;
        let compiled = plan::compile(&release, &scan)?;
        let physical = self.state.create_physical_plan(&compiled.plan).await?;
        let threads = self.settings.threads.max(1);
        let physical = if release.is_long() && threads > 1 { ahead::run_ahead(physical, threads)? } else { physical };
        Ok((physical, compiled.layout))
    }

    async fn scan(self: &Arc<Self>, release: &Release) -> Result<Scan, EngineError> {
        let plan = &release.shape;
        let (location, name) = (&plan.source().location, &plan.dataset().table);
        let access = Access { location: location.clone(), secret: release.secrets.source.clone() };
        let (reached, version) = self.reach(&access, Some(name)).await?;
        let table = self.table(&reached, &version, location, name).await?;
        table.check(plan)?;
        Scan::new(reached, plan, &table, release.fetch())
    }

    /// Sends every batch until the rows end, fail, or nobody waits for them.
    async fn pump(&self, physical: Arc<dyn ExecutionPlan>, to: mpsc::Sender<Sent>) {
        let last = match execute_stream(physical, self.state.task_ctx()) {
            Err(error) => Sent::Failed(error.into()),
            Ok(mut rows) => loop {
                match rows.next().await {
                    None => break Sent::End,
                    Some(Err(error)) => break Sent::Failed(error.into()),
                    Some(Ok(batch)) => {
                        if to.send(Sent::Batch(batch)).await.is_err() {
                            return;
                        }
                    }
                }
            },
        };
        drop(to.send(last).await);
    }
}

/// A folder for its owner alone.
fn spill_folder(within: Option<&Path>) -> std::io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("sort-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    match within {
        Some(within) => {
            std::fs::create_dir_all(within)?;
            builder.tempdir_in(within)
        }
        None => builder.tempdir(),
    }
}

/// One partition and no reordering, so that rows come in the order of the source.
fn session(memory_bytes: usize, spill: &Path) -> Result<SessionState, EngineError> {
    let disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Directories(vec![spill.to_owned()]));
    let pool = Arc::new(FairSpillPool::new(memory_bytes));
    let runtime = RuntimeEnvBuilder::new().with_memory_pool(pool).with_disk_manager_builder(disk).build_arc()?;
    let mut config = SessionConfig::new().with_target_partitions(1).with_batch_size(source::BATCH).with_collect_statistics(false);
    let optimizer = &mut config.options_mut().optimizer;
    // Both could let a sort change which rows are read first, and with it the order of equal rows.
    optimizer.enable_sort_pushdown = false;
    optimizer.enable_dynamic_filter_pushdown = false;
    optimizer.enable_topk_dynamic_filter_pushdown = false;
    // Kept out of the scan, treatments can run beside it.
    let rules = PhysicalOptimizer::new().rules.into_iter().filter(|rule| rule.name() != "ProjectionPushdown").collect();
    Ok(SessionStateBuilder::new().with_config(config).with_runtime_env(runtime).with_physical_optimizer_rules(rules).build())
}

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;
