//! Route: what becomes of a sound submission. Which connectors take it, as what, at which price, and
//! which copies go with it.

use std::sync::Arc;

use model::resources::{LongForm, Money};
use model::submission::{Decided, EncodingChoice, Fault};
use model::{Body, Change, Content, Message, Name, Plan, Progress, Reason, Status, Submission, Timestamp};
use routing::{Outcome, Question, RoutePlan};
use sms::Udh;

use crate::accept::Refusal;
use crate::charge;
use crate::engine::Engine;
use crate::health::Wellbeing;
use crate::rhythm::Hold;
use crate::text;
use crate::validate::{Size, Valid};
use crate::world::{AccountView, World};

/// A message ready to be kept, with the copies that routes send of it.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// The message. What it costs its account is [`Body::price`].
    pub message: Message,
    /// Copies: messages of nobody's account, of which nobody is told.
    pub copies: Vec<Message>,
}

/// What an application wishes of what its route decides.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wish {
    pub encoding: EncodingChoice,
    pub connector: Option<String>,
    pub route: Option<String>,
    /// Nothing is to come of it: turns are not taken.
    pub dry: bool,
    /// What a policy service has decided.
    pub decided: Option<Box<Decided>>,
}

impl Wish {
    /// What a submission wishes.
    pub fn of(submission: &Submission) -> Self {
        let Submission { encoding, connector, route, decided, .. } = submission;
        let (connector, route, decided) = (connector.clone(), route.clone(), decided.clone());
        Self { encoding: *encoding, connector, route, dry: false, decided }
    }

    /// The network that the recipient belongs to.
    fn network(&self) -> Option<&str> {
        self.decided.as_ref()?.network.as_deref()
    }

    fn is_imposed(&self) -> bool {
        self.decided.as_ref().is_some_and(|decided| decided.imposed)
    }
}

/// What becomes of a message.
pub(crate) enum Way {
    Send(RoutePlan),
    Drop { route: Name, copies: Vec<RoutePlan> },
}

impl Engine {
    /// Routes a sound submission and cuts it into parts.
    pub(crate) fn routed(
        &self,
        world: &World,
        account: &AccountView,
        valid: Valid,
        wish: &Wish,
        now: Timestamp,
    ) -> Result<Prepared, Refusal> {
        let layout = Layout { world, account, wish, now };
        let mut way = self.way(world, account, &valid, wish, now)?;
        let mut valid = valid;
        if let (Way::Send(plan), true) = (&way, self.inner.fleet.is_some()) {
            // Among several nodes the id says whose message it is.
            valid.body.id = self.next_id_over(plan.connectors.first().map_or("", |name| name), now);
        }
        let (Way::Send(RoutePlan { copies, .. }) | Way::Drop { copies, .. }) = &mut way;
        let copies = std::mem::take(copies);
        let copies = copies.into_iter().filter_map(|plan| {
            let copy = valid.copy(self.next_id(now));
            let route = plan.route.clone();
            let refused = |error: &Refusal| tracing::warn!(?route, %error, "a copy of a message can't be sent");
            layout.message(copy, plan, Some(valid.body.id)).inspect_err(refused).ok()
        });
        let copies = copies.collect();
        let message = match way {
            Way::Send(plan) => layout.message(valid, plan, None)?,
            Way::Drop { route, .. } => layout.dropped(valid, &route)?,
        };
        Ok(Prepared { message, copies })
    }

