//! `/v1/explain`: what would become of a message, and why, without sending it.

use engine::{ConnectorTried, Explanation, PolicyOutcome, PolicyTried, Refusal, RouteTried, render};
use model::message::Ingress;
use model::resources::Money;
use model::submission::Fault;
use model::{Message, Submission, Timestamp};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::connectors::Health;
use super::json;
use super::problem::{Problem, catalogue};
use super::reply::Reply;
use super::request::Request;
use super::resources::invalid;

#[derive(Serialize)]
struct Explained {
    account: String,
    outcome: &'static str,
    policy: Option<Policy>,
    routes: Vec<Route>,
    connectors: Vec<Connector>,
    due_at: Option<Timestamp>,
    quiet_hours_of: Vec<Box<str>>,
    paced_until: Option<Timestamp>,
    message: Option<Box<RawValue>>,
    copies: Vec<Box<RawValue>>,
    problem: Option<Box<RawValue>>,
}

#[derive(Serialize)]
struct Policy {
    account: String,
    outcome: &'static str,
    milliseconds: Option<f64>,
    detail: Option<String>,
}

#[derive(Serialize)]
struct Route {
    route: String,
    action: &'static str,
    matches: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    against: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wanted: Option<Value>,
}

#[derive(Serialize)]
struct Connector {
    connector: String,
    usable: bool,
    health: Health,
    queued: u64,
    wait_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<Money>,
}

/// `POST /v1/explain`.
pub(super) async fn answer(request: &mut Request<'_>) -> Result<Reply, Problem> {
    let body = request.json_body().await?;
    let mut fields: Map<String, Value> = json::parse(&body)?;
    let account = fields.remove("account").unwrap_or_default();
    let ingress = fields.remove("ingress").unwrap_or_default();
    let ask = match fields.remove("ask").unwrap_or_default() {
        Value::Null => false,
        Value::Bool(ask) => ask,
        _ => return Err(invalid(Fault::new("/ask", "must be true or false"))),
    };
    let given = |field: &str| fields.get(field).is_some_and(|value| !value.is_null());
    if !given("text") && !given("binary") {
        fields.insert("text".into(), "".into());
    }
    let mut submission: Submission = json::parse(Value::Object(fields).to_string().as_bytes())?;
    submission.ingress = ingress_of(&ingress)?;
    let engine = request.engine();
    let account = match &account {
        Value::Null => request.caller.account.clone(),
        Value::String(id) if **id == *request.caller.account.id => request.caller.account.clone(),
        Value::String(_) if !request.caller.is_admin() => {
            return Err(Problem::new(&catalogue::SCOPE_MISSING).detail("other accounts take the scope admin"));
        }
        Value::String(id) => {
            let unknown = || invalid(Fault::new("/account", format!("there is no account {id:?}")));
            engine.world().account(id).cloned().ok_or_else(unknown)?
        }
        _ => return Err(invalid(Fault::new("/account", "must be a string"))),
    };
    let explanation = Box::pin(engine.explain(&account, submission, ask)).await;
    match explanation.outcome {
        // As with a message that is sent.
        Err(Refusal::Invalid(faults)) => Err(Refusal::Invalid(faults).into()),
        _ => Ok(Reply::ok(&explained(&account.id, explanation))),
    }
}

fn ingress_of(value: &Value) -> Result<Ingress, Problem> {
    let known = |word: &str| Ingress::ALL.into_iter().find(|ingress| ingress.as_str() == word);
    match value {
        Value::Null => Ok(Ingress::Http),
        Value::String(word) => known(word).ok_or_else(|| {
            let all = Ingress::ALL.map(Ingress::as_str).join(", ");
            invalid(Fault::new("/ingress", format!("must be one of {all}")))
        }),
        _ => Err(invalid(Fault::new("/ingress", "must be a string"))),
    }
}

fn explained(account: &str, explanation: Explanation) -> Explained {
    let routes = explanation.routes.into_iter().map(Route::from).collect();
    let connectors = explanation.connectors.into_iter().map(Connector::from).collect();
    let explained = Explained {
        account: account.to_owned(),
        outcome: "refuse",
        policy: explanation.policy.map(Policy::from),
        routes,
        connectors,
        due_at: None,
        quiet_hours_of: explanation.quiet_clocks,
        paced_until: explanation.paced_until,
        message: None,
        copies: Vec::new(),
        problem: None,
    };
    match explanation.outcome {
        Ok((message, copies)) => Explained {
            outcome: if message.progress.connector.is_some() { "send" } else { "drop" },
            due_at: message.progress.due,
            message: Some(shown(&message)),
            copies: copies.iter().map(shown).collect(),
            ..explained
        },
        Err(refusal) => Explained { problem: Some(raw(Problem::from(refusal).to_json(None))), ..explained },
    }
}

fn shown(message: &Message) -> Box<RawValue> {
    let mut text = String::new();
    render::message_json(message, &mut text);
    raw(text)
}

fn raw(text: String) -> Box<RawValue> {
    RawValue::from_string(text).expect("it was written as JSON")
}

impl From<PolicyTried> for Policy {
    fn from(tried: PolicyTried) -> Self {
        let asked = match tried {
            PolicyTried::NotAsked(account) => {
                let detail = Some("it would be asked; `ask` does so".to_owned());
                return Self { account: account.to_string(), outcome: "not_asked", milliseconds: None, detail };
            }
            PolicyTried::Asked(asked) => asked,
        };
        let (outcome, milliseconds) = (asked.outcome.word(), Some(asked.took.as_secs_f64() * 1000.0));
        let detail = match asked.outcome {
            PolicyOutcome::Answered(answer) | PolicyOutcome::Cached(answer) => Some(answer.told()),
            PolicyOutcome::Failed(why) => Some(why),
            PolicyOutcome::Skipped => Some("it has failed again and again, and is left alone for a while".to_owned()),
            PolicyOutcome::Crowded => Some("there was no turn for this question within its time".to_owned()),
        };
        Self { account: asked.owner.to_string(), outcome, milliseconds, detail }
    }
}

impl From<RouteTried> for Route {
    fn from(tried: RouteTried) -> Self {
        let RouteTried { route, action, against, wanted } = tried;
        Self { route: route.to_string(), action, matches: against.is_none(), against, wanted }
    }
}

impl From<ConnectorTried> for Connector {
    fn from(tried: ConnectorTried) -> Self {
        let ConnectorTried { connector, usable, health, queued, wait, weight, priority, cost } = tried;
        let wait_seconds = wait.map(|wait| wait.as_secs_f64());
        let health = health.into();
        Self { connector: connector.to_string(), usable, health, queued, wait_seconds, weight, priority, cost }
    }
}
