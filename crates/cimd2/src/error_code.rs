//! Parameter 900: what a response says about its request.

use std::fmt;

use crate::parameter::unsigned;

/// An error code as on the wire; 0, or none at all, is success. Codes that nobody defined are kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct ErrorCode(pub u16);

/// What a client should make of an error code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// It worked.
    Ok,
    /// The same request will fail again.
    Permanent,
    /// The same request may work later.
    Temporary,
    /// Slow down, then repeat the same request (10).
    Throttled,
    /// The SMSC does not let us in now, for there are other sessions of ours or for no reason that it names: wait for
    /// longer than half a minute, then log in again (102, 103).
    LoginLater,
    /// Credentials or settings are wrong: retry slowly, tell a person.
    Config,
    /// It may be permanent, or mean that one number got too many messages in a short time: repeat a few times only (9).
    Unknown,
}

macro_rules! errors {
    ($($name:ident = $number:literal, $class:ident, $text:literal;)*) => {
        impl ErrorCode {
            $(#[doc = concat!($text, " (", $number, ")")]
            pub const $name: Self = Self($number);)*

            /// Its name, such as `SUBMIT_DCS`; `None` for codes that nobody defined.
            #[must_use]
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some(stringify!($name)),)*
                    _ => None,
                }
            }

            /// What it means, in plain words; `None` for codes that nobody defined.
            #[must_use]
            pub fn meaning(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some($text),)*
                    _ => None,
                }
            }

            /// What a client should make of it. Unknown codes count as permanent: connectors override them by
            /// configuration.
            #[must_use]
            pub fn class(self) -> ErrorClass {
                match self.0 {
                    $($number => ErrorClass::$class,)*
                    _ => ErrorClass::Permanent,
                }
            }

            /// Every code that is defined, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

errors! {
    OK = 0, Ok, "no error";
    UNEXPECTED_OPERATION = 1, Permanent, "unexpected operation";
    SYNTAX = 2, Permanent, "syntax error";
    UNSUPPORTED_PARAMETER = 3, Permanent, "unsupported parameter";
    CONNECTION_LOST = 4, Temporary, "connection to the SMSC lost";
    NO_RESPONSE = 5, Temporary, "no response from the SMSC";
    SYSTEM_ERROR = 6, Temporary, "general system error";
    NOT_FOUND = 7, Permanent, "cannot find information";
    PARAMETER_FORMAT = 8, Permanent, "parameter formatting error";
    FAILED = 9, Unknown, "requested operation failed";
    CONGESTION = 10, Throttled, "temporary congestion";
    LOGIN_INVALID = 100, Config, "login is invalid";
    LOGIN_ACCESS_TYPE = 101, Config, "access type is incorrect";
    LOGIN_TOO_MANY = 102, LoginLater, "too many users with this login";
    LOGIN_REFUSED = 103, LoginLater, "login refused";
    LOGIN_WINDOW = 104, Config, "window size is invalid";
    LOGIN_WINDOWING_DISABLED = 105, Config, "windowing is disabled";
    LOGIN_BARRED = 106, Config, "virtual SMSC barring";
    LOGIN_SUBADDRESS = 107, Config, "subaddress is invalid";
    LOGIN_ALIAS = 108, Config, "login of an alias account refused";
    SUBMIT_DESTINATION = 300, Permanent, "destination address is invalid";
    SUBMIT_DESTINATIONS = 301, Permanent, "number of destinations is invalid";
    SUBMIT_USER_DATA = 302, Permanent, "syntax error in user data";
    SUBMIT_COMBINATION = 303, Permanent, "text, binary data and header do not go together";
    SUBMIT_DCS = 304, Permanent, "data coding scheme is invalid";
    SUBMIT_VALIDITY = 305, Permanent, "validity period is invalid";
    SUBMIT_ORIGINATOR = 306, Permanent, "originating address is invalid";
    SUBMIT_PROTOCOL_ID = 307, Permanent, "protocol identifier is invalid";
    SUBMIT_FIRST_DELIVERY = 308, Permanent, "first delivery time is invalid";
    SUBMIT_REPLY_PATH = 309, Permanent, "reply path is invalid";
    SUBMIT_STATUS_REPORTS = 310, Permanent, "status report request is invalid";
    SUBMIT_CANCEL_ENABLED = 311, Permanent, "cancel enabled is invalid";
    SUBMIT_PRIORITY = 312, Permanent, "priority is invalid";
    SUBMIT_TARIFF = 313, Permanent, "tariff class is invalid";
    SUBMIT_SERVICE_DESCRIPTION = 314, Permanent, "service description is invalid";
    SUBMIT_TRANSPORT_TYPE = 315, Permanent, "transport type is invalid";
    SUBMIT_MESSAGE_TYPE = 316, Permanent, "message type is invalid";
    SUBMIT_MORE_MESSAGES = 318, Permanent, "more messages to send is invalid";
    SUBMIT_OPERATION_TIMER = 319, Permanent, "operation timer is invalid";
    SUBMIT_DIALOGUE_ID = 320, Permanent, "dialogue id is invalid";
    SUBMIT_ALPHA_USAGE = 321, Permanent, "an alphanumeric originator is not allowed";
    SUBMIT_ALPHA_ORIGINATOR = 322, Permanent, "alphanumeric originating address is invalid";
    ENQUIRE_ADDRESS = 400, Permanent, "address is invalid";
    ENQUIRE_TIMESTAMP = 401, Permanent, "service center time stamp is invalid";
    DELIVERY_REQUEST_TIMESTAMP = 500, Permanent, "service center time stamp is invalid";
    DELIVERY_REQUEST_MODE = 501, Permanent, "delivery request mode is invalid";
    DELIVERY_REQUEST_COMBINATION = 502, Permanent, "parameters of the delivery request do not go together";
    CANCEL_TIMESTAMP = 600, Permanent, "service center time stamp is invalid";
    CANCEL_ADDRESS = 601, Permanent, "address is invalid";
    CANCEL_MODE = 602, Permanent, "cancel mode is invalid";
    CANCEL_COMBINATION = 603, Permanent, "parameters of the cancel do not go together";
    SET_PASSWORD_FAILED = 800, Permanent, "changing the password failed";
    SET_PASSWORD_NOT_ALLOWED = 801, Permanent, "changing the password is not allowed";
    GET_UNSUPPORTED = 900, Permanent, "unsupported item requested";
}

impl ErrorCode {
    /// Reads the value of the parameter, with or without leading zeros. One that says "error" and can't be read is not
    /// success, but a general system error.
    #[must_use]
    pub fn from_wire(value: &[u8]) -> Self {
        let number = unsigned(value).and_then(|number| u16::try_from(number).ok());
        number.map_or(Self::SYSTEM_ERROR, Self)
    }

    /// Whether the request succeeded.
    #[must_use]
    pub const fn is_ok(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.meaning() {
            Some(meaning) => write!(f, "{} ({meaning})", self.0),
            None => write!(f, "{}", self.0),
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
    fn numbers_names_and_classes() {
        assert_eq!(ErrorCode(304).name(), Some("SUBMIT_DCS"));
        assert_eq!(ErrorCode(10).class(), ErrorClass::Throttled);
        assert_eq!(ErrorCode(102).class(), ErrorClass::LoginLater);
        assert_eq!(ErrorCode(9).to_string(), "9 (requested operation failed)");
        assert_eq!((ErrorCode(317).to_string(), ErrorCode(317).class()), ("317".into(), ErrorClass::Permanent));
        assert!(ErrorCode::ALL.is_sorted());
    }
}
