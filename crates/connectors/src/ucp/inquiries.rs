//! What the engine asks the SMSC about messages that it has: modification (54), inquiry (55) and deletion (56).
//!
//! A modification and a deletion are answered by their result. An inquiry's result only says that it was understood: what became
//! of the message comes as an operation of the SMSC (57), which names the message.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use engine::dispatch::{Ask, Inquiry, Told};
use model::resources::Connector;
use model::{Body, Reason};
use ucp::{Answer, Operation, Session, ShortMessage, SubmitError};

use super::answer::detail;
use super::incoming;
use super::outgoing::Outgoing;

/// Tokens of inquiries have this bit; tickets of parts, counted from 0, never do.
const MARK: u64 = 1 << 63;

/// The inquiries of one session that are unanswered. One that is dropped has no answer.
#[derive(Debug, Default)]
pub(super) struct Inquiries {
    open: HashMap<u64, Inquiry>,
    /// Understood, by the SMSC's time stamp of their message.
    awaiting: HashMap<Box<str>, VecDeque<Inquiry>>,
    next: u64,
}

impl Inquiries {
    /// How many more may be sent in a window of this size: never more than half of it.
    pub(super) fn room(&self, window: usize) -> usize {
        // Some SMSCs never send what they have promised.
        let awaiting = self.awaiting.values().flatten().filter(|inquiry| inquiry.is_awaited()).count();
        (window / 2).max(1).saturating_sub(self.open.len() + awaiting)
    }

    /// Sends an inquiry. One that can't be written is answered at once.
    pub(super) fn send(
        &mut self,
        inquiry: Inquiry,
        session: &mut Session,
        (outgoing, settings): (&mut Outgoing, &Connector),
        now: Duration,
    ) {
        self.forget();
        let token = MARK | self.next;
        let scts = scts(&inquiry.remote_id).unwrap_or_default().to_owned();
        let operation = match &inquiry.ask {
            Ask::Cancel => Operation::Delete(about(outgoing, &inquiry.body, &scts)),
            Ask::State => Operation::Inquire(about(outgoing, &inquiry.body, &scts)),
            Ask::Replace(instead) => {
                match outgoing.modification(settings, (&inquiry.body, instead), &scts, inquiry.at) {
                    Ok(operation) => operation,
                    Err(reason) => return inquiry.answer(Told::Refused(reason)),
                }
            }
        };
        match session.request(&operation, token, now) {
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

    /// Whether a result is to one of these, and not to a submission.
    pub(super) fn is_one(token: u64) -> bool {
        token & MARK != 0
    }

    /// The SMSC has given its result.
    pub(super) fn answered(&mut self, token: u64, answer: &Answer<'_>) {
        let Some(inquiry) = self.open.remove(&token) else { return };
        match (answer, &inquiry.ask) {
            (Answer::Ack { .. }, Ask::Cancel) => inquiry.answer(Told::Canceled),
            (Answer::Ack { .. }, Ask::Replace(_)) => inquiry.answer(Told::Replaced),
            (Answer::Ack { .. }, Ask::State) => {
                if let Some(scts) = scts(&inquiry.remote_id) {
                    self.awaiting.entry(scts.into()).or_default().push_back(inquiry);
                }
            }
            (Answer::Nack { code, sm }, _) => {
                let permanent = code.class() == ucp::ErrorClass::Permanent;
                let word = if permanent { "carrier_refused" } else { "carrier_busy" };
                inquiry.answer(Told::Refused(Reason::new(word, detail(*code, sm), permanent)));
            }
        }
    }

    /// No result came.
    pub(super) fn timed_out(&mut self, token: u64) {
        self.open.remove(&token);
    }

    /// The answer to an inquiry (57) has come.
    pub(super) fn told(&mut self, message: &ShortMessage<'_>) {
        let scts = String::from_utf8_lossy(message.scts);
        let Some(waiting) = self.awaiting.get_mut(&*scts) else { return };
        // Messages to several phones may be of one second. Some SMSCs write the recipient there, some here.
        let phones = [message.oadc, message.adc].map(digits);
        let asked = waiting.iter().position(|inquiry| phones.contains(&recipient(&inquiry.remote_id)));
        if let Some(inquiry) = waiting.remove(asked.unwrap_or(0)) {
            inquiry.answer(Told::State(incoming::receipt(message)));
        }
        self.forget();
    }

    /// What nobody waits for any more is not awaited.
    fn forget(&mut self) {
        self.awaiting.retain(|_, waiting| {
            waiting.retain(Inquiry::is_awaited);
            !waiting.is_empty()
        });
    }
}

/// What names a message: to whom, from whom, and when the SMSC took it. Addresses that can't be written were
/// never sent, and nobody asks about those.
fn about<'a>(outgoing: &'a mut Outgoing, body: &Body, scts: &'a str) -> ShortMessage<'a> {
    let _ = outgoing.address(body);
    let outgoing: &'a Outgoing = outgoing;
    let (adc, oadc) = (outgoing.recipient(), outgoing.sender());
    ShortMessage { adc, oadc, scts: scts.as_bytes(), ..ShortMessage::default() }
}

/// The recipient in a remote id.
fn recipient(remote_id: &str) -> &[u8] {
    digits(remote_id.split_once(':').map_or(remote_id, |(recipient, _)| recipient).as_bytes())
}

/// A number without what stands before it: some SMSCs write its prefix, some do not.
fn digits(number: &[u8]) -> &[u8] {
    let begin = number.iter().position(|octet| !matches!(octet, b'0' | b'+'));
    begin.and_then(|begin| number.get(begin..)).unwrap_or_default()
}

/// The time stamp in a remote id, `AdC:SCTS` with a number perhaps.
fn scts(remote_id: &str) -> Option<&str> {
    let (_, scts) = remote_id.split_once(':')?;
    Some(scts.split_once('/').map_or(scts, |(scts, _)| scts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stamps_are_found_in_remote_ids() {
        assert_eq!(scts("447700900124:221026183639"), Some("221026183639"));
        assert_eq!(scts("447700900124:221026183639/12"), Some("221026183639"));
        assert_eq!(scts("60edc86a"), None);
    }
}
