//! Octets on their way in and out, both bounded by how the session uses them.

use std::ops::Range;

use crate::frame::{CHECKSUM_LEN, FrameError, FrameRules, HEADER_LEN, Header, next_frame_from};

/// Room beyond one longest frame, so that a reader may always hand over a whole read.
pub(super) const READ_SIZE: usize = 64 * 1024;

/// Octets that came and are not used up yet.
pub(super) struct Input {
    bytes: Vec<u8>,
    start: usize,
    /// How many octets from `start` are known to hold no ETX.
    searched: usize,
    rules: FrameRules,
}

/// What was taken out of the input.
pub(super) struct Taken {
    /// Octets outside of frames that came before it.
    pub(super) junk: usize,
    pub(super) found: Option<Result<Place, Fault>>,
}

/// A frame, by where its octets lie until the next `fill`.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) header: Header,
    /// From STX to ETX.
    pub(super) frame: Range<usize>,
}

/// What lay between STX and ETX and was no frame.
pub(super) struct Fault {
    pub(super) error: FrameError,
    pub(super) octets: usize,
}

impl Place {
    /// Where its fields lie.
    pub(super) fn data(&self) -> Range<usize> {
        self.frame.start + 1 + HEADER_LEN..self.frame.end.saturating_sub(1 + CHECKSUM_LEN)
    }
}

impl Input {
    pub(super) fn new(rules: FrameRules) -> Self {
        Self { bytes: Vec::new(), start: 0, searched: 0, rules }
    }

    /// Takes as much as there is room for. There always is room for something once all complete
    /// frames have been taken out.
    pub(super) fn fill(&mut self, bytes: &[u8]) -> usize {
        let held = self.bytes.len() - self.start;
        let room = self.rules.max_len.saturating_add(READ_SIZE).saturating_sub(held);
        let taken = bytes.get(..room).unwrap_or(bytes);
        if self.start > 0 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(taken);
        taken.len()
    }

    /// Takes the next frame out, or what stands in its place.
    #[inline]
    pub(super) fn take(&mut self) -> Taken {
        let bytes = self.bytes.get(self.start..).unwrap_or_default();
        let next = next_frame_from(bytes, self.searched, &self.rules);
        let place = self.start + next.junk..self.start + next.used;
        self.start = place.end;
        self.searched = if next.found.is_none() { self.bytes.len() - self.start } else { 0 };
        let found = next.found.map(|found| match found {
            Ok(frame) => Ok(Place { header: frame.header, frame: place.clone() }),
            Err(error) => Err(Fault { error, octets: place.len() }),
        });
        Taken { junk: next.junk, found }
    }

    /// The octets of a place.
    #[inline]
    pub(super) fn slice(&self, range: Range<usize>) -> &[u8] {
        self.bytes.get(range).unwrap_or_default()
    }

    /// Puts frames that were held back in front of everything.
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

#[cfg(test)]
mod tests {
    use super::*;

    const ALERT: &[u8] = b"\x0200/00027/O/31/12345/0539/F6\x03";

    #[test]
    fn frames_come_out_however_they_come_in() {
        let stream = [&b"\r\n"[..], ALERT, b"\r\n\x02junk\x03", ALERT].concat();
        for size in 1..stream.len() {
            let mut input = Input::new(FrameRules::default());
            let (mut good, mut bad, mut junk) = (0, 0, 0);
            for piece in stream.chunks(size) {
                assert_eq!(input.fill(piece), piece.len());
                loop {
                    let taken = input.take();
                    junk += taken.junk;
                    match taken.found {
                        Some(Ok(place)) => {
                            assert_eq!(input.slice(place.frame.clone()), ALERT);
                            assert_eq!(input.slice(place.data()), b"12345/0539/");
                            good += 1;
                        }
                        Some(Err(fault)) => bad += fault.octets,
                        None => break,
                    }
                }
            }
            assert_eq!((good, bad, junk), (2, 6, 4), "in pieces of {size}");
        }
    }
}
