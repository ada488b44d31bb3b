//! Guessing: who tries passwords from one address is locked out for a while, and the right password is
//! no use to it then either. Somebody else's guesses from elsewhere lock nobody out.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

use model::Timestamp;

/// Wrong passwords in a row that cost nothing: people mistype.
const FREE: u32 = 10;
/// The first lock; each further wrong password doubles it.
const LOCK_SECONDS: i64 = 5;
/// The longest lock.
const LOCK_SECONDS_MAX: i64 = 900;
/// After so long without another wrong password they are forgotten.
const FORGET_SECONDS: i64 = 3600;
/// Guessers that are remembered; beyond it the one that guessed least lately is forgotten.
const REMEMBERED: usize = 4096;

/// What is guessed at, and from where.
type Key = (Box<str>, IpAddr);

/// The guessers of the moment.
#[derive(Debug, Default)]
pub(crate) struct Guesses {
    by: HashMap<Key, Tries>,
}

#[derive(Debug, Clone, Copy)]
struct Tries {
    wrong: u32,
    last: Timestamp,
    locked_until: Timestamp,
}

impl Guesses {
    /// May `name` be logged in to from `remote` now?
    pub fn is_locked(&self, name: &str, remote: IpAddr, now: Timestamp) -> bool {
        !self.by.is_empty() && self.by.get(&key(name, remote)).is_some_and(|tries| now < tries.locked_until)
    }

    /// A password was wrong.
    pub fn wrong(&mut self, name: &str, remote: IpAddr, now: Timestamp) {
        let key = key(name, remote);
        if self.by.len() >= REMEMBERED && !self.by.contains_key(&key) {
            self.make_room(now);
        }
        let tries = self.by.entry(key).or_insert(Tries { wrong: 0, last: now, locked_until: now });
        if now.millis_since(tries.last) > FORGET_SECONDS * 1000 {
            tries.wrong = 0;
        }
        tries.wrong = tries.wrong.saturating_add(1);
        tries.last = now;
        if let Some(beyond) = tries.wrong.checked_sub(FREE) {
            let seconds = LOCK_SECONDS.saturating_mul(1 << beyond.min(16)).min(LOCK_SECONDS_MAX);
            tries.locked_until = now.plus_seconds(seconds);
        }
    }

    /// A password was right.
    pub fn right(&mut self, name: &str, remote: IpAddr) {
        if !self.by.is_empty() {
            self.by.remove(&key(name, remote));
        }
    }

    fn make_room(&mut self, now: Timestamp) {
        self.by.retain(|_, tries| now.millis_since(tries.last) <= FORGET_SECONDS * 1000);
        if self.by.len() >= REMEMBERED
            && let Some(oldest) = self.by.iter().min_by_key(|(_, tries)| tries.last).map(|(key, _)| key.clone())
        {
            self.by.remove(&oldest);
        }
    }
}

/// Whoever has one IPv6 address has a whole /64 of them.
fn key(name: &str, remote: IpAddr) -> Key {
    let network = match remote.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 => v4,
    };
    // A name is looked up only if it is one, so a long one needs no more than its beginning.
    (name.chars().take(64).collect(), network)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_795_378_496_007).plus_seconds(seconds)
    }

    fn guessed(times: u32) -> Guesses {
        let mut guesses = Guesses::default();
        (0..times).for_each(|_| guesses.wrong("shop", HERE, at(0)));
        guesses
    }

    #[test]
    fn some_mistakes_are_free_and_then_every_one_costs_twice_as_much() {
        assert!(!guessed(FREE - 1).is_locked("shop", HERE, at(0)));
        for (more, seconds) in [(0, 5), (1, 10), (3, 40), (20, 900), (100, 900)] {
            let guesses = guessed(FREE + more);
            assert!(guesses.is_locked("shop", HERE, at(seconds - 1)), "{more}");
            assert!(!guesses.is_locked("shop", HERE, at(seconds)), "{more}");
        }
    }

    #[test]
    fn only_the_guesser_is_locked_out_and_only_of_what_it_guessed_at() {
        let guesses = guessed(FREE + 5);
        assert!(!guesses.is_locked("shop", THERE, at(0)) && !guesses.is_locked("bank", HERE, at(0)));
        let mut guesses = Guesses::default();
        let v6 = |text: &str| text.parse::<IpAddr>().unwrap();
        (0..FREE).for_each(|n| guesses.wrong("shop", v6(&format!("2001:db8::{n}")), at(0)));
        assert!(guesses.is_locked("shop", v6("2001:db8::ffff"), at(0)));
        assert!(!guesses.is_locked("shop", v6("2001:db8:1::1"), at(0)));
    }

    #[test]
    fn the_right_password_and_time_forgive() {
        let mut guesses = guessed(FREE + 5);
        guesses.right("shop", HERE);
        assert!(guesses.by.is_empty() && !guesses.is_locked("shop", HERE, at(0)));
        let mut guesses = guessed(FREE - 1);
        guesses.wrong("shop", HERE, at(FORGET_SECONDS + 1));
        assert!(!guesses.is_locked("shop", HERE, at(FORGET_SECONDS + 1)));
    }

    #[test]
    fn guessers_are_remembered_up_to_a_number() {
        let mut guesses = guessed(FREE);
        for n in 0..REMEMBERED * 2 {
            guesses.wrong(&n.to_string(), HERE, at(1));
        }
        assert!(guesses.by.len() <= REMEMBERED);
        assert!(!guesses.is_locked("shop", HERE, at(1)));
    }
}
