//! One request from its head to its answer: find the operation, check the caller, run the handler
//! under a time limit, write the access log. A handler that panics costs its request, no more.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use bytes::Bytes;
use engine::{AccountView, Caller, Engine};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::http::request::Parts;
use hyper::{Response, Version};
use model::resources::{Kind, Scope};
use tokio::sync::Semaphore;

use super::access_log::Line;
use super::linger::linger;
use super::metrics::NO_ROUTE;
use super::problem::{Entry, Problem, catalogue};
use super::reply::{Reply, Subject};
use super::request::{Media, Request, bearer, media_of};
use super::route::{Found, Operation, find};
use super::settings::HttpSettings;
use super::{
    accounts, batches, compat, connectors, deliveries, encode, explain, explain_inbound, fleet, groups, messages,
    opt_outs, pages, replay, resources, schedules, tokens, webhooks,
};

/// Names the account below that of the token that a request is for.
const ACCOUNT: &str = "postrider-account";
/// Batches that are read as they come, at a time.
const STREAMS: usize = 64;
/// Longest path that is written into the access log.
const PATH_LOGGED: usize = 200;

/// What all requests of a listener share.
pub(crate) struct State {
    pub engine: Engine,
    pub settings: Arc<HttpSettings>,
    pub openapi: Bytes,
    /// Room for batches, which are large in memory.
    pub batches: Semaphore,
    /// Room for batches that are read as they come.
    pub streams: Semaphore,
}

/// Who asks, as far as it is known.
#[derive(Default)]
struct Trace {
    caller: Option<Caller>,
    subject: Subject,
}

impl State {
    pub(crate) fn new(engine: Engine, settings: Arc<HttpSettings>) -> Self {
        let openapi = super::openapi::document(&settings).to_string().into();
        let batches = Semaphore::new(settings.limits.batches_under_way);
        Self { engine, settings, openapi, batches, streams: Semaphore::new(STREAMS) }
    }
}

/// Answers one request.
pub(crate) async fn answer(
    state: Arc<State>,
    remote: SocketAddr,
    request: hyper::Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let begun = Instant::now();
    let (parts, body) = request.into_parts();
    let mut body = Some(body);
    let path = parts.uri.path();
    let shown = compat::shown(path);
    let interfaces = &state.settings.interfaces;
    let found = if interfaces.api { find(&parts.method, path) } else { Found::Nowhere };
    let call = if found == Found::Nowhere { compat::find(interfaces, path) } else { None };
    let mut trace = Trace::default();
    let limit = state.settings.limits.request_timeout;
    let outcome = {
        // Pinned here and lent to what waits for it: a future that is handed on is copied.
        let work = pin!(perform(&state, (found, call), &parts, (&mut body, remote), &mut trace));
        match found {
            // As long as it goes on; it has limits of its own.
            Found::Operation(Operation::SendBatch) if matches!(media_of(&parts.headers), Ok(Media::Lines)) => {
                Ok(unpanicked(work).await)
            }
            _ => tokio::time::timeout(limit, unpanicked(work)).await,
        }
    };
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(_) if trace.subject.reading => Err(Problem::new(&catalogue::REQUEST_TIMEOUT)),
        Err(_) => Err(Problem::new(&catalogue::OVERLOADED)),
    };
    let request_id = new_request_id();
    let status = outcome.as_ref().map_or_else(|problem| problem.entry.status, |reply| reply.status().as_u16());
    let took = begun.elapsed();
    let route = match (found, call) {
        (Found::Operation(operation), _) => operation.path(),
        (_, Some(call)) => call.path(),
        _ => NO_ROUTE,
    };
    state.settings.metrics.answered(route, &parts.method, status, took);
    if let Some(log) = &state.settings.access_log {
        let to = trace.subject.to.as_deref().and_then(|to| state.settings.redact_numbers.apply(to));
        log.record(&Line {
            time: state.engine.now(),
            request_id: &request_id,
            remote,
            account: trace.caller.as_ref().map(|caller| &caller.account.id),
            token: trace.caller.as_ref().map(|caller| &caller.token),
            method: parts.method.as_str(),
            path: shown.get(..PATH_LOGGED).unwrap_or(&shown),
            status,
            ms: (took.as_micros() as f64) / 1000.0,
            message: trace.subject.message,
            batch: trace.subject.batch,
            to: to.as_deref(),
            code: outcome.as_ref().err().map(|problem| problem.entry.code),
        });
    }
    Ok(match outcome {
        Ok(reply) => reply.into_response(&request_id),
        Err(problem) => {
            if problem.entry.status == 500 {
                tracing::error!(%request_id, path = &*shown, "a request could not be answered");
            }
            let response = problem.into_response(&request_id);
            match body.filter(|_| trace.caller.is_some()) {
                Some(body) => linger(body, &parts, response),
                None => response,
            }
        }
    })
}

