//! Lines that come unasked (3GPP 27.005 §3.4.1, 27.007 §6, §7).

use crate::answer::{Registration, readable, registration};
use crate::fields::{after, split};

/// Something that a modem says unasked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Urc {
    /// A message lies in a store (`+CMTI`), or a status report does (`+CDSI`).
    Stored { store: String, index: u16 },
    /// A message (`+CMT`) or status report (`+CDS`) follows in the next line; a line of text has it all.
    Direct { report: bool },
    /// `+CUSD`, with what is behind it.
    Ussd(String),
    /// `RING` or `+CRING`.
    Ring,
    /// `+CLIP`: who calls.
    Caller(String),
    /// The registration has changed.
    Registration(Registration),
    /// The modem has started anew, and has forgotten what it was told.
    Restarted,
    /// Known, and of no interest.
    Other,
}

/// Signs that a modem has just started.
const STARTS: [&str; 5] = ["RDY", "^SYSSTART", "+CFUN: 1", "START", "NORMAL POWER DOWN"];
/// Known, and of no interest; or said by modems about themselves.
const OTHERS: [&str; 18] = [
    "^BOOT",
    "+CBM",
    "+CIEV",
    "^RSSI",
    "^MODE",
    "^DSFLOWRPT",
    "+ZPASR",
    "+WIND",
    "*PSUTTZ",
    "+PBREADY",
    "+CGREG",
    "+CEREG",
    "^HCSQ",
    "+QIND",
    "^SRVST",
    "+CTZV",
    "+CTZE",
    "^SIMST",
];
const WORDS: [&str; 7] = ["NO CARRIER", "SMS Ready", "Call Ready", "SMS DONE", "PB DONE", "+CPIN: READY", "+PBREADY"];

/// Reads a line that no running command has asked for; `None` if it is none of these.
pub(crate) fn read(line: &str) -> Option<Urc> {
    let line = line.trim();
    let stored = after(line, "+CMTI").or_else(|| after(line, "+CDSI"));
    if let Some(text) = stored {
        let fields = split(text);
        let index = fields.get(1)?.parse().ok()?;
        return Some(Urc::Stored { store: fields.first()?.chars().take(4).collect(), index });
    }
    if after(line, "+CMT").is_some() {
        return Some(Urc::Direct { report: false });
    }
    if after(line, "+CDS").is_some() {
        return Some(Urc::Direct { report: true });
    }
    if let Some(text) = after(line, "+CUSD") {
        return Some(Urc::Ussd(text.to_owned()));
    }
    if line == "RING" || after(line, "+CRING").is_some() {
        return Some(Urc::Ring);
    }
    if let Some(text) = after(line, "+CLIP") {
        let fields = split(text);
        let number = fields.first().map(|number| readable(number)).unwrap_or_default();
        // Some leave it to the type to say that it is international.
        let bare = fields.get(1) == Some(&"145") && number.starts_with(|c: char| c.is_ascii_digit());
        return Some(Urc::Caller(if bare { format!("+{number}") } else { number }));
    }
    if after(line, "+CREG").is_some() {
        return Some(registration(line, false).map_or(Urc::Other, Urc::Registration));
    }
    if STARTS.contains(&line) {
        return Some(Urc::Restarted);
    }
    let other = WORDS.contains(&line) || OTHERS.iter().any(|prefix| line.starts_with(prefix));
    other.then_some(Urc::Other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_come_unasked_are_known() {
        assert_eq!(read("+CMTI: \"SM\", 5"), Some(Urc::Stored { store: "SM".into(), index: 5 }));
        assert_eq!(read("+CMT: ,28"), Some(Urc::Direct { report: false }));
        assert_eq!(read("+CDS: 26"), Some(Urc::Direct { report: true }));
        assert_eq!(read("+CLIP: \"+447700900123\",145,,,,0"), Some(Urc::Caller("+447700900123".into())));
        assert_eq!(read("+CLIP: \"447700900123\",145"), Some(Urc::Caller("+447700900123".into())));
        assert_eq!(read("+CLIP: \"\",128"), Some(Urc::Caller(String::new())));
        assert_eq!(read("+CREG: 5"), Some(Urc::Registration(Registration::Roaming)));
        assert_eq!(
            (read("RING"), read("^RSSI: 18"), read("RDY")),
            (Some(Urc::Ring), Some(Urc::Other), Some(Urc::Restarted))
        );
        assert_eq!((read("+CMTI: SM"), read("+CSQ: 1,2"), read("hello")), (None, None, None));
    }
}
