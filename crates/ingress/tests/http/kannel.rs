//! Kannel's interface: its paths, parameters, answers and codes.

use ingress::http::{HttpSettings, Interfaces};
use model::{Dialect, Ingress, Message, Status};

use crate::gateway::{Answer, Gateway};

const USER: &str = "username=shop-user&password=shop-pass";

async fn gateway(immediate: bool) -> Gateway {
    let interfaces = Interfaces { kannel: true, kannel_immediate_reply: immediate, ..Interfaces::default() };
    Gateway::start_with(HttpSettings { interfaces, ..HttpSettings::default() }).await
}

async fn get(gateway: &Gateway, query: &str) -> Answer {
    gateway.once(&format!("GET /cgi-bin/sendsms?{query} HTTP/1.1\r\nhost: x\r\n\r\n")).await
}

async fn post(gateway: &Gateway, headers: &str, body: &str) -> Answer {
    let length = body.len();
    let head = format!("POST /cgi-bin/sendsms HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n{headers}\r\n");
    gateway.once(&(head + body)).await
}

fn said(answer: &Answer) -> (u16, String) {
    (answer.status, answer.text())
}

/// The messages that were accepted, newest first.
async fn accepted(gateway: &Gateway) -> Vec<Message> {
    let caller = gateway.engine.authenticate(crate::gateway::ADMIN).unwrap();
    gateway.engine.search(&caller, Default::default(), None, 100).await.unwrap().0
}

#[tokio::test]
async fn a_message_is_accepted_and_waits_for_its_carrier() {
    let gateway = gateway(false).await;
    let answer = get(&gateway, &format!("{USER}&to=%2B447700900123&from=INFO&text=Hello+there&account=a1")).await;
    // Nobody connects this carrier.
    assert_eq!(said(&answer), (202, "3: Queued for later delivery".into()));
    assert_eq!(answer.header("content-type"), Some("text/html"));
    assert_eq!((answer.header("pragma"), answer.header("cache-control")), (Some("no-cache"), Some("no-cache")));
    let [message] = &accepted(&gateway).await[..] else { panic!("one message") };
    assert_eq!((message.body.ingress, &*message.body.account), (Ingress::Kannel, "shop"));
    assert_eq!((message.body.to.as_str(), message.body.from.as_str()), ("+447700900123", "INFO"));
    let Some(Dialect::Kannel(terms)) = message.body.dialect.as_deref() else { panic!("terms") };
    assert_eq!((&*terms.service, terms.account.as_deref()), ("shop-user", Some("a1")));
}

#[tokio::test]
async fn what_is_refused_is_told_as_kannel_does() {
    let gateway = gateway(false).await;
    let unauthorised = "Authorization failed for sendsms";
    for (query, status, text) in [
        ("to=1&text=x".to_owned(), 403, unauthorised),
        ("username=shop-user&password=wrong&to=1".to_owned(), 403, unauthorised),
        ("username=nobody&password=shop-pass&to=1".to_owned(), 403, unauthorised),
        (format!("{USER}&text=x"), 400, "Missing receiver number, rejected"),
        (format!("{USER}&to=&text=x"), 400, "Empty receiver number not allowed, rejected"),
        (format!("{USER}&to=abc"), 400, "Number(s) has/have been denied by white- and/or black-lists."),
        (format!("{USER}&to=447700900123&coding=9"), 400, "Coding field misformed, rejected"),
        (format!("{USER}&to=447700900123&from=A+name+too+long"), 400, "From field misformed, rejected"),
        (format!("{USER}&to=33612345678&text=x"), 403, "Not routable. Do not try again."),
        (format!("{USER}&to=33612345678+33612345679&text=x"), 403, "Not routable. Do not try again."),
    ] {
        assert_eq!(said(&get(&gateway, &query).await), (status, text.to_owned()), "{query}");
    }
    let closed = "username=closed-user&password=closed-pass&to=447700900123";
    assert_eq!(said(&get(&gateway, closed).await), (403, unauthorised.into()));
    assert!(accepted(&gateway).await.is_empty());
    gateway.engine.drain();
    let stopping = get(&gateway, &format!("{USER}&to=447700900123&text=x")).await;
    assert_eq!(said(&stopping), (503, "Temporal failure, try again later.".into()));
}

