//! Other nodes: whose fact it is, and what a commit tells them by mail.

use model::MessageId;
use store::{Mail, QueueEntry};

use super::{Draft, Recorder};
use crate::engine::Engine;
use crate::facts::Fact;
use crate::fleet::letter::Queued;
use crate::fleet::{Letter, Member, Slot};
use crate::notify::is_received;
use crate::reassemble::Reassembly;

impl Draft {
    /// Is this place in a slice of this node?
    pub fn is_mine(&self, entry: &QueueEntry) -> bool {
        self.member.as_ref().is_none_or(|member| member.foreign_queue(entry.connector.clone(), entry.shard).is_none())
    }

    /// Writes down for other nodes what they have to know of this commit, under this node's fence.
    pub(super) fn tell_others(&mut self, member: &Member, engine: &Engine) {
        let changes = &mut self.changes;
        changes.fences.push(member.fence());
        let mut letters = std::mem::take(&mut self.letters);
        let new = changes.insert.iter().filter_map(|new| new.queue.as_ref());
        for entry in new.chain(&changes.enqueue) {
            let Some(slot) = member.foreign_queue(entry.connector.clone(), entry.shard) else { continue };
            let of_slot = letters.entry(slot).or_default();
            match of_slot.last_mut() {
                Some(Letter::Queued(places)) => places.push(Queued::from(entry)),
                _ => of_slot.push(Letter::Queued(vec![Queued::from(entry)])),
            }
        }
        for owed in &changes.deliveries {
            let Some(slot) = member.foreign_endpoint(&owed.endpoint, is_received(&owed.endpoint)) else { continue };
            let of_slot = letters.entry(slot).or_default();
            let place = (owed.due, owed.id);
            match of_slot.last_mut() {
                Some(Letter::Owed(endpoint, places)) if **endpoint == *owed.endpoint => places.push(place),
                _ => of_slot.push(Letter::Owed(owed.endpoint.clone(), vec![place])),
            }
        }
        let out = changes.opt_outs.iter().map(|opt_out| (&opt_out.key, true));
        let back = changes.opt_outs_done.iter().map(|key| (key, false));
        for (key, out) in back.chain(out) {
            for node in member.others() {
                letters.entry(Slot::Node(node)).or_default().push(Letter::OptOut { key: key.clone(), out });
            }
        }
        for (slot, letters) in letters {
            // Strings, numbers and lists of those are always JSON.
            let content = serde_json::to_vec(&letters).unwrap_or_default().into();
            changes.mail.push(Mail { id: engine.next_id(self.now), to: slot.name(), content });
        }
    }
}

impl Recorder {
    /// Gives a fact to the node whose message it is about, if that is another one: then nothing is left of it.
    pub(super) fn keep_mine(&mut self, fact: Fact, draft: &mut Draft) -> Option<Fact> {
        let Some(member) = self.engine.inner.fleet.clone() else { return Some(fact) };
        match fact {
            Fact::Queued { places } => {
                let (mine, others): (Vec<_>, Vec<_>) = places.into_iter().partition(|place| draft.is_mine(place));
                for place in &others {
                    let slot = Slot::Queue { shard: place.shard, connector: place.connector.clone() };
                    draft.post(slot, Letter::Queued(vec![place.into()]));
                }
                (!mine.is_empty()).then_some(Fact::Queued { places: mine })
            }
            Fact::OwedElsewhere { endpoint, places } => {
                match member.foreign_endpoint(&endpoint, is_received(&endpoint)) {
                    None => Some(Fact::OwedElsewhere { endpoint, places }),
                    Some(slot) => {
                        draft.post(slot, Letter::Owed(endpoint, places));
                        None
                    }
                }
            }
            Fact::Ended { batches } if !member.has_duty() => {
                draft.post(Slot::Duty, Letter::Ended(batches));
                None
            }
            // Whether it is somebody else's turns out when its message is known.
            fact @ Fact::Incoming { .. } => Some(fact),
            fact => self.of_my_message(fact, &member, draft),
        }
    }

    fn of_my_message(&self, fact: Fact, member: &Member, draft: &mut Draft) -> Option<Fact> {
        let message = fact.message().and_then(|id| draft.message(id));
        let Some(slot) = message.and_then(|message| member.foreign(message)) else { return Some(fact) };
        match (Letter::of(&fact), fact) {
            (Some(letter), _) => draft.post(slot, letter),
            // Who asked asks the other node.
            (None, Fact::Cancel { .. } | Fact::Told { .. } | Fact::Replace(_) | Fact::Asking { .. }) => {}
            // A lane lets go of a slice only when nothing of it is under way.
            (None, fact) => tracing::error!(?fact, %slot, "of a message that another node has"),
        }
        None
    }

    /// A receipt that came in here, for a message of another node.
    pub(crate) fn forward_receipt(&self, fact: Fact, draft: &mut Draft) -> Option<Fact> {
        match &self.engine.inner.fleet {
            None => Some(fact),
            Some(member) => self.of_my_message(fact, member, draft),
        }
    }

    /// Does this node write a message, so that what it remembers of it is true?
    pub(super) fn is_mine(&self, message: &model::Message) -> bool {
        self.engine.inner.fleet.as_ref().is_none_or(|member| member.writes(message))
    }

    /// Forgets messages that may be another node's from now on.
    pub(crate) fn forget_others(&mut self) {
        if let Some(member) = self.engine.inner.fleet.clone() {
            self.messages.retain(|_: &MessageId, message| member.writes(message));
            if !member.has_duty() {
                // Who has the duty now puts parts of incoming messages together.
                self.reassembly = Reassembly::default();
            }
        }
    }
}
