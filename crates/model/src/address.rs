//! Addresses: who a message is for and from whom it is said to be.
//!
//! One string says everything: `+447700900123` is an international number (E.164), `60777` a short
//! code or a number whose kind only the carrier knows, anything else (`SHOP`) is alphanumeric.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::country::Country;

/// Digits of the longest E.164 number (ITU-T E.164 §6.2.1).
pub const E164_DIGITS_MAX: usize = 15;
/// Digits below which a number can't be international, so it is taken for a short code.
const E164_DIGITS_MIN: usize = 7;
/// Longest short code or national sender that is passed on as it stands.
const SHORT_DIGITS_MAX: usize = 8;
/// Most characters of an alphanumeric sender (3GPP 23.040 §9.1.2.5: 11 septet characters).
pub const ALPHANUMERIC_MAX: usize = 11;

/// A normalised address. Cheap to compare; ordered as text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Address(Box<str>);

/// What an [`Address`] is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AddressKind {
    /// E.164: a country code and a national number.
    International,
    /// Digits without a country: a short code, or whatever the carrier takes them for.
    Short,
    /// A name, as senders may have.
    Alphanumeric,
}

/// Why a text is no address. It is the caller's fault in every case.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AddressError {
    /// Nothing was given.
    #[error("is empty")]
    Empty,
    /// A recipient with letters or signs in it.
    #[error("is not a phone number: only digits, a leading + and the separators space - . ( ) / are understood")]
    NotANumber,
    /// More than [`E164_DIGITS_MAX`] digits.
    #[error("has more than 15 digits, the most that E.164 allows")]
    TooLong,
    /// Too few digits to be a number of any network.
    #[error("has too few digits")]
    TooShort,
    /// An international number that begins with 0: no country code does.
    #[error("begins with 0: write it as +<country code><number>, or give the account a default_country")]
    NoCountry,
    /// An alphanumeric sender of more than [`ALPHANUMERIC_MAX`] characters.
    #[error("is longer than the 11 characters that an alphanumeric sender may have")]
    NameTooLong,
    /// An alphanumeric sender with a character that SMSCs do not take.
    #[error("holds {0:?}: an alphanumeric sender has printable ASCII characters only")]
    NameCharacter(char),
}

impl Address {
    /// A recipient as an application writes it: E.164 with or without `+`, `00` and the number, or
    /// as `country` writes its own numbers. Fewer than 7 digits make a short code.
    pub fn recipient(text: &str, country: Option<&Country>) -> Result<Self, AddressError> {
        let (plus, digits) = digits_of(text).ok_or(AddressError::NotANumber)?;
        Self::from_digits(plus, digits, country, E164_DIGITS_MIN)
    }

    /// A sender as an application writes it: a number, a short code of up to 8 digits, or a name
    /// of up to 11 printable ASCII characters.
    pub fn sender(text: &str, country: Option<&Country>) -> Result<Self, AddressError> {
        let text = text.trim();
        match digits_of(text) {
            Some((plus, digits)) if text.bytes().any(|b| b.is_ascii_digit()) => {
                if !plus && digits.as_str().len() <= SHORT_DIGITS_MAX {
                    return Ok(Self(digits.as_str().into()));
                }
                Self::from_digits(plus, digits, country, SHORT_DIGITS_MAX + 1)
            }
            _ => Self::alphanumeric(text),
        }
    }

    /// An address from a carrier: taken as it comes, for what is wrong in it can't be helped here.
    /// `international` says that the digits are E.164 (SMPP TON 1).
    #[must_use]
    pub fn from_carrier(text: &str, international: bool) -> Self {
        let text = text.trim();
        let digits = text.strip_prefix('+').unwrap_or(text);
        let numeric = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        if numeric && (international || digits.len() < text.len()) {
            Self(format!("+{digits}").into())
        } else {
            Self(text.into())
        }
    }

    fn alphanumeric(text: &str) -> Result<Self, AddressError> {
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        if text.chars().count() > ALPHANUMERIC_MAX {
            return Err(AddressError::NameTooLong);
        }
        match text.chars().find(|c| !(' '..='~').contains(c)) {
            Some(c) => Err(AddressError::NameCharacter(c)),
            None => Ok(Self(text.into())),
        }
    }

    fn from_digits(
        plus: bool,
        digits: Digits,
        country: Option<&Country>,
        international_from: usize,
    ) -> Result<Self, AddressError> {
        let all = digits.as_str();
        if all.is_empty() {
            return Err(AddressError::Empty);
        }
        let (plus, rest) = match all.strip_prefix("00") {
            Some(rest) if !plus => (true, rest),
            _ => (plus, all),
        };
        if !plus {
            if let Some(national) = country.and_then(|c| c.national_number(rest)) {
                let code = country.map_or("", |c| c.calling_code);
                return Self::international(code, national);
            }
            if rest.len() < international_from {
                return if rest.len() < 3 { Err(AddressError::TooShort) } else { Ok(Self(rest.into())) };
            }
        }
        Self::international("", rest)
    }

    fn international(code: &str, rest: &str) -> Result<Self, AddressError> {
        let length = code.len() + rest.len();
        let first = code.bytes().chain(rest.bytes()).next();
        if first == Some(b'0') {
            Err(AddressError::NoCountry)
        } else if length < E164_DIGITS_MIN {
            Err(AddressError::TooShort)
        } else if length > E164_DIGITS_MAX {
            Err(AddressError::TooLong)
        } else {
            let mut text = String::with_capacity(length + 1);
            text.push('+');
            text.push_str(code);
            text.push_str(rest);
            Ok(Self(text.into()))
        }
    }

