//! Messages as text, for modems without PDU mode (3GPP 27.005 §3).

use sms::tpdu::{Address, Deliver, StatusReport, Submit, Timestamp, UserData, Validity};
use sms::{Coding, DateTime, Dcs};

use crate::fields::split;
use crate::hex::{from_hex, to_hex};

/// A message, ready to be sent as text.
#[derive(Debug)]
pub(super) struct Written {
    /// The arguments of `AT+CSMP`.
    pub(super) parameters: String,
    /// The arguments of `AT+CMGS`.
    pub(super) address: String,
    pub(super) body: String,
}

/// Hexadecimal UCS-2, as modems that are set to it want all texts.
pub(super) fn ucs2_hex(text: &str) -> String {
    to_hex(&sms::encode_ucs2(text))
}

/// Writes a message as text; `None` if it can't be.
pub(super) fn write(submit: &Submit, ucs2: bool) -> Option<Written> {
    let number = submit.destination.to_string();
    let address = if ucs2 { ucs2_hex(&number) } else { number };
    let coding = Dcs::decode(submit.coding).coding;
    let (body, dcs) = match coding {
        Coding::Gsm7 if !submit.user_data.udhi => plain(submit, ucs2)?,
        _ => (to_hex(&submit.user_data.octets), submit.coding),
    };
    let relative = match submit.validity {
        Validity::Relative(octet) => Some(octet),
        _ => None,
    };
    let first = 0x01
        | if relative.is_some() { 0x10 } else { 0 }
        | if submit.status_report { 0x20 } else { 0 }
        | if submit.user_data.udhi { 0x40 } else { 0 }
        | if submit.reply_path { 0x80 } else { 0 };
    Some(Written {
        parameters: format!("{first},{},{},{dcs}", relative.unwrap_or(167), submit.protocol),
        address: format!("\"{address}\",{}", submit.destination.type_of_address()),
        body,
    })
}

/// Text of the GSM alphabet without a header.
fn plain(submit: &Submit, ucs2: bool) -> Option<(String, u8)> {
    let sms::Body::Text(text) = submit.user_data.decode(submit.coding).body else { return None };
    if ucs2 {
        return Some((ucs2_hex(&text), submit.coding));
    }
    // As septets, one an octet, but for those that the line would take for something else.
    let plain = text.chars().all(|character| matches!(character, ' '..='Z' | 'a'..='z') && character != '$');
    if plain {
        return Some((text, submit.coding));
    }
    let octets = sms::encode_ucs2(&text);
    (octets.len() <= 140).then(|| (to_hex(&octets), submit.coding & 0x13 | 0x08))
}

/// What stands in front of a text: `"stat","oa",[alpha],"scts"[,tooa[,fo,pid,dcs,sca,tosca],length]`.
/// `None` for what was not received from the network, or can't be read.
pub(super) fn read(header: &[&str], text: &str, ucs2: bool) -> Option<super::Received> {
    let field = |at: usize| header.get(at).copied().unwrap_or_default();
    let number = |at: usize| field(at).parse::<u8>().ok();
    if is_report(header) {
        return report(header.get(1..)?).map(super::Received::Report);
    }
    let at = time_at(header).unwrap_or(3);
    let detail = |behind: usize| number(at + behind).filter(|_| !is_short(header));
    let coding = detail(4).unwrap_or(if ucs2 { 0x08 } else { 0 });
    let header_bit = detail(2).is_some_and(|first| first & 0x40 != 0);
    let (coding, user_data) = user_data(text, coding, header_bit, ucs2)?;
    Some(super::Received::Message(Deliver {
        more_messages: false,
        loop_prevention: false,
        status_report: false,
        reply_path: false,
        originator: address(field(1), number(at + 1))?,
        protocol: detail(3).unwrap_or(0),
        coding,
        timestamp: timestamp(field(at)),
        user_data,
    }))
}

/// The characters, or septets or octets, of the text behind a header, if it tells (`AT+CSDH=1`).
pub(super) fn length(header: &[&str]) -> Option<usize> {
    // Behind the time there is the type of the number, and perhaps more, in front of the length.
    let told = !is_report(header) && header.len() > time_at(header)? + 2;
    header.last().filter(|_| told)?.parse().ok()
}

/// Does a header say nothing of how its text is coded?
pub(super) fn is_short(header: &[&str]) -> bool {
    !is_report(header) && time_at(header).is_some_and(|at| header.len() <= at + 4)
}

/// Where a message's time stands: Motorola leaves out the name in front of it, and its comma.
fn time_at(header: &[&str]) -> Option<usize> {
    (2..=3).find(|at| header.get(*at).is_some_and(|field| field.contains(['/', ':'])))
}

/// `stat,fo,mr,ra,tora,scts,dt,st`: the number of a phone is no such first octet, however short, for its time follows.
fn is_report(header: &[&str]) -> bool {
    let first = header.get(1).and_then(|field| field.parse::<u8>().ok());
    header.len() >= 7 && time_at(header).is_none() && first.is_some_and(|first| first & 3 == 2)
}

/// `fo,mr,ra,tora,scts,dt,st`, of a status report as text.
pub(super) fn report(fields: &[&str]) -> Option<StatusReport> {
    let number = |at: usize| fields.get(at)?.parse::<u8>().ok();
    Some(StatusReport {
        more_messages: false,
        loop_prevention: false,
        answers_command: false,
        reference: number(1)?,
        recipient: address(fields.get(2)?, number(3))?,
        submitted: fields.get(4).and_then(|text| timestamp(text)),
        discharged: fields.get(5).and_then(|text| timestamp(text)),
        status: number(6)?,
        parameters: sms::tpdu::Parameters::default(),
    })
}

