//! How a route changes the addresses of what it takes.

use std::borrow::Cow;

use model::resources::{AddressRewrite, Rewrite};
use model::{Address, AddressError, AddressKind};
use regex::Regex;

use crate::chance::below;
use crate::country::{self, CountryId};
use crate::error::{Faults, RuleProblem};
use crate::pattern::{self, PATTERN_MAX};

/// Whose address is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Party {
    Sender,
    Recipient,
}

/// A [`AddressRewrite`], ready for use.
#[derive(Debug)]
pub(crate) struct Change {
    party: Party,
    /// One of these takes the address's place, if there are any.
    fixed: Vec<Address>,
    replace: Option<(Regex, Box<str>)>,
    strip: Box<str>,
    add: Box<str>,
    /// What stands for a name in these countries.
    numbers: Vec<(CountryId, Address)>,
    /// What stands for a name elsewhere.
    number_elsewhere: Option<Address>,
}

/// Both changes of a route: sender, recipient.
pub(crate) fn compile(rewrite: &Rewrite, faults: &mut Faults<'_>) -> (Option<Change>, Option<Change>) {
    let from = rewrite.from.as_ref().map(|change| Change::compile(change, Party::Sender, "rewrite.from", faults));
    let to = rewrite.to.as_ref().map(|change| Change::compile(change, Party::Recipient, "rewrite.to", faults));
    (from, to)
}

impl Change {
    fn compile(change: &AddressRewrite, party: Party, field: &'static str, faults: &mut Faults<'_>) -> Self {
        let mut address = |key: &str, text: &str| {
            let parsed = party.parse(text).map_err(|error| RuleProblem::Address { text: text.to_owned(), error });
            faults.keep(field, format!("{field}.{key}"), parsed)
        };
        let mut fixed: Vec<Address> = change.force.iter().filter_map(|text| address("force", text)).collect();
        fixed.extend(change.random.iter().filter_map(|text| address("random", text)));
        let mut numbers = Vec::new();
        let mut number_elsewhere = None;
        for (iso, text) in &change.alphanumeric {
            match (iso.as_str(), address("alphanumeric", text)) {
                ("*", number) => number_elsewhere = number,
                (iso, number) => numbers.extend(country::find(iso).zip(number)),
            }
        }
        for iso in change.alphanumeric.keys().filter(|iso| *iso != "*" && country::find(iso).is_none()) {
            let problem = RuleProblem::Unknown { what: "country", name: iso.clone() };
            faults.add(field, format!("{field}.alphanumeric"), problem);
        }
        let with = change.with.as_deref().unwrap_or_default();
        if with.chars().count() > PATTERN_MAX {
            faults.add(field, format!("{field}.with"), RuleProblem::TooLong(PATTERN_MAX));
        }
        let replace = change.replace.as_ref().and_then(|pattern| {
            let regex = faults.keep(field, format!("{field}.replace"), pattern::compile(pattern))?;
            Some((regex, with.into()))
        });
        let text = |text: &Option<String>| text.as_deref().unwrap_or_default().into();
        let (strip, add) = (text(&change.strip_prefix), text(&change.add_prefix));
        Self { party, fixed, replace, strip, add, numbers, number_elsewhere }
    }

    /// What becomes of `address`; `None` if it stays as it is. `country` is the recipient's.
    pub fn apply(
        &self,
        address: &Address,
        country: Option<CountryId>,
        random: u64,
    ) -> Result<Option<Address>, AddressError> {
        let chosen = self.fixed.get(below(self.fixed.len() as u64, random) as usize);
        let mut changed = chosen.map(Cow::Borrowed);
        if let Some(edited) = self.edit(chosen.unwrap_or(address))? {
            changed = Some(Cow::Owned(edited));
        }
        let is_name = changed.as_deref().unwrap_or(address).kind() == AddressKind::Alphanumeric;
        if is_name && let Some(number) = self.number_for(country) {
            changed = Some(Cow::Borrowed(number));
        }
        Ok(changed.filter(|changed| **changed != *address).map(Cow::into_owned))
    }

    /// Does it look at the recipient's country?
    pub fn asks_country(&self) -> bool {
        !self.numbers.is_empty()
    }

    fn number_for(&self, country: Option<CountryId>) -> Option<&Address> {
        let here = self.numbers.iter().find(|(id, _)| Some(*id) == country).map(|(_, number)| number);
        here.or(self.number_elsewhere.as_ref())
    }

