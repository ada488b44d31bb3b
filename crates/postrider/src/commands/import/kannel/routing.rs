//! Kannel's conditions to an ordered list of routes.
//!
//! Kannel asks every link whether it takes a message: by the name of a link that the message carries
//! (an account's `forced-smsc` or `default-smsc`), and by prefixes of the recipient. Links that prefer
//! it go before those that merely take it. All of that depends on the sending account's kind and on
//! which of the prefixes that are written down a number begins with, so that it can be worked out
//! beforehand: for each kind of account, longest prefixes first, a route to what Kannel would choose.
//! Where Kannel shares messages among several links, that is a pool.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use model::resources::Kind;
use serde_json::json;

use crate::commands::import::draft::Draft;
use crate::commands::import::section::Place;

use super::Common;

/// Kinds of accounts times prefixes times links that are worked out at most.
const WORK_MAX: usize = 5_000_000;

/// A link, and what it takes.
#[derive(Clone, Debug)]
pub struct Carrier {
    /// Its connectors; the first sends.
    pub ids: Vec<String>,
    /// `smsc-id`.
    pub name: Option<String>,
    pub place: Place,
    /// Does it send at all?
    pub sends: bool,
    /// It has conditions that routes can't have.
    pub closed: bool,
    pub allowed_names: Option<Vec<String>>,
    pub denied_names: Vec<String>,
    pub preferred_names: Vec<String>,
    pub limits: Limits,
    pub preferred: BTreeSet<String>,
}

/// An account, and what it may send.
#[derive(Clone, Debug)]
pub struct Sender {
    pub account: String,
    /// The name of a link that its messages carry.
    pub tag: Option<String>,
    pub limits: Limits,
}

/// Conditions on recipients. Every rule must let a number through.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Limits {
    pub rules: Vec<Rule>,
    /// There is a condition that can't be written down: nothing is let through.
    pub closed: bool,
}

/// Prefixes that are let through, and those that are not.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    pub allowed: Option<BTreeSet<String>>,
    pub denied: Option<BTreeSet<String>>,
}

impl Limits {
    /// Are numbers let through that begin with `prefix`, and with no longer prefix that is written down?
    fn pass(&self, prefix: &str) -> bool {
        !self.closed && self.rules.iter().all(|rule| rule.passes(prefix))
    }

    fn prefixes(&self) -> impl Iterator<Item = &String> {
        self.rules.iter().flat_map(|rule| rule.allowed.iter().chain(&rule.denied)).flatten()
    }
}

impl Rule {
    /// What is both allowed and denied is allowed, and so is what is neither if both are given.
    fn passes(&self, prefix: &str) -> bool {
        match (&self.allowed, &self.denied) {
            (Some(allowed), None) => covers(allowed, prefix),
            (None, Some(denied)) => !covers(denied, prefix),
            (Some(allowed), Some(denied)) => covers(allowed, prefix) || !covers(denied, prefix),
            (None, None) => true,
        }
    }
}

/// Does one of the set begin `prefix`?
fn covers(set: &BTreeSet<String>, prefix: &str) -> bool {
    (1..=prefix.len()).any(|end| prefix.get(..end).is_some_and(|start| set.contains(start)))
}

impl Carrier {
    fn takes(&self, tag: Option<&str>) -> bool {
        let named = |names: &[String]| tag.is_some_and(|tag| names.iter().any(|name| name == tag));
        self.sends
            && !self.closed
            && self.allowed_names.as_ref().is_none_or(|names| named(names))
            && !named(&self.denied_names)
    }

    fn prefers(&self, tag: Option<&str>, prefix: &str) -> bool {
        tag.is_some_and(|tag| self.preferred_names.iter().any(|name| name == tag)) || covers(&self.preferred, prefix)
    }
}

/// Adds the routes of all accounts: those with conditions of their own first, each kind ending with a
/// route for every number, so that the others' routes are never reached by it.
pub fn routes(draft: &mut Draft, common: &Common) {
    if common.carriers.is_empty() {
        return;
    }
    let mut kinds: BTreeMap<(Option<&str>, &Limits), Vec<&str>> = BTreeMap::new();
    let none = Limits::default();
    for sender in &common.senders {
        let kind = (sender.tag.as_deref(), &sender.limits);
        if kind != (None, &none) {
            kinds.entry(kind).or_default().push(&sender.account);
        }
    }
    let written: usize =
        common.carriers.iter().map(|carrier| carrier.limits.prefixes().count() + carrier.preferred.len()).sum();
    if (kinds.len() + 1).saturating_mul(written + 1).saturating_mul(common.carriers.len()) > WORK_MAX {
        let place = &common.carriers[0].place;
        draft.leave_out_at(
            place,
            "smsc",
            "these are more prefixes and accounts than can be worked out; write routes by hand",
        );
        return;
    }
    let mut pools = BTreeMap::new();
    for ((tag, limits), accounts) in kinds {
        Class { common, tag, limits, accounts, pools: &mut pools }.add_to(draft);
    }
    Class { common, tag: None, limits: &none, accounts: Vec::new(), pools: &mut pools }.add_to(draft);
}

