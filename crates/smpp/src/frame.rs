//! Where one PDU ends and the next begins (SMPP 3.4 §3.2).

use thiserror::Error;

use crate::command::CommandId;
use crate::error::DecodeError;
use crate::pdu::Pdu;
use crate::status::CommandStatus;

/// Octets of the header that every PDU starts with.
pub const HEADER_LEN: usize = 16;

/// The longest PDU that is taken unless configured otherwise: a message_payload of 64 KiB and 1 KiB of the rest.
pub const DEFAULT_MAX_PDU: usize = 65 * 1024;

/// The four numbers that every PDU starts with (SMPP 3.4 §3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Octets of the whole PDU, these four included.
    pub command_length: u32,
    /// Which operation.
    pub command_id: CommandId,
    /// The outcome in responses; without meaning in requests.
    pub command_status: CommandStatus,
    /// Ties a response to its request. Peers do use 0 and numbers above 0x7FFFFFFF.
    pub sequence_number: u32,
}

/// One complete PDU, borrowed from the buffer that it was received in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The header.
    pub header: Header,
    /// Everything after the header.
    pub body: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Reads the body. Responses are never refused: what is missing in them is empty or zero.
    ///
    /// # Errors
    /// When the peer's request can't be understood; [`DecodeError::status`] is what to answer.
    #[inline]
    pub fn decode(&self) -> Result<Pdu<'a>, DecodeError> {
        Pdu::decode(self.header.command_id, self.body)
    }

    /// Octets of the whole PDU: how far to advance in the buffer.
    #[must_use]
    pub fn wire_len(&self) -> usize {
        HEADER_LEN + self.body.len()
    }
}

/// The peer's octets are no SMPP: no later PDU can be found. Answer generic_nack and close.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the peer sent command_length {command_length}, which no PDU can have here")]
pub struct FrameError {
    /// The length that was refused: below 16 or above the limit.
    pub command_length: u32,
    /// The sequence number to answer with, if all 16 octets of the header were there.
    pub sequence_number: Option<u32>,
}

impl FrameError {
    /// The status for the generic_nack.
    #[must_use]
    pub fn status(&self) -> CommandStatus {
        CommandStatus::RINVCMDLEN
    }
}

/// Finds the PDU at the start of `buffer`; `None` when more octets are needed.
///
/// # Errors
/// When the length is below 16 or above `max_len`, as soon as its four octets are there.
#[inline]
pub fn next_frame(buffer: &[u8], max_len: usize) -> Result<Option<Frame<'_>>, FrameError> {
    let Some(&length) = buffer.first_chunk::<4>() else {
        return Ok(None);
    };
    let command_length = u32::from_be_bytes(length);
    let header = buffer.first_chunk::<HEADER_LEN>();
    let wire_len = usize::try_from(command_length).unwrap_or(usize::MAX);
    if wire_len < HEADER_LEN || wire_len > max_len {
        return Err(FrameError { command_length, sequence_number: header.map(|h| be32(h, 12)) });
    }
    let (Some(header), Some(body)) = (header, buffer.get(HEADER_LEN..wire_len)) else {
        return Ok(None);
    };
    Ok(Some(Frame {
        header: Header {
            command_length,
            command_id: CommandId(be32(header, 4)),
            command_status: CommandStatus(be32(header, 8)),
            sequence_number: be32(header, 12),
        },
        body,
    }))
}

#[inline]
fn be32(header: &[u8; HEADER_LEN], at: usize) -> u32 {
    u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENQUIRE: [u8; 16] = [0, 0, 0, 16, 0, 0, 0, 0x15, 0, 0, 0, 0, 0, 0, 0, 7];

    #[test]
    fn waits_for_the_last_octet() {
        for cut in 0..16 {
            assert_eq!(next_frame(&ENQUIRE[..cut], 1024), Ok(None), "cut at {cut}");
        }
        let frame = next_frame(&ENQUIRE, 1024).unwrap().unwrap();
        assert_eq!(frame.header.command_id, CommandId::ENQUIRE_LINK);
        assert_eq!(frame.header.sequence_number, 7);
        assert_eq!(frame.wire_len(), 16);
    }

    #[test]
    fn refuses_impossible_lengths_and_keeps_the_sequence_number() {
        let mut short = ENQUIRE;
        short[3] = 15;
        let error = next_frame(&short, 1024).unwrap_err();
        assert_eq!((error.command_length, error.sequence_number), (15, Some(7)));
        let error = next_frame(b"GET / HTTP", 1024).unwrap_err();
        assert_eq!((error.command_length, error.sequence_number), (0x4745_5420, None));
        let mut long = ENQUIRE;
        long[..4].copy_from_slice(&1025u32.to_be_bytes());
        assert!(next_frame(&long, 1024).is_err());
        long[..4].copy_from_slice(&1024u32.to_be_bytes());
        assert_eq!(next_frame(&long, 1024), Ok(None));
    }
}
