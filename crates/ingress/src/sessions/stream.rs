//! One step of reading and writing at once, over any stream.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::Poll;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What a step has done.
pub(super) struct Step {
    /// Octets of the output that were written.
    pub written: usize,
    /// Octets that were read; `None` if nothing was, `Some(0)` at the end of the stream.
    pub read: Option<usize>,
}

/// Writes of `output` what goes, and reads into `input`, if it is given, what is there. Ready as soon
/// as either did something. Cancel-safe.
pub(super) async fn step<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    output: &[u8],
    input: Option<&mut [u8]>,
) -> io::Result<Step> {
    let mut input = input.map(ReadBuf::new);
    poll_fn(|context| {
        let mut done = Step { written: 0, read: None };
        if !output.is_empty()
            && let Poll::Ready(result) = Pin::new(&mut *stream).poll_write(context, output)
        {
            done.written = result?;
            if done.written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
        } else if output.is_empty()
            && let Poll::Ready(Err(error)) = Pin::new(&mut *stream).poll_flush(context)
        {
            return Poll::Ready(Err(error));
        }
        if let Some(buffer) = &mut input
            && let Poll::Ready(result) = Pin::new(&mut *stream).poll_read(context, buffer)
        {
            result?;
            done.read = Some(buffer.filled().len());
        }
        if done.written == 0 && done.read.is_none() { Poll::Pending } else { Poll::Ready(Ok(done)) }
    })
    .await
}
