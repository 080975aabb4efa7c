//! A stream: opened on record, tolled before each chunk, closed on record.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::domain::client::Token;
use crate::domain::gate::Gate;
use crate::domain::id::ReleaseId;
use crate::domain::text::{Digest, FieldName};
use crate::domain::time::{Date, Instant};
use crate::engine::encode::{Coder, Encoder, Format, Wire};
use crate::engine::{EngineError, Released, ReleasedStream, Window};
use crate::files::Runs;
use crate::history::{Body, Closed, Cut, Opened, Outcome};
use crate::keys::Hasher;
use crate::policy::release::{Limit, ReleasePlan, stands_until, still_open};
use crate::store::counters::{self, Counters};
use crate::store::streams::{self, OpenStream, Toll};
use crate::store::{Tx, permits, quotas};

use super::super::consents::{self, Admitting};
use super::super::{App, AppError, append, new_id};
use super::limits::{Slot, check_recording};
use super::{Decided, Request, allowance, beside, decide, ledger, live, note, receiver, refusal, what, worth_asking_again};

/// The most rows of a chunk.
const MOST_ROWS: usize = 65_536;
/// Bytes in memory beyond which a chunk takes no further batch: what a stream holds does not grow with its rows' width.
const MOST_BYTES: usize = 32 * 1024 * 1024;
/// The oldest a chunk may grow before it is tolled and sent.
const MOST_AGE: Duration = Duration::from_secs(1);
/// How long a receiver may read nothing before the stream is cut.
const MOST_SILENCE: Duration = Duration::from_secs(60);
/// The stream broke: the connection must end without its terminating chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the release was cut")]
pub struct Broken;

/// A stream that is on record as opened.
pub struct Streaming {
    pub release: ReleaseId,
    chunks: mpsc::Receiver<Result<Bytes, Broken>>,
    /// Set when the last chunk has left and the end is on record.
    whole: Arc<AtomicBool>,
}

impl Streaming {
    /// The next chunk. Only a stream that ended whole ends in `None`; one that was lost in any way ends in [`Broken`].
    pub async fn next(&mut self) -> Option<Result<Bytes, Broken>> {
        match self.chunks.recv().await {
            Some(chunk) => Some(chunk),
            None if self.whole.load(Ordering::Acquire) => None,
            None => Some(Err(Broken)),
        }
    }
}

/// Opens a stream of rows in a format and coding.
pub async fn stream(app: &Arc<App>, request: &Request, wire: Wire) -> Result<Streaming, AppError> {
    let (shared, asked) = (Arc::clone(app), request.clone());
    // Opening is not given up when its caller goes away: what is on record as opened must run to its end.
    let opening = app.engine.spawn(async move { attempt(&shared, &asked, wire).await });
    let opened = opening.await.map_err(|error| AppError::Internal(error.to_string())).and_then(|opened| opened);
    match opened {
        Ok(streaming) => Ok(streaming),
        Err(error) => Err(note(app, request, error).await),
    }
}

async fn attempt(app: &Arc<App>, request: &Request, wire: Wire) -> Result<Streaming, AppError> {
    let slot = app.streams.slot(&request.bearer.token.vendor)?;
    check_recording(app).await?;
    let mut slot = Some(slot);
    for fresh in [false, true] {
        match once(app, request, wire, fresh, &mut slot).await {
            Ok(Some(streaming)) => return Ok(streaming),
            // Rights moved, or what was kept in memory is not what holds: once more from the live state.
            Ok(None) => app.decisions.forget(&request.bearer.token.id),
            Err(error) if fresh || !worth_asking_again(&error) => return Err(error),
            Err(_) => app.decisions.forget(&request.bearer.token.id),
        }
    }
    Err(AppError::Unavailable("Rights are changing just now; try again shortly.".to_owned()))
}

