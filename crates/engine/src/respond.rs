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
use store::{Claim, Short, Tally};

use crate::accept::Refusal;
use crate::admit;
use crate::engine::Engine;
use crate::facts::AcceptFailed;
use crate::persist::{Recent, Recorder};
use crate::route::Prepared;
use crate::world::{AccountView, World};

/// Answers that one phone gets by one rule in [`WHILE_SECONDS`], where the rule does not say.
const REPLIES_MAX: u32 = 3;
/// Messages of one phone that one rule sends on in [`WHILE_SECONDS`].
const FORWARDS_MAX: u32 = 30;
/// Ten minutes.
const WHILE_SECONDS: i64 = 600;
/// Phones and rules remembered at a time; the longest silent is forgotten first.
const PHONES_MAX: usize = 100_000;
/// Parts that an answer may have.
const PARTS_MAX: u32 = 255;

/// How a message that the gateway sends by itself is sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manner {
    /// From whom; otherwise from the number that its cause was sent to.
    pub from: Option<String>,
    pub encoding: EncodingChoice,
    pub class: Option<u32>,
    /// It goes to those who opted out, too: they asked for it.
    pub asked_for: bool,
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

    fn done(self) -> &'static str {
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

/// What a message that the gateway sends by itself follows from.
#[derive(Clone, Debug)]
pub(crate) struct Follows {
    /// The message from a phone.
    pub cause: MessageId,
    /// The message that is sent.
    pub message: MessageId,
    pub rule: Name,
    pub account: Name,
    pub action: Action,
}

impl Follows {
    /// Says in the timeline of its cause that it could not be sent after all.
    pub fn failed(&self, progress: &mut Progress, now: Timestamp, why: &AcceptFailed) {
        let id = self.message.to_string();
        let about = |detail: &Option<Box<str>>| detail.as_deref().is_some_and(|detail| detail.starts_with(&id));
        progress.events.retain(|event| event.what != self.action.done() || !about(&event.detail));
        progress.note(now, self.action.undone(), None, Some(told_failure(why).into()));
    }
}

/// A message that the gateway sends by itself, with what it takes of its account.
#[derive(Debug)]
pub(crate) struct Consequence {
    /// The message, then copies of it.
    pub messages: Vec<Message>,
    pub claim: Option<Box<Claim>>,
    pub follows: Follows,
}

/// A rule, a phone, and what is done about it.
type Conversation = (Name, Box<str>, Action);

/// What was answered lately. Forgotten when the process ends.
#[derive(Debug)]
pub(crate) struct Lately(Recent<Conversation, Vec<Timestamp>>);

impl Default for Lately {
    fn default() -> Self {
        Self(Recent::new(PHONES_MAX))
    }
}

impl Lately {
    /// May this be done once more? Then it is counted.
    fn once_more(&mut self, conversation: Conversation, most: u32, now: Timestamp) -> bool {
        let mut times = self.0.take(&conversation).unwrap_or_default();
        times.retain(|at| now.millis_since(*at) < WHILE_SECONDS * 1000);
        let may = times.len() < most as usize;
        if may {
            times.push(now);
        }
        self.0.insert(conversation, times);
        may
    }
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
            if let Some(why) = self.held_back(action, plan, cause, text, world, now) {
                progress.note(now, action.undone(), None, Some(why.into()));
                self.engine.inner.metrics.responded(&plan.rule, action.as_str(), "held_back");
                continue;
            }
            let text = text.unwrap_or_default();
            for to in to {
                match self.engine.consequence(world, account, plan, cause, (action, to, text, manner), now) {
                    Ok(consequence) => {
                        let detail = format!("{} to {to}", consequence.follows.message);
                        progress.note(now, action.done(), None, Some(detail.into()));
                        consequences.push(consequence);
                    }
                    Err(refusal) => {
                        let detail = format!("to {to}: {}", refusal.told());
                        progress.note(now, action.undone(), None, Some(detail.into()));
                        self.engine.inner.metrics.responded(&plan.rule, action.as_str(), "refused");
                    }
                }
            }
        }
        consequences
    }

    /// Why nothing is sent, if it would be better not to.
    fn held_back(
        &mut self,
        action: Action,
        plan: &InboundPlan,
        cause: &Body,
        text: Option<&str>,
        world: &World,
        now: Timestamp,
    ) -> Option<String> {
        if let Some(why) = unanswerable(action, (&cause.from, &cause.to), text, world) {
            return Some(why);
        }
        let most = match action {
            Action::Reply => plan.reply_limit.unwrap_or(REPLIES_MAX),
            Action::Forward => FORWARDS_MAX,
        };
        let conversation = (plan.rule.clone(), cause.from.bare().into(), action);
        let may = self.lately.once_more(conversation, most, now);
        (!may).then(|| format!("{} wrote too often: {most} in ten minutes are enough", cause.from))
    }
}

