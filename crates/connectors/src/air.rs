//! Parts as the network carries them (3GPP 23.038, 23.040), for protocols that name a text by its data
//! coding scheme. Pure.

use model::{Body, Content, Reason};
use sms::{Alphabet, Coding, Dcs, MessageClass, Shift, TextPlan, Udh};

/// Octets of the user data of one short message on the air (3GPP 23.040 §9.2.3.24), and its septets.
const AIR_OCTETS: usize = 140;
const AIR_SEPTETS: usize = 160;

/// The buffers of one part.
#[derive(Debug, Default)]
pub(crate) struct Air {
    /// The user data header with its length octet; empty if there is none.
    pub(crate) header: Vec<u8>,
    /// Septets of the GSM alphabet, one an octet, or octets.
    pub(crate) data: Vec<u8>,
}

/// How the data of a part is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Coded {
    /// It is septets of the GSM alphabet.
    pub(crate) septets: bool,
    /// The data coding scheme, with the class in it; `None` for a plain text of septets, of whatever class.
    pub(crate) dcs: Option<u8>,
    /// The class of a text.
    pub(crate) class: Option<MessageClass>,
}

impl Air {
    /// Writes header and data of a part, counted from 0.
    ///
    /// # Errors
    /// Why the part can't be sent, ever.
    pub(crate) fn write(&mut self, body: &Body, plan: &TextPlan, index: u8) -> Result<Coded, Reason> {
        self.header.clear();
        self.data.clear();
        let Some(part) = plan.part(usize::from(index)) else {
            let count = plan.part_count();
            return Err(unsendable(format!("the message has {count} parts, and part {index} was asked for")));
        };
        if let Some(header) = part.udh(body.reference) {
            self.header.extend_from_slice(&header);
        }
        let class = body.class.and_then(MessageClass::from_number);
        match (plan.alphabet(), &body.content) {
            (Alphabet::Gsm7 { .. }, Content::Binary { dcs, udh, .. }) => {
                // Their header may say which alphabet it is, and that stays with it.
                debug_assert!(udh.is_empty() || Udh::split(udh).is_ok(), "it was looked at when it came");
                self.data.extend_from_slice(part.octets());
                Ok(Coded { septets: true, dcs: (*dcs != 0).then_some(*dcs), class: None })
            }
            (Alphabet::Gsm7 { .. }, Content::Text(_)) => {
                self.data.extend_from_slice(part.octets());
                Ok(Coded { septets: true, dcs: None, class })
            }
            (_, Content::Binary { dcs, .. }) => {
                let dcs = if *dcs == 0x04 { Dcs::general_octet(Coding::Octets, class) } else { *dcs };
                self.data.extend_from_slice(part.octets());
                Ok(Coded { septets: false, dcs: Some(dcs), class })
            }
            (Alphabet::Latin1, Content::Text(_)) => {
                let readable: String = part.octets().iter().map(|octet| char::from(*octet)).collect();
                self.write_readable(&readable, class)
            }
            (_, Content::Text(_)) => {
                self.data.extend_from_slice(part.octets());
                Ok(ucs2(class))
            }
        }
    }

    /// The network has no Latin-1: GSM 7-bit where that has all the characters, UCS-2 where that fits.
    fn write_readable(&mut self, readable: &str, class: Option<MessageClass>) -> Result<Coded, Reason> {
        let header = self.header.len();
        if let Ok(septets) = sms::encode_gsm7(readable, Shift::default())
            && septets.len() <= AIR_SEPTETS - (header * 8).div_ceil(7)
        {
            self.data.extend_from_slice(&septets);
            return Ok(Coded { septets: true, dcs: None, class });
        }
        let octets = sms::encode_ucs2(readable);
        if header + octets.len() > AIR_OCTETS {
            return Err(unsendable("a Latin-1 part has characters that GSM 7-bit lacks, and is too long for UCS-2"));
        }
        self.data.extend_from_slice(&octets);
        Ok(ucs2(class))
    }
}

fn ucs2(class: Option<MessageClass>) -> Coded {
    Coded { septets: false, dcs: Some(Dcs::general_octet(Coding::Ucs2, class)), class }
}

/// A part that no retry will make sendable.
pub(crate) fn unsendable(detail: impl Into<Box<str>>) -> Reason {
    Reason::new("unsendable", detail, true)
}
