//! Failover: messages that wait for a connector that is down or sick go to the next in their plan.
//!
//! Only a message of which no part may have reached a carrier goes ([`Progress::may_move`]), and only
//! while no session holds a part of it ([`Lane::revoke`]). Its place in the queue and its progress change
//! in one commit, so that after a crash at any moment it waits in exactly one queue. What is looked
//! through is the store's queue, a page at a time, for most of what waits is not in memory.
//!
//! [`Progress::may_move`]: model::Progress::may_move
//! [`Lane::revoke`]: crate::schedule::Lane::revoke

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::resources::{FAILOVER_SECONDS, LongForm};
use model::{Change, Message, MessageId, Name, Plan, Reason};
use routing::Health;
use store::{QueuedMessage, StoreError};

use crate::engine::Engine;
use crate::facts::{Fact, Facts};
use crate::health::Wellbeing;
use crate::persist::{self, Draft, Recorder};
use crate::schedule::{End, Lane, Sweep};
use crate::text;
use crate::world::World;

/// How often connectors are looked at.
const EVERY: Duration = Duration::from_secs(1);
/// Pages of one connector in one turn.
const PAGES: usize = 8;
/// How long a queue is left alone that was looked through to its end.
const REST: Duration = Duration::from_secs(15);

/// Looks after the connectors for as long as it is polled.
pub(crate) async fn run(engine: Engine) {
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut looked = HashMap::new();
    loop {
        tick.tick().await;
        if let Err(error) = engine.fail_over(&mut looked).await {
            tracing::warn!(%error, "queues can't be read, so what waits for connectors that are down stays there");
        }
    }
}

/// How far the queues of connectors that are down were looked through.
pub(crate) type Looked = HashMap<Name, Cursor>;

/// How far one queue was looked through.
#[derive(Debug)]
pub(crate) struct Cursor {
    sweep: Sweep,
    moved: usize,
    /// It was looked through; again then, or when others have come back.
    rests_until: Option<Instant>,
    /// Who could take over when it was last looked at.
    others: Vec<Name>,
    /// How long the connector must be down for the first of those that did not go yet.
    soonest: Option<Duration>,
}

impl Cursor {
    fn new(lane: &Lane, others: Vec<Name>) -> Self {
        let sweep = Sweep::new(lane.connector().clone(), lane.shards());
        Self { sweep, moved: 0, rests_until: None, others, soonest: None }
    }
}

impl Engine {
    /// Looks after the connectors now, as happens every second: moves what waits for those that have
    /// been down or sick for long enough. Returns how many messages were to move; they have by now.
    pub async fn fail_over_now(&self) -> Result<usize, StoreError> {
        self.fail_over(&mut Looked::new()).await
    }

    /// Moves what waits for connectors that have been down or sick for long enough. Returns how many
    /// messages were found that are to move; they have when this returns, or never will by it.
    pub(crate) async fn fail_over(&self, looked: &mut Looked) -> Result<usize, StoreError> {
        let now = Instant::now();
        let world = self.world();
        let lanes = self.inner.lanes.load_full();
        lanes.iter().for_each(|lane| self.inner.metrics.share(lane.connector(), lane.condition().share));
        let bad: Vec<(&Arc<Lane>, Instant)> =
            lanes.iter().filter_map(|lane| Some((lane, lane.bad_since(now)?))).collect();
        looked.retain(|connector, _| bad.iter().any(|(lane, _)| lane.connector() == connector));
        let mut moved = 0;
        for (lane, since) in bad {
            let others = others(lane.connector(), &world, &Wellbeing { lanes: &lanes, world: &world, dry: true });
            let bad_for = now.saturating_duration_since(since);
            if others.is_empty() || bad_for < soonest(lane.connector(), &world) {
                continue;
            }
            let cursor = looked.entry(lane.connector().clone()).or_insert_with(|| Cursor::new(lane, others.clone()));
            if cursor.others != others || cursor.rests_until.is_some_and(|until| until <= now) {
                *cursor = Cursor::new(lane, others);
            }
            if cursor.rests_until.is_none() {
                moved += self.fail_over_from(lane, bad_for, cursor, &world).await?;
            }
        }
        Ok(moved)
    }

