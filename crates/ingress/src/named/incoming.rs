//! From a message that a phone sent to user data as the air has it. Pure.

use engine::notify::OwedMessage;
use model::Encoding;
use sms::{Alphabet, Choice, TextOptions, TextPlan};

use super::content::is_gsm7;
use crate::sessions::PART_BITS;

/// A message as it came over the air, or as it would have: in one part or more.
#[derive(Debug)]
pub(crate) struct Incoming {
    plan: TextPlan,
    /// Common to all its parts.
    reference: u16,
    /// Data coding scheme (3GPP 23.038 §4) without a class.
    dcs: u8,
    class: Option<u8>,
}

/// One part of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct IncomingPart<'a> {
    /// Septets one an octet, or octets.
    pub octets: &'a [u8],
    /// Are they septets?
    pub gsm7: bool,
    /// The header with its length octet, or nothing.
    pub header: Vec<u8>,
    /// Data coding scheme (3GPP 23.038 §4) without a class.
    pub dcs: u8,
    /// The message class.
    pub class: Option<u8>,
}

impl Incoming {
    /// Of what an account is owed.
    ///
    /// # Errors
    /// Why it can't be written.
    pub fn of(message: &OwedMessage<'_>) -> Result<Self, String> {
        let class = message.class.filter(|class| *class <= 3);
        let reference = message.id.0.as_u128() as u16;
        let (plan, dcs) = match &message.text {
            Some(text) => {
                let choice = if message.encoding == Encoding::Ucs2 { Choice::Ucs2 } else { Choice::Auto };
                let plan = sms::plan(text, &TextOptions { choice, ..TextOptions::default() });
                let plan = plan.map_err(|error| error.to_string())?;
                let gsm7 = matches!(plan.alphabet(), Alphabet::Gsm7 { .. });
                (plan, if gsm7 { 0 } else { 8 })
            }
            None => {
                let dcs = message.dcs.unwrap_or(4);
                let plan = if is_gsm7(dcs) { sms::plan_septets } else { sms::plan_octets };
                let plan = plan(&message.data, &message.udh, false, u8::MAX);
                (plan.map_err(|error| error.to_string())?, dcs)
            }
        };
        Ok(Self { plan, reference, dcs, class })
    }

    /// The part that the token of a delivery names, and whether there are more.
    pub fn part(&self, token: u64) -> Option<(IncomingPart<'_>, bool)> {
        let index = usize::try_from(token & ((1 << PART_BITS) - 1)).ok()?;
        let part = self.plan.part(index)?;
        let part = IncomingPart {
            octets: part.octets(),
            gsm7: matches!(self.plan.alphabet(), Alphabet::Gsm7 { .. }),
            header: part.udh(self.reference).unwrap_or_default(),
            dcs: self.dcs,
            class: self.class,
        };
        Some((part, index + 1 < self.plan.part_count()))
    }
}

#[cfg(test)]
mod tests {
    use model::MessageId;
    use model::id::Uuid;

    use super::*;

    fn message(text: Option<&str>) -> OwedMessage<'_> {
        OwedMessage {
            id: MessageId(Uuid::from_u128(7)),
            to: "60777".into(),
            from: "+447700900123".into(),
            text: text.map(Into::into),
            data: Vec::new(),
            udh: Vec::new(),
            dcs: None,
            class: None,
            encoding: Encoding::Gsm7,
        }
    }

    fn parts(incoming: &Incoming) -> Vec<IncomingPart<'_>> {
        let (mut parts, mut more) = (Vec::new(), true);
        while more {
            let part = incoming.part(7 << PART_BITS | parts.len() as u64).unwrap();
            parts.push(part.0);
            more = part.1;
        }
        parts
    }

    #[test]
    fn a_text_is_cut_where_it_is_too_long() {
        let short = Incoming::of(&message(Some("@a"))).unwrap();
        let part = IncomingPart { octets: &[0, b'a'], gsm7: true, header: vec![], dcs: 0, class: None };
        assert_eq!(parts(&short), [part]);
        assert_eq!(short.part(7 << PART_BITS | 1), None);
        let text = "a".repeat(200);
        let long = Incoming::of(&message(Some(&text))).unwrap();
        let headers: Vec<_> = parts(&long).into_iter().map(|part| (part.header, part.octets.len())).collect();
        assert_eq!(headers, [(vec![5, 0, 3, 7, 2, 1], 153), (vec![5, 0, 3, 7, 2, 2], 47)]);
        let other = Incoming::of(&message(Some("ж"))).unwrap();
        assert!(parts(&other).iter().all(|part| part.dcs == 8 && !part.gsm7 && part.octets == [4, 0x36]));
    }

    #[test]
    fn octets_keep_their_header_and_scheme() {
        let with = |data: &[u8], dcs| {
            let udh = vec![6, 5, 4, 0x0B, 0x84, 0, 0];
            Incoming::of(&OwedMessage { data: data.to_vec(), udh, dcs, ..message(None) })
        };
        let push = with(&[1, 2], Some(0xF5)).unwrap();
        let parts = parts(&push);
        assert_eq!(
            (parts[0].octets, parts[0].dcs, parts[0].header.len(), parts[0].gsm7),
            (&[1, 2][..], 0xF5, 7, false)
        );
        assert_eq!(super::tests::parts(&with(&[0; 300], None).unwrap()).len(), 3);
        assert!(with(b"abc", Some(0)).unwrap().part(0).unwrap().0.gsm7);
    }
}
