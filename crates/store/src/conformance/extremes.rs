//! Values at the edges come back as they were put.

use model::message::{EVENTS_MAX, Event, Part, Tlv};
use model::resources::{Amount, Money};
use model::{
    Address, Content, DeliveryId, Direction, Encoding, Ingress, Message, MessageId, PartStatus, Plan, Reason,
    ReceiptWish, Status, Timestamp,
};

use super::samples::{change_body, insert_queued, place, remote_key, update};
use super::{START, World};
use crate::{Changes, DeliveryFilter, DeliveryKey, QueueLane};

/// Texts that break what is quoted, terminated or cut in the wrong place.
const ODD_TEXTS: [&str; 10] = [
    "",
    "\0",
    "a\0b",
    "'; DROP TABLE message; --",
    "\"\\/\u{8}\u{c}\n\r\t\u{1f}\u{7f}",
    "😀𝄞漢é",
    "\u{feff}\u{200b}\u{2028}\u{202e}\u{fffd}\u{10ffff}",
    "null",
    "123",
    "{\"a\":[1,null]}",
];

/// Puts a message and reads it back; then puts its progress as an update and reads that.
async fn there_and_back(world: &World, message: Message) {
    world.insert(&message).await;
    assert_eq!(world.get(message.body.id).await.as_ref(), Some(&message));
    let mut other = world.samples.message();
    world.insert(&other).await;
    other.progress = message.progress;
    world.commit(update(&other)).await;
    assert_eq!(world.get(other.body.id).await, Some(other));
}

/// Of messages and of parts.
pub async fn every_status_and_word(world: &World) {
    for status in Status::ALL {
        let mut message = world.samples.message();
        message.progress.status = status;
        there_and_back(world, message).await;
    }
    use PartStatus::*;
    let mut message = world.samples.message();
    message.progress.parts =
        [Queued, InDoubt, Sent, Delivered, Undelivered, Expired, Rejected, Unknown, Failed, Canceled]
            .map(|status| Part { status, ..Part::waiting() })
            .into();
    there_and_back(world, message).await;
    for ingress in Ingress::ALL {
        let mut message = world.samples.message();
        change_body(&mut message, |b| b.ingress = ingress);
        there_and_back(world, message).await;
    }
    for copy in [false, true] {
        let mut message = world.samples.message();
        let plan = Plan {
            pool: Some("europe".into()),
            connectors: vec!["carrier-a".into(), "carrier-b".into()],
            to: Some(Address::from_carrier("0123", false)),
            from: Some(Address::from_carrier("447700900999", true)),
            decided_to: copy.then(|| Address::from_carrier("447700900998", true)),
            decided_from: (!copy).then(|| Address::from_carrier("60777", false)),
            text_append: Some(ODD_TEXTS[4].into()),
            price: Some(Money { amount: Amount::from_micros(i64::MAX), currency: "EUR".parse().expect("a code") }),
            network: Some("310410".into()),
            copy_of: copy.then_some(message.body.id),
        };
        change_body(&mut message, |b| b.plan = plan.boxed());
        there_and_back(world, message).await;
    }
    for encoding in [Encoding::Gsm7, Encoding::Ucs2, Encoding::Latin1, Encoding::Binary] {
        for receipt in ReceiptWish::EVERY {
            for direction in [Direction::Mt, Direction::Mo] {
                let mut message = world.samples.message();
                change_body(&mut message, |b| (b.encoding, b.receipt, b.direction) = (encoding, receipt, direction));
                there_and_back(world, message).await;
            }
        }
    }
}

