use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::ReceiptWish;
use model::resources::{Account, SessionLogin};
use model::submission::EncodingChoice;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, prop_assert, prop_assert_eq, prop_oneof, proptest};
use ucp::{AddressesBuf, CallInput, Hex, MessageTransfer, MultipleCallInput, SupplementaryCallInput, XserBuf};

use super::*;

/// 2026-11-22T20:14:56Z.
const NOW: Timestamp = Timestamp::from_millis(1_795_378_496_000);

fn read_with(operation: &Operation<'_>, names: &AccountNames) -> Result<Vec<(Submission, String)>, ErrorCode> {
    let login: SessionLogin = serde_json::from_str(r#"{"user":"60777","time_zone":"Europe/Berlin"}"#).unwrap();
    let account: Account = serde_json::from_str(r#"{"id":"shop"}"#).unwrap();
    let clock = Clock::of(&login, &account);
    let read = read(operation, Reading { clock: &clock, names, now: NOW }).unwrap()?;
    Ok(read.into_iter().map(|(message, name)| (message, String::from_utf8(name.into()).unwrap())).collect())
}

fn read_one(operation: &Operation<'_>) -> Result<Submission, ErrorCode> {
    read_with(operation, &AccountNames::default()).map(|mut messages| messages.pop().unwrap().0)
}

fn message<'a>() -> ShortMessage<'a> {
    ShortMessage {
        adc: b"00447700900123",
        oadc: b"60777",
        content: Content::alphanumeric(b"hello"),
        ..Default::default()
    }
}

fn submit(message: ShortMessage<'_>) -> Result<Submission, ErrorCode> {
    read_one(&Operation::Submit(message))
}

fn terms(submission: &Submission) -> NamedTerms {
    submission.dialect.as_ref().unwrap().name().unwrap().clone()
}

#[test]
fn a_plain_message_has_a_name_of_its_own() {
    let names = AccountNames::default();
    let read = |operation: &Operation<'_>| read_with(operation, &names).unwrap();
    let first = read(&Operation::Submit(message()));
    let (submission, name) = &first[0];
    assert_eq!((submission.to.as_str(), submission.from.as_deref()), ("00447700900123", Some("60777")));
    assert_eq!((submission.text.as_deref(), submission.ingress), (Some("hello"), Ingress::Ucp));
    assert_eq!((submission.receipt, submission.priority), (ReceiptWish::None, Some(1)));
    // In the clock of the login.
    assert_eq!(name, "00447700900123:221126211456");
    let named = NamedTerms { to: "00447700900123".into(), from: "60777".into(), at: "221126211456".into(), wish: 0 };
    assert_eq!(terms(submission), named);
    assert_eq!(read(&Operation::Submit(message()))[0].1, "00447700900123:221126211457", "in the same second");
}

#[test]
fn recipients_are_digits() {
    for bad in [&b""[..], b"+", b"44x", b"SHOP", b"12345678901234567"] {
        assert_eq!(submit(ShortMessage { adc: bad, ..message() }), Err(ErrorCode::ADC_INVALID));
    }
    assert_eq!(submit(ShortMessage { adc: b"+447700900123", ..message() }).unwrap().to, "+447700900123");
}

#[test]
fn senders_by_their_type_of_address() {
    let from = |otoa: Option<u16>, oadc| submit(ShortMessage { oadc, otoa: otoa.map(AddressType), ..message() });
    assert_eq!(from(None, b"07700900123").unwrap().from.unwrap(), "07700900123");
    assert_eq!(from(Some(1139), b"447700900123").unwrap().from.unwrap(), "+447700900123");
    assert_eq!(from(Some(1139), b"00447700900123").unwrap().from.unwrap(), "00447700900123");
    assert_eq!(from(Some(1139), b"60777").unwrap().from.unwrap(), "60777");
    assert_eq!(from(None, b"").unwrap().from, None);
    let named = from(Some(5039), b"10412614190438AB4D").unwrap();
    assert_eq!((named.from.as_deref(), &*terms(&named).from), (Some("ALPHA@NUM"), ""));
    assert_eq!(from(Some(5039), b"zz"), Err(ErrorCode::SYNTAX));
}

#[test]
fn texts_and_octets_as_they_are_described() {
    let mut xser = XserBuf::new();
    let text = |message: ShortMessage<'_>| {
        let read = submit(message).unwrap();
        (read.text.unwrap(), read.encoding, read.class)
    };
    use EncodingChoice::{Auto, Ucs2};
    let euro = Content::alphanumeric(b"\x00\x1be");
    assert_eq!(text(ShortMessage { content: euro, mcls: Some(0), ..message() }), ("@€".into(), Auto, Some(0)));
    assert_eq!(text(ShortMessage { content: Content::Numeric(b"123"), ..message() }), ("123".into(), Auto, None));
    xser.push_dcs(8);
    let ucs2 = ShortMessage { content: Content::transparent(&[4, 0x36]), xser: xser.as_xsers(), ..message() };
    assert_eq!(text(ucs2), ("ж".into(), Ucs2, None));
    let octets = |message: ShortMessage<'_>| {
        let binary = submit(message).unwrap().binary.unwrap();
        let read = |text: &str| STANDARD.decode(text).unwrap();
        (read(&binary.data), read(binary.udh.as_deref().unwrap_or_default()), binary.dcs.unwrap())
    };
    let data = ShortMessage { content: Content::transparent(&[0, 255]), mcls: Some(1), ..message() };
    assert_eq!(octets(data), (vec![0, 255], vec![], 0x15));
    let header = [5, 0, 3, 7, 2, 1];
    let mut xser = XserBuf::new();
    xser.push_udh(&header).unwrap();
    assert_eq!(octets(ShortMessage { xser: xser.as_xsers(), ..message() }), (b"hello".to_vec(), header.to_vec(), 0));
    let other = Content::Other { mt: Some(7), message: b"1" };
    assert_eq!(submit(ShortMessage { content: other, ..message() }), Err(ErrorCode::TYPE_NOT_SUPPORTED));
    let mut xser = XserBuf::new();
    xser.push_udh(&[9, 0]).unwrap();
    assert_eq!(submit(ShortMessage { xser: xser.as_xsers(), ..message() }), Err(ErrorCode::SYNTAX));
}

