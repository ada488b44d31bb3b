//! Messages: MT says which kind, NB and NMsg, AMsg or TMsg hold it.

use crate::hex::Hex;

/// The fields MT, NB and Msg of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Content<'a> {
    /// No message, and no MT.
    #[default]
    Absent,
    /// MT 2: digits.
    Numeric(&'a [u8]),
    /// MT 3: characters, one an octet, escape sequences two. Codes of the GSM alphabet in all practice, not those
    /// of IRA, as the standard has it. Not packed.
    Alphanumeric(Hex<'a>),
    /// MT 4: octets that the SMSC passes on as they are.
    Transparent {
        /// How many bits of the octets count.
        bits: u16,
        /// UCS-2, octets or whatever the data coding says.
        data: Hex<'a>,
    },
    /// An MT that is not known, or a message without one. It can be read but not sent.
    Other {
        /// MT, if there is one.
        mt: Option<u8>,
        /// The message as it came.
        message: &'a [u8],
    },
}

impl<'a> Content<'a> {
    /// A transparent message of whole octets. Longer ones than a field can hold are refused when they are sent.
    #[must_use]
    pub fn transparent(octets: &'a [u8]) -> Self {
        Self::Transparent { bits: bits_of(octets.len()), data: Hex::octets(octets) }
    }

    /// An alphanumeric message: codes of the GSM alphabet, one an octet.
    #[must_use]
    pub const fn alphanumeric(codes: &'a [u8]) -> Self {
        Self::Alphanumeric(Hex::octets(codes))
    }

    /// The octets of an alphanumeric or transparent message; of the latter those that the bits are in. Peers that
    /// leave NB out, or write what can't be, are taken to mean all.
    #[must_use]
    pub fn octets(&self) -> Option<Hex<'a>> {
        match *self {
            Self::Alphanumeric(data) => Some(data),
            Self::Transparent { bits: 0, data } => Some(data),
            Self::Transparent { bits, data } => Some(data.slice(0, usize::from(bits).div_ceil(8))),
            Self::Absent | Self::Numeric(_) | Self::Other { .. } => None,
        }
    }

    /// The number in MT.
    #[must_use]
    pub const fn mt(&self) -> Option<u8> {
        match *self {
            Self::Absent => None,
            Self::Numeric(_) => Some(2),
            Self::Alphanumeric(_) => Some(3),
            Self::Transparent { .. } => Some(4),
            Self::Other { mt, .. } => mt,
        }
    }
}

/// NB of whole octets.
pub(super) fn bits_of(octets: usize) -> u16 {
    u16::try_from(octets.saturating_mul(8)).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_choose_octets() {
        let data = Hex::octets(&[1, 2, 3, 4]);
        for (bits, octets) in [(32, 4), (0, 4), (20, 3), (16, 2), (999, 4)] {
            assert_eq!(Content::Transparent { bits, data }.octets(), Some(data.slice(0, octets)), "{bits}");
        }
        assert_eq!(Content::transparent(&[0; 140]), Content::Transparent { bits: 1_120, data: Hex::octets(&[0; 140]) });
        assert_eq!(Content::Numeric(b"12").octets(), None);
    }
}
