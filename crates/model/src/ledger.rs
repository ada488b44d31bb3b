//! What an account has: exact sums, and the entries that they are made of.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::resources::{Amount, Money, MoneyError};
use crate::{LedgerId, MessageId, Name, Timestamp};

/// Money that may be owed, in millionths of a unit of some currency: 64 bits hold nine million
/// million units exactly, add in one instruction and are one integer in every store. Written as
/// [`Amount`] is, with a `-` before what is owed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sum(i64);

impl Sum {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// From millionths.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Millionths of the unit.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Both together; `None` beyond what can be counted.
    #[must_use]
    pub const fn plus(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// As much on the other side.
    #[must_use]
    pub const fn negative(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl From<Amount> for Sum {
    fn from(amount: Amount) -> Self {
        Self(amount.micros())
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 0 {
            f.write_str("-")?;
        }
        fmt::Display::fmt(&Amount::from_micros(self.0.saturating_abs()), f)
    }
}

impl FromStr for Sum {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        match text.strip_prefix('-') {
            Some(owed) => owed.parse::<Amount>().map(|amount| Self::from(amount).negative()),
            None => text.parse::<Amount>().map(Self::from),
        }
    }
}

impl Serialize for Sum {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sum {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(|error| serde::de::Error::custom(format_args!("\"{text}\" {error}")))
    }
}

/// One movement of an account's money. The balance is the sum of all of them, always.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerEntry {
    /// Its id. That of a charge is its message's, so that a message is charged once.
    pub id: LedgerId,
    /// Whose money.
    pub account: Name,
    /// When it was decided.
    pub at: Timestamp,
    /// What it is for.
    pub kind: LedgerKind,
    /// How much; below zero for what is taken.
    pub amount: Sum,
    /// The message that it is for. A charge or refund without one stands for all of its kind of a day.
    pub message: Option<MessageId>,
    /// What the operator wrote.
    pub note: Option<Box<str>>,
}

/// What a movement of money is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LedgerKind {
    /// A message was accepted.
    Charge,
    /// Parts of a message were never sent.
    Refund,
    /// An operator put money in, or took it out.
    Credit,
}

impl LedgerKind {
    /// Every kind, in the order of their numbers in the store.
    pub const ALL: [LedgerKind; 3] = [LedgerKind::Charge, LedgerKind::Refund, LedgerKind::Credit];
}

impl LedgerEntry {
    /// The entry that stands for all charges, or all refunds, of an account's day in UTC, counted from
    /// 1970-01-01. Its id is always the same, so that what is found later is added to it.
    #[must_use]
    pub fn of_day(account: Name, day: i64, kind: LedgerKind, amount: Sum) -> Self {
        let at = Timestamp::from_millis(day.saturating_mul(86_400_000));
        let mut octets = *LedgerId::first_at(at).as_bytes();
        // Version and variant of a UUIDv7, the counter and all that is random 0 but for the kind.
        octets[6] |= 0x70;
        octets[8] |= 0x80;
        octets[15] = LedgerKind::ALL.iter().position(|one| *one == kind).map_or(0, |place| place as u8 + 1);
        let id = LedgerId(crate::id::Uuid::from_bytes(octets));
        Self { id, account, at, kind, amount, message: None, note: None }
    }

    /// May it become part of its day's entry? Credits stay as they are: they are few, and an operator
    /// wrote what they are for.
    #[must_use]
    pub fn rolls_up(&self) -> bool {
        self.kind != LedgerKind::Credit && self.message.is_some()
    }
}

/// What was charged for a message, and to whom; kept with it, so that the same is given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// The account that paid: the message's own, or one above it.
    pub payer: Name,
    /// What it paid for the whole message.
    pub price: Money,
}

impl Charge {
    /// The price of `unsent` of the `sent_as` parts that the message is sent as.
    #[must_use]
    pub fn share(&self, unsent: usize, sent_as: usize) -> Amount {
        let price = i128::from(self.price.amount.micros());
        let share = price * unsent.min(sent_as) as i128 / sent_as.max(1) as i128;
        Amount::from_micros(i64::try_from(share).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_exact_on_both_sides_of_zero() {
        for (text, micros) in [("0", 0), ("-0.035", -35_000), ("12.5", 12_500_000), ("-7", -7_000_000)] {
            let sum: Sum = text.parse().unwrap();
            assert_eq!((sum.micros(), sum.to_string().as_str()), (micros, text));
            assert_eq!(serde_json::from_str::<Sum>(&format!("\"{text}\"")).unwrap(), sum);
        }
        for bad in ["", "-", "--1", "+1", "1e3", "-0.0000001", "99999999999999999999"] {
            assert!(bad.parse::<Sum>().is_err(), "{bad}");
        }
        assert!(serde_json::from_str::<Sum>("0.5").is_err(), "floating point is never exact");
        assert_eq!(Sum::from_micros(i64::MAX).plus(Sum::from_micros(1)), None);
        let _ = (Sum::from_micros(i64::MIN).to_string(), Sum::from_micros(i64::MIN).negative());
    }

    #[test]
    fn parts_that_were_not_sent_have_their_share() {
        let price = Money { amount: "0.105".parse().unwrap(), currency: "EUR".parse().unwrap() };
        let charge = Charge { payer: "a".into(), price };
        let share = |unsent, sent_as| charge.share(unsent, sent_as).to_string();
        assert_eq!((share(3, 3).as_str(), share(1, 3).as_str(), share(0, 3).as_str()), ("0.105", "0.035", "0"));
        assert_eq!((share(1, 1).as_str(), share(9, 1).as_str(), share(1, 0).as_str()), ("0.105", "0.105", "0"));
    }
}
