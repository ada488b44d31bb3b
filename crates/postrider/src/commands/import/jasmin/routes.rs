//! Filters, and the routes of both directions that are made of them.

use std::collections::BTreeMap;

use model::resources::Kind;
use serde_json::{Map, Value, json};

use crate::commands::import::common::called;
use crate::commands::import::draft::Draft;
use crate::commands::import::pattern::{self, Tail};
use crate::commands::import::section::{Section, Setting};

use super::Known;
use super::console::{Item, State};

/// A filter: its kind in lower case, and what it asks for.
pub struct Filter {
    kind: String,
    argument: Option<Setting>,
}

/// A list that a field of `match` must be one of.
type Condition = (&'static str, Vec<String>);

/// The filters by `fid`.
pub fn filters(state: &State, draft: &mut Draft) -> BTreeMap<String, Filter> {
    let mut filters = BTreeMap::new();
    for Item { id, mut section, .. } in state.of("filter") {
        section.take("fid");
        let kind = section.text("type").unwrap_or_default().to_lowercase();
        let argument = ["uid", "gid", "cid", "source_addr", "destination_addr", "short_message"]
            .iter()
            .find_map(|key| section.take(key));
        if matches!(kind.as_str(), "dateintervalfilter" | "timeintervalfilter" | "tagfilter" | "evalpyfilter") {
            draft.leave_out_at(&section.place, &kind, "has no counterpart; routes with this filter are left out");
        } else {
            draft.leave_out_rest(section, |_| "is not used by this kind of filter");
        }
        filters.insert(id, Filter { kind, argument });
    }
    filters
}

/// MT routes, which Jasmin asks from the highest order to the lowest.
pub fn outgoing(state: &State, filters: &BTreeMap<String, Filter>, draft: &mut Draft, known: &Known) {
    for item in ordered(state, "mtrouter") {
        let (order, mut section) = (item.id, item.section);
        let Some(matches) = conditions(&mut section, filters, draft, |filter| mt_condition(filter, known)) else {
            continue;
        };
        let Some((named, mut targets)) = targets(&mut section, draft) else { continue };
        targets.retain(|(kind, _)| kind == "smppc");
        let connectors: Vec<&String> = targets.iter().filter_map(|(_, cid)| known.connectors.get(cid)).collect();
        let Some(first) = connectors.first() else {
            draft.leave_out(&named, "names no connector that was imported; the route is left out");
            continue;
        };
        let id = draft.id(Kind::Route, &format!("mt-{order}"));
        let place = section.place.clone();
        let mut to = (*first).clone();
        if connectors.len() > 1 {
            // A failover route tries them in their order, a random one shares among them.
            let failover = section.peek("type").is_some_and(|kind| kind.to_lowercase().contains("failover"));
            let strategy = if failover { "failover" } else { "round-robin" };
            let members: Vec<Value> = connectors.iter().map(|id| json!({ "connector": id })).collect();
            to = draft.id(Kind::Pool, &format!("mt-{order}"));
            draft.add(Kind::Pool, &to, &place, json!({ "strategy": strategy, "members": members }));
        }
        draft.add(Kind::Route, &id, &place, json!({ "match": matches, "to": to }));
        finish(section, draft);
    }
    interceptors(state, draft);
}

/// MO routes: inbound rules, and accounts for the HTTP connectors that they lead to.
pub fn incoming(state: &State, filters: &BTreeMap<String, Filter>, draft: &mut Draft, known: &mut Known) {
    for item in ordered(state, "morouter") {
        let (order, mut section) = (item.id, item.section);
        let Some(matches) = conditions(&mut section, filters, draft, |filter| mo_condition(filter, known)) else {
            continue;
        };
        let Some((named, targets)) = targets(&mut section, draft) else { continue };
        let several = targets.len() > 1;
        let mut account = None;
        for (kind, name) in targets {
            account = match kind.as_str() {
                "http" => hooked(&name, draft, known),
                "smpps" => known.names.get(&name).cloned(),
                _ => None,
            };
            if account.is_some() {
                break;
            }
        }
        let Some(account) = account else {
            draft.leave_out(&named, "names nothing that was imported; the route is left out");
            continue;
        };
        if several {
            draft.leave_out(&named, format!("one account gets a message; here it is always {account}"));
        }
        let id = draft.id(Kind::Inbound, &format!("mo-{order}"));
        let place = section.place.clone();
        draft.add(Kind::Inbound, &id, &place, json!({ "match": matches, "account": account }));
        finish(section, draft);
    }
}

/// The account whose webhook is an HTTP connector.
fn hooked(cid: &str, draft: &mut Draft, known: &mut Known) -> Option<String> {
    if let Some(account) = known.hooked.get(cid) {
        return Some(account.clone());
    }
    let (url, style) = known.hooks.get(cid)?;
    let address = called(url, draft)?;
    let account = draft.id(Kind::Account, cid);
    let resource = json!({ "webhooks": [{ "url": address, "style": style, "events": ["message.received"] }] });
    draft.add(Kind::Account, &account, &url.place, resource);
    known.hooked.insert(cid.to_owned(), account.clone());
    Some(account)
}

fn ordered(state: &State, manager: &str) -> Vec<Item> {
    let mut items: Vec<Item> = state.of(manager).collect();
    items.sort_by_key(|item| std::cmp::Reverse(item.id.parse::<u64>().unwrap_or(0)));
    items
}

/// What all filters of a route together ask for. `None` if one can't be written down: a route
/// without it would take more than it did.
fn conditions(
    section: &mut Section,
    filters: &BTreeMap<String, Filter>,
    draft: &mut Draft,
    condition: impl Fn(&Filter) -> Option<Option<Condition>>,
) -> Option<Map<String, Value>> {
    let mut all: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    let Some(named) = section.take("filters") else { return Some(Map::new()) };
    for fid in named.value.split(';').map(str::trim).filter(|fid| !fid.is_empty()) {
        let Some(found) = filters.get(fid).and_then(&condition) else {
            draft.leave_out(
                &named,
                format!("the filter {} can't be written as a route's; the route is left out", shown(fid)),
            );
            return None;
        };
        let Some((key, list)) = found else { continue };
        let list = match all.get(key) {
            None => list,
            Some(others) => both(key, others, &list),
        };
        if list.is_empty() {
            draft.leave_out(&named, "nothing passes these filters; the route is left out");
            return None;
        }
        all.insert(key, list);
    }
    Some(all.into_iter().map(|(key, list)| (key.to_owned(), json!(list))).collect())
}

/// What is in both lists; of two prefixes that nest, the longer.
fn both(key: &str, a: &[String], b: &[String]) -> Vec<String> {
    let within = |x: &str, list: &[String]| {
        list.iter().any(|y| if key == "to_prefix" { x.starts_with(y.as_str()) } else { x == y })
    };
    let mut all: Vec<String> = a.iter().filter(|x| within(x, b)).cloned().collect();
    all.extend(b.iter().filter(|x| within(x, a)).cloned());
    all.sort();
    all.dedup();
    all
}

/// A filter of outgoing messages as a condition: `Some(None)` is none at all.
fn mt_condition(filter: &Filter, known: &Known) -> Option<Option<Condition>> {
    let value = || filter.argument.as_ref().map(|setting| setting.value.as_str());
    let anything = |expression: &str| matches!(expression, ".*" | "^.*" | "^.*$");
    match filter.kind.as_str() {
        "transparentfilter" => Some(None),
        "userfilter" => Some(Some(("account", vec![known.accounts.get(value()?)?.clone()]))),
        "groupfilter" => Some(Some(("account", known.members.get(value()?)?.clone()))),
        "sourceaddrfilter" | "destinationaddrfilter" if anything(value()?) => Some(None),
        "sourceaddrfilter" => match pattern::beginnings(value()?, true)? {
            (names, Tail::End) => Some(Some(("from", names))),
            _ => None,
        },
        "destinationaddrfilter" => match pattern::prefixes(value()?, true)? {
            (prefixes, Tail::Open | Tail::Counted) => Some(Some(("to_prefix", prefixes))),
            _ => None,
        },
        _ => None,
    }
}

/// The same of incoming messages.
fn mo_condition(filter: &Filter, known: &Known) -> Option<Option<Condition>> {
    let value = || filter.argument.as_ref().map(|setting| setting.value.as_str());
    let anything = |expression: &str| matches!(expression, ".*" | "^.*" | "^.*$");
    let exactly = |key, expression: &str| match pattern::beginnings(expression, true)? {
        (numbers, Tail::End) => Some(Some((key, numbers))),
        _ => None,
    };
    match filter.kind.as_str() {
        "transparentfilter" => Some(None),
        "connectorfilter" => Some(Some(("connector", vec![known.connectors.get(value()?)?.clone()]))),
        "sourceaddrfilter" | "destinationaddrfilter" | "shortmessagefilter" if anything(value()?) => Some(None),
        "sourceaddrfilter" => exactly("from", value()?),
        "destinationaddrfilter" => exactly("to", value()?),
        "shortmessagefilter" => {
            let (words, tail) = pattern::beginnings(value()?, true)?;
            let are_words = words.iter().all(|word| !word.is_empty() && !word.contains(char::is_whitespace));
            (are_words && tail != Tail::Counted).then_some(Some(("keyword", words)))
        }
        _ => None,
    }
}

/// The connectors of a route: `smppc(a);smppc(b)`, as kinds and names.
fn targets(section: &mut Section, draft: &mut Draft) -> Option<(Setting, Vec<(String, String)>)> {
    let Some(named) = section.take("connector").or_else(|| section.take("connectors")) else {
        draft.leave_out_at(&section.place, "connector", "is missing; the route is left out");
        return None;
    };
    let target = |text: &str| {
        let (kind, rest) = text.trim().split_once('(')?;
        Some((kind.to_lowercase(), rest.strip_suffix(')')?.to_owned()))
    };
    let targets = named.value.split(';').filter_map(target).collect();
    Some((named, targets))
}

fn finish(mut section: Section, draft: &mut Draft) {
    section.take("type");
    section.take("order");
    let is_free = |text: &str| text.parse::<f64>().is_ok_and(|rate| rate == 0.0).then_some(());
    section.parsed("rate", is_free);
    draft.leave_out_rest(section, |key| match key {
        "rate" => "Jasmin's rates have no currency; set prices of the route or of accounts",
        _ => "is no setting of a route that is known here",
    });
}

fn interceptors(state: &State, draft: &mut Draft) {
    for manager in ["mtinterceptor", "mointerceptor"] {
        for item in state.of(manager) {
            draft.leave_out_at(&item.section.place, manager, "messages can't be changed by scripts on their way");
        }
    }
}

/// A filter's name, as Jasmin lets it be; no other text goes into a reason.
fn shown(fid: &str) -> String {
    fid.chars().filter(|c| c.is_ascii_alphanumeric() || "_-*".contains(*c)).take(16).collect()
}
