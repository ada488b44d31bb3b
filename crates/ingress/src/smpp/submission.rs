//! From a submit_sm, data_sm or submit_multi to a [`Submission`]. Pure; the clock comes in.
//!
//! A part of a long message that the client has cut itself (a user data header with concatenation,
//! or `sar_` TLVs) becomes a message of its own with its header kept: each part is answered with an
//! id as soon as it is durable, has its own receipt, and goes to the connector as the client cut
//! it. Putting parts together first would mean to answer for parts that wait in memory, or to let
//! the client wait for its own next part.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::message::{Ingress, ReceiptWish};
use model::resources::{DefaultAlphabet, SmppLogin};
use model::submission::{BinarySubmission, EncodingChoice, TlvSubmission};
use model::{Submission, Timestamp};
use smpp::{
    Address, CommandStatus, DataCoding, DataSm, EsmClass, MessageType, RegisteredDelivery, SmppTime, SubmitMulti,
    SubmitSm, Tag, Tlvs, Ton,
};
use sms::{Alphabet, Coding, Concat, Described, Shift, SmppCoding, Udh, UdhBuilder};

/// Longest `service_type` of ours: USSD is a dialogue, which is not what messages are.
const USSD: &[u8] = b"USSD";
/// The highest priority of SMPP 5.0 (§4.7.14); 3 in 3.4.
const PRIORITY_MAX: u8 = 4;
/// Up to this flag the priority here tells which it was.
const PRIORITY_TOLD: u8 = 2;
/// Fewer digits are a short code, whatever its type of number says.
const INTERNATIONAL_DIGITS_MIN: usize = 7;
/// The longest validity that the engine takes: 63 weeks.
pub(super) const VALIDITY_SECONDS_MAX: i64 = 63 * 7 * 86_400;

/// What the three operations have in common.
struct Request<'a> {
    service_type: &'a [u8],
    source: Address<'a>,
    esm_class: EsmClass,
    protocol_id: u8,
    priority: u8,
    schedule: &'a [u8],
    validity: &'a [u8],
    registered: RegisteredDelivery,
    replace: u8,
    data_coding: DataCoding,
    default_message: u8,
    user_data: &'a [u8],
    tlvs: Tlvs<'a>,
}

/// The message that a submit_sm asks for, or what to refuse it with.
pub(super) fn of_submit_sm(pdu: &SubmitSm<'_>, login: &SmppLogin, now: Timestamp) -> Result<Submission, CommandStatus> {
    let request = Request {
        service_type: pdu.service_type,
        source: pdu.source,
        esm_class: pdu.esm_class,
        protocol_id: pdu.protocol_id,
        priority: pdu.priority_flag,
        schedule: pdu.schedule_delivery_time,
        validity: pdu.validity_period,
        registered: pdu.registered_delivery,
        replace: pdu.replace_if_present_flag,
        data_coding: pdu.data_coding,
        default_message: pdu.sm_default_msg_id,
        user_data: pdu.user_data(),
        tlvs: pdu.tlvs,
    };
    let to = recipient(pdu.destination)?;
    Ok(Submission { to, ..read(&request, login, now)? })
}

/// The message that a data_sm asks for.
pub(super) fn of_data_sm(pdu: &DataSm<'_>, login: &SmppLogin, now: Timestamp) -> Result<Submission, CommandStatus> {
    let request = Request {
        service_type: pdu.service_type,
        source: pdu.source,
        esm_class: pdu.esm_class,
        protocol_id: 0,
        priority: 0,
        schedule: b"",
        validity: b"",
        registered: pdu.registered_delivery,
        replace: 0,
        data_coding: pdu.data_coding,
        default_message: 0,
        user_data: pdu.user_data(),
        tlvs: pdu.tlvs,
    };
    let to = recipient(pdu.destination)?;
    Ok(Submission { to, ..read(&request, login, now)? })
}

