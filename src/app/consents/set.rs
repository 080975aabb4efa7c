//! Many subjects in little memory: eight bytes each, looked up by where a keyed hash must lie.

use std::collections::HashMap;
use std::sync::Arc;

use crate::domain::consent::Subject;
use crate::domain::time::Instant;

/// Changes that are held beside the sorted ones before both are merged.
const MOST_BESIDE: usize = 65_536;

/// Subjects for whom something stands. Keyed hashes are spread evenly, so a subject's place is told from its value. A copy
/// shares the sorted ones, so that a change does not copy millions.
#[derive(Debug, Clone, Default)]
pub struct SubjectSet {
    sorted: Arc<Vec<u64>>,
    /// Ends of those sorted ones that end by themselves.
    ends: Arc<HashMap<u64, Instant>>,
    /// What changed since: whether it stands, and until when.
    beside: HashMap<u64, Change>,
}

#[derive(Debug, Clone, Copy)]
enum Change {
    Gone,
    Stands(Option<Instant>),
}

impl SubjectSet {
    /// Takes over many at once.
    pub fn of(subjects: impl IntoIterator<Item = (Subject, Option<Instant>)>) -> Self {
        let (mut sorted, mut ends) = (Vec::new(), HashMap::new());
        for (subject, end) in subjects {
            sorted.push(subject.0);
            ends.extend(end.map(|end| (subject.0, end)));
        }
        sorted.sort_unstable();
        sorted.dedup();
        sorted.shrink_to_fit();
        Self { sorted: Arc::new(sorted), ends: Arc::new(ends), beside: HashMap::new() }
    }

    /// Takes over one change.
    pub fn change(&mut self, subject: Subject, stands: bool, ends_at: Option<Instant>) {
        self.beside.insert(subject.0, if stands { Change::Stands(ends_at) } else { Change::Gone });
        if self.beside.len() > MOST_BESIDE {
            self.merge();
        }
    }

    /// Sorts the changes in.
    fn merge(&mut self) {
        let beside = std::mem::take(&mut self.beside);
        let kept = self.sorted.iter().filter(|subject| !beside.contains_key(subject));
        let kept = kept.map(|subject| (Subject(*subject), self.ends.get(subject).copied()));
        let added = beside.iter().filter_map(|(subject, change)| match change {
            Change::Stands(end) => Some((Subject(*subject), *end)),
            Change::Gone => None,
        });
        *self = Self::of(kept.chain(added).collect::<Vec<_>>());
    }

    /// Whether it stands for a subject at an instant.
    pub fn holds(&self, subject: u64, now: Instant) -> bool {
        let end = match self.beside.get(&subject) {
            Some(Change::Gone) => return false,
            Some(Change::Stands(end)) => *end,
            None if !self.find(subject) => return false,
            None if self.ends.is_empty() => None,
            None => self.ends.get(&subject).copied(),
        };
        end.is_none_or(|end| now < end)
    }

    /// Whether it stands for nobody.
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty() && !self.beside.values().any(|change| matches!(change, Change::Stands(_)))
    }

    /// Looks where an evenly spread value must lie, and around it in growing steps.
    fn find(&self, subject: u64) -> bool {
        let count = self.sorted.len();
        // The product has 128 bits and its upper half is below the count.
        let guess = usize::try_from((u128::from(subject) * count as u128) >> 64).unwrap_or(0);
        let (mut low, mut high) = (guess, guess);
        let mut step = 8_usize;
        while low > 0 && self.sorted.get(low).is_none_or(|there| *there > subject) {
            low = low.saturating_sub(step);
            step = step.saturating_mul(2);
        }
        step = 8;
        while high < count && self.sorted.get(high).is_some_and(|there| *there < subject) {
            high = high.saturating_add(step).min(count);
            step = step.saturating_mul(2);
        }
        let end = high.saturating_add(1).min(count);
        self.sorted.get(low.min(end)..end).is_some_and(|near| near.binary_search(&subject).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(subjects: &[u64]) -> SubjectSet {
        SubjectSet::of(subjects.iter().map(|subject| (Subject(*subject), None)))
    }

    proptest! {
        #[test]
        fn finds_what_is_in_it_and_nothing_else(
            mut inside in prop::collection::vec(prop_oneof![any::<u64>(), 0_u64..50, (u64::MAX - 50)..=u64::MAX], 0..400),
            asked in prop::collection::vec(prop_oneof![any::<u64>(), 0_u64..50, (u64::MAX - 50)..=u64::MAX], 0..100),
        ) {
            let set = set(&inside);
            let now = Instant::from_seconds(0);
            for subject in &inside {
                prop_assert!(set.holds(*subject, now));
            }
            inside.sort_unstable();
            for subject in asked {
                prop_assert_eq!(set.holds(subject, now), inside.binary_search(&subject).is_ok());
            }
        }
    }

    #[test]
    fn changes_count_at_once_and_after_a_merge() {
        let mut changed = set(&[1, 5, u64::MAX]);
        changed.change(Subject(5), false, None);
        changed.change(Subject(7), true, Some(Instant::from_seconds(10)));
        let hold = |set: &SubjectSet, at| [1, 5, 7, u64::MAX].map(|subject| set.holds(subject, Instant::from_seconds(at)));
        assert_eq!(hold(&changed, 9), [true, false, true, true]);
        assert_eq!(hold(&changed, 10), [true, false, false, true], "it ended by itself");
        changed.merge();
        assert_eq!(hold(&changed, 9), [true, false, true, true]);
        changed.change(Subject(7), true, None);
        assert_eq!(hold(&changed, 10), [true, false, true, true], "given anew without an end");
        assert!(!changed.is_empty() && SubjectSet::default().is_empty());
    }
}
