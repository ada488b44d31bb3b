//! Opening connections: a name is looked up once, the addresses that may not be called are left
//! out, and the connection goes to one of those that were looked at. There is no second look-up in
//! between that could answer otherwise.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::endpoint::Origin;
use super::guard::Guard;

/// Longest wait for one address: the next one may be better.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Most addresses of a name that are tried.
const ADDRESSES_MAX: usize = 8;

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Looks a host and port up.
pub(super) type Resolver = Arc<dyn Fn(Box<str>, u16) -> BoxFuture<io::Result<Vec<SocketAddr>>> + Send + Sync>;

/// Opens connections to addresses that may be called.
pub(super) struct Connector {
    guard: Guard,
    tls: TlsConnector,
    resolve: Resolver,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error("{host} can't be looked up: {source}")]
    Lookup { host: Box<str>, source: io::Error },
    #[error("{host} has no address")]
    NoAddress { host: Box<str> },
    #[error("the address {address} is {objection}; such targets are called only where webhooks.allow_private has them")]
    Refused { address: IpAddr, objection: &'static str },
    #[error("{address} can't be reached: {source}")]
    Connect { address: SocketAddr, source: io::Error },
    #[error("TLS with {host} failed: {source}")]
    Tls { host: Box<str>, source: io::Error },
}

/// Looks names up as the machine does.
pub(super) fn system_resolver() -> Resolver {
    Arc::new(|host, port| Box::pin(async move { tokio::net::lookup_host((&*host, port)).await.map(Iterator::collect) }))
}

impl Connector {
    pub fn new(guard: Guard, tls: Arc<rustls::ClientConfig>, resolve: Resolver) -> Self {
        Self { guard, tls: TlsConnector::from(tls), resolve }
    }

    /// A connection to `origin`, with TLS if that is its scheme.
    pub async fn connect(&self, origin: &Origin) -> Result<Stream, ConnectError> {
        let Origin { tls, host, port } = origin;
        let addresses = self.addresses(host, *port).await?;
        let tcp = connect_any(host, &addresses).await?;
        // Calls are small and their answers are waited for.
        let _ = tcp.set_nodelay(true);
        if !tls {
            return Ok(Stream::Plain(TokioIo::new(tcp)));
        }
        let failed = |source| ConnectError::Tls { host: host.clone(), source };
        let name = ServerName::try_from(host.to_string()).map_err(|e| failed(io::Error::other(e)))?;
        let stream = self.tls.connect(name, tcp).await.map_err(failed)?;
        Ok(Stream::Tls(TokioIo::new(Box::new(stream))))
    }

    /// The addresses of `host` that may be called.
    async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, ConnectError> {
        let all = match host.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, port)],
            Err(_) => {
                let looked_up = (self.resolve)(host.into(), port).await;
                looked_up.map_err(|source| ConnectError::Lookup { host: host.into(), source })?
            }
        };
        let mut refused = None;
        let mut allowed = Vec::new();
        for address in all {
            match self.guard.objection(address.ip()) {
                None => allowed.push(address),
                Some(objection) => refused = Some(ConnectError::Refused { address: address.ip(), objection }),
            }
        }
        allowed.truncate(ADDRESSES_MAX);
        match refused {
            Some(refused) if allowed.is_empty() => Err(refused),
            _ => Ok(allowed),
        }
    }
}

async fn connect_any(host: &str, addresses: &[SocketAddr]) -> Result<TcpStream, ConnectError> {
    let mut last = ConnectError::NoAddress { host: host.into() };
    for &address in addresses {
        let attempt = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await;
        match attempt.unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "no answer"))) {
            Ok(stream) => return Ok(stream),
            Err(source) => last = ConnectError::Connect { address, source },
        }
    }
    Err(last)
}

/// A connection, with TLS or without.
pub(super) enum Stream {
    Plain(TokioIo<TcpStream>),
    Tls(TokioIo<Box<TlsStream<TcpStream>>>),
}

impl Read for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(io) => Pin::new(io).poll_read(cx, buf),
            Stream::Tls(io) => Pin::new(io).poll_read(cx, buf),
        }
    }
}

impl Write for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(io) => Pin::new(io).poll_write(cx, buf),
            Stream::Tls(io) => Pin::new(io).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(io) => Pin::new(io).poll_flush(cx),
            Stream::Tls(io) => Pin::new(io).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(io) => Pin::new(io).poll_shutdown(cx),
            Stream::Tls(io) => Pin::new(io).poll_shutdown(cx),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Stream::Plain(io) => io.is_write_vectored(),
            Stream::Tls(io) => io.is_write_vectored(),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(io) => Pin::new(io).poll_write_vectored(cx, bufs),
            Stream::Tls(io) => Pin::new(io).poll_write_vectored(cx, bufs),
        }
    }
}
