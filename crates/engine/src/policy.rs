//! Policy: an operator's own service is asked about messages before they are routed. It may refuse them,
//! change their addresses, name the network that a number belongs to now, or the way that they take.
//!
//! Only messages of accounts with a `policy`, their own or one above them, are asked about; for all others
//! it costs a look at a field. Asking comes before anything of the message is decided or kept, so that
//! nothing has to be undone when the service is slow, gone or wrong. What it costs is bounded: calls under
//! way, the time that each may take, and, when the service fails again and again, how often it is tried at
//! all ([`breaker`]).

mod answer;
mod breaker;
mod consult;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use model::resources::{OnFailure, POLICY_TIMEOUT_MS, PolicyHook, RouteAction};
use model::submission::{Decided, EncodingChoice};
use model::{Address, Body, DeliveryId, Name, Submission, Timestamp};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::accept::Refusal;
use crate::admit;
use crate::engine::Engine;
use crate::persist::Recent;
use crate::text;
use crate::validate::{Valid, validate};
use crate::world::AccountView;
pub use answer::{PolicyAnswer, PolicyVerdict};
use breaker::Breaker;

/// Calls under way to one service; the others wait for their turn within their time.
const CALLS_MAX: usize = 64;
/// Most characters that are told of why there is no answer.
const WHY_MAX: usize = 300;
/// Answers that are kept of one service; the oldest goes first.
const ANSWERS_MAX: usize = 100_000;

/// Makes calls for the engine, which does no I/O of its own.
#[async_trait::async_trait]
pub trait PolicyCaller: Send + Sync + fmt::Debug {
    /// Makes one call and gives the body of an answer with a status of 2xx; otherwise what a person needs to
    /// know. It ends within the call's time.
    async fn call(&self, call: PolicyCall) -> Result<Vec<u8>, String>;
}

/// One question to a policy service.
#[derive(Clone)]
pub struct PolicyCall {
    /// Where it goes.
    pub url: Box<str>,
    /// The signing secret, `whsec_…`.
    pub secret: Option<Arc<str>>,
    /// What `webhook-id` says.
    pub id: DeliveryId,
    /// What `webhook-timestamp` says.
    pub now: Timestamp,
    /// JSON.
    pub body: String,
    /// How long it may take.
    pub timeout: Duration,
}

impl fmt::Debug for PolicyCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither the secret nor a text belongs in a log.
        f.debug_struct("PolicyCall").field("id", &self.id).finish_non_exhaustive()
    }
}

/// An account, and a number that it writes to.
type Recipient = (Name, Box<str>);

/// A service as it is asked.
#[derive(Debug)]
pub(crate) struct Policy {
    /// The account that has it.
    pub owner: Name,
    pub hook: PolicyHook,
    secret: Option<Arc<str>>,
    calls: Semaphore,
    breaker: Mutex<Breaker>,
    /// Answers by account and recipient, with the end of their time.
    answers: Mutex<Recent<Recipient, (Instant, PolicyAnswer)>>,
}

/// How a question ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyOutcome {
    /// The service answered.
    Answered(PolicyAnswer),
    /// It had answered before, for this recipient.
    Cached(PolicyAnswer),
    /// It gave no answer that can be used.
    Failed(String),
    /// It was not tried: it has failed again and again.
    Skipped,
    /// It was not tried: so many other questions were under way that there was no turn for this one in its
    /// time.
    Crowded,
}

/// A question and its end.
#[derive(Clone, Debug)]
pub struct PolicyAsked {
    /// The account whose service it is.
    pub owner: Name,
    /// How it ended.
    pub outcome: PolicyOutcome,
    /// How long it took.
    pub took: Duration,
}

/// What a question is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asking {
    /// A message that goes on with the answer. After that moment nobody is asked.
    Message { until: Option<tokio::time::Instant> },
    /// To know the answer; nothing of what messages find is changed.
    ToKnow,
}

impl Asking {
    fn is_too_late(self) -> bool {
        matches!(self, Asking::Message { until: Some(until) } if tokio::time::Instant::now() >= until)
    }
}

/// Why a call has no answer.
enum Unanswered {
    /// The service's fault.
    Failed(String),
    /// It was not made, for too many were under way.
    Crowded,
}

impl From<String> for Unanswered {
    fn from(why: String) -> Self {
        Self::Failed(why)
    }
}

