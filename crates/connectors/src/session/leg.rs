//! One connection of a session: a stream and the protocol session over it.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::Wire;
use crate::transport::Transport;

/// Octets read at a time.
const READ_SIZE: usize = 64 * 1024;

/// One connection.
pub(crate) struct Leg<W> {
    pub(crate) wire: W,
    stream: Box<dyn Transport>,
    buffer: Box<[u8]>,
    /// Something was written that the stream may still hold.
    unflushed: bool,
    /// The stream is of no use any more.
    broken: bool,
}

impl<W: Wire> Leg<W> {
    pub(crate) fn new(stream: Box<dyn Transport>, wire: W) -> Self {
        Self { wire, stream, buffer: vec![0; READ_SIZE].into(), unflushed: false, broken: false }
    }

    /// Whether there is nothing left to do: the session is over, and its last words are sent.
    pub(crate) fn is_done(&self) -> bool {
        self.wire.is_closed() && (self.broken || (self.wire.output().is_empty() && !self.unflushed))
    }

    /// Writes what goes and reads what is there; ready when either did something.
    fn poll_step(&mut self, context: &mut Context<'_>, now: Duration, may_read: bool) -> Poll<()> {
        if self.broken {
            return Poll::Pending;
        }
        match self.poll_io(context, now, may_read) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(())) => Poll::Ready(()),
            Poll::Ready(Err(_)) => {
                self.broken = true;
                self.wire.transport_closed();
                Poll::Ready(())
            }
        }
    }

    fn poll_io(&mut self, context: &mut Context<'_>, now: Duration, may_read: bool) -> Poll<io::Result<()>> {
        let mut progress = false;
        let output = self.wire.output();
        if !output.is_empty()
            && let Poll::Ready(written) = Pin::new(&mut self.stream).poll_write(context, output)?
        {
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.wire.consume_output(written);
            self.unflushed = true;
            progress = true;
        }
        if self.unflushed && Pin::new(&mut self.stream).poll_flush(context)?.is_ready() {
            self.unflushed = false;
            progress = true;
        }
        // While the output is full the session takes no octets: it reads on when the peer does.
        if may_read && !self.wire.is_closed() && !self.wire.output_is_full() {
            let mut buffer = ReadBuf::new(&mut self.buffer);
            if Pin::new(&mut self.stream).poll_read(context, &mut buffer)?.is_ready() {
                if buffer.filled().is_empty() {
                    self.broken = true;
                    self.wire.transport_closed();
                } else {
                    let taken = self.wire.receive(buffer.filled(), now);
                    debug_assert!(taken == buffer.filled().len(), "all complete PDUs were taken out before");
                }
                progress = true;
            }
        }
        if progress { Poll::Ready(Ok(())) } else { Poll::Pending }
    }
}

/// One step of all connections; ready when any did something. Cancel-safe: what was done is in the
/// sessions already.
pub(crate) async fn step<W: Wire>(legs: &mut [Leg<W>], began: Instant, may_read: bool) {
    poll_fn(|context| {
        let now = began.elapsed();
        let mut ready = false;
        for leg in legs.iter_mut() {
            ready |= leg.poll_step(context, now, may_read).is_ready();
        }
        if ready { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
