//! Where one packet ends and the next begins: `STX ZZ:NNN TAB (PPP:value TAB)* [CC] ETX`.

use thiserror::Error;

use crate::error::DecodeError;
use crate::error_code::ErrorCode;
use crate::operation::OperationCode;
use crate::packet::Packet;
use crate::parameter::{Parameters, Tag};
use crate::values::hex_pair;

/// The octet before every packet.
pub const STX: u8 = 0x02;
/// The octet behind every packet.
pub const ETX: u8 = 0x03;
/// The octet behind the header and behind every parameter.
pub const TAB: u8 = 0x09;

/// The longest packet that is taken unless configured otherwise. The protocol has no limit; the longest that anybody
/// has a reason to send is a submission to many destinations.
pub const DEFAULT_MAX_PACKET: usize = 16 * 1024;

/// The two numbers that every packet starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Which operation.
    pub operation: OperationCode,
    /// The packet number: ties a response to its request. Applications count 1, 3 … 255, SMSCs 0, 2 … 254; up to 999
    /// is taken.
    pub sequence: u16,
}

/// What stands between the last TAB and ETX.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checksum {
    /// Nothing: checksums are optional.
    Absent,
    /// The sum of all octets from STX to the last TAB.
    Right,
    /// Another number.
    Wrong {
        /// What the peer has sent.
        sent: u8,
        /// What the octets come to.
        computed: u8,
    },
}

/// One complete packet, borrowed from the buffer that it was received in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The header.
    pub header: Header,
    /// Every parameter in the order of the wire.
    pub parameters: Parameters<'a>,
    /// Whether there is a checksum, and a right one. What to do about a wrong one is the caller's decision.
    pub checksum: Checksum,
    /// Where the parameters begin in the packet.
    pub(crate) parameters_at: usize,
    wire_len: usize,
}

impl<'a> Frame<'a> {
    /// Reads the parameters. Responses are never refused: what is missing or unreadable in them is as if absent.
    ///
    /// # Errors
    /// When the peer's request can't be understood; [`DecodeError::error_code`] is what to answer.
    #[inline]
    pub fn decode(&self) -> Result<Packet<'a>, DecodeError> {
        Packet::decode(self.header.operation, self.parameters)
    }

    /// The error code of a response; `OK` for requests and where there is none.
    #[must_use]
    pub fn error(&self) -> ErrorCode {
        let none = match self.header.operation {
            // Whatever it says, it is not success.
            OperationCode::GENERAL_ERROR => ErrorCode::SYNTAX,
            _ => ErrorCode::OK,
        };
        if !self.header.operation.is_response() {
            return none;
        }
        let mut errors = self.parameters.iter().filter(|parameter| parameter.tag == Tag::ERROR);
        let error = errors.next().map_or(none, |parameter| ErrorCode::from_wire(parameter.value));
        if error.is_ok() { none } else { error }
    }

    /// Octets of the whole packet, STX and ETX included: how far to advance in the buffer.
    #[must_use]
    pub fn wire_len(&self) -> usize {
        self.wire_len
    }
}

/// The peer's fault: what began with STX is no packet. The next STX begins another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FrameError {
    /// A new STX came before the ETX.
    #[error("the peer's packet was broken off by another one")]
    BrokenOff,
    /// There is no ETX within the limit.
    #[error("the peer's packet is longer than {max} octets")]
    TooLong {
        /// The limit.
        max: usize,
    },
    /// It does not start with two digits, a colon, up to three digits and a TAB.
    #[error("the peer's packet does not start with an operation code and a packet number")]
    Header,
}

/// What lies at the start of a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Octets outside packets, which mean nothing to the protocol: greetings, ends of lines, NULs.
    Stray(&'a [u8]),
    /// A packet.
    Frame(Frame<'a>),
    /// What began as a packet and is none.
    Broken {
        /// What is wrong with it.
        error: FrameError,
        /// How many octets it had.
        wire_len: usize,
    },
}

impl Piece<'_> {
    /// How far to advance in the buffer.
    #[must_use]
    pub fn wire_len(&self) -> usize {
        match self {
            Self::Stray(octets) => octets.len(),
            Self::Frame(frame) => frame.wire_len,
            Self::Broken { wire_len, .. } => *wire_len,
        }
    }
}

/// Finds what lies at the start of `buffer`; `None` when more octets are needed. At most `max_len` octets are ever
/// needed.
#[inline]
#[must_use]
pub fn next_piece(buffer: &[u8], max_len: usize) -> Option<Piece<'_>> {
    next_piece_behind(buffer, 0, max_len)
}

/// Like [`next_piece`], where an end has been looked for in the first `searched` octets already.
#[inline]
pub(crate) fn next_piece_behind(buffer: &[u8], searched: usize, max_len: usize) -> Option<Piece<'_>> {
    if *buffer.first()? != STX {
        let end = buffer.iter().position(|&octet| octet == STX).unwrap_or(buffer.len());
        return Some(Piece::Stray(buffer.get(..end).unwrap_or_default()));
    }
    let max_len = max_len.max(1);
    let from = searched.clamp(1, max_len);
    let within = buffer.get(from..buffer.len().min(max_len)).unwrap_or_default();
    let Some(offset) = within.iter().position(|&octet| octet == STX || octet == ETX) else {
        let too_long = Piece::Broken { error: FrameError::TooLong { max: max_len }, wire_len: max_len };
        return (buffer.len() >= max_len).then_some(too_long);
    };
    let end = from + offset;
    if buffer.get(end) == Some(&STX) {
        return Some(Piece::Broken { error: FrameError::BrokenOff, wire_len: end });
    }
    let content = buffer.get(1..end).unwrap_or_default();
    Some(match frame(content) {
        Some(frame) => Piece::Frame(frame),
        None => Piece::Broken { error: FrameError::Header, wire_len: end + 1 },
    })
}

