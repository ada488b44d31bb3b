//! Nodes that share a store in memory: several engines in one process, as tests have them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use model::{MessageId, Name};

use super::MemoryStore;
use crate::fleet::{Fleet, Mail, Node, Slot};
use crate::lease::Lease;
use crate::{CommitError, Store, StoreError};

#[async_trait]
impl Fleet for MemoryStore {
    async fn keep(&self, node: &str, holder: &str, ttl_millis: i64, about: &str) -> Result<Option<Lease>, StoreError> {
        self.well()?;
        let mut state = self.state();
        Ok(state.leases.keep(node, holder, self.now(), ttl_millis, about))
    }

    async fn leave(&self, membership: &Lease) -> Result<(), StoreError> {
        self.well()?;
        let mut state = self.state();
        state.leases.release(membership, self.now());
        Ok(())
    }

    async fn nodes(&self) -> Result<Vec<Node>, StoreError> {
        self.well()?;
        Ok(self.state().leases.nodes(self.now()))
    }

    async fn slots(&self) -> Result<Vec<Slot>, StoreError> {
        self.well()?;
        Ok(self.state().leases.slots(self.now()))
    }

    async fn claim(&self, membership: &Lease, wanted: &[Name]) -> Result<Vec<Name>, CommitError> {
        self.well()?;
        let mut state = self.state();
        let held = state.leases.claim(&membership.fence(), wanted, self.now());
        held.ok_or_else(|| CommitError::Fenced(membership.name.clone()))
    }

    async fn release(&self, membership: &Lease, slots: &[Name]) -> Result<(), StoreError> {
        self.well()?;
        self.state().leases.let_go(&membership.fence(), slots);
        Ok(())
    }

    async fn mail(&self, slots: &[Name], under_way: &[MessageId], limit: usize) -> Result<Vec<Mail>, StoreError> {
        self.well()?;
        let state = self.state();
        let wanted = state.mail.values().filter(|mail| slots.contains(&mail.to) && !under_way.contains(&mail.id));
        Ok(wanted.take(limit).cloned().collect())
    }

    async fn forget_mail(&self, prefix: &str) -> Result<u64, StoreError> {
        self.well()?;
        let mut state = self.state();
        Ok(state.forget_mail(prefix, self.now()))
    }

    async fn news(&self, node: &str) {
        std::future::poll_fn(|context| self.news.poll(node, context)).await;
    }

    async fn wake(&self, nodes: &[Name]) -> Result<(), StoreError> {
        self.well()?;
        nodes.iter().for_each(|node| self.news.tell(node));
        Ok(())
    }
}

/// Who has been told that there is news, and who waits for it.
#[derive(Default)]
pub(super) struct News(Mutex<BTreeMap<Name, Ear>>);

#[derive(Default)]
struct Ear {
    /// There was news since it was asked last.
    told: bool,
    waiting: Vec<Waker>,
}

impl News {
    fn poll(&self, node: &str, context: &Context<'_>) -> Poll<()> {
        let mut ears = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ear = ears.entry(node.into()).or_default();
        if std::mem::take(&mut ear.told) {
            return Poll::Ready(());
        }
        if !ear.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
            ear.waiting.push(context.waker().clone());
        }
        Poll::Pending
    }

    fn tell(&self, node: &Name) {
        let mut ears = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ear = ears.entry(node.clone()).or_default();
        ear.told = true;
        ear.waiting.drain(..).for_each(Waker::wake);
    }
}
