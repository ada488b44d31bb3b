//! Replay: stored messages of a period through a draft of routes, to see what it would change before it
//! is in force. Nothing is written. Connectors count as well and idle, and what a pool draws by lot is
//! drawn from the message's id, so that the same draft gives the same report again.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use model::resources::{Amount, Money, ResourceSet, SetFault};
use model::{Body, Direction, Message, MessageId, Name, Plan, Timestamp};
use routing::{AllWell, ConnectorState, Health, Outcome, RoutePlan};
use store::{MessageFilter, Store, StoreError};

use crate::charge;
use crate::resources::check;
use crate::route::question_again;
use crate::text;
use crate::world::World;

/// Messages read at a time.
const PAGE: usize = 500;
/// Most messages of one replay.
pub const REPLAY_MAX: usize = 1_000_000;

/// Which messages are replayed.
#[derive(Clone, Copy, Debug)]
pub struct ReplayPeriod {
    /// Accepted at or after this.
    pub since: Timestamp,
    /// Accepted before this.
    pub until: Timestamp,
    /// The newest so many at the most.
    pub limit: usize,
    /// How many differences are told one by one.
    pub differences: usize,
}

/// What a draft would change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replayed {
    /// Messages that were looked at.
    pub messages: u64,
    /// Those for which something would be different.
    pub changed: u64,
    /// Messages that had named their connector themselves, or came before routes were recorded: they
    /// are not compared.
    pub passed_over: u64,
    /// Every message of the period was looked at.
    pub complete: bool,
    /// Messages by connector, before and with the draft.
    pub connectors: BTreeMap<Name, (u64, u64)>,
    /// Messages by route.
    pub routes: BTreeMap<Name, (u64, u64)>,
    /// Messages by what becomes of them: `send`, `drop`, `reject`, `unfit`, `no_route`.
    pub outcomes: BTreeMap<&'static str, (u64, u64)>,
    /// What accounts pay, by currency; in millionths of its unit.
    pub prices: BTreeMap<String, (i128, i128)>,
    /// The first differences, newest message first.
    pub differences: Vec<Changed>,
}

/// A message for which something would be different.
#[derive(Clone, Debug, PartialEq)]
pub struct Changed {
    /// The message.
    pub message: MessageId,
    /// Its recipient, as it was asked for.
    pub to: Box<str>,
    /// Its sender, as it was asked for.
    pub from: Box<str>,
    /// What became of it.
    pub before: Became,
    /// What would become of it.
    pub after: Became,
}

/// What becomes of a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Became {
    /// `send`, `drop`, `reject`, `unfit` or `no_route`.
    pub outcome: &'static str,
    /// The route that decides.
    pub route: Option<Name>,
    /// The connectors in order.
    pub connectors: Vec<Name>,
    /// What the account pays.
    pub price: Option<Money>,
    /// The recipient that the carrier is told.
    pub sent_to: Box<str>,
    /// The sender that the carrier is told.
    pub sent_from: Box<str>,
}

/// A draft that can't be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// It does not hold together.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Faults(Vec<SetFault>),
    /// The store can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Runs the messages of a period through the routes of `draft`.
pub async fn replay(store: &dyn Store, draft: &ResourceSet, period: ReplayPeriod) -> Result<Replayed, ReplayError> {
    let faults = check(draft);
    if !faults.is_empty() {
        return Err(ReplayError::Faults(faults));
    }
    let world = World::compile(0, draft.clone());
    let filter = MessageFilter {
        created_after: Some(period.since),
        created_before: Some(period.until),
        direction: Some(Direction::Mt),
        ..MessageFilter::default()
    };
    let health = Turns::default();
    let mut report = Replayed::default();
    let mut before = None;
    let mut left = period.limit.min(REPLAY_MAX);
    while left > 0 {
        let (page, next) = store.search(&filter, before, PAGE.min(left)).await?;
        left -= page.len();
        let originals = page.iter().filter(|m| m.body.plan.as_ref().is_none_or(|plan| plan.copy_of.is_none()));
        originals.for_each(|message| report.add(message, &world, &health, period.differences));
        if next.is_none() {
            report.complete = true;
            break;
        }
        before = next;
    }
    Ok(report)
}

