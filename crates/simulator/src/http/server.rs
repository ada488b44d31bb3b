//! Takes requests, and answers them as the provider would.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::apis::{Refusal, Told};
use super::callbacks::Callbacks;
use super::fields::Asked;
use super::provider::{Fate, Shared};
use crate::counters::Counters;

/// Octets of a request's body.
const BODY_MAX: usize = 4 * 1024 * 1024;

/// Accepts connections until it is told to stop.
pub(super) async fn serve(
    listener: TcpListener,
    shared: Arc<Shared>,
    callbacks: Callbacks,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.changed() => return,
        };
        match accepted {
            Ok((stream, _)) => {
                shared.totals.connection();
                tokio::spawn(connection(stream, shared.clone(), callbacks.clone(), stop.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>, callbacks: Callbacks, mut stop: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    // A request that is never answered, or whose connection is closed, ends it from inside.
    let hang_up = watch::Sender::new(false);
    let mut hung_up = hang_up.subscribe();
    let service = service_fn(|request| answer(request, &shared, &callbacks, &hang_up));
    let serving = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        ended = serving => if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended early");
        },
        _ = stop.changed() => {}
        _ = hung_up.changed() => {}
    }
}

async fn answer(
    request: Request<Incoming>,
    shared: &Arc<Shared>,
    callbacks: &Callbacks,
    hang_up: &watch::Sender<bool>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, BODY_MAX).collect().await else {
        return Ok(response(&Told::text(400, "the body can't be read")));
    };
    let header = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let headers = parts.headers.iter().map(header).collect();
    let asked = Asked::new(parts.method.as_str(), target, headers, body.to_bytes().to_vec());
    let mut counted = Counters::default();
    let (told, drop) = judge(&asked, shared, callbacks, &mut counted);
    let (delay, close) = {
        let mut state = shared.lock();
        let settings = state.settings_ref();
        let (delay, close_after) = (settings.resp_delay, settings.close_after);
        state.requests += 1;
        (state.between(delay), close_after.is_some_and(|after| state.requests == after))
    };
    if drop || close {
        counted.dropped += u64::from(drop);
        counted.faults += u64::from(close);
        shared.totals.add(&mut counted);
        if close {
            hang_up.send_replace(true);
        }
        return std::future::pending().await;
    }
    counted.responses += 1;
    shared.totals.add(&mut counted);
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    Ok(response(&told))
}

/// What a request is answered with, if it is answered: first, is its token good still?
fn judge(asked: &Asked, shared: &Arc<Shared>, callbacks: &Callbacks, counted: &mut Counters) -> (Told, bool) {
    let settings = shared.settings();
    let provider = settings.api.provider();
    let (seconds, uses) = (settings.token_seconds, settings.token_uses);
    let Some(token) = provider.token().filter(|_| seconds.is_some() || uses.is_some()) else {
        return decide(asked, shared, callbacks, counted);
    };
    if provider.gives_token(asked) {
        let (mut told, drop) = decide(asked, shared, callbacks, counted);
        if told.status == 200 {
            counted.binds += 1;
            shared.lock().tokens.give(&mut told, seconds, uses);
        }
        return (told, drop);
    }
    if !shared.lock().tokens.take(asked.bearer().unwrap_or_default()) {
        counted.binds_refused += 1;
        return (provider.refused(Refusal::Unknown), false);
    }
    decide(&asked.with_bearer(token), shared, callbacks, counted)
}

fn decide(asked: &Asked, shared: &Arc<Shared>, callbacks: &Callbacks, counted: &mut Counters) -> (Told, bool) {
    let (settings, login) = (shared.settings(), shared.login());
    let provider = settings.api.provider();
    if let Some(told) = provider.other(&login, asked, &|id| shared.ended(id)) {
        if (200..300).contains(&told.status)
            && let Some(url) = provider.subscribed(asked)
        {
            shared.lock().callback = Some(url);
        }
        counted.inquiries += 1;
        return (told, false);
    }
    if !provider.knows(&login, asked) {
        counted.binds_refused += 1;
        return (provider.refused(Refusal::Unknown), false);
    }
    if provider.polled(asked) {
        let inbox = std::mem::take(&mut shared.lock().inbox);
        counted.mo_sent += inbox.len() as u64;
        counted.mo_acked += inbox.len() as u64;
        let (count, list) = (inbox.len(), inbox.join(","));
        let data = format!("\"numberOfMessagesInThisBatch\":\"{count}\",\"inboundSMSMessage\":[{list}]");
        let list = format!("{{\"statusCode\":\"0000\",\"data\":{{{data}}}}}");
        return (Told { status: 200, kind: "application/json", body: list, retry_after: None }, false);
    }
    let Some(all) = provider.submissions(asked).filter(|all| !all.is_empty()) else {
        counted.refused += 1;
        return (provider.refused(Refusal::Unreadable), false);
    };
    let (fate, drop, callback) = {
        let mut state = shared.lock();
        let fate = state.judge(provider, all, shared.began.elapsed(), counted);
        let drop = matches!(fate, Fate::Taken(_)) && state.odds(settings.drop);
        (fate, drop, state.callback.clone())
    };
    let taken = match fate {
        Fate::Throttled => return (provider.refused(Refusal::Throttled), false),
        Fate::Failed => return (provider.refused(Refusal::Failed), false),
        Fate::Taken(taken) => taken,
    };
    let mut all = Vec::with_capacity(taken.len());
    for mut one in taken {
        if one.submission.receipt_to.as_deref() == Some("") {
            one.submission.receipt_to.clone_from(&callback);
        }
        if let Some(call) = provider.receipt(&login, &one.submission, &one.id, one.delivered) {
            callbacks.push(one.receipt_after, call, true);
        }
        all.push((one.submission, one.id));
    }
    (provider.taken(&all), drop)
}

fn response(told: &Told) -> Response<Full<Bytes>> {
    let mut builder = Response::builder().status(told.status).header("content-type", told.kind);
    if let Some(seconds) = told.retry_after {
        builder = builder.header("retry-after", seconds);
    }
    builder.body(Full::new(told.body.clone().into())).unwrap_or_default()
}