    /// What becomes of a sound submission.
    fn way(
        &self,
        world: &World,
        account: &AccountView,
        valid: &Valid,
        wish: &Wish,
        now: Timestamp,
    ) -> Result<Way, Refusal> {
        let chosen = (wish.connector.is_some() || wish.route.is_some()) && !wish.is_imposed();
        if chosen && !account.account.may_choose_connector {
            return Err(Refusal::Forbidden("this account may not choose its connector or route"));
        }
        if let Some(connector) = &wish.connector {
            return over(world, connector);
        }
        let lanes = self.inner.lanes.load();
        let health = Wellbeing { lanes: &lanes, world, dry: wish.dry };
        let question = question(world, account, valid, wish, now)?;
        let random = fastrand::u64(..);
        match &wish.route {
            None => settled(world.routes.plan(&question, &health, random)),
            Some(route) => {
                let outcome = world.routes.plan_over(route, &question, &health, random);
                let none = || invalid("/route", format!("there is no route \"{route}\" that sends"));
                settled(outcome.ok_or_else(none)?)
            }
        }
    }
}

/// What the routes are asked about a submission. A route looks at when the message is due.
pub(crate) fn question<'v>(
    world: &World,
    account: &'v AccountView,
    valid: &'v Valid,
    wish: &'v Wish,
    now: Timestamp,
) -> Result<Question<'v>, Refusal> {
    let size = match world.routes.asks_size() {
        true => Some(valid.size(wish.encoding, account).map_err(Refusal::Invalid)?),
        false => None,
    };
    let Body { ingress, content, priority, tags, send_at, .. } = &valid.body;
    Ok(Question {
        account: &account.id,
        to: valid.body.routed_to(),
        from: valid.body.routed_from(),
        ingress: Some(ingress.as_str()),
        // One without a text is only asked about, and then it is not known.
        text: content.text().filter(|text| !text.is_empty()),
        encoding: size.map(|size| text::encoding_of(size.alphabet)),
        parts: size.map(|size: Size| u16::try_from(size.parts).unwrap_or(u16::MAX)),
        priority: Some(*priority),
        tags,
        network: wish.network(),
        now: Some(valid.hold.as_ref().map_or(send_at.unwrap_or(now), |hold| hold.until)),
        reference: reference(content),
    })
}

/// The same of a message that was accepted before, in so many parts.
pub(crate) fn question_again(body: &Body, parts: usize) -> Question<'_> {
    Question {
        account: &body.account,
        to: body.routed_to(),
        from: body.routed_from(),
        ingress: Some(body.ingress.as_str()),
        text: body.content.text(),
        encoding: Some(body.encoding),
        parts: Some(u16::try_from(parts).unwrap_or(u16::MAX)),
        priority: Some(body.priority),
        tags: &body.tags,
        network: body.plan.as_ref().and_then(|plan| plan.network.as_deref()),
        now: Some(body.send_at.unwrap_or(body.created_at)),
        reference: reference(&body.content),
    }
}

/// The concatenation reference of octets that are a part of a long message.
fn reference(content: &Content) -> Option<u16> {
    let Content::Binary { udh, .. } = content else { return None };
    Some(Udh::split(udh).ok()?.0.concat()?.reference)
}

/// An outcome as an application is told it.
pub(crate) fn settled(outcome: Outcome) -> Result<Way, Refusal> {
    match outcome {
        Outcome::Send(plan) => Ok(Way::Send(plan)),
        Outcome::Drop { route, copies } => Ok(Way::Drop { route, copies }),
        Outcome::Reject { route, reason } => Err(Refusal::Rejected { route, reason }),
        Outcome::Unfit { route, field, error } => {
            tracing::warn!(%route, field, %error, "a route makes something of an address that is none");
            Err(Refusal::Misrouted { route, field, why: error.to_string() })
        }
        Outcome::NoRoute => Err(Refusal::NoRoute),
    }
}

/// The connector that a message itself names.
fn over(world: &World, connector: &str) -> Result<Way, Refusal> {
    let unknown = || invalid("/connector", format!("there is no connector \"{connector}\""));
    let name: Name = world.connector(connector).ok_or_else(unknown)?.id.as_str().into();
    Ok(Way::Send(RoutePlan {
        route: None,
        pool: None,
        connectors: vec![name],
        usable: 1,
        to: None,
        from: None,
        text_append: None,
        price: None,
        copies: Vec::new(),
    }))
}

