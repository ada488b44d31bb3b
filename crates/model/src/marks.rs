//! Marks: parts that are recorded as handed over to a carrier before they are, so that none is ever sent
//! twice, and what is known of them until the answer.

use crate::message::{EVENTS_MAX, Event, PartStatus, Progress};

impl Progress {
    /// Was part `n`, counted from 0, recorded as handed over before it was, and nobody has said since what
    /// became of it? A part that is held in doubt is not marked any more; where the timeline, which tells
    /// so, is full, none is.
    #[must_use]
    pub fn is_marked(&self, n: usize) -> bool {
        let doubted =
            |event: &Event| event.what == "in_doubt" && event.part.is_some_and(|part| usize::from(part) == n + 1);
        self.parts.get(n).is_some_and(|part| part.status == PartStatus::InDoubt)
            && self.events.len() < EVENTS_MAX
            && !self.events.iter().any(doubted)
    }

    /// Are any of its parts marked?
    #[must_use]
    pub fn any_marked(&self) -> bool {
        (0..self.parts.len()).any(|n| self.is_marked(n))
    }

    /// Has a connector something to do for it: parts to send, or such as are marked and not answered?
    #[must_use]
    pub fn has_work(&self) -> bool {
        !self.status.is_final() && (self.unsent().next().is_some() || self.any_marked())
    }

    pub(crate) fn part_marked(&mut self, n: u8) -> bool {
        match self.parts.get_mut(usize::from(n)) {
            Some(part) if part.status == PartStatus::Queued => {
                part.status = PartStatus::InDoubt;
                true
            }
            _ => false,
        }
    }

    pub(crate) fn part_not_sent(&mut self, n: u8) -> bool {
        let marked = !self.status.is_final() && self.is_marked(usize::from(n));
        if let Some(part) = self.parts.get_mut(usize::from(n)).filter(|_| marked) {
            part.status = PartStatus::Queued;
        }
        marked
    }
}
