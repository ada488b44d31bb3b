//! Octets on their way in and out, both bounded by how the session uses them.

use std::ops::Range;

use crate::error_code::ErrorCode;
use crate::frame::{Checksum, FrameError, Header, Piece, STX, next_piece_behind};
use crate::parameter::Parameters;

/// Room beyond one longest packet, so that a reader may always hand over a whole read.
pub(super) const READ_SIZE: usize = 64 * 1024;

/// Octets that came and are not used up yet.
pub(super) struct Input {
    bytes: Vec<u8>,
    start: usize,
    /// How far behind `start` the end of a packet was looked for in vain.
    searched: usize,
    max_packet: usize,
}

/// What was taken out of the input, by its place there until the next `fill`.
#[derive(Clone)]
pub(super) enum Taken {
    Stray(Range<usize>),
    Packet(Place),
    Broken(FrameError),
}

/// A packet in the input.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) header: Header,
    pub(super) checksum: Checksum,
    pub(super) error: ErrorCode,
    whole: Range<usize>,
    parameters: Range<usize>,
}

impl Input {
    pub(super) fn new(max_packet: usize) -> Self {
        Self { bytes: Vec::new(), start: 0, searched: 0, max_packet }
    }

    /// Takes as much as there is room for. There always is room for something once all complete
    /// packets have been taken out.
    pub(super) fn fill(&mut self, bytes: &[u8]) -> usize {
        let held = self.bytes.len() - self.start;
        let room = self.max_packet.saturating_add(READ_SIZE).saturating_sub(held);
        let taken = bytes.get(..room).unwrap_or(bytes);
        if self.start > 0 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(taken);
        taken.len()
    }

    /// Whether a packet has begun to come.
    pub(super) fn begins_packet(&self) -> bool {
        self.bytes.get(self.start) == Some(&STX)
    }

    /// Takes the next packet, or what is none, out.
    #[inline]
    pub(super) fn take(&mut self) -> Option<Taken> {
        let bytes = self.bytes.get(self.start..).unwrap_or_default();
        let Some(piece) = next_piece_behind(bytes, self.searched, self.max_packet) else {
            self.searched = bytes.len();
            return None;
        };
        let whole = self.start..self.start + piece.wire_len();
        let taken = match piece {
            Piece::Stray(_) => Taken::Stray(whole.clone()),
            Piece::Broken { error, .. } => Taken::Broken(error),
            Piece::Frame(frame) => {
                let at = whole.start + frame.parameters_at;
                let parameters = at..at + frame.parameters.raw().len();
                let (header, checksum, error) = (frame.header, frame.checksum, frame.error());
                Taken::Packet(Place { header, checksum, error, whole: whole.clone(), parameters })
            }
        };
        self.start = whole.end;
        self.searched = 0;
        Some(taken)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.start >= self.bytes.len()
    }

    /// The octets of a place.
    #[inline]
    pub(super) fn slice(&self, range: Range<usize>) -> &[u8] {
        self.bytes.get(range).unwrap_or_default()
    }

    /// The octets of a whole packet.
    pub(super) fn whole(&self, place: &Place) -> &[u8] {
        self.slice(place.whole.clone())
    }

    /// The parameters of a packet.
    #[inline]
    pub(super) fn parameters(&self, place: &Place) -> Parameters<'_> {
        Parameters::from_raw(self.slice(place.parameters.clone()))
    }

    /// Puts packets that were held back in front of everything.
    pub(super) fn put_back(&mut self, held: &[u8]) {
        if !held.is_empty() {
            self.bytes.splice(..self.start, held.iter().copied());
            self.start = 0;
            self.searched = 0;
        }
    }

    pub(super) fn clear(&mut self) {
        self.bytes = Vec::new();
        self.start = 0;
        self.searched = 0;
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
