//! The last messages, which clients may ask about and take back.

use std::collections::{HashMap, VecDeque};

use ucp::{DeliveryStatus, Reason};

/// What a message is called: its recipient, and when it was taken.
pub(super) type Name = (Box<[u8]>, Box<[u8]>);

/// What has become of the last messages, by their names.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    states: HashMap<Name, (DeliveryStatus, Reason)>,
    order: VecDeque<Name>,
}

impl Ledger {
    /// A message was taken; the oldest beyond `most` are forgotten.
    pub(super) fn taken(&mut self, name: &Name, most: usize) {
        while self.order.len() >= most.max(1) {
            if let Some(oldest) = self.order.pop_front() {
                self.states.remove(&oldest);
            }
        }
        self.order.push_back(name.clone());
        self.states.insert(name.clone(), (DeliveryStatus::BUFFERED, Reason(0)));
    }

    /// It came to its end, unless it was taken back before: what is to be told.
    pub(super) fn ended(&mut self, name: &Name, outcome: (DeliveryStatus, Reason)) -> (DeliveryStatus, Reason) {
        match self.states.get_mut(name) {
            Some(state) if state.0 == DeliveryStatus::BUFFERED => *state = outcome,
            Some(state) => return *state,
            None => {}
        }
        outcome
    }

    /// Takes a message back; false if it is not known or has come to its end.
    pub(super) fn delete(&mut self, name: &Name) -> bool {
        let Some(state) = self.states.get_mut(name) else { return false };
        let waits = state.0 == DeliveryStatus::BUFFERED;
        if waits {
            *state = (DeliveryStatus::NOT_DELIVERED, Reason::OPERATION_BARRED);
        }
        waits
    }

    /// What has become of a message.
    pub(super) fn state(&self, name: &Name) -> Option<(DeliveryStatus, Reason)> {
        self.states.get(name).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_back_is_not_delivered() {
        let name = |number: u8| (Box::from([number]), Box::from(*b"221126201456"));
        let mut ledger = Ledger::default();
        let delivered = (DeliveryStatus::DELIVERED, Reason(0));
        ledger.taken(&name(1), 2);
        ledger.taken(&name(2), 2);
        assert_eq!(ledger.ended(&name(1), delivered), delivered);
        assert!(ledger.delete(&name(2)) && !ledger.delete(&name(1)) && !ledger.delete(&name(3)));
        assert_eq!(ledger.ended(&name(2), delivered).0, DeliveryStatus::NOT_DELIVERED);
        ledger.taken(&name(3), 2);
        assert_eq!(
            (ledger.state(&name(1)), ledger.state(&name(3)).map(|state| state.0)),
            (None, Some(DeliveryStatus::BUFFERED))
        );
    }
}
