//! What came in: octets under a data coding, read as text where they are text.

use encoding_rs::{EUC_JP, EUC_KR, Encoding, ISO_2022_JP, ISO_8859_5, ISO_8859_8, SHIFT_JIS};

use crate::alphabet::pack::{fill_bits, header_septets, unpack, unpack_with_cr};
use crate::dcs::{Coding, Dcs, MessageClass, SmppCoding};
use crate::udh::Udh;
use crate::{Alphabet, Shift, decode_gsm7, decode_latin1, decode_ucs2};

/// What SMPP `data_coding` 0 means on a link. SMSCs differ, so it is configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DefaultAlphabet {
    /// GSM 7-bit, one septet an octet. Most SMSCs.
    #[default]
    Gsm7,
    /// GSM 7-bit, packed, after a header with fill bits.
    Gsm7Packed,
    /// ISO 8859-1.
    Latin1,
    /// ASCII.
    Ascii,
    /// UTF-8.
    Utf8,
}

/// How the octets are described where they come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Described {
    /// By an SMPP `data_coding` and what 0 means on the link.
    Smpp {
        /// The field as received.
        data_coding: u8,
        /// What 0 means.
        default: DefaultAlphabet,
    },
    /// By a TP-DCS and the TP-UDL; GSM 7-bit text is packed.
    Tpdu {
        /// TP-DCS as received.
        dcs: u8,
        /// TP-UDL: septets (header and fill included) or octets.
        length: u8,
    },
    /// By a TP-DCS alone, with GSM 7-bit text one septet an octet.
    Unpacked {
        /// TP-DCS as received.
        dcs: u8,
    },
}

/// What the octets say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// They are text.
    Text(String),
    /// They are not, or nobody knows what text; as received.
    Octets(Vec<u8>),
}

/// A received user data field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received<'a> {
    /// The header, if there is one that can be read.
    pub udh: Option<Udh<'a>>,
    /// What follows it.
    pub body: Body,
    /// The alphabet of the text. Character sets without a name in [`Alphabet`] count as
    /// [`Alphabet::Octets`], though their body is text.
    pub alphabet: Alphabet,
    /// The message class, if one is given.
    pub class: Option<MessageClass>,
}

/// Reads a user data field. Nothing is refused: a header that overruns the field is taken as text,
/// and characters that cannot be read become U+FFFD.
///
/// `udhi` says that a header stands in front (TP-UDHI, or SMPP `esm_class` bit 0x40).
pub fn decode_user_data(octets: &[u8], udhi: bool, described: Described) -> Received<'_> {
    let (udh, data) = match udhi.then(|| Udh::split(octets)) {
        Some(Ok((udh, data))) => (Some(udh), data),
        Some(Err(_)) | None => (None, octets),
    };
    let field = Field { octets, data, udh };
    match described {
        Described::Smpp { data_coding, default } => field.smpp(SmppCoding::decode(data_coding), default),
        Described::Tpdu { dcs, length } => field.gsm(Dcs::decode(dcs), Some(length)),
        Described::Unpacked { dcs } => field.gsm(Dcs::decode(dcs), None),
    }
}

struct Field<'a> {
    octets: &'a [u8],
    data: &'a [u8],
    udh: Option<Udh<'a>>,
}

