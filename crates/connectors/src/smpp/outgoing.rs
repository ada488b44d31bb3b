//! From a part to a submit_sm, by the quirks of its connector. Pure.

use std::sync::Arc;

use model::resources::{AddressForm, Connector, DefaultAlphabet, FlashForm, LongForm, ValidityForm};
use model::{Address, AddressKind, Body, Content, Reason, ReceiptWish, Timestamp};
use smpp::{
    AbsoluteTime, DataCoding, EsmClass, Npi, RegisteredDelivery, RelativeTime, SmppTime, SubmitSm, Tag, TlvBuf, Ton,
};
use sms::{Alphabet, Coding, Concat, Dcs, MessageClass, Shift, TextPlan, Udh, UdhBuilder};

use crate::plans::LastPlan;

/// Octets of the user data of one short message on the air (3GPP 23.040 §9.2.3.24).
const AIR_OCTETS: usize = 140;
/// Longest short_message (SMPP 3.4 §5.2.22); what is longer goes into message_payload.
const SHORT_MESSAGE_MAX: usize = 254;

/// Turns parts into submit_sm. It keeps its buffers, and the plan of the message it saw last.
#[derive(Debug, Default)]
pub struct Outgoing {
    last: LastPlan,
    user_data: Vec<u8>,
    tlvs: TlvBuf,
    validity: [u8; 16],
}

/// How user data is coded and announced.
struct Coded {
    data_coding: u8,
    class_as_subunit: Option<u8>,
}

impl Outgoing {
    /// Buffers for one session.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The submit_sm of a part. `parts` is what the message is sent as: 1 for a long text means that
    /// the SMSC splits it.
    ///
    /// # Errors
    /// Why the part can't be sent over this connector, ever.
    pub fn submit_sm<'a>(
        &'a mut self,
        connector: &'a Connector,
        body: &'a Arc<Body>,
        (part, parts): (u8, u8),
        now: Timestamp,
    ) -> Result<SubmitSm<'a>, Reason> {
        self.tlvs.clear();
        self.user_data.clear();
        let plan = self.last.of(body).map_err(|error| unsendable(error.to_string()))?;
        let is_long = plan.part_count() > 1;
        let (udhi, coded) = write_user_data(connector, body, plan, (part, parts), &mut self.user_data, &mut self.tlvs)?;
        if let Some(subunit) = coded.class_as_subunit {
            self.tlvs.push_u8(Tag::DEST_ADDR_SUBUNIT, subunit);
        }
        for tlv in &body.tlvs {
            self.tlvs.push(Tag(tlv.tag), &tlv.value).map_err(|error| unsendable(error.to_string()))?;
        }
        let in_payload = self.user_data.len() > SHORT_MESSAGE_MAX || (parts == 1 && is_long);
        if in_payload {
            let payload = self.tlvs.push(Tag::MESSAGE_PAYLOAD, &self.user_data);
            payload.map_err(|error| unsendable(error.to_string()))?;
        }
        let validity = validity(connector.validity, body, now);
        self.validity = validity.unwrap_or_default();
        Ok(SubmitSm {
            service_type: service_type(connector, body),
            source: source(connector, body),
            destination: destination(connector, body),
            esm_class: esm_class(body, udhi),
            protocol_id: body.protocol_id().unwrap_or(connector.protocol_id),
            priority_flag: body.priority_flag(),
            validity_period: if validity.is_some() { &self.validity } else { b"" },
            registered_delivery: registered_delivery(body.receipt),
            // The parts of a long message would take each other's place.
            replace_if_present_flag: u8::from(parts == 1 && body.replace_if_present() && !is_part(body)),
            data_coding: DataCoding(coded.data_coding),
            short_message: if in_payload { b"" } else { &self.user_data },
            tlvs: self.tlvs.as_tlvs(),
            ..SubmitSm::default()
        })
    }
}

/// Is it a part of a long message that the application has cut itself?
fn is_part(body: &Body) -> bool {
    match &body.content {
        Content::Binary { udh, .. } => Udh::split(udh).is_ok_and(|(header, _)| header.concat().is_some()),
        Content::Text(_) => false,
    }
}

fn esm_class(body: &Body, udhi: bool) -> EsmClass {
    let bit = |set: bool, bit: u8| if set { bit } else { 0 };
    EsmClass(bit(udhi, EsmClass::UDHI) | bit(body.reply_path(), EsmClass::REPLY_PATH))
}

