//! The states that receipts report.

/// The state of a message by its receipt (SMPP 3.4 §5.2.28, SMPP 5.0 §4.7.15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReceiptState {
    /// 0: not yet tried (5.0).
    Scheduled,
    /// 1: on its way.
    Enroute,
    /// 2: the phone has it.
    Delivered,
    /// 3: its validity period ended.
    Expired,
    /// 4: deleted from the SMSC.
    Deleted,
    /// 5: it cannot be delivered.
    Undeliverable,
    /// 6: accepted; read on behalf of the subscriber by the letter, under way in practice.
    Accepted,
    /// 7: the SMSC does not know.
    Unknown,
    /// 8: refused.
    Rejected,
    /// 9: skipped (5.0).
    Skipped,
}

/// How words begin, first match counts. "DELIV" alone would also match "DELIVERY FAILED".
const PREFIXES: &[(&str, ReceiptState)] = &[
    ("DELIVR", ReceiptState::Delivered),
    ("DELIVERED", ReceiptState::Delivered),
    ("DELVR", ReceiptState::Delivered),
    ("DLVR", ReceiptState::Delivered),
    ("EXPIR", ReceiptState::Expired),
    ("DELET", ReceiptState::Deleted),
    ("UNDEL", ReceiptState::Undeliverable),
    ("FAIL", ReceiptState::Undeliverable),
    ("ACCEP", ReceiptState::Accepted),
    ("UNKN", ReceiptState::Unknown),
    ("REJ", ReceiptState::Rejected),
    ("ENROU", ReceiptState::Enroute),
    ("ACK", ReceiptState::Enroute),
    ("BUFF", ReceiptState::Enroute),
    ("INPROG", ReceiptState::Enroute),
    ("SCHED", ReceiptState::Scheduled),
    ("SKIP", ReceiptState::Skipped),
];

impl ReceiptState {
    /// The state of a `stat:` word, in any case, by how it begins ("REJECTED" as "REJECTD").
    /// `None` for vendor words like "DND_REJECTED": nobody but the link's owner knows what they
    /// mean, so they are no final state.
    pub fn from_word(word: &str) -> Option<Self> {
        let starts = |prefix: &str| word.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        PREFIXES.iter().find(|(prefix, _)| starts(prefix)).map(|&(_, state)| state)
    }

    /// The state of a `message_state` TLV; `None` for reserved values.
    pub const fn from_message_state(value: u8) -> Option<Self> {
        Some(match value {
            0 => Self::Scheduled,
            1 => Self::Enroute,
            2 => Self::Delivered,
            3 => Self::Expired,
            4 => Self::Deleted,
            5 => Self::Undeliverable,
            6 => Self::Accepted,
            7 => Self::Unknown,
            8 => Self::Rejected,
            9 => Self::Skipped,
            _ => return None,
        })
    }

    /// The value for a `message_state` TLV.
    pub const fn message_state(self) -> u8 {
        self as u8
    }

    /// The word for `stat:`, seven letters where the standard has seven.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Scheduled => "SCHEDULED",
            Self::Enroute => "ENROUTE",
            Self::Delivered => "DELIVRD",
            Self::Expired => "EXPIRED",
            Self::Deleted => "DELETED",
            Self::Undeliverable => "UNDELIV",
            Self::Accepted => "ACCEPTD",
            Self::Unknown => "UNKNOWN",
            Self::Rejected => "REJECTD",
            Self::Skipped => "SKIPPED",
        }
    }

    /// Whether nothing more is to come. `Accepted` is not final: SMSCs send it before the end.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Scheduled | Self::Enroute | Self::Accepted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_come_back() {
        for value in 0..=9 {
            let state = ReceiptState::from_message_state(value).expect("a state");
            assert_eq!(state.message_state(), value);
            assert_eq!(ReceiptState::from_word(state.word()), Some(state));
        }
        assert_eq!(ReceiptState::from_message_state(10), None);
    }

    #[test]
    fn variants_are_read_by_how_they_begin() {
        let cases = [
            ("delivered", Some(ReceiptState::Delivered)),
            ("DELIVRED", Some(ReceiptState::Delivered)),
            ("UNDELIVERABLE", Some(ReceiptState::Undeliverable)),
            ("EXPIRD", Some(ReceiptState::Expired)),
            ("BUFFRED", Some(ReceiptState::Enroute)),
            ("REJECTED", Some(ReceiptState::Rejected)),
            ("SCHEDLD", Some(ReceiptState::Scheduled)),
            ("DELIVERY_FAILED", None),
            ("DND_REJECTED", None),
            ("", None),
            ("Дост", None),
        ];
        for (word, state) in cases {
            assert_eq!(ReceiptState::from_word(word), state, "{word}");
        }
    }
}
