//! Balance: which slots a node claims and which it lets go of, so that a fleet shares them evenly.
//!
//! Pure, and decided by each node for itself from what all of them can see. What somebody has stays where it
//! is unless that would be uneven, for every move costs a bind or a pause; and only the node that has most
//! lets go of something. Two nodes that want one free slot are no harm: the store decides.

use std::collections::BTreeSet;

use foldhash::HashMap;
use model::Name;

use super::slots::Slot;

/// Slots of which every node is to have the same number, as far as that can be.
#[derive(Debug)]
pub(crate) struct Group {
    pub slots: Vec<Slot>,
    /// The nodes that may have them, by name.
    pub among: Vec<Name>,
    /// Are they work of the same kind as other groups', so that who has least in all comes first?
    pub counts: bool,
}

/// What a node does next.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Moves {
    pub claim: Vec<Slot>,
    pub leave: Vec<Slot>,
}

/// What `me` does next: `holders` are the living nodes that have slots, `leaving` those of its own that it is
/// about to let go of.
pub(crate) fn balance(me: &Name, groups: &[Group], holders: &HashMap<Slot, Name>, leaving: &BTreeSet<Slot>) -> Moves {
    let mut moves = Moves::default();
    let mut totals: HashMap<&Name, usize> = HashMap::default();
    for group in groups.iter().filter(|group| group.counts) {
        group.among.iter().for_each(|node| _ = totals.entry(node).or_default());
        for holder in group.slots.iter().filter_map(|slot| holders.get(slot)) {
            *totals.entry(holder).or_default() += 1;
        }
    }
    let mut settled = leaving.is_empty();
    for group in groups {
        let mut shares = Shares::of(group, holders);
        let mine = || group.slots.iter().filter(|slot| holders.get(slot) == Some(me) && !leaving.contains(slot));
        for slot in group.slots.iter().filter(|slot| !holders.contains_key(slot)) {
            settled = false;
            let Some(next) = shares.least(&totals) else { break };
            shares.add(next);
            if group.counts {
                *totals.entry(next).or_default() += 1;
            }
            if next == me {
                moves.claim.push(slot.clone());
            }
        }
        let too_many = shares.too_many(me, mine().count());
        settled &= too_many == 0;
        moves.leave.extend(mine().rev().take(too_many).cloned());
    }
    if settled {
        moves.leave.extend(over_all(me, groups, holders, &totals));
    }
    moves
}

/// How many slots of a group each node has.
struct Shares<'g> {
    by_node: Vec<(&'g Name, usize)>,
    slots: usize,
}

impl<'g> Shares<'g> {
    fn of(group: &'g Group, holders: &HashMap<Slot, Name>) -> Self {
        let has = |node: &Name| group.slots.iter().filter(|slot| holders.get(slot) == Some(node)).count();
        Self { by_node: group.among.iter().map(|node| (node, has(node))).collect(), slots: group.slots.len() }
    }

    /// Who gets the next free one.
    fn least(&self, totals: &HashMap<&Name, usize>) -> Option<&'g Name> {
        let total = |node: &Name| totals.get(node).copied().unwrap_or(0);
        self.by_node.iter().min_by_key(|(node, has)| (*has, total(node), *node)).map(|(node, _)| *node)
    }

    fn add(&mut self, node: &Name) {
        self.by_node.iter_mut().filter(|(one, _)| *one == node).for_each(|(_, has)| *has += 1);
    }

    fn of_node(&self, node: &Name) -> Option<usize> {
        self.by_node.iter().find(|(one, _)| *one == node).map(|(_, has)| *has)
    }

    /// How many of its `has` slots a node lets go of.
    fn too_many(&self, me: &Name, has: usize) -> usize {
        if self.by_node.is_empty() {
            return 0;
        }
        if self.of_node(me).is_none() {
            return has;
        }
        let (least, most) = (self.slots / self.by_node.len(), self.slots.div_ceil(self.by_node.len()));
        if has > most {
            return has - most;
        }
        // One for somebody who has too few, from the first of those who have most.
        let poor = self.by_node.iter().any(|(_, has)| *has < least);
        let richest = self.by_node.iter().filter(|(node, has)| *has > least && *node != me).all(|(node, _)| *node > me);
        usize::from(poor && has > least && richest)
    }
}

