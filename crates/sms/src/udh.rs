//! The user data header (3GPP 23.040 §9.2.3.24): elements before the text of a part.
//!
//! [`Udh`] borrows the octets it was read from and keeps every element raw; the readers of known
//! elements take the last well-formed one and ignore the rest, as receivers must.

use crate::{Language, Shift};

/// Element identifier: concatenation with an 8-bit reference (§9.2.3.24.1).
pub const CONCAT_8: u8 = 0x00;
/// Element identifier: special SMS message indication (§9.2.3.24.2).
pub const MESSAGE_WAITING: u8 = 0x01;
/// Element identifier: application ports of 8 bits (§9.2.3.24.3).
pub const PORTS_8: u8 = 0x04;
/// Element identifier: application ports of 16 bits (§9.2.3.24.4).
pub const PORTS_16: u8 = 0x05;
/// Element identifier: concatenation with a 16-bit reference (§9.2.3.24.8).
pub const CONCAT_16: u8 = 0x08;
/// Element identifier: national language single shift (§9.2.3.24.15).
pub const SINGLE_SHIFT: u8 = 0x24;
/// Element identifier: national language locking shift (§9.2.3.24.16).
pub const LOCKING_SHIFT: u8 = 0x25;

/// The length octet says more than there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the user data header should have {claimed} octets, and {present} are present")]
pub struct UdhTruncated {
    /// Octets that the header should have, its length octet included.
    pub claimed: usize,
    /// Octets that are there.
    pub present: usize,
}

/// A header, borrowed from the user data that it stands in front of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Udh<'a> {
    octets: &'a [u8],
}

/// One information element, as it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Element<'a> {
    /// Information element identifier.
    pub identifier: u8,
    /// What follows its length octet.
    pub data: &'a [u8],
}

/// The place of a part in its long message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Concat {
    /// Common to the parts of one message.
    pub reference: u16,
    /// How many parts there are, from 1.
    pub total: u8,
    /// Which one this is, from 1 to `total`.
    pub sequence: u8,
    /// Whether the reference has 16 bits on the wire. Equal references of different width belong
    /// to different messages.
    pub wide: bool,
}

/// Application ports (`wide`: of 16 bits).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // The fields are what they are called.
pub struct Ports {
    pub destination: u16,
    pub originator: u16,
    pub wide: bool,
}

/// A message waiting indication element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WaitingCount {
    /// Whether the message itself is to be stored.
    pub store: bool,
    /// Kind of message that waits: 0 voice, 1 fax, 2 e-mail, 3 other (the low two bits).
    pub kind: u8,
    /// How many wait; 0 switches the indication off.
    pub count: u8,
}

impl<'a> Udh<'a> {
    /// Takes the header off the front of a user data field, and gives what follows it.
    ///
    /// For packed GSM 7-bit text the rest still begins with [`fill_bits`](crate::fill_bits).
    pub fn split(user_data: &'a [u8]) -> Result<(Self, &'a [u8]), UdhTruncated> {
        let claimed = user_data.first().map_or(1, |&length| usize::from(length) + 1);
        match user_data.split_at_checked(claimed) {
            Some((octets, rest)) => Ok((Self { octets }, rest)),
            None => Err(UdhTruncated { claimed, present: user_data.len() }),
        }
    }

    /// The whole header with its length octet.
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// The elements in order. One that overruns the header ends the list.
    pub fn elements(&self) -> impl Iterator<Item = Element<'a>> + use<'a> {
        let mut rest = self.octets.get(1..).unwrap_or_default();
        std::iter::from_fn(move || {
            let (&[identifier, length], after) = rest.split_first_chunk::<2>()?;
            let (data, after) = after.split_at_checked(usize::from(length))?;
            rest = after;
            Some(Element { identifier, data })
        })
    }

    /// The concatenation element; the last one if there are several, of either width. One with a
    /// total or sequence of 0, or a sequence beyond the total, is ignored (§9.2.3.24.1).
    pub fn concat(&self) -> Option<Concat> {
        self.elements().filter_map(Concat::read).last()
    }

    /// The application ports; the last element if there are several.
    pub fn ports(&self) -> Option<Ports> {
        let read = |element: Element<'_>| match (element.identifier, element.data) {
            (PORTS_8, &[destination, originator]) => {
                Some(Ports { destination: destination.into(), originator: originator.into(), wide: false })
            }
            (PORTS_16, &[d1, d0, o1, o0]) => Some(Ports {
                destination: u16::from_be_bytes([d1, d0]),
                originator: u16::from_be_bytes([o1, o0]),
                wide: true,
            }),
            _ => None,
        };
        self.elements().filter_map(read).last()
    }

    /// The national language tables that the text is written with. Unknown identifiers are
    /// ignored, which leaves the default table.
    pub fn shift(&self) -> Shift {
        let mut shift = Shift::default();
        for element in self.elements() {
            match (element.identifier, element.data) {
                (SINGLE_SHIFT, &[language]) => shift.single = Language::from_identifier(language),
                (LOCKING_SHIFT, &[language]) => shift.locking = Language::from_identifier(language),
                _ => {}
            }
        }
        shift
    }

    /// Every message waiting indication; a header may hold one for each kind.
    pub fn waiting(&self) -> impl Iterator<Item = WaitingCount> + use<'a> {
        self.elements().filter_map(|element| match (element.identifier, element.data) {
            (MESSAGE_WAITING, &[kind, count]) => Some(WaitingCount { store: kind & 0x80 != 0, kind: kind & 3, count }),
            _ => None,
        })
    }
}

