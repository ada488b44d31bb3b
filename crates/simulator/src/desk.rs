//! What becomes of a submission: taken, refused, throttled, forgotten; and which receipts follow.

use std::sync::Arc;
use std::time::Duration;

use smpp::{
    AbsoluteTime, Address, CancelSm, CommandStatus, DataSm, DataSmResp, QuerySm, RegisteredDelivery, ReplaceSm,
    Session, SmppTime, SubmitSm, SubmitSmResp, Tlvs,
};
use sms::DateTime;
use sms::receipt::ReceiptState;

use crate::counters::Counters;
use crate::directory::Owed;
use crate::id::write_id;
use crate::ledger::{Entry, Wanted};
use crate::outbox::{Delivery, Outbox, What};
use crate::receipt::Receipt;
use crate::record::{SeenMessage, Taken, text_of};
use crate::settings::{FaultKind, IdStyle, ReceiptsFor, SmscSettings};
use crate::smsc::Shared;
use crate::timeline::Timeline;

/// How much later than others an answer may be that overtakes and is overtaken.
const OVERTAKING: Duration = Duration::from_millis(5);

/// A submission, of either operation.
#[derive(Clone, Copy)]
pub(crate) struct Submission<'a> {
    pub(crate) sequence: u32,
    pub(crate) data_sm: bool,
    pub(crate) source: Address<'a>,
    pub(crate) destination: Address<'a>,
    pub(crate) service_type: &'a [u8],
    /// protocol_id, priority_flag and replace_if_present_flag.
    pub(crate) flags: [u8; 3],
    pub(crate) esm_class: u8,
    pub(crate) data_coding: u8,
    pub(crate) registered_delivery: u8,
    pub(crate) validity: &'a [u8],
    pub(crate) user_data: &'a [u8],
    pub(crate) tlvs: Tlvs<'a>,
}

/// An answer to a submission.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    sequence: u32,
    data_sm: bool,
    /// The message's number, or why it was refused.
    outcome: Result<(u64, IdStyle), CommandStatus>,
}

/// One connection's desk.
pub(crate) struct Desk {
    shared: Arc<Shared>,
    connection: u64,
    pub(crate) system_id: Box<str>,
    /// Receipts can't go over this connection.
    pub(crate) sends_only: bool,
    /// SMPP 3.3: ids are eight hexadecimal digits, for there is no room for more.
    pub(crate) short_ids: bool,
    pub(crate) settings: Arc<SmscSettings>,
    random: fastrand::Rng,
    submits: u64,
    answers: Timeline<Answer>,
    pub(crate) outbox: Outbox,
    /// For other connections of the same client.
    abroad: Vec<Owed<Delivery>>,
    taken: Taken<SeenMessage>,
    pub(crate) counters: Counters,
    id: Vec<u8>,
}

impl Desk {
    pub(crate) fn new(shared: Arc<Shared>, connection: u64) -> Self {
        let settings = shared.settings();
        Self {
            random: fastrand::Rng::with_seed(settings.seed.wrapping_add(connection)),
            shared,
            connection,
            system_id: Box::default(),
            sends_only: false,
            short_ids: false,
            settings,
            submits: 0,
            answers: Timeline::new(),
            outbox: Outbox::new(),
            abroad: Vec::new(),
            taken: Taken::default(),
            counters: Counters::default(),
            id: Vec::new(),
        }
    }

    /// Decides about a submission. The answer is for [`give`](Self::give), unless it comes later or
    /// never; a fault is to be acted on at once.
    pub(crate) fn decide(&mut self, submission: &Submission<'_>, now: Duration) -> (Option<Answer>, Option<FaultKind>) {
        self.submits += 1;
        self.counters.submits += 1;
        let fault = self.shared.fault(&self.settings, self.submits);
        let status = self.refusal(now);
        let delay = self.delay();
        let outcome = if status.is_ok() {
            let dropped = self.settings.drop > 0.0 && self.random.f64() < self.settings.drop;
            let style = if self.short_ids { IdStyle::Hex } else { self.settings.ids };
            let number = self.shared.next_number();
            self.take(submission, (number, style), now);
            if dropped {
                self.counters.dropped += 1;
                return (None, fault);
            }
            self.plan_receipts(submission, (number, style), delay, now);
            Ok((number, style))
        } else {
            self.counters.refused += 1;
            self.counters.throttled += u64::from(status == CommandStatus::RTHROTTLED);
            Err(status)
        };
        let answer = Answer { sequence: submission.sequence, data_sm: submission.data_sm, outcome };
        if delay.is_zero() {
            return (Some(answer), fault);
        }
        self.answers.push(now + delay, now, answer);
        (None, fault)
    }

