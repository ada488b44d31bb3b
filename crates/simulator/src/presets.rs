//! Characters: SMSCs with habits that belong together.

use std::time::Duration;

use smpp::CommandStatus;
use sms::receipt::ReceiptState;

use crate::settings::{DateForm, IdForm, IdStyle, Memory, ReceiptForm, ReceiptSettings, SmscSettings};

impl SmscSettings {
    /// As fast as it goes: for benchmarks. It remembers hashes only, and nobody can ask about messages.
    #[must_use]
    pub fn fast() -> Self {
        Self {
            window: 10_000,
            ledger: 0,
            memory: Memory::Hashes,
            receipts: ReceiptSettings { form: ReceiptForm::Text, ..ReceiptSettings::default() },
            ..Self::default()
        }
    }

    /// A carrier's: it takes its time, throttles at 100 parts a second, and writes hexadecimal ids
    /// in answers and decimal ones in receipts.
    #[must_use]
    pub fn strict() -> Self {
        Self {
            name: "strict".into(),
            resp_delay: Duration::from_millis(20),
            resp_jitter: Duration::from_millis(30),
            throttle: Some(100),
            max_binds: Some(4),
            window: 10,
            ids: IdStyle::Hex,
            receipts: ReceiptSettings {
                delay: (Duration::from_millis(300), Duration::from_secs(3)),
                states: vec![
                    (ReceiptState::Delivered, 0.95),
                    (ReceiptState::Undeliverable, 0.03),
                    (ReceiptState::Expired, 0.01),
                    (ReceiptState::Rejected, 0.01),
                ],
                id: IdForm::HexToDec,
                ..ReceiptSettings::default()
            },
            ..Self::default()
        }
    }

    /// A careless one: receipts before answers, padded ids, no TLVs, lower case, `esm_class` 0, and
    /// now and then it is full.
    #[must_use]
    pub fn sloppy() -> Self {
        Self {
            name: "sloppy".into(),
            resp_jitter: Duration::from_millis(40),
            out_of_order: true,
            queue_full_every: Some(50),
            fail: vec![(CommandStatus::RSYSERR, 0.01), (CommandStatus::RINVDSTADR, 0.01)],
            ids: IdStyle::Decimal,
            receipts: ReceiptSettings {
                delay: (Duration::ZERO, Duration::from_secs(1)),
                states: vec![(ReceiptState::Delivered, 0.9), (ReceiptState::Undeliverable, 0.1)],
                form: ReceiptForm::Text,
                dates: DateForm::Seconds,
                id: IdForm::Padded(12),
                lower_case: true,
                esm_class: 0,
                before_response: true,
                twice: true,
                ..ReceiptSettings::default()
            },
            ..Self::default()
        }
    }

    /// The preset of a name: `fast`, `strict` or `sloppy`.
    #[must_use]
    pub fn preset(name: &str) -> Option<Self> {
        match name {
            "fast" => Some(Self::fast()),
            "strict" => Some(Self::strict()),
            "sloppy" => Some(Self::sloppy()),
            _ => None,
        }
    }
}
