//! Prices: exact decimals in millionths of a currency's unit, never floating point.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Digits before the point of an [`Amount`], at the most.
const DIGITS: usize = 12;
/// Decimal places that it keeps.
const PLACES: usize = 6;
const MICROS: i64 = 1_000_000;

/// An amount that is not negative, in millionths of a unit of some currency. Written as a decimal
/// in a string (`"0.035"`); whole numbers are read without quotes too, floating point never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(i64);

/// Why a text is no [`Amount`] or [`Currency`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Something other than digits with at most one point between them.
    #[error("is no decimal such as \"0.035\"")]
    NotADecimal,
    /// More than six decimal places.
    #[error("has more than 6 decimal places")]
    TooFine,
    /// More than twelve digits before the point.
    #[error("is too large")]
    TooLarge,
    /// Not three capital letters.
    #[error("is no ISO 4217 currency code such as EUR")]
    NoCurrency,
}

impl Amount {
    /// The largest there is, in millionths.
    const MOST: i64 = 999_999_999_999_999_999;

    /// From millionths; what is below zero becomes zero, and what is too large the largest there is.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        match micros {
            ..0 => Self(0),
            0..=Self::MOST => Self(micros),
            _ => Self(Self::MOST),
        }
    }

    /// Millionths of the unit.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The amount for `parts` of a message, held at the largest there is.
    #[must_use]
    pub const fn times(self, parts: u16) -> Self {
        Self::from_micros(self.0.saturating_mul(parts as i64))
    }
}

impl FromStr for Amount {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) {
            return Err(MoneyError::NotADecimal);
        }
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > PLACES {
            return Err(MoneyError::TooFine);
        }
        if whole.len() > DIGITS {
            return Err(MoneyError::TooLarge);
        }
        let whole: i64 = whole.parse().map_err(|_| MoneyError::TooLarge)?;
        let micros: i64 = format!("{fraction:0<PLACES$}").parse().map_err(|_| MoneyError::TooFine)?;
        let amount = whole.checked_mul(MICROS).and_then(|whole| whole.checked_add(micros));
        amount.map(Self).ok_or(MoneyError::TooLarge)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, micros) = (self.0 / MICROS, self.0 % MICROS);
        if micros == 0 {
            return write!(f, "{whole}");
        }
        let fraction = format!("{micros:06}");
        write!(f, "{whole}.{}", fraction.trim_end_matches('0'))
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Amount;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a decimal in quotes such as \"0.035\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Amount, E> {
                text.parse().map_err(|error| E::custom(format_args!("\"{text}\" {error}")))
            }

            fn visit_u64<E: de::Error>(self, whole: u64) -> Result<Amount, E> {
                self.visit_str(&whole.to_string())
            }

            fn visit_i64<E: de::Error>(self, whole: i64) -> Result<Amount, E> {
                self.visit_str(&whole.to_string())
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// An ISO 4217 code: three capital letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("only capital letters are put in")
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let code: [u8; 3] = text.as_bytes().try_into().map_err(|_| MoneyError::NoCurrency)?;
        if code.iter().all(u8::is_ascii_uppercase) { Ok(Self(code)) } else { Err(MoneyError::NoCurrency) }
    }
}

impl TryFrom<String> for Currency {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map_err(|error| format!("\"{text}\" {error}"))
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}

/// An amount of a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// How much.
    pub amount: Amount,
    /// Of what.
    pub currency: Currency,
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency.as_str())
    }
}

/// What one part costs, by the digits that the recipient's number begins with. The longest prefix
/// that fits decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceList {
    /// The currency of every amount in it.
    pub currency: Currency,
    /// For numbers that no prefix fits; without it they have no price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Amount>,
    /// Digits, country code first, without `+`, and the amount for each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub prefixes: BTreeMap<String, Amount>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_decimals() {
        for (text, micros, written) in [
            ("0.035", 35_000, "0.035"),
            ("0.10", 100_000, "0.1"),
            ("12", 12_000_000, "12"),
            ("0.000001", 1, "0.000001"),
            ("1.0000000", 1_000_000, "1"),
            ("007.5", 7_500_000, "7.5"),
        ] {
            let amount: Amount = text.parse().unwrap();
            assert_eq!((amount.micros(), amount.to_string().as_str()), (micros, written));
        }
        assert_eq!(Amount::from_micros(35_000).times(3).to_string(), "0.105");
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", "1.2.3", " 1"] {
            assert_eq!(text.parse::<Amount>(), Err(MoneyError::NotADecimal), "{text}");
        }
        assert_eq!("0.0000001".parse::<Amount>(), Err(MoneyError::TooFine));
        assert_eq!(Amount::from_micros(i64::MAX).to_string().parse(), Ok(Amount::from_micros(i64::MAX)));
        assert_eq!(Amount::from_micros(i64::MAX / 2).times(9), Amount::from_micros(i64::MAX));
        assert_eq!("9223372036855".parse::<Amount>(), Err(MoneyError::TooLarge));
        assert_eq!("99999999999999999999".parse::<Amount>(), Err(MoneyError::TooLarge));
        assert!(serde_json::from_str::<Amount>("0.035").is_err(), "floating point is never exact");
    }

    #[test]
    fn a_price_list_is_read_and_written() {
        let toml = r#"
            currency = "EUR"
            default = 1
            prefixes = { 44 = "0.035", 4477 = "0.04" }
        "#;
        let list: PriceList = toml::from_str(toml).unwrap();
        assert_eq!(list.prefixes["4477"], Amount::from_micros(40_000));
        let json = r#"{"currency":"EUR","default":"1","prefixes":{"44":"0.035","4477":"0.04"}}"#;
        assert_eq!(serde_json::to_string(&list).unwrap(), json);
        assert_eq!(serde_json::from_str::<PriceList>(json).unwrap(), list);
        for bad in ["euro", "eur", "ÄÖ"] {
            assert!(serde_json::from_str::<Currency>(&format!("\"{bad}\"")).is_err());
        }
    }
}
