//! Receipts: kept small while they wait, written straight into the octets of a deliver_sm.

use smpp::{Address, DeliverSm, EsmClass, Npi, Tag, TlvBuf, Ton};
use sms::DateTime;
use sms::receipt::ReceiptState;

use crate::id::{write_digits, write_receipt_id};
use crate::settings::{DateForm, IdStyle, ReceiptForm, ReceiptSettings};

/// Characters of the message that a receipt repeats (SMPP 3.4 Appendix B).
const QUOTED: usize = 20;

/// A receipt that waits to be sent or acknowledged.
#[derive(Clone, Debug)]
pub(crate) struct Receipt {
    pub(crate) number: u64,
    pub(crate) style: IdStyle,
    pub(crate) state: ReceiptState,
    /// Type of number and numbering plan of the message's source and destination.
    types: [u8; 4],
    source_len: u8,
    destination_len: u8,
    /// Source, destination, and the beginning of the text.
    octets: Box<[u8]>,
    /// Seconds since 1970.
    submitted: i64,
    done: i64,
}

impl Receipt {
    pub(crate) fn new(
        (number, style): (u64, IdStyle),
        state: ReceiptState,
        (source, destination): (Address<'_>, Address<'_>),
        text: &[u8],
        (submitted, done): (i64, i64),
    ) -> Self {
        let mut octets = Vec::with_capacity(source.addr.len() + destination.addr.len() + QUOTED);
        octets.extend_from_slice(source.addr);
        octets.extend_from_slice(destination.addr);
        octets.extend(quoted(text));
        Self {
            number,
            style,
            state,
            types: [source.ton.0, source.npi.0, destination.ton.0, destination.npi.0],
            // Readers refuse addresses of more than 254 octets.
            source_len: source.addr.len() as u8,
            destination_len: destination.addr.len() as u8,
            octets: octets.into(),
            submitted,
            done,
        }
    }

    /// The message says something else now.
    pub(crate) fn says(&mut self, text: &[u8], done: i64) {
        let addresses = usize::from(self.source_len) + usize::from(self.destination_len);
        let mut octets = self.octets.get(..addresses).unwrap_or_default().to_vec();
        octets.extend(quoted(text));
        self.octets = octets.into();
        self.done = done;
    }

    /// Whether registered_delivery asks for a receipt of this state (SMPP 3.4 §5.2.17).
    pub(crate) fn is_wanted(registered_delivery: u8, state: ReceiptState) -> bool {
        match registered_delivery & 0x03 {
            1 => true,
            2 => state != ReceiptState::Delivered,
            3 => state == ReceiptState::Delivered,
            _ => false,
        }
    }

    /// The receipt as a deliver_sm, built in `desk`: source and destination change places.
    pub(crate) fn deliver<'a>(
        &'a self,
        settings: &ReceiptSettings,
        with_tlvs: bool,
        desk: &'a mut Scratch,
    ) -> DeliverSm<'a> {
        let [source_ton, source_npi, destination_ton, destination_npi] = self.types;
        let (source, rest) = self.octets.split_at(usize::from(self.source_len));
        let (destination, text) = rest.split_at(usize::from(self.destination_len));
        desk.text.clear();
        desk.tlvs.clear();
        let form = if with_tlvs { settings.form } else { ReceiptForm::Text };
        if form != ReceiptForm::Tlvs {
            self.write_text(settings, text, &mut desk.text);
        }
        if form != ReceiptForm::Text {
            desk.id.clear();
            write_receipt_id(self.number, self.style, settings.id, &mut desk.id);
            let fits = desk.tlvs.push_text(Tag::RECEIPTED_MESSAGE_ID, &desk.id);
            debug_assert_eq!(fits, Ok(()), "ids have at most 64 characters");
            desk.tlvs.push_u8(Tag::MESSAGE_STATE, self.state.message_state());
        }
        let intermediate = !self.state.is_final() && settings.esm_class == EsmClass::RECEIPT.0;
        DeliverSm {
            source: Address::new(Ton(destination_ton), Npi(destination_npi), destination),
            destination: Address::new(Ton(source_ton), Npi(source_npi), source),
            esm_class: EsmClass(if intermediate { 0x20 } else { settings.esm_class }),
            short_message: &desk.text,
            tlvs: desk.tlvs.as_tlvs(),
            ..DeliverSm::default()
        }
    }

    /// SMPP 3.4 Appendix B.
    fn write_text(&self, settings: &ReceiptSettings, text: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(b"id:");
        write_receipt_id(self.number, self.style, settings.id, out);
        let delivered = self.state == ReceiptState::Delivered;
        out.extend_from_slice(if delivered { b" sub:001 dlvrd:001" } else { b" sub:001 dlvrd:000" });
        out.extend_from_slice(b" submit date:");
        write_date(self.submitted, settings.dates, out);
        out.extend_from_slice(b" done date:");
        write_date(self.done, settings.dates, out);
        out.extend_from_slice(b" stat:");
        let stat = out.len();
        out.extend_from_slice(self.state.word().as_bytes());
        out.extend_from_slice(if delivered || !self.state.is_final() { b" err:000" } else { b" err:001" });
        if settings.lower_case {
            out[stat..].make_ascii_lowercase();
        }
        out.extend_from_slice(b" text:");
        out.extend_from_slice(text);
    }
}

