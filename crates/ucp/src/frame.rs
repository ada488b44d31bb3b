//! Where one frame ends and the next begins: STX, the header, fields, a checksum, ETX.
//!
//! There is no escaping, so an STX always begins a frame, also where the one before has lost its ETX; what lies
//! between frames (line ends, for some gateways) belongs to none.

use std::fmt;

use thiserror::Error;

use crate::code::ErrorCode;
use crate::error::DecodeError;
use crate::hex;
use crate::ot::OperationType;
use crate::pdu::Pdu;

/// The octet that begins a frame.
pub const STX: u8 = 2;
/// The octet that ends a frame.
pub const ETX: u8 = 3;
/// Octets of `TRN/LEN/O/OT/`.
pub const HEADER_LEN: usize = 14;
/// Octets of the checksum.
pub(crate) const CHECKSUM_LEN: usize = 2;
/// The longest frame that is taken unless configured otherwise, STX and ETX included.
pub const DEFAULT_MAX_FRAME: usize = 8 * 1024;

/// A transaction reference number, 00–99. Either side has its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Trn(u8);

impl Trn {
    /// How many there are.
    pub const COUNT: usize = 100;

    /// The number, if it is one.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        if number < 100 { Some(Self(number)) } else { None }
    }

    /// 0–99.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// The next one; 00 follows 99.
    #[must_use]
    pub const fn following(self) -> Self {
        Self((self.0 + 1) % 100)
    }
}

impl fmt::Display for Trn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}", self.0)
    }
}

impl fmt::Debug for Trn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether a frame asks or answers (O/R).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `O`: an operation.
    Operation,
    /// `R`: the result of one.
    Result,
}

/// What every frame starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Ties a result to its operation.
    pub trn: Trn,
    /// What LEN says: characters between STX and ETX.
    pub length: u32,
    /// Operation or result.
    pub kind: Kind,
    /// Which operation.
    pub ot: OperationType,
}

/// One complete frame, borrowed from the buffer that it was received in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The header.
    pub header: Header,
    /// The fields, each with the `/` behind it.
    pub data: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Reads the fields.
    ///
    /// # Errors
    /// When the peer's operation can't be understood; [`DecodeError::code`] is what to answer. When a result
    /// is none.
    #[inline]
    pub fn decode(&self) -> Result<Pdu<'a>, DecodeError> {
        Pdu::decode(self.header.kind, self.header.ot, self.data)
    }
}

/// Which frames are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameRules {
    /// The longest frame, STX and ETX included.
    pub max_len: usize,
    /// Refuse frames whose LEN is wrong. Some SMSCs count otherwise; ETX ends a frame in any case.
    pub check_length: bool,
    /// Refuse frames whose checksum is wrong. For peers that compute it otherwise.
    pub check_checksum: bool,
}

impl Default for FrameRules {
    fn default() -> Self {
        Self { max_len: DEFAULT_MAX_FRAME, check_length: true, check_checksum: true }
    }
}

/// The peer's octets between STX and ETX are no frame. The next STX begins a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FrameError {
    /// No ETX came within the limit.
    #[error("the peer's frame has no end within {max} octets")]
    TooLong {
        /// The limit.
        max: usize,
    },
    /// It does not start as a frame does: nobody can say what it answers, or how to answer it.
    #[error("the peer's frame does not start with TRN/LEN/O or R/OT/")]
    Header,
    /// The fields do not end with `/` and two hexadecimal digits.
    #[error("the peer's frame does not end with / and a checksum")]
    End {
        /// How it starts.
        header: Header,
    },
    /// LEN is wrong.
    #[error("the peer's LEN is {}, but {actual} characters came", .header.length)]
    Length {
        /// How it starts.
        header: Header,
        /// Characters between STX and ETX.
        actual: usize,
    },
    /// The checksum is wrong.
    #[error("the peer's checksum is {claimed:02X}, but the frame's is {actual:02X}")]
    Checksum {
        /// How it starts; it may be what was garbled.
        header: Header,
        /// What it says.
        claimed: u8,
        /// What it should be.
        actual: u8,
    },
}

