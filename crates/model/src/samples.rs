//! A message for tests, of this crate and of those that stand on it.

use uuid::Uuid;

use crate::{Address, Body, Content, MessageId, ReceiptWish, Timestamp};

/// The text "hello" from `SHOP` to +447700900123, of account `shop`, accepted at `at`, with an hour
/// to go. Take what else a test needs with `Body { …, ..body(at) }`.
#[must_use]
pub fn body(at: Timestamp) -> Body {
    let (from, to) = (Address::from_carrier("SHOP", false), Address::from_carrier("+447700900123", true));
    let plain = Body::plain(MessageId(Uuid::nil()), (from, to), Content::Text("hello".into()), at);
    Body { account: "shop".into(), receipt: ReceiptWish::Final, expires_at: at.plus_seconds(3600), ..plain }
}
