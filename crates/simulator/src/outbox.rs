//! What one connection has to send: receipts and messages from phones, until they are acknowledged.

use std::time::Duration;

use smpp::{Address, CommandStatus, DeliverSm, EsmClass, Npi, Session, StatusClass, Ton};
use sms::receipt::ReceiptState;

use crate::counters::Counters;
use crate::directory::Owed;
use crate::mo::MoPart;
use crate::receipt::{Receipt, Scratch};
use crate::settings::ReceiptSettings;
use crate::smsc::Shared;
use crate::timeline::Timeline;

/// How often something is sent that the client does not take for now.
const TRIES: u8 = 5;
/// How long to wait before it is sent again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Something for a client.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub(crate) what: What,
    tries: u8,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    Receipt(Receipt),
    Mo(Box<MoPart>),
}

impl Delivery {
    pub(crate) fn new(what: What) -> Self {
        Self { what, tries: 0 }
    }
}

/// What waits to be sent, and what waits to be acknowledged.
#[derive(Debug)]
pub(crate) struct Outbox {
    waiting: Timeline<Delivery>,
    /// By the token of the request.
    unacknowledged: Vec<Option<Delivery>>,
    free: Vec<u32>,
    scratch: Scratch,
}

impl Outbox {
    pub(crate) fn new() -> Self {
        Self { waiting: Timeline::new(), unacknowledged: Vec::new(), free: Vec::new(), scratch: Scratch::default() }
    }

    pub(crate) fn push(&mut self, at: Duration, now: Duration, delivery: Delivery) {
        self.waiting.push(at, now, delivery);
    }

    /// Sends what is due, as far as the window allows. With `shared` there may be messages that were
    /// taken back: their receipts say so.
    pub(crate) fn send(
        &mut self,
        session: &mut Session,
        settings: &ReceiptSettings,
        shared: Option<&Shared>,
        now: Duration,
        counters: &mut Counters,
    ) {
        let with_tlvs = session.with_tlvs();
        while session.window_room() > 0 && !session.output_is_full() {
            let Some(mut delivery) = self.waiting.pop(now) else { break };
            if let (What::Receipt(receipt), Some(shared)) = (&mut delivery.what, shared)
                && receipt.state.is_final()
            {
                match what_became(receipt, shared, now) {
                    Became::This => {}
                    Became::Nothing => continue,
                    Became::Later(at) => {
                        self.waiting.push(at, now, delivery);
                        continue;
                    }
                }
            }
            let token = self.free.pop().unwrap_or(self.unacknowledged.len() as u32);
            let sent = match &delivery.what {
                What::Receipt(receipt) => {
                    counters.receipts_sent += 1;
                    let deliver = receipt.deliver(settings, with_tlvs, &mut self.scratch);
                    session.request(&deliver, token.into(), now)
                }
                What::Mo(part) => {
                    counters.mo_sent += 1;
                    session.request(&deliver_sm(part), token.into(), now)
                }
            };
            if let Err(error) = sent {
                tracing::warn!(%error, "the simulator can't send what it should");
                counters.deliveries_refused += 1;
                self.free.push(token);
            } else if let Some(place) = self.unacknowledged.get_mut(token as usize) {
                *place = Some(delivery);
            } else {
                self.unacknowledged.push(Some(delivery));
            }
        }
        // A token that was never put in its place would leave a hole at the end.
        self.free.retain(|&token| (token as usize) < self.unacknowledged.len());
    }

    /// The client has answered, with `status`, or not in time.
    pub(crate) fn answered(
        &mut self,
        token: u64,
        status: Option<CommandStatus>,
        now: Duration,
        counters: &mut Counters,
    ) {
        let Some(mut delivery) = self.take(token) else { return };
        let again = match status.map(CommandStatus::class) {
            Some(StatusClass::Ok) => {
                match delivery.what {
                    What::Receipt(_) => counters.receipts_acked += 1,
                    What::Mo(_) => counters.mo_acked += 1,
                }
                return;
            }
            None | Some(StatusClass::Temporary | StatusClass::Throttled | StatusClass::QueueFull) => true,
            Some(_) => false,
        };
        delivery.tries += 1;
        if again && delivery.tries < TRIES {
            self.waiting.push(now + AGAIN_AFTER, now, delivery);
        } else {
            counters.deliveries_refused += 1;
        }
    }

    /// When something is due, if it can be sent then.
    pub(crate) fn next(&self, session: &Session) -> Option<Duration> {
        if session.window_room() == 0 || session.output_is_full() { None } else { self.waiting.next() }
    }

    /// Everything that is not acknowledged; what was sent comes first.
    pub(crate) fn drain(&mut self) -> Vec<Owed<Delivery>> {
        let sent = self.unacknowledged.drain(..).flatten().map(|delivery| (Duration::ZERO, delivery));
        let mut owed: Vec<Owed<Delivery>> = sent.collect();
        self.free.clear();
        owed.reserve(self.waiting.len());
        owed.extend(self.waiting.drain());
        owed
    }

    fn take(&mut self, token: u64) -> Option<Delivery> {
        let token = u32::try_from(token).ok()?;
        let delivery = self.unacknowledged.get_mut(token as usize)?.take()?;
        self.free.push(token);
        Some(delivery)
    }
}

/// What is to be sent of a final receipt.
enum Became {
    This,
    /// It is not wanted any more.
    Nothing,
    Later(Duration),
}

/// Messages may have been taken back since, or replaced.
fn what_became(receipt: &mut Receipt, shared: &Shared, now: Duration) -> Became {
    let ledger = shared.ledger();
    if ledger.is_canceled(receipt.number) {
        receipt.state = ReceiptState::Deleted;
    } else if let Some(instead) = ledger.replaced(receipt.number) {
        if !Receipt::is_wanted(instead.registered_delivery, receipt.state) {
            return Became::Nothing;
        }
        if instead.at > now {
            return Became::Later(instead.at);
        }
        receipt.says(&instead.text, shared.unix_seconds(instead.at));
    }
    Became::This
}

fn deliver_sm(part: &MoPart) -> DeliverSm<'_> {
    DeliverSm {
        source: address(&part.from),
        destination: address(&part.to),
        esm_class: EsmClass(part.esm_class),
        data_coding: part.data_coding.into(),
        short_message: &part.short_message,
        tlvs: part.tlvs.as_tlvs(),
        ..DeliverSm::default()
    }
}

fn address(text: &str) -> Address<'_> {
    match text.strip_prefix('+') {
        Some(digits) => Address::international(digits.as_bytes()),
        None if text.bytes().all(|octet| octet.is_ascii_digit()) => {
            Address::new(Ton::UNKNOWN, Npi::UNKNOWN, text.as_bytes())
        }
        None => Address::alphanumeric(text.as_bytes()),
    }
}
