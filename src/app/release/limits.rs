//! What runs at once: streams and pages are bounded, so that nobody fills the engine, and a stop reaches each of them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit, watch};

use crate::domain::id::VendorId;

use super::super::{App, AppError};

/// A pending history entry older than this stops releases.
const MOST_PENDING_SECONDS: i64 = 60;
/// How long a look at the oldest pending entry is believed.
const LOOK_AGAIN_SECONDS: i64 = 5;
/// What a running stream holds in memory at most, about: batches that were read ahead, a chunk of treated rows and its
/// coded form. Measured: of eight pulls of eight columns at once each took up to 36 MiB (`benches/README.md`).
const STREAM_BYTES: usize = 36 * 1024 * 1024;
/// The most streams that run at once, whatever memory there is.
const MOST_STREAMS: usize = 64;
/// The fewest that may, however little there is.
const FEWEST_STREAMS: usize = 4;
/// The most streams of one vendor.
const MOST_OF_VENDOR: usize = 16;
/// The most pages that are computed at once.
const MOST_PAGES: usize = 256;

/// Running streams by vendor.
type Running = Arc<Mutex<HashMap<VendorId, usize>>>;

/// Running streams and pages, and whether the history keeps up.
pub struct Streams {
    running: Running,
    most: usize,
    pages: Semaphore,
    stopping: watch::Sender<bool>,
    looked_at: AtomicI64,
    behind: AtomicBool,
}

impl Streams {
    /// As many as the memory for releases bears: one more is refused, rather than that the process grows.
    pub fn within(memory_bytes: usize) -> Self {
        Self {
            most: (memory_bytes / STREAM_BYTES).clamp(FEWEST_STREAMS, MOST_STREAMS),
            running: Running::default(),
            pages: Semaphore::new(MOST_PAGES),
            stopping: watch::Sender::new(false),
            looked_at: AtomicI64::new(0),
            behind: AtomicBool::new(false),
        }
    }
}

/// A place among the running streams; free again when it is dropped, however the stream ended.
pub struct Slot {
    running: Running,
    vendor: VendorId,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = running.get_mut(&self.vendor) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                running.remove(&self.vendor);
            }
        }
    }
}

impl Streams {
    /// Streams that run now.
    pub fn running(&self) -> usize {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).values().sum()
    }

    /// Whether so many streams run that each must do with little memory.
    pub(super) fn is_crowded(&self) -> bool {
        self.running() > self.most / 4
    }

    /// Asks every stream to end before its next toll, also where its receiver does not read.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    pub(super) fn stopping(&self) -> &watch::Sender<bool> {
        &self.stopping
    }

    /// A place for one more stream of a vendor.
    pub(super) fn slot(&self, vendor: &VendorId) -> Result<Slot, AppError> {
        if *self.stopping.borrow() {
            return Err(AppError::Unavailable("The server is stopping; try again shortly.".to_owned()));
        }
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let of_vendor = running.get(vendor).copied().unwrap_or(0);
        if of_vendor >= MOST_OF_VENDOR || running.values().sum::<usize>() >= self.most {
            return Err(AppError::Unavailable("Too many streams run just now; let one end and try again.".to_owned()));
        }
        running.insert(vendor.clone(), of_vendor.saturating_add(1));
        Ok(Slot { running: Arc::clone(&self.running), vendor: vendor.clone() })
    }

    /// A place for one more page.
    pub(super) fn page(&self) -> Result<SemaphorePermit<'_>, AppError> {
        self.pages.try_acquire().map_err(|_| AppError::Unavailable("Too many pages are asked for just now; try again shortly.".to_owned()))
    }
}

/// Refuses releases while the oldest pending entry is older than a minute: nobody would see them in time.
pub(super) async fn check_recording(app: &App) -> Result<(), AppError> {
    let now = app.clock.now();
    let state = &app.streams;
    // Only a good answer is believed for a while: a backlog that is worked off lets releases go on at once.
    let stale = now.seconds().saturating_sub(state.looked_at.load(Ordering::Acquire)).abs() >= LOOK_AGAIN_SECONDS;
    if stale || state.behind.load(Ordering::Acquire) {
        let oldest = app.store.read(|tx| Ok::<_, AppError>(crate::store::history::oldest_pending(tx)?)).await?;
        state.behind.store(oldest.is_some_and(|at| at.plus_seconds(MOST_PENDING_SECONDS) < now), Ordering::Release);
        state.looked_at.store(now.seconds(), Ordering::Release);
    }
    if state.behind.load(Ordering::Acquire) {
        return Err(AppError::Unavailable("The history is behind: releases wait until it has caught up.".to_owned()));
    }
    Ok(())
}
