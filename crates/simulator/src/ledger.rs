//! What became of the last messages: what query_sm is answered from, and what cancel_sm and replace_sm change.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use sms::receipt::ReceiptState;

use crate::receipt::Receipt;

/// A message on its way.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) number: u64,
    pub(crate) source: Box<[u8]>,
    pub(crate) destination: Box<[u8]>,
    /// What becomes of it, and when.
    pub(crate) state: ReceiptState,
    pub(crate) at: Duration,
    /// How long it takes from when it is to be sent.
    takes: Duration,
    canceled: bool,
    /// The receipt that nobody has asked for yet.
    unasked: Option<Box<Receipt>>,
}

/// What a message says that was replaced.
#[derive(Clone, Debug)]
pub(crate) struct Instead {
    /// When it comes to its end.
    pub(crate) at: Duration,
    pub(crate) registered_delivery: u8,
    pub(crate) text: Box<[u8]>,
}

/// What a client wants to be different about a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) source: &'a [u8],
    /// When it is to be sent, if not as before.
    pub(crate) send_at: Option<Duration>,
    pub(crate) registered_delivery: u8,
    pub(crate) text: &'a [u8],
}

/// The last messages that all connections took, by the id that they were given.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    entries: HashMap<Box<[u8]>, Entry>,
    order: VecDeque<Box<[u8]>>,
    /// Numbers of canceled messages: no receipt says that they were delivered.
    canceled: HashSet<u64>,
    /// What replaced messages say, by their numbers.
    replaced: HashMap<u64, Instead>,
}

impl Entry {
    pub(crate) fn new(
        number: u64,
        (source, destination): (&[u8], &[u8]),
        (state, at): (ReceiptState, Duration),
        takes: Duration,
    ) -> Self {
        let (source, destination) = (source.into(), destination.into());
        Self { number, source, destination, state, at, takes, canceled: false, unasked: None }
    }

    /// With the receipt that it would have, if one was wanted.
    pub(crate) fn without_receipt(self, receipt: Receipt) -> Self {
        Self { unasked: Some(Box::new(receipt)), ..self }
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
                self.replaced.remove(&gone.number);
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

    /// Puts something in the place of what a message says; `None` if there is none from this source, or it has
    /// ended. Gives the receipt that is wanted now and was not before, and when it is due.
    pub(crate) fn replace(
        &mut self,
        id: &[u8],
        wanted: Wanted<'_>,
        now: Duration,
    ) -> Option<Option<(Duration, Receipt)>> {
        let entry = self.entries.get_mut(id).filter(|entry| fits(&entry.source, wanted.source))?;
        if entry.canceled || entry.at <= now {
            return None;
        }
        if let Some(send_at) = wanted.send_at {
            entry.at = send_at.max(now) + entry.takes;
        }
        let (at, state, registered_delivery) = (entry.at, entry.state, wanted.registered_delivery);
        self.replaced.insert(entry.number, Instead { at, registered_delivery, text: wanted.text.into() });
        let wanted = Receipt::is_wanted(registered_delivery, state);
        Some(entry.unasked.take_if(|_| wanted).map(|receipt| (at, *receipt)))
    }

    /// What a message says that was replaced.
    pub(crate) fn replaced(&self, number: u64) -> Option<&Instead> {
        if self.replaced.is_empty() { None } else { self.replaced.get(&number) }
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
            let ends = (ReceiptState::Delivered, at(10));
            let entry = Entry::new(number, (b"SHOP", b"4477"), ends, at(10));
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
        let wanted = Wanted { source: b"SHOP", send_at: Some(at(60)), registered_delivery: 1, text: b"other" };
        assert!(ledger.replace(b"3", wanted, at(1)).is_none(), "it was taken back");
        assert!(ledger.replace(b"2", wanted, at(10)).is_none(), "it has ended");
        assert!(ledger.replace(b"4", Wanted { source: b"X", ..wanted }, at(1)).is_none());
        assert!(ledger.replace(b"4", wanted, at(1)).is_some_and(|receipt| receipt.is_none()));
        assert_eq!(ledger.state(b"4", b"SHOP", at(60)), Some(ReceiptState::Enroute), "it is sent later");
        assert_eq!(ledger.replaced(4).map(|instead| (&*instead.text, instead.at)), Some((&b"other"[..], at(70))));
    }
}
