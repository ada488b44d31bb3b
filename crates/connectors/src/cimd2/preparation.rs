//! What is set (08) and asked for (09) after each login, one after another, before anything else goes out: what
//! is set are defaults of the messages that follow. An SMSC that refuses some of it, or answers nothing, keeps
//! its session.

use std::collections::VecDeque;
use std::time::Duration;

use cimd2::{ErrorCode, Get, Packet, ParameterBuf, Session, Set, SubmitError, Tag};
use engine::dispatch::{SmscAnswer, SmscOutcome};
use model::resources::Cimd2Settings;

use super::answer::detail;

/// The token of the one request that is under way.
pub(super) const PREPARING: u64 = u64::MAX - 1;
/// Most characters of an answer that are kept.
const SHOWN_MAX: usize = 200;

/// How far a session has come with it.
#[derive(Debug)]
pub(super) struct Preparation {
    steps: VecDeque<Step>,
    under_way: bool,
    answers: Vec<SmscAnswer>,
    over: bool,
}

#[derive(Debug)]
struct Step {
    parameter: Tag,
    /// What it is set to; `None` asks what it is.
    value: Option<String>,
}

impl Preparation {
    /// Of what a connector's settings say.
    pub(super) fn new(settings: &Cimd2Settings) -> Self {
        let number = |number: &String| number.parse().unwrap_or(0);
        let set =
            settings.set.iter().map(|(name, value)| Step { parameter: Tag(number(name)), value: Some(value.clone()) });
        let get = settings.get.iter().map(|number| Step { parameter: Tag(*number), value: None });
        Self { steps: set.chain(get).collect(), under_way: false, answers: Vec::new(), over: false }
    }

    /// Whether other requests may go out.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// Sends what comes next, if the last was answered. Gives all answers once there is nothing more.
    pub(super) fn go_on(&mut self, session: &mut Session, now: Duration) -> Option<Vec<SmscAnswer>> {
        if self.over || !session.is_logged_in() {
            return None;
        }
        while !self.under_way {
            let Some(step) = self.steps.front() else {
                self.over = true;
                return Some(std::mem::take(&mut self.answers));
            };
            match step.send(session, now) {
                Ok(_) => self.under_way = true,
                Err(SubmitError::Encode(error)) => self.ended(SmscOutcome::Refused(error.to_string())),
                // There is no room, or no session any more.
                Err(_) => return None,
            }
        }
        None
    }

    /// The SMSC has answered the last one.
    pub(super) fn answered(&mut self, error: ErrorCode, packet: &Packet<'_>) {
        let Some(step) = self.steps.front() else { return };
        let outcome = match packet {
            _ if !error.is_ok() => SmscOutcome::Refused(detail(error, packet.outcome().1)),
            Packet::SetResp(_) => SmscOutcome::Is(step.value.clone().unwrap_or_default()),
            Packet::GetResp(answer) => {
                let own = Some(answer.smsc_time).filter(|_| step.parameter == Tag::SMSC_TIME);
                match own.or_else(|| answer.extra.get(step.parameter)).filter(|value| !value.is_empty()) {
                    Some(value) => SmscOutcome::Is(String::from_utf8_lossy(value).chars().take(SHOWN_MAX).collect()),
                    None => SmscOutcome::Unanswered,
                }
            }
            _ => SmscOutcome::Unanswered,
        };
        self.ended(outcome);
    }

    /// It has not, or could not make out the request.
    pub(super) fn unanswered(&mut self) {
        self.ended(SmscOutcome::Unanswered);
    }

    fn ended(&mut self, outcome: SmscOutcome) {
        self.under_way = false;
        let Some(Step { parameter, value }) = self.steps.pop_front() else { return };
        let operation = if value.is_some() { "set" } else { "get" };
        self.answers.push(SmscAnswer { operation, parameter: parameter.0, name: parameter.name(), outcome });
    }
}

impl Step {
    fn send(&self, session: &mut Session, now: Duration) -> Result<(), SubmitError> {
        let sent = match &self.value {
            None => session.request(&Get { parameter: Some(self.parameter), ..Get::default() }, PREPARING, now),
            Some(value) => {
                let mut parameters = ParameterBuf::new();
                parameters.push(self.parameter, value.as_bytes()).map_err(SubmitError::Encode)?;
                session.request(&Set { extra: parameters.as_parameters(), ..Set::default() }, PREPARING, now)
            }
        };
        sent.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use cimd2::{Answer, GetResp};

    use super::*;

    #[test]
    fn each_answer_is_to_the_step_that_was_asked() {
        let set = [("056".to_owned(), "14".to_owned()), ("030".to_owned(), "4".to_owned())].into();
        let mut preparation =
            Preparation::new(&Cimd2Settings { set, get: vec![501, 69, 69], ..Cimd2Settings::default() });
        preparation.unanswered();
        preparation.answered(ErrorCode::OK, &Packet::SetResp(Answer::default()));
        let told = GetResp { smsc_time: b"261123190000", ..GetResp::default() };
        preparation.answered(ErrorCode::OK, &told.into());
        preparation.answered(ErrorCode::OK, &told.into());
        preparation.answered(ErrorCode::GET_UNSUPPORTED, &GetResp::failed(ErrorCode::GET_UNSUPPORTED).into());
        preparation.answered(ErrorCode::OK, &told.into());
        let told: Vec<_> = preparation.answers.iter().map(|one| (one.operation, one.parameter, &one.outcome)).collect();
        let is = |value: &str| SmscOutcome::Is(value.into());
        assert_eq!(
            told[..4],
            [
                ("set", 30, &SmscOutcome::Unanswered),
                ("set", 56, &is("14")),
                ("get", 501, &is("261123190000")),
                // What it says is not what it was asked for.
                ("get", 69, &SmscOutcome::Unanswered),
            ]
        );
        assert!(matches!(told[4].2, SmscOutcome::Refused(error) if error.contains("900")), "{told:?}");
        assert_eq!(told.len(), 5);
    }
}
