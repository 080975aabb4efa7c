//! The kill switch: who stopped all releases and tokens, since when, why, and whether that was lifted.

use super::text::Reason;
use super::time::Instant;

/// The last stop of everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KillSwitch {
    pub stopped_at: Instant,
    /// The opaque name of who stopped: a person's id, `operator` or `system`.
    pub stopped_by: String,
    /// The person's name, where it is one.
    pub name: Option<String>,
    pub reason: Reason,
    /// When it was lifted.
    pub lifted_at: Option<Instant>,
}

impl KillSwitch {
    /// Whether everything stands still now.
    pub const fn lasts(&self) -> bool {
        self.lifted_at.is_none()
    }

    /// Whether a token of that instant is refused: all of them while it lasts, and for good those that are older than
    /// its end.
    pub fn bars(&self, issued_at: Instant) -> bool {
        issued_at <= self.stopped_at || self.lifted_at.is_none_or(|lifted| issued_at < lifted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_issued_before_the_end_stays_refused() {
        let at = Instant::from_seconds;
        let lasting = KillSwitch {
            stopped_at: at(100),
            stopped_by: "system".to_owned(),
            name: None,
            reason: "for the test".parse().unwrap(),
            lifted_at: None,
        };
        let lifted = KillSwitch { lifted_at: Some(at(200)), ..lasting.clone() };
        let at_once = KillSwitch { lifted_at: Some(at(100)), ..lasting.clone() };
        for (second, while_it_lasts, after) in
            [(99, true, true), (100, true, true), (150, true, true), (199, true, true), (200, true, false)]
        {
            assert_eq!(lasting.bars(at(second)), while_it_lasts, "{second}");
            assert_eq!(lifted.bars(at(second)), after, "{second}");
        }
        assert!(at_once.bars(at(100)) && !at_once.bars(at(101)));
    }
}
