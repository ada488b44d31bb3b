//! `/v1/batches`: many messages in one request, as JSON with defaults or one message a line.

use std::sync::Arc;

use engine::{
    Accepted, Answer, BATCH_MAX, BatchRefused, BatchTaken, BatchWish, Engine, GroupError, Idempotency, Refusal,
    UploadState,
};
use hyper::StatusCode;
use model::submission::Fault;
use model::{Address, BatchId, Submission};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use store::{Batch, BatchCounts, BatchPhase};

use super::draft::Draft;
use super::messages::{Made, made};
use super::problem::{Problem, catalogue, of_refusal};
use super::reply::Reply;
use super::request::{Media, Request};
use super::resources::invalid;
use super::{groups, json, stream};

/// A batch as JSON. The messages are read one by one, so that one which is wrong does not spoil
/// the others.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BatchBody<'a> {
    #[serde(default, deserialize_with = "model::form::object_or_null")]
    defaults: Option<Draft>,
    #[serde(borrow, default)]
    messages: Option<Vec<&'a RawValue>>,
    /// A group instead of messages: each member is sent one of the defaults.
    #[serde(default)]
    to_group: Option<String>,
}

/// The answer to a batch.
#[derive(Serialize)]
struct Taken {
    id: BatchId,
    lines: u64,
    accepted: u64,
    rejected_total: u64,
    rejected: Vec<Rejected>,
}

#[derive(Serialize)]
struct Rejected {
    index: u64,
    /// The member of a group.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    problem: Box<RawValue>,
}

/// A batch as it stands.
#[derive(Serialize)]
struct BatchState {
    id: BatchId,
    accepted: u64,
    rejected: u64,
    created_at: model::Timestamp,
    status: &'static str,
    upload: &'static str,
    lines: u64,
    finished_at: Option<model::Timestamp>,
    total: u64,
    done: u64,
    counts: std::collections::BTreeMap<&'static str, u64>,
}

/// `POST /v1/batches`.
pub(super) async fn send(request: &mut Request<'_>) -> Result<Reply, Problem> {
    if request.media()? == Media::Lines {
        // In a box, so that other batches need no room for it.
        return Box::pin(stream::send(request)).await;
    }
    let _room = request.state.batches.acquire().await;
    let body = request.body_up_to(request.state.settings.limits.batch_octets).await?;
    let idempotency = request.idempotency(&body)?;
    match from_json(&body)? {
        Asked::Messages(submissions) => take(request, submissions, &[], idempotency).await,
        Asked::Group(name, draft) => {
            let members = members_of(request, &name).await?;
            let each = Submission::from(*draft);
            let to_member = |to: &Address| Ok(Submission { to: to.to_string(), ..each.clone() });
            take(request, members.iter().map(to_member).collect(), &members, idempotency).await
        }
    }
}

/// Takes a batch that is here as a whole, in one commit. With `members` each message is for one of them.
pub(super) async fn take(
    request: &mut Request<'_>,
    submissions: Vec<Result<Submission, Fault>>,
    members: &[Address],
    idempotency: Option<Idempotency<'_>>,
) -> Result<Reply, Problem> {
    if submissions.is_empty() {
        return Err(Problem::new(&catalogue::BATCH_SIZE).fault("/messages", "holds no message"));
    }
    let mut text = String::new();
    let render = |taken: &BatchTaken| -> Answer {
        let rejected = taken.rejected.iter().map(|(index, refusal)| (*index as u64, refusal));
        text = told(&taken.batch, members, rejected);
        let kept = if idempotency.is_some() { Arc::from(text.as_str()) } else { Arc::default() };
        (StatusCode::ACCEPTED.as_u16(), kept)
    };
    match request.engine().submit_batch(request.caller, submissions, idempotency, render).await? {
        Accepted::New(taken, _) => {
            request.subject.batch = Some(taken.batch.id);
            Ok(Reply::json_text(StatusCode::ACCEPTED, text).at(format!("/v1/batches/{}", taken.batch.id)))
        }
        Accepted::Replayed(answer) => replayed(request, answer),
    }
}

