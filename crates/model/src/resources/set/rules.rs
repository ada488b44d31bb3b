//! What must be true of routes, pools and inbound rules. Their patterns are compiled, and looked
//! at, where they are used.

use std::collections::{BTreeMap, BTreeSet};

use super::{Faults, no_such};
use crate::resources::{
    ANSWER_PARTS_MAX, AddressRewrite, FORWARD_MAX, Handover, INGRESSES, Inbound, Kind, POOL_MEMBERS_MAX, PREFIX_MAX,
    Pool, PoolMember, PoolStrategy, PriceList, REPLY_LIMIT_MAX, Rewrite, Route, RouteAction, TEXT_APPEND_MAX,
    WEIGHT_MAX, is_network,
};
use crate::{Address, CallbackStyle, GroupAction, country, id};

/// What rules may refer to.
pub(super) struct Known<'a> {
    pub accounts: BTreeSet<&'a str>,
    pub connectors: BTreeSet<&'a str>,
    pub pools: BTreeSet<&'a str>,
    /// What parts cost over connectors that say so.
    pub costs: BTreeMap<&'a str, &'a PriceList>,
}

impl Faults {
    pub(super) fn route(&mut self, route: &Route, known: &Known<'_>) {
        self.target(route, known);
        self.route_match(route, known);
        let mut fault = |field: &str, detail: String| self.add(Kind::Route, &route.id, field, detail);
        let action = route.action.as_str();
        if route.reason.is_some() && route.action != RouteAction::Reject {
            fault("reason", format!("has no meaning with action = \"{action}\""));
        }
        if route.price.is_some() && route.action != RouteAction::Send {
            fault("price", format!("has no meaning with action = \"{action}\""));
        }
        if route.failover_after.is_some() && !route.action.sends() {
            fault("failover_after", format!("has no meaning with action = \"{action}\""));
        }
        match &route.rewrite {
            Some(_) if !route.action.sends() => fault("rewrite", format!("has no meaning with action = \"{action}\"")),
            Some(rewrite) => self.rewrite(&route.id, rewrite),
            None => {}
        }
        if let Some(price) = &route.price {
            self.prices(Kind::Route, &route.id, "price", price);
        }
    }

    fn target(&mut self, route: &Route, known: &Known<'_>) {
        let action = route.action.as_str();
        let detail = match &route.to {
            None if route.action == RouteAction::Send => {
                "is missing: the connector or pool that takes the messages".into()
            }
            None if route.action == RouteAction::Copy => {
                "is missing: the connector or pool that takes the copies".into()
            }
            Some(_) if !route.action.sends() => format!("has no meaning with action = \"{action}\""),
            Some(to) if !known.connectors.contains(to.as_str()) && !known.pools.contains(to.as_str()) => {
                format!("there is no connector \"{to}\" and no pool of that name; add it or correct the name")
            }
            _ => return,
        };
        self.add(Kind::Route, &route.id, "to", detail);
    }

    fn route_match(&mut self, route: &Route, known: &Known<'_>) {
        let wanted = &route.matches;
        let mut fault =
            |field: &str, detail: String| self.add(Kind::Route, &route.id, format!("match.{field}"), detail);
        for account in wanted.account.iter().filter(|a| !known.accounts.contains(a.as_str())) {
            fault("account", no_such("account", account));
        }
        for prefix in wanted.to_prefix.iter().filter(|p| !is_prefix(p)) {
            fault("to_prefix", not_a_prefix(prefix));
        }
        for iso in wanted.to_country.iter().filter(|iso| country::find(iso).is_none()) {
            fault("to_country", not_a_country(iso));
        }
        for network in wanted.network.iter().filter(|n| !is_network(n)) {
            fault("network", format!("\"{network}\" is not five or six digits: MCC and MNC"));
        }
        for ingress in wanted.ingress.iter().filter(|i| !INGRESSES.contains(&i.as_str())) {
            fault("ingress", format!("\"{ingress}\" is none of {}", INGRESSES.join(", ")));
        }
        for priority in wanted.priority.iter().filter(|p| **p > 3) {
            fault("priority", format!("{priority} is not from 0 to 3"));
        }
        if let Some(parts) = wanted.parts
            && (parts.max == Some(0) || parts.min.unwrap_or(1) > parts.max.unwrap_or(u16::MAX))
        {
            fault("parts", "no number of parts is from min to max".into());
        }
    }

