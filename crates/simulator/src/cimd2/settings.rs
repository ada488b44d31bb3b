//! What a CIMD2 SMSC should do. Every field may be changed while it runs.

use std::time::Duration;

use cimd2::{ErrorCode, StatusCode, StatusError};

use crate::settings::{Fault, Memory, ReceiptsFor};

/// How a CIMD2 SMSC behaves. `Default` is a quick, correct one that lets anybody in.
#[derive(Clone, Debug)]
pub struct Cimd2SmscSettings {
    /// The line that it sends before anything else, if any.
    pub greeting: Option<String>,
    /// Who may log in; `None` is anyone.
    pub user: Option<String>,
    /// With which password; `None` is any.
    pub password: Option<String>,
    /// Most sessions of one user at a time; further logins get error 102.
    pub max_sessions: Option<usize>,
    /// The largest window that a login may announce; a larger one gets error 104. `None` refuses every
    /// login that announces one, with 105.
    pub max_window: Option<u16>,
    /// Refuses every login with this.
    pub refuse_logins: Option<ErrorCode>,
    /// Messages and reports are sent only to sessions that have asked for them (05).
    pub querying: bool,

    /// How long an answer takes, at least.
    pub resp_delay: Duration,
    /// How much longer it may take, at random.
    pub resp_jitter: Duration,
    /// Parts a second over all connections; above that, error 10.
    pub throttle: Option<u32>,
    /// Error codes that submissions fail with, each with its probability.
    pub fail: Vec<(ErrorCode, f64)>,
    /// Probability that a submission is taken and never answered.
    pub drop: f64,

    /// For which messages status reports are sent.
    pub receipts: ReceiptsFor,
    /// How long after the answer: at least and at most.
    pub receipt_delay: (Duration, Duration),
    /// Final outcomes with their weights.
    pub outcomes: Vec<((StatusCode, StatusError), f64)>,

    /// How many of the last messages clients may enquire about (04) and cancel (06).
    pub ledger: usize,
    /// Refuses every enquiry (04) and cancel (06) with this.
    pub refuse_inquiries: Option<ErrorCode>,
    /// Refuses to set (08) these parameters, with error 3; passwords are never changed.
    pub refuse_sets: Vec<u16>,
    /// What it says of parameters that it is asked for (09), beside the time and what was set.
    pub tells: Vec<(u16, String)>,
    /// Operations to a client that may be unanswered at a time, 1–127.
    pub window: usize,
    /// How long a client may take to acknowledge; then it is sent again.
    pub response_timeout: Duration,
    /// Whether packets carry checksums.
    pub checksum: bool,
    /// How connections break. `HugeLength` is a packet that never ends.
    pub faults: Vec<Fault>,
    /// What it remembers of the messages that it took.
    pub memory: Memory,
    /// Where randomness starts.
    pub seed: u64,
}

impl Default for Cimd2SmscSettings {
    fn default() -> Self {
        Self {
            greeting: Some("CIMD2-A ConnectionInfo: SessionId = 1 PortId = 1".into()),
            user: None,
            password: None,
            max_sessions: None,
            max_window: Some(127),
            refuse_logins: None,
            querying: false,
            resp_delay: Duration::ZERO,
            resp_jitter: Duration::ZERO,
            throttle: None,
            fail: Vec::new(),
            drop: 0.0,
            receipts: ReceiptsFor::Asked,
            receipt_delay: (Duration::from_millis(10), Duration::from_millis(10)),
            outcomes: vec![((StatusCode::DELIVERED, StatusError::NONE), 1.0)],
            ledger: 10_000,
            window: 10,
            response_timeout: Duration::from_secs(30),
            checksum: true,
            refuse_inquiries: None,
            refuse_sets: Vec::new(),
            tells: Vec::new(),
            faults: Vec::new(),
            memory: Memory::Messages,
            seed: 1,
        }
    }
}
