//! A receiver: a session that takes the deliveries of one endpoint while it is there.
//!
//! The lane of such an endpoint is open while it has at least one receiver. Otherwise nothing of it
//! is in memory, nothing is attempted and no attempt is used up: everything waits in the store, and
//! is read in its order when a receiver comes.

use std::sync::Arc;

use foldhash::{HashMap, HashMapExt};
use model::{Delivery, DeliveryId, Name};
use tokio::sync::Notify;

use super::call::CallResult;
use super::lane::Taken;
use super::outbox::Outbox;

/// Takes deliveries of one endpoint, and gives back what it has not finished when it is dropped.
#[derive(Debug)]
pub struct Receiver {
    outbox: Outbox,
    endpoint: Name,
    news: Arc<Notify>,
    taken: HashMap<DeliveryId, Taken>,
    finished: Vec<(Taken, CallResult)>,
    /// Something may be there to take: nobody looks for it again and again while there is nothing.
    news_came: bool,
}

impl Outbox {
    /// Opens `endpoint` for a session that can take its deliveries.
    #[must_use]
    pub fn receiver(&self, endpoint: &Name) -> Receiver {
        let now = self.now();
        let news = self.change(|lanes| lanes.open_receiver(endpoint, now));
        self.serves(endpoint, true);
        Receiver {
            outbox: self.clone(),
            endpoint: endpoint.clone(),
            news,
            taken: HashMap::new(),
            finished: Vec::new(),
            news_came: true,
        }
    }
}

impl Receiver {
    /// Waits until [`take`](Self::take) may give something. Cancel-safe. To be waited for only by
    /// who has room: what wakes one receiver does not wake another.
    pub async fn ready(&mut self) {
        self.news.notified().await;
        self.news_came = true;
    }

    /// At most `most` deliveries, in their order. Each is to be [finished](Self::finish).
    pub fn take(&mut self, most: usize) -> Vec<Arc<Delivery>> {
        if most == 0 || !self.news_came || self.outbox.facts().is_closed() {
            return Vec::new();
        }
        let now = self.outbox.now();
        let taken = self.outbox.change(|lanes| lanes.take_for(&self.endpoint, most, now));
        // What is left, or comes now, is news again.
        self.news_came = taken.len() == most;
        let mut deliveries = Vec::with_capacity(taken.len());
        for one in taken {
            deliveries.push(one.delivery.clone());
            self.taken.insert(one.delivery.id, one);
        }
        deliveries
    }

    /// A delivery came to its end; [`record`](Self::record) makes it known.
    pub fn finish(&mut self, id: DeliveryId, result: CallResult) {
        if let Some(taken) = self.taken.remove(&id) {
            self.finished.push((taken, result));
        }
    }

    /// How many ends are not recorded yet.
    #[must_use]
    pub fn unrecorded(&self) -> usize {
        self.finished.len()
    }

    /// Records the ends. Waits for room with the recorder, not for the commit. Cancel-safe.
    pub async fn record(&mut self) {
        let outbox = self.outbox.clone();
        // An engine that has ended finds the deliveries in the store when it starts again.
        let Ok(permit) = outbox.facts().reserve().await else { return std::future::pending().await };
        outbox.finished_all(&self.endpoint, std::mem::take(&mut self.finished), permit);
    }

    /// The same at the end of a session: only if there is room at once.
    fn record_now(&mut self) {
        let outbox = self.outbox.clone();
        if let Ok(permit) = outbox.facts().try_reserve() {
            outbox.finished_all(&self.endpoint, std::mem::take(&mut self.finished), permit);
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if !self.finished.is_empty() {
            self.record_now();
        }
        let now = self.outbox.now();
        let left = self.taken.values().chain(self.finished.iter().map(|(taken, _)| taken));
        let is_last = self.outbox.change(|lanes| {
            left.for_each(|taken| lanes.abandon(taken, now));
            lanes.close_receiver(&self.endpoint, now)
        });
        if is_last {
            self.outbox.serves(&self.endpoint, false);
        }
        // What woke this one may be somebody else's to take now.
        self.news.notify_one();
    }
}