    async fn fail_over_from(
        &self,
        lane: &Lane,
        bad_for: Duration,
        cursor: &mut Cursor,
        world: &World,
    ) -> Result<usize, StoreError> {
        let mut moved = 0;
        for _ in 0..PAGES {
            let connector = lane.connector();
            let Some(page) = cursor.sweep.next(&*self.inner.store).await? else {
                let soonest = cursor.soonest.take().map_or(REST, |after| after.saturating_sub(bad_for));
                // What has moved may have been in a session's hands in part.
                let rest = soonest.min(if cursor.moved == 0 { REST } else { EVERY });
                cursor.rests_until = Some(Instant::now() + rest);
                break;
            };
            let lanes = self.inner.lanes.load_full();
            let health = Wellbeing { lanes: &lanes, world, dry: true };
            let mut facts = Vec::new();
            for QueuedMessage { message, .. } in &page {
                let Some(plan) = may_go(message) else { continue };
                let after = failover_after(message, plan, world);
                if bad_for < after {
                    cursor.soonest = Some(cursor.soonest.map_or(after, |soonest| soonest.min(after)));
                } else if let Some(to) = target(message, plan, connector, &health) {
                    facts.push(Fact::Move { message: message.body.id, from: connector.clone(), to });
                }
            }
            moved += facts.len();
            cursor.moved += facts.len();
            if !facts.is_empty() {
                let gone = || StoreError::Unavailable("the gateway has stopped".into());
                self.inner.facts.send(Facts { facts, acknowledge: None }).await.map_err(|_| gone())?;
                persist::flush(&self.inner.facts).await;
            }
        }
        Ok(moved)
    }
}

/// Who could take over from a connector: members of its pools that take something now.
fn others(connector: &str, world: &World, health: &Wellbeing<'_>) -> Vec<Name> {
    let pools = world.set.pools.iter().filter(|pool| pool.members.iter().any(|m| m.connector == connector));
    let members = pools.flat_map(|pool| &pool.members).filter(|member| member.connector != connector);
    let mut others: Vec<Name> =
        members.filter(|m| health.state(&m.connector).usable).map(|m| m.connector.as_str().into()).collect();
    others.sort_unstable();
    others.dedup();
    others
}

/// How long a connector must have been down before anything of it can move.
fn soonest(connector: &str, world: &World) -> Duration {
    let pools = || world.set.pools.iter().filter(|pool| pool.members.iter().any(|m| m.connector == connector));
    let of_pools = pools().map(|pool| pool.failover_after.unwrap_or(FAILOVER_SECONDS));
    let to_pool = |to: &String| pools().any(|pool| pool.id == *to);
    let routes = world.set.routes.iter().filter(|route| route.to.as_ref().is_some_and(to_pool));
    let seconds = of_pools.chain(routes.filter_map(|route| route.failover_after)).min();
    Duration::from_secs(seconds.unwrap_or(FAILOVER_SECONDS).into())
}

/// The plan of a message that may go to another connector.
fn may_go(message: &Message) -> Option<&Plan> {
    let plan = message.body.plan.as_deref().filter(|plan| !plan.connectors.is_empty())?;
    message.progress.may_move().then_some(plan)
}

/// Where a message goes instead of waiting for `connector`, if anybody would take it.
fn target(message: &Message, plan: &Plan, connector: &str, health: &Wellbeing<'_>) -> Option<Name> {
    let usable = |name: &&Name| health.state(name).usable;
    match message.progress.was_passed_on() {
        true => plan.later(connector).find(usable).cloned(),
        false => plan.others(connector).find(usable).cloned(),
    }
}

