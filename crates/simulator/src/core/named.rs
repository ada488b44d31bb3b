//! The last messages of an SMSC that calls them by recipient and time, as UCP's and CIMD2's do: clients
//! may ask about them and take them back.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// What a message is called: its recipient, and when it was taken.
pub(crate) type Name = (Box<[u8]>, Box<[u8]>);

/// What has become of the last messages, by their names. Those that were taken within one second have one name;
/// they come to their ends in the order in which they were taken.
#[derive(Debug)]
pub(crate) struct Ledger<O> {
    states: HashMap<Name, VecDeque<State<O>>>,
    /// Each name as often as a message has it.
    order: VecDeque<Name>,
}

#[derive(Clone, Copy, Debug)]
struct State<O> {
    outcome: O,
    /// It has not come to its end, and was not taken back.
    waits: bool,
    /// Its end has come.
    over: bool,
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
            if let Some(oldest) = self.order.pop_front()
                && let Some(states) = self.states.get_mut(&oldest)
            {
                states.pop_front();
                if states.is_empty() {
                    self.states.remove(&oldest);
                }
            }
        }
        self.order.push_back(name.clone());
        let state = State { outcome: waiting, waits: true, over: false, not_before: Duration::ZERO };
        self.states.entry(name.clone()).or_default().push_back(state);
    }

    /// The next one of this name has come to its end, unless it was taken back before: what is to be told.
    pub(crate) fn ended(&mut self, name: &Name, outcome: O) -> O {
        let Some(states) = self.states.get_mut(name) else { return outcome };
        let last = states.len().saturating_sub(1);
        let next = states.iter().position(|state| !state.over).unwrap_or(last);
        let Some(state) = states.get_mut(next) else { return outcome };
        if state.waits {
            state.outcome = outcome;
        }
        (state.waits, state.over) = (false, true);
        state.outcome
    }

    /// Takes a message back; false if it is not known or has come to its end.
    pub(crate) fn delete(&mut self, name: &Name, deleted: O) -> bool {
        let waiting = self.waiting(name);
        let waits = waiting.is_some();
        if let Some(state) = waiting {
            (state.outcome, state.waits) = (deleted, false);
        }
        waits
    }

    /// Has a message that waits wait longer, or as long as before; false if it is not known or has come to its end.
    pub(crate) fn keep(&mut self, name: &Name, not_before: Option<Duration>) -> bool {
        let Some(state) = self.waiting(name) else { return false };
        state.not_before = not_before.unwrap_or(state.not_before);
        true
    }

    /// When the next one of this name may come to its end, if it waits and that is later than `now`.
    pub(crate) fn later(&self, name: &Name, now: Duration) -> Option<Duration> {
        let state = self.states.get(name)?.iter().find(|state| !state.over)?;
        Some(state.not_before).filter(|at| state.waits && *at > now)
    }

    /// What has become of a message: of the first that has not come to its end, where several have the name.
    pub(crate) fn state(&self, name: &Name) -> Option<O> {
        let states = self.states.get(name)?;
        let state = states.iter().find(|state| !state.over).or(states.back())?;
        Some(state.outcome)
    }

    fn waiting(&mut self, name: &Name) -> Option<&mut State<O>> {
        self.states.get_mut(name)?.iter_mut().find(|state| state.waits)
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
    #[test]
    fn messages_with_one_name_come_to_their_ends_one_by_one() {
        let name = (Box::from([1]), Box::from(*b"221126201456"));
        let mut ledger = Ledger::default();
        (0..3).for_each(|_| ledger.taken(&name, "waits", 3));
        assert!(ledger.delete(&name, "deleted") && ledger.delete(&name, "deleted"));
        let ends = [(); 3].map(|()| ledger.ended(&name, "delivered"));
        assert_eq!(ends, ["deleted", "deleted", "delivered"]);
        assert!(!ledger.delete(&name, "deleted"));
        assert_eq!(ledger.state(&name), Some("delivered"));
    }
}
