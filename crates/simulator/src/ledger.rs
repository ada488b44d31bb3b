//! What became of the last messages: what query_sm is answered from, and what cancel_sm changes.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use sms::receipt::ReceiptState;

/// A message on its way.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) number: u64,
    pub(crate) source: Box<[u8]>,
    pub(crate) destination: Box<[u8]>,
    /// What becomes of it, and when.
    pub(crate) state: ReceiptState,
    pub(crate) at: Duration,
    canceled: bool,
}

/// The last messages that all connections took, by the id that they were given.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    entries: HashMap<Box<[u8]>, Entry>,
    order: VecDeque<Box<[u8]>>,
    /// Numbers of canceled messages: no receipt says that they were delivered.
    canceled: HashSet<u64>,
}

impl Entry {
    pub(crate) fn new(number: u64, source: &[u8], destination: &[u8], (state, at): (ReceiptState, Duration)) -> Self {
        Self { number, source: source.into(), destination: destination.into(), state, at, canceled: false }
    }
}

impl Ledger {
    /// Adds a message, and forgets the oldest beyond `keep`.
    pub(crate) fn add(&mut self, id: Box<[u8]>, entry: Entry, keep: usize) {
        self.entries.insert(id.clone(), entry);
        self.order.push_back(id);
        while self.order.len() > keep {
            let Some(oldest) = self.order.pop_front() else { break };
            if let Some(gone) = self.entries.remove(&oldest) {
                self.canceled.remove(&gone.number);
            }
        }
    }

    /// The state of a message that `source` has sent; empty is any.
    pub(crate) fn state(&self, id: &[u8], source: &[u8], now: Duration) -> Option<ReceiptState> {
        let entry = self.entries.get(id).filter(|entry| fits(&entry.source, source))?;
        Some(match entry {
            Entry { canceled: true, .. } => ReceiptState::Deleted,
            Entry { at, state, .. } if *at <= now => *state,
            _ => ReceiptState::Enroute,
        })
    }

    /// Takes a message back; `false` if there is none with these addresses, or it has ended.
    pub(crate) fn cancel(&mut self, id: &[u8], source: &[u8], destination: &[u8], now: Duration) -> bool {
        let Some(entry) = self.entries.get_mut(id) else { return false };
        let fits = fits(&entry.source, source) && fits(&entry.destination, destination);
        let cancels = fits && !entry.canceled && now < entry.at;
        if cancels {
            entry.canceled = true;
            self.canceled.insert(entry.number);
        }
        cancels
    }

    /// Whether a message was taken back.
    pub(crate) fn is_canceled(&self, number: u64) -> bool {
        !self.canceled.is_empty() && self.canceled.contains(&number)
    }
}

fn fits(known: &[u8], given: &[u8]) -> bool {
    given.is_empty() || given == known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_messages_can_be_asked_about_and_taken_back_until_they_end() {
        let mut ledger = Ledger::default();
        let at = Duration::from_secs;
        for number in 1..=4u64 {
            let entry = Entry::new(number, b"SHOP", b"4477", (ReceiptState::Delivered, at(10)));
            ledger.add(number.to_string().into_bytes().into(), entry, 3);
        }
        assert_eq!(ledger.state(b"1", b"SHOP", at(1)), None, "forgotten");
        assert_eq!(ledger.state(b"2", b"SHOP", at(1)), Some(ReceiptState::Enroute));
        assert_eq!(ledger.state(b"2", b"", at(10)), Some(ReceiptState::Delivered));
        assert_eq!(ledger.state(b"2", b"OTHER", at(10)), None);
        assert!(!ledger.cancel(b"2", b"SHOP", b"4477", at(10)), "it has ended");
        assert!(!ledger.cancel(b"3", b"SHOP", b"4499", at(1)), "another destination");
        assert!(ledger.cancel(b"3", b"SHOP", b"4477", at(1)) && !ledger.cancel(b"3", b"SHOP", b"4477", at(1)));
        assert_eq!(ledger.state(b"3", b"SHOP", at(20)), Some(ReceiptState::Deleted));
        assert!(ledger.is_canceled(3) && !ledger.is_canceled(2));
    }
}
