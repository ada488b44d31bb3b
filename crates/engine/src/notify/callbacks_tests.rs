use std::sync::Arc;

use model::message::Progress;
use model::{Address, Body, Change, Reason, Receipt, ReceiptPolicy, samples};

use super::*;

const ACCEPTED: Timestamp = Timestamp::from_millis(1_795_378_496_007);
const SENT: Timestamp = Timestamp::from_millis(1_795_378_497_000);
const DONE: Timestamp = Timestamp::from_millis(1_795_378_560_000);
const URL: &str = "https://app.example/dlr?id=7&d=%d&a=%A&f=%F&i=%i&p=%p&P=%P&t=%t&o=%o&B=%B&n=%n";

fn message(dialect: Option<Dialect>) -> Message {
    let dialect = dialect.map(Box::new);
    let body = Body { dialect, ..samples::body(ACCEPTED) };
    Message { body: Arc::new(body), progress: Progress::accepted(Status::Queued, Some("smsc".into()), 1, ACCEPTED) }
}

fn kannel(mask: u8) -> Message {
    message(Some(Dialect::Kannel(KannelTerms {
        mask,
        to: "07700 900123".into(),
        from: "Shop".into(),
        service: "tester".into(),
        account: Some("a1".into()),
        ..KannelTerms::default()
    })))
}

fn sent(mut message: Message) -> Message {
    let change = Change::Sent { part: 0, remote_id: "r/1".into(), policy: ReceiptPolicy::All };
    message.apply(change, Some(&"smsc".into()), SENT);
    message
}

fn with_receipt(message: Message, state: model::ReceiptState, stat: &str, err: &str) -> Message {
    let mut message = sent(message);
    let receipt = Receipt { state, stat: stat.into(), err: Some(err.into()) };
    message.apply(Change::Receipt { part: 0, receipt, policy: ReceiptPolicy::All }, None, DONE);
    message
}

fn refused(mut message: Message) -> Message {
    let detail = "0x0000000B ESME_RINVDSTADR: destination address is invalid";
    let reason = Reason { smpp_status: Some(0xb), ..Reason::new("carrier_refused", detail, true) };
    message.apply(Change::Refused { part: 0, reason }, Some(&"smsc".into()), SENT);
    message
}

fn url_of(message: &Message, url: &str) -> Option<String> {
    let called = call(CallbackStyle::Kannel, url, message, &message.body.account, DONE)?;
    assert_eq!(&*called.body, "");
    Some(called.url.to_string())
}

#[test]
fn kannel_is_told_what_the_mask_wants() {
    let at = "2026-11-22+20:16:00";
    let rest = format!("f=r%2F1&i=smsc&p=07700+900123&P=Shop&t={at}&o=a1&B=&n=tester");
    let accepted = url_of(&sent(kannel(8)), URL).unwrap();
    assert_eq!(accepted, format!("https://app.example/dlr?id=7&d=8&a=ACK%2F&{rest}"));
    let delivered = url_of(&with_receipt(kannel(1), model::ReceiptState::Delivered, "DELIVRD", "000"), URL).unwrap();
    let text = "id%3Ar%2F1+sub%3A001+dlvrd%3A001+submit+date%3A2611222014+done+date%3A2611222016+\
                stat%3ADELIVRD+err%3A000+text%3Ahello";
    assert_eq!(delivered, format!("https://app.example/dlr?id=7&d=1&a={text}&{rest}"));
    let failed = with_receipt(kannel(31), model::ReceiptState::Undelivered, "UNDELIV", "045");
    assert!(url_of(&failed, "http://x/%d/%a").unwrap().contains("/2/id%3Ar%2F1+sub%3A001+dlvrd%3A000"), "{failed:?}");
    assert_eq!(
        url_of(&refused(kannel(16)), "http://x/%d?%A&%F").as_deref(),
        Some("http://x/16?NACK%2F0x0000000b%2Fdestination+address+is+invalid&")
    );
    for (message, mask) in [(sent(kannel(23)), 8), (refused(kannel(15)), 16), (kannel(31), 0)] {
        assert_eq!(url_of(&message, URL), None, "{mask}");
    }
    let rejected = with_receipt(kannel(2), model::ReceiptState::Rejected, "REJECTD", "001");
    assert!(url_of(&rejected, "http://x/%d").is_some(), "a receipt's refusal is a failure");
}

#[test]
fn what_a_carrier_says_in_between_is_told_once() {
    let said = |stat: &str| Receipt { state: model::ReceiptState::Intermediate, stat: stat.into(), err: None };
    let told = |mask, stat| {
        let called = call_between(CallbackStyle::Kannel, "http://x/%d?%A", &sent(kannel(mask)), &said(stat), DONE)?;
        Some(called.url.to_string())
    };
    for (mask, event) in [(4, 4), (32, 32), (63, 4)] {
        let url = told(mask, "ACCEPTD").unwrap();
        assert!(
            url.starts_with(&format!("http://x/{event}?id%3Ar%2F1+")) && url.contains("stat%3AACCEPTD+err%3A000"),
            "{url}"
        );
    }
    assert!(told(4, "BUFFERED").unwrap().contains("stat%3AENROUTE"), "a word of the carrier's own");
    assert_eq!(told(31 & !4, "ENROUTE"), None);
    let plain = sent(message(None));
    assert_eq!(call_between(CallbackStyle::Kannel, "http://x/", &plain, &said("ENROUTE"), DONE), None);
    assert_eq!(call_between(CallbackStyle::Jasmin, "http://x/", &sent(kannel(63)), &said("ENROUTE"), DONE), None);
}

