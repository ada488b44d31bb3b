//! From the arguments of `/send` to a submission.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::dialect::JasminTerms;
use model::message::{Ingress, ReceiptWish};
use model::submission::{BinarySubmission, EncodingChoice, TlvSubmission};
use model::{Dialect, Submission, Timestamp};
use serde_json::Value;

use super::super::charset;
use super::super::fields::unhex;
use super::args::{Arg, Args};

/// The longest validity: 63 weeks, in minutes.
const VALIDITY_MAX: u64 = 63 * 7 * 24 * 60;

/// The submission that arguments are, which were checked before.
pub(super) fn submission(args: &Args, now: Timestamp) -> Result<Submission, String> {
    let invalid = |name: &str| {
        let value = args.text(name).unwrap_or_default();
        format!("Argument [{name}] has an invalid value: [{value}].")
    };
    let coding: u8 = args.text("coding").and_then(|coding| coding.parse().ok()).unwrap_or(0);
    let (text, encoding, binary) = content(args, coding)?;
    let wanted = args.octets("dlr") == Some(b"yes");
    let level = args.text("dlr-level").and_then(|level| level.parse().ok()).unwrap_or(1);
    let get = args.octets("dlr-method").is_some_and(|method| method.eq_ignore_ascii_case(b"get"));
    let seconds =
        |minutes: String| minutes.parse().map_or(VALIDITY_MAX, |minutes: u64| minutes.clamp(1, VALIDITY_MAX)) * 60;
    let validity = args.text("validity-period").map(seconds);
    let send_at = match args.octets("sdt") {
        Some(sdt) => Some(schedule(sdt, now).ok_or_else(|| invalid("sdt"))?.to_string()),
        None => None,
    };
    let tags = args.text("tags").unwrap_or_default();
    Ok(Submission {
        to: args.text("to").unwrap_or_default(),
        from: args.text("from").filter(|from| !from.is_empty()),
        text,
        binary,
        encoding,
        max_parts: Some(u32::from(u8::MAX)),
        priority: args.text("priority").and_then(|priority| priority.parse().ok()),
        send_at,
        validity_seconds: validity,
        receipt: if wanted { ReceiptWish::Final } else { ReceiptWish::None },
        tags: tags.split(',').filter(|tag| !tag.is_empty()).map(|tag| (tag.to_owned(), String::new())).collect(),
        callback_url: args.text("dlr-url").filter(|_| wanted),
        tlvs: tlvs(args.get("custom_tlvs")).ok_or_else(|| invalid("custom_tlvs"))?,
        ingress: Ingress::Jasmin,
        dialect: wanted.then(|| Box::new(Dialect::Jasmin(JasminTerms { level, get }))),
        ..Submission::default()
    })
}

type Content = (Option<String>, EncodingChoice, Option<BinarySubmission>);

/// Text where the coding says so, octets with that data coding otherwise.
fn content(args: &Args, coding: u8) -> Result<Content, String> {
    let hex = match (args.octets("content"), args.octets("hex-content")) {
        (None, None) => return Err("content or hex-content not present.".into()),
        (Some(_), Some(_)) => return Err("content and hex-content cannot be used both in same request.".into()),
        (None, Some(hex)) => {
            let shown = String::from_utf8_lossy(hex);
            Some(unhex(hex).ok_or_else(|| format!("Invalid hex-content data: '{shown}'"))?)
        }
        (Some(_), None) => None,
    };
    let octets = || hex.clone().unwrap_or_else(|| args.octets("content").unwrap_or_default().to_vec());
    let unreadable = |_| "Argument [content] has an invalid value: [not text in this coding].".to_owned();
    let text = match (coding, &hex) {
        // Septets, one an octet.
        (0, Some(septets)) => sms::decode_gsm7(septets, sms::Shift::default()),
        (0 | 1, _) => charset::text(&octets(), None).map_err(unreadable)?,
        (3, _) => charset::text(&octets(), Some("ISO-8859-1")).map_err(unreadable)?,
        (8, _) => charset::utf16be(&octets()).map_err(unreadable)?,
        _ => {
            let dcs = Some(u32::from(coding));
            return Ok((
                None,
                EncodingChoice::Auto,
                Some(BinarySubmission { data: STANDARD.encode(octets()), udh: None, dcs }),
            ));
        }
    };
    let encoding = match coding {
        8 => EncodingChoice::Ucs2,
        3 => EncodingChoice::Latin1,
        _ => EncodingChoice::Auto,
    };
    Ok((Some(text), encoding, None))
}

/// `[[tag, length, type, value], …]`, or objects of these.
fn tlvs(given: Option<&Arg>) -> Option<Vec<TlvSubmission>> {
    let list = match given {
        None => return Some(Vec::new()),
        Some(Arg::Json(Value::Array(list))) => list,
        Some(Arg::Octets(text)) if text.is_empty() || text == b"[]" => return Some(Vec::new()),
        Some(_) => return None,
    };
    list.iter().map(tlv).collect()
}

fn tlv(given: &Value) -> Option<TlvSubmission> {
    let part = |at: usize, name: &str| given.get(at).or_else(|| given.get(name));
    let tag = u32::try_from(part(0, "tag")?.as_u64()?).ok()?;
    let length = part(1, "length").and_then(Value::as_u64);
    let (kind, value) = (part(2, "type")?.as_str()?, part(3, "value")?);
    let number = || value.as_u64().or_else(|| value.as_str()?.parse().ok());
    let octets = match (kind, value) {
        ("Int1", _) => u8::try_from(number()?).ok()?.to_be_bytes().to_vec(),
        ("Int2", _) => u16::try_from(number()?).ok()?.to_be_bytes().to_vec(),
        ("Int4", _) => u32::try_from(number()?).ok()?.to_be_bytes().to_vec(),
        ("COctetString", Value::String(text)) => [text.as_bytes(), b"\0"].concat(),
        ("OctetString", Value::String(text)) => unhex(text.as_bytes()).unwrap_or_else(|| text.clone().into_bytes()),
        _ => return None,
    };
    let fits = length.is_none_or(|length| octets.len() as u64 <= length);
    fits.then(|| TlvSubmission { tag, hex: engine::hash::hex(&octets) })
}

