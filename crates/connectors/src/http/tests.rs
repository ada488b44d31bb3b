//! Every preset's requests, and what is made of answers and calls, by what the providers' documents show.

use engine::dispatch::{Incoming, Job};
use engine::{CarrierCall, CarrierDenied};
use http::HeaderMap;
use http::header::HeaderValue;
use model::resources::Connector;
use model::resources::http::HttpClass;
use model::{Address, Body, Content, Encoding, ReceiptState, ReceiptWish, Timestamp};

use super::answer::{Verdict, retry_after};
use super::api::Api;
use super::calls::read;
use super::document::Document;
use super::values::{Outgoing, Values};

/// Of the key pair whose seed is 32 sevens.
const PUBLIC_KEY: &str = "6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw=";
/// 2026-11-22T20:14:56Z.
const NOW: Timestamp = Timestamp::from_millis(1_795_378_496_000);

fn connector(preset: &str, more: &str) -> Connector {
    let secrets = format!("secrets = {{ k = 's', signing_key = 'key', public_key = '{PUBLIC_KEY}' }}");
    let callback = "callback = { url = 'https://sms.example', secret = 'sixteen-letters-long' }";
    let text = format!(
        "id = 'c'\nprotocol = 'http'\naddress = 'https://api.example'\nsystem_id = 'user'\npassword = 'pass word'\n\
         http = {{ {preset} {callback}, values = {{ service_code = '777' }}, {secrets} {more} }}"
    );
    toml::from_str(&text).unwrap()
}

fn api(preset: &str, more: &str) -> Api {
    Api::compile(&connector(&format!("preset = '{preset}',"), more)).unwrap()
}

fn message(text: &str, encoding: Encoding) -> Body {
    let from = Address::sender("SHOP", None).unwrap();
    Body {
        from,
        content: Content::Text(text.into()),
        encoding,
        receipt: ReceiptWish::Final,
        ..model::samples::body(NOW)
    }
}

fn job(body: Body) -> Job {
    Job { ticket: 1, body: body.into(), part: 0, parts: 1 }
}

/// A request as it goes over the wire: its line, the headers that tell, and the body.
fn request(api: &Api, bodies: Vec<Body>) -> String {
    let jobs: Vec<Job> = bodies.into_iter().map(job).collect();
    let binary = jobs.iter().any(|job| job.body.content.text().is_none());
    let written = if binary { api.binary.as_ref().expect("it can send octets") } else { &api.send };
    let outgoing: Vec<_> = jobs.iter().map(|job| Outgoing::new(job, written.wants_octets).unwrap()).collect();
    let plain = Values::plain(&api.known, NOW);
    let values: Vec<_> = outgoing.iter().map(|one| Values { message: Some(one), ..plain }).collect();
    let token = HeaderValue::from_static("Bearer fetched");
    let request = written.write(&api.origin, &values, Some(&token)).unwrap();
    let mut text = format!("{} {}\n", request.method(), request.uri());
    for (name, value) in request.headers() {
        if !matches!(name.as_str(), "host" | "user-agent" | "content-type") {
            text += &format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()));
        }
    }
    text + std::str::from_utf8(request.body()).unwrap()
}

const URL: &str = "https%3A%2F%2Fsms.example%2Fcarriers%2Fc%2Fsixteen-letters-long";

