//! From what a provider tells, by call or when it is asked, to receipts and messages from phones. Pure.

use engine::dispatch::{Incoming, MobileOriginated};
use model::resources::http::place::{Each, Place};
use model::resources::http::{HttpDigest, HttpMessage, HttpReceipt};
use model::{Address, Content, Encoding, Receipt, ReceiptState};
use serde_json::Value;
use sms::{Concat, Described};

use super::document::{Document, When, each, place};
use super::escape::undigest;
use super::xml;

/// Receipts and messages in one call or answer; more of them are not looked at.
const ENTRIES_MAX: usize = 10_000;
/// Octets of an id, of a word or of an error code that are kept.
const WORD_MAX: usize = 200;
/// Digits of a number that has a country code.
const INTERNATIONAL_MIN: usize = 9;
/// Octets of a text that are taken: far more than 255 parts hold.
const TEXT_MAX: usize = 64 * 1024;

/// How one connector's provider tells things.
#[derive(Debug, Default)]
pub(super) struct Readings {
    receipt: Option<Receipts>,
    message: Option<Messages>,
    /// Words in upper case; what ends with a star stands for all that begin so.
    states: Vec<(String, ReceiptState)>,
}

#[derive(Debug)]
struct Receipts {
    each: Option<Each>,
    when: Option<When>,
    id: Place,
    state: Place,
    error: Option<Place>,
    to: Option<Place>,
}

#[derive(Debug)]
struct Messages {
    each: Option<Each>,
    when: Option<When>,
    from: Place,
    to: Option<Place>,
    default_to: String,
    text: Option<Place>,
    data: Option<Place>,
    form: HttpDigest,
    udh: Option<Place>,
    concat: Option<[Place; 3]>,
}

impl Readings {
    pub(super) fn compile(receipt: Option<&HttpReceipt>, message: Option<&HttpMessage>) -> Result<Self, String> {
        let states = receipt.iter().flat_map(|receipt| &receipt.states);
        let mut states: Vec<_> = states.map(|(word, state)| (word.to_uppercase(), *state)).collect();
        // What is said more exactly counts.
        states.sort_by_key(|(word, _)| (word.ends_with('*'), std::cmp::Reverse(word.len())));
        let receipt = receipt.filter(|receipt| !receipt.id.is_empty());
        let message = message.filter(|message| !message.from.is_empty());
        Ok(Self {
            receipt: receipt.map(Receipts::compile).transpose()?,
            message: message.map(Messages::compile).transpose()?,
            states,
        })
    }

    /// Everything that is told; it may be nothing, for providers tell more than that.
    pub(super) fn read(&self, document: &Document) -> Vec<Incoming> {
        let receipts = self.receipt.iter().flat_map(|receipts| {
            let entries = document.entries(receipts.each.as_ref()).into_iter().take(ENTRIES_MAX);
            entries.filter_map(|entry| receipts.read(self, document, entry))
        });
        let messages = self.message.iter().flat_map(|messages| {
            let entries = document.entries(messages.each.as_ref()).into_iter().take(ENTRIES_MAX);
            entries.filter_map(|entry| messages.read(document, entry))
        });
        receipts.chain(messages).collect()
    }

    /// What a word and an error code mean.
    pub(super) fn receipt(&self, word: &str, error: Option<&str>) -> Receipt {
        let word = short(word);
        let upper = word.to_uppercase();
        let fits = |(known, _): &&(String, ReceiptState)| match known.strip_suffix('*') {
            Some(begin) => upper.starts_with(begin),
            None => *known == upper,
        };
        // A word that nobody knows is no end.
        let state = self.states.iter().find(fits).map_or(ReceiptState::Intermediate, |(_, state)| *state);
        let err = error.filter(|error| !matches!(*error, "" | "0" | "000"));
        Receipt { state, stat: word, err: err.map(short) }
    }
}

impl Receipts {
    fn compile(receipt: &HttpReceipt) -> Result<Self, String> {
        Ok(Self {
            each: each(receipt.each.as_deref())?,
            when: receipt.when.as_ref().map(When::compile).transpose()?,
            id: Place::parse(&receipt.id)?,
            state: Place::parse(&receipt.state)?,
            error: place(receipt.error.as_deref())?,
            to: place(receipt.to.as_deref())?,
        })
    }

    fn read(&self, readings: &Readings, document: &Document, entry: &Value) -> Option<Incoming> {
        if self.when.as_ref().is_some_and(|when| when.is(document, Some(entry)) != Some(true)) {
            return None;
        }
        let find = |place: &Place| document.find(place, Some(entry), "");
        let (id, word) = (find(&self.id)?, find(&self.state)?);
        let error = self.error.as_ref().and_then(find);
        let to = self.to.as_ref().and_then(find).unwrap_or_default();
        Some(Incoming::Receipt {
            remote_ids: vec![short(&id)],
            receipt: readings.receipt(&word, error.as_deref()),
            addresses: [short(&to), "".into()],
        })
    }
}

