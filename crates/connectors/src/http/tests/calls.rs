//! What calls bring.

use engine::dispatch::Incoming;
use engine::{CarrierCall, CarrierDenied};
use model::ReceiptState;

use super::*;

pub(super) fn called(
    preset: &str,
    more: &str,
    query: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<Vec<Incoming>, CarrierDenied> {
    let api = api(preset, more);
    let call = CarrierCall {
        connector: "c".into(),
        secret: "sixteen-letters-long".into(),
        query: query.into(),
        headers: headers.iter().map(|(name, value)| ((*name).into(), value.as_bytes().into())).collect(),
        body: body.into(),
        remote: [127, 0, 0, 1].into(),
    };
    api.reader.called(&call, NOW)
}

pub(super) const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
pub(super) const JSON: (&str, &str) = ("content-type", "application/json");

/// What a receipt says: id, state, and summary.
fn told(incoming: Result<Vec<Incoming>, CarrierDenied>) -> (String, ReceiptState, String) {
    match &incoming.unwrap()[..] {
        [Incoming::Receipt { remote_ids, receipt, .. }] => {
            (remote_ids[0].to_string(), receipt.state, receipt.summary())
        }
        other => panic!("{other:?}"),
    }
}

/// What a message from a phone says: from, to and text.
fn said(incoming: Result<Vec<Incoming>, CarrierDenied>) -> [String; 3] {
    match &incoming.unwrap()[..] {
        [Incoming::Mo(mo)] => [mo.from.to_string(), mo.to.to_string(), mo.content.text().unwrap_or("?").to_owned()],
        other => panic!("{other:?}"),
    }
}

#[test]
fn receipts_are_read_as_the_documents_show() {
    use ReceiptState::{Delivered, Expired, Intermediate, Rejected, Undelivered, Unknown};
    let unsigned = ", signature = { check = false }";
    let twilio = |status: &str| {
        let body = format!(
            "SmsSid=SM1&SmsStatus={status}&MessageStatus={status}&To=%2B15558675310&MessageSid=SM1&\
                            AccountSid=AC1&From=%2B15017122661&ApiVersion=2010-04-01&ErrorCode=30003"
        );
        told(called("twilio", unsigned, "", &[FORM], &body))
    };
    assert_eq!(twilio("delivered"), ("SM1".into(), Delivered, "delivered err 30003".into()));
    assert_eq!(
        [twilio("sent").1, twilio("undelivered").1, twilio("new-word").1],
        [Intermediate, Undelivered, Intermediate]
    );
    let vonage = "msisdn=447700900000&to=AcmeInc&network-code=12345&messageId=aaaaaaaa-bbbb&price=0.03330000&\
                  status=delivered&scts=2001011400&err-code=0&api-key=abcd1234&message-timestamp=2020-01-01+12%3A00%3A00";
    assert_eq!(told(called("vonage", "", vonage, &[], "")), ("aaaaaaaa-bbbb".into(), Delivered, "delivered".into()));
    let json = r#"{"msisdn":"447700900000","to":"AcmeInc","messageId":"m","status":"expired","err-code":"1"}"#;
    assert_eq!(told(called("vonage", "", "", &[JSON], json)), ("m".into(), Expired, "expired err 1".into()));
    let infobip = |name: &str| {
        let body = format!(
            r#"{{"results":[{{"bulkId":"80664c0c","messageId":"MESSAGE-ID-123-xyz","to":"41793026727",
            "sentAt":"2019-11-09T16:00:00.000+0000","smsCount":1,"status":{{"groupId":3,"groupName":"x","id":5,
            "name":"{name}"}},"error":{{"groupId":0,"groupName":"Ok","id":0,"name":"NO_ERROR"}}}}]}}"#
        );
        told(called("infobip", "", "", &[JSON], &body))
    };
    assert_eq!(
        infobip("DELIVERED_TO_HANDSET"),
        ("MESSAGE-ID-123-xyz".into(), Delivered, "DELIVERED_TO_HANDSET".into())
    );
    for (name, state) in [
        ("DELIVERED_TO_OPERATOR", Intermediate),
        ("PENDING_ENROUTE", Intermediate),
        ("UNDELIVERABLE_NOT_DELIVERED", Undelivered),
        ("EXPIRED_EXPIRED", Expired),
        ("EXPIRED_DLR_UNKNOWN", Unknown),
        ("REJECTED_NETWORK", Rejected),
    ] {
        assert_eq!(infobip(name).1, state, "{name}");
    }
    let telnyx = r#"{"data":{"event_type":"message.finalized","id":"e","record_type":"event","payload":{"id":"m",
        "errors":[{"code":"40008","title":"Undeliverable"}],"to":[{"phone_number":"+13125550002","status":"delivery_failed"}],
        "from":{"phone_number":"+13125550001"},"text":"Hello, World!"}},"meta":{"attempt":1}}"#;
    assert_eq!(
        told(called("telnyx", "", "", &[JSON], telnyx)),
        ("m".into(), Undelivered, "delivery_failed err 40008".into())
    );
    let sinch = r#"{"at":"2022-08-30T08:16:08.930Z","batch_id":"01FC66621XXXXX119Z8PMV1QPQ","code":0,
        "operator_status_at":"2022-08-30T08:16:08.150Z","recipient":"44231235674","status":"Delivered",
        "type":"recipient_delivery_report_sms"}"#;
    assert_eq!(told(called("sinch", "", "", &[JSON], sinch)).1, Delivered);
    let mtn = r#"{"clientCorrelatorId":"6c1a","deliveryStatus":"DELIVERED","details":"","completedDate":"x","id":"7",
        "error":"000","senderAddress":"777","receiverAddress":"2348031234567","submittedDate":"x"}"#;
    assert_eq!(told(called("mtn-v3", "", "", &[JSON], mtn)), ("6c1a".into(), Delivered, "DELIVERED".into()));
    let mtn = r#"{"deliveryInfo":{"requestId":"req445454","deliveryStatus":[{"receiverAddress":"27568942200",
        "status":"DeliveredToTerminal"}]}}"#;
    assert_eq!(told(called("mtn-v2", "", "", &[JSON], mtn)).0, "req445454");
    for (kind, state) in [("1", Delivered), ("2", Undelivered), ("8", Intermediate), ("16", Rejected)] {
        let query = format!("id=00ff&d={kind}&a=NACK%2F0x0000000B");
        assert_eq!(told(called("kannel", "", &query, &[], "")).1, state, "{kind}");
    }
    let jasmin = "id=07033084&id_smsc=2567&level=2&message_status=DELIVRD&connector=c&sub=001&err=000&text=";
    assert_eq!(told(called("jasmin", "", "", &[FORM], jasmin)), ("07033084".into(), Delivered, "DELIVRD".into()));
    assert_eq!(told(called("jasmin", "", "", &[FORM], "id=1&level=1&message_status=ESME_RTHROTTLED")).1, Rejected);
    let android = r#"{"deviceId":"d","event":"sms:delivered","id":"e","webhookId":"w","payload":{"messageId":"Py",
        "phoneNumber":"+9998887777","simNumber":1,"deliveredAt":"2026-02-18T02:05:00.000+07:00"}}"#;
    assert_eq!(told(called("android-sms-gateway", "", "", &[JSON], android)).1, Delivered);
}

