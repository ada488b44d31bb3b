//! From 51, 30, 01, 02 and 03 to [`Submission`]s. Pure; the clock comes in.

use model::dialect::named_wish;
use model::message::Ingress;
use model::{Dialect, NamedTerms, Submission, Timestamp};
use ucp::{AddressType, Content, ErrorCode, Identity, NotificationType, Operation, OperationType, ShortMessage, Trn};

use crate::named::{AccountNames, Clock, Digits, UserData, receipt_wish};

/// Digits of the longest recipient.
const ADC_MAX: usize = 16;
/// Fewer digits are a short code, whatever its type of address says.
const INTERNATIONAL_DIGITS_MIN: usize = 7;
/// The longest validity that the engine takes: 63 weeks.
pub(super) const VALIDITY_SECONDS_MAX: i64 = 63 * 7 * 86_400;
/// 8-bit data (3GPP 23.038 §4).
const OCTETS: u8 = 0x04;

/// A submission that waits for its answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub trn: Trn,
    pub ot: OperationType,
    /// What the message is called: `AdC:SCTS`.
    pub identity: Box<[u8]>,
}

/// A message, and what it is called.
pub(super) type Message = (Submission, Box<[u8]>);

/// What messages are read by.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub clock: &'a Clock,
    pub names: &'a AccountNames,
    pub now: Timestamp,
}

/// What an operation asks for, without its recipient.
#[derive(Default)]
struct Request<'a> {
    oadc: &'a [u8],
    otoa: Option<AddressType>,
    /// Where notifications are to go.
    nadc: &'a [u8],
    wanted: NotificationType,
    ddt: &'a [u8],
    vp: &'a [u8],
    pid: Option<u16>,
    urgent: bool,
    reply_path: bool,
    data: UserData,
}

/// The messages that an operation asks for, each with what it is called: one, but for 02. `None` for operations
/// that ask for none.
pub(super) fn read(operation: &Operation<'_>, reading: Reading<'_>) -> Option<Result<Vec<Message>, ErrorCode>> {
    let one =
        |adc, request: Result<Request<'_>, ErrorCode>| request.and_then(|r| r.message(adc, reading)).map(|m| vec![m]);
    Some(match operation {
        Operation::Submit(message) => one(message.adc, of_submit(message)),
        Operation::MessageTransfer(message) => one(
            message.adc,
            Ok(Request {
                oadc: message.oadc,
                nadc: message.nadc,
                wanted: if message.nrq == Some(1) { NotificationType::FINAL } else { NotificationType::NONE },
                ddt: message.ddt,
                vp: message.vp,
                data: UserData { octets: message.amsg.to_vec(), ..UserData::default() },
                ..Request::default()
            }),
        ),
        Operation::CallInput(call) => one(
            call.adc,
            user_data(call.content, None).map(|data| Request { oadc: call.oadc, data, ..Request::default() }),
        ),
        Operation::SupplementaryCallInput(call) => one(
            call.rad,
            user_data(call.content, None).map(|data| Request {
                oadc: call.oadc,
                ddt: call.ddt,
                urgent: call.pr == Some(1) || call.ur == Some(1),
                data,
                ..Request::default()
            }),
        ),
        Operation::MultipleCallInput(call) => {
            let data = user_data(call.content, None);
            data.and_then(|data| {
                let request = Request { oadc: call.oadc, data, ..Request::default() };
                call.rad.iter().map(|adc| request.message(adc, reading)).collect()
            })
        }
        _ => return None,
    })
}

fn of_submit<'a>(message: &ShortMessage<'a>) -> Result<Request<'a>, ErrorCode> {
    let nt = message.nt.unwrap_or(NotificationType::FINAL);
    Ok(Request {
        oadc: message.oadc,
        otoa: message.otoa,
        nadc: message.nadc,
        wanted: if message.nrq == Some(1) { nt } else { NotificationType::NONE },
        ddt: message.ddt,
        vp: message.vp,
        pid: message.rpid,
        urgent: message.pr == Some(1),
        reply_path: message.rpi == Some(1),
        data: of_short_message(message)?,
    })
}

/// What a message of the 50 series says.
pub(super) fn of_short_message(message: &ShortMessage<'_>) -> Result<UserData, ErrorCode> {
    let data = user_data(message.content, message.xser.dcs())?;
    let header = message.xser.udh().map(|udh| udh.to_vec()).unwrap_or_default();
    Ok(UserData { header, class: message.mcls, ..data })
}

fn user_data(content: Content<'_>, dcs: Option<u8>) -> Result<UserData, ErrorCode> {
    let (octets, dcs) = match content {
        Content::Numeric(digits) => (digits.to_vec(), 0),
        // Whatever else is said, these are codes of the GSM alphabet.
        Content::Alphanumeric(codes) => (codes.to_vec(), dcs.filter(|dcs| is_gsm7(*dcs)).unwrap_or(0)),
        Content::Transparent { .. } => {
            (content.octets().map(|hex| hex.to_vec()).unwrap_or_default(), dcs.unwrap_or(OCTETS))
        }
        Content::Absent => (Vec::new(), 0),
        Content::Other { .. } => return Err(ErrorCode::TYPE_NOT_SUPPORTED),
    };
    Ok(UserData { octets, dcs, ..UserData::default() })
}