/// How long a message's connector must have been down before it goes on: as its route says, or its pool.
fn failover_after(message: &Message, plan: &Plan, world: &World) -> Duration {
    let route = message.progress.route();
    let of_route = world.set.routes.iter().find(|r| Some(r.id.as_str()) == route).and_then(|r| r.failover_after);
    let pool = || world.set.pools.iter().find(|p| Some(p.id.as_str()) == plan.pool.as_deref());
    let seconds = of_route.or_else(|| pool()?.failover_after).unwrap_or(FAILOVER_SECONDS);
    Duration::from_secs(seconds.into())
}

impl Recorder {
    /// Moves a message to another connector's queue, if it still may.
    pub(crate) fn move_on(&mut self, id: MessageId, from: &Name, to: Name, world: &World, draft: &mut Draft) {
        let Some(message) = draft.message(id) else { return };
        let waits_there = message.progress.connector.as_ref() == Some(from) && message.progress.may_move();
        let Some(parts) = parts_over(message, &to, world).filter(|_| waits_there) else { return };
        // A session may have taken a part since it was looked at.
        if self.engine.any_lane(from).is_some_and(|lane| !lane.revoke(id)) {
            return;
        }
        draft.ends.push((from.clone(), End::Message(id)));
        let why = if world.connector(from).is_some() { "it takes nothing" } else { "it is gone" };
        let change = Change::Moved { to, parts, why: why.into() };
        if draft.apply(&self.engine, world, id, change, None) {
            self.engine.inner.metrics.failed_over(from);
        }
    }

    /// Hands a message that its carrier refused for good to the next connector, where its pool wants
    /// that and nothing else of it is at the carrier. Otherwise the reason comes back.
    pub(crate) fn pass_on(
        &mut self,
        connector: &Name,
        id: MessageId,
        part: u8,
        reason: Reason,
        world: &World,
        draft: &mut Draft,
    ) -> Option<Reason> {
        let Some((to, parts)) = self.next_after(connector, id, part, world, draft) else { return Some(reason) };
        if self.engine.any_lane(connector).is_none_or(|lane| !lane.revoke_answered(id)) {
            return Some(reason);
        }
        draft.ends.push((connector.clone(), End::Message(id)));
        if draft.apply(&self.engine, world, id, Change::PassedOn { part, to, parts, reason }, None) {
            self.engine.inner.metrics.failed_over(connector);
        }
        None
    }

    /// The next connector of a message that was refused, and into how many parts that one cuts it.
    fn next_after(
        &self,
        connector: &Name,
        id: MessageId,
        part: u8,
        world: &World,
        draft: &Draft,
    ) -> Option<(Name, u8)> {
        let message = draft.message(id)?;
        let plan = message.body.plan.as_deref()?;
        let pool = world.set.pools.iter().find(|pool| Some(pool.id.as_str()) == plan.pool.as_deref())?;
        let here = message.progress.connector.as_ref() == Some(connector);
        if !pool.pass_on_refused || !here || !message.progress.may_pass_on(part) {
            return None;
        }
        let lanes = self.engine.inner.lanes.load();
        let health = Wellbeing { lanes: &lanes, world, dry: true };
        let later: Vec<&Name> = plan.later(connector).filter(|name| world.connector(name).is_some()).collect();
        let to = *later.iter().find(|name| health.state(name).usable).or(later.first())?;
        Some((to.clone(), parts_over(message, to, world)?))
    }
}

/// Into how many parts a connector cuts a message of which nothing was sent; `None` if there is no such
/// connector.
fn parts_over(message: &Message, connector: &str, world: &World) -> Option<u8> {
    match world.connector(connector)?.long_form() {
        LongForm::Payload => Some(1),
        LongForm::Udh | LongForm::Udh16 | LongForm::Sar => {
            u8::try_from(text::plan(&message.body).ok()?.part_count()).ok()
        }
    }
}
