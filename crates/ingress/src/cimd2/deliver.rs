//! From what an account is owed to deliver message (20) and deliver status report (23).

use std::time::Duration;

use cimd2::{Deliver, Octets, Operation, Session, StatusCode, StatusError, StatusReport, SubmitError};
use engine::notify::{Owed, OwedMessage, OwedReceipt};
use model::{Address, Delivery, Status};
use sms::{Coding, Dcs, MessageClass};

use crate::named::{Clock, Digits, Incoming};
use crate::sessions::{NotSent, Sent};

/// Sends a delivery, or the part of it that `token` names.
pub(super) fn send(
    delivery: &Delivery,
    session: &mut Session,
    clock: &Clock,
    token: u64,
    now: Duration,
) -> Result<Sent, NotSent> {
    let owed = serde_json::from_str(&delivery.payload).map_err(|error| NotSent::Never(error.to_string()))?;
    match owed {
        Owed::Receipt(receipt) => report(&receipt, session, clock, token, now),
        Owed::Message(message) => deliver(&message, session, clock, token, now),
    }
}

fn report(
    receipt: &OwedReceipt<'_>,
    session: &mut Session,
    clock: &Clock,
    token: u64,
    now: Duration,
) -> Result<Sent, NotSent> {
    let Some(name) = &receipt.name else { return Err(NotSent::Never("the message has no name in CIMD2".into())) };
    // What the carrier says in between is told by its own word; an end is not.
    let status = if receipt.stat.is_some() { StatusCode::NO_RESPONSE } else { status_of(receipt.status) };
    let discharge_time = clock.digits(receipt.done, Digits::YearFirst);
    let report = StatusReport {
        destination: name.to.as_bytes(),
        originator: name.from.as_bytes(),
        timestamp: name.at.as_bytes(),
        status: Some(status),
        status_error: status_error(receipt.status, receipt.err.as_deref()),
        discharge_time: &discharge_time,
        ..StatusReport::default()
    };
    put(session, &report, token, now)?;
    Ok(Sent { operations: 1, more: false })
}

/// What became of a message (061).
pub(super) fn status_of(status: Status) -> StatusCode {
    match status {
        Status::Scheduled | Status::Queued | Status::Sent | Status::Received => StatusCode::IN_PROCESS,
        Status::Delivered => StatusCode::DELIVERED,
        Status::Expired => StatusCode::EXPIRED,
        Status::Canceled => StatusCode::DELETED_BY_CANCEL,
        Status::Undelivered | Status::Rejected | Status::Failed | Status::Unknown => StatusCode::FAILED,
    }
}

/// Why it was not delivered (062): the carrier's code, where it is one that CIMD2 has too.
pub(super) fn status_error(status: Status, err: Option<&str>) -> Option<StatusError> {
    let said = err.and_then(|err| err.parse().ok()).map(StatusError);
    said.filter(|error| status != Status::Delivered && *error != StatusError::NONE && error.meaning().is_some())
}

/// A message from a phone: one packet for each of its parts.
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
    let timestamp = clock.digits(message.id.made_at(), Digits::YearFirst);
    let class = part.class.and_then(MessageClass::from_number);
    let dcs = match (part.dcs, class) {
        (0, Some(_)) => Dcs::general_octet(Coding::Gsm7, class),
        (8, Some(_)) => Dcs::general_octet(Coding::Ucs2, class),
        (dcs, _) => dcs,
    };
    let mut text = Vec::new();
    if part.gsm7 {
        cimd2::write_text(part.octets, &mut text);
    }
    let message = Deliver {
        destination: number.bare().as_bytes(),
        originator: phone.bare().as_bytes(),
        timestamp: &timestamp,
        dcs: (dcs != 0).then_some(dcs),
        header: Octets::new(&part.header),
        text: part.gsm7.then_some(&text),
        binary: if part.gsm7 { Octets::default() } else { Octets::new(part.octets) },
        ..Deliver::default()
    };
    put(session, &message, token, now)?;
    Ok(Sent { operations: 1, more })
}

fn put(session: &mut Session, operation: &impl Operation, token: u64, now: Duration) -> Result<(), NotSent> {
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
    fn every_status_has_its_code() {
        assert_eq!(Status::ALL.map(|status| status_of(status).0), [1, 1, 1, 4, 3, 2, 3, 3, 3, 9, 1]);
        assert_eq!(status_error(Status::Undelivered, Some("029")), Some(StatusError::ABSENT));
        for (status, err) in [(Status::Delivered, "029"), (Status::Undelivered, "000"), (Status::Undelivered, "2x")] {
            assert_eq!(status_error(status, Some(err)), None);
        }
        assert_eq!(status_error(Status::Undelivered, Some("999")), None);
    }
}