#[test]
fn forms_are_written_as_the_documents_show() {
    let hello = || message("Hi & «you»", Encoding::Ucs2);
    let body = format!("Body=Hi%20%26%20%C2%AByou%C2%BB&From=SHOP&StatusCallback={URL}&To=%2B447700900123");
    assert_eq!(
        request(&api("twilio", ""), vec![hello()]),
        format!("POST /2010-04-01/Accounts/user/Messages.json\nauthorization: Basic dXNlcjpwYXNzIHdvcmQ=\n{body}")
    );
    let limited = Body { validity_given: true, expires_at: NOW.plus_seconds(90_000), ..hello() };
    assert!(request(&api("twilio", ""), vec![limited]).ends_with("&ValidityPeriod=36000"));
    assert_eq!(
        request(&api("vonage", ""), vec![hello()]),
        format!(
            "POST /sms/json\napi_key=user&api_secret=pass%20word&callback={URL}&from=SHOP&status-report-req=1&\
             text=Hi%20%26%20%C2%AByou%C2%BB&to=447700900123&type=unicode"
        )
    );
    let octets = Content::Binary { data: [1, 0xAB].into(), udh: [6, 5, 4, 0x15, 0x8A, 0, 0].into(), dcs: 4 };
    let binary = Body { content: octets, encoding: Encoding::Binary, receipt: ReceiptWish::None, ..hello() };
    assert_eq!(
        request(&api("vonage", ""), vec![binary]),
        "POST /sms/json\napi_key=user&api_secret=pass%20word&body=01ab&from=SHOP&to=447700900123&type=binary&\
         udh=060504158a0000"
    );
    assert_eq!(
        request(&api("jasmin", ""), vec![Body { receipt: ReceiptWish::None, ..hello() }]),
        "POST /send\ncoding=8&from=SHOP&hex-content=0048006900200026002000ab0079006f007500bb&password=pass%20word&\
         priority=1&to=447700900123&username=user"
    );
}

#[test]
fn urls_are_written_as_the_documents_show() {
    let hello = || Body { receipt: ReceiptWish::None, ..message("a b", Encoding::Gsm7) };
    assert_eq!(
        request(&api("kannel", ""), vec![Body { class: Some(0), ..hello() }]),
        "GET /cgi-bin/sendsms?charset=UTF-8&coding=0&from=SHOP&mclass=0&password=pass%20word&priority=1&text=a%20b&\
         to=%2B447700900123&username=user\n"
    );
    let with = request(&api("kannel", ""), vec![message("a", Encoding::Gsm7)]);
    let id = model::samples::body(NOW).id.0.simple().to_string();
    assert!(with.contains("&dlr-mask=19&"), "{with}");
    assert!(with.contains(&format!("&dlr-url={URL}%3Fid%3D{id}%26d%3D%25d%26a%3D%25A&")), "{with}");
    let octets = Content::Binary { data: [1, 0xAB].into(), udh: [1, 2].into(), dcs: 4 };
    let binary = request(&api("kannel", ""), vec![Body { content: octets, encoding: Encoding::Binary, ..hello() }]);
    assert!(binary.contains("&text=%01%AB&") && binary.contains("&udh=%01%02&"), "{binary}");
    assert_eq!(
        request(&api("ozeki", ""), vec![hello()]),
        "GET /api?action=sendmessage&messagedata=a%20b&messagetype=SMS%3ATEXT&originator=SHOP&password=pass%20word&\
         recipient=%2B447700900123&username=user\n"
    );
    assert_eq!(
        request(&api("get", ""), vec![hello()]),
        "GET /?from=SHOP&password=pass%20word&text=a%20b&to=447700900123&user=user\n"
    );
}

