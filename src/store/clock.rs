//! The clock: the one home of the system's time, and a hand-set one for tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::domain::Instant;

/// Where the time comes from. Clones share the hands.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// The system's clock; in a PostgreSQL transaction the server's.
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still until it is set.
    pub fn manual(at: Instant) -> Self {
        Self(Source::Manual(Arc::new(AtomicI64::new(at.micros()))))
    }

    /// The time of this machine, or the hand-set one.
    #[allow(clippy::disallowed_methods, reason = "this is the one home of the system's clock")]
    pub fn now(&self) -> Instant {
        match &self.0 {
            Source::System => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Instant::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
            }
            Source::Manual(micros) => Instant::from_micros(micros.load(Ordering::SeqCst)),
        }
    }

    /// Sets a manual clock; a system clock goes on as it is.
    pub fn set(&self, at: Instant) {
        if let Source::Manual(micros) = &self.0 {
            micros.store(at.micros(), Ordering::SeqCst);
        }
    }

    /// Moves a manual clock by seconds, which may be negative.
    pub fn advance_seconds(&self, seconds: i64) {
        if let Source::Manual(micros) = &self.0 {
            micros.fetch_add(seconds.saturating_mul(1_000_000), Ordering::SeqCst);
        }
    }

    /// Whether the database's own clock is to be asked where it has one.
    pub(super) const fn is_system(&self) -> bool {
        matches!(self.0, Source::System)
    }
}
