//! Key sets that vendors publish (`jwks_uri`): fetched by the one door out, kept a while, asked again for an unknown key at
//! most once a minute.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::StreamExt;

use crate::domain::client_key::{ClientKey, MOST_KEYS};
use crate::domain::time::Instant;
use crate::outbound::{Outbound, OutboundError, Request};
use crate::token::client_key;

use super::memory::Memory;

/// How long a set is taken without asking again, in seconds: a key that the vendor took out is refused after it at the latest.
const FRESH_SECONDS: i64 = 600;
/// How long a set is taken while its address does not answer with another, in seconds: 6 hours.
const STALE_SECONDS: i64 = 6 * 3_600;
/// The shortest time between two asks of one address, in seconds.
const PAUSE_SECONDS: i64 = 60;
/// The same while there is no set of it at all: its clients wait for nothing else.
const SHORT_PAUSE_SECONDS: i64 = 10;
/// The largest set in bytes.
const MOST_BYTES: usize = 64 * 1024;
/// The most addresses whose sets are kept.
const MOST_SETS: usize = 1_024;
/// How long an address may take: a machine waits for its token.
const PATIENCE: Duration = Duration::from_secs(5);

/// The sets, by address.
#[derive(Default)]
pub struct KeySets(Memory<String, Arc<Slot>, MOST_SETS>);

/// One address. Whoever asks it holds the turn, so of many that need it one asks; who needs nothing new waits for nobody.
#[derive(Default)]
struct Slot {
    kept: Mutex<Kept>,
    turn: tokio::sync::Mutex<()>,
}

impl Slot {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Default)]
struct Kept {
    keys: Arc<[ClientKey]>,
    fetched_at: Option<Instant>,
    asked_at: Option<Instant>,
}

impl Kept {
    fn is_younger(at: Option<Instant>, seconds: i64, now: Instant) -> bool {
        at.is_some_and(|at| now < at.plus_seconds(seconds))
    }
}

impl KeySets {
    /// Whether what is looked for is among the keys at an address; they are asked for anew where they are old, or where it is
    /// not among those that are kept.
    ///
    /// # Errors
    /// Where there are no keys, neither now nor from before.
    pub async fn any(
        &self,
        outbound: &Outbound,
        uri: &str,
        now: Instant,
        is_there: impl Fn(&[ClientKey]) -> bool,
    ) -> Result<bool, OutboundError> {
        let slot = self.0.get_or_default(uri.to_owned());
        let looked_at = slot.kept().fresh(now);
        if looked_at.as_ref().is_some_and(|keys| is_there(keys)) {
            return Ok(true);
        }
        let _turn = slot.turn.lock().await;
        let fresh = slot.kept().fresh(now);
        let fetched_since = fresh.as_ref().filter(|fresh| !looked_at.as_ref().is_some_and(|known| Arc::ptr_eq(known, fresh)));
        if fetched_since.is_some_and(|keys| is_there(keys)) {
            return Ok(true);
        }
        if !slot.kept().may_ask(now) {
            return if fresh.is_some() { Ok(false) } else { slot.kept().last(now).map(|keys| is_there(&keys)) };
        }
        let fetched = tokio::time::timeout(PATIENCE, fetch(outbound, uri)).await.unwrap_or(Err(OutboundError::TimedOut));
        match fetched {
            Ok(keys) => slot.kept().keep(keys, now),
            Err(error) => tracing::warn!(%error, "a client's key set could not be fetched"),
        }
        let last = slot.kept().last(now);
        last.map(|keys| is_there(&keys))
    }
}

impl Kept {
    fn keep(&mut self, keys: Vec<ClientKey>, now: Instant) {
        self.keys = keys.into();
        self.fetched_at = Some(now);
    }

    fn fresh(&self, now: Instant) -> Option<Arc<[ClientKey]>> {
        Self::is_younger(self.fetched_at, FRESH_SECONDS, now).then(|| Arc::clone(&self.keys))
    }

    /// Whether its address may be asked now; whoever is told so asks it.
    fn may_ask(&mut self, now: Instant) -> bool {
        let pause = if self.last(now).is_ok() { PAUSE_SECONDS } else { SHORT_PAUSE_SECONDS };
        let may = !Self::is_younger(self.asked_at, pause, now);
        if may {
            self.asked_at = Some(now);
        }
        may
    }

    fn last(&self, now: Instant) -> Result<Arc<[ClientKey]>, OutboundError> {
        if Self::is_younger(self.fetched_at, STALE_SECONDS, now) { Ok(Arc::clone(&self.keys)) } else { Err(OutboundError::Unreachable) }
    }
}

/// What is published now. A set without keys that we can use is one all the same: the vendor took its keys out.
async fn fetch(outbound: &Outbound, uri: &str) -> Result<Vec<ClientKey>, OutboundError> {
    let headers = vec![("accept".to_owned(), b"application/jwk-set+json, application/json".to_vec())];
    let answer = outbound.fetch(Request { method: "GET".to_owned(), url: uri.to_owned(), headers }).await?;
    match answer.status {
        200 => {}
        // Taken down: nothing is published any more.
        404 | 410 => return Ok(Vec::new()),
        _ => return Err(OutboundError::Unreachable),
    }
    let (mut body, mut bytes) = (answer.body, Vec::new());
    while let Some(piece) = body.next().await {
        bytes.extend_from_slice(&piece?);
        if bytes.len() > MOST_BYTES {
            return Err(OutboundError::Unreachable);
        }
    }
    let set = serde_json::from_slice(&bytes).map_err(|_| OutboundError::Unreachable)?;
    client_key::usable(&set, MOST_KEYS).ok_or(OutboundError::Unreachable)
}
