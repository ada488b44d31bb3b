//! Connectors and messages for tests.

use std::sync::Arc;

use model::resources::Connector;
use model::{Address, Body, Content, Direction, Encoding, IdMaker, Ingress, MessageId, ReceiptWish, Timestamp};

/// A connector with these settings, as TOML.
pub fn connector(settings: &str) -> Connector {
    let settings = format!("id = \"a\"\nprotocol = \"smpp\"\naddress = \"localhost:2775\"\n{settings}");
    from_toml(&settings)
}

fn from_toml(text: &str) -> Connector {
    toml::from_str(text).expect("a connector")
}

pub fn message_id(number: u64) -> MessageId {
    MessageId(IdMaker::default().next(Timestamp::from_millis(1_795_378_496_000), number))
}

/// A text from SHOP to +447700900123, accepted at 2026-11-22T20:14:56Z.
pub fn text(text: &str, encoding: Encoding) -> Body {
    let created_at = Timestamp::from_millis(1_795_378_496_000);
    Body {
        id: message_id(7),
        direction: Direction::Mt,
        ingress: Ingress::Http,
        account: Arc::from("shop"),
        to: Address::recipient("+447700900123", None).unwrap(),
        from: Address::sender("SHOP", None).unwrap(),
        content: Content::Text(text.into()),
        encoding,
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
        reference: 0x1234,
        wide_reference: false,
        shift: (0, 0),
        batch: None,
        created_at,
        send_at: None,
        expires_at: created_at.plus_seconds(3600),
        validity_given: false,
        plan: None,
        charge: None,
    }
}
