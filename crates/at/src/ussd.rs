//! Answers by USSD: text in more writings than any other (3GPP 27.007 §7.15).

use crate::fields::split;
use crate::hex::from_hex;

/// What the network says about the dialogue (27.007 §7.15 `<m>`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UssdState {
    /// It is over.
    Done,
    /// A reply is expected.
    ReplyExpected,
    /// The network has ended it.
    Ended,
    /// Somebody else's answer; of no interest.
    Other,
    /// The network knows no such service.
    NotSupported,
    /// The network did not answer in time.
    TimedOut,
}

impl UssdState {
    /// In words, as the API has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::ReplyExpected => "reply_expected",
            Self::Ended => "ended",
            Self::Other => "other",
            Self::NotSupported => "not_supported",
            Self::TimedOut => "timed_out",
        }
    }

    const fn from_number(number: u8) -> Self {
        match number {
            0 => Self::Done,
            1 => Self::ReplyExpected,
            2 => Self::Ended,
            4 => Self::NotSupported,
            5 => Self::TimedOut,
            _ => Self::Other,
        }
    }
}

/// An answer of the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UssdAnswer {
    /// Where the dialogue stands.
    pub state: UssdState,
    /// What it says; nothing if there is no text.
    pub text: String,
}

/// Reads what is behind `+CUSD:`. `packed` is for modems that write packed septets.
#[must_use]
pub fn read_ussd(text: &str, packed: bool) -> UssdAnswer {
    let (number, rest) = text.split_once(',').unwrap_or((text, ""));
    let state = UssdState::from_number(number.trim().parse().unwrap_or(3));
    // The text may have commas and quotes in it: the coding is what is behind its last quote.
    let rest = rest.trim();
    let (said, dcs) = match (rest.strip_prefix('"'), rest.rfind('"')) {
        (Some(_), Some(end)) if end > 0 => {
            (rest.get(1..end).unwrap_or_default(), rest.get(end + 1..).unwrap_or_default().trim_start_matches(','))
        }
        (Some(open), _) => (open, ""),
        (None, _) => {
            let fields = split(rest);
            (fields.first().copied().unwrap_or_default(), fields.get(1).copied().unwrap_or_default())
        }
    };
    UssdAnswer { state, text: decoded(said, dcs.trim().parse().ok(), packed) }
}

fn decoded(said: &str, dcs: Option<u8>, packed: bool) -> String {
    let Some(octets) = from_hex(said).filter(|octets| octets.len() >= 2) else { return said.to_owned() };
    let ucs2 = octets.len().is_multiple_of(2) && {
        let told = matches!(dcs, Some(17 | 72 | 0x48..=0x4B));
        told || looks_like_ucs2(&octets)
    };
    if ucs2 {
        // With 17 two septets of a language come first.
        let octets = if dcs == Some(17) { octets.get(2..).unwrap_or_default() } else { &octets };
        return until_filler(octets);
    }
    if packed || (dcs.is_none() && octets.len() > 10) {
        return sms::decode_gsm7(&sms::unpack_with_cr(&octets), sms::Shift::default());
    }
    said.to_owned()
}

/// Text of European and neighbouring scripts, mostly: high octets that are few and small.
fn looks_like_ucs2(octets: &[u8]) -> bool {
    let small = octets.chunks(2).filter(|pair| pair.first().is_some_and(|high| *high <= 0x06)).count();
    octets.len() >= 4 && small * 2 * 10 >= octets.len() * 9
}

/// Some fill up with zeros or ones, and rubbish behind them.
fn until_filler(octets: &[u8]) -> String {
    let end = octets.chunks(2).position(|pair| matches!(pair, [0, 0] | [0xFF, 0xFF])).unwrap_or(octets.len() / 2);
    sms::decode_ucs2(octets.get(..end * 2).unwrap_or(octets))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_however_it_is_written() {
        let said = |text: &str| read_ussd(text, false);
        assert_eq!(
            said("0,\"Bal: $1,00\r\nExp\",15"),
            UssdAnswer { state: UssdState::Done, text: "Bal: $1,00\r\nExp".into() }
        );
        assert_eq!(said("1,\"00480065006C006C006F\",72").text, "Hello");
        assert_eq!(said("2,\"00480065006C006C006F\",15").text, "Hello");
        assert_eq!(said("0, 49B41C74ACD3D16171D90D").text, "Ihr Guthaben");
        assert_eq!((said("4").state, said("2").text), (UssdState::NotSupported, String::new()));
        assert_eq!(said("0,\"613900480069FFFF0000\",17").text, "Hi");
        assert_eq!(read_ussd("0,\"E8329BFD06\",15", true).text, "hello");
        assert_eq!(said("0,\"no end").text, "no end");
        assert_eq!(said("0,\"1234\",15").text, "1234", "digits that are no hexadecimal text");
    }
}
