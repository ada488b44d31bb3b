//! replace_sm (SMPP 3.4 §4.10): another text for a message that waits, another time, another end.
//!
//! It names no data_coding: its text is coded as that of the message was. A message is kept as
//! Unicode, so that is found out from what it is kept as.

use engine::{Caller, Engine, Refusal, ReplaceError};
use model::resources::{DefaultAlphabet, SmppLogin};
use model::{Address, Body, Content, Encoding, ReceiptWish, Replacement, Submission, Timestamp};
use smpp::{CommandStatus, DataCoding, ReplaceSm};
use sms::{Concat, Udh};

use super::answer::status_of;
use super::requests::find;
use super::submission::{self, Header};

/// A replace_sm, without its PDU.
pub(crate) struct Replace {
    id: Box<[u8]>,
    from: Option<String>,
    /// Empty leaves the text as it is.
    user_data: Box<[u8]>,
    send_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    receipt: ReceiptWish,
}

impl Replace {
    pub fn read(pdu: &ReplaceSm<'_>, now: Timestamp) -> Result<Self, CommandStatus> {
        if pdu.sm_default_msg_id != 0 {
            return Err(CommandStatus::RINVDFTMSGID);
        }
        Ok(Self {
            id: pdu.message_id.into(),
            from: submission::sender(pdu.source)?,
            user_data: pdu.user_data().into(),
            send_at: submission::point(pdu.schedule_delivery_time, now).map_err(|()| CommandStatus::RINVSCHED)?,
            expires_at: submission::point(pdu.validity_period, now).map_err(|()| CommandStatus::RINVEXPIRY)?,
            receipt: submission::receipt_wish(pdu.registered_delivery),
        })
    }

    /// Has the engine do it.
    pub async fn done(&self, engine: &Engine, caller: &Caller, login: &SmppLogin) -> Result<(), CommandStatus> {
        let message = find(engine, caller, &self.id).await?.ok_or(CommandStatus::RINVMSGID)?;
        if !self.is_from(&message.body, caller) {
            return Err(CommandStatus::RINVSRCADR);
        }
        let replacement = self.replacement(&message.body, login, engine.now())?;
        match engine.replace(caller, message.body.id, replacement).await {
            Ok(_) => Ok(()),
            Err(ReplaceError::NoSuchMessage) => Err(CommandStatus::RINVMSGID),
            Err(ReplaceError::TooLate | ReplaceError::InParts(_) | ReplaceError::Carrier(_)) => {
                Err(CommandStatus::RREPLACEFAIL)
            }
            Err(ReplaceError::Refused(
                Refusal::BalanceTooLow(_) | Refusal::PolicyRejects(_) | Refusal::Rejected { .. } | Refusal::NoRoute,
            )) => Err(CommandStatus::RREPLACEFAIL),
            Err(ReplaceError::Refused(refusal)) => Err(status_of(&refusal)),
        }
    }

    /// Is the source the one of the message? An empty one is the account's default, as it was when the
    /// message was handed in.
    fn is_from(&self, body: &Body, caller: &Caller) -> bool {
        let account = &caller.account;
        let from = self.from.as_deref().or(account.account.default_sender.as_deref());
        from.is_some_and(|from| Address::sender(from, account.country).is_ok_and(|from| from == body.from))
    }

    fn replacement(&self, body: &Body, login: &SmppLogin, now: Timestamp) -> Result<Replacement, CommandStatus> {
        let due = self.send_at.or(body.send_at).map_or(now, |at| at.max(now));
        let validity_seconds = match self.expires_at {
            // Nothing but zeros asks for nothing.
            None => None,
            Some(at) if at == now => None,
            Some(at) => match at.millis_since(due) / 1000 {
                ..1 => return Err(CommandStatus::RINVEXPIRY),
                seconds => Some(seconds.min(submission::VALIDITY_SECONDS_MAX) as u64),
            },
        };
        let content = match self.user_data.is_empty() {
            true => Submission::default(),
            false => {
                let (coding, header) = coding_of(body, &self.user_data, login);
                submission::content_again(&self.user_data, coding, header, login)?
            }
        };
        Ok(Replacement {
            text: content.text,
            binary: content.binary,
            encoding: (!self.user_data.is_empty()).then_some(content.encoding),
            send_at: self.send_at.map(|at| at.to_string()),
            validity_seconds,
            receipt: Some(self.receipt),
            max_parts: None,
        })
    }
}

