//! What lies in the modem's stores, and what of it the caller has.

use std::collections::{HashMap, VecDeque};

/// Places that were told of and not read yet; those beyond are found by looking.
const TO_READ_MAX: usize = 1024;
/// What the caller has and has not acknowledged; nothing more is read meanwhile.
const HELD_MAX: usize = 64;
/// How often something unreadable is tried.
const TRIES: u8 = 3;
/// Places that are remembered as unreadable.
const BAD_MAX: usize = 1024;

/// A place in a store.
pub(super) type Place = (String, u16);

/// Stored and direct messages that are on their way to the caller.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    to_read: VecDeque<Place>,
    /// By the number that the caller acknowledges; `None` is for what came directly.
    held: HashMap<u64, Option<Place>>,
    /// What is held or to be deleted, by its place.
    known: HashMap<Place, ()>,
    to_delete: VecDeque<Place>,
    /// Acknowledgements owed to the network (`AT+CNMA`).
    owed: usize,
    bad: HashMap<Place, u8>,
    next_ack: u64,
}

impl Inbox {
    /// Something was stored there.
    pub(super) fn told(&mut self, place: Place) {
        if self.to_read.len() < TO_READ_MAX && !self.to_read.contains(&place) {
            self.to_read.push_back(place);
        }
    }

    /// Something lies there, and is to be read if the caller does not have it.
    pub(super) fn seen(&mut self, place: Place) {
        if self.is_new(&place) {
            self.told(place);
        } else {
            self.seen_again(&place);
        }
    }

    /// May more be read?
    pub(super) fn has_room(&self) -> bool {
        self.held.len() < HELD_MAX
    }

    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty() && self.to_delete.is_empty() && self.owed == 0
    }

    /// What is to be read next.
    pub(super) fn next_to_read(&mut self) -> Option<Place> {
        while self.has_room() {
            let place = self.to_read.front()?.clone();
            if !self.known.contains_key(&place) {
                return Some(place);
            }
            self.to_read.pop_front();
        }
        None
    }

    /// It was read, or can't be.
    pub(super) fn read(&mut self, place: &Place) {
        self.to_read.retain(|waiting| waiting != place);
    }

    /// Is this still to be given to the caller?
    pub(super) fn is_new(&self, place: &Place) -> bool {
        !self.known.contains_key(place)
    }

    /// The caller is given what lies there, or came directly: the number to acknowledge it by.
    pub(super) fn hold(&mut self, place: Option<Place>) -> u64 {
        let ack = self.next_ack;
        self.next_ack = self.next_ack.wrapping_add(1);
        if let Some(place) = &place {
            self.known.insert(place.clone(), ());
            self.bad.remove(place);
        }
        self.held.insert(ack, place);
        ack
    }

    /// The caller has it safely. `direct` says that the network waits to hear so.
    pub(super) fn acknowledge(&mut self, ack: u64, direct: bool) {
        match self.held.remove(&ack) {
            Some(Some(place)) => self.to_delete.push_back(place),
            Some(None) if direct => self.owed += 1,
            Some(None) | None => {}
        }
    }

    /// What lies there can't be read: is it to be thrown away?
    pub(super) fn unreadable(&mut self, place: &Place) -> bool {
        if self.bad.len() >= BAD_MAX {
            self.bad.clear();
        }
        let tries = self.bad.entry(place.clone()).or_insert(0);
        *tries += 1;
        let give_up = *tries >= TRIES;
        if give_up {
            self.bad.remove(place);
            self.known.insert(place.clone(), ());
            self.to_delete.push_back(place.clone());
        }
        give_up
    }

    /// What is to be deleted next.
    pub(super) fn next_to_delete(&self) -> Option<&Place> {
        self.to_delete.front()
    }

    /// It was deleted. If not, it is tried again when the store is looked at.
    pub(super) fn deleted(&mut self, place: &Place, done: bool) {
        self.to_delete.retain(|waiting| waiting != place);
        if done {
            self.known.remove(place);
        }
    }

    /// What is known there lies there still, and nobody deletes it.
    pub(super) fn seen_again(&mut self, place: &Place) {
        let held = self.held.values().flatten().any(|held| held == place);
        if self.known.contains_key(place) && !held && !self.to_delete.contains(place) {
            self.to_delete.push_back(place.clone());
        }
    }

    /// Is an acknowledgement owed to the network? It is not any more.
    pub(super) fn take_owed(&mut self) -> bool {
        let owed = self.owed > 0;
        self.owed = self.owed.saturating_sub(1);
        owed
    }

    /// The store can't be selected: nothing of it can be read or deleted.
    pub(super) fn forget_store(&mut self, store: &str) {
        self.to_read.retain(|(of, _)| of != store);
        self.to_delete.retain(|(of, _)| of != store);
    }

    /// The modem has started anew: what it waited for it waits for no more.
    pub(super) fn restarted(&mut self) {
        self.to_read.clear();
        self.owed = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(index: u16) -> Place {
        ("SM".into(), index)
    }

    #[test]
    fn what_is_stored_is_given_once_and_deleted_once_it_is_safe() {
        let mut inbox = Inbox::default();
        inbox.told(place(1));
        inbox.told(place(1));
        assert_eq!(inbox.next_to_read(), Some(place(1)));
        inbox.read(&place(1));
        let ack = inbox.hold(Some(place(1)));
        inbox.told(place(1));
        assert_eq!((inbox.next_to_read(), inbox.is_new(&place(1))), (None, false));
        assert_eq!(inbox.next_to_delete(), None);
        inbox.acknowledge(ack, true);
        assert_eq!(inbox.next_to_delete(), Some(&place(1)));
        inbox.deleted(&place(1), false);
        assert!(!inbox.is_new(&place(1)), "it is not given again");
        inbox.seen_again(&place(1));
        assert_eq!(inbox.next_to_delete(), Some(&place(1)));
        inbox.deleted(&place(1), true);
        assert!(inbox.is_new(&place(1)) && inbox.is_empty());
    }

    #[test]
    fn what_can_t_be_read_is_thrown_away_after_some_tries() {
        let mut inbox = Inbox::default();
        assert_eq!([(); 3].map(|()| inbox.unreadable(&place(7))), [false, false, true]);
        assert_eq!(inbox.next_to_delete(), Some(&place(7)));
    }

    #[test]
    fn no_more_is_read_than_the_caller_takes() {
        let mut inbox = Inbox::default();
        for index in 0..2000 {
            inbox.told(place(index));
        }
        let mut acks = Vec::new();
        while let Some(next) = inbox.next_to_read() {
            inbox.read(&next);
            acks.push(inbox.hold(Some(next)));
        }
        assert_eq!(acks.len(), HELD_MAX);
        inbox.acknowledge(acks[0], true);
        assert_eq!(inbox.next_to_read(), Some(place(HELD_MAX as u16)));
    }
}
