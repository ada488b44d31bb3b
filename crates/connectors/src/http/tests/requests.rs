//! What is sent.

use super::*;

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
