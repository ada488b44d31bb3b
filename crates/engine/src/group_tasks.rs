//! Group tasks: phones join and leave groups by writing, and what members write goes to all others.
//!
//! A text for ten thousand phones is nothing to be made while everybody waits for the recorder. So the
//! commit that records a message from a phone only says what is to be done ([`GroupTask`]), and a task of
//! its own does it right after that: it looks the members up, makes the messages, and hands them in as one
//! batch, in one commit with the end of the group task. After a crash either all of that is there, or the group task
//! still is. They are done one after another, so who joins and then writes is a member by then.

use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{
    Address, BatchId, Body, GROUP_MEMBERS_MAX, Group, GroupAction, GroupChange, GroupKey, GroupTask, Member, MemberKey,
    Message, MessageId, Timestamp,
};
use routing::InboundPlan;
use store::{Batch, Claim, StoreError};
use tokio::sync::oneshot;

use crate::accept::new_batch;
use crate::admit;
use crate::engine::Engine;
use crate::facts::Fact;
use crate::groups::join;
use crate::lately::Lately;
use crate::opt_outs::phone_of;
use crate::persist::{Draft, Recorder};
use crate::respond::{Action, Consequence, Follows, Manner, Sent};
use crate::route::Prepared;
use crate::world::{AccountView, World};

/// Group tasks read from the store at a time.
const PAGE: usize = 100;
/// How long to wait after the store could not be used.
const STORE_AWAY: Duration = Duration::from_secs(1);
/// Members that nothing is sent to whose reasons are told one by one.
const REASONS_TOLD: usize = 3;
/// Messages made until others have their turn.
const BREATH: usize = 64;

/// What a rule wants of a group, and is not done at once. The plan's reply goes along.
pub(crate) fn wanted(plan: &mut InboundPlan, cause: &Body) -> Option<GroupChange> {
    let group = plan.group.take()?;
    Some(GroupChange::Want(Box::new(GroupTask {
        message: cause.id,
        rule: plan.rule.clone(),
        group: GroupKey { account: plan.account.clone(), name: group.name.into() },
        action: group.action,
        members_only: group.members_only.unwrap_or(true),
        text: plan.forward_text.clone().filter(|_| group.action == GroupAction::Forward),
        reply: plan.reply.take(),
        reply_limit: plan.reply_limit,
    })))
}

/// A group task that was done, for the recorder.
#[derive(Debug)]
pub(crate) struct TaskDone {
    /// The message from the phone.
    pub message: MessageId,
    changes: Vec<GroupChange>,
    /// What its timeline says of it.
    notes: Vec<(&'static str, String)>,
    consequence: Option<Consequence>,
}

impl TaskDone {
    /// How many messages it is.
    pub fn weight(&self) -> usize {
        1 + self.consequence.as_ref().map_or(0, |consequence| consequence.messages.len())
    }
}

impl Recorder {
    /// The end of a group task, with all that follows from it.
    pub(crate) fn group_task_done(&mut self, done: TaskDone, draft: &mut Draft) {
        let TaskDone { message, changes, notes, consequence } = done;
        draft.changes.groups.extend(changes);
        // One that was dropped with its day has no timeline any more.
        if let Some(mut progress) = draft.message(message).map(|message| message.progress.clone()) {
            notes.into_iter().for_each(|(what, detail)| progress.note(draft.now, what, None, Some(detail.into())));
            draft.retell(message, progress);
        }
        if let Some(consequence) = consequence {
            draft.follow(consequence);
        }
    }
}

/// Does group tasks for as long as it is polled.
pub(crate) async fn run(engine: Engine) {
    let mut lately = Lately::default();
    loop {
        match engine.do_group_tasks(&mut lately).await {
            Ok(()) => engine.inner.groups.wanted.notified().await,
            Err(error) => {
                tracing::warn!(%error, "what phones want of groups can't be done now; tried again");
                tokio::time::sleep(STORE_AWAY).await;
            }
        }
    }
}

/// What came of a group task: what to tell of it, or why it is not done.
type Verdict = Result<String, String>;

/// A group task while it is being done.
struct Doing<'a> {
    engine: &'a Engine,
    world: &'a World,
    account: &'a AccountView,
    task: &'a GroupTask,
    cause: &'a Body,
    now: Timestamp,
    /// The phone as a member would be.
    phone: Address,
    done: TaskDone,
    messages: Vec<Message>,
    copies: Vec<Message>,
    batch: Option<Batch>,
    sent: Vec<Sent>,
}

