//! `simulate`: a carrier to test against.

mod cimd2;
mod http;
mod manners;
mod modem;
mod ucp;

use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use simulator::{
    Counters, Fault, FaultKind, IdForm, IdStyle, Memory, Mo, MoContent, ReceiptForm, ReceiptsFor, Smsc, SmscSettings,
};
use smpp::{CommandStatus, InterfaceVersion};
use sms::receipt::ReceiptState;
use tokio::net::TcpListener;
use tokio::time::MissedTickBehavior;

use crate::config::Span;
use crate::outcome::{Outcome, say};
use crate::signals::Signals;

/// How often it is looked whether somebody is bound.
const OUTBIND_EVERY: Duration = Duration::from_secs(1);

/// Messages from phones that may wait for a client that does not take them.
const MO_WAITING_MAX: u64 = 10_000;

/// Which protocol the carrier speaks.
#[derive(Debug, Subcommand)]
pub enum SimulateCommand {
    /// An SMSC that speaks SMPP
    Smpp(Box<SmppArgs>),
    /// An SMSC that speaks UCP/EMI
    Ucp(Box<ucp::UcpArgs>),
    /// An SMSC that speaks CIMD2
    Cimd2(Box<cimd2::Cimd2Args>),
    /// A provider with an HTTP API
    Http(Box<http::HttpArgs>),
    /// A GSM modem with a SIM and a network
    Modem(Box<modem::ModemArgs>),
}

