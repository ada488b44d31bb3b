//! One route, ready to be asked: its conditions and what it does.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::tz::TimeZoneDatabase;
use model::resources::{Kind, Route, RouteAction};
use model::{AddressError, Name};

use crate::chance::mix;
use crate::condition::Conditions;
use crate::country::Countries;
use crate::error::{Faults, RuleError, RuleProblem};
use crate::plan::RoutePlan;
use crate::pool::{Choice, Health, Pool};
use crate::price::PriceTable;
use crate::question::{Asked, country};
use crate::rewrite::{self, Change};

/// A route, ready to be asked.
#[derive(Debug)]
pub(crate) struct Rule {
    pub id: Name,
    pub conditions: Conditions,
    /// The field that is at fault: a rule that is not understood matches nothing.
    pub fault: Option<&'static str>,
    pub action: Action,
}

#[derive(Debug)]
pub(crate) enum Action {
    Send(Sending),
    Copy(Sending),
    Reject(Option<Arc<str>>),
    Drop,
}

/// How a route sends. What few routes have stands apart, so that a plain rule is one read.
#[derive(Debug)]
pub(crate) struct Sending {
    target: Target,
    from: Option<Box<Change>>,
    to: Option<Box<Change>>,
    text_append: Option<Arc<str>>,
    price: Option<Box<PriceTable>>,
}

#[derive(Debug)]
enum Target {
    Connector(Name),
    Pool(Arc<Pool>),
}

/// What routes may refer to.
pub(crate) struct Known<'a> {
    /// `None`: any name is taken.
    pub accounts: Option<HashSet<&'a str>>,
    /// The connectors, with the names that all rules share.
    pub connectors: HashMap<&'a str, Name>,
    /// Names that are none of these are taken as they are.
    pub any_connector: bool,
    pub pools: HashMap<&'a str, Arc<Pool>>,
    pub zones: TimeZoneDatabase,
}

impl Rule {
    pub fn compile(route: &Route, known: &Known<'_>, errors: &mut Vec<RuleError>) -> Self {
        let mut faults = Faults { kind: Kind::Route, id: &route.id, errors, first: None };
        let is_account = |id: &str| known.accounts.as_ref().is_none_or(|accounts| accounts.contains(id));
        let conditions = Conditions::compile(&route.matches, is_account, &known.zones, &mut faults);
        let sending = match route.action.sends() {
            true => Sending::compile(route, known, &mut faults),
            false => None,
        };
        let action = match (route.action, sending) {
            (RouteAction::Send, Some(sending)) => Action::Send(sending),
            (RouteAction::Copy, Some(sending)) => Action::Copy(sending),
            (RouteAction::Drop, _) => Action::Drop,
            // Without a target the rule is at fault, and this is never reached.
            (RouteAction::Reject | RouteAction::Send | RouteAction::Copy, _) => {
                Action::Reject(route.reason.as_deref().map(Arc::from))
            }
        };
        Self { id: route.id.as_str().into(), conditions, fault: faults.first, action }
    }

    /// Does it look at the recipient's country?
    pub fn asks_country(&self) -> bool {
        let of_sender = match &self.action {
            Action::Send(sending) | Action::Copy(sending) => sending.from.as_deref(),
            Action::Reject(_) | Action::Drop => None,
        };
        !self.conditions.countries.is_empty() || of_sender.is_some_and(Change::asks_country)
    }

    /// The field that stands against the message, if any does.
    pub fn against(&self, asked: Asked<'_>, prefix_is_known: bool) -> Option<&'static str> {
        self.fault.or_else(|| self.conditions.against(asked, prefix_is_known))
    }
}

impl Sending {
    fn compile(route: &Route, known: &Known<'_>, faults: &mut Faults<'_>) -> Option<Self> {
        let target = match route.to.as_deref() {
            None => Err(RuleProblem::NoTarget),
            Some(to) => match (known.pools.get(to), known.connectors.get(to)) {
                (Some(pool), _) => Ok(Target::Pool(pool.clone())),
                (None, Some(connector)) => Ok(Target::Connector(connector.clone())),
                (None, None) if known.any_connector => Ok(Target::Connector(to.into())),
                (None, None) => Err(RuleProblem::Unknown { what: "connector or pool", name: to.to_owned() }),
            },
        };
        let target = faults.keep("to", "to".into(), target);
        let rewrite = route.rewrite.as_ref();
        let (from, to) = rewrite.map_or((None, None), |rewrite| rewrite::compile(rewrite, faults));
        let price = route.price.as_ref().map(PriceTable::new);
        let price = price.and_then(|price| faults.keep("price", "price.prefixes".into(), price)).map(Box::new);
        let text_append = rewrite.and_then(|r| r.text_append.as_deref()).map(Arc::from);
        let (from, to) = (from.map(Box::new), to.map(Box::new));
        Some(Self { target: target?, from, to, text_append, price })
    }

    /// Where the message goes, and as what; the field that makes no address of one.
    pub fn plan(
        &self,
        route: &Name,
        asked: Asked<'_>,
        countries: Option<&Countries>,
        health: &dyn Health,
        random: u64,
    ) -> Result<RoutePlan, (&'static str, AddressError)> {
        let question = asked.question;
        let change = |change: &Option<Box<Change>>, address, country, random| match change {
            Some(change) => change.apply(address, country, random),
            None => Ok(None),
        };
        let to = change(&self.to, question.to, asked.country, mix(random ^ 1)).map_err(|e| ("rewrite.to", e))?;
        let recipient = to.as_ref().unwrap_or(question.to);
        let country = match (&to, countries) {
            (Some(to), Some(countries)) => country(to, countries),
            _ => asked.country,
        };
        let from = change(&self.from, question.from, country, mix(random ^ 2)).map_err(|e| ("rewrite.from", e))?;
        let (pool, (connectors, usable)) = match &self.target {
            Target::Connector(name) => (None, (vec![name.clone()], usize::from(health.state(name).usable))),
            Target::Pool(pool) => {
                let from = from.as_ref().unwrap_or(question.from);
                let together = question.reference.is_some();
                (Some(pool.id.clone()), pool.order(Choice { to: recipient, from, health, random, together }))
            }
        };
        Ok(RoutePlan {
            route: Some(route.clone()),
            pool,
            connectors,
            usable,
            price: self.price.as_ref().and_then(|price| price.of(recipient)),
            to,
            from,
            text_append: self.text_append.clone(),
            copies: Vec::new(),
        })
    }
}
