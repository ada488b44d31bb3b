//! From a deliver_sm or data_sm to a receipt or a message from a phone. Pure.

use std::borrow::Cow;
use std::collections::BTreeMap;

use engine::dispatch::{Incoming, MobileOriginated};
use model::resources::{Connector, DefaultAlphabet as Alphabet0};
use model::{Address, Content, Encoding, Receipt, ReceiptState};
use smpp::{DataSm, DeliverSm, EsmClass, MessageType, QuerySmResp, Tag, Tlvs, Ton};
use sms::receipt::{ReceiptState as SmscState, ReceiptText, looks_like_receipt};
use sms::{Alphabet, Concat, DefaultAlphabet, Described, Udh};

/// What the readers need to know of a connector.
#[derive(Debug)]
pub struct Rules {
    default_alphabet: DefaultAlphabet,
    text_first: bool,
    by_look: bool,
    states: BTreeMap<String, ReceiptState>,
}

/// What deliver_sm and data_sm have in common.
#[derive(Clone, Copy, Debug)]
pub struct Delivered<'a> {
    source: smpp::Address<'a>,
    destination: smpp::Address<'a>,
    esm_class: EsmClass,
    data_coding: u8,
    user_data: &'a [u8],
    tlvs: Tlvs<'a>,
}

impl<'a> From<DeliverSm<'a>> for Delivered<'a> {
    fn from(pdu: DeliverSm<'a>) -> Self {
        Self {
            source: pdu.source,
            destination: pdu.destination,
            esm_class: pdu.esm_class,
            data_coding: pdu.data_coding.0,
            user_data: pdu.user_data(),
            tlvs: pdu.tlvs,
        }
    }
}

impl<'a> From<DataSm<'a>> for Delivered<'a> {
    fn from(pdu: DataSm<'a>) -> Self {
        Self {
            source: pdu.source,
            destination: pdu.destination,
            esm_class: pdu.esm_class,
            data_coding: pdu.data_coding.0,
            user_data: pdu.user_data(),
            tlvs: pdu.tlvs,
        }
    }
}

impl Rules {
    /// The rules of a connector.
    #[must_use]
    pub fn new(connector: &Connector) -> Self {
        Self {
            default_alphabet: match connector.default_alphabet {
                Alphabet0::Gsm7 => DefaultAlphabet::Gsm7,
                Alphabet0::Gsm7Packed => DefaultAlphabet::Gsm7Packed,
                Alphabet0::Latin1 => DefaultAlphabet::Latin1,
                Alphabet0::Ascii => DefaultAlphabet::Ascii,
                Alphabet0::Utf8 => DefaultAlphabet::Utf8,
            },
            text_first: connector.receipt_text_first,
            by_look: connector.receipt_by_look,
            states: connector.receipt_states.clone(),
        }
    }

