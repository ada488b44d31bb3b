//! From what the SMSC sends to a receipt or a message from a phone. Pure.

use engine::dispatch::{Incoming, MobileOriginated};
use model::{Address, Content, Encoding, Receipt, ReceiptState};
use sms::{Alphabet, Dcs, Described};
use ucp::{AddressType, CallInput, DeliveryStatus, ShortMessage};

use crate::identity::Identities;

/// What a notification (53), or the answer to an inquiry (57), says.
pub(super) fn receipt(message: &ShortMessage<'_>) -> Receipt {
    let status = message.dst.unwrap_or_default();
    let state = match status {
        DeliveryStatus::DELIVERED => ReceiptState::Delivered,
        DeliveryStatus::NOT_DELIVERED => ReceiptState::Undelivered,
        // A status that nobody knows is no end.
        _ => ReceiptState::Intermediate,
    };
    let stat = match status.name() {
        Some(name) => name.into(),
        None => format!("Dst {}", u8::from(status)).into(),
    };
    let err = message.rsn.filter(|_| status != DeliveryStatus::DELIVERED).map(|rsn| format!("{:03}", rsn.0).into());
    Receipt { state, stat, err }
}

/// A notification. It names the phone as originator, and us as recipient.
pub(super) fn notification(message: &ShortMessage<'_>, identities: &Identities) -> Incoming {
    let receipt = receipt(message);
    let is_final = receipt.state != ReceiptState::Intermediate;
    let address = |octets: &[u8]| String::from_utf8_lossy(octets).into();
    Incoming::Receipt {
        remote_ids: vec![identities.reported(message.oadc, message.scts, is_final)],
        receipt,
        addresses: [address(message.oadc), address(message.adc)],
    }
}

/// A message from a phone (52).
pub(super) fn message(message: &ShortMessage<'_>, prefix: &str) -> Incoming {
    let from = match message.name() {
        Some(septets) => Address::from_carrier(&sms::decode_gsm7(&septets, sms::Shift::default()), false),
        None => phone(message.oadc, message.otoa, prefix),
    };
    let udh = message.xser.udh().map(|udh| udh.to_vec()).unwrap_or_default();
    let dcs = message.xser.dcs();
    let mut read = body(message.content, dcs, udh);
    if message.mcls.is_some_and(|class| class <= 3) {
        read.class = message.mcls;
    }
    Incoming::Mo(Box::new(MobileOriginated { from, to: own(message.adc), ..read }))
}

/// A message in the older way (01).
pub(super) fn call(call: &CallInput<'_>, prefix: &str) -> Incoming {
    let read = body(call.content, None, Vec::new());
    Incoming::Mo(Box::new(MobileOriginated { from: phone(call.oadc, None, prefix), to: own(call.adc), ..read }))
}

/// What a message has in it, from nobody to nobody.
fn body(content: ucp::Content<'_>, dcs: Option<u8>, udh: Vec<u8>) -> MobileOriginated {
    let nobody = || Address::from_carrier("", false);
    let plain = |content, encoding| MobileOriginated {
        from: nobody(),
        to: nobody(),
        content,
        encoding,
        class: None,
        concat: None,
    };
    let (octets, dcs) = match content {
        ucp::Content::Numeric(digits) => {
            return plain(Content::Text(String::from_utf8_lossy(digits).into()), Encoding::Gsm7);
        }
        // Whatever else is said, these are codes of the GSM alphabet.
        ucp::Content::Alphanumeric(codes) => (codes.to_vec(), dcs.filter(|dcs| is_gsm7(*dcs)).unwrap_or(0)),
        ucp::Content::Transparent { .. } => {
            (content.octets().map(|hex| hex.to_vec()).unwrap_or_default(), dcs.unwrap_or(0x04))
        }
        ucp::Content::Absent | ucp::Content::Other { .. } => (Vec::new(), 0),
    };
    let has_header = !udh.is_empty();
    let mut user_data = udh;
    user_data.extend_from_slice(&octets);
    let received = sms::decode_user_data(&user_data, has_header, Described::Unpacked { dcs });
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
            (Content::Binary { data: data.into(), udh, dcs }, Encoding::Binary)
        }
    };
    MobileOriginated {
        class: received.class.map(|class| class.number()),
        concat: header.and_then(|udh| udh.concat()).filter(|concat| concat.total > 1),
        ..plain(content, encoding)
    }
}

fn is_gsm7(dcs: u8) -> bool {
    Dcs::decode(dcs).coding == sms::Coding::Gsm7
}

/// A phone's number: international if it is said to be, or has the prefix that stands for `+`.
fn phone(oadc: &[u8], otoa: Option<AddressType>, prefix: &str) -> Address {
    let text = String::from_utf8_lossy(oadc);
    match text.strip_prefix(prefix).filter(|digits| !prefix.is_empty() && !digits.is_empty()) {
        Some(digits) => Address::from_carrier(digits, true),
        None => Address::from_carrier(&text, otoa == Some(AddressType::INTERNATIONAL)),
    }
}

/// Our own number, as the SMSC writes it.
fn own(adc: &[u8]) -> Address {
    Address::from_carrier(&String::from_utf8_lossy(adc), false)
}
