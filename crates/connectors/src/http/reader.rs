//! What one provider says, read by its connector's description. Pure: no socket, no clock, and whatever octets come,
//! it neither panics nor takes more than a multiple of their number in time and memory.

use std::sync::Arc;

use engine::dispatch::{Incoming, Told};
use engine::{CarrierCall, CarrierDenied};
use model::resources::Connector;
use model::resources::http::HttpSettings;
use model::resources::http::place::Place;
use model::{Reason, Timestamp};

use super::answer::{Answers, Verdict};
use super::api::{DescriptionFault, known};
use super::calls::Calls;
use super::document::{Document, place};
use super::incoming::Readings;
use super::values::Known;

/// Reads what a provider says: answers to requests, what it is asked for, and its calls.
///
/// ```
/// use connectors::http::{Document, ProviderReader, Verdict};
///
/// let connector = toml::from_str(
///     "id = 'a'\nprotocol = 'http'\naddress = 'https://a.example'\nhttp = { send = {}, answer = { id = '/id' } }",
/// )?;
/// let reader = ProviderReader::new(&connector)?;
/// let answer = Document::new(200, http::HeaderMap::new(), b"{\"id\":7}".to_vec());
/// assert_eq!(reader.answers(&answer, &["ours"]), [Verdict::Sent("7".into())]);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ProviderReader {
    answers: Answers,
    readings: Readings,
    asked: Option<Asked>,
    pub(super) calls: Calls,
    pub(super) known: Arc<Known>,
}

/// Where an answer says what became of a message that was asked about.
#[derive(Debug)]
struct Asked {
    state: Option<Place>,
    error: Option<Place>,
}

impl ProviderReader {
    /// One for a connector that speaks HTTP; its secrets are read where they are kept.
    ///
    /// # Errors
    /// Its description can't be used: the configuration's fault.
    pub fn new(connector: &Connector) -> Result<Self, DescriptionFault> {
        let settings = connector.http.as_deref().cloned().unwrap_or_default().resolved()?;
        let known = Arc::new(known(connector, &settings)?);
        Self::compile(&settings, known)
    }

    pub(super) fn compile(settings: &HttpSettings, known: Arc<Known>) -> Result<Self, DescriptionFault> {
        let asked = settings.query.as_ref().map(|query| {
            let (state, error) = (place(Some(&query.state))?, place(query.error.as_deref())?);
            Ok::<_, String>(Asked { state, error })
        });
        Ok(Self {
            answers: settings.answer.as_ref().map(Answers::compile).transpose()?.unwrap_or_default(),
            readings: Readings::compile(settings.receipt.as_ref(), settings.message.as_ref())?,
            asked: asked.transpose()?,
            calls: Calls::compile(settings, &known)?,
            known,
        })
    }

    /// What an answer means for each of the messages of its request, which were called `ids` in it: as many, in the
    /// same order.
    #[must_use]
    pub fn answers(&self, answer: &Document, ids: &[&str]) -> Vec<Verdict> {
        self.answers.read(answer, ids)
    }

    /// What an answer says of the message that was asked about.
    #[must_use]
    pub fn told(&self, answer: &Document) -> Told {
        let find = |place: Option<&Place>| place.and_then(|place| answer.find(place, None, ""));
        let asked = self.asked.as_ref().filter(|_| answer.is_success());
        match asked.and_then(|asked| Some((asked, find(asked.state.as_ref())?))) {
            Some((asked, word)) => {
                let error = find(asked.error.as_ref());
                Told::State(self.readings.receipt(&word, error.as_deref()))
            }
            None => {
                let detail = format!("HTTP {}", answer.status);
                Told::Refused(Reason::new("query_refused", detail, answer.status == 404))
            }
        }
    }

    /// The receipts and messages from phones in an answer to a poll.
    #[must_use]
    pub fn polled(&self, answer: &Document) -> Vec<Incoming> {
        self.readings.read(answer)
    }

    /// The receipts and messages from phones in a call; there may be none, for providers tell more than that.
    ///
    /// # Errors
    /// The secret of the path or the signature is not the provider's, or the call can't be read.
    pub fn called(&self, call: &CarrierCall, now: Timestamp) -> Result<Vec<Incoming>, CarrierDenied> {
        self.calls.read(call, &self.known, now).map(|document| self.readings.read(&document))
    }

    /// The provider's own code in an answer.
    pub(super) fn code(&self, answer: &Document) -> Option<String> {
        self.answers.code(answer)
    }
}