/// What a submit_multi asks for, without its recipients.
pub(super) fn of_submit_multi(
    pdu: &SubmitMulti<'_>,
    login: &SmppLogin,
    now: Timestamp,
) -> Result<Submission, CommandStatus> {
    let request = Request {
        service_type: pdu.service_type,
        source: pdu.source,
        esm_class: pdu.esm_class,
        protocol_id: pdu.protocol_id,
        priority: pdu.priority_flag,
        schedule: pdu.schedule_delivery_time,
        validity: pdu.validity_period,
        registered: pdu.registered_delivery,
        replace: pdu.replace_if_present_flag,
        data_coding: pdu.data_coding,
        default_message: pdu.sm_default_msg_id,
        user_data: pdu.user_data(),
        tlvs: pdu.tlvs,
    };
    read(&request, login, now)
}

fn read(request: &Request<'_>, login: &SmppLogin, now: Timestamp) -> Result<Submission, CommandStatus> {
    refuse_what_is_not_done(request)?;
    let times = times(request.schedule, request.validity, request.tlvs, now)?;
    let mut submission = Submission {
        from: sender(request.source)?,
        priority: Some(priority(request.priority)?),
        send_at: times.send_at,
        validity_seconds: times.validity_seconds,
        receipt: receipt_wish(request.registered),
        tlvs: passed_on(request.tlvs),
        protocol_id: (request.protocol_id != 0).then_some(request.protocol_id.into()),
        service_type: service_type(request.service_type)?,
        reply_path: request.esm_class.0 & EsmClass::REPLY_PATH != 0,
        replace_if_present: request.replace == 1,
        priority_flag: (request.priority > PRIORITY_TOLD).then_some(request.priority),
        ingress: Ingress::Smpp,
        ..Submission::default()
    };
    let octets = Octets {
        user_data: request.user_data,
        data_coding: request.data_coding,
        udhi: request.esm_class.has_udh(),
        sar: sar(request.tlvs)?,
    };
    content(octets, login, &mut submission)?;
    if submission.replace_if_present {
        submission.supersede_key = replaces(&submission);
    }
    Ok(submission)
}

/// What a message with replace_if_present_flag stands for while it waits here: those before it with the
/// same source, destination and service (SMPP 3.4 §5.2.18). Parts of a long one don't take each other's
/// place.
fn replaces(submission: &Submission) -> Option<String> {
    if submission.binary.as_ref().is_some_and(|binary| binary.udh.is_some()) {
        return None;
    }
    let (service, from) = (submission.service_type.as_deref(), submission.from.as_deref());
    Some(format!("replace_if_present:{}:{}", service.unwrap_or_default(), from.unwrap_or_default()))
}

/// A service of the client's.
fn service_type(text: &[u8]) -> Result<Option<String>, CommandStatus> {
    if text.is_empty() {
        return Ok(None);
    }
    let text = std::str::from_utf8(text).map_err(|_| CommandStatus::RINVSERTYP)?;
    Ok(Some(text.to_owned()))
}

/// What would silently become something else is refused.
fn refuse_what_is_not_done(request: &Request<'_>) -> Result<(), CommandStatus> {
    // Acknowledgements between SMEs are for ANSI-41 networks (SMPP 5.0 §4.7.12). Libraries set their bit by
    // default, and what they mark so is an ordinary message.
    let kind = request.esm_class.message_type();
    if !matches!(kind, MessageType::Default | MessageType::DeliveryAck | MessageType::ManualAck) {
        return Err(CommandStatus::RINVESMCLASS);
    }
    if request.service_type.eq_ignore_ascii_case(USSD) {
        return Err(CommandStatus::RINVSERTYP);
    }
    if request.default_message != 0 {
        return Err(CommandStatus::RINVDFTMSGID);
    }
    if request.replace > 1 { Err(CommandStatus::RINVREPFLAG) } else { Ok(()) }
}

