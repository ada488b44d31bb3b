//! Handing over what an account is owed, by one session that can receive.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use engine::Receiver;
use engine::notify::CallResult;
use foldhash::{HashMap, HashMapExt};
use model::{Delivery, DeliveryId};

use super::dialogue::{Dialogue, NotSent, PART_BITS, Sent, Wire};

/// What a session has of the account's deliveries.
pub(super) struct Handover<D: Dialogue> {
    receiver: Receiver,
    /// Taken and not sent yet.
    waiting: VecDeque<Arc<Delivery>>,
    /// Sent in part: the rest of it goes first.
    begun: Option<Begun>,
    /// Sent and not answered, by number.
    in_flight: HashMap<u64, InFlight<D::Status>>,
    next_number: u64,
    /// How many the client has taken.
    pub taken: u64,
}

/// A delivery, and how much of it was sent.
struct Begun {
    delivery: Arc<Delivery>,
    number: u64,
    part: u8,
}

struct InFlight<S> {
    id: DeliveryId,
    /// Operations that are not answered yet.
    open: u8,
    /// Some are not sent yet.
    more: bool,
    /// The first that did not go well; `None` in it is one that was not answered in time.
    failed: Option<Option<S>>,
}

impl<D: Dialogue> Handover<D> {
    pub fn new(receiver: Receiver) -> Self {
        let (waiting, in_flight) = (VecDeque::new(), HashMap::new());
        Self { receiver, waiting, begun: None, in_flight, next_number: 0, taken: 0 }
    }

    /// Sends as much as there is room for.
    pub fn send(&mut self, dialogue: &mut D, wire: &mut D::Wire, (login, window): (&D::Login, u16), now: Duration) {
        loop {
            let room = room(dialogue, wire, window);
            if room == 0 {
                return;
            }
            let Some(begun) = self.begun.take().or_else(|| self.next(room)) else { return };
            let Begun { delivery, number, part } = &begun;
            let token = number << PART_BITS | u64::from(*part);
            match dialogue.deliver(wire, delivery, login, token, now) {
                Ok(Sent { operations, more }) => {
                    let new = || InFlight { id: delivery.id, open: 0, more, failed: None };
                    let flight = self.in_flight.entry(*number).or_insert_with(new);
                    (flight.open, flight.more) = (flight.open.saturating_add(operations), more);
                    if let Some(part) = part.checked_add(1).filter(|_| more) {
                        self.begun = Some(Begun { part, ..begun });
                    }
                }
                Err(NotSent::NoRoom) => {
                    self.begun = Some(begun);
                    return;
                }
                Err(NotSent::Never(detail)) => {
                    let (account, protocol) = (&delivery.account, D::PROTOCOL.as_str());
                    tracing::warn!(%account, delivery = %delivery.id, protocol, detail, "a delivery can't be sent");
                    self.in_flight.remove(number);
                    self.receiver.finish(delivery.id, CallResult::Refused { detail });
                }
            }
        }
    }

    /// The next delivery, if there is one.
    fn next(&mut self, room: usize) -> Option<Begun> {
        if self.waiting.is_empty() {
            self.waiting.extend(self.receiver.take(room));
        }
        let delivery = self.waiting.pop_front()?;
        let number = self.next_number;
        // The highest bit is left to tokens of other things.
        self.next_number = (number + 1) & (u64::MAX >> (PART_BITS + 1));
        Some(Begun { delivery, number, part: 0 })
    }

    /// An operation of a delivery was answered; `None` says that it was not in time.
    pub fn answered(&mut self, token: u64, status: Option<D::Status>) {
        let number = token >> PART_BITS;
        let Some(flight) = self.in_flight.get_mut(&number) else { return };
        flight.open = flight.open.saturating_sub(1);
        if status != Some(D::OK) {
            flight.failed.get_or_insert(status);
        }
        if flight.open > 0 || flight.more {
            return;
        }
        let Some(InFlight { id, failed, .. }) = self.in_flight.remove(&number) else { return };
        let result = match failed {
            None => CallResult::Taken,
            Some(Some(status)) => D::outcome(status),
            Some(None) => CallResult::Failed { detail: "no answer in time".into(), retry_after: None },
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

/// How many operations may be sent now.
pub(super) fn room<D: Dialogue>(dialogue: &D, wire: &D::Wire, window: u16) -> usize {
    if !wire.is_open() || wire.output_is_full() {
        return 0;
    }
    dialogue.delivery_window(window).saturating_sub(wire.outstanding()).min(wire.window_room())
}
