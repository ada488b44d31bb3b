//! Ids: what they are made of and how they are written.
//!
//! Messages, batches and deliveries have UUIDv7 ids: 48 bits of milliseconds, then a counter and
//! randomness. They are made *before* the commit that stores them, so a commit that is retried is
//! harmless, and they sort by age, so rows land at the right edge of a B-tree and a day's rows
//! lie together.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
pub use uuid::Uuid;

use crate::Timestamp;

/// The name of a configured thing (account, connector, route …): short, shared, cheap to clone.
pub type Name = Arc<str>;

/// Longest [`Name`] in octets.
pub const NAME_MAX: usize = 64;

/// Is `name` fit to be the id of a resource: 1–64 of `a-z A-Z 0-9 . _ -`?
#[must_use]
pub fn is_name(name: &str) -> bool {
    (1..=NAME_MAX).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// When the id was made, to the millisecond.
            #[must_use]
            pub fn made_at(&self) -> Timestamp {
                let octets = self.0.as_bytes();
                let mut ms = [0; 8];
                ms[2..].copy_from_slice(&octets[..6]);
                Timestamp::from_millis(i64::from_be_bytes(ms))
            }

            /// The lowest id that could have been made at `at`: a bound for searches by time.
            #[must_use]
            pub fn first_at(at: Timestamp) -> Self {
                let mut octets = [0; 16];
                octets[..6].copy_from_slice(&at.as_millis().max(0).to_be_bytes()[2..]);
                Self(Uuid::from_bytes(octets))
            }

            /// The 16 octets, in the order in which ids sort.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// From 16 octets as the store keeps them; `None` for any other length.
            #[must_use]
            pub fn from_slice(octets: &[u8]) -> Option<Self> {
                Uuid::from_slice(octets).ok().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

id!(
    /// A message, MT or MO.
    MessageId
);
id!(
    /// Messages that were handed in together.
    BatchId
);
id!(
    /// Something owed to an account: a webhook call, later a `deliver_sm`.
    DeliveryId
);

id!(
    /// A movement of an account's money.
    LedgerId
);

id!(
    /// A phone that wants to hear nothing more.
    OptOutId
);

id!(
    /// Messages that are sent again and again.
    ScheduleId
);

/// Makes ids that never sort before an earlier one of the same maker.
///
/// RFC 9562 §6.2 method 1: within a millisecond a 26-bit counter rises from a random start, and
/// the other 36 bits are random. The clock and the randomness come from the caller.
#[derive(Debug, Default)]
pub struct IdMaker {
    millis: u64,
    counter: u32,
}

impl IdMaker {
    const COUNTER_BITS: u32 = 26;

    /// The next id at `now`, from 64 fresh random bits. A clock that stands still or goes back
    /// moves the counter instead; a full counter borrows a millisecond from the future.
    pub fn next(&mut self, now: Timestamp, random: u64) -> Uuid {
        let millis = now.as_millis().max(0) as u64;
        if millis > self.millis {
            self.millis = millis;
            // Half the range stays free for counting up.
            self.counter = (random >> 36) as u32 & ((1 << (Self::COUNTER_BITS - 1)) - 1);
        } else if self.counter + 1 < 1 << Self::COUNTER_BITS {
            self.counter += 1;
        } else {
            self.millis += 1;
            self.counter = 0;
        }
        let mut octets = [0; 16];
        octets[..6].copy_from_slice(&self.millis.to_be_bytes()[2..]);
        let high = (self.counter >> 14) as u16 & 0x0fff;
        octets[6..8].copy_from_slice(&(0x7000 | high).to_be_bytes());
        let low = u64::from(self.counter & 0x3fff) << 48 | (random & 0xffff_ffff_ffff);
        octets[8..].copy_from_slice(&(0x8000_0000_0000_0000 | low).to_be_bytes());
        Uuid::from_bytes(octets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_rise_even_when_the_clock_stands_still_or_goes_back() {
        let mut maker = IdMaker::default();
        let mut last = MessageId(Uuid::nil());
        for (step, at) in [1000, 1000, 999, 1001, 1001].into_iter().enumerate() {
            let id = MessageId(maker.next(Timestamp::from_millis(at), !(step as u64) << 7));
            assert!(id > last, "{id} after {last}");
            assert_eq!(id.0.get_version_num(), 7);
            assert_eq!(id.0.as_bytes()[8] >> 6, 0b10, "the RFC 9562 variant");
            last = id;
        }
        assert_eq!(last.made_at(), Timestamp::from_millis(1001));
    }

    #[test]
    fn a_full_counter_borrows_the_next_millisecond() {
        let mut maker = IdMaker { millis: 7, counter: (1 << 26) - 1 };
        let id = MessageId(maker.next(Timestamp::from_millis(7), 0));
        assert_eq!(id.made_at(), Timestamp::from_millis(8));
    }

    #[test]
    fn bounds_by_time_sort_before_every_id_of_that_time() {
        let mut maker = IdMaker::default();
        let at = Timestamp::from_millis(1_700_000_000_000);
        let id = MessageId(maker.next(at, 0));
        assert!(MessageId::first_at(at) < id);
        assert!(id < MessageId::first_at(Timestamp::from_millis(at.as_millis() + 1)));
        assert_eq!(MessageId::from_slice(id.as_bytes()), Some(id));
        assert_eq!(id.to_string().parse::<MessageId>().unwrap(), id);
    }

    #[test]
    fn names_are_short_and_plain() {
        assert!(is_name("carrier-a.1_X"));
        assert!(!is_name(""));
        assert!(!is_name("a/b"));
        assert!(!is_name(&"x".repeat(65)));
    }
}