impl Engine {
    async fn do_group_tasks(&self, lately: &mut Lately) -> Result<(), StoreError> {
        loop {
            let tasks = self.inner.store.group_tasks(PAGE).await?;
            if tasks.is_empty() {
                return Ok(());
            }
            for task in tasks {
                self.do_group_task(&task, lately).await?;
            }
        }
    }

    async fn do_group_task(&self, task: &GroupTask, lately: &mut Lately) -> Result<(), StoreError> {
        let _changing = self.inner.groups.changing.lock().await;
        let (world, now) = (self.world(), self.now());
        let cause = self.inner.store.messages(&[task.message]).await?.pop();
        let over = vec![GroupChange::Done(task.message)];
        let mut done = TaskDone { message: task.message, changes: over, notes: Vec::new(), consequence: None };
        // Of an account that is gone, and of a message that was dropped with its day, nothing is done.
        if let (Some(account), Some(cause)) = (world.account(&task.group.account), cause) {
            let doing = Doing {
                engine: self,
                world: &world,
                account,
                task,
                cause: &cause.body,
                now,
                phone: phone_of(&cause.body.from, account),
                done,
                messages: Vec::new(),
                copies: Vec::new(),
                batch: None,
                sent: Vec::new(),
            };
            done = doing.all(lately).await?;
        }
        let (reply, durable) = oneshot::channel();
        self.report(Fact::GroupTask { done: Box::new(done), reply }).await?;
        durable.await.map_err(|_| StoreError::Unavailable("the gateway has stopped".into()))
    }
}

