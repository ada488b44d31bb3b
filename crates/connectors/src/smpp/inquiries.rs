//! What the engine asks the SMSC about parts that it has: cancel_sm, query_sm and replace_sm, and their answers.

use std::collections::HashMap;

use engine::dispatch::{Ask, Inquiry, Told};
use model::resources::Connector;
use model::{Body, Reason};
use smpp::{CancelSm, CommandStatus, Pdu, QuerySm, Session, StatusClass, SubmitError};
use std::time::Duration;

use super::answer::detail;
use super::replacing::Replacing;
use super::{Rules, outgoing};

/// Tokens of inquiries have this bit; tickets of parts, counted from 0, never do.
const MARK: u64 = 1 << 63;

/// The inquiries of one session that are unanswered. One that is dropped has no answer.
#[derive(Debug, Default)]
pub(crate) struct Inquiries {
    open: HashMap<u64, Inquiry>,
    next: u64,
    replacing: Replacing,
}

impl Inquiries {
    /// How many more may be sent in a window of this size: they never take more than half of it, for
    /// some SMSCs leave them unanswered.
    pub(crate) fn room(&self, window: usize) -> usize {
        (window / 2).max(1).saturating_sub(self.open.len())
    }

    /// Sends an inquiry. One that can't be written is answered at once.
    pub(crate) fn send(&mut self, inquiry: Inquiry, session: &mut Session, connector: &Connector, now: Duration) {
        let token = MARK | self.next;
        let Inquiry { body, remote_id, .. } = &inquiry;
        let sent = match &inquiry.ask {
            Ask::Cancel => session.request(&cancel_sm(connector, body, remote_id), token, now),
            Ask::State => session.request(&query_sm(connector, body, remote_id), token, now),
            Ask::Replace(instead) => {
                match self.replacing.replace_sm(connector, (body, instead), remote_id, inquiry.at) {
                    Ok(pdu) => session.request(&pdu, token, now),
                    Err(reason) => return inquiry.answer(Told::Refused(reason)),
                }
            }
        };
        match sent {
            Ok(_) => {
                self.next = self.next.wrapping_add(1) & !MARK;
                self.open.insert(token, inquiry);
            }
            Err(SubmitError::Encode(error)) => {
                inquiry.answer(Told::Refused(Reason::new("unsendable", error.to_string(), true)));
            }
            Err(_) => {}
        }
    }

    /// Whether an answer is to one of these, and not to a submission.
    pub(crate) fn is_one(token: u64) -> bool {
        token & MARK != 0
    }

    /// The SMSC has answered.
    pub(crate) fn answered(&mut self, token: u64, status: CommandStatus, pdu: &Pdu<'_>, rules: &Rules) {
        let Some(inquiry) = self.open.remove(&token) else { return };
        let told = match (status.is_ok(), &inquiry.ask, pdu) {
            (true, Ask::Cancel, Pdu::CancelSmResp) => Told::Canceled,
            (true, Ask::State, Pdu::QuerySmResp(answer)) => Told::State(rules.answer(answer)),
            (true, Ask::Replace(_), Pdu::ReplaceSmResp) => Told::Replaced,
            _ => Told::Refused(refusal(status)),
        };
        inquiry.answer(told);
    }

    /// The SMSC did not even read it: mostly because it does not know the operation.
    pub(crate) fn nacked(&mut self, token: u64, status: CommandStatus) {
        if let Some(inquiry) = self.open.remove(&token) {
            let status = if status.is_ok() { CommandStatus::RUNKNOWNERR } else { status };
            inquiry.answer(Told::Refused(refusal(status)));
        }
    }

    /// No answer came, which is no reason to end the session: the SMSC may not know the operation.
    pub(crate) fn timed_out(&mut self, token: u64) {
        self.open.remove(&token);
    }
}

/// Takes back one part. The addresses must be those that it was submitted with (SMPP 3.4 §4.9.1).
fn cancel_sm<'a>(connector: &'a Connector, body: &'a Body, remote_id: &'a str) -> CancelSm<'a> {
    CancelSm {
        service_type: outgoing::service_type(connector, body),
        message_id: remote_id.as_bytes(),
        source: outgoing::source(connector, body),
        destination: outgoing::destination(connector, body),
    }
}

/// Asks what became of one part (SMPP 3.4 §4.8.1).
fn query_sm<'a>(connector: &'a Connector, body: &'a Body, remote_id: &'a str) -> QuerySm<'a> {
    QuerySm { message_id: remote_id.as_bytes(), source: outgoing::source(connector, body) }
}

fn refusal(status: CommandStatus) -> Reason {
    let busy = matches!(status.class(), StatusClass::Temporary | StatusClass::Throttled | StatusClass::QueueFull);
    let code = if busy { "carrier_busy" } else { "carrier_refused" };
    Reason { smpp_status: Some(status.0), ..Reason::new(code, detail(status), !busy) }
}

#[cfg(test)]
mod tests {
    use model::Encoding;
    use smpp::{Npi, Ton};

    use super::*;
    use crate::smpp::samples::{connector, text};

    #[test]
    fn addresses_are_those_of_the_submission() {
        let settings = "service_type = \"CMT\"\ndestination = { ton = 2, npi = 8 }\nplus_sign = true";
        let (connector, body) = (connector(settings), text("hi", Encoding::Gsm7));
        let cancel = cancel_sm(&connector, &body, "60edc86a");
        assert_eq!((cancel.service_type, cancel.message_id), (&b"CMT"[..], &b"60edc86a"[..]));
        assert_eq!((cancel.source.ton, cancel.source.addr), (Ton::ALPHANUMERIC, &b"SHOP"[..]));
        assert_eq!((cancel.destination.ton, cancel.destination.npi), (Ton(2), Npi(8)));
        assert_eq!(cancel.destination.addr, b"+447700900123");
        let query = query_sm(&connector, &body, "60edc86a");
        assert_eq!((query.message_id, query.source), (cancel.message_id, cancel.source));
    }

    #[test]
    fn refusals_say_whether_asking_again_helps() {
        let refused = refusal(CommandStatus::RCANCELFAIL);
        assert_eq!((refused.smpp_status, refused.permanent), (Some(0x11), true));
        assert!(refused.detail.starts_with("0x00000011 ESME_RCANCELFAIL"), "{}", refused.detail);
        assert!(!refusal(CommandStatus::RTHROTTLED).permanent);
    }

    #[test]
    fn they_leave_room_in_the_window() {
        let inquiries = Inquiries::default();
        assert_eq!([1, 2, 3, 10].map(|window| inquiries.room(window)), [1, 1, 1, 5]);
    }
}
