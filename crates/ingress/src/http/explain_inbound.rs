//! `/v1/explain-inbound`: what would become of a message from a phone, and why, without one.

use engine::{GroupExplained, InboundQuestion, InboundResponse, InboundTaken, RuleTried, render};
use hyper::StatusCode;
use model::submission::Fault;
use model::{Address, CallbackStyle, GroupAction, Message};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::json;
use super::problem::Problem;
use super::reply::Reply;
use super::request::Request;
use super::resources::invalid;

/// Most characters of a text that is asked about.
const TEXT_MAX: usize = 10_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default)]
    connector: Option<String>,
    from: String,
    to: String,
    #[serde(default)]
    text: Option<String>,
}

#[derive(Serialize)]
struct Explained {
    outcome: &'static str,
    rules: Vec<Rule>,
    rule: Option<String>,
    account: Option<String>,
    word: Option<&'static str>,
    deliveries: Vec<Delivery>,
    answers: bool,
    responses: Vec<Response>,
    group: Option<Group>,
}

#[derive(Serialize)]
struct Group {
    name: String,
    action: GroupAction,
    members: Option<u64>,
    is_member: bool,
    recipients: u64,
    text: Option<String>,
    outcome: &'static str,
    reason: Option<String>,
}

#[derive(Serialize)]
struct Rule {
    rule: String,
    matches: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    against: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wanted: Option<Value>,
}

#[derive(Serialize)]
struct Delivery {
    endpoint: String,
    style: CallbackStyle,
}

#[derive(Serialize)]
struct Response {
    action: &'static str,
    to: String,
    text: Option<String>,
    outcome: &'static str,
    reason: Option<String>,
    message: Option<Box<RawValue>>,
    problem: Option<Box<RawValue>>,
}

/// `POST /v1/explain-inbound`.
pub(super) async fn answer(request: &mut Request<'_>) -> Result<Reply, Problem> {
    let body = request.json_body().await?;
    let asked: Asked = json::parse(&body)?;
    let engine = request.engine();
    let connector = asked.connector.unwrap_or_default();
    if !connector.is_empty() && engine.world().connector(&connector).is_none() {
        return Err(invalid(Fault::new("/connector", format!("there is no connector {connector:?}"))));
    }
    if asked.text.as_ref().is_some_and(|text| text.chars().count() > TEXT_MAX) {
        return Err(invalid(Fault::new("/text", format!("is longer than {TEXT_MAX} characters"))));
    }
    let (from, to) = (address("/from", &asked.from)?, address("/to", &asked.to)?);
    let question = InboundQuestion { connector: connector.into(), from, to, text: asked.text };
    let explanation = engine.explain_inbound(&question).await?;
    let mut explained = Explained {
        outcome: "none",
        rules: explanation.rules.into_iter().map(Rule::from).collect(),
        rule: None,
        account: None,
        word: None,
        deliveries: Vec::new(),
        answers: false,
        responses: Vec::new(),
        group: None,
    };
    if let Some(InboundTaken { rule, account, word, deliveries, answers, responses, group }) = explanation.taken {
        let delivery = |(endpoint, style): (model::Name, _)| Delivery { endpoint: endpoint.to_string(), style };
        explained = Explained {
            outcome: "take",
            rule: Some(rule.to_string()),
            account: Some(account.to_string()),
            word,
            deliveries: deliveries.into_iter().map(delivery).collect(),
            answers,
            responses: responses.into_iter().map(Response::from).collect(),
            group: group.map(Group::from),
            ..explained
        };
    }
    Ok(Reply::json(StatusCode::OK, &explained))
}

/// A number or a name, as phones and networks have them.
fn address(pointer: &str, text: &str) -> Result<Address, Problem> {
    Address::sender(text, None).map_err(|error| invalid(Fault::new(pointer, error.to_string())))
}

impl From<RuleTried> for Rule {
    fn from(tried: RuleTried) -> Self {
        let RuleTried { rule, against, wanted } = tried;
        Self { rule: rule.to_string(), matches: against.is_none(), against, wanted }
    }
}

impl From<GroupExplained> for Group {
    fn from(explained: GroupExplained) -> Self {
        let GroupExplained { name, action, members, is_member, recipients, text, held_back } = explained;
        let outcome = if held_back.is_some() { "hold_back" } else { "do" };
        Self { name, action, members, is_member, recipients, text, outcome, reason: held_back }
    }
}

impl From<InboundResponse> for Response {
    fn from(response: InboundResponse) -> Self {
        let InboundResponse { action, to, text, held_back, outcome } = response;
        let shown = |message: &Message| {
            let mut text = String::new();
            render::message_json(message, &mut text);
            raw(text)
        };
        let (outcome, message, problem) = match outcome {
            None => ("hold_back", None, None),
            Some(Ok(message)) if message.progress.connector.is_some() => ("send", Some(shown(&message)), None),
            Some(Ok(message)) => ("drop", Some(shown(&message)), None),
            Some(Err(refusal)) => ("refuse", None, Some(raw(Problem::from(refusal).to_json(None)))),
        };
        Self { action, to: to.to_string(), text, outcome, reason: held_back, message, problem }
    }
}

fn raw(text: String) -> Box<RawValue> {
    RawValue::from_string(text).expect("what is rendered is JSON")
}