#[test]
fn json_is_written_as_the_documents_show() {
    let hello = || message("say \"hi\"", Encoding::Gsm7);
    let url = "https://sms.example/carriers/c/sixteen-letters-long";
    assert_eq!(
        request(&api("telnyx", ""), vec![hello()]),
        format!(
            "POST /v2/messages\nauthorization: Bearer pass word\n\
             {{\"from\":\"SHOP\",\"text\":\"say \\\"hi\\\"\",\"to\":\"+447700900123\",\"webhook_url\":\"{url}\"}}"
        )
    );
    let limited = Body { class: Some(0), validity_given: true, expires_at: NOW.plus_seconds(90), ..hello() };
    assert_eq!(
        request(&api("sinch", ""), vec![limited.clone()]),
        format!(
            "POST /xms/v1/user/batches\nauthorization: Bearer pass word\n{{\"body\":\"say \\\"hi\\\"\",\
             \"callback_url\":\"{url}\",\"delivery_report\":\"per_recipient\",\"expire_at\":\"2026-11-22T20:16:26.000Z\",\
             \"flash_message\":true,\"from\":\"SHOP\",\"to\":[\"447700900123\"],\"type\":\"mt_text\"}}"
        )
    );
    let silent = || Body { receipt: ReceiptWish::None, ..message("b", Encoding::Gsm7) };
    assert_eq!(
        request(&api("infobip", ""), vec![limited, silent()]),
        format!(
            "POST /sms/2/text/advanced\naccept: application/json\nauthorization: App pass word\n{{\"messages\":[\
             {{\"destinations\":[{{\"to\":\"447700900123\"}}],\"flash\":true,\"from\":\"SHOP\",\
             \"notifyContentType\":\"application/json\",\"notifyUrl\":\"{url}\",\"text\":\"say \\\"hi\\\"\",\"validityPeriod\":2}},\
             {{\"destinations\":[{{\"to\":\"447700900123\"}}],\"from\":\"SHOP\",\"notifyContentType\":\"application/json\",\
             \"text\":\"b\"}}]}}"
        )
    );
    let id = silent().id.0.simple().to_string();
    assert_eq!(
        request(&api("mtn-v3", ""), vec![hello()]),
        format!(
            "POST /v3/sms/messages/sms/outbound\nx-api-key: user\nauthorization: Bearer fetched\n\
             {{\"clientCorrelatorId\":\"{id}\",\"message\":\"say \\\"hi\\\"\",\"receiverAddress\":[\"447700900123\"],\
             \"requestDeliveryReceipt\":true,\"senderAddress\":\"SHOP\",\"serviceCode\":\"777\"}}"
        )
    );
    let by_key = request(&api("mtn-v3", ", auth = { kind = 'none' }"), vec![hello()]);
    assert!(by_key.contains("x-api-key: user\n") && !by_key.contains("authorization"), "{by_key}");
    assert_eq!(
        request(&api("android-sms-gateway", ""), vec![silent()]),
        "POST /message\nauthorization: Basic dXNlcjpwYXNzIHdvcmQ=\n\
         {\"message\":\"b\",\"phoneNumbers\":[\"+447700900123\"],\"withDeliveryReport\":false}"
    );
}

#[test]
fn what_the_description_says_stays_what_it_is() {
    let own = |more: &str| Api::compile(&connector("", more)).unwrap();
    let xml =
        own(", send = { path = '/x', xml = '<to a=\"{to:plus}\">{text}</to>', headers = { x-k = '{secret:k}' } }");
    assert_eq!(
        request(&xml, vec![message("<&>", Encoding::Gsm7)]),
        "POST /x\nx-k: s\n<to a=\"+447700900123\">&lt;&amp;&gt;</to>"
    );
    let put =
        own(", send = { method = 'PUT', path = '/a/{to}?b=1', query = { c = '{text:hex-utf16be}' }, text = '{text}' }");
    assert_eq!(request(&put, vec![message("Ψ", Encoding::Ucs2)]), "PUT /a/447700900123?b=1&c=03a8\nΨ");
    let signed = own(
        ", send = { path = '/s', json = { t = '{text}' } }, auth = { kind = 'hmac', algorithm = 'hmac-sha256', \
         over = '{method} {path} {timestamp} {body}', key = '{secret:k}', headers = { x-sig = '{user}:{signature}' } }",
    );
    // printf 'POST /s 1795378496 {"t":"x"}' | openssl dgst -sha256 -hmac s
    let text = request(&signed, vec![message("x", Encoding::Gsm7)]);
    assert!(text.contains("x-sig: user:3222882e89de3ed1e91256907120d900ba98a6d138344958c2470c645175d74d\n"), "{text}");
}

fn document(status: u16, body: &str) -> Document {
    Document::new(status, HeaderMap::new(), body.as_bytes().to_vec())
}

