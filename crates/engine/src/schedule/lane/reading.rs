//! What comes into a lane: from the recorder, and from the store.

use std::collections::VecDeque;

use model::{Message, Name, Timestamp};
use store::{QueueEntry, QueuePage, QueueRead, QueuedMessage};

use super::Lane;
use crate::facts::Fact;
use crate::schedule::active::{Found, Page, Wanted};

impl Lane {
    /// Messages that have just become durable and are to be sent over this lane.
    pub fn offer<'a>(&self, messages: impl Iterator<Item = (&'a QueueEntry, &'a Message)>) {
        let now = self.store.now();
        let mut state = self.lock();
        for (entry, message) in messages {
            // What is left to another node is found by it in the store.
            if state.shards.contains(&entry.shard) {
                state.active.offer(found(entry, message), now);
            }
        }
        let hungry = state.active.is_hungry(now) || state.active.next_due().is_some();
        let ready = state.active.has_ready();
        drop(state);
        if hungry {
            self.hungry.notify_one();
        }
        if ready {
            self.wake.notify_waiters();
        }
    }

    /// What to read from the store next, or when to look again.
    pub fn begin_read(&self) -> Result<Wanted, Option<Timestamp>> {
        let mut state = self.lock();
        let wanted = state.active.begin_read(self.store.now());
        wanted.ok_or_else(|| state.active.next_due())
    }

    /// The read failed; nothing was loaded.
    pub fn end_read(&self) {
        self.lock().active.end_read();
    }

    /// Waits until there may be something to read.
    pub async fn hungry(&self) {
        self.hungry.notified().await;
    }

    /// Others may have written into the queue: all of it is to be looked at.
    pub fn list_again(&self) {
        let mut state = self.lock();
        state.active.end_read();
        state.active.list_again();
        drop(state);
        self.hungry.notify_one();
    }

    /// Accounts that have something in the queue.
    pub fn listed(&self, priority: usize, accounts: Vec<(Name, Timestamp)>, last: bool) {
        self.lock().active.listed(priority, accounts, last);
    }

    /// What was read of accounts in the queue.
    pub fn loaded(&self, priority: usize, reads: Vec<QueueRead>, pages: Vec<QueuePage>) {
        let page = |(read, page): (QueueRead, QueuePage)| {
            let QueuePage { messages, next_due } = page;
            let all = messages.len() < read.limit;
            let messages = messages.iter().map(|QueuedMessage { entry, message }| found(entry, message)).collect();
            Page { account: read.account, messages, all, next_due }
        };
        let pages: Vec<Page> = reads.into_iter().zip(pages).map(page).collect();
        let mut state = self.lock();
        // Marked before they were sent, and the process ended before the answers were recorded.
        let overlooked = state.active.loaded(priority, pages);
        let any = !overlooked.is_empty();
        state.orphans.extend(overlooked.into_iter().map(|message| Fact::Overlooked { message }));
        drop(state);
        if any {
            self.orphaned.notify_one();
        }
        self.wake.notify_waiters();
    }
}

fn found(entry: &QueueEntry, message: &Message) -> Found {
    let parts = u8::try_from(message.progress.parts.len()).unwrap_or(u8::MAX);
    let unsent: VecDeque<u8> = message.progress.unsent().collect();
    let marked = message.progress.any_marked();
    let begun = unsent.len() < message.progress.parts.len();
    Found { place: (entry.due, entry.id), body: message.body.clone(), parts, unsent, marked, begun }
}
