//! What a modem's messages are called, so that their status reports find them.
//!
//! A modem gives each message a reference, which comes again after 256 messages, or when the modem starts anew. So a
//! name has the end of the recipient's number, the reference, and the *round* of references that it is of. A report
//! does not know its round: it may be of any, and the time at which the service centre took its message says of which.

use std::sync::{Mutex, PoisonError};

use model::Timestamp;

/// Digits at the end of a number that are compared: networks add and drop prefixes.
const DIGITS: usize = 8;
/// Rounds that are told from each other. One takes four minutes at a message a second.
const ROUNDS: u8 = 16;
/// Where counting begins is another one after each start, about: the names of before may still be in use.
const ROUND_MS: i64 = 256_000;

/// The references of one SIM.
#[derive(Debug, Default)]
pub(crate) struct Names(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    round: Option<u8>,
    last: u8,
}

impl Names {
    /// The name of a message that went to this number, and got this reference now.
    pub(super) fn given(&self, to: &str, reference: u8, now: Timestamp) -> Box<str> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let round = match known.round {
            None => u8::try_from(now.as_millis().div_euclid(ROUND_MS).rem_euclid(ROUNDS.into())).unwrap_or(0),
            Some(round) if reference <= known.last => (round + 1) % ROUNDS,
            Some(round) => round,
        };
        *known = Known { round: Some(round), last: reference };
        name(to, reference, round)
    }

    /// What a message may be called that a report speaks of: of this round first, then of those before.
    pub(super) fn of_report(&self, to: &str, reference: u8) -> Vec<Box<str>> {
        let round = self.0.lock().unwrap_or_else(PoisonError::into_inner).round.unwrap_or(0);
        (0..ROUNDS).map(|ago| name(to, reference, (round + ROUNDS - ago) % ROUNDS)).collect()
    }
}

fn name(to: &str, reference: u8, round: u8) -> Box<str> {
    let digits: Vec<char> = to.chars().filter(char::is_ascii_digit).collect();
    let tail: String = digits.iter().skip(digits.len().saturating_sub(DIGITS)).collect();
    format!("{tail}:{reference}:{round}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_millis(1_795_435_200_000);

    #[test]
    fn a_name_is_the_same_with_and_without_a_prefix() {
        assert_eq!(&*name("+447700900123", 7, 0), "00900123:7:0");
        assert_eq!(name("07700900123", 7, 3), name("+447700900123", 7, 3));
        assert_eq!(&*name("60777", 255, 15), "60777:255:15");
    }

    #[test]
    fn a_reference_that_comes_again_is_of_another_round() {
        let names = Names::default();
        let all: Vec<Box<str>> = (0..600u32).map(|n| names.given("60777", (n % 256) as u8, NOON)).collect();
        let distinct: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), 600);
        // The last is the likeliest, and every one may be meant.
        let [first, second, third] = [3, 259, 515].map(|n| &all[n]);
        let asked = names.of_report("60777", 3);
        assert_eq!((&asked[0], &asked[1], &asked[2], asked.len()), (third, second, first, 16));
    }

    #[test]
    fn a_modem_that_starts_anew_begins_a_round() {
        let names = Names::default();
        let before = [1, 2, 3].map(|reference| names.given("60777", reference, NOON));
        let after = [1, 2, 3].map(|reference| names.given("60777", reference, NOON));
        assert!(before.iter().all(|name| !after.contains(name)), "{before:?} {after:?}");
        // So does the gateway.
        let later = Names::default().given("60777", 1, NOON.plus_seconds(300));
        assert_ne!(before[0], later);
    }
}