impl Concat {
    /// Reads a concatenation element; `None` for other elements and for one that means nothing.
    pub fn read(element: Element<'_>) -> Option<Self> {
        let concat = match (element.identifier, element.data) {
            (CONCAT_8, &[reference, total, sequence]) => {
                Self { reference: reference.into(), total, sequence, wide: false }
            }
            (CONCAT_16, &[high, low, total, sequence]) => {
                Self { reference: u16::from_be_bytes([high, low]), total, sequence, wide: true }
            }
            _ => return None,
        };
        let valid = concat.sequence != 0 && concat.sequence <= concat.total;
        valid.then_some(concat)
    }

    /// The octets of the element; a narrow one keeps the low 8 bits of the reference.
    fn write(&self, octets: &mut Vec<u8>) {
        let [high, low] = self.reference.to_be_bytes();
        if self.wide {
            octets.extend_from_slice(&[CONCAT_16, 4, high, low, self.total, self.sequence]);
        } else {
            octets.extend_from_slice(&[CONCAT_8, 3, low, self.total, self.sequence]);
        }
    }
}

/// Puts a header together, element by element.
///
/// ```
/// let header = sms::UdhBuilder::new().ports(2948, 9200).finish();
/// assert_eq!(header, [6, 5, 4, 0x0B, 0x84, 0x23, 0xF0]);
/// ```
#[derive(Clone, Debug)]
pub struct UdhBuilder {
    octets: Vec<u8>,
}

impl Default for UdhBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl UdhBuilder {
    /// A header without elements.
    pub fn new() -> Self {
        let mut octets = Vec::with_capacity(16);
        octets.push(0);
        Self { octets }
    }

    /// Adds any element. `data` beyond 255 octets is cut off, for its length is one octet.
    pub fn element(mut self, identifier: u8, data: &[u8]) -> Self {
        let data = data.get(..255).unwrap_or(data);
        self.octets.extend_from_slice(&[identifier, data.len() as u8]);
        self.octets.extend_from_slice(data);
        self
    }

    /// Adds elements that are already encoded, without a length octet before them.
    pub fn raw_elements(mut self, elements: &[u8]) -> Self {
        self.octets.extend_from_slice(elements);
        self
    }

    /// Adds a concatenation element.
    pub fn concat(mut self, concat: Concat) -> Self {
        concat.write(&mut self.octets);
        self
    }

    /// Adds 16-bit application ports.
    pub fn ports(self, destination: u16, originator: u16) -> Self {
        let [d1, d0] = destination.to_be_bytes();
        let [o1, o0] = originator.to_be_bytes();
        self.element(PORTS_16, &[d1, d0, o1, o0])
    }

    /// Adds the elements of national tables; none for the default ones.
    pub fn shift(mut self, shift: Shift) -> Self {
        if let Some(language) = shift.single {
            self = self.element(SINGLE_SHIFT, &[language.identifier()]);
        }
        if let Some(language) = shift.locking {
            self = self.element(LOCKING_SHIFT, &[language.identifier()]);
        }
        self
    }

    /// The header with its length octet. Elements beyond 255 octets make no valid header: a part
    /// has room for 140.
    pub fn finish(mut self) -> Vec<u8> {
        self.octets.truncate(256);
        self.octets[0] = (self.octets.len() - 1) as u8;
        self.octets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(octets: &[u8]) -> Udh<'_> {
        Udh::split(octets).expect("a whole header").0
    }

    #[test]
    fn elements_are_kept_raw_and_in_order() {
        let octets = b"\x0F\x01\x03\x01\x02\x03\x01\x03\x05\x06\x07\x02\x03\x01\x02\x03";
        let identifiers: Vec<u8> = read(octets).elements().map(|e| e.identifier).collect();
        assert_eq!(identifiers, [1, 1, 2]);
    }

    #[test]
    fn an_element_that_overruns_ends_the_header() {
        let header = read(b"\x07\x24\x01\x01\x00\x05\x01\x02");
        assert_eq!(header.elements().count(), 1);
        assert_eq!(header.shift().single, Some(Language::Turkish));
    }

    #[test]
    fn the_last_valid_concatenation_wins() {
        let header = read(b"\x10\x00\x03\x07\x02\x01\x08\x04\x01\x80\x04\x02\x00\x03\x09\x02\x03");
        let expected = Concat { reference: 0x180, total: 4, sequence: 2, wide: true };
        assert_eq!(header.concat(), Some(expected));
    }

    #[test]
    fn a_length_beyond_the_data_is_an_error() {
        assert_eq!(Udh::split(b""), Err(UdhTruncated { claimed: 1, present: 0 }));
        assert_eq!(Udh::split(b"\x05\x00"), Err(UdhTruncated { claimed: 6, present: 2 }));
        let (header, rest) = Udh::split(b"\x00\x02").expect("an empty header");
        assert_eq!((header.elements().count(), rest), (0, &b"\x02"[..]));
    }

    #[test]
    fn builder_writes_the_usual_headers() {
        let concat = Concat { reference: 0x1AB, total: 3, sequence: 2, wide: false };
        assert_eq!(UdhBuilder::new().concat(concat).finish(), b"\x05\x00\x03\xAB\x03\x02");
        let wide = UdhBuilder::new().concat(Concat { wide: true, ..concat }).finish();
        assert_eq!(wide, b"\x06\x08\x04\x01\xAB\x03\x02");
        let turkish = Shift { locking: None, single: Some(Language::Turkish) };
        assert_eq!(UdhBuilder::new().shift(turkish).finish(), b"\x03\x24\x01\x01");
    }

    #[test]
    fn waiting_indications_are_listed() {
        let header = read(b"\x08\x01\x02\x80\x03\x01\x02\x02\x00");
        let counts: Vec<_> = header.waiting().collect();
        assert_eq!(counts[0], WaitingCount { store: true, kind: 0, count: 3 });
        assert_eq!(counts[1], WaitingCount { store: false, kind: 2, count: 0 });
    }
}