    fn rewrite(&mut self, id: &str, rewrite: &Rewrite) {
        for (field, change) in [("rewrite.from", &rewrite.from), ("rewrite.to", &rewrite.to)] {
            let Some(change) = change else { continue };
            self.address_rewrite(id, field, change);
        }
        if rewrite.text_append.as_ref().is_some_and(|text| text.chars().count() > TEXT_APPEND_MAX) {
            let detail = format!("has more than {TEXT_APPEND_MAX} characters");
            self.add(Kind::Route, id, "rewrite.text_append", detail);
        }
    }

    fn address_rewrite(&mut self, id: &str, field: &str, change: &AddressRewrite) {
        let of_sender = field.ends_with("from");
        let parse = |text: &str| match of_sender {
            true => Address::sender(text, None),
            false => Address::recipient(text, None),
        };
        let mut fault = |key: &str, detail: String| self.add(Kind::Route, id, format!("{field}.{key}"), detail);
        let fixed = change.force.iter().map(|text| ("force", text));
        let fixed = fixed.chain(change.random.iter().map(|text| ("random", text)));
        for (key, text) in fixed.chain(change.alphanumeric.values().map(|text| ("alphanumeric", text))) {
            if let Err(error) = parse(text) {
                fault(key, format!("\"{text}\" {error}"));
            }
        }
        if change.force.is_some() && !change.random.is_empty() {
            fault("random", "has no meaning with force".into());
        }
        if change.with.is_some() && change.replace.is_none() {
            fault("with", "has no meaning without replace".into());
        }
        if !of_sender && !change.alphanumeric.is_empty() {
            fault("alphanumeric", "is for senders only".into());
        }
        for iso in change.alphanumeric.keys().filter(|iso| *iso != "*" && country::find(iso).is_none()) {
            fault("alphanumeric", not_a_country(iso));
        }
    }

    pub(super) fn pool<'a>(&mut self, pool: &'a Pool, known: &Known<'a>) {
        let mut fault = |field: String, detail: String| self.add(Kind::Pool, &pool.id, field, detail);
        if known.connectors.contains(pool.id.as_str()) {
            fault("id".into(), format!("\"{}\" is a connector's id already", pool.id));
        }
        if !(1..=POOL_MEMBERS_MAX).contains(&pool.members.len()) {
            fault("members".into(), format!("must be 1 to {POOL_MEMBERS_MAX}"));
        }
        let mut seen = BTreeSet::new();
        for (n, member) in pool.members.iter().enumerate() {
            if !known.connectors.contains(member.connector.as_str()) {
                fault(format!("members.{n}.connector"), no_such("connector", &member.connector));
            } else if !seen.insert(&member.connector) {
                fault(format!("members.{n}.connector"), format!("\"{}\" is a member twice", member.connector));
            }
            if member.weight > WEIGHT_MAX {
                fault(format!("members.{n}.weight"), format!("must be 0 to {WEIGHT_MAX}"));
            }
        }
        let cost = |m: &'a PoolMember| m.cost.as_ref().or_else(|| known.costs.get(m.connector.as_str()).copied());
        let mut costs = pool.members.iter().filter_map(cost);
        let currency = costs.next().map(|list| list.currency);
        if pool.strategy == PoolStrategy::LeastCost && costs.any(|list| Some(list.currency) != currency) {
            fault("members".into(), "have costs in different currencies, which can't be compared".into());
        }
        for (n, member) in pool.members.iter().enumerate() {
            if let Some(cost) = &member.cost {
                self.prices(Kind::Pool, &pool.id, &format!("members.{n}.cost"), cost);
            }
        }
    }

    pub(super) fn prices(&mut self, kind: Kind, id: &str, field: &str, list: &PriceList) {
        for prefix in list.prefixes.keys().filter(|p| !is_prefix(p)) {
            self.add(kind, id, format!("{field}.prefixes"), not_a_prefix(prefix));
        }
        if list.default.is_none() && list.prefixes.is_empty() {
            self.add(kind, id, field, "needs a default or at least one prefix".into());
        }
    }

    pub(super) fn inbound(&mut self, rule: &Inbound, known: &Known<'_>) {
        let mut fault = |field: &str, detail: String| self.add(Kind::Inbound, &rule.id, field, detail);
        if !known.accounts.contains(rule.account.as_str()) {
            fault("account", no_such("account", &rule.account));
        }
        for connector in rule.matches.connector.iter().filter(|c| !known.connectors.contains(c.as_str())) {
            fault("match.connector", no_such("connector", connector));
        }
        if rule.reply_limit.is_some_and(|limit| !(1..=REPLY_LIMIT_MAX).contains(&limit)) {
            fault("reply_limit", format!("must be 1 to {REPLY_LIMIT_MAX}"));
        }
        if rule.reply_limit.is_some() && rule.reply.is_none() && rule.webhook.is_none() {
            fault("reply_limit", "has no meaning without reply or webhook".into());
        }
        if rule.forward_text.is_some() && rule.forward.is_empty() && !rule.forwards_to_group() {
            fault("forward_text", "has no meaning without forward, or a group with action = \"forward\"".into());
        }
        if let Some(group) = &rule.group {
            if !id::is_name(&group.name) {
                fault("group.name", "must be 1 to 64 letters, digits, dots, hyphens or underscores".into());
            }
            if group.members_only.is_some() && group.action != GroupAction::Forward {
                fault("group.members_only", "has no meaning without action = \"forward\"".into());
            }
        }
        if rule.forward.len() > FORWARD_MAX {
            fault("forward", format!("has {} numbers; {FORWARD_MAX} are allowed", rule.forward.len()));
        }
        for number in &rule.forward {
            if let Err(error) = Address::recipient(number, None) {
                fault("forward", format!("\"{number}\" {error}"));
            }
        }
        if let Some(webhook) = &rule.webhook {
            if !rule.deliver.is_empty() && !rule.deliver.contains(&Handover::Webhook) {
                fault("webhook", "has no meaning with deliver that does not name \"webhook\"".into());
            }
            let jasmin = matches!(webhook.style, CallbackStyle::Jasmin | CallbackStyle::JasminGet);
            if webhook.replies() && jasmin {
                fault("webhook.answer", "has no meaning in this style: what it answers is ACK/Jasmin".into());
            }
            if webhook.max_parts.is_some_and(|parts| !(1..=ANSWER_PARTS_MAX).contains(&parts)) {
                fault("webhook.max_parts", format!("must be 1 to {ANSWER_PARTS_MAX}"));
            }
            self.hook(Kind::Inbound, &rule.id, "webhook", &webhook.url, webhook.secret.as_ref());
        }
    }
}

