//! `simulate modem`: a GSM modem with a SIM and a network.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use simulator::{Memory, ModemFault, ModemFaultKind, ModemSettings, SimModem};
use tokio::net::TcpListener;
use tokio::time::MissedTickBehavior;

use super::{MO_WAITING_MAX, Range, Receipts, probability, rate, set, summary};
use crate::outcome::{Outcome, say};
use crate::signals::Signals;

/// How the modem behaves.
#[derive(Debug, Args)]
pub struct ModemArgs {
    /// Where its line listens, as ser2net has it; port 0 takes any that is free
    #[arg(long, default_value = "127.0.0.1:3001", conflicts_with = "pty")]
    listen: SocketAddr,
    /// Its line is a pseudo-terminal, with this name
    #[arg(long, value_name = "PATH")]
    pty: Option<PathBuf>,
    /// The SIM's PIN; without, it has none
    #[arg(long)]
    pin: Option<String>,
    /// The SIM's own number
    #[arg(long, value_name = "NUMBER")]
    number: Option<String>,
    /// IMEI of the modem
    #[arg(long)]
    imei: Option<String>,
    /// Messages that the SIM has room for
    #[arg(long, value_name = "N")]
    places: Option<u16>,
    /// It has no PDU mode
    #[arg(long)]
    text_only: bool,
    /// It takes no texts in UCS-2
    #[arg(long, requires = "text_only")]
    no_ucs2: bool,
    /// It is searching for a network, and finds none
    #[arg(long)]
    no_network: bool,
    /// How long it takes to send a message: 3s
    #[arg(long, value_name = "TIME")]
    resp_delay: Option<Range>,
    /// A +CMS ERROR and how probable it is, such as 38:0.01; may be repeated
    #[arg(long, value_name = "ERROR:PROBABILITY", value_parser = failure)]
    fail: Vec<(u16, f64)>,
    /// What goes wrong at the N-th message, and at the next ones up to TIMES (1 if it is left out): hang,
    /// hang-sent, error, garbage, restart, unplug or news; may be repeated
    #[arg(long, value_name = "KIND@N[xTIMES]", value_parser = fault)]
    fault: Vec<ModemFault>,
    /// For which messages status reports come
    #[arg(long, value_enum)]
    receipts: Option<Receipts>,
    /// How long after the message they come: 1s, or 300ms..3s at random
    #[arg(long, value_name = "TIME")]
    receipt_delay: Option<Range>,
    /// How probable it is that a message is not delivered (status 45)
    #[arg(long, value_name = "PROBABILITY", value_parser = probability)]
    undelivered: Option<f64>,
    /// A code and what the network answers to it, such as '*100#=Your balance is 5.00'; may be repeated
    #[arg(long, value_name = "CODE=TEXT", value_parser = ussd)]
    ussd: Vec<(String, String)>,
    /// Messages from phones a second
    #[arg(long, value_name = "N", value_parser = rate)]
    mo_rate: Option<f64>,
    /// From which phone they are
    #[arg(long, value_name = "NUMBER", default_value = "+447700900123", requires = "mo_rate")]
    mo_from: String,
    /// What they say; {n} counts
    #[arg(long, value_name = "TEXT", default_value = "hello {n}", requires = "mo_rate")]
    mo_text: String,
    /// Where randomness starts
    #[arg(long)]
    seed: Option<u64>,
    /// Remember what was sent, so that duplicates are counted; about 20 octets a message
    #[arg(long)]
    count_duplicates: bool,
}

/// Serves until it is told to stop, then says what it has counted.
pub async fn run(args: &ModemArgs) -> Outcome {
    let mut signals = Signals::new()?;
    let (modem, _link) = match &args.pty {
        Some(path) => on_terminal(path, settings(args))?,
        None => {
            let listener = TcpListener::bind(args.listen).await;
            let listener = listener.with_context(|| format!("the modem can't listen on {}", args.listen))?;
            (SimModem::start(listener, settings(args)), None)
        }
    };
    match (modem.address(), &args.pty) {
        (Some(address), _) => eprintln!("listening modem=tcp://{address}"),
        (None, path) => eprintln!("listening modem={}", path.as_deref().unwrap_or(Path::new("?")).display()),
    }
    tokio::select! {
        () = signals.stop() => {}
        () = send_from_phones(&modem, args) => {}
    }
    let counters = modem.counters();
    modem.stop().await;
    say(summary(&counters))
}

/// A name for a pseudo-terminal, which goes when it does.
#[derive(Debug)]
struct Link(PathBuf);

impl Drop for Link {
    fn drop(&mut self) {
        // Somebody else may have taken it away.
        let _ = std::fs::remove_file(&self.0);
    }
}