fn verdict(preset: &str, status: u16, body: &str) -> (Option<HttpClass>, String) {
    match &api(preset, "").answers.read(&document(status, body), &["ours"])[..] {
        [Verdict::Sent(id)] => (None, id.to_string()),
        [Verdict::Not(class, reason)] => (Some(*class), reason.detail.to_string()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn answers_are_read_as_the_documents_show() {
    use HttpClass::{Accepted, Credentials, Doubt, Permanent, Temporary, Throttled};
    let sent = |preset: &str, status: u16, body: &str| {
        let (class, id) = verdict(preset, status, body);
        assert_eq!(class, None, "{preset} {id}");
        id
    };
    assert_eq!(sent("twilio", 201, r#"{"sid":"SMxx","status":"queued","error_code":null}"#), "SMxx");
    let vonage = r#"{"message-count":"1","messages":[{"to":"447700900000","message-id":"0A0000000123ABCD1","status":"0",
        "remaining-balance":"3.14159265","message-price":"0.03330000","network":"12345"}]}"#;
    assert_eq!(sent("vonage", 200, vonage), "0A0000000123ABCD1");
    let infobip = r#"{"bulkId":"2034072219640523072","messages":[{"messageId":"2250be2d4219-3af1-78856-aabe-1362af1edfd2",
        "status":{"description":"Message sent to next instance","groupId":1,"groupName":"PENDING","id":26,
        "name":"PENDING_ACCEPTED"},"to":"41793026727"}]}"#;
    assert_eq!(sent("infobip", 200, infobip), "2250be2d4219-3af1-78856-aabe-1362af1edfd2");
    assert_eq!(
        sent("telnyx", 200, r#"{"data":{"id":"40385f64-5717-4562-b3fc-2c963f66afa6"}}"#),
        "40385f64-5717-4562-b3fc-2c963f66afa6"
    );
    assert_eq!(
        sent("sinch", 201, r#"{"id":"01FC66621XXXXX119Z8PMV1QPQ","to":["15551231234"]}"#),
        "01FC66621XXXXX119Z8PMV1QPQ"
    );
    assert_eq!(sent("mtn-v3", 200, r#"{"statusCode":"0000","data":{"status":"PENDING"}}"#), "ours");
    assert_eq!(sent("mtn-v2", 201, r#"{"data":{"requestId":"r-1"}}"#), "r-1");
    assert_eq!(sent("kannel", 202, "0: Accepted for delivery"), "ours");
    assert_eq!(
        sent("jasmin", 200, "Success \"07033084-5cfd-4812-90a4-e4d24ffb6e3d\""),
        "07033084-5cfd-4812-90a4-e4d24ffb6e3d"
    );
    let ozeki = |code: u8| {
        format!(
            "<response><action>sendmessage</action><data><acceptreport><statuscode>{code}</statuscode>\
                 <statusmessage>Message accepted for delivery</statusmessage><messageid>ERFAV23D</messageid>\
                 <recipient>06203105366</recipient></acceptreport></data></response>"
        )
    };
    assert_eq!(sent("ozeki", 200, &ozeki(0)), "ERFAV23D");
    assert_eq!(
        sent("android-sms-gateway", 202, r#"{"id":"PyDmBQZZXYmyxMwED8Fzy","state":"Pending"}"#),
        "PyDmBQZZXYmyxMwED8Fzy"
    );

    let not = |preset: &str, status: u16, body: &str, class: HttpClass| {
        let (found, detail) = verdict(preset, status, body);
        assert_eq!(found, Some(class), "{preset} {status} {detail}");
        detail
    };
    let invalid = r#"{"code":21211,"message":"The 'To' number is not a valid phone number.","status":400}"#;
    assert_eq!(
        not("twilio", 400, invalid, Permanent),
        "HTTP 400 code 21211: The 'To' number is not a valid phone number."
    );
    not("twilio", 429, r#"{"code":20429,"message":"Too Many Requests"}"#, Throttled);
    not("twilio", 401, r#"{"code":20003,"message":"Authenticate"}"#, Credentials);
    not("twilio", 503, "", Temporary);
    not("twilio", 504, "<html>", Doubt);
    not("twilio", 302, "", Temporary);
    let vonage =
        |status: u8| format!(r#"{{"message-count":"1","messages":[{{"status":"{status}","error-text":"x"}}]}}"#);
    for (status, class) in
        [(1, Throttled), (2, Permanent), (4, Credentials), (5, Temporary), (6, Permanent), (9, Credentials)]
    {
        not("vonage", 200, &vonage(status), class);
    }
    not("vonage", 200, "not JSON at all", Doubt);
    let rejected = infobip.replace("\"groupId\":1", "\"groupId\":5").replace("PENDING_ACCEPTED", "REJECTED_NETWORK");
    assert!(not("infobip", 200, &rejected, Permanent).contains("REJECTED_NETWORK"));
    not("infobip", 200, r#"{"messages":[]}"#, Doubt);
    not("infobip", 401, r#"{"requestError":{"serviceException":{"messageId":"UNAUTHORIZED"}}}"#, Credentials);
    not("telnyx", 403, r#"{"errors":[{"code":"40300","title":"Blocked due to STOP message"}]}"#, Permanent);
    let mtn = |code: &str| format!(r#"{{"statusCode":"{code}","statusMessage":"x"}}"#);
    for (code, class) in
        [("1013", Throttled), ("3001", Temporary), ("4000", Credentials), ("5000", Permanent), ("6000", Temporary)]
    {
        not("mtn-v3", 200, &mtn(code), class);
    }
    not("kannel", 403, "Not routable. Do not try again.", Permanent);
    not("kannel", 403, "Authorization failed for sendsms", Credentials);
    not("kannel", 503, "Temporal failure, try again later.", Temporary);
    not("jasmin", 403, "Error \"User throughput exceeded\"", Throttled);
    not("jasmin", 412, "Error \"No route found\"", Temporary);
    assert_eq!(
        not("jasmin", 400, "Error \"Argument [to] is unknown.\"", Permanent),
        "HTTP 400: Argument [to] is unknown."
    );
    not("ozeki", 200, &ozeki(1), Permanent);
    let accepted =
        Api::compile(&connector("", ", send = {}, answer = { errors = [{ status = ['409'], class = 'accepted' }] }"));
    assert_eq!(accepted.unwrap().answers.read(&document(409, ""), &["ours"]), [Verdict::Sent("".into())]);
    assert_ne!(Accepted, Permanent);
}

#[test]
fn providers_say_how_long_to_wait() {
    let now = std::time::UNIX_EPOCH + std::time::Duration::from_secs(784_111_777);
    let wait = |value: &'static str| {
        let headers = [(http::header::RETRY_AFTER, HeaderValue::from_static(value))].into_iter().collect();
        retry_after(&Document::new(429, headers, Vec::new()), now).map(|wait| wait.as_secs())
    };
    assert_eq!(wait("120"), Some(120));
    // RFC 9110 §5.6.7 has this moment as its example, which is `now`.
    assert_eq!(wait("Sun, 06 Nov 1994 08:50:37 GMT"), Some(60));
    assert_eq!([wait("999999999"), wait("soon"), wait("-1")], [Some(3600), None, None]);
}

fn called(
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
    read(&api, &call, NOW).map(|document| api.readings.read(&document))
}

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("content-type", "application/json");

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
}

#[test]
fn signatures_are_held_against_what_was_signed() {
    // The example of the documents' helper libraries: token 12345, this URL, these parameters.
    let twilio = "preset = 'twilio', callback = { url = 'https://mycompany.com', secret = 'sixteen-letters-long' }";
    let text = format!(
        "id = 'c'\nprotocol = 'http'\naddress = 'https://x'\nsystem_id = 'AC'\npassword = '12345'\nhttp = {{ {twilio} }}"
    );
    let mut example = Api::compile(&toml::from_str(&text).unwrap()).unwrap();
    example.calls.url = "https://mycompany.com/myapp.php".into();
    let form = "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212";
    let call = |signature: &str, form: &str| CarrierCall {
        connector: "c".into(),
        secret: "sixteen-letters-long".into(),
        query: "foo=1&bar=2".into(),
        headers: vec![
            (FORM.0.into(), FORM.1.as_bytes().into()),
            ("x-twilio-signature".into(), signature.as_bytes().into()),
        ],
        body: form.into(),
        remote: [127, 0, 0, 1].into(),
    };
    let good = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
    assert!(read(&example, &call(good, form), NOW).is_ok());
    assert_eq!(read(&example, &call(good, &form.replace("1234&", "1235&")), NOW).err(), Some(CarrierDenied::Signature));
    assert_eq!(read(&example, &call("RSOYDt4T1cUTdK1PDd93/VVr8B9=", form), NOW).err(), Some(CarrierDenied::Signature));
    assert_eq!(read(&example, &call("", form), NOW).err(), Some(CarrierDenied::Signature));
    let wrong = CarrierCall { secret: "another".into(), ..call(good, form) };
    assert_eq!(read(&example, &wrong, NOW).err(), Some(CarrierDenied::Unknown));

    let android = ", signature = { check = true }";
    // printf '{}1700000000' | openssl dgst -sha256 -hmac key
    let signed = [
        JSON,
        ("x-timestamp", "1700000000"),
        ("x-signature", "93800482ca289ca2ab5ad69bbb6a631e6a997ad0fb659f5edfb80f566fc07457"),
    ];
    assert!(called("android-sms-gateway", android, "", &signed, "{}").is_ok());
    assert_eq!(called("android-sms-gateway", android, "", &signed[..2], "{}").err(), Some(CarrierDenied::Signature));
}

#[test]
fn ed25519_signatures_of_calls_are_held_against_the_public_key() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use ring::signature::{Ed25519KeyPair, KeyPair as _};
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    assert_eq!(STANDARD.encode(pair.public_key().as_ref()), PUBLIC_KEY);
    let signature = STANDARD.encode(pair.sign(b"1700000000|{}").as_ref());
    let with = |body: &str| {
        let headers = [JSON, ("telnyx-timestamp", "1700000000"), ("telnyx-signature-ed25519", &signature)];
        called("telnyx", ", signature = { check = true }", "", &headers, body)
    };
    assert_eq!(with("{}"), Ok(vec![]));
    assert_eq!(with("{ }"), Err(CarrierDenied::Signature));
}

mod anything {
    use proptest::prelude::*;

    use super::*;

    fn presets() -> Vec<(&'static str, Api)> {
        let names = model::resources::http::preset::ALL.iter().map(|preset| preset.name);
        names.map(|name| (name, api(name, ", signature = { check = false }"))).collect()
    }

    proptest! {
        #[test]
        fn any_answer_and_any_call_is_read(
            status in 100u16..600,
            body in prop_oneof![".{0,80}", r#"\{"(id|messages|results|data|sid)":(\[\{"(to|status|id)":"?[0-9a-z]{1,5}"?\}\]|"x"|7|null)\}"#],
        ) {
            for (name, api) in presets() {
                let verdicts = api.answers.read(&document(status, &body), &["a", "b"]);
                prop_assert_eq!(verdicts.len(), 2, "{}", name);
                let _ = called(name, ", signature = { check = false }", &body, &[FORM], &body);
                let _ = called(name, ", signature = { check = false }", "", &[JSON], &body);
            }
        }

        #[test]
        fn any_text_goes_into_every_request(text in "\\PC{1,40}", control in any::<char>()) {
            let text: String = text.chars().chain([control]).collect();
            for (name, api) in presets() {
                let whole = request(&api, vec![message(&text, Encoding::Ucs2)]);
                if let Some((_, json)) = whole.split_once("\n{") {
                    let json = serde_json::from_str::<serde_json::Value>(&format!("{{{json}"));
                    prop_assert!(json.is_ok(), "{} {}", name, whole);
                }
            }
        }
    }
}
