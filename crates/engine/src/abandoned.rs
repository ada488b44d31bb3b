//! Abandoned: messages that wait for a connector that was taken out of the resources.
//!
//! They go to another connector of their plan that there still is, or else to where the routes in force
//! would send them; their addresses stay as they were rewritten when they were accepted. Where nothing
//! would take them they stay, so that the connector can be put back, and expire in their time.
//!
//! A lane whose connector was taken out is *retired*: its sessions may still wait for answers. Nothing
//! goes elsewhere before the last of them has ended and what it left behind is recorded, for a message
//! must not be in two hands at a time.

use std::sync::{Arc, MutexGuard, PoisonError};

use model::{Message, Name};
use routing::{Health, Outcome};
use store::{Shards, StoreError};

use crate::engine::Engine;
use crate::facts::{Fact, Facts};
use crate::fleet::Slot;
use crate::fleet::slots::SHARDS;
use crate::health::Wellbeing;
use crate::persist;
use crate::route::question_again;
use crate::schedule::{Lane, Sweep};
use crate::world::World;

/// Lanes whose connector was taken out, while sessions of theirs may still stand.
#[derive(Debug, Default)]
pub(crate) struct Retired(Vec<Arc<Lane>>);

impl Retired {
    /// Keeps a lane whose connector was taken out until its sessions have ended.
    pub fn put(&mut self, lane: Arc<Lane>) {
        self.0.push(lane);
    }

    /// The lane of a connector that comes back before the sessions that it had have ended.
    pub fn take(&mut self, connector: &str) -> Option<Arc<Lane>> {
        let place = self.0.iter().position(|lane| **lane.connector() == *connector)?;
        let lane = self.0.swap_remove(place);
        // Whoever read the queue for it was stopped at it, perhaps in the middle of a page.
        // And what was accepted meanwhile nobody has told it of.
        lane.list_again();
        Some(lane)
    }

    fn of(&self, connector: &str) -> Option<&Arc<Lane>> {
        self.0.iter().find(|lane| **lane.connector() == *connector)
    }
}

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
        let Some(shards) = self.shards_of_gone(connector) else { return Ok(0) };
        let mut sweep = Sweep::new(connector.clone(), shards);
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

    /// The slices of the queue of a connector that is gone which are this node's; those that nobody has are
    /// claimed by who does what is done once.
    fn shards_of_gone(&self, connector: &Name) -> Option<Shards> {
        let Some(member) = &self.inner.fleet else { return Some(0.into()) };
        if member.has_duty() {
            (0..SHARDS).for_each(|shard| _ = member.written_to(&Slot::Queue { shard, connector: connector.clone() }));
        }
        let shards = member.held().shards(connector);
        (!shards.is_empty()).then(|| shards.into_iter().collect())
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

    /// The lane of a connector, also of one that was taken out and still has sessions.
    pub(crate) fn any_lane(&self, connector: &str) -> Option<Arc<Lane>> {
        let retired = || self.retired().of(connector).cloned();
        // It may have come back just between the two.
        self.lane(connector).or_else(retired).or_else(|| self.lane(connector))
    }

    /// The lanes that messages go by and those that are retired, as they are at one moment: each lane is
    /// among one of them, whatever is being installed.
    pub(crate) fn all_lanes(&self) -> (Arc<Vec<Arc<Lane>>>, Vec<Arc<Lane>>) {
        let retired = self.retired();
        (self.inner.lanes.load_full(), retired.0.clone())
    }

    /// What dropped sessions of retired lanes left behind.
    pub(crate) fn retired_orphans(&self) -> Vec<Fact> {
        self.retired().0.iter().flat_map(|lane| lane.take_orphans()).collect()
    }

    /// Forgets retired lanes that nobody holds any more, once what they left behind is recorded.
    async fn let_go_retired(&self) -> Result<(), StoreError> {
        let unheld = |lane: &Arc<Lane>| Arc::strong_count(lane) == 1;
        let done: Vec<Name> =
            self.retired().0.iter().filter(|lane| unheld(lane)).map(|l| l.connector().clone()).collect();
        if done.is_empty() {
            return Ok(());
        }
        self.record(self.retired_orphans()).await?;
        self.retired().0.retain(|lane| !(unheld(lane) && done.contains(lane.connector())));
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

    /// Who changes which lanes there are holds this all the while.
    pub(crate) fn retired(&self) -> MutexGuard<'_, Retired> {
        // A list is whole whatever panicked beside it.
        self.inner.retired.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
