//! Replace: another text, another time or another end for a message that still waits whole; one that a
//! carrier has already is asked of the carrier ([`carrier`]).
//!
//! The recorder decides, for it alone knows what the message is at that moment: it takes the message
//! out of its lane, so that no session can take it any more, and puts the other body in its place in
//! one commit; the lane finds it in the store again after that. A message of which a session holds a
//! part, or a carrier may have one, is left as it is. So what goes out is the old text, and the
//! application hears that it was too late, or the new one.
//!
//! What costs more than before can be refused by the store while the commit is under way, and nothing
//! may have been built on it then. It gets a commit of its own, with none beside it and none after it
//! before it has landed ([`Recorder::replace_paid`]).

mod carrier;
mod content;

use std::time::Instant;

use model::resources::{Amount, LongForm};
use model::submission::{EncodingChoice, Fault};
use model::{
    Body, Change, Charge, Content, Encoding, LedgerEntry, LedgerId, LedgerKind, Message, MessageId, Plan, ReceiptWish,
    Replacement, Submission, Sum, Timestamp,
};
use store::QueueEntry;
use store::{ChargeClaim, Claim, CommitError, StoreError};
use tokio::sync::oneshot;

use crate::accept::Refusal;
use crate::access::Caller;
use crate::admit;
use crate::engine::Engine;
use crate::facts::Fact;
use crate::inquire::CarrierError;
use crate::persist::{Draft, Recorder};
use crate::schedule::End;
use crate::text;
use crate::validate::{Faults, Valid, wanted_encoding};
use crate::world::{AccountView, World};

/// Why a message stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplaceError {
    /// There is no such message.
    #[error("there is no such message")]
    NoSuchMessage,
    /// It is being sent, was sent, or has ended.
    #[error("the message is being sent or has ended")]
    TooLate,
    /// The carrier has it in several parts, or has a text that it splits itself.
    #[error("the carrier has the message in {0} parts, and can be asked to replace one only")]
    InParts(usize),
    /// The carrier has it, and did not replace it.
    #[error(transparent)]
    Carrier(#[from] CarrierError),
    /// What was asked for is not accepted.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl From<StoreError> for ReplaceError {
    fn from(error: StoreError) -> Self {
        Self::Refused(error.into())
    }
}

/// A message to be replaced.
#[derive(Debug)]
pub(crate) struct Replacing {
    pub message: MessageId,
    sound: Sound,
    reply: oneshot::Sender<Result<Message, ReplaceError>>,
}

/// Who waits to hear what became of it.
#[derive(Debug)]
pub(crate) struct Replaced {
    message: MessageId,
    outcome: Result<(), ReplaceError>,
    reply: oneshot::Sender<Result<Message, ReplaceError>>,
}

/// A replacement whose fields are sound.
#[derive(Clone, Debug)]
struct Sound {
    content: Option<Content>,
    choice: EncodingChoice,
    max_parts: u32,
    /// Another time; `Some(None)` is at once.
    send_at: Option<Option<Timestamp>>,
    validity: Option<u64>,
    receipt: Option<ReceiptWish>,
}

/// What takes the place of a message.
struct Planned {
    body: Body,
    parts: u8,
    claim: Option<Claim>,
    refund: Option<LedgerEntry>,
}

impl Engine {
    /// Puts what `replacement` says in the place of what a message of the caller says: while all of it
    /// waits, or by asking the carrier that has all of it. It is durable when this returns.
    pub async fn replace(
        &self,
        caller: &Caller,
        id: MessageId,
        replacement: Replacement,
    ) -> Result<Message, ReplaceError> {
        self.open_for_business()?;
        let message = self.message(caller, id).await?.ok_or(ReplaceError::NoSuchMessage)?;
        let sound = Sound::of(replacement.clone(), self.now()).map_err(Refusal::Invalid)?;
        Box::pin(self.consulted_again(&message, &sound)).await?;
        let outcome = match self.replace_here(id, sound).await? {
            Some(outcome) => outcome,
            None => self.replace_elsewhere(id, replacement).await,
        };
        self.inner.metrics.replaced(match &outcome {
            Ok(_) => "replaced",
            Err(ReplaceError::TooLate | ReplaceError::InParts(_) | ReplaceError::Carrier(_)) => "too_late",
            Err(_) => "refused",
        });
        if let Err(ReplaceError::Refused(refusal)) = &outcome {
            self.inner.metrics.limited(&caller.account.id, refusal);
        }
        outcome
    }

