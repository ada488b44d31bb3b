//! `/v1/batches`: many messages in one request, as JSON with defaults or one message a line.

use std::sync::Arc;

use engine::{Accepted, Answer, BATCH_MAX, BatchRefused, BatchTaken, BatchWish, GroupError};
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
use super::{groups, json};

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
    accepted: u64,
    rejected: Vec<Rejected>,
}

#[derive(Serialize)]
struct Rejected {
    index: usize,
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
    finished_at: Option<model::Timestamp>,
    total: u64,
    done: u64,
    counts: std::collections::BTreeMap<&'static str, u64>,
}

/// `POST /v1/batches`.
pub(super) async fn send(request: &mut Request<'_>) -> Result<Reply, Problem> {
    let media = request.media()?;
    let _room = request.state.batches.acquire().await;
    let body = request.body_up_to(request.state.settings.limits.batch_octets).await?;
    let idempotency = request.idempotency(&body)?;
    let asked = match media {
        Media::Json => from_json(&body)?,
        Media::Lines => Asked::Messages(from_lines(&body)?),
    };
    let (submissions, members) = match asked {
        Asked::Messages(submissions) if submissions.is_empty() => {
            return Err(Problem::new(&catalogue::BATCH_SIZE).fault("/messages", "holds no message"));
        }
        Asked::Messages(submissions) => (submissions, None),
        Asked::Group(name, draft) => {
            let members = members_of(request, &name).await?;
            let each = Submission::from(*draft);
            let to_member = |to: &Address| Ok(Submission { to: to.to_string(), ..each.clone() });
            (members.iter().map(to_member).collect(), Some(members))
        }
    };
    let mut text = String::new();
    let render = |taken: &BatchTaken| -> Answer {
        text = answer_to(taken, members.as_deref());
        let kept = if idempotency.is_some() { Arc::from(text.as_str()) } else { Arc::default() };
        (StatusCode::ACCEPTED.as_u16(), kept)
    };
    match request.engine().submit_batch(request.caller, submissions, idempotency, render).await? {
        Accepted::New(taken, _) => {
            request.subject.batch = Some(taken.batch.id);
            Ok(Reply::json_text(StatusCode::ACCEPTED, text).at(format!("/v1/batches/{}", taken.batch.id)))
        }
        Accepted::Replayed((status, body)) => {
            let first: Made<BatchId> = made(&body)?;
            request.subject.batch = Some(first.id);
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::ACCEPTED);
            Ok(Reply::json_text(status, body.to_string()).at(format!("/v1/batches/{}", first.id)).replayed())
        }
    }
}

/// `GET /v1/batches/{id}`.
pub(super) async fn get(request: &mut Request<'_>, id: &str) -> Result<Reply, Problem> {
    let missing = || Problem::new(&catalogue::NOT_FOUND).detail("there is no such batch");
    let id: BatchId = id.parse().map_err(|_| missing())?;
    request.subject.batch = Some(id);
    let (batch, counts) = request.engine().batch(request.caller, id).await?.ok_or_else(missing)?;
    Ok(Reply::ok(&BatchState::of(&batch, &counts)))
}

/// `POST /v1/batches/{id}/pause`, `/resume` and `/cancel`.
pub(super) async fn want(request: &mut Request<'_>, id: &str, wish: BatchWish) -> Result<Reply, Problem> {
    let id: BatchId = id.parse().map_err(|_| Problem::from(BatchRefused::NoSuchBatch))?;
    request.subject.batch = Some(id);
    let (batch, counts) = request.engine().want_batch(request.caller, id, wish).await?;
    Ok(Reply::json(StatusCode::ACCEPTED, &BatchState::of(&batch, &counts)))
}

impl BatchState {
    fn of(batch: &Batch, counts: &BatchCounts) -> Self {
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
                _ if !under_way => "completed",
                BatchPhase::Running => "running",
                BatchPhase::Pausing => "pausing",
                BatchPhase::Paused => "paused",
                BatchPhase::Resuming => "resuming",
            },
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

fn from_lines(body: &[u8]) -> Result<Vec<Result<Submission, Fault>>, Problem> {
    let mut submissions = Vec::new();
    for line in body.split(|octet| *octet == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty()) {
        sized(submissions.len() + 1)?;
        submissions.push(json::parse_item(line));
    }
    Ok(submissions)
}

fn sized(count: usize) -> Result<(), Problem> {
    if count <= BATCH_MAX {
        return Ok(());
    }
    Err(Problem::new(&catalogue::BATCH_SIZE).fault("/messages", format!("holds more than {BATCH_MAX} messages")))
}

fn answer_to(taken: &BatchTaken, members: Option<&[Address]>) -> String {
    let rejected = taken.rejected.iter().map(|(index, refusal)| Rejected {
        index: *index,
        to: members.and_then(|members| members.get(*index)).map(ToString::to_string),
        problem: RawValue::from_string(of_refusal(refusal).to_json(None)).expect("a problem is written as JSON"),
    });
    let answer = Taken { id: taken.batch.id, accepted: taken.batch.accepted, rejected: rejected.collect() };
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
    fn lines_are_messages_and_empty_ones_are_nothing() {
        let read = from_lines(b"{\"to\":\"1\"}\r\n\n  \n{oops\n{\"to\":\"2\"}").unwrap();
        assert_eq!(read.len(), 3);
        assert!(read[1].as_ref().unwrap_err().detail.contains("line 1 column 2"));
        assert_eq!(read[2].as_ref().unwrap().to, "2");
    }

    #[test]
    fn a_batch_has_ten_thousand_messages_at_most() {
        let line = b"{}\n".repeat(BATCH_MAX);
        assert_eq!(from_lines(&line).unwrap().len(), BATCH_MAX);
        assert_eq!(from_lines(&[line.as_slice(), b"{}"].concat()).unwrap_err().entry.code, "batch_size");
        let json = |count: usize| format!("{{\"messages\":[{}{{}}]}}", "{},".repeat(count - 1));
        assert!(matches!(from_json(json(BATCH_MAX).as_bytes()), Ok(Asked::Messages(all)) if all.len() == BATCH_MAX));
        let refused = from_json(json(BATCH_MAX + 1).as_bytes()).err();
        assert_eq!(refused.map(|problem| problem.entry.code), Some("batch_size"));
    }
}
