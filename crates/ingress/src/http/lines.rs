//! A body of one JSON value a line, read as it comes: never more than a chunk of it is in memory.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Body;
use ring::digest::Context;
use tokio::time::{Instant, timeout_at};

use super::problem::{Problem, catalogue};

/// How long the lines of a chunk wait for more, and how long for it to be full.
const PAUSE: Duration = Duration::from_millis(500);
const AGE: Duration = Duration::from_secs(2);

/// The lines of a body.
pub(super) struct Lines<B> {
    /// Until its end.
    body: Option<B>,
    /// Read, and not given out.
    rest: BytesMut,
    /// How far `rest` was looked through for the end of a line.
    looked: usize,
    /// What is read now belongs to a line that is too long.
    skipping: bool,
    limits: Limits,
    /// Over all that is read, as long as it is wanted.
    hash: Option<Context>,
}

/// What a stream of lines is held to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Octets of a line.
    pub line: usize,
    /// How long the end of a line may be waited for. An empty line is one, too.
    pub idle: Duration,
}

/// What a chunk is closed by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Most {
    pub lines: usize,
    /// It ends with the line that comes to so many octets.
    pub octets: usize,
    /// It waits for all that it may have, or for the end, however slowly that comes.
    pub patient: bool,
}

/// A line without its end, and without spaces round it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Whole(Bytes),
    /// It is longer than lines may be.
    TooLong,
}

/// Lines that came together; empty ones are left out.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    pub lines: Vec<Line>,
    /// There are no more.
    pub ended: bool,
}

impl<B: Body<Data = Bytes> + Unpin> Lines<B> {
    /// The lines of `body`; `hash` goes over all of it until it is taken back.
    pub fn new(body: Option<B>, limits: Limits, hash: Option<Context>) -> Self {
        Self { body, rest: BytesMut::new(), looked: 0, skipping: false, limits, hash }
    }

    /// Octets of the whole body, where it says so before it comes.
    pub fn size(&self) -> Option<u64> {
        self.body.as_ref().map_or(Some(0), |body| body.size_hint().exact())
    }

    /// The next chunk. Can be given up and asked again only where nothing more is wanted of the lines.
    pub async fn chunk(&mut self, most: Most) -> Result<Chunk, Problem> {
        let mut chunk = Chunk::default();
        let (mut octets, mut first) = (0, None);
        let mut idle = Instant::now() + self.limits.idle;
        loop {
            while let Some(line) = self.buffered() {
                let now = Instant::now();
                idle = now + self.limits.idle;
                let Some(line) = line else { continue };
                first.get_or_insert(now);
                octets += line.len();
                chunk.lines.push(line);
                if chunk.lines.len() >= most.lines || octets >= most.octets {
                    return Ok(chunk);
                }
            }
            if self.body.is_none() {
                chunk.lines.extend(self.last());
                chunk.ended = true;
                return Ok(chunk);
            }
            let flush = first.filter(|_| !most.patient).map(|first| (first + AGE).min(Instant::now() + PAUSE));
            let until = flush.map_or(idle, |flush| idle.min(flush));
            // Nothing is lost when reading is given up: a frame is there as a whole or not at all.
            match timeout_at(until, self.frame()).await {
                Ok(frame) => self.rest.extend_from_slice(&frame?.unwrap_or_default()),
                Err(_) if flush.is_some() => return Ok(chunk),
                Err(_) => return Err(Problem::new(&catalogue::REQUEST_TIMEOUT)),
            }
        }
    }

    /// What the hash comes to, and no further.
    pub fn take_hash(&mut self) -> Option<[u8; 32]> {
        let mut hash = [0; 32];
        hash.copy_from_slice(self.hash.take()?.finish().as_ref());
        Some(hash)
    }

    /// Reads all that is left into the hash, if that is no more than `most` octets.
    pub async fn hash_up_to(&mut self, mut most: usize) -> Result<Option<[u8; 32]>, Problem> {
        let too_slow = |_| Problem::new(&catalogue::REQUEST_TIMEOUT);
        while let Some(frame) =
            timeout_at(Instant::now() + self.limits.idle, self.frame()).await.map_err(too_slow)??
        {
            let Some(left) = most.checked_sub(frame.len()) else { return Ok(None) };
            most = left;
        }
        Ok(self.take_hash())
    }