/// SMPP's usual 0 is our usual 1; what is above it goes first.
fn priority(flag: u8) -> Result<u32, CommandStatus> {
    if flag > PRIORITY_MAX {
        return Err(CommandStatus::RINVPRTFLG);
    }
    Ok(u32::from(flag.saturating_add(1).min(3)))
}

/// SMPP 5.0 §4.7.21. With intermediate notifications all that happens is told, whichever end was asked for.
pub(super) fn receipt_wish(registered: RegisteredDelivery) -> ReceiptWish {
    match registered.receipt() {
        _ if registered.wants_intermediate() => ReceiptWish::All,
        RegisteredDelivery::NONE => ReceiptWish::None,
        RegisteredDelivery::FAILURE => ReceiptWish::Failure,
        RegisteredDelivery::SUCCESS => ReceiptWish::Success,
        _ => ReceiptWish::Final,
    }
}

pub(super) fn recipient(address: Address<'_>) -> Result<String, CommandStatus> {
    number(address).ok_or(CommandStatus::RINVDSTADR)
}

pub(super) fn sender(address: Address<'_>) -> Result<Option<String>, CommandStatus> {
    if address.addr.is_empty() {
        return Ok(None);
    }
    number(address).map(Some).ok_or(CommandStatus::RINVSRCADR)
}

/// An address as the engine reads it: international digits get their `+`, so that nobody takes
/// them for a national number.
fn number(address: Address<'_>) -> Option<String> {
    let text = std::str::from_utf8(address.addr).ok()?;
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    if address.ton == Ton::INTERNATIONAL && digits && text.len() >= INTERNATIONAL_DIGITS_MIN {
        let mut number = String::with_capacity(text.len() + 1);
        number.push('+');
        number.push_str(text);
        return Some(number);
    }
    Some(text.to_owned())
}

#[derive(Default)]
struct Times {
    send_at: Option<String>,
    validity_seconds: Option<u64>,
}

fn times(schedule: &[u8], validity: &[u8], tlvs: Tlvs<'_>, now: Timestamp) -> Result<Times, CommandStatus> {
    let time_to_live = tlvs.integer(Tag::QOS_TIME_TO_LIVE);
    if schedule.is_empty() && validity.is_empty() && time_to_live.is_none() {
        return Ok(Times::default());
    }
    let send_at = point(schedule, now).map_err(|()| CommandStatus::RINVSCHED)?.filter(|at| *at > now);
    let expires_at = match (point(validity, now).map_err(|()| CommandStatus::RINVEXPIRY)?, time_to_live) {
        (None, Some(seconds)) => Some(now.plus_seconds(i64::from(seconds))),
        (expires_at, _) => expires_at,
    };
    let validity_seconds = match expires_at {
        None => None,
        // Nothing but zeros asks for nothing.
        Some(at) if at == now => None,
        Some(at) => {
            let seconds = at.millis_since(send_at.unwrap_or(now)) / 1000;
            if seconds < 1 {
                return Err(CommandStatus::RINVEXPIRY);
            }
            Some(seconds.min(VALIDITY_SECONDS_MAX) as u64)
        }
    };
    Ok(Times { send_at: send_at.map(|at| at.to_string()), validity_seconds })
}

/// A time of SMPP as a point in time; `None` if there is none.
pub(super) fn point(text: &[u8], now: Timestamp) -> Result<Option<Timestamp>, ()> {
    if text.is_empty() {
        return Ok(None);
    }
    match SmppTime::parse_lenient(text).map_err(drop)? {
        SmppTime::Relative(time) => {
            const DAY: i64 = 86_400;
            let days = i64::from(time.years) * 365 + i64::from(time.months) * 30 + i64::from(time.days);
            let of_day = i64::from(time.hours) * 3600 + i64::from(time.minutes) * 60 + i64::from(time.seconds);
            Ok(Some(now.plus_seconds(days * DAY + of_day)))
        }
        SmppTime::Absolute(time) => {
            let sign = if time.offset_quarters < 0 { '-' } else { '+' };
            let offset = u32::from(time.offset_quarters.unsigned_abs()) * 15;
            let text = format!(
                "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{}{sign}{:02}:{:02}",
                time.year,
                time.month,
                time.day,
                time.hour,
                time.minute,
                time.second,
                time.tenth,
                offset / 60,
                offset % 60,
            );
            text.parse().map(Some).map_err(drop)
        }
    }
}