/// Writes header and text of a part; whether there is a header, and how the text is coded.
fn write_user_data(
    connector: &Connector,
    body: &Body,
    plan: &TextPlan,
    (index, parts): (u8, u8),
    out: &mut Vec<u8>,
    tlvs: &mut TlvBuf,
) -> Result<(bool, Coded), Reason> {
    let whole = parts == 1 && plan.part_count() > 1;
    let Some(part) = plan.part(if whole { 0 } else { usize::from(index) }) else {
        return Err(unsendable(format!("the message has {} parts, and part {index} was asked for", plan.part_count())));
    };
    let text = if whole { plan.octets() } else { part.octets() };
    let concat = part.concat(body.reference);
    let header = match concat {
        Some(concat) if whole || connector.long_messages == LongForm::Sar => {
            if !whole {
                push_sar(concat, tlvs);
            }
            header_without_concat(body, plan.alphabet().shift())
        }
        _ => part.udh(body.reference),
    };
    let header = header.unwrap_or_default();
    out.extend_from_slice(&header);
    let coded = write_text(connector, body, plan.alphabet(), text, header.len(), whole, out)?;
    Ok((!header.is_empty(), coded))
}

fn push_sar(concat: Concat, tlvs: &mut TlvBuf) {
    tlvs.push_u16(Tag::SAR_MSG_REF_NUM, concat.reference);
    tlvs.push_u8(Tag::SAR_TOTAL_SEGMENTS, concat.total);
    tlvs.push_u8(Tag::SAR_SEGMENT_SEQNUM, concat.sequence);
}

/// The header that a message has besides its concatenation.
fn header_without_concat(body: &Body, shift: Shift) -> Option<Vec<u8>> {
    match &body.content {
        Content::Binary { udh, .. } if !udh.is_empty() => Some(udh.to_vec()),
        Content::Binary { .. } => None,
        Content::Text(_) => (shift != Shift::default()).then(|| UdhBuilder::new().shift(shift).finish()),
    }
}

/// Writes the text as the connector wants it, behind a header of `header` octets.
fn write_text(
    connector: &Connector,
    body: &Body,
    alphabet: Alphabet,
    text: &[u8],
    header: usize,
    whole: bool,
    out: &mut Vec<u8>,
) -> Result<Coded, Reason> {
    let class = body.class.and_then(MessageClass::from_number);
    let Alphabet::Gsm7 { .. } = alphabet else {
        out.extend_from_slice(text);
        return Ok(match (&body.content, alphabet) {
            (Content::Binary { dcs, .. }, _) if *dcs != 0x04 => Coded { data_coding: *dcs, class_as_subunit: None },
            (Content::Binary { .. }, _) => announce(connector, Coding::Octets, 0x04, class),
            (_, Alphabet::Latin1) => Coded { data_coding: DataCoding::LATIN1.0, class_as_subunit: class.map(subunit) },
            _ => announce(connector, Coding::Ucs2, DataCoding::UCS2.0, class),
        });
    };
    let coded = match &body.content {
        Content::Binary { dcs, .. } => Coded { data_coding: *dcs, class_as_subunit: None },
        Content::Text(_) => announce(connector, Coding::Gsm7, 0, class),
    };
    let packed = connector.default_alphabet == DefaultAlphabet::Gsm7Packed;
    // A class in data_coding says that the text is GSM 7-bit, whatever 0 would mean.
    if coded.data_coding != 0 && !packed || connector.default_alphabet == DefaultAlphabet::Gsm7 {
        out.extend_from_slice(text);
        return Ok(coded);
    }
    if packed {
        match header {
            0 => out.extend_from_slice(&sms::pack_with_cr(text)),
            header => out.extend_from_slice(&sms::pack(text, sms::fill_bits(header))),
        }
        return Ok(coded);
    }
    let shift = match &body.content {
        Content::Binary { udh, .. } => Udh::split(udh).map_or(Shift::default(), |(header, _)| header.shift()),
        Content::Text(_) => alphabet.shift(),
    };
    let readable = sms::decode_gsm7(text, shift);
    let written = match connector.default_alphabet {
        DefaultAlphabet::Utf8 => Some(readable.as_bytes().to_vec()),
        DefaultAlphabet::Ascii => readable.is_ascii().then(|| readable.as_bytes().to_vec()),
        _ => sms::encode_latin1(&readable).ok(),
    };
    if let Some(octets) = written {
        out.extend_from_slice(&octets);
        return Ok(coded);
    }
    // GSM 7-bit has characters that the SMSC's alphabet lacks.
    let ucs2 = sms::encode_ucs2(&readable);
    if !whole && header + ucs2.len() > AIR_OCTETS {
        return Err(unsendable(
            "a part has characters that the SMSC's default alphabet lacks, and is too long for UCS-2",
        ));
    }
    out.extend_from_slice(&ucs2);
    Ok(announce(connector, Coding::Ucs2, DataCoding::UCS2.0, class))
}