    /// Has it replaced by this node; `None` if another one writes the message.
    async fn replace_here(
        &self,
        id: MessageId,
        sound: Sound,
    ) -> Result<Option<Result<Message, ReplaceError>>, ReplaceError> {
        let (reply, replaced) = oneshot::channel();
        self.report(Fact::Replace(Box::new(Replacing { message: id, sound: sound.clone(), reply }))).await?;
        match (replaced.await, self.inner.fleet.is_some()) {
            (Ok(Err(ReplaceError::TooLate)), _) => Ok(Some(Box::pin(self.replaced_by_carrier(id, sound)).await)),
            (Ok(outcome), _) => Ok(Some(outcome)),
            (Err(_), true) => Ok(None),
            (Err(_), false) => Err(Refusal::StoreAway("the gateway has stopped".into()).into()),
        }
    }

    /// The same for another node, which has asked whoever had to be asked.
    pub(crate) async fn replace_for_other(
        &self,
        id: MessageId,
        replacement: Replacement,
    ) -> Result<Option<Message>, ReplaceError> {
        let sound = Sound::of(replacement, self.now()).map_err(Refusal::Invalid)?;
        self.replace_here(id, sound).await?.transpose()
    }
}

impl Sound {
    fn of(replacement: Replacement, now: Timestamp) -> Result<Self, Vec<Fault>> {
        let Replacement { text, binary, encoding, max_parts, send_at, validity_seconds, receipt } = replacement;
        let mut faults = Faults::default();
        let content = match text.is_some() || binary.is_some() {
            true => faults.content(&Submission { text, binary, ..Submission::default() }),
            false => {
                faults.only_with_content(encoding.is_some(), "/encoding");
                faults.only_with_content(max_parts.is_some(), "/max_parts");
                None
            }
        };
        let encoding = encoding.unwrap_or_default();
        let max_parts = faults.max_parts(max_parts);
        let send_at = send_at.map(|at| faults.send_at(Some(&at), now));
        let validity = faults.validity(validity_seconds);
        faults.none()?;
        Ok(Self { content, choice: encoding, max_parts, send_at, validity, receipt })
    }

    /// The body that `old` becomes.
    fn body(&self, old: &Body, now: Timestamp) -> Body {
        let mut body = old.clone();
        let due = |send_at: Option<Timestamp>| send_at.map_or(now, |at| at.max(now));
        if let Some(send_at) = self.send_at {
            let lasts = old.expires_at.millis_since(old.send_at.unwrap_or(old.created_at));
            body.send_at = send_at;
            body.expires_at = due(send_at).plus_millis(lasts);
        }
        if let Some(seconds) = self.validity {
            body.validity_given = true;
            body.expires_at = due(body.send_at).plus_seconds(seconds as i64);
        }
        body.receipt = self.receipt.unwrap_or(old.receipt);
        if let Some(content) = &self.content {
            body.encoding = match content {
                Content::Binary { .. } => Encoding::Binary,
                Content::Text(_) => wanted_encoding(self.choice),
            };
            body.content = content.clone();
        }
        body
    }

    /// What takes the place of `message`, which all waits.
    fn plan(&self, message: &Message, account: &AccountView, world: &World, at: At) -> Result<Planned, Refusal> {
        let (old, progress) = (&message.body, &message.progress);
        let body = self.body(old, at.now);
        let had = progress.parts.len();
        if self.content.is_none() {
            let parts = u8::try_from(had).unwrap_or(u8::MAX);
            return Ok(Planned { body, parts, claim: None, refund: None });
        }
        let connector = progress.connector.as_ref().and_then(|connector| world.connector(connector));
        let long = connector.map_or(LongForm::Udh, |connector| connector.long_form());
        let sized = Valid::again(body, self.max_parts).sized(self.choice, account, long);
        let (mut body, size) = sized.map_err(Refusal::Invalid)?;
        let parts = if long == LongForm::Payload { 1 } else { size.parts };
        let counted = text::plan(old).map_or(had, |plan| plan.part_count());
        if let Some(price) = body.plan.as_deref_mut().and_then(|plan: &mut Plan| plan.price.as_mut()) {
            price.amount = scaled(price.amount, size.parts, counted);
        }
        let (claim, refund) = dearer(old, &mut body, (parts, had), account, world, at);
        Ok(Planned { body, parts: u8::try_from(parts).unwrap_or(u8::MAX), claim, refund })
    }
}

