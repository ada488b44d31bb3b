//! Optional parameters: tag, length, value (SMPP 3.4 §5.3). Reading is lazy and borrows; writing goes
//! through [`TlvBuf`], which a sender keeps and clears for the next message.

mod tag;

use std::fmt;

pub use tag::{Tag, TagKind};

use crate::error::EncodeError;

/// One optional parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// Which one.
    pub tag: Tag,
    /// Its value, uninterpreted.
    pub value: &'a [u8],
}

impl<'a> Tlv<'a> {
    /// The value as a number, if it has 1 to 4 octets.
    #[must_use]
    pub fn integer(&self) -> Option<u32> {
        if self.value.is_empty() || self.value.len() > 4 {
            return None;
        }
        Some(self.value.iter().fold(0, |sum, &octet| sum << 8 | u32::from(octet)))
    }

    /// The value up to its first NUL; senders often leave the NUL out.
    #[must_use]
    pub fn text(&self) -> &'a [u8] {
        self.value.split(|&octet| octet == 0).next().unwrap_or_default()
    }
}

/// The optional parameters at the end of a PDU, as they came. Order and unknown tags are kept; what
/// can't be read as a TLV any more (junk behind the last field, a length over the end) is left out.
#[derive(Clone, Copy, Default)]
pub struct Tlvs<'a> {
    raw: &'a [u8],
}

impl<'a> Tlvs<'a> {
    /// Reads octets as a list of TLVs.
    #[must_use]
    pub const fn from_raw(raw: &'a [u8]) -> Self {
        Self { raw }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// All TLVs in their order.
    #[must_use]
    pub fn iter(&self) -> TlvIter<'a> {
        TlvIter { rest: self.raw }
    }

    /// The first TLV with this tag.
    #[inline]
    #[must_use]
    pub fn get(&self, tag: Tag) -> Option<Tlv<'a>> {
        self.iter().find(|tlv| tlv.tag == tag)
    }

    /// The first TLV with this tag, as a number.
    #[must_use]
    pub fn integer(&self, tag: Tag) -> Option<u32> {
        self.get(tag)?.integer()
    }

    /// The well-formed octets.
    #[inline]
    #[must_use]
    pub fn well_formed(&self) -> &'a [u8] {
        let junk = self.junk().len();
        self.raw.get(..self.raw.len().saturating_sub(junk)).unwrap_or_default()
    }

    /// The octets at the end that are no TLV. Worth one warning a session; not worth a nack.
    #[inline]
    #[must_use]
    pub fn junk(&self) -> &'a [u8] {
        let mut iter = self.iter();
        while iter.next().is_some() {}
        iter.rest
    }
}

impl PartialEq for Tlvs<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.well_formed() == other.well_formed()
    }
}

impl Eq for Tlvs<'_> {}

impl fmt::Debug for Tlvs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> IntoIterator for Tlvs<'a> {
    type Item = Tlv<'a>;
    type IntoIter = TlvIter<'a>;

    fn into_iter(self) -> TlvIter<'a> {
        self.iter()
    }
}

/// Iterator over [`Tlvs`].
#[derive(Debug, Clone)]
pub struct TlvIter<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for TlvIter<'a> {
    type Item = Tlv<'a>;

    #[inline]
    fn next(&mut self) -> Option<Tlv<'a>> {
        let (&[t1, t2, l1, l2], rest) = self.rest.split_first_chunk::<4>()?;
        let (value, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([l1, l2])))?;
        self.rest = rest;
        Some(Tlv { tag: Tag(u16::from_be_bytes([t1, t2])), value })
    }
}

/// A list of TLVs under construction.
///
/// ```
/// use smpp::{Tag, TlvBuf};
/// let mut tlvs = TlvBuf::new();
/// tlvs.push_u8(Tag::MESSAGE_STATE, 2);
/// tlvs.push_text(Tag::RECEIPTED_MESSAGE_ID, b"38601fa")?;
/// assert_eq!(tlvs.as_tlvs().integer(Tag::MESSAGE_STATE), Some(2));
/// # Ok::<(), smpp::EncodeError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlvBuf {
    raw: Vec<u8>,
}

impl TlvBuf {
    /// An empty list.
    #[must_use]
    pub const fn new() -> Self {
        Self { raw: Vec::new() }
    }

    /// Empties it and keeps its memory.
    pub fn clear(&mut self) {
        self.raw.clear();
    }

