//! `simulate cimd2`: an SMSC that speaks CIMD2.

use std::net::SocketAddr;

use anyhow::Context as _;
use cimd2::{ErrorCode, StatusCode, StatusError};
use clap::Args;
use simulator::{Cimd2Smsc, Cimd2SmscSettings};
use tokio::net::TcpListener;

use super::manners::MannersArgs;
use super::{probability, set, summary};
use crate::outcome::{Outcome, say};
use crate::signals::Signals;

/// How the SMSC behaves.
#[derive(Debug, Args)]
pub struct Cimd2Args {
    /// Where it listens; port 0 takes any that is free
    #[arg(long, default_value = "127.0.0.1:9971")]
    listen: SocketAddr,
    /// Who may log in; without, anyone
    #[arg(long)]
    user: Option<String>,
    /// With which password; without, any
    #[arg(long)]
    password: Option<String>,
    /// Sessions of one user at a time; further logins get error 102
    #[arg(long, value_name = "N")]
    max_sessions: Option<usize>,
    /// The largest window that a login may announce; 0 refuses every login that announces one
    #[arg(long, value_name = "N")]
    max_window: Option<u16>,
    /// Refuses every login with this error code, such as 103
    #[arg(long, value_name = "CODE", value_parser = code)]
    refuse_logins: Option<ErrorCode>,
    /// Sends messages and reports only to sessions that have asked for them (05)
    #[arg(long)]
    querying: bool,
    /// Refuses to set (08) this parameter, such as 056; may be repeated
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(..1000))]
    refuse_set: Vec<u16>,
    /// What it says of a parameter that it is asked for (09), such as 069=358401000; may be repeated
    #[arg(long, value_name = "NUMBER=VALUE", value_parser = tells)]
    tell: Vec<(u16, String)>,
    /// Sends packets without checksums
    #[arg(long)]
    no_checksum: bool,
    /// An error code and how probable it is, such as 300:0.01; may be repeated
    #[arg(long, value_name = "CODE:PROBABILITY", value_parser = failure)]
    fail: Vec<(ErrorCode, f64)>,
    #[command(flatten)]
    manners: MannersArgs,
}

/// Serves until it is told to stop, then says what it has counted.
pub async fn run(args: &Cimd2Args) -> Outcome {
    let mut signals = Signals::new()?;
    let listener = TcpListener::bind(args.listen).await;
    let listener = listener.with_context(|| format!("CIMD2 can't listen on {}", args.listen))?;
    let smsc = Cimd2Smsc::start(listener, settings(args));
    eprintln!("listening cimd2={}", smsc.address());
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

fn settings(args: &Cimd2Args) -> Cimd2SmscSettings {
    let manners = &args.manners;
    let mut settings = Cimd2SmscSettings {
        user: args.user.clone(),
        password: args.password.clone(),
        max_sessions: args.max_sessions,
        refuse_logins: args.refuse_logins,
        querying: args.querying,
        refuse_sets: args.refuse_set.clone(),
        tells: args.tell.clone(),
        checksum: !args.no_checksum,
        throttle: manners.throttle,
        fail: args.fail.clone(),
        faults: manners.fault.clone(),
        memory: manners.memory(),
        ..Cimd2SmscSettings::default()
    };
    if let Some(max_window) = args.max_window {
        settings.max_window = (max_window > 0).then_some(max_window);
    }
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
            ((StatusCode::DELIVERED, StatusError::NONE), 1.0 - undelivered),
            ((StatusCode::FAILED, StatusError::ABSENT), undelivered),
        ];
    }
    settings
}

/// Up to three digits.
fn code(text: &str) -> Result<ErrorCode, String> {
    let number = text.parse().ok().filter(|number| (1..1000).contains(number));
    number.map(ErrorCode).ok_or_else(|| "write an error code such as 300".into())
}

/// `NUMBER=VALUE`.
fn tells(text: &str) -> Result<(u16, String), String> {
    let read =
        |(number, value): (&str, &str)| Some((number.parse().ok().filter(|number| *number < 1000)?, value.into()));
    text.split_once('=').and_then(read).ok_or_else(|| "write a number and a value, such as 069=358401000".into())
}

/// `CODE:PROBABILITY`.
fn failure(text: &str) -> Result<(ErrorCode, f64), String> {
    let (refusal, odds) = text.split_once(':').ok_or("write an error code and its probability, such as 300:0.01")?;
    Ok((code(refusal)?, probability(odds)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read() {
        assert_eq!(failure("300:0.5"), Ok((ErrorCode(300), 0.5)));
        assert_eq!(tells("069=35840"), Ok((69, "35840".into())));
        for bad in ["069", "x=1", "1000=1"] {
            assert!(tells(bad).is_err(), "{bad}");
        }
        for bad in ["300", "x:1", "0:1", "1000:1", "300:2"] {
            assert!(failure(bad).is_err(), "{bad}");
        }
    }
}
