//! What everybody may see: probes, metrics, the OpenAPI document and pages for people.

use hyper::http::request::Parts;

use super::problem::{Problem, catalogue};
use super::reply::Reply;
use super::route::Operation;
use super::service::State;

/// A page to try the API; nothing in it comes from elsewhere.
const DOCS: &str = include_str!("docs.html");
const HTML: &str = "text/html; charset=utf-8";
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Shows the page that `operation` means.
pub(super) fn show(state: &State, parts: &Parts, operation: Operation<'_>) -> Result<Reply, Problem> {
    match operation {
        Operation::Live => Ok(alive()),
        Operation::Ready => ready(state),
        Operation::Metrics => Ok(Reply::page(OPENMETRICS, state.engine.metrics_text())),
        Operation::OpenApi => Ok(Reply::page(super::reply::JSON, state.openapi.clone())),
        Operation::Docs => Ok(Reply::page(HTML, DOCS)),
        Operation::ErrorDocs => Ok(Reply::page(HTML, catalogue::html())),
        _ => Err(Problem::new(&catalogue::NOT_FOUND).detail(format!("{} is no page", parts.uri.path()))),
    }
}

fn alive() -> Reply {
    Reply::json_text(hyper::StatusCode::OK, r#"{"status":"ok"}"#)
}

/// Ready is who can accept messages. A carrier that is down does not matter: messages wait.
fn ready(state: &State) -> Result<Reply, Problem> {
    let health = state.engine.health().borrow().clone();
    match health.store {
        _ if health.draining => Err(Problem::new(&catalogue::DRAINING)),
        Some(_) => Err(Problem::new(&catalogue::STORE_UNAVAILABLE)),
        None => Ok(alive()),
    }
}
