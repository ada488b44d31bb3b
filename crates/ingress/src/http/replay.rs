//! `/v1/routes/replay`: what a draft of routes would change for messages of a period.

use engine::EditError;
use engine::replay::{Became, Changed, REPLAY_MAX, ReplayError, ReplayPeriod, Replayed, replay};
use model::Timestamp;
use model::form;
use model::resources::{Amount, Money, Pool, Route};
use model::submission::Fault;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::json;
use super::problem::Problem;
use super::reply::Reply;
use super::request::Request;
use super::resources::{invalid, object_fault};

/// Messages that are replayed if nobody says how many; the most that are in one request.
pub const LIMIT: u64 = 10_000;
/// The most messages of one request: what takes longer is for the command line.
pub const LIMIT_MAX: u64 = 100_000;
/// Differences told one by one if nobody says how many.
pub const DIFFERENCES: u64 = 20;
/// The most of them.
pub const DIFFERENCES_MAX: u64 = 1000;

const DAY_SECONDS: i64 = 86_400;

/// What to replay.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplayRequest {
    routes: Vec<Route>,
    #[serde(default)]
    pools: Option<Vec<Pool>>,
    #[serde(default)]
    since: Option<Timestamp>,
    #[serde(default)]
    until: Option<Timestamp>,
    #[serde(default, deserialize_with = "form::integer_or_null")]
    limit: Option<u64>,
    #[serde(default, deserialize_with = "form::integer_or_null")]
    differences: Option<u64>,
}

/// What would change, as it is answered and as the command line prints it.
#[derive(Debug, Serialize)]
pub struct Report {
    messages: u64,
    changed: u64,
    passed_over: u64,
    complete: bool,
    outcomes: Vec<Count>,
    connectors: Vec<Count>,
    routes: Vec<Count>,
    prices: Vec<Price>,
    differences: Vec<Difference>,
}

#[derive(Debug, Serialize)]
struct Count {
    id: String,
    before: u64,
    after: u64,
}

#[derive(Debug, Serialize)]
struct Price {
    currency: String,
    before: Amount,
    after: Amount,
}

#[derive(Debug, Serialize)]
struct Difference {
    id: String,
    to: Box<str>,
    from: Box<str>,
    before: Side,
    after: Side,
}

#[derive(Debug, Serialize)]
struct Side {
    outcome: &'static str,
    route: Option<String>,
    connectors: Vec<String>,
    price: Option<Money>,
    sent_to: Box<str>,
    sent_from: Box<str>,
}

/// `POST /v1/routes/replay`.
pub(super) async fn answer(request: &mut Request<'_>) -> Result<Reply, Problem> {
    let body = request.json_body().await?;
    let mut fields: Map<String, Value> = json::parse(&body)?;
    for list in ["routes", "pools"] {
        let entries = fields.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
        for (n, entry) in entries.enumerate() {
            json::whole_numbers(entry);
            if let Some(pointer) = object_fault(entry) {
                return Err(invalid(Fault::new(format!("/{list}/{n}{pointer}"), "must be an object")));
            }
        }
    }
    let asked: ReplayRequest =
        serde_path_to_error::deserialize(Value::Object(fields)).map_err(|error| invalid(json::fault_of(&error)))?;
    let within = |pointer, value: Option<u64>, default, most| match value.unwrap_or(default) {
        value if value > most => Err(invalid(Fault::new(pointer, format!("must be 0 to {most}")))),
        value => Ok(usize::try_from(value).unwrap_or(REPLAY_MAX)),
    };
    let engine = request.engine();
    let now = engine.now();
    let period = ReplayPeriod {
        since: asked.since.unwrap_or(now.plus_seconds(-DAY_SECONDS)),
        until: asked.until.unwrap_or(now),
        limit: within("/limit", asked.limit, LIMIT, LIMIT_MAX)?,
        differences: within("/differences", asked.differences, DIFFERENCES, DIFFERENCES_MAX)?,
    };
    let mut draft = engine.world().set.clone();
    draft.routes = asked.routes;
    for (n, route) in draft.routes.iter_mut().enumerate().filter(|(_, route)| route.order == 0) {
        route.order = n as i64;
    }
    draft.pools = asked.pools.unwrap_or(draft.pools);
    match replay(&**engine.store(), &draft, period).await {
        Ok(report) => Ok(Reply::ok(&Report::from(report))),
        Err(ReplayError::Faults(faults)) => Err(EditError::Faults(faults).into()),
        Err(ReplayError::Store(error)) => Err(error.into()),
    }
}

impl From<Replayed> for Report {
    fn from(report: Replayed) -> Self {
        let counts = |id: String, (before, after): (u64, u64)| Count { id, before, after };
        let amount = |micros: i128| Amount::from_micros(i64::try_from(micros).unwrap_or(i64::MAX));
        let prices = report.prices.into_iter();
        Self {
            messages: report.messages,
            changed: report.changed,
            passed_over: report.passed_over,
            complete: report.complete,
            outcomes: report.outcomes.into_iter().map(|(id, n)| counts(id.to_owned(), n)).collect(),
            connectors: report.connectors.into_iter().map(|(id, n)| counts(id.to_string(), n)).collect(),
            routes: report.routes.into_iter().map(|(id, n)| counts(id.to_string(), n)).collect(),
            prices: prices
                .map(|(currency, (before, after))| Price { currency, before: amount(before), after: amount(after) })
                .collect(),
            differences: report.differences.into_iter().map(Difference::from).collect(),
        }
    }
}

impl From<Changed> for Difference {
    fn from(changed: Changed) -> Self {
        let Changed { message, to, from, before, after } = changed;
        Self { id: message.to_string(), to, from, before: before.into(), after: after.into() }
    }
}

impl From<Became> for Side {
    fn from(became: Became) -> Self {
        let Became { outcome, route, connectors, price, sent_to, sent_from } = became;
        let route = route.map(|route| route.to_string());
        let connectors = connectors.iter().map(ToString::to_string).collect();
        Self { outcome, route, connectors, price, sent_to, sent_from }
    }
}