    /// Replaces, strips and adds; `None` if that changes nothing.
    fn edit(&self, address: &Address) -> Result<Option<Address>, AddressError> {
        let before = address.bare();
        let mut text = Cow::Borrowed(before);
        if let Some((pattern, with)) = &self.replace
            && let Cow::Owned(replaced) = pattern.replace(&text, &**with)
        {
            text = Cow::Owned(replaced);
        }
        if let Some(rest) = text.strip_prefix(&*self.strip).filter(|_| !self.strip.is_empty()) {
            text = Cow::Owned(rest.to_owned());
        }
        if !self.add.is_empty() {
            text = Cow::Owned(format!("{}{text}", self.add));
        }
        if text == before {
            return Ok(None);
        }
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        match address.kind() {
            // Some carriers want numbers as they are dialled inside the country.
            _ if digits && text.starts_with('0') && text.len() <= model::address::E164_DIGITS_MAX => {
                Ok(Some(Address::from_carrier(&text, false)))
            }
            AddressKind::International if digits => self.party.parse(&format!("+{text}")).map(Some),
            _ => self.party.parse(&text).map(Some),
        }
    }
}

impl Party {
    fn parse(self, text: &str) -> Result<Address, AddressError> {
        match self {
            Party::Sender => Address::sender(text, None),
            Party::Recipient => Address::recipient(text, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::resources::Kind;

    fn change(toml: &str, party: Party) -> Result<Change, String> {
        let (mut errors, rewrite) = (Vec::new(), toml::from_str(toml).unwrap());
        let mut faults = Faults { kind: Kind::Route, id: "r", errors: &mut errors, first: None };
        let change = Change::compile(&rewrite, party, "rewrite.from", &mut faults);
        errors.first().map_or(Ok(change), |error| Err(error.to_string()))
    }

    fn sender(toml: &str, from: &str) -> String {
        sender_in(toml, from, "GB", 0)
    }

    fn sender_in(toml: &str, from: &str, country: &str, random: u64) -> String {
        let change = change(toml, Party::Sender).unwrap();
        let from = Address::from_carrier(from, from.starts_with('+'));
        match change.apply(&from, country::find(country), random) {
            Ok(changed) => changed.unwrap_or(from).to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn patterns_and_prefixes_change_the_digits() {
        assert_eq!(sender("replace = '^0'\nwith = '44'", "07700900123"), "+447700900123");
        assert_eq!(sender("replace = '^44'\nwith = '0'", "+447700900123"), "07700900123");
        assert_eq!(sender("strip_prefix = '44'\nadd_prefix = '49'", "+447700900123"), "+497700900123");
        assert_eq!(sender("replace = '^(\\d{2})77(.*)$'\nwith = '$1${2}9'", "+447700900123"), "+44009001239");
        assert_eq!(sender("strip_prefix = '49'", "+447700900123"), "+447700900123");
        assert_eq!(sender("replace = 'SH'\nwith = 'CH'", "SHOP"), "CHOP");
    }

    #[test]
    fn an_address_is_forced_or_drawn() {
        assert_eq!(sender("force = 'SHOP'", "+447700900123"), "SHOP");
        let drawn = |random| sender_in("random = ['A1', 'B2', 'C3']", "x", "GB", random);
        assert_eq!((drawn(0), drawn(u64::MAX / 2), drawn(u64::MAX)), ("A1".into(), "B2".into(), "C3".into()));
        assert_eq!(sender("force = '447700900123'\nreplace = '^44'\nwith = '49'", "x"), "+497700900123");
    }

    #[test]
    fn names_give_way_to_numbers_where_they_must() {
        let toml = "alphanumeric = { US = '+12125550123', '*' = '60777' }";
        assert_eq!(sender_in(toml, "SHOP", "US", 0), "+12125550123");
        assert_eq!(sender_in(toml, "SHOP", "GB", 0), "60777");
        assert_eq!(sender_in(toml, "12345", "US", 0), "12345");
        assert_eq!(sender_in("alphanumeric = { US = '60777' }", "SHOP", "GB", 0), "SHOP");
    }

    #[test]
    fn what_comes_out_as_no_address_is_an_error() {
        assert_eq!(sender("replace = '.*'", "SHOP"), "is empty");
        assert!(sender("add_prefix = 'The best '", "SHOP").contains("longer than the 11"));
        assert!(sender("add_prefix = '4444'", "+447700900123").contains("more than 15 digits"));
        let told = |toml| change(toml, Party::Recipient).unwrap_err();
        assert!(told("force = 'SHOP'").contains("rewrite.from.force: \"SHOP\" is not a phone number"));
        assert!(told("replace = '('").contains("rewrite.from.replace: is no regular expression"));
        assert!(told("alphanumeric = { UU = '60777' }").contains("there is no country \"UU\""));
    }
}
