//! Our requests that the peer has not answered yet, in the order in which they were sent first.
//!
//! There are at most 127, usually one or a few, so they are simply gone through. Their octets are kept, for a nack
//! asks for them again.

use std::collections::VecDeque;
use std::time::Duration;

use crate::operation::OperationCode;
use crate::values::hex_digits;

/// Where the three digits of the packet number lie in a packet of ours.
const NUMBER_AT: usize = 4;

/// A request that waits for its answer.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) sequence: u8,
    pub(super) operation: OperationCode,
    /// The caller's; `None` for an alive of the session's own.
    pub(super) token: Option<u64>,
    pub(super) deadline: Duration,
    /// How often it was sent again without being asked to.
    pub(super) repeats: u32,
    /// How often it was sent again because of a nack.
    pub(super) nacks: u32,
    pub(super) octets: Vec<u8>,
}

/// The unanswered requests of one session, at most as many as its window.
#[derive(Debug, Default)]
pub(super) struct Outstanding {
    requests: VecDeque<Waiting>,
    /// Buffers to use again.
    spare: Vec<Vec<u8>>,
}

impl Outstanding {
    pub(super) fn len(&self) -> usize {
        self.requests.len()
    }

    /// How many are the caller's.
    pub(super) fn tokens(&self) -> usize {
        self.requests.iter().filter(|request| request.token.is_some()).count()
    }

    pub(super) fn get(&mut self, sequence: u8) -> Option<&mut Waiting> {
        self.requests.iter_mut().find(|request| request.sequence == sequence)
    }

    pub(super) fn contains(&self, sequence: u8) -> bool {
        self.requests.iter().any(|request| request.sequence == sequence)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Waiting> {
        self.requests.iter_mut()
    }

    /// Adds a request that was just written.
    pub(super) fn insert(
        &mut self,
        sequence: u8,
        operation: OperationCode,
        token: Option<u64>,
        deadline: Duration,
        octets: &[u8],
    ) {
        let mut kept = self.spare.pop().unwrap_or_default();
        kept.clear();
        kept.extend_from_slice(octets);
        self.requests.push_back(Waiting { sequence, operation, token, deadline, repeats: 0, nacks: 0, octets: kept });
    }

    /// Removes the request with this number, if it is of an operation that passes; gives its token.
    pub(super) fn remove_if(&mut self, sequence: u8, is_it: impl Fn(OperationCode) -> bool) -> Option<Option<u64>> {
        let at = self.requests.iter().position(|request| request.sequence == sequence && is_it(request.operation))?;
        let request = self.requests.remove(at)?;
        self.spare.push(request.octets);
        Some(request.token)
    }

    /// The request whose time is up first.
    pub(super) fn first_due(&mut self) -> Option<&mut Waiting> {
        self.requests.iter_mut().min_by_key(|request| request.deadline)
    }

    /// When that is.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.requests.iter().map(|request| request.deadline).min()
    }

    /// Removes the oldest of the caller's requests and gives its token.
    pub(super) fn pop_oldest(&mut self) -> Option<u64> {
        while let Some(request) = self.requests.pop_front() {
            if request.token.is_some() {
                return request.token;
            }
        }
        None
    }
}

impl Waiting {
    /// Gives it another number.
    pub(super) fn renumber(&mut self, sequence: u8) {
        self.sequence = sequence;
        let digits = [sequence / 100, sequence / 10 % 10, sequence % 10].map(|digit| b'0' + digit);
        if let Some(place) = self.octets.get_mut(NUMBER_AT..NUMBER_AT + digits.len()) {
            place.copy_from_slice(&digits);
        }
        // Nothing but a checksum stands between the last TAB and ETX.
        let summed = self.octets.iter().rposition(|&octet| octet == crate::frame::TAB).map_or(0, |tab| tab + 1);
        let sum = self.octets.iter().take(summed).fold(0, |sum: u8, octet| sum.wrapping_add(*octet));
        if let Some([high, low, _etx]) = self.octets.get_mut(summed..) {
            [*high, *low] = hex_digits(sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Checksum, Piece, Submit, encode, next_piece};

    #[test]
    fn keeps_the_order_of_sending() {
        let mut outstanding = Outstanding::default();
        for (sequence, token) in [(5, Some(50)), (7, None), (1, Some(52)), (3, Some(53))] {
            let deadline = Duration::from_secs(100 - u64::from(sequence));
            outstanding.insert(sequence, OperationCode::SUBMIT, token, deadline, b"");
        }
        assert_eq!((outstanding.len(), outstanding.tokens()), (4, 3));
        assert_eq!(outstanding.deadline(), Some(Duration::from_secs(93)));
        assert_eq!(outstanding.remove_if(1, |operation| operation == OperationCode::GET), None);
        assert_eq!(outstanding.remove_if(1, |_| true), Some(Some(52)));
        assert_eq!([(); 3].map(|()| outstanding.pop_oldest()), [Some(50), Some(53), None]);
        assert_eq!((outstanding.deadline(), outstanding.len()), (None, 0));
    }

    #[test]
    fn another_number_needs_another_checksum() {
        for with_checksum in [true, false] {
            let mut octets = Vec::new();
            encode(&Submit { text: Some(b"hello"), ..Default::default() }, 3, with_checksum, &mut octets).unwrap();
            let mut outstanding = Outstanding::default();
            outstanding.insert(3, OperationCode::SUBMIT, Some(1), Duration::ZERO, &octets);
            let request = outstanding.get(3).unwrap();
            request.renumber(255);
            let Some(Piece::Frame(frame)) = next_piece(&request.octets, 1024) else { panic!("it is a packet") };
            assert_eq!(frame.header.sequence, 255);
            assert_eq!(frame.checksum, if with_checksum { Checksum::Right } else { Checksum::Absent });
            assert!(outstanding.contains(255) && !outstanding.contains(3));
        }
    }
}
