//! Which connector takes a message that goes out.

use model::resources::{Route, RouteAction};
use model::{Address, Name};

/// What a route looks at.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// The account that sends.
    pub account: &'a str,
    /// The recipient.
    pub to: &'a Address,
    /// The sender.
    pub from: &'a Address,
}

/// What becomes of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// This route sends it over this connector.
    Send {
        /// The route; `None` when there are no routes and only one connector.
        route: Option<Name>,
        /// The connector.
        connector: Name,
    },
    /// This route refuses it.
    Reject {
        /// The route.
        route: Name,
    },
    /// No route matches it.
    NoRoute,
}

/// A rule that was looked at, and why it did not match; `None` is the one that did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// The route.
    pub route: Name,
    /// The field that stood against it.
    pub against: Option<&'static str>,
}

/// The routes in order, ready to be asked.
#[derive(Debug, Default)]
pub struct RouteTable {
    routes: Vec<Compiled>,
    /// Takes everything when no route was written at all.
    only_connector: Option<Name>,
}

#[derive(Debug)]
struct Compiled {
    id: Name,
    connector: Option<Name>,
    prefixes: Vec<Box<str>>,
    accounts: Vec<Box<str>>,
    senders: Vec<Box<str>>,
}

impl RouteTable {
    /// Compiles `routes`, by their order and then as they stand. A gateway with one connector and
    /// no routes sends everything over it: `connectors` are all that there are.
    #[must_use]
    pub fn new(routes: &[Route], connectors: &[&str]) -> Self {
        let mut ordered: Vec<&Route> = routes.iter().filter(|r| r.enabled).collect();
        ordered.sort_by_key(|r| r.order);
        let boxed = |list: &[String]| list.iter().map(|s| s.as_str().into()).collect();
        let only_connector = match connectors {
            [only] if routes.is_empty() => Some(Name::from(*only)),
            _ => None,
        };
        let routes = ordered
            .into_iter()
            .map(|r| Compiled {
                id: r.id.as_str().into(),
                connector: r.to.as_deref().filter(|_| r.action == RouteAction::Send).map(Name::from),
                prefixes: boxed(&r.matches.to_prefix),
                accounts: boxed(&r.matches.account),
                senders: boxed(&r.matches.from),
            })
            .collect();
        Self { routes, only_connector }
    }

    /// The decision for `message`.
    #[must_use]
    pub fn decide(&self, message: Outgoing<'_>) -> Decision {
        if let Some(connector) = &self.only_connector {
            return Decision::Send { route: None, connector: connector.clone() };
        }
        match self.routes.iter().find(|r| r.against(message).is_none()) {
            Some(Compiled { id, connector: Some(connector), .. }) => {
                Decision::Send { route: Some(id.clone()), connector: connector.clone() }
            }
            Some(Compiled { id, .. }) => Decision::Reject { route: id.clone() },
            None => Decision::NoRoute,
        }
    }

    /// Every rule up to the one that decides, with what stood against it.
    #[must_use]
    pub fn explain(&self, message: Outgoing<'_>) -> Vec<Tried> {
        let mut tried = Vec::new();
        for route in &self.routes {
            let against = route.against(message);
            tried.push(Tried { route: route.id.clone(), against });
            if against.is_none() {
                break;
            }
        }
        tried
    }
}

impl Compiled {
    fn against(&self, message: Outgoing<'_>) -> Option<&'static str> {
        let to = message.to.bare();
        if !self.prefixes.is_empty() && !self.prefixes.iter().any(|p| to.starts_with(&**p)) {
            Some("to_prefix")
        } else if !self.accounts.is_empty() && !self.accounts.iter().any(|a| **a == *message.account) {
            Some("account")
        } else if !self.senders.is_empty()
            && !self.senders.iter().any(|s| **s == *message.from.as_str() || **s == *message.from.bare())
        {
            Some("from")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(toml: &str, connectors: &[&str]) -> RouteTable {
        #[derive(Debug)]
        struct Routes(Vec<Route>);
        let table: toml::Table = toml.parse().unwrap();
        let routes = table.get("route").cloned().unwrap_or(toml::Value::Array(vec![]));
        let routes = Routes(routes.try_into().unwrap());
        RouteTable::new(&routes.0, connectors)
    }

    fn ask(table: &RouteTable, account: &str, to: &str, from: &str) -> Decision {
        let (to, from) = (Address::recipient(to, None).unwrap(), Address::sender(from, None).unwrap());
        table.decide(Outgoing { account, to: &to, from: &from })
    }

    fn send(route: Option<&str>, connector: &str) -> Decision {
        Decision::Send { route: route.map(Name::from), connector: connector.into() }
    }

    const ROUTES: &str = r#"
        [[route]]
        id = "rest"
        order = 9
        to = "b"
        [[route]]
        id = "uk"
        to = "a"
        match = { to_prefix = ["44"], account = ["shop"], from = ["SHOP"] }
        [[route]]
        id = "no-caribbean"
        action = "reject"
        match = { to_prefix = ["1876", "1809"] }
        [[route]]
        id = "off"
        enabled = false
        to = "c"
    "#;

    #[test]
    fn the_first_route_that_matches_decides() {
        let table = table(ROUTES, &["a", "b", "c"]);
        assert_eq!(ask(&table, "shop", "+447700900123", "SHOP"), send(Some("uk"), "a"));
        assert_eq!(ask(&table, "bank", "+447700900123", "SHOP"), send(Some("rest"), "b"));
        assert_eq!(ask(&table, "shop", "+447700900123", "BANK"), send(Some("rest"), "b"));
        assert_eq!(ask(&table, "shop", "+18765550123", "SHOP"), Decision::Reject { route: "no-caribbean".into() });
    }

    #[test]
    fn what_stood_against_each_rule_is_told() {
        let table = table(ROUTES, &["a", "b"]);
        let (to, from) = (Address::recipient("+447700900123", None).unwrap(), Address::sender("SHOP", None).unwrap());
        let tried = table.explain(Outgoing { account: "bank", to: &to, from: &from });
        let tried: Vec<_> = tried.iter().map(|t| (&*t.route, t.against)).collect();
        assert_eq!(tried, [("uk", Some("account")), ("no-caribbean", Some("to_prefix")), ("rest", None)]);
    }

    #[test]
    fn without_routes_the_only_connector_takes_everything() {
        assert_eq!(ask(&table("", &["a"]), "x", "+447700900123", "S"), send(None, "a"));
        assert_eq!(ask(&table("", &["a", "b"]), "x", "+447700900123", "S"), Decision::NoRoute);
    }
}
