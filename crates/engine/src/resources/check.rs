//! Everything that stands against a set of resources: what does not hold together, rules that can't
//! be compiled, and what the rules' model has a place for and the engine does not do yet.

use model::resources::{Inbound, Kind, ResourceSet, Route, RouteAction, SetFault};
use routing::{InboundTable, RouteTable};

/// Every fault of `set`; empty when it may take effect.
#[must_use]
pub fn check(set: &ResourceSet) -> Vec<SetFault> {
    let mut faults = set.faults();
    faults.extend(set.routes.iter().flat_map(route_not_yet));
    faults.extend(set.inbound.iter().flat_map(inbound_not_yet));
    faults.extend(set.pools.iter().map(|pool| not_yet(Kind::Route, &pool.id, "pool", "pools of connectors are")));
    if faults.is_empty() {
        let rules = RouteTable::compile(set).err().into_iter().chain(InboundTable::compile(set).err());
        let rules = rules.flatten().chain(routing::admissions(&set.accounts).1);
        faults.extend(rules.map(SetFault::from));
    }
    faults
}

/// Refused by name, so that nobody believes it to be in force.
fn not_yet(kind: Kind, id: &str, field: &str, what: &str) -> SetFault {
    SetFault { kind, id: id.into(), field: field.into(), detail: format!("{what} not supported yet; take it out") }
}

fn route_not_yet(route: &Route) -> Vec<SetFault> {
    let matches = &route.matches;
    let action = matches!(route.action, RouteAction::Drop | RouteAction::Copy);
    let given = [
        (action, "action", "this action is"),
        (route.reason.is_some(), "reason", "a reason of one's own is"),
        (route.rewrite.is_some(), "rewrite", "rewriting is"),
        (route.price.is_some(), "price", "prices are"),
        (!matches.ingress.is_empty(), "match.ingress", "this condition is"),
        (!matches.priority.is_empty(), "match.priority", "this condition is"),
        (!matches.encoding.is_empty(), "match.encoding", "this condition is"),
        (matches.parts.is_some(), "match.parts", "this condition is"),
        (!matches.tags.is_empty(), "match.tags", "this condition is"),
        (!matches.time.is_empty(), "match.time", "this condition is"),
        (matches.text.is_some(), "match.text", "this condition is"),
    ];
    told(Kind::Route, &route.id, &given)
}

fn inbound_not_yet(rule: &Inbound) -> Vec<SetFault> {
    let given = [
        (!rule.deliver.is_empty(), "deliver", "a choice of how it is handed over is"),
        (rule.reply.is_some(), "reply", "replies are"),
        (!rule.forward.is_empty(), "forward", "forwarding is"),
    ];
    told(Kind::Inbound, &rule.id, &given)
}

fn told(kind: Kind, id: &str, given: &[(bool, &str, &str)]) -> Vec<SetFault> {
    given.iter().filter(|(given, ..)| *given).map(|(_, field, what)| not_yet(kind, id, field, what)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(route: &str) -> Vec<String> {
        let connector = r#"{"id":"a","protocol":"smpp","address":"127.0.0.1:1","system_id":"x"}"#;
        let set = ResourceSet {
            connectors: vec![serde_json::from_str(connector).unwrap()],
            routes: vec![serde_json::from_str(route).unwrap()],
            ..ResourceSet::default()
        };
        check(&set).into_iter().map(|fault| fault.field).collect()
    }

    #[test]
    fn what_is_not_done_yet_is_refused_by_name() {
        let nothing: [&str; 0] = [];
        assert_eq!(faults(r#"{"id":"r","to":"a","match":{"to_prefix":["44"]}}"#), nothing);
        assert_eq!(
            faults(r#"{"id":"r","to":"a","match":{"text":"x","priority":[3]}}"#),
            ["match.priority", "match.text"]
        );
        assert_eq!(faults(r#"{"id":"r","to":"a","action":"copy"}"#), ["action"]);
        assert_eq!(faults(r#"{"id":"r","action":"reject","reason":"no"}"#), ["reason"]);
    }

    #[test]
    fn a_pattern_that_is_none_is_a_fault_of_its_field() {
        assert_eq!(faults(r#"{"id":"r","to":"a","match":{"from_regex":"("}}"#), ["match.from_regex"]);
    }
}
