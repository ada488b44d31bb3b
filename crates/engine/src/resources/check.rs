//! Everything that stands against a set of resources: what does not hold together, rules that can't
//! be compiled, and what the rules' model has a place for and the engine does not do yet.

use model::resources::{Inbound, Kind, ResourceSet, SetFault};
use routing::{InboundTable, RouteTable};

/// Every fault of `set`; empty when it may take effect.
#[must_use]
pub fn check(set: &ResourceSet) -> Vec<SetFault> {
    let mut faults = set.faults();
    faults.extend(set.inbound.iter().flat_map(inbound_not_yet));
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

    fn faults(route: &str, rule: &str) -> Vec<String> {
        let connector = r#"{"id":"a","protocol":"smpp","address":"127.0.0.1:1","system_id":"x"}"#;
        let set = ResourceSet {
            accounts: vec![serde_json::from_str(r#"{"id":"shop"}"#).unwrap()],
            connectors: vec![serde_json::from_str(connector).unwrap()],
            routes: vec![serde_json::from_str(route).unwrap()],
            inbound: vec![serde_json::from_str(rule).unwrap()],
            ..ResourceSet::default()
        };
        check(&set).into_iter().map(|fault| fault.field).collect()
    }

    #[test]
    fn what_is_not_done_yet_is_refused_by_name() {
        let nothing: [&str; 0] = [];
        let (route, rule) = (r#"{"id":"r","to":"a"}"#, r#"{"id":"i","account":"shop"}"#);
        assert_eq!(faults(route, rule), nothing);
        assert_eq!(faults(route, r#"{"id":"i","account":"shop","reply":"x"}"#), ["reply"]);
    }

    #[test]
    fn a_pattern_that_is_none_is_a_fault_of_its_field() {
        let rule = r#"{"id":"i","account":"shop"}"#;
        assert_eq!(faults(r#"{"id":"r","to":"a","match":{"from_regex":"("}}"#, rule), ["match.from_regex"]);
    }
}
