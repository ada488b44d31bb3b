//! What goes to the client: receipts and messages from phones, when they are due, over a few kept
//! connections, and again while the client does not take them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::Request;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

use super::apis::Call;
use super::provider::Shared;
use crate::counters::Counters;
use crate::timeline::Timeline;

/// Calls under way at a time.
const CALLS: usize = 256;
/// How often something is tried that the client does not take.
const TRIES: u8 = 20;
/// How long to wait before it is tried again.
const AGAIN_AFTER: Duration = Duration::from_millis(500);
/// How long a call may take.
const CALL_MAX: Duration = Duration::from_secs(30);
/// Octets of an answer that are read.
const ANSWER_MAX: usize = 64 * 1024;

/// Something that is owed to the client.
#[derive(Debug)]
struct Owed {
    call: Call,
    is_receipt: bool,
    tries: u8,
}

/// Where calls are handed over. Unbounded: a provider owes what it owes.
#[derive(Clone, Debug)]
pub(super) struct Callbacks(mpsc::UnboundedSender<(Instant, Owed)>);

impl Callbacks {
    /// Begins to call; the task ends when it is told to stop.
    pub(super) fn start(shared: Arc<Shared>, mut stop: watch::Receiver<bool>) -> (Self, JoinHandle<()>) {
        let (sender, owed) = mpsc::unbounded_channel();
        let again = Self(sender.clone());
        let task = tokio::spawn(async move {
            tokio::select! {
                () = run(shared, owed, again) => {}
                _ = stop.changed() => {}
            }
        });
        (Self(sender), task)
    }

    /// Calls after a while.
    pub(super) fn push(&self, after: Duration, call: Call, is_receipt: bool) {
        let _ = self.0.send((Instant::now() + after, Owed { call, is_receipt, tries: 0 }));
    }
}

/// Keeps what is not due yet, and hands over what is.
async fn run(shared: Arc<Shared>, mut owed: mpsc::UnboundedReceiver<(Instant, Owed)>, again: Callbacks) {
    let (due, waiting) = mpsc::channel(CALLS);
    let waiting = Arc::new(Mutex::new(waiting));
    let mut callers = JoinSet::new();
    for _ in 0..CALLS {
        callers.spawn(caller(shared.clone(), waiting.clone(), again.clone()));
    }
    let began = Instant::now();
    let mut timeline = Timeline::new();
    loop {
        while let Some(owed) = timeline.pop(began.elapsed()) {
            if due.send(owed).await.is_err() {
                return;
            }
        }
        let next = timeline.next().map_or(began + Duration::from_secs(86_400), |at| began + at);
        tokio::select! {
            one = owed.recv() => match one {
                Some((at, owed)) => timeline.push(at.saturating_duration_since(began), began.elapsed(), owed),
                None => return,
            },
            () = tokio::time::sleep_until(next) => {}
        }
    }
}

/// Calls, one after the other.
async fn caller(shared: Arc<Shared>, waiting: Arc<Mutex<mpsc::Receiver<Owed>>>, again: Callbacks) {
    let mut kept: Option<(String, SendRequest<Full<Bytes>>)> = None;
    loop {
        let Some(mut owed) = waiting.lock().await.recv().await else { return };
        let mut counted = Counters::default();
        match owed.is_receipt {
            true => counted.receipts_sent += 1,
            false => counted.mo_sent += 1,
        }
        let taken = tokio::time::timeout(CALL_MAX, call(&owed.call, &mut kept)).await.ok().flatten();
        match (taken, owed.is_receipt) {
            (Some(true), true) => counted.receipts_acked += 1,
            (Some(true), false) => counted.mo_acked += 1,
            _ => {
                kept = None;
                owed.tries += 1;
                if owed.tries < TRIES {
                    let _ = again.0.send((Instant::now() + AGAIN_AFTER, owed));
                } else {
                    counted.deliveries_refused += 1;
                }
            }
        }
        shared.totals.add(&mut counted);
    }
}

/// Makes one call: was it taken? `None` if there was no answer.
async fn call(call: &Call, kept: &mut Option<(String, SendRequest<Full<Bytes>>)>) -> Option<bool> {
    let (authority, target) = split(&call.url)?;
    if kept.as_ref().is_none_or(|(known, sender)| *known != authority || sender.is_closed()) {
        let stream = TcpStream::connect(&authority).await.ok()?;
        stream.set_nodelay(true).ok()?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
        tokio::spawn(connection);
        *kept = Some((authority.clone(), sender));
    }
    let (_, sender) = kept.as_mut()?;
    sender.ready().await.ok()?;
    let mut request = Request::builder().method(call.method).uri(target).header("host", authority);
    for (name, value) in &call.headers {
        request = request.header(*name, value);
    }
    let request = request.body(Full::new(Bytes::from(call.body.clone()))).ok()?;
    let response = sender.send_request(request).await.ok()?;
    let good = response.status().is_success();
    let body = Limited::new(response.into_body(), ANSWER_MAX).collect().await.ok()?.to_bytes();
    Some(good && String::from_utf8_lossy(&body).contains(call.wants))
}

/// Host and port of a URL without TLS, and the rest.
fn split(url: &str) -> Option<(String, String)> {
    let rest = url.strip_prefix("http://")?;
    let at = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at(at);
    let authority = if authority.contains(':') { authority.to_owned() } else { format!("{authority}:80") };
    Some((authority, if target.starts_with('/') { target.to_owned() } else { format!("/{target}") }))
}