impl Doing<'_> {
    /// Does all of it, and nothing that others could see yet.
    async fn all(mut self, lately: &mut Lately) -> Result<TaskDone, StoreError> {
        let action = self.task.action;
        let verdict = match action {
            GroupAction::Join => self.join().await?,
            GroupAction::Leave => self.leave().await?,
            GroupAction::Forward => self.forward(lately).await?,
        };
        let (done, undone) = words(action);
        let mut verdict = verdict.inspect(|_| self.reply(lately));
        let mut claim = None;
        match self.admitted() {
            Ok(admitted) => claim = admitted,
            Err(why) => {
                (self.messages, self.copies) = (Vec::new(), Vec::new());
                if action == GroupAction::Forward {
                    verdict = Err(why);
                } else {
                    self.note(Action::Reply.undone(), why);
                }
            }
        }
        match verdict {
            Ok(detail) => self.done.notes.insert(0, (done, detail)),
            Err(why) => self.done.notes.insert(0, (undone, why)),
        }
        if !self.messages.is_empty() {
            let (rule, account) = (self.task.rule.clone(), self.account.id.clone());
            let follows = Follows { cause: self.cause.id, rule, account, sent: self.sent };
            let messages = self.messages.into_iter().chain(self.copies).collect();
            let consequence = Consequence { messages, batch: self.batch, claim, follows };
            self.done.consequence = Some(consequence);
        }
        Ok(self.done)
    }

    /// Counts all that is to be sent against the account's limits, together: who is told that a text was
    /// sent on can rely on it. Otherwise says why nothing is.
    fn admitted(&mut self) -> Result<Option<Box<Claim>>, String> {
        if self.messages.is_empty() {
            return Ok(None);
        }
        admit::admit(self.account, &self.messages, self.now, Instant::now()).map_err(|refusal| {
            self.engine.inner.metrics.limited(&self.account.id, &refusal);
            for Sent { action, messages, .. } in std::mem::take(&mut self.sent) {
                self.count(action.as_str(), "refused", messages);
            }
            self.done.notes.retain(|(what, _)| *what != Action::Reply.done());
            refusal.told()
        })
    }

    async fn join(&mut self) -> Result<Verdict, StoreError> {
        let group = &self.task.group;
        if let Some(why) = unfit(&self.phone, &self.cause.from, self.world) {
            return Ok(Err(why));
        }
        let store = &self.engine.inner.store;
        let found = self.engine.group_of(group).await?;
        if store.member(group, &self.phone).await?.is_some() {
            return Ok(Ok(format!("{}, as before", group.name)));
        }
        let members = found.as_ref().map_or(0, |(_, members)| *members);
        if let Some(why) = full(&group.name, members) {
            self.count("join", "refused", 1);
            return Ok(Err(why));
        }
        if found.is_none() {
            self.done.changes.push(GroupChange::Make(Group { key: group.clone(), created_at: self.now }));
        }
        self.done.changes.push(join(group, self.phone.clone(), self.now, Some(self.cause.id)));
        self.count("join", "done", 1);
        Ok(Ok(group.name.to_string()))
    }

    async fn leave(&mut self) -> Result<Verdict, StoreError> {
        let group = &self.task.group;
        if self.engine.inner.store.member(group, &self.phone).await?.is_none() {
            return Ok(Ok(format!("{}, without having been in it", group.name)));
        }
        self.done.changes.push(GroupChange::Leave(MemberKey { group: group.clone(), phone: self.phone.clone() }));
        self.count("leave", "done", 1);
        Ok(Ok(group.name.to_string()))
    }

    /// Makes the messages for the other members.
    async fn forward(&mut self, lately: &mut Lately) -> Result<Verdict, StoreError> {
        let (task, group) = (self.task, &self.task.group);
        let store = &self.engine.inner.store;
        let may = !task.members_only || store.member(group, &self.phone).await?.is_some();
        let held_back = (!may).then(|| not_in(&self.phone, &group.name)).or_else(|| {
            let (rule, text) = (&task.rule, task.text.as_deref());
            let often = lately.holds_back(Action::Forward, rule, None, self.cause, text, self.world, self.now);
            often.or_else(|| lately.holds_back_group(rule, self.now))
        });
        if let Some(why) = held_back {
            self.count(Action::Forward.as_str(), "held_back", 1);
            return Ok(Err(why));
        }
        let members = store.members(group, None, GROUP_MEMBERS_MAX).await?;
        let phones = others(members, [&self.phone, &self.cause.from, &self.cause.to]);
        if phones.is_empty() {
            return Ok(Err(format!("{} has no other member", group.name)));
        }
        let (sent, refused) = self.make(&phones).await;
        Ok(if sent > 0 {
            let batch = self.batch(sent, refused);
            let members = if sent == 1 { "member" } else { "members" };
            Ok(format!("{batch} to {sent} {members} of {}", group.name))
        } else {
            Err(format!("to nobody of {}: all are refused", group.name))
        })
    }

    /// Makes a message for each of these phones: how many are sent, and how many refused.
    async fn make(&mut self, phones: &[Address]) -> (u64, u64) {
        let text = self.task.text.as_deref().unwrap_or_default();
        let manner = Manner::default();
        let mut refused = 0;
        for (n, phone) in phones.iter().enumerate() {
            if n % BREATH == BREATH - 1 {
                tokio::task::yield_now().await;
            }
            let what = (Action::Forward, phone, text, &manner);
            match self.engine.response(self.world, self.account, self.cause, what, self.now) {
                Ok(Prepared { message, copies }) => {
                    self.messages.push(message);
                    self.copies.extend(copies);
                }
                Err(refusal) => {
                    refused += 1;
                    if refused <= REASONS_TOLD {
                        self.note(Action::Forward.undone(), format!("to {phone}: {}", refusal.told()));
                    }
                }
            }
        }
        if refused > REASONS_TOLD {
            self.note(Action::Forward.undone(), format!("to {} others", refused - REASONS_TOLD));
        }
        self.count(Action::Forward.as_str(), "refused", refused as u64);
        (self.messages.len() as u64, refused as u64)
    }

    /// Makes a batch of the messages.
    fn batch(&mut self, accepted: u64, rejected: u64) -> BatchId {
        let id = BatchId(self.engine.next_id(self.now).0);
        for message in &mut self.messages {
            // Nobody else holds the body yet.
            if let Some(body) = Arc::get_mut(&mut message.body) {
                body.batch = Some(id);
            }
        }
        self.batch = Some(new_batch(id, &self.account.id, (accepted, rejected), self.now));
        self.sent.push(Sent { action: Action::Forward, id: id.to_string().into(), messages: accepted });
        id
    }

    /// Makes the answer to the phone, if there is to be one.
    fn reply(&mut self, lately: &mut Lately) {
        let GroupTask { rule, reply, reply_limit, .. } = self.task;
        let Some(text) = reply.as_deref() else { return };
        let undone = Action::Reply.undone();
        let most = *reply_limit;
        if let Some(why) = lately.holds_back(Action::Reply, rule, most, self.cause, Some(text), self.world, self.now) {
            self.note(undone, why);
            self.count(Action::Reply.as_str(), "held_back", 1);
            return;
        }
        let (to, manner) = (&self.cause.from, Manner::default());
        match self.engine.response(self.world, self.account, self.cause, (Action::Reply, to, text, &manner), self.now) {
            Ok(Prepared { message, copies }) => {
                let id = message.body.id.to_string();
                self.note(Action::Reply.done(), format!("{id} to {to}"));
                self.sent.push(Sent { action: Action::Reply, id: id.into(), messages: 1 });
                self.messages.push(message);
                self.copies.extend(copies);
            }
            Err(refusal) => {
                self.note(undone, format!("to {to}: {}", refusal.told()));
                self.count(Action::Reply.as_str(), "refused", 1);
            }
        }
    }

    fn note(&mut self, what: &'static str, detail: String) {
        self.done.notes.push((what, detail));
    }

    fn count(&self, action: &'static str, outcome: &'static str, count: u64) {
        self.engine.inner.metrics.responded(&self.task.rule, action, outcome, count);
    }
}

