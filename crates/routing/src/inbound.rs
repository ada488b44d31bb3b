//! Which account gets a message that came in.

use model::resources::Inbound;
use model::{Address, Name};

/// What an inbound rule looks at.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    /// The connector that it came over.
    pub connector: &'a str,
    /// The number it was sent to.
    pub to: &'a Address,
    /// The phone that sent it.
    pub from: &'a Address,
    /// The text, if it is one.
    pub text: Option<&'a str>,
}

/// The inbound rules in order, ready to be asked.
#[derive(Debug, Default)]
pub struct InboundTable {
    rules: Vec<Inbound>,
}

impl InboundTable {
    /// Compiles `rules`, by their order and then as they stand.
    #[must_use]
    pub fn new(rules: &[Inbound]) -> Self {
        let mut rules: Vec<Inbound> = rules.iter().filter(|r| r.enabled).cloned().collect();
        rules.sort_by_key(|r| r.order);
        Self { rules }
    }

    /// The rule's id and the account that gets `message`; `None` if no rule matches.
    #[must_use]
    pub fn decide(&self, message: Incoming<'_>) -> Option<(Name, Name)> {
        self.rules
            .iter()
            .find(|rule| matches(rule, message))
            .map(|rule| (rule.id.as_str().into(), rule.account.as_str().into()))
    }
}

fn matches(rule: &Inbound, message: Incoming<'_>) -> bool {
    let wanted = &rule.matches;
    let address = |list: &[String], is: &Address| {
        list.is_empty() || list.iter().any(|w| w.strip_prefix('+').unwrap_or(w) == is.bare())
    };
    let keyword = || {
        let first = message.text.and_then(|t| t.split_whitespace().next()).unwrap_or("");
        wanted.keyword.iter().any(|k| k.to_lowercase() == first.to_lowercase())
    };
    (wanted.connector.is_empty() || wanted.connector.iter().any(|c| c == message.connector))
        && address(&wanted.to, message.to)
        && address(&wanted.from, message.from)
        && (wanted.keyword.is_empty() || keyword())
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::resources::InboundMatch;

    fn rule(id: &str, order: i64, matches: InboundMatch) -> Inbound {
        Inbound { id: id.into(), order, matches, account: format!("account-of-{id}"), enabled: true }
    }

    #[test]
    fn the_first_rule_that_matches_decides() {
        let keyword = InboundMatch { keyword: vec!["Info".into()], to: vec!["+60777".into()], ..Default::default() };
        let table = InboundTable::new(&[rule("rest", 5, InboundMatch::default()), rule("info", 0, keyword)]);
        let ask = |to: &str, text: &str| {
            let (to, from) = (Address::from_carrier(to, false), Address::from_carrier("447700900123", true));
            let rule = table.decide(Incoming { connector: "a", to: &to, from: &from, text: Some(text) });
            rule.map(|(id, _)| id.to_string()).unwrap_or_default()
        };
        assert_eq!(ask("60777", " INFO please"), "info");
        assert_eq!(ask("60777", "Information"), "rest");
        assert_eq!(ask("60778", "info"), "rest");
    }

    #[test]
    fn without_a_matching_rule_nobody_gets_it() {
        let other = InboundMatch { connector: vec!["b".into()], ..Default::default() };
        let table = InboundTable::new(&[rule("b", 0, other)]);
        let (to, from) = (Address::from_carrier("1", false), Address::from_carrier("2", false));
        assert_eq!(table.decide(Incoming { connector: "a", to: &to, from: &from, text: None }), None);
    }
}
