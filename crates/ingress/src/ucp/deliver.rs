//! From what an account is owed to 52 and 53, and what became of a message to 57.

use std::time::Duration;

use engine::notify::{Owed, OwedMessage, OwedReceipt};
use model::{Address, AddressKind, Delivery, Status, Timestamp};
use sms::{Coding, Dcs, MessageClass, Shift};
use ucp::{
    AddressType, Content, DeliveryStatus, Operation, Reason, Session, ShortMessage, SubmitError, XserBuf, pack_name,
};

use crate::named::{Clock, Digits, Incoming, IncomingPart};
use crate::sessions::{NotSent, Sent};

/// Characters of AdC.
const ADC_MAX: usize = 16;

/// What became of a message, as an inquiry is answered.
#[derive(Debug)]
pub(super) struct State {
    /// The recipient, and the time stamp, as the client knows them.
    pub to: Box<str>,
    pub from: Box<str>,
    pub at: Box<str>,
    pub status: Status,
    pub err: Option<Box<str>>,
    /// When it came to be so.
    pub since: Timestamp,
}

/// Sends a delivery, or the part of it that `token` names. `user` stands for an originator that is none.
pub(super) fn send(
    delivery: &Delivery,
    session: &mut Session,
    (clock, user): (&Clock, &str),
    token: u64,
    now: Duration,
) -> Result<Sent, NotSent> {
    let owed = serde_json::from_str(&delivery.payload).map_err(|error| NotSent::Never(error.to_string()))?;
    match owed {
        Owed::Receipt(receipt) => {
            notify(&receipt, session, (clock, user), token, now).map(|()| Sent { operations: 1, more: false })
        }
        Owed::Message(message) => deliver(&message, session, clock, token, now),
    }
}

/// A 53. Its text is what people read; Kannel 1.4.5 ends with a fault where there is none.
fn notify(
    receipt: &OwedReceipt<'_>,
    session: &mut Session,
    (clock, user): (&Clock, &str),
    token: u64,
    now: Duration,
) -> Result<(), NotSent> {
    let Some(name) = &receipt.name else { return Err(NotSent::Never("the message has no name in UCP".into())) };
    // What the carrier says in between is told by its own word; an end is not.
    let (dst, rsn) = match receipt.stat {
        Some(_) => (DeliveryStatus::BUFFERED, reason(receipt.err.as_deref(), Status::Sent)),
        None => status_of(receipt.status, receipt.err.as_deref()),
    };
    let dscts = clock.digits(receipt.done, Digits::DayFirst);
    let became = match (dst, receipt.status) {
        (DeliveryStatus::DELIVERED, _) => "delivered",
        (DeliveryStatus::BUFFERED, _) => "buffered",
        (_, Status::Expired) => "kept until its validity ended, and not delivered",
        (_, Status::Canceled) => "deleted",
        _ => "refused, or given up",
    };
    let text = format!("Message for {}, with identification {}, has been {became}", name.to, name.at);
    let codes = sms::encode_gsm7(&text, Shift::default()).unwrap_or_default();
    let message = ShortMessage {
        adc: addressee(&name.from, user),
        oadc: name.to.as_bytes(),
        scts: name.at.as_bytes(),
        dst: Some(dst),
        rsn: Some(rsn),
        dscts: &dscts,
        content: Content::alphanumeric(&codes),
        ..ShortMessage::default()
    };
    put(session, &Operation::Notify(message), token, now)
}

/// A 57: as a 53, but nobody has to be told twice.
pub(super) fn inform(state: &State, session: &mut Session, (clock, user): (&Clock, &str), token: u64, now: Duration) {
    let (dst, rsn) = status_of(state.status, state.err.as_deref());
    let dscts = clock.digits(state.since, Digits::DayFirst);
    let message = ShortMessage {
        adc: addressee(&state.from, user),
        oadc: state.to.as_bytes(),
        scts: state.at.as_bytes(),
        dst: Some(dst),
        rsn: Some(rsn),
        dscts: &dscts,
        ..ShortMessage::default()
    };
    // What can't be written, or has no room, is asked again.
    let _ = put(session, &Operation::InquiryResponse(message), token, now);
}

fn addressee<'a>(from: &'a str, user: &'a str) -> &'a [u8] {
    let address = if from.is_empty() { user } else { from };
    if address.len() <= ADC_MAX { address.as_bytes() } else { b"" }
}

fn status_of(status: Status, err: Option<&str>) -> (DeliveryStatus, Reason) {
    match status {
        Status::Delivered => (DeliveryStatus::DELIVERED, Reason(0)),
        Status::Scheduled | Status::Queued | Status::Sent | Status::Received => {
            (DeliveryStatus::BUFFERED, reason(err, status))
        }
        Status::Undelivered
        | Status::Expired
        | Status::Rejected
        | Status::Unknown
        | Status::Failed
        | Status::Canceled => (DeliveryStatus::NOT_DELIVERED, reason(err, status)),
    }
}

