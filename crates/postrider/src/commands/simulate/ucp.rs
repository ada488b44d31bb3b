//! `simulate ucp`: an SMSC that speaks UCP/EMI.

use std::net::SocketAddr;

use anyhow::Context as _;
use clap::Args;
use simulator::{UcpSmsc, UcpSmscSettings};
use tokio::net::TcpListener;
use ucp::{DeliveryStatus, ErrorCode, Reason};

use super::manners::MannersArgs;
use super::{probability, set, summary};
use crate::outcome::{Outcome, say};
use crate::signals::Signals;

/// How the SMSC behaves.
#[derive(Debug, Args)]
pub struct UcpArgs {
    /// Where it listens; port 0 takes any that is free
    #[arg(long, default_value = "127.0.0.1:5000")]
    listen: SocketAddr,
    /// Who may log in; without, anyone
    #[arg(long)]
    account: Option<String>,
    /// With which password; without, any
    #[arg(long)]
    password: Option<String>,
    /// Takes messages without a login (60)
    #[arg(long)]
    no_login: bool,
    /// Refuses every login with this error code, such as 07
    #[arg(long, value_name = "CODE", value_parser = code)]
    refuse_logins: Option<ErrorCode>,
    /// An error code and how probable it is, such as 06:0.01; may be repeated
    #[arg(long, value_name = "CODE:PROBABILITY", value_parser = failure)]
    fail: Vec<(ErrorCode, f64)>,
    #[command(flatten)]
    manners: MannersArgs,
}

/// Serves until it is told to stop, then says what it has counted.
pub async fn run(args: &UcpArgs) -> Outcome {
    let mut signals = Signals::new()?;
    let listener = TcpListener::bind(args.listen).await;
    let listener = listener.with_context(|| format!("UCP can't listen on {}", args.listen))?;
    let smsc = UcpSmsc::start(listener, settings(args));
    eprintln!("listening ucp={}", smsc.address());
    let manners = &args.manners;
    let inject = |text: &str, n| smsc.inject_mo(&manners.mo_from, &manners.mo_to, text, n);
    tokio::select! {
        () = signals.stop() => {}
        () = manners.send_from_phones(|| smsc.counters(), inject) => {}
    }
    let counters = smsc.counters();
    smsc.stop().await;
    say(summary(&counters))
}

fn settings(args: &UcpArgs) -> UcpSmscSettings {
    let manners = &args.manners;
    let mut settings = UcpSmscSettings {
        account: args.account.clone(),
        password: args.password.clone(),
        login_required: !args.no_login,
        refuse_logins: args.refuse_logins,
        throttle: manners.throttle,
        fail: args.fail.clone(),
        faults: manners.fault.clone(),
        memory: manners.memory(),
        ..UcpSmscSettings::default()
    };
    set(&mut settings.drop, manners.drop);
    set(&mut settings.window, manners.window);
    set(&mut settings.seed, manners.seed);
    set(&mut settings.receipts, manners.receipts());
    set(&mut settings.receipt_delay, manners.receipt_delay());
    if let Some(delay) = manners.resp_delay() {
        (settings.resp_delay, settings.resp_jitter) = delay;
    }
    if let Some(undelivered) = manners.undelivered {
        settings.outcomes = vec![
            ((DeliveryStatus::DELIVERED, Reason(0)), 1.0 - undelivered),
            ((DeliveryStatus::NOT_DELIVERED, Reason::ABSENT_SUBSCRIBER), undelivered),
        ];
    }
    settings
}

/// Two digits.
fn code(text: &str) -> Result<ErrorCode, String> {
    let number = text.parse().ok().filter(|number| (1..100).contains(number));
    number.map(ErrorCode).ok_or_else(|| "write an error code such as 06".into())
}

/// `CODE:PROBABILITY`.
fn failure(text: &str) -> Result<(ErrorCode, f64), String> {
    let (refusal, odds) = text.split_once(':').ok_or("write an error code and its probability, such as 06:0.01")?;
    Ok((code(refusal)?, probability(odds)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read() {
        assert_eq!(failure("06:0.5"), Ok((ErrorCode(6), 0.5)));
        for bad in ["06", "x:1", "0:1", "100:1", "06:2"] {
            assert!(failure(bad).is_err(), "{bad}");
        }
    }
}