#[tokio::test]
async fn a_post_has_its_parameters_in_headers_and_its_text_in_the_body() {
    let gateway = gateway(false).await;
    let user = "X-Kannel-Username: shop-user\r\nX-Kannel-Password: shop-pass\r\nX-Kannel-To: 447700900123\r\n";
    let text = format!("{user}Content-Type: text/plain; charset=ISO-8859-15\r\nX-Kannel-From: 60777\r\n");
    let taken = (202, "3: Queued for later delivery".to_owned());
    assert_eq!(said(&post(&gateway, &text, "plain").await), taken);
    let octets = format!("{user}Content-Type: application/octet-stream\r\nX-Kannel-UDH: 050003070201\r\n");
    assert_eq!(said(&post(&gateway, &octets, "binary").await), taken);
    let xml = "<?xml version=\"1.0\"?><message><submit><da><number>447700900123</number></da>\
               <from><user>shop-user</user><pass>shop-pass</pass></from><ud>from+xml</ud></submit></message>";
    assert_eq!(said(&post(&gateway, "Content-Type: text/xml\r\n", xml).await), taken);
    let form = format!("{USER}&to=447700900123&text=from+form");
    let as_form = "Content-Type: application/x-www-form-urlencoded\r\n";
    assert_eq!(said(&post(&gateway, as_form, &form).await), taken);
    let messages = accepted(&gateway).await;
    let texts: Vec<_> = messages.iter().rev().map(|message| message.body.content.text().unwrap_or("octets")).collect();
    assert_eq!(texts, ["plain", "octets", "from xml", "from form"]);
    let bad = (400, "Invalid content-type".to_owned());
    assert_eq!(said(&post(&gateway, &format!("{user}Content-Type: image/png\r\n"), "x").await), bad);
    let nobody = user.replace("X-Kannel-To: 447700900123\r\n", "Content-Type: text/plain\r\n");
    let missing = (400, "Missing receiver(s) number(s), rejected".to_owned());
    assert_eq!(said(&post(&gateway, &nobody, "x").await), missing);
}

#[tokio::test]
async fn one_request_may_name_several_recipients() {
    let gateway = gateway(false).await;
    let answer = get(&gateway, &format!("{USER}&to=447700900123+447700900124+x&text=hello")).await;
    assert_eq!(said(&answer), (202, "0: Accepted for delivery".into()));
    assert_eq!(accepted(&gateway).await.len(), 2);
}

#[tokio::test]
async fn an_immediate_reply_names_parts_and_the_denied() {
    let gateway = gateway(true).await;
    let answer = get(&gateway, &format!("{USER}&to=447700900123+x+y&text=hello")).await;
    assert_eq!(said(&answer), (202, "Sent. Denied receivers are: x y".into()));
    let long = get(&gateway, &format!("{USER}&to=447700900123&text={}", "x".repeat(400))).await;
    assert_eq!(said(&long), (202, "Sent. Message splits: 3".into()));
    let some = get(&gateway, &format!("{USER}&to=447700900123+33612345678&text=hello")).await;
    assert_eq!(said(&some), (500, "Sending failed. Failed receivers are: 33612345678".into()));
}

#[tokio::test]
async fn a_message_can_be_put_off() {
    let gateway = gateway(false).await;
    let answer = get(&gateway, &format!("{USER}&to=447700900123&text=later&deferred=5")).await;
    assert_eq!(answer.status, 202);
    assert_eq!(accepted(&gateway).await[0].progress.status, Status::Scheduled);
}

#[tokio::test]
async fn a_listener_of_its_own_knows_nothing_else() {
    let interfaces = Interfaces { kannel: true, ..Interfaces::none() };
    let gateway = Gateway::start_with(HttpSettings { interfaces, ..HttpSettings::default() }).await;
    for path in ["/v1/messages", "/metrics", "/", "/cgi-bin/sendota"] {
        let answer = gateway.once(&format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")).await;
        assert_eq!(said(&answer), (404, "Unknown request.".into()), "{path}");
    }
    let sent = get(&gateway, &format!("{USER}&to=447700900123&text=x")).await;
    assert_eq!(sent.status, 202);
    let wrong = gateway.once("DELETE /cgi-bin/sendsms HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert_eq!((wrong.status, wrong.header("allow")), (405, Some("GET, POST")));
}

#[tokio::test]
async fn nobody_serves_it_unasked() {
    let gateway = Gateway::start().await;
    assert_eq!(get(&gateway, &format!("{USER}&to=447700900123&text=x")).await.status, 404);
}

#[tokio::test]
async fn who_guesses_passwords_is_locked_out() {
    let gateway = gateway(false).await;
    for _ in 0..10 {
        get(&gateway, "username=shop-user&password=guess&to=1").await;
    }
    let right = get(&gateway, &format!("{USER}&to=447700900123&text=x")).await;
    assert_eq!(said(&right), (403, "Authorization failed for sendsms".into()));
}
