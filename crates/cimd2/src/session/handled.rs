//! The peer's last requests and what they were answered, so that one that is repeated is answered again, and not
//! dealt with twice.
//!
//! A request is the same as another if number, operation and parameters are. Some peers give one number to all, so the
//! number alone says nothing.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::frame::Header;
use crate::operation::OperationCode;

/// How many requests are remembered at least. Half of the numbers: a number that comes round again is a new request.
const REMEMBERED: usize = 64;

/// The peer's last requests.
#[derive(Debug)]
pub(super) struct Handled {
    requests: VecDeque<Request>,
    unanswered: usize,
    max_unanswered: usize,
}

#[derive(Debug)]
struct Request {
    header: Header,
    digest: u64,
    /// `None` until the caller answers.
    answer: Option<Vec<u8>>,
}

/// What is known of a request that comes in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Known<'a> {
    /// Nothing.
    New,
    /// The same has come before, and the caller has not answered yet.
    Waiting,
    /// The same has come before, and this was the answer.
    Answered(&'a [u8]),
}

impl Handled {
    pub(super) fn new(max_unanswered: usize) -> Self {
        Self { requests: VecDeque::new(), unanswered: 0, max_unanswered }
    }

    /// How many the caller has not answered.
    pub(super) fn unanswered(&self) -> usize {
        self.unanswered
    }

    pub(super) fn is_full(&self) -> bool {
        self.unanswered >= self.max_unanswered
    }

    pub(super) fn find(&self, header: Header, parameters: &[u8]) -> Known<'_> {
        if !self.requests.iter().any(|request| request.header == header) {
            return Known::New;
        }
        let digest = digest(parameters);
        match self.requests.iter().rev().find(|request| request.header == header && request.digest == digest) {
            None => Known::New,
            Some(Request { answer: None, .. }) => Known::Waiting,
            Some(Request { answer: Some(answer), .. }) => Known::Answered(answer),
        }
    }

    /// Adds a new request. Of the answered ones the oldest is forgotten.
    pub(super) fn insert(&mut self, header: Header, parameters: &[u8]) {
        // More would make a number that comes round again, with the same parameters, look like a repetition.
        while self.requests.len() >= REMEMBERED
            && let Some(at) = self.requests.iter().position(|request| request.answer.is_some())
        {
            self.requests.remove(at);
        }
        self.requests.push_back(Request { header, digest: digest(parameters), answer: None });
        self.unanswered += 1;
    }

    /// The operation of the oldest unanswered request with this number.
    pub(super) fn operation(&self, sequence: u16) -> Option<OperationCode> {
        let mut requests = self.requests.iter();
        let request = requests.find(|request| request.header.sequence == sequence && request.answer.is_none())?;
        Some(request.header.operation)
    }

    /// The oldest unanswered request with this number was answered. A refusal is not remembered: what was not taken
    /// may be asked for again.
    pub(super) fn answered(&mut self, sequence: u16, answer: &[u8], refused: bool) {
        let is_it = |request: &Request| request.header.sequence == sequence && request.answer.is_none();
        let Some(at) = self.requests.iter().position(is_it) else {
            return;
        };
        self.unanswered -= 1;
        if refused {
            self.requests.remove(at);
        } else if let Some(request) = self.requests.get_mut(at) {
            request.answer = Some(answer.to_vec());
        }
    }
}

fn digest(parameters: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    parameters.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(sequence: u16) -> Header {
        Header { operation: OperationCode::DELIVER, sequence }
    }

    #[test]
    fn the_same_is_known_and_what_only_has_the_number_is_not() {
        let mut handled = Handled::new(2);
        assert_eq!(handled.find(header(0), b"a"), Known::New);
        handled.insert(header(0), b"a");
        assert_eq!(handled.find(header(0), b"a"), Known::Waiting);
        assert_eq!(handled.find(header(0), b"b"), Known::New);
        assert_eq!(handled.find(header(2), b"a"), Known::New);
        handled.insert(header(0), b"b");
        assert!(handled.is_full());
        assert_eq!((handled.operation(0), handled.operation(2)), (Some(OperationCode::DELIVER), None));
        handled.answered(0, b"to a", false);
        handled.answered(0, b"to b", false);
        handled.answered(0, b"to nothing", false);
        assert_eq!(handled.find(header(0), b"a"), Known::Answered(b"to a"));
        assert_eq!(handled.find(header(0), b"b"), Known::Answered(b"to b"));
        assert_eq!((handled.unanswered(), handled.operation(0)), (0, None));
    }

    #[test]
    fn what_was_refused_may_be_asked_for_again() {
        let mut handled = Handled::new(2);
        handled.insert(header(0), b"a");
        handled.answered(0, b"not now", true);
        assert_eq!((handled.find(header(0), b"a"), handled.unanswered()), (Known::New, 0));
    }

    #[test]
    fn the_same_text_to_the_same_phone_is_another_message_when_its_number_comes_round() {
        let mut handled = Handled::new(200);
        for _ in 0..3 {
            for sequence in (1..256).step_by(2) {
                assert_eq!(handled.find(header(sequence), b"same"), Known::New, "{sequence}");
                handled.insert(header(sequence), b"same");
                handled.answered(sequence, b"taken", false);
            }
        }
    }

    #[test]
    fn memory_is_bounded_and_keeps_what_is_unanswered() {
        let mut handled = Handled::new(1);
        handled.insert(header(999), b"open");
        for sequence in 0..500 {
            handled.insert(header(sequence), b"");
            handled.answered(sequence, b"answer", false);
        }
        assert_eq!(handled.requests.len(), REMEMBERED);
        assert_eq!(handled.find(header(999), b"open"), Known::Waiting);
        assert_eq!(handled.find(header(436), b""), Known::New);
        assert_eq!(handled.find(header(437), b""), Known::Answered(b"answer"));
    }
}
