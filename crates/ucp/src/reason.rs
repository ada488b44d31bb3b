//! What a delivery notification (53) says: the status (Dst) and its reason (Rsn).

use std::fmt;

/// A Dst as on the wire: what became of the message. Unknown numbers are kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct DeliveryStatus(pub u8);

impl DeliveryStatus {
    /// The phone has it. The reason means nothing then.
    pub const DELIVERED: Self = Self(0);
    /// The SMSC keeps it and goes on trying; the reason says why it had to. Not final.
    pub const BUFFERED: Self = Self(1);
    /// It will not be delivered; the reason says why.
    pub const NOT_DELIVERED: Self = Self(2);

    /// A short name of the value; `None` if it has none.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::DELIVERED => Some("delivered"),
            Self::BUFFERED => Some("buffered"),
            Self::NOT_DELIVERED => Some("not delivered"),
            _ => None,
        }
    }

    /// Whether another notification for the same message may follow.
    #[must_use]
    pub const fn is_final(self) -> bool {
        self.0 == Self::DELIVERED.0 || self.0 == Self::NOT_DELIVERED.0
    }
}

impl From<u8> for DeliveryStatus {
    fn from(value: u8) -> Self {
        Self(value)
    }
}

impl From<DeliveryStatus> for u8 {
    fn from(value: DeliveryStatus) -> u8 {
        value.0
    }
}

impl fmt::Debug for DeliveryStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{}({name})", self.0),
            None => write!(f, "{}", self.0),
        }
    }
}

/// An Rsn as on the wire, 0–999: why a message is buffered or not delivered. Unknown numbers are kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Reason(pub u16);

macro_rules! reasons {
    ($($name:ident = $number:literal, $text:literal;)*) => {
        impl Reason {
            $(#[doc = concat!("Rsn ", stringify!($number), ": ", $text, ".")]
            pub const $name: Self = Self($number);)*

            /// What it means, in plain words; `None` for numbers that the standard does not define.
            #[must_use]
            pub fn meaning(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some($text),)*
                    1..=8 => Some("service temporarily not available"),
                    _ => None,
                }
            }

            /// Reasons with a meaning of their own, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

reasons! {
    UNKNOWN_SUBSCRIBER = 0, "unknown subscriber";
    ILLEGAL_ERROR_CODE = 9, "illegal error code";
    NETWORK_TIMEOUT = 10, "network time-out";
    FACILITY_NOT_SUPPORTED = 100, "facility not supported";
    UNKNOWN_SUBSCRIBER_101 = 101, "unknown subscriber";
    FACILITY_NOT_PROVIDED = 102, "facility not provided";
    CALL_BARRED = 103, "call barred";
    OPERATION_BARRED = 104, "operation barred";
    SC_CONGESTION = 105, "service centre congestion";
    FACILITY_NOT_SUPPORTED_106 = 106, "facility not supported";
    ABSENT_SUBSCRIBER = 107, "absent subscriber";
    DELIVERY_FAIL = 108, "delivery fail";
    SC_CONGESTION_109 = 109, "service centre congestion";
    PROTOCOL_ERROR = 110, "protocol error";
    MS_NOT_EQUIPPED = 111, "mobile station not equipped";
    UNKNOWN_SC = 112, "unknown service centre";
    SC_CONGESTION_113 = 113, "service centre congestion";
    ILLEGAL_MS = 114, "illegal mobile station";
    NOT_A_SUBSCRIBER = 115, "mobile station is not a subscriber";
    ERROR_IN_MS = 116, "error in the mobile station";
    LOWER_LAYER = 117, "SMS lower layer not provisioned";
    SYSTEM_FAIL = 118, "system fail";
    PLMN_FAILURE = 119, "PLMN system failure";
    HLR_FAILURE = 120, "HLR system failure";
    VLR_FAILURE = 121, "VLR system failure";
    PREVIOUS_VLR_FAILURE = 122, "previous VLR system failure";
    CONTROLLING_MSC_FAILURE = 123, "controlling MSC system failure";
    VMSC_FAILURE = 124, "VMSC system failure";
    EIR_FAILURE = 125, "EIR system failure";
    SYSTEM_FAILURE = 126, "system failure";
    UNEXPECTED_DATA = 127, "unexpected data value";
    ADDRESS_SC_ERROR = 200, "error in the address of the service centre";
    INVALID_ABSOLUTE_VP = 201, "invalid absolute validity period";
    TOO_LONG = 202, "message exceeds the maximum";
    CANNOT_UNPACK = 203, "unable to unpack the GSM message";
    CANNOT_CONVERT = 204, "unable to convert to the IRA alphabet";
    INVALID_VP_FORMAT = 205, "invalid validity period format";
    INVALID_DESTINATION = 206, "invalid destination address";
    DUPLICATE = 207, "duplicate message submit";
    INVALID_TYPE = 208, "invalid message type indicator";
}

impl From<u16> for Reason {
    fn from(value: u16) -> Self {
        Self(value)
    }
}

impl From<Reason> for u16 {
    fn from(value: Reason) -> u16 {
        value.0
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.meaning() {
            Some(meaning) => write!(f, "{:03} ({meaning})", self.0),
            None => write!(f, "{:03}", self.0),
        }
    }
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meanings_and_ends() {
        assert_eq!(Reason(107).to_string(), "107 (absent subscriber)");
        assert_eq!(Reason(5).to_string(), "005 (service temporarily not available)");
        assert_eq!(Reason(300).to_string(), "300");
        assert!(Reason::ALL.is_sorted());
        assert!(DeliveryStatus::DELIVERED.is_final() && DeliveryStatus::NOT_DELIVERED.is_final());
        assert!(!DeliveryStatus::BUFFERED.is_final() && !DeliveryStatus(7).is_final());
    }
}
