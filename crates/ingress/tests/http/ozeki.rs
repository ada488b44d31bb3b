//! Ozeki's interface: what it takes and what it answers.

use ingress::http::{HttpSettings, Interfaces};
use model::{Ingress, Message};
use serde_json::{Value, json};

use crate::gateway::{ADMIN, Answer, Gateway};

const USER: &str = "username=shop-user&password=shop-pass";
/// shop-user:shop-pass
const BASIC: &str = "Basic c2hvcC11c2VyOnNob3AtcGFzcw==";

async fn gateway() -> Gateway {
    let interfaces = Interfaces { ozeki: true, ..Interfaces::default() };
    Gateway::start_with(HttpSettings { interfaces, ..HttpSettings::default() }).await
}

async fn get(gateway: &Gateway, query: &str) -> String {
    let answer = gateway.once(&format!("GET /api?{query} HTTP/1.1\r\nhost: x\r\n\r\n")).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/xml; charset=utf-8")));
    answer.text()
}

async fn post(gateway: &Gateway, authorization: &str, body: &str) -> Answer {
    let head = format!(
        "POST /api?action=sendmsg HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         authorization: {authorization}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    gateway.once(&(head + body)).await
}

async fn accepted(gateway: &Gateway) -> Vec<Message> {
    let caller = gateway.engine.authenticate(ADMIN).unwrap();
    let mut messages = gateway.engine.search(&caller, Default::default(), None, 100).await.unwrap().0;
    messages.reverse();
    messages
}

fn report(code: u32, text: &str, id: &str, recipient: &str) -> String {
    format!(
        "<response><action>sendmessage</action><data><acceptreport><statuscode>{code}</statuscode>\
         <statusmessage>{text}</statusmessage><messageid>{id}</messageid><recipient>{recipient}</recipient>\
         </acceptreport></data></response>"
    )
}

#[tokio::test]
async fn a_message_is_sent_and_answered_in_xml() {
    let gateway = gateway().await;
    let sent = get(&gateway, &format!("action=sendmessage&{USER}&recipient=%2B447700900123&messagetype=SMS:TEXT&messagedata=Hi+%26+bye&originator=INFO")).await;
    let [message] = &accepted(&gateway).await[..] else { panic!("one message") };
    assert_eq!(sent, report(0, "Message accepted for delivery", &message.body.id.to_string(), "+447700900123"));
    assert_eq!((message.body.content.text(), message.body.ingress), (Some("Hi & bye"), Ingress::Ozeki));
    let wrong = get(&gateway, "action=sendmessage&username=x&password=y&recipient=1%3C2&messagedata=x").await;
    assert_eq!(wrong, report(2, "Username or password is wrong", "", "1&lt;2"));
    let binary = get(&gateway, &format!("action=sendmessage&{USER}&recipient=1&messagetype=SMS:BINARY")).await;
    assert_eq!(binary, report(3, "This type of message is not known", "", "1"));
    let nowhere = get(&gateway, &format!("action=sendmessage&{USER}&recipient=33612345678&messagedata=x")).await;
    assert!(nowhere.contains("<statuscode>1</statuscode>"), "{nowhere}");
    assert!(get(&gateway, "action=dance").await.contains("<action>dance</action>"));
}

#[tokio::test]
async fn messages_are_sent_and_answered_in_json() {
    let gateway = gateway().await;
    let message = |to: &str| {
        json!({ "message_id": format!("id-{to}"), "from_address": "INFO", "to_address": to, "text": "hi",
            "create_date": "2026-01-01T10:00:00", "time_to_send": "2026-01-01T10:00:00", "tags": [] })
    };
    let body = json!({ "messages": [message("447700900123"), message("33612345678"), message("447700900124")] });
    let answer = post(&gateway, BASIC, &body.to_string()).await;
    let told = answer.json();
    assert_eq!((answer.status, &told["http_code"], &told["response_code"]), (200, &json!(200), &json!("SUCCESS")));
    let data = &told["data"];
    assert_eq!(
        (&data["total_count"], &data["success_count"], &data["failed_count"]),
        (&json!(3), &json!(2), &json!(1))
    );
    let statuses: Vec<&Value> = data["messages"].as_array().unwrap().iter().map(|m| &m["status"]).collect();
    assert_eq!((statuses[0], statuses[2]), (&json!("SUCCESS"), &json!("SUCCESS")));
    assert!(statuses[1].as_str().is_some_and(|status| status.contains("refuses")), "{told}");
    assert_eq!(data["messages"][0]["create_date"], "2026-01-01 10:00:00");
    let messages = accepted(&gateway).await;
    assert_eq!(messages[0].body.client_ref.as_deref(), Some("id-447700900123"));
    assert_eq!(messages[0].body.send_at, None);
    for (authorization, body, status) in
        [("Basic eDp5", "{\"messages\":[]}", 401), (BASIC, "{", 400), (BASIC, "{\"messages\":[1]}", 400)]
    {
        let answer = post(&gateway, authorization, body).await;
        assert_eq!((answer.status, &answer.json()["http_code"]), (status, &json!(status)), "{body}");
    }
}