/// The data_coding of a coding with a class, if one is wanted.
fn announce(connector: &Connector, coding: Coding, plain: u8, class: Option<MessageClass>) -> Coded {
    let Some(class) = class else { return Coded { data_coding: plain, class_as_subunit: None } };
    let general = Dcs::general_octet(coding, Some(class));
    match connector.flash {
        FlashForm::General => Coded { data_coding: general, class_as_subunit: None },
        FlashForm::ClassGroup => {
            Coded { data_coding: Dcs::class_octet(coding, class).unwrap_or(general), class_as_subunit: None }
        }
        FlashForm::Subunit => Coded { data_coding: plain, class_as_subunit: Some(subunit(class)) },
    }
}

/// dest_addr_subunit of a class: display, equipment, SIM, external (SMPP 3.4 §5.3.2.2).
const fn subunit(class: MessageClass) -> u8 {
    class.number() + 1
}

/// The service: the connector's where it names one, for carriers have names of their own.
pub(super) fn service_type<'a>(connector: &'a Connector, body: &'a Body) -> &'a [u8] {
    match connector.service_type.as_str() {
        "" => body.service_type().unwrap_or_default().as_bytes(),
        own => own.as_bytes(),
    }
}

/// The sender as the SMSC wants it.
pub(super) fn source<'a>(connector: &Connector, body: &'a Body) -> smpp::Address<'a> {
    address(body.sent_from(), connector.source, connector.plus_sign)
}

/// The recipient as the SMSC wants it.
pub(super) fn destination<'a>(connector: &Connector, body: &'a Body) -> smpp::Address<'a> {
    address(body.sent_to(), connector.destination, connector.plus_sign)
}

/// An address as the SMSC wants it. Names stay alphanumeric whatever form is configured for numbers.
fn address<'a>(address: &'a Address, form: Option<AddressForm>, plus_sign: bool) -> smpp::Address<'a> {
    let kind = address.kind();
    let (ton, npi) = match (kind, form) {
        (AddressKind::Alphanumeric, _) => (Ton::ALPHANUMERIC, Npi::UNKNOWN),
        (_, Some(form)) => (Ton(form.ton), Npi(form.npi)),
        (AddressKind::International, None) => (Ton::INTERNATIONAL, Npi::ISDN),
        (AddressKind::Short, None) => (Ton::UNKNOWN, Npi::UNKNOWN),
    };
    let text = if plus_sign { address.as_str() } else { address.bare() };
    smpp::Address::new(ton, npi, text.as_bytes())
}

fn registered_delivery(wish: ReceiptWish) -> RegisteredDelivery {
    match wish {
        ReceiptWish::None => RegisteredDelivery::NONE,
        // What the application hears of is decided here, and the carrier's word is wanted in any case.
        ReceiptWish::Final | ReceiptWish::Failure | ReceiptWish::Success => RegisteredDelivery::ALWAYS,
        ReceiptWish::All => RegisteredDelivery(RegisteredDelivery::ALWAYS.0 | RegisteredDelivery::INTERMEDIATE),
    }
}

/// The carrier is told of a validity that the application named.
fn validity(form: ValidityForm, body: &Body, now: Timestamp) -> Option<[u8; 16]> {
    if !body.validity_given {
        return None;
    }
    time_of(form, body.expires_at, now)
}

/// A time as the connector writes it; what has passed is now.
pub(super) fn time_of(form: ValidityForm, at: Timestamp, now: Timestamp) -> Option<[u8; 16]> {
    let left = u64::try_from(at.millis_since(now) / 1000).unwrap_or(0).max(1);
    let time = match form {
        ValidityForm::None => return None,
        ValidityForm::Relative => match RelativeTime::from_seconds(left) {
            Some(time) => SmppTime::Relative(time),
            None => absolute(at)?,
        },
        ValidityForm::Absolute => absolute(at)?,
    };
    time.to_wire().ok()
}

fn absolute(at: Timestamp) -> Option<SmppTime> {
    let civil = at.civil()?;
    let unit = |value: i8| u8::try_from(value).unwrap_or(0);
    Some(SmppTime::Absolute(AbsoluteTime {
        year: u16::try_from(civil.year()).ok()?,
        month: unit(civil.month()),
        day: unit(civil.day()),
        hour: unit(civil.hour()),
        minute: unit(civil.minute()),
        second: unit(civil.second()),
        tenth: 0,
        offset_quarters: 0,
    }))
}

/// A part that no retry will make sendable.
pub(super) fn unsendable(detail: impl Into<Box<str>>) -> Reason {
    Reason::new("unsendable", detail, true)
}