/// One slot for the node that has least in all, if `me` has most, and more than one more.
fn over_all(
    me: &Name,
    groups: &[Group],
    holders: &HashMap<Slot, Name>,
    totals: &HashMap<&Name, usize>,
) -> Option<Slot> {
    let (poorest, least) = totals.iter().min_by_key(|(node, total)| (**total, **node))?;
    let (richest, most) = totals.iter().max_by_key(|(node, total)| (**total, **node))?;
    if *richest != me || most - least < 2 {
        return None;
    }
    groups.iter().filter(|group| group.counts).find_map(|group| {
        let shares = Shares::of(group, holders);
        (shares.of_node(me)? > shares.of_node(poorest)?)
            .then(|| group.slots.iter().rev().find(|slot| holders.get(slot) == Some(me)).cloned())
            .flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nodes that all see the same, and take turns.
    struct World {
        nodes: Vec<Name>,
        /// Slots by group.
        sizes: Vec<u16>,
        holders: HashMap<Slot, Name>,
    }

    impl World {
        fn new(nodes: u16, sizes: &[u16]) -> Self {
            Self { nodes: (0..nodes).map(name).collect(), sizes: sizes.to_vec(), holders: HashMap::default() }
        }

        fn groups(&self) -> Vec<Group> {
            let group = |(group, size): (usize, &u16)| Group {
                slots: (0..*size).map(|number| Slot::Bind { number, connector: group.to_string().into() }).collect(),
                among: self.nodes.clone(),
                counts: true,
            };
            self.sizes.iter().enumerate().map(group).collect()
        }

        /// Goes on until nobody moves any more; how many slots were let go of meanwhile.
        fn settle(&mut self) -> usize {
            let mut left = 0;
            for _ in 0..1000 {
                let mut moved = false;
                for me in self.nodes.clone() {
                    let Moves { claim, leave } = balance(&me, &self.groups(), &self.holders, &BTreeSet::new());
                    moved |= !(claim.is_empty() && leave.is_empty());
                    left += leave.len();
                    for slot in claim {
                        assert!(self.holders.insert(slot, me.clone()).is_none());
                    }
                    for slot in leave {
                        assert_eq!(self.holders.remove(&slot).as_ref(), Some(&me));
                    }
                }
                if !moved {
                    return left;
                }
            }
            panic!("they never settle: {:?}", self.holders);
        }

        fn die(&mut self, node: u16) {
            self.nodes.retain(|one| *one != name(node));
            self.holders.retain(|_, holder| *holder != name(node));
        }

        /// What every node has of a group.
        fn of(&self, group: usize) -> Vec<usize> {
            let slots = &self.groups()[group].slots;
            let has = |node: &Name| slots.iter().filter(|slot| self.holders.get(slot) == Some(node)).count();
            self.nodes.iter().map(has).collect()
        }

        fn totals(&self) -> Vec<usize> {
            self.nodes.iter().map(|node| self.holders.values().filter(|holder| *holder == node).count()).collect()
        }

        fn is_even(&self) {
            let spread = |counts: &[usize]| counts.iter().max().unwrap() - counts.iter().min().unwrap();
            assert_eq!(self.holders.len(), self.sizes.iter().map(|size| usize::from(*size)).sum::<usize>());
            for group in 0..self.sizes.len() {
                assert!(spread(&self.of(group)) <= 1, "group {group}: {:?}", self.of(group));
            }
            assert!(spread(&self.totals()) <= 1, "{:?}", self.totals());
        }
    }

    fn name(node: u16) -> Name {
        format!("n{node}").into()
    }

    #[test]
    fn a_node_that_is_alone_takes_all() {
        let mut world = World::new(1, &[3, 1, 16]);
        assert_eq!(world.settle(), 0);
        assert_eq!(world.totals(), [20]);
    }

    #[test]
    fn who_comes_gets_its_share_and_little_moves() {
        let mut world = World::new(2, &[4, 1, 1, 1, 1, 16]);
        assert_eq!(world.settle(), 0, "nothing was let go of that had just been taken");
        world.is_even();
        world.nodes.push(name(2));
        let moved = world.settle();
        world.is_even();
        assert!(moved <= 24 / 3 + 1, "{moved} moved");
        world.die(0);
        assert_eq!(world.settle(), 0, "who goes leaves its own, and nothing else moves");
        world.is_even();
    }

    #[test]
    fn single_sessions_of_many_connectors_are_shared_too() {
        let mut world = World::new(1, &[1; 11]);
        world.settle();
        world.nodes.push(name(1));
        assert_eq!(world.settle(), 5);
        assert_eq!(world.totals(), [6, 5]);
    }

    #[test]
    fn any_fleet_settles_evenly() {
        let random = fastrand::Rng::with_seed(7);
        let mut random = random;
        for _ in 0..200 {
            let sizes: Vec<u16> = (0..random.u16(1..9)).map(|_| random.u16(1..20)).collect();
            let mut world = World::new(random.u16(1..6), &sizes);
            world.settle();
            world.is_even();
            for step in 10..14 {
                if random.bool() || world.nodes.len() < 2 {
                    world.nodes.push(name(step));
                    world.nodes.sort();
                } else {
                    let gone = world.nodes[random.usize(..world.nodes.len())].clone();
                    world.nodes.retain(|node| *node != gone);
                    world.holders.retain(|_, holder| *holder != gone);
                }
                world.settle();
                world.is_even();
            }
        }
    }

    #[test]
    fn who_may_not_have_slots_lets_go_of_them() {
        let slots = vec![Slot::Hooks(0), Slot::Hooks(1)];
        let groups = [Group { slots: slots.clone(), among: vec![name(1)], counts: false }];
        let holders = slots.iter().map(|slot| (slot.clone(), name(0))).collect();
        let mut moves = balance(&name(0), &groups, &holders, &BTreeSet::new());
        moves.leave.sort();
        assert_eq!(moves, Moves { claim: vec![], leave: slots.clone() });
        let leaving = slots.into_iter().collect();
        assert_eq!(balance(&name(0), &groups, &holders, &leaving), Moves::default(), "it is at it already");
    }
}
