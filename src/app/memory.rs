//! Bounded memory of what was looked up or seen: when it is full it forgets all, which costs looking up again and nothing else.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// At most so many values by key, shared by threads.
pub struct Memory<Key, Value, const MOST: usize>(Mutex<HashMap<Key, Value>>);

impl<Key, Value, const MOST: usize> Default for Memory<Key, Value, MOST> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<Key: Hash + Eq, Value: Clone, const MOST: usize> Memory<Key, Value, MOST> {
    /// The value of a key.
    pub fn get<Name: Hash + Eq + ?Sized>(&self, key: &Name) -> Option<Value>
    where
        Key: Borrow<Name>,
    {
        self.locked().get(key).cloned()
    }

    /// The value of a key; a fresh one where there is none.
    pub fn get_or_default(&self, key: Key) -> Value
    where
        Value: Default,
    {
        let mut all = self.locked();
        make_room::<_, _, MOST>(&mut all, &key);
        all.entry(key).or_default().clone()
    }

    /// Keeps a value.
    pub fn put(&self, key: Key, value: Value) {
        let mut all = self.locked();
        make_room::<_, _, MOST>(&mut all, &key);
        all.insert(key, value);
    }

    /// Forgets the value of a key.
    pub fn forget(&self, key: &Key) {
        self.locked().remove(key);
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.locked().len()
    }

    /// A map that another thread left mid-panic still holds whole entries only.
    fn locked(&self) -> MutexGuard<'_, HashMap<Key, Value>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn make_room<Key: Hash + Eq, Value, const MOST: usize>(all: &mut HashMap<Key, Value>, key: &Key) {
    if all.len() >= MOST && !all.contains_key(key) {
        all.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_holds_more_than_it_may() {
        let memory = Memory::<u32, u32, 3>::default();
        for key in 0..10 {
            memory.put(key, key);
            assert_eq!(memory.get(&key), Some(key));
            assert!((1..=3).contains(&memory.len()));
        }
        // A key that is there needs no room.
        memory.put(11, 1);
        memory.put(12, 1);
        let before = memory.len();
        memory.put(12, 2);
        assert_eq!((memory.len(), memory.get(&12), memory.get_or_default(12)), (before, Some(2), 2));
        memory.forget(&12);
        assert_eq!((memory.get(&12), memory.get_or_default(12)), (None, 0));
    }
}