fn on_terminal(path: &Path, settings: ModemSettings) -> anyhow::Result<(SimModem, Option<Link>)> {
    let modem = SimModem::start_pty(settings).context("there is no pseudo-terminal")?;
    let device = modem.path().context("the pseudo-terminal has no name")?;
    // A name that was left behind is replaced; anything else is not.
    if path.symlink_metadata().is_ok_and(|found| found.is_symlink()) {
        std::fs::remove_file(path).with_context(|| format!("{} can't be replaced", path.display()))?;
    }
    std::os::unix::fs::symlink(device, path).with_context(|| format!("{} can't be made", path.display()))?;
    Ok((modem, Some(Link(path.to_owned()))))
}

/// Sends messages from phones, for ever.
async fn send_from_phones(modem: &SimModem, args: &ModemArgs) {
    let Some(rate) = args.mo_rate else { return std::future::pending().await };
    let mut tick = tokio::time::interval(Duration::from_secs_f64(rate.recip()));
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (mut n, mut told) = (0u64, false);
    loop {
        tick.tick().await;
        if n.saturating_sub(modem.counters().mo_acked) >= MO_WAITING_MAX {
            continue;
        }
        let text = args.mo_text.replace("{n}", &(n + 1).to_string());
        match modem.inject_mo(&args.mo_from, &text, n as u16) {
            Ok(parts) => n += parts as u64,
            Err(error) if !told => {
                told = true;
                eprintln!("a message from a phone can't be sent: {error}");
            }
            Err(_) => {}
        }
    }
}

fn settings(args: &ModemArgs) -> ModemSettings {
    let mut settings = ModemSettings {
        pin: args.pin.clone(),
        pdu_mode: !args.text_only,
        ucs2: !args.no_ucs2,
        fail: args.fail.clone(),
        faults: args.fault.clone(),
        memory: if args.count_duplicates { Memory::Hashes } else { Memory::Off },
        ..ModemSettings::default()
    };
    if args.no_network {
        settings.registration = 2;
    }
    if !args.ussd.is_empty() {
        settings.ussd.clone_from(&args.ussd);
    }
    set(&mut settings.number, args.number.clone());
    set(&mut settings.imei, args.imei.clone());
    set(&mut settings.places, args.places);
    set(&mut settings.seed, args.seed);
    set(&mut settings.receipts, args.receipts.map(Receipts::wanted));
    set(&mut settings.receipt_delay, args.receipt_delay.map(|Range(least, most)| (least, most)));
    set(&mut settings.send_delay, args.resp_delay.map(|Range(least, _)| least));
    if let Some(undelivered) = args.undelivered {
        settings.outcomes = vec![(0, 1.0 - undelivered), (0x45, undelivered)];
    }
    settings
}

/// `ERROR:PROBABILITY`.
fn failure(text: &str) -> Result<(u16, f64), String> {
    const FORM: &str = "write a +CMS ERROR and its probability, such as 38:0.01";
    let (error, odds) = text.split_once(':').ok_or(FORM)?;
    Ok((error.parse().map_err(|_| FORM)?, probability(odds)?))
}

/// `KIND@N` or `KIND@NxTIMES`.
fn fault(text: &str) -> Result<ModemFault, String> {
    const FORM: &str = "write a fault such as hang@100 or error@10x3";
    let (kind, when) = text.split_once('@').ok_or(FORM)?;
    let (at, times) = when.split_once('x').unwrap_or((when, "1"));
    let kind = match kind {
        "hang" => ModemFaultKind::Hang,
        "hang-sent" => ModemFaultKind::HangSent,
        "error" => ModemFaultKind::Error,
        "garbage" => ModemFaultKind::Garbage,
        "restart" => ModemFaultKind::Restart,
        "unplug" => ModemFaultKind::Unplug,
        "news" => ModemFaultKind::News,
        _ => return Err("a fault is hang, hang-sent, error, garbage, restart, unplug or news".into()),
    };
    let at_send = at.parse().ok().filter(|at| *at > 0).ok_or(FORM)?;
    Ok(ModemFault { kind, at_send, times: times.parse().map_err(|_| FORM)? })
}

/// `CODE=TEXT`.
fn ussd(text: &str) -> Result<(String, String), String> {
    let (code, answer) = text.split_once('=').ok_or("write a code and its answer, such as '*100#=Hello'")?;
    Ok((code.into(), answer.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read() {
        assert_eq!(failure("38:0.5"), Ok((38, 0.5)));
        assert_eq!(fault("hang@3x2"), Ok(ModemFault { kind: ModemFaultKind::Hang, at_send: 3, times: 2 }));
        assert_eq!(ussd("*100#=a=b"), Ok(("*100#".into(), "a=b".into())));
        assert!(
            failure("38").is_err() && fault("hang@0").is_err() && fault("sleep@1").is_err() && ussd("*1#").is_err()
        );
    }
}