/// An SMPP time (SMPP 3.4 §7.1.1): when that is.
fn schedule(sdt: &[u8], now: Timestamp) -> Option<Timestamp> {
    let text = std::str::from_utf8(sdt).ok().filter(|text| text.len() == 16)?;
    let two = |at: usize| text.get(at..at + 2)?.parse::<i64>().ok();
    let (year, month, day, hour, minute, second) = (two(0)?, two(2)?, two(4)?, two(6)?, two(8)?, two(10)?);
    let offset = two(13)? * 15 * 60;
    match sdt.last()? {
        b'R' => {
            let days = year * 365 + month * 30 + day;
            Some(now.plus_seconds(((days * 24 + hour) * 60 + minute) * 60 + second))
        }
        sign => {
            let iso = format!("20{year:02}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z");
            let local: Timestamp = iso.parse().ok()?;
            Some(local.plus_seconds(if *sign == b'+' { -offset } else { offset }))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_378_496_007);

    fn read(query: &str) -> Result<Submission, String> {
        submission(&Args::of_forms([query.as_bytes(), b""]), NOW)
    }

    #[test]
    fn arguments_become_a_submission() {
        let sent =
            read("to=447700900123&from=Shop&content=Hi+%E2%82%AC&priority=3&tags=a,b&validity-period=60").unwrap();
        assert_eq!((sent.text.as_deref(), sent.from.as_deref(), sent.priority), (Some("Hi €"), Some("Shop"), Some(3)));
        assert_eq!((sent.validity_seconds, sent.tags.len(), sent.ingress), (Some(3600), 2, Ingress::Jasmin));
        assert_eq!((sent.receipt, sent.dialect), (ReceiptWish::None, None));
        let asked = read("to=1&content=x&dlr=yes&dlr-url=http://x/&dlr-level=3&dlr-method=GET").unwrap();
        assert_eq!((asked.receipt, asked.callback_url.as_deref()), (ReceiptWish::Final, Some("http://x/")));
        assert_eq!(asked.dialect, Some(Box::new(Dialect::Jasmin(JasminTerms { level: 3, get: true }))));
    }

    #[test]
    fn codings_are_texts_or_octets() {
        let text = |query: &str| read(&format!("to=1&{query}")).map(|s| (s.text.unwrap_or_default(), s.encoding));
        assert_eq!(text("coding=8&hex-content=20ac"), Ok(("€".into(), EncodingChoice::Ucs2)));
        assert_eq!(text("coding=8&content=%20%AC"), Ok(("€".into(), EncodingChoice::Ucs2)));
        assert_eq!(text("hex-content=6100"), Ok(("a@".into(), EncodingChoice::Auto)));
        assert_eq!(text("coding=3&content=%E9"), Ok(("é".into(), EncodingChoice::Latin1)));
        let octets = read("to=1&coding=4&hex-content=00ff").unwrap().binary.unwrap();
        assert_eq!((STANDARD.decode(octets.data).unwrap(), octets.dcs), (vec![0, 255], Some(4)));
        assert_eq!(text("").unwrap_err(), "content or hex-content not present.");
        assert_eq!(
            text("content=a&hex-content=00").unwrap_err(),
            "content and hex-content cannot be used both in same request."
        );
        assert_eq!(text("hex-content=0x").unwrap_err(), "Invalid hex-content data: '0x'");
    }

    #[test]
    fn times_are_absolute_or_relative() {
        let at = |sdt: &str| schedule(sdt.as_bytes(), NOW).map(|at| at.to_string());
        assert_eq!(at("261122210000004+").as_deref(), Some("2026-11-22T20:00:00.000Z"));
        assert_eq!(at("261122210000004-").as_deref(), Some("2026-11-22T22:00:00.000Z"));
        assert_eq!(at("000000010000000R").as_deref(), Some("2026-11-22T21:14:56.007Z"));
        assert_eq!(at("269922210000000+"), None);
    }

    #[test]
    fn tlvs_are_written_in_their_types() {
        let list = serde_json::json!([[0x1400, 2, "Int2", 513], {"tag": 5, "length": null, "type": "COctetString", "value": "ab"}]);
        let read = tlvs(Some(&Arg::Json(list))).unwrap();
        assert_eq!((read[0].tag, &*read[0].hex, read[1].tag, &*read[1].hex), (0x1400, "0201", 5, "616200"));
        assert_eq!(tlvs(Some(&Arg::Json(serde_json::json!([[1, 1, "Int2", 513]])))), None);
        assert_eq!(tlvs(Some(&Arg::Json(serde_json::json!([["x"]])))), None);
    }

    proptest! {
        #[test]
        fn any_arguments_are_answered(octets: Vec<u8>, sdt in ".{0,20}", query in "(&(to|content|hex-content|coding|sdt|custom_tlvs)=[0-9a-fR%+-]{0,18}){0,6}") {
            let _ = submission(&Args::of_forms([&octets, query.as_bytes()]), NOW);
            schedule(sdt.as_bytes(), NOW);
        }
    }
}
