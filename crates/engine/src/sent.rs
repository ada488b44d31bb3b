//! What went out over a connector: for limits that are counted by the connector itself, and have to be
//! counted again after a restart.

use model::{Direction, Name, Timestamp};
use store::{MessageFilter, StoreError};

use crate::engine::Engine;

/// Messages that are read at a time.
const PAGE: usize = 500;
/// Messages that were accepted so long before may have gone out since.
const ACCEPTED_BEFORE_SECONDS: i64 = 3 * 86_400;

impl Engine {
    /// When, and to whom, parts went out over a connector from a moment on; in no order.
    ///
    /// It is read from the messages: what was dropped with its day is not among it, nor what had been
    /// accepted more than three days before.
    pub async fn sent_over(
        &self,
        connector: &Name,
        since: Timestamp,
    ) -> Result<Vec<(Timestamp, Box<str>)>, StoreError> {
        let filter = MessageFilter {
            connector: Some(connector.clone()),
            direction: Some(Direction::Mt),
            created_after: Some(since.plus_seconds(-ACCEPTED_BEFORE_SECONDS)),
            ..MessageFilter::default()
        };
        let mut sent = Vec::new();
        let mut before = None;
        loop {
            let (page, next) = self.inner.store.search(&filter, before, PAGE).await?;
            for message in &page {
                let parts = message.progress.parts.iter().filter_map(|part| part.submitted_at);
                let to = message.body.sent_to().as_str();
                sent.extend(parts.filter(|at| *at >= since).map(|at| (at, to.into())));
            }
            match next {
                Some(next) => before = Some(next),
                None => return Ok(sent),
            }
        }
    }
}
