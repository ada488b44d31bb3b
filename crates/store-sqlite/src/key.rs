//! Keys: the integers under which messages and deliveries lie in their tables.
//!
//! A table that SQLite keys by an integer holds its rows in the leaves, and some four hundred keys
//! in an inner page. One that is keyed by an id of 16 octets (`WITHOUT ROWID`) holds whole rows in
//! the inner pages too: nine messages each, so that a million of them lie seven pages deep and every
//! commit writes inner pages anew. So the key is made of those bits of the id that tell ids apart
//! and keep their order.
//!
//! Bits are left out, so two ids may want one key: ids of two processes, say, after the clock was
//! set back. The later one takes the next free key, and the id itself stands in the row. Rows that
//! did so may come in another order than their ids.

use model::{DeliveryId, MessageId};

use crate::days;

/// How many keys from its own on an id may lie under.
pub(crate) const PLACES: i64 = 8;

/// The keys that an id may lie under, its own first.
pub(crate) fn places(key: i64) -> impl Iterator<Item = i64> {
    (0..PLACES).map(move |further| key.saturating_add(further))
}

/// Bits after the time: the counter (26) and the first of the random ones.
const COUNTED_BITS: u32 = 36;
const RANDOM_BITS: u32 = COUNTED_BITS - 26;

/// The key of a message in the table of its day: milliseconds of the day, counter, 10 random bits
/// (RFC 9562 §5.7, as [`model::id::IdMaker`] fills it).
pub(crate) fn of_message(id: MessageId) -> i64 {
    let octets = id.as_bytes();
    let millis = id.made_at().as_millis().rem_euclid(days::DAY_MILLIS);
    let high = i64::from(u16::from_be_bytes([octets[6], octets[7]]) & 0x0fff);
    let low = i64::from(u32::from_be_bytes([octets[8], octets[9], octets[10], octets[11]]) & 0x3fff_ffff);
    // 12 bits, then 14 of the counter with 16 random ones behind them, of which six are left out.
    millis << COUNTED_BITS | high << (14 + RANDOM_BITS) | low >> (16 - RANDOM_BITS)
}

/// When the message of this key was made, in milliseconds of its day.
pub(crate) fn millis_of(key: i64) -> i64 {
    key >> COUNTED_BITS
}

/// The lowest id on `day` with this key.
pub(crate) fn first_id(day: i64, key: i64) -> MessageId {
    let millis = days::unit_start(day, 0) + millis_of(key);
    let mut octets = *MessageId::first_at(model::Timestamp::from_millis(millis)).as_bytes();
    let high = (key >> (14 + RANDOM_BITS) & 0x0fff) as u16 | 0x7000;
    let low = ((key & 0x00ff_ffff) << (16 - RANDOM_BITS)) as u32 | 0x8000_0000;
    octets[6..8].copy_from_slice(&high.to_be_bytes());
    octets[8..12].copy_from_slice(&low.to_be_bytes());
    MessageId(uuid::Uuid::from_bytes(octets))
}

/// The key below which all ids on `day` lie that are lower than `id`; those that share its key are
/// among them too.
pub(crate) fn end_before(day: i64, id: MessageId) -> i64 {
    match id.made_at().day().cmp(&day) {
        std::cmp::Ordering::Less => 0,
        std::cmp::Ordering::Equal => of_message(id).saturating_add(PLACES),
        std::cmp::Ordering::Greater => i64::MAX,
    }
}

/// The key of a delivery: 42 bits of milliseconds (until the year 2109) and 21 of the counter.
pub(crate) fn of_delivery(id: DeliveryId) -> i64 {
    let octets = id.as_bytes();
    let millis = id.made_at().as_millis() & 0x03ff_ffff_ffff;
    let high = i64::from(u16::from_be_bytes([octets[6], octets[7]]) & 0x007f);
    let low = i64::from(u16::from_be_bytes([octets[8], octets[9]]) & 0x3fff);
    millis << 21 | high << 14 | low
}

#[cfg(test)]
mod tests {
    use model::Timestamp;
    use model::id::IdMaker;

    use super::*;

    fn ids(at: i64, count: usize) -> Vec<uuid::Uuid> {
        let mut maker = IdMaker::default();
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = |n: usize| {
            random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(n as u64);
            maker.next(Timestamp::from_millis(at + (n / 100) as i64), random)
        };
        (0..count).map(&mut next).collect()
    }

    #[test]
    fn keys_of_one_maker_differ_and_keep_the_order_of_ids() {
        for at in [0, 1_795_391_990_000, (1 << 42) - 1000] {
            let ids = ids(at, 2000);
            let same_day = |w: &&[uuid::Uuid]| MessageId(w[0]).made_at().day() == MessageId(w[1]).made_at().day();
            assert!(ids.windows(2).filter(same_day).all(|w| of_message(MessageId(w[0])) < of_message(MessageId(w[1]))));
            assert!(ids.windows(2).all(|w| of_delivery(DeliveryId(w[0])) != of_delivery(DeliveryId(w[1]))));
            assert!(ids.iter().all(|id| of_message(MessageId(*id)) >= 0 && of_delivery(DeliveryId(*id)) >= 0));
        }
    }

    #[test]
    fn a_key_gives_back_the_lowest_id_that_has_it() {
        for id in ids(1_795_391_990_000, 500).into_iter().map(MessageId) {
            let first = first_id(id.made_at().day(), of_message(id));
            assert!(first <= id && of_message(first) == of_message(id) && first.made_at() == id.made_at());
        }
    }
}
