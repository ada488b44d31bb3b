//! What the engine asks the SMSC about messages that it has: enquire status (04) and cancel (06).

use std::collections::HashMap;
use std::time::Duration;

use cimd2::{Cancel, EnquireStatus, ErrorCode, Packet, Session, SubmitError};
use engine::dispatch::{Ask, Inquiry, Told};
use model::Reason;
use model::resources::StatusClass;

use super::answer::{class, detail};
use super::incoming;

/// Tokens of inquiries have this bit; tickets of parts, counted from 0, never do.
const MARK: u64 = 1 << 63;
/// The token of what asks for the account's messages.
pub(super) const DELIVERIES: u64 = u64::MAX;

/// The inquiries of one session that are unanswered. One that is dropped has no answer.
#[derive(Debug, Default)]
pub(super) struct Inquiries {
    open: HashMap<u64, Inquiry>,
    next: u64,
}

impl Inquiries {
    /// How many more may be sent in a window of this size: never more than half of it.
    pub(super) fn room(&self, window: usize) -> usize {
        (window / 2).max(1).saturating_sub(self.open.len())
    }

    /// Sends an inquiry about a message to `destination`. One that can't be written is answered at once.
    pub(super) fn send(
        &mut self,
        inquiry: Inquiry,
        session: &mut Session,
        (destination, cancel_mode): (&[u8], u8),
        now: Duration,
    ) {
        let token = MARK | self.next;
        let timestamp = timestamp(&inquiry.remote_id).unwrap_or_default().to_owned();
        let timestamp = timestamp.as_bytes();
        let sent = match &inquiry.ask {
            Ask::Cancel => {
                let cancel = Cancel { mode: Some(cancel_mode), destination, timestamp, ..Cancel::default() };
                session.request(&cancel, token, now)
            }
            Ask::State => {
                let enquire = EnquireStatus { destination, timestamp, ..EnquireStatus::default() };
                session.request(&enquire, token, now)
            }
            Ask::Replace(_) => {
                let reason = Reason::new("unsendable", "CIMD2 has no operation that replaces a message", true);
                return inquiry.answer(Told::Refused(reason));
            }
        };
        match sent {
            Ok(_) => {
                self.next = (self.next + 1) % (MARK >> 1);
                self.open.insert(token, inquiry);
            }
            Err(SubmitError::Encode(error)) => {
                inquiry.answer(Told::Refused(Reason::new("unsendable", error.to_string(), true)));
            }
            Err(_) => {}
        }
    }

    /// Whether an answer is to one of these, and not to a submission.
    pub(super) fn is_one(token: u64) -> bool {
        token & MARK != 0
    }

    /// The SMSC has answered.
    pub(super) fn answered(&mut self, token: u64, error: ErrorCode, packet: &Packet<'_>) {
        let Some(inquiry) = self.open.remove(&token) else { return };
        let told = match (error.is_ok(), &inquiry.ask, packet) {
            (true, Ask::Cancel, Packet::CancelResp(_)) => Told::Canceled,
            (true, Ask::State, Packet::EnquireStatusResp(answer)) => {
                Told::State(incoming::receipt(answer.status, answer.status_error))
            }
            _ => {
                let permanent = class(error) == StatusClass::Permanent;
                let word = if permanent { "carrier_refused" } else { "carrier_busy" };
                Told::Refused(Reason::new(word, detail(error, packet.outcome().1), permanent))
            }
        };
        inquiry.answer(told);
    }

    /// No answer came.
    pub(super) fn timed_out(&mut self, token: u64) {
        self.open.remove(&token);
    }
}

/// The time stamp in a remote id, `destination:timestamp` with a number perhaps.
fn timestamp(remote_id: &str) -> Option<&str> {
    let (_, timestamp) = remote_id.split_once(':')?;
    Some(timestamp.split_once('/').map_or(timestamp, |(timestamp, _)| timestamp))
}
