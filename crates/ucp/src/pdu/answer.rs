//! Results: `A`, perhaps with a modified validity period, or `N` with an error code; and a system message.

use super::read::{Reader, parse};
use super::write::{Writer, check_text};
use super::{FieldValue, Visitor};
use crate::code::ErrorCode;
use crate::error::{DecodeError, EncodeError};
use crate::ot::OperationType;

/// Characters of the longest system message: a list of identities (02) may need them.
const SM_MAX: usize = 4_000;

/// The result of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer<'a> {
    /// `A`: it was taken.
    Ack {
        /// Until when the SMSC will really try (`DDMMYYhhmm`); empty for as asked. Only 30 and the 50 series have it.
        mvp: &'a [u8],
        /// System message: the identity of what was taken, for one. See [`Answer::identity`].
        sm: &'a [u8],
    },
    /// `N`: it was not.
    Nack {
        /// Why.
        code: ErrorCode,
        /// System message, for people.
        sm: &'a [u8],
    },
}

/// How an SMSC names a message: to whom, and when it took it. Two messages to one recipient within a second have
/// the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identity<'a> {
    /// The recipient. Some SMSCs write the originator instead: do not rely on it.
    pub adc: &'a [u8],
    /// Twelve digits, `DDMMYYhhmmss`.
    pub scts: &'a [u8],
}

impl<'a> Answer<'a> {
    /// A positive result that says nothing.
    pub const ACK: Self = Self::Ack { mvp: b"", sm: b"" };

    /// A positive result with a system message.
    #[must_use]
    pub const fn ack(sm: &'a [u8]) -> Self {
        Self::Ack { mvp: b"", sm }
    }

    /// A negative result.
    #[must_use]
    pub const fn nack(code: ErrorCode) -> Self {
        Self::Nack { code, sm: b"" }
    }

    /// Whether it is positive.
    #[must_use]
    pub const fn is_ack(&self) -> bool {
        matches!(self, Self::Ack { .. })
    }

    /// The error code, if it is negative.
    #[must_use]
    pub const fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Ack { .. } => None,
            Self::Nack { code, .. } => Some(*code),
        }
    }

    /// The system message.
    #[must_use]
    pub const fn sm(&self) -> &'a [u8] {
        match self {
            Self::Ack { sm, .. } | Self::Nack { sm, .. } => sm,
        }
    }

    /// The identity that a positive result of 01, 30 or 51 gives a message.
    #[must_use]
    pub fn identity(&self) -> Option<Identity<'a>> {
        match self {
            Self::Ack { sm, .. } => Identity::parse(sm),
            Self::Nack { .. } => None,
        }
    }

    /// Reads the fields of a result.
    ///
    /// # Errors
    /// When it is neither positive nor negative. Nothing else is refused.
    pub fn decode(ot: OperationType, data: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(ot, data);
        match reader.next() {
            b"A" if ot.has_mvp() => {
                let first = reader.next();
                // Some leave MVP out.
                if reader.is_at_end() && !looks_like_time(first) {
                    return Ok(Self::ack(first));
                }
                Ok(Self::Ack { mvp: first, sm: reader.next() })
            }
            b"A" => Ok(Self::ack(reader.next())),
            b"N" => {
                let code = parse(reader.next()).and_then(|code| u8::try_from(code).ok()).unwrap_or_default();
                Ok(Self::Nack { code: ErrorCode(code), sm: reader.next() })
            }
            _ => Err(DecodeError::NeitherAckNorNack),
        }
    }

    pub(super) fn write(&self, ot: OperationType, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        match *self {
            Self::Ack { mvp, sm } => {
                writer.text("ACK", 1, b"A")?;
                if ot.has_mvp() {
                    writer.text("MVP", 12, mvp)?;
                }
                writer.text("SM", SM_MAX, sm)
            }
            Self::Nack { code, sm } => {
                writer.text("NACK", 1, b"N")?;
                writer.number("EC", 2, Some(u16::from(code.0)))?;
                writer.text("SM", SM_MAX, sm)
            }
        }
    }

    pub(super) fn visit(&self, visitor: &mut Visitor<'_>) {
        match *self {
            Self::Ack { mvp, sm } => {
                visitor.text("ACK", 1, b"A");
                visitor.text("MVP", 0, mvp);
                visitor.text("SM", 0, sm);
            }
            Self::Nack { code, sm } => {
                visitor.text("NACK", 1, b"N");
                visitor.number("EC", 2, Some(u16::from(code.0)));
                visitor.text("SM", 0, sm);
            }
        }
    }

    /// Calls `visit` with the name and value of each field that is not empty.
    pub fn fields(&self, visit: &mut dyn FnMut(&str, FieldValue<'_>)) {
        self.visit(&mut Visitor::new(visit));
    }
}

