//! What the caller tells a session to do.

use std::time::Duration;

use super::{CloseReason, RespondError, Role, Session, State, SubmitError, put_answer};
use crate::code::ErrorCode;
use crate::frame::{Kind, Trn};
use crate::ot::OperationType;
use crate::pdu::{Answer, Operation, ShortMessage, encode, encode_answer};
use crate::values::SessionType;

impl Session {
    /// Sends an operation whose result, or the lack of it, will come as an event with `token`. Gives its TRN.
    ///
    /// # Errors
    /// When it was not sent; the session is as before.
    #[inline]
    pub fn request(&mut self, operation: &Operation<'_>, token: u64, now: Duration) -> Result<Trn, SubmitError> {
        let trn = self.check_request(operation)?;
        encode(operation, trn, &mut self.output.bytes)?;
        let deadline = now.saturating_add(self.config.response_timeout);
        self.outstanding.insert(trn, operation.ot(), Some(token), deadline);
        self.last_activity = now;
        self.counters.requests += 1;
        self.sent(Kind::Operation, operation.ot(), None);
        Ok(trn)
    }

    /// Application: sends a message (51).
    ///
    /// # Errors
    /// When it was not sent; the session is as before.
    #[inline]
    pub fn submit(&mut self, message: &ShortMessage<'_>, token: u64, now: Duration) -> Result<Trn, SubmitError> {
        self.request(&Operation::Submit(*message), token, now)
    }

    /// SMSC: sends a message (52).
    ///
    /// # Errors
    /// When it was not sent; the session is as before.
    #[inline]
    pub fn deliver(&mut self, message: &ShortMessage<'_>, token: u64, now: Duration) -> Result<Trn, SubmitError> {
        self.request(&Operation::Deliver(*message), token, now)
    }

    /// SMSC: sends a notification (53).
    ///
    /// # Errors
    /// When it was not sent; the session is as before.
    #[inline]
    pub fn notify(&mut self, message: &ShortMessage<'_>, token: u64, now: Duration) -> Result<Trn, SubmitError> {
        self.request(&Operation::Notify(*message), token, now)
    }

    /// Answers an operation of the peer.
    ///
    /// # Errors
    /// When the result was not sent.
    #[inline]
    pub fn respond(&mut self, trn: Trn, answer: &Answer<'_>, now: Duration) -> Result<(), RespondError> {
        let ot = self.peers.get(trn).filter(|_| !self.is_closed()).ok_or(RespondError::NothingToAnswer)?;
        encode_answer(ot, answer, trn, &mut self.output.bytes)?;
        self.sent(Kind::Result, ot, answer.code());
        self.peers.remove(trn);
        self.last_activity = now;
        Ok(())
    }

    /// Server: lets the application in. `sm` is a word about it, which may be empty.
    ///
    /// # Errors
    /// When no login is waiting, or the word can't be sent.
    pub fn accept_login(&mut self, sm: &[u8], now: Duration) -> Result<(), RespondError> {
        let State::Deciding { trn, .. } = self.state else {
            return Err(RespondError::NothingToAnswer);
        };
        encode_answer(OperationType::SESSION, &Answer::ack(sm), trn, &mut self.output.bytes)?;
        self.sent(Kind::Result, OperationType::SESSION, None);
        self.role = Role::Server { logged_in: true };
        self.enter_open(now);
        Ok(())
    }

    /// Server: keeps the application out. The session ends when the peer closes, or soon after.
    ///
    /// # Errors
    /// When no login is waiting.
    pub fn refuse_login(&mut self, code: ErrorCode, now: Duration) -> Result<(), RespondError> {
        let State::Deciding { trn, .. } = self.state else {
            return Err(RespondError::NothingToAnswer);
        };
        put_answer(&mut self.output.bytes, trn, OperationType::SESSION, &Answer::nack(code));
        self.sent(Kind::Result, OperationType::SESSION, Some(code));
        self.early = Vec::new();
        self.state = State::Refused { code, deadline: now.saturating_add(self.config.drain_timeout) };
        Ok(())
    }

    /// Ends the session: no more operations are sent or taken, and open results are awaited both ways for the
    /// drain timeout. `Closed` follows in any case. UCP has no word for it: the connection is closed.
    pub fn finish(&mut self, now: Duration) {
        match self.state {
            State::Open => {
                let deadline = now.saturating_add(self.config.drain_timeout);
                self.state = State::Finishing { deadline };
                self.settle_finish(now);
            }
            State::Waiting { .. } | State::LoggingIn { .. } | State::Deciding { .. } | State::Refused { .. } => {
                self.close(CloseReason::WeClosed);
            }
            State::Finishing { .. } | State::Closed => {}
        }
    }

    /// Whether an operation may be sent, and under which TRN.
    fn check_request(&self, operation: &Operation<'_>) -> Result<Trn, SubmitError> {
        if self.state != State::Open {
            return Err(SubmitError::NotOpen);
        }
        if let Operation::Session(session) = operation
            && session.styp.is_none_or(|styp| styp == SessionType::OPEN)
        {
            return Err(SubmitError::Login);
        }
        let ot = operation.ot();
        let allowed = match self.role {
            Role::Client { .. } => ot.goes_to_smsc(),
            Role::Server { .. } => ot.goes_to_application(),
        };
        if !allowed {
            return Err(SubmitError::WrongDirection(ot));
        }
        if self.window_room() == 0 {
            return Err(SubmitError::WindowFull);
        }
        if self.output_is_full() {
            return Err(SubmitError::OutputFull);
        }
        self.outstanding.fresh().ok_or(SubmitError::WindowFull)
    }
}
