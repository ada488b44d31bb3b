//! Where a connector's sessions stand, and when that is news.

use std::collections::BTreeMap;

use crate::dispatch::SessionState;
use crate::facts::ConnectorEvent;

/// One session, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// Its number, counted from 0.
    pub session: u16,
    /// Where it stands.
    pub state: SessionState,
}

#[derive(Debug, Default)]
pub(crate) struct Sessions {
    states: BTreeMap<u16, SessionState>,
    up: bool,
}

impl Sessions {
    /// Records a state; the answer is the news in it for the connector as a whole.
    pub fn set(&mut self, session: u16, state: SessionState) -> Option<ConnectorEvent> {
        let reason = match &state {
            SessionState::Down { reason, .. } => Some(reason.clone()),
            _ => None,
        };
        self.states.insert(session, state);
        let bound = self.bound() > 0;
        match (self.up, bound) {
            (false, true) => {
                self.up = true;
                Some(ConnectorEvent::Up)
            }
            (true, false) => {
                self.up = false;
                Some(ConnectorEvent::Down { reason: reason.unwrap_or_else(|| "disconnected".into()) })
            }
            _ => None,
        }
    }

    /// Forgets sessions from `count` on: the connector has fewer now.
    pub fn truncate(&mut self, count: u16) {
        self.states.retain(|session, _| *session < count);
    }

    pub fn bound(&self) -> usize {
        self.states.values().filter(|s| matches!(s, SessionState::Bound { .. })).count()
    }

    pub fn view(&self) -> Vec<SessionView> {
        self.states.iter().map(|(&session, state)| SessionView { session, state: state.clone() }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Timestamp;

    #[test]
    fn only_the_first_bind_and_the_last_loss_are_news() {
        let mut sessions = Sessions::default();
        let bound = || SessionState::Bound { since: Timestamp::default() };
        let down = |why: &str| SessionState::Down { reason: why.into(), retry_at: None };
        assert_eq!(sessions.set(0, SessionState::Connecting), None);
        assert_eq!(sessions.set(0, bound()), Some(ConnectorEvent::Up));
        assert_eq!(sessions.set(1, bound()), None);
        assert_eq!(sessions.set(0, down("a")), None);
        assert_eq!(sessions.set(1, down("b")), Some(ConnectorEvent::Down { reason: "b".into() }));
        assert_eq!(sessions.set(1, down("c")), None);
        sessions.truncate(1);
        assert_eq!(sessions.view().len(), 1);
    }
}
