//! What accounts may do and what it costs them, ready to be asked.

use std::collections::HashSet;
use std::sync::Arc;

use model::resources::{Account, Kind, SenderKind, SenderRule};
use model::{Address, AddressKind, country};
use regex::Regex;

use crate::calendar::Calendar;
use crate::country::{Countries, CountryId, find};
use crate::digits::Digits;
use crate::error::{Faults, RuleError};
use crate::pattern;
use crate::price::PriceTable;
use crate::quiet::Quiet;
use crate::zones::Zones;

/// What one account may do.
#[derive(Debug)]
pub struct Admission {
    senders: Option<Senders>,
    countries: Option<CountryList>,
    /// What a part costs, if the account has prices of its own.
    pub prices: Option<PriceTable>,
    /// The clock of its days and months, if it has quotas.
    pub calendar: Option<Calendar>,
    /// When its messages don't go, if that is at any time.
    pub quiet: Option<Arc<Quiet>>,
}

/// Compiles what each of `accounts` may do, in their order; `None` for one that may do everything.
/// A rule with a fault allows nothing, and is told.
#[must_use]
pub fn admissions(accounts: &[Account]) -> (Vec<Option<Admission>>, Vec<RuleError>) {
    let mut errors = Vec::new();
    let (mut countries, mut zones) = (None, None);
    let mut compile = |account: &Account| {
        let senders = (!account.allowed_senders.is_empty()).then(|| Senders::new(account, &mut errors));
        let limited = !account.allowed_countries.is_empty() || !account.denied_countries.is_empty();
        let countries = limited.then(|| {
            let all = countries.get_or_insert_with(|| Arc::new(Countries::new())).clone();
            CountryList::new(account, all)
        });
        let mut faults = Faults { kind: Kind::Account, id: &account.id, errors: &mut errors, first: None };
        let prices = account.price.as_ref().map(PriceTable::new);
        let prices = prices.and_then(|table| faults.keep("price", "price.prefixes".into(), table));
        let calendar = Calendar::new(account.time_zone.as_deref());
        let calendar = faults.keep("time_zone", "time_zone".into(), calendar).filter(|_| account.quota.is_some());
        let quiet = account.quiet_hours.as_deref().and_then(|hours| {
            let zones = zones.get_or_insert_with(|| Arc::new(Zones::new()));
            Quiet::compile(hours, account.time_zone.as_deref(), zones, &mut faults).map(Arc::new)
        });
        let some =
            senders.is_some() || countries.is_some() || prices.is_some() || calendar.is_some() || quiet.is_some();
        some.then_some(Admission { senders, countries, prices, calendar, quiet })
    };
    (accounts.iter().map(&mut compile).collect(), errors)
}

impl Admission {
    /// May this sender be used?
    #[must_use]
    pub fn allows_sender(&self, from: &Address) -> bool {
        self.senders.as_ref().is_none_or(|senders| senders.hold(from))
    }

    /// May messages go to this number? The error is the ISO code of its country; `None` of a
    /// number that belongs to no country, such as a short code.
    pub fn check_country(&self, to: &Address) -> Result<(), Option<&'static str>> {
        self.countries.as_ref().map_or(Ok(()), |countries| countries.check(to))
    }
}

#[derive(Debug)]
struct Senders {
    exact: HashSet<Box<str>>,
    prefixes: Vec<Box<str>>,
    patterns: Vec<Regex>,
    numeric: bool,
    alphanumeric: bool,
}

impl Senders {
    fn new(account: &Account, errors: &mut Vec<RuleError>) -> Self {
        let (exact, prefixes, patterns) = (HashSet::new(), Vec::new(), Vec::new());
        let mut senders = Self { exact, prefixes, patterns, numeric: false, alphanumeric: false };
        let mut faults = Faults { kind: Kind::Account, id: &account.id, errors, first: None };
        for (n, rule) in account.allowed_senders.iter().enumerate() {
            match rule {
                SenderRule::Exact(text) => {
                    senders.exact.extend(Address::sender(text, None).map(|address| address.bare().into()));
                }
                SenderRule::Family(family) => {
                    senders.prefixes.extend(family.prefix.as_deref().map(Into::into));
                    if let Some(regex) = &family.regex {
                        let path = format!("allowed_senders.{n}.regex");
                        senders.patterns.extend(faults.keep("allowed_senders", path, pattern::compile(regex)));
                    }
                    senders.numeric |= family.kind == Some(SenderKind::Numeric);
                    senders.alphanumeric |= family.kind == Some(SenderKind::Alphanumeric);
                }
            }
        }
        senders
    }

    fn hold(&self, from: &Address) -> bool {
        let of_kind = match from.kind() {
            AddressKind::Alphanumeric => self.alphanumeric,
            AddressKind::International | AddressKind::Short => self.numeric,
        };
        let text = from.bare();
        of_kind
            || self.exact.contains(text)
            || self.prefixes.iter().any(|prefix| text.starts_with(&**prefix))
            || self.patterns.iter().any(|pattern| pattern.is_match(text))
    }
}

