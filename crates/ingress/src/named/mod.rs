//! What UCP and CIMD2 have in common: both know a message by its recipient and the second in which it was
//! taken, write times without a zone, and carry user data as the air does.

mod clock;
mod content;
mod find;
mod incoming;
mod names;

pub(crate) use clock::{Clock, Digits};
pub(crate) use content::UserData;
pub(crate) use find::{Named, find};
pub(crate) use incoming::{Incoming, IncomingPart};
pub(crate) use names::{AccountNames, Names, seed};

use model::ReceiptWish;
use model::dialect::named_wish;

/// What carriers are asked for, so that receipts of these kinds can be told.
pub(crate) fn receipt_wish(wish: u8) -> ReceiptWish {
    if wish == 0 {
        ReceiptWish::None
    } else if wish & named_wish::BUFFERED != 0 {
        ReceiptWish::All
    } else if wish == named_wish::DELIVERED {
        ReceiptWish::Success
    } else if wish & named_wish::DELIVERED == 0 {
        ReceiptWish::Failure
    } else {
        ReceiptWish::Final
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carriers_are_asked_for_what_covers_the_wish() {
        use named_wish::{BUFFERED, CANCELED, DELIVERED, EXPIRED, FAILED};
        let asked = [0, DELIVERED, FAILED | EXPIRED, DELIVERED | FAILED, BUFFERED, 31, CANCELED].map(receipt_wish);
        use ReceiptWish::{All, Failure, Final, None, Success};
        assert_eq!(asked, [None, Success, Failure, Final, All, All, Failure]);
    }
}