/// How the message was coded, and where its header is.
fn coding_of(body: &Body, user_data: &[u8], login: &SmppLogin) -> (DataCoding, Header) {
    let class = body.class.filter(|class| *class <= 3);
    let coding = match &body.content {
        Content::Binary { udh, dcs, .. } => return (DataCoding(*dcs), header_of(udh, user_data)),
        Content::Text(text) => match body.encoding {
            Encoding::Ucs2 if is_ucs2(text, user_data, login.default_alphabet) => {
                class.map_or(DataCoding::UCS2.0, |class| 0x18 | class)
            }
            Encoding::Latin1 => DataCoding::LATIN1.0,
            _ => class.map_or(0, |class| 0x10 | class),
        },
    };
    (DataCoding(coding), Header::None)
}

/// Where the header is of what takes the place of octets with this one. One that says nothing but which part
/// of a long message this is may be ours, made of `sar_` TLVs, which replace_sm does not have: it stays,
/// unless the octets bring such a one themselves.
fn header_of(udh: &[u8], user_data: &[u8]) -> Header {
    if udh.is_empty() {
        return Header::None;
    }
    let Some(part) = part_alone(udh) else { return Header::InUserData };
    let brings_its_own =
        part_alone(user_data).is_some_and(|own| (own.total, own.sequence) == (part.total, part.sequence));
    if brings_its_own { Header::InUserData } else { Header::Sar(part) }
}

/// The part that octets say they are, if they begin with a header that says nothing else.
fn part_alone(octets: &[u8]) -> Option<Concat> {
    let (header, _) = Udh::split(octets).ok()?;
    header.concat().filter(|_| header.elements().count() == 1)
}

