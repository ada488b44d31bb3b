//! Data coding schemes: TP-DCS (3GPP 23.038 §4) and SMPP `data_coding` (SMPP 3.4 §5.2.19).

/// How the user data under a TP-DCS is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Coding {
    /// GSM 7-bit; what reserved codings are read as, too.
    Gsm7,
    /// Octets whose meaning is the application's.
    Octets,
    /// UCS-2.
    Ucs2,
}

/// Message class (3GPP 23.038 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MessageClass {
    /// Class 0: shown at once and not stored.
    Flash,
    /// Class 1: for the mobile equipment.
    Equipment,
    /// Class 2: for the SIM.
    Sim,
    /// Class 3: for the terminal equipment.
    Terminal,
}

impl MessageClass {
    /// The class of a number 0 to 3.
    pub const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Flash,
            1 => Self::Equipment,
            2 => Self::Sim,
            3 => Self::Terminal,
            _ => return None,
        })
    }

    /// The number of the class, 0 to 3.
    pub const fn number(self) -> u8 {
        self as u8
    }
}

/// What kind of message waits for the subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // The names say it.
pub enum WaitingKind {
    Voicemail,
    Fax,
    Email,
    Other,
}

/// The coding group of a TP-DCS, by its high bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DcsGroup {
    /// `00xx`: general data coding.
    General,
    /// `01xx`: as general, and the message is deleted once read.
    AutomaticDeletion,
    /// `1000` to `1011`.
    Reserved,
    /// `1100`, `1101`, `1110`: message waiting indication.
    Waiting {
        /// Whether the text is to be kept, or may be dropped once the indication is set.
        store: bool,
        /// Whether the indication is switched on.
        active: bool,
        /// What waits.
        kind: WaitingKind,
    },
    /// `1111`: coding and class.
    Class,
}

/// A TP-DCS octet, decoded. Every value means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Dcs {
    /// How the user data is coded.
    pub coding: Coding,
    /// Message class, if one is given.
    pub class: Option<MessageClass>,
    /// Whether the text is compressed (3GPP 23.042); nobody does that.
    pub compressed: bool,
    /// Whether the coding bits were a reserved combination, read as GSM 7-bit.
    pub reserved: bool,
    /// The coding group.
    pub group: DcsGroup,
}

impl Dcs {
    /// Decodes the octet (3GPP 23.038 §4).
    pub const fn decode(octet: u8) -> Self {
        match octet >> 4 {
            0x0..=0x7 => Self::general(octet),
            0x8..=0xB => {
                Self { coding: Coding::Gsm7, class: None, compressed: false, reserved: true, group: DcsGroup::Reserved }
            }
            0xC..=0xE => Self::waiting(octet),
            _ => Self {
                coding: if octet & 0x04 == 0 { Coding::Gsm7 } else { Coding::Octets },
                class: MessageClass::from_number(octet & 3),
                compressed: false,
                reserved: false,
                group: DcsGroup::Class,
            },
        }
    }

    /// The octet of a coding in the general group: 0x00, 0x04, 0x08, or with a class 0x10 and on.
    pub const fn general_octet(coding: Coding, class: Option<MessageClass>) -> u8 {
        let coding = match coding {
            Coding::Gsm7 => 0x00,
            Coding::Octets => 0x04,
            Coding::Ucs2 => 0x08,
        };
        match class {
            None => coding,
            Some(class) => coding | 0x10 | class.number(),
        }
    }

    /// The octet of a coding in the class group, 0xF0 to 0xF7; `None` for UCS-2, which that group
    /// cannot say.
    pub const fn class_octet(coding: Coding, class: MessageClass) -> Option<u8> {
        match coding {
            Coding::Gsm7 => Some(0xF0 | class.number()),
            Coding::Octets => Some(0xF4 | class.number()),
            Coding::Ucs2 => None,
        }
    }

    const fn general(octet: u8) -> Self {
        let (coding, reserved) = match octet >> 2 & 3 {
            0 => (Coding::Gsm7, false),
            1 => (Coding::Octets, false),
            2 => (Coding::Ucs2, false),
            _ => (Coding::Gsm7, true),
        };
        Self {
            coding,
            class: if octet & 0x10 == 0 { None } else { MessageClass::from_number(octet & 3) },
            compressed: octet & 0x20 != 0,
            reserved,
            group: if octet & 0x40 == 0 { DcsGroup::General } else { DcsGroup::AutomaticDeletion },
        }
    }