#[test]
fn an_account_that_is_called_in_kannels_way_hears_of_other_messages_too() {
    let plain = sent(message(None));
    assert_eq!(url_of(&plain, "http://x/%d?%p&%P&%n").as_deref(), Some("http://x/8?%2B447700900123&SHOP&shop"));
}

fn incoming(content: Content, encoding: Encoding) -> Message {
    let mut message = message(None);
    let body = Arc::make_mut(&mut message.body);
    body.direction = Direction::Mo;
    body.from = Address::from_carrier("447700900123", true);
    body.to = Address::from_carrier("60777", false);
    (body.content, body.encoding) = (content, encoding);
    message.progress.status = Status::Received;
    message
}

#[test]
fn what_phones_send_fills_a_get_url_in() {
    let hello = incoming(Content::Text("INFO ab ü".into()), Encoding::Gsm7);
    assert_eq!(
        url_of(&hello, "http://x/?from=%p&to=%P&text=%b&k=%k&rest=%r&c=%c&C=%C&d=%d").as_deref(),
        Some("http://x/?from=%2B447700900123&to=60777&text=INFO+ab+%C3%BC&k=INFO&rest=ab+%C3%BC&c=0&C=UTF-8&d=-1")
    );
    let wide = incoming(Content::Text("é漢".into()), Encoding::Ucs2);
    assert_eq!(url_of(&wide, "http://x/?%b&%C").as_deref(), Some("http://x/?%00%E9o%22&UTF-16BE"));
    let binary = Content::Binary { data: [0, 1].into(), udh: [2, 0x70, 0].into(), dcs: 4 };
    assert_eq!(
        url_of(&incoming(binary, Encoding::Binary), "http://x/?%b&%u&%c").as_deref(),
        Some("http://x/?%00%01&%02p%00&1")
    );
}

fn form(style: CallbackStyle, message: &Message) -> Option<Called> {
    call(style, "http://x/dlr", message, &message.body.account, DONE)
}

fn jasmin(level: u8) -> Message {
    message(Some(Dialect::Jasmin(JasminTerms { level, get: false })))
}

#[test]
fn jasmin_is_told_what_the_level_wants() {
    let id = message(None).body.id.to_string();
    let body = |message: &Message| form(CallbackStyle::Jasmin, message).map(|called| called.body.to_string());
    let first = format!("id={id}&level=1&message_status=ESME_ROK&connector=smsc");
    assert_eq!(body(&sent(jasmin(1))).as_deref(), Some(&*first));
    assert_eq!(body(&sent(jasmin(3))).as_deref(), Some(&*first));
    assert_eq!(body(&sent(jasmin(2))), None);
    let delivered = |level| with_receipt(jasmin(level), model::ReceiptState::Delivered, "DELIVRD", "000");
    let second = format!(
        "id={id}&level=2&message_status=DELIVRD&connector=smsc&id_smsc=r%2F1&sub=001&dlvrd=001&\
         subdate=2611222014&donedate=2611222016&err=000&text=hello"
    );
    assert_eq!(body(&delivered(2)).as_deref(), Some(&*second));
    assert_eq!(body(&delivered(3)).as_deref(), Some(&*second));
    assert_eq!(body(&delivered(1)), None);
    let refusal = format!("id={id}&level=1&message_status=ESME_RINVDSTADR&connector=smsc");
    assert_eq!(body(&refused(jasmin(1))).as_deref(), Some(&*refusal));
    assert!(body(&refused(jasmin(2))).unwrap().starts_with(&format!("id={id}&level=2&message_status=REJECTD&")));
    let get = form(CallbackStyle::JasminGet, &sent(jasmin(1))).unwrap();
    assert_eq!((&*get.url, &*get.body), (&*format!("http://x/dlr?{first}"), ""));
}

#[test]
fn jasmin_is_handed_what_phones_send() {
    let body = |message: &Message| form(CallbackStyle::Jasmin, message).unwrap().body.to_string();
    let id = message(None).body.id.to_string();
    let head = format!("id={id}&from=447700900123&to=60777&origin-connector=smsc");
    let hello = incoming(Content::Text("hi there".into()), Encoding::Gsm7);
    assert_eq!(body(&hello), format!("{head}&content=hi+there&binary=6869207468657265&priority=0&coding=0"));
    let wide = incoming(Content::Text("é".into()), Encoding::Ucs2);
    assert_eq!(body(&wide), format!("{head}&content=%00%E9&binary=00e9&priority=0&coding=8"));
}
