//! How long a sign-in holds, and how long a guesser waits. Waiting never locks anybody out for longer than a minute.

use crate::domain::session::{LinkKind, PasswordLink, Session, Stage};
use crate::domain::time::Instant;

/// A session ends this long after its last request. OWASP's Session Management Cheat Sheet names 15 to 30 minutes
/// for high-value applications and more where people work in it all day.
pub const IDLE_SECONDS: i64 = 60 * 60;
/// A session ends this long after its beginning, however busy.
pub const ABSOLUTE_SECONDS: i64 = 12 * 60 * 60;
/// The time to type the code of a second factor.
pub const CODE_SECONDS: i64 = 5 * 60;
/// How exactly the last request of a session is kept, so that reading a page writes nothing most of the time.
pub const SEEN_SECONDS: i64 = 60;
/// A series of failures is over when this long nothing failed.
const SERIES_SECONDS: i64 = 60 * 60;
/// The longest wait.
const MOST_WAIT_SECONDS: i64 = 60;

/// Whether a session is good at an instant.
pub fn holds(session: &Session, now: Instant) -> bool {
    let idle = match session.stage {
        Stage::Code => CODE_SECONDS,
        Stage::In => IDLE_SECONDS,
    };
    now < session.ends_at && now < session.seen_at.plus_seconds(idle)
}

/// What failures are counted for. A browser that has signed in before has a count of its own (OWASP's "device
/// cookies"), so that strangers who guess at an account slow down strangers only, never its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guesser {
    /// Browsers unknown to an account, all together.
    Strangers,
    /// A browser that signed in to the account before.
    Device,
    /// One network address, across accounts: many people may share it.
    Address,
    /// The second factor of one account, after its password.
    Code,
}

impl Guesser {
    /// Failures that cost nothing: people mistype.
    const fn free(self) -> i64 {
        match self {
            Self::Strangers | Self::Device | Self::Code => 3,
            Self::Address => 20,
        }
    }

    /// How long to wait after so many failures in a row: 1, 2, 4, … seconds, a minute at most.
    pub const fn wait_seconds(self, failures: i64) -> i64 {
        let over = failures.saturating_sub(self.free());
        match over {
            ..=0 => 0,
            1..=6 => {
                let wait = 1_i64 << (over - 1);
                if wait < MOST_WAIT_SECONDS { wait } else { MOST_WAIT_SECONDS }
            }
            _ => MOST_WAIT_SECONDS,
        }
    }
}

/// Failures in a row, and until when the next attempt waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failures {
    pub count: i64,
    pub last_at: Instant,
    pub open_at: Instant,
}

impl Failures {
    /// None yet.
    pub const fn none(now: Instant) -> Self {
        Self { count: 0, last_at: now, open_at: now }
    }

    /// Counts an attempt as failed before its outcome is known, so that guesses at the same time do not slip
    /// through; a success takes it back. `Err` holds the seconds to wait.
    pub fn attempt(self, guesser: Guesser, now: Instant) -> Result<Self, i64> {
        if now < self.open_at {
            return Err((self.open_at.seconds() - now.seconds()).max(1));
        }
        let count = if self.last_at.plus_seconds(SERIES_SECONDS) < now { 1 } else { self.count.saturating_add(1) };
        Ok(Self { count, last_at: now, open_at: now.plus_seconds(guesser.wait_seconds(count)) })
    }
}

/// How long a link is good: the first one is printed at start and made anew at the next.
pub const fn link_seconds(kind: LinkKind) -> i64 {
    match kind {
        LinkKind::SetUp | LinkKind::Reset => 24 * 60 * 60,
        LinkKind::Invitation => 7 * 24 * 60 * 60,
    }
}

/// Whether a link can still be used.
pub fn link_holds(link: &PasswordLink, now: Instant) -> bool {
    link.used_at.is_none() && now < link.ends_at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end_at_a_minute() {
        let check = |guesser: Guesser, failures, seconds| assert_eq!(guesser.wait_seconds(failures), seconds, "{guesser:?} {failures}");
        for guesser in [Guesser::Strangers, Guesser::Device, Guesser::Code] {
            for (failures, seconds) in [(0, 0), (3, 0), (4, 1), (5, 2), (6, 4), (8, 16), (9, 32), (10, 60), (11, 60), (i64::MAX, 60)] {
                check(guesser, failures, seconds);
            }
        }
        for (failures, seconds) in [(20, 0), (21, 1), (27, 60), (5_000, 60)] {
            check(Guesser::Address, failures, seconds);
        }
    }

    #[test]
    fn a_series_waits_and_a_pause_ends_it() {
        let start = Instant::from_seconds(1_000_000);
        let mut failures = Failures::none(start);
        for _ in 0..3 {
            failures = failures.attempt(Guesser::Strangers, start).unwrap();
        }
        failures = failures.attempt(Guesser::Strangers, start).unwrap();
        assert_eq!(failures.attempt(Guesser::Strangers, start), Err(1), "the fifth waits");
        let later = failures.attempt(Guesser::Strangers, start.plus_seconds(1)).unwrap();
        assert_eq!((later.count, later.open_at), (5, start.plus_seconds(3)));
        let next_day = later.attempt(Guesser::Strangers, start.plus_days(1)).unwrap();
        assert_eq!((next_day.count, next_day.open_at), (1, start.plus_days(1)), "a new series");
    }

    #[test]
    fn sessions_end_idle_and_in_any_case() {
        let start = Instant::from_seconds(1_000_000);
        let session = |stage, seen: i64| Session {
            id: "0190a0b0-0000-7000-8000-000000000000".parse().unwrap(),
            person: "0190a0b0-0000-7000-8000-000000000001".parse().unwrap(),
            stage,
            browser: String::new(),
            created_at: start,
            seen_at: start.plus_seconds(seen),
            ends_at: start.plus_seconds(ABSOLUTE_SECONDS),
        };
        let check = |stage, seen, at, good| assert_eq!(holds(&session(stage, seen), start.plus_seconds(at)), good, "{stage:?} {seen} {at}");
        check(Stage::In, 0, IDLE_SECONDS - 1, true);
        check(Stage::In, 0, IDLE_SECONDS, false);
        check(Stage::In, ABSOLUTE_SECONDS - 10, ABSOLUTE_SECONDS - 1, true);
        check(Stage::In, ABSOLUTE_SECONDS - 10, ABSOLUTE_SECONDS, false);
        check(Stage::Code, 0, CODE_SECONDS - 1, true);
        check(Stage::Code, 0, CODE_SECONDS, false);
    }
}
