//! What an ingress or the console asks of the engine beside handing messages in.

use model::{BatchId, Delivery, DeliveryId, Message, MessageId};
use store::{Batch, BatchCounts, DeliveryFilter, MessageFilter, ParkedReceipt, StoreError};
use tokio::sync::oneshot;

use crate::access::Caller;
use crate::announce;
use crate::engine::Engine;
use crate::facts::{CancelRefused, Fact, Facts};
use crate::inquire::CarrierError;
use crate::notify::{RedeliverError, restore};

/// A message that could not be taken back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CancelError {
    /// It is too late, or there is none.
    #[error(transparent)]
    Refused(#[from] CancelRefused),
    /// The carrier has it, and did not take it back.
    #[error(transparent)]
    Carrier(#[from] CarrierError),
    /// The store can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// A message, if it is the caller's to see.
    pub async fn message(&self, caller: &Caller, id: MessageId) -> Result<Option<Message>, StoreError> {
        let found = self.inner.store.messages(&[id]).await?.into_iter().next();
        Ok(found.filter(|m| caller.is_admin() || m.body.account == caller.account.id))
    }

    /// The caller's messages that pass `filter`, newest first; an admin sees everybody's.
    pub async fn search(
        &self,
        caller: &Caller,
        mut filter: MessageFilter,
        before: Option<MessageId>,
        limit: usize,
    ) -> Result<(Vec<Message>, Option<MessageId>), StoreError> {
        if !caller.is_admin() {
            filter.account = Some(caller.account.id.clone());
        }
        self.inner.store.search(&filter, before, limit).await
    }

    /// Takes back a message: one that is not being sent yet from the queue, one that was sent by asking
    /// the carrier. It is canceled durably when this returns.
    pub async fn cancel(&self, caller: &Caller, id: MessageId) -> Result<Message, CancelError> {
        if self.message(caller, id).await?.is_none() {
            return Err(CancelRefused::NoSuchMessage.into());
        }
        match self.cancel_here(id).await? {
            Some(message) => Ok(message),
            None => self.cancel_elsewhere(id).await,
        }
    }

    /// Takes back a message that this node writes; `None` if another one does.
    pub(crate) async fn cancel_here(&self, id: MessageId) -> Result<Option<Message>, CancelError> {
        let (reply, canceled) = oneshot::channel();
        self.report(Fact::Cancel { message: id, reply }).await?;
        match (canceled.await, self.inner.fleet.is_some()) {
            (Ok(Ok(message)), _) => {
                self.withdraw_rest(&message);
                Ok(Some(message))
            }
            (Ok(Err(CancelRefused::TooLate)), _) => {
                let found = self.inner.store.messages(&[id]).await?.pop();
                self.withdraw(found.ok_or(CancelRefused::NoSuchMessage)?).await.map(Some)
            }
            (Ok(Err(refused)), _) => Err(refused.into()),
            (Err(_), true) => Ok(None),
            (Err(_), false) => Err(stopped().into()),
        }
    }

    /// A batch and how far its messages have come, if it is the caller's to see.
    pub async fn batch(&self, caller: &Caller, id: BatchId) -> Result<Option<(Batch, BatchCounts)>, StoreError> {
        let found = self.inner.store.batch(id).await?;
        Ok(found.filter(|(batch, _)| caller.is_admin() || batch.account == caller.account.id))
    }

    /// The caller's deliveries that wait or were given up, newest first.
    pub async fn deliveries(
        &self,
        caller: &Caller,
        mut filter: DeliveryFilter,
        before: Option<DeliveryId>,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        if !caller.is_admin() {
            filter.account = Some(caller.account.id.clone());
        }
        let mut found = self.inner.store.deliveries(&filter, before, limit).await?;
        restore(&*self.inner.store, &mut found).await?;
        Ok(found)
    }

    /// Tries a delivery again, at once and from the start; `None` if there is no such one.
    pub async fn redeliver(&self, caller: &Caller, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
        let filter = DeliveryFilter { id: Some(id), ..DeliveryFilter::default() };
        if self.deliveries(caller, filter, None, 1).await?.is_empty() {
            return Ok(None);
        }
        match self.inner.outbox.redeliver(id).await {
            Ok(delivery) => Ok(Some(delivery)),
            // It was taken in this very moment.
            Err(RedeliverError::NoSuchDelivery) => Ok(None),
            Err(RedeliverError::Store(error)) => Err(error),
            Err(error) => Err(StoreError::Unavailable(error.to_string())),
        }
    }

    /// Sends a test event to a webhook; `None` if there is no such one.
    pub async fn test_webhook(&self, caller: &Caller, webhook: &str) -> Result<Option<DeliveryId>, StoreError> {
        let world = self.world();
        let view = world.webhook(webhook).filter(|w| caller.is_admin() || w.account == caller.account.id);
        let Some(view) = view else { return Ok(None) };
        let now = self.now();
        let delivery = announce::test_event(view, now, DeliveryId(self.next_id(now).0));
        let id = delivery.id;
        self.report(Fact::Owed { delivery }).await?;
        crate::persist::flush(&self.inner.facts).await;
        Ok(Some(id))
    }

    /// Receipts that no message was found for, newest first.
    pub async fn unmatched(&self, before: Option<MessageId>, limit: usize) -> Result<Vec<ParkedReceipt>, StoreError> {
        self.inner.store.parked(before, limit).await
    }

    pub(crate) async fn report(&self, fact: Fact) -> Result<(), StoreError> {
        self.inner.facts.send(Facts::one(fact)).await.map_err(|_| stopped())
    }
}

fn stopped() -> StoreError {
    StoreError::Unavailable("the gateway has stopped".into())
}