/// Accounts whose messages go the same ways.
struct Class<'a> {
    common: &'a Common,
    tag: Option<&'a str>,
    limits: &'a Limits,
    /// Empty is all that have no class of their own.
    accounts: Vec<&'a str>,
    /// Pools that were made, by their links.
    pools: &'a mut BTreeMap<Vec<usize>, String>,
}

impl Class<'_> {
    fn add_to(mut self, draft: &mut Draft) {
        let rest = self.choice("");
        let mut routes: BTreeMap<(Reverse<usize>, Vec<usize>), Vec<&str>> = BTreeMap::new();
        let mut kept = BTreeMap::from([("", (0, rest.clone()))]);
        for prefix in prefixes_of(self.common, self.tag, self.limits) {
            let choice = self.choice(prefix);
            let above = (0..prefix.len()).rev().find_map(|end| kept.get(prefix.get(..end)?));
            let (depth, same) = above.map_or((0, &rest), |(depth, links)| (*depth, links));
            // Where the route of a shorter prefix says the same, none is needed.
            if *same != choice {
                routes.entry((Reverse(depth + 1), choice.clone())).or_default().push(prefix);
                kept.insert(prefix, (depth + 1, choice));
            }
        }
        for ((_, choice), prefixes) in routes {
            self.route(draft, &choice, &prefixes);
        }
        self.route(draft, &rest, &[]);
    }

    /// The links that Kannel would choose from for numbers of a prefix.
    fn choice(&self, prefix: &str) -> Vec<usize> {
        if !self.limits.pass(prefix) || !self.common.limits.pass(prefix) {
            return Vec::new();
        }
        let carriers = self.common.carriers.iter().enumerate();
        let usable: Vec<usize> =
            carriers.filter(|(_, c)| c.takes(self.tag) && c.limits.pass(prefix)).map(|(n, _)| n).collect();
        let preferred: Vec<usize> =
            usable.iter().copied().filter(|n| self.common.carriers[*n].prefers(self.tag, prefix)).collect();
        if preferred.is_empty() { usable } else { preferred }
    }

    fn route(&mut self, draft: &mut Draft, choice: &[usize], prefixes: &[&str]) {
        let to = self.target(draft, choice);
        let who = self.accounts.first().copied().unwrap_or("all");
        let wanted = prefixes.first().map_or_else(|| who.to_owned(), |prefix| format!("{who}-{prefix}"));
        let id = draft.id(Kind::Route, &wanted);
        let mut matches = serde_json::Map::new();
        if !prefixes.is_empty() {
            matches.insert("to_prefix".into(), json!(prefixes));
        }
        if !self.accounts.is_empty() {
            matches.insert("account".into(), json!(self.accounts));
        }
        let place = &self.common.carriers[choice.first().copied().unwrap_or(0)].place;
        let action = to.is_none().then_some("reject");
        draft.add(Kind::Route, &id, place, json!({ "match": matches, "to": to, "action": action }));
    }

    /// A connector, or the pool of several, which share as Kannel's do: the one that has least to do is
    /// next.
    fn target(&mut self, draft: &mut Draft, choice: &[usize]) -> Option<String> {
        let links: Vec<&Carrier> = choice.iter().map(|n| &self.common.carriers[*n]).collect();
        let connectors: Vec<&String> = links.iter().filter_map(|carrier| carrier.ids.first()).collect();
        let (first, others) = connectors.split_first()?;
        if others.is_empty() {
            return Some((*first).clone());
        }
        if let Some(pool) = self.pools.get(choice) {
            return Some(pool.clone());
        }
        let id = draft.id(Kind::Pool, &connectors.iter().map(|id| id.as_str()).collect::<Vec<_>>().join("-"));
        let members: Vec<_> = connectors.iter().map(|id| json!({ "connector": id })).collect();
        let pool = json!({ "strategy": "least-busy", "members": members });
        draft.add(Kind::Pool, &id, &links[0].place, pool);
        self.pools.insert(choice.to_vec(), id.clone());
        Some(id)
    }
}

/// Every prefix that matters to a class, shorter ones first.
fn prefixes_of<'a>(common: &'a Common, tag: Option<&str>, limits: &'a Limits) -> Vec<&'a str> {
    let links = common.carriers.iter().filter(|carrier| carrier.takes(tag));
    let of_links = links.flat_map(|carrier| carrier.limits.prefixes().chain(&carrier.preferred));
    let all: BTreeSet<&str> =
        of_links.chain(limits.prefixes()).chain(common.limits.prefixes()).map(String::as_str).collect();
    let mut all: Vec<&str> = all.into_iter().collect();
    all.sort_by_key(|prefix| prefix.len());
    all
}