/// Takes apart what stands between STX and ETX; `None` if the header can't be read.
#[inline]
fn frame(content: &[u8]) -> Option<Frame<'_>> {
    let (&[tens @ b'0'..=b'9', ones @ b'0'..=b'9', b':'], rest) = content.split_first_chunk::<3>()? else {
        return None;
    };
    let digits = rest.iter().take_while(|octet| octet.is_ascii_digit()).count();
    let sequence = match rest.get(..digits)? {
        digits @ ([_] | [_, _] | [_, _, _]) => {
            digits.iter().fold(0, |number, digit| number * 10 + u16::from(digit - b'0'))
        }
        _ => return None,
    };
    let body = match rest.get(digits..)? {
        [] => &[],
        [TAB, body @ ..] => body,
        _ => return None,
    };
    let trailer_len = body.iter().rev().take_while(|&&octet| octet != TAB).count();
    let (parameters, trailer) = body.split_at_checked(body.len() - trailer_len)?;
    let (parameters, checksum) = match hex_pair(trailer) {
        Some(sent) => {
            let summed = content.get(..content.len() - trailer_len)?;
            (parameters, compare(sent, summed.iter().fold(STX, |sum, octet| sum.wrapping_add(*octet))))
        }
        // A last parameter without its TAB is taken for one.
        None => (body, Checksum::Absent),
    };
    Some(Frame {
        header: Header { operation: OperationCode((tens - b'0') * 10 + (ones - b'0')), sequence },
        parameters: Parameters::from_raw(parameters),
        checksum,
        parameters_at: 1 + content.len() - body.len(),
        wire_len: content.len() + 2,
    })
}

fn compare(sent: u8, computed: u8) -> Checksum {
    if sent == computed { Checksum::Right } else { Checksum::Wrong { sent, computed } }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGIN: &[u8] = b"\x0201:001\t010:user01\t011:psw01\tBB\x03";

    fn the_frame(octets: &[u8]) -> Frame<'_> {
        match next_piece(octets, 1024) {
            Some(Piece::Frame(frame)) => frame,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn waits_for_the_last_octet() {
        for cut in 0..LOGIN.len() {
            assert_eq!(next_piece(&LOGIN[..cut], 1024), None, "cut at {cut}");
            assert_eq!(next_piece_behind(LOGIN, cut, 1024), next_piece(LOGIN, 1024), "searched {cut}");
        }
        let frame = the_frame(LOGIN);
        assert_eq!(frame.header, Header { operation: OperationCode::LOGIN, sequence: 1 });
        assert_eq!((frame.checksum, frame.wire_len()), (Checksum::Right, LOGIN.len()));
        assert_eq!(frame.parameters.get(Tag::PASSWORD), Some(&b"psw01"[..]));
    }

    #[test]
    fn checksums_are_optional_and_of_either_case() {
        let absent = the_frame(b"\x0201:001\t010:user01\t011:psw01\t\x03");
        assert_eq!((absent.checksum, absent.parameters), (Checksum::Absent, the_frame(LOGIN).parameters));
        assert_eq!(the_frame(b"\x0201:001\t010:user01\t011:psw01\tbb\x03").checksum, Checksum::Right);
        let wrong = the_frame(b"\x0201:001\t010:user01\t011:psw01\tBA\x03");
        assert_eq!(wrong.checksum, Checksum::Wrong { sent: 0xBA, computed: 0xBB });
        assert_eq!(the_frame(b"\x0252:019\t46\x03").checksum, Checksum::Right);
    }

    #[test]
    fn what_is_nearly_right_is_taken() {
        assert_eq!(the_frame(b"\x0240:1\x03").header, Header { operation: OperationCode::ALIVE, sequence: 1 });
        let frame = the_frame(b"\x0220:999\t033:no tab\x03");
        assert_eq!((frame.header.sequence, frame.parameters.get(Tag::TEXT)), (999, Some(&b"no tab"[..])));
    }

    #[test]
    fn what_is_no_packet_leads_to_the_next() {
        let octets = b"Hello\r\n\x0203:0\x02x\x03\x0240:\t\x03\x0240:1234\x03\0\x0240:001\t\x03";
        let mut rest = &octets[..];
        let mut seen = Vec::new();
        while let Some(piece) = next_piece(rest, 1024) {
            rest = &rest[piece.wire_len()..];
            seen.push(match piece {
                Piece::Stray(octets) => octets.len().to_string(),
                Piece::Frame(frame) => frame.header.operation.to_string(),
                Piece::Broken { error, .. } => format!("{error:?}"),
            });
        }
        assert_eq!(seen, ["7", "BrokenOff", "Header", "Header", "Header", "1", "alive"]);
    }

    #[test]
    fn a_packet_without_end_costs_no_more_than_the_limit() {
        let mut octets = b"\x0203:001\t033:".to_vec();
        octets.resize(100, b'x');
        assert_eq!(next_piece(&octets, 101), None);
        let too_long = Piece::Broken { error: FrameError::TooLong { max: 100 }, wire_len: 100 };
        assert_eq!(next_piece(&octets, 100), Some(too_long));
        octets.push(ETX);
        assert_eq!(next_piece(&octets, 100), Some(too_long));
        assert!(matches!(next_piece(&octets, 101), Some(Piece::Frame(_))));
        assert_eq!(next_piece(b"\x02", 0), Some(Piece::Broken { error: FrameError::TooLong { max: 1 }, wire_len: 1 }));
    }
}
