//! A gateway whose store is PostgreSQL: nothing that was accepted is lost, whether the gateway is killed or
//! the database crashes, and the gateway comes back by itself.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use scenarios::carrier::Carrier;
use scenarios::postgres::Postgres;
use scenarios::{Client, Gateway, Place, Sink, ask_until, command, connector, resources, skip};
use serde_json::json;
use simulator::{ReceiptSettings, SmscSettings};

const CONNECTIONS: usize = 4;
const WINDOW: usize = 20;
/// Messages that are accepted between one crash and the next.
const BETWEEN: usize = 200;
const CRASHES: usize = 3;
/// What the session may send again after each: its window, and what was not settled yet.
const AGAIN_PER_CRASH: usize = WINDOW + 64;

struct Scene {
    server: Postgres,
    database: String,
    carrier: Carrier,
    sink: Sink,
    place: Place,
    /// Texts that were accepted, with their ids.
    accepted: Mutex<HashMap<String, String>>,
    next: AtomicUsize,
    /// Answers other than 202.
    refused: AtomicUsize,
}

impl Scene {
    /// `None` without PostgreSQL, which is reported as a skipped test.
    fn new() -> Option<Self> {
        let server = Postgres::start("").map_err(|why| skip(&why)).ok()?;
        let carrier = Carrier::start(SmscSettings {
            resp_delay: Duration::from_millis(1),
            receipts: ReceiptSettings {
                delay: (Duration::ZERO, Duration::from_millis(50)),
                ..ReceiptSettings::default()
            },
            ..SmscSettings::default()
        });
        let sink = Sink::start();
        let more = format!("window = {WINDOW}");
        let place = Place::new(&resources(&sink, "carrier", &connector("carrier", carrier.address(), &more)));
        let database = server.database();
        let (accepted, next, refused) = Default::default();
        Some(Self { server, database, carrier, sink, place, accepted, next, refused })
    }

    fn start(&self) -> Gateway {
        self.place.start_with(command().env("POSTRIDER_STORAGE__URL", &self.database))
    }

    fn count(&self) -> usize {
        self.accepted.lock().expect("no loader has failed").len()
    }

    /// Sends messages over some connections until `during` has ended; it is given the number of messages that
    /// were accepted before.
    fn load_while(&self, gateway: &Gateway, during: impl FnOnce(usize)) {
        let (address, done, before) = (gateway.address(), AtomicBool::new(false), self.count());
        std::thread::scope(|scope| {
            for _ in 0..CONNECTIONS {
                scope.spawn(|| {
                    let mut client = Client::new(address);
                    while !done.load(SeqCst) {
                        if !self.one(&mut client) {
                            break;
                        }
                    }
                });
            }
            during(before);
            done.store(true, SeqCst);
        });
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
            429 | 503 => drop(self.refused.fetch_add(1, SeqCst)),
            _ => panic!("{answer:?}"),
        }
        true
    }

    fn wait_for_more(&self, before: usize) {
        ask_until("accepted messages", || (self.count() >= before + BETWEEN).then_some(()));
    }

    /// Every message has been sent, is delivered, and the application knows.
    fn nothing_is_lost(&self, gateway: &Gateway) {
        let accepted = self.accepted.lock().expect("no loader has failed");
        let mut missing: Vec<&String> = accepted.values().collect();
        self.sink.wait_until("end of every message", |seen| {
            missing.retain(|id| {
                !seen.of_message.get(*id).is_some_and(|events| events.iter().any(|e| e == "message.delivered"))
            });
            missing.is_empty().then_some(())
        });
        let mut times: HashMap<String, usize> = HashMap::new();
        self.carrier.seen().iter().for_each(|message| *times.entry(message.text.to_string()).or_default() += 1);
        let lost: Vec<_> = accepted.keys().filter(|text| !times.contains_key(*text)).collect();
        assert!(lost.is_empty(), "accepted and never sent: {lost:?}");
        let again: usize = times.values().map(|times| times - 1).sum();
        println!(
            "postgres: {} accepted, {} refused, {again} sent again after {CRASHES} crashes",
            accepted.len(),
            self.refused.load(SeqCst)
        );
        assert!(again <= CRASHES * AGAIN_PER_CRASH, "{again} messages were sent again");
        let mut client = gateway.client();
        for id in accepted.values() {
            let delivered = |client: &mut Client| Some(client.message(id)).filter(|m| m["status"] != "sent");
            let message = ask_until("message that is delivered", || delivered(&mut client));
            assert_eq!(message["status"], "delivered", "{message}");
        }
        let database = self.database.rsplit('/').next().expect("a URL has slashes");
        ask_until("empty queue", || (self.server.sql(database, "SELECT count(*) FROM queue") == "0").then_some(()));
    }
}

#[test]
fn nothing_is_lost_when_the_gateway_is_killed() {
    let Some(scene) = Scene::new() else { return };
    for _ in 0..CRASHES {
        let gateway = scene.start();
        let (address, before) = (gateway.address(), scene.count());
        std::thread::scope(|scope| {
            for _ in 0..CONNECTIONS {
                scope.spawn(|| {
                    let mut client = Client::new(address);
                    while scene.one(&mut client) {}
                });
            }
            scene.wait_for_more(before);
            gateway.kill();
        });
    }
    let gateway = scene.start();
    scene.nothing_is_lost(&gateway);
}

#[test]
fn nothing_is_lost_when_the_database_crashes() {
    let Some(scene) = Scene::new() else { return };
    let gateway = scene.start();
    for _ in 0..CRASHES {
        scene.load_while(&gateway, |before| {
            scene.wait_for_more(before);
            scene.server.crash();
            scene.server.restart();
            let now = scene.count();
            scene.wait_for_more(now);
        });
    }
    scene.nothing_is_lost(&gateway);
}