    /// Reads what came. Nothing is refused: what can't be read as a receipt is a message.
    #[must_use]
    pub fn read<'a>(&self, came: impl Into<Delivered<'a>>) -> Incoming {
        let came = came.into();
        match self.is_receipt(&came) {
            true => self.receipt(&came),
            false => Incoming::Mo(Box::new(self.message(&came))),
        }
    }

    /// What a query_sm_resp says, as a receipt would (SMPP 3.4 §4.8.2).
    #[must_use]
    pub fn answer(&self, answer: &QuerySmResp<'_>) -> Receipt {
        let (state, stat) = match SmscState::from_message_state(answer.message_state.0) {
            Some(state) => self.of_state(state),
            // A state that nobody knows is no end.
            None => (ReceiptState::Intermediate, format!("message_state {}", answer.message_state.0).into()),
        };
        let err = (answer.error_code != 0).then(|| format!("{:03}", answer.error_code).into());
        Receipt { state, stat, err }
    }

    /// A state and the word for it.
    fn of_state(&self, state: SmscState) -> (ReceiptState, Box<str>) {
        let own = self.states.get(state.word()).copied();
        (own.unwrap_or_else(|| meaning(state)), state.word().into())
    }

    fn is_receipt(&self, came: &Delivered<'_>) -> bool {
        match came.esm_class.message_type() {
            MessageType::Receipt | MessageType::DeliveryAck | MessageType::IntermediateNotification => true,
            _ => {
                let by_tlv = || came.tlvs.get(Tag::RECEIPTED_MESSAGE_ID).is_some();
                self.by_look && (by_tlv() || looks_like_receipt(&text_octets(came)))
            }
        }
    }

    fn receipt(&self, came: &Delivered<'_>) -> Incoming {
        let octets = text_octets(came);
        let text = sms::receipt::parse(&octets).unwrap_or_default();
        let tlv_id = came.tlvs.get(Tag::RECEIPTED_MESSAGE_ID).map(|tlv| String::from_utf8_lossy(tlv.text()));
        let tlv_id = tlv_id.filter(|id| !id.is_empty());
        let mut ids: Vec<&str> = [tlv_id.as_deref(), text.id.as_deref()].into_iter().flatten().collect();
        if self.text_first {
            ids.reverse();
        }
        ids.dedup();
        let intermediate = came.esm_class.message_type() == MessageType::IntermediateNotification;
        let (state, stat) = self.state(&text, came.tlvs);
        let state = if intermediate { ReceiptState::Intermediate } else { state };
        let tlv_error = came.tlvs.get(Tag::NETWORK_ERROR_CODE).and_then(|tlv| network_error(tlv.value));
        let text_error = || text.error.as_deref().map(str::to_owned);
        let err = if self.text_first { text_error().or(tlv_error) } else { tlv_error.or_else(text_error) };
        let address = |octets: &[u8]| String::from_utf8_lossy(octets).into();
        Incoming::Receipt {
            remote_ids: ids.into_iter().map(Box::from).collect(),
            receipt: Receipt { state, stat, err: err.map(Box::from) },
            addresses: [address(came.source.addr), address(came.destination.addr)],
        }
    }

    /// The state and the word for it. A word with a meaning of its own here wins over everything.
    fn state(&self, text: &ReceiptText<'_>, tlvs: Tlvs<'_>) -> (ReceiptState, Box<str>) {
        let word = text.stat.as_deref();
        let own = word.and_then(|word| Some((*self.states.get(&word.to_ascii_uppercase())?, word.into())));
        if let Some(own) = own {
            return own;
        }
        let tlv = tlvs.integer(Tag::MESSAGE_STATE).and_then(|state| u8::try_from(state).ok());
        let tlv = tlv.and_then(SmscState::from_message_state);
        let by_tlv = || tlv.map(|state| self.of_state(state));
        // A word that nobody knows is no end.
        let known = |word| SmscState::from_word(word).map_or(ReceiptState::Intermediate, meaning);
        let by_word = || word.map(|word| (known(word), Box::from(word)));
        let found = if self.text_first { by_word().or_else(by_tlv) } else { by_tlv().or_else(by_word) };
        found.unwrap_or_else(|| (ReceiptState::Intermediate, "(none)".into()))
    }

    fn message(&self, came: &Delivered<'_>) -> MobileOriginated {
        let described = Described::Smpp { data_coding: came.data_coding, default: self.default_alphabet };
        let received = sms::decode_user_data(came.user_data, came.esm_class.has_udh(), described);
        let udh = received.udh;
        let (content, encoding) = match received.body {
            sms::Body::Text(text) => {
                let encoding = match received.alphabet {
                    // Text in an alphabet that has no name here.
                    Alphabet::Octets => Encoding::Ucs2,
                    alphabet => engine::text::encoding_of(alphabet),
                };
                (Content::Text(text.into()), encoding)
            }
            sms::Body::Octets(data) => {
                let udh = udh.map(|udh| udh.octets().into()).unwrap_or_default();
                // 0x02 is octets in SMPP, and has no meaning in 3GPP 23.038.
                let dcs = if came.data_coding == 0x02 { 0x04 } else { came.data_coding };
                (Content::Binary { data: data.into(), udh, dcs }, Encoding::Binary)
            }
        };
        MobileOriginated {
            from: address(came.source),
            to: address(came.destination),
            content,
            encoding,
            class: received.class.map(|class| class.number()),
            concat: udh.and_then(|udh| udh.concat()).or_else(|| sar(came.tlvs)).filter(|concat| concat.total > 1),
        }
    }
}

/// The text of a possible receipt: without a header, and in one octet a character.
fn text_octets<'a>(came: &Delivered<'a>) -> Cow<'a, [u8]> {
    let data = match came.esm_class.has_udh().then(|| Udh::split(came.user_data)) {
        Some(Ok((_, data))) => data,
        _ => came.user_data,
    };
    // Some SMSCs write even receipts in UCS-2.
    if came.data_coding == 0x08 && data.first() == Some(&0) {
        return Cow::Owned(sms::decode_ucs2(data).into_bytes());
    }
    Cow::Borrowed(data)
}

fn meaning(state: SmscState) -> ReceiptState {
    match state {
        SmscState::Scheduled | SmscState::Enroute | SmscState::Accepted => ReceiptState::Intermediate,
        SmscState::Delivered => ReceiptState::Delivered,
        SmscState::Expired => ReceiptState::Expired,
        SmscState::Deleted | SmscState::Undeliverable | SmscState::Skipped => ReceiptState::Undelivered,
        SmscState::Unknown => ReceiptState::Unknown,
        SmscState::Rejected => ReceiptState::Rejected,
    }
}

/// The code of a network_error_code: type and number, or three digits as some write it.
fn network_error(value: &[u8]) -> Option<String> {
    match *value {
        [a, b, c] if [a, b, c].iter().all(u8::is_ascii_digit) => Some(String::from_utf8_lossy(value).into_owned()),
        [_, high, low] => Some(format!("{:03}", u16::from_be_bytes([high, low]))),
        _ => None,
    }
}

fn sar(tlvs: Tlvs<'_>) -> Option<Concat> {
    let octet = |tag| tlvs.integer(tag).and_then(|value| u8::try_from(value).ok());
    let (total, sequence) = (octet(Tag::SAR_TOTAL_SEGMENTS)?, octet(Tag::SAR_SEGMENT_SEQNUM)?);
    let reference = u16::try_from(tlvs.integer(Tag::SAR_MSG_REF_NUM)?).ok()?;
    (1..=total).contains(&sequence).then_some(Concat { reference, total, sequence, wide: true })
}

fn address(address: smpp::Address<'_>) -> Address {
    Address::from_carrier(&String::from_utf8_lossy(address.addr), address.ton == Ton::INTERNATIONAL)
}