/// Where the user data header of a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Header {
    None,
    /// Before what it says.
    InUserData,
    /// `sar_` TLVs tell it.
    Sar(Concat),
}

/// The text, or the octets, of a message whose text is replaced: its coding and whether it begins with
/// a header are those of the one before.
pub(super) fn content_again(
    user_data: &[u8],
    data_coding: DataCoding,
    header: Header,
    login: &SmppLogin,
) -> Result<Submission, CommandStatus> {
    let mut submission = Submission::default();
    let (udhi, sar) = match header {
        Header::None => (false, None),
        Header::InUserData => (true, None),
        Header::Sar(part) => (false, Some(part)),
    };
    let octets = Octets { user_data, data_coding, udhi, sar };
    content(octets, login, &mut submission)?;
    Ok(submission)
}

/// What a message says, as a client sends it.
struct Octets<'a> {
    user_data: &'a [u8],
    data_coding: DataCoding,
    /// They begin with a user data header.
    udhi: bool,
    sar: Option<Concat>,
}

/// Fills in the text, or the octets with their header.
fn content(octets: Octets<'_>, login: &SmppLogin, submission: &mut Submission) -> Result<(), CommandStatus> {
    let Octets { user_data, data_coding: DataCoding(data_coding), udhi, sar } = octets;
    let described = Described::Smpp { data_coding, default: default_alphabet(login.default_alphabet) };
    if !udhi && sar.is_none() && !is_waiting_indication(data_coding) {
        let received = sms::decode_user_data(user_data, false, described);
        submission.class = received.class.map(|class| u32::from(class.number()));
        match received.body {
            sms::Body::Text(text) => {
                submission.encoding = match received.alphabet {
                    Alphabet::Ucs2 => EncodingChoice::Ucs2,
                    Alphabet::Latin1 if data_coding == DataCoding::LATIN1.0 => EncodingChoice::Latin1,
                    _ => EncodingChoice::Auto,
                };
                submission.text = Some(text);
            }
            sms::Body::Octets(data) => {
                submission.class = None;
                submission.binary = Some(binary(&data, &[], octets_coding(data_coding)));
            }
        }
        return Ok(());
    }
    let (header, data) = match udhi {
        true => {
            let (header, data) = Udh::split(user_data).map_err(|_| CommandStatus::RINVESMCLASS)?;
            (header.octets().to_vec(), data)
        }
        false => (sar.map_or_else(Vec::new, |sar| UdhBuilder::new().concat(sar).finish()), user_data),
    };
    let (data, coding) = recoded(data, &header, data_coding, login.default_alphabet);
    submission.binary = Some(binary(&data, &header, coding));
    Ok(())
}

/// Data behind a header as connectors take it: septets one an octet, or octets as they are.
fn recoded(data: &[u8], header: &[u8], data_coding: u8, default: DefaultAlphabet) -> (Vec<u8>, u8) {
    if data_coding != 0 || default == DefaultAlphabet::Gsm7 {
        return (data.to_vec(), octets_coding(data_coding));
    }
    let text = match default {
        DefaultAlphabet::Gsm7Packed => {
            let septets = sms::unpack(data, sms::fill_bits(header.len()), usize::MAX);
            return (septets, 0);
        }
        DefaultAlphabet::Utf8 => String::from_utf8_lossy(data).into_owned(),
        DefaultAlphabet::Latin1 | DefaultAlphabet::Ascii | DefaultAlphabet::Gsm7 => sms::decode_latin1(data),
    };
    match sms::encode_gsm7(&text, Shift::default()) {
        Ok(septets) => (septets, 0),
        Err(_) => (sms::encode_latin1(&text).unwrap_or_else(|_| data.to_vec()), DataCoding::LATIN1.0),
    }
}

