//! Where an agreement stands, told from its versions; the best of a vendor's agreements is the vendor's.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::agreement::VersionStatus;
use crate::domain::time::Instant;

/// Where an agreement stands, from worst to best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgreementState {
    /// There is none.
    None,
    /// Ended, or past its last day.
    Ended,
    Draft,
    InReview,
    /// Approved and not signed by both yet, or signed and not begun.
    Approved,
    InForce,
}

impl AgreementState {
    /// The wire name.
    pub const fn key(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Ended => "ended",
            Self::Draft => "draft",
            Self::InReview => "in_review",
            Self::Approved => "approved",
            Self::InForce => "in_force",
        }
    }
}

/// Where one agreement stands. `versions` come by number; of those that have begun the last counts.
pub fn of_agreement(versions: &[&VersionStatus], ended: bool, now: Instant) -> AgreementState {
    if ended {
        return AgreementState::Ended;
    }
    let begun = versions.iter().rev().find(|status| matches!(status, VersionStatus::Signed { from, .. } if *from <= now));
    let standing = begun.map(|status| of_version(status, now));
    let rest = versions.iter().map(|status| match status {
        // What began before another began is over, whatever its dates say.
        VersionStatus::Signed { from, .. } if *from <= now => AgreementState::Ended,
        other => of_version(other, now),
    });
    standing.into_iter().chain(rest).max().unwrap_or(AgreementState::None)
}

/// Until when the version in force stands; `None` when none is in force, or when it has no end.
pub fn in_force_until(versions: &[&VersionStatus], ended: bool, now: Instant) -> Option<Instant> {
    if of_agreement(versions, ended, now) != AgreementState::InForce {
        return None;
    }
    versions.iter().rev().find_map(|status| match status {
        VersionStatus::Signed { from, until } if *from <= now => Some(*until),
        VersionStatus::Signed { .. }
        | VersionStatus::Draft
        | VersionStatus::InReview { .. }
        | VersionStatus::Approved { .. }
        | VersionStatus::Superseded { .. }
        | VersionStatus::Terminated { .. } => None,
    })?
}

fn of_version(status: &VersionStatus, now: Instant) -> AgreementState {
    match status {
        VersionStatus::Draft => AgreementState::Draft,
        VersionStatus::InReview { .. } => AgreementState::InReview,
        VersionStatus::Approved { .. } => AgreementState::Approved,
        VersionStatus::Signed { from, .. } if *from > now => AgreementState::Approved,
        VersionStatus::Signed { until, .. } if until.is_none_or(|end| now < end) => AgreementState::InForce,
        VersionStatus::Signed { .. } | VersionStatus::Superseded { .. } | VersionStatus::Terminated { .. } => AgreementState::Ended,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use AgreementState as A;
    use VersionStatus as V;

    #[test]
    fn each_case() {
        let now = Instant::from_seconds(1_790_000_000);
        let (before, after) = (now.plus_days(-1), now.plus_days(1));
        let signed = |from, until| V::Signed { from, until };
        let table: [(&[V], bool, A); 13] = [
            (&[], false, A::None),
            (&[V::Draft], false, A::Draft),
            (&[V::InReview { at: before }], false, A::InReview),
            (&[V::Approved { at: before }], false, A::Approved),
            (&[signed(after, None)], false, A::Approved),
            (&[signed(now, None)], false, A::InForce),
            (&[signed(before, Some(after))], false, A::InForce),
            (&[signed(before, Some(now))], false, A::Ended),
            (&[signed(before, None)], true, A::Ended),
            (&[signed(before, None), V::Draft], false, A::InForce),
            (&[V::Superseded { at: before }, signed(before, None)], false, A::InForce),
            // An older version does not come back to life when a newer one is over.
            (&[signed(before, None), signed(before, Some(now))], false, A::Ended),
            (&[V::Terminated { at: before }], false, A::Ended),
        ];
        for (versions, ended, expected) in table {
            assert_eq!(of_agreement(&versions.iter().collect::<Vec<_>>(), ended, now), expected, "{versions:?}");
        }
        let both = [signed(before, Some(after.plus_days(9))), signed(before, Some(after))];
        assert_eq!(in_force_until(&both.iter().collect::<Vec<_>>(), false, now), Some(after));
        assert_eq!(in_force_until(&both.iter().collect::<Vec<_>>(), true, now), None);
    }
}
