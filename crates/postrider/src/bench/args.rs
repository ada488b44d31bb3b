//! The command line of `postrider bench`.

use clap::{Args, Subcommand, ValueEnum};

/// Load from outside, against any gateway.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Threads that make the load. One makes some 50,000 requests a second and leaves the most of a
    /// small machine to the gateway.
    #[arg(long, global = true, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: u16,
    /// Which way in.
    #[command(subcommand)]
    pub command: BenchCommand,
}

/// The ways in that can be loaded.
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Messages over HTTP, receipts by call-back.
    Http(HttpArgs),
    /// Messages and receipts over SMPP.
    Smpp(SmppArgs),
}

/// Load over HTTP.
#[derive(Debug, Args)]
pub struct HttpArgs {
    /// The gateway: host:port.
    #[arg(long)]
    pub address: String,
    /// How the gateway is spoken to.
    #[arg(long, value_enum, default_value = "postrider")]
    pub dialect: Dialect,
    /// Bearer token (postrider).
    #[arg(long, env = "POSTRIDER_TOKEN", default_value = "", hide_env_values = true)]
    pub token: String,
    /// User name (kannel).
    #[arg(long, default_value = "bench")]
    pub user: String,
    /// Password (kannel).
    #[arg(long, default_value = "bench", hide_default_value = true)]
    pub password: String,
    /// Messages in all.
    #[arg(long, default_value_t = 10_000)]
    pub messages: u64,
    /// Connections, each with one request under way.
    #[arg(long, default_value_t = 64)]
    pub connections: usize,
    /// Messages a request; more than 1 goes to /v1/batches.
    #[arg(long, default_value_t = 1)]
    pub batch: u64,
    /// Messages a second at the most; latency counts from when a request should have been sent.
    #[arg(long)]
    pub rate: Option<u64>,
    /// Listen here for the receipts' call-backs and wait for them; only accepting is measured
    /// without.
    #[arg(long)]
    pub sink: Option<String>,
    /// Seconds without progress after which receipts are given up.
    #[arg(long, default_value_t = 20)]
    pub patience: u64,
}

/// Load over SMPP.
#[derive(Debug, Args)]
pub struct SmppArgs {
    /// The SMPP server: host:port.
    #[arg(long)]
    pub address: String,
    /// Who binds; with several names, given one by one or with commas, the sessions are shared out
    /// between them.
    #[arg(long, default_value = "bench", value_delimiter = ',')]
    pub system_id: Vec<String>,
    /// The password of them all.
    #[arg(
        long,
        env = "POSTRIDER_BENCH_PASSWORD",
        default_value = "bench",
        hide_default_value = true,
        hide_env_values = true
    )]
    pub password: String,
    /// Messages in all.
    #[arg(long, default_value_t = 10_000)]
    pub messages: u64,
    /// Sessions, bound as transceivers.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..))]
    pub sessions: u16,
    /// Submissions of a session that may be unanswered.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub window: u16,
    /// Messages a second at the most; latency counts from when a message should have been sent.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub rate: Option<u64>,
    /// Ask for no receipts; only accepting is measured.
    #[arg(long)]
    pub no_receipts: bool,
    /// Seconds after which an answer is given up, and without progress after which receipts are.
    #[arg(long, default_value_t = 20)]
    pub patience: u64,
}

/// Whose API is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Dialect {
    /// `POST /v1/messages` and signed webhooks.
    Postrider,
    /// `GET /cgi-bin/sendsms` and `dlr-url`.
    Kannel,
}

impl Dialect {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Dialect::Postrider => "postrider",
            Dialect::Kannel => "kannel",
        }
    }
}
