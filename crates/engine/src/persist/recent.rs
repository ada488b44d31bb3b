//! What the recorder remembers so that it need not read back what it has just written. Bounded;
//! everything in it is in the store too.

use std::collections::VecDeque;
use std::hash::Hash;

use foldhash::{HashMap, HashMapExt};

/// A map that forgets its oldest entries.
#[derive(Debug)]
pub(crate) struct Recent<K, V> {
    entries: HashMap<K, (u64, V)>,
    /// Keys in the order of their last insertion, with outdated ones in between.
    order: VecDeque<(u64, K)>,
    stamp: u64,
    capacity: usize,
}

impl<K: Hash + Eq + Clone, V> Recent<K, V> {
    pub fn new(capacity: usize) -> Self {
        Self { entries: HashMap::new(), order: VecDeque::new(), stamp: 0, capacity }
    }

    pub fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|(_, value)| value)
    }

    /// Takes a value out; it is expected back soon.
    pub fn take(&mut self, key: &K) -> Option<V> {
        self.entries.remove(key).map(|(_, value)| value)
    }

    /// Keeps those that pass.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &V) -> bool) {
        self.entries.retain(|key, (_, value)| keep(key, value));
    }

    pub fn insert(&mut self, key: K, value: V) {
        self.stamp += 1;
        self.order.push_back((self.stamp, key.clone()));
        self.entries.insert(key, (self.stamp, value));
        while let Some((stamp, oldest)) = self.order.front() {
            let outdated = self.entries.get(oldest).is_none_or(|(newest, _)| newest != stamp);
            if !outdated {
                if self.entries.len() <= self.capacity && self.order.len() <= self.capacity * 2 {
                    break;
                }
                self.entries.remove(oldest);
            }
            self.order.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten_and_memory_is_bounded() {
        let mut recent = Recent::new(3);
        (0..100).for_each(|n| recent.insert(n, n));
        assert_eq!((recent.get(&96), recent.get(&97)), (None, Some(&97)));
        recent.insert(97, 7);
        recent.insert(100, 100);
        assert_eq!(recent.get(&97), Some(&7), "inserted anew, so it is not the oldest");
        for _ in 0..1000 {
            recent.insert(97, 8);
        }
        assert!(recent.order.len() <= 6);
        assert_eq!((recent.take(&97), recent.take(&97)), (Some(8), None));
    }
}