async fn once(app: &Arc<App>, request: &Request, wire: Wire, fresh: bool, slot: &mut Option<Slot>) -> Result<Option<Streaming>, AppError> {
    let decided = decide(app, request, fresh).await?;
    let plan = Arc::clone(&decided.plan);
    let name = plan.dataset().name.as_str();
    let now = app.clock.now();
    let version = app.engine.source_version(&decided.ready.access(), &plan.dataset().table).await;
    let source = version.map_err(|error| AppError::of_engine(error, name))?;
    let secrets = super::secrets(app, &decided).await?;
    let window = Window { skip: 0, limit: None };
    let admitting = super::admitting(app, &decided).await?;
    let mut rows =
        app.engine.open(Arc::clone(&plan), secrets, window, admitting.engine()).await.map_err(|error| AppError::of_engine(error, name))?;
    // After the source was looked at: drift comes before the quota.
    allowance::check_known(app, &plan, now)?;
    // The first batch is computed before the record says that a stream was opened: a broken source refuses.
    let first = rows.next().await.transpose().map_err(|error| AppError::of_engine(error, name))?;
    let release = new_id::<ReleaseId>()?;
    let Some(used) = open(app, request, &decided, &release, &source, (wire.format, admitting.watermark)).await? else { return Ok(None) };
    let (chunks, receiver) = mpsc::channel(1);
    let whole = Arc::new(AtomicBool::new(false));
    let running = Running::new(app, request, decided, release.clone(), (rows, admitting), wire, used)?;
    drop(app.engine.spawn(running.run(first, chunks, slot.take(), Arc::clone(&whole))));
    Ok(Some(Streaming { release, chunks: receiver, whole }))
}

/// Records `opened`; `None` when rights moved since the decision, else the rows used of the quota.
async fn open(
    app: &App,
    request: &Request,
    decided: &Decided,
    release: &ReleaseId,
    source: &str,
    (format, consent): (Format, i64),
) -> Result<Option<u64>, AppError> {
    let plan = Arc::clone(&decided.plan);
    let body = Body::Opened(Opened { to: receiver(app, request)?, what: what(&plan, release, source, format, consent) });
    let (beside, known, broker) = (beside(&request.asked)?, decided.counters, app.settings.broker.clone());
    let (release, token) = (release.clone(), request.bearer.token.clone());
    let opening = Arc::clone(&plan);
    let opened = app
        .store
        .release(&token.vendor.clone(), move |tx| {
            let plan = opening;
            let now = tx.now();
            if counters::read(tx, plan.vendor())? != known || now >= plan.stands_until() {
                return Ok(None);
            }
            let used = quotas::used(tx, plan.permit(), now.date())?;
            if used >= plan.daily_rows() {
                return Err(allowance::spent_today(Limit::Rows, now).into());
            }
            let requests = allowance::charge_request(tx, &plan, now)?;
            append(tx, &body, beside)?;
            let open = OpenStream {
                release,
                vendor: token.vendor,
                client: token.client,
                permit: plan.permit().clone(),
                dataset: plan.dataset().name.clone(),
                purpose: plan.purpose().clone(),
                broker,
                opened_at: now,
            };
            streams::open(tx, &open)?;
            Ok::<_, AppError>(Some((used, now, requests)))
        })
        .await?;
    Ok(opened.map(|(used, now, requests)| {
        allowance::saw_requests(app, &plan, now, requests);
        used
    }))
}

/// Why the pump stops.
enum End {
    Whole,
    Cut(Cut),
}

/// What the next toll goes by; shared with the transaction's closure.
#[derive(Clone)]
struct Standing {
    counters: Counters,
    until: Instant,
    /// Rows charged to the quota, and the day they were charged to.
    used: u64,
    day: Date,
}

struct Running {
    app: Arc<App>,
    token: Token,
    plan: Arc<ReleasePlan>,
    release: ReleaseId,
    rows: ReleasedStream,
    admitting: Admitting,
    /// What the rows are written with, until the last of them is.
    encoder: Option<Encoder>,
    coder: Option<Coder>,
    header: Option<Vec<u8>>,
    standing: Standing,
    hasher: Hasher,
    sent_rows: u64,
    sent_bytes: u64,
    tolls: i64,
    segments: Vec<Digest>,
    runs: Runs,
    /// Values that their treatment could not compute, in the chunks that left.
    withheld: BTreeMap<FieldName, u64>,
}