impl FrameError {
    /// The code to answer an operation with.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Checksum { .. } => ErrorCode::CHECKSUM,
            _ => ErrorCode::SYNTAX,
        }
    }

    /// How the frame starts, if that could be read.
    #[must_use]
    pub fn header(&self) -> Option<Header> {
        match self {
            Self::TooLong { .. } | Self::Header => None,
            Self::End { header } | Self::Length { header, .. } | Self::Checksum { header, .. } => Some(*header),
        }
    }
}

/// What is at the start of a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextFrame<'a> {
    /// How far to advance in the buffer.
    pub used: usize,
    /// How many octets of that were outside of any frame. They come first.
    pub junk: usize,
    /// The frame or what is wrong with it; `None` when more octets are needed.
    pub found: Option<Result<Frame<'a>, FrameError>>,
}

/// Finds the first frame in `buffer`.
#[inline]
#[must_use]
pub fn next_frame<'a>(buffer: &'a [u8], rules: &FrameRules) -> NextFrame<'a> {
    next_frame_from(buffer, 0, rules)
}

/// Like [`next_frame`], for a buffer that it has been called with before, when the first `searched` octets were all
/// there was.
#[inline]
pub(crate) fn next_frame_from<'a>(buffer: &'a [u8], searched: usize, rules: &FrameRules) -> NextFrame<'a> {
    let Some(mut start) = buffer.iter().position(|&octet| octet == STX) else {
        return NextFrame { used: buffer.len(), junk: buffer.len(), found: None };
    };
    let mut from = searched.max(start + 1);
    loop {
        let limit = start.saturating_add(rules.max_len);
        let window = buffer.get(from..limit.min(buffer.len())).unwrap_or_default();
        match window.iter().position(|&octet| octet == STX || octet == ETX).map(|at| from + at) {
            // A frame that was begun before has lost its end, and is junk.
            Some(at) if buffer.get(at) == Some(&STX) => (start, from) = (at, at + 1),
            Some(end) => {
                let content = buffer.get(start + 1..end).unwrap_or_default();
                return NextFrame { used: end + 1, junk: start, found: Some(check(content, rules)) };
            }
            None if buffer.len() >= limit => {
                let found = Some(Err(FrameError::TooLong { max: rules.max_len }));
                return NextFrame { used: limit, junk: start, found };
            }
            None => return NextFrame { used: start, junk: start, found: None },
        }
    }
}

/// The sum of all octets, modulo 256.
#[inline]
pub(crate) fn checksum(octets: &[u8]) -> u8 {
    octets.iter().fold(0, |sum, &octet| sum.wrapping_add(octet))
}

/// Reads what lies between STX and ETX.
fn check<'a>(content: &'a [u8], rules: &FrameRules) -> Result<Frame<'a>, FrameError> {
    let (head, rest) = content.split_first_chunk::<HEADER_LEN>().ok_or(FrameError::Header)?;
    let header = read_header(head).ok_or(FrameError::Header)?;
    let (data, digits) = rest.split_last_chunk::<CHECKSUM_LEN>().ok_or(FrameError::End { header })?;
    let claimed = hex::from_pair(digits).filter(|_| data.last().is_none_or(|&last| last == b'/'));
    let claimed = claimed.ok_or(FrameError::End { header })?;
    if rules.check_length && usize::try_from(header.length) != Ok(content.len()) {
        return Err(FrameError::Length { header, actual: content.len() });
    }
    let actual = checksum(head).wrapping_add(checksum(data));
    if rules.check_checksum && claimed != actual {
        return Err(FrameError::Checksum { header, claimed, actual });
    }
    Ok(Frame { header, data })
}

fn read_header(head: &[u8; HEADER_LEN]) -> Option<Header> {
    let [t1, t2, b'/', l1, l2, l3, l4, l5, b'/', kind, b'/', o1, o2, b'/'] = *head else { return None };
    let kind = match kind {
        b'O' => Kind::Operation,
        b'R' => Kind::Result,
        _ => return None,
    };
    let length = u32::from(two_digits(l1, l2)?) * 1_000 + u32::from(two_digits(l3, l4)?) * 10;
    let length = length + u32::from(two_digits(b'0', l5)?);
    Some(Header { trn: Trn(two_digits(t1, t2)?), length, kind, ot: OperationType(two_digits(o1, o2)?) })
}

