//! What one account's messages came to, by the ids that the server gave them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// The messages of one account. Receipts may come by another session than the answer, and before it.
#[derive(Debug, Default)]
pub struct Ledger {
    known: HashMap<Box<[u8]>, Known>,
}

/// Times are microseconds since the run began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    /// It was answered; when it was sent.
    Answered(u32),
    /// A receipt came, and no answer yet; when it came.
    Early(u32),
    /// Both came.
    Done,
}

/// What a receipt is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// The first for its message, so long after that was sent.
    First(u32),
    /// The message is not known yet: its answer will tell.
    Early,
    /// One that has come before.
    Again,
}

impl Ledger {
    /// A message that was sent at `sent` was given `id`. The answer is the age that it had when its
    /// receipt came, if that was earlier.
    pub fn answered(&mut self, id: &[u8], sent: u32) -> Option<u32> {
        match self.known.entry(id.into()) {
            Entry::Vacant(free) => {
                free.insert(Known::Answered(sent));
                None
            }
            Entry::Occupied(mut known) => match *known.get() {
                Known::Early(at) => {
                    known.insert(Known::Done);
                    Some(at.saturating_sub(sent))
                }
                // An id that is given twice: one of the two messages will seem lost.
                Known::Answered(_) | Known::Done => None,
            },
        }
    }

    /// A final receipt for `id` came at `now`.
    pub fn receipt(&mut self, id: &[u8], now: u32) -> Receipt {
        match self.known.get_mut(id) {
            Some(known) => match std::mem::replace(known, Known::Done) {
                Known::Answered(sent) => Receipt::First(now.saturating_sub(sent)),
                Known::Early(at) => {
                    *known = Known::Early(at);
                    Receipt::Again
                }
                Known::Done => Receipt::Again,
            },
            None => {
                self.known.insert(id.into(), Known::Early(now));
                Receipt::Early
            }
        }
    }

    /// Ids that receipts named and no answer did.
    pub fn strange(&self) -> u64 {
        self.known.values().filter(|known| matches!(known, Known::Early(_))).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_counts_once_whether_it_comes_before_or_after_the_answer() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.answered(b"a", 10), None);
        assert_eq!(ledger.receipt(b"a", 25), Receipt::First(15));
        assert_eq!(ledger.receipt(b"a", 30), Receipt::Again);
        assert_eq!(ledger.receipt(b"b", 40), Receipt::Early);
        assert_eq!(ledger.receipt(b"b", 41), Receipt::Again);
        assert_eq!(ledger.strange(), 1);
        assert_eq!(ledger.answered(b"b", 35), Some(5));
        assert_eq!(ledger.receipt(b"b", 42), Receipt::Again);
        assert_eq!(ledger.strange(), 0);
    }
}
