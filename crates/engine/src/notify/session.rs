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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::id::Uuid;
    use model::resources::{Account, ResourceSet};
    use model::{Body, Ingress, samples};

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_378_496_000);

    fn world(logins: &str) -> World {
        let account: Account = serde_json::from_str(&format!(r#"{{"id":"shop"{logins}}}"#)).unwrap();
        World::compile(1, ResourceSet { accounts: vec![account], ..ResourceSet::default() })
    }

    fn message(change: impl FnOnce(&mut Body), status: Status) -> Message {
        let mut body = Body { account: "shop".into(), ..samples::body(NOW) };
        change(&mut body);
        let mut message = Message { body: Arc::new(body), progress: model::Progress::accepted(status, None, 1, NOW) };
        message.progress.status = status;
        message
    }

    fn lanes(world: &World, message: &Message) -> Vec<String> {
        let mut deliveries = Vec::new();
        owed(world, message, "message.received", NOW, || DeliveryId(Uuid::nil()), &mut deliveries);
        deliveries.iter().map(|delivery| delivery.endpoint.to_string()).collect()
    }

    #[test]
    fn an_incoming_message_goes_one_way_unless_more_are_wanted() {
        let mo = message(|body| body.direction = Direction::Mo, Status::Received);
        let (smpp, ucp) = (r#","smpp":{"system_id":"a"}"#, r#","ucp":{"user":"a"}"#);
        let cimd2 = |incoming: &str| format!(r#","cimd2":{{"user":"a","incoming":"{incoming}"}}"#);
        let webhook = r#","webhooks":[{"url":"https://a"}]"#;
        let lanes = |logins: &[&str]| lanes(&world(&logins.concat()), &mo);
        assert_eq!(lanes(&[smpp, ucp, &cimd2("auto")]), ["smpp:shop"]);
        assert_eq!(lanes(&[ucp, &cimd2("auto")]), ["ucp:shop"]);
        assert_eq!(lanes(&[ucp, &cimd2("always"), webhook]), ["cimd2:shop"]);
        assert_eq!(lanes(&[&cimd2("never")]), Vec::<String>::new());
    }

    #[test]
    fn a_named_message_is_told_of_as_it_was_wished() {
        let named = |wish, status| {
            let terms = NamedTerms { to: "0044".into(), from: "60777".into(), at: "221126201456".into(), wish };
            let dialect = Some(Box::new(Dialect::Named(terms)));
            message(
                |body| (body.ingress, body.dialect, body.receipt) = (Ingress::Ucp, dialect, ReceiptWish::All),
                status,
            )
        };
        let world = world(r#","ucp":{"user":"a"}"#);
        let told = |wish, status| lanes(&world, &named(wish, status)).len() == 1;
        let wishes = [named_wish::DELIVERED, named_wish::FAILED, named_wish::EXPIRED, named_wish::CANCELED];
        for (n, status) in
            [Status::Delivered, Status::Undelivered, Status::Expired, Status::Canceled].iter().enumerate()
        {
            for (m, wish) in wishes.iter().enumerate() {
                assert_eq!(told(*wish, *status), n == m, "{status:?} {wish}");
            }
        }
        assert!(!told(u8::MAX, Status::Sent), "that it is on its way is no end");
        let said = Receipt { state: model::ReceiptState::Intermediate, stat: "ENROUTE".into(), err: None };
        for (wish, wanted) in [(named_wish::BUFFERED, true), (named_wish::DELIVERED, false)] {
            let message = named(wish, Status::Sent);
            let delivery = between(&world, &message, &said, "message.intermediate", NOW, || DeliveryId(Uuid::nil()));
            assert_eq!(delivery.is_some(), wanted);
        }
        let payload = payload(&named(named_wish::DELIVERED, Status::Delivered), NOW).unwrap();
        let Ok(Owed::Receipt(receipt)) = serde_json::from_str(&payload) else { panic!("{payload}") };
        let name = receipt.name.unwrap();
        assert_eq!((&*name.to, &*name.from, &*name.at), ("0044", "60777", "221126201456"));
    }
}