/// How the SMSC behaves; what is not said is as the preset has it.
#[derive(Debug, Args)]
pub struct SmppArgs {
    /// Where it listens; port 0 takes any that is free
    #[arg(long, default_value = "127.0.0.1:2775")]
    listen: SocketAddr,
    /// Habits that belong together
    #[arg(long, value_enum)]
    preset: Option<Preset>,
    /// Who may bind; without, anyone
    #[arg(long)]
    system_id: Option<String>,
    /// With which password; without, any
    #[arg(long)]
    password: Option<String>,
    /// 3.3, 3.4 or 5.0
    #[arg(long, value_parser = version)]
    version: Option<InterfaceVersion>,
    /// Binds at a time for one system id
    #[arg(long)]
    max_binds: Option<usize>,
    /// How long an answer takes: 20ms, or 20ms..50ms at random
    #[arg(long, value_name = "TIME")]
    resp_delay: Option<Range>,
    /// Answers overtake one another
    #[arg(long)]
    out_of_order: bool,
    /// Parts a second; above, ESME_RTHROTTLED
    #[arg(long, value_name = "N")]
    throttle: Option<u32>,
    /// Every N-th submission gets ESME_RMSGQFUL
    #[arg(long, value_name = "N")]
    queue_full_every: Option<u64>,
    /// A status and how probable it is, such as 0x08:0.01; may be repeated
    #[arg(long, value_name = "STATUS:PROBABILITY", value_parser = failure)]
    fail: Vec<(CommandStatus, f64)>,
    /// How probable it is that a submission is taken and never answered
    #[arg(long, value_name = "PROBABILITY", value_parser = probability)]
    drop: Option<f64>,
    /// Refuses every bind with this status, such as 0x05
    #[arg(long, value_name = "STATUS", value_parser = status)]
    refuse_binds: Option<CommandStatus>,
    /// Refuses every cancel_sm with this status
    #[arg(long, value_name = "STATUS", value_parser = status)]
    refuse_cancels: Option<CommandStatus>,
    /// Refuses every query_sm with this status
    #[arg(long, value_name = "STATUS", value_parser = status)]
    refuse_queries: Option<CommandStatus>,
    /// Refuses every replace_sm with this status
    #[arg(long, value_name = "STATUS", value_parser = status)]
    refuse_replaces: Option<CommandStatus>,
    /// Never answers cancel_sm, query_sm and replace_sm
    #[arg(long)]
    ignore_inquiries: bool,
    /// How many of the last messages can be asked about, canceled and replaced
    #[arg(long, value_name = "N")]
    ledger: Option<usize>,
    /// Breaks a connection at its N-th submission, as many TIMES as there are connections to strike (1 if
    /// it is left out): close, close-mid-pdu, garbage, huge-length, hang or unbind; may be repeated
    #[arg(long, value_name = "KIND@N[xTIMES]", value_parser = fault)]
    fault: Vec<Fault>,
    /// What the ids look like
    #[arg(long, value_enum)]
    ids: Option<Ids>,
    /// For which messages receipts are sent
    #[arg(long, value_enum)]
    receipts: Option<Receipts>,
    /// How long after the answer receipts are sent: 1s, or 300ms..3s at random
    #[arg(long, value_name = "TIME")]
    receipt_delay: Option<Range>,
    /// How ids are written in receipts
    #[arg(long, value_enum)]
    receipt_ids: Option<ReceiptIds>,
    /// Where receipts have their facts
    #[arg(long, value_enum)]
    receipt_form: Option<Form>,
    /// A state and its weight, such as DELIVRD:0.9; may be repeated
    #[arg(long, value_name = "STATE:WEIGHT", value_parser = state)]
    receipt_state: Vec<(ReceiptState, f64)>,
    /// Receipts go out before the answers
    #[arg(long)]
    receipts_first: bool,
    /// Every receipt is sent twice
    #[arg(long)]
    receipts_twice: bool,
    /// Messages from phones a second, to whoever is bound
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
    /// Connects there while nobody is bound, and asks for a bind
    #[arg(long, value_name = "HOST:PORT")]
    outbind: Option<String>,
    /// Its own name in the outbind
    #[arg(long, value_name = "NAME", default_value = "simulator", requires = "outbind")]
    outbind_system_id: String,
    /// Its own password in the outbind
    #[arg(long, value_name = "PASSWORD", default_value = "", requires = "outbind")]
    outbind_password: String,
    /// Requests to a client that may be unanswered
    #[arg(long)]
    window: Option<usize>,
    /// Where randomness starts
    #[arg(long)]
    seed: Option<u64>,
    /// Remember what was seen, so that duplicates are counted; about 20 octets a message
    #[arg(long)]
    count_duplicates: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Preset {
    /// As fast as it goes
    Fast,
    /// Slow answers, a limit, hexadecimal ids that are decimal in receipts
    Strict,
    /// Receipts before answers and twice, padded ids, no TLVs, now and then full
    Sloppy,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Ids {
    Hex,
    Decimal,
    Uuid,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Receipts {
    None,
    Asked,
    All,
}

impl Receipts {
    fn wanted(self) -> ReceiptsFor {
        match self {
            Self::None => ReceiptsFor::Nothing,
            Self::Asked => ReceiptsFor::Asked,
            Self::All => ReceiptsFor::Everything,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ReceiptIds {
    Same,
    HexToDec,
    DecToHex,
    Upper,
    /// Filled with zeros to twelve characters
    Padded,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    Text,
    Tlvs,
    Both,
}

/// At least and at most.
#[derive(Clone, Copy, Debug)]
struct Range(Duration, Duration);

/// Serves until it is told to stop, then says what it has counted.
pub async fn run(command: SimulateCommand) -> Outcome {
    let args = match command {
        SimulateCommand::Smpp(args) => args,
        SimulateCommand::Ucp(args) => return ucp::run(&args).await,
        SimulateCommand::Cimd2(args) => return cimd2::run(&args).await,
        SimulateCommand::Http(args) => return http::run(&args).await,
        SimulateCommand::Modem(args) => return modem::run(&args).await,
    };
    let mut signals = Signals::new()?;
    let listener = TcpListener::bind(args.listen).await;
    let listener = listener.with_context(|| format!("SMPP can't listen on {}", args.listen))?;
    let smsc = Smsc::start(listener, settings(&args));
    eprintln!("listening smpp={}", smsc.address());
    tokio::select! {
        () = signals.stop() => {}
        () = send_from_phones(&smsc, &args) => {}
        () = ask_for_binds(&smsc, &args) => {}
    }
    let counters = smsc.counters();
    smsc.stop().await;
    say(summary(&counters))
}

/// Sends messages from phones, for ever.
async fn send_from_phones(smsc: &Smsc, args: &SmppArgs) {
    let Some(rate) = args.mo_rate else { return std::future::pending().await };
    let mut tick = tokio::time::interval(Duration::from_secs_f64(rate.recip()));
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut n = 0u64;
    let mut told = false;
    loop {
        tick.tick().await;
        let counters = smsc.counters();
        if n.saturating_sub(counters.mo_acked + counters.deliveries_refused) >= MO_WAITING_MAX {
            continue;
        }
        let text = args.mo_text.replace("{n}", &(n + 1).to_string());
        let mut mo = Mo::text(&args.mo_from, &args.mo_to, &text);
        if let MoContent::Text { reference, .. } = &mut mo.content {
            *reference = n as u16;
        }
        match smsc.inject_mo(&mo) {
            // Nobody is bound who could receive it.
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

/// Connects to an ESME whenever nobody is bound, and asks it to bind; for ever.
async fn ask_for_binds(smsc: &Smsc, args: &SmppArgs) {
    let Some(esme) = &args.outbind else { return std::future::pending().await };
    let mut tick = tokio::time::interval(OUTBIND_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut reached = true;
    loop {
        tick.tick().await;
        if smsc.bound() > 0 {
            continue;
        }
        let asked = match tokio::net::lookup_host(esme).await.map(|mut found| found.next()) {
            Ok(Some(esme)) => smsc.outbind(esme, &args.outbind_system_id, &args.outbind_password).await,
            Ok(None) => Err(std::io::ErrorKind::NotFound.into()),
            Err(error) => Err(error),
        };
        if let Err(error) = &asked
            && reached
        {
            eprintln!("no outbind to {esme}: {error}; it is tried again");
        }
        reached = asked.is_ok();
    }
}

fn settings(args: &SmppArgs) -> SmscSettings {
    let mut settings = match args.preset {
        Some(Preset::Fast) => SmscSettings::fast(),
        Some(Preset::Strict) => SmscSettings::strict(),
        Some(Preset::Sloppy) => SmscSettings::sloppy(),
        None => SmscSettings::default(),
    };
    settings.memory = if args.count_duplicates { Memory::Hashes } else { Memory::Off };
    settings.system_id = args.system_id.clone().or(settings.system_id);
    settings.password = args.password.clone().or(settings.password);
    settings.max_binds = args.max_binds.or(settings.max_binds);
    settings.throttle = args.throttle.or(settings.throttle);
    settings.queue_full_every = args.queue_full_every.or(settings.queue_full_every);
    settings.out_of_order |= args.out_of_order;
    settings.refuse_binds = args.refuse_binds.or(settings.refuse_binds);
    settings.refuse_cancels = args.refuse_cancels.or(settings.refuse_cancels);
    settings.refuse_queries = args.refuse_queries.or(settings.refuse_queries);
    settings.refuse_replaces = args.refuse_replaces.or(settings.refuse_replaces);
    settings.ignore_inquiries |= args.ignore_inquiries;
    settings.faults.extend(args.fault.iter().cloned());
    set(&mut settings.ledger, args.ledger);
    set(&mut settings.version, args.version);
    set(&mut settings.drop, args.drop);
    set(&mut settings.window, args.window);
    set(&mut settings.seed, args.seed);
    if let Some(Range(least, most)) = args.resp_delay {
        (settings.resp_delay, settings.resp_jitter) = (least, most.saturating_sub(least));
    }
    if !args.fail.is_empty() {
        settings.fail.clone_from(&args.fail);
    }
    let ids = args.ids.map(|ids| match ids {
        Ids::Hex => IdStyle::Hex,
        Ids::Decimal => IdStyle::Decimal,
        Ids::Uuid => IdStyle::Uuid,
    });
    set(&mut settings.ids, ids);
    receipt_settings(args, &mut settings.receipts);
    settings
}

fn receipt_settings(args: &SmppArgs, receipts: &mut simulator::ReceiptSettings) {
    let send = args.receipts.map(Receipts::wanted);
    let id = args.receipt_ids.map(|id| match id {
        ReceiptIds::Same => IdForm::Same,
        ReceiptIds::HexToDec => IdForm::HexToDec,
        ReceiptIds::DecToHex => IdForm::DecToHex,
        ReceiptIds::Upper => IdForm::Upper,
        ReceiptIds::Padded => IdForm::Padded(12),
    });
    let form = args.receipt_form.map(|form| match form {
        Form::Text => ReceiptForm::Text,
        Form::Tlvs => ReceiptForm::Tlvs,
        Form::Both => ReceiptForm::Both,
    });
    set(&mut receipts.send, send);
    set(&mut receipts.id, id);
    set(&mut receipts.form, form);
    set(&mut receipts.delay, args.receipt_delay.map(|Range(least, most)| (least, most)));
    receipts.before_response |= args.receipts_first;
    receipts.twice |= args.receipts_twice;
    if !args.receipt_state.is_empty() {
        receipts.states.clone_from(&args.receipt_state);
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn summary(counters: &Counters) -> serde_json::Value {
    json!({
        "connections": counters.connections, "binds": counters.binds, "binds_refused": counters.binds_refused,
        "submits": counters.submits, "accepted": counters.accepted, "distinct": counters.distinct,
        "duplicates": counters.duplicates, "refused": counters.refused, "throttled": counters.throttled,
        "dropped": counters.dropped, "responses": counters.responses, "receipts_sent": counters.receipts_sent,
        "receipts_acked": counters.receipts_acked, "deliveries_refused": counters.deliveries_refused,
        "mo_sent": counters.mo_sent, "mo_acked": counters.mo_acked, "inquiries": counters.inquiries,
        "canceled": counters.canceled, "replaced": counters.replaced, "faults": counters.faults,
    })
}

impl FromStr for Range {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (least, most) = text.split_once("..").unwrap_or((text, text));
        let (least, most) = (least.parse::<Span>()?.0, most.parse::<Span>()?.0);
        if least > most { Err(format!("{text} ends before it begins")) } else { Ok(Self(least, most)) }
    }
}

fn version(text: &str) -> Result<InterfaceVersion, String> {
    match text {
        "3.3" => Ok(InterfaceVersion::V3_3),
        "3.4" => Ok(InterfaceVersion::V3_4),
        "5.0" => Ok(InterfaceVersion::V5_0),
        _ => Err("write 3.3, 3.4 or 5.0".into()),
    }
}

fn probability(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| format!("{text} is no number"))?;
    if (0.0..=1.0).contains(&number) { Ok(number) } else { Err("a probability is from 0 to 1".into()) }
}

fn rate(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| format!("{text} is no number"))?;
    if (0.001..=100_000.0).contains(&number) { Ok(number) } else { Err("a rate is from 0.001 to 100000".into()) }
}

/// `KIND@N` or `KIND@NxTIMES`.
fn fault(text: &str) -> Result<Fault, String> {
    const FORM: &str = "write a fault such as hang@100 or close-mid-pdu@10x3";
    let (kind, when) = text.split_once('@').ok_or(FORM)?;
    let (at, times) = when.split_once('x').unwrap_or((when, "1"));
    let kind = match kind {
        "close" => FaultKind::Close,
        "close-mid-pdu" => FaultKind::CloseMidPdu,
        "garbage" => FaultKind::Garbage,
        "huge-length" => FaultKind::HugeLength,
        "hang" => FaultKind::Hang,
        "unbind" => FaultKind::Unbind,
        _ => return Err("a fault is close, close-mid-pdu, garbage, huge-length, hang or unbind".into()),
    };
    let at_submit = at.parse().ok().filter(|at| *at > 0).ok_or(FORM)?;
    Ok(Fault { kind, at_submit, times: times.parse().map_err(|_| FORM)? })
}

/// A number such as 0x08, or a name such as ESME_RSYSERR.
fn status(text: &str) -> Result<CommandStatus, String> {
    let named = CommandStatus::ALL.iter().copied().find(|known| known.name() == Some(text));
    let status = named.or_else(|| model::resources::set::parse_status(text).map(CommandStatus));
    status.ok_or_else(|| "write a status such as 0x08 or ESME_RSYSERR".into())
}

/// `STATUS:PROBABILITY`; a bare number is the probability of ESME_RSYSERR.
fn failure(text: &str) -> Result<(CommandStatus, f64), String> {
    let Some((refusal, odds)) = text.split_once(':') else {
        return Ok((CommandStatus::RSYSERR, probability(text)?));
    };
    Ok((status(refusal)?, probability(odds)?))
}

fn state(text: &str) -> Result<(ReceiptState, f64), String> {
    let (word, weight) = text.split_once(':').unwrap_or((text, "1"));
    let state = ReceiptState::from_word(&word.to_uppercase());
    let weight: f64 = weight.parse().map_err(|_| format!("{weight} is no number"))?;
    Ok((state.ok_or("write a state such as DELIVRD, UNDELIV, EXPIRED or REJECTD")?, weight.max(0.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read() {
        assert_eq!(failure("0x58:0.5"), Ok((CommandStatus::RTHROTTLED, 0.5)));
        assert_eq!(failure("ESME_RSYSERR:1"), Ok((CommandStatus::RSYSERR, 1.0)));
        assert_eq!(failure("0.1"), Ok((CommandStatus::RSYSERR, 0.1)));
        assert!(failure("x:0.1").is_err() && failure("8:2").is_err());
        assert_eq!(state("undeliv:0.2"), Ok((ReceiptState::Undeliverable, 0.2)));
        let (one, three) = (fault("hang@100").unwrap(), fault("close-mid-pdu@10x3").unwrap());
        assert_eq!((one.kind, one.at_submit, one.times), (FaultKind::Hang, 100, 1));
        assert_eq!((three.kind, three.at_submit, three.times), (FaultKind::CloseMidPdu, 10, 3));
        assert!(["hang", "hang@0", "hang@x", "sleep@1", "hang@1xx"].iter().all(|text| fault(text).is_err()));
        assert_eq!(status("0x11"), Ok(CommandStatus::RCANCELFAIL));
        assert!(rate("0.5").is_ok() && rate("0").is_err() && rate("nan").is_err());
        assert!("3s..1s".parse::<Range>().is_err() && "1s..3s".parse::<Range>().is_ok());
    }
}
