//! What the scenarios share. Each file under `tests/` is one scenario: it starts the real binary,
//! lets it talk to simulated carriers or to programs that others have written, and judges by what
//! came out at the far ends: what the carrier took, and what the application was told.
//!
//! A [`Place`] is a data directory with its resources; [`Place::start`] gives a running [`Gateway`]
//! on it, which is killed when dropped and can be started again on the same place. An application is
//! a [`Client`] of the HTTP API together with a [`Sink`] that takes its webhooks. A carrier is
//! [`carrier::Carrier`], or another program ([`peers`]).
//!
//! Nothing here sleeps to give others time. Everything waits for an event (a log line, a webhook, a
//! line of a peer) for at most [`PATIENCE`], which is so long that only a hang can reach it.
//!
//! A scenario whose peers are not installed calls [`skip`], which tells `./test` why, so that it is
//! counted as skipped and not as passed.

mod gateway;
mod http;
mod lines;
mod sink;

pub mod broker;
pub mod carrier;
pub mod kannel;
pub mod pcap;
pub mod peers;
pub mod phones;
pub mod postgres;
pub mod provider;
pub mod recorder;

use std::io::Write as _;
use std::time::{Duration, Instant};

pub use gateway::{Gateway, Place, binary, command};
pub use http::{Answer, Client};
pub use lines::{Lines, Process};
pub use sink::{Call, Seen, Sink};

/// How long anything is waited for: only a hang takes so long.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// The token of [`ACCOUNT`].
pub const TOKEN: &str = "scenario-token-0123456789-0123456789";
/// The account that scenarios send as.
pub const ACCOUNT: &str = "shop";
/// The secret that webhooks are signed with.
pub const SECRET: &str = "whsec_c2NlbmFyaW8tc2VjcmV0LXNjZW5hcmlvLXNlY3JldA==";

/// An address where nobody listens, nor can while this is kept.
pub struct Nobody {
    socket: tokio::net::TcpSocket,
}

impl Nobody {
    /// Takes a free port.
    ///
    /// # Panics
    /// When there is none.
    pub fn listens() -> Self {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.bind(([127, 0, 0, 1], 0).into()).expect("a free port");
        Self { socket }
    }

    /// The address.
    ///
    /// # Panics
    /// Never: it is bound.
    pub fn address(&self) -> std::net::SocketAddr {
        self.socket.local_addr().expect("it is bound")
    }
}

/// Says that this test can't be run here, and why. Return from the test after it.
pub fn skip(why: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    eprintln!("SKIPPED {test}: {why}");
    let Some(file) = std::env::var_os("POSTRIDER_SKIPS") else { return };
    let opened = std::fs::OpenOptions::new().create(true).append(true).open(file);
    if let Ok(mut file) = opened {
        // One write, so that tests which run in parallel don't mix their lines.
        let _ = file.write_all(format!("{test}: {why}\n").as_bytes());
    }
}

/// Asks again and again, for what tells nobody when it changes, until the answer is there.
///
/// # Panics
/// When it does not come.
pub fn ask_until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "no {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A resources file with one account, whose events go to `sink`, one route to `connector`, and what
/// `connectors` has in TOML.
pub fn resources(sink: &Sink, connector: &str, connectors: &str) -> String {
    format!(
        r#"
[[account]]
id = "{ACCOUNT}"
api_token = "{TOKEN}"
default_sender = "SHOP"
default_country = "GB"
webhooks = [{{ url = "{}", secret = "{SECRET}" }}]

{connectors}

[[route]]
id = "everything"
to = "{connector}"

[[inbound]]
id = "everything"
account = "{ACCOUNT}"
"#,
        sink.url()
    )
}

/// The same with an SMPP login for the account: `shop`, `secret`, and further keys in `more`.
pub fn resources_with_smpp(sink: &Sink, connector: &str, connectors: &str, more: &str) -> String {
    let login = format!("smpp = {{ system_id = \"shop\", password = \"secret\"{more} }}\ndefault_country");
    resources(sink, connector, connectors).replacen("default_country", &login, 1)
}

/// A connector in TOML, with further keys in `more`, one a line.
pub fn connector(id: &str, address: impl std::fmt::Display, more: &str) -> String {
    format!(
        r#"
[[connector]]
id = "{id}"
protocol = "smpp"
address = "{address}"
system_id = "gateway"
password = "secret"
reconnect = {{ min_ms = 50, max_ms = 500 }}
{more}
"#
    )
}
