//! Leaving alone who guesses passwords. Pure; the clock comes in.
//!
//! Failed logins are counted by address and by name. Each failure of an address doubles the
//! time for which it is refused without a look at its password. A name has more patience,
//! and an address from which it was logged in before is not held back by others' guesses: otherwise
//! anybody could lock a customer out.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// Failures of a name that have no consequence.
const PATIENCE: u32 = 10;
const WAIT_MIN: Duration = Duration::from_secs(1);
const WAIT_MAX: Duration = Duration::from_secs(300);
/// After so long without another failure all is forgotten.
const FORGET_AFTER: Duration = Duration::from_secs(900);
/// Addresses, and names, that are remembered.
const REMEMBERED: usize = 10_000;

/// Who has failed to log in.
#[derive(Debug, Default)]
pub(super) struct Lockout {
    addresses: HashMap<IpAddr, Failures>,
    names: HashMap<Box<[u8]>, Failures>,
    /// Where each name was logged in from.
    known: HashMap<(Box<[u8]>, IpAddr), Duration>,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: Duration,
    /// Refused until then.
    until: Duration,
}

impl Lockout {
    /// May this login be looked at? If not, how long it has to wait.
    pub fn check(&self, from: IpAddr, name: &[u8], now: Duration) -> Result<(), Duration> {
        let from = network(from);
        let held = |failures: Option<&Failures>| failures.map_or(Duration::ZERO, |f| f.until.saturating_sub(now));
        let mut wait = held(self.addresses.get(&from));
        if !self.known.contains_key(&(name.into(), from)) {
            wait = wait.max(held(self.names.get(name)));
        }
        if wait.is_zero() { Ok(()) } else { Err(wait) }
    }

    /// The name or the password was wrong.
    pub fn failed(&mut self, from: IpAddr, name: &[u8], now: Duration) {
        count(&mut self.addresses, network(from), 0, now);
        count(&mut self.names, name.into(), PATIENCE, now);
    }

    /// The login was right.
    pub fn succeeded(&mut self, from: IpAddr, name: &[u8], now: Duration) {
        let from = network(from);
        self.addresses.remove(&from);
        make_room(&mut self.known, |last| *last, now, Duration::MAX);
        self.known.insert((name.into(), from), now);
    }
}

fn count<K: Eq + Hash>(all: &mut HashMap<K, Failures>, key: K, patience: u32, now: Duration) {
    make_room(all, |failures| failures.last, now, FORGET_AFTER);
    let failures = all.entry(key).or_insert(Failures { count: 0, last: now, until: Duration::ZERO });
    if now.saturating_sub(failures.last) > FORGET_AFTER {
        failures.count = 0;
    }
    failures.count = failures.count.saturating_add(1);
    failures.last = now;
    if let Some(doublings) = failures.count.checked_sub(patience + 1) {
        failures.until = now + WAIT_MAX.min(WAIT_MIN * 2u32.saturating_pow(doublings.min(16)));
    }
}

/// Forgets what is old when there is no room; if all is new, the older half.
fn make_room<K: Eq + Hash, V>(all: &mut HashMap<K, V>, last: impl Fn(&V) -> Duration, now: Duration, keep: Duration) {
    if all.len() < REMEMBERED {
        return;
    }
    all.retain(|_, value| now.saturating_sub(last(value)) <= keep);
    if all.len() >= REMEMBERED {
        let mut times: Vec<Duration> = all.values().map(&last).collect();
        let middle = times.len() / 2;
        let (_, median, _) = times.select_nth_unstable(middle);
        let median = *median;
        all.retain(|_, value| last(value) > median);
    }
}

/// One customer has a whole /64 of IPv6 (RFC 4291 §2.5.4).
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn each_failure_of_an_address_doubles_its_wait_up_to_five_minutes() {
        let mut lockout = Lockout::default();
        let (mut now, mut waits) = (at(1), Vec::new());
        for _ in 0..11 {
            lockout.failed(HERE, b"x", now);
            let wait = lockout.check(HERE, b"y", now).unwrap_err();
            waits.push(wait.as_secs());
            now += wait;
            assert_eq!(lockout.check(HERE, b"y", now), Ok(()));
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(lockout.check(THERE, b"y", at(1)), Ok(()));
        lockout.succeeded(HERE, b"y", now);
        lockout.failed(HERE, b"x", now);
        assert_eq!(lockout.check(HERE, b"y", now), Err(at(1)), "counted anew");
    }

    #[test]
    fn a_name_that_many_guess_at_is_held_back_but_not_where_it_belongs() {
        let mut lockout = Lockout::default();
        lockout.succeeded(HERE, b"shop", at(0));
        for n in 0..=PATIENCE {
            assert_eq!(lockout.check(THERE, b"shop", at(1)), Ok(()));
            lockout.failed(IpAddr::V4(std::net::Ipv4Addr::from(n)), b"shop", at(1));
        }
        assert_eq!(lockout.check(THERE, b"shop", at(1)), Err(at(1)));
        assert_eq!(lockout.check(HERE, b"shop", at(1)), Ok(()));
        assert_eq!(lockout.check(THERE, b"other", at(1)), Ok(()));
    }

    #[test]
    fn old_failures_are_forgotten_and_memory_is_bounded() {
        let mut lockout = Lockout::default();
        for n in 0..REMEMBERED as u32 * 2 {
            lockout.failed(IpAddr::V4(std::net::Ipv4Addr::from(n)), &n.to_be_bytes(), at(u64::from(n) / 100));
        }
        assert!(lockout.addresses.len() <= REMEMBERED && lockout.names.len() <= REMEMBERED);
        let mut lockout = Lockout::default();
        lockout.failed(HERE, b"x", at(0));
        lockout.failed(HERE, b"x", at(2000));
        assert_eq!(lockout.check(HERE, b"x", at(2000)), Err(at(1)));
    }

    #[test]
    fn a_whole_network_of_ipv6_is_one_address() {
        let mut lockout = Lockout::default();
        lockout.failed("2001:db8::1".parse().unwrap(), b"x", at(0));
        assert!(lockout.check("2001:db8::2:3".parse().unwrap(), b"y", at(0)).is_err());
        assert!(lockout.check("2001:db8:0:1::1".parse().unwrap(), b"y", at(0)).is_ok());
    }
}