/// When a replacement is decided, and the id of what it moves of money.
#[derive(Clone, Copy)]
struct At {
    now: Timestamp,
    entry: LedgerId,
}

/// What `parts` cost at the price that `counted` were paid at.
fn scaled(amount: Amount, parts: usize, counted: usize) -> Amount {
    let micros = i128::from(amount.micros()) * parts as i128 / counted.max(1) as i128;
    Amount::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
}

/// What a message that is replaced takes of accounts beyond what it took, or gives back.
fn dearer(
    old: &Body,
    body: &mut Body,
    (parts, had): (usize, usize),
    account: &AccountView,
    world: &World,
    At { now, entry }: At,
) -> (Option<Claim>, Option<LedgerEntry>) {
    let (mut charge, mut refund) = (None, None);
    if let (Some(price), Some(Charge { payer, price: paid })) = (body.price(), body.charge.as_deref_mut()) {
        let difference = price.amount.micros() - paid.amount.micros();
        paid.amount = price.amount;
        let prepaid = world.account(payer).and_then(|view| view.account.prepaid.as_ref());
        // Whoever pays later by now owes without a limit.
        let floor = prepaid.map_or(Sum::from_micros(i64::MIN), |prepaid| Sum::from(prepaid.overdraft).negative());
        if difference > 0 {
            let each = vec![(old.id, Amount::from_micros(difference))];
            charge = Some(ChargeClaim { account: payer.clone(), floor, each });
        } else if difference < 0 {
            let (account, amount) = (payer.clone(), Sum::from_micros(difference).negative());
            let (kind, message) = (LedgerKind::Refund, Some(old.id));
            refund = Some(LedgerEntry { id: entry, account, at: now, kind, amount, message, note: None });
        }
    }
    // Parts that it has less of were handed in all the same.
    let quotas = match parts.saturating_sub(had) {
        0 => Vec::new(),
        more => admit::quotas_of(account, more as u64, now),
    };
    let any = charge.is_some() || !quotas.is_empty();
    (any.then_some(Claim { message: old.id, more: Some(entry), at: now, quotas, queues: Vec::new(), charge }), refund)
}

impl Recorder {
    /// Replaces a message, or leaves that to [`replace_paid`](Self::replace_paid).
    pub(crate) fn replace(&mut self, asked: Box<Replacing>, world: &World, draft: &mut Draft) {
        let outcome = match self.planned(&asked, world, draft) {
            Ok(Planned { claim: Some(_), .. }) => return self.paid.push_back(asked),
            Ok(planned) => self.put(asked.message, planned, world, draft),
            Err(error) => Err(error),
        };
        draft.replaced.push(Replaced { message: asked.message, outcome, reply: asked.reply });
    }

