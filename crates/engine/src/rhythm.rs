//! Rhythm: when messages of an account may go, beyond what connectors can take. What comes in quiet
//! hours is kept until they end; what waits when they begin is put off by the lane that would send it,
//! and so is what comes faster than the pace of its sender or recipient.

use std::sync::Arc;

use foldhash::HashMap;
use model::resources::QuietAction;
use model::{Body, Change, MessageId, Name, Reason, Timestamp};
use routing::Quiet;

use crate::accept::Refusal;
use crate::admit::Exempt;
use crate::persist::{Draft, Recorder};
use crate::schedule::{End, Of, Owner, PaceRule, Paces, Turn};
use crate::validate::Valid;
use crate::world::{AccountView, World};

/// Ends of quiet hours that lead into others, of accounts above each other, at the most.
const STEPS_MAX: usize = 20;

/// A message may not go yet.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Hold {
    pub until: Timestamp,
    pub reason: Reason,
}

/// The quiet hours and paces of accounts, each with those of the accounts above it, and the paces of
/// connectors; nothing of the others.
#[derive(Debug, Default)]
pub(crate) struct Rhythm {
    quiet: HashMap<Name, Vec<(Name, Arc<Quiet>)>>,
    accounts: HashMap<Name, Vec<PaceRule>>,
    connectors: HashMap<Name, PaceRule>,
    paces: Arc<Paces>,
}

impl Rhythm {
    /// Of these resources, going on with what was sent lately.
    pub fn of(world: &World, paces: Arc<Paces>) -> Self {
        let quiet = world.accounts().filter_map(|account| {
            let hours: Vec<_> = account.quiet_hours().map(|(owner, hours)| (owner.id.clone(), hours.clone())).collect();
            (!hours.is_empty()).then(|| (account.id.clone(), hours))
        });
        let accounts = world.accounts().filter_map(|account| {
            let rule = |owner: &AccountView| {
                Some(PaceRule::new(Owner::Account(owner.id.clone()), owner.account.pace.as_deref()?))
            };
            let rules: Vec<_> = account.chain().filter_map(rule).collect();
            (!rules.is_empty()).then(|| (account.id.clone(), rules))
        });
        let connectors = world.connectors().filter_map(|connector| {
            let name: Name = connector.id.as_str().into();
            Some((name.clone(), PaceRule::new(Owner::Connector(name), connector.pace.as_deref()?)))
        });
        Self { quiet: quiet.collect(), accounts: accounts.collect(), connectors: connectors.collect(), paces }
    }

    /// May everything go at any time, as fast as can be?
    pub fn is_empty(&self) -> bool {
        self.quiet.is_empty() && self.accounts.is_empty() && self.connectors.is_empty()
    }

    /// Why this message of so many parts may not go over a connector now, if that is so. If it may, it is
    /// counted.
    pub fn hold(&self, connector: &Name, body: &Body, parts: u8, now: Timestamp) -> Option<Hold> {
        if let Some(hours) = self.quiet.get(&body.account)
            && let Some(hold) = quiet_hold(hours.iter().map(|(owner, hours)| (owner, &**hours)), body, now)
        {
            return Some(hold);
        }
        let mut rules = self.rules(connector, body).peekable();
        rules.peek()?;
        self.paces.ask(self.rules(connector, body), body, parts, now).map(|turn| paced(&turn, body))
    }

    /// When a message would go over a connector by the paces, if not now. Nothing is counted.
    pub fn turn(&self, connector: &Name, body: &Body, parts: u8, now: Timestamp) -> Option<Hold> {
        self.paces.peek(self.rules(connector, body), body, parts, now).map(|turn| paced(&turn, body))
    }

    fn rules(&self, connector: &Name, body: &Body) -> impl Iterator<Item = &PaceRule> + Clone {
        let of_account = self.accounts.get(&body.account).into_iter().flatten();
        of_account.chain(self.connectors.get(connector))
    }
}

fn paced(turn: &Turn<'_>, body: &Body) -> Hold {
    let (what, address) = match turn.of {
        Of::Sender => ("sender", body.sent_from()),
        Of::Recipient => ("recipient", body.sent_to()),
    };
    let (kind, owner) = match turn.owner {
        Owner::Account(id) => ("account", id),
        Owner::Connector(id) => ("connector", id),
    };
    let detail = format!("the pace of the {kind} {owner} for the {what} {address} lets it go at {}", turn.at);
    Hold { until: turn.at, reason: Reason::new("paced", detail, false) }
}

