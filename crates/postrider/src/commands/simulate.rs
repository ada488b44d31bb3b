//! `simulate`: a carrier to test against.

use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use simulator::{Counters, IdForm, IdStyle, Memory, ReceiptForm, ReceiptsFor, Smsc, SmscSettings};
use smpp::{CommandStatus, InterfaceVersion};
use sms::receipt::ReceiptState;
use tokio::net::TcpListener;

use super::later::Rest;
use crate::config::Span;
use crate::outcome::{Failure, Outcome, say};
use crate::signals::Signals;

/// Which protocol the carrier speaks.
#[derive(Debug, Subcommand)]
pub enum SimulateCommand {
    /// An SMSC that speaks SMPP
    Smpp(Box<SmppArgs>),
    /// Not supported yet
    Ucp(Rest),
    /// Not supported yet
    Cimd2(Rest),
    /// Not supported yet
    Http(Rest),
    /// Not supported yet
    Modem(Rest),
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
        SimulateCommand::Ucp(_) => return Err(Failure::not_yet("simulate ucp")),
        SimulateCommand::Cimd2(_) => return Err(Failure::not_yet("simulate cimd2")),
        SimulateCommand::Http(_) => return Err(Failure::not_yet("simulate http")),
        SimulateCommand::Modem(_) => return Err(Failure::not_yet("simulate modem")),
    };
    let mut signals = Signals::new()?;
    let listener = TcpListener::bind(args.listen).await;
    let listener = listener.with_context(|| format!("SMPP can't listen on {}", args.listen))?;
    let smsc = Smsc::start(listener, settings(&args));
    eprintln!("listening smpp={}", smsc.address());
    signals.stop().await;
    let counters = smsc.counters();
    smsc.stop().await;
    say(summary(&counters))
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
    let send = args.receipts.map(|send| match send {
        Receipts::None => ReceiptsFor::Nothing,
        Receipts::Asked => ReceiptsFor::Asked,
        Receipts::All => ReceiptsFor::Everything,
    });
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

/// `STATUS:PROBABILITY`; a bare number is the probability of ESME_RSYSERR.
fn failure(text: &str) -> Result<(CommandStatus, f64), String> {
    let Some((status, odds)) = text.split_once(':') else {
        return Ok((CommandStatus::RSYSERR, probability(text)?));
    };
    let named = CommandStatus::ALL.iter().copied().find(|known| known.name() == Some(status));
    let status = named.or_else(|| model::resources::set::parse_status(status).map(CommandStatus));
    Ok((status.ok_or("write a status such as 0x08 or ESME_RSYSERR")?, probability(odds)?))
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
        assert!("3s..1s".parse::<Range>().is_err() && "1s..3s".parse::<Range>().is_ok());
    }
}
