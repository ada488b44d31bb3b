//! Which messages a route is for: its `match`, ready to be asked.

use jiff::tz::TimeZoneDatabase;
use model::Encoding;
use model::resources::{INGRESSES, PartRange, RouteMatch};
use regex::Regex;

use crate::country::{self, CountryId};
use crate::digits::{Digits, PrefixSet};
use crate::error::{Faults, RuleProblem};
use crate::pattern;
use crate::question::Asked;
use crate::window::Window;

/// The conditions of one route. Those that most routes have stand in it, the others apart, so
/// that a hundred thousand plain rules stay small.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    pub prefixes: PrefixSet,
    /// Sorted, each once.
    pub countries: Box<[CountryId]>,
    /// Sorted, each once.
    pub accounts: Box<[Box<str>]>,
    /// Sorted, each once.
    pub senders: Box<[Box<str>]>,
    rare: Option<Box<Rare>>,
}

#[derive(Debug)]
struct Rare {
    ingresses: Box<[Box<str>]>,
    sender_prefixes: Box<[Box<str>]>,
    sender_pattern: Option<Regex>,
    priorities: Box<[u8]>,
    encodings: Box<[Encoding]>,
    parts: Option<PartRange>,
    tags: Box<[WantedTag]>,
    windows: Box<[Window]>,
    networks: Box<[Box<str>]>,
    text: Option<Regex>,
}

/// A tag's key and the values that match; none is any.
type WantedTag = (Box<str>, Box<[Box<str>]>);

impl Conditions {
    /// Compiles `wanted`; `is_account` says which accounts there are.
    pub fn compile(
        wanted: &RouteMatch,
        is_account: impl Fn(&str) -> bool,
        zones: &TimeZoneDatabase,
        faults: &mut Faults<'_>,
    ) -> Self {
        let mut prefixes = Vec::with_capacity(wanted.to_prefix.len());
        for prefix in &wanted.to_prefix {
            let digits = Digits::prefix(prefix).ok_or_else(|| RuleProblem::NotAPrefix(prefix.clone()));
            prefixes.extend(faults.keep("to_prefix", "match.to_prefix".into(), digits));
        }
        let mut unknown = |field: &'static str, what: &'static str, name: &String| {
            faults.add(field, format!("match.{field}"), RuleProblem::Unknown { what, name: name.clone() });
        };
        let mut countries = Vec::with_capacity(wanted.to_country.len());
        for iso in &wanted.to_country {
            match country::find(iso) {
                Some(id) => countries.push(id),
                None => unknown("to_country", "country", iso),
            }
        }
        countries.sort_unstable();
        countries.dedup();
        wanted.account.iter().filter(|a| !is_account(a)).for_each(|a| unknown("account", "account", a));
        let is_ingress = |name: &String| INGRESSES.contains(&name.as_str());
        wanted.ingress.iter().filter(|i| !is_ingress(i)).for_each(|i| unknown("ingress", "ingress", i));
        Self {
            prefixes: PrefixSet::new(prefixes),
            countries: countries.into(),
            accounts: sorted(&wanted.account),
            senders: sorted(&wanted.from),
            rare: Rare::compile(wanted, zones, faults).map(Box::new),
        }
    }

    /// Do they look at how the message goes over the air?
    pub fn asks_size(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| !rare.encodings.is_empty() || rare.parts.is_some())
    }

    /// The field that stands against the message, if any does. The prefix of the recipient is
    /// the only condition that takes time by itself, so it is left out where the index knows it.
    pub fn against(&self, asked: Asked<'_>, prefix_is_known: bool) -> Option<&'static str> {
        let question = asked.question;
        if !prefix_is_known && !self.prefixes.is_empty() && !self.prefixes.holds(asked.digits) {
            Some("to_prefix")
        } else if !self.countries.is_empty()
            && asked.country.is_none_or(|country| self.countries.binary_search(&country).is_err())
        {
            Some("to_country")
        } else if !self.accounts.is_empty() && !has(&self.accounts, question.account) {
            Some("account")
        } else if !self.senders.is_empty()
            && !has(&self.senders, question.from.as_str())
            && !has(&self.senders, question.from.bare())
        {
            Some("from")
        } else {
            self.rare.as_ref().and_then(|rare| rare.against(asked))
        }
    }
}