    /// The address as it is written everywhere: `+447700900123`, `60777`, `SHOP`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Without the `+`: what goes into the address field of most protocols.
    #[must_use]
    pub fn bare(&self) -> &str {
        self.0.strip_prefix('+').unwrap_or(&self.0)
    }

    /// What this address is.
    #[must_use]
    pub fn kind(&self) -> AddressKind {
        if self.0.starts_with('+') {
            AddressKind::International
        } else if self.0.bytes().all(|b| b.is_ascii_digit()) {
            AddressKind::Short
        } else {
            AddressKind::Alphanumeric
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Digits on the stack: the most that is looked at is one more than can be right.
struct Digits {
    octets: [u8; E164_DIGITS_MAX + 3],
    length: usize,
}

impl Digits {
    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.octets[..self.length]).expect("only ASCII digits are put in")
    }
}

/// A leading `+` and the digits of a phone number with its separators; `None` if it holds
/// anything else. Digits after the 18th are dropped: such a number is too long either way.
fn digits_of(text: &str) -> Option<(bool, Digits)> {
    let text = text.trim();
    let (plus, rest) = match text.strip_prefix('+') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut digits = Digits { octets: [0; E164_DIGITS_MAX + 3], length: 0 };
    for octet in rest.bytes() {
        match octet {
            b'0'..=b'9' if digits.length < digits.octets.len() => {
                digits.octets[digits.length] = octet;
                digits.length += 1;
            }
            b'0'..=b'9' | b' ' | b'-' | b'.' | b'(' | b')' | b'/' => {}
            _ => return None,
        }
    }
    Some((plus, digits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::country;

    fn recipient(text: &str, country: &str) -> Result<String, AddressError> {
        Address::recipient(text, country::find(country)).map(|a| a.to_string())
    }

    #[test]
    fn recipients_become_e164() {
        assert_eq!(recipient("+447700900123", "").unwrap(), "+447700900123");
        assert_eq!(recipient("447700900123", "").unwrap(), "+447700900123");
        assert_eq!(recipient("0044 7700 900-123", "").unwrap(), "+447700900123");
        assert_eq!(recipient("(07700) 900123", "GB").unwrap(), "+447700900123");
        assert_eq!(recipient("447700900123", "GB").unwrap(), "+447700900123");
        assert_eq!(recipient("212 555 0123", "US").unwrap(), "+12125550123");
        assert_eq!(recipient("12125550123", "US").unwrap(), "+12125550123");
        assert_eq!(recipient("612345678", "ES").unwrap(), "+34612345678");
        assert_eq!(recipient("89161234567", "RU").unwrap(), "+79161234567");
        assert_eq!(recipient("60777", "GB").unwrap(), "60777");
    }

    #[test]
    fn what_is_no_number_is_refused_with_the_reason() {
        assert_eq!(recipient("", ""), Err(AddressError::Empty));
        assert_eq!(recipient("Bob", ""), Err(AddressError::NotANumber));
        assert_eq!(recipient("+1234567890123456", ""), Err(AddressError::TooLong));
        assert_eq!(recipient("07700900123", ""), Err(AddressError::NoCountry));
        assert_eq!(recipient("12", ""), Err(AddressError::TooShort));
        assert_eq!(recipient("+12", ""), Err(AddressError::TooShort));
        assert_eq!(recipient(&"9".repeat(10_000), ""), Err(AddressError::TooLong));
    }

    #[test]
    fn senders_are_numbers_short_codes_or_names() {
        let sender = |text: &str| Address::sender(text, None).map(|a| (a.to_string(), a.kind()));
        assert_eq!(sender("SHOP").unwrap(), ("SHOP".into(), AddressKind::Alphanumeric));
        assert_eq!(sender("60777").unwrap(), ("60777".into(), AddressKind::Short));
        assert_eq!(sender("447700900123").unwrap(), ("+447700900123".into(), AddressKind::International));
        assert_eq!(sender("My Shop 24").unwrap().1, AddressKind::Alphanumeric);
        assert_eq!(sender("TwelveLetter"), Err(AddressError::NameTooLong));
        assert_eq!(sender("Café"), Err(AddressError::NameCharacter('é')));
        assert_eq!(sender(" "), Err(AddressError::Empty));
    }

    #[test]
    fn carriers_addresses_are_taken_as_they_come() {
        assert_eq!(Address::from_carrier("447700900123", true).as_str(), "+447700900123");
        assert_eq!(Address::from_carrier("60777", false).as_str(), "60777");
        assert_eq!(Address::from_carrier("+49", false).as_str(), "+49");
        assert_eq!(Address::from_carrier("Bank", true).as_str(), "Bank");
        assert_eq!(Address::from_carrier("+4477", true).bare(), "4477");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_an_address_or_an_error(text in ".{0,40}") {
            for country in [None, country::find("GB"), country::find("US")] {
                if let Ok(address) = Address::recipient(&text, country) {
                    // What came out normalised goes in again unchanged.
                    assert_eq!(Address::recipient(address.as_str(), None).unwrap(), address);
                }
                let _ = Address::sender(&text, country);
            }
        }
    }
}
