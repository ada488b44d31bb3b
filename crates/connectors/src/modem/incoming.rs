//! From what a modem received to a receipt or a message from a phone. Pure.

use engine::dispatch::{Incoming, MobileOriginated};
use model::{Address, Content, Encoding, Receipt, ReceiptState, Timestamp};
use sms::Alphabet;
use sms::tpdu::{self, Deliver, StatusReport, TypeOfNumber, receipt_state};

use super::names::Names;

/// A status report (3GPP 23.040 §9.2.2.3).
pub(super) fn report(report: &StatusReport, names: &Names) -> Incoming {
    let recipient = report.recipient.to_string();
    let said = receipt_state(report.status);
    let state = match said {
        sms::receipt::ReceiptState::Delivered => ReceiptState::Delivered,
        sms::receipt::ReceiptState::Enroute => ReceiptState::Intermediate,
        sms::receipt::ReceiptState::Expired => ReceiptState::Expired,
        sms::receipt::ReceiptState::Unknown => ReceiptState::Unknown,
        _ => ReceiptState::Undelivered,
    };
    let err = (state != ReceiptState::Delivered).then(|| format!("{:03}", report.status).into());
    // When the service centre took it; or at least when it was done with it, which is later.
    let taken_at = report.submitted.or(report.discharged);
    Incoming::Report {
        remote_ids: names.of_report(&recipient, report.reference),
        receipt: Receipt { state, stat: said.word().into(), err },
        phone: recipient.into(),
        taken_at: taken_at.map(|stamp| Timestamp::from_millis(stamp.unix_seconds() * 1000)),
    }
}

/// A call, to the SIM's own number.
pub(super) fn call(from: Option<&str>, own: &str) -> Incoming {
    Incoming::Call { from: from.map(|from| Address::from_carrier(from, false)), to: Address::from_carrier(own, false) }
}

/// A message from a phone, to the SIM's own number.
pub(super) fn message(deliver: &Deliver, own: &str) -> Incoming {
    let received = deliver.user_data.decode(deliver.coding);
    let header = received.udh;
    let (content, encoding) = match received.body {
        sms::Body::Text(text) => {
            let encoding = match received.alphabet {
                Alphabet::Octets => Encoding::Ucs2,
                alphabet => engine::text::encoding_of(alphabet),
            };
            (Content::Text(text.into()), encoding)
        }
        sms::Body::Octets(data) => {
            let udh = header.map(|udh| udh.octets().into()).unwrap_or_default();
            (Content::Binary { data: data.into(), udh, dcs: deliver.coding }, Encoding::Binary)
        }
    };
    Incoming::Mo(Box::new(MobileOriginated {
        from: phone(&deliver.originator),
        to: Address::from_carrier(own, false),
        content,
        encoding,
        class: received.class.map(|class| class.number()),
        concat: header.and_then(|udh| udh.concat()).filter(|concat| concat.total > 1),
    }))
}

fn phone(originator: &tpdu::Address) -> Address {
    let international = originator.type_of_number() == TypeOfNumber::International;
    Address::from_carrier(originator.text(), international)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_become_states() {
        let state = |status: u8| {
            let recipient = tpdu::Address::number("+447700900123").unwrap();
            let said = StatusReport {
                more_messages: false,
                loop_prevention: false,
                answers_command: false,
                reference: 9,
                recipient,
                submitted: sms::DateTime::new(2026, 11, 23, 13, 0, 0)
                    .map(|local| tpdu::Timestamp { local, offset_quarters: 4 }),
                discharged: None,
                status,
                parameters: tpdu::Parameters::default(),
            };
            let said = report(&said, &Names::default());
            let Incoming::Report { receipt, remote_ids, phone, taken_at } = said else { panic!("no report") };
            assert_eq!((&*remote_ids[0], &*phone), ("00900123:9:0", "+447700900123"));
            // 23 November 2026, 13:00 in a zone that is an hour ahead.
            assert_eq!(taken_at, Some(Timestamp::from_millis(1_795_435_200_000)));
            receipt
        };
        assert_eq!((state(0).state, state(0).err), (ReceiptState::Delivered, None));
        assert_eq!(state(0x30).state, ReceiptState::Intermediate);
        assert_eq!((state(0x45).state, state(0x45).err), (ReceiptState::Undelivered, Some("069".into())));
        assert_eq!(state(0x46).state, ReceiptState::Expired);
        assert_eq!(state(0xFF).state, ReceiptState::Unknown);
    }
}
