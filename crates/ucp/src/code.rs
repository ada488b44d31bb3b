//! Error codes: what a negative result says about its operation (the EC field).

use std::fmt;

/// An EC as on the wire, 0–99. Numbers that nobody defined are kept; 0 stands for one that could not be read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct ErrorCode(pub u8);

/// What a client should make of an error code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// The same operation will fail again.
    Permanent,
    /// The same operation may work later.
    Temporary,
    /// Often the only way that an SMSC has to say "slow down" (04): pause, then repeat the same operation
    /// a limited number of times, since it may mean just what it says.
    Throttled,
    /// Credentials or settings are wrong: retry slowly, tell a person.
    Config,
    /// Nobody knows what it means: repeat a few times only.
    Unknown,
}

macro_rules! codes {
    ($($name:ident = $number:literal, $class:ident, $text:literal;)*) => {
        impl ErrorCode {
            $(#[doc = concat!("EC ", stringify!($number), ": ", $text, ".")]
            pub const $name: Self = Self($number);)*

            /// What it means, in plain words; `None` for numbers that the standard does not define.
            #[must_use]
            pub fn meaning(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some($text),)*
                    _ => None,
                }
            }

            /// What a client should make of it, without regard to what it asked. Proprietary numbers count
            /// as permanent: connectors override them by configuration.
            #[must_use]
            pub fn class(self) -> ErrorClass {
                match self.0 {
                    $($number => ErrorClass::$class,)*
                    90..=99 => ErrorClass::Permanent,
                    _ => ErrorClass::Unknown,
                }
            }

            /// Every code that the standard defines, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

codes! {
    CHECKSUM = 1, Temporary, "checksum error";
    SYNTAX = 2, Permanent, "syntax error";
    NOT_SUPPORTED = 3, Permanent, "operation not supported by the system";
    NOT_ALLOWED = 4, Throttled, "operation not allowed";
    CALL_BARRING = 5, Permanent, "call barring active";
    ADC_INVALID = 6, Permanent, "AdC invalid";
    AUTHENTICATION = 7, Config, "authentication failure";
    CODE_FOR_CALLS = 8, Permanent, "legitimisation code for all calls failed";
    GA_INVALID = 9, Permanent, "GA not valid";
    REPETITION = 10, Permanent, "repetition not allowed";
    CODE_FOR_REPETITION = 11, Permanent, "legitimisation code for repetition failed";
    PRIORITY = 12, Permanent, "priority call not allowed";
    CODE_FOR_PRIORITY = 13, Permanent, "legitimisation code for priority call failed";
    URGENT = 14, Permanent, "urgent message not allowed";
    CODE_FOR_URGENT = 15, Permanent, "legitimisation code for urgent message failed";
    REVERSE_CHARGING = 16, Permanent, "reverse charging not allowed";
    CODE_FOR_REVERSE_CHARGING = 17, Permanent, "legitimisation code for reverse charging failed";
    DEFERRED_DELIVERY = 18, Permanent, "deferred delivery not allowed";
    NEW_AC_INVALID = 19, Permanent, "new AC not valid";
    NEW_CODE_INVALID = 20, Permanent, "new legitimisation code not valid";
    STANDARD_TEXT_INVALID = 21, Permanent, "standard text not valid";
    TIME_PERIOD_INVALID = 22, Permanent, "time period not valid";
    TYPE_NOT_SUPPORTED = 23, Permanent, "message type not supported by the system";
    TOO_LONG = 24, Permanent, "message too long";
    REQUESTED_TEXT_INVALID = 25, Permanent, "requested standard text not valid";
    TYPE_INVALID = 26, Permanent, "message type not valid for the pager type";
    NOT_FOUND = 27, Permanent, "message not found in the SMSC";
    CHARACTER_SET = 28, Permanent, "invalid character set";
    HANG_UP = 30, Permanent, "subscriber hang-up";
    FAX_GROUP = 31, Permanent, "fax group not supported";
    FAX_TYPE = 32, Permanent, "fax message type not supported";
    ALREADY_IN_LIST = 33, Permanent, "address already in list";
    NOT_IN_LIST = 34, Permanent, "address not in list";
    LIST_FULL = 35, Permanent, "list full, cannot add address";
    RPID_IN_USE = 36, Permanent, "RPID already in use";
    DELIVERY_IN_PROGRESS = 37, Temporary, "delivery in progress";
    FORWARDED = 38, Permanent, "message forwarded";
    LOW_NETWORK = 50, Temporary, "low network status";
    PARTLY_SUCCESSFUL = 51, Permanent, "partially successful";
    PARTLY_SUCCESSFUL_53 = 53, Permanent, "partially successful";
    NOT_SUCCESSFUL = 54, Temporary, "not successful";
    SYSTEM = 55, Temporary, "system error";
    LIST_57 = 57, Permanent, "address list error";
    LIST_58 = 58, Permanent, "address list error";
    LIST_59 = 59, Permanent, "address list error";
    LIST_60 = 60, Permanent, "address list error";
    LIST_61 = 61, Permanent, "address list error";
    LIST_62 = 62, Permanent, "address list error";
    LIST_63 = 63, Permanent, "address list error";
    LIST_64 = 64, Permanent, "address list error";
    LIST_65 = 65, Permanent, "address list error";
    LIST_66 = 66, Permanent, "address list error";
    LIST_67 = 67, Permanent, "address list error";
    LIST_68 = 68, Permanent, "address list error";
    LIST_69 = 69, Permanent, "address list error";
}

impl ErrorCode {
    /// Whether it is in the range that SMSCs may define (90–99).
    #[must_use]
    pub const fn is_proprietary(self) -> bool {
        self.0 >= 90 && self.0 <= 99
    }

    /// What a client should make of it as the answer to its login: 04 is then a refusal, too.
    #[must_use]
    pub fn class_of_login(self) -> ErrorClass {
        match self {
            Self::NOT_ALLOWED => ErrorClass::Config,
            other => other.class(),
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.meaning() {
            Some(meaning) => write!(f, "{:02} ({meaning})", self.0),
            None => write!(f, "{:02}", self.0),
        }
    }
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_meanings_and_classes() {
        assert_eq!(ErrorCode(24).to_string(), "24 (message too long)");
        assert_eq!(ErrorCode(29).to_string(), "29");
        assert_eq!(ErrorCode(4).class(), ErrorClass::Throttled);
        assert_eq!(ErrorCode(4).class_of_login(), ErrorClass::Config);
        assert_eq!(ErrorCode(7).class_of_login(), ErrorClass::Config);
        assert_eq!(ErrorCode(55).class(), ErrorClass::Temporary);
        assert_eq!(ErrorCode(6).class(), ErrorClass::Permanent);
        assert_eq!(ErrorCode(95).class(), ErrorClass::Permanent);
        assert!(ErrorCode(95).is_proprietary() && !ErrorCode(89).is_proprietary());
        assert_eq!(ErrorCode(0).class(), ErrorClass::Unknown);
        assert!(ErrorCode::ALL.is_sorted());
    }
}
