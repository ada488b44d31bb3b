//! How long to wait with a part that a carrier refused for now.

use std::collections::HashMap;
use std::time::Duration;

use model::MessageId;

/// Before a part is tried again that was refused for now; doubled each time.
const RETRY_MIN: Duration = Duration::from_secs(1);
/// The longest such wait.
const RETRY_MAX: Duration = Duration::from_secs(300);
/// Messages whose refusals are remembered; with more, all begin anew.
const REMEMBERED: usize = 10_000;

/// How often the carrier refused each message for now.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    refusals: HashMap<MessageId, u32>,
}

impl Patience {
    /// It was refused once more: how long to wait.
    pub(crate) fn refused(&mut self, message: MessageId) -> Duration {
        if self.refusals.len() >= REMEMBERED {
            self.refusals.clear();
        }
        let refused = self.refusals.entry(message).or_insert(0);
        let wait = RETRY_MIN.saturating_mul(1 << (*refused).min(16)).min(RETRY_MAX);
        *refused = refused.saturating_add(1);
        wait
    }

    /// The carrier has decided about it.
    pub(crate) fn decided(&mut self, message: MessageId) {
        if !self.refusals.is_empty() {
            self.refusals.remove(&message);
        }
    }
}

#[cfg(test)]
mod tests {
    use model::id::Uuid;

    use super::*;

    #[test]
    fn waits_grow_for_each_message_until_it_is_taken() {
        let mut patience = Patience::default();
        let mut wait = |message| patience.refused(MessageId(Uuid::from_u128(message))).as_secs();
        assert_eq!([wait(1), wait(1), wait(2), wait(1)], [1, 2, 1, 4]);
        assert_eq!((0..20).map(|_| wait(1)).max(), Some(300));
        patience.decided(MessageId(Uuid::from_u128(1)));
        assert_eq!(patience.refused(MessageId(Uuid::from_u128(1))).as_secs(), 1);
    }
}
