//! Tokens whose signature held, so that it is computed once; never longer than the token lives, never more than a bound.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Claims, LEEWAY_SECONDS};

/// Bounded memory of verified tokens by the SHA-256 of their whole text, signature included.
#[derive(Debug)]
pub struct Remembered {
    most: usize,
    tokens: Mutex<HashMap<[u8; 32], Claims>>,
}

impl Remembered {
    /// Remembers at most so many tokens.
    pub fn new(most: usize) -> Self {
        Self { most, tokens: Mutex::default() }
    }

    /// The claims of a token that was verified before. The caller checks the time anew.
    pub fn find(&self, token: &[u8; 32]) -> Option<Claims> {
        self.locked().get(token).cloned()
    }

    /// Remembers a verified token. Where the memory is full, those past their time leave; where that is not enough, the half
    /// that is nearest to it, so that room is not looked for each time.
    pub fn insert(&self, token: [u8; 32], claims: &Claims, now_seconds: i64) {
        if claims.exp.saturating_add(LEEWAY_SECONDS) <= now_seconds {
            return;
        }
        let mut tokens = self.locked();
        if tokens.len() >= self.most {
            tokens.retain(|_, claims| claims.exp.saturating_add(LEEWAY_SECONDS) > now_seconds);
        }
        if tokens.len() >= self.most {
            let mut ends: Vec<i64> = tokens.values().map(|claims| claims.exp).collect();
            ends.sort_unstable();
            let middle = ends.get(ends.len() / 2).copied();
            tokens.retain(|_, claims| Some(claims.exp) > middle);
        }
        tokens.insert(token, claims.clone());
    }

    /// How many are remembered now.
    pub fn len(&self) -> usize {
        self.locked().len()
    }

    /// Whether none is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A map that another thread left mid-panic still holds whole entries only.
    fn locked(&self) -> MutexGuard<'_, HashMap<[u8; 32], Claims>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