fn is_prefix(text: &str) -> bool {
    (1..=PREFIX_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

fn not_a_prefix(text: &str) -> String {
    format!("\"{text}\" must be digits, country code first, without +, and at most {PREFIX_MAX} of them")
}

fn not_a_country(iso: &str) -> String {
    format!("\"{iso}\" is no ISO 3166 country code such as GB")
}

#[cfg(test)]
mod tests {
    use super::super::tests::faults;

    const GOOD: &str = r#"
        [[account]]
        id = "shop"
        [[connector]]
        id = "a"
        protocol = "smpp"
        address = "127.0.0.1:2775"
        system_id = "x"
        [[pool]]
        id = "p"
        members = [{ connector = "a" }]
        [[route]]
        id = "copies"
        action = "copy"
        to = "a"
        rewrite = { to = { force = "+447700900123" } }
        [[route]]
        id = "all"
        to = "p"
        match = { to_country = ["gb"], ingress = ["smpp"], priority = [3], parts = { min = 2 } }
        rewrite = { from = { random = ["SHOP"], alphanumeric = { US = "+12125550123", "*" = "60777" } } }
        price = { currency = "EUR", prefixes = { 44 = "0.03" } }
        [[route]]
        id = "none"
        action = "reject"
        reason = "not here"
        [[inbound]]
        id = "in"
        account = "shop"
        forward = ["+447700900123"]
    "#;

    #[test]
    fn rules_that_hold_together_have_no_faults() {
        assert_eq!(faults(GOOD), Vec::<String>::new());
    }

    /// What is told when `line` of the good rules is written as `bad`.
    fn told(line: &str, bad: &str) -> String {
        assert_eq!(GOOD.matches(line).count(), 1, "{line}");
        faults(&GOOD.replace(line, bad)).join("; ")
    }

    #[test]
    fn every_reference_is_looked_up() {
        for (line, bad, start) in [
            ("to = \"p\"", "to = \"q\"", "route \"all\": to: there is no connector \"q\" and no pool"),
            ("to = \"a\"", "to = \"q\"", "route \"copies\": to: there is no connector \"q\" and no pool"),
            ("to = \"a\"", "", "route \"copies\": to: is missing"),
            ("[{ connector = \"a\" }]", "[{ connector = \"b\" }]", "pool \"p\": members.0.connector: there is no"),
            ("[{ connector = \"a\" }]", "[]", "pool \"p\": members: must be 1 to"),
            ("\"gb\"", "\"xx\"", "route \"all\": match.to_country: \"xx\" is no ISO"),
            ("\"smpp\"], pri", "\"fax\"], pri", "route \"all\": match.ingress: \"fax\" is none of http"),
            ("US = ", "UU = ", "route \"all\": rewrite.from.alphanumeric: \"UU\" is no ISO"),
            ("account = \"shop\"", "account = \"x\"", "inbound \"in\": account: there is no account"),
        ] {
            let told = told(line, bad);
            assert!(told.starts_with(start), "{bad}: {told}");
        }
        let cost = |currency: &str| format!("cost = {{ currency = \"{currency}\", default = 1 }}");
        let members = format!("[{{ connector = \"a\", {} }}, {{ connector = \"b\", {} }}]", cost("EUR"), cost("USD"));
        let mixed = told("[{ connector = \"a\" }]", &format!("{members}\nstrategy = \"least-cost\""));
        assert!(mixed.contains("members: have costs in different currencies"), "{mixed}");
        let twice = told("[{ connector = \"a\" }]", "[{ connector = \"a\" }, { connector = \"a\" }]");
        assert!(twice.contains("members.1.connector: \"a\" is a member twice"), "{twice}");
    }

    #[test]
    fn values_without_meaning_are_told() {
        for (line, bad, part) in [
            ("priority = [3]", "network = [\"26201\", \"310\"]", "match.network: \"310\" is not five or six digits"),
            ("priority = [3]", "priority = [4]", "match.priority: 4 is not from 0 to 3"),
            ("{ min = 2 }", "{ min = 3, max = 2 }", "match.parts"),
            ("{ 44 = ", "{ \"+44\" = ", "price.prefixes: \"+44\" must be digits"),
            ("{ 44 = ", "{ 1234567890123456 = ", "price.prefixes"),
            ("reason = \"not here\"", "rewrite = {}", "rewrite: has no meaning with action = \"reject\""),
            ("action = \"copy\"", "reason = \"x\"", "reason: has no meaning with action = \"send\""),
            ("random = [\"SHOP\"]", "with = \"x\"", "rewrite.from.with: has no meaning without replace"),
            ("random = [\"SHOP\"]", "random = [\"A name too long\"]", "rewrite.from.random"),
            ("force = \"+447700900123\"", "force = \"SHOP\"", "rewrite.to.force: \"SHOP\" is not a phone number"),
            ("forward = [\"+447700900123\"]", "forward = [\"x\"]", "forward: \"x\" is not a phone number"),
            ("forward = [\"+447700900123\"]", "forward_text = \"x\"", "forward_text: has no meaning without forward"),
            (
                "forward = [\"+447700900123\"]",
                "group = { name = \"x\", action = \"join\" }\nforward_text = \"x\"",
                "forward_text: has no meaning without forward, or a group",
            ),
            (
                "forward = [\"+447700900123\"]",
                "group = { name = \"a b\", action = \"leave\", members_only = true }",
                "group.name: must be 1 to 64 letters, digits, dots, hyphens or underscores; inbound \"in\": \
                 group.members_only: has no meaning",
            ),
            ("forward = [\"+447700900123\"]", "reply_limit = 1", "reply_limit: has no meaning without reply or"),
            ("forward = [\"+447700900123\"]", "reply = \"x\"\nreply_limit = 0", "reply_limit: must be 1 to 100"),
            ("forward = [\"+447700900123\"]", "webhook = { url = \"x\" }", "webhook.url: must begin with https://"),
            (
                "forward = [\"+447700900123\"]",
                "webhook = { url = \"https://x\", secret = \"x\" }",
                "webhook.secret: must be whsec_",
            ),
            (
                "forward = [\"+447700900123\"]",
                "deliver = [\"smpp\"]\nwebhook = { url = \"https://x\" }",
                "webhook: has no meaning with deliver",
            ),
            (
                "forward = [\"+447700900123\"]",
                "webhook = { url = \"https://x\", answer = \"reply\", style = \"jasmin\" }",
                "webhook.answer: has no meaning in this style",
            ),
            (
                "forward = [\"+447700900123\"]",
                "webhook = { url = \"https://x\", answer = \"reply\", max_parts = 0 }",
                "webhook.max_parts: must be 1 to 100",
            ),
        ] {
            let told = told(line, bad);
            assert!(told.contains(part), "{bad}: {told}");
        }
    }
}
