//! Receive: what carriers sent, into a draft. Receipts find their part, or are parked until it
//! shows up; messages from phones are put together and given to the account that an inbound rule
//! names.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

use foldhash::HashMap;
use model::resources::Handover;
use model::{
    Body, Change, Delivery, DeliveryId, Direction, Message, MessageId, Name, Progress, Receipt, ReceiptState,
    SessionProtocol, Status, Timestamp,
};
use routing::Incoming as InboundQuestion;
use store::{MoPart, ParkedReceipt, PartRef, RemoteKey, StoreError};

use crate::dispatch::{Incoming, MobileOriginated, Outcome};
use crate::facts::Fact;
use crate::group_tasks;
use crate::matching::{Candidate, Form, candidates, choose, choose_by_time, normal_id, parked_under, same_phone};
use crate::notify;
use crate::persist::{Draft, Recorder, Resolved};
use crate::respond::{self, Manner};
use crate::settle::receipt_rules;
use crate::world::{World, session_of_lane};

/// How long a receipt without a message is kept and listed: a day.
const PARKED_SECONDS: i64 = 86_400;

impl Recorder {
    /// Finds the parts that the receipts among `facts` may be for, under every form of their ids.
    pub(crate) async fn resolve_receipts(
        &mut self,
        facts: &[Fact],
        world: &World,
        draft: &Draft,
    ) -> Result<Resolved, StoreError> {
        let mut resolved = Resolved::default();
        let mut unknown = Vec::new();
        let answered = OnceCell::new();
        for fact in facts {
            let Fact::Incoming { connector, incoming } = fact else { continue };
            let (remote_ids, addresses) = match incoming {
                Incoming::Receipt { remote_ids, addresses, .. } => (remote_ids, Some(addresses)),
                Incoming::Report { remote_ids, .. } => (remote_ids, None),
                Incoming::Mo(_) | Incoming::Call { .. } => continue,
            };
            let mut forms = self.keys_of(connector, remote_ids, world);
            let mut keys = Vec::from_iter(forms.next());
            let just_now = || answered.get_or_init(|| answered_among(facts, world));
            // A name that is given again says nothing for certain.
            let certain = addresses.is_some_and(|named| self.certain(connector, keys.first(), named, just_now, draft));
            if !certain {
                forms.for_each(|other| {
                    if !keys.iter().any(|(_, key)| *key == other.1) {
                        keys.push(other);
                    }
                });
            }
            for (_, key) in &keys {
                match self.remote_ids.get(key) {
                    Some(part) => drop(resolved.parts.insert(key.clone(), *part)),
                    None if certain => {}
                    None => unknown.push(key.clone()),
                }
            }
            resolved.keys.push_back(keys);
        }
        if !unknown.is_empty() {
            unknown.sort_unstable();
            unknown.dedup();
            let found = self.engine.inner.store.remote_ids(&unknown).await?;
            resolved.parts.extend(unknown.into_iter().zip(found).filter_map(|(key, part)| Some((key, part?))));
        }
        Ok(resolved)
    }

