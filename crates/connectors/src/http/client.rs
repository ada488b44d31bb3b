//! Connections to the provider, kept between requests, and one exchange over one of them.
//!
//! Whoever makes a request drives its connection, too: no task stands between. Between requests a
//! connection lies here and nobody looks at it; whether the provider has closed it meanwhile is seen when
//! it is taken. Redirects are not followed: a message goes where its description says, or nowhere.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use model::resources::http::HTTP_ANSWER_OCTETS;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;

use super::api::Target;
use super::document::Document;
use crate::transport::{ConnectError, Transport, client_config};

/// How long an unused connection is kept: less than the 5 seconds after which common servers close it, so
/// that a request seldom meets a connection that is just being closed.
const IDLE: Duration = Duration::from_secs(4);
/// Unused connections that are kept.
const KEPT_MAX: usize = 1000;
/// Octets of an answer's head.
const HEAD_MAX: usize = 64 * 1024;
/// Headers of an answer.
const HEADERS_MAX: usize = 100;

type Body = Full<Bytes>;
type Stream = TokioIo<Box<dyn Transport>>;

/// What came of a request.
#[derive(Debug)]
pub(super) enum Exchanged {
    /// It was answered.
    Answered(Document),
    /// It was certainly not sent.
    NotSent(Box<str>),
    /// It may have been taken, or not.
    Lost(Box<str>),
}

/// Connections to one provider.
pub(super) struct Client {
    target: Target,
    tls: Option<TlsConnector>,
    idle: Mutex<Vec<(Instant, Connection)>>,
    connect_timeout: Duration,
    answer_timeout: Duration,
}

impl Client {
    /// Without a connection yet.
    pub(super) fn new(
        target: Target,
        connect_timeout: Duration,
        answer_timeout: Duration,
    ) -> Result<Self, ConnectError> {
        let none = model::resources::TlsSettings::default();
        let tls = match target.tls {
            true => Some(TlsConnector::from(Arc::new(client_config(target.settings.as_ref().unwrap_or(&none))?))),
            false => None,
        };
        Ok(Self { target, tls, idle: Mutex::default(), connect_timeout, answer_timeout })
    }

    /// Makes sure that the provider can be reached.
    pub(super) async fn warm_up(&self) -> Result<(), Box<str>> {
        let connection = self.connect().await.map_err(|error| Box::<str>::from(error.to_string()))?;
        self.keep(connection);
        Ok(())
    }

    /// Sends a request and reads the answer to its end.
    pub(super) async fn exchange(&self, request: Request<Bytes>) -> Exchanged {
        let mut request = request.map(Full::new);
        loop {
            let (mut connection, kept) = match self.take().await {
                Some(connection) => (connection, true),
                None => match self.connect().await {
                    Ok(connection) => (connection, false),
                    Err(error) => return Exchanged::NotSent(error.to_string().into()),
                },
            };
            match timeout(self.answer_timeout, connection.exchange(request)).await {
                Err(_) => return Exchanged::Lost("the provider did not answer in time".into()),
                Ok(Ok((document, reusable))) => {
                    if reusable {
                        self.keep(connection);
                    }
                    return Exchanged::Answered(document);
                }
                // It lay here and was closed: nothing of the request has gone.
                Ok(Err(Broken::Unsent(again))) if kept => request = *again,
                Ok(Err(Broken::Unsent(_))) => return Exchanged::NotSent("the provider closed the connection".into()),
                Ok(Err(Broken::Lost(why))) => return Exchanged::Lost(why),
            }
        }
    }

    async fn take(&self) -> Option<Connection> {
        loop {
            let (since, mut connection) = self.lock().pop()?;
            if since.elapsed() < IDLE && connection.is_open().await {
                return Some(connection);
            }
        }
    }