impl<'a> Field<'a> {
    fn smpp(self, coding: SmppCoding, default: DefaultAlphabet) -> Received<'a> {
        match coding {
            SmppCoding::Default => self.default_alphabet(default),
            SmppCoding::Ascii => self.ascii(),
            SmppCoding::Latin1 => self.latin1(),
            SmppCoding::Ucs2 => self.ucs2(None),
            SmppCoding::Jis => self.charset(SHIFT_JIS),
            SmppCoding::Cyrillic => self.charset(ISO_8859_5),
            SmppCoding::Hebrew => self.charset(ISO_8859_8),
            SmppCoding::Iso2022Jp => self.charset(ISO_2022_JP),
            SmppCoding::ExtendedKanji => self.charset(EUC_JP),
            SmppCoding::Korean => self.charset(EUC_KR),
            SmppCoding::Octets | SmppCoding::Pictogram | SmppCoding::Reserved => self.raw(None),
            SmppCoding::Gsm(dcs) if dcs.coding == Coding::Gsm7 => {
                let packed = default == DefaultAlphabet::Gsm7Packed;
                let septets = if packed { self.packed_septets() } else { self.data.to_vec() };
                self.gsm7(&septets, dcs.class)
            }
            SmppCoding::Gsm(dcs) => self.gsm(dcs, None),
        }
    }

    fn default_alphabet(self, default: DefaultAlphabet) -> Received<'a> {
        match default {
            DefaultAlphabet::Gsm7 => self.gsm7(self.data, None),
            DefaultAlphabet::Gsm7Packed => self.gsm7(&self.packed_septets(), None),
            DefaultAlphabet::Latin1 => self.latin1(),
            DefaultAlphabet::Ascii => self.ascii(),
            DefaultAlphabet::Utf8 => {
                let text = String::from_utf8_lossy(self.data).into_owned();
                self.text(text, Alphabet::Octets, None)
            }
        }
    }

    /// `length` is the TP-UDL of a TPDU; septets are not packed without it.
    fn gsm(self, dcs: Dcs, length: Option<u8>) -> Received<'a> {
        if dcs.compressed {
            return self.raw(dcs.class);
        }
        match (dcs.coding, length) {
            (Coding::Ucs2, _) => self.ucs2(dcs.class),
            (Coding::Octets, _) => self.raw(dcs.class),
            (Coding::Gsm7, None) => self.gsm7(self.data, dcs.class),
            (Coding::Gsm7, Some(length)) => {
                let header = self.octets.len() - self.data.len();
                let count = usize::from(length).saturating_sub(header_septets(header));
                let septets = unpack(self.data, fill_bits(header), count);
                self.gsm7(&septets, dcs.class)
            }
        }
    }

    /// Packed septets without a count, as some SMSCs send them over SMPP.
    fn packed_septets(&self) -> Vec<u8> {
        match self.octets.len() - self.data.len() {
            0 => unpack_with_cr(self.data),
            header => {
                let mut septets = unpack(self.data, fill_bits(header), usize::MAX);
                let bits = usize::from(fill_bits(header)) + septets.len() * 7;
                if bits.is_multiple_of(8) && matches!(septets.last(), Some(&(0 | b'\r'))) {
                    septets.pop();
                }
                septets
            }
        }
    }

    fn gsm7(&self, septets: &[u8], class: Option<MessageClass>) -> Received<'a> {
        let shift = self.udh.map_or(Shift::default(), |udh| udh.shift());
        let alphabet = Alphabet::Gsm7 { locking: shift.locking, single: shift.single };
        self.text(decode_gsm7(septets, shift), alphabet, class)
    }

    fn ucs2(self, class: Option<MessageClass>) -> Received<'a> {
        self.text(decode_ucs2(self.data), Alphabet::Ucs2, class)
    }

    fn latin1(self) -> Received<'a> {
        self.text(decode_latin1(self.data), Alphabet::Latin1, None)
    }

    fn ascii(self) -> Received<'a> {
        let readable = |&octet: &u8| if octet.is_ascii() { char::from(octet) } else { '\u{FFFD}' };
        self.text(self.data.iter().map(readable).collect(), Alphabet::Latin1, None)
    }

    fn charset(self, charset: &'static Encoding) -> Received<'a> {
        let (text, _) = charset.decode_without_bom_handling(self.data);
        self.text(text.into_owned(), Alphabet::Octets, None)
    }

    fn raw(self, class: Option<MessageClass>) -> Received<'a> {
        Received { udh: self.udh, body: Body::Octets(self.data.to_vec()), alphabet: Alphabet::Octets, class }
    }

    fn text(&self, text: String, alphabet: Alphabet, class: Option<MessageClass>) -> Received<'a> {
        Received { udh: self.udh, body: Body::Text(text), alphabet, class }
    }
}
