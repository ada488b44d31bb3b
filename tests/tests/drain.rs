//! SIGTERM under load: the gateway ends in order, and nothing is lost or sent twice.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use scenarios::carrier::Carrier;
use scenarios::{Client, Place, Sink, ask_until, connector, resources};
use serde_json::json;
use simulator::SmscSettings;

const CONNECTIONS: usize = 4;
const BEFORE: usize = 300;

#[test]
fn an_orderly_end_loses_nothing_and_sends_nothing_twice() {
    let slow = SmscSettings {
        resp_delay: Duration::from_millis(5),
        resp_jitter: Duration::from_millis(20),
        ..SmscSettings::default()
    };
    let (carrier, sink) = (Carrier::start(slow), Sink::start());
    let place = Place::new(&resources(&sink, "carrier", &connector("carrier", carrier.address(), "sessions = 2")));
    let accepted = Mutex::new(HashMap::new());
    let next = AtomicUsize::new(0);

    let mut gateway = place.start();
    let address = gateway.address();
    let status = std::thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| {
                let mut client = Client::new(address);
                loop {
                    let text = format!("message {}", next.fetch_add(1, SeqCst));
                    match client.try_post("/v1/messages", &json!({ "to": "+447700900001", "text": text })) {
                        Ok(answer) if answer.status == 202 => {
                            let id = answer.json()["id"].as_str().expect("an id").to_owned();
                            accepted.lock().expect("no loader fails").insert(text, id);
                        }
                        Ok(answer) => assert_eq!(answer.status, 503, "{answer:?}"),
                        Err(_) => return,
                    }
                }
            });
        }
        let count = || accepted.lock().expect("no loader fails").len();
        ask_until("so many accepted messages", || (count() >= BEFORE).then_some(()));
        gateway.stop()
    });
    assert_eq!(status.code(), Some(0), "{}", gateway.log().tail());
    assert_eq!(carrier.bound(), 0, "the sessions were unbound");

    let accepted = accepted.into_inner().expect("no loader fails");
    assert!(accepted.len() >= BEFORE);
    let _gateway = place.start();
    for id in accepted.values() {
        sink.wait_event(id, "message.delivered");
    }
    let mut times: HashMap<Box<str>, usize> = HashMap::new();
    carrier.seen().into_iter().for_each(|message| *times.entry(message.text).or_default() += 1);
    let twice: Vec<_> = times.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "sent twice: {twice:?}");
    assert!(accepted.keys().all(|text| times.contains_key(text.as_str())));
}
