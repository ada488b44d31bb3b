//! Settle: what carriers answered, and what else ends a message, into a draft.

use model::resources::{Connector, ReceiptIdForm};
use model::{Change, DoubtPolicy, MessageId, Name, REPLACE_ASKED, REPLACE_REFUSED, ReceiptPolicy, Timestamp};
use store::{ParkedReceipt, PartRef, RemoteId, RemoteKey, Tally, TallyRow};

use crate::announce;
use crate::dispatch::{Ask, Outcome, Told};
use crate::facts::{CancelRefused, ConnectorEvent, Fact};
use crate::matching::{Form, normal_id, other_phone, parked_under};
use crate::persist::{Cancellation, Draft, Recorder, Resolved};
use crate::schedule::End;
use crate::world::World;

/// Days that receipts are still expected after a message's validity: carriers are late.
const LATE_RECEIPT_SECONDS: i64 = 2 * 86_400;

impl Recorder {
    pub(crate) fn apply(&mut self, fact: Fact, world: &World, resolved: &mut Resolved, draft: &mut Draft) {
        match fact {
            Fact::Outcome { connector, message, part, outcome } => {
                self.outcome(&connector, message, part, outcome, world, resolved, draft);
            }
            Fact::Incoming { connector, incoming } => self.incoming(connector, incoming, world, resolved, draft),
            Fact::Marked { connector, message, part } => {
                draft.apply(&self.engine, world, message, Change::Marked { part }, Some(&connector));
                draft.ends.push((connector, End::Marked(message, part)));
            }
            Fact::NotSent { connector, message, part } => {
                draft.apply(&self.engine, world, message, Change::NotSent { part }, Some(&connector));
                let waits = draft.message(message).is_some_and(|m| m.progress.due.is_some());
                draft.ends.push((connector, if waits { End::Again(message, part) } else { End::Message(message) }));
            }
            Fact::Overlooked { message } => self.overlooked(message, world, draft),
            Fact::Cancel { message, reply } => self.cancel(message, reply, world, draft),
            Fact::Replace(asked) => self.replace(asked, world, draft),
            Fact::Asking { message, part, reply } => {
                draft.apply(&self.engine, world, message, Change::Asked { part, what: REPLACE_ASKED }, None);
                draft.heard.push(reply);
            }
            Fact::Told { connector, message, ask, told, reply } => {
                self.told(&connector, message, (ask, told), world, draft);
                let outcome = draft.message(message).map(|_| ()).ok_or(CancelRefused::NoSuchMessage);
                draft.canceled.push(Cancellation { message, outcome, reply });
            }
            Fact::Batch { batch, phase } => draft.changes.batch_phases.push((batch, phase)),
            // It was gone on with in the meantime, and is looked at again when that ends.
            Fact::BatchFinished { batch, .. } if self.engine.inner.batches.is_receiving(batch) => {}
            Fact::BatchFinished { batch, at, owed } => {
                draft.changes.batches_finished.push((batch, at));
                draft.changes.deliveries.extend(owed);
            }
            Fact::OfBatch { message, step } => self.step(message, step, world, draft),
            Fact::Overdue { message } => self.overdue(message, world, draft),
            Fact::Move { message, from, to } => self.move_on(message, &from, to, world, draft),
            Fact::PutOff { connector, message, hold } => self.put_off(connector, message, *hold, world, draft),
            Fact::Delivery { done, put } => {
                draft.changes.deliveries_done.push(done);
                draft.changes.deliveries.extend(put);
            }
            Fact::Answered { delivery, answer } => self.answered(&delivery, *answer, world, draft),
            Fact::Owed { delivery } => draft.changes.deliveries.push(delivery),
            Fact::BalanceLow { account, told, owed } => {
                let (tally, value) = (Tally::LowTold, i64::from(told));
                draft.changes.tallies.push(TallyRow { owner: account, tally, period: 0, value });
                draft.changes.deliveries.extend(owed);
            }
            Fact::Tallies { rows } => draft.changes.tallies.extend(rows),
            Fact::Connector { connector, event } => self.connector_event(&connector, event, world, draft),
            Fact::OptOut { change, reply } => self.opt_out_asked(*change, reply, world, draft),
            Fact::Groups { changes, reply } => {
                draft.changes.groups.extend(changes);
                draft.heard.push(reply);
            }
            Fact::GroupTask { done, reply } => {
                self.group_task_done(*done, draft);
                draft.heard.push(reply);
            }
            Fact::Sweep => self.sweep(world, draft),
            Fact::Receipt { key, part, receipt } => {
                self.receipt_for(part, &key.connector, &key, receipt, world, draft);
            }
            Fact::Unparked { parked, part } => self.unpark(*parked, part, world, draft),
            Fact::MoParts { parts } => self.gather_parts(parts, world, draft),
            Fact::Queued { places } => {
                draft.ends.extend(places.into_iter().map(|place| (place.connector.clone(), End::Waits(place.into()))));
            }
            Fact::OwedElsewhere { endpoint, places } => draft.owed_elsewhere.push((endpoint, places)),
            Fact::Superseded { message, by } => self.superseded_elsewhere(message, by, world, draft),
            Fact::Ended { batches } => draft.ended_elsewhere.extend(batches),
            Fact::OptedElsewhere { key, out } => self.engine.inner.opt_outs.put(&key, out),
            Fact::Post { slot, letter } => draft.post(slot, letter),
            Fact::Asked { message, asked } => self.engine.answer(message, asked),
            Fact::AnsweredElsewhere { ticket, answer } => self.engine.answered_elsewhere(ticket, answer),
            Fact::ForgetOthers => self.forget_others(),
            Fact::MailDone { id } => draft.changes.mail_done.push(id),
            // Taken out before.
            Fact::Accepted(_) => {}
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one fact's fields and the three things every fact needs")]
    fn outcome(
        &mut self,
        connector: &Name,
        id: MessageId,
        part: u8,
        outcome: Outcome,
        world: &World,
        resolved: &Resolved,
        draft: &mut Draft,
    ) {
        let settings = world.connector(connector);
        let end = match outcome {
            Outcome::Sent { remote_id } => {
                self.sent(connector, id, part, remote_id, world, resolved, draft);
                End::Part(id)
            }
            Outcome::Refused(reason) => {
                let Some(reason) = self.pass_on(connector, id, part, reason, world, draft) else { return };
                draft.apply(&self.engine, world, id, Change::Refused { part, reason }, Some(connector));
                End::Part(id)
            }
            Outcome::Retry { after, reason } => {
                let attempts = draft.message(id).map_or(0, |m| m.progress.attempts);
                if attempts.saturating_add(1) >= settings.map_or(u16::MAX, |c| c.max_attempts) {
                    let detail = format!("given up after {} attempts: {}", attempts + 1, reason.detail);
                    let mut reason = reason;
                    reason.code = "retries_used_up".into();
                    reason.detail = detail.into();
                    let Some(reason) = self.pass_on(connector, id, part, reason, world, draft) else { return };
                    draft.apply(&self.engine, world, id, Change::Fail(reason), Some(connector));
                    End::Part(id)
                } else {
                    let due = draft.now.plus_millis(i64::try_from(after.as_millis()).unwrap_or(i64::MAX));
                    if draft.apply(&self.engine, world, id, Change::Retry { part, reason }, Some(connector)) {
                        self.wait(connector, id, due, draft);
                        return;
                    }
                    End::Part(id)
                }
            }
            Outcome::InDoubt => {
                let policy = doubt_policy(settings.map(|c| &**c));
                let changed = draft.apply(&self.engine, world, id, Change::InDoubt { part, policy }, Some(connector));
                if changed && policy == DoubtPolicy::Retry { End::Again(id, part) } else { End::Part(id) }
            }
            // The lane has dealt with it; it is no fact.
            Outcome::Throttled(_) => return,
        };
        let settled = draft.message(id).is_none_or(|m| m.progress.due.is_none());
        draft.ends.push((connector.clone(), if settled { End::Message(id) } else { end }));
    }

    /// A message of which a part is to be tried again waits until `due`, or for its batch.
    fn wait(&self, connector: &Name, id: MessageId, due: Timestamp, draft: &mut Draft) {
        match self.engine.waits_for_batch(draft.message(id)) {
            true => draft.park(id),
            false => draft.requeue(id, due),
        }
        let entry = draft.place_of(id).map(Box::new);
        draft.ends.push((connector.clone(), End::Retry(id, entry)));
    }

    #[expect(clippy::too_many_arguments, reason = "one fact's fields and the three things every fact needs")]
    fn sent(
        &mut self,
        connector: &Name,
        id: MessageId,
        part: u8,
        remote_id: Box<str>,
        world: &World,
        resolved: &Resolved,
        draft: &mut Draft,
    ) {
        let (form, policy) = receipt_rules(world, connector);
        let key = RemoteKey { connector: connector.clone(), id: normal_id(form, &remote_id).into() };
        let known = !remote_id.is_empty();
        let any_parked = !resolved.parked.is_empty() || !draft.changes.parked.is_empty();
        let under = if any_parked { parked_under(form, &remote_id) } else { Vec::new() };
        if !draft.apply(&self.engine, world, id, Change::Sent { part, remote_id, policy }, Some(connector)) {
            return;
        }
        if known && let Some(message) = draft.message(id) {
            let expires_at = message.body.expires_at.plus_seconds(LATE_RECEIPT_SECONDS);
            let part = PartRef { message: id, part };
            draft.changes.remote_ids.push(RemoteId { key: key.clone(), part, expires_at });
            self.remote_ids.insert(key.clone(), part);
        }
        let to = draft.message(id).map(|m| m.body.sent_to().clone());
        let fits = |parked: &ParkedReceipt| {
            let (form, _) = under.iter().find(|(_, id)| **id == *parked.key.id)?;
            let other = to.as_ref().is_some_and(|to| other_phone(to, &parked.phone));
            (parked.key.connector == *connector && !(other && *form != Form::Same)).then_some(*form)
        };
        // Parked in the store by an earlier turn, or in this very one.
        let earlier = resolved.parked.iter().find_map(|parked| Some((fits(parked)?, parked.clone())));
        let found = match earlier {
            Some((form, parked)) => {
                draft.changes.parked_done.push(parked.clone());
                Some((form, parked))
            }
            None => {
                let now = draft.changes.parked.iter().enumerate().find_map(|(place, p)| Some((fits(p)?, place)));
                now.map(|(form, place)| (form, draft.changes.parked.remove(place)))
            }
        };
        if let Some((form, parked)) = found {
            self.learn(connector, form);
            self.parked = self.parked.saturating_sub(1);
            self.receipt_for(PartRef { message: id, part }, connector, &key, parked.receipt, world, draft);
        }
    }

    fn overlooked(&mut self, id: MessageId, world: &World, draft: &mut Draft) {
        let Some(message) = draft.message(id) else { return };
        let doubtful: Vec<u8> = (0u8..=u8::MAX)
            .zip(&message.progress.parts)
            .filter(|(_, p)| p.status == model::PartStatus::InDoubt)
            .map(|(n, _)| n)
            .collect();
        let connector = message.progress.connector.clone();
        for part in doubtful {
            let change = Change::InDoubt { part, policy: DoubtPolicy::Fail };
            draft.apply(&self.engine, world, id, change, connector.as_ref());
        }
    }

    fn cancel(
        &mut self,
        id: MessageId,
        reply: tokio::sync::oneshot::Sender<Result<model::Message, CancelRefused>>,
        world: &World,
        draft: &mut Draft,
    ) {
        let outcome = if draft.message(id).is_none() {
            Err(CancelRefused::NoSuchMessage)
        } else if self.take_out(id, draft) && draft.apply(&self.engine, world, id, Change::Cancel, None) {
            Ok(())
        } else {
            Err(CancelRefused::TooLate)
        };
        draft.canceled.push(Cancellation { message: id, outcome, reply });
    }

    /// What the carrier answered about parts that it has.
    fn told(
        &mut self,
        connector: &Name,
        id: MessageId,
        (ask, told): (Ask, Vec<(u8, Told)>),
        world: &World,
        draft: &mut Draft,
    ) {
        let (refused, instead) = match ask {
            Ask::Cancel => ("cancel_refused", None),
            Ask::State => ("query_refused", None),
            Ask::Replace(body) => (REPLACE_REFUSED, Some(body)),
        };
        let (form, policy) = receipt_rules(world, connector);
        let waited_in_queue = draft.message(id).is_some_and(|m| m.progress.due.is_some());
        for (part, told) in told {
            let change = match told {
                Told::Canceled => Change::Withdrawn { part, policy },
                Told::Replaced => {
                    let Some(body) = instead.clone() else { continue };
                    Change::Exchanged { part, body }
                }
                // The remote id stays known: the receipt may come after all, and is no stray then.
                Told::State(receipt) => Change::Queried { part, receipt, policy },
                Told::Refused(reason) => Change::Declined { part, what: refused, reason },
            };
            let exchanged = matches!(change, Change::Exchanged { .. });
            if draft.apply(&self.engine, world, id, change, Some(connector)) && exchanged {
                await_longer(connector, form, id, part, draft);
            }
        }
        if waited_in_queue && draft.message(id).is_some_and(|m| m.progress.due.is_none()) {
            draft.ends.push((connector.clone(), End::Message(id)));
        }
    }

    fn overdue(&mut self, id: MessageId, world: &World, draft: &mut Draft) {
        let due = draft.message(id).is_some_and(|m| m.body.expires_at <= draft.now);
        // What a session holds ends by its answer; it is looked at again after that.
        if due && self.take_out(id, draft) {
            draft.apply(&self.engine, world, id, Change::Expire, None);
        }
    }

    /// Takes a message out of its lane, if no session holds a part of it.
    pub(crate) fn take_out(&self, id: MessageId, draft: &mut Draft) -> bool {
        let connector = draft.message(id).and_then(|m| m.progress.connector.clone());
        let Some(connector) = connector else { return true };
        let Some(lane) = self.engine.any_lane(&connector) else { return true };
        let out = lane.revoke(id);
        if out {
            draft.ends.push((connector, End::Message(id)));
        }
        out
    }

    fn connector_event(&mut self, connector: &Name, event: ConnectorEvent, world: &World, draft: &mut Draft) {
        let (name, reason) = match &event {
            ConnectorEvent::Up => ("connector.up", None),
            ConnectorEvent::Down { reason } => ("connector.down", Some(&**reason)),
        };
        let engine = &self.engine;
        let now = draft.now;
        let owed =
            announce::of_connector(world, connector, name, reason, now, || model::DeliveryId(engine.next_id(now).0));
        draft.changes.deliveries.extend(owed);
    }
}

/// A message whose end was moved: receipts are expected for longer.
fn await_longer(connector: &Name, form: ReceiptIdForm, id: MessageId, part: u8, draft: &mut Draft) {
    let Some(message) = draft.message(id).filter(|message| !message.progress.status.is_final()) else { return };
    let expires_at = message.body.expires_at.plus_seconds(LATE_RECEIPT_SECONDS);
    let remote_id = message.progress.parts.get(usize::from(part)).and_then(|part| part.remote_id.as_deref());
    let Some(remote_id) = remote_id.filter(|remote_id| !remote_id.is_empty()) else { return };
    let key = RemoteKey { connector: connector.clone(), id: normal_id(form, remote_id).into() };
    draft.changes.remote_ids.push(RemoteId { key, part: PartRef { message: id, part }, expires_at });
}

/// What becomes of a part in doubt: a connector that marks parts first never sends one twice.
fn doubt_policy(connector: Option<&Connector>) -> DoubtPolicy {
    match connector {
        Some(c) if c.mark_first && c.in_doubt == DoubtPolicy::Retry => DoubtPolicy::Fail,
        Some(c) => c.in_doubt,
        None => DoubtPolicy::Retry,
    }
}

/// How a connector's receipts are read.
pub(crate) fn receipt_rules(world: &World, connector: &str) -> (ReceiptIdForm, ReceiptPolicy) {
    world.connector(connector).map_or_else(Default::default, |c| (c.receipt_id, c.receipt_policy))
}

impl Fact {
    /// The message that the fact is about, if it names one.
    pub(crate) fn message(&self) -> Option<MessageId> {
        match self {
            Fact::Outcome { message, .. }
            | Fact::Marked { message, .. }
            | Fact::NotSent { message, .. }
            | Fact::Overlooked { message }
            | Fact::Cancel { message, .. }
            | Fact::Asking { message, .. }
            | Fact::Told { message, .. }
            | Fact::Move { message, .. }
            | Fact::PutOff { message, .. }
            | Fact::OfBatch { message, .. }
            | Fact::Superseded { message, .. }
            | Fact::Asked { message, .. }
            | Fact::Overdue { message } => Some(*message),
            Fact::Receipt { part, .. } | Fact::Unparked { part, .. } => Some(part.message),
            Fact::Replace(asked) => Some(asked.message),
            Fact::Answered { delivery, .. } => delivery.message,
            Fact::GroupTask { done, .. } => Some(done.message),
            _ => None,
        }
    }
}
