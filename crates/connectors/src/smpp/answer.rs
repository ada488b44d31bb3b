//! What an answer to a submission means for its part. Pure.

use engine::dispatch::Outcome;
use model::resources::set::parse_status;
use model::resources::{Connector, StatusClass as Override};
use model::{MessageId, Reason};
use smpp::{CommandStatus, StatusClass};

use crate::patience::Patience;

/// How an answer is to be taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The end of the part.
    pub outcome: Outcome,
    /// The session is not what it seems: bind again.
    pub rebind: bool,
}

/// The rules of one connector, and how often its SMSC refused messages for now.
#[derive(Debug, Default)]
pub struct Answers {
    overrides: Vec<(u32, Override)>,
    patience: Patience,
}

impl Answers {
    /// Rules by a connector's settings. Overrides that are no numbers are left out; they were
    /// reported when the settings were checked.
    #[must_use]
    pub fn new(connector: &Connector) -> Self {
        let overrides = connector.status_overrides.iter();
        let overrides = overrides.filter_map(|(status, class)| Some((parse_status(status)?, *class)));
        Self { overrides: overrides.collect(), patience: Patience::default() }
    }

    /// What `status` means for a part of `message`. `message_id` is what the answer calls it.
    pub fn judge(&mut self, message: MessageId, status: CommandStatus, message_id: &[u8]) -> Verdict {
        let mut rebind = false;
        let class = match self.overrides.iter().find(|(number, _)| *number == status.0) {
            Some((_, class)) => *class,
            None => match status.class() {
                StatusClass::Ok => Override::Accepted,
                StatusClass::Permanent => Override::Permanent,
                StatusClass::Throttled | StatusClass::QueueFull => Override::Throttled,
                StatusClass::Rebind => {
                    rebind = true;
                    Override::Temporary
                }
                StatusClass::Temporary | StatusClass::AlreadyBound | StatusClass::Config | StatusClass::Unknown => {
                    Override::Temporary
                }
            },
        };
        let outcome = match class {
            Override::Accepted => Outcome::Sent { remote_id: String::from_utf8_lossy(message_id).into() },
            Override::Permanent => Outcome::Refused(reason("carrier_refused", status, true)),
            Override::Throttled => Outcome::Throttled(reason("carrier_busy", status, false)),
            Override::Temporary => {
                Outcome::Retry { after: self.patience.refused(message), reason: reason("carrier_busy", status, false) }
            }
        };
        if class != Override::Temporary {
            self.patience.decided(message);
        }
        Verdict { outcome, rebind }
    }

    /// A generic_nack: the SMSC did not even read the request, whatever status it gives.
    pub fn judge_nack(&mut self, message: MessageId, status: CommandStatus) -> Verdict {
        let status = if status.is_ok() { CommandStatus::RUNKNOWNERR } else { status };
        self.judge(message, status, b"")
    }
}

fn reason(code: &str, status: CommandStatus, permanent: bool) -> Reason {
    Reason { smpp_status: Some(status.0), ..Reason::new(code, detail(status), permanent) }
}

/// A status for people: its number, and what the standard calls it.
pub(super) fn detail(status: CommandStatus) -> String {
    match (status.name(), status.meaning()) {
        (Some(name), Some(meaning)) => format!("0x{:08X} {name}: {meaning}", status.0),
        _ => format!("0x{:08X}", status.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smpp::samples::{connector, message_id};

    fn judge(status: u32) -> Verdict {
        Answers::new(&connector("")).judge(message_id(1), CommandStatus(status), b"60edc86a")
    }

    #[test]
    fn statuses_become_outcomes() {
        assert_eq!(judge(0).outcome, Outcome::Sent { remote_id: "60edc86a".into() });
        let Outcome::Refused(reason) = judge(0x0B).outcome else { panic!("not refused") };
        assert_eq!(&*reason.detail, "0x0000000B ESME_RINVDSTADR: destination address is invalid");
        assert_eq!((&*reason.code, reason.smpp_status, reason.permanent), ("carrier_refused", Some(11), true));
        for busy in [0x58, 0x14] {
            assert!(matches!(judge(busy).outcome, Outcome::Throttled(reason) if !reason.permanent), "{busy:#x}");
        }
        for temporary in [0x08, 0x64, 0xFF, 0x05] {
            assert!(matches!(judge(temporary).outcome, Outcome::Retry { .. }), "{temporary:#x}");
        }
        assert!(judge(0x04).rebind && !judge(0x08).rebind);
        let Outcome::Refused(vendor) = judge(0x412).outcome else { panic!("not refused") };
        assert_eq!(&*vendor.detail, "0x00000412");
    }

    #[test]
    fn a_connector_may_see_it_differently() {
        let settings = connector(
            r#"status_overrides = { "0x45" = "temporary", "1042" = "throttled", "0x0000000c" = "accepted", "bad" = "permanent" }"#,
        );
        let mut answers = Answers::new(&settings);
        let mut outcome = |status| answers.judge(message_id(1), CommandStatus(status), b"").outcome;
        assert!(matches!(outcome(0x45), Outcome::Retry { .. }));
        assert!(matches!(outcome(1042), Outcome::Throttled(_)));
        assert_eq!(outcome(12), Outcome::Sent { remote_id: "".into() });
    }

    #[test]
    fn a_nack_never_means_accepted() {
        let mut answers = Answers::new(&connector(""));
        assert!(matches!(answers.judge_nack(message_id(1), CommandStatus::ROK).outcome, Outcome::Retry { .. }));
        assert!(matches!(answers.judge_nack(message_id(1), CommandStatus::RINVCMDLEN).outcome, Outcome::Refused(_)));
    }
}
