//! What an SMSC should do. Every field may be changed while it runs.

use std::time::Duration;

use smpp::{CommandStatus, InterfaceVersion};
use sms::DefaultAlphabet;
use sms::receipt::ReceiptState;

/// How an SMSC behaves. `Default` is a quick, correct one.
#[derive(Clone, Debug)]
pub struct SmscSettings {
    /// Its own name in bind answers.
    pub name: String,
    /// Who may bind; `None` is anyone.
    pub system_id: Option<String>,
    /// With which password; `None` is any.
    pub password: Option<String>,
    /// The SMPP version that it speaks. Before 3.4 it sends no TLVs.
    pub version: InterfaceVersion,
    /// Most binds at a time for one system id; further ones get ESME_RALYBND.
    pub max_binds: Option<usize>,
    /// Refuses every bind with this.
    pub refuse_binds: Option<CommandStatus>,

    /// How long an answer takes, at least.
    pub resp_delay: Duration,
    /// How much longer it may take, at random.
    pub resp_jitter: Duration,
    /// Answers overtake one another.
    pub out_of_order: bool,

    /// Parts a second over all connections; above that, ESME_RTHROTTLED.
    pub throttle: Option<u32>,
    /// Every so-many-th submission gets ESME_RMSGQFUL.
    pub queue_full_every: Option<u64>,
    /// Statuses that submissions fail with, each with its probability.
    pub fail: Vec<(CommandStatus, f64)>,
    /// Probability that a submission is taken and never answered.
    pub drop: f64,

    /// How many of the last messages clients may ask about (query_sm), take back (cancel_sm) and replace
    /// (replace_sm).
    pub ledger: usize,
    /// Never answers cancel_sm, query_sm and replace_sm, as some do that don't know them.
    pub ignore_inquiries: bool,
    /// Refuses every cancel_sm with this.
    pub refuse_cancels: Option<CommandStatus>,
    /// Refuses every query_sm with this.
    pub refuse_queries: Option<CommandStatus>,
    /// Refuses every replace_sm with this.
    pub refuse_replaces: Option<CommandStatus>,

    /// The message ids that it gives.
    pub ids: IdStyle,
    /// The number of the first message; ids are made of it.
    pub first_id: u64,
    /// What data_coding 0 means to it.
    pub default_alphabet: DefaultAlphabet,
    /// Receipts.
    pub receipts: ReceiptSettings,
    /// Requests to a client that may be unanswered at a time.
    pub window: usize,
    /// How long a client may take to acknowledge; then it is sent again.
    pub response_timeout: Duration,
    /// After how long a silence it asks whether the client is there.
    pub enquire_interval: Option<Duration>,

    /// How connections break.
    pub faults: Vec<Fault>,
    /// What it remembers of the messages that it took.
    pub memory: Memory,
    /// Where randomness starts.
    pub seed: u64,
}

/// Which receipts are sent, when, and what they look like.
#[derive(Clone, Debug)]
pub struct ReceiptSettings {
    /// For which messages.
    pub send: ReceiptsFor,
    /// How long after the answer: at least and at most.
    pub delay: (Duration, Duration),
    /// What is said in between, where registered_delivery asks for that.
    pub intermediate: ReceiptState,
    /// Final states with their weights.
    pub states: Vec<(ReceiptState, f64)>,
    /// Where the facts are.
    pub form: ReceiptForm,
    /// How dates are written.
    pub dates: DateForm,
    /// How the id is written, compared with the answer.
    pub id: IdForm,
    /// The state's word in lower case.
    pub lower_case: bool,
    /// `esm_class`; 0x04 by the standard, 0 from careless SMSCs.
    pub esm_class: u8,
    /// The receipt goes out before the answer to its submission.
    pub before_response: bool,
    /// Every receipt is sent twice.
    pub twice: bool,
    /// Receipts go over another connection of the same system id, if there is one.
    pub elsewhere: bool,
}

/// For which messages receipts are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiptsFor {
    /// None.
    Nothing,
    /// Those whose registered_delivery asks for one.
    Asked,
    /// All.
    Everything,
}

/// Where a receipt has its facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiptForm {
    /// In short_message.
    Text,
    /// In TLVs.
    Tlvs,
    /// In both.
    Both,
}

/// How the dates in a receipt's text are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateForm {
    /// `YYMMDDhhmm`, the standard's.
    Minutes,
    /// `YYMMDDhhmmss`.
    Seconds,
    /// `CCYYMMDDhhmmss`.
    Century,
}

/// What message ids look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdStyle {
    /// Eight hexadecimal digits, lower case, and more when the counter outgrows them.
    Hex,
    /// Decimal digits, not padded.
    Decimal,
    /// 36 characters with dashes.
    Uuid,
}

/// How an id is written in receipts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdForm {
    /// As in the answer.
    Same,
    /// Decimal of ten digits, where the answer has hexadecimal.
    HexToDec,
    /// Hexadecimal, where the answer has decimal.
    DecToHex,
    /// The answer's in upper case.
    Upper,
    /// The answer's, filled with zeros to so many characters.
    Padded(usize),
}

/// A way to break a connection.
#[derive(Clone, Debug)]
pub struct Fault {
    /// What happens.
    pub kind: FaultKind,
    /// At which submission of a connection, counted from 1.
    pub at_submit: u64,
    /// How many connections it strikes.
    pub times: u32,
}

/// What breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The connection is closed without a word.
    Close,
    /// The connection is closed in the middle of a PDU.
    CloseMidPdu,
    /// Octets come that are no SMPP.
    Garbage,
    /// A PDU comes that says it has 4 GB.
    HugeLength,
    /// Nothing is read or written any more, and the connection stays open.
    Hang,
    /// The SMSC unbinds.
    Unbind,
}

/// What is remembered of the messages that were taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// Nothing.
    Off,
    /// A hash of each: enough to count distinct ones and duplicates. About 20 octets a message.
    Hashes,
    /// Everything.
    Messages,
}

impl Default for SmscSettings {
    fn default() -> Self {
        Self {
            name: "simulator".into(),
            system_id: None,
            password: None,
            version: InterfaceVersion::V3_4,
            max_binds: None,
            refuse_binds: None,
            resp_delay: Duration::ZERO,
            resp_jitter: Duration::ZERO,
            out_of_order: false,
            throttle: None,
            queue_full_every: None,
            fail: Vec::new(),
            drop: 0.0,
            ledger: 10_000,
            ignore_inquiries: false,
            refuse_cancels: None,
            refuse_queries: None,
            refuse_replaces: None,
            ids: IdStyle::Hex,
            first_id: 0x1000_0000,
            default_alphabet: DefaultAlphabet::Gsm7,
            receipts: ReceiptSettings::default(),
            window: 1000,
            response_timeout: Duration::from_secs(60),
            enquire_interval: Some(Duration::from_secs(30)),
            faults: Vec::new(),
            memory: Memory::Messages,
            seed: 1,
        }
    }
}

impl Default for ReceiptSettings {
    fn default() -> Self {
        Self {
            send: ReceiptsFor::Asked,
            delay: (Duration::ZERO, Duration::ZERO),
            intermediate: ReceiptState::Enroute,
            states: vec![(ReceiptState::Delivered, 1.0)],
            form: ReceiptForm::Both,
            dates: DateForm::Minutes,
            id: IdForm::Same,
            lower_case: false,
            esm_class: 0x04,
            before_response: false,
            twice: false,
            elsewhere: false,
        }
    }
}