impl Replayed {
    fn add(&mut self, message: &Message, world: &World, health: &Turns, differences: usize) {
        let Some(route) = message.progress.route() else {
            self.passed_over += 1;
            return;
        };
        let (before, after) = (Became::then(message, route), Became::now(&message.body, world, health));
        self.messages += 1;
        for (became, is_after) in [(&before, false), (&after, true)] {
            let count = |counts: &mut (u64, u64)| *if is_after { &mut counts.1 } else { &mut counts.0 } += 1;
            became.connectors.first().into_iter().for_each(|c| count(self.connectors.entry(c.clone()).or_default()));
            became.route.iter().for_each(|r| count(self.routes.entry(r.clone()).or_default()));
            count(self.outcomes.entry(became.outcome).or_default());
            if let Some(Money { amount, currency }) = became.price {
                let sums = self.prices.entry(currency.as_str().to_owned()).or_default();
                *if is_after { &mut sums.1 } else { &mut sums.0 } += i128::from(amount.micros());
            }
        }
        if before.is_as(&after) {
            return;
        }
        self.changed += 1;
        if self.differences.len() < differences {
            let Body { id, to, from, .. } = &*message.body;
            let (to, from) = (to.as_str().into(), from.as_str().into());
            self.differences.push(Changed { message: *id, to, from, before, after });
        }
    }
}

impl Became {
    /// What became of a stored message.
    fn then(message: &Message, route: &str) -> Self {
        let Message { body, progress } = message;
        // The one that has it first, then those that it would have gone on to.
        let mut connectors: Vec<Name> = progress.connector.iter().cloned().collect();
        let others = body.plan.iter().flat_map(|plan| &plan.connectors);
        connectors.extend(others.filter(|c| Some(*c) != progress.connector.as_ref()).cloned());
        Self {
            outcome: if connectors.is_empty() { "drop" } else { "send" },
            route: Some(route.into()),
            connectors,
            price: body.price(),
            sent_to: body.sent_to().as_str().into(),
            sent_from: body.sent_from().as_str().into(),
        }
    }

    /// What would become of it now.
    fn now(body: &Body, world: &World, health: &Turns) -> Self {
        let question = question_again(body, parts_of(body, None).into());
        // The end of a UUIDv7 is random (RFC 9562 §5.7).
        let random = body.id.0.as_u64_pair().1.rotate_left(32);
        match world.routes.plan(&question, health, random) {
            Outcome::Send(plan) => Self::sent(body, plan, world),
            Outcome::Drop { route, .. } => Self::not_sent(body, "drop", Some(route)),
            Outcome::Reject { route, .. } => Self::not_sent(body, "reject", Some(route)),
            Outcome::Unfit { route, .. } => Self::not_sent(body, "unfit", Some(route)),
            Outcome::NoRoute => Self::not_sent(body, "no_route", None),
        }
    }

    fn sent(body: &Body, plan: RoutePlan, world: &World) -> Self {
        let parts = parts_of(body, plan.text_append.as_deref());
        let money = |Money { amount, currency }| Money { amount: Amount::times(amount, parts), currency };
        let own_price = || charge::own_price(world.account(&body.account)?, body.routed_to());
        Self {
            outcome: "send",
            route: plan.route,
            connectors: plan.connectors,
            price: plan.price.or_else(own_price).map(money),
            sent_to: plan.to.as_ref().unwrap_or(body.routed_to()).as_str().into(),
            sent_from: plan.from.as_ref().unwrap_or(body.routed_from()).as_str().into(),
        }
    }

    fn not_sent(body: &Body, outcome: &'static str, route: Option<Name>) -> Self {
        let (sent_to, sent_from) = (body.to.as_str().into(), body.from.as_str().into());
        Self { outcome, route, connectors: Vec::new(), price: None, sent_to, sent_from }
    }

    /// Is it the same for the application and its carriers? The order within a pool may be the lot's.
    fn is_as(&self, other: &Self) -> bool {
        let sorted = |connectors: &[Name]| {
            let mut sorted = connectors.to_vec();
            sorted.sort_unstable();
            sorted
        };
        self.outcome == other.outcome
            && self.route == other.route
            && self.price == other.price
            && (&self.sent_to, &self.sent_from) == (&other.sent_to, &other.sent_from)
            && sorted(&self.connectors) == sorted(&other.connectors)
    }
}

/// Into how many parts a message is cut with this behind its text.
fn parts_of(body: &Body, append: Option<&str>) -> u16 {
    let with = Plan { text_append: append.map(Into::into), ..Plan::default() }.boxed();
    let body = Body { plan: with, ..body.clone() };
    text::plan(&body).map_or(1, |plan| u16::try_from(plan.part_count()).unwrap_or(u16::MAX))
}

/// All is well, and pools take their turns.
#[derive(Debug, Default)]
struct Turns(Mutex<HashMap<String, u64>>);

impl Health for Turns {
    fn state(&self, connector: &str) -> ConnectorState {
        AllWell.state(connector)
    }

    fn turn(&self, pool: &str) -> u64 {
        let mut turns = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let turn = turns.entry(pool.to_owned()).or_default();
        *turn += 1;
        *turn - 1
    }
}
