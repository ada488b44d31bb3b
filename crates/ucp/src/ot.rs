//! Operation types: the OT field of every frame.

use std::fmt;

/// An OT as on the wire, 0–99. Unknown numbers are kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct OperationType(pub u8);

macro_rules! operations {
    ($($name:ident = $number:literal, $text:literal;)*) => {
        impl OperationType {
            $(#[doc = concat!("OT ", stringify!($number), ", ", $text, ".")]
            pub const $name: Self = Self($number);)*

            /// The name in the standard, such as `submit short message`; `None` for unknown numbers.
            #[must_use]
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some($text),)*
                    _ => None,
                }
            }

            /// Every operation that is known here, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

operations! {
    CALL_INPUT = 1, "call input";
    MULTIPLE_CALL_INPUT = 2, "multiple address call input";
    SUPPLEMENTARY_CALL_INPUT = 3, "call input with supplementary services";
    MESSAGE_TRANSFER = 30, "SMS message transfer";
    ALERT = 31, "SMT alert";
    SUBMIT = 51, "submit short message";
    DELIVER = 52, "deliver short message";
    NOTIFY = 53, "deliver notification";
    MODIFY = 54, "modify message";
    INQUIRE = 55, "inquiry message";
    DELETE = 56, "delete message";
    INQUIRY_RESPONSE = 57, "inquiry response";
    DELETE_RESPONSE = 58, "delete response";
    SESSION = 60, "session management";
    LIST = 61, "list management";
}

impl OperationType {
    /// Whether a positive result has a modified validity period (MVP) before its system message.
    #[must_use]
    pub const fn has_mvp(self) -> bool {
        matches!(self.0, 30 | 50..=59)
    }

    /// Whether an application sends it to an SMSC.
    #[must_use]
    pub const fn goes_to_smsc(self) -> bool {
        matches!(self.0, 1 | 2 | 3 | 30 | 31 | 51 | 54 | 55 | 56 | 60 | 61)
    }

    /// Whether an SMSC sends it to an application.
    #[must_use]
    pub const fn goes_to_application(self) -> bool {
        matches!(self.0, 1 | 31 | 52 | 53 | 57 | 58)
    }
}

impl fmt::Display for OperationType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{:02} ({name})", self.0),
            None => write!(f, "{:02}", self.0),
        }
    }
}

impl fmt::Debug for OperationType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_a_way_to_go() {
        for ot in OperationType::ALL {
            assert!(ot.goes_to_smsc() || ot.goes_to_application(), "{ot}");
        }
        assert!(!OperationType(59).goes_to_smsc() && !OperationType(59).goes_to_application());
        assert_eq!(OperationType::SUBMIT.to_string(), "51 (submit short message)");
        assert_eq!(OperationType(59).to_string(), "59");
        assert!(OperationType::ALL.is_sorted());
    }
}
