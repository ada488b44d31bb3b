//! Abandoned: messages that wait for a connector that was taken out of the resources.
//!
//! They go to another connector of their plan that there still is, or else to where the routes in force
//! would send them; their addresses stay as they were rewritten when they were accepted. Where nothing
//! would take them they stay, so that the connector can be put back, and expire in their time.
//!
//! A lane whose connector was taken out is *retired*: its sessions may still wait for answers. Nothing
//! goes elsewhere before the last of them has ended and what it left behind is recorded, for a message
//! must not be in two hands at a time.

use std::sync::{Arc, PoisonError};

use model::{Message, Name};
use routing::{Health, Outcome};
use store::StoreError;

use crate::engine::Engine;
use crate::facts::{Fact, Facts};
use crate::health::Wellbeing;
use crate::persist;
use crate::route::question_again;
use crate::schedule::{End, Lane, Sweep};
use crate::world::World;

impl Engine {
    /// Moves what waits for connectors that there are no more, as happens every ten seconds or so. Returns
    /// how many messages were to move; they have by now.
    pub async fn rehome_now(&self) -> Result<usize, StoreError> {
        let depths = self.inner.store.queue_depths().await?;
        self.rehome(depths.into_iter().map(|(connector, _)| connector)).await
    }

    /// The same of those among `connectors`, which are the queues that hold anything.
    pub(crate) async fn rehome(&self, connectors: impl Iterator<Item = Name>) -> Result<usize, StoreError> {
        self.let_go_retired().await?;
        let mut moved = 0;
        for connector in connectors {
            if self.any_lane(&connector).is_none() {
                moved += self.rehome_from(&connector).await?;
            }
        }
        Ok(moved)
    }

    async fn rehome_from(&self, connector: &Name) -> Result<usize, StoreError> {
        let mut moved = 0;
        let mut sweep = Sweep::new(connector.clone(), 0);
        while let Some(page) = sweep.next(&*self.inner.store).await? {
            let world = self.world();
            let moves = page.iter().filter_map(|queued| {
                let to = self.new_home(&queued.message, connector, &world)?;
                Some(Fact::Move { message: queued.message.body.id, from: connector.clone(), to })
            });
            let facts: Vec<Fact> = moves.collect();
            moved += facts.len();
            self.record(facts).await?;
        }
        if moved > 0 {
            tracing::info!(%connector, messages = moved, "what waited for a connector that is gone was moved");
        }
        Ok(moved)
    }

    /// Where a message goes whose connector is gone.
    fn new_home(&self, message: &Message, connector: &Name, world: &World) -> Option<Name> {
        if !message.progress.may_move() {
            return None;
        }
        let lanes = self.inner.lanes.load();
        let health = Wellbeing { lanes: &lanes, world, dry: true };
        let others = || message.body.plan.iter().flat_map(|plan| plan.others(connector));
        let there = || others().filter(|name| world.connector(name).is_some());
        let planned = there().find(|name| health.state(name).usable).or_else(|| there().next());
        planned.cloned().or_else(|| {
            let random = message.body.id.0.as_u64_pair().1;
            let question = question_again(&message.body, message.progress.parts.len());
            match world.routes.plan(&question, &health, random) {
                Outcome::Send(plan) => plan.connectors.into_iter().find(|name| name != connector),
                _ => None,
            }
        })
    }

    /// Keeps a lane whose connector was taken out until its sessions have ended.
    pub(crate) fn retire(&self, lane: Arc<Lane>) {
        self.retired().push(lane);
    }

    /// The lane of a connector that comes back before the sessions that it had have ended.
    pub(crate) fn unretire(&self, connector: &str) -> Option<Arc<Lane>> {
        let mut retired = self.retired();
        let place = retired.iter().position(|lane| **lane.connector() == *connector)?;
        let lane = retired.swap_remove(place);
        // Whoever read the queue for it was stopped at it, perhaps in the middle of a page.
        // And what was accepted meanwhile nobody has told it of.
        lane.list_again();
        Some(lane)
    }

    /// The lane of a connector, also of one that was taken out and still has sessions.
    pub(crate) fn any_lane(&self, connector: &str) -> Option<Arc<Lane>> {
        let retired = || self.retired().iter().find(|lane| **lane.connector() == *connector).cloned();
        self.lane(connector).or_else(retired)
    }

    /// Tells retired lanes what the recorder has made of their sessions' outcomes.
    pub(crate) fn settle_retired(&self, ends: &[(Name, End)]) {
        for lane in self.retired().iter() {
            let theirs = ends.iter().filter(|(connector, _)| connector == lane.connector());
            lane.settled(theirs.map(|(_, end)| end.clone()));
        }
    }

    /// What dropped sessions of retired lanes left behind.
    pub(crate) fn retired_orphans(&self) -> Vec<Fact> {
        self.retired().iter().flat_map(|lane| lane.take_orphans()).collect()
    }

    /// Forgets retired lanes that nobody holds any more, once what they left behind is recorded.
    async fn let_go_retired(&self) -> Result<(), StoreError> {
        let unheld = |lane: &Arc<Lane>| Arc::strong_count(lane) == 1;
        let done: Vec<Name> =
            self.retired().iter().filter(|lane| unheld(lane)).map(|l| l.connector().clone()).collect();
        if done.is_empty() {
            return Ok(());
        }
        self.record(self.retired_orphans()).await?;
        self.retired().retain(|lane| !(unheld(lane) && done.contains(lane.connector())));
        Ok(())
    }

    /// Hands facts to the recorder and waits until they are recorded.
    async fn record(&self, facts: Vec<Fact>) -> Result<(), StoreError> {
        let gone = || StoreError::Unavailable("the gateway has stopped".into());
        if !facts.is_empty() {
            self.inner.facts.send(Facts { facts, acknowledge: None }).await.map_err(|_| gone())?;
        }
        persist::flush(&self.inner.facts).await;
        Ok(())
    }

    fn retired(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Lane>>> {
        // A list is whole whatever panicked beside it.
        self.inner.retired.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
