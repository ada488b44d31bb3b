//! `simulate ucp`: an SMSC that speaks UCP/EMI.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use simulator::{Fault, Memory, UcpSmsc, UcpSmscSettings};
use tokio::net::TcpListener;
use tokio::time::MissedTickBehavior;
use ucp::{DeliveryStatus, ErrorCode, Reason};

use super::{MO_WAITING_MAX, Range, Receipts, fault, probability, rate, set, summary};
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
    /// How long an answer takes: 20ms, or 20ms..50ms at random
    #[arg(long, value_name = "TIME")]
    resp_delay: Option<Range>,
    /// Parts a second; above, error 04
    #[arg(long, value_name = "N")]
    throttle: Option<u32>,
    /// An error code and how probable it is, such as 06:0.01; may be repeated
    #[arg(long, value_name = "CODE:PROBABILITY", value_parser = failure)]
    fail: Vec<(ErrorCode, f64)>,
    /// How probable it is that a submission is taken and never answered
    #[arg(long, value_name = "PROBABILITY", value_parser = probability)]
    drop: Option<f64>,
    /// Breaks a connection at its N-th submission, as many TIMES as there are connections to strike (1 if
    /// it is left out): close, close-mid-pdu, garbage, huge-length or hang; may be repeated
    #[arg(long, value_name = "KIND@N[xTIMES]", value_parser = fault)]
    fault: Vec<Fault>,
    /// For which messages notifications are sent
    #[arg(long, value_enum)]
    receipts: Option<Receipts>,
    /// How long after the answer they are sent: 1s, or 300ms..3s at random
    #[arg(long, value_name = "TIME")]
    receipt_delay: Option<Range>,
    /// How probable it is that a message is not delivered, for the reason 107 (absent subscriber)
    #[arg(long, value_name = "PROBABILITY", value_parser = probability)]
    undelivered: Option<f64>,
    /// Messages from phones a second, to whoever is there
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
    /// Operations to a client that may be unanswered, at most 100
    #[arg(long)]
    window: Option<usize>,
    /// Where randomness starts
    #[arg(long)]
    seed: Option<u64>,
    /// Remember what was seen, so that duplicates are counted; about 20 octets a message
    #[arg(long)]
    count_duplicates: bool,
}

/// Serves until it is told to stop, then says what it has counted.
pub async fn run(args: &UcpArgs) -> Outcome {
    let mut signals = Signals::new()?;
    let listener = TcpListener::bind(args.listen).await;
    let listener = listener.with_context(|| format!("UCP can't listen on {}", args.listen))?;
    let smsc = UcpSmsc::start(listener, settings(args));
    eprintln!("listening ucp={}", smsc.address());
    tokio::select! {
        () = signals.stop() => {}
        () = send_from_phones(&smsc, args) => {}
    }
    let counters = smsc.counters();
    smsc.stop().await;
    say(summary(&counters))
}

/// Sends messages from phones, for ever.
async fn send_from_phones(smsc: &UcpSmsc, args: &UcpArgs) {
    let Some(rate) = args.mo_rate else { return std::future::pending().await };
    let mut tick = tokio::time::interval(Duration::from_secs_f64(rate.recip()));
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (mut n, mut told) = (0u64, false);
    loop {
        tick.tick().await;
        let counters = smsc.counters();
        if n.saturating_sub(counters.mo_acked + counters.deliveries_refused) >= MO_WAITING_MAX {
            continue;
        }
        let text = args.mo_text.replace("{n}", &(n + 1).to_string());
        match smsc.inject_mo(&args.mo_from, &args.mo_to, &text, n as u16) {
            // Nobody is there.
            Ok(0) => {}
            Ok(_) => n += 1,
            Err(error) if !told => {
                told = true;
                eprintln!("a message from a phone can't be sent: {error}");
            }
            Err(_) => {}
        }
    }
}

fn settings(args: &UcpArgs) -> UcpSmscSettings {
    let mut settings = UcpSmscSettings {
        account: args.account.clone(),
        password: args.password.clone(),
        login_required: !args.no_login,
        refuse_logins: args.refuse_logins,
        throttle: args.throttle,
        fail: args.fail.clone(),
        faults: args.fault.clone(),
        memory: if args.count_duplicates { Memory::Hashes } else { Memory::Off },
        ..UcpSmscSettings::default()
    };
    set(&mut settings.drop, args.drop);
    set(&mut settings.window, args.window);
    set(&mut settings.seed, args.seed);
    set(&mut settings.receipts, args.receipts.map(Receipts::wanted));
    set(&mut settings.receipt_delay, args.receipt_delay.map(|Range(least, most)| (least, most)));
    if let Some(Range(least, most)) = args.resp_delay {
        (settings.resp_delay, settings.resp_jitter) = (least, most.saturating_sub(least));
    }
    if let Some(undelivered) = args.undelivered {
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
