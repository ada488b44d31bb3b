//! `decode`: what octets of a protocol say, one JSON object a line.

mod cimd2_packet;
mod smpp_pdu;
mod tpdu;
mod ucp_frame;

use std::io::{BufRead, BufReader, IsTerminal, Read, stdin};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::hex::from_hex;
use crate::outcome::{Failure, Outcome, say};

/// Octets of the longest line that is read.
const LINE_MAX: u64 = 1024 * 1024;

/// What to decode.
#[derive(Debug, Args)]
pub struct DecodeArgs {
    /// The protocol
    #[arg(value_enum)]
    protocol: Protocol,
    /// Octets in hexadecimal, several PDUs in a row, for ucp and cimd2 also as they are on the wire; without, one
    /// line each from standard input
    hex: Option<String>,
    /// Which way a TPDU goes; without, a message is assumed, not its report
    #[arg(long, value_enum, default_value_t = Direction::Either)]
    direction: Direction,
    /// Whether the address of an SMSC stands in front of a TPDU
    #[arg(long, value_enum, default_value_t = Smsc::Auto)]
    smsc: Smsc,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Protocol {
    /// SMPP 3.3, 3.4, 5.0
    Smpp,
    /// UCP/EMI
    Ucp,
    /// CIMD2
    Cimd2,
    /// 3GPP 23.040, as modems print it
    Tpdu,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Direction {
    ToPhone,
    FromPhone,
    Either,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Smsc {
    /// Found by trying
    Auto,
    Yes,
    No,
}

/// Prints what the octets say; a fault is an object with `error`, and makes the command fail.
pub fn run(args: &DecodeArgs) -> Outcome {
    let mut faults = 0;
    match &args.hex {
        Some(hex) => faults += decode_line(args, hex)?,
        None => {
            if stdin().is_terminal() {
                eprintln!("Reading hexadecimal digits, one PDU a line; end with Ctrl-D.");
            }
            let mut input = BufReader::new(stdin().lock());
            while let Some(line) = next_line(&mut input)? {
                faults += decode_line(args, &line)?;
            }
        }
    }
    if faults == 0 { Ok(()) } else { Err(Failure::Told) }
}

/// The next line that is not blank; one that is not UTF-8 has wrong digits where it is not.
fn next_line(input: &mut impl BufRead) -> Outcome<Option<String>> {
    loop {
        let mut line = Vec::new();
        if input.by_ref().take(LINE_MAX).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&line).trim().to_owned();
        if !line.is_empty() {
            return Ok(Some(line));
        }
    }
}

/// Prints the objects of one line and gives how many were faults.
fn decode_line(args: &DecodeArgs, line: &str) -> Outcome<usize> {
    let octets = match args.protocol {
        Protocol::Ucp => ucp_frame::octets_of(line),
        Protocol::Cimd2 => cimd2_packet::octets_of(line),
        _ => from_hex(line),
    };
    let answers = match octets {
        Err(error) => vec![Err(error)],
        Ok(octets) => match args.protocol {
            Protocol::Smpp => smpp_pdu::decode_all(&octets),
            Protocol::Ucp => ucp_frame::decode_all(&octets),
            Protocol::Cimd2 => cimd2_packet::decode_all(&octets),
            _ => vec![tpdu::decode(&octets, args.direction.into(), args.smsc)],
        },
    };
    let mut faults = 0;
    for answer in answers {
        let line: Value = answer.unwrap_or_else(|error| {
            faults += 1;
            json!({ "error": error })
        });
        say(line)?;
    }
    Ok(faults)
}

impl From<Direction> for sms::tpdu::Direction {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::ToPhone => Self::ToPhone,
            Direction::FromPhone => Self::FromPhone,
            Direction::Either => Self::Either,
        }
    }
}
