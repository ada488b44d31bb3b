//! What a route made of a message: kept with it, so that what was decided once holds after a restart.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::resources::Money;
use crate::{Address, Body, Content, MessageId, Name};

/// What a route made of a message, beyond the connector that takes it. Most messages have none: it
/// is only kept where a route does more than name one connector.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Plan {
    /// The pool that the connectors are of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<Name>,
    /// The connectors in the order in which they are to be tried; empty where there is only one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub connectors: Vec<Name>,
    /// The recipient that the route has made, where it makes another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Address>,
    /// The sender that the route has made, where it makes another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Address>,
    /// The recipient that a policy service has put in the place of the one asked for: the one that routes
    /// look at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_to: Option<Address>,
    /// The sender that a policy service has put in the place of the one asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_from: Option<Address>,
    /// What is put at the end of the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_append: Option<Box<str>>,
    /// What the account pays for the whole message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Money>,
    /// The network that the recipient belongs to, MCC and MNC, where a policy service has told it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Box<str>>,
    /// The message that this is a copy of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copy_of: Option<MessageId>,
}

impl Plan {
    /// The plan as it is kept: none where it says nothing.
    #[must_use]
    pub fn boxed(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }

    /// The recipient that the carrier is told, where it is not the one asked for.
    #[must_use]
    pub fn sent_to(&self) -> Option<&Address> {
        self.to.as_ref().or(self.decided_to.as_ref())
    }

    /// The sender that the carrier is told, where it is not the one asked for.
    #[must_use]
    pub fn sent_from(&self) -> Option<&Address> {
        self.from.as_ref().or(self.decided_from.as_ref())
    }

    /// The connectors after `connector`, in order, and round to those before it.
    pub fn others<'p>(&'p self, connector: &'p str) -> impl Iterator<Item = &'p Name> {
        let at = self.connectors.iter().position(|name| **name == *connector).map_or(0, |at| at + 1);
        let (before, after) = self.connectors.split_at(at);
        after.iter().chain(before).filter(move |name| ***name != *connector)
    }

    /// The connectors after `connector`, in order.
    pub fn later<'p>(&'p self, connector: &str) -> impl Iterator<Item = &'p Name> {
        let at = self.connectors.iter().position(|name| **name == *connector).map_or(0, |at| at + 1);
        self.connectors.iter().skip(at)
    }
}

impl Body {
    /// The recipient that routes look at: the one asked for, unless a policy service says otherwise.
    #[must_use]
    pub fn routed_to(&self) -> &Address {
        self.plan.as_ref().and_then(|plan| plan.decided_to.as_ref()).unwrap_or(&self.to)
    }

    /// The sender that routes look at.
    #[must_use]
    pub fn routed_from(&self) -> &Address {
        self.plan.as_ref().and_then(|plan| plan.decided_from.as_ref()).unwrap_or(&self.from)
    }

    /// The recipient that the carrier is told, which its receipts name.
    #[must_use]
    pub fn sent_to(&self) -> &Address {
        self.plan.as_ref().and_then(|plan| plan.sent_to()).unwrap_or(&self.to)
    }

    /// The sender that the carrier is told.
    #[must_use]
    pub fn sent_from(&self) -> &Address {
        self.plan.as_ref().and_then(|plan| plan.sent_from()).unwrap_or(&self.from)
    }

    /// The text that is sent, if it is one: what was asked for, with what the route appends.
    #[must_use]
    pub fn sent_text(&self) -> Option<Cow<'_, str>> {
        let Content::Text(text) = &self.content else { return None };
        Some(match self.plan.as_ref().and_then(|plan| plan.text_append.as_deref()) {
            Some(append) => Cow::Owned(format!("{text}{append}")),
            None => Cow::Borrowed(text),
        })
    }

    /// What the account pays for the whole message, all its parts; `None` where its route has no
    /// price for the recipient. Known from the moment when the message is prepared, before anything
    /// of it is stored, and changed after that by a replacement of the text alone: not by failover, and
    /// not by how many parts a carrier makes of it. Copies that a route sends have none. So whoever charges for messages
    /// takes this in the commit that accepts them, and gives the same back.
    #[must_use]
    pub fn price(&self) -> Option<Money> {
        self.plan.as_ref().and_then(|plan| plan.price)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn the_others_are_those_after_it_and_then_those_before() {
        let names = |names: &[&str]| names.iter().map(|name| Name::from(*name)).collect::<Vec<_>>();
        let plan = Plan { connectors: names(&["a", "b", "c"]), ..Plan::default() };
        let others = |of: &'static str| plan.others(of).cloned().collect::<Vec<_>>();
        assert_eq!(others("b"), names(&["c", "a"]));
        assert_eq!(others("c"), names(&["a", "b"]));
        assert_eq!(others("x"), names(&["a", "b", "c"]));
        assert_eq!(plan.later("b").cloned().collect::<Vec<_>>(), names(&["c"]));
    }

    #[test]
    fn what_is_sent_is_what_was_asked_for_unless_the_route_says_otherwise() {
        let plain = samples::body(crate::Timestamp::default());
        assert_eq!((plain.sent_to(), plain.sent_from()), (&plain.to, &plain.from));
        assert!(matches!(plain.sent_text(), Some(Cow::Borrowed("hello"))));
        let plan = Plan {
            to: Some(Address::from_carrier("447700900999", true)),
            from: Some(Address::from_carrier("60777", false)),
            text_append: Some(" Reply STOP".into()),
            ..Plan::default()
        };
        let body = Body { plan: plan.clone().boxed(), ..plain };
        assert_eq!((body.sent_to().as_str(), body.sent_from().as_str()), ("+447700900999", "60777"));
        assert_eq!(body.sent_text().as_deref(), Some("hello Reply STOP"));
        let decided = Some(Address::from_carrier("447700900555", true));
        let body = Body { plan: Plan { decided_to: decided.clone(), ..plan.clone() }.boxed(), ..body };
        assert_eq!((body.routed_to().as_str(), body.sent_to().as_str()), ("+447700900555", "+447700900999"));
        let body = Body { plan: Plan { decided_to: decided, ..Plan::default() }.boxed(), ..body };
        assert_eq!((body.sent_to(), body.routed_from()), (body.routed_to(), &body.from));
        assert_eq!(Plan::default().boxed(), None);
        let json = serde_json::to_string(&plan).unwrap();
        assert_eq!(json, r#"{"to":"+447700900999","from":"60777","text_append":" Reply STOP"}"#);
        assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
    }
}
