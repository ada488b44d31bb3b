//! Batches that come as streams of any length: taken as they come, gone on with when they broke off, in
//! little memory.

use std::collections::HashSet;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use scenarios::carrier::Carrier;
use scenarios::{Client, Gateway, PATIENCE, Place, Sink, TOKEN, ask_until, connector, resources};
use serde_json::{Value, json};
use simulator::SmscSettings;

/// A request whose body is being sent.
struct Stream(TcpStream);

impl Stream {
    fn begin(gateway: &Gateway, key: Option<&str>) -> Self {
        let mut connection = TcpStream::connect(gateway.address()).expect("it listens");
        connection.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        let key = key.map(|key| format!("Idempotency-Key: {key}\r\n")).unwrap_or_default();
        let head = format!(
            "POST /v1/batches HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {TOKEN}\r\n{key}\
             Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        );
        connection.write_all(head.as_bytes()).expect("it reads");
        Self(connection)
    }

    fn send(&mut self, lines: std::ops::Range<usize>) {
        self.try_send(lines).expect("it reads");
    }

    /// To a gateway that may be killed meanwhile.
    fn try_send(&mut self, lines: std::ops::Range<usize>) -> io::Result<()> {
        for first in lines.clone().step_by(1000) {
            let text: String = (first..lines.end.min(first + 1000)).map(line).collect();
            self.0.write_all(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes())?;
        }
        Ok(())
    }

    /// The status and the body of the answer.
    fn end(mut self) -> (u16, Value) {
        self.0.write_all(b"0\r\n\r\n").expect("it reads");
        self.answer()
    }

    fn answer(self) -> (u16, Value) {
        let mut answer = BufReader::new(self.0);
        let mut line = String::new();
        answer.read_line(&mut line).expect("an answer");
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
        let mut rest = String::new();
        answer.read_to_string(&mut rest).expect("a body");
        let body = rest.split_once("\r\n\r\n").expect("headers").1;
        (status, serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}")))
    }
}

/// Every hundredth line is wrong.
fn line(n: usize) -> String {
    let to = if n % 100 == 99 { "nobody".to_owned() } else { format!("+4477{n:08}") };
    format!("{}\n", json!({ "to": to, "text": "of the stream" }))
}

fn batch(client: &mut Client, id: &str) -> Value {
    client.get(&format!("/v1/batches/{id}")).json()
}

/// The batch of the message that came last.
fn the_batch(client: &mut Client) -> Option<String> {
    let messages = client.get("/v1/messages?limit=1").json();
    Some(messages["data"][0]["batch_id"].as_str()?.to_owned())
}

#[test]
fn a_stream_is_taken_as_it_comes_and_gone_on_with_after_a_kill() {
    const ALL: usize = 6000;
    let (carrier, sink) = (Carrier::start(SmscSettings::default()), Sink::start());
    let place = Place::new(&resources(&sink, "carrier", &connector("carrier", carrier.address(), "")));
    let gateway = place.start();
    let mut client = gateway.client();
    let mut stream = Stream::begin(&gateway, Some("newsletter 1"));
    stream.send(0..2000);
    // It is taken, and sent, while more is to come.
    let id = ask_until("batch", || the_batch(&mut client));
    let receiving = ask_until("lines", || Some(batch(&mut client, &id)).filter(|batch| batch["lines"] == 2000));
    assert_eq!((&receiving["upload"], &receiving["status"]), (&json!("receiving"), &json!("receiving")));
    assert_eq!((&receiving["accepted"], &receiving["rejected"]), (&json!(1980), &json!(20)));
    ask_until("end of those", || Some(batch(&mut client, &id)).filter(|batch| batch["done"] == 1980));
    assert_eq!(batch(&mut client, &id)["finished_at"], Value::Null, "more may come");
    gateway.kill();

    let gateway = place.start();
    let mut client = gateway.client();
    let broken = batch(&mut client, &id);
    assert_eq!((&broken["upload"], &broken["lines"]), (&json!("incomplete"), &json!(2000)));
    // What is not the same is no repeat.
    let mut other = Stream::begin(&gateway, Some("newsletter 1"));
    other.send(1..2001);
    let (status, problem) = other.answer();
    assert_eq!((status, &problem["code"]), (422, &json!("idempotency_key_reused")), "{problem}");
    // The client goes away, and its lines that came stay.
    let mut stream = Stream::begin(&gateway, Some("newsletter 1"));
    stream.send(0..3500);
    ask_until("more lines", || Some(batch(&mut client, &id)).filter(|batch| batch["lines"] == 3500));
    drop(stream);
    ask_until("its end", || Some(batch(&mut client, &id)).filter(|batch| batch["upload"] == "incomplete"));
    let mut stream = Stream::begin(&gateway, Some("newsletter 1"));
    stream.send(0..ALL);
    let (status, taken) = stream.end();
    assert_eq!((status, &taken["id"]), (202, &json!(id)), "{taken}");
    assert_eq!((&taken["accepted"], &taken["rejected_total"]), (&json!(ALL - ALL / 100), &json!(ALL / 100)));
    let rejected = taken["rejected"].as_array().expect("a list");
    assert_eq!((rejected.len(), &rejected[0]["index"]), ((ALL - 3500) / 100, &json!(3599)));
    // And once more: nothing is sent again.
    let mut stream = Stream::begin(&gateway, Some("newsletter 1"));
    stream.send(0..ALL);
    let (status, again) = stream.end();
    assert_eq!((status, &again["id"], &again["accepted"]), (202, &taken["id"], &taken["accepted"]));
    let done = ask_until("end of all", || Some(batch(&mut client, &id)).filter(|b| b["status"] == "completed"));
    assert_eq!((&done["counts"], &done["upload"]), (&json!({ "delivered": ALL - ALL / 100 }), &json!("complete")));
    let phones: HashSet<Box<str>> = carrier.seen().into_iter().map(|message| message.destination.2).collect();
    assert_eq!(phones.len(), ALL - ALL / 100);
    sink.wait("the batch's end", |call| {
        (call.event == "batch.completed" && call.data["upload"] == "complete").then_some(())
    });
}

/// At no moment of its own choosing: what was taken is known exactly, and all is taken once in the end.
#[test]
fn a_gateway_that_is_killed_in_the_midst_of_a_stream_takes_each_line_once() {
    const ALL: usize = 30_000;
    let sink = Sink::start();
    let place = Place::new(&resources(&sink, "carrier", &connector("carrier", "127.0.0.1:1", "")));
    let mut before = 0;
    for _ in 0..3 {
        let gateway = place.start();
        let mut client = gateway.client();
        let mut stream = Stream::begin(&gateway, Some("k"));
        let sender = std::thread::spawn(move || stream.try_send(0..ALL));
        let id = ask_until("batch", || the_batch(&mut client));
        ask_until("more lines", || batch(&mut client, &id)["lines"].as_u64().filter(|lines| *lines > before));
        gateway.kill();
        let _ = sender.join().expect("no panic");
        let gateway = place.start();
        let mut client = gateway.client();
        let broken = batch(&mut client, &id);
        let (lines, accepted) = (broken["lines"].as_u64().expect("a number"), broken["accepted"].as_u64());
        assert!(lines > before, "what was told of stays: {broken}");
        // What the batch says of itself is what there is of it.
        assert_eq!((&broken["counts"]["queued"].as_u64(), accepted), (&accepted, Some(lines - lines / 100)));
        before = lines;
    }
    let gateway = place.start();
    let mut stream = Stream::begin(&gateway, Some("k"));
    stream.send(0..ALL);
    let (status, taken) = stream.end();
    assert_eq!((status, &taken["lines"]), (202, &json!(ALL)), "{taken}");
    let all = batch(&mut gateway.client(), taken["id"].as_str().expect("an id"));
    assert_eq!((&all["upload"], &all["counts"]), (&json!("complete"), &json!({ "queued": ALL - ALL / 100 })));
}

#[test]
fn a_stream_that_is_canceled_or_too_dear_says_how_far_it_came() {
    let sink = Sink::start();
    let all = resources(&sink, "carrier", &connector("carrier", "127.0.0.1:1", ""));
    let limited = all.replacen("default_country", "quota = { daily = 1200 }\ndefault_country", 1);
    let gateway = Place::new(&limited).into_gateway();
    let mut client = gateway.client();
    let mut stream = Stream::begin(&gateway, None);
    stream.send(0..1500);
    let (status, problem) = stream.answer();
    assert_eq!((status, &problem["code"]), (429, &json!("quota_exceeded")), "{problem}");
    assert_eq!(problem["batch"]["lines"], 1000);
    let id = problem["batch"]["id"].as_str().expect("an id").to_owned();
    let closed = batch(&mut client, &id);
    assert_eq!((&closed["upload"], &closed["accepted"]), (&json!("incomplete"), &json!(990)));

    let mut stream = Stream::begin(&gateway, None);
    stream.send(0..10);
    let id = ask_until("second batch", || the_batch(&mut client).filter(|other| *other != id));
    let paused = client.post(&format!("/v1/batches/{id}/pause"), &json!({}));
    assert_eq!(paused.status, 202, "{paused:?}");
    ask_until("pause", || Some(batch(&mut client, &id)).filter(|batch| batch["status"] == "paused"));
    stream.send(10..20);
    ask_until("more lines", || Some(batch(&mut client, &id)).filter(|batch| batch["lines"] == 20));
    assert_eq!(batch(&mut client, &id)["status"], "paused");
    let canceled = client.post(&format!("/v1/batches/{id}/cancel"), &json!({}));
    assert_eq!(canceled.status, 202, "{canceled:?}");
    let (status, problem) = stream.answer();
    assert_eq!((status, &problem["code"], &problem["batch"]["lines"]), (409, &json!("batch_canceled"), &json!(20)));
    let ended = ask_until("end of all", || Some(batch(&mut client, &id)).filter(|batch| batch["status"] == "canceled"));
    assert_eq!(ended["counts"], json!({ "canceled": 20 }));
}

/// The most memory that the process had, in KiB.
fn peak(gateway: &Gateway) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", gateway.id())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux says so");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// What is kept at hand of a backlog is full after the first part of it.
#[test]
fn a_long_stream_takes_no_more_memory_than_a_part_of_it() {
    const PART: usize = 50_000;
    const ALL: usize = 200_000;
    let sink = Sink::start();
    let gateway = Place::new(&resources(&sink, "carrier", &connector("carrier", "127.0.0.1:1", ""))).into_gateway();
    let mut client = gateway.client();
    let mut stream = Stream::begin(&gateway, Some("k"));
    stream.send(0..PART);
    let id = ask_until("batch", || the_batch(&mut client));
    ask_until("lines", || Some(batch(&mut client, &id)).filter(|batch| batch["lines"] == PART));
    let part = peak(&gateway);
    stream.send(PART..ALL);
    let (status, taken) = stream.end();
    assert_eq!((status, &taken["accepted"]), (202, &json!(ALL - ALL / 100)));
    assert_eq!((&taken["rejected_total"], taken["rejected"].as_array().map(Vec::len)), (&json!(2000), Some(1000)));
    let all = peak(&gateway);
    assert!(all < part + part / 4, "{part} KiB after {PART} lines, {all} KiB after {ALL}");
    println!("{part} KiB after {PART} lines, {all} KiB after {ALL}");
}
