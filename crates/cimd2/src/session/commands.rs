//! What the caller tells a session to do.

use std::time::Duration;

use super::{Bare, CloseReason, RespondError, Role, Session, State, SubmitError};
use crate::error_code::ErrorCode;
use crate::operation::OperationCode;
use crate::packet::{Operation, Submit, encode};

impl Session {
    /// Sends a request whose answer, or the lack of it, will come as an event with `token`. Gives its
    /// packet number.
    ///
    /// # Errors
    /// When it was not sent; the session is as before.
    #[inline]
    pub fn request(&mut self, operation: &impl Operation, token: u64, now: Duration) -> Result<u8, SubmitError> {
        let code = operation.code();
        self.check_request(code)?;
        let sequence = self.numbers.fresh(&self.outstanding).ok_or(SubmitError::WindowFull)?;
        let start = self.output.bytes.len();
        encode(operation, u16::from(sequence), self.config.send_checksum, &mut self.output.bytes)?;
        self.numbers.used(sequence);
        let deadline = now.saturating_add(self.config.response_timeout);
        let octets = self.output.bytes.get(start..).unwrap_or_default();
        self.outstanding.insert(sequence, code, Some(token), deadline, octets);
        self.counters.requests += 1;
        self.sent(code, ErrorCode::OK);
        Ok(sequence)
    }

    /// Sends a submission: [`request`](Self::request) by its usual name.
    ///
    /// # Errors
    /// When it was not sent; the session is as before.
    #[inline]
    pub fn submit(&mut self, message: &Submit<'_>, token: u64, now: Duration) -> Result<u8, SubmitError> {
        self.request(message, token, now)
    }

    /// Answers a request of the peer, whether it has worked or not. Of several requests with this number, the oldest
    /// is answered.
    ///
    /// # Errors
    /// When the answer was not sent.
    #[inline]
    pub fn respond(&mut self, sequence: u16, answer: &impl Operation, _now: Duration) -> Result<(), RespondError> {
        if !matches!(self.state, State::LoggedIn | State::LoggingOut { .. } | State::PeerLoggingOut { .. }) {
            return Err(RespondError::NothingToAnswer);
        }
        let request = self.handled.operation(sequence).ok_or(RespondError::NothingToAnswer)?;
        let code = answer.code();
        if code != request.response() && code != OperationCode::GENERAL_ERROR {
            return Err(RespondError::NotItsAnswer(code));
        }
        let start = self.output.bytes.len();
        encode(answer, sequence, self.config.send_checksum, &mut self.output.bytes)?;
        let octets = self.output.bytes.get(start..).unwrap_or_default();
        let error = answer.error();
        self.handled.answered(sequence, octets, !error.is_ok());
        self.sent(code, error);
        Ok(())
    }

    /// Answers a request of the peer that has worked, and whose answer says no more than that.
    ///
    /// # Errors
    /// When the answer was not sent.
    pub fn accept(&mut self, sequence: u16, now: Duration) -> Result<(), RespondError> {
        self.refuse(sequence, ErrorCode::OK, b"", now)
    }

    /// Answers a request of the peer with an error, whatever the request is.
    ///
    /// # Errors
    /// When the answer was not sent.
    pub fn refuse(&mut self, sequence: u16, error: ErrorCode, text: &[u8], now: Duration) -> Result<(), RespondError> {
        let request = self.handled.operation(sequence).ok_or(RespondError::NothingToAnswer)?;
        self.respond(sequence, &Bare { code: request.response(), error, text }, now)
    }

    /// Server: sends the line that clients get before anything else. Control characters in it are left out.
    ///
    /// # Errors
    /// When somebody has begun to log in.
    pub fn greet(&mut self, line: &[u8]) -> Result<(), RespondError> {
        if !matches!((&self.role, self.state), (Role::Server, State::Open { .. })) {
            return Err(RespondError::NothingToAnswer);
        }
        self.output.bytes.extend(line.iter().filter(|octet| !octet.is_ascii_control()));
        self.output.bytes.extend_from_slice(b"\r\n");
        Ok(())
    }

    /// Server: lets the application in.
    ///
    /// # Errors
    /// When no login is waiting.
    pub fn accept_login(&mut self, _now: Duration) -> Result<(), RespondError> {
        let State::Deciding { sequence, .. } = self.state else {
            return Err(RespondError::NothingToAnswer);
        };
        self.send_bare(OperationCode::LOGIN_RESP, ErrorCode::OK, sequence);
        self.state = State::LoggedIn;
        Ok(())
    }

    /// Server: keeps the application out. The session ends when the peer closes, or soon after.
    ///
    /// # Errors
    /// When no login is waiting, or the text can't be sent.
    pub fn refuse_login(&mut self, error: ErrorCode, text: &[u8], now: Duration) -> Result<(), RespondError> {
        let State::Deciding { sequence, .. } = self.state else {
            return Err(RespondError::NothingToAnswer);
        };
        let answer = Bare { code: OperationCode::LOGIN_RESP, error, text };
        encode(&answer, sequence, self.config.send_checksum, &mut self.output.bytes)?;
        self.sent(OperationCode::LOGIN_RESP, error);
        self.early = Vec::new();
        self.state = State::Refused { error, deadline: now.saturating_add(self.config.drain_timeout) };
        Ok(())
    }

    /// Ends the session: no more requests are sent, open answers are awaited both ways for the drain
    /// timeout, then a client sends logout; a server has no such operation, and only ends. `Closed` follows in any
    /// case.
    pub fn logout(&mut self, now: Duration) {
        match self.state {
            State::LoggedIn => {
                let deadline = now.saturating_add(self.config.drain_timeout);
                self.state = State::LoggingOut { sent: false, deadline };
                self.settle_logout(now);
            }
            State::Open { .. } | State::LoggingIn { .. } | State::Deciding { .. } | State::Refused { .. } => {
                self.close(CloseReason::WeLoggedOut);
            }
            State::LoggingOut { .. } | State::PeerLoggingOut { .. } | State::Closed => {}
        }
    }

    fn check_request(&self, code: OperationCode) -> Result<(), SubmitError> {
        use OperationCode as Op;
        if self.state != State::LoggedIn {
            return Err(SubmitError::NotLoggedIn);
        }
        if code.is_response() || matches!(code, Op::LOGIN | Op::LOGOUT | Op::ALIVE) {
            return Err(SubmitError::NotARequest(code));
        }
        let from_smsc = matches!(code, Op::DELIVER | Op::STATUS_REPORT);
        let from_either = code.name().is_none();
        if from_smsc != matches!(self.role, Role::Server) && !from_either {
            return Err(SubmitError::WrongDirection(code));
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
