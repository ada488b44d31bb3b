//! Pools: in which order the connectors of one are to be tried.
//!
//! Members of the lowest priority come first; among those of one priority the strategy decides.
//! Members that are well come before all that are not, which stand last for want of anything
//! better. Nothing here rolls dice or keeps count: how the connectors are, whose turn it is and a
//! random number come from the caller.

use std::cmp::Reverse;

use model::resources::{Money, PoolStrategy, Sticky};
use model::{Address, Name};

use crate::chance::{below, hash, minus_log2, mix};
use crate::price::PriceTable;

/// A full share, in thousandths.
pub const FULL_SHARE: u16 = 1000;

/// How the connectors are, as the caller sees them.
pub trait Health {
    /// How this connector is.
    fn state(&self, connector: &str) -> ConnectorState;

    /// What a part to `to` costs over this connector now; `None` leaves it to the configured costs.
    fn cost(&self, connector: &str, to: &Address) -> Option<Money> {
        let _ = (connector, to);
        None
    }

    /// Whose turn it is in a round-robin pool: one more at every call for this pool.
    fn turn(&self, pool: &str) -> u64 {
        let _ = pool;
        0
    }
}

/// How a connector is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectorState {
    /// It takes messages.
    pub usable: bool,
    /// What it gets of its share, in thousandths: less than [`FULL_SHARE`] while one that had
    /// failed is let back gently.
    pub share: u16,
    /// Parts that wait for it or are under way.
    pub busy: u64,
}

impl Default for ConnectorState {
    fn default() -> Self {
        Self { usable: true, share: FULL_SHARE, busy: 0 }
    }
}

/// Everything is well and idle: for dry runs, and where nobody knows better.
#[derive(Clone, Copy, Debug, Default)]
pub struct AllWell;

impl Health for AllWell {
    fn state(&self, _connector: &str) -> ConnectorState {
        ConnectorState::default()
    }
}

/// A [`model::resources::Pool`], ready to be asked.
#[derive(Debug)]
pub(crate) struct Pool {
    pub id: Name,
    pub strategy: PoolStrategy,
    pub sticky: Option<Sticky>,
    /// By priority, then as they were written.
    pub members: Vec<Member>,
}

#[derive(Debug)]
pub(crate) struct Member {
    pub connector: Name,
    pub weight: u32,
    pub priority: u32,
    pub cost: Option<PriceTable>,
}

/// What a choice depends on, besides the pool.
#[derive(Clone, Copy)]
pub(crate) struct Choice<'a> {
    pub to: &'a Address,
    pub from: &'a Address,
    pub health: &'a dyn Health,
    pub random: u64,
    /// All that come with this random number go the same way, however busy its members are.
    pub together: bool,
}

/// A member that is looked at, with how it is.
struct Candidate<'p> {
    member: &'p Member,
    place: u64,
    state: ConnectorState,
    /// 0: gets its share now. 1: well, and it is not its turn to be let back. 2: not usable.
    class: u8,
}

impl Pool {
    /// All members in the order in which they are to be tried, and how many of them are usable.
    pub fn order(&self, choice: Choice<'_>) -> (Vec<Name>, usize) {
        let key = self.sticky.map(|sticky| match sticky {
            Sticky::To => hash(choice.to.as_str()),
            Sticky::From => hash(choice.from.as_str()),
        });
        let key = key.or(choice.together.then_some(choice.random));
        let mut candidates: Vec<Candidate<'_>> =
            self.members.iter().zip(0..).map(|(member, place)| self.candidate(member, place, key, choice)).collect();
        candidates.sort_by_key(|c| (c.class, c.member.priority));
        for group in candidates.chunk_by_mut(|a, b| (a.class, a.member.priority) == (b.class, b.member.priority)) {
            match key {
                Some(key) => by_rendezvous(group, key),
                None => self.arrange(group, choice),
            }
        }
        let usable = candidates.iter().filter(|c| c.state.usable).count();
        (candidates.into_iter().map(|c| c.member.connector.clone()).collect(), usable)
    }

    fn candidate<'p>(&self, member: &'p Member, place: u64, key: Option<u64>, choice: Choice<'_>) -> Candidate<'p> {
        let state = choice.health.state(&member.connector);
        let chance = key.unwrap_or(choice.random);
        // A weighted draw already gives a member its share; elsewhere it is let in or passed over.
        let by_weight = self.strategy == PoolStrategy::Weighted && key.is_none();
        let let_in = || below(u64::from(FULL_SHARE), mix(chance ^ hash(&member.connector))) < u64::from(state.share);
        let class = match state.usable {
            false => 2,
            true if member.weight > 0 && (by_weight || let_in()) => 0,
            true => 1,
        };
        Candidate { member, place, state, class }
    }

    fn arrange(&self, group: &mut [Candidate<'_>], choice: Choice<'_>) {
        match self.strategy {
            PoolStrategy::Failover => {}
            PoolStrategy::Weighted => by_lot(group, choice.random),
            PoolStrategy::RoundRobin => {
                let turn = choice.health.turn(&self.id) % group.len().max(1) as u64;
                group.rotate_left(turn as usize);
            }
            PoolStrategy::LeastBusy => {
                by_lot(group, choice.random);
                // a.busy / a.weight < b.busy / b.weight, without losing what a division would.
                group.sort_by(|a, b| {
                    let load = |of: &Candidate<'_>, other: &Candidate<'_>| {
                        u128::from(of.state.busy) * u128::from(other.member.weight.max(1))
                    };
                    load(a, b).cmp(&load(b, a))
                });
            }
            PoolStrategy::LeastCost => {
                by_lot(group, choice.random);
                group.sort_by_cached_key(|c| match c.cost(choice) {
                    Some(money) => (false, money.amount),
                    None => (true, Default::default()),
                });
            }
        }
    }
}

impl Candidate<'_> {
    fn cost(&self, choice: Choice<'_>) -> Option<Money> {
        let now = choice.health.cost(&self.member.connector, choice.to);
        now.or_else(|| self.member.cost.as_ref()?.of(choice.to))
    }

    /// Its weight in a draw.
    fn weight(&self) -> u64 {
        u64::from(self.member.weight) * u64::from(self.state.share.min(FULL_SHARE))
    }
}

/// Draws one after the other, each with a chance as large as its weight.
fn by_lot(group: &mut [Candidate<'_>], mut random: u64) {
    for at in 0..group.len().saturating_sub(1) {
        let Some(rest) = group.get_mut(at..) else { return };
        let total: u64 = rest.iter().map(Candidate::weight).sum();
        if total == 0 {
            return;
        }
        let mut drawn = below(total, random);
        let winner = rest.iter().position(|c| match drawn.checked_sub(c.weight()) {
            Some(left) => {
                drawn = left;
                false
            }
            None => true,
        });
        // The others keep their order, so that the same numbers give the same order again.
        if let Some(rest) = winner.and_then(|winner| rest.get_mut(..=winner)) {
            rest.rotate_right(1);
        }
        random = mix(random);
    }
}

/// By weighted rendezvous hashing: when a member comes or goes, only its own share of keys moves.
fn by_rendezvous(group: &mut [Candidate<'_>], key: u64) {
    group.sort_by_cached_key(|c| {
        let score = minus_log2(mix(key ^ hash(&c.member.connector)));
        // Full scale before the division, so that large weights still tell scores apart.
        let score = (u128::from(score) << 32) / u128::from(c.member.weight.max(1));
        (score, Reverse(c.place))
    });
}

#[cfg(test)]
mod tests;