impl Messages {
    fn compile(message: &HttpMessage) -> Result<Self, String> {
        let parts = [&message.part_reference, &message.part_count, &message.part];
        let parts = parts.map(|part| place(part.as_deref()));
        let concat = match parts {
            [Ok(Some(reference)), Ok(Some(total)), Ok(Some(sequence))] => Some([reference, total, sequence]),
            [Err(why), ..] | [_, Err(why), _] | [_, _, Err(why)] => return Err(why),
            _ => None,
        };
        Ok(Self {
            each: each(message.each.as_deref())?,
            when: message.when.as_ref().map(When::compile).transpose()?,
            from: Place::parse(&message.from)?,
            to: place(message.to.as_deref())?,
            default_to: message.default_to.clone().unwrap_or_default(),
            text: place(message.text.as_deref())?,
            data: place(message.data.as_deref())?,
            form: message.data_form.unwrap_or_default(),
            udh: place(message.udh.as_deref())?,
            concat,
        })
    }

    fn read(&self, document: &Document, entry: &Value) -> Option<Incoming> {
        if self.when.as_ref().is_some_and(|when| when.is(document, Some(entry)) != Some(true)) {
            return None;
        }
        let find = |place: &Place| document.find(place, Some(entry), "");
        let from = find(&self.from)?;
        let to = self.to.as_ref().and_then(find);
        let text = self.text.as_ref().and_then(find);
        let data = self.data.as_ref().and_then(find).and_then(|data| undigest(self.form, &data));
        let udh = self.udh.as_ref().and_then(find).and_then(|udh| undigest(self.form, &udh)).unwrap_or_default();
        let mut mo = match (data, text) {
            (Some(data), _) => octets(udh, &data),
            (None, Some(text)) => plain(&text),
            // An empty text is one, if its field is there.
            (None, None) if self.names_text(entry) => plain(""),
            (None, None) => return None,
        };
        mo.from = phone(&from);
        mo.to = phone(to.as_deref().unwrap_or(&self.default_to));
        let number = |place: &Place| find(place)?.parse::<u16>().ok();
        if let Some([reference, total, sequence]) = &self.concat
            && let (Some(reference), Some(total), Some(sequence)) = (number(reference), number(total), number(sequence))
            && let (Ok(total), Ok(sequence)) = (u8::try_from(total), u8::try_from(sequence))
            && (1..=total).contains(&sequence)
        {
            mo.concat = Some(Concat { reference, total, sequence, wide: reference > 255 });
        }
        mo.concat = mo.concat.filter(|concat| concat.total > 1);
        Some(Incoming::Mo(Box::new(mo)))
    }

    fn names_text(&self, entry: &Value) -> bool {
        match &self.text {
            Some(Place::Pointer(pointer)) => entry.pointer(pointer).is_some_and(Value::is_string),
            Some(Place::Xml(path)) => xml::is_there(entry, path),
            _ => false,
        }
    }
}

fn plain(text: &str) -> MobileOriginated {
    let mut end = text.len().min(TEXT_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = text.get(..end).unwrap_or_default();
    let encoding = match sms::encode_gsm7(text, sms::Shift::default()) {
        Ok(_) => Encoding::Gsm7,
        Err(_) => Encoding::Ucs2,
    };
    let nobody = || Address::from_carrier("", false);
    MobileOriginated {
        from: nobody(),
        to: nobody(),
        content: Content::Text(text.into()),
        encoding,
        class: None,
        concat: None,
    }
}

/// Octets whose coding nobody names are octets.
fn octets(udh: Vec<u8>, data: &[u8]) -> MobileOriginated {
    const DCS: u8 = 0x04;
    let has_header = !udh.is_empty();
    let mut user_data = udh;
    user_data.extend_from_slice(data);
    let received = sms::decode_user_data(&user_data, has_header, Described::Unpacked { dcs: DCS });
    let data = match received.body {
        sms::Body::Octets(data) => data.into(),
        sms::Body::Text(text) => text.into_bytes().into(),
    };
    let udh = received.udh.map(|udh| udh.octets().into()).unwrap_or_default();
    let concat = received.udh.and_then(|udh| udh.concat());
    MobileOriginated {
        content: Content::Binary { data, udh, dcs: DCS },
        encoding: Encoding::Binary,
        concat,
        ..plain("")
    }
}

/// A number as providers write it: many leave the `+` out of what has a country code all the same. What is
/// short, or begins with a zero, has none.
fn phone(text: &str) -> Address {
    let text: String = text.trim().chars().take(64).collect();
    let international = text.len() >= INTERNATIONAL_MIN && !text.starts_with('0');
    Address::from_carrier(&text, international)
}

/// An id, a word or an error code: no more of it than anybody needs.
pub(super) fn short(text: &str) -> Box<str> {
    let mut end = text.len().min(WORD_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().into()
}