fn two_digits(tens: u8, ones: u8) -> Option<u8> {
    (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| (tens - b'0') * 10 + (ones - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALERT: &[u8] = b"\x0200/00027/O/31/12345/0539/F6\x03";

    fn find(buffer: &[u8]) -> NextFrame<'_> {
        next_frame(buffer, &FrameRules::default())
    }

    fn alert() -> Frame<'static> {
        let header = Header { trn: Trn(0), length: 27, kind: Kind::Operation, ot: OperationType::ALERT };
        Frame { header, data: b"12345/0539/" }
    }

    #[test]
    fn waits_for_the_last_octet() {
        for cut in 0..ALERT.len() {
            assert_eq!(find(&ALERT[..cut]), NextFrame { used: 0, junk: 0, found: None }, "cut at {cut}");
        }
        assert_eq!(find(ALERT), NextFrame { used: 29, junk: 0, found: Some(Ok(alert())) });
    }

    #[test]
    fn finds_the_next_frame_behind_anything() {
        for junk in [&b"\r\n"[..], b"\x03", b"x\x03\x03y", b"\x0200/00027/O/3", b"\x02\x02", b"\xFF\0\x03\x02a"] {
            let buffer = [junk, ALERT, b"\r"].concat();
            assert_eq!(
                find(&buffer),
                NextFrame { used: junk.len() + 29, junk: junk.len(), found: Some(Ok(alert())) },
                "{junk:?}"
            );
        }
        assert_eq!(find(b"abc\x03de"), NextFrame { used: 6, junk: 6, found: None });
        assert_eq!(find(b"ab\x02c"), NextFrame { used: 2, junk: 2, found: None });
    }

    #[test]
    fn a_frame_without_an_end_is_given_up() {
        let rules = FrameRules { max_len: 29, ..FrameRules::default() };
        assert_eq!(next_frame(ALERT, &rules).found, Some(Ok(alert())));
        assert_eq!(next_frame(&ALERT[..28], &rules).found, None);
        let too_long = Some(Err(FrameError::TooLong { max: 29 }));
        let long = [&ALERT[..28], b"00"].concat();
        assert_eq!(next_frame(&long, &rules), NextFrame { used: 29, junk: 0, found: too_long });
        let ended = [&long, &b"\x03"[..], ALERT].concat();
        assert_eq!(next_frame(&ended, &rules), NextFrame { used: 29, junk: 0, found: too_long });
        assert_eq!(next_frame(&ended[29..], &rules), NextFrame { used: 31, junk: 2, found: Some(Ok(alert())) });
    }

    #[test]
    fn says_what_is_wrong() {
        let fault = |content: &str| find(format!("\x02{content}\x03").as_bytes()).found.unwrap().unwrap_err();
        for bad in ["", "00/00027/O/31", "0/00027/O/31/12345/0539/F6", "00/00027/X/31/12345/0539/F6"] {
            assert_eq!(fault(bad), FrameError::Header, "{bad}");
        }
        for bad in ["00/00027/O/31/12345/0539F6", "00/00027/O/31/12345/0539/FG", "00/00027/O/31/6"] {
            assert!(matches!(fault(bad), FrameError::End { .. }), "{bad}");
        }
        let length = fault("00/00028/O/31/12345/0539/F7");
        assert!(matches!(length, FrameError::Length { actual: 27, .. }));
        assert_eq!((length.code(), length.header().unwrap().trn), (ErrorCode::SYNTAX, Trn(0)));
        let sum = fault("07/00027/O/31/12345/0539/F6");
        assert!(matches!(sum, FrameError::Checksum { claimed: 0xF6, actual: 0xFD, .. }));
        assert_eq!((sum.code(), sum.header().unwrap().trn), (ErrorCode::CHECKSUM, Trn(7)));
    }

    #[test]
    fn rules_may_be_lenient() {
        let rules = FrameRules { check_length: false, check_checksum: false, ..FrameRules::default() };
        let frame = next_frame(b"\x0200/00099/O/31/12345/0539/11\x03", &rules).found.unwrap().unwrap();
        assert_eq!((frame.header.length, frame.data), (99, &b"12345/0539/"[..]));
        // Lower case is taken by anyone.
        assert_eq!(find(b"\x0200/00027/O/31/12345/0539/f6\x03").found, Some(Ok(alert())));
    }
}
