//! `/v1/connectors`: settings with where each connector stands, and starting and stopping.

use engine::dispatch::{Desired, ModemView, SessionState, SmscAnswer, SmscOutcome, SmscView, UssdTold};
use engine::{ConnectorStatus, HealthView};
use model::Timestamp;
use model::resources::{Connector, Kind};
use serde::{Deserialize, Serialize};

use super::json;
use super::problem::Problem;
use super::redact;
use super::reply::Reply;
use super::request::Request;
use super::resources::{Listed, missing, put_reply};
use super::route::Want;

/// A connector's settings with its status.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    settings: Connector,
    status: Status,
}

#[derive(Serialize)]
struct Status {
    desired: &'static str,
    state: &'static str,
    sessions: Vec<Session>,
    paused: Option<Box<str>>,
    queued: u64,
    health: Health,
    modem: Option<Modem>,
    smsc: Option<Smsc>,
    receipt_ids: std::collections::BTreeMap<&'static str, u64>,
}

/// How well a connector does.
#[derive(Serialize)]
pub(super) struct Health {
    state: &'static str,
    share: u16,
    reason: Option<Box<str>>,
    error_percent: Option<u8>,
    delivered_percent: Option<u8>,
}

/// What a modem tells of itself.
#[derive(Serialize)]
struct Modem {
    maker: Option<String>,
    model: Option<String>,
    revision: Option<String>,
    imei: Option<String>,
    number: Option<String>,
    operator: Option<String>,
    registration: &'static str,
    signal_dbm: Option<i16>,
    smsc: Option<String>,
    stored: Option<u16>,
    places: Option<u16>,
    pdu_mode: bool,
}

/// What an SMSC has answered to what a session has set and asked for.
#[derive(Serialize)]
struct Smsc {
    at: String,
    answers: Vec<SmscParameter>,
}

#[derive(Serialize)]
struct SmscParameter {
    operation: &'static str,
    parameter: u16,
    name: Option<&'static str>,
    state: &'static str,
    value: Option<String>,
    error: Option<String>,
}

impl From<&SmscView> for Smsc {
    fn from(view: &SmscView) -> Self {
        let parameter = |answer: &SmscAnswer| {
            let SmscAnswer { operation, parameter, name, outcome } = answer.clone();
            let (state, value, error) = match outcome {
                SmscOutcome::Is(value) => ("answered", Some(value), None),
                SmscOutcome::Refused(error) => ("refused", None, Some(error)),
                SmscOutcome::Unanswered => ("unanswered", None, None),
            };
            SmscParameter { operation, parameter, name, state, value, error }
        };
        Self { at: view.at.to_string(), answers: view.answers.iter().map(parameter).collect() }
    }
}

/// A question to the network by USSD.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    code: String,
}

#[derive(Serialize)]
struct Told {
    state: &'static str,
    text: String,
}

#[derive(Serialize)]
struct Session {
    session: u16,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_at: Option<Timestamp>,
}

/// `GET /v1/connectors`.
pub(super) async fn list(request: &Request<'_>) -> Result<Reply, Problem> {
    let data: Vec<Shown> = request.engine().connectors().await?.into_iter().map(Shown::from).collect();
    Ok(Reply::ok(&Listed { data }))
}

/// `GET /v1/connectors/{id}`.
pub(super) async fn get(request: &Request<'_>, id: &str) -> Result<Reply, Problem> {
    Ok(Reply::ok(&find(request, id).await?))
}

/// `POST /v1/connectors/{id}/start`, `/stop`, `/drain`.
pub(super) async fn want(request: &Request<'_>, id: &str, want: Want) -> Result<Reply, Problem> {
    let desired = match want {
        Want::Start => Desired::Running,
        Want::Stop => Desired::Stopped,
        Want::Drain => Desired::Draining,
    };
    if !request.engine().want(id, desired) {
        return Err(missing(Kind::Connector, id));
    }
    get(request, id).await
}

/// `POST /v1/connectors/{id}/ussd`.
pub(super) async fn ussd(request: &mut Request<'_>, id: &str) -> Result<Reply, Problem> {
    let body = request.json_body().await?;
    let Wanted { code } = json::parse(&body)?;
    find(request, id).await?;
    let UssdTold { state, text } = request.engine().ussd(id, &code).await?;
    Ok(Reply::ok(&Told { state, text }))
}

/// The answer to a `PUT`.
pub(super) async fn shown_after_put(request: &Request<'_>, id: &str, is_new: bool) -> Result<Reply, Problem> {
    Ok(put_reply(is_new, "connectors", id, &find(request, id).await?))
}

async fn find(request: &Request<'_>, id: &str) -> Result<Shown, Problem> {
    let found = request.engine().connectors().await?.into_iter().find(|status| status.connector.id == id);
    found.map(Shown::from).ok_or_else(|| missing(Kind::Connector, id))
}

impl From<ConnectorStatus> for Shown {
    fn from(status: ConnectorStatus) -> Self {
        let sessions: Vec<Session> =
            status.sessions.into_iter().map(|view| Session::new(view.session, view.state)).collect();
        let any = |state: &str| sessions.iter().any(|session| session.state == state);
        let state = match status.desired {
            _ if any("bound") => "up",
            Desired::Stopped => "stopped",
            _ if any("connecting") || sessions.is_empty() => "connecting",
            _ => "down",
        };
        Self {
            settings: redact::connector(&status.connector),
            status: Status {
                desired: match status.desired {
                    Desired::Running => "running",
                    Desired::Draining => "draining",
                    Desired::Stopped => "stopped",
                },
                state,
                sessions,
                paused: status.paused,
                queued: status.queued,
                health: status.health.into(),
                modem: status.modem.map(|modem| Modem::from(*modem)),
                smsc: status.smsc.as_deref().map(Smsc::from),
                receipt_ids: status.receipt_ids.into_iter().collect(),
            },
        }
    }
}

impl From<ModemView> for Modem {
    fn from(view: ModemView) -> Self {
        Self {
            maker: view.maker,
            model: view.model,
            revision: view.revision,
            imei: view.imei,
            number: view.number,
            operator: view.operator,
            registration: view.registration,
            signal_dbm: view.signal_dbm,
            smsc: view.smsc,
            stored: view.store.map(|(stored, _)| stored),
            places: view.store.map(|(_, places)| places),
            pdu_mode: view.pdu_mode,
        }
    }
}

impl From<HealthView> for Health {
    fn from(view: HealthView) -> Self {
        let HealthView { state, share, reason, error_percent, delivered_percent } = view;
        Self { state, share, reason, error_percent, delivered_percent }
    }
}

impl Session {
    fn new(session: u16, state: SessionState) -> Self {
        let plain = Self { session, state: state.as_str(), since: None, reason: None, retry_at: None };
        match state {
            SessionState::Connecting => plain,
            SessionState::Bound { since } => Self { since: Some(since), ..plain },
            SessionState::Down { reason, retry_at } => Self { reason: Some(reason), retry_at, ..plain },
        }
    }
}
