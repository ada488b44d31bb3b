//! Final results, and what stands in answers and unsolicited lines.

use crate::error::{CmeError, CmsError, Failure};
use crate::fields::{after, ranges, split, words};

/// How a command ended, if this line says so (ITU-T V.250 §5.7.1, 3GPP 27.005 §3.2.5, 27.007 §9.2).
pub(crate) fn final_result(line: &str) -> Option<Result<(), Failure>> {
    let line = line.trim();
    Some(match line {
        "OK" => Ok(()),
        "ERROR" | "NO ANSWER" | "NO DIALTONE" | "BUSY" => Err(Failure::Plain),
        // Out of every standard, from Huawei.
        "COMMAND NOT SUPPORT" | "TOO MANY PARAMETERS" => Err(Failure::Words(line.to_owned())),
        _ => Err(error_of(line)?),
    })
}

fn error_of(line: &str) -> Option<Failure> {
    let number = |text: &str| text.trim().parse::<u16>().ok();
    if let Some(what) = after(line, "+CMS ERROR") {
        return Some(number(what).map_or_else(|| words_of(what), |number| Failure::Cms(CmsError(number))));
    }
    let what = after(line, "+CME ERROR")?;
    Some(number(what).map_or_else(|| words_of(what), |number| Failure::Cme(CmeError(number))))
}

/// An error in words; some are known by their number.
fn words_of(text: &str) -> Failure {
    let known = (0..=600).map(CmeError).find(|error| error.name().is_some_and(|name| name.eq_ignore_ascii_case(text)));
    known.map_or_else(|| Failure::Words(text.chars().take(100).collect()), Failure::Cme)
}

/// Registration with a network (3GPP 27.007 §7.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Registration {
    /// Not registered, and not searching.
    #[default]
    No,
    /// At home.
    Home,
    /// Searching.
    Searching,
    /// The network refused it.
    Denied,
    /// Nobody knows.
    Unknown,
    /// With somebody else's network.
    Roaming,
}

impl Registration {
    /// From the number on the line; 6 and 7 are for short messages only.
    #[must_use]
    pub const fn from_number(number: u8) -> Self {
        match number {
            1 | 6 | 9 => Self::Home,
            5 | 7 | 10 => Self::Roaming,
            2 => Self::Searching,
            3 => Self::Denied,
            0 => Self::No,
            _ => Self::Unknown,
        }
    }

    /// Can messages be sent?
    #[must_use]
    pub const fn is_registered(self) -> bool {
        matches!(self, Self::Home | Self::Roaming)
    }

    /// In words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::No => "not registered",
            Self::Home => "home",
            Self::Searching => "searching",
            Self::Denied => "denied",
            Self::Unknown => "unknown",
            Self::Roaming => "roaming",
        }
    }
}

/// The answer to `AT+CREG?`, or the unsolicited line, which has no `n` in front.
pub(crate) fn registration(line: &str, asked: bool) -> Option<Registration> {
    let text = ["+CREG", "+CGREG", "+CEREG"].iter().find_map(|prefix| after(line, prefix))?;
    let fields = split(text);
    let number = |at: usize| fields.get(at).and_then(|field| field.parse::<u8>().ok());
    // Some leave out n even in the answer; then a cell, which is no number of two, follows.
    let stat = match (asked, number(0), number(1)) {
        (true, Some(_), Some(stat)) if fields.get(1).is_some_and(|field| field.len() <= 2) => stat,
        (_, Some(stat), _) => stat,
        _ => return None,
    };
    Some(Registration::from_number(stat))
}

/// `+CSQ: rssi,ber`: signal strength in dBm; `None` if it is not known (3GPP 27.007 §8.5).
pub(crate) fn signal_dbm(line: &str) -> Option<Option<i16>> {
    let rssi: u8 = split(after(line, "+CSQ")?).first()?.parse().ok()?;
    Some(match rssi {
        0..=31 => Some(i16::from(rssi) * 2 - 113),
        100..=191 => Some(i16::from(rssi) - 216),
        _ => None,
    })
}

/// `+COPS: mode,format,"name"[,act]`: the operator's name.
pub(crate) fn operator(line: &str) -> Option<Option<String>> {
    let fields = split(after(line, "+COPS")?);
    let name = fields.get(2).filter(|name| !name.is_empty());
    Some(name.map(|name| name.chars().take(40).collect()))
}

