//! A store that can't be written. The recorder alone says when it is away and when it is back: it
//! writes, so it knows. Whoever else tried the store would speak of another moment than the commit
//! that fails meanwhile, and messages would be invited and then refused.

use std::time::Duration;

use store::{Changes, StoreError};
use tokio::sync::mpsc;

use super::draft::{Draft, Waiting};
use super::flight::{Acknowledgement, Flight};
use super::{GROUPS_MAX, Recorder};
use crate::facts::{AcceptFailed, Facts};

/// How often a store that is away is tried.
const STORE_AWAY: Duration = Duration::from_millis(250);

impl Recorder {
    /// Sends a closed draft on its way. A store that is away is written even if nothing is left to
    /// write: a load balancer that has taken this node out sends nothing that could show that it
    /// works again.
    pub(super) fn fly(&mut self, draft: Draft, acknowledge: Vec<Acknowledgement>) {
        let away = self.engine.inner.health.borrow().store.is_some();
        self.flight = Some(Flight::begin(self.engine.inner.store.clone(), draft, acknowledge, away));
    }

    /// The store was written: messages can be accepted.
    pub(super) fn store_back(&self) {
        let news = self.engine.inner.health.send_if_modified(|health| health.store.take().is_some());
        if news {
            tracing::info!("the store can be used again");
            // A commit of which nobody heard may have been made after all: what it queued is looked for.
            self.engine.inner.lanes.load().iter().for_each(|lane| lane.list_again());
        }
    }

    /// The store failed: refuses what can be refused, and waits a little. Acceptances that come in
    /// meanwhile are refused at once; the rest waits in the channel.
    pub(super) async fn store_away(
        &mut self,
        error: &StoreError,
        draft: &mut Draft,
        inbox: &mut mpsc::Receiver<Facts>,
    ) {
        let why = error.to_string();
        let news = self.engine.inner.health.send_if_modified(|health| {
            let news = health.store.is_none();
            health.store = Some(why.as_str().into());
            news
        });
        if news {
            tracing::error!(%error, "the store can't be used; messages are refused until it can");
        }
        // What follows from messages of phones is kept with them until the store is back.
        let refused =
            |waiting: &Waiting, _: &Changes| waiting.can_come_again().then(|| AcceptFailed::Store(why.clone()));
        let back = draft.refuse_acceptances(refused);
        self.open.draft.refuse_acceptances(refused);
        self.open.draft.correct(back);
        self.refuse_aside(&why);
        let pause = tokio::time::sleep(STORE_AWAY);
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => break,
                Some(group) = inbox.recv(), if self.left.len() < GROUPS_MAX => self.left.push_back(group),
            }
        }
        let mut left = std::mem::take(&mut self.left);
        for group in &mut left {
            let mut early = Draft::default();
            self.accept_all(&mut group.facts, &mut early);
            early.refuse_acceptances(refused);
        }
        self.left = left;
        self.refuse_aside(&why);
    }
}
