//! Slots: what only one node of a fleet may have at a time, by name; and what one node has of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use foldhash::{HashMap, HashSet};
use model::{MessageId, Name};

/// Slices of a connector's queue. More nodes than this can't send for one connector.
pub(crate) const SHARDS: u16 = 16;
/// Slices of what is owed to webhooks.
pub(crate) const HOOKS: u16 = 16;

/// The slice of its connector's queue that a message belongs to, for its whole life.
pub(crate) fn shard_of(id: MessageId) -> u16 {
    (id.0.as_u64_pair().1 % u64::from(SHARDS)) as u16
}

/// The slice that an endpoint's deliveries belong to.
pub(crate) fn hook_of(endpoint: &str) -> u16 {
    // FNV-1a, because every node, of every version, must come to the same.
    let hash = endpoint
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3));
    (hash % u64::from(HOOKS)) as u16
}

/// What a slot is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Slot {
    /// The slice `shard` of a connector's queue: who has it writes its messages.
    Queue { shard: u16, connector: Name },
    /// One of the sessions that a connector may have.
    Bind { number: u16, connector: Name },
    /// Calls of the webhooks of a slice.
    Hooks(u16),
    /// What is owed over sessions to one account: who has such sessions.
    Receiver(Name),
    /// What is done once for the whole fleet.
    Duty,
    /// A node's own letter box.
    Node(Name),
}

impl Slot {
    pub fn name(&self) -> Name {
        self.to_string().into()
    }

    /// The slot of that name; `None` is one of a newer version.
    pub fn parse(name: &str) -> Option<Self> {
        if name == "duty" {
            return Some(Self::Duty);
        }
        let (kind, rest) = name.split_once(':')?;
        let numbered = || {
            let (number, connector) = rest.split_once(':')?;
            Some((number.parse().ok()?, Name::from(connector)))
        };
        match kind {
            "queue" => numbered().map(|(shard, connector)| Self::Queue { shard, connector }),
            "bind" => numbered().map(|(number, connector)| Self::Bind { number, connector }),
            "hooks" => Some(Self::Hooks(rest.parse().ok()?)),
            "receiver" => Some(Self::Receiver(rest.into())),
            "node" => Some(Self::Node(rest.into())),
            _ => None,
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Queue { shard, connector } => write!(f, "queue:{shard}:{connector}"),
            Self::Bind { number, connector } => write!(f, "bind:{number}:{connector}"),
            Self::Hooks(slice) => write!(f, "hooks:{slice}"),
            Self::Receiver(endpoint) => write!(f, "receiver:{endpoint}"),
            Self::Duty => f.write_str("duty"),
            Self::Node(node) => write!(f, "node:{node}"),
        }
    }
}

/// What this node has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    slots: BTreeSet<Slot>,
    /// Those that it is about to let go of: nothing new is begun with them.
    leaving: BTreeSet<Slot>,
    /// The slices of each connector's queue, a bit each.
    queues: HashMap<Name, u32>,
    receivers: HashSet<Name>,
    hooks: u32,
    duty: bool,
}

impl Held {
    pub fn new(slots: BTreeSet<Slot>, leaving: BTreeSet<Slot>) -> Self {
        let mut held = Self { leaving, ..Self::default() };
        for slot in &slots {
            match slot {
                Slot::Queue { shard, connector } => {
                    *held.queues.entry(connector.clone()).or_default() |= 1_u32.wrapping_shl((*shard).into());
                }
                Slot::Hooks(slice) => held.hooks |= 1_u32.wrapping_shl((*slice).into()),
                Slot::Receiver(endpoint) => _ = held.receivers.insert(endpoint.clone()),
                Slot::Duty => held.duty = true,
                Slot::Bind { .. } | Slot::Node(_) => {}
            }
        }
        held.slots = slots;
        held
    }

    pub fn slots(&self) -> &BTreeSet<Slot> {
        &self.slots
    }

    pub fn leaving(&self) -> &BTreeSet<Slot> {
        &self.leaving
    }

