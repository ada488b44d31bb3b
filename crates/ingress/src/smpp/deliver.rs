//! From what an account is owed to deliver_sm (SMPP 3.4 §4.6.1), as its session can take it.

use engine::notify::{CallResult, Owed, OwedMessage, OwedReceipt};
use model::resources::{DefaultAlphabet, ReceiptForm, SmppLogin};
use model::{Address, AddressKind, Delivery, Encoding, Status, Timestamp};
use smpp::{
    CommandStatus, DataCoding, DeliverSm, EsmClass, MessageState, Npi, Session, StatusClass, SubmitError, Tag, TlvBuf,
    Ton,
};
use sms::receipt::ReceiptState;
use sms::{Choice, Shift, TextOptions};
use std::fmt::Write;
use std::time::Duration;

use super::answer::write_id;
use crate::sessions::NotSent;

/// Longest short_message (SMPP 3.4 §5.2.22); what is longer goes into message_payload.
const SHORT_MESSAGE_MAX: usize = 254;
/// The network of an error code is GSM (SMPP 3.4 §5.3.2.31).
const GSM: u8 = 3;

/// Writes deliver_sm. It keeps its buffers.
#[derive(Default)]
pub(super) struct Deliveries {
    text: String,
    octets: Vec<u8>,
    tlvs: TlvBuf,
    id: String,
}

impl Deliveries {
    /// Sends a delivery under `token`; how many deliver_sm it took.
    pub fn send(
        &mut self,
        delivery: &Delivery,
        login: &SmppLogin,
        session: &mut Session,
        token: u64,
        now: Duration,
    ) -> Result<u8, NotSent> {
        let owed = serde_json::from_str(&delivery.payload).map_err(|error| NotSent::Never(error.to_string()))?;
        match owed {
            Owed::Receipt(receipt) => self.receipt(&receipt, login, session, token, now).map(|()| 1),
            Owed::Message(message) => self.message(&message, login, session, token, now),
        }
    }

    fn receipt(
        &mut self,
        receipt: &OwedReceipt<'_>,
        login: &SmppLogin,
        session: &mut Session,
        token: u64,
        now: Duration,
    ) -> Result<(), NotSent> {
        let said = receipt.stat.as_deref().and_then(ReceiptState::from_word).filter(|state| !state.is_final());
        let state = said.unwrap_or_else(|| state_of(receipt.status));
        self.id.clear();
        write_id(receipt.id, login.message_id, !session.with_tlvs(), &mut self.id);
        self.text.clear();
        receipt_text(receipt, &self.id, state, login.receipt_format, &mut self.text);
        self.tlvs.clear();
        let name = self.tlvs.push_text(Tag::RECEIPTED_MESSAGE_ID, self.id.as_bytes());
        name.map_err(|error| NotSent::Never(error.to_string()))?;
        self.tlvs.push_u8(Tag::MESSAGE_STATE, MessageState(state.message_state()).0);
        if let Some(code) = receipt.err.as_ref().and_then(|err| err.parse::<u16>().ok()).filter(|code| *code != 0) {
            let [high, low] = code.to_be_bytes();
            let pushed = self.tlvs.push(Tag::NETWORK_ERROR_CODE, &[GSM, high, low]);
            pushed.map_err(|error| NotSent::Never(error.to_string()))?;
        }
        if let Some(reference) = receipt.reference {
            self.tlvs.push_u16(Tag::USER_MESSAGE_REFERENCE, reference);
        }
        let (phone, sender) = (from_text(&receipt.to), from_text(&receipt.from));
        let pdu = DeliverSm {
            source: address(&phone),
            destination: address(&sender),
            esm_class: if state.is_final() { EsmClass::RECEIPT } else { EsmClass(0x20) },
            short_message: self.text.as_bytes(),
            tlvs: self.tlvs.as_tlvs(),
            ..DeliverSm::default()
        };
        put(session, &pdu, token, now)
    }

