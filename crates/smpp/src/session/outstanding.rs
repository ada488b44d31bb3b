//! Our requests that the peer has not answered yet.
//!
//! Slots lie in a slab. An open-addressed index finds the slot of a sequence number: numbers are
//! handed out in order, so their low bits are all the hash it takes. A linked list keeps the slots in
//! the order of sending, which is that of their deadlines, since all have the same time to live.

use std::time::Duration;

const NONE: u32 = u32::MAX;

/// The unanswered requests of one session, at most as many as its window.
#[derive(Debug)]
pub(super) struct Outstanding {
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// Slot numbers by the low bits of the sequence number; at most half full.
    index: Vec<u32>,
    mask: usize,
    oldest: u32,
    newest: u32,
    len: usize,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    token: u64,
    deadline: Duration,
    sequence: u32,
    older: u32,
    newer: u32,
}

impl Outstanding {
    pub(super) fn new(window: usize) -> Self {
        let size = (window.max(1) * 2).next_power_of_two();
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            index: vec![NONE; size],
            mask: size - 1,
            oldest: NONE,
            newest: NONE,
            len: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn contains(&self, sequence: u32) -> bool {
        self.find(sequence).is_some()
    }

    /// Adds a request. The caller keeps to the window, and to one entry a sequence number.
    pub(super) fn insert(&mut self, sequence: u32, token: u64, deadline: Duration) {
        debug_assert!(self.len <= self.mask / 2 && !self.contains(sequence));
        let slot = Slot { token, deadline, sequence, older: self.newest, newer: NONE };
        let number = match self.free.pop() {
            Some(number) => {
                self.slots[number as usize] = slot;
                number
            }
            None => {
                self.slots.push(slot);
                // The window is at most 10,000.
                self.slots.len() as u32 - 1
            }
        };
        match self.newest {
            NONE => self.oldest = number,
            newest => self.slots[newest as usize].newer = number,
        }
        self.newest = number;
        let mut at = self.home(sequence);
        while self.index[at] != NONE {
            at = (at + 1) & self.mask;
        }
        self.index[at] = number;
        self.len += 1;
    }

    /// Removes a request and gives its token.
    pub(super) fn remove(&mut self, sequence: u32) -> Option<u64> {
        let at = self.find(sequence)?;
        let number = self.index[at];
        self.unindex(at);
        let slot = self.slots[number as usize];
        match slot.older {
            NONE => self.oldest = slot.newer,
            older => self.slots[older as usize].newer = slot.newer,
        }
        match slot.newer {
            NONE => self.newest = slot.older,
            newer => self.slots[newer as usize].older = slot.older,
        }
        self.free.push(number);
        self.len -= 1;
        Some(slot.token)
    }

    /// When the oldest request times out.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.slots.get(self.oldest as usize).map(|slot| slot.deadline)
    }

    /// Removes the oldest request and gives its token.
    pub(super) fn pop_oldest(&mut self) -> Option<u64> {
        let sequence = self.slots.get(self.oldest as usize)?.sequence;
        self.remove(sequence)
    }

    fn home(&self, sequence: u32) -> usize {
        sequence as usize & self.mask
    }

    fn find(&self, sequence: u32) -> Option<usize> {
        let mut at = self.home(sequence);
        loop {
            let number = self.index[at];
            if number == NONE {
                return None;
            }
            if self.slots[number as usize].sequence == sequence {
                return Some(at);
            }
            at = (at + 1) & self.mask;
        }
    }

    /// Empties a place of the index and moves up those behind it that it kept from their home.
    fn unindex(&mut self, at: usize) {
        let mut hole = at;
        let mut next = at;
        loop {
            next = (next + 1) & self.mask;
            let number = self.index[next];
            if number == NONE {
                break;
            }
            let home = self.home(self.slots[number as usize].sequence);
            let from_home = next.wrapping_sub(home) & self.mask;
            let from_hole = next.wrapping_sub(hole) & self.mask;
            if from_home >= from_hole {
                self.index[hole] = number;
                hole = next;
            }
        }
        self.index[hole] = NONE;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keeps_the_order_of_sending() {
        let mut outstanding = Outstanding::new(4);
        for (sequence, token) in [(5, 50), (21, 51), (6, 52)] {
            outstanding.insert(sequence, token, Duration::from_secs(token));
        }
        assert_eq!(outstanding.remove(21), Some(51));
        assert_eq!(outstanding.remove(21), None);
        assert_eq!(outstanding.deadline(), Some(Duration::from_secs(50)));
        assert_eq!(outstanding.pop_oldest(), Some(50));
        assert_eq!(outstanding.pop_oldest(), Some(52));
        assert_eq!((outstanding.pop_oldest(), outstanding.deadline()), (None, None));
    }

    proptest! {
        /// Like a map that remembers the order, whatever sequence numbers collide.
        #[test]
        fn behaves_like_a_map(steps in prop::collection::vec((0u32..40, any::<bool>()), 0..400)) {
            let mut outstanding = Outstanding::new(8);
            let mut model = BTreeMap::new();
            let mut order: Vec<u32> = Vec::new();
            for (at, (sequence, add)) in steps.into_iter().enumerate() {
                let token = at as u64;
                if add && model.len() < 8 && !model.contains_key(&sequence) {
                    outstanding.insert(sequence, token, Duration::ZERO);
                    model.insert(sequence, token);
                    order.push(sequence);
                } else if !add {
                    order.retain(|&other| other != sequence);
                    prop_assert_eq!(outstanding.remove(sequence), model.remove(&sequence));
                }
                prop_assert_eq!(outstanding.len(), model.len());
                for probe in 0..40 {
                    prop_assert_eq!(outstanding.contains(probe), model.contains_key(&probe));
                }
            }
            for sequence in order {
                prop_assert_eq!(outstanding.pop_oldest(), model.remove(&sequence));
            }
            prop_assert_eq!(outstanding.pop_oldest(), None);
        }
    }
}