#[derive(Debug)]
struct CountryList {
    all: Arc<Countries>,
    /// Empty is every country.
    allowed: HashSet<CountryId>,
    denied: HashSet<CountryId>,
}

impl CountryList {
    fn new(account: &Account, all: Arc<Countries>) -> Self {
        let ids = |list: &[String]| list.iter().filter_map(|iso| find(iso)).collect();
        Self { all, allowed: ids(&account.allowed_countries), denied: ids(&account.denied_countries) }
    }

    fn check(&self, to: &Address) -> Result<(), Option<&'static str>> {
        let id = match to.kind() {
            AddressKind::International => self.all.of(Digits::leading(to.bare())),
            AddressKind::Short | AddressKind::Alphanumeric => None,
        };
        let allowed = self.allowed.is_empty() || id.is_some_and(|id| self.allowed.contains(&id));
        let denied = id.is_some_and(|id| self.denied.contains(&id));
        let iso = || id.and_then(|id| country::all().nth(usize::from(id))).map(|country| country.iso);
        if allowed && !denied { Ok(()) } else { Err(iso()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(json: &str) -> (Option<Admission>, Vec<RuleError>) {
        let account: Account = serde_json::from_str(json).unwrap();
        let (mut all, errors) = admissions(&[account]);
        (all.remove(0), errors)
    }

    #[test]
    fn an_account_without_limits_has_none() {
        let (none, errors) = admission(r#"{"id":"a"}"#);
        assert!(none.is_none() && errors.is_empty());
    }

    #[test]
    fn senders_are_allowed_one_by_one_and_by_family() {
        let (admission, errors) = admission(
            r#"{"id":"a","allowed_senders":["SHOP","+44 7700 900123",{"prefix":"4930"},{"regex":"^INFO[0-9]$"}]}"#,
        );
        assert_eq!(errors, []);
        let admission = admission.unwrap();
        for (sender, allowed) in [
            ("SHOP", true),
            ("shop", false),
            ("SHOPS", false),
            ("+447700900123", true),
            ("447700900123", true),
            ("447700900124", false),
            ("+493012345678", true),
            ("INFO7", true),
            ("INFO77", false),
        ] {
            assert_eq!(admission.allows_sender(&Address::sender(sender, None).unwrap()), allowed, "{sender}");
        }
        assert_eq!(admission.check_country(&Address::recipient("+33612345678", None).unwrap()), Ok(()));
    }

    #[test]
    fn kinds_of_senders_are_told_apart() {
        for (kind, numeric) in [("numeric", true), ("alphanumeric", false)] {
            let (admission, _) = admission(&format!(r#"{{"id":"a","allowed_senders":[{{"type":"{kind}"}}]}}"#));
            let admission = admission.unwrap();
            for (sender, is_numeric) in [("SHOP", false), ("60777", true), ("+447700900123", true)] {
                let address = Address::sender(sender, None).unwrap();
                assert_eq!(admission.allows_sender(&address), numeric == is_numeric, "{kind}: {sender}");
            }
        }
    }

    #[test]
    fn countries_are_allowed_and_denied() {
        let check = |json: &str, to: &str| {
            let (admission, _) = admission(json);
            admission.unwrap().check_country(&Address::recipient(to, None).unwrap())
        };
        let some = r#"{"id":"a","allowed_countries":["gb","US"]}"#;
        assert_eq!(check(some, "+447700900123"), Ok(()));
        assert_eq!(check(some, "+33612345678"), Err(Some("FR")));
        assert_eq!(check(some, "+14165550123"), Err(Some("CA")));
        assert_eq!(check(some, "60777"), Err(None));
        let most = r#"{"id":"a","denied_countries":["FR"]}"#;
        assert_eq!(check(most, "+33612345678"), Err(Some("FR")));
        assert_eq!((check(most, "+447700900123"), check(most, "60777")), (Ok(()), Ok(())));
    }

    #[test]
    fn a_time_zone_that_is_none_is_told() {
        let (none, errors) = admission(r#"{"id":"a","quota":{"daily":1},"time_zone":"Europe/Atlantis"}"#);
        assert!(none.is_none());
        assert_eq!(
            errors[0].to_string(),
            r#"account "a": time_zone: there is no time zone "Europe/Atlantis"; add it or correct the name"#
        );
    }

    #[test]
    fn a_pattern_that_is_none_is_told_and_allows_nothing() {
        let (admission, errors) = admission(r#"{"id":"a","allowed_senders":[{"regex":"("}]}"#);
        assert_eq!(errors[0].field, "allowed_senders.0.regex");
        assert!(!admission.unwrap().allows_sender(&Address::sender("SHOP", None).unwrap()));
    }
}
