//! Calls: somebody rings up the number of a modem. There is nothing to hear, so the account that would get a message to
//! that number is told, by its webhooks.

use model::{Address, DeliveryId, Name, Timestamp};
use routing::Incoming as InboundQuestion;

use crate::announce;
use crate::persist::{Draft, Recorder};
use crate::respond;
use crate::world::World;

/// Somebody called.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub connector: &'a str,
    /// Unless that is withheld.
    pub from: Option<&'a Address>,
    /// The number that was called.
    pub to: &'a Address,
    /// The inbound rule that gives it to the account.
    pub rule: &'a str,
    pub at: Timestamp,
}

impl Recorder {
    /// Owes a call to the account that an inbound rule names: the one that would take a message without a text.
    pub(crate) fn call(
        &mut self,
        connector: &Name,
        from: Option<Address>,
        to: Address,
        world: &World,
        draft: &mut Draft,
    ) {
        let now = draft.now;
        let withheld = Address::from_carrier("", false);
        let question = InboundQuestion { connector, to: &to, from: from.as_ref().unwrap_or(&withheld), text: Some("") };
        let plan = world.inbound.plan(question, |account| respond::clock_of(world, account, now));
        let taken = plan.as_ref().and_then(|plan| Some((&plan.rule, world.account(&plan.account)?)));
        let Some((rule, account)) = taken else {
            tracing::info!(%connector, "no inbound rule takes a call");
            return;
        };
        let call = Call { connector, from: from.as_ref(), to: &to, rule, at: now };
        let engine = &self.engine;
        let owed = announce::of_call(account, &call, || DeliveryId(engine.next_id(now).0));
        draft.changes.deliveries.extend(owed);
    }
}