    fn message(
        &mut self,
        message: &OwedMessage<'_>,
        login: &SmppLogin,
        session: &mut Session,
        token: u64,
        now: Duration,
    ) -> Result<u8, NotSent> {
        let (phone, number) = (from_text(&message.from), from_text(&message.to));
        self.octets.clear();
        self.tlvs.clear();
        let (data_coding, udhi) = match &message.text {
            Some(text) => (write_text(text, login.default_alphabet, message.class, &mut self.octets), false),
            None => {
                self.octets.extend_from_slice(&message.udh);
                self.octets.extend_from_slice(&message.data);
                (message.dcs.unwrap_or(DataCoding::OCTETS.0), !message.udh.is_empty())
            }
        };
        let pdu = DeliverSm {
            source: address(&phone),
            destination: address(&number),
            esm_class: EsmClass(if udhi { EsmClass::UDHI } else { 0 }),
            data_coding: DataCoding(data_coding),
            ..DeliverSm::default()
        };
        if self.octets.len() <= SHORT_MESSAGE_MAX {
            put(session, &DeliverSm { short_message: &self.octets, ..pdu }, token, now)?;
            return Ok(1);
        }
        if session.with_tlvs() {
            let payload = self.tlvs.push(Tag::MESSAGE_PAYLOAD, &self.octets);
            payload.map_err(|error| NotSent::Never(error.to_string()))?;
            put(session, &DeliverSm { tlvs: self.tlvs.as_tlvs(), ..pdu }, token, now)?;
            return Ok(1);
        }
        match &message.text {
            Some(text) => in_parts(text, message, &pdu, session, token, now),
            None => Err(NotSent::Never("it is too long for SMPP 3.3".into())),
        }
    }
}

/// A long text for a session without TLVs: in parts, as it would come from an SMSC that does not
/// put them together.
fn in_parts(
    text: &str,
    message: &OwedMessage<'_>,
    pdu: &DeliverSm<'_>,
    session: &mut Session,
    token: u64,
    now: Duration,
) -> Result<u8, NotSent> {
    let ucs2 = pdu.data_coding == DataCoding::UCS2 || message.encoding == Encoding::Ucs2;
    let choice = if ucs2 { Choice::Ucs2 } else { Choice::Auto };
    let plan = sms::plan(text, &TextOptions { choice, ..TextOptions::default() });
    let plan = plan.map_err(|error| NotSent::Never(error.to_string()))?;
    if plan.part_count() > session.window_room() {
        return Err(NotSent::NoRoom);
    }
    let gsm7 = matches!(plan.alphabet(), sms::Alphabet::Gsm7 { .. });
    let data_coding = if gsm7 { DataCoding::DEFAULT } else { DataCoding::UCS2 };
    let reference = message.id.0.as_u128() as u16;
    for (n, part) in plan.parts().enumerate() {
        let (user_data, udhi) = part.user_data(reference);
        let esm_class = EsmClass(if udhi { EsmClass::UDHI } else { 0 });
        put(session, &DeliverSm { esm_class, data_coding, short_message: &user_data, ..*pdu }, token | n as u64, now)?;
    }
    // A plan has at most 255 parts.
    Ok(plan.part_count() as u8)
}

fn put(session: &mut Session, pdu: &DeliverSm<'_>, token: u64, now: Duration) -> Result<(), NotSent> {
    match session.request(pdu, token, now) {
        Ok(_) => Ok(()),
        Err(SubmitError::Encode(error)) => Err(NotSent::Never(error.to_string())),
        Err(_) => Err(NotSent::NoRoom),
    }
}

/// What a client's answer to a deliver_sm comes to. Statuses that say "later" are tried again by
/// the schedule of all deliveries; others are the client's last word.
pub(super) fn outcome_of(status: CommandStatus) -> CallResult {
    if status.is_ok() {
        return CallResult::Taken;
    }
    let detail = status.to_string();
    match status.class() {
        StatusClass::Permanent | StatusClass::Config => CallResult::Refused { detail },
        _ => CallResult::Failed { detail, retry_after: None },
    }
}