/// The answer that was given before.
pub(super) fn replayed(request: &mut Request<'_>, (status, body): Answer) -> Result<Reply, Problem> {
    let first: Made<BatchId> = made(&body)?;
    request.subject.batch = Some(first.id);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::ACCEPTED);
    Ok(Reply::json_text(status, body.to_string()).at(format!("/v1/batches/{}", first.id)).replayed())
}

/// `GET /v1/batches/{id}`.
pub(super) async fn get(request: &mut Request<'_>, id: &str) -> Result<Reply, Problem> {
    let missing = || Problem::new(&catalogue::NOT_FOUND).detail("there is no such batch");
    let id: BatchId = id.parse().map_err(|_| missing())?;
    request.subject.batch = Some(id);
    let (batch, counts) = request.engine().batch(request.caller, id).await?.ok_or_else(missing)?;
    Ok(Reply::ok(&BatchState::of(request.engine(), &batch, &counts)))
}

/// `POST /v1/batches/{id}/pause`, `/resume` and `/cancel`.
pub(super) async fn want(request: &mut Request<'_>, id: &str, wish: BatchWish) -> Result<Reply, Problem> {
    let id: BatchId = id.parse().map_err(|_| Problem::from(BatchRefused::NoSuchBatch))?;
    request.subject.batch = Some(id);
    let (batch, counts) = request.engine().want_batch(request.caller, id, wish).await?;
    Ok(Reply::json(StatusCode::ACCEPTED, &BatchState::of(request.engine(), &batch, &counts)))
}

impl BatchState {
    fn of(engine: &Engine, batch: &Batch, counts: &BatchCounts) -> Self {
        let upload = engine.upload_state(batch);
        let done = counts.0.iter().filter(|(status, _)| status.is_final()).map(|(_, count)| count).sum();
        let under_way = counts.0.iter().any(|(status, count)| !status.is_final() && *count > 0);
        Self {
            id: batch.id,
            accepted: batch.accepted,
            rejected: batch.rejected,
            created_at: batch.created_at,
            status: match batch.phase {
                BatchPhase::Canceling => "canceling",
                BatchPhase::Canceled => "canceled",
                BatchPhase::Running if upload == UploadState::Receiving => "receiving",
                _ if !under_way => "completed",
                BatchPhase::Running => "running",
                BatchPhase::Pausing => "pausing",
                BatchPhase::Paused => "paused",
                BatchPhase::Resuming => "resuming",
            },
            upload: upload.as_str(),
            lines: batch.accepted + batch.rejected,
            finished_at: batch.finished_at,
            total: batch.accepted,
            done,
            counts: counts.0.iter().map(|(status, count)| (status.as_str(), *count)).collect(),
        }
    }
}

/// What a body asks for.
enum Asked {
    Messages(Vec<Result<Submission, Fault>>),
    /// The same for each member of a group.
    Group(String, Box<Draft>),
}

/// The phones of a group of the account that the caller acts for.
async fn members_of(request: &Request<'_>, name: &str) -> Result<Vec<Address>, Problem> {
    let missing = || invalid(Fault::new("/to_group", format!("there is no group {name:?}")));
    let key = groups::key(request, name).map_err(|_| missing())?;
    let members = request.engine().members(&key, None, BATCH_MAX).await.map_err(|error| match error {
        GroupError::NoSuchGroup => missing(),
        error => error.into(),
    })?;
    if members.is_empty() {
        return Err(Problem::new(&catalogue::BATCH_SIZE).fault("/to_group", "has no members"));
    }
    Ok(members.into_iter().map(|member| member.key.phone).collect())
}

fn from_json(body: &[u8]) -> Result<Asked, Problem> {
    let batch: BatchBody<'_> = json::parse(body)?;
    let wrong = |pointer: &str, detail: &str| Err(invalid(Fault::new(pointer, detail)));
    let messages = match (batch.messages, batch.to_group) {
        (Some(messages), None) => messages,
        (None, None) => return wrong("", "needs messages, or to_group with defaults"),
        (Some(_), Some(_)) => return wrong("/to_group", "has no meaning beside messages"),
        (None, Some(group)) => {
            return match batch.defaults {
                None => wrong("/defaults", "is missing: it is what each member of the group is sent"),
                Some(draft) if draft.names_recipient() => wrong("/defaults/to", "has no meaning beside to_group"),
                Some(draft) => Ok(Asked::Group(group, Box::new(draft))),
            };
        }
    };
    sized(messages.len())?;
    let read = |raw: &&RawValue| {
        let draft: Draft = json::parse_item(raw.get().as_bytes())?;
        Ok(match &batch.defaults {
            Some(defaults) => draft.over(defaults),
            None => draft.into(),
        })
    };
    Ok(Asked::Messages(messages.iter().map(read).collect()))
}

