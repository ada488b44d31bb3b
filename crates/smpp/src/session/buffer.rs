//! Octets on their way in and out, both bounded by how the session uses them.

use std::ops::Range;

use crate::frame::{Frame, FrameError, next_frame};

/// Room beyond one longest PDU, so that a reader may always hand over a whole read.
pub(super) const READ_SIZE: usize = 64 * 1024;

/// Octets that came and are not used up yet.
pub(super) struct Input {
    bytes: Vec<u8>,
    start: usize,
    max_pdu: usize,
}

impl Input {
    pub(super) fn new(max_pdu: usize) -> Self {
        Self { bytes: Vec::new(), start: 0, max_pdu }
    }

    /// Takes as much as there is room for. There always is room for something once all complete
    /// PDUs have been taken out.
    pub(super) fn fill(&mut self, bytes: &[u8]) -> usize {
        let held = self.bytes.len() - self.start;
        let room = (self.max_pdu + READ_SIZE).saturating_sub(held);
        let taken = bytes.get(..room).unwrap_or(bytes);
        if self.start > 0 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(taken);
        taken.len()
    }

    /// Takes the next PDU out and says where its octets lie until the next `fill`.
    #[inline]
    pub(super) fn take_frame(&mut self) -> Result<Option<(Frame<'_>, Range<usize>)>, FrameError> {
        let bytes = self.bytes.get(self.start..).unwrap_or_default();
        let Some(frame) = next_frame(bytes, self.max_pdu)? else {
            return Ok(None);
        };
        let range = self.start..self.start + frame.wire_len();
        self.start = range.end;
        Ok(Some((frame, range)))
    }

    /// The octets of a PDU that `take_frame` found.
    #[inline]
    pub(super) fn slice(&self, range: Range<usize>) -> &[u8] {
        self.bytes.get(range).unwrap_or_default()
    }

    /// Puts PDUs that were held back in front of everything.
    pub(super) fn put_back(&mut self, held: &[u8]) {
        if !held.is_empty() {
            self.bytes.splice(..self.start, held.iter().copied());
            self.start = 0;
        }
    }

    pub(super) fn clear(&mut self) {
        self.bytes = Vec::new();
        self.start = 0;
    }
}

/// Octets to be written.
#[derive(Default)]
pub(super) struct Output {
    pub(super) bytes: Vec<u8>,
    start: usize,
}

impl Output {
    pub(super) fn pending(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    pub(super) fn consume(&mut self, written: usize) {
        self.start = self.start.saturating_add(written).min(self.bytes.len());
        if self.start == self.bytes.len() {
            self.bytes.clear();
            self.start = 0;
        } else if self.start >= READ_SIZE {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
    }
}