/// All that can be left out, given; one after the other and all at once.
pub async fn every_optional_field(world: &World) {
    let fields: [fn(&mut Message); 23] = [
        |m| change_body(m, |b| b.ingress = Ingress::Gateway),
        |m| change_body(m, |b| b.transliterate = true),
        |m| change_body(m, |b| b.class = Some(0)),
        |m| change_body(m, |b| b.client_ref = Some("ref".into())),
        |m| change_body(m, |b| b.tags = vec![("a".into(), "1".into()), ("b".into(), "2".into())]),
        |m| change_body(m, |b| b.callback_url = Some("https://app.example/sms?x=1&y=2".into())),
        |m| {
            change_body(m, |b| {
                b.tlvs = vec![Tlv { tag: 0xffff, value: [0, 255].into() }, Tlv { tag: 0, value: [].into() }]
            })
        },
        |m| {
            let said = model::PassedOn {
                protocol_id: Some(255),
                service_type: Some("a\"b".into()),
                reply_path: true,
                replace_if_present: true,
                priority_flag: Some(4),
            };
            change_body(m, |b| b.passed_on = said.boxed());
        },
        |m| {
            let (to, from, at) = ("0044".into(), "60777".into(), "221126201456".into());
            let named = model::Dialect::Named(model::NamedTerms { to, from, at, wish: 31 });
            change_body(m, |b| b.dialect = Some(Box::new(named)));
        },
        |m| change_body(m, |b| b.wide_reference = true),
        |m| change_body(m, |b| b.shift = (1, 13)),
        |m| change_body(m, |b| b.batch = Some(model::BatchId(b.id.0))),
        |m| change_body(m, |b| b.send_at = Some(START)),
        |m| change_body(m, |b| b.validity_given = true),
        |m| {
            let price = Money { amount: Amount::from_micros(i64::MAX), currency: "EUR".parse().expect("a code") };
            change_body(m, |b| b.charge = Some(Box::new(model::Charge { payer: "reseller".into(), price })));
        },
        |m| change_body(m, |b| (b.priority, b.reference) = (3, u16::MAX)),
        |m| m.progress.reason = Some(Box::new(Reason::new("no_route", "no route matches", true))),
        |m| {
            let mut reason = Reason::new("carrier_refused", "\"no\"", false);
            (reason.smpp_status, reason.receipt_stat) = (Some(u32::MAX), Some("UNDELIV".into()));
            reason.receipt_err = Some("0x45".into());
            m.progress.reason = Some(Box::new(reason));
        },
        |m| m.progress.submitted_at = Some(START),
        |m| m.progress.final_at = Some(START),
        |m| m.progress.due = Some(START.plus_millis(77)),
        |m| m.progress.attempts = u16::MAX,
        |m| {
            let part = &mut m.progress.parts[0];
            (part.remote_id, part.submitted_at, part.final_at) = (Some("9\"8".into()), Some(START), Some(START));
        },
    ];
    let mut all = world.samples.message();
    for set in fields {
        let mut message = world.samples.message();
        set(&mut message);
        set(&mut all);
        there_and_back(world, message).await;
    }
    there_and_back(world, all).await;
    let mut bare = world.samples.message();
    (bare.progress.connector, bare.progress.due) = (None, None);
    there_and_back(world, bare).await;
}

/// In every field that takes text.
pub async fn odd_texts(world: &World) {
    for text in ODD_TEXTS {
        let mut message = world.samples.message();
        change_body(&mut message, |b| {
            b.account = text.into();
            b.to = Address::from_carrier(text, false);
            b.from = Address::from_carrier(text, false);
            b.content = Content::Text(text.into());
            b.client_ref = Some(text.into());
            b.tags = vec![(text.into(), text.into())];
            b.callback_url = Some(text.into());
        });
        let progress = &mut message.progress;
        progress.connector = Some(text.into());
        progress.reason = Some(Box::new(Reason::new(text, text, false)));
        progress.parts[0].remote_id = Some(text.into());
        progress.events.push(Event {
            at: START,
            what: text.to_owned().into(),
            part: Some(1),
            detail: Some(text.into()),
        });
        there_and_back(world, message).await;

        let mut delivery = world.samples.delivery(0);
        (delivery.account, delivery.event) = (text.into(), text.into());
        (delivery.url, delivery.payload, delivery.last_error) = (Some(text.into()), text.into(), Some(text.into()));
        let mut parked = world.samples.parked(text);
        (parked.remote_id, parked.phone, parked.receipt.stat) = (text.into(), text.into(), text.into());
        let mut answer = world.samples.answer(text);
        answer.1.body = text.into();
        let id = world.samples.id();
        let mut part = super::receipts::mo_part(world, 1);
        part.key.addresses = text.into();
        let changes = Changes {
            answers: vec![answer.clone()],
            remote_ids: vec![world.samples.remote_id(text, id, 0)],
            deliveries: vec![delivery.clone()],
            parked: vec![parked.clone()],
            mo_parts: vec![part.clone()],
            ..Changes::default()
        };
        world.commit(changes).await;
        assert_eq!(world.store.deliveries(&Default::default(), None, 1).await.unwrap(), [delivery]);
        assert_eq!(world.store.parked_for(&[remote_key(text)]).await.unwrap(), [parked]);
        assert_eq!(world.store.idempotency(&answer.0).await.unwrap(), Some(answer.1));
        assert_eq!(world.store.remote_ids(&[remote_key(text)]).await.unwrap()[0].unwrap().message, id);
        assert!(world.store.mo_parts().await.unwrap().contains(&part), "{text:?}");
    }
}

/// As content, header and coding, and as the value of a TLV.
pub async fn all_octets(world: &World) {
    let all: Vec<u8> = (0..=255).collect();
    for (data, udh, dcs) in
        [(&all[..], &all[..], 255), (&[][..], &all[..6], 0), (&all[..], &[][..], 4), (&[], &[], 0xf6)]
    {
        let mut message = world.samples.message();
        change_body(&mut message, |b| {
            b.content = Content::Binary { data: data.into(), udh: udh.into(), dcs };
            b.tlvs = vec![Tlv { tag: 0x1400, value: all.clone().into() }];
        });
        there_and_back(world, message).await;
    }
    let mut long = world.samples.message();
    change_body(&mut long, |b| b.content = Content::Text("漢".repeat(40_000).into()));
    there_and_back(world, long).await;
}

