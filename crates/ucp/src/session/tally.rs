//! Frames by what they are, for whoever shows them.

use crate::code::ErrorCode;
use crate::frame::Kind;
use crate::ot::OperationType;

/// How many frames of one sort came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameCount {
    /// They came; otherwise they were sent.
    pub incoming: bool,
    /// Operations or results.
    pub kind: Kind,
    /// Which operation; `OperationType(0)` stands for all that are not known.
    pub ot: OperationType,
    /// The error code of a negative result, `ErrorCode(0)` for all without a meaning; `None` for all others.
    pub code: Option<ErrorCode>,
    /// How many.
    pub count: u64,
}

/// Counts of what has come and gone since they were asked for last. There are as many as sorts that the session
/// has met, which the standard bounds.
#[derive(Debug, Default)]
pub(super) struct Tally {
    counts: Vec<FrameCount>,
}

impl Tally {
    #[inline]
    pub(super) fn add(&mut self, incoming: bool, kind: Kind, ot: OperationType, code: Option<ErrorCode>) {
        match self.find(incoming, kind, ot, code) {
            Some(of) => of.count += 1,
            None => self.add_new(incoming, kind, ot, code),
        }
    }

    /// An operation that came is put back, and will come again.
    pub(super) fn take_back(&mut self, ot: OperationType) {
        if let Some(of) = self.find(true, Kind::Operation, known(ot), None) {
            of.count = of.count.saturating_sub(1);
        }
    }

    /// Gives every count that is not 0, and begins anew.
    pub(super) fn take(&mut self) -> impl Iterator<Item = FrameCount> + '_ {
        self.counts.iter_mut().filter(|of| of.count > 0).map(|of| {
            let taken = *of;
            of.count = 0;
            taken
        })
    }

    #[inline]
    fn find(
        &mut self,
        incoming: bool,
        kind: Kind,
        ot: OperationType,
        code: Option<ErrorCode>,
    ) -> Option<&mut FrameCount> {
        let same = |of: &&mut FrameCount| of.ot == ot && of.kind == kind && of.code == code && of.incoming == incoming;
        self.counts.iter_mut().find(same)
    }

    #[cold]
    fn add_new(&mut self, incoming: bool, kind: Kind, ot: OperationType, code: Option<ErrorCode>) {
        let known_code = |code: ErrorCode| {
            if code.meaning().is_some() || code.is_proprietary() { code } else { ErrorCode(0) }
        };
        let (ot, code) = (known(ot), code.map(known_code));
        match self.find(incoming, kind, ot, code) {
            Some(of) => of.count += 1,
            None => self.counts.push(FrameCount { incoming, kind, ot, code, count: 1 }),
        }
    }
}

fn known(ot: OperationType) -> OperationType {
    if ot.name().is_some() { ot } else { OperationType(0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_are_counted_and_what_is_unknown_together() {
        let mut tally = Tally::default();
        for ot in [51, 77, 78, 51] {
            tally.add(true, Kind::Operation, OperationType(ot), None);
        }
        for code in [None, Some(4), Some(88), Some(89)] {
            tally.add(false, Kind::Result, OperationType::SUBMIT, code.map(ErrorCode));
        }
        tally.take_back(OperationType::SUBMIT);
        let taken: Vec<_> =
            tally.take().map(|of| (of.incoming, of.ot.0, of.code.map(|code| code.0), of.count)).collect();
        let expected = [
            (true, 51, None, 1),
            (true, 0, None, 2),
            (false, 51, None, 1),
            (false, 51, Some(4), 1),
            (false, 51, Some(0), 2),
        ];
        assert_eq!(taken, expected);
        assert_eq!(tally.take().count(), 0);
    }
}
