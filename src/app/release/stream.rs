//! A stream: opened on record, tolled before each chunk, closed on record.

mod gathering;
mod paying;
mod running;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::domain::id::ReleaseId;
use crate::engine::Window;
use crate::engine::encode::{Format, Wire};
use crate::history::{Body, Opened};
use crate::policy::release::Limit;
use crate::store::streams::{self, OpenStream};
use crate::store::{counters, quotas};

use self::running::Running;
use super::super::{App, AppError, append, new_id};
use super::limits::{Slot, check_recording};
use super::{ATTEMPTS, Decided, Request, allowance, beside, decide, note, receiver, use_proof, what, worth_asking_again};

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
    for fresh in ATTEMPTS {
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
    let running = Running::new(app, request, decided, release.clone(), (rows, first, admitting), wire, used)?;
    drop(app.engine.spawn(running.run(chunks, slot.take(), Arc::clone(&whole))));
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
    let (release, token, bearer) = (release.clone(), request.bearer.token.clone(), request.bearer.clone());
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
            use_proof(tx, &bearer)?;
            let requests = allowance::charge_request(tx, &plan, now)?;
            append(tx, &body, beside)?;
            let open = OpenStream {
                release,
                vendor: token.vendor,
                client: token.client,
                token: Some(token.id),
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
