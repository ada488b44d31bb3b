//! Messages as a terminal writes and reads them: PDUs in hexadecimal, and text mode.

use std::time::Duration;

use at::{from_hex, to_hex};
use sms::tpdu::{Address, Direction, Submit, Timestamp, Tpdu, UserData, Validity, split_smsc};
use sms::{Coding, Dcs, Shift};

use super::device::Device;
use super::network::submit_of;

/// A message whose text is awaited.
#[derive(Debug)]
pub(super) enum Announced {
    /// Of so many octets without the address of the SMSC.
    Pdu(usize),
    Text(String),
}

impl Device {
    /// The terminal has written a message.
    pub(super) fn text(&mut self, text: &[u8], now: Duration) {
        let made = match self.announced.take() {
            Some(Announced::Pdu(length)) => {
                pdu(text).and_then(|(submit, has)| (has == length).then_some(submit)).ok_or(304)
            }
            Some(Announced::Text(to)) => self.submit_of_text(&to, &String::from_utf8_lossy(text)).ok_or(305),
            None => Err(302),
        };
        match made {
            Ok(submit) => self.send(submit, now),
            Err(error) => {
                self.counters.refused += 1;
                self.line.line(&format!("+CMS ERROR: {error}"));
            }
        }
    }

    fn submit_of_text(&self, to: &str, text: &str) -> Option<Submit> {
        let [first, validity, protocol, dcs] = self.told.parameters;
        let ucs2 = self.told.charset == "UCS2";
        let to = if ucs2 { sms::decode_ucs2(&from_hex(to)?) } else { to.to_owned() };
        let udhi = first & 0x40 != 0;
        let gsm7 = Dcs::decode(dcs).coding == Coding::Gsm7;
        let user_data = if udhi || !gsm7 {
            let octets = from_hex(text.trim())?;
            let length = if gsm7 { octets.len() * 8 / 7 } else { octets.len() };
            UserData { udhi, length: u8::try_from(length).ok()?, octets }
        } else {
            let text = if ucs2 { sms::decode_ucs2(&from_hex(text.trim())?) } else { text.to_owned() };
            UserData::gsm7(&[], &sms::encode_gsm7(&text, Shift::default()).ok()?).ok()?
        };
        let mut submit = Submit::new(Address::number(&to).ok()?, dcs, user_data);
        submit.status_report = first & 0x20 != 0;
        submit.protocol = protocol;
        if first & 0x18 == 0x10 {
            submit.validity = Validity::Relative(validity);
        }
        Some(submit)
    }

    /// A message in text mode, behind one of these words; with all its details, or as in a list.
    pub(super) fn as_text(&self, pdu: &[u8], whole: bool, message: &str, report: &str) -> Option<String> {
        let (_, tpdu) = split_smsc(pdu).ok()?;
        let written = |text: &str| match self.told.charset.as_str() {
            "UCS2" => to_hex(&sms::encode_ucs2(text)),
            _ => text.to_owned(),
        };
        match Tpdu::decode(tpdu, Direction::ToPhone).ok()? {
            Tpdu::Deliver(deliver) => {
                let from = written(&deliver.originator.to_string());
                let at = stamp(deliver.timestamp);
                let gsm7 = Dcs::decode(deliver.coding).coding == Coding::Gsm7;
                let text = match deliver.user_data.decode(deliver.coding).body {
                    sms::Body::Text(text) if gsm7 && !deliver.user_data.udhi => written(&text),
                    _ => to_hex(&deliver.user_data.octets),
                };
                let details = if self.told.details {
                    let first = if deliver.user_data.udhi { 0x44 } else { 0x04 };
                    let kind = deliver.originator.type_of_address();
                    let (coding, length) = (deliver.coding, deliver.user_data.length);
                    match whole {
                        true => format!(
                            ",{kind},{first},{},{coding},\"{}\",145,{length}",
                            deliver.protocol, self.settings.smsc
                        ),
                        false => format!(",{kind},{length}"),
                    }
                } else {
                    String::new()
                };
                Some(format!("{message}\"{from}\",,\"{at}\"{details}\r\n{text}"))
            }
            Tpdu::StatusReport(said) => {
                let (to, kind) = (written(&said.recipient.to_string()), said.recipient.type_of_address());
                let (taken, done) = (stamp(said.submitted), stamp(said.discharged));
                Some(format!("{report}6,{},\"{to}\",{kind},\"{taken}\",\"{done}\",{}", said.reference, said.status))
            }
            _ => None,
        }
    }
}

fn pdu(text: &[u8]) -> Option<(Submit, usize)> {
    let digits: String = text.iter().map(|octet| char::from(*octet)).filter(|c| !c.is_whitespace()).collect();
    submit_of(&from_hex(&digits)?)
}

fn stamp(at: Option<Timestamp>) -> String {
    let Some(Timestamp { local, offset_quarters }) = at else { return String::new() };
    let sign = if offset_quarters < 0 { '-' } else { '+' };
    format!(
        "{:02}/{:02}/{:02},{:02}:{:02}:{:02}{sign}{:02}",
        local.year() % 100,
        local.month(),
        local.day(),
        local.hour(),
        local.minute(),
        local.second(),
        offset_quarters.unsigned_abs()
    )
}
