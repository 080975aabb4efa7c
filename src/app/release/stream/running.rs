//! A running stream: while a chunk pays its toll the next one is gathered, and none leaves unpaid.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::future::{Either, select};
use tokio::sync::{mpsc, watch};

use crate::domain::gate::Gate;
use crate::domain::id::ReleaseId;
use crate::engine::encode::{Coder, Encoder, Wire};
use crate::engine::{Released, ReleasedStream};
use crate::history::Cut;

use super::super::super::consents::Admitting;
use super::super::super::{App, AppError};
use super::super::limits::Slot;
use super::super::{Decided, Request};
use super::Broken;
use super::gathering::{Chunk, Gathering};
use super::paying::Paying;

/// How long a receiver may read nothing before the stream is cut.
const MOST_SILENCE: Duration = Duration::from_secs(60);

/// Where chunks leave.
pub(super) type Chunks = mpsc::Sender<Result<Bytes, Broken>>;

pub(super) struct Running {
    app: Arc<App>,
    gathering: Gathering,
    paying: Paying,
    /// Whether people are counted: how many more may leave is known only when the chunk before is paid for, so that no chunk
    /// is gathered ahead.
    counts_people: bool,
}

/// What ends a stream from outside: its receiver goes, or the program stops.
struct Watching<'a> {
    chunks: &'a Chunks,
    stopping: watch::Receiver<bool>,
}

impl Running {
    pub(super) fn new(
        app: &Arc<App>,
        request: &Request,
        decided: Decided,
        release: ReleaseId,
        (rows, first, admitting): (ReleasedStream, Option<Released>, Admitting),
        wire: Wire,
        used: u64,
    ) -> Result<Self, AppError> {
        let of_engine = |error| AppError::of_engine(error, decided.plan.dataset().name.as_str());
        let encoder = Encoder::new(wire, rows.columns()).map_err(of_engine)?;
        let coder = Coder::new(wire.coding).map_err(of_engine)?;
        let counts_people = decided.plan.limits().daily_subjects.is_some();
        let gathering = Gathering::new(app, &decided.plan, rows, first, encoder, coder.has_end());
        let paying = Paying::new(app, request.bearer.clone(), decided, release, admitting, coder, used);
        Ok(Self { app: Arc::clone(app), gathering, paying, counts_people })
    }

    pub(super) async fn run(mut self, chunks: Chunks, slot: Option<Slot>, whole: Arc<AtomicBool>) {
        let cut = self.pump(&chunks).await.err();
        let Self { gathering, paying, .. } = self;
        // The engine's memory is free again before the subjects are counted.
        drop(gathering);
        let recorded = paying.close(cut).await;
        if let Err(error) = &recorded {
            // The stream stays listed as open, and the next start counts it up to its last toll.
            tracing::error!(%error, "the end of a stream could not be recorded");
        }
        drop(slot);
        // Nobody may take the part for the whole: without this mark there is no terminating chunk.
        whole.store(cut.is_none() && recorded.is_ok(), Ordering::Release);
    }

    /// Sends everything, or says why not.
    async fn pump(&mut self, chunks: &Chunks) -> Result<(), Cut> {
        let mut watching = Watching { chunks, stopping: self.app.streams.stopping().subscribe() };
        let used = self.paying.used();
        let mut waiting = watching.during(self.gathering.next(used)).await?;
        while let Some(chunk) = waiting {
            // A place is free only when the chunk before was taken: one tolled chunk at most waits for its receiver.
            let place = watching.place().await?;
            if chunk.last || chunk.clipped || self.counts_people {
                let (last, clipped) = (chunk.last, chunk.clipped);
                place.send(Ok(self.paying.pay(chunk).await?));
                if clipped {
                    return Err(Cut::Gate(Gate::Quota));
                }
                let used = self.paying.used();
                waiting = if last { None } else { watching.during(self.gathering.next(used)).await? };
                continue;
            }
            waiting = self.pay_and_gather(chunk, place, &mut watching).await?;
        }
        Ok(())
    }

    /// Pays for a chunk while the next one is gathered. It leaves as soon as it is paid for, however long the next one takes.
    async fn pay_and_gather(
        &mut self,
        chunk: Chunk,
        place: mpsc::Permit<'_, Result<Bytes, Broken>>,
        watching: &mut Watching<'_>,
    ) -> Result<Option<Chunk>, Cut> {
        let used = self.paying.used().and(chunk.rows);
        let (paid, next) = (pin!(self.paying.pay(chunk)), pin!(self.gathering.next(used)));
        match select(paid, next).await {
            Either::Left((paid, next)) => {
                place.send(Ok(paid?));
                watching.during(next).await
            }
            Either::Right((next, paid)) => {
                place.send(Ok(paid.await?));
                next
            }
        }
    }
}

impl<'a> Watching<'a> {
    /// Waits for a place for a chunk.
    async fn place(&mut self) -> Result<mpsc::Permit<'a, Result<Bytes, Broken>>, Cut> {
        let place = tokio::select! {
            biased;
            // Stays pending until the program stops: its sender lives as long as the app.
            Ok(_) = self.stopping.wait_for(|stop| *stop) => return Err(Cut::Stopped),
            place = tokio::time::timeout(MOST_SILENCE, self.chunks.reserve()) => place,
        };
        match place {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) | Err(_) => Err(Cut::Receiver),
        }
    }

    /// Waits for what a source may take long for: nobody need wait for it who has gone.
    async fn during<T>(&mut self, work: impl Future<Output = Result<T, Cut>>) -> Result<T, Cut> {
        tokio::select! {
            biased;
            Ok(_) = self.stopping.wait_for(|stop| *stop) => Err(Cut::Stopped),
            done = work => done,
            () = self.chunks.closed() => Err(Cut::Receiver),
        }
    }
}
