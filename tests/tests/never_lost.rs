//! The gateway is killed again and again under load: no message that was accepted is lost, none is
//! sent twice beyond what is promised, and the application hears of every end.
//!
//! `POSTRIDER_ROUNDS` sets how often the whole is done, `POSTRIDER_SEED` where randomness starts.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use fastrand::Rng;
use scenarios::carrier::Carrier;
use scenarios::{Client, Gateway, Place, Sink, ask_until, connector, resources};
use serde_json::json;
use simulator::{ReceiptSettings, SmscSettings};

const KILLS: usize = 6;
const CONNECTIONS: usize = 4;
const WINDOW: usize = 20;
const SESSIONS: usize = 2;
/// What each session may send again after a crash: its window, and what was not settled yet.
const AGAIN_PER_KILL: usize = SESSIONS * (WINDOW + 64);

/// What the application has done.
#[derive(Default)]
struct Sent {
    next: AtomicUsize,
    /// Texts that were accepted, with their ids.
    accepted: Mutex<HashMap<String, String>>,
}

#[test]
fn nothing_that_was_accepted_is_lost() {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let rounds = number("POSTRIDER_ROUNDS").unwrap_or(2);
    let first = number("POSTRIDER_SEED").unwrap_or_else(|| fastrand::u64(..1 << 32));
    for seed in first..first + rounds {
        round(seed);
    }
}

fn round(seed: u64) {
    println!("never_lost: POSTRIDER_SEED={seed}");
    let mut random = Rng::with_seed(seed);
    let carrier = Carrier::start(SmscSettings {
        resp_delay: Duration::from_millis(1),
        resp_jitter: Duration::from_millis(random.u64(0..20)),
        out_of_order: random.bool(),
        receipts: ReceiptSettings { delay: (Duration::ZERO, Duration::from_millis(50)), ..ReceiptSettings::default() },
        seed,
        ..SmscSettings::default()
    });
    let sink = Sink::start();
    let more = format!("sessions = {SESSIONS}\nwindow = {WINDOW}");
    let place = Place::new(&resources(&sink, "carrier", &connector("carrier", carrier.address(), &more)));
    let sent = Sent::default();
    for _ in 0..KILLS {
        let gateway = place.start();
        let goal = sent.count() + random.usize(0..600);
        load_until_killed(gateway, &sent, goal);
    }
    let gateway = place.start();
    let accepted = sent.accepted.into_inner().expect("no loader has failed");
    assert!(accepted.len() > KILLS, "only {} messages were accepted", accepted.len());
    let mut missing: Vec<&String> = accepted.values().collect();
    sink.wait_until("end of every message", |seen| {
        missing.retain(|id| {
            !seen.of_message.get(*id).is_some_and(|events| events.iter().any(|e| e == "message.delivered"))
        });
        missing.is_empty().then_some(())
    });

    let mut times: HashMap<String, usize> = HashMap::new();
    carrier.seen().iter().for_each(|message| *times.entry(message.text.to_string()).or_default() += 1);
    let lost: Vec<_> = accepted.keys().filter(|text| !times.contains_key(*text)).collect();
    let again: usize = times.values().map(|times| times - 1).sum();
    println!("never_lost: {} accepted, {} lost, {again} sent again after {KILLS} kills", accepted.len(), lost.len());
    assert!(lost.is_empty(), "accepted and never sent: {lost:?}");
    assert!(again <= KILLS * AGAIN_PER_KILL, "{again} messages were sent again");
    let mut client = gateway.client();
    for id in accepted.values() {
        let message =
            ask_until("message that is delivered", || Some(client.message(id)).filter(|m| m["status"] != "sent"));
        assert_eq!(message["status"], "delivered", "{message}");
    }
}

/// Loads the gateway, and kills it as soon as so many messages have been accepted.
fn load_until_killed(gateway: Gateway, sent: &Sent, goal: usize) {
    let address = gateway.address();
    std::thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(move || {
                let mut client = Client::new(address);
                while sent.one(&mut client) {}
            });
        }
        ask_until("so many accepted messages", || (sent.count() >= goal).then_some(()));
        gateway.kill();
    });
}

impl Sent {
    fn count(&self) -> usize {
        self.accepted.lock().expect("no loader has failed").len()
    }

    /// Sends one message; `false` when the gateway is gone.
    fn one(&self, client: &mut Client) -> bool {
        let text = format!("message {}", self.next.fetch_add(1, SeqCst));
        let Ok(answer) = client.try_post("/v1/messages", &json!({ "to": "+447700900001", "text": text })) else {
            return false;
        };
        match answer.status {
            202 => {
                let id = answer.json()["id"].as_str().expect("a message has an id").to_owned();
                self.accepted.lock().expect("no loader has failed").insert(text, id);
            }
            // Too much at a time is refused, and not accepted then.
            429 | 503 => {}
            _ => panic!("{answer:?}"),
        }
        true
    }
}
