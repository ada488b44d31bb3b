//! What becomes of each PDU that comes in.
//!
//! A PDU is judged by its header first ([`Session::step`]), because most of the judging changes the
//! session. Only when it is for the caller is its body read, borrowed from the buffer
//! ([`Session::tell`]).

use std::ops::Range;
use std::time::Duration;

use super::buffer::READ_SIZE;
use super::{CloseReason, Event, Role, Session, State, put_bare};
use crate::command::CommandId;
use crate::frame::{Frame, HEADER_LEN, Header};
use crate::pdu::{BindMode, Pdu};
use crate::status::CommandStatus;
use crate::tlv::{Tag, Tlvs};

/// What one look at the input came to.
pub(super) enum Step {
    /// Something was dealt with: look again.
    Again,
    /// Nothing more to do for now.
    Idle,
    /// An event that borrows nothing.
    Event(Event<'static>),
    /// A PDU for the caller.
    Found(Found),
}

/// A PDU for the caller, by its place in the input.
pub(super) struct Found {
    header: Header,
    range: Range<usize>,
    purpose: Purpose,
    now: Duration,
}

#[derive(Clone, Copy)]
enum Purpose {
    Bind,
    Bound,
    Request,
    Response { token: u64 },
}

impl Session {
    /// Looks for the next thing to do: something left to tell, a PDU, the end of the input, a timer.
    #[inline]
    pub(super) fn step(&mut self, now: Duration) -> Step {
        if let Some(event) = self.pending.take() {
            return Step::Event(event);
        }
        if self.state == State::Closed {
            return Step::Idle;
        }
        if !self.early.is_empty() && !matches!(self.state, State::Binding { .. } | State::Deciding { .. }) {
            self.input.put_back(&std::mem::take(&mut self.early));
        }
        if self.end_of_input || !self.output_is_full() {
            match self.input.take_frame() {
                Ok(Some((frame, range))) => {
                    let header = frame.header;
                    self.counters.pdus_in += 1;
                    self.tally.add(true, header.command_id, header.command_status);
                    return self.judge(header, range, now);
                }
                Ok(None) if self.end_of_input => {
                    self.close(self.reason_at_end());
                    return Step::Again;
                }
                Ok(None) => {}
                Err(error) => {
                    let sequence = error.sequence_number.unwrap_or(0);
                    self.send_bare(CommandId::GENERIC_NACK, error.status(), sequence);
                    self.close(CloseReason::Framing(error));
                    return Step::Again;
                }
            }
        }
        self.run_timers(now)
    }

    /// Reads the body of a PDU for the caller and makes it an event.
    #[inline]
    pub(super) fn tell(&mut self, found: Found) -> Event<'_> {
        let Found { header, range, purpose, now } = found;
        let body = self.input.slice(range).get(HEADER_LEN..).unwrap_or_default();
        let sequence = header.sequence_number;
        let pdu = match (Frame { header, body }).decode() {
            Ok(pdu) => pdu,
            Err(error) => {
                let id = header.command_id;
                if id.wants_response() {
                    put_bare(&mut self.output.bytes, id.response(), error.status(), sequence);
                    self.counters.pdus_out += 1;
                    self.tally.add(false, id.response(), error.status());
                }
                self.counters.malformed += 1;
                return Event::Malformed { sequence, id, error };
            }
        };
        let tlvs = tlvs_of(&pdu);
        self.counters.junk += u64::from(!tlvs.junk().is_empty());
        match (purpose, pdu) {
            (Purpose::Bind, Pdu::Bind(mode, bind)) => {
                self.mode = Some(mode);
                self.peer_version = Some(bind.interface_version);
                // A peer that knows transceivers is no 3.3 peer, whatever number it sends.
                self.with_tlvs = self.config.version.has_tlvs()
                    && (bind.interface_version.has_tlvs() || mode == BindMode::Transceiver);
                let deadline = now.saturating_add(self.config.bind_timeout);
                self.state = State::Deciding { sequence, deadline };
                Event::BindRequest { mode, bind }
            }
            (Purpose::Bound, Pdu::BindResp(_, answer)) => {
                let version = answer.version();
                self.peer_version = version;
                Event::Bound { system_id: answer.system_id, version }
            }
            (Purpose::Response { token }, pdu) => {
                self.congestion = congestion(tlvs).or(self.congestion);
                self.counters.responses += 1;
                Event::Response { token, status: header.command_status, pdu }
            }
            (_, pdu) => {
                self.unanswered += usize::from(header.command_id.wants_response());
                self.counters.peer_requests += 1;
                Event::Request { sequence, pdu }
            }
        }
    }