impl Running {
    fn new(
        app: &Arc<App>,
        request: &Request,
        decided: Decided,
        release: ReleaseId,
        (rows, admitting): (ReleasedStream, Admitting),
        wire: Wire,
        used: u64,
    ) -> Result<Self, AppError> {
        let of_engine = |error| AppError::of_engine(error, decided.plan.dataset().name.as_str());
        let encoder = Encoder::new(wire, rows.columns()).map_err(of_engine)?;
        let coder = Coder::new(wire.coding).map_err(of_engine)?;
        let header = Some(encoder.header()).filter(|header| !header.is_empty());
        let standing = Standing { counters: decided.counters, until: decided.plan.stands_until(), used, day: app.clock.now().date() };
        Ok(Self {
            app: Arc::clone(app),
            token: request.bearer.token.clone(),
            plan: decided.plan,
            release,
            rows,
            admitting,
            encoder: Some(encoder),
            coder: Some(coder),
            header,
            standing,
            hasher: Hasher::new(),
            sent_rows: 0,
            sent_bytes: 0,
            tolls: 0,
            segments: Vec::new(),
            runs: Runs::new(),
            withheld: BTreeMap::new(),
        })
    }

    async fn run(
        mut self,
        first: Option<Released>,
        chunks: mpsc::Sender<Result<Bytes, Broken>>,
        slot: Option<Slot>,
        whole: Arc<AtomicBool>,
    ) {
        let cut = match self.pump(first, &chunks).await {
            End::Whole => None,
            End::Cut(cut) => Some(cut),
        };
        let recorded = self.close(cut).await;
        if let Err(error) = &recorded {
            // The stream stays listed as open, and the next start counts it up to its last toll.
            tracing::error!(%error, "the end of a stream could not be recorded");
        }
        drop(slot);
        // Nobody may take the part for the whole: without this mark there is no terminating chunk.
        whole.store(cut.is_none() && recorded.is_ok(), Ordering::Release);
    }

    async fn pump(&mut self, first: Option<Released>, chunks: &mpsc::Sender<Result<Bytes, Broken>>) -> End {
        let mut stopping = self.app.streams.stopping().subscribe();
        let mut carried = first;
        let mut done = carried.is_none();
        loop {
            let mut batches = Vec::new();
            if !done {
                match self.gather(carried.take(), &mut batches).await {
                    Ok(Gathered { over, rest }) => {
                        done = over;
                        carried = rest;
                    }
                    Err(cut) => return End::Cut(cut),
                }
            }
            if batches.is_empty() && self.header.is_none() && !self.has_end() {
                return End::Whole;
            }
            let clipped = match self.clip(&mut batches).await {
                Ok(clipped) => clipped,
                Err(cut) => return End::Cut(cut),
            };
            if clipped && batches.is_empty() && self.header.is_none() {
                return End::Cut(Cut::Gate(Gate::Quota));
            }
            // A place in the channel is free only when the chunk before was taken: one tolled chunk at most waits.
            let place = tokio::select! {
                biased;
                // Stays pending until the program stops: its sender lives as long as the app.
                Ok(_) = stopping.wait_for(|stop| *stop) => return End::Cut(Cut::Stopped),
                place = tokio::time::timeout(MOST_SILENCE, chunks.reserve()) => match place {
                    Ok(Ok(place)) => place,
                    Ok(Err(_)) | Err(_) => return End::Cut(Cut::Receiver),
                },
            };
            if *self.app.streams.stopping().borrow() {
                return End::Cut(Cut::Stopped);
            }
            // What stands after the last row leaves under the last toll, so that a stream that was cut has no end.
            let last = done && carried.is_none() && !clipped;
            match self.toll(batches, last).await {
                Ok(chunk) => place.send(Ok(chunk)),
                Err(cut) => return End::Cut(cut),
            }
            if clipped {
                return End::Cut(Cut::Gate(Gate::Quota));
            }
            if last {
                return End::Whole;
            }
        }
    }

