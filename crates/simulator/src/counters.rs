//! What an SMSC counts.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What an SMSC has counted since it started, over all connections.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Counters {
            $($(#[$doc])* pub $name: u64,)*
        }

        /// The same, shared by the connections.
        #[derive(Debug, Default)]
        pub(crate) struct Totals {
            $($name: AtomicU64,)*
        }

        impl Totals {
            /// Adds what a connection has counted in a turn, and makes that zero again.
            pub(crate) fn add(&self, turn: &mut Counters) {
                $(if turn.$name > 0 {
                    self.$name.fetch_add(turn.$name, Relaxed);
                })*
                *turn = Counters::default();
            }

            pub(crate) fn read(&self) -> Counters {
                Counters { $($name: self.$name.load(Relaxed),)* }
            }
        }
    };
}

counters! {
    /// Connections that were opened.
    connections,
    /// Binds that were let in.
    binds,
    /// Binds that were refused.
    binds_refused,
    /// Submissions that came, whatever became of them.
    submits,
    /// Submissions that were taken: answered with ESME_ROK, or taken and never answered.
    accepted,
    /// Taken submissions that were the first with their recipient and user data.
    distinct,
    /// Taken submissions that were not.
    duplicates,
    /// Submissions that were answered with an error.
    refused,
    /// Submissions that were answered with ESME_RTHROTTLED.
    throttled,
    /// Submissions that were taken and will never be answered.
    dropped,
    /// Answers to submissions that were sent.
    responses,
    /// Messages that were taken back by cancel_sm.
    canceled,
    /// Messages that replace_sm has put others in the place of.
    replaced,
    /// cancel_sm, query_sm and replace_sm that came, whatever became of them.
    inquiries,
    /// Receipts that were put on the wire, repeated ones too.
    receipts_sent,
    /// Receipts that were acknowledged.
    receipts_acked,
    /// Receipts and messages that the client refused for good.
    deliveries_refused,
    /// Messages from phones that were put on the wire, repeated ones too.
    mo_sent,
    /// Messages from phones that were acknowledged.
    mo_acked,
    /// Connections that a fault has struck.
    faults,
}

impl Totals {
    pub(crate) fn connection(&self) {
        self.connections.fetch_add(1, Relaxed);
    }
}
