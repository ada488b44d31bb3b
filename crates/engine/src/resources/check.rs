//! Everything that stands against a set of resources: what does not hold together, and rules that
//! can't be compiled.

use model::resources::{ResourceSet, SetFault};
use routing::{InboundTable, RouteTable};

/// Every fault of `set`; empty when it may take effect.
#[must_use]
pub fn check(set: &ResourceSet) -> Vec<SetFault> {
    let mut faults = set.faults();
    if faults.is_empty() {
        let rules = RouteTable::compile(set).err().into_iter().chain(InboundTable::compile(set).err());
        let rules = rules.flatten().chain(routing::admissions(&set.accounts).1);
        faults.extend(rules.map(SetFault::from));
    }
    faults
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
    fn a_pattern_that_is_none_is_a_fault_of_its_field() {
        let rule = r#"{"id":"i","account":"shop"}"#;
        assert_eq!(faults(r#"{"id":"r","to":"a","match":{"from_regex":"("}}"#, rule), ["match.from_regex"]);
        let (route, rule) = (r#"{"id":"r","to":"a"}"#, r#"{"id":"i","account":"shop","reply":"{who}"}"#);
        assert_eq!(faults(route, rule), ["reply"]);
    }
}
