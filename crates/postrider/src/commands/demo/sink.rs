//! The application's side: takes webhooks and checks that they are the gateway's.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use ring::hmac;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::outcome::{Failure, Outcome};

/// Octets of an event.
const EVENT_MAX: usize = 1024 * 1024;
/// Events that may wait to be looked at; the gateway waits for the rest.
const EVENTS_WAITING: usize = 1000;

/// A webhook's endpoint. Dropping it ends it.
pub struct Sink {
    address: SocketAddr,
    events: mpsc::Receiver<Value>,
    _tasks: JoinSet<()>,
}

impl Sink {
    /// Serves on a listener and takes what is signed with `secret`.
    pub fn start(listener: TcpListener, secret: &str) -> Outcome<Self> {
        let key = STANDARD.decode(secret.trim_start_matches("whsec_"))?;
        let key = Arc::new(hmac::Key::new(hmac::HMAC_SHA256, &key));
        let (sender, events) = mpsc::channel(EVENTS_WAITING);
        let address = listener.local_addr()?;
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, key, sender));
        Ok(Self { address, events, _tasks: tasks })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next event whose signature is right.
    pub async fn next(&mut self) -> Outcome<Value> {
        self.events.recv().await.ok_or_else(|| Failure::failed("the webhook's endpoint has ended"))
    }
}

async fn accept(listener: TcpListener, key: Arc<hmac::Key>, events: mpsc::Sender<Value>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((socket, _)) = listener.accept() => {
                let (key, events) = (key.clone(), events.clone());
                connections.spawn(async move {
                    let service = service_fn(move |request| take(request, key.clone(), events.clone()));
                    // A connection that breaks is the gateway's to open again.
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn take(
    request: Request<Incoming>,
    key: Arc<hmac::Key>,
    events: mpsc::Sender<Value>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let status = match Limited::new(body, EVENT_MAX).collect().await.map(|body| body.to_bytes()) {
        Err(_) => StatusCode::BAD_REQUEST,
        Ok(body) if !is_signed(&head.headers, &body, &key) => StatusCode::UNAUTHORIZED,
        Ok(body) => match serde_json::from_slice(&body) {
            Ok(event) => match events.send(event).await {
                Ok(()) => StatusCode::NO_CONTENT,
                Err(_) => StatusCode::SERVICE_UNAVAILABLE,
            },
            Err(_) => StatusCode::BAD_REQUEST,
        },
    };
    let mut answer = Response::new(Empty::new());
    *answer.status_mut() = status;
    Ok(answer)
}

/// Standard Webhooks 1.0: `v1,` and base64 of the HMAC-SHA256 over `id.timestamp.body`.
fn is_signed(headers: &HeaderMap, body: &[u8], key: &hmac::Key) -> bool {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let signed = [header("webhook-id").as_bytes(), b".", header("webhook-timestamp").as_bytes(), b".", body].concat();
    header("webhook-signature")
        .split(' ')
        .filter_map(|signature| STANDARD.decode(signature.strip_prefix("v1,")?).ok())
        .any(|tag| hmac::verify(key, &signed, &tag).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the Standard Webhooks documentation.
    #[test]
    fn only_what_is_signed_with_the_secret_is_taken() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap());
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek".parse().unwrap());
        headers.insert("webhook-timestamp", "1614265330".parse().unwrap());
        headers.insert("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=".parse().unwrap());
        assert!(is_signed(&headers, br#"{"test": 2432232314}"#, &key));
        assert!(!is_signed(&headers, br#"{"test": 2432232315}"#, &key));
        headers.remove("webhook-signature");
        assert!(!is_signed(&headers, b"", &key));
    }
}
