//! Errors of modems: `+CMS ERROR` (3GPP 27.005 §3.2.5) and `+CME ERROR` (27.007 §9.2).

use std::fmt;

/// What an error means for the one who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// It will be refused again.
    Permanent,
    /// It may work later.
    Temporary,
    /// The SIM can't be used: missing, locked or broken.
    Sim,
    /// The address of the SMSC is missing.
    Smsc,
    /// The modem itself is in trouble, and a reset may help.
    Modem,
    /// The store for messages is full.
    Full,
    /// Nobody knows.
    Unknown,
}

/// The number of a `+CMS ERROR`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CmsError(pub u16);

/// The number of a `+CME ERROR`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CmeError(pub u16);

/// How a command failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// `ERROR`, and nothing more.
    #[error("ERROR")]
    Plain,
    /// `+CMS ERROR: n`.
    #[error("CMS error {0}")]
    Cms(CmsError),
    /// `+CME ERROR: n`.
    #[error("CME error {0}")]
    Cme(CmeError),
    /// An error in words.
    #[error("{0}")]
    Words(String),
    /// It did not answer.
    #[error("no answer in time")]
    TimedOut,
}

impl Failure {
    /// What it means.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Cms(error) => error.class(),
            Self::Cme(error) => error.class(),
            Self::Plain | Self::Words(_) => ErrorClass::Unknown,
            Self::TimedOut => ErrorClass::Modem,
        }
    }
}

/// Numbers, their meaning in words, and their class.
type Table = &'static [(u16, ErrorClass, &'static str)];

use ErrorClass::{Full, Modem, Permanent, Sim, Smsc, Temporary, Unknown};

const CMS: Table = &[
    (1, Permanent, "unassigned number"),
    (8, Permanent, "operator determined barring"),
    (10, Permanent, "call barred"),
    (17, Temporary, "network failure"),
    (21, Temporary, "short message transfer rejected"),
    (22, Temporary, "congestion"),
    (27, Temporary, "destination out of service"),
    (28, Permanent, "unidentified subscriber"),
    (29, Permanent, "facility rejected"),
    (30, Permanent, "unknown subscriber"),
    (38, Temporary, "network out of order"),
    (41, Temporary, "temporary failure"),
    (42, Temporary, "congestion"),
    (47, Temporary, "resources unavailable"),
    (50, Permanent, "requested facility not subscribed"),
    (69, Permanent, "requested facility not implemented"),
    (81, Temporary, "invalid short message transfer reference"),
    (95, Temporary, "semantically incorrect message"),
    (96, Temporary, "invalid mandatory information"),
    (97, Temporary, "message type non-existent"),
    (98, Temporary, "message not compatible with protocol state"),
    (99, Temporary, "information element non-existent"),
    (111, Temporary, "protocol error"),
    (127, Temporary, "interworking"),
    (128, Permanent, "telematic interworking not supported"),
    (129, Permanent, "short message type 0 not supported"),
    (130, Permanent, "cannot replace short message"),
    (143, Permanent, "unspecified TP-PID error"),
    (144, Permanent, "alphabet not supported"),
    (145, Permanent, "message class not supported"),
    (159, Permanent, "unspecified TP-DCS error"),
    (160, Permanent, "command cannot be actioned"),
    (161, Permanent, "command unsupported"),
    (175, Permanent, "unspecified TP-Command error"),
    (176, Permanent, "TPDU not supported"),
    (192, Temporary, "SC busy"),
    (193, Permanent, "no SC subscription"),
    (194, Temporary, "SC system failure"),
    (195, Permanent, "invalid SME address"),
    (196, Permanent, "destination SME barred"),
    (197, Permanent, "SM rejected: duplicate SM"),
    (198, Permanent, "TP-VPF not supported"),
    (199, Permanent, "TP-VP not supported"),
    (208, Full, "SIM SMS storage full"),
    (209, Sim, "no SMS storage capability in SIM"),
    (210, Temporary, "error in MS"),
    (211, Temporary, "memory capacity exceeded"),
    (212, Temporary, "SIM application toolkit busy"),
    (213, Temporary, "SIM data download error"),
    (255, Unknown, "unspecified error"),
    (300, Modem, "ME failure"),
    (301, Temporary, "SMS service of ME reserved"),
    (302, Modem, "operation not allowed"),
    (303, Permanent, "operation not supported"),
    (304, Permanent, "invalid PDU mode parameter"),
    (305, Permanent, "invalid text mode parameter"),
    (310, Sim, "SIM not inserted"),
    (311, Sim, "SIM PIN required"),
    (312, Sim, "PH-SIM PIN required"),
    (313, Sim, "SIM failure"),
    (314, Temporary, "SIM busy"),
    (315, Sim, "SIM wrong"),
    (316, Sim, "SIM PUK required"),
    (317, Sim, "SIM PIN2 required"),
    (318, Sim, "SIM PUK2 required"),
    (320, Modem, "memory failure"),
    (321, Permanent, "invalid memory index"),
    (322, Full, "memory full"),
    (330, Smsc, "SMSC address unknown"),
    (331, Temporary, "no network service"),
    (332, Temporary, "network timeout"),
    (340, Permanent, "no +CNMA acknowledgement expected"),
    (500, Temporary, "unknown error"),
    (512, Temporary, "user abort, or weak signal"),
    (513, Temporary, "unable to store"),
    (514, Permanent, "invalid status"),
    (515, Temporary, "please wait, or an invalid character in an address"),
    (516, Permanent, "invalid length"),
    (517, Permanent, "invalid character in PDU"),
    (521, Temporary, "timer expired"),
    (532, Sim, "SIM not ready"),
    (535, Temporary, "protocol stack busy"),
    (538, Permanent, "invalid parameter"),
];