/// The fields of a line behind its prefix.
pub(super) fn report_line(text: &str) -> Option<StatusReport> {
    report(&split(text))
}

fn user_data(text: &str, coding: u8, udhi: bool, ucs2: bool) -> Option<(u8, UserData)> {
    let octets = || from_hex(text.trim()).filter(|octets| octets.len() <= 140);
    let octet_coding = Dcs::decode(coding).coding != Coding::Gsm7;
    if (octet_coding || udhi)
        && let Some(octets) = octets()
    {
        let length = match octet_coding {
            true => octets.len(),
            false => octets.len() * 8 / 7,
        };
        return Some((coding, UserData { udhi, length: u8::try_from(length).ok()?, octets }));
    }
    let text = if ucs2 { sms::decode_ucs2(&from_hex(text.trim())?) } else { text.to_owned() };
    if let Ok(septets) = sms::encode_gsm7(&text, sms::Shift::default())
        && let Ok(data) = UserData::gsm7(&[], &septets)
    {
        return Some((coding & 0x13, data));
    }
    Some((coding & 0x13 | 0x08, UserData::octets(&[], &sms::encode_ucs2(&text)).ok()?))
}

fn address(text: &str, kind: Option<u8>) -> Option<Address> {
    let text = crate::answer::readable(text);
    let number = Address::number(&text).ok();
    let bare = text.trim_start_matches('+');
    kind.and_then(|kind| Address::with_type(kind, bare).ok()).or(number).or_else(|| Address::alphanumeric(&text).ok())
}

/// `yy/MM/dd,hh:mm:ss±zz`, with the zone in quarters of an hour.
fn timestamp(text: &str) -> Option<Timestamp> {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|number| !number.is_empty());
    let mut next = || numbers.next()?.parse::<u16>().ok();
    let year = next()?;
    let year = if year < 70 {
        2000 + year
    } else if year < 100 {
        1900 + year
    } else {
        year
    };
    let mut unit = || u8::try_from(next()?).ok();
    let local = DateTime::new(year, unit()?, unit()?, unit()?, unit()?, unit()?)?;
    let quarters = i8::try_from(next().unwrap_or(0)).ok().filter(|quarters| *quarters < 80).unwrap_or(0);
    let negative = text.rfind('-').is_some_and(|at| at > 8);
    Some(Timestamp { local, offset_quarters: if negative { -quarters } else { quarters } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Received;

    #[test]
    fn times_are_read_as_phones_write_them() {
        let read = |text| timestamp(text).map(|stamp| (stamp.local.to_string(), stamp.offset_quarters));
        assert_eq!(read("07/07/05,09:56:03+08").unwrap().1, 8);
        assert_eq!(read("07/07/05,09:56:03-28").unwrap().1, -28);
        assert_eq!(read("06/05/28,18:15:41+80").unwrap().1, 0, "no zone is so far away");
        assert!(read("2009/8/18,19:11:45").is_some() && read("").is_none() && read("1/2/3").is_none());
    }

    #[test]
    fn headers_tell_how_long_their_texts_are() {
        let time = "07/07/05,09:56:03+08";
        let whole = ["REC READ", "+31625044454", "", time, "145", "4", "0", "8", "+31653131316", "145", "12"];
        let listed = ["REC READ", "250", "", time, "129", "3"];
        assert_eq!((length(&whole), is_short(&whole)), (Some(12), false));
        assert_eq!((length(&listed), is_short(&listed)), (Some(3), true));
        assert_eq!(length(&["REC READ", "250", "", time]), None);
        assert_eq!(length(&["REC READ", "250", "", time, "129"]), None);
        // 250 is no first octet, and 64 no header's bit.
        let listed = ["REC READ", "250", "", time, "129", "64"];
        let Some(Received::Message(message)) = read(&listed, "0548656C6C6F", false) else { panic!("no message") };
        assert_eq!(message.user_data.decode(0).body, sms::Body::Text("0548656C6C6F".into()));
        let report = ["REC READ", "6", "17", "+31625044454", "145", time, time, "0"];
        assert_eq!((length(&report), is_short(&report)), (None, false));
        assert!(matches!(read(&report, "", false), Some(Received::Report(report)) if report.reference == 17));
    }

    #[test]
    fn texts_are_read_with_and_without_details() {
        let header = ["REC READ", "+31625044454", "", "07/07/05,09:56:03+08"];
        let Some(Received::Message(message)) = read(&header, "Test message 2", false) else { panic!("no message") };
        assert_eq!((message.originator.to_string().as_str(), message.coding), ("+31625044454", 0));
        assert_eq!(message.user_data.decode(0).body, sms::Body::Text("Test message 2".into()));
        let header = ["REC UNREAD", "002B00340034", "", "07/07/05,09:56:03+08", "145", "4", "0", "8"];
        let Some(Received::Message(message)) = read(&header, "041F0440", true) else { panic!("no message") };
        assert_eq!(message.user_data.decode(8).body, sms::Body::Text("Пр".into()));
        assert_eq!(message.originator.to_string(), "+44");
    }
}
