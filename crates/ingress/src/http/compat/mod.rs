//! The interfaces of other gateways: applications that were written for Kannel, Jasmin or Ozeki work
//! when only the address changes. Each is what it was to its applications: paths, parameters, answers
//! and their codes. What becomes of messages is the engine's business, as for every other ingress.
//!
//! [`exchange`] is one request and who makes it; [`fields`] reads forms; [`charset`] reads texts.
//! [`kannel`], [`jasmin`] and [`ozeki`] each lead from a request to submissions, and from what became of
//! these to the answer. Receipts and incoming messages go the other way as deliveries
//! (`engine::notify`).

mod charset;
mod exchange;
mod fields;
mod kannel;

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
}

/// Finds what a request asks for, if one of `interfaces` knows its path.
pub(super) fn find(interfaces: &Interfaces, path: &str) -> Option<Call> {
    match path {
        "/cgi-bin/sendsms" | "/sendsms" if interfaces.kannel => Some(Call::Sendsms),
        _ if interfaces.only_kannel() => Some(Call::KannelUnknown),
        _ => None,
    }
}

impl Call {
    /// The path, for metrics.
    pub(super) fn path(self) -> &'static str {
        match self {
            Call::Sendsms => "/cgi-bin/sendsms",
            Call::KannelUnknown => super::metrics::NO_ROUTE,
        }
    }

    fn allows(self, method: &Method) -> Result<(), &'static str> {
        let (allow, allowed) = match self {
            Call::Sendsms => ("GET, POST", matches!(*method, Method::GET | Method::POST)),
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
    }
}