    fn keep(&self, connection: Connection) {
        let mut idle = self.lock();
        // The last are used first: those of a peak would never be looked at again.
        idle.retain(|(since, _)| since.elapsed() < IDLE);
        if idle.len() < KEPT_MAX {
            idle.push((Instant::now(), connection));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(Instant, Connection)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn connect(&self) -> Result<Connection, ConnectError> {
        let Target { host, port, .. } = &self.target;
        let name = || format!("{host}:{port}");
        let connecting = async {
            let unreachable = |error| ConnectError::Unreachable(name(), error);
            let stream = TcpStream::connect((&**host, *port)).await.map_err(unreachable)?;
            stream.set_nodelay(true).map_err(unreachable)?;
            let stream: Box<dyn Transport> = match &self.tls {
                None => Box::new(stream),
                Some(tls) => {
                    let expected = self.target.settings.as_ref().and_then(|tls| tls.server_name.as_deref());
                    let expected = ServerName::try_from(expected.unwrap_or(host).to_owned())?;
                    let stream = tls.connect(expected, stream).await;
                    Box::new(stream.map_err(|error| ConnectError::Handshake(name(), error))?)
                }
            };
            Connection::open(TokioIo::new(stream)).await.map_err(|error| unreachable(io::Error::other(error)))
        };
        timeout(self.connect_timeout, connecting).await.map_err(|_| ConnectError::Timeout(name()))?
    }
}

/// Why there is no answer.
enum Broken {
    /// Nothing was sent: the request as it was.
    Unsent(Box<Request<Body>>),
    Lost(Box<str>),
}

/// One connection, driven by whoever has it.
struct Connection {
    sender: http1::SendRequest<Body>,
    /// `None` once it has ended: it is not to be polled again.
    driver: Option<Pin<Box<http1::Connection<Stream, Body>>>>,
}

impl Connection {
    async fn open(stream: Stream) -> hyper::Result<Self> {
        let mut builder = http1::Builder::new();
        builder.writev(false).max_buf_size(HEAD_MAX).max_headers(HEADERS_MAX);
        let (sender, driver) = builder.handshake(stream).await?;
        Ok(Self { sender, driver: Some(Box::pin(driver)) })
    }

    /// One request and its answer; may the connection be used again?
    async fn exchange(&mut self, request: Request<Body>) -> Result<(Document, bool), Broken> {
        const CLOSED: &str = "the provider closed the connection without an answer";
        let answer = self.sender.try_send_request(request);
        let response = match drive(&mut self.driver, answer).await {
            Some(Ok(response)) => response,
            Some(Err(mut error)) => {
                return Err(match error.take_message() {
                    Some(request) => Broken::Unsent(Box::new(request)),
                    None => Broken::Lost(innermost(error.error()).into()),
                });
            }
            None => return Err(Broken::Lost(CLOSED.into())),
        };
        let (head, body) = response.into_parts();
        let status = head.status.as_u16();
        let Some(octets) = self.read(body).await else {
            if (200..300).contains(&status) {
                return Err(Broken::Lost("the provider's answer broke off, or is too long".into()));
            }
            return Ok((Document::new(status, head.headers, Vec::new()), false));
        };
        let reusable = matches!(drive(&mut self.driver, self.sender.ready()).await, Some(Ok(())));
        Ok((Document::new(status, head.headers, octets), reusable))
    }

    /// A body, if it comes whole and is not too long.
    async fn read(&mut self, mut body: Incoming) -> Option<Vec<u8>> {
        let mut octets = Vec::new();
        while !body.is_end_stream() {
            match drive(&mut self.driver, body.frame()).await? {
                None => break,
                Some(frame) => {
                    let frame = frame.ok()?;
                    let piece = frame.data_ref().map_or(&[][..], Bytes::as_ref);
                    if octets.len() + piece.len() > HTTP_ANSWER_OCTETS {
                        return None;
                    }
                    octets.extend_from_slice(piece);
                }
            }
        }
        Some(octets)
    }

    /// Is it still open, as far as can be seen without waiting?
    async fn is_open(&mut self) -> bool {
        std::future::poll_fn(|cx| Poll::Ready(!has_ended(&mut self.driver, cx))).await && !self.sender.is_closed()
    }
}

/// Waits for `wanted` and drives the connection meanwhile; `None` if that ends before.
async fn drive<T>(
    driver: &mut Option<Pin<Box<http1::Connection<Stream, Body>>>>,
    wanted: impl Future<Output = T>,
) -> Option<T> {
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
fn has_ended(driver: &mut Option<Pin<Box<http1::Connection<Stream, Body>>>>, cx: &mut Context<'_>) -> bool {
    if driver.as_mut().is_some_and(|driver| driver.as_mut().poll(cx).is_ready()) {
        *driver = None;
    }
    driver.is_none()
}

fn innermost(error: &hyper::Error) -> String {
    if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        return "the provider closed the connection without an answer".into();
    }
    let mut error: &dyn std::error::Error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
