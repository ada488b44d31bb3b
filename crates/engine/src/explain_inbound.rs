//! Explain for messages from phones: which inbound rule would take one, and what would be done about it,
//! without anything being done. What is remembered of phones that wrote lately is not looked at.

use std::sync::Arc;

use model::resources::{Handover, Inbound};
use model::{
    Address, Body, CallbackStyle, Content, DeliveryId, Encoding, Ingress, Message, Name, Progress, Status, Submission,
    Timestamp,
};
use routing::{InboundPlan, Incoming};
use serde_json::Value;

use crate::accept::Refusal;
use crate::dispatch::MobileOriginated;
use crate::engine::Engine;
use crate::explain::wanted_of;
use crate::notify;
use crate::receive::{body_of, goes_by};
use crate::respond::{Action, clock_of, unanswerable};
use crate::world::{AccountView, World};

/// A message from a phone, as it might come.
#[derive(Clone, Debug)]
pub struct InboundQuestion {
    /// The connector that it would come over; empty is none that a rule names.
    pub connector: Name,
    /// The phone.
    pub from: Address,
    /// The number that it would be sent to.
    pub to: Address,
    /// Its text; without one it is no text.
    pub text: Option<String>,
}

/// What would become of a message from a phone, and why.
#[derive(Debug)]
pub struct InboundExplanation {
    /// The rules that were looked at, in order, up to the one that takes it.
    pub rules: Vec<RuleTried>,
    /// What that one does; `None` where none takes it.
    pub taken: Option<InboundTaken>,
}

/// An inbound rule that was looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleTried {
    /// The rule.
    pub rule: Name,
    /// The path of the field that stood against the message, such as `match.keyword`; `None` if the rule
    /// takes it.
    pub against: Option<String>,
    /// What that field wants, as the rule has it.
    pub wanted: Option<Value>,
}

/// What a rule would do.
#[derive(Debug)]
pub struct InboundTaken {
    /// The rule.
    pub rule: Name,
    /// The account that gets the message.
    pub account: Name,
    /// The word of opting out that it is: `stop`, `start` or `help`.
    pub word: Option<&'static str>,
    /// Where `message.received` would go: webhooks' ids or `rule:ID`, and `smpp:ACCOUNT`.
    pub deliveries: Vec<(Name, CallbackStyle)>,
    /// What the rule's webhook answers would go back to the phone.
    pub answers: bool,
    /// What would be sent because of it.
    pub responses: Vec<InboundResponse>,
}

/// A message that a rule would send.
#[derive(Debug)]
pub struct InboundResponse {
    /// `reply` or `forward`.
    pub action: &'static str,
    /// To whom.
    pub to: Address,
    /// What, as it is filled in; `None` where there is no text to send on.
    pub text: Option<String>,
    /// Why nothing would be sent, whatever the account may; `None` where something would.
    pub held_back: Option<String>,
    /// The message as it would be kept, or why it is refused; `None` if it is held back.
    pub outcome: Option<Result<Message, Refusal>>,
}

impl Engine {
    /// What would become of a message from a phone.
    #[must_use]
    pub fn explain_inbound(&self, question: &InboundQuestion) -> InboundExplanation {
        let (world, now) = (self.world(), self.now());
        let InboundQuestion { connector, from, to, text } = question;
        let asked = Incoming { connector, to, from, text: text.as_deref() };
        let tried = world.inbound.explain(asked);
        let rules = tried.iter().filter_map(|tried| {
            let rule: &Inbound = world.set.inbound.iter().find(|rule| *rule.id == *tried.route)?;
            let (against, wanted) = wanted_of(rule, tried.against);
            Some(RuleTried { rule: tried.route.clone(), against, wanted })
        });
        let rules = rules.collect();
        let plan = world.inbound.plan(asked, |account| clock_of(&world, account, now));
        let taken = plan.and_then(|plan| {
            let account = world.account(&plan.account)?.clone();
            Some(self.would_take(&world, &account, plan, question, now))
        });
        InboundExplanation { rules, taken }
    }

    fn would_take(
        &self,
        world: &World,
        account: &Arc<AccountView>,
        mut plan: InboundPlan,
        question: &InboundQuestion,
        now: Timestamp,
    ) -> InboundTaken {
        let heard = self.word_from(account, question);
        if let Some((_, reply)) = &heard {
            (plan.reply, plan.forward) = (reply.clone(), Vec::new());
        }
        let word = heard.map(|(word, _)| word);
        let answers = word.is_none() && world.rule_webhook(&plan.rule).is_some_and(|hook| hook.answers.is_some());
        let replies = plan.reply.iter().map(|text| (Action::Reply, &question.from, Some(text.as_str())));
        let forwards = plan.forward.iter().map(|to| (Action::Forward, to, plan.forward_text.as_deref()));
        let responses = replies.chain(forwards).map(|(action, to, text)| {
            let held_back = unanswerable(action, (&question.from, &question.to), text, world);
            let outcome = match &held_back {
                Some(_) => None,
                None => Some(self.would_send(account, question, to, text.unwrap_or_default(), word.is_some())),
            };
            let text = text.map(str::to_owned);
            InboundResponse { action: action.as_str(), to: to.clone(), text, held_back, outcome }
        });
        InboundTaken {
            rule: plan.rule.clone(),
            account: account.id.clone(),
            word,
            deliveries: self.would_deliver(world, account, &plan.rule, &plan.deliver, question, now),
            answers,
            responses: responses.collect(),
        }
    }

    fn would_send(
        &self,
        account: &AccountView,
        question: &InboundQuestion,
        to: &Address,
        text: &str,
        asked_for: bool,
    ) -> Result<Message, Refusal> {
        if !account.is_enabled() {
            return Err(Refusal::Forbidden("the account is switched off"));
        }
        let submission = Submission {
            to: to.to_string(),
            from: Some(question.to.to_string()),
            text: Some(text.to_owned()),
            max_parts: Some(255),
            ingress: Ingress::Gateway,
            ..Submission::default()
        };
        self.would_accept(account, submission, asked_for)
    }

    /// Where a message that is taken would be handed over.
    fn would_deliver(
        &self,
        world: &World,
        account: &AccountView,
        rule: &str,
        ways: &[Handover],
        question: &InboundQuestion,
        now: Timestamp,
    ) -> Vec<(Name, CallbackStyle)> {
        let mut progress = Progress::accepted(Status::Received, Some(question.connector.clone()), 0, now);
        progress.final_at = Some(now);
        let mo = MobileOriginated {
            from: question.from.clone(),
            to: question.to.clone(),
            content: Content::Text(question.text.clone().unwrap_or_default().into()),
            encoding: Encoding::Gsm7,
            class: None,
            concat: None,
        };
        let body = Body { account: account.id.clone(), ..body_of(self.next_id(now), mo, now) };
        let message = Message { body: Arc::new(body), progress };
        let next_id = || DeliveryId(self.next_id(now).0);
        let owed = notify::owed_because(Some(rule), world, &message, "message.received", now, next_id);
        let mine = owed.into_iter().filter(|owed| goes_by(owed, ways));
        mine.map(|owed| (owed.endpoint, owed.style)).collect()
    }
}
