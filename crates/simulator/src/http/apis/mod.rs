//! What the providers' interfaces look like, by their own documents.

mod gateways;
mod infobip;
mod mtn;
mod phone;
mod sinch;
mod telnyx;
mod twilio;
mod vonage;

use std::str::FromStr;

use super::fields::Asked;

/// A provider's interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpApi {
    /// Twilio Programmable Messaging, 2010-04-01.
    Twilio,
    /// Vonage SMS API.
    Vonage,
    /// Infobip SMS API.
    Infobip,
    /// Telnyx Messaging, version 2.
    Telnyx,
    /// Sinch SMS (XMS).
    Sinch,
    /// MTN SMS, version 3.
    MtnV3,
    /// MTN SMS, version 2.
    MtnV2,
    /// Kannel's smsbox.
    Kannel,
    /// Jasmin.
    Jasmin,
    /// Ozeki.
    Ozeki,
    /// SMS Gateway for Android.
    Android,
    /// A plain GET.
    Get,
}

impl HttpApi {
    /// Every one, with the name of its preset.
    pub const ALL: [(&'static str, Self); 12] = [
        ("twilio", Self::Twilio),
        ("vonage", Self::Vonage),
        ("infobip", Self::Infobip),
        ("telnyx", Self::Telnyx),
        ("sinch", Self::Sinch),
        ("mtn-v3", Self::MtnV3),
        ("mtn-v2", Self::MtnV2),
        ("kannel", Self::Kannel),
        ("jasmin", Self::Jasmin),
        ("ozeki", Self::Ozeki),
        ("android-sms-gateway", Self::Android),
        ("get", Self::Get),
    ];

    pub(super) fn provider(self) -> &'static dyn Provider {
        match self {
            Self::Twilio => &twilio::Twilio,
            Self::Vonage => &vonage::Vonage,
            Self::Infobip => &infobip::Infobip,
            Self::Telnyx => &telnyx::Telnyx,
            Self::Sinch => &sinch::Sinch,
            Self::MtnV3 => &mtn::Mtn { version: 3 },
            Self::MtnV2 => &mtn::Mtn { version: 2 },
            Self::Kannel => &gateways::Kannel,
            Self::Jasmin => &gateways::Jasmin,
            Self::Ozeki => &gateways::Ozeki,
            Self::Android => &phone::Android,
            Self::Get => &gateways::Get,
        }
    }
}

impl FromStr for HttpApi {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|(name, _)| *name == text).map(|(_, api)| *api);
        found.ok_or_else(|| Self::ALL.map(|(name, _)| name).join(", "))
    }
}

/// Who may send.
#[derive(Clone, Debug, Default)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: String,
}

/// A message that a request asks for.
#[derive(Clone, Debug, Default)]
pub(super) struct Submission {
    pub(super) from: String,
    pub(super) to: String,
    /// The text, or octets in hexadecimal.
    pub(super) text: String,
    /// Where its receipt goes, if one is wanted.
    pub(super) receipt_to: Option<String>,
    /// What the client calls it.
    pub(super) own_id: String,
}

/// What a client is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) status: u16,
    pub(super) kind: &'static str,
    pub(super) body: String,
    /// Value of `retry-after`.
    pub(super) retry_after: Option<u32>,
}

/// What a client is called with.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) method: &'static str,
    pub(super) url: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
    /// The body that says that it was taken; any, if empty.
    pub(super) wants: &'static str,
}

/// Why a message is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Unknown,
    Throttled,
    Failed,
    Unreadable,
}

/// A message from a phone.
pub(super) struct FromPhone<'a> {
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    pub(super) text: &'a str,
    pub(super) id: &'a str,
}

/// One provider's interface.
pub(super) trait Provider: Send + Sync {
    /// Is it ours, and does it say who it is?
    fn knows(&self, login: &Login, asked: &Asked) -> bool;
    /// The messages that it asks for; `None` if it can't be read.
    fn submissions(&self, asked: &Asked) -> Option<Vec<Submission>>;
    /// They are taken under these ids.
    fn taken(&self, all: &[(Submission, String)]) -> Told;
    /// They are not.
    fn refused(&self, why: Refusal) -> Told;
    /// Tells what became of one.
    fn receipt(&self, login: &Login, submission: &Submission, id: &str, delivered: bool) -> Option<Call>;
    /// Brings a message from a phone.
    fn incoming(&self, login: &Login, url: &str, message: &FromPhone<'_>) -> Call;
    /// What an id looks like that is made of a number.
    fn id(&self, number: u64) -> String {
        number.to_string()
    }
    /// Where the client asks to be called, if this is that.
    fn subscribed(&self, asked: &Asked) -> Option<String> {
        let _ = asked;
        None
    }
    /// Does the client ask for the messages from phones that have come?
    fn polled(&self, asked: &Asked) -> bool {
        let _ = asked;
        false
    }
    /// They are fetched, and not brought.
    fn is_polled(&self) -> bool {
        false
    }
    /// Does the client ask for an access token?
    fn gives_token(&self, asked: &Asked) -> bool {
        let _ = asked;
        false
    }
    /// The token that it gives out.
    fn token(&self) -> Option<&'static str> {
        None
    }
    /// Anything but a message: a token, a question, a subscription. `ended` says what became of an id.
    fn other(&self, login: &Login, asked: &Asked, ended: &dyn Fn(&str) -> Option<Option<bool>>) -> Option<Told> {
        let _ = (login, asked, ended);
        None
    }
}

impl Told {
    pub(super) fn json(status: u16, value: &serde_json::Value) -> Self {
        Self { status, kind: "application/json", body: value.to_string(), retry_after: None }
    }

    pub(super) fn text(status: u16, body: impl Into<String>) -> Self {
        Self { status, kind: "text/plain", body: body.into(), retry_after: None }
    }
}

impl Call {
    fn json(url: &str, value: &serde_json::Value) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self { method: "POST", url: url.into(), headers, body: value.to_string(), wants: "" }
    }

    fn form(url: &str, pairs: &[(&str, &str)]) -> Self {
        let headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
        Self { method: "POST", url: url.into(), headers, body: super::fields::encoded(pairs), wants: "" }
    }

    fn get(url: &str, pairs: &[(&str, &str)]) -> Self {
        let mark = if url.contains('?') { '&' } else { '?' };
        let pairs = super::fields::encoded(pairs);
        let url = if pairs.is_empty() { url.into() } else { format!("{url}{mark}{pairs}") };
        Self { method: "GET", url, headers: Vec::new(), body: String::new(), wants: "" }
    }
}

/// A number of 32 hexadecimal digits.
fn hex_id(number: u64) -> String {
    format!("{:016x}{number:016x}", number.wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

/// The same with dashes, as UUIDs are written.
fn dashed_id(number: u64) -> String {
    let hex = hex_id(number);
    let piece = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    [piece(0, 8), piece(8, 12), piece(12, 16), piece(16, 20), piece(20, 32)].join("-")
}

/// A string somewhere in JSON.
fn text_at(value: &serde_json::Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
}