#[test]
fn messages_from_phones_are_read_as_the_documents_show() {
    let unsigned = ", signature = { check = false }";
    let twilio = "MessageSid=SM1&SmsStatus=received&From=%2B14017122661&To=%2B15558675310&Body=Ahoy%21&NumMedia=0";
    assert_eq!(said(called("twilio", unsigned, "", &[FORM], twilio)), ["+14017122661", "+15558675310", "Ahoy!"]);
    assert_eq!(said(called("twilio", unsigned, "", &[FORM], &twilio.replace("Ahoy%21", "")))[2], "");
    let vonage = "msisdn=447700900001&to=447700900000&messageId=m&text=Hello+World%21&type=text&keyword=HELLO";
    assert_eq!(said(called("vonage", "", vonage, &[], "")), ["+447700900001", "+447700900000", "Hello World!"]);
    let part = format!("{vonage}&concat=true&concat-ref=1&concat-total=3&concat-part=2");
    let [Incoming::Mo(mo)] = &called("vonage", "", &part, &[], "").unwrap()[..] else { panic!("not one message") };
    assert_eq!(mo.concat.map(|concat| (concat.reference, concat.total, concat.sequence)), Some((1, 3, 2)));
    let binary = vonage.replace("text=Hello+World%21&type=text", "type=binary&data=0aFF&udh=06050415811581");
    let [Incoming::Mo(mo)] = &called("vonage", "", &binary, &[], "").unwrap()[..] else { panic!("not one message") };
    let udh: Box<[u8]> = [6, 5, 4, 0x15, 0x81, 0x15, 0x81].into();
    assert_eq!(mo.content, Content::Binary { data: [0x0A, 0xFF].into(), udh, dcs: 4 });
    let sinch = r#"{"body":"This is a test message.","from":"12345678901","id":"01","operator_id":"35000",
        "received_at":"2022-08-30T08:17:39.130Z","to":"11203494390","type":"mo_text"}"#;
    assert_eq!(
        said(called("sinch", "", "", &[JSON], sinch)),
        ["+12345678901", "+11203494390", "This is a test message."]
    );
    let infobip = r#"{"results":[{"messageId":"817790313235066447","from":"385916242493","to":"385921004026",
        "text":"QUIZ Correct answer is Paris","cleanText":"Correct answer is Paris","keyword":"QUIZ","smsCount":1}],
        "messageCount":1,"pendingMessageCount":0}"#;
    assert_eq!(said(called("infobip", "", "", &[JSON], infobip))[2], "QUIZ Correct answer is Paris");
    let mtn =
        r#"{"dateTime":"x","registrationId":"1","message":"YES","senderAddress":"2348031234567","messageID":"m"}"#;
    let to = ", message = { default_to = '777' }";
    assert_eq!(said(called("mtn-v3", to, "", &[JSON], mtn)), ["+2348031234567", "777", "YES"]);
    let mtn = r#"{"statusCode":"0000","data":{"numberOfMessagesInThisBatch":"1","inboundSMSMessage":[{"dateTime":
        "2012-08-01T09:25:55.815+0000","registrationId":"10111","message":"Hello MADAPI SMS receiver!!!",
        "senderAddress":"27830000001","messageID":"4444aaz-ddsds-45"}]}}"#;
    assert_eq!(said(called("mtn-v2", "", "", &[JSON], mtn)), ["+27830000001", "10111", "Hello MADAPI SMS receiver!!!"]);
}