fn sized(count: usize) -> Result<(), Problem> {
    if count <= BATCH_MAX {
        return Ok(());
    }
    Err(Problem::new(&catalogue::BATCH_SIZE).fault("/messages", format!("holds more than {BATCH_MAX} messages")))
}

/// What was taken of a batch, and what of it was not.
pub(super) fn told<'r>(
    batch: &Batch,
    members: &[Address],
    rejected: impl Iterator<Item = (u64, &'r Refusal)>,
) -> String {
    let member = |index: u64| members.get(usize::try_from(index).ok()?).map(ToString::to_string);
    let rejected = rejected.map(|(index, refusal)| Rejected {
        index,
        to: member(index),
        problem: RawValue::from_string(of_refusal(refusal).to_json(None)).expect("a problem is written as JSON"),
    });
    let (id, accepted, rejected_total) = (batch.id, batch.accepted, batch.rejected);
    let (lines, rejected) = (accepted + rejected_total, rejected.collect());
    let answer = Taken { id, lines, accepted, rejected_total, rejected };
    serde_json::to_string(&answer).expect("ids, numbers and JSON are always JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_fill_what_a_message_leaves_open() {
        let body = br#"{"defaults":{"from":"SHOP","encoding":"ucs2","tags":{"a":"1","b":"1"}},
            "messages":[{"to":"1","text":"x","tags":{"b":"2"}},{"to":"2","encoding":"auto","from":"ME"},{"to":3},{"x":1}]}"#;
        let Asked::Messages(read) = from_json(body).unwrap() else { panic!("messages") };
        let first = read[0].as_ref().unwrap();
        assert_eq!((first.from.as_deref(), first.text.as_deref()), (Some("SHOP"), Some("x")));
        assert_eq!(first.tags.iter().map(|(k, v)| format!("{k}{v}")).collect::<String>(), "a1b2");
        let second = read[1].as_ref().unwrap();
        assert_eq!((second.from.as_deref(), second.encoding), (Some("ME"), Default::default()));
        assert_eq!(read[2].as_ref().unwrap_err().pointer, "/to");
        assert_eq!(read[3].as_ref().unwrap_err().pointer, "/x");
    }

    #[test]
    fn a_group_is_sent_the_defaults() {
        let group = from_json(br#"{"to_group":"choir","defaults":{"text":"x"},"messages":null}"#);
        assert!(matches!(group, Ok(Asked::Group(name, _)) if name == "choir"));
        for (body, pointer) in [
            ("{}", ""),
            (r#"{"to_group":"choir"}"#, "/defaults"),
            (r#"{"to_group":"choir","defaults":{"to":"1","text":"x"}}"#, "/defaults/to"),
            (r#"{"to_group":"choir","defaults":{"text":"x"},"messages":[]}"#, "/to_group"),
        ] {
            let problem = from_json(body.as_bytes()).err().expect(body);
            assert_eq!((problem.entry.code, problem.errors[0].pointer.as_ref()), ("invalid", pointer), "{body}");
        }
    }

    #[test]
    fn a_batch_has_ten_thousand_messages_at_most() {
        let json = |count: usize| format!("{{\"messages\":[{}{{}}]}}", "{},".repeat(count - 1));
        assert!(matches!(from_json(json(BATCH_MAX).as_bytes()), Ok(Asked::Messages(all)) if all.len() == BATCH_MAX));
        let refused = from_json(json(BATCH_MAX + 1).as_bytes()).err();
        assert_eq!(refused.map(|problem| problem.entry.code), Some("batch_size"));
    }
}