/// Why this phone can't be a member of any group.
pub(crate) fn unfit(phone: &Address, from: &Address, world: &World) -> Option<String> {
    let own = || world.inbound.is_own(from).then(|| format!("{phone} is a number of this gateway"));
    Address::recipient(phone.as_str(), None).err().map(|error| format!("{phone} {error}")).or_else(own)
}

/// Why nobody can join a group, if that is so.
pub(crate) fn full(group: &str, members: u64) -> Option<String> {
    (members >= GROUP_MEMBERS_MAX as u64).then(|| format!("{group} has {members} members, which is the most"))
}

/// Why a message is not sent on.
pub(crate) fn not_in(phone: &Address, group: &str) -> String {
    format!("{phone} is no member of {group}")
}

/// The phones of `members` but for those that have the message already.
pub(crate) fn others(members: Vec<Member>, aside: [&Address; 3]) -> Vec<Address> {
    let aside = aside.map(Address::bare);
    members.into_iter().map(|member| member.key.phone).filter(|phone| !aside.contains(&phone.bare())).collect()
}

/// What a timeline says of an action that was done, and of one that was not.
fn words(action: GroupAction) -> (&'static str, &'static str) {
    match action {
        GroupAction::Join => ("joined", "not_joined"),
        GroupAction::Leave => ("left", "not_left"),
        GroupAction::Forward => (Action::Forward.done(), Action::Forward.undone()),
    }
}