/// Counts and writes down what was no request, and names it.
pub(crate) fn note_unreadable(state: &State, remote: SocketAddr, entry: &'static Entry) -> String {
    let request_id = new_request_id();
    state.settings.metrics.unreadable(entry.status);
    if let Some(log) = &state.settings.access_log {
        log.record(&Line {
            time: state.engine.now(),
            request_id: &request_id,
            remote,
            account: None,
            token: None,
            method: "",
            path: "",
            status: entry.status,
            ms: 0.0,
            message: None,
            batch: None,
            to: None,
            code: Some(entry.code),
        });
    }
    request_id
}

fn new_request_id() -> String {
    format!("{:016x}", fastrand::u64(..))
}

async fn perform(
    state: &State,
    (found, call): (Found<'_>, Option<compat::Call>),
    parts: &Parts,
    (body, remote): (&mut Option<Incoming>, SocketAddr),
    trace: &mut Trace,
) -> Result<Reply, Problem> {
    headers_fit(state, parts)?;
    if let (Some(call), Some(body)) = (call, body.take_if(|_| call.is_some())) {
        let who = (&mut trace.caller, &mut trace.subject);
        let exchange = compat::Exchange::new(state, parts, remote.ip(), who, body);
        // In a box, so that the futures of all other requests need no room for this one.
        return Box::pin(compat::run(call, parts, exchange)).await;
    }
    let operation = match found {
        Found::Operation(operation) => operation,
        Found::WrongMethod(allow) => {
            let mut problem = Problem::new(&catalogue::METHOD_NOT_ALLOWED).detail(format!("use {allow}"));
            problem.allow = Some(allow);
            return Err(problem);
        }
        Found::NotYet => {
            let detail = format!("{} is not supported yet", parts.uri.path());
            return Err(Problem::new(&catalogue::NOT_SUPPORTED_YET).detail(detail));
        }
        Found::Nowhere => return Err(Problem::new(&catalogue::NOT_FOUND).detail("there is no such path")),
    };
    let Some(scope) = operation.scope(state.settings.open_metrics) else {
        return pages::show(state, parts, operation);
    };
    let remote = remote.ip();
    let caller = trace.caller.insert(admit(state, parts, remote, scope)?);
    run(operation, Request::new((state, parts, remote), caller, body, &mut trace.subject)).await
}

/// HTTP/1 has the limits of headers in its reader; HTTP/2 counts them only when they are unpacked.
fn headers_fit(state: &State, parts: &Parts) -> Result<(), Problem> {
    /// What RFC 9113 §6.5.2 counts for each header beside its name and value.
    const EACH: usize = 32;
    let limits = &state.settings.limits;
    if parts.version != Version::HTTP_2 {
        return Ok(());
    }
    let octets: usize = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + EACH).sum();
    if parts.headers.len() > limits.headers || octets > limits.header_octets {
        return Err(Problem::new(&catalogue::HEADERS_TOO_LARGE));
    }
    Ok(())
}

/// The account below its own that a caller acts for.
fn acting_for(state: &State, caller: &Caller, wanted: &HeaderValue) -> Result<Arc<AccountView>, Problem> {
    let account = wanted.to_str().ok().and_then(|id| state.engine.account_of(caller, id));
    let account = account.ok_or_else(|| Problem::new(&catalogue::NOT_BELOW))?;
    if account.is_enabled() { Ok(account) } else { Err(Problem::new(&catalogue::ACCOUNT_DISABLED)) }
}

pub(super) fn admit(state: &State, parts: &Parts, from: IpAddr, scope: Scope) -> Result<Caller, Problem> {
    let token = bearer(&parts.headers).ok_or_else(|| Problem::new(&catalogue::TOKEN_MISSING))?;
    let mut caller = state.engine.authenticate_from(token, from)?;
    if let Some(wanted) = parts.headers.get(ACCOUNT) {
        caller.account = acting_for(state, &caller, wanted)?;
    }
    if caller.may(scope) {
        return Ok(caller);
    }
    let name = match scope {
        Scope::Messages => "messages",
        Scope::Read => "read",
        Scope::Admin => "admin",
    };
    Err(Problem::new(&catalogue::SCOPE_MISSING).detail(format!("this takes the scope {name}")))
}

