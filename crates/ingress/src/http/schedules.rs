//! `/v1/schedules`: messages that are sent again and again.

use std::sync::Arc;

use engine::{Accepted, Answer, ScheduleError};
use hyper::StatusCode;
use model::recurring::{IfMissed, NewSchedule, OccurrenceRefused, ScheduleEdit};
use model::{BatchId, MessageId, Name, Schedule, ScheduleId, ScheduleState, Timestamp};
use serde::Serialize;
use serde_json::value::RawValue;
use store::ScheduleFilter;

use super::json;
use super::messages::{Made, account_of, made};
use super::problem::{Problem, catalogue};
use super::reply::Reply;
use super::request::Request;

#[derive(Serialize)]
struct Page<'a> {
    data: Vec<Shown<'a>>,
    next_cursor: Option<ScheduleId>,
}

#[derive(Serialize)]
struct Shown<'a> {
    id: ScheduleId,
    account: &'a Name,
    name: Option<&'a str>,
    state: &'static str,
    repeat: &'a str,
    time_zone: &'a str,
    starts_at: Timestamp,
    ends_at: Option<Timestamp>,
    count: Option<u64>,
    if_missed: IfMissed,
    message_count: u32,
    /// Only where one schedule is asked for: they may be long.
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<Box<RawValue>>,
    created_at: Timestamp,
    ended_at: Option<Timestamp>,
    next_at: Option<Timestamp>,
    times: u64,
    refused: u64,
    skipped: u64,
    last_at: Option<Timestamp>,
    last_batch: Option<BatchId>,
    last_message: Option<MessageId>,
    last_refusal: Option<&'a OccurrenceRefused>,
}

impl<'a> From<&'a Schedule> for Shown<'a> {
    fn from(schedule: &'a Schedule) -> Self {
        let Schedule { id, account, revision: _, due: _, ended_at, terms, course } = schedule;
        Self {
            id: *id,
            account,
            name: terms.name.as_deref(),
            state: schedule.state().as_str(),
            repeat: &terms.repeat,
            time_zone: &terms.time_zone,
            starts_at: terms.starts_at,
            ends_at: terms.ends_at,
            count: terms.count,
            if_missed: terms.if_missed,
            message_count: terms.size,
            messages: None,
            created_at: course.created_at,
            ended_at: *ended_at,
            next_at: course.next_at,
            times: course.times,
            refused: course.refused,
            skipped: course.skipped,
            last_at: course.last_at,
            last_batch: course.last_batch,
            last_message: course.last_message,
            last_refusal: course.last_refusal.as_ref(),
        }
    }
}

/// `POST /v1/schedules`.
pub(super) async fn create(request: &mut Request<'_>) -> Result<Reply, Problem> {
    let body = request.json_body().await?;
    let asked: NewSchedule = json::parse(&body)?;
    let idempotency = request.idempotency(&body)?;
    let mut text = String::new();
    let render = |schedule: &Schedule| -> Answer {
        text = serde_json::to_string(&Shown::from(schedule)).expect("ids, times and strings are always JSON");
        (StatusCode::CREATED.as_u16(), Arc::from(text.as_str()))
    };
    let at = |id: ScheduleId| format!("/v1/schedules/{id}");
    Ok(match request.engine().make_schedule(request.caller, asked, idempotency, render).await? {
        Accepted::New(schedule, _) => Reply::json_text(StatusCode::CREATED, text).at(at(schedule.id)),
        Accepted::Replayed((status, body)) => {
            let first: Made<ScheduleId> = made(&body)?;
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::CREATED);
            Reply::json_text(status, body.to_string()).at(at(first.id)).replayed()
        }
    })
}

/// `GET /v1/schedules`.
pub(super) async fn list(request: &Request<'_>) -> Result<Reply, Problem> {
    let query = request.query(&["account", "state", "limit", "cursor"])?;
    let filter = ScheduleFilter {
        account: account_of(&query, request)?,
        state: query.read_with("state", "active, paused or ended", ScheduleState::from_word)?,
        id: None,
    };
    let limit = query.limit()?;
    let found = request.engine().schedules(request.caller, filter, query.cursor()?, limit).await?;
    let next_cursor = found.last().filter(|_| found.len() == limit).map(|last| last.id);
    Ok(Reply::ok(&Page { data: found.iter().map(Shown::from).collect(), next_cursor }))
}

/// `GET /v1/schedules/{id}`.
pub(super) async fn get(request: &Request<'_>, id: &str) -> Result<Reply, Problem> {
    let (schedule, messages) = request.engine().schedule(request.caller, id_of(id)?).await?;
    let messages = RawValue::from_string(messages.to_string()).map_err(|error| {
        tracing::error!(%error, schedule = %schedule.id, "the messages of a schedule can't be read");
        Problem::new(&catalogue::INTERNAL)
    })?;
    Ok(Reply::ok(&Shown { messages: Some(messages), ..Shown::from(&schedule) }))
}

/// `PATCH /v1/schedules/{id}`.
pub(super) async fn edit(request: &mut Request<'_>, id: &str) -> Result<Reply, Problem> {
    let id = id_of(id)?;
    let body = request.json_body().await?;
    let edit: ScheduleEdit = json::parse(&body)?;
    Ok(Reply::ok(&Shown::from(&request.engine().edit_schedule(request.caller, id, edit).await?)))
}

/// `POST /v1/schedules/{id}/pause` and `/resume`.
pub(super) async fn pause(request: &Request<'_>, id: &str, paused: bool) -> Result<Reply, Problem> {
    Ok(Reply::ok(&Shown::from(&request.engine().pause_schedule(request.caller, id_of(id)?, paused).await?)))
}

/// `DELETE /v1/schedules/{id}`.
pub(super) async fn delete(request: &Request<'_>, id: &str) -> Result<Reply, Problem> {
    request.engine().delete_schedule(request.caller, id_of(id)?).await?;
    Ok(Reply::no_content())
}

/// An id of a path. What is no id names nothing.
fn id_of(text: &str) -> Result<ScheduleId, Problem> {
    text.parse().map_err(|_| ScheduleError::NoSuchSchedule.into())
}
