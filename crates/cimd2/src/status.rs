//! What became of a message: parameters 061 and 062 of status reports and enquiries.

use std::fmt;

/// The state of a message (061). Codes that nobody defined are kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct StatusCode(pub u8);

/// Why a message has not been delivered (062). Codes that nobody defined are kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct StatusError(pub u16);

macro_rules! meanings {
    ($type:ident: $($name:ident = $number:literal, $text:literal;)*) => {
        impl $type {
            $(#[doc = concat!($text, " (", $number, ")")]
            pub const $name: Self = Self($number);)*

            /// What it means, in plain words; `None` for codes that nobody defined.
            #[must_use]
            pub fn meaning(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some($text),)*
                    _ => None,
                }
            }

            /// Every code that is defined, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.meaning() {
                    Some(meaning) => write!(f, "{} ({meaning})", self.0),
                    None => write!(f, "{}", self.0),
                }
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

meanings! { StatusCode:
    UNAVAILABLE = 0, "no status available";
    IN_PROCESS = 1, "in process";
    EXPIRED = 2, "validity period expired";
    FAILED = 3, "delivery failed";
    DELIVERED = 4, "delivered";
    NO_RESPONSE = 5, "no response";
    LAST_NO_RESPONSE = 6, "no response to the last attempt";
    CANCELLED = 7, "cancelled";
    DELETED = 8, "deleted";
    DELETED_BY_CANCEL = 9, "deleted by cancel";
}

impl StatusCode {
    /// Whether nothing will follow: all but 0, 1 and 5, and codes that nobody defined.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self.0, 2..=4 | 6..=9)
    }
}

meanings! { StatusError:
    NONE = 0, "no error";
    UNKNOWN_SUBSCRIBER = 1, "unknown subscriber";
    ILLEGAL_SUBSCRIBER = 9, "illegal subscriber";
    TELESERVICE = 11, "teleservice not provisioned";
    BARRED = 13, "call barred";
    CUG_REJECT = 15, "rejected by a closed user group";
    NO_SMS_IN_MS = 19, "the phone does not support SMS";
    MS_ERROR = 20, "error in the phone";
    FACILITY = 21, "facility not supported";
    MEMORY_FULL = 22, "memory capacity exceeded";
    ABSENT = 29, "absent subscriber";
    MS_BUSY = 30, "the phone is busy";
    NETWORK_FAILURE = 36, "network or protocol failure";
    ILLEGAL_EQUIPMENT = 44, "illegal equipment";
    NO_PAGING_RESPONSE = 60, "no paging response";
    GMSC_CONGESTION = 61, "GMSC congestion";
    HLR_TIMEOUT = 63, "HLR timeout";
    MSC_TIMEOUT = 64, "MSC or SGSN timeout";
    SMRSE_ERROR = 70, "SMRSE or TCP error";
    MT_CONGESTION = 72, "congestion towards phones";
    GPRS_SUSPENDED = 75, "GPRS suspended";
    NO_PAGING_MSC = 80, "no paging response via the MSC";
    IMSI_DETACHED = 81, "IMSI detached";
    ROAMING = 82, "roaming restriction";
    DEREGISTERED_GSM = 83, "deregistered in the HLR for GSM";
    PURGED_GSM = 84, "purged for GSM";
    NO_PAGING_SGSN = 85, "no paging response via the SGSN";
    GPRS_DETACHED = 86, "GPRS detached";
    DEREGISTERED_GPRS = 87, "deregistered in the HLR for GPRS";
    PURGED_GPRS = 88, "purged for GPRS";
    UNIDENTIFIED_MSC = 89, "unidentified subscriber via the MSC";
    UNIDENTIFIED_SGSN = 90, "unidentified subscriber via the SGSN";
    ORIGINATOR_CREDIT = 112, "the originator has no prepaid credit";
    DESTINATION_CREDIT = 113, "the destination has no prepaid credit";
    PREPAID_ERROR = 114, "error in the prepaid system";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meanings_and_ends() {
        assert_eq!(StatusCode::DELIVERED.to_string(), "4 (delivered)");
        assert_eq!(StatusError(29).meaning(), Some("absent subscriber"));
        assert_eq!(StatusError(500).to_string(), "500");
        let last: Vec<_> = (0..=10).filter(|&code| StatusCode(code).is_final()).collect();
        assert_eq!(last, [2, 3, 4, 6, 7, 8, 9]);
        assert!(StatusError::ALL.is_sorted() && StatusCode::ALL.len() == 10);
    }
}
