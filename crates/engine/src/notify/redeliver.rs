//! A person asks for a delivery again: one that was given up, or one that waits for its retry.

use model::delivery::DeliveryState;
use model::{Delivery, DeliveryId, Name, Timestamp};
use store::{DeliveryFilter, DeliveryKey, StoreError};

use super::lane::Settled;
use super::outbox::Outbox;
use super::restore::restore;

/// Why a delivery can't be made again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedeliverError {
    /// It was taken, or never was.
    #[error("there is no such delivery; one that was taken is gone")]
    NoSuchDelivery,
    /// The store can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Too many endpoints are busy: there is no room to look after this one now.
    #[error("too many endpoints are busy now; try again in a moment")]
    Busy,
    /// The engine has ended.
    #[error("the gateway is stopping")]
    Stopped,
}

impl Outbox {
    /// Makes a delivery due at once: one that was given up gets all its attempts anew, one that
    /// waits for a retry goes now. One that is about to be attempted anyway is left as it is. The
    /// answer is the delivery as it is from now on; it is attempted as soon as the store has it.
    pub async fn redeliver(&self, id: DeliveryId) -> Result<Delivery, RedeliverError> {
        let endpoint = self.row(id).await?.ok_or(RedeliverError::NoSuchDelivery)?.endpoint;
        let permit = self.facts().reserve().await.map_err(|_| RedeliverError::Stopped)?;
        let Some(mut claim) = Claim::new(self, &endpoint, id)? else {
            return self.row(id).await?.ok_or(RedeliverError::NoSuchDelivery);
        };
        // Nobody else touches the row from here on, so what is read now stays true.
        let Some(old) = self.row(id).await?.filter(|row| row.endpoint == endpoint) else {
            return Err(RedeliverError::NoSuchDelivery);
        };
        let attempts = if old.state == DeliveryState::Failed { 0 } else { old.attempts };
        let done = DeliveryKey::from(&old);
        let new = Delivery { state: DeliveryState::Pending, due: self.now(), attempts, restorable: false, ..old };
        let settled = Settled { done, put: Some(new.clone()) };
        claim.passed_on = true;
        self.change(|lanes| {
            lanes.with(&endpoint, new.due, |lane, _, _| lane.reclaim(new.message, id, new.due));
            let booked = lanes.book(&endpoint, settled);
            permit.send(self.facts_of(vec![booked]));
        });
        Ok(new)
    }

    async fn row(&self, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
        let filter = DeliveryFilter { id: Some(id), ..DeliveryFilter::default() };
        let mut found = self.store().deliveries(&filter, None, 1).await?;
        restore(self.store(), &mut found).await?;
        Ok(found.pop())
    }
}

/// Keeps a delivery from being loaded while its row is looked at and changed.
struct Claim<'a> {
    outbox: &'a Outbox,
    endpoint: &'a Name,
    id: DeliveryId,
    /// The recorder's acknowledgement ends the claim.
    passed_on: bool,
}

impl<'a> Claim<'a> {
    /// `None` if the delivery is in memory already, or its end is being written.
    fn new(outbox: &'a Outbox, endpoint: &'a Name, id: DeliveryId) -> Result<Option<Self>, RedeliverError> {
        let now = outbox.now();
        let free = outbox.change(|lanes| {
            if !lanes.open(endpoint, now) {
                return Err(RedeliverError::Busy);
            }
            Ok(lanes.with(endpoint, now, |lane, _, _| lane.claim(id, EARLIEST)) == Some(true))
        })?;
        Ok(free.then_some(Self { outbox, endpoint, id, passed_on: false }))
    }
}

/// The row may have been passed over meanwhile: it is looked for from the start.
const EARLIEST: Timestamp = Timestamp::from_millis(0);

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if !self.passed_on {
            let now = self.outbox.now();
            self.outbox.change(|lanes| lanes.with(self.endpoint, now, |lane, _, _| lane.durable(self.id, now)));
        }
    }
}
