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

/// How long a set is taken without asking again, in seconds: a key that the vendor withdrew is refused after it at the latest.
const FRESH_SECONDS: i64 = 600;
/// How long a set is taken while its address does not answer, in seconds: 6 hours.
const STALE_SECONDS: i64 = 6 * 3_600;
/// The shortest time between two asks of one address, in seconds.
const PAUSE_SECONDS: i64 = 60;
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
    keys: Vec<ClientKey>,
    fetched_at: Option<Instant>,
    asked_at: Option<Instant>,
}

impl Kept {
    fn is_younger(at: Option<Instant>, seconds: i64, now: Instant) -> bool {
        at.is_some_and(|at| now < at.plus_seconds(seconds))
    }
}

impl KeySets {
    /// The keys at an address; asked for anew where they are old, or where `known` says that the wanted one is missing.
    ///
    /// # Errors
    /// Where there are none, neither now nor from before.
    pub async fn keys(
        &self,
        outbound: &Outbound,
        uri: &str,
        now: Instant,
        known: impl Fn(&[ClientKey]) -> bool,
    ) -> Result<Vec<ClientKey>, OutboundError> {
        let slot = self.0.get_or_default(uri.to_owned());
        if let Some(keys) = slot.kept().fresh(now).filter(|keys| known(keys)) {
            return Ok(keys);
        }
        let _turn = slot.turn.lock().await;
        let there = slot.kept().fresh(now).filter(|keys| known(keys));
        if let Some(keys) = there {
            return Ok(keys);
        }
        if !slot.kept().may_ask(now) {
            return slot.kept().answer(now);
        }
        let fetched = tokio::time::timeout(PATIENCE, fetch(outbound, uri)).await.unwrap_or(Err(OutboundError::TimedOut));
        let mut kept = slot.kept();
        match fetched {
            Ok(keys) => {
                kept.keys = keys;
                kept.fetched_at = Some(now);
            }
            Err(error) => tracing::warn!(%error, "a client's key set could not be fetched"),
        }
        kept.answer(now)
    }
}

impl Kept {
    fn fresh(&self, now: Instant) -> Option<Vec<ClientKey>> {
        Self::is_younger(self.fetched_at, FRESH_SECONDS, now).then(|| self.keys.clone())
    }

    /// Whether its address may be asked now; whoever is told so asks it.
    fn may_ask(&mut self, now: Instant) -> bool {
        let may = !Self::is_younger(self.asked_at, PAUSE_SECONDS, now);
        if may {
            self.asked_at = Some(now);
        }
        may
    }

    fn answer(&self, now: Instant) -> Result<Vec<ClientKey>, OutboundError> {
        if Self::is_younger(self.fetched_at, STALE_SECONDS, now) { Ok(self.keys.clone()) } else { Err(OutboundError::Unreachable) }
    }
}

async fn fetch(outbound: &Outbound, uri: &str) -> Result<Vec<ClientKey>, OutboundError> {
    let headers = vec![("accept".to_owned(), b"application/jwk-set+json, application/json".to_vec())];
    let answer = outbound.fetch(Request { method: "GET".to_owned(), url: uri.to_owned(), headers }).await?;
    if answer.status != 200 {
        return Err(OutboundError::Unreachable);
    }
    let (mut body, mut bytes) = (answer.body, Vec::new());
    while let Some(piece) = body.next().await {
        bytes.extend_from_slice(&piece?);
        if bytes.len() > MOST_BYTES {
            return Err(OutboundError::Unreachable);
        }
    }
    let set = serde_json::from_slice(&bytes).map_err(|_| OutboundError::Unreachable)?;
    let keys = client_key::usable(&set, MOST_KEYS);
    if keys.is_empty() { Err(OutboundError::Unreachable) } else { Ok(keys) }
}
