//! `simulate http`: a provider with an HTTP API.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use simulator::{HttpApi, HttpProvider, HttpProviderSettings, Memory};
use tokio::net::TcpListener;
use tokio::time::MissedTickBehavior;

use super::{MO_WAITING_MAX, Range, probability, rate, set, summary};
use crate::outcome::{Outcome, say};
use crate::signals::Signals;

/// How the provider behaves.
#[derive(Debug, Args)]
pub struct HttpArgs {
    /// Where it listens; port 0 takes any that is free
    #[arg(long, default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// Whose API it is, by the name of its preset
    #[arg(long, value_name = "PRESET", value_parser = api)]
    api: HttpApi,
    /// Who may send: account, key or service plan
    #[arg(long, default_value = "user")]
    user: String,
    /// With which password, secret or token
    #[arg(long, default_value = "secret")]
    password: String,
    /// How long an answer takes: 20ms, or 20ms..50ms at random
    #[arg(long, value_name = "TIME")]
    resp_delay: Option<Range>,
    /// Messages a second; above, they are refused for now
    #[arg(long, value_name = "N")]
    throttle: Option<u32>,
    /// How probable it is that a message is refused for good
    #[arg(long, value_name = "PROBABILITY", value_parser = probability)]
    fail: Option<f64>,
    /// Refuses requests whole that have a message to this number
    #[arg(long, value_name = "NUMBER")]
    bad_number: Option<String>,
    /// After how many seconds an access token ends
    #[arg(long, value_name = "SECONDS")]
    token_seconds: Option<u32>,
    /// After how many requests an access token is not known any more
    #[arg(long, value_name = "N")]
    token_uses: Option<u64>,
    /// How probable it is that a request is taken and never answered
    #[arg(long, value_name = "PROBABILITY", value_parser = probability)]
    drop: Option<f64>,
    /// Closes the connection of the N-th request instead of answering it
    #[arg(long, value_name = "N")]
    close_after: Option<u64>,
    /// How long after the answer receipts are sent: 1s, or 300ms..3s at random
    #[arg(long, value_name = "TIME")]
    receipt_delay: Option<Range>,
    /// How probable it is that a message is not delivered
    #[arg(long, value_name = "PROBABILITY", value_parser = probability)]
    undelivered: Option<f64>,
    /// Where messages from phones go, and receipts where requests don't say where to
    #[arg(long, value_name = "URL")]
    callback: Option<String>,
    /// Messages from phones a second
    #[arg(long, value_name = "N", value_parser = rate)]
    mo_rate: Option<f64>,
    /// From which phone they are
    #[arg(long, value_name = "NUMBER", default_value = "+447700900123", requires = "mo_rate")]
    mo_from: String,
    /// To which number
    #[arg(long, value_name = "NUMBER", default_value = "60777", requires = "mo_rate")]
    mo_to: String,
    /// What they say; {n} counts
    #[arg(long, value_name = "TEXT", default_value = "hello {n}", requires = "mo_rate")]
    mo_text: String,
    /// Where randomness starts
    #[arg(long)]
    seed: Option<u64>,
    /// Remember what was seen, so that duplicates are counted; about 20 octets a message
    #[arg(long)]
    count_duplicates: bool,
}

/// Serves until it is told to stop, then says what it has counted.
pub async fn run(args: &HttpArgs) -> Outcome {
    let mut signals = Signals::new()?;
    let listener = TcpListener::bind(args.listen).await;
    let listener = listener.with_context(|| format!("HTTP can't listen on {}", args.listen))?;
    let provider = HttpProvider::start(listener, settings(args));
    eprintln!("listening http={}", provider.address());
    tokio::select! {
        () = signals.stop() => {}
        () = send_from_phones(&provider, args) => {}
    }
    let counters = provider.counters();
    provider.stop().await;
    say(summary(&counters))
}

/// Sends messages from phones, for ever.
async fn send_from_phones(provider: &HttpProvider, args: &HttpArgs) {
    let Some(rate) = args.mo_rate else { return std::future::pending().await };
    let mut tick = tokio::time::interval(Duration::from_secs_f64(rate.recip()));
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut n = 0u64;
    loop {
        tick.tick().await;
        let counters = provider.counters();
        if n.saturating_sub(counters.mo_acked + counters.deliveries_refused) >= MO_WAITING_MAX {
            continue;
        }
        let text = args.mo_text.replace("{n}", &(n + 1).to_string());
        // Nobody may have said where to yet.
        n += u64::from(provider.inject_mo(&args.mo_from, &args.mo_to, &text));
    }
}

fn settings(args: &HttpArgs) -> HttpProviderSettings {
    let mut settings = HttpProviderSettings {
        user: args.user.clone(),
        password: args.password.clone(),
        throttle: args.throttle,
        close_after: args.close_after,
        bad_number: args.bad_number.clone(),
        token_seconds: args.token_seconds,
        token_uses: args.token_uses,
        callback: args.callback.clone(),
        memory: if args.count_duplicates { Memory::Hashes } else { Memory::Off },
        ..HttpProviderSettings::new(args.api)
    };
    set(&mut settings.fail, args.fail);
    set(&mut settings.drop, args.drop);
    set(&mut settings.undelivered, args.undelivered);
    set(&mut settings.seed, args.seed);
    set(&mut settings.resp_delay, args.resp_delay.map(|Range(least, most)| (least, most)));
    set(&mut settings.receipt_delay, args.receipt_delay.map(|Range(least, most)| (least, most)));
    settings
}

fn api(text: &str) -> Result<HttpApi, String> {
    text.parse().map_err(|known: String| format!("the APIs are {known}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_has_its_simulator() {
        let presets: Vec<&str> = model::resources::http::preset::ALL.iter().map(|preset| preset.name).collect();
        let mut simulated = HttpApi::ALL.map(|(name, _)| name);
        simulated.sort_unstable();
        assert_eq!(simulated, *presets);
        assert!(api("twilio").is_ok() && api("nobody").is_err());
    }
}
