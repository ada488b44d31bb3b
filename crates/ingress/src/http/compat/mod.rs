//! What is served beside the API: the calls of providers ([`carrier`]), and the interfaces of other gateways: applications that were written for Kannel, Jasmin or Ozeki work
//! when only the address changes. Each is what it was to its applications: paths, parameters, answers
//! and their codes. What becomes of messages is the engine's business, as for every other ingress.
//!
//! [`exchange`] is one request and who makes it; [`fields`] reads forms; [`charset`] reads texts.
//! [`kannel`], [`jasmin`] and [`ozeki`] each lead from a request to submissions, and from what became of
//! these to the answer. Receipts and incoming messages go the other way as deliveries
//! (`engine::notify`).

mod carrier;
mod exchange;
mod fields;
mod jasmin;
mod kannel;
mod ozeki;

use std::borrow::Cow;

use crate::charset;
use hyper::Method;
use hyper::http::request::Parts;

use super::problem::{Problem, catalogue};
use super::reply::Reply;
use super::settings::Interfaces;

pub(super) use exchange::Exchange;

/// What a request asks another gateway's interface for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// Kannel's `/cgi-bin/sendsms`.
    Sendsms,
    /// Any other path where nothing but Kannel's interface is served.
    KannelUnknown,
    /// Jasmin's `/send`.
    JasminSend,
    /// Jasmin's `/rate`.
    JasminRate,
    /// Jasmin's `/balance`.
    JasminBalance,
    /// Jasmin's `/ping`.
    JasminPing,
    /// `/secure/send` of Jasmin's REST API.
    RestSend,
    /// `/secure/sendbatch`
    RestBatch,
    /// `/secure/rate`
    RestRate,
    /// `/secure/balance`
    RestBalance,
    /// `/ping` where Jasmin's REST API alone is served.
    RestPing,
    /// Ozeki's `/api`.
    Ozeki,
    /// A provider's call under `/carriers`.
    Carrier,
}

/// Finds what a request asks for, if one of `interfaces` knows its path.
pub(super) fn find(interfaces: &Interfaces, path: &str) -> Option<Call> {
    match path {
        "/cgi-bin/sendsms" | "/sendsms" if interfaces.kannel => Some(Call::Sendsms),
        "/send" if interfaces.jasmin => Some(Call::JasminSend),
        "/rate" if interfaces.jasmin => Some(Call::JasminRate),
        "/balance" if interfaces.jasmin => Some(Call::JasminBalance),
        "/ping" if interfaces.jasmin => Some(Call::JasminPing),
        "/ping" if interfaces.jasmin_rest => Some(Call::RestPing),
        "/secure/send" if interfaces.jasmin_rest => Some(Call::RestSend),
        "/secure/sendbatch" if interfaces.jasmin_rest => Some(Call::RestBatch),
        "/secure/rate" if interfaces.jasmin_rest => Some(Call::RestRate),
        "/secure/balance" if interfaces.jasmin_rest => Some(Call::RestBalance),
        "/api" if interfaces.ozeki => Some(Call::Ozeki),
        path if interfaces.api && path.starts_with(carrier::PREFIX) => Some(Call::Carrier),
        _ if interfaces.only_kannel() => Some(Call::KannelUnknown),
        _ => None,
    }
}

/// A path as logs show it: what only a provider and we know is left out.
pub(super) fn shown(path: &str) -> Cow<'_, str> {
    let connector = path.strip_prefix(carrier::PREFIX).and_then(|rest| rest.split_once('/'));
    connector.map_or(path.into(), |(connector, _)| format!("{}{connector}/…", carrier::PREFIX).into())
}

impl Call {
    /// The path, for metrics.
    pub(super) fn path(self) -> &'static str {
        match self {
            Call::Sendsms => "/cgi-bin/sendsms",
            Call::KannelUnknown => super::metrics::NO_ROUTE,
            Call::JasminSend => "/send",
            Call::JasminRate => "/rate",
            Call::JasminBalance => "/balance",
            Call::JasminPing | Call::RestPing => "/ping",
            Call::RestSend => "/secure/send",
            Call::RestBatch => "/secure/sendbatch",
            Call::RestRate => "/secure/rate",
            Call::RestBalance => "/secure/balance",
            Call::Ozeki => "/api",
            Call::Carrier => "/carriers/{connector}/{secret}",
        }
    }

    fn allows(self, method: &Method) -> Result<(), &'static str> {
        let (allow, allowed) = match self {
            Call::Sendsms
            | Call::JasminSend
            | Call::JasminRate
            | Call::JasminBalance
            | Call::JasminPing
            | Call::Ozeki
            | Call::Carrier => ("GET, POST", matches!(*method, Method::GET | Method::POST)),
            Call::RestSend | Call::RestBatch => ("POST", *method == Method::POST),
            Call::RestRate | Call::RestBalance | Call::RestPing => ("GET", *method == Method::GET),
            Call::KannelUnknown => ("", true),
        };
        if allowed { Ok(()) } else { Err(allow) }
    }
}

/// Answers a request. A problem is only what the other gateways have no words for.
pub(super) async fn run(call: Call, parts: &Parts, exchange: Exchange<'_>) -> Result<Reply, Problem> {
    if let Err(allow) = call.allows(&parts.method) {
        let mut problem = Problem::new(&catalogue::METHOD_NOT_ALLOWED).detail(format!("use {allow}"));
        problem.allow = Some(allow);
        return Err(problem);
    }
    match call {
        Call::Sendsms => kannel::sendsms(exchange).await,
        Call::KannelUnknown => Ok(kannel::unknown()),
        Call::JasminSend => jasmin::send(exchange).await,
        Call::JasminRate => jasmin::rate(exchange).await,
        Call::JasminBalance => jasmin::balance(exchange).await,
        Call::JasminPing => Ok(jasmin::ping()),
        Call::RestSend => jasmin::rest_send(exchange).await,
        Call::RestBatch => jasmin::send_batch(exchange).await,
        Call::RestRate => Ok(jasmin::rest_rate(exchange).await),
        Call::RestBalance => Ok(jasmin::rest_balance(exchange).await),
        Call::RestPing => Ok(jasmin::rest_ping()),
        Call::Ozeki => ozeki::api(exchange).await,
        Call::Carrier => carrier::call(exchange).await,
    }
}
