//! What answers mean.

use engine::dispatch::Told;
use http::HeaderMap;
use http::header::HeaderValue;
use model::resources::http::HttpClass;

use super::*;
use crate::http::answer::{Verdict, retry_after};
use crate::http::document::Document;

pub(super) fn document(status: u16, body: &str) -> Document {
    Document::new(status, HeaderMap::new(), body.as_bytes().to_vec())
}

fn verdict(preset: &str, status: u16, body: &str) -> (Option<HttpClass>, String) {
    match &api(preset, "").reader.answers(&document(status, body), &["ours"])[..] {
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
    let mtn =
        r#"{"statusCode":"0000","statusMessage":"Sucessful","transactionId":"t","data":{"requestId":"sub123456"}}"#;
    assert_eq!(sent("mtn-v2", 201, mtn), "sub123456");
    // Countries behind which there is version 3 already.
    let mtn = r#"{"statusCode":"0000","statusMessage":"Sucessful","transactionId":"t","data":{"status":"PENDING"}}"#;
    assert_eq!(sent("mtn-v2", 200, mtn), "");
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
    assert_eq!(sent("telnyx", 200, &format!(r#"{{"data":{{"id":"{}"}}}}"#, "é".repeat(5000))), "é".repeat(100));
    // A page of somebody in between names no id.
    not("telnyx", 200, "<html>Please log in</html>", Doubt);
    not("twilio", 204, "", Doubt);
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
    assert_eq!(accepted.unwrap().reader.answers(&document(409, ""), &["ours"]), [Verdict::Sent("".into())]);
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

#[test]
fn questions_are_answered_as_the_documents_show() {
    use model::ReceiptState::{Delivered, Undelivered};
    let told = |preset: &str, body: &str| match api(preset, "").reader.told(&document(200, body)) {
        Told::State(receipt) => receipt.state,
        other => panic!("{preset}: {other:?}"),
    };
    let mtn = |status: &str| {
        let of_phone = format!(r#"{{"receiverAddress":"27568942200","status":"{status}"}}"#);
        format!(r#"{{"statusCode":"0000","data":{{"requestId":"req445454","deliveryStatus":[{of_phone}]}}}}"#)
    };
    assert_eq!(told("mtn-v2", &mtn("DeliveredToTerminal")), Delivered);
    assert_eq!(told("mtn-v2", &mtn("DeliveryImpossible")), Undelivered);
    assert_eq!(told("twilio", r#"{"sid":"SM1","status":"undelivered","error_code":30003}"#), Undelivered);
    let refused = |status: u16| match api("twilio", "").reader.told(&document(status, "")) {
        Told::Refused(reason) => reason.permanent,
        other => panic!("{other:?}"),
    };
    assert_eq!([refused(404), refused(500), refused(200)], [true, false, false]);
}
