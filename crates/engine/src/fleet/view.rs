//! What a node sees of its fleet, and what it tells the others of itself.

use std::collections::BTreeMap;

use foldhash::HashMap;
use model::{Name, Timestamp};
use routing::ConnectorState;
use serde::{Deserialize, Serialize};
use store::Node;

use super::slots::{Held, Slot};

/// What a node tells of itself. Nodes of other versions leave out what they don't know.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct About {
    pub version: String,
    /// When it joined, in milliseconds of Unix time.
    pub since: i64,
    /// The version of the resources that are in force there.
    pub resources: u64,
    /// Connectors that it has sessions of.
    pub connectors: BTreeMap<String, Condition>,
    /// It takes nothing new.
    pub draining: bool,
}

/// How a connector is at one node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Condition {
    /// What it gets of its share in pools, in thousandths; 0 while it is down or sick.
    pub share: u16,
    /// Sessions that are bound.
    pub bound: u16,
    /// Messages that wait for it there.
    pub busy: u64,
}

/// The fleet as it was a moment ago.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    nodes: BTreeMap<Name, About>,
    holders: HashMap<Slot, Name>,
    /// How connectors are elsewhere.
    elsewhere: HashMap<Name, ConnectorState>,
}

impl View {
    pub fn new(me: &Name, nodes: Vec<Node>, slots: Vec<store::Slot>) -> Self {
        let about = |node: &Node| serde_json::from_str(&node.about).unwrap_or_default();
        let nodes: BTreeMap<Name, About> = nodes.iter().map(|node| (node.name.clone(), about(node))).collect();
        let mut elsewhere: HashMap<Name, ConnectorState> = HashMap::default();
        for about in nodes.iter().filter(|(name, _)| *name != me).map(|(_, about)| about) {
            for (connector, Condition { share, busy, .. }) in &about.connectors {
                let state = elsewhere.entry(connector.as_str().into()).or_default();
                state.share = state.share.max(*share);
                state.usable = state.share > 0;
                state.busy = state.busy.saturating_add(*busy);
            }
        }
        let holder = |slot: store::Slot| Some((Slot::parse(&slot.name)?, slot.node));
        Self { nodes, holders: slots.into_iter().filter_map(holder).collect(), elsewhere }
    }

    /// Every node, by name.
    pub fn nodes(&self) -> impl Iterator<Item = &Name> {
        self.nodes.keys()
    }

    /// Nodes that may take something new.
    pub fn working(&self) -> impl Iterator<Item = &Name> {
        self.nodes.iter().filter(|(_, about)| !about.draining).map(|(name, _)| name)
    }

    pub fn holders(&self) -> &HashMap<Slot, Name> {
        &self.holders
    }

    pub fn holder(&self, slot: &Slot) -> Option<Name> {
        self.holders.get(slot).cloned()
    }

    /// Has a node a session of this connector that is bound?
    pub fn is_bound(&self, node: &Name, connector: &str) -> bool {
        let condition = self.nodes.get(node).and_then(|about| about.connectors.get(connector));
        condition.is_some_and(|condition| condition.bound > 0)
    }

    /// How a connector is at other nodes.
    pub fn elsewhere(&self, connector: &str) -> ConnectorState {
        self.elsewhere.get(connector).copied().unwrap_or(ConnectorState { usable: false, ..ConnectorState::default() })
    }

    /// Changes what this node has of it.
    pub fn hold(&mut self, me: &Name, slot: &Slot, holds: bool) {
        match holds {
            true => drop(self.holders.insert(slot.clone(), me.clone())),
            false => drop(self.holders.remove(slot)),
        }
    }

    /// For people.
    pub fn shown(&self, me: &Name) -> FleetView {
        let nodes = self.nodes.iter().map(|(name, about)| {
            let held = self.holders.iter().filter(|(_, node)| *node == name).map(|(slot, _)| slot.clone());
            let held = Held::new(held.collect(), Default::default());
            NodeView {
                name: name.clone(),
                version: about.version.as_str().into(),
                since: Timestamp::from_millis(about.since),
                resources: about.resources,
                draining: about.draining,
                sessions: about.connectors.values().map(|condition| u64::from(condition.bound)).sum(),
                slots: held.counts(),
            }
        });
        FleetView { node: me.clone(), nodes: nodes.collect() }
    }
}

/// A fleet as it is now, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetView {
    /// The node that tells it.
    pub node: Name,
    /// Every node that is a member, by name.
    pub nodes: Vec<NodeView>,
}

/// One node of a fleet, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeView {
    /// Its name.
    pub name: Name,
    /// The version of the program.
    pub version: Box<str>,
    /// When it joined.
    pub since: Timestamp,
    /// The version of the resources that are in force there.
    pub resources: u64,
    /// It is stopping.
    pub draining: bool,
    /// Sessions to carriers that are bound there.
    pub sessions: u64,
    /// How many slots of each kind it has.
    pub slots: BTreeMap<&'static str, usize>,
}
