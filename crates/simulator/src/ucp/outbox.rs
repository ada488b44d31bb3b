//! What a UCP SMSC sends by itself: notifications and messages from phones.

use std::time::Duration;

use ucp::{AddressType, DeliveryStatus, Reason, Session, ShortMessage, XserBuf};

use super::smsc::Outcome;
use crate::core::{Ledger, Name, Outbox};
use crate::counters::Counters;

/// Something for a client.
#[derive(Clone, Debug)]
pub enum What {
    /// A notification (53).
    Note {
        /// Which message it is about.
        name: Name,
        /// To whom.
        to: Box<[u8]>,
        outcome: Outcome,
    },
    /// The answer to an inquiry (57).
    State { name: Name, to: Box<[u8]>, outcome: Outcome },
    /// A message from a phone (52).
    Mo(Box<MoPart>),
}

/// One operation 52.
#[derive(Clone, Debug)]
pub struct MoPart {
    pub(super) from: Box<str>,
    pub(super) to: Box<str>,
    pub(super) text: Vec<u8>,
    pub(super) transparent: bool,
    pub(super) xser: XserBuf,
}

/// Sends what is due, as far as the window allows. `scts` is the time now.
pub(super) fn send(
    outbox: &mut Outbox<What>,
    session: &mut Session,
    ledger: &mut Ledger<Outcome>,
    scts: &[u8],
    now: Duration,
    counters: &mut Counters,
) {
    while session.window_room() > 0 && !session.output_is_full() {
        let Some((token, mut delivery)) = outbox.pop(now) else { break };
        let sent = match &mut delivery.what {
            What::Note { name, outcome, .. } if outcome.0.is_final() && ledger.later(name, now).is_some() => {
                let at = ledger.later(name, now).unwrap_or(now);
                outbox.push(at, now, delivery);
                continue;
            }
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
            Ok(_) => outbox.sent(token, delivery),
            Err(error) => {
                tracing::warn!(%error, "the simulator can't send what it should");
                counters.deliveries_refused += 1;
            }
        }
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
