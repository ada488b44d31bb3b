//! Resources: accounts, connectors, pools, routes, inbound rules, webhooks, tokens, as an operator
//! writes them in the resources file and sees them in the API.
//!
//! They are kept in the store as one JSON document each, under [`Kind`] and id. What they refer
//! to is checked as a whole ([`set`]) before any of it takes effect.

mod account;
mod cimd2;
mod connector;
pub mod http;
mod inbound;
mod limits;
mod modem;
mod mqtt;
mod opt_out;
mod pace;
mod policy;
mod pool;
mod price;
mod quiet_hours;
mod rewrite;
mod route;
mod secret;
mod session_login;
pub mod set;
mod smpp_login;
mod ucp;

pub use account::{Account, Compat, EventFilter, Scope, Token, Webhook};
pub use cimd2::Cimd2Settings;
pub use connector::{
    AddressForm, BindKind, Connector, DefaultAlphabet, FlashForm, HealthSettings, InterfaceVersion, LongForm,
    OutbindSettings, Protocol, ReceiptIdForm, Reconnect, StatusClass, TlsSettings, ValidityForm,
};
pub use http::HttpSettings;
pub use inbound::{
    ANSWER_PARTS_MAX, AnswerUse, FORWARD_MAX, Handover, Inbound, InboundGroup, InboundMatch, REPLY_LIMIT_MAX,
    RuleWebhook,
};
pub use limits::{LIMIT_LIST_MAX, Prepaid, Quota, SHARE_MAX, SenderFamily, SenderKind, SenderRule};
pub use modem::{FlowControl, ModemCalls, ModemMode, ModemSettings, SimLimits};
pub use mqtt::{Broker, MQTT_TOPIC_MAX, MqttSettings};
pub use opt_out::{
    HELP_WORDS, OPT_OUT_REPLY_MAX, OPT_OUT_WORD_MAX, OPT_OUT_WORDS_MAX, OptOutScope, OptOutWords, START_REPLY,
    START_WORDS, STOP_REPLY, STOP_WORDS,
};
pub use pace::{PACE_COUNT_MAX, PACE_SECONDS_MAX, Pace, RecipientPace, SenderPace};
pub use policy::{
    OnFailure, POLICY_CACHE_SECONDS_MAX, POLICY_TIMEOUT_MS, POLICY_TIMEOUT_MS_MAX, PolicyHook, is_network,
};
pub use pool::{FAILOVER_SECONDS, POOL_MEMBERS_MAX, Pool, PoolMember, PoolStrategy, Sticky, WEIGHT_MAX};
pub use price::{Amount, Currency, Money, MoneyError, PriceList};
pub use quiet_hours::{QuietAction, QuietHours, RECIPIENT_ZONE};
pub use rewrite::{AddressRewrite, Rewrite, TEXT_APPEND_MAX};
pub use route::{Day, INGRESSES, PREFIX_MAX, PartRange, Route, RouteAction, RouteMatch, TimeWindow};
pub use secret::{Secret, SecretError, is_signing_secret};
pub use session_login::{LoginSecrets, LoginTerms, SessionLogin};
pub use set::{ResourceSet, SetFault};
pub use smpp_login::{IncomingWay, MessageIdForm, ReceiptForm, SmppLogin};
pub use ucp::{UcpSettings, UcpSubmit};

use serde::{Deserialize, Serialize};

/// What a resource is; with its id the key of its document in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// [`Account`].
    Account,
    /// [`Connector`].
    Connector,
    /// [`Pool`].
    Pool,
    /// [`Route`].
    Route,
    /// [`Inbound`].
    Inbound,
    /// [`Token`].
    Token,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 6] = [Kind::Account, Kind::Connector, Kind::Pool, Kind::Route, Kind::Inbound, Kind::Token];

    /// The word for it: the table's name in the resources file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Account => "account",
            Kind::Connector => "connector",
            Kind::Pool => "pool",
            Kind::Route => "route",
            Kind::Inbound => "inbound",
            Kind::Token => "token",
        }
    }

    /// The kind of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == word)
    }
}