impl AccountView {
    /// Its quiet hours and those of the accounts above it.
    fn quiet_hours(&self) -> impl Iterator<Item = (&Self, &Arc<Quiet>)> + Clone {
        self.chain().filter_map(|account| Some((account, account.admission.as_ref()?.quiet.as_ref()?)))
    }

    /// Why a message that is accepted now, or due at its own time, has to wait longer than that; or why it
    /// is refused.
    pub(crate) fn hold(&self, body: &Body, now: Timestamp) -> Result<Option<Hold>, Refusal> {
        let hours = self.quiet_hours();
        if body.ignore_quiet_hours && hours.clone().any(|(_, hours)| !hours.may_ignore) {
            return Err(Refusal::Forbidden("messages of this account may not ignore its quiet hours"));
        }
        let due = body.send_at.unwrap_or(now);
        let rejects = |hours: &Quiet| hours.action == QuietAction::Reject && !hours.exempts(body);
        for (owner, hours) in hours.clone().filter(|(_, hours)| rejects(hours)) {
            if let Some(until) = hours.until(body.routed_to(), due) {
                return Err(in_quiet_hours(owner, until, false));
            }
        }
        let hold = quiet_hold(hours.clone().map(|(owner, hours)| (&owner.id, &**hours)), body, due);
        match hold {
            Some(Hold { until, .. }) if until >= body.expires_at => Err(in_quiet_hours(self, until, true)),
            hold => Ok(hold),
        }
    }

    /// Puts a message off to the end of the quiet hours that it comes in, unless they are not for it.
    pub(crate) fn heed_quiet_hours(&self, valid: &mut Valid, exempt: Exempt, now: Timestamp) -> Result<(), Refusal> {
        match exempt.quiet_hours {
            // They may begin while it waits.
            true => valid.body.ignore_quiet_hours = self.quiet_hours().next().is_some(),
            false => valid.hold = self.hold(&valid.body, now)?,
        }
        Ok(())
    }

    /// The clocks by which quiet hours count for this message.
    pub(crate) fn quiet_clocks(&self, body: &Body) -> Vec<Box<str>> {
        let mut names: Vec<Box<str>> =
            self.quiet_hours().flat_map(|(_, hours)| hours.clock_names(body.routed_to())).map(Into::into).collect();
        names.dedup();
        names
    }
}

fn in_quiet_hours(account: &AccountView, until: Timestamp, expires: bool) -> Refusal {
    Refusal::QuietHours { account: account.id.clone(), until, expires }
}

fn quiet_hold<'a>(
    hours: impl Iterator<Item = (&'a Name, &'a Quiet)> + Clone,
    body: &Body,
    now: Timestamp,
) -> Option<Hold> {
    let (mut until, mut owner) = (now, None);
    for _ in 0..STEPS_MAX {
        let ends = hours.clone().filter(|(_, hours)| !hours.exempts(body));
        let ends = ends.filter_map(|(owner, hours)| Some((hours.until(body.routed_to(), until)?, owner)));
        let Some((end, whose)) = ends.max() else { break };
        (until, owner) = (end, Some(whose));
    }
    let detail = format!("the quiet hours of the account {} end at {until}", owner?);
    Some(Hold { until, reason: Reason::new("quiet_hours", detail, false) })
}

impl Recorder {
    /// A lane put a message off: its place in the queue moves.
    pub(crate) fn put_off(
        &mut self,
        connector: Name,
        id: MessageId,
        Hold { until, reason }: Hold,
        world: &World,
        draft: &mut Draft,
    ) {
        let waits_there = draft.message(id).is_some_and(|message| {
            message.progress.connector.as_ref() == Some(&connector) && message.progress.due.is_some()
        });
        let why = reason_word(&reason);
        let moved = waits_there && draft.apply(&self.engine, world, id, Change::PutOff(reason), None);
        if moved {
            draft.requeue(id, until);
        }
        if let Some(message) = draft.message(id).filter(|_| moved) {
            self.engine.inner.metrics.put_off(&message.body.account, why);
        }
        // Wherever it waits in this lane, it is found there again.
        let entry = draft.place_of(id).filter(|_| waits_there).map(Box::new);
        draft.ends.push((connector, End::PutOff(id, entry)));
    }
}

/// The word for a reason in the metrics.
fn reason_word(reason: &Reason) -> &'static str {
    match &*reason.code {
        "quiet_hours" => "quiet_hours",
        _ => "pace",
    }
}
