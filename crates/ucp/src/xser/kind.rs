//! The types of extra services.

use std::fmt;

/// The type of an extra service, as on the wire. Knows its name, and keeps unknown numbers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct XserType(pub u8);

macro_rules! types {
    ($($name:ident = $number:literal, $text:literal;)*) => {
        impl XserType {
            $(#[doc = concat!("XSer ", stringify!($number), ": ", $text, ".")]
            pub const $name: Self = Self($number);)*

            /// A short name; `None` for types that the standard does not define.
            #[must_use]
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

types! {
    UDH = 0x01, "GSM user data header";
    DCS = 0x02, "GSM data coding scheme";
    TDMA_MESSAGE_TYPE = 0x03, "TDMA message type";
    TDMA_REFERENCE = 0x04, "TDMA message reference";
    TDMA_PRIVACY = 0x05, "TDMA privacy";
    TDMA_URGENCY = 0x06, "TDMA urgency";
    TDMA_ACKNOWLEDGEMENT = 0x07, "TDMA acknowledgement request";
    TDMA_UPDATING = 0x08, "TDMA message updating";
    TDMA_CALL_BACK = 0x09, "TDMA call back number";
    TDMA_RESPONSE_CODE = 0x0A, "TDMA response code";
    TDMA_TELESERVICE = 0x0B, "TDMA teleservice";
    BILLING = 0x0C, "billing identifier";
    SINGLE_SHOT = 0x0D, "single shot";
    ORIGINATOR_TON = 0x0E, "originator type of number";
    ORIGINATOR_NPI = 0x0F, "originator numbering plan";
    RECIPIENT_TON = 0x10, "recipient type of number";
    RECIPIENT_NPI = 0x11, "recipient numbering plan";
    SUBMISSION_TIME = 0x12, "original submission time";
    NETWORK_TYPE = 0x13, "destination network type";
}

impl fmt::Display for XserType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02X}", self.0)
    }
}

impl fmt::Debug for XserType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{:02X}({name})", self.0),
            None => fmt::Display::fmt(self, f),
        }
    }
}