/// Both numbers for octets are one to connectors.
fn octets_coding(data_coding: u8) -> u8 {
    if data_coding == DataCoding::OCTETS_COMMON.0 { DataCoding::OCTETS.0 } else { data_coding }
}

/// Message waiting indications are more than their text (3GPP 23.038 §4).
fn is_waiting_indication(data_coding: u8) -> bool {
    matches!(SmppCoding::decode(data_coding), SmppCoding::Gsm(dcs) if dcs.coding == Coding::Gsm7)
        && (0xC0..0xF0).contains(&data_coding)
}

fn binary(data: &[u8], header: &[u8], coding: u8) -> BinarySubmission {
    BinarySubmission {
        data: STANDARD.encode(data),
        udh: (!header.is_empty()).then(|| STANDARD.encode(header)),
        dcs: Some(coding.into()),
    }
}

/// The part that `sar_` TLVs say this is; one of one is whole.
fn sar(tlvs: Tlvs<'_>) -> Result<Option<Concat>, CommandStatus> {
    let Some(reference) = tlvs.integer(Tag::SAR_MSG_REF_NUM) else { return Ok(None) };
    let octet = |tag| tlvs.integer(tag).and_then(|value| u8::try_from(value).ok());
    let (Some(total), Some(sequence)) = (octet(Tag::SAR_TOTAL_SEGMENTS), octet(Tag::SAR_SEGMENT_SEQNUM)) else {
        return Err(CommandStatus::RMISSINGTLV);
    };
    if total == 0 || sequence == 0 || sequence > total {
        return Err(CommandStatus::RINVTLVVAL);
    }
    let reference = u16::try_from(reference).map_err(|_| CommandStatus::RINVTLVVAL)?;
    Ok((total > 1).then_some(Concat { reference, total, sequence, wide: reference > 0xFF }))
}

/// TLVs that mean something to a carrier or to the phone. Those that say how the text is carried
/// are used up here.
fn passed_on(tlvs: Tlvs<'_>) -> Vec<TlvSubmission> {
    const USED_UP: [Tag; 8] = [
        Tag::MESSAGE_PAYLOAD,
        Tag::SAR_MSG_REF_NUM,
        Tag::SAR_TOTAL_SEGMENTS,
        Tag::SAR_SEGMENT_SEQNUM,
        Tag::MORE_MESSAGES_TO_SEND,
        Tag::QOS_TIME_TO_LIVE,
        Tag::RECEIPTED_MESSAGE_ID,
        Tag::PAYLOAD_TYPE,
    ];
    let wanted = tlvs.iter().filter(|tlv| !USED_UP.contains(&tlv.tag));
    wanted.map(|tlv| TlvSubmission { tag: tlv.tag.0.into(), hex: engine::hash::hex(tlv.value) }).collect()
}

/// What `data_coding` 0 means.
pub(super) fn default_alphabet(alphabet: DefaultAlphabet) -> sms::DefaultAlphabet {
    match alphabet {
        DefaultAlphabet::Gsm7 => sms::DefaultAlphabet::Gsm7,
        DefaultAlphabet::Gsm7Packed => sms::DefaultAlphabet::Gsm7Packed,
        DefaultAlphabet::Latin1 => sms::DefaultAlphabet::Latin1,
        DefaultAlphabet::Ascii => sms::DefaultAlphabet::Ascii,
        DefaultAlphabet::Utf8 => sms::DefaultAlphabet::Utf8,
    }
}

#[cfg(test)]
#[path = "submission_tests.rs"]
mod tests;