    /// Does it write the messages of this slice?
    pub fn has_queue(&self, connector: &str, shard: u16) -> bool {
        self.queues.get(connector).is_some_and(|bits| bits & 1_u32.wrapping_shl(shard.into()) != 0)
    }

    /// The slices of a connector's queue that it reads: those that it does not leave.
    pub fn shards(&self, connector: &str) -> Vec<u16> {
        let stays = |shard: &u16| !self.leaving.contains(&Slot::Queue { shard: *shard, connector: connector.into() });
        (0..SHARDS).filter(|shard| self.has_queue(connector, *shard)).filter(stays).collect()
    }

    /// The sessions of a connector that it may have.
    pub fn binds(&self, connector: &str) -> Vec<u16> {
        let binds = self.slots.difference(&self.leaving).filter_map(|slot| match slot {
            Slot::Bind { number, connector: of } if **of == *connector => Some(*number),
            _ => None,
        });
        binds.collect()
    }

    /// Does it call the webhook, or serve the sessions, of this endpoint?
    pub fn has_endpoint(&self, endpoint: &Name, by_receivers: bool) -> bool {
        match by_receivers {
            true => self.receivers.contains(endpoint),
            false => self.hooks & 1_u32.wrapping_shl(hook_of(endpoint).into()) != 0,
        }
    }

    /// Is the endpoint its own, and stays so?
    pub fn keeps_endpoint(&self, endpoint: &Name, by_receivers: bool) -> bool {
        let slot = match by_receivers {
            true => Slot::Receiver(endpoint.clone()),
            false => Slot::Hooks(hook_of(endpoint)),
        };
        self.slots.contains(&slot) && !self.leaving.contains(&slot)
    }

    pub fn has_duty(&self) -> bool {
        self.duty
    }

    /// Slots by how many of each kind, for people.
    pub fn counts(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for slot in &self.slots {
            let kind = match slot {
                Slot::Queue { .. } => "queue",
                Slot::Bind { .. } => "bind",
                Slot::Hooks(_) => "hooks",
                Slot::Receiver(_) => "receiver",
                Slot::Duty => "duty",
                Slot::Node(_) => continue,
            };
            *counts.entry(kind).or_default() += 1;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(shard: u16, connector: &str) -> Slot {
        Slot::Queue { shard, connector: connector.into() }
    }

    #[test]
    fn a_slot_is_known_by_its_name() {
        let bind = Slot::Bind { number: 3, connector: "a:b".into() };
        let slots =
            [queue(15, "a"), queue(0, ""), bind, Slot::Hooks(7), Slot::Receiver("smpp:shop".into()), Slot::Duty];
        for slot in slots.into_iter().chain([Slot::Node("n1".into())]) {
            assert_eq!(Slot::parse(&slot.name()), Some(slot));
        }
        for other in ["", "queue", "queue:", "queue:x:a", "queue:1", "hooks:x", "later:1"] {
            assert_eq!(Slot::parse(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_left_is_still_held_and_not_begun_with() {
        let slots = BTreeSet::from([queue(1, "a"), queue(15, "a"), queue(2, "b"), Slot::Duty]);
        let held = Held::new(slots, BTreeSet::from([queue(15, "a")]));
        assert!(
            held.has_queue("a", 15) && held.has_queue("b", 2) && !held.has_queue("b", 1) && !held.has_queue("c", 1)
        );
        assert_eq!((held.shards("a"), held.shards("b"), held.shards("c")), (vec![1], vec![2], vec![]));
        assert!(held.has_duty());
    }

    #[test]
    fn the_slice_of_an_endpoint_never_changes() {
        // Published values: FNV-1a of 64 bits ends with these digits for "", "a" and "foobar".
        assert_eq!(["", "a", "foobar"].map(hook_of), [0x5, 0xc, 0x8]);
        assert!((0..1000).map(|n| hook_of(&n.to_string())).collect::<BTreeSet<_>>().len() == usize::from(HOOKS));
    }
}
