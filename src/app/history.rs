//! Reading the sharing history, and writing refusals into it without flooding it.

mod lines;
mod offers;
mod reading;
pub mod sentences;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::domain::gate::Gate;
use crate::domain::id::{ClientId, VendorId};
use crate::domain::text::Slug;
use crate::domain::time::Instant;
use crate::history::{Body, Refused};
use crate::store::history::{self, EntryRow, HistoryFilter, HistoryPage};

use super::{App, AppError, entry};

pub use lines::{Columns, HistoryLine, Part, facets, lines};
pub use offers::{Offers, Sought, offers};
pub use reading::{Named, Reading, Stood, StoodPolicy, read};

/// Entries by filter, newest first.
pub async fn list(app: &App, filter: HistoryFilter, page: HistoryPage) -> Result<Vec<EntryRow>, AppError> {
    app.store.read(move |tx| Ok(history::list(tx, &filter, &page)?)).await
}

/// One entry, and the `policy` entry it refers to.
pub async fn find(app: &App, position: i64) -> Result<(EntryRow, Option<EntryRow>), AppError> {
    app.store
        .read(move |tx| {
            let row = history::find(tx, position)?;
            let policy = match policy_digest(&row.bytes) {
                Some(digest) => history::policy_by_digest(tx, &digest)?,
                None => None,
            };
            Ok((row, policy))
        })
        .await
}

fn policy_digest(bytes: &[u8]) -> Option<crate::domain::text::Digest> {
    let leaf: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    leaf.get("policy")?.as_str()?.parse().ok()
}

/// What a refused request wanted, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    pub permit: Option<Slug>,
    pub dataset: Option<Slug>,
    pub purpose: Option<Slug>,
}

/// Equal refusals: of one client, permit and gate.
type Key = (ClientId, Option<Slug>, Gate);

struct Window {
    since: Instant,
    vendor: VendorId,
    wanted: Wanted,
    /// Refusals since the first, which is in the history already.
    more: u64,
}

/// Equal refusals within a minute are one entry at once, then one with the count.
#[derive(Default)]
pub struct Refusals(Mutex<HashMap<Key, Window>>);

const WINDOW_SECONDS: i64 = 60;

impl Refusals {
    /// Counts a refusal; says which entries to write now.
    fn count(&self, key: Key, vendor: &VendorId, wanted: &Wanted, now: Instant) -> Vec<Refused> {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(window) = windows.get_mut(&key)
            && now < window.since.plus_seconds(WINDOW_SECONDS)
        {
            window.more = window.more.saturating_add(1);
            return Vec::new();
        }
        let fresh = Window { since: now, vendor: vendor.clone(), wanted: wanted.clone(), more: 0 };
        let first = refusal(&key, &fresh, 1);
        let old = windows.insert(key.clone(), fresh).filter(|window| window.more > 0);
        old.map(|window| refusal(&key, &window, window.more)).into_iter().chain([first]).collect()
    }

    /// Takes out what is over, or everything.
    fn drain(&self, now: Instant, all: bool) -> Vec<Refused> {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut due = Vec::new();
        windows.retain(|key, window| {
            let keep = !all && now < window.since.plus_seconds(WINDOW_SECONDS);
            if !keep && window.more > 0 {
                due.push(refusal(key, window, window.more));
            }
            keep
        });
        due
    }
}

fn refusal((client, _, gate): &Key, window: &Window, count: u64) -> Refused {
    Refused {
        vendor: window.vendor.clone(),
        client: client.clone(),
        permit: window.wanted.permit.clone(),
        dataset: window.wanted.dataset.clone(),
        purpose: window.wanted.purpose.clone(),
        gate: *gate,
        count,
    }
}

/// Records that a known client was refused. A refusal that can't be recorded is still a refusal: it is logged.
pub async fn refused(app: &App, vendor: &VendorId, client: &ClientId, wanted: Wanted, gate: Gate) {
    let key = (client.clone(), wanted.permit.clone(), gate);
    let due = app.refusals.count(key, vendor, &wanted, app.clock.now());
    if let Err(error) = write(app, due).await {
        tracing::error!(%error, gate = gate.key(), "a refusal could not be recorded");
    }
}

/// Writes the counts of windows that are over; `all` at a stop.
pub async fn flush_refusals(app: &App, all: bool) -> Result<(), AppError> {
    let due = app.refusals.drain(app.clock.now(), all);
    write(app, due).await
}

async fn write(app: &App, due: Vec<Refused>) -> Result<(), AppError> {
    if due.is_empty() {
        return Ok(());
    }
    app.store
        .record(move |tx| {
            let now = tx.now();
            for refused in due {
                let record = entry(&Body::Refusal(refused), None, now)?;
                history::append(tx, &record)?;
            }
            Ok(())
        })
        .await
}
