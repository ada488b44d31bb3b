//! Messages from phones, as deliver_sm.

use smpp::{Tag, TlvBuf};
use sms::{Alphabet, TextError, TextOptions};

/// A message from a phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mo {
    /// The phone: digits with a `+` are an international number, without one of an unknown type,
    /// and anything else is a name.
    pub from: String,
    /// The number that it was sent to, written likewise.
    pub to: String,
    /// What it says.
    pub content: MoContent,
    /// To whom it goes: a system id, or whoever is bound.
    pub system_id: Option<String>,
}

/// What a message from a phone says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MoContent {
    /// A text, in GSM 7-bit or UCS-2.
    Text {
        /// The text.
        text: String,
        /// How it is sent if it is too long for one message.
        form: MoForm,
        /// What ties the parts together.
        reference: u16,
    },
    /// One deliver_sm with these values: other alphabets, odd receipts, nonsense.
    Raw {
        /// `esm_class`.
        esm_class: u8,
        /// `data_coding`.
        data_coding: u8,
        /// `short_message`, at most 255 octets.
        short_message: Vec<u8>,
        /// TLVs.
        tlvs: TlvBuf,
    },
}

/// How a long text from a phone is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoForm {
    /// A header with an 8-bit reference in each part.
    Udh,
    /// A header with a 16-bit reference in each part.
    Udh16,
    /// `sar_*` TLVs.
    Sar,
    /// The whole in message_payload.
    Payload,
}

/// One deliver_sm of a message from a phone.
#[derive(Clone, Debug)]
pub(crate) struct MoPart {
    pub(crate) from: Box<str>,
    pub(crate) to: Box<str>,
    pub(crate) esm_class: u8,
    pub(crate) data_coding: u8,
    pub(crate) short_message: Box<[u8]>,
    pub(crate) tlvs: TlvBuf,
}

impl Mo {
    /// A text that goes to whoever is bound.
    #[must_use]
    pub fn text(from: &str, to: &str, text: &str) -> Self {
        let content = MoContent::Text { text: text.into(), form: MoForm::Udh, reference: 1 };
        Self { from: from.into(), to: to.into(), content, system_id: None }
    }

    pub(crate) fn parts(&self) -> Result<Vec<MoPart>, TextError> {
        let part = |esm_class, data_coding, short_message: Vec<u8>, tlvs| MoPart {
            from: self.from.as_str().into(),
            to: self.to.as_str().into(),
            esm_class,
            data_coding,
            short_message: short_message.into(),
            tlvs,
        };
        let (text, form, reference) = match &self.content {
            MoContent::Raw { esm_class, data_coding, short_message, tlvs } => {
                return Ok(vec![part(*esm_class, *data_coding, short_message.clone(), tlvs.clone())]);
            }
            MoContent::Text { text, form, reference } => (text, *form, *reference),
        };
        let plan = sms::plan(text, &TextOptions { wide_reference: form == MoForm::Udh16, ..TextOptions::default() })?;
        let data_coding = if plan.alphabet() == Alphabet::Ucs2 { 8 } else { 0 };
        if form == MoForm::Payload {
            let mut tlvs = TlvBuf::new();
            let whole = tlvs.push(Tag::MESSAGE_PAYLOAD, plan.octets());
            debug_assert_eq!(whole, Ok(()), "255 parts have fewer than 65,536 octets");
            return Ok(vec![part(0, data_coding, Vec::new(), tlvs)]);
        }
        let parts = plan.parts().map(|planned| {
            let mut tlvs = TlvBuf::new();
            match planned.concat(reference) {
                Some(concat) if form == MoForm::Sar => {
                    tlvs.push_u16(Tag::SAR_MSG_REF_NUM, concat.reference);
                    tlvs.push_u8(Tag::SAR_TOTAL_SEGMENTS, concat.total);
                    tlvs.push_u8(Tag::SAR_SEGMENT_SEQNUM, concat.sequence);
                    part(0, data_coding, planned.octets().to_vec(), tlvs)
                }
                _ => {
                    let (user_data, udhi) = planned.user_data(reference);
                    part(if udhi { 0x40 } else { 0 }, data_coding, user_data, tlvs)
                }
            }
        });
        Ok(parts.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_take_every_form() {
        let long = "a".repeat(161);
        let parts = |form| {
            let content = MoContent::Text { text: long.clone(), form, reference: 0x1234 };
            Mo { content, ..Mo::text("+4477", "60777", "") }.parts().unwrap()
        };
        let udh = parts(MoForm::Udh);
        assert_eq!((udh.len(), udh[0].esm_class), (2, 0x40));
        assert_eq!(udh[1].short_message[..6], [5, 0, 3, 0x34, 2, 2]);
        assert_eq!(parts(MoForm::Udh16)[0].short_message[..7], [6, 8, 4, 0x12, 0x34, 2, 1]);
        let sar = parts(MoForm::Sar);
        assert_eq!((sar[0].esm_class, sar[0].short_message.len()), (0, 153));
        assert_eq!(sar[1].tlvs.as_tlvs().integer(Tag::SAR_SEGMENT_SEQNUM), Some(2));
        let payload = parts(MoForm::Payload);
        assert_eq!((payload.len(), payload[0].short_message.len()), (1, 0));
        assert_eq!(payload[0].tlvs.as_tlvs().get(Tag::MESSAGE_PAYLOAD).unwrap().value.len(), 161);
    }
}
