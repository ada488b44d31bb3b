//! What is due later, in milliseconds: a cheap timer queue for millions of entries.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Entries by the time when they are due; those of one millisecond stay in order.
#[derive(Debug)]
pub(crate) struct Timeline<T> {
    later: BTreeMap<u64, Vec<T>>,
    due: VecDeque<T>,
    len: usize,
}

impl<T> Timeline<T> {
    pub(crate) fn new() -> Self {
        Self { later: BTreeMap::new(), due: VecDeque::new(), len: 0 }
    }

    /// Adds an entry that is due at `at`.
    pub(crate) fn push(&mut self, at: Duration, now: Duration, entry: T) {
        self.len += 1;
        if at <= now {
            self.due.push_back(entry);
            return;
        }
        let milliseconds = round_up(at);
        // Nearly always the latest of all.
        match self.later.last_entry() {
            Some(mut last) if *last.key() == milliseconds => last.get_mut().push(entry),
            _ => self.later.entry(milliseconds).or_default().push(entry),
        }
    }

    /// Takes the next entry that is due.
    pub(crate) fn pop(&mut self, now: Duration) -> Option<T> {
        if self.due.is_empty() {
            let first = self.later.first_entry()?;
            if Duration::from_millis(*first.key()) > now {
                return None;
            }
            self.due = first.remove().into();
        }
        self.len -= 1;
        self.due.pop_front()
    }

    /// When the next entry is due; `now` or earlier if one is.
    pub(crate) fn next(&self) -> Option<Duration> {
        if !self.due.is_empty() {
            return Some(Duration::ZERO);
        }
        self.later.keys().next().map(|&at| Duration::from_millis(at))
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Takes everything, with the times when it is due.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = (Duration, T)> + '_ {
        self.len = 0;
        let due = std::mem::take(&mut self.due).into_iter().map(|entry| (Duration::ZERO, entry));
        let later = std::mem::take(&mut self.later).into_iter();
        due.chain(
            later.flat_map(|(at, entries)| entries.into_iter().map(move |entry| (Duration::from_millis(at), entry))),
        )
    }
}

/// Whole milliseconds, never early.
fn round_up(at: Duration) -> u64 {
    u64::try_from(at.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn us(value: u64) -> Duration {
        Duration::from_micros(value)
    }

    #[test]
    fn entries_come_out_when_they_are_due_and_in_order() {
        let mut line = Timeline::new();
        for (at, name) in [(5000, "e"), (1200, "b"), (900, "a"), (1999, "c"), (0, "now"), (5000, "f")] {
            line.push(us(at), us(10), name);
        }
        assert_eq!((line.pop(us(10)), line.pop(us(10))), (Some("now"), None));
        assert_eq!(line.next(), Some(us(1000)));
        assert_eq!((line.pop(us(1000)), line.pop(us(1999))), (Some("a"), None));
        assert_eq!((line.pop(us(2000)), line.pop(us(2000)), line.pop(us(2000))), (Some("b"), Some("c"), None));
        assert_eq!(line.len(), 2);
        let rest: Vec<_> = line.drain().collect();
        assert_eq!(rest, [(us(5000), "e"), (us(5000), "f")]);
        assert_eq!((line.len(), line.next()), (0, None));
    }
}