    /// Is the part known already, by an earlier turn's answer or one of this turn's, that the learnt
    /// form of the id means, and is its phone the receipt's? Then the store need not be asked whether
    /// another form means another part: it would not be chosen.
    fn certain<'a>(
        &self,
        connector: &Name,
        likeliest: Option<&(Form, RemoteKey)>,
        addresses: &[Box<str>; 2],
        answered: impl FnOnce() -> &'a HashMap<RemoteKey, PartRef>,
        draft: &Draft,
    ) -> bool {
        let learnt = likeliest.filter(|(form, _)| self.learnt.form(connector) == Some(*form));
        let part = learnt.and_then(|(_, key)| self.remote_ids.get(key).or_else(|| answered().get(key)));
        let message = part.and_then(|part| self.remembered(part.message, draft));
        message.is_some_and(|message| addresses.iter().any(|a| same_phone(message.body.sent_to(), a)))
    }

    /// Finds parked receipts for the ids that this turn's answers bring. Only asked of the store
    /// while there are any.
    pub(crate) async fn resolve_parked(
        &mut self,
        facts: &[Fact],
        world: &World,
        resolved: &mut Resolved,
        draft: &Draft,
    ) -> Result<(), StoreError> {
        if self.parked == 0 {
            return Ok(());
        }
        let mut keys = Vec::new();
        for fact in facts {
            if let Fact::Outcome { connector, outcome: Outcome::Sent { remote_id }, .. } = fact {
                let under = parked_under(receipt_rules(world, connector).0, remote_id);
                keys.extend(under.into_iter().map(|(_, id)| RemoteKey { connector: connector.clone(), id: id.into() }));
            }
        }
        resolved.parked = self.engine.inner.store.parked_for(&keys).await?;
        resolved.parked.extend(self.parked_in_flight(&keys));
        resolved.parked.retain(|parked| !draft.changes.parked_done.iter().any(|done| done.id == parked.id));
        Ok(())
    }

    pub(crate) fn incoming(
        &mut self,
        connector: Name,
        incoming: Incoming,
        world: &World,
        resolved: &mut Resolved,
        draft: &mut Draft,
    ) {
        match incoming {
            Incoming::Receipt { remote_ids, receipt, addresses } => {
                self.engine.inner.metrics.receipt(&connector, receipt.state);
                let found = self.found(resolved, draft);
                match choose(found, &addresses, self.learnt.form(&connector)) {
                    Some(Candidate { form, key, part, .. }) => {
                        self.learn(&connector, form);
                        let fact = self.forward_receipt(Fact::Receipt { key, part, receipt }, draft);
                        if let Some(Fact::Receipt { key, part, receipt }) = fact {
                            self.receipt_for(part, &connector, &key, receipt, world, draft);
                        }
                    }
                    None => self.park(connector, remote_ids, receipt, addresses, world, draft),
                }
            }
            Incoming::Report { remote_ids, receipt, phone, taken_at } => {
                self.engine.inner.metrics.receipt(&connector, receipt.state);
                let with_part = |candidate: Candidate<'_>| {
                    let parts = draft.message(candidate.part.message).map(|message| &message.progress.parts);
                    let part = parts.and_then(|parts| parts.get(usize::from(candidate.part.part)));
                    (candidate.key, candidate.part, part)
                };
                let found = self.found(resolved, draft).into_iter().map(with_part).collect();
                match choose_by_time(found, taken_at) {
                    Some((key, part)) => self.receipt_for(part, &connector, &key, receipt, world, draft),
                    None => self.park(connector, remote_ids, receipt, [phone, "".into()], world, draft),
                }
            }
            Incoming::Call { from, to } => self.call(&connector, from, to, world, draft),
            Incoming::Mo(mo) => {
                self.engine.inner.metrics.received(&connector);
                let concat = mo.concat;
                let body = body_of(self.engine.next_id(draft.now), *mo, draft.now);
                let body = MoReceived { connector: connector.clone(), body, concat };
                if !self.engine.has_duty() {
                    // Parts come in at any node; they are put together at one.
                    match body.into_part(draft.now) {
                        Ok(part) => draft.changes.mo_parts.push(part),
                        Err(whole) => self.give(&connector, *whole, world, draft),
                    }
                    return;
                }
                match self.reassembly.add(body, draft.now) {
                    crate::reassemble::Added::Whole(body) => self.give(&connector, body, world, draft),
                    crate::reassemble::Added::Waits(part) => draft.changes.mo_parts.push(part),
                    crate::reassemble::Added::Complete(body, keys) => {
                        // Parts of this very commit need not be written to be taken away.
                        draft.changes.mo_parts.retain(|part| !keys.contains(&part.key));
                        draft.changes.mo_parts_done.extend(keys);
                        self.give(&connector, body, world, draft);
                    }
                }
            }
        }
    }

    /// The parts that the next receipt may be for.
    fn found<'d>(&self, resolved: &mut Resolved, draft: &'d Draft) -> Vec<Candidate<'d>> {
        let keys = resolved.keys.pop_front().unwrap_or_default();
        let candidate = |(form, key)| {
            // An answer of this very turn may have brought the id.
            let part = *self.remote_ids.get(&key).or_else(|| resolved.parts.get(&key))?;
            Some(Candidate { form, key, part, to: draft.message(part.message).map(|m| m.body.sent_to()) })
        };
        keys.into_iter().filter_map(candidate).collect()
    }

    /// A receipt whose part was found.
    pub(crate) fn receipt_for(
        &mut self,
        part: PartRef,
        connector: &Name,
        key: &RemoteKey,
        receipt: Receipt,
        world: &World,
        draft: &mut Draft,
    ) {
        let policy = receipt_rules(world, connector).1;
        // A message that was dropped with its day has nothing to be told any more.
        let Some(message) = draft.message(part.message) else { return };
        let waited_in_queue = message.progress.due.is_some();
        let done = receipt
            .state
            .part_status()
            .is_some_and(|status| !matches!(status, model::PartStatus::Unknown | model::PartStatus::Expired));
        if let Some(status) = receipt.state.part_status()
            && let Some(lane) = self.engine.any_lane(connector)
        {
            lane.receipt(status == model::PartStatus::Delivered);
        }
        let between = (receipt.state == ReceiptState::Intermediate).then(|| receipt.clone());
        let change = Change::Receipt { part: part.part, receipt, policy };
        draft.apply(&self.engine, world, part.message, change, Some(connector));
        if let Some(said) = between {
            self.tell_between(part.message, &said, world, draft);
        }
        if done {
            draft.remote_id_done(key.clone());
        }
        if waited_in_queue && draft.message(part.message).is_some_and(|m| m.progress.due.is_none()) {
            draft.ends.push((connector.clone(), crate::schedule::End::Message(part.message)));
        }
    }

    /// What a carrier says while a message is on its way is owed to those who wanted to hear of it.
    fn tell_between(&self, id: MessageId, said: &Receipt, world: &World, draft: &mut Draft) {
        let now = draft.now;
        let Some(message) = draft.message(id).filter(|message| !message.progress.status.is_final()) else { return };
        let owed = notify::between(world, message, said, now, || DeliveryId(self.engine.next_id(now).0));
        draft.changes.deliveries.extend(owed);
    }

    fn park(
        &mut self,
        connector: Name,
        remote_ids: Vec<Box<str>>,
        receipt: Receipt,
        addresses: [Box<str>; 2],
        world: &World,
        draft: &mut Draft,
    ) {
        self.engine.inner.metrics.unmatched(&connector);
        self.parked += 1;
        let received_at = draft.now;
        let form = receipt_rules(world, &connector).0;
        let [phone, _] = addresses;
        let remote_id = remote_ids.into_iter().next().unwrap_or_default();
        draft.changes.parked.push(ParkedReceipt {
            id: self.engine.next_id(received_at),
            key: RemoteKey { connector, id: normal_id(form, &remote_id).into() },
            remote_id,
            receipt,
            phone,
            received_at,
            expires_at: received_at.plus_seconds(PARKED_SECONDS),
        });
    }

    /// What a receipt's ids may be stored under, the likeliest first.
    fn keys_of<'a>(
        &self,
        connector: &'a Name,
        remote_ids: &'a [Box<str>],
        world: &World,
    ) -> impl Iterator<Item = (Form, RemoteKey)> + use<'a> {
        let rule = receipt_rules(world, connector).0;
        let learnt = self.learnt.form(connector);
        let forms = remote_ids.iter().flat_map(move |id| candidates(rule, learnt, id));
        let key = |id: Cow<'_, str>| RemoteKey { connector: connector.clone(), id: id.into() };
        forms.filter(|(_, id)| !id.is_empty()).map(move |(form, id)| (form, key(id)))
    }

    /// Gives a whole incoming message to its account. One that no rule takes is kept for operators.
    pub(crate) fn give(&mut self, connector: &Name, mut body: Body, world: &World, draft: &mut Draft) {
        let now = draft.now;
        let question = InboundQuestion { connector, to: &body.to, from: &body.from, text: body.content.text() };
        let mut plan = world.inbound.plan(question, |account| respond::clock_of(world, account, now));
        self.engine.inner.metrics.taken(plan.as_ref().map(|plan| &plan.rule));
        let mut progress = Progress::accepted(Status::Received, Some(connector.clone()), 0, now);
        progress.events.clear();
        progress.note(now, "received", None, plan.as_ref().map(|plan| format!("rule {}", plan.rule).into()));
        progress.final_at = Some(now);
        let mut consequences = Vec::new();
        match &mut plan {
            Some(plan) => {
                body.account = plan.account.clone();
                consequences = self.heed(plan, &body, &mut progress, world, draft).unwrap_or_else(|| {
                    draft.changes.groups.extend(group_tasks::wanted(plan, &body));
                    self.respond(plan, &body, &mut progress, world, now, &Manner::default())
                });
            }
            None => {
                tracing::warn!(%connector, message = %body.id, "no inbound rule takes a message; it is kept for operators");
            }
        }
        let message = Message { body: Arc::new(body), progress };
        let engine = &self.engine;
        let rule = plan.as_ref().map(|plan| &*plan.rule);
        let next_id = || DeliveryId(engine.next_id(now).0);
        let owed = notify::owed_because(rule, world, &message, "message.received", now, next_id);
        let ways = plan.as_ref().map_or(&[][..], |plan| plan.deliver.as_slice());
        draft.changes.deliveries.extend(owed.into_iter().filter(|owed| goes_by(owed, ways)));
        draft.insert(message);
        consequences.into_iter().for_each(|consequence| draft.follow(consequence));
    }

    /// Remembers how a receipt's id related to the answer's, and shows it.
    pub(crate) fn learn(&mut self, connector: &Name, form: Form) {
        let count = self.learnt.count(connector, form);
        self.engine.inner.metrics.learnt(connector, form.as_str(), count);
    }

    /// A receipt that was parked, and whose part is known by now.
    pub(crate) fn unpark(&mut self, parked: ParkedReceipt, part: PartRef, world: &World, draft: &mut Draft) {
        if draft.changes.parked_done.iter().any(|done| done.id == parked.id) {
            return;
        }
        draft.changes.parked_done.push(parked.clone());
        self.parked = self.parked.saturating_sub(1);
        let ParkedReceipt { key, receipt, .. } = parked;
        let fact = self.forward_receipt(Fact::Receipt { key, part, receipt }, draft);
        if let Some(Fact::Receipt { key, part, receipt }) = fact {
            self.receipt_for(part, &key.connector.clone(), &key, receipt, world, draft);
        }
    }

    /// Takes up parts of incoming messages that other nodes have put into the store.
    pub(crate) fn gather_parts(&mut self, parts: Vec<MoPart>, world: &World, draft: &mut Draft) {
        for part in parts {
            let connector = part.key.connector.clone();
            if let Some((body, keys)) = self.reassembly.take_in(part) {
                draft.changes.mo_parts.retain(|part| !keys.contains(&part.key));
                draft.changes.mo_parts_done.extend(keys);
                self.give(&connector, body, world, draft);
            }
        }
    }

    /// Gives out incoming messages whose parts have been waited for long enough.
    pub(crate) fn sweep(&mut self, world: &World, draft: &mut Draft) {
        for (connector, body, keys) in self.reassembly.give_up(draft.now) {
            draft.changes.mo_parts.retain(|part| !keys.contains(&part.key));
            draft.changes.mo_parts_done.extend(keys);
            self.give(&connector, body, world, draft);
        }
    }
}

