//! Small values with a meaning of their own. All keep numbers that they do not know.

use std::fmt;

macro_rules! number {
    (
        $(#[$doc:meta])* $type:ident($repr:ty)
        { $($(#[$vdoc:meta])* $name:ident = $number:literal, $text:literal;)* }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        pub struct $type(pub $repr);

        impl $type {
            $($(#[$vdoc])* pub const $name: Self = Self($number);)*

            /// A short name of the value; `None` if it has none.
            #[must_use]
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some($text),)*
                    _ => None,
                }
            }
        }

        impl From<$repr> for $type {
            fn from(value: $repr) -> Self {
                Self(value)
            }
        }

        impl From<$type> for $repr {
            fn from(value: $type) -> $repr {
                value.0
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.name() {
                    Some(name) => write!(f, "{}({name})", self.0),
                    None => write!(f, "{}", self.0),
                }
            }
        }
    };
}

number! {
    /// A protocol identifier of four digits (NPID, LPID, and PID of 31): what kind of terminal an address is.
    Pid(u16) {
        /// A mobile station.
        MOBILE = 100, "mobile station";
        /// A fax of group 3.
        FAX = 122, "fax group 3";
        /// X.400.
        X400 = 131, "X.400";
        /// A menu over the telephone network.
        MENU = 138, "menu over PSTN";
        /// A computer over the telephone network.
        PC_PSTN = 139, "PC over PSTN";
        /// A computer over X.25.
        PC_X25 = 339, "PC over X.25";
        /// A computer over ISDN.
        PC_ISDN = 439, "PC over ISDN";
        /// A computer over TCP/IP.
        PC_TCP = 539, "PC over TCP/IP";
        /// A computer via an abbreviated number.
        PC_ABBREVIATED = 639, "PC via abbreviated number";
    }
}

number! {
    /// OTOA: what kind of address the originator's is, in four digits. Absent means national, or what the link
    /// is set to.
    AddressType(u16) {
        /// An international number.
        INTERNATIONAL = 1139, "international";
        /// A name; OAdC then holds its septets, see [`pack_name`](crate::pack_name).
        ALPHANUMERIC = 5039, "alphanumeric";
    }
}

number! {
    /// NT: which outcomes are to be notified, as the sum of the values.
    NotificationType(u8) {
        /// None.
        NONE = 0, "none";
        /// Delivery.
        DELIVERED = 1, "delivered";
        /// Failure for good.
        NOT_DELIVERED = 2, "not delivered";
        /// Both ends.
        FINAL = 3, "delivered or not";
        /// That the SMSC keeps it for now.
        BUFFERED = 4, "buffered";
        /// Everything.
        ALL = 7, "all";
    }
}

impl NotificationType {
    /// Whether all outcomes of `other` are asked for.
    #[must_use]
    pub const fn includes(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

number! {
    /// STYP of 60: what is wanted of the session.
    SessionType(u8) {
        /// Open a session: the login.
        OPEN = 1, "open session";
        /// Change the password, to NPWD.
        CHANGE_PASSWORD = 3, "change password";
        /// Open a provisioning session.
        OPEN_PROVISIONING = 4, "open provisioning session";
        /// Change the password for provisioning.
        CHANGE_PROVISIONING_PASSWORD = 6, "change provisioning password";
    }
}

number! {
    /// STYP of 61: what is wanted of a list.
    ListType(u8) {
        /// Add to the list of those that may originate messages.
        ADD_MO = 1, "add to MO list";
        /// Remove from it.
        REMOVE_MO = 2, "remove from MO list";
        /// Look whether it is there.
        VERIFY_MO = 3, "verify in MO list";
        /// Add to the list of those that may get messages.
        ADD_MT = 4, "add to MT list";
        /// Remove from it.
        REMOVE_MT = 5, "remove from MT list";
        /// Look whether it is there.
        VERIFY_MT = 6, "verify in MT list";
    }
}

number! {
    /// OTON, LTON: type of number.
    Ton(u8) {
        /// International.
        INTERNATIONAL = 1, "international";
        /// National.
        NATIONAL = 2, "national";
        /// Abbreviated: a short code or large account.
        ABBREVIATED = 6, "abbreviated";
    }
}

number! {
    /// ONPI, LNPI: numbering plan.
    Npi(u8) {
        /// E.164, the telephone plan.
        E164 = 1, "E.164";
        /// X.121, data.
        X121 = 3, "X.121";
        /// Private.
        PRIVATE = 5, "private";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notification_types_are_sums() {
        assert!(NotificationType::ALL.includes(NotificationType::BUFFERED));
        assert!(NotificationType::FINAL.includes(NotificationType::DELIVERED));
        assert!(!NotificationType::FINAL.includes(NotificationType::BUFFERED));
        assert_eq!(format!("{:?} {:?}", Pid::PC_TCP, Pid(7)), "539(PC over TCP/IP) 7");
    }
}
