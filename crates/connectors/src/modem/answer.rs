//! What a modem's refusal of a message means for its part. Pure.

use at::{ErrorClass, Failure};
use engine::dispatch::Outcome;
use model::resources::set::parse_status;
use model::resources::{Connector, StatusClass as Override};
use model::{MessageId, Reason};

use crate::patience::Patience;

/// The rules of one connector, and how often its modem refused messages for now.
#[derive(Debug, Default)]
pub(super) struct Answers {
    overrides: Vec<(u32, Override)>,
    patience: Patience,
}

impl Answers {
    /// Rules by a connector's settings, whose `status_overrides` are numbers of `+CMS ERROR` here.
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

    /// It was not; `None` if that says nothing of the message, which goes to somebody else.
    pub(super) fn refused(&mut self, message: MessageId, failure: &Failure) -> Option<Outcome> {
        let number = match failure {
            Failure::Cms(error) => Some(u32::from(error.0)),
            _ => None,
        };
        let overridden = self.overrides.iter().find(|(code, _)| Some(*code) == number).map(|(_, class)| *class);
        let class = match (overridden, failure.class()) {
            (Some(class), _) => class,
            (None, ErrorClass::Permanent) => Override::Permanent,
            (None, ErrorClass::Sim) => return None,
            (None, _) => Override::Temporary,
        };
        let said = |what: &str, permanent| Reason::new(what, failure.to_string(), permanent);
        Some(match class {
            Override::Temporary => {
                Outcome::Retry { after: self.patience.refused(message), reason: said("carrier_busy", false) }
            }
            Override::Throttled => Outcome::Throttled(said("carrier_busy", false)),
            Override::Accepted => self.taken(message, "".into()),
            Override::Permanent => {
                self.patience.decided(message);
                Outcome::Refused(said("carrier_refused", true))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use at::{CmeError, CmsError};
    use model::id::Uuid;

    use super::*;

    const MESSAGE: MessageId = MessageId(Uuid::nil());

    fn refused(more: &str, failure: Failure) -> Option<Outcome> {
        let text = format!("id = \"m\"\nprotocol = \"modem\"\naddress = \"/dev/x\"\n{more}");
        Answers::new(&toml::from_str(&text).unwrap()).refused(MESSAGE, &failure)
    }

    #[test]
    fn errors_become_outcomes() {
        let Some(Outcome::Refused(reason)) = refused("", Failure::Cms(CmsError(1))) else { panic!("not refused") };
        assert_eq!((&*reason.code, &*reason.detail), ("carrier_refused", "CMS error 1 (unassigned number)"));
        for temporary in [Failure::Cms(CmsError(38)), Failure::Plain, Failure::Cms(CmsError(500)), Failure::TimedOut] {
            assert!(matches!(refused("", temporary), Some(Outcome::Retry { .. })));
        }
        assert_eq!(refused("", Failure::Cme(CmeError(10))), None);
        let more = "status_overrides = { \"500\" = \"permanent\", \"21\" = \"throttled\" }";
        assert!(matches!(refused(more, Failure::Cms(CmsError(500))), Some(Outcome::Refused(_))));
        assert!(matches!(refused(more, Failure::Cms(CmsError(21))), Some(Outcome::Throttled(_))));
    }
}