/// A text went out in UCS-2. Was it handed in so, or in an account's default alphabet that has more
/// than GSM 7-bit? Where both can be, the octets that come now tell: hardly anybody's UCS-2 is without
/// an octet 0 and yet sound UTF-8, or Latin-1 that can be written.
fn is_ucs2(text: &str, user_data: &[u8], default: DefaultAlphabet) -> bool {
    let in_default = match default {
        DefaultAlphabet::Gsm7 | DefaultAlphabet::Gsm7Packed | DefaultAlphabet::Ascii => false,
        DefaultAlphabet::Latin1 => sms::encode_latin1(text).is_ok(),
        DefaultAlphabet::Utf8 => true,
    };
    let odd = !user_data.len().is_multiple_of(2);
    let plain = match default {
        DefaultAlphabet::Utf8 => std::str::from_utf8(user_data).is_ok() && !user_data.contains(&0),
        _ => !user_data.contains(&0),
    };
    !(in_default && (odd || plain))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use model::samples;

    use super::*;

    fn body(text: &str, encoding: Encoding) -> Body {
        Body { content: Content::Text(text.into()), encoding, ..samples::body(Timestamp::default()) }
    }

    fn login(default_alphabet: DefaultAlphabet) -> SmppLogin {
        SmppLogin { default_alphabet, ..serde_json::from_str(r#"{"system_id":"a","password":"b"}"#).unwrap() }
    }

    #[test]
    fn the_text_is_coded_as_the_one_before_was() {
        let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
        let coded = |body: &Body, octets: &[u8], default| coding_of(body, octets, &login(default)).0.0;
        let (plain, kana) = (body("hello", Encoding::Gsm7), body("かな", Encoding::Ucs2));
        assert_eq!(coded(&plain, b"other", DefaultAlphabet::Gsm7), 0);
        assert_eq!(coded(&Body { class: Some(0), ..plain }, b"other", DefaultAlphabet::Gsm7), 0x10);
        assert_eq!(coded(&body("hello", Encoding::Latin1), b"other", DefaultAlphabet::Gsm7), 3);
        for default in [DefaultAlphabet::Gsm7, DefaultAlphabet::Latin1, DefaultAlphabet::Utf8] {
            assert_eq!(coded(&kana, &utf16("かな ok"), default), 8);
        }
        assert_eq!(coded(&kana, "かな ok".as_bytes(), DefaultAlphabet::Utf8), 0);
        assert_eq!(coded(&body("tschüß ç", Encoding::Ucs2), b"fa\xE7ade", DefaultAlphabet::Latin1), 0);
        let octets = Content::Binary { data: [1].into(), udh: [2, 0, 0].into(), dcs: 4 };
        let octets = Body { content: octets, ..body("", Encoding::Binary) };
        let coded = coding_of(&octets, &[2, 0, 0, 9], &login(DefaultAlphabet::Gsm7));
        assert_eq!(coded, (DataCoding(4), Header::InUserData));
    }

    #[test]
    fn a_part_that_sar_tlvs_told_stays_that_part() {
        let udh = [5, 0, 3, 9, 2, 1];
        let content = Content::Binary { data: b"hello"[..].into(), udh: udh.into(), dcs: 0 };
        let old = Body { content, ..body("", Encoding::Binary) };
        let replaced = |user_data: &[u8]| {
            let replace = Replace {
                id: Box::default(),
                from: None,
                user_data: user_data.into(),
                send_at: None,
                expires_at: None,
                receipt: ReceiptWish::None,
            };
            let with = replace.replacement(&old, &login(DefaultAlphabet::Gsm7), Timestamp::default()).unwrap();
            let binary = with.binary.unwrap();
            let octets = |text: &str| STANDARD.decode(text).unwrap();
            (octets(binary.udh.as_deref().unwrap()), octets(&binary.data))
        };
        assert_eq!(replaced(b"good bye"), (udh.to_vec(), b"good bye".to_vec()));
        assert_eq!(replaced(b"\x05\x00\x03\x07\x02\x01bye"), (vec![5, 0, 3, 7, 2, 1], b"bye".to_vec()), "its own");
        assert_eq!(replaced(b"\x05\x00\x03\x07\x03\x01x").0, udh, "another part is no header of this one");
    }

    #[test]
    fn the_end_is_counted_from_when_it_is_due() {
        let now = Timestamp::from_millis(1_000_000);
        let at = |seconds| now.plus_seconds(seconds);
        let replace = Replace {
            id: Box::default(),
            from: None,
            user_data: Box::default(),
            send_at: None,
            expires_at: Some(at(90)),
            receipt: ReceiptWish::None,
        };
        let login = login(DefaultAlphabet::Gsm7);
        let validity = |replace: &Replace, send_at| {
            let body = Body { send_at, ..body("hello", Encoding::Gsm7) };
            replace.replacement(&body, &login, now).map(|replacement| replacement.validity_seconds)
        };
        assert_eq!(validity(&replace, None), Ok(Some(90)));
        assert_eq!(validity(&replace, Some(at(-50))), Ok(Some(90)));
        assert_eq!(validity(&replace, Some(at(60))), Ok(Some(30)));
        let sooner = Replace { send_at: Some(at(20)), ..replace };
        assert_eq!(validity(&sooner, Some(at(60))), Ok(Some(70)));
        let never = Replace { send_at: Some(at(300)), ..sooner };
        assert_eq!(validity(&never, None), Err(CommandStatus::RINVEXPIRY));
        assert_eq!(validity(&Replace { expires_at: Some(now), ..never }, None), Ok(None));
    }
}
