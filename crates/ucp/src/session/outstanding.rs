//! Our operations that have no result yet, by TRN. Their order of sending is also that of their deadlines, since
//! all have the same time to live.
//!
//! There are only a hundred TRNs, so one whose operation timed out would soon name another, and a late result
//! would be taken for the wrong one. Such a TRN rests for a while, or until that result has come.

use std::collections::VecDeque;
use std::time::Duration;

use crate::frame::Trn;
use crate::ot::OperationType;

const NONE: u8 = u8::MAX;

/// The unanswered operations of one session, at most a hundred.
pub(super) struct Outstanding {
    slots: [Option<Slot>; Trn::COUNT],
    oldest: u8,
    newest: u8,
    len: usize,
    /// The TRN to try first.
    next: Trn,
    /// TRNs that rest, and until when; the first to be free again comes first.
    resting: VecDeque<Resting>,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    /// `None` for alerts of the session's own.
    token: Option<u64>,
    ot: OperationType,
    deadline: Duration,
    older: u8,
    newer: u8,
}

#[derive(Debug, Clone, Copy)]
struct Resting {
    trn: Trn,
    ot: OperationType,
    until: Duration,
}

impl Outstanding {
    pub(super) fn new() -> Self {
        Self {
            slots: [None; Trn::COUNT],
            oldest: NONE,
            newest: NONE,
            len: 0,
            next: Trn::default(),
            resting: VecDeque::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// How many more there may be within a window.
    pub(super) fn room(&self, window: usize) -> usize {
        window.saturating_sub(self.len).min(Trn::COUNT.saturating_sub(self.len + self.resting.len()))
    }

    /// Whether an alert of the session's own is among them.
    pub(super) fn has_probe(&self) -> bool {
        self.slots.iter().flatten().any(|slot| slot.token.is_none())
    }

    /// The TRN for the next operation, as late after its last use as can be; `None` if all are in use.
    pub(super) fn fresh(&self) -> Option<Trn> {
        let mut trn = self.next;
        for _ in 0..Trn::COUNT {
            if self.slot(trn.get()).is_none() && !self.resting.iter().any(|resting| resting.trn == trn) {
                return Some(trn);
            }
            trn = trn.following();
        }
        None
    }

    /// Adds an operation under a TRN that `fresh` gave.
    pub(super) fn insert(&mut self, trn: Trn, ot: OperationType, token: Option<u64>, deadline: Duration) {
        debug_assert!(self.slot(trn.get()).is_none());
        let number = trn.get();
        match self.slot_mut(self.newest) {
            Some(newest) => newest.newer = number,
            None => self.oldest = number,
        }
        if let Some(place) = self.slots.get_mut(usize::from(number)) {
            *place = Some(Slot { token, ot, deadline, older: self.newest, newer: NONE });
        }
        self.newest = number;
        self.len += 1;
        self.next = trn.following();
    }

    /// Goes on behind a TRN that was used otherwise.
    pub(super) fn skip(&mut self, trn: Trn) {
        self.next = trn.following();
    }

    /// Removes an operation that has got its result, and gives its token. `None` if there is none of this type.
    pub(super) fn remove(&mut self, trn: Trn, ot: OperationType) -> Option<Option<u64>> {
        match self.slot(trn.get()) {
            Some(slot) if slot.ot == ot => {
                self.unlink(trn.get());
                Some(slot.token)
            }
            _ => {
                self.resting.retain(|resting| resting.trn != trn || resting.ot != ot);
                None
            }
        }
    }

    /// When the oldest operation times out.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.slot(self.oldest).map(|slot| slot.deadline)
    }

    /// Removes the oldest operation and gives its token.
    pub(super) fn pop_oldest(&mut self) -> Option<Option<u64>> {
        let number = self.oldest;
        let slot = self.slot(number)?;
        self.unlink(number);
        Some(slot.token)
    }

    /// Like `pop_oldest`; its TRN rests.
    pub(super) fn expire_oldest(&mut self, until: Duration) -> Option<Option<u64>> {
        let (trn, ot) = (Trn::new(self.oldest)?, self.slot(self.oldest)?.ot);
        self.resting.push_back(Resting { trn, ot, until });
        self.pop_oldest()
    }

    /// When the next TRN has rested.
    pub(super) fn rested_at(&self) -> Option<Duration> {
        self.resting.front().map(|resting| resting.until)
    }

    /// Lets TRNs be used again that have rested.
    pub(super) fn wake(&mut self, now: Duration) {
        while self.rested_at().is_some_and(|until| now >= until) {
            self.resting.pop_front();
        }
    }

    fn slot(&self, number: u8) -> Option<Slot> {
        self.slots.get(usize::from(number)).copied().flatten()
    }

    fn slot_mut(&mut self, number: u8) -> Option<&mut Slot> {
        self.slots.get_mut(usize::from(number))?.as_mut()
    }

    fn unlink(&mut self, number: u8) {
        let Some(slot) = self.slots.get_mut(usize::from(number)).and_then(Option::take) else { return };
        match self.slot_mut(slot.older) {
            Some(older) => older.newer = slot.newer,
            None => self.oldest = slot.newer,
        }
        match self.slot_mut(slot.newer) {
            Some(newer) => newer.older = slot.older,
            None => self.newest = slot.older,
        }
        self.len -= 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SUBMIT: OperationType = OperationType::SUBMIT;
    const NOW: Duration = Duration::ZERO;

    fn trn(number: u8) -> Trn {
        Trn::new(number).unwrap()
    }

    #[test]
    fn a_trn_is_used_again_as_late_as_can_be() {
        let mut outstanding = Outstanding::new();
        for round in 0..250u8 {
            let fresh = outstanding.fresh().unwrap();
            assert_eq!(fresh.get(), round % 100);
            outstanding.insert(fresh, SUBMIT, Some(1), NOW);
            assert_eq!(outstanding.remove(fresh, SUBMIT), Some(Some(1)));
        }
        outstanding.insert(trn(50), SUBMIT, Some(9), NOW);
        assert_eq!(outstanding.remove(trn(50), OperationType::ALERT), None);
        assert_eq!(outstanding.remove(trn(50), SUBMIT), Some(Some(9)));
    }

    #[test]
    fn one_that_timed_out_rests_until_its_time_or_its_result() {
        let mut outstanding = Outstanding::new();
        for number in 0..100 {
            outstanding.insert(trn(number), SUBMIT, Some(u64::from(number)), NOW);
        }
        assert_eq!((outstanding.fresh(), outstanding.room(100)), (None, 0));
        let later = Duration::from_secs(60);
        assert_eq!(outstanding.expire_oldest(later), Some(Some(0)));
        assert_eq!(outstanding.expire_oldest(later * 2), Some(Some(1)));
        assert_eq!((outstanding.fresh(), outstanding.room(100), outstanding.rested_at()), (None, 0, Some(later)));
        // The late result of the second.
        assert_eq!(outstanding.remove(trn(1), SUBMIT), None);
        assert_eq!((outstanding.fresh(), outstanding.room(100)), (Some(trn(1)), 1));
        outstanding.wake(later);
        assert_eq!((outstanding.fresh(), outstanding.room(100)), (Some(trn(0)), 2));
    }

    proptest! {
        /// Like a list that remembers the order.
        #[test]
        fn keeps_the_order_of_sending(steps in prop::collection::vec((0u8..100, 0u8..4), 0..400)) {
            let mut outstanding = Outstanding::new();
            let mut model: Vec<(Trn, u64)> = Vec::new();
            for (at, (number, what)) in steps.into_iter().enumerate() {
                let token = at as u64;
                match what {
                    0 | 1 => if let Some(fresh) = outstanding.fresh() {
                        outstanding.insert(fresh, SUBMIT, Some(token), Duration::from_secs(token));
                        model.push((fresh, token));
                    },
                    2 => {
                        let known = model.iter().position(|(trn, _)| trn.get() == number);
                        let token = known.map(|at| Some(model.remove(at).1));
                        prop_assert_eq!(outstanding.remove(trn(number), SUBMIT), token);
                    }
                    _ => {
                        let oldest = (!model.is_empty()).then(|| Some(model.remove(0).1));
                        prop_assert_eq!(outstanding.expire_oldest(Duration::from_secs(token)), oldest);
                    }
                }
                prop_assert_eq!(outstanding.len(), model.len());
                prop_assert_eq!(outstanding.deadline(), model.first().map(|(_, token)| Duration::from_secs(*token)));
            }
            for (_, token) in model {
                prop_assert_eq!(outstanding.pop_oldest(), Some(Some(token)));
            }
            prop_assert_eq!(outstanding.pop_oldest(), None);
        }
    }
}