    /// Replaces a message that takes more of accounts than it did, in a commit that has nothing else.
    /// No other is open or on its way.
    pub(crate) async fn replace_paid(&mut self) {
        let Some(asked) = self.paid.pop_front() else { return };
        let (world, id) = (self.engine.inner.current.load_full(), asked.message);
        let known = self.messages.take(&id).map(|message| Ok(vec![message]));
        let found = match known {
            Some(found) => found,
            None => self.engine.inner.store.messages(&[id]).await,
        };
        let message = match found.map(|mut found| found.pop()) {
            Ok(Some(message)) => message,
            Ok(None) => return asked.refuse(ReplaceError::NoSuchMessage),
            Err(error) => return asked.refuse(error.into()),
        };
        let mut draft = Draft::new(&self.engine);
        if draft.foreign(&message).is_some() {
            // Who asked asks the other node.
            self.messages.take(&id);
            return;
        }
        draft.load(message.clone());
        let planned = self.planned(&asked, &world, &draft).and_then(|mut planned| {
            let claim = planned.claim.take();
            self.put(id, planned, &world, &mut draft).map(|()| claim)
        });
        let claim = match planned {
            Ok(claim) => claim,
            Err(error) => {
                self.messages.insert(id, message);
                return asked.refuse(error);
            }
        };
        draft.changes.claims.extend(claim.clone());
        draft.close(&self.engine);
        let Err(error) = self.engine.inner.store.commit(draft.changes.clone()).await else {
            draft.replaced.push(Replaced { message: id, outcome: Ok(()), reply: asked.reply });
            return self.after(&mut draft);
        };
        let refusal = match (error, claim, world.account(&message.body.account)) {
            (CommitError::Short(short), Some(claim), Some(account)) if !short.is_empty() => {
                admit::refused(account, &claim, &short[0], draft.now, Instant::now())
            }
            (error, ..) => Refusal::StoreAway(error.to_string()),
        };
        self.wait_on(&message);
        self.messages.insert(id, message);
        asked.refuse(refusal.into());
    }

    /// What takes the place of a message, if it may be replaced as far as the recorder knows.
    fn planned(&self, asked: &Replacing, world: &World, draft: &Draft) -> Result<Planned, ReplaceError> {
        let message = draft.message(asked.message).ok_or(ReplaceError::NoSuchMessage)?;
        if !message.progress.waits_whole() || message.body.expires_at <= draft.now {
            return Err(ReplaceError::TooLate);
        }
        let account = world.account(&message.body.account).ok_or(ReplaceError::NoSuchMessage)?;
        let at = At { now: draft.now, entry: LedgerId(self.engine.next_id(draft.now).0) };
        let planned = asked.sound.plan(message, account, world, at)?;
        if asked.sound.content.is_some() {
            self.engine.routed_again(world, message, &planned.body)?;
        }
        Ok(planned)
    }

    /// Puts it there, unless a session has taken the message.
    fn put(&self, id: MessageId, planned: Planned, world: &World, draft: &mut Draft) -> Result<(), ReplaceError> {
        let ends = draft.ends.len();
        if !self.take_out(id, draft) {
            return Err(ReplaceError::TooLate);
        }
        let Planned { body, parts, refund, .. } = planned;
        draft.apply(&self.engine, world, id, Change::Replace { body: body.into(), parts }, None);
        draft.changes.entries.extend(refund);
        let back = draft.place_of(id).map(back);
        for (_, end) in draft.ends.iter_mut().skip(ends) {
            *end = back.clone().unwrap_or_else(|| end.clone());
        }
        Ok(())
    }

    /// A message that was taken out of its lane waits on as it was.
    fn wait_on(&self, message: &Message) {
        let lane = message.progress.connector.as_ref().and_then(|connector| self.engine.any_lane(connector));
        if let Some(lane) = lane {
            let place = Draft::new(&self.engine).place(message);
            lane.settled(std::iter::once(place.map_or(End::Message(message.body.id), back)));
        }
    }

    /// The store is away: nobody waits.
    pub(crate) fn refuse_paid(&mut self, why: &str) {
        self.paid.drain(..).for_each(|asked| asked.refuse(Refusal::StoreAway(why.to_owned()).into()));
    }
}

/// It is found in the store again, unless it was put aside.
fn back(place: QueueEntry) -> End {
    End::Back(Box::new(place))
}

impl Replacing {
    fn refuse(self, why: ReplaceError) {
        // A client that has gone is told nothing.
        let _ = self.reply.send(Err(why));
    }
}

impl Draft {
    /// Tells who waited what became of replacements, now that it is durable.
    pub(crate) fn tell_replaced(&mut self) {
        for Replaced { message, outcome, reply } in std::mem::take(&mut self.replaced) {
            let message = self.closed_message(message).cloned().ok_or(ReplaceError::NoSuchMessage);
            let _ = reply.send(outcome.and(message));
        }
    }
}
