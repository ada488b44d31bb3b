//! Where to read on in the store, for one endpoint.
//!
//! A page is read while rows are written, so two things are kept in mind during a read: which
//! deliveries left memory meanwhile (the page may still show them as they were), and the earliest
//! row that was left to the store meanwhile (the page may have been read before it was there, and
//! the cursor must not come past it).

use foldhash::{HashSet, HashSetExt};
use model::id::Uuid;
use model::{DeliveryId, Timestamp};

/// A delivery's place in the order of the store.
pub(super) type Place = (Timestamp, DeliveryId);

#[derive(Debug)]
pub(super) struct Paging {
    /// The last row that was read.
    after: Option<Place>,
    /// There may be more that is due.
    more: bool,
    /// When something in the store becomes due.
    next_due: Option<Timestamp>,
    /// A read is under way.
    reading: bool,
    /// The earliest row that was left to the store since that read began.
    touched: Option<Place>,
    /// Deliveries that left memory since that read began.
    gone: HashSet<DeliveryId>,
}

impl Paging {
    /// Everything in the store is still to be looked at.
    pub fn new() -> Self {
        Self { after: None, more: true, next_due: None, reading: false, touched: None, gone: HashSet::new() }
    }

    /// A row stays in the store, or comes back to it.
    pub fn left(&mut self, place: Place, now: Timestamp) {
        if place.0 > now {
            self.next_due = Some(self.next_due.map_or(place.0, |due| due.min(place.0)));
        } else {
            self.more = true;
        }
        if self.reading {
            self.touched = Some(self.touched.map_or(place, |touched| touched.min(place)));
        }
        self.read_again_from(place);
    }

    /// A delivery left memory, and the store knows.
    pub fn gone(&mut self, id: DeliveryId) {
        if self.reading {
            self.gone.insert(id);
        }
    }

    /// Is there something to read, if there is room for it?
    pub fn is_due(&self, now: Timestamp) -> bool {
        !self.reading && self.is_behind(now)
    }

    /// Does something that is due wait in the store, so that what is new must queue behind it?
    pub fn is_behind(&self, now: Timestamp) -> bool {
        self.more || self.next_due.is_some_and(|due| due <= now)
    }

    pub fn next_due(&self) -> Option<Timestamp> {
        self.next_due
    }

    pub fn reading(&self) -> bool {
        self.reading
    }

    /// Nothing waits in the store, now or later.
    pub fn is_empty(&self) -> bool {
        !self.reading && !self.more && self.next_due.is_none()
    }

    /// Begins a read of what comes after the answer. [`end`](Self::end) or
    /// [`abort`](Self::abort) must follow.
    pub fn begin(&mut self, now: Timestamp) -> Option<Place> {
        self.reading = true;
        self.more = true;
        self.touched = None;
        if self.next_due.is_some_and(|due| due <= now) {
            self.next_due = None;
        }
        self.after
    }

    /// May this row of the page that was read be what the store no longer has?
    pub fn is_stale(&self, id: DeliveryId) -> bool {
        self.gone.contains(&id)
    }

    /// Was something left to the store meanwhile that comes before `place`? Then the page was read
    /// without it, and ends here.
    pub fn is_overtaken(&self, place: Place) -> bool {
        self.touched.is_some_and(|touched| touched < place)
    }

    /// The next row of the page was dealt with.
    pub fn passed(&mut self, place: Place) {
        self.after = Some(place);
    }

    /// The page is at its end. `last`: it was the last one, and what the store has beyond it is
    /// due at `next_due`.
    pub fn end(&mut self, last: bool, next_due: Option<Timestamp>) {
        self.reading = false;
        self.gone.clear();
        let touched = self.touched.take();
        if let Some(place) = touched {
            self.read_again_from(place);
        }
        if last {
            self.more = touched.is_some();
            self.next_due = match (next_due, self.next_due.filter(|_| touched.is_some())) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
    }

    /// The read failed: nothing of it counts.
    pub fn abort(&mut self) {
        self.end(false, None);
    }

    fn read_again_from(&mut self, place: Place) {
        if self.after.is_some_and(|after| place <= after) {
            self.after = Some((place.0.plus_millis(-1), DeliveryId(Uuid::max())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(due: i64, id: u128) -> Place {
        (Timestamp::from_millis(due), DeliveryId(Uuid::from_u128(id)))
    }

    #[test]
    fn a_row_that_was_written_behind_the_page_being_read_is_not_passed_over() {
        let mut paging = Paging::new();
        let now = Timestamp::from_millis(100);
        paging.begin(now);
        // Its commit came after the snapshot of the page, but it sorts before the page's last row.
        paging.left(place(50, 2), now);
        paging.passed(place(40, 1));
        paging.passed(place(60, 3));
        paging.end(true, None);
        assert!(paging.is_due(now));
        assert!(paging.begin(now) < Some(place(50, 2)));
    }

    #[test]
    fn a_quiet_read_to_the_end_leaves_nothing_but_what_is_due_later() {
        let mut paging = Paging::new();
        let (now, later) = (Timestamp::from_millis(100), Timestamp::from_millis(200));
        paging.begin(now);
        paging.passed(place(60, 3));
        paging.end(true, Some(later));
        assert!(!paging.is_behind(now) && !paging.is_due(now) && paging.is_due(later));
        assert!(!paging.is_empty());
        assert_eq!(paging.begin(later), Some(place(60, 3)), "reads on from there");
        paging.end(true, None);
        assert!(paging.is_empty());
    }

    #[test]
    fn a_failed_read_is_repeated() {
        let mut paging = Paging::new();
        let now = Timestamp::from_millis(100);
        paging.begin(now);
        paging.gone(place(1, 1).1);
        assert!(paging.is_stale(place(1, 1).1));
        paging.abort();
        assert!(paging.is_due(now) && !paging.is_stale(place(1, 1).1));
        assert_eq!(paging.begin(now), None);
    }
}
