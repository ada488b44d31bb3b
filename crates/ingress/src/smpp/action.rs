//! What is to be done about what a client sends.

use model::resources::SmppLogin;
use model::{Submission, Timestamp};
use smpp::{CloseReason, CommandStatus, DataSmResp, Pdu, SubmitMultiResp, SubmitSmResp};

use super::gate::Admitted;
use super::requests::Request;
use super::submission;

/// What to do about an event, once it no longer borrows the session.
#[expect(clippy::large_enum_variant, reason = "made for each PDU and taken apart at once: a box would cost more")]
pub(super) enum Action {
    Nothing,
    Bind(Result<Admitted, CommandStatus>, smpp::BindMode),
    Submit(Asked, Submission),
    Other(u32, Request),
    Refuse(u32, Pdu<'static>, CommandStatus),
    Delivered(u64, Option<CommandStatus>),
    Closed(CloseReason),
}

/// A submission that waits for its answer.
pub(super) struct Asked {
    pub sequence: u32,
    pub data_sm: bool,
}

impl Action {
    /// What to do about a request of a bound client.
    pub fn requested(sequence: u32, pdu: &Pdu<'_>, login: &SmppLogin, now: Timestamp) -> Self {
        let refuse = |pdu, status| Action::Refuse(sequence, pdu, status);
        match pdu {
            Pdu::SubmitSm(body) => match submission::of_submit_sm(body, login, now) {
                Ok(submission) => Action::Submit(Asked { sequence, data_sm: false }, submission),
                Err(status) => refuse(Pdu::SubmitSmResp(SubmitSmResp::default()), status),
            },
            Pdu::DataSm(body) => match submission::of_data_sm(body, login, now) {
                Ok(submission) => Action::Submit(Asked { sequence, data_sm: true }, submission),
                Err(status) => refuse(Pdu::DataSmResp(DataSmResp::default()), status),
            },
            Pdu::SubmitMulti(body) => match Request::multi(body, login, now) {
                Ok(request) => Action::Other(sequence, request),
                Err(status) => refuse(Pdu::SubmitMultiResp(SubmitMultiResp::default()), status),
            },
            Pdu::QuerySm(body) => Action::Other(sequence, Request::query(body)),
            Pdu::CancelSm(body) => match Request::cancel(body) {
                Ok(request) => Action::Other(sequence, request),
                Err(status) => refuse(Pdu::CancelSmResp, status),
            },
            Pdu::ReplaceSm(body) => match Request::replace(body, now) {
                Ok(request) => Action::Other(sequence, request),
                Err(status) => refuse(Pdu::ReplaceSmResp, status),
            },
            _ => refuse(Pdu::GenericNack, CommandStatus::RINVCMDID),
        }
    }
}