#[test]
fn times_are_those_of_the_login() {
    let of = |ddt, vp| submit(ShortMessage { ddt, vp, ..message() }).map(|read| (read.send_at, read.validity_seconds));
    assert_eq!(of(b"", b"2211262116"), Ok((None, Some(64))));
    let due = Some("2026-11-22T20:16:00.000Z".to_owned());
    assert_eq!(of(b"2211262116", b"2211262117"), Ok((due, Some(60))));
    assert_eq!(of(b"2211262100", b""), Ok((None, None)), "it has passed");
    for (ddt, vp) in [(&b"x"[..], &b""[..]), (b"", b"2211262114"), (b"", b"9999999999")] {
        assert_eq!(of(ddt, vp), Err(ErrorCode::TIME_PERIOD_INVALID));
    }
}

#[test]
fn notifications_that_are_wanted() {
    let of = |nrq, nt: Option<u8>| {
        let read = submit(ShortMessage { nrq, nt: nt.map(NotificationType), ..message() }).unwrap();
        (terms(&read).wish, read.receipt)
    };
    use named_wish::{BUFFERED, CANCELED, DELIVERED, EXPIRED, FAILED};
    let not_delivered = FAILED | EXPIRED | CANCELED;
    assert_eq!(of(None, Some(7)), (0, ReceiptWish::None));
    assert_eq!(of(Some(1), Some(1)), (DELIVERED, ReceiptWish::Success));
    assert_eq!(of(Some(1), Some(2)), (not_delivered, ReceiptWish::Failure));
    assert_eq!(of(Some(1), None), (DELIVERED | not_delivered, ReceiptWish::Final));
    assert_eq!(of(Some(1), Some(7)), (DELIVERED | not_delivered | BUFFERED, ReceiptWish::All));
    let elsewhere = submit(ShortMessage { nrq: Some(1), nadc: b"4711", ..message() }).unwrap();
    assert_eq!(&*terms(&elsewhere).from, "4711");
}

#[test]
fn what_carriers_are_to_be_told_goes_along() {
    let read = submit(ShortMessage { rpid: Some(65), pr: Some(1), rpi: Some(1), ..message() }).unwrap();
    assert_eq!((read.protocol_id, read.priority, read.reply_path), (Some(65), Some(2), true));
}

#[test]
fn older_operations_are_messages_too() {
    let content = Content::alphanumeric(b"hello");
    let call = CallInput { adc: b"447700900123", oadc: b"60777", content, ..CallInput::default() };
    let read = read_one(&Operation::CallInput(call)).unwrap();
    assert_eq!((read.text.as_deref(), terms(&read).wish), (Some("hello"), 0));
    let transfer = MessageTransfer {
        adc: b"447700900123",
        oadc: b"60777",
        nrq: Some(1),
        amsg: Hex::octets(b"hello"),
        ..MessageTransfer::default()
    };
    let read = read_one(&Operation::MessageTransfer(transfer)).unwrap();
    assert_eq!((read.text.as_deref(), read.receipt), (Some("hello"), ReceiptWish::Final));
    let services = SupplementaryCallInput { rad: b"447700900123", ur: Some(1), content, ..Default::default() };
    assert_eq!(read_one(&Operation::SupplementaryCallInput(services)).unwrap().priority, Some(2));
    let mut rad = AddressesBuf::new();
    for address in [&b"447700900123"[..], b"447700900124"] {
        rad.push(address).unwrap();
    }
    let many = MultipleCallInput { rad: rad.as_addresses(), content, ..MultipleCallInput::default() };
    let read = read_with(&Operation::MultipleCallInput(many), &AccountNames::default()).unwrap();
    let names: Vec<&str> = read.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(names, ["447700900123:221126211456", "447700900124:221126211456"]);
}

/// Fields as clients may write them: digits, hexadecimal, nonsense.
fn field() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[0-9]{1,20}",
        "[0-9A-F]{2,40}",
        "[ -.0-~]{0,20}",
        Just("1".into()),
        Just("3".into()),
        Just("4".into()),
        Just("5039".into()),
        Just("0106050003020201020108".into()),
    ]
}

proptest! {
    #[test]
    fn whatever_is_submitted_is_read_or_refused(ot in 1u8..=62, fields in vec(field(), 0..40)) {
        let data = fields.join("/") + "/";
        if let Ok(operation) = Operation::decode(OperationType(ot), data.as_bytes()) {
            let login: SessionLogin = serde_json::from_str(r#"{"user":"60777"}"#).unwrap();
            let clock = Clock::of(&login, &serde_json::from_str(r#"{"id":"shop"}"#).unwrap());
            let names = AccountNames::default();
            let reading = Reading { clock: &clock, names: &names, now: NOW };
            if let Some(Ok(messages)) = read(&operation, reading) {
                for (message, name) in messages {
                    prop_assert!(message.text.is_some() != message.binary.is_some());
                    prop_assert_eq!(Identity::parse(&name).map(|name| name.adc), Some(message.to.as_bytes()));
                }
            }
            let _ = crate::ucp::requests::Request::read(&operation, reading);
        }
    }
}
