//! What only connectors that are modems have: what they tell of themselves, and questions to their networks.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use foldhash::HashMap;
use model::Name;
use model::resources::Protocol;
use store::{StoreError, Tally, TallyRow};
use tokio::sync::{mpsc, oneshot};

use crate::dispatch::{Link, LinkSession};
use crate::engine::Engine;
use crate::facts::{Fact, Facts};

/// Questions that may wait for one modem.
const WAITING_MAX: usize = 4;
/// Characters of a code at the most (3GPP 23.038 §5).
const CODE_MAX: usize = 182;
/// How long an answer is awaited: networks take up to a minute, and what is under way comes first.
const ANSWER_MAX: Duration = Duration::from_secs(120);

/// What a modem tells of itself, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModemView {
    /// Who made it.
    pub maker: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// Its software.
    pub revision: Option<String>,
    /// IMEI.
    pub imei: Option<String>,
    /// The SIM's own number.
    pub number: Option<String>,
    /// The network.
    pub operator: Option<String>,
    /// Registration with it, in words.
    pub registration: &'static str,
    /// Signal strength in dBm.
    pub signal_dbm: Option<i16>,
    /// The address of the SMSC.
    pub smsc: Option<String>,
    /// Messages in its store, and places there.
    pub store: Option<(u16, u16)>,
    /// Messages are written as PDUs; else as text.
    pub pdu_mode: bool,
}

/// What happened to a modem, to be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ModemIncident {
    /// Somebody called.
    Call,
    /// It did not answer, and was reset.
    Reset,
    /// Something in its store could not be read.
    Unreadable,
}

impl ModemIncident {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Reset => "reset",
            Self::Unreadable => "unreadable",
        }
    }
}

/// A question to a modem's network by USSD. Dropping it means that there was no answer.
#[derive(Debug)]
pub struct UssdAsk {
    /// The code, or the reply to what the network has asked.
    pub code: String,
    reply: oneshot::Sender<Result<UssdTold, UssdError>>,
}

/// What a network has answered by USSD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UssdTold {
    /// Where the dialogue stands: `done`, `reply_expected`, `ended`, `not_supported` or `timed_out`.
    pub state: &'static str,
    /// What it says.
    pub text: String,
}

/// Why there is no answer by USSD.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UssdError {
    /// Other connectors have no such thing.
    #[error("the connector {0} is no modem")]
    NotAModem(Name),
    /// The modem is not there.
    #[error("the modem of the connector {0} is not registered with a network")]
    NoModem(Name),
    /// Others wait already.
    #[error("too many questions wait for the modem of the connector {0}")]
    Busy(Name),
    /// It is no code.
    #[error("a code has 1 to 182 characters of 0-9 * # + A-Z a-z and space")]
    BadCode,
    /// The modem or its network refused it, or did not answer.
    #[error("the network was not asked: {0}")]
    Failed(String),
    /// No answer came.
    #[error("the network of the connector {0} did not answer in time")]
    NoAnswer(Name),
}

impl UssdAsk {
    /// Hands over what came of it.
    pub fn answer(self, told: Result<UssdTold, UssdError>) {
        // Whoever asked may have given up.
        let _ = self.reply.send(told);
    }
}

/// Where modems can be asked, by connector.
#[derive(Debug, Default)]
pub(crate) struct UssdDesks(Mutex<HashMap<Name, mpsc::Sender<UssdAsk>>>);

impl UssdDesks {
    /// Begins to send questions to a modem, until it drops the receiver.
    pub fn open(&self, connector: &Name) -> mpsc::Receiver<UssdAsk> {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(connector.clone(), sender);
        receiver
    }

    fn find(&self, connector: &str) -> Option<mpsc::Sender<UssdAsk>> {
        let desks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        desks.get(connector).filter(|desk| !desk.is_closed()).cloned()
    }
}

impl Engine {
    /// What is known of a connector's modem; `None` while that is not there.
    pub fn modem_is(&self, link: &Link, modem: Option<ModemView>) {
        self.inner.metrics.signal(link.id(), modem.as_ref().and_then(|modem| modem.signal_dbm));
        link.lane.set_modem(modem.map(Box::new));
    }

    /// Something happened to a connector's modem.
    pub fn modem_incident(&self, link: &Link, incident: ModemIncident) {
        self.inner.metrics.incident(link.id(), incident.as_str());
    }

    /// The hash of the PIN that the SIM of a connector has refused, if it has.
    pub async fn refused_pin(&self, connector: &Name) -> Result<Option<i64>, StoreError> {
        let rows = self.inner.store.tallies(std::slice::from_ref(connector)).await?;
        Ok(rows.iter().find(|row| row.tally == Tally::PinRefused).map(|row| row.value))
    }

    /// Asks the network of a connector's modem something by USSD, such as `*100#` for what is left on the SIM.
    pub async fn ussd(&self, connector: &str, code: &str) -> Result<UssdTold, UssdError> {
        let name = || Name::from(connector);
        let good = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'*' | b'#' | b'+' | b' ');
        if !(1..=CODE_MAX).contains(&code.len()) || !code.bytes().all(good) {
            return Err(UssdError::BadCode);
        }
        if self.world().connector(connector).is_some_and(|connector| connector.protocol != Protocol::Modem) {
            return Err(UssdError::NotAModem(name()));
        }
        let desk = self.inner.desks.ussd.find(connector).ok_or_else(|| UssdError::NoModem(name()))?;
        let (reply, told) = oneshot::channel();
        desk.try_send(UssdAsk { code: code.to_owned(), reply }).map_err(|_| UssdError::Busy(name()))?;
        match tokio::time::timeout(ANSWER_MAX, told).await {
            Ok(Ok(told)) => told,
            Ok(Err(_)) | Err(_) => Err(UssdError::NoAnswer(name())),
        }
    }
}

impl Link {
    /// The SIM of its modem has refused a PIN, of which this is a hash: it must not be tried again.
    pub fn refuse_pin(&self, hash: i64) {
        let row = TallyRow { owner: self.id().clone(), tally: Tally::PinRefused, period: 0, value: hash };
        // With a full channel it is known until the process ends.
        let _ = self.facts.try_send(Facts::one(Fact::Tallies { rows: vec![row] }));
    }
}

impl LinkSession {
    /// Says whether the session is a modem whose network can be asked by USSD.
    pub fn serve_ussd(&mut self, can_ask: bool) {
        match (can_ask, &self.ussd) {
            (true, None) => self.ussd = Some(self.link().desks.ussd.open(self.link().id())),
            (false, Some(_)) => (self.ussd, self.ussd_asked) = (None, None),
            _ => {}
        }
    }

    /// The next question by USSD, if there is one.
    pub fn next_ussd(&mut self) -> Option<UssdAsk> {
        self.ussd_asked.take()
    }
}