    /// Puts an answer into the session's output.
    pub(crate) fn give(&mut self, session: &mut Session, answer: Answer, now: Duration) {
        self.counters.responses += 1;
        self.id.clear();
        let status = match answer.outcome {
            Ok((number, style)) => {
                write_id(number, style, &mut self.id);
                CommandStatus::ROK
            }
            Err(status) => status,
        };
        let given = if answer.data_sm {
            let body = DataSmResp { message_id: &self.id, ..DataSmResp::default() };
            session.respond(answer.sequence, status, &body, now)
        } else {
            let body = SubmitSmResp { message_id: &self.id, ..SubmitSmResp::default() };
            session.respond(answer.sequence, status, &body, now)
        };
        if let Err(error) = given {
            tracing::debug!(%error, "an answer could not be given");
        }
    }

    /// Sends everything that is due.
    pub(crate) fn send_due(&mut self, session: &mut Session, now: Duration) {
        while !session.output_is_full()
            && let Some(answer) = self.answers.pop(now)
        {
            self.give(session, answer, now);
        }
        self.send_deliveries(session, now);
    }

    /// Sends receipts and messages from phones that are due.
    pub(crate) fn send_deliveries(&mut self, session: &mut Session, now: Duration) {
        let shared = (self.settings.ledger > 0).then_some(&*self.shared);
        self.outbox.send(session, &self.settings.receipts, shared, now, &mut self.counters);
    }

    /// When something is due.
    pub(crate) fn next(&self, session: &Session) -> Option<Duration> {
        let answer = if session.output_is_full() { None } else { self.answers.next() };
        [answer, self.outbox.next(session)].into_iter().flatten().min()
    }

    /// Tells the others what happened in this turn.
    pub(crate) fn publish(&mut self) {
        if !self.abroad.is_empty() {
            let owed = std::mem::take(&mut self.abroad);
            self.shared.directory.owe(&self.system_id, owed, Some(self.connection));
        }
        if !self.taken.is_empty() {
            let (new, again) = self.shared.record().add(&mut self.taken);
            self.counters.distinct += new;
            self.counters.duplicates += again;
        }
        self.shared.count(&mut self.counters);
    }

    fn refusal(&mut self, now: Duration) -> CommandStatus {
        if let Some(limit) = self.settings.throttle
            && !self.shared.admit(limit, now)
        {
            return CommandStatus::RTHROTTLED;
        }
        if self.settings.queue_full_every.is_some_and(|every| every > 0 && self.submits.is_multiple_of(every)) {
            return CommandStatus::RMSGQFUL;
        }
        for (status, probability) in &self.settings.fail {
            if self.random.f64() < *probability {
                return *status;
            }
        }
        CommandStatus::ROK
    }

    fn delay(&mut self) -> Duration {
        let settings = &self.settings;
        let overtaking = if settings.out_of_order { OVERTAKING } else { Duration::ZERO };
        let jitter = settings.resp_jitter + overtaking;
        if jitter.is_zero() {
            return settings.resp_delay;
        }
        settings.resp_delay + jitter.mul_f64(self.random.f64())
    }

    fn take(&mut self, submission: &Submission<'_>, (number, style): (u64, IdStyle), now: Duration) {
        self.counters.accepted += 1;
        let memory = self.settings.memory;
        self.taken.remember(memory, submission.destination.addr, submission.user_data, || {
            let default = self.settings.default_alphabet;
            let udhi = submission.esm_class & 0x40 != 0;
            let (text, concat) = text_of(submission.user_data, udhi, submission.data_coding, default);
            let lossy = |octets: &[u8]| Box::from(String::from_utf8_lossy(octets));
            let address = |address: Address<'_>| (address.ton.0, address.npi.0, lossy(address.addr));
            let mut id = Vec::new();
            write_id(number, style, &mut id);
            SeenMessage {
                system_id: self.system_id.clone(),
                connection: self.connection,
                at: now,
                source: address(submission.source),
                destination: address(submission.destination),
                service_type: lossy(submission.service_type),
                flags: submission.flags,
                esm_class: submission.esm_class,
                data_coding: submission.data_coding,
                registered_delivery: submission.registered_delivery,
                validity: lossy(submission.validity),
                user_data: submission.user_data.into(),
                text,
                concat,
                tlvs: submission.tlvs.well_formed().into(),
                message_id: lossy(&id),
            }
        });
    }

