//! The accept loop: sockets to connections, with limits, TLS and an orderly end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use engine::Engine;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use super::service::{State, answer};
use super::settings::{HttpLimits, HttpSettings};
use super::unreadable::Readable;

/// Wait after the system refused a socket: mostly there are too many files open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Requests of one HTTP/2 connection at a time.
const STREAMS: u32 = 256;
/// Octets of a body, and of all bodies of a connection, that HTTP/2 clients may send ahead of the reader.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;

/// How far the end has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Serving,
    /// Connections end after the request that is under way.
    Closing,
    /// Connections end now.
    Ended,
}

/// Serves the API on `listener` until `shutdown` resolves; then no connection is accepted any
/// more, what is under way is answered, and after [`HttpLimits::shutdown_grace`] the rest is cut
/// off. An error is one of the listener itself.
pub async fn serve(
    listener: TcpListener,
    engine: Engine,
    settings: Arc<HttpSettings>,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let limits = settings.limits.clone();
    let state = Arc::new(State::new(engine, settings.clone()));
    let room = Arc::new(Semaphore::new(limits.connections));
    let stage = watch::Sender::new(Stage::Serving);
    let certificates = settings.tls.clone();
    let watch_certificates = async move {
        match certificates {
            Some(certificates) => certificates.watch().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = accept_all(&listener, &state, &room, &stage) => {}
        () = watch_certificates => {}
        () = shutdown => {}
    }
    drop(listener);
    stage.send_replace(Stage::Closing);
    // Every connection holds one permit: when all are back, all connections have ended.
    let all = room.acquire_many(limits.connections as u32);
    if tokio::time::timeout(limits.shutdown_grace, all).await.is_err() {
        stage.send_replace(Stage::Ended);
        let _ = room.acquire_many(limits.connections as u32).await;
    }
    Ok(())
}

async fn accept_all(listener: &TcpListener, state: &Arc<State>, room: &Arc<Semaphore>, stage: &watch::Sender<Stage>) {
    // The semaphore is never closed.
    while let Ok(permit) = room.clone().acquire_owned().await {
        let (socket, remote) = loop {
            match listener.accept().await {
                Ok(accepted) => break accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        };
        let (state, stage) = (state.clone(), stage.subscribe());
        tokio::spawn(async move {
            serve_socket(socket, remote, state, stage).await;
            drop(permit);
        });
    }
}

async fn serve_socket(socket: TcpStream, remote: SocketAddr, state: Arc<State>, mut stage: watch::Receiver<Stage>) {
    // Answers are written whole, so waiting for more to send only costs time.
    let _ = socket.set_nodelay(true);
    let Some(certificates) = state.settings.tls.clone() else {
        return serve_http1(socket, remote, state, stage).await;
    };
    let limit = state.settings.limits.handshake_timeout;
    let handshake = tokio::time::timeout(limit, certificates.acceptor().accept(socket));
    let socket = tokio::select! {
        socket = handshake => socket,
        () = reached(&mut stage, Stage::Closing) => return,
    };
    match socket {
        Ok(Ok(socket)) if socket.get_ref().1.alpn_protocol() == Some(b"h2") => {
            serve_http2(socket, remote, state, stage).await;
        }
        Ok(Ok(socket)) => serve_http1(socket, remote, state, stage).await,
        Ok(Err(error)) => tracing::debug!(%error, %remote, "a TLS handshake failed"),
        Err(_) => tracing::debug!(%remote, "a TLS handshake took too long"),
    }
}

async fn serve_http1(
    socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    remote: SocketAddr,
    state: Arc<State>,
    mut stage: watch::Receiver<Stage>,
) {
    let HttpLimits { header_timeout, headers, header_octets, .. } = state.settings.limits;
    let socket = TokioIo::new(Readable::new(socket, remote, state.clone()));
    let service = service_fn(move |request| answer(state.clone(), remote, request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_headers(headers)
        .max_buf_size(header_octets.max(8192))
        // Answers are small: one copy costs less than a list of pieces for the kernel.
        .writev(false)
        .serve_connection(socket, service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return log_end(ended, remote),
        () = reached(&mut stage, Stage::Closing) => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        ended = connection.as_mut() => log_end(ended, remote),
        () = reached(&mut stage, Stage::Ended) => {}
    }
}

async fn serve_http2(
    socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    remote: SocketAddr,
    state: Arc<State>,
    mut stage: watch::Receiver<Stage>,
) {
    let HttpLimits { header_timeout, header_octets, .. } = state.settings.limits;
    let service = service_fn(move |request| answer(state.clone(), remote, request));
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        // Beyond it HTTP/2 itself answers, without a body; up to it the service answers with a problem.
        .max_header_list_size(u32::try_from(header_octets.saturating_mul(4)).unwrap_or(u32::MAX))
        .keep_alive_interval(header_timeout)
        // A body that is read slowly must not keep others of its connection from coming.
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .serve_connection(TokioIo::new(socket), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return log_end(ended, remote),
        () = reached(&mut stage, Stage::Closing) => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        ended = connection.as_mut() => log_end(ended, remote),
        () = reached(&mut stage, Stage::Ended) => {}
    }
}

/// Waits until the end has come as far as `wanted`.
async fn reached(stage: &mut watch::Receiver<Stage>, wanted: Stage) {
    // An error is a sender that is gone: the server has ended.
    let _ = stage.wait_for(|stage| *stage >= wanted).await;
}

fn log_end(ended: hyper::Result<()>, remote: SocketAddr) {
    if let Err(error) = ended {
        tracing::debug!(%error, %remote, "a connection ended early");
    }
}
