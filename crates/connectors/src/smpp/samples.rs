//! Connectors and messages for tests.

use model::resources::Connector;
use model::{Body, Content, Encoding, IdMaker, MessageId, Timestamp};

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
        content: Content::Text(text.into()),
        encoding,
        reference: 0x1234,
        ..model::samples::body(created_at)
    }
}
