//! Handing over what an account is owed, by one session that can receive.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use engine::Receiver;
use engine::notify::CallResult;
use foldhash::{HashMap, HashMapExt};
use model::resources::SmppLogin;
use model::{Delivery, DeliveryId};
use smpp::{CommandStatus, Session};

use super::deliver::{Deliveries, NotSent, PART_BITS, outcome_of};

/// What a session has of the account's deliveries.
pub(super) struct Handover {
    receiver: Receiver,
    /// Taken and not sent yet.
    waiting: VecDeque<Arc<Delivery>>,
    /// Sent and not answered, by number.
    in_flight: HashMap<u64, InFlight>,
    next_number: u64,
    deliveries: Deliveries,
    /// How many the client has taken.
    pub taken: u64,
}

struct InFlight {
    id: DeliveryId,
    /// deliver_sm that are not answered yet.
    open: u8,
    /// The first that did not go well; `None` in it is one that was not answered in time.
    failed: Option<Option<CommandStatus>>,
}

impl Handover {
    pub fn new(receiver: Receiver) -> Self {
        Self {
            receiver,
            waiting: VecDeque::new(),
            in_flight: HashMap::new(),
            next_number: 0,
            deliveries: Deliveries::default(),
            taken: 0,
        }
    }

    /// Sends as much as there is room for.
    pub fn send(&mut self, login: &SmppLogin, session: &mut Session, now: Duration) {
        loop {
            let room = room(login, session);
            if room == 0 {
                return;
            }
            if self.waiting.is_empty() {
                self.waiting.extend(self.receiver.take(room));
            }
            let Some(delivery) = self.waiting.pop_front() else { return };
            let number = self.next_number;
            match self.deliveries.send(&delivery, login, session, number, now) {
                Ok(open) => {
                    self.next_number = (number + 1) & (u64::MAX >> PART_BITS);
                    self.in_flight.insert(number, InFlight { id: delivery.id, open, failed: None });
                }
                Err(NotSent::NoRoom) => return self.waiting.push_front(delivery),
                Err(NotSent::Never(detail)) => {
                    let account = &delivery.account;
                    tracing::warn!(%account, delivery = %delivery.id, detail, "a delivery can't be sent by SMPP");
                    self.receiver.finish(delivery.id, CallResult::Refused { detail });
                }
            }
        }
    }

    /// A deliver_sm was answered; `None` says that it was not in time.
    pub fn answered(&mut self, token: u64, status: Option<CommandStatus>) {
        let number = token >> PART_BITS;
        let Some(flight) = self.in_flight.get_mut(&number) else { return };
        flight.open = flight.open.saturating_sub(1);
        if status != Some(CommandStatus::ROK) {
            flight.failed.get_or_insert(status);
        }
        if flight.open > 0 {
            return;
        }
        let Some(InFlight { id, failed, .. }) = self.in_flight.remove(&number) else { return };
        let result = match failed {
            None => CallResult::Taken,
            Some(Some(status)) => outcome_of(status),
            Some(None) => CallResult::Failed { detail: "no deliver_sm_resp in time".into(), retry_after: None },
        };
        self.taken += u64::from(result == CallResult::Taken);
        self.receiver.finish(id, result);
    }

    /// Waits until there is something to do: ends to record, which it does, or something to take,
    /// if there is room for it. Cancel-safe.
    pub async fn news(&mut self, has_room: bool) {
        if self.receiver.unrecorded() > 0 {
            self.receiver.record().await;
        } else if has_room {
            self.receiver.ready().await;
        } else {
            std::future::pending().await
        }
    }
}

/// How many deliver_sm may be sent now.
pub(super) fn room(login: &SmppLogin, session: &Session) -> usize {
    if !session.is_bound() || session.output_is_full() {
        return 0;
    }
    usize::from(login.window).saturating_sub(session.outstanding()).min(session.window_room())
}