    /// What was not read of the body, if something may be left.
    pub fn into_rest(self) -> Option<B> {
        self.body
    }

    /// The next octets; `None` is the end.
    async fn frame(&mut self) -> Result<Option<Bytes>, Problem> {
        let Some(body) = &mut self.body else { return Ok(None) };
        loop {
            let frame = match body.frame().await {
                Some(frame) => frame,
                None => {
                    self.body = None;
                    return Ok(None);
                }
            };
            let frame = frame.map_err(|_| Problem::new(&catalogue::MALFORMED_JSON).detail("the body was cut off"))?;
            // Trailers say nothing.
            let Ok(data) = frame.into_data() else { continue };
            if let Some(hash) = &mut self.hash {
                hash.update(&data);
            }
            return Ok(Some(data));
        }
    }

    /// The next line whose end is here; nothing for an empty one, or the end of one that was too long.
    fn buffered(&mut self) -> Option<Option<Line>> {
        let unseen = self.rest.get(self.looked..).unwrap_or_default();
        let Some(end) = memchr::memchr(b'\n', unseen) else {
            self.looked = self.rest.len();
            if self.skipping {
                self.forget_rest();
            } else if self.rest.len() > self.limits.line {
                // Told of at once, and what comes until its end is not kept.
                self.forget_rest();
                self.skipping = true;
                return Some(Some(Line::TooLong));
            }
            return None;
        };
        let line = self.rest.split_to(self.looked + end + 1);
        self.looked = 0;
        let skipped = std::mem::take(&mut self.skipping);
        Some(if skipped { None } else { self.whole(line, 1) })
    }

    /// What stands behind the last end of a line.
    fn last(&mut self) -> Option<Line> {
        let line = std::mem::take(&mut self.rest);
        self.looked = 0;
        if std::mem::take(&mut self.skipping) { None } else { self.whole(line, 0) }
    }

    /// A line with an end of so many octets. How long it is must not depend on how it was cut.
    fn whole(&self, line: BytesMut, end: usize) -> Option<Line> {
        if line.len() - end > self.limits.line {
            return Some(Line::TooLong);
        }
        let line = line.freeze();
        let trimmed = line.trim_ascii();
        (!trimmed.is_empty()).then(|| Line::Whole(line.slice_ref(trimmed)))
    }

    fn forget_rest(&mut self) {
        self.rest.clear();
        self.looked = 0;
    }
}

