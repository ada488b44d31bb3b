//! Respond: what an inbound rule sends because of a message from a phone, an answer to its sender or
//! the text to others.
//!
//! Such messages are like those of applications: validated, admitted, routed and charged to the rule's
//! account. They are written in the commit that records what they follow from, so a crash loses neither
//! or both; and what can't be sent is told in the timeline of the message from the phone, which is kept
//! whatever becomes of its answers.
//!
//! Two machines could answer each other for ever. So one phone gets only so many answers by one rule in
//! a while, and what a number of the gateway itself sent is neither answered nor sent on.

use std::time::Instant;

use model::submission::EncodingChoice;
use model::{Address, AddressKind, Body, Ingress, Message, MessageId, Name, Progress, Submission, Timestamp};
use routing::{Calendar, InboundPlan};
use store::{Batch, Claim, Short, Tally};

use crate::accept::Refusal;
use crate::admit::{self, Exempt};
use crate::engine::Engine;
use crate::facts::AcceptFailed;
use crate::persist::Recorder;
use crate::route::Prepared;
use crate::world::{AccountView, World};

/// Parts that an answer may have.
const PARTS_MAX: u32 = 255;

/// How a message that the gateway sends by itself is sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manner {
    /// From whom; otherwise from the number that its cause was sent to.
    pub from: Option<String>,
    pub encoding: EncodingChoice,
    pub class: Option<u32>,
    /// It goes to those who opted out, too: it says what came of their word.
    pub heeds_word: bool,
}

/// What is done because of a message from a phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    /// Its sender is answered.
    Reply,
    /// Its text is sent on.
    Forward,
}

impl Action {
    /// The word for it in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Reply => "reply",
            Action::Forward => "forward",
        }
    }

    /// What does not hold for what is sent. An answer goes at any time, for the phone has just asked for it.
    pub fn exempt(self, heeds_word: bool) -> Exempt {
        Exempt { opt_outs: heeds_word, quiet_hours: self == Action::Reply }
    }

    pub fn done(self) -> &'static str {
        match self {
            Action::Reply => "replied",
            Action::Forward => "forwarded",
        }
    }

    pub fn undone(self) -> &'static str {
        match self {
            Action::Reply => "not_replied",
            Action::Forward => "not_forwarded",
        }
    }

    /// How the message that is sent tells what it follows from.
    fn link(self) -> &'static str {
        match self {
            Action::Reply => "reply_to",
            Action::Forward => "forward_of",
        }
    }
}

/// What messages that the gateway sends by itself follow from.
#[derive(Clone, Debug)]
pub(crate) struct Follows {
    /// The message from a phone.
    pub cause: MessageId,
    pub rule: Name,
    pub account: Name,
    /// What is sent: all of it, or nothing.
    pub sent: Vec<Sent>,
}

/// What is sent at once.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub action: Action,
    /// The id of the message, or of the batch.
    pub id: Box<str>,
    /// How many messages it is.
    pub messages: u64,
}

impl Follows {
    /// Says in the timeline of its cause that it could not be sent after all.
    pub fn failed(&self, progress: &mut Progress, now: Timestamp, why: &AcceptFailed) {
        for Sent { action, id, .. } in &self.sent {
            let about = |detail: &Option<Box<str>>| detail.as_deref().is_some_and(|detail| detail.starts_with(&**id));
            progress.events.retain(|event| event.what != action.done() || !about(&event.detail));
            progress.note(now, action.undone(), None, Some(told_failure(why).into()));
        }
    }
}

/// What the gateway sends by itself, with what it takes of its account.
#[derive(Debug)]
pub(crate) struct Consequence {
    /// Messages, then copies of them.
    pub messages: Vec<Message>,
    /// What messages to a group are.
    pub batch: Option<Batch>,
    pub claim: Option<Box<Claim>>,
    pub follows: Follows,
}

impl Recorder {
    /// Makes what `plan` sends because of `cause`, and says so in its timeline.
    pub(crate) fn respond(
        &mut self,
        plan: &InboundPlan,
        cause: &Body,
        progress: &mut Progress,
        world: &World,
        now: Timestamp,
        manner: &Manner,
    ) -> Vec<Consequence> {
        let mut consequences = Vec::new();
        let Some(account) = world.account(&plan.account) else { return consequences };
        for action in [Action::Reply, Action::Forward] {
            let (text, to) = match action {
                Action::Reply => (plan.reply.as_deref(), std::slice::from_ref(&cause.from)),
                Action::Forward => (plan.forward_text.as_deref(), plan.forward.as_slice()),
            };
            let wanted = match action {
                Action::Reply => plan.reply.is_some(),
                Action::Forward => !plan.forward.is_empty(),
            };
            if !wanted {
                continue;
            }
            let most = plan.reply_limit.filter(|_| action == Action::Reply);
            if let Some(why) = self.lately.holds_back(action, &plan.rule, most, cause, text, world, now) {
                progress.note(now, action.undone(), None, Some(why.into()));
                self.engine.inner.metrics.responded(&plan.rule, action.as_str(), "held_back", 1);
                continue;
            }
            let text = text.unwrap_or_default();
            for to in to {
                match self.engine.consequence(world, account, plan, cause, (action, to, text, manner), now) {
                    Ok((id, consequence)) => {
                        let detail = format!("{id} to {to}");
                        progress.note(now, action.done(), None, Some(detail.into()));
                        consequences.push(consequence);
                    }
                    Err(refusal) => {
                        let detail = format!("to {to}: {}", refusal.told());
                        progress.note(now, action.undone(), None, Some(detail.into()));
                        self.engine.inner.metrics.responded(&plan.rule, action.as_str(), "refused", 1);
                    }
                }
            }
        }
        consequences
    }
}

