//! postrider.toml: what belongs to the process. The embedded default file is its documentation.

mod load;
mod sessions;
mod values;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use serde::Deserialize;

pub use load::{Sources, load};
pub use sessions::{Cimd2, Ucp};
pub use values::{Span, StorageUrl};

/// The default file: every key with its default and what it means.
pub const DEFAULT_FILE: &str = include_str!("../../postrider.default.toml");

/// The directory that everything is kept in unless something else is said.
pub const DATA_DIRECTORY: &str = "postrider-data";

/// The whole configuration, as it is written. What is not given, and depends on the data
/// directory, is `None`; ask the methods for what is meant.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where messages and resources are kept.
    pub storage: Storage,
    /// Which node of a fleet it is.
    pub node: Node,
    /// The HTTP API.
    pub http: Http,
    /// The SMPP server.
    pub smpp: Smpp,
    /// The UCP server.
    pub ucp: Ucp,
    /// The CIMD2 server.
    pub cimd2: Cimd2,
    /// Kannel's interface for applications.
    pub kannel: Kannel,
    /// Jasmin's.
    pub jasmin: Jasmin,
    /// Ozeki's.
    pub ozeki: Ozeki,
    /// How webhooks are called.
    pub webhooks: Webhooks,
    /// What is logged, and where.
    pub log: Log,
    /// Where keys are.
    pub keys: Keys,
    /// The data directory that was asked for on the command line.
    #[serde(skip)]
    pub data: Option<PathBuf>,
}

/// `[storage]`
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Storage {
    url: Option<StorageUrl>,
    /// How long what has ended is kept.
    pub retention: Retention,
}

/// `[node]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Node {
    /// Its name among the others; none is the host's.
    pub name: Option<String>,
    /// How long it counts as there when it is not heard of.
    pub membership: Span,
}

/// `[storage] retention`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Messages.
    pub messages: Span,
    /// Their texts.
    pub text: Span,
    /// Single charges and refunds.
    pub ledger: Span,
}

/// `[http]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// Where it listens.
    pub listen: Vec<SocketAddr>,
    /// HTTPS.
    pub tls: Option<Tls>,
    /// `/metrics` without a token.
    pub open_metrics: bool,
    /// What is refused or cut off.
    pub limits: Limits,
}

/// `tls` of `[http]`, `[kannel]`, `[jasmin]` and `[ozeki]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// PEM file of the certificate chain.
    pub cert: PathBuf,
    /// PEM file of its key.
    pub key: PathBuf,
}

/// `[http.limits]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections at a time.
    pub connections: usize,
    /// To the end of the headers.
    pub header_timeout: Span,
    /// To the answer.
    pub request_timeout: Span,
    /// For the handshake of TLS.
    pub handshake_timeout: Span,
    /// For what is under way at the end.
    pub shutdown_grace: Span,
    /// Headers of a request.
    pub headers: usize,
    /// Octets of all headers.
    pub header_octets: usize,
    /// Octets of a body.
    pub body_octets: usize,
    /// Octets of a batch.
    pub batch_octets: usize,
}

/// `[smpp]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Smpp {
    /// Where it listens.
    pub listen: Vec<SocketAddr>,
    /// The name that binds are answered with.
    pub system_id: String,
    /// SMPP over TLS.
    pub tls: Option<SmppTls>,
    /// What is refused or cut off.
    pub limits: SmppLimits,
}

/// `tls` of `[smpp]`, `[ucp]` and `[cimd2]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmppTls {
    /// PEM file of the certificate chain.
    pub cert: PathBuf,
    /// PEM file of its key.
    pub key: PathBuf,
    /// PEM file of the authorities that clients' certificates are to be signed by.
    pub client_ca: Option<PathBuf>,
    /// Where TLS is served beside plain sessions; without, `listen` is TLS.
    #[serde(default)]
    pub listen: Vec<SocketAddr>,
}

/// `[smpp.limits]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SmppLimits {
    /// Connections at a time.
    pub connections: usize,
    /// Of them from one address.
    pub connections_per_address: usize,
    /// Octets of a PDU.
    pub pdu_octets: usize,
    /// To the bind.
    pub bind_timeout: Span,
    /// Silence after which the client is asked whether it is there.
    pub enquire_interval: Span,
    /// Without a message; nothing is never.
    pub inactivity_timeout: Span,
    /// To the answer to a deliver_sm.
    pub response_timeout: Span,
    /// For what is under way at the end.
    pub shutdown_grace: Span,
}

/// `[kannel]`
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Kannel {
    /// Served on the addresses of `[http]`.
    pub on_http: bool,
    /// Addresses of its own.
    pub listen: Vec<SocketAddr>,
    /// HTTPS on these.
    pub tls: Option<Tls>,
    /// `Sent.` for an answer.
    pub immediate_reply: bool,
}

