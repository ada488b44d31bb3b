//! From what a modem received to a receipt or a message from a phone. Pure.

use engine::dispatch::{Incoming, MobileOriginated};
use model::{Address, Content, Encoding, Receipt, ReceiptState};
use sms::Alphabet;
use sms::tpdu::{self, Deliver, StatusReport, TypeOfNumber, receipt_state};

/// Digits at the end of a number that are compared: networks add and drop prefixes.
const DIGITS: usize = 8;

/// What a modem calls a message: the end of its recipient's number, and the reference that the modem gave.
/// References are used again after 256 messages; the last message with a name is the one that is meant.
pub(super) fn remote_id(to: &str, reference: u8) -> Box<str> {
    let digits: Vec<char> = to.chars().filter(char::is_ascii_digit).collect();
    let tail: String = digits.iter().skip(digits.len().saturating_sub(DIGITS)).collect();
    format!("{tail}:{reference}").into()
}

/// A status report (3GPP 23.040 §9.2.2.3).
pub(super) fn report(report: &StatusReport) -> Incoming {
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
    Incoming::Receipt {
        remote_ids: vec![remote_id(&recipient, report.reference)],
        receipt: Receipt { state, stat: said.word().into(), err },
        addresses: [recipient.into(), "".into()],
    }
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
    fn a_name_is_the_same_with_and_without_a_prefix() {
        assert_eq!(&*remote_id("+447700900123", 7), "00900123:7");
        assert_eq!(remote_id("07700900123", 7), remote_id("+447700900123", 7));
        assert_eq!(&*remote_id("60777", 255), "60777:255");
    }

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
                submitted: None,
                discharged: None,
                status,
                parameters: tpdu::Parameters::default(),
            };
            let Incoming::Receipt { receipt, remote_ids, .. } = report(&said) else { panic!("no receipt") };
            assert_eq!(&*remote_ids[0], "00900123:9");
            receipt
        };
        assert_eq!((state(0).state, state(0).err), (ReceiptState::Delivered, None));
        assert_eq!(state(0x30).state, ReceiptState::Intermediate);
        assert_eq!((state(0x45).state, state(0x45).err), (ReceiptState::Undelivered, Some("069".into())));
        assert_eq!(state(0x46).state, ReceiptState::Expired);
        assert_eq!(state(0xFF).state, ReceiptState::Unknown);
    }
}