    fn plan_receipts(
        &mut self,
        submission: &Submission<'_>,
        id: (u64, IdStyle),
        answer_delay: Duration,
        now: Duration,
    ) {
        let flag = match self.settings.receipts.send {
            ReceiptsFor::Nothing => 0,
            ReceiptsFor::Asked => submission.registered_delivery,
            ReceiptsFor::Everything => submission.registered_delivery | 1,
        };
        if self.settings.ledger == 0 && flag == 0 {
            return;
        }
        if RegisteredDelivery(flag).wants_intermediate() {
            self.owe_receipt(submission, id, self.settings.receipts.intermediate, (now + answer_delay, now));
        }
        let state = self.final_state();
        let at = self.final_moment(answer_delay, now);
        if self.settings.ledger > 0 {
            self.id.clear();
            write_id(id.0, id.1, &mut self.id);
            let addresses = (submission.source.addr, submission.destination.addr);
            let mut entry = Entry::new(id.0, addresses, (state, at), at.saturating_sub(now));
            if !Receipt::is_wanted(flag, state) && self.settings.receipts.send != ReceiptsFor::Nothing {
                entry = entry.without_receipt(self.receipt(submission, id, state, (at, now)));
            }
            self.shared.ledger().add(self.id.as_slice().into(), entry, self.settings.ledger);
        }
        if !Receipt::is_wanted(flag, state) {
            return;
        }
        let times = if self.settings.receipts.twice { 2 } else { 1 };
        for _ in 0..times {
            self.owe_receipt(submission, id, state, (at, now));
        }
    }

    /// When a message that was taken now comes to its end.
    fn final_moment(&mut self, answer_delay: Duration, now: Duration) -> Duration {
        let receipts = &self.settings.receipts;
        let (least, most) = receipts.delay;
        let spread = most.saturating_sub(least);
        let mut at = now + least;
        if !receipts.before_response {
            at += answer_delay;
        }
        if !spread.is_zero() {
            at += spread.mul_f64(self.random.f64());
        }
        at
    }

    /// The answer to a cancel_sm.
    pub(crate) fn cancel(&mut self, pdu: &CancelSm<'_>, now: Duration) -> CommandStatus {
        self.counters.inquiries += 1;
        if let Some(status) = self.settings.refuse_cancels {
            return status;
        }
        let (source, destination) = (pdu.source.addr, pdu.destination.addr);
        if !self.shared.ledger().cancel(pdu.message_id, source, destination, now) {
            return CommandStatus::RCANCELFAIL;
        }
        self.counters.canceled += 1;
        CommandStatus::ROK
    }

    /// The answer to a replace_sm.
    pub(crate) fn replace(&mut self, pdu: &ReplaceSm<'_>, now: Duration) -> CommandStatus {
        self.counters.inquiries += 1;
        if let Some(status) = self.settings.refuse_replaces {
            return status;
        }
        let unix = self.shared.unix_seconds(now);
        let Ok(send_at) = moment(pdu.schedule_delivery_time, unix) else { return CommandStatus::RINVSCHED };
        if moment(pdu.validity_period, unix).is_err() {
            return CommandStatus::RINVEXPIRY;
        }
        let seconds = |at: i64| Duration::from_secs(u64::try_from(at.saturating_sub(unix)).unwrap_or(0));
        let wanted = Wanted {
            source: pdu.source.addr,
            send_at: send_at.map(|at| now + seconds(at)),
            registered_delivery: pdu.registered_delivery.0,
            text: pdu.user_data(),
        };
        let Some(receipt) = self.shared.ledger().replace(pdu.message_id, wanted, now) else {
            return CommandStatus::RREPLACEFAIL;
        };
        self.counters.replaced += 1;
        if let Some((at, receipt)) = receipt {
            self.owe(receipt, (at, now));
        }
        // What came in this very turn has to be known to be changed.
        self.publish();
        let (id, default) = (String::from_utf8_lossy(pdu.message_id), self.settings.default_alphabet);
        self.shared.record().change(|seen| *seen.message_id == *id, |seen| seen.replace(pdu, default));
        CommandStatus::ROK
    }