impl Engine {
    /// A message that the gateway sends by itself in an account's name, from the number that `cause`
    /// was sent to.
    fn consequence(
        &self,
        world: &World,
        account: &AccountView,
        plan: &InboundPlan,
        cause: &Body,
        (action, to, text, manner): (Action, &Address, &str, &Manner),
        now: Timestamp,
    ) -> Result<Consequence, Refusal> {
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
        let Prepared { mut message, copies } = self.prepare_for(world, account, submission, now, manner.asked_for)?;
        let claim = admit::admit(account, std::slice::from_ref(&message), now, Instant::now())
            .inspect_err(|refusal| self.inner.metrics.limited(&account.id, refusal))?;
        message.progress.note(now, action.link(), None, Some(cause.id.to_string().into()));
        let (rule, account) = (plan.rule.clone(), account.id.clone());
        let follows = Follows { cause: cause.id, message: message.body.id, rule, account, action };
        Ok(Consequence { messages: std::iter::once(message).chain(copies).collect(), claim, follows })
    }

    /// What followed from messages of phones has become durable, or was refused at last.
    pub(crate) fn responded(&self, follows: &Follows, sent: bool) {
        let outcome = if sent { "sent" } else { "refused" };
        self.inner.metrics.responded(&follows.rule, follows.action.as_str(), outcome);
        if sent {
            self.inner.metrics.accepted(&follows.account, 1);
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
            Tally::Balance | Tally::LowTold | Tally::TokenUsed => Refusal::BalanceTooLow(account.clone()).to_string(),
        },
        AcceptFailed::KeyTaken | AcceptFailed::ScheduleMoved => "it was sent already".into(),
        AcceptFailed::Store(why) => why.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_is_answered_so_often_in_ten_minutes() {
        let mut lately = Lately::default();
        let at = |seconds: i64| Timestamp::from_millis(1_000_000_000).plus_seconds(seconds);
        let mut asks = |phone: &str, rule: &str, seconds| {
            lately.once_more((rule.into(), phone.into(), Action::Reply), 3, at(seconds))
        };
        assert!(asks("1", "a", 0) && asks("1", "a", 10) && asks("1", "a", 20));
        assert!(!asks("1", "a", 30), "the fourth");
        assert!(asks("2", "a", 30) && asks("1", "b", 30), "another phone, another rule");
        assert!(!asks("1", "a", 599));
        assert!(asks("1", "a", 600) && !asks("1", "a", 601), "the first is ten minutes ago");
        assert!(!asks("1", "a", -100), "a clock that goes back lets no more through");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut lately = Lately(Recent::new(10));
        let now = Timestamp::from_millis(0);
        for n in 0..1000 {
            assert!(lately.once_more(("a".into(), n.to_string().into(), Action::Reply), 1, now));
        }
        assert!(!lately.once_more(("a".into(), "999".into(), Action::Reply), 1, now));
        assert!(lately.once_more(("a".into(), "1".into(), Action::Reply), 1, now), "it was forgotten");
    }
}