impl Engine {
    /// A message that the gateway sends by itself in an account's name, counted against its limits.
    fn consequence(
        &self,
        world: &World,
        account: &AccountView,
        plan: &InboundPlan,
        cause: &Body,
        (action, to, text, manner): (Action, &Address, &str, &Manner),
        now: Timestamp,
    ) -> Result<(MessageId, Consequence), Refusal> {
        let Prepared { message, copies } = self.response(world, account, cause, (action, to, text, manner), now)?;
        let claim = admit::admit(account, std::slice::from_ref(&message), now, Instant::now())
            .inspect_err(|refusal| self.inner.metrics.limited(&account.id, refusal))?;
        let id = message.body.id;
        let sent = vec![Sent { action, id: id.to_string().into(), messages: 1 }];
        let follows = Follows { cause: cause.id, rule: plan.rule.clone(), account: account.id.clone(), sent };
        let messages = std::iter::once(message).chain(copies).collect();
        Ok((id, Consequence { messages, batch: None, claim, follows }))
    }

    /// A message that the gateway sends by itself in an account's name, from the number that `cause`
    /// was sent to.
    pub(crate) fn response(
        &self,
        world: &World,
        account: &AccountView,
        cause: &Body,
        (action, to, text, manner): (Action, &Address, &str, &Manner),
        now: Timestamp,
    ) -> Result<Prepared, Refusal> {
        if !account.is_enabled() {
            return Err(Refusal::Forbidden("the account is switched off"));
        }
        let submission = Submission {
            to: to.to_string(),
            from: Some(manner.from.clone().unwrap_or_else(|| cause.to.to_string())),
            encoding: manner.encoding,
            class: manner.class,
            text: Some(text.to_owned()),
            max_parts: Some(PARTS_MAX),
            ingress: Ingress::Gateway,
            ..Submission::default()
        };
        let exempt = action.exempt(manner.heeds_word);
        let mut prepared = self.prepare_for(world, account, submission, now, exempt)?;
        prepared.message.progress.note(now, action.link(), None, Some(cause.id.to_string().into()));
        Ok(prepared)
    }

    /// What followed from messages of phones has become durable, or was refused at last.
    pub(crate) fn responded(&self, follows: &Follows, sent: bool) {
        let outcome = if sent { "sent" } else { "refused" };
        for Sent { action, messages, .. } in &follows.sent {
            self.inner.metrics.responded(&follows.rule, action.as_str(), outcome, *messages);
            if sent {
                self.inner.metrics.accepted(&follows.account, *messages);
            }
        }
    }
}

/// Why nothing is ever sent because of a message `from` this phone `to` this number, if that is so.
pub(crate) fn unanswerable(
    action: Action,
    (from, to): (&Address, &Address),
    text: Option<&str>,
    world: &World,
) -> Option<String> {
    let Some(text) = text else { return Some("it is no text".into()) };
    if text.trim().is_empty() {
        return Some("there is nothing to say".into());
    }
    if world.inbound.is_own(from) || from.bare() == to.bare() {
        return Some(format!("{from} is a number of this gateway"));
    }
    let is_name = action == Action::Reply && from.kind() == AddressKind::Alphanumeric;
    is_name.then(|| "a name can't be answered".into())
}

/// The day and the time on an account's clock, as texts show them.
pub(crate) fn clock_of(world: &World, account: &str, now: Timestamp) -> (String, String) {
    let zone = world.account(account).and_then(|view| view.account.time_zone.as_deref());
    // A zone that is none is refused when the account is put.
    let calendar = Calendar::new(zone).or_else(|_| Calendar::new(None));
    calendar.map(|calendar| calendar.written(now)).unwrap_or_default()
}

fn told_failure(why: &AcceptFailed) -> String {
    match why {
        AcceptFailed::Short(Short { account, tally, .. }, _) => match tally {
            Tally::Daily => format!("the daily quota of the account {account} is used up"),
            Tally::Monthly => format!("the monthly quota of the account {account} is used up"),
            Tally::Queued => format!("the queue of the account {account} is full"),
            Tally::Balance | Tally::LowTold | Tally::TokenUsed | Tally::PinRefused => {
                Refusal::BalanceTooLow(account.clone()).to_string()
            }
        },
        AcceptFailed::KeyTaken | AcceptFailed::ScheduleMoved => "it was sent already".into(),
        AcceptFailed::Canceled => "the batch was canceled".into(),
        AcceptFailed::Store(why) => why.clone(),
    }
}