    /// The state that a query_sm is answered with.
    pub(crate) fn query(&mut self, pdu: &QuerySm<'_>, now: Duration) -> Result<ReceiptState, CommandStatus> {
        self.counters.inquiries += 1;
        if let Some(status) = self.settings.refuse_queries {
            return Err(status);
        }
        self.shared.ledger().state(pdu.message_id, pdu.source.addr, now).ok_or(CommandStatus::RQUERYFAIL)
    }

    fn owe_receipt(
        &mut self,
        submission: &Submission<'_>,
        id: (u64, IdStyle),
        state: ReceiptState,
        (at, now): (Duration, Duration),
    ) {
        let receipt = self.receipt(submission, id, state, (at, now));
        self.owe(receipt, (at, now));
    }

    fn receipt(
        &self,
        submission: &Submission<'_>,
        id: (u64, IdStyle),
        state: ReceiptState,
        (at, now): (Duration, Duration),
    ) -> Receipt {
        let seconds = |moment| self.shared.unix_seconds(moment);
        let addresses = (submission.source, submission.destination);
        Receipt::new(id, state, addresses, submission.user_data, (seconds(now), seconds(at)))
    }

    fn owe(&mut self, receipt: Receipt, (at, now): (Duration, Duration)) {
        let delivery = Delivery::new(What::Receipt(receipt));
        if self.sends_only || self.settings.receipts.elsewhere {
            self.abroad.push((at, delivery));
        } else {
            self.outbox.push(at, now, delivery);
        }
    }

    fn final_state(&mut self) -> ReceiptState {
        let states = &self.settings.receipts.states;
        if let [(state, _)] = states.as_slice() {
            return *state;
        }
        let total: f64 = states.iter().map(|(_, weight)| weight).sum();
        let mut chosen = self.random.f64() * total;
        for (state, weight) in states {
            chosen -= weight;
            if chosen < 0.0 {
                return *state;
            }
        }
        ReceiptState::Delivered
    }
}

/// A time in a PDU, in seconds since 1970; an empty one is none.
fn moment(written: &[u8], now: i64) -> Result<Option<i64>, ()> {
    if written.is_empty() {
        return Ok(None);
    }
    Ok(Some(match SmppTime::parse(written).map_err(drop)? {
        SmppTime::Relative(time) => {
            let days = i64::from(time.years) * 365 + i64::from(time.months) * 30 + i64::from(time.days);
            let minutes = i64::from(time.hours) * 60 + i64::from(time.minutes);
            now + days * 86_400 + minutes * 60 + i64::from(time.seconds)
        }
        SmppTime::Absolute(time) => {
            let AbsoluteTime { year, month, day, hour, minute, second, offset_quarters, .. } = time;
            let date = DateTime::new(year, month, day, hour, minute, second).ok_or(())?;
            date.unix_seconds() - i64::from(offset_quarters) * 900
        }
    }))
}

impl<'a> Submission<'a> {
    pub(crate) fn of_submit_sm(sequence: u32, pdu: &SubmitSm<'a>) -> Self {
        Self {
            sequence,
            data_sm: false,
            source: pdu.source,
            destination: pdu.destination,
            service_type: pdu.service_type,
            flags: [pdu.protocol_id, pdu.priority_flag, pdu.replace_if_present_flag],
            esm_class: pdu.esm_class.0,
            data_coding: pdu.data_coding.0,
            registered_delivery: pdu.registered_delivery.0,
            validity: pdu.validity_period,
            user_data: pdu.user_data(),
            tlvs: pdu.tlvs,
        }
    }

    pub(crate) fn of_data_sm(sequence: u32, pdu: &DataSm<'a>) -> Self {
        Self {
            sequence,
            data_sm: true,
            source: pdu.source,
            destination: pdu.destination,
            service_type: pdu.service_type,
            flags: [0; 3],
            esm_class: pdu.esm_class.0,
            data_coding: pdu.data_coding.0,
            registered_delivery: pdu.registered_delivery.0,
            validity: b"",
            user_data: pdu.user_data(),
            tlvs: pdu.tlvs,
        }
    }
}
