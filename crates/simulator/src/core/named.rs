//! The last messages of an SMSC that calls them by recipient and time, as UCP's and CIMD2's do: clients
//! may ask about them and take them back.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// What a message is called: its recipient, and when it was taken.
pub(crate) type Name = (Box<[u8]>, Box<[u8]>);

/// What has become of the last messages, by their names.
#[derive(Debug)]
pub(crate) struct Ledger<O> {
    states: HashMap<Name, State<O>>,
    order: VecDeque<Name>,
}

#[derive(Clone, Copy, Debug)]
struct State<O> {
    outcome: O,
    /// It has not come to its end.
    waits: bool,
    /// It comes to its end not before this.
    not_before: Duration,
}

impl<O> Default for Ledger<O> {
    fn default() -> Self {
        Self { states: HashMap::new(), order: VecDeque::new() }
    }
}

impl<O: Copy> Ledger<O> {
    /// A message was taken and waits; the oldest beyond `most` are forgotten.
    pub(crate) fn taken(&mut self, name: &Name, waiting: O, most: usize) {
        while self.order.len() >= most.max(1) {
            if let Some(oldest) = self.order.pop_front() {
                self.states.remove(&oldest);
            }
        }
        self.order.push_back(name.clone());
        self.states.insert(name.clone(), State { outcome: waiting, waits: true, not_before: Duration::ZERO });
    }

    /// It came to its end, unless it was taken back before: what is to be told.
    pub(crate) fn ended(&mut self, name: &Name, outcome: O) -> O {
        match self.states.get_mut(name) {
            Some(state) if state.waits => *state = State { outcome, waits: false, ..*state },
            Some(state) => return state.outcome,
            None => {}
        }
        outcome
    }

    /// Takes a message back; false if it is not known or has come to its end.
    pub(crate) fn delete(&mut self, name: &Name, deleted: O) -> bool {
        let Some(state) = self.states.get_mut(name) else { return false };
        let waits = state.waits;
        if waits {
            *state = State { outcome: deleted, waits: false, ..*state };
        }
        waits
    }

    /// Has a message that waits wait longer, or as long as before; false if it is not known or has come to its end.
    pub(crate) fn keep(&mut self, name: &Name, not_before: Option<Duration>) -> bool {
        let Some(state) = self.states.get_mut(name).filter(|state| state.waits) else { return false };
        state.not_before = not_before.unwrap_or(state.not_before);
        true
    }

    /// When a message may come to its end, if it waits and that is later than `now`.
    pub(crate) fn later(&self, name: &Name, now: Duration) -> Option<Duration> {
        let state = self.states.get(name).filter(|state| state.waits)?;
        Some(state.not_before).filter(|at| *at > now)
    }

    /// What has become of a message.
    pub(crate) fn state(&self, name: &Name) -> Option<O> {
        self.states.get(name).map(|state| state.outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_back_is_not_delivered() {
        let name = |number: u8| (Box::from([number]), Box::from(*b"221126201456"));
        let mut ledger = Ledger::default();
        ledger.taken(&name(1), "waits", 2);
        ledger.taken(&name(2), "waits", 2);
        assert_eq!(ledger.ended(&name(1), "delivered"), "delivered");
        let mut delete = |number| ledger.delete(&name(number), "deleted");
        assert!(delete(2) && !delete(1) && !delete(3));
        assert_eq!(ledger.ended(&name(2), "delivered"), "deleted");
        assert!(!ledger.keep(&name(1), None) && !ledger.keep(&name(2), None) && !ledger.keep(&name(3), None));
        ledger.taken(&name(3), "waits", 2);
        assert_eq!((ledger.state(&name(1)), ledger.state(&name(3))), (None, Some("waits")));
        let seconds = Duration::from_secs;
        assert!(ledger.keep(&name(3), Some(seconds(9))) && ledger.keep(&name(3), None));
        assert_eq!([seconds(8), seconds(9)].map(|now| ledger.later(&name(3), now)), [Some(seconds(9)), None]);
    }
}