impl Line {
    fn len(&self) -> usize {
        match self {
            Line::Whole(line) => line.len(),
            Line::TooLong => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use hyper::body::Frame;
    use ring::digest::{SHA256, digest};
    use tokio::sync::mpsc;

    use super::*;

    const EAGER: Most = Most { lines: 3, octets: 1000, patient: false };

    /// A body whose pieces are sent to it.
    struct Piecewise(mpsc::UnboundedReceiver<Vec<u8>>);

    impl Body for Piecewise {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            self.0.poll_recv(context).map(|piece| piece.map(|piece| Ok(Frame::data(piece.into()))))
        }
    }

    fn lines(line: usize) -> (mpsc::UnboundedSender<Vec<u8>>, Lines<Piecewise>) {
        let (sender, pieces) = mpsc::unbounded_channel();
        let limits = Limits { line, idle: Duration::from_secs(30) };
        (sender, Lines::new(Some(Piecewise(pieces)), limits, Some(ring::digest::Context::new(&SHA256))))
    }

    async fn all(mut lines: Lines<Piecewise>) -> Vec<Option<String>> {
        let mut found = Vec::new();
        loop {
            let Chunk { lines: more, ended } = lines.chunk(EAGER).await.unwrap();
            found.extend(more.into_iter().map(|line| match line {
                Line::Whole(line) => Some(String::from_utf8(line.to_vec()).unwrap()),
                Line::TooLong => None,
            }));
            if ended {
                return found;
            }
        }
    }

    #[tokio::test]
    async fn lines_are_found_however_they_are_cut() {
        let text = b"one\r\n\n  \ntwo\nthree has too many\n four\n         5\nlast";
        let wanted = ["one", "two", "", "four", "", "last"].map(|line| (!line.is_empty()).then(|| line.to_owned()));
        for size in 1..=text.len() {
            let (sender, lines) = lines(8);
            text.chunks(size).for_each(|piece| sender.send(piece.to_vec()).unwrap());
            drop(sender);
            assert_eq!(all(lines).await, wanted, "in pieces of {size}");
        }
    }

    #[tokio::test]
    async fn what_is_too_long_is_not_kept() {
        let (sender, mut lines) = lines(10);
        for n in 0..1000 {
            sender.send(vec![b'x'; 100]).unwrap();
            let frame = lines.frame().await.unwrap().unwrap();
            lines.rest.extend_from_slice(&frame);
            assert_eq!(lines.buffered(), (n == 0).then_some(Some(Line::TooLong)));
            assert_eq!(lines.rest.len(), 0);
        }
        sender.send(b"\nnext".to_vec()).unwrap();
        drop(sender);
        let chunk = lines.chunk(EAGER).await.unwrap();
        assert_eq!((chunk.lines, chunk.ended), (vec![Line::Whole("next".into())], true));
    }

    #[tokio::test]
    async fn chunks_have_so_many_lines_and_octets() {
        let (sender, mut lines) = lines(1000);
        sender.send(b"1\n2\n3\n4\n".to_vec()).unwrap();
        sender.send([&[b'5'; 999][..], b"\n66\n7\n8"].concat()).unwrap();
        drop(sender);
        let mut counts = Vec::new();
        while counts.last().is_none_or(|(_, ended)| !ended) {
            let chunk = lines.chunk(EAGER).await.unwrap();
            counts.push((chunk.lines.len(), chunk.ended));
        }
        assert_eq!(counts, [(3, false), (2, false), (3, true)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_ends_a_chunk_unless_it_is_patient_and_silence_the_stream() {
        let (sender, mut lines) = lines(10);
        sender.send(b"1\n2".to_vec()).unwrap();
        let begun = Instant::now();
        let chunk = lines.chunk(EAGER).await.unwrap();
        assert_eq!((chunk.lines.len(), chunk.ended, begun.elapsed()), (1, false, PAUSE));
        let more = async {
            // Empty lines keep it open, and octets that end no line do not.
            for _ in 0..10 {
                tokio::time::sleep(Duration::from_secs(20)).await;
                sender.send(b"\n".to_vec()).unwrap();
            }
            for _ in 0..10 {
                tokio::time::sleep(Duration::from_secs(4)).await;
                let _ = sender.send(b" ".to_vec());
            }
        };
        let patient = Most { patient: true, ..EAGER };
        let ended = async {
            let begun = Instant::now();
            let problem = lines.chunk(patient).await.unwrap_err();
            (problem.entry.code, begun.elapsed())
        };
        let ((), ended) = tokio::join!(more, ended);
        assert_eq!(ended, ("request_timeout", Duration::from_secs(230)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_trickle_is_given_out_as_it_comes() {
        let (sender, mut lines) = lines(10);
        let many = Most { lines: 1000, ..EAGER };
        let trickle = async {
            for _ in 0..20 {
                sender.send(b"x\n".to_vec()).unwrap();
                tokio::time::sleep(PAUSE / 2).await;
            }
        };
        let (_, chunk) = tokio::join!(trickle, lines.chunk(many));
        assert_eq!(chunk.unwrap().lines.len(), 8);
    }

    #[tokio::test]
    async fn the_hash_is_of_all_that_was_read() {
        let wanted = digest(&SHA256, b"one\n\ntwo");
        for most in [7, 8] {
            let (sender, mut lines) = lines(10);
            [&b"one\n"[..], b"\ntwo"].iter().for_each(|piece| sender.send(piece.to_vec()).unwrap());
            drop(sender);
            let hash = lines.hash_up_to(most).await.unwrap();
            assert_eq!(hash.as_ref().map(<[u8; 32]>::as_slice), (most == 8).then(|| wanted.as_ref()));
        }
    }
}
