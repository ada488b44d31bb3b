//! One session number of a connector: connects, runs the session, waits, and connects again.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use engine::Engine;
use engine::dispatch::{Desired, Link, SessionState};
use model::resources::Connector;
use tokio::sync::watch;
use tokio::time::Instant;

use super::Dialogue;
use super::Ended;
use super::bound::Bound;
use crate::backoff::Backoff;
use crate::follow_up::FollowUps;
use crate::lasting::Lasting;
use crate::smpp::Door;

/// What a session number knows.
#[derive(Clone)]
pub(crate) struct Slot {
    pub(crate) engine: Engine,
    pub(crate) link: Link,
    pub(crate) number: u16,
    pub(crate) settings: watch::Receiver<Arc<Connector>>,
    pub(crate) desired: watch::Receiver<Desired>,
    /// Where the carrier comes in, if it connects by itself.
    pub(crate) door: Option<Door>,
    /// What sessions remember beyond their ends.
    pub(crate) lasting: Arc<Lasting>,
    /// What a modem's sessions know beyond themselves.
    pub(crate) modem: crate::modem::Shared,
    /// Told of what was sent, if missing receipts are to be asked for.
    pub(crate) follow_ups: FollowUps,
    /// Becomes true, or loses its sender, when the slot is to end for good.
    pub(crate) stop: watch::Receiver<bool>,
}

/// How a session lives, from its first connection to its end.
pub(crate) trait Life {
    /// Runs one session.
    fn live(slot: &mut Slot) -> impl Future<Output = Ended> + Send;
}

/// The life of a session over connections of its own.
pub(crate) struct Talks<D>(PhantomData<D>);

impl<D: Dialogue> Life for Talks<D> {
    async fn live(slot: &mut Slot) -> Ended {
        slot.live::<D>().await
    }
}

/// Runs a session number until it is told to stop.
pub(crate) async fn run<L: Life>(mut slot: Slot) {
    let mut backoff = Backoff::default();
    while slot.is_wanted_or_waits().await {
        slot.set_state(SessionState::Connecting);
        let ended = L::live(&mut slot).await;
        if ended.useful {
            backoff.reset();
        }
        let connector = slot.settings.borrow().clone();
        if ended.stopped {
            tracing::info!(connector = %connector.id, session = slot.number, "unbound");
            slot.set_state(SessionState::Down { reason: ended.reason, retry_at: None });
            continue;
        }
        let mut wait = backoff.next(connector.reconnect, ended.credentials, fastrand::f64());
        if slot.door.is_some() && !ended.credentials {
            // It is for the carrier to come again, and it may come at once.
            wait = Duration::ZERO;
        }
        tracing::warn!(
            connector = %connector.id, session = slot.number, reason = %ended.reason,
            retry_in_ms = wait.as_millis() as u64, "not bound"
        );
        let millis = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        let retry_at = Some(slot.engine.now().plus_millis(millis));
        slot.set_state(SessionState::Down { reason: ended.reason, retry_at });
        slot.wait_until(Instant::now() + wait).await;
    }
}

impl Slot {
    pub(crate) fn set_state(&self, state: SessionState) {
        self.link.set_state(self.number, state);
    }

    /// Waits while the connector is switched off; false when the slot is to end.
    async fn is_wanted_or_waits(&mut self) -> bool {
        loop {
            if *self.stop.borrow_and_update() {
                return false;
            }
            if *self.desired.borrow_and_update() == Desired::Running {
                return true;
            }
            tokio::select! {
                changed = self.stop.changed() => if changed.is_err() { return false },
                changed = self.desired.changed() => if changed.is_err() { return false },
            }
        }
    }

    /// Waits for a moment, or until it is not to be waited for any more.
    async fn wait_until(&mut self, at: Instant) {
        tokio::select! {
            () = tokio::time::sleep_until(at) => {}
            _ = self.stop.changed() => {}
            _ = self.desired.changed() => {}
        }
    }

    async fn live<D: Dialogue>(&mut self) -> Ended {
        let connector = self.settings.borrow_and_update().clone();
        let mut stop = self.stop.clone();
        let mut desired = self.desired.clone();
        let failed =
            |reason: String, stopped| Ended { reason: reason.into(), credentials: false, stopped, useful: false };
        let begun = tokio::select! {
            begun = D::begin(self, &connector) => begun,
            _ = stop.changed() => return failed("stopped".into(), true),
            _ = desired.changed() => return failed("stopped".into(), true),
        };
        match begun {
            Ok(begun) => {
                let connector = self.settings.borrow_and_update().clone();
                Bound::<D>::new(self, connector, begun).run().await
            }
            Err(error) => failed(error.to_string(), false),
        }
    }
}
