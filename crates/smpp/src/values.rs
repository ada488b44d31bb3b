//! Values of one octet that have a meaning of their own. All keep numbers they do not know.

use std::fmt;

macro_rules! octet {
    ($(#[$doc:meta])* $type:ident { $($(#[$vdoc:meta])* $name:ident = $number:literal, $text:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        pub struct $type(pub u8);

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

        impl From<u8> for $type {
            fn from(value: u8) -> Self {
                Self(value)
            }
        }

        impl From<$type> for u8 {
            fn from(value: $type) -> u8 {
                value.0
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.name() {
                    Some(name) => write!(f, "{}({name})", self.0),
                    None => write!(f, "{:#04x}", self.0),
                }
            }
        }
    };
}

octet! {
    /// Type of number (SMPP 3.4 §5.2.5).
    Ton {
        /// Unknown.
        UNKNOWN = 0, "unknown";
        /// International, digits without `+`.
        INTERNATIONAL = 1, "international";
        /// National.
        NATIONAL = 2, "national";
        /// Network specific, often short codes.
        NETWORK_SPECIFIC = 3, "network specific";
        /// Subscriber number.
        SUBSCRIBER = 4, "subscriber";
        /// Letters, only as a sender.
        ALPHANUMERIC = 5, "alphanumeric";
        /// Abbreviated.
        ABBREVIATED = 6, "abbreviated";
    }
}

octet! {
    /// Numbering plan indicator (SMPP 3.4 §5.2.6).
    Npi {
        /// Unknown.
        UNKNOWN = 0, "unknown";
        /// E.163/E.164, the telephone plan.
        ISDN = 1, "E.164";
        /// X.121, data.
        DATA = 3, "X.121";
        /// F.69, telex.
        TELEX = 4, "telex";
        /// E.212, land mobile.
        LAND_MOBILE = 6, "E.212";
        /// National.
        NATIONAL = 8, "national";
        /// Private.
        PRIVATE = 9, "private";
        /// ERMES.
        ERMES = 10, "ERMES";
        /// Internet address.
        INTERNET = 14, "IP";
        /// WAP client id.
        WAP = 18, "WAP";
    }
}

octet! {
    /// data_coding (SMPP 3.4 §5.2.19). What 0 means is a setting of the link.
    DataCoding {
        /// The link's default alphabet.
        DEFAULT = 0x00, "default";
        /// ASCII.
        ASCII = 0x01, "ASCII";
        /// 8-bit octets.
        OCTETS_COMMON = 0x02, "octets";
        /// ISO 8859-1.
        LATIN1 = 0x03, "Latin-1";
        /// 8-bit octets.
        OCTETS = 0x04, "octets";
        /// JIS X 0208.
        JIS = 0x05, "JIS";
        /// ISO 8859-5.
        CYRILLIC = 0x06, "Cyrillic";
        /// ISO 8859-8.
        HEBREW = 0x07, "Hebrew";
        /// UCS-2, big-endian, in practice UTF-16.
        UCS2 = 0x08, "UCS-2";
    }
}

octet! {
    /// interface_version: 0x34 is 3.4; everything up to 0x33 is 3.3 or older (SMPP 3.4 §5.2.4).
    InterfaceVersion {
        /// SMPP 3.3: no TLVs, no transceiver.
        V3_3 = 0x33, "3.3";
        /// SMPP 3.4.
        V3_4 = 0x34, "3.4";
        /// SMPP 5.0.
        V5_0 = 0x50, "5.0";
    }
}

impl InterfaceVersion {
    /// Whether the version has TLVs.
    #[must_use]
    pub const fn has_tlvs(self) -> bool {
        self.0 > Self::V3_3.0
    }

    /// Characters that a message_id may have: 8 in 3.3, then 64.
    #[must_use]
    pub const fn message_id_max(self) -> usize {
        if self.has_tlvs() { 64 } else { 8 }
    }
}

octet! {
    /// message_state (SMPP 3.4 §5.2.28, 5.0 §4.7.15).
    MessageState {
        /// Scheduled, not yet due (5.0).
        SCHEDULED = 0, "SCHEDULED";
        /// On its way.
        ENROUTE = 1, "ENROUTE";
        /// Delivered.
        DELIVERED = 2, "DELIVERED";
        /// Its validity ended first.
        EXPIRED = 3, "EXPIRED";
        /// Deleted.
        DELETED = 4, "DELETED";
        /// Cannot be delivered.
        UNDELIVERABLE = 5, "UNDELIVERABLE";
        /// Read on behalf of the subscriber.
        ACCEPTED = 6, "ACCEPTED";
        /// Nobody knows.
        UNKNOWN = 7, "UNKNOWN";
        /// Rejected.
        REJECTED = 8, "REJECTED";
        /// Skipped (5.0).
        SKIPPED = 9, "SKIPPED";
    }
}

octet! {
    /// registered_delivery: which receipts and acknowledgements are wanted (SMPP 3.4 §5.2.17).
    RegisteredDelivery {
        /// No receipt.
        NONE = 0x00, "none";
        /// A receipt for every outcome.
        ALWAYS = 0x01, "success and failure";
        /// A receipt for failure only.
        FAILURE = 0x02, "failure";
        /// A receipt for success only (5.0).
        SUCCESS = 0x03, "success";
    }
}

impl RegisteredDelivery {
    /// The bit that asks for intermediate notifications.
    pub const INTERMEDIATE: u8 = 0x10;

    /// Bits 1–0: which outcomes the MC should report.
    #[must_use]
    pub const fn receipt(self) -> Self {
        Self(self.0 & 0x03)
    }

    /// Whether intermediate notifications are asked for.
    #[must_use]
    pub const fn wants_intermediate(self) -> bool {
        self.0 & Self::INTERMEDIATE != 0
    }
}

octet! {
    /// esm_class: mode, type and GSM features of a message (SMPP 3.4 §5.2.12).
    EsmClass {
        /// An ordinary message in the MC's default mode.
        DEFAULT = 0x00, "default";
    }
}

impl EsmClass {
    /// The bits that hold the message type.
    pub const TYPE_MASK: u8 = 0x3C;
    /// The user data starts with a user data header.
    pub const UDHI: u8 = 0x40;
    /// A reply path is set.
    pub const REPLY_PATH: u8 = 0x80;
    /// From the MC: the message is a delivery receipt.
    pub const RECEIPT: Self = Self(0x04);

    /// Whether the user data starts with a user data header.
    #[must_use]
    pub const fn has_udh(self) -> bool {
        self.0 & Self::UDHI != 0
    }

    /// The type of a message, found by mask because other bits may be set with it.
    #[must_use]
    pub const fn message_type(self) -> MessageType {
        match self.0 & Self::TYPE_MASK {
            0x00 => MessageType::Default,
            // 0x24 is seen in the field: a receipt whose state then says that it is not final.
            0x04 | 0x24 => MessageType::Receipt,
            0x08 => MessageType::DeliveryAck,
            0x10 => MessageType::ManualAck,
            0x18 => MessageType::ConversationAbort,
            0x20 => MessageType::IntermediateNotification,
            other => MessageType::Reserved(other),
        }
    }
}

/// What a deliver_sm or data_sm carries, by bits 5–2 of esm_class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageType {
    /// An ordinary message.
    Default,
    /// A delivery receipt of the MC.
    Receipt,
    /// A delivery acknowledgement of the other SME.
    DeliveryAck,
    /// A manual or user acknowledgement of the other SME.
    ManualAck,
    /// Conversation abort (Korean CDMA).
    ConversationAbort,
    /// An intermediate notification: not final.
    IntermediateNotification,
    /// A combination that the standard leaves open.
    Reserved(u8),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_type_ignores_the_other_bits() {
        assert_eq!(EsmClass(0x44).message_type(), MessageType::Receipt);
        assert_eq!(EsmClass(0xC3).message_type(), MessageType::Default);
        assert_eq!(EsmClass(0x20).message_type(), MessageType::IntermediateNotification);
        assert_eq!(EsmClass(0x24).message_type(), MessageType::Receipt);
        assert_eq!(EsmClass(0x3C).message_type(), MessageType::Reserved(0x3C));
    }

    #[test]
    fn versions_before_3_4_have_no_tlvs() {
        assert!(!InterfaceVersion(0x00).has_tlvs() && !InterfaceVersion::V3_3.has_tlvs());
        assert!(InterfaceVersion::V3_4.has_tlvs() && InterfaceVersion::V5_0.has_tlvs());
    }
}
