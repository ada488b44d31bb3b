//! What a UCP SMSC should do. Every field may be changed while it runs.

use std::time::Duration;

use ucp::{DeliveryStatus, ErrorCode, Reason};

use crate::settings::{Fault, Memory, ReceiptsFor};

/// How a UCP SMSC behaves. `Default` is a quick, correct one that lets anybody in.
#[derive(Clone, Debug)]
pub struct UcpSmscSettings {
    /// Who may log in; `None` is anyone.
    pub account: Option<String>,
    /// With which password; `None` is any.
    pub password: Option<String>,
    /// Whether nothing is taken before a login (60).
    pub login_required: bool,
    /// Refuses every login with this.
    pub refuse_logins: Option<ErrorCode>,

    /// How long an answer takes, at least.
    pub resp_delay: Duration,
    /// How much longer it may take, at random.
    pub resp_jitter: Duration,
    /// Parts a second over all connections; above that, error 04.
    pub throttle: Option<u32>,
    /// Error codes that submissions fail with, each with its probability.
    pub fail: Vec<(ErrorCode, f64)>,
    /// Probability that a submission is taken and never answered.
    pub drop: f64,

    /// For which messages notifications are sent.
    pub receipts: ReceiptsFor,
    /// How long after the answer: at least and at most.
    pub receipt_delay: (Duration, Duration),
    /// Final outcomes with their weights.
    pub outcomes: Vec<((DeliveryStatus, Reason), f64)>,

    /// How many of the last messages clients may change (54), ask about (55) and take back (56).
    pub ledger: usize,
    /// Refuses every modification (54), inquiry (55) and deletion (56) with this.
    pub refuse_inquiries: Option<ErrorCode>,
    /// Takes inquiries (55) and never says what became of the message (57).
    pub mute: bool,
    /// Operations to a client that may be unanswered at a time, 1–100.
    pub window: usize,
    /// How long a client may take to acknowledge; then it is sent again.
    pub response_timeout: Duration,
    /// How connections break. `HugeLength` is a frame that never ends.
    pub faults: Vec<Fault>,
    /// What it remembers of the messages that it took.
    pub memory: Memory,
    /// Where randomness starts.
    pub seed: u64,
}

impl Default for UcpSmscSettings {
    fn default() -> Self {
        Self {
            account: None,
            password: None,
            login_required: true,
            refuse_logins: None,
            resp_delay: Duration::ZERO,
            resp_jitter: Duration::ZERO,
            throttle: None,
            fail: Vec::new(),
            drop: 0.0,
            receipts: ReceiptsFor::Asked,
            receipt_delay: (Duration::from_millis(10), Duration::from_millis(10)),
            outcomes: vec![((DeliveryStatus::DELIVERED, Reason(0)), 1.0)],
            ledger: 10_000,
            refuse_inquiries: None,
            mute: false,
            window: 10,
            response_timeout: Duration::from_secs(30),
            faults: Vec::new(),
            memory: Memory::Messages,
            seed: 1,
        }
    }
}