impl<'a> Identity<'a> {
    /// Reads `AdC:SCTS`, whatever AdC may be; `None` if the part behind the last colon is no time stamp.
    #[must_use]
    pub fn parse(sm: &'a [u8]) -> Option<Self> {
        let colon = sm.iter().rposition(|&octet| octet == b':')?;
        let (adc, scts) = (sm.get(..colon)?, sm.get(colon + 1..)?.trim_ascii());
        (scts.len() == 12 && scts.iter().all(u8::is_ascii_digit)).then_some(Self { adc: adc.trim_ascii(), scts })
    }

    /// Reads the list that the result of a 02 has.
    pub fn parse_list(sm: &'a [u8]) -> impl Iterator<Item = Self> + use<'a> {
        sm.split(|&octet| octet == b',').filter_map(Self::parse)
    }

    /// Appends `AdC:SCTS`, what goes into the system message of a positive result.
    ///
    /// # Errors
    /// When a field can't carry it; nothing was appended then.
    pub fn append_to(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        check_text("SM", 22, self.adc)?;
        check_text("SM", 12, self.scts)?;
        out.extend_from_slice(self.adc);
        out.push(b':');
        out.extend_from_slice(self.scts);
        Ok(())
    }
}

fn looks_like_time(text: &[u8]) -> bool {
    matches!(text.len(), 0 | 10 | 12) && text.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBMIT: OperationType = OperationType::SUBMIT;

    #[test]
    fn results_are_read_as_they_come() {
        let read = |ot, data: &'static str| Answer::decode(ot, data.as_bytes());
        assert_eq!(read(SUBMIT, "A//1:2/"), Ok(Answer::ack(b"1:2")));
        assert_eq!(read(SUBMIT, "A/0101250000//"), Ok(Answer::Ack { mvp: b"0101250000", sm: b"" }));
        assert_eq!(read(SUBMIT, "A/1:010125000000/"), Ok(Answer::ack(b"1:010125000000")));
        assert_eq!(read(SUBMIT, "A/0101250000/"), Ok(Answer::Ack { mvp: b"0101250000", sm: b"" }));
        assert_eq!(read(SUBMIT, "A/"), Ok(Answer::ACK));
        assert_eq!(read(OperationType::SESSION, "A/hello/more/"), Ok(Answer::ack(b"hello")));
        assert_eq!(read(SUBMIT, "N/04/no/"), Ok(Answer::Nack { code: ErrorCode::NOT_ALLOWED, sm: b"no" }));
        assert_eq!(read(SUBMIT, "N//"), Ok(Answer::nack(ErrorCode(0))));
        assert_eq!(read(SUBMIT, "N/4711/"), Ok(Answer::nack(ErrorCode(0))));
        assert_eq!(read(SUBMIT, "X/1/"), Err(DecodeError::NeitherAckNorNack));
        assert_eq!(read(SUBMIT, ""), Err(DecodeError::NeitherAckNorNack));
    }

    #[test]
    fn identities_are_read_and_written() {
        let identity = Answer::ack(b"447700900124:221026183639").identity().unwrap();
        assert_eq!((identity.adc, identity.scts), (&b"447700900124"[..], &b"221026183639"[..]));
        let mut out = Vec::new();
        identity.append_to(&mut out).unwrap();
        assert_eq!(Identity::parse(&out), Some(identity));
        for bad in ["", "0000", "1:2", "1:22102618363x", "1:2210261836390"] {
            assert_eq!(Identity::parse(bad.as_bytes()), None, "{bad}");
        }
        let list = Identity::parse_list(b"1:221026183639, 2:221026183640,x");
        assert_eq!(list.map(|identity| identity.adc).collect::<Vec<_>>(), [b"1", b"2"]);
        assert_eq!(Answer::Nack { code: ErrorCode(1), sm: b"1:221026183639" }.identity(), None);
        assert!(Identity { adc: b"1/2", scts: b"" }.append_to(&mut out).is_err());
    }
}
