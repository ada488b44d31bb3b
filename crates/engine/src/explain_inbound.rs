//! Explain for messages from phones: which inbound rule would take one, and what would be done about it,
//! without anything being done. What is remembered of phones that wrote lately is not looked at.

use std::sync::Arc;

use model::resources::{Handover, Inbound, InboundGroup};
use model::{
    Address, Body, CallbackStyle, Content, DeliveryId, Encoding, GROUP_MEMBERS_MAX, GroupAction, GroupKey, Ingress,
    Message, Name, Progress, Status, Submission, Timestamp,
};
use routing::{InboundPlan, Incoming};
use serde_json::Value;
use store::StoreError;

use crate::accept::Refusal;
use crate::admit::Exempt;
use crate::dispatch::MobileOriginated;
use crate::engine::Engine;
use crate::explain::wanted_of;
use crate::group_tasks::{full, not_in, others, unfit};
use crate::notify;
use crate::opt_outs::phone_of;
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
    /// What would be done with a group.
    pub group: Option<GroupExplained>,
}

/// What a rule would do with a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupExplained {
    /// The group.
    pub name: String,
    /// What would be done with it.
    pub action: GroupAction,
    /// How many members it has; `None` if there is none yet.
    pub members: Option<u64>,
    /// Is the phone one of them?
    pub is_member: bool,
    /// To how many others the text would be sent on, some of whom may be refused.
    pub recipients: u64,
    /// What they would be told, as it is filled in.
    pub text: Option<String>,
    /// Why it would not be done.
    pub held_back: Option<String>,
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

impl InboundTaken {
    /// Nobody is told that something was done with a group that would not be.
    fn hold_replies(&mut self, group: Option<&GroupExplained>) {
        let Some(why) = group.and_then(|group| group.held_back.as_ref()) else { return };
        for reply in self.responses.iter_mut().filter(|response| response.action == Action::Reply.as_str()) {
            (reply.held_back, reply.outcome) = (Some(why.clone()), None);
        }
    }
}

impl Engine {
    /// What would become of a message from a phone.
    pub async fn explain_inbound(&self, question: &InboundQuestion) -> Result<InboundExplanation, StoreError> {
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
        let account = plan.as_ref().and_then(|plan| world.account(&plan.account));
        let Some((plan, account)) = plan.zip(account) else { return Ok(InboundExplanation { rules, taken: None }) };
        let mut group = self.group_explained(&world, account, &plan, question).await?;
        let mut taken = self.would_take(&world, account, plan, question, now);
        if taken.word.is_none() {
            taken.hold_replies(group.as_ref());
            taken.group = group.take();
        }
        Ok(InboundExplanation { rules, taken: Some(taken) })
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
                None => Some(self.would_send(
                    account,
                    question,
                    to,
                    text.unwrap_or_default(),
                    action.exempt(word.is_some()),
                )),
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
            group: None,
        }
    }

    fn would_send(
        &self,
        account: &AccountView,
        question: &InboundQuestion,
        to: &Address,
        text: &str,
        exempt: Exempt,
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
        self.would_accept(account, submission, exempt)
    }

    async fn group_explained(
        &self,
        world: &World,
        account: &AccountView,
        plan: &InboundPlan,
        question: &InboundQuestion,
    ) -> Result<Option<GroupExplained>, StoreError> {
        let Some(InboundGroup { name, action, members_only }) = plan.group.clone() else { return Ok(None) };
        let key = GroupKey { account: account.id.clone(), name: name.as_str().into() };
        let phone = phone_of(&question.from, account);
        let members = self.group_of(&key).await?.map(|(_, members)| members);
        let is_member = self.inner.store.member(&key, &phone).await?.is_some();
        let text = plan.forward_text.clone().filter(|_| action == GroupAction::Forward);
        let mut explained = GroupExplained { name, action, members, is_member, recipients: 0, text, held_back: None };
        explained.held_back = match action {
            GroupAction::Join => {
                let full = || full(&explained.name, members.unwrap_or_default()).filter(|_| !is_member);
                unfit(&phone, &question.from, world).or_else(full)
            }
            GroupAction::Leave => None,
            GroupAction::Forward => {
                let members = self.inner.store.members(&key, None, GROUP_MEMBERS_MAX).await?;
                let others = others(members, [&phone, &question.from, &question.to]);
                explained.recipients = others.len() as u64;
                let stranger = members_only.unwrap_or(true) && !is_member;
                let (ends, text) = ((&question.from, &question.to), explained.text.as_deref());
                let no_others = || others.is_empty().then(|| format!("{} has no other member", explained.name));
                let held = stranger.then(|| not_in(&phone, &explained.name));
                held.or_else(|| unanswerable(Action::Forward, ends, text, world)).or_else(no_others)
            }
        };
        Ok(Some(explained))
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
