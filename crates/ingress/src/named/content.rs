//! From user data as the air has it to a [`Submission`]. Pure.
//!
//! A part of a long message that the client has cut itself becomes a message of its own with its header
//! kept, as with SMPP.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::Submission;
use model::submission::{BinarySubmission, EncodingChoice};
use sms::{Alphabet, Coding, Dcs, Described, MessageClass, Udh};

/// Octets of a whole header with its length octet.
const HEADER_MAX: usize = 140;

/// What a message says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct UserData {
    /// Septets one an octet where the coding is GSM 7-bit; octets otherwise.
    pub octets: Vec<u8>,
    /// The header with its length octet, or nothing.
    pub header: Vec<u8>,
    /// Data coding scheme (3GPP 23.038 §4).
    pub dcs: u8,
    /// The message class, where it is not in the scheme.
    pub class: Option<u8>,
}

/// The header is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unfit;

impl UserData {
    /// Fills in the text, or the octets with their header.
    pub fn put(self, submission: &mut Submission) -> Result<(), Unfit> {
        let class = self.class.filter(|class| *class <= 3);
        if self.header.is_empty() && !is_waiting_indication(self.dcs) {
            let received = sms::decode_user_data(&self.octets, false, Described::Unpacked { dcs: self.dcs });
            submission.class = class.or(received.class.map(MessageClass::number)).map(u32::from);
            match received.body {
                sms::Body::Text(text) => {
                    let ucs2 = received.alphabet == Alphabet::Ucs2;
                    submission.encoding = if ucs2 { EncodingChoice::Ucs2 } else { EncodingChoice::Auto };
                    submission.text = Some(text);
                }
                sms::Body::Octets(data) => {
                    submission.class = None;
                    submission.binary = Some(binary(&data, &[], with_class(self.dcs, class)));
                }
            }
            return Ok(());
        }
        let whole = |(_, rest): (Udh<'_>, &[u8])| rest.is_empty();
        if !self.header.is_empty() && (self.header.len() > HEADER_MAX || !Udh::split(&self.header).is_ok_and(whole)) {
            return Err(Unfit);
        }
        submission.binary = Some(binary(&self.octets, &self.header, with_class(self.dcs, class)));
        Ok(())
    }
}

/// A scheme that says the class too, where it has room for it and says none.
fn with_class(dcs: u8, class: Option<u8>) -> u8 {
    let Some(class) = class.and_then(MessageClass::from_number) else { return dcs };
    let decoded = Dcs::decode(dcs);
    let plain = matches!(dcs, 0x00 | 0x04 | 0x08);
    if plain && decoded.class.is_none() { Dcs::general_octet(decoded.coding, Some(class)) } else { dcs }
}

/// Message waiting indications are more than their text (3GPP 23.038 §4).
fn is_waiting_indication(dcs: u8) -> bool {
    (0xC0..0xF0).contains(&dcs)
}

/// Octets are septets only where nothing else is said.
pub(super) fn is_gsm7(dcs: u8) -> bool {
    Dcs::decode(dcs).coding == Coding::Gsm7
}

fn binary(data: &[u8], header: &[u8], dcs: u8) -> BinarySubmission {
    BinarySubmission {
        data: STANDARD.encode(data),
        udh: (!header.is_empty()).then(|| STANDARD.encode(header)),
        dcs: Some(dcs.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(octets: &[u8], header: &[u8], dcs: u8, class: Option<u8>) -> Result<Submission, Unfit> {
        let mut submission = Submission::default();
        let data = UserData { octets: octets.to_vec(), header: header.to_vec(), dcs, class };
        data.put(&mut submission).map(|()| submission)
    }

    fn octets(submission: &Submission) -> (Vec<u8>, Vec<u8>, u32) {
        let binary = submission.binary.as_ref().unwrap();
        let read = |text: &str| STANDARD.decode(text).unwrap();
        (read(&binary.data), read(binary.udh.as_deref().unwrap_or_default()), binary.dcs.unwrap())
    }

    #[test]
    fn texts_are_texts() {
        let text = |octets: &[u8], dcs, class| {
            let submission = put(octets, &[], dcs, class).unwrap();
            (submission.text.unwrap(), submission.encoding, submission.class)
        };
        use EncodingChoice::{Auto, Ucs2};
        assert_eq!(text(b"\x00\x1be", 0, None), ("@€".into(), Auto, None));
        assert_eq!(text(b"a", 0, Some(0)), ("a".into(), Auto, Some(0)));
        assert_eq!(text(b"a", 0xF1, None), ("a".into(), Auto, Some(1)));
        assert_eq!(text(&[4, 0x36], 8, None), ("ж".into(), Ucs2, None));
        assert_eq!(text(&[4, 0x36], 0x18, None), ("ж".into(), Ucs2, Some(0)));
    }

    #[test]
    fn octets_and_parts_stay_what_they_are() {
        assert_eq!(octets(&put(&[0, 255], &[], 4, None).unwrap()), (vec![0, 255], vec![], 4));
        assert_eq!(octets(&put(&[0, 255], &[], 4, Some(1)).unwrap()).2, 0x15);
        assert_eq!(octets(&put(&[0, 255], &[], 0xF5, Some(1)).unwrap()).2, 0xF5);
        assert_eq!(octets(&put(b"a", &[], 0xC8, None).unwrap()).2, 0xC8);
        let header = [5, 0, 3, 7, 2, 1];
        assert_eq!(octets(&put(b"abc", &header, 0, None).unwrap()), (b"abc".to_vec(), header.to_vec(), 0));
        for bad in [&[9, 0][..], &[5, 0, 3, 7, 2, 1, 0], &[0; 141]] {
            assert_eq!(put(b"a", bad, 0, None), Err(Unfit));
        }
    }
}