impl Policy {
    pub fn new(owner: Name, hook: &PolicyHook) -> Self {
        Self {
            owner,
            hook: hook.clone(),
            secret: hook.secret.as_ref().and_then(|secret| secret.reveal().ok()).map(Arc::from),
            calls: Semaphore::new(CALLS_MAX),
            breaker: Mutex::default(),
            answers: Mutex::new(Recent::new(ANSWERS_MAX)),
        }
    }

    /// The submission as it goes on after a question, or why it does not.
    pub fn followed(&self, asked: &PolicyAsked, submission: Submission) -> Result<Submission, Refusal> {
        match (&asked.outcome, self.hook.on_failure) {
            (PolicyOutcome::Answered(answer) | PolicyOutcome::Cached(answer), _) => answer.clone().applied(submission),
            (_, OnFailure::Continue) => Ok(submission),
            (_, OnFailure::Reject) => Err(Refusal::PolicyAway(self.owner.clone())),
        }
    }

    fn timeout(&self) -> Duration {
        Duration::from_millis(u64::from(self.hook.timeout_ms.unwrap_or(POLICY_TIMEOUT_MS)))
    }

    fn cached(&self, key: &Recipient) -> Option<PolicyAnswer> {
        self.hook.cache_seconds?;
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, answer) = answers.get(key)?;
        (Instant::now() < *until).then(|| answer.clone())
    }

    fn keep(&self, key: Recipient, answer: &PolicyAnswer) {
        let Some(seconds) = self.hook.cache_seconds else { return };
        let until = Instant::now() + Duration::from_secs(seconds.into());
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).insert(key, (until, answer.clone()));
    }

    fn breaker<T>(&self, change: impl FnOnce(&mut Breaker) -> T) -> T {
        change(&mut self.breaker.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Engine {
    /// Who makes calls to policy services; without, none is reached. To be said once, at the start.
    pub fn set_policy_caller(&self, caller: Arc<dyn PolicyCaller>) {
        if self.inner.policy_caller.set(caller).is_err() {
            tracing::error!("policy services have a caller already");
        }
    }

    /// Asks about a submission; `None` if it would be refused before anybody is asked.
    pub(crate) async fn ask_policy(
        &self,
        account: &AccountView,
        submission: &Submission,
        now: Timestamp,
        asking: Asking,
    ) -> Option<PolicyAsked> {
        account.policy.as_ref()?;
        let valid = validate(submission.clone(), account, self.next_id(now), now).ok()?;
        admit::check(account, &valid.body).ok()?;
        if self.opted_out(account, &valid.body).is_some() {
            return None;
        }
        self.ask_about(account, &valid, submission.encoding, now, asking).await
    }

    /// Asks about what is sound; `None` if there is nobody to ask.
    pub(crate) async fn ask_about(
        &self,
        account: &AccountView,
        valid: &Valid,
        encoding: EncodingChoice,
        now: Timestamp,
        asking: Asking,
    ) -> Option<PolicyAsked> {
        let policy = account.policy.as_ref()?;
        let id = self.next_id(now);
        let body = question(account, valid, encoding, policy.hook.send_text);
        let key = (account.id.clone(), valid.body.to.as_str().into());
        let begun = Instant::now();
        let done = |outcome| Some(PolicyAsked { owner: policy.owner.clone(), outcome, took: begun.elapsed() });
        // What it names may be gone by now.
        if let Some(answer) = policy.cached(&key).filter(|answer| self.fits(answer).is_ok()) {
            return done(PolicyOutcome::Cached(answer));
        }
        if asking.is_too_late() {
            return done(PolicyOutcome::Crowded);
        }
        let dry = asking == Asking::ToKnow;
        if !policy.breaker(|breaker| if dry { breaker.would_call(begun) } else { breaker.may_call(begun) }) {
            return done(PolicyOutcome::Skipped);
        }
        let answer = self.call_policy(policy, DeliveryId(id.0), now, body).await;
        if !dry && !matches!(answer, Err(Unanswered::Crowded)) {
            policy.breaker(|breaker| breaker.called(answer.is_ok(), Instant::now()));
        }
        match answer {
            Ok(answer) => {
                policy.keep(key, &answer);
                done(PolicyOutcome::Answered(answer))
            }
            Err(Unanswered::Crowded) => done(PolicyOutcome::Crowded),
            Err(Unanswered::Failed(why)) => {
                // The service may have had its part in the words.
                let why: String = why.chars().filter(|c| !c.is_control()).take(WHY_MAX).collect();
                tracing::warn!(account = %policy.owner, %why, "the policy service gave no answer that can be used");
                done(PolicyOutcome::Failed(why))
            }
        }
    }

    async fn call_policy(
        &self,
        policy: &Policy,
        id: DeliveryId,
        now: Timestamp,
        body: String,
    ) -> Result<PolicyAnswer, Unanswered> {
        let caller = self.inner.policy_caller.get().ok_or_else(|| "there is nobody to call it".to_owned())?;
        let (begun, timeout) = (Instant::now(), policy.timeout());
        let turn = tokio::time::timeout(timeout, policy.calls.acquire()).await;
        let (Ok(Ok(_turn)), Some(left)) = (turn, timeout.checked_sub(begun.elapsed()).filter(|left| !left.is_zero()))
        else {
            return Err(Unanswered::Crowded);
        };
        let url = policy.hook.url.as_str().into();
        let call = PolicyCall { url, secret: policy.secret.clone(), id, now, body, timeout: left };
        let answer = PolicyAnswer::read(&caller.call(call).await?)?;
        self.fits(&answer)?;
        Ok(answer)
    }

    /// Does an answer name what there is? What it does not is the service's fault, and nothing that an
    /// application could put right.
    fn fits(&self, answer: &PolicyAnswer) -> Result<(), String> {
        let world = self.world();
        if let Some(to) = &answer.to {
            Address::recipient(to, None).map_err(|error| format!("the answer's recipient {error}"))?;
        }
        if let Some(from) = &answer.from {
            Address::sender(from, None).map_err(|error| format!("the answer's sender {error}"))?;
        }
        if let Some(connector) = answer.connector.as_deref().filter(|id| world.connector(id).is_none()) {
            return Err(format!("the answer names the connector {connector:?}, which there is not"));
        }
        let sends = |id: &str| world.set.routes.iter().any(|route| route.id == id && route.action == RouteAction::Send);
        match answer.route.as_deref().filter(|id| !sends(id)) {
            Some(route) => Err(format!("the answer names the route {route:?}, and there is none that sends")),
            None => Ok(()),
        }
    }
}

impl PolicyOutcome {
    /// The word for it in metrics and explanations.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Answered(answer) if answer.verdict == PolicyVerdict::Reject => "rejected",
            Self::Answered(_) => "allowed",
            Self::Cached(_) => "cached",
            Self::Failed(_) => "failed",
            Self::Skipped => "skipped",
            Self::Crowded => "crowded",
        }
    }
}

