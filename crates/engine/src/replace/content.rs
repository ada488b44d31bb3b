//! Another content has to pass what the first one had to: the account's policy service, and the routes
//! that look at texts.

use model::{Body, Message};
use routing::Outcome;

use crate::accept::Refusal;
use crate::engine::Engine;
use crate::health::Wellbeing;
use crate::policy::Asking;
use crate::route::question_again;
use crate::text;
use crate::validate::Valid;
use crate::world::World;

use super::Sound;

impl Engine {
    /// Asks the policy service of a message's account about another content, if it has one. Only a refusal
    /// counts: the message goes the way that it has.
    pub(super) async fn consulted_again(&self, message: &Message, sound: &Sound) -> Result<(), Refusal> {
        let (world, now) = (self.world(), self.now());
        let account = world.account(&message.body.account).filter(|_| sound.content.is_some());
        let Some((account, policy)) = account.and_then(|account| Some((account, account.policy.as_ref()?))) else {
            return Ok(());
        };
        // Whether it is too late is seen again when it is replaced.
        if !message.progress.waits_whole() && !message.is_whole_at_carrier() {
            return Ok(());
        }
        let valid = Valid::again(sound.body(&message.body, now), sound.max_parts);
        let Some(asked) = self.ask_about(account, &valid, sound.choice, now, Asking::Message { until: None }).await
        else {
            return Ok(());
        };
        self.inner.metrics.policy_asked(&policy.owner, asked.outcome.word(), asked.took);
        policy.followed(&asked, model::Submission::default()).map(drop)
    }

    /// Refuses a content that the routes do not take, where they take the one before.
    pub(super) fn routed_again(&self, world: &World, message: &Message, body: &Body) -> Result<(), Refusal> {
        // It did not come by a route.
        if message.progress.route().is_none() {
            return Ok(());
        }
        let lanes = self.inner.lanes.load();
        let health = Wellbeing { lanes: &lanes, world, dry: true };
        let refused = |body: &Body| {
            let parts = text::plan(body).map_or(1, |plan| plan.part_count());
            let question = question_again(body, parts);
            match world.routes.plan(&question, &health, 0) {
                Outcome::Reject { route, reason } => Some(Refusal::Rejected { route, reason }),
                Outcome::Drop { route, .. } => Some(Refusal::Rejected { route, reason: None }),
                Outcome::NoRoute => Some(Refusal::NoRoute),
                // An address is no matter of the content.
                Outcome::Send(_) | Outcome::Unfit { .. } => None,
            }
        };
        match refused(body) {
            // What is refused whatever it says was sent by leave of somebody.
            Some(refusal) if refused(&message.body).is_none() => Err(refusal),
            _ => Ok(()),
        }
    }
}
