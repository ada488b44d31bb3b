//! The indexed decision is that of a plain walk over the resources, and `explain` tells the same.

use model::resources::{PartRange, ResourceSet, Route, RouteAction, RouteMatch};
use model::{Address, AddressKind, Encoding};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use routing::{AllWell, COPIES_MAX, Outcome, Outgoing, Question, RouteTable};

const ACCOUNTS: [&str; 8] = ["a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7"];
const SENDERS: [&str; 6] = ["SHOP", "BANK", "60777", "+447700900001", "447700900001", "Shop"];
const PATTERNS: [&str; 3] = ["^S", "[0-9]", "^[A-Z]{4}$"];
const TEXTS: [&str; 3] = ["hello", "code 123", "CODE"];

/// Few digits, so that prefixes lie in one another and numbers meet them.
fn prefix() -> impl Strategy<Value = String> {
    prop_oneof!["1(204|212|876)?[12]{0,2}", "4[47]{1,4}", "4477[0-2]{1,9}", "[1-9][0-9]{0,2}"]
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\+1(204|212|876)[12]{7}",
        "\\+4[47]{4}[0-2]{6,10}",
        "\\+(49|[235-9][0-9])[0-9]{7,10}",
        "[1-9][0-9]{3,5}"
    ]
}

fn some_of(words: &'static [&'static str], most: usize) -> impl Strategy<Value = Vec<String>> {
    prop_oneof![3 => Just(Vec::new()), 2 => vec(select(words).prop_map(str::to_owned), 1..most)]
}

fn matches() -> impl Strategy<Value = RouteMatch> {
    let lists = (
        prop_oneof![1 => Just(Vec::new()), 2 => vec(prefix(), 1..6)],
        some_of(&["US", "ca", "JM", "GB", "DE"], 3),
        some_of(&ACCOUNTS, 8),
        some_of(&SENDERS, 7),
        some_of(&["http", "smpp"], 3),
    );
    let rare = (
        option::weighted(0.2, select(&PATTERNS[..])),
        option::weighted(0.2, select(&PATTERNS[..])),
        option::weighted(0.2, (option::of(0_u16..4), option::of(0_u16..6))),
        prop_oneof![4 => Just(Vec::new()), 1 => vec(0_u8..4, 1..3)],
        prop_oneof![4 => Just(Vec::new()), 1 => Just(vec![Encoding::Ucs2])],
    );
    (lists, rare).prop_map(|((to_prefix, to_country, account, from, ingress), rare)| {
        let (from_regex, text, parts, priority, encoding) = rare;
        RouteMatch {
            to_prefix,
            to_country,
            account,
            from,
            ingress,
            from_regex: from_regex.map(str::to_owned),
            text: text.map(str::to_owned),
            parts: parts.map(|(min, max)| PartRange { min, max }),
            priority,
            encoding,
            ..RouteMatch::default()
        }
    })
}

fn routes() -> impl Strategy<Value = Vec<Route>> {
    let action =
        select(vec![RouteAction::Send, RouteAction::Send, RouteAction::Reject, RouteAction::Drop, RouteAction::Copy]);
    let route =
        (matches(), -2_i64..3, action, prop::bool::weighted(0.9)).prop_map(|(matches, order, action, enabled)| Route {
            id: String::new(),
            order,
            matches,
            to: action.sends().then(|| "c".to_owned()),
            action,
            reason: None,
            rewrite: None,
            price: None,
            failover_after: None,
            enabled,
        });
    vec(route, 0..40).prop_map(|mut routes| {
        routes.iter_mut().zip(0..).for_each(|(route, n)| route.id = format!("r{n}"));
        routes
    })
}

/// The country of the few numbers that are asked about, by hand.
fn country(to: &Address) -> Option<&'static str> {
    let number = to.bare();
    match to.kind() {
        AddressKind::International if number.starts_with("1204") => Some("CA"),
        AddressKind::International if number.starts_with("1876") => Some("JM"),
        AddressKind::International if number.starts_with("1212") => Some("US"),
        AddressKind::International if number.starts_with("44") => Some("GB"),
        AddressKind::International if number.starts_with("49") => Some("DE"),
        _ => None,
    }
}

fn fits(wanted: &RouteMatch, question: &Question<'_>) -> bool {
    let has = |list: &[String], found: &dyn Fn(&str) -> bool| list.is_empty() || list.iter().any(|entry| found(entry));
    let regex = |pattern: &Option<String>, text: Option<&str>| match pattern {
        Some(pattern) => text.is_some_and(|text| regex::Regex::new(pattern).unwrap().is_match(text)),
        None => true,
    };
    let (to, from) = (question.to.bare(), question.from);
    has(&wanted.to_prefix, &|prefix| to.starts_with(prefix))
        && has(&wanted.to_country, &|iso| country(question.to).is_some_and(|is| is.eq_ignore_ascii_case(iso)))
        && has(&wanted.account, &|account| account == question.account)
        && has(&wanted.from, &|sender| sender == from.as_str() || sender == from.bare())
        && has(&wanted.ingress, &|name| question.ingress == Some(name))
        && regex(&wanted.from_regex, Some(from.bare()))
        && regex(&wanted.text, question.text)
        && wanted.parts.is_none_or(|range| {
            question.parts.is_some_and(|n| n >= range.min.unwrap_or(0) && n <= range.max.unwrap_or(u16::MAX))
        })
        && (wanted.priority.is_empty() || question.priority.is_some_and(|p| wanted.priority.contains(&p)))
        && (wanted.encoding.is_empty() || question.encoding.is_some_and(|e| wanted.encoding.contains(&e)))
}

