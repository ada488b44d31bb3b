//! The accept loops: sockets to connections, with limits, TLS and an orderly end.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use engine::Engine;
use futures_util::future::BoxFuture;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::server::TlsStream;

use super::binds::Binds;
use super::connection::{Shared, serve};
use super::dialogue::Dialogue;
use super::gate::{Gate, Peer};
use super::settings::SessionSettings;

/// Wait after the system refused a socket: mostly there are too many files open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How far the end has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Serving,
    /// Sessions answer what they have accepted, and unbind.
    Closing,
    /// Connections end now.
    Ended,
}

/// A server of one protocol.
pub struct Server {
    settings: Arc<SessionSettings>,
    protocol: Arc<dyn Protocol>,
    room: Arc<Semaphore>,
    addresses: Arc<Addresses>,
    stage: watch::Sender<Stage>,
}

/// A socket that is listened on.
#[derive(Debug)]
pub struct Listener {
    /// It.
    pub socket: TcpListener,
    /// Connections begin with TLS.
    pub tls: bool,
}

impl Server {
    /// A server of `engine` that speaks as `D` does.
    pub(crate) fn of<D: Dialogue>(engine: Engine, settings: Arc<SessionSettings>) -> Self {
        let gate = Gate::new(D::PROTOCOL, engine.clone(), settings.metrics.clone(), settings.binds.clone());
        let addresses = Arc::new(Addresses { most: settings.limits.connections_per_address, ..Addresses::default() });
        let room = Arc::new(Semaphore::new(settings.limits.connections));
        let shared = Shared::<D> { engine, settings: settings.clone(), gate, common: D::Common::default() };
        Self {
            settings,
            protocol: Arc::new(Arc::new(shared)),
            room,
            addresses,
            stage: watch::Sender::new(Stage::Serving),
        }
    }

    /// Who is logged in.
    #[must_use]
    pub fn binds(&self) -> Binds {
        self.settings.binds.clone()
    }

    /// Serves until `shutdown` resolves; then no connection is accepted any more, sessions answer
    /// what they have accepted and unbind, and after the grace period the rest is cut off.
    pub async fn serve(self, listeners: Vec<Listener>, shutdown: impl Future<Output = ()> + Send) {
        let limits = &self.settings.limits;
        let certificates = self.settings.tls.clone();
        let watch_certificates = async move {
            match certificates {
                Some(certificates) => certificates.watch().await,
                None => std::future::pending().await,
            }
        };
        let accepting = listeners.iter().map(|listener| self.accept_all(listener));
        tokio::select! {
            _ = futures_util::future::join_all(accepting), if !listeners.is_empty() => {}
            () = watch_certificates => {}
            () = shutdown => {}
        }
        drop(listeners);
        self.stage.send_replace(Stage::Closing);
        // Every connection holds one permit: when all are back, all connections have ended.
        let most = u32::try_from(limits.connections).unwrap_or(u32::MAX);
        if tokio::time::timeout(limits.shutdown_grace, self.room.acquire_many(most)).await.is_err() {
            self.stage.send_replace(Stage::Ended);
            let _ = self.room.acquire_many(most).await;
        }
    }

    async fn accept_all(&self, listener: &Listener) {
        // The semaphore is never closed.
        while let Ok(permit) = self.room.clone().acquire_owned().await {
            let (socket, remote) = loop {
                match listener.socket.accept().await {
                    Ok(accepted) => break accepted,
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                }
            };
            let Some(place) = self.addresses.enter(remote.ip()) else {
                self.settings.metrics.login_refused("connections");
                tracing::warn!(%remote, "an address has too many connections; one was closed");
                continue;
            };
            let peer = Peer { remote, tls: listener.tls };
            let (settings, protocol) = (self.settings.clone(), self.protocol.clone());
            tokio::spawn(serve_socket(socket, peer, (settings, protocol), self.stage.subscribe(), (permit, place)));
        }
    }
}

/// A protocol, whichever it is, as it serves a connection.
trait Protocol: Send + Sync {
    fn serve(&self, socket: Socket, peer: Peer, stage: watch::Receiver<Stage>) -> BoxFuture<'static, ()>;
}

/// A connection's octets.
#[expect(clippy::large_enum_variant, reason = "one a connection, which is in its future in any case")]
enum Socket {
    Plain(TcpStream),
    Tls(TlsStream<TcpStream>),
}

impl<D: Dialogue> Protocol for Arc<Shared<D>> {
    fn serve(&self, socket: Socket, peer: Peer, stage: watch::Receiver<Stage>) -> BoxFuture<'static, ()> {
        match socket {
            Socket::Plain(socket) => Box::pin(serve(socket, peer, self.clone(), stage)),
            Socket::Tls(socket) => Box::pin(serve(socket, peer, self.clone(), stage)),
        }
    }
}

async fn serve_socket(
    socket: TcpStream,
    peer: Peer,
    (settings, protocol): (Arc<SessionSettings>, Arc<dyn Protocol>),
    mut stage: watch::Receiver<Stage>,
    _places: (OwnedSemaphorePermit, AtAddress),
) {
    settings.metrics.connected();
    // Answers are written whole, so waiting for more to send only costs time.
    let _ = socket.set_nodelay(true);
    let socket = match settings.tls.clone().filter(|_| peer.tls) {
        None => Some(Socket::Plain(socket)),
        Some(certificates) => {
            let limit = settings.limits.login_timeout;
            let handshake = tokio::time::timeout(limit, certificates.acceptor().accept(socket));
            let socket = tokio::select! {
                socket = handshake => Some(socket),
                _ = stage.wait_for(|now| *now >= Stage::Closing) => None,
            };
            match socket {
                Some(Ok(Ok(socket))) => Some(Socket::Tls(socket)),
                Some(Ok(Err(error))) => {
                    tracing::warn!(%error, remote = %peer.remote, "a TLS handshake failed");
                    None
                }
                Some(Err(_)) => {
                    tracing::debug!(remote = %peer.remote, "a TLS handshake took too long");
                    None
                }
                None => None,
            }
        }
    };
    if let Some(socket) = socket {
        protocol.serve(socket, peer, stage).await;
    }
    settings.metrics.disconnected();
}

/// How many connections each address has.
#[derive(Debug, Default)]
struct Addresses {
    most: usize,
    counts: Mutex<HashMap<IpAddr, usize>>,
}

/// A connection among its address's, given back when dropped.
struct AtAddress {
    addresses: Arc<Addresses>,
    address: IpAddr,
}

impl Addresses {
    fn enter(self: &Arc<Self>, address: IpAddr) -> Option<AtAddress> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(AtAddress { addresses: self.clone(), address })
    }
}

impl Drop for AtAddress {
    fn drop(&mut self) {
        let mut counts = self.addresses.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}
