//! Sweep: all that is due in a connector's queue, gone through once. The highest priority comes first,
//! and accounts take turns, so that nobody waits for the end of somebody else's backlog here either.

use std::collections::VecDeque;

use model::Name;
use store::{QueueLane, QueueRead, QueuedMessage, Shards, Store, StoreError};

/// Messages read at a time.
const PAGE: usize = 500;
/// Accounts read at a time.
const PAGE_ACCOUNTS: usize = 25;
/// Accounts listed at a time.
const ACCOUNTS: usize = 1000;

#[derive(Debug)]
pub(crate) struct Sweep {
    connector: Name,
    shards: Shards,
    /// Priorities that were not begun with are those below.
    priorities: std::ops::Range<u8>,
    priority: u8,
    /// Where to read on, in the order of turns.
    accounts: VecDeque<QueueRead>,
}

impl Sweep {
    pub fn new(connector: Name, shards: Shards) -> Self {
        Self { connector, shards, priorities: 0..4, priority: 0, accounts: VecDeque::new() }
    }

    /// The next messages, at least one; `None` at the end. After an error it goes on where it was.
    pub async fn next(&mut self, store: &dyn Store) -> Result<Option<Vec<QueuedMessage>>, StoreError> {
        loop {
            if self.accounts.is_empty() {
                let Some(priority) = self.priorities.end.checked_sub(1) else { return Ok(None) };
                self.accounts = self.list(priority, store).await?;
                (self.priorities.end, self.priority) = (priority, priority);
                continue;
            }
            let count = self.accounts.len().min(PAGE_ACCOUNTS);
            let reads: Vec<QueueRead> = self
                .accounts
                .iter()
                .take(count)
                .map(|read| QueueRead { limit: PAGE / count, ..read.clone() })
                .collect();
            let pages = store.queue_pages(&self.lane(self.priority), &reads, store.now()).await?;
            self.accounts.drain(..count);
            let mut messages = Vec::new();
            for (mut read, page) in reads.into_iter().zip(pages) {
                if let Some(last) = page.messages.last().filter(|_| page.messages.len() == read.limit) {
                    read.after = Some((last.entry.due, last.entry.id));
                    self.accounts.push_back(read);
                }
                messages.extend(page.messages);
            }
            if !messages.is_empty() {
                return Ok(Some(messages));
            }
        }
    }

    async fn list(&self, priority: u8, store: &dyn Store) -> Result<VecDeque<QueueRead>, StoreError> {
        let (lane, now) = (self.lane(priority), store.now());
        let mut reads: VecDeque<QueueRead> = VecDeque::new();
        let mut after: Option<Name> = None;
        loop {
            let accounts = store.queue_accounts(&lane, after.as_deref(), ACCOUNTS).await?;
            after = accounts.last().map(|(account, _)| account.clone());
            let last = accounts.len() < ACCOUNTS;
            let due = accounts.into_iter().filter(|(_, due)| *due <= now);
            reads.extend(due.map(|(account, _)| QueueRead { account, after: None, limit: 0 }));
            if last {
                return Ok(reads);
            }
        }
    }

    fn lane(&self, priority: u8) -> QueueLane {
        QueueLane { connector: self.connector.clone(), shards: self.shards.clone(), priority }
    }
}
