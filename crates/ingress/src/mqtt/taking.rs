//! One published message on its way to disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use engine::{Accepted, Answer, Engine, render};
use model::{Message, Name};
use rumqttc::v5::mqttbytes::v5::Publish;
use tokio::sync::watch;

use super::request::{Asked, ReplyTo, client_ref};
use crate::http::problem::{Problem, of_refusal};

/// Before what is refused for now is tried again.
const WAIT_MIN: Duration = Duration::from_secs(1);
/// The longest such wait.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// What became of a message that was published.
pub(super) struct Taken {
    pub publish: Publish,
    pub outcome: Outcome,
    pub reply_to: ReplyTo,
}

/// How it ended, with what is said about it, as the HTTP API would.
pub(super) enum Outcome {
    /// It is on disk.
    Accepted { status: u16, body: String },
    /// It will never be taken.
    Refused { status: u16, body: String },
    /// The bridge ends before it could be taken.
    Left,
}

/// How many messages wait to be tried again. What comes after them waits too, for it could not be acknowledged
/// before them.
pub(super) type Waits = Arc<AtomicUsize>;

/// One of those.
struct HeldUp(Waits);

impl HeldUp {
    fn new(waits: &Waits) -> Self {
        waits.fetch_add(1, Relaxed);
        Self(waits.clone())
    }
}

impl Drop for HeldUp {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// Takes a message, however long that takes: what is refused for now is tried again.
pub(super) async fn take(
    engine: Engine,
    account: Name,
    base: Arc<str>,
    publish: Publish,
    (waits, mut stop): (Waits, watch::Receiver<bool>),
) -> Taken {
    let reply_to = ReplyTo::of(&base, &publish);
    let mut held_up = None;
    let outcome = match Asked::read(&base, &publish) {
        Err(problem) => refused(&problem, &publish),
        Ok(asked) => loop {
            match attempt(&engine, &account, &asked).await {
                Ok((status, body)) => break Outcome::Accepted { status, body },
                Err(problem) => match problem.retry_after.or(problem.entry.retry_after) {
                    None => break refused(&problem, &publish),
                    Some(seconds) => {
                        tracing::debug!(%account, code = problem.entry.code, "a message is refused for now");
                        // What stands in the way may be taken away at any time: a quota raised, a disk freed.
                        let wait = Duration::from_secs(seconds.into()).clamp(WAIT_MIN, WAIT_MAX);
                        let _held_up = held_up.get_or_insert_with(|| HeldUp::new(&waits));
                        let stopped = async { stop.wait_for(|stop| *stop).await.is_ok() };
                        if tokio::time::timeout(wait, stopped).await.is_ok() {
                            break Outcome::Left;
                        }
                    }
                },
            }
        },
    };
    Taken { publish, outcome, reply_to }
}

async fn attempt(engine: &Engine, account: &str, asked: &Asked) -> Result<(u16, String), Problem> {
    // The bridge ends soon, for the same reason.
    let Some(caller) = engine.caller_of(account) else { return Err(of_refusal(&engine::Refusal::Draining)) };
    let mut text = String::new();
    let render = |message: &Message| -> Answer {
        render::message_json(message, &mut text);
        let kept = if asked.key.is_some() { Arc::from(text.as_str()) } else { Arc::default() };
        (202, kept)
    };
    match engine.submit(&caller, asked.submission.clone(), asked.idempotency(), render).await {
        Ok(Accepted::New(..)) => Ok((202, text)),
        Ok(Accepted::Replayed((status, body))) => Ok((status, body.to_string())),
        Err(refusal) => Err(of_refusal(&refusal)),
    }
}

/// The problem, with the client's own reference to what it is about.
fn refused(problem: &Problem, publish: &Publish) -> Outcome {
    let mut body = problem.to_json(None);
    if let Some(client_ref) = client_ref(&publish.payload)
        && let Ok(mut value) = serde_json::from_str::<serde_json::Value>(&body)
    {
        value["client_ref"] = client_ref.into();
        body = value.to_string();
    }
    Outcome::Refused { status: problem.status().as_u16(), body }
}
