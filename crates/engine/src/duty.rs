//! Duty: what is done once for a whole fleet, beside what a gateway that is alone does as well.
//!
//! Whatever waits for something that happens at other nodes is woken every second: nobody tells of it.

use std::time::Duration;

use store::{RemoteKey, StoreError};

use crate::engine::Engine;
use crate::facts::{Fact, Facts};
use crate::matching::{Form, candidates};
use crate::persist;
use crate::settle::receipt_rules;

/// How often is looked at what other nodes may have written.
const EVERY: Duration = Duration::from_secs(1);
/// Turns between looking for letters to nodes that are gone.
const FORGET_TURNS: u64 = 60;
/// Parked receipts looked at in a turn: the newest, for older ones had their turns.
const PARKED_PAGE: usize = 1000;
/// After joining: what was changed by nodes that did not know of this one yet is read once more.
const SETTLED: Duration = Duration::from_secs(10);

/// Does what this duty is, for as long as it is polled.
pub(crate) async fn run(engine: Engine) {
    // Their last messages may have ended when nobody had the duty.
    loop {
        match engine.inner.store.batches_unfinished().await {
            Ok(batches) => break engine.inner.endings.look_at(batches),
            Err(error) => tracing::warn!(%error, "batches that are not finished can't be read"),
        }
        tokio::time::sleep(EVERY).await;
    }
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for turn in 0_u64.. {
        tick.tick().await;
        if turn % FORGET_TURNS == 0
            && let Some(member) = &engine.inner.fleet
            && let Err(error) = member.forget_letters().await
        {
            tracing::debug!(%error, "the letters to nodes that are gone can't be dropped");
        }
        engine.wake_duties();
        if let Err(error) = engine.look_after_parts().await {
            tracing::debug!(%error, "what other nodes have parked can't be read");
        }
    }
}

/// Keeps what every node has in memory as other nodes have left it.
pub(crate) async fn follow(engine: Engine) {
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let settled = tokio::time::sleep(SETTLED);
    tokio::pin!(settled);
    let mut is_settled = false;
    loop {
        tokio::select! {
            _ = tick.tick() => {
                if let Err(error) = engine.inner.batches.read_again(&*engine.inner.store).await {
                    tracing::debug!(%error, "the phases of batches can't be read");
                }
            }
            () = &mut settled, if !is_settled => {
                is_settled = true;
                if let Err(error) = engine.inner.opt_outs.read(&*engine.inner.store).await {
                    tracing::warn!(%error, "opt-outs can't be read again");
                }
            }
        }
    }
}

impl Engine {
    fn wake_duties(&self) {
        let inner = &self.inner;
        inner.batches.wake();
        inner.groups.wanted.notify_one();
        inner.recurring.wake();
        inner.money_moved.notify_one();
    }

    /// Brings parts of incoming messages together, and receipts to parts that have been answered by now.
    async fn look_after_parts(&self) -> Result<(), StoreError> {
        let store = &self.inner.store;
        let mut facts = Vec::new();
        let parts = store.mo_parts().await?;
        if !parts.is_empty() {
            facts.push(Fact::MoParts { parts });
        }
        let world = self.world();
        let parked = store.parked(None, PARKED_PAGE).await?;
        let mut keys: Vec<RemoteKey> = Vec::new();
        let mut of = Vec::new();
        for (place, receipt) in parked.iter().enumerate() {
            let rule = receipt_rules(&world, &receipt.key.connector).0;
            for (_, id) in candidates(rule, None::<Form>, &receipt.remote_id).filter(|(_, id)| !id.is_empty()) {
                keys.push(RemoteKey { connector: receipt.key.connector.clone(), id: id.into() });
                of.push(place);
            }
        }
        if !keys.is_empty() {
            let found = store.remote_ids(&keys).await?;
            let mut last = None;
            for (place, part) in of.into_iter().zip(found) {
                let (Some(part), true) = (part, last != Some(place)) else { continue };
                last = Some(place);
                facts.extend(parked.get(place).map(|parked| Fact::Unparked { parked: parked.clone().into(), part }));
            }
        }
        if !facts.is_empty() && self.inner.facts.send(Facts { facts, acknowledge: None }).await.is_ok() {
            // Looked at again only when this is in the store.
            persist::flush(&self.inner.facts).await;
        }
        Ok(())
    }
}