    /// Gathers batches until a chunk is full, old enough, or the rows are over.
    async fn gather(&mut self, carried: Option<Released>, batches: &mut Vec<Released>) -> Result<Gathered, Cut> {
        let deadline = tokio::time::Instant::now() + MOST_AGE;
        let (mut rows, mut bytes) = (0_usize, 0_usize);
        let mut next = carried;
        loop {
            if let Some(batch) = next.take() {
                let room = MOST_ROWS.saturating_sub(rows);
                if batch.rows() > room {
                    let rest = batch.slice(room, batch.rows().saturating_sub(room));
                    batches.push(batch.slice(0, room));
                    return Ok(Gathered { over: false, rest: Some(rest) });
                }
                rows = rows.saturating_add(batch.rows());
                bytes = bytes.saturating_add(batch.bytes());
                batches.push(batch);
                if rows == MOST_ROWS || bytes >= MOST_BYTES {
                    return Ok(Gathered { over: false, rest: None });
                }
            }
            let waited =
                if batches.is_empty() { Ok(self.rows.next().await) } else { tokio::time::timeout_at(deadline, self.rows.next()).await };
            match waited {
                Err(_) => return Ok(Gathered { over: false, rest: None }),
                Ok(None) => return Ok(Gathered { over: true, rest: None }),
                Ok(Some(Ok(batch))) => next = Some(batch),
                Ok(Some(Err(error))) => {
                    tracing::error!(cause = %error, dataset = %self.plan.dataset().name, "a source failed in mid-stream");
                    return Err(Cut::Source);
                }
            }
        }
    }

    /// Cuts a chunk to what the quota still lets leave; says whether it had to.
    async fn clip(&mut self, batches: &mut Vec<Released>) -> Result<bool, Cut> {
        // At midnight UTC the quota begins anew.
        let used = if self.app.clock.now().date() == self.standing.day { self.standing.used } else { 0 };
        let left = usize::try_from(self.plan.daily_rows().saturating_sub(used)).unwrap_or(usize::MAX);
        let total: usize = batches.iter().map(Released::rows).sum();
        if total > left {
            allowance::truncate(batches, left);
        }
        let clipped = allowance::clip_subjects(&self.app, &self.plan, batches).await.map_err(unpaid)?;
        Ok(clipped || total > left)
    }

    /// Encodes a chunk, stores its subjects, and asks the gate and the quota in one short transaction.
    async fn toll(&mut self, batches: Vec<Released>, last: bool) -> Result<Bytes, Cut> {
        let mut bytes = self.header.take().unwrap_or_default();
        let mut subjects = Vec::new();
        let mut rows = 0_u64;
        let mut withheld = BTreeMap::new();
        for batch in &batches {
            subjects.extend_from_slice(batch.subjects());
            super::add_withheld(&mut withheld, batch.withheld());
            rows = rows.saturating_add(u64::try_from(batch.rows()).unwrap_or(u64::MAX));
        }
        bytes.extend_from_slice(&self.encoded(&batches, last).map_err(|_| Cut::Source)?);
        drop(batches);
        let segment = ledger::prepare(&self.app, &mut subjects).await.map_err(unpaid)?;
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let number = self.tolls.saturating_add(1);
        let (release, digest) = (self.release.clone(), segment.digest.clone());
        let (plan, token, keyring) = (Arc::clone(&self.plan), self.token.clone(), Arc::clone(&self.app.keyring));
        let standing = self.standing.clone();
        let subjects = Arc::new(subjects);
        let (asked, asking, seen) = (Arc::clone(&subjects), self.admitting.asking().clone(), self.admitting.watermark);
        let passed = self
            .app
            .store
            .release(&self.token.vendor.clone(), move |tx| {
                let now = tx.now();
                let mut standing = reconsider(tx, &keyring, &plan, &token, standing, now)?;
                // Rows that are still here of a person who withdrew since do not leave.
                let (denied, watermark) = consents::newly_denied(tx, &asking, seen, &asked, now)?;
                if denied {
                    return Err(refusal(Gate::Consent).into());
                }
                standing.day = now.date();
                standing.used = allowance::charge(tx, &plan, rows, &asked, now)?;
                ledger::keep(tx, &segment)?;
                streams::toll(tx, &Toll { release, number, rows, bytes: size, segment: segment.digest, at: now })?;
                Ok((standing, watermark))
            })
            .await;
        let (standing, watermark) = passed.map_err(unpaid)?;
        self.standing = standing;
        if watermark != seen {
            // The rows to come are asked by what holds now.
            self.admitting.refresh(&self.app).await.map_err(unpaid)?;
        }
        // Counted once it is paid: a toll that a gate refused is none.
        self.tolls = number;
        self.runs.push(Arc::unwrap_or_clone(subjects)).await.map_err(|error| unpaid(error.into()))?;
        self.hasher.update(&bytes);
        self.segments.push(digest);
        self.sent_rows = self.sent_rows.saturating_add(rows);
        self.sent_bytes = self.sent_bytes.saturating_add(size);
        super::add_withheld(&mut self.withheld, withheld);
        // Only now is it coded: the record speaks of the body as it is.
        self.coded(bytes, last).map(Bytes::from).map_err(|_| Cut::Source)
    }