/// `[jasmin]`
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Jasmin {
    /// Both APIs, served on the addresses of `[http]`.
    pub on_http: bool,
    /// Addresses of the HTTP API.
    pub listen: Vec<SocketAddr>,
    /// Addresses of the REST API.
    pub rest_listen: Vec<SocketAddr>,
    /// HTTPS on both.
    pub tls: Option<Tls>,
}

/// `[ozeki]`
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ozeki {
    /// Served on the addresses of `[http]`.
    pub on_http: bool,
    /// Addresses of its own.
    pub listen: Vec<SocketAddr>,
    /// HTTPS on these.
    pub tls: Option<Tls>,
}

/// `[webhooks]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Webhooks {
    /// Private networks that may be called all the same.
    pub allow_private: Vec<IpNet>,
    /// The longest that a call may take.
    pub timeout: Span,
    /// Calls under way per endpoint.
    pub concurrency: usize,
}

/// `[log]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// For people or for programs.
    pub format: LogFormat,
    /// What is worth a line.
    pub level: String,
    access: Option<PathBuf>,
    /// What is left out of logs.
    pub redact: Redact,
}

/// `[log] format`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// `[log] redact`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Redact {
    /// Texts; they are never logged.
    pub text: bool,
    /// Phone numbers.
    pub numbers: Numbers,
}

/// `[log] redact.numbers`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Numbers {
    /// As they are.
    Full,
    /// The last four digits.
    #[default]
    Last4,
    /// Not at all.
    None,
}

/// `[keys]`
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Keys {
    file: Option<PathBuf>,
}

impl Config {
    /// Where the store is.
    pub fn store(&self) -> StorageUrl {
        let file = || StorageUrl::Sqlite(self.data_directory().join("postrider.db"));
        self.storage.url.clone().unwrap_or_else(file)
    }

    /// The directory of the lock, the key and the log: as asked for on the command line, or that
    /// of the store.
    pub fn data_directory(&self) -> PathBuf {
        match (&self.data, &self.storage.url) {
            (Some(data), _) => data.clone(),
            (None, Some(StorageUrl::Sqlite(path))) => match path.parent() {
                Some(parent) if parent != Path::new("") => parent.to_owned(),
                _ => PathBuf::from("."),
            },
            (None, Some(StorageUrl::Postgres(_)) | None) => PathBuf::from(DATA_DIRECTORY),
        }
    }

    /// The file of the key that secrets are sealed with.
    pub fn key_file(&self) -> PathBuf {
        self.keys.file.clone().unwrap_or_else(|| self.data_directory().join("secret.key"))
    }

    /// Where requests are written down, if they are.
    pub fn access_log(&self) -> Option<PathBuf> {
        match &self.log.access {
            None => Some(self.data_directory().join("access.log")),
            Some(path) if path.as_os_str().is_empty() => None,
            Some(path) => Some(path.clone()),
        }
    }
}

impl Default for Retention {
    fn default() -> Self {
        let ninety_days = Span(Duration::from_secs(90 * 86_400));
        Self { messages: ninety_days, text: ninety_days, ledger: Span(Duration::from_secs(400 * 86_400)) }
    }
}

impl Default for Http {
    fn default() -> Self {
        Self { listen: vec![local(8080)], tls: None, open_metrics: true, limits: Limits::default() }
    }
}

impl Default for Limits {
    fn default() -> Self {
        let seconds = |seconds| Span(Duration::from_secs(seconds));
        Self {
            connections: 4096,
            header_timeout: seconds(30),
            request_timeout: seconds(30),
            handshake_timeout: seconds(10),
            shutdown_grace: seconds(30),
            headers: 64,
            header_octets: 32 * 1024,
            body_octets: 1024 * 1024,
            batch_octets: 32 * 1024 * 1024,
        }
    }
}

impl Default for Smpp {
    fn default() -> Self {
        Self { listen: vec![local(2775)], system_id: "Postrider".into(), tls: None, limits: SmppLimits::default() }
    }
}

impl Default for SmppLimits {
    fn default() -> Self {
        let seconds = |seconds| Span(Duration::from_secs(seconds));
        Self {
            connections: 1024,
            connections_per_address: 64,
            pdu_octets: 65 * 1024,
            bind_timeout: seconds(15),
            enquire_interval: seconds(30),
            inactivity_timeout: seconds(0),
            response_timeout: seconds(60),
            shutdown_grace: seconds(30),
        }
    }
}

impl Default for Node {
    fn default() -> Self {
        Self { name: None, membership: Span(Duration::from_secs(5)) }
    }
}

impl Default for Webhooks {
    fn default() -> Self {
        let loopback = IpNet::new_assert([127, 0, 0, 0].into(), 8);
        Self { allow_private: vec![loopback], timeout: Span(Duration::from_secs(15)), concurrency: 64 }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Auto, level: "info".into(), access: None, redact: Redact::default() }
    }
}

impl Default for Redact {
    fn default() -> Self {
        Self { text: true, numbers: Numbers::Last4 }
    }
}

fn local(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}
