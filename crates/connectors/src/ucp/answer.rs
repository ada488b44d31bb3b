//! What a result of a submission means for its part. Pure.

use engine::dispatch::Outcome;
use model::resources::set::parse_status;
use model::resources::{Connector, StatusClass as Override};
use model::{MessageId, Reason};
use ucp::{ErrorClass, ErrorCode};

use crate::patience::Patience;

/// The rules of one connector, and how often its SMSC refused messages for now.
#[derive(Debug, Default)]
pub(super) struct Answers {
    overrides: Vec<(u32, Override)>,
    patience: Patience,
}

impl Answers {
    /// Rules by a connector's settings, whose `status_overrides` are error codes here.
    pub(super) fn new(connector: &Connector) -> Self {
        let overrides = connector.status_overrides.iter();
        let overrides = overrides.filter_map(|(code, class)| Some((parse_status(code)?, *class)));
        Self { overrides: overrides.collect(), patience: Patience::default() }
    }

    /// It was taken, under this name.
    pub(super) fn taken(&mut self, message: MessageId, remote_id: Box<str>) -> Outcome {
        self.patience.decided(message);
        Outcome::Sent { remote_id }
    }

    /// It was not. `sm` is what the SMSC says about it.
    pub(super) fn refused(&mut self, message: MessageId, code: ErrorCode, sm: &[u8]) -> Outcome {
        let class = match self.overrides.iter().find(|(number, _)| *number == u32::from(code.0)) {
            Some((_, class)) => *class,
            None => match code.class() {
                ErrorClass::Permanent => Override::Permanent,
                // Mostly "slow down", but it may mean just what it says: it counts as an attempt.
                ErrorClass::Throttled => Override::Temporary,
                ErrorClass::Temporary | ErrorClass::Config | ErrorClass::Unknown => Override::Temporary,
            },
        };
        let said = |what: &str, permanent| Reason::new(what, detail(code, sm), permanent);
        match class {
            Override::Temporary => {
                return Outcome::Retry { after: self.patience.refused(message), reason: said("carrier_busy", false) };
            }
            Override::Throttled => return Outcome::Throttled(said("carrier_busy", false)),
            Override::Permanent => {}
            Override::Accepted => return self.taken(message, "".into()),
        }
        self.patience.decided(message);
        Outcome::Refused(said("carrier_refused", true))
    }
}

/// An error code for people: its number, what the standard calls it, and what the SMSC says.
pub(super) fn detail(code: ErrorCode, sm: &[u8]) -> String {
    let said = String::from_utf8_lossy(sm);
    match said.trim() {
        "" => format!("error {code}"),
        said => format!("error {code}: {said}"),
    }
}

#[cfg(test)]
mod tests {
    use model::id::Uuid;

    use super::*;
    use crate::ucp::tests::connector;

    const MESSAGE: MessageId = MessageId(Uuid::nil());

    fn refused(more: &str, code: u8) -> Outcome {
        Answers::new(&connector(more)).refused(MESSAGE, ErrorCode(code), b"No such address")
    }

    #[test]
    fn codes_become_outcomes() {
        let Outcome::Refused(reason) = refused("", 6) else { panic!("not refused") };
        assert_eq!((&*reason.code, reason.permanent), ("carrier_refused", true));
        assert!(reason.detail.starts_with("error 06 ("), "{}", reason.detail);
        assert!(reason.detail.ends_with("): No such address"), "{}", reason.detail);
        for temporary in [4, 37, 50, 54, 55] {
            assert!(matches!(refused("", temporary), Outcome::Retry { .. }), "{temporary}");
        }
        assert!(matches!(refused("", 95), Outcome::Refused(_)));
    }

    #[test]
    fn a_connector_may_see_it_differently() {
        let more = "status_overrides = { \"06\" = \"temporary\", \"4\" = \"throttled\", \"95\" = \"accepted\" }";
        assert!(matches!(refused(more, 6), Outcome::Retry { .. }));
        assert!(matches!(refused(more, 4), Outcome::Throttled(_)));
        assert_eq!(refused(more, 95), Outcome::Sent { remote_id: "".into() });
    }
}