/// What a service is told of a message.
fn question(account: &AccountView, valid: &Valid, encoding: EncodingChoice, send_text: bool) -> String {
    let Body { to, from, ingress, content, priority, tags, class, send_at, .. } = &valid.body;
    let size = valid.size(encoding, account).ok();
    let tags: serde_json::Map<String, serde_json::Value> =
        tags.iter().map(|(key, value)| (key.to_string(), (**value).into())).collect();
    let mut question = json!({
        "type": "message.routing",
        "account": &*account.id,
        "to": to.as_str(),
        "from": from.as_str(),
        "ingress": ingress.as_str(),
        "encoding": size.map(|size| text::encoding_of(size.alphabet)),
        "parts": size.map(|size| size.parts),
        "priority": priority,
        "class": class,
        "send_at": send_at,
        "tags": tags,
    });
    if send_text {
        question["text"] = content.text().into();
    }
    question.to_string()
}

/// What a service decided, as the message goes on with it.
pub(super) fn decided(answer: PolicyAnswer, mut submission: Submission) -> Result<Submission, Refusal> {
    let told = answer.told().into();
    let PolicyAnswer { verdict, reason, to, from, network, route, connector, tags } = answer;
    if verdict == PolicyVerdict::Reject {
        return Err(Refusal::PolicyRejects(reason.map(Into::into)));
    }
    let imposed = route.is_some() || connector.is_some();
    // They were found to be addresses before.
    let to = to.and_then(|to| Address::recipient(&to, None).ok());
    let from = from.and_then(|from| Address::sender(&from, None).ok());
    if imposed {
        (submission.route, submission.connector) = (route, connector);
    }
    submission.tags.extend(tags);
    let network = network.map(Into::into);
    submission.decided = Some(Box::new(Decided { to, from, network, imposed, told }));
    Ok(submission)
}
