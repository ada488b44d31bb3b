//! What is to be done about what a client sends.

use model::Timestamp;
use model::resources::SmppLogin;
use smpp::{CommandStatus, DataSmResp, Pdu, SubmitMultiResp, SubmitSmResp};

use super::dialogue::SmppDialogue;
use super::requests::Request;
use super::submission;
use crate::sessions::Action;

/// A submission that waits for its answer.
pub(crate) struct Asked {
    pub sequence: u32,
    pub data_sm: bool,
}

/// What to do about a request of a bound client; `short` says that its version has short ids only.
pub(super) fn requested(
    (sequence, short): (u32, bool),
    pdu: &Pdu<'_>,
    login: &SmppLogin,
    now: Timestamp,
) -> Action<SmppDialogue> {
    let refuse = |pdu, status| Action::Refuse((sequence, pdu, status));
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
            Ok(request) => Action::Other((sequence, short, request)),
            Err(status) => refuse(Pdu::SubmitMultiResp(SubmitMultiResp::default()), status),
        },
        Pdu::QuerySm(body) => Action::Other((sequence, short, Request::query(body))),
        Pdu::CancelSm(body) => match Request::cancel(body) {
            Ok(request) => Action::Other((sequence, short, request)),
            Err(status) => refuse(Pdu::CancelSmResp, status),
        },
        Pdu::ReplaceSm(body) => match Request::replace(body, now) {
            Ok(request) => Action::Other((sequence, short, request)),
            Err(status) => refuse(Pdu::ReplaceSmResp, status),
        },
        _ => refuse(Pdu::GenericNack, CommandStatus::RINVCMDID),
    }
}
