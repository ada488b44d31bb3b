//! Packets by what they are, for whoever shows them.

use crate::error_code::ErrorCode;
use crate::operation::OperationCode;

/// How many packets of one kind came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PacketCount {
    /// They came; otherwise they were sent.
    pub incoming: bool,
    /// Which operation; `OperationCode(0)` stands for all that the protocol does not know.
    pub operation: OperationCode,
    /// The error code of a response, `ErrorCode(u16::MAX)` for all without a name; OK for requests.
    pub error: ErrorCode,
    /// How many.
    pub count: u64,
}

/// Counts of what has come and gone since they were asked for last. There are as many as kinds that the
/// session has met, which the protocol bounds.
#[derive(Debug, Default)]
pub(super) struct Tally {
    counts: Vec<PacketCount>,
}

impl Tally {
    #[inline]
    pub(super) fn add(&mut self, incoming: bool, operation: OperationCode, error: ErrorCode) {
        let same = |of: &&mut PacketCount| of.operation == operation && of.error == error && of.incoming == incoming;
        match self.counts.iter_mut().find(same) {
            Some(of) => of.count += 1,
            None => self.add_new(incoming, operation, error),
        }
    }

    /// A packet that came is put back, and will come again.
    pub(super) fn take_back(&mut self, operation: OperationCode) {
        let operation = known(operation);
        if let Some(of) = self.counts.iter_mut().find(|of| of.incoming && of.operation == operation) {
            of.count = of.count.saturating_sub(1);
        }
    }

    /// Gives every count that is not 0, and begins anew.
    pub(super) fn take(&mut self) -> impl Iterator<Item = PacketCount> + '_ {
        self.counts.iter_mut().filter(|of| of.count > 0).map(|of| {
            let taken = *of;
            of.count = 0;
            taken
        })
    }

    #[cold]
    fn add_new(&mut self, incoming: bool, operation: OperationCode, error: ErrorCode) {
        let operation = known(operation);
        let error = if error.name().is_some() { error } else { ErrorCode(u16::MAX) };
        let same = |of: &&mut PacketCount| of.operation == operation && of.error == error && of.incoming == incoming;
        match self.counts.iter_mut().find(same) {
            Some(of) => of.count += 1,
            None => self.counts.push(PacketCount { incoming, operation, error, count: 1 }),
        }
    }
}

fn known(operation: OperationCode) -> OperationCode {
    if operation.name().is_some() { operation } else { OperationCode(0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_counted_and_what_is_unknown_together() {
        let mut tally = Tally::default();
        for code in [3, 33, 34, 3] {
            tally.add(true, OperationCode(code), ErrorCode::OK);
        }
        for error in [0, 317, 999, 10] {
            tally.add(false, OperationCode::SUBMIT_RESP, ErrorCode(error));
        }
        tally.take_back(OperationCode::SUBMIT);
        let taken: Vec<_> = tally.take().map(|of| (of.incoming, of.operation.0, of.error.0, of.count)).collect();
        let expected =
            [(true, 3, 0, 1), (true, 0, 0, 2), (false, 53, 0, 1), (false, 53, u16::MAX, 2), (false, 53, 10, 1)];
        assert_eq!(taken, expected);
        assert_eq!(tally.take().count(), 0);
    }
}
