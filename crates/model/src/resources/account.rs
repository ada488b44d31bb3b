//! Accounts, their webhooks and their tokens.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{
    MqttSettings, OptOutWords, Pace, PolicyHook, Prepaid, PriceList, QuietHours, Quota, Secret, SenderRule,
    SessionLogin, SmppLogin,
};
use crate::form;
use crate::{CallbackStyle, Timestamp};

/// A customer or application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Its id.
    pub id: String,
    /// A name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The account above it: its limits hold for this one too, it pays where this one does not, and
    /// its tokens may act for this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// May it use the gateway? Default true.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub enabled: bool,
    /// An API token in plain; replaced by its hash before it is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_token: Option<Secret>,
    /// SHA-256 of an API token, 64 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_token_sha256: Option<String>,
    /// The sender of messages that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_sender: Option<String>,
    /// ISO 3166-1 alpha-2: the country whose way of writing numbers is understood.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_country: Option<String>,
    /// Seconds that a message is valid when it does not say; default three days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_validity_seconds: Option<u64>,
    /// May a message name its connector or route? Default false.
    #[serde(default, skip_serializing_if = "is_no")]
    pub may_choose_connector: bool,
    /// National languages whose shift tables may be used: `turkish`, `spanish`, `portuguese` ….
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<String>,
    /// Senders that it may use; default any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_senders: Vec<SenderRule>,
    /// Countries that it may send to, ISO 3166-1 alpha-2; default all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_countries: Vec<String>,
    /// Countries that it may not send to, ISO 3166-1 alpha-2.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub denied_countries: Vec<String>,
    /// Parts a second that it may hand in; default as many as it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throughput: Option<u32>,
    /// What it gets of a connector that is busy, measured against other accounts; default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority_share: Option<u32>,
    /// Messages of it, and of the accounts below it, that may be queued at a time, scheduled ones among
    /// them; default any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_queue: Option<u64>,
    /// Parts that it may hand in by day and month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<Quota>,
    /// The clock of its days and months, an IANA time zone such as `Europe/London`; default UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Hours in which nothing of it goes out.
    #[serde(default, deserialize_with = "form::object_or_null", skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<Box<QuietHours>>,
    /// How far apart messages of one of its senders, and to one recipient, go.
    #[serde(default, deserialize_with = "form::object_or_null", skip_serializing_if = "Option::is_none")]
    pub pace: Option<Box<Pace>>,
    /// What it pays for a part, where the route has no price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<PriceList>,
    /// It pays from a balance, before anything is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prepaid: Option<Prepaid>,
    /// What phones may write to hear nothing more from it; without, such words are messages like any
    /// other.
    #[serde(default, deserialize_with = "form::object_or_null", skip_serializing_if = "Option::is_none")]
    pub opt_out: Option<Box<OptOutWords>>,
    /// A service that is asked about its messages, and those of accounts below it, before they are routed.
    #[serde(default, deserialize_with = "form::object_or_null", skip_serializing_if = "Option::is_none")]
    pub policy: Option<Box<PolicyHook>>,
    /// How applications that were written for Kannel, Jasmin or Ozeki log in.
    #[serde(default, deserialize_with = "form::object_or_null", skip_serializing_if = "Option::is_none")]
    pub compat: Option<Compat>,
    /// How it binds to the SMPP server; without, it can't.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smpp: Option<Box<SmppLogin>>,
    /// How it logs in to the UCP server; without, it can't.
    #[serde(default, deserialize_with = "form::object_or_null", skip_serializing_if = "Option::is_none")]
    pub ucp: Option<Box<SessionLogin>>,
    /// How it logs in to the CIMD2 server; without, it can't.
    #[serde(default, deserialize_with = "form::object_or_null", skip_serializing_if = "Option::is_none")]
    pub cimd2: Option<Box<SessionLogin>>,
    /// Its bridge to an MQTT broker.
    #[serde(default, deserialize_with = "form::object_or_null", skip_serializing_if = "Option::is_none")]
    pub mqtt: Option<Box<MqttSettings>>,
    /// Where events go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub webhooks: Vec<Webhook>,
}

/// What an application that was written for another gateway logs in with, whichever of them it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compat {
    /// The user's name, which no other account has.
    pub username: String,
    /// The password. One that is left out stays as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
}

/// Where an account's events go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Its id; the account's id and a number when none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `https://…` or `http://…`.
    pub url: String,
    /// How it is called. In Kannel's and Jasmin's styles messages are all that it hears of.
    #[serde(default, deserialize_with = "form::word", skip_serializing_if = "CallbackStyle::is_webhook")]
    pub style: CallbackStyle,
    /// The signing secret, `whsec_` and base64 of 24–64 octets. Made when none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret>,
    /// Which events: names, or `message.*`; default all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventFilter>,
    /// Is it called? Answering 410 Gone turns it off. Default true.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub enabled: bool,
}

/// An event's name, or a family of them: `message.*`, `*`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventFilter(pub String);

impl EventFilter {
    /// Is `event` meant by this?
    #[must_use]
    pub fn takes(&self, event: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(family) => event.starts_with(family),
            None => event == self.0,
        }
    }
}

impl Webhook {
    /// Does it want to hear of `event`?
    #[must_use]
    pub fn wants(&self, event: &str) -> bool {
        self.enabled && (self.events.is_empty() || self.events.iter().any(|f| f.takes(event)))
    }
}

/// An API token: kept as a hash, shown once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Its id, which is not the token.
    pub id: String,
    /// Whose it is.
    pub account: String,
    /// SHA-256 of the token, 64 hexadecimal digits.
    pub sha256: String,
    /// What it may do; default messages only.
    #[serde(default = "messages_only")]
    pub scopes: Vec<Scope>,
    /// After this it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Networks that it may be used from; default all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<IpNet>,
    /// When it was made.
    #[serde(default)]
    pub created_at: Timestamp,
}

/// What a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Send, read and cancel the account's messages; read and redeliver its deliveries.
    Messages,
    /// Read the account's messages and deliveries, change nothing.
    Read,
    /// Everything, of every account: resources, connectors, tokens.
    Admin,
}

fn messages_only() -> Vec<Scope> {
    vec![Scope::Messages]
}

pub(super) fn yes() -> bool {
    true
}

pub(super) fn is_yes(value: &bool) -> bool {
    *value
}

pub(super) fn is_no(value: &bool) -> bool {
    !*value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_filters_take_names_and_families() {
        assert!(EventFilter("message.*".into()).takes("message.sent"));
        assert!(!EventFilter("message.*".into()).takes("batch.completed"));
        assert!(EventFilter("*".into()).takes("batch.completed"));
        assert!(EventFilter("message.sent".into()).takes("message.sent"));
        assert!(!EventFilter("message.sent".into()).takes("message.sent.x"));
    }

    #[test]
    fn an_unknown_key_is_an_error_and_defaults_are_not_written() {
        assert!(serde_json::from_str::<Account>(r#"{"id":"a","apitoken":"x"}"#).is_err());
        let account: Account = serde_json::from_str(r#"{"id":"a"}"#).unwrap();
        assert_eq!(serde_json::to_string(&account).unwrap(), r#"{"id":"a"}"#);
    }
}