async fn run(operation: Operation<'_>, mut request: Request<'_>) -> Result<Reply, Problem> {
    use Operation::*;
    if !matches!(
        operation,
        ListMessages
            | ListDeliveries
            | ListUnmatched
            | ListWebhooks
            | AccountLedger(_)
            | ListOptOuts
            | ListSchedules
            | ListGroups
            | ListMembers(_)
    ) {
        request.no_query()?;
    }
    match operation {
        SendMessage => messages::send(&mut request).await,
        ListMessages => messages::list(&request).await,
        GetMessage(id) => messages::get(&mut request, id).await,
        ReplaceMessage(id) => messages::replace(&mut request, id).await,
        MessageEvents(id) => messages::events(&mut request, id).await,
        CancelMessage(id) => messages::cancel(&mut request, id).await,
        QueryMessage(id) => messages::query(&mut request, id).await,
        SendBatch => batches::send(&mut request).await,
        GetBatch(id) => batches::get(&mut request, id).await,
        WantBatch(id, wish) => batches::want(&mut request, id, wish).await,
        Encode => encode::answer(&mut request).await,
        Explain => explain::answer(&mut request).await,
        ExplainInbound => explain_inbound::answer(&mut request).await,
        ReplayRoutes => Box::pin(replay::answer(&mut request)).await,
        ListConnectors => connectors::list(&request).await,
        GetConnector(id) => connectors::get(&request, id).await,
        WantConnector(id, want) => connectors::want(&request, id, want).await,
        AskUssd(id) => connectors::ussd(&mut request, id).await,
        ListResources(Kind::Account) => accounts::list(&request).await,
        GetResource(Kind::Account, id) => accounts::get(&request, id).await,
        AccountUsage(id) => accounts::usage(&request, id).await,
        AccountLedger(id) => accounts::ledger(&request, id).await,
        CreditAccount(id) => accounts::credit(&mut request, id).await,
        ListResources(kind) => resources::list(&request, kind),
        GetResource(kind, id) => resources::get(&request, kind, id),
        PutResource(kind, id) => resources::put(&mut request, kind, id).await,
        DeleteResource(kind, id) => resources::delete(&request, kind, id).await,
        CreateToken => tokens::create(&mut request).await,
        ListWebhooks => webhooks::list(&request),
        CreateWebhook => webhooks::create(&mut request).await,
        GetWebhook(id) => webhooks::get(&request, id),
        PutWebhook(id) => webhooks::put(&mut request, id).await,
        DeleteWebhook(id) => webhooks::delete(&request, id).await,
        TestWebhook(id) => webhooks::test(&request, id).await,
        ListDeliveries => deliveries::list(&request).await,
        GetDelivery(id) => deliveries::get(&request, id).await,
        Redeliver(id) => deliveries::redeliver(&request, id).await,
        ListUnmatched => deliveries::unmatched(&request).await,
        Fleet => Ok(fleet::shown(&request)),
        ListOptOuts => opt_outs::list(&request).await,
        CreateOptOut => opt_outs::create(&mut request).await,
        GetOptOut(id) => opt_outs::get(&request, id).await,
        DeleteOptOut(id) => opt_outs::delete(&request, id).await,
        ListSchedules => schedules::list(&request).await,
        CreateSchedule => schedules::create(&mut request).await,
        GetSchedule(id) => schedules::get(&request, id).await,
        EditSchedule(id) => schedules::edit(&mut request, id).await,
        DeleteSchedule(id) => schedules::delete(&request, id).await,
        PauseSchedule(id, paused) => schedules::pause(&request, id, paused).await,
        ListGroups => groups::list(&request).await,
        GetGroup(name) => groups::get(&request, name).await,
        PutGroup(name) => groups::put(&request, name).await,
        DeleteGroup(name) => groups::delete(&request, name).await,
        ListMembers(name) => groups::members(&request, name).await,
        AddMembers(name) => groups::add(&mut request, name).await,
        GetMember(name, number) => groups::member(&request, name, number).await,
        PutMember(name, number) => groups::put_member(&request, name, number).await,
        DeleteMember(name, number) => groups::remove(&request, name, number).await,
        Live | Ready | Metrics | OpenApi | Docs | ErrorDocs => pages::show(request.state, request.parts, operation),
    }
}

/// Polls `work`; a panic in it is the problem `internal`.
fn unpanicked(
    mut work: Pin<&mut impl Future<Output = Result<Reply, Problem>>>,
) -> impl Future<Output = Result<Reply, Problem>> {
    std::future::poll_fn(move |context| {
        // What a panic leaves behind is dropped with the request and not looked at again.
        match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
            Ok(poll) => poll,
            Err(_) => Poll::Ready(Err(Problem::new(&catalogue::INTERNAL))),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_becomes_a_problem() {
        let problem = unpanicked(pin!(async { panic!("on purpose") })).await.unwrap_err();
        assert_eq!(problem.entry.code, "internal");
    }
}
