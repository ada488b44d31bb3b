//! Operation codes: the two digits that every packet starts with.

use std::fmt;

/// An operation code as on the wire, 0–99. A response has the code of its request and 50. Unknown codes are kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct OperationCode(pub u8);

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal;)*) => {
        impl OperationCode {
            $($(#[$doc])* pub const $name: Self = Self($code);)*

            /// The name of the operation, such as `submit`; `None` for unknown codes.
            #[must_use]
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($code => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

operations! {
    /// login, from the application
    LOGIN = 1, "login";
    /// logout, from the application
    LOGOUT = 2, "logout";
    /// submit message, from the application
    SUBMIT = 3, "submit";
    /// enquire message status, from the application
    ENQUIRE_STATUS = 4, "enquire_status";
    /// delivery request, from the application
    DELIVERY_REQUEST = 5, "delivery_request";
    /// cancel message, from the application
    CANCEL = 6, "cancel";
    /// set parameter, from the application
    SET = 8, "set";
    /// get parameter, from the application
    GET = 9, "get";
    /// deliver message, from the SMSC
    DELIVER = 20, "deliver";
    /// deliver status report, from the SMSC
    STATUS_REPORT = 23, "status_report";
    /// alive, from the application; taken from either side
    ALIVE = 40, "alive";
    /// login response
    LOGIN_RESP = 51, "login_resp";
    /// logout response
    LOGOUT_RESP = 52, "logout_resp";
    /// submit message response
    SUBMIT_RESP = 53, "submit_resp";
    /// enquire message status response
    ENQUIRE_STATUS_RESP = 54, "enquire_status_resp";
    /// delivery request response
    DELIVERY_REQUEST_RESP = 55, "delivery_request_resp";
    /// cancel message response
    CANCEL_RESP = 56, "cancel_resp";
    /// set parameter response
    SET_RESP = 58, "set_resp";
    /// get parameter response
    GET_RESP = 59, "get_resp";
    /// deliver message response
    DELIVER_RESP = 70, "deliver_resp";
    /// deliver status report response
    STATUS_REPORT_RESP = 73, "status_report_resp";
    /// alive response
    ALIVE_RESP = 90, "alive_resp";
    /// general error response: the packet was not understood
    GENERAL_ERROR = 98, "general_error";
    /// nack: the checksum or the number was wrong; it carries the number that was expected
    NACK = 99, "nack";
}

impl OperationCode {
    /// Whether it answers something: 50 and above. General errors and nacks count as answers.
    #[must_use]
    pub const fn is_response(self) -> bool {
        self.0 >= 50
    }

    /// The code that answers this request: 50 more, and a general error where there is no such code.
    #[must_use]
    pub fn response(self) -> Self {
        match self.0.checked_add(50) {
            Some(code @ 50..98) => Self(code),
            _ => Self::GENERAL_ERROR,
        }
    }
}

impl fmt::Display for OperationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "{:02}", self.0),
        }
    }
}

impl fmt::Debug for OperationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_has_its_response() {
        for code in 0..50 {
            let request = OperationCode(code);
            assert!(!request.is_response());
            if let Some(name) = request.name() {
                assert_eq!(request.response().name(), Some(format!("{name}_resp").as_str()));
            }
        }
        assert_eq!(OperationCode(48).response(), OperationCode::GENERAL_ERROR);
        assert_eq!(OperationCode(255).response(), OperationCode::GENERAL_ERROR);
        assert_eq!(OperationCode(7).to_string(), "07");
    }
}
