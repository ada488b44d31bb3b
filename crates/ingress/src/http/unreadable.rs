//! What can't be read as HTTP/1 is answered by hyper itself, before there is a request, with a bare
//! 400, 414 or 431 and an end of the connection. This stands between hyper and the socket and writes
//! a problem in its place, for every answer of ours is one.
//!
//! Such an answer is the last that a connection writes. It is known by its end, which is that of a
//! head without a body, its status, and the lack of the request id that all other answers have. What
//! is written before it passes as it is, and is looked at no further than its last four octets.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::SystemTime;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::problem::{self, Entry, Problem, catalogue};
use super::service::{State, note_unreadable};

const HEAD_BEGIN: &[u8] = b"HTTP/1.";
const HEAD_END: &[u8] = b"\r\n\r\n";

/// A socket under hyper's HTTP/1 server.
pub(super) struct Readable<IO> {
    io: IO,
    state: Arc<State>,
    remote: SocketAddr,
    /// What is left to write of the problem.
    problem: Bytes,
}

impl<IO: AsyncWrite + Unpin> Readable<IO> {
    pub(super) fn new(io: IO, remote: SocketAddr, state: Arc<State>) -> Self {
        Self { io, state, remote, problem: Bytes::new() }
    }

    fn poll_problem(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.problem.has_remaining() {
            let count = ready!(Pin::new(&mut self.io).poll_write(context, &self.problem))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.problem.advance(count);
        }
        Poll::Ready(Ok(()))
    }

    /// Takes hyper's answer for written, and has ours to write.
    fn replace(&mut self, answer: &[u8], entry: &'static Entry) -> Poll<io::Result<usize>> {
        let request_id = note_unreadable(&self.state, self.remote, entry);
        self.problem = written(entry, &request_id);
        Poll::Ready(Ok(answer.len()))
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Readable<IO> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_problem(context))?;
        match hypers_own(octets) {
            None => Pin::new(&mut this.io).poll_write(context, octets),
            Some((0, entry)) => this.replace(octets, entry),
            Some((before, _)) => Pin::new(&mut this.io).poll_write(context, &octets[..before]),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let last = pieces.iter().rposition(|piece| !piece.is_empty());
        let Some((n, octets)) = last.and_then(|n| Some((n, pieces.get(n)?))) else { return Poll::Ready(Ok(0)) };
        if hypers_own(octets).is_none() {
            let this = self.get_mut();
            ready!(this.poll_problem(context))?;
            return Pin::new(&mut this.io).poll_write_vectored(context, pieces);
        }
        // One by one: what stands before it first.
        match pieces.iter().take(n).find(|piece| !piece.is_empty()) {
            Some(before) => self.poll_write(context, before),
            None => self.poll_write(context, octets),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_problem(context))?;
        Pin::new(&mut this.io).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_problem(context))?;
        Pin::new(&mut this.io).poll_shutdown(context)
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for Readable<IO> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, octets: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_read(context, octets)
    }
}

/// Where in `octets` an answer of hyper's own begins, and what it means.
fn hypers_own(octets: &[u8]) -> Option<(usize, &'static Entry)> {
    if !octets.ends_with(HEAD_END) {
        return None;
    }
    let begin = octets.windows(HEAD_BEGIN.len()).rposition(|window| window == HEAD_BEGIN)?;
    let head = &octets[begin..];
    let entry = match head.get(HEAD_BEGIN.len() + 2..HEAD_BEGIN.len() + 5)? {
        b"400" => &catalogue::MALFORMED_REQUEST,
        b"414" => &catalogue::URI_TOO_LONG,
        b"431" => &catalogue::HEADERS_TOO_LARGE,
        _ => return None,
    };
    let ours = head.windows(14).any(|window| window == b"\r\nx-request-id");
    (!ours).then_some((begin, entry))
}

fn written(entry: &'static Entry, request_id: &str) -> Bytes {
    let problem = Problem::new(entry);
    let body = problem.to_json(Some(request_id));
    let head = format!(
        "HTTP/1.1 {}\r\ncontent-type: {}\r\nx-request-id: {request_id}\r\nconnection: close\r\ncontent-length: {}\r\ndate: {}",
        problem.status(),
        problem::CONTENT_TYPE,
        body.len(),
        httpdate::fmt_http_date(SystemTime::now()),
    );
    Bytes::from(format!("{head}\r\n\r\n{body}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(octets: &str) -> Option<(usize, &'static str)> {
        hypers_own(octets.as_bytes()).map(|(begin, entry)| (begin, entry.code))
    }

    #[test]
    fn only_hypers_own_answers_are_replaced() {
        let bare = "HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(code(bare), Some((0, "headers_too_large")));
        assert_eq!(code(&format!("HTTP/1.1 200 OK\r\n\r\n{{}}{bare}")), Some((21, "headers_too_large")));
        assert_eq!(code("HTTP/1.0 400 Bad Request\r\n\r\n"), Some((0, "malformed_request")));
        for other in [
            "",
            "\r\n\r\n",
            "HTTP/1.\r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\n",
            "HTTP/1.1 204 No Content\r\nx-request-id: 1\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\nx-request-id: 1\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\nx-request-id: 1\r\n\r\n{}",
        ] {
            assert_eq!(code(other), None, "{other:?}");
        }
    }
}
