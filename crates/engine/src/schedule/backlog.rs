//! Backlog: what is known of one priority's messages that lie in the store only, account by account.
//!
//! For every message that lies in the store and not in memory, its account has *more* there, or is
//! known to have something that becomes due no later than that message. An account of which nothing
//! is written down here has nothing in the store but what is in memory too.

use std::collections::BTreeSet;

use foldhash::HashMap;
use model::id::Uuid;
use model::{MessageId, Name, Timestamp};

/// A message's place by due time; what the store orders an account's messages by.
pub(crate) type Place = (Timestamp, MessageId);

#[derive(Debug, Default)]
pub(crate) struct Backlog {
    accounts: HashMap<Name, Rest>,
    /// Accounts by when something of theirs becomes due.
    due: BTreeSet<(Timestamp, Name)>,
    /// The accounts that the store has are being listed, as far as this.
    listed_to: Option<Name>,
    /// They are listed: who is not known here has nothing in the store.
    is_listed: bool,
}

/// What of one account lies in the store.
#[derive(Debug, Default)]
struct Rest {
    /// The last entry that was read.
    after: Option<Place>,
    /// There may be more that is due.
    more: bool,
    /// When something becomes due.
    next_due: Option<Timestamp>,
    /// The earliest place that was left to the store since the last read began.
    touched: Option<Place>,
}

impl Rest {
    fn leave(&mut self, place: Place) {
        self.touched = Some(self.touched.map_or(place, |earliest| earliest.min(place)));
        self.rewind(place);
    }

    /// Reads on from before `place`, if reading has come past it already.
    fn rewind(&mut self, place: Place) {
        if self.after.is_some_and(|after| place <= after) {
            self.after = Some(before(place));
        }
    }
}

/// A place before `place`, with little in between.
fn before(place: Place) -> Place {
    (place.0.plus_millis(-1), MessageId(Uuid::max()))
}

impl Backlog {
    /// Is it known who has something in the store?
    pub fn is_listed(&self) -> bool {
        self.is_listed
    }

    /// Whom to list next: accounts after this one.
    pub fn listed_to(&self) -> Option<Name> {
        self.listed_to.clone()
    }

    /// The store is to be looked through for accounts once more.
    pub fn list_again(&mut self) {
        (self.is_listed, self.listed_to) = (false, None);
    }

    /// Accounts that the store has, with what is due first.
    pub fn listed(&mut self, accounts: Vec<(Name, Timestamp)>, last: bool) {
        self.is_listed = last;
        self.listed_to = accounts.last().map(|(account, _)| account.clone()).filter(|_| !last);
        for (account, due) in accounts {
            // What is due first may have been read already: it is read once more.
            self.accounts.entry(account.clone()).or_default().after = None;
            self.due_at(&account, due);
        }
    }

    /// Has this account something in the store that is due, as far as is known?
    pub fn has_more(&self, account: &str) -> bool {
        !self.accounts.is_empty() && self.accounts.get(account).is_some_and(|rest| rest.more)
    }

    /// A message that is due stays in the store.
    pub fn leave(&mut self, account: &Name, place: Place) {
        let rest = self.rest_from(account, place);
        rest.more = true;
        rest.leave(place);
    }

    /// A message stays in the store until it becomes due.
    pub fn leave_until_due(&mut self, account: &Name, place: Place) {
        self.rest_from(account, place).leave(place);
        self.due_at(account, place.0);
    }

    /// Of one that is not known, all but what is at `place` and behind is in memory.
    fn rest_from(&mut self, account: &Name, place: Place) -> &mut Rest {
        let is_new = self.is_listed && !self.accounts.contains_key(account);
        let rest = self.rest(account);
        if is_new {
            rest.after = Some(before(place));
        }
        rest
    }

    fn rest(&mut self, account: &Name) -> &mut Rest {
        if !self.accounts.contains_key(account) {
            self.accounts.insert(account.clone(), Rest::default());
        }
        self.accounts.get_mut(account).expect("it was put there just now")
    }

    fn due_at(&mut self, account: &Name, due: Timestamp) {
        let Some(rest) = self.accounts.get_mut(account) else { return };
        if rest.next_due.is_none_or(|known| due < known) {
            if let Some(known) = rest.next_due.replace(due) {
                self.due.remove(&(known, account.clone()));
            }
            self.due.insert((due, account.clone()));
        }
    }

    /// When the next message becomes due.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(due, _)| *due)
    }

    /// The next account of which something is due by now; it has more from now on.
    pub fn pop_due(&mut self, now: Timestamp) -> Option<Name> {
        self.due.first().filter(|(due, _)| *due <= now)?;
        let (_, account) = self.due.pop_first()?;
        let rest = self.accounts.get_mut(&account)?;
        (rest.next_due, rest.more) = (None, true);
        Some(account)
    }

    /// An account's messages are read on from the place that is returned. Until they were
    /// [`read`](Self::read) it has more.
    pub fn begin(&mut self, account: &Name) -> Option<Place> {
        if let Some(due) = self.rest(account).next_due.take() {
            self.due.remove(&(due, account.clone()));
        }
        let rest = self.rest(account);
        (rest.more, rest.touched) = (true, None);
        rest.after
    }

    /// They were read up to `read_to`, where any were found, and if `all` then these were all that are
    /// due. Returns whether there is more.
    pub fn read(&mut self, account: &Name, read_to: Option<Place>, all: bool, next_due: Option<Timestamp>) -> bool {
        let rest = self.rest(account);
        rest.after = read_to.or(rest.after);
        // Commits overtake each other by milliseconds: what was left to the store while the page
        // was read may lie before its end and yet not be in it.
        if let Some(touched) = rest.touched {
            rest.rewind(touched);
        }
        if !all {
            return true;
        }
        rest.more = rest.touched.is_some();
        let more = rest.more;
        if let Some(due) = next_due {
            self.due_at(account, due);
        }
        if !more && self.rest(account).next_due.is_none() {
            self.accounts.remove(account);
        }
        more
    }

    /// Accounts of which something lies in the store.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.accounts.len()
    }
}
