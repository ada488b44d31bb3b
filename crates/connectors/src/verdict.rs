//! What an SMSC's refusal means for its part, by the rules of a connector. Pure.

use engine::dispatch::Outcome;
use model::resources::set::parse_status;
use model::resources::{Connector, StatusClass};
use model::{MessageId, Reason};

use crate::patience::Patience;

/// The rules of one connector, and how often its SMSC refused messages for now.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    overrides: Vec<(u32, StatusClass)>,
    patience: Patience,
}

impl Verdicts {
    /// Rules by a connector's settings, whose `status_overrides` are the protocol's error codes.
    pub(crate) fn new(connector: &Connector) -> Self {
        let overrides = connector.status_overrides.iter();
        let overrides = overrides.filter_map(|(code, class)| Some((parse_status(code)?, *class)));
        Self { overrides: overrides.collect(), patience: Patience::default() }
    }

    /// It was taken, under this name.
    pub(crate) fn taken(&mut self, message: MessageId, remote_id: Box<str>) -> Outcome {
        self.patience.decided(message);
        Outcome::Sent { remote_id }
    }

    /// It was not. `class` is what the protocol says of this code, `detail` is for people.
    pub(crate) fn refused(&mut self, message: MessageId, code: u32, class: StatusClass, detail: String) -> Outcome {
        let class = self.overrides.iter().find(|(number, _)| *number == code).map_or(class, |(_, class)| *class);
        match class {
            StatusClass::Temporary => Outcome::Retry {
                after: self.patience.refused(message),
                reason: Reason::new("carrier_busy", detail, false),
            },
            StatusClass::Throttled => Outcome::Throttled(Reason::new("carrier_busy", detail, false)),
            StatusClass::Accepted => self.taken(message, "".into()),
            StatusClass::Permanent => {
                self.patience.decided(message);
                Outcome::Refused(Reason::new("carrier_refused", detail, true))
            }
        }
    }
}
