//! command_status: what a response says about its request (SMPP 3.4 §5.1.3, 5.0 §4.7.6).

use std::fmt;

/// A command_status as on the wire. Numbers that nobody defined are kept, and shown in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct CommandStatus(pub u32);

/// What a client should make of a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatusClass {
    /// It worked.
    Ok,
    /// The same request will fail again.
    Permanent,
    /// The same request may work later.
    Temporary,
    /// Slow down, then repeat the same request (ESME_RTHROTTLED).
    Throttled,
    /// The peer's queue is full: pause, then repeat the same request (ESME_RMSGQFUL).
    QueueFull,
    /// The session is not what it seems: bind again, then repeat.
    Rebind,
    /// The peer still holds an older session of ours: wait, then bind again (ESME_RALYBND).
    AlreadyBound,
    /// Credentials or settings are wrong: retry slowly, tell a person.
    Config,
    /// Nobody knows what it means (ESME_RUNKNOWNERR): repeat a few times only.
    Unknown,
}

macro_rules! statuses {
    ($($name:ident = $number:literal, $class:ident, $text:literal;)*) => {
        impl CommandStatus {
            $(#[doc = concat!($text, " (ESME_", stringify!($name), ")")]
            pub const $name: Self = Self($number);)*

            /// The name in the standard, such as `ESME_RTHROTTLED`; `None` for numbers it does not define.
            #[must_use]
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some(concat!("ESME_", stringify!($name))),)*
                    _ => None,
                }
            }

            /// What it means, in plain words; `None` for numbers that the standard does not define.
            #[must_use]
            pub fn meaning(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some($text),)*
                    _ => None,
                }
            }

            /// What a client should make of it. Vendor and unknown numbers count as permanent:
            /// connectors override them by configuration.
            #[must_use]
            pub fn class(self) -> StatusClass {
                match self.0 {
                    $($number => StatusClass::$class,)*
                    _ => StatusClass::Permanent,
                }
            }

            /// Every status that the standard defines, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