    /// Decides by the header what becomes of a PDU.
    #[inline]
    fn judge(&mut self, header: Header, range: Range<usize>, now: Duration) -> Step {
        let found = |purpose| Step::Found(Found { header, range: range.clone(), purpose, now });
        if header.command_id.is_response() {
            return self.judge_response(header, now, found);
        }
        if header.command_id == CommandId::ENQUIRE_LINK {
            self.answer(header, CommandStatus::ROK);
            return Step::Again;
        }
        match self.state {
            State::Bound | State::Unbinding { .. } => self.judge_request(header, now, found),
            State::Binding { .. } if header.command_id == CommandId::UNBIND => {
                self.answer(header, CommandStatus::ROK);
                self.close(CloseReason::PeerUnbound);
                Step::Again
            }
            State::Binding { .. } | State::Deciding { .. } => self.hold(header, range),
            State::Open { .. } => self.judge_before_bind(header, range, now),
            State::Refused { .. } | State::PeerUnbinding { .. } => {
                self.refuse(header, CommandStatus::RINVBNDSTS);
                Step::Again
            }
            State::Closed => Step::Idle,
        }
    }

    #[inline]
    fn judge_response(&mut self, header: Header, now: Duration, found: impl FnOnce(Purpose) -> Step) -> Step {
        let Header { command_id: id, command_status: status, sequence_number: sequence, .. } = header;
        match id {
            // Any octet has already counted as a sign of life.
            CommandId::ENQUIRE_LINK_RESP => return Step::Again,
            CommandId::UNBIND_RESP if matches!(self.state, State::Unbinding { sent: true, .. }) => {
                self.close(CloseReason::WeUnbound);
                return Step::Again;
            }
            // Matched by state, since some MCs get the sequence number of the bind wrong.
            CommandId::BIND_RECEIVER_RESP
            | CommandId::BIND_TRANSMITTER_RESP
            | CommandId::BIND_TRANSCEIVER_RESP
            | CommandId::GENERIC_NACK
                if matches!(self.state, State::Binding { .. }) =>
            {
                if status.is_ok() && id != CommandId::GENERIC_NACK {
                    self.enter_bound(now);
                    return found(Purpose::Bound);
                }
                self.close(CloseReason::BindRefused(status));
                return Step::Event(Event::BindRefused { status });
            }
            _ => {}
        }
        let Some(token) = self.outstanding.remove(sequence) else {
            self.counters.unknown_responses += 1;
            return Step::Again;
        };
        self.last_activity = now;
        if id == CommandId::GENERIC_NACK {
            self.counters.nacks += 1;
            return Step::Event(Event::Nacked { token, status });
        }
        found(Purpose::Response { token })
    }

    #[inline]
    fn judge_request(&mut self, header: Header, now: Duration, found: impl FnOnce(Purpose) -> Step) -> Step {
        use CommandId as Id;
        let id = header.command_id;
        let from_esme = matches!(self.role, Role::Server) && self.mode.is_some_and(BindMode::can_transmit);
        let from_mc = matches!(self.role, Role::Client { .. });
        let allowed = match id {
            Id::UNBIND => {
                self.begin_peer_unbind(header, now);
                return if self.pending.is_some() { Step::Again } else { Step::Event(Event::PeerUnbinding) };
            }
            Id::DATA_SM => from_esme || from_mc,
            Id::DELIVER_SM | Id::ALERT_NOTIFICATION => from_mc,
            Id::SUBMIT_SM
            | Id::SUBMIT_MULTI
            | Id::QUERY_SM
            | Id::CANCEL_SM
            | Id::REPLACE_SM
            | Id::BROADCAST_SM
            | Id::QUERY_BROADCAST_SM
            | Id::CANCEL_BROADCAST_SM => from_esme,
            Id::BIND_RECEIVER | Id::BIND_TRANSMITTER | Id::BIND_TRANSCEIVER => {
                self.refuse(header, CommandStatus::RALYBND);
                return Step::Again;
            }
            _ => false,
        };
        if !allowed {
            self.refuse(header, CommandStatus::RINVBNDSTS);
            return Step::Again;
        }
        if self.unanswered >= self.config.max_unanswered {
            self.counters.throttled += 1;
            self.answer(header, CommandStatus::RTHROTTLED);
            return Step::Again;
        }
        self.last_activity = now;
        found(Purpose::Request)
    }

