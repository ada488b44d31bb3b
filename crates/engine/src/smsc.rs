//! What SMSCs answer when a session has set something or asked for something after its login.

use std::sync::{Arc, PoisonError};

use model::{Name, Timestamp};

use crate::dispatch::Link;
use crate::engine::Engine;

/// The answers to what the last session has set and asked for, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmscView {
    /// When the last of them came.
    pub at: Timestamp,
    /// In the order in which it was asked.
    pub answers: Vec<SmscAnswer>,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmscAnswer {
    /// `set` or `get`.
    pub operation: &'static str,
    /// The number of the parameter.
    pub parameter: u16,
    /// What the protocol calls it.
    pub name: Option<&'static str>,
    /// What it was set to, or is.
    pub outcome: SmscOutcome,
}

/// What an SMSC says to one parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SmscOutcome {
    /// It is this.
    Is(String),
    /// It would not.
    Refused(String),
    /// Nothing.
    Unanswered,
}

impl SmscOutcome {
    /// The label of the metric.
    const fn word(&self) -> &'static str {
        match self {
            Self::Is(_) => "answered",
            Self::Refused(_) => "refused",
            Self::Unanswered => "unanswered",
        }
    }
}

impl Engine {
    /// A session has heard what became of all that it has set and asked for; nothing, if that was nothing.
    pub fn smsc_answered(&self, link: &Link, answers: Vec<SmscAnswer>) {
        let world = self.world();
        let mut views = self.inner.desks.smsc.lock().unwrap_or_else(PoisonError::into_inner);
        views.retain(|connector, _| world.connector(connector).is_some());
        if answers.is_empty() {
            views.remove(link.id());
            return;
        }
        for answer in &answers {
            self.inner.metrics.inquired(link.id(), answer.operation, answer.outcome.word(), 1);
        }
        views.insert(link.id().clone(), Arc::new(SmscView { at: self.now(), answers }));
    }

    pub(crate) fn smsc_view(&self, connector: &Name) -> Option<Arc<SmscView>> {
        self.inner.desks.smsc.lock().unwrap_or_else(PoisonError::into_inner).get(connector).cloned()
    }
}
