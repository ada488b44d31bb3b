//! What an account is owed over its sessions: receipts for what it submitted by SMPP, UCP or CIMD2, and
//! incoming messages.
//!
//! The payload of such a delivery is not yet what goes over the wire, for how that is written depends on
//! the session that takes it: its version, and what the account says by then.

use model::dialect::named_wish;
use model::resources::IncomingWay;
use model::{
    Content, Delivery, DeliveryId, Dialect, Direction, Encoding, Message, MessageId, Name, NamedTerms, PartStatus,
    Receipt, ReceiptWish, SessionProtocol, Status, Timestamp,
};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

use crate::world::{AccountView, World};

/// Characters of a message's text that a receipt repeats (SMPP 3.4 Appendix B).
const RECEIPT_TEXT: usize = 20;
/// `user_message_reference` (SMPP 3.4 §5.3.2.17): the client's own, given back with the receipt.
const USER_MESSAGE_REFERENCE: u16 = 0x0204;

/// What a session is given: what a deliver_sm is made of, or another protocol's operation.
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
    /// What a UCP or CIMD2 client knows the message by.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub name: Option<OwedName<'a>>,
}

/// What a UCP or CIMD2 client knows a message by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwedName<'a> {
    /// The recipient as the client wrote it.
    #[serde(borrow)]
    pub to: Cow<'a, str>,
    /// Where the receipt is addressed to.
    #[serde(borrow)]
    pub from: Cow<'a, str>,
    /// The service centre's time stamp that the client was given.
    #[serde(borrow)]
    pub at: Cow<'a, str>,
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

/// Adds what is owed over sessions for `event` of `message`.
pub(super) fn owed(
    world: &World,
    message: &Message,
    event: &str,
    now: Timestamp,
    mut next_id: impl FnMut() -> DeliveryId,
    deliveries: &mut Vec<Delivery>,
) {
    let body = &message.body;
    let mut add = |account: &AccountView, protocol| {
        let Some(payload) = payload(message, now) else { return };
        let delivery = delivery((account, protocol), message, event, payload, now, next_id());
        deliveries.push(Delivery { restorable: message.is_closed(), ..delivery });
    };
    if body.direction == Direction::Mt {
        let Some(protocol) = body.ingress.sessions() else { return };
        let account = world.account(&body.account).filter(|account| account.account.login(protocol).is_some());
        account.into_iter().for_each(|account| add(account, protocol));
        return;
    }
    let Some(account) = world.account(&body.account) else { return };
    let mut somebody_has_it = account.endpoints().any(|webhook| webhook.webhook.wants(event));
    for protocol in SessionProtocol::ALL {
        let Some(login) = account.account.login(protocol) else { continue };
        match login.incoming {
            IncomingWay::Never => {}
            IncomingWay::Auto if somebody_has_it => {}
            IncomingWay::Auto | IncomingWay::Always => {
                somebody_has_it = true;
                add(account, protocol);
            }
        }
    }
}

/// The delivery over sessions that what the carrier `said` in between is worth, if any.
pub(super) fn between(
    world: &World,
    message: &Message,
    said: &Receipt,
    event: &str,
    now: Timestamp,
    next_id: impl FnOnce() -> DeliveryId,
) -> Option<Delivery> {
    let body = &message.body;
    let protocol = body.ingress.sessions().filter(|_| body.direction == Direction::Mt)?;
    let wanted = match terms(message) {
        Some(terms) => terms.wish & named_wish::BUFFERED != 0,
        None => body.receipt == ReceiptWish::All,
    };
    let account = world.account(&body.account).filter(|_| wanted)?;
    account.account.login(protocol)?;
    let mut receipt = receipt_of(message, now);
    receipt.stat = Some((&*said.stat).into());
    receipt.err = said.err.as_deref().map(Into::into);
    let payload = serde_json::to_string(&Owed::Receipt(receipt)).expect("strings and numbers only");
    Some(delivery((account, protocol), message, event, payload.into(), now, next_id()))
}

fn delivery(
    (account, protocol): (&AccountView, SessionProtocol),
    message: &Message,
    event: &str,
    payload: Box<str>,
    now: Timestamp,
    id: DeliveryId,
) -> Delivery {
    let from: (Name, Name) = (account.id.clone(), account.lane(protocol).clone());
    Delivery { message: Some(message.body.id), ..Delivery::new(id, from, event, payload, now) }
}

/// What is owed over a session about `message` since `done`; `None` for a state that nobody asked for.
pub(super) fn payload(message: &Message, done: Timestamp) -> Option<Box<str>> {
    let owed = match message.body.direction {
        Direction::Mt if wants_receipt(message) => Owed::Receipt(receipt_of(message, done)),
        Direction::Mt => return None,
        Direction::Mo => Owed::Message(incoming(message)),
    };
    Some(serde_json::to_string(&owed).expect("strings and numbers only").into())
}

/// Is a receipt wanted for the state that the message is in?
fn wants_receipt(message: &Message) -> bool {
    let status = message.progress.status;
    let Some(terms) = terms(message) else { return message.body.receipt.wants(status) };
    let bit = match status {
        Status::Delivered => named_wish::DELIVERED,
        Status::Expired => named_wish::EXPIRED,
        Status::Canceled => named_wish::CANCELED,
        Status::Undelivered | Status::Rejected | Status::Failed | Status::Unknown => named_wish::FAILED,
        Status::Scheduled | Status::Queued | Status::Sent | Status::Received => 0,
    };
    terms.wish & bit != 0
}

fn terms(message: &Message) -> Option<&NamedTerms> {
    message.body.dialect.as_deref().and_then(Dialect::name)
}

fn receipt_of(message: &Message, now: Timestamp) -> OwedReceipt<'_> {
    let (body, progress) = (&message.body, &message.progress);
    let count = |wanted: Option<PartStatus>| {
        progress.parts.iter().filter(|part| wanted.is_none_or(|status| part.status == status)).count() as u16
    };
    let text = body.content.text().unwrap_or_default();
    let cut = text.char_indices().nth(RECEIPT_TEXT).map_or(text.len(), |(at, _)| at);
    let reference = body.tlvs.iter().find(|tlv| tlv.tag == USER_MESSAGE_REFERENCE);
    OwedReceipt {
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
        name: terms(message).map(|terms| OwedName {
            to: (&*terms.to).into(),
            from: (&*terms.from).into(),
            at: (&*terms.at).into(),
        }),
    }
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