fn is_gsm7(dcs: u8) -> bool {
    sms::Dcs::decode(dcs).coding == sms::Coding::Gsm7
}

impl Request<'_> {
    /// The message to this recipient.
    fn message(&self, adc: &[u8], reading: Reading<'_>) -> Result<Message, ErrorCode> {
        let to = recipient(adc)?;
        let (send_at, validity_seconds) = times(self.ddt, self.vp, reading.clock, reading.now)?;
        let wish = wish(self.wanted);
        let mut submission = Submission {
            to: to.to_owned(),
            from: sender(self.oadc, self.otoa)?,
            priority: Some(if self.urgent { 2 } else { 1 }),
            send_at: send_at.map(|at| at.to_string()),
            validity_seconds,
            receipt: receipt_wish(wish),
            protocol_id: self.pid.filter(|pid| *pid != 0).map(u32::from),
            reply_path: self.reply_path,
            ingress: Ingress::Ucp,
            ..Submission::default()
        };
        self.data.clone().put(&mut submission).map_err(|_| ErrorCode::SYNTAX)?;
        let scts = reading.clock.digits(reading.names.next(adc, reading.now), Digits::DayFirst);
        let mut identity = Vec::with_capacity(ADC_MAX + 1 + scts.len());
        Identity { adc, scts: &scts }.append_to(&mut identity).map_err(|_| ErrorCode::ADC_INVALID)?;
        submission.dialect = Some(Box::new(Dialect::Named(NamedTerms {
            to: to.into(),
            from: self.notified().into(),
            at: String::from_utf8_lossy(&scts).into(),
            wish,
        })));
        Ok((submission, identity.into()))
    }

    /// Where notifications are addressed to: what is named for them, or the originator if that is a number.
    fn notified(&self) -> &str {
        let numeric = self.otoa != Some(AddressType::ALPHANUMERIC);
        let address = if !self.nadc.is_empty() { self.nadc } else { self.oadc };
        let fits =
            (numeric || !self.nadc.is_empty()) && address.len() <= ADC_MAX && address.iter().all(u8::is_ascii_digit);
        std::str::from_utf8(address).ok().filter(|_| fits).unwrap_or_default()
    }
}

/// A recipient is digits, with a `+` where a client does not know better.
pub(super) fn recipient(adc: &[u8]) -> Result<&str, ErrorCode> {
    let digits = adc.strip_prefix(b"+").unwrap_or(adc);
    if digits.is_empty() || adc.len() > ADC_MAX || !digits.iter().all(u8::is_ascii_digit) {
        return Err(ErrorCode::ADC_INVALID);
    }
    std::str::from_utf8(adc).map_err(|_| ErrorCode::ADC_INVALID)
}

/// A sender as the engine reads it: international digits get their `+`, so that nobody takes them for a
/// national number.
fn sender(oadc: &[u8], otoa: Option<AddressType>) -> Result<Option<String>, ErrorCode> {
    if oadc.is_empty() {
        return Ok(None);
    }
    if otoa == Some(AddressType::ALPHANUMERIC) {
        let septets = ucp::unpack_name(oadc).ok_or(ErrorCode::SYNTAX)?;
        return Ok(Some(sms::decode_gsm7(&septets, sms::Shift::default())));
    }
    let text = std::str::from_utf8(oadc).map_err(|_| ErrorCode::SYNTAX)?;
    let digits = text.bytes().all(|octet| octet.is_ascii_digit());
    let whole = otoa == Some(AddressType::INTERNATIONAL) && digits && !text.starts_with("00");
    let plus = if whole && text.len() >= INTERNATIONAL_DIGITS_MIN { "+" } else { "" };
    Ok(Some(format!("{plus}{text}")))
}

/// When it is due, and for how long it is valid from then on.
pub(super) fn times(
    ddt: &[u8],
    vp: &[u8],
    clock: &Clock,
    now: Timestamp,
) -> Result<(Option<Timestamp>, Option<u64>), ErrorCode> {
    let moment = |digits: &[u8]| {
        let read = |digits| clock.moment(digits, Digits::DayFirst).ok_or(ErrorCode::TIME_PERIOD_INVALID);
        (!digits.is_empty()).then(|| read(digits)).transpose()
    };
    let send_at = moment(ddt)?.filter(|at| *at > now);
    let validity_seconds = match moment(vp)? {
        None => None,
        Some(at) => match at.millis_since(send_at.unwrap_or(now)) / 1000 {
            ..1 => return Err(ErrorCode::TIME_PERIOD_INVALID),
            seconds => Some(seconds.min(VALIDITY_SECONDS_MAX) as u64),
        },
    };
    Ok((send_at, validity_seconds))
}

fn wish(wanted: NotificationType) -> u8 {
    let mut wish = 0;
    for (kind, bits) in [
        (NotificationType::DELIVERED, named_wish::DELIVERED),
        (NotificationType::NOT_DELIVERED, named_wish::FAILED | named_wish::EXPIRED | named_wish::CANCELED),
        (NotificationType::BUFFERED, named_wish::BUFFERED),
    ] {
        if wanted.includes(kind) {
            wish |= bits;
        }
    }
    wish
}

#[cfg(test)]
#[path = "submission_tests.rs"]
mod tests;
