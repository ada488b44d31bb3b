//! What the caller tells a session to do.

use std::time::Duration;

use super::{CloseReason, RespondError, Role, Session, State, SubmitError, following};
use crate::command::CommandId;
use crate::pdu::{BindResp, Operation, Outbind, Pdu, SubmitSm, encode, encode_with};
use crate::status::CommandStatus;
use crate::tlv::{Tag, TlvBuf};
use crate::values::InterfaceVersion;

impl Session {
    /// Sends a request whose answer, or the lack of it, will come as an event with `token`. Gives its
    /// sequence number. An `AlertNotification` goes the same way but has no answer.
    ///
    /// # Errors
    /// When it was not sent; the session is as before.
    #[inline]
    pub fn request(&mut self, operation: &impl Operation, token: u64, now: Duration) -> Result<u32, SubmitError> {
        let id = operation.command_id();
        self.check_request(id)?;
        let sequence = self.fresh_sequence();
        encode_with(operation, sequence, CommandStatus::ROK, self.with_tlvs, &mut self.output.bytes)?;
        self.next_sequence = following(sequence);
        if id.wants_response() {
            self.outstanding.insert(sequence, token, now.saturating_add(self.config.response_timeout));
        }
        self.last_activity = now;
        self.counters.requests += 1;
        self.sent(id, CommandStatus::ROK);
        Ok(sequence)
    }

    /// Sends a submit_sm: [`request`](Self::request) by its usual name.
    ///
    /// # Errors
    /// When it was not sent; the session is as before.
    #[inline]
    pub fn submit(&mut self, message: &SubmitSm<'_>, token: u64, now: Duration) -> Result<u32, SubmitError> {
        self.request(message, token, now)
    }

    /// Answers a request of the peer.
    ///
    /// # Errors
    /// When the answer was not sent.
    #[inline]
    pub fn respond(
        &mut self,
        sequence: u32,
        status: CommandStatus,
        operation: &impl Operation,
        now: Duration,
    ) -> Result<(), RespondError> {
        let id = operation.command_id();
        if !id.is_response() {
            return Err(RespondError::NotAResponse(id));
        }
        if !matches!(self.state, State::Bound | State::Unbinding { .. } | State::PeerUnbinding { .. }) {
            return Err(RespondError::NothingToAnswer);
        }
        encode_with(operation, sequence, status, self.with_tlvs, &mut self.output.bytes)?;
        self.sent(id, status);
        self.unanswered = self.unanswered.saturating_sub(1);
        self.last_activity = now;
        Ok(())
    }

    /// Server: lets the ESME in. `system_id` is our own name. The answer names the version that the
    /// session is in: ours, or the ESME's if that is older.
    ///
    /// # Errors
    /// When no bind is waiting, or the name can't be sent.
    pub fn accept_bind(&mut self, system_id: &[u8], now: Duration) -> Result<(), RespondError> {
        let (State::Deciding { sequence, .. }, Some(mode)) = (self.state, self.mode) else {
            return Err(RespondError::NothingToAnswer);
        };
        let mut tlvs = TlvBuf::new();
        let version = self.peer_version.filter(|peer| peer.has_tlvs()).map_or(InterfaceVersion::V3_4, |peer| peer);
        tlvs.push_u8(Tag::SC_INTERFACE_VERSION, self.config.version.min(version).0);
        let body = BindResp { system_id, tlvs: tlvs.as_tlvs() };
        let pdu = Pdu::BindResp(mode, body);
        encode_with(&pdu, sequence, CommandStatus::ROK, self.with_tlvs, &mut self.output.bytes)?;
        self.sent(pdu.command_id(), CommandStatus::ROK);
        self.enter_bound(now);
        Ok(())
    }

    /// Server: keeps the ESME out. The session ends when the peer closes, or soon after.
    ///
    /// # Errors
    /// When no bind is waiting.
    pub fn refuse_bind(&mut self, status: CommandStatus, now: Duration) -> Result<(), RespondError> {
        let (State::Deciding { sequence, .. }, Some(mode)) = (self.state, self.mode) else {
            return Err(RespondError::NothingToAnswer);
        };
        let id = Pdu::BindResp(mode, BindResp::default()).command_id();
        self.send_bare(id, status, sequence);
        self.early = Vec::new();
        self.state = State::Refused { status, deadline: now.saturating_add(self.config.drain_timeout) };
        Ok(())
    }

    /// Server: asks the ESME at the other end to bind (SMPP 3.4 §4.1.7).
    ///
    /// # Errors
    /// When the session is past that, or a value can't be sent.
    pub fn outbind(&mut self, outbind: &Outbind<'_>) -> Result<(), SubmitError> {
        if !matches!((&self.role, self.state), (Role::Server, State::Open { .. })) {
            return Err(SubmitError::NotARequest(CommandId::OUTBIND));
        }
        let sequence = self.fresh_sequence();
        encode(outbind, sequence, CommandStatus::ROK, &mut self.output.bytes)?;
        self.next_sequence = following(sequence);
        self.sent(CommandId::OUTBIND, CommandStatus::ROK);
        Ok(())
    }

    /// Ends the session: no more requests are sent, open answers are awaited both ways for the drain
    /// timeout, then unbind is sent. `Closed` follows in any case.
    pub fn unbind(&mut self, now: Duration) {
        match self.state {
            State::Bound => {
                let deadline = now.saturating_add(self.config.drain_timeout);
                self.state = State::Unbinding { sent: false, deadline };
                self.settle_unbind(now);
            }
            State::Open { .. } | State::Binding { .. } | State::Deciding { .. } | State::Refused { .. } => {
                self.close(CloseReason::WeUnbound);
            }
            State::Unbinding { .. } | State::PeerUnbinding { .. } | State::Closed => {}
        }
    }

    fn check_request(&self, id: CommandId) -> Result<(), SubmitError> {
        use CommandId as Id;
        if self.state != State::Bound {
            return Err(SubmitError::NotBound);
        }
        let own = matches!(
            id,
            Id::BIND_RECEIVER
                | Id::BIND_TRANSMITTER
                | Id::BIND_TRANSCEIVER
                | Id::OUTBIND
                | Id::UNBIND
                | Id::ENQUIRE_LINK
        );
        if own || id.is_response() {
            return Err(SubmitError::NotARequest(id));
        }
        let allowed = match (&self.role, self.mode) {
            (Role::Client { .. }, Some(mode)) => mode.can_transmit(),
            (Role::Server, Some(mode)) => mode.can_receive(),
            (_, None) => false,
        };
        if !allowed {
            return Err(SubmitError::WrongDirection);
        }
        if !self.with_tlvs && id.0 > Id::QUERY_MSG_DETAILS.0 {
            return Err(SubmitError::NotInVersion(id));
        }
        if self.outstanding.len() >= self.config.window {
            return Err(SubmitError::WindowFull);
        }
        if self.output_is_full() {
            return Err(SubmitError::OutputFull);
        }
        Ok(())
    }
}