/// As many as a message may have, and none.
pub async fn parts_and_events_in_plenty(world: &World) {
    let mut message = world.samples.message();
    let part = |n: u8| Part {
        status: PartStatus::Sent,
        remote_id: Some(format!("{:064}", n).into()),
        submitted_at: Some(START),
        final_at: None,
    };
    message.progress.parts = (0..255).map(part).collect();
    message.progress.events.clear();
    for n in 0..=EVENTS_MAX {
        message.progress.note(START.plus_millis(n as i64), "receipt", Some(255), Some("x".repeat(n).into()));
    }
    assert_eq!(message.progress.events.len(), EVENTS_MAX);
    there_and_back(world, message).await;
    let mut none = world.samples.message();
    none.progress.parts.clear();
    none.progress.events.clear();
    there_and_back(world, none).await;
}

/// Of ids, of columns, of the queue and of deadlines.
pub async fn times_at_the_ends(world: &World) {
    let ends = [0, 1, 253_402_300_799_999, (1 << 48) - 1];
    for at in ends.map(Timestamp::from_millis) {
        let message = world.samples.message_at(at);
        there_and_back(world, message.clone()).await;
        let (page, _) = world.store.search(&Default::default(), Some(up(message.body.id)), 1).await.unwrap();
        assert_eq!(page, [message]);
    }
    let lane = QueueLane { connector: "carrier-a".into(), shards: 0.into(), priority: 1 };
    for at in [i64::MIN, i64::MIN + 1, -1, i64::MAX].map(Timestamp::from_millis) {
        let mut message = world.samples.message();
        change_body(&mut message, |b| (b.created_at, b.send_at, b.expires_at) = (at, Some(at), at));
        (message.progress.due, message.progress.submitted_at, message.progress.final_at) =
            (Some(at), Some(at), Some(at));
        message.progress.parts[0].final_at = Some(at);
        message.progress.events[0].at = at;
        world.commit(insert_queued(std::slice::from_ref(&message))).await;
        assert_eq!(world.get(message.body.id).await.as_ref(), Some(&message));
        let page = super::queue::due(world, &lane, at).await;
        assert_eq!(page.last().map(|q| q.entry.clone()), Some(place(&message)));
        assert!(world.store.overdue(at, 99).await.unwrap().contains(&message.body.id));
        there_and_back(world, message_like(world, &message)).await;
    }
}

fn message_like(world: &World, message: &Message) -> Message {
    let mut like = message.clone();
    let id = world.samples.id();
    change_body(&mut like, |b| b.id = id);
    like
}

/// Ids that hardly differ: those of messages, and those of deliveries.
pub async fn ids_that_differ_in_their_last_bit_only(world: &World) {
    let first = world.samples.message();
    let mut messages = vec![first];
    for n in 1..4 {
        let mut like = message_like(world, &messages[0]);
        change_body(&mut like, |b| b.id = up(messages[n - 1].body.id));
        messages.push(like);
    }
    world.commit(insert_queued(&messages)).await;
    // A commit that is repeated adds nothing.
    world.commit(insert_queued(&messages)).await;
    for n in [2, 0, 3, 1] {
        messages[n].progress.attempts = 7 + n as u16;
        world.commit(update(&messages[n])).await;
    }
    for message in &messages {
        assert_eq!(world.get(message.body.id).await.as_ref(), Some(message));
        assert_eq!(world.store.queue_entry(message.body.id).await.unwrap(), Some(place(message)));
    }
    assert_eq!(world.get(up(messages[3].body.id)).await, None);
    let (page, _) = world.store.search(&Default::default(), Some(messages[3].body.id), 9).await.unwrap();
    assert_eq!(page, [messages[2].clone(), messages[1].clone(), messages[0].clone()]);

    let mut deliveries = vec![world.samples.delivery(0)];
    for n in 1..4 {
        deliveries.push(world.samples.delivery(0));
        deliveries[n].id = DeliveryId(up(MessageId(deliveries[n - 1].id.0)).0);
    }
    world.commit(Changes { deliveries: deliveries.clone(), ..Changes::default() }).await;
    world.commit(Changes { deliveries: deliveries.clone(), ..Changes::default() }).await;
    let gone = deliveries.remove(1);
    world.commit(Changes { deliveries_done: vec![DeliveryKey::from(&gone)], ..Changes::default() }).await;
    assert_eq!(world.store.delivery_page("hook", None, START, 9).await.unwrap(), deliveries);
    for delivery in &deliveries {
        let one = DeliveryFilter { id: Some(delivery.id), ..DeliveryFilter::default() };
        assert_eq!(world.store.deliveries(&one, None, 9).await.unwrap(), std::slice::from_ref(delivery));
    }
}

/// The id after `id`.
fn up(id: MessageId) -> MessageId {
    MessageId(uuid::Uuid::from_u128(id.0.as_u128() + 1))
}