/// A message from a phone, or a part of one, before anybody has it.
pub(crate) fn body_of(id: MessageId, mo: MobileOriginated, now: Timestamp) -> Body {
    Body {
        direction: Direction::Mo,
        encoding: mo.encoding,
        class: mo.class,
        reference: mo.concat.map_or(0, |c| c.reference),
        wide_reference: mo.concat.is_some_and(|c| c.wide),
        ..Body::plain(id, (mo.from, mo.to), mo.content, now)
    }
}

/// Does a delivery go one of these ways? No ways are all ways.
pub(crate) fn goes_by(delivery: &Delivery, ways: &[Handover]) -> bool {
    let way = match session_of_lane(&delivery.endpoint) {
        None => Handover::Webhook,
        Some(SessionProtocol::Smpp) => Handover::Smpp,
        Some(SessionProtocol::Ucp) => Handover::Ucp,
        Some(SessionProtocol::Cimd2) => Handover::Cimd2,
    };
    ways.is_empty() || ways.contains(&way)
}

/// The parts that this turn's answers name: fast carriers answer and report in one go.
fn answered_among(facts: &[Fact], world: &World) -> HashMap<RemoteKey, PartRef> {
    let answered = facts.iter().filter_map(|fact| {
        let Fact::Outcome { connector, message, part, outcome: Outcome::Sent { remote_id } } = fact else {
            return None;
        };
        let id = normal_id(receipt_rules(world, connector).0, remote_id).into();
        Some((RemoteKey { connector: connector.clone(), id }, PartRef { message: *message, part: *part }))
    });
    answered.collect()
}

/// A message from a phone, or a part of one, as a body.
#[derive(Debug)]
pub(crate) struct MoReceived {
    pub connector: Name,
    pub body: Body,
    pub concat: Option<sms::Concat>,
}
