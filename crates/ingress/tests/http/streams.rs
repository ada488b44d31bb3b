//! Batches of one message a line that are longer than one commit, or come slowly.

use std::time::Duration;

use engine::Edit;
use ingress::http::{HttpLimits, HttpSettings};
use serde_json::{Value, json};
use store::Store;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::gateway::{Answer, Gateway, SHOP, read_answer};

/// More than a commit takes.
const MANY: usize = 12_000;

/// Every thousandth is none.
fn line(n: usize) -> String {
    let to = if n % 1000 == 999 { "nobody".to_owned() } else { format!("+4477{n:08}") };
    json!({ "to": to, "text": "of the stream" }).to_string()
}

fn lines(range: std::ops::Range<usize>) -> String {
    range.map(|n| line(n) + "\n").collect()
}

/// A request whose body is being sent in pieces.
struct Stream(TcpStream);

impl Stream {
    async fn begin(gateway: &Gateway, headers: &str) -> Self {
        let mut socket = gateway.connect().await;
        let head = format!(
            "POST /v1/batches HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {SHOP}\r\n{headers}\
             content-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).await.unwrap();
        Self(socket)
    }

    async fn send(&mut self, text: &str) {
        for piece in text.as_bytes().chunks(100_000) {
            let chunk = [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
            self.0.write_all(&chunk).await.unwrap();
        }
    }

    async fn end(mut self) -> Answer {
        self.0.write_all(b"0\r\n\r\n").await.unwrap();
        self.answer().await
    }

    async fn answer(mut self) -> Answer {
        read_answer(&mut self.0, &mut Vec::new()).await.expect("an answer")
    }
}

async fn state(gateway: &Gateway, id: &Value) -> Value {
    gateway.get(&format!("/v1/batches/{}", id.as_str().unwrap()), SHOP).await.json()
}

async fn until(gateway: &Gateway, id: &Value, wanted: impl Fn(&Value) -> bool) -> Value {
    let looking = async {
        loop {
            let state = state(gateway, id).await;
            if wanted(&state) {
                return state;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), looking).await.expect("it comes to that")
}

/// The only batch that there is.
async fn the_batch(gateway: &Gateway) -> Value {
    let looking = async {
        loop {
            let messages = gateway.get("/v1/messages?limit=1", SHOP).await.json();
            if messages["data"][0]["batch_id"].is_string() {
                return messages["data"][0]["batch_id"].clone();
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), looking).await.expect("there is one")
}

async fn limited(change: impl FnOnce(&mut HttpLimits)) -> Gateway {
    let mut settings = HttpSettings::default();
    change(&mut settings.limits);
    Gateway::start_with(settings).await
}

#[tokio::test]
async fn a_stream_may_be_of_any_length() {
    let gateway = Gateway::start().await;
    let headers = [("content-type", "application/x-ndjson"), ("idempotency-key", "k")];
    let body = lines(0..MANY);
    let answer = gateway.call("POST", "/v1/batches", SHOP, &headers, body.as_bytes()).await;
    let taken = answer.json();
    assert_eq!((answer.status, &taken["lines"]), (202, &json!(MANY)), "{}", answer.text());
    assert_eq!((&taken["accepted"], &taken["rejected_total"]), (&json!(MANY - 12), &json!(12)));
    let places: Vec<u64> =
        taken["rejected"].as_array().unwrap().iter().map(|rejected| rejected["index"].as_u64().unwrap()).collect();
    assert_eq!(places, (0..12).map(|n| n * 1000 + 999).collect::<Vec<_>>());
    assert_eq!(answer.header("location"), Some(format!("/v1/batches/{}", taken["id"].as_str().unwrap()).as_str()));
    let batch = state(&gateway, &taken["id"]).await;
    assert_eq!((&batch["upload"], &batch["counts"]), (&json!("complete"), &json!({ "queued": MANY - 12 })));
    // Once more: nothing is sent twice. And something else is no repeat, however it begins.
    let again = gateway.call("POST", "/v1/batches", SHOP, &headers, body.as_bytes()).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (202, Some("true")));
    assert_eq!((&again.json()["id"], &again.json()["accepted"]), (&taken["id"], &taken["accepted"]));
    for other in [lines(0..MANY + 1), lines(0..MANY - 1), lines(1..MANY + 1)] {
        let answer = gateway.call("POST", "/v1/batches", SHOP, &headers, other.as_bytes()).await;
        assert_eq!((answer.status, answer.code().as_str()), (422, "idempotency_key_reused"));
    }
    let queued: u64 = gateway.store.queue_depths().await.unwrap().iter().map(|(_, depth)| depth).sum();
    assert_eq!(queued, MANY as u64 - 12);
}

#[tokio::test]
async fn what_is_short_is_answered_as_before_however_slowly_it_is_repeated() {
    let gateway = Gateway::start().await;
    let headers = [("content-type", "application/x-ndjson"), ("idempotency-key", "k")];
    let body = lines(0..10);
    let first = gateway.call("POST", "/v1/batches", SHOP, &headers, body.as_bytes()).await;
    assert_eq!((first.status, &first.json()["accepted"]), (202, &json!(10)));
    for (pieces, status) in [([0..5, 5..10], 202), ([0..5, 5..11], 422), ([0..5, 5..9], 422)] {
        let mut stream = Stream::begin(&gateway, "idempotency-key: k\r\n").await;
        for piece in pieces {
            stream.send(&lines(piece)).await;
        }
        let again = stream.end().await;
        assert_eq!(again.status, status, "{}", again.text());
        assert_eq!(again.header("idempotent-replayed"), (status == 202).then_some("true"));
        assert!(status != 202 || again.body == first.body);
    }
    // And a key that was used for something else.
    let other = [("idempotency-key", "o")];
    let message = line(0);
    assert_eq!(gateway.call("POST", "/v1/messages", SHOP, &other, message.as_bytes()).await.status, 202);
    let headers = [("content-type", "application/x-ndjson"), ("idempotency-key", "o")];
    let answer = gateway.call("POST", "/v1/batches", SHOP, &headers, message.as_bytes()).await;
    assert_eq!((answer.status, answer.code().as_str()), (422, "idempotency_key_reused"));
}

#[tokio::test]
async fn lines_are_taken_while_others_are_to_come() {
    let gateway = Gateway::start().await;
    let mut stream = Stream::begin(&gateway, "").await;
    stream.send(&lines(0..10)).await;
    let id = the_batch(&gateway).await;
    let receiving = until(&gateway, &id, |batch| batch["lines"] == 10).await;
    assert_eq!((&receiving["upload"], &receiving["status"]), (&json!("receiving"), &json!("receiving")));
    // Half a line waits for its other half.
    let whole = line(10);
    let (half, other) = whole.split_at(20);
    stream.send(&format!("{}{half}", lines(0..1))).await;
    until(&gateway, &id, |batch| batch["lines"] == 11).await;
    stream.send(&format!("{other}\n\n\n{{}}\n{}", line(11))).await;
    let answer = stream.end().await;
    let taken = answer.json();
    assert_eq!((answer.status, &taken["id"], &taken["lines"]), (202, &id, &json!(14)), "{}", answer.text());
    assert_eq!((&taken["rejected_total"], &taken["rejected"][0]["index"]), (&json!(1), &json!(12)));
    assert_eq!(state(&gateway, &id).await["upload"], "complete");
}

#[tokio::test]
async fn a_client_that_goes_away_can_come_again() {
    let gateway = Gateway::start().await;
    let mut stream = Stream::begin(&gateway, "idempotency-key: k\r\n").await;
    stream.send(&lines(0..10)).await;
    let id = the_batch(&gateway).await;
    stream.send(&format!("{}{}", lines(10..20), &line(20)[..9])).await;
    until(&gateway, &id, |batch| batch["lines"] == 20).await;
    drop(stream);
    until(&gateway, &id, |batch| batch["upload"] == "incomplete").await;
    let mut stream = Stream::begin(&gateway, "idempotency-key: k\r\n").await;
    stream.send(&lines(0..30)).await;
    let answer = stream.end().await;
    assert_eq!((answer.status, &answer.json()["id"], &answer.json()["accepted"]), (202, &id, &json!(30)));
    assert_eq!(answer.header("idempotent-replayed"), None);
}

/// It has no end, and so it is answered while it is still being sent.
#[tokio::test]
async fn the_answer_reaches_a_client_that_is_still_sending() {
    let gateway = Gateway::start().await;
    let account = json!({ "id": "shop", "api_token": SHOP, "quota": { "daily": 2500 }, "default_sender": "SHOP" });
    gateway.engine.edit_resources(vec![Edit::Account(serde_json::from_value(account).unwrap())]).await.unwrap();
    let Stream(socket) = Stream::begin(&gateway, "").await;
    let (mut read, mut write) = socket.into_split();
    let body = lines(0..1000);
    let chunk = format!("{:x}\r\n{body}\r\n", body.len());
    // It reads nothing before it has sent far more than all buffers hold together.
    for _ in 0..200 {
        write.write_all(chunk.as_bytes()).await.expect("somebody reads it");
    }
    write.write_all(b"0\r\n\r\n").await.expect("somebody reads it");
    let mut text = String::new();
    read.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 429 ") && head.contains("connection: close"), "{head}");
    let problem: Value = serde_json::from_str(body).unwrap();
    assert_eq!((&problem["code"], &problem["batch"]["lines"]), (&json!("quota_exceeded"), &json!(2000)));
    assert_eq!((&problem["batch"]["accepted"], &problem["batch"]["rejected_total"]), (&json!(1998), &json!(2)));
    assert_eq!(problem["batch"]["rejected"][1]["index"], 1999);
    let batch = state(&gateway, &problem["batch"]["id"]).await;
    assert_eq!((&batch["upload"], &batch["accepted"]), (&json!("incomplete"), &json!(1998)));
}

/// What is refused at once is told in the same way.
#[tokio::test]
async fn what_is_refused_before_it_is_read_is_answered_too() {
    let gateway = Gateway::start().await;
    let Stream(mut socket) = Stream::begin(&gateway, "content-encoding: gzip\r\n").await;
    let piece = [b"186a0\r\n", &[b'x'; 100_000][..], b"\r\n"].concat();
    for _ in 0..100 {
        socket.write_all(&piece).await.expect("somebody reads it");
    }
    socket.write_all(b"0\r\n\r\n").await.expect("somebody reads it");
    let answer = Stream(socket).answer().await;
    assert_eq!((answer.status, answer.code().as_str()), (415, "unsupported_media_type"));
}

#[tokio::test]
async fn who_is_silent_is_told_and_who_goes_on_is_not_cut_off() {
    let limit = Duration::from_secs(2);
    let gateway = limited(|limits| limits.request_timeout = limit).await;
    let mut stream = Stream::begin(&gateway, "").await;
    let begun = std::time::Instant::now();
    stream.send(&lines(0..1)).await;
    let id = the_batch(&gateway).await;
    let mut sent = 1;
    // For longer than any request may take that is no stream.
    while begun.elapsed() < limit {
        stream.send(&lines(sent..sent + 1)).await;
        sent += 1;
        until(&gateway, &id, |batch| batch["lines"] == sent).await;
    }
    stream.send("an endless line").await;
    let answer = stream.answer().await;
    let problem = answer.json();
    assert_eq!((answer.status, answer.code().as_str()), (408, "request_timeout"));
    assert_eq!(problem["batch"]["lines"], sent);
    let batch = state(&gateway, &problem["batch"]["id"]).await;
    assert_eq!((&batch["upload"], &batch["lines"]), (&json!("incomplete"), &json!(sent)));
}

#[tokio::test]
async fn a_line_that_is_too_long_is_rejected_alone() {
    let gateway = limited(|limits| limits.body_octets = 1000).await;
    let mut stream = Stream::begin(&gateway, "").await;
    stream.send(&format!("{}{}\n{}", lines(0..1), "x".repeat(1_000_000), lines(1..2))).await;
    let answer = stream.end().await;
    let taken = answer.json();
    assert_eq!((answer.status, &taken["accepted"], &taken["rejected_total"]), (202, &json!(2), &json!(1)));
    assert_eq!(taken["rejected"][0]["index"], 1);
    assert_eq!(taken["rejected"][0]["problem"]["errors"][0]["detail"], "the line is longer than a message may be");
}

#[tokio::test]
async fn a_stream_without_a_line_is_no_batch() {
    let gateway = Gateway::start().await;
    for text in ["", "\n\n  \n"] {
        let mut stream = Stream::begin(&gateway, "").await;
        if !text.is_empty() {
            stream.send(text).await;
        }
        let answer = stream.end().await;
        assert_eq!((answer.status, answer.code().as_str()), (422, "batch_size"));
    }
}

#[tokio::test]
async fn who_cancels_a_batch_ends_its_stream() {
    let gateway = Gateway::start().await;
    let mut stream = Stream::begin(&gateway, "").await;
    stream.send(&lines(0..10)).await;
    let id = the_batch(&gateway).await;
    let path = |what: &str| format!("/v1/batches/{}/{what}", id.as_str().unwrap());
    assert_eq!(gateway.post(&path("pause"), SHOP, json!({})).await.status, 202);
    stream.send(&lines(10..20)).await;
    let paused = until(&gateway, &id, |batch| batch["lines"] == 20 && batch["status"] == "paused").await;
    assert_eq!((&paused["counts"], &paused["upload"]), (&json!({ "queued": 20 }), &json!("receiving")));
    let queued: u64 = gateway.store.queue_depths().await.unwrap().iter().map(|(_, depth)| depth).sum();
    assert_eq!(queued, 0);
    assert_eq!(gateway.post(&path("cancel"), SHOP, json!({})).await.status, 202);
    let answer = stream.answer().await;
    assert_eq!((answer.status, answer.code().as_str()), (409, "batch_canceled"));
    assert_eq!(answer.json()["batch"]["lines"], 20);
    let canceled = until(&gateway, &id, |batch| batch["status"] == "canceled").await;
    assert_eq!(canceled["counts"], json!({ "canceled": 20 }));
}

#[tokio::test]
async fn a_token_that_is_taken_away_ends_a_stream() {
    let gateway = Gateway::start().await;
    let mut stream = Stream::begin(&gateway, "").await;
    stream.send(&lines(0..10)).await;
    let id = the_batch(&gateway).await;
    let account = json!({ "id": "shop", "api_token": "another", "default_sender": "SHOP" });
    gateway.engine.edit_resources(vec![Edit::Account(serde_json::from_value(account).unwrap())]).await.unwrap();
    stream.send(&lines(10..20)).await;
    let answer = stream.answer().await;
    assert_eq!((answer.status, answer.code().as_str()), (401, "token_unknown"));
    assert_eq!((&answer.json()["batch"]["id"], &answer.json()["batch"]["lines"]), (&id, &json!(10)));
}
