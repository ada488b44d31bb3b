//! Connections that are kept between calls.
//!
//! A connection belongs to whoever calls over it, who also drives it: no task of its own stands
//! between the call and the socket, so a call costs no hand-over. Between calls it lies here and
//! nobody looks at it; whether the server has closed it meanwhile is seen when it is taken.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use foldhash::HashMap;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use tokio::time::Instant;

use super::connect::Stream;
use super::endpoint::Origin;

/// How long an unused connection is kept: less than the 5 seconds after which common servers
/// close it, so that a call seldom meets a connection that is just being closed.
pub(super) const IDLE: Duration = Duration::from_secs(4);
/// Connections kept at a time, of all origins.
const KEPT_MAX: usize = 4096;

type Body = Full<Bytes>;
/// `None` once it has ended: it is not to be polled again.
type Driver = Option<Pin<Box<http1::Connection<Stream, Body>>>>;

/// Why a call over a connection came to no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// The server closed it before it answered anything.
    #[error("the server closed the connection without an answer")]
    Closed,
    /// Something else, which the innermost error tells best.
    #[error("{}", innermost(.0))]
    Http(hyper::Error),
}

impl From<hyper::Error> for Broken {
    fn from(error: hyper::Error) -> Self {
        let closed = error.is_incomplete_message() || error.is_closed() || error.is_canceled();
        if closed { Self::Closed } else { Self::Http(error) }
    }
}

fn innermost(error: &hyper::Error) -> String {
    let mut error: &dyn std::error::Error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// One connection, driven by whoever has it.
pub(super) struct Connection {
    sender: http1::SendRequest<Body>,
    driver: Driver,
}

impl Connection {
    /// Begins to speak HTTP over `stream`.
    pub async fn open(stream: Stream) -> Result<Self, Broken> {
        let (sender, driver) = http1::Builder::new().writev(false).handshake(stream).await?;
        Ok(Self { sender, driver: Some(Box::pin(driver)) })
    }

    /// Sends a request and waits for the head of its answer.
    pub async fn exchange(&mut self, request: Request<Body>) -> Result<Response<Incoming>, Broken> {
        // Sent before the driver is looked at, so that the driver finds it at once.
        let answer = self.sender.send_request(request);
        Ok(drive(&mut self.driver, answer).await.ok_or(Broken::Closed)??)
    }

    /// Reads an answer to its end, if that is no more than `most` octets away, and shows it to `look`
    /// piece by piece: may the connection be used again?
    pub async fn read(&mut self, response: Response<Incoming>, most: usize, mut look: impl FnMut(&[u8])) -> bool {
        let mut body = response.into_body();
        let mut left = most;
        while !body.is_end_stream() {
            match drive(&mut self.driver, body.frame()).await {
                Some(None) => break,
                None | Some(Some(Err(_))) => return false,
                Some(Some(Ok(frame))) => {
                    let piece = frame.data_ref().map_or(&[][..], Bytes::as_ref);
                    let Some(rest) = left.checked_sub(piece.len()) else { return false };
                    left = rest;
                    look(piece);
                }
            }
        }
        drop(body);
        matches!(drive(&mut self.driver, self.sender.ready()).await, Some(Ok(())))
    }

    /// Is it still open, as far as can be seen without waiting?
    async fn is_open(&mut self) -> bool {
        std::future::poll_fn(|cx| Poll::Ready(!has_ended(&mut self.driver, cx))).await && !self.sender.is_closed()
    }
}

/// Waits for `wanted` and drives the connection meanwhile; `None` if that ends before.
async fn drive<T>(driver: &mut Driver, wanted: impl Future<Output = T>) -> Option<T> {
    let mut wanted = pin!(wanted);
    std::future::poll_fn(|cx| {
        let ended = has_ended(driver, cx);
        match wanted.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending if ended => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Drives the connection as far as it goes: is it at its end?
fn has_ended(driver: &mut Driver, cx: &mut Context<'_>) -> bool {
    if driver.as_mut().is_some_and(|driver| driver.as_mut().poll(cx).is_ready()) {
        *driver = None;
    }
    driver.is_none()
}

/// The connections that nobody uses at the moment.
#[derive(Default)]
pub(super) struct Pool {
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    /// By origin, those that were used last at the end.
    kept: HashMap<Origin, Vec<(Instant, Connection)>>,
    count: usize,
}

impl Pool {
    /// A connection to `origin` that is still open, the one that was used last if there are more.
    pub async fn take(&self, origin: &Origin) -> Option<Connection> {
        loop {
            let mut connection = self.take_any(origin)?;
            if connection.is_open().await {
                return Some(connection);
            }
        }
    }

    fn take_any(&self, origin: &Origin) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, connection) = idle.kept.get_mut(origin)?.pop()?;
        idle.count -= 1;
        (since.elapsed() < IDLE).then_some(connection)
    }

    /// Keeps a connection for the next call to `origin`.
    pub fn put(&self, origin: &Origin, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.count >= KEPT_MAX {
            return;
        }
        idle.count += 1;
        if let Some(kept) = idle.kept.get_mut(origin) {
            kept.push((Instant::now(), connection));
        } else {
            idle.kept.insert(origin.clone(), vec![(Instant::now(), connection)]);
        }
    }

    /// Closes what has not been used for long.
    pub fn sweep(&self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut count = 0;
        idle.kept.retain(|_, kept| {
            kept.retain(|(since, _)| since.elapsed() < IDLE);
            count += kept.len();
            !kept.is_empty()
        });
        idle.count = count;
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.idle.lock().unwrap().count
    }
}
