//! Prices by prefix, ready to be asked.

use std::collections::HashMap;

use model::Address;
use model::resources::{Amount, Currency, Money, PriceList};

use crate::digits::Digits;
use crate::error::RuleProblem;
use crate::trie::Trie;

/// A [`PriceList`], ready to be asked. A million prefixes take one walk over a dozen digits.
#[derive(Debug)]
pub struct PriceTable {
    currency: Currency,
    default: Option<Amount>,
    /// Values are places in `amounts`.
    prefixes: Trie,
    /// Each amount once: carriers have few prices for many prefixes.
    amounts: Vec<Amount>,
}

impl PriceTable {
    /// Compiles `list`; a prefix that is none is refused.
    pub fn new(list: &PriceList) -> Result<Self, RuleProblem> {
        let mut amounts = Vec::new();
        let mut places = HashMap::new();
        let mut entries = Vec::with_capacity(list.prefixes.len());
        for (prefix, amount) in &list.prefixes {
            let digits = Digits::prefix(prefix).ok_or_else(|| RuleProblem::NotAPrefix(prefix.clone()))?;
            let place = *places.entry(*amount).or_insert_with(|| {
                amounts.push(*amount);
                amounts.len() as u32 - 1
            });
            entries.push((digits, place));
        }
        Ok(Self { currency: list.currency, default: list.default, prefixes: Trie::new(entries), amounts })
    }

    /// What a part to `to` costs: by the longest prefix that fits, else the default.
    #[must_use]
    pub fn of(&self, to: &Address) -> Option<Money> {
        let place = self.prefixes.longest(Digits::leading(to.bare()));
        let amount = place.and_then(|place| self.amounts.get(place as usize).copied()).or(self.default)?;
        Some(Money { amount, currency: self.currency })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_decides() {
        let list: PriceList =
            toml::from_str("currency = \"EUR\"\nprefixes = { 44 = \"0.03\", 4477 = \"0.04\", 49 = \"0.03\" }").unwrap();
        let price = |list: &PriceList, to: &str| {
            let to = Address::recipient(to, None).unwrap();
            PriceTable::new(list).unwrap().of(&to).map(|money| money.to_string())
        };
        assert_eq!(price(&list, "+447700900123").as_deref(), Some("0.04 EUR"));
        assert_eq!(price(&list, "+442079460123").as_deref(), Some("0.03 EUR"));
        assert_eq!(price(&list, "+33612345678"), None);
        let with_default = PriceList { default: Some(Amount::from_micros(100_000)), ..list.clone() };
        assert_eq!(price(&with_default, "+33612345678").as_deref(), Some("0.1 EUR"));
        let bad = PriceList { prefixes: [("+44".to_owned(), Amount::default())].into(), ..list };
        assert_eq!(PriceTable::new(&bad).unwrap_err(), RuleProblem::NotAPrefix("+44".into()));
    }
}
