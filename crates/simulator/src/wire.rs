//! One step of reading and writing at once, over any stream.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::Poll;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What a step has done.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Octets of the output that were written.
    pub written: usize,
    /// Octets read into the buffer; `None` if nothing was, `Some(0)` at the end of the stream.
    pub read: Option<usize>,
}

/// Writes of `output` what goes, and reads into `input` what is there; ready as soon as either did
/// something. Cancel-safe: what was done is told at once.
pub async fn step<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    output: &[u8],
    input: Option<&mut [u8]>,
) -> io::Result<Step> {
    let mut input = input.map(ReadBuf::new);
    poll_fn(|context| {
        let mut written = 0;
        if !output.is_empty()
            && let Poll::Ready(result) = Pin::new(&mut *stream).poll_write(context, output)
        {
            written = result?;
        }
        let mut read = None;
        if let Some(buffer) = &mut input
            && let Poll::Ready(result) = Pin::new(&mut *stream).poll_read(context, buffer)
        {
            result?;
            read = Some(buffer.filled().len());
        }
        if written == 0 && read.is_none() { Poll::Pending } else { Poll::Ready(Ok(Step { written, read })) }
    })
    .await
}