/// `+CPMS: used,total,…` or `+CPMS: "SM",used,total,…`: of the first store.
pub(crate) fn usage(line: &str) -> Option<(u16, u16)> {
    let fields = split(after(line, "+CPMS")?);
    let numbers: Vec<u16> = fields.iter().take(3).filter_map(|field| field.parse().ok()).take(2).collect();
    Some((*numbers.first()?, *numbers.get(1)?))
}

/// The stores that messages are read from, by `+CPMS=?`.
pub(crate) fn stores(line: &str) -> Option<Vec<String>> {
    Some(words(after(line, "+CPMS")?).into_iter().next().unwrap_or_default())
}

/// What `+CNMI=?` offers: mode, mt, bm, ds, bfr.
pub(crate) fn indications(line: &str) -> Option<Vec<Vec<u8>>> {
    Some(ranges(after(line, "+CNMI")?))
}

/// `+CSCA: "number",type`: the number, perhaps in hexadecimal UCS-2.
pub(crate) fn smsc(line: &str) -> Option<String> {
    let number = *split(after(line, "+CSCA")?).first()?;
    Some(readable(number))
}

/// A number or name that a modem set to UCS-2 may have written in hexadecimal.
pub(crate) fn readable(text: &str) -> String {
    let octets = Some(text).filter(|text| text.len() >= 8 && text.len().is_multiple_of(4));
    let octets = octets.and_then(crate::hex::from_hex).filter(|octets| octets.first() == Some(&0));
    octets.map_or_else(|| text.to_owned(), |octets| sms::decode_ucs2(&octets))
}

/// `+CMGS: mr`: the message reference.
pub(crate) fn reference(line: &str) -> Option<u8> {
    let text = after(line, "+CMGS").or_else(|| after(line, "+CMSS"))?;
    split(text).first()?.parse().ok()
}

/// `+CNUM: "name","number",type`: the SIM's own number.
pub(crate) fn own_number(line: &str) -> Option<String> {
    let fields = split(after(line, "+CNUM")?);
    let number = readable(fields.get(1)?);
    let international = fields.get(2) == Some(&"145") && !number.starts_with('+');
    let number: String = number.chars().take(21).collect();
    (!number.is_empty()).then(|| if international { format!("+{number}") } else { number })
}

/// Tries left for the PIN: `+CPINR: SIM PIN,3,3`, or `+SPIC: 3,10,0,10`.
pub(crate) fn pin_tries(line: &str) -> Option<u8> {
    if let Some(text) = after(line, "+CPINR") {
        let fields = split(text);
        return (fields.first()?.eq_ignore_ascii_case("SIM PIN")).then(|| fields.get(1)?.parse().ok())?;
    }
    split(after(line, "+SPIC")?).first()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn final_results_are_told_from_the_rest() {
        assert_eq!(final_result("OK"), Some(Ok(())));
        assert_eq!(final_result("+CMS ERROR: 38"), Some(Err(Failure::Cms(CmsError(38)))));
        assert_eq!(final_result("+CME ERROR:10"), Some(Err(Failure::Cme(CmeError(10)))));
        assert_eq!(final_result("+CME ERROR: SIM not inserted"), Some(Err(Failure::Cme(CmeError(10)))));
        assert_eq!(final_result("+CMGS: 1"), None);
        assert_eq!(final_result("OK?"), None);
    }

    #[test]
    fn answers_are_read_in_every_writing() {
        assert_eq!(registration("+CREG: 2,1,\"5E25", true), Some(Registration::Home));
        assert_eq!(registration("+CREG: 5", true), Some(Registration::Roaming));
        assert_eq!(registration("+CREG: 1,5E25,605F", true), Some(Registration::Home));
        assert_eq!(registration("+CREG: 2,\"5E25\",\"605F\"", false), Some(Registration::Searching));
        assert_eq!((signal_dbm("+CSQ: 21,99"), signal_dbm("+CSQ: 99,99")), (Some(Some(-71)), Some(None)));
        assert_eq!(usage("+CPMS: \"SM\",1,20,\"SM\",1,20"), Some((1, 20)));
        assert_eq!(usage("+CPMS: 14,50,14,50"), Some((14, 50)));
        assert_eq!(smsc("+CSCA: 002B0039003700320035,145").as_deref(), Some("+9725"));
        assert_eq!(smsc("+CSCA: \"\",129").as_deref(), Some(""));
        assert_eq!(operator("+COPS: 0,0,\"Test Net\",2"), Some(Some("Test Net".into())));
        assert_eq!((pin_tries("+CPINR: SIM PIN,2,3"), pin_tries("+SPIC: 1,10,0,10")), (Some(2), Some(1)));
    }
}
