//! What one connection has to send: notifications and messages from phones, until they are acknowledged.

use std::collections::HashMap;
use std::time::Duration;

use ucp::{AddressType, DeliveryStatus, Reason, Session, ShortMessage, XserBuf};

use super::ledger::{Ledger, Name};
use crate::counters::Counters;
use crate::timeline::Timeline;

/// How often something is sent that the client does not take.
const TRIES: u8 = 5;
/// How long to wait before it is sent again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Something for a client.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    pub(super) what: What,
    tries: u8,
}

#[derive(Clone, Debug)]
pub(super) enum What {
    /// A notification (53).
    Note {
        /// Which message it is about.
        name: Name,
        /// To whom.
        to: Box<[u8]>,
        outcome: (DeliveryStatus, Reason),
    },
    /// The answer to an inquiry (57).
    State { name: Name, to: Box<[u8]>, outcome: (DeliveryStatus, Reason) },
    /// A message from a phone (52).
    Mo(Box<MoPart>),
}

/// One operation 52.
#[derive(Clone, Debug)]
pub(super) struct MoPart {
    pub(super) from: Box<str>,
    pub(super) to: Box<str>,
    pub(super) text: Vec<u8>,
    pub(super) transparent: bool,
    pub(super) xser: XserBuf,
}

impl Delivery {
    pub(super) fn new(what: What) -> Self {
        Self { what, tries: 0 }
    }
}

/// What waits to be sent, and what waits to be acknowledged.
#[derive(Debug)]
pub(super) struct Outbox {
    waiting: Timeline<Delivery>,
    unacknowledged: HashMap<u64, Delivery>,
    next: u64,
}

impl Outbox {
    pub(super) fn new() -> Self {
        Self { waiting: Timeline::new(), unacknowledged: HashMap::new(), next: 0 }
    }

    pub(super) fn push(&mut self, at: Duration, now: Duration, delivery: Delivery) {
        self.waiting.push(at, now, delivery);
    }

    /// Sends what is due, as far as the window allows. `scts` is the time now.
    pub(super) fn send(
        &mut self,
        session: &mut Session,
        ledger: &mut Ledger,
        scts: &[u8],
        now: Duration,
        counters: &mut Counters,
    ) {
        while session.window_room() > 0 && !session.output_is_full() {
            let Some(mut delivery) = self.waiting.pop(now) else { break };
            let token = self.next;
            self.next += 1;
            let sent = match &mut delivery.what {
                What::Note { name, to, outcome } => {
                    counters.receipts_sent += 1;
                    if outcome.0.is_final() {
                        *outcome = ledger.ended(name, *outcome);
                    }
                    let sentence = sentence(name, outcome.0);
                    let content = ucp::Content::alphanumeric(&sentence);
                    session.notify(&ShortMessage { content, ..about(name, to, *outcome, scts) }, token, now)
                }
                What::State { name, to, outcome } => {
                    let state = ucp::Operation::InquiryResponse(about(name, to, *outcome, scts));
                    session.request(&state, token, now)
                }
                What::Mo(part) => {
                    counters.mo_sent += 1;
                    session.deliver(&deliver(part, scts), token, now)
                }
            };
            match sent {
                Ok(_) => drop(self.unacknowledged.insert(token, delivery)),
                Err(error) => {
                    tracing::warn!(%error, "the simulator can't send what it should");
                    counters.deliveries_refused += 1;
                }
            }
        }
    }

    /// The client has answered, positively or not, or not in time.
    pub(super) fn answered(&mut self, token: u64, taken: bool, now: Duration, counters: &mut Counters) {
        let Some(mut delivery) = self.unacknowledged.remove(&token) else { return };
        if taken {
            match delivery.what {
                What::Note { .. } => counters.receipts_acked += 1,
                What::Mo(_) => counters.mo_acked += 1,
                What::State { .. } => {}
            }
            return;
        }
        delivery.tries += 1;
        if delivery.tries < TRIES {
            self.waiting.push(now + AGAIN_AFTER, now, delivery);
        } else {
            counters.deliveries_refused += 1;
        }
    }

    /// When something is due, if it can be sent then.
    pub(super) fn next(&self, session: &Session) -> Option<Duration> {
        if session.window_room() == 0 || session.output_is_full() { None } else { self.waiting.next() }
    }

    /// Everything that is not acknowledged; what was sent comes first.
    pub(super) fn drain(&mut self) -> Vec<(Duration, Delivery)> {
        let mut sent: Vec<_> = self.unacknowledged.drain().collect();
        sent.sort_unstable_by_key(|(token, _)| *token);
        let sent = sent.into_iter().map(|(_, delivery)| (Duration::ZERO, delivery));
        sent.chain(self.waiting.drain()).collect()
    }
}

/// What a notification says to people. Kannel 1.4.5 ends with a fault if there is nothing.
fn sentence((adc, scts): &Name, status: DeliveryStatus) -> Vec<u8> {
    let became = status.name().unwrap_or("kept");
    let [to, at] = [adc, scts].map(|field| String::from_utf8_lossy(field));
    // These are characters that GSM 7-bit and ASCII write alike.
    format!("Message for {to}, with identification {at} has been {became}").into_bytes()
}

fn about<'a>(
    (adc, scts): &'a Name,
    to: &'a [u8],
    (dst, rsn): (DeliveryStatus, Reason),
    dscts: &'a [u8],
) -> ShortMessage<'a> {
    // Addresses change places: it is for the originator, and from the recipient.
    ShortMessage { adc: to, oadc: adc, scts, dst: Some(dst), rsn: Some(rsn), dscts, ..ShortMessage::default() }
}

fn deliver<'a>(part: &'a MoPart, scts: &'a [u8]) -> ShortMessage<'a> {
    let digits = part.from.strip_prefix('+');
    ShortMessage {
        adc: part.to.as_bytes(),
        oadc: digits.unwrap_or(&part.from).as_bytes(),
        otoa: digits.map(|_| AddressType::INTERNATIONAL),
        scts,
        content: match part.transparent {
            true => ucp::Content::transparent(&part.text),
            false => ucp::Content::alphanumeric(&part.text),
        },
        xser: part.xser.as_xsers(),
        ..ShortMessage::default()
    }
}