const CME: Table = &[
    (0, Modem, "phone failure"),
    (1, Modem, "no connection to phone"),
    (2, Modem, "phone-adaptor link reserved"),
    (3, Permanent, "operation not allowed"),
    (4, Permanent, "operation not supported"),
    (5, Sim, "PH-SIM PIN required"),
    (10, Sim, "SIM not inserted"),
    (11, Sim, "SIM PIN required"),
    (12, Sim, "SIM PUK required"),
    (13, Sim, "SIM failure"),
    (14, Temporary, "SIM busy"),
    (15, Sim, "SIM wrong"),
    (16, Sim, "incorrect password"),
    (17, Sim, "SIM PIN2 required"),
    (18, Sim, "SIM PUK2 required"),
    (20, Full, "memory full"),
    (21, Permanent, "invalid index"),
    (22, Permanent, "not found"),
    (23, Modem, "memory failure"),
    (24, Permanent, "text string too long"),
    (25, Permanent, "invalid characters in text string"),
    (26, Permanent, "dial string too long"),
    (27, Permanent, "invalid characters in dial string"),
    (30, Temporary, "no network service"),
    (31, Temporary, "network timeout"),
    (32, Temporary, "network not allowed, emergency calls only"),
    (40, Sim, "network personalisation PIN required"),
    (100, Unknown, "unknown"),
    (103, Sim, "illegal MS"),
    (106, Sim, "illegal ME"),
    (107, Temporary, "GPRS services not allowed"),
    (111, Temporary, "PLMN not allowed"),
    (112, Temporary, "location area not allowed"),
    (113, Temporary, "roaming not allowed in this location area"),
    (515, Temporary, "please wait"),
];

fn find(table: Table, number: u16) -> Option<&'static (u16, ErrorClass, &'static str)> {
    table.iter().find(|(known, ..)| *known == number)
}

impl CmsError {
    /// What it means for a message. Failure causes of the SMSC that are not known (128 to 255) are final,
    /// as 3GPP 23.040 §9.2.3.22 has most of them.
    #[must_use]
    pub fn class(self) -> ErrorClass {
        match find(CMS, self.0) {
            Some((_, class, _)) => *class,
            None if (128..=255).contains(&self.0) => Permanent,
            None => Unknown,
        }
    }

    /// What the standard calls it.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        find(CMS, self.0).map(|(_, _, name)| *name)
    }
}

impl CmeError {
    /// What it means.
    #[must_use]
    pub fn class(self) -> ErrorClass {
        match find(CME, self.0) {
            Some((_, class, _)) => *class,
            None if (41..=48).contains(&self.0) => Sim,
            None => Unknown,
        }
    }

    /// What the standard calls it.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        find(CME, self.0).map(|(_, _, name)| *name)
    }
}

impl fmt::Display for CmsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_named(self.0, self.name(), formatter)
    }
}

impl fmt::Display for CmeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_named(self.0, self.name(), formatter)
    }
}

fn write_named(number: u16, name: Option<&str>, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    match name {
        Some(name) => write!(formatter, "{number} ({name})"),
        None => write!(formatter, "{number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_in_order_and_have_no_number_twice() {
        for table in [CMS, CME] {
            assert!(table.windows(2).all(|pair| pair[0].0 < pair[1].0));
        }
    }

    #[test]
    fn numbers_have_names_and_classes() {
        assert_eq!(CmsError(38).to_string(), "38 (network out of order)");
        assert_eq!((CmsError(38).class(), CmsError(310).class()), (Temporary, Sim));
        assert_eq!((CmsError(200).class(), CmsError(600).class()), (Permanent, Unknown));
        assert_eq!((CmeError(16).class(), CmeError(45).class()), (Sim, Sim));
        assert_eq!(CmeError(999).to_string(), "999");
    }
}
