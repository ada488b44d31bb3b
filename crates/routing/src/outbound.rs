//! What becomes of a message that goes out.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::tz::TimeZoneDatabase;
use model::Name;
use model::resources::{Kind, Pool as PoolResource, PriceList, ResourceSet, Route};

use crate::country::Countries;
use crate::error::{Faults, RuleError, RuleProblem};
use crate::index::Index;
use crate::plan::{COPIES_MAX, Decision, Outcome, RoutePlan, Tried};
use crate::pool::{AllWell, Health, Member, Pool};
use crate::price::PriceTable;
use crate::question::{Asked, Outgoing, Question};
use crate::rule::{Action, Known, Rule};

/// The routes in order, ready to be asked.
#[derive(Debug)]
pub struct RouteTable {
    rules: Vec<Rule>,
    index: Index,
    /// Only if a rule looks at them.
    countries: Option<Countries>,
    asks_size: bool,
    /// Places in `rules`.
    by_id: HashMap<Name, u32>,
    /// Takes everything when no route was written at all.
    only_connector: Option<Name>,
}

impl Default for RouteTable {
    fn default() -> Self {
        Self::new(&[], &[])
    }
}

impl RouteTable {
    /// Compiles `routes`, by their order and then as they stand, without pools; names are taken as
    /// they are. A gateway with one connector and no routes sends everything over it:
    /// `connectors` are all that there are. A route with a fault matches nothing.
    #[must_use]
    pub fn new(routes: &[Route], connectors: &[&str]) -> Self {
        let zones = TimeZoneDatabase::bundled();
        let names = connectors.iter().map(|id| (*id, Name::from(*id))).collect();
        let known = Known { accounts: None, connectors: names, any_connector: true, pools: HashMap::new(), zones };
        Self::build(routes, connectors, &known, &mut Vec::new())
    }

    /// Compiles the routes and pools of `set`; every fault is told at once, those that
    /// [`ResourceSet::faults`] tells of the same fields too.
    pub fn compile(set: &ResourceSet) -> Result<Self, Vec<RuleError>> {
        Self::with_costs(set, [])
    }