statuses! {
    ROK = 0x00, Ok, "no error";
    RINVMSGLEN = 0x01, Permanent, "message length is invalid";
    RINVCMDLEN = 0x02, Permanent, "command length is invalid";
    RINVCMDID = 0x03, Permanent, "command id is unknown";
    RINVBNDSTS = 0x04, Rebind, "wrong bind state for this command";
    RALYBND = 0x05, AlreadyBound, "already bound";
    RINVPRTFLG = 0x06, Permanent, "priority flag is invalid";
    RINVREGDLVFLG = 0x07, Permanent, "registered delivery flag is invalid";
    RSYSERR = 0x08, Temporary, "system error";
    RINVSRCADR = 0x0A, Permanent, "source address is invalid";
    RINVDSTADR = 0x0B, Permanent, "destination address is invalid";
    RINVMSGID = 0x0C, Permanent, "message id is unknown";
    RBINDFAIL = 0x0D, Temporary, "bind failed";
    RINVPASWD = 0x0E, Config, "password is wrong";
    RINVSYSID = 0x0F, Config, "system id is unknown";
    RCANCELFAIL = 0x11, Permanent, "cancel failed";
    RREPLACEFAIL = 0x13, Permanent, "replace failed";
    RMSGQFUL = 0x14, QueueFull, "message queue is full";
    RINVSERTYP = 0x15, Permanent, "service type is invalid";
    RINVNUMDESTS = 0x33, Permanent, "number of destinations is invalid";
    RINVDLNAME = 0x34, Permanent, "distribution list is unknown";
    RINVDESTFLAG = 0x40, Permanent, "destination flag is invalid";
    RINVSUBREP = 0x42, Permanent, "submit with replace is not possible";
    RINVESMCLASS = 0x43, Permanent, "esm_class is invalid";
    RCNTSUBDL = 0x44, Permanent, "cannot submit to a distribution list";
    RSUBMITFAIL = 0x45, Permanent, "submit failed";
    RINVSRCTON = 0x48, Permanent, "source type of number is invalid";
    RINVSRCNPI = 0x49, Permanent, "source numbering plan is invalid";
    RINVDSTTON = 0x50, Permanent, "destination type of number is invalid";
    RINVDSTNPI = 0x51, Permanent, "destination numbering plan is invalid";
    RINVSYSTYP = 0x53, Config, "system type is invalid";
    RINVREPFLAG = 0x54, Permanent, "replace_if_present flag is invalid";
    RINVNUMMSGS = 0x55, Permanent, "number of messages is invalid";
    RTHROTTLED = 0x58, Throttled, "throttled: too many messages";
    RINVSCHED = 0x61, Permanent, "scheduled delivery time is invalid";
    RINVEXPIRY = 0x62, Permanent, "validity period is invalid";
    RINVDFTMSGID = 0x63, Permanent, "predefined message is unknown";
    RX_T_APPN = 0x64, Temporary, "temporary error of the receiving application";
    RX_P_APPN = 0x65, Permanent, "permanent error of the receiving application";
    RX_R_APPN = 0x66, Permanent, "the receiving application rejected the message";
    RQUERYFAIL = 0x67, Permanent, "query failed";
    RINVTLVSTREAM = 0xC0, Permanent, "TLVs cannot be read";
    RTLVNOTALLWD = 0xC1, Permanent, "TLV is not allowed";
    RINVTLVLEN = 0xC2, Permanent, "TLV has the wrong length";
    RMISSINGTLV = 0xC3, Permanent, "an expected TLV is missing";
    RINVTLVVAL = 0xC4, Permanent, "TLV has an invalid value";
    RDELIVERYFAILURE = 0xFE, Permanent, "delivery failed";
    RUNKNOWNERR = 0xFF, Unknown, "unknown error";
    RSERTYPUNAUTH = 0x100, Permanent, "not authorised for this service type";
    RPROHIBITED = 0x101, Permanent, "prohibited";
    RSERTYPUNAVAIL = 0x102, Permanent, "service type is unavailable";
    RSERTYPDENIED = 0x103, Permanent, "service type is denied";
    RINVDCS = 0x104, Permanent, "data coding is invalid";
    RINVSRCADDRSUBUNIT = 0x105, Permanent, "source address subunit is invalid";
    RINVDSTADDRSUBUNIT = 0x106, Permanent, "destination address subunit is invalid";
    RINVBCASTFREQINT = 0x107, Permanent, "broadcast frequency interval is invalid";
    RINVBCASTALIAS_NAME = 0x108, Permanent, "broadcast area alias is invalid";
    RINVBCASTAREAFMT = 0x109, Permanent, "broadcast area format is invalid";
    RINVNUMBCAST_AREAS = 0x10A, Permanent, "number of broadcast areas is invalid";
    RINVBCASTCNTTYPE = 0x10B, Permanent, "broadcast content type is invalid";
    RINVBCASTMSGCLASS = 0x10C, Permanent, "broadcast message class is invalid";
    RBCASTFAIL = 0x10D, Permanent, "broadcast failed";
    RBCASTQUERYFAIL = 0x10E, Permanent, "broadcast query failed";
    RBCASTCANCELFAIL = 0x10F, Permanent, "broadcast cancel failed";
    RINVBCAST_REP = 0x110, Permanent, "number of broadcast repetitions is invalid";
    RINVBCASTSRVGRP = 0x111, Permanent, "broadcast service group is invalid";
    RINVBCASTCHANIND = 0x112, Permanent, "broadcast channel is invalid";
}

impl CommandStatus {
    /// Whether the request succeeded.
    #[must_use]
    pub const fn is_ok(self) -> bool {
        self.0 == 0
    }

    /// Whether it is in the range that vendors may define (0x400–0x4FF).
    #[must_use]
    pub const fn is_vendor(self) -> bool {
        self.0 >= 0x400 && self.0 <= 0x4FF
    }
}

impl fmt::Display for CommandStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "0x{:08X}", self.0),
        }
    }
}

impl fmt::Debug for CommandStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_names_and_classes() {
        assert_eq!(CommandStatus(0x58).name(), Some("ESME_RTHROTTLED"));
        assert_eq!(CommandStatus(0x58).class(), StatusClass::Throttled);
        assert_eq!(CommandStatus::RMSGQFUL.class(), StatusClass::QueueFull);
        assert_eq!(CommandStatus::RINVPASWD.class(), StatusClass::Config);
        assert_eq!(CommandStatus(0x412).to_string(), "0x00000412");
        assert_eq!(CommandStatus(0x412).class(), StatusClass::Permanent);
        assert!(CommandStatus(0x412).is_vendor() && !CommandStatus(0x500).is_vendor());
        assert!(CommandStatus::ALL.is_sorted());
    }
}