    /// Adds a TLV.
    ///
    /// # Errors
    /// When the value is longer than 65,535 octets.
    pub fn push(&mut self, tag: Tag, value: &[u8]) -> Result<(), EncodeError> {
        self.push_parts(tag, value, b"")
    }

    /// Adds a TLV of one octet.
    pub fn push_u8(&mut self, tag: Tag, value: u8) {
        self.raw.extend_from_slice(&tag.0.to_be_bytes());
        self.raw.extend_from_slice(&[0, 1, value]);
    }

    /// Adds a TLV of two octets.
    pub fn push_u16(&mut self, tag: Tag, value: u16) {
        self.raw.extend_from_slice(&tag.0.to_be_bytes());
        self.raw.extend_from_slice(&[0, 2]);
        self.raw.extend_from_slice(&value.to_be_bytes());
    }

    /// Adds a TLV of four octets.
    pub fn push_u32(&mut self, tag: Tag, value: u32) {
        self.raw.extend_from_slice(&tag.0.to_be_bytes());
        self.raw.extend_from_slice(&[0, 4]);
        self.raw.extend_from_slice(&value.to_be_bytes());
    }

    /// Adds a TLV whose value is text, with the NUL that the standard wants at its end.
    ///
    /// # Errors
    /// When the text is longer than 65,534 octets.
    pub fn push_text(&mut self, tag: Tag, text: &[u8]) -> Result<(), EncodeError> {
        self.push_parts(tag, text, &[0])
    }

    /// What was built, ready to be put into a PDU.
    #[must_use]
    pub fn as_tlvs(&self) -> Tlvs<'_> {
        Tlvs::from_raw(&self.raw)
    }

    fn push_parts(&mut self, tag: Tag, value: &[u8], end: &[u8]) -> Result<(), EncodeError> {
        let length = value.len() + end.len();
        let Ok(wire_length) = u16::try_from(length) else {
            return Err(EncodeError::TooLong {
                field: tag.name().unwrap_or("TLV"),
                length,
                max: usize::from(u16::MAX),
            });
        };
        self.raw.extend_from_slice(&tag.0.to_be_bytes());
        self.raw.extend_from_slice(&wire_length.to_be_bytes());
        self.raw.extend_from_slice(value);
        self.raw.extend_from_slice(end);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_and_unknown_tags_and_stops_at_junk() {
        let raw = [0x14, 0x03, 0, 2, 9, 9, 0x04, 0x27, 0, 1, 2, 0x02, 0x10, 0, 9, 1];
        let tlvs = Tlvs::from_raw(&raw);
        let tags: Vec<u16> = tlvs.iter().map(|tlv| tlv.tag.0).collect();
        assert_eq!(tags, [0x1403, 0x0427]);
        assert_eq!(tlvs.junk(), &raw[11..]);
        assert_eq!(tlvs.well_formed(), &raw[..11]);
        assert_eq!(tlvs.get(Tag::SC_INTERFACE_VERSION), None);
    }

    #[test]
    fn text_needs_no_nul_and_numbers_any_width() {
        let mut buf = TlvBuf::new();
        buf.push(Tag::RECEIPTED_MESSAGE_ID, b"abc").unwrap();
        buf.push_text(Tag::ADDITIONAL_STATUS_INFO_TEXT, b"late").unwrap();
        buf.push_u16(Tag::SOURCE_TELEMATICS_ID, 258);
        buf.push_u32(Tag::QOS_TIME_TO_LIVE, 70_000);
        let tlvs = buf.as_tlvs();
        assert_eq!(tlvs.get(Tag::RECEIPTED_MESSAGE_ID).unwrap().text(), b"abc");
        assert_eq!(tlvs.get(Tag::ADDITIONAL_STATUS_INFO_TEXT).unwrap().value, b"late\0");
        assert_eq!(tlvs.get(Tag::ADDITIONAL_STATUS_INFO_TEXT).unwrap().text(), b"late");
        assert_eq!(tlvs.integer(Tag::SOURCE_TELEMATICS_ID), Some(258));
        assert_eq!(tlvs.integer(Tag::QOS_TIME_TO_LIVE), Some(70_000));
        assert_eq!(tlvs.integer(Tag::RECEIPTED_MESSAGE_ID), Some(0x61_62_63));
        assert!(buf.push(Tag::MESSAGE_PAYLOAD, &vec![0; 65_536]).is_err());
    }
}
