//! What the sessions of a run share: which message is next, and what has come of the others.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use smpp::{CommandStatus, MessageState};

use super::super::args::SmppArgs;
use super::super::progress::Far;
use super::ledger::{Ledger, Receipt};

/// One run of load. All times are microseconds since its beginning.
#[derive(Debug)]
pub struct Load {
    begin: Instant,
    messages: u64,
    rate: Option<u64>,
    /// Whether receipts are asked for.
    pub receipts: bool,
    next: AtomicU64,
    accepted: AtomicU64,
    refused: AtomicU64,
    unanswered: AtomicU64,
    distinct: AtomicU64,
    repeated: AtomicU64,
    last_answer: AtomicU32,
    last_receipt: AtomicU32,
    told: Mutex<Told>,
    ledgers: Vec<Mutex<Ledger>>,
}

/// What is counted by its kind.
#[derive(Debug, Default)]
struct Told {
    refusals: BTreeMap<String, u64>,
    states: BTreeMap<String, u64>,
}

/// The next message to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// This one, which should have been sent then.
    Now(u64, u32),
    /// There is one at that time.
    At(u32),
    /// There are no more.
    Over,
}

impl Load {
    pub fn new(args: &SmppArgs, begin: Instant) -> Self {
        Self {
            begin,
            messages: args.messages,
            rate: args.rate,
            receipts: !args.no_receipts,
            next: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            unanswered: AtomicU64::new(0),
            distinct: AtomicU64::new(0),
            repeated: AtomicU64::new(0),
            last_answer: AtomicU32::new(0),
            last_receipt: AtomicU32::new(0),
            told: Mutex::default(),
            ledgers: args.system_id.iter().map(|_| Mutex::default()).collect(),
        }
    }

    pub fn now(&self) -> u32 {
        u32::try_from(self.begin.elapsed().as_micros()).unwrap_or(u32::MAX)
    }

    /// Takes the next message, if its time has come.
    pub fn take(&self, now: u32) -> Turn {
        loop {
            let n = self.next.load(Relaxed);
            if n >= self.messages {
                return Turn::Over;
            }
            let due = self.rate.map_or(now, |rate| (n as f64 * 1e6 / rate as f64) as u32);
            if due > now {
                return Turn::At(due);
            }
            if self.next.compare_exchange(n, n + 1, Relaxed, Relaxed).is_ok() {
                return Turn::Now(n, due);
            }
        }
    }

    /// A submission was answered; one that was refused is counted by its status.
    pub fn answered(&self, status: CommandStatus, now: u32) {
        if status.is_ok() {
            self.accepted.fetch_add(1, Relaxed);
        } else {
            self.refused.fetch_add(1, Relaxed);
            *self.told().refusals.entry(status.to_string()).or_default() += 1;
        }
        self.last_answer.fetch_max(now, Relaxed);
    }

    /// So many submissions got no answer.
    pub fn unanswered(&self, count: u64) {
        self.unanswered.fetch_add(count, Relaxed);
    }

    /// A final receipt came, or the answer to a message whose receipt was there before.
    pub fn receipt(&self, receipt: Receipt, now: u32) {
        match receipt {
            Receipt::First(_) => {
                self.distinct.fetch_add(1, Relaxed);
                self.last_receipt.fetch_max(now, Relaxed);
            }
            Receipt::Early => {}
            Receipt::Again => _ = self.repeated.fetch_add(1, Relaxed),
        }
    }

    /// Receipts with this message_state came.
    pub fn states(&self, state: Option<u32>, count: u64) {
        let state = state.and_then(|state| MessageState(u8::try_from(state).ok()?).name()).unwrap_or("none");
        *self.told().states.entry(state.to_owned()).or_default() += count;
    }

    /// The messages of an account.
    pub fn ledger(&self, account: usize) -> MutexGuard<'_, Ledger> {
        self.ledgers[account % self.ledgers.len()].lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn far(&self) -> Far {
        let refused = self.refused.load(Relaxed);
        Far {
            messages: self.messages,
            settled: self.accepted() + refused + self.unanswered.load(Relaxed),
            refused,
            receipts: self.receipts.then(|| self.distinct.load(Relaxed)),
        }
    }

    /// Has everything come that was waited for?
    pub fn is_done(&self) -> bool {
        let Far { messages, settled, receipts, .. } = self.far();
        settled >= messages && receipts.is_none_or(|receipts| receipts >= self.accepted())
    }

    pub fn accepted(&self) -> u64 {
        self.accepted.load(Relaxed)
    }

    /// Submissions without an answer.
    pub fn lost_answers(&self) -> u64 {
        self.unanswered.load(Relaxed)
    }

    /// Receipts beyond the first of a message.
    pub fn repeated(&self) -> u64 {
        self.repeated.load(Relaxed)
    }

    /// Receipts for ids that no answer has named.
    pub fn strange(&self) -> u64 {
        (0..self.ledgers.len()).map(|account| self.ledger(account).strange()).sum()
    }

    pub fn refusals(&self) -> BTreeMap<String, u64> {
        self.told().refusals.clone()
    }

    /// Receipts by their state.
    pub fn receipt_states(&self) -> BTreeMap<String, u64> {
        self.told().states.clone()
    }

    /// When the last answer came.
    pub fn last_answer(&self) -> Duration {
        Duration::from_micros(self.last_answer.load(Relaxed).into())
    }

    /// When the last receipt came.
    pub fn last_receipt(&self) -> Duration {
        Duration::from_micros(self.last_receipt.load(Relaxed).into())
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
