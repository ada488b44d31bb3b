//! PDUs by what they are, for whoever shows them.

use crate::command::CommandId;
use crate::status::CommandStatus;

/// How many PDUs of one kind came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PduCount {
    /// They came; otherwise they were sent.
    pub incoming: bool,
    /// Which operation; `CommandId(0)` stands for all that the standard does not know.
    pub id: CommandId,
    /// The status of a response, `CommandStatus(u32::MAX)` for all without a name; ROK for requests.
    pub status: CommandStatus,
    /// How many.
    pub count: u64,
}

/// Counts of what has come and gone since they were asked for last. There are as many as kinds that the
/// session has met, which the standard bounds.
#[derive(Debug, Default)]
pub(super) struct Tally {
    counts: Vec<PduCount>,
}

impl Tally {
    #[inline]
    pub(super) fn add(&mut self, incoming: bool, id: CommandId, status: CommandStatus) {
        let status = if id.is_response() { status } else { CommandStatus::ROK };
        let same = |of: &&mut PduCount| of.id == id && of.status == status && of.incoming == incoming;
        match self.counts.iter_mut().find(same) {
            Some(of) => of.count += 1,
            None => self.add_new(incoming, id, status),
        }
    }

    /// A PDU that came is put back, and will come again.
    pub(super) fn take_back(&mut self, id: CommandId) {
        let id = known(id);
        if let Some(of) = self.counts.iter_mut().find(|of| of.incoming && of.id == id) {
            of.count = of.count.saturating_sub(1);
        }
    }

    /// Gives every count that is not 0, and begins anew.
    pub(super) fn take(&mut self) -> impl Iterator<Item = PduCount> + '_ {
        self.counts.iter_mut().filter(|of| of.count > 0).map(|of| {
            let taken = *of;
            of.count = 0;
            taken
        })
    }

    #[cold]
    fn add_new(&mut self, incoming: bool, id: CommandId, status: CommandStatus) {
        let (id, status) = (known(id), if status.name().is_some() { status } else { CommandStatus(u32::MAX) });
        match self.counts.iter_mut().find(|of| of.id == id && of.status == status && of.incoming == incoming) {
            Some(of) => of.count += 1,
            None => self.counts.push(PduCount { incoming, id, status, count: 1 }),
        }
    }
}

fn known(id: CommandId) -> CommandId {
    if id.name().is_some() { id } else { CommandId(0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_counted_and_what_is_unknown_together() {
        let mut tally = Tally::default();
        for id in [CommandId::SUBMIT_SM, CommandId(0x77), CommandId(0x78), CommandId::SUBMIT_SM] {
            tally.add(true, id, CommandStatus(9));
        }
        for status in [CommandStatus::ROK, CommandStatus(0x412), CommandStatus(0x413)] {
            tally.add(false, CommandId::SUBMIT_SM_RESP, status);
        }
        tally.take_back(CommandId::SUBMIT_SM);
        let taken: Vec<_> = tally.take().map(|of| (of.incoming, of.id.0, of.status.0, of.count)).collect();
        let expected =
            [(true, 4, 0, 1), (true, 0, 0, 2), (false, 0x8000_0004, 0, 1), (false, 0x8000_0004, u32::MAX, 2)];
        assert_eq!(taken, expected);
        assert_eq!(tally.take().count(), 0);
    }
}
