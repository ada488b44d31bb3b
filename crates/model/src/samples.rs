//! Messages for tests, here and in the crates above: each test says only what it is about.

use uuid::Uuid;

use crate::{Address, Body, Content, Direction, Encoding, Ingress, MessageId, ReceiptWish, Timestamp};

/// The text "hello" from `SHOP` to +447700900123, of account `shop`, accepted at `at`, with an hour
/// to go. Take what else a test needs with `Body { …, ..body(at) }`.
#[must_use]
pub fn body(at: Timestamp) -> Body {
    Body {
        id: MessageId(Uuid::nil()),
        direction: Direction::Mt,
        ingress: Ingress::Http,
        account: "shop".into(),
        to: Address::from_carrier("+447700900123", true),
        from: Address::from_carrier("SHOP", false),
        content: Content::Text("hello".into()),
        encoding: Encoding::Gsm7,
        transliterate: false,
        class: None,
        priority: 1,
        receipt: ReceiptWish::Final,
        client_ref: None,
        supersede_key: None,
        ignore_quiet_hours: false,
        tags: Vec::new(),
        callback_url: None,
        dialect: None,
        passed_on: None,
        tlvs: Vec::new(),
        reference: 0,
        wide_reference: false,
        shift: (0, 0),
        batch: None,
        created_at: at,
        send_at: None,
        expires_at: at.plus_seconds(3600),
        validity_given: false,
        plan: None,
        charge: None,
    }
}