    const fn waiting(octet: u8) -> Self {
        let kind = match octet & 3 {
            0 => WaitingKind::Voicemail,
            1 => WaitingKind::Fax,
            2 => WaitingKind::Email,
            _ => WaitingKind::Other,
        };
        Self {
            coding: if octet >> 4 == 0xE { Coding::Ucs2 } else { Coding::Gsm7 },
            class: None,
            compressed: false,
            reserved: false,
            group: DcsGroup::Waiting { store: octet >> 4 != 0xC, active: octet & 0x08 != 0, kind },
        }
    }
}

/// The meaning of an SMPP `data_coding` value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SmppCoding {
    /// 0x00: whatever the link's default alphabet is.
    Default,
    /// 0x01: IA5, in practice ASCII.
    Ascii,
    /// 0x02, 0x04: octets.
    Octets,
    /// 0x03: ISO 8859-1.
    Latin1,
    /// 0x05: JIS, in practice Shift_JIS.
    Jis,
    /// 0x06: ISO 8859-5.
    Cyrillic,
    /// 0x07: ISO 8859-8.
    Hebrew,
    /// 0x08: UCS-2.
    Ucs2,
    /// 0x09: pictograms, which are the handset maker's own.
    Pictogram,
    /// 0x0A: ISO-2022-JP, "music codes".
    Iso2022Jp,
    /// 0x0D: extended Kanji, JIS X 0212 (in EUC-JP).
    ExtendedKanji,
    /// 0x0E: KS C 5601 (EUC-KR).
    Korean,
    /// 0x10 to 0x1F, 0xC0 to 0xEF, 0xF0 to 0xFF: to be read as TP-DCS.
    Gsm(Dcs),
    /// Reserved.
    Reserved,
}

impl SmppCoding {
    /// Decodes the value. 0x10 to 0x1F and 0xE0 to 0xEF are reserved in SMPP but sent with the
    /// meaning of 3GPP 23.038.
    pub const fn decode(data_coding: u8) -> Self {
        match data_coding {
            0x00 => Self::Default,
            0x01 => Self::Ascii,
            0x02 | 0x04 => Self::Octets,
            0x03 => Self::Latin1,
            0x05 => Self::Jis,
            0x06 => Self::Cyrillic,
            0x07 => Self::Hebrew,
            0x08 => Self::Ucs2,
            0x09 => Self::Pictogram,
            0x0A => Self::Iso2022Jp,
            0x0D => Self::ExtendedKanji,
            0x0E => Self::Korean,
            0x10..=0x1F | 0xC0..=0xFF => Self::Gsm(Dcs::decode(data_coding)),
            _ => Self::Reserved,
        }
    }

    /// The message class that the value gives, if any.
    pub const fn class(self) -> Option<MessageClass> {
        match self {
            Self::Gsm(dcs) => dcs.class,
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyday_values_are_built() {
        assert_eq!(Dcs::general_octet(Coding::Ucs2, Some(MessageClass::Flash)), 0x18);
        assert_eq!(Dcs::general_octet(Coding::Octets, None), 0x04);
        assert_eq!(Dcs::class_octet(Coding::Octets, MessageClass::Equipment), Some(0xF5));
        assert_eq!(Dcs::class_octet(Coding::Gsm7, MessageClass::Flash), Some(0xF0));
        assert_eq!(Dcs::class_octet(Coding::Ucs2, MessageClass::Flash), None);
    }

    #[test]
    fn built_octets_decode_to_what_they_were_built_from() {
        let classes = [None, MessageClass::from_number(0), MessageClass::from_number(3)];
        for coding in [Coding::Gsm7, Coding::Octets, Coding::Ucs2] {
            for class in classes {
                let dcs = Dcs::decode(Dcs::general_octet(coding, class));
                assert_eq!((dcs.coding, dcs.class), (coding, class));
            }
        }
    }

    #[test]
    fn smpp_values_that_are_gsm_values_keep_their_class() {
        assert_eq!(SmppCoding::decode(0x10).class(), Some(MessageClass::Flash));
        assert_eq!(SmppCoding::decode(0xF6).class(), Some(MessageClass::Sim));
        assert_eq!(SmppCoding::decode(0x08), SmppCoding::Ucs2);
        assert_eq!(SmppCoding::decode(0x4F), SmppCoding::Reserved);
    }
}
