//! One attempt at one delivery.

use std::sync::Arc;
use std::time::Duration;

use model::Delivery;

use super::lane::Taken;
use super::outbox::Outbox;
use super::target::Target;
use crate::answers::ServiceAnswer;

/// A delivery that may be attempted now. Whoever has it makes the call and
/// [finishes](Self::finish) it; one that is dropped unfinished does not count as an attempt and is
/// tried again soon.
#[derive(Debug)]
pub struct Call {
    /// What is to be handed over.
    pub delivery: Arc<Delivery>,
    /// Where to.
    pub target: Target,
    probe: bool,
    outbox: Outbox,
    finished: bool,
}

/// What a call came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallResult {
    /// The application took it (2xx).
    Taken,
    /// It took it, and says this to the phone.
    Answered(Box<ServiceAnswer>),
    /// It did not, for now.
    Failed {
        /// For a person: `HTTP 500`, `connection refused` ….
        detail: String,
        /// How long the application asked to be left alone.
        retry_after: Option<Duration>,
    },
    /// It wants no more of these (410).
    Gone,
    /// It will never take this one.
    Refused {
        /// For a person: what it answered.
        detail: String,
    },
}

impl CallResult {
    /// What is to be sent to the phone, beside what the delivery came to.
    pub(super) fn without_answer(self) -> (Self, Option<Box<ServiceAnswer>>) {
        match self {
            Self::Answered(answer) => (Self::Taken, Some(answer)),
            other => (other, None),
        }
    }
}

impl Call {
    pub(super) fn new(taken: Taken, outbox: Outbox) -> Self {
        let Taken { delivery, target, probe } = taken;
        Self { delivery, target, probe, outbox, finished: false }
    }

    /// Records what the call came to. Waits for room with the recorder, not for the commit.
    pub async fn finish(mut self, result: CallResult) {
        let outbox = self.outbox.clone();
        // An engine that has ended finds the delivery in the store when it starts again.
        let Ok(permit) = outbox.facts().reserve().await else { return };
        self.finished = true;
        outbox.finished(&self.taken(), result, permit);
    }

    fn taken(&self) -> Taken {
        Taken { delivery: self.delivery.clone(), target: self.target.clone(), probe: self.probe }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if !self.finished {
            self.outbox.abandoned(&self.taken());
        }
    }
}
