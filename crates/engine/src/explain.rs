//! Explain: what would become of a submission, and why, without accepting it. Every route that is
//! looked at is told with what stood against it, and every connector with how it is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use model::resources::{Money, Route};
use model::{Message, Name, Progress, Submission, Timestamp};
use routing::{Health, PriceTable, Tried};
use serde_json::Value;

use crate::accept::Refusal;
use crate::admit::{self, Exempt};
use crate::engine::Engine;
use crate::health::Wellbeing;
use crate::policy::{Asking, PolicyAsked};
use crate::route::{Prepared, Wish, question};
use crate::schedule::HealthView;
use crate::validate::{Valid, validate};
use crate::world::{AccountView, World};

/// What would become of a submission, and why.
#[derive(Debug)]
pub struct Explanation {
    /// The routes that were looked at, in order; none where fields are wrong or the message names its
    /// connector or route itself.
    pub routes: Vec<RouteTried>,
    /// The connectors of the plan in order, with how they are; none where nothing is sent.
    pub connectors: Vec<ConnectorTried>,
    /// The time zones whose quiet hours it comes in, if it does.
    pub quiet_clocks: Vec<Box<str>>,
    /// When the paces of its sender and recipient would let it go, if not at once.
    pub paced_until: Option<Timestamp>,
    /// What the account's policy service says, if it has one.
    pub policy: Option<PolicyTried>,
    /// The message as it would be kept, and copies of it; or why it is refused.
    pub outcome: Result<(Message, Vec<Message>), Refusal>,
}

/// What was asked of a policy service.
#[derive(Clone, Debug)]
pub enum PolicyTried {
    /// It would be asked; it is the service of this account.
    NotAsked(Name),
    /// It was asked, or nobody needs to ask it now.
    Asked(PolicyAsked),
}

/// A route that was looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct RouteTried {
    /// The route.
    pub route: Name,
    /// What it does with messages: the word of its `action`.
    pub action: &'static str,
    /// The path of the field that stood against the message, such as `match.to_prefix`; `None` if the
    /// route is for it.
    pub against: Option<String>,
    /// What that field wants, as the route has it.
    pub wanted: Option<Value>,
}

/// A connector that would take the message, or the next that would.
#[derive(Clone, Debug)]
pub struct ConnectorTried {
    /// The connector.
    pub connector: Name,
    /// It takes messages now.
    pub usable: bool,
    /// How well it does.
    pub health: HealthView,
    /// Messages in its queue.
    pub queued: u64,
    /// How long the message would wait there, if that can be told: by the queue and the connector's
    /// `throughput`, or else by how fast the carrier answered lately.
    pub wait: Option<Duration>,
    /// Its weight in the pool.
    pub weight: Option<u32>,
    /// Its priority in the pool, lowest first.
    pub priority: Option<u32>,
    /// What the carrier takes for a part, if it is known.
    pub cost: Option<Money>,
}

impl Engine {
    /// What would become of a submission of `account`. Chance is drawn as for a real message, so that
    /// pools which go by lot may answer otherwise each time; turns are not taken. The account's policy
    /// service is asked only if `ask` says so.
    pub async fn explain(&self, account: &Arc<AccountView>, mut submission: Submission, ask: bool) -> Explanation {
        let mut policy = account.policy.as_ref().map(|policy| PolicyTried::NotAsked(policy.owner.clone()));
        if let Some(service) = account.policy.as_ref().filter(|_| ask)
            && let Some(asked) = self.ask_policy(account, &submission, self.now(), Asking::ToKnow).await
        {
            let followed = service.followed(&asked, submission);
            policy = Some(PolicyTried::Asked(asked));
            submission = match followed {
                Ok(submission) => submission,
                Err(refusal) => return Explanation { policy, ..Explanation::refused(refusal) },
            };
        }
        Explanation { policy, ..self.explained(account, submission) }
    }

    /// What would become of a submission, without accepting it; the account's policy service is asked.
    pub async fn preview(&self, account: &AccountView, mut submission: Submission) -> Result<Message, Refusal> {
        if let Some(service) = &account.policy
            && let Some(asked) = Box::pin(self.ask_policy(account, &submission, self.now(), Asking::ToKnow)).await
        {
            submission = service.followed(&asked, submission)?;
        }
        self.would_accept(account, submission, Exempt::default())
    }