/// What a receipt repeats of a text.
fn quoted(text: &[u8]) -> impl Iterator<Item = u8> {
    let shown = |&octet: &u8| if matches!(octet, b' '..=b'~') { octet } else { b'?' };
    text.iter().take(QUOTED).map(shown)
}

/// Room in which receipts are written, kept for the next one.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    text: Vec<u8>,
    id: Vec<u8>,
    tlvs: TlvBuf,
}

/// A moment as SMPP writes it, in UTC (SMPP 3.4 §7.1.1).
pub(crate) fn write_time(seconds: i64, out: &mut Vec<u8>) {
    write_date(seconds, DateForm::Seconds, out);
    out.extend_from_slice(b"000+");
}

fn write_date(seconds: i64, form: DateForm, out: &mut Vec<u8>) {
    let Some(date) = DateTime::from_unix(seconds) else { return };
    let year = u64::from(date.year());
    match form {
        DateForm::Century => write_digits::<10>(year, 4, out),
        DateForm::Minutes | DateForm::Seconds => write_digits::<10>(year % 100, 2, out),
    }
    for field in [date.month(), date.day(), date.hour(), date.minute()] {
        write_digits::<10>(field.into(), 2, out);
    }
    if form != DateForm::Minutes {
        write_digits::<10>(date.second().into(), 2, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::IdForm;

    fn sample(state: ReceiptState) -> Receipt {
        let addresses = (Address::alphanumeric(b"SHOP"), Address::international(b"447700900123"));
        Receipt::new((0x60ed_c86a, IdStyle::Hex), state, addresses, b"hi\0there", (1_795_378_496, 1_795_378_499))
    }

    #[test]
    fn the_standard_form() {
        let mut scratch = Scratch::default();
        let receipt = sample(ReceiptState::Delivered);
        let deliver = receipt.deliver(&ReceiptSettings::default(), true, &mut scratch);
        assert_eq!((deliver.source.addr, deliver.destination.addr), (&b"447700900123"[..], &b"SHOP"[..]));
        assert_eq!((deliver.destination.ton, deliver.esm_class), (Ton::ALPHANUMERIC, EsmClass(4)));
        assert_eq!(
            std::str::from_utf8(deliver.short_message).unwrap(),
            "id:60edc86a sub:001 dlvrd:001 submit date:2611222014 done date:2611222014 stat:DELIVRD err:000 text:hi?there"
        );
        assert_eq!(deliver.tlvs.get(Tag::RECEIPTED_MESSAGE_ID).unwrap().value, b"60edc86a\0");
        assert_eq!(deliver.tlvs.integer(Tag::MESSAGE_STATE), Some(2));
    }

    #[test]
    fn other_forms_are_read_back_by_the_reader_of_receipts() {
        let mut scratch = Scratch::default();
        let settings = ReceiptSettings {
            dates: DateForm::Century,
            id: IdForm::HexToDec,
            lower_case: true,
            esm_class: 0,
            ..ReceiptSettings::default()
        };
        let failed = sample(ReceiptState::Undeliverable);
        let deliver = failed.deliver(&settings, false, &mut scratch);
        assert!(deliver.tlvs.is_empty());
        let text = sms::receipt::parse(deliver.short_message).unwrap();
        assert_eq!((text.id.as_deref(), text.stat.as_deref()), (Some("1626196074"), Some("undeliv")));
        assert_eq!(text.done_date, Some(&b"20261122201459"[..]));
        let tlvs = ReceiptSettings { form: ReceiptForm::Tlvs, ..settings };
        assert_eq!(failed.deliver(&tlvs, true, &mut scratch).short_message, b"");
    }

    #[test]
    fn registered_delivery_chooses() {
        use ReceiptState::{Delivered, Undeliverable};
        let wanted = |flag| [Delivered, Undeliverable].map(|state| Receipt::is_wanted(flag, state));
        assert_eq!(wanted(0), [false, false]);
        assert_eq!(wanted(0x11), [true, true]);
        assert_eq!(wanted(2), [false, true]);
        assert_eq!(wanted(3), [true, false]);
    }
}