/// The carrier's own code where it is one of UCP's beyond those that other protocols use too.
fn reason(err: Option<&str>, status: Status) -> Reason {
    let said = err.and_then(|err| err.parse().ok()).map(Reason);
    if let Some(reason) = said.filter(|reason| reason.0 >= 100 && reason.meaning().is_some()) {
        return reason;
    }
    match status {
        Status::Expired | Status::Sent => Reason::ABSENT_SUBSCRIBER,
        Status::Failed | Status::Unknown => Reason::SYSTEM_FAIL,
        Status::Scheduled | Status::Queued => Reason::SC_CONGESTION,
        _ => Reason::DELIVERY_FAIL,
    }
}

/// A message from a phone: a 52 for each of its parts.
fn deliver(
    message: &OwedMessage<'_>,
    session: &mut Session,
    clock: &Clock,
    token: u64,
    now: Duration,
) -> Result<Sent, NotSent> {
    let incoming = Incoming::of(message).map_err(NotSent::Never)?;
    let (part, more) = incoming.part(token).ok_or_else(|| NotSent::Never("it has no such part".into()))?;
    let (phone, number) = (Address::from_carrier(&message.from, false), Address::from_carrier(&message.to, false));
    let (oadc, otoa) = originator(&phone);
    let scts = clock.digits(message.id.made_at(), Digits::DayFirst);
    let xser = services(&part)?;
    let message = ShortMessage {
        adc: number.bare().as_bytes(),
        oadc: &oadc,
        otoa,
        scts: &scts,
        content: match part.gsm7 {
            true => Content::alphanumeric(part.octets),
            false => Content::transparent(part.octets),
        },
        mms: more.then_some(1),
        mcls: part.class,
        xser: xser.as_xsers(),
        ..ShortMessage::default()
    };
    put(session, &Operation::Deliver(message), token, now)?;
    Ok(Sent { operations: 1, more })
}

fn services(part: &IncomingPart<'_>) -> Result<XserBuf, NotSent> {
    let mut xser = XserBuf::new();
    if !part.header.is_empty() {
        xser.push_udh(&part.header).map_err(|error| NotSent::Never(error.to_string()))?;
    }
    let class = part.class.and_then(MessageClass::from_number);
    match part.dcs {
        0 => {}
        8 => xser.push_dcs(Dcs::general_octet(Coding::Ucs2, class)),
        dcs => xser.push_dcs(dcs),
    }
    Ok(xser)
}

/// OAdC and its type.
fn originator(phone: &Address) -> (Vec<u8>, Option<AddressType>) {
    match phone.kind() {
        AddressKind::International => (phone.bare().into(), Some(AddressType::INTERNATIONAL)),
        AddressKind::Short => (phone.bare().into(), None),
        AddressKind::Alphanumeric => {
            let septets = sms::encode_gsm7(phone.bare(), Shift::default()).ok();
            match septets.and_then(|septets| pack_name(&septets).ok()) {
                Some(name) => (name.to_vec(), Some(AddressType::ALPHANUMERIC)),
                None => (Vec::new(), None),
            }
        }
    }
}

fn put(session: &mut Session, operation: &Operation<'_>, token: u64, now: Duration) -> Result<(), NotSent> {
    match session.request(operation, token, now) {
        Ok(_) => Ok(()),
        Err(SubmitError::Encode(error)) => Err(NotSent::Never(error.to_string())),
        Err(_) => Err(NotSent::NoRoom),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_place() {
        let dst = Status::ALL.map(|status| status_of(status, None).0.0);
        assert_eq!(dst, [1, 1, 1, 0, 2, 2, 2, 2, 2, 2, 1]);
        assert_eq!(status_of(Status::Undelivered, Some("101")).1, Reason(101));
        assert_eq!(status_of(Status::Undelivered, Some("001")).1, Reason::DELIVERY_FAIL, "of another protocol");
        assert_eq!(status_of(Status::Delivered, Some("101")).1, Reason(0));
        assert_eq!(status_of(Status::Expired, Some("x")).1, Reason::ABSENT_SUBSCRIBER);
    }

    #[test]
    fn originators_have_their_type() {
        let of = |text: &str| originator(&Address::from_carrier(text, false));
        assert_eq!(of("+447700900123"), (b"447700900123".to_vec(), Some(AddressType::INTERNATIONAL)));
        assert_eq!(of("60777"), (b"60777".to_vec(), None));
        assert_eq!(of("KANNEL"), (b"0BCBA0D3596402".to_vec(), Some(AddressType::ALPHANUMERIC)));
        assert_eq!(of("a name too long for it"), (Vec::new(), None));
    }
}