    fn explained(&self, account: &Arc<AccountView>, submission: Submission) -> Explanation {
        let (world, now) = (self.world(), self.now());
        let wish = Wish { dry: true, ..Wish::of(&submission) };
        // A text that is not given is not known.
        let mut valid = match validate(submission, account, self.next_id(now), now) {
            Ok(valid) => valid,
            Err(faults) => return Explanation::refused(Refusal::Invalid(faults)),
        };
        let tried = match question(&world, account, &valid, &wish, now) {
            Ok(question) if wish.connector.is_none() && wish.route.is_none() => world.routes.explain_plan(&question),
            Ok(_) => Vec::new(),
            Err(refusal) => return Explanation::refused(refusal),
        };
        let routes = tried.into_iter().filter_map(|tried| route_tried(&tried, &world)).collect();
        let held = self.admitted(account, &valid, Exempt::default()).and_then(|()| account.hold(&valid.body, now));
        let quiet_clocks = match &held {
            Ok(Some(_)) | Err(Refusal::QuietHours { .. }) => account.quiet_clocks(&valid.body),
            _ => Vec::new(),
        };
        let outcome = held.and_then(|hold| {
            valid.hold = hold;
            self.routed(&world, account, valid, &wish, now)
        });
        let connectors = match &outcome {
            Ok(Prepared { message, .. }) => self.connectors_of(message, &world),
            Err(_) => Vec::new(),
        };
        let outcome = outcome.map(|Prepared { message, copies }| (message, copies));
        let paced_until = match &outcome {
            Ok((message, _)) => self.paced_until(message, now),
            Err(_) => None,
        };
        Explanation { routes, connectors, quiet_clocks, paced_until, policy: None, outcome }
    }

    /// When the paces would let a message go that is due now, if that is later.
    fn paced_until(&self, message: &Message, now: Timestamp) -> Option<Timestamp> {
        let Progress { connector, parts, due, .. } = &message.progress;
        let parts = u8::try_from(parts.len()).unwrap_or(u8::MAX);
        let due_now = due.is_some_and(|due| due <= now);
        let rhythm = self.inner.rhythm.load();
        let hold = rhythm.turn(connector.as_ref().filter(|_| due_now)?, &message.body, parts, now)?;
        Some(hold.until)
    }

    /// A message as it would be kept, or why it would be refused.
    pub(crate) fn would_accept(
        &self,
        account: &AccountView,
        submission: Submission,
        exempt: Exempt,
    ) -> Result<Message, Refusal> {
        let (world, now) = (self.world(), self.now());
        let wish = Wish { dry: true, ..Wish::of(&submission) };
        let mut valid = validate(submission, account, self.next_id(now), now).map_err(Refusal::Invalid)?;
        self.admitted(account, &valid, exempt)?;
        account.heed_quiet_hours(&mut valid, exempt, now)?;
        self.routed(&world, account, valid, &wish, now).map(|prepared| prepared.message)
    }

    fn admitted(&self, account: &AccountView, valid: &Valid, exempt: Exempt) -> Result<(), Refusal> {
        admit::check(account, &valid.body)?;
        let phone = self.opted_out(account, &valid.body).filter(|_| !exempt.opt_outs);
        phone.map_or(Ok(()), |phone| Err(Refusal::OptedOut(phone)))
    }

    fn connectors_of(&self, message: &Message, world: &World) -> Vec<ConnectorTried> {
        let plan = message.body.plan.as_deref();
        let several = plan.map(|plan| plan.connectors.as_slice()).filter(|connectors| !connectors.is_empty());
        let names = several.unwrap_or(message.progress.connector.as_slice());
        let lanes = self.inner.lanes.load();
        let health = Wellbeing { lanes: &lanes, world, dry: true };
        let pool = plan.and_then(|plan| plan.pool.as_deref());
        let pool = pool.and_then(|id| world.set.pools.iter().find(|pool| pool.id == id));
        let now = Instant::now();
        let tried = names.iter().filter_map(|name| {
            let lane = lanes.iter().find(|lane| lane.connector() == name)?;
            let member = pool.and_then(|pool| pool.members.iter().find(|member| *member.connector == **name));
            let of_connector = || world.connector(name)?.cost.as_deref();
            let costs = member.and_then(|member| member.cost.as_ref()).or_else(of_connector);
            let state = health.state(name);
            Some(ConnectorTried {
                connector: name.clone(),
                usable: state.usable,
                health: lane.health(now),
                queued: state.busy,
                wait: lane.wait(now),
                weight: member.map(|member| member.weight),
                priority: member.map(|member| member.priority),
                cost: costs.and_then(|costs| PriceTable::new(costs).ok()?.of(message.body.sent_to())),
            })
        });
        tried.collect()
    }
}

impl Explanation {
    fn refused(refusal: Refusal) -> Self {
        Self {
            routes: Vec::new(),
            connectors: Vec::new(),
            quiet_clocks: Vec::new(),
            paced_until: None,
            policy: None,
            outcome: Err(refusal),
        }
    }
}

fn route_tried(tried: &Tried, world: &World) -> Option<RouteTried> {
    let route: &Route = world.set.routes.iter().find(|route| *route.id == *tried.route)?;
    let (against, wanted) = wanted_of(route, tried.against);
    Some(RouteTried { route: tried.route.clone(), action: route.action.as_str(), against, wanted })
}

/// The path of the field of a rule that stood against a message, and what it wants.
pub(crate) fn wanted_of(rule: &impl serde::Serialize, field: Option<&str>) -> (Option<String>, Option<Value>) {
    let Some(field) = field else { return (None, None) };
    let whole = serde_json::to_value(rule).unwrap_or_default();
    let wanted = whole.pointer(&format!("/match/{field}")).cloned();
    (Some(if wanted.is_some() { format!("match.{field}") } else { field.to_owned() }), wanted)
}