/// Writes the text; the data coding that it is in.
fn write_text(text: &str, default: DefaultAlphabet, class: Option<u8>, out: &mut Vec<u8>) -> u8 {
    let class = class.filter(|class| *class <= 3);
    // A class in data_coding says that the text is GSM 7-bit, whatever 0 would mean.
    let octets = match (default, class) {
        (DefaultAlphabet::Gsm7, _) | (_, Some(_)) => sms::encode_gsm7(text, Shift::default()).ok(),
        (DefaultAlphabet::Gsm7Packed, None) => {
            sms::encode_gsm7(text, Shift::default()).ok().map(|septets| sms::pack_with_cr(&septets))
        }
        (DefaultAlphabet::Latin1, None) => sms::encode_latin1(text).ok(),
        (DefaultAlphabet::Ascii, None) => text.is_ascii().then(|| text.as_bytes().to_vec()),
        (DefaultAlphabet::Utf8, None) => Some(text.as_bytes().to_vec()),
    };
    match octets {
        Some(octets) => {
            out.extend_from_slice(&octets);
            class.map_or(0, |class| 0x10 | class)
        }
        None => {
            out.extend_from_slice(&sms::encode_ucs2(text));
            class.map_or(DataCoding::UCS2.0, |class| 0x18 | class)
        }
    }
}

/// SMPP 3.4 Appendix B. Dates are of UTC.
fn receipt_text(receipt: &OwedReceipt<'_>, id: &str, state: ReceiptState, form: ReceiptForm, out: &mut String) {
    let (parts, delivered) = (receipt.parts.clamp(1, 999), receipt.delivered.min(999));
    // Writing to a String does not fail.
    let _ = write!(out, "id:{id} sub:{parts:03} dlvrd:{delivered:03} submit date:");
    write_date(receipt.submitted, form, out);
    out.push_str(" done date:");
    write_date(receipt.done, form, out);
    let _ = write!(out, " stat:{} err:{:0>3} text:", state.word(), receipt.err.as_deref().unwrap_or("0"));
    out.extend(receipt.text.chars().map(|character| if matches!(character, ' '..='~') { character } else { '?' }));
}

fn write_date(at: Timestamp, form: ReceiptForm, out: &mut String) {
    let Some(date) = at.civil() else { return out.push_str("0000000000") };
    let (year, month, day) = (date.year().rem_euclid(100), date.month(), date.day());
    let _ = write!(out, "{year:02}{month:02}{day:02}{:02}{:02}", date.hour(), date.minute());
    if form == ReceiptForm::Seconds {
        let _ = write!(out, "{:02}", date.second());
    }
}

fn state_of(status: Status) -> ReceiptState {
    match status {
        Status::Scheduled | Status::Queued | Status::Sent | Status::Received => ReceiptState::Enroute,
        Status::Delivered => ReceiptState::Delivered,
        Status::Undelivered | Status::Failed => ReceiptState::Undeliverable,
        Status::Expired => ReceiptState::Expired,
        Status::Rejected => ReceiptState::Rejected,
        Status::Unknown => ReceiptState::Unknown,
        Status::Canceled => ReceiptState::Deleted,
    }
}

fn from_text(text: &str) -> Address {
    Address::from_carrier(text, false)
}

fn address(address: &Address) -> smpp::Address<'_> {
    let (ton, npi) = match address.kind() {
        AddressKind::International => (Ton::INTERNATIONAL, Npi::ISDN),
        AddressKind::Alphanumeric => (Ton::ALPHANUMERIC, Npi::UNKNOWN),
        AddressKind::Short => (Ton::UNKNOWN, Npi::UNKNOWN),
    };
    smpp::Address::new(ton, npi, address.bare().as_bytes())
}

#[cfg(test)]
#[path = "deliver_tests.rs"]
mod tests;