    /// The same, with what a part costs over connectors, for members of pools that don't say.
    pub fn with_costs<'c>(
        set: &ResourceSet,
        costs: impl IntoIterator<Item = (&'c str, &'c PriceList)>,
    ) -> Result<Self, Vec<RuleError>> {
        let (table, errors) = Self::as_far_as_sound(set, costs);
        if errors.is_empty() { Ok(table) } else { Err(errors) }
    }

    /// The same for a set that may have faults, which are told: a route with a fault matches nothing.
    pub fn as_far_as_sound<'c>(
        set: &ResourceSet,
        costs: impl IntoIterator<Item = (&'c str, &'c PriceList)>,
    ) -> (Self, Vec<RuleError>) {
        let connectors: Vec<&str> = set.connectors.iter().map(|c| c.id.as_str()).collect();
        let costs: HashMap<&str, &PriceList> = costs.into_iter().collect();
        let mut errors = Vec::new();
        let pools =
            set.pools.iter().map(|pool| (pool.id.as_str(), compile_pool(pool, &connectors, &costs, &mut errors)));
        let known = Known {
            pools: pools.collect(),
            accounts: Some(set.accounts.iter().map(|a| a.id.as_str()).collect()),
            connectors: connectors.iter().map(|id| (*id, Name::from(*id))).collect(),
            any_connector: false,
            zones: TimeZoneDatabase::bundled(),
        };
        let table = Self::build(&set.routes, &connectors, &known, &mut errors);
        (table, errors)
    }

    fn build(routes: &[Route], connectors: &[&str], known: &Known<'_>, errors: &mut Vec<RuleError>) -> Self {
        let mut ordered: Vec<&Route> = routes.iter().filter(|r| r.enabled).collect();
        ordered.sort_by_key(|r| r.order);
        let rules: Vec<Rule> = ordered.into_iter().map(|route| Rule::compile(route, known, errors)).collect();
        // What is not looked at may not be wrong either: it will be looked at one day.
        routes.iter().filter(|r| !r.enabled).for_each(|route| drop(Rule::compile(route, known, errors)));
        let only_connector = match connectors {
            [only] if routes.is_empty() => Some(Name::from(*only)),
            _ => None,
        };
        Self {
            index: Index::new(rules.iter().map(|rule| &rule.conditions)),
            by_id: rules.iter().zip(0..).map(|(rule, number)| (rule.id.clone(), number)).collect(),
            countries: rules.iter().any(Rule::asks_country).then(Countries::new),
            asks_size: rules.iter().any(|rule| rule.conditions.asks_size()),
            rules,
            only_connector,
        }
    }

    /// Does a route look at how a message goes over the air? If none does, a [`Question`] need not say.
    #[must_use]
    pub fn asks_size(&self) -> bool {
        self.asks_size
    }

    /// What becomes of a message: where it goes, as what, at which price. `health` says how the
    /// connectors are; `random` is a fresh random number, from which all chance is drawn.
    #[must_use]
    pub fn plan(&self, question: &Question<'_>, health: &dyn Health, random: u64) -> Outcome {
        if let Some(connector) = &self.only_connector {
            return Outcome::Send(over_only(connector, health));
        }
        let asked = Asked::new(question, self.countries.as_ref());
        let mut copies = Vec::new();
        for rule in self.index.candidates(asked).filter_map(|number| self.rules.get(number as usize)) {
            if rule.against(asked, true).is_some() {
                continue;
            }
            match self.outcome(rule, asked, health, question.chance(random)) {
                Outcome::Send(copy) if matches!(rule.action, Action::Copy(_)) => {
                    if copies.len() < COPIES_MAX {
                        copies.push(copy);
                    }
                }
                Outcome::Send(plan) => return Outcome::Send(RoutePlan { copies, ..plan }),
                Outcome::Drop { route, .. } => return Outcome::Drop { route, copies },
                other => return other,
            }
        }
        Outcome::NoRoute
    }

    /// What this route makes of a message, whether it is for it or not: for accounts that may
    /// choose their route. `None` if there is no such route that is enabled and sends.
    #[must_use]
    pub fn plan_over(&self, route: &str, question: &Question<'_>, health: &dyn Health, random: u64) -> Option<Outcome> {
        let rule = self.rules.get(*self.by_id.get(route)? as usize)?;
        let chosen = matches!(rule.action, Action::Send(_)) && rule.fault.is_none();
        let random = question.chance(random);
        chosen.then(|| self.outcome(rule, Asked::new(question, self.countries.as_ref()), health, random))
    }

    /// Every rule up to the one that decides, with what stood against it.
    #[must_use]
    pub fn explain_plan(&self, question: &Question<'_>) -> Vec<Tried> {
        let asked = Asked::new(question, self.countries.as_ref());
        let mut tried = Vec::new();
        for rule in &self.rules {
            let against = rule.against(asked, false);
            tried.push(Tried { route: rule.id.clone(), against });
            if against.is_none() && !matches!(rule.action, Action::Copy(_)) {
                break;
            }
        }
        tried
    }

    /// The decision for `message`, in short.
    #[must_use]
    pub fn decide(&self, message: Outgoing<'_>) -> Decision {
        match self.plan(&message.into(), &AllWell, 0) {
            Outcome::Send(plan) => match plan.connectors.into_iter().next() {
                Some(connector) => Decision::Send { route: plan.route, connector },
                None => Decision::NoRoute,
            },
            Outcome::Reject { route, .. } | Outcome::Drop { route, .. } | Outcome::Unfit { route, .. } => {
                Decision::Reject { route }
            }
            Outcome::NoRoute => Decision::NoRoute,
        }
    }

    /// Every rule up to the one that decides, with what stood against it.
    #[must_use]
    pub fn explain(&self, message: Outgoing<'_>) -> Vec<Tried> {
        self.explain_plan(&message.into())
    }

    fn outcome(&self, rule: &Rule, asked: Asked<'_>, health: &dyn Health, random: u64) -> Outcome {
        let route = rule.id.clone();
        match &rule.action {
            Action::Send(sending) | Action::Copy(sending) => {
                match sending.plan(&route, asked, self.countries.as_ref(), health, random) {
                    Ok(plan) => Outcome::Send(plan),
                    Err((field, error)) => Outcome::Unfit { route, field, error },
                }
            }
            Action::Reject(reason) => Outcome::Reject { route, reason: reason.clone() },
            Action::Drop => Outcome::Drop { route, copies: Vec::new() },
        }
    }
}

fn over_only(connector: &Name, health: &dyn Health) -> RoutePlan {
    RoutePlan {
        route: None,
        pool: None,
        connectors: vec![connector.clone()],
        usable: usize::from(health.state(connector).usable),
        to: None,
        from: None,
        text_append: None,
        price: None,
        copies: Vec::new(),
    }
}

fn compile_pool(
    pool: &PoolResource,
    connectors: &[&str],
    costs: &HashMap<&str, &PriceList>,
    errors: &mut Vec<RuleError>,
) -> Arc<Pool> {
    let mut faults = Faults { kind: Kind::Pool, id: &pool.id, errors, first: None };
    if pool.members.is_empty() {
        faults.add("members", "members".into(), RuleProblem::NoTarget);
    }
    let mut members = Vec::with_capacity(pool.members.len());
    for (n, member) in pool.members.iter().enumerate() {
        if !connectors.contains(&member.connector.as_str()) {
            let problem = RuleProblem::Unknown { what: "connector", name: member.connector.clone() };
            faults.add("members", format!("members.{n}.connector"), problem);
        }
        let cost = member.cost.as_ref().or_else(|| costs.get(member.connector.as_str()).copied()).map(PriceTable::new);
        members.push(Member {
            connector: member.connector.as_str().into(),
            weight: member.weight,
            priority: member.priority,
            cost: cost.and_then(|cost| faults.keep("members", format!("members.{n}.cost"), cost)),
        });
    }
    members.sort_by_key(|member| member.priority);
    Arc::new(Pool { id: pool.id.as_str().into(), strategy: pool.strategy, sticky: pool.sticky, members })
}

#[cfg(test)]
mod tests;