    /// Whether something stands after the last row.
    fn has_end(&self) -> bool {
        self.encoder.as_ref().is_some_and(Encoder::has_end) || self.coder.as_ref().is_some_and(Coder::has_end)
    }

    fn encoded(&mut self, batches: &[Released], last: bool) -> Result<Vec<u8>, EngineError> {
        let Some(mut encoder) = self.encoder.take() else { return Ok(Vec::new()) };
        let mut bytes = encoder.encode(batches)?;
        if last {
            bytes.extend_from_slice(&encoder.finish()?);
        } else {
            self.encoder = Some(encoder);
        }
        Ok(bytes)
    }

    fn coded(&mut self, bytes: Vec<u8>, last: bool) -> Result<Vec<u8>, EngineError> {
        let Some(mut coder) = self.coder.take() else { return Ok(bytes) };
        let mut coded = coder.push(bytes)?;
        if last {
            coded.extend_from_slice(&coder.finish()?);
        } else {
            self.coder = Some(coder);
        }
        Ok(coded)
    }

    async fn close(self, cut: Option<Cut>) -> Result<(), AppError> {
        let Self { app, token, plan, release, hasher, sent_rows, sent_bytes, tolls, segments, runs, withheld, rows, .. } = self;
        // The engine's memory is free again before the merge begins.
        drop(rows);
        let subjects = runs.distinct().await?;
        let content = Digest::try_from(hasher.finish()).map_err(|error| AppError::Internal(error.to_string()))?;
        let outcome = Outcome {
            rows: sent_rows,
            bytes: sent_bytes,
            subjects,
            content: Some(content),
            ledger: ledger::digest_of_names(&segments)?,
            segments: ledger::named(&app, &segments).await?,
            withheld,
        };
        let body = Body::Closed(Closed {
            release: release.clone(),
            vendor: token.vendor,
            client: token.client,
            permit: plan.permit().clone(),
            dataset: plan.dataset().name.clone(),
            purpose: plan.purpose().clone(),
            cut,
            tolls: u64::try_from(tolls).unwrap_or(0),
            outcome,
        });
        app.store
            .record(move |tx| {
                append(tx, &body, None)?;
                Ok(streams::finish(tx, &release)?)
            })
            .await
    }
}

/// Why a toll is not paid: a gate that closed says so by itself.
fn unpaid(error: AppError) -> Cut {
    match error {
        AppError::Refused(refusal) => Cut::Gate(refusal.gate),
        other => {
            tracing::error!(error = %other, "a toll could not be paid");
            Cut::Unrecorded
        }
    }
}

struct Gathered {
    over: bool,
    rest: Option<Released>,
}

/// Loads the live state anew when anything moved or fell due, and checks that the opened plan still stands.
/// That the token expired since cuts nothing that was opened under it.
fn reconsider(
    tx: &mut Tx,
    keyring: &crate::keys::Keyring,
    plan: &ReleasePlan,
    token: &Token,
    mut standing: Standing,
    now: Instant,
) -> Result<Standing, AppError> {
    let counters = counters::read(tx, plan.vendor())?;
    if counters == standing.counters && now < standing.until {
        return Ok(standing);
    }
    let permit = permits::find(tx, plan.permit())?;
    let kept = live::kept(tx, token.clone())?;
    let ready = live::load(tx, keyring, &kept, permit)?.ok_or(refusal(Gate::Permit))?;
    still_open(&ready.state, plan, now)?;
    standing.counters = counters;
    standing.until = stands_until(&ready.state, now);
    Ok(standing)
}