impl Rare {
    /// `None` if the route asks for nothing of this.
    fn compile(wanted: &RouteMatch, zones: &TimeZoneDatabase, faults: &mut Faults<'_>) -> Option<Self> {
        let mut regex = |field: &'static str, pattern: &Option<String>| {
            let compiled = pattern.as_deref().map(pattern::compile)?;
            faults.keep(field, format!("match.{field}"), compiled)
        };
        let (sender_pattern, text) = (regex("from_regex", &wanted.from_regex), regex("text", &wanted.text));
        let windows: Box<[Window]> =
            wanted.time.iter().enumerate().filter_map(|(n, w)| Window::compile(w, n, zones, faults)).collect();
        let rare = Self {
            ingresses: boxed(&wanted.ingress),
            sender_prefixes: boxed(&wanted.from_prefix),
            sender_pattern,
            priorities: wanted.priority.as_slice().into(),
            encodings: wanted.encoding.as_slice().into(),
            parts: wanted.parts,
            tags: wanted.tags.iter().map(|(key, values)| (key.as_str().into(), boxed(values))).collect(),
            windows,
            networks: boxed(&wanted.network),
            text,
        };
        rare.asks().then_some(rare)
    }

    fn asks(&self) -> bool {
        !self.ingresses.is_empty()
            || !self.sender_prefixes.is_empty()
            || self.sender_pattern.is_some()
            || !self.priorities.is_empty()
            || !self.encodings.is_empty()
            || self.parts.is_some()
            || !self.tags.is_empty()
            || !self.windows.is_empty()
            || !self.networks.is_empty()
            || self.text.is_some()
    }

    fn against(&self, asked: Asked<'_>) -> Option<&'static str> {
        let question = asked.question;
        let sender = question.from.bare();
        let is = |list: &[Box<str>], name: &str| list.iter().any(|entry| **entry == *name);
        if !self.ingresses.is_empty() && !question.ingress.is_some_and(|name| is(&self.ingresses, name)) {
            Some("ingress")
        } else if !self.networks.is_empty() && !question.network.is_some_and(|network| is(&self.networks, network)) {
            Some("network")
        } else if !self.sender_prefixes.is_empty() && !self.sender_prefixes.iter().any(|p| sender.starts_with(&**p)) {
            Some("from_prefix")
        } else if !self.priorities.is_empty() && !question.priority.is_some_and(|p| self.priorities.contains(&p)) {
            Some("priority")
        } else if !self.encodings.is_empty() && !question.encoding.is_some_and(|e| self.encodings.contains(&e)) {
            Some("encoding")
        } else if self.parts.is_some_and(|range| !question.parts.is_some_and(|parts| in_range(range, parts))) {
            Some("parts")
        } else if !self.tags.iter().all(|(key, values)| has_tag(question.tags, key, values)) {
            Some("tags")
        } else if !self.windows.is_empty()
            && !question.now.is_some_and(|now| self.windows.iter().any(|window| window.holds(now)))
        {
            Some("time")
        } else if self.sender_pattern.as_ref().is_some_and(|pattern| !pattern.is_match(sender)) {
            Some("from_regex")
        } else if self.text.as_ref().is_some_and(|p| !question.text.is_some_and(|text| p.is_match(text))) {
            Some("text")
        } else {
            None
        }
    }
}

fn boxed(list: &[String]) -> Box<[Box<str>]> {
    list.iter().map(|text| text.as_str().into()).collect()
}

fn sorted(list: &[String]) -> Box<[Box<str>]> {
    let mut list: Vec<Box<str>> = list.iter().map(|text| text.as_str().into()).collect();
    list.sort_unstable();
    list.dedup();
    list.into()
}

fn has(sorted: &[Box<str>], text: &str) -> bool {
    sorted.binary_search_by(|entry| (**entry).cmp(text)).is_ok()
}

fn in_range(range: PartRange, parts: u16) -> bool {
    (range.min.unwrap_or(0)..=range.max.unwrap_or(u16::MAX)).contains(&parts)
}

fn has_tag(tags: &[(Box<str>, Box<str>)], key: &str, values: &[Box<str>]) -> bool {
    tags.iter().any(|(k, value)| **k == *key && (values.is_empty() || values.contains(value)))
}
