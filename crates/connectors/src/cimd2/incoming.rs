//! From what the SMSC sends to a receipt or a message from a phone. Pure.

use cimd2::{Deliver, StatusCode, StatusError, StatusReport, septets};
use engine::dispatch::{Incoming, MobileOriginated};
use model::{Address, Content, Encoding, Receipt, ReceiptState};
use sms::{Alphabet, Coding, Dcs, Described};

use crate::identity::Identities;

/// So many digits are no short code.
const INTERNATIONAL_MIN: usize = 8;

/// What a status means; `None` says nothing at all.
pub(super) fn receipt(status: Option<StatusCode>, error: Option<StatusError>) -> Receipt {
    let status = status.unwrap_or(StatusCode::UNAVAILABLE);
    let state = match status {
        StatusCode::DELIVERED => ReceiptState::Delivered,
        StatusCode::EXPIRED => ReceiptState::Expired,
        status if status.is_final() => ReceiptState::Undelivered,
        // A status that nobody knows is no end.
        _ => ReceiptState::Intermediate,
    };
    let stat = match status.meaning() {
        Some(meaning) => meaning.into(),
        None => format!("status {status}").into(),
    };
    let err = error.filter(|error| *error != StatusError::NONE).map(|error| format!("{:03}", error.0).into());
    Receipt { state, stat, err }
}

/// A status report (23).
pub(super) fn report(report: &StatusReport<'_>, identities: &Identities) -> Incoming {
    let receipt = receipt(report.status, report.status_error);
    let is_final = receipt.state != ReceiptState::Intermediate;
    let address = |octets: &[u8]| String::from_utf8_lossy(octets).into();
    Incoming::Receipt {
        remote_ids: vec![identities.reported(report.destination, report.timestamp, is_final)],
        receipt,
        addresses: [address(report.destination), address(report.originator)],
    }
}

/// A message from a phone (20).
pub(super) fn message(message: &Deliver<'_>, prefix: &str) -> Incoming {
    let dcs = message.dcs.unwrap_or(0);
    let mut user_data = message.header.to_vec();
    let has_header = !user_data.is_empty();
    let described = match message.text {
        // Whatever else is said, these stand for codes of the GSM alphabet.
        Some(text) => {
            user_data.extend(septets(text));
            let gsm7 = if Dcs::decode(dcs).coding == Coding::Gsm7 { dcs } else { 0 };
            Described::Unpacked { dcs: gsm7 }
        }
        None => {
            user_data.extend(message.binary.iter());
            match Dcs::decode(dcs).coding {
                // Some write texts of the default alphabet packed, as they are on the air.
                Coding::Gsm7 => Described::Tpdu { dcs, length: septets_in(user_data.len()) },
                _ => Described::Unpacked { dcs },
            }
        }
    };
    let received = sms::decode_user_data(&user_data, has_header, described);
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
    Incoming::Mo(Box::new(MobileOriginated {
        from: phone(message.originator, prefix),
        to: Address::from_carrier(&String::from_utf8_lossy(message.destination), false),
        content,
        encoding,
        class: received.class.map(|class| class.number()),
        concat: header.and_then(|udh| udh.concat()).filter(|concat| concat.total > 1),
    }))
}

/// How many septets lie in so many octets, the header among them.
fn septets_in(octets: usize) -> u8 {
    u8::try_from(octets * 8 / 7).unwrap_or(u8::MAX)
}

/// A phone's number. Without a prefix that says so, a long one that does not begin with 0 is
/// international, as it is written when it goes out.
fn phone(originator: &[u8], prefix: &str) -> Address {
    let text = String::from_utf8_lossy(originator);
    if let Some(digits) = text.strip_prefix(prefix).filter(|digits| !prefix.is_empty() && !digits.is_empty()) {
        return Address::from_carrier(digits, true);
    }
    let is_number = text.bytes().all(|octet| octet.is_ascii_digit());
    let international = prefix.is_empty() && is_number && text.len() >= INTERNATIONAL_MIN && !text.starts_with('0');
    Address::from_carrier(&text, international)
}