    /// Only a bind (or for a waiting client an outbind) leads on; the rest is answered.
    fn judge_before_bind(&mut self, header: Header, range: Range<usize>, now: Duration) -> Step {
        let id = header.command_id;
        match &self.role {
            Role::Server if is_bind(id) => Step::Found(Found { header, range, purpose: Purpose::Bind, now }),
            Role::Client { await_outbind: Some(expected), .. } if id == CommandId::OUTBIND => {
                let body = self.input.slice(range).get(HEADER_LEN..).unwrap_or_default();
                let known = matches!(
                    Pdu::decode(id, body),
                    Ok(Pdu::Outbind(outbind)) if expected.are(outbind.system_id, outbind.password)
                );
                if known {
                    self.send_bind(now);
                } else {
                    self.close(CloseReason::OutbindRefused);
                }
                Step::Again
            }
            _ if id == CommandId::UNBIND => {
                self.answer(header, CommandStatus::ROK);
                self.close(CloseReason::PeerUnbound);
                Step::Again
            }
            _ => {
                self.refuse(header, CommandStatus::RINVBNDSTS);
                Step::Again
            }
        }
    }

    /// Keeps a request until the bind is settled: MCs send deliver_sm right behind, or even before,
    /// their bind_resp, and some ESMEs do not wait for it.
    fn hold(&mut self, header: Header, range: Range<usize>) -> Step {
        let octets = self.input.slice(range);
        if self.early.len() + octets.len() <= READ_SIZE {
            self.early.extend_from_slice(octets);
            self.counters.pdus_in -= 1;
            self.tally.take_back(header.command_id);
        } else {
            self.counters.throttled += 1;
            self.answer(header, CommandStatus::RTHROTTLED);
        }
        Step::Again
    }

    fn begin_peer_unbind(&mut self, header: Header, now: Duration) {
        let sequence = header.sequence_number;
        if let State::Unbinding { .. } = self.state {
            // Both sides at once: ours goes on.
            self.answer(header, CommandStatus::ROK);
            return;
        }
        let deadline = now.saturating_add(self.config.drain_timeout);
        self.state = State::PeerUnbinding { unanswered: Some(sequence), deadline };
        self.settle_unbind(now);
    }

    /// Answers a request that can't be: by its own response if it has one, else by generic_nack.
    fn refuse(&mut self, header: Header, status: CommandStatus) {
        self.counters.refused += 1;
        let known = header.command_id.name().is_some();
        let only_3_3 = matches!(
            header.command_id,
            CommandId::PARAM_RETRIEVE | CommandId::QUERY_LAST_MSGS | CommandId::QUERY_MSG_DETAILS
        );
        if known && !only_3_3 {
            self.answer(header, status);
        } else {
            self.send_bare(CommandId::GENERIC_NACK, CommandStatus::RINVCMDID, header.sequence_number);
        }
    }

    fn answer(&mut self, header: Header, status: CommandStatus) {
        if header.command_id.wants_response() {
            self.send_bare(header.command_id.response(), status, header.sequence_number);
        }
    }

    fn reason_at_end(&self) -> CloseReason {
        match self.state {
            State::Unbinding { .. } => CloseReason::WeUnbound,
            State::PeerUnbinding { .. } => CloseReason::PeerUnbound,
            State::Refused { status, .. } => CloseReason::BindRefused(status),
            _ => CloseReason::PeerClosed,
        }
    }
}

fn is_bind(id: CommandId) -> bool {
    matches!(id, CommandId::BIND_RECEIVER | CommandId::BIND_TRANSMITTER | CommandId::BIND_TRANSCEIVER)
}

/// The TLVs of the PDUs that reach a caller.
#[inline]
fn tlvs_of<'a>(pdu: &Pdu<'a>) -> Tlvs<'a> {
    match pdu {
        Pdu::SubmitSm(body) => body.tlvs,
        Pdu::SubmitSmResp(body) => body.tlvs,
        Pdu::DeliverSm(body) => body.tlvs,
        Pdu::DeliverSmResp(body) => body.tlvs,
        Pdu::DataSm(body) => body.tlvs,
        Pdu::DataSmResp(body) => body.tlvs,
        Pdu::SubmitMulti(body) => body.tlvs,
        Pdu::SubmitMultiResp(body) => body.tlvs,
        Pdu::BindResp(_, body) => body.tlvs,
        _ => Tlvs::default(),
    }
}

fn congestion(tlvs: Tlvs<'_>) -> Option<u8> {
    tlvs.integer(Tag::CONGESTION_STATE).and_then(|state| u8::try_from(state).ok())
}
