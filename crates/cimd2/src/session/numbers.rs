//! The numbers of our packets: every other one of 0–255, round and round.

use super::outstanding::Outstanding;

/// How many numbers each side has.
const NUMBERS: usize = 128;

/// Which number comes next, and which are better left alone.
#[derive(Debug)]
pub(super) struct Numbers {
    next: u8,
    /// One bit for each number (by half of it) whose answer never came. An answer that comes late after all must not
    /// be taken for that of another request, so these are passed over, once, when their turn comes again.
    lost: u128,
}

impl Numbers {
    pub(super) fn starting_at(first: u8) -> Self {
        Self { next: first, lost: 0 }
    }

    /// The next number that can be used; `None` while a request that was sent a whole round ago still has it. Numbers
    /// in use are not passed over, because the peer expects them in order.
    pub(super) fn fresh(&self, outstanding: &Outstanding) -> Option<u8> {
        let next = std::iter::successors(Some(self.next), |number| Some(number.wrapping_add(2)))
            .take(NUMBERS)
            .find(|number| !self.is_lost(*number) || outstanding.contains(*number))
            .unwrap_or(self.next);
        (!outstanding.contains(next)).then_some(next)
    }

    /// The next number, for the last packet of all.
    pub(super) fn next_anyway(&self) -> u8 {
        self.next
    }

    /// How many numbers can be used one after the other, up to so many.
    pub(super) fn room(&self, outstanding: &Outstanding, wanted: usize) -> usize {
        let round = std::iter::successors(Some(self.next), |number| Some(number.wrapping_add(2))).take(NUMBERS);
        let free = round.take_while(|number| !outstanding.contains(*number)).filter(|number| !self.is_lost(*number));
        let one = usize::from(wanted > 0 && self.fresh(outstanding).is_some());
        free.take(wanted).count().max(one)
    }

    /// Whether this number is odd or even like ours.
    pub(super) fn are_like(&self, number: u8) -> bool {
        self.next % 2 == number % 2
    }

    /// A number was used, and those before it passed over.
    pub(super) fn used(&mut self, number: u8) {
        let mut passed = self.next;
        while passed != number {
            self.found(passed);
            passed = passed.wrapping_add(2);
            if passed == self.next {
                break;
            }
        }
        self.found(number);
        self.next = number.wrapping_add(2);
    }

    /// The peer counts otherwise: this is the number that it will expect next.
    pub(super) fn continue_at(&mut self, next: u8) {
        *self = Self::starting_at(next);
    }

    /// Its answer did not come.
    pub(super) fn lose(&mut self, number: u8) {
        self.lost |= bit(number);
    }

    /// Its answer came late, or nobody waits for it any more.
    pub(super) fn found(&mut self, number: u8) {
        self.lost &= !bit(number);
    }

    fn is_lost(&self, number: u8) -> bool {
        self.lost & bit(number) != 0
    }
}

fn bit(number: u8) -> u128 {
    1 << (number / 2)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::operation::OperationCode;

    fn outstanding(numbers: &[u8]) -> Outstanding {
        let mut outstanding = Outstanding::default();
        for number in numbers {
            outstanding.insert(*number, OperationCode::SUBMIT, Some(1), Duration::ZERO, b"");
        }
        outstanding
    }

    #[test]
    fn go_round_on_either_side() {
        let none = outstanding(&[]);
        for (first, last) in [(1, 255), (0, 254)] {
            let mut numbers = Numbers::starting_at(first);
            for expected in (first..=last).step_by(2).chain([first]) {
                let fresh = numbers.fresh(&none).unwrap();
                assert_eq!(fresh, expected);
                numbers.used(fresh);
            }
        }
    }

    #[test]
    fn a_number_in_use_is_waited_for() {
        let numbers = Numbers::starting_at(253);
        let open = outstanding(&[1]);
        assert_eq!((numbers.fresh(&open), numbers.room(&open, 200)), (Some(253), 2));
        let numbers = Numbers::starting_at(1);
        assert_eq!((numbers.fresh(&open), numbers.room(&open, 200)), (None, 0));
        assert_eq!(numbers.room(&outstanding(&[]), 200), 128);
    }

    #[test]
    fn a_lost_number_is_passed_over_once() {
        let none = outstanding(&[]);
        let mut numbers = Numbers::starting_at(1);
        numbers.lose(1);
        numbers.lose(5);
        assert_eq!((numbers.fresh(&none), numbers.room(&none, 200)), (Some(3), 126));
        numbers.used(3);
        assert_eq!(numbers.fresh(&none), Some(7));
        numbers.found(5);
        assert_eq!(numbers.fresh(&none), Some(5));
        numbers = Numbers::starting_at(1);
        assert_eq!(numbers.fresh(&none), Some(1));
        for number in (1..=255).step_by(2) {
            numbers.lose(number);
        }
        assert_eq!((numbers.fresh(&none), numbers.room(&none, 200)), (Some(1), 1));
        assert_eq!(numbers.fresh(&outstanding(&[1])), None);
    }
}
