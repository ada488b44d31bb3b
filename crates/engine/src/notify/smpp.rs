//! What an account is owed by SMPP: receipts for what it submitted that way, and incoming messages.
//!
//! The payload of such a delivery is not the deliver_sm itself, for how that is written depends on
//! the session that takes it: its version, and what the account says by then.

use model::resources::IncomingWay;
use model::{
    Content, Delivery, DeliveryId, Direction, Encoding, Ingress, Message, MessageId, PartStatus, Receipt, ReceiptWish,
    Status, Timestamp,
};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

use crate::world::{AccountView, World};

/// Characters of a message's text that a receipt repeats (SMPP 3.4 Appendix B).
const RECEIPT_TEXT: usize = 20;
/// `user_message_reference` (SMPP 3.4 §5.3.2.17): the client's own, given back with the receipt.
const USER_MESSAGE_REFERENCE: u16 = 0x0204;

/// What a deliver_sm is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owed<'a> {
    /// A receipt.
    #[serde(borrow)]
    Receipt(OwedReceipt<'a>),
    /// A message from a phone.
    #[serde(borrow)]
    Message(OwedMessage<'a>),
}

/// A receipt for a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwedReceipt<'a> {
    /// The id that the client was given.
    pub id: MessageId,
    /// The phone that it went to.
    #[serde(borrow)]
    pub to: Cow<'a, str>,
    /// Its sender.
    #[serde(borrow)]
    pub from: Cow<'a, str>,
    /// What became of it.
    pub status: Status,
    /// When it was accepted.
    pub submitted: Timestamp,
    /// When it came to this status.
    pub done: Timestamp,
    /// Parts that it was sent as.
    pub parts: u16,
    /// Parts that were delivered.
    pub delivered: u16,
    /// The carrier's `err:`, if it named one.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub err: Option<Cow<'a, str>>,
    /// The carrier's word, where it said something in between.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub stat: Option<Cow<'a, str>>,
    /// How its text begins.
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    pub text: Cow<'a, str>,
    /// The client's `user_message_reference`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<u16>,
}

/// A message from a phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwedMessage<'a> {
    /// The message.
    pub id: MessageId,
    /// The number that it was sent to.
    #[serde(borrow)]
    pub to: Cow<'a, str>,
    /// The phone.
    #[serde(borrow)]
    pub from: Cow<'a, str>,
    /// The text, if it is one.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Cow<'a, str>>,
    /// Octets that are no text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data: Vec<u8>,
    /// Their header.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub udh: Vec<u8>,
    /// Their data coding scheme.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dcs: Option<u8>,
    /// The message class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<u8>,
    /// How it came over the air.
    pub encoding: Encoding,
}

/// The delivery by SMPP that `event` of `message` is worth, if any.
pub(super) fn owed(
    world: &World,
    message: &Message,
    event: &str,
    now: Timestamp,
    next_id: impl FnOnce() -> DeliveryId,
) -> Option<Delivery> {
    let body = &message.body;
    if body.direction == Direction::Mt && body.ingress != Ingress::Smpp {
        return None;
    }
    let account = world.account(&body.account)?;
    let login = account.account.smpp.as_ref()?;
    if body.direction == Direction::Mo && !wants_message(account, login.incoming, event) {
        return None;
    }
    let payload = payload(message, now)?;
    Some(Delivery { restorable: message.is_closed(), ..delivery(account, message, event, payload, now, next_id()) })
}

/// The delivery by SMPP that what the carrier `said` in between is worth, if any.
pub(super) fn between(
    world: &World,
    message: &Message,
    said: &Receipt,
    event: &str,
    now: Timestamp,
    next_id: impl FnOnce() -> DeliveryId,
) -> Option<Delivery> {
    let body = &message.body;
    if body.direction != Direction::Mt || body.ingress != Ingress::Smpp || body.receipt != ReceiptWish::All {
        return None;
    }
    let account = world.account(&body.account).filter(|account| account.account.smpp.is_some())?;
    let mut receipt = receipt(message, now)?;
    receipt.stat = Some((&*said.stat).into());
    receipt.err = said.err.as_deref().map(Into::into);
    let payload = serde_json::to_string(&Owed::Receipt(receipt)).expect("strings and numbers only");
    Some(delivery(account, message, event, payload.into(), now, next_id()))
}

fn delivery(
    account: &AccountView,
    message: &Message,
    event: &str,
    payload: Box<str>,
    now: Timestamp,
    id: DeliveryId,
) -> Delivery {
    let from = (account.id.clone(), account.smpp_lane.clone());
    Delivery { message: Some(message.body.id), ..Delivery::new(id, from, event, payload, now) }
}

/// What is owed by SMPP about `message` since `done`; `None` for a state that nobody asked for.
pub(super) fn payload(message: &Message, done: Timestamp) -> Option<Box<str>> {
    let owed = match message.body.direction {
        Direction::Mt => Owed::Receipt(receipt(message, done)?),
        Direction::Mo => Owed::Message(incoming(message)),
    };
    Some(serde_json::to_string(&owed).expect("strings and numbers only").into())
}

fn wants_message(account: &AccountView, way: IncomingWay, event: &str) -> bool {
    match way {
        IncomingWay::Always => true,
        IncomingWay::Never => false,
        IncomingWay::Auto => !account.endpoints().any(|webhook| webhook.webhook.wants(event)),
    }
}

fn receipt(message: &Message, now: Timestamp) -> Option<OwedReceipt<'_>> {
    let (body, progress) = (&message.body, &message.progress);
    if !body.receipt.wants(progress.status) {
        return None;
    }
    let count = |wanted: Option<PartStatus>| {
        progress.parts.iter().filter(|part| wanted.is_none_or(|status| part.status == status)).count() as u16
    };
    let text = body.content.text().unwrap_or_default();
    let cut = text.char_indices().nth(RECEIPT_TEXT).map_or(text.len(), |(at, _)| at);
    let reference = body.tlvs.iter().find(|tlv| tlv.tag == USER_MESSAGE_REFERENCE);
    Some(OwedReceipt {
        // A submit_multi was answered with the id of all its messages.
        id: body.batch.map_or(body.id, |batch| MessageId(batch.0)),
        to: body.to.as_str().into(),
        from: body.from.as_str().into(),
        status: progress.status,
        submitted: body.created_at,
        done: now,
        parts: count(None),
        delivered: count(Some(PartStatus::Delivered)),
        err: progress.reason.as_ref().and_then(|reason| Some((&**reason.receipt_err.as_ref()?).into())),
        stat: None,
        text: text.get(..cut).unwrap_or_default().into(),
        reference: reference.and_then(|tlv| Some(u16::from_be_bytes(tlv.value.as_ref().try_into().ok()?))),
    })
}

fn incoming(message: &Message) -> OwedMessage<'_> {
    let body = &message.body;
    let (text, data, udh, dcs) = match &body.content {
        Content::Text(text) => (Some(Cow::Borrowed(&**text)), Vec::new(), Vec::new(), None),
        Content::Binary { data, udh, dcs } => (None, data.to_vec(), udh.to_vec(), Some(*dcs)),
    };
    OwedMessage {
        id: body.id,
        to: body.to.as_str().into(),
        from: body.from.as_str().into(),
        text,
        data,
        udh,
        dcs,
        class: body.class,
        encoding: body.encoding,
    }
}