fn invalid(pointer: &str, detail: String) -> Refusal {
    Refusal::Invalid(vec![Fault::new(pointer, detail)])
}

/// What is the same for a message and its copies.
struct Layout<'a> {
    world: &'a World,
    account: &'a AccountView,
    wish: &'a Wish,
    now: Timestamp,
}

impl Layout<'_> {
    /// The message that goes where `plan` says.
    fn message(
        &self,
        mut valid: Valid,
        plan: RoutePlan,
        copy_of: Option<model::MessageId>,
    ) -> Result<Message, Refusal> {
        let RoutePlan { route, pool, mut connectors, to, from, text_append, price, .. } = plan;
        let connector = connectors.first().cloned().ok_or(Refusal::NoRoute)?;
        // What one connector makes of a plain message is nothing that need be kept.
        if connectors.len() == 1 {
            connectors.clear();
        }
        let is_text = matches!(valid.body.content, Content::Text(_));
        let Plan { decided_to, decided_from, .. } = valid.body.plan.take().map_or_else(Plan::default, |plan| *plan);
        let plan = Plan {
            pool: pool.filter(|_| !connectors.is_empty()),
            connectors,
            to,
            from,
            decided_to,
            decided_from,
            text_append: text_append.filter(|_| is_text).map(|text| (*text).into()),
            price: None,
            network: self.wish.network().map(Into::into),
            copy_of,
        };
        valid.body.plan = plan.boxed();
        let long = self.world.connector(&connector).map_or(LongForm::Udh, |c| c.long_form());
        let hold = valid.hold.take();
        let (mut body, size) = valid.sized(self.wish.encoding, self.account, long).map_err(Refusal::Invalid)?;
        let copied = copy_of.is_some();
        let own_price = || charge::own_price(self.account, body.routed_to()).filter(|_| !copied);
        if let Some(Money { amount, currency }) = price.or_else(own_price) {
            let amount = amount.times(u16::try_from(size.parts).unwrap_or(u16::MAX));
            body.plan.get_or_insert_default().price = Some(Money { amount, currency });
        }
        if !copied {
            body.charge = charge::of(self.account, &body)?;
        }
        let parts = if long == LongForm::Payload { 1 } else { size.parts };
        let waits = body.send_at.is_some() || hold.is_some();
        let status = if waits { Status::Scheduled } else { Status::Queued };
        let mut progress = Progress::accepted(status, Some(connector), parts, self.now);
        progress.due = Some(body.send_at.unwrap_or(self.now));
        if let Some(Hold { until, reason }) = hold {
            progress.due = Some(until);
            progress.put_off(reason, self.now);
        }
        self.tell_decided(&mut progress);
        if let Some(route) = route {
            progress.taken_by(&route);
        }
        debug_assert!(text::plan(&body).is_ok_and(|plan| plan.part_count() == size.parts));
        Ok(Message { body: Arc::new(body), progress })
    }

    /// Says what a policy service has decided, if it has changed anything.
    fn tell_decided(&self, progress: &mut Progress) {
        if let Some(decided) = self.wish.decided.as_ref().filter(|decided| !decided.told.is_empty()) {
            progress.note(self.now, "decided", None, Some(decided.told.clone()));
        }
    }

    /// A message that is accepted, and of which nothing is sent.
    fn dropped(&self, valid: Valid, route: &Name) -> Result<Message, Refusal> {
        let (body, size) = valid.sized(self.wish.encoding, self.account, LongForm::Udh).map_err(Refusal::Invalid)?;
        let mut progress = Progress::accepted(Status::Queued, None, size.parts, self.now);
        self.tell_decided(&mut progress);
        progress.taken_by(route);
        let mut message = Message { body: Arc::new(body), progress };
        message.apply(Change::Cancel, None, self.now);
        message.progress.reason = Some(Box::new(Reason::new("dropped", format!("the route {route} drops it"), true)));
        Ok(message)
    }
}