/// The routes that match, in order, up to the one that decides.
fn naive<'r>(routes: &'r [Route], question: &Question<'_>) -> Vec<&'r Route> {
    let mut ordered: Vec<&Route> = routes.iter().filter(|route| route.enabled).collect();
    ordered.sort_by_key(|route| route.order);
    let mut matching = Vec::new();
    for route in ordered.into_iter().filter(|route| fits(&route.matches, question)) {
        matching.push(route);
        if route.action != RouteAction::Copy {
            break;
        }
    }
    matching
}

/// The ids of copies, and of the route that decides with what it does.
fn said(outcome: &Outcome) -> (Vec<String>, Option<(String, RouteAction)>) {
    let ids =
        |copies: &[routing::RoutePlan]| copies.iter().filter_map(|c| Some(c.route.as_deref()?.to_owned())).collect();
    match outcome {
        Outcome::Send(plan) => {
            (ids(&plan.copies), plan.route.as_deref().map(|route| (route.to_owned(), RouteAction::Send)))
        }
        Outcome::Drop { route, copies } => (ids(copies), Some((route.to_string(), RouteAction::Drop))),
        Outcome::Reject { route, .. } => (Vec::new(), Some((route.to_string(), RouteAction::Reject))),
        Outcome::NoRoute => (Vec::new(), None),
        Outcome::Unfit { .. } => panic!("nothing is rewritten here"),
    }
}

fn connectors() -> ResourceSet {
    let connector = |id: &str| {
        toml::from_str(&format!("id = '{id}'\nprotocol = 'smpp'\naddress = 'h:1'\nsystem_id = 'x'")).unwrap()
    };
    let accounts = ACCOUNTS.iter().map(|id| toml::from_str(&format!("id = '{id}'")).unwrap()).collect();
    ResourceSet { connectors: vec![connector("c"), connector("d")], accounts, ..ResourceSet::default() }
}

fn check(routes: Vec<Route>, table: &RouteTable, question: &Question<'_>) {
    let matching = naive(&routes, question);
    let (copies, decides) = said(&table.plan(question, &AllWell, 0));
    let expected = matching.last().filter(|route| route.action != RouteAction::Copy);
    assert_eq!(decides, expected.map(|route| (route.id.clone(), route.action)));
    if expected.is_some_and(|route| route.action != RouteAction::Reject) {
        let copying = matching.iter().filter(|route| route.action == RouteAction::Copy);
        assert_eq!(copies, copying.take(COPIES_MAX).map(|route| route.id.clone()).collect::<Vec<_>>());
    }
    let explained = table.explain_plan(question);
    let told: Vec<&str> = explained.iter().filter(|t| t.against.is_none()).map(|t| &*t.route).collect();
    assert_eq!(told, matching.iter().map(|route| route.id.as_str()).collect::<Vec<_>>());
    let until = explained.last().filter(|tried| tried.against.is_none()).map(|tried| &*tried.route);
    if let Some(route) = expected {
        assert_eq!(until, Some(route.id.as_str()), "nothing is looked at behind the rule that decides");
    } else {
        assert_eq!(explained.len(), routes.iter().filter(|route| route.enabled).count(), "every rule is told");
    }
}

proptest! {
    #[test]
    fn the_index_decides_as_a_plain_walk_does(
        routes in routes(),
        messages in vec((number(), select(&SENDERS[..]), select(&ACCOUNTS[..]), any::<u32>()), 1..12),
    ) {
        let set = ResourceSet { routes: routes.clone(), ..connectors() };
        let table = RouteTable::compile(&set).unwrap();
        for (to, from, account, bits) in messages {
            let (to, from) = (Address::recipient(&to, None).unwrap(), Address::sender(from, None).unwrap());
            let known = |bit: u32| bits & 1 << bit != 0;
            let question = Question {
                ingress: known(0).then(|| if known(1) { "http" } else { "smpp" }),
                text: known(2).then(|| TEXTS[(bits >> 8) as usize % TEXTS.len()]),
                parts: known(3).then_some((bits >> 16) as u16 % 6),
                priority: known(4).then_some((bits >> 20) as u8 % 4),
                encoding: known(5).then_some(if known(6) { Encoding::Ucs2 } else { Encoding::Gsm7 }),
                ..Question::from(Outgoing { account, to: &to, from: &from })
            };
            check(routes.clone(), &table, &question);
        }
    }
}
