//! Which key follows which: a new one is published well before it signs, and an old one stays until its last token is over.

use crate::domain::signing_key::{HEAD_START_SECONDS, KeyState, RevokedKey, SigningKey, signing, waiting};
use crate::domain::text::{Kid, Reason};
use crate::domain::time::Instant;

use super::Denied;

/// A key pair that was made just now: its name and its public half.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fresh {
    pub kid: Kid,
    /// A JSON Web Key, one line of JSON.
    pub public: String,
}

impl Fresh {
    fn signing_from(self, now: Instant, signs_from: Instant) -> SigningKey {
        let Self { kid, public } = self;
        SigningKey { kid, public, made_at: now, signs_from, retired_at: None, leaves_at: None, revoked: None }
    }
}

/// The first key signs at once: nobody holds an older set.
pub fn first(fresh: Fresh, now: Instant) -> SigningKey {
    fresh.signing_from(now, now)
}

/// The keys that a rotation changes, the new one first. `lasts` is how long a token may be good after its key has
/// signed it, in seconds, with what clocks may differ.
///
/// # Errors
/// While a key waits already: a second one would have to wait for it.
pub fn rotate(keys: &[SigningKey], fresh: Fresh, now: Instant, lasts: i64) -> Result<Vec<SigningKey>, Denied> {
    if waiting(keys, now).is_some() {
        return Err(Denied::state("A new key waits already to sign. Rotate again once it signs, or revoke it first."));
    }
    let signs_from = now.plus_seconds(HEAD_START_SECONDS);
    let retired = keys.iter().filter(|key| key.state(now) == KeyState::Signing).map(|key| SigningKey {
        retired_at: Some(signs_from),
        leaves_at: Some(signs_from.plus_seconds(lasts)),
        ..key.clone()
    });
    let retired: Vec<SigningKey> = retired.collect();
    let signs_from = if retired.is_empty() { now } else { signs_from };
    Ok(std::iter::once(fresh.signing_from(now, signs_from)).chain(retired).collect())
}

/// The keys that a revocation changes, the revoked one first. Where it signed, the one that waits signs at once, else a
/// new one; where it waited, the one that signs goes on. Nothing changes where it is revoked already.
pub fn revoke(keys: &[SigningKey], kid: &Kid, fresh: Fresh, reason: Reason, now: Instant) -> Vec<SigningKey> {
    let Some(key) = keys.iter().find(|key| key.kid == *kid && key.revoked.is_none()) else { return Vec::new() };
    let ended = |at: Option<Instant>| Some(at.map_or(now, |at| at.min(now)));
    let revoked = SigningKey {
        retired_at: ended(key.retired_at),
        leaves_at: ended(key.leaves_at),
        revoked: Some(RevokedKey { at: now, reason }),
        ..key.clone()
    };
    let follows = match key.state(now) {
        KeyState::Signing => Some(match waiting(keys, now) {
            Some(next) => SigningKey { signs_from: now, ..next.clone() },
            None => fresh.signing_from(now, now),
        }),
        KeyState::Waiting => signing(keys, now).map(|goes_on| SigningKey { retired_at: None, leaves_at: None, ..goes_on.clone() }),
        KeyState::Verifying | KeyState::Over | KeyState::Revoked => None,
    };
    std::iter::once(revoked).chain(follows).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LASTS: i64 = 910;

    fn at(second: i64) -> Instant {
        Instant::from_seconds(second)
    }

    fn fresh(sign: char) -> Fresh {
        Fresh { kid: sign.to_string().repeat(43).parse().unwrap(), public: String::new() }
    }

    /// Puts changed keys in the place of what was.
    fn put(keys: &mut Vec<SigningKey>, changed: Vec<SigningKey>) {
        for key in changed {
            keys.retain(|known| known.kid != key.kid);
            keys.push(key);
        }
    }

    fn states(keys: &[SigningKey], second: i64) -> Vec<(char, KeyState)> {
        let mut states: Vec<(char, KeyState)> =
            keys.iter().filter_map(|key| Some((key.kid.as_str().chars().next()?, key.state(at(second))))).collect();
        states.sort_by_key(|(name, _)| *name);
        states
    }

    fn why() -> Reason {
        "it leaked".parse().unwrap()
    }

    #[test]
    fn one_key_signs_at_every_instant_of_a_rotation() {
        use KeyState::{Over, Signing, Verifying, Waiting};
        let mut keys = vec![first(fresh('a'), at(0))];
        let changed = rotate(&keys, fresh('b'), at(1_000), LASTS).unwrap();
        put(&mut keys, changed);
        for (second, old, new) in [
            (1_000, Signing, Waiting),
            (1_599, Signing, Waiting),
            (1_600, Verifying, Signing),
            (2_509, Verifying, Signing),
            (2_510, Over, Signing),
        ] {
            assert_eq!(states(&keys, second), [('a', old), ('b', new)], "{second}");
        }
        assert!(rotate(&keys, fresh('c'), at(1_599), LASTS).is_err());
        assert!(rotate(&keys, fresh('c'), at(1_600), LASTS).is_ok());
    }

    #[test]
    fn after_a_revocation_another_key_signs_at_once() {
        use KeyState::{Revoked, Signing};
        let begun = || {
            let mut keys = vec![first(fresh('a'), at(0))];
            let changed = rotate(&keys, fresh('b'), at(1_000), LASTS).unwrap();
            put(&mut keys, changed);
            keys
        };
        // The one that signs: the waiting one takes its place.
        let mut keys = begun();
        let changed = revoke(&keys, &fresh('a').kid, fresh('c'), why(), at(1_100));
        put(&mut keys, changed);
        assert_eq!(states(&keys, 1_100), [('a', Revoked), ('b', Signing)]);
        // With none that waits, a new one does.
        let changed = revoke(&keys, &fresh('b').kid, fresh('c'), why(), at(1_200));
        put(&mut keys, changed);
        assert_eq!(states(&keys, 1_200), [('a', Revoked), ('b', Revoked), ('c', Signing)]);
        assert!(revoke(&keys, &fresh('b').kid, fresh('d'), why(), at(1_201)).is_empty(), "again");
        // The one that waits: the old one goes on signing for good.
        let mut keys = begun();
        let changed = revoke(&keys, &fresh('b').kid, fresh('c'), why(), at(1_100));
        put(&mut keys, changed);
        assert_eq!(states(&keys, 9_999), [('a', Signing), ('b', Revoked)]);
        // One that only verifies: the one that signs is not touched.
        let mut keys = begun();
        let changed = revoke(&keys, &fresh('a').kid, fresh('c'), why(), at(2_000));
        assert_eq!(changed.len(), 1);
        put(&mut keys, changed);
        assert_eq!(states(&keys, 2_000), [('a', Revoked), ('b', Signing)]);
    }
}
